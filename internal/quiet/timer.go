package quiet

import (
	"errors"
	"os"
	"syscall"
	"time"
	"unsafe"
)

// A Timer calls a function once, when a time that was set is over. It is timerfd_create(2).
type Timer struct {
	file *os.File
	raw  syscall.RawConn
}

// NewTimer returns a timer that is not set. It fails without a descriptor.
func NewTimer() (*Timer, error) {
	const (
		monotonic = 1       // CLOCK_MONOTONIC
		flags     = 0x80800 // TFD_CLOEXEC | TFD_NONBLOCK
	)
	fd, _, errno := syscall.RawSyscall(syscall.SYS_TIMERFD_CREATE, monotonic, flags, 0)
	if errno != 0 {
		return nil, os.NewSyscallError("timerfd_create", errno)
	}
	t := &Timer{file: os.NewFile(fd, "timer")}
	var err error
	if t.raw, err = t.file.SyscallConn(); err != nil {
		t.file.Close()
		return nil, err
	}
	return t, nil
}

// Run calls over each time that a time is over, until [Timer.Close].
func (t *Timer) Run(over func()) {
	for {
		var count [8]byte
		var failed syscall.Errno
		if err := t.raw.Read(func(fd uintptr) bool {
			_, _, failed = syscall.RawSyscall(syscall.SYS_READ, fd, uintptr(unsafe.Pointer(&count[0])), uintptr(len(count)))
			return failed != syscall.EAGAIN
		}); err != nil {
			return // it is closed
		}
		if failed == 0 {
			over()
		}
	}
}

// Set sets the time from now on, in place of what was set before. 0 or less is over at once.
func (t *Timer) Set(d time.Duration) {
	// An interval of 0, which is once, and then the time.
	spec := [2]syscall.Timespec{{}, syscall.NsecToTimespec(int64(max(d, 1)))}
	// It fails only where the descriptor is closed.
	_ = t.raw.Control(func(fd uintptr) {
		_, _, _ = syscall.RawSyscall6(syscall.SYS_TIMERFD_SETTIME, fd, 0, uintptr(unsafe.Pointer(&spec)), 0, 0, 0)
	})
}

// Close ends Run.
func (t *Timer) Close() error {
	if err := t.file.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}

// A Plain is the same of package time.
type Plain struct{ timer *time.Timer }

// NewPlain returns a timer that is not set. over is called on a goroutine of its own.
func NewPlain(over func()) *Plain {
	t := time.AfterFunc(time.Hour, over)
	t.Stop()
	return &Plain{t}
}

// Set is [Timer.Set].
func (p *Plain) Set(d time.Duration) { p.timer.Reset(max(d, 0)) }

// Close ends it.
func (p *Plain) Close() error {
	p.timer.Stop()
	return nil
}
