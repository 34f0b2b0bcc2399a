package hsl

// equal is ==. It ends with an error where arrays are nested too deep, or so wide through sharing
// that the steps run out.
func (m *machine) equal(l, r Value, depth int) (bool, error) {
	if lb, ok := l.(Bool); ok {
		return bool(lb) == Truth(r), nil
	}
	if rb, ok := r.(Bool); ok {
		return bool(rb) == Truth(l), nil
	}
	switch l := l.(type) {
	case Number:
		if s, ok := r.(String); ok {
			return looseNumber(l, string(s)), nil
		}
	case String:
		if n, ok := r.(Number); ok {
			return looseNumber(n, string(l)), nil
		}
	case *Array:
		if r, ok := r.(*Array); ok {
			return m.sameElements(l, r, depth, m.equal)
		}
	}
	return m.identical(l, r, depth)
}

// looseNumber compares as numbers where s is a number in full, and as text otherwise.
func looseNumber(n Number, s string) bool {
	if v, ok := parseNumber(s); ok {
		return n == v
	}
	return string(appendNumber(nil, float64(n))) == s
}

// identical is ===: the same type and the same value.
func (m *machine) identical(l, r Value, depth int) (bool, error) {
	switch l := l.(type) {
	case *Array:
		r, ok := r.(*Array)
		if !ok {
			return false, nil
		}
		return m.sameElements(l, r, depth, m.identical)
	case *Function:
		r, ok := r.(*Function)
		if !ok {
			return false, nil
		}
		if l.native != nil && r.native != nil {
			return *l.native == *r.native, nil
		}
		return l == r || l.proto == r.proto && l.builtin == r.builtin && len(l.captured)+len(r.captured) == 0 && l.native == r.native, nil
	case *Regex:
		r, ok := r.(*Regex)
		return ok && l.Source == r.Source, nil
	}
	return l == r, nil
}

// sameElements compares keys strictly and in order, and values with same.
func (m *machine) sameElements(l, r *Array, depth int, same func(l, r Value, depth int) (bool, error)) (bool, error) {
	if depth > maxNesting {
		return false, errNested
	}
	if l == r {
		return true, nil
	}
	if l.Len() != r.Len() {
		return false, nil
	}
	for i := range l.Len() {
		if err := m.tick(Pos{}); err != nil {
			return false, err
		}
		lk, lv := l.At(i)
		rk, rv := r.At(i)
		if lk != rk {
			return false, nil
		}
		if ok, err := same(lv, rv, depth+1); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

// order is < <= > >= for two numbers or two strings, and for a number and a string that is one.
func order(op string, l, r Value) (Value, error) {
	var less, more bool
	a, aok := l.(String)
	b, bok := r.(String)
	if aok && bok {
		less, more = a < b, a > b
	} else {
		x, xok := asNumber(l)
		y, yok := asNumber(r)
		if !xok || !yok {
			return nil, errorString(`"` + op + `" does not take values of type ` + l.typeName() + " and " + r.typeName())
		}
		if x != x || y != y {
			return Bool(false), nil
		}
		less, more = x < y, x > y
	}
	switch op {
	case "<":
		return Bool(less), nil
	case "<=":
		return Bool(!more), nil
	case ">":
		return Bool(more), nil
	}
	return Bool(!less), nil
}

func asNumber(v Value) (Number, bool) {
	switch v := v.(type) {
	case Number:
		return v, true
	case String:
		return parseNumber(string(v))
	}
	return 0, false
}
