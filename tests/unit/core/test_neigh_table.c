/* The neighbour table: creation through the constructor, the hidden entry, collection under floods, devices that
 * go, the iterator, the knobs, and RTM_*NEIGH (S1-26 to S1-38, ARP-07, ARP-08). */
#include <errno.h>
#include "neigh_fixture.h"

#define SEC NSEC_PER_SEC
#define GW IP(10, 0, 0, 1)

static unsigned walked;

static void walk_one(struct neighbour *n, void *arg)
{
	walked++;
}

static unsigned walk(struct nfx *x)
{
	walked = 0;
	neigh_walk(&x->tbl, walk_one, NULL);
	return walked;
}

static void s1_34_constructor_runs_before_the_entry_can_be_found(void **state)
{
	struct nfx *x = nfx_new();
	struct neighbour *n, *again;
	const char *const names[] = { "__neigh_create", "arp_constructor", NULL };

	fx_trace(x->f);
	n = __neigh_create(&x->tbl, GW, x->d->dev, true);
	rec_assert_order(&x->f->rec, names);
	assert_int_equal(n->refcnt, 2);
	again = __neigh_create(&x->tbl, GW, x->d->dev, false);
	assert_ptr_equal(n, again);
	assert_int_equal(n->refcnt, 2);
	neigh_release(n);
	/* S1-27: a hit takes no reference */
	assert_ptr_equal(neigh_lookup_noref(&x->tbl, GW, x->d->dev), n);
	assert_int_equal(n->refcnt, 1);
	/* a constructor that refuses leaves nothing */
	assert_null(__neigh_create(&x->tbl, 0xdeadbeef, x->d->dev, false));
	assert_int_equal(x->tbl.entries, 1);
	nfx_end(x);
}

static void s1_28_s1_32_noarp_device_gets_an_entry_without_arp(void **state)
{
	struct nfx *x = nfx_new();
	struct neighbour *n;

	dev_set_flags(x->d->dev, DEVF_NOARP, 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(nfx_send(x, GW), 0);
	n = nfx_get(x, GW);
	assert_int_equal(n->nud_state, NUD_NOARP);
	assert_memory_equal(n->ha, x->d->dev->dev_addr, 6);
	assert_int_equal(x->asked, 0);
	assert_int_equal(x->tbl.stats.allocs, 1);
	net_run(x->f->net);
	assert_int_equal(x->d->sent.qlen, 5);
	/* arp on again: the entry goes, the next packet asks */
	dev_set_flags(x->d->dev, 0, DEVF_NOARP);
	assert_int_equal(nfx_state(x, GW), 0xff);
	nfx_send(x, GW);
	assert_int_equal(x->asked, 1);
	nfx_end(x);
}

static unsigned seq_count(struct nfx *x, uint32_t flags)
{
	struct neigh_seq_state st = { 0 };
	unsigned n = 0;

	for (struct neighbour *e = neigh_seq_start(&st, &x->tbl, flags, 0); e; e = neigh_seq_next(&st))
		n++;
	return n;
}

static void s1_35_s1_36_filter_hides_noarp_in_the_same_instant(void **state)
{
	const char *const chain[] = { "neigh_seq_start", "neigh_get_idx_any", "neigh_get_idx", "neigh_get_first",
				      "neigh_seq_next", "neigh_get_next", NULL };
	struct nfx *x = nfx_new();
	struct neigh_seq_state st = { 0 };

	nfx_send(x, IP(224, 0, 0, 1));
	nfx_send(x, GW);
	nfx_send(x, IP(239, 1, 2, 3));
	nfx_send(x, IP(10, 0, 0, 9));
	nfx_run(x, 5 * SEC);
	assert_int_equal(nfx_state(x, GW), NUD_FAILED); /* S1-37: failed ones are shown */
	fx_trace(x->f);
	assert_int_equal(seq_count(x, NEIGH_SEQ_SKIP_NOARP), 2);
	rec_assert_order(&x->f->rec, chain);
	assert_int_equal(seq_count(x, 0), 4);
	assert_int_equal(walk(x), 4);
	/* in order of creation, and from the middle */
	assert_int_equal(neigh_seq_start(&st, &x->tbl, NEIGH_SEQ_SKIP_NOARP, 0)->primary_key, GW);
	assert_int_equal(neigh_seq_start(&st, &x->tbl, NEIGH_SEQ_SKIP_NOARP, 1)->primary_key, IP(10, 0, 0, 9));
	assert_null(neigh_seq_start(&st, &x->tbl, NEIGH_SEQ_SKIP_NOARP, 2));
	assert_null(neigh_seq_next(&st));
	nfx_end(x);
}

static void hash_grows_and_finds(void **state)
{
	struct nfx *x = nfx_new();

	for (uint32_t i = 0; i < 500; i++)
		nfx_get(x, IP(10, 2, 0, 0) + i);
	assert_int_equal(x->tbl.hash_shift, 9);
	for (uint32_t i = 0; i < 500; i++)
		assert_non_null(neigh_lookup_noref(&x->tbl, IP(10, 2, 0, 0) + i, x->d->dev));
	assert_null(neigh_lookup_noref(&x->tbl, IP(10, 3, 0, 0), x->d->dev));
	assert_null(neigh_lookup_noref(&x->tbl, IP(10, 2, 0, 0), tdev_new(x->f->net, "eth1")->dev));
	nfx_end(x);
}

/* A stranger asks for us: an entry that is only heard of. */
static void stranger(struct nfx *x, uint32_t key)
{
	uint8_t mac[6] = { 2, 9, 0, 0, 0, 0 };
	struct neighbour *n = nfx_get(x, key);

	put_be32(mac + 2, key);
	if (n)
		neigh_update(n, mac, NUD_STALE, NEIGH_UPDATE_F_OVERRIDE);
}

static void arp_08_a_million_strangers_do_not_evict_the_gateway(void **state)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 1, 1 };
	struct nfx *x = nfx_new();
	struct neighbour *perm = nfx_get(x, IP(10, 0, 0, 5));

	neigh_update(perm, mac, NUD_PERMANENT, NEIGH_UPDATE_F_ADMIN | NEIGH_UPDATE_F_OVERRIDE);
	nfx_send(x, GW);
	nfx_reply(x, GW, 1);
	nfx_run(x, 100 * SEC); /* idle since: STALE */
	assert_int_equal(nfx_state(x, GW), NUD_STALE);
	for (uint32_t i = 0; i < 1000000; i++) {
		stranger(x, IP(10, 128, 0, 0) + i);
		if (!(i & 1023))
			nfx_run(x, 10 * NSEC_PER_MSEC);
		assert_true(x->tbl.entries <= 1024);
	}
	assert_int_equal(nfx_state(x, GW), NUD_STALE);
	assert_int_equal(nfx_state(x, IP(10, 0, 0, 5)), NUD_PERMANENT);
	assert_true(x->tbl.stats.forced_gc_runs < 20000); /* each makes room for many */
	assert_int_equal(x->asked, 1);
	nfx_end(x);
}

static void arp_07_table_full_of_unresolved_refuses_new_ones(void **state)
{
	struct nfx *x = nfx_new();
	uint32_t refused = 0;

	nfx_send(x, GW);
	nfx_reply(x, GW, 1);
	for (uint32_t i = 0; i < 5000; i++) {
		struct neighbour *n = nfx_get(x, IP(10, 64, 0, 0) + i);

		if (n)
			neigh_output(n, nfx_packet(x, 40));
		else
			refused++;
	}
	assert_int_equal(x->tbl.entries, 1024);
	assert_int_equal(refused, 5000 - 1023);
	assert_int_equal(x->tbl.stats.table_fulls, refused);
	assert_int_equal(nfx_state(x, GW), NUD_REACHABLE);
	assert_true(x->asked <= 1024);
	/* three seconds later they failed, and there is room again */
	nfx_run(x, 4 * SEC);
	assert_non_null(nfx_get(x, IP(10, 200, 0, 1)));
	nfx_end(x);
}

static void held_and_used_entries_are_spared(void **state)
{
	struct nfx *x = nfx_new();
	struct neighbour *held = __neigh_create(&x->tbl, IP(10, 9, 9, 9), x->d->dev, true);
	static const uint8_t mac[6] = { 2, 0, 0, 0, 1, 1 };

	neigh_update(held, mac, NUD_STALE, 0);
	for (uint32_t i = 0; i < 4000; i++)
		stranger(x, IP(10, 128, 0, 0) + i);
	assert_false(held->dead);
	assert_int_equal(nfx_state(x, IP(10, 9, 9, 9)), NUD_STALE);
	neigh_release(held);
	nfx_end(x);
}

static void small_tables_keep_everything_large_ones_forget_the_unused(void **state)
{
	struct nfx *x = nfx_new();

	for (uint32_t i = 0; i < 100; i++)
		stranger(x, IP(10, 128, 0, 0) + i);
	nfx_run(x, 3600 * SEC);
	assert_int_equal(x->tbl.entries, 100);
	assert_int_equal(net_next_deadline(x->f->net), TIME_NEVER);
	for (uint32_t i = 100; i < 200; i++)
		stranger(x, IP(10, 128, 0, 0) + i);
	nfx_run(x, 50 * SEC);
	assert_true(x->tbl.entries >= 100 && x->tbl.entries < 200); /* the old hundred is gone */
	nfx_run(x, 60 * SEC);
	assert_true(x->tbl.entries < 128);
	nfx_run(x, 60 * SEC);
	assert_int_equal(net_next_deadline(x->f->net), TIME_NEVER);
	nfx_end(x);
}

static void devices_take_their_entries_along(void **state)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 1, 1 };
	struct nfx *x = nfx_new();
	struct tdev *other = tdev_new(x->f->net, "eth1");

	dev_open(other->dev);
	__neigh_create(&x->tbl, GW, other->dev, false);
	nfx_send(x, GW);
	neigh_update(nfx_get(x, IP(10, 0, 0, 8)), mac, NUD_PERMANENT, NEIGH_UPDATE_F_ADMIN);
	netif_carrier_off(x->d->dev); /* unplugged: what was learned is worth nothing */
	assert_int_equal(x->tbl.entries, 2);
	assert_int_equal(nfx_state(x, IP(10, 0, 0, 8)), NUD_PERMANENT);
	netif_carrier_on(x->d->dev);
	nfx_send(x, GW);
	assert_int_equal(x->tbl.entries, 3);
	assert_int_equal(dev_set_mac_address(x->d->dev, mac), 0); /* cached headers name the old address */
	assert_int_equal(x->tbl.entries, 1);
	unregister_netdev(other->dev);
	assert_int_equal(x->tbl.entries, 0);
	assert_int_equal(x->tbl.queued_bytes, 0);
	nfx_end(x);
}

static void knobs_have_linuxs_units(void **state)
{
	static const char *const defaults[][2] = {
		{ "base_reachable_time", "30" }, { "base_reachable_time_ms", "30000" }, { "retrans_time", "100" },
		{ "retrans_time_ms", "1000" },	 { "delay_first_probe_time", "5" },	{ "gc_stale_time", "60" },
		{ "locktime", "100" },		 { "ucast_solicit", "3" },		{ "mcast_solicit", "3" },
		{ "app_solicit", "0" },		 { "unres_qlen_bytes", "212992" },	{ "gc_thresh1", "128" },
		{ "gc_thresh2", "512" },	 { "gc_thresh3", "1024" },
	};
	struct nfx *x = nfx_new();
	struct strbuf sb;
	char name[96];

	sb_init(&sb);
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
		snprintf(name, sizeof(name), "net.ipv4.neigh.default.%s", defaults[i][0]);
		assert_int_equal(sysctl_get(x->f->net, name, &sb), 0);
		assert_text(&sb, defaults[i][1]);
		assert_int_equal(sysctl_set(x->f->net, name, "x"), -EINVAL);
		assert_int_equal(sysctl_set(x->f->net, name, "-1"), -EINVAL);
	}
	assert_int_equal(sysctl_set(x->f->net, "net.ipv4.neigh.default.retrans_time_ms", "200"), 0);
	assert_int_equal(x->tbl.parms.retrans_time_ns, 200 * NSEC_PER_MSEC);
	assert_int_equal(sysctl_set(x->f->net, "net.ipv4.neigh.default.mcast_solicit", "1"), 0);
	nfx_send(x, GW);
	nfx_run(x, 250 * NSEC_PER_MSEC);
	assert_int_equal(nfx_state(x, GW), NUD_FAILED);
	assert_int_equal(proc_read(x->f->net, "net/stat/arp_cache", &sb), 0);
	assert_non_null(strstr(sb_str(&sb), "\n00000001 00000001 "));
	sb_free(&sb);
	nfx_end(x);
}

/* ---- RTM_*NEIGH ---- */

static int neigh_request(struct nfx *x, uint16_t type, uint16_t flags, uint32_t key, const uint8_t *mac, uint16_t st,
			 struct strbuf *out)
{
	struct ndmsg ndm = { .ndm_family = AF_INET, .ndm_ifindex = x->d->dev->ifindex, .ndm_state = st };
	struct nl_reply m = { .seq = 1 }, r = { 0 };
	const struct nlmsghdr *h;
	int err = 0;

	sb_init(&m.buf);
	sb_init(&r.buf);
	nl_begin(&m, type, (uint16_t)(flags | NLM_F_REQUEST | NLM_F_ACK), &ndm, sizeof(ndm));
	nl_attr_ip4(&m, NDA_DST, key);
	if (mac)
		nl_attr(&m, NDA_LLADDR, mac, 6);
	nl_end(&m);
	rtnl_receive(x->f->net, NETLINK_ROUTE, m.buf.buf, m.buf.len, &r);
	h = (const void *)r.buf.buf;
	if (h->nlmsg_type == NLMSG_ERROR)
		err = ((const struct nlmsgerr *)(const void *)(h + 1))->error;
	if (out)
		sb_add(out, r.buf.buf, r.buf.len);
	sb_free(&m.buf);
	sb_free(&r.buf);
	return err;
}

static void s1_28_dump_has_noarp_entries(void **state)
{
	struct nfx *x = nfx_new();
	const struct nlattr *tb[NDA_MAX + 1];
	const struct nlmsghdr *h;
	const struct ndmsg *ndm;
	struct strbuf out;

	sb_init(&out);
	nfx_send(x, IP(224, 0, 0, 1));
	nfx_send(x, GW);
	neigh_request(x, RTM_GETNEIGH, NLM_F_DUMP, 0, NULL, 0, &out);
	h = (const void *)out.buf;
	ndm = (const void *)(h + 1);
	assert_int_equal(h->nlmsg_type, RTM_NEWNEIGH);
	assert_int_equal(ndm->ndm_state, NUD_NOARP);
	assert_int_equal(ndm->ndm_type, RTN_MULTICAST);
	assert_int_equal(nl_parse(h, sizeof(*ndm), tb, NDA_MAX), 0);
	assert_int_equal(nla_get_ip4(tb[NDA_DST]), IP(224, 0, 0, 1));
	assert_memory_equal(nla_data(tb[NDA_LLADDR]), "\x01\x00\x5e\x00\x00\x01", 6);
	h = (const void *)(out.buf + NLMSG_ALIGN((size_t)h->nlmsg_len));
	ndm = (const void *)(h + 1);
	assert_int_equal(ndm->ndm_state, NUD_INCOMPLETE);
	assert_int_equal(nl_parse(h, sizeof(*ndm), tb, NDA_MAX), 0);
	assert_null(tb[NDA_LLADDR]); /* not known yet */
	sb_free(&out);
	nfx_end(x);
}

static void neigh_messages_add_change_and_delete(void **state)
{
	static const uint8_t m1[6] = { 2, 0, 0, 0, 3, 1 }, m2[6] = { 2, 0, 0, 0, 3, 2 };
	struct nfx *x = nfx_new();
	struct neighbour *n;

	assert_int_equal(neigh_request(x, RTM_NEWNEIGH, 0, GW, m1, NUD_PERMANENT, NULL), -ENOENT);
	assert_int_equal(neigh_request(x, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_EXCL, GW, m1, NUD_PERMANENT, NULL), 0);
	n = nfx_get(x, GW);
	assert_int_equal(n->nud_state, NUD_PERMANENT);
	assert_memory_equal(n->ha, m1, 6);
	assert_int_equal(neigh_request(x, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_EXCL, GW, m2, NUD_PERMANENT, NULL), -EEXIST);
	assert_int_equal(neigh_request(x, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, GW, m2, NUD_STALE, NULL), 0);
	assert_memory_equal(n->ha, m2, 6);
	assert_int_equal(n->nud_state, NUD_STALE);
	assert_int_equal(neigh_request(x, RTM_NEWNEIGH, NLM_F_REPLACE, GW, m2, NUD_STALE | NUD_REACHABLE, NULL), -EINVAL);
	assert_int_equal(neigh_request(x, RTM_NEWNEIGH, NLM_F_REPLACE, GW, m2, 0x100, NULL), -EINVAL);
	assert_int_equal(neigh_request(x, RTM_GETNEIGH, 0, GW, NULL, 0, NULL), 0);
	assert_int_equal(neigh_request(x, RTM_GETNEIGH, 0, GW + 1, NULL, 0, NULL), -ENOENT);
	assert_int_equal(neigh_request(x, RTM_DELNEIGH, 0, GW, NULL, 0, NULL), 0);
	assert_int_equal(neigh_request(x, RTM_DELNEIGH, 0, GW, NULL, 0, NULL), -ENOENT);
	assert_int_equal(neigh_request(x, RTM_NEWNEIGH, NLM_F_CREATE, GW, NULL, NUD_REACHABLE, NULL), -EINVAL);
	assert_int_equal(x->tbl.entries, 0); /* half an entry is none */
	nfx_end(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s1_34_constructor_runs_before_the_entry_can_be_found),
		cmocka_unit_test(s1_28_s1_32_noarp_device_gets_an_entry_without_arp),
		cmocka_unit_test(s1_35_s1_36_filter_hides_noarp_in_the_same_instant),
		cmocka_unit_test(hash_grows_and_finds),
		cmocka_unit_test(arp_08_a_million_strangers_do_not_evict_the_gateway),
		cmocka_unit_test(arp_07_table_full_of_unresolved_refuses_new_ones),
		cmocka_unit_test(held_and_used_entries_are_spared),
		cmocka_unit_test(small_tables_keep_everything_large_ones_forget_the_unused),
		cmocka_unit_test(devices_take_their_entries_along),
		cmocka_unit_test(knobs_have_linuxs_units),
		cmocka_unit_test(s1_28_dump_has_noarp_entries),
		cmocka_unit_test(neigh_messages_add_change_and_delete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
