/* IGMP: joins and leaves reported, queries answered, older queriers obeyed; membership decides what comes in. */
#include "bed.h"

static struct bed *b;
static struct wire *w;
static int fd;
#define ROUTER IP(10, 0, 0, 9)
#define GROUP IP(239, 1, 2, 3)
static const uint8_t group_mac[6] = { 1, 0, 0x5e, 1, 2, 3 };

static int setup(void **state)
{
	b = bed_new();
	w = bed_wire(b, "eth0", "10.0.0.1/24");
	fd = bed_udp(b, NULL, 7000);
	return 0;
}

static int teardown(void **state)
{
	bed_free(b);
	return 0;
}

static int membership(int s, int name, uint32_t group)
{
	struct ip_mreqn m = { .imr_ifindex = w->dev->ifindex };

	m.imr_multiaddr.s_addr = htonl(group);
	return sys_setsockopt(b->t, s, IPPROTO_IP, name, &m, sizeof(m));
}

static const uint8_t *igmp(unsigned nth)
{
	const struct ip4_hdr *h = wire_ip(w, nth);

	if (!h)
		return NULL;
	assert_int_equal(h->protocol, 2);
	assert_int_equal(h->ttl, 1);
	assert_int_equal(ip4_hlen(h), 24);
	assert_int_equal(get_be32((const uint8_t *)h + 20), 0x94040000u);
	assert_int_equal(csum_fold(csum_partial((const uint8_t *)h + 24, ip4_tot_len(h) - 24u, 0)), 0);
	return (const uint8_t *)h + 24;
}

static void query(uint32_t dst, uint8_t code, uint32_t group, uint32_t len)
{
	uint8_t m[12] = { 0x11, code };
	struct pkt *p;

	put_be32(m + 4, group);
	put_be16(m + 2, csum_fold(csum_partial(m, len, 0)));
	p = pkt_new(ROUTER, dst, 2, m, len, 20);
	pkt_ip(p)->ttl = 1;
	pkt_fix(p);
	wire_in_mac(w, p, (const uint8_t *)"\x01\x00\x5e\x00\x00\x01", w->peer_mac);
}

static void join_and_leave_v3(void **state)
{
	assert_int_equal(membership(fd, IP_ADD_MEMBERSHIP, GROUP), 0);
	assert_int_equal(membership(fd, IP_ADD_MEMBERSHIP, GROUP), -EADDRINUSE);
	assert_int_equal(membership(fd, IP_ADD_MEMBERSHIP, ROUTER), -EINVAL);
	bed_sleep(b, 3 * NSEC_PER_SEC);
	assert_int_equal(wire_count(w, ETH_P_IP), 2); /* mr_qrv times */
	for (unsigned i = 0; i < 2; i++) {
		const uint8_t *m = igmp(i);

		assert_int_equal(ip4_daddr(wire_ip(w, i)), IP(224, 0, 0, 22));
		assert_int_equal(m[0], 0x22);
		assert_int_equal(get_be16(m + 6), 1);
		assert_int_equal(m[8], 4); /* TO_EXCLUDE{} */
		assert_int_equal(get_be32(m + 12), GROUP);
	}
	wire_clear(w);
	assert_int_equal(membership(fd, IP_DROP_MEMBERSHIP, GROUP), 0);
	assert_int_equal(membership(fd, IP_DROP_MEMBERSHIP, GROUP), -EADDRNOTAVAIL);
	bed_sleep(b, 3 * NSEC_PER_SEC);
	assert_int_equal(wire_count(w, ETH_P_IP), 2);
	assert_int_equal(igmp(0)[8], 3); /* TO_INCLUDE{} */
}

static void queries_v3(void **state)
{
	membership(fd, IP_ADD_MEMBERSHIP, GROUP);
	bed_sleep(b, 3 * NSEC_PER_SEC);
	wire_clear(w);
	query(IP(224, 0, 0, 1), 100, 0, 12);
	bed_sleep(b, 10 * NSEC_PER_SEC);
	assert_int_equal(wire_count(w, ETH_P_IP), 1);
	assert_int_equal(igmp(0)[8], 2); /* IS_EXCLUDE{}; 224.0.0.1 is never reported */
	assert_int_equal(get_be16(igmp(0) + 6), 1);
	wire_clear(w);
	query(GROUP, 10, IP(239, 9, 9, 9), 12); /* another group */
	bed_sleep(b, 2 * NSEC_PER_SEC);
	assert_int_equal(wire_count(w, ETH_P_IP), 0);
}

static void older_querier(void **state)
{
	membership(fd, IP_ADD_MEMBERSHIP, GROUP);
	bed_sleep(b, 3 * NSEC_PER_SEC);
	query(IP(224, 0, 0, 1), 20, 0, 8); /* IGMPv2 */
	wire_clear(w);
	bed_sleep(b, 3 * NSEC_PER_SEC);
	assert_int_equal(wire_count(w, ETH_P_IP), 1);
	assert_int_equal(igmp(0)[0], 0x16);
	assert_int_equal(ip4_daddr(wire_ip(w, 0)), GROUP);
	/* somebody else's report silences ours */
	wire_clear(w);
	query(IP(224, 0, 0, 1), 20, 0, 8);
	{
		uint8_t m[8] = { 0x16 };
		struct pkt *p;

		put_be32(m + 4, GROUP);
		put_be16(m + 2, csum_fold(csum_partial(m, 8, 0)));
		p = pkt_new(IP(10, 0, 0, 7), GROUP, 2, m, 8, 20);
		wire_in_mac(w, p, group_mac, w->peer_mac);
	}
	bed_sleep(b, 3 * NSEC_PER_SEC);
	assert_int_equal(wire_count(w, ETH_P_IP), 0);
	/* our own looped copy does not */
	wire_clear(w);
	query(IP(224, 0, 0, 1), 20, 0, 8);
	bed_sleep(b, 3 * NSEC_PER_SEC);
	assert_int_equal(wire_count(w, ETH_P_IP), 1);
	wire_clear(w);
	membership(fd, IP_DROP_MEMBERSHIP, GROUP);
	bed_run(b);
	assert_int_equal(igmp(0)[0], 0x17); /* a leave, to all routers */
	assert_int_equal(ip4_daddr(wire_ip(w, 0)), IP(224, 0, 0, 2));
}

static void membership_decides(void **state)
{
	char buf[8];
	struct pkt *p = pkt_udp(ROUTER, 1, GROUP, 7000, "x", 1);

	bed_trace_clear(b);
	wire_in_mac(w, p, group_mac, w->peer_mac);
	assert_int_equal(bed_recv(b, fd, buf, 8), -EAGAIN);
	assert_int_equal(bed_drops(b, DROP_IP_MULTICAST_NOT_MEMBER), 1);
	assert_int_equal(membership(fd, IP_ADD_MEMBERSHIP, GROUP), 0);
	wire_in_mac(w, pkt_udp(ROUTER, 1, GROUP, 7000, "x", 1), group_mac, w->peer_mac);
	assert_int_equal(bed_recv(b, fd, buf, 8), 1);
	assert_int_equal(b->net->mib.ipext.InMcastPkts, 1);
	sys_close(b->t, fd); /* the socket leaves with its program */
	bed_run(b);
	wire_in_mac(w, pkt_udp(ROUTER, 1, GROUP, 7000, "x", 1), group_mac, w->peer_mac);
	assert_int_equal(bed_drops(b, DROP_IP_MULTICAST_NOT_MEMBER), 2);
}

static void proc_net_igmp(void **state)
{
	struct strbuf sb;

	bed_proc(b, "net/igmp", &sb);
	assert_string_equal(sb_str(&sb), "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n"
					 "1\tlo        :     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n"
					 "2\teth0      :     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n");
	sb_free(&sb);
}

static void down_and_up_again(void **state)
{
	char buf[8];

	membership(fd, IP_ADD_MEMBERSHIP, GROUP);
	bed_sleep(b, 3 * NSEC_PER_SEC);
	assert_int_equal(dev_close(w->dev), 0);
	assert_int_equal(dev_open(w->dev), 0);
	wire_clear(w);
	bed_sleep(b, 3 * NSEC_PER_SEC);
	assert_int_equal(wire_count(w, ETH_P_IP), 2); /* reported anew */
	wire_in_mac(w, pkt_udp(ROUTER, 1, GROUP, 7000, "x", 1), group_mac, w->peer_mac);
	assert_int_equal(bed_recv(b, fd, buf, 8), 1);
	unregister_netdev(w->dev);
	w->dev = NULL;
	sys_close(b->t, fd);
}

static void bad_igmp(void **state)
{
	uint8_t m[12] = { 0x11, 10 };

	for (uint32_t n = 0; n < 12; n++) {
		put_be16(m + 2, 0);
		put_be16(m + 2, csum_fold(csum_partial(m, n, 0)));
		wire_in(w, pkt_new(ROUTER, IP(224, 0, 0, 1), 2, m, n, 20));
	}
	put_be16(m + 2, 0x1234);
	wire_in(w, pkt_new(ROUTER, IP(224, 0, 0, 1), 2, m, 12, 20));
	bed_sleep(b, 20 * NSEC_PER_SEC);
	assert_int_equal(wire_count(w, ETH_P_IP), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest t[] = {
		T(join_and_leave_v3), T(queries_v3), T(older_querier), T(membership_decides), T(proc_net_igmp), T(down_and_up_again),
		T(bad_igmp),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
