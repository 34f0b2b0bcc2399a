#include "waiting.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "ticks.h"

struct crowd;

struct script {
    HalonHSLContext context;
    struct crowd *crowd;
    struct script *next; /* in the list of those that can go on */
    uint64_t called;     /* when, in ticks; 0: it has made no call yet */
};

struct crowd {
    const struct load *load;
    const struct phase *phase;
    uint64_t until;
    _Atomic uint64_t made; /* calls, where the phase counts messages */

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t wake;
    struct script *first, **last; /* that can go on, in the order in which they were scheduled */
    unsigned idle;                /* threads that wait for one */
    unsigned alive;               /* scripts that have not ended */
};

struct worker {
    struct crowd *crowd;
    pthread_t thread;
    struct messages messages;
    uint64_t accepted;
    struct histogram calls;
};

/* Called by the plugin, from any of its threads. */
static void can_go_on(void *arg)
{
    struct script *s = arg;
    struct crowd *c = s->crowd;

    s->next = NULL;
    pthread_mutex_lock(&c->lock);
    *c->last = s;
    c->last = &s->next;
    if (c->idle)
        pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->lock);
}

/* The next script that can go on; NULL: all have ended. */
static struct script *take(struct crowd *c)
{
    struct script *s;

    pthread_mutex_lock(&c->lock);
    while (!c->first && c->alive) {
        ++c->idle;
        pthread_cond_wait(&c->wake, &c->lock);
        --c->idle;
    }
    s = c->first;
    if (s) {
        c->first = s->next;
        if (!c->first)
            c->last = &c->first;
    }
    pthread_mutex_unlock(&c->lock);
    return s;
}

static void end_script(struct crowd *c)
{
    pthread_mutex_lock(&c->lock);
    if (--c->alive == 0)
        pthread_cond_broadcast(&c->wake);
    pthread_mutex_unlock(&c->lock);
}

static bool more(struct crowd *c)
{
    return c->phase->messages ? atomic_fetch_add(&c->made, 1) < c->phase->messages : nanoseconds() < c->until;
}

/* Takes the answer of a script's last call and makes calls until one is parked or the phase is over. */
static void go_on(struct worker *w, struct script *s)
{
    struct crowd *c = w->crowd;

    for (;;) {
        if (s->called) {
            int err = host_answer(&s->context);
            if (err)
                fail("a message was refused with errno %d", err);
            histogram_add(&w->calls, ticks() - s->called);
            ++w->accepted;
        }
        if (!more(c)) {
            end_script(c);
            return;
        }
        messages_next(&w->messages);
        s->called = ticks();
        if (!host_begin(&s->context, c->load->function, &w->messages.arguments))
            return; /* from here on it belongs to whoever wakes it */
    }
}

static void *run_worker(void *arg)
{
    struct worker *w = arg;
    struct script *s;

    while ((s = take(w->crowd)))
        go_on(w, s);
    return NULL;
}

void waiting_run(const struct load *load, unsigned scripts, const struct phase *phase, struct outcome *outcome)
{
    struct crowd crowd = {.load = load, .phase = phase, .alive = scripts};
    struct script *all = calloc(scripts, sizeof *all);
    struct worker *workers = calloc(load->threads, sizeof *workers);

    if (!all || !workers)
        fail("out of memory for %u scripts", scripts);
    pthread_mutex_init(&crowd.lock, NULL);
    pthread_cond_init(&crowd.wake, NULL);
    crowd.last = &crowd.first;
    for (unsigned i = 0; i < scripts; ++i) {
        all[i].crowd = &crowd;
        host_context_init(&all[i].context);
        host_context_ready(&all[i].context, can_go_on, &all[i]);
        can_go_on(&all[i]);
    }
    for (unsigned i = 0; i < load->threads; ++i) {
        workers[i].crowd = &crowd;
        messages_init(&workers[i].messages, &load->shape, i);
    }
    uint64_t from = nanoseconds();
    crowd.until = from + (uint64_t)(phase->seconds * 1e9);
    for (unsigned i = 0; i < load->threads; ++i)
        if (pthread_create(&workers[i].thread, NULL, run_worker, &workers[i]) != 0)
            fail("cannot start thread %u of %u", i + 1, load->threads);
    memset(outcome, 0, sizeof *outcome);
    for (unsigned i = 0; i < load->threads; ++i)
        pthread_join(workers[i].thread, NULL);
    outcome->call_seconds = (double)(nanoseconds() - from) / 1e9;
    for (unsigned i = 0; i < load->threads; ++i) {
        outcome->accepted += workers[i].accepted;
        histogram_merge(&outcome->calls, &workers[i].calls);
        messages_free(&workers[i].messages);
    }
    free(workers);
    free(all);
}
