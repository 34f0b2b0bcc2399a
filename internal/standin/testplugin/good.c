/*
 * good.c - functions that keep the rules.
 */
#include "plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

/* Calls that wait for release(). */
static struct held {
    HalonHSLContext *context;
    HalonHSLValue *ret;
    struct held *next;
} *held;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void set_text(HalonHSLValue *value, const char *text)
{
    HalonMTA_hsl_value_set(value, HALONMTA_HSL_TYPE_STRING, text, 0);
}

const char *text_of(HalonHSLValue *value)
{
    const char *text = "";

    HalonMTA_hsl_value_get(value, HALONMTA_HSL_TYPE_STRING, &text, NULL);
    return text;
}

static void *run_job(void *argument)
{
    struct job *job = argument;

    job->work(job);
    free(job);
    return NULL;
}

pthread_t start(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret, void (*work)(struct job *))
{
    struct job *job = malloc(sizeof(*job));
    pthread_t thread;

    *job = (struct job){c, args, HalonMTA_hsl_argument_get(args, 0), ret, work};
    pthread_create(&thread, NULL, run_job, job);
    return thread;
}

/* Deep copy through the interface. */
static void copy(HalonHSLValue *to, const HalonHSLValue *from)
{
    const char *text;
    size_t len;
    double number;
    bool boolean;

    if (HalonMTA_hsl_value_get(from, HALONMTA_HSL_TYPE_STRING, &text, &len)) {
        HalonMTA_hsl_value_set(to, HALONMTA_HSL_TYPE_STRING, text, len);
    } else if (HalonMTA_hsl_value_get(from, HALONMTA_HSL_TYPE_NUMBER, &number, NULL)) {
        HalonMTA_hsl_value_set(to, HALONMTA_HSL_TYPE_NUMBER, &number, 0);
    } else if (HalonMTA_hsl_value_get(from, HALONMTA_HSL_TYPE_BOOLEAN, &boolean, NULL)) {
        HalonMTA_hsl_value_set(to, HALONMTA_HSL_TYPE_BOOLEAN, &boolean, 0);
    } else if (HalonMTA_hsl_value_type(from) == HALONMTA_HSL_TYPE_ARRAY) {
        HalonMTA_hsl_value_set(to, HALONMTA_HSL_TYPE_ARRAY, NULL, 0);
        for (size_t i = 0; i < HalonMTA_hsl_value_array_length(from); i++) {
            HalonHSLValue *key, *k, *v, *value = HalonMTA_hsl_value_array_get(from, i, &key);

            HalonMTA_hsl_value_array_add(to, &k, &v);
            copy(k, key);
            copy(v, value);
        }
    }
}

/* ------------------------------------------------------------------------------------------------
 * The functions
 */
static void echo(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    (void)c;
    copy(ret, HalonMTA_hsl_argument_get(args, 0));
}

static void count(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    double n = (double)HalonMTA_hsl_argument_length(args);

    (void)c;
    if (HalonMTA_hsl_argument_get(args, (size_t)n) == NULL)
        HalonMTA_hsl_value_set(ret, HALONMTA_HSL_TYPE_NUMBER, &n, 0);
}

static void find(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    const char *name = text_of(HalonMTA_hsl_argument_get(args, 1));
    HalonHSLValue *value = HalonMTA_hsl_value_array_find(HalonMTA_hsl_argument_get(args, 0), name);

    (void)c;
    if (value)
        copy(ret, value);
}

/* The getters take NULL; a failed get leaves its output alone. */
static void tolerance(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    double number = 7;
    size_t len = 7;
    const char *text = "untouched";
    char *json = NULL;
    bool ok = HalonMTA_hsl_value_type(NULL) == HALONMTA_HSL_TYPE_NONE &&
              !HalonMTA_hsl_value_get(NULL, HALONMTA_HSL_TYPE_NUMBER, &number, NULL) &&
              HalonMTA_hsl_value_array_length(NULL) == 0 && !HalonMTA_hsl_value_array_get(NULL, 0, NULL) &&
              !HalonMTA_hsl_value_array_find(NULL, "x") && !HalonMTA_hsl_value_to_json(NULL, &json, NULL) &&
              !HalonMTA_hsl_value_get(HalonMTA_hsl_argument_get(args, 0), HALONMTA_HSL_TYPE_STRING, &text, &len) &&
              !HalonMTA_config_string_get(NULL, NULL) && !HalonMTA_config_object_get(NULL, "x") &&
              !HalonMTA_config_array_get(NULL, 0) && !HalonMTA_config_object_key_get(NULL, 0) &&
              !HalonMTA_config_to_json(NULL, &json, NULL) && number == 7 && len == 7 && strcmp(text, "untouched") == 0;

    (void)c;
    HalonMTA_hsl_value_set(ret, HALONMTA_HSL_TYPE_BOOLEAN, &ok, 0);
}

/* array_add makes an array of none; the empty string needs no length. */
static void build(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    HalonHSLValue *k, *v;
    double n = -184;

    (void)c;
    (void)args;
    HalonMTA_hsl_value_array_add(ret, &k, &v);
    set_text(k, "errno");
    HalonMTA_hsl_value_set(v, HALONMTA_HSL_TYPE_NUMBER, &n, 0);
    HalonMTA_hsl_value_array_add(ret, &k, &v);
    set_text(k, "");
    HalonMTA_hsl_value_set(v, HALONMTA_HSL_TYPE_STRING, "a\0b", 3);
    HalonMTA_hsl_value_array_add(ret, &k, &v);
    set_text(k, "overwritten");
    set_text(v, "text");
    HalonMTA_hsl_value_set(v, HALONMTA_HSL_TYPE_NONE, NULL, 0);
}

static void to_json(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    char *json = NULL;
    size_t len = 0;
    bool ok = HalonMTA_hsl_value_to_json(HalonMTA_hsl_argument_get(args, 0), &json, &len);

    if (ok)
        HalonMTA_hsl_value_set(ret, HALONMTA_HSL_TYPE_STRING, json, len);
    else
        HalonMTA_hsl_value_set(HalonMTA_hsl_throw(c), HALONMTA_HSL_TYPE_EXCEPTION, json, len);
    free(json);
}

static void from_json(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    char *error = NULL;
    size_t len = 0;

    if (!HalonMTA_hsl_value_from_json(ret, text_of(HalonMTA_hsl_argument_get(args, 0)), &error, &len))
        HalonMTA_hsl_value_set(HalonMTA_hsl_throw(c), HALONMTA_HSL_TYPE_EXCEPTION, error, len);
    free(error);
}

static void throw(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    set_text(ret, "dropped");
    HalonMTA_hsl_value_set(HalonMTA_hsl_throw(c), HALONMTA_HSL_TYPE_EXCEPTION,
                           text_of(HalonMTA_hsl_argument_get(args, 0)), 0);
}

static void log_line(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    double priority = 0;

    (void)c;
    (void)ret;
    HalonMTA_hsl_value_get(HalonMTA_hsl_argument_get(args, 0), HALONMTA_HSL_TYPE_NUMBER, &priority, NULL);
    syslog((int)priority | LOG_MAIL, "%s", text_of(HalonMTA_hsl_argument_get(args, 1)));
}

static void configuration(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    char text[256];

    (void)c;
    (void)args;
    snprintf(text, sizeof(text), "%s %s %s", config_json ? config_json : "-", appconfig_json ? appconfig_json : "-",
             shape ? shape : "-");
    set_text(ret, text);
}

static void life(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    char text[64];

    (void)c;
    (void)args;
    snprintf(text, sizeof(text), "%d %d %d %d", inits, readies, early_cleanups, cleanups);
    set_text(ret, text);
}

/* Found with dlsym: registered without an entry. */
HALON_EXPORT void by_name(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    (void)c;
    (void)args;
    set_text(ret, "by name");
}

static void copy_and_schedule(struct job *job)
{
    copy(job->ret, job->argument);
    HalonMTA_hsl_schedule(job->context);
}

/* Parks; a thread answers, now before and now after the function has returned. */
static void park(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    pthread_detach(start(c, args, ret, copy_and_schedule));
    HalonMTA_hsl_suspend_return(c);
}

/* The thread has always answered before the function parks. */
static void park_early(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    pthread_join(start(c, args, ret, copy_and_schedule), NULL);
    HalonMTA_hsl_suspend_return(c);
}

static void hold(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    struct held *h = malloc(sizeof(*h));

    (void)args;
    pthread_mutex_lock(&lock);
    *h = (struct held){c, ret, held};
    held = h;
    pthread_mutex_unlock(&lock);
    HalonMTA_hsl_suspend_return(c);
}

void release_all(const char *answer)
{
    struct held *h;

    pthread_mutex_lock(&lock);
    h = held;
    held = NULL;
    pthread_mutex_unlock(&lock);
    while (h) {
        struct held *next = h->next;

        set_text(h->ret, answer);
        HalonMTA_hsl_schedule(h->context);
        free(h);
        h = next;
    }
}

static void release(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    (void)c;
    (void)args;
    (void)ret;
    release_all("released");
}

const struct function good_functions[] = {
    {"echo", echo},
    {"count", count},
    {"find", find},
    {"tolerance", tolerance},
    {"build", build},
    {"to_json", to_json},
    {"from_json", from_json},
    {"throw", throw},
    {"log_line", log_line},
    {"configuration", configuration},
    {"life", life},
    {"by_name", NULL},
    {"park", park},
    {"park_early", park_early},
    {"hold", hold},
    {"release", release},
    {NULL, NULL},
};
