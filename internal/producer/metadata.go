package producer

import (
	"log/slog"
	"slices"
	"time"

	"github.com/halon-extras/kafka/internal/client"
	"github.com/halon-extras/kafka/internal/intake"
	"github.com/halon-extras/kafka/internal/logsink"
	"github.com/halon-extras/kafka/internal/resperr"
)

// mostTopics is how many topics one question names. A queue with more asks again when it has the answer.
const mostTopics = 1000

// questions are what the sender wants to know of the cluster, and when it asks.
type questions struct {
	waiting bool // a question is on its way
	next    mono // when the next one may go
	pause   time.Duration
	wanted  []*topic // topics that metadata is wanted for
	paused  []*partition
	refresh mono // when topics were last looked through for old metadata
}

// wantMetadata asks the cluster about t as soon as that may be.
func (p *Producer) wantMetadata(t *topic, now mono) {
	l := &p.sender.questions
	if l.want(t) && len(l.wanted) == 1 && l.pause == 0 {
		l.next = min(l.next, now)
	}
}

// want puts t into the list, and says whether it was not there.
func (l *questions) want(t *topic) bool {
	if t.send.wanted {
		return false
	}
	t.send.wanted = true
	l.wanted = append(l.wanted, t)
	return true
}

// unclear says whether metadata of t is needed.
func (p *Producer) unclear(t *topic) bool {
	s := &t.send
	if s.records > 0 && !s.known || t.refusal.Load() != 0 || s.unknownSince != 0 {
		return true
	}
	for _, part := range s.partitions {
		if part.idle() {
			continue
		}
		if part.state == leaderless || part.state == pausing && part.looks > 0 {
			return true
		}
		if b := p.sender.brokers[part.leader]; b != nil && !b.up && b.away != 0 {
			return true
		}
	}
	return false
}

// askMetadata asks about the topics of which something is not known, and returns how long it is to the next question, or less than
// 0 when none is due.
func (p *Producer) askMetadata(now mono) time.Duration {
	l := &p.sender.questions
	p.refreshMetadata(now)
	if l.waiting || len(l.wanted) == 0 {
		return -1
	}
	if now < l.next {
		return l.next.since(now)
	}
	if !p.set.SparseMetadata {
		for _, t := range p.sender.active {
			l.want(t)
		}
	}
	n := min(len(l.wanted), mostTopics)
	names := make([]string, 0, n)
	for _, t := range l.wanted[:n] {
		t.send.wanted = false
		if p.set.Blacklisted(t.name) {
			// Compat: topic.blacklist. The topic is as unknown as librdkafka finds it.
			p.learnCode(t, resperr.UnknownTopicOrPart, now)
			continue
		}
		names = append(names, t.name)
	}
	clear(l.wanted[:n])
	if l.wanted = l.wanted[n:]; len(l.wanted) == 0 {
		l.wanted = nil
	}
	if len(names) == 0 {
		return 0
	}
	l.waiting = true
	p.client.AskMetadata(names, p.set.AllowAutoCreate)
	return -1
}

// refreshMetadata wants the metadata of topics that is older than topic.metadata.refresh.interval.ms.
func (p *Producer) refreshMetadata(now mono) {
	l := &p.sender.questions
	if every := p.set.MetadataRefresh; every > 0 && now.since(l.refresh) >= min(every, time.Second) {
		l.refresh = now
		for _, t := range p.sender.active {
			if t.send.known && now.since(t.send.refreshed) >= every {
				p.wantMetadata(t, now)
			}
		}
	}
}

// hear takes news of the cluster.
func (p *Producer) hear(e *client.Event, now mono) {
	l := &p.sender.questions
	switch e.Kind {
	case client.Up:
		b := p.brokerOf(e.Broker)
		b.up, b.away, b.connection = true, 0, e.Connection
	case client.Down:
		b := p.brokerOf(e.Broker)
		b.up = false
		for _, part := range b.ready {
			p.wantMetadata(part.topic, now)
		}
		if len(b.ready) > 0 {
			if b.away == 0 {
				b.away = now
			}
			p.client.Connect(b.id)
		}
	case client.MetadataReceived, client.MetadataFailed:
		l.waiting = false
		if e.Kind == client.MetadataReceived {
			for i := range e.Metadata.Topics {
				p.learn(&e.Metadata.Topics[i], now)
			}
		}
		p.lookAgain(now)
	case client.ProducerID:
		p.identified(e, now)
	}
}

// lookAgain plans the next question: at once for topics that were not asked about, and after a pause that grows for those that are
// as unclear as before.
func (p *Producer) lookAgain(now mono) {
	l := &p.sender.questions
	fresh := len(l.wanted)
	for _, t := range p.sender.active {
		if p.unclear(t) {
			l.want(t)
		}
	}
	switch {
	case len(l.wanted) == 0:
		l.pause, l.next = 0, now.after(p.set.MetadataFast)
	case fresh > 0:
		l.next = now
	default:
		l.pause = min(max(2*l.pause, p.set.MetadataFast), max(p.set.RetryBackoffMax, p.set.MetadataFast), lookEvery)
		l.next = now.after(l.pause)
	}
}

// lookEvery is the longest pause between two questions about a topic that makes no progress; librdkafka
// asks again each second too.
const lookEvery = time.Second

// learn takes what metadata says of one topic.
func (p *Producer) learn(m *client.Topic, now mono) {
	p.mu.Lock()
	t := p.topics[m.Name]
	p.mu.Unlock()
	if t == nil {
		return
	}
	s := &t.send
	code := resperr.Code(m.Code)
	if code != resperr.NoError {
		p.learnCode(t, code, now)
		return
	}
	n := count(m.Partitions)
	if n == 0 {
		return // the topic is being created
	}
	var none [16]byte
	recreated := s.known && s.id != none && m.ID != none && s.id != m.ID
	s.id, s.unknownSince, s.refreshed = m.ID, 0, now
	if t.refusal.Load() != 0 {
		p.log.LogAttrs(p.life, logsink.LevelNotice, "the cluster takes messages of a topic again", slog.String("topic", t.name))
		t.refuse(resperr.NoError, now)
		s.born = now
	}
	p.resize(t, n, recreated)
	s.known = true
	s.led = s.led[:0]
	for i := range m.Partitions {
		mp := &m.Partitions[i]
		if mp.ID < 0 || int(mp.ID) >= len(s.partitions) {
			continue
		}
		part := s.partitions[mp.ID]
		if recreated {
			part.leaderEpoch = -1
			part.doubt, part.bound = part.noted, unasked
			part.restart()
		}
		part.setLeader(mp.Leader, mp.LeaderEpoch)
		if part.leader >= 0 {
			s.led = append(s.led, part.id)
		}
		p.drop(part)
		p.watchPause(part)
		p.enlist(part)
	}
	p.assignAll(t, now)
	p.route(t)
}

// count returns how many partitions metadata names. A topic with a hole in the numbers, or a number below 0, has those up to it.
func count(partitions []client.Partition) int {
	named := make([]bool, len(partitions))
	for i := range partitions {
		if id := int(partitions[i].ID); id >= 0 && id < len(named) {
			named[id] = true
		}
	}
	if i := slices.Index(named, false); i >= 0 {
		return i
	}
	return len(named)
}

// resize lets t have n partitions. What was in one that is gone is given another, unless its script has named
// it.
func (p *Producer) resize(t *topic, n int, recreated bool) {
	s := &t.send
	for len(s.partitions) > n {
		last := s.partitions[len(s.partitions)-1]
		s.partitions = s.partitions[:len(s.partitions)-1]
		p.unassign(t, last.remove())
	}
	if recreated && len(s.partitions) == 0 {
		s.choice = intake.NewChoice()
	}
	for len(s.partitions) < n {
		s.partitions = append(s.partitions, &partition{
			topic: t, id: int32(len(s.partitions)), leader: -1, leaderEpoch: -1, window: p.window,
			idempotent: p.set.Idempotence, newestFirst: p.set.NewestFirst, producerID: -1, usedUp: -1,
		})
		p.restore(s.partitions[len(s.partitions)-1])
	}
	if int(t.partitions.Load()) != n {
		t.partitions.Store(int32(n))
		t.publish()
	}
}

// learnCode takes a code that the cluster gives for a topic: what its records fail with, and what later calls are
// answered, is librdkafka's.
func (p *Producer) learnCode(t *topic, code resperr.Code, now mono) {
	s := &t.send
	if !s.active {
		return // forgotten since it was asked about: nobody would ask again, and calls would be refused for ever
	}
	fails, refusal := resperr.NoError, resperr.NoError
	switch code {
	case resperr.UnknownTopicOrPart:
		if s.unknownSince == 0 {
			s.unknownSince = now + 1
			if !s.known {
				s.unknownSince = s.born
			}
		}
		// A topic may be on its way through the cluster: it gets its time from the first call, or since it was last seen.
		if now.since(s.unknownSince) >= p.set.TopicPropagation {
			fails, refusal = code, resperr.UnknownTopic
		}
	case resperr.TopicException:
		fails, refusal = code, resperr.UnknownTopic
	case resperr.TopicAuthorizationFailed:
		if s.noRight == 0 {
			s.noRight = now + 1
		}
		if p.store == nil || now.since(s.noRight) >= deniedFor {
			fails, refusal = code, code
		}
	}
	if fails == resperr.NoError {
		return
	}
	first := t.refusal.Load() == 0
	t.refusal.Store(int32(refusal))
	t.publish()
	if first {
		s.refused = now
		t.wasAsked()
		p.log.LogAttrs(p.life, slog.LevelError, "the cluster does not take messages of a topic, calls are refused until it does: "+code.Error(),
			slog.String("topic", t.name), errnoAttr(refusal))
	}
	s.known = false
	p.route(t)
	p.failWaiting(t, fails)
}
