/*
 * The queues of the plugin under test: bench-0, bench-1 and so on, each with the same configuration.
 */
#ifndef DRIVER_QUEUES_H
#define DRIVER_QUEUES_H

#include "settings.h"

#define QUEUE_ID_SIZE 24

/* Writes the id of a queue to `id`; returns its length. */
size_t queue_id(char id[QUEUE_ID_SIZE], unsigned index);

/* The configuration that the plugin starts with. It refers to `settings`, and lives as long as the process. */
HalonConfig *queues_config(const struct settings *settings);

#endif
