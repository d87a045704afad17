/* resolver_*.c under attack: DR-01 .. DR-20 */
#include "test_resolver_world.h"


static void dr_01_seven_attributes(void **state)
{
	struct world *w = *state;
	struct dname n = test_name("www.server.com");
	struct rquery *q;
	struct dns_msg m;
	struct hand h;
	uint8_t out[1000];

	w->done = 0;
	resolver_ask(w->r, &n, DNS_A, on_done, w, w->now);
	q = w->pending[0];
	assert_int_equal(dns_msg_check(&m, q->wire, q->len), DNS_FINE);
	for (int fault = 0; fault < 8; fault++) {
		h = begin(out, &m, DNS_AA);
		put_a(&h, DNS_AN, "www.server.com", 60, 0x06060606);
		size_t qt = 12u + m.qname.len;

		switch (fault) {
		case 0: out[1] ^= 1; break;                /* id */
		case 1: out[2] &= 0x7f; break;             /* QR */
		case 2: out[2] |= 5 << 3; break;           /* opcode (DR-17) */
		case 3: out[13] ^= 1; break;               /* qname */
		case 4: out[qt + 1] = DNS_MX; break;       /* qtype */
		case 5: out[qt + 3] = 3; break;            /* qclass */
		case 6:                                    /* no question */
			out[5] = 0;
			memmove(out + 12, out + qt + 4, h.n - qt - 4);
			h.n -= m.qname.len + 4u;
			break;
		case 7: h.n--; break;                      /* torn */
		}
		assert_false(resolver_input(w->r, q, out, h.n, w->now));
		assert_int_equal(w->done, 0);
	}
	assert_int_equal(resolver_stats(w->r)->ignored, 8);
	pump(w, w->now);
	want(w, DNS_NOERROR, "a www.server.com. 300 A 10.0.4.2\n");
}

/* An answer that fits in one packet of any path needs no second fragment that somebody else could send. */
static void dr_16_never_asks_for_a_fragment(void **state)
{
	static const char *const names[] = { "www.server.com", "alias.server.com", "no.such.name.server.com" };
	struct world *w = *state;

	for (unsigned i = 0; i < 3; i++) {
		struct dname n = test_name(names[i]);
		unsigned seen = 0;

		w->done = 0;
		resolver_ask(w->r, &n, DNS_A, on_done, w, w->now);
		while (w->n_pending) {
			struct rquery *q = w->pending[--w->n_pending];
			struct dns_msg m;

			if (!q)
				continue;
			assert_int_equal(dns_msg_check(&m, q->wire, q->len), DNS_FINE);
			assert_true(m.edns.present);
			assert_int_equal(m.edns.udp_size, 1232);
			seen++;
			deliver(w, q);
		}
		assert_true(seen > 0);
		assert_int_equal(w->done, 1);
	}
}

static void dr_05_one_query_per_name_and_tcp_after_ten_forgeries(void **state)
{
	struct world *w = *state;
	struct dname n = test_name("www.server.com");
	struct rquery *q;
	struct dns_msg m;
	struct hand h;
	uint8_t out[1000];

	w->done = w->queries = 0;
	for (int i = 0; i < 50; i++)
		resolver_ask(w->r, &n, DNS_A, on_done, w, w->now);
	assert_int_equal(w->queries, 1);
	q = w->pending[0];
	dns_msg_check(&m, q->wire, q->len);
	for (int i = 1; i <= RES_BAD_MAX; i++) {
		h = begin(out, &m, DNS_AA);
		out[0] ^= 0x55;
		put_a(&h, DNS_AN, "www.server.com", 60, 0x06060606);
		assert_int_equal(resolver_input(w->r, q, out, h.n, w->now), i == RES_BAD_MAX);
	}
	assert_int_equal(w->queries, 2);
	assert_true(w->pending[1]->tcp);
	pump(w, w->now);
	assert_int_equal(w->done, 50);
	want(w, DNS_NOERROR, "a www.server.com. 300 A 10.0.4.2\n");
}

static void dr_02_ids_are_spread(void **state)
{
	struct world *w = *state;
	unsigned seen[16] = { 0 }, same = 0, last = 70000;
	char t[64];

	for (int i = 0; i < 1600; i++) {
		snprintf(t, sizeof(t), "n%d.server.com", i);
		struct dname n = test_name(t);

		resolver_ask(w->r, &n, DNS_A, on_done, w, w->now);
		struct rquery *q = w->pending[w->n_pending ? w->n_pending - 1 : 0];

		if (!q)
			break;
		seen[q->id >> 12]++;
		same += q->id == last;
		last = q->id;
		pump(w, w->now);
	}
	for (int i = 0; i < 16; i++)
		assert_in_range(seen[i], 60, 150); /* 100 each, 4 sigma is 39 */
	assert_true(same <= 2);
}

static size_t poison(struct world *w, const struct dns_msg *q, uint8_t *out, bool tcp)
{
	struct hand h = begin(out, q, DNS_AA);
	char t[DNAME_TEXT_MAX];

	put_a(&h, DNS_AN, dname_text(t, &q->qname), 60, 0x01010101);
	put_a(&h, DNS_AN, "www.bank.com", 60, 0x06060606); /* another's name in the answer */
	put_name(&h, DNS_AUTH, "com", DNS_NS, 60, "ns.evil.com");          /* the parent's zone */
	put_name(&h, DNS_AUTH, "server.com", DNS_NS, 86400, "ns.evil.com"); /* promiscuous NS */
	put_name(&h, DNS_AUTH, "bank.com", DNS_NS, 60, "ns.evil.com");
	put_a(&h, DNS_AR, "ns.evil.com", 60, 0x06060606);
	put_a(&h, DNS_AR, "a.root.test", 60, 0x06060606);
	put_a(&h, DNS_AR, "www.server.com", 60, 0x06060606);
	return h.n;
}

static void dr_03_04_only_what_was_asked_is_kept(void **state)
{
	struct world *w = *state;
	struct strbuf sb;

	serve(w, NS)->fn = poison;
	ask(w, "random123.server.com", DNS_A);
	want(w, DNS_NOERROR, "a random123.server.com. 60 A 1.1.1.1\n");
	sb_init(&sb);
	rcache_dump(resolver_cache(w->r), w->now, &sb);
	assert_null(strstr(sb_str(&sb), "6.6.6.6"));
	assert_null(strstr(sb_str(&sb), "evil"));
	assert_null(strstr(sb_str(&sb), "bank"));
	sb_free(&sb);
}

static size_t poison_referral(struct world *w, const struct dns_msg *q, uint8_t *out, bool tcp)
{
	struct hand h = begin(out, q, 0);

	put_name(&h, DNS_AUTH, "com", DNS_NS, 60, "ns.evil.com"); /* upwards */
	put_name(&h, DNS_AUTH, "bank.com", DNS_NS, 60, "ns.evil.com"); /* aside */
	put_a(&h, DNS_AR, "ns.evil.com", 60, 0x06060606);
	return h.n;
}

static void dr_03_referrals_lead_down_only(void **state)
{
	struct world *w = *state;

	serve(w, NS)->fn = poison_referral;
	ask(w, "www.server.com", DNS_A);
	assert_int_equal(w->rcode, DNS_SERVFAIL);
	assert_int_equal(serve(w, 0x06060606)->asked, 0);
}

static size_t foreign_glue(struct world *w, const struct dns_msg *q, uint8_t *out, bool tcp)
{
	struct hand h = begin(out, q, 0);

	put_name(&h, DNS_AUTH, "sub.server.com", DNS_NS, 60, "www.bank.com");
	put_a(&h, DNS_AR, "www.bank.com", 60, 0x06060606); /* not this zone's to tell */
	return h.n;
}

static void dr_03_glue_out_of_bailiwick_is_ignored(void **state)
{
	struct world *w = *state;

	serve(w, NS)->fn = foreign_glue;
	ask(w, "x.sub.server.com", DNS_A);
	assert_int_equal(w->rcode, DNS_SERVFAIL);
	assert_int_equal(serve(w, 0x06060606)->asked, 0);
}

static size_t lower_case(struct world *w, const struct dns_msg *q, uint8_t *out, bool tcp)
{
	struct hand h = begin(out, q, DNS_AA);
	char t[DNAME_TEXT_MAX];
	size_t i;

	put_a(&h, DNS_AN, dname_text(t, &q->qname), 60, 0x06060606);
	for (i = 12; i < 12u + q->qname.len; i++)
		if (out[i] >= 'A' && out[i] <= 'Z')
			out[i] |= 0x20;
	return h.n;
}

static void dr_06_case_must_come_back(void **state)
{
	const struct resolver_params p = { .use_0x20 = true };
	struct world *w = *state = world_new(&p);

	world_zones(w);
	ask(w, "www.server.com", DNS_A);
	want(w, DNS_NOERROR, "a www.server.com. 300 A 10.0.4.2\n");
	assert_null(strstr(sb_str(&w->log), "name=www.server.com. "));
	serve(w, NS)->fn = lower_case;
	ask(w, "averylongnametobeasked.server.com", DNS_A);
	assert_int_equal(w->rcode, DNS_SERVFAIL);
	assert_true(resolver_stats(w->r)->ignored > 0);
}

static void dr_07_alias_loops_and_long_chains(void **state)
{
	struct world *w = *state;
	struct strbuf z;

	sb_init(&z);
	sb_puts(&z, "$TTL 300\n" SOA(
			"loop.com.") "@ NS ns\nns A 10.0.3.9\nl1 CNAME l2.circle.com.\nself CNAME "
				     "self\na CNAME b\nb CNAME a\n");
	for (int i = 0; i < 20; i++)
		sb_printf(&z, "c%d CNAME c%d\n", i, i + 1);
	sb_puts(&z, "c20 A 1.2.3.4\n");
	zone(w, COM, "x.com", "$TTL 300\n" SOA("x.com.") "@ NS ns\n"); /* not asked */
	dns_authority_free(&serve(w, COM)->a);
	zone(w, COM, "com",
	     "$TTL 86400\n" SOA("com.") "@ NS a.gtld.test.\nloop NS ns.loop\nns.loop A "
					"10.0.3.9\ncircle NS ns.circle\nns.circle A 10.0.3.10\n");
	zone(w, 0x0a000309, "loop.com", sb_str(&z));
	zone(w, 0x0a00030a, "circle.com",
	     "$TTL 300\n" SOA("circle.com.") "@ NS ns\nns A 10.0.3.10\nl2 CNAME l1.loop.com.\nok "
					     "CNAME c18.loop.com.\n");
	sb_free(&z);
	ask(w, "l1.loop.com", DNS_A);
	assert_int_equal(w->rcode, DNS_SERVFAIL);
	assert_true(w->queries < 12);
	ask(w, "self.loop.com", DNS_A);
	assert_int_equal(w->rcode, DNS_SERVFAIL);
	ask(w, "a.loop.com", DNS_A);
	assert_int_equal(w->rcode, DNS_SERVFAIL);
	ask(w, "c0.loop.com", DNS_A);
	assert_int_equal(w->rcode, DNS_SERVFAIL);
	ask(w, "ok.circle.com", DNS_A);
	want(w, DNS_NOERROR,
	     "a ok.circle.com. 300 CNAME c18.loop.com.\na c18.loop.com. 300 CNAME c19.loop.com.\n"
	     "a c19.loop.com. 300 CNAME c20.loop.com.\na c20.loop.com. 300 A 1.2.3.4\n");
}

static size_t cname_and_a(struct world *w, const struct dns_msg *q, uint8_t *out, bool tcp)
{
	struct hand h = begin(out, q, DNS_AA);

	put_a(&h, DNS_AN, "both.server.com", 60, 0x06060606);
	put_name(&h, DNS_AN, "both.server.com", DNS_CNAME, 60, "www.server.com");
	return h.n;
}

static void dr_07_cname_beside_other_data(void **state)
{
	struct world *w = *state;

	serve(w, NS)->fn = cname_and_a;
	ask(w, "both.server.com", DNS_A);
	assert_int_equal(w->rcode, DNS_SERVFAIL);
}

static size_t nxns(struct world *w, const struct dns_msg *q, uint8_t *out, bool tcp)
{
	struct hand h = begin(out, q, 0);
	char t[64];

	for (int i = 0; i < (tcp ? 1500 : 25); i++) {
		snprintf(t, sizeof(t), "n%d.%u.victim.com", i, (unsigned)serve(w, NS)->asked);
		put_name(&h, DNS_AUTH, "sub.server.com", DNS_NS, 60, t);
	}
	return h.n;
}

static void dr_08_nxns_is_bounded(void **state)
{
	struct world *w = *state;

	zone(w, COM, "other", "$TTL 300\n" SOA("other.") "@ NS ns\n");
	dns_authority_free(&serve(w, COM)->a);
	zone(w, COM, "com",
	     "$TTL 86400\n" SOA("com.") "@ NS a.gtld.test.\nserver NS ns.server\nns.server A "
					"10.0.3.3\nvictim NS ns.victim\nns.victim A 10.0.3.20\n");
	zone(w, 0x0a000314, "victim.com", "$TTL 300\n" SOA("victim.com.") "@ NS ns\n");
	serve(w, NS)->fn = nxns;
	ask(w, "a.sub.server.com", DNS_A);
	assert_int_equal(w->rcode, DNS_SERVFAIL);
	assert_true(serve(w, 0x0a000314)->asked <= RES_MAX_NS_LOOKUPS);
	assert_true(w->queries <= 3 + RES_MAX_NS_LOOKUPS + 1);
}

static void dr_09_tsuname_circles_end(void **state)
{
	struct world *w = *state;

	dns_authority_free(&serve(w, COM)->a);
	zone(w, COM, "com", "$TTL 86400\n" SOA("com.") "@ NS a.gtld.test.\na NS ns.b\nb NS ns.a\n");
	ask(w, "www.a.com", DNS_A);
	assert_int_equal(w->rcode, DNS_SERVFAIL);
	assert_true(w->queries <= 6);
	struct dname n = test_name("www.a.com");

	w->queries = 0;
	resolver_ask(w->r, &n, DNS_A, on_done, w,
		     w->now); /* the failure is remembered for a while (RFC 9520) */
	assert_int_equal(w->rcode, DNS_SERVFAIL);
	assert_int_equal(w->queries, 0);
}

/* Each name under fan.com is delegated to two further names under fan.com: 2^n if nobody counts. */
static size_t fan(struct world *w, const struct dns_msg *q, uint8_t *out, bool tcp)
{
	struct hand h = begin(out, q, 0);
	char zone_text[DNAME_TEXT_MAX], t[64];
	struct dname z;

	dname_suffix(&z, &q->qname, 3);
	dname_text(zone_text, &z);
	for (int i = 0; i < 10; i++) {
		snprintf(t, sizeof(t), "ns.d%u-%d.fan.com", (unsigned)serve(w, 0x0a00030b)->asked,
			 i);
		put_name(&h, DNS_AUTH, zone_text, DNS_NS, 600, t);
	}
	return h.n;
}

static void dr_10_fan_out_has_one_quota(void **state)
{
	struct world *w = *state;

	dns_authority_free(&serve(w, COM)->a);
	zone(w, COM, "com",
	     "$TTL 86400\n" SOA("com.") "@ NS a.gtld.test.\nfan NS ns.fan\nns.fan A 10.0.3.11\n");
	serve(w, 0x0a00030b)->fn = fan;
	ask(w, "www.start.fan.com", DNS_A);
	assert_int_equal(w->rcode, DNS_SERVFAIL);
	assert_true(w->queries <= RES_BUDGET);
}

static size_t truncated(struct world *w, const struct dns_msg *q, uint8_t *out, bool tcp)
{
	struct hand h = begin(out, q, DNS_AA | DNS_TC);

	put_a(&h, DNS_AN, "www.server.com", 60, 0x06060606); /* never used (RFC 1123 6.1.3.2) */
	return h.n;
}

static size_t truncated_on_udp(struct world *w, const struct dns_msg *q, uint8_t *out, bool tcp)
{
	struct hand h = begin(out, q, tcp ? DNS_AA : DNS_AA | DNS_TC);

	put_a(&h, DNS_AN, "www.server.com", 60, tcp ? 0x01010101 : 0x06060606);
	return h.n;
}

static void dr_15_tc(void **state)
{
	struct world *w = *state;

	serve(w, NS)->fn = truncated_on_udp;
	ask(w, "www.server.com", DNS_A);
	want(w, DNS_NOERROR, "a www.server.com. 60 A 1.1.1.1\n");
	assert_int_equal(resolver_stats(w->r)->tcp_queries, 1);
	w->now += 100 * S;
	serve(w, NS)->fn = truncated;
	ask(w, "www.server.com", DNS_A);
	assert_int_equal(w->rcode, DNS_SERVFAIL);
	assert_int_equal(w->queries, 2); /* once UDP, once TCP */
}

static unsigned wanted_rcode;

static size_t odd_rcode(struct world *w, const struct dns_msg *q, uint8_t *out, bool tcp)
{
	struct hand h = begin(out, q, (uint16_t)(DNS_AA | wanted_rcode));

	put_a(&h, DNS_AN, "www.server.com", 60, 0x06060606);
	return h.n;
}

static void dr_17_rcodes(void **state)
{
	struct world *w = *state;

	serve(w, NS)->fn = odd_rcode;
	for (wanted_rcode = 1; wanted_rcode < 16; wanted_rcode++) {
		if (wanted_rcode == DNS_NXDOMAIN)
			continue;
		ask(w, "www.server.com", DNS_A);
		assert_int_equal(w->rcode, DNS_SERVFAIL);
		w->now += 6 * S;
	}
}

static void dr_18_private_addresses_filtered_when_wanted(void **state)
{
	const struct resolver_params p = { .filter_private = true };
	struct world *w = *state = world_new(&p);

	world_zones(w);
	ask(w, "www.server.com", DNS_A);
	assert_int_equal(w->rcode, DNS_NOERROR);
	assert_string_equal(sb_str(&w->text), "");
}

static void dr_20_silent_servers_are_left_alone(void **state)
{
	struct world *w = *state;
	uint64_t t = w->now;
	unsigned before;

	serve(w, NS)->dead = true;
	ask(w, "www.server.com", DNS_A);
	assert_int_equal(w->rcode, DNS_SERVFAIL);
	assert_int_equal(serve(w, NS)->asked, RES_TRIES);
	assert_true(w->now - t < 12 * S);
	before = serve(w, NS)->asked;
	for (int i = 0; i < 100;
	     i++) { /* RFC 9520: not asked again at once, by this name or another */
		struct dname n = test_name(i % 2 ? "www.server.com" : "other.server.com");

		resolver_ask(w->r, &n, DNS_A, on_done, w, w->now);
		pump(w, w->now);
	}
	pump(w, w->now + 12 * S);
	assert_true(serve(w, NS)->asked - before <= 2 * RES_TRIES);
	serve(w, NS)->dead = false;
	w->now += 80 * S;
	ask(w, "www.server.com", DNS_A);
	assert_int_equal(w->rcode, DNS_NOERROR);
}

static void dr_12_bounded_waiting_and_numbers(void **state)
{
	struct world *w = *state;
	uint64_t t0 = w->now;
	char t[32];

	serve(w, ROOT)->dead = true;
	w->done = 0;
	for (int i = 0; i < RES_MAX_JOBS + 100; i++) {
		snprintf(t, sizeof(t), "n%d.org", i);
		struct dname n = test_name(t);

		resolver_ask(w->r, &n, DNS_A, on_done, w, w->now);
	}
	/* 200 to one server, the others fail at once */
	assert_true(w->open <= RES_SERVER_INFLIGHT);
	pump(w, w->now + 20 * S);
	assert_int_equal(w->done, RES_MAX_JOBS + 100);
	assert_true(w->now - t0 <= 12 * S);
}

static size_t one_link(struct world *w, const struct dns_msg *q, uint8_t *out, bool tcp)
{
	struct hand h = begin(out, q, DNS_AA);
	char t[DNAME_TEXT_MAX], to[64];
	int i = atoi(dname_text(t, &q->qname) + 3);

	snprintf(to, sizeof(to), "c.z%d.com", i + 1);
	if (i < 39)
		put_name(&h, DNS_AN, t, DNS_CNAME, 60, to);
	else
		put_a(&h, DNS_AN, t, 60, 0x01020304);
	return h.n;
}

static void dr_07_rows_of_waiting_questions_are_bounded(void **state)
{
	struct world *w = *state;
	struct strbuf com;
	char t[128], apex[32];

	/* 40 zones, each alias leading into the next one, all asked at once, the last first and the
	 * first first */
	sb_init(&com);
	sb_puts(&com, "$TTL 86400\n" SOA("com.") "@ NS a.gtld.test.\n");
	for (int i = 0; i < 40; i++) {
		sb_printf(&com, "z%d NS ns.z%d\nns.z%d A 10.0.3.3\n", i, i, i);
		snprintf(apex, sizeof(apex), "z%d.com", i);
		snprintf(t, sizeof(t),
			 i < 39 ? "$TTL 300\n" SOA("x.") "@ NS ns\nc CNAME c.z%d.com.\n"
				: "$TTL 300\n" SOA("x.") "@ NS ns\nc A 1.2.3.4\n",
			 i + 1);
		zone(w, NS, apex, t);
	}
	dns_authority_free(&serve(w, COM)->a);
	zone(w, COM, "com", sb_str(&com));
	sb_free(&com);
	serve(w, NS)->fn = one_link; /* only one link of the chain in each answer */
	for (int dir = 0; dir < 2; dir++) {
		w->done = 0;
		for (int i = 0; i < 40; i++) {
			snprintf(t, sizeof(t), "c.z%d.com", dir ? i : 39 - i);
			struct dname n = test_name(t);

			resolver_ask(w->r, &n, DNS_A, on_done, w, w->now);
		}
		pump(w, w->now + 12 * S);
		assert_int_equal(w->done, 40);
		rcache_flush(resolver_cache(w->r));
	}
	ask(w, "c.z0.com", DNS_A);
	assert_int_equal(w->rcode, DNS_SERVFAIL);
	ask(w, "c.z30.com", DNS_A);
	assert_int_equal(w->rcode, DNS_NOERROR);
}

/* Answers made of noise: nothing breaks, every question ends. */
static size_t noise(struct world *w, const struct dns_msg *q, uint8_t *out, bool tcp)
{
	struct dns_from from = { 1, 40000, tcp };
	struct dns_done done;
	size_t len = 0;
	uint8_t *p = dns_authority_reply(&serve(w, COM)->a, q->p, q->len, &from, w->o, &len, &done);

	memcpy(out, p, len);
	free(p);
	for (unsigned i = rng_below(&w->rng, 4); i; i--)
		out[12 + rng_below(&w->rng, (uint32_t)len - 12)] = (uint8_t)rng_u64(&w->rng);
	return len;
}

static void noisy_servers_never_hang_it(void **state)
{
	struct world *w = *state;
	char t[64];

	serve(w, ROOT)->fn = noise;
	serve(w, NS)->fn = noise;
	for (int i = 0; i < 300; i++) {
		snprintf(t, sizeof(t), "n%d.%s", i, i % 3 ? "server.com" : "org");
		ask(w, t, i % 2 ? DNS_A : DNS_MX);
		w->now += 700 * S;
	}
}


int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define U(f) cmocka_unit_test_teardown(f, teardown)
	const struct CMUnitTest tests[] = {
		T(dr_01_seven_attributes),
		T(dr_16_never_asks_for_a_fragment),
		T(dr_05_one_query_per_name_and_tcp_after_ten_forgeries),
		T(dr_02_ids_are_spread),
		T(dr_03_04_only_what_was_asked_is_kept),
		T(dr_03_referrals_lead_down_only),
		T(dr_03_glue_out_of_bailiwick_is_ignored),
		U(dr_06_case_must_come_back),
		T(dr_07_alias_loops_and_long_chains),
		T(dr_07_cname_beside_other_data),
		T(dr_08_nxns_is_bounded),
		T(dr_09_tsuname_circles_end),
		T(dr_10_fan_out_has_one_quota),
		T(dr_15_tc),
		T(dr_17_rcodes),
		U(dr_18_private_addresses_filtered_when_wanted),
		T(dr_20_silent_servers_are_left_alone),
		T(dr_12_bounded_waiting_and_numbers),
		T(dr_07_rows_of_waiting_questions_are_bounded),
		T(noisy_servers_never_hang_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
