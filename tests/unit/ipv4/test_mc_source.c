/* Source-specific multicast on sockets (RFC 3678; ip(7)): who gets which datagram, and the errors that Linux gives. */
#include "bed.h"
#include <errno.h>
#include <stdlib.h>

static struct bed *b;
static struct wire *w;
static int fd;
#define GROUP IP(232, 1, 2, 3)
#define S1 IP(10, 0, 0, 11)
#define S2 IP(10, 0, 0, 12)

static int setup(void **state)
{
	b = bed_new();
	w = bed_wire(b, "eth0", "10.0.0.1/24");
	fd = bed_udp(b, NULL, 7000);
	sys_setsockopt(b->t, fd, IPPROTO_IP, IP_MULTICAST_ALL, &(int){ 0 }, 4);
	return 0;
}

static int teardown(void **state)
{
	bed_free(b);
	return 0;
}

static int source(int name, uint32_t src)
{
	struct ip_mreq_source m = { .imr_multiaddr.s_addr = htonl(GROUP), .imr_interface.s_addr = htonl(IP(10, 0, 0, 1)),
				    .imr_sourceaddr.s_addr = htonl(src) };

	return sys_setsockopt(b->t, fd, IPPROTO_IP, name, &m, sizeof(m));
}

static int membership(int name)
{
	struct ip_mreqn m = { .imr_multiaddr.s_addr = htonl(GROUP), .imr_ifindex = w->dev->ifindex };

	return sys_setsockopt(b->t, fd, IPPROTO_IP, name, &m, sizeof(m));
}

/* Does a datagram from src to the group reach the program? */
static bool hears(uint32_t src)
{
	static const uint8_t mac[6] = { 1, 0, 0x5e, 1, 2, 3 };
	char c;

	wire_in_mac(w, pkt_udp(src, 5000, GROUP, 7000, "x", 1), mac, w->peer_mac);
	return bed_recv(b, fd, &c, 1) == 1;
}

static void so_ip_add_source_membership(void **state)
{
	assert_false(hears(S1));
	assert_int_equal(source(IP_DROP_SOURCE_MEMBERSHIP, S1), -EINVAL); /* not a member */
	assert_int_equal(source(IP_ADD_SOURCE_MEMBERSHIP, S1), 0);
	assert_true(hears(S1));
	assert_false(hears(S2));
	assert_int_equal(source(IP_ADD_SOURCE_MEMBERSHIP, S1), -EADDRNOTAVAIL); /* there already */
	assert_int_equal(source(IP_BLOCK_SOURCE, S2), -EINVAL);		  /* not that kind of list */
	assert_int_equal(source(IP_ADD_SOURCE_MEMBERSHIP, S2), 0);
	assert_true(hears(S2));
	assert_int_equal(source(IP_DROP_SOURCE_MEMBERSHIP, S1), 0);
	assert_false(hears(S1));
	assert_int_equal(source(IP_DROP_SOURCE_MEMBERSHIP, S1), -EADDRNOTAVAIL);
	assert_int_equal(source(IP_DROP_SOURCE_MEMBERSHIP, S2), 0); /* the last: no member any more */
	assert_int_equal(membership(IP_DROP_MEMBERSHIP), -EADDRNOTAVAIL);
}

static void so_ip_block_source(void **state)
{
	assert_int_equal(source(IP_BLOCK_SOURCE, S1), -EINVAL);
	assert_int_equal(membership(IP_ADD_MEMBERSHIP), 0);
	assert_true(hears(S1));
	assert_int_equal(source(IP_BLOCK_SOURCE, S1), 0);
	assert_false(hears(S1));
	assert_true(hears(S2));
	assert_int_equal(source(IP_UNBLOCK_SOURCE, S2), -EADDRNOTAVAIL);
	assert_int_equal(source(IP_UNBLOCK_SOURCE, S1), 0);
	assert_true(hears(S1));
	assert_int_equal(sys_setsockopt(b->t, fd, IPPROTO_IP, IP_BLOCK_SOURCE, &(int){ 0 }, 4), -EINVAL);
}

static int filter(uint32_t mode, unsigned n, const uint32_t *src)
{
	uint32_t f[4 + 16] = { htonl(GROUP), htonl(IP(10, 0, 0, 1)), mode, n };

	for (unsigned i = 0; i < n && i < 16; i++)
		f[4 + i] = htonl(src[i]);
	return sys_setsockopt(b->t, fd, IPPROTO_IP, IP_MSFILTER, f, (socklen_t)(16 + 4 * (n < 16 ? n : 16)));
}

static void so_ip_msfilter(void **state)
{
	uint32_t two[2] = { S1, S2 }, many[11] = { 0 }, f[4 + 4] = { htonl(GROUP), htonl(IP(10, 0, 0, 1)), 0, 4 };
	socklen_t len = sizeof(f);

	assert_int_equal(filter(MCAST_INCLUDE, 2, two), -EINVAL);
	assert_int_equal(membership(IP_ADD_MEMBERSHIP), 0);
	assert_int_equal(filter(7, 2, two), -EINVAL);
	assert_int_equal(filter(MCAST_INCLUDE, 11, many), -ENOBUFS); /* igmp_max_msf */
	bed_sysctl(b, "net.ipv4.igmp_max_msf", "1");
	assert_int_equal(filter(MCAST_INCLUDE, 2, two), -ENOBUFS);
	bed_sysctl(b, "net.ipv4.igmp_max_msf", "10");
	assert_int_equal(filter(MCAST_EXCLUDE, 2, two), 0);
	assert_false(hears(S1));
	assert_true(hears(IP(10, 0, 0, 13)));
	assert_int_equal(filter(MCAST_INCLUDE, 1, two), 0);
	assert_true(hears(S1));
	assert_false(hears(S2));
	assert_int_equal(sys_getsockopt(b->t, fd, IPPROTO_IP, IP_MSFILTER, f, &len), 0);
	assert_int_equal(len, 20);
	assert_int_equal(f[2], MCAST_INCLUDE);
	assert_int_equal(f[3], 1);
	assert_int_equal(ntohl(f[4]), S1);
	assert_int_equal(filter(MCAST_INCLUDE, 0, two), 0); /* wanting nobody is leaving */
	len = sizeof(f);
	assert_int_equal(sys_getsockopt(b->t, fd, IPPROTO_IP, IP_MSFILTER, f, &len), -EADDRNOTAVAIL);
	len = 8;
	assert_int_equal(sys_getsockopt(b->t, fd, IPPROTO_IP, IP_MSFILTER, f, &len), -EINVAL);
}

static void so_mcast_source_group(void **state)
{
	struct group_source_req g = { .gsr_interface = (uint32_t)w->dev->ifindex };
	struct sockaddr_in grp = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(GROUP) }, src = grp;
	char room[offsetof(struct group_filter, gf_slist) + 2 * sizeof(struct sockaddr_storage)] = { 0 };
	struct group_filter *f = (struct group_filter *)(void *)room;
	socklen_t len = sizeof(room);

	src.sin_addr.s_addr = htonl(S1);
	memcpy(&g.gsr_group, &grp, sizeof(grp));
	memcpy(&g.gsr_source, &src, sizeof(src));
	assert_int_equal(sys_setsockopt(b->t, fd, IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP, &g, 8), -EINVAL);
	assert_int_equal(sys_setsockopt(b->t, fd, IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP, &g, sizeof(g)), 0);
	assert_true(hears(S1));
	assert_false(hears(S2));
	f->gf_interface = (uint32_t)w->dev->ifindex;
	memcpy(&f->gf_group, &grp, sizeof(grp));
	f->gf_numsrc = 2;
	assert_int_equal(sys_getsockopt(b->t, fd, IPPROTO_IP, MCAST_MSFILTER, room, &len), 0);
	assert_int_equal(f->gf_fmode, MCAST_INCLUDE);
	assert_int_equal(f->gf_numsrc, 1);
	f->gf_fmode = MCAST_EXCLUDE;
	assert_int_equal(sys_setsockopt(b->t, fd, IPPROTO_IP, MCAST_MSFILTER, room, sizeof(room)), 0);
	assert_false(hears(S1));
	assert_true(hears(S2));
	assert_int_equal(sys_setsockopt(b->t, fd, IPPROTO_IP, MCAST_UNBLOCK_SOURCE, &g, sizeof(g)), 0);
	assert_int_equal(sys_setsockopt(b->t, fd, IPPROTO_IP, MCAST_BLOCK_SOURCE, &g, sizeof(g)), 0);
	assert_int_equal(sys_setsockopt(b->t, fd, IPPROTO_IP, MCAST_LEAVE_SOURCE_GROUP, &g, sizeof(g)), -EINVAL);
	g.gsr_interface = 77;
	assert_int_equal(sys_setsockopt(b->t, fd, IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP, &g, sizeof(g)), -ENODEV);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = { T(so_ip_add_source_membership), T(so_ip_block_source), T(so_ip_msfilter), T(so_mcast_source_group) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
