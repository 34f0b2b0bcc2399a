package client

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"
)

// write encodes and writes r. A failure is seen in the connection's state.
func (n *conn) write(r *request) {
	version := n.has[r.key].max
	if r.produce != nil {
		version = r.produce.version(version)
	}
	err := n.send(r, version)
	if err != nil {
		n.lose(err)
	}
	if !r.silent {
		return
	}
	for i := range r.produce.Batches {
		r.produce.Batches[i].notAnswered()
	}
	r.finish(err)
}

// send writes one request.
func (n *conn) send(r *request, version int16) error {
	c := n.b.c
	w := n.w[:0]
	switch {
	case r.raw:
		w = r.body(append(w, 0, 0, 0, 0), version)
	case r.produce != nil:
		w = r.produce.appendBody(appendHeader(w, r.key, version, r.id, c.clientID), version)
	default:
		w = r.body(appendHeader(w, r.key, version, r.id, c.clientID), version)
	}
	binary.BigEndian.PutUint32(w, uint32(len(w)-4))
	limit := n.begin(r, version)
	err := n.net.SetWriteDeadline(limit)
	written := 0
	if err == nil {
		written, err = n.net.Write(w)
	}
	n.keep(w)
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	n.used = now
	n.b.stats.requests++
	n.b.stats.txBytes += uint64(written)
	if r.answered {
		return err // and that is all: a broker may answer before it has read all
	}
	r.sent, r.written = now, written > 0
	r.due = now.Add(r.deadline)
	if n.muted.After(now) {
		r.due = n.muted.Add(r.deadline)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("%s could not be written in time: %w", name(r.key), err)
	}
	return err
}

// begin notes what the goroutine that reads has to know, and returns until when all has to be written.
func (n *conn) begin(r *request, version int16) time.Time {
	n.b.c.mu.Lock()
	defer n.b.c.mu.Unlock()
	r.version = version
	r.written = true // the answer may come, and the connection may end, while it is written
	limit := time.Now().Add(n.b.c.set.SocketTimeout)
	if o := n.oldest(); o != nil && o.due.Before(limit) && n.fails+1 == n.b.c.net.MaxFails {
		// A broker that reads nothing must not keep the request before from ending the connection.
		limit = o.due
	}
	return limit
}

// keep keeps the buffer, unless it was unusually large a while ago.
func (n *conn) keep(w []byte) {
	const small, patience = 256 << 10, 16
	n.w = w
	if cap(w) <= small || len(w) > cap(w)/4 {
		n.spare = 0
		return
	}
	if n.spare++; n.spare >= patience {
		n.w, n.spare = nil, 0
	}
}

// exchange writes a request of the connection's own and waits for its answer, on the broker's goroutine.
func exchange[T any](ctx context.Context, n *conn, r *request, version int16, read func(*cursor, int16) (T, error)) (T, error) {
	var answer, none T // answer belongs to the goroutine that reads until done
	done := make(chan error, 1)
	r.read = func(a *cursor, version int16) (_ int32, err error) {
		answer, err = read(a, version)
		return 0, err
	}
	r.done = func(err error) { done <- err }
	r.deadline = n.b.c.net.FirstAnswer
	ctx, cancel := context.WithTimeout(ctx, r.deadline)
	defer cancel()
	n.enroll(r)
	if err := n.send(r, version); err != nil {
		return none, err
	}
	select {
	case err := <-done:
		return answer, err
	case <-n.ended:
	case <-ctx.Done():
		if n.b.c.ctx.Err() != nil {
			return none, ErrClosed
		}
		return none, fmt.Errorf("no answer to %s: %w", name(r.key), os.ErrDeadlineExceeded)
	}
	select {
	case err := <-done:
		return answer, err
	default:
	}
	n.b.c.mu.Lock()
	defer n.b.c.mu.Unlock()
	return none, n.lost
}

// enroll makes r the last of the open requests.
func (n *conn) enroll(r *request) {
	n.b.c.mu.Lock()
	defer n.b.c.mu.Unlock()
	n.number(r, time.Now())
}
