package hsl

import (
	"math"
	"regexp"
	"strings"
)

// operate applies a binary operator. Errors without a place get that of the operator.
func (m *machine) operate(at Pos, op string, l, r Value) (Value, error) {
	switch op {
	case ".":
		return m.join(at, l, r)
	case "==", "!=":
		same, err := m.equal(l, r, 0)
		return Bool(same == (op == "==")), err
	case "===", "!==":
		same, err := m.identical(l, r, 0)
		return Bool(same == (op == "===")), err
	case "<", "<=", ">", ">=":
		return order(op, l, r)
	case "=~", "!~":
		return m.matches(op, l, r)
	}
	a, aok := l.(Number)
	b, bok := r.(Number)
	if aok && bok {
		return arithmetic(op, a, b)
	}
	switch l := l.(type) {
	case *Array:
		if more, ok := r.(*Array); ok && op == "+" {
			return m.merge(at, l, more)
		}
		if bok && op == "*" {
			return m.repeatArray(at, l, b)
		}
	case String:
		if bok && op == "*" {
			return m.repeat(at, string(l), b)
		}
		if args, ok := r.(*Array); ok && op == "%" {
			return m.format(at, string(l), args)
		}
	}
	return nil, errorString(`"` + op + `" does not take values of type ` + l.typeName() + " and " + r.typeName())
}

func (m *machine) join(at Pos, l, r Value) (Value, error) {
	a, err := text(l, m.limits.Bytes)
	if err != nil {
		return nil, err
	}
	b, err := text(r, m.limits.Bytes)
	if err != nil {
		return nil, err
	}
	if err := m.fits(at, float64(len(a)+len(b))); err != nil {
		return nil, err
	}
	return String(a + b), nil
}

func arithmetic(op string, a, b Number) (Value, error) {
	switch op {
	case "+":
		return a + b, nil
	case "-":
		return a - b, nil
	case "*":
		return a * b, nil
	case "/", "%":
		if b == 0 {
			return nil, errorString("division by zero")
		}
		if op == "/" {
			return a / b, nil
		}
		return Number(math.Mod(float64(a), float64(b))), nil
	case "**":
		return Number(math.Pow(float64(a), float64(b))), nil
	}
	i, err := integer(a)
	if err != nil {
		return nil, err
	}
	j, err := integer(b)
	if err != nil {
		return nil, err
	}
	switch op {
	case "&":
		return Number(i & j), nil
	case "|":
		return Number(i | j), nil
	case "^":
		return Number(i ^ j), nil
	}
	if j < 0 || j > 63 {
		return nil, errorString("bits can be shifted by 0 to 63 places")
	}
	switch op {
	case "<<":
		return Number(i << j), nil
	case ">>":
		return Number(i >> j), nil
	}
	return Number(uint64(i) >> j), nil
}

// merge is l + r: numbered elements of r are appended, named ones replace those of l.
func (m *machine) merge(at Pos, l, r *Array) (Value, error) {
	if err := m.fits(at, elementBytes*float64(l.Len()+r.Len())); err != nil {
		return nil, err
	}
	out := l.clone()
	for i := range r.Len() {
		out.put(r.At(i))
	}
	return out, nil
}

// times checks the right side of a repetition.
func (m *machine) times(at Pos, n Number, size int) (int, error) {
	if !(n >= 0) || n != Number(math.Trunc(float64(n))) {
		return 0, errorString("a repetition needs a whole number from 0 on")
	}
	if err := m.fits(at, float64(n)*float64(size)); err != nil {
		return 0, err
	}
	if size == 0 {
		return 0, nil
	}
	return int(n), nil
}

func (m *machine) repeat(at Pos, s string, n Number) (Value, error) {
	times, err := m.times(at, n, len(s))
	if err != nil {
		return nil, err
	}
	return String(strings.Repeat(s, times)), nil
}

func (m *machine) repeatArray(at Pos, a *Array, n Number) (Value, error) {
	times, err := m.times(at, n, elementBytes*a.Len())
	if err != nil {
		return nil, err
	}
	out := &Array{}
	for range times {
		for i := range a.Len() {
			out.put(a.At(i))
		}
	}
	return out, nil
}

func (m *machine) matches(op string, l, r Value) (Value, error) {
	s, ok := l.(String)
	if !ok {
		return nil, errorString(`"` + op + `" needs a string on its left, not a value of type ` + l.typeName())
	}
	re, err := patternOf(r)
	if err != nil {
		return nil, err
	}
	return Bool(re.MatchString(string(s)) == (op == "=~")), nil
}

// patternOf is a regular expression given as a literal, or as a string, with /.../flags around or
// without.
func patternOf(v Value) (*regexp.Regexp, error) {
	switch v := v.(type) {
	case *Regex:
		return v.re, nil
	case String:
		s := string(v)
		if end := strings.LastIndexByte(s, '/'); end > 0 && s[0] == '/' && strings.Trim(s[end+1:], "imsuxUX") == "" {
			return compileRegex(s[1:end], s[end+1:])
		}
		return compileRegex(s, "")
	}
	return nil, errorString("a regular expression must be a string or a literal, not a value of type " + v.typeName())
}
