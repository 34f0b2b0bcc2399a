/*
 * The messages of one host thread. All is built ahead; a message costs the driver two stamps of eight bytes.
 */
#ifndef DRIVER_MESSAGE_H
#define DRIVER_MESSAGE_H

#include <stdint.h>

#include "load.h"

struct messages {
    HalonHSLArguments arguments; /* of the message that messages_next prepared */
    char *values;                /* the pool */
    unsigned values_len, values_at;
    size_t stride;
    size_t value_stamp; /* where in a value it is made unique */
    char *key;
    char (*topics)[24];
    unsigned topics_len, topics_at;
    struct pair *headers;
    uint64_t sequence;
    bool stamp_value, stamp_key;
    size_t value_len, key_len;
};

/* Builds the pool; `seed` differs from thread to thread. Out of memory ends the process. */
void messages_init(struct messages *messages, const char *queue, const struct shape *shape, uint64_t seed);

void messages_free(struct messages *messages);

/* Prepares the next message in `arguments`: the next topic, a unique key and a unique value. */
void messages_next(struct messages *messages);

#endif
