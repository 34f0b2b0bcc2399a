package producer

import (
	"math/rand/v2"

	"github.com/twmb/franz-go/pkg/kgo"
)

// partitioner is the configured partitioner, which it also overhears: the client tells it how many
// partitions a topic has, and from then on a call that names one too many is refused at the call.
func (p *Producer) partitioner() kgo.Partitioner {
	return &overhear{p.set.Partitioner(rand.IntN, p.now, misplace)}
}

// misplace marks a record whose partition does not exist. The client's own error for it has no
// type, and an outcome is never told by text.
func misplace(r *kgo.Record) {
	if e, ok := r.Context.(*entry); ok {
		e.Context = &misplaced{e}
	}
}

type misplaced struct{ *entry }

type overhear struct{ inner kgo.Partitioner }

func (o *overhear) ForTopic(topic string) kgo.TopicPartitioner {
	return &overheard{o.inner.ForTopic(topic)}
}

type overheard struct{ kgo.TopicPartitioner }

func (o *overheard) Partition(r *kgo.Record, n int) int {
	if e, ok := r.Context.(*entry); ok {
		if !e.lane.known.Load() {
			e.lane.known.Store(true)
		}
		// Only a consistent choice is among all partitions; the others are among those with a leader.
		if int(e.lane.partitions.Load()) != n && o.RequiresConsistency(r) {
			e.lane.partitions.Store(int32(n))
			e.lane.publish()
		}
	}
	return o.TopicPartitioner.Partition(r, n)
}
