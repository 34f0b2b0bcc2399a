package report

import (
	"math"
	"slices"
	"strconv"
	"sync/atomic"
	"time"
)

// A Histogram counts how long something takes, in fixed buckets. Observe costs two atomic additions and takes no lock; it may be
// called from any thread.
type Histogram struct {
	bounds []float64      // seconds, ascending
	counts []atomic.Int64 // one for each bound, and one for what is longer
	sum    atomic.Int64   // nanoseconds
}

// NewHistogram returns a histogram with the given upper bounds, ascending.
func NewHistogram(bounds ...time.Duration) *Histogram {
	h := &Histogram{counts: make([]atomic.Int64, len(bounds)+1)}
	for _, b := range bounds {
		h.bounds = append(h.bounds, b.Seconds())
	}
	return h
}

// Observe counts one duration.
func (h *Histogram) Observe(d time.Duration) {
	i, _ := slices.BinarySearch(h.bounds, d.Seconds()) // a bound belongs to its own bucket
	h.counts[i].Add(1)
	h.sum.Add(int64(d))
}

// Samples returns the histogram as a family has it. labels are names and values in turn. The last bucket and the count are
// equal at every moment; the sum may be a moment older or newer.
func (h *Histogram) Samples(labels ...string) []Sample {
	var all []Sample
	base := pairs(labels)
	total := int64(0)
	for i := range h.counts {
		total += h.counts[i].Load()
		bound := math.Inf(1)
		if i < len(h.bounds) {
			bound = h.bounds[i]
		}
		all = append(all, Sample{Suffix: "_bucket", Labels: append(slices.Clip(base), Label{"le", formatBound(bound)}), Value: float64(total)})
	}
	sum := time.Duration(h.sum.Load()).Seconds()
	return append(all, Sample{Suffix: "_sum", Labels: base, Value: sum}, Sample{Suffix: "_count", Labels: base, Value: float64(total)})
}

func formatBound(v float64) string {
	if math.IsInf(v, 1) {
		return "+Inf"
	}
	text := strconv.FormatFloat(v, 'g', -1, 64)
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		text = strconv.FormatFloat(v, 'f', 1, 64) // OpenMetrics writes 1.0
	}
	return text
}
