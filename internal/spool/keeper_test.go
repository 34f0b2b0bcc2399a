package spool_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/halon-extras/kafka/internal/spool"
	"github.com/halon-extras/kafka/internal/spool/faultfs"
)

// counting counts the calls of each kind.
type counting struct {
	mu sync.Mutex
	n  map[faultfs.Op]int
}

func count(fsys *faultfs.FS) *counting {
	c := &counting{n: map[faultfs.Op]int{}}
	fsys.Intercept(func(call faultfs.Call) faultfs.Fault {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.n[call.Op]++
		return faultfs.Fault{}
	})
	return c
}

func (c *counting) of(op faultfs.Op) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n[op]
}

func (c *counting) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.n)
}

func TestAcknowledgementsAreWrittenEachTenthOfASecondAndSyncedEachSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := faultfs.New(1)
		s := open(t, spool.Options{Dir: "/spool", FS: fsys})
		put(t, s, numbered(0, 2000)...)
		calls := count(fsys)
		for seq := range uint64(500) {
			s.Ack(seq + 2) // the first is not, so that nothing is unlinked
		}
		time.Sleep(99 * time.Millisecond)
		synctest.Wait()
		if n := calls.of(faultfs.Write); n != 0 {
			t.Errorf("%d writes within 99 ms", n)
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		if n := calls.of(faultfs.Write); n != 1 || calls.of(faultfs.Sync) != 0 {
			t.Errorf("%d writes, %d syncs after 101 ms", n, calls.of(faultfs.Sync))
		}
		for seq := range uint64(1000) {
			s.Ack(seq + 502)
		}
		synctest.Wait()
		if n := calls.of(faultfs.Write); n != 2 {
			t.Errorf("%d writes after a thousand acknowledgements at once, want 2", n)
		}
		time.Sleep(1100 * time.Millisecond)
		synctest.Wait()
		if n := calls.of(faultfs.Sync); n != 1 {
			t.Errorf("%d syncs after a second", n)
		}
		calls.reset()
		time.Sleep(time.Hour)
		if n := calls.of(faultfs.Write) + calls.of(faultfs.Sync); n != 0 {
			t.Errorf("%d writes and syncs in an idle hour", n)
		}
		closeSpool(t, s)
	})
}

func TestManyAcknowledgementsInOneCallAreWrittenToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := faultfs.New(1)
		s := open(t, spool.Options{Dir: "/spool", FS: fsys})
		put(t, s, numbered(0, 100)...)
		calls := count(fsys)
		s.Ack(5, 6, 7, 8, 9)
		time.Sleep(101 * time.Millisecond)
		synctest.Wait()
		if n := calls.of(faultfs.Write); n != 1 {
			t.Errorf("%d writes", n)
		}
		closeSpool(t, s)
	})
}

// Sync finds its record on the way already, and leaves no haste behind that would swallow the next wake-up.
func TestAnAppendAfterASyncThatCameLateIsWoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := faultfs.New(1)
		s := open(t, spool.Options{Dir: "/spool", FS: fsys})
		put(t, s, "first")
		onSync(fsys, func() { time.Sleep(time.Millisecond) })
		for range 3 {
			if _, err := s.Append([]byte("second"), nil); err != nil {
				t.Fatal(err)
			}
			synctest.Wait() // the sync is under way
			if err := s.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			begin := time.Now()
			put(t, s, "third")
			if took := time.Since(begin); took > 2*time.Millisecond {
				t.Errorf("answered after %v", took)
			}
		}
		closeSpool(t, s)
	})
}

// The slot that was synced is never written over before the other one is synced: a power cut in the middle of a
// write costs what was acknowledged in the last second, and not everything.
func TestAPowerCutLeavesAPositionOfTheLastSecond(t *testing.T) {
	for seed := range either(uint64(30), 2) {
		synctest.Test(t, func(t *testing.T) {
			const records = 4000
			fsys := faultfs.New(seed)
			s := open(t, spool.Options{Dir: "/spool", FS: fsys})
			put(t, s, numbered(0, records)...)
			// A random half: the slot takes many sectors, which a power cut tears, and no two of them are alike.
			r := rand.New(rand.NewPCG(seed, 5))
			order := r.Perm(records)
			for _, i := range order[:records/2] {
				s.Ack(uint64(i + 1))
			}
			time.Sleep(3 * time.Second)
			for _, i := range order[records/2 : records/2+5] {
				s.Ack(uint64(i + 1))
				time.Sleep(150 * time.Millisecond) // written, and not synced
			}
			synctest.Wait()
			fsys.Crash()
			_ = s.Close(t.Context())
			s = open(t, spool.Options{Dir: "/spool", FS: fsys.Reboot()})
			if st := s.Stats(); st.Pending < records/2-5 || st.Pending > records/2 {
				t.Errorf("seed %d: pending %d", seed, st.Pending)
			}
			closeSpool(t, s)
		})
	}
}

func TestSegmentsGoWhenAllInThemIsAcknowledgedAlsoInTheMiddle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := faultfs.New(1)
		s := open(t, small(fsys))
		for _, r := range numbered(0, 200) {
			put(t, s, r+strings.Repeat(".", 100))
		}
		before := s.Stats()
		if before.Segments < 5 {
			t.Fatalf("%d segments", before.Segments)
		}
		// All but the very first and the very last.
		for seq := uint64(2); seq < 200; seq++ {
			s.Ack(seq)
		}
		synctest.Wait()
		if st := s.Stats(); st.Segments != 2 || st.Pending != 2 || st.Bytes > 9<<10 {
			t.Errorf("%+v", st)
		}
		if names := fsys.Names("/spool", ".seg"); len(names) != 2 {
			t.Errorf("on disk: %v", names)
		}
		closeSpool(t, s)
		s = open(t, small(fsys))
		if st := s.Stats(); st.Segments != 2 || st.Pending != 2 || st.Next != 201 {
			t.Errorf("after a reopen: %+v", st)
		}
		s.Ack(1, 200)
		closeSpool(t, s)
		if names := fsys.Names("/spool", ".seg"); len(names) != 0 {
			t.Errorf("nothing is pending, and on disk is: %v", names)
		}
	})
}

func TestAFullSpoolRefusesUntilSomethingIsAcknowledgedOrDropped(t *testing.T) {
	for _, drop := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			fsys := faultfs.New(1)
			opts := small(fsys)
			room := make(chan struct{}, 1)
			opts.Room = func() {
				select {
				case room <- struct{}{}:
				default:
				}
			}
			s := open(t, opts)
			var want []string
			var err error
			for err == nil {
				r := numbered(len(want), len(want)+1)[0] + strings.Repeat(".", 200)
				if err = offer(t, s, r); err == nil {
					want = append(want, r)
				}
			}
			if st := s.Stats(); !errors.Is(err, spool.ErrFull) || st.Bytes+st.Waiting > st.MaxBytes || st.Bytes < st.MaxBytes*9/10 {
				t.Errorf("%v with %+v", err, st)
			}
			var gone int
			if drop {
				gone = int(s.DropOldest(10 << 10))
				if st := s.Stats(); gone < 30 || gone > 60 || st.Dropped != uint64(gone) || st.Bytes+10<<10 > st.MaxBytes {
					t.Errorf("%d dropped, %+v", gone, st)
				}
			} else {
				gone = 20
				for seq := range uint64(gone) {
					s.Ack(seq + 1)
				}
			}
			<-room
			put(t, s, "after")
			c := s.NewCursor()
			got, _ := take(t, c, len(want)-gone+1)
			same(t, got, append(want[gone:], "after"))
			c.Close()
			closeSpool(t, s)
		})
	}
}

func TestDropOldestSealsTheSegmentThatIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, small(faultfs.New(1)))
		put(t, s, numbered(0, 3)...)
		if n := s.DropOldest(1 << 30); n != 0 {
			t.Errorf("%d records dropped from the segment that is written", n)
		}
		synctest.Wait()
		if n := s.DropOldest(1 << 30); n != 3 || s.Stats().Pending != 0 {
			t.Errorf("%d records dropped, want 3; %+v", n, s.Stats())
		}
		put(t, s, "after")
		closeSpool(t, s)
	})
}

func TestAppendLaterIsSyncedAfterItsDelayOrWithTheNextAppend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := faultfs.New(1)
		s := open(t, spool.Options{Dir: "/spool", FS: fsys, LaterDelay: 300 * time.Millisecond})
		put(t, s, "first")
		begin := time.Now()
		var when []time.Duration
		later := func(payload string) {
			if _, err := s.AppendLater([]byte(payload), func(err error) {
				if err != nil {
					t.Error(err)
				}
				when = append(when, time.Since(begin))
			}); err != nil {
				t.Fatal(err)
			}
		}
		later("a")
		time.Sleep(200 * time.Millisecond)
		later("b")
		time.Sleep(200 * time.Millisecond) // at 300 ms both
		later("c")
		time.Sleep(50 * time.Millisecond)
		put(t, s, "now") // at 450 ms
		later("d")
		time.Sleep(10 * time.Millisecond)
		if err := s.Sync(t.Context()); err != nil { // at 460 ms
			t.Error(err)
		}
		synctest.Wait()
		ms := time.Millisecond
		if want := []time.Duration{300 * ms, 300 * ms, 450 * ms, 460 * ms}; !slices.Equal(when, want) {
			t.Errorf("synced at %v, want %v", when, want)
		}
		later("at close")
		closeSpool(t, s)
		if len(when) != 5 {
			t.Error("close does not sync what waits")
		}
	})
}

// One sync serves all that wait: while one runs, the next batch gathers.
func TestOneSyncServesAllThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := faultfs.New(1)
		s := open(t, spool.Options{Dir: "/spool", FS: fsys})
		put(t, s, "first")
		syncs := 0
		onSync(fsys, func() {
			syncs++
			time.Sleep(time.Millisecond)
		})
		begin := time.Now()
		var wg sync.WaitGroup
		for range 512 {
			wg.Go(func() {
				if err := offer(t, s, "record"); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if syncs > 2 || time.Since(begin) > 2*time.Millisecond {
			t.Errorf("%d syncs, %v", syncs, time.Since(begin))
		}
		closeSpool(t, s)
	})
}

func TestEveryNamedPointIsReached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		reached := map[string]int{}
		opts := small(faultfs.New(1))
		opts.Point = func(name string) {
			mu.Lock()
			defer mu.Unlock()
			reached[name]++
		}
		s := open(t, opts)
		for seq := range uint64(50) {
			put(t, s, strings.Repeat("x", 300))
			s.Ack(seq + 1)
		}
		closeSpool(t, s)
		for _, name := range spool.Points() {
			if reached[name] == 0 {
				t.Errorf("%s is never reached", name)
			}
			delete(reached, name)
		}
		if len(reached) > 0 {
			t.Errorf("not in the list: %v", reached)
		}
	})
}
