#include <stdlib.h>

#include "inside.h"

/* The longest name of a topic by librdkafka's rules; Go refuses longer ones. */
#define LONGEST_TOPIC 512

static _Atomic(struct intake *) queues[QUEUE_PLACES];
static _Atomic(struct intake *) latest_queue;
static unsigned queue_count; /* guarded by publishing */
static pthread_mutex_t publishing = PTHREAD_MUTEX_INITIALIZER;

/*
 * Eight bytes a step: names are hashed at every call that changes the topic. Where the library was loaded to is different
 * in each process, so that nobody can make up names that all fall on one place.
 */
uint64_t intake_hash(const char *bytes, size_t length)
{
    uint64_t hash = (length ^ (uint64_t)(uintptr_t)&queues) * UINT64_C(0x9e3779b97f4a7c15), word;

    for (; length >= 8; bytes += 8, length -= 8) {
        memcpy(&word, bytes, 8);
        hash = (hash ^ word) * UINT64_C(0xff51afd7ed558ccd);
        hash ^= hash >> 32;
    }
    word = 0;
    memcpy(&word, bytes, length);
    hash = (hash ^ word) * UINT64_C(0xff51afd7ed558ccd);
    return hash ^ hash >> 32;
}

static bool same(const char *a, size_t a_length, const char *b, size_t b_length)
{
    return a_length == b_length && memcmp(a, b, a_length) == 0;
}

struct intake *intake_find(const char *name, size_t length)
{
    struct intake *in = atomic_load_explicit(&latest_queue, memory_order_acquire);

    /* One that is gone may be here for ever, when a call was slow to note it: its successor is in the table. */
    if (in && atomic_load_explicit(&in->life, memory_order_acquire) < GONE && same(in->queue, in->length, name, length))
        return in;
    uint64_t hash = intake_hash(name, length);
    for (size_t at = hash % QUEUE_PLACES;; at = (at + 1) % QUEUE_PLACES) {
        in = atomic_load_explicit(&queues[at], memory_order_acquire);
        if (!in)
            return NULL;
        if (in->hash == hash && same(in->queue, in->length, name, length)) {
            atomic_store_explicit(&latest_queue, in, memory_order_release);
            return in;
        }
    }
}

bool intake_published(struct intake *in)
{
    return intake_find(in->queue, in->length) == in;
}

/* Looks for a topic; *at is where it is, or would be. */
static struct intake_known *look_up(struct intake *in, uint64_t hash, const char *name, size_t length, size_t *at)
{
    struct intake_known *topic;

    for (*at = hash % TOPIC_PLACES;; *at = (*at + 1) % TOPIC_PLACES) {
        topic = atomic_load_explicit(&in->topics[*at], memory_order_acquire);
        if (!topic || (topic->hash == hash && same(topic->name, topic->length, name, length)))
            return topic;
    }
}

static struct intake_known *add_topic(struct intake *in, uint64_t hash, const char *name, size_t length)
{
    if (length > LONGEST_TOPIC || memchr(name, 0, length)) /* Go reads it up to the NUL, or refuses it */
        return NULL;
    struct intake_known *made = calloc(1, sizeof *made + length), *topic;
    if (!made)
        return NULL;
    made->hash = hash;
    made->length = length;
    memcpy(made->name, name, length);
    size_t at;
    pthread_mutex_lock(&in->lock);
    topic = look_up(in, hash, name, length, &at); /* another call may have been first */
    if (!topic && in->topic_count < TOPIC_PLACES / 2) {
        topic = made;
        made = NULL;
        topic->index = in->topic_count;
        in->by_index[in->topic_count++] = topic;
        atomic_store_explicit(&in->topics[at], topic, memory_order_release);
    }
    pthread_mutex_unlock(&in->lock);
    free(made);
    return topic;
}

struct intake_known *intake_find_topic(struct intake *in, const char *name, size_t length)
{
    struct intake_known *topic = atomic_load_explicit(&in->latest, memory_order_acquire);

    if (topic && same(topic->name, topic->length, name, length))
        return topic;
    uint64_t hash = intake_hash(name, length);
    size_t at;
    topic = look_up(in, hash, name, length, &at);
    if (!topic)
        topic = add_topic(in, hash, name, length);
    if (topic)
        atomic_store_explicit(&in->latest, topic, memory_order_release);
    return topic;
}

bool intake_publish(struct intake *in)
{
    pthread_mutex_lock(&publishing);
    size_t at = in->hash % QUEUE_PLACES;
    for (struct intake *there; (there = atomic_load(&queues[at])); at = (at + 1) % QUEUE_PLACES)
        if (same(there->queue, there->length, in->queue, in->length))
            break;
    bool found = atomic_load(&queues[at]) || queue_count < QUEUE_PLACES / 2;
    if (found) {
        queue_count += !atomic_load(&queues[at]);
        atomic_store(&queues[at], in);
        atomic_store(&latest_queue, in);
    }
    pthread_mutex_unlock(&publishing);
    return found;
}

struct intake_gate *intake_topic(struct intake *in, const char *name, size_t length, uint32_t *index)
{
    struct intake_known *topic = intake_find_topic(in, name, length);

    if (!topic)
        return NULL;
    *index = topic->index;
    return &topic->gate;
}

const char *intake_topic_name(struct intake *in, uint32_t index, size_t *length)
{
    pthread_mutex_lock(&in->lock);
    const struct intake_known *topic = in->by_index[index];
    pthread_mutex_unlock(&in->lock);
    *length = topic->length;
    return topic->name;
}

void intake_disown(const char *queue, size_t length)
{
    pthread_mutex_lock(&publishing);
    struct intake *in = intake_find(queue, length);
    if (in)
        atomic_store(&in->life, DISOWNED);
    pthread_mutex_unlock(&publishing);
}
