package producer

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"slices"
	"strconv"

	"github.com/halon-extras/kafka/internal/queueconf"
	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/resperr"
	"github.com/halon-extras/kafka/internal/spool"
	"github.com/halon-extras/kafka/internal/stored"
)

// Store is Offer and Park for a queue with a spool. It never waits for the disk.
//
// It returns false and a code when the answer is known at once. It returns true when the call is
// parked: then done is called exactly once, from another goroutine, maybe before Store returns, with
// [resperr.NoError] once the record is safe: synced to the disk in durable mode, and in spill mode
// in memory or on its way to the disk. With block, or when the spool is configured to wait, a full
// spool is waited for; otherwise it is [resperr.QueueFull], and [resperr.FS] while the disk does not
// take anything. Stop answers a call that still waits for room with [resperr.Destroy]. r is copied.
func (p *Producer) Store(r *record.Record, block bool, done func(resperr.Code)) (parked bool, code resperr.Code) {
	return p.keep(r, &waiter{done: done, patient: block})
}

// keep is Store for either function.
func (p *Producer) keep(r *record.Record, w *waiter) (parked bool, code resperr.Code) {
	s := p.store
	w.patient = w.patient || s.OnFull == queueconf.Wait
	if r.Timestamp == 0 {
		r.Timestamp = milliseconds()
	}
	headers := r.Headers
	if s.IDHeader != "" && !w.onDisk {
		// Not in place: the headers are the caller's.
		r.Headers = append(r.Headers[:len(r.Headers):len(r.Headers)], record.Header{Key: s.IDHeader, Value: s.nextID()})
	}
	w.size = r.Size()
	code = p.unfit(r, w.size)
	var kick bool
	if code == resperr.NoError {
		w.record = *r
		p.mu.Lock()
		var later bool
		code, later, kick = p.placeLocked(w, false)
		switch {
		case code == resperr.NoError:
			// A durable call is answered by the sync, and a delivery by the broker.
			parked = w.await != nil || !s.Spill || w.onDisk
			w.record = record.Record{} // its bytes are the host's
		case later || w.patient && retriable(code):
			w.record = Clone(r)
			s.crowded = s.crowded && w.patient
			p.waiters = append(p.waiters, w)
			p.waiting.Add(1)
			parked, code, kick = true, resperr.NoError, true
		}
		p.mu.Unlock()
		p.logDropped()
	}
	if kick {
		p.wake()
	}
	if code != resperr.NoError {
		r.Headers = headers // the caller may try another queue
		if !w.onDisk {
			p.refused(code)
		}
	}
	return parked, code
}

// retriable says whether a refusal ends by itself, so that the record may be tried again.
func retriable(code resperr.Code) bool { return code == resperr.QueueFull || code == resperr.FS }

// placeLocked puts the record of w into memory or into the spool. later is true for one that must wait
// until the sender has brought older records of its topic to the disk, where this one is to follow
// them.
func (p *Producer) placeLocked(w *waiter, queued bool) (code resperr.Code, later, kick bool) {
	s := p.store
	switch {
	case p.state.reached(phaseClosed) && !queued:
		return resperr.Destroy, false, false
	case !queued && len(p.waiters) > 0:
		return resperr.QueueFull, s.Spill && !s.crowded, false
	}
	t := p.topicOfLocked(w.record.Topic)
	if code := t.refuses(w.record.Partition); code != resperr.NoError {
		return code, false, false
	}
	cost := costOf(&w.record, w.size)
	if s.Spill && !w.onDisk && !p.behindDiskLocked(t) && (!t.toDisk || s.refusing != resperr.NoError) && p.roomForLocked(t, len(w.record.Value), cost, spillShare) {
		if code, kick = p.admitLocked(&w.record, w.size, true, w.await); code != resperr.QueueFull {
			if code == resperr.NoError {
				t.unsaved.Add(1)
			}
			return code, false, kick
		}
	}
	if t.unsaved.Load() > 0 {
		if s.refusing != resperr.NoError {
			return s.refusing, false, true
		}
		t.toDisk = true
		s.spillDue = true
		return resperr.QueueFull, true, true
	}
	return p.store.putLocked(p, t, w), false, false
}

// behindDiskLocked says whether the disk holds records of t that are not in memory: what is new must go behind
// them.
func (p *Producer) behindDiskLocked(t *topic) bool {
	return !p.store.Spill || p.store.replaying || t.missed > 0 || t.last > t.fed
}

// putLocked appends the record of w to the spool, with Producer.mu held, so that the order of calls is the order on disk.
func (s *storage) putLocked(p *Producer, t *topic, w *waiter) resperr.Code {
	s.buffer = stored.Append(s.buffer[:0], &w.record)
	var seq uint64
	size := len(w.record.Value)
	done := func(err error) { p.storeDone(w, t, &seq, size, err) }
	s.mu.Lock()
	var err error
	seq, err = s.appendLocked(p, s.buffer, done)
	if err == nil {
		t.last = seq
		switch {
		case w.await != nil:
			s.awaits[seq] = w.await
		case !s.Spill || w.onDisk:
			s.unheard[w] = struct{}{}
		}
		p.stats.Admit(size)
	}
	s.mu.Unlock()
	return refusalOf(err)
}

// appendLocked appends to the spool, and makes room first where that is configured. Who calls it calls logDropped when no lock
// is held any more.
func (s *storage) appendLocked(p *Producer, payload []byte, done func(error)) (seq uint64, err error) {
	add := s.spool.Append
	if s.Spill {
		add = s.spool.AppendLater
	}
	defer func() {
		if err != nil {
			s.slow = errors.Is(err, spool.ErrBusy)
		}
	}()
	seq, err = add(payload, done)
	if s.OnFull != queueconf.DropOldest || !errors.Is(err, spool.ErrFull) {
		return seq, err
	}
	n := s.spool.DropOldest(int64(len(payload)) + 64)
	if n > 0 {
		p.stats.Lose(dropped, int64(n)-int64(s.countedEarlyLocked()))
		for seq, a := range s.awaits {
			if s.spool.Resolved(seq) {
				delete(s.awaits, seq)
				p.resumes.answer(a, Delivery{Code: resperr.PurgeQueue})
			}
		}
		s.unlogged.Add(n)
	}
	return add(payload, done)
}

// logDropped logs what append has dropped. A log may block, so no lock is held.
func (p *Producer) logDropped() {
	if p.store.unlogged.Load() == 0 {
		return
	}
	if n := p.store.unlogged.Swap(0); n > 0 {
		p.log.LogAttrs(context.Background(), slog.LevelError, "the spool is full: the oldest messages are dropped",
			slog.Uint64("messages", n))
	}
}

// refusalOf is the code that a script gets when the spool does not take its record.
func refusalOf(err error) resperr.Code {
	switch {
	case err == nil:
		return resperr.NoError
	case errors.Is(err, spool.ErrTooLarge):
		return resperr.MsgSizeTooLarge
	case errors.Is(err, spool.ErrClosed):
		return resperr.Destroy
	case errors.Is(err, spool.ErrDegraded):
		return resperr.FS
	}
	return resperr.QueueFull
}

// storeDone hears from the spool what became of a record that it has taken. It runs on the syncer's
// goroutine and does not block.
func (p *Producer) storeDone(w *waiter, t *topic, seq *uint64, size int, err error) {
	s := p.store
	s.mu.Lock()
	if err == nil {
		s.safe = max(s.safe, *seq)
	}
	_, unheard := s.unheard[w]
	delete(s.unheard, w)
	if err != nil && w.await != nil {
		delete(s.awaits, *seq)
	}
	s.mu.Unlock()
	switch {
	case err == nil:
		s.nudge()
	case s.Spill && w.await == nil && !w.onDisk:
		// The script has the answer that the record is taken, from when the disk still seemed to work.
		p.fail(resperr.FS, t.name)
	default:
		p.stats.Withdraw(size)
		if !w.onDisk {
			p.stats.Refuse()
		}
	}
	switch {
	case w.await != nil && err != nil:
		p.resumes.answer(w.await, Delivery{Code: resperr.FS})
	case unheard:
		if w.code = resperr.NoError; err != nil {
			w.code = resperr.FS
		}
		p.resumes.add(w)
	}
}

// placeWaiters tries the parked calls again, in order, up to the first that still has to wait. The sender runs it
// at each wake-up, and thousands may be parked: so those behind are not looked at.
//
// Calls without block wait only for older records on their way to the disk, never for room. They are answered
// when the oldest call is found to wait for room, and while it does so, none is parked.
func (p *Producer) placeWaiters() {
	var ready []*waiter
	s := p.store
	p.mu.Lock()
	crowded := false
	n := 0
	for ; n < len(p.waiters); n++ {
		w := p.waiters[n]
		code, later, _ := p.placeLocked(w, true)
		if later {
			break
		}
		if retriable(code) && w.patient {
			crowded = true
			break
		}
		p.waiters[n] = nil
		if code == resperr.NoError && (w.await != nil || !s.Spill || w.onDisk) {
			continue // answered later
		}
		w.code = code
		ready = append(ready, w)
	}
	p.waiters = p.waiters[n:]
	if crowded && !s.crowded {
		p.waiters = slices.DeleteFunc(p.waiters, func(w *waiter) bool {
			if !w.patient {
				w.code = resperr.QueueFull
				ready = append(ready, w)
			}
			return !w.patient
		})
	}
	s.crowded = crowded
	p.waiting.Store(int32(len(p.waiters)))
	p.mu.Unlock()
	p.logDropped()
	p.resumeWaiters(ready)
}

// newRun returns what tells the records of this opening from those of any other.
func newRun() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// nextID returns an id that no other record has. It is stored with the record, so that it stays the
// same however often and by which process the record is sent.
func (s *storage) nextID() []byte {
	id := make([]byte, 0, len(s.run)+1+8)
	id = append(append(id, s.run...), '-')
	return strconv.AppendUint(id, s.ids.Add(1), 10)
}
