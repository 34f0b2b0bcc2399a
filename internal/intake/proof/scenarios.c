/*
 * scenarios.c - two calls and what Go does, in every order of their steps. See steps.h and explore.h.
 *
 * In each order:   a record that was accepted is taken once, complete and unchanged; no other is
 *                  those of a thread are taken in the order of its calls
 *                  the queue never holds more than its limit, and nothing when all is taken
 *                  a call is refused only where a record was in the queue, or its end had come
 *                  after a shut or an end has returned, nobody leaves a record
 *                  where Go has gone to sleep, whoever leaves the first record wakes it
 *
 * Prints how many states of each scenario were visited. Exit status 1: a rule is broken, with the order on standard error.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consumer.h"
#include "explore.h"

#define MOST 8 /* calls of a thread */

static struct intake *in;
static struct intake_chunk *first_chunk; /* of several in a row */
static int64_t limit;

/* What happens in a run. */
static struct {
    int accepted[THREADS][MOST], calls[THREADS], last_taken[THREADS];
    unsigned taken, refused, parked, woken;
    uint64_t slept, closed; /* Go sleeps; Go has shut or ended the queue and taken everything */
} noted;

void step_woken(void)
{
    noted.woken++;
}

/*
 * What decides nothing here: bytes and memory have no limits, only records have, and nobody looks at how many calls were refused. Steps
 * there would make many orders of one.
 */
bool explore_ignores(const volatile void *at)
{
    const struct intake_ledger *l = &in->ledger;
    const volatile void *no[] = {&l->max_count, &l->max_bytes, &l->max_cost, &l->charged_bytes, &l->charged_cost, &l->released_bytes, &l->released_cost,
                                 &in->signals.refused};

    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        if (at == no[i])
            return true;
    return false;
}

static void take_one(const struct intake_frame *frame, const char *value)
{
    struct mark mark;

    memcpy(&mark, value, sizeof mark);
    if (mark.thread < 0) /* of the setup */
        return;
    if (mark.thread >= THREADS || mark.number < 1 || mark.number > MOST)
        broken("a record that nobody has left: thread %d, number %d", mark.thread, mark.number);
    for (const char *at = value + sizeof mark; at < value + frame->value; at++)
        if (*at != (char)mark.number)
            broken("the value of thread %d, number %d has changed", mark.thread, mark.number);
    if (mark.number <= noted.last_taken[mark.thread])
        broken("thread %d: number %d is taken after %d", mark.thread, mark.number, noted.last_taken[mark.thread]);
    noted.last_taken[mark.thread] = mark.number;
    if (noted.accepted[mark.thread][mark.number - 1] == -1)
        broken("thread %d: number %d was refused, and is taken", mark.thread, mark.number);
    noted.accepted[mark.thread][mark.number - 1] += 2;
    noted.taken++;
}

/* The bits of accepted: 1 the call was answered so, 2 it was taken. */
static void call_with(size_t size, bool waits)
{
    int self = explore_current(), number = ++noted.calls[self], code = 0;
    int *mine = &noted.accepted[self][number - 1];

    switch (consumer_offer((struct mark){self, number}, size, waits, &code)) {
    case INTAKE_TAKEN:
        if (*mine != 0 && *mine != 2)
            broken("thread %d: number %d was taken %d times", self, number, *mine / 2);
        *mine += 1;
        if (noted.closed)
            broken("thread %d leaves number %d in a queue that is closed and empty", self, number);
        break;
    case INTAKE_PARKED:
        noted.parked++;
        *mine = -1;
        break;
    default:
        if (*mine != 0)
            broken("thread %d: number %d is refused, and was taken", self, number);
        *mine = -1;
        noted.refused++;
    }
}

static void call(void) { call_with(16, false); }
static void call_twice(void) { call(); call(); }
static void call_large(void) { call_with(CONSUMER_LARGEST, false); }
static void call_waiting(void) { call_with(16, true); }

static void take(void)
{
    consumer_take(in, take_one);
    if (room_of(in).count > limit)
        broken("the queue has more room than its limit: %lld", (long long)room_of(in).count);
}

static void take_twice(void) { take(); take(); }

/* Wakes the calls that were parked; Go would leave their records now. */
static void take_parked(void)
{
    take();
    for (struct intake_parked *p = intake_take_parked(in), *next; p; p = next) {
        next = p->next;
        noted.parked--;
        free(p);
    }
    intake_set_has_waiters(in, false);
}

static void shut_and_take(void)
{
    intake_shut(in, true);
    take();
    noted.closed = true;
}

static void end_and_take(void)
{
    intake_end(in, false, ENDED_CODE);
    take();
    noted.closed = true;
}

/* Intake.Sleep of intake.go, and what follows it. */
static void sleep_or_take(void)
{
    struct intake_signals *s = intake_signals(in);

    atomic_store(&s->asleep, 1);
    bool some = atomic_load(&s->closed) > 0;
    if (!some) {
        struct intake_chunk *chunk = atomic_load(intake_current(in));
        some = chunk && records(atomic_load(&chunk->state)) > 0;
        some = some || atomic_load(&s->closed) > 0;
    }
    if (some) {
        atomic_store(&s->asleep, 0);
        take();
        return;
    }
    noted.slept = true;
}

static void go_charges(void)
{
    if (intake_charge(in, 16, INTAKE_RECORD_COST + 16))
        consumer_release(in, (struct intake_amount){1, 16, INTAKE_RECORD_COST + 16});
}

static void open_with(int64_t count)
{
    static char queue[] = "queue-a";

    queue[6]++; /* another one, with memory of its own */
    consumer_queue = queue;
    in = consumer_open(limit = count, INT64_C(1) << 40, INT64_C(1) << 40);
    memset(&noted, 0, sizeof noted);
    /* The topic is known, and so is the memory: how they become so is shown by tsan.c. */
    int code;
    if (consumer_offer((struct mark){-1, 0}, 16, false, &code) != INTAKE_TAKEN)
        broken("the queue takes nothing");
    first_chunk = atomic_load(intake_current(in));
    take();
}

/* What steps change: the intake but for its tables, the chunks that a run may use, and what this file notes. */
static void name_memory(void)
{
    explore_memory(in, offsetof(struct intake, by_index), true);
    for (int i = 0; i < 4; i++) {
        struct intake_chunk *chunk = first_chunk + i;

        explore_memory(chunk, INTAKE_HEAD, false);
        explore_memory(chunk, offsetof(struct intake_chunk, notes[4]), true);
        explore_memory(&chunk->notes[INTAKE_RECORDS - 2], 2 * sizeof chunk->notes[0], true);
        explore_memory(chunk->frames, 256, true);
        explore_memory(chunk->frames + (INTAKE_RECORDS - 2) * 48, 96, true);
    }
    explore_memory(&noted, sizeof noted, true);
}

static void room_for(int64_t count)
{
    open_with(count);
    name_memory();
}

static void room_for_one(void) { room_for(1); }
static void room_for_two(void) { room_for(2); }

/* A chunk with one place left, and as much room as one likes, so that a spare chunk is made. */
static void almost_full_chunk(void)
{
    int code;

    open_with(1 << 20);
    for (int i = 1; i < INTAKE_RECORDS; i++)
        if (consumer_offer((struct mark){-1, i}, 16, false, &code) != INTAKE_TAKEN)
            broken("record %d of the setup is not accepted", i);
    name_memory();
}

static void nothing(void) {}

static void verdict(void)
{
    unsigned told = 0, before = noted.taken;

    if (noted.slept && !noted.woken)
        for (int t = 0; t < THREADS; t++)
            for (int i = 0; i < MOST; i++)
                if (noted.accepted[t][i] == 1)
                    broken("Go sleeps, and thread %d has left number %d without waking it", t, i + 1);
    take_parked();
    if (noted.parked)
        broken("%u parked calls are lost", noted.parked);
    if (noted.closed && noted.taken != before)
        broken("%u records were left in a queue that was closed", noted.taken - before);
    intake_end(in, true, ENDED_CODE);
    take();
    for (int t = 0; t < THREADS; t++)
        for (int i = 0; i < MOST; i++) {
            told += noted.accepted[t][i] > 0;
            if (noted.accepted[t][i] > 0 && noted.accepted[t][i] != 3)
                broken("thread %d: number %d was accepted, and is taken %d times", t, i + 1, noted.accepted[t][i] / 2);
        }
    if (told != noted.taken)
        broken("%u records were accepted, and %u taken", told, noted.taken);
    if (!told && !noted.closed && !intake_signals(in)->parked && noted.refused && limit > 1)
        broken("%u calls were refused by an empty queue", noted.refused);
    if (consumer_holds(in) || atomic_load(&in->estimated) || atomic_load(&in->pending_grants))
        broken("the empty queue holds %lld, with %u estimates and %u calls with a pending grant", (long long)consumer_holds(in),
               atomic_load(&in->estimated), atomic_load(&in->pending_grants));
}

static const struct scenario scenarios[] = {
    {"two calls for one place, while Go takes", room_for_one, {call, call, take}, verdict},
    {"a call after the place was given back", room_for_one, {call_twice, take_twice, nothing}, verdict},
    {"three calls for two places, while Go takes", room_for_two, {call_twice, call, take}, verdict},
    {"two calls for the last place of a chunk, while Go takes", almost_full_chunk, {call, call, take}, verdict},
    {"a large record beside a small one, while Go takes", room_for_two, {call_large, call, take}, verdict},
    {"Go shuts the queue", room_for_two, {call, call, shut_and_take}, verdict},
    {"the queue ends", room_for_two, {call, call, end_and_take}, verdict},
    {"Go goes to sleep", room_for_two, {call, call, sleep_or_take}, verdict},
    {"calls wait for room", room_for_one, {call_waiting, call_waiting, take_parked}, verdict},
    {"Go admits a record, too", room_for_one, {call, go_charges, take}, verdict},
};

int main(int argc, char *argv[])
{
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
        if (argc > 1 && !strstr(scenarios[i].name, argv[1]))
            continue;
        printf("%-58s ", scenarios[i].name);
        fflush(stdout);
        printf("%9llu states\n", (unsigned long long)explore(&scenarios[i]));
    }
    return 0;
}
