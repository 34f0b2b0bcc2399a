/*
 * The clock of the latencies. On x86-64 it is the time stamp counter, at 10 ns a reading less than half of what
 * clock_gettime takes; both readings of a call are part of what is measured, so a dear clock hides differences.
 * Elsewhere it is clock_gettime, in nanoseconds.
 */
#ifndef DRIVER_TICKS_H
#define DRIVER_TICKS_H

#include <stdint.h>
#include <time.h>

static inline uint64_t nanoseconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

#ifdef __x86_64__
#include <x86intrin.h>

static inline uint64_t ticks(void)
{
    return __rdtsc();
}

/* Nanoseconds a tick, from 50 ms of both clocks. The counter runs at a constant rate on every CPU since 2008. */
static inline double ticks_calibrate(void)
{
    struct timespec wait = {0, 50000000};
    uint64_t from = nanoseconds(), first = ticks();

    nanosleep(&wait, NULL);
    return (double)(nanoseconds() - from) / (double)(ticks() - first);
}
#else
static inline uint64_t ticks(void)
{
    return nanoseconds();
}

static inline double ticks_calibrate(void)
{
    return 1;
}
#endif

#endif
