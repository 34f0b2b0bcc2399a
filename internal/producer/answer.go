package producer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/halon-extras/kafka/internal/client"
	"github.com/halon-extras/kafka/internal/logsink"
	"github.com/halon-extras/kafka/internal/resperr"
)

// answered releases the batches of a request, or sends them again.
func (p *Producer) answered(r *request, now mono) {
	r.broker.requests--
	p.freeImages(r)
	if o := p.onceOrNil(); o != nil && r.err == nil {
		o.point(PointAnswered)
	}
	r.broker.careful = r.err != nil && r.Written && !errors.Is(r.err, client.ErrClosed)
	for i, b := range r.batches {
		part := b.partition
		part.topic.inFlight.Add(-int64(b.count()))
		switch {
		case r.err == nil:
			a := &r.Batches[i].Answer
			p.judge(b, resperr.Code(a.Code), a, now)
		case !r.Written:
			// Nothing of it can have reached the broker, so it counts as no attempt.
			if b.loose && part.noted {
				b.doubtful, part.doubt = true, true // a copy of it may have arrived since the last look
			}
			part.back(b)
			p.wantMetadata(part.topic, now)
		default:
			b.doubtful, b.loose = true, true
			p.judge(b, lostCode(r.err), nil, now)
			p.wantMetadata(part.topic, now)
		}
		p.drop(part)
		p.enlist(part)
	}
}

// lostCode is librdkafka's for a request without an answer.
func lostCode(err error) resperr.Code {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return resperr.TimedOut
	}
	return resperr.Transport
}

// judge does with b what the table of outcomes says. a is nil where no broker has answered.
func (p *Producer) judge(b *batch, code resperr.Code, a *client.Answer, now mono) {
	part, t := b.partition, b.partition.topic
	out := outcomeOf(code, p.store != nil)
	if a != nil && (out == reject || out == bisect) {
		p.quoteBroker(b, code, a)
	}
	if a != nil && (code == resperr.InvalidRecord || code == resperr.InvalidTimestamp) && p.failNamed(b, a, code) {
		return
	}
	if (out == reorder || out == renew) && b.sequence == unnumbered {
		out = reject // an answer that makes no sense
	}
	if code != resperr.NoError && b.last != code {
		p.clientLog.say(logsink.Debug, "PRODUCE", "", fmt.Sprintf("%s [%d]: %d message(s) are not taken: %s", t.name, part.id, b.count(), code.Error()),
			slog.String("topic", t.name), slog.Int("partition", int(part.id)), errnoAttr(code))
	}
	if part.noted && p.doubts(b, code, out, now) {
		return
	}
	switch out {
	case bisect:
		if b.count() > 1 {
			p.unpackBatch(b)
			part.halve(b)
			return
		}
		out = reject
	case denied:
		if t.send.noRight == 0 {
			t.send.noRight = now
		}
		if now.since(t.send.noRight) >= deniedFor {
			out = reject
		}
	case reorder:
		if part.oldest(b) && p.set.Gapless {
			p.breakDown()
			out = reject
		}
	}
	b.last = code
	if out == reorder && !part.oldest(b) {
		part.back(b) // behind a batch that is to go again this is the other one's error
		return
	}
	if (out == retry || out == reorder || out == renew) && p.exhausted(b) {
		out = reject
	}
	switch out {
	case written:
		p.delivered(b, a)
	case reject:
		p.failBatch(b, code)
	case retry:
		p.retryBatch(b, p.set.RetryPause(b.tries), now)
	case denied:
		p.retryBatch(b, time.Second, now)
	case relook:
		part.looks++
		part.back(b)
		part.loseLeader(now.after(p.set.RetryPause(part.looks)))
		if a != nil && a.Leader >= 0 {
			part.setLeader(a.Leader, a.LeaderEpoch)
		}
		p.wantMetadata(t, now)
	case reorder:
		p.log.LogAttrs(context.Background(), slog.LevelWarn, "the broker misses records before these: they are sent again in a new epoch, and some may be delivered twice",
			slog.String("topic", t.name), slog.Int("partition", int(part.id)), slog.Int("messages", b.count()))
		part.back(b)
		part.restart()
	case renew:
		part.back(b)
		p.newIdentity(part, b.id)
	}
}

// exhausted counts an attempt against retries, and says whether none is left. What is on disk is sent until the broker takes it or
// refuses it for ever.
func (p *Producer) exhausted(b *batch) bool {
	b.tries++
	return p.store == nil && b.tries > p.set.Retries
}

// retryBatch sends b again after a pause, before everything newer of its partition.
func (p *Producer) retryBatch(b *batch, pause time.Duration, now mono) {
	part := b.partition
	part.back(b)
	p.pause(part, pause, now)
}

// quoteBroker logs what the broker itself says of records that it refuses: the code alone does not tell what is wrong with which.
func (p *Producer) quoteBroker(b *batch, code resperr.Code, a *client.Answer) {
	text := a.Message
	if len(a.Records) > 0 {
		text = cmp.Or(text, a.Records[0].Message)
	}
	if text != "" {
		p.clientLog.say(logsink.Err, "PRODUCE", groupRefusal, fmt.Sprintf("%s [%d]: the broker refuses messages: %s", b.partition.topic.name, b.partition.id, text),
			slog.String("topic", b.partition.topic.name), slog.Int("partition", int(b.partition.id)), errnoAttr(code))
	}
}

// failNamed fails the records that the broker has named, and sends the others again: it has written nothing of the batch.
//
// Compat: record errors. librdkafka fails the others with -138. See docs/compatibility.md.
func (p *Producer) failNamed(b *batch, a *client.Answer, code resperr.Code) bool {
	named := false
	for _, r := range a.Records {
		if r.Index < 0 || int(r.Index) >= b.count() {
			continue
		}
		named = true
		p.unpackBatch(b)
		if e := b.entries[r.Index]; !e.reported {
			b.live--
			p.releaseEntry(e, code)
		}
	}
	if !named {
		return false
	}
	if b.live == 0 {
		b.partition.giveUp(b)
		return true
	}
	// The sequence of the batch is that of more records than are left, so a new epoch begins.
	numbered := b.sequence != unnumbered
	b.partition.back(b)
	if numbered {
		b.partition.restart()
	}
	return true
}

// delivered releases a batch that is in the log.
func (p *Producer) delivered(b *batch, a *client.Answer) {
	part, t := b.partition, b.partition.topic
	part.acknowledged(b)
	s := &t.send
	s.progressed, s.noRight = true, 0
	if t.stalled.Load() {
		t.stalled.Store(false)
		s.lastProgress = p.now()
	}
	if b.packed != nil {
		p.releasePacked(b)
		return
	}
	p.releaseDelivered(b, a)
	if part.noted {
		end := int64(-1)
		if a != nil && a.BaseOffset >= 0 {
			end = a.BaseOffset + int64(b.span())
		}
		p.done(b, end)
	}
	for _, e := range b.entries {
		p.letGo(e.buffer)
	}
}

// failBatch releases a batch that will not be sent again.
func (p *Producer) failBatch(b *batch, code resperr.Code) {
	p.unpackBatch(b)
	for _, e := range b.entries {
		p.releaseEntry(e, code)
	}
	b.live = 0
	b.partition.giveUp(b)
}
