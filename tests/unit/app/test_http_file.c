/* http_file.c: HF-01..HF-04, HF-08, HR-04, HT-26 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "app/http_file.h"

static void maps(const char *target, const char *path)
{
	char out[HTTP_PATH_ROOM];
	unsigned st = http_path_map(target, out);

	if (st)
		fail_msg("%s: %u", target, st);
	assert_string_equal(out, path);
}

static void refuses(const char *target, unsigned status)
{
	char out[HTTP_PATH_ROOM];
	unsigned st = http_path_map(target, out);

	if (st != status)
		fail_msg("%s: %u, not %u", target, st, status);
}

static void paths(void **state)
{
	maps("/", "/");
	maps("/dir1/file1.html", "/dir1/file1.html");
	maps("/a?b=/../c", "/a");
	maps("/a%20b%41", "/a bA");
	maps("/%C3%A4.html", "/\xc3\xa4.html");
	maps("//a///b//", "/a/b/");
	maps("/a..b/c..d", "/a..b/c..d");
}

static void hf_01_traversal(void **state)
{
	refuses("/../../etc/passwd", 400);
	refuses("/a/..", 400);
	refuses("/..%2f..%2fetc/passwd", 404);
	refuses("/%2e%2e/", 400);
	refuses("/.%2e/", 400);
	refuses("/..;/", 404);
	refuses("/..%5c", 400);
	refuses("/%5c..", 400);
	refuses("/a%2fb", 404);
	refuses("/.hidden", 404);
	refuses("/a/.put-1", 404);
	refuses("/./a", 404);
	refuses("a/b", 400);
}

static void hf_02_decoded_once_and_utf8(void **state)
{
	maps("/%252e%252e%252f", "/%2e%2e%2f"); /* a strange name, no traversal */
	refuses("/%c0%ae%c0%ae/", 400);
	refuses("/%u002e", 400);
	refuses("/%e0%80%ae", 400);
	refuses("/%ed%a0%80", 400);
	refuses("/%f5%80%80%80", 400);
	refuses("/%c3", 400);
	refuses("/%80", 400);
}

static void hf_03_nul(void **state)
{
	refuses("/a%00.html", 400);
	refuses("/index.html%00.txt", 400);
}

static void hf_08_malformed_escapes_controls_length(void **state)
{
	char *t = malloc(8200);

	refuses("/%", 400);
	refuses("/%4", 400);
	refuses("/%zz", 400);
	refuses("/a%0d%0ab", 400);
	refuses("/a%09b", 400);
	refuses("/a%7fb", 400);
	memset(t, 'a', 8192);
	t[0] = '/';
	t[8192] = 0;
	refuses(t, 404);
	free(t);
}

static void ht_26_setter_refuses_line_ends(void **state)
{
	struct strbuf sb;

	sb_init(&sb);
	sb_puts(&sb, "");
	assert_false(http_add_field(&sb, "X", "a\r\nSet-Cookie: b"));
	assert_false(http_add_field(&sb, "X", "a\nb"));
	assert_false(http_add_field(&sb, "X\r\nY", "a"));
	assert_false(http_add_field(&sb, "X Y", "a"));
	assert_false(http_add_field(&sb, "", "a"));
	assert_false(http_add_field_len(&sb, "X", "a\0b", 3));
	assert_string_equal(sb_str(&sb), "");
	assert_true(http_add_field(&sb, "X", "a b"));
	assert_string_equal(sb_str(&sb), "X: a b\r\n");
	sb_reset(&sb);
	http_path_escape(&sb, "/a b/\xc3\xa4\"<");
	assert_string_equal(sb_str(&sb), "/a%20b/%C3%A4%22%3C");
	sb_free(&sb);
}

/* A parser that has seen "METHOD / HTTP/1.1" with these fields. */
static void request(struct http_parser *p, const char *method, const char *fields)
{
	char text[4096];
	const uint8_t *at = (const uint8_t *)text;
	size_t len = (size_t)snprintf(text, sizeof(text), "%s / HTTP/1.1\r\nHost: h\r\n%s\r\n",
				      method, fields);

	http_parser_init(p, HTTP_REQUEST);
	assert_int_equal(http_step(p, &at, &len), HTTP_HEAD);
}

static const struct http_version v = { true, "\"abc\"", 946684800, 1000 };

static void range(const char *value, unsigned status, uint64_t first, uint64_t last)
{
	uint64_t a = 0, b = 0;
	struct http_parser p;
	char f[2048];
	unsigned st;

	snprintf(f, sizeof(f), "Range: %s\r\n", value);
	request(&p, "GET", f);
	st = http_range(&p, &v, &a, &b);
	if (st != status)
		fail_msg("%s: %u", value, st);
	if (status == 206) {
		assert_int_equal(a, first);
		assert_int_equal(b, last);
	}
	http_parser_free(&p);
}

static void hr_04_ranges(void **state)
{
	char many[1800] = "bytes=0-";
	struct http_parser p;
	uint64_t a, b;

	range("bytes=0-0", 206, 0, 0);
	range("bytes=0-", 206, 0, 999);
	range("bytes=999-", 206, 999, 999);
	range("bytes=10-5000", 206, 10, 999);
	range("bytes=-1", 206, 999, 999);
	range("bytes=-5000", 206, 0, 999);
	range("bytes=-9223372036854775808", 206, 0, 999);
	range("bytes=-99999999999999999999999999", 206, 0, 999);
	range("bytes=0-99999999999999999999999999", 206, 0, 999);
	range("bytes=1000-", 416, 0, 0);
	range("bytes=99999999999999999999-", 416, 0, 0);
	range("bytes=-0", 416, 0, 0);
	range("bytes=5-1", 200, 0, 0);
	range("bytes=-", 200, 0, 0);
	range("bytes=a-b", 200, 0, 0);
	range("bytes=1-2x", 200, 0, 0);
	range("bytes= 1-2", 200, 0, 0);
	range("lines=1-2", 200, 0, 0);
	range("bytes=0-1,2-3", 200, 0, 0);
	while (strlen(many) < 1700)
		strcat(many, ",5-0,5-1");
	range(many, 200, 0, 0);
	request(&p, "HEAD", "Range: bytes=0-1\r\n");
	assert_int_equal(http_range(&p, &v, &a, &b), 200);
	http_parser_free(&p);
}

static void condition(const char *method, const char *fields, unsigned status)
{
	struct http_parser p;
	unsigned st;

	request(&p, method, fields);
	st = http_precondition(&p, &v);
	if (st != status)
		fail_msg("%s %s: %u", method, fields, st);
	http_parser_free(&p);
}

static void rfc_9110_13_conditions(void **state)
{
	static const struct http_version none = { 0 };
	struct http_parser p;
	uint64_t a, b;

	condition("GET", "", 0);
	condition("GET", "If-None-Match: \"abc\"\r\n", 304);
	condition("GET", "If-None-Match: W/\"abc\"\r\n", 304);
	condition("GET", "If-None-Match: \"x\", \"abc\"\r\n", 304);
	condition("GET", "If-None-Match: \"x\"\r\n", 0);
	condition("GET", "If-None-Match: *\r\n", 304);
	condition("PUT", "If-None-Match: *\r\n", 412);
	condition("GET", "If-None-Match: abc\r\n", 0);
	condition("GET", "If-None-Match: \"abc\r\n", 0);
	condition("GET", "If-Match: \"abc\"\r\n", 0);
	condition("GET", "If-Match: W/\"abc\"\r\n", 412);
	condition("GET", "If-Match: \"x\"\r\n", 412);
	condition("GET", "If-Modified-Since: Sat, 01 Jan 2000 00:00:00 GMT\r\n", 304);
	condition("GET", "If-Modified-Since: Fri, 31 Dec 1999 23:59:59 GMT\r\n", 0);
	condition("GET", "If-Modified-Since: nonsense\r\n", 0);
	condition("GET",
		  "If-None-Match: \"x\"\r\nIf-Modified-Since: Sat, 01 Jan 2000 00:00:00 GMT\r\n",
		  0);
	condition("GET", "If-Unmodified-Since: Fri, 31 Dec 1999 23:59:59 GMT\r\n", 412);
	condition("PUT", "If-Unmodified-Since: Sat, 01 Jan 2000 00:00:00 GMT\r\n", 0);
	request(&p, "PUT", "If-Match: *\r\n");
	assert_int_equal(http_precondition(&p, &none), 412);
	http_parser_free(&p);
	request(&p, "PUT", "If-None-Match: *\r\n");
	assert_int_equal(http_precondition(&p, &none), 0);
	http_parser_free(&p);
	request(&p, "GET", "Range: bytes=0-1\r\nIf-Range: \"abc\"\r\n");
	assert_int_equal(http_range(&p, &v, &a, &b), 206);
	http_parser_free(&p);
	request(&p, "GET", "Range: bytes=0-1\r\nIf-Range: \"other\"\r\n");
	assert_int_equal(http_range(&p, &v, &a, &b), 200);
	http_parser_free(&p);
	request(&p, "GET", "Range: bytes=0-1\r\nIf-Range: W/\"abc\"\r\n");
	assert_int_equal(http_range(&p, &v, &a, &b), 200);
	http_parser_free(&p);
}

static void types(void **state)
{
	assert_string_equal(http_content_type("/a/b.html"), "text/html; charset=utf-8");
	assert_string_equal(http_content_type("/a/B.PNG"), "image/png");
	assert_string_equal(http_content_type("/a.html/b"), "application/octet-stream");
	assert_string_equal(http_content_type("/a/b."), "application/octet-stream");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(paths),
	    cmocka_unit_test(hf_01_traversal),
	    cmocka_unit_test(hf_02_decoded_once_and_utf8),
	    cmocka_unit_test(hf_03_nul),
	    cmocka_unit_test(hf_08_malformed_escapes_controls_length),
	    cmocka_unit_test(ht_26_setter_refuses_line_ends),
	    cmocka_unit_test(hr_04_ranges),
	    cmocka_unit_test(rfc_9110_13_conditions),
	    cmocka_unit_test(types),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
