/*
 * inside.h - what the chapters of the intake know of each other: names.c finds queues and topics, chunks.c gives grants and
 * takes them back, offer.c is the call, and intake.c the life of an intake. pack.h is what the sender does with taken chunks.
 */
#ifndef KAFKA_INTAKE_INSIDE_H
#define KAFKA_INTAKE_INSIDE_H

#include <pthread.h>
#include <string.h>

#include "intake.h"

#define HIDDEN __attribute__((visibility("hidden")))

/* Places for topics and for queues; both tables are at most half full. */
#define TOPIC_PLACES 65536
#define QUEUE_PLACES 1024

/*
 * The life of an intake, moved by intake_end, intake_pass and intake_disown; intake_new alone goes back to OPEN.
 *
 *   OPEN      records are taken
 *   ENDED     every call is refused with ended_code
 *   GONE      nobody knows the queue any more
 *   DISOWNED  another queue has the name, and Go knows it: every call asks
 */
enum { OPEN, ENDED, GONE, DISOWNED };

/* A topic that calls have named. */
struct intake_known {
    uint64_t hash;
    size_t length;
    uint32_t index;
    struct intake_gate gate;
    char name[];
};

struct intake {
    struct intake *made_before; /* guarded by the lock of intake.c */
    _Atomic(struct intake_chunk *) current; /* NULL: the next call asks for one */
    _Atomic(struct intake_known *) latest;  /* most scripts write to one topic */
    _Atomic(struct intake_chunk *) spare;   /* begins when current is full */
    _Atomic int life;
    _Atomic bool abandoned; /* its queue is gone: intake_new may use it again, whatever its life */
    _Atomic uint32_t max_message;
    int wake, full_code;
    _Atomic int ended_code;
    uint64_t hash;
    size_t length;
    char *queue;
    char apart[64]; /* what follows is written by others */

    struct intake_signals signals;
    /* Charged with the lock; delivery reports count what is released without it. */
    struct intake_ledger ledger;
    _Atomic unsigned estimated; /* chunks whose bytes are charged too high */
    _Atomic bool shut;
    _Atomic bool waiting;       /* calls wait for room */
    _Atomic unsigned pending_grants;    /* calls that have charged a grant, or are about to, that no chunk shows yet */

    pthread_mutex_t lock; /* guards all that follows, but for reading topics */
    struct intake_chunk *first_closed, *last_closed;
    struct intake_parked *first_parked, *last_parked;
    struct intake_chunk *free, *cold; /* cold: without memory behind the head */
    struct intake_chunk *fresh;       /* the first of fresh_count chunks that were never used */
    unsigned fresh_count, row;        /* row: of the last that the kernel gave */
    unsigned free_count, idle;        /* idle: the fewest in free since the last trim */
    unsigned topic_count;
    struct intake_known *by_index[TOPIC_PLACES / 2];
    _Atomic(struct intake_known *) topics[TOPIC_PLACES];
};

/* A record on its way in. */
struct intake_offered {
    size_t size; /* of its frame */
    int64_t value, cost, milliseconds;
};

static inline uint32_t records(uint64_t state)
{
    return (uint32_t)(state >> 32) & 0xffff;
}

static inline void charge(struct intake *in, struct intake_amount by, int sign)
{
    atomic_fetch_add(&in->ledger.charged_count, sign * by.count);
    atomic_fetch_add(&in->ledger.charged_bytes, sign * by.bytes);
    atomic_fetch_add(&in->ledger.charged_cost, sign * by.cost);
}

static inline struct intake_amount room_in(struct intake_ledger *l)
{
    return (struct intake_amount){
        atomic_load(&l->max_count) - atomic_load(&l->charged_count) + atomic_load(&l->released_count),
        atomic_load(&l->max_bytes) - atomic_load(&l->charged_bytes) + atomic_load(&l->released_bytes),
        atomic_load(&l->max_cost) - atomic_load(&l->charged_cost) + atomic_load(&l->released_cost)};
}

static inline struct intake_amount room_of(struct intake *in)
{
    return room_in(&in->ledger);
}

static inline bool fits(struct intake_amount room, int64_t value, int64_t cost)
{
    return room.count >= 1 && room.bytes >= value && room.cost >= cost;
}

static inline enum intake_answer refuse(int because, int *code)
{
    *code = because;
    return INTAKE_REFUSED;
}

/* What a call is answered with when the queue is not open. One that was so slow that the queue is gone asks Go, as others may have its name. */
static inline enum intake_answer over(struct intake *in, int *code)
{
    return atomic_load(&in->life) >= GONE ? INTAKE_ASK : refuse(atomic_load(&in->ended_code), code);
}

static inline bool has_grant(struct intake *in)
{
    return atomic_load(&in->pending_grants) || atomic_load(&in->current) || atomic_load(&in->spare);
}

HIDDEN void intake_wake_go(struct intake *in);

/* The queue, or NULL; one of an earlier life too. */
HIDDEN struct intake *intake_find(const char *queue, size_t length);

/* Whether calls find this intake by its queue's name. */
HIDDEN bool intake_published(struct intake *in);

/* The topic, which is made known when it is new; NULL when it can't be. */
HIDDEN struct intake_known *intake_find_topic(struct intake *in, const char *name, size_t length);
HIDDEN uint64_t intake_hash(const char *bytes, size_t length);

/* Both with the lock: the current chunk takes no more; calls have no grant any longer. */
HIDDEN void intake_close_current(struct intake *in);
HIDDEN void intake_end_grants(struct intake *in);

/* Leaves a record that has a chunk of its own behind those that are there. False: there is no room, or Go must say whether; *answer. */
HIDDEN bool intake_append(struct intake *in, struct intake_chunk *chunk, const struct intake_offered *offer, enum intake_answer *answer, int *code);

/* Puts another chunk in the place of full, for a record that found no place there. */
HIDDEN enum intake_answer intake_rotate(struct intake *in, struct intake_chunk *full, const struct intake_offered *offer, int *code);

#endif
