/*
 * pack.h - from the records that calls have left to batches as Kafka stores them.
 *
 * One pass over a taken chunk gives each record its partition and encodes it at the end of that partition's open batch. It is done
 * in C because there are millions a second: Go sees batches and no records. What needs more than that, a topic that is not known yet, is
 * left to Go.
 *
 *   packer   of one queue: its partitioner, the limits of a batch, buffers for the next ones
 *   route    of one topic: how many partitions it has, and the open batch of each
 *   batch    records of one partition, encoded; closed it never changes
 *
 * Everything here is the sender's: one thread at a time, and no lock but that of intake_free.
 */
#ifndef KAFKA_INTAKE_PACK_H
#define KAFKA_INTAKE_PACK_H

#include "intake.h"

#define INTAKE_BATCH_HEAD 61 /* bytes of a record batch before its records: part of Kafka's format */
#define INTAKE_BATCH_SUMMED 21 /* where in it what the checksum covers begins */

/* What a partitioner hashes a key with. */
enum intake_hashing { INTAKE_CRC32, INTAKE_MURMUR2, INTAKE_FNV1A };

/* Which keys it hashes: all, and null as the empty one; all but null; all but null and the empty one; none. */
enum intake_hashed { INTAKE_HASH_ALL, INTAKE_HASH_GIVEN, INTAKE_HASH_FULL, INTAKE_HASH_NONE };

struct intake_chooser {
    int32_t hashing, hashed;
    int64_t sticky;  /* how long a sticky partition is kept, in nanoseconds; 0 is not at all */
    uint64_t random; /* never 0 */
};

/* The sticky partition of a topic, -1 before the first, and until when. */
struct intake_choice {
    int32_t partition, unused;
    int64_t until;
};

/*
 * intake_choose - returns the partition of a record with that key (NULL is null), out of count, of which those in led have a leader.
 *
 * now is a moment of any clock, in nanoseconds. A key that is hashed always means the same partition, with or without a leader; one
 * that is not goes to a partition that has a leader, if any has.
 */
int32_t intake_choose(struct intake_chooser *chooser, struct intake_choice *choice, const char *key, int32_t length, int32_t count,
                      const int32_t *led, int32_t led_count, int64_t now);

/* A piece of a batch: own bytes from offset on, or bytes of a chunk. */
struct intake_piece {
    const char *at; /* NULL: own */
    size_t offset, length;
};

struct intake_batch {
    struct intake_batch *next; /* of those that were begun since Go looked last, or that are free */
    struct intake_batch *older, *newer; /* of those that are not free */
    uint32_t topic;
    int32_t partition;
    int32_t count;
    bool closed;      /* nothing is added any more; Go may set it */
    int64_t size;     /* encoded, with its head */
    int64_t values, cost;
    int64_t first, oldest, newest; /* timestamps: of the first record, the smallest, the largest */
    uint64_t number;  /* of the first record; they are counted in the order of the calls */

    char *bytes;      /* the head, and everything that is not a piece of a chunk */
    size_t used, room;
    struct intake_piece *pieces; /* in order, the head first; none: all are own bytes */
    uint32_t piece_count, piece_room;
    struct intake_chunk **chunks; /* that pieces lie in */
    uint32_t chunk_count, chunk_room;
    uint8_t *named;   /* a bit for each record whose script has named the partition; NULL: none */
};

struct intake_route {
    struct intake_route *next; /* of those that got records since Go looked last */
    uint32_t topic;
    uint32_t records;          /* since then */
    int32_t partitions, led_count;
    int32_t *led;
    struct intake_choice choice;
    struct intake_batch **open;
    uint8_t *rooms;            /* as which power of two the last batch of the partition ended */
};

#define INTAKE_ROOMS 9 /* sizes of buffers: 4 KiB to 1 MiB */

struct intake_packer {
    struct intake *in;
    struct intake_chooser chooser;
    int32_t max_records;
    int64_t max_bytes;
    uint64_t fed;                      /* records so far */
    struct intake_batch *first_begun, *last_begun;
    struct intake_batch *newest;       /* of those that are not free */
    struct intake_route *touched;
    uint64_t skipped[INTAKE_RECORDS / 64]; /* a bit for each record of the last chunk that Go has to look at */
    struct intake_batch *free;
    char *buffers[INTAKE_ROOMS];       /* free ones, linked by their first word */
    uint32_t buffer_count[INTAKE_ROOMS], idle[INTAKE_ROOMS];
    uint32_t route_room;
    struct intake_route **routes;      /* by topic */
};

/* intake_packer_new - NULL: no memory. in may be NULL where nothing is packed. */
struct intake_packer *intake_packer_new(struct intake *in, struct intake_chooser chooser, int32_t max_records, int64_t max_bytes);

/* intake_packer_free - the packer with its routes, buffers and batches, which nobody reads any more. */
void intake_packer_free(struct intake_packer *packer);

/*
 * intake_route_set - lets records of a topic be packed. Open batches of partitions that are no more are closed. led is copied.
 * False: no memory, and the topic has no route.
 */
bool intake_route_set(struct intake_packer *packer, uint32_t topic, int32_t partitions, const int32_t *led, int32_t led_count);

/* intake_route_drop - leaves records of a topic to Go. Its open batches are closed. */
void intake_route_drop(struct intake_packer *packer, uint32_t topic);

/*
 * intake_pack - packs the records of a chunk whose copies are complete, and returns how many it leaves to Go, each with its bit in skipped.
 *
 * Batches that it begins are behind last_begun. A chunk of which a batch has pieces is held by it beside its owner.
 */
unsigned intake_pack(struct intake_packer *packer, struct intake_chunk *chunk, int64_t now);

/* intake_batch_free - gives a batch back. Nobody reads it any more. */
void intake_batch_free(struct intake_packer *packer, struct intake_batch *batch);

/* intake_can_checksum - whether this processor has what intake_checksum needs. */
bool intake_can_checksum(void);

/* intake_checksum - the CRC-32C of a closed batch whose head is filled, where intake_can_checksum says so. */
uint32_t intake_checksum(const struct intake_batch *batch);

/* intake_packer_trim - gives half of the buffers back to the system that nobody has needed since the last trim. */
void intake_packer_trim(struct intake_packer *packer);

/* What the records of a chunk hold together: bytes of values; of keys, values, names and values of headers; how many headers. */
struct intake_total {
    size_t values, payload, headers;
};

/* intake_sum - sets total to that of a taken chunk. False: a copy is not complete, and the total is too high. */
bool intake_sum(struct intake_chunk *chunk, struct intake_total *total);

#endif
