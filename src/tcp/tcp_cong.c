/* Congestion control: the table of algorithms, slow start and Reno (RFC 5681, RFC 3465), and cwnd validation after
 * idle or application-limited times (RFC 7661 in Linux's form).
 *
 * Called by tcp_recovery.c (tcp_cong_control) and tcp_xmit.c. Tests: tests/unit/tcp/test_tcp_cong.c. */
#include "tcp/tcp_int.h"

const struct tcp_congestion_ops *tcp_ca_find(const char *name)
{
	if (!strcmp(name, "cubic"))
		return &tcp_cubic_ops;
	if (!strcmp(name, "reno"))
		return &tcp_reno_ops;
	if (!strcmp(name, "bbr"))
		return &tcp_bbr_ops;
	return NULL;
}

void tcp_assign_congestion_control(struct sock *sk)
{
	inet_csk(sk)->ca_ops = tcp_net(sk)->ca_default;
}

/* The algorithm's own memory, zeroed at first. */
static struct pool *ca_pool(const struct sock *sk)
{
	return inet_csk(sk)->ca_ops->big_priv ? &tcp_net(sk)->ca_big_pool : &tcp_net(sk)->ca_pool;
}

void *tcp_ca(struct sock *sk)
{
	if (!inet_csk(sk)->ca_priv)
		inet_csk(sk)->ca_priv = pool_zget(ca_pool(sk));
	return inet_csk(sk)->ca_priv;
}

void tcp_ca_free(struct sock *sk)
{
	if (inet_csk(sk)->ca_priv)
		pool_put(ca_pool(sk), inet_csk(sk)->ca_priv);
	inet_csk(sk)->ca_priv = NULL;
}

void tcp_init_congestion_control(struct sock *sk)
{
	if (tcp_sk(sk)->fl->prior_ssthresh)
		tcp_sk(sk)->fl->prior_ssthresh = 0;
	if (inet_csk(sk)->ca_ops->init)
		inet_csk(sk)->ca_ops->init(sk);
}

int tcp_set_congestion_control(struct sock *sk, const char *name)
{
	const struct tcp_congestion_ops *ca = tcp_ca_find(name);

	if (!ca)
		return -ENOENT;
	if (ca == inet_csk(sk)->ca_ops)
		return 0;
	tcp_ca_free(sk); /* the old one's, to the old one's pool */
	inet_csk(sk)->ca_ops = ca;
	if (!tcp_state_in(sk, TCPF_(CLOSE) | TCPF_(LISTEN)))
		tcp_init_congestion_control(sk);
	return 0;
}

/* Up to ssthresh one for each segment acknowledged; returns what is left over for congestion avoidance. Counting
 * segments, not ACKs, is what makes splitting ACKs useless (RFC 3465; TS-07). */
uint32_t tcp_slow_start(struct tcp_sock *tp, uint32_t acked)
{
	uint32_t cwnd = min_u32(tp->snd_cwnd + acked, tp->snd_ssthresh);

	acked -= cwnd - tp->snd_cwnd;
	tp->snd_cwnd = min_u32(cwnd, tp->snd_cwnd_clamp);
	return acked;
}

/* One more for every w acknowledged. */
void tcp_cong_avoid_ai(struct tcp_sock *tp, uint32_t w, uint32_t acked)
{
	w = max_u32(w, 1);
	if (tp->snd_cwnd_cnt >= w) {
		tp->snd_cwnd_cnt = 0;
		tp->snd_cwnd++;
	}
	tp->snd_cwnd_cnt += acked;
	if (tp->snd_cwnd_cnt >= w) {
		uint32_t d = tp->snd_cwnd_cnt / w;

		tp->snd_cwnd_cnt -= d * w;
		tp->snd_cwnd += d;
	}
	tp->snd_cwnd = min_u32(tp->snd_cwnd, tp->snd_cwnd_clamp);
}

bool tcp_is_cwnd_limited(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	if (tp->is_cwnd_limited)
		return true;
	return tcp_in_slow_start(tp) && tp->snd_cwnd < 2 * tp->fl->max_packets_out;
}

/* cwnd that was not used is not known to be safe: halfway back to what was. */
static void cwnd_application_limited(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (inet_csk(sk)->ca_state == TCP_CA_Open) {
		uint32_t used = max_u32(tp->snd_cwnd_used, tcp_init_cwnd_(sk));

		if (used < tp->snd_cwnd) {
			tp->snd_ssthresh = max_u32(tp->snd_ssthresh, (tp->snd_cwnd >> 1) + (tp->snd_cwnd >> 2));
			tp->snd_cwnd = (tp->snd_cwnd + used) >> 1;
		}
		tp->snd_cwnd_used = 0;
	}
	tp->snd_cwnd_stamp_ms = tcp_time_ms(sk);
}

void tcp_cwnd_validate(struct sock *sk, bool is_cwnd_limited)
{
	struct tcp_sock *tp = tcp_sk(sk);

	tcp_flight(sk);
	if (!before(tp->snd_una, tp->fl->cwnd_usage_seq) || is_cwnd_limited ||
	    (!tp->is_cwnd_limited && tp->fl->packets_out > tp->fl->max_packets_out)) {
		tp->is_cwnd_limited = is_cwnd_limited & 1;
		tp->fl->max_packets_out = tp->fl->packets_out;
		tp->fl->cwnd_usage_seq = tp->snd_nxt;
	}
	if ((sk->flags & SOCK_F_NOSPACE_) && !tcp_send_head(sk)) /* everything is out and the program waits for room */
		tcp_chrono_start(sk, TCP_CHRONO_SNDBUF_LIMITED);
	if (tcp_is_cwnd_limited(sk)) {
		tp->snd_cwnd_used = 0;
		tp->snd_cwnd_stamp_ms = tcp_time_ms(sk);
	} else {
		if (tp->fl->packets_out > tp->snd_cwnd_used)
			tp->snd_cwnd_used = tp->fl->packets_out;
		if (tcp_sysctl(sk)->slow_start_after_idle && !inet_csk(sk)->ca_ops->cong_control &&
		    (uint64_t)(uint32_t)(tcp_time_ms(sk) - tp->snd_cwnd_stamp_ms) * 1000 >= inet_csk(sk)->rto_us)
			cwnd_application_limited(sk);
	}
}

/* After an idle time longer than RTO: cwnd halves for each RTO passed, not below the initial window. */
void tcp_cwnd_restart(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	int64_t idle = (int64_t)(uint32_t)(tcp_time_ms(sk) - tp->lsndtime_ms) * 1000;
	uint32_t restart = min_u32(tcp_init_cwnd_(sk), tp->snd_cwnd), cwnd = tp->snd_cwnd;

	if (inet_csk(sk)->ca_ops->cwnd_event)
		inet_csk(sk)->ca_ops->cwnd_event(sk, CA_EVENT_CWND_RESTART);
	tp->snd_ssthresh = max_u32(tp->snd_ssthresh, (cwnd >> 1) + (cwnd >> 2));
	while ((idle -= inet_csk(sk)->rto_us) > 0 && cwnd > restart)
		cwnd >>= 1;
	tp->snd_cwnd = max_u32(cwnd, restart);
	tp->snd_cwnd_stamp_ms = tcp_time_ms(sk);
	tp->snd_cwnd_used = 0;
}

/* ---- Reno ---- */
static uint32_t reno_ssthresh(struct sock *sk) { return max_u32(tcp_sk(sk)->snd_cwnd >> 1, 2); }

static void reno_cong_avoid(struct sock *sk, uint32_t ack, uint32_t acked)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!tcp_is_cwnd_limited(sk))
		return;
	if (tcp_in_slow_start(tp)) {
		acked = tcp_slow_start(tp, acked);
		if (!acked)
			return;
	}
	tcp_cong_avoid_ai(tp, tp->snd_cwnd, acked);
}

uint32_t tcp_reno_undo_cwnd(struct sock *sk) { return max_u32(tcp_sk(sk)->snd_cwnd, tcp_sk(sk)->fl->prior_cwnd); }

const struct tcp_congestion_ops tcp_reno_ops = {
	.name = "reno",
	.ssthresh = reno_ssthresh,
	.cong_avoid = reno_cong_avoid,
	.undo_cwnd = tcp_reno_undo_cwnd,
};
