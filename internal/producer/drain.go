package producer

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/halon-extras/kafka/internal/resperr"
)

// LevelCritical is the level of a lost queue and of a configuration that keeps the host from
// starting: LOG_CRIT.
const LevelCritical = slog.LevelError + 4

// Flush waits until everything that was accepted has its delivery report, or ctx ends; it sends
// without linger meanwhile. It returns how many messages are still queued.
func (p *Producer) Flush(ctx context.Context) int64 {
	p.urgent.Add(1)
	defer p.urgent.Add(-1)
	p.wake()
	return p.await(ctx)
}

// await returns when nothing is held and nobody is parked, or with what is still held when ctx
// ends. The caller has raised urgent, which makes reports signal empty.
func (p *Producer) await(ctx context.Context) int64 {
	for {
		n := p.held()
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
	p.mu.Lock()
	stopped := p.closed
	p.closed = true
	p.mu.Unlock()
	if stopped {
		<-p.finished
		return 0
	}
	lost := p.Flush(ctx)
	p.dismissWaiters(resperr.Destroy)
	p.gaveUp.Store(true)
	p.end()
	close(p.quit)
	<-p.finished
	p.abandon()
	p.closeClient()
	p.resumes.wait()
	if lost > 0 {
		// The text is the original's, to the letter.
		p.log.Log(context.Background(), LevelCritical, fmt.Sprintf("terminated with %d message(s) lost in queue", lost))
	}
	return lost
}

// closeTime bounds the end of the client, which says farewell to brokers that may be silent.
const closeTime = 500 * time.Millisecond

// closeClient ends the client. One that does not end in time goes on alone: everything that it
// still holds has had its report.
func (p *Producer) closeClient() {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		p.client.Close()
		p.scout.ended.Wait()
	}()
	timer := time.NewTimer(closeTime)
	defer timer.Stop()
	select {
	case <-closed:
	case <-timer.C:
	}
}

// abandon fails everything that has no report, wherever it is. The sender has ended, so what was its
// own is ours.
func (p *Producer) abandon() {
	p.mu.Lock()
	slabs := p.full
	if p.current != nil {
		slabs = append(slabs, p.current)
	}
	p.full, p.current = nil, nil
	p.mu.Unlock()
	for _, s := range slabs {
		for i := range s.entries {
			p.settle(&s.entries[i], resperr.PurgeQueue)
		}
	}
	for _, l := range p.sender.active {
		l.reclaim()
		p.failBacklog(l, resperr.PurgeQueue)
	}
	for _, h := range p.sender.fed {
		if !h.hold() {
			continue
		}
		if h.slab.life.Load() == h.life {
			for i := range h.slab.entries {
				p.settle(&h.slab.entries[i], resperr.PurgeInflight)
			}
		}
		p.letGo(h.slab)
	}
}
