/*
 * A plugin for the test of the driver: it takes calls for the queues of its configuration only, and at its end each of them must
 * have had about as many as the others. What is wrong ends the process.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "HalonMTA.h"

#define MOST 64

static struct {
    const char *id;
    _Atomic unsigned calls;
} queues[MOST];
static size_t queues_len;

static void stop(const char *what, const char *id)
{
    fprintf(stderr, "strict: %s: %s\n", what, id);
    exit(1);
}

HALON_EXPORT int Halon_version(void)
{
    return HALONMTA_PLUGIN_VERSION;
}

HALON_EXPORT bool Halon_init(HalonInitContext *context)
{
    HalonConfig *config, *list, *queue;

    if (!HalonMTA_init_getinfo(context, HALONMTA_INIT_CONFIG, NULL, 0, &config, NULL))
        return false;
    list = HalonMTA_config_object_get(config, "queues");
    while (queues_len < MOST && (queue = HalonMTA_config_array_get(list, queues_len)))
        queues[queues_len++].id = HalonMTA_config_string_get(HalonMTA_config_object_get(queue, "id"), NULL);
    return queues_len > 0;
}

static void kafka_producer(HalonHSLContext *context, HalonHSLArguments *arguments, HalonHSLValue *ret)
{
    const char *id;
    size_t at = 0;

    (void)context;
    if (!HalonMTA_hsl_value_get(HalonMTA_hsl_argument_get(arguments, 0), HALONMTA_HSL_TYPE_STRING, &id, NULL))
        stop("the id is no string", "");
    while (at < queues_len && strcmp(queues[at].id, id) != 0)
        ++at;
    if (at == queues_len)
        stop("no such queue", id);
    ++queues[at].calls;
    HalonMTA_hsl_value_set(ret, HALONMTA_HSL_TYPE_ARRAY, NULL, 0);
}

HALON_EXPORT void Halon_cleanup(void)
{
    for (size_t i = 1; i < queues_len; ++i)
        if (queues[i].calls + MOST < queues[0].calls || queues[i].calls > queues[0].calls + MOST)
            stop("its calls are not as many as the others'", queues[i].id);
}

HALON_EXPORT bool Halon_hsl_register(HalonHSLRegisterContext *context)
{
    HalonMTA_hsl_module_register_function(context, "kafka_producer", kafka_producer);
    return true;
}
