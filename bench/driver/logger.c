#include "logger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ticks.h"

struct logger {
    int file;
    pthread_mutex_t lock; /* lines must not run into each other */
    size_t bytes;
    uint64_t until;
};

struct writer {
    struct logger *logger;
    pthread_t thread;
    uint64_t written;
    struct histogram calls;
};

/* The lock is let go before fsync(2): so the syncs of several threads may become one in the kernel. */
static void *run_writer(void *arg)
{
    struct writer *w = arg;
    struct logger *l = w->logger;
    char *line = malloc(l->bytes);

    if (!line)
        fail("out of memory");
    memset(line, 'l', l->bytes);
    line[l->bytes - 1] = '\n';
    while (nanoseconds() < l->until) {
        uint64_t from = ticks();
        pthread_mutex_lock(&l->lock);
        ssize_t wrote = write(l->file, line, l->bytes);
        pthread_mutex_unlock(&l->lock);
        if (wrote != (ssize_t)l->bytes || fsync(l->file) != 0)
            fail("the log cannot be written: %s", strerror(errno));
        histogram_add(&w->calls, ticks() - from);
        ++w->written;
    }
    free(line);
    return NULL;
}

void logger_run(const char *folder, unsigned threads, size_t bytes, double seconds, struct outcome *outcome)
{
    char path[4096];
    struct logger logger = {.bytes = bytes};
    struct writer *writers = calloc(threads, sizeof *writers);

    if (!writers)
        fail("out of memory for %u threads", threads);
    snprintf(path, sizeof path, "%s/log", folder);
    logger.file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (logger.file < 0)
        fail("%s: %s", path, strerror(errno));
    pthread_mutex_init(&logger.lock, NULL);
    uint64_t begin = nanoseconds();
    logger.until = begin + (uint64_t)(seconds * 1e9);
    for (unsigned i = 0; i < threads; ++i) {
        writers[i].logger = &logger;
        if (pthread_create(&writers[i].thread, NULL, run_writer, &writers[i]) != 0)
            fail("cannot start thread %u of %u", i + 1, threads);
    }
    memset(outcome, 0, sizeof *outcome);
    for (unsigned i = 0; i < threads; ++i) {
        pthread_join(writers[i].thread, NULL);
        outcome->accepted += writers[i].written;
        histogram_merge(&outcome->calls, &writers[i].calls);
    }
    outcome->call_seconds = (double)(nanoseconds() - begin) / 1e9;
    close(logger.file);
    free(writers);
}
