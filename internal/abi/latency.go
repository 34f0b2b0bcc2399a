package abi

/*
#include "latency.h"

static int64_t kafka_latency_count(int function, int bucket)
{
    return atomic_load_explicit(&kafka_latencies[function].counts[bucket], memory_order_relaxed);
}

static int64_t kafka_latency_sum(int function)
{
    return atomic_load_explicit(&kafka_latencies[function].sum, memory_order_relaxed);
}
*/
import "C"

import (
	"time"

	"github.com/halon-extras/kafka/internal/report"
)

// callTimes returns how long the calls of scripts take.
func callTimes() []report.CallTimes {
	var all []report.CallTimes
	for f, name := range []string{"kafka_producer", "kafka_deliver"} {
		one := report.CallTimes{Function: name, Sampled: C.KAFKA_SAMPLED, Sum: time.Duration(C.kafka_latency_sum(C.int(f)))}
		for _, b := range C.kafka_latency_bounds {
			one.Bounds = append(one.Bounds, time.Duration(b).Seconds())
		}
		for i := range C.KAFKA_BUCKETS {
			one.Counts = append(one.Counts, int64(C.kafka_latency_count(C.int(f), C.int(i))))
		}
		all = append(all, one)
	}
	return all
}
