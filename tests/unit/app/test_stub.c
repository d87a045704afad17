/* stub_conf.c: resolv.conf(5) and hosts(5) as the stub reads them (S3-23) */
#include "test_dns_util.h"
#include "app/stub.h"

static void resolv_conf(void **state)
{
	struct stub_conf c;
	char t[DNAME_TEXT_MAX];

	stub_conf_parse(
	    "# comment\nnameserver 10.0.1.53\nnameserver bad\n nameserver 10.0.1.54 ; "
	    "two\nnameserver 1.1.1.1\nnameserver 2.2.2.2\n"
	    "search a.test b.test\noptions ndots:2 timeout:3 attempts:4 use-vc edns0 unknown:9\n",
	    &c);
	assert_int_equal(c.n_servers, 3);
	assert_int_equal(c.server[0], 0x0a000135);
	assert_int_equal(c.server[2], 0x01010101);
	assert_int_equal(c.n_search, 2);
	assert_string_equal(dname_text(t, &c.search[1]), "b.test.");
	assert_int_equal(c.ndots, 2);
	assert_int_equal(c.timeout_s, 3);
	assert_int_equal(c.attempts, 4);
	assert_true(c.use_tcp && c.edns);
}

static void resolv_conf_defaults_and_bounds(void **state)
{
	struct stub_conf c;

	stub_conf_parse("", &c);
	assert_int_equal(c.n_servers, 1);
	assert_int_equal(c.server[0], 0x7f000001);
	assert_int_equal(c.ndots, 1);
	assert_int_equal(c.timeout_s, 5);
	assert_int_equal(c.attempts, 2);
	stub_conf_parse("options timeout:999 attempts:999 ndots:999\nsearch x\ndomain one two\n",
			&c);
	assert_int_equal(c.timeout_s, 30);
	assert_int_equal(c.attempts, 5);
	assert_int_equal(c.ndots, 15);
	assert_int_equal(c.n_search, 1);
	stub_conf_parse("nameserver", &c);
	assert_int_equal(c.server[0], 0x7f000001);
}

static void hosts_file(void **state)
{
	static const char text[] = "127.0.0.1\tlocalhost\n10.0.0.1 www.server.com www # the "
				   "web\n\nfe80::1 six\n10.0.0.2 other WWW\nbad line\n10.0.0.3";
	uint32_t a[4];
	char canon[256];

	assert_int_equal(stub_hosts_find(text, "localhost", a, 4, canon), 1);
	assert_int_equal(a[0], 0x7f000001);
	assert_int_equal(stub_hosts_find(text, "www", a, 4, canon), 2);
	assert_int_equal(a[1], 0x0a000002);
	assert_string_equal(canon, "www.server.com");
	assert_int_equal(stub_hosts_find(text, "WWW.Server.Com.", a, 4, canon), 1);
	assert_int_equal(stub_hosts_find(text, "six", a, 4, canon), 0);
	assert_int_equal(stub_hosts_find(text, "the", a, 4, canon), 0);
	assert_int_equal(stub_hosts_find(text, "www.server", a, 4, canon), 0);
	assert_true(stub_hosts_reverse(text, 0x0a000001, canon));
	assert_string_equal(canon, "www.server.com");
	assert_false(stub_hosts_reverse(text, 0x0a000003, canon));
}

static void error_texts(void **state)
{
	assert_string_equal(stub_strerror(STUB_NONAME), "Name or service not known");
	assert_string_equal(stub_strerror(STUB_AGAIN), "Temporary failure in name resolution");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(resolv_conf),
	    cmocka_unit_test(resolv_conf_defaults_and_bounds),
	    cmocka_unit_test(hosts_file),
	    cmocka_unit_test(error_texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
