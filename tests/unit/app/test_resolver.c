/* resolver_*.c: how it walks and what it remembers: S3-22, S3-24..S3-29, DR-20 */
#include "test_resolver_world.h"

static void s3_29_cold_walk_is_three_queries_with_the_full_name(void **state)
{
	struct world *w = *state;

	ask(w, "www.server.com", DNS_A);
	want(w, DNS_NOERROR, "a www.server.com. 300 A 10.0.4.2\n");
	assert_int_equal(w->queries, 3); /* and the client's question: 8 messages in all */
	assert_int_equal(serve(w, ROOT)->asked, 1);
	assert_int_equal(serve(w, COM)->asked, 1);
	assert_int_equal(serve(w, NS)->asked, 1);
	assert_string_equal(
	    sb_str(&w->log),
	    "query sent name=www.server.com. type=A server=10.0.3.1 zone=.\nreferral com. ns=1\n"
	    "query sent name=www.server.com. type=A server=10.0.3.2 zone=com.\nreferral "
	    "server.com. ns=1\n"
	    "query sent name=www.server.com. type=A server=10.0.3.3 zone=server.com.\n");
}

static void s3_24_warm_answers_come_from_the_cache_until_the_ttl_ends(void **state)
{
	struct world *w = *state;

	ask(w, "www.server.com", DNS_A);
	w->now += 100 * S;
	ask(w, "www.server.com", DNS_A);
	want(w, DNS_NOERROR, "a www.server.com. 200 A 10.0.4.2\n");
	assert_int_equal(w->queries, 0);
	w->now += 300 * S;
	ask(w, "www.server.com", DNS_A);
	assert_int_equal(w->queries, 1); /* the delegations still live: the owner alone is asked */
	want(w, DNS_NOERROR, "a www.server.com. 300 A 10.0.4.2\n");
	w->now += 86500 * S;
	ask(w, "www.server.com", DNS_A);
	assert_int_equal(w->queries, 3); /* after all has ended the walk is made again */
}

static void s3_22_root_stopped_after_warm_up(void **state)
{
	struct world *w = *state;

	ask(w, "www.server.com", DNS_A);
	serve(w, ROOT)->dead = true;
	ask(w, "alias.server.com", DNS_A);
	want(w, DNS_NOERROR,
	     "a alias.server.com. 300 CNAME www.server.com.\na www.server.com. 300 A 10.0.4.2\n");
	ask(w, "www.other.org", DNS_A);
	assert_int_equal(w->rcode, DNS_SERVFAIL);
}

static void negative_answers_are_kept(void **state)
{
	struct world *w = *state;

	ask(w, "no.server.com", DNS_A);
	want(w, DNS_NXDOMAIN, "n server.com. 60 SOA ns.server.com. root.server.com. 1 2 3 4 60\n");
	assert_int_equal(w->queries, 3);
	w->now += 12 * S;
	ask(w, "no.server.com", DNS_MX); /* no type exists there */
	assert_int_equal(w->queries, 0);
	assert_int_equal(w->rcode, DNS_NXDOMAIN);
	ask(w, "below.no.server.com", DNS_A); /* RFC 8020 */
	assert_int_equal(w->queries, 0);
	ask(w, "www.server.com", DNS_AAAA);
	want(w, DNS_NOERROR, "n server.com. 60 SOA ns.server.com. root.server.com. 1 2 3 4 60\n");
	assert_int_equal(w->queries, 1);
	ask(w, "www.server.com", DNS_AAAA);
	assert_int_equal(w->queries, 0);
	ask(w, "www.server.com", DNS_A);
	assert_int_equal(w->queries, 1);
	w->now += 100 * S;
	ask(w, "no.server.com", DNS_A);
	assert_int_equal(w->queries, 1);
}

static void rfc_1123_ttl_zero_is_used_once(void **state)
{
	struct world *w = *state;

	ask(w, "zero.server.com", DNS_A);
	want(w, DNS_NOERROR, "a zero.server.com. 0 A 10.0.4.9\n");
	ask(w, "zero.server.com", DNS_A);
	want(w, DNS_NOERROR, "a zero.server.com. 0 A 10.0.4.9\n");
	assert_int_equal(w->queries, 1);
}

static void root_ns_and_root_servers_from_the_hints(void **state)
{
	struct world *w = *state;

	ask(w, ".", DNS_NS);
	want(w, DNS_NOERROR, "a . 604800 NS a.root.test.\nx a.root.test. 604800 A 10.0.3.1\n");
	assert_int_equal(w->queries, 0);
	ask(w, "a.root.test", DNS_A);
	want(w, DNS_NOERROR, "a a.root.test. 604800 A 10.0.3.1\n");
	assert_int_equal(w->queries, 0);
}

static void rfc_8109_priming_when_wanted(void **state)
{
	const struct resolver_params p = { .prime = true };
	struct world *w = *state = world_new(&p);

	world_zones(w);
	ask(w, ".", DNS_NS);
	want(w, DNS_NOERROR, "a . 86400 NS a.root.test.\n");
	assert_int_equal(w->queries, 1);
}

static void peek_answers_without_asking(void **state)
{
	struct world *w = *state;
	struct dname n = test_name("www.server.com");
	struct ranswer a;

	assert_false(resolver_peek(w->r, &n, DNS_A, &a, w->now));
	assert_int_equal(a.n, 1);
	assert_true(dname_is_root(&a.set[0].owner)); /* the best referral: the root */
	ranswer_clear(&a);
	ask(w, "www.server.com", DNS_A);
	assert_true(resolver_peek(w->r, &n, DNS_A, &a, w->now));
	ranswer_clear(&a);
	n = test_name("x.server.com");
	assert_false(resolver_peek(w->r, &n, DNS_A, &a, w->now));
	assert_int_equal(a.set[0].section, DNS_AUTH);
	assert_int_equal(a.set[0].owner.len, 12);
	ranswer_clear(&a);
}

static void failover_to_the_second_server(void **state)
{
	struct world *w = *state;

	dns_authority_free(&serve(w, COM)->a);
	zone(
	    w, COM, "com",
	    "$TTL 86400\n" SOA("com.") "@ NS a.gtld.test.\nserver NS ns1.server\nserver NS "
				       "ns.server\nns.server A 10.0.3.3\nns1.server A 10.0.3.33\n");
	serve(w, 0x0a000321)->dead = true;
	for (int i = 0; i < 8; i++) {
		char t[32];

		snprintf(t, sizeof(t), "x%d.server.com", i);
		ask(w, t, DNS_A);
		assert_int_equal(w->rcode, DNS_NXDOMAIN);
	}
	assert_true(serve(w, 0x0a000321)->asked <= 4); /* soon only the one that answers */
}

static void glueless_delegation_is_resolved(void **state)
{
	struct world *w = *state;

	dns_authority_free(&serve(w, COM)->a);
	zone(w, COM, "com",
	     "$TTL 86400\n" SOA("com.") "@ NS a.gtld.test.\nserver NS ns.server\nns.server A "
					"10.0.3.3\nshop NS www.server\n");
	zone(w, 0x0a000402, "shop.com",
	     "$TTL 300\n" SOA("shop.com.") "@ NS www.server.com.\nwww A 9.9.9.9\n");
	ask(w, "www.shop.com", DNS_A);
	want(w, DNS_NOERROR, "a www.shop.com. 300 A 9.9.9.9\n");
	assert_int_equal(w->queries, 5); /* root, com, (com), server.com for the address, shop */
}

static size_t edns_hater(struct world *w, const struct dns_msg *q, uint8_t *out, bool tcp)
{
	struct hand h = begin(out, q, q->edns.present ? DNS_FORMERR : DNS_AA);

	if (!q->edns.present)
		put_a(&h, DNS_AN, "www.server.com", 60, 0x01010101);
	return h.n;
}

static void edns_falls_back(void **state)
{
	struct world *w = *state;

	serve(w, NS)->fn = edns_hater;
	ask(w, "www.server.com", DNS_A);
	want(w, DNS_NOERROR, "a www.server.com. 60 A 1.1.1.1\n");
	assert_int_equal(w->queries, 4);
	w->now += 100 * S;
	ask(w, "www.server.com", DNS_A);
	assert_int_equal(w->queries, 1); /* remembered */
}

static void cancelled_question_is_not_answered(void **state)
{
	struct world *w = *state;
	struct dname n = test_name("www.server.com");
	struct rwait *h;

	w->done = 0;
	h = resolver_ask(w->r, &n, DNS_A, on_done, w, w->now);
	assert_non_null(h);
	resolver_cancel(h);
	pump(w, w->now);
	assert_int_equal(w->done, 0);
	ask(w, "www.server.com", DNS_A); /* the work was not in vain */
	assert_int_equal(w->queries, 0);
}


int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define U(f) cmocka_unit_test_teardown(f, teardown)
	const struct CMUnitTest tests[] = {
		T(s3_29_cold_walk_is_three_queries_with_the_full_name),
		T(s3_24_warm_answers_come_from_the_cache_until_the_ttl_ends),
		T(s3_22_root_stopped_after_warm_up),
		T(negative_answers_are_kept),
		T(rfc_1123_ttl_zero_is_used_once),
		T(root_ns_and_root_servers_from_the_hints),
		U(rfc_8109_priming_when_wanted),
		T(peek_answers_without_asking),
		T(failover_to_the_second_server),
		T(glueless_delegation_is_resolved),
		T(edns_falls_back),
		T(cancelled_question_is_not_answered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
