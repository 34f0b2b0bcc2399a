package hsl

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonStyle is how json_encode writes.
type jsonStyle struct {
	pretty bool
	// ascii writes other characters as \u.
	ascii bool
	limit int
}

var errJSON = errors.New("the value has no form in JSON")

// text is v as JSON.
func (s jsonStyle) text(v Value) (Value, error) {
	b, err := s.encode(nil, v, 0)
	return String(b), err
}

// encode appends v. An array is a list where its keys are 0, 1, 2 ... in order.
func (s jsonStyle) encode(b []byte, v Value, depth int) ([]byte, error) {
	if depth > maxNesting {
		return b, errNested
	}
	if len(b) > s.limit {
		return b, errSize
	}
	switch v := v.(type) {
	case None:
		return append(b, "null"...), nil
	case Bool:
		return strconv.AppendBool(b, bool(v)), nil
	case Number:
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return b, errJSON
		}
		return appendNumber(b, float64(v)), nil
	case String:
		return s.quote(b, string(v))
	case *Array:
		return s.array(b, v, depth)
	}
	return b, errJSON
}

func (s jsonStyle) array(b []byte, a *Array, depth int) ([]byte, error) {
	list := a.isList()
	open, end := byte('{'), byte('}')
	if list {
		open, end = '[', ']'
	}
	b = append(b, open)
	for i := range a.Len() {
		if i > 0 {
			b = append(b, ',')
		}
		b = s.newLine(b, depth+1)
		key, val := a.At(i)
		if !list {
			var err error
			t, ok := key.(String)
			if !ok {
				t = String(appendNumber(nil, float64(key.(Number))))
			}
			if b, err = s.quote(b, string(t)); err != nil {
				return b, err
			}
			b = append(b, ':')
			if s.pretty {
				b = append(b, ' ')
			}
		}
		var err error
		if b, err = s.encode(b, val, depth+1); err != nil {
			return b, err
		}
	}
	if a.Len() > 0 {
		b = s.newLine(b, depth)
	}
	return append(b, end), nil
}

func (s jsonStyle) newLine(b []byte, depth int) []byte {
	if !s.pretty {
		return b
	}
	return append(append(b, '\n'), strings.Repeat("    ", depth)...)
}

// quote fails for bytes that are not UTF-8, which JSON cannot carry.
func (s jsonStyle) quote(b []byte, t string) ([]byte, error) {
	if !utf8.ValidString(t) {
		return b, errJSON
	}
	b = append(b, '"')
	for _, r := range t {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, '\\', 'n')
		case r == '\r':
			b = append(b, '\\', 'r')
		case r == '\t':
			b = append(b, '\\', 't')
		case r == '\b':
			b = append(b, '\\', 'b')
		case r == '\f':
			b = append(b, '\\', 'f')
		case r < 0x20 || r == 0x7f || r > 0x7f && s.ascii:
			if hi, lo := utf16.EncodeRune(r); hi != utf8.RuneError {
				b = appendUnit(appendUnit(b, hi), lo)
			} else {
				b = appendUnit(b, r)
			}
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"'), nil
}

func appendUnit(b []byte, unit rune) []byte {
	const hex = "0123456789abcdef"
	return append(b, '\\', 'u', hex[unit>>12&15], hex[unit>>8&15], hex[unit>>4&15], hex[unit&15])
}

// decodeJSON reads one JSON value, with comments where they are allowed. The order of keys is kept.
func decodeJSON(src string, comments bool) (Value, error) {
	if comments {
		src = stripComments(src)
	}
	// The decoder would replace such bytes silently.
	if !utf8.ValidString(src) {
		return nil, errors.New("the JSON is not UTF-8")
	}
	d := json.NewDecoder(strings.NewReader(src))
	d.UseNumber()
	v, err := decodeValue(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("there is text after the JSON value")
	}
	return v, nil
}

func decodeValue(d *json.Decoder, depth int) (Value, error) {
	if depth > maxNesting {
		return nil, errNested
	}
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case nil:
		return None{}, nil
	case bool:
		return Bool(t), nil
	case string:
		return String(t), nil
	case json.Number:
		f, err := t.Float64()
		return Number(f), err
	case json.Delim:
		a := &Array{}
		for d.More() {
			var key Value
			if t == '{' {
				k, err := d.Token()
				if err != nil {
					return nil, err
				}
				key = String(k.(string))
			}
			v, err := decodeValue(d, depth+1)
			if err != nil {
				return nil, err
			}
			if key == nil {
				a.Append(v)
				continue
			}
			if err := a.Set(key, v); err != nil {
				return nil, err
			}
		}
		_, err := d.Token()
		return a, err
	}
	return nil, errJSON
}

// stripComments replaces // and /* */ outside of strings by blanks.
func stripComments(src string) string {
	b := []byte(src)
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] == '"':
			for i++; i < len(b) && b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
		case strings.HasPrefix(src[i:], "//"):
			for ; i < len(b) && b[i] != '\n'; i++ {
				b[i] = ' '
			}
		case strings.HasPrefix(src[i:], "/*"):
			end := strings.Index(src[i+2:], "*/")
			if end < 0 {
				return string(b)
			}
			for n := i + 2 + end + 2; i < n; i++ {
				b[i] = ' '
			}
			i--
		}
	}
	return string(b)
}
