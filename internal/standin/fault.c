/*
 * fault.c - the list of what the plugin did against the rules.
 *
 * A fault is a line of text. It does not stop the host, because the first fault of a test is seldom the
 * most telling one; standin_abort_on_fault is for a debugger.
 */
#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A plugin that errs in each of a million calls must not fill the memory with its faults. */
#define FAULTS_KEPT 1000

pthread_mutex_t standin_lock = PTHREAD_MUTEX_INITIALIZER;

/* All under standin_lock. */
static char *texts[FAULTS_KEPT];
static size_t count;
static bool abort_on_fault;

void standin_fault_add(const char *format, ...)
{
    char text[512];
    bool stop;
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);

    pthread_mutex_lock(&standin_lock);
    if (count < FAULTS_KEPT)
        texts[count] = strdup(text);
    count++;
    stop = abort_on_fault;
    pthread_mutex_unlock(&standin_lock);
    if (stop) {
        fprintf(stderr, "standin: %s\n", text);
        abort();
    }
}

size_t standin_faults(void)
{
    size_t n;

    pthread_mutex_lock(&standin_lock);
    n = count;
    pthread_mutex_unlock(&standin_lock);
    return n;
}

const char *standin_fault(size_t i)
{
    const char *text = NULL;

    pthread_mutex_lock(&standin_lock);
    if (i < count && i < FAULTS_KEPT)
        text = texts[i];
    pthread_mutex_unlock(&standin_lock);
    return text;
}

void standin_faults_reset(void)
{
    pthread_mutex_lock(&standin_lock);
    for (size_t i = 0; i < count && i < FAULTS_KEPT; i++) {
        free(texts[i]);
        texts[i] = NULL;
    }
    count = 0;
    pthread_mutex_unlock(&standin_lock);
}

void standin_abort_on_fault(bool yes)
{
    pthread_mutex_lock(&standin_lock);
    abort_on_fault = yes;
    pthread_mutex_unlock(&standin_lock);
}
