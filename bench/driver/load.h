/*
 * The load: host threads that call kafka_producer, each with messages, a context and histograms of its own.
 */
#ifndef DRIVER_LOAD_H
#define DRIVER_LOAD_H

#include <pthread.h>
#include <stdint.h>

#include "histogram.h"
#include "host.h"

/* What the messages look like. */
struct shape {
    unsigned value_bytes, key_bytes; /* no key bytes: the key is none */
    unsigned headers, topics, queues;
    /*
     * The values come from a pool of about this size, in turns. A small one stays in the CPU's cache, where the values of a
     * script are that has just made them; compression needs one that is larger than what a codec looks back on.
     */
    size_t pool_bytes;
    bool block; /* pass block=true: a full queue parks the call instead of refusing it */
};

/* One stretch of work, the same for all threads. */
struct phase {
    uint64_t messages; /* in all; 0: as many as `seconds` allow */
    double seconds;
    double rate; /* messages a second in all; 0: full speed */
    bool retry;  /* a refused message is tried again after a pause; otherwise the first refusal ends the thread's work */
};

struct sender;

struct load {
    HalonHSLFunction *function;
    struct shape shape;
    double tick_seconds; /* of the pace: messages that fall due within one tick are sent in one go */
    double ns_per_tick;  /* of the clock */
    unsigned threads;
    struct sender *senders;
    struct phase phase;
    bool over; /* tells the threads to end */
    pthread_barrier_t begin, end;
};

/* What a phase did. */
struct outcome {
    uint64_t accepted, refused;
    double call_seconds;                     /* from the first call to the return of the last */
    struct histogram calls, calls_refused;   /* in clock ticks */
};

/* Starts the threads; the caller sets all of `load` up to `threads` before. They live until load_end, as a host's do. */
void load_begin(struct load *load);

/* Runs a phase and waits for its last call. */
void load_run(struct load *load, const struct phase *phase, struct outcome *outcome);

void load_end(struct load *load);

#endif
