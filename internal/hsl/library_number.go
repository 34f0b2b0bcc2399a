package hsl

import (
	"math"
	"math/rand/v2"
)

var numberFunctions = map[string]builtin{
	"abs":   {params: "n", fn: math1(math.Abs)},
	"ceil":  {params: "n", fn: math1(math.Ceil)},
	"floor": {params: "n", fn: math1(math.Floor)},
	"sqrt":  {params: "n", fn: math1(math.Sqrt)},
	"round": {params: "n|n", fn: round},
	"log": {params: "n|n", fn: func(_ site, args []Value) (Value, error) {
		if len(args) == 1 {
			return Number(math.Log(num(args[0]))), nil
		}
		return Number(math.Log(num(args[0])) / math.Log(num(args[1]))), nil
	}},
	"pow": {params: "nn", fn: func(_ site, args []Value) (Value, error) {
		return Number(math.Pow(num(args[0]), num(args[1]))), nil
	}},
	"random_number": {params: "|nn", fn: randomNumber},
}

func math1(f func(float64) float64) func(site, []Value) (Value, error) {
	return func(_ site, args []Value) (Value, error) { return Number(f(num(args[0]))), nil }
}

// round rounds half away from zero, to decimals after the point or, below zero, before it.
func round(_ site, args []Value) (Value, error) {
	n := num(args[0])
	if len(args) == 1 {
		return Number(math.Round(n)), nil
	}
	decimals := math.Trunc(num(args[1]))
	if !(math.Abs(decimals) <= 300) {
		return nil, errorString("round takes -300 to 300 decimals")
	}
	scale := math.Pow(10, math.Abs(decimals))
	scaled := n * scale
	if decimals < 0 {
		scaled = n / scale
	}
	if math.IsInf(scaled, 0) {
		return Number(n), nil // so large that it has no such decimals
	}
	if decimals < 0 {
		return Number(math.Round(scaled) * scale), nil
	}
	return Number(math.Round(scaled) / scale), nil
}

// randomNumber is a fraction from 0 to 1, or a whole number between two, both included.
func randomNumber(_ site, args []Value) (Value, error) {
	if len(args) == 0 {
		return Number(rand.Float64()), nil
	}
	first, ok := whole(args[0].(Number))
	last := int64(math.MaxInt32)
	if len(args) > 1 {
		var ok2 bool
		last, ok2 = whole(args[1].(Number))
		ok = ok && ok2
	}
	const most = 1 << 53
	if !ok || first > last || first < -most || last > most {
		return nil, errorString("random_number needs a first number that is not above the last")
	}
	return Number(first + rand.Int64N(last-first+1)), nil
}
