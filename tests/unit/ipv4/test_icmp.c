/* ICMP: attacks ICMP-01 to ICMP-20, S3-36, and what path MTU and redirects do to routes. */
#include "bed.h"
#include <stdlib.h>
#include <linux/errqueue.h>
#include "ipv4/rt_exception.h"

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

static void quiet(struct pkt *p)
{
	wire_clear(w);
	wire_in(w, p);
	assert_int_equal(wire_count(w, ETH_P_IP), 0);
}

static struct pkt *icmp_raw(const void *m, uint32_t len, bool fix)
{
	struct pkt *p = pkt_new(PEER, ME, 1, m, len, 20);

	if (fix && len >= 4) {
		put_be16(pkt_l4(p) + 2, 0);
		put_be16(pkt_l4(p) + 2, csum_fold(csum_partial(pkt_l4(p), len, 0)));
	}
	return p;
}

static void icmp_01_icmp_02_short_messages(void **state)
{
	uint8_t m[8] = { 0 };

	for (uint32_t n = 0; n < 8; n++) {
		m[0] = (uint8_t)(n & 1 ? 8 : 0); /* echo and echo reply */
		quiet(icmp_raw(m, n, true));
	}
	assert_int_equal(b->net->mib.icmp.InErrors, 8);
	assert_int_equal(bed_drops(b, DROP_ICMP_MALFORMED), 8);
}

static void icmp_03_largest_echo(void **state)
{
	static uint8_t big[65515];
	uint32_t at = 0;
	uint16_t want;
	uint8_t *back = malloc(65535);
	uint32_t n = 0;

	big[0] = 8;
	for (uint32_t i = 8; i < sizeof(big); i++)
		big[i] = (uint8_t)(i * 13);
	put_be16(big + 2, csum_fold(csum_partial(big, sizeof(big), 0)));
	while (at < sizeof(big)) {
		uint32_t len = min_u32(1480, (uint32_t)sizeof(big) - at);
		struct pkt *p = pkt_new(PEER, ME, 1, big + at, len, 20);

		put_be16(pkt_ip(p)->frag_off, (uint16_t)(at / 8 | (at + len < sizeof(big) ? IP_MF : 0u)));
		pkt_fix(p);
		at += len;
		wire_in(w, p);
	}
	for (unsigned i = 0; wire_ip(w, i); i++) {
		const struct ip4_hdr *h = wire_ip(w, i);
		uint32_t len = ip4_tot_len(h) - 20u, off = (ip4_frag(h) & IP_OFFSET) * 8u;

		assert_true(off + len <= 65515);
		memcpy(back + off, (const uint8_t *)h + 20, len);
		n += len;
	}
	assert_int_equal(n, sizeof(big));
	want = csum_fold(csum_partial(back, n, 0));
	assert_int_equal(want, 0);
	assert_memory_equal(back + 8, big + 8, sizeof(big) - 8);
	free(back);
}

static void icmp_04_smurf(void **state)
{
	wire_in_mac(w, pkt_echo(PEER, 0xffffffffu, 1, 1, 8), bcast_mac, w->peer_mac);
	wire_in_mac(w, pkt_echo(PEER, IP(10, 0, 0, 255), 1, 1, 8), bcast_mac, w->peer_mac);
	wire_in_mac(w, pkt_echo(PEER, IP(224, 0, 0, 1), 1, 1, 8), (const uint8_t *)"\x01\x00\x5e\x00\x00\x01", w->peer_mac);
	assert_int_equal(w->n, 0);
	assert_int_equal(bed_drops(b, DROP_ICMP_IGNORED), 3);
	bed_sysctl(b, "net.ipv4.icmp_echo_ignore_broadcasts", "0");
	wire_in_mac(w, pkt_echo(PEER, IP(10, 0, 0, 255), 1, 1, 8), bcast_mac, w->peer_mac);
	assert_int_equal(wire_count(w, ETH_P_IP), 1);
	assert_int_equal(ip4_saddr(wire_ip(w, 0)), ME);
}

static void icmp_05_icmp_06_not_for_us_or_from_many(void **state)
{
	quiet(pkt_echo(PEER, IP(10, 0, 0, 77), 1, 1, 8));
	quiet(pkt_echo(0xffffffffu, ME, 1, 1, 8));
	quiet(pkt_echo(IP(224, 0, 0, 5), ME, 1, 1, 8));
	quiet(pkt_echo(IP(10, 0, 0, 255), ME, 1, 1, 8));
	quiet(pkt_echo(0, ME, 1, 1, 8));
	assert_int_equal(bed_entered(b, "icmp_reply"), 0);
}

static void icmp_07_no_error_about(void **state)
{
	struct pkt *q = pkt_udp(PEER, 1, ME, 9, "x", 1), *p;
	static const uint8_t mc[6] = { 1, 0, 0x5e, 0, 0, 1 };

	/* an ICMP error (of an unknown protocol inside an error nobody wants: nothing comes back) */
	quiet(pkt_icmp_err(PEER, ME, 3, 3, 0, (uint8_t *)pkt_ip(q), 28));
	/* broadcast and multicast, of either layer */
	wire_in_mac(w, pkt_udp(PEER, 1, IP(10, 0, 0, 255), 9, "x", 1), bcast_mac, w->peer_mac);
	wire_in_mac(w, pkt_udp(PEER, 1, IP(224, 0, 0, 1), 9, "x", 1), mc, w->peer_mac);
	wire_in_mac(w, pkt_udp(PEER, 1, ME, 9, "x", 1), bcast_mac, w->peer_mac);
	assert_int_equal(w->n, 0);
	/* a later fragment of an unknown protocol */
	p = pkt_new(PEER, ME, 200, NULL, 16, 20);
	put_be16(pkt_ip(p)->frag_off, 1);
	pkt_fix(p);
	quiet(p);
	/* a source that is not one host */
	quiet(pkt_udp(0, 1, ME, 9, "x", 1));
	quiet(pkt_udp(IP(127, 0, 0, 1), 1, ME, 9, "x", 1));
	quiet(pkt_udp(IP(224, 0, 0, 9), 1, ME, 9, "x", 1));
	quiet(pkt_udp(IP(240, 0, 0, 9), 1, ME, 9, "x", 1));
	/* and yet an ordinary one gets its answer */
	wire_in(w, pkt_udp(PEER, 1, ME, 9, "x", 1));
	assert_int_equal(wire_icmp(w, wire_count(w, ETH_P_IP) - 1)->code, 3);
	free(q);
}

static void s3_36_errors_quote_548_octets(void **state)
{
	struct pkt *p = pkt_udp(PEER, 1, ME, 9, NULL, 1000);
	const struct ip4_hdr *h;

	pkt_ip(p)->tos = 0x10;
	pkt_fix(p);
	wire_in_mac(w, p, w->dev->dev_addr, w->peer_mac);
	h = wire_ip(w, 0);
	assert_non_null(h);
	assert_int_equal(ip4_tot_len(h), 576);
	assert_int_equal(h->tos, 0xd0); /* 0xc0 and the packet's own */
	assert_int_equal(ip4_saddr(h), ME);
	assert_int_equal(wire_icmp(w, 0)->type, 3);
	assert_int_equal(((const uint8_t *)wire_icmp(w, 0))[8 + 1], 0x10);
	assert_int_equal(get_be16((const uint8_t *)wire_icmp(w, 0) + 8 + 2), 1028); /* R1122-I28: as received */
}

static void icmp_08_rate_limits(void **state)
{
	uint64_t out;

	/* one destination: six at once, then one a second */
	for (int i = 0; i < 40; i++)
		wire_in(w, pkt_udp(PEER, (uint16_t)(1 + i), ME, 9, "x", 1));
	assert_int_equal(wire_count(w, ETH_P_IP), 6);
	assert_int_equal(b->net->mib.icmp.OutRateLimitHost, 34);
	wire_clear(w);
	bed_sleep(b, 1000 * NSEC_PER_MSEC);
	for (int i = 0; i < 5; i++)
		wire_in(w, pkt_udp(PEER, 1, ME, 9, "x", 1));
	assert_int_equal(wire_count(w, ETH_P_IP), 1);
	/* many destinations: the host's own bucket, whose size is not to be counted from outside */
	bed_sleep(b, 60 * NSEC_PER_SEC);
	out = b->net->mib.icmp.OutDestUnreachs;
	for (int i = 0; i < 100; i++)
		wire_in(w, pkt_udp(IP(10, 0, 0, 100) + (uint32_t)i, 1, ME, 9, "x", 1));
	assert_in_range(b->net->mib.icmp.OutDestUnreachs - out, 44, 50);
	assert_true(b->net->mib.icmp.OutRateLimitGlobal > 0);
	/* what is not in the mask goes on: echo replies */
	wire_clear(w);
	for (int i = 0; i < 200; i++)
		wire_in(w, pkt_echo(PEER, ME, 1, (uint16_t)i, 8));
	assert_int_equal(wire_count(w, ETH_P_IP), 200);
}

/* Our datagram to PEER:9, and the error about it. */
static struct pkt *error_about(int s, const char *dst, uint8_t type, uint8_t code, uint32_t rest)
{
	struct pkt *e;

	wire_clear(w);
	assert_int_equal(bed_send(b, s, dst, 9, "0123456789", 10), 10);
	assert_true(wire_count(w, ETH_P_IP) >= 1);
	e = pkt_icmp_err(PEER, ME, type, code, rest, (const uint8_t *)wire_ip(w, wire_count(w, ETH_P_IP) - 1), 28);
	wire_clear(w);
	return e;
}

static uint32_t mtu_to(const char *dst)
{
	struct flowi4 fl = { .daddr = bed_addr(dst) };
	int err;
	struct rtable *rt = __ip_route_output_key(b->net, &fl, &err);
	uint32_t mtu;

	assert_non_null(rt);
	mtu = dst_mtu(&rt->dst);
	dst_release(&rt->dst);
	return mtu;
}

static void icmp_11_s3_10_path_mtu(void **state)
{
	static const struct { uint16_t said; uint32_t then; } t[] = {
		{ 0, 1500 }, { 1, 1500 }, { 67, 1500 }, { 65535, 1500 }, { 1501, 1500 }, { 1400, 1400 }, { 1450, 1400 },
		{ 576, 576 }, { 575, 575 }, { 255, 552 }, { 68, 552 },
	};
	int dont = IP_PMTUDISC_DO, s = bed_udp(b, NULL, 0);

	assert_int_equal(sys_setsockopt(b->t, s, IPPROTO_IP, IP_MTU_DISCOVER, &dont, sizeof(dont)), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		int e;
		socklen_t len = sizeof(e);

		wire_in(w, error_about(s, "10.0.0.9", 3, 4, t[i].said));
		sys_getsockopt(b->t, s, SOL_SOCKET, SO_ERROR, &e, &len);
		assert_int_equal(mtu_to("10.0.0.9"), t[i].then);
	}
	assert_int_equal(mtu_to("10.0.0.8"), 1500);
	/* a later send with DF is refused here (S3-10) */
	{
		static char big[1000];

		assert_int_equal(bed_send(b, s, "10.0.0.9", 9, big, 1000), -EMSGSIZE);
		assert_int_equal(bed_send(b, s, "10.0.0.8", 9, big, 1000), 1000);
	}
	bed_sleep(b, 599 * NSEC_PER_SEC);
	assert_int_equal(mtu_to("10.0.0.9"), 552);
	bed_sleep(b, 2 * NSEC_PER_SEC);
	assert_int_equal(mtu_to("10.0.0.9"), 1500); /* RFC 1191: forgotten after ten minutes */
}

static void icmp_11_connected_socket_learns(void **state)
{
	int s = bed_udp(b, NULL, 0), mtu;
	struct sockaddr_in sin = bed_sin("10.0.0.9", 9);
	socklen_t len = sizeof(mtu);

	assert_int_equal(sys_connect(b->t, s, (struct sockaddr *)&sin, sizeof(sin)), 0);
	wire_in(w, error_about(s, NULL, 3, 4, 1000));
	assert_int_equal(sys_getsockopt(b->t, s, IPPROTO_IP, IP_MTU, &mtu, &len), 0);
	assert_int_equal(mtu, 1000);
}

static void icmp_13_forged_frag_needed_is_bounded(void **state)
{
	struct pkt *q = pkt_udp(ME, 7000, PEER, 9, "x", 1);

	assert_int_equal(bed_route(b, "0.0.0.0/0", "10.0.0.2", NULL, 0), 0);
	for (uint32_t i = 0; i < 10000; i++) {
		put_be32(pkt_ip(q)->daddr, IP(50, 0, 0, 0) + i);
		pkt_fix(q);
		wire_in(w, pkt_icmp_err(PEER, ME, 3, 4, 1000, (uint8_t *)pkt_ip(q), 28));
	}
	assert_true(b->net->ipv4->exc.n > 0);
	assert_true(b->net->ipv4->exc.n <= RT_EXC_MAX);
	assert_int_equal(mtu_to("50.0.39.15"), 1000); /* the last ones are known */
	assert_int_equal(mtu_to("50.0.0.1"), 1500);   /* the first were forgotten */
	free(q);
}

static void icmp_14_source_quench(void **state)
{
	wire_in(w, error_about(fd, "10.0.0.9", 4, 0, 0));
	assert_int_equal(w->n, 0);
	assert_int_equal(b->net->mib.icmp.InSrcQuenchs, 1);
	assert_int_equal(bed_drops(b, DROP_ICMP_IGNORED), 1);
}

static uint32_t gw_to(const char *dst)
{
	struct flowi4 fl = { .daddr = bed_addr(dst) };
	int err;
	struct rtable *rt = __ip_route_output_key(b->net, &fl, &err);
	uint32_t gw;

	assert_non_null(rt);
	gw = rt->gw;
	dst_release(&rt->dst);
	return gw;
}

static struct pkt *redirect(uint32_t from, uint8_t code, uint32_t gw, uint32_t dst)
{
	struct pkt *q = pkt_udp(ME, 7000, dst, 9, "x", 1), *p = pkt_icmp_err(from, ME, 5, code, gw, (uint8_t *)pkt_ip(q), 28);

	free(q);
	return p;
}

static void icmp_15_r1122_i38_i39_redirects(void **state)
{
	const uint32_t gw = IP(10, 0, 0, 2), better = IP(10, 0, 0, 3), dst = IP(60, 0, 0, 1);

	assert_int_equal(bed_route(b, "0.0.0.0/0", "10.0.0.2", NULL, 0), 0);
	wire_in(w, redirect(gw, 1, better, dst));
	assert_int_equal(gw_to("60.0.0.1"), gw); /* off by default */
	bed_sysctl(b, "net.ipv4.conf.all.accept_redirects", "1");
	wire_in(w, redirect(PEER, 1, better, dst));               /* not from the gateway in use */
	wire_in(w, redirect(gw, 1, IP(99, 0, 0, 1), dst));        /* off the link */
	wire_in(w, redirect(gw, 1, ME, dst));                     /* ourselves */
	wire_in(w, redirect(gw, 1, IP(10, 0, 0, 255), dst));      /* a broadcast address */
	wire_in(w, redirect(gw, 1, IP(224, 0, 0, 1), dst));
	wire_in(w, redirect(gw, 7, better, dst));                 /* no such code */
	wire_in(w, redirect(gw, 1, better, PEER));                /* for somebody whom we reach without a gateway */
	assert_int_equal(gw_to("60.0.0.1"), gw);
	assert_int_equal(gw_to("10.0.0.9"), 0);
	wire_in(w, redirect(gw, 1, better, dst));                 /* host */
	assert_int_equal(gw_to("60.0.0.1"), better);
	assert_int_equal(gw_to("60.0.0.2"), gw);
	wire_in(w, redirect(gw, 0, better, IP(60, 0, 0, 3)));     /* net: taken as host */
	assert_int_equal(gw_to("60.0.0.3"), better);
	bed_sleep(b, 301 * NSEC_PER_SEC);
	assert_int_equal(gw_to("60.0.0.1"), gw);
	/* a router listens only if told twice */
	bed_sysctl(b, "net.ipv4.ip_forward", "1");
	wire_in(w, redirect(gw, 1, better, dst));
	assert_int_equal(gw_to("60.0.0.1"), gw);
}

static void icmp_16_old_questions(void **state)
{
	uint8_t ts[20] = { 13, 0, 0, 0, 0, 1, 0, 2, 1, 2, 3, 4 }, info[8] = { 15 }, mask[12] = { 17 };
	const uint8_t *r;

	quiet(icmp_raw(info, 8, true));
	quiet(icmp_raw(mask, 12, true));
	wire_in(w, icmp_raw(ts, 20, true)); /* RFC 1122 3.2.2.8, to unicast */
	r = (const uint8_t *)wire_icmp(w, 0);
	assert_int_equal(r[0], 14);
	assert_memory_equal(r + 4, ts + 4, 8);
	assert_int_equal(get_be32(r + 12), b->net->now_ns / NSEC_PER_MSEC);
	assert_int_equal(get_be32(r + 16), get_be32(r + 12));
	wire_clear(w);
	{
		struct pkt *p = icmp_raw(ts, 20, true);

		put_be32(pkt_ip(p)->daddr, IP(10, 0, 0, 255));
		pkt_fix(p);
		wire_in_mac(w, p, bcast_mac, w->peer_mac);
	}
	assert_int_equal(w->n, 0);
}

static void icmp_17_unknown_types(void **state)
{
	uint8_t m[16] = { 44 };

	quiet(icmp_raw(m, 16, true));
	m[0] = 255;
	quiet(icmp_raw(m, 16, true));
	assert_int_equal(bed_drops(b, DROP_ICMP_UNKNOWN), 2);
}

static void icmp_18_bad_quotes(void **state)
{
	struct pkt *q = pkt_udp(ME, 7000, PEER, 9, "x", 1);
	uint8_t *h = (uint8_t *)pkt_ip(q);

	h[0] = 0x4f; /* 60 octets of header in 28 */
	quiet(pkt_icmp_err(PEER, ME, 3, 3, 0, h, 28));
	h[0] = 0x44;
	quiet(pkt_icmp_err(PEER, ME, 3, 3, 0, h, 28));
	h[0] = 0x65;
	quiet(pkt_icmp_err(PEER, ME, 3, 3, 0, h, 28));
	h[0] = 0x45;
	for (uint32_t n = 0; n < 28; n++)
		quiet(pkt_icmp_err(PEER, ME, 3, 3, 0, h, n));
	h[9] = 6; /* TCP with four octets */
	quiet(pkt_icmp_err(PEER, ME, 3, 3, 0, h, 24));
	assert_int_equal(bed_entered(b, "udp_err"), 0);
	assert_int_equal(bed_entered(b, "tcp_v4_err"), 0);
	free(q);
	/* quoted options: the transport is found behind them */
	q = pkt_new(ME, PEER, 17, NULL, 8, 60);
	put_be16(pkt_l4(q), 7000);
	put_be16(pkt_l4(q) + 2, 9);
	wire_in(w, pkt_icmp_err(PEER, ME, 3, 3, 0, (uint8_t *)pkt_ip(q), 68));
	assert_int_equal(bed_entered(b, "udp_err"), 1);
	free(q);
}

static void checksum_wrong(void **state)
{
	struct pkt *p = pkt_echo(PEER, ME, 1, 1, 8);

	pkt_l4(p)[10] ^= 1;
	quiet(p);
	assert_int_equal(b->net->mib.icmp.InCsumErrors, 1);
	assert_int_equal(b->net->mib.icmp.InErrors, 1);
}

static void r1122_u04_errors_reach_udp_sockets_once(void **state)
{
	int c = bed_udp(b, NULL, 0), e;
	struct sockaddr_in sin = bed_sin("10.0.0.9", 9);
	socklen_t len = sizeof(e);
	char buf[8];

	/* unconnected: silence */
	wire_in(w, error_about(fd, "10.0.0.9", 3, 3, 0));
	assert_int_equal(bed_recv(b, fd, buf, 8), -EAGAIN);
	/* connected: hard ones, once */
	assert_int_equal(sys_connect(b->t, c, (struct sockaddr *)&sin, sizeof(sin)), 0);
	wire_in(w, error_about(c, NULL, 3, 3, 0));
	assert_int_equal(bed_recv(b, c, buf, 8), -ECONNREFUSED);
	assert_int_equal(bed_recv(b, c, buf, 8), -EAGAIN);
	wire_in(w, error_about(c, NULL, 3, 3, 0));
	assert_int_equal(bed_send(b, c, NULL, 0, "x", 1), -ECONNREFUSED);
	assert_int_equal(bed_send(b, c, NULL, 0, "x", 1), 1);
	wire_in(w, error_about(c, NULL, 3, 2, 0));
	assert_int_equal(sys_getsockopt(b->t, c, SOL_SOCKET, SO_ERROR, &e, &len), 0);
	assert_int_equal(e, ENOPROTOOPT);
	/* soft ones: a hint, not told (S3-80) */
	wire_in(w, error_about(c, NULL, 3, 1, 0));
	wire_in(w, error_about(c, NULL, 11, 0, 0));
	assert_int_equal(bed_recv(b, c, buf, 8), -EAGAIN);
	/* with IP_RECVERR everything is told, with who said it */
	e = 1;
	assert_int_equal(sys_setsockopt(b->t, c, IPPROTO_IP, IP_RECVERR, &e, sizeof(e)), 0);
	wire_in(w, error_about(c, NULL, 11, 0, 0));
	assert_int_equal(bed_recv(b, c, buf, 8), -EHOSTUNREACH);
	{
		char data[64], ctl[256];
		struct iovec iov = { data, sizeof(data) };
		struct sockaddr_in name;
		struct msghdr m = { .msg_name = &name, .msg_namelen = sizeof(name), .msg_iov = &iov, .msg_iovlen = 1,
				    .msg_control = ctl, .msg_controllen = sizeof(ctl) };
		struct sock_extended_err *ee;

		/* eight octets of UDP were quoted: no data */
		assert_int_equal(sys_recvmsg(b->t, c, &m, MSG_ERRQUEUE | MSG_DONTWAIT), 0);
		assert_true(m.msg_flags & MSG_ERRQUEUE);
		ee = (struct sock_extended_err *)(void *)CMSG_DATA(CMSG_FIRSTHDR(&m));
		assert_int_equal(ee->ee_errno, EHOSTUNREACH);
		assert_int_equal(ee->ee_origin, SO_EE_ORIGIN_ICMP);
		assert_int_equal(ee->ee_type, 11);
		assert_int_equal(ntohl(((struct sockaddr_in *)SO_EE_OFFENDER(ee))->sin_addr.s_addr), PEER);
		assert_int_equal(ntohl(name.sin_addr.s_addr), IP(10, 0, 0, 9));
		assert_int_equal(ntohs(name.sin_port), 9);
		assert_int_equal(sys_recvmsg(b->t, c, &m, MSG_ERRQUEUE | MSG_DONTWAIT), -EAGAIN);
	}
}

static void echo_ignore_all(void **state)
{
	bed_sysctl(b, "net.ipv4.icmp_echo_ignore_all", "1");
	quiet(pkt_echo(PEER, ME, 1, 1, 8));
	assert_int_equal(bed_drops(b, DROP_ICMP_IGNORED), 1);
}

/* ICMP-09, ICMP-10, ICMP-20: what errors do to connections is TCP's business; here: that they reach it. */
static void icmp_09_icmp_10_icmp_20_reach_tcp(void **state)
{
	uint8_t tcp[20] = { 0x30, 0x39, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 16, 0 };
	struct pkt *q = pkt_new(ME, PEER, 6, tcp, 20, 20);

	wire_in(w, pkt_icmp_err(PEER, ME, 3, 1, 0, (uint8_t *)pkt_ip(q), 28));
	wire_in(w, pkt_icmp_err(PEER, ME, 11, 0, 0, (uint8_t *)pkt_ip(q), 28));
	wire_in(w, pkt_icmp_err(PEER, ME, 12, 0, 0, (uint8_t *)pkt_ip(q), 28));
	assert_int_equal(bed_entered(b, "tcp_v4_err"), 3);
	assert_int_equal(w->n, 0);
	free(q);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest t[] = {
		T(icmp_01_icmp_02_short_messages), T(icmp_03_largest_echo), T(icmp_04_smurf),
		T(icmp_05_icmp_06_not_for_us_or_from_many), T(icmp_07_no_error_about), T(s3_36_errors_quote_548_octets),
		T(icmp_08_rate_limits), T(icmp_11_s3_10_path_mtu), T(icmp_11_connected_socket_learns),
		T(icmp_13_forged_frag_needed_is_bounded), T(icmp_14_source_quench), T(icmp_15_r1122_i38_i39_redirects),
		T(icmp_16_old_questions), T(icmp_17_unknown_types), T(icmp_18_bad_quotes), T(checksum_wrong),
		T(r1122_u04_errors_reach_udp_sockets_once), T(echo_ignore_all), T(icmp_09_icmp_10_icmp_20_reach_tcp),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
