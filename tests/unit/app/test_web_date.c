/* web_date.c: RFC 9110 5.6.7 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "app/web_date.h"

static void dates_of_the_lab(void **state)
{
	char b[WEB_DATE_LEN];

	assert_string_equal(web_http_date(b, WEB_EPOCH_S), "Sat, 01 Jan 2000 00:00:00 GMT");
	assert_string_equal(web_http_date(b, 0), "Thu, 01 Jan 1970 00:00:00 GMT");
	assert_string_equal(web_http_date(b, 784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
	assert_string_equal(web_http_date(b, 951782400), "Tue, 29 Feb 2000 00:00:00 GMT");
	assert_string_equal(web_http_date(b, 4107542399), "Sun, 28 Feb 2100 23:59:59 GMT");
	assert_string_equal(web_http_date(b, 4107542400), "Mon, 01 Mar 2100 00:00:00 GMT");
	assert_string_equal(web_http_date(b, 253402300799), "Fri, 31 Dec 9999 23:59:59 GMT");
}

static void three_forms(void **state)
{
	static const char *const same[] = {"Sun, 06 Nov 1994 08:49:37 GMT",
					   "Sunday, 06-Nov-94 08:49:37 GMT",
					   "Sun Nov  6 08:49:37 1994"};
	uint64_t s;

	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		assert_int_equal(web_http_date_parse(same[i], &s), 0);
		assert_int_equal(s, 784111777);
	}
	assert_int_equal(web_http_date_parse("Wednesday, 01-Mar-00 00:00:00 GMT", &s), 0);
	assert_int_equal(s, 951868800);
}

static void every_day_there_and_back(void **state)
{
	char b[WEB_DATE_LEN];
	uint64_t s, t;

	for (t = 0; t < 8000000000ull; t += 86400 * 3 + 3661) {
		assert_int_equal(web_http_date_parse(web_http_date(b, t), &s), 0);
		assert_int_equal(s, t);
	}
}

static void faulty(void **state)
{
	static const char *const bad[] = {"",
					  "Sun",
					  "Sun, 6 Nov 1994 08:49:37 GMT",
					  "Sun, 06 Nov 1994 08:49:37 UTC",
					  "Sun, 06 Nov 1994 08:49:37 GMT ",
					  "Sun, 31 Feb 1994 08:49:37 GMT",
					  "Sun, 06 Nov 1994 24:49:37 GMT",
					  "Sun, 06 Nov 1994 08:60:37 GMT",
					  "Sun, 00 Nov 1994 08:49:37 GMT",
					  "Xxx, 06 Nov 1994 08:49:37 GMT",
					  "Sun, 06 Foo 1994 08:49:37 GMT",
					  "Sun, 06 Nov 1969 08:49:37 GMT",
					  "784111777"};
	uint64_t s;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_not_equal(web_http_date_parse(bad[i], &s), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(dates_of_the_lab),
	    cmocka_unit_test(three_forms),
	    cmocka_unit_test(every_day_there_and_back),
	    cmocka_unit_test(faulty),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
