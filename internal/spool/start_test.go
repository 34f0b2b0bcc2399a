package spool_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/halon-extras/kafka/internal/spool"
	"github.com/halon-extras/kafka/internal/spool/faultfs"
)

// What Open reads does not grow with the backlog: calls are counted here, and bytes below.
func TestAStartReadsTheSameOfASmallAndALargeBacklog(t *testing.T) {
	opens := func(records int) (calls int) {
		fsys := faultfs.New(1)
		opts := spool.Options{Dir: "/spool", FS: fsys, MaxBytes: 64 << 20, SegmentBytes: 4 << 10}
		s := open(t, opts)
		for range records / 100 {
			var batch []string
			for range 100 {
				batch = append(batch, strings.Repeat("x", 100))
			}
			put(t, s, batch...)
		}
		closeSpool(t, s)
		var n atomic.Int64
		fsys.Intercept(func(faultfs.Call) faultfs.Fault {
			n.Add(1)
			return faultfs.Fault{}
		})
		s = open(t, opts)
		calls = int(n.Load())
		if p := s.Stats().Pending; p != uint64(records) {
			t.Errorf("pending %d, want %d", p, records)
		}
		closeSpool(t, s)
		return calls
	}
	small, large := opens(100), opens(20_000)
	// The keeper may have begun to look for the oldest segment: an open and a read.
	if large > small+4 || small > 25 {
		t.Errorf("%d calls with 100 records, %d with 20,000", small, large)
	}
}

// meter counts what is read of files.
type meter struct {
	spool.OS
	read atomic.Int64
}

func (c *meter) Open(name string) (spool.File, error) { return c.count(c.OS.Open(name)) }

func (c *meter) OpenRead(name string) (spool.File, error) { return c.count(c.OS.OpenRead(name)) }

func (c *meter) count(f spool.File, err error) (spool.File, error) {
	if err != nil {
		return nil, err
	}
	return &meteredFile{f, c}, nil
}

type meteredFile struct {
	spool.File
	by *meter
}

func (f *meteredFile) ReadAt(p []byte, off int64) (int, error) {
	n, err := f.File.ReadAt(p, off)
	f.by.read.Add(int64(n))
	return n, err
}

// A backlog of 10 GiB in sparse files, the last of which was being written when the process was killed.
func TestAStartWithTenGigabytes(t *testing.T) {
	dir := t.TempDir()
	const segments, perSegment, salt = 160, 100_000, 9
	for i := range uint64(segments) {
		b := spool.SegmentHead(salt, i, 1+i*perSegment, 1)
		if i == segments-1 {
			payload := make([]byte, 1000)
			for seq := 1 + i*perSegment; len(b) < 40<<20; seq++ {
				b = spool.AppendFrame(b, salt, seq, 1, payload)
			}
		}
		name := filepath.Join(dir, spool.SegmentName(i, 1+i*perSegment))
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(name, 64<<20); err != nil {
			t.Fatal(err)
		}
	}
	fsys := &meter{}
	s := open(t, spool.Options{Dir: dir, FS: fsys, MaxBytes: 20 << 30})
	read := fsys.read.Load()
	t.Logf("%d MiB read without a hint of where the last segment ends", read>>20)
	if st := s.Stats(); st.Segments != segments || st.Bytes < 9<<30 || st.Pending < (segments-1)*perSegment {
		t.Errorf("%+v", st)
	}
	if read > 72<<20 { // the last segment, and a little of each
		t.Errorf("a start reads %d MiB", read>>20)
	}
	closeSpool(t, s)
}
