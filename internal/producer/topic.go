package producer

import (
	"strings"
	"sync"
	"sync/atomic"

	"github.com/halon-extras/kafka/internal/intake"
	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/resperr"
)

const (
	// internedHeaders bounds the header names that a topic remembers; scripts use a handful.
	internedHeaders = 64
	internedBytes   = 64
)

// A topic is one topic of a queue: what calls are answered about it, and what the sender keeps of its records.
type topic struct {
	name  string
	names map[string]string // interned header names; guarded by Producer.mu

	introduced bool // the intake was asked to know the topic; guarded by Producer.mu
	index      int  // the number that the intake's records carry, or -1; guarded by Producer.mu

	entrance
	traffic
	kept

	send sending // the sender's alone
}

// An entrance is what calls for a topic are answered with. The sender writes it, calls read it.
type entrance struct {
	refusal    atomic.Int32 // a code that calls are answered with at once, or 0
	asked      atomic.Bool  // a call was answered with refusal since the sender looked
	partitions atomic.Int32 // how many the topic has, 0 while unknown

	mu    sync.Mutex
	gate  intake.Gate // the same for calls that the intake answers; guarded by mu
	gated bool        // gate is one; guarded by mu
}

// A traffic is what the sender tells reports of a topic.
type traffic struct {
	inFlight atomic.Int64 // records that are on their way to a broker
	waiting  atomic.Int64 // records that wait to be sent
}

// internLocked points the names of headers, which are the host's memory, at names that stay. The lock
// is the queue's.
func (t *topic) internLocked(headers []record.Header) {
	for i := range headers {
		name := headers[i].Key
		kept, ok := t.names[name]
		if !ok {
			kept = strings.Clone(name)
			if t.names == nil {
				t.names = make(map[string]string)
			}
			// No limit of the queue counts what a topic remembers, so it is little.
			if len(t.names) < internedHeaders && len(kept) <= internedBytes {
				t.names[kept] = kept
			}
		}
		headers[i].Key = kept
	}
}

// refuses returns the code for a record that this topic is known not to take, or NoError.
func (t *topic) refuses(partition int32) resperr.Code {
	if code := t.refusal.Load(); code != 0 {
		if !t.asked.Load() {
			t.asked.Store(true)
		}
		return resperr.Code(code)
	}
	if n := t.partitions.Load(); n > 0 && (partition >= n || partition < -1) {
		return resperr.UnknownPartition
	}
	return resperr.NoError
}

// publish tells the intake what the topic takes now. It follows every change of that.
func (t *topic) publish() {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case !t.gated:
	case t.refusal.Load() != 0:
		t.gate.Refuse(t.refusal.Load())
	default:
		t.gate.Open(t.partitions.Load())
	}
}

// wasAsked says whether a call was answered with the refusal of t since the sender looked.
func (t *topic) wasAsked() bool {
	asked := t.asked.Swap(false)
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.gated && t.gate.Asked() || asked
}

// refuse lets later calls be answered at once with code, or with NoError lets them in again.
func (t *topic) refuse(code resperr.Code, now mono) {
	t.refusal.Store(int32(code))
	t.publish()
	t.send.refused = now
	if code != resperr.NoError {
		t.wasAsked()
	}
}
