/* Routing tables: longest prefix, whatever the order (S3-70), TOS and metric after it, next hops, sharing, rules. */
#include "bed.h"
#include <stdlib.h>
#include "ipv4/fib_trie.h"

static struct bed *b;
static struct wire *w, *w1;

static int setup(void **state)
{
	b = bed_new();
	w = bed_wire(b, "eth0", "10.0.0.1/24");
	w1 = bed_wire(b, "eth1", "10.0.1.1/24");
	return 0;
}

static int teardown(void **state)
{
	bed_free(b);
	return 0;
}

static int lookup(const char *dst, struct fib_result *res)
{
	struct flowi4 fl = { .daddr = bed_addr(dst) };

	return fib_lookup(b->net, &fl, res);
}

static uint32_t gw_of(const char *dst)
{
	struct fib_result r;

	assert_int_equal(lookup(dst, &r), 0);
	return r.fi->nh[r.nh_sel].gw;
}

static void s2_25_s2_26_tables_in_order(void **state)
{
	struct fib_result r;

	bed_trace_clear(b);
	assert_int_equal(lookup("10.0.0.1", &r), 0);
	assert_int_equal(r.table_id, 255);
	assert_int_equal(r.type, RTN_LOCAL);
	assert_int_equal(r.prefixlen, 32);
	assert_int_equal(r.scope, RT_SCOPE_HOST);
	assert_int_equal(bed_entered(b, "fib_table_lookup"), 1);
	bed_trace_clear(b);
	assert_int_equal(lookup("10.0.0.9", &r), 0);
	assert_int_equal(r.table_id, 254);
	assert_int_equal(r.scope, RT_SCOPE_LINK);
	assert_int_equal(r.prefix, IP(10, 0, 0, 0));
	assert_int_equal(bed_entered(b, "fib_table_lookup"), 2);
	assert_true(bed_said(b, TR_ROUTE, "table=255 dst=10.0.0.9 result=miss"));
	assert_true(bed_said(b, TR_ROUTE, "table=254 dst=10.0.0.9 result=hit"));
	bed_trace_clear(b);
	assert_int_equal(lookup("9.9.9.9", &r), -ENETUNREACH);
	assert_true(bed_said(b, TR_ROUTE, "table=254 dst=9.9.9.9 result=miss"));
	assert_int_equal(lookup("127.9.9.9", &r), 0); /* S2-30: by the /8 */
	assert_int_equal(r.prefixlen, 8);
}

static void s3_69_mask_and_is_traced(void **state)
{
	struct fib_result r;

	bed_trace_clear(b);
	assert_int_equal(lookup("10.0.1.77", &r), 0);
	assert_true(bed_said(b, TR_ROUTE, "dst=10.0.1.77 result=hit prefix=10.0.1.0/24 mask=255.255.255.0 and=10.0.1.0"));
}

static void s3_70_s3_110_longest_prefix_in_any_order(void **state)
{
	static const struct { const char *p, *gw; } r[] = {
		{ "0.0.0.0/0", "10.0.0.2" }, { "10.0.0.0/8", "10.0.0.3" }, { "10.1.0.0/16", "10.0.0.4" },
		{ "10.1.2.0/24", "10.0.0.5" }, { "10.1.2.3/32", "10.0.0.6" }, { "10.1.2.128/25", "10.0.0.7" },
	};
	unsigned perm[6] = { 0, 1, 2, 3, 4, 5 };

	for (unsigned round = 0; round < 24; round++) {
		struct fib_config c;

		for (unsigned i = 5; i > 0; i--) { /* a shuffle that repeats exactly */
			unsigned j = (round * 7 + i * 3) % (i + 1), x = perm[i];

			perm[i] = perm[j];
			perm[j] = x;
		}
		for (unsigned i = 0; i < 6; i++)
			assert_int_equal(bed_route(b, r[perm[i]].p, r[perm[i]].gw, NULL, 0), 0);
		assert_int_equal(gw_of("10.1.2.3"), IP(10, 0, 0, 6));
		assert_int_equal(gw_of("10.1.2.4"), IP(10, 0, 0, 5));
		assert_int_equal(gw_of("10.1.2.200"), IP(10, 0, 0, 7));
		assert_int_equal(gw_of("10.1.3.1"), IP(10, 0, 0, 4));
		assert_int_equal(gw_of("10.2.0.1"), IP(10, 0, 0, 3));
		assert_int_equal(gw_of("8.8.8.8"), IP(10, 0, 0, 2)); /* S3-71 */
		for (unsigned i = 0; i < 6; i++) {
			c = (struct fib_config){ .scope = RT_SCOPE_NOWHERE };
			assert_int_equal(ip4_parse_prefix(r[i].p, &c.dst, &c.dst_len), 0);
			assert_int_equal(fib_table_delete(b->net, fib_get_table(b->net, 254), &c), 0);
		}
		assert_int_equal(fib_get_table(b->net, 254)->nr_prefixes, 2); /* the connected nets */
	}
}

/* Against a list searched from end to end. */
static void random_table_agrees_with_a_list(void **state)
{
	enum { N = 3000 };
	static struct { uint32_t dst; uint8_t plen; uint32_t gw; } l[N];
	struct fib_table *tb = fib_new_table(b->net, 100);
	struct rng rng;
	unsigned n = 0;

	rng_derive(&rng, 7, "x", "fib");
	for (unsigned i = 0; i < N; i++) {
		struct fib_config c = { .type = RTN_UNICAST, .table = 100, .nlflags = NLM_F_CREATE | NLM_F_EXCL };

		c.dst_len = (uint8_t)rng_below(&rng, 33);
		c.dst = ((uint32_t)rng_u64(&rng) & 0x0f0f0fffu) & ip4_mask(c.dst_len);
		c.gw = IP(10, 0, 0, 2) + rng_below(&rng, 200);
		if (fib_table_insert(b->net, tb, &c) == 0) {
			l[n].dst = c.dst;
			l[n].plen = c.dst_len;
			l[n++].gw = c.gw;
		}
	}
	for (unsigned step = 0; step < 2; step++) {
		for (unsigned i = 0; i < 4000; i++) {
			struct flowi4 fl = { .daddr = (uint32_t)rng_u64(&rng) & 0x0f0f0fffu };
			struct fib_result r;
			int best = -1, err = fib_table_lookup(tb, &fl, &r, 0);

			for (unsigned k = 0; k < n; k++)
				if ((fl.daddr & ip4_mask(l[k].plen)) == l[k].dst && (best < 0 || l[k].plen > l[best].plen))
					best = (int)k;
			if (best < 0) {
				assert_int_equal(err, -EAGAIN);
				continue;
			}
			assert_int_equal(err, 0);
			assert_int_equal(r.prefixlen, l[best].plen);
			assert_int_equal(r.fi->nh[0].gw, l[best].gw);
		}
		for (unsigned k = 0; k < n / 2; k++) { /* half of them go, in an order of their own */
			unsigned at = rng_below(&rng, n);
			struct fib_config c = { .dst = l[at].dst, .dst_len = l[at].plen, .scope = RT_SCOPE_NOWHERE };

			assert_int_equal(fib_table_delete(b->net, tb, &c), 0);
			l[at] = l[--n];
		}
	}
	assert_int_equal(tb->nr_routes, n);
}

static void order_of_the_dump(void **state)
{
	static const char *const in[] = { "10.64.0.0/10", "10.0.0.0/8", "10.0.0.0/16", "0.0.0.0/0", "192.168.0.0/16" };
	static const struct { uint32_t k; uint8_t p; } want[] = {
		{ 0, 0 }, { IP(10, 0, 0, 0), 24 }, { IP(10, 0, 0, 0), 16 }, { IP(10, 0, 0, 0), 8 }, { IP(10, 0, 1, 0), 24 },
		{ IP(10, 64, 0, 0), 10 }, { IP(192, 168, 0, 0), 16 },
	};
	struct fib_dump_item *v;
	size_t n;

	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(bed_route(b, in[i], "10.0.0.9", NULL, 0), 0);
	v = fib_table_collect(fib_get_table(b->net, 254), &n);
	assert_int_equal(n, ARRAY_SIZE(want));
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(v[i].key, want[i].k);
		assert_int_equal(v[i].plen, want[i].p);
	}
	free(v);
}

static void metric_then_tos(void **state)
{
	struct fib_config c = { .dst = IP(10, 5, 0, 0), .dst_len = 16, .type = RTN_UNICAST, .gw = IP(10, 0, 0, 7), .tos = 0x10,
				.priority = 50, .nlflags = NLM_F_CREATE | NLM_F_EXCL };
	struct flowi4 fl = { .daddr = IP(10, 5, 1, 1), .tos = 0x10 };
	struct fib_result r;

	assert_int_equal(bed_route(b, "10.5.0.0/16", "10.0.0.4", NULL, 20), 0);
	assert_int_equal(bed_route(b, "10.5.0.0/16", "10.0.0.3", NULL, 10), 0);
	assert_int_equal(bed_route(b, "10.5.0.0/16", "10.0.0.3", NULL, 10), -EEXIST);
	assert_int_equal(gw_of("10.5.1.1"), IP(10, 0, 0, 3));
	assert_int_equal(fib_table_insert(b->net, fib_get_table(b->net, 254), &c), 0);
	assert_int_equal(fib_lookup(b->net, &fl, &r), 0);
	assert_int_equal(r.fi->nh[0].gw, IP(10, 0, 0, 7)); /* its TOS beats a better metric */
	assert_int_equal(gw_of("10.5.1.1"), IP(10, 0, 0, 3));
}

static void next_hops_are_checked(void **state)
{
	struct fib_config c = { .dst = IP(10, 9, 0, 0), .dst_len = 16, .type = RTN_UNICAST, .nlflags = NLM_F_CREATE };
	struct fib_table *tb = fib_get_table(b->net, 254);

	c.gw = IP(172, 16, 0, 1); /* no way to it */
	assert_int_equal(fib_table_insert(b->net, tb, &c), -ENETUNREACH);
	c.gw = IP(10, 0, 0, 1); /* ourselves: on the link, as old programs mean it */
	assert_int_equal(fib_table_insert(b->net, tb, &c), 0);
	{
		struct flowi4 fl = { .daddr = IP(10, 9, 0, 5) };
		int err;
		struct rtable *rt = __ip_route_output_key(b->net, &fl, &err);

		assert_non_null(rt);
		assert_false(rt->uses_gateway);
		dst_release(&rt->dst);
		c.scope = RT_SCOPE_NOWHERE;
		assert_int_equal(fib_table_delete(b->net, tb, &c), 0);
		c.scope = 0;
	}
	c.gw = IP(10, 0, 0, 255); /* a broadcast address */
	assert_true(fib_table_insert(b->net, tb, &c) < 0);
	c.gw = 0;
	c.oif = 77;
	c.scope = RT_SCOPE_LINK;
	assert_int_equal(fib_table_insert(b->net, tb, &c), -ENODEV);
	c.oif = w->dev->ifindex;
	c.dst |= 1; /* host bits in the prefix */
	assert_int_equal(fib_table_insert(b->net, tb, &c), -EINVAL);
	c.dst &= ~1u;
	c.prefsrc = IP(1, 2, 3, 4); /* not ours */
	assert_int_equal(fib_table_insert(b->net, tb, &c), -EINVAL);
	c.prefsrc = 0;
	assert_int_equal(dev_close(w->dev), 0);
	assert_int_equal(fib_table_insert(b->net, tb, &c), -ENETDOWN);
}

static void infos_are_shared_and_freed(void **state)
{
	uint32_t n = b->net->ipv4->nr_fib_infos;
	struct fib_result r1, r2;

	assert_int_equal(bed_route(b, "20.0.0.0/8", "10.0.0.9", NULL, 0), 0);
	assert_int_equal(bed_route(b, "21.0.0.0/8", "10.0.0.9", NULL, 0), 0);
	assert_int_equal(b->net->ipv4->nr_fib_infos, n + 1);
	assert_int_equal(lookup("20.1.1.1", &r1), 0);
	assert_int_equal(lookup("21.1.1.1", &r2), 0);
	assert_ptr_equal(r1.fi, r2.fi);
	assert_int_equal(dev_close(w->dev), 0);
	assert_int_equal(lookup("20.1.1.1", &r1), -ENETUNREACH);
	assert_true(b->net->ipv4->nr_fib_infos < n);
}

static void unreachable_prohibit_blackhole_throw(void **state)
{
	int fd = bed_udp(b, NULL, 0);

	assert_int_equal(bed_route(b, "0.0.0.0/0", "10.0.0.9", NULL, 0), 0);
	assert_int_equal(bed_route_type(b, "30.1.0.0/16", RTN_UNREACHABLE, 254), 0);
	assert_int_equal(bed_route_type(b, "30.2.0.0/16", RTN_PROHIBIT, 254), 0);
	assert_int_equal(bed_route_type(b, "30.3.0.0/16", RTN_BLACKHOLE, 254), 0);
	assert_int_equal(bed_route_type(b, "30.4.0.0/16", RTN_THROW, 254), 0);
	assert_int_equal(bed_send(b, fd, "30.1.0.1", 9, "x", 1), -EHOSTUNREACH);
	assert_int_equal(bed_send(b, fd, "30.2.0.1", 9, "x", 1), -EACCES);
	assert_int_equal(bed_send(b, fd, "30.3.0.1", 9, "x", 1), -EINVAL);
	assert_int_equal(bed_send(b, fd, "30.4.0.1", 9, "x", 1), -ENETUNREACH);
	assert_int_equal(bed_send(b, fd, "31.0.0.1", 9, "x", 1), 1);
}

static void multipath_by_hash_and_weight(void **state)
{
	struct fib_config c = { .dst = 0, .dst_len = 0, .type = RTN_UNICAST, .nlflags = NLM_F_CREATE, .n_nh = 2 };
	unsigned n[2] = { 0, 0 };

	c.nh[0] = (struct fib_nh){ .gw = IP(10, 0, 0, 9), .weight = 1 };
	c.nh[1] = (struct fib_nh){ .gw = IP(10, 0, 1, 9), .weight = 3 };
	assert_int_equal(fib_table_insert(b->net, fib_get_table(b->net, 254), &c), 0);
	for (unsigned i = 0; i < 4000; i++) {
		struct flowi4 fl = { .daddr = IP(50, 0, 0, 0) + i }, fl2 = fl;
		int err;
		struct rtable *rt = __ip_route_output_key(b->net, &fl, &err), *again = __ip_route_output_key(b->net, &fl2, &err);

		assert_non_null(rt);
		assert_ptr_equal(rt, again); /* a flow keeps its way */
		n[rt->dst.dev == w1->dev]++;
		dst_release(&rt->dst);
		dst_release(&again->dst);
	}
	assert_in_range(n[1], 2800, 3200);
	assert_int_equal(dev_close(w1->dev), 0);
	for (unsigned i = 0; i < 100; i++) {
		struct flowi4 fl = { .daddr = IP(50, 0, 0, 0) + i };
		int err;
		struct rtable *rt = __ip_route_output_key(b->net, &fl, &err);

		assert_non_null(rt);
		assert_ptr_equal(rt->dst.dev, w->dev);
		dst_release(&rt->dst);
	}
}

/* RFC 1122 3.3.1.5: a gateway that does not answer ARP is left for another default route. */
static void r1122_i68_dead_gateway(void **state)
{
	struct fib_config c = { .type = RTN_UNICAST, .gw = IP(10, 0, 1, 9), .nlflags = NLM_F_CREATE | NLM_F_APPEND };
	int fd = bed_udp(b, NULL, 0);

	assert_int_equal(bed_route(b, "0.0.0.0/0", "10.0.0.9", NULL, 0), 0);
	assert_int_equal(fib_table_insert(b->net, fib_get_table(b->net, 254), &c), 0);
	w->arp = false;
	wire_clear(w);
	assert_int_equal(bed_send(b, fd, "60.0.0.1", 9, "x", 1), 1);
	assert_int_equal(wire_count(w, ETH_P_ARP), 1);
	bed_sleep(b, 5 * NSEC_PER_SEC);
	wire_clear(w1);
	assert_int_equal(bed_send(b, fd, "60.0.0.1", 9, "x", 1), 1);
	assert_int_equal(wire_count(w1, ETH_P_IP), 1);
}

static void s3_68_source_follows_the_route(void **state)
{
	int fd = bed_udp(b, NULL, 0);

	bed_send(b, fd, "10.0.0.9", 9, "x", 1);
	bed_send(b, fd, "10.0.1.9", 9, "x", 1);
	assert_int_equal(ip4_saddr(wire_ip(w, 0)), IP(10, 0, 0, 1));
	assert_int_equal(ip4_saddr(wire_ip(w1, 0)), IP(10, 0, 1, 1));
}

static void s2_32_no_route_but_a_device(void **state)
{
	int fd = bed_udp(b, NULL, 0);

	assert_int_equal(bed_send(b, fd, "77.7.7.7", 9, "x", 1), -ENETUNREACH);
	assert_int_equal(sys_setsockopt(b->t, fd, SOL_SOCKET, SO_BINDTODEVICE, "eth1", 5), 0);
	assert_int_equal(bed_send(b, fd, "77.7.7.7", 9, "x", 1), 1); /* assumed on the link */
	assert_int_equal(ip4_daddr(wire_ip(w1, 0)), IP(77, 7, 7, 7));
	assert_int_equal(ip4_saddr(wire_ip(w1, 0)), IP(10, 0, 1, 1));
	assert_int_equal(get_be32(wire_nth(w1, ETH_P_ARP, 0)->b + 38), IP(77, 7, 7, 7));
}

static void rules(void **state)
{
	struct fib_result r;
	struct flowi4 fl = { .daddr = IP(80, 0, 0, 1), .mark = 7 };
	struct {
		struct nlmsghdr h;
		uint8_t body[256];
	} q = { .h = { .nlmsg_type = 32 /* RTM_NEWRULE */, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL } };
	uint32_t v[3] = { 200, 7, 100 };
	struct nl_reply rep = { 0 };

	/* from all fwmark 7 lookup 200, priority 100 */
	q.body[0] = AF_INET;
	q.body[7] = 1; /* FR_ACT_TO_TBL */
	for (int i = 0; i < 3; i++) {
		static const uint16_t type[3] = { 15 /* FRA_TABLE */, 10 /* FRA_FWMARK */, 6 /* FRA_PRIORITY */ };
		struct nlattr a = { 8, type[i] };

		memcpy(q.body + 12 + 8 * i, &a, 4);
		memcpy(q.body + 16 + 8 * i, &v[i], 4);
	}
	q.h.nlmsg_len = sizeof(q.h) + 12 + 24;
	assert_int_equal(bed_route(b, "0.0.0.0/0", "10.0.0.9", NULL, 0), 0);
	{
		struct fib_config c = { .type = RTN_UNICAST, .gw = IP(10, 0, 1, 9), .nlflags = NLM_F_CREATE };

		assert_int_equal(fib_table_insert(b->net, fib_new_table(b->net, 200), &c), 0);
	}
	sb_init(&rep.buf);
	rtnl_receive(b->net, NETLINK_ROUTE, &q, q.h.nlmsg_len, &rep);
	sb_free(&rep.buf);
	assert_int_equal(fib_lookup(b->net, &fl, &r), 0);
	assert_int_equal(r.table_id, 200);
	fl.mark = 0;
	assert_int_equal(fib_lookup(b->net, &fl, &r), 0);
	assert_int_equal(r.table_id, 254);
	fl.daddr = IP(10, 0, 0, 1);
	assert_int_equal(fib_lookup(b->net, &fl, &r), 0);
	assert_int_equal(r.table_id, 255);
}

/* The price of a lookup does not depend on how many routes there are: at most six nodes to any address. */
static void many_routes(void **state)
{
	struct fib_table *tb = fib_new_table(b->net, 101);
	struct fib_config c = { .type = RTN_UNICAST, .dst_len = 24, .gw = IP(10, 0, 0, 9), .nlflags = NLM_F_CREATE };
	struct fib_result r;

	for (uint32_t i = 0; i < 50000; i++) {
		struct flowi4 fl;

		c.dst = (i * 2654435761u) & 0xffffff00u;
		(void)fib_table_insert(b->net, tb, &c);
		fl = (struct flowi4){ .daddr = c.dst + 5 };
		assert_int_equal(fib_table_lookup(tb, &fl, &r, 0), 0);
		assert_int_equal(r.prefix, c.dst);
	}
	assert_true(tb->nr_routes > 49000);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest t[] = {
		T(s2_25_s2_26_tables_in_order), T(s3_69_mask_and_is_traced), T(s3_70_s3_110_longest_prefix_in_any_order),
		T(random_table_agrees_with_a_list), T(order_of_the_dump), T(metric_then_tos), T(next_hops_are_checked),
		T(infos_are_shared_and_freed), T(unreachable_prohibit_blackhole_throw), T(multipath_by_hash_and_weight),
		T(r1122_i68_dead_gateway), T(s3_68_source_follows_the_route), T(s2_32_no_route_but_a_device), T(rules), T(many_routes),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
