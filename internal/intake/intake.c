#include "intake.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Full chunks that wake Go before its linger is over. Fewer would wake it more often, more would let it idle meanwhile. */
#define KICK_AT 4

/* Places for topics and for queues; both tables are at most half full. */
#define TOPIC_PLACES 4096
#define QUEUE_PLACES 1024

struct topic {
    uint64_t hash;
    size_t length;
    uint32_t index;
    _Atomic int32_t takes;
    char name[];
};

struct intake {
    _Atomic(struct intake_chunk *) current; /* NULL: the next call asks for one */
    _Atomic(struct topic *) latest;         /* most scripts write to one topic */
    uint32_t max_message;
    int wake;
    uint64_t hash;
    size_t length;
    char *queue;
    char apart[64]; /* what follows is written by others */

    struct intake_signals signals;
    pthread_mutex_t lock;                            /* guards all that follows */
    struct intake_load max, charged;                 /* the queue holds what is charged less what has left */
    unsigned estimated;                              /* chunks whose bytes are charged too high */
    bool shut;
    struct intake_chunk *first_closed, *last_closed;
    struct intake_chunk *free, *cold;                /* cold: without memory behind the head */
    unsigned free_count, idle;                       /* idle: the fewest in free since the last trim */
    unsigned topic_count;
    _Atomic(struct topic *) topics[TOPIC_PLACES];
};

_Static_assert(sizeof(struct intake_chunk) == INTAKE_CHUNK, "chunk.go knows the layout");
_Static_assert(offsetof(struct intake_chunk, frames) == INTAKE_HEAD, "chunk.go knows the layout");
_Static_assert(INTAKE_LARGEST < 1 << 16, "a note has 16 bits for bytes");
_Static_assert(sizeof(struct intake_frame) == 32, "chunk.go knows the layout");

static _Atomic(struct intake *) queues[QUEUE_PLACES];
static _Atomic(struct intake *) latest_queue;
static unsigned queue_count; /* guarded by publishing */
static pthread_mutex_t publishing = PTHREAD_MUTEX_INITIALIZER;

/* Eight bytes a step: names are hashed at every call that changes the topic. */
static uint64_t hash_of(const char *bytes, size_t length)
{
    uint64_t hash = length * UINT64_C(0x9e3779b97f4a7c15), word;

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

static struct intake *find_queue(const char *name, size_t length)
{
    struct intake *in = atomic_load_explicit(&latest_queue, memory_order_acquire);

    if (in && same(in->queue, in->length, name, length))
        return in;
    uint64_t hash = hash_of(name, length);
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

static struct topic *find_topic(struct intake *in, const char *name, size_t length)
{
    struct topic *topic = atomic_load_explicit(&in->latest, memory_order_acquire);

    if (topic && same(topic->name, topic->length, name, length))
        return topic;
    uint64_t hash = hash_of(name, length);
    for (size_t at = hash % TOPIC_PLACES;; at = (at + 1) % TOPIC_PLACES) {
        topic = atomic_load_explicit(&in->topics[at], memory_order_acquire);
        if (!topic)
            return NULL;
        if (topic->hash == hash && same(topic->name, topic->length, name, length)) {
            atomic_store_explicit(&in->latest, topic, memory_order_release);
            return topic;
        }
    }
}

static void wake_go(struct intake *in)
{
    uint64_t one = 1;
    ssize_t written = write(in->wake, &one, sizeof one);

    (void)written; /* it fails only when the counter is full, and then Go has been woken */
}

static uint32_t records(uint64_t state)
{
    return (uint32_t)(state >> 32) & 0xffff;
}

/* A record on its way in. */
struct offer {
    uint32_t size; /* of its frame */
    int64_t value, cost, milliseconds;
};

/* The next six are called with the lock. */

static void close_current(struct intake *in)
{
    struct intake_chunk *chunk = atomic_load(&in->current);

    if (!chunk)
        return;
    uint64_t state = atomic_fetch_or(&chunk->state, INTAKE_CLOSED);
    in->charged.count -= chunk->leave.count - records(state);
    chunk->next = NULL;
    if (in->last_closed)
        in->last_closed->next = chunk;
    else
        in->first_closed = chunk;
    in->last_closed = chunk;
    in->estimated++;
    atomic_fetch_add(&in->signals.closed, 1);
    atomic_store(&in->current, NULL);
}

static struct intake_load room_of(struct intake *in)
{
    return (struct intake_load){in->max.count - in->charged.count + atomic_load(&in->signals.left_count),
                                in->max.bytes - in->charged.bytes + atomic_load(&in->signals.left_bytes),
                                in->max.cost - in->charged.cost + atomic_load(&in->signals.left_cost)};
}

static struct intake_chunk *take_free(struct intake *in)
{
    struct intake_chunk *chunk = in->free;

    if (chunk) {
        in->free = chunk->next;
        if (--in->free_count < in->idle)
            in->idle = in->free_count;
        return chunk;
    }
    in->idle = 0;
    if ((chunk = in->cold)) {
        in->cold = chunk->next;
        return chunk;
    }
    chunk = mmap(NULL, INTAKE_CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return chunk == MAP_FAILED ? NULL : chunk;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void charge(struct intake *in, struct intake_load by)
{
    in->charged.count += by.count;
    in->charged.bytes += by.bytes;
    in->charged.cost += by.cost;
}

/*
 * Begins a chunk that takes the offered record at least: as many as a chunk holds, or as there is room for. The frames of
 * records are larger than their values, so leave by the bytes of frames never admits too many bytes of values.
 */
static enum intake_answer begin(struct intake *in, const struct offer *offer)
{
    struct intake_load room = room_of(in);

    if (in->shut)
        return INTAKE_ASK;
    if (room.count < 1)
        return INTAKE_FULL;
    if (room.bytes < offer->value || room.cost < offer->cost)
        return in->estimated ? INTAKE_ASK : INTAKE_FULL;
    struct intake_load leave = {least(room.count, INTAKE_RECORDS), least(room.bytes, INTAKE_CHUNK - INTAKE_HEAD), 0};
    uint32_t max_bytes = (uint32_t)leave.bytes;
    /* The lengths of a header take 8 bytes of a frame, so this is more than any frames can cost. */
    leave.cost = leave.count * INTAKE_RECORD_COST + leave.bytes * (1 + INTAKE_HEADER_COST / 8);
    if (leave.cost > room.cost || max_bytes < offer->size) {
        leave = (struct intake_load){1, offer->value, offer->cost}; /* it alone, to the byte */
        max_bytes = offer->size;
    }
    struct intake_chunk *chunk = take_free(in);
    if (!chunk)
        return INTAKE_ASK;
    charge(in, leave);
    chunk->leave = leave;
    atomic_store_explicit(&chunk->max_records, (uint32_t)leave.count, memory_order_relaxed);
    atomic_store_explicit(&chunk->max_bytes, max_bytes, memory_order_relaxed);
    memset(chunk->notes, 0, sizeof chunk->notes);
    atomic_store(&chunk->first, 0);
    uint64_t begun = atomic_load(&chunk->state) + INTAKE_BEGUN;
    atomic_store(&chunk->state, begun & (INTAKE_CLOSED - INTAKE_BEGUN)); /* open from here on, and empty */
    atomic_store(&in->current, chunk);
    return INTAKE_TAKEN;
}

/* Puts another chunk in the place of full. */
static enum intake_answer turn(struct intake *in, struct intake_chunk *full, const struct offer *offer)
{
    enum intake_answer answer = INTAKE_TAKEN;

    pthread_mutex_lock(&in->lock);
    if (atomic_load(&in->current) == full) {
        close_current(in);
        answer = begin(in, offer);
    }
    bool kick = atomic_load(&in->signals.closed) >= KICK_AT && atomic_exchange(&in->signals.kicked, 1) == 0;
    pthread_mutex_unlock(&in->lock);
    if (kick)
        wake_go(in);
    return answer;
}

/* Reserves the place of a record in *at; *note is written when the record is there. */
static enum intake_answer reserve(struct intake *in, const struct offer *offer, char **at, _Atomic uint64_t **note)
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
        enum intake_answer answer = turn(in, chunk, offer);
        if (answer != INTAKE_TAKEN)
            return answer;
    }
}

static char *put(char *to, const char *bytes, size_t length)
{
    if (length)
        memcpy(to, bytes, length);
    return to + length;
}

enum intake_answer intake_offer(const struct intake_record *r)
{
    struct intake *in = find_queue(r->queue, r->queue_length);

    if (!in)
        return INTAKE_ASK;
    struct topic *topic = find_topic(in, r->topic, r->topic_length);
    if (!topic)
        return INTAKE_ASK;
    int32_t takes = atomic_load_explicit(&topic->takes, memory_order_acquire);
    if (takes == INTAKE_REFUSES || (r->partition != -1 && (r->partition < 0 || r->partition >= takes)))
        return INTAKE_ASK;
    /* One by one: each alone is below the limit, so that the sum can't overflow. */
    if (r->key_length > INTAKE_LARGEST || r->value_length > INTAKE_LARGEST || r->pair_count > INTAKE_LARGEST)
        return INTAKE_ASK;
    size_t bytes = r->key_length + r->value_length;
    for (size_t i = 0; i < r->pair_count; i++) {
        if (r->pairs[i].name_length > INTAKE_LARGEST || r->pairs[i].value_length > INTAKE_LARGEST)
            return INTAKE_ASK;
        bytes += r->pairs[i].name_length + r->pairs[i].value_length;
    }
    size_t size = sizeof(struct intake_frame) + r->pair_count * sizeof(struct intake_header) + bytes;
    size = (size + 7) & ~(size_t)7;
    /* 36 and two varints of at most 10 bytes a header are what librdkafka adds; Go looks closer. */
    if (size > INTAKE_LARGEST || 36 + bytes + 20 * r->pair_count > in->max_message)
        return INTAKE_ASK;

    struct offer offer = {
        .size = (uint32_t)size,
        .value = (int64_t)r->value_length,
        .cost = (int64_t)(INTAKE_RECORD_COST + bytes + INTAKE_HEADER_COST * r->pair_count),
        .milliseconds = r->milliseconds,
    };
    _Atomic uint64_t *note;
    char *to;
    enum intake_answer answer = reserve(in, &offer, &to, &note);
    if (answer != INTAKE_TAKEN) {
        if (answer == INTAKE_FULL && r->waits)
            return INTAKE_ASK;
        if (answer == INTAKE_FULL)
            atomic_fetch_add_explicit(&in->signals.refused, 1, memory_order_relaxed);
        return answer;
    }
    struct intake_frame *frame = (struct intake_frame *)to;
    frame->milliseconds = r->milliseconds;
    frame->size = (uint32_t)size;
    frame->topic = topic->index;
    frame->partition = r->partition;
    frame->key = r->key ? (int32_t)r->key_length : -1;
    frame->value = r->value ? (int32_t)r->value_length : -1;
    frame->headers = (uint32_t)r->pair_count;
    struct intake_header *header = (struct intake_header *)(frame + 1);
    to = (char *)(header + r->pair_count);
    to = put(to, r->key, r->key_length);
    to = put(to, r->value, r->value_length);
    for (size_t i = 0; i < r->pair_count; i++) {
        const struct intake_pair *pair = &r->pairs[i];

        header[i].name = (uint32_t)pair->name_length;
        header[i].value = (uint32_t)pair->value_length;
        to = put(to, pair->name, pair->name_length);
        to = put(to, pair->value, pair->value_length);
    }
    atomic_store_explicit(note,
                          INTAKE_COMPLETE | (uint64_t)r->pair_count << INTAKE_NOTE_OF_HEADERS |
                              (uint64_t)bytes << INTAKE_NOTE_OF_PAYLOAD | r->value_length,
                          memory_order_release);
    /* The state was moved on before this, and Go looks at it after it has said that it sleeps: one of the two sees the other. */
    if (atomic_load(&in->signals.asleep) && atomic_exchange(&in->signals.asleep, 0))
        wake_go(in);
    return INTAKE_TAKEN;
}

struct intake *intake_new(const char *queue, size_t length, int wake, uint32_t max_message)
{
    struct intake *in = calloc(1, sizeof *in);

    if (!in)
        return NULL;
    in->queue = malloc(length + 1);
    if (!in->queue) {
        free(in);
        return NULL;
    }
    put(in->queue, queue, length);
    in->length = length;
    in->hash = hash_of(queue, length);
    in->wake = wake;
    in->max_message = max_message;
    in->shut = true;
    pthread_mutex_init(&in->lock, NULL);
    return in;
}

void intake_publish(struct intake *in)
{
    pthread_mutex_lock(&publishing);
    size_t at = in->hash % QUEUE_PLACES;
    for (struct intake *there; (there = atomic_load(&queues[at])); at = (at + 1) % QUEUE_PLACES)
        if (same(there->queue, there->length, in->queue, in->length))
            break;
    if (atomic_load(&queues[at]) || queue_count < QUEUE_PLACES / 2) {
        queue_count += !atomic_load(&queues[at]);
        atomic_store(&queues[at], in);
        atomic_store(&latest_queue, in);
    }
    pthread_mutex_unlock(&publishing);
}

_Atomic int32_t *intake_topic(struct intake *in, const char *name, size_t length, uint32_t index)
{
    uint64_t hash = hash_of(name, length);
    _Atomic int32_t *takes = NULL;

    pthread_mutex_lock(&in->lock);
    struct topic *topic = in->topic_count < TOPIC_PLACES / 2 ? calloc(1, sizeof *topic + length) : NULL;
    if (topic) {
        topic->hash = hash;
        topic->length = length;
        topic->index = index;
        atomic_store(&topic->takes, INTAKE_REFUSES);
        put(topic->name, name, length);
        size_t at = hash % TOPIC_PLACES;
        while (atomic_load(&in->topics[at]))
            at = (at + 1) % TOPIC_PLACES;
        atomic_store(&in->topics[at], topic);
        in->topic_count++;
        takes = &topic->takes;
    }
    pthread_mutex_unlock(&in->lock);
    return takes;
}

void intake_limit(struct intake *in, struct intake_load max)
{
    pthread_mutex_lock(&in->lock);
    in->max = max;
    pthread_mutex_unlock(&in->lock);
}

void intake_shut(struct intake *in, bool shut)
{
    pthread_mutex_lock(&in->lock);
    in->shut = shut;
    if (shut)
        close_current(in);
    pthread_mutex_unlock(&in->lock);
}

struct intake_chunk *intake_take(struct intake *in)
{
    pthread_mutex_lock(&in->lock);
    close_current(in);
    struct intake_chunk *first = in->first_closed;
    in->first_closed = in->last_closed = NULL;
    atomic_store(&in->signals.closed, 0);
    atomic_store(&in->signals.kicked, 0);
    pthread_mutex_unlock(&in->lock);
    return first;
}

void intake_correct(struct intake *in, struct intake_load by, unsigned chunks)
{
    pthread_mutex_lock(&in->lock);
    charge(in, by);
    in->estimated -= chunks;
    pthread_mutex_unlock(&in->lock);
}

bool intake_charge(struct intake *in, int64_t value, int64_t cost)
{
    pthread_mutex_lock(&in->lock);
    struct intake_load room = room_of(in);
    bool fits = room.count >= 1 && room.bytes >= value && room.cost >= cost;
    if (fits)
        charge(in, (struct intake_load){1, value, cost});
    pthread_mutex_unlock(&in->lock);
    return fits;
}

void intake_free(struct intake *in, struct intake_chunk *chunk)
{
    pthread_mutex_lock(&in->lock);
    chunk->next = in->free;
    in->free = chunk;
    in->free_count++;
    pthread_mutex_unlock(&in->lock);
}

void intake_trim(struct intake *in, unsigned keep)
{
    long page = sysconf(_SC_PAGESIZE);

    pthread_mutex_lock(&in->lock);
    unsigned give = in->idle / 2;
    if (give + keep > in->free_count)
        give = in->free_count > keep ? in->free_count - keep : 0;
    struct intake_chunk *first = give ? in->free : NULL, *last = first;
    for (unsigned i = 1; i < give; i++)
        last = last->next;
    if (give) {
        in->free = last->next;
        in->free_count -= give;
    }
    in->idle = in->free_count;
    pthread_mutex_unlock(&in->lock);
    if (!first)
        return;
    last->next = NULL;
    for (struct intake_chunk *chunk = first; chunk && page > 0 && page < INTAKE_CHUNK; chunk = chunk->next)
        madvise((char *)chunk + page, INTAKE_CHUNK - (size_t)page, MADV_DONTNEED);
    pthread_mutex_lock(&in->lock);
    last->next = in->cold;
    in->cold = first;
    pthread_mutex_unlock(&in->lock);
}

struct intake_signals *intake_signals(struct intake *in)
{
    return &in->signals;
}

_Atomic(struct intake_chunk *) *intake_current(struct intake *in)
{
    return &in->current;
}
