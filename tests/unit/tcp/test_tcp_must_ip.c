/* What RFC 9293 demands where TCP meets IP (3.9.1.1, 3.9.2): addresses, DSCP, TTL, IP options and source routes, ICMP. The host is
 * whole, with two Ethernet devices whose far ends are this program. */
#include "bed.h"
#include <stdio.h>
#include <stdlib.h>
#include "core/skbuff.h"
#include "wire/tcp_hdr.h" /* before netinet/tcp.h */
#include <netinet/tcp.h>

static struct bed *b;
static struct wire *w, *w1;
#define ME IP(10, 0, 0, 1)
#define PEER IP(10, 0, 0, 9)

static int setup(void **state)
{
	b = bed_new();
	w = bed_wire(b, "eth0", "10.0.0.1/24");
	w1 = bed_wire(b, "eth1", "10.1.0.1/24");
	return 0;
}

static int teardown(void **state)
{
	bed_free(b);
	return 0;
}

/* ---- the far end ---- */
struct far {
	uint32_t addr, to; /* its address, ours */
	uint16_t port, our_port;
	uint32_t seq, ack;
	const uint8_t *ipopts;
	uint32_t n_ipopts;
};
#define OPTS(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

static struct pkt *segment(const struct far *f, uint8_t flags, const char *data)
{
	uint32_t len = data ? (uint32_t)strlen(data) : 0, hlen = 20 + ((f->n_ipopts + 3) & ~3u);
	struct pkt *p = pkt_new(f->addr, f->to, 6, NULL, 20 + len, hlen);
	uint8_t *t;

	memset(p->b + ETH_HLEN + 20, 0, hlen - 20);
	if (f->n_ipopts)
		memcpy(p->b + ETH_HLEN + 20, f->ipopts, f->n_ipopts);
	t = pkt_l4(p);
	memset(t, 0, 20);
	put_be16(t, f->port);
	put_be16(t + 2, f->our_port);
	put_be32(t + 4, f->seq);
	put_be32(t + 8, flags & TCP_ACK ? f->ack : 0);
	t[12] = 5 << 4;
	t[13] = flags;
	put_be16(t + 14, 30000);
	if (len)
		memcpy(t + 20, data, len);
	put_be16(t + 16, csum_fold(csum_tcpudp_nofold(f->addr, f->to, 20 + len, 6, csum_partial(t, 20 + len, 0))));
	pkt_fix(p);
	return p;
}
static void hear(struct wire *on, const struct far *f, uint8_t flags, const char *data)
{
	wire_in(on, segment(f, flags, data));
	bed_run(b);
}
static const uint8_t *tcp_of(const struct ip4_hdr *h) { return (const uint8_t *)h + ip4_hlen(h); }
static const struct ip4_hdr *last(const struct wire *on) { return wire_ip(on, wire_count(on, ETH_P_IP) - 1); }

static int tcp_socket(void) { return sys_socket(b->t, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0); }
static int set(int fd, int level, int name, int v) { return sys_setsockopt(b->t, fd, level, name, &v, sizeof(v)); }
static int dial(int fd, const char *addr, uint16_t port)
{
	struct sockaddr_in sin = bed_sin(addr, port);
	int r = sys_connect(b->t, fd, (struct sockaddr *)&sin, sizeof(sin));

	bed_run(b);
	return r;
}
static int listener(const char *addr, uint16_t port)
{
	struct sockaddr_in sin = bed_sin(addr, port);
	int fd = tcp_socket();

	assert_int_equal(sys_bind(b->t, fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(sys_listen(b->t, fd, 5), 0);
	return fd;
}
static int pending_error(int fd)
{
	int v = -1;
	socklen_t len = sizeof(v);

	assert_int_equal(sys_getsockopt(b->t, fd, SOL_SOCKET, SO_ERROR, &v, &len), 0);
	return v;
}
static void say(int fd, const char *s) { assert_int_equal(sys_sendto(b->t, fd, s, strlen(s), MSG_NOSIGNAL, NULL, 0), strlen(s)); bed_run(b); }

/* The SYN that fd just sent on `on` is answered; f speaks for the far end from then on. */
static void answer(struct wire *on, struct far *f)
{
	const struct ip4_hdr *h = last(on);
	const uint8_t *t;

	assert_non_null(h);
	t = tcp_of(h);
	assert_int_equal(t[13], TCP_SYN);
	f->to = ip4_saddr(h);
	f->our_port = get_be16(t);
	f->port = get_be16(t + 2);
	f->ack = get_be32(t + 4) + 1;
	f->seq = 7000;
	hear(on, f, TCP_SYN | TCP_ACK, NULL);
	f->seq++;
	wire_clear(on);
}
static int established(struct far *f)
{
	int fd = tcp_socket();

	*f = (struct far){ .addr = PEER };
	wire_clear(w);
	assert_int_equal(dial(fd, "10.0.0.9", 80), -EINPROGRESS);
	answer(w, f);
	return fd;
}
/* The connection works: we send, it sends. */
static void works(int fd, struct far *f)
{
	char buf[16];

	wire_clear(w);
	say(fd, "ping");
	assert_non_null(last(w));
	assert_int_equal(get_be32(tcp_of(last(w)) + 4), f->ack);
	f->ack += 4;
	hear(w, f, TCP_ACK | TCP_PSH, "pong");
	f->seq += 4;
	assert_int_equal(bed_recv(b, fd, buf, sizeof(buf)), 4);
	assert_memory_equal(buf, "pong", 4);
}

/* ---- addresses ---- */
static void must_43_the_program_names_the_address(void **state)
{
	struct sockaddr_in sin = bed_sin("10.0.0.7", 0);
	struct far f = { .addr = PEER, .to = ME, .port = 5000, .our_port = 81, .seq = 1 };
	int fd = tcp_socket(), l;

	bed_cmd(b, "ip addr add 10.0.0.7/24 dev eth0");
	assert_int_equal(sys_bind(b->t, fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	wire_clear(w);
	assert_int_equal(dial(fd, "10.0.0.9", 80), -EINPROGRESS);
	assert_int_equal(ip4_saddr(last(w)), IP(10, 0, 0, 7));
	l = listener("10.0.0.7", 81); /* passive: only there */
	wire_clear(w);
	hear(w, &f, TCP_SYN, NULL);
	assert_int_equal(tcp_of(last(w))[13], TCP_RST | TCP_ACK);
	f.to = IP(10, 0, 0, 7);
	hear(w, &f, TCP_SYN, NULL);
	assert_int_equal(tcp_of(last(w))[13], TCP_SYN | TCP_ACK);
	assert_int_equal(ip4_saddr(last(w)), IP(10, 0, 0, 7));
	sys_close(b->t, l);
}

static void must_44_or_the_route_does(void **state)
{
	int a = tcp_socket(), c = tcp_socket();

	assert_int_equal(dial(a, "10.0.0.9", 80), -EINPROGRESS);
	assert_int_equal(dial(c, "10.1.0.9", 80), -EINPROGRESS);
	assert_int_equal(ip4_saddr(last(w)), ME);
	assert_int_equal(ip4_saddr(last(w1)), IP(10, 1, 0, 1));
	assert_int_equal(ip4_daddr(last(w1)), IP(10, 1, 0, 9));
}

static void must_45_and_it_stays(void **state)
{
	struct far f = { .addr = IP(10, 9, 0, 9) };
	int fd = tcp_socket();

	bed_cmd(b, "ip route add 10.9.0.0/16 via 10.0.0.254");
	assert_int_equal(dial(fd, "10.9.0.9", 80), -EINPROGRESS);
	answer(w, &f);
	bed_cmd(b, "ip route del 10.9.0.0/16 via 10.0.0.254");
	bed_cmd(b, "ip route add 10.9.0.0/16 via 10.1.0.254");
	wire_clear(w);
	wire_clear(w1);
	say(fd, "other way, same name");
	assert_int_equal(wire_count(w, ETH_P_IP), 0);
	assert_int_equal(wire_count(w1, ETH_P_IP), 1);
	assert_int_equal(ip4_saddr(last(w1)), ME);
	assert_int_equal(get_be16(tcp_of(last(w1))), f.our_port);
}

static void must_46_never_to_many(void **state)
{
	static const char *const to[] = { "224.0.0.1", "239.1.2.3", "255.255.255.255", "10.0.0.255" };

	for (unsigned i = 0; i < ARRAY_SIZE(to); i++) {
		int fd = tcp_socket(), r;

		set(fd, SOL_SOCKET, SO_BROADCAST, 1); /* which only datagrams may use */
		bed_cmd(b, "ip route replace default via 10.0.0.254");
		wire_clear(w);
		r = dial(fd, to[i], 80);
		assert_true(r == -ENETUNREACH || r == -EACCES);
		assert_int_equal(wire_count(w, ETH_P_IP), 0);
		sys_close(b->t, fd);
	}
}

static void must_57_63_syn_to_or_from_many(void **state)
{
	static const struct {
		uint32_t from, to;
	} t[] = { { PEER, IP(10, 0, 0, 255) }, { PEER, IP(255, 255, 255, 255) }, { PEER, IP(224, 0, 0, 1) },
		  { IP(224, 0, 0, 1), ME }, { IP(255, 255, 255, 255), ME }, { IP(10, 0, 0, 255), ME }, { IP(0, 0, 0, 0), ME },
		  { IP(127, 0, 0, 1), ME }, { IP(240, 0, 0, 1), ME }, { ME, ME } };
	int l = listener("0.0.0.0", 80);

	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		struct far f = { .addr = t[i].from, .to = t[i].to, .port = 5000, .our_port = 80, .seq = 1 };

		wire_clear(w);
		hear(w, &f, TCP_SYN, NULL);
		wire_in_mac(w, segment(&f, TCP_SYN, NULL), bcast_mac, w->peer_mac);
		bed_sleep(b, 4 * NSEC_PER_SEC);
		assert_int_equal(wire_count(w, ETH_P_IP), 0);
		assert_int_equal(wire_count(w1, ETH_P_IP), 0);
	}
	{ /* a unicast SYN in a broadcast frame */
		struct far f = { .addr = PEER, .to = ME, .port = 5000, .our_port = 80, .seq = 1 };

		wire_in_mac(w, segment(&f, TCP_SYN, NULL), bcast_mac, w->peer_mac);
		bed_sleep(b, 4 * NSEC_PER_SEC);
		assert_int_equal(wire_count(w, ETH_P_IP), 0);
		hear(w, &f, TCP_SYN, NULL); /* and one that is in order, for comparison */
		assert_int_equal(tcp_of(last(w))[13], TCP_SYN | TCP_ACK);
	}
	sys_close(b->t, l);
}

/* ---- DSCP and TTL ---- */
static void must_48_shld_21_22_dscp(void **state)
{
	struct far f = { .addr = PEER };
	int fd = tcp_socket();

	assert_int_equal(set(fd, IPPROTO_IP, IP_TOS, 46 << 2), 0);
	assert_int_equal(dial(fd, "10.0.0.9", 80), -EINPROGRESS);
	assert_int_equal(last(w)->tos, 46 << 2);
	answer(w, &f);
	for (int dscp = 0; dscp < 64; dscp++) { /* changed as often as the program likes, and passed as it is */
		assert_int_equal(set(fd, IPPROTO_IP, IP_TOS, dscp << 2), 0);
		wire_clear(w);
		say(fd, "x");
		assert_int_equal(last(w)->tos, dscp << 2);
		f.ack++;
		hear(w, &f, TCP_ACK, NULL);
	}
}

static void must_49_ttl(void **state)
{
	static const int ttl[] = { 1, 2, 64, 255 };

	for (unsigned i = 0; i < ARRAY_SIZE(ttl); i++) {
		int fd = tcp_socket();

		assert_int_equal(set(fd, IPPROTO_IP, IP_TTL, ttl[i]), 0);
		assert_int_equal(dial(fd, "10.0.0.9", 80), -EINPROGRESS);
		assert_int_equal(last(w)->ttl, ttl[i]);
		sys_close(b->t, fd);
	}
	bed_sysctl(b, "net.ipv4.ip_default_ttl", "99");
	assert_int_equal(dial(tcp_socket(), "10.0.0.9", 80), -EINPROGRESS);
	assert_int_equal(last(w)->ttl, 99);
}

/* ---- IP options ---- */
static void must_50_options_that_nobody_knows(void **state)
{
	struct far f;
	int fd = established(&f);
	char buf[16];

	f.ipopts = (const uint8_t[]){ 200, 6, 1, 2, 3, 4, 136, 4, 0, 1 };
	f.n_ipopts = 10;
	hear(w, &f, TCP_ACK | TCP_PSH, "hi");
	f.seq += 2;
	assert_int_equal(bed_recv(b, fd, buf, sizeof(buf)), 2);
	works(fd, &f);
	{ /* in a SYN too */
		struct far g = { .addr = PEER, .to = ME, .port = 5000, .our_port = 80, .seq = 1, .ipopts = f.ipopts, .n_ipopts = 10 };
		int l = listener("0.0.0.0", 80);

		wire_clear(w);
		hear(w, &g, TCP_SYN, NULL);
		assert_int_equal(tcp_of(last(w))[13], TCP_SYN | TCP_ACK);
		sys_close(b->t, l);
	}
}

static void expect_route(const struct ip4_hdr *h, uint32_t dst, const uint8_t *opt, uint32_t n)
{
	assert_non_null(h);
	assert_int_equal(ip4_daddr(h), dst);
	assert_int_equal(ip4_hlen(h), 20 + ((n + 3) & ~3u));
	assert_memory_equal((const uint8_t *)h + 20, opt, n);
	assert_int_equal(ip4_fast_csum(h, ip4_hlen(h)), 0);
}

static void must_51_52_the_programs_own_route(void **state)
{
	static const uint8_t route[] = { 131, 11, 4, 10, 0, 0, 5, 10, 0, 0, 6, 0 };
	static const uint8_t wire[] = { 131, 11, 4, 10, 0, 0, 6, 10, 0, 0, 9 };
	struct far f = { .addr = PEER };
	uint8_t back[40];
	socklen_t len = sizeof(back);
	int fd = tcp_socket();
	uint32_t mss;

	bed_sysctl(b, "net.ipv4.conf.all.accept_source_route", "1");
	assert_int_equal(sys_setsockopt(b->t, fd, IPPROTO_IP, IP_OPTIONS, route, sizeof(route)), 0);
	assert_int_equal(dial(fd, "10.0.0.9", 80), -EINPROGRESS);
	expect_route(last(w), IP(10, 0, 0, 5), wire, 11);
	/* the answer comes by another way; ours is stronger (MUST-52) */
	f.ipopts = (const uint8_t[]){ 131, 7, 8, 10, 0, 0, 77 };
	f.n_ipopts = 7;
	answer(w, &f);
	say(fd, "by my way");
	expect_route(last(w), IP(10, 0, 0, 5), wire, 11);
	f.ack += 9;
	hear(w, &f, TCP_ACK | TCP_PSH, "by mine");
	f.seq += 7;
	bed_sleep(b, NSEC_PER_SEC / 2);
	expect_route(last(w), IP(10, 0, 0, 5), wire, 11); /* acknowledgements as well */
	assert_int_equal(sys_getsockopt(b->t, fd, IPPROTO_IP, IP_OPTIONS, back, &len), 0);
	assert_int_equal(len, 12);
	assert_memory_equal(back, route, 11);
	{ /* MUST-16: the option's 12 octets come off each segment; without it they are back */
		static char big[8000];

		memset(big, 'b', sizeof(big) - 1);
		wire_clear(w);
		say(fd, big);
		mss = ip4_tot_len(wire_ip(w, 0)) - 32u - 20u;
		assert_true(mss + 52 <= 1500 && mss == 536 - 12);
	}
	sys_close(b->t, fd);
}

static void must_53_back_by_the_way_it_came(void **state)
{
	static const uint8_t syn[] = { 131, 11, 12, 10, 0, 0, 5, 10, 0, 0, 6 }; /* passed 10.0.0.5, then 10.0.0.6 */
	static const uint8_t back[] = { 131, 11, 4, 10, 0, 0, 5, 10, 0, 0, 9 };
	struct far f = { .addr = PEER, .to = ME, .port = 5000, .our_port = 80, .seq = 1, .ipopts = syn, .n_ipopts = sizeof(syn) };
	int l = listener("0.0.0.0", 80), c;
	char buf[16];

	hear(w, &f, TCP_SYN, NULL); /* RFC 7126: not unless the administrator says so */
	assert_int_equal(wire_count(w, ETH_P_IP), 0);
	bed_sysctl(b, "net.ipv4.conf.all.accept_source_route", "1");
	hear(w, &f, TCP_SYN, NULL);
	assert_int_equal(tcp_of(last(w))[13], TCP_SYN | TCP_ACK);
	expect_route(last(w), IP(10, 0, 0, 6), back, 11);
	f.ack = get_be32(tcp_of(last(w)) + 4) + 1;
	wire_clear(w);
	bed_sleep(b, NSEC_PER_SEC + NSEC_PER_SEC / 2); /* the SYN-ACK again: the same way */
	expect_route(last(w), IP(10, 0, 0, 6), back, 11);
	f.seq++;
	f.n_ipopts = 0; /* the others come straight: the way is kept (SHLD-24 is a stated choice) */
	hear(w, &f, TCP_ACK, NULL);
	c = sys_accept4(b->t, l, NULL, NULL, SOCK_NONBLOCK);
	assert_true(c >= 0);
	wire_clear(w);
	say(c, "data");
	expect_route(last(w), IP(10, 0, 0, 6), back, 11);
	f.ack += 4;
	hear(w, &f, TCP_ACK | TCP_PSH, "abcd");
	f.seq += 4;
	assert_int_equal(bed_recv(b, c, buf, sizeof(buf)), 4);
	wire_clear(w);
	sys_close(b->t, c);
	bed_run(b);
	expect_route(last(w), IP(10, 0, 0, 6), back, 11); /* the FIN */
	sys_close(b->t, l);
}

/* may_10: a program may have the timestamp and record route options (may_11) on its connection. */
static void may_10_may_11_timestamp_and_record_route(void **state)
{
	int fd = tcp_socket();
	const uint8_t *h;

	assert_int_equal(sys_setsockopt(b->t, fd, IPPROTO_IP, IP_OPTIONS, (const uint8_t[]){ 7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, 12), 0);
	assert_int_equal(dial(fd, "10.0.0.9", 80), -EINPROGRESS);
	h = (const uint8_t *)last(w);
	assert_int_equal(ip4_hlen(last(w)), 32);
	assert_int_equal(h[22], 8);
	assert_int_equal(get_be32(h + 23), ME);
	sys_close(b->t, fd);
	fd = tcp_socket();
	assert_int_equal(sys_setsockopt(b->t, fd, IPPROTO_IP, IP_OPTIONS, (const uint8_t[]){ 68, 12, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, 12), 0);
	assert_int_equal(dial(fd, "10.0.0.9", 80), -EINPROGRESS);
	h = (const uint8_t *)last(w);
	assert_int_equal(h[20], 68);
	assert_int_equal(h[22], 9);
	sys_close(b->t, fd);
}

/* ---- ICMP ---- */
static void icmp_about(const struct far *f, uint8_t type, uint8_t code, uint32_t rest, uint32_t seq)
{
	uint8_t q[28] = { 0x45 };

	q[9] = 6;
	put_be32(q + 12, f->to);
	put_be32(q + 16, f->addr);
	put_be16(q + 20, f->our_port);
	put_be16(q + 22, f->port);
	put_be32(q + 24, seq);
	put_be16(q + 2, 1000);
	wire_in(w, pkt_icmp_err(IP(10, 0, 0, 254), f->to, type, code, rest, q, 28));
	bed_run(b);
}

static void must_54_errors_find_their_connection(void **state)
{
	struct far f[3];
	int fd[3];

	for (unsigned i = 0; i < 3; i++) {
		fd[i] = established(&f[i]);
		assert_int_equal(set(fd[i], IPPROTO_IP, IP_RECVERR, 1), 0);
		say(fd[i], "x"); /* something in flight */
	}
	icmp_about(&f[1], 3, 1, 0, f[1].ack);
	assert_int_equal(pending_error(fd[0]), 0);
	assert_int_equal(pending_error(fd[1]), EHOSTUNREACH);
	assert_int_equal(pending_error(fd[2]), 0);
	{ /* nobody's: counted, and nobody hears of it */
		struct far g = f[2];

		g.port = 4321;
		icmp_about(&g, 3, 1, 0, g.ack);
		for (unsigned i = 0; i < 3; i++)
			assert_int_equal(pending_error(fd[i]), 0);
	}
}

/* shld_20, shld_25: a soft error is there for who asks (SO_ERROR), fails no call of who does not, and comes unasked with
 * IP_RECVERR. If the connection ends by silence, it is why. */
static void must_47_soft_errors_can_be_heard(void **state)
{
	struct far f;
	int fd = established(&f);
	char buf[16];

	set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	say(fd, "x");
	icmp_about(&f, 11, 0, 0, f.ack);
	assert_int_equal(bed_recv(b, fd, buf, sizeof(buf)), -EAGAIN);
	say(fd, "y");
	assert_int_equal(pending_error(fd), EHOSTUNREACH);
	assert_int_equal(pending_error(fd), 0); /* once */
	assert_int_equal(set(fd, IPPROTO_IP, IP_RECVERR, 1), 0);
	icmp_about(&f, 3, 0, 0, f.ack);
	assert_int_equal(bed_recv(b, fd, buf, sizeof(buf)), -ENETUNREACH);
	assert_int_equal(bed_recv(b, fd, buf, sizeof(buf)), -EAGAIN);
	f.ack += 2;
	hear(w, &f, TCP_ACK, NULL);
	works(fd, &f); /* it lives */
	assert_int_equal(set(fd, IPPROTO_IP, IP_RECVERR, 0), 0);
	say(fd, "y");
	icmp_about(&f, 3, 1, 0, f.ack);
	assert_int_equal(bed_recv(b, fd, buf, sizeof(buf)), -EAGAIN);
	bed_sleep(b, 3000 * NSEC_PER_SEC);
	assert_int_equal(pending_error(fd), EHOSTUNREACH); /* better than "timed out" */
}

/* must_55: */
static void must_56_hints_never_end_a_connection(void **state)
{
	static const uint8_t soft[][2] = { { 3, 0 }, { 3, 1 }, { 3, 5 }, { 3, 2 }, { 3, 3 }, { 3, 9 }, { 3, 13 }, { 11, 0 }, { 11, 1 }, { 12, 0 }, { 4, 0 } };
	struct far f;
	int fd = established(&f);

	for (unsigned i = 0; i < ARRAY_SIZE(soft); i++) {
		say(fd, "x");
		icmp_about(&f, soft[i][0], soft[i][1], 0, f.ack);
		f.ack++;
		hear(w, &f, TCP_ACK, NULL);
		works(fd, &f);
	}
	{ /* a quench does not even slow it (RFC 6633) */
		static char big[8000];

		memset(big, 'q', sizeof(big) - 1);
		wire_clear(w);
		icmp_about(&f, 4, 0, 0, f.ack);
		say(fd, big);
		assert_true(wire_count(w, ETH_P_IP) >= 10);
	}
}

/* ---- segment size ---- */
/* must_67: what can be reassembled is 65535 octets with their header of 20, so a segment may have 65495. */
static void must_67_mss_within_what_can_be_reassembled(void **state)
{
	int l = listener("127.0.0.1", 80), fd = tcp_socket(), c;
	struct tcp_info ti;
	socklen_t len = sizeof(ti);

	assert_int_equal(dial(fd, "127.0.0.1", 80), -EINPROGRESS);
	c = sys_accept4(b->t, l, NULL, NULL, SOCK_NONBLOCK);
	assert_true(c >= 0);
	assert_int_equal(sys_getsockopt(b->t, c, IPPROTO_TCP, TCP_INFO, &ti, &len), 0);
	assert_int_equal(ti.tcpi_advmss, 65495 - 12); /* lo's MTU is 65536; timestamps are on */
	fd = tcp_socket();
	assert_int_equal(dial(fd, "10.0.0.9", 80), -EINPROGRESS);
	assert_int_equal(get_be16(tcp_of(last(w)) + 22), 1460);
	sys_close(b->t, c);
	sys_close(b->t, l);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest t[] = {
		T(must_43_the_program_names_the_address), T(must_44_or_the_route_does), T(must_45_and_it_stays), T(must_46_never_to_many),
		T(must_57_63_syn_to_or_from_many), T(must_48_shld_21_22_dscp), T(must_49_ttl), T(must_50_options_that_nobody_knows),
		T(must_51_52_the_programs_own_route), T(must_53_back_by_the_way_it_came), T(may_10_may_11_timestamp_and_record_route),
		T(must_54_errors_find_their_connection), T(must_47_soft_errors_can_be_heard), T(must_56_hints_never_end_a_connection),
		T(must_67_mss_within_what_can_be_reassembled),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
