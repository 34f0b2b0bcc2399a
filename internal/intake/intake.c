#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "inside.h"

void intake_wake_go(struct intake *in)
{
    uint64_t one = 1;
    ssize_t written = write(in->wake, &one, sizeof one);

    (void)written; /* it fails only when the counter is full, and then Go has been woken */
}

static struct intake *made; /* every one, the last first */
static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;

/* The intake of an earlier life of the queue that nobody uses any more, emptied; or NULL. */
static struct intake *revive(const char *queue, size_t length)
{
    struct intake *in = made;

    while (in && !(in->length == length && memcmp(in->queue, queue, length) == 0 && atomic_load(&in->abandoned)))
        in = in->made_before;
    if (!in)
        return NULL;
    pthread_mutex_lock(&in->lock);
    bool empty = !in->first_closed && !in->first_parked && !atomic_load(&in->pending_grants) && !atomic_load(&in->current);
    if (empty) {
        struct intake_signals *s = &in->signals;
        struct intake_ledger *l = &in->ledger;
        charge(in, (struct intake_amount){atomic_load(&l->charged_count), atomic_load(&l->charged_bytes), atomic_load(&l->charged_cost)}, -1);
        atomic_store(&l->released_count, 0);
        atomic_store(&l->released_bytes, 0);
        atomic_store(&l->released_cost, 0);
        atomic_store(&s->refused, 0);
        atomic_store(&s->asleep, 0);
        atomic_store(&s->kicked, 0);
        atomic_store(&in->estimated, 0);
        atomic_store(&in->waiting, false);
        atomic_store(&in->shut, true);
        for (unsigned i = 0; i < in->topic_count; i++) {
            atomic_store(&in->by_index[i]->gate.partitions, 0);
            atomic_store(&in->by_index[i]->gate.refusal, 0);
        }
    }
    pthread_mutex_unlock(&in->lock);
    return empty ? in : NULL;
}

static struct intake *make(const char *queue, size_t length)
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
    in->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (in->wake < 0) {
        free(in->queue);
        free(in);
        return NULL;
    }
    in->shut = true;
    pthread_mutex_init(&in->lock, NULL);
    in->made_before = made;
    made = in;
    return in;
}

struct intake *intake_new(const char *queue, size_t length, uint32_t max_message, int full, int ended)
{
    pthread_mutex_lock(&making);
    struct intake *in = revive(queue, length);

    if (!in)
        in = make(queue, length);
    if (in) {
        atomic_store(&in->max_message, max_message);
        in->full_code = full;
        atomic_store(&in->ended_code, ended);
        atomic_store(&in->abandoned, false);
        atomic_store(&in->life, OPEN);
    }
    pthread_mutex_unlock(&making);
    return in;
}

int intake_wake_descriptor(const struct intake *in)
{
    return in->wake;
}

void intake_shut(struct intake *in, bool shut)
{
    pthread_mutex_lock(&in->lock);
    atomic_store(&in->shut, shut);
    if (shut)
        intake_end_grants(in);
    pthread_mutex_unlock(&in->lock);
}

void intake_end(struct intake *in, bool gone, int code)
{
    pthread_mutex_lock(&in->lock);
    atomic_store(&in->ended_code, code);
    if (atomic_load(&in->life) < GONE) /* calls ask for the queue that has the name of a disowned one */
        atomic_store(&in->life, gone ? GONE : ENDED);
    if (gone)
        atomic_store(&in->abandoned, true);
    intake_end_grants(in);
    pthread_mutex_unlock(&in->lock);
}

void intake_pass(struct intake *in)
{
    pthread_mutex_lock(&in->lock);
    atomic_store(&in->life, DISOWNED);
    intake_end_grants(in);
    pthread_mutex_unlock(&in->lock);
}

bool intake_ledger_charge(struct intake_ledger *ledger, int64_t value, int64_t cost)
{
    if (!fits(room_in(ledger), value, cost))
        return false;
    atomic_fetch_add(&ledger->charged_count, 1);
    atomic_fetch_add(&ledger->charged_bytes, value);
    atomic_fetch_add(&ledger->charged_cost, cost);
    return true;
}

bool intake_charge(struct intake *in, int64_t value, int64_t cost)
{
    pthread_mutex_lock(&in->lock);
    bool charged = intake_ledger_charge(&in->ledger, value, cost);
    pthread_mutex_unlock(&in->lock);
    return charged;
}

struct intake_ledger *intake_ledger(struct intake *in)
{
    return &in->ledger;
}

struct intake_signals *intake_signals(struct intake *in)
{
    return &in->signals;
}

_Atomic(struct intake_chunk *) *intake_current(struct intake *in)
{
    return &in->current;
}
