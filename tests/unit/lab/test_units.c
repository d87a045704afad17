/* Quantities with units: what is accepted, what is refused, and that nothing overflows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "lab/units.h"

static void unit_time_values(void **state)
{
	static const struct {
		const char *s;
		uint64_t ns;
	} good[] = {
		{ "0", 0 },		 { "50ms", 50000000 },	     { "1.5s", 1500000000 },
		{ "10 us", 10000 },	 { "7ns", 7 },		     { "0.000000001s", 1 },
		{ "2min", 120000000000 }, { "1h", 3600000000000 }, { "2562047h", 9223369200000000000ULL },
	};
	uint64_t v;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_null(unit_time(good[i].s, &v));
		assert_int_equal(v, good[i].ns);
	}
}

static void unit_time_refuses(void **state)
{
	static const char *const bad[] = {
		"", "50", "ms", "-1ms", "+1ms", "1.ms", ".5s", "1e3ms", "50 ms ", " 50ms", "50  ms", "50msx", "50MS",
		"0.5ns", "1.0000000001s", "99999999999999999999h", "123456789012345678901s", "300000000h", "0x10ms",
		"1,5s", "5m",
	};
	uint64_t v;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (!unit_time(bad[i], &v))
			fail_msg("'%s' was accepted", bad[i]);
}

static void unit_rate_values(void **state)
{
	uint64_t v;

	assert_null(unit_rate("10Mbit", &v));
	assert_int_equal(v, 10000000);
	assert_null(unit_rate("1Gbit", &v));
	assert_int_equal(v, 1000000000);
	assert_null(unit_rate("2.5gbit", &v));
	assert_int_equal(v, 2500000000);
	assert_null(unit_rate("9600bit", &v));
	assert_int_equal(v, 9600);
	assert_non_null(unit_rate("10", &v));
	assert_non_null(unit_rate("10mbps", &v)); /* tc's bytes per second: too easily meant as bits */
	assert_non_null(unit_rate("0.5bit", &v));
	assert_non_null(unit_rate("99999999999999999999Tbit", &v));
	assert_non_null(unit_rate("18446744073709552Tbit", &v));
}

static void unit_percent_values(void **state)
{
	uint32_t v;

	assert_null(unit_percent("0.3%", &v));
	assert_int_equal(v, 3000);
	assert_null(unit_percent("100%", &v));
	assert_int_equal(v, 1000000);
	assert_null(unit_percent("0.0001%", &v));
	assert_int_equal(v, 1);
	assert_null(unit_percent("0%", &v));
	assert_int_equal(v, 0);
	assert_non_null(unit_percent("100.0001%", &v));
	assert_non_null(unit_percent("0.00001%", &v));
	assert_non_null(unit_percent("0.3", &v));
	assert_non_null(unit_percent("-1%", &v));
	assert_non_null(unit_percent("4294967296%", &v));
	assert_non_null(unit_percent("1844674407370955.1617%", &v));
}

static void unit_size_and_length(void **state)
{
	uint64_t v;

	assert_null(unit_size("256KiB", &v));
	assert_int_equal(v, 262144);
	assert_null(unit_size("1MB", &v));
	assert_int_equal(v, 1000000);
	assert_null(unit_size("1.5KiB", &v));
	assert_int_equal(v, 1536);
	assert_non_null(unit_size("1.5B", &v));
	assert_non_null(unit_size("1K", &v));
	assert_non_null(unit_size("17179869184GiB", &v));
	assert_null(unit_length("2.5km", &v));
	assert_int_equal(v, 2500);
	assert_non_null(unit_length("2.5m", &v));
	assert_non_null(unit_length("100", &v));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unit_time_values),    cmocka_unit_test(unit_time_refuses),
		cmocka_unit_test(unit_rate_values),    cmocka_unit_test(unit_percent_values),
		cmocka_unit_test(unit_size_and_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
