package spool_test

import (
	"context"
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
	begin := func() *spool.Spool {
		s, err := spool.Open(spool.Options{Dir: "/spool", FS: fsys, Now: func() time.Time { return *clock.Load() }})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := begin()
	for i := range 100 { // one each half second
		if _, err := s.Append([]byte("r"), nil); err != nil {
			t.Fatal(err)
		}
		set(time.Unix(1_000_000, 0).Add(time.Duration(i+1) * time.Second / 2))
	}
	if err := s.Sync(context.Background()); err != nil {
		t.Fatal(err)
	}
	end := func() {
		if err := s.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
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
	end()
	r, err := spool.Inspect(fsys, "/spool")
	if want := time.Unix(1_000_030, 0); err != nil || !r.Oldest.Equal(want) {
		t.Errorf("read from outside: %v, %v, want %v", r.Oldest, err, want)
	}
	s = begin()
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
	if _, err := s.Append([]byte("new"), nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Sync(context.Background()); err != nil {
		t.Fatal(err)
	}
	s.Ack(100)
	if got := s.Stats().Oldest; !got.Equal(*clock.Load()) {
		t.Errorf("a new one: %v", got)
	}
	s.Ack(101)
	if got := s.Stats().Oldest; !got.IsZero() {
		t.Errorf("nothing is pending: %v", got)
	}
	c.Close()
	end()
}
