/* BBR's state machine: when to fill the pipe, drain it, look for more, and look for the shortest round trip.
 *
 *     Startup -> Drain -> ProbeBW: DOWN -> CRUISE -> REFILL -> UP -> DOWN ...
 *     any, when no shorter round trip was seen for 5 s -> ProbeRTT (200 ms with half the window) -> CRUISE or Startup
 *
 *     DOWN     sends at 0.9 of the bandwidth until the queue that UP left is gone and there is headroom
 *     CRUISE   at 1.0, for 2 to 3 s, or as many rounds as Reno would take to grow by one window's worth, up to 63
 *     REFILL   at 1.0 for one round without the short-term bounds: the pipe is full again
 *     UP       at 1.25 until the bandwidth grows no more or losses say that it is too much (more than 2 % of a round)
 *
 * draft-ietf-ccwg-bbr 5.3. Called by tcp_bbr.c at each ACK. Tests: tests/unit/tcp/test_tcp_bbr.c. */
#include "tcp/tcp_bbr.h"

/* ---- full pipe ---- */
void bbr_reset_full_bw(struct bbr *b)
{
	b->full_bw = 0;
	b->full_bw_count = 0;
	b->full_bw_now = false;
}

/* Three rounds without a quarter more: this is all there is. */
void bbr_check_full_bw(struct bbr *b, const struct tcp_rate_sample *rs)
{
	if (b->full_bw_now || !b->round_start || rs->app_limited || !rs->bw)
		return;
	if ((uint64_t)rs->bw * 100 >= (uint64_t)b->full_bw * BBR_FULL_BW_GROWTH) {
		bbr_reset_full_bw(b);
		b->full_bw = rs->bw;
		return;
	}
	b->full_bw_count++;
	b->full_bw_now = b->full_bw_count >= BBR_FULL_BW_COUNT;
	if (b->full_bw_now)
		b->full_bw_reached = true;
}

/* ---- entering ---- */
static void set_state(struct bbr *b, uint8_t state, uint32_t pacing_gain, uint32_t cwnd_gain)
{
	b->state = state;
	b->pacing_gain = (uint16_t)pacing_gain;
	b->cwnd_gain = (uint16_t)cwnd_gain;
}

void bbr_enter_startup(struct bbr *b) { set_state(b, BBR_STARTUP, BBR_STARTUP_PACING_GAIN, BBR_STARTUP_CWND_GAIN); }

static void reset_congestion_signals(struct bbr *b)
{
	b->loss_in_round = b->ece_in_round = false;
	b->loss_events = 0;
	b->bw_latest = 0;
	b->inflight_latest = 0;
}

static void reset_short_term(struct bbr *b)
{
	b->bw_short = BBR_INFINITE;
	b->inflight_short = BBR_INFINITE;
}

void bbr_start_probe_down(struct sock *sk, struct bbr *b)
{
	uint64_t r = rng_u64(&tcp_net(sk)->rng);

	reset_congestion_signals(b);
	b->probe_up_cnt = BBR_INFINITE; /* not growing inflight_long now */
	b->rounds_since_probe = (uint32_t)(r & 1);
	b->probe_wait_ms = BBR_PROBE_WAIT_MS + (uint32_t)((r >> 1) % 1000);
	b->cycle_stamp_ms = tcp_time_ms(sk);
	b->ack_phase = BBR_ACKS_STOPPING;
	bbr_start_round(sk, b);
	set_state(b, BBR_PROBE_DOWN, BBR_PROBE_DOWN_GAIN, BBR_CWND_GAIN);
}

static void start_cruise(struct bbr *b) { set_state(b, BBR_PROBE_CRUISE, BBR_GAIN, BBR_CWND_GAIN); }

static void start_refill(struct sock *sk, struct bbr *b)
{
	reset_short_term(b);
	b->probe_up_rounds = 0;
	b->probe_up_acks = 0;
	b->ack_phase = BBR_ACKS_REFILLING;
	bbr_start_round(sk, b);
	set_state(b, BBR_PROBE_REFILL, BBR_GAIN, BBR_CWND_GAIN);
}

/* How many acknowledged segments raise inflight_long by one: twice as fast each round. */
static void raise_slope(const struct sock *sk, struct bbr *b)
{
	uint32_t growth = 1u << b->probe_up_rounds;

	b->probe_up_rounds = (uint8_t)min_u32(b->probe_up_rounds + 1u, 30);
	b->probe_up_cnt = max_u32(tcp_sk(sk)->snd_cwnd / growth, 1);
}

void bbr_start_probe_up(struct sock *sk, struct bbr *b, const struct tcp_rate_sample *rs)
{
	b->ack_phase = BBR_ACKS_STARTING;
	bbr_start_round(sk, b);
	bbr_reset_full_bw(b);
	b->full_bw = rs ? rs->bw : 0;
	set_state(b, BBR_PROBE_UP, BBR_PROBE_UP_GAIN, BBR_PROBE_UP_CWND_GAIN);
	raise_slope(sk, b);
}

/* ---- Startup, Drain ---- */
/* A whole round in recovery, with losses in many places and more of them than the threshold, or two rounds that routers
 * marked: the pipe is more than full. */
static void check_startup_high_loss(struct sock *sk, struct bbr *b, const struct tcp_rate_sample *rs)
{
	if (b->full_bw_reached)
		return;
	if (b->loss_round_start &&
	    (b->ece_rounds >= BBR_FULL_ECE_ROUNDS || (inet_csk(sk)->ca_state == TCP_CA_Recovery &&
						      b->loss_events >= BBR_FULL_LOSS_COUNT && bbr_inflight_too_high(rs)))) {
		b->full_bw_reached = true;
		b->inflight_long = max_u32(bbr_bdp(sk, b, bbr_max_bw(b), BBR_GAIN), b->inflight_latest);
	}
	if (b->loss_round_start)
		b->loss_events = 0;
}

/* ---- ProbeBW ---- */
static bool is_time_to_probe(struct sock *sk, struct bbr *b)
{
	uint32_t reno_rounds = min_u32(bbr_target_inflight(sk, b), BBR_RENO_ROUNDS_MAX);

	if ((uint32_t)(tcp_time_ms(sk) - b->cycle_stamp_ms) <= b->probe_wait_ms && b->rounds_since_probe < reno_rounds)
		return false;
	start_refill(sk, b);
	return true;
}

static bool is_time_to_cruise(const struct sock *sk, const struct bbr *b)
{
	uint32_t in_flight = tcp_packets_in_flight(tcp_sk(sk));

	return in_flight <= bbr_inflight_with_headroom(b) && in_flight <= bbr_inflight(sk, b, bbr_max_bw(b), BBR_GAIN);
}

static bool is_time_to_go_down(const struct sock *sk, struct bbr *b, const struct tcp_rate_sample *rs)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	if (tp->is_cwnd_limited && tp->snd_cwnd >= b->inflight_long) { /* it is our own bound that holds us */
		bbr_reset_full_bw(b);
		b->full_bw = rs->bw;
		return false;
	}
	return b->full_bw_now;
}

void bbr_handle_inflight_too_high(struct sock *sk, struct bbr *b, const struct tcp_rate_sample *rs)
{
	b->bw_probe_samples = false; /* once for each probe */
	if (!bbr_held_back(b, rs)) /* few in flight for another reason, and the losses of the many before: no measure */
		b->inflight_long = max_u32(rs->tx_in_flight, bbr_target_inflight(sk, b) * BBR_BETA / 100);
	if (b->state == BBR_PROBE_UP)
		bbr_start_probe_down(sk, b);
}

static void probe_inflight_upward(struct sock *sk, struct bbr *b, const struct tcp_rate_sample *rs)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	if (!tp->is_cwnd_limited || tp->snd_cwnd < b->inflight_long)
		return; /* the bound is not what holds us */
	b->probe_up_acks += rs->acked_sacked;
	if (b->probe_up_acks >= b->probe_up_cnt) {
		uint32_t delta = b->probe_up_acks / b->probe_up_cnt;

		b->probe_up_acks -= delta * b->probe_up_cnt;
		b->inflight_long += delta;
	}
	if (b->round_start)
		raise_slope(sk, b);
}

/* What the probe's samples say of inflight_long. */
static void adapt_long_term(struct sock *sk, struct bbr *b, const struct tcp_rate_sample *rs)
{
	if (b->ack_phase == BBR_ACKS_STARTING && b->round_start)
		b->ack_phase = BBR_ACKS_FEEDBACK;
	if (b->ack_phase == BBR_ACKS_STOPPING && b->round_start) {
		b->bw_probe_samples = false;
		b->ack_phase = BBR_ACKS_INIT;
		if (bbr_in_probe_bw(b) && !rs->app_limited && b->max_bw[1]) { /* a cycle ends */
			b->max_bw[0] = b->max_bw[1];
			b->max_bw[1] = 0;
		}
	}
	if (bbr_inflight_too_high(rs) || rs->ece) {
		if (b->bw_probe_samples)
			bbr_handle_inflight_too_high(sk, b, rs);
		return;
	}
	if (b->inflight_long == BBR_INFINITE)
		return;
	b->inflight_long = max_u32(b->inflight_long, rs->tx_in_flight);
	if (b->state == BBR_PROBE_UP)
		probe_inflight_upward(sk, b, rs);
}

void bbr_update_phase(struct sock *sk, struct bbr *b, const struct tcp_rate_sample *rs)
{
	check_startup_high_loss(sk, b, rs);
	if (b->state == BBR_STARTUP && b->full_bw_reached)
		set_state(b, BBR_DRAIN, BBR_DRAIN_PACING_GAIN, BBR_STARTUP_CWND_GAIN);
	if (b->state == BBR_DRAIN && tcp_packets_in_flight(tcp_sk(sk)) <= bbr_inflight(sk, b, bbr_max_bw(b), BBR_GAIN))
		bbr_start_probe_down(sk, b);
	if (!b->full_bw_reached)
		return;
	adapt_long_term(sk, b, rs);
	switch (b->state) {
	case BBR_PROBE_DOWN:
		if (!is_time_to_probe(sk, b) && is_time_to_cruise(sk, b))
			start_cruise(b);
		break;
	case BBR_PROBE_CRUISE:
		is_time_to_probe(sk, b);
		break;
	case BBR_PROBE_REFILL:
		if (b->round_start) { /* losses from here on are the probe's */
			b->bw_probe_samples = true;
			bbr_start_probe_up(sk, b, rs);
		}
		break;
	case BBR_PROBE_UP:
		if (is_time_to_go_down(sk, b, rs))
			bbr_start_probe_down(sk, b);
	}
}

/* ---- ProbeRTT ---- */
static void exit_probe_rtt(struct sock *sk, struct bbr *b)
{
	reset_short_term(b);
	if (b->full_bw_reached) {
		bbr_start_probe_down(sk, b);
		start_cruise(b);
	} else {
		bbr_enter_startup(b);
	}
}

void bbr_check_probe_rtt_done(struct sock *sk, struct bbr *b)
{
	uint32_t now = tcp_time_ms(sk);

	if (!b->probe_rtt_pending || (int32_t)(now - b->probe_rtt_done_ms) <= 0)
		return;
	b->probe_rtt_stamp_ms = now; /* the next one in 5 s */
	b->probe_rtt_pending = false;
	bbr_restore_cwnd(sk, b);
	exit_probe_rtt(sk, b);
}

static void handle_probe_rtt(struct sock *sk, struct bbr *b)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint32_t in_flight = tcp_packets_in_flight(tp);

	/* what is measured meanwhile says nothing of the bandwidth */
	tp->app_limited = max_u32(tp->delivered + in_flight, 1);
	if (!b->probe_rtt_pending) {
		if (in_flight > max_u32(bbr_bdp(sk, b, b->bw, BBR_PROBE_RTT_CWND_GAIN), BBR_MIN_PIPE_CWND))
			return;
		b->probe_rtt_pending = true;
		b->probe_rtt_done_ms = tcp_time_ms(sk) + BBR_PROBE_RTT_TIME_MS;
		b->probe_rtt_round_done = false;
		bbr_start_round(sk, b);
		return;
	}
	if (b->round_start)
		b->probe_rtt_round_done = true;
	if (b->probe_rtt_round_done)
		bbr_check_probe_rtt_done(sk, b);
}

void bbr_update_min_rtt(struct sock *sk, struct bbr *b, const struct tcp_rate_sample *rs)
{
	uint32_t now = tcp_time_ms(sk);
	bool expired = (uint32_t)(now - b->probe_rtt_stamp_ms) > BBR_PROBE_RTT_MS;

	if (rs->rtt_us >= 0 && ((uint64_t)rs->rtt_us < b->probe_rtt_min_us || expired)) {
		b->probe_rtt_min_us = max_u32((uint32_t)rs->rtt_us, 1);
		b->probe_rtt_stamp_ms = now;
	}
	if (b->probe_rtt_min_us < b->min_rtt_us || (uint32_t)(now - b->min_rtt_stamp_ms) > BBR_MIN_RTT_MS) {
		b->min_rtt_us = b->probe_rtt_min_us;
		b->min_rtt_stamp_ms = b->probe_rtt_stamp_ms;
	}
	if (b->state != BBR_PROBE_RTT && expired && !b->idle_restart) {
		set_state(b, BBR_PROBE_RTT, BBR_GAIN, BBR_PROBE_RTT_CWND_GAIN);
		bbr_save_cwnd(sk, b);
		b->probe_rtt_pending = false;
		b->ack_phase = BBR_ACKS_STOPPING;
		bbr_start_round(sk, b);
	}
	if (b->state == BBR_PROBE_RTT)
		handle_probe_rtt(sk, b);
	if (rs->delivered > 0)
		b->idle_restart = false;
}
