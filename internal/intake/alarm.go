package intake

/*
#include <errno.h>
#include <stdint.h>
#include <sys/timerfd.h>

static int alarm_new(void)
{
	return timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
}

static int alarm_set(int fd, int64_t ns)
{
	struct itimerspec in = {.it_value = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000}};
	return timerfd_settime(fd, 0, &in, NULL) == 0 ? 0 : errno;
}
*/
import "C"

import (
	"fmt"
	"os"
	"syscall"
	"time"
)

// An alarm is a timer of the kernel. Go's own are rounded down to whole milliseconds while the process
// sleeps, so that a linger of five costs it two wake-ups and one of the runtime's watchman besides.
type alarm struct {
	file *os.File
	conn syscall.RawConn
	ns   int64
	set  func(fd uintptr) // made once: a closure a call would be an allocation
}

func newAlarm(queue string) (*alarm, error) {
	fd, err := C.alarm_new()
	if fd < 0 {
		return nil, fmt.Errorf("%s: no timer descriptor for the queue, raise the limit of open files of the host: %w", queue, err)
	}
	a := &alarm{file: os.NewFile(uintptr(fd), "alarm of "+queue)}
	a.set = func(fd uintptr) { C.alarm_set(C.int(fd), C.int64_t(a.ns)) }
	if a.conn, err = a.file.SyscallConn(); err != nil {
		a.file.Close()
		return nil, fmt.Errorf("%s: the timer descriptor of the queue cannot be used: %w", queue, err)
	}
	return a, nil
}

// Alarm ends [Intake.WaitAlarm] after d, in place of what was set before. Only one goroutine may set it.
// After Close it does nothing.
func (in *Intake) Alarm(d time.Duration) {
	in.alarm.ns = max(int64(d), 1) // none would be never
	_ = in.alarm.conn.Control(in.alarm.set)
}

// WaitAlarm blocks until the alarm goes off. It returns false after [Intake.Close].
func (in *Intake) WaitAlarm() bool {
	var count [8]byte
	_, err := in.alarm.file.Read(count[:])
	return err == nil
}
