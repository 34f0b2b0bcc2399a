package producer

import (
	"math"
	"slices"

	"github.com/halon-extras/kafka/internal/plan"
	"github.com/halon-extras/kafka/internal/recordbatch"
)

// A partitionState says whether batches of a partition may go, and what they wait for.
type partitionState uint8

const (
	leaderless partitionState = iota // who leads it is not known, or has changed: metadata is awaited
	open                             // batches may go
	pausing                          // a batch is to go again, but not before until
	draining                         // a numbered batch was given up: a new epoch begins when nothing is on its way
	removed                          // the topic has no such partition any more
)

// A partition is the batches of one partition of a topic, in order.
//
// Its methods decide what may be sent when, and nothing else: they know no clock, no socket and no lock, so that a model of a
// broker can try every order of events on them (model_test.go).
//
// Invariants: no batch is in both lists; inFlight is in the order of sending; waiting is in the order of the records; with
// idempotence the sequences of inFlight and then of the numbered part of waiting have no gap, and end at next.
type partition struct {
	topic         *topic
	id            int32
	leader        int32 // the broker, or -1
	leaderEpoch   int32
	state         partitionState
	until         mono // the end of a pause
	listed        bool // in the list of its broker: it has something to send
	idempotent    bool
	newestFirst   bool     // queuing.strategy=lifo
	window        int      // how many batches may be in flight
	waiting       []*batch // to be sent
	inFlight      []*batch // sent, and not answered
	producerID    int64
	usedUp        int64 // the producer id that has no further epoch here, or -1
	epoch         int16
	next          int32    // the sequence of the next batch
	epochAccepted bool     // the broker has acknowledged a batch of this epoch
	looks         int      // questions in a row, for the leader or about what is in doubt, that did not help
	inPause       bool     // in the sender's list of pauses
	dropped       []*entry // no batch has them any more: the sender lets go of them
	sent          int64    // messages that were acknowledged
	sentBytes     int64    // of their values

	// Of a queue that delivers once: see once.go, planning.go and doubt.go.
	noted    bool        // batches are noted on disk before they are sent
	doubt    bool        // batches may be in the log of which nobody knows: nothing is sent until the leader was asked
	looking  bool        // it is being asked
	bound    int64       // where the log ended when everything before was answered; -1 is not known, unasked that nobody has asked
	acked    mono        // when the last batch was found to be in the log
	path     path        // on which the last batch was sent
	restored []*restored // batches of an earlier run whose records have not all come yet
}

// limits bound a batch.
type limits struct{ records, bytes int }

// add puts e into the last waiting batch, or into a new one where that is full or must not change.
func (p *partition) add(e *entry, most limits) {
	bound := e.bound()
	if n := len(p.waiting); n > 0 {
		b := p.waiting[n-1]
		b.close()
		if b.packed == nil && b.sequence == unnumbered && b.tries == 0 && !b.doubtful &&
			len(b.entries) < most.records && b.size+bound <= most.bytes {
			b.add(e, bound)
			return
		}
	}
	b := &batch{partition: p, id: -1, sequence: unnumbered, oldest: e.born, size: recordbatch.Overhead}
	b.entries = make([]*entry, 0, firstEntries)
	b.add(e, bound)
	p.waiting = append(p.waiting, b)
}

// firstEntries is the room that a batch begins with: a partition with a trickle must not cost a large array.
const firstEntries = 8

// sendable says whether there is a batch that may go now.
//
// The first batch of an epoch travels alone: a broker that knows nothing of the epoch takes any sequence for its start, so
// a second batch that overtook a lost first one would be taken, and the first one refused for ever.
func (p *partition) sendable() bool {
	switch {
	case p.state != open || len(p.waiting) == 0 || len(p.inFlight) >= p.window:
		return false
	case p.noted && !p.clear():
		return false
	case p.idempotent:
		return p.producerID >= 0 && (p.epochAccepted || len(p.inFlight) == 0)
	}
	return true
}

// peek returns the batch that take would return.
func (p *partition) peek() *batch {
	if p.newestFirst && p.waiting[0].tries == 0 {
		return p.waiting[len(p.waiting)-1]
	}
	return p.waiting[0]
}

// take returns the next batch to send, which is in flight from now on. The partition is sendable.
func (p *partition) take() *batch {
	b := p.peek()
	b.close()
	if b == p.waiting[0] {
		p.waiting = p.waiting[1:]
	} else {
		p.waiting = p.waiting[:len(p.waiting)-1]
	}
	if p.newestFirst && b.tries == 0 && !b.doubtful {
		slices.Reverse(b.entries)
	}
	if len(p.waiting) == 0 {
		p.waiting = nil
	}
	if p.idempotent && b.sequence == unnumbered {
		p.number(b)
	}
	b.broker = p.leader
	p.inFlight = append(p.inFlight, b)
	return b
}

// number gives b the next sequence. Its records are fixed from now on.
func (p *partition) number(b *batch) {
	b.id, b.epoch, b.sequence = p.producerID, p.epoch, p.next
	p.next = plan.Sequence(p.next, int32(b.count()))
}

// oldest says whether no outstanding batch of the partition is older than b, which is in flight. The order of sending does not tell: a
// batch whose connection broke before it was written is sent again behind a newer one that went over the next connection.
func (p *partition) oldest(b *batch) bool {
	for _, other := range p.inFlight {
		if other.order() < b.order() {
			return false
		}
	}
	return len(p.waiting) == 0 || p.waiting[0].sequence == unnumbered || p.waiting[0].order() > b.order()
}

// land takes b out of flight.
func (p *partition) land(b *batch) {
	if i := slices.Index(p.inFlight, b); i >= 0 {
		p.inFlight = slices.Delete(p.inFlight, i, i+1)
	}
}

// acknowledged releases b, which the broker has written.
func (p *partition) acknowledged(b *batch) {
	p.land(b)
	if b.epoch == p.epoch && b.id == p.producerID {
		p.epochAccepted = true
	}
	p.looks = 0
	p.renumber()
}

// back puts b, which is to go again, before everything newer.
func (p *partition) back(b *batch) {
	p.land(b)
	if b.sequence == unnumbered && !p.strip(b) {
		p.renumber()
		return // each of its records was reported while it was on its way
	}
	if !b.whole() && b.live == 0 {
		p.giveUp(b)
		return
	}
	p.insert(b)
	p.renumber()
}

func (p *partition) insert(b *batch) {
	at, _ := slices.BinarySearchFunc(p.waiting, b.order(), func(w *batch, order uint64) int {
		if w.order() < order {
			return -1
		}
		return 1
	})
	p.waiting = slices.Insert(p.waiting, at, b)
}

// halve puts the two halves of b, which is not packed, in its place.
func (p *partition) halve(b *batch) {
	p.land(b)
	front, back := b.split()
	p.insert(front)
	p.insert(back)
	p.renumber()
}

// strip drops the records of b that have had their report, and says whether any are left. b has no sequence.
func (p *partition) strip(b *batch) bool {
	if b.whole() {
		return true
	}
	kept := make([]*entry, 0, b.live)
	for _, e := range b.entries {
		if e.reported {
			p.dropped = append(p.dropped, e)
		} else {
			kept = append(kept, e)
		}
	}
	b.entries = kept
	if len(kept) > 0 {
		b.measure()
	}
	return len(kept) > 0
}

// expired drops from the waiting batches what was reported meanwhile, as far as no sequence fixes it.
func (p *partition) expired() {
	kept := p.waiting[:0]
	for _, b := range p.waiting {
		switch {
		case b.sequence == unnumbered && p.strip(b):
			kept = append(kept, b)
		case b.sequence == unnumbered:
		case b.whole() || b.live > 0:
			kept = append(kept, b)
		default:
			p.abandon(b)
		}
	}
	clear(p.waiting[len(kept):])
	p.waiting = kept
	p.renumber()
}

// giveUp forgets b, which is in neither list any more and not packed. The broker waits for its sequence, so with one, nothing newer may go
// until everything on its way is answered: then a new epoch begins.
func (p *partition) giveUp(b *batch) {
	p.abandon(b)
	p.renumber()
}

func (p *partition) abandon(b *batch) {
	p.land(b)
	p.dropped = append(p.dropped, b.entries...)
	if b.sequence != unnumbered && p.state != removed {
		p.state = draining
	}
}

// restart begins a new epoch as soon as nothing is on its way.
func (p *partition) restart() {
	if p.idempotent && p.state != removed {
		p.state = draining
	}
	p.renumber()
}

// renumber begins the new epoch of a draining partition when nothing is on its way. What had no answer keeps its doubt.
func (p *partition) renumber() {
	if p.state != draining || len(p.inFlight) > 0 || p.doubt {
		return
	}
	if p.epoch == math.MaxInt16 {
		p.usedUp, p.producerID = p.producerID, -1
	} else {
		p.epoch++
	}
	p.next, p.epochAccepted = 0, false
	p.unnumber()
	p.state = open
	if p.leader < 0 {
		p.state = leaderless
	}
}

// identify gives the partition a new producer id. Nothing is on its way, or has none.
func (p *partition) identify(id int64, epoch int16) {
	p.producerID, p.epoch, p.next, p.epochAccepted = id, epoch, 0, false
	p.unnumber()
}

func (p *partition) unnumber() {
	kept := p.waiting[:0]
	for _, b := range p.waiting {
		b.id, b.sequence, b.note, b.sequences, b.loose = -1, unnumbered, unnoted, 0, false
		if p.strip(b) {
			kept = append(kept, b)
		}
	}
	clear(p.waiting[len(kept):])
	p.waiting = kept
}

// pause lets nothing go before until. A partition that waits for more than time goes on waiting for that.
func (p *partition) pause(until mono) {
	if p.state == open || p.state == pausing {
		p.state, p.until = pausing, max(p.until, until)
	}
}

// wake ends a pause that is over, and says whether there was one.
func (p *partition) wake(now mono) bool {
	if p.state != pausing || now < p.until {
		return false
	}
	p.state = open
	return true
}

// loseLeader waits for metadata: the leader is not known, or says that it is none. If metadata names the same one again, nothing
// goes to it before until.
func (p *partition) loseLeader(until mono) {
	p.until = max(p.until, until)
	if p.state == open || p.state == pausing {
		p.state = leaderless
	}
}

// setLeader takes what metadata says of the leader. What an older epoch says is no news.
func (p *partition) setLeader(leader, epoch int32) {
	if p.state == removed || epoch >= 0 && epoch < p.leaderEpoch {
		return
	}
	same := leader == p.leader && epoch == p.leaderEpoch
	p.leader, p.leaderEpoch = leader, epoch
	switch {
	case leader < 0:
		p.loseLeader(p.until)
	case p.state == leaderless && same:
		p.state = pausing
	case p.state == leaderless:
		p.state = open
	}
}

// remove empties the partition, which the topic has no more, and returns the batches that are not on their way.
func (p *partition) remove() []*batch {
	p.state, p.leader = removed, -1
	left := p.waiting
	p.waiting = nil
	return left
}

// idle says whether nothing is left in p.
func (p *partition) idle() bool { return len(p.waiting) == 0 && len(p.inFlight) == 0 }
