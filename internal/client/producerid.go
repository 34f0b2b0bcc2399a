package client

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

// AskProducerID asks the cluster for a producer id, and asks again, with a pause, for as long as the reason passes. It never blocks:
// [ProducerID] follows, with a code where there will be none.
func (c *Client) AskProducerID() {
	c.run(func() {
		for try := 1; ; try++ {
			e, ok := c.producerID()
			if ok {
				if c.life.Err() == nil {
					c.deps.Events(e)
				}
				return
			}
			timer := time.NewTimer(c.set.RetryPause(try))
			select {
			case <-timer.C:
			case <-c.life.Done():
				timer.Stop()
				return
			}
		}
	})
}

// producerID asks one broker that answers.
func (c *Client) producerID() (e Event, ok bool) {
	ctx, cancel := context.WithTimeout(c.life, questionTime)
	defer cancel()
	candidates, _ := c.candidates()
	for _, b := range candidates {
		conn, err := b.obtain(ctx, false)
		if err != nil {
			continue
		}
		version, err := conn.versions.of(keyInitProducerID)
		if err != nil {
			return Event{Kind: ProducerID, Code: kerr.UnsupportedVersion.Code}, true
		}
		got := Event{Kind: ProducerID}
		err = conn.ask(ctx, &call{
			key: keyInitProducerID, version: version, flexible: version >= spoken[keyInitProducerID].flexible, patience: c.set.SocketTimeout,
			encode: func(dst []byte) []byte { return appendProducerID(dst, version) },
		}, func(body []byte) error {
			throttle, code, id, epoch, err := readProducerID(body)
			if err != nil {
				return err
			}
			got.Code, got.ID, got.Epoch = code, id, epoch
			conn.mute(throttle)
			return nil
		})
		if err != nil {
			continue // the answer may still come, and be read into got
		}
		return got, got.Code == 0 || !retriable(got.Code)
	}
	return e, false
}

func retriable(code int16) bool {
	const concurrentTransactions = 51
	return code == concurrentTransactions || kerr.IsRetriable(kerr.ErrorForCode(code))
}
