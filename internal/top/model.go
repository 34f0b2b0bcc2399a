package top

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// A pane is what the screen shows.
type pane int

const (
	queuesPane pane = iota
	queuePane
	brokersPane
	topicsPane
	panes
)

func (p pane) String() string { return [...]string{"queues", "queue", "brokers", "topics"}[p] }

// A model is all that the screen shows, without the screen.
type model struct {
	source  string
	now     time.Time
	every   time.Duration
	sample  *Sample // the last good one; nil before the first
	err     error   // why there is no newer one; nil when there is
	history map[string]*history
	since   time.Time // when the plugin was seen to have been restarted; zero is never

	pane     pane
	selected string // the id of a queue
	offset   int    // the first row or line that is shown
	sortBy   int    // an index of columns
	reverse  bool
	paused   bool
	help     bool
}

func newModel(source string, every time.Duration) *model {
	return &model{source: source, every: every, history: make(map[string]*history)}
}

// take takes the answer to a question.
func (m *model) take(s *Sample, err error) {
	m.err = err
	if err != nil {
		return
	}
	if old := m.sample; old != nil && restarted(old, s) {
		m.since = s.Time
		clear(m.history)
	}
	m.sample = s
	there := make(map[string]bool)
	for i := range s.Queues {
		q := &s.Queues[i]
		there[q.ID] = true
		h := m.history[q.ID]
		if h == nil {
			h = &history{}
			m.history[q.ID] = h
		}
		h.note(s.Time, q)
		if s.Sparse {
			q.InRate, q.OutRate = h.rates()
			h.last = *q
		}
	}
	maps.DeleteFunc(m.history, func(id string, _ *history) bool { return !there[id] })
	if m.selected == "" && len(s.Queues) > 0 {
		m.selected = m.sorted()[0].ID
	}
}

// restarted reports whether the plugin was started again between two samples: it says so, or all its counters went back.
func restarted(old, now *Sample) bool {
	if !old.Started.IsZero() && !now.Started.IsZero() {
		return !old.Started.Equal(now.Started)
	}
	both, back := 0, 0
	for _, a := range old.Queues {
		for _, b := range now.Queues {
			if a.ID == b.ID && a.In > 0 {
				both++
				if b.In < a.In {
					back++
				}
			}
		}
	}
	return both > 0 && back == both
}

// columns are those of the list of queues, which are what it can be sorted by.
type column struct {
	name  string
	width int // 0 takes what is left
	text  func(*Queue) string
	cmp   func(a, b *Queue) int // the one that an operator looks for comes first
}

func columns() []column {
	most := func(of func(*Queue) float64) func(a, b *Queue) int {
		return func(a, b *Queue) int { return cmp.Compare(of(b), of(a)) }
	}
	return []column{
		{"STATE", 8, func(q *Queue) string { return state(q) }, func(a, b *Queue) int {
			return cmp.Or(cmp.Compare(gravity(b.State), gravity(a.State)), cmp.Compare(b.depth(), a.depth()))
		}},
		{"QUEUE", 0, func(q *Queue) string { return q.ID }, func(a, b *Queue) int { return strings.Compare(a.ID, b.ID) }},
		{"IN/S", 8, func(q *Queue) string { return rate(q.InRate) }, most(func(q *Queue) float64 { return q.InRate })},
		{"OUT/S", 8, func(q *Queue) string { return rate(q.OutRate) }, most(func(q *Queue) float64 { return q.OutRate })},
		{"DEPTH", 9, func(q *Queue) string { return number(q.depth(), 9) }, most(func(q *Queue) float64 { return float64(q.depth()) })},
		{"DISK", 10, disk, most(func(q *Queue) float64 { return float64(q.SpoolBytes) })},
		{"OLDEST", 7, func(q *Queue) string { return oldest(q) }, most(func(q *Queue) float64 { return q.OldestAge })},
		{"ERRORS", 8, func(q *Queue) string { return number(q.errors(), 8) }, most(func(q *Queue) float64 { return float64(q.errors()) })},
	}
}

func gravity(state string) int { return slices.Index([]string{"ok", "degraded", "failed"}, state) }

// sorted are the queues in the order of the list; equal ones stay in that of the configuration.
func (m *model) sorted() []*Queue {
	if m.sample == nil {
		return nil
	}
	var all []*Queue
	for i := range m.sample.Queues {
		all = append(all, &m.sample.Queues[i])
	}
	by := columns()[m.sortBy].cmp
	slices.SortStableFunc(all, func(a, b *Queue) int {
		if m.reverse {
			return by(b, a)
		}
		return by(a, b)
	})
	return all
}

// queue is the selected one; nil where there is none.
func (m *model) queue() *Queue {
	all := m.sorted()
	if i := m.index(all); i >= 0 {
		return all[i]
	}
	return nil
}

// detail is the queue whose brokers and topics are to be asked for; "" for none.
func (m *model) detail() string {
	if m.pane == queuesPane {
		return ""
	}
	return m.selected
}

// move selects another queue, so many rows below, or above.
func (m *model) move(by int) {
	all := m.sorted()
	if len(all) == 0 {
		return
	}
	m.selected = all[min(max(m.index(all)+by, 0), len(all)-1)].ID
}

// index is where the selected queue is among all, or -1.
func (m *model) index(all []*Queue) int {
	return slices.IndexFunc(all, func(q *Queue) bool { return q.ID == m.selected })
}

// turn goes to another pane, so many to the right, or to the left.
func (m *model) turn(by int) {
	m.pane = (m.pane + panes + pane(by)) % panes
	m.offset = 0
}

var intervals = []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute}

// faster takes the next shorter interval, slower the next longer one.
func (m *model) faster() {
	for _, one := range slices.Backward(intervals) {
		if one < m.every {
			m.every = one
			return
		}
	}
}

func (m *model) slower() {
	for _, one := range intervals {
		if one > m.every {
			m.every = one
			return
		}
	}
}
