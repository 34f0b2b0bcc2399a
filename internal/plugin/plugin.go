// Package plugin is the life of the plugin in one process: it starts the queues of a configuration,
// finds them by name for each call, and stops them all together.
//
// It promises that Start waits for no broker, that Find costs a map look-up and no lock, and that
// Stop is bounded. It knows no C and nothing of Kafka's client. All methods may be called from any
// thread at once. A function whose name ends in Locked needs the lock of its receiver.
package plugin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/halon-extras/kafka/internal/admin"
	"github.com/halon-extras/kafka/internal/intake"
	"github.com/halon-extras/kafka/internal/logsink"
	"github.com/halon-extras/kafka/internal/producer"
	"github.com/halon-extras/kafka/internal/queueconf"
	"github.com/halon-extras/kafka/internal/report"
	"github.com/halon-extras/kafka/internal/resperr"
)

// DrainTime is how long Stop waits for all queues together. A reload that is under way, and a queue that is empty and ending, come before it and have their own bounds: some seconds more.
const DrainTime = 60 * time.Second

// closing is the part of DrainTime that is kept for ending clients that brokers do not answer.
const closing = time.Second

// A Plugin holds the queues of the process.
type Plugin struct {
	log       *slog.Logger
	scaling   *scaling
	wake      func(intake.Script, resperr.Code)
	instances atomic.Int64 // clients made so far: librdkafka numbers them in its names
	level     *slog.LevelVar
	recent    func(queue string) []logsink.Entry
	scrape    *report.Histogram
	calls     func() []report.CallTimes // nil is unknown

	queues atomic.Pointer[queues]
	mu     sync.Mutex       // guards the change of queues
	doors  map[string]*door // of queues that are being opened, by id; guarded by mu

	stop     sync.Mutex      // one Start, Reload or Stop at a time; before mu
	listener *admin.Listener // nil without; guarded by stop
	life     context.Context // ends at Stop; guarded by stop
	end      context.CancelFunc
	opener   *opener // of the last Reload, or nil; guarded by stop
}

// New returns a plugin without queues. wake ends a call that a queue's intake has parked; see [producer.Deps].
func New(log *slog.Logger, wake func(intake.Script, resperr.Code)) *Plugin {
	p := &Plugin{
		log: log, scaling: newScaling(), wake: wake, level: new(slog.LevelVar), recent: func(string) []logsink.Entry { return nil },
		scrape: report.NewHistogram(100*time.Microsecond, time.Millisecond, 10*time.Millisecond, 100*time.Millisecond, time.Second),
		doors:  make(map[string]*door),
	}
	p.queues.Store(&queues{})
	return p
}

// Logged tells the commands where the log is: its level, which they may change, and what it remembers. It is for the time
// before the first Start.
func (p *Plugin) Logged(level *slog.LevelVar, recent func(queue string) []logsink.Entry) {
	p.level, p.recent = level, recent
}

// Timed tells the metrics where the times of calls are. It is for the time before the first Start.
func (p *Plugin) Timed(calls func() []report.CallTimes) { p.calls = calls }

// Start opens the queues of a configuration, that of smtpd.yaml and app, that of smtpd-app.yaml; either may be nil. It does not wait for Kafka.
//
// On an error nothing is left open, and the error is one line for the operator. Start after Start
// without a Stop is an error, and what runs goes on.
func (p *Plugin) Start(config, app *queueconf.Node) error {
	p.stop.Lock()
	defer p.stop.Unlock()
	if len(p.queues.Load().live) > 0 {
		return errors.New("the plugin has been started already; stop it before starting it again")
	}
	fixed, found := queueconf.Read(config, p.instance)
	if err := found.Refusal(); err != nil {
		return err
	}
	running, more := queueconf.ReadApp(app, fixed, p.instance)
	if err := more.Refusal(); err != nil {
		return fmt.Errorf("smtpd-app.yaml: %w", err)
	}
	p.warn(append(found, more...))
	qs := &queues{fixed: fixed, start: time.Now()}
	for i, c := range append(fixed.Queues, running.Queues...) {
		q, err := p.open(c, nil, nil)
		if err != nil {
			for _, q := range qs.all() {
				q.Undo() // the next start uses its intake again
			}
			return err
		}
		qs.live = append(qs.live, &live{config: c, queue: q, app: i >= len(fixed.Queues)})
	}
	if p.end != nil {
		p.end()
	}
	p.life, p.end = context.WithCancel(context.Background())
	p.mu.Lock()
	p.showLocked(qs)
	p.mu.Unlock()
	tuneCollector()
	p.scaling.start(qs.needs())
	for _, l := range qs.live {
		l.queue.Publish()
	}
	if fixed.Listen != "" {
		p.listener = admin.Listen(p.deps(), fixed.Listen, p.log)
	}
	return nil
}

func (p *Plugin) instance() int { return int(p.instances.Add(1)) }

// warn logs what the start or the reload says about a configuration that it takes.
func (p *Plugin) warn(found queueconf.Findings) {
	for _, f := range found {
		switch {
		case f.Log && f.Queue != "":
			p.log.Warn(f.Text, "queue", f.Queue)
		case f.Log:
			p.log.Warn(f.Text)
		}
	}
}

// open opens a queue. before is the one that has its name until now, or nil, and estate what is left at its folder.
func (p *Plugin) open(c queueconf.Queue, before *producer.Producer, estate *producer.Estate) (*producer.Producer, error) {
	thread := ""
	if c.Set.LogThreadName {
		thread = "[thrd:app]: " // log.thread.name; librdkafka checks a configuration on the caller's thread
	}
	for _, w := range c.Warnings {
		// The form of librdkafka's lines; the original logs them all as errors, we keep the level.
		p.log.Log(context.Background(), logsink.LevelOf(w.Level).Slog,
			fmt.Sprintf("%s(%d): %s: %s%s", w.Facility, w.Level, c.Set.Name, thread, w.Text), "queue", c.ID)
	}
	return producer.New(c.ID, c.Set, producer.Deps{
		Log: p.log, Statistics: p.log.WithGroup(logsink.Each), Spool: c.Spool,
		Intake: p.newIntake(c), Quiet: true, Worked: p.scaling.worked, Wake: p.wake,
		Before: before, Estate: estate,
	})
}

// newIntake returns where calls leave their records without entering Go, or nil. Without it the queue
// works, and its calls take longer.
func (p *Plugin) newIntake(c queueconf.Queue) *intake.Intake {
	if c.Spool != nil || c.Set.Transactional || c.Set.TopicLingerConflict || strings.ContainsRune(c.ID, 0) {
		return nil
	}
	in, err := intake.New(c.ID, c.Set.MessageMaxBytes, int(resperr.QueueFull), int(resperr.Destroy))
	if err != nil {
		p.log.Warn(err.Error())
		return nil
	}
	return in
}

// Find returns the queue named id, or nil. It takes no lock and allocates nothing.
func (p *Plugin) Find(id []byte) *producer.Producer { return p.queues.Load().byID[string(id)] }

// deps are what the commands may ask.
func (p *Plugin) deps() admin.Deps {
	return admin.Deps{
		Queues: func() []admin.Queue { return p.queues.Load().asked },
		Spool:  func(id string) *queueconf.Spool { return p.queues.Load().spool[id] },
		Recent: p.recent, Level: p.level, Scrape: p.scrape, Calls: p.calls, Start: p.queues.Load().start,
	}
}

// Command runs one command of the operator and returns its text and whether it succeeded.
func (p *Plugin) Command(args []string) (string, bool) { return admin.Run(p.deps(), args) }

// Stop drains all queues side by side, for DrainTime in all and behind a reload some seconds more, and logs what each lost. Without
// queues it does nothing. Calls that come meanwhile find their queue closed, and those that come later find no queue: "No such id".
func (p *Plugin) Stop() {
	p.stop.Lock()
	defer p.stop.Unlock()
	p.scaling.cross()
	if p.end != nil {
		p.end()
		p.opener.wait()
		p.opener = nil
	}
	qs := p.queues.Load()
	for _, l := range qs.leaving {
		<-l.over
	}
	all := p.queues.Load().all()
	p.stopAll(all, DrainTime-closing)
	if p.listener != nil { // not before: how the end goes can be watched
		p.listener.Close()
		p.listener = nil
	}
	p.mu.Lock()
	p.queues.Store(&queues{})
	clear(p.doors)
	p.mu.Unlock()
	p.life, p.end = nil, nil
	for _, q := range all {
		q.Gone()
	}
}

func (p *Plugin) stopAll(all []*producer.Producer, limit time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	var group sync.WaitGroup
	for _, q := range all {
		group.Go(func() { p.guard("the end of a queue", func() { q.Stop(ctx) }) })
	}
	group.Wait()
}

// guard runs a goroutine of the plugin. What it has deferred is done after a panic, too.
func (p *Plugin) guard(what string, run func()) { logsink.Report(p.log, what, run) }
