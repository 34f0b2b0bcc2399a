package abi

/*
#include "producer_shim.h"
*/
import "C"

import (
	"time"

	"github.com/halon-extras/kafka/internal/binding"
	"github.com/halon-extras/kafka/internal/producer"
	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/resperr"
)

// An attempt is how a call is handed to a queue, and how its script is woken when it is parked.
type attempt struct {
	context *C.HalonHSLContext
	ret     *C.HalonHSLValue
	block   bool
	deliver bool
	limit   time.Duration // of deliver
}

func (a *attempt) run(q *producer.Producer, r *record.Record) (parked bool, code resperr.Code) {
	switch {
	case a.deliver:
		return q.Deliver(r, a.limit, resumeDelivered(a.context, a.ret))
	case q.Spooled():
		return q.Store(r, a.block, resume(a.context, a.ret))
	case a.block:
		return q.Park(r, resume(a.context, a.ret))
	}
	return false, q.Offer(r)
}

// elsewhere goes on with a call for the queue named id, which is not there, or was tried and has ended: a reload may have put another one in its place, or may be about
// to. It is rare, so it may allocate.
//
//go:noinline
func elsewhere(call *C.struct_kafka_call, id []byte, tried *producer.Producer, r *record.Record, a *attempt) {
	b := current.Load()
	if b == nil {
		throw(call, string(binding.NoSuchID))
		return
	}
	w := &wandering{border: b, id: string(id), attempt: *a, record: producer.Clone(r)}
	for {
		q, later := b.plugin.Later(id, tried, w.arrive)
		switch {
		case later:
			call.action = C.KAFKA_PARK
			return
		case q == nil && tried == nil:
			throw(call, string(binding.NoSuchID))
			return
		case q == nil:
			answer(call, resperr.Destroy)
			return
		}
		if parked, code := w.attempt.run(q, &w.record); code != resperr.Destroy {
			end(call, parked, code)
			return
		}
		tried = q
	}
}

// A wandering call is parked until its queue is open.
type wandering struct {
	border  *border
	id      string
	attempt attempt
	record  record.Record
}

// arrive hands the call to q, or wakes its script with an error where there is none.
func (w *wandering) arrive(q *producer.Producer) {
	code := resperr.FS
	for q != nil {
		parked, answer := w.attempt.run(q, &w.record)
		if parked {
			return
		}
		if code = answer; code != resperr.Destroy {
			break
		}
		next, later := w.border.plugin.Later([]byte(w.id), q, w.arrive)
		if later {
			return
		}
		q = next
	}
	resume(w.attempt.context, w.attempt.ret)(code)
}
