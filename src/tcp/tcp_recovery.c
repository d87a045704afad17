/* Loss: how it is found (RACK, RFC 8985; NewReno, RFC 6582), how cwnd comes down (PRR, RFC 6937), how it comes back
 * when nothing was lost (F-RTO, RFC 5682; Eifel, RFC 3522/4015; D-SACK, RFC 3708).
 *
 *            dup ACK/SACK            loss found                 all of high_seq acknowledged
 *   Open  ---------------> Disorder -----------> Recovery ------------------------------------> Open
 *     |  ECE: CWR                  RTO, anywhere: Loss ------- (undo when the RTO was spurious) --^
 *
 * Called by tcp_ack.c and tcp_timer.c. Tests: tests/unit/tcp. */
#include "tcp/tcp_int.h"

void tcp_set_ca_state(struct sock *sk, uint8_t st)
{
	if (inet_csk(sk)->ca_ops->set_state)
		inet_csk(sk)->ca_ops->set_state(sk, st);
	if (inet_csk(sk)->ca_state != st)
		TRACE(&sk->net->probe, TR_STATE, 0, "ca=%u->%u cwnd=%u ssthresh=%u", inet_csk(sk)->ca_state, st,
		      tcp_sk(sk)->snd_cwnd, tcp_sk(sk)->snd_ssthresh);
	inet_csk(sk)->ca_state = st & 15u;
}

/* The sums are kept step by step; a disagreement would be a bug of ours, not a peer's doing. */
void tcp_verify_left_out(struct tcp_sock *tp)
{
	if (unlikely(tcp_left_out(tp) > tp->fl->packets_out && tcp_is_reno(tp)))
		tp->fl->sacked_out = tp->fl->packets_out > tp->fl->lost_out ? tp->fl->packets_out - tp->fl->lost_out : 0;
}

void tcp_clear_retrans(struct tcp_sock *tp)
{
	if (tp->fl == &tcp_no_flight)
		return;
	tp->fl->retrans_out = 0;
	tp->fl->lost_out = 0;
	tp->fl->undo_marker = 0;
	tp->fl->undo_retrans = -1;
	tp->fl->sacked_out = 0;
	tp->fl->retransmit_hint = NULL;
}

void tcp_init_undo(struct tcp_sock *tp)
{
	tp->fl->undo_marker = tp->snd_una;
	tp->fl->undo_retrans = tp->fl->retrans_out ? (int32_t)tp->fl->retrans_out : -1;
}

/* ---- RACK (RFC 8985) ---- */
static bool sent_after(uint64_t t1, uint64_t t2, uint32_t seq1, uint32_t seq2)
{
	return t1 > t2 || (t1 == t2 && after(seq1, seq2));
}

void tcp_rack_advance(struct tcp_sock *tp, uint8_t sacked, uint32_t end_seq, uint64_t xmit_ns)
{
	uint64_t rtt = (tp->icsk.inet.sk.net->now_ns - xmit_ns) / NSEC_PER_USEC;

	/* the ACK of a retransmission is the original's if it echoes an older time or is faster than any round trip
	 * (6.2 step 2). A SACK above a hole says nothing by its echo, which stands still until the hole is filled (RFC 7323 4.3). */
	if (sacked & (TCPCB_EVER_RETRANS | TCPCB_SACKED_RETRANS)) {
		if (!after(end_seq, tp->snd_una) && tp->rx_opt.saw_tstamp && tp->rx_opt.rcv_tsecr &&
		    before(tp->rx_opt.rcv_tsecr, (uint32_t)(xmit_ns / NSEC_PER_MSEC)))
			return;
		if (rtt < tp->min_rtt_us)
			return;
	}
	tp->rack_advanced = 1;
	tp->fl->rack_rtt_us = (uint32_t)min_u64(rtt, 0xffffffffu);
	if (sent_after(xmit_ns, tp->fl->rack_mstamp_ns, end_seq, tp->fl->rack_end_seq)) {
		tp->fl->rack_mstamp_ns = xmit_ns;
		tp->fl->rack_end_seq = end_seq;
	}
}

static uint32_t rack_reo_wnd(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	if (!tp->reord_seen) {
		if (inet_csk(sk)->ca_state >= TCP_CA_Recovery)
			return 0;
		if (tp->fl->sacked_out >= tp->reordering && !(tcp_sysctl(sk)->recovery & 4))
			return 0;
	}
	return (uint32_t)min_u64((uint64_t)(tp->min_rtt_us >> 2) * tp->rack_reo_wnd_steps, tp->srtt_us >> 3);
}

/* How many that may yet come are looked at for the exact time of the next judgement. */
#define RACK_WAITING_MAX 64u

/* Marks lost whatever was sent long enough before the segment delivered last. Returns the time in us until the next
 * could be judged, 0: none. Walks only the list in order of sending and only up to the delivered one. */
static uint64_t rack_detect_loss(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint64_t reo_wnd = rack_reo_wnd(sk), timeout = 0, now = sk->net->now_ns;
	struct list_head *pos = tp->fl->tsorted_sent.next, *next;
	uint32_t waiting = 0;

	for (; pos != &tp->fl->tsorted_sent; pos = next) {
		struct sk_buff *skb = tcp_tsorted_skb(pos);
		const struct tcp_skb_cb *tcb = TCP_SKB_CB(skb);
		int64_t left;

		next = pos->next;
		if ((tcb->sacked & TCPCB_LOST) && !(tcb->sacked & TCPCB_SACKED_RETRANS))
			continue;
		if (!sent_after(tp->fl->rack_mstamp_ns, skb->skb_mstamp_ns, tp->fl->rack_end_seq, tcb->end_seq))
			break;
		left = (int64_t)tp->fl->rack_rtt_us + (int64_t)reo_wnd - (int64_t)((now - skb->skb_mstamp_ns) / NSEC_PER_USEC);
		if (left <= 0) {
			tcp_skb_mark_lost(sk, skb);
			list_del_init(pos);
		} else {
			timeout = max_u64(timeout, (uint64_t)left);
			/* The others were sent later still, and only the last of them decides. Where a peer makes many wait,
			 * the one delivered last stands for it: it is a little later. */
			if (++waiting == RACK_WAITING_MAX)
				return tp->fl->rack_rtt_us + reo_wnd - min_u64(tp->fl->rack_rtt_us + reo_wnd,
					(now - tp->fl->rack_mstamp_ns) / NSEC_PER_USEC);
		}
	}
	return timeout;
}

bool tcp_rack_mark_lost(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint64_t timeout;

	if (!tp->rack_advanced)
		return false;
	tp->rack_advanced = 0;
	timeout = rack_detect_loss(sk);
	if (timeout)
		inet_csk_reset_xmit_timer(sk, ICSK_TIME_REO_TIMEOUT, timeout + TCP_TIMEOUT_MIN_US);
	return timeout != 0;
}

static void cwnd_reduction(struct sock *sk, uint32_t acked_sacked, uint32_t newly_lost, int flag);

void tcp_rack_reo_timeout(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint32_t prior = tcp_packets_in_flight(tp), lost = tp->lost;

	rack_detect_loss(sk);
	if (prior != tcp_packets_in_flight(tp)) {
		if (inet_csk(sk)->ca_state != TCP_CA_Recovery) {
			tcp_enter_recovery(sk, false);
			if (!inet_csk(sk)->ca_ops->cong_control)
				cwnd_reduction(sk, 1, tp->lost - lost, 0);
		}
		tcp_xmit_retransmit_queue(sk);
	}
	if (inet_csk(sk)->pending != ICSK_TIME_RETRANS)
		tcp_rearm_rto(sk);
}

/* A D-SACK says that the reordering window was too short: widen it for sixteen recoveries (7.2 of the draft, 6.2 step 4). */
void tcp_rack_update_reo_wnd(struct sock *sk, const struct tcp_sacktag_state *st)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if ((tcp_sysctl(sk)->recovery & 2) || !st->last_sent_ns)
		return;
	if (before(st->prior_delivered, tp->rack_last_delivered))
		tp->rack_dsack_seen = 0; /* at most once per round trip */
	if (tp->rack_dsack_seen) {
		if (tp->rack_reo_wnd_steps < 255)
			tp->rack_reo_wnd_steps++;
		tp->rack_dsack_seen = 0;
		tp->rack_last_delivered = tp->delivered;
		tp->rack_reo_wnd_persist = TCP_RACK_RECOVERY_THRESH;
	} else if (!tp->rack_reo_wnd_persist) {
		tp->rack_reo_wnd_steps = 1;
	}
}

void tcp_check_sack_reordering(struct sock *sk, uint32_t low_seq, bool ts)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint32_t fack = tcp_fack_seq(tp), mss = max_u32(tp->mss_cache, 1), metric;

	if (!before(low_seq, fack))
		return;
	tcp_stat(sk)->reord_seen++;
	metric = fack - low_seq;
	if (metric > (uint32_t)tp->reordering * mss && mss)
		tp->reordering = (uint16_t)min_u32((metric + mss - 1) / mss, min_u32((uint32_t)tcp_sysctl(sk)->max_reordering, UINT16_MAX));
	tp->reord_seen = 1;
	if (ts)
		TCPEXT_INC(sk->net, TCPTSReorder);
	else
		TCPEXT_INC(sk->net, TCPSACKReorder);
}

/* ---- without SACK: duplicate ACKs stand for segments (RFC 6582) ---- */
void tcp_reset_reno_sack(struct tcp_sock *tp) { tp->fl->sacked_out = 0; }

/* acked: segments that an ACK took from packets_out just now; they were part of the flight that was reordered. */
static void limit_reno_sacked(struct sock *sk, uint32_t acked)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint32_t holes = tp->fl->lost_out > 1 ? tp->fl->lost_out : 1;

	holes = min_u32(holes, tp->fl->packets_out);
	if (tp->fl->sacked_out + holes > tp->fl->packets_out) {
		tp->fl->sacked_out = tp->fl->packets_out - holes;
		/* more duplicates than segments: they were reordered, not lost */
		tp->reordering = (uint16_t)min_u32(tp->fl->packets_out + acked, (uint32_t)tcp_sysctl(sk)->max_reordering);
		tp->reord_seen = 1;
		tcp_stat(sk)->reord_seen++;
		TCPEXT_INC(sk->net, TCPRenoReorder);
	}
}

static void add_reno_sack(struct sock *sk, uint32_t num_dupack, bool ece)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint32_t prior = tp->fl->sacked_out;

	if (!num_dupack)
		return;
	tp->fl->sacked_out += num_dupack;
	limit_reno_sacked(sk, 0);
	if (tp->fl->sacked_out > prior)
		tp->delivered += tp->fl->sacked_out - prior;
	(void)ece;
}

void tcp_remove_reno_sacks(struct sock *sk, uint32_t acked, bool ece)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (acked) {
		/* one hole was filled, the others had been counted as delivered */
		tp->delivered += acked > tp->fl->sacked_out ? acked - tp->fl->sacked_out : 1;
		tp->fl->sacked_out = acked - 1 >= tp->fl->sacked_out ? 0 : tp->fl->sacked_out - (acked - 1);
	}
	limit_reno_sacked(sk, acked);
	(void)ece;
}

static void newreno_mark_lost(struct sock *sk, bool una_advanced)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb = skb_peek(&tp->fl->rtx_queue);
	uint32_t mss;

	if (!((icsk->ca_state < TCP_CA_Recovery && tp->fl->sacked_out >= tp->reordering) ||
	      (icsk->ca_state == TCP_CA_Recovery && una_advanced)))
		return;
	if (TCP_SKB_CB(skb)->sacked & TCPCB_LOST)
		return;
	mss = tcp_current_mss(sk);
	if (tcp_skb_pcount(skb) > 1 && skb->len > mss)
		tcp_fragment(sk, &tp->fl->rtx_queue, skb, mss, mss);
	tcp_skb_mark_lost(sk, skb);
}

static void identify_packet_loss(struct sock *sk, int *flag)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (tcp_rtx_queue_empty(sk))
		return;
	if (tcp_is_reno(tp)) {
		newreno_mark_lost(sk, (*flag & FLAG_SND_UNA_ADVANCED) != 0);
	} else {
		uint32_t prior = tp->fl->retrans_out;

		if (tcp_rack_mark_lost(sk))
			*flag &= ~FLAG_SET_XMIT_TIMER;
		if (prior > tp->fl->retrans_out)
			*flag |= FLAG_LOST_RETRANS;
	}
}

/* ---- cwnd on the way down: proportional rate reduction (RFC 6937) ---- */
static bool in_cwnd_reduction(const struct sock *sk)
{
	return inet_csk(sk)->ca_state == TCP_CA_CWR || inet_csk(sk)->ca_state == TCP_CA_Recovery;
}

static uint32_t current_ssthresh(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	if (in_cwnd_reduction(sk))
		return tp->snd_ssthresh;
	return max_u32(tp->snd_ssthresh, (tp->snd_cwnd >> 1) + (tp->snd_cwnd >> 2));
}

static void init_cwnd_reduction(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	tcp_flight(sk)->high_seq = tp->snd_nxt;
	tp->fl->tlp_high_seq = 0;
	tp->snd_cwnd_cnt = 0;
	tp->fl->prior_cwnd = tp->snd_cwnd;
	tp->fl->prr_delivered = tp->fl->prr_out = 0;
	tp->snd_ssthresh = inet_csk(sk)->ca_ops->ssthresh(sk);
	if (tp->ecn_flags & TCP_ECN_OK)
		tp->ecn_flags |= TCP_ECN_QUEUE_CWR;
}

static void cwnd_reduction(struct sock *sk, uint32_t acked_sacked, uint32_t newly_lost, int flag)
{
	struct tcp_sock *tp = tcp_sk(sk);
	int64_t delta = (int64_t)tp->snd_ssthresh - tcp_packets_in_flight(tp), sndcnt;

	if (!acked_sacked || !tp->fl->prior_cwnd)
		return;
	tp->fl->prr_delivered += acked_sacked;
	if (delta < 0) {
		uint64_t dividend = (uint64_t)tp->snd_ssthresh * tp->fl->prr_delivered + tp->fl->prior_cwnd - 1;

		sndcnt = (int64_t)(dividend / tp->fl->prior_cwnd) - tp->fl->prr_out;
	} else {
		sndcnt = (int64_t)tp->fl->prr_delivered - tp->fl->prr_out;
		if (sndcnt < acked_sacked)
			sndcnt = acked_sacked;
		if ((flag & FLAG_SND_UNA_ADVANCED) && !newly_lost)
			sndcnt++;
		if (sndcnt > delta)
			sndcnt = delta;
	}
	/* the first retransmission must leave at once */
	if (sndcnt < (tp->fl->prr_out ? 0 : 1))
		sndcnt = tp->fl->prr_out ? 0 : 1;
	tp->snd_cwnd = max_u32((uint32_t)((int64_t)tcp_packets_in_flight(tp) + sndcnt), 1);
}

void tcp_end_cwnd_reduction(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (inet_csk(sk)->ca_ops->cong_control)
		return;
	if (tp->snd_ssthresh < TCP_INFINITE_SSTHRESH && (tp->fl->undo_marker || inet_csk(sk)->ca_state == TCP_CA_CWR)) {
		tp->snd_cwnd = max_u32(tp->snd_ssthresh, 1);
		tp->snd_cwnd_stamp_ms = tcp_time_ms(sk);
	}
	if (inet_csk(sk)->ca_ops->cwnd_event)
		inet_csk(sk)->ca_ops->cwnd_event(sk, CA_EVENT_COMPLETE_CWR);
}

void tcp_enter_cwr(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	tcp_flight(sk)->prior_ssthresh = 0;
	if (inet_csk(sk)->ca_state < TCP_CA_CWR) {
		tp->fl->undo_marker = 0;
		init_cwnd_reduction(sk);
		tcp_set_ca_state(sk, TCP_CA_CWR);
	}
}

void tcp_enter_recovery(struct sock *sk, bool ece)
{
	struct tcp_sock *tp = tcp_sk(sk);
	TRACE_FN(&sk->net->probe, 0);

	if (tcp_is_reno(tp))
		TCPEXT_INC(sk->net, TCPRenoRecovery);
	else
		TCPEXT_INC(sk->net, TCPSackRecovery);
	tp->fl->prior_ssthresh = 0;
	tcp_init_undo(tp);
	if (!in_cwnd_reduction(sk)) {
		if (!ece)
			tp->fl->prior_ssthresh = current_ssthresh(sk);
		init_cwnd_reduction(sk);
	}
	tcp_set_ca_state(sk, TCP_CA_Recovery);
}

/* ---- RTO: Loss ---- */
static void timeout_mark_lost(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *head = skb_peek(&tp->fl->rtx_queue), *skb;
	bool reneg = head && (TCP_SKB_CB(head)->sacked & TCPCB_SACKED_ACKED);

	if (reneg) { /* the peer threw away what it had SACKed (RFC 2018 8): believe no SACK any more */
		TCPEXT_INC(sk->net, TCPSACKReneging);
		tp->fl->sacked_out = 0;
		tp->is_sack_reneg = 1;
		memset(tp->sack->recv_sack_cache, 0, sizeof(tp->sack->recv_sack_cache));
	} else if (tcp_is_reno(tp)) {
		tcp_reset_reno_sack(tp);
	}
	skb_queue_walk(&tp->fl->rtx_queue, skb)
	{
		if (reneg)
			TCP_SKB_CB(skb)->sacked &= (uint8_t)~TCPCB_SACKED_ACKED;
		if (TCP_SKB_CB(skb)->sacked & TCPCB_SACKED_RETRANS && !(TCP_SKB_CB(skb)->sacked & TCPCB_LOST)) {
			TCP_SKB_CB(skb)->sacked &= (uint8_t)~TCPCB_SACKED_RETRANS;
			tp->fl->retrans_out -= tcp_skb_pcount(skb);
		}
		tcp_skb_mark_lost(sk, skb);
	}
	tcp_verify_left_out(tp);
	tp->fl->retransmit_hint = NULL;
}

void tcp_enter_loss(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	const struct tcp_sysctl *s = tcp_sysctl(sk);
	bool new_recovery = icsk->ca_state < TCP_CA_Recovery;
	TRACE_FN(&sk->net->probe, 0);

	timeout_mark_lost(sk);
	if (icsk->ca_state <= TCP_CA_Disorder || !after(tp->fl->high_seq, tp->snd_una) ||
	    (icsk->ca_state == TCP_CA_Loss && !icsk->retransmits)) {
		tp->fl->prior_ssthresh = current_ssthresh(sk);
		tp->fl->prior_cwnd = tp->snd_cwnd;
		tp->snd_ssthresh = icsk->ca_ops->ssthresh(sk);
		if (icsk->ca_ops->cwnd_event)
			icsk->ca_ops->cwnd_event(sk, CA_EVENT_LOSS);
		tcp_init_undo(tp);
	}
	tp->snd_cwnd = tcp_packets_in_flight(tp) + 1;
	tp->snd_cwnd_cnt = 0;
	tp->snd_cwnd_stamp_ms = tcp_time_ms(sk);
	if (icsk->ca_state <= TCP_CA_Disorder && tp->fl->sacked_out >= (uint32_t)s->reordering)
		tp->reordering = (uint16_t)min_u32(tp->reordering, (uint32_t)s->reordering);
	tcp_set_ca_state(sk, TCP_CA_Loss);
	tp->fl->high_seq = tp->snd_nxt;
	tp->fl->tlp_high_seq = 0;
	if (tp->ecn_flags & TCP_ECN_OK)
		tp->ecn_flags |= TCP_ECN_QUEUE_CWR;
	tp->frto = s->frto && (new_recovery || icsk->retransmits);
}

/* ---- undo: nothing was lost after all ---- */
/* Is what this ACK acknowledges the original, late: it echoes a time before the first retransmission; or there was none yet, when the
 * pacing or the host's own queues hold it back. The SYN's, and what NewReno does not leave Recovery for, are forgotten before. */
static bool packet_delayed(const struct tcp_sock *tp)
{
	if (tp->fl->retrans_stamp_ms)
		return tp->rx_opt.saw_tstamp && tp->rx_opt.rcv_tsecr && before(tp->rx_opt.rcv_tsecr, tp->fl->retrans_stamp_ms);
	return !tcp_state_in(&tp->icsk.inet.sk, TCPF_(SYN_SENT) | TCPF_(SYN_RECV)) && !(tcp_is_reno(tp) && !before(tp->snd_una, tp->fl->high_seq));
}

static bool may_undo(const struct tcp_sock *tp) { return tp->fl->undo_marker && (!tp->fl->undo_retrans || packet_delayed(tp)); }

static bool any_retrans_done(const struct sock *sk)
{
	const struct sk_buff *head = skb_peek(&tcp_sk(sk)->fl->rtx_queue);

	return tcp_sk(sk)->fl->retrans_out || (head && (TCP_SKB_CB(head)->sacked & TCPCB_EVER_RETRANS));
}

/* Nothing is lost. */
static void unmark_lost(struct tcp_sock *tp)
{
	struct sk_buff *skb;

	skb_queue_walk(&tp->fl->rtx_queue, skb)
		TCP_SKB_CB(skb)->sacked &= (uint8_t)~TCPCB_LOST;
	tp->fl->lost_out = 0;
	tp->fl->retransmit_hint = NULL;
	tp->rack_relist = 1;
}

/* What RACK took off its list when it judged it comes back to its place by time of sending, or a real loss among it would be
 * found by nobody but the RTO. Not before RACK has looked at the others: the time of these has long passed, and they would be
 * sent again with the very ACK that took the judgement back. The next delivery judges them. */
static void rack_relist(struct tcp_sock *tp)
{
	struct list_head *head = &tp->fl->tsorted_sent, *pos = head->next;
	uint64_t last = 0;
	struct sk_buff *skb;

	tp->rack_relist = 0;
	skb_queue_walk(&tp->fl->rtx_queue, skb)
	{
		struct tcp_skb_cb *tcb = TCP_SKB_CB(skb);

		if ((tcb->sacked & (TCPCB_LOST | TCPCB_SACKED_ACKED)) || !list_empty(&tcb->tx.tsorted))
			continue;
		if (skb->skb_mstamp_ns < last)
			pos = head->next;
		last = skb->skb_mstamp_ns;
		while (pos != head && tcp_tsorted_skb(pos)->skb_mstamp_ns <= last)
			pos = pos->next;
		list_add_tail(&tcb->tx.tsorted, pos);
	}
}

static void undo_cwnd_reduction(struct sock *sk, bool unmark)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (unmark)
		unmark_lost(tp);
	if (tp->fl->prior_ssthresh) {
		tp->snd_cwnd = inet_csk(sk)->ca_ops->undo_cwnd(sk);
		if (tp->fl->prior_ssthresh > tp->snd_ssthresh) {
			tp->snd_ssthresh = tp->fl->prior_ssthresh;
			tp->ecn_flags &= (uint8_t)~TCP_ECN_QUEUE_CWR;
		}
	}
	tp->snd_cwnd_stamp_ms = tcp_time_ms(sk);
	tp->fl->undo_marker = 0;
	tp->rack_advanced = 1; /* RACK is to look again */
}

bool tcp_try_undo_recovery(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (may_undo(tp)) {
		undo_cwnd_reduction(sk, false);
		if (inet_csk(sk)->ca_state == TCP_CA_Loss)
			TCPEXT_INC(sk->net, TCPLossUndo);
		else
			TCPEXT_INC(sk->net, TCPFullUndo);
	} else if (tp->rack_reo_wnd_persist) {
		tp->rack_reo_wnd_persist--;
	}
	if (tp->snd_una == tp->fl->high_seq && tcp_is_reno(tp)) {
		/* hold until something above high_seq is acknowledged, so that a false fast retransmit does not follow
		 * (RFC 6582 4) */
		if (!any_retrans_done(sk))
			tp->fl->retrans_stamp_ms = 0;
		return true;
	}
	tcp_set_ca_state(sk, TCP_CA_Open);
	tp->is_sack_reneg = 0;
	return false;
}

static bool try_undo_dsack(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!tp->fl->undo_marker || tp->fl->undo_retrans)
		return false;
	tp->rack_reo_wnd_persist = min_u32(TCP_RACK_RECOVERY_THRESH, tp->rack_reo_wnd_persist + 1u) & 31;
	undo_cwnd_reduction(sk, false);
	TCPEXT_INC(sk->net, TCPDSACKUndo);
	return true;
}

bool tcp_try_undo_loss(struct sock *sk, bool frto_undo)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!frto_undo && !may_undo(tp))
		return false;
	undo_cwnd_reduction(sk, true);
	TCPEXT_INC(sk->net, TCPLossUndo);
	if (frto_undo)
		TCPEXT_INC(sk->net, TCPSpuriousRTOs);
	inet_csk(sk)->retransmits = 0;
	if (frto_undo || !tcp_is_reno(tp)) {
		tcp_set_ca_state(sk, TCP_CA_Open);
		tp->is_sack_reneg = 0;
	}
	return true;
}

static void try_keep_open(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint8_t state = tcp_left_out(tp) || any_retrans_done(sk) ? TCP_CA_Disorder : TCP_CA_Open;

	if (inet_csk(sk)->ca_state != state) {
		tcp_set_ca_state(sk, state);
		tp->fl->high_seq = tp->snd_nxt;
	}
}

static void try_to_open(struct sock *sk, int flag)
{
	if (!any_retrans_done(sk))
		tcp_sk(sk)->fl->retrans_stamp_ms = 0;
	if (flag & FLAG_ECE)
		tcp_enter_cwr(sk);
	if (inet_csk(sk)->ca_state != TCP_CA_CWR)
		try_keep_open(sk);
}

/* A partial ACK that a timestamp proves to be the original's. True: wait for more. */
static bool try_undo_partial(struct sock *sk, uint32_t prior_una)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!tp->fl->undo_marker || !packet_delayed(tp))
		return false;
	tcp_check_sack_reordering(sk, prior_una, true);
	if (tp->fl->retrans_out)
		return true;
	if (!any_retrans_done(sk))
		tp->fl->retrans_stamp_ms = 0;
	undo_cwnd_reduction(sk, true);
	TCPEXT_INC(sk->net, TCPPartialUndo);
	try_keep_open(sk);
	return false;
}

/* In Loss: F-RTO (RFC 5682) decides whether the timeout was spurious. */
static void process_loss(struct sock *sk, int flag, uint32_t num_dupack, int *rexmit)
{
	struct tcp_sock *tp = tcp_sk(sk);
	bool recovered = !before(tp->snd_una, tp->fl->high_seq);

	if ((flag & FLAG_SND_UNA_ADVANCED) && tcp_try_undo_loss(sk, false))
		return;
	if (tp->frto) {
		/* step 3.b: something that was never retransmitted got through */
		if ((flag & FLAG_ORIG_SACK_ACKED) && tcp_try_undo_loss(sk, true))
			return;
		if (after(tp->snd_nxt, tp->fl->high_seq)) {
			if ((flag & FLAG_DATA_SACKED) || num_dupack)
				tp->frto = 0; /* step 3.a: the loss is real */
		} else if ((flag & FLAG_SND_UNA_ADVANCED) && !recovered) {
			tp->fl->high_seq = tp->snd_nxt;
			/* step 2.b: try new data before retransmitting more */
			if (tcp_send_head(sk) && after(tcp_wnd_end(tp), tp->snd_nxt)) {
				*rexmit = REXMIT_NEW;
				return;
			}
			tp->frto = 0;
		}
	}
	if (recovered) {
		tcp_try_undo_recovery(sk);
		return;
	}
	if (tcp_is_reno(tp)) {
		if (after(tp->snd_nxt, tp->fl->high_seq) && num_dupack)
			add_reno_sack(sk, num_dupack, (flag & FLAG_ECE) != 0);
		else if (flag & FLAG_SND_UNA_ADVANCED)
			tcp_reset_reno_sack(tp);
	}
	*rexmit = REXMIT_LOST;
}

/* ---- the decision at each dubious ACK ---- */
static bool check_sack_reneging(struct sock *sk, int *flag)
{
	struct sk_buff *head = skb_peek(&tcp_sk(sk)->fl->rtx_queue);
	uint64_t delay;

	if (!(*flag & FLAG_SND_UNA_ADVANCED) || !head || !(TCP_SKB_CB(head)->sacked & TCPCB_SACKED_ACKED))
		return false;
	/* the head is SACKed but not acknowledged: give the peer half a round trip to correct itself */
	delay = max_u64(tcp_sk(sk)->srtt_us >> 4, 10000);
	inet_csk_reset_xmit_timer(sk, ICSK_TIME_RETRANS, delay);
	*flag &= ~FLAG_SET_XMIT_TIMER;
	return true;
}

/* high_seq was reached: the end of CWR or Recovery. True: nothing more to decide. */
static bool leave_state(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (inet_csk(sk)->ca_state == TCP_CA_CWR) {
		if (tp->snd_una != tp->fl->high_seq) {
			tcp_end_cwnd_reduction(sk);
			tcp_set_ca_state(sk, TCP_CA_Open);
		}
	} else if (inet_csk(sk)->ca_state == TCP_CA_Recovery) {
		if (tcp_is_reno(tp))
			tcp_reset_reno_sack(tp);
		if (tcp_try_undo_recovery(sk))
			return true;
		tcp_end_cwnd_reduction(sk);
	}
	return false;
}

static void fastretrans_alert(struct sock *sk, uint32_t prior_una, uint32_t num_dupack, int *flag, int *rexmit)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);

	if (!tp->fl->packets_out && tp->fl->sacked_out)
		tp->fl->sacked_out = 0;
	if (*flag & FLAG_ECE)
		tp->fl->prior_ssthresh = 0;
	if (check_sack_reneging(sk, flag))
		return;
	tcp_verify_left_out(tp);
	if (icsk->ca_state == TCP_CA_Open)
		tp->fl->retrans_stamp_ms = 0;
	else if (!before(tp->snd_una, tp->fl->high_seq) && leave_state(sk))
		return;
	switch (icsk->ca_state) {
	case TCP_CA_Recovery:
		if (!(*flag & FLAG_SND_UNA_ADVANCED)) {
			if (tcp_is_reno(tp))
				add_reno_sack(sk, num_dupack, (*flag & FLAG_ECE) != 0);
		} else if (try_undo_partial(sk, prior_una)) {
			return;
		}
		if (try_undo_dsack(sk))
			try_to_open(sk, *flag);
		identify_packet_loss(sk, flag);
		if (icsk->ca_state != TCP_CA_Recovery) {
			if (!tp->fl->lost_out)
				return;
			tcp_enter_recovery(sk, (*flag & FLAG_ECE) != 0);
		}
		break;
	case TCP_CA_Loss:
		process_loss(sk, *flag, num_dupack, rexmit);
		identify_packet_loss(sk, flag);
		/* open again, or a retransmission was lost: judged like any other */
		if (icsk->ca_state != TCP_CA_Open && !(*flag & FLAG_LOST_RETRANS))
			return;
		/* fall through */
	default:
		if (tcp_is_reno(tp)) {
			if (*flag & FLAG_SND_UNA_ADVANCED)
				tcp_reset_reno_sack(tp);
			add_reno_sack(sk, num_dupack, (*flag & FLAG_ECE) != 0);
		}
		if (icsk->ca_state <= TCP_CA_Disorder)
			try_undo_dsack(sk);
		identify_packet_loss(sk, flag);
		if (!tp->fl->lost_out) {
			try_to_open(sk, *flag);
			return;
		}
		if (tcp_mtup_enabled(sk) && icsk->ca_state < TCP_CA_CWR && tcp_mtup_lost(sk))
			return;
		tcp_enter_recovery(sk, (*flag & FLAG_ECE) != 0);
	}
	*rexmit = REXMIT_LOST;
}

void tcp_fastretrans_alert(struct sock *sk, uint32_t prior_una, uint32_t num_dupack, int *flag, int *rexmit)
{
	TRACE_FN(&sk->net->probe, 0);
	tcp_flight(sk);
	fastretrans_alert(sk, prior_una, num_dupack, flag, rexmit);
	if (unlikely(tcp_sk(sk)->rack_relist))
		rack_relist(tcp_sk(sk));
}

/* The probe's end (RFC 8985 7.4.2): if it repaired a loss, that loss counts. */
void tcp_process_tlp_ack(struct sock *sk, uint32_t ack, int flag)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (before(ack, tp->fl->tlp_high_seq))
		return;
	if (!tp->tlp_retrans) {
		tp->fl->tlp_high_seq = 0; /* it was new data */
	} else if (flag & FLAG_DSACKING_ACK) {
		tp->fl->tlp_high_seq = 0; /* both copies came: no loss */
	} else if (after(ack, tp->fl->tlp_high_seq)) {
		init_cwnd_reduction(sk);
		tcp_set_ca_state(sk, TCP_CA_CWR);
		tcp_end_cwnd_reduction(sk);
		try_keep_open(sk);
		TCPEXT_INC(sk->net, TCPLossProbeRecovery);
	} else if (!(flag & (FLAG_SND_UNA_ADVANCED | FLAG_NOT_DUP | FLAG_DATA_SACKED))) {
		tp->fl->tlp_high_seq = 0; /* a pure duplicate: the original had arrived */
	}
}

void tcp_cong_control(struct sock *sk, uint32_t ack, int flag, const struct tcp_rate_sample *rs)
{
	struct tcp_sock *tp = tcp_sk(sk);
	bool may_raise;

	if (inet_csk(sk)->ca_ops->cong_control) {
		inet_csk(sk)->ca_ops->cong_control(sk, rs);
		return;
	}
	if (in_cwnd_reduction(sk)) {
		cwnd_reduction(sk, rs->acked_sacked, rs->newly_lost, flag);
		tcp_update_pacing_rate(sk);
		return;
	}
	may_raise = tp->reordering > (uint32_t)tcp_sysctl(sk)->reordering ? (flag & FLAG_FORWARD_PROGRESS) != 0
									  : (flag & FLAG_DATA_ACKED) != 0;
	if (may_raise && rs->acked_sacked) {
		inet_csk(sk)->ca_ops->cong_avoid(sk, ack, rs->acked_sacked);
		tp->snd_cwnd_stamp_ms = tcp_time_ms(sk);
	}
	tcp_update_pacing_rate(sk);
}
