package producer

import (
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/halon-extras/kafka/internal/intake"
	"github.com/halon-extras/kafka/internal/resperr"
)

// copyTime is how long to wait before looking again whether a caller has completed its copy. It takes
// less unless the caller has lost its processor.
const copyTime = 20 * time.Microsecond

// A front is the queue's side of its intake.
//
// The order of records is that of calls, whichever way they came: who admits a record in Go moves what
// is in the intake behind what is in Go first, and the record behind both.
type front struct {
	*intake.Intake // nil without one: the queue is behind a spool, or no host is there

	lanes []*lane        // by the number that records carry; guarded by Producer.mu
	full  []intake.Chunk // scratch; guarded by Producer.mu
	queue bool           // calls wait for room; guarded by Producer.mu
}

// introduce lets the intake know what l takes. The caller holds p.mu.
func (p *Producer) introduce(l *lane) {
	l.introduced = true
	_, gate, ok := p.front.Topic(l.topic)
	if !ok {
		return
	}
	l.mu.Lock()
	l.gate, l.gated = gate, true
	l.mu.Unlock()
	l.publish()
}

// laneOf returns the lane of the records that carry index, which a call may have made known.
func (p *Producer) laneOf(index int) *lane {
	name := p.front.TopicName(index)
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.known(name)
}

// known returns the lane of a topic that the intake knows. The caller holds p.mu.
func (p *Producer) known(name string) *lane {
	l := p.lane(name)
	if !l.introduced {
		p.introduce(l)
	}
	return l
}

// lentRecord views f, which is read once, as the client's record. Its bytes are the intake's.
func lentRecord(f *intake.Record, topic string) kgo.Record {
	r := kgo.Record{
		Topic: topic, Partition: f.Partition, Timestamp: time.UnixMilli(f.Milliseconds), Key: f.Key, Value: f.Value,
	}
	for range f.Headers {
		name, value := f.NextHeader()
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: name, Value: value})
	}
	return r
}

// publish tells the intake what the topic takes now. It follows every change of that.
func (l *lane) publish() {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case !l.gated:
	case l.refusal.Load() != 0:
		l.gate.Refuse(l.refusal.Load())
	default:
		l.gate.Open(l.partitions.Load())
	}
}

// wasAsked says whether a call was answered with the refusal of l since the sender looked.
func (l *lane) wasAsked() bool {
	asked := l.asked.Swap(false)
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.gated && l.gate.Asked() || asked
}

// drawIn moves what calls have left in the intake into p.full, behind what is there, so that the load of the
// queue is exact. The caller holds p.mu.
func (p *Producer) drawIn() {
	f := &p.front
	if f.Intake == nil {
		return
	}
	f.full = f.Take(f.full[:0])
	for _, c := range f.full {
		if c.Count() < few && p.copyIn(c) {
			continue
		}
		if p.current != nil && len(p.current.entries) > 0 {
			p.full = append(p.full, p.current)
			p.current = nil
		}
		n := c.Count()
		s := p.pool.forChunk(c, n)
		if s.sum, s.complete = c.Sum(); s.complete {
			f.Correct(c, s.sum)
		}
		p.count(n, &s.sum, 1)
		p.full = append(p.full, s)
	}
	p.drawParked()
}

// few is the number of records from which a chunk is worth its memory: a queue that is full gets room for one
// record at a time, and a chunk for each would be many times what the record is charged.
const few = 16

// copyIn moves the records of a chunk into the current slab, and gives the chunk back. It returns false, and does nothing,
// when a copy is not complete. The caller holds p.mu.
func (p *Producer) copyIn(c intake.Chunk) bool {
	sum, complete := c.Sum()
	if !complete {
		return false
	}
	p.front.Correct(c, sum)
	var f intake.Record
	for r := c.Reader(); r.Next(&f); {
		for f.Topic >= len(p.front.lanes) {
			p.front.lanes = append(p.front.lanes, nil)
		}
		l := p.front.lanes[f.Topic]
		if l == nil {
			l = p.known(p.front.TopicName(f.Topic))
			p.front.lanes[f.Topic] = l
		}
		r := lentRecord(&f, l.topic)
		n := recordBytes(&r)
		p.enter(&r, n, l, int64(n)+recordCost+headerCost*int64(len(r.Headers)))
		p.stats.Admit(len(r.Value))
	}
	p.front.Free(c)
	return true
}

// drawParked puts the calls that were parked in the intake behind those that wait already. The caller holds p.mu.
func (p *Producer) drawParked() {
	if !p.front.Parked() {
		return
	}
	p.front.TakeParked(func(script intake.Script, f *intake.Record) {
		r := lentRecord(f, p.front.TopicName(f.Topic))
		w := &waiter{record: cloneRecord(&r), size: recordBytes(&r)}
		w.done = func(code resperr.Code) { p.wakeScript(script, code) }
		p.waiters = append(p.waiters, w)
		p.waiting.Add(1)
	})
	p.turnstile()
}

// admitParked lets those in that were parked in the intake, as far as there is room. The sender runs it.
func (p *Producer) admitParked() {
	if p.front.Intake != nil && p.front.Parked() {
		p.mu.Lock()
		p.drawParked()
		p.mu.Unlock()
	}
	p.admitWaiters()
}

// charge is [intake.Intake.Charge], without what the current chunk has leave for and does not use. The caller
// holds p.mu.
func (p *Producer) charge(value int, cost int64) bool {
	f := &p.front
	if f.Charge(value, cost) {
		return true
	}
	f.Shut()
	defer f.Open()
	p.drawIn()
	return f.Charge(value, cost)
}

// count adds records to the load, or with a sign of -1 takes them from it. The caller holds p.mu.
func (p *Producer) count(n int, sum *intake.Sum, sign int64) {
	p.load.count += sign * int64(n)
	p.load.bytes += sign * int64(sum.Values)
	p.load.cost += sign * sum.Cost(n)
	p.stats.AdmitMany(sign*int64(n), sign*int64(sum.Values))
}

// turnstile tells the intake that calls wait, as who comes then must not pass by them, and that the queue has ended. The caller
// holds p.mu.
func (p *Producer) turnstile() {
	f := &p.front
	if f.Intake == nil {
		return
	}
	if p.closed {
		f.End()
	}
	if queue := len(p.waiters) > 0; queue != f.queue {
		f.queue = queue
		f.Queueing(queue)
	}
}

// oldest returns the time of the oldest record that is in no full slab, and whether there is one. The
// caller holds p.mu.
func (p *Producer) oldest() (t time.Time, some bool) {
	if p.current != nil && len(p.current.entries) > 0 {
		return p.current.entries[0].Timestamp, true
	}
	if p.front.Intake == nil {
		return t, false
	}
	milliseconds, some := p.front.First()
	return time.UnixMilli(milliseconds), some
}

// unpack makes the entries of a slab whose records are in a chunk. The slab and lanes, by the number that records carry, are the
// caller's; it returns lanes with those that were not known.
func (p *Producer) unpack(s *slab, lanes []*lane) []*lane {
	if !s.complete {
		sum, complete := s.chunk.Sum()
		for !complete {
			time.Sleep(copyTime)
			sum, complete = s.chunk.Sum()
		}
		p.mu.Lock()
		n := s.chunk.Count()
		p.count(n, &s.sum, -1)
		p.count(n, &sum, 1)
		p.front.Correct(s.chunk, sum)
		p.mu.Unlock()
		s.sum, s.complete = sum, true
	}
	if cap(s.headers) < s.sum.Headers {
		s.headers = make([]kgo.RecordHeader, max(s.sum.Headers, 2*cap(s.entries)))
	}
	headers := s.headers[:cap(s.headers)]
	s.entries = s.entries[:s.chunk.Count()]
	var f intake.Record
	r := s.chunk.Reader()
	for i := range s.entries {
		r.Next(&f)
		e := &s.entries[i]
		for f.Topic >= len(lanes) {
			lanes = append(lanes, nil)
		}
		l := lanes[f.Topic]
		if l == nil {
			l = p.laneOf(f.Topic)
			lanes[f.Topic] = l
		}
		if i == 0 {
			s.lane = l
		} else if s.lane != l {
			s.lane = nil
		}
		payload := len(f.Key) + len(f.Value)
		var own []kgo.RecordHeader
		if f.Headers > 0 {
			own = headers[:f.Headers:f.Headers]
			headers = headers[f.Headers:]
			for j := range own {
				own[j].Key, own[j].Value = f.NextHeader()
				payload += len(own[j].Key) + len(own[j].Value)
			}
		}
		e.Record = kgo.Record{
			Topic: l.topic, Partition: f.Partition, Timestamp: time.UnixMilli(f.Milliseconds), Context: e,
			Key: f.Key, Value: f.Value, Headers: own,
		}
		e.slab, e.lane, e.cost = s, l, int64(recordCost+payload+headerCost*f.Headers)
		e.reported = atomic.Bool{} // nobody else knows of the entry yet
	}
	return lanes
}

// Publish lets calls of the host find the queue's intake, or Go where it has none.
func (p *Producer) Publish() {
	if p.front.Intake == nil {
		intake.Disown(p.id)
		return
	}
	p.front.Publish()
}

// Gone lets calls that come after Stop look for the queue elsewhere. Without an intake it does nothing.
func (p *Producer) Gone() {
	if p.front.Intake != nil {
		p.front.Gone()
	}
}

// listen wakes the sender when calls ask for it, until the intake is closed.
func (p *Producer) listen() {
	for p.front.Wait() {
		p.wake()
	}
}

// look brings the counters up to the calls that have returned.
func (p *Producer) look() {
	if p.front.Intake == nil {
		return
	}
	p.mu.Lock()
	p.drawIn()
	p.mu.Unlock()
	p.stats.RefuseMany(p.front.Refused())
}
