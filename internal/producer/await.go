package producer

import (
	"math"
	"slices"
	"sync/atomic"
	"time"

	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/resperr"
)

// A Delivery is what became of a record whose script waits for it. Partition, Offset and Timestamp
// are the broker's, and mean something only when Code is [resperr.NoError]; Offset is -1 when the
// broker was not asked to acknowledge.
type Delivery struct {
	Code      resperr.Code
	Topic     string
	Partition int32
	Offset    int64
	Timestamp time.Time
}

// An await is one call that wants to hear of its record. It is answered once, by whoever is first:
// the delivery report, the end of its time, or Stop. The others find answered set.
type await struct {
	done     func(Delivery)
	waiting  *atomic.Int64            // counts those that have no answer
	owner    atomic.Pointer[Producer] // whose timer it is
	timer    *time.Timer              // nil without a limit; written before anybody else knows of the await
	answered atomic.Bool
	answer   Delivery // written by whoever has set answered
}

func (a *await) resume() { a.done(a.answer) }

// Deliver admits r and has done called when the broker has acknowledged it, or when it has failed.
//
// It returns false and a code when the answer is known at once: the record was not taken. It
// returns true when the call is parked: then done is called exactly once, from another goroutine,
// maybe before Deliver returns. A full queue is waited for, as Park does. With a limit above zero
// the wait ends then: with [resperr.TimedOut] when the record was taken, and it goes on; with
// [resperr.QueueFull] when there was no room until then, and the record is forgotten. Stop answers
// what is still waiting with [resperr.Destroy]. r is copied.
func (p *Producer) Deliver(r *record.Record, limit time.Duration, done func(Delivery)) (parked bool, code resperr.Code) {
	a := &await{done: done, waiting: &p.awaited}
	a.owner.Store(p)
	p.awaited.Add(1)
	if limit > 0 {
		// It runs before the record is admitted, because the report may come at once and stops it;
		// and it starts only when it can be found by whoever stops it.
		a.timer = time.AfterFunc(math.MaxInt64, func() {
			p := a.owner.Load()
			p.guard("the limit of a call", func() { p.overdue(a) })
		})
		a.timer.Reset(limit)
	}
	if p.store != nil {
		parked, code = p.keep(r, &waiter{await: a, patient: true})
	} else {
		parked, code = p.park(r, &waiter{await: a}, true)
	}
	if code != resperr.NoError {
		a.stop()
		if !a.claim() {
			return true, resperr.NoError // a very short limit was over first, and its answer stands
		}
	}
	return parked, code
}

// claim says whether the caller is the first to answer.
func (a *await) claim() bool {
	if !a.answered.CompareAndSwap(false, true) {
		return false
	}
	a.waiting.Add(-1)
	return true
}

func (a *await) stop() {
	if a.timer != nil {
		a.timer.Stop()
	}
}

// overdue ends the wait of a. A call that has found no room yet leaves the queue's door: its script
// goes on and may call again, and the records of scripts that have gone would pile up without limit.
func (p *Producer) overdue(a *await) {
	code := resperr.TimedOut
	p.mu.Lock()
	if i := slices.IndexFunc(p.waiters, func(w *waiter) bool { return w.await == a }); i >= 0 {
		p.waiters = slices.Delete(p.waiters, i, i+1)
		p.waiting.Store(int32(len(p.waiters)))
		p.announceWaitersLocked()
		code = resperr.QueueFull
	}
	p.mu.Unlock()
	if code == resperr.QueueFull {
		p.refused(code)
	}
	p.resumes.answer(a, Delivery{Code: code})
}
