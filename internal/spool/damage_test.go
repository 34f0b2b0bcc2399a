package spool_test

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/halon-extras/kafka/internal/spool"
	"github.com/halon-extras/kafka/internal/spool/faultfs"
)

// image is a spool as files, with what is in it.
type image struct {
	files   map[string][]byte
	records []string
}

// segments returns the names in order.
func (m image) segments() (names []string) {
	for name := range m.files {
		if strings.HasSuffix(name, ".seg") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (m image) disk() *faultfs.FS {
	fsys := faultfs.New(1)
	for name, content := range m.files {
		fsys.Put("/spool/"+name, content)
	}
	return fsys
}

// newImage stores n records in small segments and acknowledges the first acked of them.
func newImage(t testing.TB, n, acked int) image {
	t.Helper()
	fsys := faultfs.New(1)
	s, records := storeImage(t, fsys, n, acked)
	closeSpool(t, s)
	return imageOf(fsys, records)
}

// newKilledImage is newImage of a process that was killed.
func newKilledImage(t *testing.T, n, acked int) (m image) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		fsys := faultfs.New(1)
		s, records := storeImage(t, fsys, n, acked)
		time.Sleep(200 * time.Millisecond) // the position is written
		m = imageOf(fsys, records)
		closeSpool(t, s)
	})
	return m
}

func storeImage(t testing.TB, fsys *faultfs.FS, n, acked int) (s *spool.Spool, records []string) {
	t.Helper()
	s = open(t, spool.Options{Dir: "/spool", FS: fsys, MaxBytes: 1 << 20, SegmentBytes: 4 << 10})
	records = newImageRecords(n)
	put(t, s, records...)
	for i := range acked {
		s.Ack(uint64(i + 1))
	}
	return s, records[acked:]
}

func imageOf(fsys *faultfs.FS, records []string) image {
	m := image{files: map[string][]byte{}, records: records}
	for _, name := range fsys.Names("/spool", "") {
		m.files[name], _ = fsys.Get("/spool/" + name)
	}
	return m
}

// with returns the image with one file changed, or without it when change returns nil.
func (m image) with(name string, change func([]byte) []byte) image {
	files := maps.Clone(m.files)
	if files[name] = change(bytes.Clone(files[name])); files[name] == nil {
		delete(files, name)
	}
	return image{files, m.records}
}

func newImageRecords(n int) (records []string) {
	r := rand.New(rand.NewPCG(1, 1))
	for i := range n {
		records = append(records, strings.Repeat(string(rune('a'+i%26)), 20+r.IntN(300)))
	}
	return records
}

// drain opens the disk, reads all that is left, proves that the spool still takes records, and closes it.
func drain(t testing.TB, fsys *faultfs.FS) (got []string, st spool.Stats) {
	t.Helper()
	return drainWith(t, spool.Options{Dir: "/spool", FS: fsys, MaxBytes: 1 << 20, SegmentBytes: 4 << 10})
}

func drainWith(t testing.TB, opts spool.Options) (got []string, st spool.Stats) {
	t.Helper()
	s := open(t, opts)
	defer closeSpool(t, s)
	put(t, s, "new")
	c := s.NewCursor()
	defer c.Close()
	got, _ = left(t, c)
	if len(got) == 0 || got[len(got)-1] != "new" {
		t.Fatalf("a record that was appended after the damage is not there: %d records", len(got))
	}
	return got[:len(got)-1], s.Stats()
}

// missing returns which of want are not in got, and fails when got has anything else or another order.
func missing(t testing.TB, got, want []string) (lost []string) {
	t.Helper()
	i := 0
	for _, w := range want {
		if i < len(got) && got[i] == w {
			i++
		} else {
			lost = append(lost, w)
		}
	}
	if i < len(got) {
		t.Fatalf("record %d, %.30q, was invented or is out of order", i, got[i])
	}
	return lost
}

// One flipped bit anywhere loses at most the record that it is in, keeps its bytes, and stops nothing.
func TestAFlippedBitLosesAtMostOneRecord(t *testing.T) {
	m := newImage(t, 60, 5)
	r := rand.New(rand.NewPCG(2, 2))
	flips, lostAny := 0, 0
	for name, content := range m.files {
		for at := 0; at < len(content); at += either(1, 29) + r.IntN(8) {
			if at >= 8192 && content[at] == 0 && at%512 > 8 {
				continue // the empty rest of the position file
			}
			fsys := m.with(name, func(b []byte) []byte { b[at] ^= 1 << r.IntN(8); return b }).disk()
			got, st := drain(t, fsys)
			want := m.records
			if name == "position" && len(got) > len(want) {
				continue // the checkpoint is unreadable: all is delivered again
			}
			lost := missing(t, got, want)
			if len(lost) > 1 {
				t.Fatalf("a bit at %d of %s loses %d records", at, name, len(lost))
			}
			if len(lost) == 1 {
				lostAny++
				if len(fsys.Names("/spool", ".bad"))+len(fsys.Names("/spool", ".torn")) == 0 {
					t.Fatalf("a bit at %d of %s loses a record, and its bytes are not kept", at, name)
				}
				if st.Missing != 1 && len(fsys.Names("/spool", ".torn")) == 0 {
					t.Fatalf("a bit at %d of %s loses a record that is not counted: %+v", at, name, st)
				}
			}
			flips++
		}
	}
	if lostAny == 0 {
		t.Error("no flip lost a record: the test flips nothing")
	}
	t.Logf("%d flips, %d lost one record", flips, lostAny)
}

// A sector of zeros, or of garbage, anywhere in a segment.
func TestABadSectorLosesOnlyTheRecordsInIt(t *testing.T) {
	m := newImage(t, 80, 0)
	r := rand.New(rand.NewPCG(3, 3))
	for _, name := range m.segments() {
		content := m.files[name]
		for at := 0; at < len(content); at += 512 {
			for _, garbage := range []bool{false, true} {
				got, _ := drain(t, m.with(name, func(b []byte) []byte {
					for i := at; i < min(at+512, len(b)); i++ {
						b[i] = 0
						if garbage {
							b[i] = byte(r.Uint32())
						}
					}
					return b
				}).disk())
				// The smallest record has 20 bytes: 56 with its header.
				if lost := missing(t, got, m.records); len(lost) > 512/56+2 {
					t.Errorf("sector %d of %s loses %d records", at/512, name, len(lost))
				}
			}
		}
	}
}

// What was torn at the end of the last segment is cut and kept; in any other one it is skipped, and later segments
// are not touched.
func TestATornTailIsCutInTheLastSegmentOnly(t *testing.T) {
	m := newImage(t, 60, 0)
	names := m.segments()
	for i, name := range names {
		fsys := m.with(name, func(b []byte) []byte { return append(b[:len(b)-20], make([]byte, 3000)...) }).disk()
		got, st := drain(t, fsys)
		if lost := missing(t, got, m.records); len(lost) != 1 {
			t.Errorf("%s: %d records are lost, want 1", name, len(lost))
		}
		torn, bad := fsys.Names("/spool", ".torn"), fsys.Names("/spool", ".bad")
		if last := i == len(names)-1; last && (len(torn) != 1 || len(bad) != 0) || !last && (len(torn) != 0 || len(bad) != 1) {
			t.Errorf("%s: kept %v and %v", name, torn, bad)
		}
		if st.Corrupt == 0 {
			t.Errorf("%s: a record that was answered for is lost and not counted", name)
		}
	}
}

func TestASegmentWithoutAHeaderIsReadByItsFrames(t *testing.T) {
	m := newImage(t, 60, 0)
	for i, name := range m.segments() {
		fsys := m.with(name, func(b []byte) []byte {
			for at := range spool.SegmentStart {
				b[at] ^= 0xff
			}
			return b
		}).disk()
		got, st := drain(t, fsys)
		same(t, got, m.records)
		if kept, ok := fsys.Get("/spool/" + name + ".0.bad"); !ok || len(kept) != spool.SegmentStart || kept[0] != 'H'^0xff {
			t.Errorf("segment %d: its header is not kept", i)
		}
		if st.Corrupt != 1 || st.Missing != 0 {
			t.Errorf("segment %d: %+v", i, st)
		}
	}
}

func TestASegmentThatNothingCanReadIsSetAside(t *testing.T) {
	m := newImage(t, 60, 0)
	for i, name := range m.segments() {
		damaged := m.with(name, func(b []byte) []byte {
			for at := range b {
				b[at] ^= 0xff
			}
			return b
		})
		fsys := damaged.disk()
		got, st := drain(t, fsys)
		lost := missing(t, got, m.records)
		if len(lost) == 0 || len(lost) > 25 {
			t.Errorf("segment %d: %d records are lost", i, len(lost))
		}
		if kept, ok := fsys.Get("/spool/" + name + ".bad"); !ok || !bytes.Equal(kept, damaged.files[name]) {
			t.Errorf("segment %d is not kept as it was", i)
		}
		if st.Corrupt != 1 || st.Missing != uint64(len(lost)) {
			t.Errorf("segment %d: %+v, %d records are lost", i, st, len(lost))
		}
	}
}

func TestALostPositionCostsDuplicatesOnly(t *testing.T) {
	m := newImage(t, 60, 5)
	for what, content := range map[string][]byte{
		"missing": nil, "empty": {}, "zeros": make([]byte, 2*spool.PositionSlot), "garbage": bytes.Repeat([]byte("x"), 9000),
	} {
		fsys := m.with("position", func([]byte) []byte { return content }).disk()
		got, _ := drain(t, fsys)
		if lost := missing(t, got[len(got)-len(m.records):], m.records); len(lost) > 0 {
			t.Errorf("%s: %d records are lost", what, len(lost))
		}
		if what == "garbage" && len(fsys.Names("/spool", "position.bad")) != 1 {
			t.Errorf("the bytes of a bad position file are not kept")
		}
		// And the next start knows where it is again.
		s := open(t, spool.Options{Dir: "/spool", FS: fsys})
		if st := s.Stats(); st.Pending != uint64(len(got)+1) {
			t.Errorf("%s: pending %d, want %d", what, st.Pending, len(got)+1)
		}
		closeSpool(t, s)
	}
}

// Somebody copies an old segment into the folder: what is there is still read, the copy is kept.
func TestASegmentOutOfOrderIsSetAside(t *testing.T) {
	m := newImage(t, 60, 0)
	names := m.segments()
	m.files[spool.SegmentName(900, 1)] = m.files[names[0]]
	fsys := m.disk()
	got, _ := drain(t, fsys)
	if lost := missing(t, got, m.records); len(lost) > 0 {
		t.Errorf("%d records are lost", len(lost))
	}
	if len(fsys.Names("/spool", ".seg.bad")) != 1 {
		t.Error("the copy is not kept")
	}
}

// Whatever name a copy has, the segment that it is a copy of and the others are not called odd for it.
func TestACopyOutOfOrderSetsNoOtherSegmentAside(t *testing.T) {
	m := newImage(t, 30, 0)
	names := m.segments()
	for _, of := range names {
		for _, copied := range []string{
			spool.SegmentName(0, 100), spool.SegmentName(0, 2), spool.SegmentName(900, 1), spool.SegmentName(900, 2), spool.SegmentName(900, 40),
		} {
			fsys := m.with(copied, func([]byte) []byte { return m.files[of] }).disk()
			if check, err := spool.Check(fsys, "/spool"); err != nil || len(check.Damage) != 1 || check.Damage[0].Segment != copied || check.Missing > 0 {
				t.Errorf("%s as %s: %v, %+v", of, copied, err, check)
			}
			got, _ := drain(t, fsys)
			same(t, got, m.records)
			if odd := fsys.Names("/spool", ".seg.bad"); len(odd) != 1 || odd[0] != copied+".bad" {
				t.Errorf("%s as %s: set aside: %v", of, copied, odd)
			}
		}
	}
}

// A payload is damaged at the very end of what was read at once: the frames behind it lie in another piece of memory, and must not come in the batch of those before
// it, which would let go of theirs too early.
func TestFramesBehindADamagedOneKeepTheirBytes(t *testing.T) {
	for _, repaired := range []bool{false, true} {
		framesBehindADamagedOne(t, repaired)
	}
}

func framesBehindADamagedOne(t *testing.T, repaired bool) {
	const frame, each, n = 16 << 10, 64, 300 // 64 frames are what a cursor reads at once
	fsys := faultfs.New(1)
	opts := spool.Options{Dir: "/spool", FS: fsys, MaxBytes: 64 << 20, SegmentBytes: 32 << 20}
	s := open(t, opts)
	var records []string
	for i := range n {
		records = append(records, strings.Repeat(string(rune('a'+i%26)), frame-32))
	}
	put(t, s, records...)
	closeSpool(t, s)
	name := fsys.Names("/spool", ".seg")[0]
	content, _ := fsys.Get("/spool/" + name)
	at := bytes.Index(content, []byte(records[0][:64])) + (each-1)*frame
	content[at+100] ^= 1
	fsys.Put("/spool/"+name, content)
	if repaired {
		if _, err := spool.Repair(fsys, "/spool", true); err != nil {
			t.Fatal(err)
		}
	}

	s = open(t, opts)
	defer closeSpool(t, s)
	c := s.NewCursor()
	defer c.Close()
	var batches []*spool.Batch
	for read := 0; read < n-1; {
		b, err := c.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		batches = append(batches, b)
		read += len(b.Frames)
	}
	for _, b := range batches {
		for _, f := range b.Frames {
			if want := records[f.Seq-1]; string(f.Payload) != want {
				t.Fatalf("repaired %v: record %d begins with %q, want %q", repaired, f.Seq, f.Payload[:3], want[:3])
			}
		}
	}
}
