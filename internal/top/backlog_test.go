package top

import (
	"math"
	"strings"
	"testing"
	"time"
)

// An outage of a minute with a spool, and what follows: the backlog grows, is replayed with a bar, and is gone.
func TestABacklogIsReplayed(t *testing.T) {
	q := Queue{ID: "audit", State: "ok", Storage: "durable", SpoolLimit: 1 << 20, InRate: 100}
	play(t, func(string) (*Sample, error) { return &Sample{Queues: []Queue{q}}, nil }, func(s *stage) {
		second := func(in, out int64, oldest int) {
			s.change(func() {
				q.In, q.Delivered = q.In+in, q.Delivered+out
				q.OnDisk = q.In - q.Delivered
				q.SpoolBytes = q.OnDisk * 100
				q.OutRate, q.OldestAge = float64(out), float64(oldest)
			})
			s.pass(time.Second)
		}
		for range 10 {
			second(100, 100, 0)
		}
		if got := s.text(); contains(got, "backlog") {
			t.Errorf("a backlog is shown that is none:\n%s", got)
		}
		s.change(func() { q.State, q.Reason = "degraded", "kafka:9092: cannot connect" })
		for i := range 60 {
			second(100, 0, i)
		}
		s.has("backlog: 6,000 wait, and 100.0/s more; full in 45s")
		s.change(func() { q.State, q.Reason = "ok", "" })
		for i := range 20 {
			second(100, 300, 60-2*i)
		}
		s.shows("backlog")
		for i := range 10 {
			second(100, 300, 20-2*i)
		}
		second(100, 100, 0)
		second(100, 100, 0)
		if got := s.text(); contains(got, "backlog") {
			t.Errorf("the backlog is gone and still shown:\n%s", got)
		}
	})
}

func TestBacklogSentences(t *testing.T) {
	at := start
	for _, tt := range []struct {
		sentence string
		queues   []Queue // one each second
		want     string
	}{
		{"one sample says how much waits", []Queue{{OnDisk: 50, OldestAge: 90}}, "50 wait, the oldest for 1m30s"},
		{"young messages are no backlog", []Queue{{Queued: 50, OldestAge: 4}, {Queued: 60, OldestAge: 4}}, ""},
		{"nothing comes and nothing goes", []Queue{{In: 50, OnDisk: 50, OldestAge: 90}, {In: 50, OnDisk: 50, OldestAge: 91}}, "50 wait, and none is delivered"},
		{"as much comes as goes", []Queue{{In: 50, OnDisk: 50, OldestAge: 90}, {In: 60, Delivered: 10, OnDisk: 50, OldestAge: 91}}, "50 wait, and do not get fewer: 10.0/s are delivered"},
		{"it grows in memory", []Queue{{Queued: 50, OldestAge: 90, In: 50, LimitMessages: 1060}, {In: 60, Queued: 60, OldestAge: 91, LimitMessages: 1060}}, "60 wait, and 10.0/s more; full in 1m40s"},
		{"what was purged is not delivered", []Queue{{In: 90, OnDisk: 90, OldestAge: 90}, {In: 90, OnDisk: 10, Dropped: 80, OldestAge: 91}}, "10 wait, and none is delivered"},
		{"a tenth is done", []Queue{{In: 100, OnDisk: 100, OldestAge: 90}, {In: 100, Delivered: 10, OnDisk: 90, OldestAge: 91}}, "10 % of 100 done, 10.0/s, 9s left"},
	} {
		h := &history{}
		for i := range tt.queues {
			h.note(at.Add(time.Duration(i)*time.Second), &tt.queues[i])
		}
		if got, share := h.backlogText(); got != tt.want || share > 1 || math.IsNaN(share) {
			t.Errorf("%s: %q, %v, want %q", tt.sentence, got, share, tt.want)
		}
	}
}

func contains(screen, text string) bool { return strings.Contains(screen, text) }
