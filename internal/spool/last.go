package spool

import (
	"errors"
	"fmt"
	"time"
)

// recoverLast finds the end of the last segment and cuts what is torn behind it.
//
// A frame whose length is plausible but whose checksum is wrong can be a torn last write or bad media, and only
// its position tells which. When good frames follow, it is left for the readers, which skip that one record,
// count it and keep its bytes. At the end the write was never acknowledged, so it is cut off, after a copy was made.
func (s *Spool) recoverLast(g *segment, h hint) error {
	for try := 1; ; try++ {
		err := s.readLast(g, h, try == readAttempts)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, errSegmentVersion):
			return fmt.Errorf("spool %s: the last segment %s was written by another version of this program, and is left alone: "+
				"install that version, or move the folder away: %w", s.opts.Dir, g.name, err)
		case errors.Is(err, errSegmentEmpty):
			g.end = g.first // its creation was cut short; the keeper removes it
			return nil
		case hopeless(err):
			g.end = g.first
			s.damagedLocked(g, g.size, true) // renamed where it would be unlinked
			s.say("set-aside", "a segment cannot be read and is kept as "+g.name+badSuffix, err)
			return nil
		case media(err) && try == readAttempts:
			g.end = g.first
			if err := s.setAside(g, err); err != nil {
				return fmt.Errorf("spool %s: the last segment %s can neither be read nor set aside: %w", s.opts.Dir, g.name, err)
			}
			return nil
		case !media(err):
			return fmt.Errorf("spool %s: the last segment %s cannot be read: %w", s.opts.Dir, g.name, err)
		}
		time.Sleep(readRetry) // a disk may come back
	}
}

// readLast is one try of recoverLast.
func (s *Spool) readLast(g *segment, h hint, lastTry bool) error {
	f, err := s.fs.Open(s.path(g.name))
	if err != nil {
		return err
	}
	defer f.Close()
	head, damage, err := readHead(f, g, h, s.disk, lastTry)
	if err != nil {
		return err
	}
	if damage != "" {
		s.damagedHead(g, f, head, damage)
	}
	end, err := findEnd(f, head, g.size, h, s.disk, lastTry)
	if err != nil {
		return err
	}
	g.since = head.created
	g.end = max(g.first, end.last+1)
	if end.unread != nil {
		s.damagedLocked(g, 0, true)
		s.say("unread", "a part of the last segment cannot be read and is skipped", fmt.Errorf("segment %s: %w", s.path(g.name), end.unread))
		g.size = max(end.good, segmentStart)
		return nil // what cannot be read now may be read another day: nothing is cut
	}
	if end.torn > end.good {
		s.keepTorn(g, f, end)
		if h.ord == g.ord && h.seq > end.last {
			// The position file knows that this frame was synced: it was acknowledged.
			s.damagedLocked(g, end.torn-end.good, false)
		}
	}
	// A failure leaves the file longer than it need be: readers stop at g.size.
	cut := g.size <= end.good || f.Truncate(end.good) == nil
	if ahead := end.last > h.seq; (ahead || g.size > end.good) && cut && f.Sync() == nil && ahead {
		s.hint = hint{ord: g.ord, off: end.at, seq: end.last}
		s.hinted++ // so that the position is written
	}
	g.size = end.good
	return nil
}

// damagedHead counts, logs and keeps a header without which the frames of g can be read, once a segment.
func (s *Spool) damagedHead(g *segment, f File, head segmentHead, damage string) {
	if damage == headOneCopy {
		s.say("header", "one copy of a segment header is damaged, the other one serves", errors.New(g.name))
		return
	}
	s.mu.Lock()
	again := g.found != nil
	g.found = &head
	s.mu.Unlock()
	if again {
		return
	}
	name := keptName(g.name, 0, badSuffix)
	err := keepBytes(s.fs, s.opts.Dir, name, f, 0, segmentStart)
	s.mu.Lock()
	s.damagedLocked(g, segmentStart, err != nil)
	s.mu.Unlock()
	s.say("header-lost", "a segment header is lost and kept as "+name+", what its frames hold is delivered", errors.Join(errors.New(damage), err))
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
	at     int64  // where that frame begins
	reason error
	unread error // why pages could not be read and were stepped over; nil when all could
}

// findEnd looks for the last good frame, from the hint on where that is right. At the last try pages that cannot be read are stepped over.
func findEnd(f File, head segmentHead, size int64, h hint, source *blocks, lastTry bool) (segmentEnd, error) {
	sc := newScanner(f, head, source)
	defer sc.release()
	sc.limit = size
	end := segmentEnd{good: segmentStart, torn: segmentStart}
	content, err := lastNonZero(f, 0, size)
	if err != nil && !lastTry {
		return end, err
	}
	if sc.zeroFrom = content; err != nil {
		sc.zeroFrom = size
	}
	if h.ord == head.ord && h.off >= segmentStart && h.off < size && h.off%frameAlign == 0 {
		b, err := sc.peek(h.off, frameHeader)
		if err != nil && !lastTry {
			return end, err
		}
		if hd, err := readHeader(b, head.salt); err == nil && hd.seq == h.seq && hd.kind == kindRecord {
			// Everything before it was synced; that very frame may still prove to be damaged.
			sc.off, sc.lo = h.off, h.seq
			end = segmentEnd{good: h.off, torn: h.off, last: h.seq - 1, at: h.off}
		}
	}
	for pages := 0; ; {
		got, err := sc.next()
		if err != nil {
			if pages++; pages > maxUnread || !lastTry || !readsAnywhere(f) {
				return end, err
			}
			end.unread = err
			sc.off = (sc.off/pageBytes + 1) * pageBytes
			continue
		}
		switch got.what {
		case foundFrame:
			end.good, end.torn, end.last, end.at = got.to, got.to, got.head.seq, got.from
		case foundBad:
			end.torn, end.reason = got.to, got.reason
		case foundEnd:
			if end.torn > end.good && end.unread == nil {
				end.torn = max(end.good, min(end.torn, sc.zeroFrom))
			}
			return end, nil
		}
	}
}
