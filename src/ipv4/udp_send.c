/* UDP down: from sendmsg to a datagram with its header and checksum (RFC 768, RFC 1122 4.1).
 *
 *     udp_sendmsg -> (route: the socket's if connected) -> ip_make_skb -> udp_send_skb -> ip_send_skb
 *                 \-> MSG_MORE, UDP_CORK: ip_append_data ... udp_push_pending_frames
 *
 * Tests: tests/unit/ipv4/test_udp.c (S0-22, S1-17, S2-01, UDP-04). */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include "core/uio.h"
#include "ipv4/udp.h"

struct udp_dest { /* where one datagram goes */
	uint32_t daddr;
	uint16_t dport;
	bool connected; /* to the socket's peer: its route serves */
};

/* ---- header and checksum ---- */

static void udp_hdr_fill(struct sk_buff *skb, uint16_t sport, uint16_t dport, uint32_t len)
{
	struct udp_hdr *uh = (struct udp_hdr *)(void *)skb_transport_header(skb);

	put_be16(uh->source, sport);
	put_be16(uh->dest, dport);
	put_be16(uh->len, (uint16_t)len);
	put_be16(uh->check, 0);
}

/* The header's checksum over everything; 0 is sent as 0xffff (RFC 768, UDP-04). */
static void udp_set_csum(struct sk_buff *skb, const struct flowi4 *fl4, uint32_t len)
{
	struct udp_hdr *uh = (struct udp_hdr *)(void *)skb_transport_header(skb);
	uint32_t off = (uint32_t)(skb_transport_header(skb) - skb->data), sum;
	uint32_t pseudo = csum_tcpudp_nofold(fl4->saddr, fl4->daddr, len, IPPROTO_UDP, 0);
	uint16_t check;

	if (skb->ip_summed == CHECKSUM_PARTIAL) {
		skb->csum_start = (uint16_t)(skb_transport_header(skb) - skb->head);
		skb->csum_offset = offsetof(struct udp_hdr, check);
		put_be16(uh->check, (uint16_t)~csum_fold(pseudo));
		return;
	}
	if (skb->ip_summed == CHECKSUM_COMPLETE) /* the payload was summed while it was copied */
		sum = csum_header(uh, UDP_HLEN, csum_add(skb->csum, pseudo));
	else
		sum = skb_checksum(skb, off, skb->len - off, pseudo);
	check = csum_fold(sum);
	put_be16(uh->check, check ? check : 0xffff);
	skb->ip_summed = CHECKSUM_NONE;
}

/* A train: one buffer, many datagrams (UDP_SEGMENT). 0 or -errno. */
static int udp_make_train(struct sk_buff *skb, const struct sock *sk, uint16_t gso_size, uint32_t datalen, uint32_t mtu)
{
	if (IP4_HLEN + UDP_HLEN + (uint32_t)gso_size > mtu || datalen > (uint32_t)gso_size * UDP_MAX_SEGMENTS ||
	    sock_flag(sk, SOCK_F_NO_CHECK_TX) || skb->data_len)
		return -EINVAL;
	if (datalen <= gso_size)
		return 0;
	skb_shinfo(skb)->gso_size = gso_size;
	skb_shinfo(skb)->gso_type = SKB_GSO_UDP_L4;
	skb_shinfo(skb)->gso_segs = (uint16_t)((datalen + gso_size - 1) / gso_size);
	skb->ip_summed = CHECKSUM_PARTIAL;
	return 0;
}

static int udp_send_skb(struct sk_buff *skb, struct flowi4 *fl4, uint16_t gso_size)
{
	struct sock *sk = skb->sk;
	struct net *net = sk->net;
	TRACE_FN(&net->probe, skb->serial);
	uint32_t len = skb->len - (uint32_t)(skb_transport_header(skb) - skb->data);
	int err = 0;

	udp_hdr_fill(skb, inet_sk(sk)->sport, fl4->dport, len);
	if (gso_size)
		err = udp_make_train(skb, sk, gso_size, len - UDP_HLEN, dst_mtu(skb_dst(skb)));
	if (err) {
		kfree_skb_reason(skb, DROP_PKT_TOO_BIG);
		return err;
	}
	if (sock_flag(sk, SOCK_F_NO_CHECK_TX))
		skb->ip_summed = CHECKSUM_NONE;
	else
		udp_set_csum(skb, fl4, len);
	sock_hold(sk);
	err = ip_send_skb(net, skb);
	if (err) {
		if (err == -ENOBUFS && !inet_sk(sk)->recverr) {
			UDP_INC(net, SndbufErrors);
			err = 0;
		}
	} else {
		UDP_INC(net, OutDatagrams);
	}
	sock_put(sk);
	return err;
}

/* ---- the datagram under construction ---- */

void udp_flush_pending_frames(struct sock *sk)
{
	struct udp_sock *up = udp_sk(sk);

	if (up->pending_len) {
		up->pending_len = 0;
		ip_flush_pending_frames(sk);
	}
}

int udp_push_pending_frames(struct sock *sk)
{
	TRACE_FN(&sk->net->probe, 0);
	struct udp_sock *up = udp_sk(sk);
	struct flowi4 fl4 = up->cork_fl;
	uint16_t gso = up->inet.cork ? up->inet.cork->gso_size : 0;
	struct sk_buff *skb = ip_finish_skb(sk, &fl4);

	up->pending_len = 0;
	return skb ? udp_send_skb(skb, &fl4, gso) : 0;
}

/* ---- where to ---- */

static int udp_destination(const struct sock *sk, const struct msghdr *msg, struct udp_dest *d)
{
	const struct inet_sock *inet = inet_sk(sk);
	const struct sockaddr_in *sin = msg->msg_name;

	if (!sin) {
		if (sk->state != TCP_ESTABLISHED)
			return -EDESTADDRREQ;
		*d = (struct udp_dest){ inet->daddr, inet->dport, true };
		return 0;
	}
	if (msg->msg_namelen < sizeof(*sin))
		return -EINVAL;
	if (sin->sin_family != AF_INET && sin->sin_family != AF_UNSPEC)
		return -EAFNOSUPPORT;
	*d = (struct udp_dest){ ntohl(sin->sin_addr.s_addr), ntohs(sin->sin_port), false };
	return d->dport ? 0 : -EINVAL;
}

/* Device and source for multicast come from their own options. */
static void udp_choose_device(const struct inet_sock *inet, struct udp_dest *d, struct ipcm_cookie *ipc)
{
	if (ip4_is_multicast(d->daddr)) {
		if (!ipc->oif)
			ipc->oif = inet->mc_index;
		if (!ipc->saddr)
			ipc->saddr = inet->mc_addr;
		d->connected = false;
	} else if (!ipc->oif) {
		ipc->oif = inet->uc_index;
	}
}

/* The route. NULL: *err. Result counted. */
static struct rtable *udp_route(struct sock *sk, const struct udp_dest *d, const struct ipcm_cookie *ipc, struct flowi4 *fl4,
				unsigned flags, int *err)
{
	struct inet_sock *inet = inet_sk(sk);
	uint8_t tos = ip_sk_tos(sk, ipc);
	struct dst_entry *dst = d->connected ? __sk_dst_check(sk, 0) : NULL;
	struct rtable *rt;

	*fl4 = (struct flowi4){ .daddr = ipc->opt && ipc->opt->opt.srr ? ipc->opt->opt.faddr : d->daddr, .saddr = ipc->saddr,
				.oif = ipc->oif, .mark = ipc->mark, .tos = tos & 0x1c, .proto = IPPROTO_UDP,
				.sport = inet->sport, .dport = d->dport,
				.scope = flags & MSG_DONTROUTE || sock_flag(sk, SOCK_F_DONTROUTE) ? RT_SCOPE_LINK : 0 };
	if (dst) {
		sk->net->mib.rt_dst_hits++;
		TRACE(&sk->net->probe, TR_ROUTE, 0, "dst cache hit");
		fl4->saddr = inet->saddr;
		return (struct rtable *)(void *)dst_hold(dst);
	}
	rt = ip_route_output_flow(sk->net, fl4, sk, err);
	if (!rt) {
		if (*err == -ENETUNREACH)
			IP_INC(sk->net, OutNoRoutes);
		return NULL;
	}
	if ((rt->flags & RTCF_BROADCAST_) && !sock_flag(sk, SOCK_F_BROADCAST)) {
		dst_release(&rt->dst);
		*err = -EACCES;
		return NULL;
	}
	if (d->connected)
		sk_dst_set(sk, dst_hold(&rt->dst));
	return rt;
}

static void udp_confirm(const struct rtable *rt, uint32_t daddr)
{
	struct neighbour *n = rt->dst.ops->neigh_lookup(&rt->dst, daddr);

	if (n)
		neigh_confirm(n);
}

/* ---- sending ---- */

/* One more piece of the datagram that is under construction; the last one sends it. */
static int udp_append(struct sock *sk, struct iov_iter *it, uint32_t ulen, struct ipcm_cookie *ipc, struct rtable **rt,
		      unsigned flags, bool more)
{
	struct udp_sock *up = udp_sk(sk);
	int err;

	up->pending_len += ulen;
	err = ip_append_data(sk, &up->cork_fl, ip_generic_getfrag, it, ulen, UDP_HLEN, ipc, rt, more ? flags | MSG_MORE : flags);
	if (err)
		udp_flush_pending_frames(sk);
	else if (!more)
		err = udp_push_pending_frames(sk);
	else if (skb_queue_empty(&sk->write_queue))
		up->pending_len = 0;
	return err;
}

static ssize_t udp_sendmsg_one(struct sock *sk, struct msghdr *msg, struct iov_iter *it, uint32_t len, bool more)
{
	struct inet_sock *inet = inet_sk(sk);
	struct ipcm_cookie ipc;
	struct udp_dest d;
	struct flowi4 fl4;
	struct rtable *rt;
	struct sk_buff *skb;
	unsigned flags = (unsigned)msg->msg_flags;
	int err = udp_destination(sk, msg, &d);

	if (err)
		return err;
	ipcm_init_sk(&ipc, inet);
	ipc.gso_size = udp_sk(sk)->gso_size;
	if (msg->msg_controllen) {
		err = ip_cmsg_send(sk, msg, &ipc);
		if (err)
			return err;
		d.connected = false;
	}
	if (!ipc.opt)
		ipc.opt = inet->opt;
	if (ipc.opt && ipc.opt->opt.srr)
		d.connected = false;
	udp_choose_device(inet, &d, &ipc);
	rt = udp_route(sk, &d, &ipc, &fl4, flags, &err);
	if (!rt)
		return err;
	if (flags & MSG_CONFIRM)
		udp_confirm(rt, fl4.daddr);
	ipc.addr = d.daddr ? d.daddr : fl4.daddr;
	if (more) {
		udp_sk(sk)->cork_fl = fl4;
		err = udp_append(sk, it, len + UDP_HLEN, &ipc, &rt, flags, true);
	} else {
		skb = ip_make_skb(sk, &fl4, ip_generic_getfrag, it, len + UDP_HLEN, UDP_HLEN, &ipc, &rt, flags, &err);
		if (skb)
			err = udp_send_skb(skb, &fl4, ipc.gso_size);
	}
	if (rt)
		dst_release(&rt->dst);
	if (err == -ENOBUFS)
		UDP_INC(sk->net, SndbufErrors);
	return err;
}

ssize_t udp_sendmsg(struct sock *sk, struct msghdr *msg, size_t len)
{
	TRACE_FN(&sk->net->probe, 0);
	struct udp_sock *up = udp_sk(sk);
	bool more = up->corkflag || (msg->msg_flags & MSG_MORE);
	struct iov_iter it;
	bool zc = false;
	ssize_t err;

	if (len > IP4_MAX_LEN)
		return -EMSGSIZE;
	if (msg->msg_flags & MSG_OOB)
		return -EOPNOTSUPP;
	/* An error that ICMP brought is told once (RFC 1122 4.1.3.3), and a socket that is shut says so: both where memory is asked for, so
	 * that what is wrong with the address or the route is said before them. */
	if ((msg->msg_flags & MSG_ZEROCOPY) && len && sock_flag(sk, SOCK_F_ZEROCOPY))
		zc = true;
	iov_iter_init(&it, msg->msg_iov, msg->msg_iovlen);
	if (up->pending_len) {
		struct ipcm_cookie ipc;
		struct rtable *rt = NULL;

		ipcm_init_sk(&ipc, &up->inet);
		err = udp_append(sk, &it, (uint32_t)len, &ipc, &rt, (unsigned)msg->msg_flags, more);
	} else {
		err = udp_sendmsg_one(sk, msg, &it, (uint32_t)len, more);
	}
	if (unlikely(zc) && !err) { /* it was copied: the program has its memory back already */
		uint32_t key = sock_rare(sk)->zckey++;

		sock_zerocopy_done(sk, key, key, true);
	}
	return err ? err : (ssize_t)len;
}
