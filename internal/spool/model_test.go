package spool_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/halon-extras/kafka/internal/spool"
	"github.com/halon-extras/kafka/internal/spool/faultfs"
)

// A spool beside a plain list. Rapid chooses the steps, and shrinks them when the two disagree. Unlike the crash
// tests it knows exactly what must be there: what was synced before the crash and not acknowledged since, no more
// after an orderly close, and what was acknowledged at most after a crash.
type reference struct {
	fsys    *faultfs.FS
	s       *spool.Spool
	c       *spool.Cursor
	n       int
	queue   []entry // pending, in order
	unsure  []entry // acknowledged since the last position that is known to be on disk
	waiting []entry // appended later, not synced
}

type entry struct {
	payload string
	seq     uint64
}

func (r *reference) start(t *rapid.T) {
	var err error
	r.s, err = spool.Open(spool.Options{Dir: "/spool", FS: r.fsys, MaxBytes: 1 << 20, SegmentBytes: 4 << 10})
	if err != nil {
		t.Fatal(err)
	}
	r.c = r.s.NewCursor()
}

// read returns all that is left, from the beginning.
func (r *reference) read(t *rapid.T) (all []entry) {
	r.c.Seek(0)
	for {
		b, err := r.c.TryNext()
		if err != nil {
			t.Fatal(err)
		}
		if b == nil {
			return all
		}
		for _, f := range b.Frames {
			all = append(all, entry{string(f.Payload), f.Seq})
		}
		b.Release()
	}
}

// agree checks the spool against the queue; maybe holds what may be there besides.
func (r *reference) agree(t *rapid.T, maybe []entry) {
	got := r.read(t)
	i := 0
	for _, e := range got {
		switch {
		case i < len(r.queue) && e.payload == r.queue[i].payload:
			i++
		case !slices.ContainsFunc(maybe, func(m entry) bool { return m.payload == e.payload }):
			t.Fatalf("%q (sequence %d) should not be there", e.payload, e.seq)
		}
	}
	if i < len(r.queue) {
		t.Fatalf("%d of %d records are there; %q is missing", i, len(r.queue), r.queue[i].payload)
	}
	if p := r.s.Stats().Pending; p != uint64(len(got)+len(r.waiting)) {
		t.Fatalf("pending %d, want %d", p, len(got)+len(r.waiting))
	}
	r.queue = got
}

func TestSpoolAgainstAList(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var failed any
		synctest.Test(t, func(t *testing.T) {
			r := &reference{fsys: faultfs.New(rapid.Uint64().Draw(rt, "seed"))}
			// rapid ends a run with a panic, which must not leave the bubble.
			defer func() {
				failed = recover()
				if r.s != nil {
					r.c.Close()
					_ = r.s.Close(context.Background())
				}
			}()
			r.start(rt)
			rt.Repeat(r.actions())
		})
		if failed != nil {
			panic(failed)
		}
	})
}

func (r *reference) actions() map[string]func(*rapid.T) {
	add := func(t *rapid.T, appendTo func([]byte, func(error)) (uint64, error)) []entry {
		var added []entry
		for range rapid.IntRange(1, 30).Draw(t, "records") {
			p := fmt.Sprintf("%d:%s", r.n, make([]byte, rapid.IntRange(0, 300).Draw(t, "size")))
			r.n++
			seq, err := appendTo([]byte(p), nil)
			if err != nil {
				t.Fatal(err)
			}
			added = append(added, entry{p, seq})
		}
		return added
	}
	answer := func(t *rapid.T) {
		if err := r.s.Sync(context.Background()); err != nil {
			t.Fatal(err)
		}
		r.queue = append(r.queue, r.waiting...)
		r.waiting = nil
	}
	return map[string]func(*rapid.T){
		"append": func(t *rapid.T) {
			if r.s.Stats().Bytes > 500<<10 {
				t.Skip("full soon")
			}
			r.waiting = append(r.waiting, add(t, r.s.Append)...)
			answer(t)
		},
		"append later": func(t *rapid.T) { r.waiting = append(r.waiting, add(t, r.s.AppendLater)...) },
		"sync":         answer,
		"acknowledge": func(t *rapid.T) {
			var left []entry
			every := rapid.IntRange(1, 4).Draw(t, "every")
			for i, e := range r.queue {
				if i%every == 0 {
					r.s.Ack(e.seq)
					r.unsure = append(r.unsure, e)
				} else {
					left = append(left, e)
				}
			}
			r.queue = left
		},
		"wait": func(t *rapid.T) {
			time.Sleep(3 * time.Second) // the position is on disk, and later appends are synced
			r.unsure = nil
			answer(t)
		},
		"close": func(t *rapid.T) {
			r.c.Close()
			if err := r.s.Close(context.Background()); err != nil {
				t.Fatal(err)
			}
			r.queue = append(r.queue, r.waiting...)
			r.waiting, r.unsure = nil, nil
			r.fsys = r.fsys.Reboot()
			r.start(t)
			r.agree(t, nil)
		},
		"crash": func(t *rapid.T) {
			r.fsys.Crash()
			r.c.Close()
			_ = r.s.Close(context.Background())
			maybe := append(r.unsure, r.waiting...)
			r.waiting, r.unsure = nil, nil
			r.fsys = r.fsys.Reboot()
			r.start(t)
			r.agree(t, maybe)
		},
		"": func(t *rapid.T) {
			if len(r.waiting) == 0 {
				r.agree(t, nil)
			}
		},
	}
}
