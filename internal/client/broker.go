package client

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"time"

	"github.com/halon-extras/kafka/internal/quiet"
)

// broker is one address, and the connection to it. A bootstrap server is one too; when the cluster
// names its address it is the broker of that id, with the connection that it has.
//
// Its goroutine runs while the broker is needed, and is the only one that moves state. All fields but
// the first four are guarded by Client.mu.
type broker struct {
	c       *Client
	address string
	seed    bool
	wake    chan struct{} // for its goroutine: something has changed

	ids      []int32 // as which the cluster names the address, and who hears of it
	leaving  bool    // one of ids has another address now: end the connection when nothing is open
	wanted   bool    // by the caller
	announce bool    // tell Up once more
	running  bool    // the goroutine is there
	queue    []*request
	conn     *conn // nil while there is no connection

	state State
	since time.Time

	pause    time.Duration // the next one; 0 is the first
	until    time.Time     // left alone until then
	failures int           // in a row
	last     error
	lost     time.Time // when the failures began; means nothing without last
	stats    Counters
}

// takesLocked reports whether a request of the caller can be sent.
func (b *broker) takesLocked(now time.Time) bool {
	return b.state == Ready && !b.leaving && b.conn.lost == nil && !now.Before(b.conn.muted)
}

// poke wakes the goroutine.
func (b *broker) poke() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// startLocked makes sure that the goroutine is there, and looks.
func (b *broker) startLocked() {
	if !b.running {
		b.running = b.c.spawnLocked(b.run)
	}
	b.poke()
}

func (b *broker) enter(s State) {
	b.c.mu.Lock()
	defer b.c.mu.Unlock()
	b.setLocked(s, time.Now())
}

// setLocked moves the state.
func (b *broker) setLocked(s State, now time.Time) {
	if b.state != s {
		b.state, b.since = s, now
	}
}

// run is the life of a broker that is needed.
func (b *broker) run() {
	over := false
	defer func() {
		if !over {
			b.abandon()
		}
	}()
	for b.waitPause() {
		n, stage, err := b.connect()
		if err != nil {
			b.failed(n, stage, err)
			continue
		}
		b.ended(n, b.serve(n))
	}
	over = true
}

// waitPause waits until the broker may be connected to. It returns false, and the goroutine has to end,
// when nobody needs it.
func (b *broker) waitPause() bool {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		left, needed, leaving := b.rest()
		switch {
		case leaving:
			b.tell(Event{Kind: Down, Err: ErrUnknownBroker})
			b.moved()
			continue
		case !needed || left <= 0:
			return needed
		}
		timer.Reset(left)
		select {
		case <-timer.C:
		case <-b.wake:
		case <-b.c.ctx.Done():
		}
	}
}

// rest returns how long the broker is left alone, whether it is needed at all, and whether it has
// lost an id.
func (b *broker) rest() (left time.Duration, needed, leaving bool) {
	b.c.mu.Lock()
	defer b.c.mu.Unlock()
	now := time.Now()
	if b.leaving && !b.c.closed {
		return 0, true, true
	}
	if b.c.closed || !b.wanted && len(b.queue) == 0 {
		b.setLocked(Idle, now)
		b.running = false
		if len(b.ids) == 0 && !b.seed {
			delete(b.c.brokers, b.address)
		}
		return 0, false, false
	}
	if left = b.until.Sub(now); left > 0 {
		b.setLocked(Pausing, now)
		return left, true, false
	}
	b.setLocked(Dialing, now)
	return 0, true, false
}

// connect makes the connection usable. On failure it returns what there is of the connection.
func (b *broker) connect() (n *conn, stage Stage, err error) {
	c := b.c
	ctx, cancel := context.WithTimeout(c.ctx, c.net.Setup)
	defer cancel()
	dialed, outdated, err := c.dialer.Connect(ctx, b.address)
	if err != nil {
		return nil, Connecting, err
	}
	n = &conn{b: b, raw: dialed, net: dialed, outdated: outdated, next: 1, ended: make(chan struct{})}
	if secure, ok := dialed.(*tls.Conn); ok {
		n.raw = secure.NetConn()
	}
	n.quiet, _ = n.raw.(*quiet.Conn)
	if err := b.hold(n); err != nil {
		return n, Connecting, err
	}
	b.enter(Asking)
	if err := n.askVersions(ctx); err != nil {
		return n, Versions, err
	}
	if c.mechanism != nil {
		b.enter(LoggingIn)
		if stage, err := n.login(ctx); err != nil {
			return n, stage, err
		}
	}
	b.up(n)
	return n, 0, nil
}

// hold makes the connection known to Close, and starts the goroutine that reads.
func (b *broker) hold(n *conn) error {
	b.c.mu.Lock()
	defer b.c.mu.Unlock()
	b.conn = n
	b.c.serial++
	n.serial = b.c.serial
	b.stats.Connects++
	if !b.c.spawnLocked(n.read) {
		close(n.ended)
		return ErrClosed
	}
	return nil
}

func (b *broker) up(n *conn) {
	b.c.mu.Lock()
	defer b.c.mu.Unlock()
	now := time.Now()
	b.setLocked(Ready, now)
	b.announce = true
	b.last = nil
	n.up, n.used = now, now
}

// failed ends an attempt to connect.
func (b *broker) failed(n *conn, stage Stage, err error) {
	open := b.disconnect(n, func() bool { b.growLocked(err); return true })
	if b.c.ctx.Err() != nil {
		b.answer(open, ErrClosed)
		return
	}
	if isNonsense(err) {
		b.c.deps.Log.Nonsense(b.address, err)
	} else {
		b.c.deps.Log.Failed(b.address, stage, err)
	}
	b.answer(open, err)
	b.tell(Event{Kind: Down, Err: err})
}

// ended ends a connection that was usable.
func (b *broker) ended(n *conn, e end) {
	open := b.disconnect(n, func() bool {
		switch {
		case e.renew:
			b.wanted = b.wanted || len(b.ids) > 0
			return false
		case e.idle:
			b.wanted = false
			return false // a question that has just come is asked on the next connection
		case !e.leave:
			b.choosePauseLocked(n, e.err)
		}
		return true
	})
	if b.c.ctx.Err() != nil {
		b.answer(open, ErrClosed)
		return
	}
	switch {
	case e.renew:
		return
	case isNonsense(e.err):
		b.c.deps.Log.Nonsense(b.address, e.err)
	case e.login:
		b.c.deps.Log.Failed(b.address, e.stage, e.err)
	case e.theirs && !errors.Is(e.err, net.ErrClosed) && !errors.Is(e.err, io.ErrClosedPipe): // those are closed on this side
		b.c.deps.Log.Lost(b.address, e.err)
	}
	b.answer(open, e.err)
	b.tell(Event{Kind: Down, Err: e.err, Idle: e.idle})
	if e.leave {
		b.moved()
	}
}

// choosePauseLocked decides on the pause after a loss: it starts again at the first one only if the connection
// was of use. A broker that lets the client in and then hangs up, or talks nonsense, is asked ever less often.
func (b *broker) choosePauseLocked(n *conn, err error) {
	if (n.answered || time.Since(n.up) >= b.c.set.ReconnectMax) && !isNonsense(err) {
		b.pause, b.failures = 0, 0
	}
	b.growLocked(err)
}

// leastPause keeps a broker that refuses at once from costing a processor where no pause is set.
const leastPause = 10 * time.Millisecond

// growLocked starts the pause, which doubles each time, and is spread from three quarters to one and a
// half so that many clients do not come back together.
func (b *broker) growLocked(err error) {
	first, most := max(b.c.set.ReconnectBackoff, leastPause), max(b.c.set.ReconnectMax, leastPause)
	b.pause = min(max(b.pause, first), most)
	b.until = time.Now().Add(min(time.Duration(float64(b.pause)*(0.75+0.75*rand.Float64())), most))
	b.pause *= 2
	b.failures++
	if b.last == nil {
		b.lost = time.Now()
	}
	b.last = err
}

// disconnect takes the connection down and returns the requests that end with it, which is every one
// if all returns true. Its goroutine that reads is over then.
func (b *broker) disconnect(n *conn, all func() bool) (open []*request) {
	if n != nil {
		n.raw.Close()
		<-n.ended
	}
	b.c.mu.Lock()
	defer b.c.mu.Unlock()
	b.setLocked(Idle, time.Now())
	if n != nil {
		b.conn = nil
		b.stats.Disconnects++
		for _, r := range n.open {
			if !r.abandoned {
				open = append(open, r)
			}
		}
		n.open = nil
	}
	if all() {
		open = append(open, b.queue...)
		b.queue = nil
	}
	return open
}

func (b *broker) answer(open []*request, err error) {
	for _, r := range open {
		r.finish(err)
	}
}

// tell tells an event to everybody who knows the broker by an id.
func (b *broker) tell(e Event) {
	b.c.mu.Lock()
	ids := slices.Clone(b.ids)
	if e.Kind == Up && b.conn != nil {
		e.Connection = b.conn.serial
	}
	b.c.mu.Unlock()
	for _, e.Broker = range ids {
		b.c.emit(e)
	}
}

// abandon answers what is left when the goroutine ends by a panic.
func (b *broker) abandon() {
	b.c.mu.Lock()
	n := b.conn
	b.c.mu.Unlock()
	b.answer(b.disconnect(n, func() bool { b.running = false; return true }), ErrClosed)
}
