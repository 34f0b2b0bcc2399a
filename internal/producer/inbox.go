package producer

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/halon-extras/kafka/internal/client"
)

// An event is something that the client has to tell the sender: the answer to a request, or news of the cluster.
type event struct {
	request *request
	do      func() // a question, or work, of somebody else for the sender
	news    client.Event
}

// An inbox holds events until the sender looks. Any goroutine puts them in.
type inbox struct {
	// eager is set while an answer must wake the sender. News always does.
	eager atomic.Bool

	mu     sync.Mutex
	events []event // guarded by mu
}

// post leaves e with the sender. It never blocks.
func (p *Producer) post(e event) {
	p.inbox.mu.Lock()
	p.inbox.events = append(p.inbox.events, e)
	p.inbox.mu.Unlock()
	if e.request == nil || p.inbox.eager.Load() {
		p.wake()
	}
}

// errNoSender is the answer of a queue that has ended, or whose sender is busy for too long.
var errNoSender = errors.New("the queue does not answer: it has ended, or is busy")

// ask has the sender run do between two steps of its own, and returns what do does. It waits for that as long as ctx lasts; what was asked
// for may still be done afterwards.
func ask[T any](ctx context.Context, p *Producer, do func() T) (got T, err error) {
	answer := make(chan T, 1)
	p.post(event{do: func() { answer <- do() }})
	select {
	case got = <-answer:
		return got, nil
	case <-p.finished:
	case <-ctx.Done():
	}
	return got, errNoSender
}

// listen lets answers wake the sender from now on, and says whether there is one already.
func (i *inbox) listen() bool {
	i.eager.Store(true)
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.events) > 0
}

// take returns the events, in the order in which they came, and keeps scratch for the next ones.
func (i *inbox) take(scratch []event) []event {
	i.mu.Lock()
	defer i.mu.Unlock()
	events := i.events
	i.events = scratch[:0]
	return events
}

// receive handles what has come.
func (p *Producer) receive() {
	s := &p.sender
	events := p.inbox.take(s.events)
	now := p.now()
	for i := range events {
		e := &events[i]
		switch {
		case e.request != nil:
			p.answered(e.request, now)
		case e.do != nil:
			e.do()
		default:
			p.hear(&e.news, now)
			p.health.news.Store(true)
		}
		*e = event{}
	}
	s.events = events[:0]
}
