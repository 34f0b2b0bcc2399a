package spool

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"syscall"
	"time"
)

// trouble counts failures to read at one place.
type trouble struct {
	seg   *segment
	off   int64
	n     int
	alone bool // after one of them the rest of the disk could be read
}

// readError is a failure to read seg.
type readError struct {
	seg *segment
	err error
}

func (e *readError) Error() string {
	return fmt.Sprintf("segment %s cannot be read: %v", e.seg.name, e.err)
}
func (e *readError) Unwrap() error { return e.err }

const (
	readRetry    = time.Second
	readAttempts = 5
	pageBytes    = 4096
)

// recoverRead decides what a failure to read means, and waits where trying again may help.
//
// It may be a disk that is away for a while, and giving up the backlog for that would lose it; so it is waited for.
// Only what fails again and again while the rest of the disk can be read is given up, a page at a time.
func (c *Cursor) recoverRead(ctx context.Context, err error) error {
	s := c.s
	var failed *readError
	if !errors.As(err, &failed) {
		return err
	}
	g, err := failed.seg, failed.err
	s.mu.Lock()
	live := slices.Contains(s.segs, g)
	s.mu.Unlock()
	if !live {
		c.leave() // acknowledged and unlinked between the look and the read
		return nil
	}
	at := trouble{seg: g}
	if c.scan != nil {
		at.off = c.scan.off
	}
	if at.n = 1; c.trouble.seg == at.seg && c.trouble.off == at.off {
		at.n, at.alone = at.n+c.trouble.n, c.trouble.alone
	}
	c.trouble = at
	s.say("read", "a segment cannot be read at the moment", fmt.Errorf("segment %s at %d: %w", s.path(g.name), at.off, err))
	if at.n >= readAttempts && c.restReads(g, err) {
		switch {
		case !at.alone:
			c.trouble.alone = true // the disk may have come back since the failure, so the place has one more try
			return nil
		case c.scan != nil:
			c.stepOver(g, err)
			return nil
		case errors.Is(err, fs.ErrNotExist) || s.setAside(g, err) == nil:
			c.giveUp(g, err)
			return nil
		}
	}
	c.leave() // a file that is opened again may read where an old one does not
	timer := time.NewTimer(readRetry)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-s.syncerEnded:
		return ErrClosed
	}
}

// restReads reports whether the disk gives back what is beside the place of err.
func (c *Cursor) restReads(g *segment, err error) bool {
	switch {
	case c.scan != nil:
		_, _, herr := readSegmentHead(c.file)
		return herr == nil || readsAnywhere(c.file)
	case errors.Is(err, fs.ErrNotExist):
		// Only when the folder itself is there: it may have vanished for a while as a whole.
		_, derr := c.s.fs.ReadDir(c.s.opts.Dir)
		return derr == nil
	}
	return media(err) && c.s.othersRead(g)
}

// media reports whether err says that the disk does not give back what is on it. It may be a bad place, or a disk that is away.
func media(err error) bool {
	return errors.Is(err, syscall.EIO) || errors.Is(err, syscall.EUCLEAN) || errors.Is(err, syscall.EBADMSG)
}

// othersRead reports whether the disk gives back any other file.
func (s *Spool) othersRead(g *segment) bool {
	s.mu.Lock()
	names := []string{positionName}
	for _, other := range s.segs {
		if other != g && len(names) < 4 {
			names = append(names, other.name)
		}
	}
	s.mu.Unlock()
	var b [1]byte
	return slices.ContainsFunc(names, func(name string) bool {
		f, err := s.fs.OpenRead(s.path(name))
		if err != nil {
			return false
		}
		defer f.Close()
		n, err := f.ReadAt(b[:], 0)
		return n == 1 && err == nil
	})
}

// readsAnywhere reports whether a file can be read at one of a few places. A disk that is away for a while reads nowhere; a bad sector
// is one place.
func readsAnywhere(f File) bool {
	size, err := f.Size()
	if err != nil {
		return false
	}
	var b [1]byte
	for i := range int64(4) {
		if at := max(pageBytes, size/4*i); at < size {
			if n, err := f.ReadAt(b[:], at); n == 1 && err == nil {
				return true
			}
		}
	}
	return false
}

// giveUp resolves a whole segment that cannot be read, and keeps its file.
func (c *Cursor) giveUp(g *segment, why error) {
	s := c.s
	c.leave()
	s.mu.Lock()
	tainted := !errors.Is(why, errSegmentEmpty) && !media(why) // which was set aside and counted
	if tainted {
		s.damagedLocked(g, g.size, true)
	}
	to := min(g.end, s.answered+1)
	n := s.resolveLocked(g.first, to)
	s.n.Missing += n
	s.mu.Unlock()
	c.next = max(c.next, to)
	if n > 0 {
		s.sayMissing(fmt.Errorf("segment %s: %w", g.name, why), false)
	}
	if tainted {
		s.say("set-aside", "a segment cannot be read and is kept as "+g.name+badSuffix, why)
	}
}

// stepOver skips the page that cannot be read.
func (c *Cursor) stepOver(g *segment, why error) {
	s := c.s
	from := c.scan.off
	to := min(c.scan.limit, (from/pageBytes+1)*pageBytes)
	c.scan.off = to
	c.trouble = trouble{seg: g, off: to, n: readAttempts - 1} // its neighbour need not be waited for as long
	s.mu.Lock()
	s.damagedLocked(g, to-from, true)
	s.mu.Unlock()
	s.say("corrupt", "a part of a segment cannot be read and is skipped", fmt.Errorf("segment %s, %d bytes at %d: %w", s.path(g.name), to-from, from, why))
}
