#include "load.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "message.h"
#include "ticks.h"

#define QUEUE_FULL (-184)

/*
 * The pause after a refusal. Long enough that waiting costs next to no CPU time, which would be charged to the plugin
 * under test, and short against the time that a queue of 100,000 messages lasts.
 */
#define PAUSE_NS 200000

struct sender {
    struct load *load;
    pthread_t thread;
    unsigned index;
    HalonHSLContext context;
    struct messages messages;
    uint64_t accepted, refused;
    struct histogram calls, calls_refused;
};

/* Calls until the message is accepted; false: it was refused and is not tried again. */
static bool send_message(struct sender *s, bool retry)
{
    static const struct timespec pause = {0, PAUSE_NS};

    messages_next(&s->messages);
    for (;;) {
        uint64_t from = ticks();
        int err = host_call(&s->context, s->load->function, &s->messages.arguments);
        uint64_t took = ticks() - from;
        if (err == 0) {
            histogram_add(&s->calls, took);
            ++s->accepted;
            return true;
        }
        if (err != QUEUE_FULL)
            fail("a message was refused with errno %d", err);
        histogram_add(&s->calls_refused, took);
        ++s->refused;
        if (!retry)
            return false;
        nanosleep(&pause, NULL);
    }
}

/* The clock is read before each 64th message only: it would be the largest cost of the driver, and is no part of a call. */
static void full_speed(struct sender *s, const struct phase *phase, uint64_t messages, uint64_t until)
{
    for (uint64_t sent = 0; phase->messages ? sent < messages : sent % 64 || nanoseconds() < until; ++sent)
        if (!send_message(s, phase->retry))
            return;
}

/*
 * Sends on each tick what has fallen due since the last one, as events of a host come in groups. With a wake-up for each
 * message the driver would cost more than the plugin. The threads' ticks are spread evenly.
 */
static void paced(struct sender *s, const struct phase *phase, uint64_t messages, uint64_t until)
{
    const struct load *load = s->load;
    double rate = phase->rate / load->threads / 1e9;
    uint64_t tick = (uint64_t)(load->tick_seconds * 1e9);
    uint64_t begin = nanoseconds() + tick * s->index / load->threads, now;
    uint64_t sent = 0;

    for (uint64_t at = begin;; at += tick) {
        struct timespec wake = {(time_t)(at / 1000000000u), (long)(at % 1000000000u)};

        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wake, NULL) != 0)
            ;
        now = nanoseconds();
        uint64_t due = (uint64_t)((double)(now - begin) * rate);
        if (phase->messages && due > messages)
            due = messages;
        for (; sent < due; ++sent)
            if (!send_message(s, phase->retry))
                return;
        if (phase->messages ? sent == messages : now >= until)
            return;
    }
}

static void *run_sender(void *arg)
{
    struct sender *s = arg;
    struct load *load = s->load;

    for (;;) {
        pthread_barrier_wait(&load->begin);
        if (load->over)
            return NULL;
        const struct phase *phase = &load->phase;
        uint64_t share = phase->messages / load->threads + (s->index < phase->messages % load->threads);
        uint64_t until = nanoseconds() + (uint64_t)(phase->seconds * 1e9);
        if (phase->rate > 0)
            paced(s, phase, share, until);
        else
            full_speed(s, phase, share, until);
        pthread_barrier_wait(&load->end);
    }
}

void load_begin(struct load *load)
{
    load->senders = calloc(load->threads, sizeof *load->senders);
    if (!load->senders)
        fail("out of memory for %u threads", load->threads);
    load->over = false;
    pthread_barrier_init(&load->begin, NULL, load->threads + 1);
    pthread_barrier_init(&load->end, NULL, load->threads + 1);
    for (unsigned i = 0; i < load->threads; ++i) {
        struct sender *s = &load->senders[i];

        s->load = load;
        s->index = i;
        host_context_init(&s->context);
        messages_init(&s->messages, &load->shape, i);
        if (pthread_create(&s->thread, NULL, run_sender, s) != 0)
            fail("cannot start thread %u of %u", i + 1, load->threads);
    }
}

void load_run(struct load *load, const struct phase *phase, struct outcome *outcome)
{
    for (unsigned i = 0; i < load->threads; ++i) {
        struct sender *s = &load->senders[i];

        s->accepted = s->refused = 0;
        memset(&s->calls, 0, sizeof s->calls);
        memset(&s->calls_refused, 0, sizeof s->calls_refused);
    }
    load->phase = *phase;
    uint64_t from = nanoseconds();
    pthread_barrier_wait(&load->begin);
    pthread_barrier_wait(&load->end);
    memset(outcome, 0, sizeof *outcome);
    outcome->call_seconds = (double)(nanoseconds() - from) / 1e9;
    for (unsigned i = 0; i < load->threads; ++i) {
        const struct sender *s = &load->senders[i];

        outcome->accepted += s->accepted;
        outcome->refused += s->refused;
        histogram_merge(&outcome->calls, &s->calls);
        histogram_merge(&outcome->calls_refused, &s->calls_refused);
    }
}

void load_end(struct load *load)
{
    load->over = true;
    pthread_barrier_wait(&load->begin);
    for (unsigned i = 0; i < load->threads; ++i) {
        pthread_join(load->senders[i].thread, NULL);
        messages_free(&load->senders[i].messages);
    }
    free(load->senders);
}
