#include "producer_shim.h"

#include "latency.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "_cgo_export.h"

#define EXPORT __attribute__((visibility("default")))

/* The codes of librdkafka and of brokers lie between -MOST_CODE and MOST_CODE. */
#define MOST_CODE 255

/* Headers that fit the stack; a script that logs mail has a handful. */
#define PAIRS_ON_STACK 16

/*
 * Go's runtime starts threads when the library is loaded, and fork(2) copies only the caller's. In
 * the child the first call into Go would wait for ever for threads that are not there, so every
 * entry asks here first. A constructor notes the process, because a host may become a daemon after
 * it has loaded its plugins and before it starts them.
 */
static pid_t loaded_in;

__attribute__((constructor)) static void note_process(void)
{
    loaded_in = getpid();
}

static volatile bool is_child;

static void note_fork(void)
{
    is_child = true;
}

static bool forked(void)
{
    return is_child;
}

static void throw(HalonHSLContext *context, const char *text)
{
    HalonHSLValue *exception = HalonMTA_hsl_throw(context);
    HalonMTA_hsl_value_set(exception, HALONMTA_HSL_TYPE_EXCEPTION, text, 0);
}

static void add_pair(HalonHSLValue *ret, const char *name, int type, const void *value)
{
    /* Both pointers are good until the next array_add only. */
    HalonHSLValue *k = NULL, *v = NULL;
    HalonMTA_hsl_value_array_add(ret, &k, &v);
    HalonMTA_hsl_value_set(k, HALONMTA_HSL_TYPE_STRING, name, 0);
    HalonMTA_hsl_value_set(v, type, value, 0);
}

static void set_result(HalonHSLValue *ret, int code, const char *text)
{
    /* The array comes first: array_add alone would leave none when there is nothing to add. */
    HalonMTA_hsl_value_set(ret, HALONMTA_HSL_TYPE_ARRAY, NULL, 0);
    if (code == 0)
        return;
    double number = code;
    add_pair(ret, "errno", HALONMTA_HSL_TYPE_NUMBER, &number);
    add_pair(ret, "errstr", HALONMTA_HSL_TYPE_STRING, text);
}

static void gather(struct kafka_arg *arg, HalonHSLArguments *arguments, size_t position)
{
    HalonHSLValue *value = HalonMTA_hsl_argument_get(arguments, position);
    *arg = (struct kafka_arg){.kind = KAFKA_MISSING};
    if (!value)
        return;
    /* Not a switch: the header's constants need not be integer constant expressions for C. */
    int type = HalonMTA_hsl_value_type(value);
    if (type == HALONMTA_HSL_TYPE_STRING) {
        const char *bytes = NULL;
        arg->kind = HalonMTA_hsl_value_get(value, HALONMTA_HSL_TYPE_STRING, &bytes, &arg->length) ? KAFKA_STRING
                                                                                                 : KAFKA_OTHER;
        arg->bytes = bytes;
    } else if (type == HALONMTA_HSL_TYPE_NUMBER) {
        arg->kind = HalonMTA_hsl_value_get(value, HALONMTA_HSL_TYPE_NUMBER, &arg->number, NULL) ? KAFKA_NUMBER
                                                                                                : KAFKA_OTHER;
    } else if (type == HALONMTA_HSL_TYPE_BOOLEAN) {
        arg->kind = HalonMTA_hsl_value_get(value, HALONMTA_HSL_TYPE_BOOLEAN, &arg->boolean, NULL) ? KAFKA_BOOLEAN
                                                                                                  : KAFKA_OTHER;
    } else if (type == HALONMTA_HSL_TYPE_ARRAY) {
        arg->kind = KAFKA_ARRAY;
    } else if (type == HALONMTA_HSL_TYPE_NONE) {
        arg->kind = KAFKA_NONE;
    } else {
        arg->kind = KAFKA_OTHER;
    }
}

/* Pairs whose key or value is no string are left out, as the original leaves them out. */
static bool gather_pairs(struct kafka_call *call, HalonHSLArguments *arguments, struct intake_pair *on_stack)
{
    HalonHSLValue *array = HalonMTA_hsl_argument_get(arguments, KAFKA_HEADERS);
    size_t length = HalonMTA_hsl_value_array_length(array);
    call->pairs = on_stack;
    if (length > PAIRS_ON_STACK && !(call->pairs = malloc(length * sizeof *call->pairs)))
        return false;
    for (size_t i = 0; i < length; i++) {
        HalonHSLValue *k = NULL;
        HalonHSLValue *v = HalonMTA_hsl_value_array_get(array, i, &k);
        if (!v)
            break;
        struct intake_pair *pair = &call->pairs[call->pair_count];
        *pair = (struct intake_pair){0};
        if (HalonMTA_hsl_value_type(k) == HALONMTA_HSL_TYPE_STRING &&
            HalonMTA_hsl_value_type(v) == HALONMTA_HSL_TYPE_STRING &&
            HalonMTA_hsl_value_get(k, HALONMTA_HSL_TYPE_STRING, &pair->name, &pair->name_length) &&
            HalonMTA_hsl_value_get(v, HALONMTA_HSL_TYPE_STRING, &pair->value, &pair->value_length))
            call->pair_count++;
    }
    return true;
}

/*
 * The coarse clock is at most a few milliseconds behind and costs a tenth of the other, which was the largest
 * single cost of a call.
 */
static long long milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* An empty string is no null, also where the host has no address for it. */
static const char *text_or_null(const struct kafka_arg *arg)
{
    if (arg->kind != KAFKA_STRING)
        return NULL;
    return arg->bytes ? arg->bytes : "";
}

/* The texts of the codes that a call is answered with when Go need not be asked; it has told us before the first call. */
static const char *texts[2 * MOST_CODE + 1];

void kafka_text(int code, const char *text)
{
    if (code < -MOST_CODE || code > MOST_CODE || texts[MOST_CODE + code])
        return;
    texts[MOST_CODE + code] = strdup(text);
}

static const char *gone_text = "";

void kafka_gone(const char *text)
{
    if (!*gone_text)
        gone_text = strdup(text);
}

static const char *text_of(int code)
{
    const char *text = code < -MOST_CODE || code > MOST_CODE ? NULL : texts[MOST_CODE + code];

    return text ? text : "";
}

static bool optional_string(const struct kafka_arg *arg)
{
    return arg->kind == KAFKA_STRING || arg->kind == KAFKA_NONE || arg->kind == KAFKA_MISSING;
}

/*
 * Puts the record of a call that has nothing wrong with it where Go finds it. False decides nothing: Go judges the call
 * then, and says what is wrong, or waits, or does what takes longer. So what is asked here is what binding.Check asks; e2e's
 * both-ways.txtar compares the two for every kind of argument.
 */
static bool offer(struct kafka_call *call)
{
    const struct kafka_arg *args = call->args, *partition = &args[KAFKA_PARTITION], *block = &args[KAFKA_BLOCK];

    if (args[KAFKA_ID].kind != KAFKA_STRING || args[KAFKA_TOPIC].kind != KAFKA_STRING ||
        !optional_string(&args[KAFKA_VALUE]) || !optional_string(&args[KAFKA_KEY]) ||
        (args[KAFKA_HEADERS].kind != KAFKA_MISSING && args[KAFKA_HEADERS].kind != KAFKA_ARRAY) ||
        (block->kind != KAFKA_MISSING && block->kind != KAFKA_BOOLEAN))
        return false;
    struct intake_record record = {
        .queue = args[KAFKA_ID].bytes,
        .queue_length = args[KAFKA_ID].length,
        .topic = args[KAFKA_TOPIC].bytes,
        .topic_length = args[KAFKA_TOPIC].length,
        .value = text_or_null(&args[KAFKA_VALUE]),
        .value_length = args[KAFKA_VALUE].length,
        .key = text_or_null(&args[KAFKA_KEY]),
        .key_length = args[KAFKA_KEY].length,
        .pairs = call->pairs,
        .pair_count = call->pair_count,
        .partition = -1,
        .milliseconds = call->milliseconds,
        .waits = block->kind == KAFKA_BOOLEAN && block->boolean,
        .script = {call->context, call->ret},
    };
    if (partition->kind == KAFKA_NUMBER && partition->number > -1 && partition->number < INT32_MAX)
        record.partition = (int32_t)partition->number;
    else if (partition->kind != KAFKA_MISSING && !(partition->kind == KAFKA_NUMBER && partition->number == -1))
        return false;
    int code = 0;
    switch (intake_offer(&record, &code)) {
    case INTAKE_TAKEN:
        call->action = KAFKA_DONE;
        return true;
    case INTAKE_REFUSED:
        call->action = KAFKA_FAILED;
        call->code = code;
        strncpy(call->text, text_of(code), sizeof call->text - 1);
        call->text[sizeof call->text - 1] = '\0';
        return true;
    case INTAKE_PARKED:
        call->action = KAFKA_PARK;
        return true;
    case INTAKE_GONE:
        call->action = KAFKA_THROW;
        strncpy(call->text, gone_text, sizeof call->text - 1);
        call->text[sizeof call->text - 1] = '\0';
        return true;
    case INTAKE_ASK:
        break;
    }
    return false;
}

static const char forked_text[] = "kafka: the host has forked after it loaded the plugin, and the plugin does not work in the child";

/* One call of either function: gather, cross unless the record was taken, and do what Go has decided. */
static void run(HalonHSLContext *context, HalonHSLArguments *arguments, HalonHSLValue *ret,
                void (*cross)(struct kafka_call *), bool may_offer)
{
    int64_t begun = kafka_latency_begin();
    if (forked()) {
        throw(context, forked_text);
        return;
    }
    struct intake_pair on_stack[PAIRS_ON_STACK];
    struct kafka_call call; /* not cleared as a whole: the text is 256 bytes, and gather clears each argument */
    call.context = context;
    call.ret = ret;
    call.pairs = NULL;
    call.pair_count = 0;
    call.milliseconds = milliseconds();
    call.action = KAFKA_THROW;
    call.code = 0;
    call.text[0] = '\0';
    for (size_t i = 0; i < KAFKA_ARGUMENTS; i++)
        gather(&call.args[i], arguments, i);
    if (call.args[KAFKA_HEADERS].kind == KAFKA_ARRAY && !gather_pairs(&call, arguments, on_stack)) {
        throw(context, "kafka: no memory for the headers");
        return;
    }

    if (!may_offer || !offer(&call))
        cross(&call);

    if (call.pairs != on_stack)
        free(call.pairs);
    kafka_latency_end(&kafka_latencies[may_offer ? 0 : 1], begun);
    switch (call.action) {
    case KAFKA_DONE:
    case KAFKA_FAILED:
        set_result(ret, call.code, call.text);
        break;
    case KAFKA_THROW:
        throw(context, call.text);
        break;
    case KAFKA_PARK:
        /* The last act: the script may run on, and context and ret be gone, before this returns. */
        HalonMTA_hsl_suspend_return(context);
        break;
    }
}

static void kafka_producer(HalonHSLContext *context, HalonHSLArguments *arguments, HalonHSLValue *ret)
{
    run(context, arguments, ret, kafkaProduce, true);
}

static void kafka_deliver(HalonHSLContext *context, HalonHSLArguments *arguments, HalonHSLValue *ret)
{
    run(context, arguments, ret, kafkaDeliver, false);
}

/* What the numbers are called in a script. */
static const char *const number_names[KAFKA_NUMBERS] = {
    [KAFKA_SINCE] = "since",
    [KAFKA_QUEUED] = "queued",
    [KAFKA_ON_DISK] = "on_disk",
    [KAFKA_IN_FLIGHT] = "in_flight",
    [KAFKA_OLDEST_AGE] = "oldest_age",
    [KAFKA_IN] = "in",
    [KAFKA_DELIVERED] = "delivered",
    [KAFKA_GIVEN_UP] = "failed",
    [KAFKA_DROPPED] = "dropped",
    [KAFKA_EXPIRED] = "expired",
    [KAFKA_DEAD] = "dead",
    [KAFKA_REFUSED] = "refused",
    [KAFKA_IN_RATE] = "in_rate",
    [KAFKA_DELIVERED_RATE] = "delivered_rate",
};

/* It reads what the queue has published, and waits for nobody. */
static void kafka_status(HalonHSLContext *context, HalonHSLArguments *arguments, HalonHSLValue *ret)
{
    if (forked()) {
        throw(context, forked_text);
        return;
    }
    struct kafka_status status = {.action = KAFKA_THROW};
    gather(&status.id, arguments, 0);
    kafkaStatus(&status);
    if (status.action == KAFKA_THROW) {
        throw(context, status.text);
        return;
    }
    HalonMTA_hsl_value_set(ret, HALONMTA_HSL_TYPE_ARRAY, NULL, 0);
    add_pair(ret, "state", HALONMTA_HSL_TYPE_STRING, status.state);
    add_pair(ret, "kind", HALONMTA_HSL_TYPE_STRING, status.kind);
    add_pair(ret, "reason", HALONMTA_HSL_TYPE_STRING, status.text);
    for (int i = 0; i < KAFKA_NUMBERS; i++)
        add_pair(ret, number_names[i], HALONMTA_HSL_TYPE_NUMBER, &status.numbers[i]);
    add_pair(ret, "paused", HALONMTA_HSL_TYPE_BOOLEAN, &status.paused);
}

#ifdef KAFKA_FAULTINJECT
static void kafka_fault(HalonHSLContext *context, HalonHSLArguments *arguments, HalonHSLValue *ret)
{
    (void)arguments;
    struct kafka_call call = {.context = context, .ret = ret, .action = KAFKA_DONE};
    kafkaFault(&call);
    if (call.action == KAFKA_THROW)
        throw(context, call.text);
}
#endif

void kafka_resume(HalonHSLContext *context, HalonHSLValue *ret, int code, const char *text)
{
    set_result(ret, code, text);
    HalonMTA_hsl_schedule(context);
}

void kafka_resume_delivered(HalonHSLContext *context, HalonHSLValue *ret, const char *topic, double partition,
                            double offset, double timestamp)
{
    HalonMTA_hsl_value_set(ret, HALONMTA_HSL_TYPE_ARRAY, NULL, 0);
    add_pair(ret, "topic", HALONMTA_HSL_TYPE_STRING, topic);
    add_pair(ret, "partition", HALONMTA_HSL_TYPE_NUMBER, &partition);
    add_pair(ret, "offset", HALONMTA_HSL_TYPE_NUMBER, &offset);
    add_pair(ret, "timestamp", HALONMTA_HSL_TYPE_NUMBER, &timestamp);
    HalonMTA_hsl_schedule(context);
}

void kafka_syslog(int priority, const char *text)
{
    syslog(priority, "%s", text);
}

/* ---- the entry points that the host finds by name ---- */

EXPORT int Halon_version(void)
{
    return HALONMTA_PLUGIN_VERSION;
}

EXPORT bool Halon_init(HalonInitContext *context)
{
    if (is_child || getpid() != loaded_in) {
        is_child = true;
        kafka_syslog(LOG_CRIT, "kafka: the host has forked after it loaded the plugin; start it in the foreground");
        return false;
    }
    static bool watching;
    if (!watching)
        watching = pthread_atfork(NULL, NULL, note_fork) == 0;
    HalonConfig *config = NULL, *app = NULL;
    HalonMTA_init_getinfo(context, HALONMTA_INIT_CONFIG, NULL, 0, &config, NULL);
    HalonMTA_init_getinfo(context, HALONMTA_INIT_APPCONFIG, NULL, 0, &app, NULL);
    return kafkaInit(config, app);
}

EXPORT void Halon_cleanup(void)
{
    if (!forked())
        kafkaCleanup();
}

EXPORT void Halon_config_reload(HalonConfig *config)
{
    if (!forked())
        kafkaReload(config);
}

EXPORT bool Halon_hsl_register(HalonHSLRegisterContext *context)
{
    HalonMTA_hsl_module_register_function(context, "kafka_producer", &kafka_producer);
    HalonMTA_hsl_module_register_function(context, "kafka_deliver", &kafka_deliver);
    HalonMTA_hsl_module_register_function(context, "kafka_status", &kafka_status);
#ifdef KAFKA_FAULTINJECT
    HalonMTA_hsl_module_register_function(context, "kafka_fault", &kafka_fault);
#endif
    return true;
}

EXPORT bool Halon_command_execute(HalonCommandExecuteContext *context, size_t argc, const char *argv[],
                                  size_t argvl[], char **out, size_t *outlen)
{
    (void)context;
    (void)argvl; /* the strings end at a NUL, and no host is known to fill the lengths in */
    if (forked())
        return false;
    return kafkaCommand(argc, (char **)argv, out, outlen);
}
