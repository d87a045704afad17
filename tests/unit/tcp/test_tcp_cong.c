/* Windows of Reno and CUBIC, acknowledgement by acknowledgement, beside what RFC 5681 and RFC 9438 say they should be. */
#include <math.h>
#include "tcp_bed.h"
#include "tcp/tcp_int.h"

/* A connection whose window is used to the full; the test is its clock and its peer. */
static struct sock *flow(struct bed **bp, const char *cc)
{
	struct bed *b = *bp = scripted_bed();
	struct sock *sk = connected(b, SACKED);

	assert_int_equal(tcp_set_congestion_control(sk, cc), 0);
	tcp_sk(sk)->is_cwnd_limited = 1;
	tcp_sk(sk)->snd_cwnd_clamp = UINT32_MAX;
	tcp_sk(sk)->min_rtt_us = 100000;
	return sk;
}

/* One round trip of 100 ms: cwnd segments acknowledged, two by two. */
static void round_trip(struct sock *sk)
{
	uint32_t acks = max_u32(tcp_sk(sk)->snd_cwnd / 2, 1), left = tcp_sk(sk)->snd_cwnd;

	for (uint32_t i = 0; i < acks; i++) {
		uint32_t n = i + 1 < acks ? 2 : left;

		left -= n;
		sk->net->now_ns += 100 * MS / acks;
		inet_csk(sk)->ca_ops->cong_avoid(sk, 0, n);
	}
}

static void lose(struct sock *sk)
{
	tcp_sk(sk)->snd_ssthresh = inet_csk(sk)->ca_ops->ssthresh(sk);
	tcp_sk(sk)->snd_cwnd = tcp_sk(sk)->snd_ssthresh;
	tcp_sk(sk)->snd_cwnd_cnt = 0;
}

static void reno_slow_start_doubles_and_avoidance_adds_one(void **state)
{
	static const uint32_t trace[] = { 20, 40, 64, 65, 66, 67, 68 };
	struct bed *b;
	struct sock *sk = flow(&b, "reno");

	tcp_sk(sk)->snd_cwnd = 10;
	tcp_sk(sk)->snd_ssthresh = 64;
	for (unsigned i = 0; i < ARRAY_SIZE(trace); i++) {
		round_trip(sk);
		/* of the round in which ssthresh was met a part is avoidance already */
		assert_in_range(tcp_sk(sk)->snd_cwnd, trace[i], trace[i] + (i >= 2));
	}
	tcp_sk(sk)->snd_cwnd = 101;
	lose(sk);
	assert_int_equal(tcp_sk(sk)->snd_cwnd, 50);
	tcp_sk(sk)->snd_cwnd = 3;
	lose(sk);
	assert_int_equal(tcp_sk(sk)->snd_cwnd, 2);
	done(b, sk);
}

static void window_grows_only_when_it_is_used(void **state)
{
	static const char *const cc[] = { "reno", "cubic" };

	for (unsigned i = 0; i < 2; i++) {
		struct bed *b;
		struct sock *sk = flow(&b, cc[i]);

		tcp_sk(sk)->snd_cwnd = 100;
		tcp_sk(sk)->snd_ssthresh = 50;
		tcp_sk(sk)->is_cwnd_limited = 0;
		round_trip(sk);
		assert_int_equal(tcp_sk(sk)->snd_cwnd, 100);
		done(b, sk);
	}
}

/* W(t) = 0.4 (t - K)^3 + W_max, K = cbrt(W_max 0.3 / 0.4): within 2 % for 15 s, through the plateau and beyond. */
static void cubic_follows_its_curve(void **state)
{
	const double wmax = 2000, beta = 717 / 1024.0, k = cbrt(wmax * (1 - beta) / 0.4);
	struct bed *b;
	struct sock *sk = flow(&b, "cubic");
	uint64_t t0;

	tcp_sk(sk)->snd_cwnd = (uint32_t)wmax;
	lose(sk);
	assert_int_equal(tcp_sk(sk)->snd_cwnd, 2000 * 717 / 1024);
	t0 = sk->net->now_ns;
	for (unsigned i = 0; i < 150; i++) {
		double t, want;

		round_trip(sk);
		t = (double)(sk->net->now_ns - t0) / 1e9;
		want = 0.4 * pow(t - k, 3) + wmax;
		assert_true(fabs(tcp_sk(sk)->snd_cwnd - want) < want * 0.02 + 2);
	}
	done(b, sk);
}

/* Small windows on short paths grow as Reno with beta 0.7 would: 3 (1 - b) / (1 + b) segments each round trip, 0.53. */
static void cubic_is_no_slower_than_reno(void **state)
{
	struct bed *b;
	struct sock *sk = flow(&b, "cubic");

	tcp_sk(sk)->snd_cwnd = 40;
	tcp_sk(sk)->min_rtt_us = 2000;
	lose(sk);
	assert_int_equal(tcp_sk(sk)->snd_cwnd, 28);
	for (unsigned i = 0; i < 60; i++) {
		sk->net->now_ns -= 98 * MS; /* a round trip of 2 ms */
		round_trip(sk);
	}
	assert_in_range(tcp_sk(sk)->snd_cwnd, 28 + 60 * 529 / 1000 - 3, 28 + 60 * 529 / 1000 + 4);
	done(b, sk);
}

/* RFC 9438 4.7: a second loss below the last maximum gives way: W_max = cwnd (1 + beta) / 2. */
static void cubic_converges_fast(void **state)
{
	struct bed *b;
	struct sock *sk = flow(&b, "cubic");
	uint32_t before_, plateau = 0;

	tcp_sk(sk)->snd_cwnd = 1000;
	lose(sk);
	lose(sk); /* at 700: W_max 595, not 700 */
	assert_int_equal(tcp_sk(sk)->snd_cwnd, 1000 * 717 / 1024 * 717 / 1024);
	for (unsigned i = 0; i < 60; i++) {
		before_ = tcp_sk(sk)->snd_cwnd;
		round_trip(sk);
		if (tcp_sk(sk)->snd_cwnd - before_ <= 1)
			plateau = tcp_sk(sk)->snd_cwnd;
	}
	assert_in_range(plateau, 585, 600);
	done(b, sk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reno_slow_start_doubles_and_avoidance_adds_one), cmocka_unit_test(window_grows_only_when_it_is_used),
		cmocka_unit_test(cubic_follows_its_curve), cmocka_unit_test(cubic_is_no_slower_than_reno), cmocka_unit_test(cubic_converges_fast),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
