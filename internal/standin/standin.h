/*
 * standin.h - what the stand-in host offers to its two users: the Go face of this package and the C
 * driver in driver/.
 *
 * There is one host and one plugin in a process: the plugin interface is a set of global symbols, and a
 * library built by Go can't be unloaded. So no function here takes a host.
 *
 * Everything that a plugin does against the rules of include/HalonMTA.h is recorded as a fault, one line
 * of text each, and the host goes on: a test reads them all at the end.
 */
#ifndef STANDIN_H
#define STANDIN_H

#include <HalonMTA.h>

#include <stdarg.h>
#include <stdint.h>

/* ------------------------------------------------------------------------------------------------
 * The life of the plugin (load.c). One thread at a time, except standin_command.
 */

/*
 * Loads a plugin, lazily bound as smtpd does it, and checks Halon_version.
 *
 * path        copied; without a slash it is a file in the working folder.
 * global      load with RTLD_GLOBAL, so that its symbols can disturb, and be disturbed by, others.
 * error       receives the reason on false, cut at `size`.
 * returns     true: loaded, faults and functions start empty. false: not loaded, or one is already open.
 */
bool standin_open(const char *path, bool global, char *error, size_t size);

/*
 * Hands over the two configuration trees; the host owns them from here on. NULL: the plugin gets NULL, as
 * if it was loaded from the autoload folder.
 */
void standin_configure(HalonConfig *config, HalonConfig *appconfig);

bool standin_init(void);                   /* Halon_early_init, then Halon_init; true where absent */
bool standin_register(void);               /* Halon_hsl_register; forgets earlier registrations; true where absent */
void standin_ready(void);                  /* Halon_ready */
void standin_reload(HalonConfig *config);  /* Halon_config_reload; takes the tree, which may be NULL */
void standin_early_cleanup(void);          /* Halon_early_cleanup */
void standin_cleanup(void);                /* Halon_cleanup; may be called again */
void standin_close(void);                  /* forgets the plugin; standin_open may follow */

/*
 * Halon_command_execute. Callable from any thread, and while calls run.
 *
 * argv, argvl  copied; the plugin's copies are poisoned afterwards.
 * out          receives a buffer for free(3), or NULL; always ends with a NUL that *outlen does not count.
 * returns      what the plugin returned; false where it has no commands.
 */
bool standin_command(size_t argc, const char *const *argv, const size_t *argvl, char **out, size_t *outlen);

/* The registered functions, in the order of registration. */
size_t standin_function_count(void);
const char *standin_function_name(size_t i);
bool standin_function_global(size_t i);
int standin_function(const char *name); /* -1: there is none */

/* ------------------------------------------------------------------------------------------------
 * Configuration trees (config.c). The caller owns a tree until it gives it away.
 */
enum standin_scalar { STANDIN_STRING, STANDIN_NUMBER, STANDIN_BOOLEAN, STANDIN_NULL };

HalonConfig *standin_config_scalar(const char *text, size_t len, enum standin_scalar kind);
HalonConfig *standin_config_list(void);
HalonConfig *standin_config_object(void);
void standin_config_append(HalonConfig *list, HalonConfig *item);                          /* takes item */
void standin_config_put(HalonConfig *object, const char *key, size_t len, HalonConfig *value); /* takes value */
void standin_config_free(HalonConfig *config);

/* ------------------------------------------------------------------------------------------------
 * Calls (call.c)
 */
enum standin_state {
    STANDIN_RETURNED, /* the result is there */
    STANDIN_THREW,    /* the result is the text of the exception, a string */
    STANDIN_PARKED    /* wait for the plugin to schedule it */
};

HalonHSLContext *standin_call_new(int function);

/* Appends an argument, none at first. Host-side setters below fill it. */
HalonHSLValue *standin_call_argument(HalonHSLContext *call);

/*
 * Enters the function on this thread.
 *
 * tag      0: wait with standin_call_wait. Else: the end of a parked call is an event with this tag.
 */
enum standin_state standin_call_run(HalonHSLContext *call, uint64_t tag);

/* Blocks until a parked call is woken, at most so many milliseconds (-1: no limit). */
enum standin_state standin_call_wait(HalonHSLContext *call, long milliseconds);

/* The result; lives until standin_call_free. Only after RETURNED or THREW. */
const HalonHSLValue *standin_call_result(const HalonHSLContext *call);

/*
 * Ends a call. A parked one is forgotten by its script and freed when the plugin schedules it.
 * returns  true: it was over, and its event, if any, is on the way. false: it is parked, and no event will come.
 */
bool standin_call_free(HalonHSLContext *call);

/* Host-side setters: as HalonMTA_hsl_value_set, without its checks. */
void standin_value_none(HalonHSLValue *value);
void standin_value_boolean(HalonHSLValue *value, bool boolean);
void standin_value_number(HalonHSLValue *value, double number);
void standin_value_string(HalonHSLValue *value, const char *bytes, size_t len);
void standin_value_array(HalonHSLValue *value, size_t capacity);
void standin_value_pair(HalonHSLValue *array, HalonHSLValue **key, HalonHSLValue **value);

/* ------------------------------------------------------------------------------------------------
 * A call in one piece, over a flat encoding of values (wire.c); for the Go face.
 *
 *   none 'z' | false 'f' | true 't' | number 'n' 8 bytes | string 's' 8 bytes of length, bytes |
 *   array 'a' 8 bytes of count, then key and value of each pair.         Integers and doubles: native order.
 *
 * call     receives the call when the state is PARKED: give it to standin_wire_collect after its event, or
 *          to standin_call_free to forget it. Else NULL.
 * out      receives a buffer for free(3), the result encoded, when the state is not PARKED.
 * returns  a state, or -1: the arguments are not a valid encoding.
 */
int standin_wire_call(int function, const char *args, size_t len, uint64_t tag, HalonHSLContext **call, char **out,
                      size_t *outlen);
void standin_wire_collect(HalonHSLContext *call, char **out, size_t *outlen);

/* ------------------------------------------------------------------------------------------------
 * What is counted. Any thread.
 */
long standin_live_values(void); /* values that were made and not yet ended */
long standin_parked(void);      /* calls that wait for HalonMTA_hsl_schedule */

size_t standin_faults(void);               /* how many */
const char *standin_fault(size_t i);       /* the text of one, valid until standin_open; NULL past the end or beyond 1,000 */
void standin_abort_on_fault(bool yes);     /* for a debugger or a core file */

/* Checks and frees the dead memory that is kept to catch its late use. */
void standin_quarantine_flush(void);

/* ------------------------------------------------------------------------------------------------
 * The log (log.c): syslog(3) of the plugin ends here.
 *
 * `line` is called on the thread that logs, which may be any; it gets the priority without the facility.
 * NULL: a line `<err> text` on standard error.
 */
void standin_log_to(void (*line)(void *context, int priority, const char *text), void *context);

/* ------------------------------------------------------------------------------------------------
 * Events (event.c), for a user that can't be called back from a foreign thread.
 */
enum standin_event_kind {
    STANDIN_EVENT_WOKEN, /* the parked call `tag` was scheduled */
    STANDIN_EVENT_LOG,   /* priority, text */
    STANDIN_EVENT_MARK,  /* what standin_event_mark put there: all events before it were taken */
    STANDIN_EVENT_END    /* standin_events_stop: take no more */
};

struct standin_event {
    enum standin_event_kind kind;
    uint64_t tag;
    int priority;
    char *text; /* for free(3) */
    size_t len;
};

void standin_event_next(struct standin_event *event); /* blocks */
void standin_event_mark(uint64_t tag);
void standin_events_start(bool log); /* log: lines of the log become events */
void standin_events_stop(void);

#endif
