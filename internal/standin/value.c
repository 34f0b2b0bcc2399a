/*
 * value.c - HSL values: scalars, and what holds for every value.
 *
 * Nothing here takes a lock for the value itself: a value belongs to one call, and the interface gives a
 * call to one thread at a time.
 */
#include "host.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static atomic_long live;

long standin_live_values(void)
{
    return atomic_load(&live);
}

const char *standin_type_name(int type)
{
    switch (type) {
    case HALONMTA_HSL_TYPE_NONE:
        return "none";
    case HALONMTA_HSL_TYPE_BOOLEAN:
        return "boolean";
    case HALONMTA_HSL_TYPE_NUMBER:
        return "number";
    case HALONMTA_HSL_TYPE_STRING:
        return "string";
    case HALONMTA_HSL_TYPE_ARRAY:
        return "array";
    case HALONMTA_HSL_TYPE_FILE:
        return "file";
    case HALONMTA_HSL_TYPE_X509:
        return "x509";
    case HALONMTA_HSL_TYPE_PRIVATEKEY:
        return "private key";
    case HALONMTA_HSL_TYPE_OBJECT:
        return "object";
    case HALONMTA_HSL_TYPE_EXCEPTION:
        return "exception";
    case HALONMTA_HSL_TYPE_THIS:
        return "this";
    default:
        return NULL;
    }
}

HalonHSLValue *standin_value_new(enum standin_access access)
{
    HalonHSLValue *value = standin_block_new(sizeof(*value), STANDIN_HANDLE);

    value->magic = STANDIN_MAGIC_VALUE;
    value->access = access;
    value->type = HALONMTA_HSL_TYPE_NONE;
    atomic_fetch_add(&live, 1);
    return value;
}

void standin_value_clear(struct standin_chain *chain, HalonHSLValue *value)
{
    switch (value->type) {
    case HALONMTA_HSL_TYPE_STRING:
    case HALONMTA_HSL_TYPE_EXCEPTION:
        standin_block_kill(chain, value->as.string.bytes);
        break;
    case HALONMTA_HSL_TYPE_ARRAY:
        for (size_t i = 0; i < value->as.array.count; i++) {
            standin_value_kill(chain, value->as.array.pairs[i].key);
            standin_value_kill(chain, value->as.array.pairs[i].value);
        }
        free(value->as.array.pairs);
        break;
    default:
        break;
    }
    memset(&value->as, 0, sizeof(value->as));
    value->type = HALONMTA_HSL_TYPE_NONE;
}

void standin_value_kill(struct standin_chain *chain, HalonHSLValue *value)
{
    if (!value)
        return;
    standin_value_clear(chain, value);
    standin_block_kill(chain, value);
    atomic_fetch_sub(&live, 1);
}

HalonHSLValue *standin_value_move(struct standin_chain *chain, HalonHSLValue *value)
{
    HalonHSLValue *moved = standin_block_new(sizeof(*moved), STANDIN_HANDLE);

    memcpy(moved, value, sizeof(*moved));
    standin_block_kill(chain, value);
    return moved;
}

bool standin_value_alive(const HalonHSLValue *value, const char *function)
{
    if (!value)
        return false;
    if (value->magic == STANDIN_MAGIC_VALUE)
        return true;
    standin_fault_add("%s: the value is dead: its call has ended or was scheduled, its array has grown, or it was replaced",
                      function);
    return false;
}

/* ------------------------------------------------------------------------------------------------
 * Host-side setters
 */
static void clear(HalonHSLValue *value)
{
    struct standin_chain chain = {NULL, NULL, 0};

    if (value->type == HALONMTA_HSL_TYPE_NONE)
        return;
    standin_value_clear(&chain, value);
    standin_chain_release(&chain);
}

void standin_value_none(HalonHSLValue *value)
{
    clear(value);
}

void standin_value_boolean(HalonHSLValue *value, bool boolean)
{
    clear(value);
    value->type = HALONMTA_HSL_TYPE_BOOLEAN;
    value->as.boolean = boolean;
}

void standin_value_number(HalonHSLValue *value, double number)
{
    clear(value);
    value->type = HALONMTA_HSL_TYPE_NUMBER;
    value->as.number = number;
}

static void set_text(HalonHSLValue *value, int type, const char *bytes, size_t len)
{
    /* Copied before the old one is cleared: a plugin may set a value to its own text. */
    char *copy = standin_block_new(len + 1, STANDIN_BYTES);

    if (len > 0)
        memcpy(copy, bytes, len);
    clear(value);
    value->type = type;
    value->as.string.bytes = copy;
    value->as.string.len = len;
}

void standin_value_string(HalonHSLValue *value, const char *bytes, size_t len)
{
    set_text(value, HALONMTA_HSL_TYPE_STRING, bytes, len);
}

/* ------------------------------------------------------------------------------------------------
 * What the plugin calls
 */
int HalonMTA_hsl_value_type(const HalonHSLValue *value)
{
    if (!standin_value_alive(value, "HalonMTA_hsl_value_type"))
        return HALONMTA_HSL_TYPE_NONE;
    return value->type;
}

bool HalonMTA_hsl_value_get(const HalonHSLValue *value, int type, void *out, size_t *len)
{
    if (!standin_type_name(type)) {
        standin_fault_add("HalonMTA_hsl_value_get: there is no type %d: a number of another header?", type);
        return false;
    }
    if (!standin_value_alive(value, "HalonMTA_hsl_value_get") || value->type != type)
        return false;
    if (!out) {
        standin_fault_add("HalonMTA_hsl_value_get: out is NULL");
        return false;
    }
    switch (type) {
    case HALONMTA_HSL_TYPE_STRING:
        *(const char **)out = value->as.string.bytes;
        if (len)
            *len = value->as.string.len;
        return true;
    case HALONMTA_HSL_TYPE_NUMBER:
        *(double *)out = value->as.number;
        return true;
    case HALONMTA_HSL_TYPE_BOOLEAN:
        *(bool *)out = value->as.boolean;
        return true;
    default:
        return false;
    }
}

static bool writable(const HalonHSLValue *value, int type)
{
    const char *name = standin_type_name(type);

    if (!name) {
        standin_fault_add("HalonMTA_hsl_value_set: there is no type %d: a number of another header?", type);
        return false;
    }
    if (!value) {
        standin_fault_add("HalonMTA_hsl_value_set: the value is NULL");
        return false;
    }
    if (!standin_value_alive(value, "HalonMTA_hsl_value_set"))
        return false;
    if (value->access == STANDIN_READONLY || value->access == STANDIN_PRIVATE) {
        standin_fault_add("HalonMTA_hsl_value_set: an argument was set to a %s", name);
        return false;
    }
    if ((type == HALONMTA_HSL_TYPE_EXCEPTION) != (value->access == STANDIN_EXCEPTION)) {
        standin_fault_add("HalonMTA_hsl_value_set: a %s was set on %s", name,
                          value->access == STANDIN_EXCEPTION ? "the value of HalonMTA_hsl_throw"
                                                             : "a value that HalonMTA_hsl_throw did not return");
        return false;
    }
    return true;
}

void HalonMTA_hsl_value_set(HalonHSLValue *value, int type, const void *in, size_t len)
{
    bool text = type == HALONMTA_HSL_TYPE_STRING || type == HALONMTA_HSL_TYPE_EXCEPTION;
    bool empty = type == HALONMTA_HSL_TYPE_ARRAY || type == HALONMTA_HSL_TYPE_NONE;

    if (!writable(value, type))
        return;
    if (empty ? in != NULL : in == NULL) {
        standin_fault_add("HalonMTA_hsl_value_set: %s with in %s NULL", standin_type_name(type), in ? "not" : "=");
        return;
    }
    if (!text && len != 0) {
        standin_fault_add("HalonMTA_hsl_value_set: %s with len %zu, not 0", standin_type_name(type), len);
        return;
    }
    switch (type) {
    case HALONMTA_HSL_TYPE_STRING:
    case HALONMTA_HSL_TYPE_EXCEPTION:
        set_text(value, type, in, len ? len : strlen(in));
        break;
    case HALONMTA_HSL_TYPE_NUMBER:
        standin_value_number(value, *(const double *)in);
        break;
    case HALONMTA_HSL_TYPE_BOOLEAN:
        standin_value_boolean(value, *(const bool *)in);
        break;
    case HALONMTA_HSL_TYPE_ARRAY:
        standin_value_array(value, 0);
        break;
    case HALONMTA_HSL_TYPE_NONE:
        standin_value_none(value);
        break;
    default:
        standin_fault_add("HalonMTA_hsl_value_set: the stand-in has no values of type %s", standin_type_name(type));
        break;
    }
}
