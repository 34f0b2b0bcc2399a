package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"
)

// degraded is why, and since when, nothing can be stored. It is the error that Append returns meanwhile.
type degraded struct {
	dir   string
	cause error
	since time.Time
}

func (d *degraded) Error() string {
	return fmt.Sprintf("spool %s: nothing can be stored since %s: %s: %v", d.dir, d.since.UTC().Format(time.RFC3339), d.advice(), d.cause)
}

func (d *degraded) Unwrap() []error { return []error{ErrDegraded, d.cause} }

func (d *degraded) advice() string {
	switch {
	case errors.Is(d.cause, syscall.ENOSPC), errors.Is(d.cause, syscall.EDQUOT):
		return "the disk is full, free some space"
	case errors.Is(d.cause, fs.ErrNotExist):
		return "the folder is gone, put it back"
	case errors.Is(d.cause, fs.ErrPermission):
		return "the folder may not be written, correct its owner and mode"
	}
	return "check the disk"
}

const (
	probeFirst = 100 * time.Millisecond
	probeMost  = time.Second

	// gapPatience is how long a probe waits for the position to know of what was given up.
	gapPatience = 2 * time.Second
)

// poison gives up the active segment behind its last good sync. What follows there may or may not be on the
// disk; its end is cut if that is still possible, and the range that the segment answers for ends before it.
func (s *Spool) poison(err error) {
	w := &s.w
	if w.seg == nil {
		return
	}
	seg, f := w.seg, w.file
	w.seg, w.file = nil, nil
	_ = f.Truncate(w.good)
	_ = f.Close()
	s.close(seg, w.good, w.durable)
	s.mu.Lock()
	s.n.Poisoned++
	s.mu.Unlock()
	s.say("poisoned", "a write or sync failed, the segment gets no more records", fmt.Errorf("segment %s: %w", s.path(seg.name), err))
}

// degrade makes Append refuse from now on, with the error that it returns.
func (s *Spool) degrade(cause error) error {
	s.w.delay, s.w.retry = probeFirst, time.Now().Add(probeFirst)
	why := &degraded{dir: s.opts.Dir, cause: cause, since: s.opts.Now()}
	s.mu.Lock()
	s.degraded = why
	s.n.Degradations++
	s.mu.Unlock()
	s.say("degraded", "nothing can be stored until the disk is back", cause)
	s.opts.Changed()
	return why
}

// probe tries to begin a new segment. Nothing is appended meanwhile, so that next stands still. The folder is not
// created again: on a mount point that lost its disk that would fill the disk below.
func (s *Spool) probe() {
	now := s.opts.Now()
	s.mu.Lock()
	first := s.next
	if s.gaps > s.recordedGaps && now.Sub(s.degraded.since) < gapPatience {
		// Frames behind the gap would make a loss of it, if the machine stopped now.
		s.w.retry = time.Now().Add(probeFirst)
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()
	err := s.owner.check()
	if err == nil {
		err = s.create(first, 0)
	}
	s.mu.Lock()
	if err != nil {
		s.w.delay = min(2*s.w.delay, probeMost)
		s.w.retry = time.Now().Add(s.w.delay)
		again := *s.degraded // callers may hold the old one
		again.cause = err
		s.degraded = &again
		s.mu.Unlock()
		s.say("degraded", "nothing can be stored until the disk is back", err)
		return
	}
	since := s.degraded.since
	s.degraded = nil
	room := s.roomLocked()
	s.mu.Unlock()
	nudge(s.keep) // its files may have vanished too
	s.opts.Log.Info("records are stored again", "spool", s.opts.Dir, "after", s.opts.Now().Sub(since).Round(time.Millisecond))
	s.opts.Changed()
	if room {
		s.opts.Room()
	}
}
