/* What is sent when: the write queue under window, cwnd and Nagle; retransmissions; SYN, FIN, RST, ACKs, probes.
 *
 * Called by sendmsg, by tcp_input.c after an ACK, by the timers; sends by __tcp_transmit_skb (tcp_output.c).
 * RFC 9293 3.7.4 (Nagle), 3.8.6 (windows), RFC 8985 7 (tail loss probe), RFC 6937.
 * Tests: tests/unit/tcp, test_tcp_stream.c, test_tcp_state.c. */
#include "tcp/tcp_accecn.h"
#include "tcp/tcp_auth.h"
#include "tcp/tcp_int.h"

/* ---- new data ---- */
void tcp_event_new_data_sent(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint32_t prior = tp->fl->packets_out;

	tp->snd_nxt = TCP_SKB_CB(skb)->end_seq;
	skb_unlink(skb, &sk->write_queue);
	skb_queue_tail(&tp->fl->rtx_queue, skb);
	tcp_rtx_tree_insert(sk, skb);
	list_init(&TCP_SKB_CB(skb)->tx.tsorted);
	list_add_tail(&TCP_SKB_CB(skb)->tx.tsorted, &tp->fl->tsorted_sent);
	tp->fl->packets_out += tcp_skb_pcount(skb);
	if (!prior || inet_csk(sk)->pending == ICSK_TIME_LOSS_PROBE)
		tcp_rearm_rto(sk);
}

void tcp_rearm_rto(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	uint64_t rto = icsk->rto_us;

	if (unlikely(tp->fastopen_child)) /* the timer is the SYN-ACK's */
		return;
	if (!tp->fl->packets_out) {
		inet_csk_clear_rto(sk);
		return;
	}
	if (icsk->pending == ICSK_TIME_REO_TIMEOUT || icsk->pending == ICSK_TIME_LOSS_PROBE) {
		const struct sk_buff *head = skb_peek(&tp->fl->rtx_queue);
		uint64_t due = head->skb_mstamp_ns + rto * NSEC_PER_USEC, now = sk->net->now_ns;

		rto = due > now + NSEC_PER_USEC ? (due - now) / NSEC_PER_USEC : 1;
	}
	tcp_reset_xmit_timer(sk, ICSK_TIME_RETRANS, rto);
}

/* Nagle (RFC 9293 3.7.4) with Minshall's refinement: a small segment waits only for an earlier small one. */
static bool tcp_nagle_allows(const struct tcp_sock *tp, const struct sk_buff *skb, uint32_t mss_now, int nonagle)
{
	if (nonagle & TCP_NAGLE_PUSH)
		return true;
	if (TCP_SKB_CB(skb)->tcp_flags & TCP_FIN || tp->snd_up != tp->snd_una)
		return true;
	if (skb->len >= mss_now)
		return true;
	if (nonagle & TCP_NAGLE_CORK)
		return false;
	if (nonagle & TCP_NAGLE_OFF)
		return true;
	return !(tp->fl->packets_out && after(tp->snd_sml, tp->snd_una) && !after(tp->snd_sml, tp->snd_nxt));
}

static uint32_t tcp_cwnd_test(const struct tcp_sock *tp)
{
	uint32_t in_flight = tcp_packets_in_flight(tp);

	/* no train of more than half of it: while one is acknowledged, another is on its way */
	return in_flight >= tp->snd_cwnd ? 0 : min_u32(max_u32(tp->snd_cwnd >> 1, 1), tp->snd_cwnd - in_flight);
}

static bool tcp_snd_wnd_test(const struct tcp_sock *tp, const struct sk_buff *skb, uint32_t mss)
{
	uint32_t end = TCP_SKB_CB(skb)->end_seq;

	if (skb->len > mss)
		end = TCP_SKB_CB(skb)->seq + mss;
	return !after(end, tcp_wnd_end(tp));
}

/* Does Nagle's rule, or a cork, keep a part of a segment at a train's end? */
static bool nagle_keeps_tail(const struct tcp_sock *tp, int nonagle)
{
	if (nonagle & TCP_NAGLE_CORK)
		return true;
	return !nonagle && tp->fl->packets_out && after(tp->snd_sml, tp->snd_una) && !after(tp->snd_sml, tp->snd_nxt);
}

/* How much of skb window and cwnd allow now; the tail, less than a segment, if it may go. */
static uint32_t tcp_mss_split_point(const struct tcp_sock *tp, const struct sk_buff *skb, uint32_t mss, uint32_t quota, int nonagle)
{
	uint32_t window = tcp_wnd_end(tp) - TCP_SKB_CB(skb)->seq, needed, partial;
	uint64_t max_len = (uint64_t)mss * quota;

	if (max_len <= window && skb->len > max_len)
		return (uint32_t)max_len;
	needed = min_u32(skb->len, window);
	if (max_len <= needed)
		return (uint32_t)max_len;
	partial = needed % mss;
	return partial && nagle_keeps_tail(tp, nonagle) ? needed - partial : needed;
}

/* How many segments a train may have: a millisecond's worth at the rate of cwnd / srtt, at least tcp_min_tso_segs; and
 * near peers (tcp_tso_rtt_log) get longer ones, the farther the shorter, unless the program asked for pacing. */
static uint32_t tcp_tso_segs(const struct sock *sk, uint32_t mss)
{
	const struct tcp_sysctl *s = tcp_sysctl(sk);
	uint32_t r = tcp_rtt_distance(sk), segs;
	uint64_t bytes;

	if (unlikely(sock_flag(sk, SOCK_F_NO_GSO)))
		return 1;
	if (likely(r == 0 && !tcp_needs_pacing(sk)))
		return max_u32(TCP_GSO_MAX / mss, 1);
	bytes = tcp_pacing_rate(sk) >> 10;
	if (r < 32 && !tcp_needs_pacing(sk))
		bytes += TCP_GSO_MAX >> r;
	segs = (uint32_t)min_u64(bytes, TCP_GSO_MAX) / mss;
	return max_u32(segs, (uint32_t)s->min_tso_segs);
}

/* A train waits a little for more window rather than leave in pieces: not in recovery, not when the last train left more
 * than a millisecond ago, and only if the ACK that would bring more is due within a millisecond or half a round trip. */
static bool tcp_tso_should_defer(const struct sock *sk, const struct sk_buff *skb, uint32_t quota, uint32_t segs, bool *cwnd_limited)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	uint64_t now = sk->net->now_ns, srtt_ns = (uint64_t)(tp->srtt_us >> 3) * NSEC_PER_USEC, last;
	uint32_t limit, div = (uint32_t)tcp_sysctl(sk)->tso_win_divisor, wnd, cwnd_room = quota * tp->mss_cache;

	if (inet_csk(sk)->ca_state >= TCP_CA_Recovery || tcp_rtx_queue_empty(sk))
		return false;
	if (list_empty(&tp->fl->tsorted_sent))
		return false;
	last = max_u64(tcp_tsorted_skb(tp->fl->tsorted_sent.prev)->skb_mstamp_ns, tcp_last_departure_ns(sk));
	if (now > last + NSEC_PER_MSEC)
		return false;
	wnd = tcp_wnd_end(tp) - TCP_SKB_CB(skb)->seq;
	limit = min_u32(wnd, cwnd_room);
	if (limit >= segs * tp->mss_cache)
		return false;
	if (!skb_queue_is_last(&sk->write_queue, skb) && limit >= skb->len)
		return false;
	if (div && limit >= min_u32(tp->snd_wnd, tp->snd_cwnd * tp->mss_cache) / div)
		return false;
	if (skb_peek(&tp->fl->rtx_queue)->skb_mstamp_ns + srtt_ns > now + min_u64(srtt_ns / 2, NSEC_PER_MSEC))
		return false;
	if (cwnd_room < wnd) {
		if (cwnd_room <= skb->len) {
			*cwnd_limited = true;
			return true;
		}
	} else if (wnd <= skb->len) {
		return true;
	}
	return !(TCP_SKB_CB(skb)->tcp_flags & TCP_FIN || TCP_SKB_CB(skb)->eor);
}

/* Not more in the host's own queues than about a millisecond's worth (Linux's TCP Small Queues). */
static bool tcp_small_queue_check(struct sock *sk, const struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint64_t limit = 2ull * skb->truesize, rate;

	if (likely(sk->wmem_alloc <= (int32_t)limit))
		return false;
	rate = (uint64_t)tp->snd_cwnd * tp->mss_cache * 2 * 1000000 / max_u32(tp->srtt_us >> 3, 1);
	limit = max_u64(limit, rate >> 10);
	limit = min_u64(limit, (uint64_t)tcp_sysctl(sk)->limit_output_bytes);
	if ((uint64_t)sk->wmem_alloc <= limit || tcp_rtx_queue_empty(sk))
		return false;
	tp->tsq_throttled = 1;
	return true;
}

/* After a burst: was cwnd the limit, and arm the tail loss probe. */
static void write_xmit_done(struct sock *sk, uint32_t sent, bool cwnd_limited, int push_one)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (inet_csk(sk)->ca_state == TCP_CA_Recovery || inet_csk(sk)->ca_state == TCP_CA_CWR)
		tp->fl->prr_out += sent;
	cwnd_limited |= tcp_packets_in_flight(tp) >= tp->snd_cwnd;
	tcp_cwnd_validate(sk, cwnd_limited);
	if (sent && push_one != 2) /* who writes while cwnd is full does not put the probe off */
		tcp_schedule_loss_probe(sk, false);
}

static struct sk_buff *tcp_grow_skb(struct sock *sk, struct sk_buff *skb, uint32_t mss_now, uint32_t quota)
{
	uint32_t want = mss_now * (sk->gso_max_segs > 1 ? min_u32(quota, tcp_tso_segs(sk, mss_now)) : 1);

	return skb->len < want ? tcp_fill_up(sk, skb, want) : skb;
}

/* 1 sent, 0 not now, -1 not now because of the peer's window. */
static int write_xmit_one(struct sock *sk, struct sk_buff *skb, uint32_t mss_now, uint32_t quota, int nonagle, int push_one,
			   bool *cwnd_limited)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint32_t limit = mss_now, segs;

	tcp_skb_set_pcount(skb, mss_now);
	if (unlikely(!tcp_snd_wnd_test(tp, skb, mss_now)))
		return -1;
	if (likely(skb->len <= mss_now)) {
		int mode = nonagle;

		if (!skb_queue_is_last(&sk->write_queue, skb))
			mode |= TCP_NAGLE_PUSH; /* more follows: this one will not grow */
		if (unlikely(!tcp_nagle_allows(tp, skb, mss_now, mode)))
			return 0;
	} else {
		segs = tcp_tso_segs(sk, mss_now);
		if (!push_one && tcp_tso_should_defer(sk, skb, quota, segs, cwnd_limited))
			return 0;
		if (likely(tp->snd_up == tp->snd_una)) /* a train has one urgent pointer for all */
			limit = tcp_mss_split_point(tp, skb, mss_now, min_u32(quota, segs), nonagle);
	}
	if (skb->len > limit && tcp_fragment(sk, &sk->write_queue, skb, limit, mss_now))
		return 0;
	if (unlikely(tcp_small_queue_check(sk, skb)))
		return 0;
	if (skb->len == 0 && !(TCP_SKB_CB(skb)->tcp_flags & (TCP_FIN | TCP_SYN)))
		return 0;
	return __tcp_transmit_skb(sk, skb, true) == 0;
}

/* Send what may be sent. push_one: 1 at most one skb, 2 one even without cwnd (loss probe). True: nothing is out and
 * something waits, so that the caller arms the persist timer. */
bool tcp_write_xmit(struct sock *sk, uint32_t mss_now, int nonagle, int push_one)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb;
	uint32_t sent = 0;
	bool cwnd_limited = false, paced = false;
	int r = 0;
	TRACE_FN(&sk->net->probe, 0);

	if (tcp_mtup_enabled(sk) && !push_one && tcp_send_head(sk)) {
		r = tcp_mtu_probe(sk);
		if (!r)
			return false; /* what is out makes room for a probe */
		sent = r > 0;
	}
	while ((skb = tcp_send_head(sk)) != NULL) {
		uint32_t quota = tcp_cwnd_test(tp);

		r = 0;
		if (tcp_pacing_check(sk)) {
			paced = true;
			break;
		}
		if (!quota) {
			if (push_one != 2) {
				cwnd_limited = true;
				break;
			}
			quota = 1;
		}
		if (unlikely(!skb_queue_is_last(&sk->write_queue, skb) && skb->len < mss_now * quota))
			skb = tcp_grow_skb(sk, skb, mss_now, quota);
		r = unlikely(tcp_repair_sends(sk)) ? tcp_repair_sent(sk, skb, mss_now) :
						    write_xmit_one(sk, skb, mss_now, quota, nonagle, push_one, &cwnd_limited);
		if (r <= 0)
			break;
		tcp_event_new_data_sent(sk, skb);
		if (skb->len < tcp_skb_pcount(skb) * mss_now)
			tp->snd_sml = TCP_SKB_CB(skb)->end_seq;
		sent += tcp_skb_pcount(skb);
		if (push_one)
			break;
	}
	if (unlikely(r < 0))
		tcp_chrono_start(sk, TCP_CHRONO_RWND_LIMITED);
	else
		tcp_chrono_stop(sk, TCP_CHRONO_RWND_LIMITED);
	if (sent || cwnd_limited) {
		write_xmit_done(sk, sent, cwnd_limited, push_one);
		if (sent)
			return false;
	}
	return !tp->fl->packets_out && tcp_send_head(sk) != NULL && !paced;
}

void __tcp_push_pending_frames(struct sock *sk, uint32_t cur_mss, int nonagle)
{
	TRACE_FN(&sk->net->probe, 0);
	if (unlikely(sk->state == TCP_CLOSE))
		return;
	if (tcp_write_xmit(sk, cur_mss, nonagle, 0)) {
		struct inet_connection_sock *icsk = inet_csk(sk);

		if (!icsk->pending)
			inet_csk_reset_xmit_timer(sk, ICSK_TIME_PROBE0, tcp_probe0_when_us(sk, tcp_rto_max_us(sk)));
	}
}

/* ---- retransmission ---- */
int __tcp_retransmit_skb(struct sock *sk, struct sk_buff *skb, uint32_t segs)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_skb_cb *tcb = TCP_SKB_CB(skb);
	uint32_t cur_mss, len;
	int32_t avail;
	int err;
	TRACE_FN(&sk->net->probe, skb->serial);

	if (before(tcb->seq, tp->snd_una)) {
		if (before(tcb->end_seq, tp->snd_una))
			return -EINVAL;
		if (tcb->tcp_flags & TCP_SYN) { /* the SYN was acknowledged, its data not */
			tcb->tcp_flags &= (uint8_t)~TCP_SYN;
			tcb->seq++;
		}
		if (after(tp->snd_una, tcb->seq))
			tcp_trim_head(sk, skb, tp->snd_una - tcb->seq);
	}
	if (tcp_mtup_enabled(sk))
		tp->rare->mtup.probe_size = 0; /* whatever becomes of it says nothing now */
	if (inet_csk(sk)->af_ops->rebuild_header(sk))
		return -EHOSTUNREACH;
	cur_mss = tcp_current_mss(sk);
	avail = (int32_t)(tcp_wnd_end(tp) - tcb->seq);
	if (avail <= 0 && !(tcb->tcp_flags & TCP_SYN)) {
		if (tcb->seq != tp->snd_una)
			return -EAGAIN;
		avail = (int32_t)cur_mss; /* one segment may go beyond a shrunk window, as a probe (SHLD-16) */
	}
	len = cur_mss * segs;
	if (!(tcb->tcp_flags & TCP_SYN) && (uint32_t)avail < len && skb->len > (uint32_t)avail) {
		len = (uint32_t)avail / cur_mss * cur_mss;
		if (!len)
			len = (uint32_t)avail;
	}
	if (skb->len > len) {
		if (tcp_fragment(sk, &tp->fl->rtx_queue, skb, len, cur_mss))
			return -ENOMEM;
	} else {
		if (tcp_skb_pcount(skb) > 1 || skb->len > cur_mss) {
			uint32_t old = tcp_skb_pcount(skb);

			tcp_skb_set_pcount(skb, cur_mss);
			tp->fl->packets_out += tcp_skb_pcount(skb) - old;
			if (tcb->sacked & TCPCB_LOST)
				tp->fl->lost_out += tcp_skb_pcount(skb) - old;
		}
		if (skb->len < min_u32((uint32_t)avail, cur_mss))
			tcp_retrans_try_collapse(sk, skb, min_u32((uint32_t)avail, cur_mss));
	}
	/* an ECN SYN that went unanswered is repeated without */
	if ((tcb->tcp_flags & (TCP_SYN | TCP_ECE | TCP_CWR)) == (TCP_SYN | TCP_ECE | TCP_CWR) && !tcp_ecn_syn_again(sk, tp->total_retrans + 1))
		tcb->tcp_flags &= (uint8_t)~(TCP_ECE | TCP_CWR);
	segs = tcp_skb_pcount(skb);
	TCP_INC(sk->net, RetransSegs);
	sk->net->mib.tcp.RetransSegs += segs ? segs - 1 : 0;
	if (tcb->tcp_flags & TCP_SYN)
		TCPEXT_INC(sk->net, TCPSynRetrans);
	tp->total_retrans += segs;
	tcp_stat(sk)->bytes_retrans += skb->len;
	err = __tcp_transmit_skb(sk, skb, true);
	tcb->sacked |= TCPCB_EVER_RETRANS;
	if (err)
		TCPEXT_INC(sk->net, TCPRetransFail);
	return err;
}

int tcp_retransmit_skb(struct sock *sk, struct sk_buff *skb, uint32_t segs)
{
	struct tcp_sock *tp = tcp_sk(sk);
	int err = __tcp_retransmit_skb(sk, skb, segs);

	if (err == 0) {
		TCP_SKB_CB(skb)->sacked |= TCPCB_SACKED_RETRANS;
		tp->fl->retrans_out += tcp_skb_pcount(skb);
	}
	if (!tp->fl->retrans_stamp_ms)
		tp->fl->retrans_stamp_ms = tcp_time_ms(sk) ? tcp_time_ms(sk) : 1;
	if (tp->fl->undo_retrans < 0)
		tp->fl->undo_retrans = 0;
	tp->fl->undo_retrans += (int32_t)tcp_skb_pcount(skb);
	return err;
}

/* Retransmit what is marked lost, as cwnd allows. The hint remembers where the last call stopped. */
void tcp_xmit_retransmit_queue(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb = tp->fl->retransmit_hint ? tp->fl->retransmit_hint : skb_peek(&tp->fl->rtx_queue);
	uint32_t max_segs = tp->fl->lost_out ? tcp_tso_segs(sk, tcp_current_mss(sk)) : 1;
	bool rearm = false;
	TRACE_FN(&sk->net->probe, 0);

	for (; skb && skb != (struct sk_buff *)(void *)&tp->fl->rtx_queue; skb = skb->next) {
		uint8_t sacked = TCP_SKB_CB(skb)->sacked;
		uint32_t in_flight = tcp_packets_in_flight(tp);

		if (tcp_pacing_check(sk))
			break;
		tp->fl->retransmit_hint = skb;
		if (in_flight >= tp->snd_cwnd)
			break;
		if (tp->fl->retrans_out >= tp->fl->lost_out)
			break;
		if (!(sacked & TCPCB_LOST) || sacked & (TCPCB_SACKED_ACKED | TCPCB_SACKED_RETRANS))
			continue;
		if (icsk->ca_state != TCP_CA_Loss)
			TCPEXT_INC(sk->net, TCPFastRetrans);
		else
			TCPEXT_INC(sk->net, TCPSlowStartRetrans);
		if (tcp_small_queue_check(sk, skb))
			break;
		if (tcp_retransmit_skb(sk, skb, min_u32(tp->snd_cwnd - in_flight, max_segs)))
			break;
		if (icsk->ca_state == TCP_CA_Recovery || icsk->ca_state == TCP_CA_CWR)
			tp->fl->prr_out += tcp_skb_pcount(skb);
		if (skb == skb_peek(&tp->fl->rtx_queue) && icsk->pending != ICSK_TIME_REO_TIMEOUT)
			rearm = true;
	}
	if (rearm)
		tcp_reset_xmit_timer(sk, ICSK_TIME_RETRANS, icsk->rto_us);
}

/* The path's MTU fell: what is larger is as good as lost (RFC 1191 6.5), without a change of cwnd. */
void tcp_simple_retransmit(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	bool all = tp->syn_data && sk->state == TCP_SYN_SENT; /* a SYN with data: it goes again without */
	uint32_t mss = tcp_current_mss(sk);
	struct sk_buff *skb;

	if (!tp->fl->packets_out) /* nothing is on its way, and tcp_no_flight cannot be written */
		return;
	skb_queue_walk(&tp->fl->rtx_queue, skb)
	{
		uint32_t seg = tcp_skb_pcount(skb) > 1 ? TCP_SKB_CB(skb)->gso_size : skb->len;

		if ((seg <= mss && !all) || (TCP_SKB_CB(skb)->sacked & TCPCB_SACKED_ACKED))
			continue;
		if (TCP_SKB_CB(skb)->sacked & TCPCB_SACKED_RETRANS) {
			TCP_SKB_CB(skb)->sacked &= (uint8_t)~TCPCB_SACKED_RETRANS;
			tp->fl->retrans_out -= tcp_skb_pcount(skb);
		}
		tcp_skb_mark_lost(sk, skb);
	}
	tp->fl->retransmit_hint = NULL;
	if (!tp->fl->lost_out)
		return;
	if (inet_csk(sk)->ca_state != TCP_CA_Loss) {
		tp->fl->high_seq = tp->snd_nxt;
		tp->snd_ssthresh = max_u32(tp->snd_ssthresh, (tp->snd_cwnd >> 1) + (tp->snd_cwnd >> 2));
		tp->fl->prior_ssthresh = 0;
		tp->fl->undo_marker = 0;
		tcp_set_ca_state(sk, TCP_CA_Loss);
	}
	tcp_xmit_retransmit_queue(sk);
}

/* ---- tail loss probe (RFC 8985 7) ---- */
/* How long until the RTO of the segment that has been out for longest: from its departure; or, where that time is over, from the
 * last ACK that delivered something, which had restarted it (RFC 6298 5.3). Where that is over too, a probe restarted it (RFC 8985
 * 7.3) and this one is none: no bound. */
static uint64_t rto_left_us(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	uint64_t now = sk->net->now_ns, rto = (uint64_t)inet_csk(sk)->rto_us * NSEC_PER_USEC;
	uint64_t due = skb_peek(&tp->fl->rtx_queue)->skb_mstamp_ns + rto;

	if (due <= now)
		due = tp->fl->delivered_ns + rto;
	if (due <= now)
		return UINT64_MAX;
	return due > now + NSEC_PER_USEC ? (due - now) / NSEC_PER_USEC : 1;
}

bool tcp_schedule_loss_probe(struct sock *sk, bool advancing_rto)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	int early = tcp_sysctl(sk)->early_retrans;
	uint64_t timeout;

	if (unlikely(tp->fastopen_child))
		return false;

	/* where segments are SACKed (in CWR that can be) the reordering timer runs, and no probe is to take its place: 7.2 */
	if ((early != 3 && early != 4) || !tp->fl->packets_out || tcp_is_reno(tp) || tp->fl->sacked_out ||
	    (icsk->ca_state != TCP_CA_Open && icsk->ca_state != TCP_CA_CWR))
		return false;
	if (tp->srtt_us) {
		timeout = tp->srtt_us >> 2;
		timeout += tp->fl->packets_out == 1 ? tcp_rto_min_us(sk) : TCP_TIMEOUT_MIN_US;
	} else {
		timeout = TCP_TIMEOUT_INIT_US;
	}
	/* never later than the RTO would come: 7.2 */
	timeout = min_u64(timeout, advancing_rto ? icsk->rto_us : rto_left_us(sk));
	tcp_reset_xmit_timer(sk, ICSK_TIME_LOSS_PROBE, timeout);
	return true;
}

bool tcp_send_loss_probe(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb;
	uint32_t mss = tcp_current_mss(sk), before_ = tp->fl->packets_out, len;
	TRACE_FN(&sk->net->probe, 0);

	if (tp->fl->tlp_high_seq)
		goto rearm;
	tp->tlp_retrans = 0;
	skb = tcp_send_head(sk);
	if (skb && tcp_snd_wnd_test(tp, skb, mss)) {
		tcp_write_xmit(sk, mss, TCP_NAGLE_OFF, 2);
		if (tp->fl->packets_out > before_)
			goto sent;
		goto rearm;
	}
	skb = skb_peek_tail(&tp->fl->rtx_queue);
	if (!skb) {
		inet_csk(sk)->pending = ICSK_TIME_NONE;
		return false;
	}
	if (tcp_skb_pcount(skb) > 1) {
		len = (tcp_skb_pcount(skb) - 1) * mss;
		if (skb->len > len && tcp_fragment(sk, &tp->fl->rtx_queue, skb, len, mss))
			goto rearm;
		skb = skb_peek_tail(&tp->fl->rtx_queue);
	}
	if (__tcp_retransmit_skb(sk, skb, 1))
		goto rearm;
	tp->tlp_retrans = 1;
sent:
	tp->fl->tlp_high_seq = tp->snd_nxt;
	TCPEXT_INC(sk->net, TCPLossProbes);
	inet_csk(sk)->pending = ICSK_TIME_NONE;
rearm:
	tcp_rearm_rto(sk);
	return true;
}

/* ---- control segments ---- */
static void init_nondata_skb(struct sk_buff *skb, uint32_t seq, uint8_t flags)
{
	struct tcp_skb_cb *tcb = TCP_SKB_CB(skb);

	memset(tcb, 0, sizeof(*tcb));
	tcb->seq = seq;
	tcb->tcp_flags = flags;
	tcb->gso_segs = 1;
	tcb->end_seq = seq + (flags & (TCP_SYN | TCP_FIN) ? 1 : 0);
	skb->skb_mstamp_ns = 0;
}

/* The sequence number of a segment without data: inside the peer's window even if that shrank. */
static uint32_t tcp_acceptable_seq(const struct tcp_sock *tp)
{
	uint32_t end = tcp_wnd_end(tp);

	if (!before(end, tp->snd_nxt) || (tp->rx_opt.wscale_ok && tp->snd_nxt - end < (1u << tp->rx_opt.rcv_wscale)))
		return tp->snd_nxt;
	return end;
}

void tcp_send_ack(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb;
	TRACE_FN(&sk->net->probe, 0);

	if (sk->state == TCP_CLOSE)
		return;
	skb = alloc_skb(sk->net, MAX_TCP_HEADER);
	if (unlikely(!skb)) {
		inet_csk(sk)->ack_pending |= ICSK_ACK_SCHED;
		inet_csk(sk)->ato_us = TCP_ATO_MIN_US;
		inet_csk_reset_delack(sk, TCP_DELACK_MAX_US);
		return;
	}
	skb_reserve(skb, MAX_TCP_HEADER);
	init_nondata_skb(skb, tcp_acceptable_seq(tp), TCP_ACK);
	__tcp_transmit_skb(sk, skb, false);
	tp->rx_opt.dsack = 0; /* a D-SACK is reported once (RFC 2883 4) */
}

void tcp_send_active_reset(struct sock *sk)
{
	struct sk_buff *skb;
	TRACE_FN(&sk->net->probe, 0);

	TCP_INC(sk->net, OutRsts);
	if (!sk->dst_cache && inet_csk(sk)->af_ops->rebuild_header(sk))
		return;
	skb = alloc_skb(sk->net, MAX_TCP_HEADER);
	if (!skb) {
		TCPEXT_INC(sk->net, TCPAbortFailed);
		return;
	}
	skb_reserve(skb, MAX_TCP_HEADER);
	init_nondata_skb(skb, tcp_acceptable_seq(tcp_sk(sk)), TCP_ACK | TCP_RST);
	__tcp_transmit_skb(sk, skb, false);
}

void tcp_send_fin(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *tail = skb_peek_tail(&sk->write_queue);
	TRACE_FN(&sk->net->probe, 0);

	if (tail) {
		TCP_SKB_CB(tail)->tcp_flags |= TCP_FIN;
		TCP_SKB_CB(tail)->end_seq++;
		tp->write_seq++;
	} else {
		struct sk_buff *skb = alloc_skb(sk->net, MAX_TCP_HEADER);

		if (!skb)
			return;
		skb_reserve(skb, MAX_TCP_HEADER);
		init_nondata_skb(skb, tp->write_seq, TCP_ACK | TCP_FIN);
		tcp_wmem_charge(sk, skb);
		skb_queue_tail(&sk->write_queue, skb);
		tp->write_seq++;
	}
	__tcp_push_pending_frames(sk, tcp_current_mss(sk), TCP_NAGLE_OFF);
}

/* SYN-ACK of a simultaneous open: the SYN that waits in the retransmit queue becomes one. */
int tcp_send_synack(struct sock *sk)
{
	struct sk_buff *skb = skb_peek(&tcp_sk(sk)->fl->rtx_queue);

	if (!skb || !(TCP_SKB_CB(skb)->tcp_flags & TCP_SYN))
		return -EFAULT;
	TCP_SKB_CB(skb)->tcp_flags |= TCP_ACK;
	TCP_SKB_CB(skb)->tcp_flags &= (uint8_t)~(TCP_ECE | TCP_CWR);
	TCP_SKB_CB(skb)->tcp_flags |= tcp_sk(sk)->ecn_flags & TCP_ECN_OK ? TCP_ECE : 0;
	return __tcp_transmit_skb(sk, skb, true);
}

/* ---- connect ---- */
static void tcp_connect_init(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct dst_entry *dst = sk->dst_cache;
	const struct tcp_sysctl *s = tcp_sysctl(sk);
	uint8_t rcv_wscale = 0;

	tp->tcp_header_len = (uint8_t)(TCP_HLEN + (s->timestamps ? 12u : 0u) + tcp_auth_room(sk));
	if (tp->rx_opt.user_mss)
		tp->rx_opt.mss_clamp = tp->rx_opt.user_mss;
	tp->max_window = 0;
	tcp_sync_mss(sk, dst_mtu(dst));
	tp->advmss = (uint16_t)dst_advmss(dst);
	if (tp->rx_opt.user_mss && tp->rx_opt.user_mss < tp->advmss)
		tp->advmss = tp->rx_opt.user_mss;
	tcp_initialize_rcv_mss(sk);
	if (!(tp->rare && tp->rare->window_clamp_user))
		tp->window_clamp = tcp_route_window(dst);
	/* A buffer that the program fixed will never hold more: no scale for what cannot come. */
	if ((sk->userlocks & 2) && (!tp->window_clamp || tp->window_clamp > tcp_full_space(sk)))
		tp->window_clamp = tcp_full_space(sk);
	tcp_select_initial_window(sk, tcp_full_space(sk),
				  tp->advmss - (tp->rx_opt.ts_recent_stamp ? (uint32_t)tp->tcp_header_len - TCP_HLEN : 0), &tp->rcv_wnd,
				  &tp->window_clamp, s->window_scaling != 0, &rcv_wscale, tcp_route_initrwnd(dst));
	tp->rx_opt.rcv_wscale = rcv_wscale & 15u;
	tp->rcv_ssthresh = tp->rcv_wnd;
	sk->err = 0;
	tp->snd_wnd = 0;
	tp->snd_wl1 = 0;
	tp->snd_una = tp->snd_sml = tp->snd_up = tp->snd_nxt = tp->write_seq;
	if (likely(!tp->repair))
		tp->rcv_nxt = 0;
	tp->rcv_wup = tp->copied_seq = tp->rcv_nxt;
	inet_csk(sk)->rto_us = TCP_TIMEOUT_INIT_US;
	inet_csk(sk)->retransmits = 0;
	tcp_clear_retrans(tp);
	tcp_route_init(sk);
}

int tcp_connect(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb;
	uint8_t flags = TCP_SYN;
	int err;
	TRACE_FN(&sk->net->probe, 0);

	if (inet_csk(sk)->af_ops->rebuild_header(sk))
		return -EHOSTUNREACH;
	err = tcp_auth_connect(sk);
	if (unlikely(err))
		return err;
	tcp_connect_init(sk);
	if (unlikely(tp->repair)) {
		tcp_finish_connect(sk); /* nobody is asked */
		return 0;
	}
	skb = alloc_skb(sk->net, MAX_TCP_HEADER);
	if (!skb)
		return -ENOBUFS;
	skb_reserve(skb, MAX_TCP_HEADER);
	flags |= tcp_ecn_send_syn(sk);
	init_nondata_skb(skb, tp->write_seq++, flags);
	tcp_flight(sk)->retrans_stamp_ms = tcp_time_ms(sk) ? tcp_time_ms(sk) : 1;
	tcp_wmem_charge(sk, skb);
	skb_queue_tail(&tp->fl->rtx_queue, skb);
	list_init(&TCP_SKB_CB(skb)->tx.tsorted);
	list_add_tail(&TCP_SKB_CB(skb)->tx.tsorted, &tp->fl->tsorted_sent);
	tp->fl->packets_out += 1;
	tp->snd_nxt = tp->write_seq;
	TCP_INC(sk->net, ActiveOpens);
	if (!tcp_fastopen_send_syn(sk, skb))
		__tcp_transmit_skb(sk, skb, true);
	tp->pushed_seq = tp->write_seq; /* PSH each half window counts from here, not from 0 */
	inet_csk_reset_xmit_timer(sk, ICSK_TIME_RETRANS, inet_csk(sk)->rto_us);
	return 0;
}

/* ---- probes ---- */
/* An ACK with an old sequence number, which the peer must answer (keep-alive, closed window). */
void tcp_xmit_probe_skb(struct sock *sk, bool urgent)
{
	struct sk_buff *skb = alloc_skb(sk->net, MAX_TCP_HEADER);
	TRACE_FN(&sk->net->probe, 0);

	if (!skb)
		return;
	skb_reserve(skb, MAX_TCP_HEADER);
	init_nondata_skb(skb, tcp_sk(sk)->snd_una - !urgent, TCP_ACK);
	__tcp_transmit_skb(sk, skb, false);
}

/* A window probe or keep-alive: the next byte if the window has room for one, else an ACK. 0 or less: sent. */
int tcp_write_wakeup(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb = tcp_send_head(sk);

	if (sk->state == TCP_CLOSE)
		return -1;
	if (skb && before(TCP_SKB_CB(skb)->seq, tcp_wnd_end(tp))) {
		uint32_t mss = tcp_current_mss(sk), room = tcp_wnd_end(tp) - TCP_SKB_CB(skb)->seq;
		uint32_t seg = min_u32(room, mss);
		int err;

		if (seg < skb->len) {
			TCP_SKB_CB(skb)->tcp_flags |= TCP_PSH;
			if (tcp_fragment(sk, &sk->write_queue, skb, seg, mss))
				return -1;
		}
		tcp_skb_set_pcount(skb, mss);
		TCP_SKB_CB(skb)->tcp_flags |= TCP_PSH;
		err = __tcp_transmit_skb(sk, skb, true);
		if (!err)
			tcp_event_new_data_sent(sk, skb);
		return err;
	}
	if (between(tp->snd_up, tp->snd_una + 1, tp->snd_una + 0xffff))
		tcp_xmit_probe_skb(sk, true);
	tcp_xmit_probe_skb(sk, false);
	return 0;
}

void tcp_send_probe0(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	uint64_t timeout;
	int err = tcp_write_wakeup(sk);

	TCPEXT_INC(sk->net, TCPWinProbe);
	if (tp->fl->packets_out || tcp_write_queue_empty(sk)) {
		icsk->probes_out = 0;
		icsk->backoff = 0;
		icsk->probes_tstamp_ms = 0;
		return;
	}
	icsk->probes_out = (uint8_t)min_u32(icsk->probes_out + 1u, 255);
	if (err <= 0) {
		if (icsk->backoff < tcp_sysctl(sk)->retries2)
			icsk->backoff++;
		timeout = tcp_probe0_when_us(sk, tcp_rto_max_us(sk));
	} else {
		timeout = TCP_RESOURCE_PROBE_NS / NSEC_PER_USEC;
	}
	timeout = tcp_clamp_probe0_to_user_timeout(sk, (uint32_t)timeout);
	inet_csk_reset_xmit_timer(sk, ICSK_TIME_PROBE0, timeout);
}
