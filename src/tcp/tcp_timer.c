/* TCP's timers: retransmission (RFC 6298), tail loss probe and RACK reordering (RFC 8985), zero-window probes
 * (RFC 9293 3.8.6.1), delayed ACK (RFC 9293 3.8.6.3), keep-alive (3.8.4) and the end of orphans in FIN-WAIT-2.
 *
 * One wheel timer per socket (see tcp_sock.h): a deadline that moves later costs one store.
 * Called by the wheel; arms are called from everywhere in the room.
 * Tests: tests/unit/tcp. */
#include "tcp/tcp_accecn.h"
#include "core/procfs.h"
#include "tcp/tcp_int.h"

static void tcp_sk_timer(struct timer_list *t);

static void timer_rearm(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	uint64_t when = min_u64(min_u64(tcp_sk(sk)->fl->rto_deadline_ns, tcp_sk(sk)->fl->xmit_deadline_ns),
				min_u64(icsk->delack_deadline_ns, icsk->keep_deadline_ns));

	if (unlikely(tcp_sk(sk)->sack && tcp_sk(sk)->sack->comp_deadline_ns))
		when = min_u64(when, tcp_sk(sk)->sack->comp_deadline_ns);
	if (when == TIME_NEVER || (timer_pending(&icsk->timer) && icsk->timer.expires_ns <= when))
		return;
	if (!timer_pending(&icsk->timer))
		sock_hold(sk);
	mod_timer(&sk->net->wheel, &icsk->timer, when);
}

void tcp_init_xmit_timers(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	timer_setup(&icsk->timer, tcp_sk_timer);
	icsk->delack_deadline_ns = icsk->keep_deadline_ns = TIME_NEVER;
}

void tcp_clear_xmit_timers(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	icsk->delack_deadline_ns = icsk->keep_deadline_ns = TIME_NEVER;
	if (tcp_sk(sk)->fl != &tcp_no_flight)
		tcp_sk(sk)->fl->rto_deadline_ns = tcp_sk(sk)->fl->xmit_deadline_ns = TIME_NEVER;
	if (tcp_sk(sk)->sack)
		tcp_sk(sk)->sack->comp_deadline_ns = 0;
	icsk->pending = ICSK_TIME_NONE;
	icsk->ack_pending = 0;
	if (del_timer(&sk->net->wheel, &icsk->timer))
		sock_put(sk);
}

static void xmit_timer_from(struct sock *sk, uint8_t what, uint64_t from, uint64_t when_us)
{
	inet_csk(sk)->pending = what & 15u;
	tcp_flight(sk)->rto_deadline_ns = from + min_u64(when_us, tcp_rto_max_us(sk)) * NSEC_PER_USEC;
	timer_rearm(sk);
}

void inet_csk_reset_xmit_timer(struct sock *sk, uint8_t what, uint64_t when_us)
{
	xmit_timer_from(sk, what, sk->net->now_ns, when_us);
}

void tcp_reset_xmit_timer(struct sock *sk, uint8_t what, uint64_t when_us)
{
	xmit_timer_from(sk, what, max_u64(sk->net->now_ns, tcp_last_departure_ns(sk)), when_us);
}

void inet_csk_clear_rto(struct sock *sk)
{
	inet_csk(sk)->pending = ICSK_TIME_NONE;
	if (tcp_sk(sk)->fl != &tcp_no_flight)
		tcp_sk(sk)->fl->rto_deadline_ns = TIME_NEVER;
}

void inet_csk_reset_delack(struct sock *sk, uint64_t us)
{
	inet_csk(sk)->ack_pending |= ICSK_ACK_TIMER;
	inet_csk(sk)->delack_deadline_ns = sk->net->now_ns + us * NSEC_PER_USEC;
	timer_rearm(sk);
}

void inet_csk_clear_delack(struct sock *sk)
{
	inet_csk(sk)->ack_pending = 0;
	inet_csk(sk)->delack_deadline_ns = TIME_NEVER;
}

void tcp_reset_keepalive_timer(struct sock *sk, uint64_t ns)
{
	inet_csk(sk)->keep_deadline_ns = sk->net->now_ns + ns;
	timer_rearm(sk);
}

void tcp_comp_sack_arm(struct sock *sk, uint64_t deadline_ns)
{
	tcp_sk(sk)->sack->comp_deadline_ns = deadline_ns;
	timer_rearm(sk);
}

/* Packets left the host, or the pace allows the next: go on sending, from the wheel, never from inside a destructor. */
void tcp_xmit_at(struct sock *sk, uint64_t when_ns)
{
	tcp_flight(sk)->xmit_deadline_ns = when_ns;
	timer_rearm(sk);
}

static void tcp_tsq_handler(struct sock *sk)
{
	TRACE_FN(&sk->net->probe, 0);
	tcp_sk(sk)->fl->xmit_deadline_ns = TIME_NEVER;
	if (!tcp_state_in(sk, TCPF_(ESTABLISHED) | TCPF_(FIN_WAIT1) | TCPF_(CLOSING) | TCPF_(CLOSE_WAIT) | TCPF_(LAST_ACK)))
		return;
	if (tcp_sk(sk)->fl->lost_out > tcp_sk(sk)->fl->retrans_out)
		tcp_xmit_retransmit_queue(sk);
	tcp_write_xmit(sk, tcp_current_mss(sk), tcp_sk(sk)->nonagle, 0);
}

void tcp_delete_keepalive_timer(struct sock *sk) { inet_csk(sk)->keep_deadline_ns = TIME_NEVER; }

void tcp_set_keepalive(struct sock *sk, bool on)
{
	if (tcp_state_in(sk, TCPF_(CLOSE) | TCPF_(LISTEN)))
		return;
	if (on)
		tcp_reset_keepalive_timer(sk, tcp_keepalive_time_ns(sk));
	else
		tcp_delete_keepalive_timer(sk);
}

/* ---- what the sysctls and options come to ---- */
/* A knob's seconds may be none, or fewer: then every jiffy. */
static uint64_t knob_seconds_ns(int32_t s) { return s > 0 ? NSEC_PER_SEC * (uint32_t)s : SYSCTL_JIFFY_MS * NSEC_PER_MSEC; }

uint64_t tcp_keepalive_time_ns(const struct sock *sk)
{
	const struct tcp_rare *r = tcp_sk(sk)->rare;

	return r && r->keepalive_time ? NSEC_PER_SEC * r->keepalive_time : knob_seconds_ns(tcp_sysctl(sk)->keepalive_time);
}
uint64_t tcp_keepalive_intvl_ns(const struct sock *sk)
{
	const struct tcp_rare *r = tcp_sk(sk)->rare;

	return r && r->keepalive_intvl ? NSEC_PER_SEC * r->keepalive_intvl : knob_seconds_ns(tcp_sysctl(sk)->keepalive_intvl);
}
/* Since anything came: an acknowledgement, or data (MUST-26). */
uint64_t tcp_keepalive_elapsed_ns(const struct sock *sk)
{
	uint32_t now = tcp_time_ms(sk);

	return (uint64_t)min_u32(now - tcp_sk(sk)->rcv_tstamp_ms, now - inet_csk(sk)->last_rcv_ms) * NSEC_PER_MSEC;
}
uint32_t tcp_keepalive_probes(const struct sock *sk)
{
	const struct tcp_rare *r = tcp_sk(sk)->rare;

	return r && r->keepalive_probes ? r->keepalive_probes : (uint32_t)tcp_sysctl(sk)->keepalive_probes;
}
uint64_t tcp_fin_time_ns(const struct sock *sk)
{
	const struct tcp_rare *r = tcp_sk(sk)->rare;
	uint64_t t = r && r->linger2 > 0 ? NSEC_PER_SEC * (uint32_t)r->linger2 : knob_seconds_ns(tcp_sysctl(sk)->fin_timeout);
	uint64_t min = (uint64_t)inet_csk(sk)->rto_us * NSEC_PER_USEC * 7 / 2;

	return max_u64(t, min);
}
uint32_t tcp_rto_max_us(const struct sock *sk)
{
	const struct tcp_rare *r = tcp_sk(sk)->rare;

	return 1000u * (r && r->rto_max_ms ? r->rto_max_ms : (uint32_t)tcp_sysctl(sk)->rto_max_ms);
}
static uint32_t user_timeout_ms(const struct sock *sk)
{
	return tcp_sk(sk)->rare ? tcp_sk(sk)->rare->user_timeout_ms : 0;
}

uint64_t tcp_probe0_when_us(const struct sock *sk, uint64_t max_us)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	uint64_t base = max_u32(icsk->rto_us, TCP_RTO_MIN_US);

	return min_u64(base << min_u32(icsk->backoff, 20), max_us);
}

uint32_t tcp_clamp_probe0_to_user_timeout(const struct sock *sk, uint32_t when_us)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	uint32_t limit = user_timeout_ms(sk), elapsed, left;

	if (!limit || !icsk->probes_tstamp_ms)
		return when_us;
	elapsed = tcp_time_ms(sk) - icsk->probes_tstamp_ms;
	left = elapsed >= limit ? 1 : limit - elapsed;
	return left < when_us / 1000 ? left * 1000 : when_us;
}

/* ---- giving up (RFC 9293 3.8.3: R1, R2) ---- */
/* How long `boundary` retransmissions with exponential backoff take. */
static uint64_t model_timeout_us(const struct sock *sk, unsigned boundary, uint64_t base)
{
	uint64_t max = tcp_rto_max_us(sk), sum = 0, cur = base;

	for (unsigned i = 0; i <= boundary; i++) {
		sum += cur;
		cur = min_u64(cur * 2, max);
	}
	return sum;
}

/* Has the connection retransmitted for as long as `boundary` backed-off timeouts (or timeout_ms)? */
static bool retransmits_timed_out(struct sock *sk, unsigned boundary, uint32_t timeout_ms)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	uint64_t timeout_us = (uint64_t)timeout_ms * 1000;

	if (!inet_csk(sk)->retransmits || !tp->fl->retrans_stamp_ms)
		return false;
	if (!timeout_us) {
		uint64_t base = tcp_state_in(sk, TCPF_(SYN_SENT) | TCPF_(SYN_RECV)) ? TCP_TIMEOUT_INIT_US : tcp_rto_min_us(sk);

		timeout_us = model_timeout_us(sk, boundary, base);
	}
	return (uint64_t)(uint32_t)(tcp_time_ms(sk) - tp->fl->retrans_stamp_ms) * 1000 >= timeout_us;
}

static unsigned orphan_retries(const struct sock *sk, bool alive)
{
	unsigned n = (unsigned)tcp_sysctl(sk)->orphan_retries;

	if (sk->err_soft && !alive)
		return 0; /* an ICMP error speaks against it already */
	return n == 0 && alive ? 8 : n;
}

/* Memory is short or orphans are too many: this one's end, without waiting for its peer. One whose peer has been silent
 * for long, or that never got a word through, weighs more. reset: the peer may be there and is told. */
static bool orphan_must_go(struct sock *sk, bool reset)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	unsigned shift = 0;

	if ((int32_t)(tcp_time_ms(sk) - tp->lsndtime_ms) > (int32_t)(2 * tcp_rto_max_us(sk) / 1000) || !tp->snd_wnd)
		shift++;
	if (sk->err_soft)
		shift++;
	if (!tcp_check_oom(sk, shift))
		return false;
	if (reset)
		tcp_send_active_reset(sk);
	TCPEXT_INC(sk->net, TCPAbortOnMemory);
	tcp_write_err(sk, ETIMEDOUT);
	return true;
}

/* True: the connection was ended. */
static bool tcp_write_timeout(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	const struct tcp_sysctl *s = tcp_sysctl(sk);
	unsigned retry_until;
	bool expired = false;

	if (tcp_state_in(sk, TCPF_(SYN_SENT) | TCPF_(SYN_RECV))) {
		retry_until = tp->rare && tp->rare->syn_retries ? tp->rare->syn_retries : (unsigned)s->syn_retries;
		/* the linear ones come on top, as far as there is time for them: what the retries alone would have taken */
		expired = icsk->retransmits >= retry_until + (sk->state == TCP_SYN_SENT ? (unsigned)s->syn_linear_timeouts : 0) ||
			  retransmits_timed_out(sk, retry_until, user_timeout_ms(sk));
	} else {
		retry_until = (unsigned)s->retries2;
		if (retransmits_timed_out(sk, (unsigned)s->retries1, 0)) { /* R1: size or route may be at fault */
			tcp_mtup_black_hole(sk);
			if (sk->dst_cache)
				sk_dst_reset(sk);
		}
		if (sock_flag(sk, SOCK_F_DEAD)) {
			bool alive = icsk->rto_us < tcp_rto_max_us(sk);

			retry_until = orphan_retries(sk, alive);
			if (orphan_must_go(sk, alive || !retransmits_timed_out(sk, retry_until, 0)))
				return true;
		}
		expired = retransmits_timed_out(sk, retry_until, user_timeout_ms(sk));
	}
	if (user_timeout_ms(sk) && retransmits_timed_out(sk, 0, user_timeout_ms(sk)))
		expired = true;
	tcp_fastopen_detect_blackhole(sk, expired);
	if (!expired)
		return false;
	TCPEXT_INC(sk->net, TCPAbortOnTimeout);
	tcp_write_err(sk, sk->err_soft ? sk->err_soft : ETIMEDOUT);
	return true;
}

static uint64_t clamp_rto_to_user_timeout(const struct sock *sk)
{
	uint32_t limit = user_timeout_ms(sk), elapsed, rto = inet_csk(sk)->rto_us;

	if (!limit || !tcp_sk(sk)->fl->retrans_stamp_ms)
		return rto;
	elapsed = tcp_time_ms(sk) - tcp_sk(sk)->fl->retrans_stamp_ms;
	if (elapsed >= limit)
		return 1000;
	return min_u64(rto, (uint64_t)(limit - elapsed) * 1000);
}

static void timeout_stats(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	if (icsk->retransmits == 0 && tcp_sk(sk)->rx_opt.sack_ok && icsk->ca_state == TCP_CA_Recovery)
		TCPEXT_INC(sk->net, TCPSackRecoveryFail);
	else if (icsk->retransmits == 0 && icsk->ca_state == TCP_CA_Recovery)
		TCPEXT_INC(sk->net, TCPRenoRecoveryFail);
	else if (icsk->retransmits == 0 && icsk->ca_state == TCP_CA_Loss)
		TCPEXT_INC(sk->net, TCPLossFailures);
}

/* So little is under way that duplicate ACKs will not come (Linux's thin streams): the first repetitions do not back off. */
#define THIN_LINEAR_RETRIES 6
static bool thin_linear(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	return sk->state == TCP_ESTABLISHED && (tcp_sysctl(sk)->thin_linear_timeouts || (tp->rare && tp->rare->thin_lto)) &&
	       tp->fl->packets_out < 4 && tp->snd_ssthresh < TCP_INFINITE_SSTHRESH && inet_csk(sk)->retransmits <= THIN_LINEAR_RETRIES;
}

static void backoff_rto(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sysctl *s = tcp_sysctl(sk);
	bool syn_linear = sk->state == TCP_SYN_SENT && icsk->retransmits <= s->syn_linear_timeouts;

	if (syn_linear) {
		icsk->rto_us = TCP_TIMEOUT_INIT_US; /* 6.5 and later: the first repetitions of a SYN do not back off */
	} else if (unlikely(thin_linear(sk))) {
		icsk->backoff = 0;
		tcp_set_rto(sk);
	} else {
		icsk->backoff = (uint8_t)min_u32(icsk->backoff + 1u, 63);
		icsk->rto_us = (uint32_t)min_u64((uint64_t)icsk->rto_us << 1, tcp_rto_max_us(sk));
	}
	inet_csk_reset_xmit_timer(sk, ICSK_TIME_RETRANS, clamp_rto_to_user_timeout(sk));
}

/* The peer shrank its window to zero after data was sent: only the first segment is tried, for ever while it
 * answers (MUST-35, SHLD-17), unless the program set a limit (TCP_USER_TIMEOUT), which such answers do not put off. */
static void tcp_rtx_zero_window(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint32_t now = tcp_time_ms(sk), since = tp->fl->retrans_stamp_ms, limit = user_timeout_ms(sk);

	if ((uint32_t)(now - tp->rcv_tstamp_ms) > tcp_rto_max_us(sk) / 1000 || (limit && since && now - since >= limit)) {
		tcp_write_err(sk, ETIMEDOUT);
		return;
	}
	tcp_enter_loss(sk);
	tcp_retransmit_skb(sk, skb, 1);
	sk_dst_reset(sk);
	backoff_rto(sk); /* none of R2's retransmissions: it is answered */
}

/* For struct tcp_info; the recovery's time ends when Loss is left. */
void tcp_count_rto(struct sock *sk)
{
	struct tcp_stat *st = tcp_stat(sk);

	if (st->total_rto < UINT16_MAX)
		st->total_rto++;
	if (!st->rto_stamp_ms) {
		st->rto_stamp_ms = tcp_time_ms(sk) ? tcp_time_ms(sk) : 1;
		if (st->total_rto_recoveries < UINT16_MAX)
			st->total_rto_recoveries++;
	}
}

static void tcp_retransmit_timer(struct sock *sk)
{
	TRACE_FN(&sk->net->probe, 0);
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb = skb_peek(&tp->fl->rtx_queue);

	if (unlikely(tp->fastopen_child)) {
		tcp_fastopen_synack_timer(sk);
		return;
	}
	if (!tp->fl->packets_out || !skb)
		return;
	if (!tp->snd_wnd && !sock_flag(sk, SOCK_F_DEAD) && !tcp_state_in(sk, TCPF_(SYN_SENT) | TCPF_(SYN_RECV))) {
		tp->fl->tlp_high_seq = 0;
		tcp_rtx_zero_window(sk, skb);
		return;
	}
	TCPEXT_INC(sk->net, TCPTimeouts);
	if (tcp_write_timeout(sk))
		return;
	timeout_stats(sk);
	if (unlikely(tp->ecn_flags & TCP_ECN_ACCECN))
		tcp_accecn_timeout(sk);
	tcp_enter_loss(sk);
	tp->fl->tlp_high_seq = 0;
	if (tcp_retransmit_skb(sk, skb_peek(&tp->fl->rtx_queue), 1) > 0) {
		/* nothing left the host (local congestion): try soon */
		inet_csk_reset_xmit_timer(sk, ICSK_TIME_RETRANS, TCP_RESOURCE_PROBE_NS / NSEC_PER_USEC);
		return;
	}
	icsk->retransmits = (uint8_t)min_u32(icsk->retransmits + 1u, 255);
	tcp_count_rto(sk);
	backoff_rto(sk);
}

/* A router says that it has no way for the first segment that is not acknowledged: no congestion, so the last doubling of the RTO
 * is taken back, and where that time is over already, the segment goes out again now (RFC 6069 4). */
void tcp_ld_RTO_revert(struct sock *sk, uint32_t seq)
{
	TRACE_FN(&sk->net->probe, 0);
	struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);
	const struct sk_buff *skb = skb_peek(&tp->fl->rtx_queue);
	uint64_t since_us;

	if (!skb || seq != tp->snd_una || !icsk->retransmits || !icsk->backoff)
		return;
	icsk->backoff--;
	if (tp->srtt_us)
		tcp_set_rto(sk);
	else
		icsk->rto_us = TCP_TIMEOUT_INIT_US;
	icsk->rto_us = (uint32_t)min_u64((uint64_t)icsk->rto_us << min_u32(icsk->backoff, 20), tcp_rto_max_us(sk));
	since_us = (sk->net->now_ns - skb->skb_mstamp_ns) / NSEC_PER_USEC;
	if (since_us < icsk->rto_us)
		inet_csk_reset_xmit_timer(sk, ICSK_TIME_RETRANS, icsk->rto_us - since_us);
	else
		tcp_retransmit_timer(sk);
}

static void tcp_probe_timer(struct sock *sk)
{
	TRACE_FN(&sk->net->probe, 0);
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	unsigned max_probes = (unsigned)tcp_sysctl(sk)->retries2;
	uint32_t limit = user_timeout_ms(sk);

	if (tp->fl->packets_out || !tcp_send_head(sk)) {
		icsk->probes_out = 0;
		icsk->probes_tstamp_ms = 0;
		return;
	}
	if (!icsk->probes_tstamp_ms)
		icsk->probes_tstamp_ms = tcp_time_ms(sk) ? tcp_time_ms(sk) : 1;
	else if (limit && (uint32_t)(tcp_time_ms(sk) - icsk->probes_tstamp_ms) >= limit)
		goto abort;
	if (sock_flag(sk, SOCK_F_DEAD)) {
		bool alive = ((uint64_t)icsk->rto_us << min_u32(icsk->backoff, 20)) < tcp_rto_max_us(sk);

		max_probes = orphan_retries(sk, alive);
		if (!alive && icsk->backoff >= max_probes)
			goto abort;
		if (orphan_must_go(sk, true))
			return;
	}
	if (icsk->probes_out >= max_probes)
		goto abort;
	tcp_send_probe0(sk);
	return;
abort:
	TCPEXT_INC(sk->net, TCPAbortOnTimeout);
	tcp_write_err(sk, sk->err_soft ? sk->err_soft : ETIMEDOUT);
}

static void tcp_write_timer(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	uint8_t what = icsk->pending;
	TRACE_FN(&sk->net->probe, 0);

	tcp_sk(sk)->fl->rto_deadline_ns = TIME_NEVER;
	/* A probe or reordering timer that ends in nothing gives way to the RTO that it stood in front of: tcp_rearm_rto()
	 * sees by pending that the time already waited counts. */
	if (what != ICSK_TIME_REO_TIMEOUT && what != ICSK_TIME_LOSS_PROBE)
		icsk->pending = ICSK_TIME_NONE;
	if (tcp_state_in(sk, TCPF_(CLOSE) | TCPF_(LISTEN)) || what == ICSK_TIME_NONE) {
		icsk->pending = ICSK_TIME_NONE;
		return;
	}
	switch (what) {
	case ICSK_TIME_REO_TIMEOUT:
		tcp_rack_reo_timeout(sk);
		break;
	case ICSK_TIME_LOSS_PROBE:
		tcp_send_loss_probe(sk);
		break;
	case ICSK_TIME_RETRANS:
		tcp_retransmit_timer(sk);
		break;
	default:
		tcp_probe_timer(sk);
	}
}

static void tcp_delack_timer(struct sock *sk)
{
	TRACE_FN(&sk->net->probe, 0);
	struct inet_connection_sock *icsk = inet_csk(sk);

	icsk->delack_deadline_ns = TIME_NEVER;
	if (tcp_state_in(sk, TCPF_(CLOSE) | TCPF_(LISTEN)) || !(icsk->ack_pending & ICSK_ACK_TIMER))
		return;
	icsk->ack_pending &= (uint8_t)~ICSK_ACK_TIMER;
	if (icsk->ack_pending & ICSK_ACK_SCHED) {
		if (icsk->pingpong < tcp_pingpong_thresh(sk)) {
			/* not interactive: the sender is slow, wait longer next time */
			icsk->ato_us = min_u32(icsk->ato_us << 1, icsk->rto_us);
		} else {
			icsk->pingpong = 0;
			icsk->ato_us = TCP_ATO_MIN_US;
		}
		tcp_send_ack(sk);
		TCPEXT_INC(sk->net, DelayedACKs);
	}
}

static void fin_wait2_expired(struct sock *sk)
{
	const struct tcp_rare *r = tcp_sk(sk)->rare;
	uint64_t tmo = tcp_fin_time_ns(sk);

	if (!(r && r->linger2 < 0) && tmo > TCP_TIMEWAIT_LEN_NS) {
		tcp_time_wait(sk, TCP_FIN_WAIT2, TCP_TIMEWAIT_LEN_NS);
		return;
	}
	tcp_send_active_reset(sk);
	tcp_done(sk);
}

static void tcp_keepalive_timer(struct sock *sk)
{
	TRACE_FN(&sk->net->probe, 0);
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	uint64_t elapsed, wait = tcp_keepalive_time_ns(sk);
	uint32_t limit = user_timeout_ms(sk);

	icsk->keep_deadline_ns = TIME_NEVER;
	if (sk->state == TCP_FIN_WAIT2 && sock_flag(sk, SOCK_F_DEAD)) {
		fin_wait2_expired(sk);
		return;
	}
	if (!sock_flag(sk, SOCK_F_KEEPOPEN) || tcp_state_in(sk, TCPF_(CLOSE) | TCPF_(SYN_SENT) | TCPF_(LISTEN)))
		return;
	elapsed = tcp_keepalive_elapsed_ns(sk);
	if (tp->fl->packets_out || !tcp_write_queue_empty(sk)) {
		/* data is under way: retransmission watches over the peer */
	} else if (elapsed >= wait) {
		if ((limit && elapsed >= limit * NSEC_PER_MSEC && icsk->probes_out > 0) ||
		    (!limit && icsk->probes_out >= tcp_keepalive_probes(sk))) {
			tcp_send_active_reset(sk);
			TCPEXT_INC(sk->net, TCPAbortOnTimeout);
			tcp_write_err(sk, sk->err_soft ? sk->err_soft : ETIMEDOUT);
			return;
		}
		TCPEXT_INC(sk->net, TCPKeepAlive);
		if (tcp_write_wakeup(sk) <= 0) {
			icsk->probes_out++;
			wait = tcp_keepalive_intvl_ns(sk);
		} else {
			wait = TCP_RESOURCE_PROBE_NS;
		}
	} else {
		wait -= elapsed;
	}
	tcp_reset_keepalive_timer(sk, wait);
}

static void tcp_sk_timer(struct timer_list *t)
{
	struct inet_connection_sock *icsk = container_of(t, struct inet_connection_sock, timer);
	struct sock *sk = &icsk->inet.sk;
	struct net *net = sk->net;
	uint64_t now = net->now_ns;

	local_bh_disable(net);
	if (icsk->delack_deadline_ns <= now)
		tcp_delack_timer(sk);
	if (unlikely(tcp_sk(sk)->sack && tcp_sk(sk)->sack->comp_deadline_ns && tcp_sk(sk)->sack->comp_deadline_ns <= now))
		tcp_compressed_ack_kick(sk);
	if (tcp_sk(sk)->fl->rto_deadline_ns <= now)
		tcp_write_timer(sk);
	if (tcp_sk(sk)->fl->xmit_deadline_ns <= now)
		tcp_tsq_handler(sk);
	if (icsk->keep_deadline_ns <= now)
		tcp_keepalive_timer(sk);
	timer_rearm(sk);
	sock_put(sk); /* the reference that the fired timer held */
	local_bh_enable(net);
}
