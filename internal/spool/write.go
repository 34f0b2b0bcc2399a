package spool

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"time"
)

// writer is the syncer's own state: the active segment.
type writer struct {
	seg     *segment // nil: the next frame makes a new one
	file    File
	salt    uint32
	limit   int64     // where to begin the next segment
	written int64     // end of what was written
	good    int64     // end of what was synced
	tail    hint      // the last frame that was written
	durable uint64    // the last sequence that was synced
	ord     uint64    // of the next segment
	retry   time.Time // while degraded: when to probe again
	delay   time.Duration
	failed  error // while ending
}

// store writes and syncs the frames of b that are not durable yet. After an error it may be called again.
func (s *Spool) store(b *batch) error {
	w := &s.w
	for _, p := range b.parts {
		start := 0 // of the run of frames that is complete but not written
		for at := 0; at < len(p.buf); {
			h := rawHeader(p.buf[at:])
			size := int(h.size())
			if h.seq <= w.durable {
				at += size
				start = at
				continue
			}
			end := w.written + int64(at-start)
			if w.seg != nil && end > segmentStart && end+int64(size) > w.limit {
				if err := s.writeOut(p.buf[start:at]); err != nil {
					return err
				}
				start = at
				if err := s.syncOut(); err != nil {
					return err
				}
				if err := s.seal(); err != nil {
					s.say("seal", "a segment could not be sealed", err)
				}
			}
			if w.seg == nil {
				if err := s.create(h.seq, int64(size)); err != nil {
					return err
				}
			}
			sealHeader(p.buf[at:], w.salt)
			w.tail = hint{ord: w.seg.ord, off: w.written + int64(at-start), seq: h.seq}
			at += size
		}
		if err := s.writeOut(p.buf[start:]); err != nil {
			return err
		}
	}
	return s.syncOut()
}

func (s *Spool) writeOut(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if _, err := s.w.file.WriteAt(b, s.w.written); err != nil {
		return err
	}
	s.w.written += int64(len(b))
	return nil
}

func (s *Spool) syncOut() error {
	w := &s.w
	if w.seg == nil || w.good == w.written {
		return nil
	}
	s.opts.Point(PointBatchWritten)
	if err := syncNamed(w.file, s.opts.Dir, w.seg.name); err != nil {
		return err
	}
	w.good, w.durable = w.written, w.tail.seq
	s.opts.Point(PointBatchSynced)
	return nil
}

// syncNamed syncs f, which must still have its name: else a removed folder would be told "stored" until the file is full.
func syncNamed(f File, dir, name string) error {
	if err := f.Sync(); err != nil {
		return err
	}
	linked, err := f.Linked()
	if err == nil && !linked {
		err = fmt.Errorf("somebody removed %s", filepath.Join(dir, name))
	}
	return err
}

// create begins a new segment with the frame first, of size bytes.
func (s *Spool) create(first uint64, size int64) error {
	w := &s.w
	now := s.opts.Now().UnixNano()
	head := segmentHead{salt: newSalt(), ord: w.ord, first: first, created: now}
	// A file that stays behind after a failure keeps its name: the next try takes another.
	w.ord++
	name := segmentName(head.ord, first)
	f, err := s.fs.Create(s.path(name))
	if err != nil {
		return fmt.Errorf("a new segment cannot be created: %w", err)
	}
	limit, err := s.reserve(f, segmentStart+size)
	if err == nil {
		err = s.prepare(f, head)
	}
	if err != nil {
		_ = f.Close()
		_ = s.fs.Remove(s.path(name))
		return fmt.Errorf("a new segment cannot be prepared: %w", err)
	}
	w.seg = &segment{name: name, ord: head.ord, first: first, end: openEnd, since: now, ours: true}
	w.file, w.salt, w.limit = f, head.salt, limit
	w.written, w.good = segmentStart, segmentStart
	s.mu.Lock()
	s.segs = append(s.segs, w.seg)
	s.resizeLocked(w.seg, segmentStart)
	s.mu.Unlock()
	return nil
}

// leastSegment is the smallest segment that is made of a larger segment_bytes where space is short.
const leastSegment = 256 << 10

// reserve gives f the space of a segment, at least so many bytes, and returns how many it has. On a disk that is nearly full it is a half,
// a quarter and so on of a segment: what is left there is better used than kept.
func (s *Spool) reserve(f File, least int64) (size int64, err error) {
	least = max(least, min(s.opts.SegmentBytes, leastSegment))
	for size = max(s.opts.SegmentBytes, least); ; size = max(size/2, least) {
		err = f.Preallocate(size)
		if err == nil && size < s.opts.SegmentBytes {
			s.say("space", "the disk is nearly full, so files are smaller than segment_bytes", fmt.Errorf("%d bytes", size))
		}
		if size == least || !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EDQUOT) {
			return size, err
		}
		_ = f.Truncate(0) // what was reserved before the space ended
	}
}

func (s *Spool) prepare(f File, head segmentHead) error {
	s.opts.Point(PointSegmentCreated)
	if _, err := f.WriteAt(head.encode(), 0); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	s.opts.Point(PointHeaderSynced)
	if err := s.fs.SyncDir(s.opts.Dir); err != nil {
		return err
	}
	s.opts.Point(PointFolderSynced)
	return nil
}

// seal ends the active segment, all of which is synced, and gives back the space that was reserved behind its
// last frame. An error is harmless: everything that was answered is durable already.
func (s *Spool) seal() error {
	w := &s.w
	if w.seg == nil {
		return nil
	}
	seg, f := w.seg, w.file
	w.seg, w.file = nil, nil
	err := f.Truncate(w.good)
	if err == nil {
		err = f.Sync()
	}
	err = cmp.Or(err, f.Close())
	s.opts.Point(PointSegmentSealed)
	s.close(seg, w.good, w.durable)
	if err != nil {
		return fmt.Errorf("segment %s: %w", s.path(seg.name), err)
	}
	return nil
}

// close fixes the range of a segment that gets no more frames; last is the last sequence that is durable.
func (s *Spool) close(g *segment, size int64, last uint64) {
	s.mu.Lock()
	g.end = max(g.first, last+1)
	s.resizeLocked(g, size)
	s.retireLocked(g)
	s.mu.Unlock()
}
