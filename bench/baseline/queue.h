/*
 * One queue of the baseline plugin: a librdkafka producer and the thread that serves its delivery reports.
 */
#ifndef BASELINE_QUEUE_H
#define BASELINE_QUEUE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "HalonMTA.h"
#include "rdkafka.h"

struct queue {
    char *id;
    rd_kafka_t *rk;
    pthread_t poller;
    atomic_bool stop; /* tells the poller to end */
};

/* Written by Halon_init and Halon_cleanup only, when no script runs; read without a lock by every call. */
struct queues {
    struct queue *all;
    size_t len;
};

/*
 * Opens each queue of a configuration. Callable once before queues_close.
 *
 * config  the plugin's configuration; NULL is an empty one. Nothing of it is kept.
 *
 * returns | queues                              | when
 * true    | all open, their pollers run         | done
 * false   | those before the fault are open     | a queue is at fault; one line at LOG_CRIT says which and why
 */
bool queues_open(struct queues *queues, HalonConfig *config);

/* The queue of that id, or NULL. Callable from any thread between queues_open and queues_close. */
struct queue *queues_find(const struct queues *queues, const char *id);

/*
 * Waits until every queue has drained, all of them side by side and `seconds` in all, logs what is left at LOG_CRIT, and
 * frees the queues. Callable in any state, also twice; no script may run.
 */
void queues_close(struct queues *queues, int seconds);

#endif
