/*
 * text.c - text that grows, and how a number and a string look in JSON.
 */
#include "host.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void standin_text_add(struct standin_text *text, const char *bytes, size_t len)
{
    if (text->len + len + 1 > text->capacity) {
        size_t capacity = (text->len + len + 1) * 2;
        char *grown = standin_alloc(capacity);

        if (text->len > 0)
            memcpy(grown, text->bytes, text->len);
        free(text->bytes);
        text->bytes = grown;
        text->capacity = capacity;
    }
    if (len > 0)
        memcpy(text->bytes + text->len, bytes, len);
    text->len += len;
    text->bytes[text->len] = '\0';
}

void standin_text_puts(struct standin_text *text, const char *string)
{
    standin_text_add(text, string, strlen(string));
}

/* The shortest form that reads back as the same double; whole numbers without a fraction. */
void standin_text_number(struct standin_text *text, double number)
{
    char form[40];

    if (number == floor(number) && fabs(number) < 1e15) {
        snprintf(form, sizeof(form), "%.0f", number);
    } else {
        for (int digits = 15; digits <= 17; digits++) {
            snprintf(form, sizeof(form), "%.*g", digits, number);
            if (strtod(form, NULL) == number)
                break;
        }
    }
    standin_text_puts(text, form);
}

/*
 * The code point at bytes[*i], and *i moved behind it.
 * returns -1 where the bytes are not UTF-8: cut short, overlong, a surrogate, above U+10FFFF.
 */
static long decode(const unsigned char *bytes, size_t len, size_t *i)
{
    static const long least[5] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char c = bytes[*i];
    size_t n = c < 0x80 ? 1 : c >= 0xC2 && c < 0xE0 ? 2 : c >= 0xE0 && c < 0xF0 ? 3 : c >= 0xF0 && c < 0xF5 ? 4 : 0;
    long point;

    if (n == 0 || n > len - *i)
        return -1;
    point = n == 1 ? c : c & (0x7F >> n);
    for (size_t k = 1; k < n; k++) {
        if ((bytes[*i + k] & 0xC0) != 0x80)
            return -1;
        point = point << 6 | (bytes[*i + k] & 0x3F);
    }
    if (point < least[n] || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000))
        return -1;
    *i += n;
    return point;
}

static void escape(struct standin_text *text, long point)
{
    char form[32];

    if (point >= 0x10000) {
        point -= 0x10000;
        snprintf(form, sizeof(form), "\\u%04lx\\u%04lx", 0xD800 + (point >> 10), 0xDC00 + (point & 0x3FF));
    } else {
        snprintf(form, sizeof(form), "\\u%04lx", point);
    }
    standin_text_puts(text, form);
}

bool standin_text_quote(struct standin_text *text, const char *bytes, size_t len)
{
    static const char named[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";

    standin_text_puts(text, "\"");
    for (size_t i = 0; i < len;) {
        long point = decode((const unsigned char *)bytes, len, &i);
        const char *at;

        if (point < 0)
            return false;
        at = point > 0 && point < 0x80 ? strchr(named, (int)point) : NULL;
        if (at) {
            char two[2] = {'\\', letters[at - named]};

            standin_text_add(text, two, 2);
        } else if (point >= 0x20 && point < 0x7F) {
            char one = (char)point;

            standin_text_add(text, &one, 1);
        } else {
            escape(text, point);
        }
    }
    standin_text_puts(text, "\"");
    return true;
}
