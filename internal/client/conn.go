package client

import (
	"fmt"
	"net"
	"time"

	"github.com/halon-extras/kafka/internal/quiet"
)

// conn is one connection. The broker's goroutine writes, its own reads.
type conn struct {
	b        *broker
	raw      net.Conn // below TLS: closing it ends everything at once, where TLS would first try to say farewell
	net      net.Conn
	quiet    *quiet.Conn    // raw, if it is one
	outdated func() bool    // the certificates have changed; nil without TLS
	has      map[int16]span // what broker and client speak; of the broker's goroutine
	w        []byte         // what is written; of the broker's goroutine
	cuts     []cut          // of it; of the broker's goroutine
	flat     []byte         // the same put together, for TLS; of the broker's goroutine
	vector   net.Buffers    // the same in pieces; of the broker's goroutine
	spare    int            // how many writes in a row have used little of w
	ended    chan struct{}  // closed when nothing is read any more
	serial   uint64         // its number among those of the client

	// Guarded by Client.mu.
	open     []*request // written and not answered, or being written, in order
	next     int32      // the id of the next request
	silent   int32      // the id of the last request without an answer
	lost     error      // what has ended the connection
	up       time.Time  // since when it is usable
	used     time.Time  // when something was last written or read
	muted    time.Time  // nothing is written before
	relogin  time.Time  // when the login has to be renewed; zero is never
	answered bool       // a request made sense of it since it is usable
	fails    int        // requests that timed out, in a row
}

// end is how the service of a connection ended.
type end struct {
	err    error
	idle   bool // it was not in use
	leave  bool // the broker has another address now, or is no longer one
	renew  bool // to connect again at once, with other certificates
	login  bool // the login could not be renewed
	stage  Stage
	theirs bool // by the other side, or because of it
}

// act is what the broker's goroutine has to do next.
type act struct {
	end     *end
	write   *request
	expired *request
	refused *request // of an API that the broker does not speak
	tell    bool
	login   bool
	wait    time.Duration
}

// serve writes requests until the connection ends.
func (b *broker) serve(n *conn) end {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		stale := n.outdated != nil && n.outdated()
		switch a := b.nextAct(n, stale, time.Now()); {
		case a.end != nil:
			return *a.end
		case a.expired != nil:
			a.expired.finish(a.expired.timedOut())
		case a.refused != nil:
			a.refused.finish(fmt.Errorf("%s: %w", speaks[a.refused.key].name, errNotSpoken))
		case a.tell:
			b.tell(Event{Kind: Up})
		case a.login:
			if stage, err := b.renewLogin(n); err != nil {
				return end{err: err, login: true, stage: stage}
			}
		case a.write != nil:
			n.write(a.write)
		default:
			timer.Reset(a.wait)
			select {
			case <-timer.C:
			case <-b.wake:
			case <-n.ended:
			case <-b.c.ctx.Done():
			}
		}
	}
}

// mostAbandoned is how many answers may be awaited that come for nobody, where time-outs do not end a
// connection.
const mostAbandoned = 1000

// nextAct decides what comes next, and moves the state. stale says that the certificates have changed, and does so until the connection ends.
func (b *broker) nextAct(n *conn, stale bool, now time.Time) act {
	c := b.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return act{end: &end{err: ErrClosed}}
	}
	if n.lost != nil {
		return act{end: &end{err: n.lost, theirs: true, idle: n.unusedLocked(now)}}
	}
	wait := time.Hour
	until := func(t time.Time) { wait = min(wait, t.Sub(now)) }
	if r := n.oldestLocked(); r != nil {
		if !now.Before(r.due) {
			return b.overdueLocked(n, r)
		}
		until(r.due)
	}
	finishing := b.leaving || stale || !n.relogin.IsZero() && !now.Before(n.relogin)
	switch {
	case finishing:
		b.setLocked(Finishing, now)
	case now.Before(n.muted):
		b.setLocked(Muted, now)
		until(n.muted)
	case b.state != Ready:
		b.setLocked(Ready, now)
		b.announce = true
	}
	switch {
	case finishing && len(n.open) == 0 && b.leaving:
		return act{end: &end{err: ErrUnknownBroker, leave: true}}
	case finishing && len(n.open) == 0 && stale:
		return act{end: &end{renew: true}}
	case finishing && len(n.open) == 0 && !now.Before(n.muted):
		return act{login: true}
	case finishing:
		if now.Before(n.muted) {
			until(n.muted)
		}
	case b.state == Ready && b.announce:
		b.announce = false
		return act{tell: true}
	case b.state == Ready && len(b.queue) > 0:
		return b.takeLocked(n, now)
	}
	if len(n.open) == 0 && len(b.queue) == 0 && !finishing {
		if !b.wanted && len(b.ids) == 0 { // a bootstrap server that has done its work
			if now.Sub(n.used) >= seedLinger {
				b.setLocked(Finishing, now) // so that nobody sends any more
				return act{end: &end{err: ErrUnknownBroker, leave: true}}
			}
			until(n.used.Add(seedLinger))
		}
		if idle := c.net.Idle; idle > 0 {
			if now.Sub(n.used) >= idle {
				b.setLocked(Finishing, now)
				return act{end: &end{idle: true}}
			}
			until(n.used.Add(idle))
		}
	}
	if !n.relogin.IsZero() && !finishing {
		until(n.relogin)
	}
	if n.outdated != nil {
		wait = min(wait, renewEvery)
	}
	return act{wait: wait}
}

// seedLinger is how long the connection to a bootstrap server is kept for its answer to be understood:
// it may say that the server is one of the brokers.
const seedLinger = time.Second

// renewEvery is how often a connection at rest looks whether its certificate has changed.
const renewEvery = time.Minute

// unusedAfter is from when on a connection that the broker closes was not in use: brokers and what
// stands before them end such connections, and that is no failure.
const unusedAfter = 5 * time.Second

// unusedLocked reports whether the broker has closed a connection that nobody needed.
func (n *conn) unusedLocked(now time.Time) bool {
	return len(n.open) == 0 && len(n.b.queue) == 0 && now.Sub(n.used) >= unusedAfter && !isNonsense(n.lost)
}

// oldestLocked returns the request that is answered next, of those for which somebody waits.
func (n *conn) oldestLocked() *request {
	for _, r := range n.open {
		if !r.abandoned && !r.sent.IsZero() {
			return r
		}
	}
	return nil
}

// overdueLocked gives up a request. The connection ends with it, because its answer would have to be
// awaited for the next ones anyway, unless socket.max.fails allows for more.
func (b *broker) overdueLocked(n *conn, r *request) act {
	b.stats.Timeouts++
	n.fails++
	if most := b.c.net.MaxFails; most > 0 && n.fails >= most || len(n.open) >= mostAbandoned {
		n.lost = r.timedOut()
		return act{end: &end{err: n.lost, theirs: true}}
	}
	r.abandoned = true
	return act{expired: r}
}

// takeLocked moves the next request from the queue to the open ones. It is there before it is written, because
// the answer may come at once.
func (b *broker) takeLocked(n *conn, now time.Time) act {
	r := b.queue[0]
	b.queue[0] = nil
	if b.queue = b.queue[1:]; len(b.queue) == 0 {
		b.queue = nil
	}
	if _, ok := n.has[r.key]; !ok {
		return act{refused: r}
	}
	n.numberLocked(r, now)
	return act{write: r}
}

// numberLocked gives r its id.
func (n *conn) numberLocked(r *request, now time.Time) {
	r.id = n.next
	n.next++
	n.used = now
	if r.silent {
		n.silent = r.id
		return
	}
	n.open = append(n.open, r)
}

// lose notes what has ended the connection: the first word counts.
func (n *conn) lose(err error) {
	n.b.c.mu.Lock()
	defer n.b.c.mu.Unlock()
	if n.lost == nil {
		n.lost = err
	}
}
