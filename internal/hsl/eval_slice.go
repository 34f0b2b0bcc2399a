package hsl

func (x *slice) eval(m *machine, f *frame) (Value, error) {
	base, err := x.base.eval(m, f)
	if err != nil {
		return nil, err
	}
	keep(base)
	var bounds [3]*int64
	for i, part := range [...]expr{x.from, x.to, x.step} {
		if part == nil {
			continue
		}
		v, err := part.eval(m, f)
		if err != nil {
			return nil, err
		}
		n, ok := v.(Number)
		w, fits := whole(n)
		if !ok || !fits {
			return nil, throwf(part.at(), "a bound of a slice must be a number, not a value of type %s", v.typeName())
		}
		bounds[i] = &w
	}
	v, err := cut(base, bounds[0], bounds[1], bounds[2])
	return v, errAt(x.Pos, err)
}

// cut is base[from:to:step]. Bounds below zero count from the end; bounds past it are moved to it.
func cut(base Value, from, to, step *int64) (Value, error) {
	size := int64(0)
	switch b := base.(type) {
	case String:
		size = int64(len(b))
	case *Array:
		size = int64(b.Len())
	default:
		return nil, errorString("a value of type " + base.typeName() + " has no slices")
	}
	by := int64(1)
	if step != nil {
		by = *step
	}
	if by == 0 {
		return nil, errorString("the step of a slice must not be 0")
	}
	lowest, highest := int64(0), size
	if by < 0 {
		lowest, highest = -1, size-1
	}
	first, last := lowest, highest
	if by < 0 {
		first, last = highest, lowest
	}
	clamp := func(n int64) int64 {
		if n < 0 {
			n = max(n+size, -1)
		}
		return min(max(n, lowest), highest)
	}
	if from != nil {
		first = clamp(*from)
	}
	if to != nil {
		last = clamp(*to)
	}
	if s, ok := base.(String); ok && by == 1 {
		return s[min(first, last):last], nil
	}
	var b []byte
	out := &Array{}
	for i := first; by > 0 && i < last || by < 0 && i > last; {
		switch base := base.(type) {
		case String:
			b = append(b, base[i])
		case *Array:
			out.put(base.At(int(i)))
		}
		if next := i + by; (next > i) == (by > 0) {
			i = next
		} else {
			break // the step is so large that the sum wrapped around
		}
	}
	if _, ok := base.(String); ok {
		return String(b), nil
	}
	return out, nil
}
