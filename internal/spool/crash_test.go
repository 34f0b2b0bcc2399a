package spool_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/halon-extras/kafka/internal/spool"
	"github.com/halon-extras/kafka/internal/spool/faultfs"
)

var crashSeed = flag.Uint64("crashseed", 0, "run TestCrashAtRandom with this seed only")

var crashes = flag.Int("crashes", 400, "random crashes in TestCrashAtRandom")

// The model: what was answered with nil is there after reopening until it is acknowledged, in the order in which it
// was appended, and nothing is there that nobody appended. What was answered with an error, or not at all, may be
// there. What was acknowledged may come again after a crash, but not after an orderly close.
type model struct {
	tick     atomic.Int64
	issued   int // records appended so far; their numbers are in their payloads
	promised map[int]bool
	done     map[int]bool // acknowledged or dropped
	gone     map[int]bool // likewise, and not delivered again since
	answers  map[int]int  // how often done was called
	read     int          // records that came back, each time that they did
	seq      map[int]uint64
	number   map[uint64]int
	last     map[stamp]int // which record a sequence and a time name
}

type stamp struct {
	seq uint64
	ns  int64
}

func newModel() *model {
	return &model{
		promised: map[int]bool{}, done: map[int]bool{}, gone: map[int]bool{}, answers: map[int]int{},
		seq: map[int]uint64{}, number: map[uint64]int{}, last: map[stamp]int{},
	}
}

// body is the payload of record n: its number, then bytes that follow from it.
func body(n int) []byte {
	r := rand.New(rand.NewPCG(uint64(n), 7))
	size := r.IntN(200)
	if r.IntN(8) == 0 {
		size = r.IntN(6000)
	}
	b := append([]byte(strconv.Itoa(n)), ':')
	for range size {
		b = append(b, byte(r.Uint32()))
	}
	return b
}

func (m *model) recognise(f spool.Frame) (int, error) {
	head, _, ok := bytes.Cut(f.Payload, []byte(":"))
	n, err := strconv.Atoi(string(head))
	if !ok || err != nil || n < 0 || n >= m.issued || !bytes.Equal(body(n), f.Payload) {
		return 0, fmt.Errorf("sequence %d was invented: %d bytes, %.40q", f.Seq, len(f.Payload), f.Payload)
	}
	return n, nil
}

// drain reads all that is left and checks it against the model.
func (m *model) drain(s *spool.Spool, clean bool) (frames []spool.Frame, err error) {
	c := s.NewCursor()
	defer c.Close()
	seen := map[int]bool{}
	last, lastSeq := -1, uint64(0)
	for tries := 0; ; {
		b, err := c.TryNext()
		if err != nil {
			if tries++; tries > 10 {
				return nil, fmt.Errorf("reading: %w", err)
			}
			continue
		}
		if b == nil {
			break
		}
		for _, f := range b.Frames {
			n, err := m.recognise(f)
			if err != nil {
				return nil, err
			}
			if n <= last || f.Seq <= lastSeq {
				return nil, fmt.Errorf("record %d (sequence %d) comes after %d (%d)", n, f.Seq, last, lastSeq)
			}
			last, lastSeq = n, f.Seq
			if was, known := m.last[stamp{f.Seq, f.Time.UnixNano()}]; known && was != n {
				return nil, fmt.Errorf("sequence and time of record %d named %d before", n, was)
			}
			m.last[stamp{f.Seq, f.Time.UnixNano()}] = n
			if clean && m.gone[n] {
				return nil, fmt.Errorf("record %d was acknowledged before an orderly close and came again (frontier %d)", n, s.Stats().Frontier)
			}
			seen[n] = true
			m.read++
			delete(m.gone, n)
			m.seq[n], m.number[f.Seq] = f.Seq, n
			frames = append(frames, spool.Frame{Seq: f.Seq, Time: f.Time})
		}
		b.Release()
	}
	for n := range m.promised {
		if !m.done[n] && !seen[n] {
			return nil, fmt.Errorf("record %d (sequence %d) was answered \"stored\" and is lost; stats %+v", n, m.seq[n], s.Stats())
		}
	}
	return frames, nil
}

// life is one process: open, check, work, and an end that is orderly or a crash.
func (m *model) life(fsys *faultfs.FS, r *rand.Rand, clean bool, opts spool.Options) (closed bool, err error) {
	s, err := spool.Open(opts)
	if err != nil {
		if fsys.Crashed() {
			return false, nil
		}
		fsys.Intercept(nil)
		if s, err = spool.Open(opts); err != nil {
			return false, fmt.Errorf("open: %w", err)
		}
	}
	defer s.Close(context.Background())
	left, err := m.drain(s, clean)
	if err != nil && !fsys.Crashed() {
		return false, err
	}
	for range r.IntN(12) {
		switch r.IntN(10) {
		default:
			if err := m.put(s, 1+r.IntN(6), r); err != nil {
				return false, err
			}
		case 0, 1, 2:
			left = m.ack(s, left, r)
		case 3:
			if s.DropOldest(s.Stats().MaxBytes) > 0 {
				front := s.Stats().Frontier
				for n, seq := range m.seq {
					if seq < front && m.number[seq] == n {
						m.done[n], m.gone[n] = true, true
					}
				}
			}
		case 4:
			time.Sleep(time.Duration(r.IntN(200)) * time.Millisecond) // timers of the keeper and of a probe
			synctest.Wait()
		case 5:
			if left, err = m.drain(s, false); err != nil && !fsys.Crashed() {
				return false, err
			}
		}
	}
	if r.IntN(3) > 0 {
		fsys.Crash()
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	err = s.Close(ctx)
	if ctx.Err() != nil {
		return false, fmt.Errorf("close hangs: %w", err)
	}
	for n, times := range m.answers {
		if times != 1 {
			return false, fmt.Errorf("record %d was answered %d times", n, times)
		}
	}
	clear(m.answers)
	return err == nil, nil
}

// put appends n records, and mostly waits for their answers.
func (m *model) put(s *spool.Spool, n int, r *rand.Rand) error {
	answers := make(chan func(), n)
	waiting := 0
	for range n {
		id := m.issued
		m.issued++
		appendTo := s.Append
		if r.IntN(6) == 0 {
			appendTo = s.AppendLater
		}
		seq, err := appendTo(body(id), func(err error) {
			answers <- func() {
				m.answers[id]++
				if err == nil {
					m.promised[id] = true
				}
			}
		})
		switch {
		case err == nil:
			waiting++
			m.seq[id], m.number[seq] = seq, id
		case !errors.Is(err, spool.ErrFull) && !errors.Is(err, spool.ErrDegraded) && !errors.Is(err, spool.ErrBusy):
			return fmt.Errorf("append: %w", err)
		}
	}
	for ; waiting > 0; waiting-- {
		(<-answers)()
	}
	return nil
}

// ack acknowledges some of left, in any order, and returns the others.
func (m *model) ack(s *spool.Spool, left []spool.Frame, r *rand.Rand) []spool.Frame {
	var kept []spool.Frame
	all := r.IntN(3) == 0
	for _, i := range r.Perm(len(left)) {
		if all || r.IntN(2) == 0 {
			n := m.number[left[i].Seq]
			m.done[n], m.gone[n] = true, true
			s.Ack(left[i].Seq)
		} else {
			kept = append(kept, left[i])
		}
	}
	return kept
}

func (m *model) options(fsys *faultfs.FS, r *rand.Rand) spool.Options {
	opts := spool.Options{Dir: "/spool", FS: fsys, MaxBytes: 64 << 10, SegmentBytes: 4 << 10}
	// The clock of a bubble stands still, which no machine's does from one record to the next.
	opts.Now = func() time.Time { return time.Now().Add(time.Duration(m.tick.Add(1))) }
	if r.IntN(4) > 0 {
		opts = spool.Eagerly(opts)
	}
	return opts
}

// tally is what a run did.
type tally struct {
	crashes, appended, stored, read int64
}

// crashOnce runs a few lives on one disk.
func crashOnce(seed uint64) (n tally, err error) {
	r := rand.New(rand.NewPCG(seed, 1))
	m := newModel()
	defer func() { n.appended, n.stored, n.read = int64(m.issued), int64(len(m.promised)), int64(m.read) }()
	fsys := faultfs.New(seed)
	clean := false
	for range 2 + r.IntN(3) {
		faulty := r.IntN(2) == 0
		fsys.Intercept(randomFaults(r, faulty))
		closed, err := m.life(fsys, r, clean && !faulty, m.options(fsys, r))
		if err != nil {
			return n, fmt.Errorf("seed %d: %w", seed, err)
		}
		clean = closed && !faulty
		if !closed || fsys.Crashed() || r.IntN(2) == 0 {
			fsys = fsys.Reboot()
			n.crashes++
		} else {
			fsys.Intercept(nil)
		}
	}
	// The last one only looks.
	s, err := spool.Open(m.options(fsys, r))
	if err != nil {
		return n, fmt.Errorf("seed %d: last open: %w", seed, err)
	}
	defer s.Close(context.Background())
	if _, err := m.drain(s, clean); err != nil {
		return n, fmt.Errorf("seed %d: %w", seed, err)
	}
	return n, nil
}

// randomFaults returns an interceptor that crashes at some call and, when faulty, fails others before.
func randomFaults(r *rand.Rand, faulty bool) func(faultfs.Call) faultfs.Fault {
	crashAt := 1 + r.IntN(150)
	own := rand.New(rand.NewPCG(r.Uint64(), 2)) // calls come from several goroutines, one at a time each
	mu := make(chan struct{}, 1)
	calls, reads := 0, 0
	return func(c faultfs.Call) faultfs.Fault {
		mu <- struct{}{}
		defer func() { <-mu }()
		calls++
		if calls == crashAt {
			return faultfs.Fault{Crash: true}
		}
		if !faulty || own.IntN(20) > 0 {
			return faultfs.Fault{}
		}
		if c.Op == faultfs.Read {
			// A place that fails again and again is given up rightly: not what is tested here.
			if reads++; reads > 3 {
				return faultfs.Fault{}
			}
		}
		return faultOf(c.Op, own.IntN(3))
	}
}

func faultOf(op faultfs.Op, kind int) faultfs.Fault {
	switch {
	case kind == 0 && op == faultfs.Write:
		return faultfs.Fault{Err: syscall.EIO, Short: true}
	case kind == 1 && op != faultfs.Read && op != faultfs.Sync:
		return faultfs.Fault{Err: syscall.ENOSPC}
	}
	return faultfs.Fault{Err: syscall.EIO}
}

// TestCrashAtRandom is also the long run: make crash N=100000.
func TestCrashAtRandom(t *testing.T) {
	if *crashSeed != 0 {
		synctest.Test(t, func(t *testing.T) {
			if _, err := crashOnce(*crashSeed); err != nil {
				t.Error(err)
			}
		})
		return
	}
	begin := time.Now()
	var seed, crashed, appended, stored, read atomic.Int64
	workers := 2
	t.Run("workers", func(t *testing.T) {
		for range workers {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				for crashed.Load() < int64(*crashes) && !t.Failed() {
					synctest.Test(t, func(t *testing.T) {
						n, err := crashOnce(uint64(seed.Add(1)))
						crashed.Add(n.crashes)
						appended.Add(n.appended)
						stored.Add(n.stored)
						read.Add(n.read)
						if err != nil {
							t.Error(err)
						}
					})
				}
			})
		}
	})
	if t.Failed() {
		return
	}
	t.Logf("crash: %d crashes on %d disks, %d records appended, %d answered \"stored\", %d read back, 0 lost, 0 invented, order kept; %.0f crashes a second",
		crashed.Load(), seed.Load(), appended.Load(), stored.Load(), read.Load(), float64(crashed.Load())/time.Since(begin).Seconds())
}

// TestCrashAtEveryCall repeats one script and stops the machine at its first call, its second, and so on; then it
// fails each call instead, in each way that fits.
func TestCrashAtEveryCall(t *testing.T) {
	faults := map[string]func(faultfs.Op) faultfs.Fault{
		"crash":       func(faultfs.Op) faultfs.Fault { return faultfs.Fault{Crash: true} },
		"short write": func(op faultfs.Op) faultfs.Fault { return faultOf(op, 0) },
		"disk full":   func(op faultfs.Op) faultfs.Fault { return faultOf(op, 1) },
		"error":       func(op faultfs.Op) faultfs.Fault { return faultOf(op, 2) },
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			for at := 1; ; at++ {
				hit := false
				synctest.Test(t, func(t *testing.T) {
					var err error
					if hit, err = script(at, fault); err != nil {
						t.Errorf("call %d: %v", at, err)
					}
				})
				if t.Failed() || !hit {
					break
				}
				calls++
			}
			if calls < 50 {
				t.Errorf("the script has only %d calls", calls)
			}
			t.Logf("crash: %s at each of %d calls to the disk, one a run: 0 lost, 0 invented, order kept", name, calls)
		})
	}
}

// script is the scripted run. It reports whether it came as far as the call.
func script(at int, fault func(faultfs.Op) faultfs.Fault) (hit bool, err error) {
	m := newModel()
	fsys := faultfs.New(uint64(at))
	var calls atomic.Int64
	var struck atomic.Bool
	strike := func(c faultfs.Call) faultfs.Fault {
		if calls.Add(1) == int64(at) {
			struck.Store(true)
			return fault(c.Op)
		}
		return faultfs.Fault{}
	}
	for life := range 5 {
		fsys.Intercept(strike)
		if life == 4 {
			fsys.Intercept(nil)
		}
		// The same choices in every run: only the call that is struck differs.
		r := rand.New(rand.NewPCG(uint64(life), 3))
		opts := spool.Eagerly(spool.Options{Dir: "/spool", FS: fsys, MaxBytes: 64 << 10, SegmentBytes: 4 << 10})
		closed, err := m.life(fsys, r, false, opts)
		if err != nil {
			return true, fmt.Errorf("life %d: %w", life, err)
		}
		if !closed || fsys.Crashed() {
			fsys = fsys.Reboot()
		}
	}
	return struck.Load(), nil
}
