package client

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/twmb/franz-go/pkg/kbin"
)

// read reads answers until the connection ends.
func (n *conn) read() {
	defer close(n.ended)
	defer n.lose(errors.New("the goroutine that reads has ended"))
	r := bufio.NewReaderSize(n.net, 8<<10)
	var body []byte
	for {
		var err error
		if body, err = n.readBody(r, body); err == nil {
			err = n.handle(body)
		}
		if err != nil {
			n.lose(err)
			return
		}
		if cap(body) > 64<<10 {
			body = nil
		}
	}
}

// beforeLogin is how large an answer may be of a broker that has not let the client in yet.
const beforeLogin = 1 << 20

// readBody reads an answer. Its memory grows with what comes, not with what the broker says.
func (n *conn) readBody(r io.Reader, body []byte) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return body, n.closedInside(err)
	}
	size, most := int64(binary.BigEndian.Uint32(head[:])), int64(n.most())
	if size > most {
		return body, wrongSize(head, size, most)
	}
	body = body[:0]
	for left := int(size); left > 0; {
		step := min(left, max(cap(body)-len(body), len(body), 4<<10))
		at := len(body)
		body = append(body, make([]byte, step)...)
		if _, err := io.ReadFull(r, body[at:]); err != nil {
			return body, n.closedInside(err)
		}
		left -= step
	}
	return body, nil
}

func (n *conn) most() int {
	n.b.c.mu.Lock()
	defer n.b.c.mu.Unlock()
	if n.up.IsZero() {
		return min(n.b.c.net.ReceiveMax, beforeLogin)
	}
	return n.b.c.net.ReceiveMax
}

// closedInside says that the connection was closed inside an answer as what it is: a closed connection.
func (n *conn) closedInside(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the broker has closed the connection inside an answer: %w", io.EOF)
	}
	return err
}

// wrongSize says what the first bytes look like when they are no length.
func wrongSize(head [4]byte, size, most int64) error {
	switch {
	case string(head[:]) == "HTTP":
		return nonsensef("the port speaks HTTP, not Kafka")
	case head[0] == 0x15 && head[1] == 3:
		return nonsensef("the port speaks TLS: set security.protocol to ssl or sasl_ssl")
	case string(head[:3]) == "SSH":
		return nonsensef("the port speaks SSH, not Kafka")
	}
	return nonsensef("an answer of %d bytes, where %d are allowed: it is not Kafka's, or receive.message.max.bytes is too small", size, most)
}

// handle gives an answer to the request that it belongs to.
func (n *conn) handle(body []byte) error {
	r, err := n.match(body)
	if err != nil || r == nil {
		return err
	}
	a := cursor{Reader: kbin.Reader{Src: body}, flexible: r.version >= speaks[r.key].flexible}
	if !r.raw {
		a.Int32() // the id
		if a.flexible && r.key != versionsKey {
			a.tags() // of the header
		}
	}
	var throttle int32
	if r.produce != nil {
		throttle, err = r.produce.readAnswer(&a, r.version)
	} else {
		throttle, err = r.read(&a, r.version)
	}
	if n.finish(r, throttle, err) {
		r.finish(err)
	}
	if throttle > 0 && err == nil {
		n.b.c.deps.Log.Throttled(n.b.address, time.Duration(throttle)*time.Millisecond)
	}
	if isNonsense(err) {
		return err
	}
	return nil // of this request alone
}

// match finds the request of an answer. Answers come in the order of the requests.
func (n *conn) match(body []byte) (*request, error) {
	n.b.c.mu.Lock()
	defer n.b.c.mu.Unlock()
	n.b.stats.Answers++
	n.b.stats.RxBytes += uint64(len(body)) + 4
	if len(n.open) > 0 && n.open[0].raw {
		return n.open[0], nil
	}
	if len(body) < 4 {
		return nil, nonsensef("an answer of %d bytes is too short to be one", len(body))
	}
	id := int32(binary.BigEndian.Uint32(body))
	if len(n.open) > 0 && n.open[0].id == id {
		return n.open[0], nil
	}
	if n.silent > 0 && id > 0 && id <= n.silent && (len(n.open) == 0 || id < n.open[0].id) {
		return nil, nil // some brokers answer also where acks=0 asks for none
	}
	return nil, nonsensef("an answer has the number %d, which no open request has", id)
}

// mostMute is how long a broker may keep the client from writing. What asks for more makes no sense, because brokers count their
// quotas over less, and gets the pause of a broker that was lost: it must not end the use of the broker.
const mostMute = time.Minute

// finish takes an answered request off, and reports whether that is to be told: it may have been given up before, and what is still
// being written tells it itself.
func (n *conn) finish(r *request, throttle int32, err error) (tell bool) {
	n.b.c.mu.Lock()
	defer n.b.c.mu.Unlock()
	now := time.Now()
	n.open[0] = nil
	if n.open = n.open[1:]; len(n.open) == 0 {
		n.open = nil
	}
	r.answered, r.answerErr = true, err
	tell = !r.abandoned && r.returned
	n.used, n.fails = now, 0
	if throttle > 0 || n.b.state == Finishing {
		n.b.poke() // else the other goroutine sleeps on: it has nothing to do
	}
	if err != nil {
		return tell
	}
	n.answered = n.answered || !n.up.IsZero()
	if !r.sent.IsZero() {
		n.b.stats.took(now.Sub(r.sent))
	}
	if throttle > 0 {
		n.muteLocked(now, time.Duration(throttle)*time.Millisecond)
	}
	return tell
}

// muteLocked keeps the client from writing for a while, which does not count for open requests: the broker
// reads nothing meanwhile.
func (n *conn) muteLocked(now time.Time, d time.Duration) {
	n.b.stats.Throttle = d
	if d > mostMute {
		d = min(n.b.c.set.ReconnectMax, mostMute)
	}
	from, to := now, now.Add(d)
	if n.muted.After(from) {
		from = n.muted
	}
	if !to.After(from) {
		return
	}
	for _, r := range n.open {
		r.due = r.due.Add(to.Sub(from))
	}
	n.muted = to
}
