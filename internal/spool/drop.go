package spool

import (
	"errors"
	"fmt"
)

// DropOldest gives up the oldest records in whole segments, until need more bytes fit or only the segment that
// is being written is left, and returns how many records it gave up that were not acknowledged. Those that are
// on their way may still be delivered. The room is there at once; the keeper unlinks.
//
// With [Options.Later] it leaves every segment that holds what a later version of the program has written, and stops at one that the keeper has not
// looked into yet: then Room is called when it has.
func (s *Spool) DropOldest(need int64) (records uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.need = need
	for i := 0; i < len(s.segs) && s.bytes+s.waiting+need > s.opts.MaxBytes; {
		g := s.segs[i]
		switch {
		case g.end == openEnd:
			s.rollNow = true // the next call can drop it
			if s.asleep {
				s.asleep = false
				nudge(s.wake)
			}
			return records
		case g.foreign && s.opts.Later != nil, g.later:
			i++
			continue
		case s.unseenLocked(g):
			nudge(s.keep)
			return records
		}
		n := s.resolveLocked(g.first, g.end)
		records += n
		s.n.Dropped += n
		s.retireLocked(g) // resolve found nothing to do in a segment that was empty
		if i < len(s.segs) && s.segs[i] == g {
			return records
		}
	}
	return records
}

// Spare keeps DropOldest from the segment that holds seq: the caller cannot read the record, and a later version of the program can. Where Discard gives it
// up, the file is kept, with .bad behind its name.
func (s *Spool) Spare(seq uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g := s.segmentOfLocked(seq); g != nil {
		g.later, g.tainted = true, true
	}
}

// unseenLocked reports whether g may hold what a later version has written, for all that is known. This process writes nothing of that kind.
func (s *Spool) unseenLocked(g *segment) bool { return s.opts.Later != nil && !g.ours && !g.seen }

// nextUnseenLocked returns the oldest segment that DropOldest comes to soon and that the keeper has not looked into, or nil. Where there is room
// for two segments more, none is read for this.
func (s *Spool) nextUnseenLocked() *segment {
	used := s.bytes + s.waiting + max(2*s.opts.SegmentBytes, s.need)
	for _, g := range s.segs {
		switch {
		case used <= s.opts.MaxBytes:
			return nil
		case s.unseenLocked(g):
			return g
		case !g.foreign && !g.later:
			used -= g.size
		}
	}
	return nil
}

// lookAhead finds out which segments DropOldest may drop next. Only the keeper calls it.
func (s *Spool) lookAhead() {
	for {
		s.mu.Lock()
		g := s.nextUnseenLocked()
		if g == nil {
			s.mu.Unlock()
			return
		}
		look := *g
		s.mu.Unlock()
		s.lookInto(g, &look)
	}
}

// lookInto looks for what a later version has written in g, of which look is a copy.
func (s *Spool) lookInto(g, look *segment) {
	later, err := s.holdsLater(look)
	foreign := errors.Is(err, errSegmentVersion)
	s.mu.Lock()
	g.seen = true
	g.later = g.later || later
	g.foreign = g.foreign || foreign
	g.tainted = g.tainted || later || err != nil // what cannot be read now may be read another day
	room := s.refused
	s.refused = false
	s.mu.Unlock()
	switch {
	case foreign:
		s.say("version", foreignText, fmt.Errorf("segment %s: %w", s.path(g.name), err))
	case later:
		s.say("later", "a segment has messages that a later version of this program has written and is not dropped", errors.New(s.path(g.name)))
	}
	if room {
		s.opts.Room()
	}
}

// holdsLater reports whether a pending record of g is of a later version.
func (s *Spool) holdsLater(g *segment) (bool, error) {
	f, err := s.fs.OpenRead(s.path(g.name))
	if err != nil {
		return false, err
	}
	defer f.Close()
	head, _, err := readHead(f, g, s.begun, s.disk, true)
	if err != nil {
		return false, err
	}
	_, later, err := firstFrame(f, head, g, s.disk, func(got found) bool {
		return s.opts.Later(got.payload) && !s.Resolved(got.head.seq)
	})
	return later, err
}
