// Package logsink writes log records as syslog(3) lines, one a minute for each thing that repeats.
//
// It promises that an outage of a day is a line a minute and queue, not a line a message, and that
// the count of what was held back is printed. It knows no C: the caller gives it the function that
// writes. It may be called from any goroutine and never blocks on anything but that function.
package logsink

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// Priorities of syslog(3), part of the ABI of the C library.
const (
	Crit    = 2
	Err     = 3
	Warning = 4
	Notice  = 5
	Info    = 6
	Debug   = 7
)

// Levels that slog has no name for.
const (
	LevelCrit   = slog.LevelError + 4
	LevelNotice = slog.LevelInfo + 2
)

const (
	window = time.Minute

	// remembered bounds the different lines that are counted at once; beyond it, lines are written
	// as they come. Lines carry names of topics, which scripts make up.
	remembered = 1000
)

// A Sink turns records into lines and holds back repetitions.
type Sink struct {
	write func(priority int, line string)
	level slog.Leveler

	mu    sync.Mutex
	seen  map[string]*repeat // by the line without its details; guarded by mu
	timer *time.Timer        // runs only while a line is held back; guarded by mu
}

type repeat struct {
	priority int
	line     string
	since    time.Time
	held     int
}

// New returns a Sink that gives its lines to write, which must be safe for concurrent use.
func New(level slog.Leveler, write func(priority int, line string)) *Sink {
	return &Sink{write: write, level: level, seen: make(map[string]*repeat)}
}

// Handler returns the slog handler of the sink.
func (s *Sink) Handler() slog.Handler { return handler{sink: s} }

// Close writes the counts of what is still held back. The sink may be used afterwards.
func (s *Sink) Close() { s.sweep(true) }

type handler struct {
	sink  *Sink
	attrs []slog.Attr
}

func (h handler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.sink.level.Level() }

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	h.attrs = append(h.attrs[:len(h.attrs):len(h.attrs)], attrs...)
	return h
}

func (h handler) WithGroup(string) slog.Handler { return h }

func (h handler) Handle(_ context.Context, r slog.Record) error {
	var details []string
	key := r.Message
	note := func(a slog.Attr) bool {
		details = append(details, a.Key+" "+a.Value.String())
		return true
	}
	for _, a := range h.attrs { // the queue is a part of what repeats; the details of a call are not
		note(a)
		key += "\x00" + a.Value.String()
	}
	r.Attrs(note)
	line := "kafka: " + r.Message
	if len(details) > 0 {
		line += " (" + strings.Join(details, ", ") + ")"
	}
	h.sink.emit(priority(r.Level), key, line, r.Time)
	return nil
}

func priority(l slog.Level) int {
	switch {
	case l >= LevelCrit:
		return Crit
	case l >= slog.LevelError:
		return Err
	case l >= slog.LevelWarn:
		return Warning
	case l >= LevelNotice:
		return Notice
	case l >= slog.LevelInfo:
		return Info
	}
	return Debug
}

func (s *Sink) emit(priority int, key, line string, at time.Time) {
	if s.hold(priority, key, line, at) {
		return
	}
	s.write(priority, line)
}

// hold says whether the line repeats one of the last minute, and then only counts it.
func (s *Sink) hold(priority int, key, line string, at time.Time) bool {
	if priority <= Crit { // written at start and stop, each once
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.seen[key]; ok {
		r.held++
		r.line = line
		return true
	}
	if len(s.seen) < remembered {
		s.seen[key] = &repeat{priority: priority, line: line, since: at}
		if s.timer == nil {
			s.schedule(at)
		}
	}
	return false
}

// sweep writes the counts of lines whose minute is over, or of all.
func (s *Sink) sweep(all bool) {
	type out struct {
		priority int
		line     string
	}
	var outs []out
	now := time.Now()
	s.mu.Lock()
	for key, r := range s.seen {
		if !all && now.Sub(r.since) < window {
			continue
		}
		if r.held == 0 {
			delete(s.seen, key)
			continue
		}
		outs = append(outs, out{r.priority, fmt.Sprintf("%s, %d more in the last %d s", r.line, r.held,
			int(now.Sub(r.since).Round(time.Second)/time.Second))})
		r.held, r.since = 0, now
	}
	if all {
		clear(s.seen)
	}
	s.schedule(now)
	s.mu.Unlock()
	for _, o := range outs {
		s.write(o.priority, o.line)
	}
}

// schedule lets the next sweep come when the first minute is over. The caller holds s.mu.
func (s *Sink) schedule(now time.Time) {
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
	if len(s.seen) == 0 {
		return
	}
	next := window
	for _, r := range s.seen {
		next = min(next, window-now.Sub(r.since))
	}
	s.timer = time.AfterFunc(max(next, 0), func() { s.sweep(false) })
}
