/*
 * intake.h - where calls of the host leave their records without entering Go.
 *
 * A call that enters Go needs one of the runtime's processors and may have to wait for it, for as long as a garbage
 * collection or another script's work takes; with more threads than processors it does. So a call leaves its record in a
 * piece of memory that both sides know, a chunk, and is gone. Go collects the chunks in order.
 *
 *   intake     of one queue: the chunk that is being filled, those that are full, and what the queue may still take
 *   chunk      64 KiB for up to 256 records, or one record of any size, with a grant for so many and no more: they are charged to the limits of the
 *              queue as a whole when the chunk is begun, and what it did not use is given back when it is taken
 *   frame      one record in a chunk
 *   topic      one that calls have named, with what it takes now
 *
 * A record is admitted by moving the state of the current chunk on by its size, in one compare-and-swap: that is its place
 * in the order. Its bytes are copied after that, and its note says when they are. A second instruction of that kind, to count
 * them, would make each call wait for its own writes to memory that is in no cache. A thread that is preempted in
 * between delays only Go, which waits for the note, and no other call. The lock is taken once a
 * chunk, for a few instructions: what takes longer was done before, to a spare one.
 *
 * Memory of a chunk is never unmapped: a thread may have read `current` long ago and look at a state only now. An open
 * state means that the chunk is the current one, so what such a thread then reserves is right.
 */
#ifndef KAFKA_INTAKE_H
#define KAFKA_INTAKE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INTAKE_CHUNK   65536 /* bytes of a chunk with its head */
#define INTAKE_HEAD    2112  /* bytes of its head */
#define INTAKE_RECORDS 256   /* records of a chunk at most */
#define INTAKE_LARGEST 16384 /* bytes of a frame; a larger one has a chunk of its own */

/*
 * The state of a chunk: closed, then 15 bits that count how often it was begun, 16 bits for its records, and 32 bits for the
 * bytes of their frames. Without the count, a thread that has slept since could take the state of another time for its own.
 */
#define INTAKE_CLOSED (UINT64_C(1) << 63)
#define INTAKE_BEGUN  (UINT64_C(1) << 48)
#define INTAKE_RECORD (UINT64_C(1) << 32)

/* What records hold of the limits of a queue. */
struct intake_amount {
    int64_t count; /* records */
    int64_t bytes; /* of their values */
    int64_t cost;  /* memory */
};

/*
 * The ledger of a queue: what it may hold, what it was charged with, and what was given back. It holds the difference of the last two.
 * The layout is known to ledger.go.
 */
struct intake_ledger {
    _Atomic int64_t max_count, max_bytes, max_cost;
    char apart_charged[64];
    _Atomic int64_t charged_count, charged_bytes, charged_cost;
    char apart_released[64];
    _Atomic int64_t released_count, released_bytes, released_cost; /* delivery reports write this */
    char apart_after[64];
};

/*
 * intake_ledger_charge - charges one record, where there is room for it. One caller at a time: the lock of an intake, or
 * who has a ledger without one.
 */
bool intake_ledger_charge(struct intake_ledger *ledger, int64_t value, int64_t cost);

/* The memory of a record beside its bytes, and of a header beside its. */
#define INTAKE_RECORD_COST 640
#define INTAKE_HEADER_COST 40

/*
 * The layout is known to chunk.go. One thread at a time reads a taken chunk and changes its holds: who has taken it, with Producer.mu, until the
 * sender takes its buffer, and then the sender, or who has ended that.
 */
struct intake_chunk {
    struct intake_chunk *next;
    _Atomic uint64_t state;
    _Atomic uint32_t max_records, max_bytes;
    _Atomic int64_t first;   /* milliseconds of the first record, 0 before it is known */
    struct intake_amount grant; /* what was charged for it */
    bool large;               /* one record, whose frame is longer than this struct */
    char apart[3];
    uint32_t holds;           /* of a taken chunk: who reads it, each of whom gives it to intake_free. One thread at a time changes it */
    _Atomic uint64_t notes[INTAKE_RECORDS];
    char frames[INTAKE_CHUNK - INTAKE_HEAD];
};

/*
 * What is known of a record without a look at its frame, 0 before the frame is complete: INTAKE_COMPLETE, the number of
 * headers from bit 32, the bytes of key, value, names and values of headers from bit 16, and the bytes of the value from bit 0.
 */
#define INTAKE_COMPLETE        (UINT64_C(1) << 63)
#define INTAKE_NOTE_OF_HEADERS 32
#define INTAKE_NOTE_OF_PAYLOAD 16

/* Followed by an intake_header for each header, the key, the value, and name and value of each header; padded to 8. */
struct intake_frame {
    int64_t milliseconds; /* since 1970 */
    uint32_t size;        /* with everything that follows */
    uint32_t topic;
    int32_t partition; /* -1: the partitioner's choice */
    int32_t key;       /* length, or -1 for null */
    int32_t value;
    uint32_t headers;
};

struct intake_header {
    uint32_t name, value;
};

struct intake_pair {
    const char *name;
    size_t name_length;
    const char *value;
    size_t value_length;
};

/* What a call wants to leave. Everything is borrowed until intake_offer returns. */
struct intake_record {
    const char *queue, *topic, *key, *value; /* key and value: NULL is null */
    size_t queue_length, topic_length, key_length, value_length;
    const struct intake_pair *pairs;
    size_t pair_count;
    int32_t partition;
    int64_t milliseconds;
    bool waits; /* for room, where there is none */
    void *script[2]; /* what wakes it */
};

struct intake;

enum intake_answer { INTAKE_ASK, INTAKE_TAKEN, INTAKE_REFUSED, INTAKE_PARKED, INTAKE_GONE };

/*
 * intake_offer - leaves a record with the queue that it names.
 *
 * When callable: at any time, from any thread. It never waits for Go, for Kafka or for another call's copy.
 * Owns: nothing; everything is copied.
 *
 *   INTAKE_TAKEN     the record is accepted
 *   INTAKE_REFUSED   nothing has happened, and the call is answered with *code: the queue is full or has ended, or its topic
 *                    is refused
 *   INTAKE_PARKED    the queue has no room, and record->waits: Go wakes the script with `script` when there is, maybe before
 *                    this returns; the record is copied
 *   INTAKE_GONE      nothing has happened: the queue has ended and nobody knows it any more
 *   INTAKE_ASK       nothing has happened, and Go must decide: the queue is shut, unknown or has no intake, its topics are
 *                    too many, the partition is not known, the record is close to message.max.bytes, there is no memory, or the count of
 *                    bytes is an estimate
 */
enum intake_answer intake_offer(const struct intake_record *record, int *code);

/*
 * intake_new - makes the intake of one queue; it is shut, and without limits takes nothing.
 *
 * It lives as long as the process, because a thread may look at it when its queue has ended: so the intake of an earlier life of the
 * queue, with its memory and its descriptor, is used again.
 * max_message is message.max.bytes; full and ended are the codes of a queue without room and of one that has ended.
 * NULL: no memory, or no descriptor.
 */
struct intake *intake_new(const char *queue, size_t length, uint32_t max_message, int full, int ended);

/* intake_wake_descriptor - the eventfd that is written to when Go must look. It stays open. */
int intake_wake_descriptor(const struct intake *in);

/*
 * intake_shut - shut, every call asks Go, from when this returns. Records that are in the intake stay there until they
 * are taken.
 */
void intake_shut(struct intake *in, bool shut);

/*
 * intake_end - from when this returns every call is refused with code, as one of a queue that has ended. gone: and nobody knows the queue
 * any more, so that every call is answered with INTAKE_GONE. One that has passed its name on refuses nothing. Gone, it may be used
 * again.
 */
void intake_end(struct intake *in, bool gone, int code);

/*
 * intake_pass - from when this returns every call that has found the intake asks Go, which knows the queue that has its name now. What is
 * in it stays there until it is taken.
 */
void intake_pass(struct intake *in);

/*
 * intake_publish - lets calls find the intake by its queue, in place of an earlier one of the same name. False: there have been as many names as it
 * can keep, 512, and calls for this one ask Go.
 */
bool intake_publish(struct intake *in);

/* What a topic takes now. A new one takes anything. */
struct intake_gate {
    _Atomic int32_t partitions; /* 0 while their number is not known */
    _Atomic int32_t refusal;    /* what calls are refused with, or 0 */
    _Atomic uint32_t asked;     /* a call was refused */
};

/* intake_disown - lets calls for a queue ask Go that had an intake in an earlier life and has none now. */
void intake_disown(const char *queue, size_t length);

/*
 * intake_topic - finds a topic or makes it known, as the first call for it does. The number in its frames goes to *index.
 * NULL: no more topics, or the name is none that a call may leave records for.
 */
struct intake_gate *intake_topic(struct intake *in, const char *name, size_t length, uint32_t *index);

/* intake_topic_name - the name of the topic with that number, which a frame has; it stays as long as the intake. */
const char *intake_topic_name(struct intake *in, uint32_t index, size_t *length);

/*
 * intake_take - closes the current chunk and returns the closed ones, the oldest first, linked by next.
 *
 * Their records stay charged: their number exactly, their bytes as an estimate that is too high, until intake_correct.
 */
struct intake_chunk *intake_take(struct intake *in);

/* intake_correct - adds what is known better now to what is charged. chunks is of how many taken chunks it is known. */
void intake_correct(struct intake *in, const struct intake_amount *by, unsigned chunks);

/* intake_charge - charges a record that Go admits. False: the queue has no room. */
bool intake_charge(struct intake *in, int64_t value, int64_t cost);

/* A call that waits for room, with its record as a frame. */
struct intake_parked {
    struct intake_parked *next;
    void *script[2];
    struct intake_frame frame;
};

/*
 * intake_take_parked - returns the calls that were parked since, the oldest first, linked by next. They are the caller's, who gives
 * each to free(3). From the first one on, no call passes by: none is accepted before intake_set_has_waiters(in, false).
 */
struct intake_parked *intake_take_parked(struct intake *in);

/* intake_set_has_waiters - says whether calls wait for room; who comes then is parked, or refused as by a full queue. */
void intake_set_has_waiters(struct intake *in, bool waiting);

/* intake_free - ends one hold of a chunk. With the last one nobody reads it any more, and it goes back. */
void intake_free(struct intake *in, struct intake_chunk *chunk);

/*
 * intake_trim - gives half of the memory back to the kernel that nobody has needed since the last trim, of all free chunks
 * but the last `keep`, and keeps the page of each head.
 */
void intake_trim(struct intake *in, unsigned keep);

/* What Go reads and writes without a call. */
struct intake_signals {
    _Atomic uint32_t asleep; /* Go waits for a first record, and the call that leaves it must wake it */
    _Atomic uint32_t kicked; /* Go has been told of full chunks */
    _Atomic uint32_t closed; /* full chunks that Go has not taken */
    _Atomic uint32_t parked; /* parked calls that Go has not taken */
    char apart[64];
    _Atomic int64_t refused; /* calls that were answered with INTAKE_REFUSED */
    _Atomic int64_t full;    /* those of them that found no room, ever */
};
struct intake_signals *intake_signals(struct intake *in);
struct intake_ledger *intake_ledger(struct intake *in);

/* intake_current - where the chunk is that is being filled, or NULL. */
_Atomic(struct intake_chunk *) *intake_current(struct intake *in);

#endif
