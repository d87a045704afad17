/* What travels beside the data: control messages down and up, and the error queue (ip(7), RFC 1122 4.1.3, 4.1.4).
 *
 * While a received packet waits in a socket its route and device are gone; what the messages need of them is kept
 * in IPCB (iif; opt_daddr holds the address that answers should come from: ipv4_pktinfo_prepare).
 * Called by udp, raw, ping. Tests: tests/unit/ipv4/test_sockopt.c. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include "core/uio.h"
#include "ipv4/af_inet6.h"
#include "ipv4/ip_cmsg.h"
#include "ipv4/netns_ipv4.h"

/* ---- down ---- */

static int cmsg_int(const struct cmsghdr *c, int *v)
{
	if (c->cmsg_len >= CMSG_LEN(sizeof(int)))
		memcpy(v, CMSG_DATA(c), sizeof(int));
	else if (c->cmsg_len == CMSG_LEN(1))
		*v = *CMSG_DATA(c);
	else
		return -EINVAL;
	return 0;
}

static int cmsg_pktinfo(const struct cmsghdr *c, struct ipcm_cookie *ipc)
{
	struct in_pktinfo info;

	if (c->cmsg_len != CMSG_LEN(sizeof(info)))
		return -EINVAL;
	memcpy(&info, CMSG_DATA(c), sizeof(info));
	if (info.ipi_ifindex)
		ipc->oif = info.ipi_ifindex;
	ipc->saddr = ntohl(info.ipi_spec_dst.s_addr);
	return 0;
}

static int cmsg_retopts(const struct cmsghdr *c, struct ipcm_cookie *ipc)
{
	struct ip_options_rcu *opt = NULL;
	size_t n = c->cmsg_len - CMSG_LEN(0);
	int err = ip_options_get(&opt, CMSG_DATA(c), (uint32_t)min_sz(n, 40));

	if (err)
		return err;
	if (opt) {
		ipc->opt_store = *opt;
		ipc->opt = &ipc->opt_store;
		free(opt);
	}
	return 0;
}

static int cmsg_ip(const struct cmsghdr *c, struct ipcm_cookie *ipc)
{
	int v, err;

	switch (c->cmsg_type) {
	case IP_RETOPTS:
		return cmsg_retopts(c, ipc);
	case IP_PKTINFO:
		return cmsg_pktinfo(c, ipc);
	case IP_TTL:
		err = cmsg_int(c, &v);
		if (err || v < 1 || v > 255)
			return -EINVAL;
		ipc->ttl = (uint8_t)v;
		return 0;
	case IP_TOS:
		err = cmsg_int(c, &v);
		if (err || v < 0 || v > 255)
			return -EINVAL;
		ipc->tos = (int16_t)v;
		return 0;
	default:
		return -EINVAL;
	}
}

int ip_cmsg_send(struct sock *sk, struct msghdr *msg, struct ipcm_cookie *ipc)
{
	struct sockcm_cookie cm = { .mark = ipc->mark, .priority = ipc->priority, .tsflags = ipc->tsflags };
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		int err = 0;

		if (c->cmsg_len < sizeof(*c) || c->cmsg_len > (size_t)((char *)msg->msg_control + msg->msg_controllen - (char *)c))
			return -EINVAL;
		if (c->cmsg_level == IPPROTO_IP)
			err = cmsg_ip(c, ipc);
		else if (c->cmsg_level == SOL_SOCKET)
			err = sock_cmsg_one(sk, c, &cm);
		else if (c->cmsg_level == IPPROTO_UDP && sk->protocol == IPPROTO_UDP && c->cmsg_type == 103 /* UDP_SEGMENT */ &&
			 c->cmsg_len == CMSG_LEN(2))
			memcpy(&ipc->gso_size, CMSG_DATA(c), 2);
		if (err)
			return err;
	}
	ipc->mark = cm.mark;
	ipc->priority = cm.priority;
	ipc->tsflags = cm.tsflags;
	ipc->transmit_time = cm.transmit_time;
	return 0;
}

/* ---- up ---- */

/* Before the packet goes into a socket's queue: keep what its messages will need, let go of the route. */
void ipv4_pktinfo_prepare(const struct sock *sk, struct sk_buff *skb)
{
	if ((inet_sk(sk)->cmsg_flags & IP_CMSG_PKTINFO) && skb_dst(skb) && skb->dev)
		IPCB(skb)->opt_daddr = fib_compute_spec_dst(skb);
	skb_dst_drop(skb);
}

static void recv_pktinfo(struct msghdr *msg, const struct sk_buff *skb)
{
	struct in_pktinfo info = { .ipi_ifindex = IPCB(skb)->iif };

	info.ipi_spec_dst.s_addr = htonl(IPCB(skb)->opt_daddr);
	info.ipi_addr.s_addr = htonl(ip4_daddr(ip_hdr(skb)));
	put_cmsg(msg, IPPROTO_IP, IP_PKTINFO, sizeof(info), &info);
}

static void recv_opts(struct msghdr *msg, const struct sk_buff *skb)
{
	uint32_t len = ip4_hlen(ip_hdr(skb)) - IP4_HLEN;

	if (len)
		put_cmsg(msg, IPPROTO_IP, IP_RECVOPTS, len, skb_network_header(skb) + IP4_HLEN);
}

static void recv_retopts(struct msghdr *msg, struct sk_buff *skb)
{
	struct ip_options opt;

	if (ip_options_echo(skb->net, &opt, skb)) {
		msg->msg_flags |= MSG_CTRUNC;
		return;
	}
	if (!opt.optlen)
		return;
	ip_options_undo(&opt);
	put_cmsg(msg, IPPROTO_IP, IP_RETOPTS, opt.optlen, opt.data);
}

static void recv_origdst(struct msghdr *msg, const struct sk_buff *skb)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };

	sin.sin_addr.s_addr = htonl(ip4_daddr(ip_hdr(skb)));
	if (skb_transport_header(skb) + 4 <= skb->tail)
		sin.sin_port = htons(get_be16(skb_transport_header(skb) + 2));
	put_cmsg(msg, IPPROTO_IP, IP_ORIGDSTADDR, sizeof(sin), &sin);
}

void ip_cmsg_recv(struct msghdr *msg, struct sock *sk, struct sk_buff *skb)
{
	uint16_t flags = inet_sk(sk)->cmsg_flags;
	uint8_t tos = ip_hdr(skb)->tos;
	int ttl = ip_hdr(skb)->ttl;

	if (flags & IP_CMSG_PKTINFO)
		recv_pktinfo(msg, skb);
	if (flags & IP_CMSG_TTL)
		put_cmsg(msg, IPPROTO_IP, IP_TTL, sizeof(ttl), &ttl);
	if (flags & IP_CMSG_TOS)
		put_cmsg(msg, IPPROTO_IP, IP_TOS, sizeof(tos), &tos);
	if (flags & IP_CMSG_RECVOPTS)
		recv_opts(msg, skb);
	if (flags & IP_CMSG_RETOPTS)
		recv_retopts(msg, skb);
	if (flags & IP_CMSG_ORIGDSTADDR)
		recv_origdst(msg, skb);
	if ((flags & IP_CMSG_RECVFRAGSIZE) && IPCB(skb)->frag_max_size) {
		int size = IPCB(skb)->frag_max_size;

		put_cmsg(msg, IPPROTO_IP, IP_RECVFRAGSIZE, sizeof(size), &size);
	}
}

/* ---- the error queue ---- */

void ip_icmp_error(struct sock *sk, struct sk_buff *skb, int err, uint16_t port, uint32_t info, const uint8_t *payload)
{
	const struct icmp_hdr *h = icmp_hdr_of_quote(skb);
	const struct ip4_hdr *quoted = (const struct ip4_hdr *)(const void *)((const uint8_t *)h + ICMP_HLEN);
	uint32_t offender = ip4_saddr(ip_hdr(skb)), skip = (uint32_t)(payload - skb->data);
	struct sock_exterr_skb *e;
	struct sk_buff *c = skb_clone(skb);

	if (!c)
		return;
	e = skb_ext_err(c);
	memset(e, 0, sizeof(*e));
	e->ee.ee_errno = (uint32_t)err;
	e->ee.ee_origin = SO_EE_ORIGIN_ICMP;
	e->ee.ee_type = h->type;
	e->ee.ee_code = h->code;
	e->ee.ee_info = info;
	e->addr = ip4_daddr(quoted);
	e->offender = offender;
	e->port = port;
	e->has_addr = e->has_offender = true;
	if (skip > skb_headlen(c)) {
		kfree_skb_reason(c, DROP_ICMP_MALFORMED);
		return;
	}
	skb_pull(c, skip);
	if (sock_queue_err_skb(sk, c))
		kfree_skb_reason(c, DROP_SOCKET_RCVBUFF);
}

void ip_local_error(struct sock *sk, int err, uint32_t daddr, uint16_t port, uint32_t info)
{
	struct sock_exterr_skb *e;
	struct sk_buff *skb;

	if (!inet_sk(sk)->recverr)
		return;
	skb = alloc_skb(sk->net, 0);
	if (!skb)
		return;
	e = skb_ext_err(skb);
	memset(e, 0, sizeof(*e));
	e->ee.ee_errno = (uint32_t)err;
	e->ee.ee_origin = SO_EE_ORIGIN_LOCAL;
	e->ee.ee_info = info;
	e->addr = daddr;
	e->port = port;
	e->has_addr = true;
	if (sock_queue_err_skb(sk, skb))
		kfree_skb_reason(skb, DROP_SOCKET_RCVBUFF);
}

static void put_recverr(struct msghdr *msg, const struct sock_exterr_skb *e)
{
	struct {
		struct sock_extended_err ee;
		struct sockaddr_in offender;
	} m = { .ee = e->ee };

	if (e->has_offender) {
		m.offender.sin_family = AF_INET;
		m.offender.sin_addr.s_addr = htonl(e->offender);
	}
	put_cmsg(msg, IPPROTO_IP, IP_RECVERR, sizeof(m), &m);
}

/* An AF_INET6 socket is told in IPv6's manner, of IPv4 too. */
static void put_recverr6(struct msghdr *msg, const struct sock_exterr_skb *e)
{
	struct {
		struct sock_extended_err ee;
		struct sockaddr_in6 offender;
	} m = { .ee = e->ee };
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(e->offender) };

	if (e->has_offender)
		inet6_map(&m.offender, &sin, false);
	put_cmsg(msg, IPPROTO_IPV6, IPV6_RECVERR, sizeof(m), &m);
}

ssize_t ip_recv_error(struct sock *sk, struct msghdr *msg, size_t len, socklen_t *addr_len)
{
	struct sk_buff *skb = sock_dequeue_err_skb(sk);
	const struct sock_exterr_skb *e;
	struct iov_iter to;
	uint32_t copied;

	if (!skb)
		return -EAGAIN;
	e = skb_ext_err(skb);
	iov_iter_init(&to, msg->msg_iov, msg->msg_iovlen);
	copied = (uint32_t)min_sz(len, skb->len);
	if (copied < skb->len)
		msg->msg_flags |= MSG_TRUNC;
	if (skb_copy_datagram_iter(skb, 0, &to, copied)) {
		kfree_skb_reason(skb, DROP_SOCKET_CLOSE);
		return -EFAULT;
	}
	sock_recv_timestamp(msg, sk, skb);
	if (e->opt_stats)
		put_cmsg(msg, SOL_SOCKET, 54 /* SCM_TIMESTAMPING_OPT_STATS */, skb->len, skb->data);
	if (e->has_addr && msg->msg_name) {
		struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(e->port) };

		sin.sin_addr.s_addr = htonl(e->addr);
		memcpy(msg->msg_name, &sin, sizeof(sin));
		*addr_len = sizeof(sin);
	}
	if (inet6_of(sk))
		put_recverr6(msg, e);
	else
		put_recverr(msg, e);
	msg->msg_flags |= MSG_ERRQUEUE;
	consume_skb(skb);
	return (ssize_t)copied;
}
