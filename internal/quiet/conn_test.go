package quiet

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// pair returns both ends of a connection over the loopback; ours is quiet.
func pair(t *testing.T) (q *Conn, other net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	other, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	q, ok := Hush(c).(*Conn)
	if !ok {
		t.Fatal("a TCP connection stays as it is")
	}
	t.Cleanup(func() { q.Close(); other.Close() })
	return q, other
}

// reads reads once on another goroutine.
func reads(q *Conn) chan error {
	done := make(chan error, 1)
	go func() {
		_, err := q.Read(make([]byte, 100))
		done <- err
	}()
	return done
}

func TestALazyConnectionReadsWhenItIsTold(t *testing.T) {
	q, other := pair(t)
	q.Look(true)
	<-q.look // the word that nobody has waited for
	q.emptied = true
	done := reads(q)
	if _, err := other.Write([]byte("answer")); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-done:
		t.Fatalf("it has read without being told: %v", err)
	default:
	}
	q.Look(true)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	q.Look(true)
	done = reads(q) // there is nothing to read
	q.Look(false)
	if _, err := other.Write([]byte("more")); err != nil { // which wakes it now
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestTheEndOfAQuietConnection(t *testing.T) {
	for _, lazy := range []bool{false, true} {
		q, other := pair(t)
		q.Look(lazy)
		done := reads(q)
		other.Close()
		q.Look(lazy)
		if err := <-done; !errors.Is(err, io.EOF) {
			t.Errorf("lazy %v: the other side has closed: %v, want EOF", lazy, err)
		}
		q, _ = pair(t)
		q.Look(lazy)
		done = reads(q)
		q.Close()
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Errorf("lazy %v: this side has closed: %v, want %v", lazy, err, net.ErrClosed)
		}
		if _, err := q.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("lazy %v: a write afterwards: %v", lazy, err)
		}
		if err := q.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("lazy %v: closed once more: %v", lazy, err)
		}
	}
}

// Requests have more pieces than the kernel takes at once, and more bytes than a socket takes while the broker does not read.
func TestAWriteOfManyPiecesArrives(t *testing.T) {
	q, other := pair(t)
	var pieces [][]byte
	for i := range 5000 {
		pieces = append(pieces, bytes.Repeat([]byte{byte(i)}, i%3*2000))
	}
	want := bytes.Join(pieces, nil)
	read := make(chan []byte, 1)
	go func() {
		got, _ := io.ReadAll(other)
		read <- got
	}()
	n, err := q.WritePieces(pieces)
	if err != nil || n != len(want) {
		t.Fatalf("%d bytes of %d, %v", n, len(want), err)
	}
	q.Close()
	if got := <-read; !bytes.Equal(got, want) {
		t.Errorf("%d bytes have arrived, or others than were written, of %d", len(got), len(want))
	}
}

func TestAWriteToABrokerThatDoesNotReadEndsInTime(t *testing.T) {
	q, _ := pair(t)
	if err := q.SetWriteDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	n, err := q.Write(make([]byte, 64<<20))
	if !errors.Is(err, os.ErrDeadlineExceeded) || n == 0 || n == 64<<20 {
		t.Errorf("%d bytes were written, %v", n, err)
	}
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("%v is no time-out", err)
	}
	if err := q.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if err := <-reads(q); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a read ends with %v", err)
	}
}

func TestTLSOverAQuietConnection(t *testing.T) {
	q, other := pair(t)
	q.Look(false)
	lender := httptest.NewTLSServer(nil)
	lender.Close()
	server := tls.Server(other, &tls.Config{Certificates: lender.TLS.Certificates, MinVersion: tls.VersionTLS12})
	go func() {
		_, _ = io.Copy(server, server)
	}()
	secure := tls.Client(q, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}) //nolint:gosec // the test's own certificate
	large := bytes.Repeat([]byte("a request "), 100_000)
	wrote := make(chan error, 1)
	go func() {
		_, err := secure.Write(large)
		wrote <- err
	}()
	got := make([]byte, len(large))
	if _, err := io.ReadFull(secure, got); err != nil || !bytes.Equal(got, large) {
		t.Errorf("read: %v", err)
	}
	if err := <-wrote; err != nil {
		t.Error(err)
	}
	if secure.NetConn() != net.Conn(q) {
		t.Error("the connection below TLS is another")
	}
}

func TestAQuietConnectionLeavesNoDescriptor(t *testing.T) {
	count := func() map[string]int {
		files, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip(err)
		}
		kinds := map[string]int{}
		for _, f := range files {
			if to, err := os.Readlink("/proc/self/fd/" + f.Name()); err == nil && (to == "anon_inode:[eventpoll]" || len(to) > 7 && to[:7] == "socket:") {
				kinds[to]++
			}
		}
		return kinds
	}
	warm, _ := pair(t)
	warm.Close()
	runtime.GC()
	before := count()
	for range 50 {
		q, other := pair(t)
		q.Close()
		other.Close()
	}
	if after := count(); len(after) > len(before) { // those that another test has closed may go meanwhile
		t.Errorf("descriptors (-before +after):\n%s", cmp.Diff(before, after))
	}
}

func TestWhatIsNoTCPConnectionStaysAsItIs(t *testing.T) {
	one, other := net.Pipe()
	defer one.Close()
	defer other.Close()
	if Hush(one) != one {
		t.Error("it was changed")
	}
}
