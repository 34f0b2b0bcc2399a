/*
 * json_write.c - HalonMTA_hsl_value_to_json.
 *
 * An array whose keys are 0, 1, 2, ... becomes a list, the empty one too; any other becomes an object.
 * Everything beyond ASCII is escaped, as the host's encoder does by default.
 */
#include "host.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_list(const HalonHSLValue *value)
{
    for (size_t i = 0; i < value->as.array.count; i++) {
        const HalonHSLValue *key = value->as.array.pairs[i].key;

        if (key->type != HALONMTA_HSL_TYPE_NUMBER || key->as.number != (double)i)
            return false;
    }
    return true;
}

/* returns NULL, or why the value has no JSON form. */
static const char *write_value(struct standin_text *text, const HalonHSLValue *value);

static const char *write_key(struct standin_text *text, const HalonHSLValue *key)
{
    if (key->type == HALONMTA_HSL_TYPE_STRING)
        return write_value(text, key);
    if (key->type != HALONMTA_HSL_TYPE_NUMBER)
        return "a key is neither a string nor a number";
    standin_text_puts(text, "\"");
    standin_text_number(text, key->as.number);
    standin_text_puts(text, "\"");
    return NULL;
}

static const char *write_array(struct standin_text *text, const HalonHSLValue *value)
{
    bool list = is_list(value);

    standin_text_puts(text, list ? "[" : "{");
    for (size_t i = 0; i < value->as.array.count; i++) {
        const struct standin_pair *pair = &value->as.array.pairs[i];
        const char *error = NULL;

        if (i > 0)
            standin_text_puts(text, ",");
        if (!list) {
            error = write_key(text, pair->key);
            standin_text_puts(text, ":");
        }
        if (!error)
            error = write_value(text, pair->value);
        if (error)
            return error;
    }
    standin_text_puts(text, list ? "]" : "}");
    return NULL;
}

static const char *write_value(struct standin_text *text, const HalonHSLValue *value)
{
    switch (value->type) {
    case HALONMTA_HSL_TYPE_NONE:
        standin_text_puts(text, "null");
        return NULL;
    case HALONMTA_HSL_TYPE_BOOLEAN:
        standin_text_puts(text, value->as.boolean ? "true" : "false");
        return NULL;
    case HALONMTA_HSL_TYPE_NUMBER:
        if (!isfinite(value->as.number))
            return "a number is not finite";
        standin_text_number(text, value->as.number);
        return NULL;
    case HALONMTA_HSL_TYPE_STRING:
        if (!standin_text_quote(text, value->as.string.bytes, value->as.string.len))
            return "a string is not UTF-8";
        return NULL;
    case HALONMTA_HSL_TYPE_ARRAY:
        return write_array(text, value);
    default:
        return "a value is neither data nor none";
    }
}

bool HalonMTA_hsl_value_to_json(const HalonHSLValue *value, char **out, size_t *outlen)
{
    struct standin_text text = {NULL, 0, 0};
    const char *error;

    if (!out) {
        standin_fault_add("HalonMTA_hsl_value_to_json: out is NULL");
        return false;
    }
    *out = NULL;
    if (!standin_value_alive(value, "HalonMTA_hsl_value_to_json"))
        return false;
    error = write_value(&text, value);
    if (error) {
        text.len = 0;
        standin_text_puts(&text, error);
    }
    *out = text.bytes;
    if (outlen)
        *outlen = text.len;
    return !error;
}
