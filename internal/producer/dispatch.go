package producer

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/halon-extras/kafka/internal/client"
	"github.com/halon-extras/kafka/internal/resperr"
)

// A broker is what the sender has to send to one. Its connection is the client's, whose events move up, connection and away.
type broker struct {
	id         int32
	up         bool         // it takes requests
	connection uint64       // the one that is up
	away       mono         // since when it is not up although something is to be sent to it, or 0
	requests   int          // on their way
	careful    bool         // the last request was cut off: the next one is one batch
	ready      []*partition // that it leads and that have something to send, in the order in which they came
	spare      []*partition // the array that ready had before
	retries    int64        // batches that were sent again
}

// A request is one produce request on its way.
type request struct {
	client.Produce
	broker  *broker
	batches []*batch
	images  []*image // of them
	err     error
}

// enlist lets the leader of part know that there is something to send.
func (p *Producer) enlist(part *partition) {
	if part.idempotent && part.producerID < 0 {
		p.identify(part)
	}
	if part.noted {
		p.prepare(part)
	}
	if part.listed || !part.sendable() {
		return
	}
	b := p.brokerOf(part.leader)
	part.listed = true
	b.ready = append(b.ready, part)
}

func (p *Producer) brokerOf(id int32) *broker {
	b := p.sender.brokers[id]
	if b == nil {
		b = &broker{id: id, up: p.client.Ready(id)}
		p.sender.brokers[id] = b
	}
	return b
}

// blocked says whether something waits for an answer before it can be sent.
func (s *sender) blocked() bool {
	for _, b := range s.brokers {
		if b.requests > 0 && len(b.ready) > 0 {
			return true
		}
	}
	return s.questions.waiting
}

// dispatch sends what can be sent, and asks for what is not known. It returns how long it is to the end of the first pause, or less
// than 0.
func (p *Producer) dispatch(now mono) time.Duration {
	next := p.endPauses(now)
	if !p.health.paused() {
		for _, b := range p.sender.brokers {
			p.sendTo(b, now)
		}
	}
	if ask := p.askMetadata(now); ask >= 0 && (next < 0 || ask < next) {
		next = ask
	}
	return next
}

// endPauses lets partitions go on whose pause is over.
func (p *Producer) endPauses(now mono) time.Duration {
	next := time.Duration(math.MaxInt64)
	kept := p.sender.questions.paused[:0]
	for _, part := range p.sender.questions.paused {
		if part.state == pausing && !part.wake(now) {
			next = min(next, part.until.since(now))
			kept = append(kept, part)
			continue
		}
		part.inPause = false
		p.enlist(part)
	}
	clear(p.sender.questions.paused[len(kept):])
	p.sender.questions.paused = kept
	if len(kept) == 0 {
		return -1
	}
	return max(next, 0)
}

// pause keeps part from being sent to for a while.
func (p *Producer) pause(part *partition, d time.Duration, now mono) {
	part.pause(now.after(d))
	p.watchPause(part)
}

func (p *Producer) watchPause(part *partition) {
	if part.state == pausing && !part.inPause {
		part.inPause = true
		p.sender.questions.paused = append(p.sender.questions.paused, part)
	}
}

func (p *Producer) sendTo(b *broker, now mono) {
	if p.state.handingOver.Load() {
		return
	}
	for len(b.ready) > 0 && b.requests < p.most && (b.requests == 0 || p.client.Unwritten(b.id) < p.backpressure) {
		if !b.up {
			if b.away == 0 {
				b.away = now
			}
			p.client.Connect(b.id)
			p.relist(b)
			return
		}
		r := p.compose(b)
		if r == nil {
			continue // none of the ready ones has anything to send any more
		}
		p.stamp(r, now)
		if p.onceOrNil() != nil {
			// Not over a connection of which the sender has not heard: what was on its way over the one before may not be answered yet.
			r.Connection = b.connection
		}
		if !p.client.Send(b.id, &r.Produce) {
			p.unsend(r)
			b.up = false
			continue
		}
		b.requests++
	}
}

// relist gives the partitions that another broker leads by now to that one.
func (p *Producer) relist(b *broker) {
	ready := b.ready
	b.ready = ready[:0:0]
	for _, part := range ready {
		if part.leader == b.id && part.sendable() {
			b.ready = append(b.ready, part)
			continue
		}
		part.listed = false
		p.enlist(part)
	}
}

// compose takes a batch of each ready partition, as far as one request holds them. It returns nil, and has taken the
// partitions from the list, when there is none.
func (p *Producer) compose(b *broker) *request {
	r := &request{broker: b}
	size := 0
	ready := b.ready
	b.ready = b.spare[:0]
	var rest []*partition
	for i, part := range ready {
		if part.leader != b.id || !part.sendable() {
			part.listed = false
			p.enlist(part) // with another broker, or not at all
			continue
		}
		part.rested(b, p.now())
		if part.unsure(b) {
			part.listed, part.doubt = false, true
			p.enlist(part)
			continue
		}
		if n := part.peek().bytes(); len(r.batches) > 0 && (size+n > p.set.MessageMaxBytes || b.careful) {
			rest = ready[i:]
			break
		}
		part.listed = false
		taken := part.take()
		size += taken.bytes()
		r.batches = append(r.batches, taken)
		part.topic.inFlight.Add(int64(taken.count()))
	}
	for _, taken := range r.batches {
		p.enlist(taken.partition)
	}
	if len(rest) > 0 {
		b.ready = append(slices.Clone(rest), b.ready...) // who did not get its turn is first in the next request
	}
	clear(ready)
	b.spare = ready[:0]
	if len(r.batches) == 0 {
		return nil
	}
	return r
}

// stamp turns the batches of r into what the client writes.
func (p *Producer) stamp(r *request, now mono) {
	slices.SortStableFunc(r.batches, func(a, b *batch) int { return cmp.Compare(a.partition.topic.name, b.partition.topic.name) })
	r.Acks, r.Timeout = int16(p.set.Acks), p.set.RequestTimeout
	r.Deadline = p.set.SocketTimeout
	if limit := p.set.MessageTimeout; limit > 0 {
		// As in librdkafka: no longer than the first message of the batch has.
		oldest := r.batches[0].oldest
		for _, b := range r.batches {
			oldest = min(oldest, b.oldest)
		}
		r.Deadline = min(r.Deadline, max(oldest.after(limit).since(now), shortestWait))
	}
	for _, b := range r.batches {
		if b.last != resperr.NoError || b.doubtful {
			r.broker.retries++
		}
		sent := newImage(b)
		p.compressor.begin(sent)
		r.images = append(r.images, sent)
		r.Batches = append(r.Batches, client.Batch{
			Topic: b.partition.topic.name, TopicID: b.targetID(), Partition: b.partition.id,
			Append: func(dst []byte, version int16) ([]byte, [][]byte) {
				return p.compressor.append(sent, dst, version)
			},
		})
	}
	r.Done = func(_ *client.Produce, err error) {
		r.err = err
		p.post(event{request: r})
	}
}

// shortestWait is how long an answer is waited for at least: the connection would else be closed for a message that is almost
// too old, with all that is on its way.
const shortestWait = time.Second

// unsend takes back a request that was not sent.
func (p *Producer) unsend(r *request) {
	p.freeImages(r)
	for _, b := range slices.Backward(r.batches) {
		b.partition.topic.inFlight.Add(-int64(b.count()))
		b.partition.back(b)
		p.drop(b.partition)
		p.enlist(b.partition)
	}
}

// freeImages gives back what was made to write r.
func (p *Producer) freeImages(r *request) {
	for _, m := range r.images {
		p.compressor.free(m)
	}
}

// drop lets go of the records that a partition has dropped.
func (p *Producer) drop(part *partition) {
	for i, e := range part.dropped {
		p.letGo(e.buffer)
		part.dropped[i] = nil
	}
	part.dropped = part.dropped[:0]
}

// begin prepares the sender.
func (s *sender) begin() {
	s.emptyLingers = soundAsleep
	s.brokers = make(map[int32]*broker)
	s.ids.id = -1
}
