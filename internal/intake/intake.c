#include "intake.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Full chunks that wake Go before its linger is over. Fewer would wake it more often, more would let it idle meanwhile. */
#define KICK_AT 4

/* Places for topics and for queues; both tables are at most half full. */
#define TOPIC_PLACES 65536
#define QUEUE_PLACES 1024

/* How many chunks there must be room for before one is made ahead. */
#define PLENTY 8

/* Chunks that the kernel is asked for at once. */
#define CHUNKS_AT_ONCE 16

/* The longest name of a topic by librdkafka's rules; Go refuses longer ones. */
#define LONGEST_TOPIC 512

/* Whether a queue still takes records. */
enum { OPEN, ENDED, GONE, DISOWNED };

struct topic {
    uint64_t hash;
    size_t length;
    uint32_t index;
    struct intake_gate gate;
    char name[];
};

struct intake {
    _Atomic(struct intake_chunk *) current; /* NULL: the next call asks for one */
    _Atomic(struct topic *) latest;         /* most scripts write to one topic */
    _Atomic(struct intake_chunk *) spare;   /* begins when current is full */
    _Atomic int life;
    uint32_t max_message;
    int wake, full_code, ended_code;
    uint64_t hash;
    size_t length;
    char *queue;
    char apart[64]; /* what follows is written by others */

    struct intake_signals signals;
    /* Written with the lock. The queue holds what is charged less what has left. */
    _Atomic int64_t max_count, max_bytes, max_cost;
    _Atomic int64_t charged_count, charged_bytes, charged_cost;
    _Atomic unsigned estimated; /* chunks whose bytes are charged too high */
    _Atomic bool shut;
    _Atomic bool waiting; /* calls wait for room */
    _Atomic unsigned giving; /* calls that have charged leave, or are about to, that no chunk shows yet */

    pthread_mutex_t lock; /* guards all that follows, but for reading topics */
    struct intake_chunk *first_closed, *last_closed;
    struct intake_parked *first_parked, *last_parked;
    struct intake_chunk *free, *cold; /* cold: without memory behind the head */
    struct intake_chunk *fresh;       /* the first of fresh_count chunks that were never used */
    unsigned fresh_count;
    unsigned free_count, idle;        /* idle: the fewest in free since the last trim */
    unsigned topic_count;
    struct topic *by_index[TOPIC_PLACES / 2];
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

/*
 * Eight bytes a step: names are hashed at every call that changes the topic. Where the library was loaded to is different
 * in each process, so that nobody can make up names that all fall on one place.
 */
static uint64_t hash_of(const char *bytes, size_t length)
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

static struct intake *find_queue(const char *name, size_t length)
{
    struct intake *in = atomic_load_explicit(&latest_queue, memory_order_acquire);

    /* One that is gone may be here for ever, when a call was slow to note it: its successor is in the table. */
    if (in && atomic_load_explicit(&in->life, memory_order_acquire) < GONE && same(in->queue, in->length, name, length))
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

/* Looks for a topic; *at is where it is, or would be. */
static struct topic *look_up(struct intake *in, uint64_t hash, const char *name, size_t length, size_t *at)
{
    struct topic *topic;

    for (*at = hash % TOPIC_PLACES;; *at = (*at + 1) % TOPIC_PLACES) {
        topic = atomic_load_explicit(&in->topics[*at], memory_order_acquire);
        if (!topic || (topic->hash == hash && same(topic->name, topic->length, name, length)))
            return topic;
    }
}

static struct topic *add_topic(struct intake *in, uint64_t hash, const char *name, size_t length)
{
    if (length > LONGEST_TOPIC || memchr(name, 0, length)) /* Go reads it up to the NUL, or refuses it */
        return NULL;
    struct topic *made = calloc(1, sizeof *made + length), *topic;
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

static struct topic *find_topic(struct intake *in, const char *name, size_t length)
{
    struct topic *topic = atomic_load_explicit(&in->latest, memory_order_acquire);

    if (topic && same(topic->name, topic->length, name, length))
        return topic;
    uint64_t hash = hash_of(name, length);
    size_t at;
    topic = look_up(in, hash, name, length, &at);
    if (!topic)
        topic = add_topic(in, hash, name, length);
    if (topic)
        atomic_store_explicit(&in->latest, topic, memory_order_release);
    return topic;
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

static void charge(struct intake *in, struct intake_load by, int sign)
{
    atomic_fetch_add(&in->charged_count, sign * by.count);
    atomic_fetch_add(&in->charged_bytes, sign * by.bytes);
    atomic_fetch_add(&in->charged_cost, sign * by.cost);
}

static struct intake_load room_of(struct intake *in)
{
    return (struct intake_load){
        atomic_load(&in->max_count) - atomic_load(&in->charged_count) + atomic_load(&in->signals.left_count),
        atomic_load(&in->max_bytes) - atomic_load(&in->charged_bytes) + atomic_load(&in->signals.left_bytes),
        atomic_load(&in->max_cost) - atomic_load(&in->charged_cost) + atomic_load(&in->signals.left_cost)};
}

static enum intake_answer refuse(int because, int *code)
{
    *code = because;
    return INTAKE_REFUSED;
}

static bool has_leave(struct intake *in)
{
    return atomic_load(&in->giving) || atomic_load(&in->current) || atomic_load(&in->spare);
}

/*
 * Whether there is certainly no room, found out without the lock: a full queue is full for many calls, which must not wait for
 * one another. While a chunk has leave, or is being given some, more is charged than is used, and it is not certain.
 */
static bool certainly_full(struct intake *in, const struct offer *offer)
{
    if (has_leave(in))
        return false;
    struct intake_load room = room_of(in);
    bool full = room.count < 1 || (atomic_load(&in->estimated) == 0 && (room.bytes < offer->value || room.cost < offer->cost));
    return full && !has_leave(in) && !atomic_load(&in->shut) && atomic_load(&in->life) == OPEN;
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

/* Writes to memory that may be in no cache, so it is done without the lock. The chunk is nobody else's. */
static void prepare(struct intake_chunk *chunk, struct intake_load leave, uint32_t max_bytes)
{
    chunk->leave = leave;
    atomic_store_explicit(&chunk->max_records, (uint32_t)leave.count, memory_order_relaxed);
    atomic_store_explicit(&chunk->max_bytes, max_bytes, memory_order_relaxed);
    atomic_store_explicit(&chunk->first, 0, memory_order_relaxed);
    memset(chunk->notes, 0, sizeof chunk->notes);
}

/*
 * A row of chunks of fresh memory, which costs nothing before it is written to. Each call of the kernel for more holds up all
 * threads that touch new memory.
 */
static struct intake_chunk *map_chunks(void)
{
    struct intake_chunk *row = mmap(NULL, CHUNKS_AT_ONCE * INTAKE_CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return row == MAP_FAILED ? NULL : row;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/*
 * The leave of a chunk: as many records as it holds, or as there is room for. The frames of records are larger than their
 * values, so leave by the bytes of frames never admits too many bytes of values; and the lengths of a header take 8 bytes
 * of a frame, so this is more than any frames can cost.
 */
static struct intake_load leave_in(struct intake_load room)
{
    struct intake_load leave = {least(room.count, INTAKE_RECORDS), least(room.bytes, sizeof ((struct intake_chunk *)0)->frames), 0};

    leave.cost = leave.count * INTAKE_RECORD_COST + leave.bytes * (1 + INTAKE_HEADER_COST / 8);
    return leave;
}

/* The next six are called with the lock. */

static void put_free(struct intake *in, struct intake_chunk *chunk)
{
    chunk->next = in->free;
    in->free = chunk;
    in->free_count++;
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
    if (in->fresh_count == 0 && (in->fresh = map_chunks()))
        in->fresh_count = CHUNKS_AT_ONCE;
    if (in->fresh_count == 0)
        return NULL;
    in->fresh_count--;
    return in->fresh++;
}

static void close_current(struct intake *in)
{
    struct intake_chunk *chunk = atomic_load(&in->current);

    if (!chunk)
        return;
    uint64_t state = atomic_fetch_or(&chunk->state, INTAKE_CLOSED);
    atomic_fetch_add(&in->estimated, 1); /* before the count: who looks without the lock must not take an estimate for certain */
    atomic_fetch_sub(&in->charged_count, chunk->leave.count - records(state));
    chunk->next = NULL;
    if (in->last_closed)
        in->last_closed->next = chunk;
    else
        in->first_closed = chunk;
    in->last_closed = chunk;
    atomic_fetch_add(&in->signals.closed, 1);
    atomic_store(&in->current, NULL);
}

static void drop_spare(struct intake *in)
{
    struct intake_chunk *chunk = atomic_exchange(&in->spare, NULL);

    if (!chunk)
        return;
    charge(in, chunk->leave, -1);
    put_free(in, chunk);
}

/* Begins chunk, or another one that takes the offered record at least. */
static enum intake_answer begin_with(struct intake *in, struct intake_chunk *chunk, const struct offer *offer, int *code)
{
    if (!chunk) {
        struct intake_load room = room_of(in);
        if (atomic_load(&in->giving) > 1 && (room.count < 1 || room.bytes < offer->value || room.cost < offer->cost))
            return INTAKE_ASK; /* another call has leave for a spare chunk, and may give it back */
        if (room.count < 1)
            return refuse(in->full_code, code);
        if (room.bytes < offer->value || room.cost < offer->cost)
            return atomic_load(&in->estimated) ? INTAKE_ASK : refuse(in->full_code, code);
        struct intake_load leave = leave_in(room);
        uint32_t max_bytes = (uint32_t)leave.bytes;
        if (leave.cost > room.cost || max_bytes < offer->size) {
            /* One alone: whichever of this size comes first. Where even that may be too much, Go counts to the byte. */
            leave = (struct intake_load){1, offer->size, INTAKE_RECORD_COST + offer->size * (1 + INTAKE_HEADER_COST / 8)};
            max_bytes = offer->size;
            if (leave.bytes > room.bytes || leave.cost > room.cost)
                return INTAKE_ASK;
        }
        chunk = take_free(in);
        if (!chunk)
            return INTAKE_ASK;
        charge(in, leave, 1);
        prepare(chunk, leave, max_bytes);
    }
    uint64_t begun = atomic_load(&chunk->state) + INTAKE_BEGUN;
    atomic_store(&chunk->state, begun & (INTAKE_CLOSED - INTAKE_BEGUN)); /* open from here on, and empty */
    atomic_store(&in->current, chunk);
    return INTAKE_TAKEN;
}

static enum intake_answer begin(struct intake *in, const struct offer *offer, int *code)
{
    if (atomic_load(&in->life) != OPEN)
        return refuse(in->ended_code, code);
    if (atomic_load(&in->shut))
        return INTAKE_ASK;
    if (atomic_load(&in->waiting)) /* nobody passes by those who wait */
        return refuse(in->full_code, code);
    atomic_fetch_add(&in->giving, 1);
    enum intake_answer answer = begin_with(in, atomic_exchange(&in->spare, NULL), offer, code);
    atomic_fetch_sub(&in->giving, 1);
    return answer;
}

/* Makes a spare chunk, where there is so much room that what is charged for it is not missed meanwhile. */
static void make_spare(struct intake *in)
{
    pthread_mutex_lock(&in->lock);
    struct intake_load room = room_of(in), leave = leave_in(room);
    atomic_fetch_add(&in->giving, 1);
    bool wanted = !atomic_load(&in->spare) && !atomic_load(&in->shut) && atomic_load(&in->life) == OPEN &&
                  !atomic_load(&in->waiting) && room.count >= PLENTY * INTAKE_RECORDS &&
                  room.bytes >= PLENTY * INTAKE_CHUNK && room.cost >= PLENTY * leave.cost;
    struct intake_chunk *chunk = wanted ? take_free(in) : NULL;
    if (wanted)
        charge(in, leave, 1);
    pthread_mutex_unlock(&in->lock);
    if (!wanted) {
        atomic_fetch_sub(&in->giving, 1);
        return;
    }
    if (chunk)
        prepare(chunk, leave, (uint32_t)leave.bytes);

    pthread_mutex_lock(&in->lock);
    struct intake_chunk *none = NULL;
    bool kept = chunk && !atomic_load(&in->shut) && !atomic_load(&in->waiting) && atomic_load(&in->life) == OPEN &&
                atomic_compare_exchange_strong(&in->spare, &none, chunk);
    if (!kept) {
        charge(in, leave, -1);
        if (chunk)
            put_free(in, chunk);
    }
    atomic_fetch_sub(&in->giving, 1);
    pthread_mutex_unlock(&in->lock);
}

/* Puts another chunk in the place of full. */
static enum intake_answer turn(struct intake *in, struct intake_chunk *full, const struct offer *offer, int *code)
{
    enum intake_answer answer = INTAKE_TAKEN;

    pthread_mutex_lock(&in->lock);
    bool first = atomic_load(&in->current) == full;
    if (first) {
        close_current(in);
        answer = begin(in, offer, code);
    }
    bool kick = atomic_load(&in->signals.closed) >= KICK_AT && atomic_exchange(&in->signals.kicked, 1) == 0;
    pthread_mutex_unlock(&in->lock);
    if (kick)
        wake_go(in);
    if (first && answer == INTAKE_TAKEN)
        make_spare(in);
    return answer;
}

/* Parks a call that found no room. There may be some by now: Go looks. */
static enum intake_answer park(struct intake *in, const struct intake_record *r, const struct offer *offer, uint32_t topic)
{
    /* What never fits would wait for ever. */
    if (offer->value > atomic_load(&in->max_bytes) || offer->cost > atomic_load(&in->max_cost))
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
        close_current(in); /* a chunk with leave left would let others pass by */
        drop_spare(in);
    }
    bool first = open && atomic_fetch_add(&in->signals.parked, 1) == 0;
    pthread_mutex_unlock(&in->lock);
    if (!open) {
        free(parked);
        return INTAKE_ASK;
    }
    if (first)
        wake_go(in);
    return INTAKE_PARKED;
}

/* Reserves the place of a record in *at; *note is written when the record is there. */
static enum intake_answer reserve(struct intake *in, const struct offer *offer, char **at, _Atomic uint64_t **note, int *code)
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
        enum intake_answer answer = turn(in, chunk, offer, code);
        if (answer != INTAKE_TAKEN)
            return answer;
    }
}

enum intake_answer intake_offer(const struct intake_record *r, int *code)
{
    struct intake *in = find_queue(r->queue, r->queue_length);

    if (!in)
        return INTAKE_ASK;
    int life = atomic_load_explicit(&in->life, memory_order_acquire);
    if (life >= GONE)
        return life == GONE ? INTAKE_GONE : INTAKE_ASK;
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

    struct topic *topic = find_topic(in, r->topic, r->topic_length);
    if (!topic)
        return INTAKE_ASK;
    int32_t partitions = atomic_load_explicit(&topic->gate.partitions, memory_order_acquire);
    if (r->partition != -1 && (r->partition < 0 || r->partition >= partitions))
        return INTAKE_ASK;
    struct offer offer = {
        .size = (uint32_t)size,
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
    } else {
        answer = reserve(in, &offer, &to, &note, code);
    }
    if (answer == INTAKE_REFUSED && r->waits && *code == in->full_code)
        return park(in, r, &offer, topic->index);
    if (answer == INTAKE_REFUSED)
        atomic_fetch_add_explicit(&in->signals.refused, 1, memory_order_relaxed);
    if (answer != INTAKE_TAKEN)
        return answer;
    write_frame((struct intake_frame *)to, r, size, topic->index);
    atomic_store_explicit(note,
                          INTAKE_COMPLETE | (uint64_t)r->pair_count << INTAKE_NOTE_OF_HEADERS |
                              (uint64_t)bytes << INTAKE_NOTE_OF_PAYLOAD | r->value_length,
                          memory_order_release);
    /* The state was moved on before this, and Go looks at it after it has said that it sleeps: one of the two sees the other. */
    if (atomic_load(&in->signals.asleep) && atomic_exchange(&in->signals.asleep, 0))
        wake_go(in);
    return INTAKE_TAKEN;
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
    put(in->queue, queue, length);
    in->length = length;
    in->hash = hash_of(queue, length);
    in->wake = wake;
    in->max_message = max_message;
    in->full_code = full;
    in->ended_code = ended;
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

struct intake_gate *intake_topic(struct intake *in, const char *name, size_t length, uint32_t *index)
{
    struct topic *topic = find_topic(in, name, length);

    if (!topic)
        return NULL;
    *index = topic->index;
    return &topic->gate;
}

const char *intake_topic_name(struct intake *in, uint32_t index, size_t *length)
{
    pthread_mutex_lock(&in->lock);
    const struct topic *topic = in->by_index[index];
    pthread_mutex_unlock(&in->lock);
    *length = topic->length;
    return topic->name;
}

void intake_disown(const char *queue, size_t length)
{
    pthread_mutex_lock(&publishing);
    struct intake *in = find_queue(queue, length);
    if (in)
        atomic_store(&in->life, DISOWNED);
    pthread_mutex_unlock(&publishing);
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
        close_current(in);
        drop_spare(in);
    }
    pthread_mutex_unlock(&in->lock);
}

void intake_end(struct intake *in, bool gone)
{
    pthread_mutex_lock(&in->lock);
    if (atomic_load(&in->life) < (gone ? GONE : ENDED))
        atomic_store(&in->life, gone ? GONE : ENDED);
    close_current(in);
    drop_spare(in);
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
    charge(in, by, 1);
    atomic_fetch_sub(&in->estimated, chunks);
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

void intake_free(struct intake *in, struct intake_chunk *chunk)
{
    pthread_mutex_lock(&in->lock);
    put_free(in, chunk);
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

struct intake_parked *intake_take_parked(struct intake *in)
{
    pthread_mutex_lock(&in->lock);
    struct intake_parked *first = in->first_parked;
    in->first_parked = in->last_parked = NULL;
    atomic_store(&in->signals.parked, 0);
    pthread_mutex_unlock(&in->lock);
    return first;
}

void intake_wait(struct intake *in, bool waiting)
{
    pthread_mutex_lock(&in->lock);
    atomic_store(&in->waiting, waiting || in->first_parked);
    if (waiting) {
        close_current(in);
        drop_spare(in);
    }
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
