/* dev_rx.c, dev_eth.c: who gets a received frame. */
#include "core_fixture.h"

/* As a NAPI driver hands it up. */
static int receive(struct fx *f, struct tdev *t, const uint8_t *dst, const uint8_t *src, uint16_t type, uint32_t len)
{
	struct sk_buff *s = make_frame(f->net, t->dev, dst, src, type, len);

	s->protocol = eth_type_trans(s, t->dev);
	return netif_receive_skb(s);
}

static struct rtnl_link_stats64_ stats(struct tdev *t)
{
	struct rtnl_link_stats64_ s;

	dev_get_stats(t->dev, &s);
	return s;
}

static void s0_09_demultiplexed_by_ethertype(void **state)
{
	struct fx *f = fx_new();
	struct tdev *t = tdev_new(f->net, "eth0");
	struct keeper ip, arp;
	struct sk_buff *s;

	(void)state;
	keeper_add(&ip, f->net, ETH_P_IP);
	keeper_add(&arp, f->net, ETH_P_ARP);
	fx_trace(f);
	receive(f, t, mac_us, mac_peer, ETH_P_IP, 60);
	receive(f, t, mac_us, mac_peer, ETH_P_ARP, 60);
	receive(f, t, mac_us, mac_peer, ETH_P_ARP, 60);
	assert_int_equal(ip.n, 1);
	assert_int_equal(arp.n, 2);
	s = skb_peek(&ip.got);
	assert_int_equal(s->len, 46); /* S3-152: the header is stripped by moving data */
	assert_ptr_equal(skb_network_header(s), s->data);
	assert_ptr_equal(skb_mac_header(s), s->data - 14);
	assert_int_equal(s->skb_iif, t->dev->ifindex);
	assert_int_equal(s->pkt_type, PACKET_HOST_);
	assert_int_equal(s->tstamp_ns, f->net->now_ns);
	rec_assert_order(&f->rec, (const char *const[]){ "eth_type_trans", "netif_receive_skb", "__netif_receive_skb",
							 "__netif_receive_skb_core", "ip_rcv", NULL });
	/* the last handler is called without deliver_skb */
	assert_int_equal(rec_count(&f->rec, TR_ENTER, "deliver_skb"), 0);
	assert_int_equal(f->net->softnet[0].processed, 3);
	keeper_drop(&ip, f->net);
	keeper_drop(&arp, f->net);
	fx_free(f);
}

static void s0_10_s3_141_unhandled_types_are_dropped_and_counted(void **state)
{
	struct fx *f = fx_new();
	struct tdev *t = tdev_new(f->net, "eth0");
	struct keeper ip, tap;
	static const uint16_t types[] = { 0x9000, ETH_P_IPV6, ETH_P_8021Q, ETH_P_8021AD };

	(void)state;
	keeper_add(&ip, f->net, ETH_P_IP);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		assert_int_equal(receive(f, t, mac_us, mac_peer, types[i], 60), NET_RX_DROP);
	assert_int_equal(stats(t).rx_dropped, 4);
	assert_int_equal(f->net->skb_mib.dropped_by[DROP_UNHANDLED_PROTO], 4);
	keeper_add(&tap, f->net, ETH_P_ALL);
	assert_int_equal(receive(f, t, mac_us, mac_peer, 0x9000, 60), NET_RX_SUCCESS);
	assert_int_equal(tap.n, 1);
	assert_int_equal(stats(t).rx_dropped, 4); /* a tap took it */
	assert_int_equal(ip.n, 0);
	keeper_drop(&ip, f->net);
	keeper_drop(&tap, f->net);
	fx_free(f);
}

static void eth_09_10_lengths_and_truncated_tags_are_not_parsed(void **state)
{
	struct fx *f = fx_new();
	struct tdev *t = tdev_new(f->net, "eth0");
	struct keeper ip;
	static const uint16_t types[] = { 46, 1500, 0x05dc, 0x05dd, 0x05ff, 1, 3, 0 };

	(void)state;
	keeper_add(&ip, f->net, ETH_P_IP);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		assert_int_equal(receive(f, t, mac_us, mac_peer, types[i], 60), NET_RX_DROP);
	assert_int_equal(receive(f, t, mac_us, mac_peer, ETH_P_8021Q, 14), NET_RX_DROP);
	assert_int_equal(receive(f, t, mac_us, mac_peer, ETH_P_8021Q, 15), NET_RX_DROP);
	assert_int_equal(f->net->skb_mib.dropped_by[DROP_UNHANDLED_PROTO], 10);
	assert_int_equal(ip.n, 0);
	keeper_drop(&ip, f->net);
	fx_free(f);
}

static void eth_01_frames_shorter_than_the_header(void **state)
{
	struct fx *f = fx_new();
	struct tdev *t = tdev_new(f->net, "eth0");
	struct keeper ip, tap;

	(void)state;
	keeper_add(&ip, f->net, ETH_P_IP);
	keeper_add(&tap, f->net, ETH_P_ALL);
	for (uint32_t len = 0; len < 14; len++)
		assert_int_equal(receive(f, t, mac_us, mac_peer, ETH_P_IP, len), NET_RX_DROP);
	assert_int_equal(stats(t).rx_length_errors, 14);
	assert_int_equal(stats(t).rx_errors, 14);
	assert_int_equal(f->net->skb_mib.dropped_by[DROP_PKT_TOO_SMALL], 14);
	assert_int_equal(ip.n + tap.n, 0);
	receive(f, t, mac_us, mac_peer, ETH_P_IP, 14); /* header and nothing: ip_rcv's to refuse (ETH-02) */
	assert_int_equal(ip.n, 1);
	keeper_drop(&ip, f->net);
	keeper_drop(&tap, f->net);
	fx_free(f);
}

static void eth_06_07_bad_source_addresses(void **state)
{
	static const uint8_t group[6] = { 1, 0, 0, 0, 0, 5 };
	struct fx *f = fx_new();
	struct tdev *t = tdev_new(f->net, "eth0");
	struct keeper ip, tap;

	(void)state;
	keeper_add(&ip, f->net, ETH_P_IP);
	assert_int_equal(receive(f, t, mac_us, group, ETH_P_IP, 60), NET_RX_DROP);
	assert_int_equal(receive(f, t, mac_us, mac_bcast, ETH_P_IP, 60), NET_RX_DROP);
	assert_int_equal(receive(f, t, mac_bcast, mac_us, ETH_P_IP, 60), NET_RX_DROP); /* our own */
	assert_int_equal(f->net->skb_mib.dropped_by[DROP_BAD_SRC_MAC], 3);
	assert_int_equal(stats(t).rx_dropped, 3);
	assert_int_equal(ip.n, 0);
	keeper_add(&tap, f->net, ETH_P_ALL);
	receive(f, t, mac_us, group, ETH_P_IP, 60);
	assert_int_equal(tap.n, 1); /* but it can be looked at */
	assert_int_equal(ip.n, 0);
	keeper_drop(&ip, f->net);
	keeper_drop(&tap, f->net);
	fx_free(f);
}

static void s3_95_packet_types(void **state)
{
	static const struct {
		const uint8_t *dst;
		uint8_t type;
	} v[] = { { mac_us, PACKET_HOST_ }, { mac_other, PACKET_OTHERHOST_ }, { mac_bcast, PACKET_BROADCAST_ },
		  { mac_mcast, PACKET_MULTICAST_ } };
	struct fx *f = fx_new();
	struct tdev *t = tdev_new(f->net, "eth0");
	struct keeper ip;

	(void)state;
	keeper_add(&ip, f->net, ETH_P_IP);
	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		struct sk_buff *s;

		receive(f, t, v[i].dst, mac_peer, ETH_P_IP, 60);
		s = skb_dequeue(&ip.got);
		assert_int_equal(s->pkt_type, v[i].type);
		consume_skb(s);
	}
	assert_int_equal(stats(t).rx_dropped, 0); /* OTHERHOST is ip_rcv's to count */
	keeper_drop(&ip, f->net);
	fx_free(f);
}

static void s2_74_taps_come_before_ip_rcv_and_get_their_own(void **state)
{
	struct fx *f = fx_new();
	struct tdev *t = tdev_new(f->net, "eth0"), *u = tdev_new(f->net, "eth1");
	struct keeper ip, tap, here, there;
	uint64_t serial;

	(void)state;
	keeper_add(&ip, f->net, ETH_P_IP);
	keeper_add(&tap, f->net, ETH_P_ALL);
	here = tap;
	memset(&here, 0, sizeof(here));
	skb_queue_head_init(&here.got);
	here.pt = (struct packet_type){ .type = ETH_P_ALL, .dev = t->dev, .func = keeper_rcv, .arg = &here };
	dev_add_pack(f->net, &here.pt);
	memset(&there, 0, sizeof(there));
	skb_queue_head_init(&there.got);
	there.pt = (struct packet_type){ .type = ETH_P_ALL, .dev = u->dev, .func = keeper_rcv, .arg = &there };
	dev_add_pack(f->net, &there.pt);
	fx_trace(f);
	receive(f, t, mac_us, mac_peer, ETH_P_IP, 60);
	assert_int_equal(tap.n, 1);
	assert_int_equal(here.n, 1);
	assert_int_equal(there.n, 0);
	assert_int_equal(ip.n, 1);
	rec_assert_order(&f->rec, (const char *const[]){ "__netif_receive_skb", "__netif_receive_skb_core",
							 "deliver_skb", "deliver_skb", "ip_rcv", NULL });
	serial = skb_peek(&ip.got)->serial;
	assert_int_equal(skb_peek(&tap.got)->serial, serial);
	assert_int_equal(f->net->skb_mib.clones, 2);
	assert_ptr_equal(skb_peek(&tap.got)->head, skb_peek(&ip.got)->head);
	keeper_drop(&here, f->net);
	keeper_drop(&there, f->net);
	keeper_drop(&ip, f->net);
	keeper_drop(&tap, f->net);
	fx_free(f);
}

static void s0_05_own_multicast_copies_are_not_for_taps(void **state)
{
	struct fx *f = fx_new();
	struct tdev *t = tdev_new(f->net, "eth0");
	struct keeper ip, tap;
	struct sk_buff *s = make_frame(f->net, t->dev, mac_mcast, mac_us, ETH_P_IP, 60);

	(void)state;
	dev_open(t->dev);
	keeper_add(&ip, f->net, ETH_P_IP);
	keeper_add(&tap, f->net, ETH_P_ALL);
	s->protocol = ETH_P_IP;
	s->pkt_type = PACKET_LOOPBACK_;
	assert_int_equal(netif_rx(s), NET_RX_SUCCESS);
	net_run(f->net);
	assert_int_equal(ip.n, 1);
	assert_int_equal(tap.n, 0);
	keeper_drop(&ip, f->net);
	keeper_drop(&tap, f->net);
	fx_free(f);
}

static unsigned bridged;
static bool bridge(struct sk_buff **skb)
{
	if (bridged++ % 2)
		return false;
	consume_skb(*skb);
	return true;
}

static void an_rx_handler_may_take_the_frame(void **state)
{
	struct fx *f = fx_new();
	struct tdev *t = tdev_new(f->net, "eth0");
	struct keeper ip;

	(void)state;
	bridged = 0;
	t->dev->rx_handler = bridge;
	keeper_add(&ip, f->net, ETH_P_IP);
	receive(f, t, mac_us, mac_peer, ETH_P_IP, 60);
	assert_int_equal(ip.n, 0);
	receive(f, t, mac_us, mac_peer, ETH_P_IP, 60);
	assert_int_equal(ip.n, 1);
	keeper_drop(&ip, f->net);
	fx_free(f);
}

/* ---- the backlog ---- */

static int backlog(struct fx *f, struct tdev *t)
{
	struct sk_buff *s = make_frame(f->net, t->dev, mac_us, mac_peer, ETH_P_IP, 60);

	s->protocol = eth_type_trans(s, t->dev);
	return netif_rx(s);
}

static void s2_56_61_netif_rx_queues_and_returns(void **state)
{
	struct fx *f = fx_new();
	struct tdev *t = tdev_new(f->net, "eth0");
	struct softnet_data *sd = &f->net->softnet[0];
	struct keeper ip;

	(void)state;
	dev_open(t->dev);
	keeper_add(&ip, f->net, ETH_P_IP);
	fx_trace(f);
	for (int i = 1; i <= 5; i++) {
		assert_int_equal(backlog(f, t), NET_RX_SUCCESS);
		assert_int_equal(sd->input_pkt_queue.qlen, i); /* S2-58 */
		assert_int_equal(sd->pending, 1u << NET_RX_SOFTIRQ);
		assert_ptr_equal(list_first_entry(&sd->poll_list, struct napi_struct, poll_list), &sd->backlog);
	}
	assert_int_equal(ip.n, 0); /* S2-61: nothing is processed before the softirq */
	rec_assert_order(&f->rec, (const char *const[]){ "netif_rx", "netif_rx_internal", "enqueue_to_backlog",
							 "____napi_schedule", "__raise_softirq_irqoff", NULL });
	assert_int_equal(rec_count(&f->rec, TR_ENTER, "____napi_schedule"), 1); /* S2-59: for the first only */
	assert_int_equal(f->kicks, 1);
	net_run(f->net);
	assert_int_equal(ip.n, 5);
	rec_assert_order(&f->rec, (const char *const[]){ "do_softirq", "net_rx_action", "process_backlog",
							 "__netif_receive_skb", "__netif_receive_skb_core", "ip_rcv",
							 NULL }); /* S2-63 */
	assert_int_equal(rec_count(&f->rec, TR_IRQ, ""), 0); /* S2-62: no hardirq */
	/* S2-72: one enqueue and one dequeue each */
	assert_int_equal(rec_count(&f->rec, TR_QUEUE, "queue=input_pkt_queue"), 5);
	assert_int_equal(rec_count(&f->rec, TR_DEQUEUE, "queue=process_queue"), 5);
	backlog(f, t); /* scheduled anew once it was complete */
	assert_int_equal(rec_count(&f->rec, TR_ENTER, "____napi_schedule"), 2);
	net_run(f->net);
	keeper_drop(&ip, f->net);
	fx_free(f);
}

static void s0_13_s1_05_overflow_at_n_plus_2(void **state)
{
	struct fx *f = fx_new();
	struct tdev *t = tdev_new(f->net, "eth0");
	struct softnet_data *sd = &f->net->softnet[0];
	struct keeper ip;

	(void)state;
	assert_int_equal(f->net->netdev_sysctl.max_backlog, 1000);
	f->net->netdev_sysctl.max_backlog = 10;
	dev_open(t->dev);
	keeper_add(&ip, f->net, ETH_P_IP);
	for (int i = 1; i <= 11; i++)
		assert_int_equal(backlog(f, t), NET_RX_SUCCESS);
	assert_int_equal(backlog(f, t), NET_RX_DROP);
	assert_int_equal(backlog(f, t), NET_RX_DROP);
	assert_int_equal(sd->dropped, 2);
	assert_int_equal(stats(t).rx_dropped, 2);
	assert_int_equal(f->net->skb_mib.dropped_by[DROP_CPU_BACKLOG], 2);
	assert_int_equal(ip.n, 0);
	net_run(f->net);
	assert_int_equal(ip.n, 11);
	dev_close(t->dev);
	assert_int_equal(backlog(f, t), NET_RX_DROP); /* a device that is down receives nothing */
	assert_int_equal(sd->dropped, 2);
	keeper_drop(&ip, f->net);
	fx_free(f);
}

static void s2_57_the_senders_cpu_takes_it(void **state)
{
	struct fx *f = fx_new_with(2, (struct cpu_model){ 0, 0 }, NULL, 0);
	struct tdev *t = tdev_new(f->net, "eth0");
	struct keeper ip;

	(void)state;
	dev_open(t->dev);
	keeper_add(&ip, f->net, ETH_P_IP);
	f->net->cpu = 1;
	backlog(f, t);
	f->net->cpu = 0;
	assert_int_equal(f->net->softnet[1].input_pkt_queue.qlen, 1);
	assert_int_equal(f->net->softnet[0].input_pkt_queue.qlen, 0);
	fx_trace(f);
	net_run(f->net);
	assert_int_equal(f->net->softnet[1].processed, 1);
	assert_int_equal(f->net->softnet[0].processed, 0);
	assert_int_equal(f->rec.ev[rec_find(&f->rec, 0, TR_ENTER, "process_backlog")].cpu, 1);
	keeper_drop(&ip, f->net);
	fx_free(f);
}

static void s3_155_eth_header(void **state)
{
	struct fx *f = fx_new();
	struct tdev *t = tdev_new(f->net, "eth0");
	struct sk_buff *s = alloc_skb(f->net, 100);

	(void)state;
	skb_put(s, 20); /* no headroom: made */
	assert_int_equal(eth_header(s, t->dev, ETH_P_IP, mac_peer, NULL), 14);
	assert_memory_equal(s->data, mac_peer, 6); /* destination first on the wire (S3-73) */
	assert_memory_equal(s->data + 6, mac_us, 6);
	assert_int_equal(get_be16(s->data + 12), ETH_P_IP);
	assert_int_equal(s->len, 34);
	skb_pull(s, 14);
	assert_int_equal(eth_header(s, t->dev, ETH_P_ARP, NULL, mac_other), -14);
	assert_memory_equal(s->data + 6, mac_other, 6);
	t->dev->flags |= DEVF_NOARP;
	skb_pull(s, 14);
	assert_int_equal(eth_header(s, t->dev, ETH_P_ARP, NULL, NULL), 14);
	assert_true(mac_is_zero(s->data));
	consume_skb(s);
	fx_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s0_09_demultiplexed_by_ethertype),
		cmocka_unit_test(s0_10_s3_141_unhandled_types_are_dropped_and_counted),
		cmocka_unit_test(eth_09_10_lengths_and_truncated_tags_are_not_parsed),
		cmocka_unit_test(eth_01_frames_shorter_than_the_header),
		cmocka_unit_test(eth_06_07_bad_source_addresses),
		cmocka_unit_test(s3_95_packet_types),
		cmocka_unit_test(s2_74_taps_come_before_ip_rcv_and_get_their_own),
		cmocka_unit_test(s0_05_own_multicast_copies_are_not_for_taps),
		cmocka_unit_test(an_rx_handler_may_take_the_frame),
		cmocka_unit_test(s2_56_61_netif_rx_queues_and_returns),
		cmocka_unit_test(s0_13_s1_05_overflow_at_n_plus_2),
		cmocka_unit_test(s2_57_the_senders_cpu_takes_it),
		cmocka_unit_test(s3_155_eth_header),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
