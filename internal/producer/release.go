package producer

import (
	"context"
	"log/slog"
	"time"

	"github.com/halon-extras/kafka/internal/client"
	"github.com/halon-extras/kafka/internal/resperr"
)

// releaseEntry is the one report of an admitted record that fails: it counts, logs, and gives its room
// back. A later call for an entry does nothing. The caller lets go of its buffer.
func (p *Producer) releaseEntry(e *entry, code resperr.Code) {
	if e.reported {
		return
	}
	e.reported = true
	e.topic.send.records--
	switch {
	case p.store != nil:
		p.releaseStored(e, code)
	case p.sender.purging:
		p.stats.Lose(dropped, 1)
	default:
		p.fail(code, e.topic.name)
	}
	if e.await != nil {
		d := Delivery{Code: code, Topic: e.topic.name}
		if p.state.reached(phaseGivenUp) {
			d.Code = resperr.Destroy
		}
		p.resumes.answer(e.await, d)
	}
	p.makeRoom(e)
}

// releaseStored is the report of an entry behind a spool.
func (p *Producer) releaseStored(e *entry, code resperr.Code) {
	s, t := p.store, e.topic
	seq := e.stored.seq
	if seq == 0 {
		e.stored.seq = gone
		t.unsaved.Add(-1)
	}
	s.mu.Lock()
	a := s.awaits[seq]
	if seq != 0 {
		delete(s.awaits, seq)
	}
	s.mu.Unlock()
	if e.await == nil {
		e.await = a
	}
	switch {
	case code == resperr.NoError:
		s.resolve(seq, p.stats.Deliver)
		if !t.proven.Load() {
			t.proven.Store(true)
		}
	case p.sender.purging:
		s.resolve(seq, func() { p.stats.Lose(dropped, 1) })
	case p.state.reached(phaseGivenUp) && seq != 0:
		return // it stays on the disk
	default:
		p.giveUp(e.payload(nil), t.name, seq, code)
	}
}

// releaseDelivered reports the records of a batch that is in the log. a is nil where no broker was asked to acknowledge.
func (p *Producer) releaseDelivered(b *batch, a *client.Answer) {
	t := b.partition.topic
	n, bytes, cost := 0, int64(0), int64(0)
	for i, e := range b.entries {
		if e.reported {
			continue
		}
		e.reported = true
		n++
		bytes += int64(len(e.value))
		cost += e.cost
		if p.store != nil {
			p.releaseStored(e, resperr.NoError)
		}
		if e.await != nil {
			p.acknowledge(e, b.partition.id, a, i)
		}
	}
	p.countDelivered(b, n, bytes)
	b.live = 0
	t.send.records -= n
	if p.store != nil {
		t.holds.Add(-int64(n))
		t.holdsBytes.Add(-bytes)
		p.store.nudge()
	} else {
		p.stats.DeliverMany(int64(n))
	}
	p.released.Bytes.Add(bytes)
	p.released.Cost.Add(cost)
	p.released.Count.Add(int64(n))
}

// releasePacked reports the records of a packed batch that is in the log, and frees it.
func (p *Producer) releasePacked(b *batch) {
	n := b.packed.Count()
	values, cost := b.packed.Holds()
	b.partition.topic.send.records -= n
	p.countDelivered(b, n, values)
	p.stats.DeliverMany(int64(n))
	p.released.Bytes.Add(values)
	p.released.Cost.Add(cost)
	p.released.Count.Add(int64(n))
	p.packer.Free(b.packed)
	b.packed = nil
}

// countDelivered counts n records of b, with the bytes of their values, in the numbers of its partition and in the times of deliveries.
func (p *Producer) countDelivered(b *batch, n int, values int64) {
	if n > 0 {
		p.times.Delivery.ObserveMany(p.now().since(b.oldest), int64(n))
	}
	b.partition.sent += int64(n)
	b.partition.sentBytes += values
}

// acknowledge answers the call that waits for e, the record of a batch with that index.
func (p *Producer) acknowledge(e *entry, partition int32, a *client.Answer, index int) {
	d := Delivery{Topic: e.topic.name, Partition: partition, Offset: -1, Timestamp: time.UnixMilli(e.timestamp)}
	if a != nil && a.BaseOffset >= 0 {
		d.Offset = a.BaseOffset + int64(index)
	}
	if a != nil && a.LogAppendTime >= 0 {
		d.Timestamp = time.UnixMilli(a.LogAppendTime)
	}
	p.resumes.answer(e.await, d)
}

// makeRoom gives back what e holds of the queue's limits.
func (p *Producer) makeRoom(e *entry) {
	if p.store != nil {
		e.topic.holds.Add(-1)
		e.topic.holdsBytes.Add(-int64(len(e.value)))
		defer p.store.nudge()
	}
	p.released.Bytes.Add(int64(len(e.value)))
	p.released.Cost.Add(e.cost)
	p.released.Count.Add(1)
}

func (p *Producer) fail(code resperr.Code, topic string) {
	p.stats.Fail(code)
	p.logFailure(code, topic)
}

func errnoAttr(code resperr.Code) slog.Attr { return slog.Int("errno", int(code)) }

// logFailure tells that a message is given up.
func (p *Producer) logFailure(code resperr.Code, topic string) {
	p.health.failed(code, topic)
	if !p.state.reached(phaseGivenUp) {
		// The text is the original's, to the letter; operators grep for it.
		p.log.LogAttrs(context.Background(), slog.LevelError, "message delivery failed: "+code.Error(),
			slog.String("topic", topic), errnoAttr(code))
	}
}

// outstanding returns how many records are admitted and not released.
func (p *Producer) outstanding() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.takeIntakeLocked()
	return p.taken - p.released.Count.Load()
}

// tellEmpty tells who waits for the last record. It leaves what is in the intake alone, so as not to part what calls leave together: who
// waits looks there too.
func (p *Producer) tellEmpty() {
	if p.urgent.Load() == 0 {
		return
	}
	p.mu.Lock()
	rest := p.taken - p.released.Count.Load()
	p.mu.Unlock()
	if rest == 0 {
		p.signalEmpty()
	}
}
