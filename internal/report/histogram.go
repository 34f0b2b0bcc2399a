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
func (h *Histogram) Observe(d time.Duration) { h.ObserveMany(d, 1) }

// ObserveMany counts n durations that are alike.
func (h *Histogram) ObserveMany(d time.Duration, n int64) {
	i, _ := slices.BinarySearch(h.bounds, d.Seconds()) // a bound belongs to its own bucket
	h.counts[i].Add(n)
	h.sum.Add(int64(d) * n)
}

// Samples returns the histogram as a family has it. labels are names and values in turn. The last bucket and the count are
// equal at every moment; the sum may be a moment older or newer.
func (h *Histogram) Samples(labels ...string) []Sample {
	counts := make([]int64, len(h.counts))
	for i := range counts {
		counts[i] = h.counts[i].Load()
	}
	return buckets(h.bounds, counts, time.Duration(h.sum.Load()), labels)
}

// buckets are the samples of a histogram: counts has one more than bounds, for what is longer.
func buckets(bounds []float64, counts []int64, sum time.Duration, labels []string) []Sample {
	var all []Sample
	base := pairs(labels)
	total := int64(0)
	for i, n := range counts {
		total += n
		bound := math.Inf(1)
		if i < len(bounds) {
			bound = bounds[i]
		}
		all = append(all, Sample{Suffix: "_bucket", Labels: append(slices.Clip(base), Label{"le", formatBound(bound)}), Value: float64(total)})
	}
	return append(all, Sample{Suffix: "_sum", Labels: base, Value: sum.Seconds()}, Sample{Suffix: "_count", Labels: base, Value: float64(total)})
}

// CallTimes are how long the calls of one function of scripts take, of one call in Sampled.
type CallTimes struct {
	Function string
	Sampled  int
	Bounds   []float64 // seconds, ascending
	Counts   []int64   // one more
	Sum      time.Duration
}

// Samples returns them as a family has it.
func (c *CallTimes) Samples() []Sample {
	return buckets(c.Bounds, c.Counts, c.Sum, []string{"function", c.Function})
}

// Times are the durations that a queue counts.
type Times struct {
	Delivery *Histogram // from a call to the acknowledgement of its message
	Sync     *Histogram // of the spool
}

// NewTimes returns a queue's durations, without any yet.
func NewTimes() *Times {
	const ms, s = time.Millisecond, time.Second
	return &Times{
		Delivery: NewHistogram(ms, 2*ms, 5*ms, 10*ms, 20*ms, 50*ms, 100*ms, 200*ms, 500*ms, s, 2*s, 5*s, 10*s, 30*s, time.Minute, 5*time.Minute, time.Hour, 24*time.Hour),
		Sync:     NewHistogram(ms/10, ms/5, ms/2, ms, 2*ms, 5*ms, 10*ms, 20*ms, 50*ms, 100*ms, 200*ms, 500*ms, s, 2*s, 5*s, 10*s),
	}
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
