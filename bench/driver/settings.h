/*
 * What the driver was asked to do.
 */
#ifndef DRIVER_SETTINGS_H
#define DRIVER_SETTINGS_H

#include "load.h"

#define MAX_CONF 64

enum mode {
    PRODUCE, /* messages, at full speed or paced */
    INIT,    /* start and stop */
    OUTAGE,  /* a queue full of messages, the broker gone */
    IDLE,    /* started, and no calls */
    RSS,     /* a queue full of messages, the broker silent */
    DURABLE, /* many scripts wait for their answers at once */
    REPLAY,  /* a start with a backlog in the spool */
    LOGGER,  /* lines to a file, no plugin */
    CALM,    /* calls, of which only matters how long they held their threads */
    STOP,    /* the same, and the plugin is stopped meanwhile */
    RELOAD,  /* the same, of queues in the running configuration, which is loaded again and again, changed each time */
    PARK,    /* many scripts parked at once for room, and woken */
};

extern const char *const mode_names[];

struct settings {
    const char *plugin, *control;
    const char *folder; /* of the queue's spool, or of the log; NULL: the queue has none */
    enum mode mode;
    unsigned threads, waiting;
    /* Of the calm modes: a new topic each so many calls, a topic that goes wrong each so many; 0: never. */
    unsigned fresh_every, bad_every, bad_topics;
    unsigned pause_us; /* after a call that found the queue full */
    uint64_t limit_ns; /* calls that were held longer are counted */
    unsigned reloads;  /* reload: how often */
    char change[16];   /* reload: the client.id, which is another one each time */
    bool returns;      /* outage: the broker comes back in the end */
    uint64_t warmup;
    double tick_seconds;
    struct phase phase;
    struct shape shape;
    /* Names and values of the queue's configuration, of equal length. */
    HalonConfig names[MAX_CONF], values[MAX_CONF];
    size_t conf_len;
};

/* Reads the command line. What is wrong with it, and --help, end the process. `argv` is kept. */
void settings_parse(struct settings *settings, int argc, char *argv[]);

#endif
