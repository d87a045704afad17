/* CUBIC (RFC 9438) with HyStart as Linux has it: ACK trains and growing delay end slow start early.
 *
 *   W_cubic(t) = C * (t - K)^3 + W_max,   K = cbrt(W_max * (1 - beta) / C),   C = 0.4, beta = 717/1024
 *
 * Integers only: t and K in milliseconds, so 0.4 * (dt/1000)^3 = 4 * dt^3 / 10^10.
 * Called through tcp_congestion_ops. Tests: tests/unit/tcp/test_tcp_loss.c. */
#include "tcp/tcp_int.h"

#define CUBIC_BETA 717u /* of 1024 */
#define HYSTART_LOW_WINDOW 16u
#define HYSTART_MIN_SAMPLES 8u
#define HYSTART_ACK_DELTA_US 2000u
#define HYSTART_DELAY_MIN_US 4000u
#define HYSTART_DELAY_MAX_US 16000u

struct cubic {
	uint32_t cnt;           /* acknowledged segments per increment */
	uint32_t last_max_cwnd, last_cwnd, last_time_ms;
	uint32_t origin, k_ms, epoch_start_ms;
	uint32_t tcp_cwnd, ack_cnt; /* what Reno would have (RFC 9438 4.3) */
	uint32_t delay_min_us, curr_rtt_us;
	uint32_t round_start_us, last_ack_us, end_seq;
	uint8_t sample_cnt, found;
};
_Static_assert(sizeof(struct cubic) <= sizeof(((struct inet_connection_sock *)0)->ca_priv), "fits");
static struct cubic *cubic(struct sock *sk) { return (struct cubic *)(void *)inet_csk(sk)->ca_priv; }

static uint32_t now_us(const struct sock *sk) { return (uint32_t)(sk->net->now_ns / NSEC_PER_USEC); }

static void hystart_reset(struct sock *sk)
{
	struct cubic *ca = cubic(sk);

	ca->round_start_us = ca->last_ack_us = now_us(sk);
	ca->end_seq = tcp_sk(sk)->snd_nxt;
	ca->curr_rtt_us = ~0u;
	ca->sample_cnt = 0;
}

static void cubic_init(struct sock *sk)
{
	memset(cubic(sk), 0, sizeof(struct cubic));
	hystart_reset(sk);
}

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
	struct cubic *ca = cubic(sk);

	if (st == TCP_CA_Loss) {
		uint32_t delay = ca->delay_min_us, max = ca->last_max_cwnd;

		memset(ca, 0, sizeof(*ca));
		ca->delay_min_us = delay;
		ca->last_max_cwnd = max;
		hystart_reset(sk);
	}
}

static void cubic_event(struct sock *sk, enum tcp_ca_event ev)
{
	struct cubic *ca = cubic(sk);
	uint32_t idle;

	if (ev != CA_EVENT_TX_START)
		return;
	/* time without sending is not time of growth (RFC 9438 5.8) */
	idle = tcp_time_ms(sk) - tcp_sk(sk)->lsndtime_ms;
	if (ca->epoch_start_ms && (int32_t)idle > 0) {
		ca->epoch_start_ms += idle;
		if (after(ca->epoch_start_ms, tcp_time_ms(sk)))
			ca->epoch_start_ms = tcp_time_ms(sk) ? tcp_time_ms(sk) : 1;
	}
}

static void hystart_found(struct sock *sk, bool train)
{
	struct tcp_sock *tp = tcp_sk(sk);

	cubic(sk)->found = 1;
	if (train)
		TCPEXT_INC(sk->net, TCPHystartTrainDetect);
	else
		TCPEXT_INC(sk->net, TCPHystartDelayDetect);
	tp->snd_ssthresh = tp->snd_cwnd;
}

static void hystart_update(struct sock *sk, uint32_t delay_us)
{
	struct cubic *ca = cubic(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	uint32_t now = now_us(sk), thresh;

	if (after(tp->snd_una, ca->end_seq))
		hystart_reset(sk);
	if (now - ca->last_ack_us <= HYSTART_ACK_DELTA_US) {
		ca->last_ack_us = now;
		if (now - ca->round_start_us > ca->delay_min_us >> 1) {
			hystart_found(sk, true);
			return;
		}
	}
	ca->curr_rtt_us = min_u32(ca->curr_rtt_us, delay_us);
	if (ca->sample_cnt < HYSTART_MIN_SAMPLES) {
		ca->sample_cnt++;
		return;
	}
	thresh = ca->delay_min_us >> 3;
	thresh = min_u32(max_u32(thresh, HYSTART_DELAY_MIN_US), HYSTART_DELAY_MAX_US);
	if (ca->curr_rtt_us > ca->delay_min_us + thresh)
		hystart_found(sk, false);
}

static void cubic_acked(struct sock *sk, uint32_t acked, int64_t rtt_us)
{
	struct cubic *ca = cubic(sk);
	uint32_t delay;

	if (rtt_us < 0)
		return;
	if (ca->epoch_start_ms && (uint32_t)(tcp_time_ms(sk) - ca->epoch_start_ms) < 1000)
		return; /* right after a recovery the queue is not a measure */
	delay = rtt_us ? (uint32_t)rtt_us : 1;
	if (!ca->delay_min_us || ca->delay_min_us > delay)
		ca->delay_min_us = delay;
	if (!ca->found && tcp_in_slow_start(tcp_sk(sk)) && tcp_sk(sk)->snd_cwnd >= HYSTART_LOW_WINDOW)
		hystart_update(sk, delay);
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
