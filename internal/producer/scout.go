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
	return l.held.Load() && l.inClient.Load() > 0 || l.refusal.Load() != 0 || l.recreated.Load()
}

// ask starts a question about the lanes that do not get on, unless one is under way or was a
// moment ago.
func (p *Producer) ask(now time.Time) {
	s := &p.scout
	if now.Sub(s.asked) < scoutEvery {
		return
	}
	var topics, reload []string
	for _, l := range p.sender.active {
		switch {
		case l.recreated.Swap(false):
			l.reloading.Store(true)
			reload = append(reload, l.topic)
		case p.set.Blacklisted(l.topic):
			// Compat: topic.blacklist. The topic is as unknown as librdkafka finds it.
			s.mu.Lock()
			s.note(l.topic, int16(resperr.UnknownTopicOrPart))
			s.mu.Unlock()
		case l.suspect():
			topics = append(topics, l.topic)
		}
	}
	if len(topics)+len(reload) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy {
		return
	}
	s.asked, s.busy = now, true
	s.ended.Add(1)
	go p.question(topics, reload)
}

// note keeps one finding. The caller holds s.mu.
func (s *scout) note(topic string, code int16) {
	if s.found == nil {
		s.found = make(map[string]int16)
	}
	s.found[topic] = code
}

func (p *Producer) question(topics, reload []string) {
	s := &p.scout
	defer s.ended.Done()
	ctx, cancel := context.WithTimeout(p.life, scoutTime)
	defer cancel()
	found := p.metadata(ctx, topics)
	if len(reload) > 0 {
		p.client.PurgeTopicsFromProducing(reload...)
	}
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
	var purge []string
	for _, l := range p.sender.active {
		code, ok := found[l.topic]
		if !ok {
			continue
		}
		switch verdict, refusal := p.verdict(l, resperr.Code(code), now); {
		case verdict != resperr.NoError:
			l.refuse(refusal, now)
			l.verdict.Store(int32(verdict))
			p.failLane(l, verdict)
			purge = append(purge, l.topic)
		case code == 0 && l.refusal.Load() != 0:
			// It is there after all. The client has kept the old answer and must forget it.
			l.refusal.Store(0)
			l.born = now
			purge = append(purge, l.topic)
		}
	}
	if len(purge) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended.Add(1)
	go func() { // the client may take its time: it waits for its own metadata request
		defer s.ended.Done()
		p.client.PurgeTopicsFromProducing(purge...)
		p.wake()
	}()
}

// verdict is librdkafka's: what the records of a topic fail with, and what later calls are
// answered, for a code that the cluster gives for the topic; NoError while it is too early.
func (p *Producer) verdict(l *lane, code resperr.Code, now time.Time) (verdict, refusal resperr.Code) {
	switch code {
	case resperr.UnknownTopicOrPart:
		// A topic may be on its way through the cluster: it gets its time from the first call.
		if now.Sub(l.born) < p.set.TopicPropagation {
			return resperr.NoError, resperr.NoError
		}
		return code, resperr.UnknownTopic
	case resperr.TopicException:
		return code, resperr.UnknownTopic
	case resperr.TopicAuthorizationFailed:
		return code, code
	}
	return resperr.NoError, resperr.NoError
}

// refuse lets later calls be answered at once with code.
func (l *lane) refuse(code resperr.Code, now time.Time) {
	l.refusal.Store(int32(code))
	l.refused = now
	l.asked.Store(false)
}

// failLane fails what waits outside the client; what is inside comes back when it is purged.
func (p *Producer) failLane(l *lane, code resperr.Code) {
	l.reclaim()
	for _, e := range l.backlog {
		p.settle(e, code)
		p.letGo(e.slab)
	}
	l.drop(len(l.backlog))
}

// forget makes a refused topic unknown again when nobody has called for a while, so that the
// cluster is not asked about it for ever. It says whether the topic is still refused.
func (l *lane) forget(now time.Time) bool {
	if l.refusal.Load() == 0 {
		return false
	}
	if l.asked.Swap(false) {
		l.refused = now
	}
	if now.Sub(l.refused) < forgetAfter {
		return true
	}
	l.refusal.Store(0)
	l.born = now
	return false
}
