/* dns_zone.c, dns_reply.c, dns_build.c: S3-21, S3-25..S3-28, DS-01..DS-05, DP-09, DP-13 */
#include "test_dns_util.h"

struct ask {
	struct dns_authority a;
	struct dns_out *o;
	struct dns_from from;
	struct dns_done done;
	uint8_t *wire;
	size_t len;
	struct dns_msg m;
	struct strbuf text;
};

static int setup(void **state)
{
	struct ask *k = calloc(1, sizeof(*k));

	k->o = dns_out_new();
	k->from = (struct dns_from){ 0x0a000001, 40000, false };
	sb_init(&k->text);
	*state = k;
	return 0;
}

static int teardown(void **state)
{
	struct ask *k = *state;

	dns_authority_free(&k->a);
	dns_out_free(k->o);
	sb_free(&k->text);
	free(k->wire);
	free(k);
	return 0;
}

static void raw(struct ask *k, const uint8_t *q, size_t len)
{
	free(k->wire);
	k->wire = dns_authority_reply(&k->a, q, len, &k->from, k->o, &k->len, &k->done);
	sb_free(&k->text);
	sb_init(&k->text);
	if (!k->wire)
		return;
	assert_int_equal(dns_msg_check(&k->m, k->wire, k->len), DNS_FINE);
	assert_true(k->m.flags & DNS_QR);
	assert_int_equal(k->m.id, 0x1234);
	test_dump(&k->m, &k->text);
}

static void ask(struct ask *k, const char *name, uint16_t type, uint16_t edns)
{
	uint8_t q[512];

	raw(k, q, test_query(q, sizeof(q), name, type, edns));
	assert_non_null(k->wire);
	assert_int_equal(k->m.flags & DNS_RA, 0);
	assert_int_equal(k->m.flags & DNS_RD, DNS_RD);
}

static void want(struct ask *k, unsigned rcode, bool aa, const char *text)
{
	assert_int_equal(dns_rcode(&k->m), rcode);
	assert_int_equal((k->m.flags & DNS_AA) != 0, aa);
	assert_string_equal(sb_str(&k->text), text);
}

#define SOA "@ SOA ns root 1 2 3 4 60\n"
#define SOA_TEXT(z) "n " z " 60 SOA ns." z " root." z " 1 2 3 4 60\n"

static void s3_25_26_root_refers_to_com(void **state)
{
	struct ask *k = *state;

	dns_authority_add(
	    &k->a,
	    test_zone(
		".",
		"$TTL 86400\n@ SOA a.root-servers.net. h. 1 2 3 4 60\n@ NS a.root-servers.net.\n"
		"a.root-servers.net. A 198.41.0.4\ncom. NS a.gtld.net.\ncom. NS "
		"ns.com.\na.gtld.net. A 10.1.0.3\nns.com. A 10.1.0.4\n"));
	ask(k, "www.server.com", DNS_A, 0);
	want(k, DNS_NOERROR, false,
	     "n com. 86400 NS a.gtld.net.\nn com. 86400 NS ns.com.\nx a.gtld.net. 86400 A "
	     "10.1.0.3\nx ns.com. 86400 A 10.1.0.4\n");
	assert_string_equal(k->done.text, "referral com.");
	assert_int_equal(k->m.count[DNS_AN], 0);
	ask(k, ".", DNS_NS, 0);
	want(k, DNS_NOERROR, true,
	     "a . 86400 NS a.root-servers.net.\nx a.root-servers.net. 86400 A 198.41.0.4\n");
	ask(k, "nosuch", DNS_A, 0);
	assert_int_equal(dns_rcode(&k->m), DNS_NXDOMAIN);
}

static const char server_com[] =
    "$TTL 300\n" SOA "@ NS ns\nns A 10.0.3.2\nwww A 10.0.4.2\nalias CNAME www\nfar CNAME "
		     "x.other.org.\nloop1 CNAME loop2\nloop2 CNAME loop1\n"
    "mail MX 10 mx\nmx A 10.0.4.3\nmx AAAA 2001:db8::3\na.b.ent TXT deep\nsub NS ns.sub\nsub NS "
    "ns.elsewhere.net.\nns.sub A 10.9.9.9\n"
    "cut CNAME www.sub\nold DNAME new\nx.new A 10.0.0.7\ndangling CNAME nothing\n";

static void s3_28_answers(void **state)
{
	struct ask *k = *state;

	dns_authority_add(&k->a, test_zone("server.com", server_com));
	ask(k, "www.server.com", DNS_A, 0);
	want(k, DNS_NOERROR, true, "a www.server.com. 300 A 10.0.4.2\n");
	ask(k, "WwW.SeRvEr.cOm", DNS_A, 0); /* the question comes back as it was asked */
	assert_string_equal(k->done.text, "answer WwW.SeRvEr.cOm.");
	assert_memory_equal(k->wire + 12, "\3WwW\6SeRvEr\3cOm", 16);
	ask(k, "www.server.com", DNS_AAAA, 0);
	want(k, DNS_NOERROR, true, SOA_TEXT("server.com."));
	ask(k, "no.server.com", DNS_A, 0);
	want(k, DNS_NXDOMAIN, true, SOA_TEXT("server.com."));
	ask(k, "alias.server.com", DNS_A, 0);
	want(k, DNS_NOERROR, true,
	     "a alias.server.com. 300 CNAME www.server.com.\na www.server.com. 300 A 10.0.4.2\n");
	ask(k, "alias.server.com", DNS_CNAME, 0);
	want(k, DNS_NOERROR, true, "a alias.server.com. 300 CNAME www.server.com.\n");
	ask(k, "far.server.com", DNS_A, 0);
	want(k, DNS_NOERROR, true, "a far.server.com. 300 CNAME x.other.org.\n");
	ask(k, "dangling.server.com", DNS_A, 0);
	want(k, DNS_NXDOMAIN, true,
	     "a dangling.server.com. 300 CNAME nothing.server.com.\n" SOA_TEXT("server.com."));
	ask(k, "loop1.server.com", DNS_A, 0);
	want(k, DNS_NOERROR, true,
	     "a loop1.server.com. 300 CNAME loop2.server.com.\na loop2.server.com. 300 CNAME "
	     "loop1.server.com.\n");
	ask(k, "mail.server.com", DNS_MX, 0);
	want(k, DNS_NOERROR, true,
	     "a mail.server.com. 300 MX 10 mx.server.com.\nx mx.server.com. 300 A 10.0.4.3\nx "
	     "mx.server.com. 300 AAAA 2001:db8::3\n");
}

static void s3_21_refused_outside(void **state)
{
	struct ask *k = *state;

	dns_authority_add(&k->a, test_zone("server.com", server_com));
	ask(k, "www.other.org", DNS_A, 0);
	want(k, DNS_REFUSED, false, "");
	ask(k, "com", DNS_A, 0);
	want(k, DNS_REFUSED, false, "");
}

static void s3_27_referral_with_glue(void **state)
{
	struct ask *k = *state;

	dns_authority_add(&k->a, test_zone("server.com", server_com));
	ask(k, "deep.www.sub.server.com", DNS_A, 0);
	want(k, DNS_NOERROR, false,
	     "n sub.server.com. 300 NS ns.sub.server.com.\nn sub.server.com. 300 NS "
	     "ns.elsewhere.net.\nx ns.sub.server.com. 300 A 10.9.9.9\n");
	ask(k, "ns.sub.server.com", DNS_A, 0); /* glue is never an answer */
	want(k, DNS_NOERROR, false,
	     "n sub.server.com. 300 NS ns.sub.server.com.\nn sub.server.com. 300 NS "
	     "ns.elsewhere.net.\nx ns.sub.server.com. 300 A 10.9.9.9\n");
	ask(k, "sub.server.com", DNS_DS, 0); /* the parent's own data */
	want(k, DNS_NOERROR, true, SOA_TEXT("server.com."));
	ask(k, "cut.server.com", DNS_A, 0); /* alias into the child */
	assert_true(k->m.flags & DNS_AA);
	assert_non_null(
	    strstr(sb_str(&k->text),
		   "a cut.server.com. 300 CNAME www.sub.server.com.\nn sub.server.com."));
}

static void ds_05_wildcards_of_rfc_4592(void **state)
{
	struct ask *k = *state;

	/* RFC 4592 2.2.1's zone */
	dns_authority_add(
	    &k->a,
	    test_zone(
		"example",
		"$TTL 3600\n@ SOA ns root 1 2 3 4 60\n@ NS ns.example.com.\n@ NS ns.example.net.\n"
		"*.example. TXT \"this is a wildcard\"\n*.example. MX 10 host1.example.\n"
		"sub.*.example. TXT \"this is not a wildcard\"\nhost1.example. A 192.0.2.1\n"
		"_ssh._tcp.host1.example. SRV 0 0 22 host1.example.\n_ssh._tcp.host2.example. SRV "
		"0 0 22 host2.example.\n"
		"subdel.example. NS ns.example.com.\nsubdel.example. NS ns.example.net.\n"));
	ask(k, "host3.example", DNS_MX, 0);
	want(k, DNS_NOERROR, true,
	     "a host3.example. 3600 MX 10 host1.example.\nx host1.example. 3600 A 192.0.2.1\n");
	ask(k, "host3.example", DNS_A, 0);
	assert_int_equal(dns_rcode(&k->m), DNS_NOERROR);
	assert_int_equal(k->m.count[DNS_AN], 0);
	ask(k, "foo.bar.example", DNS_TXT, 0);
	want(k, DNS_NOERROR, true, "a foo.bar.example. 3600 TXT \"this is a wildcard\"\n");
	ask(k, "host1.example", DNS_MX, 0);
	assert_int_equal(k->m.count[DNS_AN], 0);
	ask(k, "sub.*.example", DNS_MX, 0);
	assert_int_equal(k->m.count[DNS_AN], 0);
	ask(k, "_telnet._tcp.host1.example", DNS_SRV,
	    0); /* _tcp.host1 exists: no wildcard below it */
	assert_int_equal(dns_rcode(&k->m), DNS_NXDOMAIN);
	ask(k, "host.subdel.example", DNS_A, 0);
	assert_int_equal(k->m.count[DNS_AN], 0);
	assert_int_equal(k->m.count[DNS_AUTH], 2);
	ask(k, "ghost.*.example", DNS_MX, 0);
	assert_int_equal(dns_rcode(&k->m), DNS_NXDOMAIN);
	ask(k, "host2.example", DNS_A, 0); /* an empty non-terminal */
	assert_int_equal(dns_rcode(&k->m), DNS_NOERROR);
	assert_int_equal(k->m.count[DNS_AN], 0);
}

static void ds_05_empty_non_terminals_and_dname(void **state)
{
	struct ask *k = *state;

	dns_authority_add(&k->a, test_zone("server.com", server_com));
	ask(k, "b.ent.server.com", DNS_A, 0);
	want(k, DNS_NOERROR, true, SOA_TEXT("server.com."));
	ask(k, "ent.server.com", DNS_ANY, 0);
	want(k, DNS_NOERROR, true, SOA_TEXT("server.com."));
	ask(k, "x.old.server.com", DNS_A, 0);
	want(k, DNS_NOERROR, true,
	     "a old.server.com. 300 DNAME new.server.com.\na x.old.server.com. 300 CNAME "
	     "x.new.server.com.\na x.new.server.com. 300 A 10.0.0.7\n");
	ask(k, "old.server.com", DNS_DNAME, 0);
	want(k, DNS_NOERROR, true, "a old.server.com. 300 DNAME new.server.com.\n");
	ask(k, "old.server.com", DNS_A, 0);
	want(k, DNS_NOERROR, true, SOA_TEXT("server.com."));
}

static void ds_05_dname_too_long(void **state)
{
	struct ask *k = *state;
	char q[300], z[400];

	snprintf(z, sizeof(z), "$TTL 300\n" SOA "@ NS ns\nd DNAME %060d.%060d.%060d.org.\n", 1, 1,
		 1);
	dns_authority_add(&k->a, test_zone("t", z));
	snprintf(q, sizeof(q), "%060d.%060d.d.t", 2, 2);
	ask(k, q, DNS_A, 0);
	assert_int_equal(dns_rcode(&k->m), DNS_YXDOMAIN);
}

static void ds_01_never_answers_answers_or_reflectors(void **state)
{
	static const uint16_t ports[] = { 0, 7, 19, 53 };
	struct ask *k = *state;
	uint8_t q[512];
	size_t n = test_query(q, sizeof(q), "www.server.com", DNS_A, 0);

	dns_authority_add(&k->a, test_zone("server.com", server_com));
	q[2] |= 0x80;
	raw(k, q, n);
	assert_null(k->wire);
	q[2] &= 0x7f;
	for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
		k->from.port = ports[i];
		raw(k, q, n);
		assert_null(k->wire);
	}
	k->from.port = 40000;
	for (size_t i = 0; i < 12; i++) {
		raw(k, q, i);
		assert_null(k->wire);
	}
}

static void ds_02_any_is_minimal_and_udp_bounded(void **state)
{
	struct ask *k = *state;
	struct strbuf z;

	sb_init(&z);
	sb_puts(&z, "$TTL 300\n" SOA "@ NS ns\nns A 1.1.1.1\n");
	for (int i = 0; i < 200; i++)
		sb_printf(&z, "big A 10.0.%d.%d\n", i / 250, i % 250);
	for (int i = 0; i < 31; i++)
		sb_printf(&z, "mid A 10.0.0.%d\n", i);
	dns_authority_add(&k->a, test_zone("server.com", sb_str(&z)));
	sb_free(&z);
	ask(k, "big.server.com", DNS_ANY, 4096);
	want(k, DNS_NOERROR, true, "a big.server.com. 3600 HINFO \"RFC8482\" \"\"\n");
	ask(k, "big.server.com", DNS_A, 0);
	assert_true(k->m.flags & DNS_TC);
	assert_true(k->len <= 512);
	assert_int_equal(k->m.count[DNS_AN], 0);
	assert_true(k->done.truncated);
	ask(k, "big.server.com", DNS_A, 65535); /* never above 1232 over UDP */
	assert_true(k->m.flags & DNS_TC);
	assert_true(k->len <= 1232);
	assert_true(k->m.edns.present);
	ask(k, "mid.server.com", DNS_A, 0); /* 31 * 16 + header and question > 512 */
	assert_true(k->m.flags & DNS_TC);
	ask(k, "mid.server.com", DNS_A, 1232);
	assert_false(k->m.flags & DNS_TC);
	assert_int_equal(k->m.count[DNS_AN], 31);
	k->from.tcp = true;
	ask(k, "big.server.com", DNS_A, 0);
	assert_false(k->m.flags & DNS_TC);
	assert_int_equal(k->m.count[DNS_AN], 200);
}

static void additional_records_give_way_before_tc(void **state)
{
	struct ask *k = *state;
	struct strbuf z;

	sb_init(&z);
	sb_puts(&z, "$TTL 300\n" SOA "@ NS ns\nns A 1.1.1.1\n");
	for (int i = 0; i < 20; i++)
		sb_printf(&z, "m MX 10 h%d\nh%d A 10.0.0.%d\n", i, i, i);
	for (int i = 0; i < 20; i++)
		sb_printf(&z, "cut NS n%d.cut\nn%d.cut A 10.0.0.%d\n", i, i, i);
	dns_authority_add(&k->a, test_zone("server.com", sb_str(&z)));
	sb_free(&z);
	ask(k, "m.server.com", DNS_MX, 0);
	assert_false(k->m.flags & DNS_TC);
	assert_int_equal(k->m.count[DNS_AN], 20);
	assert_int_equal(k->m.count[DNS_AR], 0);
	ask(k, "x.cut.server.com", DNS_A,
	    0); /* glue that is needed is not left out: TC (RFC 9471) */
	assert_true(k->m.flags & DNS_TC);
	ask(k, "x.cut.server.com", DNS_A, 1232);
	assert_int_equal(k->m.count[DNS_AR], 21); /* 20 and OPT */
}

static void ds_04_axfr_notify_update(void **state)
{
	struct ask *k = *state;
	uint8_t q[512];
	size_t n;

	dns_authority_add(&k->a, test_zone("server.com", server_com));
	ask(k, "server.com", DNS_AXFR, 0);
	want(k, DNS_REFUSED, false, "");
	k->from.tcp = true;
	ask(k, "server.com", DNS_AXFR, 0);
	want(k, DNS_REFUSED, false, "");
	ask(k, "server.com", DNS_IXFR, 0);
	want(k, DNS_REFUSED, false, "");
	for (unsigned op = 1; op < 16; op++) {
		n = test_query(q, sizeof(q), "server.com", DNS_SOA, 0);
		q[2] = (uint8_t)((q[2] & 0x87) | op << 3);
		raw(k, q, n);
		assert_non_null(k->wire);
		assert_int_equal(dns_rcode(&k->m), DNS_NOTIMP);
		assert_int_equal(dns_opcode(&k->m), op);
	}
}

static void dp_09_13_faults_of_queries(void **state)
{
	struct ask *k = *state;
	uint8_t q[512];
	size_t n;

	dns_authority_add(&k->a, test_zone("server.com", server_com));
	n = test_query(q, sizeof(q), "server.com", DNS_SOA, 0);
	q[5] = 0;
	raw(k, q, n);
	assert_int_equal(dns_rcode(&k->m), DNS_FORMERR);
	raw(k, q, 12); /* QDCOUNT 0 and nothing */
	assert_int_equal(dns_rcode(&k->m), DNS_FORMERR);
	q[5] = 2;
	raw(k, q, n);
	assert_int_equal(dns_rcode(&k->m), DNS_FORMERR);
	n = test_query(q, sizeof(q), "server.com", DNS_SOA, 1232);
	q[n - 5] = 1; /* EDNS version 1 */
	raw(k, q, n);
	assert_int_equal(dns_rcode(&k->m), DNS_BADVERS);
	assert_int_equal(k->m.edns.version, 0);
	n = test_query(q, sizeof(q), "server.com", DNS_SOA, 0);
	q[n - 1] = 3; /* class CH */
	raw(k, q, n);
	assert_int_equal(dns_rcode(&k->m), DNS_REFUSED);
	n = test_query(q, sizeof(q), "server.com", DNS_OPT, 0);
	raw(k, q, n);
	assert_int_equal(dns_rcode(&k->m), DNS_FORMERR);
}

static void zone_refuse(const char *text, const char *word)
{
	const char *files[] = { "zone", text, NULL };
	struct test_files t = { files };
	struct dname a = test_name("z.");
	char err[MASTER_ERR] = "";

	assert_null(zone_load("zone", &a, test_key, test_read, &t, err));
	if (!strstr(err, word))
		fail_msg("'%s' does not say '%s'", err, word);
}

static void ds_03_zones_that_contradict_themselves(void **state)
{
	zone_refuse("$TTL 5\n" SOA "@ NS ns\na CNAME b\na A 1.2.3.4\n",
		    "zone:5: a.z.: CNAME and other data");
	zone_refuse("$TTL 5\n" SOA "@ NS ns\na A 1.2.3.4\na CNAME b\n",
		    "zone:5: a.z.: CNAME and other data");
	zone_refuse("$TTL 5\n" SOA "@ NS ns\na CNAME b\na CNAME c\n", "zone:5: ");
	zone_refuse("$TTL 5\n" SOA "@ NS ns\n" SOA, "zone:4: ");
	zone_refuse("$TTL 5\n" SOA "@ NS ns\nother. A 1.2.3.4\n",
		    "zone:4: other. is outside the zone z.");
	zone_refuse("$TTL 5\n" SOA "@ NS ns\na SOA ns root 1 2 3 4 5\n", "zone:4: ");
	zone_refuse("$TTL 5\n@ NS ns\n", "no SOA");
	zone_refuse("$TTL 5\n" SOA, "no NS");
	zone_refuse("$TTL 5\n" SOA "@ NS ns\nd DNAME e\nx.d A 1.2.3.4\n", "below a DNAME");
}

static void nearest_zone_wins(void **state)
{
	struct ask *k = *state;

	dns_authority_add(&k->a,
			  test_zone("com", "$TTL 300\n" SOA
					   "@ NS ns\nserver NS ns.server\nns.server A 9.9.9.9\n"));
	dns_authority_add(&k->a, test_zone("server.com", server_com));
	ask(k, "www.server.com", DNS_A, 0);
	want(k, DNS_NOERROR, true, "a www.server.com. 300 A 10.0.4.2\n");
	ask(k, "server.com", DNS_DS, 0); /* from the parent */
	want(k, DNS_NOERROR, true, SOA_TEXT("com."));
	assert_int_equal(dns_authority_add(&k->a, k->a.zones), -17);
}

static void big_answers_compress_and_parse(void **state)
{
	struct ask *k = *state;
	struct strbuf z;

	sb_init(&z);
	sb_puts(&z, "$TTL 300\n" SOA "@ NS ns\nns A 1.1.1.1\n");
	for (int i = 0; i < 1500; i++)
		sb_printf(&z, "m MX 10 host%d.some.where\n", i);
	dns_authority_add(&k->a, test_zone("server.com", sb_str(&z)));
	sb_free(&z);
	k->from.tcp = true;
	ask(k, "m.server.com", DNS_MX, 0);
	assert_int_equal(k->m.count[DNS_AN], 1500);
	assert_true(k->len > 16384); /* names beyond what a pointer reaches */
	assert_true(k->len < 1500 * 40);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(s3_25_26_root_refers_to_com),
	    T(s3_28_answers),
	    T(s3_21_refused_outside),
	    T(s3_27_referral_with_glue),
	    T(ds_05_wildcards_of_rfc_4592),
	    T(ds_05_empty_non_terminals_and_dname),
	    T(ds_05_dname_too_long),
	    T(ds_01_never_answers_answers_or_reflectors),
	    T(ds_02_any_is_minimal_and_udp_bounded),
	    T(additional_records_give_way_before_tc),
	    T(ds_04_axfr_notify_update),
	    T(dp_09_13_faults_of_queries),
	    T(ds_03_zones_that_contradict_themselves),
	    T(nearest_zone_wins),
	    T(big_answers_compress_and_parse),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
