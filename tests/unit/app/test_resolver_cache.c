/* resolver_cache.c: S3-24, DR-13, DR-14, DR-19 */
#include "test_dns_util.h"
#include "app/resolver_cache.h"

#define S NSEC_PER_SEC

static struct rrset *addr_set(uint32_t a, uint32_t ttl)
{
	struct rrset *s = rrset_new(DNS_A, ttl);
	uint8_t rd[4];

	put_be32(rd, a);
	rrset_add(s, rd, 4, ttl);
	return s;
}

static void put_a(struct rcache *c, const char *name, uint32_t a, enum rcache_rank rank,
		  uint32_t ttl, uint64_t now)
{
	struct rrset *s = addr_set(a, ttl);
	struct dname n = test_name(name);

	rcache_put(c, &n, DNS_A, RC_DATA, rank, s, NULL, ttl, now);
	rrset_put(s);
}

static uint32_t get_a(struct rcache *c, const char *name, uint64_t now)
{
	struct dname n = test_name(name);
	const struct rcache_entry *e = rcache_get(c, &n, DNS_A, now);

	return e && e->kind == RC_DATA ? get_be32(e->set->data + 2) : 0;
}

static void s3_24_entries_end_with_their_ttl(void **state)
{
	struct rcache *c = rcache_new(RCACHE_MAX_BYTES, test_key);
	struct dname n = test_name("A.b");

	put_a(c, "a.b", 1, RANK_AUTH_ANSWER, 10, 100 * S);
	assert_int_equal(get_a(c, "a.B", 109 * S), 1);
	assert_int_equal(rcache_ttl(rcache_get(c, &n, DNS_A, 103 * S), 103 * S + S / 2), 7);
	assert_int_equal(get_a(c, "a.b", 110 * S), 0);
	assert_int_equal(c->n, 0);
	rcache_free(c);
}

static void dr_14_ttl_zero_and_caps(void **state)
{
	struct rcache *c = rcache_new(RCACHE_MAX_BYTES, test_key);
	struct dname n = test_name("x");
	struct rrset *soa = rrset_new(DNS_SOA, 1);

	put_a(c, "zero", 1, RANK_AUTH_ANSWER, 0, 0);
	assert_int_equal(get_a(c, "zero", 0), 0);
	put_a(c, "huge", 1, RANK_AUTH_ANSWER, 0x7fffffff, 0);
	assert_int_equal(get_a(c, "huge", RCACHE_MAX_TTL * S - 1), 1);
	assert_int_equal(get_a(c, "huge", RCACHE_MAX_TTL * S), 0);
	rcache_put(c, &n, DNS_A, RC_NXDOMAIN, RANK_AUTH_ANSWER, soa, &n, 0x7fffffff, 0);
	assert_non_null(rcache_nxdomain(c, &n, 10799 * S));
	assert_null(rcache_nxdomain(c, &n, 10800 * S));
	rrset_put(soa);
	rcache_free(c);
}

static void rank_rfc_2181(void **state)
{
	struct rcache *c = rcache_new(RCACHE_MAX_BYTES, test_key);
	struct dname n = test_name("h");

	put_a(c, "h", 1, RANK_AUTH_ANSWER, 10, 0);
	put_a(c, "h", 2, RANK_ADDITIONAL, 100, 0);
	assert_int_equal(get_a(c, "h", 0), 1);
	put_a(c, "h", 3, RANK_ADDITIONAL, 100, 10 * S); /* the better one is dead */
	assert_int_equal(get_a(c, "h", 10 * S), 3);
	put_a(c, "h", 4, RANK_AUTH_ANSWER, 100, 10 * S);
	assert_int_equal(get_a(c, "h", 10 * S), 4);
	rcache_put(c, &n, DNS_A, RC_FAIL, RANK_AUTH_ANSWER, NULL, NULL, 5, 10 * S);
	assert_int_equal(get_a(c, "h", 10 * S), 4);
	rcache_free(c);
}

static void dr_13_ns_sets_do_not_refresh_themselves(void **state)
{
	struct rcache *c = rcache_new(RCACHE_MAX_BYTES, test_key);
	struct dname n = test_name("ghost.com");
	struct rrset *s = rrset_new(DNS_NS, 100);

	rrset_add(s, (const uint8_t *)"\2ns\0", 4, 100);
	rcache_put(c, &n, DNS_NS, RC_DATA, RANK_REFERRAL, s, NULL, 100, 0);
	for (uint64_t t = 10; t < 100; t += 10)
		rcache_put(c, &n, DNS_NS, RC_DATA, RANK_AUTH_ANSWER, s, NULL, 1000000, t * S);
	assert_non_null(rcache_get(c, &n, DNS_NS, 100 * S - 1));
	assert_null(rcache_get(c, &n, DNS_NS, 100 * S));
	rrset_put(s);
	rcache_free(c);
}

static void rfc_8020_nothing_below_nxdomain(void **state)
{
	struct rcache *c = rcache_new(RCACHE_MAX_BYTES, test_key);
	struct dname n = test_name("no.such"), below = test_name("a.b.no.such"),
		     beside = test_name("yes.such");

	rcache_put(c, &n, DNS_A, RC_NXDOMAIN, RANK_AUTH_ANSWER, NULL, NULL, 60, 0);
	assert_non_null(rcache_nxdomain(c, &n, 0));
	assert_non_null(rcache_nxdomain(c, &below, 0));
	assert_null(rcache_nxdomain(c, &beside, 0));
	rcache_free(c);
}

static void dr_19_bounded_and_least_recently_used_goes(void **state)
{
	struct rcache *c = rcache_new(100000, test_key);
	struct dname n;
	char t[32];

	put_a(c, "keep", 7, RANK_AUTH_ANSWER, 1000, 0);
	for (int i = 0; i < 1000; i++) {
		snprintf(t, sizeof(t), "r%d.victim", i);
		n = test_name(t);
		rcache_put(c, &n, DNS_A, RC_NXDOMAIN, RANK_AUTH_ANSWER, NULL, NULL, 60, 0);
	}
	assert_true(c->negative_bytes <= 25000);
	assert_int_equal(get_a(c, "keep", 0), 7);
	for (int i = 0; i < 1000; i++) {
		snprintf(t, sizeof(t), "d%d", i);
		put_a(c, t, 1, RANK_AUTH_ANSWER, 60, 0);
		if (i % 50 == 0)
			assert_int_equal(get_a(c, "keep", 0), 7); /* used, hence kept */
	}
	assert_true(c->bytes <= 100000);
	assert_true(c->evicted > 0);
	assert_int_equal(get_a(c, "d0", 0), 0);
	assert_int_equal(get_a(c, "d999", 0), 1);
	rcache_free(c);
}

static void dump_in_order(void **state)
{
	struct rcache *c = rcache_new(100000, test_key);
	struct dname n = test_name("nx.b");
	struct strbuf sb;

	put_a(c, "www.b", 0x0a000001, RANK_AUTH_ANSWER, 60, 0);
	put_a(c, "a.c", 0x0a000002, RANK_ADDITIONAL, 60, 0);
	rcache_put(c, &n, DNS_A, RC_NXDOMAIN, RANK_AUTH_ANSWER, NULL, NULL, 60, 0);
	sb_init(&sb);
	rcache_dump(c, 10 * S, &sb);
	assert_string_equal(sb_str(&sb),
			    "nx.b.\t50\tIN\tANY\t; NXDOMAIN\nwww.b.\t50\tIN\tA\t10.0.0.1\t; "
			    "answer\na.c.\t50\tIN\tA\t10.0.0.2\t; additional\n");
	sb_free(&sb);
	rcache_flush(c);
	assert_int_equal(c->n, 0);
	assert_int_equal(c->bytes, 0);
	rcache_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(s3_24_entries_end_with_their_ttl),
	    cmocka_unit_test(dr_14_ttl_zero_and_caps),
	    cmocka_unit_test(rank_rfc_2181),
	    cmocka_unit_test(dr_13_ns_sets_do_not_refresh_themselves),
	    cmocka_unit_test(rfc_8020_nothing_below_nxdomain),
	    cmocka_unit_test(dr_19_bounded_and_least_recently_used_goes),
	    cmocka_unit_test(dump_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
