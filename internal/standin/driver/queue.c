/*
 * queue.c - a queue that is full, and scripts that wait for room. Kafka is down in all of them, so messages
 * leave a queue only by their timeout.
 */
#include "driver.h"

#include <syslog.h>
#include <stdlib.h>
#include <string.h>

#define FULL (-184), "Local: Queue full"

static void fill(int n)
{
    for (int i = 0; i < n; i++)
        want_accepted(produce("sss", "kafka1", "topic", "v"), "a message while there is room");
}

/* The fault that ended the mail server with the original: a full queue and a call without headers. */
static void queue_full(void)
{
    static const char *const headers[] = {"foo", "bar", "biz", "buz", NULL};

    start(one_queue(nobody(), "queue.buffering.max.messages", "100", "message.timeout.ms", "3000", NULL));
    fill(100);
    want_code(produce("sss", "kafka1", "topic", "v"), FULL, "no headers");
    want_code(produce("ssssh", "kafka1", "topic", "v", "k", headers), FULL, "two headers");
    want_code(produce("ssssa", "kafka1", "topic", "v", "k"), FULL, "empty headers");
    want_code(produce("sssza", "kafka1", "topic", "v"), FULL, "no key");
    want_code(produce("ssssant", "kafka1", "topic", "v", "k", -1.0, 0), FULL, "block=false");
}

/* Waiting for room that can never come would park a script for ever. */
static void never_fits(void)
{
    char *bytes = calloc(1, 200000);

    start(one_queue(nobody(), "queue.buffering.max.kbytes", "100", "message.timeout.ms", "1000", NULL));
    want_code(produce("ssbsant", "kafka1", "topic", bytes, (size_t)200000, "k", -1.0, 1), FULL,
              "200,000 bytes into 100 KB with block=true");
    want_code(produce("ssb", "kafka1", "topic", bytes, (size_t)200000), FULL, "200,000 bytes into 100 KB");
    want_accepted(produce("ssb", "kafka1", "topic", bytes, (size_t)90000), "90,000 bytes into 100 KB");
    free(bytes);
}

/*
 * A script that waits for room holds no thread of the mail server: this thread goes on with other scripts
 * while three are parked, and each is woken when messages leave the queue.
 */
static void park_and_wake(void)
{
    struct answer parked[3];

    start(one_queue(nobody(), "queue.buffering.max.messages", "10", "message.timeout.ms", "1000", NULL));
    fill(10);
    for (int i = 0; i < 3; i++) {
        parked[i] = produce("ssssant", "kafka1", "topic", "v", "k", -1.0, 1);
        want_parked(parked[i], "block=true on a full queue");
    }
    want_code(produce("sss", "kafka1", "topic", "v"), FULL, "another script while three are parked");
    want_exception(produce("ss", "none", "topic"), "No such id", "another script while three are parked");
    for (int i = 0; i < 3; i++)
        want_accepted(wait_for(parked[i], 20), "a parked call, after messages have left the queue");
}

/*
 * The mail server stops while scripts wait: each gets an answer before Halon_cleanup returns, or its mail
 * would hang in a session that nobody ends.
 */
static void stop_with_parked(void)
{
    struct answer parked[20];
    double began;

    start(one_queue(nobody(), "queue.buffering.max.messages", "5", "message.timeout.ms", "2000", NULL));
    fill(5);
    for (int i = 0; i < 20; i++) {
        parked[i] = produce("ssssant", "kafka1", "topic", "v", "k", -1.0, 1);
        want_parked(parked[i], "block=true on a full queue");
    }
    began = seconds();
    stop();
    if (seconds() - began > 61)
        fail("the stop took %.1f s, want 60 at most", seconds() - began);
    for (int i = 0; i < 20; i++)
        if (!is_answer(wait_for(parked[i], 0)))
            fail("a parked call got neither an array nor an exception at the stop");
}

/* Messages that can't be sent by the end are counted in the log: the operator must know what is lost. */
static void stop_with_queued(void)
{
    double began;

    start(with_queues(queue_entry("kafka1", nobody(), "message.timeout.ms", "2000", NULL),
                      queue_entry("kafka2", nobody(), "message.timeout.ms", "2000", NULL), NULL));
    fill(200);
    for (int i = 0; i < 200; i++)
        want_accepted(produce("sss", "kafka2", "topic", "v"), "a message for the second queue");
    began = seconds();
    stop();
    if (seconds() - began > 20)
        fail("the stop took %.1f s with a message timeout of 2 s", seconds() - began);
    if (logged_with(LOG_ERR, "kafka: message delivery failed: Local: Message timed out") == 0)
        fail("no line tells of the messages that timed out");
}

/* Two queues that can't drain take 60 s together, not each: the service manager kills what takes longer. */
static void stop_bounded(void)
{
    double began, took;

    start(with_queues(queue_entry("kafka1", nobody(), NULL), queue_entry("kafka2", nobody(), NULL), NULL));
    fill(7);
    want_accepted(produce("sss", "kafka2", "topic", "v"), "a message for the second queue");
    began = seconds();
    stop();
    took = seconds() - began;
    if (took < 50 || took > 65)
        fail("the stop took %.1f s, want about 60", took);
    if (logged_with(LOG_CRIT, "7") != 1)
        fail("no line at LOG_CRIT counts the 7 messages that were lost");
}

const struct scenario queue_scenarios[] = {
    {"queue-full", "", "a full queue would end the mail server, as it did with the original", queue_full},
    {"never-fits", "", "a script would wait for ever for room that can't come", never_fits},
    {"park-and-wake", "", "a full queue would stop all scripts of the mail server", park_and_wake},
    {"stop-with-parked", "", "a restart would leave mail sessions hanging", stop_with_parked},
    {"stop-with-queued", "", "messages would be lost at a restart and nobody would know", stop_with_queued},
    {"stop-bounded", "slow", "the service manager would kill a mail server that stops too slowly", stop_bounded},
    {NULL, NULL, NULL, NULL},
};
