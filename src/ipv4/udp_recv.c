/* UDP up: from a datagram to the socket it is for, and from the socket to the program (RFC 768, RFC 1122 4.1).
 *
 *     udp_rcv -> (length, checksum) -> udp_lookup -> queue, wake      no socket: port unreachable
 *             \-> broadcast, multicast: a copy for each that listens
 *     udp_err: what ICMP says about a datagram of ours; told once, to connected sockets or by IP_RECVERR
 *
 * Tests: tests/unit/ipv4/test_udp.c (S0-05, S2-13, S3-144, UDP-01 to UDP-09). */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include "core/uio.h"
#include "ipv4/udp.h"

/* ---- checks ---- */

/* Length and checksum, before anybody looks further. 0 or the reason; counts. Trims to the UDP length (UDP-03). */
static enum drop_reason udp_check(struct sk_buff *skb)
{
	struct net *net = skb->net;
	const struct ip4_hdr *ih = ip_hdr(skb);
	const struct udp_hdr *uh;
	uint32_t len, pseudo;

	if (!skb_may_pull(skb, UDP_HLEN))
		return DROP_UDP_BAD_LEN;
	uh = (const struct udp_hdr *)(const void *)skb->data;
	len = get_be16(uh->len);
	if (skb_is_gso(skb)) /* a train that never was on a wire: its length field may be the whole's */
		len = skb->len;
	if (len < UDP_HLEN || len > skb->len)
		return DROP_UDP_BAD_LEN;
	if (len < skb->len)
		skb_trim(skb, len);
	if (!get_be16(uh->dest))
		return DROP_UDP_PORT_ZERO;
	/* RFC 768: no checksum was made. RFC 1122 4.1.3.4: a wrong one is silently discarded. */
	if (!get_be16(uh->check) || skb->ip_summed == CHECKSUM_UNNECESSARY || skb->ip_summed == CHECKSUM_PARTIAL)
		return DROP_NOT_SPECIFIED;
	pseudo = csum_tcpudp_nofold(ip4_saddr(ih), ip4_daddr(ih), len, IPPROTO_UDP, 0);
	if (csum_fold(skb_checksum(skb, 0, len, pseudo))) {
		UDP_INC(net, InCsumErrors);
		return DROP_UDP_CSUM;
	}
	return DROP_NOT_SPECIFIED;
}

/* ---- to one socket ---- */

static void udp_queue_rcv_one_skb(struct sock *sk, struct sk_buff *skb)
{
	struct net *net = sk->net;
	TRACE_FN(&net->probe, skb->serial);
	int err;

	ipv4_pktinfo_prepare(sk, skb);
	skb_pull(skb, UDP_HLEN);
	err = sock_queue_rcv_skb(sk, skb);
	if (!err) {
		UDP_INC(net, InDatagrams);
		return;
	}
	if (err == -ENOMEM)
		UDP_INC(net, RcvbufErrors);
	UDP_INC(net, InErrors);
	kfree_skb_reason(skb, err == -EPERM ? DROP_SOCKET_FILTER : DROP_SOCKET_RCVBUFF);
}

/* A train for a socket that takes datagrams one by one: cut it here. */
static void udp_queue_train(struct sock *sk, struct sk_buff *skb)
{
	struct sk_buff *seg, *next;

	skb_push(skb, (uint32_t)(skb->data - skb_network_header(skb)));
	seg = skb_gso_segment(skb);
	if (!seg) {
		UDP_INC(sk->net, InErrors);
		kfree_skb_reason(skb, DROP_NOMEM);
		return;
	}
	consume_skb(skb);
	for (; seg; seg = next) {
		next = seg->next;
		seg->next = NULL;
		skb_pull(seg, (uint32_t)(skb_transport_header(seg) - seg->data));
		udp_queue_rcv_one_skb(sk, seg);
	}
}

static void udp_queue_rcv_skb(struct sock *sk, struct sk_buff *skb)
{
	if (skb_is_gso(skb) && !udp_sk(sk)->gro)
		udp_queue_train(sk, skb);
	else
		udp_queue_rcv_one_skb(sk, skb);
}

/* ---- to many ---- */

/* Broadcast and multicast: each socket that wants it gets one (RFC 1122 4.1.3.5). */
static int __udp4_lib_mcast_deliver(struct sk_buff *skb, uint32_t saddr, uint16_t sport, uint32_t daddr, uint16_t dport, int dif)
{
	struct net *net = skb->net;
	TRACE_FN(&net->probe, skb->serial);
	struct sock *last = NULL;
	struct udp_sock *up;
	struct hlist_node *tmp;

	hlist_for_each_entry_safe(up, tmp, udp_port_bucket(net, dport), port_node) {
		struct sk_buff *c;

		if (!udp_mcast_match(&up->inet.sk, saddr, sport, daddr, dport, dif))
			continue;
		if (last) {
			c = skb_clone(skb);
			if (c)
				udp_queue_rcv_skb(last, c);
			else
				UDP_INC(net, RcvbufErrors);
		}
		last = &up->inet.sk;
	}
	if (last) {
		udp_queue_rcv_skb(last, skb);
	} else {
		UDP_INC(net, IgnoredMulti);
		consume_skb(skb);
	}
	return 0;
}

/* ---- the door ---- */

int udp_rcv(struct sk_buff *skb)
{
	struct net *net = skb->net;
	TRACE_FN(&net->probe, skb->serial);
	const struct ip4_hdr *ih = ip_hdr(skb);
	const struct rtable *rt = skb_rtable(skb);
	enum drop_reason why = udp_check(skb);
	const struct udp_hdr *uh;
	uint16_t sport, dport;
	struct sock *sk;
	int dif;

	if (why) {
		UDP_INC(net, InErrors);
		goto drop;
	}
	ih = ip_hdr(skb);
	uh = (const struct udp_hdr *)(const void *)skb->data;
	sport = get_be16(uh->source);
	dport = get_be16(uh->dest);
	dif = IPCB(skb)->iif;
	if (rt && (rt->flags & (RTCF_BROADCAST_ | RTCF_MULTICAST_)))
		return __udp4_lib_mcast_deliver(skb, ip4_saddr(ih), sport, ip4_daddr(ih), dport, dif);
	sk = udp_lookup(net, ip4_saddr(ih), sport, ip4_daddr(ih), dport, dif);
	if (sk) {
		udp_queue_rcv_skb(sk, skb);
		return 0;
	}
	/* RFC 1122 4.1.3.1 */
	UDP_INC(net, NoPorts);
	icmp_send(skb, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0);
	why = DROP_NO_SOCKET;
drop:
	kfree_skb_reason(skb, why);
	return 0;
}

/* data: at the quoted IP header, eight octets of UDP behind it are linear. */
int udp_err(struct sk_buff *skb, uint32_t info)
{
	struct net *net = skb->net;
	TRACE_FN(&net->probe, skb->serial);
	const struct ip4_hdr *q = (const struct ip4_hdr *)(const void *)skb->data;
	const struct udp_hdr *uh = (const struct udp_hdr *)(const void *)(skb->data + ip4_hlen(q));
	const struct icmp_hdr *h = icmp_hdr_of_quote(skb);
	struct icmp_verdict v;
	struct sock *sk;

	/* The quoted packet was ours: its source is the socket. */
	sk = udp_lookup(net, ip4_daddr(q), get_be16(uh->dest), ip4_saddr(q), get_be16(uh->source), IPCB(skb)->iif);
	if (!sk) {
		ICMP_INC(net, InErrors);
		return -ENOENT;
	}
	if (h->type == ICMP_DEST_UNREACH && h->code == ICMP_FRAG_NEEDED)
		ipv4_sk_update_pmtu(skb, sk, info);
	v = icmp_err_verdict(sk, skb, info);
	if (!inet_sk(sk)->recverr) {
		if (!v.harderr || sk->state != TCP_ESTABLISHED)
			return 0;
	} else {
		ip_icmp_error(sk, skb, v.err, get_be16(uh->dest), info, (const uint8_t *)(uh + 1));
	}
	sk->err = v.err;
	sk->error_report(sk);
	return 0;
}

/* ---- to the program ---- */

static void put_name(struct msghdr *msg, const struct sk_buff *skb, socklen_t *addr_len)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };

	sin.sin_port = htons(get_be16(skb_transport_header(skb)));
	sin.sin_addr.s_addr = htonl(ip4_saddr(ip_hdr(skb)));
	memcpy(msg->msg_name, &sin, sizeof(sin));
	*addr_len = sizeof(sin);
}

ssize_t udp_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags, socklen_t *addr_len)
{
	TRACE_FN(&sk->net->probe, 0);
	struct iov_iter to;
	struct sk_buff *skb;
	uint32_t copied, ulen, off = 0;
	ssize_t ret;
	int err;

	if (flags & MSG_ERRQUEUE)
		return ip_recv_error(sk, msg, len, addr_len);
	skb = skb_recv_datagram(sk, flags, &err);
	if (!skb)
		return err;
	ulen = skb->len;
	if (unlikely(flags & MSG_PEEK) && (off = sock_peek_offset(sk)) > ulen)
		off = ulen;
	copied = (uint32_t)min_sz(len, ulen - off);
	if (copied < ulen - off)
		msg->msg_flags |= MSG_TRUNC; /* the rest of the datagram is gone (UDP-09) */
	iov_iter_init(&to, msg->msg_iov, msg->msg_iovlen);
	if (skb_copy_datagram_iter(skb, off, &to, copied)) {
		kfree_skb_reason(skb, DROP_SOCKET_CLOSE);
		return -EFAULT;
	}
	sock_recv_timestamp(msg, sk, skb);
	if (msg->msg_name)
		put_name(msg, skb, addr_len);
	if (udp_sk(sk)->gro && skb_is_gso(skb)) {
		int size = skb_shinfo(skb)->gso_size;

		put_cmsg(msg, IPPROTO_UDP, 104 /* UDP_GRO */, sizeof(size), &size);
	}
	if (inet_sk(sk)->cmsg_flags)
		ip_cmsg_recv(msg, sk, skb);
	sock_peeked(sk, flags, flags & MSG_PEEK ? copied : ulen);
	ret = flags & MSG_TRUNC ? (ssize_t)ulen : (ssize_t)copied;
	consume_skb(skb);
	return ret;
}
