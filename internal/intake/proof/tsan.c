/*
 * tsan.c - the C of a call under load, for the ThreadSanitizer: threads that call, and one that takes, gives back, trims, parks, shuts and
 * opens as Go does. It ends after a number of seconds with a line of what it has done.
 *
 * Exit status: 0 when each record that was accepted was taken once and unchanged, and the ledger is empty at the end; 1 else. The
 * ThreadSanitizer has its own, 66.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "consumer.h"

#define CALLERS 4
#define MOST    4000 /* records that the queue holds: both sides of full are met */

static struct intake *in;
static atomic_bool done_calling;
static atomic_long accepted, refused, asked, parked, wrong;
static long taken;
static int last[CALLERS];

static void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    atomic_fetch_add(&wrong, 1);
}

void await(const _Atomic uint64_t *note)
{
    while (!atomic_load_explicit((_Atomic uint64_t *)note, memory_order_acquire))
        sched_yield();
}

static void take_one(const struct intake_frame *frame, const char *value)
{
    struct mark mark;

    memcpy(&mark, value, sizeof mark);
    for (const char *at = value + sizeof mark; at < value + frame->value; at++)
        if (*at != (char)mark.number) {
            fail("a value has changed");
            break;
        }
    if (mark.number <= last[mark.thread])
        fail("a record is taken out of order");
    last[mark.thread] = mark.number;
    taken++;
}

static void *call(void *arg)
{
    int self = (int)(intptr_t)arg, number = 0;
    unsigned seed = (unsigned)self;

    while (!atomic_load(&done_calling)) {
        size_t size = sizeof(struct mark) + (size_t)rand_r(&seed) % 300;
        int code;

        if (rand_r(&seed) % 500 == 0)
            size = CONSUMER_LARGEST;
        switch (consumer_offer((struct mark){self, ++number}, size, rand_r(&seed) % 50 == 0, &code)) {
        case INTAKE_TAKEN:
            atomic_fetch_add(&accepted, 1);
            break;
        case INTAKE_REFUSED:
            if (code != FULL)
                fail("refused with another code");
            atomic_fetch_add(&refused, 1);
            break;
        case INTAKE_PARKED:
            atomic_fetch_add(&parked, 1);
            break;
        case INTAKE_ASK:
        case INTAKE_GONE:
            atomic_fetch_add(&asked, 1);
        }
    }
    return NULL;
}

/* The records of parked calls would be left by Go now; here they are dropped. */
static void take_parked(void)
{
    for (struct intake_parked *p = intake_take_parked(in), *next; p; p = next) {
        next = p->next;
        atomic_fetch_sub(&parked, 1);
        free(p);
    }
    intake_set_has_waiters(in, false);
}

int main(int argc, char *argv[])
{
    int seconds = argc > 1 ? atoi(argv[1]) : 10;
    time_t end = time(NULL) + seconds;
    pthread_t callers[CALLERS];

    in = consumer_open(MOST, 1 << 20, 1 << 30);
    for (intptr_t i = 0; i < CALLERS; i++)
        if (pthread_create(&callers[i], NULL, call, (void *)i))
            return 1;
    long rounds = 0;
    for (; time(NULL) < end; rounds++) {
        struct intake_signals *s = intake_signals(in);

        if (rounds % 3 == 0) {
            atomic_store(&s->asleep, 1);
            sched_yield();
            atomic_store(&s->asleep, 0);
        }
        consumer_take(in, take_one);
        if (atomic_load(&s->parked))
            take_parked();
        if (rounds % 100 == 0)
            intake_trim(in, 4);
        /* Where bytes are short, Go counts; where records are, the call does. */
        if (rounds % 8 == 0)
            atomic_store(&intake_ledger(in)->max_bytes, rounds % 16 ? 1 << 30 : 1 << 20);
        if (rounds % 1000 == 0) {
            intake_shut(in, true);
            consumer_take(in, take_one);
            intake_shut(in, false);
        }
        if (intake_charge(in, 100, 100))
            consumer_release(in, (struct intake_amount){1, 100, 100});
    }
    atomic_store(&done_calling, true);
    for (int i = 0; i < CALLERS; i++)
        pthread_join(callers[i], NULL);
    take_parked();
    intake_end(in, true, ENDED_CODE);
    consumer_take(in, take_one);
    if (taken != atomic_load(&accepted))
        fail("not each accepted record is taken once");
    if (atomic_load(&parked))
        fail("parked calls are lost");
    if (consumer_holds(in))
        fail("the empty queue holds something");
    printf("%ld records accepted and %ld taken in %ld rounds, %ld calls refused, %ld sent to Go\n", atomic_load(&accepted), taken, rounds,
           atomic_load(&refused), atomic_load(&asked));
    return atomic_load(&wrong) || taken == 0 || atomic_load(&refused) == 0;
}
