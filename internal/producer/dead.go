package producer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/resperr"
	"github.com/halon-extras/kafka/internal/spool"
)

// deniedFor is how long a topic that the queue may not write to is tried again behind a spool: rights
// are often given after the first message.
const deniedFor = time.Minute

// settleStored is the report of an entry behind a spool.
func (p *Producer) settleStored(e *entry, code resperr.Code) {
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
		if !t.proven.Load() {
			t.proven.Store(true)
		}
	case p.gaveUp.Load() && seq != 0:
		return // it stays on the disk
	default:
		if !dropped {
			p.fail(code, t.name)
		}
		p.writeLetter(payloadOf(nil, e), seq, code)
		return
	}
	if seq != 0 {
		s.acknowledged(seq)
	}
}

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
	p.fail(code, r.Topic)
	p.writeLetter(payload(nil, r), seq, code)
}

// undecodable sets aside a frame that is no record. Its bytes are kept as they are.
func (p *Producer) undecodable(f *spool.Frame, why error) {
	p.stats.Fail(resperr.BadMsg)
	p.log.LogAttrs(context.Background(), slog.LevelError, "a message on disk cannot be read", slog.Uint64("sequence", f.Seq),
		slog.String("error", why.Error()))
	p.writeLetter(append([]byte(nil), f.Payload...), f.Seq, resperr.BadMsg)
}

// writeLetter writes a dead letter and lets go of the record on disk once the letter is synced. A record
// whose letter cannot be written stays, and is tried again by the next start.
func (p *Producer) writeLetter(payload []byte, seq uint64, code resperr.Code) {
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
			p.letterFailed(err)
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
		p.letterFailed(err)
	}
}

func (p *Producer) letterFailed(err error) {
	p.log.LogAttrs(context.Background(), slog.LevelError, "a dead letter cannot be written, the message stays in the spool until the next start",
		slog.String("error", err.Error()))
}
