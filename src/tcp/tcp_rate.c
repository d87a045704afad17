/* How fast a connection goes and what holds it back: delivery rate samples, the three stop watches of struct tcp_info
 * (busy, limited by the peer's window, limited by our send buffer), and pacing.
 *
 * DELIVERY RATE (draft-cheng-iccrg-delivery-rate-estimation). Each segment carries what was delivered when it was sent,
 * and when; its acknowledgement gives delivered-since over the longer of the two intervals (sending, acknowledging), so
 * that neither compressed ACKs nor a burst of ours make the sample too large. A sample taken while the program gave us
 * too little only counts when it is a new maximum.
 * PACING. With SO_MAX_PACING_RATE segments leave at most at that rate, and at cwnd / srtt times pacing_ss_ratio or
 * pacing_ca_ratio percent: a deadline on the socket's timer, no queue discipline needed. Congestion controls that set the
 * rate themselves (BBR) are always paced. Otherwise nothing waits.
 * Called by tcp_output.c, tcp_xmit.c, tcp_ack.c, tcp_sendmsg.c. Tests: tests/unit/tcp/test_tcp_info.c. */
#include "tcp/tcp_int.h"

/* ---- delivery rate ---- */
void tcp_rate_skb_sent(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_skb_cb *tcb = TCP_SKB_CB(skb);

	tcp_flight(sk);
	if (!tp->fl->packets_out) /* a new flight: intervals begin now */
		tp->fl->first_tx_ns = tp->fl->delivered_ns = skb->skb_mstamp_ns;
	tcb->tx.first_tx_us = (uint32_t)(tp->fl->first_tx_ns / NSEC_PER_USEC);
	tcb->tx.delivered_us = (uint32_t)(tp->fl->delivered_ns / NSEC_PER_USEC);
	tcb->tx.delivered = tp->delivered;
	tcb->tx.lost = tp->lost;
	tcb->tx.in_flight = (tcp_packets_in_flight(tp) + tcp_skb_pcount(skb)) & 0x7fffffffu; /* it is counted there in a moment */
	tcb->tx.app_limited = tp->app_limited != 0;
}

/* skb was acknowledged or SACKed, for the first time. Of all that one ACK delivers the one sent last counts. */
void tcp_rate_skb_delivered(struct sock *sk, struct sk_buff *skb, struct tcp_sacktag_state *st)
{
	struct tcp_sock *tp = tcp_sk(sk);
	const struct tcp_skb_cb *tcb = TCP_SKB_CB(skb);

	if (skb->skb_mstamp_ns < st->last_sent_ns)
		return;
	st->last_sent_ns = skb->skb_mstamp_ns;
	st->prior_delivered = tcb->tx.delivered;
	st->prior_lost = tcb->tx.lost;
	st->tx_in_flight = tcb->tx.in_flight;
	st->prior_us = tcb->tx.delivered_us;
	st->send_us = (uint32_t)(skb->skb_mstamp_ns / NSEC_PER_USEC) - tcb->tx.first_tx_us;
	st->app_limited = tcb->tx.app_limited;
	tp->fl->first_tx_ns = skb->skb_mstamp_ns;
}

void tcp_rate_gen(struct sock *sk, const struct tcp_sacktag_state *st, struct tcp_rate_sample *rs)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint32_t delivered, us = (uint32_t)(sk->net->now_ns / NSEC_PER_USEC) - st->prior_us;

	if (tp->app_limited && after(tp->delivered, tp->app_limited))
		tp->app_limited = 0;
	if (!st->last_sent_ns)
		return;
	delivered = tp->delivered - st->prior_delivered;
	us = max_u32(us, st->send_us);
	if (!us || us < tp->min_rtt_us) /* shorter than any round trip: the original's delivery, seen after the repetition left. Not a */
		return;                 /* measure, neither of a rate nor of a round */
	rs->prior_delivered = st->prior_delivered;
	rs->delivered = delivered;
	rs->lost = tp->lost - st->prior_lost;
	rs->tx_in_flight = st->tx_in_flight;
	rs->app_limited = st->app_limited;
	rs->bw = (uint32_t)min_u64(((uint64_t)delivered << 24) / us, UINT32_MAX);
	if (!st->app_limited || (uint64_t)delivered * tp->rate_interval_us >= (uint64_t)tp->rate_delivered * us) {
		tp->rate_delivered = delivered;
		tp->rate_interval_us = us;
		tp->rate_app_limited = st->app_limited;
	}
}

/* The program has nothing more to send and cwnd is not used up: samples from here on say little. */
void tcp_rate_check_app_limited(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (tp->write_seq - tp->snd_nxt < tp->mss_cache && !sk->wmem_alloc && tcp_packets_in_flight(tp) < tp->snd_cwnd &&
	    tp->fl->lost_out <= tp->fl->retrans_out)
		tp->app_limited = max_u32(tp->delivered + tcp_packets_in_flight(tp), 1);
}

uint64_t tcp_delivery_rate(const struct tcp_sock *tp)
{
	return tp->rate_interval_us ? (uint64_t)tp->rate_delivered * tp->mss_cache * 1000000 / tp->rate_interval_us : 0;
}

/* ---- stop watches: one of them runs, the most specific reason wins ---- */
static void chrono_set(struct sock *sk, uint8_t type)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint32_t now = tcp_time_ms(sk);

	if (tp->chrono_type)
		tp->chrono_ms[tp->chrono_type - 1] += now - tp->chrono_start_ms;
	tp->chrono_start_ms = now;
	tp->chrono_type = (uint8_t)(type & 3u) & 3u;
}

void tcp_chrono_start(struct sock *sk, uint8_t type)
{
	if (type > tcp_sk(sk)->chrono_type)
		chrono_set(sk, type);
}

void tcp_chrono_stop(struct sock *sk, uint8_t type)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!tp->chrono_type)
		return;
	if (tcp_rtx_queue_empty(sk) && !tcp_send_head(sk))
		chrono_set(sk, TCP_CHRONO_UNSPEC);
	else if (type == tp->chrono_type && type != TCP_CHRONO_BUSY)
		chrono_set(sk, TCP_CHRONO_BUSY);
}

uint64_t tcp_chrono_us(const struct sock *sk, uint8_t type)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	uint64_t ms = tp->chrono_ms[type - 1];

	if (tp->chrono_type == type)
		ms += tcp_time_ms(sk) - tp->chrono_start_ms;
	return ms * 1000;
}

/* ---- pacing ---- */
/* Octets per second that cwnd per round trip comes to, with room to grow. */
static uint64_t rate_of_cwnd(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	const struct tcp_sysctl *s = tcp_sysctl(sk);
	uint64_t rate = (uint64_t)tp->mss_cache * max_u32(tp->snd_cwnd, tp->fl->packets_out);
	uint32_t percent = (uint32_t)(tp->snd_cwnd < tp->snd_ssthresh / 2 ? s->pacing_ss_ratio : s->pacing_ca_ratio);

	rate = rate * percent * 10000;
	return tp->srtt_us ? rate * 8 / tp->srtt_us : rate;
}

/* An ACK was worked off, and what it allows is not yet sent: the rate holds until the next one, over timeouts and idle times.
 * Trains for a near peer do not depend on it: there it is worked out when somebody asks. */
void tcp_update_pacing_rate(struct sock *sk)
{
	if (likely(!tcp_rtt_distance(sk) && !tcp_needs_pacing(sk)))
		sk->pacing_rate = UINT64_MAX;
	else
		sk->pacing_rate = min_u64(rate_of_cwnd(sk), sk->max_pacing_rate);
}

uint64_t tcp_pacing_rate(const struct sock *sk)
{
	if (sk->pacing_rate == UINT64_MAX && !inet_csk(sk)->ca_ops->cong_control)
		return min_u64(rate_of_cwnd(sk), sk->max_pacing_rate);
	return min_u64(sk->pacing_rate, sk->max_pacing_rate);
}

/* True: not yet; the socket's timer will send. */
bool tcp_pacing_check(struct sock *sk)
{
	const struct tcp_rare *r = tcp_sk(sk)->rare;

	if (!tcp_needs_pacing(sk) || !r || r->pacing_next_ns <= sk->net->now_ns)
		return false;
	tcp_xmit_at(sk, r->pacing_next_ns);
	return true;
}

/* len octets left: when may the next? The first ten segments of a connection hold nobody back; and who left later than he
 * might have is given that time back, up to half of what he takes: timers are late, the rate should not be. */
void tcp_pacing_sent(struct sock *sk, uint32_t len)
{
	struct tcp_rare *r = tcp_rare(sk);
	uint64_t now = sk->net->now_ns, rate = max_u64(tcp_pacing_rate(sk), 1), due = r->pacing_next_ns;
	uint64_t takes = tcp_sk(sk)->data_segs_out < TCP_INIT_CWND ? 0 : (uint64_t)len * NSEC_PER_SEC / rate;

	if (due < now) {
		takes -= min_u64(takes / 2, now - due);
		due = now;
	}
	r->pacing_next_ns = due + takes;
}

/* When the last segment left, or is thought to have: the time from which timers for its acknowledgement count. */
uint64_t tcp_last_departure_ns(const struct sock *sk)
{
	const struct tcp_rare *r = tcp_sk(sk)->rare;

	return tcp_needs_pacing(sk) && r ? r->pacing_next_ns : 0;
}
