package spool_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/halon-extras/kafka/internal/spool"
	"github.com/halon-extras/kafka/internal/spool/faultfs"
)

// failing makes calls of these kinds fail until the returned function is called.
func failing(fsys *faultfs.FS, err error, ops ...faultfs.Op) (heal func()) {
	failIf(fsys, err, func(c faultfs.Call) bool { return slices.Contains(ops, c.Op) })
	return func() { fsys.Intercept(nil) }
}

// failIf makes the calls fail that it chooses.
func failIf(fsys *faultfs.FS, err error, chosen func(faultfs.Call) bool) {
	fsys.Intercept(func(c faultfs.Call) faultfs.Fault {
		if chosen(c) {
			return faultfs.Fault{Err: err}
		}
		return faultfs.Fault{}
	})
}

// onSync calls before at the begin of each sync of a file, which waits for it.
func onSync(fsys *faultfs.FS, before func()) {
	fsys.Intercept(func(c faultfs.Call) faultfs.Fault {
		if c.Op == faultfs.Sync {
			before()
		}
		return faultfs.Fault{}
	})
}

// offer appends one payload and returns its answer.
func offer(t testing.TB, s *spool.Spool, payload string) error {
	t.Helper()
	answer := make(chan error, 1)
	if _, err := s.Append([]byte(payload), func(err error) { answer <- err }); err != nil {
		return err
	}
	return <-answer
}

func small(fsys *faultfs.FS) spool.Options {
	return spool.Options{Dir: "/spool", FS: fsys, MaxBytes: 64 << 10, SegmentBytes: 4 << 10}
}

// reopened returns what is left after a power cut.
func reopened(t testing.TB, fsys *faultfs.FS) []string {
	t.Helper()
	got, _ := drain(t, fsys.Reboot())
	return got
}

func TestADiskThatTakesFiveSecondsForASyncBlocksNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := faultfs.New(1)
		opts := small(fsys)
		opts.MaxWaiting, opts.SegmentBytes = 4<<10, 16<<10
		room := make(chan struct{}, 1)
		opts.Room = func() { room <- struct{}{} }
		s := open(t, opts)
		put(t, s, "first") // so that no segment has to be created
		onSync(fsys, func() { time.Sleep(5 * time.Second) })
		begin := time.Now()
		answers := make(chan error, 1000)
		taken, refused := 0, error(nil)
		for refused == nil {
			if _, refused = s.Append(make([]byte, 200), func(err error) { answers <- err }); refused == nil {
				taken++
			}
		}
		if !errors.Is(refused, spool.ErrBusy) || time.Since(begin) != 0 || taken < 10 {
			t.Errorf("%d taken, then %v after %v", taken, refused, time.Since(begin))
		}
		if st := s.Stats(); st.Waiting > opts.MaxWaiting || st.Refused != 1 {
			t.Errorf("%+v", st)
		}
		<-room
		for range taken {
			if err := <-answers; err != nil {
				t.Error(err)
			}
		}
		if took := time.Since(begin); took < 5*time.Second || took > 16*time.Second {
			t.Errorf("answered after %v", took)
		}
		closeSpool(t, s)
	})
}

// The first failed sync poisons its segment. The kernel may say that the next one succeeds: it must not be asked.
func TestAFailedSyncIsNotTriedAgainOnTheSameFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := faultfs.New(1)
		s := open(t, small(fsys))
		put(t, s, "before")
		failed := ""
		fsys.Intercept(func(c faultfs.Call) faultfs.Fault {
			if c.Op == faultfs.Sync && failed == "" {
				failed = c.Name
				return faultfs.Fault{Err: syscall.EIO}
			}
			if failed == c.Name && (c.Op == faultfs.Sync || c.Op == faultfs.Write) {
				t.Errorf("%s on a poisoned segment", c.Op)
			}
			return faultfs.Fault{}
		})
		put(t, s, "rewritten")
		put(t, s, "after")
		if st := s.Stats(); st.Poisoned != 1 || st.Degraded != nil || st.Failed != 0 || st.Stored != 3 {
			t.Errorf("%+v", st)
		}
		c := s.NewCursor()
		got, _ := take(t, c, 3)
		same(t, got, []string{"before", "rewritten", "after"})
		c.Close()
		fsys.Crash()
		_ = s.Close(t.Context())
		same(t, reopened(t, fsys), []string{"before", "rewritten", "after"})
	})
}

func TestADiskThatFailsForGoodDegradesTheSpoolUntilItIsBack(t *testing.T) {
	for _, fault := range []struct {
		err    error
		ops    []faultfs.Op
		advice string
	}{
		{syscall.EIO, []faultfs.Op{faultfs.Sync}, "check the disk"},
		{syscall.EIO, []faultfs.Op{faultfs.Write}, "check the disk"},
		{syscall.ENOSPC, []faultfs.Op{faultfs.Write, faultfs.Preallocate}, "the disk is full"},
		{syscall.EACCES, []faultfs.Op{faultfs.Write, faultfs.Create}, "may not be written"},
		{syscall.EROFS, []faultfs.Op{faultfs.Write, faultfs.Create, faultfs.Sync, faultfs.SyncDir}, "check the disk"},
	} {
		t.Run(fault.err.Error(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fsys := faultfs.New(1)
				var log bytes.Buffer
				opts := small(fsys)
				opts.Log = slog.New(slog.NewTextHandler(&log, nil))
				rooms := 0
				opts.Room = func() { rooms++ }
				s := open(t, opts)
				put(t, s, "before")
				heal := failing(fsys, fault.err, fault.ops...)
				if err := offer(t, s, "lost"); !errors.Is(err, spool.ErrDegraded) || !errors.Is(err, fault.err) {
					t.Errorf("the record under way is answered %v", err)
				}
				for range 600 {
					time.Sleep(time.Second)
					if err := offer(t, s, "refused"); !errors.Is(err, spool.ErrDegraded) || !strings.Contains(err.Error(), fault.advice) {
						t.Fatalf("after %d: %v", s.Stats().Degradations, err)
					}
				}
				synctest.Wait() // nobody writes to the log or counts rooms meanwhile
				if n := strings.Count(log.String(), "nothing can be stored"); n < 9 || n > 12 {
					t.Errorf("%d lines in ten minutes, want one a minute:\n%s", n, log.String())
				}
				// What is there is delivered and acknowledged meanwhile.
				c := s.NewCursor()
				got, seqs := take(t, c, 1)
				same(t, got, []string{"before"})
				s.Ack(seqs...)
				heal()
				time.Sleep(2 * time.Second)
				synctest.Wait()
				put(t, s, "after")
				synctest.Wait()
				if rooms == 0 {
					t.Error("nobody heard that there is room again")
				}
				got, _ = take(t, c, 1)
				same(t, got, []string{"after"})
				if st := s.Stats(); st.Degraded != nil || st.Failed != 1 || st.Refused != 600 || st.Pending != 1 {
					t.Errorf("%+v", st)
				}
				c.Close()
				closeSpool(t, s)
			})
		})
	}
}

func TestADiskThatIsFullIsFoundBeforeTheSegmentAndFreedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := faultfs.New(1)
		s := open(t, small(fsys))
		put(t, s, "first")
		fsys.SetCapacity(150 << 10) // the position file has 128 KiB
		var err error
		stored := 1
		for err == nil {
			if err = offer(t, s, strings.Repeat("x", 500)); err == nil {
				stored++
			}
		}
		if !errors.Is(err, spool.ErrDegraded) || !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
		c := s.NewCursor()
		_, seqs := take(t, c, stored)
		s.Ack(seqs...) // unlinks, which makes the room
		time.Sleep(5 * time.Second)
		synctest.Wait()
		put(t, s, "after")
		c.Close()
		closeSpool(t, s)

		// A start needs no space at all.
		fsys.SetCapacity(1)
		s = open(t, small(fsys))
		c = s.NewCursor()
		got, seqs := take(t, c, 1)
		same(t, got, []string{"after"})
		s.Ack(seqs...)
		c.Close()
		closeSpool(t, s)
	})
}

// A disk with less space than a segment has is used nevertheless, and to its end.
func TestADiskWithLittleSpaceGetsSmallerSegments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, free := range []int64{1, 20, 25, 30, 100} {
			fsys := faultfs.New(1)
			fsys.SetCapacity(free << 20)
			opts := spool.Options{Dir: "/spool", FS: fsys} // 64 MiB a segment
			s := open(t, opts)
			payload := strings.Repeat("x", 20<<10)
			var stored int64
			err := offer(t, s, payload)
			for ; err == nil; err = offer(t, s, payload) {
				stored += int64(len(payload))
			}
			if !errors.Is(err, syscall.ENOSPC) || stored < free<<20-800<<10 {
				t.Errorf("%d MiB: %d bytes are stored, then %v", free, stored, err)
			}
			c := s.NewCursor()
			_, seqs := take(t, c, int(stored)/len(payload))
			s.Ack(seqs...)
			time.Sleep(5 * time.Second)
			put(t, s, "after")
			c.Close()
			closeSpool(t, s)
		}
	})
}

func TestAFolderThatVanishesAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := faultfs.New(1)
		s := open(t, small(fsys))
		want := []string{"before"}
		put(t, s, "before")
		fsys.Hide("/spool")
		// Files that are open go on; the next segment cannot be created.
		var err error
		for err == nil {
			payload := strings.Repeat("y", 300)
			if err = offer(t, s, payload); err == nil {
				want = append(want, payload)
			}
		}
		if !errors.Is(err, spool.ErrDegraded) || !strings.Contains(err.Error(), "the folder is gone") {
			t.Errorf("%v", err)
		}
		fsys.Show("/spool")
		time.Sleep(2 * time.Second)
		synctest.Wait()
		put(t, s, "after")
		closeSpool(t, s)
		same(t, reopened(t, fsys), append(want, "after"))
	})
}

// Somebody removes the folder: nothing is acknowledged that goes to a file without a name.
func TestAFolderThatIsRemovedAndRecreated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := faultfs.New(1)
		s := open(t, small(fsys))
		put(t, s, "lost with the folder")
		fsys.RemoveAll("/spool")
		if err := offer(t, s, "x"); !errors.Is(err, spool.ErrDegraded) {
			t.Errorf("answered %v", err)
		}
		time.Sleep(time.Minute)
		if err := offer(t, s, "x"); !errors.Is(err, spool.ErrDegraded) {
			t.Errorf("answered %v: the folder must not be made by the spool", err)
		}
		if err := fsys.MkdirAll("/spool"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		put(t, s, "after")
		if _, err := spool.Open(small(fsys)); !errors.Is(err, spool.ErrLocked) {
			t.Errorf("the new folder is not locked: %v", err)
		}
		c := s.NewCursor()
		defer c.Close()
		// The first is in memory still; its delivery and the position go on in the new folder.
		got, seqs := take(t, c, 2)
		same(t, got, []string{"lost with the folder", "after"})
		s.Ack(seqs[0])
		closeSpool(t, s)
		same(t, reopened(t, fsys), []string{"after"})
	})
}

// A disk that cannot be read is waited for; giving up its records would lose the backlog.
func TestADiskThatCannotBeReadForAWhileLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newImage(t, 60, 0)
		fsys := m.disk()
		s := open(t, small(fsys))
		heal := failing(fsys, syscall.EIO, faultfs.Read, faultfs.Open)
		go func() {
			time.Sleep(10 * time.Minute)
			heal()
		}()
		c := s.NewCursor()
		got, _ := take(t, c, 60)
		same(t, got, m.records)
		c.Close()
		if st := s.Stats(); st.Missing != 0 || st.Corrupt != 0 {
			t.Errorf("%+v", st)
		}
		closeSpool(t, s)
	})
}

// The disk comes back between a failure to read and the look at whether the rest of the disk can be read: the look must not count
// against the place that failed.
func TestADiskThatComesBackAtAnyReadLosesNothing(t *testing.T) {
	long := faultfs.New(1) // with a segment that can be read at many places
	s := open(t, spool.Options{Dir: "/spool", FS: long, MaxBytes: 1 << 20, SegmentBytes: 64 << 10})
	records := newImageRecords(600)
	put(t, s, records...)
	closeSpool(t, s)
	for _, test := range []struct {
		image image
		ops   []faultfs.Op
	}{
		{newImage(t, 60, 0), []faultfs.Op{faultfs.Read}},
		{newImage(t, 60, 0), []faultfs.Op{faultfs.Read, faultfs.Open}},
		{imageOf(long, records), []faultfs.Op{faultfs.Read}},
	} {
		m, ops := test.image, test.ops
		for failures := range int32(60) {
			synctest.Test(t, func(t *testing.T) {
				fsys := m.disk()
				s := open(t, small(fsys))
				c := s.NewCursor()
				var failed atomic.Int32
				failIf(fsys, syscall.EIO, func(c faultfs.Call) bool { return slices.Contains(ops, c.Op) && failed.Add(1) <= failures })
				var got []string
				for len(got) < len(m.records) && s.Stats().Missing == 0 {
					more, _ := take(t, c, 1)
					got = append(got, more...)
				}
				if st := s.Stats(); st.Missing != 0 || st.Corrupt != 0 || len(got) != len(m.records) {
					t.Errorf("after %d failures of %v %d of %d came, %+v", failures, ops, len(got), len(m.records), st)
				}
				c.Close()
				closeSpool(t, s)
			})
		}
	}
}

// A part of one file that cannot be read for some seconds, while all else can, is not given up at once.
func TestAPageThatCanBeReadAgainIsNotGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newImage(t, 60, 0)
		fsys := m.disk()
		s := open(t, small(fsys))
		begin := time.Now()
		failIf(fsys, syscall.EIO, func(c faultfs.Call) bool {
			return c.Op == faultfs.Read && c.Off >= spool.SegmentStart && time.Since(begin) < 3*time.Second
		})
		c := s.NewCursor()
		got, _ := take(t, c, 60)
		same(t, got, m.records)
		c.Close()
		closeSpool(t, s)
	})
}

// One bad page, while the rest of the file can be read, is given up after a while.
func TestAPageThatCannotBeReadIsSteppedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newImage(t, 60, 0)
		fsys := m.disk()
		s := open(t, small(fsys))
		victim := "/spool/" + m.segments()[1]
		failIf(fsys, syscall.EIO, func(c faultfs.Call) bool {
			return c.Op == faultfs.Read && c.Name == victim && c.Off >= spool.SegmentStart
		})
		c := s.NewCursor()
		defer c.Close()
		var got []string
		for s.Stats().Frontier < 61 {
			more, seqs := take(t, c, 1)
			got = append(got, more...)
			s.Ack(seqs...)
		}
		lost := missing(t, got, m.records)
		if st := s.Stats(); len(lost) == 0 || len(lost) > 25 || st.Missing != uint64(len(lost)) || st.Corrupt == 0 {
			t.Errorf("%d lost, stats %+v", len(lost), st)
		}
		fsys.Intercept(nil)
		closeSpool(t, s)
		if _, ok := fsys.Get(victim + ".bad"); !ok {
			t.Error("the segment with the bad page is not kept")
		}
	})
}

func TestCloseGivesUpOnADiskThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := faultfs.New(1)
		s := open(t, small(fsys))
		put(t, s, "first")
		release := make(chan struct{})
		onSync(fsys, func() { <-release })
		answered := make(chan error, 1)
		if _, err := s.Append([]byte("second"), func(err error) { answered <- err }); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		begin := time.Now()
		if err := s.Close(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		if _, err := s.Append(nil, nil); !errors.Is(err, spool.ErrClosed) {
			t.Errorf("append after close: %v", err)
		}
		close(release)
		if err := <-answered; err != nil {
			t.Error(err)
		}
		closeSpool(t, s) // the second call waits for the same end
		same(t, reopened(t, fsys), []string{"first", "second"})
	})
}
