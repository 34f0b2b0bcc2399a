#include "queues.h"

#include <stdio.h>
#include <stdlib.h>

size_t queue_id(char id[QUEUE_ID_SIZE], unsigned index)
{
    return (size_t)snprintf(id, QUEUE_ID_SIZE, "bench-%u", index);
}

/* The values of one queue. The names of the keys, and the values below them, are the same for all. */
struct queue {
    char id[QUEUE_ID_SIZE];
    HalonConfig values[3];
};

HalonConfig *queues_config(const struct settings *s)
{
    static HalonConfig names[] = {{.scalar = "id"}, {.scalar = "config"}, {.scalar = "spool"}};
    static HalonConfig spool_names[] = {{.scalar = "path"}, {.scalar = "mode"}};
    static HalonConfig spool_values[2];
    static HalonConfig root_name = {.scalar = "queues"}, list, root;
    struct queue *queues = calloc(s->shape.queues, sizeof *queues);
    HalonConfig *items = calloc(s->shape.queues, sizeof *items);

    if (!queues || !items)
        fail("out of memory for %u queues", s->shape.queues);
    spool_values[0] = (HalonConfig){.scalar = s->folder};
    spool_values[1] = (HalonConfig){.scalar = "durable"};
    for (unsigned i = 0; i < s->shape.queues; ++i) {
        struct queue *q = &queues[i];

        queue_id(q->id, i);
        q->values[0] = (HalonConfig){.scalar = q->id};
        q->values[1] = (HalonConfig){.len = s->conf_len, .names = (HalonConfig *)s->names, .items = (HalonConfig *)s->values};
        q->values[2] = (HalonConfig){.len = 2, .names = spool_names, .items = spool_values};
        items[i] = (HalonConfig){.len = s->folder ? 3 : 2, .names = names, .items = q->values};
    }
    list = (HalonConfig){.len = s->shape.queues, .items = items};
    root = (HalonConfig){.len = 1, .names = &root_name, .items = &list};
    return &root;
}
