package spool_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/halon-extras/kafka/internal/spool"
	"github.com/halon-extras/kafka/internal/spool/faultfs"
)

func TestTheOldestIsTheAgeOfTheMessageAndNotOfItsSegment(t *testing.T) {
	fsys := faultfs.New(1)
	var clock atomic.Pointer[time.Time] // the spool's own goroutines read it, too
	set := func(at time.Time) { clock.Store(&at) }
	set(time.Unix(1_000_000, 0))
	opts := spool.Options{Dir: "/spool", FS: fsys, Now: func() time.Time { return *clock.Load() }}
	s := open(t, opts)
	for i := range 100 { // one each half second
		put(t, s, "r")
		set(time.Unix(1_000_000, 0).Add(time.Duration(i+1) * time.Second / 2))
	}
	// The record seq was appended (seq-1)/2 seconds after the begin.
	check := func(sentence string, seq int) {
		t.Helper()
		want := time.Unix(1_000_000, 0).Add(time.Duration(seq-1) * time.Second / 2)
		if got := s.Stats().Oldest; got.After(want) || want.Sub(got) > time.Second {
			t.Errorf("%s: the oldest is of %v, want %v", sentence, got.Sub(time.Unix(1_000_000, 0)), want.Sub(time.Unix(1_000_000, 0)))
		}
	}
	check("nothing is acknowledged", 1)
	for seq := range uint64(60) {
		s.Ack(seq + 1)
	}
	check("sixty are", 61)
	closeSpool(t, s)
	r, err := spool.Inspect(fsys, "/spool")
	if want := time.Unix(1_000_030, 0); err != nil || !r.Oldest.Equal(want) {
		t.Errorf("read from outside: %v, %v, want %v", r.Oldest, err, want)
	}
	s = open(t, opts)
	c := s.NewCursor()
	if _, err := c.TryNext(); err != nil {
		t.Fatal(err)
	}
	check("after a restart", 61)
	for seq := uint64(61); seq <= 99; seq++ {
		s.Ack(seq)
	}
	check("only the last is left", 100)
	set(time.Unix(1_000_200, 0))
	put(t, s, "new")
	s.Ack(100)
	if got := s.Stats().Oldest; !got.Equal(*clock.Load()) {
		t.Errorf("a new one: %v", got)
	}
	s.Ack(101)
	if got := s.Stats().Oldest; !got.IsZero() {
		t.Errorf("nothing is pending: %v", got)
	}
	c.Close()
	closeSpool(t, s)
}
