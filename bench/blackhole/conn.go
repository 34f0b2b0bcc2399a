package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// conn answers the requests of one connection, one after another.
type conn struct {
	broker *broker
	tcp    net.Conn
	in     *stream
	out    []byte // the response being built, used again for each
}

func newConn(b *broker, c net.Conn) *conn {
	return &conn{broker: b, tcp: c, in: newStream(c)}
}

// serve ends with the connection. What ends it other than the peer or a change of mode goes to standard error: a bench that
// measures a producer which is talked to wrongly is worth nothing.
func (c *conn) serve() {
	for {
		err := c.request()
		if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || isReset(err) {
			return
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "blackhole: connection closed:", err)
			return
		}
	}
}

func isReset(err error) bool {
	var op *net.OpError
	return errors.As(err, &op)
}

// header is what comes before the body of each request.
type header struct {
	key, version int16
	correlation  int32
}

func (c *conn) request() error {
	in := c.in
	if err := in.next(); err != nil {
		return err
	}
	h := header{key: in.int16(), version: in.int16(), correlation: in.int32()}
	in.text(false) // the client id, in the old encoding in every version of the header
	if h.key == int16(kmsg.Produce) {
		if h.version > produceMax {
			return fmt.Errorf("produce version %d, offered up to %d", h.version, produceMax)
		}
		return c.produce(h)
	}
	return c.rest(h)
}

// begin starts a response: its size, which send sets, and its header.
func (c *conn) begin(h header, flexible bool) {
	c.out = append(c.out[:0], 0, 0, 0, 0)
	c.out = binary.BigEndian.AppendUint32(c.out, uint32(h.correlation))
	if flexible {
		c.out = append(c.out, 0)
	}
}

func (c *conn) send() error {
	binary.BigEndian.PutUint32(c.out, uint32(len(c.out)-4))
	_, err := c.tcp.Write(c.out)
	return err
}
