//go:build faultinject

package producer

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// killPoint ends the process without a last word at the point of the spool that KAFKA_KILL_AT=<point>:<n> names,
// when it comes there for the n-th time. It is nil without that variable. `make kill9` builds kafka.so with it.
func killPoint() func(point string) {
	name, count, _ := strings.Cut(os.Getenv("KAFKA_KILL_AT"), ":")
	n, err := strconv.ParseInt(count, 10, 64)
	if err != nil || name == "" {
		return nil
	}
	var came atomic.Int64
	return func(point string) {
		if point == name && came.Add(1) == n {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			// The signal may take a moment to end this thread, and nothing may happen behind the point.
			select {}
		}
	}
}
