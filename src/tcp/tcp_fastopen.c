/* TCP Fast Open (RFC 7413): data in the SYN, for a client that has shown before, by a cookie, that it is where it says.
 *
 *   first time     SYN + empty option ->  <- SYN-ACK + cookie         the client keeps it (tcp_net.fo_cache)
 *   from then on   SYN + cookie + data -> child at once, data to read <- SYN-ACK that acknowledges the data
 *
 * A child that was born so is in SYN-RECEIVED like after a simultaneous open: its SYN-ACK waits in its own retransmit
 * queue, and its program may read and write already. The number of such children is bounded for each listener
 * (TCP_FASTOPEN), because their clients may be forged by who once got a cookie (RFC 7413 5.1).
 * net.ipv4.tcp_fastopen: 1 clients may, 2 servers may, 4 clients without cookie, 0x200 servers without, 0x400 every
 * listener. A connect() of a socket with TCP_FASTOPEN_CONNECT whose cookie is known sends nothing: the first send() does.
 * Called by tcp_sendmsg.c, tcp_xmit.c, tcp_input.c, tcp_syn.c, tcp_sockopt.c (keys: tcp_fastopen_key.c).
 * Not here: black hole detection beyond forgetting the cookie; the experimental option 254.
 * Tests: tests/unit/tcp/test_tcp_fastopen.c. */
#include <linux/rtnetlink.h>
#include "tcp/tcp_info.h"
#include "tcp/tcp_int.h"

#define RTAX_FASTOPEN_NO_COOKIE_ 17 /* ip route ... fastopen_no_cookie */

#define FO_CACHE 64u /* peers whose cookies are kept: a slot each, the last one wins */
struct tcp_fo_entry {
	uint32_t daddr;
	uint16_t mss;
	struct tcp_fo_cookie c;
};

static struct tcp_fo_entry *fo_slot(struct net *net, uint32_t daddr)
{
	return net->tcp->fo_cache ? &net->tcp->fo_cache[hash_words(net->tcp->ehash_key, daddr, 0) % FO_CACHE] : NULL;
}

static void fo_store(struct net *net, uint32_t daddr, uint16_t mss, const struct tcp_fo_cookie *c)
{
	if (!net->tcp->fo_cache)
		net->tcp->fo_cache = xcalloc(FO_CACHE, sizeof(*net->tcp->fo_cache));
	*fo_slot(net, daddr) = (struct tcp_fo_entry){ daddr, mss, *c };
}

void tcp_fastopen_forget(struct sock *sk)
{
	struct tcp_fo_entry *e = fo_slot(sk->net, inet_sk(sk)->daddr);

	if (e && e->daddr == inet_sk(sk)->daddr)
		e->c.len = 0;
}

/* "ip tcp_metrics flush": no peer's cookie is known any more. */
void tcp_fastopen_forget_all(struct net *net)
{
	if (net->tcp->fo_cache)
		memset(net->tcp->fo_cache, 0, FO_CACHE * sizeof(*net->tcp->fo_cache));
}

/* ---- client ---- */
/* The data goes into a segment of its own behind the SYN in the retransmit queue, and out in the SYN itself. */
static struct sk_buff *queue_syn_data(struct sock *sk, struct tcp_fo_request *req, uint32_t len)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb = alloc_skb(sk->net, MAX_TCP_HEADER + len);
	struct tcp_skb_cb *tcb;

	if (!skb)
		return NULL;
	skb_reserve(skb, MAX_TCP_HEADER);
	copy_from_iter(skb_put(skb, len), len, req->from);
	sk->net->skb_mib.user_to_skb_bytes += len;
	tcb = TCP_SKB_CB(skb);
	memset(tcb, 0, sizeof(*tcb));
	tcb->seq = tp->write_seq;
	tcb->end_seq = tp->write_seq + len;
	tcb->tcp_flags = TCP_ACK | TCP_PSH;
	tcb->gso_segs = 1;
	tp->write_seq += len;
	tcp_wmem_charge(sk, skb);
	skb_queue_tail(&tp->fl->rtx_queue, skb);
	list_init(&tcb->tx.tsorted);
	list_add_tail(&tcb->tx.tsorted, &tp->fl->tsorted_sent);
	tp->fl->packets_out++;
	tp->snd_nxt = tp->write_seq;
	req->copied = len;
	return skb;
}

static bool no_cookie(const struct sock *sk, uint32_t flag)
{
	return ((uint32_t)tcp_sysctl(sk)->fastopen & flag) != 0 || (tcp_sk(sk)->rare && tcp_sk(sk)->rare->fo_no_cookie) ||
	       dst_metric(sk->dst_cache, RTAX_FASTOPEN_NO_COOKIE_) != 0;
}

/* May data go with the SYN? *mss: what the peer said last time, or 536. */
static bool cookie_check(struct sock *sk, uint32_t *mss)
{
	const struct tcp_fo_entry *e = fo_slot(sk->net, inet_sk(sk)->daddr);
	struct tcp_rare *r = tcp_rare(sk);

	if (e && e->daddr != inet_sk(sk)->daddr)
		e = NULL;
	*mss = e && e->mss ? e->mss : TCP_MSS_DEFAULT;
	r->fo_option = true;
	r->fo_cookie.len = 0;
	if (no_cookie(sk, TFO_CLIENT_NO_COOKIE)) {
		r->fo_option = false;
		return true;
	}
	if (e && e->c.len) {
		r->fo_cookie = e->c;
		return true;
	}
	r->fo_fail = TFO_COOKIE_UNAVAILABLE_;
	return false;
}

/* connect() with TCP_FASTOPEN_CONNECT: true: nothing is sent before the program gives data. */
bool tcp_fastopen_defer_connect(struct sock *sk)
{
	struct tcp_rare *r = tcp_sk(sk)->rare;
	uint32_t mss;

	if (likely(!r || !r->fo_connect) || r->fo_req)
		return false;
	if (!cookie_check(sk, &mss))
		return false; /* the SYN asks for one */
	inet_sk(sk)->defer_connect = true;
	return true;
}

/* Send the SYN (queued already) with what Fast Open adds. False: send it as it is. */
bool tcp_fastopen_send_syn(struct sock *sk, struct sk_buff *syn)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_fo_request *req = tp->rare ? tp->rare->fo_req : NULL;
	struct sk_buff *data, *both;
	uint32_t len, mss;

	if (!req && !(tp->rare && tp->rare->fo_connect))
		return false;
	tp->rare->fo_asked = true;
	if (!cookie_check(sk, &mss) || !req)
		return false; /* ask for a cookie only */
	len = min_u32(mss, tp->advmss);
	len = (uint32_t)min_sz(req->from->count, len > 40 ? len - 40 : 0); /* room for the SYN's options */
	if (!len || !(data = queue_syn_data(sk, req, len)))
		return false;
	both = alloc_skb(sk->net, MAX_TCP_HEADER + len);
	if (!both)
		return false; /* the data follows when the SYN-ACK does not acknowledge it */
	skb_reserve(both, MAX_TCP_HEADER);
	skb_copy_bits(data, 0, skb_put(both, len), len);
	memcpy(both->cb, syn->cb, sizeof(both->cb));
	tp->syn_data = 1;
	tp->rare->fo_fail = TFO_STATUS_UNSPEC_;
	__tcp_transmit_skb(sk, both, false);
	tcp_update_skb_after_send(sk, syn);
	tcp_update_skb_after_send(sk, data);
	return true;
}

/* The SYN-ACK came: keep its cookie; true: the data of the SYN was not taken and was sent again. */
bool tcp_fastopen_synack(struct sock *sk, const struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_fo_cookie c;
	struct sk_buff *s;

	if (!tp->rare || !tp->rare->fo_asked)
		return false;
	tp->rare->fo_asked = tp->rare->fo_option = false;
	if (tcp_find_fastopen(skb, &c) && c.len)
		fo_store(sk->net, inet_sk(sk)->daddr, tp->rx_opt.mss_clamp, &c);
	if (!tp->syn_data)
		return false;
	if (tcp_rtx_queue_empty(sk)) {
		TCPEXT_INC(sk->net, TCPFastOpenActive);
		tp->syn_data_acked = 1;
		return false;
	}
	TCPEXT_INC(sk->net, TCPFastOpenActiveFail);
	tp->rare->fo_fail = tp->total_retrans ? TFO_SYN_RETRANSMITTED_ : TFO_DATA_NOT_ACKED_;
	skb_queue_walk(&tp->fl->rtx_queue, s) tcp_skb_mark_lost(sk, s);
	tcp_xmit_retransmit_queue(sk);
	return true;
}

/* ---- server ---- */
static void fo_cookie_gen(const uint8_t key[16], uint32_t client, uint32_t server, struct tcp_fo_cookie *c)
{
	uint8_t t[8];
	uint64_t h;

	put_be32(t, client);
	put_be32(t + 4, server);
	h = siphash(key, t, sizeof(t));
	c->len = 8;
	for (unsigned i = 0; i < 8; i++)
		c->val[i] = (uint8_t)(h >> (8 * i));
}

/* The SYN-ACK of a child waits in the child's own queue. */
static bool queue_synack(struct sock *sk, const struct tcp_request_sock *t)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb = alloc_skb(sk->net, MAX_TCP_HEADER);
	struct tcp_skb_cb *tcb;

	if (!skb)
		return false;
	skb_reserve(skb, MAX_TCP_HEADER);
	tcb = TCP_SKB_CB(skb);
	memset(tcb, 0, sizeof(*tcb));
	tcb->seq = t->snt_isn;
	tcb->end_seq = t->snt_isn + 1;
	tcb->tcp_flags = (uint8_t)(TCP_SYN | TCP_ACK | (t->ecn_ok ? TCP_ECE : 0));
	tcb->gso_segs = 1;
	tp->snd_una = tp->snd_up = tp->snd_sml = t->snt_isn;
	tcp_flight(sk)->packets_out = 1;
	tcp_wmem_charge(sk, skb);
	skb_queue_tail(&tp->fl->rtx_queue, skb);
	list_init(&tcb->tx.tsorted);
	list_add_tail(&tcb->tx.tsorted, &tp->fl->tsorted_sent);
	__tcp_transmit_skb(sk, skb, true);
	inet_csk_reset_xmit_timer(sk, ICSK_TIME_RETRANS, TCP_TIMEOUT_INIT_US);
	return true;
}

static void take_syn_data(struct sock *sk, struct sk_buff *syn)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint32_t hlen = tcp_hdrlen(tcp_hdr(syn));
	struct sk_buff *skb = syn->len > hlen ? skb_clone(syn) : NULL;

	if (!skb)
		return;
	memcpy(skb->cb, syn->cb, sizeof(skb->cb));
	TCP_SKB_CB(skb)->seq++;
	TCP_SKB_CB(skb)->tcp_flags &= (uint8_t)~TCP_SYN;
	tcp_queue_rcv(sk, skb, hlen);
	tp->data_segs_in++;
	tp->syn_data_acked = 1; /* TCPI_OPT_SYN_DATA, on this side too */
}

static bool fo_child(struct sock *lsk, struct sk_buff *skb, struct request_sock *req)
{
	struct tcp_request_sock *t = tcp_rsk(req);
	struct tcp_listener *l = inet_csk(lsk)->listener;
	struct sock *sk;
	bool own;

	sk = inet_csk(lsk)->af_ops->syn_recv_sock(lsk, skb, req, NULL, &own);
	if (!sk)
		return false;
	tcp_init_metrics(sk);
	tcp_sk(sk)->snd_wnd = tcp_sk(sk)->max_window = get_be16(tcp_hdr(skb)->window); /* a SYN's is not scaled */
	tcp_sk(sk)->fastopen_child = 1;
	tcp_rare(sk)->fo_born = true;
	if (t->fo_cookie.len) { /* a fresh one goes with the SYN-ACK */
		tcp_sk(sk)->rare->fo_cookie = t->fo_cookie;
		tcp_sk(sk)->rare->fo_option = true;
	}
	tcp_sk(sk)->rare->fo_listener = sock_hold(lsk);
	tcp_sk(sk)->rare->fo_irs = t->rcv_isn;
	l->fastopen_pending++;
	sk->prot->hash(sk);
	take_syn_data(sk, skb);
	queue_synack(sk, t);
	inet_csk_reqsk_queue_add(lsk, sk);
	TCPEXT_INC(lsk->net, TCPFastOpenPassive);
	lsk->data_ready(lsk);
	return true;
}

static bool fo_queue_check(const struct sock *lsk)
{
	const struct tcp_rare *r = tcp_sk(lsk)->rare;

	if (!r || !r->fastopen_qlen)
		return false;
	if (inet_csk(lsk)->listener->fastopen_pending < r->fastopen_qlen)
		return true;
	TCPEXT_INC(lsk->net, TCPFastOpenListenOverflow);
	return false;
}

/* Is the cookie one of ours? 0 no, 1 yes, 2 by the second key. *good: the one that the first key makes. */
static int fo_cookie_ours(const struct sock *lsk, const struct request_sock *req, const struct tcp_fo_cookie *c, struct tcp_fo_cookie *good)
{
	const struct tcp_fo_keys *k = tcp_fastopen_keys(lsk);
	struct tcp_fo_cookie old;

	fo_cookie_gen(k->key[0], req->eh.daddr, req->eh.saddr, good);
	if (c->len == good->len && !memcmp(c->val, good->val, c->len))
		return 1;
	if (k->n < 2)
		return 0;
	fo_cookie_gen(k->key[1], req->eh.daddr, req->eh.saddr, &old);
	return c->len == old.len && !memcmp(c->val, old.val, c->len) ? 2 : 0;
}

/* A SYN for a listener. True: a child was made and answered; false: go on with the request, which carries the cookie
 * that the SYN-ACK shall bring. */
bool tcp_fastopen_request(struct sock *lsk, struct sk_buff *skb, struct request_sock *req)
{
	struct tcp_request_sock *t = tcp_rsk(req);
	bool syn_data = TCP_SKB_CB(skb)->end_seq != TCP_SKB_CB(skb)->seq + 1, option;
	struct tcp_fo_cookie c = { 0 }, good;
	int ours;

	if (likely(!tcp_sk(lsk)->rare))
		return false;
	option = tcp_find_fastopen(skb, &c);
	if (option && !c.len)
		TCPEXT_INC(lsk->net, TCPFastOpenCookieReqd);
	if (!((uint32_t)tcp_sysctl(lsk)->fastopen & TFO_SERVER) || !(syn_data || option) || !fo_queue_check(lsk))
		return false;
	if (no_cookie(lsk, TFO_SERVER_COOKIE_NOT_REQD))
		return fo_child(lsk, skb, req);
	if (!option)
		return false;
	ours = fo_cookie_ours(lsk, req, &c, &good);
	if (ours == 2) { /* it is made by a key on its way out: a new one comes with the SYN-ACK */
		TCPEXT_INC(lsk->net, TCPFastOpenPassiveAltKey);
		t->fo_cookie = good;
	}
	if (ours)
		return fo_child(lsk, skb, req);
	if (c.len)
		TCPEXT_INC(lsk->net, TCPFastOpenPassiveFail);
	t->fo_cookie = good;
	return false;
}

/* A child's handshake is over, or the child is. One that was reset counts until its program has closed it. */
void tcp_fastopen_child_done(struct sock *sk)
{
	struct tcp_rare *r = tcp_sk(sk)->rare;
	struct sock *lsk;

	if (!tcp_sk(sk)->fastopen_child)
		return;
	tcp_sk(sk)->fastopen_child = 0;
	lsk = r->fo_listener;
	r->fo_listener = NULL;
	if (lsk->state == TCP_LISTEN && inet_csk(lsk)->listener)
		inet_csk(lsk)->listener->fastopen_pending--;
	sock_put(lsk);
}

/* The client sent its SYN once more: our SYN-ACK was lost. */
bool tcp_fastopen_syn_again(struct sock *sk, const struct sk_buff *skb)
{
	struct sk_buff *head = skb_peek(&tcp_sk(sk)->fl->rtx_queue);

	if (!tcp_sk(sk)->fastopen_child || !head || (TCP_SKB_CB(skb)->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_SYN ||
	    TCP_SKB_CB(skb)->seq != tcp_sk(sk)->rare->fo_irs)
		return false;
	if (!tcp_oow_rate_limited(sk->net, skb, true, &tcp_sk(sk)->last_oow_ack_ms))
		__tcp_retransmit_skb(sk, head, 1);
	return true;
}
