/* Raw sockets: a protocol's datagrams with their IP header, and headers of a program's own (raw(7)).
 *
 *     raw_sendmsg -> ip_append_data, ip_push_pending_frames            (S1-16)
 *                 \-> raw_send_hdrinc, with IP_HDRINCL
 *     raw_local_deliver: every raw socket of the protocol gets a copy, before the protocol itself
 *
 * Called by af_inet.c, ip_input.c, icmp.c. Tests: tests/unit/ipv4/test_sockopt.c, test_loopback.c (S1-16). */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <asm/ioctls.h>
#include <linux/sockios.h>
#include "core/uio.h"
#include "ipv4/ip_cmsg.h"
#include "ipv4/udp.h"

#define ICMP_FILTER_ 1
#define SOL_RAW_ 255
#define RAW_LL_ROOM 32u

struct raw_sock {
	struct inet_sock inet; /* first */
	uint32_t icmp_filter;  /* a set bit: this ICMP type is not wanted */
};

static struct raw_sock *raw_sk(const struct sock *sk)
{
	return (struct raw_sock *)(void *)sk;
}

static struct hlist_head *raw_bucket(struct net *net, uint32_t protocol)
{
	return &net->ipv4->raw.ht[protocol % RAW_HASH];
}

static int raw_hash(struct sock *sk)
{
	hlist_add_head(&sk->node, raw_bucket(sk->net, inet_sk(sk)->num));
	sk->net->ipv4->raw.n++;
	return 0;
}

static void raw_unhash(struct sock *sk)
{
	if (hlist_unhashed(&sk->node))
		return;
	hlist_del_init(&sk->node);
	sk->net->ipv4->raw.n--;
}

/* ---- receiving ---- */

static bool raw_match(const struct sock *sk, uint8_t protocol, uint32_t laddr, uint32_t raddr, int dif)
{
	const struct inet_sock *inet = inet_sk(sk);

	return inet->num == protocol && (!inet->daddr || inet->daddr == raddr) &&
	       (!inet->rcv_saddr || inet->rcv_saddr == laddr) && (!sk->bound_dev_if || sk->bound_dev_if == dif);
}

static bool icmp_unwanted(const struct sock *sk, const struct sk_buff *skb)
{
	uint8_t type;

	if (!raw_sk(sk)->icmp_filter || skb_copy_bits(skb, 0, &type, 1))
		return false;
	return type < 32 && (raw_sk(sk)->icmp_filter >> type & 1);
}

static void raw_rcv(struct sock *sk, struct sk_buff *skb)
{
	TRACE_FN(&sk->net->probe, skb->serial);
	int err;

	ipv4_pktinfo_prepare(sk, skb);
	/* The program sees the IP header. */
	skb_push(skb, (uint32_t)(skb->data - skb_network_header(skb)));
	err = sock_queue_rcv_skb(sk, skb);
	if (err)
		kfree_skb_reason(skb, err == -EPERM ? DROP_SOCKET_FILTER : DROP_SOCKET_RCVBUFF);
}

/* data: at the transport header; skb stays the caller's. Did any raw socket stand for it? */
bool raw_local_deliver(struct sk_buff *skb, uint8_t protocol)
{
	struct net *net = skb->net;
	TRACE_FN(&net->probe, skb->serial);
	const struct ip4_hdr *h = ip_hdr(skb);
	uint32_t saddr = ip4_saddr(h), daddr = ip4_daddr(h);
	bool delivered = false;
	struct sock *sk;
	struct hlist_node *tmp;

	hlist_for_each_entry_safe(sk, tmp, raw_bucket(net, protocol), node) {
		struct sk_buff *c;

		if (!raw_match(sk, protocol, daddr, saddr, IPCB(skb)->iif))
			continue;
		delivered = true;
		if ((protocol == IPPROTO_ICMP && icmp_unwanted(sk, skb)) || !ip_mc_sf_allow(sk, daddr, ip4_saddr(ip_hdr(skb)), IPCB(skb)->iif))
			continue;
		c = skb_clone(skb);
		if (c)
			raw_rcv(sk, c);
	}
	return delivered;
}

static void raw_err(struct sock *sk, struct sk_buff *skb, uint32_t info)
{
	const struct inet_sock *inet = inet_sk(sk);
	const struct ip4_hdr *q = (const struct ip4_hdr *)(const void *)skb->data;
	const struct icmp_hdr *h = icmp_hdr_of_quote(skb);
	struct icmp_verdict v;

	if (h->type == ICMP_DEST_UNREACH && h->code == ICMP_FRAG_NEEDED)
		ipv4_sk_update_pmtu(skb, sk, info);
	/* Without IP_RECVERR only a connected socket hears of it, and only of what is final. */
	if (!inet->recverr && sk->state != TCP_ESTABLISHED)
		return;
	v = icmp_err_verdict(sk, skb, info);
	if (inet->recverr)
		ip_icmp_error(sk, skb, v.err, 0, info, skb->data + (inet->hdrincl ? 0 : ip4_hlen(q)));
	if (inet->recverr || v.harderr) {
		sk->err = v.err;
		sk->error_report(sk);
	}
}

/* data: at the quoted IP header. */
void raw_icmp_error(struct sk_buff *skb, uint8_t protocol, uint32_t info)
{
	struct net *net = skb->net;
	const struct ip4_hdr *q = (const struct ip4_hdr *)(const void *)skb->data;
	struct sock *sk;

	hlist_for_each_entry(sk, raw_bucket(net, protocol), node) {
		if (raw_match(sk, protocol, ip4_saddr(q), ip4_daddr(q), IPCB(skb)->iif))
			raw_err(sk, skb, info);
	}
}

static ssize_t raw_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags, socklen_t *addr_len)
{
	TRACE_FN(&sk->net->probe, 0);

	return ip_datagram_recvmsg(sk, msg, len, flags, addr_len);
}

/* ---- sending ---- */

/* What the program must not leave to us, or may not say, in a header of its own. 0 or -errno. */
static int hdrinc_fill(struct sk_buff *skb, const struct flowi4 *fl4, const struct rtable *rt)
{
	struct ip4_hdr *h = ip_hdr(skb);
	uint32_t hlen = ip4_hlen(h);

	if (hlen < IP4_HLEN || hlen > skb->len)
		return -EINVAL;
	if (!ip4_saddr(h))
		put_be32(h->saddr, fl4->saddr);
	/* RFC 1122 3.2.1.3(g): not even by this door. */
	if ((ip4_is_loopback(ip4_saddr(h)) || ip4_is_loopback(ip4_daddr(h))) && !(rt->dst.dev->flags & DEVF_LOOPBACK))
		return -EINVAL;
	put_be16(h->tot_len, (uint16_t)skb->len);
	if (!ip4_id(h))
		put_be16(h->id, ip_select_ident(skb->net, h, NULL, 1));
	ip_send_check(h);
	skb_set_transport_header(skb, hlen);
	return 0;
}

static int raw_send_hdrinc(struct sock *sk, const struct flowi4 *fl4, struct iov_iter *it, uint32_t len, struct rtable *rt,
			   unsigned flags)
{
	struct net *net = sk->net;
	struct sk_buff *skb;
	int err;

	if (len > min_u32(rt->dst.dev->mtu, IP4_MAX_LEN)) {
		ip_local_error(sk, EMSGSIZE, fl4->daddr, inet_sk(sk)->dport, rt->dst.dev->mtu);
		return -EMSGSIZE;
	}
	if (len < IP4_HLEN)
		return -EINVAL;
	skb = sock_alloc_send_skb(sk, RAW_LL_ROOM + len, (flags & MSG_DONTWAIT) != 0, &err);
	if (!skb)
		return err;
	skb_reserve(skb, RAW_LL_ROOM);
	skb_put(skb, len);
	skb_reset_network_header(skb);
	memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
	skb->protocol = ETH_P_IP;
	skb->priority = sk->priority;
	skb->mark = fl4->mark;
	skb_dst_set(skb, dst_hold(&rt->dst));
	err = ip_generic_getfrag(it, skb->data, 0, len, skb);
	if (!err)
		err = hdrinc_fill(skb, fl4, rt);
	if (err) {
		IP_INC(net, OutDiscards);
		kfree_skb_reason(skb, DROP_IP_INHDR);
		return err;
	}
	if (ip_hdr(skb)->protocol == IPPROTO_ICMP && skb->len > ip4_hlen(ip_hdr(skb)))
		icmp_out_count(net, *skb_transport_header(skb));
	IP_INC(net, OutRequests);
	err = nf_hook(NF_INET_LOCAL_OUT, net, sk, skb, NULL, rt->dst.dev, dst_output);
	if (err > 0)
		err = err == NET_XMIT_CN ? 0 : -ENOBUFS;
	if (err)
		IP_INC(net, OutDiscards);
	return err;
}

static int raw_destination(const struct sock *sk, const struct msghdr *msg, uint32_t *daddr)
{
	const struct sockaddr_in *sin = msg->msg_name;

	if (!sin) {
		*daddr = inet_sk(sk)->daddr;
		return sk->state == TCP_ESTABLISHED ? 0 : -EDESTADDRREQ;
	}
	if (msg->msg_namelen < sizeof(*sin))
		return -EINVAL;
	if (sin->sin_family != AF_INET && sin->sin_family != AF_UNSPEC)
		return -EAFNOSUPPORT;
	*daddr = ntohl(sin->sin_addr.s_addr);
	return 0;
}

static void raw_choose_device(const struct inet_sock *inet, uint32_t daddr, struct ipcm_cookie *ipc)
{
	if (ip4_is_multicast(daddr)) {
		if (!ipc->oif)
			ipc->oif = inet->mc_index;
		if (!ipc->saddr)
			ipc->saddr = inet->mc_addr;
	} else if (!ipc->oif) {
		ipc->oif = inet->uc_index;
	}
}

/* The rest of a send whose route is known. Takes over rt. */
static int raw_send_routed(struct sock *sk, struct iov_iter *it, uint32_t len, struct flowi4 *fl4, struct ipcm_cookie *ipc,
			   struct rtable *rt, unsigned flags)
{
	int err;

	if ((rt->flags & RTCF_BROADCAST_) && !sock_flag(sk, SOCK_F_BROADCAST)) {
		err = -EACCES;
	} else if (inet_sk(sk)->hdrincl) {
		err = raw_send_hdrinc(sk, fl4, it, len, rt, flags);
	} else {
		if (!ipc->addr)
			ipc->addr = fl4->daddr;
		err = ip_append_data(sk, fl4, ip_generic_getfrag, it, len, 0, ipc, &rt, flags);
		if (err)
			ip_flush_pending_frames(sk);
		else if (!(flags & MSG_MORE))
			err = ip_push_pending_frames(sk, fl4);
		if (err == -ENOBUFS && !inet_sk(sk)->recverr)
			err = 0;
	}
	if (rt)
		dst_release(&rt->dst);
	return err;
}

static ssize_t raw_sendmsg(struct sock *sk, struct msghdr *msg, size_t len)
{
	TRACE_FN(&sk->net->probe, 0);
	struct inet_sock *inet = inet_sk(sk);
	struct ipcm_cookie ipc;
	struct iov_iter it;
	struct flowi4 fl4;
	struct rtable *rt;
	uint32_t daddr;
	int err;

	if (len > IP4_MAX_LEN)
		return -EMSGSIZE;
	if (msg->msg_flags & MSG_OOB)
		return -EOPNOTSUPP;
	err = raw_destination(sk, msg, &daddr);
	if (err)
		return err;
	ipcm_init_sk(&ipc, inet);
	err = msg->msg_controllen ? ip_cmsg_send(sk, msg, &ipc) : 0;
	if (err)
		return err;
	if (!ipc.opt && !inet->hdrincl)
		ipc.opt = inet->opt;
	if (ipc.opt && inet->hdrincl)
		return -EINVAL;
	ipc.addr = daddr;
	raw_choose_device(inet, daddr, &ipc);
	fl4 = (struct flowi4){ .daddr = ipc.opt && ipc.opt->opt.srr ? ipc.opt->opt.faddr : daddr, .saddr = ipc.saddr,
			       .oif = ipc.oif, .mark = ipc.mark, .tos = ip_sk_tos(sk, &ipc) & 0x1c,
			       .proto = inet->hdrincl ? IPPROTO_RAW : sk->protocol,
			       .flags = inet->hdrincl ? FLOWI_FLAG_KNOWN_NH : 0,
			       .scope = msg->msg_flags & MSG_DONTROUTE || sock_flag(sk, SOCK_F_DONTROUTE) ? RT_SCOPE_LINK : 0 };
	rt = ip_route_output_flow(sk->net, &fl4, sk, &err);
	if (!rt)
		return err;
	iov_iter_init(&it, msg->msg_iov, msg->msg_iovlen);
	err = raw_send_routed(sk, &it, (uint32_t)len, &fl4, &ipc, rt, (unsigned)msg->msg_flags);
	return err < 0 ? err : (ssize_t)len;
}

/* ---- the rest ---- */

static int raw_bind(struct sock *sk, struct sockaddr *a, socklen_t len)
{
	struct inet_sock *inet = inet_sk(sk);
	const struct sockaddr_in *sin = (const struct sockaddr_in *)(const void *)a;
	uint32_t addr;
	unsigned type;

	if (sk->state != TCP_CLOSE || len < sizeof(*sin))
		return -EINVAL;
	if (sin->sin_family != AF_INET && sin->sin_family != AF_UNSPEC)
		return -EINVAL;
	addr = ntohl(sin->sin_addr.s_addr);
	type = addr ? inet_addr_type(sk->net, addr) : RTN_LOCAL;
	if (type != RTN_LOCAL && type != RTN_MULTICAST && type != RTN_BROADCAST && !inet->freebind &&
	    !sk->net->ipv4->sysctl.ip_nonlocal_bind)
		return -EADDRNOTAVAIL;
	inet->rcv_saddr = inet->saddr = addr;
	if (type == RTN_MULTICAST || type == RTN_BROADCAST)
		inet->saddr = 0;
	if (addr)
		sk->userlocks |= 4;
	sk_dst_reset(sk);
	return 0;
}

static void raw_close(struct sock *sk, uint64_t timeout_ns)
{
	inet_common_release(sk);
}

static void raw_destroy(struct sock *sk)
{
	ip_flush_pending_frames(sk);
}

static int raw_setsockopt(struct sock *sk, int level, int name, const void *val, socklen_t len)
{
	if (level != SOL_RAW_)
		return ip_setsockopt(sk, level, name, val, len);
	if (name != ICMP_FILTER_)
		return -ENOPROTOOPT;
	if (inet_sk(sk)->num != IPPROTO_ICMP)
		return -EOPNOTSUPP;
	memcpy(&raw_sk(sk)->icmp_filter, val, min_sz(len, sizeof(uint32_t)));
	return 0;
}

static int raw_getsockopt(struct sock *sk, int level, int name, void *val, socklen_t *len)
{
	if (level != SOL_RAW_)
		return ip_getsockopt(sk, level, name, val, len);
	if (name != ICMP_FILTER_)
		return -ENOPROTOOPT;
	if (inet_sk(sk)->num != IPPROTO_ICMP)
		return -EOPNOTSUPP;
	*len = (socklen_t)min_sz(*len, sizeof(uint32_t));
	memcpy(val, &raw_sk(sk)->icmp_filter, *len);
	return 0;
}

static int raw_ioctl(struct sock *sk, unsigned long cmd, void *arg)
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

static struct pool *raw_pool(struct net *net)
{
	return &net->ipv4->raw_pool;
}

static const struct proto raw_prot = {
	.name = "RAW",
	.obj_size = sizeof(struct raw_sock),
	.destroy = raw_destroy,
	.close = raw_close,
	.connect = ip4_datagram_connect,
	.disconnect = ip4_datagram_disconnect,
	.ioctl = raw_ioctl,
	.setsockopt = raw_setsockopt,
	.getsockopt = raw_getsockopt,
	.sendmsg = raw_sendmsg,
	.recvmsg = raw_recvmsg,
	.bind = raw_bind,
	.hash = raw_hash,
	.unhash = raw_unhash,
	.pool = raw_pool,
};

static void raw_show(struct net *net, struct strbuf *out)
{
	inet_proc_header(out, 0, false);
	inet_proc_table(out, net->ipv4->raw.ht, RAW_HASH);
}

int raw_init(struct net *net)
{
	struct inet_protosw sw = { .type = SOCK_RAW, .protocol = IPPROTO_IP, .ops = &inet_sockraw_ops, .reuse_any = true, .reuse = true };
	int err;

	pool_init(&net->ipv4->raw_pool, "raw_sock", sizeof(struct raw_sock), 4);
	sw.prot = &raw_prot;
	err = inet_register_protosw(net, &sw);
	return err ? err : proc_create_single(net, "net/raw", raw_show);
}
