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
	if r.most > 0 {
		version = min(version, r.most)
	}
	if r.produce != nil {
		version = r.produce.version(version)
	}
	early, err := n.send(r, version)
	if err != nil {
		n.lose(err)
	} else if r.produce != nil && n.b.c.deps.Written != nil {
		n.b.c.deps.Written()
	}
	switch {
	case early:
		r.finish(r.answerErr)
	case r.silent:
		for i := range r.produce.Batches {
			r.produce.Batches[i].notAnswered()
		}
		r.finish(err)
	}
}

// send writes one request. early says that the answer came first, which is for the caller to tell: until the write has
// returned, what is written must stay as it is.
func (n *conn) send(r *request, version int16) (early bool, err error) {
	c := n.b.c
	w, cuts := n.w[:0], n.cuts[:0]
	switch {
	case r.raw:
		w = r.body(append(w, 0, 0, 0, 0), version)
	case r.produce != nil:
		w, cuts = r.produce.appendBody(appendHeader(w, r.key, version, r.id, c.clientID), version, cuts)
	default:
		w = r.body(appendHeader(w, r.key, version, r.id, c.clientID), version)
	}
	size := len(w)
	for _, cut := range cuts {
		for _, piece := range cut.pieces {
			size += len(piece)
		}
	}
	binary.BigEndian.PutUint32(w, uint32(size-4))
	limit := n.begin(r, version)
	err = n.net.SetWriteDeadline(limit)
	written := 0
	if err == nil {
		written, err = n.writeAll(w, cuts)
	}
	n.keep(w)
	clear(cuts)
	n.cuts = cuts
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	n.used = now
	n.b.stats.Requests++
	n.b.stats.TxBytes += uint64(written)
	r.returned = true
	if r.answered {
		return !r.abandoned, err
	}
	r.sent, r.written = now, written > 0
	r.due = now.Add(r.deadline)
	if n.muted.After(now) {
		r.due = n.muted.Add(r.deadline)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return false, fmt.Errorf("%s could not be written in time: %w", speaks[r.key].name, err)
	}
	return false, err
}

// writeAll writes w with the pieces at its cuts. The kernel is given the pieces as they lie; under TLS, which copies everything, they are
// put together first, because each write of its own would be a record of its own.
func (n *conn) writeAll(w []byte, cuts []cut) (int, error) {
	if len(cuts) == 0 {
		return n.net.Write(w)
	}
	at := 0
	if n.raw != n.net {
		flat := n.flat[:0]
		for _, cut := range cuts {
			flat = append(flat, w[at:cut.at]...)
			at = cut.at
			for _, piece := range cut.pieces {
				flat = append(flat, piece...)
			}
		}
		n.flat = append(flat, w[at:]...)
		return n.net.Write(n.flat)
	}
	vector := n.vector[:0]
	for _, cut := range cuts {
		vector = append(vector, w[at:cut.at])
		vector = append(vector, cut.pieces...)
		at = cut.at
	}
	if at < len(w) {
		vector = append(vector, w[at:])
	}
	n.vector = vector
	defer clear(n.vector)
	if n.quiet != nil {
		return n.quiet.WritePieces(vector)
	}
	written, err := vector.WriteTo(n.net)
	return int(written), err
}

// begin notes what the goroutine that reads has to know, and returns until when all has to be written.
func (n *conn) begin(r *request, version int16) time.Time {
	n.b.c.mu.Lock()
	defer n.b.c.mu.Unlock()
	r.version = version
	r.written = true // the answer may come, and the connection may end, while it is written
	limit := time.Now().Add(n.b.c.set.SocketTimeout)
	if o := n.oldestLocked(); o != nil && o.due.Before(limit) && n.fails+1 == n.b.c.net.MaxFails {
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
	early, err := n.send(r, version)
	if early {
		r.finish(r.answerErr)
	} else if err != nil {
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
		return none, fmt.Errorf("no answer to %s: %w", speaks[r.key].name, os.ErrDeadlineExceeded)
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
	n.numberLocked(r, time.Now())
}
