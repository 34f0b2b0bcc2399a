/*
 * steps.h - is included before everything else when the intake's C is compiled for explore.c: each atomic operation, each lock and
 * each write to the descriptor that wakes Go first calls step(), where the explorer chooses which thread goes on.
 *
 * What is between two steps touches no memory that other threads change meanwhile: tsan.c shows that. So the orders of steps are all
 * the orders that there are, for a processor that makes writes visible in order; that the barriers are right on another one is
 * shown by tsan.c, too.
 */
#ifndef INTAKE_STEPS_H
#define INTAKE_STEPS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

enum step_kind { STEP_READ, STEP_WRITE, STEP_LOCK, STEP_UNLOCK, STEP_AWAIT };

void step(enum step_kind kind, const volatile void *at, const char *file, int line);
void step_woken(void);

#define STEP(kind, at) step(kind, at, __FILE__, __LINE__)

/* What the proof must find: -DPLANT=1 to 3, each a mistake that one could make. */
#ifndef PLANT
#define PLANT 0
#endif

#undef atomic_load
#undef atomic_load_explicit
#undef atomic_store
#undef atomic_store_explicit
#undef atomic_exchange
#undef atomic_fetch_add
#undef atomic_fetch_add_explicit
#undef atomic_fetch_sub
#undef atomic_fetch_or
#undef atomic_compare_exchange_weak
#undef atomic_compare_exchange_strong

#define atomic_load(p)                 (STEP(STEP_READ, p), __atomic_load_n(p, __ATOMIC_SEQ_CST))
#define atomic_load_explicit(p, o)     atomic_load(p)
#define atomic_store(p, v)             (STEP(STEP_WRITE, p), __atomic_store_n(p, v, __ATOMIC_SEQ_CST))
#define atomic_store_explicit(p, v, o) atomic_store(p, v)
#define atomic_exchange(p, v)          (STEP(STEP_WRITE, p), __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST))
#define atomic_fetch_add(p, v)         (STEP(STEP_WRITE, p), __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST))
#define atomic_fetch_add_explicit(p, v, o) atomic_fetch_add(p, v)
#define atomic_fetch_sub(p, v)         (STEP(STEP_WRITE, p), __atomic_fetch_sub(p, v, __ATOMIC_SEQ_CST))
#define atomic_compare_exchange_strong(p, e, v) \
    (STEP(STEP_WRITE, p), __atomic_compare_exchange_n(p, e, v, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))

#if PLANT == 1 /* a place is reserved in two steps */
#define atomic_compare_exchange_weak(p, e, v) \
    ((STEP(STEP_READ, p), __atomic_load_n(p, __ATOMIC_SEQ_CST) == *(e)) \
         ? (STEP(STEP_WRITE, p), __atomic_store_n(p, v, __ATOMIC_SEQ_CST), 1) \
         : (*(e) = __atomic_load_n(p, __ATOMIC_SEQ_CST), 0))
#else
#define atomic_compare_exchange_weak(p, e, v) atomic_compare_exchange_strong(p, e, v)
#endif

#if PLANT == 2 /* a chunk is taken and not closed */
#define atomic_fetch_or(p, v) (STEP(STEP_READ, p), __atomic_load_n(p, __ATOMIC_SEQ_CST))
#else
#define atomic_fetch_or(p, v) (STEP(STEP_WRITE, p), __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST))
#endif

#if PLANT == 3 /* a lock that locks nothing */
#define pthread_mutex_lock(m)   ((void)(m))
#define pthread_mutex_unlock(m) ((void)(m))
#else
#define pthread_mutex_lock(m)   STEP(STEP_LOCK, m)
#define pthread_mutex_unlock(m) STEP(STEP_UNLOCK, m)
#endif

#define write(fd, bytes, n) ((void)(fd), STEP(STEP_WRITE, &step_woken), step_woken(), (ssize_t)(n))

/* So that two runs with one order have their memory at the same places. */
void *explore_alloc(size_t size);
void explore_free(void *at);
#define malloc(size) explore_alloc(size)
#define free(at)     explore_free(at)

#endif
