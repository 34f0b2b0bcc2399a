/*
 * The watch on the longest calls of one thread: how long they took, and what of that was the plugin's doing.
 *
 * A call that takes long need not have been held. On a machine with more threads that run than processors the kernel takes the
 * processor away in the middle of a call, for milliseconds, and a plugin that does nothing is hit as often. So the
 * time of a long call is taken apart with the kernel's own account of the thread:
 *
 *   worked    the thread was running: the plugin's code, and the kernel's on its behalf
 *   blocked   the thread gave its processor up by itself (ru_nvcsw has grown), for a lock, a futex or the disk, and was neither
 *             running nor ready to run
 *   the rest  it was ready to run and another was running instead (run delay in /proc/thread-self/schedstat), or the hypervisor
 *             had the processor
 *
 * Where a kernel keeps no schedstat, the run delay after a voluntary switch counts as blocked too.
 *
 * The account costs three system calls, so it isn't taken at each call: a short call is only timed. It is taken before a call
 * when the last one is more than 100 us old, and after a call that took more than 200 us. So the parts of a long call may hold
 * up to 100 us of what was before it, and are never too small for that reason.
 */
#ifndef DRIVER_WATCH_H
#define DRIVER_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "ticks.h"

#define WATCH_FRESH_NS 100000
#define WATCH_LONG_NS  200000

struct account {
    uint64_t at; /* in clock ticks */
    int64_t ran_ns, delayed_ns;
    long switches; /* voluntary */
};

struct watch {
    int schedstat; /* -1: the kernel has none */
    double ns_per_tick;
    uint64_t fresh_ticks, long_ticks, limit_ns;
    struct account last;

    /* The results. */
    uint64_t calls;
    uint64_t longest_ns, worked_ns, blocked_ns;         /* the longest of each, over all calls */
    uint64_t longest_calls, worked_calls, blocked_calls; /* with more than the limit */
};

/* Both are called by the thread that is watched. The limit is for the counts. */
void watch_open(struct watch *watch, double ns_per_tick, uint64_t limit_ns);
void watch_close(struct watch *watch);

/* Adds what `from` has seen to `into`. */
void watch_merge(struct watch *into, const struct watch *from);

void watch_account(struct watch *watch, struct account *account);
void watch_long(struct watch *watch, uint64_t took);

/* The time before a call. */
static inline uint64_t watch_begin(struct watch *w)
{
    uint64_t now = ticks();

    if (now - w->last.at > w->fresh_ticks) {
        watch_account(w, &w->last);
        now = ticks();
    }
    return now;
}

/* Called at once after the call, with what watch_begin has returned. */
static inline void watch_end(struct watch *w, uint64_t begin)
{
    uint64_t took = ticks() - begin;

    ++w->calls;
    if (took > w->long_ticks)
        watch_long(w, took);
    else if (took * w->ns_per_tick > (double)w->longest_ns)
        w->longest_ns = (uint64_t)((double)took * w->ns_per_tick);
}

#endif
