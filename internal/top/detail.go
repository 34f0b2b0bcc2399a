package top

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/halon-extras/kafka/internal/report"
)

// detailLines is one queue: all of it, or its brokers, or its topics.
func (m *model) detailLines(width int) []line {
	q := m.queue()
	if q == nil {
		return []line{text("The queue " + report.Printable(m.selected) + " is not there any more. Esc goes back to the queues.")}
	}
	var all []line
	if m.pane == queuePane {
		all = append(m.numbers(q, width), text(""))
	}
	s := m.sample
	switch {
	case s.Detail != q.ID:
		return append(all, text("asking ..."))
	case s.Stats == nil:
		why := cmp.Or(s.Why, "the plugin says nothing of its brokers and topics")
		for _, part := range wrap(sentence(why), width) {
			all = append(all, line{{part, bad}})
		}
		return all
	}
	if m.pane != topicsPane {
		all = append(all, brokerLines(s, width)...)
	}
	if m.pane == queuePane {
		all = append(all, text(""))
	}
	if m.pane != brokersPane {
		all = append(all, topicLines(s, width)...)
	}
	return all
}

// numbers is a queue without its brokers and topics.
func (m *model) numbers(q *Queue, width int) []line {
	all := m.about(q, width)
	for _, p := range q.Problems[min(1, len(q.Problems)):] {
		if p.Text == "" {
			all = append(all, text("  also "+report.Printable(p.Kind)))
			continue
		}
		all = append(all, wrapped("also "+report.Printable(p.Kind)+" since "+m.moment(p.Since)+": "+report.Printable(p.Text), width, 3)...)
	}
	n := report.Thousands
	all = append(all,
		text(fmt.Sprintf("  in %s/s, delivered %s/s, in flight %s, oldest %s, waiting calls %s", rate(q.InRate), rate(q.OutRate), n(q.InFlight), oldest(q), n(q.Parked))),
		m.counters(q, "in", func(q *Queue) int64 { return q.In }, "delivered", func(q *Queue) int64 { return q.Delivered },
			"queued", func(q *Queue) int64 { return q.Queued }, "on disk", func(q *Queue) int64 { return q.OnDisk }),
		m.counters(q, "failed", func(q *Queue) int64 { return q.Failed }, "dropped", func(q *Queue) int64 { return q.Dropped },
			"expired", func(q *Queue) int64 { return q.Expired }, "dead", func(q *Queue) int64 { return q.Dead }, "refused calls", func(q *Queue) int64 { return q.Refused }),
	)
	memory := fmt.Sprintf("  memory: %s of %s", report.Size(q.Bytes), report.Size(q.LimitBytes))
	if m.sample.Sparse {
		memory = "  memory: at most " + report.Size(q.LimitBytes)
	}
	if q.LimitMessages > 0 {
		memory += fmt.Sprintf("; %s of %s messages", n(q.Queued), n(q.LimitMessages))
	}
	all = append(all, text(memory))
	if q.SpoolLimit > 0 {
		all = append(all, text(fmt.Sprintf("  spool (%s): %s of %s, %d %%; dead letters %s", report.Printable(q.Storage), report.Size(q.SpoolBytes), report.Size(q.SpoolLimit),
			int(100*float64(q.SpoolBytes)/float64(q.SpoolLimit)), n(q.DeadPending))))
	}
	if m.sample.Sparse {
		all = append(all, text("  the listener does not give the last error: see the log, or use halonctl"))
	}
	return all
}

// counters is a line of counters, each with what has changed since the last sample: pairs of a name and a func(*Queue) int64.
func (m *model) counters(q *Queue, pairs ...any) line {
	l := line{{"  ", plain}}
	var before *Queue
	if h := m.history[q.ID]; h != nil && h.before.ID != "" {
		before = &h.before
	}
	for i := 0; i < len(pairs); i += 2 {
		of := pairs[i+1].(func(*Queue) int64)
		if i > 0 {
			l = append(l, span{", ", plain})
		}
		l = append(l, span{fmt.Sprintf("%s %s", pairs[i], report.Thousands(of(q))), plain})
		if before != nil && of(q) != of(before) {
			change := of(q) - of(before)
			sign := ""
			if change > 0 {
				sign = "+"
			}
			l = append(l, span{" " + sign + report.Thousands(change), news})
		}
	}
	return l
}

func brokerLines(s *Sample, width int) []line {
	rows := [][]string{{"BROKER", "STATE", "FOR", "RTT ms", "INFLT", "REQUEST", "RETRY", "TMOUT", "PART"}}
	names := slices.Sorted(maps.Keys(s.Stats.Brokers))
	for _, name := range names {
		b := s.Stats.Brokers[name]
		row := []string{
			report.Printable(name), report.Printable(b.State), report.Age(time.Duration(b.StateAge) * time.Microsecond), "-", report.Thousands(int64(b.WaitrespCnt)),
			number(int64(b.Tx), 7), number(b.TxRetries, 5), number(int64(b.ReqTimeouts), 5), fmt.Sprint(b.TopparCnt),
		}
		if b.RTT.Avg > 0 {
			row[3] = fmt.Sprintf("%.1f", float64(b.RTT.Avg)/1000)
		}
		if s.Sparse {
			row[2], row[6], row[8] = "-", "-", "-"
		}
		rows = append(rows, row)
	}
	return withErrors(fitTable(rows, width), func(i int) string { return s.Stats.Brokers[names[i]].LastError }, width, func(i int) style {
		if s.Stats.Brokers[names[i]].State == "UP" {
			return plain
		}
		return warning
	})
}

// fitTable makes the first column narrower where the table is too wide.
func fitTable(rows [][]string, width int) []string {
	lines := table(rows, 0, 1)
	widest := 0
	for _, l := range lines {
		widest = max(widest, len([]rune(l)))
	}
	if widest > width {
		first := 0
		for _, row := range rows {
			first = max(first, len([]rune(row[0])))
		}
		for _, row := range rows {
			row[0] = fit(row[0], max(first-(widest-width), 8))
		}
		lines = table(rows, 0, 1)
	}
	return lines
}

// withErrors makes lines of a table, with the error of a row below it.
func withErrors(rows []string, failure func(int) string, width int, look func(int) style) []line {
	all := []line{{{fit(rows[0], width), heading}}}
	for i, row := range rows[1:] {
		all = append(all, line{{row, look(i)}})
		all = append(all, wrapped(report.Printable(failure(i)), width, 2)...)
	}
	if len(rows) == 1 {
		all = append(all, text("  none yet"))
	}
	return all
}

// topicLines are the topics, the stalled ones first and then those with most messages, each with its partitions.
func topicLines(s *Sample, width int) []line {
	names := slices.SortedFunc(maps.Keys(s.Stats.Topics), func(a, b string) int {
		x, y := s.Stats.Topics[a], s.Stats.Topics[b]
		if x.Stalled != y.Stalled {
			return map[bool]int{true: -1, false: 1}[x.Stalled]
		}
		return cmp.Or(cmp.Compare(y.MsgqCnt+y.XmitMsgqCnt, x.MsgqCnt+x.XmitMsgqCnt), strings.Compare(a, b))
	})
	rows := [][]string{{"TOPIC", "STATE", "PARTITION", "LEADER", "WAITING", "INFLT", "DELIVERED"}}
	looks := []style{}
	n := func(i int) string { return report.Thousands(int64(i)) }
	for _, name := range names {
		t := s.Stats.Topics[name]
		state, look, partitions := "ok", plain, "all "+fmt.Sprint(t.PartitionCnt)
		if t.Stalled {
			state, look = "stalled", warning
		}
		if t.PartitionCnt == 0 {
			partitions = "unknown"
		}
		delivered := "-"
		if len(t.Partitions) > 0 {
			var sum int64
			for _, p := range t.Partitions {
				sum += p.TxMsgs
			}
			delivered = report.Thousands(sum)
		}
		rows, looks = append(rows, []string{report.Printable(name), state, partitions, "", n(t.MsgqCnt), n(t.XmitMsgqCnt), delivered}), append(looks, look)
		parts := slices.SortedFunc(maps.Values(t.Partitions), func(a, b report.PartitionStatistics) int { return cmp.Compare(a.Partition, b.Partition) })
		for _, p := range parts {
			look := plain
			if p.State != "open" {
				look = warning
			}
			rows = append(rows, []string{"", report.Printable(p.State), fmt.Sprint(p.Partition), fmt.Sprint(p.Leader), n(p.MsgqCnt), n(p.MsgsInflight), report.Thousands(p.TxMsgs)})
			looks = append(looks, look)
		}
	}
	return withErrors(fitTable(rows, width), func(int) string { return "" }, width, func(i int) style { return looks[i] })
}

func (m *model) helpLines() []line {
	var all []line
	for l := range strings.Lines(Keys) {
		all = append(all, text(strings.TrimSuffix(l, "\n")))
	}
	return all
}

// Keys is the help for the keys, on the screen and in the help of the command.
const Keys = `Keys, as in halontop where it has one:
  left, right, < >   the panes: queues, one queue, its brokers, its topics
  up, down, j k      select a queue, or scroll; PgUp, PgDn, Home, End too
  Enter              the selected queue; Esc goes back to the queues
  n, N               the next queue, the one before
  s, S               sort by the next column, by the one before; r reverses
  p, space           pause: the screen stays as it is
  + -                ask more often, less often
  ? h                this help
  q, Ctrl-C          quit; Ctrl-Z suspends

Columns:
  IN/S, OUT/S        messages a second, accepted and delivered, over ten seconds
  DEPTH              messages that wait: in memory and on disk
  DISK               bytes of the spool; - without one
  OLDEST             how long the oldest of them has waited
  ERRORS             messages given up and calls refused since the start
  INFLT, TMOUT       without an answer yet; without an answer in time
A backlog is messages of which the oldest has waited for 5 seconds. While it
gets smaller, a bar has the share that is done, the rate, and the time left.
`
