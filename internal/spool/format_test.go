package spool_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/halon-extras/kafka/internal/spool"
	"github.com/halon-extras/kafka/internal/spool/faultfs"
)

const (
	goldenSalt = 0x5a17c0de
	goldenTime = 1_700_000_000_000_000_000
)

// golden reads a file of hexadecimal bytes with comments.
func golden(t testing.TB, name string) []byte {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []byte
	for lines := bufio.NewScanner(f); lines.Scan(); {
		text, _, _ := strings.Cut(lines.Text(), "#")
		if strings.HasPrefix(strings.TrimSpace(text), "pad to ") {
			var to int
			for _, c := range strings.TrimPrefix(strings.TrimSpace(text), "pad to ") {
				to = 10*to + int(c-'0')
			}
			out = append(out, make([]byte, to-len(out))...)
			continue
		}
		b, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out = append(out, b...)
	}
	return out
}

func goldenSegment() []byte {
	b := spool.SegmentHead(goldenSalt, 7, 41, goldenTime)
	b = spool.AppendFrame(b, goldenSalt, 41, goldenTime, []byte("hello"))
	b = spool.AppendFrame(b, goldenSalt, 42, goldenTime+1, nil)
	b = spool.AppendFiller(b, goldenSalt, 43, goldenTime+2, 8)
	return spool.AppendFrame(b, goldenSalt, 44, goldenTime+3, []byte("\x00\xffworld!!"))
}

func goldenPosition() []byte {
	b := spool.PositionSlotBytes(9, 41, 45, 7, 1136, 44, 42, 43)
	return append(b, make([]byte, 2*spool.PositionSlot-len(b))...)
}

// These bytes are on customers' disks. When this fails, the format needs a new version, not a new testdata.
func TestTheFormatOfVersion1Stays(t *testing.T) {
	for name, got := range map[string][]byte{"segment-v1.hex": goldenSegment(), "position-v1.hex": goldenPosition()} {
		if want := golden(t, name); !bytes.Equal(got, want) {
			t.Errorf("%s: the bytes have changed\n%s", name, hex.Dump(got[:min(len(got), 1200)]))
		}
	}
}

func TestAFolderOfVersion1IsRead(t *testing.T) {
	fsys := faultfs.New(1)
	fsys.Put("/spool/"+spool.SegmentName(7, 41), golden(t, "segment-v1.hex"))
	fsys.Put("/spool/position", golden(t, "position-v1.hex"))
	var all []string
	if err := spool.Export(fsys, "/spool", true, func(f spool.Frame) error {
		if want := time.Unix(0, goldenTime).Add(time.Duration(f.Seq - 41)); !f.Time.Equal(want) {
			t.Errorf("sequence %d has the time %v, want %v", f.Seq, f.Time, want)
		}
		all = append(all, string(f.Payload))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	same(t, all, []string{"hello", "", "\x00\xffworld!!"})

	s := open(t, spool.Options{Dir: "/spool", FS: fsys})
	c := s.NewCursor()
	got, seqs := take(t, c, 2)
	same(t, got, []string{"hello", "\x00\xffworld!!"})
	if seqs[0] != 41 || seqs[1] != 44 || s.Stats().Next != 45 || s.Stats().Corrupt != 0 {
		t.Errorf("sequences %v, stats %+v", seqs, s.Stats())
	}
	c.Close()
	closeSpool(t, s)
}

// A header whose checksum is right and whose version is another one was written by another version of this program: it is refused, and
// left alone. One copy of it is enough.
func TestAnotherVersionIsToldApartFromDamage(t *testing.T) {
	for what, damage := range map[string]func(b []byte){
		"whole":                             func([]byte) {},
		"first copy is damaged":             func(b []byte) { b[20] ^= 1 },
		"second copy is damaged":            func(b []byte) { b[512+20] ^= 1 },
		"second copy has a damaged version": func(b []byte) { b[512+8] ^= 0x40 },
	} {
		b := golden(t, "segment-v1.hex")
		spool.SealSegmentHead(b, 2)
		damage(b)
		fsys := faultfs.New(1)
		fsys.Put("/spool/"+spool.SegmentName(7, 41), b)
		_, err := spool.Open(spool.Options{Dir: "/spool", FS: fsys})
		if err == nil || !strings.Contains(err.Error(), "written by another version") || !strings.Contains(err.Error(), "version 2") {
			t.Errorf("%s: %v", what, err)
		}
		if left, ok := fsys.Get("/spool/" + spool.SegmentName(7, 41)); !ok || !bytes.Equal(left, b) {
			t.Errorf("%s: the segment is not left alone", what)
		}
	}

	frame := spool.AppendFrame(nil, 1, 5, 6, []byte("x"))
	frame[1] = 3
	binary.LittleEndian.PutUint32(frame[28:], crc32.Update(1, crc32.MakeTable(crc32.Castagnoli), frame[:28]))
	if _, _, err := spool.ReadHeader(frame, 1); err == nil || !strings.Contains(err.Error(), "version 3") {
		t.Errorf("frame: %v", err)
	}
	slot := spool.PositionSlotBytes(9, 41, 45, 7, 1136, 44, 42, 43)
	spool.SealPositionOf(slot, 4)
	if _, _, _, err := spool.DecodePosition(slot); err == nil || !strings.Contains(err.Error(), "version 4") {
		t.Errorf("position: %v", err)
	}
}

// A damaged version is damage, whatever else is damaged beside it: the host starts.
func TestADamagedVersionIsDamage(t *testing.T) {
	m := newImage(t, 60, 0)
	for i, name := range m.segments() {
		for what, at := range map[string][]int{
			"version of the first copy":                    {10},
			"version of the second copy":                   {512 + 10},
			"version of both":                              {10, 512 + 10},
			"version of the first, salt of the second":     {10, 512 + 12},
			"version of the second, checksum of the first": {512 + 8, 60},
			"version of the first, magic of the second":    {8, 512},
		} {
			got, st := drain(t, m.with(name, func(b []byte) []byte {
				for _, at := range at {
					b[at] ^= 0x41
				}
				return b
			}).disk())
			lost := missing(t, got, m.records)
			if len(at) == 1 && (len(lost) > 0 || st.Corrupt > 0) || len(at) == 2 && len(lost) > 0 && st.Corrupt == 0 {
				t.Errorf("segment %d, %s: %d records are lost, %d corrupt places counted", i, what, len(lost), st.Corrupt)
			}
		}
	}
	for _, slots := range [][]int{{9}, {spool.PositionSlot + 9}, {9, spool.PositionSlot + 60}} {
		got, _ := drain(t, m.with("position", func(b []byte) []byte {
			b = append(b, make([]byte, 2*spool.PositionSlot-len(b))...)
			for _, at := range slots {
				b[at] ^= 0x41
			}
			return b
		}).disk())
		if lost := missing(t, got, m.records); len(lost) > 0 {
			t.Errorf("position, %v: %d records are lost", slots, len(lost))
		}
	}
}

func TestZeroIsNoFrame(t *testing.T) {
	for salt := range uint32(3) {
		if _, _, err := spool.ReadHeader(make([]byte, spool.FrameHeader), salt); err == nil {
			t.Errorf("salt %d: zeros are a frame", salt)
		}
	}
}

// Somebody mails a spool file: the image of a frame in a payload must not become a record when the frame around it
// is damaged.
func TestAFrameInsideAPayloadIsNotFound(t *testing.T) {
	image := spool.AppendFrame(nil, 0, 2, 1, []byte("invented"))
	b := spool.SegmentHead(goldenSalt, 0, 1, 1)
	b = spool.AppendFrame(b, goldenSalt, 1, 1, image)
	b = spool.AppendFrame(b, goldenSalt, 3, 1, []byte("real"))
	b[spool.SegmentStart+4] ^= 1 // the length of the first
	fsys := faultfs.New(1)
	fsys.Put("/spool/"+spool.SegmentName(0, 1), b)
	var got []string
	if err := spool.Export(fsys, "/spool", true, func(f spool.Frame) error {
		got = append(got, string(f.Payload))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	same(t, got, []string{"real"})
}

func TestLetters(t *testing.T) {
	b := spool.AppendLetter(nil, "too large", []byte("record"))
	reason, record, err := spool.ParseLetter(b)
	if err != nil || reason != "too large" || string(record) != "record" {
		t.Errorf("%q %q %v", reason, record, err)
	}
	for _, short := range [][]byte{nil, {1}, {1, 0}, {0, 1, 'x'}} {
		if _, _, err := spool.ParseLetter(short); !errors.Is(err, spool.ErrLetter) {
			t.Errorf("%v: %v", short, err)
		}
	}
	long := spool.AppendLetter(nil, strings.Repeat("x", 1<<17), []byte("r"))
	if _, record, err := spool.ParseLetter(long); err != nil || string(record) != "r" {
		t.Errorf("a long reason costs the record: %q %v", record, err)
	}
}
