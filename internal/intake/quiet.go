package intake

/*
#include "pack.h"
*/
import "C"

import (
	"unsafe"

	"github.com/halon-extras/kafka/internal/quiet"
)

// What the sender does with each chunk. A call of C that the runtime learns of wakes the thread that watches for long ones, which at a mail
// server's rates costs more than the records do. So these calls are quiet until calls have filled so many chunks that they wake Go. Then
// no thread is asleep, and a lock that a preempted caller holds must not keep the others of Go waiting.

func (in *Intake) mayBeQuiet() bool { return quiet.Calls && in.signals.kicked.Load() == 0 }

func (in *Intake) take() *head {
	if in.mayBeQuiet() {
		return (*head)(quiet.Call(C.intake_take, unsafe.Pointer(in.c), nil, 0))
	}
	return (*head)(unsafe.Pointer(C.intake_take(in.c)))
}

func (c Chunk) sum(s *Sum) (complete bool) {
	if quiet.Calls { // it takes no lock
		return uint8(uintptr(quiet.Call(C.intake_sum, unsafe.Pointer(c.head), unsafe.Pointer(s), 0))) != 0
	}
	return bool(C.intake_sum((*C.struct_intake_chunk)(unsafe.Pointer(c.head)), (*C.struct_intake_total)(unsafe.Pointer(s))))
}

func (in *Intake) correct(by amount, chunks int) {
	if in.mayBeQuiet() {
		quiet.Call(C.intake_correct, unsafe.Pointer(in.c), unsafe.Pointer(&by), uintptr(chunks))
		return
	}
	C.intake_correct(in.c, (*C.struct_intake_amount)(unsafe.Pointer(&by)), C.uint(chunks))
}

// Free gives a chunk back. Nothing of it may be read afterwards.
func (in *Intake) Free(c Chunk) {
	if in.mayBeQuiet() {
		quiet.Call(C.intake_free, unsafe.Pointer(in.c), unsafe.Pointer(c.head), 0)
		return
	}
	C.intake_free(in.c, (*C.struct_intake_chunk)(unsafe.Pointer(c.head)))
}

// Pack packs what it can of the complete chunk c and returns how many records it leaves to Go; now is a moment of any clock, in nanoseconds. Of
// those [Packer.Skipped] tells, until the next Pack. Records are numbered in the order of calls: Fed is the number of the last one.
func (p *Packer) Pack(c Chunk, now int64) (skipped int) {
	if p.in.mayBeQuiet() {
		return int(uint32(uintptr(quiet.Call(C.intake_pack, unsafe.Pointer(p.c), unsafe.Pointer(c.head), uintptr(now)))))
	}
	return int(C.intake_pack(p.c, (*C.struct_intake_chunk)(unsafe.Pointer(c.head)), C.int64_t(now)))
}

// Free ends a batch, whose bytes nobody reads any more.
func (p *Packer) Free(b *Batch) {
	if p.in.mayBeQuiet() {
		quiet.Call(C.intake_batch_free, unsafe.Pointer(p.c), unsafe.Pointer(b), 0)
		return
	}
	C.intake_batch_free(p.c, &b.c)
}

// checksum takes no lock, and as long as it would in Go, where nothing could stop the goroutine either.
func (b *Batch) checksum() uint32 {
	if quiet.Calls {
		return uint32(uintptr(quiet.Call(C.intake_checksum, unsafe.Pointer(b), nil, 0)))
	}
	return uint32(C.intake_checksum(&b.c))
}
