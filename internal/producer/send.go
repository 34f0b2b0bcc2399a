package producer

import (
	"context"
	"time"

	"github.com/halon-extras/kafka/internal/intake"
	"github.com/halon-extras/kafka/internal/resperr"
)

// tickEvery is how often the sender looks after stalled topics and old messages while any record
// is outstanding. With nothing outstanding it sleeps without a timer.
const tickEvery = 250 * time.Millisecond

// A sender takes slabs from the queue and hands their records to the client. It is one goroutine,
// so that the order of calls is the order of each partition.
type sender struct {
	active  []*lane // lanes with records in the client or in their backlog
	ticked  time.Time
	taken   time.Time // when the current slab was last taken, or the queue woke up
	quiet   int       // lingers in a row that found nothing
	current []*slab   // scratch
	lanes   []*lane   // by the number that the intake's records carry
	fed     []handle  // slabs with records that have no report yet, and some that have none left
}

func (s *sender) start(p *Producer) {
	s.quiet = soundAsleep
	go p.send()
}

// soundAsleep is the number of empty lingers after which the sender sleeps until the next message:
// one may lie between two messages of a steady stream, but after that, looking costs more.
const soundAsleep = 3

// send is the sender's loop. It wakes once a linger while records come, at a full slab, at a tick
// while something is outstanding, and otherwise not at all.
func (p *Producer) send() {
	defer close(p.finished)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		p.kicked.Store(false)
		if p.store != nil {
			p.turnLanes()
		}
		p.admitParked()
		wait := p.pump(p.now())
		if wait == 0 {
			continue
		}
		if wait > 0 {
			timer.Reset(wait)
		}
		select {
		case <-p.kick:
		case <-timer.C:
		case <-p.quit:
			return
		}
	}
}

// pump moves what is due to the client and returns how long the sender may sleep: 0 for not at
// all, negative for until it is woken.
func (p *Producer) pump(now time.Time) time.Duration {
	s := &p.sender
	slabs, wait := p.take(now)
	if p.worked != nil && len(slabs) > 0 {
		p.worked(volume(slabs))
	}
	for i, sl := range slabs {
		p.feed(sl, now)
		slabs[i] = nil
	}
	s.current = slabs[:0]
	if len(s.active) == 0 {
		return wait
	}
	if now.Sub(s.ticked) >= tickEvery {
		s.ticked = now
		p.tick(now)
	} else {
		p.judge(now)
		p.resume(now)
	}
	if len(s.active) == 0 {
		return wait
	}
	if next := tickEvery - now.Sub(s.ticked); wait < 0 || next < wait {
		return max(next, time.Millisecond)
	}
	return wait
}

// take returns the slabs that are due and how long it is to the next one.
func (p *Producer) take(now time.Time) ([]*slab, time.Duration) {
	s := &p.sender
	slabs := s.current[:0]
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.front.Intake != nil && p.front.Full() {
		p.drawIn()
	}
	slabs = p.takeFull(slabs)
	oldest, some := p.oldest()
	if !some {
		if len(slabs) > 0 {
			s.quiet, s.taken = 0, now
		}
		if s.quiet++; s.quiet < soundAsleep && p.set.Linger > 0 && !p.asleep {
			return slabs, p.set.Linger
		}
		if p.front.Intake != nil && !p.front.Sleep() {
			return slabs, 0
		}
		p.asleep = true
		return slabs, -1
	}
	p.asleep = false
	if p.front.Intake != nil {
		p.front.Awake()
	}
	if p.set.Linger > 0 && p.urgent.Load() == 0 {
		if s.quiet >= soundAsleep { // woken by the first record of a stream
			s.taken = now
		}
		s.quiet = 0
		rest := p.set.Linger - now.Sub(s.taken)
		if old := now.Sub(oldest); rest <= 0 && len(slabs) == 0 && old < p.set.Linger/2 {
			// The linger began before there was anything. Sending now would part what is called together.
			rest = p.set.Linger - max(old, 0)
		}
		if rest > 0 {
			return slabs, rest
		}
	}
	s.quiet, s.taken = 0, now
	p.drawIn()
	slabs = p.takeFull(slabs)
	if p.current != nil && len(p.current.entries) > 0 {
		slabs = append(slabs, p.current)
		p.current = nil
	}
	return slabs, max(p.set.Linger, time.Microsecond)
}

// takeFull appends the full slabs to slabs. The caller holds p.mu.
func (p *Producer) takeFull(slabs []*slab) []*slab {
	slabs = append(slabs, p.full...)
	clear(p.full)
	p.full = p.full[:0]
	return slabs
}

// volume returns how many records slabs hold, and about how many bytes of values.
func volume(slabs []*slab) (records, valueBytes int) {
	for _, s := range slabs {
		if s.chunk != (intake.Chunk{}) {
			records += s.chunk.Count()
			valueBytes += s.sum.Values
			continue
		}
		records += len(s.entries)
		valueBytes += len(s.bytes)
	}
	return records, valueBytes
}

// feed hands the records of s to the client, or to the backlog of their topics.
func (p *Producer) feed(s *slab, now time.Time) {
	if s.chunk != (intake.Chunk{}) {
		p.sender.lanes = p.unpack(s, p.sender.lanes)
	}
	s.left.Store(int32(len(s.entries)) + 1)
	p.track(s, s.entries[0].Timestamp)
	whole := s.lane != nil // then the slab may wait as it is: it pins nobody else's records
	for i := range s.entries {
		e := &s.entries[i]
		l := e.lane
		if p.store != nil && p.stale(e) {
			p.unloadEntry(e)
			continue
		}
		if !l.active {
			p.activate(l, now)
		}
		if l.held.Load() || len(l.backlog) > 0 {
			p.shelve(l, e, whole)
			continue
		}
		p.hand(l, e)
	}
	p.letGo(s)
}

func (p *Producer) activate(l *lane, now time.Time) {
	l.active, l.moved = true, now
	if l.born.IsZero() {
		l.born = now
	}
	if len(p.sender.active) == 0 {
		p.sender.ticked = now
	}
	p.sender.active = append(p.sender.active, l)
}

// hand gives one record to the client. The client's own limits are far above ours, so this does
// not wait.
func (p *Producer) hand(l *lane, e *entry) {
	if p.set.Acks > 1 {
		// Compat: acks. librdkafka sends any number, and brokers refuse all but 0, 1 and -1. The
		// client cannot send it; the report is the broker's.
		p.settle(e, resperr.InvalidRequiredAcks)
		p.letGo(e.slab)
		return
	}
	if l.topic == "" {
		// The client would fail it without a code; a broker calls the name invalid.
		l.learn(resperr.TopicException)
		p.settle(e, resperr.TopicException)
		p.letGo(e.slab)
		return
	}
	l.inClient.Add(1)
	p.client.Produce(context.Background(), &e.Record, p.promise)
}

// shelve keeps e in the backlog of its lane. A record of a mixed slab is moved to a slab of the
// lane's own: one dead topic must not pin the memory of all the records that passed beside its own.
func (p *Producer) shelve(l *lane, e *entry, whole bool) {
	if whole {
		l.backlog = append(l.backlog, e)
		return
	}
	n := recordBytes(&e.Record)
	if l.store == nil || !l.store.fits(n) {
		if l.store != nil {
			p.letGo(l.store)
		}
		l.store = newSlab(slabRecords/4, max(slabBytes/4, n))
		l.store.left.Store(1) // the lane's own hold, until the next store
		p.track(l.store, e.Timestamp)
	}
	if e.slab.chunk != (intake.Chunk{}) && len(e.Headers) > 0 {
		p.mu.Lock()
		l.intern(e.Headers) // the names are the chunk's
		p.mu.Unlock()
	}
	moved := l.store.add(&e.Record, l, e.cost)
	moved.await = e.await
	if p.store != nil {
		moved.stored.epoch, moved.stored.asked, moved.stored.number = e.stored.epoch, e.stored.asked, e.stored.number
		moved.stored.seq.Store(e.stored.seq.Load())
	}
	e.reported.Store(true) // the one report is that of moved, or the slab's end would count a second one
	l.store.left.Add(1)
	l.backlog = append(l.backlog, moved)
	p.letGo(e.slab)
}

// letGo gives up one hold on s.
func (p *Producer) letGo(s *slab) {
	if s.left.Add(-1) == 0 {
		p.pool.put(s)
	}
}

// resume looks only at lanes whose reports woke the sender.
func (p *Producer) resume(now time.Time) {
	for _, l := range p.sender.active {
		if l.held.Load() {
			p.service(l, now)
		}
	}
}

// tick looks at every active lane: who got on, who stalls, what is too old, who is done.
func (p *Producer) tick(now time.Time) {
	p.judge(now)
	p.ask(now)
	active := p.sender.active[:0]
	for _, l := range p.sender.active {
		p.expire(l, now)
		if l.inClient.Load() > 0 && !l.progressed.Load() && now.Sub(l.moved) >= stallAfter {
			l.held.Store(true)
			l.proven.Store(false)
		}
		p.service(l, now)
		if p.store != nil {
			p.watch(l, now)
			p.unload(l)
		}
		l.outside.Store(int64(len(l.backlog)))
		if l.inClient.Load() > 0 || l.waiting() || l.purge.Load() != purgeNone || l.forget(now) {
			active = append(active, l)
			continue
		}
		l.active = false
		l.outside.Store(0)
		l.held.Store(false)
		if l.store != nil {
			p.letGo(l.store)
			l.store = nil
		}
		l.backlog = nil
	}
	p.expireHeld(now)
	clear(p.sender.active[len(active):])
	p.sender.active = active
	if p.store != nil {
		p.store.nudge()
	}
	p.pool.trim()
	if len(active) == 0 { // no tick comes until the next message
		for range 16 {
			p.pool.trim()
		}
	}
}

// service moves a lane on: a delivery opens it, an empty client gets a few records to try.
func (p *Producer) service(l *lane, now time.Time) {
	l.reclaim()
	empty := l.inClient.Load() == 0
	if l.purge.Load() != purgeNone {
		l.held.Store(true)
		if !empty || l.purge.Load() != purgeDone {
			return
		}
		l.reclaim() // what came back last
		l.purge.Store(purgeNone)
		l.progressed.Store(false)
		l.moved = time.Time{} // it may be tried at once
	}
	if empty && l.verdict.Load() != 0 {
		l.verdict.Store(0)
	}
	if p.store != nil && p.sendAlone(l, now) {
		return
	}
	if l.progressed.Load() && l.progressed.Swap(false) {
		l.moved = now
		l.held.Store(false)
	}
	if !l.held.Load() {
		p.release(l, len(l.backlog))
		return
	}
	every := probeEvery
	if p.store != nil {
		every = stallAfter // what the cluster refuses is tried for a minute and more
	}
	if empty && len(l.backlog) > 0 && now.Sub(l.moved) >= every {
		l.moved = now
		p.release(l, p.probe(l))
	}
}

// probe returns how many of the oldest records to try: those of about one age, so that what fails
// together is also due together.
func (p *Producer) probe(l *lane) int {
	oldest := l.backlog[0].Timestamp
	n := 1
	for n < len(l.backlog) && n < probeRecords && l.backlog[n].Timestamp.Sub(oldest) < stallAfter/2 {
		n++
	}
	return n
}

// release hands the n oldest of the backlog to the client.
func (p *Producer) release(l *lane, n int) {
	for _, e := range l.backlog[:n] {
		p.hand(l, e)
	}
	l.drop(n)
	if n > 0 {
		l.back = 0
	}
}

// drop forgets the n oldest of the backlog.
func (l *lane) drop(n int) {
	if n == 0 {
		return
	}
	clear(l.backlog[:n])
	l.backlog = l.backlog[n:]
	l.back = max(l.back-n, 0)
	if len(l.backlog) == 0 {
		l.backlog = nil
	}
}
