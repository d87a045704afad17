/* The NIC driver's transmit side: ring, doorbell, completions, a full ring. */
#include "nicdrv_fixture.h"

static const struct cpu_model no_cost = { 0, 0 };

static uint32_t ring_line(struct net_device *dev, char *line, size_t size, uint32_t want)
{
	const char *s;
	struct strbuf sb;
	uint32_t n = 0;

	sb_init(&sb);
	nicdrv_show_ring(dev, true, &sb);
	for (s = sb_str(&sb); *s; s = strchr(s, '\n') + 1, n++)
		if (n == want)
			snprintf(line, size, "%.*s", (int)(strchr(s, '\n') - s), s);
	sb_free(&sb);
	return n - 1;
}

static void s2_02_ring_holds_a_descriptor_per_packet(void **state)
{
	char line[160];
	struct pair p;

	(void)state;
	pair_open(&p, no_cost, NULL);
	nic_hold_completions(p.a.nic, true);
	for (uint32_t i = 0; i < 3; i++) {
		node_send(&p.a, p.b.mac, 100 + i);
		assert_int_equal(nic_read(p.a.nic, NIC_TDT), i + 1); /* one per packet */
		assert_int_equal(nic_read(p.a.nic, NIC_TDH), i + 1);
	}
	assert_int_equal(ring_line(p.a.dev, line, sizeof(line), 2), 3);
	assert_non_null(strstr(line, "[1] addr=0x"));
	assert_non_null(strstr(line, "len=101"));
	assert_non_null(strstr(line, "owner=nic"));
	pair_run(&p);
	nic_hold_completions(p.a.nic, false);
	assert_int_equal(ring_line(p.a.dev, line, sizeof(line), 3), 3);
	assert_non_null(strstr(line, "len=102"));
	assert_non_null(strstr(line, "owner=driver"));
	pair_run(&p);
	assert_int_equal(ring_line(p.a.dev, line, sizeof(line), 0), 0);
	pair_close(&p);
}

/* S2-03, S3-157: descriptor, then doorbell, then the NIC fetches, then the cable. */
static void s2_03_frame_follows_the_doorbell(void **state)
{
	long map, slot, bell, fetch, wire;
	struct pair p;
	uint64_t serial;

	(void)state;
	pair_open(&p, no_cost, NULL);
	pair_trace(&p, &p.a);
	serial = node_send(&p.a, p.b.mac, 60);
	map = rec_find(&p.rec, 0, TR_ENTER, "dma_map_single");
	slot = rec_find(&p.rec, 0, TR_QUEUE, "ring=tx slot=0");
	bell = rec_find(&p.rec, 0, TR_REG, "write TDT");
	fetch = rec_find(&p.rec, 0, TR_DMA, "dev=eth0 reads data");
	wire = rec_find(&p.rec, 0, TR_WIRE, "cable");
	assert_true(map >= 0 && map < slot && slot < bell && bell < fetch && fetch < wire);
	assert_int_equal(p.rec.ev[slot].serial, serial);
	assert_int_equal(p.rec.ev[fetch].serial, serial);
	assert_int_equal(p.rec.ev[wire].serial, serial);
	assert_int_equal(p.rec.ev[wire].len, 72);
	assert_int_equal(p.a.net->skb_mib.copies, 0); /* S3-82: the CPU copies nothing */
	pair_run(&p);
	pair_close(&p);
}

static void more_to_come_waits_with_the_doorbell(void **state)
{
	struct sk_buff *skb;
	struct pair p;

	(void)state;
	pair_open(&p, no_cost, NULL);
	skb = make_frame(p.a.net, p.a.dev, p.b.mac, p.a.mac, PT_TEST, 60);
	skb->dev_xmit_more = 1;
	assert_int_equal(p.a.dev->netdev_ops->ndo_start_xmit(skb, p.a.dev), NETDEV_TX_OK);
	pair_run(&p);
	assert_int_equal(p.taps, 0);
	skb = make_frame(p.a.net, p.a.dev, p.b.mac, p.a.mac, PT_TEST, 60);
	assert_int_equal(p.a.dev->netdev_ops->ndo_start_xmit(skb, p.a.dev), NETDEV_TX_OK);
	pair_run(&p);
	assert_int_equal(p.taps, 2);
	pair_close(&p);
}

static void s2_04_withheld_completions_fill_the_ring(void **state)
{
	struct nicdrv_params dp = { .tx_ring = 16 };
	uint64_t irqs;
	struct pair p;

	(void)state;
	pair_open(&p, no_cost, &dp);
	nic_hold_completions(p.a.nic, true);
	irqs = node_irqs(&p.a);
	for (int i = 0; i < 40; i++)
		node_send(&p.a, p.b.mac, 60);
	pair_run(&p);
	assert_true(netif_tx_queue_stopped(&p.a.dev->tx[0]));
	assert_int_equal(p.b.in.n, 15); /* sent, but nobody was told */
	assert_int_equal(p.a.net->skb_mib.live, 40);
	assert_int_equal(node_irqs(&p.a), irqs);
	nic_hold_completions(p.a.nic, false);
	pair_run(&p);
	assert_true(node_irqs(&p.a) > irqs);
	assert_false(netif_tx_queue_stopped(&p.a.dev->tx[0]));
	assert_int_equal(p.b.in.n, 40); /* the rest waited in the queue discipline (S2-39) */
	assert_int_equal(p.a.net->skb_mib.live, 0);
	assert_int_equal(dma_nr_mapped(p.a.net), 32); /* the receive buffers alone */
	pair_close(&p);
}

static void a_full_ring_keeps_the_order(void **state)
{
	struct nicdrv_params dp = { .tx_ring = 4, .rx_ring = 4 };
	struct rtnl_link_stats64_ st;
	struct sk_buff *skb;
	struct pair p;
	uint32_t n = 0;

	(void)state;
	pair_open(&p, no_cost, &dp);
	p.b.in.consume = false;
	for (uint32_t i = 0; i < 300; i++)
		node_send(&p.a, p.b.mac, 60 + i);
	pair_run(&p);
	assert_int_equal(p.b.in.n, 300);
	skb_queue_walk(&p.b.in.got, skb)
		assert_int_equal(skb->len, 46 + n++);
	dev_get_stats(p.a.dev, &st);
	assert_int_equal(st.tx_packets, 300);
	assert_int_equal(st.tx_errors + st.tx_dropped, 0);
	pair_close(&p);
}

/* ETH-03 on the way out; and what is too short to be a frame. */
static void eth_03_oversize_does_not_reach_the_ring(void **state)
{
	struct sk_buff *skb;
	struct rtnl_link_stats64_ st;
	static const uint32_t lens[] = { 13, 1519, 9019 };
	struct pair p;

	(void)state;
	pair_open(&p, no_cost, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(lens); i++) {
		skb = make_frame(p.a.net, p.a.dev, p.b.mac, p.a.mac, PT_TEST, lens[i]);
		assert_int_equal(p.a.dev->netdev_ops->ndo_start_xmit(skb, p.a.dev), NETDEV_TX_OK);
	}
	pair_run(&p);
	assert_int_equal(p.taps, 0);
	dev_get_stats(p.a.dev, &st);
	assert_int_equal(st.tx_dropped, 3);
	assert_int_equal(p.a.net->skb_mib.dropped_by[DROP_PKT_TOO_BIG], 2);
	assert_int_equal(p.a.net->skb_mib.dropped_by[DROP_PKT_TOO_SMALL], 1);
	pair_close(&p);
}

static void eth_05_short_packets_are_padded_with_zeros(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p, no_cost, NULL);
	for (uint32_t len = 14; len < 60; len++) {
		struct sk_buff *skb = make_frame(p.a.net, p.a.dev, p.b.mac, p.a.mac, PT_TEST, 64);

		memset(skb->data + 14, 0xaa, 50); /* what lies behind the packet */
		skb_trim(skb, len);
		p.a.dev->netdev_ops->ndo_start_xmit(skb, p.a.dev);
		pair_run(&p);
		assert_int_equal(p.wire_len, 72);
		for (uint32_t i = len; i < 60; i++)
			assert_int_equal(p.wire[8 + i], 0);
	}
	pair_close(&p);
}

/* A UDP datagram whose checksum is left to somebody below. */
static struct sk_buff *partial_udp(struct node *from, const uint8_t *dst)
{
	struct sk_buff *skb =
	    make_frame(from->net, from->dev, dst, from->mac, ETH_P_IP, 14 + 28 + 101);
	uint8_t *ip = skb->data + 14, *udp = ip + 20;

	ip[0] = 0x45;
	put_be16(ip + 2, 28 + 101);
	ip[8] = 64;
	ip[9] = 17;
	put_be32(ip + 12, 0x0a000001);
	put_be32(ip + 16, 0x0a000002);
	put_be16(ip + 10, ip4_fast_csum(ip, 20));
	put_be16(udp + 4, 8 + 101);
	for (int i = 8; i < 109; i++)
		udp[i] = (uint8_t)(i * 3);
	put_be16(udp + 6,
		 (uint16_t)~csum_fold(csum_tcpudp_nofold(0x0a000001, 0x0a000002, 109, 17, 0)));
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = (uint16_t)(udp - skb->head);
	skb->csum_offset = 6;
	return skb;
}

static void checksums_are_made_and_verified_by_the_nic_or_not(void **state)
{
	struct nicdrv_params hw = { .hw_csum = true };
	uint8_t first[200];

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct keeper ip;
		struct pair p;

		pair_open(&p, no_cost, i ? &hw : NULL);
		assert_int_equal(p.a.dev->features, NETIF_F_GRO | (i ? NETIF_F_HW_CSUM | NETIF_F_RXCSUM : 0));
		keeper_add(&ip, p.b.net, ETH_P_IP);
		p.a.dev->netdev_ops->ndo_start_xmit(partial_udp(&p.a, p.b.mac), p.a.dev);
		pair_run(&p);
		assert_int_equal(ip.n, 1);
		assert_int_equal(skb_peek(&ip.got)->ip_summed,
				 i ? CHECKSUM_UNNECESSARY : CHECKSUM_NONE);
		if (i)
			assert_memory_equal(p.wire, first,
					    p.wire_len); /* the same octets either way */
		memcpy(first, p.wire, p.wire_len);
		keeper_drop(&ip, p.b.net);
		pair_close(&p);
	}
}

/* Completions share an interrupt; what a receive interrupt has cleaned already raises none of its
 * own. */
static void completions_are_collected(void **state)
{
	struct nicdrv_params now = { .tx_irq_delay_ns = NICDRV_NO_DELAY };
	struct pair p;
	uint64_t before;

	(void)state;
	pair_open(&p, no_cost, NULL);
	before = node_irqs(&p.a);
	for (int i = 0; i < 20; i++)
		node_send(&p.a, p.b.mac, 60);
	pair_run(&p);
	assert_int_equal(node_irqs(&p.a) - before, 1);
	pair_close(&p);
	pair_open(&p, no_cost, &now);
	before = node_irqs(&p.a);
	for (int i = 0; i < 20; i++)
		node_send(&p.a, p.b.mac, 60);
	pair_run(&p);
	assert_int_equal(node_irqs(&p.a) - before, 20);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s2_02_ring_holds_a_descriptor_per_packet),
		cmocka_unit_test(s2_03_frame_follows_the_doorbell),
		cmocka_unit_test(more_to_come_waits_with_the_doorbell),
		cmocka_unit_test(s2_04_withheld_completions_fill_the_ring),
		cmocka_unit_test(a_full_ring_keeps_the_order),
		cmocka_unit_test(eth_03_oversize_does_not_reach_the_ring),
		cmocka_unit_test(eth_05_short_packets_are_padded_with_zeros),
		cmocka_unit_test(checksums_are_made_and_verified_by_the_nic_or_not),
		cmocka_unit_test(completions_are_collected),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
