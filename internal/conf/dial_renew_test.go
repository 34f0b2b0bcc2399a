package conf

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// frame is a request or an answer of n bytes behind its length; as a request it has the key.
func frame(n int, key uint16) []byte {
	f := make([]byte, 4+n)
	binary.BigEndian.PutUint32(f, uint32(n))
	binary.BigEndian.PutUint16(f[4:], key)
	return f
}

// talk is a connection that is up, and the broker's end of it, which reads all that it is sent.
func talk(t *testing.T, r renewal) (c *brokerConn, broker net.Conn) {
	t.Helper()
	here, there := net.Pipe()
	c = &brokerConn{Conn: here, first: time.Hour, renewal: r}
	c.isUp()
	go func() { _, _ = io.Copy(io.Discard, there) }()
	t.Cleanup(func() { here.Close(); there.Close() })
	return c, there
}

func TestAConnectionWithAnOldCertificateEndsBetweenTwoRequests(t *testing.T) {
	for _, test := range []struct {
		sentence string
		answers  [][]byte // after two requests
		ends     bool
	}{
		{"both are answered", [][]byte{frame(10, 0), frame(300, 0)}, true},
		{"both are answered, in pieces", [][]byte{frame(10, 0)[:2], append(frame(10, 0)[2:], frame(300, 0)[:5]...), frame(300, 0)[5:]}, true},
		{"one is answered", [][]byte{frame(10, 0)}, false},
		{"the second is not answered wholly", [][]byte{frame(10, 0), frame(300, 0)[:200]}, false},
		{"none is", nil, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			old := false
			c, broker := talk(t, renewal{outdated: func() bool { return old }})
			go func() { _, _ = io.Copy(io.Discard, c) }()
			for range 2 {
				if _, err := c.Write(frame(50, produceKey)); err != nil {
					t.Fatal(err)
				}
			}
			for _, answer := range test.answers {
				if _, err := broker.Write(answer); err != nil {
					t.Fatal(err)
				}
			}
			old = true
			written := make(chan error, 1)
			go func() {
				n, err := c.Write(frame(50, produceKey))
				if n != 0 {
					t.Errorf("%s: %d bytes were written", test.sentence, n)
				}
				written <- err
			}()
			synctest.Wait()
			if ended := len(written) == 1; ended != test.ends {
				t.Errorf("%s: the connection has ended: %t", test.sentence, ended)
			}
			broker.Close() // what is not answered by now never is
			if err := <-written; !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s: %v", test.sentence, err)
			}
			if err := c.Lost(); test.ends && err != nil && !errors.Is(err, io.ErrClosedPipe) {
				t.Errorf("%s: a connection that this side ends is lost by %v", test.sentence, err)
			}
		})
	}
}

func TestAConnectionStaysWhileItsCertificateDoes(t *testing.T) {
	for _, r := range []renewal{{}, {outdated: func() bool { return false }}} {
		c, _ := talk(t, r)
		for range 3 {
			if _, err := c.Write(frame(50, 3)); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestRequestsWithoutAnswersAreNotWaitedFor(t *testing.T) {
	old := false
	c, _ := talk(t, renewal{outdated: func() bool { return old }, mute: true})
	if _, err := c.Write(frame(50, produceKey)); err != nil {
		t.Fatal(err)
	}
	old = true
	if _, err := c.Write(frame(50, produceKey)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the next request is written to the old connection: %v", err)
	}
}

func TestAWriterDoesNotWaitForAConnectionThatWasClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old := false
		c, _ := talk(t, renewal{outdated: func() bool { return old }})
		if _, err := c.Write(frame(50, produceKey)); err != nil {
			t.Fatal(err)
		}
		old = true
		written := make(chan error, 1)
		go func() {
			_, err := c.Write(frame(50, produceKey))
			written <- err
		}()
		synctest.Wait()
		c.Close()
		if err := <-written; !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
}
