package spool

import (
	"fmt"
	"time"
)

// How losses differ from records that were delivered or never stored.

// resolveOutside resolves what no segment answers for. It is acknowledged, was never stored, or is lost: what the position file knows
// to be synced and not acknowledged was in a file that somebody removed or that cannot be read.
func (s *Spool) resolveOutside(segs []*segment, h hint) {
	n := missingOutside(s.acks, segs, s.next, h)
	first, end := s.next, s.next
	if n := len(segs); n > 0 {
		first, end = segs[0].first, segs[n-1].end
	}
	s.markDirtyLocked(s.acks.setRange(s.acks.frontier, first))
	if gap := s.acks.setRange(end, s.next); gap > 0 {
		s.gaps++
		s.markDirtyLocked(gap)
	}
	if n > 0 {
		s.n.Missing += n
		s.sayMissing(fmt.Errorf("the position file knows of sequence %d", h.seq), false)
	}
}

// missingOutside counts the records that are pending by a, were synced by h, and are in none of the segments' ranges.
func missingOutside(a *acks, segs []*segment, next uint64, h hint) (n uint64) {
	synced := min(h.seq+1, next) // no sequence from here on is known to have been answered for
	pending := func(from, to uint64) uint64 {
		from, to = max(from, a.frontier), min(to, synced)
		if from >= to {
			return 0
		}
		return to - from - a.count(from, to)
	}
	if len(segs) == 0 {
		return pending(a.frontier, synced)
	}
	n = pending(a.frontier, segs[0].first)
	if last := segs[len(segs)-1]; !last.foreign { // else nobody knows how far it reaches
		n += pending(last.end, synced)
	}
	return n
}

// A toll is what was logged of the records that are missing.
type toll struct {
	said  uint64 // of Counters.Missing
	at    time.Time
	where error // of the last one that was not logged
}

// sayMissing logs the records that were found to be missing and are not logged yet: at once for the first, then once a minute, and
// when all says that nothing more is being found.
func (s *Spool) sayMissing(where error, all bool) {
	now := s.opts.Now()
	s.mu.Lock()
	n := s.n.Missing - s.toll.said
	if where != nil {
		s.toll.where = where
	}
	if n == 0 || !all && s.toll.said > 0 && now.Sub(s.toll.at) < repeatEvery {
		s.mu.Unlock()
		return
	}
	s.toll.said, s.toll.at, where = s.n.Missing, now, s.toll.where
	s.mu.Unlock()
	s.opts.Log.Warn("messages that should be on the disk are not there, they are lost", "spool", s.opts.Dir,
		"error", fmt.Errorf("%d message(s): %w", n, where))
}
