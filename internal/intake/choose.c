#include <string.h>

#include "pack.h"

/* The hash of librdkafka's own partitioners: CRC-32 of IEEE 802.3, half a byte a step. */
static uint32_t crc32_ieee(const unsigned char *key, size_t length)
{
    static const uint32_t table[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                       0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    uint32_t crc = 0xffffffff;

    for (; length; key++, length--) {
        crc ^= *key;
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

/* The hash of the Java client, without its sign. */
static uint32_t murmur2(const unsigned char *key, size_t length)
{
    const uint32_t m = 0x5bd1e995;
    uint32_t h = 0x9747b28c ^ (uint32_t)length;

    for (; length >= 4; key += 4, length -= 4) {
        uint32_t k = (key[0] | (uint32_t)key[1] << 8 | (uint32_t)key[2] << 16 | (uint32_t)key[3] << 24) * m;

        h = h * m ^ (k ^ k >> 24) * m;
    }
    if (length) {
        for (size_t i = 0; i < length; i++)
            h ^= (uint32_t)key[i] << 8 * i;
        h *= m;
    }
    h = (h ^ h >> 13) * m;
    return (h ^ h >> 15) & 0x7fffffff;
}

/* The hash of the Sarama client: FNV-1a taken as a signed number, without its sign. The smallest number has no positive twin. */
static uint32_t fnv1a(const unsigned char *key, size_t length)
{
    uint32_t h = 0x811c9dc5;

    for (; length; key++, length--)
        h = (h ^ *key) * 0x01000193;
    return h >> 31 ? -h : h;
}

static uint32_t hash(int32_t how, const char *key, size_t length)
{
    const unsigned char *bytes = (const unsigned char *)key;

    switch (how) {
    case INTAKE_MURMUR2:
        return murmur2(bytes, length);
    case INTAKE_FNV1A:
        return fnv1a(bytes, length);
    }
    return crc32_ieee(bytes, length);
}

static bool hashes(const struct intake_chooser *chooser, const char *key, int32_t length)
{
    switch (chooser->hashed) {
    case INTAKE_HASH_ALL:
        return true;
    case INTAKE_HASH_GIVEN:
        return key != NULL;
    case INTAKE_HASH_FULL:
        return key && length > 0;
    }
    return false;
}

/* A number below n, by xorshift64*. */
static int32_t draw_below(struct intake_chooser *chooser, int32_t n)
{
    uint64_t x = chooser->random;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    chooser->random = x;
    return (int32_t)((x * UINT64_C(0x2545f4914f6cdd1d) >> 32) * (uint64_t)n >> 32);
}

static int32_t draw(struct intake_chooser *chooser, int32_t count, const int32_t *led, int32_t led_count)
{
    if (led_count > 0 && led_count < count)
        return led[draw_below(chooser, led_count)];
    return draw_below(chooser, count);
}

static bool has_leader(int32_t partition, int32_t count, const int32_t *led, int32_t led_count)
{
    if (led_count == 0 || led_count >= count)
        return true; /* all are alike */
    for (int32_t i = 0; i < led_count; i++)
        if (led[i] == partition)
            return true;
    return false;
}

int32_t intake_choose(struct intake_chooser *chooser, struct intake_choice *choice, const char *key, int32_t length, int32_t count,
                      const int32_t *led, int32_t led_count, int64_t now)
{
    if (count == 1)
        return 0;
    if (hashes(chooser, key, length))
        return (int32_t)(hash(chooser->hashing, key, key ? (size_t)length : 0) % (uint32_t)count);
    /* Only the null key sticks, and for consistent_random the empty one: with "random", a key that is present is spread. */
    bool sticks = !key || (length == 0 && chooser->hashed == INTAKE_HASH_FULL);
    if (chooser->sticky <= 0 || !sticks)
        return draw(chooser, count, led, led_count);
    if (choice->partition < 0 || choice->partition >= count || now >= choice->until || !has_leader(choice->partition, count, led, led_count)) {
        choice->partition = draw(chooser, count, led, led_count);
        choice->until = now + chooser->sticky;
    }
    return choice->partition;
}
