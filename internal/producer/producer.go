// Package producer is one queue: it admits records, lingers them in buffers, puts them into batches of their partitions, sends those
// through the client's connections, and releases each record with exactly one delivery report.
//
// It promises that Offer and Park never wait for Kafka, a disk or the network; that the limits of
// the queue are known at the call; that what was accepted is delivered, or reported and counted as
// failed, and in = delivered + failed + queued at every moment; and that one topic which cannot be
// produced does not delay another.
//
// It refuses to decide what a property means (conf does), which exception a script sees (binding
// does) and what is logged where (the handler of the logger does).
//
// A function whose name ends in Locked needs the lock of its receiver, and whose receiver has none, Producer.mu.
//
// Every exported method may be called from any thread at once. The files, in the order of a record's way:
//
//	a call       admit.go  park.go  await.go  intake.go   and where it leaves its record: buffer.go  topic.go
//	the sender   send.go  inbox.go  pack.go  assign.go  batch.go  partition.go  dispatch.go  compress.go
//	the answer   answer.go  outcome.go  release.go  expire.go
//	the cluster  metadata.go  identity.go
//	on disk      storage.go  keep.go   back: feed.go  kept.go   from memory: spill.go   refused by the broker: dead.go  letters.go
//	once         once.go  planning.go  doubt.go
//	the life     phase.go  drain.go  handover.go  guard.go  forget.go  clock.go
//	an operator  health.go  outage.go  clientlog.go  reason.go  statistics.go  topics.go  command.go
//	crash tests  killpoint.go  killpoint_faultinject.go
package producer

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/halon-extras/kafka/internal/client"
	"github.com/halon-extras/kafka/internal/conf"
	"github.com/halon-extras/kafka/internal/intake"
	"github.com/halon-extras/kafka/internal/logsink"
	"github.com/halon-extras/kafka/internal/queueconf"
	"github.com/halon-extras/kafka/internal/report"
	"github.com/halon-extras/kafka/internal/resperr"
	"github.com/halon-extras/kafka/internal/spool"
)

// A Producer is one configured queue.
//
// Its goroutines: the sender (send), behind a spool the feeder (feedLoop), and those in goroutines. "Lock order" of docs/design.md has the order of
// the locks; none is held across a call into the client or into the host.
type Producer struct {
	id    string
	set   *conf.Settings
	log   *slog.Logger
	stats *report.Queue
	began time.Time // the monotonic clock counts from here

	client *client.Client
	worked func(records, valueBytes int) // see Deps

	wakeScript func(intake.Script, resperr.Code)
	pool       bufferPool

	// How records are sent; they do not change.
	chooser      *intake.Chooser // the sender's alone
	packer       *intake.Packer  // the sender's alone; nil: all records are entries
	limits       limits          // of a batch
	compressor   *compressor
	backpressure int // requests of a broker that are not written yet
	window       int // batches of a partition in flight
	most         int // requests of a broker in flight

	state lifecycle // how far the queue has come

	mu      sync.Mutex
	topics  map[string]*topic // by name; guarded by mu
	latest  *topic            // asked for last: most scripts write to one; guarded by mu
	current *recordBuffer     // being filled; guarded by mu
	full    []*recordBuffer   // filled, in order; guarded by mu
	asleep  bool              // the sender waits for a first record; guarded by mu
	waiters []*waiter         // parked calls, oldest first; guarded by mu
	taken   int64             // records that Go has, of calls and from the intake, ever; guarded by mu
	ingress ingress           // where calls leave records without entering Go

	ledger   *intake.Ledger // what the queue may hold and holds
	released *intake.Counts // what delivery reports gave back, of ledger

	waiting  atomic.Int32             // len(waiters), for reports
	awaited  atomic.Int64             // calls that wait for a delivery
	urgent   atomic.Int32             // Flush and Stop are waiting: no linger
	heir     atomic.Pointer[Producer] // gets what is not sent; see PassOn
	reserved intake.Counts            // what p holds and heir is charged with already
	kicked   atomic.Bool              // kick holds a signal
	kick     chan struct{}            // to the sender: look again
	empty    chan struct{}            // signalled when the last record is released while urgent
	quit     chan struct{}            // closed by Stop or HandOver: the sender ends
	finished chan struct{}            // closed when the sender has ended

	resumes resumes
	requeue requeue
	inbox   inbox
	health  health
	times   *report.Times

	clientLog *clientLog
	conflict  atomic.Bool // that every message is refused has been logged

	timer      timer // wakes the sender
	sender     sender
	goroutines sync.WaitGroup  // beside the sender and the feeder
	store      *storage        // nil without a spool
	life       context.Context // ends at Stop
	end        context.CancelFunc
}

// Deps are what a Producer is given by the process around it.
type Deps struct {
	Log    *slog.Logger
	Client conf.Deps // the dialer and the secrets of the client

	// Statistics is where statistics.interval.ms writes to, a log that holds back no line; nil is nowhere.
	Statistics *slog.Logger
	Spool      *queueconf.Spool // nil keeps everything in memory
	Disk       spool.FS         // where Spool is; nil is the disk
	probes     int              // in place of probeRecords, for the simulation

	// Intake is where calls of the host leave records without entering Go, or nil. It is the queue's from
	// New on. A queue behind a spool has none: its calls wait for the disk.
	Intake *intake.Intake

	// Wake ends a call that was parked in the intake. It is called once for each, from any goroutine, with
	// what [Producer.Park] calls its function with.
	Wake func(intake.Script, resperr.Code)

	// Quiet lets the kernel tell the time and of calls at the intake, which wakes as few threads as possible. A test in virtual time cannot
	// have that, and wakes the sender itself.
	Quiet bool

	// Before is the queue that had this one's name until now, or nil; see [Producer.PassOn] and [Producer.HandOver]. The two
	// count as one.
	Before *Producer

	// Estate is what an earlier queue has left at the folder of Spool, or nil. It is the queue's when New has succeeded.
	Estate *Estate

	// Worked is called by the sender with how many records, and bytes of values, it has begun to hand over. It must not
	// block; nil is nobody.
	Worked func(records, valueBytes int)
}

// New opens the queue id. It does not wait for Kafka: a cluster that is away is found again later.
//
// With a spool it reads what the disk knows of an earlier run, and fails where the folder cannot be used. Without one it does
// not fail.
func New(id string, set *conf.Settings, deps Deps) (*Producer, error) {
	if deps.Spool != nil {
		set = lifetime(deps.Spool, set)
	}
	p := &Producer{
		id:     id,
		worked: deps.Worked,

		wakeScript: deps.Wake,
		set:        set,
		log:        deps.Log.With("queue", id),
		topics:     make(map[string]*topic),
		began:      time.Now(),
		chooser:    newChooser(set),
		stats:      new(report.Queue),
		limits:     limits{records: max(set.BatchNumMessages, 1), bytes: min(set.BatchSize, set.MessageMaxBytes)},
		asleep:     true,
		kick:       make(chan struct{}, 1),
		empty:      make(chan struct{}, 1),
		quit:       make(chan struct{}),
		finished:   make(chan struct{}),
	}
	p.times = report.NewTimes()
	if b := deps.Before; b != nil {
		p.began, p.stats, p.times = b.began, b.stats, b.times
	}
	p.ledger = new(intake.Ledger)
	if deps.Intake != nil && deps.Spool == nil && !set.Transactional && !set.TopicLingerConflict {
		p.ingress.Intake, p.pool.intake = deps.Intake, deps.Intake
		p.ledger = deps.Intake.Ledger()
	}
	p.released = p.ledger.Released()
	p.ledger.Limit(ledgerLimits(set))
	p.resumes.guard = p.guard
	if p.ingress.Intake != nil && set.Acks <= 1 && !set.NewestFirst {
		packer, err := p.ingress.NewPacker(p.chooser, p.limits.records, p.limits.bytes)
		if err != nil {
			p.log.Warn("there is no memory for the packer, so messages are sent slowly")
		}
		p.packer = packer
	}
	p.window, p.most = set.InFlight(deps.Spool != nil)
	p.compressor = p.newCompressor(set)
	p.backpressure = set.Backpressure
	if p.compressor.codec != nil {
		p.backpressure = max(p.backpressure, p.compressor.most) // those that are being compressed
	}
	p.sender.begin()
	p.life, p.end = context.WithCancel(context.Background())
	p.clientLog = newClientLog(p.life, p.log, set)
	p.beginHealth()
	if b := deps.Before; b != nil {
		p.health.last.Store(b.health.last.Load())
		p.health.told[report.Paused].Store(b.health.told[report.Paused].Load()) // by command, which a reload does not undo
	}
	if deps.Spool != nil {
		var err error
		if p.store, err = p.openStorage(deps); err != nil {
			p.end()
			return nil, err
		}
		if p.store == nil { // another process has the spool
			p.window, p.most = set.InFlight(false)
		}
	}
	p.client = client.New(set, client.Deps{
		Log: p.clientLog, Events: func(e client.Event) { p.post(event{news: e}) }, Dialer: deps.Client.Dialer, Secret: deps.Client.Secret,
		Report: func(err error) {
			p.clientLog.say(logsink.Warning, "SSL", groupTLS, "changed TLS files cannot be used, the old ones stay: "+err.Error())
		},
		Guard:   func(run func()) { p.guard("a connection", run) },
		Written: p.written(),
	})
	if deps.Before != nil {
		deps.Before.reserve(p)
	}
	if p.ingress.Intake != nil {
		p.ingress.Sleep()
		p.ingress.Open()
		if deps.Quiet {
			p.goroutines.Go(func() { p.guard("the intake", p.listen) })
		}
	}
	p.setTimer(deps.Quiet)
	go func() {
		defer close(p.finished)
		p.guard("the sender", p.send)
	}()
	p.startStatistics(deps.Statistics)
	if deps.Estate != nil {
		p.inherit(deps.Estate)
	}
	if p.store != nil {
		p.startFeeder()
	}
	return p, nil
}

// ID returns the name of the queue as scripts use it.
func (p *Producer) ID() string { return p.id }

// Settings returns what the queue was configured with.
func (p *Producer) Settings() *conf.Settings { return p.set }

// Snapshot returns the counters of the queue. It never blocks.
func (p *Producer) Snapshot() report.Snapshot {
	p.countCalls()
	return p.counted()
}

// counted returns the counters without those calls that the sender has not looked at.
func (p *Producer) counted() report.Snapshot {
	s := p.stats.Snapshot()
	if p.store != nil {
		s.Stored(int64(p.store.spool.Stats().Pending))
	}
	return s
}

// Bytes returns the bytes of the values that are in memory.
func (p *Producer) Bytes() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.takeIntakeLocked() // a chunk that calls have begun is charged as if it were full
	return max(p.ledger.HeldBytes(), 0)
}

// Times returns the durations that the queue counts.
func (p *Producer) Times() *report.Times { return p.times }

// Parked returns how many calls wait for room.
func (p *Producer) Parked() int { return int(p.waiting.Load()) }

// wake makes the sender look again. It never blocks and costs one atomic load when a signal is
// already under way.
func (p *Producer) wake() {
	if p.kicked.Load() || !p.kicked.CompareAndSwap(false, true) {
		return
	}
	// A sender that its timer has woken leaves the last signal where it is: it says the same.
	select {
	case p.kick <- struct{}{}:
	default:
	}
}
