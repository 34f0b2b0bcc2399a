package producer

import (
	"time"

	"github.com/halon-extras/kafka/internal/intake"
	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/resperr"
)

// copyTime is how long to wait before looking again whether a caller has completed its copy. It takes
// less unless the caller was preempted.
const copyTime = 20 * time.Microsecond

// An ingress is the queue's side of its intake.
//
// The order of records is that of calls, whichever way they came: who admits a record in Go moves what
// is in the intake behind what is in Go first, and the record behind both.
type ingress struct {
	*intake.Intake // nil without one: the queue is behind a spool, or no host is there

	topics  []*topic       // by the number that records carry; guarded by Producer.mu
	full    []intake.Chunk // scratch; guarded by Producer.mu
	waiters bool           // calls wait for room; guarded by Producer.mu
	last    mono           // when the chunks were last taken; guarded by Producer.mu
}

// introduceLocked lets the intake know what t takes.
func (p *Producer) introduceLocked(t *topic) {
	t.introduced, t.index = true, -1
	index, gate, ok := p.ingress.Topic(t.name)
	if !ok {
		return
	}
	t.index = index
	t.mu.Lock()
	t.gate, t.gated = gate, true
	t.mu.Unlock()
	t.publish()
}

// topicAt returns the topic of the records that carry index, which a call may have made known.
func (p *Producer) topicAt(index int) *topic {
	name := p.ingress.TopicName(index)
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.knownLocked(name)
}

// knownLocked returns a topic that the intake knows.
func (p *Producer) knownLocked(name string) *topic {
	t := p.topicOfLocked(name)
	if !t.introduced {
		p.introduceLocked(t)
	}
	return t
}

// lentRecord views f, which is read once, as a record. Its bytes are the intake's.
func lentRecord(f *intake.Record, topic string) record.Record {
	r := record.Record{
		Topic: topic, Partition: f.Partition, Timestamp: f.Milliseconds, Key: f.Key, Value: f.Value,
	}
	for range f.Headers {
		name, value := f.NextHeader()
		r.Headers = append(r.Headers, record.Header{Key: name, Value: value})
	}
	return r
}

// takeIntakeLocked moves what calls have left in the intake into p.full, behind what is there, so that what the
// queue holds is exact, but for copies that are not complete.
func (p *Producer) takeIntakeLocked() { p.takeChunksLocked(false) }

// takeChunksLocked is takeIntakeLocked. The sender, which is to read the chunks at once, leaves all records where they are.
func (p *Producer) takeChunksLocked(sender bool) {
	f := &p.ingress
	if f.Intake == nil || p.state.reached(phaseGone) {
		return
	}
	f.full = f.Take(f.full[:0])
	if len(f.full) == 0 {
		p.takeParkedLocked()
		return
	}
	taken := p.takenNowLocked()
	for _, c := range f.full {
		if !sender && sparse(c) && p.copyInLocked(c, &taken) {
			continue
		}
		if p.current != nil && len(p.current.entries) > 0 {
			p.full = append(p.full, p.current)
			p.current = nil
		}
		n := c.Count()
		buf := &recordBuffer{chunk: c, takenAt: taken}
		if buf.sum, buf.complete = c.Sum(); buf.complete {
			f.Correct(c, buf.sum)
		}
		p.countLocked(n, &buf.sum, 1)
		p.full = append(p.full, buf)
	}
	p.takeParkedLocked()
}

// minChunkRecords and minChunkBytes are the records, or the bytes of their frames, from which a chunk is worth its memory: a queue that
// is full gets room for one record at a time, and a chunk for each would be many times what the record is charged. Large
// values are not copied a second time.
const (
	minChunkRecords = 16
	minChunkBytes   = 24 << 10
)

func sparse(c intake.Chunk) bool {
	return c.Count() < minChunkRecords && c.Size() < minChunkBytes && !c.Large()
}

// copyInLocked moves the records of a chunk into the current buffer, and gives the chunk back. It returns false, and does nothing,
// when a copy is not complete.
func (p *Producer) copyInLocked(c intake.Chunk, taken *takenAt) bool {
	sum, complete := c.Sum()
	if !complete {
		return false
	}
	p.ingress.Correct(c, sum)
	var f intake.Record
	for r := c.Reader(); r.Next(&f); {
		for f.Topic >= len(p.ingress.topics) {
			p.ingress.topics = append(p.ingress.topics, nil)
		}
		t := p.ingress.topics[f.Topic]
		if t == nil {
			t = p.knownLocked(p.ingress.TopicName(f.Topic))
			p.ingress.topics[f.Topic] = t
		}
		r := lentRecord(&f, t.name)
		n := r.Size()
		p.enterLocked(&r, n, t, costOf(&r, n), taken.born(r.Timestamp))
		p.stats.Admit(len(r.Value))
	}
	p.ingress.Free(c)
	return true
}

// takeParkedLocked puts the calls that were parked in the intake behind those that wait already.
func (p *Producer) takeParkedLocked() {
	if !p.ingress.Parked() {
		return
	}
	p.ingress.TakeParked(func(script intake.Script, f *intake.Record) {
		r := lentRecord(f, p.ingress.TopicName(f.Topic))
		w := &waiter{record: Clone(&r), size: r.Size()}
		w.done = func(code resperr.Code) { p.wakeScript(script, code) }
		p.waiters = append(p.waiters, w)
		p.waiting.Add(1)
	})
	p.announceWaitersLocked()
}

// admitParked lets those in that were parked in the intake, as far as there is room. The sender runs it.
func (p *Producer) admitParked() {
	if p.ingress.Intake != nil && p.ingress.Parked() {
		p.mu.Lock()
		p.takeParkedLocked()
		p.mu.Unlock()
	}
	p.admitWaiters()
}

// chargeLocked charges the queue with one record, if there is room: what the current chunk has a grant for and does not use is room too.
func (p *Producer) chargeLocked(value int, cost int64) bool {
	f := &p.ingress
	if f.Intake == nil {
		return p.ledger.Charge(value, cost)
	}
	if f.Charge(value, cost) {
		return true
	}
	f.Shut()
	defer f.Open()
	p.takeIntakeLocked()
	return f.Charge(value, cost)
}

// countLocked counts records that were taken from the intake, or with a sign of -1 takes that back.
func (p *Producer) countLocked(n int, sum *intake.Sum, sign int64) {
	p.taken += sign * int64(n)
	p.stats.AdmitMany(sign*int64(n), sign*int64(sum.Values))
}

// announceWaitersLocked tells the intake that calls wait, as who comes then must not pass by them, and that the queue has ended.
func (p *Producer) announceWaitersLocked() {
	f := &p.ingress
	if f.Intake == nil || p.state.reached(phaseGone) {
		return
	}
	if p.state.reached(phaseClosed) {
		f.End()
	}
	if waiters := len(p.waiters) > 0; waiters != f.waiters {
		f.waiters = waiters
		f.SetHasWaiters(waiters)
	}
}

// takenNowLocked is when chunks are taken that are taken now.
func (p *Producer) takenNowLocked() takenAt {
	d := takenAt{at: p.now(), wall: milliseconds()}
	d.span = d.at.since(p.ingress.last)
	p.ingress.last = d.at
	return d
}

// oldestLocked returns when the oldest record was accepted that is in no full buffer, and whether there is one.
func (p *Producer) oldestLocked(now mono) (born mono, some bool) {
	if p.current != nil && len(p.current.entries) > 0 {
		return p.current.entries[0].born, true
	}
	if p.ingress.Intake == nil {
		return 0, false
	}
	first, some := p.ingress.First()
	d := takenAt{at: now, wall: milliseconds(), span: now.since(p.ingress.last)}
	if first == 0 {
		return now - mono(d.span), some // not known
	}
	return d.born(first), some
}

// Publish lets calls of the host find the queue's intake, or Go where it has none.
func (p *Producer) Publish() {
	if p.ingress.Intake == nil {
		intake.Disown(p.id)
		return
	}
	if !p.ingress.Publish() {
		p.log.Info("there were more than 512 names of queues since the start of the mail server: calls of this one take longer")
	}
}

// Gone lets calls that come after Stop look for the queue elsewhere, and another queue of that name use the intake. Without an intake it does nothing.
func (p *Producer) Gone() {
	if p.ingress.Intake == nil {
		return
	}
	select {
	case <-p.finished:
	default:
		return // a sender that has not ended may still write to it
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state.advance(phaseGone) {
		p.ingress.Gone()
	}
}

// listen wakes the sender when calls ask for it, until the intake is closed.
func (p *Producer) listen() {
	for p.ingress.Wait() {
		p.wake()
	}
}

// countCalls brings the counters up to the calls that have returned.
func (p *Producer) countCalls() {
	if p.ingress.Intake == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.takeIntakeLocked()
	if !p.state.reached(phaseGone) {
		p.stats.RefuseMany(p.ingress.Refused())
	}
}
