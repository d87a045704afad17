/* dev_tx.c, dst.c: from dev_queue_xmit to the driver. */
#include <errno.h>
#include "core/dst.h"
#include "core_fixture.h"
#include "wire/tcp_hdr.h"

static struct sk_buff *out_frame(struct fx *f, struct tdev *t)
{
	struct sk_buff *s = make_frame(f->net, t->dev, mac_peer, mac_us, ETH_P_IP, 100);

	s->protocol = ETH_P_IP;
	return s;
}

static void s2_43_44_without_queue_straight_to_the_driver(void **state)
{
	struct fx *f = fx_new();
	struct tdev *t = tdev_new(f->net, "lo9");

	(void)state;
	t->dev->no_queue = true;
	dev_open(t->dev);
	assert_string_equal(t->dev->tx[0].qdisc->ops->id, "noqueue");
	assert_null(t->dev->tx[0].qdisc->enqueue);
	fx_trace(f);
	assert_int_equal(dev_queue_xmit(out_frame(f, t)), 0);
	rec_assert_order(&f->rec, (const char *const[]){ "dev_queue_xmit", "__dev_queue_xmit", "dev_hard_start_xmit",
							 "tdev_xmit", NULL });
	assert_int_equal(rec_count(&f->rec, TR_ENTER, "__dev_xmit_skb"), 0);
	assert_int_equal(rec_count(&f->rec, TR_ENTER, "__qdisc_run"), 0);
	assert_int_equal(rec_count(&f->rec, TR_QUEUE, ""), 0);
	assert_int_equal(t->dev->tx[0].qdisc->st.packets, 0);
	assert_int_equal(t->sent.qlen, 1);
	assert_ptr_equal(skb_mac_header(skb_peek(&t->sent)), skb_peek(&t->sent)->data);
	fx_free(f);
}

static void s2_46_a_device_that_is_down_drops(void **state)
{
	struct fx *f = fx_new();
	struct tdev *t = tdev_new(f->net, "lo9");
	struct rtnl_link_stats64_ st;

	(void)state;
	t->dev->no_queue = true;
	/* never up: noop */
	assert_string_equal(t->dev->tx[0].qdisc_sleeping->ops->id, "noop");
	assert_int_equal(dev_queue_xmit(out_frame(f, t)), NET_XMIT_CN);
	dev_open(t->dev);
	dev_close(t->dev);
	/* afterwards noop in use, noqueue shown (S2-43) */
	assert_string_equal(t->dev->tx[0].qdisc->ops->id, "noop");
	assert_string_equal(t->dev->tx[0].qdisc_sleeping->ops->id, "noqueue");
	assert_int_equal(dev_queue_xmit(out_frame(f, t)), NET_XMIT_CN);
	dev_get_stats(t->dev, &st);
	assert_int_equal(st.tx_dropped, 2);
	assert_int_equal(f->net->skb_mib.dropped_by[DROP_QDISC_NOOP], 2);
	/* the IFF_UP test itself, which noop usually spares */
	t->dev->tx[0].qdisc = t->dev->tx[0].qdisc_sleeping;
	assert_int_equal(dev_queue_xmit(out_frame(f, t)), -ENETDOWN);
	assert_int_equal(f->net->skb_mib.dropped_by[DROP_DEV_READY], 1);
	assert_int_equal(t->sent.qlen, 0);
	fx_free(f);
}

static void s2_48_taps_see_sent_packets_once(void **state)
{
	struct fx *f = fx_new();
	struct tdev *t = tdev_new(f->net, "eth0");
	struct keeper tap, deaf;
	struct sk_buff *s;

	(void)state;
	dev_open(t->dev);
	keeper_add(&tap, f->net, ETH_P_ALL);
	keeper_add(&deaf, f->net, ETH_P_ALL);
	deaf.pt.ignore_outgoing = true;
	t->busy = true; /* refused, then taken: still seen once */
	dev_graft_qdisc(t->dev, qdisc_ops_lookup(f->net, "noqueue"), NULL, 0);
	t->busy = false;
	s = out_frame(f, t);
	fx_trace(f);
	dev_queue_xmit(s);
	assert_int_equal(tap.n, 1);
	assert_int_equal(deaf.n, 0);
	s = skb_peek(&tap.got);
	assert_int_equal(s->pkt_type, PACKET_OUTGOING_);
	assert_int_equal(s->serial, skb_peek(&t->sent)->serial);
	assert_true(rec_find(&f->rec, 0, TR_ENTER, "dev_queue_xmit_nit") < rec_find(&f->rec, 0, TR_ENTER, "tdev_xmit"));
	/* not back to the socket that sent it */
	s = out_frame(f, t);
	s->sk = (struct sock *)(void *)&tap;
	dev_queue_xmit(s);
	assert_int_equal(tap.n, 1);
	keeper_drop(&tap, f->net);
	keeper_drop(&deaf, f->net);
	fx_free(f);
}

static unsigned depth, deepest;
static int tunnel(struct sk_buff *skb, struct net_device *dev)
{
	(void)dev;
	depth++;
	deepest = depth > deepest ? depth : deepest;
	dev_queue_xmit(skb);
	depth--;
	return 1;
}

static void s2_47_recursion_ends(void **state)
{
	struct fx *f = fx_new();
	struct tdev *t = tdev_new(f->net, "tun0");

	(void)state;
	depth = deepest = 0;
	t->dev->no_queue = true;
	t->hook = tunnel;
	dev_open(t->dev);
	dev_queue_xmit(out_frame(f, t));
	assert_int_equal(deepest, 9);
	assert_int_equal(f->net->skb_mib.dropped_by[DROP_RECURSION_LIMIT], 1);
	assert_int_equal(f->net->softnet[0].xmit_recursion, 0);
	fx_free(f);
}

static unsigned replies;
static int reply_rcv(struct sk_buff *skb, struct net_device *dev, struct packet_type *pt, struct net_device *orig)
{
	(void)pt, (void)orig;
	depth++;
	deepest = depth > deepest ? depth : deepest;
	if (replies) {
		replies--;
		skb_push(skb, 14);
		skb->dev = dev;
		dev_queue_xmit(skb);
	} else {
		consume_skb(skb);
	}
	depth--;
	return 0;
}
static int loop_hook(struct sk_buff *skb, struct net_device *dev)
{
	skb->protocol = eth_type_trans(skb, dev);
	netif_rx(skb);
	return 1;
}

static void s2_47_ten_thousand_replies_at_constant_depth(void **state)
{
	struct packet_type pt = { .type = ETH_P_IP, .func = reply_rcv };
	struct fx *f = fx_new();
	struct tdev *t = tdev_new(f->net, "lo9");

	(void)state;
	depth = deepest = 0;
	replies = 10000;
	t->dev->type = 772;
	t->dev->no_queue = true;
	t->hook = loop_hook;
	dev_open(t->dev);
	dev_add_pack(f->net, &pt);
	dev_queue_xmit(out_frame(f, t));
	net_run(f->net);
	assert_int_equal(replies, 0);
	assert_int_equal(deepest, 1);
	dev_remove_pack(f->net, &pt);
	fx_free(f);
}

/* ---- what the device cannot do ---- */

static struct sk_buff *tcp_train(struct fx *f, struct tdev *t, uint32_t payload, uint16_t mss)
{
	struct sk_buff *s = make_frame(f->net, t->dev, mac_peer, mac_us, ETH_P_IP, 54 + payload);
	struct ip4_hdr *ip = (struct ip4_hdr *)(void *)(s->data + 14);
	struct tcp_hdr *th = (struct tcp_hdr *)(void *)(s->data + 34);

	ip->ver_ihl = 0x45;
	ip->protocol = 6;
	put_be16(ip->tot_len, (uint16_t)(40 + payload));
	put_be32(ip->saddr, 1);
	put_be32(ip->daddr, 2);
	th->off_res = 0x50;
	s->protocol = ETH_P_IP;
	s->network_header = (uint16_t)(skb_headroom(s) + 14);
	s->transport_header = (uint16_t)(skb_headroom(s) + 34);
	s->ip_summed = CHECKSUM_PARTIAL;
	s->csum_start = s->transport_header;
	s->csum_offset = 16;
	put_be16(th->check, (uint16_t)~csum_fold(csum_tcpudp_nofold(1, 2, 20 + payload, 6, 0)));
	if (mss) {
		skb_shinfo(s)->gso_size = mss;
		skb_shinfo(s)->gso_type = SKB_GSO_TCPV4;
		skb_shinfo(s)->gso_segs = (uint16_t)((payload + mss - 1) / mss);
	}
	return s;
}

static uint16_t tcp_sum(const struct sk_buff *s)
{
	return csum_fold(csum_partial(s->data + 34, s->len - 34, csum_tcpudp_nofold(1, 2, s->len - 34, 6, 0)));
}

static unsigned charged;
static void uncharge(struct sk_buff *skb)
{
	charged -= skb->truesize;
}

static void s3_57_trains_and_checksums_by_features(void **state)
{
	struct fx *f = fx_new();
	struct tdev *t = tdev_new(f->net, "eth0");
	struct sk_buff *s;

	(void)state;
	t->dev->no_queue = true;
	dev_open(t->dev);
	/* a device that can: the train as it is */
	t->dev->features = NETIF_F_TSO | NETIF_F_HW_CSUM;
	dev_queue_xmit(tcp_train(f, t, 5000, 1000));
	assert_int_equal(t->sent.qlen, 1);
	consume_skb(skb_dequeue(&t->sent));
	/* one that cannot: segments, complete, the sender's account settled by the last */
	t->dev->features = 0;
	s = tcp_train(f, t, 5000, 1000);
	charged = s->truesize;
	s->destructor = uncharge;
	dev_queue_xmit(s);
	assert_int_equal(t->sent.qlen, 5);
	for (int i = 0; i < 5; i++) {
		assert_true(charged > 0);
		s = skb_dequeue(&t->sent);
		assert_int_equal(s->len, 1054);
		assert_int_equal(tcp_sum(s), 0);
		consume_skb(s);
	}
	assert_int_equal(charged, 0);
	/* a plain packet: the checksum is finished */
	dev_queue_xmit(tcp_train(f, t, 100, 0));
	s = skb_dequeue(&t->sent);
	assert_int_equal(s->ip_summed, CHECKSUM_NONE);
	assert_int_equal(tcp_sum(s), 0);
	consume_skb(s);
	t->dev->features = NETIF_F_HW_CSUM;
	dev_queue_xmit(tcp_train(f, t, 100, 0));
	s = skb_dequeue(&t->sent);
	assert_int_equal(s->ip_summed, CHECKSUM_PARTIAL);
	consume_skb(s);
	/* one that cannot be split dies with its reason */
	t->dev->features = 0;
	s = tcp_train(f, t, 5000, 1000);
	s->data[14] = 0x41;
	dev_queue_xmit(s);
	assert_int_equal(f->net->skb_mib.dropped_by[DROP_SKB_GSO_SEG], 1);
	fx_free(f);
}

static void fragment_lists_are_gathered_for_simple_devices(void **state)
{
	struct fx *f = fx_new();
	struct tdev *t = tdev_new(f->net, "eth0");

	(void)state;
	t->dev->no_queue = true;
	dev_open(t->dev);
	for (int able = 0; able < 2; able++) {
		struct sk_buff *s = out_frame(f, t), *frag = alloc_skb(f->net, 50);

		t->dev->features = able ? NETIF_F_FRAGLIST : 0;
		memset(skb_put(frag, 50), 1, 50);
		skb_shinfo(s)->frag_list = frag;
		s->len += 50;
		s->data_len = 50;
		dev_queue_xmit(s);
		s = skb_dequeue(&t->sent);
		assert_int_equal(s->len, 150);
		assert_int_equal(s->data_len, able ? 50 : 0);
		consume_skb(s);
	}
	fx_free(f);
}

/* ---- dst ---- */

static int destroyed;
static void dst_destroy(struct dst_entry *d)
{
	(void)d;
	destroyed++;
}
static int dst_out(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	(void)net, (void)sk;
	consume_skb(skb);
	return 42;
}
static int dst_in(struct sk_buff *skb)
{
	consume_skb(skb);
	return 43;
}

static void a_route_lives_as_long_as_its_packets(void **state)
{
	static const struct dst_ops ops = { .destroy = dst_destroy };
	struct fx *f = fx_new();
	struct dst_entry d = { .net = f->net, .ops = &ops, .output = dst_out, .input = dst_in, .refcnt = 1 };
	struct sk_buff *s = alloc_skb(f->net, 10), *c;

	(void)state;
	destroyed = 0;
	skb_dst_set(s, &d);
	c = skb_clone(s);
	assert_int_equal(d.refcnt, 2);
	assert_int_equal(dst_output(f->net, NULL, s), 42);
	assert_int_equal(destroyed, 0);
	assert_int_equal(dst_input(c), 43);
	assert_int_equal(destroyed, 1);
	assert_int_equal(dst_output(f->net, NULL, alloc_skb(f->net, 1)), -ENETUNREACH);
	assert_int_equal(dst_input(alloc_skb(f->net, 1)), NET_RX_DROP);
	dst_release(NULL);
	fx_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s2_43_44_without_queue_straight_to_the_driver),
		cmocka_unit_test(s2_46_a_device_that_is_down_drops),
		cmocka_unit_test(s2_48_taps_see_sent_packets_once),
		cmocka_unit_test(s2_47_recursion_ends),
		cmocka_unit_test(s2_47_ten_thousand_replies_at_constant_depth),
		cmocka_unit_test(s3_57_trains_and_checksums_by_features),
		cmocka_unit_test(fragment_lists_are_gathered_for_simple_devices),
		cmocka_unit_test(a_route_lives_as_long_as_its_packets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
