package intake

/*
#include "pack.h"
*/
import "C"

import (
	"math/rand/v2"
	"time"
	"unsafe"
)

// A Hashing is what a partitioner hashes a key with.
type Hashing int32

// The hashes: of librdkafka's own partitioners, of the Java client, and of Sarama.
const (
	CRC32   Hashing = C.INTAKE_CRC32
	Murmur2 Hashing = C.INTAKE_MURMUR2
	FNV1a   Hashing = C.INTAKE_FNV1A
)

// Hashed says which keys a partitioner hashes. The records of the others are spread.
type Hashed int32

// The keys that are hashed.
const (
	HashAll   Hashed = C.INTAKE_HASH_ALL   // all, and the null key as the empty one
	HashGiven Hashed = C.INTAKE_HASH_GIVEN // all but the null key
	HashFull  Hashed = C.INTAKE_HASH_FULL  // all but the null and the empty key
	HashNone  Hashed = C.INTAKE_HASH_NONE
)

// A Chooser is the partitioner of a queue. One goroutine uses it.
type Chooser struct{ c C.struct_intake_chooser }

// NewChooser returns a partitioner whose sticky partition is kept for so long; with 0 there is none.
func NewChooser(how Hashing, which Hashed, sticky time.Duration) *Chooser {
	return &Chooser{C.struct_intake_chooser{
		hashing: C.int32_t(how), hashed: C.int32_t(which), sticky: C.int64_t(sticky), random: C.uint64_t(rand.Uint64() | 1),
	}}
}

// A Choice is what the partitioner keeps of one topic: its sticky partition, and until when.
type Choice struct{ c C.struct_intake_choice }

// NewChoice returns what is kept of a topic before its first record.
func NewChoice() Choice { return Choice{C.struct_intake_choice{partition: -1}} }

// Choose returns the partition of a record with key, out of n, of which those in led have a leader. now is a moment of any clock, in
// nanoseconds. A nil key is Kafka's null. A key that is hashed always means the same partition, with or without a leader; one that is not
// goes to one that has a leader, if any has.
//
// The sticky partition is kept for sticky.partitioning.linger.ms, however full its batches are, and drawn again when its leader is gone.
func (c *Chooser) Choose(topic *Choice, key []byte, n int32, led []int32, now int64) int32 {
	if n == 1 {
		return 0
	}
	at := (*C.char)(unsafe.Pointer(unsafe.SliceData(key)))
	if key != nil && at == nil {
		at = (*C.char)(unsafe.Pointer(&noBytes))
	}
	return int32(C.intake_choose(&c.c, &topic.c, at, C.int32_t(len(key)), C.int32_t(n),
		(*C.int32_t)(unsafe.Pointer(unsafe.SliceData(led))), C.int32_t(len(led)), C.int64_t(now)))
}

var noBytes byte
