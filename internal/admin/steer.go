package admin

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/halon-extras/kafka/internal/report"
)

const (
	flushTime, mostFlush = 5 * time.Second, 60 * time.Second

	// steerTime bounds how long a queue is waited for that is to do something.
	steerTime = 5 * time.Second
)

// doneJSON is what a command did to one queue.
type doneJSON struct {
	Queue    string  `json:"queue"`
	Paused   bool    `json:"paused"`
	Seconds  float64 `json:"paused_seconds,omitempty"`
	Queued   int64   `json:"queued"` // in memory and on disk, afterwards
	Messages int64   `json:"messages,omitempty"`
	Flushed  bool    `json:"flushed,omitempty"` // what was queued at a flush has its report
}

func doneTo(q Queue) doneJSON {
	s := q.Snapshot()
	return doneJSON{Queue: q.ID(), Paused: q.Health().Has(report.Paused), Queued: s.Queued}
}

func pause(c *call) (answer, error) {
	text, all, err := each(c, func(b *strings.Builder, q Queue) (doneJSON, error) {
		what := "is paused already"
		if q.Pause() {
			what = "is paused: nothing is sent until resume"
		}
		one := doneTo(q)
		one.Paused = true
		fmt.Fprintf(b, "OK: %s %s, %s queued\n", report.Printable(q.ID()), what, report.Thousands(one.Queued))
		return one, nil
	})
	return answer{text, inQueues(all)}, err
}

func resume(c *call) (answer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), steerTime)
	defer cancel()
	text, all, err := each(c, func(b *strings.Builder, q Queue) (doneJSON, error) {
		paused, err := q.Resume(ctx)
		if err != nil {
			return doneJSON{}, fmt.Errorf("%s%s: %w", b.String(), q.ID(), err)
		}
		one := doneTo(q)
		one.Paused, one.Seconds = false, paused.Seconds()
		if paused == 0 {
			fmt.Fprintf(b, "OK: %s was not paused\n", report.Printable(q.ID()))
		} else {
			fmt.Fprintf(b, "OK: %s goes on after %s, %s queued\n", report.Printable(q.ID()), report.Lasted(paused), report.Thousands(one.Queued))
		}
		return one, nil
	})
	return answer{text, inQueues(all)}, err
}

func purge(c *call) (answer, error) {
	q, err := c.queue(c.args[0])
	if err != nil {
		return answer{}, err
	}
	if len(c.args) < 2 || c.args[1] != c.args[0] {
		return answer{}, fmt.Errorf("nothing was purged: %s has %s messages queued; to give them up, name the queue twice: purge %s %s",
			report.Printable(q.ID()), report.Thousands(q.Snapshot().Queued), report.Printable(q.ID()), report.Printable(q.ID()))
	}
	ctx, cancel := context.WithTimeout(context.Background(), steerTime)
	defer cancel()
	n, err := q.Purge(ctx)
	if err != nil {
		return answer{}, fmt.Errorf("%s: %w", q.ID(), err)
	}
	one := doneTo(q)
	one.Messages = n
	return answer{fmt.Sprintf("OK: %s messages of %s are given up, %s are on their way or new\n", report.Thousands(n), report.Printable(q.ID()), report.Thousands(one.Queued)), one}, nil
}

func flush(c *call) (answer, error) {
	queues, rest := c.queueAnd()
	limit := flushTime
	if len(rest) > 0 {
		seconds, err := strconv.ParseFloat(rest[0], 64)
		switch {
		case err != nil:
			return answer{}, c.unknownQueue(rest[0])
		case seconds < 0 || seconds > mostFlush.Seconds() || seconds != seconds:
			return answer{}, fmt.Errorf("%s seconds: it must be 0 to %v", rest[0], mostFlush.Seconds())
		case len(rest) > 1:
			return answer{}, c.unknownQueue(rest[1])
		}
		limit = time.Duration(seconds * float64(time.Second))
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	all := make([]doneJSON, len(queues))
	faults := sideBySide(len(queues), func(i int) {
		done := queues[i].Flush(ctx)
		all[i] = doneTo(queues[i])
		all[i].Flushed = done || all[i].Queued == 0
	})
	if err := errors.Join(faults...); err != nil {
		return answer{}, err
	}
	var b strings.Builder
	flushed := true
	for _, one := range all {
		flushed = flushed && one.Flushed
		switch {
		case one.Queued == 0:
			fmt.Fprintf(&b, "%s: nothing is queued\n", report.Printable(one.Queue))
		case one.Flushed:
			fmt.Fprintf(&b, "%s: what was queued is delivered or reported as failed, %s came meanwhile\n", report.Printable(one.Queue), report.Thousands(one.Queued))
		case one.Paused:
			fmt.Fprintf(&b, "%s: %s are queued, and it is paused: see resume\n", report.Printable(one.Queue), report.Thousands(one.Queued))
		default:
			fmt.Fprintf(&b, "%s: %s are still queued: see status\n", report.Printable(one.Queue), report.Thousands(one.Queued))
		}
	}
	return answer{b.String(), inQueues(all)}.unless(!flushed)
}

func countQueued(c *call) (answer, error) {
	text, all, err := each(c, func(b *strings.Builder, q Queue) (doneJSON, error) {
		one := doneTo(q)
		if len(c.args) == 0 {
			b.WriteString(report.Printable(one.Queue) + " ")
		}
		fmt.Fprintf(b, "%d\n", one.Queued)
		return one, nil
	})
	return answer{text, inQueues(all)}, err
}
