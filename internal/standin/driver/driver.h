/*
 * driver.h - the border tests: a plain C program that loads a built kafka.so into the stand-in host and does
 * to it what a script, an operator or a mail server in trouble could do.
 *
 * Plain C, because the AddressSanitizer does not start in a Go program; one scenario a process, because a
 * library built by Go can't be unloaded.
 */
#ifndef DRIVER_H
#define DRIVER_H

#include "../standin.h"

#include <stdio.h>

/*
 * One scenario. It starts with an open plugin that is neither registered nor started, and ends by returning;
 * main.c then stops the plugin and wants no fault, no live value and no parked call.
 */
struct scenario {
    const char *name;
    const char *needs; /* "": nothing; "broker": broker=HOST:PORT; "fault": a plugin built with -tags faultinject;
                          "slow": a minute */
    const char *loses; /* what an operator would lose if it failed, in one sentence */
    void (*run)(void);
};

extern const struct scenario arguments_scenarios[], values_scenarios[], queue_scenarios[], life_scenarios[],
    config_scenarios[], threads_scenarios[];

/* Ends the process with the scenario's name and the text. */
void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* The value of key=value on the command line. */
const char *option(const char *key, const char *otherwise);

/* Whether the program, and so the host, is built with AddressSanitizer. */
extern const bool sanitized;

double seconds(void); /* a clock that only goes forward */

/* ------------------------------------------------------------------------------------------------
 * Start and stop (life.c)
 */

/* "127.0.0.1:PORT", where nothing listens while the process lives: Kafka is down. */
const char *nobody(void);

/* A queue "kafka1" at an address, with properties in pairs up to NULL; numbers become YAML numbers. */
HalonConfig *one_queue(const char *bootstrap, ...);

/* A queue's entry {id, config} and a list of such, {queues: [...]}, up to NULL. */
HalonConfig *queue_entry(const char *id, const char *bootstrap, ...);
HalonConfig *with_queues(HalonConfig *entry, ...);

HalonConfig *text_node(const char *text);

/* Registers and starts with a configuration, or fails the scenario. Stops with all that hosts call. */
void start(HalonConfig *config);
void stop(void);

/* ------------------------------------------------------------------------------------------------
 * The log
 */
size_t logged(int priority, const char *text);         /* lines that are exactly this */
size_t logged_with(int priority, const char *part);    /* lines that hold this */
void log_forget(void);
void log_print(FILE *to);

/* ------------------------------------------------------------------------------------------------
 * Calls (calls.c)
 */
struct answer {
    enum standin_state state;
    char exception[256];
    bool empty_array;
    bool has_errno;
    double errno_;
    char errstr[256];
    HalonHSLContext *parked; /* state PARKED: give it to wait_for */
};

/*
 * One call of kafka_producer, an argument a letter:
 *   s const char *   b const char *, size_t   n double   t int   z none
 *   a empty array    h const char *const *: names and values up to NULL
 */
struct answer produce(const char *format, ...);

/* The same in two steps, for arguments that have no letter. */
HalonHSLContext *produce_begin(const char *format, ...);
struct answer produce_end(HalonHSLContext *call);

struct answer call_function(const char *name); /* without arguments */

/* Waits for a parked call, at most so many seconds. */
struct answer wait_for(struct answer parked, double limit);

/* Fail the scenario, with what was done, unless the answer is this. */
void want_accepted(struct answer answer, const char *what);
void want_exception(struct answer answer, const char *text, const char *what);
void want_code(struct answer answer, int code, const char *text, const char *what);
void want_parked(struct answer answer, const char *what);
bool is_answer(struct answer answer); /* an empty array, or errno and errstr, or an exception */

#endif
