package spool_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/halon-extras/kafka/internal/spool"
	"github.com/halon-extras/kafka/internal/spool/faultfs"
)

// judge opens a damaged folder and holds what comes back against what was answered: each record is delivered, or counted, logged, and
// told by Check. It returns how many are lost.
func judge(t *testing.T, what string, damaged image) (lost int) {
	t.Helper()
	fsys := damaged.disk()
	check, err := spool.Check(fsys, "/spool")
	if err != nil {
		t.Errorf("%s: check: %v", what, err)
	}
	var log bytes.Buffer
	got, st := drainWith(t, spool.Options{
		Dir: "/spool", FS: fsys, MaxBytes: 1 << 20, SegmentBytes: 4 << 10, Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	lost = len(missing(t, got, damaged.records))
	if st.Missing != uint64(lost) {
		t.Errorf("%s: %d records are lost, and %d are counted", what, lost, st.Missing)
	}
	if check.Missing != uint64(lost) {
		t.Errorf("%s: %d records are lost, and check finds %d missing: %+v", what, lost, check.Missing, check)
	}
	logged := 0
	for _, found := range regexp.MustCompile(`they are lost" .*"(\d+) message`).FindAllStringSubmatch(log.String(), -1) {
		n, err := strconv.Atoi(found[1])
		if err != nil {
			t.Error(err)
		}
		logged += n
	}
	if logged != lost {
		t.Errorf("%s: %d records are lost, and the log says\n%s", what, lost, &log)
	}
	return lost
}

// The first KiB or page of a segment, the last one too, after an orderly stop and after a kill: what stands behind it is delivered.
func TestZerosAtTheBeginOfASegmentLoseOnlyWhatIsInThem(t *testing.T) {
	for kind, m := range map[string]image{"stopped": newImage(t, 60, 3), "killed": newKilledImage(t, 60, 3)} {
		for i, name := range m.segments() {
			for size, most := range map[int]int{1: 0, 64: 0, 512: 0, 1024: 0, 1536: 10, 3072: 25} {
				what := fmt.Sprintf("%s, segment %d of %d, %d bytes", kind, i+1, len(m.segments()), size)
				lost := judge(t, what, m.with(name, func(b []byte) []byte {
					clear(b[:size])
					return b
				}))
				if lost > most || size > 1024 && lost == 0 && i > 0 {
					t.Errorf("%s: %d records are lost", what, lost)
				}
			}
			for _, size := range []int{0, 8, 512, 1000, 1024, 1100, 2000} {
				judge(t, fmt.Sprintf("%s, segment %d without a header, cut to %d bytes", kind, i+1, size), m.with(name, func(b []byte) []byte {
					clear(b[:min(len(b), spool.SegmentStart)])
					return b[:size]
				}))
			}
			all := judge(t, kind+", all of "+name, m.with(name, func(b []byte) []byte { return make([]byte, len(b)) }))
			if gone := judge(t, kind+", without "+name, m.with(name, func([]byte) []byte { return nil })); gone != all || gone == 0 {
				t.Errorf("%s, %s: %d records are lost with the file, %d with its bytes", kind, name, gone, all)
			}
		}
	}
}

// Files that are gone, one or more of them.
func TestRemovedSegmentsAreCountedAndLogged(t *testing.T) {
	for kind, m := range map[string]image{"stopped": newImage(t, 80, 3), "killed": newKilledImage(t, 80, 3)} {
		names := m.segments()
		for set := range 1 << len(names) {
			damaged := image{maps.Clone(m.files), m.records}
			for i, name := range names {
				if set>>i&1 == 1 {
					delete(damaged.files, name)
				}
			}
			lost := judge(t, fmt.Sprintf("%s, without %b", kind, set), damaged)
			if set == 1<<len(names)-1 && lost != len(m.records) || set == 0 && lost != 0 {
				t.Errorf("%s, without %b: %d records are lost", kind, set, lost)
			}
		}
	}
}

// firstOf is the sequence in the name of a segment.
func firstOf(t *testing.T, name string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimSuffix(name[strings.Index(name, "-")+1:], ".seg"))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Two segments under each other's names: neither is taken for what it is not, and both are kept.
func TestSwappedSegmentsAreKept(t *testing.T) {
	m := newImage(t, 60, 0)
	names := m.segments()
	for i, one := range names {
		for _, two := range names[i+1:] {
			damaged := m.with(one, func([]byte) []byte { return m.files[two] }).with(two, func([]byte) []byte { return m.files[one] })
			fsys := damaged.disk()
			if lost := judge(t, one+" and "+two, damaged); lost == 0 {
				t.Errorf("%s and %s: nothing is lost?", one, two)
			}
			got, _ := drain(t, fsys)
			for name, was := range map[string]string{one: two, two: one} {
				next := len(m.records) + 1
				if i := slices.Index(names, was) + 1; i < len(names) {
					next = firstOf(t, names[i])
				}
				lost := slices.ContainsFunc(m.records[firstOf(t, was)-1:next-1], func(r string) bool { return !slices.Contains(got, r) })
				if kept, ok := fsys.Get("/spool/" + name + ".bad"); lost && (!ok || !bytes.Equal(kept, m.files[was])) {
					t.Errorf("%s under the name of %s is neither delivered nor kept", was, name)
				}
			}
		}
	}
}

// One damaged slot of the position makes the other one serve, which is older: what it takes for needed was delivered and is gone.
func TestAnOlderPositionMakesNoLossOfWhatWasDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := faultfs.New(1)
		s := open(t, small(fsys))
		for round := range 40 {
			put(t, s, numbered(10*round, 10*round+10)...)
			for seq := range uint64(10) {
				s.Ack(uint64(10*round) + seq + 1)
			}
			if round%3 == 0 {
				time.Sleep(1100 * time.Millisecond)
			}
			synctest.Wait()
			m := imageOf(fsys, nil)
			for slot := range 2 {
				damaged := m.with("position", func(b []byte) []byte {
					clear(b[slot*spool.PositionSlot : (slot+1)*spool.PositionSlot])
					return b
				})
				disk := damaged.disk()
				check, err := spool.Check(disk, "/spool")
				if err != nil || check.Missing > 0 {
					t.Errorf("round %d, without slot %d: %d missing, %v", round, slot, check.Missing, err)
				}
				if _, st := drain(t, disk); st.Missing > 0 {
					t.Errorf("round %d, without slot %d: %d missing", round, slot, st.Missing)
				}
			}
		}
		closeSpool(t, s)
	})
}

// What was answered with an error leaves a hole in the sequences. No hole is called a loss, whenever the process is killed behind it.
func TestRecordsThatWereRefusedAreNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := faultfs.New(1)
		s := open(t, small(fsys))
		put(t, s, numbered(0, 10)...)
		heal := failing(fsys, syscall.EIO, faultfs.Sync)
		if err := offer(t, s, "refused"); !errors.Is(err, spool.ErrDegraded) {
			t.Fatal(err)
		}
		heal()
		time.Sleep(5 * time.Second)
		put(t, s, numbered(10, 20)...)
		m := imageOf(fsys, numbered(0, 20))
		if lost := judge(t, "killed at once", m); lost > 0 {
			t.Errorf("%d are lost", lost)
		}
		closeSpool(t, s)
		if lost := judge(t, "stopped", imageOf(fsys, numbered(0, 20))); lost > 0 {
			t.Errorf("%d are lost", lost)
		}
	})
	// A kill in the middle of a write, then another one behind it.
	m := newKilledImage(t, 20, 0)
	names := m.segments()
	last := names[len(names)-1]
	fsys := m.with(last, func(b []byte) []byte {
		end := bytes.LastIndexByte(b, m.records[len(m.records)-1][0]) + 1
		return append(spool.AppendFrame(b[:(end+7)/8*8:len(b)], 0, 21, 1, []byte("torn")), make([]byte, 900)...)
	}).disk()
	s := open(t, small(fsys))
	put(t, s, "new")
	again := imageOf(fsys, append(m.records, "new"))
	closeSpool(t, s)
	if lost := judge(t, "killed twice", again); lost > 0 {
		t.Errorf("%d are lost", lost)
	}
}

// Without a header nothing but the frames tells the salt, and somebody has mailed a spool file: the frames in it are none of ours, also when
// the header around them is gone.
func TestFramesInAPayloadDoNotMakeAHeader(t *testing.T) {
	var mailed []byte
	for seq := range uint64(40) {
		mailed = spool.AppendFrame(mailed, goldenSalt, seq+1, 1, []byte("invented"))
	}
	for name, records := range map[string][]string{
		"alone":      {string(mailed)},
		"first":      {string(mailed), "one", "two", strings.Repeat("three", 500)},
		"last":       {"one", "two", strings.Repeat("three", 500), string(mailed)},
		"in between": {strings.Repeat("one", 500), string(mailed), "two"},
	} {
		for _, size := range []int{spool.SegmentStart, spool.SegmentStart + 8, spool.SegmentStart + spool.FrameHeader, spool.SegmentStart + 200} {
			fsys := faultfs.New(1)
			s := open(t, spool.Options{Dir: "/spool", FS: fsys})
			put(t, s, records...)
			closeSpool(t, s)
			m := imageOf(fsys, records)
			judge(t, fmt.Sprintf("%s, %d bytes", name, size), m.with(m.segments()[0], func(b []byte) []byte { clear(b[:size]); return b }))
		}
	}
}
