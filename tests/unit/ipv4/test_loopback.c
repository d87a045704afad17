/* The loopback interface, article S0 (Stevens' figure) and S1: every arrow of the figure, every step of the path. */
#include "bed.h"
#include <stdio.h>

static struct bed *b;
static struct wire *w;

static int setup(void **state)
{
	b = bed_new();
	w = bed_wire(b, "eth0", "192.168.1.5/24");
	bed_trace_clear(b);
	return 0;
}

static int teardown(void **state)
{
	bed_free(b);
	return 0;
}

static struct net_device *lo(void)
{
	return b->net->loopback_dev;
}

static struct rtnl_link_stats64_ lo_stats(void)
{
	struct rtnl_link_stats64_ s;

	dev_get_stats(lo(), &s);
	return s;
}

/* A raw socket's echo request. Returns sendto's result. */
static ssize_t raw_ping(int fd, const char *dst, uint16_t seq)
{
	uint8_t m[64] = { 8, 0, 0, 0, 0x12, 0x34, 0, (uint8_t)seq };

	put_be16(m + 2, csum_fold(csum_partial(m, sizeof(m), 0)));
	return bed_send(b, fd, dst, 0, m, sizeof(m));
}

static int raw_socket(void)
{
	int fd = sys_socket(b->t, AF_INET, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_ICMP);

	assert_true(fd >= 0);
	return fd;
}

/* ---- S0 ---- */

static void s0_01_two_exits(void **state)
{
	int fd = bed_udp(b, NULL, 0);
	uint64_t tx = lo_stats().tx_packets, etx = w->dev->stats.tx_packets;

	assert_int_equal(bed_send(b, fd, "127.0.0.1", 9, "x", 1), 1);
	assert_true(bed_order(b, "ip_output", "loopback_xmit", NULL));
	assert_int_equal(w->dev->stats.tx_packets, etx);
	bed_trace_clear(b);
	assert_int_equal(bed_send(b, fd, "192.168.1.9", 9, "x", 1), 1);
	assert_true(bed_order(b, "ip_output", "extdev_xmit", NULL));
	assert_int_equal(bed_entered(b, "loopback_xmit"), 0);
	assert_true(w->dev->stats.tx_packets > etx);
	(void)tx;
}

static void s0_02_s0_12_two_inputs_one_function(void **state)
{
	static const char *const up[] = { "ip_rcv", "ip_rcv_finish", "ip_local_deliver", "ip_local_deliver_finish", "udp_rcv" };
	int fd = bed_udp(b, NULL, 7000), tx = bed_udp(b, NULL, 0);
	uint64_t rx = b->net->mib.ip.InReceives;
	char buf[8];

	bed_send(b, tx, "127.0.0.1", 7000, "a", 1);
	assert_true(bed_order(b, "process_backlog", up[0], up[1], up[2], up[3], up[4], NULL));
	assert_int_equal(bed_entered(b, "ip_route_input_noref"), 0);
	bed_trace_clear(b);
	wire_in(w, pkt_udp(IP(192, 168, 1, 9), 5, IP(192, 168, 1, 5), 7000, "b", 1));
	assert_true(bed_order(b, up[0], up[1], "ip_route_input_noref", up[2], up[3], up[4], NULL));
	assert_int_equal(b->net->mib.ip.InReceives - rx, 2);
	assert_int_equal(bed_recv(b, fd, buf, sizeof(buf)), 1);
	assert_int_equal(bed_recv(b, fd, buf, sizeof(buf)), 1);
}

/* One broadcast or multicast send: frames out, copies received, lo's packets. */
static void fork_counts(const char *dst, const char *group, unsigned frames, unsigned copies)
{
	int fd = bed_udp(b, NULL, 7000), one = 1;
	uint64_t rx = b->net->mib.ip.InReceives;
	uint64_t lo_rx = lo_stats().rx_packets;
	struct tap tl, te;
	unsigned got = 0;
	char buf[8];

	assert_int_equal(sys_setsockopt(b->t, fd, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one)), 0);
	if (group) {
		struct ip_mreqn m = { .imr_ifindex = w->dev->ifindex };

		m.imr_multiaddr.s_addr = htonl(bed_addr(group));
		assert_int_equal(sys_setsockopt(b->t, fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)), 0);
	}
	bed_run(b);
	bed_sleep(b, 5 * NSEC_PER_SEC); /* reports out of the way */
	wire_clear(w);
	bed_trace_clear(b);
	rx = b->net->mib.ip.InReceives;
	tap_open(&tl, b->net, lo());
	tap_open(&te, b->net, w->dev);
	assert_int_equal(bed_send(b, fd, dst, 7000, "x", 1), 1);
	while (bed_recv(b, fd, buf, sizeof(buf)) == 1)
		got++;
	assert_int_equal(wire_count(w, ETH_P_IP), frames);
	assert_int_equal(got, copies);
	assert_int_equal(b->net->mib.ip.InReceives - rx, copies);
	assert_int_equal(lo_stats().rx_packets, lo_rx);
	assert_int_equal(tl.n, 0);
	assert_int_equal(te.in, 0);
	assert_int_equal(te.out, frames);
	assert_int_equal(wire_count(w, ETH_P_ARP), 0); /* the class is known before any ARP (S0-04) */
	tap_close(&tl, b->net);
	tap_close(&te, b->net);
	sys_close(b->t, fd);
}

static void s0_05_s0_22_subnet_broadcast_forks(void **state)
{
	fork_counts("192.168.1.255", NULL, 1, 1);
	assert_memory_equal(wire_nth(w, ETH_P_IP, 0)->b, bcast_mac, 6);
	assert_true(bed_order(b, "ip_mc_output", "ip_mc_finish_output", "ip_dev_loopback_xmit", "netif_rx", "ip_finish_output2", NULL));
}

static void s0_05_s0_22_limited_broadcast_forks(void **state)
{
	assert_int_equal(bed_route(b, "0.0.0.0/0", "192.168.1.1", NULL, 0), 0);
	fork_counts("255.255.255.255", NULL, 1, 1);
	assert_memory_equal(wire_nth(w, ETH_P_IP, 0)->b, bcast_mac, 6);
}

static void s0_05_s0_23_multicast_forks_for_members_only(void **state)
{
	static const uint8_t mac[6] = { 1, 0, 0x5e, 1, 2, 3 };

	assert_int_equal(bed_route(b, "224.0.0.0/4", NULL, w->dev, 0), 0);
	fork_counts("239.129.2.3", "239.129.2.3", 1, 1);
	assert_memory_equal(wire_nth(w, ETH_P_IP, 0)->b, mac, 6); /* low 23 bits: RFC 1112 6.4 */
	fork_counts("239.129.2.4", NULL, 1, 0);
}

static void s0_23_multicast_loop_off_and_ttl_zero(void **state)
{
	int fd = bed_udp(b, NULL, 7000), off = 0;
	struct ip_mreqn m = { .imr_ifindex = w->dev->ifindex };
	char buf[4];

	assert_int_equal(bed_route(b, "224.0.0.0/4", NULL, w->dev, 0), 0);
	m.imr_multiaddr.s_addr = htonl(IP(239, 1, 1, 1));
	assert_int_equal(sys_setsockopt(b->t, fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)), 0);
	bed_sleep(b, 5 * NSEC_PER_SEC);
	wire_clear(w);
	assert_int_equal(sys_setsockopt(b->t, fd, IPPROTO_IP, IP_MULTICAST_TTL, &off, sizeof(off)), 0);
	assert_int_equal(bed_send(b, fd, "239.1.1.1", 7000, "x", 1), 1);
	assert_int_equal(wire_count(w, ETH_P_IP), 0); /* a member's TTL 0 stays in the host */
	assert_int_equal(bed_recv(b, fd, buf, 4), 1);
	off = 1;
	assert_int_equal(sys_setsockopt(b->t, fd, IPPROTO_IP, IP_MULTICAST_TTL, &off, sizeof(off)), 0);
	off = 0;
	assert_int_equal(sys_setsockopt(b->t, fd, IPPROTO_IP, IP_MULTICAST_LOOP, &off, sizeof(off)), 0);
	assert_int_equal(bed_send(b, fd, "239.1.1.1", 7000, "x", 1), 1);
	assert_int_equal(wire_count(w, ETH_P_IP), 1);
	assert_int_equal(bed_recv(b, fd, buf, 4), -EAGAIN);
}

static void s0_22_broadcast_needs_permission(void **state)
{
	int fd = bed_udp(b, NULL, 0);
	struct sockaddr_in sin = bed_sin("192.168.1.255", 9);

	assert_int_equal(bed_send(b, fd, "192.168.1.255", 9, "x", 1), -EACCES);
	assert_int_equal(sys_connect(b->t, fd, (struct sockaddr *)&sin, sizeof(sin)), -EACCES);
	/* the all-zeros address is no broadcast: it is asked for by ARP */
	w->arp = false;
	assert_int_equal(bed_send(b, fd, "192.168.1.0", 9, "x", 1), 1);
	assert_int_equal(wire_count(w, ETH_P_ARP), 1);
	fd = sys_socket(b->t, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(sys_connect(b->t, fd, (struct sockaddr *)&sin, sizeof(sin)), -ENETUNREACH);
}

static void s0_06_s0_24_s0_27_own_address_goes_by_lo(void **state)
{
	int fd = raw_socket();
	struct tap tl;
	char buf[128];

	tap_open(&tl, b->net, lo());
	assert_int_equal(raw_ping(fd, "192.168.1.5", 1), 64);
	assert_int_equal(tl.in, 2); /* request and reply */
	assert_int_equal(w->n, 0);  /* nothing on the wire, no ARP for the own address */
	assert_int_equal(lo_stats().rx_packets, 2);
	assert_int_equal(lo_stats().tx_packets, 2);
	assert_true(bed_recv(b, fd, buf, sizeof(buf)) > 0);
	tap_close(&tl, b->net);
}

static void s0_28_address_of_another_device(void **state)
{
	struct wire *w1 = bed_wire(b, "eth1", "10.9.9.9/24");
	int fd = raw_socket();
	struct sockaddr_in sin = bed_sin("192.168.1.5", 0);
	struct tap tl;

	assert_int_equal(sys_bind(b->t, fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	tap_open(&tl, b->net, lo());
	assert_int_equal(raw_ping(fd, "10.9.9.9", 1), 64);
	assert_int_equal(tl.in, 2);
	assert_int_equal(w->n + w1->n, 0);
	tap_close(&tl, b->net);
}

static void s0_07_s0_25_arp_then_packet(void **state)
{
	int fd = bed_udp(b, NULL, 0);

	assert_int_equal(bed_send(b, fd, "192.168.1.9", 9, "x", 1), 1);
	assert_int_equal(w->n, 2);
	assert_int_equal(get_be16(w->f[0].b + 12), ETH_P_ARP);
	assert_int_equal(get_be16(w->f[1].b + 12), ETH_P_IP);
	assert_memory_equal(w->f[1].b, w->peer_mac, 6); /* the MAC just learned */
	wire_clear(w);
	assert_int_equal(bed_send(b, fd, "192.168.1.9", 9, "x", 1), 1);
	assert_int_equal(w->n, 1); /* warm: only the packet */
}

static void s0_08_s0_29_order_of_decisions_is_the_route(void **state)
{
	int fd = bed_udp(b, NULL, 0), one = 1;

	sys_setsockopt(b->t, fd, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one));
	bed_send(b, fd, "192.168.1.255", 9, "x", 1);
	assert_true(bed_said(b, TR_ROUTE, "type=RTN_BROADCAST"));
	assert_int_equal(bed_entered(b, "arp_solicit"), 0);
	bed_trace_clear(b);
	bed_send(b, fd, "192.168.1.5", 9, "x", 1);
	assert_true(bed_said(b, TR_ROUTE, "type=RTN_LOCAL"));
	assert_true(bed_said(b, TR_ROUTE, "dev=lo")); /* before ip_output runs */
	bed_trace_clear(b);
	bed_send(b, fd, "192.168.1.9", 9, "x", 1);
	assert_true(bed_said(b, TR_ROUTE, "table=255 dst=192.168.1.9 result=miss"));
	assert_true(bed_said(b, TR_ROUTE, "type=RTN_UNICAST"));
	assert_true(bed_order(b, "fib_lookup", "ip_output", "arp_solicit", NULL));
}

static void s0_09_s0_18_demultiplex_by_ethertype(void **state)
{
	uint8_t f[60] = { 0 };

	wire_arp(w, ARPOP_REQUEST, w->peer_mac, IP(192, 168, 1, 9), NULL, IP(192, 168, 1, 5), bcast_mac);
	assert_int_equal(bed_entered(b, "arp_rcv"), 1);
	assert_int_equal(bed_entered(b, "ip_rcv"), 0);
	wire_in(w, pkt_echo(IP(192, 168, 1, 9), IP(192, 168, 1, 5), 1, 1, 8));
	assert_int_equal(bed_entered(b, "ip_rcv"), 1);
	assert_int_equal(bed_entered(b, "arp_rcv"), 1);
	/* S0-10: nobody registered 0x9000 */
	memcpy(f, w->dev->dev_addr, 6);
	memcpy(f + 6, w->peer_mac, 6);
	put_be16(f + 12, 0x9000);
	wire_clear(w);
	wire_frame(w, f, sizeof(f));
	assert_int_equal(bed_entered(b, "ip_rcv"), 1);
	assert_int_equal(bed_drops(b, DROP_UNHANDLED_PROTO), 1);
	assert_int_equal(w->n, 0);
}

static void s0_16_nothing_of_127_on_a_wire(void **state)
{
	struct sockaddr_in src = bed_sin("127.0.0.1", 0), dst = bed_sin("192.168.1.9", 9), off = bed_sin("8.8.8.8", 9);
	int fd = bed_udp(b, NULL, 0), tcp = sys_socket(b->t, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int dev = w->dev->ifindex;
	uint64_t rx;

	assert_int_equal(bed_route(b, "0.0.0.0/0", "192.168.1.1", NULL, 0), 0);
	fd = bed_udp(b, "127.0.0.1", 5000);
	assert_int_equal(sys_connect(b->t, fd, (struct sockaddr *)&dst, sizeof(dst)), -EINVAL);
	assert_int_equal(sys_connect(b->t, fd, (struct sockaddr *)&off, sizeof(off)), -EINVAL);
	assert_int_equal(sys_bind(b->t, tcp, (struct sockaddr *)&src, sizeof(src)), 0);
	assert_int_equal(sys_connect(b->t, tcp, (struct sockaddr *)&dst, sizeof(dst)), -EINVAL);
	/* not even with a device forced */
	fd = bed_udp(b, NULL, 0);
	assert_int_equal(sys_setsockopt(b->t, fd, SOL_SOCKET, SO_BINDTODEVICE, "eth0", 5), 0);
	assert_int_equal(bed_send(b, fd, "127.0.0.1", 9, "x", 1), -EINVAL);
	(void)dev;
	assert_int_equal(w->n, 0);
	/* forged from outside */
	rx = b->net->mib.ip.InReceives;
	wire_in(w, pkt_udp(IP(127, 0, 0, 1), 1, IP(192, 168, 1, 5), 5000, "x", 1));
	wire_in(w, pkt_udp(IP(192, 168, 1, 9), 1, IP(127, 0, 0, 1), 5000, "x", 1));
	assert_int_equal(b->net->mib.in_martian_src, 1);
	assert_int_equal(b->net->mib.in_martian_dst, 1);
	assert_int_equal(b->net->mib.ip.InReceives - rx, 2);
	assert_int_equal(bed_entered(b, "udp_rcv"), 0);
	assert_int_equal(w->n, 0);
}

static void s0_17_why_a_ping_fails(void **state)
{
	int fd = raw_socket();
	uint64_t drops = lo_stats().tx_dropped;
	char buf[128];

	assert_int_equal(raw_ping(fd, "127.0.0.1", 1), 64);
	assert_true(bed_recv(b, fd, buf, sizeof(buf)) > 0);
	while (bed_recv(b, fd, buf, sizeof(buf)) > 0)
		;
	/* S2-46: set down after having been up: sent, and lost */
	assert_int_equal(dev_close(lo()), 0);
	assert_int_equal(raw_ping(fd, "127.0.0.1", 2), 64);
	assert_int_equal(bed_recv(b, fd, buf, sizeof(buf)), -EAGAIN);
	assert_true(lo_stats().tx_dropped > drops);
	assert_int_equal(dev_open(lo()), 0);
	bed_run(b);
	assert_int_equal(raw_ping(fd, "127.0.0.1", 3), 64);
	assert_true(bed_recv(b, fd, buf, sizeof(buf)) > 0);
	while (bed_recv(b, fd, buf, sizeof(buf)) > 0)
		;
	/* without its address: no entry in table local */
	assert_int_equal(inet_del_addr(b->net, lo(), IP(127, 0, 0, 1), 8), 0);
	assert_int_equal(raw_ping(fd, "127.0.0.1", 4), -ENETUNREACH);
}

static void s0_20_ping_from_outside(void **state)
{
	const struct ip4_hdr *h;

	wire_in(w, pkt_echo(IP(192, 168, 1, 9), IP(192, 168, 1, 5), 77, 3, 56));
	assert_true(bed_order(b, "ip_rcv", "ip_local_deliver", "icmp_rcv", "icmp_echo", "icmp_reply", "ip_local_out", "ip_output", NULL));
	h = wire_ip(w, 0);
	assert_non_null(h);
	assert_int_equal(ip4_saddr(h), IP(192, 168, 1, 5));
	assert_int_equal(ip4_daddr(h), IP(192, 168, 1, 9));
	assert_int_equal(wire_icmp(w, 0)->type, 0);
	assert_int_equal(get_be16(wire_icmp(w, 0)->rest), 77);
	assert_int_equal(get_be16(wire_icmp(w, 0)->rest + 2), 3);
}

static void s0_21_s1_30_all_of_127_by_lo_without_arp(void **state)
{
	int fd = bed_udp(b, NULL, 0);
	uint64_t arps = b->net->mib.arp_requests_sent;
	struct strbuf before, after;
	struct tap tl;

	tap_open(&tl, b->net, lo());
	bed_proc(b, "net/arp", &before);
	bed_send(b, fd, "127.0.0.1", 9, "x", 1);
	bed_send(b, fd, "127.1.2.3", 9, "x", 1);
	bed_proc(b, "net/arp", &after);
	assert_string_equal(sb_str(&before), sb_str(&after));
	assert_int_equal(w->n, 0);
	assert_true(tl.in >= 2);
	for (unsigned i = 0; i < tl.n; i++)
		assert_int_equal(tl.types[i], ETH_P_IP); /* S0-26: never 0x0806 */
	assert_int_equal(b->net->mib.arp_requests_sent, arps);
	sb_free(&before);
	sb_free(&after);
	tap_close(&tl, b->net);
}

/* ---- S1 ---- */

static void s1_05_one_ping_counts_168_octets(void **state)
{
	int fd = raw_socket();

	assert_int_equal(raw_ping(fd, "127.0.0.1", 1), 64); /* 56 octets of data */
	assert_int_equal(lo_stats().rx_packets, 2);
	assert_int_equal(lo_stats().tx_packets, 2);
	assert_int_equal(lo_stats().rx_bytes, 168);
	assert_int_equal(lo_stats().tx_bytes, 168);
}

static void s1_08_ping_socket_chain(void **state)
{
	int fd = sys_socket(b->t, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, IPPROTO_ICMP);
	uint8_t m[64] = { 8, 0, 0, 0, 0, 0, 0, 1 }, r[64];
	char stack[1000];

	assert_true(fd >= 0);
	bed_trace_clear(b);
	assert_int_equal(bed_send(b, fd, "127.0.0.1", 0, m, sizeof(m)), 64);
	bed_stack_at(b, "__ip_route_output_key", stack, sizeof(stack));
	assert_string_equal(stack, "__ip_route_output_key ip_route_output_flow ping_v4_sendmsg inet_sendmsg sock_sendmsg SyS_sendto");
	assert_int_equal(bed_recv(b, fd, r, sizeof(r)), 64);
	assert_int_equal(r[0], 0);
	bed_sysctl(b, "net.ipv4.ping_group_range", "1 0");
	assert_int_equal(sys_socket(b->t, AF_INET, SOCK_DGRAM, IPPROTO_ICMP), -EACCES);
}

static void s1_09_fib_lookup_result(void **state)
{
	struct flowi4 fl = { .daddr = IP(127, 0, 0, 1) };
	struct fib_result res;

	assert_int_equal(fib_lookup(b->net, &fl, &res), 0);
	assert_int_equal(res.type, RTN_LOCAL);
	assert_int_equal(res.table_id, 255);
	assert_int_equal(res.scope, RT_SCOPE_HOST);
	fl.daddr = IP(192, 168, 1, 9);
	assert_int_equal(fib_lookup(b->net, &fl, &res), 0);
	assert_int_equal(res.type, RTN_UNICAST);
	assert_int_equal(res.table_id, 254);
}

static struct rtable *route_to(uint32_t daddr)
{
	struct flowi4 fl = { .daddr = daddr };
	int err;
	struct rtable *rt = __ip_route_output_key(b->net, &fl, &err);

	assert_non_null(rt);
	return rt;
}

/* The article says output = ip_local_deliver; true is input. */
static void s1_11_s1_12_s1_13_rtable_functions(void **state)
{
	struct rtable *rt = route_to(IP(127, 0, 0, 1));

	assert_ptr_equal(rt->dst.output, ip_output);
	assert_ptr_equal(rt->dst.input, ip_local_deliver);
	assert_true(rt->flags & RTCF_LOCAL_);
	dst_release(&rt->dst);
	rt = route_to(IP(192, 168, 1, 5)); /* own, not 127: local by type, and dev lo (S2-31) */
	assert_true(rt->flags & RTCF_LOCAL_);
	assert_ptr_equal(rt->dst.dev, lo());
	assert_ptr_equal(rt->dst.input, ip_local_deliver);
	dst_release(&rt->dst);
	rt = route_to(IP(192, 168, 1, 9));
	assert_ptr_equal(rt->dst.output, ip_output);
	assert_ptr_not_equal(rt->dst.input, ip_local_deliver);
	assert_false(rt->flags & RTCF_LOCAL_);
	dst_release(&rt->dst);
	rt = route_to(IP(192, 168, 1, 255));
	assert_ptr_equal(rt->dst.output, ip_mc_output);
	dst_release(&rt->dst);
}

static void s1_14_delivery_is_after_the_backlog(void **state)
{
	int fd = bed_udp(b, NULL, 7000);

	bed_trace_clear(b);
	bed_send(b, fd, "127.0.0.1", 7000, "x", 1);
	assert_true(bed_order(b, "ip_local_out", "loopback_xmit", "process_backlog", "ip_local_deliver", NULL));
	assert_int_equal(bed_entered(b, "ip_local_deliver"), 1);
}

static void s1_15_dst_travels_through_lo(void **state)
{
	int fd = bed_udp(b, NULL, 7000);
	uint64_t lookups = b->net->mib.rt_in_lookups;

	bed_send(b, fd, "127.0.0.1", 7000, "x", 1);
	assert_int_equal(b->net->mib.rt_in_lookups, lookups);
	assert_true(bed_said(b, TR_ROUTE, "dst already valid, no input route lookup"));
	wire_in(w, pkt_udp(IP(192, 168, 1, 9), 1, IP(192, 168, 1, 5), 7000, "x", 1));
	assert_int_equal(b->net->mib.rt_in_lookups, lookups + 1);
}

static void s1_16_s1_19_raw_ping_stack(void **state)
{
	static const char want[] = "loopback_xmit dev_hard_start_xmit __dev_queue_xmit dev_queue_xmit ip_finish_output2 "
				   "ip_finish_output ip_output ip_local_out ip_send_skb ip_push_pending_frames raw_sendmsg "
				   "inet_sendmsg sock_sendmsg SyS_sendto";
	int fd = raw_socket();
	const char *names[64];
	char got[1000] = "";
	size_t n = 0, at = 0;

	bed_trace_clear(b);
	assert_int_equal(raw_ping(fd, "127.0.0.1", 1), 64);
	for (size_t i = 0; i < b->tr.n && !n; i++)
		if (b->tr.rec[i].ev.kind == TR_ENTER && strcmp(b->tr.rec[i].ev.func, "loopback_xmit") == 0)
			n = trace_mem_stack(&b->tr, i, names, 64);
	/* what a 4.x kernel inlines is left out, as culver trace --names 4.x does */
	for (size_t k = 0; k < n; k++) {
		bool hidden;
		const char *name = trace_name_in(NAMES_4X, names[k], &hidden);

		if (!hidden)
			at += (size_t)snprintf(got + at, sizeof(got) - at, "%s%s", at ? " " : "", name);
	}
	assert_string_equal(got, want);
	/* the reply takes the same path again */
	assert_true(bed_order(b, "loopback_xmit", "icmp_rcv", "icmp_echo", "icmp_reply", "ip_push_pending_frames", "loopback_xmit", NULL));
	assert_int_equal(bed_entered(b, "loopback_xmit"), 2);
}

static void s1_17_same_first_names(void **state)
{
	int raw = raw_socket(), udp = bed_udp(b, NULL, 0);
	char s[1000];

	bed_trace_clear(b);
	raw_ping(raw, "127.0.0.1", 1);
	bed_stack_at(b, "raw_sendmsg", s, sizeof(s));
	assert_string_equal(s, "raw_sendmsg inet_sendmsg sock_sendmsg SyS_sendto");
	bed_trace_clear(b);
	bed_send(b, udp, "127.0.0.1", 9, "x", 1);
	bed_stack_at(b, "udp_sendmsg", s, sizeof(s));
	assert_string_equal(s, "udp_sendmsg inet_sendmsg sock_sendmsg SyS_sendto");
}

static void s1_18_msg_more_makes_one_datagram(void **state)
{
	int fd = bed_udp(b, NULL, 7000), raw = sys_socket(b->t, AF_INET, SOCK_RAW | SOCK_NONBLOCK, 200);
	struct sockaddr_in sin = bed_sin("127.0.0.1", 7000);
	struct tap tl;
	char buf[32];

	tap_open(&tl, b->net, lo());
	bed_trace_clear(b);
	assert_int_equal(sys_sendto(b->t, fd, "hello ", 6, MSG_MORE, (struct sockaddr *)&sin, sizeof(sin)), 6);
	bed_run(b);
	assert_int_equal(tl.n, 0);
	assert_int_equal(sys_sendto(b->t, fd, "world", 5, 0, NULL, 0), 5);
	assert_int_equal(bed_recv(b, fd, buf, sizeof(buf)), 11);
	assert_memory_equal(buf, "hello world", 11);
	/* raw: one push */
	bed_trace_clear(b);
	assert_int_equal(sys_sendto(b->t, raw, "ab", 2, MSG_MORE, (struct sockaddr *)&sin, sizeof(sin)), 2);
	assert_int_equal(sys_sendto(b->t, raw, "cd", 2, 0, (struct sockaddr *)&sin, sizeof(sin)), 2);
	assert_int_equal(bed_entered(b, "ip_push_pending_frames"), 1);
	assert_int_equal(bed_recv(b, raw, buf, sizeof(buf)), 24);
	assert_memory_equal(buf + 20, "abcd", 4);
	tap_close(&tl, b->net);
}

static unsigned drop_hook(void *priv, struct sk_buff *skb, const struct nf_hook_state *st)
{
	return ip_hdr(skb)->protocol == IPPROTO_UDP || ip_hdr(skb)->protocol == IPPROTO_ICMP ? NF_DROP : NF_ACCEPT;
}

static void s1_23_s1_24_four_hooks_and_a_drop_in_each(void **state)
{
	static const enum nf_inet_hooks hooks[4] = { NF_INET_LOCAL_OUT, NF_INET_POST_ROUTING, NF_INET_PRE_ROUTING, NF_INET_LOCAL_IN };
	int fd = bed_udp(b, NULL, 7000), raw = raw_socket();
	struct nf_net *nf = b->net->nf;
	uint64_t was[5];
	char buf[4];

	memcpy(was, nf->packets, sizeof(was));
	bed_send(b, fd, "127.0.0.1", 7000, "x", 1);
	assert_int_equal(bed_recv(b, fd, buf, 4), 1);
	for (int i = 0; i < 4; i++)
		assert_int_equal(nf->packets[hooks[i]] - was[hooks[i]], 1);
	assert_int_equal(nf->packets[NF_INET_FORWARD], was[NF_INET_FORWARD]);
	for (int i = 0; i < 4; i++) {
		struct nf_hook_ops ops = { .hook = drop_hook, .hooknum = hooks[i], .name = "test" };
		struct tap tl;

		tap_open(&tl, b->net, lo());
		assert_int_equal(nf_register_net_hook(b->net, &ops), 0);
		assert_int_equal(bed_send(b, fd, "127.0.0.1", 7000, "x", 1), i < 2 ? -EPERM : 1);
		assert_int_equal(raw_ping(raw, "127.0.0.1", 1), i < 2 ? -EPERM : 64);
		assert_int_equal(tl.in, i < 2 ? 0 : 2); /* seen on lo, or not */
		assert_int_equal(bed_recv(b, fd, buf, 4), -EAGAIN);
		nf_unregister_net_hook(b->net, &ops);
		tap_close(&tl, b->net);
	}
}

static void s1_25_hooks_by_path(void **state)
{
	struct wire *w1 = bed_wire(b, "eth1", "10.1.0.1/24");
	uint64_t *p = b->net->nf->packets, was[5];
	int fd = bed_udp(b, NULL, 7000);

	memcpy(was, p, sizeof(was));
	bed_send(b, fd, "192.168.1.9", 9, "x", 1); /* sent */
	assert_int_equal(p[NF_INET_LOCAL_OUT] - was[NF_INET_LOCAL_OUT], 1);
	assert_int_equal(p[NF_INET_POST_ROUTING] - was[NF_INET_POST_ROUTING], 1);
	assert_int_equal(p[NF_INET_PRE_ROUTING] - was[NF_INET_PRE_ROUTING], 0);
	memcpy(was, p, sizeof(was));
	wire_in(w, pkt_udp(IP(192, 168, 1, 9), 1, IP(192, 168, 1, 5), 7000, "x", 1)); /* received */
	assert_int_equal(p[NF_INET_PRE_ROUTING] - was[NF_INET_PRE_ROUTING], 1);
	assert_int_equal(p[NF_INET_LOCAL_IN] - was[NF_INET_LOCAL_IN], 1);
	assert_int_equal(p[NF_INET_LOCAL_OUT] - was[NF_INET_LOCAL_OUT], 0);
	bed_sysctl(b, "net.ipv4.ip_forward", "1");
	memcpy(was, p, sizeof(was));
	wire_in(w, pkt_udp(IP(192, 168, 1, 9), 1, IP(10, 1, 0, 9), 9, "x", 1)); /* in transit */
	assert_int_equal(p[NF_INET_PRE_ROUTING] - was[NF_INET_PRE_ROUTING], 1);
	assert_int_equal(p[NF_INET_FORWARD] - was[NF_INET_FORWARD], 1);
	assert_int_equal(p[NF_INET_POST_ROUTING] - was[NF_INET_POST_ROUTING], 1);
	assert_int_equal(p[NF_INET_LOCAL_IN] - was[NF_INET_LOCAL_IN], 0);
	assert_int_equal(wire_count(w1, ETH_P_IP), 1);
	memcpy(was, p, sizeof(was));
	bed_send(b, fd, "127.0.0.1", 7000, "x", 1); /* by lo: out and in, and never FORWARD */
	for (unsigned h = 0; h < ARRAY_SIZE(was); h++)
		assert_int_equal(p[h] - was[h], h != NF_INET_FORWARD);
}

static void s1_26_s1_27_nexthop_hit_and_miss(void **state)
{
	int fd = bed_udp(b, NULL, 0);
	struct neighbour *n;
	int32_t refs;

	assert_int_equal(bed_route(b, "0.0.0.0/0", "192.168.1.1", NULL, 0), 0);
	bed_send(b, fd, "127.0.0.1", 9, "x", 1);
	assert_true(bed_said(b, TR_NEIGH, "nexthop=127.0.0.1 dev=lo"));
	bed_send(b, fd, "8.8.8.8", 9, "x", 1);
	assert_true(bed_said(b, TR_NEIGH, "nexthop=192.168.1.1 dev=eth0 miss"));
	bed_trace_clear(b);
	n = neigh_lookup_noref(b->net->neigh->arp, IP(192, 168, 1, 1), w->dev);
	refs = n->refcnt;
	bed_send(b, fd, "8.8.8.8", 9, "x", 1);
	assert_true(bed_said(b, TR_NEIGH, "nexthop=192.168.1.1 dev=eth0 hit"));
	assert_int_equal(n->refcnt, refs);
	bed_send(b, fd, "192.168.1.77", 9, "x", 1);
	assert_true(bed_said(b, TR_NEIGH, "nexthop=192.168.1.77 dev=eth0 miss"));
}

static unsigned lo_entries;
static void count_lo(struct neighbour *n, void *arg)
{
	if (n->dev == lo()) {
		lo_entries++;
		assert_int_equal(n->primary_key, 0);
		assert_int_equal(n->nud_state, NUD_NOARP);
		assert_true(mac_is_zero(n->ha));
	}
}

static void s1_28_one_hidden_entry_for_lo(void **state)
{
	int fd = bed_udp(b, NULL, 0);
	struct strbuf sb;

	neigh_flush_dev(b->net->neigh->arp, lo());
	bed_trace_clear(b);
	for (int i = 0; i < 5; i++)
		bed_send(b, fd, i & 1 ? "127.0.0.1" : "192.168.1.5", 9, "x", 1);
	assert_int_equal(bed_entered(b, "__neigh_create"), 1);
	lo_entries = 0;
	neigh_walk(b->net->neigh->arp, count_lo, NULL);
	assert_int_equal(lo_entries, 1);
	bed_proc(b, "net/arp", &sb);
	assert_null(strstr(sb_str(&sb), "lo"));
	sb_free(&sb);
}

static void s1_29_finish_output_after_post_routing(void **state)
{
	int fd = bed_udp(b, NULL, 0);
	size_t hook = 0, fin = 0;

	bed_send(b, fd, "127.0.0.1", 9, "x", 1);
	for (size_t i = 0; i < b->tr.n; i++) {
		const struct trace_event *e = &b->tr.rec[i].ev;

		if (!hook && e->kind == TR_HOOK && strstr(e->text, "hook=POST_ROUTING"))
			hook = i;
		if (!fin && e->kind == TR_ENTER && strcmp(e->func, "ip_finish_output") == 0)
			fin = i;
	}
	assert_true(hook && fin && hook < fin);
	assert_true(bed_order(b, "ip_finish_output", "ip_finish_output2", NULL));
}

static void s1_20_s1_21_s1_22_tcp_connect(void **state)
{
	int l = sys_socket(b->t, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), c = sys_socket(b->t, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct sockaddr_in sin = bed_sin("127.0.0.1", 80), me;
	socklen_t len = sizeof(me);
	char buf[8];
	int a;

	assert_int_equal(sys_bind(b->t, l, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(sys_listen(b->t, l, 5), 0);
	bed_trace_clear(b);
	assert_int_equal(sys_connect(b->t, c, (struct sockaddr *)&sin, sizeof(sin)), -EINPROGRESS);
	assert_true(bed_order(b, "SyS_connect", "inet_stream_connect", "__inet_stream_connect", "tcp_v4_connect", "tcp_connect",
			      "ip_queue_xmit", "ip_local_out", "ip_output", "ip_finish_output", "ip_finish_output2", "dev_queue_xmit",
			      "__dev_queue_xmit", "dev_hard_start_xmit", "loopback_xmit", NULL));
	assert_true(bed_order(b, "loopback_xmit", "ip_build_and_send_pkt", "loopback_xmit", NULL)); /* the SYN-ACK's way */
	assert_int_equal(sys_getsockname(b->t, c, (struct sockaddr *)&me, &len), 0);
	assert_int_equal(ntohl(me.sin_addr.s_addr), IP(127, 0, 0, 1));
	assert_in_range(ntohs(me.sin_port), 32768, 60999);
	bed_run(b);
	a = sys_accept4(b->t, l, NULL, NULL, SOCK_NONBLOCK);
	assert_true(a >= 0);
	assert_int_equal(sys_sendto(b->t, c, "hi", 2, 0, NULL, 0), 2);
	assert_int_equal(bed_recv(b, a, buf, sizeof(buf)), 2);
	/* S2-22: the route is asked for once */
	{
		uint64_t lookups = b->net->mib.fib_lookups;

		for (int i = 0; i < 10; i++) {
			assert_int_equal(sys_sendto(b->t, c, "hi", 2, 0, NULL, 0), 2);
			assert_int_equal(bed_recv(b, a, buf, sizeof(buf)), 2);
		}
		assert_int_equal(b->net->mib.fib_lookups, lookups);
		bed_trace_clear(b);
		assert_int_equal(bed_route(b, "10.77.0.0/16", "192.168.1.1", NULL, 0), 0);
		assert_int_equal(sys_sendto(b->t, c, "hi", 2, 0, NULL, 0), 2);
		assert_true(b->net->mib.fib_lookups > lookups);
		assert_true(bed_said(b, TR_ROUTE, "dst cache miss"));
		/* S2-24: the four names, nested */
		assert_true(bed_order(b, "ip_queue_xmit", "ip_route_output_ports", "ip_route_output_flow", "__ip_route_output_key",
				      "fib_lookup", NULL));
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest t[] = {
		T(s0_01_two_exits), T(s0_02_s0_12_two_inputs_one_function), T(s0_05_s0_22_subnet_broadcast_forks),
		T(s0_05_s0_22_limited_broadcast_forks), T(s0_05_s0_23_multicast_forks_for_members_only),
		T(s0_23_multicast_loop_off_and_ttl_zero), T(s0_22_broadcast_needs_permission),
		T(s0_06_s0_24_s0_27_own_address_goes_by_lo), T(s0_28_address_of_another_device), T(s0_07_s0_25_arp_then_packet),
		T(s0_08_s0_29_order_of_decisions_is_the_route), T(s0_09_s0_18_demultiplex_by_ethertype),
		T(s0_16_nothing_of_127_on_a_wire), T(s0_17_why_a_ping_fails), T(s0_20_ping_from_outside),
		T(s0_21_s1_30_all_of_127_by_lo_without_arp), T(s1_05_one_ping_counts_168_octets), T(s1_08_ping_socket_chain),
		T(s1_09_fib_lookup_result), T(s1_11_s1_12_s1_13_rtable_functions), T(s1_14_delivery_is_after_the_backlog),
		T(s1_15_dst_travels_through_lo), T(s1_16_s1_19_raw_ping_stack), T(s1_17_same_first_names),
		T(s1_18_msg_more_makes_one_datagram), T(s1_20_s1_21_s1_22_tcp_connect),
		T(s1_23_s1_24_four_hooks_and_a_drop_in_each), T(s1_25_hooks_by_path), T(s1_26_s1_27_nexthop_hit_and_miss),
		T(s1_28_one_hidden_entry_for_lo), T(s1_29_finish_output_after_post_routing),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
