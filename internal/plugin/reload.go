package plugin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/halon-extras/kafka/internal/intake"
	"github.com/halon-extras/kafka/internal/logsink"
	"github.com/halon-extras/kafka/internal/producer"
	"github.com/halon-extras/kafka/internal/queueconf"
	"github.com/halon-extras/kafka/internal/resperr"
)

// Reload lets app be the running configuration, smtpd-app.yaml, and returns once it is judged and all new queues take calls but those whose folder is to be handed
// over; it waits for no broker. The error is one line for the operator, and everything is as it was before.
//
// A queue that is written as before is not touched. One that is not written any more takes no more messages and goes on until it is empty; behind a spool what
// it has not sent at the next stop stays in its folder. One that is written in another way is replaced: calls find the new one at once, which gets what the old one has not
// sent. A folder that a new queue has and an old one had is handed over when what is on its way from there is answered, for which it waits 3 seconds at most. Until then the old one takes calls; then they are
// parked until the new one is open.
func (p *Plugin) Reload(app *queueconf.Node) error {
	p.stop.Lock()
	defer p.stop.Unlock()
	if p.life == nil {
		return errors.New("the plugin does not run")
	}
	running, found := queueconf.ReadApp(app, p.queues.Load().fixed, p.instance)
	if err := found.Refusal(); err != nil {
		return err
	}
	p.scaling.cross()
	p.opener.wait()
	plan := p.planReload(p.queues.Load(), running)
	if err := p.openFree(plan); err != nil {
		p.opener = p.opener.rest(p.life)
		return err
	}
	p.warn(slices.DeleteFunc(found, func(f *queueconf.Finding) bool { return f.Queue != "" && !plan.isNew(f.Queue) }))
	p.follow(plan)
	return nil
}

// A step is what becomes of one queue of the new configuration.
type step struct {
	config  queueconf.Queue
	kept    *live   // it is written as before
	before  *live   // that has its name, or nil
	holders []*live // that have its folder
	opened  *live
}

// A plan is what a reload does.
type plan struct {
	steps   []*step
	removed []*live
}

func (n *plan) isNew(id string) bool {
	return slices.ContainsFunc(n.steps, func(s *step) bool { return s.config.ID == id && s.kept == nil })
}

func (p *Plugin) planReload(qs *queues, running queueconf.Config) *plan {
	n := &plan{}
	held := map[*live]bool{}
	for _, c := range running.Queues {
		s := &step{config: c}
		for _, l := range qs.live {
			if l.app && l.config.ID == c.ID {
				if s.before = l; !l.ended && l.config.Same(&c) {
					s.kept = l
				}
				held[l] = true
			}
		}
		for _, l := range qs.leaving {
			if s.before == nil && l.removed && l.config.ID == c.ID {
				s.before = l
			}
		}
		n.steps = append(n.steps, s)
	}
	for _, l := range qs.live {
		if l.app && !held[l] && !l.ended {
			n.removed = append(n.removed, l)
		}
	}
	for _, s := range n.steps {
		if s.kept != nil || s.config.Spool == nil {
			continue
		}
		for _, l := range slices.Concat(qs.live, qs.leaving) {
			if l.queue.Spooled() && !l.ended && l.config.Spool.Overlaps(s.config.Spool) {
				s.holders = append(s.holders, l)
			}
		}
	}
	return n
}

// openFree opens the new queues whose folder nobody has, or none.
func (p *Plugin) openFree(n *plan) error {
	for i, s := range n.steps {
		if s.kept != nil || len(s.holders) > 0 {
			continue
		}
		q, err := p.open(s.config, s.before.queueOrNil(), nil)
		if err != nil {
			for _, other := range n.steps[:i] {
				if other.opened != nil {
					other.opened.queue.Undo()
				}
			}
			return err
		}
		s.opened = &live{config: s.config, queue: q, app: true}
	}
	return nil
}

// queueOrNil returns the queue of l, which may be nil.
func (l *live) queueOrNil() *producer.Producer {
	if l == nil {
		return nil
	}
	return l.queue
}

// follow does what the plan says. It runs under stop.
func (p *Plugin) follow(n *plan) {
	later := &opener{plugin: p}
	var leaving []*live
	added, changed := 0, 0
	p.mu.Lock()
	clear(p.doors)
	p.changeLocked(func(qs *queues) {
		qs.live = slices.DeleteFunc(qs.live, func(l *live) bool { return l.app })
		for _, s := range n.steps {
			switch {
			case s.kept != nil:
				qs.live = append(qs.live, s.kept)
				continue
			case s.before == nil || s.before.removed:
				added++
			default:
				changed++
			}
			if s.opened != nil {
				qs.live = append(qs.live, s.opened)
				continue
			}
			later.steps = append(later.steps, s)
			p.doors[s.config.ID] = &door{}
			if s.before == nil || s.before.removed {
				intake.Disown(s.config.ID) // of an earlier queue in memory
			}
			if s.before != nil && !s.before.removed {
				qs.live = append(qs.live, s.before) // until the new one is there
			}
		}
		for _, l := range n.removed {
			l.removed = true
			leaving = append(leaving, l)
		}
		for _, s := range n.steps {
			switch {
			case s.opened == nil || s.before == nil || s.before.ended:
			case s.before.removed:
				s.before.removed = false // and leaves already
			default:
				leaving = append(leaving, s.before)
			}
		}
		qs.leaving = append(qs.leaving, leaving...)
	})
	p.mu.Unlock()
	p.scaling.follow(p.queues.Load().needs())
	for _, s := range n.steps {
		if s.opened != nil {
			s.opened.queue.Publish()
			if s.before != nil {
				s.before.queue.PassOn(s.opened.queue)
			}
		}
	}
	for _, l := range leaving {
		p.leave(l)
	}
	p.log.WithGroup(logsink.Each).Log(context.Background(), logsink.LevelNotice, fmt.Sprintf("the running configuration is loaded: queues added %d, changed %d, removed %d, unchanged %d",
		added, changed, len(n.removed), len(n.steps)-added-changed))
	p.opener = nil
	if len(later.steps) > 0 {
		later.begin(p.life, true)
		p.opener = later
	}
}

// An opener opens the queues of a reload whose folder another one had, from a goroutine of its own.
type opener struct {
	plugin *Plugin
	steps  []*step
	cancel context.CancelFunc
	ended  chan struct{}
}

// retryEvery is how long it is between two attempts to open a queue.
const retryEvery = time.Second

// wait ends the attempts to open what cannot be opened, and returns when nothing is under way. o may be nil.
func (o *opener) wait() {
	if o == nil {
		return
	}
	o.cancel()
	<-o.ended
}

// rest goes on with what wait has ended. o may be nil.
func (o *opener) rest(life context.Context) *opener {
	if o == nil || len(o.steps) == 0 {
		return nil
	}
	for _, s := range o.steps {
		s.holders = nil
	}
	o.begin(life, false)
	return o
}

// begin starts the opener, for the first time or again.
func (o *opener) begin(life context.Context, first bool) {
	ctx, cancel := context.WithCancel(life)
	o.cancel, o.ended = cancel, make(chan struct{})
	go o.plugin.guard("a reload", func() {
		defer close(o.ended)
		defer cancel()
		whole := false
		defer func() {
			if !whole { // a panic: nobody else answers who waits
				for _, s := range o.steps {
					o.plugin.openDoor(s.config.ID, nil)
				}
			}
		}()
		o.work(ctx, first)
		whole = true
	})
}

// work gets the folders and opens the queues, until all are open or ctx ends.
func (o *opener) work(ctx context.Context, first bool) {
	estates := o.endHolders()
	for ; ; first = false {
		o.steps = slices.DeleteFunc(o.steps, func(s *step) bool { return o.open(s, estates, first) })
		if len(o.steps) == 0 {
			return
		}
		select {
		case <-time.After(retryEvery):
		case <-ctx.Done():
			return
		}
	}
}

// An estate is what a queue has left at a folder.
type estate struct {
	from *live
	what *producer.Estate
}

// endHolders ends all queues that have the folders of others, side by side, and forgets them.
func (o *opener) endHolders() (estates []*estate) {
	p := o.plugin
	for _, s := range o.steps {
		for _, l := range s.holders {
			if !slices.ContainsFunc(estates, func(e *estate) bool { return e.from == l }) {
				estates = append(estates, &estate{from: l})
			}
		}
	}
	var all sync.WaitGroup
	for _, e := range estates {
		all.Go(func() {
			p.guard("the end of a changed queue", func() {
				if e.from.over != nil { // it is leaving
					e.from.cancel()
					<-e.from.over
					if e.from.empty {
						return
					}
				}
				e.what = e.from.queue.HandOver(context.Background())
			})
		})
	}
	all.Wait()
	p.mu.Lock()
	p.changeLocked(func(qs *queues) {
		for _, e := range estates {
			e.from.ended = true
			qs.leaving = without(qs.leaving, e.from)
			if !slices.ContainsFunc(o.steps, func(s *step) bool { return s.before == e.from }) {
				qs.live = without(qs.live, e.from)
			}
		}
	})
	p.mu.Unlock()
	for _, e := range estates {
		e.from.queue.Gone()
		if e.what != nil && !slices.ContainsFunc(o.steps, func(s *step) bool { return s.config.Spool.SameFolder(e.from.config.Spool) }) {
			e.from.queue.Dismiss(e.what, resperr.Destroy)
		}
	}
	return estates
}

// open opens one queue and says whether it is open. Who waits for one that cannot be opened at first hears it.
func (o *opener) open(s *step, estates []*estate, first bool) bool {
	p := o.plugin
	var mine *estate
	var inherited *producer.Estate
	for _, e := range estates {
		if e.what != nil && s.config.Spool.SameFolder(e.from.config.Spool) {
			mine, inherited = e, e.what
		}
	}
	q, err := p.open(s.config, s.before.queueOrNil(), inherited)
	if err != nil {
		if first {
			p.log.Log(context.Background(), logsink.LevelCrit, err.Error()+"; calls are answered with -189 until it can be opened")
			if mine != nil {
				mine.from.queue.Dismiss(mine.what, resperr.FS)
				mine.what = nil
			}
			if s.before != nil && s.before.ended {
				s.before.queue.Unopened(err)
			}
			p.openDoor(s.config.ID, nil)
		}
		return false
	}
	s.opened = &live{config: s.config, queue: q, app: true}
	before := s.before
	if before != nil && before.ended {
		before = nil
	}
	p.mu.Lock()
	p.changeLocked(func(qs *queues) {
		if before != nil {
			before.removed = false
		}
		if i := slices.Index(qs.live, s.before); i >= 0 {
			qs.live[i] = s.opened
			if before != nil {
				qs.leaving = append(qs.leaving, before)
			}
		} else {
			qs.live = append(qs.live, s.opened)
		}
	})
	p.mu.Unlock()
	q.Publish()
	if before != nil {
		before.queue.PassOn(q)
		if before.over == nil {
			p.leave(before)
		}
	}
	p.openDoor(s.config.ID, q)
	return true
}
