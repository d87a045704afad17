/* Packet sockets: what they are given, what they may send, and what a device does for them (S2-74). */
#include <linux/if_packet.h>
#include <sys/ioctl.h>
#include "sock_fixture.h"

#ifndef SOL_PACKET
#define SOL_PACKET 263
#endif
#define ALL 0x0003
#define IP 0x0800

static struct sockaddr_ll ll_addr(int ifindex, uint16_t protocol)
{
	struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_ifindex = ifindex };

	put_be16((uint8_t *)&a.sll_protocol, protocol);
	return a;
}

static uint16_t be(uint16_t v)
{
	uint16_t out;

	put_be16((uint8_t *)&out, v);
	return out;
}

static void send_udp(struct task *t, uint16_t port, const char *text)
{
	struct sockaddr_in a = lo_addr(port);
	int s = sys_socket(t, AF_INET, SOCK_DGRAM, 0);

	assert_int_equal(sys_sendto(t, s, text, strlen(text), 0, SA(&a), sizeof(a)), strlen(text));
	sys_close(t, s);
}

static int receive_prog(struct task *t, void *arg)
{
	struct sockaddr_ll from, any = ll_addr(1, 0);
	socklen_t len = sizeof(from);
	struct tpacket_stats st;
	socklen_t stlen = sizeof(st);
	uint8_t b[200];
	int raw = sys_socket(t, AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, be(ALL)), v;
	int cooked = sys_socket(t, AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK, be(IP)), quiet = sys_socket(t, AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);
	struct sockaddr_in me = lo_addr(9000);
	int u = sys_socket(t, AF_INET, SOCK_DGRAM, 0);

	(void)arg;
	assert_int_equal(sys_bind(t, u, SA(&me), sizeof(me)), 0);
	send_udp(t, 9000, "hello");
	/* raw, every protocol: with the link header; on its way out and on its way in */
	assert_int_equal(sys_recvfrom(t, raw, b, sizeof(b), MSG_PEEK, SA(&from), &len), 14 + 20 + 8 + 5);
	assert_int_equal(from.sll_family, AF_PACKET);
	assert_int_equal(from.sll_ifindex, 1);
	assert_int_equal(from.sll_pkttype, PACKET_OUTGOING);
	assert_int_equal(from.sll_hatype, 772); /* ARPHRD_LOOPBACK */
	assert_int_equal(get_be16((uint8_t *)&from.sll_protocol), IP);
	assert_int_equal(get_be16(b + 12), IP);
	assert_memory_equal(b + 14 + 28, "hello", 5);
	assert_int_equal(sys_recvfrom(t, raw, b, sizeof(b), 0, NULL, NULL), 47);
	assert_int_equal(sys_recvfrom(t, raw, b, 20, MSG_TRUNC, SA(&from), &len), 47); /* its real length */
	assert_int_equal(from.sll_pkttype, PACKET_HOST);
	assert_int_equal(sys_recvfrom(t, raw, b, sizeof(b), 0, NULL, NULL), -EAGAIN);
	/* datagram, one protocol: from the network header on, and only what comes in */
	assert_int_equal(sys_ioctl(t, cooked, FIONREAD, &v), 0);
	assert_int_equal(v, 33);
	assert_int_equal(sys_recvfrom(t, cooked, b, sizeof(b), 0, SA(&from), &len), 33);
	assert_int_equal(b[0] >> 4, 4);
	assert_int_equal(from.sll_pkttype, PACKET_HOST);
	assert_int_equal(sys_recvfrom(t, cooked, b, sizeof(b), 0, NULL, NULL), -EAGAIN);
	/* protocol 0 hears nothing until it is bound to one */
	assert_int_equal(sys_recvfrom(t, quiet, b, sizeof(b), 0, NULL, NULL), -EAGAIN);
	any = ll_addr(1, ALL);
	assert_int_equal(sys_bind(t, quiet, SA(&any), sizeof(any)), 0);
	send_udp(t, 9000, "again");
	assert_int_equal(sys_recvfrom(t, quiet, b, sizeof(b), 0, NULL, NULL), 47);
	/* statistics clear themselves */
	assert_int_equal(sys_getsockopt(t, raw, SOL_PACKET, PACKET_STATISTICS, &st, &stlen), 0);
	assert_int_equal(st.tp_packets, 4);
	assert_int_equal(st.tp_drops, 0);
	assert_int_equal(sys_getsockopt(t, raw, SOL_PACKET, PACKET_STATISTICS, &st, &stlen), 0);
	assert_int_equal(st.tp_packets, 0);
	/* what goes out is not shown when told so */
	v = 1;
	while (sys_recvfrom(t, raw, b, sizeof(b), 0, NULL, NULL) > 0)
		;
	assert_int_equal(sys_setsockopt(t, raw, SOL_PACKET, PACKET_IGNORE_OUTGOING, &v, sizeof(v)), 0);
	send_udp(t, 9000, "third");
	assert_int_equal(sys_recvfrom(t, raw, b, sizeof(b), 0, SA(&from), &len), 47);
	assert_int_equal(from.sll_pkttype, PACKET_HOST);
	assert_int_equal(sys_recvfrom(t, raw, b, sizeof(b), 0, NULL, NULL), -EAGAIN);
	close_all(t, (int[]){ raw, cooked, quiet, u }, 4);
	return 0;
}

static void s2_74_packet_sockets_see_both_directions(void **state)
{
	struct fx *f = host_up();

	(void)state;
	RUN(f, receive_prog);
	host_down(f);
}

static int full_prog(struct task *t, void *arg)
{
	struct tpacket_stats st;
	socklen_t len = sizeof(st);
	int raw = sys_socket(t, AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, be(ALL)), small = 4000, n = 0, u;
	struct sockaddr_in me = lo_addr(9100);
	uint8_t b[200];

	(void)arg;
	assert_int_equal(sys_setsockopt(t, raw, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	u = sys_socket(t, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_int_equal(sys_bind(t, u, SA(&me), sizeof(me)), 0);
	for (unsigned i = 0; i < 100; i++)
		send_udp(t, 9100, "x");
	/* the datagrams arrived all the same: a full tap is nobody else's loss */
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(sys_read(t, u, b, sizeof(b)), 1);
	while (sys_read(t, raw, b, sizeof(b)) > 0)
		n++;
	assert_int_equal(sys_getsockopt(t, raw, SOL_PACKET, PACKET_STATISTICS, &st, &len), 0);
	assert_int_equal(st.tp_packets, 200);
	assert_true(n > 3 && n < 40);
	assert_int_equal((int)st.tp_drops, 200 - n);
	close_all(t, (int[]){ raw, u }, 2);
	return 0;
}

static void a_full_packet_socket_drops_and_counts(void **state)
{
	struct fx *f = host_up();

	(void)state;
	RUN(f, full_prog);
	assert_true(f->net->skb_mib.dropped_by[DROP_SOCKET_RCVBUFF] > 0);
	host_down(f);
}

static int send_prog(struct task *t, void *arg)
{
	struct fx *f = arg;
	struct sockaddr_ll a = ll_addr(1, IP), bad;
	struct net_device *lo = f->net->loopback_dev;
	uint8_t frame[14 + 28 + 3] = { [12] = 8, [14] = 0x45 }, *ip = frame + 14, *big = calloc(1, 70000);
	int raw = sys_socket(t, AF_PACKET, SOCK_RAW, 0), cooked = sys_socket(t, AF_PACKET, SOCK_DGRAM, 0);
	int u = sys_socket(t, AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK, be(IP)); /* hears what comes in */
	char b[100];

	/* a UDP datagram, octet by octet */
	put_be16(ip + 2, 31);
	ip[8] = 64;
	ip[9] = 17;
	put_be32(ip + 12, 0x7f000001);
	put_be32(ip + 16, 0x7f000001);
	put_be16(ip + 10, csum_fold(csum_partial(ip, 20, 0)));
	put_be16(ip + 20, 1);
	put_be16(ip + 22, 9200);
	put_be16(ip + 24, 11);
	memcpy(ip + 28, "raw", 3);
	assert_int_equal(sys_sendto(t, raw, frame, sizeof(frame), 0, SA(&a), sizeof(a)), sizeof(frame));
	assert_int_equal(sys_read(t, u, b, sizeof(b)), 31);
	assert_memory_equal(b, ip, 31);
	assert_int_equal(f->net->mib.in_martian_dst, 1); /* IP believes in 127/8 only on packets that it routed itself */
	/* the kernel makes the link header */
	assert_int_equal(sys_sendto(t, cooked, ip, 31, 0, SA(&a), sizeof(a)), 31);
	assert_int_equal(sys_read(t, u, b, sizeof(b)), 31);
	/* bound: no address is needed */
	assert_int_equal(sys_bind(t, cooked, SA(&a), sizeof(a)), 0);
	assert_int_equal(sys_write(t, cooked, ip, 31), 31);
	assert_int_equal(sys_read(t, u, b, sizeof(b)), 31);
	/* refusals */
	assert_int_equal(sys_write(t, raw, frame, sizeof(frame)), -ENXIO); /* to which device? */
	bad = ll_addr(77, IP);
	assert_int_equal(sys_sendto(t, raw, frame, sizeof(frame), 0, SA(&bad), sizeof(bad)), -ENXIO);
	assert_int_equal(sys_bind(t, raw, SA(&bad), sizeof(bad)), -ENODEV);
	assert_int_equal(sys_sendto(t, raw, frame, 13, 0, SA(&a), sizeof(a)), -EINVAL); /* less than a link header */
	assert_int_equal(sys_sendto(t, cooked, big, lo->mtu + 1, 0, SA(&a), sizeof(a)), -EMSGSIZE);
	assert_int_equal(sys_sendto(t, raw, frame, 20, 0, SA(&a), 8), -EINVAL);
	bad = ll_addr(1, IP);
	bad.sll_family = AF_INET;
	assert_int_equal(sys_bind(t, raw, SA(&bad), sizeof(bad)), -EINVAL);
	assert_int_equal(sys_getpeername(t, raw, SA(&bad), &(socklen_t){ sizeof(bad) }), -EOPNOTSUPP);
	assert_int_equal(sys_listen(t, raw, 1), -EOPNOTSUPP);
	assert_int_equal(sys_connect(t, raw, SA(&a), sizeof(a)), -EOPNOTSUPP);
	assert_int_equal(sys_shutdown(t, raw, SHUT_RD), -EOPNOTSUPP);
	/* a device that is down */
	dev_close(lo);
	assert_int_equal(sys_sendto(t, raw, frame, sizeof(frame), 0, SA(&a), sizeof(a)), -ENETDOWN);
	dev_open(lo);
	free(big);
	close_all(t, (int[]){ raw, cooked, u }, 3);
	return 0;
}

static void packet_sockets_send_and_refuse(void **state)
{
	struct fx *f = host_up();

	(void)state;
	RUN(f, send_prog);
	host_down(f);
}

/* Promiscuity lasts as long as the last membership that wants it. */
static int members_prog(struct task *t, void *arg)
{
	struct fx *f = arg;
	struct net_device *lo = f->net->loopback_dev;
	struct packet_mreq mr = { .mr_ifindex = 1, .mr_type = PACKET_MR_PROMISC }, none = { .mr_ifindex = 99, .mr_type = PACKET_MR_PROMISC };
	int a = sys_socket(t, AF_PACKET, SOCK_RAW, be(ALL)), b = sys_socket(t, AF_PACKET, SOCK_RAW, be(ALL));

	assert_int_equal(sys_setsockopt(t, a, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mr, sizeof(mr)), 0);
	assert_true(lo->flags & DEVF_PROMISC);
	assert_int_equal(sys_setsockopt(t, a, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mr, sizeof(mr)), 0); /* twice */
	assert_int_equal(sys_setsockopt(t, b, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mr, sizeof(mr)), 0);
	assert_int_equal(sys_setsockopt(t, a, SOL_PACKET, PACKET_DROP_MEMBERSHIP, &mr, sizeof(mr)), 0);
	assert_int_equal(sys_setsockopt(t, a, SOL_PACKET, PACKET_DROP_MEMBERSHIP, &mr, sizeof(mr)), 0);
	assert_true(lo->flags & DEVF_PROMISC); /* b's */
	assert_int_equal(sys_setsockopt(t, a, SOL_PACKET, PACKET_DROP_MEMBERSHIP, &mr, sizeof(mr)), -EADDRNOTAVAIL);
	assert_int_equal(sys_close(t, b), 0); /* its memberships go with it */
	assert_false(lo->flags & DEVF_PROMISC);
	assert_int_equal(sys_setsockopt(t, a, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &none, sizeof(none)), -ENODEV);
	assert_int_equal(sys_setsockopt(t, a, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mr, 3), -EINVAL);
	assert_int_equal(sys_setsockopt(t, a, SOL_PACKET, 9999, &mr, sizeof(mr)), -ENOPROTOOPT);
	assert_int_equal(sys_close(t, a), 0);
	return 0;
}

static void packet_memberships(void **state)
{
	struct fx *f = host_up();

	(void)state;
	RUN(f, members_prog);
	host_down(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s2_74_packet_sockets_see_both_directions),
		cmocka_unit_test(a_full_packet_socket_drops_and_counts),
		cmocka_unit_test(packet_sockets_send_and_refuse),
		cmocka_unit_test(packet_memberships),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
