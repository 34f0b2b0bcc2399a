package logsink

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"
)

// kept bounds what [Sink.Recent] remembers.
const kept = 100

// An Entry is a warning or an error that was logged, with its repetitions.
type Entry struct {
	First, Last time.Time
	Count       int
	Priority    int    // of the last, as syslog(3) counts
	Queue       string // "" where it is about none
	Text        string // the last line, fit for a terminal
}

// recent are the last warnings and errors, whether their lines were written or held back.
type recent struct {
	mu  sync.Mutex
	all map[string]*Entry // by what repeats; guarded by mu
}

func (r *recent) note(key, queue string, priority int, line string, at time.Time) {
	if priority > Warning {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.all[key]
	if e == nil {
		if len(r.all) >= kept {
			r.forgetLocked()
		}
		if r.all == nil {
			r.all = make(map[string]*Entry)
		}
		e = &Entry{First: at, Queue: queue}
		r.all[key] = e
	}
	e.Count++
	e.Last, e.Priority, e.Text = at, priority, strings.TrimPrefix(line, prefix)
}

// forgetLocked makes room.
func (r *recent) forgetLocked() {
	oldest := ""
	for key, e := range r.all {
		if oldest == "" || e.Last.Before(r.all[oldest].Last) {
			oldest = key
		}
	}
	delete(r.all, oldest)
}

// Recent returns the last warnings and errors, at most a hundred different ones, the latest first. Those about queue, or
// all for "".
func (s *Sink) Recent(queue string) []Entry {
	s.recent.mu.Lock()
	var all []Entry
	for _, e := range s.recent.all {
		if queue == "" || e.Queue == queue {
			all = append(all, *e)
		}
	}
	s.recent.mu.Unlock()
	slices.SortFunc(all, func(a, b Entry) int { return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.Text, b.Text)) })
	return all
}
