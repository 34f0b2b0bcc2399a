#include <stdlib.h>

#include "inside.h"

/*
 * Whether there is certainly no room, found out without the lock: a full queue is full for many calls, which must not wait for
 * one another. While a chunk has a grant, or is being given some, more is charged than is used, and it is not certain.
 */
static bool certainly_full(struct intake *in, const struct intake_offered *offer)
{
    if (has_grant(in))
        return false;
    struct intake_amount room = room_of(in);
    bool full = room.count < 1 || (atomic_load(&in->estimated) == 0 && (room.bytes < offer->value || room.cost < offer->cost));
    return full && !has_grant(in) && !atomic_load(&in->shut) && atomic_load(&in->life) == OPEN;
}

static char *put(char *to, const char *bytes, size_t length)
{
    if (length)
        memcpy(to, bytes, length);
    return to + length;
}

/* Writes a record to where there is room for its frame. */
static void write_frame(struct intake_frame *frame, const struct intake_record *r, size_t size, uint32_t topic)
{
    frame->milliseconds = r->milliseconds;
    frame->size = (uint32_t)size;
    frame->topic = topic;
    frame->partition = r->partition;
    frame->key = r->key ? (int32_t)r->key_length : -1;
    frame->value = r->value ? (int32_t)r->value_length : -1;
    frame->headers = (uint32_t)r->pair_count;
    struct intake_header *header = (struct intake_header *)(frame + 1);
    char *to = (char *)(header + r->pair_count);
    to = put(to, r->key, r->key_length);
    to = put(to, r->value, r->value_length);
    for (size_t i = 0; i < r->pair_count; i++) {
        const struct intake_pair *pair = &r->pairs[i];

        header[i].name = (uint32_t)pair->name_length;
        header[i].value = (uint32_t)pair->value_length;
        to = put(to, pair->name, pair->name_length);
        to = put(to, pair->value, pair->value_length);
    }
}

/* Parks a call that found no room. There may be some by now: Go looks. */
static enum intake_answer park(struct intake *in, const struct intake_record *r, const struct intake_offered *offer, uint32_t topic)
{
    /* What never fits would wait for ever. */
    if (offer->value > atomic_load(&in->ledger.max_bytes) || offer->cost > atomic_load(&in->ledger.max_cost))
        return INTAKE_ASK;
    struct intake_parked *parked = malloc(offsetof(struct intake_parked, frame) + offer->size);
    if (!parked)
        return INTAKE_ASK;
    parked->next = NULL;
    memcpy(parked->script, r->script, sizeof parked->script);
    write_frame(&parked->frame, r, offer->size, topic);
    pthread_mutex_lock(&in->lock);
    bool open = atomic_load(&in->life) == OPEN && !atomic_load(&in->shut);
    if (open) {
        if (in->last_parked)
            in->last_parked->next = parked;
        else
            in->first_parked = parked;
        in->last_parked = parked;
        atomic_store(&in->waiting, true);
        intake_end_grants(in); /* a chunk with room left in its grant would let others pass by */
    }
    bool first = open && atomic_fetch_add(&in->signals.parked, 1) == 0;
    pthread_mutex_unlock(&in->lock);
    if (!open) {
        free(parked);
        return INTAKE_ASK;
    }
    if (first)
        intake_wake_go(in);
    return INTAKE_PARKED;
}

/* Reserves the place of a record in *at; *note is written when the record is there. */
static enum intake_answer reserve(struct intake *in, const struct intake_offered *offer, char **at, _Atomic uint64_t **note, int *code)
{
    for (;;) {
        struct intake_chunk *chunk = atomic_load_explicit(&in->current, memory_order_acquire);

        if (chunk) {
            uint64_t state = atomic_load(&chunk->state);
            while (!(state & INTAKE_CLOSED) &&
                   records(state) < atomic_load_explicit(&chunk->max_records, memory_order_relaxed) &&
                   (uint32_t)state + offer->size <= atomic_load_explicit(&chunk->max_bytes, memory_order_relaxed))
                if (atomic_compare_exchange_weak(&chunk->state, &state, state + INTAKE_RECORD + offer->size)) {
                    if ((uint32_t)state == 0)
                        atomic_store_explicit(&chunk->first, offer->milliseconds, memory_order_relaxed);
                    *note = &chunk->notes[records(state)];
                    *at = chunk->frames + (uint32_t)state;
                    return INTAKE_TAKEN;
                }
        }
        if (!chunk && certainly_full(in, offer))
            return refuse(in->full_code, code);
        enum intake_answer answer = intake_rotate(in, chunk, offer, code);
        if (answer != INTAKE_TAKEN)
            return answer;
    }
}

/* Leaves a record that is too large for a chunk of many. It is copied before anybody waits for a lock. */
static enum intake_answer offer_large(struct intake *in, const struct intake_record *r, const struct intake_offered *offer, uint32_t topic, int *code)
{
    enum intake_answer answer;
    struct intake_chunk *chunk = malloc(INTAKE_HEAD + offer->size);

    if (!chunk)
        return INTAKE_ASK;
    chunk->large = true;
    chunk->holds = 1;
    atomic_store_explicit(&chunk->state, INTAKE_CLOSED | INTAKE_RECORD | offer->size, memory_order_relaxed);
    atomic_store_explicit(&chunk->first, offer->milliseconds, memory_order_relaxed);
    atomic_store_explicit(&chunk->notes[0], INTAKE_COMPLETE, memory_order_relaxed);
    write_frame((struct intake_frame *)((char *)chunk + INTAKE_HEAD), r, offer->size, topic);
    if (!intake_append(in, chunk, offer, &answer, code))
        free(chunk);
    return answer;
}

enum intake_answer intake_offer(const struct intake_record *r, int *code)
{
    struct intake *in = intake_find(r->queue, r->queue_length);

    if (!in)
        return INTAKE_ASK;
    int life = atomic_load_explicit(&in->life, memory_order_acquire);
    if (life >= GONE)
        /* A call may be so slow that the queue it has found is gone, and its successor is here. */
        return life == GONE && intake_published(in) ? INTAKE_GONE : INTAKE_ASK;
    /* One by one: each alone is below the limit, which is below 4 GiB, so that the sum can't overflow. */
    size_t most = atomic_load_explicit(&in->max_message, memory_order_relaxed);
    if (r->key_length > most || r->value_length > most || r->pair_count > most / 20)
        return INTAKE_ASK;
    size_t bytes = r->key_length + r->value_length;
    for (size_t i = 0; i < r->pair_count && bytes <= most; i++) {
        if (r->pairs[i].name_length > most || r->pairs[i].value_length > most)
            return INTAKE_ASK;
        bytes += r->pairs[i].name_length + r->pairs[i].value_length;
    }
    /* 36 and two varints of at most 10 bytes a header are what librdkafka adds; Go looks closer. */
    if (36 + bytes + 20 * r->pair_count > most)
        return INTAKE_ASK;
    size_t size = sizeof(struct intake_frame) + r->pair_count * sizeof(struct intake_header) + bytes;
    size = (size + 7) & ~(size_t)7;

    struct intake_known *topic = intake_find_topic(in, r->topic, r->topic_length);
    if (!topic)
        return INTAKE_ASK;
    int32_t partitions = atomic_load_explicit(&topic->gate.partitions, memory_order_acquire);
    if (r->partition != -1 && (r->partition < 0 || r->partition >= partitions))
        return INTAKE_ASK;
    struct intake_offered offer = {
        .size = size,
        .value = (int64_t)r->value_length,
        .cost = (int64_t)(INTAKE_RECORD_COST + bytes + INTAKE_HEADER_COST * r->pair_count),
        .milliseconds = r->milliseconds,
    };
    int refusal = atomic_load_explicit(&topic->gate.refusal, memory_order_acquire);
    _Atomic uint64_t *note;
    char *to;
    enum intake_answer answer;
    if (refusal && life == OPEN && !certainly_full(in, &offer)) { /* which would come first, as in librdkafka */
        if (!atomic_load_explicit(&topic->gate.asked, memory_order_relaxed))
            atomic_store(&topic->gate.asked, 1);
        answer = refuse(refusal, code);
    } else if (size > INTAKE_LARGEST) {
        answer = offer_large(in, r, &offer, topic->index, code);
    } else {
        answer = reserve(in, &offer, &to, &note, code);
    }
    if (answer == INTAKE_REFUSED && r->waits && *code == in->full_code)
        return park(in, r, &offer, topic->index);
    if (answer == INTAKE_REFUSED) {
        atomic_fetch_add_explicit(&in->signals.refused, 1, memory_order_relaxed);
        if (*code == in->full_code)
            atomic_fetch_add_explicit(&in->signals.full, 1, memory_order_relaxed);
    }
    if (answer != INTAKE_TAKEN)
        return answer;
    if (size <= INTAKE_LARGEST) {
        write_frame((struct intake_frame *)to, r, size, topic->index);
        atomic_store_explicit(note,
                              INTAKE_COMPLETE | (uint64_t)r->pair_count << INTAKE_NOTE_OF_HEADERS |
                                  (uint64_t)bytes << INTAKE_NOTE_OF_PAYLOAD | r->value_length,
                              memory_order_release);
    }
    /* The state was moved on before this, and Go looks at it after it has said that it sleeps: one of the two sees the other. */
    if (atomic_load(&in->signals.asleep) && atomic_exchange(&in->signals.asleep, 0))
        intake_wake_go(in);
    return INTAKE_TAKEN;
}

struct intake_parked *intake_take_parked(struct intake *in)
{
    pthread_mutex_lock(&in->lock);
    struct intake_parked *first = in->first_parked;
    in->first_parked = in->last_parked = NULL;
    atomic_store(&in->signals.parked, 0);
    pthread_mutex_unlock(&in->lock);
    return first;
}

void intake_set_has_waiters(struct intake *in, bool waiting)
{
    pthread_mutex_lock(&in->lock);
    atomic_store(&in->waiting, waiting || in->first_parked);
    if (waiting)
        intake_end_grants(in);
    pthread_mutex_unlock(&in->lock);
}
