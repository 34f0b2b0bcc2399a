package spool

import (
	"errors"
	"fmt"
	"io/fs"
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

const positionTrouble = "the position cannot be written, records may be delivered twice after a restart"

type keeper struct {
	ended      chan struct{}
	file       File      // position; nil when it could not be opened
	due        time.Time // when the position must be written; zero when nothing has changed
	generation uint64
	slot       int // where the next generation goes
	unsynced   bool
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

// soiled counts n changes that the position file does not have, and wakes the keeper for the first of them and
// when there are many. The caller holds mu.
func (s *Spool) soiled(n uint64) {
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
	s.answerNoted()
	s.mu.Lock()
	pending := s.dirty > 0 || s.hinted >= s.opts.pace.bytes
	now := s.dirty >= s.opts.pace.acks || s.hinted >= s.opts.pace.bytes || len(s.doomed) > 0
	s.mu.Unlock()
	switch {
	case !pending:
		k.due = time.Time{}
	case k.due.IsZero():
		k.due = time.Now().Add(s.opts.pace.every)
	}
	if now || pending && time.Until(k.due) <= 0 {
		k.due = time.Time{}
		err := s.writePosition() // first: a segment that is gone is then known to be done with
		if uerr := s.unlink(); err != nil || uerr != nil {
			return keeperRetry, true
		}
		return 0, false // look again: there was time for more
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
	err := s.unlink()
	s.mu.Lock()
	s.dirty++ // the hint and next have moved even where nothing was acknowledged
	s.mu.Unlock()
	if werr := s.writePosition(); err == nil {
		err = werr
	}
	if serr := s.syncPosition(); err == nil {
		err = serr
	}
	s.k.failed = err
	s.k.close()
}

// openPosition opens or creates the position file, at its full size: acknowledging must go on on a full disk.
func (s *Spool) openPosition() error {
	k := &s.k
	if k.file != nil {
		if linked, err := k.file.Linked(); err == nil && linked {
			return nil
		}
		k.close()
	}
	f, err := s.fs.Open(s.path(positionName))
	if errors.Is(err, fs.ErrNotExist) {
		f, err = s.fs.Create(s.path(positionName))
		if err == nil {
			if err = f.Preallocate(positionBytes); err == nil {
				err = s.fs.SyncDir(s.opts.Dir)
			}
			if err != nil {
				_ = f.Close()
			}
		}
	}
	if err != nil {
		return fmt.Errorf("the position file of %s cannot be opened: %w", s.opts.Dir, err)
	}
	k.file = f
	return nil
}

// writePosition writes a new generation, unsynced, to the slot that the last sync did not make durable: a torn
// write then costs what was acknowledged since that sync, and not everything.
func (s *Spool) writePosition() error {
	k := &s.k
	if err := s.openPosition(); err != nil {
		s.say("position", positionTrouble, err)
		return err
	}
	if k.buf == nil {
		k.buf = make([]byte, positionSlot)
	}
	s.mu.Lock()
	if s.dirty == 0 && s.hinted < s.opts.pace.bytes {
		s.mu.Unlock()
		return nil
	}
	dirty, hinted := s.dirty, s.hinted
	s.dirty, s.hinted = 0, 0
	k.generation++
	p := position{generation: k.generation, next: s.next, hint: s.hint, acks: s.acks}
	b := p.encode(k.buf)
	s.mu.Unlock()

	_, err := k.file.WriteAt(b, int64(k.slot)*positionSlot)
	if err != nil {
		s.mu.Lock()
		s.dirty += dirty
		s.hinted += hinted
		s.mu.Unlock()
		s.say("position", positionTrouble, err)
		return err
	}
	if !k.unsynced {
		k.unsynced, k.syncedAt = true, time.Now()
	}
	s.opts.Point(PointPositionWritten)
	return nil
}

func (s *Spool) syncPosition() error {
	k := &s.k
	if !k.unsynced || k.file == nil {
		return nil
	}
	if err := k.file.Sync(); err != nil {
		s.say("position", "the position cannot be synced, records may be delivered twice after a power cut", err)
		return err
	}
	k.unsynced = false
	k.slot = 1 - k.slot
	return nil
}

// unlink removes the segments that are done with. One that fails is tried again.
func (s *Spool) unlink() error {
	s.mu.Lock()
	doomed := s.doomed
	s.doomed = nil
	s.mu.Unlock()
	if len(doomed) == 0 {
		return nil
	}
	var failed error
	var again []*segment
	for _, g := range doomed {
		if err := s.unname(g); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = err
			again = append(again, g)
		}
	}
	s.opts.Point(PointUnlinked)
	if err := s.fs.SyncDir(s.opts.Dir); err != nil && failed == nil {
		failed = err
	}
	s.mu.Lock()
	s.doomed = append(s.doomed, again...)
	room := s.room()
	s.mu.Unlock()
	if failed != nil {
		s.say("unlink", "a segment that is done with cannot be removed", failed)
	}
	if room {
		s.opts.Room()
	}
	return failed
}

func (s *Spool) unname(g *segment) error {
	s.mu.Lock()
	tainted := g.tainted
	s.mu.Unlock()
	if tainted {
		return s.fs.Rename(s.path(g.name), s.path(g.name+badSuffix))
	}
	return s.fs.Remove(s.path(g.name))
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
	if f, err := s.fs.OpenRead(s.path(g.name)); err == nil {
		if h, _, err := readSegmentHead(f); err == nil {
			since = h.created
		}
		_ = f.Close()
	}
	s.mu.Lock()
	g.since = since
	s.mu.Unlock()
}
