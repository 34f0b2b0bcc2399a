/*
 * latency.h - how long calls take, in fixed buckets.
 *
 * One call in KAFKA_SAMPLED of each thread is measured: two looks at the clock would else be a tenth of a call, and counting each call
 * would make the host's threads wait for one another's writes.
 */
#ifndef KAFKA_LATENCY_H
#define KAFKA_LATENCY_H

#include <stdatomic.h>
#include <stdint.h>

#define KAFKA_SAMPLED 64
#define KAFKA_BUCKETS 16

struct kafka_latency {
    _Atomic int64_t counts[KAFKA_BUCKETS]; /* the last one has what is longer than every bound */
    _Atomic int64_t sum;                   /* nanoseconds */
};

/* The upper bounds of the buckets but the last, in nanoseconds. */
extern const int64_t kafka_latency_bounds[KAFKA_BUCKETS - 1];

/* Of kafka_producer and of kafka_deliver. */
extern struct kafka_latency kafka_latencies[2];

/*
 * kafka_latency_begin - the time at which a call begins that is to be measured, or 0 for one that is not.
 * kafka_latency_end   - counts a call that began then; nothing for 0.
 *
 * When callable: at any time, from any thread. They wait for nobody.
 */
int64_t kafka_latency_begin(void);
void kafka_latency_end(struct kafka_latency *of, int64_t begun);

#endif
