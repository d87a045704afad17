/* Attacks on TCP that the other files leave open: a neighbour's challenge ACKs, FINs out of order, options in odd lengths, guessed
 * cookies, tiny segments, and bursts in step with the retransmission timer (docs/attacks.md). */
#include "tcp_bed.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* CVE-2016-5696: who floods one connection must learn nothing about another. */
static void ts_04_one_flow_tells_nothing_of_another(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *mine = connected(b, SACKED), *other;
	uint32_t isn = b->isn;
	unsigned answers = 0;
	char buf[64];

	other = connected(b, SACKED);
	for (unsigned i = 0; i < 100000; i++) {
		uint32_t o = b->isn;

		b->isn = isn;
		say(b, mine, "R 7", NULL, 0);
		while (*bed_next(b, buf, sizeof(buf)))
			answers++;
		b->isn = o;
		if (i % 25000 == 12000) { /* a spoofed one for the other: answered as if nothing else were */
			bed_run(b, 501 * MS);
			say(b, other, "R 9", NULL, 0);
			expect_seg(b, ". 1:1 ack 1");
		}
	}
	assert_true(answers <= 6); /* the first, and one after each pause */
	assert_int_equal(b->net[0]->mib.tcpext.TCPChallengeACK, answers + 4);
	assert_int_equal(mine->state, TCP_ESTABLISHED);
	assert_int_equal(other->state, TCP_ESTABLISHED);
	bed_close(mine);
	done(b, other);
}

static void ts_12_fin_before_its_data(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	char buf[16] = "";

	say(b, sk, "F. 9 ack 1", NULL, 0); /* the FIN is first here */
	assert_int_equal(sk->state, TCP_ESTABLISHED);
	say(b, sk, "P. 5 ack 1", "efgh", 4);
	assert_int_equal(sk->state, TCP_ESTABLISHED);
	say(b, sk, "P. 1 ack 1", "abcd", 4);
	assert_int_equal(sk->state, TCP_CLOSE_WAIT);
	assert_int_equal(bed_recv(sk, buf, sizeof(buf), 0), 8);
	assert_string_equal(buf, "abcdefgh");
	assert_int_equal(bed_recv(sk, buf, sizeof(buf), 0), 0);
	done(b, sk);

	b = scripted_bed(); /* FIN with data, repeated with more in front */
	sk = connected(b, SACKED);
	say(b, sk, "FP. 5 ack 1", "efgh", 4);
	say(b, sk, "FP. 1 ack 1", "abcdefgh", 8);
	assert_int_equal(sk->state, TCP_CLOSE_WAIT);
	assert_int_equal(tcp_sk(sk)->rcv_nxt - b->peer_isn, 10);
	memset(buf, 0, sizeof(buf));
	assert_int_equal(bed_recv(sk, buf, sizeof(buf), 0), 8);
	assert_string_equal(buf, "abcdefgh");
	done(b, sk);
}

static void tp_08_mss_twice_and_in_odd_lengths(void **state)
{
	static const struct {
		const char *hex;
		unsigned lo, hi;
	} t[] = { { "02040000", 48, 536 }, { "02040001", 48, 536 }, { "02040007", 48, 536 }, { "02040008", 48, 536 }, { "02040030", 48, 88 },
		  { "02040217", 535, 535 }, { "0204ffff", 1460, 65535 }, { "020403e8020405b4", 1000, 1460 }, { "0202", 536, 536 },
		  { "020305", 536, 536 }, { "020503e800", 536, 536 }, { "020603e80000", 536, 536 } };
	static char data[20000];

	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		struct bed *b = scripted_bed();
		struct sock *l = bed_listen(b, 0, 80, 5), *sk;
		char text[80];
		uint64_t n;

		snprintf(text, sizeof(text), "<raw %s>", t[i].hex);
		sk = accepted(b, l, 1000, text);
		assert_in_range(tcp_sk(sk)->mss_cache, t[i].lo, t[i].hi > 1460 ? 1460 : t[i].hi);
		n = b->n_segs;
		assert_true(bed_send(sk, data, sizeof(data), 0) > 0); /* no division by nothing, no segments without end */
		bed_run(b, 0);
		assert_true(b->n_segs - n <= 10);
		bed_close(sk);
		done(b, l);
	}
}

static void tp_11_timestamps_in_odd_lengths(void **state)
{
	static const char *const bad[] = { "0809000000640000 00", "080900000064000000", "080b0000006400000000 00", "080b000000640000000000", "0802", "0806000000640000" };

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) { /* in the SYN: not offered */
		struct bed *b = scripted_bed();
		struct sock *l = bed_listen(b, 0, 80, 5), *sk;
		char text[80];

		snprintf(text, sizeof(text), "<raw %s>", bad[i]);
		sk = accepted(b, l, 1000, text);
		assert_int_equal(tcp_sk(sk)->rx_opt.tstamp_ok, 0);
		bed_close(sk);
		done(b, l);
	}
	{ /* negotiated: a segment whose option is malformed has none, and is not taken (RFC 7323 3.2); a reset is */
		struct bed *b = scripted_bed();
		struct sock *l = bed_listen(b, 0, 80, 5), *sk;
		struct sock *c;

		bed_inject(b, 1, 0, 1000, 80, "S 0 win 32768 <mss 1000,ts 100:0>", NULL, 0);
		bed_run(b, 0);
		expect_seg(b, "S. 0:0 ack 1");
		bed_inject(b, 1, 0, 1000, 80, ". 1 ack 1 <ts 101:0>", NULL, 0);
		bed_run(b, 0);
		sk = bed_accept(l);
		assert_non_null(sk);
		c = sk;
		say(b, c, "P. 1 ack 1 <raw 080900000066000000>", "x", 1);
		say(b, c, "P. 1 ack 1 <raw 080b00000066000000000000>", "x", 1);
		say(b, c, "P. 1 ack 1", "x", 1);
		assert_int_equal(tcp_sk(c)->rcv_nxt - b->peer_isn, 1);
		assert_int_equal(tcp_sk(c)->rx_opt.ts_recent, 101);
		say(b, c, "P. 1 ack 1 <ts 102:0>", "x", 1); /* TSecr 0: no measure, no harm */
		say(b, c, "P. 2 ack 1 <ts 103:4294967295>", "x", 1); /* and one from the future */
		assert_int_equal(tcp_sk(c)->rcv_nxt - b->peer_isn, 3);
		assert_true(inet_csk(c)->rto_us <= 1500000);
		say(b, c, "R 3", NULL, 0); /* exempt */
		assert_int_equal(c->state, TCP_CLOSE);
		bed_close(c);
		done(b, l);
	}
}

/* A flood is on, cookies are given out; who did not see his cannot make one up. */
static struct sock *flooded(struct bed *b)
{
	struct sock *l = bed_listen(b, 0, 80, 1);

	for (uint16_t p = 1000; p < 1100; p++)
		bed_inject(b, 1, 0, p, 80, "S 0 <mss 1460,sackOK>", NULL, 0);
	bed_run(b, 0);
	bed_forget(b);
	assert_true(b->net[0]->mib.tcpext.SyncookiesSent > 0);
	bed_inject(b, 1, 0, 7777, 80, "S 0 <mss 1460,sackOK>", NULL, 0);
	bed_run(b, 0);
	expect_seg(b, "S. 0:0 ack 1");
	return l;
}
static void cookie_ack(struct bed *b, uint32_t seq, uint32_t ack, uint16_t port)
{
	uint8_t s[20] = { 0 };

	put_be16(s, port);
	put_be16(s + 2, 80);
	put_be32(s + 4, seq);
	put_be32(s + 8, ack);
	s[12] = 5 << 4;
	s[13] = TCP_ACK;
	put_be16(s + 14, 1000);
	bed_inject_raw(b, 1, 0, s, 20);
	bed_run(b, 0);
	bed_forget(b);
}

static void tr_02_cookies_cannot_be_guessed(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *l = flooded(b), *sk;
	uint64_t seed = 99;
	unsigned taken = 0;

	for (unsigned bit = 0; bit < 32; bit++) { /* every bit of it counts */
		cookie_ack(b, b->peer_isn + 1, b->isn + 1 ? (b->isn ^ 1u << bit) + 1 : 0, 7777);
		cookie_ack(b, (b->peer_isn ^ 1u << bit) + 1, b->isn + 1, 7777); /* and of the number that it answers */
	}
	for (unsigned i = 0; i < 50000; i++) /* a guess hits once in 2^29: 24 bits of hash, 4 classes, 2 of 256 minutes */
		cookie_ack(b, b->peer_isn + 1, (uint32_t)bed_seed(&seed), (uint16_t)(1024 + i % 60000));
	cookie_ack(b, b->peer_isn + 1, b->isn + 1, 7778); /* another's */
	while ((sk = bed_accept(l)) != NULL) {
		taken++;
		bed_close(sk);
	}
	assert_int_equal(taken, 0);
	assert_int_equal(b->net[0]->mib.tcpext.SyncookiesRecv, 0);
	cookie_ack(b, b->peer_isn + 1, b->isn + 1, 7777); /* the true one */
	sk = bed_accept(l);
	assert_non_null(sk);
	bed_close(sk);
	done(b, l);

	b = scripted_bed(); /* an old one */
	l = flooded(b);
	{
		uint32_t isn = b->isn;

		bed_run(b, 3 * 60 * SEC);
		bed_forget(b);
		for (uint16_t p = 1000; p < 1100; p++) /* the flood goes on */
			bed_inject(b, 1, 0, p, 80, "S 0 <mss 1460,sackOK>", NULL, 0);
		bed_run(b, 0);
		bed_forget(b);
		cookie_ack(b, b->peer_isn + 1, isn + 1, 7777);
	}
	assert_null(bed_accept(l));
	assert_true(b->net[0]->mib.tcpext.SyncookiesFailed > 0);
	done(b, l);
}

/* A peer that wants its data in the smallest pieces costs no more packets than its window and its acknowledgements allow. */
static void tr_06_bulk_in_tiny_segments(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, "<mss 48,sackOK>");
	static char data[100000];
	uint32_t floor = tcp_sk(sk)->mss_cache, acked = 1, shortest = 1000, sent = 0, total;
	uint64_t n = b->n_segs;
	char text[60], buf[64];

	assert_true(floor >= 48);
	sk->sndbuf = 1 << 20;
	{
		ssize_t taken = bed_send(sk, data, sizeof(data), 0);

		assert_true(taken > 50000);
		total = (uint32_t)taken;
	}
	while (acked < total + 1) {
		unsigned from = 0, to = 0, round = 0;

		bed_run(b, 10 * MS);
		for (; *bed_next(b, buf, sizeof(buf)); round++) {
			assert_int_equal(sscanf(strchr(buf, ' '), " %u:%u", &from, &to), 2);
			if (to != total + 1)
				shortest = to - from < shortest ? to - from : shortest;
			sent++;
		}
		assert_true(round <= tcp_sk(sk)->snd_cwnd + 1);
		assert_true(round > 0);
		acked = to;
		snprintf(text, sizeof(text), ". 1 ack %u win 32768", acked);
		say(b, sk, text, NULL, 0);
	}
	assert_int_equal(shortest, floor); /* never less than the floor, whatever it said */
	assert_true(sent <= total / floor + 10);
	assert_true(b->n_segs - n <= sent * 2u);
	done(b, sk);
}

/* Shrew (Kuzmanovic and Knightly 2003): short bursts that fill the bottleneck each time a retransmission is due. */
struct shrew {
	uint64_t period, burst, free_at;
	unsigned lost;
};
#define SHREW_NS_PER_OCTET 800u /* 10 Mbit/s, and a queue of 50 kB */
static uint64_t shrew_tap(struct bed *b, const struct seg *s, void *arg)
{
	struct shrew *k = arg;

	if (k->period && b->now_ns % k->period < k->burst) {
		k->lost++;
		return UINT64_MAX;
	}
	if (s->saddr != bed_addr(0))
		return 0;
	if (k->free_at < b->now_ns)
		k->free_at = b->now_ns;
	if (k->free_at - b->now_ns > 50000 * SHREW_NS_PER_OCTET)
		return UINT64_MAX;
	k->free_at += (s->len + 38) * SHREW_NS_PER_OCTET;
	return k->free_at - b->now_ns;
}

static void tr_10_bursts_in_step_with_the_timer(void **state)
{
	static const struct {
		uint64_t period_ms, burst_ms;
		unsigned percent; /* of what goes through undisturbed, at least */
	} t[] = { { 0, 0, 100 }, { 1000, 50, 60 }, { 500, 50, 40 }, { 210, 50, 5 }, { 200, 100, 0 } };
	static uint8_t data[65536];
	uint64_t whole = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		struct bed *b = bed_new(2);
		struct sock *l = bed_listen(b, 1, 80, 5), *cl = bed_socket(b, 0), *sv;
		struct shrew k = { t[i].period_ms * MS, t[i].burst_ms * MS, 0, 0 };
		uint64_t got = 0;

		assert_int_equal(bed_connect(b, cl, 1, 80), 0);
		bed_run(b, SEC);
		sv = bed_accept(l);
		assert_non_null(sv);
		b->tap = shrew_tap;
		b->tap_arg = &k;
		for (unsigned ms = 0; ms < 20000; ms += 5) {
			ssize_t n;

			while (bed_send(cl, data, sizeof(data), 0) > 0)
				;
			bed_run(b, 5 * MS);
			while ((n = bed_recv(sv, data, sizeof(data), 0)) > 0)
				got += (uint64_t)n;
		}
		if (!i)
			whole = got;
		print_message("bursts of %u ms every %u ms: %u%% of the throughput, %u segments lost, %u timeouts\n", (unsigned)t[i].burst_ms,
			      (unsigned)t[i].period_ms, (unsigned)(got * 100 / whole), k.lost, (unsigned)b->net[0]->mib.tcpext.TCPTimeouts);
		assert_true(got * 100 >= whole * t[i].percent);
		assert_int_equal(cl->state, TCP_ESTABLISHED); /* it is slowed, as the minimum of 200 ms has it, and lives */
		b->tap = NULL;
		bed_close(cl);
		bed_close(sv);
		bed_close(l);
		bed_expect_clean(b);
		bed_free(b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ts_04_one_flow_tells_nothing_of_another),
		cmocka_unit_test(ts_12_fin_before_its_data),
		cmocka_unit_test(tp_08_mss_twice_and_in_odd_lengths),
		cmocka_unit_test(tp_11_timestamps_in_odd_lengths),
		cmocka_unit_test(tr_02_cookies_cannot_be_guessed),
		cmocka_unit_test(tr_06_bulk_in_tiny_segments),
		cmocka_unit_test(tr_10_bursts_in_step_with_the_timer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
