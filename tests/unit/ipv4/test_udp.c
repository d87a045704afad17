/* UDP: attacks UDP-01 to UDP-09, sockets and ports, what programs see. */
#include "bed.h"
#include <netinet/udp.h>
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

static ssize_t got(int s)
{
	char buf[2000];

	return bed_recv(b, s, buf, sizeof(buf));
}

static struct pkt *udp(uint16_t sport, uint16_t dport, uint32_t len)
{
	return pkt_udp(PEER, sport, ME, dport, NULL, len);
}

static void udp_01_length_below_header(void **state)
{
	for (uint16_t l = 0; l < 8; l++) {
		struct pkt *p = udp(5, 7000, 20);

		put_be16(pkt_l4(p) + 4, l);
		put_be16(pkt_l4(p) + 6, 0);
		wire_in(w, p);
	}
	for (uint32_t n = 0; n < 8; n++) /* not even a header there */
		wire_in(w, pkt_new(PEER, ME, 17, NULL, n, 20));
	assert_int_equal(bed_drops(b, DROP_UDP_BAD_LEN), 16);
	assert_int_equal(b->net->mib.udp.InErrors, 16);
	assert_int_equal(got(fd), -EAGAIN);
	assert_int_equal(w->n, 0);
}

static void udp_02_length_beyond_packet(void **state)
{
	struct pkt *p = pkt_udp(PEER, 5, ME, 7000, NULL, 0);

	put_be16(pkt_l4(p) + 4, 65535);
	put_be16(pkt_l4(p) + 6, 0);
	wire_in(w, p);
	p = udp(5, 7000, 20);
	put_be16(pkt_l4(p) + 4, 29);
	wire_in(w, p);
	assert_int_equal(bed_drops(b, DROP_UDP_BAD_LEN), 2);
	assert_int_equal(got(fd), -EAGAIN);
}

static void udp_03_trailing_octets(void **state)
{
	struct pkt *p = udp(5, 7000, 20);

	put_be16(pkt_l4(p) + 4, 12);
	put_be16(pkt_l4(p) + 6, 0);
	wire_in(w, p);
	assert_int_equal(got(fd), 4);
}

static void udp_04_checksums(void **state)
{
	struct pkt *p = udp(5, 7000, 20);
	const uint8_t *u;

	put_be16(pkt_l4(p) + 6, 0); /* none was made */
	wire_in(w, p);
	assert_int_equal(got(fd), 20);
	p = udp(5, 7000, 20);
	pkt_l4(p)[9] ^= 0x10;
	wire_in(w, p);
	assert_int_equal(got(fd), -EAGAIN);
	assert_int_equal(b->net->mib.udp.InCsumErrors, 1);
	assert_int_equal(b->net->mib.udp.InErrors, 1);
	assert_int_equal(w->n, 0);
	/* a computed zero goes out as 0xffff: find two octets that make it */
	for (uint32_t i = 0; i < 65536; i++) {
		uint8_t d[2] = { (uint8_t)(i >> 8), (uint8_t)i };
		uint8_t h[10];
		uint16_t c;

		put_be16(h, 7000);
		put_be16(h + 2, 9);
		put_be16(h + 4, 10);
		put_be16(h + 6, 0);
		memcpy(h + 8, d, 2);
		c = csum_fold(csum_tcpudp_nofold(ME, PEER, 10, 17, csum_partial(h, 10, 0)));
		if (c)
			continue;
		assert_int_equal(bed_send(b, fd, "10.0.0.9", 9, d, 2), 2);
		u = (const uint8_t *)wire_ip(w, 0) + 20;
		assert_int_equal(get_be16(u + 6), 0xffff);
		assert_int_equal(csum_fold(csum_tcpudp_nofold(ME, PEER, 10, 17, csum_partial(u, 10, 0))), 0);
		break;
	}
	/* R1122-U07: made by default; a program may do without */
	{
		int one = 1;

		sys_setsockopt(b->t, fd, SOL_SOCKET, SO_NO_CHECK, &one, sizeof(one));
		wire_clear(w);
		bed_send(b, fd, "10.0.0.9", 9, "abc", 3);
		assert_int_equal(get_be16((const uint8_t *)wire_ip(w, 0) + 26), 0);
	}
}

static void udp_05_port_zero(void **state)
{
	struct sockaddr_in sin = bed_sin("10.0.0.9", 0);

	wire_in(w, udp(5, 0, 4));
	assert_int_equal(bed_drops(b, DROP_UDP_PORT_ZERO), 1);
	assert_int_equal(w->n, 0);
	wire_in(w, udp(0, 7000, 4)); /* no reply possible, but delivered */
	assert_int_equal(got(fd), 4);
	assert_int_equal(sys_sendto(b->t, fd, "x", 1, 0, (struct sockaddr *)&sin, sizeof(sin)), -EINVAL);
}

static void udp_06_udp_07_stack_never_answers(void **state)
{
	/* fraggle, and the echo loop: ports 7 and 19 are programs' business; without one a broadcast is silent */
	wire_in_mac(w, pkt_udp(PEER, 19, IP(10, 0, 0, 255), 7, "x", 1), bcast_mac, w->peer_mac);
	assert_int_equal(w->n, 0);
	assert_int_equal(b->net->mib.udp.IgnoredMulti, 1);
	assert_int_equal(b->net->mib.udp.NoPorts, 0);
	wire_in(w, udp(19, 7, 1)); /* to a closed port: an error, which is never answered in turn */
	assert_int_equal(wire_icmp(w, 0)->code, 3);
	assert_int_equal(b->net->mib.udp.NoPorts, 1);
}

static void udp_08_receive_queue_is_bounded(void **state)
{
	int other = bed_udp(b, NULL, 7001);
	unsigned n = 0;

	for (int i = 0; i < 2000; i++)
		wire_in(w, udp(5, 7000, 400));
	assert_true(b->net->mib.udp.RcvbufErrors > 0);
	assert_int_equal(b->net->mib.udp.RcvbufErrors, bed_drops(b, DROP_SOCKET_RCVBUFF));
	wire_in(w, udp(5, 7001, 4));
	assert_int_equal(got(other), 4); /* others go on */
	while (got(fd) == 400)
		n++;
	assert_int_equal(n + b->net->mib.udp.RcvbufErrors, 2000);
	assert_int_equal(b->net->mib.udp.InDatagrams, n + 1);
}

static void udp_09_short_buffer_and_peek(void **state)
{
	char buf[2000];
	struct iovec iov = { buf, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct pkt *p;

	wire_in(w, udp(5, 7000, 1400));
	wire_in(w, udp(5, 7000, 7));
	assert_int_equal(sys_recvmsg(b->t, fd, &m, MSG_DONTWAIT), 1);
	assert_true(m.msg_flags & MSG_TRUNC);
	assert_int_equal(sys_recvfrom(b->t, fd, buf, 3, MSG_PEEK | MSG_DONTWAIT, NULL, NULL), 3);
	assert_int_equal(sys_recvfrom(b->t, fd, buf, 3, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT, NULL, NULL), 7);
	assert_int_equal(sys_recvfrom(b->t, fd, buf, 3, MSG_TRUNC | MSG_DONTWAIT, NULL, NULL), 7);
	assert_int_equal(got(fd), -EAGAIN);
	p = udp(5, 7000, 50); /* a wrong checksum is not to be peeked at either */
	pkt_l4(p)[20] ^= 1;
	wire_in(w, p);
	assert_int_equal(sys_recvfrom(b->t, fd, buf, 3, MSG_PEEK | MSG_DONTWAIT, NULL, NULL), -EAGAIN);
}

/* ---- who gets it ---- */

static void s3_41_ports_tell_programs_apart(void **state)
{
	int s1 = bed_udp(b, NULL, 81), s2 = bed_udp(b, NULL, 82);

	wire_in(w, udp(5, 82, 2));
	wire_in(w, udp(5, 81, 1));
	assert_int_equal(got(s1), 1);
	assert_int_equal(got(s1), -EAGAIN);
	assert_int_equal(got(s2), 2);
}

static void s3_144_scoring(void **state)
{
	int one = 1, any, exact, conn;
	struct sockaddr_in peer = bed_sin("10.0.0.9", 5000), me = bed_sin("10.0.0.1", 9000);

	any = sys_socket(b->t, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	exact = sys_socket(b->t, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	conn = sys_socket(b->t, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	for (int i = 0; i < 3; i++) {
		int s = i == 0 ? any : i == 1 ? exact : conn;
		struct sockaddr_in a = me;

		if (i == 0)
			a.sin_addr.s_addr = 0;
		assert_int_equal(sys_setsockopt(b->t, s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), 0);
		assert_int_equal(sys_bind(b->t, s, (struct sockaddr *)&a, sizeof(a)), 0);
	}
	assert_int_equal(sys_connect(b->t, conn, (struct sockaddr *)&peer, sizeof(peer)), 0);
	wire_in(w, udp(5000, 9000, 1)); /* all four match */
	assert_int_equal(got(conn), 1);
	wire_in(w, udp(5001, 9000, 2)); /* another source: not the connected one */
	assert_int_equal(got(conn), -EAGAIN);
	assert_int_equal(got(exact), 2);
	sys_close(b->t, exact);
	wire_in(w, udp(5001, 9000, 3));
	assert_int_equal(got(any), 3);
	sys_close(b->t, any);
	wire_in(w, udp(5001, 9000, 4)); /* nobody left */
	assert_int_equal(b->net->mib.udp.NoPorts, 1);
	/* disconnect: open to all again, with the address that was bound */
	peer.sin_family = AF_UNSPEC;
	assert_int_equal(sys_connect(b->t, conn, (struct sockaddr *)&peer, sizeof(peer)), 0);
	wire_in(w, udp(5001, 9000, 5));
	assert_int_equal(got(conn), 5);
}

static void bind_conflicts(void **state)
{
	struct sockaddr_in a = bed_sin(NULL, 7000), c = bed_sin("10.0.0.77", 7001), me = bed_sin("10.0.0.1", 7000);
	int s = sys_socket(b->t, AF_INET, SOCK_DGRAM, 0), one = 1;

	assert_int_equal(sys_bind(b->t, s, (struct sockaddr *)&a, sizeof(a)), -EADDRINUSE);
	assert_int_equal(sys_bind(b->t, s, (struct sockaddr *)&me, sizeof(me)), -EADDRINUSE);
	assert_int_equal(sys_bind(b->t, s, (struct sockaddr *)&c, sizeof(c)), -EADDRNOTAVAIL);
	assert_int_equal(sys_bind(b->t, s, (struct sockaddr *)&c, 4), -EINVAL);
	assert_int_equal(sys_setsockopt(b->t, s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), 0);
	assert_int_equal(sys_bind(b->t, s, (struct sockaddr *)&a, sizeof(a)), -EADDRINUSE); /* both must want it */
	a.sin_port = htons(7002);
	assert_int_equal(sys_bind(b->t, s, (struct sockaddr *)&a, sizeof(a)), 0);
	a.sin_port = htons(7003);
	assert_int_equal(sys_bind(b->t, s, (struct sockaddr *)&a, sizeof(a)), -EINVAL); /* bound already */
}

static void s3_61_ephemeral_ports(void **state)
{
	uint16_t seen[200];
	bool odd = false, even = false;

	for (int i = 0; i < 200; i++) {
		int s = sys_socket(b->t, AF_INET, SOCK_DGRAM, 0);
		struct sockaddr_in dst = bed_sin("10.0.0.9", 9), me;
		socklen_t len = sizeof(me);

		assert_int_equal(sys_connect(b->t, s, (struct sockaddr *)&dst, sizeof(dst)), 0);
		assert_int_equal(sys_getsockname(b->t, s, (struct sockaddr *)&me, &len), 0);
		seen[i] = ntohs(me.sin_port);
		assert_in_range(seen[i], 32768, 60999);
		assert_int_equal(ntohl(me.sin_addr.s_addr), ME);
		odd |= seen[i] & 1;
		even |= !(seen[i] & 1);
		for (int k = 0; k < i; k++)
			assert_int_not_equal(seen[k], seen[i]);
	}
	assert_true(odd && even);
	bed_sysctl(b, "net.ipv4.ip_local_port_range", "40000 40003");
	bed_sysctl(b, "net.ipv4.ip_local_reserved_ports", "40000,40002-40003");
	{
		int s = bed_udp(b, NULL, 0), s2 = sys_socket(b->t, AF_INET, SOCK_DGRAM, 0);
		struct sockaddr_in me, dst = bed_sin("10.0.0.9", 9);
		socklen_t len = sizeof(me);

		assert_int_equal(bed_send(b, s, "10.0.0.9", 9, "x", 1), 1);
		assert_int_equal(sys_getsockname(b->t, s, (struct sockaddr *)&me, &len), 0);
		assert_int_equal(ntohs(me.sin_port), 40001);
		assert_int_equal(sys_connect(b->t, s2, (struct sockaddr *)&dst, sizeof(dst)), -EAGAIN); /* none left */
	}
}

static void reuseport_spreads_flows(void **state)
{
	struct sockaddr_in a = bed_sin(NULL, 8000);
	int s[4], one = 1;
	unsigned n[4] = { 0 };

	for (int i = 0; i < 4; i++) {
		s[i] = sys_socket(b->t, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		assert_int_equal(sys_setsockopt(b->t, s[i], SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)), 0);
		assert_int_equal(sys_bind(b->t, s[i], (struct sockaddr *)&a, sizeof(a)), 0);
	}
	for (uint16_t p = 1000; p < 1400; p++)
		wire_in(w, udp(p, 8000, 1));
	for (int i = 0; i < 4; i++) {
		while (got(s[i]) == 1)
			n[i]++;
		assert_in_range(n[i], 60, 140);
	}
	/* a flow stays where it is */
	for (int k = 0; k < 10; k++)
		wire_in(w, udp(1234, 8000, 1));
	for (int i = 0; i < 4; i++) {
		unsigned m = 0;

		while (got(s[i]) == 1)
			m++;
		assert_true(m == 0 || m == 10);
	}
}

static void tables_grow(void **state)
{
	static int s[3000];

	for (int i = 0; i < 3000; i++)
		s[i] = bed_udp(b, NULL, (uint16_t)(10000 + i));
	for (int i = 0; i < 3000; i += 7) {
		wire_in(w, udp(5, (uint16_t)(10000 + i), 3));
		assert_int_equal(got(s[i]), 3);
	}
	assert_true(b->net->ipv4->udp != NULL);
	for (int i = 0; i < 3000; i++)
		sys_close(b->t, s[i]);
}

/* ---- programs ---- */

static void s2_13_queue_then_wake(void **state)
{
	size_t queue = 0, wake = 0;

	wire_in(w, udp(5, 7000, 5));
	for (size_t i = 0; i < b->tr.n; i++) {
		const struct trace_event *e = &b->tr.rec[i].ev;

		if (e->kind == TR_QUEUE && strstr(e->text, "sk_receive_queue"))
			queue = i;
		if (e->kind == TR_ENTER && strcmp(e->func, "sock_def_readable") == 0)
			wake = i;
	}
	assert_true(queue && wake && queue < wake);
}

static int blocked_result;
static int reader(struct task *t, int argc, char **argv)
{
	int s = sys_socket(t, AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in a = bed_sin(NULL, 7777);
	char buf[32];

	sys_bind(t, s, (struct sockaddr *)&a, sizeof(a));
	blocked_result = (int)sys_recvfrom(t, s, buf, sizeof(buf), 0, NULL, NULL);
	return 0;
}

static void s2_75_a_blocked_reader_wakes(void **state)
{
	char *argv[] = { (char *)"reader", NULL };

	blocked_result = -1;
	assert_non_null(task_spawn(b->net, "reader", reader, 1, argv, NULL));
	bed_run(b);
	assert_int_equal(blocked_result, -1);
	bed_send(b, fd, "127.0.0.1", 7777, "wake up", 7);
	assert_int_equal(blocked_result, 7);
}

static void s2_01_data_is_copied_at_send(void **state)
{
	char data[] = "before";

	w->arp = false;
	assert_int_equal(bed_send(b, fd, "10.0.0.9", 9, data, 6), 6); /* waits for ARP */
	memcpy(data, "after.", 6);
	assert_true(bed_said(b, TR_COPY, "len=6 from=user"));
	wire_arp(w, ARPOP_REPLY, w->peer_mac, PEER, w->dev->dev_addr, ME, w->dev->dev_addr);
	assert_memory_equal((const uint8_t *)wire_ip(w, 0) + 28, "before", 6);
}

static void send_errors(void **state)
{
	int s = bed_udp(b, NULL, 0);
	struct sockaddr_in sin = bed_sin("10.0.0.9", 9);

	assert_int_equal(sys_sendto(b->t, s, "x", 1, 0, NULL, 0), -EDESTADDRREQ);
	assert_int_equal(sys_sendto(b->t, s, "x", 1, MSG_OOB, (struct sockaddr *)&sin, sizeof(sin)), -EOPNOTSUPP);
	sin.sin_family = AF_INET6;
	assert_int_equal(sys_sendto(b->t, s, "x", 1, 0, (struct sockaddr *)&sin, sizeof(sin)), -EAFNOSUPPORT);
	sin.sin_family = AF_INET;
	assert_int_equal(sys_sendto(b->t, s, "x", 1, 0, (struct sockaddr *)&sin, 8), -EINVAL);
	assert_int_equal(sys_connect(b->t, s, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(sys_shutdown(b->t, s, SHUT_WR), 0);
	assert_int_equal(sys_sendto(b->t, s, "x", 1, MSG_NOSIGNAL, NULL, 0), -EPIPE);
}

static void udp_cork_option(void **state)
{
	struct sockaddr_in sin = bed_sin("10.0.0.9", 9);
	int on = 1, off = 0;

	assert_int_equal(sys_setsockopt(b->t, fd, IPPROTO_UDP, UDP_CORK, &on, sizeof(on)), 0);
	assert_int_equal(sys_sendto(b->t, fd, "abc", 3, 0, (struct sockaddr *)&sin, sizeof(sin)), 3);
	assert_int_equal(sys_sendto(b->t, fd, "def", 3, 0, NULL, 0), 3);
	bed_run(b);
	assert_int_equal(wire_count(w, ETH_P_IP), 0);
	assert_int_equal(sys_setsockopt(b->t, fd, IPPROTO_UDP, UDP_CORK, &off, sizeof(off)), 0);
	bed_run(b);
	assert_int_equal(ip4_tot_len(wire_ip(w, 0)), 34);
	assert_memory_equal((const uint8_t *)wire_ip(w, 0) + 28, "abcdef", 6);
	/* closed with a cork in: nothing leaks, nothing goes */
	assert_int_equal(sys_sendto(b->t, fd, "ghi", 3, MSG_MORE, (struct sockaddr *)&sin, sizeof(sin)), 3);
	wire_clear(w);
	sys_close(b->t, fd);
	assert_int_equal(wire_count(w, ETH_P_IP), 0);
}

static void udp_segment_trains(void **state)
{
	static uint8_t data[5000];
	int size = 1000, rx = bed_udp(b, NULL, 7100);
	struct sockaddr_in lo = bed_sin("127.0.0.1", 7100);

	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i >> 3);
	assert_int_equal(sys_setsockopt(b->t, fd, IPPROTO_UDP, 103 /* UDP_SEGMENT */, &size, sizeof(size)), 0);
	assert_int_equal(bed_send(b, fd, "10.0.0.9", 9, data, 4500), 4500);
	assert_int_equal(wire_count(w, ETH_P_IP), 5);
	for (unsigned i = 0; i < 5; i++) {
		const uint8_t *h = (const uint8_t *)wire_ip(w, i);
		uint32_t len = i < 4 ? 1000 : 500;

		assert_int_equal(ip4_tot_len(wire_ip(w, i)), 28 + len);
		assert_memory_equal(h + 28, data + i * 1000, len);
		assert_int_equal(csum_fold(csum_tcpudp_nofold(ME, PEER, len + 8, 17, csum_partial(h + 20, len + 8, 0))), 0);
	}
	/* over lo a socket without UDP_GRO gets them one by one */
	assert_int_equal(sys_sendto(b->t, fd, data, 3500, 0, (struct sockaddr *)&lo, sizeof(lo)), 3500);
	assert_int_equal(got(rx), 1000);
	assert_int_equal(got(rx), 1000);
	assert_int_equal(got(rx), 1000);
	assert_int_equal(got(rx), 500);
	assert_int_equal(got(rx), -EAGAIN);
}

static void multicast_to_each_listener_once(void **state)
{
	struct sockaddr_in a = bed_sin(NULL, 9100);
	struct ip_mreqn m = { .imr_ifindex = w->dev->ifindex };
	int s[3], one = 1, zero = 0;

	m.imr_multiaddr.s_addr = htonl(IP(239, 5, 5, 5));
	for (int i = 0; i < 3; i++) {
		s[i] = sys_socket(b->t, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		sys_setsockopt(b->t, s[i], SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		sys_setsockopt(b->t, s[i], IPPROTO_IP, IP_MULTICAST_ALL, &zero, sizeof(zero));
		assert_int_equal(sys_bind(b->t, s[i], (struct sockaddr *)&a, sizeof(a)), 0);
		if (i < 2)
			assert_int_equal(sys_setsockopt(b->t, s[i], IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)), 0);
	}
	wire_in_mac(w, pkt_udp(PEER, 1, IP(239, 5, 5, 5), 9100, "x", 1), (const uint8_t *)"\x01\x00\x5e\x05\x05\x05", w->peer_mac);
	assert_int_equal(got(s[0]), 1);
	assert_int_equal(got(s[1]), 1);
	assert_int_equal(got(s[2]), -EAGAIN); /* no member, and does not want what the host is a member of */
	assert_int_equal(got(s[0]), -EAGAIN);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest t[] = {
		T(udp_01_length_below_header), T(udp_02_length_beyond_packet), T(udp_03_trailing_octets), T(udp_04_checksums),
		T(udp_05_port_zero), T(udp_06_udp_07_stack_never_answers), T(udp_08_receive_queue_is_bounded),
		T(udp_09_short_buffer_and_peek), T(s3_41_ports_tell_programs_apart), T(s3_144_scoring), T(bind_conflicts),
		T(s3_61_ephemeral_ports), T(reuseport_spreads_flows), T(tables_grow), T(s2_13_queue_then_wake),
		T(s2_75_a_blocked_reader_wakes), T(s2_01_data_is_copied_at_send), T(send_errors), T(udp_cork_option),
		T(udp_segment_trains), T(multicast_to_each_listener_once),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
