#include "pack.h"

/*
 * CRC-32C by folding. A word of 128 bits that lies D bits ahead has the same sum as its product, without carries, with x^D modulo the
 * polynomial; so it is multiplied and added to the word that lies there, four times two words at once. The last word goes through the
 * processor's own instruction, as what is too short for this does. Bits are in reflected order, as those of the checksum are.
 */
#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#include <string.h>

#define FOLDS __attribute__((target("avx2,vpclmulqdq,pclmul,sse4.2")))

/* The lower and the upper half of a word D bits ahead are multiplied by x^(D+32) and x^(D-32), reflected, one bit up. */
#define AHEAD_1024 UINT64_C(0x06992cea2), UINT64_C(0x00d3b6092)
#define AHEAD_256  UINT64_C(0x1384aa63a), UINT64_C(0x0ba4fc28e)
#define AHEAD_128  UINT64_C(0x0f20c0dfe), UINT64_C(0x14cd00bd6)

FOLDS static inline __m128i word(uint64_t low, uint64_t high)
{
    return _mm_set_epi64x((int64_t)high, (int64_t)low);
}

FOLDS static inline __m256i load(const char *at)
{
    return _mm256_loadu_si256((const __m256i *)at);
}

FOLDS static inline __m128i fold(__m128i ahead, __m128i by, __m128i onto)
{
    return _mm_xor_si128(_mm_xor_si128(_mm_clmulepi64_si128(ahead, by, 0x00), _mm_clmulepi64_si128(ahead, by, 0x11)), onto);
}

FOLDS static inline __m256i fold_both(__m256i ahead, __m256i by, __m256i onto)
{
    return _mm256_xor_si256(_mm256_xor_si256(_mm256_clmulepi64_epi128(ahead, by, 0x00), _mm256_clmulepi64_epi128(ahead, by, 0x11)), onto);
}

/* Assembly, as compilers disagree on what its intrinsic needs. */
static inline uint64_t sum_eight(uint64_t sum, uint64_t bytes)
{
    __asm__("crc32q %1, %0" : "+r"(sum) : "rm"(bytes));
    return sum;
}

static inline uint32_t sum_one(uint32_t sum, unsigned char byte)
{
    __asm__("crc32b %1, %0" : "+r"(sum) : "rm"(byte));
    return sum;
}

FOLDS static uint32_t add(uint32_t sum, const char *at, size_t length)
{
    if (length >= 256) {
        const __m256i far = _mm256_broadcastsi128_si256(word(AHEAD_1024)), near = _mm256_broadcastsi128_si256(word(AHEAD_256));
        __m256i a = load(at), b = load(at + 32), c = load(at + 64), d = load(at + 96);
        a = _mm256_xor_si256(a, _mm256_set_epi32(0, 0, 0, 0, 0, 0, 0, (int)sum));
        for (at += 128, length -= 128; length >= 128; at += 128, length -= 128) {
            a = fold_both(a, far, load(at));
            b = fold_both(b, far, load(at + 32));
            c = fold_both(c, far, load(at + 64));
            d = fold_both(d, far, load(at + 96));
        }
        d = fold_both(fold_both(fold_both(a, near, b), near, c), near, d);
        for (; length >= 32; at += 32, length -= 32)
            d = fold_both(d, near, load(at));
        __m128i last = fold(_mm256_extracti128_si256(d, 0), word(AHEAD_128), _mm256_extracti128_si256(d, 1));
        sum = (uint32_t)sum_eight(sum_eight(0, (uint64_t)_mm_extract_epi64(last, 0)), (uint64_t)_mm_extract_epi64(last, 1));
    }
    for (; length >= 8; at += 8, length -= 8) {
        uint64_t eight;

        memcpy(&eight, at, 8);
        sum = (uint32_t)sum_eight(sum, eight);
    }
    for (; length; at++, length--)
        sum = sum_one(sum, (unsigned char)*at);
    return sum;
}

/* Not __builtin_cpu_supports, which the runtime library of some compilers lacks. */
bool intake_can_checksum(void)
{
    unsigned a, b, c, d;

    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSE4_2) || !(c & bit_PCLMUL) || !(c & bit_OSXSAVE))
        return false;
    __asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
    if ((a & 6) != 6) /* the kernel saves the registers */
        return false;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_AVX2) && (c & bit_VPCLMULQDQ);
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
