// Package binding is what the HSL functions mean: arguments become a record, and misuse
// becomes an exception with the original plugin's words.
//
// It is pure: no state, no host, no queue, no clock. It may be called from any thread. It decides
// no limit of a queue and no property of Kafka.
package binding

import (
	"bytes"
	"math"
	"time"

	"github.com/halon-extras/kafka/internal/record"
)

// Kind is the type of an HSL argument, as far as it matters here.
type Kind uint8

// The kinds of an argument. Missing is one that the script did not pass; none is None.
const (
	Missing Kind = iota
	None
	String
	Number
	Boolean
	Array
	Other
)

// An Arg is one argument of a call. Bytes is borrowed from the host for the time of the call.
type Arg struct {
	Kind    Kind
	Boolean bool
	Number  float64
	Bytes   []byte
}

// Exception is the text that a script's catch sees. The texts are the original's.
type Exception string

func (e Exception) Error() string { return string(e) }

// The exceptions of kafka_producer and kafka_deliver.
const (
	InvalidID        Exception = "Invalid id argument"
	InvalidTopic     Exception = "Invalid topic argument"
	InvalidValue     Exception = "Invalid value argument"
	InvalidKey       Exception = "Invalid key argument"
	InvalidHeader    Exception = "Invalid header argument"
	InvalidPartition Exception = "Invalid partition argument"
	InvalidBlock     Exception = "argument is not a boolean"
	InvalidTimeout   Exception = "Invalid timeout argument"
	NoSuchID         Exception = "No such id"
)

// Produce is one call of kafka_producer(id, topic, value, key, headers, partition, block).
type Produce struct {
	ID, Topic, Value, Key, Headers, Partition, Block Arg

	// Pairs are the elements of Headers whose key and value are strings, in order. The others are
	// left out by whoever gathers them, as the original leaves them out.
	Pairs []record.Header
}

// Check returns the exception for the first argument, in order, that is of a wrong type, or "".
//
// Compat: partition. The original casts the number without a look. What no 32-bit integer can hold
// is an exception here. See docs/compatibility.md.
func (c *Produce) Check() Exception {
	switch {
	case c.ID.Kind != String:
		return InvalidID
	case c.Topic.Kind != String:
		return InvalidTopic
	case !c.Value.optionalString():
		return InvalidValue
	case !c.Key.optionalString():
		return InvalidKey
	case c.Headers.Kind != Missing && c.Headers.Kind != Array:
		return InvalidHeader
	case c.Partition.Kind != Missing && !c.Partition.int32():
		return InvalidPartition
	case c.Block.Kind != Missing && c.Block.Kind != Boolean:
		return InvalidBlock
	}
	return ""
}

func (a *Arg) optionalString() bool { return a.Kind == String || a.Kind == None || a.Kind == Missing }

// int32 says whether a is a number whose integral part fits 32 bits. NaN compares false.
func (a *Arg) int32() bool {
	return a.Kind == Number && a.Number > math.MinInt32-1 && a.Number < math.MaxInt32+1
}

// QueueID returns the name of the queue. It ends at a NUL, as does the topic: the original reads
// both as C strings.
func (c *Produce) QueueID() []byte { return untilNUL(c.ID.Bytes) }

// TopicName returns the topic, which ends at a NUL.
func (c *Produce) TopicName() []byte { return untilNUL(c.Topic.Bytes) }

func untilNUL(b []byte) []byte {
	b, _, _ = bytes.Cut(b, []byte{0})
	return b
}

// Record fills r from a call that passed Check. topic is TopicName as a string in whatever memory
// the caller likes; everything in r is borrowed. A missing or none value or key is null, which
// Kafka tells from an empty one.
func (c *Produce) Record(r *record.Record, topic string) {
	r.Topic = topic
	r.Value, r.Key = c.Value.nullable(), c.Key.nullable()
	r.Headers = c.Pairs
	r.Partition = -1
	if c.Partition.Kind == Number {
		r.Partition = int32(c.Partition.Number)
	}
}

func (a *Arg) nullable() []byte {
	if a.Kind != String {
		return nil
	}
	if a.Bytes == nil {
		return []byte{}
	}
	return a.Bytes
}

// Blocks says whether the script wants to wait for room.
//
// Compat: block. The original waits whenever the argument is present, also when it is false. We
// read its value. See docs/compatibility.md.
func (c *Produce) Blocks() bool { return c.Block.Kind == Boolean && c.Block.Boolean }

// Deliver is one call of kafka_deliver(id, topic, value, key, headers, partition, timeout). Block is
// Missing.
type Deliver struct {
	Produce
	Timeout Arg
}

// Check is that of Produce, and then of the timeout: seconds, more than none. NaN compares false.
func (c *Deliver) Check() Exception {
	if exception := c.Produce.Check(); exception != "" {
		return exception
	}
	if c.Timeout.Kind != Missing && (c.Timeout.Kind != Number || !(c.Timeout.Number > 0)) {
		return InvalidTimeout
	}
	return ""
}

// endless is a wait that nobody lives to see the end of; what is longer has no limit.
const endless = 100 * 365 * 24 * time.Hour

// Limit returns how long the script waits at most, or 0 for as long as it takes.
func (c *Deliver) Limit() time.Duration {
	if c.Timeout.Kind != Number || c.Timeout.Number > endless.Seconds() {
		return 0
	}
	return max(time.Duration(c.Timeout.Number*float64(time.Second)), 1)
}
