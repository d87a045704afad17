/* The Internet checksum (RFC 1071): sums, and sums while copying.
 *
 * Called by ipv4/, tcp/, drivers/ and the test tools for every header and payload. The sum is taken
 * over words in the machine's own order and swapped once at the end, which RFC 1071 section 2 (B)
 * allows. Headers and small payloads are added as 64-bit words whose carry goes round at once; long
 * ones in vectors, whose 32-bit halves go into 64-bit lanes, so that no carry is lost before 2^32
 * additions (section 2 (C), deferred carries). Tests: tests/unit/wire/test_csum.c. */
#include <string.h>

#include "base/cpu.h"
#include "wire/ip4.h"

/* Four lanes of 64 bits; the compilers lower this to whatever the machine has. */
typedef uint64_t lanes __attribute__((vector_size(32)));
#define LANES_STEP (4 * sizeof(lanes))
/* From here on vectors win. */
#define LANES_MIN 256u

/* One's complement addition: the carry comes round to the low end. */
static inline uint64_t add_round(uint64_t a, uint64_t b)
{
	a += b;
	return a + (a < b);
}

#define LANES_ADD(s, v) ((s) += ((v) & low) + ((v) >> 32))

/* 128 octets per round, in four independent sums; copies too when dst is given. */
static inline __attribute__((always_inline)) uint64_t sum_rounds(uint8_t *dst, const uint8_t *src, size_t rounds)
{
	const lanes low = { 0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu };
	lanes s0 = { 0, 0, 0, 0 }, s1 = s0, s2 = s0, s3 = s0, v[4];
	uint64_t sum = 0;

	for (; rounds; rounds--, src += LANES_STEP) {
		memcpy(&v[0], src, sizeof(lanes));
		memcpy(&v[1], src + sizeof(lanes), sizeof(lanes));
		memcpy(&v[2], src + 2 * sizeof(lanes), sizeof(lanes));
		memcpy(&v[3], src + 3 * sizeof(lanes), sizeof(lanes));
		if (dst) {
			memcpy(dst, &v[0], sizeof(lanes));
			memcpy(dst + sizeof(lanes), &v[1], sizeof(lanes));
			memcpy(dst + 2 * sizeof(lanes), &v[2], sizeof(lanes));
			memcpy(dst + 3 * sizeof(lanes), &v[3], sizeof(lanes));
			dst += LANES_STEP;
		}
		LANES_ADD(s0, v[0]);
		LANES_ADD(s1, v[1]);
		LANES_ADD(s2, v[2]);
		LANES_ADD(s3, v[3]);
	}
	s0 = (s0 + s1) + (s2 + s3);
	for (unsigned i = 0; i < 4; i++)
		sum = add_round(sum, s0[i]);
	return sum;
}

static uint64_t sum_long(const uint8_t *src, size_t rounds) { return sum_rounds(NULL, src, rounds); }
CPU_WIDE static uint64_t sum_long_wide(const uint8_t *src, size_t rounds) { return sum_rounds(NULL, src, rounds); }
static uint64_t copy_long(uint8_t *dst, const uint8_t *src, size_t rounds) { return sum_rounds(dst, src, rounds); }
CPU_WIDE static uint64_t copy_long_wide(uint8_t *dst, const uint8_t *src, size_t rounds)
{
	return sum_rounds(dst, src, rounds);
}

/* The last 0 to 7 octets, in steps of known size: a call of memcpy would cost more than the sum. */
static inline __attribute__((always_inline)) uint64_t sum_tail(uint8_t *dst, const uint8_t *src, size_t len)
{
	uint64_t sum = 0;
	uint32_t w4;
	uint16_t w2;

	if (len & 4) {
		memcpy(&w4, src, 4);
		sum += w4;
		src += 4;
		if (dst) {
			memcpy(dst, &w4, 4);
			dst += 4;
		}
	}
	if (len & 2) {
		memcpy(&w2, src, 2);
		sum += w2;
		src += 2;
		if (dst) {
			memcpy(dst, &w2, 2);
			dst += 2;
		}
	}
	if (len & 1) {
		/* An odd last octet counts as if a zero followed it (RFC 1071 section 1). */
		const uint8_t pair[2] = { *src, 0 };

		memcpy(&w2, pair, 2);
		sum += w2;
		if (dst)
			*dst = *src;
	}
	return sum;
}

/* Sum in the machine's order, in 64-bit words; copies too when dst is given. Inlined with dst known or NULL. */
static inline __attribute__((always_inline)) uint64_t sum_words(uint8_t *dst, const uint8_t *src, size_t len)
{
	uint64_t even = 0, odd = 0, a, b;

	for (; len >= 16; len -= 16, src += 16) {
		memcpy(&a, src, 8);
		memcpy(&b, src + 8, 8);
		even = add_round(even, a);
		odd = add_round(odd, b);
		if (dst) {
			memcpy(dst, &a, 8);
			memcpy(dst + 8, &b, 8);
			dst += 16;
		}
	}
	if (len & 8) {
		memcpy(&a, src, 8);
		even = add_round(even, a);
		src += 8;
		if (dst) {
			memcpy(dst, &a, 8);
			dst += 8;
		}
	}
	return add_round(add_round(even, odd), sum_tail(dst, src, len));
}

/* To 32 bits, in network order, added to a running sum. Rotation by an octet swaps the octets of the 16-bit sum. */
static inline uint32_t sum_finish(uint64_t s, uint32_t sum)
{
	uint32_t w = csum_add((uint32_t)s, (uint32_t)(s >> 32));

	if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
		w = w >> 8 | w << 24;
	return csum_add(sum, w);
}

uint32_t csum_partial(const void *data, size_t len, uint32_t sum)
{
	const uint8_t *src = data;
	uint64_t s = 0;

	if (len >= LANES_MIN) {
		size_t rounds = len / LANES_STEP;

		s = cpu_is_wide() ? sum_long_wide(src, rounds) : sum_long(src, rounds);
		src += rounds * LANES_STEP;
		len -= rounds * LANES_STEP;
	}
	return sum_finish(add_round(s, sum_words(NULL, src, len)), sum);
}

uint32_t csum_partial_copy(void *dst, const void *src, size_t len, uint32_t sum)
{
	const uint8_t *from = src;
	uint8_t *to = dst;
	uint64_t s = 0;

	if (!len)
		return sum;
	if (len >= LANES_MIN) {
		size_t rounds = len / LANES_STEP;

		s = cpu_is_wide() ? copy_long_wide(to, from, rounds) : copy_long(to, from, rounds);
		from += rounds * LANES_STEP;
		to += rounds * LANES_STEP;
		len -= rounds * LANES_STEP;
	}
	return sum_finish(add_round(s, sum_words(to, from, len)), sum);
}
