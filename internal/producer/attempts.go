package producer

import (
	"errors"
	"math"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// mostAttempts bounds how many writes are remembered for a broker. A message that was in more
// requests than this is failed when the client gives it up, whatever retries says.
const mostAttempts = 64

// attempts knows when produce requests were last written to each broker, so that a limit of retries
// counts what librdkafka counts: requests that may have reached a broker.
//
// The client counts each look for a leader and each failed connection too. With retries=3 it gives
// up everything two seconds after a broker has gone, and a topic that is being created before it is
// there, although not one request was sent. Those records go again.
type attempts struct {
	limit int // writes that are remembered

	mu     sync.Mutex
	writes map[int32]*written // by broker; guarded by mu
}

// written is the last writes to one broker, in a ring.
type written struct {
	times []time.Time
	next  int
}

// newAttempts returns nil where retries are not limited: there is nothing to count.
func newAttempts(retries int) *attempts {
	if retries == math.MaxInt32 {
		return nil
	}
	return &attempts{limit: min(retries+1, mostAttempts), writes: make(map[int32]*written)}
}

// OnBrokerWrite implements [kgo.HookBrokerWrite].
func (a *attempts) OnBrokerWrite(meta kgo.BrokerMetadata, key int16, bytes int, _, _ time.Duration, _ error) {
	if key != produceKey || bytes == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	w := a.writes[meta.NodeID]
	if w == nil {
		w = &written{times: make([]time.Time, a.limit)}
		a.writes[meta.NodeID] = w
	}
	w.times[w.next] = time.Now()
	w.next = (w.next + 1) % len(w.times)
}

// produceKey is the key of a produce request: part of Kafka's protocol.
const produceKey = 0

// left says whether a record that was accepted at since can have been in fewer requests to the
// broker than it may be: every request written since then counts, because the client does not tell
// which records it held.
func (a *attempts) left(broker int32, since time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	w := a.writes[broker]
	return w == nil || w.times[w.next].Before(since) // the oldest that is remembered
}

// leftEverywhere is left for a broker that is not known: each must have had fewer requests.
func (a *attempts) leftEverywhere(since time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, w := range a.writes {
		if !w.times[w.next].Before(since) {
			return false
		}
	}
	return true
}

// unsent says whether the client has given up a record that another attempt is due to: no broker
// has refused it, and its retries are not used up.
func (p *Producer) unsent(l *lane, e *entry, err error) bool {
	var code *kerr.Error
	switch {
	case errors.Is(err, kgo.ErrClientClosed), errors.Is(err, kgo.ErrAborting), errors.Is(err, kgo.ErrRecordTimeout):
		return false
	case errors.Is(err, kerr.SaslAuthenticationFailed), errors.Is(err, kerr.UnsupportedSaslMechanism), errors.Is(err, kerr.IllegalSaslState):
		// The login has failed, and the message was not even shown.
	case errors.As(err, &code):
		if !code.Retriable || code == kerr.UnknownTopicID { // the topic was made anew, see again
			return false
		}
		if leaderMoved(code) {
			return true
		}
	case errors.Is(err, kgo.ErrRecordRetries), isNetwork(err), tlsText(err) != "":
	default:
		return false
	}
	if p.attempts == nil {
		return true
	}
	leader, _, err := p.client.PartitionLeader(l.topic, e.Partition)
	switch {
	case err == nil && leader >= 0:
		return p.attempts.left(leader, e.Timestamp)
	case code != nil:
		// A broker has answered, and the client is asking for the leader again: it was sent, to one of them.
		return p.attempts.leftEverywhere(e.Timestamp)
	}
	return true // while the topic is not known, or its partition has no leader, nothing was sent anywhere
}

// leaderMoved says whether code sends a record to look for its leader again. librdkafka does not
// count such a try against retries: the record was with the wrong broker.
func leaderMoved(code *kerr.Error) bool {
	switch code {
	case kerr.UnknownTopicOrPartition, kerr.LeaderNotAvailable, kerr.NotLeaderForPartition, kerr.BrokerNotAvailable,
		kerr.ReplicaNotAvailable, kerr.CoordinatorNotAvailable, kerr.NotCoordinator:
		return true
	}
	return false
}
