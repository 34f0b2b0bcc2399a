/*
 * broken.c - functions that break one rule each.
 */
#include "plugin.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>

/* What a function keeps for the next one. */
static HalonHSLContext *kept_context;
static HalonHSLArguments *kept_arguments;
static HalonHSLValue *kept_value;
static const char *kept_text;
static size_t kept_len;

static void double_schedule(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    (void)args;
    (void)ret;
    HalonMTA_hsl_schedule(c);
    HalonMTA_hsl_schedule(c);
    HalonMTA_hsl_suspend_return(c);
}

static void schedule_only(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    (void)args;
    set_text(ret, "answer");
    HalonMTA_hsl_schedule(c);
}

static void keep_context(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    (void)args;
    (void)ret;
    kept_context = c;
}

static void schedule_kept(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    (void)c;
    (void)args;
    (void)ret;
    HalonMTA_hsl_schedule(kept_context);
}

static void set_after_schedule(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    (void)args;
    HalonMTA_hsl_schedule(c);
    set_text(ret, "too late");
    HalonMTA_hsl_suspend_return(c);
}

static void suspend_twice(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    (void)args;
    (void)ret;
    HalonMTA_hsl_suspend_return(c);
    HalonMTA_hsl_suspend_return(c);
    HalonMTA_hsl_schedule(c);
}

static void suspend_elsewhere_work(struct job *job)
{
    HalonMTA_hsl_suspend_return(job->context);
}

static void suspend_elsewhere(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    pthread_join(start(c, args, ret, suspend_elsewhere_work), NULL);
}

static void throw_and_suspend(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    (void)args;
    (void)ret;
    HalonMTA_hsl_value_set(HalonMTA_hsl_throw(c), HALONMTA_HSL_TYPE_EXCEPTION, "both", 0);
    HalonMTA_hsl_suspend_return(c);
}

static void throw_unset(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    (void)args;
    (void)ret;
    HalonMTA_hsl_throw(c);
}

static void throw_twice(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    (void)args;
    (void)ret;
    HalonMTA_hsl_throw(c);
    HalonMTA_hsl_value_set(HalonMTA_hsl_throw(c), HALONMTA_HSL_TYPE_EXCEPTION, "twice", 0);
}

static void throw_as_string(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    HalonHSLValue *exception = HalonMTA_hsl_throw(c);

    (void)args;
    (void)ret;
    set_text(exception, "a string");
    HalonMTA_hsl_value_set(exception, HALONMTA_HSL_TYPE_EXCEPTION, "then right", 0);
}

static void exception_on_ret(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    (void)c;
    (void)args;
    HalonMTA_hsl_value_set(ret, HALONMTA_HSL_TYPE_EXCEPTION, "no throw", 0);
}

static void throw_late_work(struct job *job)
{
    HalonMTA_hsl_throw(job->context);
    HalonMTA_hsl_schedule(job->context);
}

static void throw_late(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    HalonMTA_hsl_suspend_return(c);
    pthread_join(start(c, args, ret, throw_late_work), NULL);
}

static void keep_arguments(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    (void)c;
    (void)ret;
    kept_arguments = args;
}

static void use_arguments(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    (void)c;
    (void)args;
    (void)ret;
    HalonMTA_hsl_argument_get(kept_arguments, 0);
}

static void keep_value(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    (void)c;
    (void)ret;
    kept_value = HalonMTA_hsl_argument_get(args, 0);
    HalonMTA_hsl_value_get(kept_value, HALONMTA_HSL_TYPE_STRING, &kept_text, &kept_len);
}

static void use_value(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    (void)c;
    (void)args;
    (void)ret;
    HalonMTA_hsl_value_type(kept_value);
}

/* No call of the host sees this one: the text itself must have changed. */
static void use_text(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    (void)c;
    (void)args;
    HalonMTA_hsl_value_set(ret, HALONMTA_HSL_TYPE_STRING, kept_text, kept_len);
}

static void write_text(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    (void)c;
    (void)args;
    (void)ret;
    memset((char *)kept_text, 'w', 1);
}

static void overrun(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    char *text;
    size_t len;

    (void)c;
    (void)ret;
    if (HalonMTA_hsl_value_get(HalonMTA_hsl_argument_get(args, 0), HALONMTA_HSL_TYPE_STRING, &text, &len))
        text[len + 1] = 'o';
}

static void keep_pair(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    HalonHSLValue *k, *v, *k2, *v2;

    (void)c;
    (void)args;
    HalonMTA_hsl_value_array_add(ret, &k, &v);
    set_text(k, "first");
    HalonMTA_hsl_value_array_add(ret, &k2, &v2);
    set_text(k2, "second");
    set_text(v, "through a pointer that has moved");
}

static void keep_found(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    HalonHSLValue *k, *v, *found;

    (void)c;
    (void)args;
    HalonMTA_hsl_value_array_add(ret, &k, &v);
    set_text(k, "first");
    HalonMTA_hsl_value_array_add(ret, &k, &v);
    set_text(k, "second");
    found = HalonMTA_hsl_value_array_find(ret, "first");
    HalonMTA_hsl_value_array_add(ret, &k, &v);
    set_text(k, "third");
    set_text(found, "through a pointer that has moved");
}

static void set_argument(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    (void)c;
    (void)ret;
    set_text(HalonMTA_hsl_argument_get(args, 0), "changed");
}

static void add_to_argument(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    HalonHSLValue *k, *v;

    (void)c;
    (void)ret;
    HalonMTA_hsl_value_array_add(HalonMTA_hsl_argument_get(args, 0), &k, &v);
}

static void add_to_string(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    HalonHSLValue *k, *v;

    (void)c;
    (void)args;
    set_text(ret, "text");
    HalonMTA_hsl_value_array_add(ret, &k, &v);
}

static void key_unset(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    HalonHSLValue *k, *v;

    (void)c;
    (void)args;
    HalonMTA_hsl_value_array_add(ret, &k, &v);
    set_text(v, "no key");
}

static void set_number_of_type(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    (void)c;
    (void)args;
    HalonMTA_hsl_value_set(ret, 4, NULL, 0);
}

static void get_number_of_type(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    const char *text;

    (void)c;
    (void)ret;
    HalonMTA_hsl_value_get(HalonMTA_hsl_argument_get(args, 0), 3, &text, NULL);
}

static void set_file(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    (void)c;
    (void)args;
    HalonMTA_hsl_value_set(ret, HALONMTA_HSL_TYPE_FILE, stderr, 0);
}

static void number_with_length(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    double n = 1;

    (void)c;
    (void)args;
    HalonMTA_hsl_value_set(ret, HALONMTA_HSL_TYPE_NUMBER, &n, sizeof(n));
}

static void string_of_null(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    (void)c;
    (void)args;
    HalonMTA_hsl_value_set(ret, HALONMTA_HSL_TYPE_STRING, NULL, 0);
}

static void array_of_something(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    (void)c;
    (void)args;
    HalonMTA_hsl_value_set(ret, HALONMTA_HSL_TYPE_ARRAY, "x", 0);
}

static void set_null(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    (void)c;
    (void)args;
    (void)ret;
    set_text(NULL, "nowhere");
}

static void use_config(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    (void)c;
    (void)args;
    (void)ret;
    HalonMTA_config_object_get(kept_config, "queues");
}

static void use_init(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    HalonConfig *config;

    (void)c;
    (void)args;
    (void)ret;
    HalonMTA_init_getinfo(kept_init, HALONMTA_INIT_CONFIG, NULL, 0, &config, NULL);
}

static void register_late(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    (void)c;
    (void)args;
    (void)ret;
    HalonMTA_hsl_module_register_function(kept_register, "late", register_late);
}

static void open_log(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret)
{
    (void)c;
    (void)args;
    (void)ret;
    openlog("plugin", LOG_PID, LOG_USER);
}

const struct function broken_functions[] = {
    {"double_schedule", double_schedule},
    {"schedule_only", schedule_only},
    {"keep_context", keep_context},
    {"schedule_kept", schedule_kept},
    {"set_after_schedule", set_after_schedule},
    {"suspend_twice", suspend_twice},
    {"suspend_elsewhere", suspend_elsewhere},
    {"throw_and_suspend", throw_and_suspend},
    {"throw_unset", throw_unset},
    {"throw_twice", throw_twice},
    {"throw_as_string", throw_as_string},
    {"exception_on_ret", exception_on_ret},
    {"throw_late", throw_late},
    {"keep_arguments", keep_arguments},
    {"use_arguments", use_arguments},
    {"keep_value", keep_value},
    {"use_value", use_value},
    {"use_text", use_text},
    {"write_text", write_text},
    {"overrun", overrun},
    {"keep_pair", keep_pair},
    {"keep_found", keep_found},
    {"set_argument", set_argument},
    {"add_to_argument", add_to_argument},
    {"add_to_string", add_to_string},
    {"key_unset", key_unset},
    {"set_number_of_type", set_number_of_type},
    {"get_number_of_type", get_number_of_type},
    {"set_file", set_file},
    {"number_with_length", number_with_length},
    {"string_of_null", string_of_null},
    {"array_of_something", array_of_something},
    {"set_null", set_null},
    {"use_config", use_config},
    {"use_init", use_init},
    {"register_late", register_late},
    {"open_log", open_log},
    {NULL, NULL},
};
