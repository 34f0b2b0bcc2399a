package hsl

import (
	"errors"
	"math"
	"strconv"
	"unicode/utf8"
)

// maxNesting bounds what walks nested arrays: a script can nest deeper than a stack can follow.
const maxNesting = 1000

var (
	errNested = errors.New("the array is nested too deep")
	errSize   = errors.New("the result is too large")
)

// Text converts v to a string, as echo and interpolation do. It fails for arrays that are nested
// more than 1,000 deep or whose text is longer than the default [Limits] allow.
func Text(v Value) (string, error) { return text(v, defaultBytes) }

func text(v Value, limit int) (string, error) {
	if s, ok := v.(String); ok {
		return string(s), nil
	}
	b, err := appendText(nil, v, 0, limit)
	return string(b), err
}

func appendText(b []byte, v Value, depth, limit int) ([]byte, error) {
	if depth > maxNesting {
		return b, errNested
	}
	if len(b) > limit {
		return b, errSize
	}
	switch v := v.(type) {
	case None:
		return append(b, "none"...), nil
	case Bool:
		return strconv.AppendBool(b, bool(v)), nil
	case Number:
		return appendNumber(b, float64(v)), nil
	case String:
		if depth > 0 {
			return appendQuoted(b, string(v)), nil
		}
		return append(b, v...), nil
	case *Array:
		b = append(b, '[')
		for i := range v.Len() {
			if i > 0 {
				b = append(b, ',')
			}
			key, val := v.At(i)
			var err error
			if b, err = appendText(b, key, depth+1, limit); err != nil {
				return b, err
			}
			b = append(b, "=>"...)
			if b, err = appendText(b, val, depth+1, limit); err != nil {
				return b, err
			}
		}
		return append(b, ']'), nil
	case *Exception:
		return append(b, v.describe()...), nil
	case *Function:
		return append(b, "function "+v.name()...), nil
	case *Regex:
		return append(b, v.Source...), nil
	}
	return append(b, v.typeName()...), nil
}

// appendNumber writes whole numbers without a fraction and others with the fewest digits that read
// back as the same number. Exponents begin where the digits would no longer fit on a line.
func appendNumber(b []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(b, "nan"...)
	case math.IsInf(f, 1):
		return append(b, "inf"...)
	case math.IsInf(f, -1):
		return append(b, "-inf"...)
	case f == 0:
		return append(b, '0')
	}
	if a := math.Abs(f); a >= 1e21 || a < 1e-6 {
		return strconv.AppendFloat(b, f, 'e', -1, 64)
	}
	return strconv.AppendFloat(b, f, 'f', -1, 64)
}

func appendQuoted(b []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	b = append(b, '"')
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, '\\', 'n')
		case c == '\r':
			b = append(b, '\\', 'r')
		case c == '\t':
			b = append(b, '\\', 't')
		case c < 0x20 || c == 0x7f || r == utf8.RuneError && n == 1:
			b = append(b, '\\', 'x', hex[c>>4], hex[c&15])
		default:
			b = append(b, s[i:i+n]...)
		}
		i += n
	}
	return append(b, '"')
}

// describe is toString(): the message, and the place where it is known.
func (e *Exception) describe() string {
	if e.Pos.Line == 0 {
		return e.Message
	}
	return e.Message + " in " + e.Pos.File + " on line " + strconv.Itoa(e.Pos.Line) + " column " + strconv.Itoa(e.Pos.Column)
}
