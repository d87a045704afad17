/* dns_name.c: S3-20, DP-06, DP-15 */
#include "test_dns_util.h"

static void s3_20_labels_on_the_wire(void **state)
{
	static const uint8_t wire[] = "\3www\6server\3com";
	struct dname n = test_name("www.server.com"), p;
	char t[DNAME_TEXT_MAX];

	assert_int_equal(n.len, sizeof(wire));
	assert_memory_equal(n.w, wire, sizeof(wire));
	assert_int_equal(dname_labels(&n), 3);
	assert_string_equal(dname_text(t, &n), "www.server.com.");
	assert_true(dname_parent(&p, &n));
	assert_string_equal(dname_text_nodot(t, &p), "server.com");
	assert_true(dname_under(&n, &p));
	assert_false(dname_under(&p, &n));
	dname_suffix(&p, &n, 0);
	assert_true(dname_is_root(&p));
	assert_true(dname_under(&n, &p));
	assert_false(dname_parent(&p, &p));
}

static void dp_06_limits_of_labels_and_names(void **state)
{
	char s[400];
	struct dname n;

	memset(s, 'a', 64);
	s[63] = 0;
	assert_int_equal(dname_from_text(&n, s, NULL), 0);
	s[63] = 'a';
	s[64] = 0;
	assert_int_equal(dname_from_text(&n, s, NULL), -22);
	/* 127 labels of one octet: 254 octets and the root: 255. */
	for (int i = 0; i < 127; i++)
		memcpy(s + 2 * i, "a.", 3);
	assert_int_equal(dname_from_text(&n, s, NULL), 0);
	assert_int_equal(n.len, 255);
	memcpy(s + 254, "a.", 3);
	assert_int_equal(dname_from_text(&n, s, NULL), -22);
	assert_int_equal(dname_from_text(&n, "", NULL), -22);
	assert_int_equal(dname_from_text(&n, "a..b", NULL), -22);
	assert_int_equal(dname_from_text(&n, ".a", NULL), -22);
	assert_int_equal(dname_from_text(&n, "a\\", NULL), -22);
	assert_int_equal(dname_from_text(&n, "a\\25", NULL), -22);
	assert_int_equal(dname_from_text(&n, "a\\256", NULL), -22);
}

static void dp_15_nul_dot_case_are_octets(void **state)
{
	struct dname a = test_name("a\\000b\\.c.Example."), b = test_name("A\\000B\\.C.eXAMPLE."),
		     c = test_name("a.b.c");
	char t[DNAME_TEXT_MAX];
	struct dname all;

	assert_int_equal(dname_labels(&a), 2);
	assert_true(dname_eq(&a, &b));
	assert_false(dname_same(&a, &b));
	assert_int_equal(dname_hash(test_key, &a, 1), dname_hash(test_key, &b, 1));
	assert_string_equal(dname_text(t, &a), "a\\000b\\.c.Example.");
	assert_false(dname_eq(&a, &c));
	/* the longest text */
	for (int i = 0; i < 254; i++)
		all.w[i] = (uint8_t)(i % 64 == 0 ? (i + 63 < 254 ? 63 : 253 - i) : 0xff);
	all.w[254] = 0;
	all.len = 255;
	assert_true(strlen(dname_text(t, &all)) < DNAME_TEXT_MAX);
}

static void order_and_rebase(void **state)
{
	static const char *const sorted[] = {
	    "example.",	  "a.example.",	      "yljkjljk.a.example.", "Z.a.example.",
	    "z.example.", "\\001.z.example.", "*.z.example.",	     "\\200.z.example."};
	struct dname out, n = test_name("x.y.old.test"), from = test_name("old.test"),
			  to = test_name("new.example");
	char t[DNAME_TEXT_MAX];

	for (size_t i = 0; i + 1 < ARRAY_SIZE(sorted); i++) {
		struct dname a = test_name(sorted[i]), b = test_name(sorted[i + 1]);

		assert_true(dname_cmp(&a, &b) < 0);
		assert_true(dname_cmp(&b, &a) > 0);
		assert_int_equal(dname_cmp(&a, &a), 0);
	}
	assert_true(dname_rebase(&out, &n, &from, &to));
	assert_string_equal(dname_text(t, &out), "x.y.new.example.");
	assert_true(dname_prepend(&out, "*", &to));
	assert_true(dname_is_wild(&out));
}

static void from_wire(void **state)
{
	static const uint8_t bad[] = {3, 'a', 'b'}, ptr[] = {1, 'a', 0xc0, 12},
			     ok[] = {1, 'a', 0, 9};
	struct dname n;

	assert_int_equal(dname_from_wire(&n, bad, sizeof(bad)), 0);
	assert_int_equal(dname_from_wire(&n, ptr, sizeof(ptr)), 0);
	assert_int_equal(dname_from_wire(&n, ok, 0), 0);
	assert_int_equal(dname_from_wire(&n, ok, sizeof(ok)), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(s3_20_labels_on_the_wire),
	    cmocka_unit_test(dp_06_limits_of_labels_and_names),
	    cmocka_unit_test(dp_15_nul_dot_case_are_octets),
	    cmocka_unit_test(order_and_rebase),
	    cmocka_unit_test(from_wire),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
