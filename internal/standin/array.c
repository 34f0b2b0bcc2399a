/*
 * array.c - HSL arrays: ordered pairs of key and value.
 *
 * An array that grows moves every pair whose address the plugin has seen, so that a pointer kept over
 * HalonMTA_hsl_value_array_add is dead each time, and not only when some capacity happens to be full. The
 * pairs that nobody has seen stay: building a long array does not become quadratic.
 */
#include "host.h"

#include <stdlib.h>
#include <string.h>

void standin_value_array(HalonHSLValue *value, size_t capacity)
{
    standin_value_none(value);
    value->type = HALONMTA_HSL_TYPE_ARRAY;
    if (capacity > 0) {
        value->as.array.pairs = standin_alloc(capacity * sizeof(struct standin_pair));
        value->as.array.capacity = capacity;
    }
}

void standin_value_pair(HalonHSLValue *array, HalonHSLValue **key, HalonHSLValue **value)
{
    struct standin_pair *pair;

    if (array->as.array.count == array->as.array.capacity) {
        size_t capacity = array->as.array.capacity ? array->as.array.capacity * 2 : 4;
        struct standin_pair *pairs = standin_alloc(capacity * sizeof(*pairs));

        if (array->as.array.count > 0)
            memcpy(pairs, array->as.array.pairs, array->as.array.count * sizeof(*pairs));
        free(array->as.array.pairs);
        array->as.array.pairs = pairs;
        array->as.array.capacity = capacity;
    }
    pair = &array->as.array.pairs[array->as.array.count++];
    *pair = (struct standin_pair){standin_value_new(array->access), standin_value_new(array->access), false, 0};
    *key = pair->key;
    *value = pair->value;
}

/* Remembers that the plugin holds the addresses of pair i. Arguments never move: nothing to remember. */
static void lend(HalonHSLValue *array, size_t i)
{
    struct standin_pair *pair = &array->as.array.pairs[i];

    if (array->access == STANDIN_READONLY || pair->lent)
        return;
    pair->lent = true;
    pair->next_lent = array->as.array.first_lent;
    array->as.array.first_lent = i + 1;
}

static void move_lent(HalonHSLValue *array)
{
    struct standin_chain chain = {NULL, NULL, 0};
    size_t next = array->as.array.first_lent;

    while (next) {
        struct standin_pair *pair = &array->as.array.pairs[next - 1];

        pair->key = standin_value_move(&chain, pair->key);
        pair->value = standin_value_move(&chain, pair->value);
        pair->lent = false;
        next = pair->next_lent;
        pair->next_lent = 0;
    }
    array->as.array.first_lent = 0;
    standin_chain_release(&chain);
}

HalonHSLValue *standin_value_copy(const HalonHSLValue *value, enum standin_access access)
{
    HalonHSLValue *copy = standin_value_new(access);

    switch (value->type) {
    case HALONMTA_HSL_TYPE_BOOLEAN:
        standin_value_boolean(copy, value->as.boolean);
        break;
    case HALONMTA_HSL_TYPE_NUMBER:
        standin_value_number(copy, value->as.number);
        break;
    case HALONMTA_HSL_TYPE_STRING:
    case HALONMTA_HSL_TYPE_EXCEPTION:
        standin_value_string(copy, value->as.string.bytes, value->as.string.len);
        break;
    case HALONMTA_HSL_TYPE_ARRAY:
        standin_value_array(copy, value->as.array.count);
        for (size_t i = 0; i < value->as.array.count; i++) {
            const struct standin_pair *from = &value->as.array.pairs[i];
            struct standin_pair *to = &copy->as.array.pairs[i];

            if (from->key->type != HALONMTA_HSL_TYPE_STRING && from->key->type != HALONMTA_HSL_TYPE_NUMBER)
                standin_fault_add("an array of the result has a key of type %s", standin_type_name(from->key->type));
            *to = (struct standin_pair){standin_value_copy(from->key, access), standin_value_copy(from->value, access),
                                        false, 0};
            copy->as.array.count++;
        }
        break;
    default:
        break;
    }
    return copy;
}

/* ------------------------------------------------------------------------------------------------
 * What the plugin calls
 */
static bool is_array(const HalonHSLValue *value, const char *function)
{
    return standin_value_alive(value, function) && value->type == HALONMTA_HSL_TYPE_ARRAY;
}

size_t HalonMTA_hsl_value_array_length(const HalonHSLValue *value)
{
    return is_array(value, "HalonMTA_hsl_value_array_length") ? value->as.array.count : 0;
}

HalonHSLValue *HalonMTA_hsl_value_array_get(const HalonHSLValue *value, size_t i, HalonHSLValue **key)
{
    if (!is_array(value, "HalonMTA_hsl_value_array_get") || i >= value->as.array.count)
        return NULL;
    lend((HalonHSLValue *)value, i);
    if (key)
        *key = value->as.array.pairs[i].key;
    return value->as.array.pairs[i].value;
}

HalonHSLValue *HalonMTA_hsl_value_array_find(const HalonHSLValue *value, const char *key)
{
    size_t len;

    if (!is_array(value, "HalonMTA_hsl_value_array_find"))
        return NULL;
    if (!key) {
        standin_fault_add("HalonMTA_hsl_value_array_find: the key is NULL");
        return NULL;
    }
    len = strlen(key);
    for (size_t i = 0; i < value->as.array.count; i++) {
        const HalonHSLValue *k = value->as.array.pairs[i].key;

        if (k->type != HALONMTA_HSL_TYPE_STRING || k->as.string.len != len || memcmp(k->as.string.bytes, key, len) != 0)
            continue;
        lend((HalonHSLValue *)value, i);
        return value->as.array.pairs[i].value;
    }
    return NULL;
}

void HalonMTA_hsl_value_array_add(HalonHSLValue *array, HalonHSLValue **key, HalonHSLValue **value)
{
    HalonHSLValue *k, *v;

    if (!key || !value) {
        standin_fault_add("HalonMTA_hsl_value_array_add: key or value is NULL");
        return;
    }
    *key = NULL;
    *value = NULL;
    if (!array) {
        standin_fault_add("HalonMTA_hsl_value_array_add: the array is NULL");
        return;
    }
    if (!standin_value_alive(array, "HalonMTA_hsl_value_array_add"))
        return;
    if (array->access != STANDIN_WRITABLE) {
        standin_fault_add("HalonMTA_hsl_value_array_add: on %s",
                          array->access == STANDIN_EXCEPTION ? "an exception" : "an argument");
        return;
    }
    if (array->type == HALONMTA_HSL_TYPE_NONE)
        standin_value_array(array, 0);
    if (array->type != HALONMTA_HSL_TYPE_ARRAY) {
        standin_fault_add("HalonMTA_hsl_value_array_add: on a %s", standin_type_name(array->type));
        return;
    }
    move_lent(array);
    standin_value_pair(array, &k, &v);
    lend(array, array->as.array.count - 1);
    *key = k;
    *value = v;
}
