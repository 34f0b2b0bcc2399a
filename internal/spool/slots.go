package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// How the keeper writes the position file: two slots in turn, and a new file when the old one has failed.

// newSuffix is that of a file which is about to take the place of another one.
const newSuffix = ".new"

const positionTrouble = "the position cannot be written, records may be delivered twice after a restart"

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
	if k.distrusted {
		return s.renewPosition()
	}
	err := s.encodePosition(func(slot []byte) error {
		_, err := k.file.WriteAt(slot, int64(k.slot)*positionSlot)
		return err
	})
	if err != nil {
		k.distrusted = true
		return err
	}
	if !k.unsynced {
		k.unsynced, k.syncedAt = true, time.Now()
	}
	s.opts.Point(PointPositionWritten)
	return nil
}

// encodePosition gives the next generation to write.
func (s *Spool) encodePosition(write func(slot []byte) error) error {
	k := &s.k
	if k.buf == nil {
		k.buf = make([]byte, positionSlot)
	}
	s.mu.Lock()
	dirty, hinted := s.dirty, s.hinted
	s.dirty, s.hinted = 0, 0
	k.generation++
	p := position{generation: k.generation, next: s.next, hint: s.hint, acks: s.acks}
	slot := p.encode(k.buf)
	s.mu.Unlock()

	err := write(slot)
	if err != nil {
		s.mu.Lock()
		s.dirty += dirty
		s.hinted += hinted
		s.mu.Unlock()
		s.say("position", positionTrouble, err)
	}
	return err
}

func (s *Spool) syncPosition() error {
	k := &s.k
	if !k.unsynced || k.file == nil {
		return nil
	}
	if k.distrusted {
		return s.renewPosition()
	}
	if err := k.file.Sync(); err != nil {
		k.distrusted = true
		s.say("position", "the position cannot be synced, records may be delivered twice after a power cut", err)
		return err
	}
	k.unsynced = false
	k.slot = 1 - k.slot
	return nil
}

// storePosition writes a new generation and makes it durable.
func (s *Spool) storePosition() error {
	if err := s.writePosition(); err != nil {
		return err
	}
	return s.syncPosition()
}

// recordGaps makes what is known now durable in both slots, and tells the syncer: what follows would otherwise make a loss of what an older
// slot says. Segments that the older slot takes for needed are about to go, or sequences that it takes for stored never were.
func (s *Spool) recordGaps() error {
	s.mu.Lock()
	gaps := s.gaps
	s.mu.Unlock()
	for range 2 {
		if err := s.storePosition(); err != nil {
			return err
		}
	}
	s.mu.Lock()
	s.recordedGaps = gaps
	s.mu.Unlock()
	return nil
}

// renewPosition writes the position to a new file that takes the place of the old one. After a failed write or sync the kernel may have
// dropped pages of that file and call them clean: another sync of it would succeed and prove nothing.
func (s *Spool) renewPosition() error {
	k := &s.k
	var f File
	err := s.encodePosition(func(slot []byte) (err error) {
		f, err = s.newPosition(slot)
		return err
	})
	if err != nil {
		return err
	}
	k.close()
	k.file, k.slot, k.unsynced, k.distrusted = f, 1, false, false
	return nil
}

func (s *Spool) newPosition(slot []byte) (File, error) {
	name := s.path(positionName + newSuffix)
	if err := s.fs.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	f, err := s.fs.Create(name)
	if err != nil {
		return nil, err
	}
	if err = f.Preallocate(positionBytes); err == nil {
		_, err = f.WriteAt(slot, 0)
	}
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = s.fs.Rename(name, s.path(positionName))
	}
	if err == nil {
		err = s.fs.SyncDir(s.opts.Dir)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}
