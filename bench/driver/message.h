/*
 * The messages of one host thread. All is built ahead; a message costs the driver two stamps of eight bytes.
 */
#ifndef DRIVER_MESSAGE_H
#define DRIVER_MESSAGE_H

#include <stdint.h>

#include "load.h"
#include "queues.h"

struct messages {
    HalonHSLArguments arguments; /* of the message that messages_next prepared */
    char *values;                /* the pool */
    unsigned values_len, values_at;
    size_t stride;
    size_t value_stamp; /* where in a value it is made unique */
    char *key;
    HalonHSLValue *topics;
    unsigned topics_len, topics_at;
    HalonHSLValue *queues;
    unsigned queues_len, queues_at;
    struct pair *headers;
    uint64_t sequence;
    bool stamp_value, stamp_key;
    size_t value_len, key_len;
};

/* Builds the pool; `thread` is the number of its thread, from 0. Out of memory ends the process. */
void messages_init(struct messages *messages, const struct shape *shape, unsigned thread);

void messages_free(struct messages *messages);

/* Prepares the next message in `arguments`: the next queue, or after the last one the next topic, and a unique key and value. */
void messages_next(struct messages *messages);

#endif
