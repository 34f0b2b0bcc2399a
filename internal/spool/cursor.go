package spool

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Frame is one record as it was appended.
type Frame struct {
	Seq     uint64
	Time    time.Time // when it was appended
	Payload []byte    // valid until the batch's Release
}

func frameOf(h header, payload []byte) Frame {
	return Frame{Seq: h.seq, Time: time.Unix(0, h.time), Payload: payload}
}

// Batch is what Next returns. Its payloads lie in memory that the spool shares: they must not be changed, nor
// used after Release. A batch that is never released is collected as garbage.
type Batch struct {
	Frames []Frame
	blk    *block
}

// Release gives the memory back.
func (b *Batch) Release() {
	if b.blk != nil {
		b.blk.drop()
		b.blk = nil
	}
	b.Frames = nil
}

// Cursor delivers the records of a spool in the order of their sequences: from disk while it is behind, from
// memory once it has caught up. It belongs to one goroutine. A spool may have several.
type Cursor struct {
	s    *Spool
	next uint64

	// Where in memory the last batch ended: a hint without a reference. A block that was given back and filled
	// again has another first sequence.
	blk      *block
	blkFirst uint64
	blkSeq   uint64 // nothing below it lies at blkOff or behind
	blkOff   int

	seg     *segment
	file    File
	scan    *scanner
	trouble trouble
}

// NewCursor returns a cursor that begins at the oldest record that is not acknowledged. It must be closed before
// the spool is.
func (s *Spool) NewCursor() *Cursor {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &Cursor{s: s, next: s.acks.frontier}
}

// Seek makes the next batch begin at seq, or at the first one behind it that is not acknowledged.
func (c *Cursor) Seek(seq uint64) { c.next = seq }

// Close lets go of the files.
func (c *Cursor) Close() { c.leave() }

// Next waits for records and returns as many as come at once: at most a MiB, or one record that is larger. Records
// that are acknowledged are left out. It returns ctx's error, or ErrClosed.
//
// Damage is stepped over, counted and kept aside. A disk that cannot be read at all is waited for.
func (c *Cursor) Next(ctx context.Context) (*Batch, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		batch, fresh, err := c.poll()
		switch {
		case batch != nil:
			return batch, nil
		case errors.Is(err, ErrClosed):
			return nil, err
		case err != nil:
			if err := c.recoverRead(ctx, err); err != nil {
				return nil, err
			}
		default:
			select {
			case <-fresh:
			case <-ctx.Done():
			}
		}
	}
}

// TryNext is Next without waiting: nil when the cursor has caught up, and a read error as it is. A caller that
// needs the damaged parts of a disk skipped calls Next.
func (c *Cursor) TryNext() (*Batch, error) {
	batch, _, err := c.poll()
	return batch, err
}

// poll returns the next records, or what is closed when there are some.
func (c *Cursor) poll() (*Batch, <-chan struct{}, error) {
	s := c.s
	for {
		s.mu.Lock()
		select {
		case <-s.syncerEnded: // nothing more will be stored or read
			s.mu.Unlock()
			return nil, nil, ErrClosed
		default:
		}
		c.next = s.acks.nextClear(c.next)
		if c.next > s.answered {
			fresh := s.fresh
			s.watched = true
			unsaid := s.n.Missing > s.toll.said
			s.mu.Unlock()
			if unsaid {
				s.sayMissing(nil, true)
			}
			return nil, fresh, nil
		}
		if b := s.blockOfLocked(c.next); b != nil {
			batch := c.fromMemoryLocked(b)
			s.mu.Unlock()
			if len(batch.Frames) > 0 {
				return batch, nil, nil
			}
			batch.Release()
			continue
		}
		g := s.segmentOfLocked(c.next)
		if g == nil {
			from := c.next
			n := c.skipHoleLocked()
			s.mu.Unlock()
			if n > 0 {
				s.sayMissing(fmt.Errorf("no file holds sequence %d", from), false)
			}
			continue
		}
		if g.foreign {
			c.next = g.end // pending until the version that wrote it is back
			s.mu.Unlock()
			continue
		}
		limit, hi := g.size, min(g.end, s.answered+1)
		s.mu.Unlock()
		batch, err := c.fromDisk(g, limit, hi)
		if batch != nil || err != nil {
			return batch, nil, err
		}
	}
}

// blockOfLocked returns the block in memory that holds seq, or nil.
func (s *Spool) blockOfLocked(seq uint64) *block {
	for i := len(s.blocks) - 1; i >= 0; i-- {
		if b := s.blocks[i]; b.first <= seq {
			if seq <= b.last {
				return b
			}
			return nil
		}
	}
	return nil
}

// fromMemoryLocked returns the answered frames of b from c.next on.
func (c *Cursor) fromMemoryLocked(b *block) *Batch {
	at := 0
	if c.blk == b && c.blkFirst == b.first && c.blkSeq <= c.next {
		at = c.blkOff
	}
	b.hold()
	batch := &Batch{blk: b}
	for at < b.answered {
		h := rawHeader(b.buf[at:])
		if h.seq >= c.next {
			c.next = h.seq + 1
			if !c.s.acks.has(h.seq) {
				p := b.buf[at+frameHeader : at+frameHeader+h.length : at+frameHeader+h.length]
				batch.Frames = append(batch.Frames, frameOf(h, p))
			}
		}
		at += int(h.size())
	}
	c.blk, c.blkFirst, c.blkSeq, c.blkOff = b, b.first, c.next, at
	return batch
}

// skipHoleLocked steps over sequences that no segment answers for, and returns how many records are missing there.
func (c *Cursor) skipHoleLocked() uint64 {
	s := c.s
	to := s.answered + 1
	for _, g := range s.segs {
		if g.first > c.next {
			to = min(to, g.first)
			break
		}
	}
	n := s.resolveLocked(c.next, to)
	s.n.Missing += n
	c.next = to
	return n
}

// fromDisk returns the next frames of g, or nil when there were none and c.next has moved.
func (c *Cursor) fromDisk(g *segment, limit int64, hi uint64) (*Batch, error) {
	err := c.enter(g)
	switch {
	case errors.Is(err, errSegmentVersion):
		c.pass(g, err)
		return nil, nil
	case hopeless(err):
		c.giveUp(g, err)
		return nil, nil
	case err != nil:
		return nil, &readError{g, err}
	}
	if c.scan.lo > c.next {
		c.scan.off, c.scan.lo = segmentStart, g.first // after a Seek
	}
	c.scan.limit, c.scan.hi = limit, hi
	batch := &Batch{}
	for {
		got, err := c.scan.next()
		if err != nil {
			if kept := c.filter(batch); kept != nil {
				return kept, nil // the next call meets the error again
			}
			return nil, &readError{g, err}
		}
		switch got.what {
		case foundFrame:
			if got.head.seq < c.next {
				break // on the way to where the cursor begins
			}
			if batch.blk == nil {
				batch.blk = c.scan.chunk
				batch.blk.hold()
			}
			c.lost(c.next, got.head.seq)
			c.next = got.head.seq + 1
			batch.Frames = append(batch.Frames, frameOf(got.head, got.payload))
		case foundBad:
			c.bad(g, got)
		case foundEnd:
			c.lost(c.next, hi)
			c.next = max(c.next, hi)
			return c.filter(batch), nil
		}
		// Reading on would let go of the chunk that the batch's payloads lie in, and bound nothing.
		if len(batch.Frames) > 0 && (c.scan.chunk != batch.blk || !c.scan.buffered()) {
			return c.filter(batch), nil
		}
	}
}

// filter leaves out what was acknowledged meanwhile, and returns nil for an empty batch.
func (c *Cursor) filter(batch *Batch) *Batch {
	s := c.s
	kept := batch.Frames[:0]
	s.mu.Lock()
	for _, f := range batch.Frames {
		if !s.acks.has(f.Seq) {
			kept = append(kept, f)
			if f.Seq < s.born {
				s.past.note(f.Seq, f.Time.UnixNano())
			}
		}
	}
	s.mu.Unlock()
	batch.Frames = kept
	if len(kept) == 0 {
		batch.Release()
		return nil
	}
	return batch
}

// lost resolves the sequences from..to-1, which should have been in the file. Some of them may be acknowledged
// records of a segment that is gone; the others are lost, and nothing may wait for them.
func (c *Cursor) lost(from, to uint64) {
	if from >= to {
		return
	}
	s := c.s
	s.mu.Lock()
	n := s.resolveLocked(from, to)
	s.n.Missing += n
	s.mu.Unlock()
	if n > 0 {
		s.sayMissing(fmt.Errorf("sequences %d to %d are not in %s", from, to-1, c.seg.name), false)
	}
}

const foreignText = "a segment was written by another version of this program and is left alone, that version will deliver it"

// pass steps over a segment that another version of this program wrote. Its records stay pending and its file stays as it is.
func (c *Cursor) pass(g *segment, why error) {
	s := c.s
	c.leave()
	s.mu.Lock()
	g.foreign = true
	c.next = max(c.next, g.end)
	s.mu.Unlock()
	s.say("version", foreignText, fmt.Errorf("segment %s: %w", s.path(g.name), why))
}

// bad keeps the bytes of a damaged place. The records in it are resolved when the next good frame shows which they were.
func (c *Cursor) bad(g *segment, got found) {
	s := c.s
	s.mu.Lock()
	old := got.head.seq > 0 && s.acks.has(got.head.seq)
	s.mu.Unlock()
	if old {
		return // nobody needs it, or it was counted before a Seek or a restart
	}
	name := keptName(g.name, got.from, badSuffix)
	err := keepBytes(s.fs, s.opts.Dir, name, c.file, got.from, got.to)
	s.mu.Lock()
	s.damagedLocked(g, got.to-got.from, err != nil)
	s.mu.Unlock()
	s.say("corrupt", "damaged bytes in a segment are skipped and kept as "+name,
		errors.Join(fmt.Errorf("%d bytes at %d: %w", got.to-got.from, got.from, got.reason), err))
}

// enter opens g, unless the cursor is there already.
func (c *Cursor) enter(g *segment) error {
	if c.seg == g {
		return nil
	}
	c.leave()
	f, err := c.s.fs.OpenRead(c.s.path(g.name))
	if err != nil {
		return err
	}
	c.s.mu.Lock()
	look := *g
	c.s.mu.Unlock()
	lastTry := c.trouble.seg == g && c.trouble.n >= readAttempts-1
	head, damage, err := readHead(f, &look, c.s.begun, c.s.disk, lastTry)
	if err != nil {
		_ = f.Close()
		return err
	}
	if damage != "" {
		c.s.damagedHead(g, f, head, damage)
	}
	c.seg, c.file = g, f
	c.scan = newScanner(f, head, c.s.disk)
	c.scan.lo = g.first
	return nil
}

func (c *Cursor) leave() {
	if c.scan != nil {
		c.scan.release()
		_ = c.file.Close()
	}
	c.seg, c.file, c.scan = nil, nil, nil
}
