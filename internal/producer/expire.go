package producer

import (
	"time"

	"github.com/halon-extras/kafka/internal/resperr"
)

// A handle finds a slab again that the sender has fed, without keeping it from its pool.
type handle struct {
	slab *slab
	life uint32    // of the slab when it was fed; another one means that it is somebody else's now
	from time.Time // no record of it is older
}

// hold takes a hold on the slab of h, unless its records have all been let go.
func (h *handle) hold() bool {
	for {
		n := h.slab.left.Load()
		if n <= 0 {
			return false
		}
		if h.slab.left.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// track remembers s until its last record is let go.
func (p *Producer) track(s *slab, from time.Time) {
	p.sender.fed = append(p.sender.fed, handle{slab: s, life: s.life.Load(), from: from})
}

// expire fails what is too old in the backlog of l, each record at its own time.
func (p *Producer) expire(l *lane, now time.Time) {
	limit := p.set.MessageTimeout
	if limit == 0 {
		return
	}
	l.reclaim()
	n := 0
	for n < len(l.backlog) && age(&l.backlog[n].Record, now) >= limit {
		n++
	}
	p.failOldest(l, n, resperr.MsgTimedOut)
}

// failOldest reports the n oldest of the backlog as failed.
func (p *Producer) failOldest(l *lane, n int, code resperr.Code) {
	for _, e := range l.backlog[:n] {
		p.settle(e, code)
		p.letGo(e.slab)
	}
	l.drop(n)
}

// failBacklog reports what waits outside the client as failed.
func (p *Producer) failBacklog(l *lane, code resperr.Code) { p.failOldest(l, len(l.backlog), code) }

// expireHeld reports what is too old although the client still holds it: a request to a silent
// broker keeps its records for minutes after their time. The room of such a record is free again;
// its memory is, when the client lets go. It runs after expire has been through the backlogs, so
// whatever is due and has no report yet is with the client.
func (p *Producer) expireHeld(now time.Time) {
	limit := p.set.MessageTimeout
	kept := p.sender.fed[:0]
	for i := range p.sender.fed {
		h := p.sender.fed[i]
		if !h.hold() {
			continue
		}
		if h.slab.life.Load() == h.life {
			if limit > 0 && now.Sub(h.from) >= limit {
				h.from = p.expireSlab(h.slab, now)
			}
			kept = append(kept, h)
		}
		p.letGo(h.slab)
	}
	clear(p.sender.fed[len(kept):])
	p.sender.fed = kept
}

// expireSlab reports what is too old in s and returns the time of the oldest that is not.
func (p *Producer) expireSlab(s *slab, now time.Time) time.Time {
	oldest := now // no younger one can be due before it
	for i := range s.entries {
		e := &s.entries[i]
		switch {
		case e.reported.Load():
		case age(&e.Record, now) >= p.set.MessageTimeout:
			p.settle(e, resperr.MsgTimedOut)
		case e.Timestamp.Before(oldest):
			oldest = e.Timestamp
		}
	}
	return oldest
}
