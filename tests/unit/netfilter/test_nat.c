/* NAT: attacks NAT-01 to NAT-15; RFC 3022, 4787 (UDP), 5382 (TCP), 5508 (ICMP), 7857. See nat_bed.h for the router. */
#include "nat_bed.h"
#include <stdio.h>
#include <stdlib.h>

static int setup(void **state)
{
	nat_bed_open();
	quiet("iptables -t nat -A POSTROUTING -o eth1 -j MASQUERADE");
	bed_trace_clear(b);
	return 0;
}

static int teardown(void **state)
{
	nat_bed_close();
	return 0;
}

/* ---- mappings ---- */

static void nat_01_rfc4787_req_1_one_mapping_whatever_the_far_end(void **state)
{
	uint16_t p = udp_out(A, 5000, R, 1);

	assert_int_equal(p, 5000); /* kept: it is free */
	assert_int_equal(udp_out(A, 5000, R2, 2), p);
	assert_int_equal(udp_out(A, 5000, R, 3), p);
	assert_int_equal(sport_of(tcp_out(A, 5000, R, 80, TCP_SYN, 1, 0, 0)), 5000);
	assert_int_equal(sport_of(tcp_out(A, 5000, R2, 81, TCP_SYN, 1, 0, 0)), 5000);
	assert_int_equal(cn()->nat->nr_maps, 2);
	assert_true(udp_back(R, 1, p, A, 5000));
	assert_true(udp_back(R2, 2, p, A, 5000));
	assert_true(bed_order(b, "nf_conntrack_in", "nf_nat_ipv4_pre_routing", "nf_nat_ipv4_out", "nf_nat_setup_info", "nf_nat_packet",
			      "nf_nat_manip_pkt", "__nf_conntrack_confirm", NULL));
}

static void nat_02_rfc4787_req_3_rfc5382_req_7_no_overloading(void **state)
{
	uint16_t p = udp_out(A, 5000, R, 1), q = udp_out(A2, 5000, R2, 1);

	assert_int_equal(p, 5000);
	assert_true(q >= 1024 && q != p);
	assert_int_equal(q & 1, 0); /* REQ-4: parity */
	assert_int_equal(udp_out(A2, 5000, R, 1), q);
	assert_true(udp_back(R2, 1, q, A2, 5000));
	assert_true(udp_back(R, 1, p, A, 5000));
	/* TCP, to two different far ends: Linux alone would let them share */
	assert_int_equal(sport_of(tcp_out(A, 700, R, 80, TCP_SYN, 1, 0, 0)), 700);
	q = sport_of(tcp_out(A2, 700, R2, 80, TCP_SYN, 1, 0, 0));
	assert_true(q != 700 && q && q < 1024); /* REQ-3a: of the same class */
}

static void nat_own_programs_ports_are_not_given_away(void **state)
{
	int fd = bed_udp(b, NULL, 5000);
	uint16_t p = udp_out(A, 5000, R, 1);

	assert_true(p != 5000 && p);
	assert_int_equal(bed_send(b, fd, "198.51.100.10", 1, "x", 1), 1);
	assert_packet(sent(out), EXT, 5000, R, 1);
}

static void nat_03_rfc4787_req_5_req_6_udp_idle_two_minutes(void **state)
{
	uint16_t p = udp_out(A, 5000, R, 1);

	bed_sleep(b, 119 * NSEC_PER_SEC);
	assert_true(udp_back(R, 1, p, A, 5000));
	bed_sleep(b, 5 * NSEC_PER_SEC);
	udp_out(A, 5000, R, 1);
	bed_sleep(b, 299 * NSEC_PER_SEC); /* a stream now: the five minutes recommended */
	assert_true(udp_back(R, 1, p, A, 5000));
	bed_sleep(b, 301 * NSEC_PER_SEC);
	assert_int_equal(cn()->count, 0);
	assert_int_equal(cn()->nat->nr_maps, 0);
	assert_false(udp_back(R, 1, p, A, 5000));
}

static void nat_04_rfc5382_req_5_tcp_idle(void **state)
{
	uint16_t p = tcp_connect_(A, 5000, R, 80), q;

	bed_sleep(b, (2 * 3600 + 3 * 60) * NSEC_PER_SEC);
	assert_packet(tcp_back(R, 80, p, TCP_ACK, 5001, 1001, 10), R, 80, A, 5000);
	/* partly open: 4 min at least */
	q = sport_of(tcp_out(A, 5001, R, 80, TCP_SYN, 1000, 0, 0));
	bed_sleep(b, 239 * NSEC_PER_SEC);
	assert_packet(tcp_back(R, 80, q, TCP_SYN | TCP_ACK, 5000, 1001, 0), R, 80, A, 5001);
	bed_sleep(b, 239 * NSEC_PER_SEC);
	assert_packet(tcp_out(A, 5001, R, 80, TCP_ACK, 1001, 5001, 0), EXT, q, R, 80);
	/* closing */
	tcp_out(A, 5001, R, 80, TCP_FIN | TCP_ACK, 1001, 5001, 0);
	bed_sleep(b, 239 * NSEC_PER_SEC);
	assert_packet(tcp_back(R, 80, q, TCP_FIN | TCP_ACK, 5001, 1002, 0), R, 80, A, 5001);
	bed_sleep(b, 239 * NSEC_PER_SEC);
	assert_non_null(tcp_out(A, 5001, R, 80, TCP_ACK, 1002, 5002, 0));
	assert_int_equal(conn(A, 5001)->proto.tcp.state, TCP_CONNTRACK_TIME_WAIT);
	bed_sleep(b, 241 * NSEC_PER_SEC);
	assert_null(conn(A, 5001));
}

static void nat_05_rfc4787_req_9_hairpin_udp(void **state)
{
	uint16_t p2 = udp_out(A2, 6000, R, 1), p;

	clear();
	wire_in(in, pkt_udp(A, 5000, EXT, p2, "hi", 2));
	assert_int_equal(wire_count(out, ETH_P_IP), 0);
	p = sport_of(sent(in));
	assert_packet(sent(in), EXT, p, A2, 6000); /* REQ-9a: the outside address and port as the source */
	clear();
	wire_in(in, pkt_udp(A2, 6000, EXT, p, "ho", 2));
	assert_packet(sent(in), EXT, p2, A, 5000);
	assert_int_equal(udp_out(A, 5000, R2, 9), p); /* and it is the same mapping to the outside */
}

static void nat_05_rfc5382_req_8_hairpin_tcp(void **state)
{
	uint16_t p2 = tcp_connect_(A2, 6000, R, 80), p;

	clear();
	wire_in(in, pkt_tcp(A, 5000, EXT, p2, TCP_SYN, 100, 0, 0));
	p = sport_of(sent(in));
	assert_packet(sent(in), EXT, p, A2, 6000);
	clear();
	wire_in(in, pkt_tcp(A2, 6000, EXT, p, TCP_SYN | TCP_ACK, 900, 101, 0));
	assert_packet(sent(in), EXT, p2, A, 5000);
}

static void nat_05_hairpin_to_a_forwarded_port(void **state)
{
	quiet("iptables -t nat -A PREROUTING -p tcp --dport 80 -m addrtype --dst-type LOCAL -j DNAT --to-destination 192.168.1.3:8080");
	clear();
	wire_in(in, pkt_tcp(A, 5000, EXT, 80, TCP_SYN, 100, 0, 0));
	assert_packet(sent(in), EXT, 5000, A2, 8080);
	clear();
	wire_in(in, pkt_tcp(A2, 8080, EXT, 5000, TCP_SYN | TCP_ACK, 900, 101, 0));
	assert_packet(sent(in), EXT, 80, A, 5000);
	/* from the outside it is an ordinary port forward: the far end's address stays */
	clear();
	wire_in(out, pkt_tcp(R, 1234, EXT, 80, TCP_SYN, 100, 0, 0));
	assert_packet(sent(in), R, 1234, A2, 8080);
	clear();
	wire_in(in, pkt_tcp(A2, 8080, R, 1234, TCP_SYN | TCP_ACK, 900, 101, 0));
	assert_packet(sent(out), EXT, 80, R, 1234);
	/* and the web outside is still the web */
	assert_packet(tcp_out(A, 5001, R, 80, TCP_SYN, 1, 0, 0), EXT, 5001, R, 80);
}

static void rfc4787_req_8_filtering(void **state)
{
	uint16_t p = udp_out(A, 5000, R, 1);

	assert_false(udp_back(R, 2, p, A, 5000)); /* address and port dependent */
	assert_false(udp_back(R2, 1, p, A, 5000));
	assert_null(sent(out)); /* silently: somebody may be about to open a way */
	assert_false(udp_back(R2, 1, 5001, A, 5000));
	assert_int_equal(wire_icmp(out, 0)->code, 3); /* nobody's port */
	bed_sysctl(b, "net.netfilter.nf_nat_full_cone", "1");
	assert_true(udp_back(R2, 7, p, A, 5000));
	bed_sysctl(b, "net.netfilter.nf_nat_hairpin", "0");
	clear();
	wire_in(in, pkt_udp(A2, 5000, EXT, p, "hi", 2));
	assert_int_equal(wire_icmp(in, 0)->type, 3); /* the router's own, closed, port */
}

/* ---- ICMP errors ---- */

/* What an error quotes: the packet as the quoting router saw it. */
static const struct ip4_hdr *quoted(const struct ip4_hdr *h)
{
	const struct ip4_hdr *q = (const void *)(l4_of(h) + 8);

	assert_int_equal(ip4_fast_csum(q, ip4_hlen(q)), 0);
	return q;
}

static void nat_06_rfc5508_req_4_error_from_outside(void **state)
{
	static const struct { uint8_t type, code; } errors[] = { { 3, 3 }, { 3, 4 }, { 11, 0 }, { 12, 0 } };
	uint16_t p = udp_out(A2, 5000, R, 1);
	uint8_t q[64];
	const struct ip4_hdr *h;

	p = udp_out(A, 5000, R, 1); /* another port: so that it has to be put back */
	assert_int_not_equal(p, 5000);
	memcpy(q, sent(out), 30);
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		clear();
		wire_in(out, pkt_icmp_err(R2, EXT, errors[i].type, errors[i].code, 1400, q, 30));
		h = sent(in);
		assert_non_null(h);
		assert_int_equal(ip4_saddr(h), R2); /* whoever it was */
		assert_int_equal(ip4_daddr(h), A);
		assert_int_equal(l4_of(h)[0], errors[i].type);
		assert_int_equal(l4_of(h)[1], errors[i].code);
		assert_int_equal(get_be32(l4_of(h) + 4), 1400);
		assert_packet(quoted(h), A, 5000, R, 1);
		/* the quoted UDP checksum is right for the quoted addresses again */
		assert_int_equal(csum_fold(csum_tcpudp_nofold(A, R, 10, 17, csum_partial(l4_of(quoted(h)), 10, 0))), 0);
	}
	assert_true(udp_back(R, 1, p, A, 5000)); /* RFC 4787 REQ-12, RFC 5508 REQ-6 */
	assert_true(bed_entered(b, "nf_nat_icmp_reply_translation") > 0);
}

static void nat_06_rfc5508_req_6_errors_neither_refresh_nor_end(void **state)
{
	uint16_t p = udp_out(A, 5000, R, 1);
	uint64_t expires = conn(A, 5000)->expires_ns;
	uint8_t q[28];

	memcpy(q, sent(out), 28);
	bed_sleep(b, 60 * NSEC_PER_SEC);
	clear();
	wire_in(out, pkt_icmp_err(R, EXT, 3, 3, 0, q, 28));
	assert_non_null(sent(in));
	assert_int_equal(conn(A, 5000)->expires_ns, expires);
	assert_int_equal(conn(A, 5000)->packets[1], 0);
	assert_true(udp_back(R, 1, p, A, 5000));
}

static void nat_06_rfc5508_req_3_quoted_options_and_wrong_sums(void **state)
{
	struct pkt *p;
	uint8_t q[80];
	const struct ip4_hdr *h;

	udp_out(A2, 5000, R, 1);
	clear();
	p = pkt_new(A, R, 17, NULL, 12, 32); /* twelve octets of NOP behind the header */
	put_be16(pkt_l4(p), 5000);
	put_be16(pkt_l4(p) + 2, 1);
	put_be16(pkt_l4(p) + 4, 12);
	put_be16(pkt_l4(p) + 6, 0);
	wire_in(in, p);
	assert_non_null(sent(out));
	memcpy(q, sent(out), 44);
	clear();
	wire_in(out, pkt_icmp_err(R, EXT, 11, 0, 0, q, 40)); /* eight octets of UDP, no more */
	h = sent(in);
	assert_non_null(h);
	assert_int_equal(ip4_hlen(quoted(h)), 32);
	assert_packet(quoted(h), A, 5000, R, 1);
	assert_int_equal(get_be16(l4_of(quoted(h)) + 6), 0); /* NAT-14: there was none */
	/* the quoted header's sum is wrong: REQ-3a */
	q[10] ^= 1;
	clear();
	wire_in(out, pkt_icmp_err(R, EXT, 11, 0, 0, q, 40));
	assert_null(sent(in));
	/* the message's own: REQ-3 */
	q[10] ^= 1;
	p = pkt_icmp_err(R, EXT, 11, 0, 0, q, 40);
	pkt_l4(p)[2] ^= 1;
	wire_in(out, p);
	assert_null(sent(in));
	/* nobody's packet: REQ-4 */
	put_be16(q + 32, 4999);
	wire_in(out, pkt_icmp_err(R, EXT, 11, 0, 0, q, 40));
	assert_null(sent(in));
}

static void nat_06_rfc5508_req_5_error_from_inside(void **state)
{
	uint16_t p;
	uint8_t q[28];
	const struct ip4_hdr *h;

	udp_out(A2, 5000, R, 1);
	p = udp_out(A, 5000, R, 1);
	assert_true(udp_back(R, 1, p, A, 5000));
	memcpy(q, sent(in), 28);
	clear();
	wire_in(in, pkt_icmp_err(IP(192, 168, 1, 77), R, 3, 3, 0, q, 28)); /* from a router inside */
	h = sent(out);
	assert_non_null(h);
	assert_int_equal(ip4_saddr(h), EXT);
	assert_int_equal(ip4_daddr(h), R);
	assert_packet(quoted(h), R, 1, EXT, p);
	/* about nothing that we know: it must not leave with its own address */
	put_be16(q + 22, 4999);
	clear();
	wire_in(in, pkt_icmp_err(A, R, 3, 3, 0, q, 28));
	assert_null(sent(out));
	assert_int_equal(bed_drops(b, DROP_NAT_NO_MAPPING), 1);
}

static void rfc5508_req_7_hairpinned_error(void **state)
{
	uint16_t p2 = udp_out(A2, 6000, R, 1), p;
	const struct ip4_hdr *h;
	uint8_t q[28];

	clear();
	wire_in(in, pkt_udp(A, 5000, EXT, p2, "hi", 2));
	memcpy(q, sent(in), 28);
	p = sport_of(sent(in));
	clear();
	wire_in(in, pkt_icmp_err(A2, EXT, 3, 3, 0, q, 28));
	h = sent(in);
	assert_non_null(h);
	assert_int_equal(ip4_daddr(h), A);
	assert_int_equal(ip4_saddr(h), EXT);
	assert_packet(quoted(h), A, 5000, EXT, p2);
	assert_int_equal(p, 5000);
}

static void rfc5382_req_10_errors_end_no_tcp_connection(void **state)
{
	uint16_t p = tcp_connect_(A, 5000, R, 80);
	uint8_t q[28];

	memcpy(q, sent(out), 28);
	clear();
	wire_in(out, pkt_icmp_err(R, EXT, 3, 3, 0, q, 28));
	assert_int_equal(ip4_daddr(sent(in)), A);
	assert_packet(quoted(sent(in)), A, 5000, R, 80); /* eight octets: no quoted checksum to mend */
	assert_int_equal(conn(A, 5000)->proto.tcp.state, TCP_CONNTRACK_ESTABLISHED);
	assert_packet(tcp_back(R, 80, p, TCP_ACK, 5001, 1001, 10), R, 80, A, 5000);
}

/* ---- resets, strangers, floods ---- */

static void nat_07_forged_resets_leave_the_mapping(void **state)
{
	uint16_t p = tcp_connect_(A, 5000, R, 80);

	for (uint32_t i = 1; i < 64; i++)
		tcp_back(R, 80, p, TCP_RST, 5001 + i * 0x04000000u, 0, 0); /* all round the sequence space */
	assert_int_equal(conn(A, 5000)->proto.tcp.state, TCP_CONNTRACK_ESTABLISHED);
	assert_null(tcp_back(R, 80, p, TCP_RST | TCP_ACK, 5001 + 70000, 1001, 0)); /* out of the window: not even passed on */
	assert_non_null(tcp_back(R, 80, p, TCP_RST, 5002, 0, 0)); /* in it: A will ask (RFC 5961), nothing changes here */
	assert_int_equal(conn(A, 5000)->proto.tcp.state, TCP_CONNTRACK_ESTABLISHED);
	assert_true(conn(A, 5000)->expires_ns > b->net->now_ns + 7000 * NSEC_PER_SEC);
	assert_packet(tcp_back(R, 80, p, TCP_ACK, 5001, 1001, 10), R, 80, A, 5000);
	/* and forged ones from the inside of the same LAN's point of view */
	tcp_out(A, 5000, R, 80, TCP_RST, 1001 + 1000000, 0, 0);
	assert_int_equal(conn(A, 5000)->proto.tcp.state, TCP_CONNTRACK_ESTABLISHED);
}

static void nat_07_rfc7857_2_2_a_true_reset_waits_four_minutes(void **state)
{
	uint16_t p = tcp_connect_(A, 5000, R, 80);

	assert_packet(tcp_back(R, 80, p, TCP_RST, 5001, 0, 0), R, 80, A, 5000); /* passed on */
	assert_int_equal(conn(A, 5000)->proto.tcp.state, TCP_CONNTRACK_CLOSE);
	bed_sleep(b, 239 * NSEC_PER_SEC);
	assert_non_null(conn(A, 5000));
	bed_sleep(b, 2 * NSEC_PER_SEC);
	assert_null(conn(A, 5000));
	assert_int_equal(cn()->nat->nr_maps, 0);
}

static void nat_08_rfc5508_req_8_quota_and_full_table(void **state)
{
	uint16_t first = udp_out(A2, 777, R, 1);

	bed_sysctl(b, "net.netfilter.nf_conntrack_host_max", "500");
	for (uint32_t i = 0; i < 2000; i++) {
		udp_out(A, (uint16_t)(10000 + i), R, 1);
		if (i == 500) {
			const struct icmp_hdr *m = wire_icmp(in, 0);

			assert_int_equal(m->type, 3);
			assert_int_equal(m->code, 13);
			assert_packet(quoted(sent(in)), A, 10500, R, 1);
		}
	}
	assert_int_equal(cn()->count, 501);
	assert_int_equal(cn()->stat.host_refused, 1500);
	assert_true(udp_back(R, 1, 10000, A, 10000)); /* the old ones live */
	assert_true(udp_back(R, 1, first, A2, 777));  /* and the neighbour is not hurt */
	assert_int_equal(udp_out(A2, 778, R, 1), 778);
	assert_int_equal(bed_drops(b, DROP_CT_HOST_FULL), 1500);
}

/* 10^6 flows of one host, by ports and far ends; an answer here and there, so that they are not idle. */
static void nat_08_a_million_flows_of_one_host(void **state)
{
	uint16_t first = udp_out(A2, 777, R, 1);

	probe_detach(&b->net->probe, &b->tr.sink);
	for (uint32_t i = 0; i < 1000000; i++) {
		struct pkt *p = pkt_udp(A, (uint16_t)(1024 + i % 60000), R + i / 60000, 1, "x", 1);

		wire_in(in, p);
		if (i % 4000 == 0)
			clear();
	}
	probe_attach(&b->net->probe, &b->tr.sink);
	assert_int_equal(cn()->count, 16384 + 1);
	assert_int_equal(cn()->nat->nr_maps, 16384 + 1);
	assert_true(udp_back(R, 1, 1024, A, 1024));
	assert_true(udp_back(R, 1, first, A2, 777));
	assert_true(b->net->mib.icmp.OutRateLimitGlobal + b->net->mib.icmp.OutRateLimitHost > 900000); /* told, but not each */
}

static void nat_08_rfc6888_table_is_bounded_and_answered_ones_stay(void **state)
{
	uint16_t p = tcp_connect_(A2, 777, R, 80);

	bed_sysctl(b, "net.netfilter.nf_conntrack_max", "1000");
	bed_sysctl(b, "net.netfilter.nf_conntrack_host_max", "0");
	for (uint32_t i = 0; i < 5000; i++)
		udp_out(A, (uint16_t)(1024 + i), R, 1);
	assert_int_equal(cn()->count, 1000);
	assert_int_equal(cn()->stat.early_drop, 5001 - 1000);
	assert_packet(tcp_back(R, 80, p, TCP_ACK, 5001, 1001, 10), R, 80, A2, 777);
	assert_int_equal(udp_out(A, 6000, R, 1), 6000);
}

static void nat_08_no_port_left(void **state)
{
	quiet("iptables -t nat -F");
	quiet("iptables -t nat -A POSTROUTING -o eth1 -p udp -j MASQUERADE --to-ports 4000-4003");
	for (uint16_t i = 0; i < 4; i++)
		assert_true(udp_out(A, (uint16_t)(5000 + i), R, 1) >> 2 == 1000);
	assert_int_equal(udp_out(A, 5004, R, 1), 0);
	assert_int_equal(wire_icmp(in, 0)->type, 3);
	assert_int_equal(wire_icmp(in, 0)->code, 13);
	assert_packet(quoted(sent(in)), A, 5004, R, 1);
	assert_int_equal(bed_drops(b, DROP_NAT_TABLE_FULL), 1);
	assert_true(udp_out(A, 5003, R2, 9) >> 2 == 1000); /* who has a mapping goes on using it */
}

static void nat_09_rfc5382_req_4_unsolicited_syn(void **state)
{
	clear();
	wire_in(out, pkt_tcp(R, 80, EXT, 9999, TCP_SYN, 1, 0, 0));
	bed_sleep(b, 5990 * NSEC_PER_MSEC);
	assert_null(sent(out));
	bed_sleep(b, 20 * NSEC_PER_MSEC);
	assert_int_equal(wire_icmp(out, 0)->type, 3);
	assert_int_equal(wire_icmp(out, 0)->code, 3);
	assert_int_equal(wire_count(out, ETH_P_IP), 1);
	/* no resets for other segments either */
	clear();
	wire_in(out, pkt_tcp(R, 80, EXT, 9999, TCP_ACK, 1, 1, 4));
	wire_in(out, pkt_tcp(R, 80, EXT, 9999, TCP_SYN | TCP_ACK, 1, 1, 0));
	bed_sleep(b, 10 * NSEC_PER_SEC);
	assert_null(sent(out));
	/* from the inside the router's closed port is a closed port */
	clear();
	wire_in(in, pkt_tcp(A, 80, GW_IN, 9999, TCP_SYN, 1, 0, 0));
	assert_true(l4_of(sent(in))[13] & TCP_RST);
}

static void nat_09_syns_that_wait_are_bounded(void **state)
{
	for (uint16_t i = 0; i < 1000; i++)
		wire_in(out, pkt_tcp(R, (uint16_t)(1000 + i), EXT, 9999, TCP_SYN, 1, 0, 0));
	assert_int_equal(cn()->nat->nr_syns, NAT_SYN_MAX);
	assert_int_equal(cn()->count, 0);
	assert_int_equal(bed_drops(b, DROP_NAT_NO_MAPPING), 1000 - NAT_SYN_MAX);
	bed_sleep(b, 7 * NSEC_PER_SEC);
	assert_int_equal(cn()->nat->nr_syns, 0);
}

static void nat_09_a_server_of_the_router_answers(void **state)
{
	int fd = sys_socket(b->t, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct sockaddr_in sin = bed_sin(NULL, 9999);

	assert_int_equal(sys_bind(b->t, fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(sys_listen(b->t, fd, 4), 0);
	clear();
	wire_in(out, pkt_tcp(R, 80, EXT, 9999, TCP_SYN, 1, 0, 0));
	assert_packet(sent(out), EXT, 9999, R, 80);
	assert_int_equal(l4_of(sent(out))[13], TCP_SYN | TCP_ACK);
}

static void nat_10_rfc5382_req_2_simultaneous_open(void **state)
{
	uint16_t p = sport_of(tcp_out(A, 5000, R, 80, TCP_SYN, 1000, 0, 0));

	assert_packet(tcp_back(R, 80, p, TCP_SYN, 5000, 0, 0), R, 80, A, 5000);
	assert_int_equal(conn(A, 5000)->proto.tcp.state, TCP_CONNTRACK_SYN_SENT2);
	assert_packet(tcp_out(A, 5000, R, 80, TCP_SYN | TCP_ACK, 1000, 5001, 0), EXT, p, R, 80);
	assert_packet(tcp_back(R, 80, p, TCP_SYN | TCP_ACK, 5000, 1001, 0), R, 80, A, 5000);
	assert_packet(tcp_out(A, 5000, R, 80, TCP_ACK, 1001, 5001, 10), EXT, p, R, 80);
	assert_packet(tcp_back(R, 80, p, TCP_ACK, 5001, 1011, 10), R, 80, A, 5000);
	assert_int_equal(conn(A, 5000)->proto.tcp.state, TCP_CONNTRACK_ESTABLISHED);
}

static void nat_10_rfc5382_req_4_their_syn_first(void **state)
{
	clear();
	wire_in(out, pkt_tcp(R, 80, EXT, 5000, TCP_SYN, 5000, 0, 0)); /* ours has not gone out yet */
	assert_null(sent(in));
	bed_sleep(b, 2 * NSEC_PER_SEC);
	assert_packet(tcp_out(A, 5000, R, 80, TCP_SYN, 1000, 0, 0), EXT, 5000, R, 80);
	clear();
	bed_sleep(b, 10 * NSEC_PER_SEC);
	assert_null(sent(out)); /* forgotten, not answered */
	assert_packet(tcp_back(R, 80, 5000, TCP_SYN, 5000, 0, 0), R, 80, A, 5000); /* tried again */
}

/* ---- fragments ---- */

/* The octets from..to of a datagram's payload as a fragment. */
static struct pkt *piece(struct pkt *whole, uint32_t from, uint32_t to, uint16_t df)
{
	struct pkt *f = pkt_new(ip4_saddr(pkt_ip(whole)), ip4_daddr(pkt_ip(whole)), pkt_ip(whole)->protocol, pkt_l4(whole) + from,
				to - from, 20);

	put_be16(pkt_ip(f)->frag_off, (uint16_t)(from / 8 | (to < whole->len - 20 ? IP_MF : 0) | df));
	pkt_fix(f);
	return f;
}

static void nat_11_rfc4787_req_14_fragments_in_any_order(void **state)
{
	static const uint32_t cut[] = { 0, 800, 1600, 2008 };
	struct pkt *w = pkt_udp(A, 5000, R, 1, NULL, 2000);
	const struct ip4_hdr *h;
	uint8_t got[2008];
	uint32_t n = 0;

	udp_out(A2, 5000, R, 1); /* the port has to change */
	clear();
	wire_in(in, piece(w, cut[2], cut[3], 0));
	wire_in(in, piece(w, cut[1], cut[2], 0));
	assert_null(sent(out));
	wire_in(in, piece(w, cut[0], cut[1], 0));
	assert_int_equal(wire_count(out, ETH_P_IP), 3); /* as many as came, no larger */
	for (unsigned i = 0; i < 3; i++) {
		h = wire_ip(out, i);
		assert_int_equal(ip4_saddr(h), EXT);
		assert_true(ip4_tot_len(h) <= 820);
		memcpy(got + (ip4_frag(h) & IP_OFFSET) * 8u, l4_of(h), ip4_tot_len(h) - 20u);
		n += ip4_tot_len(h) - 20u;
	}
	assert_int_equal(n, 2008);
	assert_int_equal(csum_fold(csum_tcpudp_nofold(EXT, R, 2008, 17, csum_partial(got, 2008, 0))), 0);
	assert_int_not_equal(get_be16(got), 5000);
	free(w);
}

static void nat_11_fragment_state_is_bounded(void **state)
{
	struct pkt *w = pkt_udp(A, 5000, R, 1, NULL, 1600);

	bed_sysctl(b, "net.ipv4.ipfrag_high_thresh", "200000");
	bed_sysctl(b, "net.ipv4.ipfrag_low_thresh", "100000");
	for (uint16_t i = 0; i < 2000; i++) {
		struct pkt *f = piece(w, 0, 800, 0);

		put_be16(pkt_ip(f)->id, i);
		pkt_fix(f);
		wire_in(in, f);
		assert_true(b->net->ipv4->frags.mem <= 200000 + 4096);
	}
	assert_true(bed_drops(b, DROP_FRAG_MEMORY) > 0);
	bed_sleep(b, 31 * NSEC_PER_SEC);
	assert_int_equal(b->net->ipv4->frags.mem, 0);
	assert_int_equal(cn()->count, 0);
	free(w);
}

static void rfc4787_req_13_df(void **state)
{
	struct pkt *p;

	assert_int_equal(dev_set_mtu(out->dev, 1000), 0);
	p = pkt_udp(A, 5000, R, 1, NULL, 1200);
	put_be16(pkt_ip(p)->frag_off, IP_DF);
	pkt_fix(p);
	clear();
	wire_in(in, p);
	assert_int_equal(wire_icmp(in, 0)->type, 3);
	assert_int_equal(wire_icmp(in, 0)->code, 4);
	assert_packet(quoted(sent(in)), A, 5000, R, 1);
	clear();
	wire_in(in, pkt_udp(A, 5000, R, 1, NULL, 1200));
	assert_int_equal(wire_count(out, ETH_P_IP), 2);
	/* fragments that came larger than the next link, without DF, are cut smaller */
	p = pkt_udp(A, 5000, R, 1, NULL, 2400);
	clear();
	wire_in(in, piece(p, 0, 1480, 0));
	wire_in(in, piece(p, 1480, 2408, 0));
	assert_int_equal(wire_count(out, ETH_P_IP), 3);
	/* with DF they are refused */
	clear();
	wire_in(in, piece(p, 0, 1480, IP_DF));
	wire_in(in, piece(p, 1480, 2408, IP_DF));
	assert_int_equal(wire_count(out, ETH_P_IP), 0);
	assert_int_equal(wire_icmp(in, 0)->code, 4);
	free(p);
}

/* ---- ports by chance ---- */

static void nat_12_rfc6056_random_ports_are_uniform(void **state)
{
	enum { BINS = 63, FLOWS = 100000 };
	static uint32_t bin[BINS];
	uint64_t chi = 0;
	uint32_t mean = FLOWS / BINS;
	struct nf_nat_range r = { .flags = NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_RANDOM_FULLY, .min_addr = EXT, .max_addr = EXT };
	static struct nf_conn ct;

	memset(bin, 0, sizeof(bin));
	for (uint32_t i = 0; i < FLOWS; i++) {
		uint32_t port;

		memset(&ct, 0, sizeof(ct));
		ct.cn = cn();
		ct.hash[0].tuple = (struct nf_conntrack_tuple){ .src = A, .dst = R, .sport = (uint16_t)(1024 + i % 60000), .dport = 1, .proto = 17 };
		ct.hash[1].dir = 1;
		nf_ct_invert_tuple(&ct.hash[1].tuple, &ct.hash[0].tuple);
		assert_int_equal(nf_nat_setup_info(&ct, &r, NF_NAT_MANIP_SRC), NF_ACCEPT);
		port = ct.hash[1].tuple.dport;
		assert_true(port >= 1024);
		bin[(port - 1024) / 1024]++; /* 63 bins of 1024: host byte order, or bins would be uneven */
		nf_nat_cleanup_conntrack(&ct);
	}
	for (unsigned i = 0; i < BINS; i++) {
		int64_t d = (int64_t)bin[i] - mean;

		chi += (uint64_t)(d * d);
	}
	/* 62 degrees of freedom: 0.1 % of fair draws exceed 102.2 */
	assert_true(chi < 102ull * mean);
}

static void nat_12_random_options_on_the_wire(void **state)
{
	unsigned kept = 0;

	quiet("iptables -t nat -F");
	quiet("iptables -t nat -A POSTROUTING -o eth1 -j MASQUERADE --random");
	for (uint16_t i = 0; i < 100; i++)
		kept += udp_out(A, (uint16_t)(5000 + i), R, 1) == 5000 + i;
	assert_true(kept < 3);
}

static void nat_13_rfc4787_req_10_no_gateway_for_applications(void **state)
{
	static const char ftp[] = "PORT 192,168,1,2,19,136\r\n";
	uint16_t p = tcp_connect_(A, 5000, R, 21);
	const struct ip4_hdr *h = tcp_out(A, 5000, R, 21, TCP_ACK | TCP_PSH, 1001, 5001, sizeof(ftp) - 1);
	struct pkt *f = pkt_tcp(A, 5000, R, 21, TCP_ACK | TCP_PSH, 1001, 5001, sizeof(ftp) - 1);

	memcpy(pkt_l4(f) + 20, ftp, sizeof(ftp) - 1);
	put_be16(pkt_l4(f) + 16, 0);
	put_be16(pkt_l4(f) + 16, csum_fold(csum_tcpudp_nofold(A, R, f->len - 20, 6, csum_partial(pkt_l4(f), f->len - 20, 0))));
	clear();
	wire_in(in, f);
	h = sent(out);
	assert_memory_equal(l4_of(h) + 20, ftp, sizeof(ftp) - 1); /* untouched */
	assert_null(tcp_back(R, 20, 5000, TCP_SYN, 1, 0, 0)); /* and no door was opened by it */
	clear();
	wire_in(out, pkt_tcp(R, 20, EXT, 5000 + 0, TCP_SYN, 1, 0, 0));
	assert_null(sent(in));
	assert_int_equal(p, 5000);
}

/* ---- checksums ---- */

static void nat_14_rfc768_rfc3022_udp_without_checksum(void **state)
{
	struct pkt *p = pkt_udp(A, 5000, R, 1, "hi", 2);

	put_be16(pkt_l4(p) + 6, 0);
	clear();
	wire_in(in, p);
	assert_int_equal(get_be16(l4_of(sent(out)) + 6), 0);
}

/* For some payload the sum comes out as zero: it is sent as 0xffff, and never as "none". */
static void nat_14_a_sum_of_zero_is_sent_as_ffff(void **state)
{
	unsigned found = 0;

	for (uint32_t v = 0; v < 65536 && !found; v++) {
		uint8_t data[2] = { (uint8_t)(v >> 8), (uint8_t)v };
		uint8_t u[10] = { 5000 >> 8, 5000 & 255, 0, 1, 0, 10, 0, 0, data[0], data[1] };

		if (csum_fold(csum_tcpudp_nofold(EXT, R, 10, 17, csum_partial(u, 10, 0))) != 0)
			continue;
		clear();
		wire_in(in, pkt_udp(A, 5000, R, 1, data, 2));
		assert_int_equal(get_be16(l4_of(sent(out)) + 6), 0xffff);
		found++;
	}
	assert_int_equal(found, 1);
}

static void rfc1624_a_wrong_checksum_stays_wrong(void **state)
{
	struct pkt *p = pkt_udp(A, 5000, R, 1, "hi", 2);
	uint16_t right = get_be16(pkt_l4(p) + 6);
	const uint8_t *u;
	uint16_t check;

	bed_sysctl(b, "net.netfilter.nf_conntrack_checksum", "0");
	put_be16(pkt_l4(p) + 6, (uint16_t)(right ^ 0x0101));
	clear();
	wire_in(in, p);
	u = l4_of(wire_ip(out, 0));
	check = csum_fold(csum_tcpudp_nofold(EXT, R, 10, 17, csum_partial(u, 10, 0)));
	assert_int_not_equal(check, 0);
	/* with the check on it is INVALID, and does not leave with an inside address */
	bed_sysctl(b, "net.netfilter.nf_conntrack_checksum", "1");
	p = pkt_udp(A, 5001, R, 1, "hi", 2);
	pkt_l4(p)[6] ^= 1;
	clear();
	wire_in(in, p);
	assert_null(sent(out));
	assert_int_equal(cn()->stat.invalid, 1);
}

/* ---- ICMP queries ---- */

static void nat_15_rfc5508_req_1_req_2_echo_ids(void **state)
{
	const struct ip4_hdr *h;
	uint16_t id, id2;

	clear();
	wire_in(in, pkt_echo(A, R, 77, 1, 8));
	id = get_be16(l4_of(sent(out)) + 4);
	assert_int_equal(ip4_saddr(sent(out)), EXT);
	clear();
	wire_in(in, pkt_echo(A2, R, 77, 1, 8));
	id2 = get_be16(l4_of(sent(out)) + 4);
	assert_int_equal(id, 77);
	assert_int_not_equal(id2, 77);
	clear();
	wire_in(in, pkt_echo(A2, R2, 77, 1, 8));
	assert_int_equal(get_be16(l4_of(sent(out)) + 4), id2); /* REQ-1a */
	bed_sleep(b, 59 * NSEC_PER_SEC);
	for (unsigned i = 0; i < 2; i++) {
		struct pkt *p = pkt_echo(R, EXT, i ? id2 : id, 1, 8);

		pkt_l4(p)[0] = 0; /* a reply */
		put_be16(pkt_l4(p) + 2, 0);
		put_be16(pkt_l4(p) + 2, csum_fold(csum_partial(pkt_l4(p), 16, 0)));
		clear();
		wire_in(out, p);
		h = sent(in);
		assert_int_equal(ip4_daddr(h), i ? A2 : A);
		assert_int_equal(get_be16(l4_of(h) + 4), 77);
	}
	/* an error about a query: the quoted id is put back too */
	clear();
	wire_in(in, pkt_echo(A2, R, 77, 2, 8));
	{
		uint8_t q[36];

		memcpy(q, sent(out), 36);
		clear();
		wire_in(out, pkt_icmp_err(R2, EXT, 11, 0, 0, q, 36));
		h = sent(in);
		assert_int_equal(ip4_daddr(h), A2);
		assert_int_equal(ip4_saddr(quoted(h)), A2);
		assert_int_equal(get_be16(l4_of(quoted(h)) + 4), 77);
		assert_int_equal(csum_fold(csum_partial(l4_of(quoted(h)), 16, 0)), 0);
	}
	bed_sleep(b, 61 * NSEC_PER_SEC);
	assert_int_equal(cn()->count, 0);
}

/* ---- other targets, other ways ---- */

static void rfc3022_generic_protocols_by_address(void **state)
{
	clear();
	wire_in(in, pkt_new(A, R, 47, "GREGREGRE", 9, 20));
	assert_int_equal(ip4_saddr(sent(out)), EXT);
	clear();
	wire_in(out, pkt_new(R, EXT, 47, "GREGREGRE", 9, 20));
	assert_int_equal(ip4_daddr(sent(in)), A);
	/* a second inside host cannot be told apart towards the same far end */
	clear();
	wire_in(in, pkt_new(A2, R, 47, "GREGREGRE", 9, 20));
	assert_null(sent(out));
	assert_int_equal(wire_icmp(in, 0)->code, 13);
}

static void rfc4787_req_2_snat_ranges(void **state)
{
	uint32_t a, a2;

	quiet("iptables -t nat -F");
	quiet("iptables -t nat -A POSTROUTING -o eth1 -p udp -j SNAT --to-source 203.0.113.16-203.0.113.31:2000-2999");
	clear();
	wire_in(in, pkt_udp(A, 5000, R, 1, "hi", 2));
	a = ip4_saddr(sent(out));
	assert_int_equal(a >> 4, IP(203, 0, 113, 16) >> 4);
	assert_true(sport_of(sent(out)) >= 2000 && sport_of(sent(out)) < 3000);
	for (uint16_t i = 1; i < 50; i++) { /* paired: one inside address, one outside address */
		clear();
		wire_in(in, pkt_udp(A, (uint16_t)(5000 + i), R2, i, "hi", 2));
		assert_int_equal(ip4_saddr(sent(out)), a);
	}
	for (a2 = a, clear(); a2 == a && !in->n; clear()) {
		for (uint32_t i = 3; i < 30 && a2 == a; i++) {
			clear();
			wire_in(in, pkt_udp(IP(192, 168, 1, i), 5000, R, 1, "hi", 2));
			a2 = ip4_saddr(sent(out));
		}
		break;
	}
	assert_int_not_equal(a2, a);
}

static void masquerade_ends_with_its_device(void **state)
{
	udp_out(A, 5000, R, 1);
	assert_int_equal(cn()->count, 1);
	dev_close(out->dev);
	bed_run(b);
	assert_int_equal(cn()->count, 0);
	assert_int_equal(cn()->nat->nr_maps, 0);
}

static void dnat_and_redirect_of_the_hosts_own_packets(void **state)
{
	int fd = bed_udp(b, NULL, 0);
	char buf[8];
	int srv = bed_udp(b, NULL, 53);

	quiet("iptables -t nat -A OUTPUT -p udp -d 9.9.9.9 --dport 53 -j DNAT --to-destination 198.51.100.10:5353");
	quiet("iptables -t nat -A OUTPUT -p udp -d 8.8.8.8 --dport 53 -j REDIRECT");
	clear();
	assert_int_equal(bed_send(b, fd, "9.9.9.9", 53, "q", 1), 1);
	assert_int_equal(ip4_daddr(sent(out)), R);
	assert_int_equal(dport_of(sent(out)), 5353);
	wire_in(out, pkt_udp(R, 5353, EXT, sport_of(sent(out)), "a", 1));
	assert_int_equal(bed_recv(b, fd, buf, 8), 1);
	clear();
	assert_int_equal(bed_send(b, fd, "8.8.8.8", 53, "r", 1), 1);
	assert_null(sent(out));
	assert_int_equal(bed_recv(b, srv, buf, 8), 1);
	assert_int_equal(buf[0], 'r');
}

static void redirect_of_passing_packets(void **state)
{
	int srv = bed_udp(b, NULL, 5353);
	char buf[8];

	quiet("iptables -t nat -A PREROUTING -i eth0 -p udp --dport 53 -j REDIRECT --to-ports 5353");
	clear();
	wire_in(in, pkt_udp(A, 5000, R, 53, "q", 1));
	assert_int_equal(bed_recv(b, srv, buf, 8), 1);
	assert_int_equal(bed_send(b, srv, "192.168.1.2", 5000, "a", 1), 1);
	assert_packet(sent(in), R, 53, A, 5000); /* the answer seems to come from whom it asked */
}

static void s3_117_without_the_rule_addresses_stay(void **state)
{
	quiet("iptables -t nat -F");
	clear();
	wire_in(in, pkt_udp(A, 5000, R, 1, "hi", 2));
	assert_packet(sent(out), A, 5000, R, 1);
}

static void traceroute_through_the_router(void **state)
{
	struct pkt *p = pkt_udp(A, 5000, R, 33434, "x", 1);

	pkt_ip(p)->ttl = 1;
	pkt_fix(p);
	clear();
	wire_in(in, p);
	assert_int_equal(wire_icmp(in, 0)->type, 11);
	assert_packet(quoted(sent(in)), A, 5000, R, 33434);
	assert_int_equal(ip4_saddr(sent(in)), GW_IN);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(nat_01_rfc4787_req_1_one_mapping_whatever_the_far_end),
		T(nat_02_rfc4787_req_3_rfc5382_req_7_no_overloading),
		T(nat_own_programs_ports_are_not_given_away),
		T(nat_03_rfc4787_req_5_req_6_udp_idle_two_minutes),
		T(nat_04_rfc5382_req_5_tcp_idle),
		T(nat_05_rfc4787_req_9_hairpin_udp),
		T(nat_05_rfc5382_req_8_hairpin_tcp),
		T(nat_05_hairpin_to_a_forwarded_port),
		T(rfc4787_req_8_filtering),
		T(nat_06_rfc5508_req_4_error_from_outside),
		T(nat_06_rfc5508_req_6_errors_neither_refresh_nor_end),
		T(nat_06_rfc5508_req_3_quoted_options_and_wrong_sums),
		T(nat_06_rfc5508_req_5_error_from_inside),
		T(rfc5508_req_7_hairpinned_error),
		T(rfc5382_req_10_errors_end_no_tcp_connection),
		T(nat_07_forged_resets_leave_the_mapping),
		T(nat_07_rfc7857_2_2_a_true_reset_waits_four_minutes),
		T(nat_08_rfc5508_req_8_quota_and_full_table),
		T(nat_08_a_million_flows_of_one_host),
		T(nat_08_rfc6888_table_is_bounded_and_answered_ones_stay),
		T(nat_08_no_port_left),
		T(nat_09_rfc5382_req_4_unsolicited_syn),
		T(nat_09_syns_that_wait_are_bounded),
		T(nat_09_a_server_of_the_router_answers),
		T(nat_10_rfc5382_req_2_simultaneous_open),
		T(nat_10_rfc5382_req_4_their_syn_first),
		T(nat_11_rfc4787_req_14_fragments_in_any_order),
		T(nat_11_fragment_state_is_bounded),
		T(rfc4787_req_13_df),
		T(nat_12_rfc6056_random_ports_are_uniform),
		T(nat_12_random_options_on_the_wire),
		T(nat_13_rfc4787_req_10_no_gateway_for_applications),
		T(nat_14_rfc768_rfc3022_udp_without_checksum),
		T(nat_14_a_sum_of_zero_is_sent_as_ffff),
		T(rfc1624_a_wrong_checksum_stays_wrong),
		T(nat_15_rfc5508_req_1_req_2_echo_ids),
		T(rfc3022_generic_protocols_by_address),
		T(rfc4787_req_2_snat_ranges),
		T(masquerade_ends_with_its_device),
		T(dnat_and_redirect_of_the_hosts_own_packets),
		T(redirect_of_passing_packets),
		T(s3_117_without_the_rule_addresses_stay),
		T(traceroute_through_the_router),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
