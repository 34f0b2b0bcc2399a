package hsl

import "math"

func (x *literal) eval(*machine, *frame) (Value, error) { return x.val, nil }

func (x *interpolated) eval(m *machine, f *frame) (Value, error) {
	var b []byte
	for _, part := range x.parts {
		v, err := part.eval(m, f)
		if err != nil {
			return nil, err
		}
		t, err := text(v, m.limits.Bytes)
		if err != nil {
			return nil, errAt(part.at(), err)
		}
		if err := m.fits(x.Pos, float64(len(b)+len(t))); err != nil {
			return nil, err
		}
		b = append(b, t...)
	}
	return String(b), nil
}

func (x *variable) eval(_ *machine, f *frame) (Value, error) {
	if v := f.vars[x.slot].v; v != nil {
		return v, nil
	}
	return nil, throwf(x.Pos, "the variable $%s has no value yet", x.name)
}

func (x *element) eval(m *machine, f *frame) (Value, error) {
	if x.key == nil {
		return nil, throwf(x.Pos, "[] can only be assigned to")
	}
	base, err := x.base.eval(m, f)
	if err != nil {
		return nil, err
	}
	if !simple(x.key) {
		keep(base)
	}
	key, err := x.key.eval(m, f)
	if err != nil {
		return nil, err
	}
	v, _, err := fetch(base, key)
	return v, errAt(x.Pos, err)
}

// fetch is base[key]; found is false where it is missing, and the value none.
func fetch(base, key Value) (v Value, found bool, err error) {
	switch b := base.(type) {
	case None:
		return None{}, false, nil
	case *Array:
		if key, err = arrayKey(key); err != nil {
			return nil, false, err
		}
		v, found = b.Get(key)
		return v, found, nil
	case String:
		n, ok := key.(Number)
		if !ok {
			return nil, false, errorString("the index of a string must be a number, not a value of type " + key.typeName())
		}
		i, ok := whole(n)
		if i < 0 {
			i += int64(len(b))
		}
		if !ok || i < 0 || i >= int64(len(b)) {
			return None{}, false, nil
		}
		return b[i : i+1], true, nil
	}
	return nil, false, errorString("a value of type " + base.typeName() + " has no elements")
}

// peek evaluates x for isset and ??: found is false where a variable or an element is missing.
func (m *machine) peek(f *frame, x expr) (v Value, found bool, err error) {
	switch x := x.(type) {
	case *variable:
		v := f.vars[x.slot].v
		return v, v != nil, nil
	case *element:
		if x.key == nil {
			break
		}
		base, found, err := m.peek(f, x.base)
		if err != nil || !found {
			return nil, false, err
		}
		if !simple(x.key) {
			keep(base)
		}
		key, err := x.key.eval(m, f)
		if err != nil {
			return nil, false, err
		}
		v, found, err := fetch(base, key)
		return v, found, errAt(x.Pos, err)
	}
	v, err = x.eval(m, f)
	return v, err == nil, err
}

func (x *isset) eval(m *machine, f *frame) (Value, error) {
	_, found, err := m.peek(f, x.x)
	return Bool(found), err
}

func (x *coalesce) eval(m *machine, f *frame) (Value, error) {
	v, found, err := m.peek(f, x.l)
	if err != nil {
		return nil, err
	}
	if _, none := v.(None); found && !none {
		return v, nil
	}
	return x.r.eval(m, f)
}

func (x *arrayLiteral) eval(m *machine, f *frame) (Value, error) {
	a := &Array{}
	for _, it := range x.items {
		var key Value
		var err error
		if it.key != nil {
			if key, err = it.key.eval(m, f); err != nil {
				return nil, err
			}
		}
		v, err := it.val.eval(m, f)
		if err != nil {
			return nil, err
		}
		switch {
		case it.spread:
			more, ok := v.(*Array)
			if !ok {
				return nil, throwf(it.val.at(), `"..." needs an array, not a value of type %s`, v.typeName())
			}
			if err := m.fits(x.Pos, elementBytes*float64(a.Len()+more.Len())); err != nil {
				return nil, err
			}
			for i := range more.Len() {
				a.put(more.At(i))
			}
		case key == nil:
			a.Append(v)
		default:
			if err := a.Set(key, v); err != nil {
				return nil, errAt(it.key.at(), err)
			}
		}
	}
	return a, nil
}

func (x *logical) eval(m *machine, f *frame) (Value, error) {
	v, err := x.l.eval(m, f)
	if err != nil {
		return nil, err
	}
	if Truth(v) != x.and {
		return Bool(!x.and), nil
	}
	if v, err = x.r.eval(m, f); err != nil {
		return nil, err
	}
	return Bool(Truth(v)), nil
}

func (x *ternary) eval(m *machine, f *frame) (Value, error) {
	v, err := x.cond.eval(m, f)
	switch {
	case err != nil:
		return nil, err
	case !Truth(v):
		return x.no.eval(m, f)
	case x.yes == nil:
		return v, nil
	}
	return x.yes.eval(m, f)
}

func (x *unary) eval(m *machine, f *frame) (Value, error) {
	v, err := x.x.eval(m, f)
	if err != nil {
		return nil, err
	}
	if x.op == "!" {
		return Bool(!Truth(v)), nil
	}
	n, ok := v.(Number)
	if !ok {
		return nil, throwf(x.Pos, "%q needs a number, not a value of type %s", x.op, v.typeName())
	}
	switch x.op {
	case "-":
		return -n, nil
	case "~":
		i, err := integer(n)
		return Number(^i), errAt(x.Pos, err)
	}
	return n, nil
}

func (x *binary) eval(m *machine, f *frame) (Value, error) {
	l, err := x.l.eval(m, f)
	if err != nil {
		return nil, err
	}
	if x.hold {
		keep(l)
	}
	r, err := x.r.eval(m, f)
	if err != nil {
		return nil, err
	}
	v, err := m.operate(x.Pos, x.op, l, r)
	return v, errAt(x.Pos, err)
}

// integer is n for the operators that work on bits.
func integer(n Number) (int64, error) {
	if n != Number(math.Trunc(float64(n))) {
		return 0, errorString("bits need a whole number")
	}
	if i, ok := whole(n); ok {
		return i, nil
	}
	if n >= 0 && n < 1<<64 {
		return int64(uint64(n)), nil
	}
	return 0, errorString("bits need a number that fits 64 bits")
}
