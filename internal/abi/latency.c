#include "latency.h"

#include <time.h>

#define HIDDEN __attribute__((visibility("hidden")))

#define US 1000LL
#define MS (1000 * US)

HIDDEN const int64_t kafka_latency_bounds[KAFKA_BUCKETS - 1] = {
    200, 500, US, 2 * US, 5 * US, 10 * US, 20 * US, 50 * US, 100 * US, 200 * US, 500 * US, MS, 10 * MS, 100 * MS, 1000 * MS};

HIDDEN struct kafka_latency kafka_latencies[2];

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Initial-exec: reading it is one instruction, where the general model calls the loader. */
static _Thread_local unsigned calls __attribute__((tls_model("initial-exec")));

HIDDEN int64_t kafka_latency_begin(void)
{
    return ++calls % KAFKA_SAMPLED == 0 ? now() : 0;
}

HIDDEN void kafka_latency_end(struct kafka_latency *of, int64_t begun)
{
    if (!begun)
        return;
    int64_t took = now() - begun;
    int i = 0;
    while (i < KAFKA_BUCKETS - 1 && took > kafka_latency_bounds[i])
        i++;
    atomic_fetch_add_explicit(&of->counts[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&of->sum, took, memory_order_relaxed);
}
