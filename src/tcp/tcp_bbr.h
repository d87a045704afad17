/* BBR's state, shared by tcp_bbr.c (model and control), tcp_bbr_phase.c (state machine). Names are the draft's. */
#ifndef TCP_TCP_BBR_H
#define TCP_TCP_BBR_H

#include "tcp/tcp_int.h"

/* Bandwidth: segments per microsecond, times 2^24. Gains: in 1/256. Data: segments. Times: microseconds unless said. */
#define BBR_SCALE 24
#define BBR_UNIT (1u << BBR_SCALE)
#define BBR_GAIN 256u
#define BBR_INFINITE UINT32_MAX

#define BBR_STARTUP_PACING_GAIN 710u /* 2.773: 4 ln 2 */
#define BBR_STARTUP_CWND_GAIN 512u
#define BBR_DRAIN_PACING_GAIN 128u   /* one over the cwnd gain of startup */
#define BBR_CWND_GAIN 512u
#define BBR_PROBE_UP_GAIN 320u
#define BBR_PROBE_UP_CWND_GAIN 576u
#define BBR_PROBE_DOWN_GAIN 230u     /* 0.9 */
#define BBR_PROBE_RTT_CWND_GAIN 128u
#define BBR_MIN_PIPE_CWND 4u
#define BBR_LOSS_THRESH 2u           /* percent */
#define BBR_BETA 70u                 /* percent */
#define BBR_HEADROOM 15u             /* percent */
#define BBR_PACING_MARGIN 1u         /* percent */
#define BBR_FULL_BW_GROWTH 125u      /* percent */
#define BBR_FULL_BW_COUNT 3u
#define BBR_FULL_LOSS_COUNT 6u
#define BBR_FULL_ECE_ROUNDS 2u
#define BBR_EXTRA_ACKED_ROUNDS 5u    /* in each of two slots: the filter spans ten */
#define BBR_MIN_RTT_MS 10000u
#define BBR_PROBE_RTT_MS 5000u
#define BBR_PROBE_RTT_TIME_MS 200u
#define BBR_PROBE_WAIT_MS 2000u      /* and up to a second more */
#define BBR_RENO_ROUNDS_MAX 63u

enum { BBR_STARTUP, BBR_DRAIN, BBR_PROBE_DOWN, BBR_PROBE_CRUISE, BBR_PROBE_REFILL, BBR_PROBE_UP, BBR_PROBE_RTT };
enum { BBR_ACKS_INIT, BBR_ACKS_REFILLING, BBR_ACKS_STARTING, BBR_ACKS_FEEDBACK, BBR_ACKS_STOPPING };

struct bbr {
	/* the path: what was measured */
	uint32_t min_rtt_us, min_rtt_stamp_ms, probe_rtt_min_us, probe_rtt_stamp_ms;
	uint32_t max_bw[2];                   /* this cycle's and the last one's */
	uint32_t bw_latest, inflight_latest;  /* of this round */
	uint32_t bw_short, inflight_short, inflight_long; /* bounds; BBR_INFINITE: none */
	uint32_t bw;                          /* what all this comes to */
	/* rounds */
	uint32_t next_round_delivered, loss_round_delivered, round_count;
	uint32_t restrained_until; /* what was sent before this much was delivered was held back by our own gain */
	uint32_t window_until;     /* and this by the peer's window, or for want of room in the send buffer */
	/* full pipe */
	uint32_t full_bw;
	/* acknowledgements that come in lumps */
	uint32_t extra_acked[2], extra_acked_delivered, extra_acked_rounds;
	uint64_t extra_acked_start_ns;
	/* the cycle */
	uint32_t cycle_stamp_ms, probe_wait_ms, rounds_since_probe;
	uint32_t probe_up_cnt, probe_up_acks;
	uint32_t probe_rtt_done_ms;
	/* put aside: before a loss, before ProbeRTT */
	uint32_t prior_cwnd, undo_bw_short, undo_inflight_short, undo_inflight_long;
	uint16_t pacing_gain, cwnd_gain;
	uint8_t state, undo_state, ack_phase, full_bw_count, probe_up_rounds, loss_events, prev_ca_state, extra_acked_slot, ece_rounds;
	bool round_start, loss_round_start, loss_in_round, ece_in_round, full_bw_now, full_bw_reached, bw_probe_samples, idle_restart,
		probe_rtt_round_done, has_seen_rtt, probe_rtt_pending;
};
_Static_assert(sizeof(struct bbr) <= TCP_CA_PRIV_BIG, "fits");
static inline struct bbr *bbr_of(struct sock *sk) { return tcp_ca(sk); }
/* Sent while neither rate nor cwnd decided how much: says little of what the path can bear. */
static inline bool bbr_held_back(const struct bbr *b, const struct tcp_rate_sample *rs)
{
	return rs->app_limited || before(rs->prior_delivered, b->window_until);
}
static inline bool bbr_in_probe_bw(const struct bbr *b) { return b->state >= BBR_PROBE_DOWN && b->state <= BBR_PROBE_UP; }
static inline bool bbr_probes_bw(const struct bbr *b)
{
	return b->state == BBR_STARTUP || b->state == BBR_PROBE_REFILL || b->state == BBR_PROBE_UP;
}

/* tcp_bbr.c */
uint32_t bbr_max_bw(const struct bbr *b);
uint32_t bbr_bdp(const struct sock *sk, const struct bbr *b, uint32_t bw, uint32_t gain); /* segments */
uint32_t bbr_inflight(const struct sock *sk, const struct bbr *b, uint32_t bw, uint32_t gain);
uint32_t bbr_inflight_with_headroom(const struct bbr *b);
uint32_t bbr_target_inflight(const struct sock *sk, const struct bbr *b);
void bbr_start_round(const struct sock *sk, struct bbr *b);
void bbr_save_cwnd(const struct sock *sk, struct bbr *b);
void bbr_restore_cwnd(struct sock *sk, const struct bbr *b);
bool bbr_inflight_too_high(const struct tcp_rate_sample *rs);

/* tcp_bbr_phase.c */
void bbr_enter_startup(struct bbr *b);
void bbr_reset_full_bw(struct bbr *b);
void bbr_start_probe_down(struct sock *sk, struct bbr *b);
void bbr_start_probe_up(struct sock *sk, struct bbr *b, const struct tcp_rate_sample *rs);
void bbr_handle_inflight_too_high(struct sock *sk, struct bbr *b, const struct tcp_rate_sample *rs);
void bbr_check_full_bw(struct bbr *b, const struct tcp_rate_sample *rs);
void bbr_update_phase(struct sock *sk, struct bbr *b, const struct tcp_rate_sample *rs);
void bbr_update_min_rtt(struct sock *sk, struct bbr *b, const struct tcp_rate_sample *rs);
void bbr_check_probe_rtt_done(struct sock *sk, struct bbr *b);

#endif
