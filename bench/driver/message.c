#include "message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POOL_LEAST 8u /* values, also of the largest messages */
#define STAMP      8u

static void *need(void *memory)
{
    if (!memory)
        fail("out of memory");
    return memory;
}

static uint64_t next_random(uint64_t *state)
{
    /* splitmix64 */
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Text like the log lines that mail servers send to Kafka: it compresses like them, which decides the codec cells. */
static void fill_value(char *value, size_t len, uint64_t *state)
{
    static const char *const status[] = {"delivered", "deferred", "rejected", "quarantined"};
    size_t at = 0;

    while (at < len) {
        uint64_t a = next_random(state), b = next_random(state);
        char line[256];
        int n = snprintf(line, sizeof line,
                         "{\"id\":\"%08x-%04x\",\"ip\":\"192.0.%u.%u\",\"from\":\"user%u@example.com\","
                         "\"to\":\"box%u@example.org\",\"size\":%u,\"status\":\"%s\",\"ms\":%u}\n",
                         (unsigned)a, (unsigned)(a >> 32 & 0xffff), (unsigned)(a >> 48 & 255), (unsigned)(a >> 56),
                         (unsigned)(b & 0xffff), (unsigned)(b >> 16 & 0xffff), (unsigned)(b >> 32 & 0xfffff),
                         status[b >> 52 & 3], (unsigned)(b >> 54));
        size_t take = (size_t)n < len - at ? (size_t)n : len - at;
        memcpy(value + at, line, take);
        at += take;
    }
    value[len] = '\0';
}

void messages_init(struct messages *m, const struct shape *shape, unsigned thread)
{
    uint64_t seed = thread + 1u;

    memset(m, 0, sizeof *m);
    m->value_len = shape->value_bytes;
    m->key_len = shape->key_bytes;
    m->stride = m->value_len + 1;
    m->values_len = (unsigned)(shape->pool_bytes / m->stride);
    if (m->values_len < POOL_LEAST)
        m->values_len = POOL_LEAST;
    m->values = need(malloc(m->values_len * m->stride));
    uint64_t state = seed;
    for (unsigned i = 0; i < m->values_len; ++i)
        fill_value(m->values + i * m->stride, m->value_len, &state);
    m->stamp_value = m->value_len >= STAMP;
    m->value_stamp = m->value_len >= 16 ? 7 : 0; /* in place of the first id */

    m->key = need(malloc(m->key_len + 1));
    memset(m->key, 'k', m->key_len);
    m->key[m->key_len] = '\0';
    m->stamp_key = m->key_len >= STAMP;

    m->topics_len = shape->topics;
    m->topics = need(malloc(m->topics_len * sizeof *m->topics));
    for (unsigned i = 0; i < m->topics_len; ++i) {
        char *name = need(malloc(24));
        m->topics[i] = host_string(name, (size_t)snprintf(name, 24, "bench-%u", i));
    }

    /* Threads that all began with the first queue would go on from queue to queue together. */
    m->queues_len = shape->queues;
    m->queues_at = thread % m->queues_len;
    m->queues = need(malloc(m->queues_len * sizeof *m->queues));
    for (unsigned i = 0; i < m->queues_len; ++i) {
        char *id = need(malloc(QUEUE_ID_SIZE));
        queue_id(id, i);
        m->queues[i] = host_string(id, strlen(id));
    }

    HalonHSLValue *v = m->arguments.values;
    v[3] = m->key_len ? host_string(m->key, m->key_len) : (HalonHSLValue){.type = HALONMTA_HSL_TYPE_NONE};
    m->arguments.len = 4;
    if (shape->headers || shape->block) {
        m->headers = need(calloc(shape->headers + 1, sizeof *m->headers));
        for (unsigned i = 0; i < shape->headers; ++i) {
            char *name = need(malloc(24)), *text = need(malloc(17));
            int n = snprintf(name, 24, "x-bench-%u", i);
            snprintf(text, 17, "%016llx", (unsigned long long)next_random(&state));
            m->headers[i].key = host_string(name, (size_t)n);
            m->headers[i].value = host_string(text, 16);
        }
        v[4] = (HalonHSLValue){.type = HALONMTA_HSL_TYPE_ARRAY, .len = shape->headers, .pairs = m->headers};
        v[5] = host_number(-1);
        v[6] = host_boolean(shape->block);
        m->arguments.len = shape->block ? 7 : 6;
    }
    m->sequence = seed << 40;
}

void messages_free(struct messages *m)
{
    if (m->headers)
        for (size_t i = 0; i < m->arguments.values[4].len; ++i) {
            free((char *)m->headers[i].key.text);
            free((char *)m->headers[i].value.text);
        }
    for (unsigned i = 0; i < m->queues_len; ++i)
        free((char *)m->queues[i].text);
    for (unsigned i = 0; i < m->topics_len; ++i)
        free((char *)m->topics[i].text);
    free(m->headers);
    free(m->queues);
    free(m->topics);
    free(m->key);
    free(m->values);
}

/* The upper half of number in hexadecimal, a digit in each byte of a word. */
static uint64_t digits(uint64_t number)
{
    uint64_t n = number >> 32;

    n = (n | n << 16) & 0x0000ffff0000ffffu;
    n = (n | n << 8) & 0x00ff00ff00ff00ffu;
    n = (n | n << 4) & 0x0f0f0f0f0f0f0f0fu;
    uint64_t letters = (n + 0x0606060606060606u) >> 4 & 0x0101010101010101u;
    return n + 0x3030303030303030u + letters * ('a' - '0' - 10);
}

void messages_next(struct messages *m)
{
    HalonHSLValue *v = m->arguments.values;
    v[0] = m->queues[m->queues_at];
    v[1] = m->topics[m->topics_at];
    char *value = m->values + m->values_at * m->stride;
    /* An odd factor maps no two sequences to the same number, and spreads the keys over the partitions. */
    uint64_t number = ++m->sequence * 0x9e3779b97f4a7c15u;

    /* The topic changes when the queues have had their turn, so that each queue meets each topic. */
    if (++m->queues_at == m->queues_len) {
        m->queues_at = 0;
        if (++m->topics_at == m->topics_len)
            m->topics_at = 0;
    }
    if (++m->values_at == m->values_len)
        m->values_at = 0;
    uint64_t stamp = digits(number);
    if (m->stamp_value)
        memcpy(value + m->value_stamp, &stamp, STAMP);
    if (m->stamp_key)
        memcpy(m->key, &stamp, STAMP);
    v[2] = host_string(value, m->value_len);
}
