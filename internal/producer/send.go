package producer

import (
	"time"

	"github.com/halon-extras/kafka/internal/intake"
)

const (
	// tickEvery is how often the sender looks after stalled topics and old messages while any record
	// is outstanding. With nothing outstanding it sleeps without a timer.
	tickEvery = 250 * time.Millisecond

	// tickStalled is how often while no topic moves: so an outage costs next to nothing. It is librdkafka's own period of a look
	// at old messages.
	tickStalled = time.Second

	// soundAsleep is the number of empty lingers after which the sender sleeps until the next message:
	// one may lie between two messages of a steady stream, but after that, looking costs more.
	soundAsleep = 3
)

// A sender takes records from the queue, puts them into batches, sends those and releases what brokers answer. It is one
// goroutine, and all of the fields are its own: so nothing about a partition or a batch needs a lock. What calls read of a
// topic has its own.
type sender struct {
	active       []*topic // topics with records that have no report, or that calls are refused
	ticked       mono
	stalled      bool            // all active topics were, at the last tick
	taken        mono            // when the current buffer was last taken, or the queue woke up
	emptyLingers int             // in a row: they found nothing
	current      []*recordBuffer // taken, and not in batches yet
	topics       []*topic        // by the number that the intake's records carry
	lastNumber   uint64          // that a record was given; with a packer, that gives them
	wall         int64           // what the wall clock shows at the moment 0, in milliseconds
	forgot       mono            // when topics were last forgotten
	brokers      map[int32]*broker
	questions    questions
	ids          identity
	events       []event // scratch
	purging      bool    // what fails now is purged
	heirFull     mono    // when the next queue has last not taken all, or 0
}

// send is the sender's loop. It wakes once a linger while records come, at a full buffer, at a tick
// while something is outstanding, when a broker has answered and somebody waits for that, and otherwise not at all.
func (p *Producer) send() {
	defer func() { _ = p.timer.Close() }()
	for {
		p.kicked.Store(false)
		if p.state.broken.Load() {
			return
		}
		p.inbox.eager.Store(false)
		p.receive()
		if p.store != nil {
			p.spillTopics()
		}
		p.admitParked()
		wait := p.pump(p.now())
		p.tellEmpty()
		wait = p.observe(p.now(), wait)
		if wait == 0 {
			continue
		}
		eager := p.waitsForAnswers(wait)
		p.client.Look(!eager)
		if eager && p.inbox.listen() {
			continue
		}
		if wait > 0 {
			p.timer.Set(wait)
		}
		select {
		case <-p.kick:
		case <-p.quit:
			return
		}
	}
}

// waitsForAnswers says whether an answer must wake the sender, which otherwise looks at it after wait. While records come, a tick is a
// linger away, and answers that wake somebody are what a mail server's few messages a second cost most.
func (p *Producer) waitsForAnswers(wait time.Duration) bool {
	return wait < 0 || wait > min(p.set.Linger, lazyLinger) || p.store != nil || p.urgent.Load() > 0 || p.waiting.Load() > 0 || p.awaited.Load() > 0 ||
		p.sender.blocked() || p.ledger.Pressed()
}

// lazyLinger is how long an answer may go unnoticed.
const lazyLinger = 100 * time.Millisecond

// pump moves what is due to the brokers and returns how long the sender may sleep: 0 for not at
// all, negative for until it is woken.
func (p *Producer) pump(now mono) time.Duration {
	s := &p.sender
	buffers, wait := p.take(now)
	s.current = buffers
	if p.worked != nil && len(buffers) > 0 {
		p.worked(volume(buffers))
	}
	for i, buffer := range buffers {
		p.batchUp(buffer, now)
		buffers[i] = nil
	}
	s.current = buffers[:0]
	if len(s.active) == 0 {
		return wait
	}
	if s.untilTick(now) <= 0 {
		s.ticked = now
		p.tick(now)
	}
	if next := p.heir.Load(); next != nil {
		p.bequeath(next, now)
	}
	if next := p.dispatch(now); next >= 0 && (wait < 0 || next < wait) {
		wait = max(next, time.Millisecond)
	}
	if len(s.active) == 0 {
		return wait
	}
	if next := s.untilTick(now); wait < 0 || next < wait {
		return max(next, time.Millisecond)
	}
	return wait
}

func (s *sender) untilTick(now mono) time.Duration {
	every := tickEvery
	if s.stalled {
		every = tickStalled
	}
	return every - now.since(s.ticked)
}

// take returns the buffers that are due and how long it is to the next one.
func (p *Producer) take(now mono) ([]*recordBuffer, time.Duration) {
	s := &p.sender
	buffers := s.current[:0]
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ingress.Intake != nil && p.ingress.HasClosed() {
		p.takeChunksLocked(true)
	}
	buffers = p.takeFullLocked(buffers)
	oldest, some := p.oldestLocked(now)
	if !some {
		if len(buffers) > 0 {
			s.emptyLingers, s.taken = 0, now
		}
		if s.emptyLingers++; s.emptyLingers < soundAsleep && p.set.Linger > 0 && !p.asleep {
			return buffers, p.set.Linger
		}
		if p.ingress.Intake != nil && !p.ingress.Sleep() {
			return buffers, 0
		}
		p.asleep = true
		return buffers, -1
	}
	p.asleep = false
	if p.ingress.Intake != nil {
		p.ingress.Awake()
	}
	if p.set.Linger > 0 && p.urgent.Load() == 0 {
		if s.emptyLingers >= soundAsleep { // woken by the first record of a stream
			s.taken = now
		}
		s.emptyLingers = 0
		rest := p.set.Linger - now.since(s.taken)
		if old := now.since(oldest); rest <= 0 && len(buffers) == 0 && old < p.set.Linger/2 {
			// The linger began before there was anything. Sending now would part what is called together.
			rest = p.set.Linger - max(old, 0)
		}
		if rest > 0 {
			return buffers, rest
		}
	}
	s.emptyLingers, s.taken = 0, now
	p.takeChunksLocked(true)
	buffers = p.takeFullLocked(buffers)
	if p.current != nil && len(p.current.entries) > 0 {
		buffers = append(buffers, p.current)
		p.current = nil
	}
	return buffers, max(p.set.Linger, time.Microsecond)
}

// takeFullLocked appends the full buffers to buffers.
func (p *Producer) takeFullLocked(buffers []*recordBuffer) []*recordBuffer {
	buffers = append(buffers, p.full...)
	clear(p.full)
	p.full = p.full[:0]
	return buffers
}

// volume returns how many records buffers hold, and about how many bytes of values.
func volume(buffers []*recordBuffer) (records, valueBytes int) {
	for _, buf := range buffers {
		if buf.chunk != (intake.Chunk{}) {
			records += buf.chunk.Count()
			valueBytes += buf.sum.Values
			continue
		}
		records += len(buf.entries)
		valueBytes += len(buf.bytes)
	}
	return records, valueBytes
}

// batchUp puts the records of buf into batches, or keeps them until their topic is known.
func (p *Producer) batchUp(buf *recordBuffer, now mono) {
	crowded := false
	if buf.chunk != (intake.Chunk{}) {
		p.complete(buf)
		p.pack(buf, now)
		crowded = sparse(buf.chunk)
	}
	buf.refs = len(buf.entries) + 1
	for i := range buf.entries {
		e := &buf.entries[i]
		t := e.topic
		if buf.chunk == (intake.Chunk{}) {
			e.number = p.nextNumber()
		}
		if p.onceOrNil().planned(e) {
			e.number = e.stored.seq // before all others of its partition
		} else if p.store != nil && p.stale(e) {
			p.unloadEntry(e)
			continue
		}
		if !t.send.active {
			p.activate(t, now)
		}
		if crowded || buf.topic == nil && t.stalled.Load() {
			e = p.moveOut(t, e)
		}
		t.send.records++
		if t.send.known && len(t.send.unassigned) == 0 {
			p.assign(t, e, now)
		} else {
			p.addUnassigned(t, e, now)
		}
	}
	p.letGo(buf)
}

func (p *Producer) activate(t *topic, now mono) {
	t.send.active, t.send.lastProgress = true, now
	if t.send.born == 0 {
		t.send.born = now + 1 // never the zero value
	}
	if len(p.sender.active) == 0 {
		p.sender.ticked = now
	}
	p.sender.active, p.sender.stalled = append(p.sender.active, t), false
}

// moveOut moves a record of a mixed buffer to a buffer of its topic's own: one dead topic must not pin the memory of all the records
// that passed beside its own.
func (p *Producer) moveOut(t *topic, e *entry) *entry {
	r := e.record()
	n := r.Size()
	if t.send.moved == nil || !t.send.moved.fits(n) {
		if t.send.moved != nil {
			p.letGo(t.send.moved)
		}
		t.send.moved = newBuffer(bufferRecords/4, max(bufferBytes/4, n))
		t.send.moved.refs = 1 // the topic's own hold, until the next buffer
	}
	if e.buffer.chunk != (intake.Chunk{}) && len(r.Headers) > 0 {
		p.mu.Lock()
		t.internLocked(r.Headers) // the names are the chunk's
		p.mu.Unlock()
	}
	copied := t.send.moved.add(&r, t, e.cost, e.born)
	copied.await, copied.number, copied.stored = e.await, e.number, e.stored
	t.send.moved.refs++
	p.letGo(e.buffer)
	return copied
}

// tick looks at every active topic: who makes progress, who stalls, what is too old, who is done.
func (p *Producer) tick(now mono) {
	active := p.sender.active[:0]
	p.sender.stalled = p.store == nil // behind a spool, a tick also asks the feeder for more
	for _, t := range p.sender.active {
		p.expire(t, now)
		s := &t.send
		if s.records > 0 && (s.progressed || !t.stalled.Load()) || p.unclear(t) { // who leads is asked again at each tick
			p.sender.stalled = false
		}
		if s.records > 0 && !s.progressed && now.since(s.lastProgress) >= stallAfter {
			t.stalled.Store(true)
			t.proven.Store(false)
		}
		if s.progressed {
			s.progressed, s.lastProgress = false, now
		}
		if p.store != nil {
			p.watch(t, now)
			if p.store.once != nil {
				p.forgetNotComing(t)
			}
			p.unload(t)
		}
		if p.unclear(t) {
			p.wantMetadata(t, now)
		}
		t.waiting.Store(max(int64(s.records)-t.inFlight.Load(), 0)) // what is on its way may have expired
		if s.records > 0 || t.stillRefused(now) {
			active = append(active, t)
			continue
		}
		p.deactivate(t, now)
	}
	clear(p.sender.active[len(active):])
	p.sender.active = active
	if p.store != nil {
		p.store.nudge()
	}
	p.forgetTopics(now)
	p.trim()
	if len(active) == 0 { // no tick comes until the next message
		for range 16 {
			p.trim()
		}
	}
}

func (p *Producer) deactivate(t *topic, now mono) {
	s := &t.send
	s.active, s.unassigned, s.used = false, nil, now
	t.stalled.Store(false)
	t.waiting.Store(0)
	if s.moved != nil {
		p.letGo(s.moved)
		s.moved = nil
	}
}
