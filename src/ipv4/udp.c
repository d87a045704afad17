/* UDP's table of calls, its socket options and its start (udp(7), RFC 768).
 *
 * Sending is in udp_send.c, receiving in udp_recv.c, ports and lookup in udp_hash.c.
 * Tests: tests/unit/ipv4/test_udp.c. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <asm/ioctls.h>
#include <linux/sockios.h>
#include "ipv4/udp.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

static void udp_close(struct sock *sk, uint64_t timeout_ns)
{
	inet_common_release(sk);
}

static void udp_destroy_sock(struct sock *sk)
{
	udp_flush_pending_frames(sk);
}

static int udp_setsockopt(struct sock *sk, int level, int name, const void *val, socklen_t len)
{
	struct udp_sock *up = udp_sk(sk);
	int v;

	if (level != IPPROTO_UDP)
		return ip_setsockopt(sk, level, name, val, len);
	if (len < sizeof(int))
		return -EINVAL;
	memcpy(&v, val, sizeof(v));
	switch (name) {
	case UDP_CORK:
		up->corkflag = v != 0;
		/* Uncorking sends what was collected. */
		if (!v && up->pending_len)
			return udp_push_pending_frames(sk);
		return 0;
	case UDP_SEGMENT:
		if (v < 0 || v > UINT16_MAX)
			return -EINVAL;
		up->gso_size = (uint16_t)v;
		return 0;
	case UDP_GRO:
		up->gro = v != 0;
		return 0;
	case UDP_ENCAP: /* none; others need IPsec or L2TP */
		return v ? -ENOPROTOOPT : 0;
	case 101: /* UDP_NO_CHECK6_TX, _RX: of IPv6; taken and kept, as Linux does */
	case 102:
		up->no_check6 = (uint8_t)(v ? up->no_check6 | (1u << (name - 101)) : up->no_check6 & ~(1u << (name - 101)));
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static int udp_getsockopt(struct sock *sk, int level, int name, void *val, socklen_t *len)
{
	const struct udp_sock *up = udp_sk(sk);
	int v;

	if (level != IPPROTO_UDP)
		return ip_getsockopt(sk, level, name, val, len);
	switch (name) {
	case UDP_CORK:
		v = up->corkflag;
		break;
	case UDP_SEGMENT:
		v = up->gso_size;
		break;
	case UDP_GRO:
		v = up->gro;
		break;
	case UDP_ENCAP:
	case 10: /* UDP-Lite's coverage: the whole */
	case 11:
		v = 0;
		break;
	case 101:
	case 102:
		v = up->no_check6 >> (name - 101) & 1;
		break;
	default:
		return -ENOPROTOOPT;
	}
	*len = (socklen_t)min_sz(*len, sizeof(v));
	memcpy(val, &v, *len);
	return 0;
}

/* FIONREAD says how long the next datagram is, TIOCOUTQ what is on its way out. */
static int udp_ioctl(struct sock *sk, unsigned long cmd, void *arg)
{
	const struct sk_buff *skb = skb_peek(&sk->receive_queue);
	int v;

	if (cmd == SIOCOUTQ)
		v = sk->wmem_alloc;
	else if (cmd == SIOCINQ)
		v = skb ? (int)skb->len : 0;
	else
		return -ENOTTY;
	memcpy(arg, &v, sizeof(v));
	return 0;
}

static struct pool *udp_pool(struct net *net)
{
	return &net->ipv4->udp_pool;
}

static const struct proto udp_prot = {
	.name = "UDP",
	.obj_size = sizeof(struct udp_sock),
	.destroy = udp_destroy_sock,
	.close = udp_close,
	.connect = ip4_datagram_connect,
	.disconnect = ip4_datagram_disconnect,
	.ioctl = udp_ioctl,
	.setsockopt = udp_setsockopt,
	.getsockopt = udp_getsockopt,
	.sendmsg = udp_sendmsg,
	.recvmsg = udp_recvmsg,
	.unhash = udp_unhash,
	.rehash = udp_rehash,
	.get_port = udp_get_port,
	.pool = udp_pool,
};

/* ---- /proc/net/udp ---- */

static int cmp_sock(const void *a, const void *b)
{
	const struct udp_sock *const *x = a, *const *y = b;

	if ((*x)->inet.num != (*y)->inet.num)
		return (*x)->inet.num < (*y)->inet.num ? -1 : 1;
	return (*x)->inet.sk.ino < (*y)->inet.sk.ino ? -1 : (*x)->inet.sk.ino > (*y)->inet.sk.ino;
}

/* By port, then by age: no output depends on a hash. */
static void udp_show(struct net *net, struct strbuf *out)
{
	const struct udp_table *t = net->ipv4->udp;
	struct udp_sock **v = xcalloc(t->n + 1, sizeof(struct udp_sock *));
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->size; i++) {
		struct udp_sock *up;

		hlist_for_each_entry(up, &t->port[i], port_node)
			v[n++] = up;
	}
	qsort(v, n, sizeof(struct udp_sock *), cmp_sock);
	inet_proc_header(out, 127, true);
	for (uint32_t i = 0; i < n; i++)
		inet_proc_line(out, &v[i]->inet.sk, v[i]->inet.num);
	free(v);
}

int udp_init(struct net *net)
{
	static const struct net_protocol udp_protocol = { .handler = udp_rcv, .err_handler = udp_err, .no_policy = true };
	struct inet_protosw sw = { .type = SOCK_DGRAM, .protocol = IPPROTO_UDP, .ops = &inet_dgram_ops };
	struct udp_table *t = xcalloc(1, sizeof(*t));
	int err;

	net->ipv4->udp = t;
	t->size = UDP_TABLE_MIN;
	t->port = xcalloc(t->size, sizeof(*t->port));
	t->addr = xcalloc(t->size, sizeof(*t->addr));
	t->conn = xcalloc(t->size, sizeof(*t->conn));
	pool_init(&net->ipv4->udp_pool, "udp_sock", sizeof(struct udp_sock), 8);
	sw.prot = &udp_prot;
	err = inet_add_protocol(net, &udp_protocol, IPPROTO_UDP);
	if (!err)
		err = inet_register_protosw(net, &sw);
	return err ? err : proc_create_single(net, "net/udp", udp_show);
}

void udp_exit(struct net *net)
{
	struct udp_table *t = net->ipv4->udp;

	if (!t)
		return;
	free(t->port);
	free(t->addr);
	free(t->conn);
	free(t);
	net->ipv4->udp = NULL;
	pool_destroy(&net->ipv4->udp_pool);
}
