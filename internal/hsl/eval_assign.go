package hsl

// place is a variable or an element of one, with its keys evaluated but nothing read or written:
// $a[f()] = g() calls f first, and what g does to $a is not lost.
type place struct {
	at   Pos
	name string
	root *cell
	// keys lead from the variable to the element; nil appends.
	keys []Value
}

// place evaluates the keys of a target that checkTarget accepted.
func (m *machine) place(f *frame, x expr) (place, error) {
	switch x := x.(type) {
	case *variable:
		return place{at: x.Pos, name: x.name, root: f.vars[x.slot]}, nil
	case *element:
		p, err := m.place(f, x.base)
		if err != nil {
			return p, err
		}
		p.at = x.Pos
		var key Value
		if x.key != nil {
			if key, err = x.key.eval(m, f); err != nil {
				return p, err
			}
			if key, err = arrayKey(key); err != nil {
				return p, errAt(x.key.at(), err)
			}
		}
		p.keys = append(p.keys, key)
		return p, nil
	}
	return place{}, throwf(x.at(), "only a variable or an element of one can be assigned to")
}

// get is the value there, which must exist where it is a variable.
func (p place) get() (Value, error) {
	v := p.root.v
	if v == nil {
		return nil, throwf(p.at, "the variable $%s has no value yet", p.name)
	}
	for _, key := range p.keys {
		var err error
		if v, _, err = fetch(v, key); err != nil {
			return nil, errAt(p.at, err)
		}
	}
	return v, nil
}

// set stores v. Missing arrays on the way are made, shared ones are cloned.
func (p place) set(v Value) error {
	// Marked before the way there is made writable: in $a[] = $a the array must be cloned, or it
	// would hold itself.
	keep(v)
	if len(p.keys) == 0 {
		p.root.v = v
		return nil
	}
	a, err := p.owned(p.root.v)
	if err != nil {
		return err
	}
	p.root.v = a
	for _, key := range p.keys[:len(p.keys)-1] {
		var inner Value
		if key != nil {
			inner, _ = a.Get(key)
		}
		next, err := p.owned(inner)
		if err != nil {
			return err
		}
		wasShared := next.shared
		p.write(a, key, next)
		next.shared = wasShared
		a = next
	}
	p.write(a, p.keys[len(p.keys)-1], v)
	return nil
}

func (p place) write(a *Array, key, v Value) {
	if key == nil {
		a.Append(v)
		return
	}
	_ = a.Set(key, v) // place checked the key
}

// owned is v as an array that only this variable holds.
func (p place) owned(v Value) (*Array, error) {
	switch v := v.(type) {
	case nil, None:
		return &Array{}, nil
	case *Array:
		if v.shared {
			return v.clone(), nil
		}
		return v, nil
	}
	return nil, throwf(p.at, "a value of type %s has no elements to assign to", v.typeName())
}

// store assigns v to a variable, an element, or the variables of a pattern.
func (m *machine) store(f *frame, target expr, v Value) error {
	switch t := target.(type) {
	case *variable:
		f.vars[t.slot].v = keep(v)
		return nil
	case *arrayLiteral:
		return m.spread(f, t, v)
	}
	p, err := m.place(f, target)
	if err != nil {
		return err
	}
	return p.set(v)
}

func (x *assign) eval(m *machine, f *frame) (Value, error) {
	if t, ok := x.target.(*variable); ok && x.op == "" {
		v, err := x.val.eval(m, f)
		if err == nil {
			f.vars[t.slot].v = keep(v)
		}
		return v, err
	}
	if x.op == "??" {
		v, found, err := m.peek(f, x.target)
		if _, none := v.(None); err != nil || found && !none {
			return v, err
		}
	}
	p, err := m.place(f, x.target)
	if err != nil {
		return nil, err
	}
	v, err := x.val.eval(m, f)
	if err != nil {
		return nil, err
	}
	if x.op != "" && x.op != "??" {
		// A second owner for as long as the operator works: it may answer with one of its sides.
		keep(v)
		old, err := p.get()
		if err != nil {
			return nil, err
		}
		if merged, err := m.extend(x, p, old, v); merged || err != nil {
			return old, err
		}
		if v, err = m.operate(x.Pos, x.op, old, v); err != nil {
			return nil, errAt(x.Pos, err)
		}
	}
	return v, p.set(v)
}

// extend does $a += [...] in place when nobody else holds the array: a script that collects records
// in a loop must not copy them all each time.
func (m *machine) extend(x *assign, p place, old, v Value) (bool, error) {
	a, ok := old.(*Array)
	more, ok2 := v.(*Array)
	if !ok || !ok2 || x.op != "+" || a.shared || len(p.keys) > 0 || a == more {
		return false, nil
	}
	if err := m.fits(x.Pos, elementBytes*float64(a.Len()+more.Len())); err != nil {
		return false, err
	}
	for i := range more.Len() {
		a.put(more.At(i))
	}
	return true, nil
}

func (x *step) eval(m *machine, f *frame) (Value, error) {
	p, err := m.place(f, x.target)
	if err != nil {
		return nil, err
	}
	old, err := p.get()
	if err != nil {
		return nil, err
	}
	n, ok := old.(Number)
	if !ok {
		return nil, throwf(x.Pos, "++ and -- need a number, not a value of type %s", old.typeName())
	}
	if err := p.set(n + x.by); err != nil {
		return nil, err
	}
	if x.after {
		return n, nil
	}
	return n + x.by, nil
}

func (x *destructure) eval(m *machine, f *frame) (Value, error) {
	v, err := x.val.eval(m, f)
	if err != nil {
		return nil, err
	}
	keep(v)
	return v, m.spread(f, x.pattern, v)
}

// spread assigns the elements of v to the variables of a pattern. What v lacks becomes none; so does
// everything where v is none, which is what a function gives that failed.
func (m *machine) spread(f *frame, pattern *arrayLiteral, v Value) error {
	a, ok := keep(v).(*Array)
	if _, none := v.(None); none {
		a, ok = &Array{}, true
	}
	if !ok {
		return throwf(pattern.Pos, "a list of variables needs an array, not a value of type %s", v.typeName())
	}
	next := Number(0)
	taken := map[Value]bool{}
	for _, it := range pattern.items {
		if it.spread {
			rest := &Array{}
			for i := range a.Len() {
				if key, val := a.At(i); !taken[key] {
					rest.put(key, val)
				}
			}
			return m.store(f, it.val, rest)
		}
		var key Value = next
		if it.key != nil {
			k, err := it.key.eval(m, f)
			if err != nil {
				return err
			}
			if key, err = arrayKey(k); err != nil {
				return errAt(it.key.at(), err)
			}
		} else {
			next++
		}
		taken[key] = true
		val, _ := a.Get(key)
		if err := m.store(f, it.val, val); err != nil {
			return err
		}
	}
	return nil
}

func (x *unset) eval(m *machine, f *frame) (Value, error) {
	p, err := m.place(f, x.x)
	if err != nil {
		return nil, err
	}
	if len(p.keys) == 0 {
		found := p.root.v != nil
		p.root.v = nil
		return Bool(found), nil
	}
	last := len(p.keys) - 1
	outer := place{p.at, p.name, p.root, p.keys[:last]}
	if p.root.v == nil {
		return Bool(false), nil
	}
	v, err := outer.get()
	if err != nil {
		return nil, err
	}
	if _, none := v.(None); none {
		return Bool(false), nil
	}
	a, ok := v.(*Array)
	if !ok {
		return nil, throwf(p.at, "a value of type %s has no elements to remove", v.typeName())
	}
	if _, found := a.Get(p.keys[last]); !found {
		return Bool(false), nil
	}
	c := a.clone()
	c.remove(p.keys[last])
	return Bool(true), outer.set(c)
}
