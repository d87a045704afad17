/* Pools: reuse, alignment, counts, and poison under AddressSanitizer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/pool.h"

static void pool_reuses_the_last_one_put(void **state)
{
	struct pool p;
	void *a, *b;

	pool_init(&p, "test", 100, 4);
	assert_int_equal(p.size, 112);
	a = pool_get(&p);
	b = pool_get(&p);
	assert_ptr_not_equal(a, b);
	assert_int_equal((uintptr_t)a % 16, 0);
	assert_int_equal((uintptr_t)b % 16, 0);
	memset(a, 0xee, 100);
	memset(b, 0xee, 100);
	pool_put(&p, a);
	assert_ptr_equal(pool_get(&p), a);
	assert_int_equal(p.live, 2);
	assert_int_equal(p.total, 4);
	pool_put(&p, a);
	a = pool_zget(&p);
	for (int i = 0; i < 100; i++)
		assert_int_equal(((char *)a)[i], 0);
	pool_put(&p, a);
	pool_put(&p, b);
	assert_int_equal(p.live, 0);
	pool_destroy(&p);
}

static void pool_grows_by_slabs_without_overlap(void **state)
{
	enum { N = 1000 };
	struct pool p;
	uint32_t *obj[N];

	pool_init(&p, "test", 24, 7);
	for (uint32_t i = 0; i < N; i++) {
		obj[i] = pool_get(&p);
		/* slabs of 4, 4, then 7 each */
		assert_int_equal(p.total, i < 4 ? 4 : i < 8 ? 8 : 8 + (i - 8) / 7 * 7 + 7);
		for (uint32_t k = 0; k < 6; k++)
			obj[i][k] = i;
	}
	for (uint32_t i = 0; i < N; i++)
		for (uint32_t k = 0; k < 6; k++)
			assert_int_equal(obj[i][k], i);
	assert_int_equal(p.live, N);
	assert_int_equal(p.total, 1002);
	/* abandoned objects go with the pool */
	pool_destroy(&p);
	assert_int_equal(p.total, 0);
}

static void xalloc_never_null(void **state)
{
	char *a = xcalloc(0, 0), *b = xrealloc(NULL, 0), *s = xstrdup("host");

	assert_non_null(a);
	assert_non_null(b);
	assert_string_equal(s, "host");
	a = xrealloc(a, 100);
	assert_non_null(a);
	free(a);
	free(b);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pool_reuses_the_last_one_put),
		cmocka_unit_test(pool_grows_by_slabs_without_overlap),
		cmocka_unit_test(xalloc_never_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
