/*
 * plugin.h - what the files of the test plugin share.
 *
 * good.c keeps the rules and shows that the host does what include/HalonMTA.h says. Each function of broken.c
 * breaks one rule, in the way that a plausible plugin would: the test wants exactly one fault. plugin.c
 * holds the entry points.
 */
#ifndef TESTPLUGIN_H
#define TESTPLUGIN_H

#include <HalonMTA.h>

#include <pthread.h>

struct function {
    const char *name;
    HalonHSLFunction *function;
};

extern const struct function good_functions[], broken_functions[]; /* up to a NULL name */

/* What the entry points keep for the functions. */
extern char *config_json, *appconfig_json, *shape;
extern int inits, cleanups, early_cleanups, readies;
extern HalonHSLRegisterContext *kept_register;
extern HalonInitContext *kept_init;
extern HalonConfig *kept_config;

void set_text(HalonHSLValue *value, const char *text);
const char *text_of(HalonHSLValue *value);

/* Wakes all calls that hold() parked. */
void release_all(const char *answer);

/* One job for a thread of the plugin. */
struct job {
    HalonHSLContext *context;
    HalonHSLArguments *arguments;
    HalonHSLValue *argument, *ret;
    void (*work)(struct job *);
};

/* Runs `work` on a thread of the plugin. */
pthread_t start(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret, void (*work)(struct job *));

#endif
