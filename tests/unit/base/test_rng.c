/* Generators: known answers, independence of purposes, fairness; hashes: known answers, spread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

/* xoshiro256** from the state 1, 2, 3, 4: its published first outputs. */
static void rng_is_xoshiro256starstar(void **state)
{
	static const uint64_t want[] = { 11520ULL, 0ULL, 1509978240ULL, 1215971899390074240ULL,
					 1216172134540287360ULL };
	struct rng r = { { 1, 2, 3, 4 } };

	for (size_t i = 0; i < 5; i++)
		assert_int_equal(rng_u64(&r), want[i]);
}

/* SipHash-2-4, key 00..0f, message 00..0e: the example of its paper, appendix A. */
static void siphash_matches_the_paper(void **state)
{
	uint8_t key[16], msg[15];

	for (uint8_t i = 0; i < 16; i++)
		key[i] = i;
	for (uint8_t i = 0; i < 15; i++)
		msg[i] = i;
	assert_int_equal(siphash(key, msg, sizeof(msg)), 0xa129ca6149be45e5ULL);
}

static void rng_same_names_same_numbers_other_names_other_numbers(void **state)
{
	static const char *const names[][2] = { { "a", "loss" }, { "b", "loss" }, { "a", "jitter" },
						{ "al", "oss" }, { "", "aloss" } };
	uint64_t first[6];
	struct rng r, again;

	for (size_t i = 0; i < 5; i++) {
		rng_derive(&r, 42, names[i][0], names[i][1]);
		rng_derive(&again, 42, names[i][0], names[i][1]);
		assert_memory_equal(&r, &again, sizeof(r));
		first[i] = rng_u64(&r);
	}
	rng_derive(&r, 43, "a", "loss");
	first[5] = rng_u64(&r);
	for (size_t i = 0; i < 6; i++)
		for (size_t k = 0; k < i; k++)
			assert_true(first[i] != first[k]);
}

/* The bytes of a run depend on this: a change here changes every seeded result. */
static void rng_derivation_is_pinned(void **state)
{
	struct rng r;
	uint8_t b[11];
	static const uint8_t zero[11];

	rng_derive(&r, 1, "client", "test");
	rng_bytes(&r, b, sizeof(b));
	assert_memory_not_equal(b, zero, sizeof(b));
	rng_derive(&r, 1, "client", "test");
	for (size_t i = 0; i < 2; i++) {
		uint64_t v = rng_u64(&r);

		for (size_t k = 0; k < 8 && i * 8 + k < sizeof(b); k++)
			assert_int_equal(b[i * 8 + k], (uint8_t)(v >> (8 * k)));
	}
	rng_derive(&r, 1, "client", "test");
	assert_int_equal(rng_u64(&r), 0xf55a660426b82f81ULL);
}

static void rng_below_is_fair_and_in_range(void **state)
{
	struct rng r;
	uint32_t count[7] = { 0 };

	rng_derive(&r, 7, "test", "below");
	for (int i = 0; i < 70000; i++) {
		uint32_t v = rng_below(&r, 7);

		assert_true(v < 7);
		count[v]++;
	}
	for (int i = 0; i < 7; i++)
		assert_in_range(count[i], 9600, 10400);
	for (int i = 0; i < 100; i++)
		assert_int_equal(rng_below(&r, 1), 0);
	for (int i = 0; i < 1000; i++)
		assert_true(rng_below(&r, 0x80000001u) <= 0x80000000u);
}

static void rng_chance_bounds(void **state)
{
	struct rng r, before;
	uint32_t hits = 0;

	rng_derive(&r, 7, "test", "chance");
	before = r;
	assert_false(rng_chance(&r, 0));
	assert_memory_equal(&r, &before, sizeof(r)); /* nothing drawn */
	for (int i = 0; i < 1000; i++)
		assert_true(rng_chance(&r, 1000000));
	for (int i = 0; i < 100000; i++)
		hits += rng_chance(&r, 30000);
	assert_in_range(hits, 2800, 3200);
}

static int cmp_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Addresses, ports and counters as a peer would choose them fall evenly into 1024 buckets,
 * by the low bits and by the high ones. */
static void hash_words_spreads_regular_input(void **state)
{
	enum { B = 1024, N = 16 * B };

	for (unsigned how = 0; how < 6; how++) {
		uint32_t low[B] = { 0 }, high[B] = { 0 };

		for (uint64_t i = 0; i < N; i++) {
			uint64_t a = how % 3 == 0 ? i : how % 3 == 1 ? 0x0a000001 : i << 32;
			uint64_t b = how % 3 == 1 ? i << (how > 2 ? 16 : 0) : 80;
			uint64_t h = hash_words(how * 77, a, b);

			low[h % B]++;
			high[h >> 54]++;
		}
		qsort(low, B, sizeof(low[0]), cmp_u32);
		qsort(high, B, sizeof(high[0]), cmp_u32);
		assert_true(low[B - 1] < 40 && low[0] > 1);
		assert_true(high[B - 1] < 40 && high[0] > 1);
	}
}

static void hash_words_depends_on_each_argument(void **state)
{
	uint64_t h = hash_words(1, 2, 3);

	assert_true(h != hash_words(0, 2, 3));
	assert_true(h != hash_words(1, 3, 2));
	assert_true(h != hash_words(1, 2, 4));
	/* a equal to the key must not make b vanish */
	assert_true(hash_words(5, 5, 1) != hash_words(5, 5, 2));
	assert_true(hash_words(0, 0, 0) != hash_words(0, 0, 1));
	assert_int_equal(h, hash_words(1, 2, 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rng_is_xoshiro256starstar),
		cmocka_unit_test(siphash_matches_the_paper),
		cmocka_unit_test(rng_same_names_same_numbers_other_names_other_numbers),
		cmocka_unit_test(rng_derivation_is_pinned),
		cmocka_unit_test(rng_below_is_fair_and_in_range),
		cmocka_unit_test(rng_chance_bounds),
		cmocka_unit_test(hash_words_spreads_regular_input),
		cmocka_unit_test(hash_words_depends_on_each_argument),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
