/*
 * A histogram of durations with a relative error of at most 0.8 %: 64 steps for each power of two. One thread writes
 * one; they are added up when the threads are done.
 */
#ifndef DRIVER_HISTOGRAM_H
#define DRIVER_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_STEPS   64
#define HISTOGRAM_OCTAVES 40 /* of ticks: several minutes */

struct histogram {
    uint64_t count, max;
    uint64_t steps[HISTOGRAM_OCTAVES * HISTOGRAM_STEPS];
};

static inline void histogram_add(struct histogram *h, uint64_t ticks)
{
    uint64_t at = ticks;

    if (ticks >= HISTOGRAM_STEPS) {
        int octave = 63 - __builtin_clzll(ticks) - 6; /* 6: the bits of HISTOGRAM_STEPS */
        at = (uint64_t)(octave + 1) * HISTOGRAM_STEPS + (ticks >> octave) - HISTOGRAM_STEPS;
        if (at >= HISTOGRAM_OCTAVES * HISTOGRAM_STEPS)
            at = HISTOGRAM_OCTAVES * HISTOGRAM_STEPS - 1;
    }
    ++h->steps[at];
    ++h->count;
    if (ticks > h->max)
        h->max = ticks;
}

/* Adds `from` to `into`. */
void histogram_merge(struct histogram *into, const struct histogram *from);

/* The duration, in ticks, that the share `q` (0 to 1) of all is not longer than; 0 for an empty histogram. */
double histogram_quantile(const struct histogram *h, double q);

#endif
