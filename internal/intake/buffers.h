/*
 * buffers.h - what pack.c and buffers.c know of each other: batches, their buffers and the routes of topics.
 */
#ifndef KAFKA_INTAKE_BUFFERS_H
#define KAFKA_INTAKE_BUFFERS_H

#include "pack.h"

#define HIDDEN __attribute__((visibility("hidden")))

/* Begins a batch whose first record has that timestamp. NULL: no memory. */
HIDDEN struct intake_batch *intake_batch_begin(struct intake_packer *packer, struct intake_route *route, int32_t partition, int64_t first);

/* Makes sure that a batch has room for more own bytes. Its bytes may move. */
HIDDEN bool intake_batch_reserve(struct intake_packer *packer, struct intake_batch *batch, size_t more);

#endif
