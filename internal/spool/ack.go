package spool

import (
	"slices"
	"sort"
)

// Ack says that the records with these sequences need no delivery any more. The order does not matter, and
// neither do sequences that were acknowledged before or never given out. It touches no disk: the keeper writes
// the position soon, and a crash before that costs a second delivery.
func (s *Spool) Ack(seqs ...uint64) {
	s.mu.Lock()
	for _, seq := range seqs {
		s.ackLocked(seq)
	}
	s.unlock()
}

// unlock gives mu back, and tells that there is room where that is owed.
func (s *Spool) unlock() {
	room := s.roomLocked()
	s.mu.Unlock()
	if room {
		s.opts.Room()
	}
}

// Resolve is Ack for one record, and says whether it was pending, and whether it is stored.
func (s *Spool) Resolve(seq uint64) (fresh, stored bool) {
	s.mu.Lock()
	stored = seq <= s.answered
	fresh = s.ackLocked(seq)
	s.unlock()
	return fresh, stored
}

// ackLocked acknowledges seq, and reports whether it was pending. One that is not stored yet can't be acknowledged.
func (s *Spool) ackLocked(seq uint64) bool {
	if seq > s.answered || !s.acks.set(seq) {
		return false
	}
	s.n.Acked++
	s.markDirtyLocked(1)
	if g := s.segmentOfLocked(seq); g != nil {
		g.acked++
		s.retireLocked(g)
	}
	return true
}

// resolveLocked marks from..to-1 as resolved, whatever became of them, and returns how many were not.
func (s *Spool) resolveLocked(from, to uint64) uint64 {
	from = max(from, s.acks.frontier)
	if from >= to {
		return 0
	}
	var touched []*segment
	for _, g := range s.segs {
		lo, hi := max(from, g.first), min(to, g.end)
		if lo < hi {
			g.acked += hi - lo - s.acks.count(lo, hi)
			touched = append(touched, g)
		}
	}
	n := s.acks.setRange(from, to)
	s.markDirtyLocked(n)
	for _, g := range touched {
		s.retireLocked(g)
	}
	return n
}

// retireLocked hands an acknowledged segment to the keeper.
func (s *Spool) retireLocked(g *segment) {
	if !g.done() {
		return
	}
	i := slices.Index(s.segs, g)
	if i < 0 {
		return
	}
	s.segs = slices.Delete(s.segs, i, i+1)
	s.bytes -= g.size
	s.deletable = append(s.deletable, g)
	nudge(s.keep)
}

// segmentOfLocked returns the segment that answers for seq, or nil.
func (s *Spool) segmentOfLocked(seq uint64) *segment {
	i := sort.Search(len(s.segs), func(i int) bool { return s.segs[i].first > seq })
	if i == 0 || !s.segs[i-1].holds(seq) {
		return nil
	}
	return s.segs[i-1]
}

// Discard gives up the records from a sequence on, or from the oldest for 0, up to to-1, as far as they are stored and not in keep, which is in
// order, and returns how many of them were pending. It touches no disk, and what a cursor has read before may still be at its reader.
func (s *Spool) Discard(from, to uint64, keep []uint64) (records uint64) {
	s.mu.Lock()
	from, to = max(from, s.acks.frontier), min(to, s.answered+1)
	for _, seq := range keep {
		if seq >= from && seq < to {
			records += s.resolveLocked(from, seq)
			from = seq + 1
		}
	}
	records += s.resolveLocked(from, to)
	s.n.Dropped += records
	s.unlock()
	return records
}
