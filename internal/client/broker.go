package client

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// A State is where a broker stands.
type State uint8

// The states of a broker. Only Ready takes requests.
const (
	Idle       State = iota // nobody needs it
	Attempting              // the name is resolved, the connection made, the login under way
	Pausing                 // it is left alone for a moment after it was lost
	Ready
)

// String returns the state as statistics name it.
func (s State) String() string {
	return [...]string{"INIT", "CONNECT", "TRY_CONNECT", "UP"}[s]
}

// wantedFor is how long a broker is tried after Connect was last called for it.
const wantedFor = 30 * time.Second

// A broker is one address, with at most one connection.
//
// It is connected by a goroutine that lives while somebody needs the broker, and that serves the connection as its writer.
type broker struct {
	client  *Client
	address string

	mu      sync.Mutex
	id      int32         // guarded by mu
	state   State         // guarded by mu
	since   time.Time     // of state; guarded by mu
	conn    *conn         // while Ready; guarded by mu
	running bool          // the goroutine lives; guarded by mu
	gone    bool          // the cluster has no such broker any more, or the client is closed; guarded by mu
	wanted  time.Time     // when it was last needed; guarded by mu
	pause   time.Duration // after the next loss; guarded by mu
	until   time.Time     // the end of the present pause; guarded by mu
	failure error         // the last one; guarded by mu
	changed chan struct{} // closed at the next change of state; guarded by mu
	cancel  context.CancelFunc

	traffic traffic
}

func newBroker(c *Client, id int32, address string) *broker {
	return &broker{client: c, id: id, address: address, since: time.Now(), pause: c.set.ReconnectBackoff, changed: make(chan struct{})}
}

func (b *broker) number() int32 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.id
}

func (b *broker) adopt(id int32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.id = id
}

// enter changes the state. The caller holds mu.
func (b *broker) enter(s State) {
	b.state, b.since = s, time.Now()
	close(b.changed)
	b.changed = make(chan struct{})
}

// ready returns the connection, or nil.
func (b *broker) ready() *conn {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.conn
}

// want lets the broker be connected to.
func (b *broker) want() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wanted = time.Now()
	if b.running || b.gone {
		return
	}
	b.running = true
	var ctx context.Context
	ctx, b.cancel = context.WithCancel(b.client.life)
	go b.client.run(func() { b.serve(ctx) }) // run takes the client's lock, which comes before this one
}

// drop ends the connection for good.
func (b *broker) drop(why error) {
	b.mu.Lock()
	b.gone = true
	conn, cancel := b.conn, b.cancel
	b.mu.Unlock()
	if cancel != nil {
		cancel()
	}
	if conn != nil {
		conn.fail(why)
	}
}

// release ends a connection that nobody needs any more, once its requests are answered. A broker that is wanted again is connected to
// again.
func (b *broker) release() {
	b.mu.Lock()
	conn := b.conn
	b.wanted = time.Time{}
	if b.state == Pausing && b.cancel != nil {
		b.cancel()
	}
	b.mu.Unlock()
	if conn != nil {
		conn.retire()
	}
}

// serve connects, serves the connection and connects again, while the broker is needed.
func (b *broker) serve(ctx context.Context) {
	defer b.ended()
	for {
		if !b.await(ctx) {
			return
		}
		b.mu.Lock()
		b.enter(Attempting)
		b.mu.Unlock()
		conn, stage, err := b.open(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			b.failed(err)
			if nonsense(err) {
				b.client.deps.Log.Nonsense(b.address, err)
			} else {
				b.client.deps.Log.Failed(b.address, stage, err)
			}
			continue
		}
		b.mu.Lock()
		if b.gone {
			b.mu.Unlock()
			conn.fail(ErrClosed)
			conn.wait()
			return
		}
		conn.pauseBefore = b.pause
		b.conn, b.pause, b.until = conn, b.client.set.ReconnectBackoff, time.Time{}
		b.enter(Ready)
		id := b.id
		b.mu.Unlock()
		if id >= 0 {
			b.client.deps.Events(Event{Kind: Up, Broker: id})
		}
		err = conn.serve()
		if !b.lost(conn, err) {
			return
		}
	}
}

// ended notes that the goroutine is over.
func (b *broker) ended() {
	b.mu.Lock()
	b.running = false
	b.cancel()
	b.cancel = nil
	b.enter(Idle)
	again := !b.gone && time.Since(b.wanted) < time.Second && b.client.life.Err() == nil
	b.mu.Unlock()
	if again { // it was wanted while it ended
		b.want()
	}
}

// await waits for the end of the pause, and says whether the broker is still needed then.
func (b *broker) await(ctx context.Context) bool {
	b.mu.Lock()
	left := time.Until(b.until)
	if left > 0 {
		b.enter(Pausing)
	}
	b.mu.Unlock()
	if left > 0 {
		timer := time.NewTimer(left)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return false
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.gone && ctx.Err() == nil && time.Since(b.wanted) <= wantedFor
}

// failed begins a pause after an attempt: it doubles with each, and is spread from three quarters to
// one and a half so that many clients do not come back together.
func (b *broker) failed(err error) {
	set := b.client.set
	b.mu.Lock()
	b.failure = err
	b.until = time.Now().Add(min(time.Duration(float64(b.pause)*(0.75+0.75*rand.Float64())), set.ReconnectMax))
	b.pause = min(b.pause*2, set.ReconnectMax)
	b.enter(Pausing)
	id := b.id
	b.mu.Unlock()
	if id >= 0 {
		b.client.deps.Events(Event{Kind: Down, Broker: id, Err: err})
	}
}

// lost notes the end of a connection that was up, and says whether to go on.
func (b *broker) lost(conn *conn, err error) bool {
	b.mu.Lock()
	b.conn = nil
	quiet := err == nil // this side has ended it
	gone := b.gone
	b.mu.Unlock()
	if gone || b.client.life.Err() != nil {
		return false
	}
	switch {
	case quiet:
		again := conn.renewed() // with the new certificate, at once
		b.mu.Lock()
		id := b.id
		b.enter(Idle)
		if again {
			b.wanted = time.Now()
		}
		b.mu.Unlock()
		if id >= 0 {
			b.client.deps.Events(Event{Kind: Down, Broker: id})
		}
		return again
	case nonsense(err):
		b.client.deps.Log.Nonsense(b.address, err)
	case errors.Is(err, net.ErrClosed), errors.Is(err, io.ErrClosedPipe): // by this side
	default:
		b.client.deps.Log.Lost(b.address, err)
	}
	if !conn.useful() {
		// It broke before it was of any use: the pause goes on growing where it was.
		b.mu.Lock()
		b.pause = max(b.pause, conn.pauseBefore)
		b.mu.Unlock()
	}
	b.failed(err)
	return true
}

// errPaused is a broker that was not asked because it is left alone for a moment.
var errPaused = errors.New("the broker is left alone for a moment after it was lost")

// obtain returns the connection when it is up, or the failure of the present attempt. Where the broker is in a pause it waits for
// its end only if patient.
func (b *broker) obtain(ctx context.Context, patient bool) (*conn, error) {
	b.want()
	started := false
	for {
		b.mu.Lock()
		conn, state, failure, changed, gone := b.conn, b.state, b.failure, b.changed, b.gone
		b.mu.Unlock()
		switch {
		case conn != nil:
			return conn, nil
		case gone:
			return nil, ErrClosed
		case state == Attempting:
			started = true
		case state == Pausing && started:
			return nil, failure
		case state == Pausing && !patient:
			return nil, errPaused
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (b *broker) status() BrokerStatus {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := BrokerStatus{ID: b.id, Address: b.address, State: b.state, Since: b.since}
	if b.failure != nil {
		s.Failure = b.failure.Error()
	}
	b.traffic.fill(&s)
	return s
}
