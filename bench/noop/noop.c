/*
 * A plugin that does nothing: kafka_producer says "accepted" at once. What a run with it costs is what the driver costs.
 */
#include "HalonMTA.h"

HALON_EXPORT int Halon_version(void)
{
    return HALONMTA_PLUGIN_VERSION;
}

static void kafka_producer(HalonHSLContext *context, HalonHSLArguments *arguments, HalonHSLValue *ret)
{
    (void)context;
    (void)arguments;
    HalonMTA_hsl_value_set(ret, HALONMTA_HSL_TYPE_ARRAY, NULL, 0);
}

HALON_EXPORT bool Halon_hsl_register(HalonHSLRegisterContext *context)
{
    HalonMTA_hsl_module_register_function(context, "kafka_producer", kafka_producer);
    return true;
}
