package main

import "math"

// scale is the height of a row of panels, from the first tick to the last.
type scale struct {
	log   bool
	ticks []float64 // at least two, growing
}

// at is the share of the height at which a value stands.
func (s scale) at(v float64) float64 {
	low, high := s.ticks[0], s.ticks[len(s.ticks)-1]
	if s.log {
		low, high, v = math.Log(low), math.Log(high), math.Log(v)
	}
	return (v - low) / (high - low)
}

// scale holds all figures of a quantity. A linear one begins at zero, so that half the height is half the figure.
func (q quantity) scale(axes []measured) scale {
	low, high := math.Inf(1), 0.0
	for _, m := range axes {
		for _, p := range m.Points {
			for _, side := range sides {
				if v, ok := q.of(p, side.of); ok {
					low, high = min(low, v), max(high, v)
				}
			}
		}
	}
	if high == 0 {
		low, high = 1, 1 // nothing was measured
	}
	if q.log {
		return scale{log: true, ticks: logTicks(low, high)}
	}
	return scale{ticks: linearTicks(high)}
}

// round are the digits of a tick.
var round = [...]float64{1, 2, 5}

// linearTicks goes from zero to high, or just over it, in at most five steps.
func linearTicks(high float64) []float64 {
	for power := math.Floor(math.Log10(high)) - 1; ; power++ {
		for _, digit := range round {
			step := digit * math.Pow(10, power)
			steps := math.Ceil(high / step)
			if steps > 5 {
				continue
			}
			ticks := []float64{0}
			for i := 1.0; i <= steps; i++ {
				ticks = append(ticks, i*step)
			}
			return ticks
		}
	}
}

// logTicks goes from just under low to just over high, by 1, 2 and 5 in each power of ten. A value on a tick is inside.
func logTicks(low, high float64) []float64 {
	var ticks []float64
	// One power lower than need be: the logarithm of a power of ten may be rounded up.
	for power := math.Floor(math.Log10(low)) - 1; ; power++ {
		for _, digit := range round {
			tick := digit * math.Pow(10, power)
			if tick <= low {
				ticks = []float64{tick}
				continue
			}
			ticks = append(ticks, tick)
			if tick >= high {
				return ticks
			}
		}
	}
}
