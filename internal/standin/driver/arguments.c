/*
 * arguments.c - what a script can pass.
 */
#include "driver.h"

#include <math.h>
#include <string.h>

static const char *const exceptions[7] = {"Invalid id argument",        "Invalid topic argument",
                                          "Invalid value argument",     "Invalid key argument",
                                          "Invalid header argument",    "Invalid partition argument",
                                          "argument is not a boolean"};

/* The types that each position takes; the letters are those of produce(). */
static const char *const taken[7] = {"s", "s", "sz", "sz", "a", "n", "t"};

static void set_by_letter(HalonHSLValue *value, char letter, size_t position)
{
    switch (letter) {
    case 's':
        standin_value_string(value, "kafka1", position == 0 ? 6 : 5);
        break;
    case 'n':
        standin_value_number(value, -1);
        break;
    case 't':
        standin_value_boolean(value, false);
        break;
    case 'a':
        standin_value_array(value, 0);
        break;
    default:
        break;
    }
}

/* Calls with the right types before `position`, one type at it, and nothing after it. */
static struct answer with_type_at(size_t position, char letter)
{
    HalonHSLContext *call = produce_begin("");

    for (size_t i = 0; i < position; i++)
        set_by_letter(standin_call_argument(call), taken[i][0], i);
    set_by_letter(standin_call_argument(call), letter, position);
    return produce_end(call);
}

/*
 * A script that passes a wrong type gets an exception that names the argument, in the words that the scripts of the installed
 * base catch; otherwise it would send a wrong record, or none, in silence.
 */
static void wrong_types(void)
{
    start(one_queue(nobody(), "message.timeout.ms", "1000", NULL));
    for (size_t position = 0; position < 7; position++) {
        for (const char *letter = "snatz"; *letter; letter++) {
            char what[64];

            snprintf(what, sizeof(what), "type %c as argument %zu", *letter, position + 1);
            if (strchr(taken[position], *letter) && position > 0)
                want_accepted(with_type_at(position, *letter), what);
            else if (!strchr(taken[position], *letter))
                want_exception(with_type_at(position, *letter), exceptions[position], what);
        }
    }
    want_exception(produce(""), exceptions[0], "no argument");
    want_exception(produce("s", "kafka1"), exceptions[1], "the id alone");
    want_accepted(produce("ss", "kafka1", "topic"), "id and topic");
    want_accepted(produce("ssssantss", "kafka1", "topic", "v", "k", -1.0, 0, "eighth", "ninth"), "two arguments too many");
}

/* Of many wrong arguments the first one is named, and an unknown queue is the last thing that is found. */
static void check_order(void)
{
    start(one_queue(nobody(), "message.timeout.ms", "1000", NULL));
    want_exception(produce("nnnnnsn", 1.0, 1.0, 1.0, 1.0, 1.0, "x", 1.0), exceptions[0], "all wrong");
    want_exception(produce("snnnnsn", "none", 1.0, 1.0, 1.0, 1.0, "x", 1.0), exceptions[1], "wrong from the topic on");
    want_exception(produce("ssnnnsn", "none", "t", 1.0, 1.0, 1.0, "x", 1.0), exceptions[2], "wrong from the value on");
    want_exception(produce("sssnnsn", "none", "t", "v", 1.0, 1.0, "x", 1.0), exceptions[3], "wrong from the key on");
    want_exception(produce("ssssnsn", "none", "t", "v", "k", 1.0, "x", 1.0), exceptions[4], "wrong from the headers on");
    want_exception(produce("ssssasn", "none", "t", "v", "k", "x", 1.0), exceptions[5], "wrong from the partition on");
    want_exception(produce("ssssann", "none", "t", "v", "k", -1.0, 1.0), exceptions[6], "a wrong block");
    want_exception(produce("ssssant", "none", "t", "v", "k", -1.0, 0), "No such id", "an unknown queue");
}

/* Null and empty are different records to a compacted topic: one deletes a key, the other keeps it. */
static void missing_none_empty(void)
{
    start(one_queue(nobody(), "message.timeout.ms", "1000", NULL));
    want_accepted(produce("ss", "kafka1", "topic"), "value and key missing");
    want_accepted(produce("sszz", "kafka1", "topic"), "value and key none");
    want_accepted(produce("ssss", "kafka1", "topic", "", ""), "value and key empty");
    want_accepted(produce("sszsa", "kafka1", "topic", "key"), "a tombstone with empty headers");
    want_exception(produce("sszzz", "kafka1", "topic"), exceptions[4], "headers none");
    want_exception(produce("sszzaz", "kafka1", "topic"), exceptions[5], "partition none");
    want_exception(produce("sszzanz", "kafka1", "topic", -1.0), exceptions[6], "block none");
    want_exception(produce("ss", "", "topic"), "No such id", "an empty id");
    if (!is_answer(produce("ss", "kafka1", "")))
        fail("an empty topic has no answer");
}

/* Mail is not text: a NUL byte in it must neither cut the record nor find the wrong queue. */
static void nul_bytes(void)
{
    start(one_queue(nobody(), "message.timeout.ms", "1000", NULL));
    want_accepted(produce("bb", "kafka1\0other", (size_t)12, "topic\0x", (size_t)7), "a NUL after id and topic");
    want_exception(produce("bs", "\0kafka1", (size_t)7, "topic"), "No such id", "a NUL before the id");
    want_accepted(produce("ssbb", "kafka1", "topic", "\0\0v", (size_t)3, "\0", (size_t)1), "NULs in value and key");
}

/* A partition that a cast would turn into another one sends the record to where no reader looks for it. */
static void partition_numbers(void)
{
    static const double refused[] = {2147483648.0, -2147483649.0, 1e300, -1e300, 4294967296.0};
    static const double taken_ones[] = {-1, 0, 2.5, 2147483647.0, -0.5};

    start(one_queue(nobody(), "message.timeout.ms", "1000", NULL));
    want_exception(produce("sszzan", "kafka1", "topic", (double)NAN), exceptions[5], "NaN");
    want_exception(produce("sszzan", "kafka1", "topic", (double)INFINITY), exceptions[5], "infinity");
    want_exception(produce("sszzan", "kafka1", "topic", -(double)INFINITY), exceptions[5], "minus infinity");
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        want_exception(produce("sszzan", "kafka1", "topic", refused[i]), exceptions[5], "a partition beyond 32 bits");
    /* A topic of its own each: what a partition that does not exist leaves behind is no matter here. */
    for (size_t i = 0; i < sizeof(taken_ones) / sizeof(taken_ones[0]); i++) {
        char topic[32];

        snprintf(topic, sizeof(topic), "topic-%zu", i);
        want_accepted(produce("sszzan", "kafka1", topic, taken_ones[i]), "a partition of 32 bits");
    }
}

/* Headers carry what readers route by: none may be lost, and a wrong one must not take the others with it. */
static void headers(void)
{
    HalonHSLContext *call;
    HalonHSLValue *array, *key, *value;

    start(one_queue(nobody(), "message.timeout.ms", "1000", NULL));
    call = produce_begin("ssss", "kafka1", "topic", "v", "k");
    array = standin_call_argument(call);
    standin_value_array(array, 0);
    for (int i = 0; i < 1000; i++) {
        char name[32];

        snprintf(name, sizeof(name), "header-%d", i);
        standin_value_pair(array, &key, &value);
        standin_value_string(key, name, strlen(name));
        standin_value_string(value, name, (size_t)(i % 7));
    }
    want_accepted(produce_end(call), "1,000 headers");

    call = produce_begin("ssss", "kafka1", "topic", "v", "k");
    array = standin_call_argument(call);
    standin_value_array(array, 0);
    for (const char *letters = "ssnsszstsanastzszt"; *letters; letters += 2) {
        standin_value_pair(array, &key, &value);
        set_by_letter(key, letters[0], 1);
        set_by_letter(value, letters[1], 1);
    }
    want_accepted(produce_end(call), "headers that are no strings among others");
}

const struct scenario arguments_scenarios[] = {
    {"wrong-types", "", "a script with a wrong argument would lose records in silence", wrong_types},
    {"check-order", "", "scripts that catch the original's exceptions would take the wrong branch", check_order},
    {"missing-none-empty", "", "a compacted topic would keep what a script deletes", missing_none_empty},
    {"nul-bytes", "", "a message with a NUL byte would be cut", nul_bytes},
    {"partition-numbers", "", "a wrong number would send a record to a partition that was never chosen", partition_numbers},
    {"headers", "", "one odd header would lose a record, or end the mail server", headers},
    {NULL, NULL, NULL, NULL},
};
