package producer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/report"
	"github.com/halon-extras/kafka/internal/resperr"
	"github.com/halon-extras/kafka/internal/spool"
	"github.com/halon-extras/kafka/internal/stored"
)

// deniedFor is how long a topic that the queue may not write to is tried again behind a spool: rights
// are often given after the first message.
const deniedFor = time.Minute

// failStored is the report of a record on disk that fails before it is in memory.
func (p *Producer) failStored(r *record.Record, seq uint64, code resperr.Code) {
	s := p.store
	s.mu.Lock()
	a := s.awaits[seq]
	delete(s.awaits, seq)
	s.mu.Unlock()
	if a != nil {
		p.resumes.answer(a, Delivery{Code: code})
	}
	p.giveUp(stored.Append(nil, r), r.Topic, seq, code)
}

// undecodable sets aside a frame that is no record. Its bytes are kept as they are.
func (p *Producer) undecodable(f *spool.Frame, why error) {
	p.log.LogAttrs(context.Background(), slog.LevelError, "a message on disk cannot be read", slog.Uint64("sequence", f.Seq),
		slog.String("error", why.Error()))
	p.giveUp(append([]byte(nil), f.Payload...), "", f.Seq, resperr.BadMsg)
}

// leaveForLater leaves a record on the disk that a later version of this program has written, as the spool leaves a segment: it stays pending, and
// that version sends it. Of which topic it is, only that version knows, so others of its topic pass it.
func (p *Producer) leaveForLater(seq uint64, why error) {
	s := p.store
	s.spool.Spare(seq)
	if !s.foreign {
		s.foreign = true
		p.log.LogAttrs(context.Background(), slog.LevelWarn, "messages on disk were written by a later version of this program and are left there, that version will send them: install it again",
			slog.Uint64("sequence", seq), slog.String("error", why.Error()))
	}
	p.mu.Lock()
	planned, _ := s.once.bypassLocked(seq)
	p.mu.Unlock()
	if planned {
		s.mu.Lock()
		s.unread[seq] = struct{}{}
		s.mu.Unlock()
	}
}

// comes says whether a record that is in a plan of an earlier run will still be read.
func (s *storage) comes(seq uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, unread := s.unread[seq]
	return !unread && !s.spool.Resolved(seq)
}

// giveUp gives a message up: that is logged at once, and it becomes a dead letter where the queue keeps those. It is let go of on disk, and counted, once
// the letter is synced. One whose letter cannot be written stays there, and is tried again by the next start; one that is on no disk is lost then.
func (p *Producer) giveUp(payload []byte, topic string, seq uint64, code resperr.Code) {
	s := p.store
	if topic != "" {
		p.logFailure(code, topic)
	}
	if s.dead == nil || p.state.reached(phaseGivenUp) {
		s.resolve(seq, func() { p.stats.Fail(code) })
		return
	}
	letter := spool.AppendLetter(nil, fmt.Sprintf("%d %s", code, code.Error()), payload)
	written := func(err error) {
		if err != nil {
			p.letterFailed(seq, code, err)
			return
		}
		s.letters.Add(1)
		s.resolve(seq, func() { p.stats.Lose(report.Loss{Fate: report.Dead, Code: code}, 1) })
	}
	_, err := s.dead.Append(letter, written)
	if errors.Is(err, spool.ErrFull) {
		n := s.dead.DropOldest(int64(len(letter)) + 64)
		p.log.LogAttrs(context.Background(), slog.LevelError, "the dead letters are full: the oldest are dropped",
			slog.Uint64("letters", n))
		_, err = s.dead.Append(letter, written)
	}
	if err != nil {
		p.letterFailed(seq, code, err)
	}
}

func (p *Producer) letterFailed(seq uint64, code resperr.Code, err error) {
	text := "a dead letter cannot be written, the message stays in the spool until the next start"
	if seq == 0 {
		p.stats.Fail(code)
		text = "a dead letter cannot be written, and its message is lost, because it was in memory only"
	}
	p.log.LogAttrs(context.Background(), slog.LevelError, text, errnoAttr(code), slog.String("error", err.Error()))
}
