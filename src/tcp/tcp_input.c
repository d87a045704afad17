/* A segment for a connection: RFC 9293 3.10.7, with RFC 5961's checks and RFC 7323's PAWS.
 *
 *   tcp_v4_do_rcv -> tcp_rcv_established   header prediction, else tcp_validate_incoming, tcp_ack, tcp_data_queue
 *                 -> tcp_rcv_state_process  every other state
 *
 * Called by the network layer (ipv4/tcp_ipv4.c). Hands on to tcp_ack.c, tcp_rcvq.c, tcp_minisocks.c.
 * Tests: tests/unit/tcp, test_tcp_paths.c, test_tcp_parse.c. */
#include "tcp/sock_map.h"
#include "tcp/tcp_accecn.h"
#include "tcp/tcp_auth.h"
#include "tcp/tcp_int.h"

void tcp_fill_cb(struct sk_buff *skb, const struct tcp_hdr *th)
{
	struct tcp_skb_cb *tcb = TCP_SKB_CB(skb);
	uint32_t seq = get_be32(th->seq), len = skb->len - tcp_hdrlen(th);

	tcb->seq = seq;
	tcb->end_seq = seq + len + ((th->flags & TCP_SYN) != 0) + ((th->flags & TCP_FIN) != 0);
	tcb->ack_seq = get_be32(th->ack_seq);
	tcb->tcp_flags = th->flags;
	tcb->sacked = 0;
	tcb->eor = 0;
	tcb->has_csum = 0;
	tcb->gso_segs = 1;
	tcb->tx.tsorted.next = NULL;
	tcb->ofo.room = 0;
	/* An ordinary segment costs the receive buffer as much as Linux charges for one, so that a program's SO_RCVBUF holds as many.
	 * What was joined before it came here costs what its parts did. */
	if (likely(!skb_shinfo(skb)->gso_size && !skb_shinfo(skb)->frag_list))
		skb->truesize = tcp_rmem_cost(skb->len + 20, &tcb->ofo.room);
}

/* Header prediction compares the third word of the header after masking PSH: length, flags, window. */
#define PRED_MASK (~((uint32_t)TCP_PSH << 16))
void tcp_update_pred_flags(struct tcp_sock *tp)
{
	const struct sock *sk = &tp->icsk.inet.sk;

	if (unlikely(!tp->pred_flags && sk->rmem_alloc >= sk->rcvbuf))
		return; /* a full buffer is asked for every segment, until there is room */
	if (!tcp_ofo_empty(tp) || !tp->rcv_wnd || tp->urg_data) {
		tp->pred_flags = 0;
		return;
	}
	tp->pred_flags = ((uint32_t)tp->tcp_header_len << 26) | ((uint32_t)TCP_ACK << 16) | (tp->snd_wnd >> tp->rx_opt.snd_wscale);
	if (unlikely(tp->ecn_flags & TCP_ECN_ACCECN)) /* no mark more than we know of */
		tp->pred_flags |= (uint32_t)tcp_ace_flags((uint8_t)(tp->delivered_ce + TCP_ACCECN_CEP_INIT) & 7) << 16;
}

/* ---- answers that must not become a storm ---- */
bool tcp_oow_rate_limited(struct net *net, const struct sk_buff *skb, bool synrecv, uint32_t *last_ms)
{
	uint32_t now = net_now_ms(net);

	/* data is answered always: the sender waits for it */
	if (skb && TCP_SKB_CB(skb)->seq != TCP_SKB_CB(skb)->end_seq && !(TCP_SKB_CB(skb)->tcp_flags & TCP_SYN))
		return false;
	if (*last_ms && (uint32_t)(now - *last_ms) < (uint32_t)net->tcp->sysctl.invalid_ratelimit) {
		if (synrecv)
			TCPEXT_INC(net, TCPACKSkippedSynRecv);
		return true;
	}
	*last_ms = now ? now : 1;
	return false;
}

/* RFC 5961 7: limited for each connection (no global counter that a third party could read, CVE-2016-5696); the
 * sysctl adds a host's limit. */
void tcp_send_challenge_ack(struct sock *sk)
{
	struct tcp_net *tn = tcp_net(sk);
	uint64_t now_s = sk->net->now_ns / NSEC_PER_SEC;

	if (tcp_oow_rate_limited(sk->net, NULL, false, &tcp_sk(sk)->last_oow_ack_ms)) {
		TCPEXT_INC(sk->net, TCPACKSkippedChallenge);
		return;
	}
	if (tn->sysctl.challenge_ack_limit != 0x7fffffff) {
		if (now_s != tn->challenge_stamp_s) {
			uint32_t limit = (uint32_t)tn->sysctl.challenge_ack_limit, half = (limit + 1) / 2;

			tn->challenge_stamp_s = now_s;
			tn->challenge_count = half + (limit ? rng_below(&tn->rng, limit) : 0);
		}
		if (!tn->challenge_count)
			return;
		tn->challenge_count--;
	}
	TCPEXT_INC(sk->net, TCPChallengeACK);
	tcp_send_ack(sk);
}

/* ---- timestamps (RFC 7323 4, 5) ---- */
static bool paws_reject(const struct tcp_sock *tp, uint32_t now_s)
{
	const struct tcp_options_received *o = &tp->rx_opt;

	if ((int32_t)(o->ts_recent - o->rcv_tsval) <= TCP_PAWS_WINDOW)
		return false;
	return now_s - o->ts_recent_stamp < TCP_PAWS_24DAYS; /* older than 24 days: the clock may have wrapped */
}

/* A repeated pure ACK that was overtaken is no attack (and does not need an answer). One that tells of another window is not
 * believed; how far it may be behind is the RTO and a fifth. */
static bool disordered_ack(const struct sock *sk, const struct sk_buff *skb)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	const struct tcp_skb_cb *tcb = TCP_SKB_CB(skb);

	return (tcb->tcp_flags & TCP_ACK) && tcb->seq == tcb->end_seq && tcb->seq == tp->rcv_nxt && tcb->ack_seq == tp->snd_una &&
	       !after(tcb->seq, tp->snd_wl1) && !((uint32_t)get_be16(tcp_hdr(skb)->window) << tp->rx_opt.snd_wscale > tp->snd_wnd || !get_be16(tcp_hdr(skb)->window)) &&
	       (int32_t)(tp->rx_opt.ts_recent - tp->rx_opt.rcv_tsval) <= (int32_t)((uint64_t)inet_csk(sk)->rto_us * 6 / 5 / 1000);
}

/* ---- RFC 9293 3.10.7.4, first to fourth check ---- */

/* The peer of a connection with holes may number its RST by what it sent last, all of which we have said that we hold: the right
 * edge of the highest block. RFC 5961 3.2 and RFC 9293 3.10.7.4 know SEG.SEQ == RCV.NXT only and would have it challenged, which
 * such a peer, its connection being gone, answers with the right number one round trip later. Linux takes it at once, and so do
 * we: who guesses it had to hit one number, too. */
static bool rst_at_sack_edge(const struct tcp_sock *tp, uint32_t seq)
{
	uint32_t max;

	if (!tp->rx_opt.sack_ok || !tp->rx_opt.num_sacks)
		return false;
	max = tp->sack->selective_acks[0].end_seq;
	for (uint8_t i = 1; i < tp->rx_opt.num_sacks; i++)
		if (after(tp->sack->selective_acks[i].end_seq, max))
			max = tp->sack->selective_acks[i].end_seq;
	return seq == max;
}

static bool reset_acceptable(const struct sock *sk, const struct sk_buff *skb)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	uint32_t seq = TCP_SKB_CB(skb)->seq;

	if (seq == tp->rcv_nxt || rst_at_sack_edge(tp, seq))
		return true;
	/* some peers send the RST for a connection that they closed from the sequence number of their FIN */
	return seq == tp->rcv_nxt - 1 && tcp_state_in(sk, TCPF_(CLOSE_WAIT) | TCPF_(LAST_ACK) | TCPF_(CLOSING));
}

/* Text that hangs over the window is let in only while nothing waits to be read, as on Linux: its sender does not heed the window,
 * and it counts as lost with its ACK and its timestamp. RST and SYN get RFC 5961's answers, whatever comes with them; behind the
 * peer's FIN text is ignored anyhow. */
static bool text_may_hang_over(const struct sock *sk, uint8_t flags)
{
	return skb_queue_empty(&sk->receive_queue) || flags & (TCP_RST | TCP_SYN) ||
	       !tcp_state_in(sk, TCPF_(ESTABLISHED) | TCPF_(FIN_WAIT1) | TCPF_(FIN_WAIT2));
}

/* RFC 9293 3.10.7.4, first: some of it lies in the window. At a window of zero all are let in that begin at its edge: their RST,
 * ACK and URG count (MUST-66). A larger one is left at its edge as well while nothing waits to be read, as Linux leaves it.
 * DROP_REASON_MAX: it is fine. */
static enum drop_reason tcp_sequence(const struct sock *sk, uint32_t seq, uint32_t end_seq, uint8_t flags)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	uint32_t window = tcp_receive_window(tp), edge = tp->rcv_nxt + window;

	if (before(end_seq, tp->rcv_wup))
		return DROP_TCP_OLD_SEQUENCE;
	if (likely(!after(end_seq - ((flags & TCP_FIN) != 0), edge)))
		return DROP_REASON_MAX;
	if (after(seq, edge) || (window && (seq == edge ? !skb_queue_empty(&sk->receive_queue) : !text_may_hang_over(sk, flags)))) {
		TCPEXT_INC(sk->net, BeyondWindow);
		return after(seq, edge) ? DROP_TCP_INVALID_SEQUENCE : DROP_TCP_INVALID_END_SEQUENCE;
	}
	return DROP_REASON_MAX;
}

static void discard_invalid(struct sock *sk, struct sk_buff *skb, enum drop_reason why)
{
	if (!tcp_oow_rate_limited(sk->net, skb, false, &tcp_sk(sk)->last_oow_ack_ms))
		tcp_send_dupack(sk, skb);
	else if (why == DROP_TCP_RFC7323_PAWS)
		TCPEXT_INC(sk->net, TCPACKSkippedPAWS);
	else
		TCPEXT_INC(sk->net, TCPACKSkippedSeq);
	kfree_skb_reason(skb, why);
}

static void syn_challenge(struct sock *sk, struct sk_buff *skb)
{
	TCPEXT_INC(sk->net, TCPSYNChallenge);
	if (unlikely((tcp_sk(sk)->ecn_flags & TCP_ECN_ACCECN) && (TCP_SKB_CB(skb)->tcp_flags & TCP_ACK)))
		tcp_accecn_synack_again(sk, skb);
	else
		tcp_send_challenge_ack(sk);
	kfree_skb_reason(skb, DROP_TCP_INVALID_SYN);
}

/* False: skb was dealt with. */
static bool tcp_validate_incoming(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	const struct tcp_skb_cb *tcb = TCP_SKB_CB(skb);
	uint8_t flags = tcb->tcp_flags;
	enum drop_reason why;

	if (tcp_fast_parse_options(skb, tp)) {
		if (paws_reject(tp, net_now_s(sk->net)) && !disordered_ack(sk, skb) && !(flags & TCP_RST)) {
			if (flags & TCP_SYN) { /* RFC 5961 4.2 comes first: no duplicate, no D-SACK of its number */
				syn_challenge(sk, skb);
				return false;
			}
			TCPEXT_INC(sk->net, PAWSEstab);
			discard_invalid(sk, skb, DROP_TCP_RFC7323_PAWS);
			return false;
		}
	} else if (unlikely(tp->rx_opt.tstamp_ok && !(flags & (TCP_RST | TCP_SYN)))) {
		kfree_skb_reason(skb, DROP_TCP_RFC7323_NO_TS); /* RFC 7323 3.2 */
		return false;
	}
	why = tcp_sequence(sk, tcb->seq, tcb->end_seq, flags);
	if (unlikely(why != DROP_REASON_MAX)) {
		if (flags & TCP_RST) {
			if (!reset_acceptable(sk, skb)) {
				kfree_skb_reason(skb, why);
				return false;
			}
			tcp_reset(sk, skb);
			kfree_skb_reason(skb, DROP_TCP_RESET);
			return false;
		}
		if (flags & TCP_SYN) {
			syn_challenge(sk, skb);
			return false;
		}
		discard_invalid(sk, skb, why);
		return false;
	}
	if (flags & TCP_RST) { /* RFC 5961 3.2 */
		if (reset_acceptable(sk, skb))
			tcp_reset(sk, skb);
		else
			tcp_send_challenge_ack(sk);
		kfree_skb_reason(skb, DROP_TCP_RESET);
		return false;
	}
	if (flags & TCP_SYN) { /* RFC 5961 4.2; in a simultaneous open the SYN-ACK repeats the SYN */
		if (sk->state == TCP_SYN_RECV && (flags & TCP_ACK) && tcb->seq + 1 == tcb->end_seq && tcb->seq + 1 == tp->rcv_nxt &&
		    tcb->ack_seq == tp->snd_nxt)
			return true;
		syn_challenge(sk, skb);
		return false;
	}
	if (tp->rx_opt.bad_len && tcp_hdrlen(tcp_hdr(skb)) > TCP_HLEN)
		tp->rx_opt.bad_len = 0; /* a malformed option ended the parse; the rest of the segment counts */
	return true;
}

/* ---- after a segment: send what it allows, acknowledge what it brought ---- */
void tcp_data_snd_check(struct sock *sk)
{
	tcp_grow_sndbuf(sk);
	if (tcp_send_head(sk))
		__tcp_push_pending_frames(sk, tcp_current_mss(sk), tcp_sk(sk)->nonagle);
	tcp_check_space(sk);
}

void tcp_ack_snd_check(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);

	if (!(icsk->ack_pending & ICSK_ACK_SCHED))
		return;
	if ((tp->rcv_nxt - tp->rcv_wup > icsk->rcv_mss &&
	     ((int32_t)(tp->rcv_nxt - tp->copied_seq) < sk->rcvlowat || __tcp_select_window(sk) >= tp->rcv_wnd)) ||
	    (icsk->quick && icsk->pingpong < tcp_pingpong_thresh(sk)) || (icsk->ack_pending & ICSK_ACK_NOW) || tp->quick_forced)
		tcp_send_ack(sk);
	else if (tcp_ofo_empty(tp))
		tcp_send_delayed_ack(sk);
	else if (!tcp_compress_ack(sk))
		tcp_send_ack(sk);
}

/* ---- ESTABLISHED ---- */
static void segs_in(struct tcp_sock *tp, const struct sk_buff *skb, uint32_t hlen)
{
	uint32_t n = max_u32(skb_shinfo(skb)->gso_segs, 1);

	tp->segs_in += n;
	if (skb->len > hlen)
		tp->data_segs_in += n;
}

static void established_slow(struct sock *sk, struct sk_buff *skb)
{
	int reason;

	if (!(TCP_SKB_CB(skb)->tcp_flags & (TCP_ACK | TCP_RST | TCP_SYN))) {
		kfree_skb_reason(skb, DROP_TCP_FLAGS);
		return;
	}
	if (!tcp_validate_incoming(sk, skb))
		return;
	tcp_ecn_received_counters(sk, skb, skb->len - tcp_hdrlen(tcp_hdr(skb)));
	reason = tcp_ack(sk, skb, tcp_text_refused(sk, skb) ? FLAG_SLOWPATH : FLAG_SLOWPATH | FLAG_UPDATE_TS_RECENT);
	if (reason < 0) {
		if (reason == -(int)DROP_TCP_ACK_UNSENT_DATA)
			tcp_send_challenge_ack(sk); /* TS-06 */
		kfree_skb_reason(skb, (enum drop_reason)-reason);
		return;
	}
	tcp_rcv_rtt_measure_ts(sk, skb);
	tcp_urg(sk, skb);
	tcp_data_queue(sk, skb);
	if (sk->state == TCP_CLOSE)
		return;
	tcp_data_snd_check(sk);
	tcp_ack_snd_check(sk);
}

/* Pure ACK, predicted. */
static void established_ack(struct sock *sk, struct sk_buff *skb)
{
	tcp_ecn_received_counters(sk, skb, 0);
	tcp_ack(sk, skb, 0);
	consume_skb(skb);
	tcp_data_snd_check(sk);
}

static void established_data(struct sock *sk, struct sk_buff *skb, uint32_t hlen)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);

	/* Linux predicts what fits into the page that the socket has, and looks for something to send behind all others. */
	bool eaten, page = skb->truesize > tcp_forward_alloc(sk);

	tcp_rcv_rtt_measure_ts(sk, skb);
	TCPEXT_INC(sk->net, TCPHPHits);
	tcp_ecn_received_counters(sk, skb, skb->len - hlen);
	eaten = tcp_queue_rcv(sk, skb, hlen);
	tcp_event_data_recv(sk, skb);
	if (TCP_SKB_CB(skb)->ack_seq != tp->snd_una) {
		tcp_ack(sk, skb, FLAG_DATA);
		tcp_data_snd_check(sk);
		if (icsk->ack_pending & ICSK_ACK_SCHED)
			tcp_ack_snd_check(sk);
	} else {
		tp->snd_wl1 = TCP_SKB_CB(skb)->seq;
		if (unlikely(tcp_send_head(sk)) && page)
			tcp_data_snd_check(sk);
		tcp_ack_snd_check(sk);
	}
	if (unlikely(eaten))
		consume_skb(skb);
	tcp_data_ready(sk);
}

/* The timestamp of a predicted segment: its number is the next one, so it counts unless an ACK of ours is due. */
static inline void predicted_time(struct tcp_sock *tp)
{
	if (tp->rx_opt.saw_tstamp && tp->rcv_nxt == tp->rcv_wup) {
		tp->rx_opt.ts_recent = tp->rx_opt.rcv_tsval;
		tp->rx_opt.ts_recent_stamp = net_now_s(tp->icsk.inet.sk.net);
	}
}

void tcp_rcv_established(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	const struct tcp_hdr *th = tcp_hdr(skb);
	uint32_t hlen = tp->tcp_header_len, word = get_be32(&th->off_res);
	TRACE_FN(&sk->net->probe, skb->serial);

	segs_in(tp, skb, tcp_hdrlen(th));
	if (likely((word & PRED_MASK) == tp->pred_flags && TCP_SKB_CB(skb)->seq == tp->rcv_nxt &&
		   !after(TCP_SKB_CB(skb)->ack_seq, tp->snd_nxt) &&
		   (skb->len <= hlen || !before(TCP_SKB_CB(skb)->ack_seq, tp->snd_una)))) {
		tp->rx_opt.saw_tstamp = 0;
		if (hlen == TCP_HLEN + 12) {
			const uint8_t *p = (const uint8_t *)(th + 1);

			if (get_be32(p) != 0x0101080a)
				goto slow;
			tp->rx_opt.saw_tstamp = 1;
			tp->rx_opt.rcv_tsval = get_be32(p + 4);
			tp->rx_opt.rcv_tsecr = get_be32(p + 8);
			if (tp->rx_opt.rcv_tsecr)
				tp->rx_opt.rcv_tsecr -= tp->tsoffset;
			if ((int32_t)(tp->rx_opt.rcv_tsval - tp->rx_opt.ts_recent) < 0)
				goto slow;
		} else if (unlikely(hlen > TCP_HLEN + 12 && tp->rx_opt.tstamp_ok)) {
			goto slow; /* signed: the timestamp is somewhere else */
		}
		if (skb->len <= hlen) {
			predicted_time(tp);
			established_ack(sk, skb);
			return;
		}
		if (likely((sk->rmem_alloc + (int32_t)skb->truesize <= sk->rcvbuf || skb->truesize <= tcp_forward_alloc(sk)) && tcp_receive_window(tp) >= skb->len - hlen &&
			   !tcp_net(sk)->mem_pressure_ns)) {
			predicted_time(tp);
			established_data(sk, skb, hlen);
			return;
		}
	}
slow:
	established_slow(sk, skb);
}

/* ---- a connection comes to be ---- */
void tcp_init_transfer(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	tcp_mtup_init(sk);
	tp->snd_ssthresh = TCP_INFINITE_SSTHRESH; /* a lost SYN said nothing about the path's capacity */
	tcp_route_init(sk);
	tcp_init_metrics(sk);
	/* a SYN that had to be repeated begins with a window of one (RFC 5681 3.1) */
	tp->snd_cwnd = tp->total_retrans > 1 && tp->fl->undo_marker ? 1 : tcp_init_cwnd_(sk);
	tp->snd_cwnd_stamp_ms = tcp_time_ms(sk);
	tcp_init_congestion_control(sk);
	tcp_init_buffer_space(sk);
	if (!tp->fastopen_child)
		sock_map_established(sk);
}

void tcp_finish_connect(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	tcp_set_state(sk, TCP_ESTABLISHED);
	inet_csk(sk)->last_rcv_ms = tcp_time_ms(sk);
	tcp_init_transfer(sk);
	tp->lsndtime_ms = tcp_time_ms(sk);
	if (sock_flag(sk, SOCK_F_KEEPOPEN))
		tcp_reset_keepalive_timer(sk, tcp_keepalive_time_ns(sk));
	tcp_update_pred_flags(tp);
}

/* ---- the other states ---- */
static void synrecv_established(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	const struct tcp_hdr *th = tcp_hdr(skb);

	tp->delivered++;
	tcp_child_transfer(sk);
	tcp_set_state(sk, TCP_ESTABLISHED);
	sk->state_change(sk);
	if (sk->socket)
		wake_up(sk->wq, POLLOUT);
	tp->snd_una = TCP_SKB_CB(skb)->ack_seq;
	tp->snd_wnd = (uint32_t)get_be16(th->window) << (th->flags & TCP_SYN ? 0 : tp->rx_opt.snd_wscale);
	tp->snd_wl1 = TCP_SKB_CB(skb)->seq;
	if (tp->snd_wnd > tp->max_window)
		tp->max_window = tp->snd_wnd;
	inet_csk(sk)->last_rcv_ms = tcp_time_ms(sk);
	tp->lsndtime_ms = tcp_time_ms(sk);
	tcp_initialize_rcv_mss(sk);
	tcp_update_pred_flags(tp);
	if (sock_flag(sk, SOCK_F_KEEPOPEN))
		tcp_reset_keepalive_timer(sk, tcp_keepalive_time_ns(sk));
	if (sk->shutdown & 2)
		tcp_shutdown(sk, 2);
}

/* Our FIN was acknowledged in FIN-WAIT-1. 0: go on; 1: send a reset; -1: skb consumed. */
static int finwait1_acked(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	const struct tcp_skb_cb *tcb = TCP_SKB_CB(skb);
	bool fin = (tcb->tcp_flags & TCP_FIN) != 0;
	uint64_t tmo;

	tcp_set_state(sk, TCP_FIN_WAIT2);
	sk->shutdown |= 2;
	if (!sock_flag(sk, SOCK_F_DEAD)) {
		sk->state_change(sk);
		return 0;
	}
	if (tp->rare && tp->rare->linger2 < 0) {
		tcp_done(sk);
		TCPEXT_INC(sk->net, TCPAbortOnData);
		return 1;
	}
	if (tcb->end_seq != tcb->seq && after(tcb->end_seq - fin, tp->rcv_nxt)) {
		tcp_done(sk);
		TCPEXT_INC(sk->net, TCPAbortOnData);
		return 1;
	}
	tmo = tcp_fin_time_ns(sk);
	if (tmo > TCP_TIMEWAIT_LEN_NS) {
		tcp_reset_keepalive_timer(sk, tmo - TCP_TIMEWAIT_LEN_NS);
	} else if (fin) {
		tcp_reset_keepalive_timer(sk, tmo);
	} else {
		tcp_time_wait(sk, TCP_FIN_WAIT2, tmo);
		consume_skb(skb);
		return -1;
	}
	return 0;
}

/* The ACK's effect on the state. 0: go on; 1: reset; -1: consumed. */
static int state_by_ack(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	bool all = tp->snd_una == tp->write_seq;

	switch (sk->state) {
	case TCP_SYN_RECV:
		synrecv_established(sk, skb);
		return 0;
	case TCP_FIN_WAIT1:
		tcp_fastopen_child_proven(sk);
		return all ? finwait1_acked(sk, skb) : 0;
	case TCP_CLOSING:
		if (!all)
			return 0;
		tcp_time_wait(sk, TCP_TIME_WAIT, 0);
		consume_skb(skb);
		return -1;
	case TCP_LAST_ACK:
		if (!all)
			return 0;
		tcp_update_metrics(sk);
		tcp_done(sk);
		consume_skb(skb);
		return -1;
	}
	return 0;
}

/* Text in the states after ESTABLISHED. 0: queued or not for us (then freed); 1: reset. */
static int state_data(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	const struct tcp_skb_cb *tcb = TCP_SKB_CB(skb);
	bool fin = (tcb->tcp_flags & TCP_FIN) != 0;

	switch (sk->state) {
	case TCP_CLOSE_WAIT:
	case TCP_CLOSING:
	case TCP_LAST_ACK:
		if (!before(tcb->seq, tp->rcv_nxt)) {
			kfree_skb_reason(skb, DROP_TCP_OVERWINDOW); /* beyond the peer's FIN */
			return 0;
		}
		if (fin && tcb->end_seq == tp->rcv_nxt + 1) { /* another FIN, behind the one that ended the stream */
			tcp_send_dupack(sk, skb);
			kfree_skb_reason(skb, DROP_TCP_OVERWINDOW);
			return 0;
		}
		/* fall through */
	case TCP_FIN_WAIT1:
	case TCP_FIN_WAIT2:
		/* RFC 9293 3.6.1: data for which nobody is left is answered with a reset */
		if ((sk->shutdown & 1) && tcb->end_seq != tcb->seq && after(tcb->end_seq - fin, tp->rcv_nxt)) {
			TCPEXT_INC(sk->net, TCPAbortOnData);
			tcp_reset(sk, skb);
			return 1;
		}
		/* fall through */
	case TCP_ESTABLISHED:
		tcp_data_queue(sk, skb);
		return 0;
	}
	kfree_skb_reason(skb, DROP_TCP_CLOSE);
	return 0;
}

static int rcv_listen(struct sock *sk, struct sk_buff *skb)
{
	uint8_t flags = TCP_SKB_CB(skb)->tcp_flags;
	int err;

	if (flags & TCP_RST) {
		kfree_skb_reason(skb, DROP_TCP_RESET);
		return 0;
	}
	if (flags & TCP_ACK)
		return 1;
	if (!(flags & TCP_SYN) || (flags & TCP_FIN)) {
		kfree_skb_reason(skb, DROP_TCP_FLAGS);
		return 0;
	}
	err = inet_csk(sk)->af_ops->conn_request(sk, skb);
	if (err < 0)
		return 1;
	consume_skb(skb);
	return 0;
}

/* After a simultaneous open an ACK must be of our SYN (RFC 9293 3.10.7.4: SND.UNA < SEG.ACK). */
static bool syn_unacked(const struct sock *sk, uint32_t ack)
{
	const struct sk_buff *head = skb_peek(&tcp_sk(sk)->fl->rtx_queue);

	return head && (TCP_SKB_CB(head)->tcp_flags & TCP_SYN) && ack == TCP_SKB_CB(head)->seq;
}

int tcp_rcv_state_process(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint8_t flags = TCP_SKB_CB(skb)->tcp_flags;
	int r;
	TRACE_FN(&sk->net->probe, skb->serial);

	segs_in(tp, skb, tcp_hdrlen(tcp_hdr(skb)));
	if (sk->state == TCP_CLOSE) {
		kfree_skb_reason(skb, DROP_TCP_CLOSE);
		return 0;
	}
	if (sk->state == TCP_LISTEN)
		return rcv_listen(sk, skb);
	if (sk->state == TCP_SYN_SENT) {
		r = tcp_rcv_synsent(sk, skb);
		if (r >= 0)
			return r;
		tcp_urg(sk, skb);
		consume_skb(skb);
		tcp_data_snd_check(sk);
		return 0;
	}
	if (!(flags & (TCP_ACK | TCP_RST | TCP_SYN))) {
		kfree_skb_reason(skb, DROP_TCP_FLAGS);
		return 0;
	}
	if (tp->fastopen_child && tcp_fastopen_syn_again(sk, skb)) {
		consume_skb(skb);
		return 0;
	}
	if (!tcp_validate_incoming(sk, skb))
		return 0;
	if (sk->state == TCP_SYN_RECV && syn_unacked(sk, TCP_SKB_CB(skb)->ack_seq))
		return 1;
	tcp_ecn_received_counters(sk, skb, skb->len - tcp_hdrlen(tcp_hdr(skb)));
	if (unlikely(sk->state == TCP_SYN_RECV && (tp->ecn_flags & TCP_ECN_ACCECN)))
		tcp_accecn_third_ack(sk, skb);
	r = tcp_ack(sk, skb, FLAG_SLOWPATH | FLAG_UPDATE_TS_RECENT | FLAG_NO_CHALLENGE_ACK);
	if (r <= 0) {
		if (sk->state == TCP_SYN_RECV)
			return 1;
		if (r < 0) {
			tcp_send_challenge_ack(sk);
			kfree_skb_reason(skb, (enum drop_reason)-r);
			return 0;
		}
	}
	r = state_by_ack(sk, skb);
	if (r)
		return r > 0 ? 1 : 0;
	tcp_urg(sk, skb);
	if (state_data(sk, skb))
		return 1;
	if (sk->state != TCP_CLOSE) {
		tcp_data_snd_check(sk);
		tcp_ack_snd_check(sk);
	}
	return 0;
}

/* The peer's FIN is in sequence (RFC 9293 3.10.7.4, eighth). */
void tcp_fin(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	TRACE_FN(&sk->net->probe, 0);

	icsk->ack_pending |= ICSK_ACK_SCHED;
	tcp_sk(sk)->rx_opt.dsack = 0; /* of no interest to who has sent all */
	sk->shutdown |= 1;
	sk->flags |= SOCK_F_DONE;
	switch (sk->state) {
	case TCP_SYN_RECV:
	case TCP_ESTABLISHED:
		tcp_set_state(sk, TCP_CLOSE_WAIT);
		icsk->pingpong = tcp_pingpong_thresh(sk);
		break;
	case TCP_FIN_WAIT1: /* simultaneous close */
		tcp_send_ack(sk);
		tcp_set_state(sk, TCP_CLOSING);
		break;
	case TCP_FIN_WAIT2:
		tcp_send_ack(sk);
		tcp_ofo_purge(sk, DROP_TCP_OVERWINDOW);
		if (!sock_flag(sk, SOCK_F_DEAD)) {
			sk->state_change(sk);
			wake_up(sk->wq, POLLIN | POLLHUP);
		}
		tcp_time_wait(sk, TCP_TIME_WAIT, 0);
		return;
	}
	tcp_ofo_purge(sk, DROP_TCP_OVERWINDOW);
	if (!sock_flag(sk, SOCK_F_DEAD))
		sk->state_change(sk);
}
