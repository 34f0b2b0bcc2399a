/*
 * wire.c - values in one piece of memory, so that the Go face crosses into C once a call and not once a
 * value. The encoding is drawn in standin.h; it never leaves the process.
 */
#include "host.h"

#include <stdlib.h>
#include <string.h>

/* Go's side limits its values to the same depth. */
#define DEPTH 100

struct input {
    const char *at, *end;
};

static bool take(struct input *in, void *to, size_t len)
{
    if ((size_t)(in->end - in->at) < len)
        return false;
    memcpy(to, in->at, len);
    in->at += len;
    return true;
}

static bool decode(struct input *in, HalonHSLValue *value, int depth);

static bool decode_array(struct input *in, HalonHSLValue *value, int depth)
{
    HalonHSLValue *k, *v;
    uint64_t count;

    /* A pair has two bytes at least: a wrong count must not become an allocation. */
    if (depth == DEPTH || !take(in, &count, sizeof(count)) || count > (uint64_t)(in->end - in->at) / 2)
        return false;
    standin_value_array(value, count);
    for (uint64_t i = 0; i < count; i++) {
        standin_value_pair(value, &k, &v);
        if (!decode(in, k, depth + 1) || !decode(in, v, depth + 1))
            return false;
    }
    return true;
}

static bool decode(struct input *in, HalonHSLValue *value, int depth)
{
    double number;
    uint64_t len;
    char kind;

    if (!take(in, &kind, 1))
        return false;
    switch (kind) {
    case 'z':
        return true;
    case 'f':
    case 't':
        standin_value_boolean(value, kind == 't');
        return true;
    case 'n':
        if (!take(in, &number, sizeof(number)))
            return false;
        standin_value_number(value, number);
        return true;
    case 's':
        if (!take(in, &len, sizeof(len)) || len > (uint64_t)(in->end - in->at))
            return false;
        standin_value_string(value, in->at, len);
        in->at += len;
        return true;
    case 'a':
        return decode_array(in, value, depth);
    default:
        return false;
    }
}

static void encode(struct standin_text *out, const HalonHSLValue *value)
{
    uint64_t n;

    switch (value->type) {
    case HALONMTA_HSL_TYPE_BOOLEAN:
        standin_text_puts(out, value->as.boolean ? "t" : "f");
        break;
    case HALONMTA_HSL_TYPE_NUMBER:
        standin_text_puts(out, "n");
        standin_text_add(out, (const char *)&value->as.number, sizeof(double));
        break;
    case HALONMTA_HSL_TYPE_STRING:
    case HALONMTA_HSL_TYPE_EXCEPTION:
        n = value->as.string.len;
        standin_text_puts(out, "s");
        standin_text_add(out, (const char *)&n, sizeof(n));
        standin_text_add(out, value->as.string.bytes, n);
        break;
    case HALONMTA_HSL_TYPE_ARRAY:
        n = value->as.array.count;
        standin_text_puts(out, "a");
        standin_text_add(out, (const char *)&n, sizeof(n));
        for (size_t i = 0; i < n; i++) {
            encode(out, value->as.array.pairs[i].key);
            encode(out, value->as.array.pairs[i].value);
        }
        break;
    default:
        standin_text_puts(out, "z");
        break;
    }
}

static void finish(HalonHSLContext *call, char **out, size_t *outlen)
{
    struct standin_text text = {NULL, 0, 0};

    encode(&text, standin_call_result(call));
    *out = text.bytes;
    *outlen = text.len;
    standin_call_free(call);
}

int standin_wire_call(int function, const char *args, size_t len, uint64_t tag, HalonHSLContext **call, char **out,
                      size_t *outlen)
{
    struct input in = {args, args + len};
    HalonHSLContext *new = standin_call_new(function);
    enum standin_state state;

    *call = NULL;
    while (in.at < in.end) {
        if (!decode(&in, standin_call_argument(new), 0)) {
            standin_call_free(new);
            return -1;
        }
    }
    state = standin_call_run(new, tag);
    if (state == STANDIN_PARKED)
        *call = new;
    else
        finish(new, out, outlen);
    return (int)state;
}

void standin_wire_collect(HalonHSLContext *call, char **out, size_t *outlen)
{
    finish(call, out, outlen);
}
