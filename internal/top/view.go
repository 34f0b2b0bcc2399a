package top

import (
	"fmt"
	"strings"
	"time"

	"github.com/halon-extras/kafka/internal/report"
)

// A style is what a piece of text means; draw.go gives it a colour.
type style int

const (
	plain style = iota
	strong
	heading
	chosen
	good
	warning
	bad
	news // what has changed, blue as in halontop
)

// A span is a piece of a line.
type span struct {
	text  string
	style style
}

type line []span

func text(s string) line { return line{{s, plain}} }

// lines is the whole screen.
func (m *model) lines(width, height int) []line {
	if width < 40 || height < 10 {
		var all []line
		for _, part := range wrap("The terminal is too small: 80 x 24 is meant, 40 x 10 needed. q quits.", width) {
			all = append(all, text(part))
		}
		return all
	}
	all := m.head(width)
	for _, s := range m.sentences() {
		for _, part := range wrap(s.text, width) {
			all = append(all, line{{part, s.style}})
		}
	}
	room := max(height-len(all)-1, 1)
	switch {
	case m.help:
		all = append(all, m.window(m.helpLines(), room)...)
	case m.sample == nil:
	case len(m.sample.Queues) == 0:
		all = append(all, text(""), text("The plugin runs, and has no queues."))
	case m.pane == queuesPane:
		all = append(all, m.list(width, room)...)
	default:
		all = append(all, m.window(m.detailLines(width), room)...)
	}
	all = all[:min(len(all), height-1)]
	for len(all) < height-1 {
		all = append(all, nil)
	}
	return append(all, line{{fit(m.keys(), width), heading}})
}

func (m *model) keys() string {
	switch {
	case m.help:
		return " q quit   ? back   up/down scroll"
	case m.pane == queuesPane:
		return " q quit  left/right panes  up/down select  p pause  s sort  r reverse  ? help"
	}
	return " q quit   left/right panes   up/down scroll   n/N queue   Esc queues   ? help"
}

func (m *model) head(width int) []line {
	clock, up := m.now.UTC().Format(time.RFC3339), ""
	title := "halon-kafka top: " + m.source
	var sums line
	if s := m.sample; s != nil {
		if !s.Started.IsZero() {
			up = "up " + report.Age(m.now.Sub(s.Started)) + "  "
		}
		sums = m.sums()
	}
	rest := up + clock
	return []line{
		{{fit(title, width-len(rest)-1) + " " + rest, strong}},
		sums,
		m.tabs(width),
	}
}

// sums are over all queues.
func (m *model) sums() line {
	number := make(map[string]int)
	var in, out float64
	for i := range m.sample.Queues {
		q := &m.sample.Queues[i]
		number[q.State]++
		in, out = in+q.InRate, out+q.OutRate
	}
	noun := "queues"
	if len(m.sample.Queues) == 1 {
		noun = "queue"
	}
	l := line{{fmt.Sprintf("%d %s:", len(m.sample.Queues), noun), plain}}
	for _, state := range []string{"failed", "degraded", "ok"} {
		if n := number[state]; n > 0 {
			l = append(l, span{fmt.Sprintf(" %d %s", n, state), stateStyle(state)})
		}
	}
	l = append(l, span{fmt.Sprintf("   in %s/s   out %s/s   every %v", rate(in), rate(out), m.every), plain})
	if m.paused {
		l = append(l, span{"   PAUSED", warning})
	}
	return l
}

func stateStyle(state string) style {
	switch state {
	case "ok":
		return good
	case "failed":
		return bad
	}
	return warning
}

// tabs names the panes, and what the list is sorted by.
func (m *model) tabs(width int) line {
	var l line
	used := 0
	for p := range panes {
		one := span{" " + p.String() + " ", plain}
		if p == m.pane {
			one = span{"[" + p.String() + "]", strong}
		}
		l, used = append(l, one), used+len(one.text)
	}
	about := "sorted by " + strings.ToLower(columns()[m.sortBy].name)
	if m.reverse {
		about += ", reversed"
	}
	if m.pane != queuesPane {
		about = report.Printable(m.selected)
	}
	return append(l, span{right(about, max(width-used, 0)), plain})
}

// sentences are what must be known before anything else.
func (m *model) sentences() (all []span) {
	const restartFor = time.Minute
	s := m.sample
	switch {
	case m.err != nil && s == nil:
		all = append(all, span{sentence(m.err.Error()), bad}, span{fmt.Sprintf("It is asked again every %v.", m.every), plain})
	case m.err != nil:
		all = append(all, span{fmt.Sprintf("%s; the numbers are %s old", sentence(m.err.Error()), report.Age(m.now.Sub(s.Time))), bad})
	case s == nil:
		all = append(all, span{"asking ...", plain})
	}
	if !m.since.IsZero() && m.now.Sub(m.since) < restartFor {
		all = append(all, span{fmt.Sprintf("The plugin was restarted; seen at %s. Its counters start from zero.", m.since.UTC().Format(time.RFC3339)), warning})
	}
	return all
}

// list is the table of queues, and below it what there is to say of the selected one.
func (m *model) list(width, room int) []line {
	queues := m.sorted()
	var about []line
	if q := m.queue(); q != nil {
		about = m.about(q, width)
	}
	about = about[:min(len(about), max(room-4, 0))] // the head of the table and some rows come first
	rows := max(room-1-len(about)-1, 1)
	at := max(m.index(queues), 0)
	m.offset = max(min(m.offset, at, len(queues)-rows), at-rows+1, 0)
	all := []line{{{fit(m.row(width, nil), width), heading}}}
	for _, q := range queues[m.offset:min(m.offset+rows, len(queues))] {
		look := plain
		if q.ID == m.selected {
			look = chosen
		} else if q.State != "ok" {
			look = stateStyle(q.State)
		}
		all = append(all, line{{m.row(width, q), look}})
	}
	for len(all) < room-len(about) {
		all = append(all, nil)
	}
	return append(all, about...)
}

// row is a row of the table, or its head for no queue.
func (m *model) row(width int, q *Queue) string {
	all := columns()
	all[0], all[1] = all[1], all[0] // the name first; the state is what it is sorted by at first
	rest := width - 1
	for _, c := range all[1:] {
		rest -= c.width + 1
	}
	var b strings.Builder
	mark := " "
	if q != nil && q.ID == m.selected {
		mark = ">"
	}
	b.WriteString(mark)
	for i, c := range all {
		cell := c.name
		if q != nil {
			cell = report.Printable(c.text(q))
		}
		switch i {
		case 0:
			b.WriteString(fit(cell, max(rest, 4)))
		case 1:
			b.WriteString(" " + fit(cell, c.width))
		default:
			b.WriteString(" " + right(cell, c.width))
		}
	}
	return b.String()
}

// about is what is known of a queue besides its row.
func (m *model) about(q *Queue, width int) []line {
	all := []line{{{report.Printable(q.ID) + ": ", strong}, {report.Printable(q.State), stateStyle(q.State)}, {" since " + m.moment(q.Since), plain}}}
	all = append(all, m.backlog(q, width)...)
	reason := q.Reason
	if reason == "" && len(q.Problems) > 0 {
		reason = q.Problems[0].Kind
	}
	all = append(all, wrapped(report.Printable(reason), width, 2)...)
	if e := q.LastError; e != nil && e.Text != q.Reason {
		all = append(all, wrapped(m.lastError(e), width, 2)...)
	}
	return all
}

// backlog is the line about a backlog, with a bar while it gets smaller.
func (m *model) backlog(q *Queue, width int) []line {
	h := m.history[q.ID]
	if h == nil {
		return nil
	}
	said, share := h.backlogText()
	switch {
	case said == "":
		return nil
	case share < 0:
		return wrapped("backlog: "+said, width, 2)
	}
	const label = "  backlog "
	if room := width - len(label) - len(said) - 1; room >= 12 {
		return []line{{{label, plain}, {Bar(share, min(room, 40)), good}, {" " + said, plain}}}
	}
	return wrapped("backlog: "+said, width, 2)
}

func (m *model) lastError(e *report.LastError) string {
	said := "last error " + m.moment(e.Time) + ": " + report.Printable(e.Text)
	if e.Topic != "" {
		said += " (topic " + report.Printable(e.Topic) + ")"
	}
	return said
}

// moment is a time with how long ago it was.
func (m *model) moment(t time.Time) string {
	if t.IsZero() || t.Year() <= 1 {
		return "the start"
	}
	return fmt.Sprintf("%s (%s ago)", t.UTC().Format(time.RFC3339), report.Age(m.now.Sub(t)))
}

// wrapped is a sentence in at most so many lines, indented; none for "".
func wrapped(s string, width, most int) (all []line) {
	if s == "" {
		return nil
	}
	parts := wrap(s, width-2)
	for i, part := range parts {
		if i == most-1 && len(parts) > most {
			return append(all, text("  "+fit(part+" "+strings.Join(parts[i+1:], " "), width-2)))
		}
		all = append(all, text("  "+part))
	}
	return all
}

// window is the part of a long text that the screen has room for.
func (m *model) window(all []line, room int) []line {
	m.offset = max(min(m.offset, len(all)-room), 0)
	return all[m.offset:min(m.offset+room, len(all))]
}
