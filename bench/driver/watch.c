/* The kernel's account of one thread is an extension. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "watch.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static int64_t run_delay(int schedstat)
{
    char text[96], *end;
    ssize_t len = schedstat < 0 ? 0 : pread(schedstat, text, sizeof text - 1, 0);

    if (len <= 0)
        return 0;
    text[len] = '\0';
    strtoull(text, &end, 10); /* the time on a processor, which lags behind */
    return (int64_t)strtoull(end, NULL, 10);
}

void watch_account(struct watch *w, struct account *account)
{
    struct rusage used;
    struct timespec ran;

    account->delayed_ns = run_delay(w->schedstat);
    getrusage(RUSAGE_THREAD, &used);
    account->switches = used.ru_nvcsw;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ran);
    account->ran_ns = (int64_t)ran.tv_sec * 1000000000 + ran.tv_nsec;
    account->at = ticks();
}

static void note(uint64_t ns, uint64_t limit, uint64_t *longest, uint64_t *calls)
{
    if (ns > *longest)
        *longest = ns;
    if (ns > limit)
        ++*calls;
}

/* None is more than the call took: what was before it is not its own. */
static uint64_t part(int64_t ns, uint64_t took)
{
    return ns < 0 ? 0 : (uint64_t)ns < took ? (uint64_t)ns : took;
}

void watch_long(struct watch *w, uint64_t took_ticks)
{
    struct account now;

    watch_account(w, &now);
    uint64_t took = (uint64_t)((double)took_ticks * w->ns_per_tick);
    int64_t wall = (int64_t)((double)(now.at - w->last.at) * w->ns_per_tick);
    int64_t ran = now.ran_ns - w->last.ran_ns;
    int64_t away = wall - ran - (now.delayed_ns - w->last.delayed_ns);

    note(took, w->limit_ns, &w->longest_ns, &w->longest_calls);
    note(part(ran, took), w->limit_ns, &w->worked_ns, &w->worked_calls);
    if (now.switches != w->last.switches)
        note(part(away, took), w->limit_ns, &w->blocked_ns, &w->blocked_calls);
    w->last = now;
}

void watch_open(struct watch *w, double ns_per_tick, uint64_t limit_ns)
{
    memset(w, 0, sizeof *w);
    w->schedstat = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    w->ns_per_tick = ns_per_tick;
    w->fresh_ticks = (uint64_t)(WATCH_FRESH_NS / ns_per_tick);
    w->long_ticks = (uint64_t)(WATCH_LONG_NS / ns_per_tick);
    w->limit_ns = limit_ns;
    watch_account(w, &w->last);
}

void watch_close(struct watch *w)
{
    if (w->schedstat >= 0)
        close(w->schedstat);
}

static void larger(uint64_t *into, uint64_t from)
{
    if (from > *into)
        *into = from;
}

void watch_merge(struct watch *into, const struct watch *from)
{
    into->calls += from->calls;
    larger(&into->longest_ns, from->longest_ns);
    larger(&into->worked_ns, from->worked_ns);
    larger(&into->blocked_ns, from->blocked_ns);
    into->longest_calls += from->longest_calls;
    into->worked_calls += from->worked_calls;
    into->blocked_calls += from->blocked_calls;
}
