package quiet

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// A watch is a descriptor of epoll that stands for a socket when somebody waits for it.
type watch struct {
	file *os.File
	raw  syscall.RawConn
}

func (w *watch) open(socket int) error {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	if err = syscall.SetNonblock(fd, true); err == nil {
		err = syscall.EpollCtl(fd, syscall.EPOLL_CTL_ADD, socket, &syscall.EpollEvent{Events: oneShot})
	}
	w.file = os.NewFile(uintptr(fd), "epoll")
	if err == nil {
		w.raw, err = w.file.SyscallConn()
	}
	return err
}

const oneShot = 1 << 30 // EPOLLONESHOT: nothing is reported before it is asked for

// wait waits until one of the events comes, the time is over or the watch is closed.
func (w *watch) wait(socket syscall.RawConn, events uint32, due int64) error {
	var failed error
	if err := socket.Control(func(fd uintptr) {
		failed = w.raw.Control(func(epoll uintptr) {
			e := syscall.EpollEvent{Events: events | oneShot}
			failed = syscall.EpollCtl(int(epoll), syscall.EPOLL_CTL_MOD, int(fd), &e)
		})
	}); err != nil {
		return err
	}
	if failed != nil {
		return failed
	}
	at := time.Time{}
	if due != 0 {
		at = time.Unix(0, due)
	}
	if err := w.file.SetReadDeadline(at); err != nil {
		return err
	}
	return w.raw.Read(func(epoll uintptr) bool {
		var come [1]syscall.EpollEvent
		n, err := syscall.EpollWait(int(epoll), come[:], 0)
		return n > 0 || err != nil && !errors.Is(err, syscall.EINTR)
	})
}
