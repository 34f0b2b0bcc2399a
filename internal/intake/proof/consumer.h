/*
 * consumer.h - what Go does with an intake (intake.go, chunk.go), in C, for tsan.c and scenarios.c.
 */
#ifndef INTAKE_CONSUMER_H
#define INTAKE_CONSUMER_H

#include <stdint.h>

#include "../inside.h"

#define TOPIC "topic"
#define FULL  (-184)
#define ENDED_CODE (-150)

/* The largest value of the proof, which has a chunk of its own. */
#define CONSUMER_LARGEST (INTAKE_LARGEST + 128)

/* The queue of all calls. */
static const char *consumer_queue = "queue";

/* What the values of the proof hold. */
struct mark {
    int32_t thread, number;
};

/* Waits until a record is complete. */
void await(const _Atomic uint64_t *note);

/* Makes the queue's intake, or that of an earlier life, with limits. It is open. */
static inline struct intake *consumer_open(int64_t count, int64_t bytes, int64_t cost)
{
    struct intake *in = intake_new(consumer_queue, strlen(consumer_queue), 1 << 20, FULL, ENDED_CODE);
    struct intake_ledger *l = intake_ledger(in);

    atomic_store(&l->max_count, count);
    atomic_store(&l->max_bytes, bytes);
    atomic_store(&l->max_cost, cost);
    intake_publish(in);
    intake_shut(in, false);
    return in;
}

/* One call. size is that of the value, a mark and then anything. */
static inline enum intake_answer consumer_offer(struct mark mark, size_t size, bool waits, int *code)
{
    char value[size];

    memcpy(value, &mark, sizeof mark);
    memset(value + sizeof mark, (char)mark.number, size - sizeof mark);
    struct intake_record r = {.queue = consumer_queue, .topic = TOPIC, .value = value, .queue_length = strlen(consumer_queue), .topic_length = strlen(TOPIC),
                              .value_length = size, .partition = -1, .milliseconds = 1, .waits = waits};
    return intake_offer(&r, code);
}

/* A delivery report for records of that amount. */
static inline void consumer_release(struct intake *in, struct intake_amount by)
{
    struct intake_ledger *l = intake_ledger(in);

    atomic_fetch_add(&l->released_count, by.count);
    atomic_fetch_add(&l->released_bytes, by.bytes);
    atomic_fetch_add(&l->released_cost, by.cost);
}

/* Takes all chunks, hands over each record when it is complete, and reports all as delivered. Returns the number of records. */
static inline unsigned consumer_take(struct intake *in, void (*each)(const struct intake_frame *frame, const char *value))
{
    unsigned all = 0;

    for (struct intake_chunk *chunk = intake_take(in), *next; chunk; chunk = next) {
        uint32_t n = records(atomic_load(&chunk->state));
        struct intake_amount held = {n, 0, 0};
        const char *at = (const char *)chunk + INTAKE_HEAD;

        next = chunk->next;
        for (uint32_t i = 0; i < n; i++) {
            await(&chunk->notes[i]);
            const struct intake_frame *frame = (const struct intake_frame *)at;
            each(frame, at + sizeof *frame);
            held.bytes += frame->value;
            held.cost += INTAKE_RECORD_COST + frame->value;
            at += frame->size;
        }
        intake_correct(in, &(struct intake_amount){0, held.bytes - chunk->grant.bytes, held.cost - chunk->grant.cost}, 1);
        if (n)
            consumer_release(in, held);
        intake_free(in, chunk);
        all += n;
    }
    return all;
}

/* What the ledger still holds when everything was taken: the first number that is not 0, or 0. */
static inline int64_t consumer_holds(struct intake *in)
{
    struct intake_ledger *l = intake_ledger(in);
    int64_t count = atomic_load(&l->charged_count) - atomic_load(&l->released_count);
    int64_t bytes = atomic_load(&l->charged_bytes) - atomic_load(&l->released_bytes);
    int64_t cost = atomic_load(&l->charged_cost) - atomic_load(&l->released_cost);

    return count ? count : bytes ? bytes : cost;
}

#endif
