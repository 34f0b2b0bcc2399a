#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "inside.h"

/* Full chunks that wake Go before its linger is over. Fewer would wake it more often, more would let it idle meanwhile. */
#define KICK_AT 4

/* How many chunks there must be room for before one is made ahead. */
#define PLENTY 8

/* Chunks that the kernel is asked for at first, and at most: each time twice as many, so that a queue that fills asks seldom. */
#define FIRST_ROW 16
#define LARGEST_ROW 1024

_Static_assert(sizeof(struct intake_chunk) == INTAKE_CHUNK, "chunk.go knows the layout");
_Static_assert(offsetof(struct intake_chunk, frames) == INTAKE_HEAD, "chunk.go knows the layout");
_Static_assert(INTAKE_LARGEST < 1 << 16, "a note has 16 bits for bytes");
_Static_assert(sizeof(struct intake_frame) == 32, "chunk.go knows the layout");

/* Writes to memory that may be in no cache, so it is done without the lock. The chunk is nobody else's. */
static void prepare(struct intake_chunk *chunk, struct intake_amount grant, uint32_t max_bytes)
{
    chunk->grant = grant;
    chunk->holds = 1;
    atomic_store_explicit(&chunk->max_records, (uint32_t)grant.count, memory_order_relaxed);
    atomic_store_explicit(&chunk->max_bytes, max_bytes, memory_order_relaxed);
    atomic_store_explicit(&chunk->first, 0, memory_order_relaxed);
    memset(chunk->notes, 0, sizeof chunk->notes);
}

/*
 * A row of chunks of fresh memory, which takes none before it is written to. The caller waits for the kernel, and with it all
 * threads that touch new memory.
 */
static struct intake_chunk *map_chunks(unsigned count)
{
    struct intake_chunk *row = mmap(NULL, count * sizeof *row, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return row == MAP_FAILED ? NULL : row;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/*
 * The grant of a chunk: as many records as it holds, or as there is room for. The frames of records are larger than their
 * values, so a grant by the bytes of frames never admits too many bytes of values; and the lengths of a header take 8 bytes
 * of a frame, so this is more than any frames can cost.
 */
static struct intake_amount grant_in(struct intake_amount room)
{
    struct intake_amount grant = {least(room.count, INTAKE_RECORDS), least(room.bytes, sizeof ((struct intake_chunk *)0)->frames), 0};

    grant.cost = grant.count * INTAKE_RECORD_COST + grant.bytes * (1 + INTAKE_HEADER_COST / 8);
    return grant;
}

/* From here down to begin, all are called with the lock. */

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
    if (in->fresh_count == 0) {
        in->row = in->row == 0 ? FIRST_ROW : in->row < LARGEST_ROW ? 2 * in->row : LARGEST_ROW;
        if (!(in->fresh = map_chunks(in->row)) && !(in->fresh = map_chunks(in->row = FIRST_ROW)))
            return NULL;
        in->fresh_count = in->row;
    }
    in->fresh_count--;
    return in->fresh++;
}

static void link_closed(struct intake *in, struct intake_chunk *chunk)
{
    chunk->next = NULL;
    if (in->last_closed)
        in->last_closed->next = chunk;
    else
        in->first_closed = chunk;
    in->last_closed = chunk;
    atomic_fetch_add(&in->signals.closed, 1);
}

void intake_close_current(struct intake *in)
{
    struct intake_chunk *chunk = atomic_load(&in->current);

    if (!chunk)
        return;
    uint64_t state = atomic_fetch_or(&chunk->state, INTAKE_CLOSED);
    atomic_fetch_add(&in->estimated, 1); /* before the count: who looks without the lock must not take an estimate for certain */
    atomic_fetch_sub(&in->ledger.charged_count, chunk->grant.count - records(state));
    link_closed(in, chunk);
    atomic_store(&in->current, NULL);
}

void intake_end_grants(struct intake *in)
{
    intake_close_current(in);
    struct intake_chunk *chunk = atomic_exchange(&in->spare, NULL);
    if (!chunk)
        return;
    charge(in, chunk->grant, -1);
    put_free(in, chunk);
}

/* Begins chunk, or another one that takes the offered record at least. */
static enum intake_answer begin_with(struct intake *in, struct intake_chunk *chunk, const struct intake_offered *offer, int *code)
{
    if (!chunk) {
        struct intake_amount room = room_of(in);
        if (!fits(room, offer->value, offer->cost)) {
            /* Another call may have a grant for a spare chunk, and give it back. */
            bool unsure = atomic_load(&in->pending_grants) > 1 || (room.count >= 1 && atomic_load(&in->estimated));
            return unsure ? INTAKE_ASK : refuse(in->full_code, code);
        }
        struct intake_amount grant = grant_in(room);
        uint32_t max_bytes = (uint32_t)grant.bytes;
        if (grant.cost > room.cost || max_bytes < offer->size) {
            /* One alone: whichever of this size comes first. Where even that may be too much, Go counts to the byte. */
            grant = (struct intake_amount){1, offer->size, INTAKE_RECORD_COST + offer->size * (1 + INTAKE_HEADER_COST / 8)};
            max_bytes = offer->size;
            if (grant.bytes > room.bytes || grant.cost > room.cost)
                return INTAKE_ASK;
        }
        chunk = take_free(in);
        if (!chunk)
            return INTAKE_ASK;
        charge(in, grant, 1);
        prepare(chunk, grant, max_bytes);
    }
    uint64_t begun = atomic_load(&chunk->state) + INTAKE_BEGUN;
    atomic_store(&chunk->state, begun & (INTAKE_CLOSED - INTAKE_BEGUN)); /* open from here on, and empty */
    atomic_store(&in->current, chunk);
    return INTAKE_TAKEN;
}

static enum intake_answer begin(struct intake *in, const struct intake_offered *offer, int *code)
{
    if (atomic_load(&in->life) != OPEN)
        return over(in, code);
    if (atomic_load(&in->shut))
        return INTAKE_ASK;
    if (atomic_load(&in->waiting)) /* nobody passes by those who wait */
        return refuse(in->full_code, code);
    atomic_fetch_add(&in->pending_grants, 1);
    enum intake_answer answer = begin_with(in, atomic_exchange(&in->spare, NULL), offer, code);
    atomic_fetch_sub(&in->pending_grants, 1);
    return answer;
}

/* Makes a spare chunk, where there is so much room that what is charged for it is not missed meanwhile. */
static void make_spare(struct intake *in)
{
    pthread_mutex_lock(&in->lock);
    struct intake_amount room = room_of(in), grant = grant_in(room);
    atomic_fetch_add(&in->pending_grants, 1);
    bool wanted = !atomic_load(&in->spare) && !atomic_load(&in->shut) && atomic_load(&in->life) == OPEN &&
                  !atomic_load(&in->waiting) && room.count >= PLENTY * INTAKE_RECORDS &&
                  room.bytes >= PLENTY * INTAKE_CHUNK && room.cost >= PLENTY * grant.cost;
    struct intake_chunk *chunk = wanted ? take_free(in) : NULL;
    if (wanted)
        charge(in, grant, 1);
    pthread_mutex_unlock(&in->lock);
    if (!wanted) {
        atomic_fetch_sub(&in->pending_grants, 1);
        return;
    }
    if (chunk)
        prepare(chunk, grant, (uint32_t)grant.bytes);

    pthread_mutex_lock(&in->lock);
    struct intake_chunk *none = NULL;
    bool kept = chunk && !atomic_load(&in->shut) && !atomic_load(&in->waiting) && atomic_load(&in->life) == OPEN &&
                atomic_compare_exchange_strong(&in->spare, &none, chunk);
    if (!kept) {
        charge(in, grant, -1);
        if (chunk)
            put_free(in, chunk);
    }
    atomic_fetch_sub(&in->pending_grants, 1);
    pthread_mutex_unlock(&in->lock);
}

/* Puts another chunk in the place of full. */
enum intake_answer intake_rotate(struct intake *in, struct intake_chunk *full, const struct intake_offered *offer, int *code)
{
    enum intake_answer answer = INTAKE_TAKEN;

    pthread_mutex_lock(&in->lock);
    bool first = atomic_load(&in->current) == full;
    if (first) {
        intake_close_current(in);
        answer = begin(in, offer, code);
    }
    bool kick = atomic_load(&in->signals.closed) >= KICK_AT && atomic_exchange(&in->signals.kicked, 1) == 0;
    pthread_mutex_unlock(&in->lock);
    if (kick)
        intake_wake_go(in);
    if (first && answer == INTAKE_TAKEN)
        make_spare(in);
    return answer;
}

bool intake_append(struct intake *in, struct intake_chunk *chunk, const struct intake_offered *offer, enum intake_answer *answer, int *code)
{
    bool room_left = false;

    *answer = INTAKE_TAKEN;
    pthread_mutex_lock(&in->lock);
    struct intake_amount room = room_of(in);
    if (atomic_load(&in->life) != OPEN)
        *answer = over(in, code);
    else if (atomic_load(&in->shut))
        *answer = INTAKE_ASK;
    else if (atomic_load(&in->waiting))
        *answer = refuse(in->full_code, code);
    else {
        if (!fits(room, offer->value, offer->cost)) { /* what others have a grant for and do not use is room too */
            intake_end_grants(in);
            room = room_of(in);
        }
        room_left = fits(room, offer->value, offer->cost);
        if (!room_left)
            *answer = atomic_load(&in->pending_grants) || (room.count >= 1 && atomic_load(&in->estimated)) ? INTAKE_ASK : refuse(in->full_code, code);
    }
    bool kick = false;
    if (room_left) {
        intake_close_current(in); /* its records came before */
        chunk->grant = (struct intake_amount){1, offer->value, offer->cost};
        charge(in, chunk->grant, 1);
        atomic_fetch_add(&in->estimated, 1); /* until it is corrected, like any chunk */
        link_closed(in, chunk);
        kick = atomic_load(&in->signals.closed) >= KICK_AT && atomic_exchange(&in->signals.kicked, 1) == 0;
    }
    pthread_mutex_unlock(&in->lock);
    if (kick)
        intake_wake_go(in);
    return room_left;
}

struct intake_chunk *intake_take(struct intake *in)
{
    pthread_mutex_lock(&in->lock);
    intake_close_current(in);
    struct intake_chunk *first = in->first_closed;
    in->first_closed = in->last_closed = NULL;
    atomic_store(&in->signals.closed, 0);
    atomic_store(&in->signals.kicked, 0);
    pthread_mutex_unlock(&in->lock);
    return first;
}

void intake_correct(struct intake *in, const struct intake_amount *by, unsigned chunks)
{
    pthread_mutex_lock(&in->lock);
    charge(in, *by, 1);
    atomic_fetch_sub(&in->estimated, chunks);
    pthread_mutex_unlock(&in->lock);
}

void intake_free(struct intake *in, struct intake_chunk *chunk)
{
    if (--chunk->holds)
        return;
    if (chunk->large) {
        free(chunk); /* nobody else has ever seen it */
        return;
    }
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
