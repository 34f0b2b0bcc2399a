package abi

/*
#include <stdlib.h>
#include "producer_shim.h"
*/
import "C"

import (
	"unsafe"

	"github.com/halon-extras/kafka/internal/intake"
	"github.com/halon-extras/kafka/internal/producer"
	"github.com/halon-extras/kafka/internal/resperr"
)

// resume returns what wakes the script of a parked call. The producer calls it exactly once, from
// any goroutine, maybe before the call has returned to the host: the host keeps a schedule that
// comes before the suspension. Neither pointer may be touched afterwards.
func resume(context *C.HalonHSLContext, ret *C.HalonHSLValue) func(resperr.Code) {
	return func(code resperr.Code) {
		text := C.CString(code.Error())
		defer C.free(unsafe.Pointer(text))
		C.kafka_resume(context, ret, C.int(code), text)
	}
}

// wake is resume for a call that was parked without Go; its script is what the shim has parked it with.
func wake(script intake.Script, code resperr.Code) {
	resume((*C.HalonHSLContext)(script[0]), (*C.HalonHSLValue)(script[1]))(code)
}

// resumeDelivered is resume for a call that waits for its delivery.
func resumeDelivered(context *C.HalonHSLContext, ret *C.HalonHSLValue) func(producer.Delivery) {
	failed := resume(context, ret)
	return func(d producer.Delivery) {
		if d.Code != resperr.NoError {
			failed(d.Code)
			return
		}
		topic := C.CString(d.Topic)
		defer C.free(unsafe.Pointer(topic))
		C.kafka_resume_delivered(context, ret, topic, C.double(d.Partition), C.double(d.Offset),
			C.double(d.Timestamp.UnixMilli()))
	}
}
