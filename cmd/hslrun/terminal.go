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
	t.logf("[%s] %s", level, text)
}

func (t *terminal) write(w io.Writer, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	// Nothing can be done about an output that is gone, and the plugin must drain all the same.
	_, _ = io.WriteString(w, text+"\n")
}
