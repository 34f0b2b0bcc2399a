package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// recover reads what the last process left. Its cost does not grow with the backlog: the position file, the names
// of the segments, and the part of the last segment behind the hint in the position file.
//
// No segment is ever appended to again. What a crash may have torn is then always the end of the segment that was
// the last one, and a start needs no space on the disk.
func (s *Spool) recover() error {
	s.k.ended = make(chan struct{})
	segs, err := listSegments(s.fs, s.opts.Dir)
	if err != nil {
		return fmt.Errorf("spool %s: the folder cannot be read: %w", s.opts.Dir, err)
	}
	pos, err := s.loadPosition()
	if err != nil {
		return err
	}
	s.found = pos.generation
	s.w.ord = pos.hint.ord + 1 // also when nothing is left: an unlinked segment may come back with a power cut
	for _, g := range segs {
		s.w.ord = max(s.w.ord, g.ord+1)
	}
	segs = s.setDisordered(segs)
	s.next = max(pos.next, 1)
	if n := len(segs); n > 0 {
		last := segs[n-1]
		// Even when the file turns out to be empty, its name says that everything before was given out.
		s.next = max(s.next, last.first)
		if err := s.recoverLast(last, pos.hint); err != nil {
			return err
		}
		s.next = max(s.next, last.end)
	}
	s.durable = s.next - 1
	s.w.durable = s.durable

	s.acks = pos.acks
	first, end := s.next, s.next
	if n := len(segs); n > 0 {
		first, end = segs[0].first, segs[n-1].end
	}
	// What no segment answers for is either done with or was never stored.
	s.acks.setRange(s.acks.frontier, first)
	s.acks.setRange(end, s.next)
	s.segs = slices.Clone(segs)
	for _, g := range segs {
		s.bytes += g.size
		g.acked = s.acks.count(g.first, g.end)
		s.retire(g)
	}
	return nil
}

// loadPosition reads the position file. Damage in it costs duplicates only, and is logged. But a file that cannot
// be read now must not come back later: sequences above the last one in the segments may be given out again, and
// its acknowledgements would then hide new records. So it is set aside.
func (s *Spool) loadPosition() (position, error) {
	none := position{acks: newAcks(1)}
	f, err := s.fs.Open(s.path(positionName))
	if errors.Is(err, fs.ErrNotExist) {
		return none, nil
	}
	if err == nil {
		var p position
		var slot int
		var reasons [2]error
		p, slot, reasons, err = readPosition(f)
		if err == nil && slot >= 0 {
			s.k.file, s.k.generation, s.k.slot = f, p.generation, 1-slot
			return p, nil
		}
		_ = f.Close()
		if err == nil && errors.Is(reasons[0], errPositionEmpty) && errors.Is(reasons[1], errPositionEmpty) {
			return none, nil // created, and never written
		}
		err = errors.Join(err, reasons[0], reasons[1])
	}
	s.say("position-lost", "the position is lost, records that were delivered may be delivered again; it is kept as "+
		positionName+badSuffix, err)
	if rerr := s.fs.Rename(s.path(positionName), s.path(positionName+badSuffix)); rerr != nil {
		return none, fmt.Errorf("spool %s: the file %s can neither be read nor set aside: %w", s.opts.Dir, positionName, errors.Join(err, rerr))
	}
	if rerr := s.fs.SyncDir(s.opts.Dir); rerr != nil {
		return none, fmt.Errorf("spool %s: the folder cannot be synced: %w", s.opts.Dir, rerr)
	}
	return none, nil
}

// listSegments returns the segments of dir by ordinal, each with the range that its name and its successor's tell.
func listSegments(fsys FS, dir string) ([]*segment, error) {
	entries, err := fsys.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var segs []*segment
	for _, e := range entries {
		if ord, first, ok := parseSegmentName(e.Name); ok {
			segs = append(segs, &segment{name: e.Name, ord: ord, first: first, size: e.Size})
		}
	}
	slices.SortFunc(segs, func(a, b *segment) int { return strings.Compare(a.name, b.name) })
	for i, g := range segs {
		g.end = openEnd
		if i+1 < len(segs) {
			g.end = max(g.first, segs[i+1].first)
		}
	}
	return segs, nil
}

// setDisordered sets aside segments whose first sequence is below that of an older one: no run of this program
// leaves such a folder, somebody copied a file into it, and the ranges of both can no longer be told.
func (s *Spool) setDisordered(segs []*segment) []*segment {
	var good []*segment
	for _, g := range segs {
		if n := len(good); n > 0 && g.first < good[n-1].first {
			s.setAside(g, errors.New("its sequence is below that of an older segment"))
			continue
		}
		if n := len(good); n > 0 {
			good[n-1].end = g.first
		}
		good = append(good, g)
	}
	if n := len(good); n > 0 {
		good[n-1].end = openEnd
	}
	return good
}

// setAside renames a segment that cannot be read, with all that is in it.
func (s *Spool) setAside(g *segment, why error) {
	err := s.fs.Rename(s.path(g.name), s.path(g.name+badSuffix))
	if err == nil {
		err = s.fs.SyncDir(s.opts.Dir)
	}
	s.mu.Lock()
	s.n.corrupt++
	s.n.corruptBytes += g.size
	s.mu.Unlock()
	s.say("set-aside", "a segment cannot be read and is kept as "+g.name+badSuffix, errors.Join(why, err))
}

// recoverLast finds the end of the last segment and cuts what is torn behind it.
//
// A frame whose length is plausible but whose checksum is wrong can be a torn last write or bad media, and only
// its position tells which. When good frames follow, it is left for the readers, which skip that one record,
// count it and keep its bytes. At the end nobody was told "stored", so it is cut off, after a copy was made.
func (s *Spool) recoverLast(g *segment, h hint) error {
	f, err := s.fs.Open(s.path(g.name))
	if err != nil {
		return fmt.Errorf("spool %s: the last segment %s cannot be opened: %w", s.opts.Dir, g.name, err)
	}
	defer f.Close()
	g.end = g.first
	head, damaged, err := readSegmentHead(f)
	switch {
	case errors.Is(err, errSegmentVersion):
		return fmt.Errorf("spool %s: the last segment %s was written by another version of this program: "+
			"install that one, or move the folder away: %w", s.opts.Dir, g.name, err)
	case errors.Is(err, errSegmentEmpty):
		// Its creation was cut short; the keeper removes it, unless there is something behind the header.
		content, err := lastNonZero(f, 0, g.size)
		if err != nil {
			return fmt.Errorf("spool %s: the last segment %s cannot be read: %w", s.opts.Dir, g.name, err)
		}
		g.tainted = content > 0
		return nil
	case errors.Is(err, errSegmentHeader):
		g.tainted = true // renamed where it would be unlinked
		s.n.corrupt++
		s.n.corruptBytes += g.size
		s.say("set-aside", "the last segment cannot be read and is kept as "+g.name+badSuffix, err)
		return nil
	case err != nil:
		return fmt.Errorf("spool %s: the last segment %s cannot be read: %w", s.opts.Dir, g.name, err)
	}
	if damaged {
		s.say("header", "one copy of a segment header is damaged, the other one serves", errors.New(g.name))
	}
	end, err := findEnd(f, head, g.size, h, s.disk)
	if err != nil {
		return fmt.Errorf("spool %s: the last segment %s cannot be read: %w", s.opts.Dir, g.name, err)
	}
	g.since = head.created
	g.end = max(g.first, end.last+1)
	if end.torn > end.good {
		s.keepTorn(g, f, end)
		if h.ord == g.ord && h.seq > end.last {
			// The position file knows that this frame was synced: somebody was told "stored".
			s.n.corrupt++
			s.n.corruptBytes += end.torn - end.good
		}
	}
	// A failure leaves the file longer than it need be: readers stop at g.size.
	if g.size > end.good && f.Truncate(end.good) == nil {
		_ = f.Sync()
	}
	g.size = end.good
	return nil
}

func (s *Spool) keepTorn(g *segment, f File, end segmentEnd) {
	name := keptName(g.name, end.good, tornSuffix)
	err := keepBytes(s.fs, s.opts.Dir, name, f, end.good, end.torn)
	if err != nil {
		g.tainted = true
	}
	s.say("torn", "the last write before the end was torn and is cut off, its bytes are kept as "+name,
		errors.Join(fmt.Errorf("%d bytes at %d: %w", end.torn-end.good, end.good, end.reason), err))
}

// segmentEnd is where the frames of a segment end.
type segmentEnd struct {
	good   int64  // end of the last good frame
	torn   int64  // end of the bytes behind it that are neither frames nor zero; good when there are none
	last   uint64 // sequence of the last good frame; 0 when there is none
	reason error
}

// findEnd looks for the last good frame, from the hint on where that is right.
func findEnd(f File, head segmentHead, size int64, h hint, source *blocks) (segmentEnd, error) {
	sc := newScanner(f, head, source)
	defer sc.release()
	sc.limit = size
	sc.zeroWindow = maxBatch
	end := segmentEnd{good: segmentStart, torn: segmentStart}
	if h.ord == head.ord && h.off >= segmentStart && h.off < size && h.off%frameAlign == 0 {
		b, err := sc.peek(h.off, frameHeader)
		if err != nil {
			return end, err
		}
		if hd, err := readHeader(b, head.salt); err == nil && hd.seq == h.seq && hd.kind == kindRecord {
			// Everything before it was synced; that very frame may still prove to be damaged.
			sc.off, sc.lo = h.off, h.seq
			end = segmentEnd{good: h.off, torn: h.off, last: h.seq - 1}
		}
	}
	for {
		got, err := sc.next()
		if err != nil {
			return end, err
		}
		switch got.what {
		case foundFrame:
			end.good, end.torn, end.last = got.to, got.to, got.head.seq
		case foundBad:
			end.torn, end.reason = got.to, got.reason
		case foundEnd:
			if end.torn > end.good {
				end.torn, err = lastNonZero(f, end.good, size)
				end.torn = max(end.torn, end.good)
			}
			return end, err
		}
	}
}
