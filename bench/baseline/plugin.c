/*
 * The baseline: kafka_producer as a thin C plugin over librdkafka, to measure kafka.so against and to compare its
 * answers with. It does what the plugin that kafka.so replaces does, call for call, without that plugin's faults
 * that would spoil a comparison: a full queue answers -184 and does not crash, block counts by its value, and a
 * partition that is no 32-bit number is an exception.
 *
 * Never shipped.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "HalonMTA.h"
#include "queue.h"
#include "rdkafka.h"

#define DRAIN_SECONDS 60

static struct queues queues;

/* The arguments of one call, lent by the host. */
struct record {
    const char *topic;
    const void *value, *key; /* NULL is a null value, which is not an empty one */
    size_t value_len, key_len;
    const HalonHSLValue *headers; /* NULL: none */
    int32_t partition;
    int flags;
};

static void throw(HalonHSLContext *context, const char *text)
{
    HalonMTA_hsl_value_set(HalonMTA_hsl_throw(context), HALONMTA_HSL_TYPE_EXCEPTION, text, 0);
}

static bool get_string(const HalonHSLValue *value, const char **text, size_t *len)
{
    return value && HalonMTA_hsl_value_get(value, HALONMTA_HSL_TYPE_STRING, text, len);
}

/* A value or key: missing and none leave NULL; false if it is neither that nor a string. */
static bool get_bytes(const HalonHSLValue *value, const void **bytes, size_t *len)
{
    const char *text;

    *bytes = NULL;
    *len = 0;
    if (!value || HalonMTA_hsl_value_type(value) == HALONMTA_HSL_TYPE_NONE)
        return true;
    if (!get_string(value, &text, len))
        return false;
    *bytes = text;
    return true;
}

static bool get_partition(const HalonHSLValue *value, int32_t *partition)
{
    double number;

    if (!HalonMTA_hsl_value_get(value, HALONMTA_HSL_TYPE_NUMBER, &number, NULL) || isnan(number))
        return false;
    number = trunc(number);
    if (number < INT32_MIN || number > INT32_MAX)
        return false;
    *partition = (int32_t)number;
    return true;
}

/*
 * Reads the arguments in their order.
 *
 * returns   | when
 * NULL      | all are right
 * the text  | of the exception for the first one that is not
 */
static const char *read_arguments(HalonHSLArguments *arguments, const char **id, struct record *record)
{
    const HalonHSLValue *argument;
    bool block = false;

    if (!get_string(HalonMTA_hsl_argument_get(arguments, 0), id, NULL))
        return "Invalid id argument";
    if (!get_string(HalonMTA_hsl_argument_get(arguments, 1), &record->topic, NULL))
        return "Invalid topic argument";
    if (!get_bytes(HalonMTA_hsl_argument_get(arguments, 2), &record->value, &record->value_len))
        return "Invalid value argument";
    if (!get_bytes(HalonMTA_hsl_argument_get(arguments, 3), &record->key, &record->key_len))
        return "Invalid key argument";
    record->headers = HalonMTA_hsl_argument_get(arguments, 4);
    if (record->headers && HalonMTA_hsl_value_type(record->headers) != HALONMTA_HSL_TYPE_ARRAY)
        return "Invalid header argument";
    record->partition = RD_KAFKA_PARTITION_UA;
    argument = HalonMTA_hsl_argument_get(arguments, 5);
    if (argument && !get_partition(argument, &record->partition))
        return "Invalid partition argument";
    argument = HalonMTA_hsl_argument_get(arguments, 6);
    if (argument && !HalonMTA_hsl_value_get(argument, HALONMTA_HSL_TYPE_BOOLEAN, &block, NULL))
        return "argument is not a boolean";
    record->flags = RD_KAFKA_MSG_F_COPY | (block ? RD_KAFKA_MSG_F_BLOCK : 0);
    return NULL;
}

/* The headers as librdkafka's, which the caller owns; a pair whose key or value is no string is left out. */
static rd_kafka_headers_t *copy_headers(const HalonHSLValue *array)
{
    size_t len = HalonMTA_hsl_value_array_length(array);
    rd_kafka_headers_t *headers = rd_kafka_headers_new(len);

    for (size_t i = 0; i < len; ++i) {
        HalonHSLValue *key = NULL;
        const HalonHSLValue *value = HalonMTA_hsl_value_array_get(array, i, &key);
        const char *name, *text;
        size_t name_len, text_len;

        if (get_string(key, &name, &name_len) && get_string(value, &text, &text_len))
            rd_kafka_header_add(headers, name, (ssize_t)name_len, text, (ssize_t)text_len);
    }
    return headers;
}

static rd_kafka_resp_err_t produce(rd_kafka_t *rk, const struct record *record)
{
    rd_kafka_headers_t *headers = NULL;

    if (!record->headers || HalonMTA_hsl_value_array_length(record->headers) == 0)
        return rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(record->topic), RD_KAFKA_V_PARTITION(record->partition),
                                 RD_KAFKA_V_MSGFLAGS(record->flags),
                                 RD_KAFKA_V_VALUE((void *)record->value, record->value_len),
                                 RD_KAFKA_V_KEY(record->key, record->key_len), RD_KAFKA_V_END);
    headers = copy_headers(record->headers);
    rd_kafka_resp_err_t err =
        rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(record->topic), RD_KAFKA_V_PARTITION(record->partition),
                          RD_KAFKA_V_MSGFLAGS(record->flags),
                          RD_KAFKA_V_VALUE((void *)record->value, record->value_len),
                          RD_KAFKA_V_KEY(record->key, record->key_len), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    /* librdkafka takes the headers only with the message. */
    if (err)
        rd_kafka_headers_destroy(headers);
    return err;
}

static void kafka_producer(HalonHSLContext *context, HalonHSLArguments *arguments, HalonHSLValue *ret)
{
    struct record record;
    const char *id;
    const char *fault = read_arguments(arguments, &id, &record);

    if (fault) {
        throw(context, fault);
        return;
    }
    const struct queue *queue = queues_find(&queues, id);
    if (!queue) {
        throw(context, "No such id");
        return;
    }
    rd_kafka_resp_err_t err = produce(queue->rk, &record);
    HalonMTA_hsl_value_set(ret, HALONMTA_HSL_TYPE_ARRAY, NULL, 0);
    if (err) {
        HalonHSLValue *key, *value;
        double number = err;

        HalonMTA_hsl_value_array_add(ret, &key, &value);
        HalonMTA_hsl_value_set(key, HALONMTA_HSL_TYPE_STRING, "errno", 0);
        HalonMTA_hsl_value_set(value, HALONMTA_HSL_TYPE_NUMBER, &number, 0);
        HalonMTA_hsl_value_array_add(ret, &key, &value);
        HalonMTA_hsl_value_set(key, HALONMTA_HSL_TYPE_STRING, "errstr", 0);
        HalonMTA_hsl_value_set(value, HALONMTA_HSL_TYPE_STRING, rd_kafka_err2str(err), 0);
    }
}

HALON_EXPORT int Halon_version(void)
{
    return HALONMTA_PLUGIN_VERSION;
}

HALON_EXPORT bool Halon_init(HalonInitContext *context)
{
    HalonConfig *config = NULL;

    return HalonMTA_init_getinfo(context, HALONMTA_INIT_CONFIG, NULL, 0, &config, NULL) && queues_open(&queues, config);
}

HALON_EXPORT void Halon_cleanup(void)
{
    queues_close(&queues, DRAIN_SECONDS);
}

HALON_EXPORT bool Halon_hsl_register(HalonHSLRegisterContext *context)
{
    HalonMTA_hsl_module_register_function(context, "kafka_producer", kafka_producer);
    return true;
}

/* dump <queue>. `*out` is the host's to free. */
HALON_EXPORT bool Halon_command_execute(HalonCommandExecuteContext *context, size_t argc, const char *argv[],
                                        size_t argvl[], char **out, size_t *outlen)
{
    (void)context;
    (void)argvl;
    if (argc != 2 || strcmp(argv[0], "dump") != 0) {
        *out = strdup("dump <queue>");
        *outlen = *out ? strlen(*out) : 0;
        return false;
    }
    const struct queue *queue = queues_find(&queues, argv[1]);
    if (!queue) {
        *out = strdup("No such id");
        *outlen = *out ? strlen(*out) : 0;
        return false;
    }
    FILE *text = open_memstream(out, outlen);
    if (!text)
        return false;
    rd_kafka_dump(text, queue->rk);
    fclose(text);
    return true;
}
