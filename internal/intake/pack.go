package intake

/*
#include "pack.h"
*/
import "C"

import (
	"errors"
	"hash/crc32"
	"unsafe"
)

// A Packer makes record batches of the records of an intake: one pass in C for each chunk, so that Go sees batches and no records. pack.h says
// how. It belongs to one goroutine, and so do its batches, whose bytes others may read while they are closed.
type Packer struct {
	c  *C.struct_intake_packer
	in *Intake
}

// NewPacker returns a packer for the records of in. A batch has at most maxRecords records, and maxBytes bytes unless one record alone
// is larger.
func (in *Intake) NewPacker(chooser *Chooser, maxRecords, maxBytes int) (*Packer, error) {
	c := C.intake_packer_new(in.c, chooser.c, C.int32_t(maxRecords), C.int64_t(maxBytes))
	if c == nil {
		return nil, errors.New("no memory")
	}
	return &Packer{c, in}, nil
}

// Close frees the packer with its batches, which nobody reads any more.
func (p *Packer) Close() {
	C.intake_packer_free(p.c)
	p.c = nil
}

// Route lets records of the topic with that number be packed: those that have no partition go to one of so many, of which those in led have a
// leader. Without memory they are left as before.
func (p *Packer) Route(topic, partitions int, led []int32) {
	C.intake_route_set(p.c, C.uint32_t(topic), C.int32_t(partitions), (*C.int32_t)(unsafe.Pointer(unsafe.SliceData(led))), C.int32_t(len(led)))
}

// Choice returns what the partitioner keeps of a topic that has a route, until [Packer.Unroute], or nil.
func (p *Packer) Choice(topic int) *Choice {
	if topic >= int(p.c.route_room) {
		return nil
	}
	r := unsafe.Slice(p.c.routes, int(p.c.route_room))[topic]
	if r == nil {
		return nil
	}
	return (*Choice)(unsafe.Pointer(&r.choice))
}

// Unroute leaves the records of a topic.
func (p *Packer) Unroute(topic int) { C.intake_route_drop(p.c, C.uint32_t(topic)) }

// Skipped says whether the record with that index was left to Go.
func (p *Packer) Skipped(i int) bool { return p.c.skipped[i/64]>>(i%64)&1 != 0 }

// Fed returns how many records were numbered.
func (p *Packer) Fed() uint64 { return uint64(p.c.fed) }

// Number returns the number of a record that comes another way.
func (p *Packer) Number() uint64 {
	p.c.fed++
	return uint64(p.c.fed)
}

// Touched tells of each topic that records were packed for since it was asked last, and how many.
func (p *Packer) Touched(visit func(topic, records int)) {
	for r := p.c.touched; r != nil; {
		next := r.next
		n := r.records
		r.records, r.next = 0, nil
		visit(int(r.topic), int(n))
		r = next
	}
	p.c.touched = nil
}

// Begun tells of each batch that was begun since it was asked last. Open ones go on growing.
func (p *Packer) Begun(visit func(b *Batch)) {
	for b := p.c.first_begun; b != nil; {
		next := b.next
		b.next = nil
		visit((*Batch)(unsafe.Pointer(b)))
		b = next
	}
	p.c.first_begun, p.c.last_begun = nil, nil
}

// Trim gives half of the buffers back that nobody has needed since the last Trim.
func (p *Packer) Trim() { C.intake_packer_trim(p.c) }

// A Batch is records of one partition, encoded as Kafka stores them behind a head that is still to be filled.
type Batch struct{ c C.struct_intake_batch }

// Topic returns the number of the topic.
func (b *Batch) Topic() int { return int(b.c.topic) }

// Partition returns the partition that the records were given.
func (b *Batch) Partition() int32 { return int32(b.c.partition) }

// Count returns how many records there are.
func (b *Batch) Count() int { return int(b.c.count) }

// Size returns the bytes of the batch, with its head.
func (b *Batch) Size() int { return int(b.c.size) }

// Number returns the number of the first record.
func (b *Batch) Number() uint64 { return uint64(b.c.number) }

// Holds returns the bytes of the values and the memory that the records are charged with.
func (b *Batch) Holds() (values, cost int64) { return int64(b.c.values), int64(b.c.cost) }

// Timestamps returns those of the first record, the oldest and the newest, in milliseconds since 1970.
func (b *Batch) Timestamps() (first, oldest, newest int64) {
	return int64(b.c.first), int64(b.c.oldest), int64(b.c.newest)
}

// Named says whether the script of the record with that index has named the partition.
func (b *Batch) Named(i int) bool {
	return b.c.named != nil && *(*byte)(unsafe.Add(unsafe.Pointer(b.c.named), i/8))>>(i%8)&1 != 0
}

// Close ends the growth of the batch. From then on its bytes stay where they are.
func (b *Batch) Close() { b.c.closed = true }

// Pieces appends the bytes of the closed batch to dst, in order; the first piece begins with its head, which only the sender of the
// batch writes to. They are good until [Packer.Free].
func (b *Batch) Pieces(dst [][]byte) [][]byte {
	if b.c.piece_count == 0 {
		return append(dst, unsafe.Slice((*byte)(unsafe.Pointer(b.c.bytes)), int(b.c.used)))
	}
	for _, p := range unsafe.Slice(b.c.pieces, int(b.c.piece_count)) {
		at := unsafe.Pointer(p.at)
		if at == nil {
			at = unsafe.Add(unsafe.Pointer(b.c.bytes), int(p.offset))
		}
		dst = append(dst, unsafe.Slice((*byte)(at), int(p.length)))
	}
	return dst
}

// canChecksum: C has the checksum for processors whose instructions make it worth it.
var canChecksum = bool(C.intake_can_checksum())

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Checksum returns the CRC-32C of the closed batch, whose head is filled but for it.
func (b *Batch) Checksum() uint32 {
	if canChecksum {
		return b.checksum()
	}
	return b.checksumInGo()
}

func (b *Batch) checksumInGo() (sum uint32) {
	from := int(C.INTAKE_BATCH_SUMMED)
	for _, piece := range b.Pieces(nil) {
		sum = crc32.Update(sum, castagnoli, piece[from:])
		from = 0
	}
	return sum
}
