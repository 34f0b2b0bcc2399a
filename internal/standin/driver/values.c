/*
 * values.c - how large things may be.
 */
#include "driver.h"

#include <stdlib.h>
#include <string.h>

#define MB (1u << 20)

static char *filled(size_t size)
{
    char *bytes = malloc(size);

    if (!bytes)
        fail("the driver has no memory");
    memset(bytes, 'x', size);
    return bytes;
}

/* A mail with a large attachment is refused with a reason, or sent; it never ends the mail server. */
static void huge_refused(void)
{
    char *bytes = filled(5 * MB);
    const char *too_large = "Broker: Message size too large";

    start(one_queue(nobody(), "message.timeout.ms", "1000", NULL));
    want_code(produce("ssb", "kafka1", "topic", bytes, (size_t)5 * MB), 10, too_large, "a value of 5 MB");
    want_code(produce("sszb", "kafka1", "topic", bytes, (size_t)5 * MB), 10, too_large, "a key of 5 MB");
    want_code(produce("ssbsant", "kafka1", "topic", bytes, (size_t)5 * MB, "k", -1.0, 1), 10, too_large,
              "a value of 5 MB with block");
    want_accepted(produce("ssb", "kafka1", "topic", bytes, (size_t)900000), "a value of 900,000 bytes");
    free(bytes);
}

static void huge_accepted(void)
{
    char *bytes = filled(5 * MB);

    start(one_queue(nobody(), "message.max.bytes", "20000000", "message.timeout.ms", "1000", NULL));
    for (int i = 0; i < 4; i++)
        want_accepted(produce("ssbb", "kafka1", "topic", bytes, (size_t)5 * MB, bytes, (size_t)i), "a value of 5 MB");
    free(bytes);
}

/* The names in a call: longer than anything that a queue or Kafka allows. */
static void huge_names(void)
{
    char *bytes = filled(MB);
    HalonHSLContext *call;
    HalonHSLValue *array, *key, *value;

    start(one_queue(nobody(), "message.timeout.ms", "1000", NULL));
    want_exception(produce("bs", bytes, (size_t)MB, "topic"), "No such id", "an id of 1 MB");
    want_code(produce("sb", "kafka1", bytes, (size_t)513), -186, "Local: Invalid argument or configuration",
              "a topic of 513 bytes");
    want_code(produce("sb", "kafka1", bytes, (size_t)MB), -186, "Local: Invalid argument or configuration",
              "a topic of 1 MB");

    call = produce_begin("ssss", "kafka1", "topic", "v", "k");
    array = standin_call_argument(call);
    standin_value_array(array, 0);
    standin_value_pair(array, &key, &value);
    standin_value_string(key, bytes, MB);
    standin_value_string(value, bytes, MB);
    want_code(produce_end(call), 10, "Broker: Message size too large", "a header of 2 MB");
    free(bytes);
}

const struct scenario values_scenarios[] = {
    {"huge-refused", "", "a large mail would block a queue or end the mail server", huge_refused},
    {"huge-accepted", "", "a limit that was raised would still refuse", huge_accepted},
    {"huge-names", "", "a script fault in a name would reach the broker or the memory", huge_names},
    {NULL, NULL, NULL, NULL},
};
