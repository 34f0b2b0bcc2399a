package plugin

import (
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

const (
	// scalingWindow is over how long the load is measured.
	scalingWindow = 100 * time.Millisecond

	// busyRecords and busyBytes a second are what one processor carries with ease; with less than the calm ones for
	// calmAfter, one is enough.
	busyRecords, calmRecords = 50_000, 30_000
	busyBytes, calmBytes     = 8 << 20, 6 << 20
	calmAfter                = 2 * time.Second
)

// A scaling lets the number of the runtime's processors follow the load.
//
// A mail server mostly logs a few thousand messages a second. With several processors each batch then wakes threads that
// look for work and find none, which costs more than the batch. With one, the same goroutines run one after
// another in the thread that the kernel woke. At full speed one processor is left to the host's threads, which make the calls:
// a sender that moves from one to the other drives both out of their caches. Codecs are worth more than that, and take all.
// The host's own threads are not concerned: the runtime is ours alone.
type scaling struct {
	set func(processors int)
	all int // the most; 1 or less: there is nothing to choose

	mu             sync.Mutex
	needs          needs     // guarded by mu
	processors     int       // as set; guarded by mu
	since          time.Time // of the window; guarded by mu
	records, bytes int       // within the window; guarded by mu
	busy           time.Time // when the load was last too much for one; guarded by mu
	crossing       time.Time // until then calls may go through Go; guarded by mu
}

// needs is what the queues of a configuration ask of the processors.
type needs struct {
	spooled    bool // a processor whose goroutine waits for the disk is given on only after a while: all of them, at any load
	compressed bool // by several goroutines
}

// heapGrowth is by how many percent the garbage collector lets the heap grow. What is in it are the records of the
// queue, and sending makes no garbage worth speaking of: more would be memory that a full queue holds for nothing.
const heapGrowth = 50

// tuneCollector sets the garbage collector of the library, unless the operator has with GOGC.
func tuneCollector() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
}

// newScaling returns the scaling of the process, which does nothing where the operator has chosen a number with GOMAXPROCS.
func newScaling() *scaling {
	all := runtime.GOMAXPROCS(0)
	p := &scaling{set: func(n int) { runtime.GOMAXPROCS(n) }, all: all, processors: all}
	if os.Getenv("GOMAXPROCS") != "" {
		p.all = 1
	}
	return p
}

// start begins with what a small load needs.
func (p *scaling) start(n needs) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all <= 1 {
		return
	}
	p.needs = n
	p.chooseLocked(n.spooled)
}

// follow is start for queues that have changed while records come.
func (p *scaling) follow(n needs) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all <= 1 || p.needs == n {
		return
	}
	p.needs, p.busy = n, time.Now()
	p.chooseLocked(true) // the load brings it down, if it is small
}

// cross takes all processors for a while, as queues are about to change or to stop: calls go through Go then, where a host's thread would wait for the
// sender that has the only processor.
func (p *scaling) cross() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all <= 1 {
		return
	}
	p.busy = time.Now()
	p.crossing = p.busy.Add(calmAfter)
	p.chooseLocked(true)
}

// worked counts what a queue has begun to send. It is called from the senders of all queues.
func (p *scaling) worked(records, valueBytes int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all <= 1 || p.needs.spooled {
		return
	}
	now := time.Now()
	if now.Sub(p.since) > 10*scalingWindow { // nothing came for a while, and what comes now came at once
		p.since, p.records, p.bytes = now.Add(-scalingWindow), 0, 0
	}
	p.records += records
	p.bytes += valueBytes
	over := now.Sub(p.since)
	if over < scalingWindow && !p.exceedsLocked(busyRecords, busyBytes, scalingWindow) {
		return
	}
	switch {
	case p.exceedsLocked(busyRecords, busyBytes, max(over, scalingWindow)):
		p.busy = now
		p.chooseLocked(true)
	case p.exceedsLocked(calmRecords, calmBytes, over):
		p.busy = now
	case p.processors > 1 && now.Sub(p.busy) >= calmAfter:
		p.chooseLocked(false)
	}
	p.since, p.records, p.bytes = now, 0, 0
}

// exceedsLocked says whether what was counted, over that time, is more than the rates.
func (p *scaling) exceedsLocked(records, valueBytes int, over time.Duration) bool {
	seconds := over.Seconds()
	return float64(p.records) > float64(records)*seconds || float64(p.bytes) > float64(valueBytes)*seconds
}

// chooseLocked sets as many processors as a large load needs, or a small one.
func (p *scaling) chooseLocked(large bool) {
	processors := 1
	switch {
	case large && (p.needs.spooled || p.needs.compressed || time.Now().Before(p.crossing)):
		processors = p.all
	case large:
		processors = p.all - 1
	}
	if p.processors != processors {
		p.processors = processors
		p.set(processors)
	}
}
