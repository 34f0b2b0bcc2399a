package producer

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/halon-extras/kafka/internal/client"
	"github.com/halon-extras/kafka/internal/logsink"
	"github.com/halon-extras/kafka/internal/report"
	"github.com/halon-extras/kafka/internal/resperr"
)

const (
	// degradedAfter is how long a topic makes no progress before the queue is called degraded for it.
	degradedAfter = 3 * time.Second

	// silentAfter is how long a lost connection may be away before that is an outage although no attempt has failed: one to a host
	// that is gone takes its time.
	silentAfter = 2 * time.Second

	// fullFor is how long a queue counts as full after the last call that found no room.
	fullFor = time.Second

	// observeAgain is how often a queue that is not ok is looked at while it sleeps.
	observeAgain = time.Second
)

// Health is what the queue knows of itself. The sender looks, each 0.25 seconds while there is something to do, whenever a
// connection or the disk changes, and before it goes to sleep; and publishes what it has found. Others read that without a lock.
type health struct {
	// The sender's.
	observed mono
	state    report.State
	since    time.Time // of state
	begun    [report.Kinds]time.Time
	loud     [report.Kinds]flaps
	each     [report.Kinds]bool
	rates    report.Rates
	fullSeen int64
	fullAt   mono // when a call last found no room, or 0
	failing  bool // a broker cannot be used, which may become an outage
	other    mono // since when the outage is one of other brokers than the one that its line names, or 0
	calm     mono // from when on topics can be expected to make progress

	// Anybody's.
	news      atomic.Bool  // something has changed
	full      atomic.Int64 // calls that Go has refused for want of room
	published atomic.Pointer[report.Health]
	last      atomic.Pointer[report.LastError]
	told      [report.Kinds]atomic.Pointer[time.Time] // since when the queue is paused, stopped, removed, or has ended: others say it, the sender reads it
	unopened  atomic.Pointer[report.Problem]          // the next queue of the name cannot be opened, and this one has ended
	fullBase  int64
}

func (p *Producer) beginHealth() {
	h := &p.health
	h.since = time.Now()
	h.published.Store(&report.Health{Since: h.since})
	if p.ingress.Intake != nil {
		h.fullBase = p.ingress.RefusedFull() // of an earlier life
	}
	p.clientLog.tell = p.changed
}

// changed has the sender look at the health of the queue. It never blocks.
func (p *Producer) changed() {
	p.health.news.Store(true)
	p.wake()
}

// end notes when something has ended permanently.
func (h *health) end(kind report.Kind) {
	now := time.Now()
	h.told[kind].CompareAndSwap(nil, &now)
}

// paused says whether nothing is to be sent, by command.
func (h *health) paused() bool { return h.told[report.Paused].Load() != nil }

// Unopened tells that the queue has ended and that the next one of its name cannot be opened, because of err.
func (p *Producer) Unopened(err error) {
	p.health.unopened.Store(&report.Problem{Kind: report.Disk, State: report.Broken, Text: err.Error() + "; calls are answered with -189 until it can be opened", Since: time.Now()})
}

// refused counts a call that is answered with code, where that is an error. One that belongs to the next queue of the name is counted there.
func (p *Producer) refused(code resperr.Code) {
	if code == resperr.NoError || code == resperr.Destroy && p.state.passed.Load() {
		return
	}
	p.stats.Refuse()
	if code == resperr.QueueFull && p.health.full.Add(1) == 1 {
		p.changed()
	}
}

// failed notes a message that was given up. Many fail at once, of which one is enough.
func (h *health) failed(code resperr.Code, topic string) {
	now := time.Now()
	if last := h.last.Load(); last != nil && last.Code == int(code) && last.Topic == topic && now.Sub(last.Time) < 100*time.Millisecond {
		return
	}
	h.last.Store(&report.LastError{Time: now, Text: code.Error(), Topic: topic, Code: int(code)})
}

// Health returns what the queue has last said of itself: a quarter of a second ago, while there is something to do. It takes no
// lock, never blocks, and may be called from any thread.
func (p *Producer) Health() *report.Health {
	h := &p.health
	now := h.published.Load()
	for _, over := range []struct {
		kind report.Kind
		text string
	}{
		{report.Stopping, "the mail server shuts down"},
		{report.Removed, "the queue is not in the running configuration any more: it takes no messages, and ends when it is empty"},
		{report.Fault, "the queue has ended by a fault: the log has it; restart the mail server"},
	} {
		if since := h.told[over.kind].Load(); since != nil {
			own := *now
			own.State, own.Since = report.Broken, *since
			own.Problems = slices.Insert(slices.Clone(now.Problems), 0, report.Problem{Kind: over.kind, State: report.Broken, Text: over.text, Since: *since})
			now = &own
		}
	}
	if over := h.unopened.Load(); over != nil {
		own := *now
		own.State, own.Since, own.Problems = report.Broken, over.Since, []report.Problem{*over}
		now = &own
	}
	return now
}

// observe looks at the health of the queue when it is time to, and returns how long the sender may sleep, which otherwise is wait.
func (p *Producer) observe(now mono, wait time.Duration) time.Duration {
	h := &p.health
	if !h.news.Swap(false) && wait >= 0 && now.since(h.observed) < tickEvery {
		return wait
	}
	h.observed = now
	wall := time.Now()
	if p.ingress.Intake != nil {
		p.stats.RefuseMany(p.ingress.Refused())
	}
	next := &report.Health{Counts: p.counted(), Error: p.lastError()}
	h.rates.Note(wall, &next.Counts)
	next.Rates = h.rates
	next.Oldest, next.InFlight = p.oldestWaiting(now, wall)
	found := p.problems(now, next.Counts.Queued)
	for kind := range report.Kinds {
		if kind != report.Stalled || found[kind] != nil || now.since(h.calm) >= degradedAfter { // what has another reason is not over
			p.noteProblem(kind, found[kind], wall, next.Counts.Queued)
		}
		if found[kind] != nil {
			found[kind].Kind, found[kind].Since = kind, h.begun[kind]
			next.Problems = append(next.Problems, *found[kind])
			next.State = max(next.State, found[kind].State)
		}
	}
	slices.SortStableFunc(next.Problems, func(a, b report.Problem) int { return int(b.State) - int(a.State) })
	if next.State != h.state {
		h.state, h.since = next.State, wall
		if len(next.Problems) > 0 {
			h.since = next.Problems[0].Since
		}
	}
	next.Since = h.since
	h.published.Store(next)
	if (len(next.Problems) > 0 || h.failing || !h.begun[report.Stalled].IsZero()) && (wait < 0 || wait > observeAgain) {
		return observeAgain
	}
	return wait
}

// problems returns what is wrong, by kind.
func (p *Producer) problems(now mono, queued int64) (found [report.Kinds]*report.Problem) {
	h := &p.health
	say := func(kind report.Kind, state report.State, format string, args ...any) {
		found[kind] = &report.Problem{State: state, Text: fmt.Sprintf(format, args...)}
	}
	if p.store != nil {
		if st := p.store.spool.Stats(); st.Degraded != nil {
			state := report.Broken
			if p.store.Spill {
				state = report.Degraded
			}
			say(report.Disk, state, "%v", st.Degraded)
			h.begun[report.Disk] = st.DegradedSince
		}
	}
	if text := p.fullText(now); text != "" {
		say(report.Full, report.Broken, "%s", text)
	}
	if at := h.told[report.Paused].Load(); at != nil {
		say(report.Paused, report.Degraded, "paused by command: nothing is sent until resume")
		h.begun[report.Paused] = *at
		h.calm = now
	}
	if kind, text, since, is := p.unreachable(now, queued); is {
		say(kind, report.Degraded, "%s", text)
		h.begun[kind] = since
		h.calm = now
	}
	refused, stalled := p.badTopics(now)
	if len(refused) > 0 {
		say(report.Refused, report.Degraded, "topic %s", several(refused))
	}
	if len(stalled) > 0 && h.calm != now {
		say(report.Stalled, report.Degraded, "topic %s", several(stalled))
	}
	return found
}

// noteProblem notes the begin and the end of a problem, and logs it where nobody else does: the client tells of brokers, the spool of its
// disk, commands of what they do, and each topic has its own line.
func (p *Producer) noteProblem(kind report.Kind, found *report.Problem, wall time.Time, queued int64) {
	h := &p.health
	begun := !h.begun[kind].IsZero()
	switch {
	case found != nil && !begun:
		h.begun[kind] = wall
		if kind == report.Full || kind == report.Stalled {
			h.each[kind] = h.loud[kind].begin(wall)
			p.log.WithGroup(groupOf(kind.String(), h.each[kind])).Error(found.Text)
		}
	case found == nil && begun:
		over := report.Lasted(wall.Sub(h.begun[kind]))
		h.begun[kind] = time.Time{}
		log := p.log.WithGroup(groupOf(kind.String()+"-over", h.each[kind]))
		switch kind {
		case report.Full:
			log.Log(p.life, logsink.LevelNotice, fmt.Sprintf("the queue has room again after %s, %s queued", over, report.Thousands(queued)))
		case report.Stalled:
			log.Log(p.life, logsink.LevelNotice, fmt.Sprintf("all topics make progress again after %s, %s queued", over, report.Thousands(queued)))
		}
	}
}

// fullText says that calls find no room, or "".
func (p *Producer) fullText(now mono) string {
	h := &p.health
	refused := h.full.Load()
	if p.ingress.Intake != nil {
		refused += p.ingress.RefusedFull() - h.fullBase
	}
	if refused != h.fullSeen || p.waitsForRoom() {
		h.fullSeen, h.fullAt = refused, now
	}
	count, bytes, cost := p.ledger.Room()
	noRoom := p.store == nil && (count < 1 || bytes < 1 || cost < recordCost)
	if h.fullAt == 0 || now.since(h.fullAt) >= fullFor && !noRoom {
		h.fullAt = 0
		return ""
	}
	switch {
	case p.store != nil:
		st := p.store.spool.Stats()
		if p.diskIsSlow() {
			return fmt.Sprintf("the queue is full: the disk is slower than the calls: %s bytes wait for it, calls are answered -184 or wait", report.Thousands(st.Waiting))
		}
		return fmt.Sprintf("the queue is full: the spool has %s of %s bytes (max_bytes), calls are answered -184 or wait", report.Thousands(st.Bytes), report.Thousands(st.MaxBytes))
	case count < 1:
		return fmt.Sprintf("the queue is full: %s messages (queue.buffering.max.messages), calls are answered -184 or wait", report.Thousands(int64(p.set.QueueMaxMessages)))
	}
	return fmt.Sprintf("the queue is full: %s of %s bytes (queue.buffering.max.kbytes), calls are answered -184 or wait",
		report.Thousands(p.ledger.HeldBytes()), report.Thousands(p.set.QueueMaxBytes))
}

// waitsForRoom says whether a parked call waits for room. Behind a spool some wait for older ones of their topic, which is no lack of it.
func (p *Producer) waitsForRoom() bool {
	if p.store == nil || p.waiting.Load() == 0 {
		return p.waiting.Load() > 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.store.crowded
}

// diskIsSlow says whether the spool has no room because what it was given is not on the disk yet.
func (p *Producer) diskIsSlow() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.store.slow
}

// unreachable says which broker that is needed cannot be used, and since when. When all can be again, it ends the outage.
func (p *Producer) unreachable(now mono, queued int64) (kind report.Kind, text string, since time.Time, is bool) {
	brokers := p.client.Brokers()
	usable := func(b *client.BrokerStatus) bool { return b.State >= client.Ready }
	up := false
	for i := range brokers {
		up = up || usable(&brokers[i])
	}
	h, log := &p.health, p.clientLog
	h.failing = false
	_, _, _, known := log.outage.present()
	named := false
	for i := range brokers {
		b := &brokers[i]
		unwanted := b.State == client.Idle && time.Since(b.Since) > silentAfter // before, it may be wanted again in a moment
		if b.LastError == "" || usable(b) || up && (b.ID < 0 || unwanted) {
			continue
		}
		h.failing = true
		named = named || log.outage.names(b.Address)
		if !known && time.Since(b.Lost) > silentAfter {
			log.fails(groupConnection, b.Address, "no connection: "+b.LastError)
		}
	}
	switch {
	case !known || !h.failing || !up || named:
		h.other = 0
	case h.other == 0:
		h.other = now
	case now.since(h.other) > silentAfter: // brokers that come back one after the other need no line each
		log.outage.nextIsNews()
	}
	kind, text, since, is = log.outage.present()
	if is && !h.failing && up {
		log.recovers(queued)
		return kind, "", since, false
	}
	return kind, text, since, is && h.failing
}

// badTopics returns what is wrong with the topics that there are records of.
func (p *Producer) badTopics(now mono) (refused, stalled []string) {
	for _, t := range p.sender.active {
		s := &t.send
		switch code := resperr.Code(t.refusal.Load()); {
		case code != resperr.NoError:
			refused = append(refused, fmt.Sprintf("%s is refused: %s", report.Printable(t.name), code.Error()))
		case s.noRight != 0:
			refused = append(refused, fmt.Sprintf("%s: %s", report.Printable(t.name), resperr.TopicAuthorizationFailed.Error()))
		case s.records > 0 && !s.progressed && now.since(max(s.lastProgress, p.health.calm)) >= degradedAfter:
			stalled = append(stalled, fmt.Sprintf("%s makes no progress: %s", report.Printable(t.name), s.obstacle()))
		}
	}
	return refused, stalled
}

// obstacle says why nothing of the topic is delivered, as far as that is known.
func (s *sending) obstacle() string {
	leaders, unnamed := false, false
	for _, part := range s.partitions {
		if len(part.waiting) > 0 && part.waiting[0].last != resperr.NoError {
			return part.waiting[0].last.Error()
		}
		leaders = leaders || part.leader >= 0
		unnamed = unnamed || part.idempotent && part.producerID < 0 && !part.idle()
	}
	switch {
	case s.unknownSince != 0:
		return "the cluster does not know it"
	case !s.known:
		return "the cluster has not said where its partitions are"
	case !leaders:
		return "its partitions have no leader"
	case unnamed:
		return "the cluster gives no producer id"
	}
	return "no answer from its brokers"
}

// several joins the sentences of a few topics.
func several(topics []string) string {
	const most = 3
	slices.Sort(topics)
	text := strings.Join(topics[:min(most, len(topics))], "; ")
	if more := len(topics) - most; more > 0 {
		text += fmt.Sprintf("; and %d more topics", more)
	}
	return text
}

// oldestWaiting returns when the oldest record was accepted that has no report, or zero, and how many are on their way.
func (p *Producer) oldestWaiting(now mono, wall time.Time) (oldest time.Time, inFlight int64) {
	var born mono
	older := func(b mono) {
		if born == 0 || b < born {
			born = b
		}
	}
	for _, t := range p.sender.active {
		inFlight += t.inFlight.Load()
		if len(t.send.unassigned) > 0 {
			older(t.send.unassigned[0].born)
		}
		for _, part := range t.send.partitions {
			for _, b := range part.inFlight {
				if b.unreported() > 0 {
					older(b.oldest)
				}
			}
			if len(part.waiting) > 0 && part.waiting[0].unreported() > 0 {
				older(part.waiting[0].oldest)
			}
		}
	}
	if born != 0 {
		oldest = wall.Add(-now.since(born))
	}
	if p.store != nil {
		if st := p.store.spool.Stats(); st.Pending > 0 && !st.Oldest.IsZero() && (oldest.IsZero() || st.Oldest.Before(oldest)) {
			oldest = st.Oldest
		}
	}
	return oldest, inFlight
}

// lastError is the last message that was given up, or the last outage, whichever came later.
func (p *Producer) lastError() *report.LastError {
	last := p.health.last.Load()
	o := &p.clientLog.outage
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.text != "" && (last == nil || o.told.After(last.Time)) {
		return &report.LastError{Time: o.told, Text: o.text}
	}
	return last
}
