/*
 * event.c - what happened on the plugin's threads, in order, for a user who asks for it.
 *
 * The Go face can't be called from a thread of the plugin without one Go runtime running inside a call of
 * the other. So the plugin's thread leaves an event here, and one goroutine takes them.
 */
#include "host.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    struct standin_event event;
    struct entry *next;
};

/* All under standin_lock. */
static struct entry *first, *last;
static bool started;
static pthread_cond_t arrived = PTHREAD_COND_INITIALIZER;

void standin_event_put_locked(struct standin_event event)
{
    struct entry *entry;

    if (!started) {
        free(event.text);
        return;
    }
    entry = standin_alloc(sizeof(*entry));
    *entry = (struct entry){event, NULL};
    if (last)
        last->next = entry;
    else
        first = entry;
    last = entry;
    pthread_cond_signal(&arrived);
}

static void put(struct standin_event event)
{
    pthread_mutex_lock(&standin_lock);
    standin_event_put_locked(event);
    pthread_mutex_unlock(&standin_lock);
}

void standin_event_next(struct standin_event *event)
{
    struct entry *entry;

    pthread_mutex_lock(&standin_lock);
    while (!first)
        pthread_cond_wait(&arrived, &standin_lock);
    entry = first;
    first = entry->next;
    if (!first)
        last = NULL;
    if (entry->event.kind == STANDIN_EVENT_END)
        started = false;
    pthread_mutex_unlock(&standin_lock);
    *event = entry->event;
    free(entry);
}

void standin_event_mark(uint64_t tag)
{
    put((struct standin_event){.kind = STANDIN_EVENT_MARK, .tag = tag});
}

static void log_event(void *context, int priority, const char *text)
{
    (void)context;
    put((struct standin_event){
        .kind = STANDIN_EVENT_LOG, .priority = priority, .text = strdup(text), .len = strlen(text)});
}

void standin_events_start(bool log)
{
    pthread_mutex_lock(&standin_lock);
    started = true;
    pthread_mutex_unlock(&standin_lock);
    if (log)
        standin_log_to(log_event, NULL);
}

void standin_events_stop(void)
{
    standin_log_to(NULL, NULL);
    put((struct standin_event){.kind = STANDIN_EVENT_END});
}
