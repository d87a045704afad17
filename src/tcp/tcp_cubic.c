/* CUBIC (RFC 9438) with HyStart++ (RFC 9406): growing delay slows the first slow start down, then ends it.
 *
 *   W_cubic(t) = C * (t - K)^3 + W_max,   K = cbrt(W_max * (1 - beta) / C),   C = 0.4, beta = 717/1024
 *
 * Integers only: t and K in milliseconds, so 0.4 * (dt/1000)^3 = 4 * dt^3 / 10^10.
 * The end of the first slow start is HyStart++ with its conservative phase: it overshoots a queue of one bandwidth-delay product
 * by about a quarter of a window, and does not end slow start on jitter. sysctl net.culver.cubic_hystart: 0 none, 1 this one,
 * 2 the older HyStart as Linux has it (Ha and Rhee, 2008: a train of ACKs as long as half a round trip, or a longer delay, ends
 * slow start at once), which is what packet scripts written for Linux expect.
 * What Reno would have is looked at with every ACK (RFC 9438 4.3); Linux looks every 32 ms at most, if cwnd did not change. On a
 * short path with losses that is much: 41 Mbit/s where Linux has 20 at 3 %, 1 ms, 100 Mbit/s (tcp-grid, 16 transfers each).
 * Called through tcp_congestion_ops. Tests: tests/unit/tcp/test_tcp_cong.c, test_tcp_grid.c. */
#include "tcp/tcp_int.h"

#define CUBIC_BETA 717u /* of 1024 */
#define HYSTART_LOW_WINDOW 16u /* below, a queue of ours is too short to be measured */
#define MIN_RTT_THRESH_US 4000u
#define MAX_RTT_THRESH_US 16000u
#define MIN_RTT_DIVISOR 8u
#define N_RTT_SAMPLE 8u
#define CSS_GROWTH_DIVISOR 4u
#define CSS_ROUNDS 5u
#define ACK_DELTA_US 2000u /* ACKs closer than this belong to one train */

enum { HYSTART_OFF, HYSTART_SS, HYSTART_CSS, HYSTART_DONE };
struct cubic {
	uint32_t cnt;           /* acknowledged segments per increment */
	uint32_t last_max_cwnd, last_cwnd, last_time_ms;
	uint32_t origin, k_ms, epoch_start_ms;
	uint32_t tcp_cwnd, ack_cnt; /* what Reno would have (RFC 9438 4.3) */
	uint32_t end_seq;           /* of this round */
	uint32_t cur_min_us;
	uint32_t delay_min_us;      /* shortest round trip of this epoch of ours, 0: none yet */
	union {
		struct {
			uint32_t last_min_us, css_base_us;
		};
		struct {
			uint32_t round_us, ack_us; /* the older HyStart: when the round, and the last ACK of the train, came */
		};
	};
	uint8_t samples, css_rounds, css_credit, mode;
};
_Static_assert(sizeof(struct cubic) <= TCP_CA_PRIV, "fits");
/* Made when it is needed first: a connection that never had more than a few segments out has none. */
static bool cubic_has(const struct sock *sk) { return inet_csk(sk)->ca_priv != NULL; }
static struct cubic *cubic(struct sock *sk)
{
	struct cubic *ca;

	if (likely(cubic_has(sk)))
		return tcp_ca(sk);
	ca = tcp_ca(sk);
	/* The older HyStart is begun by the first sample, and measures data only: a handshake that took no time would end slow start. */
	if (tcp_sysctl(sk)->cubic_hystart != 2 && tcp_sk(sk)->min_rtt_us != ~0u)
		ca->delay_min_us = tcp_sk(sk)->min_rtt_us;
	return ca;
}

static void cubic_init(struct sock *sk) { tcp_ca_free(sk); }

static uint32_t icbrt(uint64_t v)
{
	uint32_t lo = 0, hi = 2642245; /* cbrt(2^64) */

	while (lo < hi) {
		uint64_t mid = (lo + (uint64_t)hi + 1) / 2;

		if (mid * mid * mid <= v)
			lo = (uint32_t)mid;
		else
			hi = (uint32_t)mid - 1;
	}
	return lo;
}

static void cubic_epoch(struct cubic *ca, uint32_t cwnd, uint32_t acked, uint32_t now)
{
	ca->epoch_start_ms = now ? now : 1;
	ca->ack_cnt = acked;
	ca->tcp_cwnd = cwnd;
	if (ca->last_max_cwnd <= cwnd) {
		ca->k_ms = 0;
		ca->origin = cwnd;
	} else {
		/* K^3 = diff / 0.4 s^3 = diff * 2.5 * 10^9 ms^3 */
		ca->k_ms = icbrt((uint64_t)min_u32(ca->last_max_cwnd - cwnd, 1u << 30) * 2500000000ull);
		ca->origin = ca->last_max_cwnd;
	}
}

static void cubic_friendliness(struct cubic *ca, uint32_t cwnd)
{
	/* Reno's average with beta: 3 * (1 - b) / (1 + b) segments per round trip, as acks per increment, times 8 */
	uint32_t scale = 8 * (1024 + CUBIC_BETA) / 3 / (1024 - CUBIC_BETA);
	uint32_t delta = max_u32((uint32_t)(((uint64_t)cwnd * scale) >> 3), 1);

	if (ca->ack_cnt > delta) {
		uint32_t n = (ca->ack_cnt - 1) / delta;

		ca->ack_cnt -= n * delta;
		ca->tcp_cwnd += n;
	}
	if (ca->tcp_cwnd > cwnd) {
		uint32_t max_cnt = cwnd / (ca->tcp_cwnd - cwnd);

		if (ca->cnt > max_cnt)
			ca->cnt = max_cnt;
	}
}

static void cubic_update(struct sock *sk, uint32_t cwnd, uint32_t acked)
{
	struct cubic *ca = cubic(sk);
	uint32_t now = tcp_time_ms(sk), target;
	uint64_t t, dt, delta;

	ca->ack_cnt += acked;
	if (ca->last_cwnd == cwnd && (uint32_t)(now - ca->last_time_ms) <= 31)
		goto friendly;
	if (ca->epoch_start_ms && now == ca->last_time_ms)
		goto friendly;
	ca->last_cwnd = cwnd;
	ca->last_time_ms = now;
	if (!ca->epoch_start_ms)
		cubic_epoch(ca, cwnd, acked, now);
	t = (uint64_t)(uint32_t)(now - ca->epoch_start_ms) + ca->delay_min_us / 1000;
	dt = t < ca->k_ms ? ca->k_ms - t : t - ca->k_ms;
	dt = min_u64(dt, 1500000);
	delta = 4 * dt * dt * dt / 10000000000ull;
	if (t < ca->k_ms)
		target = delta >= ca->origin ? 0 : ca->origin - (uint32_t)delta;
	else
		target = (uint32_t)min_u64(ca->origin + delta, 0x7fffffff);
	ca->cnt = target > cwnd ? cwnd / (target - cwnd) : 100 * cwnd;
	if (!ca->last_max_cwnd && ca->cnt > 20)
		ca->cnt = 20; /* no loss seen yet: at least 5 % per round trip */
friendly:
	cubic_friendliness(ca, cwnd);
	ca->cnt = max_u32(ca->cnt, 2);
}

static void cubic_cong_avoid(struct sock *sk, uint32_t ack, uint32_t acked)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!tcp_is_cwnd_limited(sk))
		return;
	if (tcp_in_slow_start(tp)) {
		if (cubic_has(sk) && cubic(sk)->mode == HYSTART_CSS) { /* conservative: a quarter of the growth */
			uint32_t n = cubic(sk)->css_credit + acked;

			cubic(sk)->css_credit = (uint8_t)(n % CSS_GROWTH_DIVISOR);
			acked = n / CSS_GROWTH_DIVISOR;
			if (!acked)
				return;
		}
		acked = tcp_slow_start(tp, acked);
		if (!acked)
			return;
	}
	cubic_update(sk, tp->snd_cwnd, acked);
	tcp_cong_avoid_ai(tp, cubic(sk)->cnt, acked);
}

static uint32_t cubic_ssthresh(struct sock *sk)
{
	struct cubic *ca = cubic(sk);
	uint32_t cwnd = tcp_sk(sk)->snd_cwnd;

	ca->epoch_start_ms = 0;
	/* fast convergence (RFC 9438 4.7): a flow that lost again below its last maximum makes room */
	ca->last_max_cwnd = cwnd < ca->last_max_cwnd ? (uint32_t)((uint64_t)cwnd * (1024 + CUBIC_BETA) / 2048) : cwnd;
	return max_u32((uint32_t)((uint64_t)cwnd * CUBIC_BETA / 1024), 2);
}

static void cubic_state(struct sock *sk, uint8_t st)
{
	if (st == TCP_CA_Loss) {
		struct cubic *ca = cubic(sk);

		/* after a timeout K is 0 and W_max the window where congestion avoidance begins (RFC 9438 4.8) */
		memset(ca, 0, sizeof(*ca));
		if (tcp_sysctl(sk)->cubic_hystart != 2)
			ca->mode = HYSTART_DONE;
	}
}

static void cubic_event(struct sock *sk, enum tcp_ca_event ev)
{
	struct cubic *ca;
	uint32_t idle;

	if (ev != CA_EVENT_TX_START || !cubic_has(sk))
		return;
	ca = cubic(sk);
	/* time without sending is not time of growth (RFC 9438 5.8) */
	idle = tcp_time_ms(sk) - tcp_sk(sk)->lsndtime_ms;
	if (ca->epoch_start_ms && (int32_t)idle > 0) {
		ca->epoch_start_ms += idle;
		if (after(ca->epoch_start_ms, tcp_time_ms(sk)))
			ca->epoch_start_ms = tcp_time_ms(sk) ? tcp_time_ms(sk) : 1;
	}
}

/* ---- HyStart++ (RFC 9406 4.2) ---- */
static void hystart_round(struct sock *sk, struct cubic *ca)
{
	ca->end_seq = tcp_sk(sk)->snd_nxt;
	ca->last_min_us = ca->cur_min_us;
	ca->cur_min_us = ~0u;
	ca->samples = 0;
	if (ca->mode == HYSTART_CSS && ++ca->css_rounds >= CSS_ROUNDS) {
		TCPEXT_INC(sk->net, TCPHystartDelayDetect);
		sk->net->mib.tcpext.TCPHystartDelayCwnd += tcp_sk(sk)->snd_cwnd;
		tcp_sk(sk)->snd_ssthresh = tcp_sk(sk)->snd_cwnd;
		ca->mode = HYSTART_DONE;
	}
}

static void hystart_sample(struct cubic *ca, uint32_t rtt_us)
{
	uint32_t thresh;

	ca->cur_min_us = min_u32(ca->cur_min_us, rtt_us);
	if (ca->samples < 255)
		ca->samples++;
	if (ca->samples < N_RTT_SAMPLE || ca->last_min_us == ~0u)
		return;
	if (ca->mode == HYSTART_CSS) {
		if (ca->cur_min_us < ca->css_base_us) { /* it was jitter: back to slow start */
			ca->mode = HYSTART_SS;
			ca->css_base_us = ~0u;
		}
		return;
	}
	thresh = min_u32(max_u32(ca->last_min_us / MIN_RTT_DIVISOR, MIN_RTT_THRESH_US), MAX_RTT_THRESH_US);
	if (ca->cur_min_us >= ca->last_min_us + thresh) {
		ca->mode = HYSTART_CSS;
		ca->css_base_us = ca->cur_min_us;
		ca->css_rounds = 0;
		ca->css_credit = 0;
	}
}

/* ---- the older HyStart ---- */
static void hystart_found(struct sock *sk, struct cubic *ca, uint64_t *sum_of_cwnd)
{
	*sum_of_cwnd += tcp_sk(sk)->snd_cwnd;
	ca->mode = HYSTART_DONE;
	tcp_sk(sk)->snd_ssthresh = tcp_sk(sk)->snd_cwnd;
}

/* How long a train of ACKs may be without meaning that the pipe is full: half the shortest round trip, and some time for a
 * receiver that gathers. */
static uint32_t train_limit_us(const struct sock *sk, uint32_t delay_min_us)
{
	uint64_t rate = tcp_pacing_rate(sk), gather = rate ? min_u64(65536ull * 4 * 1000000 / rate, 1000) : 0;
	uint32_t limit = delay_min_us + (uint32_t)gather;

	return tcp_needs_pacing(sk) ? limit : limit / 2;
}

static void hystart_old(struct sock *sk, struct cubic *ca, uint32_t rtt_us)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint32_t now = (uint32_t)(sk->net->now_ns / NSEC_PER_USEC), thresh;

	if (ca->mode == HYSTART_OFF || after(tp->snd_una, ca->end_seq)) {
		ca->mode = HYSTART_SS;
		ca->end_seq = tp->snd_nxt;
		ca->round_us = ca->ack_us = now;
		ca->cur_min_us = ~0u;
		ca->samples = 0;
	}
	if (tp->snd_cwnd < HYSTART_LOW_WINDOW)
		return; /* the rounds are counted, nothing is measured */
	if (now - ca->ack_us <= ACK_DELTA_US) {
		ca->ack_us = now;
		if (now - ca->round_us > train_limit_us(sk, ca->delay_min_us)) {
			TCPEXT_INC(sk->net, TCPHystartTrainDetect);
			hystart_found(sk, ca, &sk->net->mib.tcpext.TCPHystartTrainCwnd);
		}
	}
	ca->cur_min_us = min_u32(ca->cur_min_us, rtt_us);
	if (ca->samples < N_RTT_SAMPLE) {
		ca->samples++;
		return;
	}
	thresh = min_u32(max_u32(ca->delay_min_us / MIN_RTT_DIVISOR, MIN_RTT_THRESH_US), MAX_RTT_THRESH_US);
	if (ca->mode != HYSTART_DONE && ca->cur_min_us > ca->delay_min_us + thresh) {
		TCPEXT_INC(sk->net, TCPHystartDelayDetect);
		hystart_found(sk, ca, &sk->net->mib.tcpext.TCPHystartDelayCwnd);
	}
}

static void cubic_acked(struct sock *sk, uint32_t acked, int64_t rtt_us)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct cubic *ca;

	if (rtt_us < 0)
		return;
	if (cubic_has(sk) || tcp_sysctl(sk)->cubic_hystart == 2) {
		ca = cubic(sk);
		/* samples of the first second after a recovery tell of its queue */
		if (ca->epoch_start_ms && tcp_time_ms(sk) - ca->epoch_start_ms < 1000)
			return;
		if (!ca->delay_min_us || ca->delay_min_us > rtt_us)
			ca->delay_min_us = rtt_us ? (uint32_t)rtt_us : 1;
	}
	if (!tcp_in_slow_start(tp) || !tcp_sysctl(sk)->cubic_hystart || (tp->snd_cwnd < HYSTART_LOW_WINDOW && tcp_sysctl(sk)->cubic_hystart == 1))
		return;
	if (tp->snd_ssthresh < TCP_INFINITE_SSTHRESH && tcp_sysctl(sk)->cubic_hystart == 1)
		return; /* only the first slow start, whose end nobody knows yet (4.3) */
	ca = cubic(sk);
	if (ca->mode == HYSTART_DONE)
		return;
	if (tcp_sysctl(sk)->cubic_hystart == 2) {
		hystart_old(sk, ca, rtt_us ? (uint32_t)rtt_us : 1);
		return;
	}
	if (ca->mode == HYSTART_OFF) {
		ca->mode = HYSTART_SS;
		ca->cur_min_us = ca->css_base_us = ~0u;
		hystart_round(sk, ca);
	} else if (after(tp->snd_una, ca->end_seq)) {
		hystart_round(sk, ca);
	}
	if (ca->mode != HYSTART_DONE)
		hystart_sample(ca, rtt_us ? (uint32_t)rtt_us : 1);
	(void)acked;
}

const struct tcp_congestion_ops tcp_cubic_ops = {
	.name = "cubic",
	.init = cubic_init,
	.ssthresh = cubic_ssthresh,
	.cong_avoid = cubic_cong_avoid,
	.set_state = cubic_state,
	.cwnd_event = cubic_event,
	.pkts_acked = cubic_acked,
	.undo_cwnd = tcp_reno_undo_cwnd,
};
