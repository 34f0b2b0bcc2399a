#include <stdlib.h>
#include <unistd.h>

#include "inside.h"

void intake_wake_go(struct intake *in)
{
    uint64_t one = 1;
    ssize_t written = write(in->wake, &one, sizeof one);

    (void)written; /* it fails only when the counter is full, and then Go has been woken */
}

struct intake *intake_new(const char *queue, size_t length, int wake, uint32_t max_message, int full, int ended)
{
    struct intake *in = calloc(1, sizeof *in);

    if (!in)
        return NULL;
    in->queue = malloc(length + 1);
    if (!in->queue) {
        free(in);
        return NULL;
    }
    memcpy(in->queue, queue, length);
    in->length = length;
    in->hash = intake_hash(queue, length);
    in->wake = wake;
    in->max_message = max_message;
    in->full_code = full;
    in->ended_code = ended;
    in->shut = true;
    pthread_mutex_init(&in->lock, NULL);
    return in;
}

void intake_limit(struct intake *in, struct intake_load max)
{
    pthread_mutex_lock(&in->lock);
    atomic_store(&in->max_count, max.count);
    atomic_store(&in->max_bytes, max.bytes);
    atomic_store(&in->max_cost, max.cost);
    pthread_mutex_unlock(&in->lock);
}

void intake_shut(struct intake *in, bool shut)
{
    pthread_mutex_lock(&in->lock);
    atomic_store(&in->shut, shut);
    if (shut) {
        intake_close_current(in);
        intake_drop_spare(in);
    }
    pthread_mutex_unlock(&in->lock);
}

void intake_end(struct intake *in, bool gone)
{
    pthread_mutex_lock(&in->lock);
    if (atomic_load(&in->life) < (gone ? GONE : ENDED))
        atomic_store(&in->life, gone ? GONE : ENDED);
    intake_close_current(in);
    intake_drop_spare(in);
    pthread_mutex_unlock(&in->lock);
}

bool intake_charge(struct intake *in, int64_t value, int64_t cost)
{
    pthread_mutex_lock(&in->lock);
    struct intake_load room = room_of(in);
    bool fits = room.count >= 1 && room.bytes >= value && room.cost >= cost;
    if (fits)
        charge(in, (struct intake_load){1, value, cost}, 1);
    pthread_mutex_unlock(&in->lock);
    return fits;
}

struct intake_signals *intake_signals(struct intake *in)
{
    return &in->signals;
}

_Atomic(struct intake_chunk *) *intake_current(struct intake *in)
{
    return &in->current;
}
