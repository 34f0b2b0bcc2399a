package producer

import (
	"errors"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/halon-extras/kafka/internal/client"
	"github.com/halon-extras/kafka/internal/plan"
	"github.com/halon-extras/kafka/internal/resperr"
	"github.com/halon-extras/kafka/internal/spool"
)

// A noteState says whether the plan of a batch is on disk.
type noteState uint8

const (
	unnoted noteState = iota
	noting
	noteSynced
)

const (
	unasked = -2 // bound: where the log ended before the first batch is not known yet

	// oldAfter is the age of records from which on a broker may forget the producer at any time: it counts the time that its memory lasts, a day
	// unless configured otherwise, from the timestamps of records. Such batches travel alone.
	oldAfter = time.Hour

	// idleAfter is the time without a batch after which the next one travels alone: a broker may be configured to forget a producer within seconds,
	// and that costs nothing.
	idleAfter = time.Second
)

// notedAhead is how many times as many batches as may be on their way are noted: while some are sent, the disk takes the plans of the next ones.
const notedAhead = 2

// plannable returns the batches to be noted next, in one commit. The halves of a batch are noted together: with the plan
// of one alone, the records of the other would be in none, behind what comes after them.
func (p *partition) plannable() []*batch {
	if !p.noted || p.doubt || p.producerID < 0 || p.bound == unasked || p.state != open {
		return nil
	}
	first := 0
	for first < len(p.waiting) && p.waiting[first].note != unnoted {
		first++
	}
	end := first
	for end < len(p.waiting) && p.waiting[end].sequence != unnumbered && p.waiting[end].note == unnoted {
		end++
	}
	if end > first {
		return p.waiting[first:end]
	}
	for n := len(p.inFlight) + first; end < len(p.waiting) && n < p.plans(end); n++ {
		end++
	}
	return p.waiting[first:end]
}

// plans is how many plans there may be before the waiting batch i gets its own. The last one may grow until it has.
func (p *partition) plans(i int) int {
	switch {
	case !p.epochAccepted:
		return 1
	case i == len(p.waiting)-1:
		return p.window
	}
	return notedAhead * p.window
}

// clear says whether the first waiting batch of a partition that notes its batches may be sent. What is on its way is on the connection that it
// would take: so no batch can arrive without those before it.
func (p *partition) clear() bool {
	b := p.waiting[0]
	if p.doubt || b.note != noteSynced {
		return false
	}
	n := len(p.inFlight)
	return n == 0 || !b.old && !p.inFlight[n-1].old && p.inFlight[n-1].broker == p.leader
}

// prepare does what a partition needs before its next batch can be sent: where its log ends, an answer to its doubts, a note.
func (p *Producer) prepare(part *partition) {
	p.lookForDoubtful(part)
	if part.bound == unasked && !part.doubt && part.producerID >= 0 && !part.idle() {
		p.askBound(part)
		return
	}
	for batches := part.plannable(); len(batches) > 0; batches = part.plannable() {
		p.note(part, slices.Clone(batches))
	}
}

// askBound asks where the log ends: no batch of this producer is before that.
func (p *Producer) askBound(part *partition) {
	if part.looking || part.state != open || part.leader < 0 {
		return
	}
	part.looking = true
	place := client.Place{Topic: part.topic.name, ID: part.topic.send.id, Partition: part.id}
	p.client.AskEnd(part.leader, place, func(end int64, err error) {
		p.post(event{do: func() {
			part.looking = false
			switch {
			case place.ID != part.topic.send.id:
			case err == nil:
				part.bound = end
			case errors.Is(err, kerr.TopicAuthorizationFailed):
				part.bound = -1 // the log is read from its start, should that be needed and allowed
			default:
				p.lookFailed(part, err, p.now())
			}
			p.enlist(part)
		}})
	})
}

// note writes the plans of batches to the disk. They are sent when those are there.
func (p *Producer) note(part *partition, batches []*batch) {
	o := p.store.once
	o.buf = o.buf[:0]
	times := make([]int, len(batches))
	for i, b := range batches {
		p.appendPlan(part, b)
		b.note = noting
		b.notes++
		times[i] = b.notes
	}
	o.notes.Add(o.buf, func(err error) {
		p.post(event{do: func() {
			for i, b := range batches {
				if b.notes != times[i] || b.note != noting {
					continue // it was given other numbers meanwhile
				}
				b.note = noteSynced
				if err != nil {
					b.note = unnoted
				}
			}
			if err != nil {
				p.pause(part, lookEvery, p.now())
			}
			p.enlist(part)
		}})
	})
}

// appendPlan gives b a sequence, if it has none, and appends its plan to the buffer of plans.
func (p *Producer) appendPlan(part *partition, b *batch) {
	o := p.store.once
	if b.sequence == unnumbered {
		part.number(b)
		b.bound, b.topicID = part.bound, part.topic.send.id
	}
	largest := b.entries[0].timestamp
	o.spans = o.spans[:0]
	for _, e := range b.entries {
		largest = max(largest, e.timestamp)
		o.spans = plan.Grow(o.spans, e.stored.seq)
	}
	b.old = time.Duration(milliseconds()-largest)*time.Millisecond > oldAfter
	o.buf = plan.AppendPlan(o.buf, &plan.Batch{
		Place: plan.Place{Topic: part.topic.name, ID: b.topicID, Partition: part.id}, Epoch: plan.Epoch{Producer: b.id, Number: b.epoch},
		First: b.sequence, Count: int32(len(b.entries)), Bound: b.bound, Spans: o.spans,
	})
}

// done notes that b is in the log. Its records are acknowledged already: who finds the note need not ask for them.
func (p *Producer) done(b *batch, end int64) {
	o, part := p.store.once, b.partition
	place := plan.Place{Topic: part.topic.name, ID: b.topicID, Partition: part.id}
	o.buf = plan.AppendDone(o.buf[:0], &place, plan.Epoch{Producer: b.id, Number: b.epoch}, b.sequence, b.span(), end)
	o.notes.AddLater(o.buf)
	if b.topicID == part.topic.send.id {
		part.bound = max(part.bound, end)
	}
	part.acked = p.now()
	o.point(PointDone)
}

// void notes that nothing of part from first on is in the log or will be.
func (p *Producer) void(part *partition, b *batch) {
	place := plan.Place{Topic: part.topic.name, ID: b.topicID, Partition: part.id}
	p.store.once.notes.AddLater(plan.AppendVoid(nil, &place, plan.Epoch{Producer: b.id, Number: b.epoch}, b.sequence))
}

// certain has the codes that a broker answers only when it has written nothing of the batch.
var certain = map[resperr.Code]bool{
	resperr.InvalidMsg: true, resperr.NotEnoughReplicas: true, resperr.MsgSizeTooLarge: true, resperr.RecordListTooLarge: true,
	resperr.InvalidRecord: true, resperr.InvalidTimestamp: true, resperr.PolicyViolation: true, resperr.OutOfOrderSequenceNumber: true,
	resperr.InvalidProducerEpoch: true, resperr.UnknownProducerID: true, resperr.TopicAuthorizationFailed: true, resperr.TopicException: true,
	resperr.InvalidRequiredAcks: true, resperr.UnsupportedForMessageFormat: true, resperr.UnsupportedCompressionType: true,
	resperr.InvalidRequest: true, resperr.UnknownTopicID: true,
}

// span is how many sequences b has.
func (b *batch) span() int32 {
	if b.sequences > 0 {
		return b.sequences
	}
	return int32(len(b.entries))
}

// The named points of a batch's way at which a crash test kills the process; those of the spool are in package spool.
const (
	PointSent     = "batch-sent"            // a batch is written to the socket
	PointAnswered = "answer-received"       // and answered, and nothing has come of that yet
	PointDone     = "acknowledgement-noted" // its records are acknowledged, and nothing of that is on the disk yet
)

// written is what the client calls when a request is on its way: nothing in what ships.
func (p *Producer) written() func() {
	o := p.onceOrNil()
	if o == nil || killPoint() == nil {
		return nil
	}
	return func() { o.point(PointSent) }
}

// targetID is the id of the topic that b goes to: that of its plan, so that a topic that was recreated does not take it.
func (b *batch) targetID() [16]byte {
	if b.note != unnoted {
		return b.topicID
	}
	return b.partition.topic.send.id
}

// Points returns the named points of a batch's way.
func Points() []string { return []string{spool.PointNoted, PointSent, PointAnswered, PointDone} }
