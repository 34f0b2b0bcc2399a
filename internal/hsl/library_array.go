package hsl

import (
	"math"
	"math/rand/v2"
	"sort"
)

var arrayFunctions = map[string]builtin{
	"array_combine":  {params: "aa|v", fn: arrayCombine},
	"array_every":    {params: "fa", fn: arrayEvery},
	"array_filter":   {params: "fa", fn: arrayFilter},
	"array_find":     {params: "fa", fn: arrayFind},
	"array_includes": {params: "va", fn: arrayIncludes},
	"array_join":     {params: "a|s", fn: arrayJoin},
	"array_keys":     {params: "a", fn: arrayKeys},
	"array_map":      {params: "fa", fn: arrayMap},
	"array_random":   {params: "a", fn: arrayRandom},
	"array_range":    {params: "nn|n", fn: arrayRange},
	"array_reduce":   {params: "fa|v", fn: arrayReduce},
	"array_reverse":  {params: "a", fn: arrayReverse},
	"array_shuffle":  {params: "a", fn: arrayShuffle},
	"array_sort":     {params: "fa|a", fn: arraySort},
	"array_unique":   {params: "a", fn: arrayUnique},
}

// apply calls a callback.
func (c site) apply(fn Value, args ...Value) (Value, error) {
	for _, a := range args {
		keep(a)
	}
	return c.m.call(c.at, fn.(*Function), args)
}

// held is an array argument that a callback must not change while it is walked.
func held(v Value) *Array { return keep(v).(*Array) }

func arrayCombine(_ site, args []Value) (Value, error) {
	keys, vals := arr(args[0]), arr(args[1])
	out := &Array{}
	for i := range keys.Len() {
		_, key := keys.At(i)
		var val Value
		switch {
		case i < vals.Len():
			_, val = vals.At(i)
		case len(args) > 2:
			val = args[2]
		default:
			return nil, errorString("array_combine has more keys than values, and no default")
		}
		if err := out.Set(key, val); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func arrayEvery(c site, args []Value) (Value, error) {
	a := held(args[1])
	for i := range a.Len() {
		_, v := a.At(i)
		ok, err := c.apply(args[0], v)
		if err != nil || !Truth(ok) {
			return Bool(false), err
		}
	}
	return Bool(true), nil
}

func arrayFilter(c site, args []Value) (Value, error) {
	a, out := held(args[1]), &Array{}
	for i := range a.Len() {
		k, v := a.At(i)
		ok, err := c.apply(args[0], v)
		if err != nil {
			return nil, err
		}
		if Truth(ok) {
			out.put(k, v)
		}
	}
	return out, nil
}

func arrayFind(c site, args []Value) (Value, error) {
	a := held(args[1])
	for i := range a.Len() {
		_, v := a.At(i)
		ok, err := c.apply(args[0], v)
		if err != nil {
			return nil, err
		}
		if Truth(ok) {
			return v, nil
		}
	}
	return None{}, nil
}

func arrayMap(c site, args []Value) (Value, error) {
	a, out := held(args[1]), &Array{}
	for i := range a.Len() {
		k, v := a.At(i)
		w, err := c.apply(args[0], v)
		if err != nil {
			return nil, err
		}
		out.put(k, w)
	}
	return out, nil
}

func arrayReduce(c site, args []Value) (Value, error) {
	a, first := held(args[1]), 0
	var sum Value
	switch {
	case len(args) > 2:
		sum = args[2]
	case a.Len() > 0:
		_, sum = a.At(0)
		first = 1
	default:
		return None{}, nil
	}
	for i := first; i < a.Len(); i++ {
		_, v := a.At(i)
		var err error
		if sum, err = c.apply(args[0], sum, v); err != nil {
			return nil, err
		}
	}
	return sum, nil
}

func arrayIncludes(c site, args []Value) (Value, error) {
	a := arr(args[1])
	for i := range a.Len() {
		_, v := a.At(i)
		same, err := c.m.equal(args[0], v, 0)
		if err != nil || same {
			return Bool(same), err
		}
	}
	return Bool(false), nil
}

func arrayJoin(c site, args []Value) (Value, error) {
	a, separator := arr(args[0]), ""
	if len(args) > 1 {
		separator = str(args[1])
	}
	var b []byte
	for i := range a.Len() {
		if i > 0 {
			b = append(b, separator...)
		}
		_, v := a.At(i)
		t, err := text(v, c.m.limits.Bytes)
		if err != nil {
			return nil, err
		}
		if err := c.m.fits(c.at, float64(len(b)+len(t))); err != nil {
			return nil, err
		}
		b = append(b, t...)
	}
	return String(b), nil
}

func arrayKeys(_ site, args []Value) (Value, error) {
	a, out := arr(args[0]), &Array{}
	for i := range a.Len() {
		k, _ := a.At(i)
		out.Append(k)
	}
	return out, nil
}

// arrayRandom is [key, value].
func arrayRandom(_ site, args []Value) (Value, error) {
	a := arr(args[0])
	if a.Len() == 0 {
		return None{}, nil
	}
	k, v := a.At(rand.IntN(a.Len()))
	return NewArray(k, v), nil
}

func arrayRange(c site, args []Value) (Value, error) {
	start, stop, by := num(args[0]), num(args[1]), 1.0
	if len(args) > 2 {
		by = num(args[2])
	}
	n := math.Ceil((stop - start) / by)
	if math.IsNaN(n) || by == 0 {
		return nil, errorString("array_range needs numbers, and a step other than 0")
	}
	if err := c.m.fits(c.at, elementBytes*n); err != nil {
		return nil, err
	}
	out := &Array{}
	for i := 0.0; i < n; i++ {
		out.Append(Number(start + i*by))
	}
	return out, nil
}

func arrayReverse(_ site, args []Value) (Value, error) {
	a, out := arr(args[0]), &Array{}
	for i := a.Len() - 1; i >= 0; i-- {
		out.put(a.At(i))
	}
	return out, nil
}

func arrayShuffle(_ site, args []Value) (Value, error) {
	a, out := arr(args[0]), &Array{}
	for _, i := range rand.Perm(a.Len()) {
		out.put(a.At(i))
	}
	return out, nil
}

// arraySort puts a before b where the callback is true for them; with "keys" it is given keys.
func arraySort(c site, args []Value) (Value, error) {
	opts, err := flags(args, 2, "keys")
	if err != nil {
		return nil, err
	}
	a := held(args[1])
	at := make([]int, a.Len())
	for i := range at {
		at[i] = i
	}
	sort.SliceStable(at, func(i, j int) bool {
		if err != nil {
			return false
		}
		k, v := a.At(at[i])
		l, w := a.At(at[j])
		if opts["keys"] {
			v, w = k, l
		}
		var less Value
		if less, err = c.apply(args[0], v, w); err != nil {
			return false
		}
		before, ok := less.(Bool)
		if !ok {
			err = errorString("the callback of array_sort must give a boolean: whether its first argument comes first")
		}
		return bool(before)
	})
	if err != nil {
		return nil, err
	}
	out := &Array{}
	for _, i := range at {
		k, v := a.At(i)
		if err := out.Set(k, v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func arrayUnique(c site, args []Value) (Value, error) {
	a, out := arr(args[0]), &Array{}
	seen := map[Value]bool{}
	for i := range a.Len() {
		k, v := a.At(i)
		switch v.(type) {
		case String, Number, Bool, None:
			if seen[v] {
				continue
			}
			seen[v] = true
		default:
			found, err := arrayIncludes(c, []Value{v, out})
			if err != nil {
				return nil, err
			}
			if Truth(found) {
				continue
			}
		}
		if err := out.Set(k, v); err != nil {
			return nil, err
		}
	}
	return out, nil
}
