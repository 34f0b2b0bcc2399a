#include "histogram.h"

#include <stddef.h>

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    into->count += from->count;
    if (from->max > into->max)
        into->max = from->max;
    for (size_t i = 0; i < HISTOGRAM_OCTAVES * HISTOGRAM_STEPS; ++i)
        into->steps[i] += from->steps[i];
}

/* The middle of a step. */
static double step_ticks(size_t at)
{
    if (at < HISTOGRAM_STEPS)
        return (double)at;
    size_t octave = at / HISTOGRAM_STEPS - 1;
    size_t low = (at % HISTOGRAM_STEPS + HISTOGRAM_STEPS) << octave;
    return (double)low + (double)(((size_t)1 << octave) - 1) / 2;
}

double histogram_quantile(const struct histogram *h, double q)
{
    double rank = q * (double)h->count;
    uint64_t seen = 0;

    for (size_t i = 0; i < HISTOGRAM_OCTAVES * HISTOGRAM_STEPS; ++i) {
        seen += h->steps[i];
        if (seen > 0 && (double)seen >= rank)
            return step_ticks(i);
    }
    return (double)h->max;
}
