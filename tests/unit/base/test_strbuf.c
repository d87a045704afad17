/* Strings that grow, and strict parsers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/strbuf.h"

static void strbuf_grows_and_terminates(void **state)
{
	struct strbuf sb;

	sb_init(&sb);
	assert_string_equal(sb_str(&sb), "");
	for (int i = 0; i < 1000; i++)
		sb_printf(&sb, "%d,", i);
	assert_int_equal(sb.len, 10 * 2 + 90 * 3 + 900 * 4);
	assert_int_equal(strlen(sb_str(&sb)), sb.len);
	sb_reset(&sb);
	assert_string_equal(sb_str(&sb), "");
	sb_puts(&sb, "ab");
	sb_putc(&sb, 'c');
	sb_add(&sb, "\0d", 2);
	assert_int_equal(sb.len, 5);
	assert_memory_equal(sb_str(&sb), "abc\0d", 6);
	sb_add(&sb, NULL, 0);
	sb_printf(&sb, "%*s", 5000, "x");
	assert_int_equal(sb.len, 5005);
	sb_free(&sb);
}

static void ip4_text_both_ways(void **state)
{
	char buf[IP4_STRLEN];
	uint32_t a = 7;

	assert_string_equal(ip4_str(buf, 0xffffffff), "255.255.255.255");
	assert_string_equal(ip4_str(buf, 0x0a00050c), "10.0.5.12");
	assert_int_equal(ip4_parse("192.168.100.1", &a), 0);
	assert_int_equal(a, 0xc0a86401);
	assert_int_equal(ip4_parse("0.0.0.0", &a), 0);
	assert_int_equal(a, 0);
}

static void ip4_bad_text_is_refused(void **state)
{
	static const char *const bad[] = { "", "1", "1.2.3", "1.2.3.", "1.2.3.4.", "1.2.3.4.5", "256.1.1.1",
					   "1.2.3.04", "01.2.3.4", "1.2.3.1000", " 1.2.3.4", "1.2.3.4 ",
					   "1.2.3.-4", "+1.2.3.4", "0x1.2.3.4", "1..2.3", "a.b.c.d",
					   "1.2.3.4\n", "1,2,3,4", "1.2.3.4/24" };
	uint32_t a = 99;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(ip4_parse(bad[i], &a), -EINVAL);
		assert_int_equal(a, 99); /* no partial output */
	}
}

static void prefix_text(void **state)
{
	static const char *const bad[] = { "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/8/8",
					   "10.0.0.0/ 8", "10.0.0.0/255.0.0.0", "/8", "10/8" };
	uint32_t a = 0;
	uint8_t plen = 0;

	assert_int_equal(ip4_parse_prefix("10.1.0.1/16", &a, &plen), 0);
	assert_int_equal(a, 0x0a010001);
	assert_int_equal(plen, 16);
	assert_int_equal(ip4_parse_prefix("0.0.0.0/0", &a, &plen), 0);
	assert_int_equal(plen, 0);
	assert_int_equal(ip4_parse_prefix("10.1.2.3", &a, &plen), 0);
	assert_int_equal(plen, 32);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(ip4_parse_prefix(bad[i], &a, &plen), -EINVAL);
}

static void mac_text_both_ways(void **state)
{
	static const char *const bad[] = { "", "02:00:00:00:00", "02:00:00:00:00:0", "02:00:00:00:00:001",
					   "02-00-00-00-00-01", "02:00:00:00:00:0g", "02:00:00:00:00:01:",
					   "2:0:0:0:0:1" };
	char buf[MAC_STRLEN];
	uint8_t mac[6] = { 0 };

	assert_int_equal(mac_parse("02:aB:cd:00:0f:ff", mac), 0);
	assert_string_equal(mac_str(buf, mac), "02:ab:cd:00:0f:ff");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(mac_parse(bad[i], mac), -EINVAL);
	assert_string_equal(mac_str(buf, mac), "02:ab:cd:00:0f:ff");
}

static void numbers(void **state)
{
	static const char *const bad[] = { "", "-1", "+1", " 1", "1 ", "0x10", "1e3", "18446744073709551616",
					   "99999999999999999999999", "1.0" };
	uint64_t v = 5;

	assert_int_equal(u64_parse("0", 0, 10, &v), 0);
	assert_int_equal(v, 0);
	assert_int_equal(u64_parse("18446744073709551615", 0, UINT64_MAX, &v), 0);
	assert_true(v == UINT64_MAX);
	assert_int_equal(u64_parse("11", 0, 10, &v), -EINVAL);
	assert_int_equal(u64_parse("9", 10, 20, &v), -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(u64_parse(bad[i], 0, UINT64_MAX, &v), -EINVAL);
	assert_true(v == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strbuf_grows_and_terminates),
		cmocka_unit_test(ip4_text_both_ways),
		cmocka_unit_test(ip4_bad_text_is_refused),
		cmocka_unit_test(prefix_text),
		cmocka_unit_test(mac_text_both_ways),
		cmocka_unit_test(numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
