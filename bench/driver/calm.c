#include "calm.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker.h"
#include "message.h"
#include "process.h"
#include "watch.h"

#define ANSWERS    16 /* different ones that are counted apart */
#define AFTER_NS   100000000
#define WOKEN_NS   60000000000u
#define QUEUE_FULL (-184)

struct answers {
    size_t len;
    struct {
        int number;
        uint64_t count;
    } list[ANSWERS];
};

/* Set by the thread that waits, read by those that call. */
struct stage {
    const struct settings *settings;
    const struct load *load;
    pthread_barrier_t begin;
    atomic_bool over;
    atomic_bool may_throw;
};

struct script {
    HalonHSLContext context;
    atomic_uint *woken;
    bool parked;
};

struct caller {
    struct stage *stage;
    pthread_t thread;
    unsigned index;
    HalonHSLContext context;
    struct messages messages;
    struct watch watch;
    struct answers answers;
    uint64_t made;
    char topic[40];
    struct script *scripts; /* of park_run: its share, NULL in calm_run */
    unsigned scripts_len;
};

static void answer_add(struct answers *answers, int number, uint64_t count)
{
    size_t i = 0;

    while (i < answers->len && answers->list[i].number != number)
        ++i;
    if (i == ANSWERS)
        fail("more than %d different answers", ANSWERS);
    if (i == answers->len) {
        answers->list[i].number = number;
        answers->list[i].count = 0;
        ++answers->len;
    }
    answers->list[i].count += count;
}

static uint64_t answer_count(const struct answers *answers, int number)
{
    for (size_t i = 0; i < answers->len; ++i)
        if (answers->list[i].number == number)
            return answers->list[i].count;
    return 0;
}

/* The next message; its topic may be one that nobody has named before, or one of those that go wrong. */
static void next_message(struct caller *c)
{
    const struct settings *s = c->stage->settings;
    int len = 0;

    messages_next(&c->messages);
    if (s->fresh_every)
        len = snprintf(c->topic, sizeof c->topic, "fresh-%u-%llu", c->index,
                       (unsigned long long)(c->made / s->fresh_every));
    else if (s->bad_every && c->made % s->bad_every == 0)
        len = snprintf(c->topic, sizeof c->topic, "bad-%llu", (unsigned long long)(c->made / s->bad_every % s->bad_topics));
    if (len)
        c->messages.arguments.values[1] = host_string(c->topic, (size_t)len);
    ++c->made;
}

static void one_call(struct caller *c)
{
    next_message(c);
    uint64_t begin = watch_begin(&c->watch);
    int answer = host_try(&c->context, c->stage->load->function, &c->messages.arguments);
    watch_end(&c->watch, begin);
    if (answer == HOST_THROWN && !atomic_load(&c->stage->may_throw))
        host_answer(&c->context); /* says what was thrown, and ends the process */
    answer_add(&c->answers, answer, 1);
    if (answer == QUEUE_FULL && c->stage->settings->pause_us) {
        struct timespec pause = {0, (long)c->stage->settings->pause_us * 1000};
        nanosleep(&pause, NULL);
    }
}

static void one_script(struct caller *c, struct script *s)
{
    next_message(c);
    uint64_t begin = watch_begin(&c->watch);
    s->parked = !host_begin(&s->context, c->stage->load->function, &c->messages.arguments);
    watch_end(&c->watch, begin);
}

/* One call, or one script's call; false: all scripts have called. */
static bool step(struct caller *c)
{
    if (!c->scripts) {
        one_call(c);
        return true;
    }
    if (c->made == c->scripts_len)
        return false;
    one_script(c, &c->scripts[c->made]);
    return true;
}

static bool over(const struct caller *c)
{
    return atomic_load_explicit(&c->stage->over, memory_order_relaxed);
}

/* As in the load: on each tick what has fallen due. But what a slow call has delayed is left out and not made up for. */
static void paced(struct caller *c, double rate)
{
    const struct load *load = c->stage->load;
    double mine = rate / load->threads * load->tick_seconds, due = 0;
    uint64_t tick = (uint64_t)(load->tick_seconds * 1e9);
    uint64_t at = nanoseconds() + tick * c->index / load->threads;

    while (!over(c)) {
        struct timespec wake = {(time_t)(at / 1000000000u), (long)(at % 1000000000u)};

        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wake, NULL) != 0)
            ;
        for (due += mine; due >= 1; due -= 1)
            if (!step(c))
                return;
        at += tick;
        if (nanoseconds() > at)
            at = nanoseconds();
    }
}

static void *run_caller(void *arg)
{
    struct caller *c = arg;

    watch_open(&c->watch, c->stage->load->ns_per_tick, c->stage->settings->limit_ns);
    pthread_barrier_wait(&c->stage->begin);
    if (c->stage->settings->phase.rate > 0)
        paced(c, c->stage->settings->phase.rate);
    else
        while (!over(c) && step(c))
            ;
    watch_close(&c->watch);
    return NULL;
}

static void wait_ns(uint64_t ns)
{
    struct timespec wait = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};

    nanosleep(&wait, NULL);
}

/* Starts the callers; `scripts` are shared out among them, NULL for calm_run. */
static struct caller *start(struct stage *stage, struct script *scripts, unsigned scripts_len)
{
    const struct load *load = stage->load;
    struct caller *callers = calloc(load->threads, sizeof *callers);

    if (!callers)
        fail("out of memory for %u threads", load->threads);
    pthread_barrier_init(&stage->begin, NULL, load->threads + 1);
    for (unsigned i = 0; i < load->threads; ++i) {
        struct caller *c = &callers[i];
        unsigned first = (unsigned)((uint64_t)scripts_len * i / load->threads);

        c->stage = stage;
        c->index = i;
        if (scripts) {
            c->scripts = scripts + first;
            c->scripts_len = (unsigned)((uint64_t)scripts_len * (i + 1) / load->threads) - first;
        }
        host_context_init(&c->context);
        messages_init(&c->messages, &load->shape, i);
        if (pthread_create(&c->thread, NULL, run_caller, c) != 0)
            fail("cannot start thread %u of %u", i + 1, load->threads);
    }
    pthread_barrier_wait(&stage->begin);
    return callers;
}

/* Waits for the callers, adds up what they saw, and prints it. */
static void finish(const struct stage *stage, struct caller *callers)
{
    struct watch all = {0};
    struct answers answers = {0};
    bool known = true;

    for (unsigned i = 0; i < stage->load->threads; ++i) {
        struct caller *c = &callers[i];

        pthread_join(c->thread, NULL);
        watch_merge(&all, &c->watch);
        known = known && c->watch.schedstat >= 0;
        for (size_t a = 0; a < c->answers.len; ++a)
            answer_add(&answers, c->answers.list[a].number, c->answers.list[a].count);
        messages_free(&c->messages);
    }
    free(callers);
    printf(",\"calls\":%llu,\"longest_ns\":%llu,\"worked_ns\":%llu,\"blocked_ns\":%llu,\"longest_calls\":%llu,"
           "\"worked_calls\":%llu,\"blocked_calls\":%llu,\"run_delay_known\":%s,\"thrown\":%llu,\"answers\":{",
           (unsigned long long)all.calls, (unsigned long long)all.longest_ns, (unsigned long long)all.worked_ns,
           (unsigned long long)all.blocked_ns, (unsigned long long)all.longest_calls, (unsigned long long)all.worked_calls,
           (unsigned long long)all.blocked_calls, known ? "true" : "false",
           (unsigned long long)answer_count(&answers, HOST_THROWN));
    const char *comma = "";
    for (size_t a = 0; a < answers.len; ++a)
        if (answers.list[a].number != HOST_THROWN) {
            printf("%s\"%d\":%llu", comma, answers.list[a].number, (unsigned long long)answers.list[a].count);
            comma = ",";
        }
    printf("}");
}

void calm_run(const struct settings *s, const struct load *load, struct plugin *stop)
{
    struct stage stage = {.settings = s, .load = load};
    uint64_t ns = (uint64_t)(s->phase.seconds * 1e9);
    struct caller *callers = start(&stage, NULL, 0);

    if (stop) {
        wait_ns(ns / 2);
        atomic_store(&stage.may_throw, true);
        printf(",\"cleanup_ms\":%.3f", host_stop(stop));
        ns = AFTER_NS;
    }
    wait_ns(ns);
    atomic_store(&stage.over, true);
    finish(&stage, callers);
}

void reload_run(struct settings *s, const struct load *load, struct plugin *plugin, HalonConfig *app, int control)
{
    struct stage stage = {.settings = s, .load = load};
    uint64_t ns = (uint64_t)(s->phase.seconds * 1e9) / (s->reloads + 1);
    struct caller *callers = start(&stage, NULL, 0);
    double longest = 0;

    for (unsigned i = 1; i <= s->reloads; ++i) {
        wait_ns(ns);
        snprintf(s->change, sizeof s->change, "reload-%u", i);
        double ms = host_reload(plugin, app);
        if (ms > longest)
            longest = ms;
    }
    wait_ns(ns);
    atomic_store(&stage.over, true);
    finish(&stage, callers);
    printf(",\"reload_ms\":%.3f,\"cleanup_ms\":%.3f", longest, host_stop(plugin));
    printf(",\"records\":%llu", (unsigned long long)broker_records(control));
}

static void woken(void *arg)
{
    struct script *s = arg;

    atomic_fetch_add(s->woken, 1);
}

/* One thread, calls that do not wait, to the first refusal. */
static uint64_t fill(const struct load *load)
{
    HalonHSLContext context;
    struct messages messages;
    struct shape shape = load->shape;
    uint64_t accepted = 0;
    int answer;

    shape.block = false;
    host_context_init(&context);
    messages_init(&messages, &shape, load->threads);
    do {
        messages_next(&messages);
        answer = host_call(&context, load->function, &messages.arguments);
        accepted += answer == 0;
    } while (answer == 0);
    if (answer != QUEUE_FULL)
        fail("a message was refused with errno %d", answer);
    messages_free(&messages);
    return accepted;
}

void park_run(const struct settings *s, const struct load *load, int control)
{
    struct stage stage = {.settings = s, .load = load};
    struct script *scripts = calloc(s->waiting, sizeof *scripts);
    atomic_uint count = 0;
    unsigned parked = 0, once = 0;
    struct answers answers = {0};

    if (!scripts)
        fail("out of memory for %u scripts", s->waiting);
    for (unsigned i = 0; i < s->waiting; ++i) {
        scripts[i].woken = &count;
        host_context_init(&scripts[i].context);
        host_context_ready(&scripts[i].context, woken, &scripts[i]);
    }
    uint64_t filled = fill(load);
    double before = (double)process_status("VmRSS") * 1024;
    finish(&stage, start(&stage, scripts, s->waiting));
    for (unsigned i = 0; i < s->waiting; ++i)
        parked += scripts[i].parked;
    double after = (double)process_status("VmRSS") * 1024;

    uint64_t begin = nanoseconds();
    broker_mode(control, "ack");
    while (atomic_load(&count) < parked) {
        if (nanoseconds() - begin > WOKEN_NS)
            fail("%u of %u scripts were woken within a minute", atomic_load(&count), parked);
        wait_ns(1000000);
    }
    double woken_ms = (double)(nanoseconds() - begin) / 1e6;
    wait_ns(AFTER_NS);
    for (unsigned i = 0; i < s->waiting; ++i)
        if (scripts[i].parked) {
            once += host_woken(&scripts[i].context) == 1;
            answer_add(&answers, host_answer(&scripts[i].context), 1);
        }
    printf(",\"filled\":%llu,\"parked\":%u,\"woken_once\":%u,\"admitted\":%llu,\"woken_ms\":%.3f,\"rss_before\":%.0f,"
           "\"rss_parked\":%.0f",
           (unsigned long long)filled, parked, once, (unsigned long long)answer_count(&answers, 0), woken_ms, before, after);
}
