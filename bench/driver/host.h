/*
 * The smallest host that a plugin can be measured in: what a call needs lies in its context and is used again for the
 * next call, without malloc and without checks. It trusts the plugin; the strict host is internal/standin.
 *
 * One context belongs to one thread, which makes one call at a time; or, with host_context_ready, to a script that any
 * thread may go on with once its last call was answered.
 */
#ifndef DRIVER_HOST_H
#define DRIVER_HOST_H

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "HalonMTA.h"

#define HOST_ARGUMENTS 7
#define HOST_PAIRS     8    /* that a plugin may add to the result of a call */
#define HOST_TEXT      1024 /* bytes of text that it may set in it */

struct pair;

struct HalonHSLValue {
    int type;
    size_t len; /* of text or pairs */
    union {
        double number;
        bool boolean;
        const char *text;
        struct pair *pairs;
    };
    HalonHSLContext *context; /* NULL for what the driver made: a plugin may not set it */
};

struct pair {
    HalonHSLValue key, value;
};

struct HalonHSLArguments {
    size_t len;
    HalonHSLValue values[HOST_ARGUMENTS];
};

struct HalonHSLContext {
    HalonHSLValue ret, exception;
    bool thrown, parked;

    pthread_mutex_t lock; /* guards scheduled */
    pthread_cond_t wake;
    bool scheduled;

    void (*ready)(void *script); /* NULL: the thread that calls waits */
    void *script;
    atomic_int halves; /* of a parked call that are over: its return and its schedule, in either order */

    size_t pairs_used, text_used;
    struct pair pairs[HOST_PAIRS];
    char text[HOST_TEXT];
};

/* A node of the configuration. `names` has a scalar node for each key of an object, `items` its values or those of a list. */
struct HalonConfig {
    const char *scalar;
    size_t len;
    HalonConfig *names, *items;
};

/* A plugin that has been started. */
struct plugin {
    void *handle;
    HalonHSLFunction *function; /* kafka_producer */
    double load_ms, init_ms;    /* of dlopen(3) and of Halon_init */
};

HalonHSLValue host_string(const char *text, size_t len);
HalonHSLValue host_number(double number);
HalonHSLValue host_boolean(bool boolean);

void host_context_init(HalonHSLContext *context);

/*
 * Makes one call, and waits for its end if the plugin parks it. The result lies in context->ret until the next call.
 *
 * returns | when
 * 0       | the result is an empty array: accepted
 * errno   | the result has one
 * does not return: an exception or a result that is no array ends the process; a benchmark makes no wrong calls
 */
int host_call(HalonHSLContext *context, HalonHSLFunction *function, HalonHSLArguments *arguments);

/*
 * host_call for calls that are made while the plugin is being stopped: an exception is answered with HOST_THROWN, and stays
 * in the context. A call that is parked ends the process.
 */
#define HOST_THROWN INT_MIN
int host_try(HalonHSLContext *context, HalonHSLFunction *function, HalonHSLArguments *arguments);

/* A parked call is waited for by nobody: `ready` is called, from any thread, when it has its answer. */
void host_context_ready(HalonHSLContext *context, void (*ready)(void *script), void *script);

/*
 * Makes one call of a context that has a `ready`. true: it was answered, and `ready` is not called. false: it is parked, and
 * the context belongs to `ready` already.
 */
bool host_begin(HalonHSLContext *context, HalonHSLFunction *function, HalonHSLArguments *arguments);

/* What host_call returns, of a call that was answered. */
int host_answer(HalonHSLContext *context);

/* How often the plugin has scheduled the script of a context that has a `ready`, since its last call was parked. */
int host_woken(HalonHSLContext *context);

/* Loads and starts a plugin. What is wrong ends the process with a sentence. */
void host_start(struct plugin *plugin, const char *path, HalonConfig *config, HalonConfig *app);

/* host_reload - loads another running configuration and returns for how many milliseconds the plugin took. */
double host_reload(const struct plugin *plugin, HalonConfig *app);

/* Calls Halon_early_cleanup and Halon_cleanup; returns the milliseconds that they took. */
double host_stop(struct plugin *plugin);

/* Ends the process with a sentence on standard error. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
