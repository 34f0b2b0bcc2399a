/*
 * json_read.c - HalonMTA_hsl_value_from_json: RFC 8259, no extensions.
 *
 * A list becomes an array with the keys 0, 1, 2, ...; of two equal names in an object the last one counts.
 */
#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Deep enough for any data, far from the end of a thread's stack. */
#define DEPTH 100

struct reader {
    const char *text, *at;
    const char *error; /* the first one */
};

static bool fail(struct reader *r, const char *error)
{
    if (!r->error)
        r->error = error;
    return false;
}

static void skip_space(struct reader *r)
{
    while (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r')
        r->at++;
}

static bool take(struct reader *r, char c)
{
    skip_space(r);
    if (*r->at != c)
        return false;
    r->at++;
    return true;
}

static bool read_hex(struct reader *r, unsigned long *unit)
{
    char digits[5] = "";

    for (int i = 0; i < 4; i++) {
        char c = r->at[i];

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')))
            return fail(r, "an escape \\u without four digits");
        digits[i] = c;
    }
    r->at += 4;
    *unit = strtoul(digits, NULL, 16);
    return true;
}

static void add_point(struct standin_text *text, unsigned long point)
{
    char bytes[4];
    size_t n = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;

    if (n == 1) {
        bytes[0] = (char)point;
    } else {
        for (size_t i = n; i-- > 1; point >>= 6)
            bytes[i] = (char)(0x80 | (point & 0x3F));
        bytes[0] = (char)((0xF00 >> n & 0xFF) | point);
    }
    standin_text_add(text, bytes, n);
}

static bool read_escape(struct reader *r, struct standin_text *text)
{
    static const char letters[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    unsigned long point, low;
    const char *at;

    if (*r->at != 'u') {
        at = *r->at ? strchr(letters, *r->at) : NULL;
        if (!at)
            return fail(r, "an unknown escape");
        standin_text_add(text, &bytes[at - letters], 1);
        r->at++;
        return true;
    }
    r->at++;
    if (!read_hex(r, &point))
        return false;
    if (point >= 0xDC00 && point < 0xE000)
        return fail(r, "the second half of a surrogate pair alone");
    if (point >= 0xD800 && point < 0xDC00) {
        if (r->at[0] != '\\' || r->at[1] != 'u')
            return fail(r, "the first half of a surrogate pair alone");
        r->at += 2;
        if (!read_hex(r, &low))
            return false;
        if (low < 0xDC00 || low >= 0xE000)
            return fail(r, "the first half of a surrogate pair alone");
        point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
    }
    add_point(text, point);
    return true;
}

static bool read_string(struct reader *r, struct standin_text *text)
{
    standin_text_add(text, "", 0);
    for (;;) {
        size_t plain = 0;

        while (r->at[plain] != '"' && r->at[plain] != '\\' && (unsigned char)r->at[plain] >= 0x20)
            plain++;
        standin_text_add(text, r->at, plain);
        r->at += plain;
        if (*r->at == '"') {
            r->at++;
            return true;
        }
        if (*r->at != '\\')
            return fail(r, *r->at ? "a control character in a string" : "a string without an end");
        r->at++;
        if (!read_escape(r, text))
            return false;
    }
}

static bool digits(struct reader *r)
{
    const char *start = r->at;

    while (*r->at >= '0' && *r->at <= '9')
        r->at++;
    return r->at > start;
}

static bool read_number(struct reader *r, HalonHSLValue *value)
{
    const char *start = r->at;

    if (*r->at == '-')
        r->at++;
    if (*r->at == '0')
        r->at++;
    else if (!digits(r))
        return fail(r, "not a value");
    if (*r->at == '.') {
        r->at++;
        if (!digits(r))
            return fail(r, "a number without digits after its point");
    }
    if (*r->at == 'e' || *r->at == 'E') {
        r->at++;
        if (*r->at == '+' || *r->at == '-')
            r->at++;
        if (!digits(r))
            return fail(r, "a number without digits in its exponent");
    }
    standin_value_number(value, strtod(start, NULL));
    return true;
}

static bool read_word(struct reader *r, const char *word)
{
    if (strncmp(r->at, word, strlen(word)) != 0)
        return fail(r, "not a value");
    r->at += strlen(word);
    return true;
}

static bool read_value(struct reader *r, HalonHSLValue *value, int depth);

static HalonHSLValue *member(HalonHSLValue *object, const struct standin_text *name)
{
    HalonHSLValue *key, *value;

    for (size_t i = 0; i < object->as.array.count; i++) {
        const HalonHSLValue *k = object->as.array.pairs[i].key;

        if (k->as.string.len == name->len && memcmp(k->as.string.bytes, name->bytes, name->len) == 0)
            return object->as.array.pairs[i].value;
    }
    standin_value_pair(object, &key, &value);
    standin_value_string(key, name->bytes, name->len);
    return value;
}

static bool read_members(struct reader *r, HalonHSLValue *value, int depth)
{
    standin_value_array(value, 0);
    if (take(r, '}'))
        return true;
    do {
        struct standin_text name = {NULL, 0, 0};
        bool ok = take(r, '"') ? read_string(r, &name) : fail(r, "a name of an object is no string");

        if (ok && !take(r, ':'))
            ok = fail(r, "no colon after a name");
        if (ok)
            ok = read_value(r, member(value, &name), depth);
        free(name.bytes);
        if (!ok)
            return false;
    } while (take(r, ','));
    return take(r, '}') || fail(r, "an object without an end");
}

static bool read_items(struct reader *r, HalonHSLValue *value, int depth)
{
    HalonHSLValue *k, *v;

    standin_value_array(value, 0);
    if (take(r, ']'))
        return true;
    do {
        standin_value_pair(value, &k, &v);
        standin_value_number(k, (double)(value->as.array.count - 1));
        if (!read_value(r, v, depth))
            return false;
    } while (take(r, ','));
    return take(r, ']') || fail(r, "a list without an end");
}

static bool read_value(struct reader *r, HalonHSLValue *value, int depth)
{
    struct standin_text text = {NULL, 0, 0};
    bool ok;

    if (depth == DEPTH)
        return fail(r, "nested too deeply");
    if (take(r, '{'))
        return read_members(r, value, depth + 1);
    if (take(r, '['))
        return read_items(r, value, depth + 1);
    if (take(r, '"')) {
        ok = read_string(r, &text);
        if (ok)
            standin_value_string(value, text.bytes, text.len);
        free(text.bytes);
        return ok;
    }
    switch (*r->at) {
    case 't':
        standin_value_boolean(value, true);
        return read_word(r, "true");
    case 'f':
        standin_value_boolean(value, false);
        return read_word(r, "false");
    case 'n':
        standin_value_none(value);
        return read_word(r, "null");
    default:
        return read_number(r, value);
    }
}

bool HalonMTA_hsl_value_from_json(HalonHSLValue *value, const char *json, char **err, size_t *errlen)
{
    struct reader r = {json, json, NULL};
    struct standin_text text = {NULL, 0, 0};
    char number[32];

    if (err)
        *err = NULL;
    if (!json || !value) {
        standin_fault_add("HalonMTA_hsl_value_from_json: %s is NULL", json ? "the value" : "the text");
        return false;
    }
    if (!standin_value_alive(value, "HalonMTA_hsl_value_from_json"))
        return false;
    if (value->access != STANDIN_WRITABLE) {
        standin_fault_add("HalonMTA_hsl_value_from_json: on an argument or an exception");
        return false;
    }
    if (read_value(&r, value, 0)) {
        skip_space(&r);
        if (!*r.at)
            return true;
        fail(&r, "more text after the value");
    }
    standin_value_none(value);
    if (!err)
        return false;
    snprintf(number, sizeof(number), " at byte %td", r.at - r.text);
    standin_text_puts(&text, r.error);
    standin_text_puts(&text, number);
    *err = text.bytes;
    if (errlen)
        *errlen = text.len;
    return false;
}
