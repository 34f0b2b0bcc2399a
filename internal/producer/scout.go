package producer

import (
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/halon-extras/kafka/internal/resperr"
)

const (
	// scoutEvery is how often the cluster is asked about topics that do not get on; librdkafka
	// re-queries each second too.
	scoutEvery = time.Second

	// scoutTime bounds one question. A cluster that does not answer is no verdict on a topic.
	scoutTime = 10 * time.Second

	// forgetAfter is how long a refused topic is remembered after its last call. Then it is
	// unknown again: the next call is accepted, and decided later.
	forgetAfter = time.Minute
)

// A scout asks the cluster what is wrong with a topic whose records do not get through. The client
// would wait for such a topic for ever, or keep an answer that has changed since.
//
// It is a goroutine that lives for one question. Its findings wait until the sender takes them.
type scout struct {
	asked time.Time // the sender's

	mu    sync.Mutex
	busy  bool             // guarded by mu
	found map[string]int16 // the cluster's code by topic; guarded by mu
	ended sync.WaitGroup
}

// suspect says whether the cluster should be asked about l.
func (l *lane) suspect() bool {
	return l.held.Load() && (l.inClient.Load() > 0 || len(l.backlog) > 0) || l.refusal.Load() != 0
}

// ask starts a question about the lanes that do not get on, unless one is under way or was a
// moment ago.
func (p *Producer) ask(now time.Time) {
	s := &p.scout
	if now.Sub(s.asked) < scoutEvery {
		return
	}
	var topics []string
	var stuck []*lane
	for _, l := range p.sender.active {
		switch {
		case l.purge.Load() == purgeWanted:
			stuck = append(stuck, l)
		case p.set.Blacklisted(l.topic):
			// Compat: topic.blacklist. The topic is as unknown as librdkafka finds it.
			s.mu.Lock()
			s.note(l.topic, int16(resperr.UnknownTopicOrPart))
			s.mu.Unlock()
		case l.suspect():
			topics = append(topics, l.topic)
		}
	}
	p.purge(stuck)
	if len(topics) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy {
		return
	}
	s.asked, s.busy = now, true
	s.ended.Go(func() { p.question(topics) })
}

// note keeps one finding. The caller holds s.mu.
func (s *scout) note(topic string, code int16) {
	if s.found == nil {
		s.found = make(map[string]int16)
	}
	s.found[topic] = code
}

func (p *Producer) question(topics []string) {
	s := &p.scout
	ctx, cancel := context.WithTimeout(p.life, scoutTime)
	defer cancel()
	found := p.metadata(ctx, topics)
	s.mu.Lock()
	for topic, code := range found {
		s.note(topic, code)
	}
	s.busy = false
	s.mu.Unlock()
	p.wake()
}

// metadata asks for topics and returns the cluster's code for each that it spoke of.
func (p *Producer) metadata(ctx context.Context, topics []string) map[string]int16 {
	if len(topics) == 0 {
		return nil
	}
	req := kmsg.NewPtrMetadataRequest()
	req.AllowAutoTopicCreation = p.set.AllowAutoCreate
	for _, name := range topics {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = kmsg.StringPtr(name)
		req.Topics = append(req.Topics, t)
	}
	resp, err := req.RequestWith(ctx, p.client)
	if err != nil {
		return nil
	}
	found := make(map[string]int16)
	for i := range resp.Topics {
		if t := &resp.Topics[i]; t.Topic != nil {
			found[*t.Topic] = t.ErrorCode
		}
	}
	return found
}

// judge turns what the scout has found into what becomes of each topic.
func (p *Producer) judge(now time.Time) {
	s := &p.scout
	s.mu.Lock()
	found := s.found
	s.found = nil
	s.mu.Unlock()
	if len(found) == 0 {
		return
	}
	var purge []*lane
	for _, l := range p.sender.active {
		code, ok := found[l.topic]
		if !ok {
			continue
		}
		switch verdict, refusal := p.verdict(l, resperr.Code(code), now); {
		case verdict != resperr.NoError:
			l.refuse(refusal, now)
			l.verdict.Store(int32(verdict))
			l.reclaim()
			p.failBacklog(l, verdict)
			purge = append(purge, l)
		case code == 0 && l.refusal.Load() != 0:
			// It is there after all. The client has kept the old answer and must forget it.
			l.refusal.Store(0)
			l.publish()
			l.born = now
			purge = append(purge, l)
		}
	}
	p.purge(purge)
}

// purge makes the client forget the topics of lanes. It may take its time: it waits for the
// client's own metadata request.
func (p *Producer) purge(lanes []*lane) {
	if len(lanes) == 0 {
		return
	}
	topics := make([]string, len(lanes))
	for i, l := range lanes {
		topics[i] = l.topic
		l.purge.Store(purgeUnderWay)
		l.held.Store(true)
	}
	p.scout.ended.Go(func() {
		p.client.PurgeTopicsFromProducing(topics...)
		for _, l := range lanes {
			l.purge.Store(purgeDone)
		}
		p.wake()
	})
}

// verdict is librdkafka's: what the records of a topic fail with, and what later calls are
// answered, for a code that the cluster gives for the topic; NoError while it is too early.
func (p *Producer) verdict(l *lane, code resperr.Code, now time.Time) (verdict, refusal resperr.Code) {
	switch code {
	case resperr.UnknownTopicOrPart:
		// A topic may be on its way through the cluster: it gets its time from the first call.
		if now.Sub(l.born) >= p.set.TopicPropagation {
			verdict, refusal = code, resperr.UnknownTopic
		}
	case resperr.TopicException:
		verdict, refusal = code, resperr.UnknownTopic
	case resperr.TopicAuthorizationFailed:
		if p.store == nil || p.denied(l, now) {
			verdict, refusal = code, code
		}
	}
	return verdict, refusal
}

// refuse lets later calls be answered at once with code.
func (l *lane) refuse(code resperr.Code, now time.Time) {
	l.refusal.Store(int32(code))
	l.publish()
	l.refused = now
	l.wasAsked()
}

// forget makes a refused topic unknown again when nobody has called for a while, so that the
// cluster is not asked about it for ever. It says whether the topic is still refused.
func (l *lane) forget(now time.Time) bool {
	if l.refusal.Load() == 0 {
		return false
	}
	if l.wasAsked() {
		l.refused = now
	}
	if now.Sub(l.refused) < forgetAfter {
		return true
	}
	l.refusal.Store(0)
	l.publish()
	l.born = now
	return false
}
