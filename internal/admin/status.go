package admin

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/halon-extras/kafka/internal/report"
)

// statusesJSON is the whole answer. A reader sees by started that the plugin counts from the beginning.
type statusesJSON struct {
	Started time.Time       `json:"started"`
	Version string          `json:"version"`
	Queues  []report.Status `json:"queues"`
}

func status(c *call) (answer, error) {
	text, all, err := each(c, func(b *strings.Builder, q Queue) (report.Status, error) {
		one := statusOf(q, c.now())
		nextBlock(b)
		writeStatus(b, &one, c.now())
		return one, nil
	})
	return answer{cmp.Or(text, noQueues), statusesJSON{c.Start.UTC(), versionsNow().Plugin, all}}, err
}

func statusOf(q Queue, now time.Time) report.Status {
	h, s := q.Health(), q.Snapshot()
	one := report.Status{
		ID: q.ID(), State: h.State.String(), Reason: h.Reason(), Since: h.Since.UTC(), Problems: []report.StatusProblem{}, Paused: h.Has(report.Paused), Storage: "memory",
		In: s.In, Delivered: s.Delivered, Failed: s.GivenUp(), Dropped: s.Dropped, Expired: s.Expired, Dead: s.Dead, Queued: s.InMemory(), OnDisk: s.OnDisk,
		InFlight: min(h.InFlight, s.Queued), Parked: int64(q.Parked()), Refused: s.Refused, LimitMessages: int64(q.Settings().QueueMaxMessages),
		Bytes: q.Bytes(), LimitBytes: q.Settings().QueueMaxBytes,
	}
	for _, p := range h.Problems {
		one.Problems = append(one.Problems, report.StatusProblem{Kind: p.Kind.String(), State: p.State.String(), Text: p.Text, Since: p.Since.UTC()})
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

func writeStatus(b *strings.Builder, s *report.Status, now time.Time) {
	n := report.Thousands
	fmt.Fprintf(b, "%s: %s since %s (%s)", report.Printable(s.ID), s.State, s.Since.Format(time.RFC3339), report.Lasted(now.Sub(s.Since)))
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
