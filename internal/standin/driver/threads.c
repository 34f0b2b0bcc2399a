/*
 * threads.c - many script threads at once, and what a long run leaves behind.
 */
#include "driver.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#define THREADS 64

#if defined(__SANITIZE_ADDRESS__)
size_t __sanitizer_get_current_allocated_bytes(void); /* its header is not in every package of gcc */
static size_t heap(void)
{
    return __sanitizer_get_current_allocated_bytes();
}
#else
static size_t heap(void)
{
    return mallinfo2().uordblks + mallinfo2().hblkhd;
}
#endif

static atomic_long accepted, full, other;
static atomic_bool stopping;
static int calls_each;

static void count(struct answer answer)
{
    if (answer.state == STANDIN_RETURNED && answer.empty_array)
        atomic_fetch_add(&accepted, 1);
    else if (answer.has_errno && answer.errno_ == -184)
        atomic_fetch_add(&full, 1);
    else
        atomic_fetch_add(&other, 1);
}

static void *many_calls(void *argument)
{
    static const char *const headers[] = {"foo", "bar", "biz", "buz", NULL};
    char value[200];

    memset(value, 'v', sizeof(value));
    for (int i = 0; i < calls_each; i++) {
        count(produce("ssbb", "kafka1", "topic", value, (size_t)(i % 200), argument, (size_t)1));
        count(produce("ssssh", "kafka1", "topic", "value", "key", headers));
        if (produce("s", "kafka1").state != STANDIN_THREW)
            atomic_fetch_add(&other, 1);
    }
    return NULL;
}

static void on_threads(void *(*work)(void *), pthread_t threads[THREADS])
{
    static const char keys[THREADS] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+";

    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, work, (void *)&keys[i]) != 0)
            fail("no thread %d", i);
}

static void join(pthread_t threads[THREADS])
{
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

/* Each call is accepted or told that the queue is full, and both are right to the last message. */
static void threads_down(void)
{
    pthread_t threads[THREADS];

    calls_each = 200;
    start(one_queue(nobody(), "queue.buffering.max.messages", "10000", "message.timeout.ms", "10000", NULL));
    on_threads(many_calls, threads);
    join(threads);
    if (accepted != 10000 || accepted + full != 2L * THREADS * calls_each || other != 0)
        fail("%ld accepted, %ld full, %ld other of %d calls; want 10,000 accepted and the rest full", accepted, full,
             other, 2 * THREADS * calls_each);
}

/* With a broker: what was accepted is delivered before the stop returns. */
static void threads_up(void)
{
    pthread_t threads[THREADS];

    calls_each = 500;
    start(one_queue(option("broker", ""), NULL));
    on_threads(many_calls, threads);
    join(threads);
    if (accepted != 2L * THREADS * calls_each || other != 0)
        fail("%ld accepted, %ld full, %ld other; want %d accepted", accepted, full, other, 2 * THREADS * calls_each);
    stop();
    if (logged_with(LOG_ERR, "kafka: ") + logged_with(LOG_CRIT, "kafka: ") != 0)
        fail("an error is in the log although the broker answers");
}

static void *park_often(void *argument)
{
    for (int i = 0; i < calls_each; i++) {
        struct answer answer = produce("ssssant", "kafka1", "topic", "v", argument, -1.0, 1);

        count(answer.state == STANDIN_PARKED ? wait_for(answer, 30) : answer);
    }
    return NULL;
}

/* Keeps the processors busy, so that the plugin's own goroutines run late and out of step. */
static void *refused_until_stopped(void *argument)
{
    while (!atomic_load(&stopping))
        produce("sss", "kafka1", argument, "v");
    return NULL;
}

/* Room comes a little at a time: each time it must find the scripts that wait, until none does. */
static void wake_all(void)
{
    static char topic[] = "topic";
    pthread_t threads[THREADS], busy[4];

    calls_each = 10;
    start(one_queue(nobody(), "queue.buffering.max.messages", "160", "message.timeout.ms", "1000", "linger.ms", "1", NULL));
    for (size_t i = 0; i < sizeof(busy) / sizeof(busy[0]); i++)
        pthread_create(&busy[i], NULL, refused_until_stopped, topic);
    on_threads(park_often, threads);
    join(threads);
    atomic_store(&stopping, true);
    for (size_t i = 0; i < sizeof(busy) / sizeof(busy[0]); i++)
        pthread_join(busy[i], NULL);
    if (accepted != (long)THREADS * calls_each)
        fail("%ld accepted, %ld full, %ld other; want all %d accepted", accepted, full, other, THREADS * calls_each);
}

static void *until_stopped(void *argument)
{
    struct answer answer;

    (void)argument;
    while (!atomic_load(&stopping)) {
        size_t len;
        char *text;

        answer = produce("ssssant", "kafka1", "topic", "v", "k", -1.0, 1);
        if (answer.state == STANDIN_PARKED)
            answer = wait_for(answer, 80);
        if (!is_answer(answer))
            atomic_fetch_add(&other, 1);
        standin_command(2, (const char *const[]){"dump", "kafka1"}, (const size_t[]){4, 6}, &text, &len);
        free(text);
        atomic_fetch_add(&accepted, 1);
    }
    return NULL;
}

/* Scripts and commands run until the last moment of a stop: none may crash or hang in it. */
static void stop_under_load(void)
{
    pthread_t threads[THREADS];
    struct timespec second = {1, 0};

    start(one_queue(nobody(), "queue.buffering.max.messages", "200", "message.timeout.ms", "1000", NULL));
    on_threads(until_stopped, threads);
    nanosleep(&second, NULL);
    stop();
    atomic_store(&stopping, true);
    join(threads);
    if (other != 0)
        fail("%ld calls got neither an array nor an exception around the stop", other);
}

static void mixed_calls(int n)
{
    /* More than fit any small array on a stack. */
    static const char *headers[2 * 50 + 1];

    for (int i = 0; i < 2 * 50; i++)
        headers[i] = i % 2 ? "value" : "name";
    for (int i = 0; i < n; i++) {
        struct answer answer;
        char *text;
        size_t len;

        produce("ssssh", "kafka1", "topic", "value", "key", headers);
        produce("ssssa", "kafka1", "topic", "value", "key");
        produce("s", "kafka1");
        produce("ss", "nosuch", "topic");
        if (i % 2000 == 0) {
            answer = produce("ssssant", "kafka1", "topic", "value", "key", -1.0, 1);
            if (answer.state == STANDIN_PARKED)
                wait_for(answer, 20);
            standin_command(2, (const char *const[]){"dump", "kafka1"}, (const size_t[]){4, 6}, &text, &len);
            free(text);
        }
    }
    standin_quarantine_flush();
}

/* C memory that each call leaks would end the mail server after days; Go's heap has its own tests. */
static void leaks(void)
{
    size_t before, after;

    start(one_queue(nobody(), "queue.buffering.max.messages", "1000", "message.timeout.ms", "1000", NULL));
    mixed_calls(1000);
    log_forget();
    before = heap();
    mixed_calls(20000);
    log_forget();
    after = heap();
    if (after > before && after - before > 256 * 1024)
        fail("80,000 calls left %zu bytes of C memory", after - before);
}

const struct scenario threads_scenarios[] = {
    {"threads-down", "", "script threads would disturb each other, or a limit would not hold", threads_down},
    {"threads-up", "broker", "accepted messages would be lost under load", threads_up},
    {"wake-all", "", "a script that waits for room would sleep while there is room", wake_all},
    {"stop-under-load", "", "a restart of a busy mail server would crash", stop_under_load},
    {"leaks", "", "the mail server would run out of memory after days", leaks},
    {NULL, NULL, NULL, NULL},
};
