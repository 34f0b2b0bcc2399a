package intake

/*
#include "intake.h"
*/
import "C"

import (
	"sync/atomic"
	"unsafe"
)

// Counts are a number of records, the bytes of their values, and the memory that they hold, for several threads.
type Counts struct{ Count, Bytes, Cost atomic.Int64 }

// A Ledger is what a queue may hold, and what it holds. It is struct intake_ledger: the one of an intake, which calls charge in C, or
// one for itself. Whoever reads it may do so at any time; see [Ledger.Charge] for who writes.
type Ledger struct {
	max      Counts
	_        [64]byte
	charged  Counts
	_        [64]byte
	released Counts
	_        [64]byte
}

// Ledger returns the ledger of the intake, which is charged by [Intake.Charge].
func (in *Intake) Ledger() *Ledger { return (*Ledger)(unsafe.Pointer(C.intake_ledger(in.c))) }

// Limit sets the limits of a ledger: records, bytes of values, and memory.
func (l *Ledger) Limit(count, bytes, cost int64) {
	l.max.Count.Store(count)
	l.max.Bytes.Store(bytes)
	l.max.Cost.Store(cost)
}

// Released returns where delivery reports count what leaves the queue.
func (l *Ledger) Released() *Counts { return &l.released }

// Room returns how many more records, bytes of values and memory the queue takes now. Calls that have begun a chunk have charged
// all that it holds.
func (l *Ledger) Room() (count, bytes, cost int64) {
	return l.max.Count.Load() - l.charged.Count.Load() + l.released.Count.Load(),
		l.max.Bytes.Load() - l.charged.Bytes.Load() + l.released.Bytes.Load(),
		l.max.Cost.Load() - l.charged.Cost.Load() + l.released.Cost.Load()
}

// Fits says whether one more record fits now.
func (l *Ledger) Fits(value int, cost int64) bool {
	count, bytes, room := l.Room()
	return count >= 1 && bytes >= int64(value) && room >= cost
}

// Possible says whether a record would fit into an empty queue. One that would not must be
// refused at once: a parked call would wait for ever.
func (l *Ledger) Possible(value int, cost int64) bool {
	return int64(value) <= l.max.Bytes.Load() && cost <= l.max.Cost.Load()
}

// Pressed says whether more than half of any limit is taken.
func (l *Ledger) Pressed() bool {
	count, bytes, cost := l.Room()
	return count < l.max.Count.Load()/2 || bytes < l.max.Bytes.Load()/2 || cost < l.max.Cost.Load()/2
}

// HeldBytes returns the bytes of the values that the queue holds.
func (l *Ledger) HeldBytes() int64 { return l.charged.Bytes.Load() - l.released.Bytes.Load() }

// Held returns what the queue holds, with what calls have a grant for.
func (l *Ledger) Held() (count, bytes, cost int64) {
	return l.charged.Count.Load() - l.released.Count.Load(), l.HeldBytes(), l.charged.Cost.Load() - l.released.Cost.Load()
}

// ChargeAlways charges a ledger for itself with records that it takes whatever its limits are. One caller at a time.
func (l *Ledger) ChargeAlways(count, bytes, cost int64) {
	l.charged.Count.Add(count)
	l.charged.Bytes.Add(bytes)
	l.charged.Cost.Add(cost)
}

// Charge charges a ledger for itself with one record, where there is room for it, and says whether it did. One caller at a time.
func (l *Ledger) Charge(value int, cost int64) bool {
	return bool(C.intake_ledger_charge((*C.struct_intake_ledger)(unsafe.Pointer(l)), C.int64_t(value), C.int64_t(cost)))
}
