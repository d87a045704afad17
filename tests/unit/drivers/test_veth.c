/* veth.c, extdev.c: pairs in memory, and devices whose far end is a function. */
#include <errno.h>
#include "../core/core_fixture.h"
#include "drivers/drivers.h"
#include "sched/sched.h"

static const uint8_t mac_a[6] = { 2, 0, 0, 0, 0, 10 }, mac_b[6] = { 2, 0, 0, 0, 0, 11 };

struct pair {
	struct fx *f;
	struct net_device *a, *b;
	struct keeper ip; /* at b */
};

static void pair_open(struct pair *p)
{
	p->f = fx_new();
	p->f->net2 = fx_net(p->f, "b", 2, 1, (struct cpu_model){ 0, 0 }, NULL, 0);
	assert_int_equal(veth_create(p->f->net, "eth0", mac_a, p->f->net2, "eth0", mac_b), 0);
	p->a = dev_get_by_name(p->f->net, "eth0");
	p->b = dev_get_by_name(p->f->net2, "eth0");
	dev_open(p->a);
	dev_open(p->b);
	keeper_add(&p->ip, p->f->net2, ETH_P_IP);
}

static void pair_close(struct pair *p)
{
	keeper_drop(&p->ip, p->f->net2);
	fx_free(p->f);
}

static void a_frame_changes_hosts_without_a_copy(void **state)
{
	struct pair p;
	struct rtnl_link_stats64_ sa, sb;
	struct sk_buff *s;
	uint64_t serial;
	uint8_t *head;

	(void)state;
	pair_open(&p);
	s = make_frame(p.f->net, p.a, mac_b, mac_a, ETH_P_IP, 1514);
	serial = s->serial;
	head = s->head;
	s->mark = 9;
	net_enter(p.f->net, 5 * NSEC_PER_SEC);
	assert_int_equal(dev_queue_xmit(s), 0);
	assert_int_equal(p.ip.n, 0);
	assert_int_equal(p.f->kicks, 1); /* b's owner is told */
	assert_true(p.f->net2->kicked);
	assert_int_equal(p.f->net2->now_ns, 5 * NSEC_PER_SEC);
	net_run(p.f->net2);
	assert_int_equal(p.ip.n, 1);
	s = skb_peek(&p.ip.got);
	assert_ptr_equal(s->net, p.f->net2);
	assert_ptr_equal(s->head, head);
	assert_int_equal(s->serial, serial);
	assert_int_equal(s->mark, 0);
	assert_int_equal(s->pkt_type, PACKET_HOST_);
	assert_int_equal(p.f->net->skb_mib.live, 0);
	assert_int_equal(p.f->net2->skb_mib.live, 1);
	assert_int_equal(p.f->net->skb_mib.copies + p.f->net2->skb_mib.copies, 0);
	dev_get_stats(p.a, &sa);
	dev_get_stats(p.b, &sb);
	assert_int_equal(sa.tx_packets, 1);
	assert_int_equal(sa.tx_bytes, 1514);
	assert_int_equal(sb.rx_packets, 1);
	assert_int_equal(sb.rx_bytes, 1514);
	pair_close(&p);
}

static void the_carrier_needs_both_ends(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p);
	assert_true(p.a->carrier && p.b->carrier);
	assert_true(p.a->flags & DEVF_RUNNING);
	dev_close(p.b);
	assert_false(p.a->carrier);
	dev_queue_xmit(make_frame(p.f->net, p.a, mac_b, mac_a, ETH_P_IP, 100));
	assert_int_equal(p.f->net->skb_mib.dropped_by[DROP_QDISC_NOOP], 1);
	dev_open(p.b);
	assert_true(p.a->carrier);
	dev_queue_xmit(make_frame(p.f->net, p.a, mac_b, mac_a, ETH_P_IP, 100));
	net_run(p.f->net2);
	assert_int_equal(p.ip.n, 1);
	unregister_netdev(p.b);
	assert_false(p.a->carrier);
	dev_queue_xmit(make_frame(p.f->net, p.a, mac_b, mac_a, ETH_P_IP, 100));
	assert_int_equal(p.f->net->skb_mib.dropped_by[DROP_QDISC_NOOP], 2);
	pair_close(&p);
}

static void too_long_frames_do_not_pass(void **state)
{
	struct rtnl_link_stats64_ st;
	struct pair p;

	(void)state;
	pair_open(&p);
	dev_set_mtu(p.b, 1000);
	dev_queue_xmit(make_frame(p.f->net, p.a, mac_b, mac_a, ETH_P_IP, 1019));
	dev_queue_xmit(make_frame(p.f->net, p.a, mac_b, mac_a, ETH_P_IP, 1018));
	net_run(p.f->net2);
	assert_int_equal(p.ip.n, 1);
	dev_get_stats(p.a, &st);
	assert_int_equal(st.tx_dropped, 1);
	assert_int_equal(p.f->net->skb_mib.dropped_by[DROP_PKT_TOO_BIG], 1);
	pair_close(&p);
}

static void a_full_backlog_at_the_far_end_drops(void **state)
{
	struct rtnl_link_stats64_ st;
	struct pair p;

	(void)state;
	pair_open(&p);
	p.f->net2->netdev_sysctl.max_backlog = 5;
	for (int i = 0; i < 10; i++)
		assert_int_equal(dev_queue_xmit(make_frame(p.f->net, p.a, mac_b, mac_a, ETH_P_IP, 100)), 0);
	net_run(p.f->net2);
	assert_int_equal(p.ip.n, 6);
	dev_get_stats(p.a, &st);
	assert_int_equal(st.tx_packets, 6);
	assert_int_equal(st.tx_dropped, 4);
	assert_int_equal(p.f->net2->softnet[0].dropped, 4);
	pair_close(&p);
}

static void pairs_share_a_pool_and_names_are_free(void **state)
{
	struct pair p;
	struct fx *other = fx_new();

	(void)state;
	pair_open(&p);
	assert_int_equal(veth_create(p.f->net, "x", mac_a, other->net, "x", mac_b), -EXDEV);
	assert_int_equal(veth_create(p.f->net, "eth0", mac_a, p.f->net2, "x", mac_b), -EEXIST);
	assert_int_equal(veth_create(p.f->net, "x", mac_a, p.f->net2, "eth0", mac_b), -EEXIST);
	assert_null(dev_get_by_name(p.f->net, "x"));
	fx_free(other);
	pair_close(&p);
}

/* ---- extdev ---- */

struct far_end {
	struct sk_buff_head got;
	int err;
};
static int far_xmit(void *arg, struct sk_buff *skb)
{
	struct far_end *e = arg;

	if (e->err)
		return e->err;
	skb_queue_tail(&e->got, skb);
	return 0;
}

struct ext {
	struct fx *f;
	struct net_device *dev;
	struct far_end far;
	struct keeper ip;
};

static void ext_open(struct ext *e)
{
	static const struct pernet_operations *const with_sched[] = { &sched_net_ops };
	struct netdev_sink sink = { &e->far, far_xmit };
	int err;

	memset(e, 0, sizeof(*e));
	skb_queue_head_init(&e->far.got);
	e->f = fx_new_with(1, (struct cpu_model){ 0, 0 }, with_sched, 1);
	e->dev = extdev_create(e->f->net, "tap0", mac_a, NETIF_F_HW_CSUM, &sink, &err);
	assert_non_null(e->dev);
	assert_null(extdev_create(e->f->net, "tap0", mac_a, 0, &sink, &err));
	assert_int_equal(err, -EEXIST);
	dev_open(e->dev);
	keeper_add(&e->ip, e->f->net, ETH_P_IP);
}

static void ext_close(struct ext *e)
{
	skb_queue_purge_reason(&e->far.got, DROP_NET_EXIT);
	keeper_drop(&e->ip, e->f->net);
	fx_free(e->f);
}

static void a_full_sink_stops_the_queue_until_it_wakes_it(void **state)
{
	struct ext e;

	(void)state;
	ext_open(&e);
	dev_queue_xmit(make_frame(e.f->net, e.dev, mac_b, mac_a, ETH_P_IP, 60));
	assert_int_equal(e.far.got.qlen, 1);
	e.far.err = -EAGAIN;
	for (int i = 0; i < 3; i++)
		dev_queue_xmit(make_frame(e.f->net, e.dev, mac_b, mac_a, ETH_P_IP, 60));
	assert_true(netif_tx_queue_stopped(&e.dev->tx[0]));
	assert_int_equal(e.dev->tx[0].qdisc->st.qlen, 3);
	e.far.err = 0;
	e.f->kicks = 0;
	extdev_wake(e.dev);
	assert_int_equal(e.f->kicks, 1);
	net_run(e.f->net);
	assert_int_equal(e.far.got.qlen, 4);
	e.far.err = -EIO;
	dev_queue_xmit(make_frame(e.f->net, e.dev, mac_b, mac_a, ETH_P_IP, 60));
	assert_int_equal(e.f->net->skb_mib.dropped_by[DROP_TAP_WRITE], 1);
	assert_int_equal(e.dev->stats.tx_errors, 1);
	assert_int_equal(e.dev->stats.tx_packets, 4);
	ext_close(&e);
}

static void eth_01_03_lengths_from_outside(void **state)
{
	static uint8_t big[70000];
	struct ext e;

	(void)state;
	ext_open(&e);
	memcpy(big, mac_a, 6);
	memcpy(big + 6, mac_b, 6);
	put_be16(big + 12, ETH_P_IP);
	for (size_t len = 0; len < 14; len++)
		assert_int_equal(extdev_input(e.dev, big, len, 0, 0, false), -EINVAL);
	assert_int_equal(extdev_input(e.dev, big, 1519, 0, 0, false), -EMSGSIZE);
	assert_int_equal(extdev_input(e.dev, big, 9019, 0, 0, false), -EMSGSIZE);
	assert_int_equal(extdev_input(e.dev, big, 65549, 0, 0, false), -EMSGSIZE);
	assert_int_equal(extdev_input(e.dev, big, 69000, 1448, SKB_GSO_TCPV4, true), -EMSGSIZE);
	assert_int_equal(extdev_input(e.dev, big, 1518, 0, 0, false), 0);
	assert_int_equal(extdev_input(e.dev, big, 14, 0, 0, false), 0);
	assert_int_equal(extdev_input(e.dev, big, 65549, 1448, SKB_GSO_TCPV4, true), 0);
	assert_int_equal(extdev_input(e.dev, big, 65549, 1448, 77, true), -EINVAL);
	assert_int_equal(e.dev->stats.rx_length_errors, 18);
	net_run(e.f->net);
	assert_int_equal(e.ip.n, 3);
	assert_int_equal(e.ip.got.prev->len, 65549 - 14);
	assert_true(skb_is_gso(e.ip.got.prev));
	assert_int_equal(e.ip.got.prev->ip_summed, CHECKSUM_UNNECESSARY);
	dev_close(e.dev);
	assert_int_equal(extdev_input(e.dev, big, 60, 0, 0, false), -ENETDOWN);
	ext_close(&e);
}

static void checksums_left_to_be_made(void **state)
{
	struct extdev_meta m = { .csum_partial = true, .csum_start = 34, .csum_offset = 6 };
	struct ext e;
	struct sk_buff *s;

	(void)state;
	ext_open(&e);
	assert_int_equal(extdev_input_skb(e.dev, make_frame(e.f->net, NULL, mac_a, mac_b, ETH_P_IP, 60), &m), 0);
	m.csum_start = 60;
	assert_int_equal(extdev_input_skb(e.dev, make_frame(e.f->net, NULL, mac_a, mac_b, ETH_P_IP, 60), &m), -EINVAL);
	net_run(e.f->net);
	s = skb_peek(&e.ip.got);
	assert_int_equal(s->ip_summed, CHECKSUM_PARTIAL);
	assert_ptr_equal(s->head + s->csum_start, s->data + 20);
	assert_int_equal(skb_checksum_help(s), 0);
	ext_close(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_changes_hosts_without_a_copy),
		cmocka_unit_test(the_carrier_needs_both_ends),
		cmocka_unit_test(too_long_frames_do_not_pass),
		cmocka_unit_test(a_full_backlog_at_the_far_end_drops),
		cmocka_unit_test(pairs_share_a_pool_and_names_are_free),
		cmocka_unit_test(a_full_sink_stops_the_queue_until_it_wakes_it),
		cmocka_unit_test(eth_01_03_lengths_from_outside),
		cmocka_unit_test(checksums_left_to_be_made),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
