package spool

import (
	"fmt"
	"slices"
	"time"
)

// The syncer takes everything that was appended since it last looked, writes it, syncs once and answers all. The
// sync itself makes the batch: while it runs, the next one gathers. There is no artificial delay.

// part is a run of whole frames in one block.
type part struct {
	blk *block
	buf []byte // the end of blk.buf, taken under mu: Append moves it meanwhile
}

// batch is one group commit.
type batch struct {
	parts []part
	last  uint64 // sequence of the last frame
	count int
	bytes int64
	dones []waiter
}

func (s *Spool) syncLoop() {
	defer close(s.syncerEnded)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var b batch
	for {
		switch s.nextWork(&b, timer) {
		case workBatch:
			s.commit(&b)
		case workRoll:
			if err := s.seal(); err != nil {
				s.say("seal", "a segment could not be sealed", err)
			}
		case workProbe:
			s.probe()
		case workEnd:
			s.w.failed = s.seal()
			return
		}
	}
}

type work int

const (
	workBatch work = iota
	workRoll
	workProbe
	workEnd
)

// nextWork sleeps until there is something to do, and says what. Only the syncer calls it.
func (s *Spool) nextWork(b *batch, timer *time.Timer) work {
	for {
		s.mu.Lock()
		unwritten := s.unwrittenLocked()
		due := time.Duration(-1) // sleep until woken
		switch {
		case s.degraded != nil && s.closing:
			s.mu.Unlock()
			return workEnd
		case s.degraded != nil:
			due = time.Until(s.w.retry)
			if due <= 0 {
				s.mu.Unlock()
				return workProbe
			}
		case s.rollNow:
			s.rollNow = false
			s.mu.Unlock()
			return workRoll
		case unwritten:
			due = time.Until(s.late)
			if s.urgent || s.closing || due <= 0 || s.waiting >= laterBytes {
				s.takeLocked(b)
				s.mu.Unlock()
				return workBatch
			}
		case s.closing:
			s.mu.Unlock()
			return workEnd
		default:
			// Sync may have asked for haste when all was on its way already; left standing, that would keep
			// the next Append from waking anybody.
			s.urgent, s.late = false, time.Time{}
		}
		s.asleep = true
		s.mu.Unlock()

		if due < 0 {
			<-s.wake
			continue
		}
		timer.Reset(due)
		select {
		case <-s.wake:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// unwrittenLocked reports whether frames wait that no batch took.
func (s *Spool) unwrittenLocked() bool {
	n := len(s.blocks)
	return n > 0 && s.blocks[n-1].taken < len(s.blocks[n-1].buf)
}

// takeLocked moves what is unwritten into b, up to maxBatch bytes.
func (s *Spool) takeLocked(b *batch) {
	*b = batch{parts: b.parts[:0], dones: b.dones[:0]}
	from := len(s.blocks)
	for from > 0 && s.blocks[from-1].taken < len(s.blocks[from-1].buf) {
		from--
	}
	whole := true
	for _, blk := range s.blocks[from:] {
		if b.bytes > 0 && b.bytes+int64(len(blk.buf)-blk.taken) > maxBatch {
			whole = false
			break
		}
		p := part{blk: blk, buf: blk.buf[blk.taken:]}
		blk.taken = len(blk.buf)
		b.parts = append(b.parts, p)
		b.bytes += int64(len(p.buf))
		b.last = blk.last
	}
	b.count = int(b.last - s.answered)
	if whole {
		b.dones, s.dones = s.dones, b.dones
		s.urgent, s.late = false, time.Time{}
		return
	}
	b.dones = s.takeDonesLocked(b.dones, b.last)
}

// takeDonesLocked moves the waiters up to last to dst.
func (s *Spool) takeDonesLocked(dst []waiter, last uint64) []waiter {
	n := 0
	for n < len(s.dones) && s.dones[n].seq <= last {
		n++
	}
	dst = append(dst, s.dones[:n]...)
	s.dones = slices.Delete(s.dones, 0, n)
	return dst
}

// commit makes b durable and answers its waiters.
//
// After a failed write or sync the kernel may have dropped the pages and marked them clean, so that a second
// sync of the same file would lie. The frames are still in memory: they go to a new segment, once. If that fails
// as well, nothing on this disk can be trusted for now.
func (s *Spool) commit(b *batch) {
	begin := time.Now()
	err := s.store(b)
	if err != nil {
		s.poison(err)
		first := err
		if err = s.store(b); err == nil {
			s.say("rewritten", "a write failed and its records were stored in a new segment", first)
		}
	}
	if err != nil {
		s.poison(err)
		why := s.degrade(err)
		s.answer(b, why)
		for s.more(b) {
			s.answer(b, why)
		}
		return
	}
	took := time.Since(begin)
	s.opts.Synced(took, b.count, b.bytes)
	if took > time.Second {
		s.say("slow", "a sync took longer than a second", fmt.Errorf("it took %v", took.Round(time.Millisecond)))
	}
	s.mu.Lock()
	s.n.Syncs++
	s.n.SyncTotal += took
	s.n.SyncMax = max(s.n.SyncMax, took)
	s.mu.Unlock()
	s.answer(b, nil)
}

// more takes what gathered meanwhile, if anything.
func (s *Spool) more(b *batch) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.unwrittenLocked() {
		return false
	}
	s.takeLocked(b)
	return true
}

// answer lets cursors see b, or drops it, and calls the done functions.
func (s *Spool) answer(b *batch, err error) {
	s.mu.Lock()
	for _, p := range b.parts {
		p.blk.answered = p.blk.taken
	}
	kept := min(max(s.w.durable, s.answered), b.last)
	s.n.Stored += kept - s.answered
	s.answered = b.last
	s.waiting -= b.bytes
	if s.w.seg != nil {
		s.resizeLocked(s.w.seg, s.w.good)
		s.hint = s.w.tail
		s.hinted += b.bytes
	}
	if lost := b.last - kept; lost > 0 {
		s.n.Failed += lost
		s.gaps++
		s.resolveLocked(kept+1, b.last+1)
	}
	// Sync waits for a sequence that may have been on its way already.
	b.dones = s.takeDonesLocked(b.dones, b.last)
	if s.watched {
		close(s.fresh)
		s.fresh, s.watched = make(chan struct{}), false
	}
	room := s.roomLocked()
	keep := s.hinted == b.bytes || s.hinted >= s.opts.pace.bytes
	s.mu.Unlock()

	if keep {
		nudge(s.keep)
	}
	for i := range b.dones {
		if b.dones[i].seq <= kept {
			b.dones[i].done(nil)
		} else {
			b.dones[i].done(err)
		}
	}
	clear(b.dones)
	clear(b.parts)
	if room {
		s.opts.Room()
	}
}

// roomLocked reports whether Options.Room is owed and due.
func (s *Spool) roomLocked() bool {
	if !s.refused || s.degraded != nil || s.closing ||
		s.bytes+s.waiting >= s.opts.MaxBytes || s.waiting > s.opts.MaxWaiting/2 {
		return false
	}
	s.refused = false
	return true
}

// resizeLocked keeps the sum of the sizes.
func (s *Spool) resizeLocked(g *segment, size int64) {
	s.bytes += size - g.size
	g.size = size
}
