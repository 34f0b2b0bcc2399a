package spool

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"
)

// trouble counts failures to read at one place.
type trouble struct {
	seg *segment
	off int64
	n   int
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
		at.n += c.trouble.n
	}
	c.trouble = at
	s.say("read", "a segment cannot be read at the moment", fmt.Errorf("segment %s at %d: %w", s.path(g.name), at.off, err))
	if at.n >= readAttempts {
		switch {
		case c.scan != nil:
			if _, _, herr := readSegmentHead(c.file); herr == nil {
				c.stepOver(g, err)
				return nil
			}
		case errors.Is(err, fs.ErrNotExist):
			// Only when the folder itself is there: it may have vanished for a while as a whole.
			if _, derr := s.fs.ReadDir(s.opts.Dir); derr == nil {
				c.giveUp(g, err)
				return nil
			}
		}
	}
	c.leave() // a file opened anew may read where an old one does not
	timer := time.NewTimer(readRetry)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-s.synced:
		return ErrClosed
	}
}

// giveUp resolves a whole segment that cannot be read, and keeps its file.
func (c *Cursor) giveUp(g *segment, why error) {
	s := c.s
	c.leave()
	s.mu.Lock()
	if !errors.Is(why, errSegmentEmpty) {
		g.tainted = true
		s.n.corrupt++
		s.n.corruptBytes += g.size
	}
	to := min(g.end, s.durable+1)
	n := s.resolve(g.first, to)
	s.n.missing += n
	s.mu.Unlock()
	c.next = max(c.next, to)
	s.say("set-aside", "a segment cannot be read and is kept as "+g.name+badSuffix, fmt.Errorf("%d records: %w", n, why))
}

// stepOver skips the page that cannot be read.
func (c *Cursor) stepOver(g *segment, why error) {
	s := c.s
	from := c.scan.off
	to := min(c.scan.limit, (from/pageBytes+1)*pageBytes)
	c.scan.off = to
	c.trouble = trouble{seg: g, off: to, n: readAttempts - 1} // its neighbour need not be waited for as long
	s.mu.Lock()
	g.tainted = true
	s.n.corrupt++
	s.n.corruptBytes += to - from
	s.mu.Unlock()
	s.say("corrupt", "a part of a segment cannot be read and is skipped", fmt.Errorf("segment %s, %d bytes at %d: %w", s.path(g.name), to-from, from, why))
}
