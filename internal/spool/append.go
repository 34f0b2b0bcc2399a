package spool

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// waiter is one done function, to be called when seq is answered.
type waiter struct {
	seq  uint64
	done func(error)
}

// Append takes a copy of payload and has it synced as soon as the disk can: together with all others that are
// appended until then, in one sync. It never waits for the disk.
//
// On a nil error, done is called exactly once, from the spool's syncer goroutine: with nil when the record is on
// disk and synced, with an error when it could not be stored. It must not block, and may be nil. On an error the
// record was not taken, done is not called, and the error is one of those above; seq is then 0.
//
// A sequence names one record of a spool's life as far as it is durable. One that died unsynced in a crash may
// leave its sequence to another record; sequence and time together are never used twice.
func (s *Spool) Append(payload []byte, done func(error)) (seq uint64, err error) {
	return s.add(payload, done, true)
}

// AppendLater is Append for records that may be lost when the process or the machine dies within
// [Options.LaterDelay]: it leaves the sync to the next Append or to that delay.
func (s *Spool) AppendLater(payload []byte, done func(error)) (seq uint64, err error) {
	return s.add(payload, done, false)
}

func (s *Spool) add(payload []byte, done func(error), urgent bool) (uint64, error) {
	size := frameSize(len(payload))
	if len(payload) > MaxPayload || size+segmentStart > s.opts.MaxBytes/2 {
		return 0, fmt.Errorf("%w %s: it has %d bytes", ErrTooLarge, s.opts.Dir, len(payload))
	}
	h := header{length: len(payload), sum: checksum(payload), time: s.opts.Now().UnixNano()}

	s.mu.Lock()
	if err := s.admitLocked(size); err != nil {
		s.mu.Unlock()
		return 0, err
	}
	h.seq = s.next
	s.next++
	s.own.note(h.seq, h.time)
	s.putLocked(h, payload, int(size))
	s.waiting += size
	s.n.Appended++
	if done != nil {
		s.dones = append(s.dones, waiter{h.seq, done})
	}
	wake := s.hurryLocked(urgent)
	s.mu.Unlock()
	if wake {
		nudge(s.wake)
	}
	return h.seq, nil
}

// admitLocked says whether size bytes fit.
func (s *Spool) admitLocked(size int64) (err error) {
	switch {
	case s.closing:
		return ErrClosed
	case s.degraded != nil:
		err = s.degraded
	case s.bytes+s.waiting+size > s.opts.MaxBytes:
		err = ErrFull
	// A record larger than the limit passes when nothing else waits, or it could never be stored.
	case s.waiting > 0 && s.waiting+size > s.opts.MaxWaiting:
		err = ErrBusy
	default:
		return nil
	}
	s.refused = true
	s.n.Refused++
	return err
}

// putLocked copies a frame behind the last one. The header's checksum is left to the syncer: it
// starts from the salt of the segment that the frame will land in.
func (s *Spool) putLocked(h header, payload []byte, size int) {
	var b *block
	if n := len(s.blocks); n > 0 {
		b = s.blocks[n-1]
	}
	if b == nil || len(b.buf)+size > cap(b.buf) {
		b = s.mem.get(size)
		s.blocks = append(s.blocks, b)
		s.trimTailLocked()
	}
	at := len(b.buf)
	b.buf = b.buf[:at+size]
	putHeader(b.buf[at:], h)
	n := copy(b.buf[at+frameHeader:], payload)
	clear(b.buf[at+frameHeader+n : at+size]) // a pooled block holds old bytes
	if b.first == 0 {
		b.first = h.seq
	}
	b.last = h.seq
}

// hurryLocked tells the syncer about new work and reports whether it must be woken.
func (s *Spool) hurryLocked(urgent bool) bool {
	wake := false
	if urgent && !s.urgent {
		s.urgent, wake = true, true
	}
	if s.late.IsZero() {
		s.late, wake = time.Now().Add(s.opts.LaterDelay), true
	}
	if s.waiting >= laterBytes {
		wake = true
	}
	wake = wake && s.asleep
	if wake {
		s.asleep = false
	}
	return wake
}

// trimTailLocked forgets the oldest answered blocks beyond TailBytes, but never the last two: one is being filled, and
// a cursor that keeps up still reads the one before.
func (s *Spool) trimTailLocked() {
	var total int64
	for _, b := range s.blocks {
		total += int64(cap(b.buf))
	}
	drop := 0
	for drop < len(s.blocks)-2 && total > s.opts.TailBytes && s.blocks[drop].answered == len(s.blocks[drop].buf) {
		total -= int64(cap(s.blocks[drop].buf))
		s.blocks[drop].drop()
		drop++
	}
	s.blocks = slices.Delete(s.blocks, 0, drop)
}

// Sync waits until everything appended so far is answered. Its error is that of the last record, or ctx's.
func (s *Spool) Sync(ctx context.Context) error {
	answered := make(chan error, 1)
	s.mu.Lock()
	last := s.next - 1
	if s.answered >= last {
		s.mu.Unlock()
		return nil
	}
	s.dones = append(s.dones, waiter{last, func(err error) { answered <- err }})
	wake := s.hurryLocked(true)
	s.mu.Unlock()
	if wake {
		nudge(s.wake)
	}
	select {
	case err := <-answered:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
