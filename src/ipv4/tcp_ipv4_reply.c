/* Segments without a socket: resets (RFC 9293 3.10.7.1), ACKs of TIME-WAIT and of requests; and ICMP errors about ours.
 *
 * Called by tcp_ipv4.c and icmp. Resets have TTL and window as Linux gives them; a RST is never answered.
 * ICMP: RFC 5927 - the quoted sequence number must be in flight; what is hard ends only an unsynchronised connection.
 * Tests: tests/unit/tcp. */
#include <errno.h>
#include <netinet/in.h>
#include "ipv4/ip.h"
#include "ipv4/tcp_ipv4.h"
#include "tcp/tcp_auth.h"
#include "tcp/inet_hashtables.h"

struct reply {
	uint8_t b[TCP_HLEN + 40];
	uint32_t len;
};

static void reply_start(struct reply *r, const struct sk_buff *skb, uint32_t seq, uint32_t ack, uint8_t flags, uint16_t win)
{
	const struct tcp_hdr *in = tcp_hdr(skb);
	struct tcp_hdr *th = (struct tcp_hdr *)(void *)r->b;

	memset(r, 0, sizeof(*r));
	memcpy(th->source, in->dest, 2);
	memcpy(th->dest, in->source, 2);
	put_be32(th->seq, seq);
	put_be32(th->ack_seq, ack);
	th->flags = flags;
	put_be16(th->window, win);
	r->len = TCP_HLEN;
}

static void reply_ts(struct reply *r, uint32_t tsval, uint32_t tsecr)
{
	put_be32(r->b + r->len, 0x0101080au);
	put_be32(r->b + r->len + 4, tsval);
	put_be32(r->b + r->len + 8, tsecr);
	r->len += 12;
}

/* Signed with key (NULL: not). */
static void reply_send(struct reply *r, struct sk_buff *skb, uint8_t tos, const struct tcp_key *key)
{
	const struct ip4_hdr *iph = ip_hdr(skb);
	uint32_t room = tcp_key_room(key), at = r->len;

	r->len += room;
	((struct tcp_hdr *)(void *)r->b)->off_res = (uint8_t)(r->len << 2);
	if (unlikely(room))
		tcp_key_sign(key, tcp_option_auth(r->b + at, key), ip4_daddr(iph), ip4_saddr(iph), r->b, r->len, NULL, 0);
	TCP_INC(skb->net, OutSegs);
	ip_send_unicast_reply(skb->net, skb, ip4_saddr(iph), ip4_daddr(iph), r->b, r->len, IPPROTO_TCP, tos,
			      offsetof(struct tcp_hdr, check));
}

void tcp_v4_send_reset(struct sock *sk, struct sk_buff *skb)
{
	const struct tcp_skb_cb *tcb = TCP_SKB_CB(skb);
	const struct rtable *rt = skb_rtable(skb);
	struct tcp_key key;
	struct reply r;
	TRACE_FN(&skb->net->probe, skb->serial);

	if (tcb->tcp_flags & TCP_RST)
		return;
	if (!sk && rt && rt->type != 2 /* RTN_LOCAL */)
		return;
	if (!tcp_key_reset(sk, skb, ip4_saddr(ip_hdr(skb)), ip4_daddr(ip_hdr(skb)), &key))
		return;
	if (tcb->tcp_flags & TCP_ACK)
		reply_start(&r, skb, tcb->ack_seq, 0, TCP_RST, 0);
	else
		reply_start(&r, skb, 0, tcb->end_seq, TCP_RST | TCP_ACK, 0);
	TCP_INC(skb->net, OutRsts);
	reply_send(&r, skb, ip_hdr(skb)->tos & 0xfc, &key); /* the segment's own type of service */
}

void tcp_v4_timewait_ack(struct tcp_timewait_sock *tw, struct sk_buff *skb, uint8_t tos)
{
	struct tcp_key key;
	struct reply r;
	TRACE_FN(&tw->net->probe, skb->serial);

	tcp_key_tw(tw, &key);
	reply_start(&r, skb, tw->snd_nxt, tw->rcv_nxt, TCP_ACK, (uint16_t)min_u32(tw->rcv_wnd >> tw->rcv_wscale, 65535));
	if (tw->tstamp_ok)
		reply_ts(&r, net_now_ms(tw->net) + tw->ts_offset, tw->ts_recent);
	reply_send(&r, skb, tos, &key);
}

void tcp_v4_reqsk_send_ack(struct sock *lsk, struct sk_buff *skb, struct request_sock *req)
{
	const struct tcp_request_sock *t = tcp_rsk(req);
	struct tcp_key key;
	struct reply r;
	TRACE_FN(&req->net->probe, skb->serial);

	if (!tcp_key_req(lsk, req, &key))
		return;
	reply_start(&r, skb, t->snt_isn + 1, t->rcv_nxt, TCP_ACK, (uint16_t)min_u32(t->rcv_wnd >> t->rcv_wscale, 65535));
	if (t->tstamp_ok)
		reply_ts(&r, net_now_ms(req->net) + t->ts_off, req->ts_recent);
	reply_send(&r, skb, inet_sk(lsk)->tos & 0xfc, &key);
}

/* ---- ICMP ---- */
/* An embryo whose SYN-ACK cannot arrive is given up at once (RFC 5461 4.1): somebody else may have its place. */
static void err_request(struct request_sock *req, const struct icmp_hdr *icmp, uint32_t seq)
{
	bool hopeless = icmp->type == ICMP_PARAMETERPROB || icmp->type == ICMP_TIME_EXCEEDED ||
			(icmp->type == ICMP_DEST_UNREACH && (icmp->code == ICMP_NET_UNREACH || icmp->code == ICMP_HOST_UNREACH));

	if (seq != tcp_rsk(req)->snt_isn) {
		TCPEXT_INC(req->net, OutOfWindowIcmps);
	} else if (hopeless) {
		TCPEXT_INC(req->net, ListenDrops);
		inet_csk_reqsk_queue_drop(req);
	}
}

/* Fragmentation needed (RFC 1191). A lie below the minimum is refused by the route (RFC 5927 7). */
static void err_frag_needed(struct sock *sk, struct sk_buff *skb, uint32_t info)
{
	if (sk->state == TCP_LISTEN || !sk->dst_cache)
		return;
	/* Nothing new. The same again still says that the smallest segment does not fit: the route's MTU is locked then, and IP may
	 * cut it (no DF). */
	if (info > inet_csk(sk)->pmtu_cookie)
		return;
	/* The route learns of it whatever IP_MTU_DISCOVER says; what is under way is sent again only where that wants it. */
	ipv4_update_pmtu(skb, sk->net, info, sk->bound_dev_if, sk->protocol);
	if (!sk->dst_cache->ops->check(sk->dst_cache, 0))
		sk_dst_reset(sk);
	if (inet_csk(sk)->af_ops->rebuild_header(sk) || !sk->dst_cache)
		return;
	if (inet_sk(sk)->pmtudisc != IP_PMTUDISC_DONT && ip_sk_accept_pmtu(sk) && dst_mtu(sk->dst_cache) < inet_csk(sk)->pmtu_cookie)
		tcp_mtu_reduced(sk, dst_mtu(sk->dst_cache));
}

static void err_sock(struct sock *sk, struct sk_buff *skb, const struct icmp_hdr *icmp, uint32_t seq, uint32_t info)
{
	struct tcp_sock *tp = tcp_sk(sk);
	int err;

	if (unlikely(tcp_auth_ignores_icmp(sk, icmp->type, icmp->code)) || sk->state == TCP_CLOSE)
		return;
	if (sk->state != TCP_LISTEN && !between(seq, tp->fastopen_child ? tp->rare->fo_iss : tp->snd_una, tp->snd_nxt)) {
		TCPEXT_INC(sk->net, OutOfWindowIcmps);
		return;
	}
	switch (icmp->type) {
	case ICMP_SOURCE_QUENCH: /* RFC 6633, MUST-55 */
	case ICMP_REDIRECT:
		return;
	case ICMP_PARAMETERPROB:
		err = EPROTO;
		break;
	case ICMP_DEST_UNREACH:
		if (icmp->code > NR_ICMP_UNREACH)
			return;
		if (icmp->code == ICMP_FRAG_NEEDED) {
			err_frag_needed(sk, skb, info);
			return;
		}
		err = icmp_err_convert[icmp->code].err;
		if (icmp->code == ICMP_NET_UNREACH || icmp->code == ICMP_HOST_UNREACH)
			tcp_ld_RTO_revert(sk, seq);
		break;
	case ICMP_TIME_EXCEEDED:
		err = EHOSTUNREACH;
		break;
	default:
		return;
	}
	/* of a Fast Open child that its program has already it says as little as of any connection */
	if (sk->state == TCP_SYN_SENT || (sk->state == TCP_SYN_RECV && !(tp->fastopen_child && sk->socket))) {
		/* Linux asks here for no IP_RECVERR: the error waits on the queue too */
		ip_icmp_error(sk, skb, err, inet_sk(sk)->dport, info, skb->data + ip4_hlen((const struct ip4_hdr *)(const void *)skb->data));
		tcp_icmp_hard_error(sk, err);
		return;
	}
	if (inet_sk(sk)->recverr) {
		sk->err = err;
		sk->error_report(sk);
	} else {
		tcp_icmp_soft_error(sk, err);
	}
}

int tcp_v4_err(struct sk_buff *skb, uint32_t info)
{
	struct net *net = skb->net;
	const struct ip4_hdr *iph = (const struct ip4_hdr *)(const void *)skb->data;
	const struct icmp_hdr *icmp = (const struct icmp_hdr *)(const void *)skb_transport_header(skb);
	const struct tcp_hdr *th;
	struct tcp_ehash_node *n;
	struct sock *sk;
	uint32_t seq;
	TRACE_FN(&net->probe, skb->serial);

	if (!skb_may_pull(skb, IP4_HLEN) || !skb_may_pull(skb, ip4_hlen(iph) + 8))
		return 0;
	iph = (const struct ip4_hdr *)(const void *)skb->data;
	th = (const struct tcp_hdr *)(const void *)(skb->data + ip4_hlen(iph));
	seq = get_be32(th->seq);
	/* what we sent: the quoted source is ours */
	n = __inet_lookup_established(net, ip4_daddr(iph), get_be16(th->dest), ip4_saddr(iph), get_be16(th->source));
	if (!n) {
		ICMP_INC(net, InErrors);
		return -ENOENT;
	}
	if (n->kind == TCP_EH_REQ) { /* which may be gone after it */
		err_request(container_of(n, struct request_sock, eh), icmp, seq);
		return 0;
	}
	if (n->kind != TCP_EH_SOCK)
		return 0;
	sk = &container_of(n, struct inet_connection_sock, eh)->inet.sk;
	local_bh_disable(net);
	sock_hold(sk);
	err_sock(sk, skb, icmp, seq, info);
	sock_put(sk);
	local_bh_enable(net);
	return 0;
}
