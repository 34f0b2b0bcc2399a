package producer

import (
	"cmp"
	"slices"
	"sync/atomic"

	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/resperr"
)

// spillShare is how many times the free room one topic may take of the memory of a spilling queue: an
// eighth is left for the others when it stalls.
const spillShare = 7

// unprovenShare is the part of the free room that a topic may take which has delivered nothing since
// it last stalled: a topic that nobody answers for must not fill the memory with what it holds.
const unprovenShare = 8

// kept is what a topic knows of its records on disk. It is guarded by Producer.mu.
type kept struct {
	last   uint64 // the newest that was appended or read
	fed    uint64 // all up to here were fed, but for those from missed on
	missed uint64 // the oldest that is on the disk only and that the main cursor has passed, or 0
	chased bool   // the chase will come by missed
	toDisk bool   // spill mode: what is new goes to the disk
	drops  uint32 // counts the times that records were dropped from memory

	// Written by the sender and, as records come, under Producer.mu; read by either, and by the feeder.
	stalled    atomic.Bool  // it makes no progress, so its records stay on the disk
	proven     atomic.Bool  // something was delivered since the last stall
	unsaved    atomic.Int64 // records in memory that are on no disk
	holds      atomic.Int64 // records in memory
	holdsBytes atomic.Int64 // and bytes of their values
}

// admitFrame admits r, which was read then, or says why not. With a code the record fails.
func (p *Producer) admitFrame(r *record.Record, seq uint64, read *takenAt, chase bool) (feedResult, resperr.Code) {
	n := r.Size()
	p.mu.Lock()
	f, code, kick := p.admitStoredLocked(r, n, seq, read, chase)
	p.mu.Unlock()
	if kick {
		p.wake()
	}
	return f, code
}

// admitStoredLocked is admitLocked for a record on disk.
func (p *Producer) admitStoredLocked(r *record.Record, n int, seq uint64, read *takenAt, chase bool) (f feedResult, code resperr.Code, kick bool) {
	t := p.topicOfLocked(r.Topic)
	t.last = max(t.last, seq)
	planned, before := p.store.once.bypassLocked(seq)
	switch {
	case before:
		return fed, 0, false // out of turn
	case planned:
	case chase && (!t.chased || seq < t.missed):
		return fed, 0, false // the main cursor's, or fed before, or older ones were dropped behind the chase
	case !chase && seq <= t.fed:
		return fed, 0, false // it was in memory before it was on the disk
	case seq < p.store.purged:
		p.store.resolve(seq, func() { p.stats.Lose(dropped, 1) })
		return fed, 0, false
	case !chase && t.missed > 0:
		return keptOnDisk, 0, false // the chase will bring it, in order
	}
	born := read.born(r.Timestamp)
	switch {
	case p.set.MessageTimeout > 0 && read.at.since(born) >= p.set.MessageTimeout:
		code = resperr.MsgTimedOut
	case t.refusal.Load() != 0:
		if code = resperr.Code(t.refusal.Load()); code == resperr.UnknownTopic {
			code = resperr.UnknownTopicOrPart
		}
	case t.stalled.Load() && !planned:
		if !chase {
			t.missed, p.store.behind = seq, true
		}
		t.chased = false
		return keptOnDisk, 0, false
	default:
		cost := costOf(r, n)
		if !planned && !p.roomForLocked(t, len(r.Value), cost, 1) {
			return noRoom, 0, false
		}
		p.ledger.ChargeAlways(1, int64(len(r.Value)), cost)
		var e *entry
		e, kick = p.enterLocked(r, n, t, cost, born)
		e.stored.seq = seq
		e.stored.drops = t.drops
	}
	if planned {
		p.store.once.bypass[seq] = true
	}
	t.fed = max(t.fed, seq)
	if chase {
		t.missed = seq + 1
	}
	return fed, code, kick
}

// roomForLocked says whether there is room for one more record of t, which may hold share times what is
// free. A queue that holds nothing takes any record: it was accepted, and must be sent however large
// it is.
func (p *Producer) roomForLocked(t *topic, value int, cost, share int64) bool {
	if p.taken-p.released.Count.Load() <= 0 {
		return true
	}
	if !p.ledger.Fits(value, cost) {
		return false
	}
	count, bytes, _ := p.ledger.Room()
	held, heldBytes := t.holds.Load(), t.holdsBytes.Load()
	if !t.proven.Load() {
		held, heldBytes, share = held*unprovenShare, heldBytes*unprovenShare, 1
	}
	return held == 0 || held/share < count && heldBytes/share <= bytes
}

// behind says where the chase must begin, when there is a topic for it that it would miss otherwise.
func (p *Producer) behind() (from uint64, again bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.store.behind {
		return 0, false
	}
	p.store.behind = false
	for _, t := range p.topics {
		if t.missed > 0 {
			p.store.behind = true
			again = again || !t.chased && !t.stalled.Load()
		}
	}
	if !again {
		return 0, false
	}
	for _, t := range p.topics {
		t.chased = t.missed > 0 && !t.stalled.Load()
		if t.chased && (from == 0 || t.missed < from) {
			from = t.missed
		}
	}
	return from, true
}

// caughtUp gives the topics that the chase has brought up to the main cursor back to it.
func (p *Producer) caughtUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range p.topics {
		if t.chased {
			t.missed, t.chased = 0, false
		}
	}
}

// probeRecords is how many records of a stalled topic stay in memory to be tried.
const probeRecords = 1000

// unload drops what a stalled topic holds and does not send, but for a few records to try: the
// feeder reads the rest again when the topic makes progress, and so everything of the topic from there on. So only the newest are dropped,
// newer than all that is on its way, and only records that are on the disk. The sender runs it.
func (p *Producer) unload(t *topic) {
	s, probes := &t.send, p.store.probes
	if !t.stalled.Load() || s.records <= probes {
		return
	}
	rest := s.unsent()
	if p.store.once != nil {
		rest = slices.DeleteFunc(rest, p.store.once.planned)
	}
	if len(rest) <= probes {
		return
	}
	drop, sent := rest[probes:], s.newestSent()
	for i := len(drop) - 1; i >= 0; i-- {
		if drop[i].stored.seq <= sent {
			drop = drop[i+1:]
			break
		}
	}
	if len(drop) == 0 || !p.store.onDisk(drop) {
		return
	}
	p.mu.Lock()
	if t.unsaved.Load() > 0 { // newer, and on no disk: it would pass what is dropped
		p.mu.Unlock()
		return
	}
	if first := drop[0].stored.seq; t.missed == 0 || first < t.missed {
		t.missed = first
	}
	p.store.behind = true
	t.fed = min(t.fed, t.missed-1)
	t.chased = false
	t.drops++ // what is on its way to the sender is newer, and is dropped too
	p.mu.Unlock()
	from := drop[0].number
	for _, e := range drop {
		e.reported = true
		s.records--
		p.leaveOnDisk(e)
	}
	p.dropUnsent(t, from)
}

// newestSent returns the last sequence on disk of the records that are on their way or in a batch that has a sequence. One partition may be far ahead of another.
func (s *sending) newestSent() (seq uint64) {
	for _, part := range s.partitions {
		for _, b := range part.waiting {
			if b.sequence != unnumbered || b.doubtful {
				seq = max(seq, b.newest())
			}
		}
		for _, b := range part.inFlight {
			seq = max(seq, b.newest())
		}
	}
	return seq
}

// unsent returns the records of the topic that are in no batch which is on its way or has a sequence, in order.
func (s *sending) unsent() []*entry {
	entries := slices.Clone(s.unassigned)
	for _, part := range s.partitions {
		for _, b := range part.waiting {
			if b.sequence == unnumbered && !b.doubtful {
				entries = append(entries, b.entries...)
			}
		}
	}
	entries = slices.DeleteFunc(entries, func(e *entry) bool { return e.reported })
	slices.SortFunc(entries, func(a, b *entry) int { return cmp.Compare(a.number, b.number) })
	return entries
}

// dropUnsent lets go of the reported records from number on that are not on their way.
func (p *Producer) dropUnsent(t *topic, number uint64) {
	s := &t.send
	kept := s.unassigned[:0]
	for _, e := range s.unassigned {
		if e.reported && e.number >= number {
			p.letGo(e.buffer)
			continue
		}
		kept = append(kept, e)
	}
	clear(s.unassigned[len(kept):])
	s.unassigned = kept
	for _, part := range s.partitions {
		for _, b := range part.waiting {
			live := 0
			for _, e := range b.entries {
				if !e.reported {
					live++
				}
			}
			b.live = live
		}
		part.expired()
		p.drop(part)
	}
}

// stale says whether e was admitted before records of its topic were dropped that are older. The
// sender, which is the only one that drops, asks.
func (p *Producer) stale(e *entry) bool {
	return e.stored.seq != 0 && e.stored.drops != e.topic.drops
}

// unloadEntry forgets e, which is on the disk and which the sender has just taken, without a report.
func (p *Producer) unloadEntry(e *entry) {
	e.reported = true
	p.leaveOnDisk(e)
	p.letGo(e.buffer)
}

// leaveOnDisk gives the room of e back, whose report will be that of its copy on disk.
func (p *Producer) leaveOnDisk(e *entry) {
	if o := p.store.once; o != nil && len(o.bypass) > 0 {
		p.mu.Lock()
		if _, ok := o.bypass[e.stored.seq]; ok {
			o.bypass[e.stored.seq] = false
		}
		p.mu.Unlock()
	}
	if a := e.await; a != nil {
		s := p.store
		s.mu.Lock()
		s.awaits[e.stored.seq] = a
		s.mu.Unlock()
	}
	p.makeRoom(e)
}
