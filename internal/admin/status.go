package admin

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/halon-extras/kafka/internal/report"
)

// statusJSON is the state of a queue. in = delivered + failed + dropped + expired + dead + queued + on_disk.
type statusJSON struct {
	Queue     string           `json:"queue"`
	State     report.State     `json:"state"`  // ok, degraded or failed
	Reason    string           `json:"reason"` // of the gravest problem; "" when it is ok
	Since     time.Time        `json:"since"`  // of the state
	Problems  []report.Problem `json:"problems"`
	Paused    bool             `json:"paused"`
	Storage   string           `json:"storage"` // memory, durable or spill
	In        int64            `json:"in"`
	Delivered int64            `json:"delivered"`
	Failed    int64            `json:"failed"`
	Dropped   int64            `json:"dropped"`
	Expired   int64            `json:"expired"`
	Dead      int64            `json:"dead"`
	Queued    int64            `json:"queued"` // in memory only
	OnDisk    int64            `json:"on_disk"`
	InFlight  int64            `json:"in_flight"` // of queued and on_disk
	Parked    int              `json:"parked"`
	Refused   int64            `json:"refused"`
	OldestAge float64          `json:"oldest_age_seconds"`
	InRate    float64          `json:"in_rate"`        // messages a second, over the last ten
	OutRate   float64          `json:"delivered_rate"` // likewise

	LimitMessages int64             `json:"limit_messages"` // of memory; 0 is none
	Bytes         int64             `json:"bytes"`          // of values in memory
	LimitBytes    int64             `json:"limit_bytes"`
	SpoolBytes    int64             `json:"spool_bytes"`
	SpoolLimit    int64             `json:"spool_limit_bytes"` // 0 without a spool
	DeadPending   int64             `json:"dead_pending"`      // dead letters in the folder
	LastError     *report.LastError `json:"last_error"`        // null without
}

// statusesJSON is the whole answer. A reader sees by started that the plugin counts from the beginning.
type statusesJSON struct {
	Started time.Time    `json:"started"`
	Version string       `json:"version"`
	Queues  []statusJSON `json:"queues"`
}

func status(c *call) (answer, error) {
	text, all, err := each(c, func(b *strings.Builder, q Queue) (statusJSON, error) {
		one := statusOf(q, c.now())
		nextBlock(b)
		one.write(b, c.now())
		return one, nil
	})
	return answer{cmp.Or(text, noQueues), statusesJSON{c.Start.UTC(), versionsNow().Plugin, all}}, err
}

func statusOf(q Queue, now time.Time) statusJSON {
	h, s := q.Health(), q.Snapshot()
	one := statusJSON{
		Queue: q.ID(), State: h.State, Reason: h.Reason(), Since: h.Since.UTC(), Problems: []report.Problem{}, Paused: h.Has(report.Paused), Storage: "memory",
		In: s.In, Delivered: s.Delivered, Failed: s.GivenUp(), Dropped: s.Dropped, Expired: s.Expired, Dead: s.Dead, Queued: s.InMemory(), OnDisk: s.OnDisk,
		InFlight: min(h.InFlight, s.Queued), Parked: q.Parked(), Refused: s.Refused, LimitMessages: int64(q.Settings().QueueMaxMessages),
		Bytes: q.Bytes(), LimitBytes: q.Settings().QueueMaxBytes,
	}
	for _, p := range h.Problems {
		p.Since = p.Since.UTC()
		one.Problems = append(one.Problems, p)
	}
	if s.Queued > 0 {
		one.OldestAge = h.OldestAge(now).Seconds()
	}
	one.InRate, one.OutRate = h.Rates.Of(now, &s)
	if spool := q.Spool(); spool != nil {
		one.Storage, one.SpoolBytes, one.SpoolLimit, one.DeadPending = spool.Mode, spool.Bytes, spool.MaxBytes, spool.Dead
	}
	if h.Error != nil {
		last := *h.Error
		last.Time = last.Time.UTC()
		one.LastError = &last
	}
	return one
}

func (s *statusJSON) write(b *strings.Builder, now time.Time) {
	n := report.Thousands
	fmt.Fprintf(b, "%s: %s since %s (%s)", report.Printable(s.Queue), s.State, s.Since.Format(time.RFC3339), report.Lasted(now.Sub(s.Since)))
	if s.Reason != "" {
		fmt.Fprintf(b, ": %s", report.Printable(s.Reason))
	}
	b.WriteByte('\n')
	for _, p := range s.Problems[min(1, len(s.Problems)):] {
		fmt.Fprintf(b, "  also %s since %s: %s\n", p.Kind, p.Since.Format(time.RFC3339), report.Printable(p.Text))
	}
	fmt.Fprintf(b, "  queued %s, on disk %s, in flight %s, oldest %s, waiting calls %d\n", n(s.Queued), n(s.OnDisk), n(s.InFlight), report.Lasted(time.Duration(s.OldestAge*float64(time.Second))), s.Parked)
	fmt.Fprintf(b, "  in %.1f/s, delivered %.1f/s over 10 s\n", s.InRate, s.OutRate)
	fmt.Fprintf(b, "  in %s = delivered %s + failed %s + dropped %s + expired %s + dead %s + queued %s + on disk %s; refused %s\n",
		n(s.In), n(s.Delivered), n(s.Failed), n(s.Dropped), n(s.Expired), n(s.Dead), n(s.Queued), n(s.OnDisk), n(s.Refused))
	fmt.Fprintf(b, "  memory: %s of %s bytes", n(s.Bytes), n(s.LimitBytes))
	if s.LimitMessages > 0 {
		fmt.Fprintf(b, ", at most %s messages", n(s.LimitMessages))
	}
	b.WriteByte('\n')
	if s.SpoolLimit > 0 {
		fmt.Fprintf(b, "  spool (%s): %s of %s bytes, dead letters %s\n", s.Storage, n(s.SpoolBytes), n(s.SpoolLimit), n(s.DeadPending))
	}
	if e := s.LastError; e != nil {
		fmt.Fprintf(b, "  last error %s: %s", e.Time.Format(time.RFC3339), report.Printable(e.Text))
		if e.Topic != "" {
			fmt.Fprintf(b, " (topic %s)", report.Printable(e.Topic))
		}
		b.WriteByte('\n')
	}
}
