package client

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// mostMute is the longest pause that a broker gets. One that asks for more does not read until then (KIP-219), so that what is
// written earlier only waits on its side; and one that asks for days makes no sense.
const mostMute = 10 * time.Second

// A call is one request and what becomes of it.
type call struct {
	key, version int16
	flexible     bool                         // the header of the answer has tags
	encode       func(dst []byte) []byte      // appends the body; runs on the writer's goroutine
	patience     time.Duration                // how long the answer may take once it is written
	silent       bool                         // it has no answer
	done         func(body []byte, err error) // called once; body is lent until it returns
	writing      func()                       // called before its first byte goes to the socket, or nil

	correlation int32
	deadline    time.Time
	sent        time.Time
}

// A conn is one usable connection. Its writer is the goroutine that serves it, its reader another one, which always reads: so the end
// of an idle connection is seen when it comes, and not by the next request.
type conn struct {
	net.Conn
	broker      *broker
	versions    *versions
	outdated    func() bool // of the certificate; nil without one
	login       *session    // nil where nobody logs in
	pauseBefore time.Duration

	mu          sync.Mutex
	queue       []*call       // not written yet; guarded by mu
	pending     []*call       // written, and not answered, in order; guarded by mu
	muted       time.Time     // nothing is written before; guarded by mu
	used        time.Time     // of the last request or answer; guarded by mu
	err         error         // why it has ended; guarded by mu
	over        bool          // it has ended; guarded by mu
	leaving     bool          // it ends when nothing is pending; guarded by mu
	renewing    bool          // and is made again; guarded by mu
	fails       int           // timeouts in a row; guarded by mu
	good        bool          // it has brought a good answer; guarded by mu
	kick        chan struct{} // the writer is to look
	ended       chan struct{} // the reader has ended
	correlation int32         // the writer's
	buffer      []byte        // the writer's
}

// traffic counts what a broker was sent and has answered.
type traffic struct {
	sent, received, requests, roundTrip atomic.Int64
	inFlight                            atomic.Int64
}

func (t *traffic) fill(s *BrokerStatus) {
	s.Sent, s.Received, s.Requests = t.sent.Load(), t.received.Load(), t.requests.Load()
	s.RoundTrip, s.InFlight = time.Duration(t.roundTrip.Load()), int(t.inFlight.Load())
}

// submit hands in a call, and returns false when the connection takes no more.
func (c *conn) submit(r *call) bool {
	c.mu.Lock()
	if c.over || c.leaving {
		c.mu.Unlock()
		return false
	}
	c.queue = append(c.queue, r)
	c.mu.Unlock()
	c.wake()
	return true
}

func (c *conn) wake() {
	select {
	case c.kick <- struct{}{}:
	default:
	}
}

// fail ends the connection. The first reason stays.
func (c *conn) fail(err error) {
	c.mu.Lock()
	if !c.over {
		c.over, c.err = true, err
	}
	c.mu.Unlock()
	c.Close()
	c.wake()
}

// retire ends the connection when nothing is on its way. No request is taken any more.
func (c *conn) retire() {
	c.mu.Lock()
	c.leaving = true
	c.mu.Unlock()
	c.wake()
}

func (c *conn) renewed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.renewing
}

func (c *conn) useful() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.good
}

// serve writes requests until the connection ends, and returns why: nil when this side has ended it in peace. Every call has been answered
// then.
func (c *conn) serve() error {
	defer c.wait()
	for {
		r, wait := c.next()
		switch {
		case r != nil:
			c.write(r)
			continue
		case wait == 0:
			return c.finish()
		}
		timer := time.NewTimer(wait)
		select {
		case <-c.kick:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// next returns the call to write now, or how long to sleep; 0 is the end.
func (c *conn) next() (*call, time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	wait := time.Duration(math.MaxInt64)
	if c.over {
		return nil, 0
	}
	idle := len(c.pending) == 0 && len(c.queue) == 0
	if !c.leaving && len(c.queue) > 0 && c.outdated != nil && c.outdated() {
		c.leaving, c.renewing = true, true // what waits is sent over the next connection
	}
	if c.leaving && len(c.pending) == 0 {
		return nil, 0
	}
	if limit := c.broker.client.conns.Idle; limit > 0 && idle {
		if wait = limit - now.Sub(c.used); wait <= 0 {
			return nil, 0
		}
	}
	if c.leaving || len(c.queue) == 0 && (c.login == nil || c.login.renewAt.IsZero()) {
		return nil, wait
	}
	if left := c.muted.Sub(now); left > 0 {
		return nil, left
	}
	if c.login != nil && !c.login.renewAt.IsZero() {
		if left := c.login.renewAt.Sub(now); left <= 0 {
			if len(c.pending) > 0 {
				return nil, wait // the answers first
			}
			return c.relogin(), 0
		} else if len(c.queue) == 0 {
			return nil, min(wait, left)
		}
	}
	r := c.queue[0]
	c.queue[0] = nil
	if c.queue = c.queue[1:]; len(c.queue) == 0 {
		c.queue = nil
	}
	return r, 0
}

// relogin is a call that stands for a new login.
func (c *conn) relogin() *call { return &call{key: keySASLAuthenticate} }

// write writes one call, whose answer the reader awaits.
func (c *conn) write(r *call) {
	if r.encode == nil {
		c.authenticateAgain()
		return
	}
	c.correlation++
	r.correlation = c.correlation
	buf := c.request(r)
	if r.writing != nil {
		r.writing()
	}
	now := time.Now()
	c.mu.Lock()
	if c.over {
		c.mu.Unlock()
		r.done(nil, c.reason())
		return
	}
	r.sent, r.deadline = now, now.Add(r.patience)
	c.used = now
	if !r.silent {
		c.pending = append(c.pending, r)
		c.broker.traffic.inFlight.Store(int64(len(c.pending)))
		c.setDeadline()
	}
	c.mu.Unlock()
	// A broker that reads nothing must not hold the writer for longer than its answer may take.
	if err := c.SetWriteDeadline(now.Add(r.patience)); err == nil {
		_, err = c.Write(buf)
		if err != nil {
			c.fail(err)
			if r.silent {
				r.done(nil, err)
			}
			return
		}
	}
	c.broker.traffic.sent.Add(int64(len(buf)))
	c.broker.traffic.requests.Add(1)
	if r.silent {
		c.mu.Lock()
		c.good = true
		c.mu.Unlock()
		r.done(nil, nil)
	}
}

// request encodes r into the writer's buffer.
func (c *conn) request(r *call) []byte {
	const usual = 4 << 20
	if cap(c.buffer) > usual {
		c.buffer = nil
	}
	b := append(c.buffer[:0], 0, 0, 0, 0)
	b = appendHeader(b, r.key, r.version, r.correlation, c.broker.client.set.ClientID, r.flexible)
	b = r.encode(b)
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	c.buffer = b
	return b
}

// appendHeader appends the header of a request. Its client id is in the old form in each version.
func appendHeader(b []byte, key, version int16, correlation int32, clientID string, flexible bool) []byte {
	clientID = clientID[:min(len(clientID), math.MaxInt16)]
	b = binary.BigEndian.AppendUint16(b, uint16(key))
	b = binary.BigEndian.AppendUint16(b, uint16(version))
	b = binary.BigEndian.AppendUint32(b, uint32(correlation))
	b = binary.BigEndian.AppendUint16(b, uint16(len(clientID)))
	b = append(b, clientID...)
	if flexible {
		b = append(b, 0)
	}
	return b
}

// setDeadline lets the reader wake when the first pending call is due. The caller holds mu.
func (c *conn) setDeadline() {
	var first time.Time
	for _, r := range c.pending {
		if first.IsZero() || r.deadline.Before(first) {
			first = r.deadline
		}
	}
	_ = c.SetReadDeadline(first) // it fails on a closed connection, which the reader sees
}

// read delivers answers until the connection ends.
func (c *conn) read() {
	defer close(c.ended)
	in := frames{conn: c.Conn, limit: c.broker.client.conns.ReceiveMax}
	for {
		body, err := in.next(c.overdue)
		if err == nil {
			err = c.deliver(body)
		}
		if err != nil {
			c.fail(err)
			return
		}
	}
}

// overdue is asked when the reader's deadline has passed. It returns nil to read on.
func (c *conn) overdue() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	late := false
	for _, r := range c.pending {
		late = late || !now.Before(r.deadline)
	}
	if !late {
		c.setDeadline()
		return nil
	}
	c.fails++
	if most := c.broker.client.conns.MaxFails; most > 0 && c.fails >= most {
		return os.ErrDeadlineExceeded
	}
	// Not yet often enough: the call goes on waiting, as long as it has waited.
	for _, r := range c.pending {
		if !now.Before(r.deadline) {
			r.deadline = now.Add(max(r.patience, time.Second))
		}
	}
	c.setDeadline()
	return nil
}

// deliver gives an answer to the call that it is for: brokers answer in order.
func (c *conn) deliver(body []byte) error {
	if len(body) < 4 {
		return nonsensef("an answer of %d bytes", len(body))
	}
	id := int32(binary.BigEndian.Uint32(body))
	c.mu.Lock()
	if len(c.pending) == 0 || c.pending[0].correlation != id {
		c.mu.Unlock()
		return nonsensef("an answer to a question that was not asked (%d)", id)
	}
	r := c.pending[0]
	c.pending[0] = nil
	if c.pending = c.pending[1:]; len(c.pending) == 0 {
		c.pending = nil
	}
	now := time.Now()
	c.used, c.fails, c.good = now, 0, true
	c.setDeadline()
	t := &c.broker.traffic
	t.inFlight.Store(int64(len(c.pending)))
	look := c.leaving || len(c.pending) == 0
	c.mu.Unlock()
	t.received.Add(int64(len(body) + 4))
	t.roundTrip.Store(int64(now.Sub(r.sent)))
	body = body[4:]
	if r.flexible {
		var err error
		if body, err = skipTags(body); err != nil {
			r.done(nil, err)
			return err
		}
	}
	r.done(body, nil)
	if look {
		c.wake()
	}
	return nil
}

// mute keeps this side from writing, as the broker asks. Answers may take that much longer.
func (c *conn) mute(milliseconds int32) {
	if milliseconds <= 0 {
		return
	}
	d := time.Duration(milliseconds) * time.Millisecond
	c.broker.client.deps.Log.Throttled(c.broker.address, d)
	d = min(d, mostMute)
	c.mu.Lock()
	if until := time.Now().Add(d); until.After(c.muted) {
		c.muted = until
	}
	for _, r := range c.pending {
		r.deadline = r.deadline.Add(d)
	}
	c.setDeadline()
	c.mu.Unlock()
}

func (c *conn) reason() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// finish ends the connection after the writer, and answers whatever is open. It returns nil when this side has ended it in
// peace.
func (c *conn) finish() error {
	c.mu.Lock()
	c.leaving, c.over = true, true
	err := c.err
	c.mu.Unlock()
	c.Close()
	<-c.ended
	c.mu.Lock()
	if err == nil {
		err = c.err
	}
	open := append(c.pending, c.queue...)
	c.pending, c.queue = nil, nil
	c.mu.Unlock()
	c.broker.traffic.inFlight.Store(0)
	why := err
	if why == nil {
		why = net.ErrClosed
	}
	for _, r := range open {
		r.done(nil, why)
	}
	if errors.Is(err, ErrClosed) {
		return nil
	}
	return err
}

// wait returns when the reader has ended.
func (c *conn) wait() { <-c.ended }

// frames reads answers, each of which begins with its length.
type frames struct {
	conn   io.Reader
	limit  int
	buffer []byte
	have   int
	start  int
}

// firstRead is how much is read at once; a longer answer gets room as it comes, because what a length says costs the sender nothing.
const firstRead = 16 << 10

// next returns the next answer, which is lent until the one after it is asked for. overdue is asked when a deadline has passed.
func (f *frames) next(overdue func() error) ([]byte, error) {
	if f.start > 0 {
		f.have = copy(f.buffer, f.buffer[f.start:f.have])
		f.start = 0
		if cap(f.buffer) > 1<<20 && f.have < firstRead {
			f.buffer = append(make([]byte, 0, firstRead), f.buffer[:f.have]...)[:firstRead]
		}
	}
	need := 4
	for {
		if f.have >= 4 {
			n := int(int32(binary.BigEndian.Uint32(f.buffer)))
			if n < 0 || n > f.limit {
				return nil, nonsensef("an answer of %d bytes, and receive.message.max.bytes is %d", uint32(n), f.limit)
			}
			need = 4 + n
			if f.have >= need {
				f.start = need
				return f.buffer[4:need], nil
			}
		}
		if f.have == len(f.buffer) {
			grown := make([]byte, max(firstRead, min(2*len(f.buffer), need)))
			copy(grown, f.buffer[:f.have])
			f.buffer = grown
		}
		n, err := f.conn.Read(f.buffer[f.have:])
		f.have += n
		switch {
		case n > 0:
		case errors.Is(err, os.ErrDeadlineExceeded):
			if err := overdue(); err != nil {
				return nil, err
			}
		case err != nil:
			return nil, err
		}
	}
}

// ask makes a call and waits for its answer, which decode reads. The connection's own goroutines must not call it.
func (c *conn) ask(ctx context.Context, r *call, decode func(body []byte) error) error {
	answer := make(chan error, 1)
	r.done = func(body []byte, err error) {
		if err == nil {
			err = decode(body)
			if err != nil {
				c.fail(err)
			}
		}
		answer <- err
	}
	if !c.submit(r) {
		return net.ErrClosed
	}
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A nonsenseError is an answer that no broker should give.
type nonsenseError struct{ text string }

func (e *nonsenseError) Error() string { return e.text }

func nonsensef(format string, args ...any) error {
	return &nonsenseError{"it answers nonsense: " + fmt.Sprintf(format, args...)}
}

func nonsense(err error) bool {
	var n *nonsenseError
	return errors.As(err, &n)
}
