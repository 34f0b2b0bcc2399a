package spool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/halon-extras/kafka/internal/spool"
)

func open(t testing.TB, opts spool.Options) *spool.Spool {
	t.Helper()
	s, err := spool.Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func closeSpool(t testing.TB, s *spool.Spool) {
	t.Helper()
	if err := s.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// put appends each payload and waits until all are synced.
func put(t testing.TB, s *spool.Spool, payloads ...string) {
	t.Helper()
	var wg sync.WaitGroup
	for _, p := range payloads {
		wg.Add(1)
		if _, err := s.Append([]byte(p), func(err error) {
			if err != nil {
				t.Error(err)
			}
			wg.Done()
		}); err != nil {
			t.Fatal(err)
		}
	}
	wg.Wait()
}

func numbered(from, to int) []string {
	var out []string
	for i := from; i < to; i++ {
		out = append(out, fmt.Sprintf("record %d", i))
	}
	return out
}

// take reads n records through c.
func take(t testing.TB, c *spool.Cursor, n int) (payloads []string, seqs []uint64) {
	t.Helper()
	for len(payloads) < n {
		b, err := c.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range b.Frames {
			payloads = append(payloads, string(f.Payload))
			seqs = append(seqs, f.Seq)
		}
		b.Release()
	}
	return payloads, seqs
}

// left reads what c finds, and does not wait for more.
func left(t testing.TB, c *spool.Cursor) (payloads []string, seqs []uint64) {
	t.Helper()
	for {
		b, err := c.TryNext()
		if err != nil {
			t.Fatal(err)
		}
		if b == nil {
			return payloads, seqs
		}
		for _, f := range b.Frames {
			payloads = append(payloads, string(f.Payload))
			seqs = append(seqs, f.Seq)
		}
		b.Release()
	}
}

func TestWhatWasStoredComesBackInOrderAfterAReopen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	opts := spool.Options{Dir: dir, MaxBytes: 1 << 20, SegmentBytes: 4 << 10}
	s := open(t, opts)
	want := numbered(0, 500)
	put(t, s, want...)
	c := s.NewCursor()
	got, seqs := take(t, c, 500)
	same(t, got, want)
	s.Ack(seqs[:200]...)
	s.Ack(seqs[300:400]...)
	c.Close()
	closeSpool(t, s)

	s = open(t, opts)
	c = s.NewCursor()
	got, seqs = take(t, c, 200)
	same(t, got, append(want[200:300:300], want[400:]...))
	if p := s.Stats().Pending; p != 200 {
		t.Errorf("pending %d, want 200", p)
	}
	s.Ack(seqs...)
	c.Close()
	closeSpool(t, s)
	if left, _ := filepath.Glob(filepath.Join(dir, "*.seg")); len(left) != 0 {
		t.Errorf("all is acknowledged, and these are left: %v", left)
	}
}

func same(t testing.TB, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d records, want %d", len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("record %d is %q, want %q", i, got[i], want[i])
		}
	}
}

func TestSecondOpenerGetsAnErrorThatNamesTheOwner(t *testing.T) {
	dir := t.TempDir()
	s := open(t, spool.Options{Dir: dir, Program: "smtpd"})
	defer closeSpool(t, s)
	_, err := spool.Open(spool.Options{Dir: dir, Program: "hsh"})
	if !errors.Is(err, spool.ErrLocked) {
		t.Fatalf("got %v, want ErrLocked", err)
	}
	if want := fmt.Sprintf("process %d (smtpd)", os.Getpid()); !strings.Contains(err.Error(), want) {
		t.Errorf("%q does not name %q", err, want)
	}
}
