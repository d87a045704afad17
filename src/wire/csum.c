/* The Internet checksum (RFC 1071): sums, and sums while copying.
 *
 * Called by ipv4/, tcp/, drivers/ and the test tools for every header and payload. The sum is taken
 * over words in the machine's own order and swapped once at the end, which RFC 1071 section 2 (B)
 * allows; 32-bit halves are added into 64-bit lanes, so that no carry is lost before 2^32 additions
 * (section 2 (C), deferred carries). Tests: tests/unit/wire/test_csum.c. */
#include <string.h>

#include "wire/ip4.h"

/* Two lanes of 64 bits; the compilers lower this to whatever the machine has. */
typedef uint64_t lanes __attribute__((vector_size(16)));
#define LANES_STEP (4 * sizeof(lanes))

static inline lanes lanes_load(const uint8_t *p)
{
	lanes v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline lanes lanes_halves(lanes v)
{
	const lanes low = {0xffffffffu, 0xffffffffu};

	return (v & low) + (v >> 32);
}

/* 64 octets per round, in four independent sums. */
static inline __attribute__((always_inline)) uint64_t sum_rounds(uint8_t *dst, const uint8_t *src,
								 size_t rounds)
{
	lanes s0 = {0, 0}, s1 = s0, s2 = s0, s3 = s0;

	for (; rounds; rounds--, src += LANES_STEP) {
		lanes a = lanes_load(src), b = lanes_load(src + sizeof(lanes));
		lanes c = lanes_load(src + 2 * sizeof(lanes)), d = lanes_load(src + 3 * sizeof(lanes));

		if (dst) {
			memcpy(dst, &a, sizeof(a));
			memcpy(dst + sizeof(a), &b, sizeof(b));
			memcpy(dst + 2 * sizeof(a), &c, sizeof(c));
			memcpy(dst + 3 * sizeof(a), &d, sizeof(d));
			dst += LANES_STEP;
		}
		s0 += lanes_halves(a);
		s1 += lanes_halves(b);
		s2 += lanes_halves(c);
		s3 += lanes_halves(d);
	}
	s0 = (s0 + s1) + (s2 + s3);
	return s0[0] + s0[1];
}

/* The last 0 to 7 octets, in steps of known size: a call of memcpy would cost more than the sum. */
static inline __attribute__((always_inline)) uint64_t sum_tail(uint8_t *dst, const uint8_t *src,
							       size_t len)
{
	uint64_t sum = 0;
	uint32_t w4;
	uint16_t w2;

	if (dst)
		for (size_t i = 0; i < len; i++)
			dst[i] = src[i];
	if (len & 4) {
		memcpy(&w4, src, 4);
		sum += w4;
		src += 4;
	}
	if (len & 2) {
		memcpy(&w2, src, 2);
		sum += w2;
		src += 2;
	}
	if (len & 1) {
		/* An odd last octet counts as if a zero followed it (RFC 1071 section 1). */
		const uint8_t pair[2] = {*src, 0};

		memcpy(&w2, pair, 2);
		sum += w2;
	}
	return sum;
}

/* Sum in the machine's order; copies too when dst is given. Inlined with dst known or NULL. */
static inline __attribute__((always_inline)) uint64_t sum_run(uint8_t *dst, const uint8_t *src,
							      size_t len)
{
	size_t rounds = len / LANES_STEP;
	uint64_t sum = 0, w;

	if (rounds) {
		sum = sum_rounds(dst, src, rounds);
		src += rounds * LANES_STEP;
		if (dst)
			dst += rounds * LANES_STEP;
		len -= rounds * LANES_STEP;
	}
	for (; len >= 8; len -= 8, src += 8) {
		memcpy(&w, src, 8);
		sum += (w & 0xffffffffu) + (w >> 32);
		if (dst) {
			memcpy(dst, &w, 8);
			dst += 8;
		}
	}
	return sum + sum_tail(dst, src, len);
}

/* To 16 bits, in network order, added to a running sum. */
static uint32_t sum_finish(uint64_t s, uint32_t sum)
{
	s = (s & 0xffffffffu) + (s >> 32);
	s = (s & 0xffff) + (s >> 16 & 0xffff) + (s >> 32);
	s = (s & 0xffff) + (s >> 16);
	s = (s & 0xffff) + (s >> 16);
	if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
		s = (s >> 8 | s << 8) & 0xffff;
	return csum_add(sum, (uint32_t)s);
}

uint32_t csum_partial(const void *data, size_t len, uint32_t sum)
{
	return sum_finish(sum_run(NULL, data, len), sum);
}

uint32_t csum_partial_copy(void *dst, const void *src, size_t len, uint32_t sum)
{
	if (!len)
		return sum;
	return sum_finish(sum_run(dst, src, len), sum);
}
