#include "host.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ticks.h"

/* What Halon_init and Halon_hsl_register get. */
struct HalonInitContext {
    HalonConfig *config, *app;
};

struct HalonHSLRegisterContext {
    struct plugin *plugin;
};

void fail(const char *format, ...)
{
    va_list list;

    fputs("driver: ", stderr);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
    /* Not exit: it would wait in the destructors of a plugin that still runs. */
    _Exit(1);
}

/* ---- configuration ---- */

bool HalonMTA_init_getinfo(HalonInitContext *context, int what, const void *in, size_t inlen, void *out, size_t *outlen)
{
    (void)in;
    (void)inlen;
    (void)outlen;
    *(HalonConfig **)out = what == HALONMTA_INIT_CONFIG ? context->config : context->app;
    return what == HALONMTA_INIT_CONFIG || what == HALONMTA_INIT_APPCONFIG;
}

HalonConfig *HalonMTA_config_object_get(HalonConfig *config, const char *key)
{
    for (size_t i = 0; config && config->names && i < config->len; ++i)
        if (strcmp(config->names[i].scalar, key) == 0)
            return &config->items[i];
    return NULL;
}

HalonConfig *HalonMTA_config_object_key_get(HalonConfig *config, size_t i)
{
    return config && config->names && i < config->len ? &config->names[i] : NULL;
}

HalonConfig *HalonMTA_config_array_get(HalonConfig *config, size_t i)
{
    return config && !config->scalar && !config->names && i < config->len ? &config->items[i] : NULL;
}

const char *HalonMTA_config_string_get(HalonConfig *config, size_t *len)
{
    if (!config || !config->scalar)
        return NULL;
    if (len)
        *len = strlen(config->scalar);
    return config->scalar;
}

/* ---- registration ---- */

void HalonMTA_hsl_module_register_function(HalonHSLRegisterContext *context, const char *name, HalonHSLFunction *function)
{
    if (strcmp(name, "kafka_producer") != 0)
        return;
    if (!function) {
        void *symbol = dlsym(context->plugin->handle, name);
        memcpy(&function, &symbol, sizeof function);
    }
    context->plugin->function = function;
}

void HalonMTA_hsl_register_function(HalonHSLRegisterContext *context, const char *name, HalonHSLFunction *function)
{
    HalonMTA_hsl_module_register_function(context, name, function);
}

/* ---- values ---- */

size_t HalonMTA_hsl_argument_length(HalonHSLArguments *arguments)
{
    return arguments->len;
}

HalonHSLValue *HalonMTA_hsl_argument_get(HalonHSLArguments *arguments, size_t i)
{
    return i < arguments->len ? &arguments->values[i] : NULL;
}

int HalonMTA_hsl_value_type(const HalonHSLValue *value)
{
    return value ? value->type : HALONMTA_HSL_TYPE_NONE;
}

bool HalonMTA_hsl_value_get(const HalonHSLValue *value, int type, void *out, size_t *len)
{
    if (!value || value->type != type)
        return false;
    switch (type) {
    case HALONMTA_HSL_TYPE_STRING:
        *(const char **)out = value->text;
        if (len)
            *len = value->len;
        return true;
    case HALONMTA_HSL_TYPE_NUMBER:
        *(double *)out = value->number;
        return true;
    case HALONMTA_HSL_TYPE_BOOLEAN:
        *(bool *)out = value->boolean;
        return true;
    }
    return false;
}

static void set_text(HalonHSLValue *value, const char *text, size_t len)
{
    HalonHSLContext *context = value->context;

    if (len == 0)
        len = strlen(text);
    if (len >= HOST_TEXT - context->text_used)
        fail("the plugin set more than %d bytes of text in one result", HOST_TEXT);
    char *copy = context->text + context->text_used;
    memcpy(copy, text, len);
    copy[len] = '\0';
    context->text_used += len + 1;
    value->text = copy;
    value->len = len;
}

void HalonMTA_hsl_value_set(HalonHSLValue *value, int type, const void *in, size_t len)
{
    if (!value->context)
        fail("the plugin set an argument");
    value->type = type;
    switch (type) {
    case HALONMTA_HSL_TYPE_NONE:
        return;
    case HALONMTA_HSL_TYPE_ARRAY:
        value->pairs = NULL;
        value->len = 0;
        return;
    case HALONMTA_HSL_TYPE_NUMBER:
        memcpy(&value->number, in, sizeof value->number);
        return;
    case HALONMTA_HSL_TYPE_BOOLEAN:
        memcpy(&value->boolean, in, sizeof value->boolean);
        return;
    case HALONMTA_HSL_TYPE_STRING:
    case HALONMTA_HSL_TYPE_EXCEPTION:
        set_text(value, in, len);
        return;
    }
    fail("the plugin set a value of the type %d", type);
}

size_t HalonMTA_hsl_value_array_length(const HalonHSLValue *value)
{
    return value && value->type == HALONMTA_HSL_TYPE_ARRAY ? value->len : 0;
}

HalonHSLValue *HalonMTA_hsl_value_array_get(const HalonHSLValue *value, size_t i, HalonHSLValue **key)
{
    if (i >= HalonMTA_hsl_value_array_length(value))
        return NULL;
    if (key)
        *key = &value->pairs[i].key;
    return &value->pairs[i].value;
}

HalonHSLValue *HalonMTA_hsl_value_array_find(const HalonHSLValue *value, const char *key)
{
    for (size_t i = 0; i < HalonMTA_hsl_value_array_length(value); ++i)
        if (value->pairs[i].key.type == HALONMTA_HSL_TYPE_STRING && strcmp(value->pairs[i].key.text, key) == 0)
            return &value->pairs[i].value;
    return NULL;
}

/* The result is one flat array: its pairs lie in a row in the context. */
void HalonMTA_hsl_value_array_add(HalonHSLValue *array, HalonHSLValue **key, HalonHSLValue **value)
{
    HalonHSLContext *context = array->context;

    if (!context || array != &context->ret || context->pairs_used == HOST_PAIRS)
        fail("the plugin added to an array that is not its result, or more than %d pairs", HOST_PAIRS);
    if (array->type != HALONMTA_HSL_TYPE_ARRAY)
        HalonMTA_hsl_value_set(array, HALONMTA_HSL_TYPE_ARRAY, NULL, 0);
    array->pairs = context->pairs;
    struct pair *pair = &context->pairs[context->pairs_used++];
    pair->key.type = pair->value.type = HALONMTA_HSL_TYPE_NONE;
    pair->key.context = pair->value.context = context;
    array->len = context->pairs_used;
    *key = &pair->key;
    *value = &pair->value;
}

HalonHSLValue host_string(const char *text, size_t len)
{
    return (HalonHSLValue){.type = HALONMTA_HSL_TYPE_STRING, .text = text, .len = len};
}

HalonHSLValue host_number(double number)
{
    return (HalonHSLValue){.type = HALONMTA_HSL_TYPE_NUMBER, .number = number};
}

HalonHSLValue host_boolean(bool boolean)
{
    return (HalonHSLValue){.type = HALONMTA_HSL_TYPE_BOOLEAN, .boolean = boolean};
}

/* ---- calls ---- */

HalonHSLValue *HalonMTA_hsl_throw(HalonHSLContext *context)
{
    context->thrown = true;
    return &context->exception;
}

void HalonMTA_hsl_suspend_return(HalonHSLContext *context)
{
    context->parked = true;
}

void HalonMTA_hsl_schedule(HalonHSLContext *context)
{
    if (context->ready) {
        if (atomic_fetch_add(&context->halves, 1) == 1)
            context->ready(context->script);
        return;
    }
    pthread_mutex_lock(&context->lock);
    context->scheduled = true;
    pthread_cond_signal(&context->wake);
    pthread_mutex_unlock(&context->lock);
}

void host_context_init(HalonHSLContext *context)
{
    memset(context, 0, sizeof *context);
    pthread_mutex_init(&context->lock, NULL);
    pthread_cond_init(&context->wake, NULL);
    context->ret.context = context->exception.context = context;
}

void host_context_ready(HalonHSLContext *context, void (*ready)(void *script), void *script)
{
    context->ready = ready;
    context->script = script;
}

static void wait_scheduled(HalonHSLContext *context)
{
    pthread_mutex_lock(&context->lock);
    while (!context->scheduled)
        pthread_cond_wait(&context->wake, &context->lock);
    context->scheduled = false;
    pthread_mutex_unlock(&context->lock);
}

static void call(HalonHSLContext *context, HalonHSLFunction *function, HalonHSLArguments *arguments)
{
    context->thrown = context->parked = false;
    context->pairs_used = context->text_used = 0;
    context->ret.type = context->exception.type = HALONMTA_HSL_TYPE_NONE;
    function(context, arguments, &context->ret);
}

int host_call(HalonHSLContext *context, HalonHSLFunction *function, HalonHSLArguments *arguments)
{
    call(context, function, arguments);
    if (context->parked)
        wait_scheduled(context);
    return host_answer(context);
}

/*
 * The plugin may schedule before its entry has returned. The later of the two halves goes on: otherwise another thread
 * would use the context while this one is still in the call.
 */
bool host_begin(HalonHSLContext *context, HalonHSLFunction *function, HalonHSLArguments *arguments)
{
    atomic_store(&context->halves, 0);
    call(context, function, arguments);
    return !context->parked || atomic_fetch_add(&context->halves, 1) == 1;
}

int host_woken(HalonHSLContext *context)
{
    return atomic_load(&context->halves) - 1; /* the other half is the return of the call */
}

int host_try(HalonHSLContext *context, HalonHSLFunction *function, HalonHSLArguments *arguments)
{
    call(context, function, arguments);
    if (context->parked)
        fail("a call without block=true was parked");
    return context->thrown ? HOST_THROWN : host_answer(context);
}

int host_answer(HalonHSLContext *context)
{
    if (context->thrown)
        fail("exception: %s", context->exception.type == HALONMTA_HSL_TYPE_EXCEPTION ? context->exception.text : "");
    if (context->ret.type != HALONMTA_HSL_TYPE_ARRAY)
        fail("the result is no array");
    if (context->ret.len == 0)
        return 0;
    double number;
    if (!HalonMTA_hsl_value_get(HalonMTA_hsl_value_array_find(&context->ret, "errno"), HALONMTA_HSL_TYPE_NUMBER, &number,
                                NULL))
        fail("the result has no errno");
    return (int)number;
}

/* ---- life of a plugin ---- */

typedef bool entry_bool(void *context);
typedef void entry_void(void *context);

/* dlsym gives an object pointer, which C does not convert to one of a function. */
static bool find(void *handle, const char *name, void *function)
{
    void *symbol = dlsym(handle, name);

    memcpy(function, &symbol, sizeof symbol);
    return symbol != NULL;
}

void host_start(struct plugin *plugin, const char *path, HalonConfig *config, HalonConfig *app)
{
    HalonInitContext init = {config, app};
    HalonHSLRegisterContext registration = {plugin};
    int (*version)(void);
    entry_bool *start;
    entry_void *ready;

    uint64_t from = nanoseconds();
    plugin->handle = dlopen(path, RTLD_LAZY);
    plugin->load_ms = (double)(nanoseconds() - from) / 1e6;
    if (!plugin->handle)
        fail("%s", dlerror());
    if (!find(plugin->handle, "Halon_version", &version) || version() != HALONMTA_PLUGIN_VERSION)
        fail("%s: Halon_version is missing or not that of the header that the driver was built on", path);
    if (find(plugin->handle, "Halon_early_init", &start) && !start(&init))
        fail("%s: Halon_early_init refused the configuration; its log says why", path);
    from = nanoseconds();
    if (find(plugin->handle, "Halon_init", &start) && !start(&init))
        fail("%s: Halon_init refused the configuration; its log says why", path);
    plugin->init_ms = (double)(nanoseconds() - from) / 1e6;
    if (find(plugin->handle, "Halon_hsl_register", &start) && !start(&registration))
        fail("%s: Halon_hsl_register failed", path);
    if (find(plugin->handle, "Halon_ready", &ready))
        ready(NULL);
    if (!plugin->function)
        fail("%s: it registered no kafka_producer", path);
}

double host_reload(const struct plugin *plugin, HalonConfig *app)
{
    void (*reload)(HalonConfig *);

    if (!find(plugin->handle, "Halon_config_reload", &reload))
        fail("the plugin has no Halon_config_reload");
    uint64_t from = nanoseconds();
    reload(app);
    return (double)(nanoseconds() - from) / 1e6;
}

double host_stop(struct plugin *plugin)
{
    uint64_t from = nanoseconds();
    void (*stop)(void);

    if (find(plugin->handle, "Halon_early_cleanup", &stop))
        stop();
    if (find(plugin->handle, "Halon_cleanup", &stop))
        stop();
    return (double)(nanoseconds() - from) / 1e6;
}
