package producer

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/halon-extras/kafka/internal/intake"
	"github.com/halon-extras/kafka/internal/resperr"
)

const (
	// stallAfter is how long the client may hold records of a topic without delivering one before
	// the topic's next records wait outside. It bounds the difference in age of what the client
	// holds: the client fails everything that it has of a partition when the oldest is too old.
	stallAfter = time.Second

	// probeRecords are tried on a stalled topic. More would only fail together.
	probeRecords = 1000

	// probeEvery keeps a topic that fails at once from being tried without a pause.
	probeEvery = 100 * time.Millisecond

	// internedHeaders bounds the header names that a topic remembers; scripts use a handful.
	internedHeaders = 64
	internedBytes   = 64
)

// How far a purge is. The client is made to forget a topic when it holds on to an answer that is no
// longer true; it gives back all records of the topic then. Until the last one is back, none may be
// handed over: one that went in after the purge would pass those that went in before.
const (
	purgeNone     = iota
	purgeWanted   // a report has found the client stuck
	purgeUnderWay // the client is forgetting
	purgeDone     // it has forgotten; records may still be on their way back
)

// A lane is one topic of a queue: the unit that can be held up without holding up the rest.
//
// While records of the topic get through, they go straight to the client. When none has for
// stallAfter, the lane is stalled: new records wait in backlog, in order, where they cost no retry,
// expire each at its own time, and do not sit in front of another topic's.
type lane struct {
	topic string
	names map[string]string // interned header names; guarded by the queue's lock

	inClient   atomic.Int64 // records that the client holds
	progressed atomic.Bool  // a record was delivered since the sender looked
	held       atomic.Bool  // stalled, or about to be: reports wake the sender
	outside    atomic.Int64 // len(backlog), for those who look from outside
	refusal    atomic.Int32 // a code that calls are answered with at once, or 0
	asked      atomic.Bool  // a call was answered with refusal since the sender looked
	verdict    atomic.Int32 // what records fail with that the client was made to give back, or 0
	purge      atomic.Int32 // how far the client is with forgetting the topic: a purge constant
	known      atomic.Bool  // the client has loaded the topic once: it has chosen a partition
	partitions atomic.Int32 // how many the topic has, 0 while unknown

	// Behind a spool.
	kept
	unsaved    atomic.Int64 // records in memory that are on no disk
	holds      atomic.Int64 // records in memory
	holdsBytes atomic.Int64 // and bytes of their values
	proven     atomic.Bool  // something was delivered since the last stall
	denied     atomic.Int64 // since when the cluster refuses writes, in ns since 1970, or 0

	introduced bool // the intake was asked to know the topic; guarded by the queue's lock

	mu    sync.Mutex
	gate  intake.Gate // guarded by mu
	gated bool        // gate is one; guarded by mu
	again []*entry    // given back by the client before their time was over, in order; guarded by mu

	// The rest belongs to the sender.
	active  bool      // in sender.active
	born    time.Time // of the first call: from here on an unknown topic has its time to appear
	refused time.Time // when refusal was last asked for
	moved   time.Time // when the topic last got on
	stalled time.Time // since when the topic is stalled, behind a spool
	backlog []*entry
	back    int   // how many at the front of backlog the client has given back since it was last handed any
	store   *slab // where backlog copies records of mixed slabs, so that those can go
}

// intern points the names of headers, which are the host's memory, at names that stay. The caller
// holds the queue's lock.
func (l *lane) intern(headers []kgo.RecordHeader) {
	for i := range headers {
		name := headers[i].Key
		kept, ok := l.names[name]
		if !ok {
			kept = strings.Clone(name)
			if l.names == nil {
				l.names = make(map[string]string)
			}
			// No limit of the queue counts what a topic remembers, so it is little.
			if len(l.names) < internedHeaders && len(kept) <= internedBytes {
				l.names[kept] = kept
			}
		}
		headers[i].Key = kept
	}
}

// refuses returns the code for a record that this topic is known not to take, or NoError.
func (l *lane) refuses(partition int32) resperr.Code {
	if code := l.refusal.Load(); code != 0 {
		if !l.asked.Load() {
			l.asked.Store(true)
		}
		return resperr.Code(code)
	}
	if n := l.partitions.Load(); n > 0 && (partition >= n || partition < -1) {
		return resperr.UnknownPartition
	}
	return resperr.NoError
}

// waiting says whether records of the lane are outside the client.
func (l *lane) waiting() bool {
	if len(l.backlog) > 0 {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.again) > 0
}

// reclaim puts what the client gave back in front of the backlog: it is older than all of it, but
// for what came back before it. The client gives back what it has of a partition at one moment, and
// what was handed over during that moment later.
func (l *lane) reclaim() {
	l.mu.Lock()
	again := l.again
	l.again = nil
	l.mu.Unlock()
	if len(again) > 0 {
		l.backlog = slices.Insert(l.backlog, l.back, again...)
		l.back += len(again)
	}
}
