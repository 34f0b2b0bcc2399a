package conf

import (
	"slices"
	"time"
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

// A Chooser is the configured partitioner. It does not change and is safe for many goroutines; what it keeps of a topic is a [Choice].
type Chooser struct {
	how    partitioning
	sticky time.Duration
	random Random
}

// A Choice is what the partitioner keeps of one topic: its sticky partition, and until when.
type Choice struct {
	partition int32 // -1 before the first
	until     int64
}

// Chooser returns the partitioner of these settings.
func (s *Settings) Chooser(random Random) Chooser {
	how, _ := partitionerNamed(s.PartitionerName)
	return Chooser{how: how, sticky: s.StickyLinger, random: random}
}

// Begin returns what is kept of a topic before its first record.
func (c *Chooser) Begin() Choice { return Choice{partition: -1} }

// Choose returns the partition of a record with key, out of n, of which those in led have a leader. now is a moment of any clock, in
// nanoseconds. A key that is hashed always means the same partition, with or without a leader; one that is not goes to one that has
// a leader, if any has.
//
// The sticky partition is kept for sticky.partitioning.linger.ms, however full its
// batches are, and drawn again when its leader is gone.
func (c *Chooser) Choose(topic *Choice, key []byte, n int32, led []int32, now int64) int32 {
	if n == 1 {
		return 0
	}
	if c.how.hashes(key) {
		return int32(c.how.hash(key) % uint32(n))
	}
	if c.sticky <= 0 || !c.how.sticks(key) {
		return c.draw(n, led)
	}
	if topic.partition < 0 || topic.partition >= n || now >= topic.until || len(led) > 0 && len(led) < int(n) && !slices.Contains(led, topic.partition) {
		topic.partition, topic.until = c.draw(n, led), now+int64(c.sticky)
	}
	return topic.partition
}

func (c *Chooser) draw(n int32, led []int32) int32 {
	if len(led) > 0 && len(led) < int(n) {
		return led[c.random(len(led))]
	}
	return int32(c.random(int(n)))
}
