package plugin

import (
	"context"
	"slices"
	"time"

	"github.com/halon-extras/kafka/internal/admin"
	"github.com/halon-extras/kafka/internal/logsink"
	"github.com/halon-extras/kafka/internal/producer"
	"github.com/halon-extras/kafka/internal/queueconf"
)

// A live queue is one that runs.
type live struct {
	config queueconf.Queue
	queue  *producer.Producer
	app    bool // it is of smtpd-app.yaml
	ended  bool // its folder was handed over; it is shown until the next queue of its name is open. Of the opener, and of Reload when that has ended

	// Of one that takes no more messages and goes on until it is empty.
	removed bool               // and no other queue has its name; guarded by mu
	cancel  context.CancelFunc // ends the wait for that
	over    chan struct{}      // closed when the goroutine that waits for that ends
	empty   bool               // it was empty, and is stopped; set before over is closed
}

// queues are all queues at one moment. They are not changed but replaced, with the plugin's mu.
type queues struct {
	fixed   queueconf.Config // of smtpd.yaml
	live    []*live          // in the order of the configurations
	leaving []*live
	start   time.Time

	byID  map[string]*producer.Producer
	asked []admin.Queue // for the commands
	spool map[string]*queueconf.Spool
}

// all returns every queue, with those that leave.
func (qs *queues) all() []*producer.Producer {
	var all []*producer.Producer
	for _, l := range slices.Concat(qs.live, qs.leaving) {
		all = append(all, l.queue)
	}
	return all
}

// needs returns what the queues ask of the processors.
func (qs *queues) needs() (n needs) {
	for _, l := range qs.live {
		n.spooled = n.spooled || l.config.Spool != nil
		n.compressed = n.compressed || l.config.Set.Codec != "none"
	}
	return n
}

// showLocked lets calls and commands find qs.
func (p *Plugin) showLocked(qs *queues) {
	qs.byID, qs.spool, qs.asked = make(map[string]*producer.Producer), make(map[string]*queueconf.Spool), nil
	for _, l := range slices.Concat(qs.live, qs.leaving) {
		// Until one that leaves is empty, calls are answered by it that it has gone, and the operator sees what it still holds.
		if qs.byID[l.config.ID] == nil {
			qs.byID[l.config.ID], qs.spool[l.config.ID] = l.queue, l.config.Spool
			qs.asked = append(qs.asked, l.queue)
		}
	}
	p.queues.Store(qs)
}

// changeLocked lets f change a copy of the queues.
func (p *Plugin) changeLocked(f func(*queues)) {
	next := *p.queues.Load()
	next.live = slices.Clone(next.live)
	next.leaving = slices.Clone(next.leaving)
	f(&next)
	p.showLocked(&next)
}

// without takes one out of all, which changes.
func without(all []*live, one *live) []*live {
	return slices.DeleteFunc(all, func(l *live) bool { return l == one })
}

// stopTime bounds the end of a queue that is empty.
const stopTime = 5 * time.Second

// leave lets a queue that is in leaving go on until it is empty, and stops it then. It is called by Reload, or by what Reload has started.
func (p *Plugin) leave(l *live) {
	ctx, cancel := context.WithCancel(p.life)
	l.cancel, l.over = cancel, make(chan struct{})
	l.queue.Close()
	go p.guard("the end of a removed queue", func() {
		defer close(l.over)
		defer cancel()
		l.queue.Leave(ctx)
		if ctx.Err() != nil {
			return // who has ended the wait goes on with it
		}
		limit, end := context.WithTimeout(context.Background(), stopTime)
		defer end()
		l.queue.Stop(limit)
		l.empty = true
		p.mu.Lock()
		p.changeLocked(func(qs *queues) { qs.leaving = without(qs.leaving, l) })
		removed := l.removed
		p.mu.Unlock()
		l.queue.Gone()
		if removed {
			p.log.Log(context.Background(), logsink.LevelNotice, "the removed queue is empty and closed", "queue", l.config.ID)
		}
	})
}

// A door is where calls wait for a queue that is being opened.
type door struct {
	waiting []func(*producer.Producer)
	failed  bool // the queue cannot be opened now, and nobody waits
}

// Later says what to do with a call for id that tried has answered with Destroy, or that found no queue, when tried is nil: another queue may have the name by
// now, or soon. It returns that queue; or later, and calls retry, from any goroutine, with the queue, or with nil when it cannot be opened; or nothing, when
// there is none.
func (p *Plugin) Later(id []byte, tried *producer.Producer, retry func(*producer.Producer)) (now *producer.Producer, later bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if q := p.Find(id); q != nil && q != tried {
		return q, false
	}
	d := p.doors[string(id)]
	switch {
	case d == nil:
		return nil, false
	case d.failed:
		go p.guard("a call that waits for its queue", func() { retry(nil) })
	default:
		d.waiting = append(d.waiting, retry)
	}
	return nil, true
}

// openDoor lets those in who wait for id, if there is a door; q is nil when it cannot be opened.
func (p *Plugin) openDoor(id string, q *producer.Producer) {
	p.mu.Lock()
	d := p.doors[id]
	if d == nil {
		p.mu.Unlock()
		return
	}
	waiting := d.waiting
	d.waiting, d.failed = nil, q == nil
	if q != nil {
		delete(p.doors, id)
	}
	p.mu.Unlock()
	for _, retry := range waiting {
		retry(q)
	}
}
