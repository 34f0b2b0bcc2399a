// Package logsink writes log records as syslog(3) lines, one a minute for each thing that repeats.
//
// It promises that an outage of a day is a line a minute and queue, not a line a message, and that
// the count of what was held back is printed: what is new is written at once, and what repeats is
// written once a minute, all that one queue repeats in one line. What repeats is found by the message,
// or by the group of slog's WithGroup, in which any line repeats any other. Debug lines are written as
// they come: who asks for them wants them all. A line is one line, whatever a message holds: what comes from a broker, a script or
// a file is escaped, and a line that syslog would cut or refuse is shortened. It knows no C: the caller gives it the function that
// writes. It may be called from any goroutine, under any lock. It does not wait for a syslog that blocks; only a critical line, which
// may be the last one of the process, and Close wait for it, for two seconds at most.
package logsink

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/halon-extras/kafka/internal/report"
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

// A Level is a level of syslog by its name, its priority and what it is in slog.
type Level struct {
	Name     string
	Priority int
	Slog     slog.Level
}

// Levels are all that there are, the most urgent first.
var Levels = [...]Level{
	{"crit", Crit, LevelCrit},
	{"err", Err, slog.LevelError},
	{"warning", Warning, slog.LevelWarn},
	{"notice", Notice, LevelNotice},
	{"info", Info, slog.LevelInfo},
	{"debug", Debug, slog.LevelDebug},
}

// LevelOf returns the level of a priority; what is more urgent than critical counts as critical.
func LevelOf(priority int) Level {
	for _, l := range Levels {
		if l.Priority >= priority {
			return l
		}
	}
	return Levels[len(Levels)-1]
}

// Each is the group of lines that are never held back: reports, each of which has news. What follows it in the name of a group
// says which of them belong together.
const Each = "each"

// queueKey is the attribute with the id of a queue.
const queueKey = "queue"

const (
	prefix = "kafka: " // of every line; the original's
	window = time.Minute

	// remembered bounds the different lines that are counted at once; beyond it, all further ones of a queue count as
	// repetitions of one. Messages carry what brokers say, and that may be new each time.
	remembered = 1000

	// longest bounds a line, in bytes: syslog daemons cut at eight kilobytes by default.
	longest = 7 << 10
)

// others is what repeats when there is no room to remember more.
const others = "\x00others"

// A Sink turns records into lines and holds back repetitions.
type Sink struct {
	out    outlet
	level  slog.Leveler
	recent recent

	mu    sync.Mutex
	seen  map[string]*repeat // by the line without its details; guarded by mu
	timer *time.Timer        // runs while any line is in seen; guarded by mu
}

type repeat struct {
	source   string // who repeats: the attributes of the logger
	priority int    // the most urgent of what is held
	line     string
	since    time.Time
	held     int
}

// New returns a Sink that gives its lines to write, one at a time, from a goroutine of the sink.
func New(level slog.Leveler, write func(priority int, line string)) *Sink {
	return &Sink{out: outlet{write: write}, level: level, seen: make(map[string]*repeat)}
}

// Handler returns the slog handler of the sink.
func (s *Sink) Handler() slog.Handler { return handler{sink: s} }

// Close writes the counts of what is still held back, and waits for syslog, for two seconds at most. The sink may be used
// afterwards.
func (s *Sink) Close() {
	s.sweep(true)
	s.Flush()
}

// Flush waits until what was logged is written, for two seconds at most.
func (s *Sink) Flush() { s.out.flush() }

type handler struct {
	sink  *Sink
	attrs []slog.Attr
	group string
}

func (h handler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.sink.level.Level() }

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	h.attrs = append(h.attrs[:len(h.attrs):len(h.attrs)], attrs...)
	return h
}

func (h handler) WithGroup(name string) slog.Handler {
	h.group = name
	return h
}

func (h handler) Handle(_ context.Context, r slog.Record) error {
	var details []string
	what, source, queue := r.Message, "", ""
	if h.group != "" {
		what = "\x00" + h.group
	}
	note := func(a slog.Attr) bool {
		details = append(details, a.Key+" "+report.Printable(a.Value.String()))
		if a.Key == queueKey {
			queue = a.Value.String()
		}
		return true
	}
	for _, a := range h.attrs { // the queue is a part of what repeats; the details of a call are not
		note(a)
		source += "\x00" + a.Value.String()
	}
	r.Attrs(note)
	text, newline := strings.CutSuffix(r.Message, "\n")
	line := prefix + report.Printable(text)
	switch {
	case len(details) > 0:
		line += " (" + strings.Join(details, ", ") + ")"
	case newline:
		line += "\n" // librdkafka ends some of its texts so, and at the end of a line it begins none
	}
	line = shorten(line)
	priority := priority(r.Level)
	h.sink.recent.note(what+source+"\x00"+queue, queue, priority, line, r.Time)
	if priority > Crit && priority < Debug && !strings.HasPrefix(h.group, Each) && h.sink.hold(priority, what, source, line, r.Time) {
		return nil
	}
	h.sink.out.put(priority, line)
	if priority <= Crit {
		h.sink.out.flush()
	}
	return nil
}

// shorten cuts a line that is too long, and says so.
func shorten(line string) string {
	if len(line) <= longest {
		return line
	}
	end := fmt.Sprintf("... (%d bytes)", len(line))
	cut := longest - len(end)
	for cut > 0 && !utf8.RuneStart(line[cut]) {
		cut--
	}
	return line[:cut] + end
}

func priority(level slog.Level) int {
	for _, l := range Levels {
		if level >= l.Slog {
			return l.Priority
		}
	}
	return Debug
}

// hold says whether the line repeats one of the last minute, and then only counts it.
func (s *Sink) hold(priority int, what, source, line string, at time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := what + source
	if _, ok := s.seen[key]; !ok && len(s.seen) >= remembered {
		key = others + source
	}
	if r, ok := s.seen[key]; ok {
		if r.held == 0 || priority < r.priority {
			r.priority = priority
		}
		r.held++
		r.line = line
		return true
	}
	s.seen[key] = &repeat{source: source, priority: priority, line: line, since: at}
	if s.timer == nil {
		s.scheduleLocked(at)
	}
	return false
}

// sweep writes the counts of lines whose minute is over, or of all.
func (s *Sink) sweep(all bool) {
	for _, e := range s.due(all) {
		s.out.put(e.priority, e.line)
	}
}

// due returns the lines that sweep writes.
//
// What a source repeats comes in one line with the first of it that is due, the most urgent first: a
// queue whose cluster is away fails to connect and fails messages, and that is one line and not two.
// At the end each has its own: it is the last that will be read of it.
func (s *Sink) due(all bool) (outs []entry) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	due := make(map[string][]*repeat)
	for key, r := range s.seen {
		switch {
		case r.held == 0 && now.Sub(r.since) >= window:
			delete(s.seen, key)
		case all && r.held > 0:
			due[key] = append(due[key], r)
		case r.held > 0 && now.Sub(r.since) >= window:
			due[r.source] = nil
		}
	}
	if all {
		clear(s.seen)
	}
	for _, r := range s.seen {
		if _, ok := due[r.source]; ok && r.held > 0 {
			due[r.source] = append(due[r.source], r)
		}
	}
	for _, repeats := range due {
		slices.SortFunc(repeats, func(a, b *repeat) int {
			return cmp.Or(cmp.Compare(a.priority, b.priority), a.since.Compare(b.since), cmp.Compare(a.line, b.line))
		})
		var o entry
		for _, r := range repeats {
			line := fmt.Sprintf("%s, %d more in the last %d s", r.line, r.held, int(now.Sub(r.since).Round(time.Second)/time.Second))
			r.held, r.since = 0, now
			if o.line == "" || len(o.line)+len(line) > longest {
				if o.line != "" {
					outs = append(outs, o)
				}
				o = entry{r.priority, line}
				continue
			}
			o.line += "; and " + strings.TrimPrefix(line, prefix)
		}
		outs = append(outs, o)
	}
	s.scheduleLocked(now)
	slices.SortFunc(outs, func(a, b entry) int { return cmp.Or(cmp.Compare(a.priority, b.priority), cmp.Compare(a.line, b.line)) })
	return outs
}

// scheduleLocked lets the next sweep come when the first minute is over.
func (s *Sink) scheduleLocked(now time.Time) {
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
	s.timer = time.AfterFunc(max(next, 0), func() {
		Guard(func() { s.sweep(false) }, func(fault any, stack string) { s.out.put(Crit, faultLine(fault, stack)) })
	})
}
