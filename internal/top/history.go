package top

import (
	"fmt"
	"math"
	"time"

	"github.com/halon-extras/kafka/internal/report"
)

const (
	// trendOver is the time from which rates and forecasts come, as in the plugin.
	trendOver = 10 * time.Second
	// A backlog begins when a message is older than backlogAge, and ends when all are younger than fresh: usually a message
	// waits for milliseconds, and between the two nothing flickers.
	backlogAge = 5 * time.Second
	fresh      = 2 * time.Second
)

// A history is what was seen of one queue. Its zero value is ready.
type history struct {
	points []point // of the last trendOver, the oldest first
	before Queue   // the sample before the last, for what has changed; empty without
	last   Queue

	backlog bool
	peak    int64 // the most that waited since it began
}

type point struct {
	at                                      time.Time
	in, delivered, depth, queued, spoolSize int64
}

// note adds what a sample says.
func (h *history) note(at time.Time, q *Queue) {
	if len(h.points) > 0 && (q.In < h.last.In || q.Delivered < h.last.Delivered) {
		*h = history{} // a queue of the same name that counts from the beginning
	}
	h.before, h.last = h.last, *q
	for len(h.points) > 1 && at.Sub(h.points[1].at) >= trendOver {
		h.points = h.points[1:]
	}
	h.points = append(h.points, point{at, q.In, q.Delivered, q.depth(), q.Queued, q.SpoolBytes})
	switch depth := q.depth(); {
	case depth == 0 || h.backlog && q.oldest() < fresh:
		h.backlog, h.peak = false, 0
	case h.backlog || q.oldest() >= backlogAge:
		h.backlog, h.peak = true, max(h.peak, depth)
	}
}

// slope is how fast a number has grown over the last seconds, each second; NaN while nothing can be said.
func (h *history) slope(of func(*point) int64) float64 {
	if len(h.points) < 2 {
		return math.NaN()
	}
	first, last := &h.points[0], &h.points[len(h.points)-1]
	if seconds := last.at.Sub(first.at).Seconds(); seconds > 0 {
		return float64(of(last)-of(first)) / seconds
	}
	return math.NaN()
}

func (h *history) rates() (in, delivered float64) {
	return h.slope(func(p *point) int64 { return p.in }), h.slope(func(p *point) int64 { return p.delivered })
}

// backlogText says whether a backlog grows or shrinks; "" without one. share is the part that is done while it shrinks, else negative.
func (h *history) backlogText() (text string, share float64) {
	q := &h.last
	if !h.backlog {
		return "", -1
	}
	n := report.Thousands
	change := h.slope(func(p *point) int64 { return p.depth })
	_, delivered := h.rates()
	switch {
	case math.IsNaN(change):
		return fmt.Sprintf("%s wait, the oldest for %s", n(q.depth()), report.Age(q.oldest())), -1
	case change < 0 && delivered > 0:
		share = float64(h.peak-q.depth()) / float64(h.peak)
		return fmt.Sprintf("%d %% of %s done, %s/s, %s left", int(share*100), n(h.peak), rate(delivered), report.Age(seconds(float64(q.depth())/-change))), share
	case change > 0:
		return fmt.Sprintf("%s wait, and %s/s more%s", n(q.depth()), rate(change), h.full()), -1
	case delivered > 0:
		return fmt.Sprintf("%s wait, and do not get fewer: %s/s are delivered", n(q.depth()), rate(delivered)), -1
	}
	return fmt.Sprintf("%s wait, and none is delivered", n(q.depth())), -1
}

// full says when the queue will be full if it goes on like this.
func (h *history) full() string {
	q := &h.last
	used, limit, size := q.Queued, q.LimitMessages, func(p *point) int64 { return p.queued }
	if q.SpoolLimit > 0 {
		used, limit, size = q.SpoolBytes, q.SpoolLimit, func(p *point) int64 { return p.spoolSize }
	}
	grows := h.slope(size)
	if limit <= 0 || used >= limit || !(grows > 0) {
		return ""
	}
	return fmt.Sprintf("; full in %s", report.Age(seconds(float64(limit-used)/grows)))
}
