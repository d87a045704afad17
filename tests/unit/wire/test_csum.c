/* The checksum against RFC 1071's plain loop, at every length and alignment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "wire/ip4.h"

/* RFC 1071 section 4.1, over big-endian words. */
static uint32_t naive(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (; len > 1; len -= 2, p += 2)
		sum = csum_add(sum, get_be16(p));
	if (len)
		sum = csum_add(sum, (uint32_t)*p << 8);
	return sum;
}

static void fill(struct rng *r, uint8_t *p, size_t len, unsigned how)
{
	if (how == 0)
		memset(p, 0, len);
	else if (how == 1)
		memset(p, 0xff, len);
	else
		rng_bytes(r, p, len);
}

static void rfc1071_every_length_and_alignment(void **state)
{
	struct rng r;

	rng_derive(&r, 1, "test", "csum");
	for (unsigned how = 0; how < 3; how++) {
		for (size_t len = 0; len <= 300; len++) {
			for (size_t align = 0; align < 16; align++) {
				/* exact sizes on the heap: a read beyond is seen by ASan */
				uint8_t *src = malloc(align + len + 1), *dst = malloc(align + len + 1);
				uint32_t seed = (uint32_t)rng_u64(&r);
				uint16_t want;

				src = realloc(src, align + len ? align + len : 1);
				fill(&r, src + align, len, how);
				want = csum_fold(naive(src + align, len));
				assert_int_equal(csum_fold(csum_partial(src + align, len, 0)), want);
				want = csum_fold(csum_add(naive(src + align, len), seed));
				assert_int_equal(csum_fold(csum_partial(src + align, len, seed)), want);
				dst[align + len] = 0x5a;
				assert_int_equal(
					csum_fold(csum_partial_copy(dst + align, src + align, len, seed)), want);
				assert_memory_equal(dst + align, src + align, len);
				assert_int_equal(dst[align + len], 0x5a);
				free(src);
				free(dst);
			}
		}
	}
}

static void rfc1071_large_lengths(void **state)
{
	static uint8_t buf[70000];
	struct rng r;

	rng_derive(&r, 2, "test", "csum");
	for (unsigned how = 1; how < 3; how++) {
		fill(&r, buf, sizeof(buf), how);
		for (size_t len = 1000; len < sizeof(buf) - 3; len += 977)
			assert_int_equal(csum_fold(csum_partial(buf + 3, len, 0xffffffff)),
					 csum_fold(csum_add(naive(buf + 3, len), 0xffffffff)));
	}
}

/* RFC 1071 section 3's example: 00 01 f2 03 f4 f5 f6 f7, sum ddf2. */
static void rfc1071_example(void **state)
{
	static const uint8_t b[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };

	assert_int_equal(csum_fold(csum_partial(b, 8, 0)), (uint16_t)~0xddf2);
}

static void csum_of_pieces(void **state)
{
	uint8_t buf[200];
	struct rng r;

	rng_derive(&r, 3, "test", "csum");
	rng_bytes(&r, buf, sizeof(buf));
	for (size_t cut = 0; cut <= sizeof(buf); cut++) {
		uint32_t a = csum_partial(buf, cut, 0), b = csum_partial(buf + cut, sizeof(buf) - cut, 0);

		assert_int_equal(csum_fold(csum_block_add(a, b, cut)), csum_fold(naive(buf, sizeof(buf))));
	}
}

static void rfc1624_incremental_update_equals_recomputation(void **state)
{
	struct rng r;

	rng_derive(&r, 4, "test", "csum");
	for (int i = 0; i < 20000; i++) {
		uint8_t h[IP4_HLEN];
		uint16_t oldv, newv, check;

		rng_bytes(&r, h, sizeof(h));
		if (i % 5 == 0)
			memset(h + 2, i % 2 ? 0xff : 0, 14);
		h[0] = 0x45;
		put_be16(h + 10, 0);
		check = ip4_fast_csum(h, IP4_HLEN);
		put_be16(h + 10, check);
		assert_int_equal(ip4_fast_csum(h, IP4_HLEN), 0);
		oldv = get_be16(h + 8);
		newv = (uint16_t)(oldv - 0x100); /* TTL - 1 */
		put_be16(h + 8, newv);
		put_be16(h + 10, csum_replace2(check, oldv, newv));
		assert_int_equal(ip4_fast_csum(h, IP4_HLEN), 0);
	}
}

/* RFC 1624 section 4: 0xdd2f, field 5555 to 3285 gives 0000. */
static void rfc1624_example(void **state)
{
	assert_int_equal(csum_replace2(0xdd2f, 0x5555, 0x3285), 0x0000);
}

static void pseudo_header(void **state)
{
	uint8_t ph[12];

	put_be32(ph, 0xc0a80001);
	put_be32(ph + 4, 0xffff00fe);
	ph[8] = 0;
	ph[9] = 6;
	put_be16(ph + 10, 1480);
	assert_int_equal(csum_fold(csum_tcpudp_nofold(0xc0a80001, 0xffff00fe, 1480, 6, 0)),
			 csum_fold(naive(ph, 12)));
	assert_int_equal(csum_fold(csum_tcpudp_nofold(0xc0a80001, 0xffff00fe, 1480, 6, 0xfffffff0)),
			 csum_fold(csum_add(naive(ph, 12), 0xfffffff0)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc1071_every_length_and_alignment),
		cmocka_unit_test(rfc1071_large_lengths),
		cmocka_unit_test(rfc1071_example),
		cmocka_unit_test(csum_of_pieces),
		cmocka_unit_test(rfc1624_incremental_update_equals_recomputation),
		cmocka_unit_test(rfc1624_example),
		cmocka_unit_test(pseudo_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
