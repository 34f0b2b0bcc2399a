// Package report holds what a queue knows about itself: counters that always add up.
//
// It promises that in = delivered + failed + queued holds in every [Snapshot], whatever runs at the same time, and so does the finer
// in = delivered + given up + dropped + expired + dead + in memory + on disk. It knows no Kafka and no host; producer writes it, admin reads it, from any goroutine.
package report

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/halon-extras/kafka/internal/resperr"
)

// Queue counts the messages of one queue.
//
// Admitted grows under the queue's own lock, Released at each delivery report; the two are apart by
// a cache line, because the host's threads write the one and the sender the other.
type Queue struct {
	admitted  atomic.Int64
	admBytes  atomic.Int64
	refused   atomic.Int64
	_         [64]byte
	delivered atomic.Int64
	failed    atomic.Int64
	doubted   atomic.Int64

	mu   sync.Mutex
	lost map[Loss]int64 // guarded by mu
}

// Admit counts one accepted message whose value has the given number of bytes.
func (q *Queue) Admit(valueBytes int) { q.AdmitMany(1, int64(valueBytes)) }

// AdmitMany is Admit for n messages at once. It takes numbers below zero where an estimate was too high.
func (q *Queue) AdmitMany(n, valueBytes int64) {
	q.admitted.Add(n)
	q.admBytes.Add(valueBytes)
}

// Refuse counts one call that was answered with an error instead of being accepted.
func (q *Queue) Refuse() { q.refused.Add(1) }

// RefuseMany is Refuse for n calls at once.
func (q *Queue) RefuseMany(n int64) { q.refused.Add(n) }

// Deliver counts one message that the broker acknowledged.
func (q *Queue) Deliver() { q.delivered.Add(1) }

// DeliverMany is Deliver for n messages at once.
func (q *Queue) DeliverMany(n int64) { q.delivered.Add(n) }

// Doubt counts n messages that may be delivered twice, before they are sent.
func (q *Queue) Doubt(n int64) { q.doubted.Add(n) }

// Doubted returns how many were counted by Doubt.
func (q *Queue) Doubted() int64 { return q.doubted.Load() }

// A Fate is what became of an accepted message that was not delivered.
type Fate uint8

// The fates.
const (
	Failed  Fate = iota // given up for a reason that is none of the others
	Dropped             // by on_full: drop_oldest, or purged by command
	Expired             // it was too old
	Dead                // it is a dead letter
)

// String returns the word that metrics and commands use.
func (f Fate) String() string { return [...]string{"failed", "dropped", "expired", "dead"}[f] }

// A Loss is a fate and its reason.
type Loss struct {
	Fate Fate
	Code resperr.Code
}

// Fail counts one accepted message that will never be delivered, under its reason: as expired where that is its age.
func (q *Queue) Fail(code resperr.Code) { q.FailMany(code, 1) }

// FailMany is Fail for n messages at once.
func (q *Queue) FailMany(code resperr.Code, n int64) {
	fate := Failed
	if code == resperr.MsgTimedOut {
		fate = Expired
	}
	q.Lose(Loss{fate, code}, n)
}

// Lose counts n accepted messages that will never be delivered.
func (q *Queue) Lose(l Loss, n int64) {
	q.mu.Lock()
	if q.lost == nil {
		q.lost = make(map[Loss]int64)
	}
	q.lost[l] += n
	q.mu.Unlock()
	q.failed.Add(n)
}

// Failure is a reason for lost messages and how many it lost.
type Failure struct {
	Loss
	Count int64
}

// Snapshot is what a queue says of itself at one moment.
type Snapshot struct {
	In        int64 // messages accepted
	InBytes   int64 // bytes of their values
	Refused   int64 // calls answered with errno
	Delivered int64 // acknowledged by the broker
	Failed    int64 // given up, whatever became of it: with the next three
	Dropped   int64 // to make room, or by command
	Expired   int64 // because of its age
	Dead      int64 // made a dead letter
	Queued    int64 // accepted, no report yet, wherever it is: with the next one
	OnDisk    int64
	Failures  []Failure
}

// GivenUp is how many of Failed have none of the other fates.
func (s *Snapshot) GivenUp() int64 { return s.Failed - s.Dropped - s.Expired - s.Dead }

// InMemory is how many of Queued are in memory only.
func (s *Snapshot) InMemory() int64 { return s.Queued - s.OnDisk }

// Snapshot reads the counters so that In = Delivered + Failed + Queued, and Failed is the sum of Failures.
//
// Reports are read before admissions: the other order could show more reports than messages, and a
// negative queue.
func (q *Queue) Snapshot() Snapshot {
	s := Snapshot{Refused: q.refused.Load()}
	q.mu.Lock()
	for l, n := range q.lost {
		s.Failures = append(s.Failures, Failure{l, n})
		s.Failed += n
		switch l.Fate {
		case Dropped:
			s.Dropped += n
		case Expired:
			s.Expired += n
		case Dead:
			s.Dead += n
		}
	}
	q.mu.Unlock()
	s.Delivered = q.delivered.Load()
	s.In, s.InBytes = q.admitted.Load(), q.admBytes.Load()
	s.Queued = s.In - s.Delivered - s.Failed
	slices.SortFunc(s.Failures, func(a, b Failure) int { return cmp.Or(cmp.Compare(a.Fate, b.Fate), cmp.Compare(a.Code, b.Code)) })
	return s
}

// Stored says that n messages without a report are on disk. A spool lets go of a message a moment after or before it is counted, so
// no more than have no report.
func (s *Snapshot) Stored(n int64) {
	s.OnDisk = min(max(n, 0), s.Queued)
}

// Topic is what a queue says of one topic.
type Topic struct {
	Name       string `json:"name"`
	Partitions int    `json:"partitions"` // 0 while unknown
	InClient   int    `json:"in_client"`  // records on their way to a broker
	Waiting    int    `json:"waiting"`    // records in memory that wait to be sent
	Stalled    bool   `json:"stalled"`
}

// Restore counts messages that an earlier process has accepted and that are on disk.
func (q *Queue) Restore(n int64) { q.admitted.Add(n) }

// Withdraw takes back what Admit has counted: the disk did not take the message, and its script is
// told so.
func (q *Queue) Withdraw(valueBytes int) { q.AdmitMany(-1, -int64(valueBytes)) }

// Spool is what a queue says of its spool.
type Spool struct {
	Path     string        `json:"path"`
	Mode     string        `json:"mode"`
	Bytes    int64         `json:"bytes"` // on disk, of MaxBytes
	MaxBytes int64         `json:"max_bytes"`
	Segments int           `json:"segments"`
	Pending  int64         `json:"pending"`         // records that the broker has not acknowledged
	Oldest   time.Time     `json:"oldest,omitzero"` // when the oldest pending record was stored; zero without
	Dropped  int64         `json:"dropped"`         // records given up because the spool was full
	Corrupt  int64         `json:"damaged_places"`  // damaged places that were skipped
	Missing  int64         `json:"missing"`         // records that were lost by damage
	Syncs    int64         `json:"syncs"`
	SyncMax  time.Duration `json:"longest_sync_ns"`
	Degraded string        `json:"degraded"`            // why nothing can be stored now; "" when all is well
	Dead     int64         `json:"dead"`                // dead letters in the folder
	Letters  int64         `json:"dead_letters"`        // dead letters written since the start
	Doubted  int64         `json:"possibly_duplicated"` // records that were sent though they may be delivered twice, of a queue that delivers once
}
