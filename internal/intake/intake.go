// Package intake is where calls of the host leave their records without entering Go, and where Go
// finds them: memory that both know, in pieces called chunks.
//
// It promises that a call never waits for Go, that the order of calls is the order of records, and
// that no call admits more than the queue may hold: the producer sets the limits in the [Ledger], and C
// gives grants within them (chunks.c). It chooses partitions and encodes batches as Kafka stores them
// (pack.c), and knows no broker. intake.h draws the memory and says why it is safe.
//
// It imports "C" because the host's threads write what Go reads. The methods of an Intake may be
// called from any goroutine; they take a lock that callers hold for a few instructions once a chunk.
package intake

/*
#cgo CFLAGS: -std=gnu11 -Wall -Wextra -O2
#include <stdlib.h>
#include <unistd.h>
#include "intake.h"
*/
import "C"

import (
	"fmt"
	"math"
	"os"
	"sync/atomic"
	"unsafe"
)

// An Intake is that of one queue. Its memory, a few kilobytes beside the chunks, stays with the
// process: a thread of the host may be looking at it when the queue ends.
type Intake struct {
	c       *C.struct_intake
	signals *signals
	wake    *os.File
	current *unsafe.Pointer // where the chunk is that is being filled
	ended   int             // the code of a queue that has ended
}

// The memory of a record and of a header beside their bytes, by which calls count.
const (
	RecordCost = C.INTAKE_RECORD_COST
	HeaderCost = C.INTAKE_HEADER_COST
)

// signals is struct intake_signals.
type signals struct {
	asleep, kicked, closed, parked atomic.Uint32
	_                              [64]byte
	refused, full                  atomic.Int64
}

// New makes the intake of queue, and takes nothing before [Ledger.Limit] and [Intake.Open]. maxMessage is
// message.max.bytes; full and ended are the codes that calls are answered with when the queue has no room and when it has
// ended. It fails without memory or without a file descriptor.
func New(queue string, maxMessage, full, ended int) (*Intake, error) {
	name := C.CString(queue)
	defer C.free(unsafe.Pointer(name))
	c, err := C.intake_new(name, C.size_t(len(queue)), C.uint32_t(min(maxMessage, math.MaxUint32)), C.int(full), C.int(ended))
	if c == nil {
		return nil, fmt.Errorf("%s: no memory or no event descriptor for the queue, raise the limit of open files of the host: %w", queue, err)
	}
	// A descriptor of our own to wait at: Close may close it while a call writes to the other.
	wait, err := C.dup(C.intake_wake_descriptor(c))
	if wait < 0 {
		return nil, fmt.Errorf("%s: no event descriptor for the queue, raise the limit of open files of the host: %w", queue, err)
	}
	return &Intake{
		c: c, signals: (*signals)(unsafe.Pointer(C.intake_signals(c))),
		current: (*unsafe.Pointer)(unsafe.Pointer(C.intake_current(c))),
		wake:    os.NewFile(uintptr(wait), "intake of "+queue),
		ended:   ended,
	}, nil
}

// Publish lets calls find the intake, in place of an earlier one of the same queue. It returns false when there have been too many names of queues since
// the start, and calls go through Go.
func (in *Intake) Publish() bool { return bool(C.intake_publish(in.c)) }

// Wait blocks until a call wants Go to look: the first record while asleep, or several full chunks.
// It returns false after [Intake.Close].
func (in *Intake) Wait() bool {
	var count [8]byte
	_, err := in.wake.Read(count[:])
	return err == nil
}

// Close ends Wait. Whoever closes has shut the intake before, so that calls ask Go.
func (in *Intake) Close() { in.wake.Close() }

// Pending says whether there is anything to take.
func (in *Intake) Pending() bool {
	_, some := in.First()
	return some
}

// First says whether there is anything to take, and the time of its oldest record in milliseconds
// since 1970, or 0 when that is not known.
func (in *Intake) First() (milliseconds int64, some bool) {
	if in.signals.closed.Load() > 0 {
		return 0, true
	}
	if c := (Chunk{(*head)(atomic.LoadPointer(in.current))}); c.head != nil && c.Count() > 0 {
		return atomic.LoadInt64(&c.head.first), true
	}
	// It may have been closed between the two looks, by a call that was then refused and wakes nobody.
	return 0, in.signals.closed.Load() > 0
}

// HasClosed says whether there are closed chunks, which wait for nothing but to be taken.
func (in *Intake) HasClosed() bool { return in.signals.closed.Load() > 0 }

// Sleep asks the next call that leaves a record to end [Intake.Wait]. It returns false, and asks for
// nothing, when there is something to take already.
func (in *Intake) Sleep() bool {
	in.signals.asleep.Store(1)
	if in.Pending() {
		in.signals.asleep.Store(0)
		return false
	}
	return true
}

// Awake takes back what Sleep has asked for.
func (in *Intake) Awake() {
	if in.signals.asleep.Load() != 0 {
		in.signals.asleep.Store(0)
	}
}

// Refused returns how many calls were refused since it was asked last.
func (in *Intake) Refused() int64 { return in.signals.refused.Swap(0) }

// A Script is what wakes one, in the words of whoever parked its call.
type Script [2]unsafe.Pointer

// Parked says whether calls were parked that nobody has taken.
func (in *Intake) Parked() bool { return in.signals.parked.Load() > 0 }

// TakeParked gives each call that was parked to visit, in order, with the record that it waits to leave, whose bytes are
// lent until visit returns. From the first parked call on nobody passes by, until SetHasWaiters(false).
func (in *Intake) TakeParked(visit func(Script, *Record)) {
	for p := C.intake_take_parked(in.c); p != nil; {
		r := Reader{at: unsafe.Pointer(&p.frame), left: 1}
		var f Record
		r.Next(&f)
		visit(Script{p.script[0], p.script[1]}, &f)
		next := p.next
		C.free(unsafe.Pointer(p))
		p = next
	}
}

// RefusedFull returns how many calls have found no room, since the intake was made.
func (in *Intake) RefusedFull() int64 { return in.signals.full.Load() }

// SetHasWaiters says whether calls wait for room: who comes then is parked, or refused as by a full queue.
func (in *Intake) SetHasWaiters(waiting bool) { C.intake_set_has_waiters(in.c, C.bool(waiting)) }

// Shut lets every call ask Go from when it returns. Open ends that.
func (in *Intake) Shut() { C.intake_shut(in.c, true) }

// Open lets calls leave their records.
func (in *Intake) Open() { C.intake_shut(in.c, false) }

// Take appends to full the chunks that have records, in the order of calls, and returns it. They are
// the caller's, who gives them to [Intake.Free]. The queue is charged with them, as far as bytes go too much,
// until [Intake.Correct].
func (in *Intake) Take(full []Chunk) []Chunk {
	var unused amount
	empty := 0
	for c := in.take(); c != nil; {
		next := (*head)(c.next)
		if chunk := (Chunk{c}); chunk.Count() > 0 {
			full = append(full, chunk)
		} else {
			unused.bytes -= c.grant.bytes
			unused.cost -= c.grant.cost
			empty++
			in.Free(chunk)
		}
		c = next
	}
	if empty > 0 {
		in.correct(unused, empty)
	}
	return full
}

// Correct says what the records of a taken chunk hold.
func (in *Intake) Correct(c Chunk, s Sum) {
	in.correct(amount{
		bytes: int64(s.Values) - c.head.grant.bytes,
		cost:  s.Cost(c.Count()) - c.head.grant.cost,
	}, 1)
}

// Charge charges the queue with one record that Go admits itself, and says whether there was room.
func (in *Intake) Charge(value int, cost int64) bool {
	return bool(C.intake_charge(in.c, C.int64_t(value), C.int64_t(cost)))
}

// ChargeAlways charges the queue with records that it takes whatever its limits are.
func (in *Intake) ChargeAlways(count, bytes, cost int64) {
	in.correct(amount{count: count, bytes: bytes, cost: cost}, 0)
}

// Trim gives half of the memory back that nobody has needed since the last Trim, but not that of the
// last keep chunks.
func (in *Intake) Trim(keep int) { C.intake_trim(in.c, C.uint(keep)) }

// End lets every call be refused, from when it returns, as one of a queue that has ended.
func (in *Intake) End() { C.intake_end(in.c, false, C.int(in.ended)) }

// Fail lets every call be refused with code, from when it returns: the queue has broken down.
func (in *Intake) Fail(code int) { C.intake_end(in.c, false, C.int(code)) }

// Gone lets every call be answered as one of a queue that nobody knows, after End.
func (in *Intake) Gone() { C.intake_end(in.c, true, C.int(in.ended)) }

// Pass lets every call that has found the intake ask Go, from when it returns: another queue has its name. [Intake.Gone] follows.
func (in *Intake) Pass() { C.intake_pass(in.c) }

// Disown lets calls for queue ask Go, where it had an intake in an earlier life of the plugin and has none now.
func Disown(queue string) {
	name := C.CString(queue)
	defer C.free(unsafe.Pointer(name))
	C.intake_disown(name, C.size_t(len(queue)))
}

// A Gate says what a topic takes now. Calls read it; a new topic's takes anything.
type Gate struct{ gate *gate }

// gate is struct intake_gate.
type gate struct {
	partitions, refusal atomic.Int32
	asked               atomic.Uint32
}

// Topic returns the number that records of the topic carry, and its gate. The first call or Topic makes it known. It
// returns false when the intake knows as many as it can, and the topic's records go through Go.
func (in *Intake) Topic(name string) (index int, g Gate, ok bool) {
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	var number C.uint32_t
	g.gate = (*gate)(unsafe.Pointer(C.intake_topic(in.c, text, C.size_t(len(name)), &number)))
	return int(number), g, g.gate != nil
}

// TopicName returns the name of the topic whose records carry index.
func (in *Intake) TopicName(index int) string {
	var length C.size_t
	name := C.intake_topic_name(in.c, C.uint32_t(index), &length)
	return C.GoStringN(name, C.int(length))
}

// Open lets the topic take records for the partitioner to place, and those for one of so many
// partitions; 0 is a number that is not known.
func (g Gate) Open(partitions int32) {
	g.gate.partitions.Store(partitions)
	g.gate.refusal.Store(0)
}

// Refuse lets calls be answered with code.
func (g Gate) Refuse(code int32) { g.gate.refusal.Store(code) }

// Asked says whether a call was refused since it was asked last.
func (g Gate) Asked() bool { return g.gate.asked.Load() != 0 && g.gate.asked.Swap(0) != 0 }
