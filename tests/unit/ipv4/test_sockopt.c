/* What programs may say and ask about their datagrams (ip(7)), raw and ping sockets; RFC 1122 3.4, 4.1.4. */
#include "bed.h"
#include <stdlib.h>
#include "tcp/tcp_auth.h"
#include <netinet/tcp.h>
#include <linux/errqueue.h>

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

static int set(int s, int name, int v)
{
	return sys_setsockopt(b->t, s, IPPROTO_IP, name, &v, sizeof(v));
}

static int get(int s, int name)
{
	int v = -1;
	socklen_t len = sizeof(v);
	int err = sys_getsockopt(b->t, s, IPPROTO_IP, name, &v, &len);

	return err ? err : v;
}

static const struct ip4_hdr *sent(int s)
{
	wire_clear(w);
	assert_int_equal(bed_send(b, s, "10.0.0.9", 9, "x", 1), 1);
	return wire_ip(w, 0);
}

static void r1122_i14_i17_u14_tos_and_ttl(void **state)
{
	assert_int_equal(sent(fd)->ttl, 64);
	assert_int_equal(set(fd, IP_TTL, 0), -EINVAL);
	assert_int_equal(set(fd, IP_TTL, 256), -EINVAL);
	assert_int_equal(set(fd, IP_TTL, 7), 0);
	assert_int_equal(set(fd, IP_TOS, 0xb8), 0);
	assert_int_equal(sent(fd)->ttl, 7);
	assert_int_equal(sent(fd)->tos, 0xb8);
	assert_int_equal(get(fd, IP_TOS), 0xb8);
	assert_int_equal(set(fd, IP_TTL, -1), 0);
	bed_sysctl(b, "net.ipv4.ip_default_ttl", "99"); /* R1122-I18 */
	assert_int_equal(sent(fd)->ttl, 99);
	assert_int_equal(get(fd, IP_TTL), 99);
	assert_int_equal(sysctl_set(b->net, "net.ipv4.ip_default_ttl", "0"), -EINVAL);
}

static void control_messages_down(void **state)
{
	char ctl[200] = { 0 };
	struct iovec iov = { (char *)"x", 1 };
	struct sockaddr_in sin = bed_sin("10.0.0.9", 9);
	struct msghdr m = { .msg_name = &sin, .msg_namelen = sizeof(sin), .msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl };
	struct cmsghdr *c = (struct cmsghdr *)(void *)ctl;
	struct in_pktinfo info = { 0 };
	int ttl = 3, tos = 0x28;

	assert_int_equal(inet_add_addr(b->net, w->dev, IP(10, 0, 0, 2), 24, 0, 0), 0);
	m.msg_controllen = CMSG_SPACE(4) * 2 + CMSG_SPACE(sizeof(info));
	c = CMSG_FIRSTHDR(&m);
	*c = (struct cmsghdr){ CMSG_LEN(4), IPPROTO_IP, IP_TTL };
	memcpy(CMSG_DATA(c), &ttl, 4);
	c = (struct cmsghdr *)(void *)(ctl + CMSG_SPACE(4));
	*c = (struct cmsghdr){ CMSG_LEN(4), IPPROTO_IP, IP_TOS };
	memcpy(CMSG_DATA(c), &tos, 4);
	c = (struct cmsghdr *)(void *)(ctl + 2 * CMSG_SPACE(4));
	*c = (struct cmsghdr){ CMSG_LEN(sizeof(info)), IPPROTO_IP, IP_PKTINFO };
	info.ipi_spec_dst.s_addr = htonl(IP(10, 0, 0, 2)); /* R1122-I76, U09: the program chooses its address */
	memcpy(CMSG_DATA(c), &info, sizeof(info));
	assert_int_equal(sys_sendmsg(b->t, fd, &m, 0), 1);
	bed_run(b);
	assert_int_equal(wire_ip(w, 0)->ttl, 3);
	assert_int_equal(wire_ip(w, 0)->tos, 0x28);
	assert_int_equal(ip4_saddr(wire_ip(w, 0)), IP(10, 0, 0, 2));
	/* U12: not one that is not ours */
	info.ipi_spec_dst.s_addr = htonl(IP(10, 0, 0, 77));
	memcpy(CMSG_DATA(c), &info, sizeof(info));
	assert_int_equal(sys_sendmsg(b->t, fd, &m, 0), -ENETUNREACH);
	c = CMSG_FIRSTHDR(&m);
	c->cmsg_type = 200;
	assert_int_equal(sys_sendmsg(b->t, fd, &m, 0), -EINVAL);
}

static void r1122_u08_i88_control_messages_up(void **state)
{
	char buf[64], ctl[400];
	struct iovec iov = { buf, sizeof(buf) };
	struct sockaddr_in from;
	struct msghdr m = { .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl,
			    .msg_controllen = sizeof(ctl) };
	struct pkt *p = pkt_udp(PEER, 5000, IP(10, 0, 0, 255), 7000, "hello", 5);
	struct cmsghdr *c;
	unsigned seen = 0;

	set(fd, IP_PKTINFO, 1);
	set(fd, IP_RECVTTL, 1);
	set(fd, IP_RECVTOS, 1);
	set(fd, IP_RECVORIGDSTADDR, 1);
	pkt_ip(p)->ttl = 5;
	pkt_ip(p)->tos = 0x20;
	pkt_fix(p);
	wire_in_mac(w, p, bcast_mac, w->peer_mac);
	assert_int_equal(sys_recvmsg(b->t, fd, &m, MSG_DONTWAIT), 5);
	assert_int_equal(ntohl(from.sin_addr.s_addr), PEER);
	assert_int_equal(ntohs(from.sin_port), 5000);
	assert_int_equal(m.msg_namelen, sizeof(from));
	for (c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		struct in_pktinfo info;
		struct sockaddr_in sin;
		int v;

		assert_int_equal(c->cmsg_level, IPPROTO_IP);
		switch (c->cmsg_type) {
		case IP_PKTINFO:
			memcpy(&info, CMSG_DATA(c), sizeof(info));
			assert_int_equal(info.ipi_ifindex, w->dev->ifindex);
			assert_int_equal(ntohl(info.ipi_addr.s_addr), IP(10, 0, 0, 255));
			assert_int_equal(ntohl(info.ipi_spec_dst.s_addr), ME); /* where an answer should come from */
			break;
		case IP_TTL:
			memcpy(&v, CMSG_DATA(c), 4);
			assert_int_equal(v, 5);
			break;
		case IP_TOS:
			assert_int_equal(*CMSG_DATA(c), 0x20);
			break;
		case IP_ORIGDSTADDR:
			memcpy(&sin, CMSG_DATA(c), sizeof(sin));
			assert_int_equal(ntohs(sin.sin_port), 7000);
			break;
		default:
			fail();
		}
		seen++;
	}
	assert_int_equal(seen, 4);
	/* too little room is said */
	wire_in(w, pkt_udp(PEER, 5000, ME, 7000, "x", 1));
	m.msg_control = ctl;
	m.msg_controllen = 4;
	m.msg_namelen = sizeof(from);
	assert_int_equal(sys_recvmsg(b->t, fd, &m, MSG_DONTWAIT), 1);
	assert_true(m.msg_flags & MSG_CTRUNC);
}

static void options_have_bounds(void **state)
{
	int tcp = sys_socket(b->t, AF_INET, SOCK_STREAM, 0), v;
	socklen_t len = 1;
	uint8_t c;

	assert_int_equal(set(fd, IP_MTU_DISCOVER, 9), -EINVAL);
	assert_int_equal(set(fd, IP_MINTTL, 256), -EINVAL);
	assert_int_equal(set(fd, IP_MULTICAST_TTL, 256), -EINVAL);
	assert_int_equal(set(tcp, IP_MULTICAST_TTL, 1), -EINVAL);
	assert_int_equal(set(fd, IP_HDRINCL, 1), -ENOPROTOOPT);
	assert_int_equal(set(fd, 12345, 1), -ENOPROTOOPT);
	assert_int_equal(get(fd, 12345), -ENOPROTOOPT);
	assert_int_equal(get(fd, IP_MTU), -ENOTCONN);
	assert_int_equal(set(fd, IP_TRANSPARENT, 1), 0);
	assert_int_equal(get(fd, IP_TRANSPARENT), 1);
	assert_int_equal(set(fd, IP_MULTICAST_TTL, 17), 0);
	assert_int_equal(sys_getsockopt(b->t, fd, IPPROTO_IP, IP_MULTICAST_TTL, &c, &len), 0); /* a char will do */
	assert_int_equal(len, 1);
	assert_int_equal(c, 17);
	c = 9;
	assert_int_equal(sys_setsockopt(b->t, fd, IPPROTO_IP, IP_MULTICAST_TTL, &c, 1), 0);
	assert_int_equal(get(fd, IP_MULTICAST_TTL), 9);
	(void)v;
}

static void local_errors_on_the_queue(void **state)
{
	static char big[3000];
	char data[16], ctl[256];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl, .msg_controllen = sizeof(ctl) };
	struct sock_extended_err *ee;

	set(fd, IP_RECVERR, 1);
	set(fd, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
	assert_int_equal(bed_send(b, fd, "10.0.0.9", 9, big, 3000), -EMSGSIZE);
	assert_int_equal(sys_recvmsg(b->t, fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT), 0);
	ee = (struct sock_extended_err *)(void *)CMSG_DATA(CMSG_FIRSTHDR(&m));
	assert_int_equal(ee->ee_errno, EMSGSIZE);
	assert_int_equal(ee->ee_origin, SO_EE_ORIGIN_LOCAL);
	assert_int_equal(ee->ee_info, 1500);
	set(fd, IP_RECVERR, 0);
}

/* ---- raw ---- */

static void raw_sockets_see_everything_of_their_protocol(void **state)
{
	int r1 = sys_socket(b->t, AF_INET, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_ICMP), r2 = sys_socket(b->t, AF_INET, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_ICMP);
	uint32_t filter = ~(1u << 0); /* only echo replies */
	char buf[200];

	assert_int_equal(sys_socket(b->t, AF_INET, SOCK_RAW, 0), -EPROTONOSUPPORT);
	assert_int_equal(sys_setsockopt(b->t, r2, 255, 1 /* ICMP_FILTER */, &filter, sizeof(filter)), 0);
	wire_in(w, pkt_echo(PEER, ME, 1, 1, 8));
	assert_int_equal(bed_recv(b, r1, buf, sizeof(buf)), 36); /* with the IP header */
	assert_int_equal((uint8_t)buf[0], 0x45);
	assert_int_equal(bed_recv(b, r2, buf, sizeof(buf)), -EAGAIN);
	assert_int_equal(wire_icmp(w, 0)->type, 0); /* and the host answers as ever */
}

static void raw_protocol_without_a_handler(void **state)
{
	int r = sys_socket(b->t, AF_INET, SOCK_RAW | SOCK_NONBLOCK, 200);
	struct sockaddr_in peer = bed_sin("10.0.0.9", 0);
	char buf[100];

	wire_in(w, pkt_new(PEER, ME, 200, "abc", 3, 20));
	assert_int_equal(bed_recv(b, r, buf, sizeof(buf)), 23);
	assert_int_equal(wire_count(w, ETH_P_IP), 0); /* somebody took it: no unreachable */
	assert_int_equal(bed_send(b, r, "10.0.0.9", 0, "hello!!!", 8), 8);
	assert_int_equal(wire_ip(w, 0)->protocol, 200);
	/* S3-66: the far end's "protocol unreachable" */
	assert_int_equal(sys_connect(b->t, r, (struct sockaddr *)&peer, sizeof(peer)), 0);
	wire_in(w, pkt_icmp_err(PEER, ME, 3, 2, 0, (const uint8_t *)wire_ip(w, 0), 28 - 3));
	wire_in(w, pkt_icmp_err(PEER, ME, 3, 2, 0, (const uint8_t *)wire_ip(w, 0), 28));
	assert_int_equal(bed_recv(b, r, buf, sizeof(buf)), -ENOPROTOOPT);
	assert_int_equal(bed_recv(b, r, buf, sizeof(buf)), -EAGAIN);
}

static void raw_header_of_our_own(void **state)
{
	int r = sys_socket(b->t, AF_INET, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_RAW);
	struct pkt *p = pkt_udp(IP(1, 2, 3, 4), 1, PEER, 2, "x", 1);
	uint8_t *h = (uint8_t *)pkt_ip(p);

	memset(h + 10, 0x55, 2); /* checksum and length are made */
	memset(h + 2, 0, 2);
	memset(h + 4, 0, 2);
	assert_int_equal(bed_send(b, r, "10.0.0.9", 0, h, 29), 29);
	assert_int_equal(ip4_saddr(wire_ip(w, 0)), IP(1, 2, 3, 4)); /* any source: that is what it is for */
	assert_int_equal(ip4_tot_len(wire_ip(w, 0)), 29);
	assert_int_equal(ip4_fast_csum(wire_ip(w, 0), 20), 0);
	put_be32(h + 12, 0);
	wire_clear(w);
	assert_int_equal(bed_send(b, r, "10.0.0.9", 0, h, 29), 29);
	assert_int_equal(ip4_saddr(wire_ip(w, 0)), ME);
	put_be32(h + 12, IP(127, 0, 0, 1)); /* S0-16: but not this */
	assert_int_equal(bed_send(b, r, "10.0.0.9", 0, h, 29), -EINVAL);
	h[0] = 0x4f;
	put_be32(h + 12, ME);
	assert_int_equal(bed_send(b, r, "10.0.0.9", 0, h, 29), -EINVAL);
	assert_int_equal(bed_send(b, r, "10.0.0.9", 0, h, 10), -EINVAL);
	free(p);
}

/* ---- ping sockets ---- */

static void ping_socket_talks_and_hears_errors(void **state)
{
	int s = sys_socket(b->t, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, IPPROTO_ICMP), s2;
	uint8_t m[16] = { 8, 0, 0, 0, 0xff, 0xff, 0, 7 }, r[64];
	struct sockaddr_in me, peer = bed_sin("10.0.0.9", 0), same;
	socklen_t len = sizeof(me), rlen = sizeof(int);
	struct pkt *p;
	int reuse = 0;

	assert_int_equal(bed_send(b, s, "10.0.0.9", 0, m, sizeof(m)), 16);
	assert_int_equal(sys_getsockname(b->t, s, (struct sockaddr *)&me, &len), 0);
	assert_int_equal(get_be16(wire_icmp(w, 0)->rest), ntohs(me.sin_port)); /* the identifier is ours, not the program's */
	assert_int_equal(get_be16(wire_icmp(w, 0)->rest + 2), 7);
	p = pkt_echo(PEER, ME, ntohs(me.sin_port), 7, 8);
	pkt_l4(p)[0] = 0;
	put_be16(pkt_l4(p) + 2, 0);
	put_be16(pkt_l4(p) + 2, csum_fold(csum_partial(pkt_l4(p), 16, 0)));
	wire_in(w, p);
	assert_int_equal(bed_recv(b, s, r, sizeof(r)), 16);
	assert_int_equal(r[0], 0);
	/* somebody else's identifier */
	p = pkt_echo(PEER, ME, (uint16_t)(ntohs(me.sin_port) + 1), 7, 8);
	pkt_l4(p)[0] = 0;
	put_be16(pkt_l4(p) + 2, 0);
	put_be16(pkt_l4(p) + 2, csum_fold(csum_partial(pkt_l4(p), 16, 0)));
	wire_in(w, p);
	assert_int_equal(bed_recv(b, s, r, sizeof(r)), -EAGAIN);
	/* errors */
	assert_int_equal(sys_connect(b->t, s, (struct sockaddr *)&peer, sizeof(peer)), 0);
	wire_in(w, pkt_icmp_err(PEER, ME, 3, 10, 0, (const uint8_t *)wire_ip(w, 0), 36));
	assert_int_equal(bed_recv(b, s, r, sizeof(r)), -EHOSTUNREACH);
	/* only echo requests, and whole headers */
	m[0] = 13;
	assert_int_equal(sys_sendto(b->t, s, m, sizeof(m), 0, NULL, 0), -EINVAL);
	assert_int_equal(sys_sendto(b->t, s, m, 7, 0, NULL, 0), -EINVAL);
	s2 = sys_socket(b->t, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, IPPROTO_ICMP);
	same = bed_sin(NULL, ntohs(me.sin_port));
	/* SO_REUSEADDR is on from the start, as with raw sockets */
	assert_int_equal(sys_getsockopt(b->t, s2, SOL_SOCKET, SO_REUSEADDR, &reuse, &rlen), 0);
	assert_int_equal(reuse, 1);
	reuse = 0;
	assert_int_equal(sys_setsockopt(b->t, s2, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse)), 0);
	assert_int_equal(sys_bind(b->t, s2, (struct sockaddr *)&same, sizeof(same)), -EADDRINUSE);
	reuse = 1;
	assert_int_equal(sys_setsockopt(b->t, s2, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse)), 0);
	assert_int_equal(sys_bind(b->t, s2, (struct sockaddr *)&same, sizeof(same)), 0);
}

/* ---- files ---- */

static void proc_files(void **state)
{
	struct strbuf sb;
	char want[128];
	int r = sys_socket(b->t, AF_INET, SOCK_RAW, IPPROTO_ICMP);

	assert_true(r >= 0);
	bed_proc(b, "net/udp", &sb);
	assert_non_null(strstr(sb_str(&sb), "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops            \n"));
	assert_non_null(strstr(sb_str(&sb), " 7000: 00000000:1B58 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 "));
	sb_free(&sb);
	bed_proc(b, "net/raw", &sb);
	assert_non_null(strstr(sb_str(&sb), ": 00000000:0001 00000000:0000 07 "));
	sb_free(&sb);
	assert_int_equal(bed_route(b, "0.0.0.0/0", "10.0.0.2", NULL, 5), 0);
	bed_proc(b, "net/route", &sb);
	assert_non_null(strstr(sb_str(&sb), "eth0\t00000000\t0200000A\t0003\t0\t0\t5\t00000000\t0\t0\t0"));
	assert_non_null(strstr(sb_str(&sb), "eth0\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0"));
	sb_free(&sb);
	bed_proc(b, "net/sockstat", &sb);
	assert_non_null(strstr(sb_str(&sb), "UDP: inuse 1 mem 0\nUDPLITE: inuse 0\nRAW: inuse 1\nFRAG: inuse 0 memory 0\n"));
	sb_free(&sb);
	bed_proc(b, "net/snmp", &sb);
	assert_non_null(strstr(sb_str(&sb), "Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams InUnknownProtos"));
	assert_non_null(strstr(sb_str(&sb), "\nTcp: 1 200 120000 -1 "));
	sb_free(&sb);
	bed_proc(b, "net/netstat", &sb);
	assert_memory_equal(sb_str(&sb), "TcpExt: SyncookiesSent SyncookiesRecv", 37);
	assert_non_null(strstr(sb_str(&sb), "\nIpExt: InNoRoutes InTruncatedPkts InMcastPkts"));
	sb_free(&sb);
	bed_proc(b, "net/stat/rt_cache", &sb);
	memcpy(want, "entries  in_hit   in_slow_tot", 29);
	assert_memory_equal(sb_str(&sb), want, 29);
	sb_free(&sb);
}

static void ip4_20_identification(void **state)
{
	static uint16_t id[2][5000];
	int none = IP_PMTUDISC_DONT;
	unsigned repeat = 0, same = 0, jumps = 0, jumped[64] = { 0 };

	set(fd, IP_MTU_DISCOVER, none);
	for (int i = 0; i < 5000; i++) {
		for (int d = 0; d < 2; d++) {
			wire_clear(w);
			assert_int_equal(bed_send(b, fd, d ? "10.0.0.9" : "10.0.0.10", 9, "x", 1), 1);
			assert_false(ip4_frag(wire_ip(w, 0)) & IP_DF);
			id[d][i] = ip4_id(wire_ip(w, wire_count(w, ETH_P_IP) - 1));
		}
		if (i % 50 == 0)
			bed_sleep(b, 20 * NSEC_PER_MSEC);
		same += id[0][i] == id[1][i];
		if (i && (i - 1) % 50 == 0) /* after a pause: a step that chance decides */
			jumped[(uint16_t)(id[0][i] - id[0][i - 1]) & 63]++;
	}
	for (int d = 0; d < 2; d++) { /* no repeat per destination */
		static uint8_t seen[65536];

		memset(seen, 0, sizeof(seen));
		for (int i = 0; i < 5000; i++)
			repeat += seen[id[d][i]]++;
	}
	assert_int_equal(repeat, 0);
	assert_true(same < 10);       /* no counter for all */
	for (unsigned i = 0; i < ARRAY_SIZE(jumped); i++)
		jumps += jumped[i] > 0;
	assert_true(jumps >= 5);      /* and it does not tell how much was sent meanwhile */
	/* atomic datagrams may have any: 0 without a peer */
	set(fd, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
	wire_clear(w);
	bed_send(b, fd, "10.0.0.9", 9, "x", 1);
	assert_int_equal(ip4_id(wire_ip(w, 0)), 0);
}

static void queue_xmit_order(void **state)
{
	/* S2-19: at LOCAL_OUT the header is finished: addresses, TTL, protocol, id, length and checksum */
	bed_send(b, fd, "10.0.0.9", 9, "x", 1);
	for (size_t i = 0; i < b->tr.n; i++) {
		const struct trace_event *e = &b->tr.rec[i].ev;

		if (e->kind == TR_HOOK && strstr(e->text, "hook=LOCAL_OUT")) {
			assert_int_equal(e->data_len, 29);
			return;
		}
	}
	fail();
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
/* ss -i tells root the keys of TCP-MD5, on listeners too: as iproute2 writes them, the youngest first. */
static void ss_shows_md5_keys(void **state)
{
	struct sockaddr_in me = { .sin_family = AF_INET, .sin_port = htons(179), .sin_addr.s_addr = htonl(ME) }, peer = me;
	struct tcp_md5_arg m = { .keylen = 6, .key = "secret" };
	int s = sys_socket(b->t, AF_INET, SOCK_STREAM, 0);

	assert_int_equal(sys_bind(b->t, s, (struct sockaddr *)&me, sizeof(me)), 0);
	assert_int_equal(sys_listen(b->t, s, 5), 0);
	assert_null(strstr(bed_cmd(b, "ss -tlni"), "md5keys"));
	peer.sin_addr.s_addr = htonl(PEER);
	memcpy(m.addr, &peer, sizeof(peer));
	assert_int_equal(sys_setsockopt(b->t, s, IPPROTO_TCP, TCP_MD5SIG, &m, sizeof(m)), 0);
	assert_non_null(strstr(bed_cmd(b, "ss -tlni"), " md5keys:10.0.0.9/32=secret\n"));
	peer.sin_addr.s_addr = htonl(IP(10, 1, 0, 0));
	memcpy(m.addr, &peer, sizeof(peer));
	m.flags = TCP_OPT_MD5_FLAG_PREFIX;
	m.prefix = 16;
	memcpy(m.key, "a b,\\\1", 6);
	assert_int_equal(sys_setsockopt(b->t, s, IPPROTO_TCP, TCP_MD5SIG_EXT, &m, sizeof(m)), 0);
	assert_non_null(strstr(bed_cmd(b, "ss -tlni"), " md5keys:10.1.0.0/16=a\\040b\\054\\134\\001,10.0.0.9/32=secret\n"));
	assert_null(strstr(bed_cmd(b, "ss -tln"), "md5keys"));
	sys_close(b->t, s);
}

int main(void)
{
	const struct CMUnitTest t[] = {
		T(r1122_i14_i17_u14_tos_and_ttl), T(control_messages_down), T(r1122_u08_i88_control_messages_up),
		T(options_have_bounds), T(local_errors_on_the_queue), T(raw_sockets_see_everything_of_their_protocol),
		T(raw_protocol_without_a_handler), T(raw_header_of_our_own), T(ping_socket_talks_and_hears_errors), T(proc_files),
		T(ss_shows_md5_keys), T(ip4_20_identification), T(queue_xmit_order),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
