/* dns_msg.c: DP-01 .. DP-15 */
#include "test_dns_util.h"

/* A message under construction; octets in malloc'd memory of the exact size, so that ASan sees
 * overreads. */
struct mk {
	uint8_t b[70000];
	size_t n;
};

static void start(struct mk *k, unsigned qd, unsigned an, unsigned ns, unsigned ar)
{
	k->n = 12;
	memset(k->b, 0, 12);
	put_be16(k->b, 0x1234);
	put_be16(k->b + 2, DNS_QR);
	put_be16(k->b + 4, (uint16_t)qd);
	put_be16(k->b + 6, (uint16_t)an);
	put_be16(k->b + 8, (uint16_t)ns);
	put_be16(k->b + 10, (uint16_t)ar);
}

static void add(struct mk *k, const void *p, size_t n)
{
	memcpy(k->b + k->n, p, n);
	k->n += n;
}
#define ADD(k, lit) add(k, lit, sizeof(lit) - 1)

static void add16(struct mk *k, unsigned v)
{
	put_be16(k->b + k->n, (uint16_t)v);
	k->n += 2;
}

static void question(struct mk *k)
{
	ADD(k, "\3www\6server\3com\0\0\1\0\1"); /* www at 12, server at 16, com at 23 */
}

static void rr(struct mk *k, const void *name, size_t nlen, unsigned type, unsigned rdlen,
	       const void *rd, size_t n)
{
	add(k, name, nlen);
	add16(k, type);
	add16(k, 1);
	add16(k, 0);
	add16(k, 60);
	add16(k, rdlen);
	add(k, rd, n);
}

static enum dns_fault check(const struct mk *k, struct dns_msg *m)
{
	uint8_t *p = malloc(k->n ? k->n : 1);
	enum dns_fault f;

	memcpy(p, k->b, k->n);
	f = dns_msg_check(m, p, k->n);
	if (f == DNS_FINE) { /* walking and expanding must hold too */
		struct strbuf sb;

		test_dump(m, &sb);
		sb_free(&sb);
	}
	free(p);
	return f;
}

static enum dns_fault name_only(const void *name, size_t n)
{
	static struct mk *k;
	struct dns_msg m;
	enum dns_fault f;

	k = malloc(sizeof(*k));
	start(k, 1, 0, 0, 0);
	add(k, name, n);
	add16(k, 1);
	add16(k, 1);
	f = check(k, &m);
	free(k);
	return f;
}
#define NAME(lit) name_only(lit, sizeof(lit) - 1)

static void dp_01_02_pointer_to_itself(void **state)
{
	assert_int_equal(NAME("\xc0\x0c"), DNS_BAD_NAME);
	assert_int_equal(NAME("\4test\xc0\x0c"), DNS_BAD_NAME);
	assert_int_equal(NAME("\4test\xc0\x11"), DNS_BAD_NAME);
}

static void dp_03_pointer_past_end(void **state)
{
	assert_int_equal(NAME("\xc0\xff"), DNS_BAD_NAME);
	assert_int_equal(NAME("\xff\xff"), DNS_BAD_NAME);
	assert_int_equal(NAME("\xc0"), DNS_BAD_NAME); /* then 00 01: pointer to 0 */
}

static void dp_04_forward_mutual_and_long_chains(void **state)
{
	struct mk *k = malloc(sizeof(*k));
	struct dns_msg m;

	assert_int_equal(NAME("\1a\xc0\x10\1b\0"), DNS_BAD_NAME);
	assert_int_equal(NAME("\xc0\x0e\xc0\x0c"), DNS_BAD_NAME);
	/* 126 pointers, each to the one before, inside the opaque RDATA of a TYPE65280: legal names
	 * are shorter, so the hop bound refuses it. */
	for (int hops = 60; hops <= 126; hops += 66) {
		start(k, 1, 2, 0, 0);
		question(k);
		size_t base = k->n + 11;
		uint8_t rd[300];

		rd[0] = 0;
		for (int i = 0; i < hops; i++)
			put_be16(rd + 1 + 2 * i,
				 (uint16_t)(0xc000 | (i ? base + 1 + 2 * (size_t)(i - 1) : base)));
		rr(k, "", 1, 65280, 1 + 2 * (unsigned)hops, rd, 1 + 2 * (size_t)hops);
		put_be16(rd, (uint16_t)(0xc000 | (base + 1 + 2 * (size_t)(hops - 1))));
		rr(k, rd, 2, DNS_A, 4, "\1\2\3\4", 4);
		assert_int_equal(check(k, &m),
				 hops + 1 <= DNS_PTR_HOPS_MAX ? DNS_FINE : DNS_BAD_NAME);
	}
	/* an ordinary backward chain */
	start(k, 1, 1, 0, 0);
	question(k);
	rr(k, "\1x\xc0\x10", 4, DNS_CNAME, 2, "\xc0\x0c", 2);
	assert_int_equal(check(k, &m), DNS_FINE);
	free(k);
}

static void dp_05_label_types_01_and_10(void **state)
{
	assert_int_equal(NAME("\x40"), DNS_BAD_NAME);
	assert_int_equal(NAME("\x80\0"), DNS_BAD_NAME);
	assert_int_equal(NAME("\x41\x01\0"), DNS_BAD_NAME);
}

static enum dns_fault name_of_len(size_t total)
{
	uint8_t b[400];
	size_t n = 0;

	while (n + 64 < total) {
		b[n] = (uint8_t)min_sz(63, total - n - 2);
		memset(b + n + 1, 'a', b[n]);
		n += 1u + b[n];
	}
	while (n < total - 1) {
		b[n] = (uint8_t)(total - 2 - n);
		memset(b + n + 1, 'a', b[n]);
		n += 1u + b[n];
	}
	b[n++] = 0;
	assert_int_equal(n, total);
	return name_only(b, n);
}

static void dp_06_labels_and_name_lengths(void **state)
{
	struct mk *k = malloc(sizeof(*k));
	uint8_t lbl[70];
	struct dns_msg m;

	assert_int_equal(name_of_len(254), DNS_FINE);
	assert_int_equal(name_of_len(255), DNS_FINE);
	assert_int_equal(name_of_len(256), DNS_BAD_NAME);
	lbl[0] = 64;
	memset(lbl + 1, 'a', 64);
	lbl[65] = 0;
	assert_int_equal(name_only(lbl, 66), DNS_BAD_NAME);
	/* 50 octets five times through pointers, each adding a label in front: 300 > 255 */
	start(k, 1, 5, 0, 0);
	question(k);
	size_t prev = 12;
	for (int i = 0; i < 5; i++) {
		size_t at = k->n;

		lbl[0] = 59;
		put_be16(lbl + 60, (uint16_t)(0xc000 | prev));
		rr(k, lbl, 62, DNS_A, 4, "\1\2\3\4", 4);
		prev = at;
	}
	assert_int_equal(check(k, &m), DNS_BAD_NAME);
	free(k);
}

static void dp_07_name_without_end(void **state)
{
	struct mk *k = malloc(sizeof(*k));
	struct dns_msg m;

	start(k, 1, 0, 0, 0);
	ADD(k, "\3www\6serv");
	assert_int_equal(check(k, &m), DNS_BAD_NAME);
	k->n = 16;
	assert_int_equal(check(k, &m), DNS_BAD_NAME);
	free(k);
}

static enum dns_fault one_rr(unsigned type, unsigned rdlen, const void *rd, size_t n)
{
	struct mk *k = malloc(sizeof(*k));
	struct dns_msg m;
	enum dns_fault f;

	start(k, 1, 1, 0, 0);
	question(k);
	rr(k, "\xc0\x0c", 2, type, rdlen, rd, n);
	f = check(k, &m);
	free(k);
	return f;
}

static void dp_08_rdlength_against_type(void **state)
{
	assert_int_equal(one_rr(DNS_A, 4, "\1\2\3\4", 4), DNS_FINE);
	assert_int_equal(one_rr(DNS_A, 0, "", 0), DNS_BAD_RDATA);
	assert_int_equal(one_rr(DNS_A, 3, "\1\2\3", 3), DNS_BAD_RDATA);
	assert_int_equal(one_rr(DNS_A, 5, "\1\2\3\4\5", 5), DNS_BAD_RDATA);
	assert_int_equal(one_rr(DNS_TXT, 65535, "\3abc", 4), DNS_BAD_RDATA);
	assert_int_equal(one_rr(DNS_CNAME, 2, "\xc0\x10", 2), DNS_FINE);
	assert_int_equal(one_rr(DNS_CNAME, 3, "\xc0\x10\0", 3), DNS_BAD_RDATA);
	assert_int_equal(one_rr(DNS_CNAME, 1, "\xc0\x10", 2), DNS_BAD_NAME);
	assert_int_equal(one_rr(DNS_MX, 2, "\0\1", 2), DNS_BAD_NAME);
	assert_int_equal(one_rr(DNS_MX, 4, "\0\1\xc0\x0c", 4), DNS_FINE);
	assert_int_equal(one_rr(DNS_SOA, 23, "\0\0aaaabbbbccccddddeeeef", 23), DNS_BAD_RDATA);
	assert_int_equal(one_rr(DNS_SOA, 22, "\0\0aaaabbbbccccddddeeee", 22), DNS_FINE);
	assert_int_equal(one_rr(DNS_SOA, 21, "\0\0aaaabbbbccccddddeee", 21), DNS_BAD_RDATA);
	assert_int_equal(one_rr(DNS_AAAA, 15, "123456789012345", 15), DNS_BAD_RDATA);
	assert_int_equal(one_rr(65280, 3, "\1\2\3", 3), DNS_FINE);
}

static void dp_09_counts(void **state)
{
	struct mk *k = malloc(sizeof(*k));
	struct dns_msg m;

	start(k, 1, 65535, 0, 0);
	question(k);
	rr(k, "\xc0\x0c", 2, DNS_A, 4, "\1\2\3\4", 4);
	assert_int_equal(check(k, &m), DNS_BAD_COUNT);
	start(k, 0, 0, 0, 0);
	assert_int_equal(check(k, &m), DNS_FINE);
	assert_false(m.has_question);
	start(k, 2, 0, 0, 0);
	question(k);
	question(k);
	assert_int_equal(check(k, &m), DNS_BAD_COUNT);
	start(k, 65535, 0, 0, 0);
	question(k);
	assert_int_equal(check(k, &m), DNS_BAD_COUNT);
	start(k, 1, 0, 0, 2);
	question(k);
	rr(k, "\xc0\x0c", 2, DNS_A, 4, "\1\2\3\4", 4);
	assert_int_equal(check(k, &m), DNS_BAD_COUNT);
	start(k, 1, 0, 0, 0);
	question(k);
	rr(k, "\xc0\x0c", 2, DNS_A, 4, "\1\2\3\4", 4); /* a record nobody counted */
	assert_int_equal(check(k, &m), DNS_BAD_TRAILER);
	free(k);
}

static void dp_10_header_cut_and_pointer_into_it(void **state)
{
	struct mk *k = malloc(sizeof(*k));
	struct dns_msg m;

	start(k, 0, 0, 0, 0);
	for (k->n = 0; k->n < 12; k->n++)
		assert_int_equal(check(k, &m), DNS_BAD_HEADER);
	free(k);
	assert_int_equal(NAME("\1a\xc0\x00"), DNS_BAD_NAME);
	assert_int_equal(NAME("\1a\xc0\x0b"), DNS_BAD_NAME);
}

static void dp_11_costly_names_end_early(void **state)
{
	struct mk *k = malloc(sizeof(*k));
	struct dns_msg m;
	unsigned n = 0;

	/* a 255-octet name of 127 labels, then as many tiny records pointing at it as fit */
	start(k, 1, 0, 0, 0);
	for (int i = 0; i < 127; i++)
		ADD(k, "\1a");
	ADD(k, "\0\0\1\0\1");
	while (k->n < 65000) {
		rr(k, "\xc0\x0c", 2, 65280, 0, "", 0);
		n++;
	}
	put_be16(k->b + 6, (uint16_t)n);
	assert_int_equal(check(k, &m), DNS_BAD_BUDGET);
	/* what a real answer looks like stays far below */
	start(k, 1, 0, 0, 0);
	question(k);
	for (n = 0; k->n < 65000; n++)
		rr(k, "\xc0\x0c", 2, DNS_A, 4, "\1\2\3\4", 4);
	put_be16(k->b + 6, (uint16_t)n);
	assert_int_equal(check(k, &m), DNS_FINE);
	free(k);
}

static void dp_12_character_strings(void **state)
{
	uint8_t big[256];

	assert_int_equal(one_rr(DNS_TXT, 4, "\4abc", 4), DNS_BAD_RDATA);
	assert_int_equal(one_rr(DNS_TXT, 0, "", 0), DNS_BAD_RDATA);
	assert_int_equal(one_rr(DNS_TXT, 6, "\3abc\1x", 6), DNS_FINE);
	assert_int_equal(one_rr(DNS_TXT, 5, "\3abc\1", 5), DNS_BAD_RDATA);
	big[0] = 255;
	memset(big + 1, 'x', 255);
	assert_int_equal(one_rr(DNS_TXT, 256, big, 256), DNS_FINE);
	assert_int_equal(one_rr(DNS_HINFO, 256, big, 256), DNS_BAD_RDATA);
}

static enum dns_fault opts(struct dns_msg *m, const void *owner, size_t on, unsigned cls,
			   uint32_t ttl, const char *rd, unsigned rdlen, unsigned times,
			   unsigned section)
{
	struct mk *k = malloc(sizeof(*k));
	enum dns_fault f;

	start(k, 1, section == DNS_AN ? times : 0, 0, section == DNS_AR ? times : 0);
	question(k);
	while (times--) {
		add(k, owner, on);
		add16(k, DNS_OPT);
		add16(k, cls);
		add16(k, ttl >> 16);
		add16(k, ttl & 0xffff);
		add16(k, rdlen);
		add(k, rd, rdlen);
	}
	f = check(k, m);
	free(k);
	return f;
}

static void dp_13_opt(void **state)
{
	struct dns_msg m;

	assert_int_equal(opts(&m, "", 1, 1232, 0x8000, "", 0, 1, DNS_AR), DNS_FINE);
	assert_true(m.edns.present && m.edns.dnssec_ok);
	assert_int_equal(m.edns.udp_size, 1232);
	assert_int_equal(opts(&m, "", 1, 1232, 0, "", 0, 2, DNS_AR), DNS_BAD_OPT);
	assert_int_equal(opts(&m, "\xc0\x0c", 2, 1232, 0, "", 0, 1, DNS_AR), DNS_BAD_OPT);
	assert_int_equal(opts(&m, "", 1, 1232, 0, "", 0, 1, DNS_AN), DNS_BAD_OPT);
	assert_int_equal(opts(&m, "", 1, 1232, 0, "\0\3\0\5ab", 6, 1, DNS_AR), DNS_BAD_OPT);
	assert_int_equal(opts(&m, "", 1, 1232, 0, "\0\3\0", 3, 1, DNS_AR), DNS_BAD_OPT);
	assert_int_equal(opts(&m, "", 1, 1232, 0, "\0\3\0\2ab", 6, 1, DNS_AR), DNS_FINE);
	assert_int_equal(opts(&m, "", 1, 0, 0, "", 0, 1, DNS_AR), DNS_FINE);
	assert_int_equal(m.edns.udp_size, 512);
	assert_int_equal(opts(&m, "", 1, 511, 1 << 16, "", 0, 1, DNS_AR), DNS_FINE);
	assert_int_equal(m.edns.udp_size, 512);
	assert_int_equal(m.edns.version, 1);
}

static void dp_14_sig_of_64k(void **state)
{
	uint8_t *rd = calloc(1, 65535);

	/* SIG: 18 octets, signer's name, signature up to the end; lengths near 65535 */
	rd[18] = 0xc0;
	rd[19] = 0x0c;
	assert_int_equal(one_rr(DNS_SIG, 65400, rd, 65400), DNS_FINE);
	assert_int_equal(one_rr(DNS_SIG, 65535, rd, 65400), DNS_BAD_RDATA);
	assert_int_equal(one_rr(DNS_KEY, 3, rd, 3), DNS_BAD_RDATA);
	free(rd);
}

static void dp_15_binary_labels_print_escaped(void **state)
{
	struct mk *k = malloc(sizeof(*k));
	char t[DNAME_TEXT_MAX];
	struct dns_msg m;

	start(k, 1, 0, 0, 0);
	ADD(k, "\5a\0.b\n\2Co\0\0\1\0\1");
	assert_int_equal(check(k, &m), DNS_FINE);
	assert_string_equal(dname_text(t, &m.qname), "a\\000\\.b\\010.Co.");
	free(k);
}

/* Every prefix of a rich message and every one-octet change of it is read without a bad access. */
static void mutations_never_overread(void **state)
{
	struct mk *k = malloc(sizeof(*k)), *c = malloc(sizeof(*c));
	struct dns_msg m;

	start(k, 1, 2, 1, 2);
	question(k);
	rr(k, "\xc0\x0c", 2, DNS_CNAME, 4, "\1w\xc0\x10", 4);
	rr(k, "\xc0\x2c", 2, DNS_A, 4, "\1\2\3\4", 4);
	rr(k, "\xc0\x10", 2, DNS_SOA, 24, "\xc0\x10\xc0\x0c" "aaaabbbbccccddddeeee", 24);
	rr(k, "\0", 1, DNS_OPT, 0, "", 0);
	rr(k, "\0", 1, DNS_NAPTR, 9, "\0\1\0\2\1S\0\0\0", 9);
	assert_int_equal(check(k, &m), DNS_FINE);
	for (size_t n = 0; n < k->n; n++) {
		memcpy(c, k, sizeof(*c));
		c->n = n;
		assert_int_not_equal(check(c, &m), DNS_FINE);
		for (int v = 0; v < 256; v++) {
			c->n = k->n;
			c->b[n] = (uint8_t)v;
			check(c, &m);
		}
	}
	free(k);
	free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(dp_01_02_pointer_to_itself),
	    cmocka_unit_test(dp_03_pointer_past_end),
	    cmocka_unit_test(dp_04_forward_mutual_and_long_chains),
	    cmocka_unit_test(dp_05_label_types_01_and_10),
	    cmocka_unit_test(dp_06_labels_and_name_lengths),
	    cmocka_unit_test(dp_07_name_without_end),
	    cmocka_unit_test(dp_08_rdlength_against_type),
	    cmocka_unit_test(dp_09_counts),
	    cmocka_unit_test(dp_10_header_cut_and_pointer_into_it),
	    cmocka_unit_test(dp_11_costly_names_end_early),
	    cmocka_unit_test(dp_12_character_strings),
	    cmocka_unit_test(dp_13_opt),
	    cmocka_unit_test(dp_14_sig_of_64k),
	    cmocka_unit_test(dp_15_binary_labels_print_escaped),
	    cmocka_unit_test(mutations_never_overread),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
