package logsink

import (
	"fmt"
	"sync"
	"time"

	"github.com/halon-extras/kafka/internal/report"
)

const (
	// waiting bounds the lines that syslog has not taken yet. Beyond it, lines are counted and not kept.
	waiting = 1000

	// patience is how long a critical line, and the end of the process, wait for syslog.
	patience = 2 * time.Second
)

// An outlet writes lines, in order, from a goroutine of its own, which lives only while there are any. syslog(3) blocks
// when the daemon does not read its socket, and who logs may be a thread of the host, the writer of a spool, or the sender of a
// queue: each of them would hold calls for as long.
type outlet struct {
	write func(priority int, line string)

	mu      sync.Mutex
	lines   []entry       // guarded by mu
	lost    int           // lines beyond waiting; guarded by mu
	written chan struct{} // closed when all is written; nil when nothing is being written; guarded by mu
}

type entry struct {
	priority int
	line     string
}

// put takes a line and does not wait for it to be written.
func (o *outlet) put(priority int, line string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.lines) >= waiting {
		o.lost++
		return
	}
	o.lines = append(o.lines, entry{priority, line})
	if o.written == nil {
		o.written = make(chan struct{})
		go o.run()
	}
}

func (o *outlet) run() {
	for {
		o.mu.Lock()
		lines, lost := o.lines, o.lost
		o.lines, o.lost = nil, 0
		if len(lines) == 0 {
			close(o.written)
			o.written = nil
			o.mu.Unlock()
			return
		}
		o.mu.Unlock()
		for _, e := range lines {
			o.give(e.priority, e.line)
		}
		if lost > 0 {
			o.give(Warning, fmt.Sprintf("%ssyslog was too slow, %d line(s) were not written", prefix, lost))
		}
	}
}

// give writes one line. One that makes the writer panic is lost, and has a line instead of it.
func (o *outlet) give(priority int, line string) {
	Guard(func() { o.write(priority, line) }, func(fault any, stack string) { o.write(Crit, faultLine(fault, stack)) })
}

// faultLine is the line of a panic in the log itself.
func faultLine(fault any, stack string) string {
	return shorten(fmt.Sprintf("%sinternal error in the log, please report it: %s (stack %s)", prefix, report.Printable(fmt.Sprint(fault)), report.Printable(stack)))
}

// flush waits until all lines are written, but not longer than patience.
func (o *outlet) flush() {
	o.mu.Lock()
	written := o.written
	o.mu.Unlock()
	if written == nil {
		return
	}
	select {
	case <-written:
	case <-time.After(patience):
	}
}
