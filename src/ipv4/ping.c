/* Ping sockets: SOCK_DGRAM with IPPROTO_ICMP. Echo requests and their replies for programs without privilege; the
 * port is the identifier (S1-08; gated by net.ipv4.ping_group_range).
 *
 * Called by af_inet.c, icmp.c (ping_rcv, ping_err). Tests: tests/unit/ipv4/test_sockopt.c. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include "core/uio.h"
#include "ipv4/ip_cmsg.h"
#include "ipv4/udp.h"

/* ---- identifiers ---- */

static struct hlist_head *ping_bucket(struct net *net, uint16_t ident)
{
	return &net->ipv4->ping.ht[ident % PING_HASH];
}

static bool ping_taken(const struct sock *sk, uint16_t ident)
{
	struct sock *o;

	hlist_for_each_entry(o, ping_bucket(sk->net, ident), node) {
		if (o != sk && inet_sk(o)->num == ident && !(o->reuse && sk->reuse))
			return true;
	}
	return false;
}

static int ping_get_port(struct sock *sk, uint16_t ident)
{
	struct ping_state *p = &sk->net->ipv4->ping;
	uint32_t tries = 0;

	if (!ident) {
		if (!p->rover)
			p->rover = (uint16_t)rng_below(&sk->net->ipv4->rng_port, 65536);
		do {
			p->rover++;
			ident = p->rover;
		} while ((!ident || ping_taken(sk, ident)) && ++tries < 65536);
		if (tries >= 65536)
			return -EADDRINUSE;
	} else if (ping_taken(sk, ident)) {
		return -EADDRINUSE;
	}
	inet_sk(sk)->num = ident;
	if (hlist_unhashed(&sk->node)) {
		hlist_add_head(&sk->node, ping_bucket(sk->net, ident));
		p->n++;
	}
	return 0;
}

static void ping_unhash(struct sock *sk)
{
	if (hlist_unhashed(&sk->node))
		return;
	hlist_del_init(&sk->node);
	sk->net->ipv4->ping.n--;
	inet_sk(sk)->num = 0;
	inet_sk(sk)->sport = 0;
}

static struct sock *ping_lookup(struct net *net, uint32_t laddr, uint16_t ident, int dif)
{
	struct sock *sk;

	hlist_for_each_entry(sk, ping_bucket(net, ident), node) {
		const struct inet_sock *inet = inet_sk(sk);

		if (inet->num == ident && (!inet->rcv_saddr || inet->rcv_saddr == laddr) &&
		    (!sk->bound_dev_if || sk->bound_dev_if == dif))
			return sk;
	}
	return NULL;
}

static int ping_init_sock(struct sock *sk)
{
	const int32_t *r = sk->net->ipv4->sysctl.ping_group_range;

	/* Programs here run as group 0. */
	return r[0] <= 0 && 0 <= r[1] ? 0 : -EACCES;
}

static int ping_bind(struct sock *sk, struct sockaddr *a, socklen_t len)
{
	struct inet_sock *inet = inet_sk(sk);
	const struct sockaddr_in *sin = (const struct sockaddr_in *)(const void *)a;
	uint32_t addr;
	unsigned type;

	if (len < sizeof(*sin))
		return -EINVAL;
	if (sin->sin_family != AF_INET && sin->sin_family != AF_UNSPEC)
		return -EAFNOSUPPORT;
	addr = ntohl(sin->sin_addr.s_addr);
	type = addr ? inet_addr_type(sk->net, addr) : RTN_LOCAL;
	if (type != RTN_LOCAL && !inet->freebind && !sk->net->ipv4->sysctl.ip_nonlocal_bind)
		return -EADDRNOTAVAIL;
	if (inet->num)
		return -EINVAL;
	inet->rcv_saddr = inet->saddr = addr;
	if (ping_get_port(sk, ntohs(sin->sin_port))) {
		inet->rcv_saddr = inet->saddr = 0;
		return -EADDRINUSE;
	}
	sk->userlocks |= (uint8_t)((addr ? 4 : 0) | (sin->sin_port ? 8 : 0));
	inet->sport = inet->num;
	inet->daddr = 0;
	inet->dport = 0;
	sk_dst_reset(sk);
	return 0;
}

/* ---- sending ---- */

/* The header that goes out: the program's type, code and sequence; our identifier and checksum. */
static void ping_fill(struct sock *sk, const uint8_t user[ICMP_HLEN])
{
	struct sk_buff *first = skb_peek(&sk->write_queue), *s;
	uint32_t sum = 0;

	memcpy(first->data, user, ICMP_HLEN);
	put_be16(first->data + 2, 0);
	put_be16(first->data + 4, inet_sk(sk)->sport);
	skb_queue_walk(&sk->write_queue, s) {
		sum = csum_partial(s->data, s->len, sum);
		skb_count_sum(s, s->len);
	}
	put_be16(first->data + 2, csum_fold(sum));
	first->ip_summed = CHECKSUM_NONE;
}

static int ping_destination(const struct sock *sk, const struct msghdr *msg, uint32_t *daddr)
{
	const struct sockaddr_in *sin = msg->msg_name;

	if (!sin) {
		*daddr = inet_sk(sk)->daddr;
		return sk->state == TCP_ESTABLISHED ? 0 : -EDESTADDRREQ;
	}
	if (msg->msg_namelen < sizeof(*sin))
		return -EINVAL;
	if (sin->sin_family != AF_INET)
		return -EAFNOSUPPORT;
	*daddr = ntohl(sin->sin_addr.s_addr);
	return 0;
}

/* Takes over rt. */
static int ping_push(struct sock *sk, struct iov_iter *it, uint32_t len, const uint8_t user[ICMP_HLEN], struct flowi4 *fl4,
		     struct ipcm_cookie *ipc, struct rtable *rt, unsigned flags)
{
	int err;

	if ((rt->flags & RTCF_BROADCAST_) && !sock_flag(sk, SOCK_F_BROADCAST)) {
		dst_release(&rt->dst);
		return -EACCES;
	}
	if (!ipc->addr)
		ipc->addr = fl4->daddr;
	err = ip_append_data(sk, fl4, ip_generic_getfrag, it, len, ICMP_HLEN, ipc, &rt, flags & ~(unsigned)MSG_MORE);
	if (rt)
		dst_release(&rt->dst);
	if (err) {
		ip_flush_pending_frames(sk);
		return err;
	}
	ping_fill(sk, user);
	return ip_push_pending_frames(sk, fl4);
}

static ssize_t ping_v4_sendmsg(struct sock *sk, struct msghdr *msg, size_t len)
{
	TRACE_FN(&sk->net->probe, 0);
	struct inet_sock *inet = inet_sk(sk);
	uint8_t user[ICMP_HLEN];
	struct ipcm_cookie ipc;
	struct iov_iter it;
	struct flowi4 fl4;
	struct rtable *rt;
	uint32_t daddr;
	int err;

	if (len > IP4_MAX_LEN)
		return -EMSGSIZE;
	if (len < ICMP_HLEN)
		return -EINVAL;
	if (msg->msg_flags & MSG_OOB)
		return -EOPNOTSUPP;
	iov_iter_init(&it, msg->msg_iov, msg->msg_iovlen);
	if (copy_from_iter(user, ICMP_HLEN, &it) != ICMP_HLEN)
		return -EFAULT;
	if (user[0] != ICMP_ECHO || user[1] != 0)
		return -EINVAL;
	err = ping_destination(sk, msg, &daddr);
	if (err)
		return err;
	ipcm_init_sk(&ipc, inet);
	err = msg->msg_controllen ? ip_cmsg_send(sk, msg, &ipc) : 0;
	if (err)
		return err;
	if (!ipc.opt)
		ipc.opt = inet->opt;
	ipc.addr = daddr;
	if (ip4_is_multicast(daddr)) {
		ipc.oif = ipc.oif ? ipc.oif : inet->mc_index;
		ipc.saddr = ipc.saddr ? ipc.saddr : inet->mc_addr;
	} else if (!ipc.oif) {
		ipc.oif = inet->uc_index;
	}
	fl4 = (struct flowi4){ .daddr = ipc.opt && ipc.opt->opt.srr ? ipc.opt->opt.faddr : daddr, .saddr = ipc.saddr,
			       .oif = ipc.oif, .mark = ipc.mark, .tos = ip_sk_tos(sk, &ipc) & 0x1c, .proto = IPPROTO_ICMP };
	rt = ip_route_output_flow(sk->net, &fl4, sk, &err);
	if (!rt) {
		if (err == -ENETUNREACH)
			IP_INC(sk->net, OutNoRoutes);
		return err;
	}
	err = ping_push(sk, &it, (uint32_t)len, user, &fl4, &ipc, rt, (unsigned)msg->msg_flags);
	return err < 0 ? err : (ssize_t)len;
}

/* ---- receiving ---- */

bool ping_rcv(struct sk_buff *skb)
{
	struct net *net = skb->net;
	TRACE_FN(&net->probe, skb->serial);
	uint16_t ident = get_be16(skb->data + 4);
	struct sock *sk = ping_lookup(net, ip4_daddr(ip_hdr(skb)), ident, IPCB(skb)->iif);
	int err;

	if (!sk)
		return false;
	ipv4_pktinfo_prepare(sk, skb);
	err = sock_queue_rcv_skb(sk, skb);
	if (err)
		kfree_skb_reason(skb, err == -EPERM ? DROP_SOCKET_FILTER : DROP_SOCKET_RCVBUFF);
	return true;
}

/* data: at the quoted IP header; behind it an echo request of ours. */
void ping_err(struct sk_buff *skb, uint32_t info)
{
	struct net *net = skb->net;
	TRACE_FN(&net->probe, skb->serial);
	const struct ip4_hdr *q = (const struct ip4_hdr *)(const void *)skb->data;
	const uint8_t *inner = skb->data + ip4_hlen(q);
	struct sock *sk = ping_lookup(net, ip4_saddr(q), get_be16(inner + 4), IPCB(skb)->iif);
	struct icmp_verdict v;

	if (!sk)
		return;
	v = icmp_err_verdict(sk, skb, info);
	if (!inet_sk(sk)->recverr) {
		if (!v.harderr || sk->state != TCP_ESTABLISHED)
			return;
	} else {
		ip_icmp_error(sk, skb, v.err, 0, info, inner);
	}
	sk->err = v.err;
	sk->error_report(sk);
}

static ssize_t ping_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags, socklen_t *addr_len)
{
	TRACE_FN(&sk->net->probe, 0);

	return ip_datagram_recvmsg(sk, msg, len, flags, addr_len);
}

/* ---- the table ---- */

static void ping_close(struct sock *sk, uint64_t timeout_ns)
{
	inet_common_release(sk);
}

static void ping_destroy(struct sock *sk)
{
	ip_flush_pending_frames(sk);
}

static struct pool *ping_pool(struct net *net)
{
	return &net->ipv4->ping_pool;
}

static const struct proto ping_prot = {
	.name = "PING",
	.obj_size = sizeof(struct inet_sock),
	.init = ping_init_sock,
	.destroy = ping_destroy,
	.close = ping_close,
	.connect = ip4_datagram_connect,
	.disconnect = ip4_datagram_disconnect,
	.setsockopt = ip_setsockopt,
	.getsockopt = ip_getsockopt,
	.sendmsg = ping_v4_sendmsg,
	.recvmsg = ping_recvmsg,
	.bind = ping_bind,
	.unhash = ping_unhash,
	.get_port = ping_get_port,
	.pool = ping_pool,
};

static void ping_show(struct net *net, struct strbuf *out)
{
	inet_proc_header(out, 127, false);
	inet_proc_table(out, net->ipv4->ping.ht, PING_HASH);
}

int ping_init(struct net *net)
{
	struct inet_protosw sw = { .type = SOCK_DGRAM, .protocol = IPPROTO_ICMP, .ops = &inet_dgram_ops, .reuse = true };
	int err;

	pool_init(&net->ipv4->ping_pool, "ping_sock", sizeof(struct inet_sock), 4);
	sw.prot = &ping_prot;
	err = inet_register_protosw(net, &sw);
	return err ? err : proc_create_single(net, "net/icmp", ping_show);
}
