package abi

/*
#include "producer_shim.h"
*/
import "C"

import (
	"time"
	"unsafe"

	"github.com/halon-extras/kafka/internal/binding"
	"github.com/halon-extras/kafka/internal/report"
)

// kafkaStatus is the one crossing of a call of kafka_status. It reads what the queue has published and takes no lock.
//
//export kafkaStatus
func kafkaStatus(call *C.struct_kafka_status) {
	fail := func(text string) {
		call.action = C.KAFKA_THROW
		fill(call.text[:], text)
	}
	defer guard("kafka_status", fail)
	id := arg(&call.id)
	if id.Kind != binding.String {
		fail(string(binding.InvalidID))
		return
	}
	queue := find(id.Bytes)
	if queue == nil {
		fail(string(binding.NoSuchID))
		return
	}
	now := time.Now()
	h := queue.Health()
	s := &h.Counts
	in, delivered := h.Rates.Of(now, s)
	for i, n := range map[int]float64{
		C.KAFKA_SINCE: float64(h.Since.UnixMilli()) / 1000, C.KAFKA_OLDEST_AGE: h.OldestAge(now).Seconds(),
		C.KAFKA_QUEUED: float64(s.InMemory()), C.KAFKA_ON_DISK: float64(s.OnDisk), C.KAFKA_IN_FLIGHT: float64(h.InFlight),
		C.KAFKA_IN: float64(s.In), C.KAFKA_DELIVERED: float64(s.Delivered), C.KAFKA_GIVEN_UP: float64(s.GivenUp()), C.KAFKA_DROPPED: float64(s.Dropped),
		C.KAFKA_EXPIRED: float64(s.Expired), C.KAFKA_DEAD: float64(s.Dead), C.KAFKA_REFUSED: float64(s.Refused),
		C.KAFKA_IN_RATE: in, C.KAFKA_DELIVERED_RATE: delivered,
	} {
		call.numbers[i] = C.double(n)
	}
	kind := ""
	if len(h.Problems) > 0 {
		kind = h.Problems[0].Kind.String()
	}
	fill(call.state[:], h.State.String())
	fill(call.kind[:], kind)
	fill(call.text[:], report.Printable(h.Reason()))
	call.paused = C.bool(h.Has(report.Paused))
	call.action = C.KAFKA_DONE
}

// fill copies text into memory of C, cut to what fits: the last byte stays NUL.
func fill(to []C.char, text string) {
	buffer := unsafe.Slice((*byte)(unsafe.Pointer(&to[0])), len(to))
	n := copy(buffer[:len(buffer)-1], text)
	buffer[n] = 0
}
