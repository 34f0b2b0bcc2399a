package spool_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/halon-extras/kafka/internal/spool"
	"github.com/halon-extras/kafka/internal/spool/faultfs"
)

func FuzzFrame(f *testing.F) {
	f.Add(spool.AppendFrame(nil, 3, 1, 2, []byte("hello")), uint32(3))
	f.Add(make([]byte, spool.FrameHeader), uint32(0))
	f.Fuzz(func(t *testing.T, b []byte, salt uint32) {
		if len(b) >= spool.FrameHeader && salt%2 == 0 {
			spool.SealHeader(b, salt)
		}
		seq, length, err := spool.ReadHeader(b, salt)
		if err != nil {
			return
		}
		if seq == 0 || length < 0 || length > spool.MaxPayload {
			t.Errorf("sequence %d, length %d", seq, length)
		}
		b[9] ^= 1
		if _, _, err := spool.ReadHeader(b, salt); err == nil {
			t.Error("a flipped bit makes another good header")
		}
	})
}

func FuzzPosition(f *testing.F) {
	f.Add(spool.PositionSlotBytes(1, 5, 50, 1, 1024, 40, 7, 8, 9, 30))
	f.Add(make([]byte, spool.PositionHeader))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= spool.PositionHeader {
			spool.SealPosition(b)
		}
		frontier, next, resolved, err := spool.DecodePosition(b)
		if err != nil {
			return
		}
		if frontier == 0 || next < frontier {
			t.Errorf("frontier %d, next %d", frontier, next)
		}
		if resolved(next) && next > frontier {
			t.Errorf("sequence %d is resolved before it is given out", next)
		}
	})
}

// FuzzRecover opens any folder. Whatever is in it, a spool opens or says why not, delivers something in order,
// takes a record, and has it after a reopen.
func FuzzRecover(f *testing.F) {
	f.Add(goldenSegment(), goldenSegment()[:1100], goldenPosition()[:80], uint64(41), uint64(41))
	f.Add(goldenSegment(), []byte{}, []byte{}, uint64(1), uint64(45))
	m := newImage(f, 24, 3)
	names := m.segments()
	f.Add(m.files[names[0]], m.files[names[1]], m.files["position"][:200], uint64(1), uint64(8))
	f.Fuzz(func(t *testing.T, one, two, position []byte, firstOne, firstTwo uint64) {
		fsys := faultfs.New(1)
		fsys.Put("/spool/"+spool.SegmentName(1, firstOne), one)
		fsys.Put("/spool/"+spool.SegmentName(2, firstTwo), two)
		fsys.Put("/spool/position", position)
		_, _ = spool.Check(fsys, "/spool")
		_, _ = spool.Repair(fsys, "/spool", false)

		s, err := spool.Open(spool.Options{Dir: "/spool", FS: fsys})
		if err != nil {
			return
		}
		put(t, s, "new")
		found := readAll(t, s)
		closeSpool(t, s)
		if !found {
			t.Fatal("the new record is lost")
		}
		if plan, err := spool.Repair(fsys, "/spool", true); err != nil {
			t.Fatalf("repair: %v after %v", err, plan)
		}
		report, err := spool.Check(fsys, "/spool")
		if err != nil || report.Position != "" {
			t.Fatalf("after a repair: %v, %+v", err, report)
		}
		for _, d := range report.Damage {
			if d.To-d.From >= spool.FrameHeader {
				t.Fatalf("after a repair: %+v", d)
			}
		}
		s = open(t, spool.Options{Dir: "/spool", FS: fsys})
		found = readAll(t, s)
		closeSpool(t, s)
		if !found {
			t.Fatal("the new record is lost after a reopen")
		}
	})
}

func readAll(t *testing.T, s *spool.Spool) (found bool) {
	c := s.NewCursor()
	defer c.Close()
	payloads, seqs := left(t, c)
	for i := 1; i < len(seqs); i++ {
		if seqs[i] <= seqs[i-1] {
			t.Fatalf("sequence %d comes after %d", seqs[i], seqs[i-1])
		}
	}
	return slices.Contains(payloads, "new")
}

// FuzzDamage writes over a good folder, four input bytes a time: which file, where (two bytes), what. Whatever is
// delivered then was appended, and comes in order.
func FuzzDamage(f *testing.F) {
	m := newImage(f, 24, 3)
	f.Add([]byte{0, 0, 10, 1, 1, 4, 30, 200, 2, 0, 3, 1})
	last := byte(len(m.segments()) - 1)
	f.Add([]byte{last, 0, 10, 0x41, last, 2, 10, 0x41}) // the version in both copies
	f.Fuzz(func(t *testing.T, edits []byte) {
		names := append(m.segments(), "position")
		damaged := image{files: map[string][]byte{}}
		for name, content := range m.files {
			damaged.files[name] = bytes.Clone(content)
		}
		for ; len(edits) >= 4; edits = edits[4:] {
			content := damaged.files[names[int(edits[0])%len(names)]]
			content[(int(edits[1])<<8|int(edits[2]))%len(content)] ^= edits[3]
		}
		all := newImageRecords(24)
		got, _ := drain(t, damaged.disk())
		missing(t, got, all)
	})
}
