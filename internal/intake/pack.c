#include <stdlib.h>
#include <string.h>

#include "buffers.h"

/*
 * From this many bytes on a frame, on average, a chunk with at least REFER_CHUNK bytes of them is kept and values of at least
 * REFER_VALUE bytes are pieces of its: copying them once more would be the largest cost of such a record.
 */
#define REFER_FRAME 1024
#define REFER_CHUNK (24 << 10)
#define REFER_VALUE 1024

static uint64_t zigzag(int64_t v)
{
    return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}

static size_t varint_size(int64_t v)
{
    return (size_t)(70 - __builtin_clzll(zigzag(v) | 1)) / 7;
}

static char *put_varint(char *to, int64_t v)
{
    uint64_t u = zigzag(v);

    for (; u >= 0x80; u >>= 7)
        *to++ = (char)(u | 0x80);
    *to++ = (char)u;
    return to;
}

static char *put_bytes(char *to, const char *bytes, int32_t length)
{
    to = put_varint(to, length);
    if (length <= 0)
        return to;
    memcpy(to, bytes, (size_t)length);
    return to + length;
}

static size_t bytes_size(int32_t length)
{
    return varint_size(length) + (length > 0 ? (size_t)length : 0);
}

/* A record of a chunk, and what does not depend on the batch that it comes to. */
struct packed {
    const struct intake_frame *frame;
    const struct intake_header *headers;
    const char *key, *value, *rest;
    size_t payload;
    size_t fixed; /* encoded bytes of key, value and headers */
    bool refer;   /* the value stays in the chunk */
};

static void look_at(struct packed *r, const struct intake_frame *frame, bool refer)
{
    r->frame = frame;
    r->headers = (const struct intake_header *)(frame + 1);
    r->key = (const char *)(r->headers + frame->headers);
    r->value = r->key + (frame->key > 0 ? frame->key : 0);
    r->rest = r->value + (frame->value > 0 ? frame->value : 0);
    r->payload = (size_t)(r->rest - r->key);
    r->fixed = bytes_size(frame->key) + bytes_size(frame->value) + varint_size(frame->headers);
    for (uint32_t i = 0; i < frame->headers; i++) {
        size_t name = r->headers[i].name, value = r->headers[i].value;

        r->payload += name + value;
        r->fixed += varint_size((int64_t)name) + name + varint_size((int64_t)value) + value;
    }
    r->refer = refer && frame->value >= REFER_VALUE;
}

static size_t body_size(const struct packed *r, const struct intake_batch *b)
{
    return 1 + varint_size(r->frame->milliseconds - b->first) + varint_size(b->count) + r->fixed;
}

/* Grows an array of elements to at least one more than count. */
static bool grow(void *array, uint32_t *room, uint32_t count, size_t element)
{
    if (count < *room)
        return true;
    uint32_t more = *room ? 2 * *room : 16;
    void *grown = realloc(*(void **)array, more * element);
    if (!grown)
        return false;
    *(void **)array = grown;
    *room = more;
    return true;
}

/* Notes that the own bytes up to used are part of the batch, behind what its pieces have. */
static void cover(struct intake_batch *b, size_t from)
{
    if (b->piece_count == 0)
        return; /* all are own bytes */
    struct intake_piece *last = &b->pieces[b->piece_count - 1];
    if (last->at)
        b->pieces[b->piece_count++] = (struct intake_piece){NULL, from, b->used - from};
    else
        last->length += b->used - from;
}

/* Makes sure that a reference and own bytes before and behind it can be noted, and that chunk is held. */
static bool make_pieces(struct intake_batch *b, struct intake_chunk *chunk)
{
    if (!grow(&b->pieces, &b->piece_room, b->piece_count + 3, sizeof *b->pieces))
        return false;
    if (b->chunk_count && b->chunks[b->chunk_count - 1] == chunk)
        return true;
    if (!grow(&b->chunks, &b->chunk_room, b->chunk_count, sizeof *b->chunks))
        return false;
    b->chunks[b->chunk_count++] = chunk;
    chunk->holds++;
    return true;
}

static bool name_partition(struct intake_packer *p, struct intake_batch *b)
{
    if (!b->named && !(b->named = calloc((size_t)p->max_records / 8 + 1, 1)))
        return false;
    b->named[b->count / 8] |= (uint8_t)(1 << b->count % 8);
    return true;
}

/* Encodes a record at the end of b, which it fits into. False: no memory, and nothing has happened. */
static bool append(struct intake_packer *p, struct intake_batch *b, const struct packed *r, struct intake_chunk *chunk)
{
    const struct intake_frame *f = r->frame;
    size_t body = body_size(r, b), size = varint_size((int64_t)body) + body;
    size_t own = size - (r->refer ? (size_t)f->value : 0);

    if (!intake_batch_reserve(p, b, own) || (r->refer && !make_pieces(b, chunk)) ||
        (b->piece_count && !grow(&b->pieces, &b->piece_room, b->piece_count, sizeof *b->pieces)) ||
        (f->partition >= 0 && !name_partition(p, b)))
        return false;
    size_t from = b->used;
    char *to = b->bytes + from;
    to = put_varint(to, (int64_t)body);
    *to++ = 0;
    to = put_varint(to, f->milliseconds - b->first);
    to = put_varint(to, b->count);
    to = put_bytes(to, r->key, f->key);
    if (r->refer) {
        to = put_varint(to, f->value);
        b->used = (size_t)(to - b->bytes);
        if (b->piece_count == 0)
            b->pieces[b->piece_count++] = (struct intake_piece){NULL, 0, b->used};
        else
            cover(b, from);
        b->pieces[b->piece_count++] = (struct intake_piece){r->value, 0, (size_t)f->value};
        from = b->used;
    } else {
        to = put_bytes(to, r->value, f->value);
    }
    to = put_varint(to, f->headers);
    const char *rest = r->rest;
    for (uint32_t i = 0; i < f->headers; i++) {
        to = put_bytes(to, rest, (int32_t)r->headers[i].name);
        rest += r->headers[i].name;
        to = put_bytes(to, rest, (int32_t)r->headers[i].value);
        rest += r->headers[i].value;
    }
    b->used = (size_t)(to - b->bytes);
    cover(b, from);
    b->count++;
    b->size += (int64_t)size;
    b->values += f->value > 0 ? f->value : 0;
    b->cost += (int64_t)(INTAKE_RECORD_COST + r->payload + INTAKE_HEADER_COST * f->headers);
    if (f->milliseconds < b->oldest)
        b->oldest = f->milliseconds;
    if (f->milliseconds > b->newest)
        b->newest = f->milliseconds;
    return true;
}

static bool fits(const struct intake_packer *p, const struct intake_batch *b, const struct packed *r)
{
    size_t body = body_size(r, b);

    return !b->closed && b->count < p->max_records && b->size + (int64_t)(varint_size((int64_t)body) + body) <= p->max_bytes;
}

/* Puts a record into the open batch of its partition, or into the first of a new one. */
static bool put(struct intake_packer *p, struct intake_route *route, int32_t partition, const struct packed *r, struct intake_chunk *chunk)
{
    struct intake_batch *b = route->open[partition];

    if (b && fits(p, b, r) && append(p, b, r, chunk))
        return true;
    if (b)
        b->closed = true;
    route->open[partition] = NULL;
    b = intake_batch_begin(p, route, partition, r->frame->milliseconds);
    if (!b)
        return false;
    if (!append(p, b, r, chunk)) {
        intake_batch_free(p, b);
        return false;
    }
    b->number = p->fed + 1;
    route->open[partition] = b;
    if (p->last_begun)
        p->last_begun->next = b;
    else
        p->first_begun = b;
    p->last_begun = b;
    return true;
}

unsigned intake_pack(struct intake_packer *p, struct intake_chunk *chunk, int64_t now)
{
    uint64_t state = atomic_load(&chunk->state);
    unsigned count = (unsigned)(state >> 32) & 0xffff, skipped = 0;
    uint32_t bytes = (uint32_t)state;
    bool refer = chunk->large || (bytes >= REFER_CHUNK && bytes / count >= REFER_FRAME);
    const char *at = (const char *)chunk + INTAKE_HEAD;

    memset(p->skipped, 0, sizeof p->skipped);
    for (unsigned i = 0; i < count; i++) {
        const struct intake_frame *frame = (const struct intake_frame *)at;
        struct intake_route *route = frame->topic < p->route_room ? p->routes[frame->topic] : NULL;
        struct packed r;
        bool done = false;

        at += frame->size;
        if (route && frame->partition < route->partitions) {
            look_at(&r, frame, refer);
            int32_t partition = frame->partition;
            if (partition < 0)
                partition = intake_choose(&p->chooser, &route->choice, frame->key < 0 ? NULL : r.key, frame->key, route->partitions,
                                          route->led, route->led_count, now);
            done = put(p, route, partition, &r, chunk);
        }
        p->fed++;
        if (!done) {
            p->skipped[i / 64] |= UINT64_C(1) << i % 64;
            skipped++;
            continue;
        }
        if (route->records++ == 0) {
            route->next = p->touched;
            p->touched = route;
        }
    }
    return skipped;
}

bool intake_sum(struct intake_chunk *chunk, struct intake_total *total)
{
    unsigned count = (unsigned)(atomic_load(&chunk->state) >> 32) & 0xffff;

    *total = (struct intake_total){0};
    if (chunk->large) {
        struct packed r;

        look_at(&r, (const struct intake_frame *)((const char *)chunk + INTAKE_HEAD), false);
        total->values = r.frame->value > 0 ? (size_t)r.frame->value : 0;
        total->payload = r.payload;
        total->headers = r.frame->headers;
        return true;
    }
    for (unsigned i = 0; i < count; i++) {
        uint64_t note = atomic_load_explicit(&chunk->notes[i], memory_order_acquire);

        if (!note) {
            total->values = total->payload = (uint32_t)atomic_load(&chunk->state);
            total->headers = total->payload / sizeof(struct intake_header);
            return false;
        }
        total->values += note & 0xffff;
        total->payload += note >> INTAKE_NOTE_OF_PAYLOAD & 0xffff;
        total->headers += note >> INTAKE_NOTE_OF_HEADERS & 0xffff;
    }
    return true;
}
