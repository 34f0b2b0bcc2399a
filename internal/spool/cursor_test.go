package spool_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/halon-extras/kafka/internal/spool"
	"github.com/halon-extras/kafka/internal/spool/faultfs"
)

func TestACursorThatKeepsUpNeverReadsTheDisk(t *testing.T) {
	fsys := faultfs.New(1)
	s := open(t, spool.Options{Dir: "/spool", FS: fsys, MaxBytes: 8 << 20, SegmentBytes: 64 << 10})
	calls := count(fsys)
	c := s.NewCursor()
	for i := range 2000 {
		want := fmt.Sprintf("%d %s", i, strings.Repeat("z", i%700))
		put(t, s, want)
		got, seqs := take(t, c, 1)
		same(t, got, []string{want})
		s.Ack(seqs...)
	}
	if n := calls.of(faultfs.Read); n != 0 {
		t.Errorf("%d reads", n)
	}
	c.Close()
	closeSpool(t, s)
}

// A cursor falls behind the tail in memory, catches up from disk, and goes on in memory; nothing is seen twice or
// left out at the seams.
func TestACursorCrossesBetweenDiskAndMemory(t *testing.T) {
	fsys := faultfs.New(1)
	s := open(t, spool.Options{Dir: "/spool", FS: fsys, MaxBytes: 64 << 20, SegmentBytes: 300 << 10, TailBytes: 1})
	calls := count(fsys)
	r := rand.New(rand.NewPCG(4, 4))
	c := s.NewCursor()
	appended, taken := 0, 0
	text := func(i int) string { return fmt.Sprintf("%d:%s", i, strings.Repeat("k", i*37%3000)) }
	for range 60 {
		var batch []string
		for range r.IntN(400) {
			batch = append(batch, text(appended))
			appended++
		}
		put(t, s, batch...)
		for want := min(appended, taken+r.IntN(500)); taken < want; {
			b, err := c.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range b.Frames {
				if string(f.Payload) != text(taken) || f.Seq != uint64(taken+1) {
					t.Fatalf("sequence %d is %.20q, want %.20q", f.Seq, f.Payload, text(taken))
				}
				taken++
			}
			b.Release()
		}
	}
	if calls.of(faultfs.Read) == 0 {
		t.Error("the disk was never read: the test tests nothing")
	}
	c.Close()
	closeSpool(t, s)
}

// The block in which a cursor read last is given back and filled again while the cursor is behind.
func TestACursorIsNotMisledByABlockThatWasFilledAnew(t *testing.T) {
	s := open(t, spool.Options{Dir: "/spool", FS: faultfs.New(1), MaxBytes: 256 << 20, TailBytes: 1})
	c := s.NewCursor()
	n := 0
	for round := range 40 {
		var batch []string
		for range 100 + round*37%1200 {
			batch = append(batch, fmt.Sprintf("%d:%s", n, strings.Repeat("b", 900+n%50)))
			n++
		}
		for rest := batch; len(rest) > 0; rest = rest[min(50, len(rest)):] {
			put(t, s, rest[:min(50, len(rest))]...) // answered, so that older blocks are given back
		}
		got, seqs := take(t, c, len(batch))
		same(t, got, batch)
		s.Ack(seqs...)
	}
	c.Close()
	closeSpool(t, s)
}

func TestSeekGoesBackAndSkipsWhatIsAcknowledged(t *testing.T) {
	s := open(t, small(faultfs.New(1)))
	var want []string
	for _, r := range numbered(0, 100) {
		want = append(want, r+strings.Repeat("-", 100))
	}
	put(t, s, want...)
	c := s.NewCursor()
	take(t, c, 100)
	for seq := uint64(30); seq < 90; seq++ {
		s.Ack(seq)
	}
	for _, back := range []uint64{1, 20, 25, 3} {
		c.Seek(back)
		got, _ := take(t, c, 40-int(back))
		same(t, got, append(want[back-1:29:29], want[89:]...))
	}
	c.Close()
	closeSpool(t, s)
}

func TestNextWaitsForARecordAnEndOrItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, small(faultfs.New(1)))
		c := s.NewCursor()
		defer c.Close()
		if b, err := c.TryNext(); b != nil || err != nil {
			t.Errorf("an empty spool delivers %v, %v", b, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		go func() {
			time.Sleep(time.Second)
			put(t, s, "late")
		}()
		begin := time.Now()
		got, _ := take(t, c, 1)
		same(t, got, []string{"late"})
		if time.Since(begin) != time.Second {
			t.Errorf("after %v", time.Since(begin))
		}
		go func() {
			time.Sleep(time.Second)
			closeSpool(t, s)
		}()
		if _, err := c.Next(t.Context()); !errors.Is(err, spool.ErrClosed) {
			t.Errorf("%v", err)
		}
	})
}

// Many threads append, one cursor delivers, many acknowledge in any order; on the real disk, for the race detector.
func TestManyThreadsAtOnce(t *testing.T) {
	const threads, each = 16, 300
	opts := spool.Options{Dir: t.TempDir(), MaxBytes: 8 << 20, SegmentBytes: 32 << 10, TailBytes: 1}
	s := open(t, opts)
	var wg sync.WaitGroup
	for thread := range threads {
		wg.Go(func() {
			for i := range each {
				if err := offer(t, s, fmt.Sprintf("%d %d %s", thread, i, strings.Repeat("x", i))); err != nil {
					t.Error(err)
				}
				s.Stats()
			}
		})
	}
	acks := make(chan uint64, 100)
	for range 4 {
		wg.Go(func() {
			var held []uint64
			for seq := range acks {
				if held = append(held, seq); len(held) > 20 {
					s.Ack(held[5:]...)
					held = held[:5]
				}
			}
			s.Ack(held...)
		})
	}
	c := s.NewCursor()
	next := map[int]int{}
	for got := 0; got < threads*each; {
		b, err := c.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range b.Frames {
			var thread, i int
			if _, err := fmt.Sscanf(string(f.Payload), "%d %d", &thread, &i); err != nil || next[thread] != i {
				t.Fatalf("sequence %d is %.20q, want number %d of its thread", f.Seq, f.Payload, next[thread])
			}
			next[thread]++
			acks <- f.Seq
			got++
		}
		b.Release()
	}
	close(acks)
	wg.Wait()
	c.Close()
	if st := s.Stats(); st.Pending != 0 || st.Stored != threads*each || st.Missing != 0 {
		t.Errorf("%+v", st)
	}
	closeSpool(t, s)
}

func TestRecordsThatAreLargerThanASegment(t *testing.T) {
	fsys := faultfs.New(1)
	opts := spool.Options{Dir: "/spool", FS: fsys, MaxBytes: 16 << 20, SegmentBytes: 8 << 10}
	s := open(t, opts)
	want := []string{"a", strings.Repeat("large", 600_000), "b", strings.Repeat("L", 9000), ""}
	put(t, s, want...)
	if _, err := s.Append(make([]byte, 9<<20), nil); !errors.Is(err, spool.ErrTooLarge) {
		t.Errorf("9 MiB into 16: %v", err)
	}
	for range 2 {
		c := s.NewCursor()
		got, _ := take(t, c, len(want))
		same(t, got, want)
		c.Close()
		closeSpool(t, s)
		s = open(t, opts)
	}
	closeSpool(t, s)
}
