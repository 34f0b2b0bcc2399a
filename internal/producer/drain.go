package producer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/halon-extras/kafka/internal/intake"
	"github.com/halon-extras/kafka/internal/logsink"
	"github.com/halon-extras/kafka/internal/report"
	"github.com/halon-extras/kafka/internal/resperr"
)

// Flush waits until each message that was accepted before it has its delivery report, or ctx ends, and says whether they have. It
// sends without linger meanwhile. It does not wait for those that come meanwhile: a queue with a steady load is never empty. A pause ends
// it. It may be called from any thread.
func (p *Producer) Flush(ctx context.Context) (done bool) {
	p.urgent.Add(1)
	defer p.urgent.Add(-1)
	if p.store == nil || p.store.Spill {
		mark, err := ask(ctx, p, func() uint64 { // everything that was accepted is numbered below it
			p.takeAll(p.now())
			return p.nextNumber()
		})
		if err != nil || !p.until(ctx, func() bool {
			waits, err := ask(ctx, p, func() bool { return p.waitsFor(mark) })
			return err == nil && !waits
		}) {
			return false
		}
	}
	if p.store == nil {
		return true
	}
	next := p.store.spool.Stats().Next // not before: what left memory for the disk meanwhile is below it
	return p.until(ctx, func() bool { return p.store.spool.Stats().Frontier >= next })
}

// until looks whether it is done until it is, and says so; not any more when ctx ends, the queue is paused, or its sender has ended.
func (p *Producer) until(ctx context.Context, done func() bool) (is bool) {
	p.poll(ctx, flushLook, func() bool {
		if p.health.paused() {
			return true
		}
		is = done()
		return is
	})
	return is
}

// poll wakes the sender and looks, each time that so long has passed, until over says so, ctx ends, or the queue has failed.
func (p *Producer) poll(ctx context.Context, each time.Duration, over func() bool) {
	look := time.NewTicker(each)
	defer look.Stop()
	for !p.state.broken.Load() {
		if p.wake(); over() {
			return
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return
		}
	}
}

// flushLook is how often [Producer.Flush] looks.
const flushLook = 20 * time.Millisecond

// waitsFor says whether the sender has a message with a number below mark that has no report. The sender runs it.
func (p *Producer) waitsFor(mark uint64) bool {
	for _, t := range p.sender.active {
		if len(t.send.unassigned) > 0 && t.send.unassigned[0].number < mark {
			return true
		}
		for _, part := range t.send.partitions {
			for _, b := range slices.Concat(part.inFlight, part.waiting) {
				if b.unreported() > 0 && b.order() < mark {
					return true
				}
			}
		}
	}
	return false
}

// drain waits until everything that was accepted has its delivery report, or ctx ends; it sends
// without linger meanwhile. It returns how many messages are still queued.
func (p *Producer) drain(ctx context.Context) int64 {
	p.urgent.Add(1)
	defer p.urgent.Add(-1)
	p.wake()
	return p.untilEmpty(ctx)
}

// untilEmpty returns when nothing is held and nobody is parked, or with what is still held when ctx
// ends. The caller has raised urgent, which makes reports signal empty.
func (p *Producer) untilEmpty(ctx context.Context) int64 {
	for {
		n := p.outstanding()
		if p.state.broken.Load() {
			return n // nothing is released any more
		}
		if n == 0 && p.waiting.Load() == 0 {
			p.signalEmpty() // the next one who waits may have missed it
			return 0
		}
		select {
		case <-p.empty:
			if p.waiting.Load() > 0 {
				p.wake()
			}
		case <-ctx.Done():
			return n
		}
	}
}

func (p *Producer) signalEmpty() {
	select {
	case p.empty <- struct{}{}:
	default:
	}
}

// Stop refuses new calls with [resperr.Destroy], waits until the queue has drained or ctx ends, and
// gives up the rest. It returns how many accepted messages were lost, each of them counted as
// failed. Parked calls are still admitted while there is room; then they are answered. Stop returns
// after the last script was woken and every goroutine of the queue has ended. A second Stop returns
// at once.
func (p *Producer) Stop(ctx context.Context) int64 {
	stopped := p.beginStop()
	p.health.end(report.Stopping)
	if p.store == nil {
		p.health.told[report.Paused].Store(nil) // only memory has what is queued
	}
	if stopped {
		p.senderEnded()
		return 0
	}
	if p.store != nil {
		return p.stopStored(ctx)
	}
	heir := p.heir.Swap(nil) // it may be stopping, too
	lost := p.drain(ctx)
	p.dismissWaiters(resperr.Destroy)
	p.state.advance(phaseGivenUp)
	p.end()
	close(p.quit)
	ended := p.senderEnded()
	if ended {
		p.abandon()
		p.unreserve(heir)
	}
	if p.ingress.Intake != nil {
		p.ingress.Close()
	}
	p.closeClient(ended)
	p.resumes.wait()
	p.logLost(lost)
	return lost
}

// beginStop refuses new calls and takes what came before, and says whether the queue had been stopped already.
func (p *Producer) beginStop() (stopped bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	stopped = !p.state.advance(phaseStopped)
	p.announceWaitersLocked()
	p.takeIntakeLocked()
	return stopped
}

// senderTime bounds the wait for a sender that is in the middle of a step: topics that scripts have made up by the ten thousand make it
// long, and so does a caller that is preempted in its copy.
const senderTime = 2 * time.Second

// senderEnded waits for the sender. Without its end, what it holds is not ours to count.
func (p *Producer) senderEnded() bool {
	select {
	case <-p.finished:
		return true
	case <-time.After(senderTime):
		return false
	}
}

func (p *Producer) logLost(lost int64) {
	if lost > 0 {
		// The text is the original's, to the letter.
		p.log.Log(context.Background(), logsink.LevelCrit, fmt.Sprintf("terminated with %d message(s) lost in queue", lost))
	}
}

// stopStored is Stop behind a spool: what is not delivered in a moment stays on the disk, or is
// brought there, and is no loss.
func (p *Producer) stopStored(ctx context.Context) int64 {
	drain, cancel := context.WithTimeout(ctx, storedDrainTime)
	p.drainStored(drain, storedDrainTime/200)
	cancel()
	p.dismissWaiters(resperr.Destroy)
	return p.closeStored(ctx, func() {})
}

// closeStored ends everything and gives the folder back. before is called when nothing runs any more and what was accepted is on the disk.
func (p *Producer) closeStored(ctx context.Context, before func()) int64 {
	s := p.store
	ctx, cancel := patience(ctx)
	defer cancel()
	s.stop()
	p.end()
	close(p.quit)
	var lost int64
	ended := p.senderEnded()
	if s.Spill {
		lost = p.saveRest(ctx, ended)
	}
	if ended {
		before()
	}
	p.state.advance(phaseGivenUp)
	if ended {
		p.abandon()
	}
	p.closeClient(ended)
	kept := s.spool.Stats().Pending
	err := s.close(ctx)
	handingOver := p.state.handingOver.Load()
	code := resperr.Destroy
	if err != nil && handingOver {
		code = resperr.FS // with the other one the next queue would store what may be on the disk
	}
	p.dismissStored(code)
	p.resumes.wait()
	p.logLost(lost)
	if err != nil && (!handingOver || !errors.Is(err, context.DeadlineExceeded)) { // who opens it next says that
		p.log.Error("the spool was not closed in order, the next start repairs it", "error", err)
	}
	if kept > 0 && !handingOver {
		p.log.Log(context.Background(), logsink.LevelNotice, fmt.Sprintf("stopped with %d message(s) on disk in %s, they are sent once a queue has this path", kept, s.Path))
	}
	return lost
}

// patience is what is left of ctx, or the least that a disk needs.
func patience(ctx context.Context) (context.Context, context.CancelFunc) {
	left := leastPatience
	if end, ok := ctx.Deadline(); ok {
		left = max(left, time.Until(end))
	}
	return context.WithTimeout(context.WithoutCancel(ctx), left)
}

const leastPatience = time.Second

// drainStored waits until everything is delivered, or ctx ends. It looks each time that so long has passed.
func (p *Producer) drainStored(ctx context.Context, each time.Duration) {
	p.urgent.Add(1)
	defer p.urgent.Add(-1)
	p.poll(ctx, each, func() bool {
		return p.outstanding() == 0 && p.waiting.Load() == 0 && p.store.spool.Stats().Pending == 0
	})
}

// dismissStored answers the calls that wait for the disk or for a delivery: nobody else will.
func (p *Producer) dismissStored(code resperr.Code) {
	s := p.store
	s.mu.Lock()
	unheard, awaits := s.unheard, s.awaits
	s.unheard, s.awaits = nil, nil
	s.mu.Unlock()
	for w := range unheard {
		w.code = code
		p.resumes.add(w)
	}
	for _, a := range awaits {
		p.resumes.answer(a, Delivery{Code: code})
	}
}

// closeTime bounds the end of the client and of what is in goroutines, which may be inside a call of a library.
const closeTime = 500 * time.Millisecond

// closeClient ends the client, and frees what it wrote from when it has ended, and the sender too. A client that does not end in time goes
// on alone: everything that it still holds has had its report.
func (p *Producer) closeClient(senderEnded bool) {
	closed := make(chan struct{})
	go p.guard("the end of the connections", func() {
		defer close(closed)
		over := p.client.Close()
		p.goroutines.Wait()
		if p.packer != nil && over && senderEnded {
			p.packer.Close()
		}
	})
	select {
	case <-closed:
	case <-time.After(closeTime):
	}
}

// abandon fails everything that has no report, wherever it is. The sender has ended, so what was its
// own is ours.
func (p *Producer) abandon() {
	p.mu.Lock()
	buffers := p.buffersLocked()
	p.full, p.current = nil, nil
	p.mu.Unlock()
	buffers = append(buffers, slices.DeleteFunc(p.sender.current, func(buf *recordBuffer) bool { return buf == nil })...) // of a sender that has failed
	for _, t := range p.sender.active {
		for _, part := range t.send.partitions {
			for _, b := range slices.Concat(part.inFlight, part.waiting) {
				p.unpackBatch(b)
			}
		}
		t.send.each(func(e *entry) { p.releaseEntry(e, resperr.PurgeInflight) })
	}
	for _, buf := range buffers {
		if buf.chunk != (intake.Chunk{}) {
			p.complete(buf)
			p.unpack(buf, func(int) bool { return true }, buf.chunk.Count())
		}
		for i := range buf.entries {
			buf.entries[i].topic.send.records++
			p.releaseEntry(&buf.entries[i], resperr.PurgeQueue)
		}
	}
}

// each visits the records that the sender has of the topic, but for those that are packed.
func (s *sending) each(visit func(*entry)) {
	for _, e := range s.unassigned {
		visit(e)
	}
	for _, part := range s.partitions {
		for _, b := range part.inFlight {
			for _, e := range b.entries {
				visit(e)
			}
		}
		for _, b := range part.waiting {
			for _, e := range b.entries {
				visit(e)
			}
		}
	}
}
