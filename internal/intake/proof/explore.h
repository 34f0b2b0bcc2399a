/*
 * explore.h - runs a few threads in every order of their steps (steps.h).
 *
 * The threads are coroutines of one process, so that an order is repeated exactly. After each step the explorer takes a hash of
 * everything that decides what may follow: the memory that the scenario names, the locks, and the stack and registers of each thread.
 * Where it has been already, whatever follows has been tried, so each state is visited once and each order that is left out is equal to
 * one that was run.
 */
#ifndef INTAKE_EXPLORE_H
#define INTAKE_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define THREADS 3

struct scenario {
    const char *name;            /* a sentence */
    void (*setup)(void);         /* once, without steps; calls explore_memory */
    void (*thread[THREADS])(void);
    void (*verdict)(void);       /* after each run, without steps; calls broken() */
};

/* explore - returns how many states were visited, or ends the process at the first that breaks a rule, with the order. */
uint64_t explore(const struct scenario *scenario);

/*
 * explore_memory - names memory that steps change. Before each run it is set to what it holds after the setup. decides: a part of the
 * state; what is not follows from what is. Sizes are of whole words.
 */
void explore_memory(void *at, size_t size, bool decides);

/* explore_current - the number of the thread that runs, from 0. */
int explore_current(void);

/* explore_ignores - whether what is done at a place in memory decides nothing. */
bool explore_ignores(const volatile void *at);

/* await - waits, as a step, until *at is not 0. */
void await(const _Atomic uint64_t *at);

_Noreturn void broken(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
