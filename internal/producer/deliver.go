package producer

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/halon-extras/kafka/internal/resperr"
)

// delivered is the delivery report: the client calls it once for each record, one after another,
// from a goroutine of its own. It does constant work and never waits.
func (p *Producer) delivered(r *kgo.Record, err error) {
	e, code := p.outcome(r, err)
	l := e.lane
	if err != nil && (p.unsent(l, e, err) || l.undecided(code)) {
		code = resperr.MsgTimedOut // which it is if it has no time left, and goes again otherwise
	}
	switch {
	case code == resperr.NoError:
		if !l.progressed.Load() {
			l.progressed.Store(true)
		}
	case p.again(l, e, code):
		// It goes again, in order, before anything newer of its topic.
		l.mu.Lock()
		l.again = append(l.again, e)
		l.mu.Unlock()
		l.held.Store(true)
		l.inClient.Add(-1)
		p.wake()
		return
	case code == resperr.Fail && l.verdict.Load() != 0:
		code = resperr.Code(l.verdict.Load())
	case !l.known.Load():
		l.learn(code)
	}
	left := l.inClient.Add(-1)
	p.settle(e, code)
	p.letGo(e.slab)
	if l.held.Load() && (code == resperr.NoError || left == 0) {
		p.wake()
	}
}

// undecided says whether a failure is nobody's verdict on the record: an answer that was no Kafka's,
// or a trouble of the cluster with a topic that the client could not load yet. Such a record goes
// again while it has time, as librdkafka keeps it.
func (l *lane) undecided(code resperr.Code) bool {
	switch code {
	case resperr.NoError, resperr.PurgeQueue, resperr.UnknownPartition, resperr.MsgSizeTooLarge,
		resperr.UnknownTopicOrPart, resperr.TopicException, resperr.TopicAuthorizationFailed, resperr.UnknownTopicID:
		return false
	case resperr.Fail:
		return l.verdict.Load() == 0
	}
	return !l.known.Load()
}

// learn lets later calls be answered at once with what the client has found out about a topic that
// it could not load.
func (l *lane) learn(code resperr.Code) {
	switch code {
	case resperr.TopicAuthorizationFailed:
		l.refusal.Store(int32(code))
		l.publish()
	case resperr.TopicException:
		l.refusal.Store(int32(resperr.UnknownTopic))
		l.publish()
	default:
		return
	}
	l.asked.Store(true) // the sender notes the time
}

// again says whether a record that the client has given up is to be tried once more.
func (p *Producer) again(l *lane, e *entry, code resperr.Code) bool {
	if e.reported.Load() || p.gaveUp.Load() {
		return false
	}
	if p.store != nil {
		return p.againStored(l, e, code)
	}
	switch code {
	case resperr.MsgTimedOut:
		// The client fails everything it has of a partition when the oldest is too old.
		return p.spare(e)
	case resperr.UnknownTopicID:
		// The topic was deleted and made anew, and the client must be told to forget the old one.
		l.purge.CompareAndSwap(purgeNone, purgeWanted)
		return p.spare(e)
	}
	return false
}

// outcome says which entry r is and what became of it.
func (p *Producer) outcome(r *kgo.Record, err error) (*entry, resperr.Code) {
	switch c := r.Context.(type) {
	case *entry:
		return c, codeOf(err)
	case *misplaced:
		c.Context = c.entry
		return c.entry, resperr.UnknownPartition
	}
	return nil, resperr.Fail // not reached: every record is given an entry in slab.add
}

// spare says whether a record that the client timed out has a second or more to live.
func (p *Producer) spare(e *entry) bool {
	limit := p.set.MessageTimeout
	return limit == 0 || age(&e.Record, p.now()) < limit-time.Second
}

// codeOf turns the client's error into librdkafka's code. It is the only place that does, and it
// goes by type.
func codeOf(err error) resperr.Code {
	if err == nil {
		return resperr.NoError
	}
	var code resperr.Code
	var broker *kerr.Error
	switch {
	case errors.As(err, &code):
		return code
	case errors.Is(err, kgo.ErrRecordTimeout), errors.Is(err, context.DeadlineExceeded):
		return resperr.MsgTimedOut
	case errors.Is(err, kgo.ErrClientClosed), errors.Is(err, kgo.ErrAborting), errors.Is(err, context.Canceled):
		return resperr.PurgeQueue
	case errors.Is(err, kgo.ErrRecordRetries):
		return resperr.Transport
	case errors.As(err, &broker):
		return resperr.Code(broker.Code)
	case isNetwork(err), tlsText(err) != "":
		return resperr.Transport
	}
	return resperr.Fail
}

// settle is the one report of an admitted record: it counts, logs, and gives its room back. The
// first call for an entry counts; a later one, when the client lets go of what has expired or of
// what Stop has given up, does nothing. The caller has a hold on the slab.
func (p *Producer) settle(e *entry, code resperr.Code) {
	if !e.reported.CompareAndSwap(false, true) {
		return
	}
	switch {
	case p.store != nil:
		p.settleStored(e, code)
	case code == resperr.NoError:
		p.stats.Deliver()
	default:
		p.fail(code, e.Topic)
	}
	if e.await != nil {
		p.acknowledge(e, code)
	}
	p.makeRoom(e)
}

// makeRoom gives back what e holds of the queue's limits.
func (p *Producer) makeRoom(e *entry) {
	if p.store != nil {
		e.lane.holds.Add(-1)
		e.lane.holdsBytes.Add(-int64(len(e.Record.Value)))
		defer p.store.nudge()
	}
	p.settled.Bytes.Add(int64(len(e.Record.Value)))
	p.settled.Cost.Add(e.cost)
	p.settled.Count.Add(1)
	if p.waiting.Load() > 0 {
		p.wake()
	}
	if p.urgent.Load() > 0 && p.drawn() == 0 {
		p.signalEmpty() // who waits looks into the intake too
	}
}

func (p *Producer) fail(code resperr.Code, topic string) {
	p.stats.Fail(code)
	if !p.gaveUp.Load() {
		// The text is the original's, to the letter; operators grep for it.
		p.log.LogAttrs(context.Background(), slog.LevelError, "message delivery failed: "+code.Error(),
			slog.String("topic", topic))
	}
}

// held returns how many records are admitted and not settled.
func (p *Producer) held() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drawIn()
	return p.load.count - p.settled.Count.Load()
}

// drawn is held without what the intake has: each report asks while somebody waits for the last one, and
// must not part for it what calls leave together.
func (p *Producer) drawn() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.load.count - p.settled.Count.Load()
}
