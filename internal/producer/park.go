package producer

import (
	"bytes"
	"strings"
	"sync"

	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/resperr"
)

// A waiter is one call that is parked for room: its own copy of the record, and how to wake the
// script. A call that waits for its delivery has an await instead of done: it is woken at once only
// when it is refused.
type waiter struct {
	record record.Record
	size   int
	done   func(resperr.Code)
	await  *await
	code   resperr.Code

	patient bool // behind a spool: it waits for the disk
	onDisk  bool // it is no call: a dead letter, which goes to the disk whatever the mode, and may leave its folder when it is there
}

func (w *waiter) resume() { w.done(w.code) }

// A resumer is a script that can be woken.
type resumer interface{ resume() }

// Park admits r, and when the queue is full, waits for room without holding the caller.
//
// It returns false and the code as Offer does when the answer is known at once, also for a value
// that can never fit. It returns true when the call is parked: then done is called exactly once,
// from another goroutine, with [resperr.NoError] once r is admitted, or [resperr.Destroy] when the
// queue was stopped before there was room. done may be called before Park returns. r is copied.
// Parked calls are admitted in order, before new ones.
func (p *Producer) Park(r *record.Record, done func(resperr.Code)) (parked bool, code resperr.Code) {
	return p.park(r, &waiter{done: done}, false)
}

// park admits r for w, or puts w into the list of those that wait for room. Of those that are
// admitted at once, only a call that waits for more than room is parked.
func (p *Producer) park(r *record.Record, w *waiter, always bool) (parked bool, code resperr.Code) {
	n := r.Size()
	if code = p.unfit(r, n); code != resperr.NoError {
		p.refused(code)
		return false, code
	}
	cost := costOf(r, n)
	if r.Timestamp == 0 {
		r.Timestamp = milliseconds()
	}
	var kick bool
	p.mu.Lock()
	code, kick = p.admitLocked(r, n, false, w.await)
	parked = always && code == resperr.NoError
	if code == resperr.QueueFull && p.ledger.Possible(len(r.Value), cost) {
		w.record, w.size = Clone(r), n
		p.waiters = append(p.waiters, w)
		p.waiting.Add(1)
		p.announceWaitersLocked()
		parked, code = true, resperr.NoError
		// Room may have come between the look and the entry into the list, and its report may
		// have seen nobody waiting. The sender looks once more.
		kick = true
	}
	p.mu.Unlock()
	if kick {
		p.wake()
	}
	p.refused(code)
	return parked, code
}

// Clone returns a copy of r that shares no memory with it.
func Clone(r *record.Record) record.Record {
	c := record.Record{
		Topic: strings.Clone(r.Topic), Partition: r.Partition, Timestamp: r.Timestamp,
		Key: bytes.Clone(r.Key), Value: bytes.Clone(r.Value),
	}
	for _, h := range r.Headers {
		c.Headers = append(c.Headers, record.Header{Key: strings.Clone(h.Key), Value: bytes.Clone(h.Value)})
	}
	return c
}

// admitWaiters admits parked calls while there is room. The sender runs it.
func (p *Producer) admitWaiters() {
	if p.waiting.Load() == 0 {
		return
	}
	if p.store != nil {
		p.placeWaiters()
		return
	}
	var ready []*waiter
	p.mu.Lock()
	for len(p.waiters) > 0 {
		w := p.waiters[0]
		// As in librdkafka the timestamp of a message that has waited for room is that of its acceptance, and its time begins then:
		// a long wait must not have used up message.timeout.ms.
		w.record.Timestamp = milliseconds()
		code, _ := p.admitLocked(&w.record, w.size, true, w.await)
		if code == resperr.QueueFull {
			break
		}
		w.code = code
		p.waiters[0] = nil
		p.waiters = p.waiters[1:]
		ready = append(ready, w)
	}
	p.waiting.Store(int32(len(p.waiters)))
	p.announceWaitersLocked()
	p.mu.Unlock()
	p.resumeWaiters(ready)
}

// resumeWaiters wakes those that have their answer. Who waits for a delivery and was admitted has
// none yet.
func (p *Producer) resumeWaiters(ready []*waiter) {
	for _, w := range ready {
		if w.code != resperr.NoError {
			p.refused(w.code)
		}
		switch {
		case w.await == nil:
			p.resumes.add(w)
		case w.code != resperr.NoError:
			p.resumes.answer(w.await, Delivery{Code: w.code})
		}
	}
}

// dismissWaiters answers all parked calls with code: the queue is going away.
func (p *Producer) dismissWaiters(code resperr.Code) {
	p.mu.Lock()
	waiters := p.takeWaitersLocked()
	p.mu.Unlock()
	p.answerWaiters(waiters, code)
}

// answerWaiters answers calls that are in no list any more with code.
func (p *Producer) answerWaiters(waiters []*waiter, code resperr.Code) {
	for _, w := range waiters {
		w.code = code
	}
	p.resumeWaiters(waiters)
}

// resumes wakes scripts from a goroutine of its own, which lives only while there are any: waking
// calls into the host, and a host that takes its time must not delay the sender.
type resumes struct {
	guard   func(what string, run func()) // runs the goroutine
	mu      sync.Mutex
	list    []resumer // guarded by mu
	running bool      // guarded by mu
	idle    sync.WaitGroup
}

func (r *resumes) add(s resumer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.putLocked(s)
}

// answer wakes the script of a with d, unless it has its answer. The look is made under the lock:
// whoever comes second knows then that the first one's script is in the list, and that wait will
// wait for it.
func (r *resumes) answer(a *await, d Delivery) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !a.claim() {
		return
	}
	a.answer = d
	a.stop()
	r.putLocked(a)
}

// putLocked adds s to the list.
func (r *resumes) putLocked(s resumer) {
	r.list = append(r.list, s)
	if !r.running {
		r.running = true
		r.idle.Add(1)
		go r.guard("the waker of scripts", r.run)
	}
}

func (r *resumes) run() {
	defer r.idle.Done()
	for {
		r.mu.Lock()
		list := r.list
		r.list = nil
		r.running = len(list) > 0
		r.mu.Unlock()
		if len(list) == 0 {
			return
		}
		for _, s := range list {
			s.resume()
		}
	}
}

// wait returns when every script that was to be woken has been.
func (r *resumes) wait() { r.idle.Wait() }
