package producer

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/halon-extras/kafka/internal/client"
	"github.com/halon-extras/kafka/internal/plan"
	"github.com/halon-extras/kafka/internal/resperr"
)

// A finding is what a look at the leader and the log says of one batch that may have been written.
type finding uint8

const (
	absent   finding = iota // it is not in the log: it goes again with the same numbers, so that what may still be under way is a repeat
	there                   // it is in the log, on every replica in sync
	hidden                  // the leader has it and nobody may read it yet, or it was refused and the leader cannot be asked: its repeat is answered as what it is
	vanished                // whether it was written is not known any more; the same numbers are taken once more
	lost                    // likewise, and the broker does not take its numbers
)

// find says what s says of the sequences first to last of an epoch. refused is whether the broker did not take them, bound where the log ended before they were sent.
func find(s *client.Sighting, epoch int16, first, last int32, bound int64, refused bool) finding {
	for _, seen := range s.Seen {
		if plan.Distance(seen.First, first) >= 0 && plan.Distance(last, plan.Sequence(seen.First, seen.Count-1)) >= 0 {
			return there
		}
	}
	if s.Known {
		switch {
		case s.Epoch > epoch:
			return lost // whoever that was, it was not this queue
		case s.Epoch < epoch, plan.Distance(s.Last, first) > 0:
			return absent
		case plan.Distance(s.Last, last) > 0:
			return lost // a part of it, which nobody has sent
		case s.Start > max(bound, 0):
			return there // the leader has had it, and the log has lost it since to its retention
		case refused:
			return lost // it never came, or compaction has removed it, of which the leader cannot tell
		}
		return hidden
	}
	switch {
	case s.Start > max(bound, 0), s.End < bound, s.Gaps:
		return vanished
	case refused && !s.Asked:
		return hidden
	}
	return absent
}

// doubts takes an answer to b that is not that it was written, and says whether that is all that becomes of b now.
func (p *Producer) doubts(b *batch, code resperr.Code, out outcome, now mono) bool {
	part := b.partition
	if out == written {
		return false
	}
	// What was under way at a look may have arrived since.
	b.loose = b.loose || !certain[code]
	b.doubtful = b.loose
	part.doubt = part.doubt || b.doubtful
	if out != reorder && out != renew {
		return false
	}
	if out == renew || part.oldest(b) {
		b.refused, part.doubt = true, true
		b.last = code
		b.tries++
		p.retryBatch(b, p.set.RetryPause(b.tries), now)
		return true
	}
	return false
}

// lookForDoubtful asks the leader about batches of part that may be in the log, once nothing is on its way and all their records are there.
func (p *Producer) lookForDoubtful(part *partition) {
	if !part.doubt || part.looking || len(part.inFlight) > 0 || len(part.restored) > 0 || part.leader < 0 || part.state != open && part.state != draining {
		return
	}
	numbered := part.numbered()
	ask := false
	for _, b := range numbered {
		if b.topicID != part.topic.send.id {
			p.recreated(part, numbered)
			return
		}
		ask = ask || b.doubtful || b.refused
	}
	if !ask {
		p.resolved(part, false)
		return
	}
	first, last := numbered[0], numbered[len(numbered)-1]
	d := client.Doubt{
		Place:    client.Place{Topic: part.topic.name, ID: first.topicID, Partition: part.id},
		Producer: first.id, Epoch: first.epoch, First: first.sequence, Last: plan.Sequence(last.sequence, last.span()-1), From: first.bound, LeaderEpoch: part.leaderEpoch,
	}
	part.looking = true
	connection := p.brokerOf(part.leader).connection
	p.client.Find(part.leader, d, func(s *client.Sighting, err error) {
		p.post(event{do: func() {
			part.looking = false
			for _, b := range part.numbered() {
				b.looked = connection
			}
			p.sighted(part, s, err, p.now())
			p.drop(part)
			p.enlist(part)
		}})
	})
}

// A path is a connection to a broker.
type path struct {
	broker     int32
	connection uint64
}

// rested lets the next batch travel alone where the broker may have forgotten the producer: after a time without one, and over a new connection, because the
// broker may have been restarted, or another one leads.
func (p *partition) rested(b *broker, now mono) {
	if !p.noted || len(p.inFlight) > 0 {
		return
	}
	to := path{b.id, b.connection}
	if now.since(p.acked) > idleAfter || p.path != to {
		p.epochAccepted = false
	}
	p.path = to
}

// unsure says whether p has to be looked at again before its next batch goes over the connection to b: a copy of that batch may have been under way at the last
// look, and a broker that was restarted since may have written it and forgotten.
func (p *partition) unsure(b *broker) bool {
	if !p.noted || p.doubt {
		return false
	}
	next := p.waiting[0]
	if !next.loose || next.looked == b.connection {
		return false
	}
	next.doubtful = true
	return true
}

// numbered returns the waiting batches that have numbers. They come first.
func (p *partition) numbered() []*batch {
	n := 0
	for n < len(p.waiting) && p.waiting[n].sequence != unnumbered {
		n++
	}
	return p.waiting[:n:n]
}

// patientTries is how often a batch is sent that a broker refuses which cannot say why.
const patientTries = 10

// sighted does with the batches in doubt what was found.
func (p *Producer) sighted(part *partition, s *client.Sighting, err error, now mono) {
	t := part.topic
	numbered := part.numbered()
	switch {
	case part.state == removed || len(numbered) == 0:
		p.resolved(part, false)
		return
	case numbered[0].topicID != t.send.id:
		return // of a topic that was recreated meanwhile
	case errors.Is(err, kerr.TopicAuthorizationFailed):
		p.unreadable(part, numbered)
		return
	case err != nil:
		p.lookFailed(part, err, now)
		return
	}
	renewed, unsure, notThere := false, 0, false
	compacted := 0 // messages that the leader knows later numbers than, and that are not in a log with gaps
	why := "the log does not reach back to where they would be"
	if s.Gaps {
		why = "the log was compacted where they would be"
	}
	for _, b := range append([]*batch(nil), numbered...) {
		last := plan.Sequence(b.sequence, b.span()-1)
		found := absent
		if b.doubtful || b.refused || b.loose {
			found = find(s, b.epoch, b.sequence, last, b.bound, b.refused)
			switch {
			case found != there && !b.doubtful && !b.refused:
				found = absent // an earlier look has said what is to be said of it, and a copy has not arrived since
			case found == hidden && !s.Asked && b.tries >= patientTries:
				found = lost // an old broker cannot say what it waits for
			}
		}
		whole := b.span() == int32(len(b.entries))
		b.refused = false
		if found == there {
			renewed = renewed || notThere // the numbers of those before it are refused, or taken behind it
			unsure, compacted = unsure+compacted, 0
			part.waiting = slices.DeleteFunc(part.waiting, func(w *batch) bool { return w == b })
			p.found(b, s)
			continue
		}
		notThere = true
		b.doubtful = found == hidden
		switch found {
		case lost:
			renewed, unsure, why = true, unsure+b.live, "the broker does not take the sequences under which they may have been written"
		case vanished:
			unsure += b.live
		case hidden:
			if s.Gaps && whole {
				compacted += b.live
			}
		}
		if !whole && found != lost {
			// Its records are not all there any more, so its numbers cannot be used again.
			renewed, unsure, why = true, unsure+b.live, "the spool does not have all messages of their batch any more"
		}
	}
	p.doubtful(t, part.id, unsure, why)
	if s.Known && s.Epoch > part.epoch {
		part.epoch = s.Epoch
	}
	if numbered = part.numbered(); len(numbered) > 0 && s.Known && !renewed {
		// What the broker waits for is certain, and where it is not the first of these, it does not take them.
		want := int32(0)
		if s.Epoch == numbered[0].epoch {
			want = plan.Sequence(s.Last, 1)
		}
		renewed = plan.Distance(want, numbered[0].sequence) > 0
	}
	p.resolved(part, renewed)
}

// resolved ends the doubt of part. The next batch travels alone: what the broker remembers is not known.
func (p *Producer) resolved(part *partition, renewed bool) {
	part.doubt, part.epochAccepted = false, false
	if renewed {
		part.restart()
	} else {
		part.renumber()
	}
}

// found releases b, which is in the log.
func (p *Producer) found(b *batch, s *client.Sighting) {
	a := client.Answer{BaseOffset: -1, LogAppendTime: -1}
	copies := 0
	for _, seen := range s.Seen {
		if d := plan.Distance(seen.First, b.sequence); d >= 0 && d < seen.Count {
			a.BaseOffset = seen.Offset + int64(d)
			copies++
		}
	}
	if copies > 1 {
		p.stats.Doubt(int64(b.live))
		p.log.LogAttrs(context.Background(), slog.LevelError, "messages were delivered twice: bytes of them were held outside of the broker for longer than it remembers the producer",
			slog.String("topic", b.partition.topic.name), slog.Int("partition", int(b.partition.id)), slog.Int("messages", b.live), slog.Int64("offset", a.BaseOffset))
	}
	p.delivered(b, &a)
}

// unreadable goes on without certainty where the queue may not read: once said, and at least once.
func (p *Producer) unreadable(part *partition, numbered []*batch) {
	if o := p.store.once; !o.silent {
		o.silent = true
		p.log.LogAttrs(context.Background(), slog.LevelWarn, "the queue may not read the topic, so after a kill or a lost answer messages may be delivered twice: give it the right to read",
			slog.String("topic", part.topic.name))
	}
	n, renewed := 0, false
	for _, b := range numbered {
		if b.doubtful || b.refused {
			n += b.live
		}
		renewed = renewed || b.refused || b.span() != int32(len(b.entries))
		b.doubtful, b.refused = false, false
	}
	p.doubtful(part.topic, part.id, n, "the queue may not read the topic")
	p.resolved(part, renewed)
}

// recreated gives up on batches of a topic that has another id now.
func (p *Producer) recreated(part *partition, numbered []*batch) {
	n := 0
	for _, b := range numbered {
		if b.doubtful {
			n += b.live
		}
		b.doubtful, b.refused = false, false
	}
	p.doubtful(part.topic, part.id, n, "the topic was recreated")
	p.void(part, numbered[0])
	part.bound = unasked
	p.resolved(part, true)
	p.drop(part)
	p.enlist(part)
}

// lookFailed lets part wait after a question that has failed.
func (p *Producer) lookFailed(part *partition, err error, now mono) {
	if errors.Is(err, client.ErrClosed) {
		return
	}
	part.looks++
	if part.looks%patientTries == 0 {
		p.log.LogAttrs(context.Background(), slog.LevelWarn, "the leader cannot be asked whether messages were delivered, so they wait",
			slog.String("topic", part.topic.name), slog.Int("partition", int(part.id)), slog.String("error", err.Error()))
	}
	pause := p.set.RetryPause(part.looks)
	p.wantMetadata(part.topic, now)
	switch {
	case errors.Is(err, kerr.NotLeaderForPartition), errors.Is(err, kerr.UnknownTopicOrPartition), errors.Is(err, kerr.UnknownTopicID), errors.Is(err, client.ErrUnknownBroker):
		part.loseLeader(now.after(pause))
	default:
		p.pause(part, pause, now)
	}
}
