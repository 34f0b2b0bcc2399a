package quiet

import (
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// A Conn is a TCP connection whose answers need not wake anybody.
//
// The runtime's poller watches every connection of package net, so each answer wakes a thread. While a Conn is lazy, nothing watches it: who
// reads waits until Look is called, which the sender does each time that its timer has woken it anyway. Otherwise, and for a socket that
// takes no more, a descriptor of epoll is watched in the socket's place.
//
// One goroutine reads and one writes; the other methods may be called from any.
type Conn struct {
	socket        *os.File        // not watched
	raw           syscall.RawConn // of socket, which stays open while it is used
	local, remote net.Addr

	in, out       watch
	inDue, outDue atomic.Int64    // deadlines, in nanoseconds since 1970; 0 is none
	vector        []syscall.Iovec // scratch of who writes
	emptied       bool            // the last read has taken all there was; who reads has it
	lazy          atomic.Bool
	look          chan struct{} // for who reads: look now
	closed        chan struct{}
	closing       sync.Once
}

// Hush makes a [Conn] of a TCP connection, which it ends. Any other connection, and one for which there are no descriptors, stays as it is.
func Hush(c net.Conn) net.Conn {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return c
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return c
	}
	fd := -1
	if err := raw.Control(func(from uintptr) { fd, err = dup(from) }); err != nil || fd < 0 {
		return c
	}
	// A file that is made of a descriptor which blocks is not watched; it must not block all the same.
	err = syscall.SetNonblock(fd, false)
	q := &Conn{
		socket: os.NewFile(uintptr(fd), tcp.RemoteAddr().String()), local: tcp.LocalAddr(), remote: tcp.RemoteAddr(),
		look: make(chan struct{}, 1), closed: make(chan struct{}),
	}
	if err == nil {
		err = syscall.SetNonblock(fd, true)
	}
	if err == nil {
		q.raw, err = q.socket.SyscallConn()
	}
	if err == nil {
		err = q.in.open(fd)
	}
	if err == nil {
		err = q.out.open(fd)
	}
	if err != nil {
		_ = q.Close()
		_ = syscall.SetNonblock(fd, true) // it is the same socket
		return c
	}
	_ = tcp.Close() // the descriptor, and not the socket
	return q
}

func dup(fd uintptr) (int, error) {
	const dupCloseOnExec = 0x406 // F_DUPFD_CLOEXEC
	to, _, errno := syscall.RawSyscall(syscall.SYS_FCNTL, fd, dupCloseOnExec, 0)
	if errno != 0 {
		return -1, errno
	}
	return int(to), nil
}

// Look tells who reads to look now, and says whether it waits to be told again afterwards.
func (q *Conn) Look(lazy bool) {
	if !lazy && !q.lazy.Load() {
		return
	}
	q.lazy.Store(lazy)
	select {
	case q.look <- struct{}{}:
	default:
	}
}

// Read reads what there is, or waits for it.
func (q *Conn) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for {
		if !q.emptied {
			n, err := q.try(q.raw.Read, short, syscall.SYS_READ, unsafe.Pointer(&b[0]), len(b))
			switch {
			case err == nil && n == 0:
				return 0, io.EOF
			case err == nil:
				q.emptied = n < len(b)
				return n, nil
			case !errors.Is(err, syscall.EAGAIN):
				return 0, q.failure("read", err)
			}
		}
		if err := q.awaitInput(); err != nil {
			return 0, q.failure("read", err)
		}
		q.emptied = false
	}
}

func (q *Conn) awaitInput() error {
	if !q.lazy.Load() {
		return q.in.wait(q.raw, syscall.EPOLLIN|syscall.EPOLLRDHUP, q.inDue.Load())
	}
	select {
	case <-q.look:
		return nil
	case <-q.closed:
		return net.ErrClosed
	}
}

// Write writes all of b.
func (q *Conn) Write(b []byte) (int, error) { return q.WritePieces([][]byte{b}) }

// mostPieces is how many pieces the kernel takes at once.
const mostPieces = 1024

// WritePieces writes pieces as they lie. It changes the slice of pieces, and not their bytes.
func (q *Conn) WritePieces(pieces [][]byte) (written int, err error) {
	for {
		q.vector = q.vector[:0]
		size := 0
		for i := 0; i < len(pieces) && len(q.vector) < mostPieces; i++ {
			if len(pieces[i]) > 0 {
				v := syscall.Iovec{Base: &pieces[i][0]}
				v.SetLen(len(pieces[i]))
				q.vector = append(q.vector, v)
				size += len(pieces[i])
			}
		}
		n := len(q.vector)
		if n == 0 {
			return written, nil
		}
		call := short
		if size > shortBytes {
			call = syscall.Syscall
		}
		wrote, err := q.try(q.raw.Write, call, syscall.SYS_WRITEV, unsafe.Pointer(&q.vector[0]), n)
		switch {
		case errors.Is(err, syscall.EAGAIN):
			if err := q.out.wait(q.raw, syscall.EPOLLOUT, q.outDue.Load()); err != nil {
				return written, q.failure("write", err)
			}
		case err != nil:
			return written, q.failure("write", err)
		}
		written += wrote
		clear(q.vector)
		for wrote > 0 || len(pieces) > 0 && len(pieces[0]) == 0 {
			step := min(wrote, len(pieces[0]))
			pieces[0] = pieces[0][step:]
			wrote -= step
			if len(pieces[0]) == 0 {
				pieces = pieces[1:]
			}
		}
	}
}

// try makes a system call for the socket that does not block.
func (q *Conn) try(hold func(func(uintptr) bool) error, call systemCall, number uintptr, address unsafe.Pointer, size int) (n int, err error) {
	if held := hold(func(fd uintptr) bool {
		for {
			done, _, errno := call(number, fd, uintptr(address), uintptr(size))
			runtime.KeepAlive(address)
			if errno == syscall.EINTR {
				continue
			}
			if n = int(done); errno != 0 {
				n, err = 0, errno
			}
			return true
		}
	}); held != nil {
		return 0, held
	}
	return n, err
}

// failure is err as package net tells it.
func (q *Conn) failure(what string, err error) error {
	select {
	case <-q.closed: // package os has a word of its own for it
		err = net.ErrClosed
	default:
	}
	if errno := syscall.Errno(0); errors.As(err, &errno) {
		err = os.NewSyscallError(what, errno)
	}
	return &net.OpError{Op: what, Net: "tcp", Source: q.local, Addr: q.remote, Err: err}
}

// Close ends the connection, and whoever waits for it.
func (q *Conn) Close() error {
	err := net.ErrClosed
	q.closing.Do(func() {
		close(q.closed)
		for _, w := range []*watch{&q.in, &q.out} {
			if w.file != nil {
				w.file.Close()
			}
		}
		err = q.socket.Close()
	})
	return err
}

// LocalAddr returns this side's address.
func (q *Conn) LocalAddr() net.Addr { return q.local }

// RemoteAddr returns the broker's address.
func (q *Conn) RemoteAddr() net.Addr { return q.remote }

// SetDeadline sets both deadlines, for the next time that somebody waits. One who waits already goes on, and so does one that reads when Look is called.
func (q *Conn) SetDeadline(t time.Time) error {
	return errors.Join(q.SetReadDeadline(t), q.SetWriteDeadline(t))
}

// SetReadDeadline is [Conn.SetDeadline] for reading.
func (q *Conn) SetReadDeadline(t time.Time) error { return q.set(&q.inDue, t) }

// SetWriteDeadline is [Conn.SetDeadline] for writing.
func (q *Conn) SetWriteDeadline(t time.Time) error { return q.set(&q.outDue, t) }

func (q *Conn) set(due *atomic.Int64, t time.Time) error {
	if t.IsZero() {
		due.Store(0)
	} else {
		due.Store(max(t.UnixNano(), 1))
	}
	select {
	case <-q.closed:
		return net.ErrClosed
	default:
		return nil
	}
}
