//go:build faultinject

package abi

/*
#cgo CFLAGS: -DKAFKA_FAULTINJECT
#include "producer_shim.h"
*/
import "C"

// kafkaFault panics inside an entry, so that a test can see the host survive it.
//
//export kafkaFault
func kafkaFault(call *C.struct_kafka_call) {
	defer guard("kafka_fault", func(text string) { throw(call, text) })
	var fault []int
	_ = fault[len(fault)] // a real one, as the runtime raises it
}
