package producer

import (
	"time"

	"github.com/halon-extras/kafka/internal/quiet"
)

// mono is a moment of the monotonic clock, in nanoseconds since the queue was opened. The age of a record is counted on
// it: a step of the wall clock must not expire a queue.
type mono int64

// now returns the present moment.
func (p *Producer) now() mono { return mono(time.Since(p.began)) }

func (m mono) after(d time.Duration) mono { return m + mono(d) }

// since returns how much later m is than earlier.
func (m mono) since(earlier mono) time.Duration { return time.Duration(m - earlier) }

// A timer wakes the sender when a time is over.
type timer interface {
	Set(d time.Duration)
	Close() error
}

// setTimer makes the timer. One that is quiet needs a descriptor.
func (p *Producer) setTimer(silent bool) {
	if silent {
		if t, err := quiet.NewTimer(); err == nil {
			p.goroutines.Go(func() { p.guard("the timer", func() { t.Run(p.wake) }) })
			p.timer = t
			return
		}
	}
	p.timer = quiet.NewPlain(p.wake)
}

// milliseconds returns the wall clock as Kafka counts it.
func milliseconds() int64 { return time.Now().UnixMilli() }

// A takenAt is when a chunk of calls was taken from the intake, or a batch from the disk: on both clocks, and how long before that the one
// before was.
type takenAt struct {
	at   mono
	wall int64 // milliseconds since 1970
	span time.Duration
}

// born returns when the call was made that has noted timestamp. The wall clock may have been set since, but the call cannot be
// older than the time since the last look. Of a record on disk nothing else is known: it may be of an earlier process.
func (d *takenAt) born(timestamp int64) mono {
	age := time.Duration(d.wall-timestamp) * time.Millisecond
	return d.at - mono(min(max(age, 0), d.span))
}
