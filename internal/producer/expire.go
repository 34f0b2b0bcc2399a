package producer

import "github.com/halon-extras/kafka/internal/resperr"

// expire reports what is too old in t, each record at its own time, wherever it is: also what is on its way to a silent
// broker. The room of such a record is free again; its memory is when the broker has answered or its connection is closed.
func (p *Producer) expire(t *topic, now mono) {
	limit := p.set.MessageTimeout
	if limit == 0 || t.send.records == 0 || p.store == nil && p.health.paused() {
		return
	}
	born := now - mono(limit) // and before
	s := &t.send
	n := 0
	for n < len(s.unassigned) && s.unassigned[n].born <= born {
		n++
	}
	p.failUnassigned(t, n, resperr.MsgTimedOut)
	for _, part := range s.partitions {
		due := false
		for _, b := range part.waiting {
			due = p.expireBatch(b, born) || due
		}
		for _, b := range part.inFlight {
			p.expireBatch(b, born)
		}
		if due {
			part.expired()
			p.drop(part)
			p.enlist(part)
		}
	}
}

// expireBatch reports the records of b that were born at born or before, and says whether there were any.
func (p *Producer) expireBatch(b *batch, born mono) bool {
	if b.packed == nil && b.live == 0 || b.oldest > born {
		return false
	}
	p.unpackBatch(b)
	due := false
	b.oldest = 1<<63 - 1
	for _, e := range b.entries {
		switch {
		case e.reported:
		case e.born <= born:
			p.releaseEntry(e, resperr.MsgTimedOut)
			b.live--
			due = true
		default:
			b.oldest = min(b.oldest, e.born)
		}
	}
	return due
}

// failUnassigned reports the n oldest records without a partition.
func (p *Producer) failUnassigned(t *topic, n int, code resperr.Code) {
	s := &t.send
	for i, e := range s.unassigned[:n] {
		p.releaseEntry(e, code)
		p.letGo(e.buffer)
		s.unassigned[i] = nil
	}
	if s.unassigned = s.unassigned[n:]; len(s.unassigned) == 0 {
		s.unassigned = nil
	}
}

// failWaiting reports everything of t that is not on its way. A batch that is on its way has its own answer.
func (p *Producer) failWaiting(t *topic, code resperr.Code) {
	p.failUnassigned(t, len(t.send.unassigned), code)
	for _, part := range t.send.partitions {
		for _, b := range part.waiting {
			p.unpackBatch(b)
			for _, e := range b.entries {
				p.releaseEntry(e, code)
			}
			b.live = 0
		}
		part.expired()
		p.drop(part)
	}
}
