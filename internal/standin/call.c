/*
 * call.c - one call of an HSL function, from its arguments to its result.
 *
 *            run            returned                        schedule
 *     new ---------> inside ---------> ended                  |
 *                      |                                      v
 *                      | suspend_return, returned     parked ----> ended
 *                      +----------------------------->
 *                      | schedule, suspend_return, returned
 *                      +-----------------------------------------> ended
 *
 * Of the two ends, the return of the function and HalonMTA_hsl_schedule, either may come first; the later
 * one ends the call. HalonMTA_hsl_schedule takes the result at once, so that a write after it is a
 * fault even when the script has not run yet.
 */
#include "host.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

struct HalonHSLArguments {
    uint64_t magic;
    HalonHSLContext *call;
};

struct HalonHSLContext {
    uint64_t magic;
    HalonHSLFunction *entry;

    HalonHSLArguments *arguments;
    HalonHSLValue **values; /* the arguments */
    size_t count, capacity;
    HalonHSLValue *ret;       /* until it is taken */
    HalonHSLValue *exception; /* from HalonMTA_hsl_throw until the function returned */
    HalonHSLValue *result;    /* the host's copy */

    pthread_t thread; /* that entered the function */
    pthread_cond_t ended;
    uint64_t tag;

    /* standin_lock guards what follows: two threads may be at the two ends of the call. */
    bool inside;    /* the function has not returned */
    bool suspended; /* HalonMTA_hsl_suspend_return */
    bool scheduled; /* HalonMTA_hsl_schedule was entered */
    bool taken;     /* and has the result, while the function still ran */
    bool over;      /* the result is there and nothing is lent any more */
    bool forgotten; /* the script is gone */
};

static long parked; /* standin_lock */

long standin_parked(void)
{
    long n;

    pthread_mutex_lock(&standin_lock);
    n = parked;
    pthread_mutex_unlock(&standin_lock);
    return n;
}

/* ------------------------------------------------------------------------------------------------
 * The host's side
 */
HalonHSLContext *standin_call_new(int function)
{
    HalonHSLContext *call = standin_block_new(sizeof(*call), STANDIN_HANDLE);
    pthread_condattr_t attributes;

    call->magic = STANDIN_MAGIC_CALL;
    call->entry = standin_function_entry(function);
    call->arguments = standin_block_new(sizeof(*call->arguments), STANDIN_HANDLE);
    call->arguments->magic = STANDIN_MAGIC_ARGS;
    call->arguments->call = call;
    call->ret = standin_value_new(STANDIN_WRITABLE);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&call->ended, &attributes);
    pthread_condattr_destroy(&attributes);
    return call;
}

HalonHSLValue *standin_call_argument(HalonHSLContext *call)
{
    if (call->count == call->capacity) {
        size_t capacity = call->capacity ? call->capacity * 2 : 8;
        HalonHSLValue **values = standin_alloc(capacity * sizeof(*values));

        for (size_t i = 0; i < call->count; i++)
            values[i] = call->values[i];
        free(call->values);
        call->values = values;
        call->capacity = capacity;
    }
    return call->values[call->count++] = standin_value_new(STANDIN_READONLY);
}

static void kill_arguments(struct standin_chain *chain, HalonHSLContext *call)
{
    for (size_t i = 0; i < call->count; i++)
        standin_value_kill(chain, call->values[i]);
    free(call->values);
    call->values = NULL;
    call->count = 0;
}

/*
 * Copies what the plugin wrote and kills what it holds. Outside the lock: no other thread touches the value
 * then, unless the plugin breaks a rule.
 */
static HalonHSLValue *take(struct standin_chain *chain, HalonHSLValue **value)
{
    HalonHSLValue *copy = standin_value_copy(*value, STANDIN_PRIVATE);

    standin_value_kill(chain, *value);
    *value = NULL;
    return copy;
}

static void destroy(HalonHSLContext *call)
{
    struct standin_chain chain = {NULL, NULL, 0};

    standin_value_kill(&chain, call->result);
    standin_value_kill(&chain, call->ret);
    kill_arguments(&chain, call);
    pthread_cond_destroy(&call->ended);
    standin_block_kill(&chain, call);
    standin_chain_release(&chain);
}

/* Tells the script. As soon as the lock is released, the script may free the call. */
static void wake_locked(HalonHSLContext *call)
{
    call->over = true;
    parked--;
    pthread_cond_signal(&call->ended);
    if (call->tag && call->suspended && !call->forgotten)
        standin_event_put_locked((struct standin_event){.kind = STANDIN_EVENT_WOKEN, .tag = call->tag});
}

/* An exception ends the call whatever else the function did. */
static enum standin_state threw(HalonHSLContext *call, struct standin_chain *chain, bool suspended, bool scheduled)
{
    if (suspended || scheduled)
        standin_fault_add("a call threw an exception and %s as well", suspended ? "suspended" : "scheduled");
    if (call->exception->type != HALONMTA_HSL_TYPE_EXCEPTION)
        standin_fault_add("HalonMTA_hsl_throw: the function returned without setting the exception");
    standin_value_kill(chain, call->result);
    call->result = take(chain, &call->exception);
    standin_value_kill(chain, call->ret);
    call->ret = NULL;
    return STANDIN_THREW;
}

enum standin_state standin_call_run(HalonHSLContext *call, uint64_t tag)
{
    struct standin_chain chain = {NULL, NULL, 0};
    enum standin_state state = STANDIN_RETURNED;
    bool suspended, scheduled;

    call->thread = pthread_self();
    call->tag = tag;
    call->inside = true;
    call->entry(call, call->arguments, call->ret);

    standin_block_kill(&chain, call->arguments);
    call->arguments = NULL;
    pthread_mutex_lock(&standin_lock);
    call->inside = false;
    suspended = call->suspended;
    scheduled = call->scheduled;
    if ((suspended && !call->exception && !call->taken) || (scheduled && !call->taken)) {
        parked++;
        standin_chain_release_locked(&chain);
        if (suspended && !call->exception) {
            pthread_mutex_unlock(&standin_lock);
            return STANDIN_PARKED;
        }
        /* Against the rules, but another thread is inside HalonMTA_hsl_schedule with this call. */
        while (!call->over)
            pthread_cond_wait(&call->ended, &standin_lock);
    }
    call->over = true;
    pthread_mutex_unlock(&standin_lock);

    if (call->exception) {
        state = threw(call, &chain, suspended, scheduled);
    } else {
        if (scheduled && !suspended)
            standin_fault_add("HalonMTA_hsl_schedule: of a call that did not suspend");
        if (!scheduled)
            call->result = take(&chain, &call->ret);
    }
    kill_arguments(&chain, call);
    standin_chain_release(&chain);
    return state;
}

enum standin_state standin_call_wait(HalonHSLContext *call, long milliseconds)
{
    struct timespec until;
    bool over;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += milliseconds / 1000;
    until.tv_nsec += milliseconds % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&standin_lock);
    while (!call->over) {
        if (milliseconds < 0)
            pthread_cond_wait(&call->ended, &standin_lock);
        else if (pthread_cond_timedwait(&call->ended, &standin_lock, &until) == ETIMEDOUT)
            break;
    }
    over = call->over;
    pthread_mutex_unlock(&standin_lock);
    return over ? STANDIN_RETURNED : STANDIN_PARKED;
}

const HalonHSLValue *standin_call_result(const HalonHSLContext *call)
{
    return call->result;
}

bool standin_call_free(HalonHSLContext *call)
{
    bool still_parked;

    pthread_mutex_lock(&standin_lock);
    still_parked = call->suspended && !call->over;
    call->forgotten = still_parked;
    pthread_mutex_unlock(&standin_lock);
    if (!still_parked)
        destroy(call);
    return !still_parked;
}

/* ------------------------------------------------------------------------------------------------
 * What the plugin calls
 */
static bool alive(const HalonHSLContext *call, const char *function)
{
    if (call && call->magic == STANDIN_MAGIC_CALL)
        return true;
    standin_fault_add("%s: %s", function, call ? "the call is dead: it has returned or was scheduled" : "the context is NULL");
    return false;
}

static bool arguments_alive(const HalonHSLArguments *arguments, const char *function)
{
    if (!arguments)
        return false;
    if (arguments->magic == STANDIN_MAGIC_ARGS)
        return true;
    standin_fault_add("%s: the list is dead: it lives until the function returns, also when the call is parked", function);
    return false;
}

size_t HalonMTA_hsl_argument_length(HalonHSLArguments *arguments)
{
    return arguments_alive(arguments, "HalonMTA_hsl_argument_length") ? arguments->call->count : 0;
}

HalonHSLValue *HalonMTA_hsl_argument_get(HalonHSLArguments *arguments, size_t i)
{
    if (!arguments_alive(arguments, "HalonMTA_hsl_argument_get") || i >= arguments->call->count)
        return NULL;
    return arguments->call->values[i];
}

HalonHSLValue *HalonMTA_hsl_throw(HalonHSLContext *call)
{
    bool inside, suspended;

    if (!alive(call, "HalonMTA_hsl_throw"))
        return NULL;
    pthread_mutex_lock(&standin_lock);
    inside = call->inside && pthread_equal(call->thread, pthread_self());
    suspended = call->suspended;
    pthread_mutex_unlock(&standin_lock);
    if (!inside || suspended) {
        standin_fault_add("HalonMTA_hsl_throw: %s", suspended ? "after HalonMTA_hsl_suspend_return" : "outside the function");
        return NULL;
    }
    if (call->exception)
        standin_fault_add("HalonMTA_hsl_throw: twice in a call");
    else
        call->exception = standin_value_new(STANDIN_EXCEPTION);
    return call->exception;
}

void HalonMTA_hsl_suspend_return(HalonHSLContext *call)
{
    bool inside, again;

    if (!alive(call, "HalonMTA_hsl_suspend_return"))
        return;
    pthread_mutex_lock(&standin_lock);
    inside = call->inside && pthread_equal(call->thread, pthread_self());
    again = call->suspended;
    call->suspended = call->suspended || inside;
    pthread_mutex_unlock(&standin_lock);
    if (!inside)
        standin_fault_add("HalonMTA_hsl_suspend_return: outside the function");
    else if (again)
        standin_fault_add("HalonMTA_hsl_suspend_return: twice in a call");
}

void HalonMTA_hsl_schedule(HalonHSLContext *call)
{
    struct standin_chain chain = {NULL, NULL, 0};
    bool again, inside, forgotten;

    if (!alive(call, "HalonMTA_hsl_schedule"))
        return;
    pthread_mutex_lock(&standin_lock);
    again = call->scheduled || call->over;
    call->scheduled = true;
    pthread_mutex_unlock(&standin_lock);
    if (again) {
        standin_fault_add("HalonMTA_hsl_schedule: twice for one call, or after its exception");
        return;
    }
    call->result = take(&chain, &call->ret);
    standin_chain_release(&chain);

    pthread_mutex_lock(&standin_lock);
    inside = call->inside;
    if (inside) {
        /* standin_call_run ends the call; it may do so, and the script free it, once the lock is released. */
        call->taken = true;
        pthread_mutex_unlock(&standin_lock);
        return;
    }
    pthread_mutex_unlock(&standin_lock);

    /* The function has returned and the script waits for us: nobody else changes the call. */
    kill_arguments(&chain, call);
    standin_chain_release(&chain);
    pthread_mutex_lock(&standin_lock);
    forgotten = call->forgotten;
    wake_locked(call);
    pthread_mutex_unlock(&standin_lock);
    if (forgotten)
        destroy(call);
}
