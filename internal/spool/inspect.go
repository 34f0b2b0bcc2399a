package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"
)

// The offline part reads a folder without being its owner. Inspect, Check and Export only read, take no lock and may
// be called while a plugin runs on the folder; what they see is then a moment that is gone when they return.

// Report is what Inspect finds.
type Report struct {
	Dir      string
	Running  bool   // a process holds the folder
	PID      string // of that process, or of the last one whose shutdown was unclean
	Program  string
	Segments []SegmentReport
	Bytes    int64
	Pending  uint64 // records that are not acknowledged; too many by those that are damaged
	Frontier uint64 // everything below this sequence is acknowledged
	Next     uint64 // sequence of the next record
	Oldest   time.Time
	Position string  // why the position file cannot be used; empty when it can, or when there is none yet
	Kept     []Entry // bytes that were set aside, for a person to look at
	Free     int64   // bytes on the file system
}

// SegmentReport is one segment by its name.
type SegmentReport struct {
	Name    string
	First   uint64
	End     uint64 // sequence after the last that may be in it
	Bytes   int64
	Pending uint64
}

// ErrNoSpool is returned for a folder that holds none.
var ErrNoSpool = errors.New("there is no spool in this folder")

// Inspect reads the names, the position file and the last segment. It changes nothing.
func Inspect(fsys FS, dir string) (Report, error) {
	o, err := look(fsys, dir)
	return o.report, err
}

// offline is a folder as the offline part sees it.
type offline struct {
	fs     FS
	dir    string
	segs   []*segment
	odd    []*segment // that the start sets aside
	pos    position
	tail   segmentEnd // of the last segment
	lost   uint64     // pending records that are outside of the segments
	later  bool       // another version wrote the position
	source *blocks
	report Report
}

func look(fsys FS, dir string) (*offline, error) {
	dir = filepath.Clean(dir)
	o := &offline{fs: fsys, dir: dir, pos: position{acks: newAcks(1)}, source: newBlocks(chunkBytes), report: Report{Dir: dir}}
	entries, err := fsys.ReadDir(dir)
	if err != nil {
		return o, fmt.Errorf("spool %s: the folder cannot be read: %w", dir, err)
	}
	known := false
	for _, e := range entries {
		_, _, segment := parseSegmentName(e.Name)
		known = known || segment || e.Name == positionName || e.Name == ownerName
		if strings.HasSuffix(e.Name, badSuffix) || strings.HasSuffix(e.Name, tornSuffix) {
			o.report.Kept = append(o.report.Kept, e)
		}
	}
	if !known {
		return o, fmt.Errorf("spool %s: %w", dir, ErrNoSpool)
	}
	if o.report.Running, err = fsys.Locked(filepath.Join(dir, ownerName)); err != nil {
		return o, fmt.Errorf("spool %s: the file %s cannot be read: %w", dir, ownerName, err)
	}
	o.report.PID, o.report.Program = ownerOf(fsys, dir)
	if space, err := fsys.Space(dir); err == nil {
		o.report.Free = space.Free
	}
	// The position first: segments that are acknowledged after this look are then counted as pending, and none
	// that is pending is left out.
	if err := o.readPosition(); err != nil {
		return o, err
	}
	segs, err := listSegments(fsys, dir)
	if err != nil {
		return o, fmt.Errorf("spool %s: the folder cannot be read: %w", dir, err)
	}
	o.segs, o.odd = inOrder(fsys, dir, segs, o.pos.hint, o.source)
	return o, o.measure()
}

func (o *offline) readPosition() error {
	f, err := o.fs.OpenRead(filepath.Join(o.dir, positionName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if errors.Is(err, ErrNotPlain) {
		o.report.Position = ErrNotPlain.Error()
		return nil
	}
	if err != nil {
		return fmt.Errorf("spool %s: the position file cannot be opened: %w", o.dir, err)
	}
	defer f.Close()
	p, slot, _, err := readPosition(f)
	switch {
	case errors.Is(err, errPositionVersion):
		o.later = true
		o.report.Position = fmt.Sprintf("another version of this program wrote it, use that one: %v", err)
	case err != nil:
		o.report.Position = err.Error()
	case slot >= 0:
		o.pos = p
	}
	return nil
}

// measure finds the end of the last segment and counts.
func (o *offline) measure() error {
	r := &o.report
	r.Next = max(o.pos.next, 1)
	if n := len(o.segs); n > 0 {
		last := o.segs[n-1]
		err := o.with(last, func(f File, head segmentHead, _ string) error {
			var err error
			o.tail, err = findEnd(f, head, last.size, o.pos.hint, o.source, true)
			last.end = max(last.first, o.tail.last+1)
			return err
		})
		if err != nil && !unreadable(err) {
			return err
		}
		if last.foreign = errors.Is(err, errSegmentVersion); err != nil {
			last.end = last.first
		}
		r.Next = max(r.Next, last.end)
	}
	if !r.Running { // else files may have gone since the position was read
		o.lost = missingOutside(o.pos.acks, o.segs, r.Next, o.pos.hint)
	}
	first := r.Next
	if len(o.segs) > 0 {
		first = o.segs[0].first
	}
	o.pos.acks.setRange(o.pos.acks.frontier, first)
	r.Frontier = o.pos.acks.frontier
	for _, g := range o.segs {
		pending := g.end - g.first - o.pos.acks.count(g.first, g.end)
		r.Segments = append(r.Segments, SegmentReport{Name: g.name, First: g.first, End: g.end, Bytes: g.size, Pending: pending})
		r.Bytes += g.size
		r.Pending += pending
		if pending > 0 && r.Oldest.IsZero() {
			r.Oldest = o.oldest(g)
		}
	}
	return nil
}

// oldest returns when the first pending record of g was appended.
func (o *offline) oldest(g *segment) (at time.Time) {
	_ = o.with(g, func(f File, head segmentHead, _ string) error {
		at = time.Unix(0, head.created) // where the record itself cannot be read
		h, ok, err := firstFrame(f, head, g, o.source, func(got found) bool { return !o.pos.acks.has(got.head.seq) })
		if ok {
			at = time.Unix(0, h.time)
		}
		return err
	})
	return at
}

// unreadable reports whether err is damage, as opposed to a disk that does not answer.
func unreadable(err error) bool {
	return hopeless(err) || errors.Is(err, errSegmentVersion) || errors.Is(err, fs.ErrNotExist)
}

// with opens a segment for reading and calls fn with its header.
func (o *offline) with(g *segment, fn func(f File, head segmentHead, damage string) error) error {
	f, err := o.fs.OpenRead(filepath.Join(o.dir, g.name))
	if err == nil {
		defer f.Close()
		var head segmentHead
		var damage string
		if head, damage, err = readHead(f, g, o.pos.hint, o.source, true); err == nil {
			err = fn(f, head, damage)
		}
	}
	if err != nil {
		return fmt.Errorf("spool %s: segment %s: %w", o.dir, g.name, err)
	}
	return nil
}
