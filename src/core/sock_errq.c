/* The error queue (recvmsg with MSG_ERRQUEUE): what became of what a program sent.
 *
 *     ICMP errors and local ones (IP_RECVERR)        SO_EE_ORIGIN_ICMP, _LOCAL      the quoted payload
 *     when a packet was queued, sent, acknowledged   SO_EE_ORIGIN_TIMESTAMPING      the packet, or nothing (OPT_TSONLY)
 *     which MSG_ZEROCOPY calls are done              SO_EE_ORIGIN_ZEROCOPY          first and last call in ee_info, ee_data
 *
 * Called by protocols, by dev_tx.c on a packet's way out, and by their recvmsg. Here send() copies always, so a zero-copy
 * notice says so (SO_EE_CODE_ZEROCOPY_COPIED), as Linux does on lo. Tests: tests/unit/core/test_sock.c,
 * tests/unit/ipv4/test_errqueue.c, tests/unit/tcp/test_tcp_errqueue.c. */
#include <errno.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <string.h>
#include "core/sock.h"

int sock_queue_err_skb(struct sock *sk, struct sk_buff *skb)
{
	if (sk->rmem_alloc + (int64_t)skb->truesize >= sk->rcvbuf)
		return -ENOMEM;
	skb_set_owner_r(skb, sk);
	skb_dst_drop(skb);
	skb->dev = NULL;
	skb->pkt_type = PACKET_OUTGOING_; /* about something sent: see sock_recv_timestamp */
	skb_queue_tail(&sk->error_queue, skb);
	if (!sock_flag(sk, SOCK_F_DEAD))
		sk->error_report(sk);
	return 0;
}

static bool err_is_icmp(const struct sock_exterr_skb *e)
{
	return e->ee.ee_origin == SO_EE_ORIGIN_ICMP || e->ee.ee_origin == SO_EE_ORIGIN_ICMP6;
}

/* The socket's error follows the queue: taking the last ICMP error clears it, another one behind shows. */
struct sk_buff *sock_dequeue_err_skb(struct sock *sk)
{
	struct sk_buff *skb = skb_dequeue(&sk->error_queue), *next;
	bool icmp_next;

	if (!skb)
		return NULL;
	next = skb_peek(&sk->error_queue);
	icmp_next = next && err_is_icmp(skb_ext_err(next));
	if (icmp_next)
		sk->err = (int)skb_ext_err(next)->ee.ee_errno;
	else if (err_is_icmp(skb_ext_err(skb)))
		sk->err = 0;
	if (next)
		sk->error_report(sk);
	return skb;
}

/* ---- SO_TIMESTAMPING ---- */

/* A stream's key counts bytes from where SOF_TIMESTAMPING_OPT_ID was switched on. */
static uint32_t tstamp_key(const struct sock *sk, uint32_t key)
{
	return sk->protocol == IPPROTO_TCP && sk->type == SOCK_STREAM ? key - sk->tskey : key;
}

void sock_tx_timestamp(struct sock *sk, const struct sk_buff *orig, int tstype, uint32_t key)
{
	bool only = (sk->tsflags & SOF_TIMESTAMPING_OPT_TSONLY) != 0;
	struct sock_exterr_skb *e;
	struct sk_buff *skb = NULL;

	if (only && (sk->tsflags & SOF_TIMESTAMPING_OPT_STATS) && sk->prot->tstamp_stats)
		skb = sk->prot->tstamp_stats(sk);
	if (!skb)
		skb = only || !orig ? alloc_skb(sk->net, 0) : skb_copy_expand(orig, 0, 0);
	if (!skb)
		return;
	skb_orphan(skb);
	e = skb_ext_err(skb);
	memset(e, 0, sizeof(*e));
	e->ee.ee_errno = ENOMSG;
	e->ee.ee_origin = SO_EE_ORIGIN_TIMESTAMPING;
	e->ee.ee_info = (uint32_t)tstype;
	e->opt_stats = only && skb->len != 0;
	if (sk->tsflags & SOF_TIMESTAMPING_OPT_ID)
		e->ee.ee_data = tstamp_key(sk, key);
	skb->tstamp_ns = sk->net->now_ns;
	if (sock_queue_err_skb(sk, skb))
		kfree_skb_reason(skb, DROP_SOCKET_RCVBUFF);
}

void skb_tstamp_tx_(struct sk_buff *skb, int tstype)
{
	if (skb->sk)
		sock_tx_timestamp(skb->sk, skb, tstype, skb_shinfo(skb)->tskey);
}

uint8_t sock_tx_flags(uint32_t tsflags)
{
	return (uint8_t)((tsflags & SOF_TIMESTAMPING_TX_SOFTWARE ? SKBTX_SW_TSTAMP : 0) |
			 (tsflags & SOF_TIMESTAMPING_TX_SCHED ? SKBTX_SCHED_TSTAMP : 0));
}

void sock_skb_tx_timestamp(struct sock *sk, struct sk_buff *skb, uint32_t tsflags)
{
	struct skb_shared *sh = skb_shinfo(skb);

	sh->tx_flags = sock_tx_flags(tsflags) & 7u;
	if ((tsflags & SOF_TIMESTAMPING_TX_RECORD_MASK) && (sk->tsflags & SOF_TIMESTAMPING_OPT_ID))
		sh->tskey = sk->tskey++;
}

/* ---- what a sendmsg says beside its data ---- */

int sock_cmsg_one(struct sock *sk, const struct cmsghdr *c, struct sockcm_cookie *out)
{
	switch (c->cmsg_type) {
	case SO_MARK:
	case SO_PRIORITY:
		if (c->cmsg_len != CMSG_LEN(sizeof(uint32_t)))
			return -EINVAL;
		memcpy(c->cmsg_type == SO_MARK ? &out->mark : &out->priority, CMSG_DATA(c), sizeof(uint32_t));
		return 0;
	case SO_TIMESTAMPING: {
		uint32_t flags;

		if (c->cmsg_len != CMSG_LEN(sizeof(flags)))
			return -EINVAL;
		memcpy(&flags, CMSG_DATA(c), sizeof(flags));
		if (flags & ~(uint32_t)SOF_TIMESTAMPING_TX_RECORD_MASK)
			return -EINVAL;
		out->tsflags = (out->tsflags & ~(uint32_t)SOF_TIMESTAMPING_TX_RECORD_MASK) | flags;
		return 0;
	}
	case SCM_TXTIME:
		if (!sock_flag(sk, SOCK_F_TXTIME) || c->cmsg_len != CMSG_LEN(sizeof(uint64_t)))
			return -EINVAL;
		memcpy(&out->transmit_time, CMSG_DATA(c), sizeof(uint64_t));
		return 0;
	case SCM_RIGHTS:
	case SCM_CREDENTIALS: /* of UNIX sockets: passed over */
		return 0;
	default:
		return -EINVAL;
	}
}

int sock_cmsg_send(struct sock *sk, struct msghdr *msg, struct sockcm_cookie *out)
{
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		int err;

		if (c->cmsg_len < sizeof(*c) || c->cmsg_len > (size_t)((char *)msg->msg_control + msg->msg_controllen - (char *)c))
			return -EINVAL;
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		err = sock_cmsg_one(sk, c, out);
		if (err)
			return err;
	}
	return 0;
}

/* ---- MSG_ZEROCOPY ---- */

/* A notice that continues the last one on the queue is made part of it. */
void sock_zerocopy_done(struct sock *sk, uint32_t lo, uint32_t hi, bool copied)
{
	uint8_t code = copied ? SO_EE_CODE_ZEROCOPY_COPIED : 0;
	struct sk_buff *skb = skb_peek_tail(&sk->error_queue);
	struct sock_exterr_skb *e = skb ? skb_ext_err(skb) : NULL;

	if (e && e->ee.ee_origin == SO_EE_ORIGIN_ZEROCOPY && e->ee.ee_data + 1 == lo && e->ee.ee_code == code) {
		e->ee.ee_data = hi;
	} else {
		skb = alloc_skb(sk->net, 0);
		if (!skb)
			return;
		e = skb_ext_err(skb);
		memset(e, 0, sizeof(*e));
		e->ee.ee_origin = SO_EE_ORIGIN_ZEROCOPY;
		e->ee.ee_code = code;
		e->ee.ee_info = lo;
		e->ee.ee_data = hi;
		skb->pkt_type = PACKET_OUTGOING_;
		skb_queue_tail(&sk->error_queue, skb); /* whatever the buffer holds: the program needs its memory back */
	}
	if (!sock_flag(sk, SOCK_F_DEAD))
		sk->error_report(sk);
}
