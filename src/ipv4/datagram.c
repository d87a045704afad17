/* connect(2) for datagram sockets: no packet goes, but route, source and peer are decided (ip(7), RFC 1122 4.1.3.5). And what
 * recvmsg is to raw and ping sockets.
 *
 * Called by inet_dgram_connect for UDP, raw and ping. Tests: tests/unit/ipv4/test_udp.c (S0-16, S0-22). */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include "core/uio.h"
#include "ipv4/ip_cmsg.h"
#include "ipv4/udp.h"

int ip4_datagram_connect(struct sock *sk, struct sockaddr *a, socklen_t len)
{
	struct inet_sock *inet = inet_sk(sk);
	const struct sockaddr_in *sin = (const struct sockaddr_in *)(const void *)a;
	uint32_t daddr, saddr = inet->saddr;
	int oif = sk->bound_dev_if, err;
	struct flowi4 fl4;
	struct rtable *rt;

	if (len < sizeof(*sin))
		return -EINVAL;
	if (sin->sin_family != AF_INET)
		return -EAFNOSUPPORT;
	sk_dst_reset(sk);
	daddr = ntohl(sin->sin_addr.s_addr);
	if (ip4_is_multicast(daddr)) {
		if (!oif)
			oif = inet->mc_index;
		if (!saddr)
			saddr = inet->mc_addr;
	} else if (!oif) {
		oif = inet->uc_index;
	}
	rt = ip_route_output_ports(sk->net, &fl4, sk, daddr, saddr, ntohs(sin->sin_port), inet->sport, sk->protocol, inet->tos, oif,
				   &err);
	if (!rt) {
		if (err == -ENETUNREACH)
			IP_INC(sk->net, OutNoRoutes);
		return err;
	}
	if ((rt->flags & RTCF_BROADCAST_) && !sock_flag(sk, SOCK_F_BROADCAST)) {
		dst_release(&rt->dst);
		return -EACCES;
	}
	if (!inet->saddr)
		inet->saddr = fl4.saddr;
	if (!inet->rcv_saddr)
		inet->rcv_saddr = fl4.saddr;
	inet->daddr = fl4.daddr;
	inet->dport = ntohs(sin->sin_port);
	sk->state = TCP_ESTABLISHED;
	inet->inet_id = (uint16_t)rng_below(&sk->net->ipv4->rng_port, 65536);
	sk_dst_set(sk, &rt->dst);
	if (sk->prot->rehash)
		sk->prot->rehash(sk);
	return 0;
}

int ip4_datagram_disconnect(struct sock *sk, int flags)
{
	struct inet_sock *inet = inet_sk(sk);

	sk->state = TCP_CLOSE;
	inet->daddr = 0;
	inet->dport = 0;
	sk->bound_dev_if = 0;
	if (!(sk->userlocks & 4)) /* an address that only connect chose goes */
		inet->rcv_saddr = inet->saddr = 0;
	if (sk->prot->rehash)
		sk->prot->rehash(sk);
	/* A port that only connect chose goes too. */
	if (!(sk->userlocks & 8) && sk->type == SOCK_DGRAM && sk->prot->unhash) {
		sk->prot->unhash(sk);
		inet->sport = inet->num = 0;
	}
	sk_dst_reset(sk);
	return 0;
}

ssize_t ip_datagram_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags, socklen_t *addr_len)
{
	struct iov_iter to;
	struct sk_buff *skb;
	uint32_t copied, ulen;
	int err;

	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (flags & MSG_ERRQUEUE)
		return ip_recv_error(sk, msg, len, addr_len);
	skb = skb_recv_datagram(sk, flags, &err);
	if (!skb)
		return err;
	ulen = skb->len;
	copied = (uint32_t)min_sz(len, ulen);
	if (copied < ulen)
		msg->msg_flags |= MSG_TRUNC;
	iov_iter_init(&to, msg->msg_iov, msg->msg_iovlen);
	if (skb_copy_datagram_iter(skb, 0, &to, copied)) {
		kfree_skb_reason(skb, DROP_SOCKET_CLOSE);
		return -EFAULT;
	}
	sock_recv_timestamp(msg, sk, skb);
	if (msg->msg_name) {
		struct sockaddr_in sin = { .sin_family = AF_INET };

		sin.sin_addr.s_addr = htonl(ip4_saddr(ip_hdr(skb)));
		memcpy(msg->msg_name, &sin, sizeof(sin));
		*addr_len = sizeof(sin);
	}
	if (inet_sk(sk)->cmsg_flags)
		ip_cmsg_recv(msg, sk, skb);
	consume_skb(skb);
	return flags & MSG_TRUNC ? (ssize_t)ulen : (ssize_t)copied;
}
