#include "pack.h"

/*
 * CRC-32C by folding. A word of 128 bits that lies D bits ahead has the same sum as its product, without carries, with x^D modulo the
 * polynomial; so it is multiplied and added to the word that lies there, four times four words at once. The last word goes through the
 * processor's own instruction, as what is too short for this does. Bits are in reflected order, as those of the checksum are.
 */
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define FOLDS __attribute__((target("avx512f,avx512vl,vpclmulqdq,pclmul,sse4.2")))

/* The lower and the upper half of a word D bits ahead are multiplied by x^(D+32) and x^(D-32), reflected, one bit up. */
#define AHEAD_2048 UINT64_C(0x0dcb17aa4), UINT64_C(0x0b9e02b86)
#define AHEAD_512  UINT64_C(0x0740eef02), UINT64_C(0x09e4addf8)
#define AHEAD_128  UINT64_C(0x0f20c0dfe), UINT64_C(0x14cd00bd6)

FOLDS static inline __m128i word(uint64_t low, uint64_t high)
{
    return _mm_set_epi64x((int64_t)high, (int64_t)low);
}

FOLDS static inline __m128i fold(__m128i ahead, __m128i by, __m128i onto)
{
    return _mm_xor_si128(_mm_xor_si128(_mm_clmulepi64_si128(ahead, by, 0x00), _mm_clmulepi64_si128(ahead, by, 0x11)), onto);
}

FOLDS static inline __m512i fold_four(__m512i ahead, __m512i by, __m512i onto)
{
    return _mm512_xor_si512(_mm512_xor_si512(_mm512_clmulepi64_epi128(ahead, by, 0x00), _mm512_clmulepi64_epi128(ahead, by, 0x11)), onto);
}

FOLDS static uint32_t add_word(uint32_t sum, __m128i word)
{
    return (uint32_t)_mm_crc32_u64(_mm_crc32_u64(sum, (uint64_t)_mm_extract_epi64(word, 0)), (uint64_t)_mm_extract_epi64(word, 1));
}

FOLDS static uint32_t add(uint32_t sum, const char *at, size_t length)
{
    if (length >= 256) {
        const __m512i far = _mm512_broadcast_i32x4(word(AHEAD_2048)), near = _mm512_broadcast_i32x4(word(AHEAD_512));
        __m512i a = _mm512_loadu_si512(at), b = _mm512_loadu_si512(at + 64), c = _mm512_loadu_si512(at + 128), d = _mm512_loadu_si512(at + 192);
        a = _mm512_xor_si512(a, _mm512_zextsi128_si512(_mm_cvtsi32_si128((int)sum)));
        for (at += 256, length -= 256; length >= 256; at += 256, length -= 256) {
            a = fold_four(a, far, _mm512_loadu_si512(at));
            b = fold_four(b, far, _mm512_loadu_si512(at + 64));
            c = fold_four(c, far, _mm512_loadu_si512(at + 128));
            d = fold_four(d, far, _mm512_loadu_si512(at + 192));
        }
        d = fold_four(fold_four(fold_four(a, near, b), near, c), near, d);
        for (; length >= 64; at += 64, length -= 64)
            d = fold_four(d, near, _mm512_loadu_si512(at));
        const __m128i next = word(AHEAD_128);
        __m128i last = fold(_mm512_extracti32x4_epi32(d, 0), next, _mm512_extracti32x4_epi32(d, 1));
        last = fold(last, next, _mm512_extracti32x4_epi32(d, 2));
        sum = add_word(0, fold(last, next, _mm512_extracti32x4_epi32(d, 3)));
    }
    for (; length >= 8; at += 8, length -= 8) {
        uint64_t eight;

        memcpy(&eight, at, 8);
        sum = (uint32_t)_mm_crc32_u64(sum, eight);
    }
    for (; length; at++, length--)
        sum = _mm_crc32_u8(sum, (unsigned char)*at);
    return sum;
}

bool intake_can_checksum(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("vpclmulqdq") &&
           __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.2");
}

uint32_t intake_checksum(const struct intake_batch *b)
{
    uint32_t sum = ~UINT32_C(0);
    size_t from = INTAKE_BATCH_SUMMED;

    if (b->piece_count == 0)
        return ~add(sum, b->bytes + from, b->used - from);
    for (uint32_t i = 0; i < b->piece_count; i++) {
        const struct intake_piece *p = &b->pieces[i];

        sum = add(sum, (p->at ? p->at : b->bytes + p->offset) + from, p->length - from);
        from = 0;
    }
    return ~sum;
}
#else
bool intake_can_checksum(void)
{
    return false;
}

uint32_t intake_checksum(const struct intake_batch *b)
{
    (void)b;
    return 0;
}
#endif
