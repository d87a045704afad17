/* Receive coalescing: what is merged, what ends it, what goes up, and that a router sends on what it got.
 * eth0 10.0.0.1/24 is polled by a NAPI instance of this program; eth1 10.1.0.1/24 is where a router's packets leave. */
#include "bed.h"
#include "core/gro.h"
#include "wire/tcp_hdr.h"
#include <stdlib.h>

#define A IP(10, 0, 0, 9)
#define HERE IP(10, 0, 0, 1)
#define B IP(10, 1, 0, 9)
#define MSS 1000u

static struct bed *b;
static struct wire *w, *w1;
static struct napi_struct napi;
static struct sk_buff_head ring;
static struct seg {
	uint32_t len, serial_no, truesize, segs, size, frags;
	uint16_t tot_len, check, th_check;
	uint8_t flags, summed, csum_good;
} up[64]; /* what came up to the tap, in order */
static unsigned n_up, budget_left;

static int poll_ring(struct napi_struct *n, int budget)
{
	struct sk_buff *skb;
	int work = 0;

	while (work < budget && (skb = skb_dequeue(&ring)) != NULL) {
		skb->protocol = eth_type_trans(skb, w->dev);
		napi_gro_receive(n, skb);
		work++;
	}
	budget_left = (unsigned)(budget - work);
	if (work < budget)
		napi_complete_done(n, work);
	return work;
}

static int tap_up(struct sk_buff *skb, struct net_device *dev, struct packet_type *pt, struct net_device *orig)
{
	const struct ip4_hdr *h = (const void *)skb->data;
	struct seg *s = &up[n_up++ % 64];
	const struct tcp_hdr *th = (const void *)(skb->data + ip4_hlen(h));

	if (skb->pkt_type == PACKET_OUTGOING_ || h->protocol != IPPROTO_TCP) {
		n_up--;
		consume_skb(skb);
		return 0;
	}
	*s = (struct seg){ .len = skb->len - ip4_hlen(h) - tcp_hdrlen(th), .segs = skb_shinfo(skb)->gso_segs,
			   .size = skb_shinfo(skb)->gso_size, .tot_len = ip4_tot_len(h), .flags = th->flags,
			   .check = ip4_fast_csum(h, 20), .summed = skb->ip_summed, .truesize = skb->truesize };
	for (const struct sk_buff *f = skb->data_len ? skb_shinfo(skb)->frag_list : NULL; f; f = f->next)
		s->frags++;
	consume_skb(skb);
	return 0;
}
static struct packet_type tap;

static int setup(void **state)
{
	b = bed_new();
	w = bed_wire(b, "eth0", "10.0.0.1/24");
	w1 = bed_wire(b, "eth1", "10.1.0.1/24");
	w->dev->features |= NETIF_F_GRO;
	skb_queue_head_init(&ring);
	napi = (struct napi_struct){ 0 };
	netif_napi_add(w->dev, &napi, "rx0", poll_ring, 64, 0);
	tap = (struct packet_type){ .type = ETH_P_ALL, .dev = w->dev, .func = tap_up };
	n_up = 0;
	bed_trace_clear(b);
	return 0;
}

static int teardown(void **state)
{
	if (tap.list.next)
		dev_remove_pack(b->net, &tap);
	netif_napi_del(&napi);
	bed_free(b);
	return 0;
}

/* A segment, as a sender makes them: what is not named is usual. */
struct t {
	uint32_t seq, len;
	uint8_t flags;
	uint16_t id, window, sport;
	uint32_t tsval; /* 0: no timestamps */
	uint8_t ttl, tos;
	bool no_df, bad_sum, padded;
	uint32_t ack;
};

static void ring_put(const void *frame, uint32_t len)
{
	struct sk_buff *skb = alloc_skb(b->net, 66 + len);

	skb_reserve(skb, 66);
	memcpy(skb_put(skb, len), frame, len);
	skb->dev = w->dev;
	skb_queue_tail(&ring, skb);
}

static void seg_to(uint32_t daddr, struct t t)
{
	uint32_t hlen = t.tsval ? 32 : 20;
	struct pkt *p = pkt_new(A, daddr, IPPROTO_TCP, NULL, hlen + t.len, 20);
	struct tcp_hdr *th = (void *)pkt_l4(p);
	uint8_t *o = (uint8_t *)(th + 1);

	memset(th, 0, hlen);
	put_be16(th->source, t.sport ? t.sport : 5000);
	put_be16(th->dest, 80);
	put_be32(th->seq, t.seq);
	put_be32(th->ack_seq, t.ack ? t.ack : 77);
	th->off_res = (uint8_t)(hlen / 4 << 4);
	th->flags = t.flags ? t.flags : TCP_ACK;
	put_be16(th->window, t.window ? t.window : 500);
	if (t.tsval) {
		put_be32(o, 0x0101080a);
		put_be32(o + 4, t.tsval);
		put_be32(o + 8, 9);
	}
	for (uint32_t i = 0; i < t.len; i++)
		((uint8_t *)th)[hlen + i] = (uint8_t)(t.seq + i);
	put_be16(th->check, csum_fold(csum_tcpudp_nofold(A, daddr, hlen + t.len, IPPROTO_TCP,
							 csum_partial(th, hlen + t.len, 0))));
	if (t.bad_sum)
		th->check[0] ^= 1;
	put_be16(pkt_ip(p)->id, t.id);
	put_be16(pkt_ip(p)->frag_off, t.no_df ? 0 : IP_DF);
	pkt_ip(p)->ttl = t.ttl ? t.ttl : 64;
	pkt_ip(p)->tos = t.tos;
	pkt_fix(p);
	memcpy(p->b, w->dev->dev_addr, 6);
	memcpy(p->b + 6, w->peer_mac, 6);
	put_be16(p->b + 12, ETH_P_IP);
	ring_put(p->b, p->len + ETH_HLEN + (t.padded ? 4 : 0));
	free(p);
}

static void go(void)
{
	napi_schedule(&napi);
	bed_run(b);
}

static void listen_up(void) { dev_add_pack(b->net, &tap); }

/* Two segments alike but for what t says of the second: are they merged? */
static bool merges(struct t t)
{
	n_up = 0;
	if (!tap.list.next)
		listen_up();
	if (!t.seq)
		t.seq = 1 + MSS;
	if (!t.len)
		t.len = MSS;
	if (!t.id)
		t.id = 8;
	seg_to(HERE, (struct t){ .seq = 1, .len = MSS, .id = 7, .tsval = t.tsval ? 1000 : 0 });
	seg_to(HERE, t);
	go();
	assert_true(n_up == 1 || n_up == 2);
	assert_true(n_up == 2 || up[0].len == MSS + t.len);
	return n_up == 1;
}

static void in_sequence_of_one_flow_are_one(void **state)
{
	listen_up();
	for (uint32_t i = 0; i < 10; i++)
		seg_to(HERE, (struct t){ .seq = 1 + i * MSS, .len = MSS, .id = (uint16_t)(65530 + i) });
	go();
	assert_int_equal(n_up, 1);
	assert_int_equal(up[0].len, 10 * MSS);
	assert_int_equal(up[0].segs, 10);
	assert_int_equal(up[0].size, MSS);
	assert_int_equal(up[0].frags, 9);
	assert_int_equal(up[0].tot_len, 40 + 10 * MSS);
	assert_int_equal(up[0].check, 0);
	assert_int_equal(up[0].summed, CHECKSUM_PARTIAL);
	assert_int_equal(napi.gro_merged, 9);
	assert_int_equal(napi.gro_trains, 1);
	assert_true(bed_order(b, "napi_gro_receive", "dev_gro_receive", "inet_gro_receive", "tcp4_gro_receive", "tcp_gro_receive",
			      "skb_gro_receive", "napi_gro_flush", "napi_gro_complete", "inet_gro_complete", "tcp4_gro_complete",
			      "tcp_gro_complete", "netif_receive_skb", "ip_rcv", "tcp_v4_rcv", NULL));
	assert_int_equal(bed_entered(b, "ip_rcv"), 1);
	assert_true(bed_said(b, TR_NOTE, "merged into="));
	assert_int_equal(b->net->skb_mib.copies, 0); /* nothing was copied */
	assert_int_equal(b->net->mib.ip.InReceives, 1); /* as Linux counts */
}

static void alone_in_its_poll_it_is_as_it_was(void **state)
{
	listen_up();
	seg_to(HERE, (struct t){ .seq = 1, .len = MSS });
	go();
	seg_to(HERE, (struct t){ .seq = 1 + MSS, .len = MSS });
	go();
	assert_int_equal(n_up, 2);
	assert_int_equal(up[0].size, 0);
	assert_int_equal(up[0].segs, 0);
	assert_int_equal(up[0].summed, CHECKSUM_NONE); /* no sum was made for nothing */
	assert_int_equal(napi.gro_trains, 0);
}

/* Each row is what Linux 6.18 does: tests/kernel/gro-rules. */
static void headers_that_say_more_are_not_merged(void **state)
{
	assert_true(merges((struct t){ 0 }));
	assert_true(merges((struct t){ .len = 1 })); /* the last may be short */
	assert_true(merges((struct t){ .flags = TCP_ACK | TCP_PSH }));
	assert_true(up[0].flags & TCP_PSH);
	assert_true(merges((struct t){ .flags = TCP_ACK | TCP_FIN }));
	assert_true(up[0].flags & TCP_FIN);
	assert_true(merges((struct t){ .id = 7 })); /* one identification for all */
	assert_true(merges((struct t){ .tsval = 1000 }));
	assert_false(merges((struct t){ .tsval = 1001 }));
	assert_false(merges((struct t){ .seq = 2 + MSS }));
	assert_false(merges((struct t){ .seq = 1 }));
	assert_false(merges((struct t){ .len = MSS + 1 }));
	assert_false(merges((struct t){ .id = 9 }));
	assert_false(merges((struct t){ .ttl = 63 }));
	assert_false(merges((struct t){ .tos = 3 })); /* CE */
	assert_false(merges((struct t){ .no_df = true }));
	assert_false(merges((struct t){ .window = 501 }));
	assert_false(merges((struct t){ .ack = 78 }));
	assert_false(merges((struct t){ .sport = 5001 }));
	assert_false(merges((struct t){ .bad_sum = true }));
	assert_false(merges((struct t){ .padded = true }));
	assert_false(merges((struct t){ .flags = TCP_ACK | TCP_URG }));
	assert_false(merges((struct t){ .flags = TCP_ACK | TCP_ECE }));
	assert_false(merges((struct t){ .flags = TCP_ACK | TCP_CWR }));
	assert_false(merges((struct t){ .flags = TCP_ACK | TCP_RST }));
	/* CWR on both: not even then */
	n_up = 0;
	seg_to(HERE, (struct t){ .seq = 1, .len = MSS, .id = 7, .flags = TCP_ACK | TCP_CWR });
	seg_to(HERE, (struct t){ .seq = 1 + MSS, .len = MSS, .id = 8, .flags = TCP_ACK | TCP_CWR });
	go();
	assert_int_equal(n_up, 2);
}

static void psh_and_short_segments_end_it(void **state)
{
	listen_up();
	seg_to(HERE, (struct t){ .seq = 1, .len = MSS });
	seg_to(HERE, (struct t){ .seq = 1 + MSS, .len = MSS, .id = 1, .flags = TCP_ACK | TCP_PSH });
	seg_to(HERE, (struct t){ .seq = 1 + 2 * MSS, .len = MSS, .id = 2 });
	seg_to(HERE, (struct t){ .seq = 1 + 3 * MSS, .len = 10, .id = 3 });
	seg_to(HERE, (struct t){ .seq = 11 + 3 * MSS, .len = MSS, .id = 4 });
	seg_to(HERE, (struct t){ .seq = 11 + 4 * MSS, .len = 0, .id = 5 }); /* a bare ACK: at once, behind what is held */
	go();
	assert_int_equal(n_up, 4);
	assert_int_equal(up[0].len, 2 * MSS);
	assert_int_equal(up[1].len, MSS + 10);
	assert_int_equal(up[2].len, MSS);
	assert_int_equal(up[3].len, 0);
}

static void a_wrong_checksum_dies_alone(void **state)
{
	listen_up();
	seg_to(HERE, (struct t){ .seq = 1, .len = MSS, .bad_sum = true });
	seg_to(HERE, (struct t){ .seq = 1 + MSS, .len = MSS, .id = 1 });
	seg_to(HERE, (struct t){ .seq = 1 + 2 * MSS, .len = MSS, .id = 2 });
	go();
	assert_int_equal(n_up, 2);
	assert_int_equal(up[0].len, MSS);
	assert_int_equal(up[1].len, 2 * MSS);
	assert_int_equal(bed_drops(b, DROP_TCP_CSUM), 1);
	assert_int_equal(b->net->mib.tcp.InCsumErrors, 1);
}

static void a_datagram_has_at_most_64_kib(void **state)
{
	unsigned left = 50;

	listen_up();
	for (uint32_t i = 0; i < left; i++)
		seg_to(HERE, (struct t){ .seq = 1 + i * 1448, .len = 1448, .id = (uint16_t)i });
	go();
	assert_int_equal(n_up, 2);
	assert_int_equal(up[0].segs, 45); /* 20 + 20 + 45 * 1448 = 65200 */
	assert_int_equal(up[1].segs, 5);
}

static void eight_flows_are_held(void **state)
{
	listen_up();
	for (uint16_t i = 0; i < 9; i++)
		seg_to(HERE, (struct t){ .seq = 1, .len = MSS, .sport = (uint16_t)(6000 + i) });
	for (uint16_t i = 0; i < 9; i++)
		seg_to(HERE, (struct t){ .seq = 1 + MSS, .len = MSS, .id = 1, .sport = (uint16_t)(6000 + i) });
	go();
	/* the ninth pushed the first out; the first's second then pushed out the second's first, and so on */
	assert_int_equal(up[0].len, MSS);
	assert_int_equal(n_up, 18);
	n_up = 0;
	for (uint32_t k = 0; k < 2; k++)
		for (uint16_t i = 0; i < 8; i++)
			seg_to(HERE, (struct t){ .seq = 1 + k * MSS, .len = MSS, .id = (uint16_t)k, .sport = (uint16_t)(6000 + i) });
	go();
	assert_int_equal(n_up, 8);
}

static void the_timer_lets_it_wait_for_more(void **state)
{
	listen_up();
	bed_sysctl(b, "net.culver.gro_flush_timeout", "20000");
	seg_to(HERE, (struct t){ .seq = 1, .len = MSS });
	go();
	assert_int_equal(n_up, 0);
	seg_to(HERE, (struct t){ .seq = 1 + MSS, .len = MSS, .id = 1 });
	go();
	assert_int_equal(n_up, 0);
	bed_sleep(b, 19000);
	assert_int_equal(n_up, 0);
	bed_sleep(b, 1000);
	assert_int_equal(n_up, 1);
	assert_int_equal(up[0].len, 2 * MSS);
}

static void switched_off_it_is_not_asked(void **state)
{
	listen_up();
	assert_string_equal(bed_cmd(b, "ethtool -K eth0 gro off"), "");
	assert_non_null(strstr(bed_cmd(b, "ethtool -k eth0"), "generic-receive-offload: off\n"));
	seg_to(HERE, (struct t){ .seq = 1, .len = MSS });
	seg_to(HERE, (struct t){ .seq = 1 + MSS, .len = MSS, .id = 1 });
	go();
	assert_int_equal(n_up, 2);
	assert_int_equal(bed_entered(b, "inet_gro_receive"), 0);
	bed_cmd(b, "ethtool -K eth0 gro on");
	assert_non_null(strstr(bed_cmd(b, "ethtool -k eth0"), "generic-receive-offload: on\n"));
	assert_non_null(strstr(bed_cmd(b, "ethtool -K eth0 sg on"), "scatter-gather: off [requested on]\n"));
}

static void a_device_that_goes_down_takes_them_along(void **state)
{
	bed_sysctl(b, "net.culver.gro_flush_timeout", "20000");
	seg_to(HERE, (struct t){ .seq = 1, .len = MSS });
	go();
	assert_int_equal(napi.gro.qlen, 1);
	napi_gro_drop(&napi);
	assert_int_equal(bed_drops(b, DROP_DEV_READY), 1);
	bed_sleep(b, 1000000);
}

/* ---- through a router: the packets that came, octet for octet but TTL, checksum and MACs ---- */

static void router(void)
{
	bed_sysctl(b, "net.ipv4.ip_forward", "1");
	b->net->ipv4->sysctl.ip_forward_use_pmtu = 0;
}

static void expect_split(unsigned n, uint32_t tsval, uint8_t ece)
{
	for (unsigned i = 0; i < n; i++) {
		const struct ip4_hdr *h = wire_ip(w1, i);
		const struct tcp_hdr *th = (const void *)((const uint8_t *)h + 20);
		uint32_t len, hlen = tsval ? 32 : 20;

		assert_non_null(h);
		len = ip4_tot_len(h) - 20u - hlen;
		assert_int_equal(len, i + 1 == n ? 500 : MSS);
		assert_int_equal(h->ttl, 63);
		assert_int_equal(ip4_id(h), 300 + i);
		assert_int_equal(ip4_fast_csum(h, 20), 0);
		assert_int_equal(get_be32(th->seq), 1 + i * MSS);
		assert_int_equal(th->flags, TCP_ACK | ece | (i + 1 == n ? TCP_PSH : 0));
		assert_int_equal(csum_fold(csum_tcpudp_nofold(A, B, hlen + len, IPPROTO_TCP, csum_partial(th, hlen + len, 0))), 0);
		for (uint32_t k = 0; k < len; k++)
			assert_int_equal(((const uint8_t *)th)[hlen + k], (uint8_t)(1 + i * MSS + k));
	}
	assert_null(wire_ip(w1, n));
}

static void send_through(unsigned n, uint32_t tsval, uint8_t ece)
{
	wire_clear(w1);
	for (uint32_t i = 0; i < n; i++)
		seg_to(B, (struct t){ .seq = 1 + i * MSS, .len = i + 1 == n ? 500 : MSS, .id = (uint16_t)(300 + i), .tsval = tsval,
				      .flags = (uint8_t)(TCP_ACK | ece | (i + 1 == n ? TCP_PSH : 0)) });
	go();
}

static void a_router_sends_what_it_got(void **state)
{
	router();
	send_through(5, 0, 0);
	assert_int_equal(bed_entered(b, "ip_forward"), 1);
	expect_split(5, 0, 0);
	assert_true(bed_said(b, TR_NOTE, "split from="));
	assert_int_equal(b->net->skb_mib.copies, 0);
	assert_int_equal(b->net->mib.ip.ForwDatagrams, 1);
	send_through(3, 4711, 0);
	expect_split(3, 4711, 0);
	send_through(3, 4711, TCP_ECE);
	expect_split(3, 4711, TCP_ECE);
	assert_int_equal(b->net->skb_mib.copies, 0);
	assert_int_equal(b->net->skb_mib.live, 0);
}

/* Somebody looks on (a clone): then they are made anew, and are the same, by their names too. */
static void a_router_with_a_tap_sends_the_same(void **state)
{
	struct tap t;

	router();
	send_through(4, 0, 0); /* so that the neighbour is known */
	tap_open(&t, b->net, w1->dev);
	dev_add_pack(b->net, &tap);
	send_through(4, 0, 0);
	expect_split(4, 0, 0);
	assert_int_equal(t.out, 4);
	for (unsigned i = 1; i < 4; i++)
		assert_true(t.serial[i] == t.serial[0] + i);
	tap_close(&t, b->net);
}

static void one_identification_stays_one(void **state)
{
	router();
	for (uint32_t i = 0; i < 3; i++)
		seg_to(B, (struct t){ .seq = 1 + i * MSS, .len = MSS, .id = 9 });
	go();
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(ip4_id(wire_ip(w1, i)), 9);
}

/* What cannot leave as it came is refused as one by one it would be; without DF it is cut. */
static void a_smaller_mtu_behind_the_router(void **state)
{
	router();
	dev_set_mtu(w1->dev, 600);
	send_through(3, 0, 0);
	assert_int_equal(wire_count(w1, ETH_P_IP), 0);
	assert_int_equal(wire_icmp(w, 0)->type, 3);
	assert_int_equal(wire_icmp(w, 0)->code, 4);
	for (uint32_t i = 0; i < 3; i++)
		seg_to(B, (struct t){ .seq = 1 + i * MSS, .len = MSS, .id = (uint16_t)(30 + i), .no_df = true });
	go();
	assert_int_equal(wire_count(w1, ETH_P_IP), 6);
	assert_int_equal(ip4_id(wire_ip(w1, 5)), 32);
}

static void nat_changes_each_of_them(void **state)
{
	router();
	bed_cmd(b, "iptables -t nat -A POSTROUTING -o eth1 -j SNAT --to-source 10.1.0.1");
	send_through(4, 0, 0);
	for (unsigned i = 0; i < 4; i++) {
		const struct ip4_hdr *h = wire_ip(w1, i);
		uint32_t len = ip4_tot_len(h) - 20u;

		assert_non_null(h);
		assert_int_equal(ip4_saddr(h), IP(10, 1, 0, 1));
		assert_int_equal(csum_fold(csum_tcpudp_nofold(IP(10, 1, 0, 1), B, len, IPPROTO_TCP,
							      csum_partial((const uint8_t *)h + 20, len, 0))), 0);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(in_sequence_of_one_flow_are_one), T(alone_in_its_poll_it_is_as_it_was), T(headers_that_say_more_are_not_merged),
		T(psh_and_short_segments_end_it), T(a_wrong_checksum_dies_alone), T(a_datagram_has_at_most_64_kib),
		T(eight_flows_are_held), T(the_timer_lets_it_wait_for_more), T(switched_off_it_is_not_asked),
		T(a_device_that_goes_down_takes_them_along), T(a_router_sends_what_it_got), T(a_router_with_a_tap_sends_the_same),
		T(one_identification_stays_one), T(a_smaller_mtu_behind_the_router), T(nat_changes_each_of_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
