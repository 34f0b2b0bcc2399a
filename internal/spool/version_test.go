package spool_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/halon-extras/kafka/internal/spool"
	"github.com/halon-extras/kafka/internal/spool/faultfs"
)

// A downgrade: what a later version wrote is left as it is, said, and neither delivered nor lost. The later version finds all of it.
func TestASegmentOfALaterVersionIsLeftAlone(t *testing.T) {
	m := newImage(t, 60, 3)
	names := m.segments()
	for i, name := range names[:len(names)-1] {
		later := m.with(name, func(b []byte) []byte {
			spool.SealSegmentHead(b, 2)
			return b
		})
		fsys := later.disk()
		check, err := spool.Check(fsys, "/spool")
		if err != nil || len(check.Damage) != 1 || check.Missing != 0 || !strings.Contains(check.Damage[0].Reason, "another version of this program wrote it") {
			t.Errorf("segment %d: check: %v, %+v", i, err, check)
		}
		if plan, err := spool.Repair(fsys, "/spool", true); err != nil || len(plan.Steps) > 0 {
			t.Errorf("segment %d: repair: %v, %v", i, err, plan)
		}
		var log bytes.Buffer
		opts := spool.Options{Dir: "/spool", FS: fsys, MaxBytes: 1 << 20, SegmentBytes: 4 << 10, Log: slog.New(slog.NewTextHandler(&log, nil))}
		s := open(t, opts)
		c := s.NewCursor()
		got, seqs := left(t, c)
		s.Ack(seqs...)
		c.Close()
		kept := missing(t, got, m.records)
		if st := s.Stats(); st.Missing != 0 || st.Corrupt != 0 || st.Pending != uint64(len(kept)) || len(kept) == 0 {
			t.Errorf("segment %d: %d are left, %+v", i, len(kept), st)
		}
		if !strings.Contains(log.String(), "another version of this program and is left alone") || !strings.Contains(log.String(), name) {
			t.Errorf("segment %d: logged %s", i, &log)
		}
		put(t, s, strings.Repeat("x", 5000)) // and another segment behind it
		closeSpool(t, s)
		if is, ok := fsys.Get("/spool/" + name); !ok || !bytes.Equal(is, later.files[name]) {
			t.Errorf("segment %d is not left alone", i)
		}
		// The version that wrote it is back.
		fsys.Put("/spool/"+name, m.files[name])
		s = open(t, opts)
		c = s.NewCursor()
		got, _ = take(t, c, len(kept)+1)
		same(t, got[:len(kept)], kept)
		c.Close()
		closeSpool(t, s)
	}
}

// Also when what is oldest is dropped to make room, whichever segments they are: the later version finds all of it.
func TestASegmentOfALaterVersionIsNotDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newImage(t, 60, 0)
		names := m.segments()
		fsys := m.disk()
		later := []string{names[0], names[len(names)/2]}
		for _, name := range later {
			b := bytes.Clone(m.files[name])
			spool.SealSegmentHead(b, 2)
			fsys.Put("/spool/"+name, b)
		}
		opts := small(fsys)
		opts.Later = func([]byte) bool { return false }
		var log bytes.Buffer
		opts.Log = slog.New(slog.NewTextHandler(&log, nil))
		s := open(t, opts)
		for range names { // a segment that the keeper has not looked into is not dropped
			s.DropOldest(opts.MaxBytes)
			synctest.Wait()
		}
		if st := s.Stats(); st.Segments != len(later) || st.Pending+st.Dropped != 60 || st.Dropped == 0 {
			t.Errorf("%d segments, %d pending and %d dropped", st.Segments, st.Pending, st.Dropped)
		}
		if !strings.Contains(log.String(), "another version of this program and is left alone") {
			t.Errorf("logged %s", &log)
		}
		left := s.Stats().Pending
		closeSpool(t, s)
		for _, name := range later {
			fsys.Put("/spool/"+name, m.files[name])
		}
		if got, _ := drain(t, fsys); uint64(len(got)) != left || got[0] != m.records[0] {
			t.Errorf("the later version finds %d records, want %d", len(got), left)
		}
	})
}

// One that is purged keeps its file: there is no version of this program that removes what it cannot read.
func TestASegmentOfALaterVersionThatIsPurgedKeepsItsFile(t *testing.T) {
	m := newImage(t, 60, 0)
	name := m.segments()[0]
	fsys := m.with(name, func(b []byte) []byte {
		spool.SealSegmentHead(b, 2)
		return b
	}).disk()
	s := open(t, spool.Options{Dir: "/spool", FS: fsys, MaxBytes: 1 << 20, SegmentBytes: 4 << 10})
	if n := s.Discard(0, 61, nil); n != 60 {
		t.Errorf("%d dropped", n)
	}
	closeSpool(t, s)
	if left := fsys.Names("/spool", ".seg"); len(left) != 1 || left[0] != name {
		t.Errorf("left: %v", left)
	}
}

func TestAPositionOfALaterVersionIsLeftAlone(t *testing.T) {
	m := newImage(t, 60, 3)
	for what, other := range map[string]func([]byte){
		"both slots":                             func(slot []byte) { spool.SealPositionOf(slot, 2) },
		"one slot, the other is of this version": func(slot []byte) { spool.SealPositionOf(slot, 1) },
		"one slot, the other is damaged":         func(slot []byte) { slot[0] ^= 1 },
		"one slot, the other is empty":           func(slot []byte) { clear(slot) },
	} {
		later := m.with("position", func([]byte) []byte {
			b := make([]byte, 2*spool.PositionSlot)
			for at, change := range map[int]func([]byte){0: func(slot []byte) { spool.SealPositionOf(slot, 2) }, spool.PositionSlot: other} {
				slot := spool.PositionSlotBytes(9, 4, 61, 1, 1024, 1)
				change(slot)
				copy(b[at:], slot)
			}
			return b
		})
		fsys := later.disk()
		_, err := spool.Open(spool.Options{Dir: "/spool", FS: fsys})
		if err == nil || !strings.Contains(err.Error(), "spool /spool: the file position was written by another version of this program, and is left alone: install that version") ||
			strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", what, err)
		}
		if check, err := spool.Check(fsys, "/spool"); err != nil || intact(&check) || !strings.Contains(check.Position, "another version") || strings.Contains(check.Position, "\n") {
			t.Errorf("%s: check: %v, %+v", what, err, check)
		}
		if plan, err := spool.Repair(fsys, "/spool", true); err != nil || len(plan.Steps) > 0 {
			t.Errorf("%s: repair: %v, %v", what, err, plan)
		}
		for name, want := range later.files {
			if is, ok := fsys.Get("/spool/" + name); !ok || !bytes.Equal(is, want) {
				t.Errorf("%s: %s is changed", what, name)
			}
		}
	}
}

func TestPlansOfALaterVersionAreLeftAlone(t *testing.T) {
	later := goldenNotes()
	spool.SealSegmentHead(later, 2)
	for what, files := range map[string]map[string][]byte{
		"the only file":                      {"0000000003.plans": later},
		"the newest":                         {"0000000002.plans": goldenNotes(), "0000000003.plans": later},
		"one behind a file that is not made": {"0000000003.plans": later, "0000000004.plans": {}},
		"one behind a file that is damaged":  {"0000000003.plans": later, "0000000004.plans": bytes.Repeat([]byte{1}, 2000)},
	} {
		fsys := faultfs.New(1)
		for name, content := range files {
			fsys.Put("/spool/"+name, content)
		}
		_, _, _, err := spool.OpenNotes(spool.NotesOptions{Dir: "/spool", FS: fsys, Fold: &listed{}})
		want := "spool /spool: the file 0000000003.plans was written by another version of this program, and is left alone: " +
			"install that version, or move the folder away: unknown segment version 2 (this program knows 1)"
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v", what, err)
		}
		if names := fsys.Names("/spool", ""); len(names) != len(files) {
			t.Errorf("%s: left are %v", what, names)
		}
		for name, content := range files {
			if is, ok := fsys.Get("/spool/" + name); !ok || !bytes.Equal(is, content) {
				t.Errorf("%s: %s is changed", what, name)
			}
		}
	}
}

// A record that another version wrote into a segment of this one is not dropped with the oldest, and its bytes are kept when it is purged.
func TestTheFileOfASparedRecordIsKept(t *testing.T) {
	for _, spare := range []bool{true, false} {
		m := newImage(t, 60, 0)
		fsys := m.disk()
		name := m.segments()[0]
		s := open(t, spool.Options{Dir: "/spool", FS: fsys, MaxBytes: 1 << 20, SegmentBytes: 4 << 10})
		if spare {
			s.Spare(1)
		}
		if n := s.DropOldest(1 << 20); (n == 60) == spare || n < 40 {
			t.Errorf("spared %t: %d dropped", spare, n)
		}
		if n := s.Discard(0, 61, nil); (n > 0) != spare {
			t.Errorf("spared %t: %d purged", spare, n)
		}
		closeSpool(t, s)
		if is, ok := fsys.Get("/spool/" + name + ".bad"); ok != spare || spare && !bytes.Equal(is, m.files[name]) {
			t.Errorf("spared %t: kept %t", spare, ok)
		}
		if _, ok := fsys.Get("/spool/" + name); ok {
			t.Errorf("spared %t: the segment is still there", spare)
		}
	}
}
