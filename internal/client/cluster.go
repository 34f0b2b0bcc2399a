package client

import (
	"math/rand/v2"
	"slices"
	"time"
)

// What the client waits for an answer before it asks another broker beside, and for a connection.
const (
	patience     = 2 * time.Second
	dialPatience = 500 * time.Millisecond
)

// mostAsked is how many brokers are asked one question, beside the bootstrap servers.
const mostAsked = 8

// asked is a request to one of the brokers that may answer a question.
type asked struct {
	b *broker
	r *request
}

// inquire asks any broker: one that is up, else those that are known, the least failed first, with a
// bootstrap server as every third. One that has not answered for a while is not given up, but another is
// asked beside it. It returns the first answer, or the last error when all have failed.
func inquire[T any](c *Client, key int16, body func([]byte, int16) []byte, read func(*cursor, int16) (T, int32, error)) (T, error) {
	var none T
	results := make(chan result[T], mostAsked+2*len(c.set.Brokers)) // room for all: who answers never waits
	tried := map[*broker]bool{}
	var open []asked
	defer func() { c.withdraw(open) }()
	answered, last := 0, ErrNoBrokers
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		r := newRequest(c, key, body, read, results)
		b, wait := c.give(r, tried)
		switch {
		case b != nil:
			tried[b] = true
			open = append(open, asked{b, r})
		case answered == len(open):
			return none, last
		}
		timer.Reset(wait)
		select {
		case res := <-results:
			if res.err == nil {
				return res.answer, nil
			}
			answered++
			last = res.err
		case <-timer.C:
		case <-c.ctx.Done():
			return none, ErrClosed
		}
	}
}

// result is what became of a request, with what was read of its answer.
type result[T any] struct {
	answer T
	err    error
}

// newRequest returns a request whose end comes to results, for which there must be room.
func newRequest[T any](c *Client, key int16, body func([]byte, int16) []byte, read func(*cursor, int16) (T, int32, error), results chan<- result[T]) *request {
	var got T // belongs to the goroutine that reads until done
	return &request{
		key: key, body: body, deadline: c.set.SocketTimeout,
		read: func(a *cursor, version int16) (throttle int32, err error) {
			got, throttle, err = read(a, version)
			return throttle, err
		},
		done: func(err error) { results <- result[T]{got, err} },
	}
}

// give puts r into the queue of the best broker that was not tried, and returns it, and how long to
// wait until the next is tried.
func (c *Client) give(r *request, tried map[*broker]bool) (*broker, time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.bestLocked(tried)
	if b == nil || c.closed {
		return nil, time.Hour
	}
	wait := min(c.set.SocketTimeout, dialPatience)
	if b.state == Ready {
		wait = min(c.set.SocketTimeout, patience)
	}
	b.queue = append(b.queue, r)
	b.startLocked()
	return b, wait
}

// bestLocked returns the best broker to ask of those that were not tried.
func (c *Client) bestLocked(tried map[*broker]bool) *broker {
	var best *broker
	least, now := 0.0, time.Now()
	seedsTurn := len(tried)%3 == 2
	consider := func(b *broker, address string, seed bool) {
		if tried[b] && b != nil {
			return
		}
		if rank := b.rankLocked(now, seed, seedsTurn); best == nil || rank < least {
			if b == nil {
				b = c.brokerLocked(address)
			}
			best, least = b, rank
		}
	}
	if len(tried) < mostAsked+len(c.set.Brokers) {
		n := 0
		for _, address := range c.known { // in an order of chance
			if n < 2*mostAsked || c.brokers[address] != nil {
				consider(c.brokers[address], address, false)
			}
			n++
		}
	}
	for _, address := range c.set.Brokers {
		if b := c.brokerLocked(address); len(b.ids) == 0 {
			consider(b, address, true)
		}
	}
	return best
}

// rankLocked says how good it is to ask the broker: the lower, the better. It may be nil: never used.
func (b *broker) rankLocked(now time.Time, seed, seedsTurn bool) float64 {
	rank := rand.Float64() / 2
	if seed && !seedsTurn {
		rank += 1000
	}
	if b == nil {
		return rank + 10
	}
	switch {
	case b.state == Ready && !b.leaving:
		return rank / 1000
	case b.state == Muted || b.state == Finishing:
		rank += 500
	}
	if b.until.After(now) {
		rank += 2000
	}
	return rank + 10 + float64(b.failures)
}

// withdraw takes back what was not written: nobody waits for it any more.
func (c *Client) withdraw(open []asked) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, o := range open {
		if i := slices.Index(o.b.queue, o.r); i >= 0 {
			o.b.queue = slices.Delete(o.b.queue, i, i+1)
			o.b.poke()
		}
	}
}

// mostConnected is how many brokers are connected to where enable.sparse.connections is false.
const mostConnected = 256

// learn takes over what the cluster says of its brokers.
func (c *Client) learn(addresses map[int32]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fresh = time.Now()
	c.renameLocked(addresses)
	if c.net.Sparse {
		return
	}
	n := 0
	for _, address := range c.known {
		if n++; n <= mostConnected {
			c.wantLocked(address)
		}
	}
}

// renameLocked gives the brokers their ids. One that has lost its id goes on until what is open is answered.
func (c *Client) renameLocked(addresses map[int32]string) {
	c.known = addresses
	ids := make(map[string][]int32, len(c.brokers))
	for id, address := range addresses {
		if c.brokers[address] != nil {
			ids[address] = append(ids[address], id)
		}
	}
	for address, b := range c.brokers {
		fresh := ids[address]
		slices.Sort(fresh)
		switch {
		case slices.Equal(b.ids, fresh):
			b.leaving = false
		case len(b.ids) == 0 || b.conn == nil && !b.running:
			b.ids, b.wanted = fresh, b.wanted && len(fresh) > 0
		default:
			b.leaving = true
		}
		if b.running {
			b.poke()
		} else if len(b.ids) == 0 && !b.seed {
			delete(c.brokers, address)
		}
	}
}

// moved gives a broker that has lost its connection, because it lost an id, those that its address has
// now. Who wanted it by the old one gets the broker that has the old one now.
func (b *broker) moved() {
	c := b.c
	c.mu.Lock()
	defer c.mu.Unlock()
	old, wanted := b.ids, b.wanted
	b.ids, b.leaving = c.idsOfLocked(b.address), false
	b.wanted = wanted && len(b.ids) > 0
	for _, id := range old {
		if address, ok := c.known[id]; ok && (wanted || c.brokers[address] != nil && c.brokers[address].wanted) {
			c.wantLocked(address)
		}
	}
}

// rebootstrap forgets the brokers when nothing can be learnt from them any more: the cluster may have
// moved as a whole.
func (c *Client) rebootstrap(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.net.Rebootstrap || len(c.known) == 0 || time.Since(c.fresh) < c.net.RebootstrapAfter && !isNonsense(err) {
		return
	}
	c.fresh = time.Now()
	c.renameLocked(map[int32]string{})
}
