/*
 * plugin.c - a plugin for the tests of the stand-in host.
 *
 * The functions of the first part keep the rules and show that the host does what include/HalonMTA.h says. Each
 * function of the second part breaks one rule, in the way that a plausible plugin would: the test
 * wants exactly one fault.
 */
#include <HalonMTA.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

static char *config_json, *appconfig_json, *shape;
static int inits, cleanups, early_cleanups, readies;

/* What a function that breaks a rule keeps for later. */
static HalonHSLContext *kept_context;
static HalonHSLArguments *kept_arguments;
static HalonHSLValue *kept_value;
static HalonHSLRegisterContext *kept_register;
static HalonInitContext *kept_init;
static HalonConfig *kept_config;
static const char *kept_text;
static size_t kept_len;

/* Calls that wait for release(). */
static struct held {
    HalonHSLContext *context;
    HalonHSLValue *ret;
    struct held *next;
} *held;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void set_text(HalonHSLValue *value, const char *text)
{
    HalonMTA_hsl_value_set(value, HALONMTA_HSL_TYPE_STRING, text, 0);
}

static const char *text_of(HalonHSLValue *value)
{
    const char *text = "";

    HalonMTA_hsl_value_get(value, HALONMTA_HSL_TYPE_STRING, &text, NULL);
    return text;
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
 * Functions that keep the rules
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

/* One job for a thread of the plugin. */
struct job {
    HalonHSLContext *context;
    HalonHSLArguments *arguments;
    HalonHSLValue *argument, *ret;
    void (*work)(struct job *);
};

static void *run_job(void *argument)
{
    struct job *job = argument;

    job->work(job);
    free(job);
    return NULL;
}

static pthread_t start(HalonHSLContext *c, HalonHSLArguments *args, HalonHSLValue *ret, void (*work)(struct job *))
{
    struct job *job = malloc(sizeof(*job));
    pthread_t thread;

    *job = (struct job){c, args, HalonMTA_hsl_argument_get(args, 0), ret, work};
    pthread_create(&thread, NULL, run_job, job);
    return thread;
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

static void release_all(const char *answer)
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

/* ------------------------------------------------------------------------------------------------
 * Functions that break one rule each
 */
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

/* ------------------------------------------------------------------------------------------------
 * Entry points
 */
HALON_EXPORT int Halon_version(void)
{
    return HALONMTA_PLUGIN_VERSION;
}

static const char *scalar(HalonConfig *config, const char *key)
{
    const char *text = HalonMTA_config_string_get(HalonMTA_config_object_get(config, key), NULL);

    return text ? text : "";
}

HALON_EXPORT bool Halon_init(HalonInitContext *context)
{
    HalonConfig *config = NULL, *appconfig = NULL, *list;
    const char *item, *key;
    char text[128] = "";

    free(config_json);
    free(appconfig_json);
    free(shape);
    config_json = appconfig_json = NULL;
    inits++;
    kept_init = context;
    HalonMTA_init_getinfo(context, HALONMTA_INIT_CONFIG, NULL, 0, &config, NULL);
    HalonMTA_init_getinfo(context, HALONMTA_INIT_APPCONFIG, NULL, 0, &appconfig, NULL);
    HalonMTA_config_to_json(config, &config_json, NULL);
    HalonMTA_config_to_json(appconfig, &appconfig_json, NULL);
    kept_config = config;

    /* Each scalar of "list", then each key: what the node functions give, without to_json. */
    list = HalonMTA_config_object_get(config, "list");
    for (size_t i = 0; HalonMTA_config_array_get(list, i); i++) {
        item = HalonMTA_config_string_get(HalonMTA_config_array_get(list, i), NULL);
        strncat(text, item ? item : "NULL", sizeof(text) - strlen(text) - 1);
        strncat(text, "|", sizeof(text) - strlen(text) - 1);
    }
    for (size_t i = 0; (key = HalonMTA_config_string_get(HalonMTA_config_object_key_get(config, i), NULL)); i++) {
        strncat(text, key, sizeof(text) - strlen(text) - 1);
        strncat(text, ",", sizeof(text) - strlen(text) - 1);
    }
    shape = strdup(text);
    if (strcmp(scalar(config, "number"), "7") == 0)
        HalonMTA_init_getinfo(context, 1, NULL, 0, &config, NULL);
    if (strcmp(scalar(config, "refuse"), "true") != 0)
        return true;
    syslog(LOG_CRIT, "test: %s", "told to refuse");
    return false;
}

HALON_EXPORT void Halon_ready(HalonReadyContext *context)
{
    (void)context;
    readies++;
}

HALON_EXPORT void Halon_config_reload(HalonConfig *config)
{
    free(appconfig_json);
    appconfig_json = NULL;
    HalonMTA_config_to_json(config, &appconfig_json, NULL);
}

HALON_EXPORT void Halon_early_cleanup(void)
{
    early_cleanups++;
}

HALON_EXPORT void Halon_cleanup(void)
{
    cleanups++;
    release_all("stopped");
}

HALON_EXPORT bool Halon_command_execute(HalonCommandExecuteContext *context, size_t argc, const char *argv[],
                                        size_t argvl[], char **out, size_t *outlen)
{
    (void)context;
    if (argc == 0 || *out != NULL || *outlen != 0)
        return argc == 0;
    if (strcmp(argv[0], "text") == 0) {
        *out = strdup("some text");
        return true;
    }
    if (strcmp(argv[0], "bytes") == 0 && argc == 2) {
        *out = malloc(argvl[1]);
        memcpy(*out, argv[1], argvl[1]);
        *outlen = argvl[1];
        return true;
    }
    if (strcmp(argv[0], "length alone") == 0) {
        *outlen = 3;
        return true;
    }
    *out = strdup("usage");
    return false;
}

HALON_EXPORT bool Halon_hsl_register(HalonHSLRegisterContext *context)
{
    static const struct {
        const char *name;
        HalonHSLFunction *function;
    } functions[] = {
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
    };

    kept_register = context;
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        /* The host copies the name. */
        char *name = strdup(functions[i].name);

        HalonMTA_hsl_module_register_function(context, name, functions[i].function);
        memset(name, 'x', strlen(name));
        free(name);
    }
    HalonMTA_hsl_register_function(context, "everywhere", echo);
    return true;
}
