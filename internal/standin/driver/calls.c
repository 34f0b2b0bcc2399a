/*
 * calls.c - calls of the plugin's functions, and what their answers must be.
 */
#include "driver.h"

#include <string.h>

static void add_headers(HalonHSLValue *array, const char *const *headers)
{
    HalonHSLValue *key, *value;

    standin_value_array(array, 0);
    for (; headers[0]; headers += 2) {
        standin_value_pair(array, &key, &value);
        standin_value_string(key, headers[0], strlen(headers[0]));
        standin_value_string(value, headers[1], strlen(headers[1]));
    }
}

static HalonHSLContext *begin(const char *format, va_list args)
{
    int function = standin_function("kafka_producer");
    HalonHSLContext *call;
    const char *bytes;

    if (function < 0)
        fail("the plugin did not register kafka_producer");
    call = standin_call_new(function);
    for (; *format; format++) {
        HalonHSLValue *value = standin_call_argument(call);

        switch (*format) {
        case 's':
            bytes = va_arg(args, const char *);
            standin_value_string(value, bytes, strlen(bytes));
            break;
        case 'b':
            bytes = va_arg(args, const char *);
            standin_value_string(value, bytes, va_arg(args, size_t));
            break;
        case 'n':
            standin_value_number(value, va_arg(args, double));
            break;
        case 't':
            standin_value_boolean(value, va_arg(args, int));
            break;
        case 'a':
            standin_value_array(value, 0);
            break;
        case 'h':
            add_headers(value, va_arg(args, const char *const *));
            break;
        case 'z':
            break;
        default:
            fail("the driver has no argument '%c'", *format);
        }
    }
    return call;
}

static void copy_text(char *to, size_t size, const HalonHSLValue *from)
{
    const char *text = "(no text)";

    HalonMTA_hsl_value_get(from, HALONMTA_HSL_TYPE_STRING, &text, NULL);
    snprintf(to, size, "%s", text);
}

static struct answer read_answer(HalonHSLContext *call, enum standin_state state)
{
    struct answer answer = {.state = state};
    const HalonHSLValue *result = standin_call_result(call);

    if (state == STANDIN_THREW) {
        copy_text(answer.exception, sizeof(answer.exception), result);
    } else {
        size_t n = HalonMTA_hsl_value_array_length(result);
        HalonHSLValue *code = HalonMTA_hsl_value_array_find(result, "errno");

        answer.empty_array = HalonMTA_hsl_value_type(result) == HALONMTA_HSL_TYPE_ARRAY && n == 0;
        answer.has_errno = n == 2 && HalonMTA_hsl_value_get(code, HALONMTA_HSL_TYPE_NUMBER, &answer.errno_, NULL);
        if (answer.has_errno)
            copy_text(answer.errstr, sizeof(answer.errstr), HalonMTA_hsl_value_array_find(result, "errstr"));
    }
    standin_call_free(call);
    return answer;
}

struct answer produce_end(HalonHSLContext *call)
{
    enum standin_state state = standin_call_run(call, 0);

    if (state == STANDIN_PARKED)
        return (struct answer){.state = STANDIN_PARKED, .parked = call};
    return read_answer(call, state);
}

HalonHSLContext *produce_begin(const char *format, ...)
{
    HalonHSLContext *call;
    va_list args;

    va_start(args, format);
    call = begin(format, args);
    va_end(args);
    return call;
}

struct answer produce(const char *format, ...)
{
    HalonHSLContext *call;
    va_list args;

    va_start(args, format);
    call = begin(format, args);
    va_end(args);
    return produce_end(call);
}

struct answer call_function(const char *name)
{
    int function = standin_function(name);

    if (function < 0)
        fail("the plugin did not register %s", name);
    return produce_end(standin_call_new(function));
}

struct answer wait_for(struct answer parked, double limit)
{
    if (standin_call_wait(parked.parked, (long)(limit * 1000)) == STANDIN_PARKED) {
        char *text = NULL;
        size_t len;

        standin_command(2, (const char *const[]){"dump", "kafka1"}, (const size_t[]){4, 6}, &text, &len);
        fail("a parked call was not woken within %g s; dump kafka1:\n%s", limit, text ? text : "(no text)");
    }
    return read_answer(parked.parked, STANDIN_RETURNED);
}

/* ------------------------------------------------------------------------------------------------
 * What an answer must be
 */
static const char *describe(struct answer answer, char *text, size_t size)
{
    if (answer.state == STANDIN_PARKED)
        snprintf(text, size, "parked");
    else if (answer.state == STANDIN_THREW)
        snprintf(text, size, "exception \"%s\"", answer.exception);
    else if (answer.has_errno)
        snprintf(text, size, "[\"errno\"=>%g,\"errstr\"=>\"%s\"]", answer.errno_, answer.errstr);
    else
        snprintf(text, size, "%s", answer.empty_array ? "[]" : "neither an array nor an exception");
    return text;
}

void want_accepted(struct answer answer, const char *what)
{
    char got[600];

    if (answer.state != STANDIN_RETURNED || !answer.empty_array)
        fail("%s: %s, want []", what, describe(answer, got, sizeof(got)));
}

void want_exception(struct answer answer, const char *text, const char *what)
{
    char got[600];

    if (answer.state != STANDIN_THREW || strcmp(answer.exception, text) != 0)
        fail("%s: %s, want exception \"%s\"", what, describe(answer, got, sizeof(got)), text);
}

void want_code(struct answer answer, int code, const char *text, const char *what)
{
    char got[600];

    if (answer.state != STANDIN_RETURNED || !answer.has_errno || answer.errno_ != code || strcmp(answer.errstr, text) != 0)
        fail("%s: %s, want [\"errno\"=>%d,\"errstr\"=>\"%s\"]", what, describe(answer, got, sizeof(got)), code, text);
}

void want_parked(struct answer answer, const char *what)
{
    char got[600];

    if (answer.state != STANDIN_PARKED)
        fail("%s: %s, want it parked", what, describe(answer, got, sizeof(got)));
}

bool is_answer(struct answer answer)
{
    return answer.state == STANDIN_THREW || answer.empty_array || answer.has_errno;
}
