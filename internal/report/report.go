// Package report holds what a queue knows about itself: counters that always add up.
//
// It promises that in = delivered + failed + queued holds in every [Snapshot], whatever runs at the
// same time. It knows no Kafka and no host; producer writes it, admin reads it, from any goroutine.
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
// a cache line, because the host's threads write the one and the client's goroutine the other.
type Queue struct {
	admitted  atomic.Int64
	admBytes  atomic.Int64
	refused   atomic.Int64
	_         [64]byte
	delivered atomic.Int64
	failed    atomic.Int64

	mu     sync.Mutex
	byCode map[resperr.Code]int64 // guarded by mu
}

// Admit counts one accepted message whose value has the given number of bytes.
func (q *Queue) Admit(valueBytes int) {
	q.admitted.Add(1)
	q.admBytes.Add(int64(valueBytes))
}

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

// Fail counts one accepted message that will never be delivered, under its reason.
func (q *Queue) Fail(code resperr.Code) {
	q.mu.Lock()
	if q.byCode == nil {
		q.byCode = make(map[resperr.Code]int64)
	}
	q.byCode[code]++
	q.mu.Unlock()
	q.failed.Add(1)
}

// Settled returns how many accepted messages have had their delivery report.
func (q *Queue) Settled() int64 { return q.delivered.Load() + q.failed.Load() }

// Failure is a reason for lost messages and how many it lost.
type Failure struct {
	Code  resperr.Code
	Count int64
}

// Snapshot is what a queue says of itself at one moment.
type Snapshot struct {
	In        int64 // messages accepted
	InBytes   int64 // bytes of their values
	Refused   int64 // calls answered with errno
	Delivered int64 // acknowledged by the broker
	Failed    int64 // reported as failed
	Queued    int64 // accepted, no report yet
	Failures  []Failure
}

// Snapshot reads the counters so that In = Delivered + Failed + Queued, and Failed is the sum of Failures.
//
// Reports are read before admissions: the other order could show more reports than messages, and a
// negative queue.
func (q *Queue) Snapshot() Snapshot {
	s := Snapshot{Refused: q.refused.Load()}
	q.mu.Lock()
	for code, n := range q.byCode {
		s.Failures = append(s.Failures, Failure{code, n})
		s.Failed += n
	}
	q.mu.Unlock()
	s.Delivered = q.delivered.Load()
	s.In, s.InBytes = q.admitted.Load(), q.admBytes.Load()
	s.Queued = s.In - s.Delivered - s.Failed
	slices.SortFunc(s.Failures, func(a, b Failure) int { return cmp.Compare(a.Code, b.Code) })
	return s
}

// Topic is what a queue says of one topic.
type Topic struct {
	Name       string `json:"name"`
	Partitions int    `json:"partitions"` // 0 while unknown
	InClient   int    `json:"in_client"`  // records that the Kafka client holds
	Waiting    int    `json:"waiting"`    // records that wait outside the client because the topic is stalled
	Stalled    bool   `json:"stalled"`
}

// Restore counts messages that an earlier process has accepted and that are on disk.
func (q *Queue) Restore(n int64) { q.admitted.Add(n) }

// Withdraw takes back what Admit has counted: the disk did not take the message, and its script is
// told so.
func (q *Queue) Withdraw(valueBytes int) {
	q.admBytes.Add(-int64(valueBytes))
	q.admitted.Add(-1)
}

// FailMany is Fail for n messages at once.
func (q *Queue) FailMany(code resperr.Code, n int64) {
	q.mu.Lock()
	if q.byCode == nil {
		q.byCode = make(map[resperr.Code]int64)
	}
	q.byCode[code] += n
	q.mu.Unlock()
	q.failed.Add(n)
}

// Spool is what a queue says of its spool.
type Spool struct {
	Path     string        `json:"path"`
	Mode     string        `json:"mode"`
	Bytes    int64         `json:"bytes"` // on disk, of MaxBytes
	MaxBytes int64         `json:"max_bytes"`
	Segments int           `json:"segments"`
	Pending  int64         `json:"pending"`         // records that the broker has not acknowledged
	Oldest   time.Time     `json:"oldest,omitzero"` // when the oldest segment with pending records was begun; zero without
	Dropped  int64         `json:"dropped"`         // records given up because the spool was full
	Corrupt  int64         `json:"damaged_places"`  // damaged places that were skipped
	Missing  int64         `json:"missing"`         // records that were lost by damage
	Syncs    int64         `json:"syncs"`
	SyncMax  time.Duration `json:"longest_sync_ns"`
	Degraded string        `json:"degraded"`     // why nothing can be stored now; "" when all is well
	Dead     int64         `json:"dead"`         // dead letters in the folder
	Letters  int64         `json:"dead_letters"` // dead letters written since the start
}
