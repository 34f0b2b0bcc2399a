// Package killpoint ends a process without a last word at a place that a test has named: what a power cut or
// kill -9 does, at the moment that is worst.
//
// It is for tests: of what ships, only a build with the tag faultinject has it. The function that [From] returns may be
// called from any goroutine.
package killpoint

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// Variable is the environment variable that the hosts of `make kill9` read.
const Variable = "KAFKA_KILL_AT"

// From reads "point:n" and returns a function that kills the process when it is called for the n-th time with that
// point. It returns nil for any other text, the empty one too.
func From(text string) func(point string) {
	name, count, _ := strings.Cut(text, ":")
	n, err := strconv.ParseInt(count, 10, 64)
	if err != nil || name == "" || n < 1 {
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
