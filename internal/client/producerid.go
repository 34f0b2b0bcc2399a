package client

import (
	"math/rand/v2"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// AskProducerID asks the cluster for a producer id. It does not block: the event [ProducerID] follows
// when a broker has given one or has permanently refused. What is retriable is tried again until then.
func (c *Client) AskProducerID() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.naming {
		c.naming = c.spawnLocked(c.askProducerID)
	}
}

func (c *Client) askProducerID() {
	e := Event{Kind: ProducerID}
	for pause := c.set.RetryBackoff; ; pause = min(pause*2, c.set.RetryBackoffMax) {
		a, err := inquire(c, producerIDKey, producerIDBody, readProducerID)
		if err == nil && !retriable(a.code) {
			e.ID, e.Epoch, e.Code, e.Err = a.id, a.epoch, a.code, kerr.ErrorForCode(a.code)
			break
		}
		if !c.sleep(time.Duration(float64(max(pause, leastPause)) * (0.8 + 0.4*rand.Float64()))) {
			return
		}
	}
	c.mu.Lock()
	c.naming = false
	c.mu.Unlock()
	c.emit(e)
}

func producerIDBody(dst []byte, version int16) []byte {
	r := kmsg.NewInitProducerIDRequest()
	r.Version = version
	r.TransactionTimeoutMillis = 1<<31 - 1 // counts for transactions only
	return r.AppendTo(dst)
}

// retriable reports whether a broker that answers with the code may answer otherwise soon.
func retriable(code int16) bool {
	switch code {
	case kerr.CoordinatorLoadInProgress.Code, kerr.CoordinatorNotAvailable.Code, kerr.NotCoordinator.Code, kerr.ConcurrentTransactions.Code:
		return true
	}
	return false
}

// sleep waits, and returns false if the client was closed meanwhile.
func (c *Client) sleep(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-c.ctx.Done():
		return false
	}
}
