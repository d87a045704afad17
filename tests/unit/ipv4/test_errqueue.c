/* What a datagram socket is told of what it sent, and the younger options of datagram sockets: SO_TIMESTAMPING,
 * MSG_ZEROCOPY, SO_PEEK_OFF, IP_LOCAL_PORT_RANGE, messages beside the data. */
#include "bed.h"
#include <errno.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <stdlib.h>

static struct bed *b;
static struct wire *w;
static int fd;

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

static int sol(int name, int v) { return sys_setsockopt(b->t, fd, SOL_SOCKET, name, &v, sizeof(v)); }

struct notice {
	struct sock_extended_err ee;
	struct timespec ts;
	ssize_t len;
	char data[2048];
};

static bool notice(struct notice *n)
{
	char ctl[512];
	struct iovec iov = { n->data, sizeof(n->data) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl, .msg_controllen = sizeof(ctl) };

	memset(&n->ee, 0, sizeof(n->ee));
	memset(&n->ts, 0, sizeof(n->ts));
	n->len = sys_recvmsg(b->t, fd, &m, MSG_ERRQUEUE);
	if (n->len < 0)
		return false;
	assert_int_equal(m.msg_flags & MSG_ERRQUEUE, MSG_ERRQUEUE);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR)
			memcpy(&n->ee, CMSG_DATA(c), sizeof(n->ee));
		else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPING)
			memcpy(&n->ts, CMSG_DATA(c), sizeof(n->ts));
	}
	return true;
}

#define SW (SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_ID)
static void so_timestamping_sched_and_snd(void **state)
{
	struct notice n;

	assert_int_equal(sol(SO_TIMESTAMPING, SW | SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_TX_SCHED), 0);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(bed_send(b, fd, "10.0.0.9", 9, "hello", 5), 5);
		bed_run(b);
		for (uint32_t k = 0; k < 2; k++) {
			assert_true(notice(&n));
			assert_int_equal(n.ee.ee_errno, ENOMSG);
			assert_int_equal(n.ee.ee_origin, SO_EE_ORIGIN_TIMESTAMPING);
			assert_int_equal(n.ee.ee_info, k ? SCM_TSTAMP_SND : SCM_TSTAMP_SCHED);
			assert_int_equal(n.ee.ee_data, i);
			assert_memory_equal(n.data + n.len - 5, "hello", 5); /* the packet, headers and all */
			assert_true(n.ts.tv_sec || n.ts.tv_nsec);
		}
		assert_false(notice(&n));
	}
	assert_int_equal(sol(SO_TIMESTAMPING, SW | SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_OPT_TSONLY), 0);
	assert_int_equal(bed_send(b, fd, "10.0.0.9", 9, "hello", 5), 5);
	bed_run(b);
	assert_true(notice(&n));
	assert_int_equal(n.len, 0);
	assert_int_equal(n.ee.ee_data, 3);
	assert_false(notice(&n));
}

static void so_zerocopy_datagrams(void **state)
{
	struct sockaddr_in sin = bed_sin("10.0.0.9", 9);
	struct notice n;

	assert_int_equal(sol(SO_ZEROCOPY, 1), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(sys_sendto(b->t, fd, "x", 1, MSG_ZEROCOPY, (struct sockaddr *)&sin, sizeof(sin)), 1);
	assert_true(notice(&n));
	assert_int_equal(n.ee.ee_errno, 0);
	assert_int_equal(n.ee.ee_origin, SO_EE_ORIGIN_ZEROCOPY);
	assert_int_equal(n.ee.ee_code, SO_EE_CODE_ZEROCOPY_COPIED);
	assert_int_equal(n.ee.ee_info, 0);
	assert_int_equal(n.ee.ee_data, 2); /* three calls, one notice */
	assert_false(notice(&n));
}

static ssize_t peek(void *buf, size_t len) { return sys_recvfrom(b->t, fd, buf, len, MSG_PEEK | MSG_DONTWAIT, NULL, NULL); }

static void so_peek_off(void **state)
{
	char c[8];

	assert_int_equal(sol(SO_PEEK_OFF, 0), 0);
	wire_in(w, pkt_udp(IP(10, 0, 0, 9), 9, IP(10, 0, 0, 1), 7000, "abcdef", 6));
	assert_int_equal(peek(c, 2), 2);
	assert_memory_equal(c, "ab", 2);
	assert_int_equal(peek(c, 2), 2);
	assert_memory_equal(c, "cd", 2);
	assert_int_equal(peek(c, 8), 2);
	assert_memory_equal(c, "ef", 2);
	assert_int_equal(bed_recv(b, fd, c, 8), 6); /* reading begins at the beginning, and takes the mark back */
	assert_int_equal(sol(SO_PEEK_OFF, -1), 0);
	wire_in(w, pkt_udp(IP(10, 0, 0, 9), 9, IP(10, 0, 0, 1), 7000, "xyz", 3));
	assert_int_equal(peek(c, 8), 3);
	assert_int_equal(peek(c, 8), 3);
	assert_memory_equal(c, "xyz", 3);
}

static void so_ip_local_port_range(void **state)
{
	uint32_t range = 40010u << 16 | 40001u;
	socklen_t len = sizeof(range);
	unsigned seen = 0;

	bed_sysctl(b, "net.ipv4.ip_local_port_range", "40000 41000");
	assert_int_equal(sys_setsockopt(b->t, fd, IPPROTO_IP, 51, &(uint32_t){ 1u << 16 | 2 }, 4), -EINVAL);
	assert_int_equal(sys_setsockopt(b->t, fd, IPPROTO_IP, 51, &range, 2), -EINVAL);
	for (int i = 0; i < 11; i++) {
		struct sockaddr_in sin = bed_sin("0.0.0.0", 0);
		int s = sys_socket(b->t, AF_INET, SOCK_DGRAM, 0);

		assert_int_equal(sys_setsockopt(b->t, s, IPPROTO_IP, 51, &range, sizeof(range)), 0);
		assert_int_equal(sys_getsockopt(b->t, s, IPPROTO_IP, 51, &range, &len), 0);
		assert_int_equal(sys_bind(b->t, s, (struct sockaddr *)&sin, sizeof(sin)), i < 10 ? 0 : -EADDRINUSE);
		len = sizeof(sin);
		sys_getsockname(b->t, s, (struct sockaddr *)&sin, &len);
		if (i < 10) {
			assert_in_range(ntohs(sin.sin_port), 40001, 40010);
			seen |= 1u << (ntohs(sin.sin_port) - 40001);
		}
		len = sizeof(range);
	}
	assert_int_equal(seen, 0x3ff); /* each once */
}

/* SO_PRIORITY, SO_MARK and SO_TIMESTAMPING for one datagram; what is no option of one is refused. */
static void so_cmsg_per_datagram(void **state)
{
	char ctl[64] = { 0 };
	struct iovec iov = { (char *)"x", 1 };
	struct sockaddr_in sin = bed_sin("10.0.0.9", 9);
	struct msghdr m = { .msg_name = &sin, .msg_namelen = sizeof(sin), .msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl,
			    .msg_controllen = CMSG_SPACE(4) };
	struct cmsghdr *c = (struct cmsghdr *)(void *)ctl;
	struct notice n;
	uint32_t v = SOF_TIMESTAMPING_TX_SOFTWARE;

	*c = (struct cmsghdr){ CMSG_LEN(4), SOL_SOCKET, SO_TIMESTAMPING };
	memcpy(CMSG_DATA(c), &v, 4);
	assert_int_equal(sol(SO_TIMESTAMPING, SOF_TIMESTAMPING_SOFTWARE), 0);
	assert_int_equal(sys_sendmsg(b->t, fd, &m, 0), 1);
	bed_run(b);
	assert_true(notice(&n));
	assert_int_equal(n.ee.ee_info, SCM_TSTAMP_SND);
	c->cmsg_type = SO_PRIORITY;
	assert_int_equal(sys_sendmsg(b->t, fd, &m, 0), 1);
	bed_run(b);
	assert_false(notice(&n));
	c->cmsg_type = SO_TXTIME; /* not without the option */
	assert_int_equal(sys_sendmsg(b->t, fd, &m, 0), -EINVAL);
	c->cmsg_type = SO_LINGER;
	assert_int_equal(sys_sendmsg(b->t, fd, &m, 0), -EINVAL);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(so_timestamping_sched_and_snd), T(so_zerocopy_datagrams), T(so_peek_off), T(so_ip_local_port_range), T(so_cmsg_per_datagram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
