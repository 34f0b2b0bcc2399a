package main

import (
	"fmt"
	"io"
	"sync"
)

// terminal writes whole lines, from any goroutine. Each one is written at once: who reads along must see
// an echo before the call that is parked after it.
type terminal struct {
	mu       sync.Mutex
	out, err io.Writer
	stop     bool // guarded by mu, as lost
	lost     bool
}

func newTerminal(out, err io.Writer) *terminal { return &terminal{out: out, err: err} }

// line writes to standard output.
func (t *terminal) line(text string) { t.write(t.out, text) }

// logf writes to standard error.
func (t *terminal) logf(format string, args ...any) { t.write(t.err, fmt.Sprintf(format, args...)) }

var levels = [...]string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}

// syslog writes a line of the plugin's or the script's log, with its level.
func (t *terminal) syslog(priority int, text string) {
	level := "unknown"
	if priority >= 0 && priority < len(levels) {
		level = levels[priority]
	}
	t.mu.Lock()
	t.lost = t.lost || t.stop && priority == critical
	t.mu.Unlock()
	t.logf("[%s] %s", level, text)
}

// critical is syslog's level for what a plugin reports of a queue that ends with messages in it.
const critical = 2

// stopping says that the plugin has begun to stop: what its log reports as lost from now on was lost at the end.
func (t *terminal) stopping() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stop = true
}

func (t *terminal) stops() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.stop
}

func (t *terminal) lostAny() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lost
}

func (t *terminal) write(w io.Writer, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	// Nothing can be done about an output that is gone, and the plugin must drain all the same.
	_, _ = io.WriteString(w, text+"\n")
}
