package client

import (
	"context"
	"errors"
	"time"
)

const (
	// questionTime bounds one question for metadata, to all brokers together.
	questionTime = 30 * time.Second

	// besideAfter is how long a broker may think before the next one is asked beside it: one that is dead must not keep
	// the others from being asked, and a name that stands for no machine takes a minute to fail.
	besideAfter = 500 * time.Millisecond
)

// A question is about topics.
type question struct {
	topics []string
	create bool
}

// AskMetadata asks the cluster about topics, and with create lets it make those that are not there. It never blocks: [MetadataReceived] or
// [MetadataFailed] follows. A question that comes while another one is on its way waits for that one's end, and takes the place of one that waits already.
func (c *Client) AskMetadata(topics []string, create bool) {
	q := &question{topics, create}
	c.mu.Lock()
	if c.asking {
		c.waiting = q
		c.mu.Unlock()
		return
	}
	c.asking = true
	c.mu.Unlock()
	c.run(func() { c.askAll(q) })
}

// askAll answers q, and what has come meanwhile.
func (c *Client) askAll(q *question) {
	for q != nil {
		m, err := c.question(q)
		c.mu.Lock()
		q, c.waiting = c.waiting, nil
		c.asking = q != nil
		c.mu.Unlock()
		if c.life.Err() != nil {
			return
		}
		if err != nil {
			c.deps.Events(Event{Kind: MetadataFailed, Err: err})
		} else {
			c.deps.Events(Event{Kind: MetadataReceived, Metadata: m})
		}
	}
}

// errNoBrokers is a queue without bootstrap.servers.
var errNoBrokers = errors.New("no bootstrap.servers configured")

// asked is what one broker has answered.
type asked struct {
	m       *Metadata
	brokers []namedBroker
	err     error
}

// question asks one broker after the other, and more of them side by side when one takes its time.
func (c *Client) question(q *question) (*Metadata, error) {
	ctx, cancel := context.WithTimeout(c.life, questionTime)
	defer cancel()
	answers := make(chan asked)
	candidates, patient := c.candidates()
	open := 0
	failure := errNoBrokers
	beside := time.NewTimer(0)
	defer beside.Stop()
	for next := 0; ; {
		if next == len(candidates) && open == 0 {
			return nil, failure
		}
		select {
		case <-beside.C:
			if next < len(candidates) {
				b, waits := candidates[next], next >= patient
				next++
				open++
				c.run(func() { c.askOne(ctx, b, q, waits, answers) })
				beside.Reset(besideAfter)
			}
		case a := <-answers:
			open--
			if a.err == nil {
				c.learned(a.brokers)
				return a.m, nil
			}
			if !errors.Is(a.err, errPaused) || errors.Is(failure, errNoBrokers) {
				failure = a.err
			}
			beside.Reset(0)
		case <-ctx.Done():
			if failure == errNoBrokers { //nolint:errorlint // its own value, never wrapped
				failure = context.DeadlineExceeded
			}
			return nil, failure
		}
	}
}

// candidates returns whom to ask, in order: who is up, who is known, and bootstrap.servers. Those that are in a pause after a loss come
// last, from the number patient on, and are waited for.
func (c *Client) candidates() (list []*broker, patient int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var up, down, seeds, paused []*broker
	for _, b := range c.brokers {
		switch b.stands() {
		case Ready:
			up = append(up, b)
		case Pausing:
			paused = append(paused, b)
		default:
			down = append(down, b)
		}
	}
	if len(up) > 1 {
		c.turn++
		k := c.turn % len(up)
		up = append(up[k:], up[:k]...)
	}
	if len(c.brokers) == 0 || c.conns.Rebootstrap && (len(up) == 0 || time.Since(c.answered) > c.conns.RebootstrapAfter) {
		for _, b := range c.seeds {
			if b.stands() == Pausing {
				paused = append(paused, b)
			} else {
				seeds = append(seeds, b)
			}
		}
	}
	list = append(append(up, down...), seeds...)
	return append(list, paused...), len(list)
}

func (b *broker) stands() State {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state
}

func (c *Client) askOne(ctx context.Context, b *broker, q *question, patient bool, answers chan<- asked) {
	var a asked
	conn, err := b.obtain(ctx, patient)
	if err == nil {
		a, err = conn.metadata(ctx, q)
	}
	a.err = err
	select {
	case answers <- a:
	case <-ctx.Done():
	}
}

func (c *conn) metadata(ctx context.Context, q *question) (asked, error) {
	version, err := c.versions.of(keyMetadata)
	if err != nil {
		return asked{}, err
	}
	var a asked
	wanted := make(map[string]bool, len(q.topics))
	for _, name := range q.topics {
		wanted[name] = true
	}
	err = c.ask(ctx, &call{
		key: keyMetadata, version: version, flexible: version >= metadataFlexible, patience: c.broker.client.set.SocketTimeout,
		encode: func(dst []byte) []byte { return appendMetadata(dst, q.topics, q.create, version) },
	}, func(body []byte) error {
		m, brokers, throttle, err := readMetadata(body, version, wanted)
		if err != nil {
			return err
		}
		a.m, a.brokers = m, brokers
		c.mute(throttle)
		return nil
	})
	if err != nil {
		return asked{}, err // the answer may still come, and be read into a
	}
	return a, nil
}
