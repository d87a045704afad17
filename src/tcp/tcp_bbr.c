/* BBR version 3 (draft-ietf-ccwg-bbr): sends at the rate at which the path delivers and keeps about two
 * bandwidth-delay products out, whatever is lost by chance; what is lost beyond 2 % of a round bounds it.
 *
 *   THE MODEL   max_bw         the greatest delivery rate of this and the last probing cycle
 *               min_rtt        the shortest round trip of 10 s
 *               inflight_long  what was seen to be too much in flight when probing
 *               bw_short, inflight_short   what this cycle's losses allow, forgotten at the next REFILL
 *               extra_acked    how much more than the rate would explain is acknowledged in lumps (10 rounds)
 *   CONTROL     pacing rate = gain * min(max_bw, bw_short) * 99 %
 *               cwnd        = gain * bw * min_rtt + extra_acked, inside the bounds
 *
 * ECN. The draft leaves it to a later revision. What RFC 3168 5 demands, the same as for a loss, is done: a round with ECE takes
 * 30 % of inflight_short, as CUBIC's would of cwnd; ECE while probing ends the probe; two rounds of it end Startup.
 *
 * Reductions by packet conservation, as the earliest versions had in recovery, are left out as the draft's later
 * revisions do. Called through tcp_congestion_ops; state machine in tcp_bbr_phase.c; samples from tcp_rate.c.
 * Tests: tests/unit/tcp/test_tcp_bbr.c. */
#include "tcp/tcp_bbr.h"

uint32_t bbr_max_bw(const struct bbr *b) { return max_u32(b->max_bw[0], b->max_bw[1]); }

uint32_t bbr_bdp(const struct sock *sk, const struct bbr *b, uint32_t bw, uint32_t gain)
{
	uint64_t w;

	if (b->min_rtt_us == BBR_INFINITE) /* no round trip seen yet */
		return tcp_init_cwnd_(sk);
	w = (uint64_t)min_u32(b->min_rtt_us, 60000000) * bw / BBR_GAIN * gain;
	return (uint32_t)min_u64((w + BBR_UNIT - 1) >> BBR_SCALE, 0x3fffffff);
}

/* Trains (a millisecond's worth) and small windows need room: three trains, four segments. */
static uint32_t quantization_budget(const struct sock *sk, const struct bbr *b, uint32_t inflight)
{
	uint32_t quantum = (uint32_t)min_u64(sk->pacing_rate >> 10, TCP_GSO_MAX) / tcp_sk(sk)->mss_cache;

	inflight = max_u32(inflight, 3 * max_u32(quantum, (uint32_t)tcp_sysctl(sk)->min_tso_segs));
	inflight = max_u32(inflight, BBR_MIN_PIPE_CWND);
	return b->state == BBR_PROBE_UP ? inflight + 2 : inflight;
}

uint32_t bbr_inflight(const struct sock *sk, const struct bbr *b, uint32_t bw, uint32_t gain)
{
	return quantization_budget(sk, b, bbr_bdp(sk, b, bw, gain));
}

/* Room for others that come. */
uint32_t bbr_inflight_with_headroom(const struct bbr *b)
{
	uint32_t headroom;

	if (b->inflight_long == BBR_INFINITE)
		return BBR_INFINITE;
	headroom = max_u32((uint32_t)((uint64_t)b->inflight_long * BBR_HEADROOM / 100), 1);
	return max_u32(b->inflight_long > headroom ? b->inflight_long - headroom : 0, BBR_MIN_PIPE_CWND);
}

uint32_t bbr_target_inflight(const struct sock *sk, const struct bbr *b)
{
	return min_u32(bbr_bdp(sk, b, b->bw, BBR_GAIN), tcp_sk(sk)->snd_cwnd);
}

void bbr_start_round(const struct sock *sk, struct bbr *b) { b->next_round_delivered = tcp_sk(sk)->delivered; }

void bbr_save_cwnd(const struct sock *sk, struct bbr *b)
{
	uint32_t cwnd = tcp_sk(sk)->snd_cwnd;

	if (inet_csk(sk)->ca_state < TCP_CA_Recovery && b->state != BBR_PROBE_RTT)
		b->prior_cwnd = cwnd;
	else
		b->prior_cwnd = max_u32(b->prior_cwnd, cwnd);
}

void bbr_restore_cwnd(struct sock *sk, const struct bbr *b)
{
	tcp_sk(sk)->snd_cwnd = max_u32(tcp_sk(sk)->snd_cwnd, b->prior_cwnd);
}

/* More than 2 % of what was in flight, and by more than chance explains. The draft asks for the first only; but of 500 segments on a
 * path that loses 1.5 % more than ten are lost in every sixth flight, each probe looks at several, and the bound would go
 * down by a part at most of them. So losses must exceed the t that are to be borne by twice their deviation, sqrt(t): 16 of
 * 500, 2 of 16. A queue that overflows loses a fifth of a flight at UP's gain, and passes either. */
static bool lost_too_many(uint32_t in_flight, uint32_t lost)
{
	uint64_t scaled = (uint64_t)lost * (100 / BBR_LOSS_THRESH), over = scaled > in_flight ? scaled - in_flight : 0;

	return over * over > 4ull * (100 / BBR_LOSS_THRESH) * in_flight;
}

bool bbr_inflight_too_high(const struct tcp_rate_sample *rs)
{
	return rs->lost && rs->tx_in_flight && lost_too_many(rs->tx_in_flight, rs->lost);
}

/* ---- the model, ACK by ACK ---- */
static void update_round(const struct sock *sk, struct bbr *b, const struct tcp_rate_sample *rs)
{
	b->round_start = false;
	if (rs->delivered > 0 && !before(rs->prior_delivered, b->next_round_delivered)) {
		bbr_start_round(sk, b);
		b->round_count++;
		b->rounds_since_probe++;
		b->round_start = true;
	}
}

static void update_latest(const struct sock *sk, struct bbr *b, const struct tcp_rate_sample *rs)
{
	b->loss_round_start = false;
	if (rs->delivered <= 0)
		return;
	b->bw_latest = max_u32(b->bw_latest, rs->bw);
	b->inflight_latest = max_u32(b->inflight_latest, (uint32_t)rs->delivered);
	if (!before(rs->prior_delivered, b->loss_round_delivered)) {
		b->loss_round_delivered = tcp_sk(sk)->delivered;
		b->loss_round_start = true;
	}
}

/* What was delivered is less than what the path takes by our own pacing margin, and by losses that are to be borne. */
static uint32_t tolerant(uint32_t v) { return (uint32_t)min_u64((uint64_t)v * (100 + BBR_PACING_MARGIN + BBR_LOSS_THRESH) / 100 + 1, UINT32_MAX); }

/* A round with losses, while not probing, is answered as Reno and CUBIC would: by a part. The draft takes the latest samples as
 * they are; here they are compared with what could have been delivered at all, or each chance loss would take a little and
 * every drain a lot: our margin and bearable losses are added, and rounds in which the gain or the program held us back (Drain,
 * DOWN, ProbeRTT, and what was in flight then) say nothing. */
static void adapt_short_term(const struct sock *sk, struct bbr *b, const struct tcp_rate_sample *rs)
{
	if (bbr_probes_bw(b) || !(b->loss_in_round || b->ece_in_round) || bbr_held_back(b, rs) || before(rs->prior_delivered, b->restrained_until))
		return;
	if (b->bw_short == BBR_INFINITE)
		b->bw_short = bbr_max_bw(b);
	if (b->inflight_short == BBR_INFINITE)
		b->inflight_short = tcp_sk(sk)->snd_cwnd;
	if (b->ece_in_round) /* a router means it: no chance in that */
		b->inflight_short = (uint32_t)((uint64_t)min_u32(b->inflight_short, tcp_sk(sk)->snd_cwnd) * BBR_BETA / 100);
	if (!b->loss_in_round)
		return;
	b->bw_short = min_u32(b->bw_short, max_u32(tolerant(b->bw_latest), (uint32_t)((uint64_t)b->bw_short * BBR_BETA / 100)));
	b->inflight_short = min_u32(b->inflight_short, max_u32(tolerant(b->inflight_latest),
							       (uint32_t)((uint64_t)b->inflight_short * BBR_BETA / 100)));
}

static void update_congestion_signals(const struct sock *sk, struct bbr *b, const struct tcp_rate_sample *rs)
{
	update_round(sk, b, rs);
	if (rs->bw && (rs->bw >= bbr_max_bw(b) || !rs->app_limited))
		b->max_bw[1] = max_u32(b->max_bw[1], rs->bw);
	if (rs->newly_lost) {
		b->loss_in_round = true;
		b->loss_events = (uint8_t)min_u32(b->loss_events + 1u, 255);
	}
	if (rs->ece && !b->ece_in_round) {
		if (!b->loss_in_round)
			b->loss_round_delivered = tcp_sk(sk)->delivered;
		b->ece_in_round = true;
	}
	if (b->state == BBR_DRAIN || b->state == BBR_PROBE_DOWN || b->state == BBR_PROBE_RTT)
		b->restrained_until = tcp_sk(sk)->delivered + tcp_packets_in_flight(tcp_sk(sk));
	if (tcp_sk(sk)->chrono_type > TCP_CHRONO_BUSY)
		b->window_until = tcp_sk(sk)->delivered + tcp_packets_in_flight(tcp_sk(sk));
	if (!b->loss_round_start)
		return;
	adapt_short_term(sk, b, rs);
	b->loss_in_round = false;
	b->ece_rounds = b->ece_in_round ? (uint8_t)min_u32(b->ece_rounds + 1u, 255) : 0;
	b->ece_in_round = false;
}

static uint32_t extra_acked(const struct bbr *b) { return max_u32(b->extra_acked[0], b->extra_acked[1]); }

static void update_ack_aggregation(const struct sock *sk, struct bbr *b, const struct tcp_rate_sample *rs)
{
	uint64_t now = sk->net->now_ns, us = (now - b->extra_acked_start_ns) / NSEC_PER_USEC, expected;
	uint32_t extra;

	if (!rs->acked_sacked)
		return;
	if (b->round_start && ++b->extra_acked_rounds >= (b->full_bw_reached ? BBR_EXTRA_ACKED_ROUNDS : 1)) {
		b->extra_acked_rounds = 0;
		b->extra_acked_slot ^= 1;
		b->extra_acked[b->extra_acked_slot] = 0;
	}
	expected = (uint64_t)b->bw * min_u64(us, 1000000) >> BBR_SCALE;
	if (b->extra_acked_delivered <= expected || us > 1000000) {
		b->extra_acked_delivered = 0;
		b->extra_acked_start_ns = now;
		expected = 0;
	}
	b->extra_acked_delivered += rs->acked_sacked;
	extra = min_u32((uint32_t)(b->extra_acked_delivered - expected), tcp_sk(sk)->snd_cwnd);
	b->extra_acked[b->extra_acked_slot] = max_u32(b->extra_acked[b->extra_acked_slot], extra);
}

/* ---- control ---- */
static uint64_t rate_of(const struct sock *sk, uint32_t bw, uint32_t gain)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	/* pacing weighs segments with their TCP header */
	uint64_t rate = (uint64_t)bw * (tp->mss_cache + tp->tcp_header_len) / BBR_GAIN * gain / 100 * (100 - BBR_PACING_MARGIN);

	return (rate >> BBR_SCALE) * 1000000 + (((rate & (BBR_UNIT - 1)) * 1000000) >> BBR_SCALE);
}

/* Before anything was measured: the initial window in a millisecond, or in the handshake's round trip. */
static void init_pacing_rate(struct sock *sk, struct bbr *b)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	uint32_t us = tp->srtt_us ? max_u32(tp->srtt_us >> 3, 1) : 1000;

	b->has_seen_rtt = tp->srtt_us != 0;
	sk->pacing_rate = max_u64(rate_of(sk, (uint32_t)min_u64((uint64_t)tp->snd_cwnd * BBR_UNIT / us, UINT32_MAX), BBR_STARTUP_PACING_GAIN), 1);
}

static void set_pacing_rate(struct sock *sk, struct bbr *b, uint32_t gain)
{
	uint64_t rate = rate_of(sk, b->bw, gain);

	if (!b->has_seen_rtt && tcp_sk(sk)->srtt_us)
		init_pacing_rate(sk, b);
	if (rate && (b->full_bw_reached || rate > sk->pacing_rate))
		sk->pacing_rate = rate;
}

static uint32_t bound_cwnd_for_model(const struct bbr *b, uint32_t cwnd)
{
	uint32_t cap = BBR_INFINITE;

	if (bbr_in_probe_bw(b) && b->state != BBR_PROBE_CRUISE)
		cap = b->inflight_long;
	else if (b->state == BBR_PROBE_RTT || b->state == BBR_PROBE_CRUISE)
		cap = bbr_inflight_with_headroom(b);
	cap = max_u32(min_u32(cap, b->inflight_short), BBR_MIN_PIPE_CWND);
	return min_u32(cwnd, cap);
}

static void set_cwnd(struct sock *sk, struct bbr *b, const struct tcp_rate_sample *rs)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint32_t max_inflight = quantization_budget(sk, b, bbr_bdp(sk, b, b->bw, b->cwnd_gain) + extra_acked(b)), cwnd = tp->snd_cwnd;

	if (b->full_bw_reached)
		cwnd = min_u32(cwnd + rs->acked_sacked, max_inflight);
	else if (cwnd < max_inflight || tp->delivered < tcp_init_cwnd_(sk))
		cwnd += rs->acked_sacked;
	cwnd = max_u32(cwnd, BBR_MIN_PIPE_CWND);
	if (b->state == BBR_PROBE_RTT)
		cwnd = min_u32(cwnd, max_u32(bbr_bdp(sk, b, b->bw, BBR_PROBE_RTT_CWND_GAIN), BBR_MIN_PIPE_CWND));
	tp->snd_cwnd = min_u32(bound_cwnd_for_model(b, cwnd), tp->snd_cwnd_clamp);
}

static void bbr_main(struct sock *sk, const struct tcp_rate_sample *rs)
{
	struct bbr *b = bbr_of(sk);

	if (!b->cwnd_gain)
		return; /* the handshake's ACK: bbr_init comes in a moment */
	update_latest(sk, b, rs);
	update_congestion_signals(sk, b, rs);
	update_ack_aggregation(sk, b, rs);
	bbr_check_full_bw(b, rs);
	bbr_update_phase(sk, b, rs);
	bbr_update_min_rtt(sk, b, rs);
	if (b->loss_round_start && rs->delivered > 0) {
		b->bw_latest = rs->bw;
		b->inflight_latest = (uint32_t)rs->delivered;
	}
	b->bw = min_u32(bbr_max_bw(b), b->bw_short);
	set_pacing_rate(sk, b, b->pacing_gain);
	set_cwnd(sk, b, rs);
}

/* ---- losses ---- */
/* How much of skb's flight went well before the losses passed the threshold. size: skb's segments, a train's at most. */
static uint32_t inflight_at_loss(const struct tcp_rate_sample *rs, uint32_t size)
{
	uint32_t inflight = rs->tx_in_flight > size ? rs->tx_in_flight - size : 0, lost = rs->lost > size ? rs->lost - size : 0;

	for (uint32_t i = 0; i < size && !lost_too_many(inflight + 1, lost + 1); i++) {
		inflight++;
		lost++;
	}
	return inflight;
}

static void bbr_skb_lost(struct sock *sk, const struct sk_buff *skb)
{
	const struct tcp_skb_cb *tcb = TCP_SKB_CB(skb);
	const struct tcp_sock *tp = tcp_sk(sk);
	struct bbr *b = bbr_of(sk);
	struct tcp_rate_sample rs = { .prior_delivered = tcb->tx.delivered, .tx_in_flight = tcb->tx.in_flight, .lost = tp->lost - tcb->tx.lost, .app_limited = tcb->tx.app_limited };

	if (!b->loss_in_round)
		b->loss_round_delivered = tp->delivered;
	b->loss_in_round = true;
	if (!b->bw_probe_samples || !bbr_inflight_too_high(&rs))
		return;
	rs.tx_in_flight = inflight_at_loss(&rs, tcp_skb_pcount(skb));
	bbr_handle_inflight_too_high(sk, b, &rs);
}

/* Called when a loss is found, before anything changes: what a spurious one must restore. */
static uint32_t bbr_ssthresh(struct sock *sk)
{
	struct bbr *b = bbr_of(sk);

	bbr_save_cwnd(sk, b);
	b->undo_state = b->state;
	b->undo_bw_short = b->bw_short;
	b->undo_inflight_short = b->inflight_short;
	b->undo_inflight_long = b->inflight_long;
	return tcp_sk(sk)->snd_ssthresh;
}

static uint32_t bbr_undo_cwnd(struct sock *sk)
{
	struct bbr *b = bbr_of(sk);

	b->loss_in_round = false;
	bbr_reset_full_bw(b);
	b->bw_short = max_u32(b->bw_short, b->undo_bw_short);
	b->inflight_short = max_u32(b->inflight_short, b->undo_inflight_short);
	b->inflight_long = max_u32(b->inflight_long, b->undo_inflight_long);
	if (b->state != BBR_PROBE_RTT && b->state != b->undo_state) {
		if (b->undo_state == BBR_STARTUP) {
			b->full_bw_reached = false;
			bbr_enter_startup(b);
		} else if (b->undo_state == BBR_PROBE_UP) {
			bbr_start_probe_up(sk, b, NULL);
		}
	}
	return max_u32(tcp_sk(sk)->snd_cwnd, b->prior_cwnd);
}

static void bbr_set_state(struct sock *sk, uint8_t st)
{
	struct bbr *b = bbr_of(sk);

	if (st == TCP_CA_Loss) {
		bbr_reset_full_bw(b);
		if (!bbr_probes_bw(b) && b->inflight_short == BBR_INFINITE) /* the flow did not lose all of it by its own doing */
			b->inflight_short = max_u32(tcp_sk(sk)->snd_cwnd, b->prior_cwnd);
	} else if (b->prev_ca_state == TCP_CA_Loss && st < TCP_CA_Recovery) {
		bbr_restore_cwnd(sk, b);
	}
	b->prev_ca_state = st;
}

static void bbr_event(struct sock *sk, enum tcp_ca_event ev)
{
	struct bbr *b;

	if (ev != CA_EVENT_TX_START || !tcp_sk(sk)->app_limited)
		return;
	b = bbr_of(sk); /* sending again after idle: nothing is in flight that a fast start would queue behind */
	b->idle_restart = true;
	b->extra_acked_start_ns = sk->net->now_ns;
	b->extra_acked_delivered = 0;
	if (bbr_in_probe_bw(b))
		set_pacing_rate(sk, b, BBR_GAIN);
	else if (b->state == BBR_PROBE_RTT)
		bbr_check_probe_rtt_done(sk, b);
}

static void bbr_init(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct bbr *b;

	tcp_ca_free(sk);
	b = bbr_of(sk);
	b->min_rtt_us = b->probe_rtt_min_us = tp->min_rtt_us;
	b->min_rtt_stamp_ms = b->probe_rtt_stamp_ms = tcp_time_ms(sk);
	b->bw_short = b->inflight_short = b->inflight_long = BBR_INFINITE;
	b->undo_bw_short = b->undo_inflight_short = b->undo_inflight_long = BBR_INFINITE;
	b->next_round_delivered = b->loss_round_delivered = b->restrained_until = b->window_until = tp->delivered;
	b->extra_acked_start_ns = sk->net->now_ns;
	b->probe_up_cnt = BBR_INFINITE;
	tp->snd_ssthresh = TCP_INFINITE_SSTHRESH;
	bbr_enter_startup(b);
	init_pacing_rate(sk, b);
}

/* struct tcp_bbr_info of linux/inet_diag.h. */
struct bbr_info_wire {
	uint32_t bw_lo, bw_hi, min_rtt, pacing_gain, cwnd_gain; /* octets per second; us; gains in 1/256 */
};

static size_t bbr_info(const struct sock *sk, void *out)
{
	const struct bbr *b = (const struct bbr *)inet_csk(sk)->ca_priv;
	struct bbr_info_wire info;
	uint64_t bw;

	if (!b)
		return 0;
	bw = ((uint64_t)b->bw * tcp_sk(sk)->mss_cache * 1000000) >> BBR_SCALE;
	info.bw_lo = (uint32_t)bw;
	info.bw_hi = (uint32_t)(bw >> 32);
	info.min_rtt = b->min_rtt_us;
	info.pacing_gain = b->pacing_gain;
	info.cwnd_gain = b->cwnd_gain;
	memcpy(out, &info, sizeof(info));
	return sizeof(info);
}

const struct tcp_congestion_ops tcp_bbr_ops = {
	.name = "bbr",
	.big_priv = true,
	.init = bbr_init,
	.cong_control = bbr_main,
	.skb_lost = bbr_skb_lost,
	.ssthresh = bbr_ssthresh,
	.set_state = bbr_set_state,
	.cwnd_event = bbr_event,
	.undo_cwnd = bbr_undo_cwnd,
	.get_info = bbr_info,
};
