package hsl

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// verb is one %[n]'c<width.precV of a format, where all but the last letter may be missing.
type verb struct {
	// arg is the position of its value, or -1 for the next one.
	arg       int
	fill      string
	align     byte
	width     int
	precision int // -1 when missing
	letter    byte
}

// format is "..." % [...]. The letters are s for text, f for a number with a fraction, x for
// hexadecimal, c for one byte, b for binary; %% is a percent sign.
func (m *machine) format(at Pos, pattern string, args *Array) (Value, error) {
	var b strings.Builder
	next := 0
	for {
		i := strings.IndexByte(pattern, '%')
		if i < 0 {
			b.WriteString(pattern)
			return String(b.String()), nil
		}
		b.WriteString(pattern[:i])
		pattern = pattern[i+1:]
		if strings.HasPrefix(pattern, "%") {
			b.WriteByte('%')
			pattern = pattern[1:]
			continue
		}
		v, n, ok := parseVerb(pattern)
		if !ok {
			return nil, errorString("malformed % in a format: it is %[position]'fill<width.precision and one of s f x c b")
		}
		pattern = pattern[n:]
		if v.arg < 0 {
			v.arg = next
			next++
		}
		if v.arg >= args.Len() {
			return nil, errorString("the format needs more values than the array has")
		}
		_, val := args.At(v.arg)
		t, err := m.verb(v, val)
		if err != nil {
			return nil, err
		}
		if err := m.fits(at, float64(b.Len()+len(t)+v.width*len(v.fill))); err != nil {
			return nil, err
		}
		b.WriteString(pad(v, t))
	}
}

func parseVerb(s string) (v verb, n int, ok bool) {
	v = verb{arg: -1, fill: " ", align: '<', precision: -1}
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return v, 0, false
		}
		arg, err := strconv.Atoi(s[1:end])
		if err != nil || arg < 0 {
			return v, 0, false
		}
		v.arg, n = arg, end+1
	}
	if strings.HasPrefix(s[n:], "'") {
		_, size := utf8.DecodeRuneInString(s[n+1:])
		v.fill = s[n+1 : n+1+size]
		n += 1 + size
	}
	if n < len(s) && strings.IndexByte("<>=^", s[n]) >= 0 {
		v.align = s[n]
		n++
	}
	var size int
	if v.width, size, ok = parseCount(s[n:]); !ok {
		return v, 0, false
	}
	n += size
	if strings.HasPrefix(s[n:], ".") {
		if v.precision, size, ok = parseCount(s[n+1:]); !ok || size == 0 {
			return v, 0, false
		}
		n += 1 + size
	}
	if n >= len(s) || strings.IndexByte("sfxcb", s[n]) < 0 {
		return v, 0, false
	}
	v.letter = s[n]
	return v, n + 1, true
}

// parseCount reads a width or precision, which may be missing.
func parseCount(s string) (v, n int, ok bool) {
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	if n == 0 {
		return 0, 0, true
	}
	v, err := strconv.Atoi(s[:n])
	return v, n, err == nil && v <= 1000
}

func (m *machine) verb(v verb, val Value) (string, error) {
	if v.letter == 's' {
		t, err := text(val, m.limits.Bytes)
		if v.precision >= 0 && v.precision < len(t) {
			t = t[:v.precision]
		}
		return t, err
	}
	num, ok := val.(Number)
	if !ok {
		return "", errorString("%" + string(v.letter) + " needs a number, not a value of type " + val.typeName())
	}
	if v.letter == 'f' {
		if math.IsNaN(float64(num)) || math.IsInf(float64(num), 0) {
			return string(appendNumber(nil, float64(num))), nil
		}
		if v.precision < 0 {
			v.precision = 6
		}
		return strconv.FormatFloat(float64(num), 'f', v.precision, 64), nil
	}
	i, err := integer(num)
	if err != nil {
		return "", err
	}
	switch v.letter {
	case 'c':
		if i < 0 || i > 255 {
			return "", errorString("%c needs a number from 0 to 255")
		}
		return string([]byte{byte(i)}), nil
	case 'x':
		return strconv.FormatUint(uint64(i), 16), nil
	}
	return strconv.FormatUint(uint64(i), 2), nil
}

// pad fills t up to the width: < on its right, > on its left, ^ on both sides, = after a sign.
func pad(v verb, t string) string {
	missing := v.width - utf8.RuneCountInString(t)
	if missing <= 0 {
		return t
	}
	switch v.align {
	case '<':
		return t + strings.Repeat(v.fill, missing)
	case '^':
		return strings.Repeat(v.fill, missing/2) + t + strings.Repeat(v.fill, missing-missing/2)
	case '=':
		if strings.HasPrefix(t, "-") || strings.HasPrefix(t, "+") {
			return t[:1] + strings.Repeat(v.fill, missing) + t[1:]
		}
	}
	return strings.Repeat(v.fill, missing) + t
}
