/* TCP Fast Open (RFC 7413): data in the SYN, for a client that has shown before, by a cookie, that it is where it says.
 *
 *   first time     SYN + empty option ->  <- SYN-ACK + cookie         the client keeps it (tcp_metrics.h)
 *   from then on   SYN + cookie + data -> child at once, data to read <- SYN-ACK that acknowledges the data
 *
 * A child that was born so is in SYN-RECEIVED, and its program may read and write already; before the client's ACK its timer repeats
 * the SYN-ACK and nothing else. The number of such children is bounded for each listener
 * (TCP_FASTOPEN), because their clients may be forged by who once got a cookie (RFC 7413 5.1).
 * net.ipv4.tcp_fastopen: 1 clients may, 2 servers may, 4 clients without cookie, 0x200 servers without, 0x400 every
 * listener. A connect() of a socket with TCP_FASTOPEN_CONNECT whose cookie is known sends nothing: the first send() does.
 * Called by tcp_sendmsg.c, tcp_xmit.c, tcp_input.c, tcp_syn.c, tcp_sockopt.c (keys: tcp_fastopen_key.c).
 * A server that answers without a cookie is asked once more in the experimental form (option 254), the next time.
 * net.ipv4.tcp_fastopen_blackhole_timeout_sec: after a third time-out in a row, or a FIN in front of which everything is missing, no
 * client of the host uses Fast Open for so long (twice as long after the next, ...; 0: never mind).
 * Tests: tests/unit/tcp/test_tcp_fastopen.c. */
#include <linux/rtnetlink.h>
#include "tcp/tcp_info.h"
#include "tcp/sock_map.h"
#include "tcp/tcp_int.h"
#include "tcp/tcp_metrics.h"

#define RTAX_FASTOPEN_NO_COOKIE_ 17 /* ip route ... fastopen_no_cookie */

#define FO_OFF_DOUBLINGS 6u
#define FO_LOST_MAX 10u
#define SYN_OPTIONS_MAX 40u
#define FO_RESET_NS (60 * NSEC_PER_SEC)
enum { FO_EXP_NOT_TRIED, FO_EXP_NEXT, FO_EXP_TRIED };

/* RFC 7413 4.1.3.1: a peer that SYNs with data did not get through to, twice in a row, gets none for a minute, then two, ... */
static void fo_syn_lost(struct sock *sk)
{
	struct tcp_metrics_block *e = tcp_metrics_get(sk, true);

	if (!e)
		return;
	e->fo_syn_lost = (uint8_t)min_u32(e->fo_syn_lost + 1u, FO_LOST_MAX);
	e->fo_lost_ns = sk->net->now_ns;
}

static bool fo_negative(const struct sock *sk, const struct tcp_metrics_block *e)
{
	return e && e->fo_syn_lost > 1 && sk->net->now_ns - e->fo_lost_ns < (uint64_t)60 * NSEC_PER_SEC << (e->fo_syn_lost - 2);
}

/* What the SYN-ACK taught. c: its cookie, len 0 if it brought none. */
static void fo_store(struct sock *sk, uint16_t mss, const struct tcp_fo_cookie *c, uint8_t try_exp, bool lost)
{
	struct tcp_metrics_block *e = tcp_metrics_get(sk, true);

	if (!e)
		return;
	e->fo_mss = mss;
	if (!lost)
		e->fo_syn_lost = 0;
	if (c->len)
		e->fo_cookie = *c;
	else if (try_exp > e->fo_try_exp && !e->fo_cookie.len)
		e->fo_try_exp = try_exp;
}

/* ---- black holes ---- */
static void fo_disable(struct sock *sk)
{
	struct tcp_net *tn = tcp_net(sk);

	if (!tcp_sysctl(sk)->fastopen_blackhole_timeout_sec)
		return;
	tn->fo_off_stamp_s = net_now_s(sk->net);
	tn->fo_off_times++;
	TCPEXT_INC(sk->net, TCPFastOpenBlackhole);
}

static bool fo_disabled(struct sock *sk)
{
	const struct tcp_net *tn = tcp_net(sk);
	uint32_t base = (uint32_t)tcp_sysctl(sk)->fastopen_blackhole_timeout_sec;

	if (!base || !tn->fo_off_times)
		return false;
	if (net_now_s(sk->net) - tn->fo_off_stamp_s < (uint64_t)base << min_u32(tn->fo_off_times - 1, FO_OFF_DOUBLINGS))
		return true;
	tcp_rare(sk)->fo_probing = true;
	return false;
}

void tcp_fastopen_blackhole_changed(struct net *net, const struct ctl_table *t)
{
	(void)t;
	net->tcp->fo_off_times = 0;
}

/* A retransmission timer went off. expired: for the last time. */
void tcp_fastopen_detect_blackhole(struct sock *sk, bool expired)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	uint32_t n = inet_csk(sk)->retransmits;

	if (sk->state == TCP_SYN_SENT && tp->syn_data && n == 1)
		fo_syn_lost(sk);
	if (tp->rare && (tp->rare->fo_asked || tp->rare->fo_used || tp->syn_data) && (n == 2 || (n < 2 && expired)))
		fo_disable(sk);
}

/* A client's socket ends. */
void tcp_fastopen_client_gone(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	const struct sk_buff *skb = tp->sack ? skb_peek(&tp->sack->ofo_queue) : NULL;

	if (likely(!tp->rare) || !tp->rare->fo_used)
		return;
	if (!tp->data_segs_in && skb) {
		if (skb_queue_is_last(&tp->sack->ofo_queue, skb) && TCP_SKB_CB(skb)->tcp_flags & TCP_FIN)
			fo_disable(sk);
	} else if (tp->rare->fo_probing && !(sk->dst_cache && sk->dst_cache->dev && sk->dst_cache->dev->flags & DEVF_LOOPBACK)) {
		tcp_net(sk)->fo_off_times = 0;
	}
}

/* ---- client ---- */
/* The data goes into a segment of its own behind the SYN in the retransmit queue, and out in the SYN itself. NULL: no
 * memory, or the program's buffer cannot be read. */
static struct sk_buff *queue_syn_data(struct sock *sk, struct tcp_fo_request *req, uint32_t len)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb = alloc_skb(sk->net, MAX_TCP_HEADER + len);
	struct tcp_skb_cb *tcb;

	if (!skb)
		return NULL;
	skb_reserve(skb, MAX_TCP_HEADER);
	len = (uint32_t)copy_from_iter(skb->data, len, req->from);
	if (!len) {
		kfree_skb_reason(skb, DROP_SOCKET_CLOSE);
		return NULL;
	}
	skb_put(skb, len);
	sk->net->skb_mib.user_to_skb_bytes += len;
	tcb = TCP_SKB_CB(skb);
	memset(tcb, 0, sizeof(*tcb));
	tcb->seq = tp->write_seq;
	tcb->end_seq = tp->write_seq + len;
	tcb->tcp_flags = TCP_ACK | TCP_PSH;
	tcb->gso_segs = 1;
	tp->write_seq += len;
	tcp_wmem_charge(sk, skb);
	tcp_chrono_start(sk, TCP_CHRONO_BUSY);
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

/* May data go with the SYN? *mss: what the peer said last time, if anything is known of it. */
static bool cookie_check(struct sock *sk, uint32_t *mss)
{
	const struct tcp_metrics_block *e = tcp_metrics_find(sk->net, inet_sk(sk)->saddr, inet_sk(sk)->daddr);
	struct tcp_rare *r = tcp_rare(sk);

	if (e && e->fo_mss)
		*mss = e->fo_mss;
	r->fo_option = false;
	if (fo_disabled(sk) || fo_negative(sk, e))
		return false;
	if (no_cookie(sk, TFO_CLIENT_NO_COOKIE))
		return true;
	r->fo_option = true;
	r->fo_cookie = e ? e->fo_cookie : (struct tcp_fo_cookie){ 0 };
	if (r->fo_cookie.len)
		return true;
	r->fo_cookie.exp = e && e->fo_try_exp == FO_EXP_NEXT;
	r->fo_fail = TFO_COOKIE_UNAVAILABLE_;
	return false;
}

/* connect() with TCP_FASTOPEN_CONNECT: true: nothing is sent before the program gives data. */
bool tcp_fastopen_defer_connect(struct sock *sk)
{
	struct tcp_rare *r = tcp_sk(sk)->rare;
	uint32_t mss = 0;

	if (likely(!r || !r->fo_connect) || r->fo_req)
		return false;
	if (!cookie_check(sk, &mss))
		return false; /* the SYN asks for one */
	inet_sk(sk)->defer_connect = true;
	return true;
}

/* How much data a SYN may carry: a segment of the size that the peer took last time, less all that options may need. */
static uint32_t syn_data_room(struct sock *sk, uint32_t mss)
{
	struct tcp_sock *tp = tcp_sk(sk);

	tp->rx_opt.mss_clamp = (uint16_t)mss;
	if (tp->rx_opt.user_mss && tp->rx_opt.user_mss < mss)
		tp->rx_opt.mss_clamp = tp->rx_opt.user_mss;
	mss = tcp_mtu_to_mss(sk, inet_csk(sk)->pmtu_cookie) + tp->tcp_header_len - TCP_HLEN;
	return mss > SYN_OPTIONS_MAX ? mss - SYN_OPTIONS_MAX : 0;
}

/* Send the SYN (queued already) with what Fast Open adds. False: send it as it is. */
bool tcp_fastopen_send_syn(struct sock *sk, struct sk_buff *syn)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_fo_request *req = tp->rare ? tp->rare->fo_req : NULL;
	struct sk_buff *data, *both;
	uint32_t len, mss = tp->advmss;
	bool may;

	if (!req && !(tp->rare && tp->rare->fo_connect))
		return false;
	may = cookie_check(sk, &mss);
	tp->rare->fo_asked = tp->rare->fo_used = tp->rare->fo_option;
	if (!may || !req)
		return false; /* ask for a cookie only */
	len = (uint32_t)min_sz(req->from->count, syn_data_room(sk, mss));
	if (!len)
		return false;
	data = queue_syn_data(sk, req, len);
	if (!data) {
		tp->rare->fo_cookie.len = 0;
		return false;
	}
	len = data->len;
	both = alloc_skb(sk->net, MAX_TCP_HEADER + len);
	if (!both)
		return false; /* the data follows when the SYN-ACK does not acknowledge it */
	skb_reserve(both, MAX_TCP_HEADER);
	skb_copy_bits(data, 0, skb_put(both, len), len);
	memcpy(both->cb, syn->cb, sizeof(both->cb));
	tp->syn_data = 1;
	tp->rare->fo_fail = TFO_STATUS_UNSPEC_;
	__tcp_transmit_skb(sk, both, false);
	TCPEXT_INC(sk->net, TCPOrigDataSent);
	tcp_update_skb_after_send(sk, syn);
	tcp_update_skb_after_send(sk, data);
	return true;
}

/* The data of a SYN or SYN-ACK, which the handshake's code passes over. */
static void take_syn_data(struct sock *sk, struct sk_buff *syn)
{
	uint32_t hlen = tcp_hdrlen(tcp_hdr(syn));
	struct sk_buff *skb = syn->len > hlen ? skb_clone(syn) : NULL;

	if (!skb)
		return;
	memcpy(skb->cb, syn->cb, sizeof(skb->cb));
	TCP_SKB_CB(skb)->seq++;
	TCP_SKB_CB(skb)->tcp_flags &= (uint8_t)~TCP_SYN;
	tcp_queue_rcv(sk, skb, hlen);
	tcp_sk(sk)->data_segs_in++;
}

/* The SYN-ACK came: what it says of cookies, and its data; true: the data of the SYN was not taken and was sent again. */
bool tcp_fastopen_synack(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_rare *r = tp->rare;
	struct tcp_fo_cookie c = { 0 };
	uint8_t try_exp = FO_EXP_NOT_TRIED;
	struct sk_buff *s;
	bool lost;

	if (likely(!r) || !(r->fo_asked || tp->syn_data))
		return false;
	if (!tcp_find_fastopen(skb, &c) || !r->fo_asked)
		c.len = 0;
	if (r->fo_asked && !tp->total_retrans && !c.len && !tp->syn_data)
		try_exp = r->fo_cookie.exp ? FO_EXP_TRIED : FO_EXP_NEXT;
	lost = tp->syn_data && tp->total_retrans && !c.len && !tcp_rtx_queue_empty(sk);
	if (lost)
		fo_syn_lost(sk);
	fo_store(sk, tp->rx_opt.mss_clamp, &c, try_exp, lost);
	r->fo_asked = r->fo_option = false;
	if (tp->syn_data && !tcp_rtx_queue_empty(sk)) {
		TCPEXT_INC(sk->net, TCPFastOpenActiveFail);
		r->fo_fail = tp->total_retrans ? TFO_SYN_RETRANSMITTED_ : TFO_DATA_NOT_ACKED_;
		skb_queue_walk(&tp->fl->rtx_queue, s) tcp_skb_mark_lost(sk, s);
		tcp_xmit_retransmit_queue(sk);
		return true;
	}
	tp->syn_data_acked = tp->syn_data;
	if (tp->syn_data_acked) {
		TCPEXT_INC(sk->net, TCPFastOpenActive);
		if (tp->delivered > 1) /* SYN and data were one packet */
			tp->delivered--;
	}
	take_syn_data(sk, skb);
	return false;
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
	c->exp = false;
	for (unsigned i = 0; i < 8; i++)
		c->val[i] = (uint8_t)(h >> (8 * i));
}

/* The SYN-ACK of a child. It is in no queue: its timer makes it anew, and its ACK begins where data begins. */
static void fo_send_synack(struct sock *sk, bool again)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb = alloc_skb(sk->net, MAX_TCP_HEADER);
	struct tcp_skb_cb *tcb;

	if (!skb)
		return;
	skb_reserve(skb, MAX_TCP_HEADER);
	tcb = TCP_SKB_CB(skb);
	memset(tcb, 0, sizeof(*tcb));
	tcb->seq = tp->rare->fo_iss;
	tcb->end_seq = tcb->seq + 1;
	tcb->tcp_flags = (uint8_t)(TCP_SYN | TCP_ACK | (tp->ecn_flags & TCP_ECN_OK ? TCP_ECE : 0));
	tcb->gso_segs = 1;
	if (again) {
		tp->total_retrans++;
		TCP_INC(sk->net, RetransSegs);
		TCPEXT_INC(sk->net, TCPSynRetrans);
	}
	__tcp_transmit_skb(sk, skb, false);
}

/* The timer of a child whose handshake is not over. Nothing else of it is repeated before (RFC 7413 4.2.2). */
void tcp_fastopen_synack_timer(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_rare *r = tcp_sk(sk)->rare;
	unsigned max = r->syn_retries ? r->syn_retries : min_u32((uint32_t)tcp_sysctl(sk)->synack_retries + 1, UINT8_MAX); /* what is counted ends there */
	TRACE_FN(&sk->net->probe, 0);

	TCPEXT_INC(sk->net, TCPTimeouts);
	if (r->fo_synacks >= max) {
		tcp_write_err(sk, sk->err_soft ? sk->err_soft : ETIMEDOUT);
		return;
	}
	if (icsk->retransmits == 1)
		tcp_enter_loss(sk);
	fo_send_synack(sk, true);
	r->fo_synacks++;
	icsk->retransmits = (uint8_t)min_u32(icsk->retransmits + 1u, 255);
	tcp_count_rto(sk);
	if (!tcp_flight(sk)->retrans_stamp_ms)
		tcp_flight(sk)->retrans_stamp_ms = tcp_time_ms(sk) ? tcp_time_ms(sk) : 1;
	inet_csk_reset_xmit_timer(sk, ICSK_TIME_RETRANS, min_u64((uint64_t)TCP_TIMEOUT_INIT_US << min_u32(r->fo_synacks, 20), tcp_rto_max_us(sk)));
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
	tcp_sk(sk)->fastopen_child = 1;
	tcp_rare(sk)->fo_born = true;
	tcp_init_transfer(sk);
	tcp_sk(sk)->snd_wnd = tcp_sk(sk)->max_window = get_be16(tcp_hdr(skb)->window); /* a SYN's is not scaled */
	if (t->fo_cookie.len) { /* a fresh one goes with the SYN-ACK */
		tcp_sk(sk)->rare->fo_cookie = t->fo_cookie;
		tcp_sk(sk)->rare->fo_option = true;
	}
	tcp_sk(sk)->rare->fo_listener = sock_hold(lsk);
	tcp_sk(sk)->rare->fo_irs = t->rcv_isn;
	l->fastopen_pending++;
	sk->prot->hash(sk);
	take_syn_data(sk, skb);
	tcp_sk(sk)->rcv_wup = tcp_sk(sk)->rcv_nxt;
	tcp_sk(sk)->syn_data_acked = TCP_SKB_CB(skb)->end_seq != TCP_SKB_CB(skb)->seq + 1; /* TCPI_OPT_SYN_DATA, on this side too */
	tcp_sk(sk)->rare->fo_iss = t->snt_isn;
	tcp_sk(sk)->rare->fo_synacks = 0;
	tcp_sk(sk)->rare->fo_snt_ns = sk->net->now_ns;
	fo_send_synack(sk, false);
	inet_csk_reset_xmit_timer(sk, ICSK_TIME_RETRANS, TCP_TIMEOUT_INIT_US);
	inet_csk_reqsk_queue_add(lsk, sk);
	TCPEXT_INC(lsk->net, TCPFastOpenPassive);
	lsk->data_ready(lsk);
	return true;
}

/* How many children count against the listener's bound: unproven ones, and for a minute those that were reset after accept. */
static uint32_t fo_pending(const struct sock *lsk)
{
	struct tcp_listener *l = inet_csk(lsk)->listener;

	while (l->n_fo_resets && l->fo_reset_ns[l->fo_reset_first] <= lsk->net->now_ns) {
		l->fo_reset_first = (uint8_t)((l->fo_reset_first + 1u) % FO_RESETS_MAX);
		l->n_fo_resets--;
	}
	return l->fastopen_pending + l->n_fo_resets;
}

static bool fo_queue_check(const struct sock *lsk)
{
	const struct tcp_rare *r = tcp_sk(lsk)->rare;

	if (!r || !r->fastopen_qlen)
		return false;
	if (fo_pending(lsk) < r->fastopen_qlen)
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
		t->fo_cookie.exp = c.exp;
	}
	if (ours)
		return fo_child(lsk, skb, req);
	if (c.len)
		TCPEXT_INC(lsk->net, TCPFastOpenPassiveFail);
	t->fo_cookie = good;
	t->fo_cookie.exp = c.exp; /* in the form that it was asked for in */
	return false;
}

static void fo_child_leave(struct sock *sk, bool reset)
{
	struct tcp_rare *r = tcp_sk(sk)->rare;
	struct sock *lsk;

	if (!tcp_sk(sk)->fastopen_child)
		return;
	tcp_sk(sk)->fastopen_child = 0;
	lsk = r->fo_listener;
	r->fo_listener = NULL;
	if (lsk->state == TCP_LISTEN && inet_csk(lsk)->listener) {
		struct tcp_listener *l = inet_csk(lsk)->listener;

		l->fastopen_pending--;
		if (reset && l->n_fo_resets < FO_RESETS_MAX)
			l->fo_reset_ns[(l->fo_reset_first + l->n_fo_resets++) % FO_RESETS_MAX] = lsk->net->now_ns + FO_RESET_NS;
	}
	sock_put(lsk);
}

/* A child ends before its handshake is over. */
void tcp_fastopen_child_done(struct sock *sk) { fo_child_leave(sk, false); }

/* It is reset; if its program has it already, somebody may be playing with forged addresses (RFC 7413 5.1). */
void tcp_fastopen_child_reset(struct sock *sk) { fo_child_leave(sk, sk->socket || sock_flag(sk, SOCK_F_DEAD)); }

/* A child's handshake is over. */
void tcp_fastopen_child_proven(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);

	if (!tp->fastopen_child)
		return;
	if (icsk->ca_state == TCP_CA_Loss && !tp->fl->packets_out)
		tcp_try_undo_recovery(sk);
	icsk->retransmits = 0;
	if (tp->fl->retrans_stamp_ms && !tp->fl->retrans_out)
		tp->fl->retrans_stamp_ms = 0;
	fo_child_leave(sk, false);
	sock_map_established(sk);
	tcp_rearm_rto(sk);
}

/* The client sent its SYN once more: our SYN-ACK was lost. */
bool tcp_fastopen_syn_again(struct sock *sk, const struct sk_buff *skb)
{
	if (!tcp_sk(sk)->fastopen_child || (TCP_SKB_CB(skb)->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_SYN ||
	    TCP_SKB_CB(skb)->seq != tcp_sk(sk)->rare->fo_irs)
		return false;
	if (!tcp_oow_rate_limited(sk->net, skb, true, &tcp_sk(sk)->last_oow_ack_ms))
		fo_send_synack(sk, true);
	return true;
}
