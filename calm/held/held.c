/*
 * A plugin that holds a thread: each 1,000th call sleeps for 3 ms, or with HELD_WORKS in the environment computes for 3 ms.
 * The proof must find both, or it proves nothing.
 */
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "HalonMTA.h"

#define HELD_NS 3000000

static atomic_uint calls;

HALON_EXPORT int Halon_version(void)
{
    return HALONMTA_PLUGIN_VERSION;
}

static int64_t ran(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void kafka_producer(HalonHSLContext *context, HalonHSLArguments *arguments, HalonHSLValue *ret)
{
    static const struct timespec pause = {0, HELD_NS};

    (void)context;
    (void)arguments;
    if (atomic_fetch_add(&calls, 1) % 1000 == 999) {
        if (!getenv("HELD_WORKS"))
            nanosleep(&pause, NULL);
        else
            for (int64_t until = ran() + HELD_NS; ran() < until;)
                ;
    }
    HalonMTA_hsl_value_set(ret, HALONMTA_HSL_TYPE_ARRAY, NULL, 0);
}

HALON_EXPORT bool Halon_hsl_register(HalonHSLRegisterContext *context)
{
    HalonMTA_hsl_module_register_function(context, "kafka_producer", kafka_producer);
    return true;
}
