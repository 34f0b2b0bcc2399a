package hsl

import (
	"errors"
	"math"
)

// Array is an ordered map from numbers and strings to values.
//
// Arrays are values: assignment copies. The copy is made late: whoever stores an array marks it as
// shared, and whoever writes to a shared array clones it first and keeps the clone.
type Array struct {
	vals []Value
	// keys is nil while the keys are 0, 1, 2 ... in order, which needs no look-up table.
	keys  []Value
	index map[Value]int
	// next is the number that an append gets.
	next   float64
	shared bool
}

var errKey = errors.New("an array key must be a number or a string")

// NewArray makes an array with the keys 0, 1, 2 ...
func NewArray(vals ...Value) *Array {
	a := &Array{}
	for _, v := range vals {
		a.Append(v)
	}
	return a
}

// Len is the number of elements.
func (a *Array) Len() int { return len(a.vals) }

// At is the i-th element in order. It panics where i is out of range, as a slice does.
func (a *Array) At(i int) (key, val Value) {
	if a.keys == nil {
		return Number(i), a.vals[i]
	}
	return a.keys[i], a.vals[i]
}

// Get is the element with that key.
func (a *Array) Get(key Value) (Value, bool) {
	if i := a.find(key); i >= 0 {
		return a.vals[i], true
	}
	return None{}, false
}

// Append adds v under the next free number. The array keeps v.
func (a *Array) Append(v Value) {
	k := Number(a.next)
	a.next++
	a.add(k, keep(v))
}

// Set stores v under key, in its old place when the key exists. The array keeps v.
func (a *Array) Set(key, v Value) error {
	key, err := arrayKey(key)
	if err != nil {
		return err
	}
	if i := a.find(key); i >= 0 {
		a.vals[i] = keep(v)
		return nil
	}
	if n, ok := key.(Number); ok && float64(n) >= a.next && float64(n) < 1<<53 {
		a.next = math.Floor(float64(n)) + 1
	}
	a.add(key, keep(v))
	return nil
}

// isList tells whether the keys are 0, 1, 2 ... in order.
func (a *Array) isList() bool {
	for i, k := range a.keys {
		if k != Number(i) {
			return false
		}
	}
	return true
}

func (a *Array) find(key Value) int {
	if a.keys == nil {
		n, ok := key.(Number)
		if !ok || !(n >= 0 && n < Number(len(a.vals))) || n != Number(math.Trunc(float64(n))) {
			return -1
		}
		return int(n)
	}
	switch key.(type) {
	case Number, String:
	default:
		return -1
	}
	if i, ok := a.index[key]; ok {
		return i
	}
	return -1
}

// add appends a key that is known to be new.
func (a *Array) add(key, v Value) {
	if a.keys == nil && key != Number(len(a.vals)) {
		a.name()
	}
	if a.keys != nil {
		a.index[key] = len(a.vals)
		a.keys = append(a.keys, key)
	}
	a.vals = append(a.vals, v)
}

// name gives the elements of a list explicit keys.
func (a *Array) name() {
	a.keys = make([]Value, len(a.vals), len(a.vals)+1)
	a.index = make(map[Value]int, len(a.vals)+1)
	for i := range a.vals {
		a.keys[i] = Number(i)
		a.index[Number(i)] = i
	}
}

func (a *Array) remove(key Value) bool {
	i := a.find(key)
	if i < 0 {
		return false
	}
	if a.keys == nil {
		a.name()
	}
	delete(a.index, a.keys[i])
	a.keys = append(a.keys[:i], a.keys[i+1:]...)
	a.vals = append(a.vals[:i], a.vals[i+1:]...)
	for ; i < len(a.keys); i++ {
		a.index[a.keys[i]] = i
	}
	return true
}

// clone is an array of its own with the same elements.
func (a *Array) clone() *Array {
	c := &Array{next: a.next, vals: make([]Value, len(a.vals), len(a.vals)+1)}
	for i, v := range a.vals {
		c.vals[i] = keep(v)
	}
	if a.keys != nil {
		c.keys = append(make([]Value, 0, len(a.keys)+1), a.keys...)
		c.index = make(map[Value]int, len(a.keys)+1)
		for i, k := range c.keys {
			c.index[k] = i
		}
	}
	return c
}

// put is how results are collected: numbered elements are renumbered, named ones keep their name.
func (a *Array) put(key, v Value) {
	if s, ok := key.(String); ok {
		_ = a.Set(s, v) // a string is always a valid key
		return
	}
	a.Append(v)
}

// keep marks an array as having a second owner. The check before the write keeps arrays that are
// part of a Program, which are marked before the first run, free of data races.
func keep(v Value) Value {
	if a, ok := v.(*Array); ok && !a.shared {
		a.shared = true
	}
	return v
}

// freeze marks v and all that is in it, so that concurrent runs may share it.
func freeze(v Value) Value {
	if a, ok := v.(*Array); ok {
		a.shared = true
		for _, e := range a.vals {
			freeze(e)
		}
	}
	return v
}

// arrayKey is v as a key. NaN would be stored and never found again; -0 is 0.
func arrayKey(v Value) (Value, error) {
	switch v := v.(type) {
	case String:
		return v, nil
	case Number:
		if v != v {
			return nil, errors.New("an array key must not be NaN")
		}
		return v + 0, nil
	}
	return nil, errKey
}
