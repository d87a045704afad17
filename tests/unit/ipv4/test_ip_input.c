/* What may come in: frames (attacks 1.1) and IPv4 headers (1.3), each wrong one dropped for its reason, counted where
 * Linux counts it (S3-64), and never answered. */
#include "bed.h"
#include <stdlib.h>

static struct bed *b;
static struct wire *w;
static int fd;
#define ME IP(10, 0, 0, 1)
#define PEER IP(10, 0, 0, 9)

static int setup(void **state)
{
	b = bed_new();
	w = bed_wire(b, "eth0", "10.0.0.1/24");
	fd = bed_udp(b, NULL, 7000);
	bed_trace_clear(b);
	return 0;
}

static int teardown(void **state)
{
	bed_free(b);
	return 0;
}

static struct pkt *good(void)
{
	return pkt_udp(PEER, 5000, ME, 7000, "hello", 5);
}

/* It died of that, nobody got it, and nothing was said. */
static void expect_silent_death(struct pkt *p, enum drop_reason why)
{
	uint64_t n = bed_drops(b, why);
	char buf[16];

	wire_clear(w);
	wire_in(w, p);
	assert_int_equal(bed_drops(b, why) - n, 1);
	assert_int_equal(bed_recv(b, fd, buf, sizeof(buf)), -EAGAIN);
	assert_int_equal(w->n, 0);
}

static void expect_delivered(struct pkt *p, size_t len)
{
	char buf[70000 / 32];

	wire_in(w, p);
	assert_int_equal(bed_recv(b, fd, buf, sizeof(buf)), len);
}

/* ---- 1.1 ---- */

static void eth_01_shorter_than_a_header(void **state)
{
	uint8_t f[14] = { 0 };

	for (size_t n = 0; n < 14; n++)
		wire_frame(w, f, n);
	assert_int_equal(bed_entered(b, "ip_rcv") + bed_entered(b, "arp_rcv"), 0);
	assert_int_equal(w->n, 0);
	assert_int_equal(w->dev->stats.rx_length_errors, 14);
}

static void eth_02_header_only(void **state)
{
	uint8_t f[14];

	memcpy(f, w->dev->dev_addr, 6);
	memcpy(f + 6, w->peer_mac, 6);
	put_be16(f + 12, ETH_P_IP);
	wire_frame(w, f, sizeof(f));
	assert_int_equal(bed_drops(b, DROP_IP_INHDR), 1);
	assert_int_equal(b->net->mib.ip.InHdrErrors, 1);
}

static void eth_03_longer_than_the_mtu(void **state)
{
	static const uint32_t sizes[] = { 1519, 9019, 65549 };
	uint8_t *f = calloc(1, 70000);

	memcpy(f, w->dev->dev_addr, 6);
	memcpy(f + 6, w->peer_mac, 6);
	put_be16(f + 12, ETH_P_IP);
	for (unsigned i = 0; i < 3; i++)
		wire_frame(w, f, sizes[i]);
	assert_int_equal(bed_entered(b, "ip_rcv"), 0);
	free(f);
}

static void eth_04_s3_142_padding_is_trimmed(void **state)
{
	struct pkt *p = pkt_udp(PEER, 5000, ME, 7000, NULL, 0);
	char buf[64];

	memset(p->b + ETH_HLEN + 28, 0x41, 32);
	memcpy(p->b, w->dev->dev_addr, 6);
	memcpy(p->b + 6, w->peer_mac, 6);
	put_be16(p->b + 12, ETH_P_IP);
	wire_frame(w, p->b, 60 + 14);
	free(p);
	assert_int_equal(bed_recv(b, fd, buf, sizeof(buf)), 0); /* an empty datagram, not 32 octets of 'A' */
	p = pkt_echo(PEER, ME, 1, 1, 4);
	memset(p->b + ETH_HLEN + p->len, 0x41, 30);
	p->len += 30;
	p->len -= 30;
	memcpy(p->b, w->dev->dev_addr, 6);
	memcpy(p->b + 6, w->peer_mac, 6);
	put_be16(p->b + 12, ETH_P_IP);
	wire_frame(w, p->b, p->len + 30 + 14);
	free(p);
	assert_int_equal(ip4_tot_len(wire_ip(w, 0)), 32);
}

static void eth_06_group_source_mac(void **state)
{
	static const uint8_t mc[6] = { 1, 0, 0x5e, 1, 2, 3 };

	wire_in_mac(w, good(), w->dev->dev_addr, mc);
	wire_in_mac(w, good(), w->dev->dev_addr, bcast_mac);
	assert_int_equal(bed_drops(b, DROP_BAD_SRC_MAC), 2);
	assert_int_equal(bed_entered(b, "udp_rcv"), 0);
	assert_int_equal(w->n, 0);
}

static void eth_07_our_own_source_mac(void **state)
{
	wire_in_mac(w, pkt_echo(PEER, ME, 1, 1, 8), w->dev->dev_addr, w->dev->dev_addr);
	assert_int_equal(bed_drops(b, DROP_BAD_SRC_MAC), 1);
	assert_int_equal(w->n, 0);
}

static void eth_08_s3_95_another_hosts_mac(void **state)
{
	static const uint8_t other[6] = { 2, 9, 9, 9, 9, 9 };
	uint64_t rx = b->net->mib.ip.InReceives;

	dev_set_promiscuity(w->dev, 1);
	wire_in_mac(w, pkt_echo(PEER, ME, 1, 1, 8), other, w->peer_mac);
	wire_in_mac(w, pkt_udp(PEER, 1, ME, 9, "x", 1), other, w->peer_mac); /* ICMP-05: no error either */
	assert_int_equal(bed_drops(b, DROP_OTHERHOST), 2);
	assert_int_equal(w->dev->stats.rx_otherhost_dropped, 2);
	assert_int_equal(b->net->mib.ip.InReceives, rx);
	assert_int_equal(w->n, 0);
}

static void eth_09_802_3_lengths(void **state)
{
	static const uint16_t types[] = { 46, 0x05dc, 0x05dd, 0x05ff };
	uint8_t f[60] = { 0 };

	memcpy(f, w->dev->dev_addr, 6);
	memcpy(f + 6, w->peer_mac, 6);
	f[14] = f[15] = 0xaa;
	f[16] = 3;
	put_be16(f + 20, ETH_P_IP);
	for (unsigned i = 0; i < 4; i++) {
		put_be16(f + 12, types[i]);
		wire_frame(w, f, sizeof(f));
	}
	assert_int_equal(bed_entered(b, "ip_rcv"), 0);
	assert_int_equal(bed_drops(b, DROP_UNHANDLED_PROTO), 4);
}

static void eth_10_vlan_tags(void **state)
{
	uint8_t f[60] = { 0 };

	memcpy(f, w->dev->dev_addr, 6);
	memcpy(f + 6, w->peer_mac, 6);
	put_be16(f + 12, ETH_P_8021Q);
	wire_frame(w, f, 14); /* cut off behind the TPID */
	wire_frame(w, f, 16);
	put_be16(f + 16, ETH_P_8021Q); /* two tags */
	put_be16(f + 20, ETH_P_IP);
	wire_frame(w, f, 60);
	put_be16(f + 12, ETH_P_8021AD);
	wire_frame(w, f, 60);
	assert_int_equal(bed_entered(b, "ip_rcv"), 0);
	assert_int_equal(w->n, 0);
}

static void s3_141_ipv6_is_told_apart(void **state)
{
	uint8_t f[60] = { 0 };

	memcpy(f, w->dev->dev_addr, 6);
	memcpy(f + 6, w->peer_mac, 6);
	put_be16(f + 12, ETH_P_IPV6);
	f[14] = 0x60;
	wire_frame(w, f, sizeof(f));
	assert_int_equal(bed_entered(b, "ip_rcv"), 0);
	assert_int_equal(bed_drops(b, DROP_UNHANDLED_PROTO), 1);
}

/* ---- 1.3 ---- */

static void ip4_01_nineteen_octets(void **state)
{
	struct pkt *p = good();

	p->len = 19;
	expect_silent_death(p, DROP_IP_INHDR);
	assert_int_equal(b->net->mib.ip.InHdrErrors, 1);
}

static void ip4_02_versions(void **state)
{
	static const uint8_t v[] = { 0, 5, 6, 15 };

	for (unsigned i = 0; i < 4; i++) {
		struct pkt *p = good();

		pkt_ip(p)->ver_ihl = (uint8_t)(v[i] << 4 | 5);
		put_be16(pkt_ip(p)->check, 0);
		put_be16(pkt_ip(p)->check, ip4_fast_csum(pkt_ip(p), 20));
		expect_silent_death(p, DROP_IP_INHDR);
	}
	assert_int_equal(b->net->mib.ip.InHdrErrors, 4);
}

static void ip4_03_short_ihl(void **state)
{
	static const uint8_t ihl[] = { 0, 1, 4 };

	for (unsigned i = 0; i < 3; i++) {
		struct pkt *p = good();

		pkt_ip(p)->ver_ihl = (uint8_t)(0x40 | ihl[i]);
		expect_silent_death(p, DROP_IP_INHDR);
	}
}

static void ip4_04_ihl_beyond_the_packet(void **state)
{
	struct pkt *p = pkt_udp(PEER, 5000, ME, 7000, NULL, 12); /* 40 octets */

	pkt_ip(p)->ver_ihl = 0x4f;
	put_be16(pkt_ip(p)->check, 0);
	put_be16(pkt_ip(p)->check, ip4_fast_csum(pkt_ip(p), 60));
	expect_silent_death(p, DROP_IP_INHDR);
}

static void ip4_05_total_length_below_the_header(void **state)
{
	static const uint16_t l[] = { 0, 19 };

	for (unsigned i = 0; i < 2; i++) {
		struct pkt *p = good();

		put_be16(pkt_ip(p)->tot_len, l[i]);
		put_be16(pkt_ip(p)->check, 0);
		put_be16(pkt_ip(p)->check, ip4_fast_csum(pkt_ip(p), 20));
		expect_silent_death(p, DROP_IP_INHDR);
	}
	{
		struct pkt *p = pkt_new(PEER, ME, 17, NULL, 20, 60);

		put_be16(pkt_ip(p)->tot_len, 59);
		put_be16(pkt_ip(p)->check, 0);
		put_be16(pkt_ip(p)->check, ip4_fast_csum(pkt_ip(p), 60));
		expect_silent_death(p, DROP_IP_INHDR);
	}
}

static void ip4_06_truncated(void **state)
{
	struct pkt *p = good();

	put_be16(pkt_ip(p)->tot_len, 1500);
	put_be16(pkt_ip(p)->check, 0);
	put_be16(pkt_ip(p)->check, ip4_fast_csum(pkt_ip(p), 20));
	expect_silent_death(p, DROP_IP_TRUNCATED);
	assert_int_equal(b->net->mib.ipext.InTruncatedPkts, 1); /* and only that (S3-64) */
	assert_int_equal(b->net->mib.ip.InHdrErrors, 0);
}

static void ip4_07_checksum(void **state)
{
	struct pkt *p = good();

	put_be16(pkt_ip(p)->check, (uint16_t)(get_be16(pkt_ip(p)->check) + 1));
	expect_silent_death(p, DROP_IP_CSUM);
	assert_int_equal(b->net->mib.ip.InHdrErrors, 1);
	assert_int_equal(b->net->mib.ipext.InCsumErrors, 1);
	/* both zeros: an id that makes the header sum to 0xffff */
	for (int i = 0; i < 2; i++) {
		uint32_t sum;

		p = good();
		put_be16(pkt_ip(p)->id, 0);
		put_be16(pkt_ip(p)->check, 0);
		sum = csum_partial(pkt_ip(p), 20, 0);
		put_be16(pkt_ip(p)->id, csum_fold(sum));
		put_be16(pkt_ip(p)->check, i ? 0xffff : 0);
		expect_delivered(p, 5);
	}
}

static void ip4_08_s3_67_ttl_0_and_1_for_us(void **state)
{
	for (uint8_t ttl = 0; ttl < 2; ttl++) {
		struct pkt *p = good();

		pkt_ip(p)->ttl = ttl;
		pkt_fix(p);
		expect_delivered(p, 5);
	}
}

static void ip4_09_evil_bit(void **state)
{
	struct pkt *p = good();

	put_be16(pkt_ip(p)->frag_off, IP_RF);
	pkt_fix(p);
	expect_delivered(p, 5);
}

static void ip4_10_sources_that_cannot_be(void **state)
{
	static const uint32_t src[] = { 0, 0xffffffffu, IP(224, 0, 0, 1), IP(127, 0, 0, 1), IP(10, 0, 0, 255), IP(10, 0, 0, 1) };
	static const enum drop_reason why[] = { DROP_IP_MARTIAN_SOURCE, DROP_IP_MARTIAN_SOURCE, DROP_IP_MARTIAN_SOURCE,
						DROP_IP_MARTIAN_SOURCE, DROP_IP_MARTIAN_SOURCE, DROP_IP_LOCAL_SOURCE };

	for (unsigned i = 0; i < ARRAY_SIZE(src); i++) {
		expect_silent_death(pkt_udp(src[i], 5, ME, 7000, "x", 1), why[i]);
		expect_silent_death(pkt_udp(src[i], 5, ME, 9, "x", 1), why[i]); /* a closed port: no ICMP */
		expect_silent_death(pkt_echo(src[i], ME, 1, 1, 8), why[i]);
		expect_silent_death(pkt_new(src[i], ME, 6, NULL, 20, 20), why[i]); /* and no RST */
	}
	assert_int_equal(b->net->mib.in_martian_src, 24);
}

static void ip4_11_land(void **state)
{
	uint8_t tcp[20] = { 0, 80, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 16, 0 };

	for (int i = 0; i < 100; i++)
		expect_silent_death(pkt_new(ME, ME, 6, tcp, 20, 20), DROP_IP_LOCAL_SOURCE);
	assert_int_equal(bed_entered(b, "tcp_v4_rcv"), 0);
}

static void ip4_12_loopback_destination(void **state)
{
	expect_silent_death(pkt_udp(PEER, 5, IP(127, 0, 0, 1), 7000, "x", 1), DROP_IP_MARTIAN_DEST);
	assert_int_equal(b->net->mib.in_martian_dst, 1);
}

static void ip4_13_s3_66_unknown_protocols(void **state)
{
	static const uint8_t proto[] = { 0, 4, 41, 200, 255 };

	for (unsigned i = 0; i < ARRAY_SIZE(proto); i++) {
		struct pkt *p = pkt_new(PEER, ME, proto[i], NULL, 40, 20);

		bed_sleep(b, 2 * NSEC_PER_SEC);
		wire_clear(w);
		wire_in(w, p);
		assert_int_equal(wire_icmp(w, wire_count(w, ETH_P_IP) - 1)->type, 3);
		assert_int_equal(wire_icmp(w, wire_count(w, ETH_P_IP) - 1)->code, 2);
	}
	assert_int_equal(b->net->mib.ip.InUnknownProtos, 5);
	wire_clear(w);
	wire_in_mac(w, pkt_new(PEER, IP(10, 0, 0, 255), 200, NULL, 40, 20), bcast_mac, w->peer_mac);
	assert_int_equal(w->n, 0); /* to a broadcast: silence */
	assert_int_equal(bed_drops(b, DROP_IP_NOPROTO), 6);
}

static void ip4_21_transport_behind_options(void **state)
{
	struct pkt *p = pkt_new(PEER, ME, 17, NULL, 13, 40);
	uint8_t *u = pkt_l4(p);

	put_be16(u, 5000);
	put_be16(u + 2, 7000);
	put_be16(u + 4, 13);
	put_be16(u + 6, 0);
	expect_delivered(p, 5);
}

static void s3_143_not_for_us(void **state)
{
	expect_silent_death(pkt_udp(PEER, 5, IP(10, 0, 0, 77), 7000, "x", 1), DROP_IP_NOFORWARD);
	assert_int_equal(b->net->mib.ip.InAddrErrors, 1);
	expect_silent_death(pkt_udp(PEER, 5, IP(8, 8, 8, 8), 7000, "x", 1), DROP_IP_NOFORWARD);
	expect_silent_death(pkt_udp(PEER, 5, IP(239, 1, 1, 1), 7000, "x", 1), DROP_IP_MULTICAST_NOT_MEMBER);
}

static void s3_152_data_moves_up_by_layers(void **state)
{
	/* 14 in eth_type_trans, 20 in ip_local_deliver_finish, 8 in UDP: the program gets the rest. */
	expect_delivered(good(), 5);
	assert_int_equal(b->net->skb_mib.skb_to_user_bytes, 5);
}

static void rp_filter_strict_and_loose(void **state)
{
	struct wire *w1 = bed_wire(b, "eth1", "10.1.0.1/24");

	expect_delivered(pkt_udp(IP(10, 1, 0, 9), 5, ME, 7000, "x", 1), 1); /* off, as on Linux */
	bed_sysctl(b, "net.ipv4.conf.all.rp_filter", "1");
	expect_silent_death(pkt_udp(IP(10, 1, 0, 9), 5, ME, 7000, "x", 1), DROP_IP_RPFILTER);
	assert_int_equal(b->net->mib.tcpext.IPReversePathFilter, 1);
	bed_sysctl(b, "net.ipv4.conf.all.rp_filter", "2");
	expect_delivered(pkt_udp(IP(10, 1, 0, 9), 5, ME, 7000, "x", 1), 1);
	expect_silent_death(pkt_udp(IP(99, 1, 0, 9), 5, ME, 7000, "x", 1), DROP_IP_RPFILTER); /* no way back at all */
	(void)w1;
}

static void counters_by_class(void **state)
{
	const struct ipstats_mib *m = &b->net->mib;
	struct pkt *p = pkt_udp(PEER, 5, ME, 7000, "x", 1);

	pkt_ip(p)->tos = 3;
	pkt_fix(p);
	wire_in(w, p);
	assert_int_equal(m->ipext.InCEPkts, 1);
	assert_int_equal(m->ipext.InOctets, 29);
	wire_in_mac(w, pkt_udp(PEER, 5, IP(10, 0, 0, 255), 7000, "x", 1), bcast_mac, w->peer_mac);
	assert_int_equal(m->ipext.InBcastPkts, 1);
	assert_int_equal(m->ip.InReceives, 2);
	assert_int_equal(m->ip.InDelivers, 2);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest t[] = {
		T(eth_01_shorter_than_a_header), T(eth_02_header_only), T(eth_03_longer_than_the_mtu),
		T(eth_04_s3_142_padding_is_trimmed), T(eth_06_group_source_mac), T(eth_07_our_own_source_mac),
		T(eth_08_s3_95_another_hosts_mac), T(eth_09_802_3_lengths), T(eth_10_vlan_tags), T(s3_141_ipv6_is_told_apart),
		T(ip4_01_nineteen_octets), T(ip4_02_versions), T(ip4_03_short_ihl), T(ip4_04_ihl_beyond_the_packet),
		T(ip4_05_total_length_below_the_header), T(ip4_06_truncated), T(ip4_07_checksum), T(ip4_08_s3_67_ttl_0_and_1_for_us),
		T(ip4_09_evil_bit), T(ip4_10_sources_that_cannot_be), T(ip4_11_land), T(ip4_12_loopback_destination),
		T(ip4_13_s3_66_unknown_protocols), T(ip4_21_transport_behind_options), T(s3_143_not_for_us),
		T(s3_152_data_moves_up_by_layers), T(rp_filter_strict_and_loose), T(counters_by_class),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
