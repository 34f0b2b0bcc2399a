package client

import "context"

// Description is the answer to [Client.Describe].
type Description struct {
	Metadata
	Addresses map[int32]string // of Brokers
}

// Describe asks the cluster for its brokers and for these topics, none of which must be named twice, and waits for the answer. It
// changes nothing: what the queue knows of the cluster stays as it is, and no topic is made.
func (c *Client) Describe(ctx context.Context, topics []string) (Description, error) {
	results := make(chan result[metadataAnswer], 1)
	q := &question{topics: topics}
	c.mu.Lock()
	spawned := c.spawnLocked(func() {
		m, err := inquire(c, metadataKey, q.body, q.read)
		results <- result[metadataAnswer]{m, err}
	})
	c.mu.Unlock()
	if !spawned {
		return Description{}, ErrClosed
	}
	select {
	case r := <-results:
		return Description{r.answer.Metadata, r.answer.addresses}, r.err
	case <-ctx.Done():
		return Description{}, ctx.Err()
	}
}
