package producer

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/halon-extras/kafka/internal/logsink"
	"github.com/halon-extras/kafka/internal/report"
	"github.com/halon-extras/kafka/internal/resperr"
	"github.com/halon-extras/kafka/internal/spool"
	"github.com/halon-extras/kafka/internal/stored"
)

// errNoLetters is for a queue that keeps no dead letters.
var errNoLetters = errors.New("the queue keeps no dead letters: it has no spool, or dead_letter: false")

// Letters returns the oldest dead letters, at most most of them, and how many there are.
func (p *Producer) Letters(most int) (all []report.Letter, pending int64, err error) {
	if p.store == nil || p.store.dead == nil {
		return nil, 0, errNoLetters
	}
	pending = int64(p.store.dead.Stats().Pending)
	c := p.store.dead.NewCursor()
	defer c.Close()
	for len(all) < most {
		batch, err := c.TryNext()
		if err != nil || batch == nil {
			return all, pending, err
		}
		for _, f := range batch.Frames {
			if one, ok := letterOf(&f); ok && len(all) < most {
				one.Record = Clone(&one.Record)
				all = append(all, one)
			}
		}
		batch.Release()
	}
	return all, pending, nil
}

// letterOf reads a frame, whose memory the record is.
func letterOf(f *spool.Frame) (report.Letter, bool) {
	reason, payload, err := spool.ParseLetter(f.Payload)
	one := report.Letter{Seq: f.Seq, Time: f.Time, Reason: reason}
	if err != nil || stored.Decode(payload, &one.Record) != nil {
		return report.Letter{}, false
	}
	if code, text, ok := strings.Cut(reason, " "); ok {
		one.Code, _ = strconv.Atoi(code) // 0 for one that another version wrote
		one.Reason = text
	}
	return one, true
}

// A requeue is the return of dead letters to the queue, one at a time.
type requeue struct {
	mu      sync.Mutex
	running bool
	last    report.Requeue
}

// Requeue puts the dead letters that there are, of topic or of all for "", back into the queue, behind what it has, while messages go on
// being accepted and sent. Each is synced there before it leaves its folder, so a crash may double one and loses none. One that the
// queue does not take stays. It returns when it is done, or with what was done until then when ctx ends: it goes on alone.
func (p *Producer) Requeue(ctx context.Context, topic string) (report.Requeue, error) {
	if p.store == nil || p.store.dead == nil {
		return report.Requeue{}, errNoLetters
	}
	q := &p.requeue
	q.mu.Lock()
	if q.running || p.life.Err() != nil {
		defer q.mu.Unlock()
		return q.last, errors.New("dead letters are being sent again already, or the queue is being stopped")
	}
	q.running = true
	q.last = report.Requeue{}
	done := make(chan struct{})
	p.goroutines.Go(func() {
		defer close(done)
		p.guard("the return of dead letters", func() { p.putBack(topic) })
		q.mu.Lock()
		q.running, q.last.Done = false, true
		last := q.last
		q.mu.Unlock()
		p.log.Log(p.life, logsink.LevelNotice, fmt.Sprintf("%d dead letters are sent again by command, %d stay", last.Moved, last.Kept), "topic", topic)
	})
	q.mu.Unlock()
	select {
	case <-done:
	case <-ctx.Done():
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.last, nil
}

// putBack is the work of Requeue.
func (p *Producer) putBack(topic string) {
	dead := p.store.dead
	end := dead.Stats().Next // what fails again is not tried a second time
	c := dead.NewCursor()
	defer c.Close()
	for p.life.Err() == nil {
		batch, err := c.TryNext()
		if err != nil || batch == nil {
			p.requeued(0, 0, err)
			return
		}
		more := p.putBackAll(batch.Frames, topic, end)
		batch.Release()
		if !more {
			return
		}
	}
}

// putBackAll puts the letters of a batch back, and says whether the next one is wanted.
func (p *Producer) putBackAll(frames []spool.Frame, topic string, end uint64) bool {
	type answer struct {
		seq  uint64
		code resperr.Code
	}
	answers := make(chan answer, len(frames))
	waiting, kept := 0, 0
	more := true
	var refusal resperr.Code
	for i := range frames {
		one, ok := letterOf(&frames[i])
		if one.Seq >= end && ok {
			more = false
			break
		}
		if !ok || topic != "" && one.Record.Topic != topic {
			kept++
			continue
		}
		seq := one.Seq
		parked, code := p.keep(&one.Record, &waiter{onDisk: true, done: func(code resperr.Code) { answers <- answer{seq, code} }})
		if parked {
			waiting++
			continue
		}
		refusal = code
		kept++
		if retriable(code) || code == resperr.Destroy { // the spool is full or cannot be written
			more = false
			break
		}
	}
	moved := 0
	for range waiting {
		select {
		case a := <-answers:
			if a.code == resperr.NoError {
				p.store.dead.Ack(a.seq)
				moved++
			} else {
				refusal = a.code
				kept++
			}
		case <-p.life.Done():
			return false // those that are synced and not acknowledged are sent twice
		}
	}
	var err error
	if refusal != resperr.NoError {
		err = refusal
	}
	p.requeued(moved, kept, err)
	return more
}

func (p *Producer) requeued(moved, kept int, err error) {
	q := &p.requeue
	q.mu.Lock()
	defer q.mu.Unlock()
	q.last.Moved, q.last.Kept = q.last.Moved+moved, q.last.Kept+kept
	if err != nil {
		q.last.Reason = err.Error()
	}
}
