package producer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/halon-extras/kafka/internal/resperr"
	"github.com/halon-extras/kafka/internal/spool"
)

// deniedFor is how long a topic that the queue may not write to is tried again behind a spool: rights
// are often given after the first message.
const deniedFor = time.Minute

// final says whether the broker will never take a record that fails with code. Behind a spool all
// other failures pass, and the record is sent again.
func final(code resperr.Code) bool {
	switch code {
	case resperr.MsgTimedOut, // message.timeout.ms was set in words, or max_age, and it is over
		resperr.MsgSizeTooLarge, resperr.RecordListTooLarge, resperr.InvalidRecord,
		resperr.InvalidTimestamp, resperr.InvalidRequest, resperr.InvalidRequiredAcks, resperr.PolicyViolation,
		resperr.UnsupportedForMessageFormat, resperr.UnsupportedCompressionType,
		resperr.TopicException, resperr.UnknownTopicOrPart, resperr.UnknownPartition:
		return true
	}
	return false
}

// ofBatch says whether a refusal is of a whole batch, in which one record may be to blame. Its records
// are sent again one by one, so that only those which are refused alone become dead letters.
func ofBatch(code resperr.Code) bool {
	switch code {
	case resperr.MsgSizeTooLarge, resperr.RecordListTooLarge, resperr.InvalidRecord, resperr.InvalidTimestamp, resperr.PolicyViolation:
		return true
	}
	return false
}

// sendAlone hands the oldest record of l to the client when that has nothing else of the topic, and
// says whether the oldest is one that must be sent alone. The sender runs it.
func (p *Producer) sendAlone(l *lane, now time.Time) bool {
	if len(l.backlog) == 0 || !l.backlog[0].stored.suspect {
		return false
	}
	l.held.Store(true) // each report wakes the sender
	if l.inClient.Load() == 0 {
		l.moved = now
		l.backlog[0].stored.alone = true
		p.release(l, 1)
	}
	return true
}

// againStored is again behind a spool: what the broker has not refused for good is sent until it is
// taken.
func (p *Producer) againStored(l *lane, e *entry, code resperr.Code) bool {
	switch code {
	case resperr.UnknownTopicID:
		l.purge.CompareAndSwap(purgeNone, purgeWanted)
	case resperr.TopicAuthorizationFailed:
		if p.denied(l, p.now()) {
			return false
		}
	case resperr.UnknownTopicOrPart:
		return l.verdict.Load() == 0 && p.spare(e)
	case resperr.Fail:
		if l.verdict.Load() != 0 {
			return false
		}
	case resperr.MsgTimedOut:
	default:
		switch {
		case ofBatch(code) && !e.stored.alone:
			e.stored.suspect = true
		case final(code):
			return false
		}
	}
	return p.spare(e)
}

// denied says whether the cluster has refused the queue's writes to l for long enough.
func (p *Producer) denied(l *lane, now time.Time) bool {
	since := l.denied.Load()
	if since == 0 {
		l.denied.CompareAndSwap(0, now.UnixNano())
		return false
	}
	return now.Sub(time.Unix(0, since)) >= deniedFor
}

// settleStored is the report of an entry behind a spool.
func (p *Producer) settleStored(e *entry, code resperr.Code) {
	s, l := p.store, e.lane
	var seq uint64
	if e.stored.seq.CompareAndSwap(0, gone) {
		l.unsaved.Add(-1)
	} else {
		seq = e.stored.seq.Load()
	}
	s.mu.Lock()
	a := s.awaits[seq]
	if seq != 0 {
		delete(s.awaits, seq)
	}
	dropped := seq != 0 && seq < s.dropped
	s.mu.Unlock()
	if e.await == nil {
		e.await = a
	}
	switch {
	case code == resperr.NoError:
		if !dropped {
			p.stats.Deliver()
		}
		if !l.proven.Load() {
			l.proven.Store(true)
		}
		if l.denied.Load() != 0 {
			l.denied.Store(0)
		}
	case p.gaveUp.Load() && seq != 0:
		return // it stays on the disk
	default:
		if !dropped {
			p.fail(code, e.Topic)
		}
		p.bury(payloadOf(nil, e), seq, code)
		return
	}
	if seq != 0 {
		s.acknowledged(seq)
	}
}

// failStored is the report of a record on disk that fails before it is in memory.
func (p *Producer) failStored(r *kgo.Record, seq uint64, code resperr.Code) {
	s := p.store
	s.mu.Lock()
	a := s.awaits[seq]
	delete(s.awaits, seq)
	s.mu.Unlock()
	if a != nil {
		p.resumes.answer(a, Delivery{Code: code})
	}
	p.fail(code, r.Topic)
	p.bury(payload(nil, r), seq, code)
}

// undecodable sets aside a frame that is no record. Its bytes are kept as they are.
func (p *Producer) undecodable(f *spool.Frame, why error) {
	p.stats.Fail(resperr.BadMsg)
	p.log.LogAttrs(context.Background(), slog.LevelError, "a message on disk cannot be read", slog.Uint64("sequence", f.Seq),
		slog.String("error", why.Error()))
	p.bury(append([]byte(nil), f.Payload...), f.Seq, resperr.BadMsg)
}

// bury writes a dead letter and lets go of the record on disk once the letter is synced. A record
// whose letter cannot be written stays, and is tried again by the next start.
func (p *Producer) bury(payload []byte, seq uint64, code resperr.Code) {
	s := p.store
	if s.dead == nil || p.gaveUp.Load() {
		if seq != 0 {
			s.acknowledged(seq)
		}
		return
	}
	letter := spool.AppendLetter(nil, fmt.Sprintf("%d %s", code, code.Error()), payload)
	written := func(err error) {
		if err != nil {
			p.unburied(err)
			return
		}
		s.letters.Add(1)
		if seq != 0 {
			s.acknowledged(seq)
		}
	}
	_, err := s.dead.Append(letter, written)
	if errors.Is(err, spool.ErrFull) {
		n := s.dead.DropOldest(int64(len(letter)) + 64)
		p.log.LogAttrs(context.Background(), slog.LevelError, "the dead letters are full: the oldest are dropped",
			slog.Uint64("letters", n))
		_, err = s.dead.Append(letter, written)
	}
	if err != nil {
		p.unburied(err)
	}
}

func (p *Producer) unburied(err error) {
	p.log.LogAttrs(context.Background(), slog.LevelError, "a dead letter cannot be written, the message stays in the spool until the next start",
		slog.String("error", err.Error()))
}
