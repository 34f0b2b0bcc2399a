package producer

import (
	"cmp"
	"slices"

	"github.com/halon-extras/kafka/internal/report"
)

// Topics returns what the queue knows of each topic it was given, by name.
func (p *Producer) Topics() []report.Topic {
	p.mu.Lock()
	topics := make([]report.Topic, 0, len(p.topics))
	for _, t := range p.topics {
		topics = append(topics, report.Topic{
			Name:       t.name,
			Partitions: int(t.partitions.Load()),
			InClient:   int(t.inFlight.Load()),
			Waiting:    int(t.waiting.Load()),
			Stalled:    t.stalled.Load(),
		})
	}
	p.mu.Unlock()
	slices.SortFunc(topics, func(a, b report.Topic) int { return cmp.Compare(a.Name, b.Name) })
	return topics
}
