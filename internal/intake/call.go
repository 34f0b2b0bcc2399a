package intake

/*
#include <stdlib.h>
#include "intake.h"

static enum intake_answer call(struct intake_record *r, int *code, const void *queue, const void *topic, const void *key, const void *value,
                 struct intake_pair *pairs)
{
    r->queue = queue;
    r->topic = topic;
    r->key = key;
    r->value = value;
    r->pairs = pairs;
    return intake_offer(r, code);
}
*/
import "C"

import "unsafe"

// A Call is what a script's call hands in. A nil key or value is null.
type Call struct {
	Queue, Topic string
	Key, Value   []byte
	Headers      [][2]string
	Partition    int32
	Milliseconds int64
	Waits        bool
}

// Answer is what becomes of a call.
type Answer int

// The answers. Ask leaves the call to Go, with nothing done.
const (
	Ask     Answer = C.INTAKE_ASK
	Taken   Answer = C.INTAKE_TAKEN
	Refused Answer = C.INTAKE_REFUSED
	Parked  Answer = C.INTAKE_PARKED
	Gone    Answer = C.INTAKE_GONE
)

// Offer makes the call that the border makes in C, for tests and benchmarks in process, which may
// not use C themselves. The code is that of a call that is refused.
func (c *Call) Offer() (answer Answer, code int) {
	var made []unsafe.Pointer
	defer func() {
		for _, p := range made {
			C.free(p)
		}
	}()
	lend := func(b []byte) unsafe.Pointer {
		if b == nil {
			return nil
		}
		p := C.CBytes(b)
		made = append(made, p)
		return p
	}
	r := C.struct_intake_record{
		queue_length: C.size_t(len(c.Queue)), topic_length: C.size_t(len(c.Topic)),
		key_length: C.size_t(len(c.Key)), value_length: C.size_t(len(c.Value)),
		partition: C.int32_t(c.Partition), milliseconds: C.int64_t(c.Milliseconds),
		pair_count: C.size_t(len(c.Headers)), waits: C.bool(c.Waits),
	}
	var pairs *C.struct_intake_pair
	if n := len(c.Headers); n > 0 {
		p := C.calloc(C.size_t(n), C.sizeof_struct_intake_pair)
		made = append(made, p)
		pairs = (*C.struct_intake_pair)(p)
		for i, h := range c.Headers {
			unsafe.Slice(pairs, n)[i] = C.struct_intake_pair{
				name: (*C.char)(lend([]byte(h[0]))), name_length: C.size_t(len(h[0])),
				value: (*C.char)(lend([]byte(h[1]))), value_length: C.size_t(len(h[1])),
			}
		}
	}
	var why C.int
	answer = Answer(C.call(&r, &why, lend([]byte(c.Queue)), lend([]byte(c.Topic)), lend(c.Key), lend(c.Value), pairs))
	return answer, int(why)
}
