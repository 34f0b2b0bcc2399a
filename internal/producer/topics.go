package producer

import (
	"cmp"
	"slices"

	"github.com/halon-extras/kafka/internal/report"
)

// Topics returns what the queue knows of each topic it was given, by name.
func (p *Producer) Topics() []report.Topic {
	p.mu.Lock()
	topics := make([]report.Topic, 0, len(p.lanes))
	for _, l := range p.lanes {
		topics = append(topics, report.Topic{
			Name:       l.topic,
			Partitions: int(l.partitions.Load()),
			InClient:   int(l.inClient.Load()),
			Waiting:    int(l.outside.Load()),
			Stalled:    l.held.Load(),
		})
	}
	p.mu.Unlock()
	slices.SortFunc(topics, func(a, b report.Topic) int { return cmp.Compare(a.Name, b.Name) })
	return topics
}
