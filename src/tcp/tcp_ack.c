/* An acknowledgement: what it frees, what it says of the round trip, and on whose desk it goes next.
 *
 * Called by tcp_input.c for every segment with ACK; hands on to tcp_sack.c (scoreboard), tcp_recovery.c (losses,
 * cwnd), tcp_cong.c. RFC 9293 3.10.7.4, RFC 6298, RFC 7323 4, RFC 5961 5.
 * Tests: tests/unit/tcp, test_tcp_stream.c. */
#include "tcp/tcp_accecn.h"
#include "tcp/tcp_int.h"

/* ---- round-trip time (RFC 6298, with Linux's refinements of the variance) ---- */
static void tcp_rtt_estimator(struct sock *sk, int64_t rtt_us)
{
	struct tcp_sock *tp = tcp_sk(sk);
	int64_t m = rtt_us > 0 ? rtt_us : 1;
	uint32_t min = tcp_rto_min_us(sk);

	if (m > 0x0fffffff)
		m = 0x0fffffff;
	if (!tp->srtt_us) {
		tp->srtt_us = (uint32_t)m << 3;
		tp->mdev_us = (uint32_t)m << 1;
		tp->rttvar_us = max_u32(tp->mdev_us, min);
		tp->mdev_max_us = tp->rttvar_us;
		tp->rtt_seq = tp->snd_nxt;
		return;
	}
	m -= tp->srtt_us >> 3;
	tp->srtt_us = (uint32_t)max_u64((uint64_t)((int64_t)tp->srtt_us + m), 1);
	if (m < 0) {
		/* a faster sample: let the variance sink slowly, so that RTO does not fall on good news */
		m = -m - (int64_t)(tp->mdev_us >> 2);
		if (m > 0)
			m >>= 3;
	} else {
		m -= tp->mdev_us >> 2;
	}
	tp->mdev_us = (uint32_t)((int64_t)tp->mdev_us + m);
	if (tp->mdev_us > tp->mdev_max_us) {
		tp->mdev_max_us = tp->mdev_us;
		if (tp->mdev_max_us > tp->rttvar_us)
			tp->rttvar_us = tp->mdev_max_us;
	}
	if (after(tp->snd_una, tp->rtt_seq)) {
		if (tp->mdev_max_us < tp->rttvar_us)
			tp->rttvar_us -= (tp->rttvar_us - tp->mdev_max_us) >> 2;
		tp->rtt_seq = tp->snd_nxt;
		tp->mdev_max_us = min;
	}
}

void tcp_set_rto(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint64_t rto = ((uint64_t)tp->srtt_us >> 3) + tp->rttvar_us;

	inet_csk(sk)->rto_us = (uint32_t)min_u64(rto, tcp_rto_max_us(sk));
}

/* The smallest round trip of the last five minutes (tcp_min_rtt_wlen). */
static void update_min_rtt(struct sock *sk, int64_t rtt_us)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint32_t now = tcp_time_ms(sk), us = rtt_us <= 0 ? 1 : (uint32_t)rtt_us;

	if (us <= tp->min_rtt_us || tp->min_rtt_us == ~0u || (uint32_t)(now - tp->min_rtt_stamp_ms) > (uint32_t)tcp_sysctl(sk)->min_rtt_wlen * 1000) {
		tp->min_rtt_us = us;
		tp->min_rtt_stamp_ms = now;
	}
}

static bool tcp_ack_update_rtt(struct sock *sk, int flag, int64_t seq_rtt, int64_t sack_rtt, int64_t ca_rtt)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (seq_rtt < 0)
		seq_rtt = sack_rtt;
	/* Karn's ambiguity is solved by the timestamp echoed (RFC 7323 4) */
	if (seq_rtt < 0 && tp->rx_opt.saw_tstamp && tp->rx_opt.rcv_tsecr && (flag & FLAG_ACKED)) {
		uint32_t delta = tcp_time_ms(sk) - tp->rx_opt.rcv_tsecr;

		if (delta < 0x7fffffff / 1000)
			seq_rtt = ca_rtt = delta ? (int64_t)delta * 1000 : 1000;
	}
	if (seq_rtt < 0)
		return false;
	update_min_rtt(sk, ca_rtt >= 0 ? ca_rtt : seq_rtt);
	tcp_rtt_estimator(sk, seq_rtt);
	tcp_set_rto(sk);
	inet_csk(sk)->backoff = 0;
	return true;
}

/* The three-way handshake gives the first sample (RFC 6298 2.2), unless the SYN was repeated. */
void tcp_synack_rtt_meas(struct sock *sk, uint64_t sent_ns)
{
	int64_t rtt = sent_ns ? (int64_t)((sk->net->now_ns - sent_ns) / NSEC_PER_USEC) : -1;

	tcp_ack_update_rtt(sk, FLAG_SYN_ACKED, rtt, -1, rtt);
}

/* ---- what is acknowledged leaves the retransmit queue ---- */
struct clean_state {
	uint64_t first_ackt, last_ackt;
	uint32_t pkts_acked;
	int flag;
	uint32_t prior_una;
};

static uint32_t tso_acked(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint32_t before_ = tcp_skb_pcount(skb);

	tcp_trim_head(sk, skb, tp->snd_una - TCP_SKB_CB(skb)->seq);
	return before_ - tcp_skb_pcount(skb);
}

/* start: skb's first octet before it was trimmed, if only a part of a train was acknowledged. */
static void clean_one(struct sock *sk, struct sk_buff *skb, uint32_t start, uint32_t pcount, uint32_t bytes, struct clean_state *cs,
		      struct tcp_sacktag_state *st)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_skb_cb *tcb = TCP_SKB_CB(skb);
	uint8_t sacked = tcb->sacked;

	if (unlikely(tcb->txstamp_ack))
		tcp_ack_tstamp(sk, skb, cs->prior_una);
	if (unlikely(sacked & (TCPCB_SACKED_RETRANS | TCPCB_EVER_RETRANS))) {
		if (sacked & TCPCB_SACKED_RETRANS)
			tp->fl->retrans_out -= pcount;
		cs->flag |= FLAG_RETRANS_DATA_ACKED;
	} else if (!(sacked & TCPCB_SACKED_ACKED)) {
		cs->last_ackt = skb->skb_mstamp_ns;
		if (!cs->first_ackt)
			cs->first_ackt = cs->last_ackt;
		if (before(start, st->reord))
			st->reord = start;
		if (!after(tcb->end_seq, tp->fl->high_seq))
			cs->flag |= FLAG_ORIG_SACK_ACKED;
	}
	if (sacked & TCPCB_SACKED_ACKED) {
		tp->fl->sacked_out -= pcount;
	} else if (!tcp_is_reno(tp)) {
		tp->delivered += pcount;
		tcp_rack_advance(tp, sacked, tcb->end_seq, skb->skb_mstamp_ns);
	}
	if (!(sacked & TCPCB_SACKED_ACKED)) {
		st->delivered_bytes += bytes;
		tcp_rate_skb_delivered(sk, skb, st);
	}
	if (sacked & TCPCB_LOST)
		tp->fl->lost_out -= pcount;
	tp->fl->packets_out -= pcount;
	cs->pkts_acked += pcount;
	if (likely(!(tcb->tcp_flags & TCP_SYN))) {
		cs->flag |= FLAG_DATA_ACKED;
	} else {
		cs->flag |= FLAG_SYN_ACKED;
		tp->fl->retrans_stamp_ms = 0;
	}
}

static int64_t since_us(const struct sock *sk, uint64_t t)
{
	return t ? (int64_t)((sk->net->now_ns - t) / NSEC_PER_USEC) : -1;
}

/* Frees every original that is wholly acknowledged (S3-159). */
static int tcp_clean_rtx_queue(struct sock *sk, uint32_t prior_fack, uint32_t prior_snd_una, struct tcp_sacktag_state *st, bool ece)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct clean_state cs = { .prior_una = prior_snd_una };
	struct sk_buff *skb;
	int64_t seq_rtt = -1, ca_rtt = -1, sack_rtt;
	bool rtt_update;
	TRACE_FN(&sk->net->probe, 0);

	while ((skb = skb_peek(&tp->fl->rtx_queue)) != NULL) {
		struct tcp_skb_cb *tcb = TCP_SKB_CB(skb);
		uint32_t start = tcb->seq, pcount, bytes = skb->len;
		bool whole = true;

		if (after(tcb->end_seq, tp->snd_una)) {
			if (tcp_skb_pcount(skb) == 1 || !after(tp->snd_una, tcb->seq))
				break;
			pcount = tso_acked(sk, skb);
			bytes -= skb->len;
			if (!pcount)
				break;
			whole = false;
		} else {
			pcount = tcp_skb_pcount(skb);
		}
		clean_one(sk, skb, start, pcount, bytes, &cs, st);
		if (!whole)
			break;
		tcp_rtx_queue_unlink_and_free(sk, skb);
	}
	if (!skb)
		tcp_chrono_stop(sk, TCP_CHRONO_BUSY);
	if (unlikely(tp->sack && tp->sack->rtx_root) && !before(tp->snd_una, tp->sack->tree_until))
		tp->sack->rtx_root = NULL; /* a whole window without a SACK */
	if (between(tp->snd_up, prior_snd_una, tp->snd_una))
		tp->snd_up = tp->snd_una;
	if (cs.first_ackt && !(cs.flag & FLAG_RETRANS_DATA_ACKED)) {
		seq_rtt = since_us(sk, cs.first_ackt);
		ca_rtt = since_us(sk, cs.last_ackt);
	}
	sack_rtt = since_us(sk, st->first_sackt_ns);
	if (st->first_sackt_ns)
		ca_rtt = since_us(sk, st->last_sackt_ns);
	rtt_update = tcp_ack_update_rtt(sk, cs.flag, seq_rtt, sack_rtt, ca_rtt);
	if (cs.flag & FLAG_ACKED) {
		cs.flag |= FLAG_SET_XMIT_TIMER;
		if (tcp_mtup_enabled(sk))
			tcp_mtup_acked(sk);
		if (tcp_is_reno(tp)) {
			tcp_remove_reno_sacks(sk, cs.pkts_acked, ece);
			/* without SACK nobody knows whether the retransmission or the original brought this about */
			if (cs.flag & FLAG_RETRANS_DATA_ACKED)
				cs.flag &= ~FLAG_ORIG_SACK_ACKED;
		} else if (before(st->reord, prior_fack)) {
			tcp_check_sack_reordering(sk, st->reord, false);
		}
	} else if (skb && rtt_update && sack_rtt >= 0 && sack_rtt > since_us(sk, skb->skb_mstamp_ns)) {
		cs.flag |= FLAG_SET_XMIT_TIMER; /* the RTO followed the new estimate */
	}
	st->rtt_us = ca_rtt;
	if (inet_csk(sk)->ca_ops->pkts_acked && cs.pkts_acked)
		inet_csk(sk)->ca_ops->pkts_acked(sk, cs.pkts_acked, ca_rtt);
	return cs.flag;
}

/* ---- the peer's window ---- */
static void snd_una_update(struct tcp_sock *tp, uint32_t ack)
{
	tp->bytes_acked += ack - tp->snd_una;
	tp->snd_una = ack;
}

static int tcp_ack_update_window(struct sock *sk, const struct sk_buff *skb, uint32_t ack, uint32_t ack_seq)
{
	struct tcp_sock *tp = tcp_sk(sk);
	const struct tcp_hdr *th = tcp_hdr(skb);
	uint32_t nwin = get_be16(th->window);
	int flag = 0;

	if (!(th->flags & TCP_SYN))
		nwin <<= tp->rx_opt.snd_wscale;
	if (after(ack, tp->snd_una) || after(ack_seq, tp->snd_wl1) || (ack_seq == tp->snd_wl1 && (nwin > tp->snd_wnd || !nwin))) {
		flag |= FLAG_WIN_UPDATE;
		tp->snd_wl1 = ack_seq;
		if (tp->snd_wnd != nwin) {
			tp->snd_wnd = nwin;
			tcp_update_pred_flags(tp);
			if (nwin > tp->max_window) {
				tp->max_window = nwin;
				tcp_sync_mss(sk, inet_csk(sk)->pmtu_cookie);
			}
		}
	}
	snd_una_update(tp, ack);
	return flag;
}

/* The window opened (or stayed shut): the persist timer. */
static void tcp_ack_probe(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct sk_buff *head = tcp_send_head(sk);

	if (!head)
		return;
	if (!after(TCP_SKB_CB(head)->end_seq, tcp_wnd_end(tcp_sk(sk)))) {
		icsk->backoff = 0;
		icsk->probes_tstamp_ms = 0;
		if (icsk->pending == ICSK_TIME_PROBE0)
			inet_csk_clear_rto(sk);
	} else {
		uint64_t when = tcp_probe0_when_us(sk, tcp_rto_max_us(sk));

		inet_csk_reset_xmit_timer(sk, ICSK_TIME_PROBE0, tcp_clamp_probe0_to_user_timeout(sk, (uint32_t)when));
	}
}

static void xmit_recovery(struct sock *sk, int rexmit)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (rexmit == REXMIT_NONE || sk->state == TCP_SYN_SENT)
		return;
	if (rexmit == REXMIT_NEW) {
		__tcp_push_pending_frames(sk, tcp_current_mss(sk), TCP_NAGLE_OFF);
		if (after(tp->snd_nxt, tp->fl->high_seq))
			return;
		tp->frto = 0;
	}
	tcp_xmit_retransmit_queue(sk);
}

/* A SACK or ECE on an acknowledgement that we had before. */
static int old_ack(struct sock *sk, struct sk_buff *skb, uint32_t prior_una, struct tcp_sacktag_state *st)
{
	int flag = FLAG_SLOWPATH, rexmit = REXMIT_NONE;
	uint32_t delivered = tcp_sk(sk)->delivered, lost = tcp_sk(sk)->lost;
	struct tcp_rate_sample rs = { .delivered = -1, .rtt_us = -1 };

	flag |= tcp_sacktag_write_queue(sk, skb, prior_una, st);
	if (flag & FLAG_CA_ALERT) {
		tcp_fastretrans_alert(sk, prior_una, 0, &flag, &rexmit);
		rs.acked_sacked = tcp_sk(sk)->delivered - delivered;
		rs.newly_lost = tcp_sk(sk)->lost - lost;
		tcp_rate_gen(sk, st, &rs);
		tcp_cong_control(sk, prior_una, flag, &rs);
		xmit_recovery(sk, rexmit);
	}
	return 0;
}

static bool ack_is_dubious(const struct sock *sk, int flag)
{
	return !(flag & FLAG_NOT_DUP) || (flag & FLAG_CA_ALERT) || inet_csk(sk)->ca_state != TCP_CA_Open;
}

static void set_xmit_timer(struct sock *sk)
{
	if (!tcp_schedule_loss_probe(sk, true))
		tcp_rearm_rto(sk);
}

/* RFC 7323 4.3. */
static int tcp_replace_ts_recent(struct tcp_sock *tp, uint32_t seq)
{
	int32_t delta = (int32_t)(tp->rx_opt.ts_recent - tp->rx_opt.rcv_tsval);

	if (!tp->rx_opt.saw_tstamp || after(seq, tp->rcv_wup))
		return 0;
	if (delta > 0) /* never back, not even the tick that PAWS forgives */
		return 0;
	tp->rx_opt.ts_recent = tp->rx_opt.rcv_tsval;
	tp->rx_opt.ts_recent_stamp = net_now_s(tp->icsk.inet.sk.net);
	return delta < 0 ? FLAG_TS_PROGRESS : 0;
}

/* Accurate ECN: FLAG_ECE if the peer tells of marks. */
static int accecn_ack(struct sock *sk, const struct sk_buff *skb, uint32_t pkts, uint32_t bytes, int flag)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint32_t marks = tcp_accecn_process(sk, skb, pkts, bytes, flag);

	if (!marks)
		return 0;
	tp->delivered_ce += marks;
	sk->net->mib.tcpext.TCPDeliveredCE += marks;
	if (tp->pred_flags)
		tcp_update_pred_flags(tp); /* which has ACE */
	return FLAG_ECE;
}

/* It acknowledges less than is acknowledged already: overtaken, or far too old (RFC 5961 5.2). */
static int ack_below_una(struct sock *sk, struct sk_buff *skb, int flag, struct tcp_sacktag_state *st)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	uint32_t max_window = min_u32(tp->max_window, (uint32_t)min_u64(tp->bytes_acked, 0xffffffffu));

	if (!before(TCP_SKB_CB(skb)->ack_seq, tp->snd_una - max_window))
		return old_ack(sk, skb, tp->snd_una, st);
	if (!(flag & FLAG_NO_CHALLENGE_ACK))
		tcp_send_challenge_ack(sk);
	return -(int)DROP_TCP_TOO_OLD_ACK;
}

/* Number and window are taken over; what SACK blocks and ECE say comes as flags. */
static int ack_news(struct sock *sk, const struct sk_buff *skb, uint32_t prior_una, int flag, struct tcp_sacktag_state *st)
{
	struct tcp_sock *tp = tcp_sk(sk);
	const struct tcp_skb_cb *tcb = TCP_SKB_CB((struct sk_buff *)(uintptr_t)skb);
	int news = 0;

	if ((flag & (FLAG_SLOWPATH | FLAG_SND_UNA_ADVANCED)) == FLAG_SND_UNA_ADVANCED) {
		tp->snd_wl1 = tcb->seq; /* header prediction: the window did not change */
		snd_una_update(tp, tcb->ack_seq);
		TCPEXT_INC(sk->net, TCPHPAcks);
		return FLAG_WIN_UPDATE;
	}
	if (tcb->seq != tcb->end_seq)
		news |= FLAG_DATA;
	else
		TCPEXT_INC(sk->net, TCPPureAcks);
	news |= tcp_ack_update_window(sk, skb, tcb->ack_seq, tcb->seq);
	if (tp->rx_opt.sack_ok && tcp_hdrlen(tcp_hdr(skb)) > TCP_HLEN + (tp->rx_opt.saw_tstamp ? 12u : 0u))
		news |= tcp_sacktag_write_queue(sk, skb, prior_una, st);
	if ((tcp_hdr(skb)->flags & (TCP_ECE | TCP_SYN)) == TCP_ECE && (tp->ecn_flags & TCP_ECN_OK))
		news |= FLAG_ECE;
	return news;
}

/* Nothing was out that it could acknowledge. */
static void ack_of_nothing(struct sock *sk, const struct sk_buff *skb, uint32_t prior_una, uint32_t delivered, int flag,
			   const struct tcp_sacktag_state *st)
{
	struct tcp_sock *tp = tcp_sk(sk);
	int rexmit = REXMIT_NONE;

	if (unlikely(tp->ecn_flags & TCP_ECN_ACCECN))
		flag |= accecn_ack(sk, skb, delivered, st->delivered_bytes, flag);
	if (flag & FLAG_DSACKING_ACK)
		tcp_fastretrans_alert(sk, prior_una, 0, &flag, &rexmit);
	tcp_ack_probe(sk);
	if (tp->fl->tlp_high_seq)
		tcp_process_tlp_ack(sk, TCP_SKB_CB((struct sk_buff *)(uintptr_t)skb)->ack_seq, flag);
	tcp_flight_over(sk);
}

/* How many segments it says have arrived; without SACK, where duplicates have counted none of them, those that left the queue. */
static uint32_t ack_delivered(struct sock *sk, uint32_t prior_packets, uint32_t delivered, int flag)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (tcp_is_reno(tp) && !delivered && (flag & FLAG_ACKED))
		delivered = prior_packets > tp->fl->packets_out ? prior_packets - tp->fl->packets_out : 0;
	if (delivered)
		tp->fl->delivered_ns = sk->net->now_ns;
	if (unlikely((flag & FLAG_ECE) && (tp->ecn_flags & TCP_ECN_OK))) {
		tp->delivered_ce += delivered;
		sk->net->mib.tcpext.TCPDeliveredCE += delivered;
	}
	sk->net->mib.tcpext.TCPDelivered += delivered;
	return delivered;
}

int tcp_ack(struct sock *sk, struct sk_buff *skb, int flag)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	uint32_t prior_una = tp->snd_una, ack = TCP_SKB_CB(skb)->ack_seq, prior_fack;
	uint32_t prior_packets = tp->fl->packets_out, delivered = tp->delivered, lost = tp->lost;
	struct tcp_sacktag_state st = { .reord = tp->snd_nxt, .rtt_us = -1 };
	struct tcp_rate_sample rs = { .delivered = -1 };
	int rexmit = REXMIT_NONE;
	TRACE_FN(&sk->net->probe, skb->serial);

	if (unlikely(before(ack, prior_una)))
		return ack_below_una(sk, skb, flag, &st);
	if (unlikely(after(ack, tp->snd_nxt)))
		return -(int)DROP_TCP_ACK_UNSENT_DATA;
	if (after(ack, prior_una)) {
		flag |= FLAG_SND_UNA_ADVANCED;
		icsk->retransmits = 0;
	}
	prior_fack = tcp_fack_seq(tp);
	if (flag & FLAG_UPDATE_TS_RECENT)
		flag |= tcp_replace_ts_recent(tp, TCP_SKB_CB(skb)->seq);
	flag |= ack_news(sk, skb, prior_una, flag, &st);
	icsk->probes_out = 0;
	sk->err_soft = 0;
	tp->rcv_tstamp_ms = tcp_time_ms(sk);
	if (!prior_packets) {
		ack_of_nothing(sk, skb, prior_una, tp->delivered - delivered, flag, &st);
		return 1;
	}
	flag |= tcp_clean_rtx_queue(sk, prior_fack, prior_una, &st, (flag & FLAG_ECE) != 0);
	tcp_zc_acked(sk);
	tcp_rack_update_reo_wnd(sk, &st);
	if (unlikely(tp->ecn_flags & TCP_ECN_ACCECN))
		flag |= accecn_ack(sk, skb, tp->delivered - delivered, st.delivered_bytes, flag);
	if (tp->fl->tlp_high_seq)
		tcp_process_tlp_ack(sk, ack, flag);
	if (unlikely(ack_is_dubious(sk, flag))) {
		uint32_t dup = !(flag & (FLAG_SND_UNA_ADVANCED | FLAG_NOT_DUP | FLAG_DSACKING_ACK));

		tcp_fastretrans_alert(sk, prior_una, dup, &flag, &rexmit);
	}
	if (flag & FLAG_SET_XMIT_TIMER)
		set_xmit_timer(sk);
	rs.acked_sacked = ack_delivered(sk, prior_packets, tp->delivered - delivered, flag);
	rs.rtt_us = st.rtt_us;
	rs.newly_lost = tp->lost - lost;
	rs.ece = (flag & FLAG_ECE) != 0;
	tcp_rate_gen(sk, &st, &rs);
	tcp_cong_control(sk, ack, flag, &rs);
	xmit_recovery(sk, rexmit);
	if (unlikely(tp->stat && tp->stat->rto_stamp_ms && icsk->ca_state != TCP_CA_Loss)) {
		tp->stat->total_rto_time_ms += tcp_time_ms(sk) - tp->stat->rto_stamp_ms;
		tp->stat->rto_stamp_ms = 0;
	}
	if (!tp->fl->packets_out)
		tcp_flight_over(sk);
	return 1;
}
