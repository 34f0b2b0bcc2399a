package conf

import (
	"encoding/binary"
	"net"
	"time"
)

// renewEvery is how often a connection in use looks whether the files of its certificate have
// changed. A renewed certificate is used within this time of the next request.
const renewEvery = 10 * time.Second

// A renewal ends a connection whose certificate was replaced on disk at a moment when nothing can be
// lost by it: between two requests, when every earlier one is answered. The client opens the next
// connection, with the new certificate, for the request that is due, and no retry is spent.
//
// Without it a busy connection would keep the old certificate for as long as the broker lets it.
// Whoever writes waits for the answers that are due, which the client itself bounds in time.
//
// The fields belong to the lock of the connection.
type renewal struct {
	outdated func() bool // nil where there is no certificate
	mute     bool        // produce requests have no answer

	open   int           // requests without their answer
	size   uint32        // bytes of the present answer that are still to come
	head   [4]byte       // what has come of the next answer's length
	have   int           // how much of head
	closed bool          // by this side, or the reader has seen the end
	idle   chan struct{} // closed when open falls to zero or the reader ends; nil while nobody waits
}

// asked notes a request that is about to be written.
func (r *renewal) asked(request []byte) {
	const keyAt = 4
	if r.mute && len(request) >= keyAt+2 && binary.BigEndian.Uint16(request[keyAt:]) == produceKey {
		return
	}
	r.open++
}

// produceKey is the key of a produce request: part of Kafka's protocol.
const produceKey = 0

// answered follows the answers, each of which begins with its length, in what was read.
func (r *renewal) answered(data []byte) {
	for len(data) > 0 {
		if r.size == 0 {
			n := copy(r.head[r.have:], data)
			data = data[n:]
			if r.have += n; r.have < len(r.head) {
				return
			}
			r.have, r.size = 0, binary.BigEndian.Uint32(r.head[:])
		}
		n := min(uint64(r.size), uint64(len(data)))
		data = data[n:]
		if r.size -= uint32(n); r.size == 0 {
			r.open--
		}
	}
	if r.open <= 0 {
		r.wake()
	}
}

func (r *renewal) wake() {
	if r.idle != nil {
		close(r.idle)
		r.idle = nil
	}
}

// renew returns net.ErrClosed, and has closed the connection, if it is outdated and all its requests
// are answered, for which it waits. Nothing was written then.
func (c *brokerConn) renew() error {
	c.mu.Lock()
	up, outdated := c.up, c.renewal.outdated
	c.mu.Unlock()
	if !up || outdated == nil || !outdated() {
		return nil
	}
	for {
		c.mu.Lock()
		r := &c.renewal
		if r.open <= 0 || r.closed {
			r.closed = true
			c.mu.Unlock()
			c.Conn.Close()
			return net.ErrClosed
		}
		if r.idle == nil {
			r.idle = make(chan struct{})
		}
		idle := r.idle
		c.mu.Unlock()
		<-idle
	}
}
