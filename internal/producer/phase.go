package producer

import "sync/atomic"

// A phase is how far the life of a queue has come. A queue goes on to a later one, and never back.
type phase int32

const (
	phaseOpen    phase = iota // calls are taken
	phaseClosed               // calls are refused; what was accepted is sent, and who waits for room goes on waiting
	phaseStopped              // one Stop or HandOver ends the queue; a second one has nothing to do
	phaseGivenUp              // what has no report yet gets one without a line in the log; what is on the disk gets none
	phaseGone                 // the intake may be another queue's
)

// A lifecycle is the phase of a queue, and the three other facts that decide about all of its calls and records. None of them is ever taken
// back. They are read without a lock; who closes the queue holds Producer.mu, because a call must not come in between.
//
//	New        phaseOpen
//	PassOn     phaseClosed, passed: the calls go to the next queue of the name
//	Close      phaseClosed: the queue is in no configuration any more
//	HandOver   handingOver, and when the answers have come phaseStopped, passed; closeStored: phaseGivenUp
//	Stop       phaseStopped, and when its time is over phaseGivenUp
//	Gone       phaseGone
//	breakDown  broken, in any phase
type lifecycle struct {
	phase       atomic.Int32
	passed      atomic.Bool // calls that are refused with Destroy belong to the next queue of the name
	handingOver atomic.Bool // nothing new is sent
	broken      atomic.Bool // nothing is sent any more: every call is answered -150
}

// advance goes on to next, and says whether the queue had not come that far before.
func (l *lifecycle) advance(next phase) (first bool) {
	for {
		now := l.phase.Load()
		if now >= int32(next) {
			return false
		}
		if l.phase.CompareAndSwap(now, int32(next)) {
			return true
		}
	}
}

// reached says whether the queue has come to at, or further.
func (l *lifecycle) reached(at phase) bool { return l.phase.Load() >= int32(at) }
