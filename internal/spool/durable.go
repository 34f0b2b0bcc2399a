package spool

import "context"

// durablePosition is the answer to DurablePosition.
type durablePosition struct {
	has        func(seq uint64) bool
	generation uint64
	err        error
}

// DurablePosition has the position written and synced, and returns which sequences it says are acknowledged: a power cut takes nothing of that
// back. The generation names that position; a spool whose [Spool.Generation] is lower when it is opened has lost it.
//
// It waits for the disk. It must not be called from a hook or a done function.
func (s *Spool) DurablePosition(ctx context.Context) (has func(seq uint64) bool, generation uint64, err error) {
	answer := make(chan durablePosition, 1)
	s.mu.Lock()
	s.asked = append(s.asked, answer)
	s.mu.Unlock()
	nudge(s.keep)
	select {
	case a := <-answer:
		return a.has, a.generation, a.err
	case <-s.k.ended:
		return nil, 0, ErrClosed
	case <-ctx.Done():
		return nil, 0, ctx.Err()
	}
}

// Generation returns that of the position which Open has found: 0 is none.
func (s *Spool) Generation() uint64 { return s.found }

// Resolved reports whether a sequence needs no delivery any more.
func (s *Spool) Resolved(seq uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.acks.has(seq)
}

// answerDurablePosition does what DurablePosition has asked for. Only the keeper calls it.
func (s *Spool) answerDurablePosition() {
	s.mu.Lock()
	asked := s.asked
	s.asked = nil
	s.mu.Unlock()
	if len(asked) == 0 {
		return
	}
	a := durablePosition{err: s.storePosition()} // a generation of its own
	if a.err == nil {
		// What was left out for want of room is not in it.
		var p position
		if p, a.err = decodePosition(s.k.buf); a.err == nil {
			a.has, a.generation = p.acks.has, p.generation
		}
	}
	for _, c := range asked {
		c <- a
	}
}
