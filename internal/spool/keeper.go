package spool

import (
	"cmp"
	"errors"
	"io/fs"
	"syscall"
	"time"
)

// The keeper does what nobody waits for: it writes the position file, unlinks segments, and reads how old the
// oldest record is.

const (
	ackEvery      = 1000                   // acknowledgements after which the position is written at once
	positionEvery = 100 * time.Millisecond // and the longest it is left unwritten
	positionSync  = time.Second            // how old the durable position may be after a power cut
	hintEvery     = 4 << 20                // bytes that a start may have to read again
	keeperRetry   = time.Second
)

type keeper struct {
	ended      chan struct{}
	file       File      // position; nil when it could not be opened
	due        time.Time // when the position must be written; zero when nothing has changed
	generation uint64
	slot       int // where the next generation goes
	unsynced   bool
	distrusted bool // a write or sync of file has failed
	syncedAt   time.Time
	failed     error // while ending
	buf        []byte
}

func (k *keeper) close() {
	if k.file != nil {
		_ = k.file.Close()
		k.file = nil
	}
}

// markDirtyLocked counts n changes that the position file does not have, and wakes the keeper for the first of them and
// when there are many.
func (s *Spool) markDirtyLocked(n uint64) {
	clean := s.dirty == 0
	s.dirty += int(min(n, uint64(s.opts.pace.acks)))
	if n > 0 && (clean || s.dirty >= s.opts.pace.acks) {
		nudge(s.keep)
	}
}

func (s *Spool) keepLoop() {
	k := &s.k
	defer close(k.ended)
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	for {
		nudged, tick := s.keep, (<-chan time.Time)(nil)
		wait, failed := s.keepOnce()
		if wait >= 0 {
			timer.Reset(max(wait, time.Millisecond))
			tick = timer.C
		}
		if failed {
			nudged = nil // a nudge must not turn a failing disk into a busy loop
		}
		select {
		case <-nudged:
			timer.Stop()
		case <-tick:
		case <-s.stop:
			timer.Stop()
			s.keepEnd()
			return
		}
	}
}

// keepOnce does what is due, and returns how long nothing will be, or -1 for until something happens.
func (s *Spool) keepOnce() (wait time.Duration, failed bool) {
	k := &s.k
	s.findOldest()
	s.lookAhead()
	s.answerDurablePosition()
	s.mu.Lock()
	// The hint, too: a start that knows what was synced can tell what is gone.
	pending := s.dirty > 0 || s.hinted > 0
	now := s.dirty >= s.opts.pace.acks || s.hinted >= s.opts.pace.bytes
	behind := s.slotsBehindLocked()
	s.mu.Unlock()
	switch {
	case !pending:
		k.due = time.Time{}
	case k.due.IsZero():
		k.due = time.Now().Add(s.opts.pace.every)
	}
	switch {
	case behind:
		k.due = time.Time{}
		err := s.recordGaps()
		if uerr := s.unlink(); err != nil || uerr != nil { // when the position fails, space matters more
			return keeperRetry, true
		}
		return 0, false // look again: there was time for more
	case now || pending && time.Until(k.due) <= 0:
		k.due = time.Time{}
		if s.writePosition() != nil {
			return keeperRetry, true
		}
		return 0, false
	}
	wait = -1
	if pending {
		wait = time.Until(k.due)
	}
	if k.unsynced {
		left := time.Until(k.syncedAt.Add(positionSync))
		if left <= 0 {
			if s.syncPosition() == nil {
				return wait, false
			}
			k.syncedAt, left = time.Now(), positionSync // not again before that
		}
		if wait < 0 || left < wait {
			wait = left
		}
	}
	return wait, false
}

func (s *Spool) keepEnd() {
	s.mu.Lock()
	behind := s.slotsBehindLocked()
	s.mu.Unlock()
	store := s.storePosition // the hint and next have moved even where nothing was acknowledged
	if behind {
		store = s.recordGaps
	}
	s.k.failed = cmp.Or(store(), s.unlink())
	s.k.close()
}

// slotsBehindLocked reports whether both slots of the position must know what is known now.
func (s *Spool) slotsBehindLocked() bool { return len(s.deletable) > 0 || s.gaps > s.recordedGaps }

// unlink removes the acknowledged segments. One that fails is tried again.
func (s *Spool) unlink() error {
	s.mu.Lock()
	deletable := s.deletable
	s.deletable = nil
	s.mu.Unlock()
	if len(deletable) == 0 {
		return nil
	}
	var failed error
	var again []*segment
	for _, g := range deletable {
		if err := s.unname(g); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = err
			again = append(again, g)
		}
	}
	s.opts.Point(PointUnlinked)
	failed = cmp.Or(failed, s.fs.SyncDir(s.opts.Dir))
	if failed != nil {
		s.say("unlink", "an acknowledged segment cannot be removed", failed)
	}
	s.mu.Lock()
	s.deletable = append(s.deletable, again...)
	s.unlock()
	return failed
}

func (s *Spool) unname(g *segment) error {
	s.mu.Lock()
	tainted := g.tainted
	s.mu.Unlock()
	if !g.ours && s.foreign(g) {
		s.say("version-dropped", "a segment of another version of this program is not needed any more and is left where it is", errors.New(s.path(g.name)))
		return nil
	}
	if !tainted {
		if err := s.fs.Remove(s.path(g.name)); !errors.Is(err, syscall.ENOTEMPTY) { // a folder is under its name
			return err
		}
	}
	return s.fs.Rename(s.path(g.name), s.path(g.name+badSuffix))
}

// foreign reports whether another version of this program wrote g. No cursor may have looked at it when it is dropped.
func (s *Spool) foreign(g *segment) bool {
	_, err := headOf(s.fs, s.path(g.name))
	return errors.Is(err, errSegmentVersion)
}

// findOldest learns the time of the oldest segment, for Stats.
func (s *Spool) findOldest() {
	s.mu.Lock()
	var g *segment
	if len(s.segs) > 0 && s.segs[0].since == 0 {
		g = s.segs[0]
	}
	s.mu.Unlock()
	if g == nil {
		return
	}
	since := int64(-1) // not known, and not asked again
	if h, err := headOf(s.fs, s.path(g.name)); err == nil && h.created > 0 {
		since = h.created
	}
	s.mu.Lock()
	g.since = since
	s.mu.Unlock()
}
