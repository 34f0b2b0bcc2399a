package conf

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// keyRule tells what a partitioner does with a record whose key it does not hash.
type keyRule uint8

const (
	hashAll   keyRule = iota // even a null key is hashed, as the empty one
	hashGiven                // a null key is spread, an empty one is hashed
	hashFull                 // a null or empty key is spread
	hashNone                 // every key is spread
)

// partitioning is one value of the property partitioner.
type partitioning struct {
	name string
	hash func(key []byte) uint32
	keys keyRule
}

var partitionings = []partitioning{
	{"random", crc, hashNone},
	{"consistent", crc, hashAll},
	{"consistent_random", crc, hashFull},
	{"murmur2", murmur2Positive, hashAll},
	{"murmur2_random", murmur2Positive, hashGiven},
	{"fnv1a", fnv1a, hashAll},
	{"fnv1a_random", fnv1a, hashGiven},
}

func murmur2Positive(key []byte) uint32 { return murmur2(key) & 0x7fffffff }

func partitionerNamed(name string) (partitioning, bool) {
	for _, p := range partitionings {
		if p.name == name {
			return p, true
		}
	}
	return partitioning{}, false
}

// hashes reports whether a record with this key goes to the partition of its hash.
func (p partitioning) hashes(key []byte) bool {
	switch p.keys {
	case hashAll:
		return true
	case hashGiven:
		return key != nil
	case hashFull:
		return len(key) > 0
	default:
		return false
	}
}

// sticks reports whether a record that is not hashed goes to the sticky partition. Only the null
// key does, and for consistent_random the empty one: with "random", a key that is present spreads
// its records over all partitions.
func (p partitioning) sticks(key []byte) bool {
	return key == nil || len(key) == 0 && p.keys == hashFull
}

// Partition returns the partition that the partitioner called name gives a record with key, out of
// n. It reports false where librdkafka draws one at random, and for a name that is no partitioner
// or an n below 1. A nil key is Kafka's null, which is not the empty key.
func Partition(name string, key []byte, n int32) (partition int32, ok bool) {
	p, known := partitionerNamed(name)
	if !known || n < 1 || !p.hashes(key) {
		return 0, false
	}
	return int32(p.hash(key) % uint32(n)), true
}

// Random gives a number from 0 to n-1. It is called for one record at a time for each topic, but
// for several topics at once.
type Random func(n int) int

// Partitioner returns the partitioner of these settings for a kgo client.
//
// A record names its partition in Partition, and -1 leaves it to the property partitioner. For a
// partition that the topic does not have, outOfRange is called with the record, on the goroutine
// that kgo partitions on, and kgo then fails that record; outOfRange must not block.
//
// Sticky partitions are kept for sticky.partitioning.linger.ms as told by now, however full their
// batches are, and drawn again when their leader is gone.
func (s *Settings) Partitioner(random Random, now func() time.Time, outOfRange func(*kgo.Record)) kgo.Partitioner {
	how, _ := partitionerNamed(s.PartitionerName)
	return &partitioner{how: how, sticky: s.StickyLinger, random: random, now: now, outOfRange: outOfRange}
}

type partitioner struct {
	how        partitioning
	sticky     time.Duration
	random     Random
	now        func() time.Time
	outOfRange func(*kgo.Record)
}

// ForTopic implements [kgo.Partitioner].
func (p *partitioner) ForTopic(string) kgo.TopicPartitioner {
	return &topicPartitioner{partitioner: p, current: -1}
}

// topicPartitioner is used by kgo under the lock of its topic.
type topicPartitioner struct {
	*partitioner
	current int // the sticky partition, as an index of those with a leader; -1 before the first
	of      int // how many had a leader when it was drawn
	until   time.Time
}

// RequiresConsistency implements [kgo.TopicPartitioner]: true means that all partitions count, with
// or without a leader, so that the same key or number always means the same partition.
func (t *topicPartitioner) RequiresConsistency(r *kgo.Record) bool {
	return r.Partition != anyPartition || t.how.hashes(r.Key)
}

// anyPartition is Kafka's number for "not chosen yet".
const anyPartition = -1

// Partition implements [kgo.TopicPartitioner]. Where the record has no say, n counts only the
// partitions that have a leader: kgo asks RequiresConsistency first.
func (t *topicPartitioner) Partition(r *kgo.Record, n int) int {
	switch {
	case r.Partition != anyPartition:
		if r.Partition < 0 || int(r.Partition) >= n {
			t.outOfRange(r)
			return n // out of range for kgo too, which then fails the record
		}
		return int(r.Partition)
	case n == 1:
		return 0
	case t.how.hashes(r.Key):
		return int(t.how.hash(r.Key) % uint32(n))
	case t.sticky <= 0 || !t.how.sticks(r.Key):
		return t.random(n)
	}
	now := t.now()
	// Another number of leaders gives every index another meaning.
	if t.current < 0 || t.of != n || !now.Before(t.until) {
		t.current, t.of, t.until = t.random(n), n, now.Add(t.sticky)
	}
	return t.current
}
