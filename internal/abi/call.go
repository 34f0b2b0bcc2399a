package abi

/*
#include "producer_shim.h"
*/
import "C"

import (
	"unsafe"

	"github.com/halon-extras/kafka/internal/binding"
	"github.com/halon-extras/kafka/internal/producer"
	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/resperr"
)

// headersOnStack is how many headers a call has without an allocation.
const headersOnStack = 16

// kafkaProduce is the one crossing of a call of kafka_producer that the intake has not answered. Everything it reads is lent by the
// host until it returns; the producer copies what it keeps.
//
//export kafkaProduce
func kafkaProduce(call *C.struct_kafka_call) {
	defer guard("kafka_producer", func(text string) { throw(call, text) })
	if call.pair_count == 0 {
		produce(call, nil)
		return
	}
	produceWithHeaders(call)
}

// produceWithHeaders is apart from kafkaProduce because its scratch is cleared at each call, which a
// call without headers need not pay for.
//
//go:noinline
func produceWithHeaders(call *C.struct_kafka_call) {
	var scratch [headersOnStack]record.Header
	produce(call, pairs(call, scratch[:0]))
}

func produce(call *C.struct_kafka_call, headers []record.Header) {
	c := gather(call, headers)
	c.Block = arg(&call.args[C.KAFKA_BLOCK])
	if wrong := c.Check(); wrong != "" {
		throw(call, string(wrong))
		return
	}
	hand(call, &c, attempt{context: call.context, ret: call.ret, block: c.Blocks()})
}

// hand gives the record of c to its queue. a says how.
func hand(call *C.struct_kafka_call, c *binding.Produce, a attempt) {
	var r record.Record
	topic := c.TopicName()
	c.Record(&r, unsafe.String(unsafe.SliceData(topic), len(topic)))
	r.Timestamp = int64(call.milliseconds)
	queue := find(c.QueueID())
	if queue != nil {
		if parked, code := a.run(queue, &r); code != resperr.Destroy {
			end(call, parked, code)
			return
		}
	}
	elsewhere(call, c.QueueID(), queue, &r, &a)
}

// kafkaDeliver is kafkaProduce for kafka_deliver.
//
//export kafkaDeliver
func kafkaDeliver(call *C.struct_kafka_call) {
	defer guard("kafka_deliver", func(text string) { throw(call, text) })
	var scratch [headersOnStack]record.Header
	c := binding.Deliver{Produce: gather(call, pairs(call, scratch[:0])), Timeout: arg(&call.args[C.KAFKA_TIMEOUT])}
	if wrong := c.Check(); wrong != "" {
		throw(call, string(wrong))
		return
	}
	hand(call, &c.Produce, attempt{context: call.context, ret: call.ret, deliver: true, limit: c.Limit()})
}

// gather views the arguments that both functions have.
func gather(call *C.struct_kafka_call, headers []record.Header) binding.Produce {
	return binding.Produce{
		ID:        arg(&call.args[C.KAFKA_ID]),
		Topic:     arg(&call.args[C.KAFKA_TOPIC]),
		Value:     arg(&call.args[C.KAFKA_VALUE]),
		Key:       arg(&call.args[C.KAFKA_KEY]),
		Headers:   arg(&call.args[C.KAFKA_HEADERS]),
		Partition: arg(&call.args[C.KAFKA_PARTITION]),
		Pairs:     headers,
	}
}

// find returns the queue named id, or nil.
func find(id []byte) *producer.Producer {
	if b := current.Load(); b != nil {
		return b.plugin.Find(id)
	}
	return nil
}

// arg views one argument where the host has it.
func arg(a *C.struct_kafka_arg) binding.Arg {
	return binding.Arg{
		Kind:    binding.Kind(a.kind),
		Boolean: bool(a.boolean),
		Number:  float64(a.number),
		Bytes:   lent(a.bytes, a.length),
	}
}

// pairs views the headers where the host has them.
func pairs(call *C.struct_kafka_call, headers []record.Header) []record.Header {
	n := int(call.pair_count)
	if n > cap(headers) {
		headers = make([]record.Header, 0, n)
	}
	for i := range unsafe.Slice(call.pairs, n) {
		pair := &unsafe.Slice(call.pairs, n)[i]
		name := lent(pair.name, pair.name_length)
		value := lent(pair.value, pair.value_length)
		if value == nil {
			value = []byte{} // an empty string is empty, not null
		}
		headers = append(headers, record.Header{Key: unsafe.String(unsafe.SliceData(name), len(name)), Value: value})
	}
	return headers
}

func lent(p *C.char, n C.size_t) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(p)), int(n))
}

// end leaves in the call what a queue has said.
func end(call *C.struct_kafka_call, parked bool, code resperr.Code) {
	if parked {
		call.action = C.KAFKA_PARK
		return
	}
	answer(call, code)
}

// answer leaves a code in the call.
func answer(call *C.struct_kafka_call, code resperr.Code) {
	if code == resperr.NoError {
		call.action = C.KAFKA_DONE
		return
	}
	call.action, call.code = C.KAFKA_FAILED, C.int(code)
	fill(call.text[:], code.Error())
}

// throw leaves an exception in the call.
func throw(call *C.struct_kafka_call, text string) {
	call.action = C.KAFKA_THROW
	fill(call.text[:], text)
}
