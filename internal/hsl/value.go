package hsl

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

// Value is one of [None], [Bool], [Number], [String], [*Array], [*Function], [*Exception] and
// [*Regex]. No nil Value reaches a Native, and a Native must not return one without an error.
type Value interface{ typeName() string }

// None is the absence of a value.
type None struct{}

// Bool is true or false.
type Bool bool

// Number is a double, as every number of the language is.
type Number float64

// String is a string of bytes; NUL and bytes that are not UTF-8 are kept.
type String string

// Exception is what Exception("message") makes, and what run-time errors throw.
type Exception struct {
	Message string
	// Pos is set only on exceptions of the language itself and of plugin functions.
	Pos Pos
}

// Regex is a compiled regular expression literal.
type Regex struct {
	Source string
	re     *regexp.Regexp
}

func (None) typeName() string       { return "none" }
func (Bool) typeName() string       { return "boolean" }
func (Number) typeName() string     { return "number" }
func (String) typeName() string     { return "string" }
func (*Array) typeName() string     { return "array" }
func (*Function) typeName() string  { return "function" }
func (*Exception) typeName() string { return "Exception" }
func (*Regex) typeName() string     { return "Regex" }

// Truth is how conditions read v.
func Truth(v Value) bool {
	switch v := v.(type) {
	case None:
		return false
	case Bool:
		return bool(v)
	case Number:
		return v != 0
	case String:
		return v != ""
	case *Array:
		return v.Len() > 0
	}
	return true
}

// parseNumber reads s as a number, decimal or 0x, with no other text before or after it.
func parseNumber(s string) (Number, bool) {
	digits, negative := s, false
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		digits, negative = rest, true
	} else if rest, ok := strings.CutPrefix(s, "+"); ok {
		digits = rest
	}
	if hex, ok := strings.CutPrefix(digits, "0x"); ok {
		n, err := strconv.ParseUint(hex, 16, 64)
		if err != nil {
			return 0, false
		}
		if negative {
			return Number(-float64(n)), true
		}
		return Number(n), true
	}
	// ParseFloat also takes "inf", "nan", "1_0" and hexadecimal fractions, which are no numbers here.
	if digits == "" || strings.Trim(digits, "0123456789.eE+-") != "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0, false
	}
	return Number(f), true
}

// messageOf is the text of a thrown value for a person to read.
func messageOf(v Value) string {
	if e, ok := v.(*Exception); ok {
		return e.Message
	}
	s, err := Text(v)
	if err != nil {
		return "a thrown " + v.typeName()
	}
	return s
}

// whole is v as an integer, rounded towards zero; false for NaN and what does not fit.
func whole(n Number) (int64, bool) {
	f := math.Trunc(float64(n))
	if !(f >= -1<<63 && f < 1<<63) {
		return 0, false
	}
	return int64(f), true
}
