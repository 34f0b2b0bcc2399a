package intake

import (
	"sync/atomic"
	"unsafe"
)

// The layout of a chunk, which intake.h draws and chunks.c asserts.
const (
	headBytes  = 2112
	frameBytes = 32

	// Records is the most that a chunk takes.
	Records = 256
)

type head struct {
	next                unsafe.Pointer
	state               uint64
	maxRecords, maxSize uint32
	first               int64
	grant               amount
	large               bool
	_                   [3]byte
	holds               uint32
	notes               [Records]uint64
}

// amount is struct intake_amount.
type amount struct{ count, bytes, cost int64 }

type frame struct {
	milliseconds int64
	size         uint32
	topic        uint32
	partition    int32
	key, value   int32
	headers      uint32
}

type header struct{ name, value uint32 }

// A Chunk is a piece of memory with up to [Records] records, in the order of their calls. It is not
// Go's memory: what is read from it is good until [Intake.Free]. The zero Chunk is none.
type Chunk struct{ head *head }

// Count returns how many records were admitted to a chunk that [Intake.Take] has returned.
func (c Chunk) Count() int { return int(atomic.LoadUint64(&c.head.state)>>32) & 0xffff }

// Large says whether c is one record that is too large for a chunk of many.
func (c Chunk) Large() bool { return c.head.large }

// Size returns how many bytes the frames of a chunk that [Intake.Take] has returned take.
func (c Chunk) Size() int { return int(uint32(atomic.LoadUint64(&c.head.state))) }

// Sum returns what the records of c hold together, and whether the copies of all are complete, so that they may be read. The
// time from Take to that is that of a copy, and more only when a caller has been preempted within. Until then the sum is
// an estimate that is too high.
func (c Chunk) Sum() (s Sum, complete bool) {
	complete = c.sum(&s)
	return s, complete
}

// A Sum is what the records of a chunk hold together: struct intake_total.
type Sum struct {
	Values  int // bytes of values
	Payload int // bytes of keys, values, names and values of headers
	Headers int // how many
}

// Cost is the memory that counts against the limit for n records of that sum.
func (s *Sum) Cost(n int) int64 { return int64(n*RecordCost + s.Payload + s.Headers*HeaderCost) }

// A Reader goes through the records of a complete chunk.
type Reader struct {
	at   unsafe.Pointer
	left int
}

// Reader starts at the oldest record of c.
func (c Chunk) Reader() Reader {
	return Reader{at: unsafe.Add(unsafe.Pointer(c.head), headBytes), left: c.Count()}
}

// A Record is one record of a chunk. Its bytes are the chunk's.
type Record struct {
	Milliseconds int64 // since 1970
	Topic        int   // the number that the topic was given
	Partition    int32 // -1: the partitioner's choice
	Key, Value   []byte
	Headers      int // how many; NextHeader reads them

	header, bytes unsafe.Pointer
}

// Next reads the next record into f and says whether there was one.
func (r *Reader) Next(f *Record) bool {
	if r.left == 0 {
		return false
	}
	at := (*frame)(r.at)
	f.Milliseconds, f.Topic, f.Partition = at.milliseconds, int(at.topic), at.partition
	f.Headers = int(at.headers)
	f.header = unsafe.Add(r.at, frameBytes)
	bytes := unsafe.Add(f.header, uintptr(at.headers)*unsafe.Sizeof(header{}))
	f.Key, f.Value = nil, nil
	if at.key >= 0 {
		f.Key = unsafe.Slice((*byte)(bytes), int(at.key))
		bytes = unsafe.Add(bytes, at.key)
	}
	if at.value >= 0 {
		f.Value = unsafe.Slice((*byte)(bytes), int(at.value))
		bytes = unsafe.Add(bytes, at.value)
	}
	f.bytes = bytes
	r.at = unsafe.Add(r.at, uintptr(at.size))
	r.left--
	return true
}

// NextHeader reads the next header of f. It may be called Headers times.
func (f *Record) NextHeader() (name string, value []byte) {
	h := (*header)(f.header)
	f.header = unsafe.Add(f.header, unsafe.Sizeof(header{}))
	name = unsafe.String((*byte)(f.bytes), int(h.name))
	f.bytes = unsafe.Add(f.bytes, h.name)
	value = unsafe.Slice((*byte)(f.bytes), int(h.value))
	f.bytes = unsafe.Add(f.bytes, h.value)
	return name, value
}
