/* url.c: S3-12, S3-13, S3-15, S3-17, HF-08 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "app/app.h"
#include "app/url.h"

static void expect(const char *text, const char *host, uint16_t port, const char *path,
		   const char *query)
{
	char err[256] = "";
	struct url u;

	if (url_parse(text, 0, &u, err, sizeof(err)))
		fail_msg("%s: %s", text, err);
	assert_string_equal(u.host, host);
	assert_int_equal(u.port, port);
	assert_string_equal(u.path, path);
	if (query)
		assert_string_equal(u.query, query);
	else
		assert_null(u.query);
	url_free(&u);
}

static void refuse(const char *text, const char *word)
{
	char err[256] = "";
	struct url u;

	if (!url_parse(text, 0, &u, err, sizeof(err)))
		fail_msg("%s was accepted", text);
	if (!strstr(err, word))
		fail_msg("%s: '%s' does not say '%s'", text, err, word);
	assert_null(strchr(err, '\n'));
	url_free(&u);
}

static void s3_13_elements(void **state)
{
	char err[256];
	struct url u;

	expect("http://www.server.com/dir1/file1.html", "www.server.com", 80, "/dir1/file1.html",
	       NULL);
	expect("HTTP://WWW.Server.COM:8080/a?b=c&d", "www.server.com", 8080, "/a", "b=c&d");
	expect("http://10.0.0.1/x", "10.0.0.1", 80, "/x", NULL);
	expect("http://h:/", "h", 80, "/", NULL);
	expect("http://a.b./", "a.b", 80, "/", NULL);
	expect("http://h/a/./b/../c", "h", 80, "/a/c", NULL);
	expect("http://h/../../x/..", "h", 80, "/", NULL);
	assert_int_equal(url_parse("http://h/p#frag", 0, &u, err, sizeof(err)), 0);
	assert_string_equal(u.fragment, "frag");
	assert_string_equal(u.path, "/p");
	url_free(&u);
	assert_int_equal(url_parse("http://h/a/../b", URL_RAW_PATH, &u, err, sizeof(err)), 0);
	assert_string_equal(u.path, "/a/../b");
	url_free(&u);
}

static void s3_15_empty_path_is_slash(void **state)
{
	expect("http://www.server.com", "www.server.com", 80, "/", NULL);
	expect("http://www.server.com?q", "www.server.com", 80, "/", "q");
}

static void s3_13_bad_urls(void **state)
{
	char *lng = malloc(URL_MAX + 100), *host = malloc(400);

	refuse("", "empty");
	refuse("www.server.com/x", "scheme");
	refuse("ftp://h/", "ftp");
	refuse("http:/x", "host");
	refuse("http:///x", "host");
	refuse("http://", "host");
	refuse("http://u:p@h/", "user name");
	refuse("http://h:0/", "port");
	refuse("http://h:65536/", "port");
	refuse("http://h:99999999999999999999/", "port");
	refuse("http://h:8x/", "unexpected");
	refuse("http://[::1]/", "IPv6");
	refuse("http://[v1.x]/", "IPv6");
	refuse("http://256.1.1.1/", "IPv4");
	refuse("http://1.2.3/", "IPv4");
	refuse("http://0x7f.1/", "IPv4");
	refuse("http://a..b/", "label");
	refuse("http://-a.b/", "label");
	refuse("http://a%41/", "character");
	refuse("http://h/\\x", "unexpected");
	refuse("http://h/\x80", "ASCII");
	memset(lng, 'a', URL_MAX + 50);
	memcpy(lng, "http://h/", 9);
	lng[URL_MAX + 50] = 0;
	refuse(lng, "longer");
	memcpy(host, "http://", 7);
	memset(host + 7, 'a', 64);
	strcpy(host + 71, "/");
	refuse(host, "63");
	memset(host + 7, 'a', 300);
	strcpy(host + 307, "/");
	refuse(host, "253");
	free(lng);
	free(host);
}

static void hf_08_bad_percent_and_blanks(void **state)
{
	refuse("http://h/%", "%");
	refuse("http://h/%4", "%");
	refuse("http://h/%zz", "%");
	refuse("http://h/a b", "space");
	refuse("http://h/a\tb", "control");
	refuse("http://h/a\nb", "control");
	refuse("http://h/\x7f", "control");
	expect("http://h/%41%20", "h", 80, "/%41%20", NULL);
}

static void s3_17_https_refused_with_its_port_known(void **state)
{
	char err[256] = "";
	struct url u;

	assert_int_equal(url_parse("https://www.server.com/", 0, &u, err, sizeof(err)), 0);
	assert_int_equal(u.port, 443);
	assert_int_equal(url_fetchable(&u, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "https is not supported"));
	url_free(&u);
	assert_int_equal(url_check("https://h/", err, sizeof(err)), -1);
	assert_int_equal(url_check("http://h/", err, sizeof(err)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s3_13_elements), cmocka_unit_test(s3_15_empty_path_is_slash),
		cmocka_unit_test(s3_13_bad_urls), cmocka_unit_test(hf_08_bad_percent_and_blanks),
		cmocka_unit_test(s3_17_https_refused_with_its_port_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
