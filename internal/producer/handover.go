package producer

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/halon-extras/kafka/internal/intake"
	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/report"
	"github.com/halon-extras/kafka/internal/resperr"
	"github.com/halon-extras/kafka/internal/spool"
)

// A queue whose configuration has changed is another queue of the same name, opened beside it, with the same counters. Two that may exist side by side do so
// until the old one is empty: PassOn. Two with one folder cannot: HandOver.
//
// Records that are on their way, or whose batch has a sequence already, stay with the old queue, because only it will know what
// became of them. So nothing is delivered twice; but a record of the new queue may pass an older one of the same partition.

// PassOn refuses new calls with [resperr.Destroy], and lets next have what is not sent yet and who waits for room. A call that is answered with
// Destroy belongs to next then. Behind a spool everything else stays with p, which goes on sending what is on its disk.
//
// It does not block. [Producer.Leave] and [Producer.Stop] follow.
func (p *Producer) PassOn(next *Producer) {
	p.mu.Lock()
	if p.state.reached(phaseStopped) {
		p.mu.Unlock()
		return
	}
	p.state.advance(phaseClosed)
	p.state.passed.Store(true)
	if p.ingress.Intake != nil {
		p.ingress.Pass()
	}
	p.takeIntakeLocked()
	waiters := p.takeWaitersLocked()
	p.mu.Unlock()
	if p.store == nil {
		p.heir.Store(next)
	}
	next.queueUp(waiters)
	p.wake()
}

// reserve keeps next, which is being opened, from taking more than its limits while what p holds comes there.
func (p *Producer) reserve(next *Producer) {
	if p.store != nil || next.store != nil {
		return
	}
	l := p.ledger
	count, bytes, cost := l.Held()
	p.reserved.Count.Store(count)
	p.reserved.Bytes.Store(bytes)
	p.reserved.Cost.Store(cost)
	next.chargeAlways(count, bytes, cost)
}

// unreserve takes back what is reserved at next and has not come there. The sender has ended.
func (p *Producer) unreserve(next *Producer) {
	r := &p.reserved
	if next != nil {
		next.chargeAlways(-r.Count.Swap(0), -r.Bytes.Swap(0), -r.Cost.Swap(0))
	}
}

// chargeAlways charges a queue in memory whatever its limits are.
func (p *Producer) chargeAlways(count, bytes, cost int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.state.reached(phaseGone):
	case p.ingress.Intake != nil:
		p.ingress.ChargeAlways(count, bytes, cost)
	default:
		p.ledger.ChargeAlways(count, bytes, cost)
	}
}

// takeWaitersLocked returns the calls that wait for room, which are the caller's from now on.
func (p *Producer) takeWaitersLocked() []*waiter {
	waiters := p.waiters
	p.waiters = nil
	p.waiting.Store(0)
	p.announceWaitersLocked()
	return waiters
}

// queueUp puts calls that waited for room in an earlier queue before those that wait here.
func (p *Producer) queueUp(waiters []*waiter) {
	if len(waiters) == 0 {
		return
	}
	var fit, unfit []*waiter
	for _, w := range waiters {
		w.patient = true // the earlier queue has said that it may wait
		if w.await != nil {
			w.await.owner.Store(p)
		}
		if w.code = p.unfit(&w.record, w.size); w.code == resperr.NoError && p.store == nil &&
			!p.ledger.Possible(len(w.record.Value), costOf(&w.record, w.size)) {
			w.code = resperr.QueueFull
		}
		if w.code == resperr.NoError {
			fit = append(fit, w)
		} else {
			unfit = append(unfit, w)
		}
	}
	p.resumeWaiters(unfit)
	p.mu.Lock()
	p.waiters = append(fit, p.waiters...)
	p.waiting.Store(int32(len(p.waiters)))
	p.announceWaitersLocked()
	p.mu.Unlock()
	p.wake()
}

// bequeath gives next the records that the sender has not sent. What next does not take, because its disk is full, is sent meanwhile, and offered again at a later tick. The
// sender runs it.
func (p *Producer) bequeath(next *Producer, now mono) {
	if kept := p.sender.heirFull; kept != 0 && now.since(kept) < tickEvery {
		return
	}
	p.sender.heirFull = 0
	for _, t := range p.sender.active {
		for _, part := range t.send.partitions {
			for _, b := range part.waiting {
				if b.sequence == unnumbered && !b.doubtful {
					p.unpackBatch(b)
				}
			}
		}
		rest := t.send.unsent()
		n := next.adopt(rest, &p.reserved)
		if n < len(rest) {
			p.sender.heirFull = now
		}
		rest = rest[:n]
		for _, e := range rest {
			e.reported = true // by next
			e.await = nil
			t.send.records--
			p.makeRoom(e)
		}
		if len(rest) > 0 {
			p.dropUnsent(t, 0)
		}
	}
}

// adoptAtOnce is how many records are adopted while calls wait for the queue's lock.
const adoptAtOnce = 64

// adopt takes over records of an earlier queue with the same counters and the same clock, and returns how many: all of them in memory, whatever the
// limit, because they were accepted; and as many as the disk takes. Of those in memory reserved is charged already.
func (p *Producer) adopt(entries []*entry, reserved *intake.Counts) (taken int) {
	kick := false
	for taken < len(entries) {
		part := entries[taken:min(len(entries), taken+adoptAtOnce)]
		n := 0
		p.mu.Lock()
		for n < len(part) && p.adoptOneLocked(part[n], &kick) {
			n++
		}
		p.mu.Unlock()
		if p.store == nil {
			p.chargeAdopted(part[:n], reserved)
		}
		if taken += n; n < len(part) {
			break
		}
	}
	if kick {
		p.wake()
	}
	return taken
}

// chargeAdopted charges the queue with records, but for what is reserved for them.
func (p *Producer) chargeAdopted(entries []*entry, reserved *intake.Counts) {
	bytes, cost := int64(0), int64(0)
	for _, e := range entries {
		bytes += int64(len(e.value))
		cost += e.cost
	}
	rest := func(n int64, of *atomic.Int64) int64 {
		had := min(n, of.Load())
		of.Add(-had)
		return n - had
	}
	count := rest(int64(len(entries)), &reserved.Count)
	bytes, cost = rest(bytes, &reserved.Bytes), rest(cost, &reserved.Cost)
	if count != 0 || bytes != 0 || cost != 0 {
		p.chargeAlways(count, bytes, cost)
	}
}

// adoptOneLocked copies e.
func (p *Producer) adoptOneLocked(e *entry, kick *bool) bool {
	if p.state.reached(phaseStopped) {
		return false
	}
	r := e.record()
	t := p.topicOfLocked(r.Topic)
	if e.await != nil {
		e.await.owner.Store(p)
	}
	if p.store != nil {
		return p.adoptStoredLocked(t, &r, e)
	}
	if p.ingress.Intake != nil && !t.introduced {
		p.introduceLocked(t)
	}
	copied, wake := p.enterLocked(&r, r.Size(), t, e.cost, e.born)
	copied.await = e.await
	*kick = *kick || wake
	return true
}

// adoptStoredLocked brings a record to the disk. It may not pass older ones of its topic that are in memory only.
func (p *Producer) adoptStoredLocked(t *topic, r *record.Record, e *entry) bool {
	if t.unsaved.Load() > 0 {
		return false
	}
	size := len(r.Value)
	w := &waiter{await: e.await, record: *r, size: r.Size()}
	w.done = func(code resperr.Code) {
		if code != resperr.NoError { // put has taken it for one that its script hears of
			p.stats.Admit(size)
			p.fail(code, t.name)
		}
	}
	if p.store.putLocked(p, t, w) != resperr.NoError {
		return false
	}
	p.stats.Withdraw(size) // it is in the counters since its call
	return true
}

// Close ends a queue that is in no configuration any more: it refuses new calls with [resperr.Destroy], from when it returns. Who waits for room goes on waiting. [Producer.Leave] and [Producer.Stop] follow.
func (p *Producer) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state.advance(phaseClosed)
	if !p.state.passed.Load() {
		p.health.end(report.Removed)
	}
	p.announceWaitersLocked()
	p.takeIntakeLocked()
}

// Leave waits until everything is delivered, or reported as failed, or ctx ends; it sends without linger meanwhile. It says whether the queue is empty.
func (p *Producer) Leave(ctx context.Context) (empty bool) {
	if p.store == nil {
		return p.drain(ctx) == 0
	}
	p.drainStored(ctx, storedDrainTime/30)
	return p.outstanding() == 0 && p.store.spool.Stats().Pending == 0
}

// An Estate is what a queue leaves to one that opens its folder next: the calls that wait.
type Estate struct {
	waiters []*waiter
	awaits  map[uint64]*await // by the sequence of the record on disk
}

const (
	// answerPatience is how long HandOver waits for answers.
	answerPatience = 3 * time.Second

	// closePatience is how long it waits then for a slow disk.
	closePatience = 10 * time.Second
)

// HandOver ends a queue with a spool and gives its folder back, for a queue that is opened there at once. What was accepted is on the disk then. It sends nothing
// new, and waits until what is on its way is answered, for answerPatience or until ctx ends: what is not answered then may be delivered twice, unless the queue keeps plans. Calls are taken meanwhile;
// then they are refused with [resperr.Destroy]. A slow disk is waited for, up to closePatience: after that calls that wait for it are answered with [resperr.FS], and to open
// the folder fails with [spool.ErrClosing] until the disk has taken everything.
//
// The caller gives the estate to the next queue, with [Deps], or has it answered with [Producer.Dismiss].
func (p *Producer) HandOver(ctx context.Context) *Estate {
	p.state.handingOver.Store(true)
	p.awaitAnswers(ctx)
	estate := new(Estate)
	p.mu.Lock()
	if p.state.reached(phaseStopped) {
		p.mu.Unlock()
		return estate
	}
	p.state.advance(phaseStopped)
	p.state.passed.Store(true)
	estate.waiters = p.takeWaitersLocked()
	p.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, closePatience)
	defer cancel()
	p.closeStored(ctx, func() { estate.awaits = p.takeAwaits() })
	return estate
}

// awaitAnswers waits until no record is on its way. It asks the sender: one that is in the middle of a step sends what it has begun, and
// nothing is on its way before.
func (p *Producer) awaitAnswers(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, answerPatience)
	defer cancel()
	p.poll(ctx, 2*time.Millisecond, func() bool {
		over, err := ask(ctx, p, func() bool { return p.sender.onTheirWay() == 0 })
		return over || err != nil
	})
}

func (s *sender) onTheirWay() (n int64) {
	for _, t := range s.active {
		n += t.inFlight.Load()
	}
	return n
}

// takeAwaits returns the calls that wait for the delivery of records that are on the disk. The sender has ended.
func (p *Producer) takeAwaits() map[uint64]*await {
	s := p.store
	take := func(e *entry) {
		if seq := e.stored.seq; e.await != nil && !e.reported && seq != 0 && seq != gone {
			s.awaits[seq] = e.await
			e.await = nil
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range p.sender.active {
		t.send.each(take)
	}
	for _, buffer := range p.buffersLocked() {
		for i := range buffer.entries {
			take(&buffer.entries[i])
		}
	}
	awaits := s.awaits
	s.awaits = nil
	return awaits
}

// Undo ends a queue that was opened and is not to be used, as if it had never been: the counters, which it shares with the queue before, forget what it has found on disk.
func (p *Producer) Undo() {
	now, cancel := context.WithCancel(context.Background())
	cancel()
	p.Stop(now)
	if p.store != nil {
		p.stats.Restore(-int64(p.store.spool.Stats().Pending))
	}
	p.Gone()
}

// outstandingIn returns how many records p, which may be nil, holds in the folder of s: they are in the counters of its successor already.
func (p *Producer) outstandingIn(s *spool.Spool) int64 {
	if p == nil || !p.state.handingOver.Load() || !p.store.spool.SameFolder(s) {
		return 0
	}
	return p.stats.Snapshot().Queued
}

// inherit lets the calls of e wait here. p has opened the folder that they wait at, and nothing reads it yet.
func (p *Producer) inherit(e *Estate) {
	s := p.store
	if s == nil { // another process has taken the folder since it was given back
		p.Dismiss(e, resperr.Destroy)
		return
	}
	for seq, a := range e.awaits {
		a.owner.Store(p)
		s.awaits[seq] = a
	}
	p.queueUp(e.waiters)
}

// Dismiss answers the calls of e with code.
func (p *Producer) Dismiss(e *Estate, code resperr.Code) {
	p.answerWaiters(e.waiters, code)
	for _, a := range e.awaits {
		p.resumes.answer(a, Delivery{Code: code})
	}
}
