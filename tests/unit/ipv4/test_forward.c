/* The router: S3-67, S3-101 to S3-120, attacks RT-01 to RT-13. eth0 10.0.0.1/24 and eth1 10.1.0.1/24. */
#include "bed.h"
#include <stdlib.h>

static struct bed *b;
static struct wire *w, *w1;
#define A IP(10, 0, 0, 9)
#define B IP(10, 1, 0, 9)

static int setup(void **state)
{
	b = bed_new();
	w = bed_wire(b, "eth0", "10.0.0.1/24");
	w1 = bed_wire(b, "eth1", "10.1.0.1/24");
	bed_sysctl(b, "net.ipv4.ip_forward", "1");
	bed_trace_clear(b);
	return 0;
}

static int teardown(void **state)
{
	bed_free(b);
	return 0;
}

static struct pkt *transit(uint8_t ttl)
{
	struct pkt *p = pkt_udp(A, 5, B, 6, "hello", 5);

	pkt_ip(p)->ttl = ttl;
	pkt_fix(p);
	return p;
}

static void s3_104_s3_107_s3_113_s3_116_one_hop(void **state)
{
	const struct frame *f;
	const struct ip4_hdr *h;

	wire_in(w, transit(64));
	assert_true(bed_order(b, "ip_rcv", "ip_rcv_finish", "ip_route_input_noref", "ip_forward", "ip_forward_finish", "ip_output",
			      "ip_finish_output", "ip_finish_output2", NULL));
	/* the router's own ARP request on the output link, from the output port (S3-113, S3-119) */
	f = wire_nth(w1, ETH_P_ARP, 0);
	assert_int_equal(get_be32(f->b + 28), IP(10, 1, 0, 1));
	assert_int_equal(get_be32(f->b + 38), B);
	f = wire_nth(w1, ETH_P_IP, 0);
	h = wire_ip(w1, 0);
	assert_memory_equal(f->b + 6, w1->dev->dev_addr, 6); /* a new link header (S3-107) */
	assert_memory_equal(f->b, w1->peer_mac, 6);
	assert_int_equal(ip4_saddr(h), A);
	assert_int_equal(ip4_daddr(h), B);
	assert_int_equal(h->ttl, 63);
	assert_int_equal(ip4_fast_csum(h, 20), 0);
	assert_int_equal(b->net->mib.ip.ForwDatagrams, 1);
	assert_true(bed_said(b, TR_ROUTE, "dst=10.1.0.9")); /* the key is the destination (S3-108) */
}

static void s3_112_gateway_or_destination(void **state)
{
	assert_int_equal(bed_route(b, "50.0.0.0/8", "10.1.0.77", NULL, 0), 0);
	wire_in(w, pkt_udp(A, 5, IP(50, 1, 1, 1), 6, "x", 1));
	assert_int_equal(get_be32(wire_nth(w1, ETH_P_ARP, 0)->b + 38), IP(10, 1, 0, 77)); /* the gateway's IP (S3-72) */
	assert_int_equal(ip4_daddr(wire_ip(w1, 0)), IP(50, 1, 1, 1));
	wire_in(w, transit(64));
	assert_int_equal(get_be32(wire_nth(w1, ETH_P_ARP, 1)->b + 38), B); /* the end is reached */
}

static void s3_111_no_route_is_net_unreachable(void **state)
{
	wire_in(w, pkt_udp(A, 5, IP(99, 1, 1, 1), 6, "x", 1));
	assert_int_equal(wire_icmp(w, 0)->type, 3);
	assert_int_equal(wire_icmp(w, 0)->code, 0);
	assert_int_equal(ip4_saddr(wire_ip(w, 0)), IP(10, 0, 0, 1)); /* R1812-17: the sending interface's */
	assert_int_equal(b->net->mib.ipext.InNoRoutes, 1);
}

static void s3_80_last_hop_does_not_answer(void **state)
{
	const uint8_t *q;

	w1->arp = false;
	wire_in(w, transit(64));
	bed_sleep(b, 3500 * NSEC_PER_MSEC);
	assert_int_equal(wire_icmp(w, 0)->type, 3);
	assert_int_equal(wire_icmp(w, 0)->code, 1);
	q = (const uint8_t *)wire_icmp(w, 0) + 8;
	assert_int_equal(q[8], 63); /* quoted as it was to go on (S3-36) */
}

static void rt_01_rt_02_ttl(void **state)
{
	wire_in(w, transit(1));
	assert_int_equal(wire_icmp(w, 0)->type, 11);
	assert_int_equal(wire_icmp(w, 0)->code, 0);
	assert_int_equal(((const uint8_t *)wire_icmp(w, 0))[8 + 8], 1); /* as received */
	assert_true(ip4_tot_len(wire_ip(w, 0)) >= 20 + 8 + 28);
	wire_in(w, transit(0));
	assert_int_equal(bed_drops(b, DROP_IP_TTL_EXPIRED), 2);
	assert_int_equal(wire_count(w1, ETH_P_IP), 0);
	wire_in(w, transit(2));
	assert_int_equal(wire_ip(w1, 0)->ttl, 1);
}

static void rt_03_link_broadcast(void **state)
{
	static const uint8_t mc[6] = { 1, 0, 0x5e, 1, 1, 1 };

	wire_in_mac(w, transit(64), bcast_mac, w->peer_mac);
	wire_in_mac(w, transit(64), mc, w->peer_mac);
	assert_int_equal(bed_drops(b, DROP_IP_FORWARD_L2_MULTICAST), 2);
	assert_int_equal(w->n + w1->n, 0);
}

static void rt_04_limited_broadcast(void **state)
{
	int fd = bed_udp(b, NULL, 67), n;
	char buf[8];

	wire_in_mac(w, pkt_udp(0, 68, 0xffffffffu, 67, "x", 1), bcast_mac, w->peer_mac);
	wire_in_mac(w, pkt_udp(A, 68, 0xffffffffu, 67, "x", 1), bcast_mac, w->peer_mac);
	assert_int_equal(wire_count(w1, ETH_P_IP), 0);
	for (n = 0; bed_recv(b, fd, buf, 8) == 1; n++)
		;
	assert_int_equal(n, 2); /* never discarded locally (R1812-35) */
}

static void rt_05_directed_broadcast(void **state)
{
	wire_in(w, pkt_echo(A, IP(10, 1, 0, 255), 1, 1, 8));
	assert_int_equal(wire_count(w1, ETH_P_IP), 0);
	assert_int_equal(wire_count(w, ETH_P_IP), 0);
	assert_int_equal(bed_drops(b, DROP_IP_BROADCAST_NOT_FORWARDED), 1);
}

static void r1812_36_directed_broadcast_switched_on(void **state)
{
	bed_sysctl(b, "net.ipv4.conf.all.bc_forwarding", "1");
	bed_sysctl(b, "net.ipv4.conf.eth0.bc_forwarding", "1");
	wire_in(w, pkt_udp(A, 5, IP(10, 1, 0, 255), 9, "x", 1));
	assert_int_equal(wire_count(w1, ETH_P_IP), 1);
	assert_memory_equal(wire_nth(w1, ETH_P_IP, 0)->b, bcast_mac, 6);
	assert_int_equal(wire_ip(w1, 0)->ttl, 63);
}

static void proxy_arp(void **state)
{
	wire_arp(w, ARPOP_REQUEST, w->peer_mac, A, NULL, B, bcast_mac);
	assert_int_equal(w->n, 0);
	bed_sysctl(b, "net.ipv4.conf.eth0.proxy_arp", "1");
	wire_arp(w, ARPOP_REQUEST, w->peer_mac, A, NULL, B, bcast_mac); /* we forward to there, by another device */
	assert_int_equal(wire_count(w, ETH_P_ARP), 1);
	assert_int_equal(get_be32(wire_nth(w, ETH_P_ARP, 0)->b + 28), B);
	wire_arp(w, ARPOP_REQUEST, w->peer_mac, A, NULL, IP(10, 0, 0, 77), bcast_mac); /* on its own link */
	assert_int_equal(wire_count(w, ETH_P_ARP), 1);
}

/* RT-15: hooks that leave something that is no packet. */
static int mangle_how;
static unsigned mangle(void *priv, struct sk_buff *skb, const struct nf_hook_state *st)
{
	struct ip4_hdr *h = ip_hdr(skb);

	switch (mangle_how) {
	case 0:
		skb_trim(skb, 10);
		break;
	case 1:
		put_be16(h->tot_len, 5000);
		break;
	case 2:
		h->ver_ihl = 0x4f;
		break;
	case 3:
		put_be32(h->daddr, B + 1); /* and forgets the checksum */
		break;
	case 4:
		skb_pull(skb, 4);
		break;
	default: /* shorter, and said so */
		put_be16(h->tot_len, 30);
		put_be16(h->check, 0);
		put_be16(h->check, ip4_fast_csum(h, 20));
		break;
	}
	return NF_ACCEPT;
}

static void rt_15_mangled_by_a_hook(void **state)
{
	static const enum nf_inet_hooks hooks[] = { NF_INET_PRE_ROUTING, NF_INET_FORWARD, NF_INET_POST_ROUTING, NF_INET_LOCAL_IN };
	int fd = bed_udp(b, NULL, 7000);
	char buf[64];

	for (unsigned i = 0; i < ARRAY_SIZE(hooks); i++) {
		for (mangle_how = 0; mangle_how < 6; mangle_how++) {
			struct nf_hook_ops ops = { .hook = mangle, .hooknum = hooks[i], .name = "mangle" };
			uint64_t died = bed_drops(b, DROP_IP_INHDR);

			wire_clear(w1);
			assert_int_equal(nf_register_net_hook(b->net, &ops), 0);
			wire_in(w, hooks[i] == NF_INET_LOCAL_IN ? pkt_udp(A, 5, IP(10, 0, 0, 1), 7000, "hello", 5) : transit(64));
			nf_unregister_net_hook(b->net, &ops);
			assert_int_equal(bed_drops(b, DROP_IP_INHDR) - died, mangle_how < 5);
			assert_int_equal(wire_count(w1, ETH_P_IP), mangle_how == 5 && hooks[i] != NF_INET_LOCAL_IN);
			assert_int_equal(bed_recv(b, fd, buf, sizeof(buf)), -EAGAIN); /* cut short: its UDP length is wrong */
		}
	}
}

static void rt_06_martians(void **state)
{
	static const uint32_t src[] = { IP(0, 1, 2, 3), IP(127, 0, 0, 1), IP(169, 254, 1, 1), IP(224, 0, 0, 1), IP(240, 1, 1, 1), 0xffffffffu };
	static const uint32_t dst[] = { IP(0, 1, 2, 3), IP(127, 0, 0, 1), IP(169, 254, 1, 1), IP(240, 1, 1, 1) };

	assert_int_equal(bed_route(b, "0.0.0.0/0", "10.1.0.77", NULL, 0), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(src); i++)
		wire_in(w, pkt_udp(src[i], 5, B, 6, "x", 1));
	assert_int_equal(bed_drops(b, DROP_IP_MARTIAN_SOURCE), ARRAY_SIZE(src));
	for (unsigned i = 0; i < ARRAY_SIZE(dst); i++)
		wire_in(w, pkt_udp(A, 5, dst[i], 6, "x", 1));
	assert_int_equal(bed_drops(b, DROP_IP_MARTIAN_DEST), ARRAY_SIZE(dst));
	assert_true(bed_said(b, TR_NOTE, "martian source=169.254.1.1 destination=10.1.0.9 dev=eth0"));
	assert_int_equal(wire_count(w1, ETH_P_IP) + wire_count(w, ETH_P_IP), 0);
}

static void rt_07_spoofed_inside_source(void **state)
{
	wire_in(w, pkt_udp(IP(10, 1, 0, 5), 5, B, 6, "x", 1)); /* off by default (R1812-38) */
	assert_int_equal(wire_count(w1, ETH_P_IP), 1);
	wire_clear(w1);
	bed_sysctl(b, "net.ipv4.conf.eth0.rp_filter", "1");
	wire_in(w, pkt_udp(IP(10, 1, 0, 5), 5, B, 6, "x", 1));
	assert_int_equal(bed_drops(b, DROP_IP_RPFILTER), 1);
	bed_sysctl(b, "net.ipv4.conf.eth0.rp_filter", "2");
	wire_in(w, pkt_udp(IP(10, 1, 0, 5), 5, B, 6, "x", 1));
	assert_int_equal(wire_count(w1, ETH_P_IP), 1);
	wire_in(w, pkt_udp(IP(10, 1, 0, 1), 5, B, 6, "x", 1)); /* our own: always */
	assert_int_equal(bed_drops(b, DROP_IP_LOCAL_SOURCE), 1);
}

static struct pkt *big(uint32_t len, bool df, uint32_t hlen)
{
	struct pkt *p = pkt_new(A, B, 17, NULL, len - hlen, hlen);

	put_be16(pkt_ip(p)->frag_off, df ? IP_DF : 0);
	pkt_fix(p);
	return p;
}

static void rt_08_df_over_a_smaller_link(void **state)
{
	assert_int_equal(dev_set_mtu(w1->dev, 1400), 0);
	wire_in(w, big(1500, true, 20));
	assert_int_equal(wire_icmp(w, 0)->type, 3);
	assert_int_equal(wire_icmp(w, 0)->code, 4);
	assert_int_equal(get_be16(wire_icmp(w, 0)->rest + 2), 1400);
	assert_int_equal(wire_count(w1, ETH_P_IP), 0);
	assert_int_equal(b->net->mib.ip.FragFails, 1);
	wire_in(w, big(1400, true, 20));
	assert_int_equal(wire_count(w1, ETH_P_IP), 1);
}

static void s3_10_fragments_of_a_router(void **state)
{
	static const uint16_t want[] = { 572, 572, 324 };

	assert_int_equal(dev_set_mtu(w1->dev, 576), 0);
	wire_in(w, big(1428, false, 20));
	assert_int_equal(wire_count(w1, ETH_P_IP), 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(ip4_tot_len(wire_ip(w1, i)), want[i]);
	assert_true(b->net->skb_mib.copy_bytes >= 1408); /* S3-162: this one copies */
}

static void rt_09_fragments_with_options(void **state)
{
	static const uint8_t opts[12] = { 7, 7, 4, 0, 0, 0, 0, 1, 0x94, 4, 0, 1 }; /* record route; router alert has the copy bit */
	static uint8_t data[4000], back[4000];
	struct pkt *p;
	uint32_t off = 0;

	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 11 >> 2);
	assert_int_equal(dev_set_mtu(w->dev, 4500), 0);
	assert_int_equal(dev_set_mtu(w1->dev, 576), 0);
	p = pkt_new(A, B, 17, data, 4000, 32);
	memcpy(p->b + ETH_HLEN + 20, opts, 12);
	put_be16(pkt_ip(p)->frag_off, IP_RF);
	pkt_fix(p);
	wire_in(w, p);
	for (unsigned i = 0; wire_ip(w1, i); i++) {
		const struct ip4_hdr *h = wire_ip(w1, i);
		const uint8_t *o = (const uint8_t *)h + 20;
		uint32_t len = ip4_tot_len(h) - 32u;

		assert_true(ip4_tot_len(h) <= 576);
		assert_int_equal(ip4_hlen(h), 32);
		assert_int_equal(ip4_fast_csum(h, 32), 0);
		assert_int_equal((ip4_frag(h) & IP_OFFSET) * 8, off);
		assert_true(ip4_frag(h) & IP_RF); /* R1812-28: reserved bits go along */
		assert_int_equal((ip4_frag(h) & IP_MF) != 0, off + len < 4000);
		assert_int_equal(len % 8 == 0 || off + len == 4000, true);
		assert_int_equal(o[0], i ? 1 : 7);   /* not copied: NOPs behind the first */
		assert_int_equal(o[8], 0x94);        /* copied */
		memcpy(back + off, (const uint8_t *)h + 32, len);
		off += len;
	}
	assert_int_equal(off, 4000);
	assert_memory_equal(back, data, 4000);
}

static void fragment_of_a_fragment(void **state)
{
	struct pkt *p = big(1500, false, 20);

	assert_int_equal(dev_set_mtu(w1->dev, 1000), 0);
	put_be16(pkt_ip(p)->frag_off, 100 | IP_MF);
	pkt_fix(p);
	wire_in(w, p);
	assert_int_equal(wire_count(w1, ETH_P_IP), 2); /* in transit nothing is put together */
	assert_int_equal(ip4_frag(wire_ip(w1, 0)), 100 | IP_MF);
	assert_int_equal(ip4_frag(wire_ip(w1, 1)), (100 + 976 / 8) | IP_MF);
	assert_int_equal(b->net->ipv4->frags.queues, 0);
}

static void rt_10_routing_loop(void **state)
{
	int hops = 0;

	/* the peer on eth1 sends everything back */
	assert_int_equal(bed_route(b, "70.0.0.0/8", "10.1.0.77", NULL, 0), 0);
	wire_in(w, pkt_udp(A, 5, IP(70, 0, 0, 1), 6, "x", 1));
	bed_sysctl(b, "net.ipv4.conf.eth1.send_redirects", "0");
	bed_sysctl(b, "net.ipv4.conf.all.send_redirects", "0");
	while (wire_ip(w1, 0) && ip4_daddr(wire_ip(w1, 0)) == IP(70, 0, 0, 1)) {
		struct pkt *p = calloc(1, sizeof(*p));

		p->len = ip4_tot_len(wire_ip(w1, 0));
		memcpy(p->b + ETH_HLEN, wire_ip(w1, 0), p->len);
		wire_clear(w1);
		wire_in(w1, p);
		assert_true(w1->n <= 1);
		hops++;
	}
	assert_int_equal(hops, 63);
	assert_int_equal(wire_icmp(w, 0)->type, 11);
}

static void rt_11_checksum_edges(void **state)
{
	/* every id: the header checksum passes all its values, 0x0000 and 0xffff too */
	bool zero = false;

	for (uint32_t id = 0; id < 65536; id += 1) {
		struct pkt *p = transit(64);

		put_be16(pkt_ip(p)->id, (uint16_t)id);
		pkt_fix(p);
		zero |= get_be16(pkt_ip(p)->check) == 0 || get_be16(pkt_ip(p)->check) == 0xfeff;
		if (get_be16(pkt_ip(p)->check) > 0x0102 && get_be16(pkt_ip(p)->check) < 0xfe00) {
			free(p);
			continue;
		}
		wire_clear(w1);
		wire_in(w, p);
		assert_int_equal(ip4_fast_csum(wire_ip(w1, wire_count(w1, ETH_P_IP) - 1), 20), 0);
	}
	assert_true(zero);
}

static void rt_12_no_error_about_an_error(void **state)
{
	struct pkt *q = pkt_udp(B, 1, A, 2, "x", 1), *p = pkt_icmp_err(A, B, 3, 3, 0, (uint8_t *)pkt_ip(q), 28);

	pkt_ip(p)->ttl = 1;
	pkt_fix(p);
	wire_in(w, p);
	p = transit(1);
	put_be16(pkt_ip(p)->frag_off, 5); /* a later fragment */
	pkt_fix(p);
	wire_in(w, p);
	assert_int_equal(wire_count(w, ETH_P_IP), 0);
	assert_int_equal(bed_drops(b, DROP_IP_TTL_EXPIRED), 2);
	free(q);
}

static void rt_13_weak_host_model(void **state)
{
	/* Documented: an address of ours is ours on every interface (Linux's weak model, RFC 1122 3.3.4.2); arp_ignore
	 * and rp_filter are the strict option. */
	wire_in(w, pkt_echo(A, IP(10, 1, 0, 1), 1, 1, 8));
	assert_int_equal(wire_icmp(w, 0)->type, 0);
	assert_int_equal(ip4_saddr(wire_ip(w, 0)), IP(10, 1, 0, 1));
}

static void s3_36_redirect(void **state)
{
	const uint8_t *m;

	/* out where it came in: the sender could go to 10.0.0.77 itself */
	assert_int_equal(bed_route(b, "80.0.0.0/8", "10.0.0.77", NULL, 0), 0);
	wire_in(w, pkt_udp(A, 5, IP(80, 0, 0, 1), 6, "x", 1));
	assert_int_equal(wire_icmp(w, 0)->type, 5);
	assert_int_equal(wire_icmp(w, 0)->code, 1); /* R1812-30: host only */
	m = (const uint8_t *)wire_icmp(w, 0);
	assert_int_equal(get_be32(m + 4), IP(10, 0, 0, 77));
	assert_int_equal(m[8 + 8], 63); /* the quoted TTL is the decremented one */
	assert_int_equal(ip4_daddr(wire_ip(w, 1)), IP(80, 0, 0, 1)); /* and the packet goes on */
	for (int i = 0; i < 50; i++) {
		bed_sleep(b, NSEC_PER_SEC);
		wire_in(w, pkt_udp(A, 5, IP(80, 0, 0, 1), 6, "x", 1));
	}
	assert_in_range(b->net->mib.icmp.OutRedirects, 2, 9); /* who does not listen is not told for ever */
	wire_in(w, transit(64));
	bed_sysctl(b, "net.ipv4.conf.all.send_redirects", "0");
	bed_sysctl(b, "net.ipv4.conf.eth0.send_redirects", "0");
}

static void r1812_26_forwards_by_destination_only(void **state)
{
	uint64_t lookups;

	wire_in(w, transit(64));
	lookups = b->net->ipv4->rt_stat.in_slow_tot;
	for (uint16_t i = 0; i < 10; i++)
		wire_in_mac(w, pkt_udp(A, i, B, (uint16_t)(i + 1), "x", 1), w->dev->dev_addr, (uint8_t[]){ 2, 0, 0, 0, 9, (uint8_t)i });
	assert_int_equal(wire_count(w1, ETH_P_IP), 11);
	assert_int_equal(b->net->ipv4->rt_stat.in_slow_tot, lookups); /* one rtable serves all */
}

static void prohibit_and_blackhole_in_transit(void **state)
{
	assert_int_equal(bed_route_type(b, "30.1.0.0/16", RTN_PROHIBIT, 254), 0);
	assert_int_equal(bed_route_type(b, "30.2.0.0/16", RTN_UNREACHABLE, 254), 0);
	assert_int_equal(bed_route_type(b, "30.3.0.0/16", RTN_BLACKHOLE, 254), 0);
	wire_in(w, pkt_udp(A, 5, IP(30, 1, 0, 1), 6, "x", 1));
	assert_int_equal(wire_icmp(w, 0)->code, 13);
	wire_in(w, pkt_udp(A, 5, IP(30, 2, 0, 1), 6, "x", 1));
	assert_int_equal(wire_icmp(w, 1)->code, 1);
	wire_in(w, pkt_udp(A, 5, IP(30, 3, 0, 1), 6, "x", 1));
	assert_int_equal(wire_count(w, ETH_P_IP), 2);
}

static void r1122_i05_hosts_do_not_forward(void **state)
{
	bed_sysctl(b, "net.ipv4.ip_forward", "0");
	wire_in(w, transit(64));
	assert_int_equal(w->n + w1->n, 0);
	assert_int_equal(bed_drops(b, DROP_IP_NOFORWARD), 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest t[] = {
		T(s3_104_s3_107_s3_113_s3_116_one_hop), T(s3_112_gateway_or_destination), T(s3_111_no_route_is_net_unreachable),
		T(s3_80_last_hop_does_not_answer), T(rt_01_rt_02_ttl), T(rt_03_link_broadcast), T(rt_04_limited_broadcast),
		T(rt_05_directed_broadcast), T(rt_06_martians), T(rt_07_spoofed_inside_source), T(rt_08_df_over_a_smaller_link),
		T(s3_10_fragments_of_a_router), T(rt_09_fragments_with_options), T(fragment_of_a_fragment), T(rt_10_routing_loop),
		T(rt_11_checksum_edges), T(rt_12_no_error_about_an_error), T(rt_13_weak_host_model), T(s3_36_redirect),
		T(r1812_26_forwards_by_destination_only), T(r1812_36_directed_broadcast_switched_on), T(proxy_arp),
		T(rt_15_mangled_by_a_hook), T(prohibit_and_blackhole_in_transit), T(r1122_i05_hosts_do_not_forward),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
