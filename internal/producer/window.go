package producer

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/halon-extras/kafka/internal/resperr"
)

// spillShare is how many times the free room one topic may take of the memory of a spilling queue: an
// eighth is left for the others when it stalls.
const spillShare = 7

// unprovenShare is the part of the free room that a topic may take which has delivered nothing since
// it last stalled: a topic that nobody answers for must not fill the memory with what it holds.
const unprovenShare = 8

// kept is what a lane knows of its records on disk. It is guarded by the queue's lock.
type kept struct {
	last   uint64 // the newest that was appended or read
	fed    uint64 // all up to here were fed, but for those from missed on
	missed uint64 // the oldest that is on the disk only and that the main cursor has passed, or 0
	chased bool   // the chase will come by missed
	turned bool   // spill mode: what is new goes to the disk
	epoch  uint32 // counts the times that records were dropped from memory
}

// admitFrame admits r, or says why not. A code is a verdict: the record fails with it.
func (p *Producer) admitFrame(r *kgo.Record, seq uint64, chase bool) (fate, resperr.Code) {
	n := recordBytes(r)
	p.mu.Lock()
	f, code, kick := p.admitStored(r, n, seq, chase)
	p.mu.Unlock()
	if kick {
		p.wake()
	}
	return f, code
}

// admitStored is admit for a record on disk. The caller holds p.mu.
func (p *Producer) admitStored(r *kgo.Record, n int, seq uint64, chase bool) (f fate, code resperr.Code, kick bool) {
	l := p.lane(r.Topic)
	l.last = max(l.last, seq)
	switch {
	case chase && (!l.chased || seq < l.missed):
		return taken, 0, false // the main cursor's, or fed before, or older ones were dropped behind the chase
	case !chase && l.missed > 0:
		return left, 0, false // the chase will bring it, in order
	case !chase && seq <= l.fed:
		return taken, 0, false // it was in memory before it was on the disk
	}
	switch {
	case p.tooOld(r):
		code = resperr.MsgTimedOut
	case l.refusal.Load() != 0:
		if code = resperr.Code(l.refusal.Load()); code == resperr.UnknownTopic {
			code = resperr.UnknownTopicOrPart
		}
	case l.held.Load():
		if !chase {
			l.missed, p.store.behind = seq, true
		}
		l.chased = false
		return left, 0, false
	default:
		cost := int64(n) + recordCost + headerCost*int64(len(r.Headers))
		if !p.roomFor(l, len(r.Value), cost, 1) {
			return blocked, 0, false
		}
		var e *entry
		e, kick = p.enter(r, n, l, cost)
		e.stored.seq.Store(seq)
		e.stored.epoch = l.epoch
	}
	l.fed = seq
	if chase {
		l.missed = seq + 1
	}
	return taken, code, kick
}

// roomFor says whether there is room for one more record of l, which may hold share times what is
// free. A queue that holds nothing takes any record: it was accepted, and must be sent however large
// it is. The caller holds p.mu.
func (p *Producer) roomFor(l *lane, value int, cost, share int64) bool {
	used := p.load.count - p.settled.Count.Load()
	if used <= 0 {
		return true
	}
	if !p.room(value, cost) {
		return false
	}
	count := p.load.maxCount - used
	bytes := p.load.maxBytes - (p.load.bytes - p.settled.Bytes.Load())
	held, heldBytes := l.holds.Load(), l.holdsBytes.Load()
	if !l.proven.Load() {
		held, heldBytes, share = held*unprovenShare, heldBytes*unprovenShare, 1
	}
	return held == 0 || held/share < count && heldBytes/share <= bytes
}

func (p *Producer) tooOld(r *kgo.Record) bool {
	limit := p.set.MessageTimeout
	return limit > 0 && age(r, p.now()) >= limit
}

// behind says where the chase must begin, when there is a lane for it that it would miss otherwise.
func (p *Producer) behind() (from uint64, again bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.store.behind {
		return 0, false
	}
	p.store.behind = false
	for _, l := range p.lanes {
		if l.missed > 0 {
			p.store.behind = true
			again = again || !l.chased && !l.held.Load()
		}
	}
	if !again {
		return 0, false
	}
	for _, l := range p.lanes {
		l.chased = l.missed > 0 && !l.held.Load()
		if l.chased && (from == 0 || l.missed < from) {
			from = l.missed
		}
	}
	return from, true
}

// caughtUp gives the lanes that the chase has brought up to the main cursor back to it.
func (p *Producer) caughtUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.lanes {
		if l.chased {
			l.missed, l.chased = 0, false
		}
	}
}

// unload drops what a stalled lane holds outside the client, but for a few records to try: the
// feeder reads the rest again when the topic gets on. Only the newest are dropped, and only records
// that are on the disk. The sender runs it.
func (p *Producer) unload(l *lane) {
	if !l.held.Load() || len(l.backlog) <= probeRecords || !p.store.onDisk(l.backlog[probeRecords:]) {
		return
	}
	p.mu.Lock()
	if l.unsaved.Load() > 0 { // newer, and on no disk: it would pass what is dropped
		p.mu.Unlock()
		return
	}
	drop := slices.Clone(l.backlog[probeRecords:])
	clear(l.backlog[probeRecords:])
	l.backlog = l.backlog[:probeRecords]
	if first := drop[0].stored.seq.Load(); l.missed == 0 || first < l.missed {
		l.missed = first
	}
	p.store.behind = true
	l.fed = min(l.fed, l.missed-1)
	l.chased = false
	l.epoch++ // what is on its way to the sender is newer, and is dropped too
	p.mu.Unlock()
	for _, e := range drop {
		p.unloadEntry(e)
	}
}

// stale says whether e was admitted before records of its topic were dropped that are older. The
// sender, which is the only one that drops, asks.
func (p *Producer) stale(e *entry) bool {
	return e.stored.seq.Load() != 0 && e.stored.epoch != e.lane.epoch
}

// unloadEntry forgets e, which is on the disk, without a report.
func (p *Producer) unloadEntry(e *entry) {
	if e.reported.CompareAndSwap(false, true) {
		if a := e.await; a != nil {
			s := p.store
			s.mu.Lock()
			s.awaits[e.stored.seq.Load()] = a
			s.mu.Unlock()
		}
		p.makeRoom(e)
	}
	p.letGo(e.slab)
}
