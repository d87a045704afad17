/* What RFC 9293 demands of the octets on the wire: windows, checksums, options, segment sizes (3.1, 3.2, 3.7.1). */
#include "tcp_bed.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "wire/ip4.h"

/* ---- an eye on every segment that leaves ---- */

/* Sums and parses as RFC 9293 3.1 is written, with nothing of the stack's own code. */
struct eye {
	unsigned n, syn, fin, rst, data, urg, bad_sum, bad_opts, mss_in_syn, mss_elsewhere, nonzero_padding, only_syn_opts_elsewhere;
	uint16_t mss;
	uint32_t longest;
};

static uint32_t word_sum(const uint8_t *p, uint32_t len)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < len; i++)
		sum += (uint32_t)p[i] << (i % 2 ? 0 : 8);
	return sum;
}

static void eye_options(struct eye *e, const uint8_t *o, uint32_t len, bool syn)
{
	for (uint32_t i = 0; i < len;) {
		if (o[i] == 0) { /* MUST-69: zeros to the end */
			for (; i < len; i++)
				e->nonzero_padding += o[i] != 0;
			return;
		}
		if (o[i] == 1) {
			i++;
			continue;
		}
		if (i + 1 >= len || o[i + 1] < 2 || o[i + 1] > len - i) { /* MUST-68 */
			e->bad_opts++;
			return;
		}
		if (o[i] == 2) {
			*(syn ? &e->mss_in_syn : &e->mss_elsewhere) += 1;
			e->mss = (uint16_t)(o[i + 2] << 8 | o[i + 3]);
		}
		e->only_syn_opts_elsewhere += !syn && (o[i] == 3 || o[i] == 4);
		i += o[i + 1];
	}
}

static uint64_t eye_tap(struct bed *b, const struct seg *s, void *arg)
{
	struct eye *e = arg;
	uint32_t hlen = (s->b[12] >> 4) * 4u, sum;
	uint8_t f = s->b[13];

	sum = word_sum(s->b, s->len) + (s->saddr >> 16) + (s->saddr & 0xffff) + (s->daddr >> 16) + (s->daddr & 0xffff) + 6 + s->len;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	e->bad_sum += sum != 0xffff;
	e->n++;
	e->syn += (f & 2) != 0;
	e->fin += f & 1;
	e->rst += (f & 4) != 0;
	e->urg += (f & 32) != 0;
	e->data += s->len > hlen;
	e->longest = s->len - hlen > e->longest ? s->len - hlen : e->longest;
	if (hlen < 20 || hlen > s->len)
		e->bad_opts++;
	else
		eye_options(e, s->b + 20, hlen - 20, (f & 2) != 0);
	return e->n % 9 == 5 ? UINT64_MAX : e->n % 7 == 3 ? 20 * MS : 0; /* losses and reordering: SACK, retransmissions */
}

/* Two stacks talk: handshakes with all options, data both ways with losses, urgent data, probes, FIN, RST. */
static void lively(struct eye *e, uint32_t features)
{
	struct bed *b = bed_new(2);
	struct sock *l = bed_listen(b, 1, 80, 5), *cl[4], *sv[4];
	static char data[30000];

	b->tap = eye_tap;
	b->tap_arg = e;
	b->dev_features = features;
	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 7 + i / 251);
	for (unsigned i = 0; i < 4; i++) {
		b->net[0]->tcp->sysctl.timestamps = i & 1;
		b->net[0]->tcp->sysctl.sack = i < 3;
		b->net[0]->tcp->sysctl.window_scaling = i < 2;
		cl[i] = bed_socket(b, 0);
		assert_int_equal(bed_connect(b, cl[i], 1, 80), 0);
		bed_run(b, 20 * SEC);
		sv[i] = bed_accept(l);
		assert_non_null(sv[i]);
		bed_send(cl[i], data, sizeof(data), 0);
		bed_send(sv[i], data, 5000 + i, 0);
		bed_send(cl[i], "!", 1, MSG_OOB);
		bed_run(b, 20 * SEC);
	}
	{
		struct sock *refused = bed_socket(b, 0);

		bed_connect(b, refused, 1, 81); /* a reset */
		bed_run(b, 20 * SEC);
		bed_close(refused);
	}
	for (unsigned i = 0; i < 4; i++) { /* unread data: resets; read: FINs */
		static char sink[100000];

		if (i & 1) {
			while (bed_recv(sv[i], sink, sizeof(sink), 0) > 0)
				;
			while (bed_recv(cl[i], sink, sizeof(sink), 0) > 0)
				;
		}
		bed_close(cl[i]);
		bed_run(b, 20 * SEC);
		bed_close(sv[i]);
	}
	bed_close(l);
	bed_expect_clean(b);
	bed_free(b);
}

/* shld_5, may_3: every SYN says its MSS, the default included. */
static void must_2_14_65_68_69_every_segment_that_leaves(void **state)
{
	static const uint32_t features[] = { 0, NETIF_F_TSO, NETIF_F_TSO | NETIF_F_GRO };

	for (unsigned i = 0; i < ARRAY_SIZE(features); i++) {
		struct eye e = { 0 };

		lively(&e, features[i]);
		assert_true(e.n > 200 && e.syn >= 9 && e.fin >= 4 && e.rst >= 2 && e.data > 80 && e.urg >= 4);
		assert_int_equal(e.bad_sum, 0);
		assert_int_equal(e.bad_opts, 0);
		assert_int_equal(e.nonzero_padding, 0);
		assert_int_equal(e.mss_elsewhere, 0);
		assert_int_equal(e.only_syn_opts_elsewhere, 0);
		assert_int_equal(e.mss_in_syn, e.syn);
		assert_int_equal(e.mss, 1460);
		assert_true(e.longest <= 1460);
	}
}

static void must_1_rec_1_windows_without_sign(void **state)
{
	static const uint32_t win[] = { 32767, 32768, 40000, 65535 };
	static char data[200000];

	for (unsigned i = 0; i < ARRAY_SIZE(win); i++) {
		struct bed *b = scripted_bed();
		struct sock *sk = connected(b, "<mss 1000>");
		char text[40];

		sk->sndbuf = 4 << 20;
		snprintf(text, sizeof(text), "P. 1 ack 1 win %u", win[i]);
		say(b, sk, text, "x", 1);
		tcp_sk(sk)->snd_cwnd = 1000;
		bed_send(sk, data, sizeof(data), 0);
		bed_run(b, 0);
		assert_int_equal((tcp_sk(sk)->snd_nxt - tcp_sk(sk)->snd_una) / 1000, win[i] / 1000);
		done(b, sk);
	}
	{ /* REC-1: 65535 << 14 is a window of 30 bits, and is filled too */
		struct bed *b = scripted_bed();
		struct sock *sk = connected(b, "<mss 1000,ws 14>");

		say(b, sk, "P. 1 ack 1 win 65535", "x", 1);
		assert_int_equal(tcp_sk(sk)->snd_wnd, 65535u << 14);
		sk->sndbuf = 4 << 20;
		tcp_sk(sk)->snd_cwnd = 1000;
		bed_send(sk, data, sizeof(data), 0);
		bed_run(b, 0);
		assert_int_equal(tcp_sk(sk)->snd_nxt - tcp_sk(sk)->snd_una, 200000);
		done(b, sk);
	}
}

static void must_4_64_eol_nop_mss_at_any_octet(void **state)
{
	static const struct {
		const char *hex;
		unsigned mss;
	} t[] = {
		{ "020403e8", 1000 }, { "01020403e8", 1000 }, { "0101020403e8", 1000 }, { "010101020403e8", 1000 },
		{ "020403e800", 1000 }, { "01020403e80000", 1000 }, { "00020403e8", 536 }, { "0101", 536 }, { "00", 536 },
		{ "fd03aa020403e8", 1000 },                       /* behind an option of three octets */
		{ "01fd03aa01fd05aabbcc020403e8", 1000 },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		struct bed *b = scripted_bed();
		struct sock *l = bed_listen(b, 0, 80, 5), *sk;
		char text[100];

		snprintf(text, sizeof(text), "<raw %s>", t[i].hex);
		sk = accepted(b, l, 1000, text);
		assert_int_equal(tcp_sk(sk)->rx_opt.mss_clamp, t[i].mss);
		assert_int_equal(tcp_sk(sk)->mss_cache, t[i].mss);
		bed_close(sk);
		done(b, l);
	}
	{ /* SACK and timestamps shifted by one, two, three octets */
		static const char *const pad[] = { "", "01", "0101", "010101" };

		for (unsigned i = 0; i < 4; i++) {
			struct bed *b = scripted_bed();
			struct sock *l = bed_listen(b, 0, 80, 5), *sk;
			char text[160];

			snprintf(text, sizeof(text), "S 0 win 32768 <raw %s0402080a0000006400000000020403e8030307>", pad[i]);
			bed_inject(b, 1, 0, 1000, 80, text, NULL, 0);
			bed_run(b, 0);
			expect_seg(b, "S. 0:0 ack 1");
			snprintf(text, sizeof(text), ". 1 ack 1 <raw %s080a0000006500000000>", pad[i]);
			bed_inject(b, 1, 0, 1000, 80, text, NULL, 0);
			bed_run(b, 0);
			sk = bed_accept(l);
			assert_non_null(sk);
			assert_int_equal(tcp_sk(sk)->rx_opt.sack_ok, 1);
			assert_int_equal(tcp_sk(sk)->rx_opt.tstamp_ok, 1);
			assert_int_equal(tcp_sk(sk)->rx_opt.snd_wscale, 7);
			assert_int_equal(tcp_sk(sk)->rx_opt.ts_recent, 101);
			bed_close(sk);
			done(b, l);
		}
	}
}

static void must_5_options_in_any_segment(void **state)
{
	static const char opt[] = "<raw fd0401020101080a0000000100000000>"; /* unknown, NOPs, timestamps nobody agreed on */
	char text[120], buf[8];
	struct bed *b;
	struct sock *sk;

	b = scripted_bed(); /* data, pure ACK, FIN */
	sk = connected(b, SACKED);
	bed_send(sk, "ping", 4, 0);
	bed_run(b, 0);
	expect_seg(b, "P. 1:5 ack 1");
	snprintf(text, sizeof(text), ". 1 ack 5 %s", opt);
	say(b, sk, text, NULL, 0);
	assert_int_equal(tcp_sk(sk)->fl->packets_out, 0);
	snprintf(text, sizeof(text), "P. 1 ack 5 %s", opt);
	say(b, sk, text, "pong", 4);
	assert_int_equal(bed_recv(sk, buf, 8, 0), 4);
	snprintf(text, sizeof(text), "F. 5 ack 5 %s", opt);
	say(b, sk, text, NULL, 0);
	assert_int_equal(sk->state, TCP_CLOSE_WAIT);
	done(b, sk);

	b = scripted_bed(); /* RST */
	sk = connected(b, SACKED);
	snprintf(text, sizeof(text), "R. 1 ack 1 %s", opt);
	say(b, sk, text, NULL, 0);
	assert_int_equal(sk->state, TCP_CLOSE);
	assert_int_equal(sk->err, ECONNRESET);
	done(b, sk);

	b = scripted_bed(); /* SYN-ACK */
	sk = connected(b, "<mss 1000,raw fd040102>");
	assert_int_equal(tcp_sk(sk)->mss_cache, 1000);
	done(b, sk);
}

static void must_6_every_unknown_option(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	uint32_t seq = b->peer_isn + 1;
	char buf[8];

	for (unsigned kind = 6; kind < 256; kind++) {
		if (kind == 8 || kind == TCPOPT_MD5SIG || kind == TCPOPT_AO)
			continue; /* known */
		for (unsigned len = 2; len <= 40; len++) {
			uint8_t s[61];

			memset(s, 1, sizeof(s));
			put_be16(s, 80);
			put_be16(s + 2, inet_sk(sk)->sport);
			put_be32(s + 4, seq);
			put_be32(s + 8, b->isn + 1);
			s[12] = 15 << 4;
			s[13] = TCP_ACK | TCP_PSH;
			put_be16(s + 14, 32768);
			s[18] = s[19] = 0;
			memset(s + 20, 0xee, len);
			s[20] = (uint8_t)kind;
			s[21] = (uint8_t)len;
			s[60] = (uint8_t)(kind ^ len);
			bed_inject_raw(b, 1, 0, s, 61);
			bed_run(b, 0);
			assert_int_equal(bed_recv(sk, buf, 8, 0), 1);
			assert_int_equal((uint8_t)buf[0], (uint8_t)(kind ^ len));
			seq++;
			bed_forget(b);
		}
	}
	assert_int_equal(sk->state, TCP_ESTABLISHED);
	done(b, sk);
}

/* What is wrong with the header's options is no reason to end a connection, be the segment in the window or not: a reset
 * for it is what CVE-2019-12258 needs. The rest of an acceptable segment counts. */
static void must_7_tp_07_impossible_lengths(void **state)
{
	static const char *const hex[] = { "0200", "0300", "fe00", "0801", "fe01", "0228", "02ff", "05ff", "01010102" };

	for (unsigned i = 0; i < ARRAY_SIZE(hex); i++) {
		struct bed *b = scripted_bed();
		struct sock *sk = connected(b, SACKED), *l;
		char text[100], buf[8];

		snprintf(text, sizeof(text), "P. 700000 ack 1 <raw %s>", hex[i]);
		say(b, sk, text, "evil", 4);
		assert_int_equal(sk->state, TCP_ESTABLISHED);
		expect_seg(b, ". 1:1 ack 1");
		snprintf(text, sizeof(text), "P. 1 ack 1 <raw %s>", hex[i]);
		say(b, sk, text, "good", 4);
		assert_int_equal(sk->state, TCP_ESTABLISHED);
		assert_int_equal(bed_recv(sk, buf, 8, 0), 4);
		bed_forget(b);
		bed_close(sk);
		bed_free(b);
		b = scripted_bed(); /* in a SYN */
		l = bed_listen(b, 0, 80, 5);
		snprintf(text, sizeof(text), "<raw %s>", hex[i]);
		sk = accepted(b, l, 1000, text);
		bed_close(sk);
		done(b, l);
	}
}

static void must_15_without_the_option_536(void **state)
{
	static char data[5000];
	char buf[64];

	for (unsigned passive = 0; passive < 2; passive++) {
		struct bed *b = scripted_bed();
		struct sock *l = bed_listen(b, 0, 80, 5), *sk = passive ? accepted(b, l, 1000, "") : connected(b, "");
		unsigned from, to, n = 0;

		bed_send(sk, data, sizeof(data), 0);
		bed_run(b, 0);
		for (; *bed_next(b, buf, sizeof(buf)); n++) {
			assert_int_equal(sscanf(strchr(buf, ' '), " %u:%u", &from, &to), 2);
			assert_true(to - from <= 536);
		}
		assert_true(n >= 9);
		bed_close(sk);
		done(b, l);
	}
}

/* shld_28: and not smaller than they may be. */
static void must_16_options_come_off_the_segment(void **state)
{
	static const struct {
		const char *syn, *ack;
		unsigned len;
	} t[] = { { "<mss 1000>", ". 1 ack 1", 1000 }, { "<mss 1000,ts 1:0>", ". 1 ack 1 <ts 1:0>", 988 },
		  { "<mss 9000>", ". 1 ack 1", 1460 }, { "<mss 9000,ts 1:0>", ". 1 ack 1 <ts 1:0>", 1448 }, { "<mss 536,ts 1:0>", ". 1 ack 1 <ts 1:0>", 524 } };
	static char data[9000];
	char buf[64], text[80];

	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		struct bed *b = scripted_bed();
		struct sock *l = bed_listen(b, 0, 80, 5), *sk;
		unsigned from, to, n = 0;

		snprintf(text, sizeof(text), "S 0 win 65535 %s", t[i].syn);
		bed_inject(b, 1, 0, 1000, 80, text, NULL, 0);
		bed_run(b, 0);
		expect_seg(b, "S. 0:0 ack 1");
		bed_inject(b, 1, 0, 1000, 80, t[i].ack, NULL, 0);
		bed_run(b, 0);
		sk = bed_accept(l);
		assert_non_null(sk);
		bed_send(sk, data, sizeof(data), 0);
		bed_run(b, 0);
		for (; *bed_next(b, buf, sizeof(buf)); n++) {
			assert_int_equal(sscanf(strchr(buf, ' '), " %u:%u", &from, &to), 2);
			if (to != 9001)
				assert_int_equal(to - from, t[i].len);
		}
		assert_true(n >= 5);
		bed_close(sk);
		done(b, l);
	}
	{ /* SACK blocks too: three of them take 28 octets */
		struct bed *b = scripted_bed();
		struct sock *sk = connected(b, SACKED);

		say(b, sk, "P. 11 ack 1", "x", 1);
		say(b, sk, "P. 21 ack 1", "x", 1);
		say(b, sk, "P. 31 ack 1", "x", 1);
		bed_forget(b);
		bed_send(sk, data, 5000, 0);
		bed_run(b, 0);
		expect_seg(b, ". 1:973 ack 1 <sack 31:32 21:22 11:12>");
		done(b, sk);
	}
}

/* The path may be narrower than the interface; what is announced is what the interface takes. */
static void shld_6_mss_by_the_interface(void **state)
{
	static const uint32_t mtu[] = { 1500, 576, 9000, 296 };

	for (unsigned i = 0; i < ARRAY_SIZE(mtu); i++) {
		struct bed *b = scripted_bed();
		struct sock *sk = bed_socket(b, 0), *l = bed_listen(b, 0, 80, 5);

		b->mtu = mtu[i];
		bed_connect(b, sk, 1, 80);
		bed_run(b, 0);
		assert_int_equal(b->got->b[20], 2);
		assert_int_equal(get_be16(b->got->b + 22), mtu[i] - 40);
		bed_forget(b);
		bed_inject(b, 1, 0, 1000, 80, "S 0", NULL, 0);
		bed_run(b, 0);
		assert_int_equal(get_be16(b->got->b + 22), mtu[i] - 40);
		bed_close(sk);
		done(b, l);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(must_2_14_65_68_69_every_segment_that_leaves),
		cmocka_unit_test(must_1_rec_1_windows_without_sign),
		cmocka_unit_test(must_4_64_eol_nop_mss_at_any_octet),
		cmocka_unit_test(must_5_options_in_any_segment),
		cmocka_unit_test(must_6_every_unknown_option),
		cmocka_unit_test(must_7_tp_07_impossible_lengths),
		cmocka_unit_test(must_15_without_the_option_536),
		cmocka_unit_test(must_16_options_come_off_the_segment),
		cmocka_unit_test(shld_6_mss_by_the_interface),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
