package e2e

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// front is a listener whose connections a script can silence or break. The embedded broker listens on it; before
// Apache Kafka stands a forwarder that does.
type front struct {
	net.Listener

	mu    sync.Mutex
	open  chan struct{} // guarded by mu; closed while bytes may pass
	conns map[*fronted]struct{}
}

func newFront(l net.Listener) *front {
	f := &front{Listener: l, open: make(chan struct{}), conns: make(map[*fronted]struct{})}
	close(f.open)
	return f
}

// hang stops all bytes in both directions: an answer that the broker has ready is not sent either, as when
// its process is stopped.
func (f *front) hang() {
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case <-f.open:
		f.open = make(chan struct{})
	default:
	}
}

func (f *front) resume() {
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case <-f.open:
	default:
		close(f.open)
	}
}

// cut breaks every connection that is open now.
func (f *front) cut() {
	f.mu.Lock()
	conns := f.conns
	f.conns = make(map[*fronted]struct{})
	f.mu.Unlock()
	for c := range conns {
		_ = c.Close() // broken either way
	}
}

func (f *front) passage() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.open
}

func (f *front) Accept() (net.Conn, error) {
	conn, err := f.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &fronted{Conn: conn, front: f, broken: make(chan struct{})}
	f.mu.Lock()
	f.conns[c] = struct{}{}
	f.mu.Unlock()
	return c, nil
}

// fronted is one connection of a front, on the broker's side.
type fronted struct {
	net.Conn
	front  *front
	once   sync.Once
	broken chan struct{} // closed by Close, for those who wait at a silent front
}

// Read looks at the front after the bytes have come: a reader waits in the kernel most of its time, and would
// otherwise hand out one more request after hang.
func (c *fronted) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if wait := c.pass(); wait != nil {
		return 0, wait
	}
	return n, err
}

func (c *fronted) Write(p []byte) (int, error) {
	if err := c.pass(); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

func (c *fronted) pass() error {
	select {
	case <-c.front.passage():
		return nil
	case <-c.broken:
		return net.ErrClosed
	}
}

func (c *fronted) Close() error {
	c.once.Do(func() { close(c.broken) })
	c.front.mu.Lock()
	delete(c.front.conns, c)
	c.front.mu.Unlock()
	return c.Conn.Close()
}

// forward serves f until its listener closes: each connection is one to target.
func (f *front) forward(target string) {
	for {
		conn, err := f.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			other, err := net.Dial("tcp", target)
			if err != nil {
				return
			}
			defer other.Close()
			go func() {
				// Either end closing ends both: Kafka has no use for a half-open connection.
				defer conn.Close()
				defer other.Close()
				_, _ = io.Copy(other, conn)
			}()
			_, _ = io.Copy(conn, other)
		}()
	}
}

// echoThroughFront serves an echo server behind a forwarder and returns the front and one connection to it.
func echoThroughFront(t *testing.T) (*front, net.Conn) {
	t.Helper()
	listen := func() net.Listener {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		return l
	}
	echo := listen()
	go func() {
		for {
			conn, err := echo.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(conn, conn); _ = conn.Close() }()
		}
	}()
	f := newFront(listen())
	go f.forward(echo.Addr().String())
	conn, err := net.Dial("tcp", f.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return f, conn
}

func TestFrontHangsResumesAndCuts(t *testing.T) {
	f, conn := echoThroughFront(t)
	buffer := make([]byte, 1)
	exchange := func() error {
		if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
			return err
		}
		if _, err := conn.Write([]byte("x")); err != nil {
			return err
		}
		_, err := io.ReadFull(conn, buffer)
		return err
	}
	if err := exchange(); err != nil {
		t.Fatalf("an open front: %v", err)
	}
	f.hang()
	if _, err := conn.Write([]byte("y")); err != nil {
		t.Fatalf("a silent front refused bytes: %v", err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	var timeout net.Error
	if _, err := io.ReadFull(conn, buffer); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Fatalf("a silent front answered %q, %v", buffer, err)
	}
	f.resume()
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, buffer); err != nil || buffer[0] != 'y' {
		t.Fatalf("after resume: %q, %v", buffer, err)
	}
	f.cut()
	if err := exchange(); err == nil {
		t.Fatal("a cut connection still answers")
	}
}
