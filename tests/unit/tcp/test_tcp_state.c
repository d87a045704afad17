/* The state machine under attack and at its edges (TS-05 .. TS-31), and attacks on resources (TR-03 .. TR-14). */
#include "tcp_bed.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "wire/ip4.h"

/* Two stacks, connected: *cl on host 0, *sv on host 1. */
static struct bed *pair(struct sock **cl, struct sock **sv, struct sock **l)
{
	struct bed *b = bed_new(2);

	*l = bed_listen(b, 1, 80, 5);
	*cl = bed_socket(b, 0);
	assert_int_equal(bed_connect(b, *cl, 1, 80), 0);
	bed_run(b, SEC);
	*sv = bed_accept(*l);
	assert_non_null(*sv);
	return b;
}

/* A bare segment from one of two stacks to the other on their connection, with numbers of our own. */
static void forge(struct bed *b, unsigned from, struct sock *to_sk, uint32_t seq, uint32_t ack, uint8_t flags)
{
	uint8_t s[20] = { 0 };

	put_be16(s, inet_sk(to_sk)->dport);
	put_be16(s + 2, inet_sk(to_sk)->sport);
	put_be32(s + 4, seq);
	put_be32(s + 8, ack);
	s[12] = 5 << 4;
	s[13] = flags;
	put_be16(s + 14, 1000);
	bed_inject_raw(b, from, 1 - from, s, 20);
}

static void ts_05_ack_storm_dies(void **state)
{
	struct sock *cl, *sv, *l;
	struct bed *b = pair(&cl, &sv, &l);
	uint64_t n = b->n_segs;

	/* desynchronised, as Joncheray did it: each side's numbers are out of the other's window */
	tcp_sk(cl)->snd_una = tcp_sk(cl)->snd_nxt = tcp_sk(cl)->write_seq += 10000000;
	tcp_sk(sv)->snd_una = tcp_sk(sv)->snd_nxt = tcp_sk(sv)->write_seq += 10000000;
	forge(b, 0, sv, tcp_sk(cl)->snd_nxt, tcp_sk(cl)->rcv_nxt, TCP_ACK);
	bed_run(b, 60 * SEC);
	assert_true(b->n_segs - n <= 8);
	n = b->n_segs;
	for (unsigned i = 0; i < 1000; i++) { /* kept alive from outside: at most two answers a second each */
		forge(b, 0, sv, tcp_sk(cl)->snd_nxt, tcp_sk(cl)->rcv_nxt, TCP_ACK);
		bed_run(b, 10 * MS);
	}
	assert_true(b->n_segs - n <= 1000 + 2 * 2 * 11);
	bed_close(cl);
	bed_close(sv);
	done(b, l);
}

static void ts_30_challenge_acks_do_not_loop(void **state)
{
	struct sock *cl, *sv, *l;
	struct bed *b = pair(&cl, &sv, &l);
	uint64_t n = b->n_segs;

	forge(b, 0, sv, tcp_sk(sv)->rcv_nxt + 5, 0, TCP_SYN);
	forge(b, 1, cl, tcp_sk(cl)->rcv_nxt + 5, 0, TCP_SYN);
	forge(b, 1, cl, tcp_sk(cl)->rcv_nxt + 5, tcp_sk(cl)->snd_nxt, TCP_RST);
	bed_run(b, 60 * SEC);
	assert_true(b->n_segs - n <= 3 + 4);
	assert_int_equal(cl->state, TCP_ESTABLISHED);
	assert_int_equal(sv->state, TCP_ESTABLISHED);
	bed_close(cl);
	bed_close(sv);
	done(b, l);
}

static void ts_10_active_syn_received(void **state)
{
	static const struct {
		const char *say, *want;
		int next;
	} t[] = {
		{ ". 1 ack 0", "R 0:0", TCP_SYN_RECV },  /* acknowledges nothing of ours */
		{ ". 1 ack 2", "R 2:2", TCP_SYN_RECV },
		{ "S 0", ". 1:1 ack 1", TCP_SYN_RECV },   /* the same SYN again: RFC 5961 4 asks with an ACK */
		{ "S 700", ". 1:1 ack 1", TCP_SYN_RECV },
		{ "R 1", "", TCP_CLOSE },                 /* MUST-11: an active opener is told */
		{ "R 5", ". 1:1 ack 1", TCP_SYN_RECV },
		{ ". 1 ack 1", "", TCP_ESTABLISHED },
		{ "S. 0 ack 1", ". 1:1 ack 1 <sack 0:1>", TCP_ESTABLISHED }, /* the SYN came twice: a D-SACK, as Linux */
		{ "F. 1 ack 1", ". 1:1 ack 2", TCP_CLOSE_WAIT },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		struct bed *b = scripted_bed();
		struct sock *sk = bed_socket(b, 0);
		char got[256];

		bed_connect(b, sk, 1, 80);
		bed_run(b, 0);
		expect_seg(b, "S 0:0");
		say(b, sk, "S 0 <mss 1000,sackOK>", NULL, 0);
		expect_seg(b, "S. 0:0 ack 1");
		say(b, sk, t[i].say, NULL, 0);
		bed_run(b, SEC / 500); /* the ACK of a FIN before any data: a tick of the clock later */
		bed_next(b, got, sizeof(got));
		if (strcmp(got, t[i].want) || sk->state != t[i].next)
			print_message("%s: \"%s\" state %d\n", t[i].say, got, sk->state);
		assert_string_equal(got, t[i].want);
		assert_int_equal(sk->state, t[i].next);
		if (t[i].next == TCP_CLOSE)
			assert_true(sk->err == ECONNRESET || sk->err == ECONNREFUSED);
		bed_close(sk);
		bed_expect_clean(b);
		bed_free(b);
	}
}

static void ts_13_split_handshake(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = bed_socket(b, 0);
	char buf[8];

	bed_connect(b, sk, 1, 80);
	bed_run(b, 0);
	expect_seg(b, "S 0:0");
	say(b, sk, ". 0 ack 1", NULL, 0); /* four steps instead of three: ACK, then a SYN */
	assert_int_equal(sk->state, TCP_SYN_SENT);
	expect_seg(b, "");
	say(b, sk, "S 0 <mss 1000>", NULL, 0);
	expect_seg(b, "S. 0:0 ack 1");
	say(b, sk, ". 1 ack 1", NULL, 0);
	assert_int_equal(sk->state, TCP_ESTABLISHED);
	say(b, sk, "P. 1 ack 1", "hi", 2);
	assert_int_equal(bed_recv(sk, buf, 8, 0), 2);
	done(b, sk);
}

/* A server that closed first: the remnant is on the listener's side. */
static struct sock *server_time_wait(struct bed *b, const char *opts, const char *ack, const char *fin)
{
	struct sock *l = bed_listen(b, 0, 80, 5), *sk;
	char text[100];

	snprintf(text, sizeof(text), "S 0 win 32768 %s", opts);
	bed_inject(b, 1, 0, 1000, 80, text, NULL, 0);
	bed_run(b, 0);
	expect_seg(b, "S. 0:0 ack 1");
	bed_inject(b, 1, 0, 1000, 80, ack, NULL, 0);
	bed_run(b, 0);
	sk = bed_accept(l);
	assert_non_null(sk);
	bed_close(sk);
	bed_run(b, 0);
	expect_seg(b, "F. 1:1 ack 1");
	bed_inject(b, 1, 0, 1000, 80, fin, NULL, 0);
	bed_run(b, 0);
	expect_seg(b, ". 2:2 ack 2");
	assert_int_equal(b->net[0]->tcp->tw_count, 1);
	return l;
}

/* may_2, shld_4: */
static void ts_15_syn_in_time_wait(void **state)
{
	static const struct {
		const char *syn;
		bool reopens, ts;
	} t[] = {
		{ "S 2000 <mss 1000>", true, false },        /* beyond the old numbers (MAY-2) */
		{ "S 1 <mss 1000>", false, false },
		{ "S 2 <mss 1000>", false, false },          /* exactly RCV.NXT: not beyond */
		{ "S 1 <mss 1000,ts 900:0>", true, true },   /* RFC 6191: a newer timestamp */
		{ "S 1 <mss 1000,ts 100:0>", false, true },  /* older: an old duplicate */
		{ "S 2000 <mss 1000,ts 100:0>", false, true },
		{ "S 2000 <mss 1000,ts 900:0>", true, true },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		struct bed *b = scripted_bed();
		struct sock *l = t[i].ts ? server_time_wait(b, "<mss 1000,ts 500:0>", ". 1 ack 1 <ts 501:0>", "F. 1 ack 2 <ts 502:0>")
					 : server_time_wait(b, "<mss 1000>", ". 1 ack 1", "F. 1 ack 2");
		uint32_t old = b->isn;
		char got[256];

		bed_inject(b, 1, 0, 1000, 80, t[i].syn, NULL, 0);
		bed_run(b, 0);
		bed_next(b, got, sizeof(got));
		assert_int_equal(got[0] == 'S', t[i].reopens);
		if (t[i].reopens) {
			assert_int_equal(b->net[0]->tcp->tw_count, 0);
			assert_true((int32_t)(b->isn - old) > 65535); /* the new numbers are beyond the old ones */
		} else {
			assert_string_equal(got, ". 2:2 ack 2");
			assert_int_equal(b->net[0]->tcp->tw_count, 1);
		}
		bed_close(l);
		bed_expect_clean(b);
		bed_free(b);
	}
}

static uint64_t lossy_tap(struct bed *b, const struct seg *s, void *arg)
{
	uint64_t r = bed_seed(arg);

	return r % 100 < 3 ? UINT64_MAX : r % 100 < 8 ? 15 * MS : 0;
}

static void wrap_transfer(uint32_t isn, bool loss)
{
	struct bed *b = bed_new(2);
	struct sock *l = bed_listen(b, 1, 80, 5), *cl = bed_socket(b, 0), *sv = NULL;
	uint64_t seed = isn + 7;
	uint32_t sent = 0, got = 0, total = 600000;
	uint8_t buf[8192];

	if (loss) {
		b->tap = lossy_tap;
		b->tap_arg = &seed;
	}
	tcp_sk(cl)->write_seq = isn ? isn : 0xffffffffu - 1460 * 5;
	assert_int_equal(bed_connect(b, cl, 1, 80), 0);
	for (unsigned ms = 0; got < total && ms < 600000; ms++) {
		bed_run(b, MS);
		if (!sv)
			sv = bed_accept(l);
		while (cl->state == TCP_ESTABLISHED && sent < total) {
			ssize_t n;

			for (unsigned i = 0; i < sizeof(buf); i++)
				buf[i] = (uint8_t)((sent + i) * 2654435761u >> 11);
			n = bed_send(cl, buf, total - sent < sizeof(buf) ? total - sent : sizeof(buf), 0);
			if (n <= 0)
				break;
			sent += (uint32_t)n;
		}
		for (ssize_t n; sv && (n = bed_recv(sv, buf, sizeof(buf), 0)) > 0; got += (uint32_t)n)
			for (uint32_t i = 0; i < (uint32_t)n; i++)
				assert_int_equal(buf[i], (uint8_t)((got + i) * 2654435761u >> 11));
	}
	assert_int_equal(got, total);
	bed_close(cl);
	bed_close(sv);
	bed_close(l);
	b->tap = NULL;
	bed_expect_clean(b);
	bed_free(b);
}

static void ts_16_sequence_wrap(void **state)
{
	static const uint32_t isn[] = { 0xffffffffu, 0, 1, 0x7fffffffu, 0xffffffffu - 300000, 0x7fffffffu - 300000 };

	for (unsigned i = 0; i < ARRAY_SIZE(isn); i++) {
		wrap_transfer(isn[i], false);
		wrap_transfer(isn[i], true);
	}
}

static void ts_17_window_shrinks(void **state)
{
	static const struct {
		uint32_t win;
		const char *retrans; /* what the timer sends */
	} t[] = { { 3000, "1:1001" }, { 1500, "1:1001" }, { 700, "1:701" }, { 1, "1:" }, { 0, "1:" } };

	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		struct bed *b = scripted_bed();
		struct sock *sk = connected(b, "<mss 1000>");
		char data[8000] = { 0 }, text[60], got[256];

		say(b, sk, ". 1 ack 1 win 4000", NULL, 0);
		say(b, sk, "P. 1 ack 1 win 4000", "x", 1);
		assert_int_equal(bed_send(sk, data, sizeof(data), 0), sizeof(data));
		bed_run(b, 0);
		bed_forget(b);
		assert_int_equal(tcp_sk(sk)->snd_nxt - tcp_sk(sk)->snd_una, 4000);
		snprintf(text, sizeof(text), "P. 2 ack 1 win %u", t[i].win); /* a newer segment: the right edge moves left */
		say(b, sk, text, "y", 1);
		assert_int_equal(tcp_sk(sk)->snd_wnd, t[i].win);
		bed_run(b, 100 * MS);
		bed_forget(b);
		bed_run(b, 400 * MS);
		bed_next(b, got, sizeof(got));
		assert_non_null(strstr(got, t[i].retrans)); /* SHLD-16: retransmit from SND.UNA */
		bed_forget(b);
		for (unsigned k = 0; k < 10; k++) { /* probes and retransmissions go on, nothing new is sent */
			bed_run(b, 30 * SEC);
			snprintf(text, sizeof(text), ". 3 ack 1 win %u", t[i].win);
			say(b, sk, text, NULL, 0);
		}
		assert_int_equal(tcp_sk(sk)->snd_nxt - tcp_sk(sk)->snd_una, 4000);
		bed_forget(b);
		say(b, sk, ". 3 ack 4001 win 32768", NULL, 0);
		bed_run(b, 0);
		assert_int_equal(sk->state, TCP_ESTABLISHED);
		assert_int_equal(tcp_sk(sk)->snd_una - b->isn, 4001);
		assert_true(tcp_sk(sk)->snd_nxt - b->isn > 4001);
		done(b, sk);
	}
}

static uint64_t drop_next_tap(struct bed *b, const struct seg *s, void *arg)
{
	bool *drop = arg;

	return *drop && s->saddr == bed_addr(1) ? UINT64_MAX : 0;
}

static void ts_19_window_update_lost(void **state)
{
	struct sock *cl, *sv, *l;
	struct bed *b = pair(&cl, &sv, &l);
	static char data[400000];
	bool drop = false;
	size_t sent = 0, got = 0;
	char buf[4096];

	b->tap = drop_next_tap;
	b->tap_arg = &drop;
	sv->rcvbuf = 20000;
	sv->userlocks |= 2;
	for (unsigned i = 0; i < 200; i++) {
		ssize_t n = bed_send(cl, data, sizeof(data) - sent, 0);

		sent += n > 0 ? (size_t)n : 0;
		bed_run(b, 50 * MS);
	}
	assert_int_equal(tcp_sk(cl)->snd_wnd, 0);
	drop = true; /* the update that reading causes does not arrive */
	for (ssize_t n; (n = bed_recv(sv, buf, sizeof(buf), 0)) > 0;)
		got += (size_t)n;
	bed_run(b, 100 * MS);
	drop = false;
	assert_int_equal(tcp_sk(cl)->snd_wnd, 0);
	for (unsigned i = 0; i < 3000 && got < sent; i++) {
		bed_run(b, 100 * MS);
		for (ssize_t n; (n = bed_recv(sv, buf, sizeof(buf), 0)) > 0;)
			got += (size_t)n;
	}
	assert_int_equal(got, sent);
	bed_close(cl);
	bed_close(sv);
	done(b, l);
}

/* A connection whose receive window is closed; *next: the next sequence number. */
static struct sock *window_closed(struct bed *b, unsigned *next)
{
	struct sock *sk = connected(b, SACKED);
	static const char data[1000];
	char text[40];

	sk->rcvbuf = 8000;
	sk->userlocks |= 2;
	*next = 1;
	while (tcp_receive_window(tcp_sk(sk))) {
		uint32_t n = tcp_receive_window(tcp_sk(sk)) < 1000 ? tcp_receive_window(tcp_sk(sk)) : 1000;

		snprintf(text, sizeof(text), "P. %u ack 1", *next);
		say(b, sk, text, data, n);
		if (tcp_sk(sk)->rcv_nxt - b->peer_isn == *next)
			break;
		*next = tcp_sk(sk)->rcv_nxt - b->peer_isn;
		assert_true(*next < 200000);
	}
	bed_run(b, SEC);
	bed_forget(b);
	assert_int_equal(tcp_receive_window(tcp_sk(sk)), 0);
	return sk;
}

static void ts_20_segments_at_zero_window(void **state)
{
	struct bed *b;
	struct sock *sk;
	unsigned next;
	char text[60], want[60], buf[9000];

	b = scripted_bed(); /* a probe's byte is not taken, but answered */
	sk = window_closed(b, &next);
	snprintf(text, sizeof(text), ". %u ack 1", next);
	snprintf(want, sizeof(want), ". 1:1 ack %u", next);
	say(b, sk, text, "x", 1);
	expect_seg(b, want);
	snprintf(text, sizeof(text), "F. %u ack 1", next); /* text and FIN: neither */
	say(b, sk, text, "x", 1);
	expect_seg(b, want);
	assert_int_equal(sk->state, TCP_ESTABLISHED);
	snprintf(text, sizeof(text), "UP. %u ack 1 urg 1", next); /* MUST-66: the pointer counts though the text does not */
	say(b, sk, text, "x", 1);
	assert_true(tcp_sk(sk)->urg_data != 0);
	assert_int_equal(tcp_sk(sk)->rcv_nxt - b->peer_isn, next);
	bed_forget(b);
	while (bed_recv(sk, buf, sizeof(buf), 0) > 0)
		;
	bed_forget(b);
	snprintf(text, sizeof(text), "F. %u ack 1", next);
	say(b, sk, text, "x", 1); /* with room it goes through */
	assert_int_equal(sk->state, TCP_CLOSE_WAIT);
	done(b, sk);

	b = scripted_bed(); /* a bare FIN needs no room */
	sk = window_closed(b, &next);
	snprintf(text, sizeof(text), "F. %u ack 1", next);
	say(b, sk, text, NULL, 0);
	assert_int_equal(sk->state, TCP_CLOSE_WAIT);
	done(b, sk);

	b = scripted_bed();
	sk = window_closed(b, &next);
	snprintf(text, sizeof(text), "R %u", next);
	say(b, sk, text, NULL, 0);
	assert_int_equal(sk->state, TCP_CLOSE);
	assert_int_equal(sk->err, ECONNRESET);
	done(b, sk);
}

static void ts_31_peer_rebooted(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);

	say(b, sk, "S 500 <mss 1000>", NULL, 0); /* RFC 9293 3.5.1: inside the window */
	expect_seg(b, ". 1:1 ack 1");
	assert_int_equal(sk->state, TCP_ESTABLISHED);
	say(b, sk, "R 1", NULL, 0); /* the rebooted peer's answer to that ACK */
	assert_int_equal(sk->state, TCP_CLOSE);
	assert_int_equal(sk->err, ECONNRESET);
	bed_close(sk);
	bed_expect_clean(b);
	bed_free(b);
}

static void ts_28_ephemeral_ports(void **state)
{
	struct bed *b = scripted_bed();
	static uint8_t seen[65536];
	uint32_t distinct = 0, seq_steps = 0;
	uint16_t last = 0;

	memset(seen, 0, sizeof(seen));
	for (unsigned i = 0; i < 3000; i++) {
		struct sock *sk = bed_socket(b, 0);
		uint16_t p;

		assert_int_equal(bed_connect(b, sk, 1, (uint16_t)(1 + i % 50)), 0);
		p = inet_sk(sk)->sport;
		assert_true(p >= 32768 && p <= 60999);
		distinct += !seen[p];
		seen[p] = 1;
		seq_steps += i && p == last + 2;
		last = p;
		bed_close(sk);
	}
	assert_true(distinct > 2000);  /* of 14116 even ports */
	assert_true(seq_steps < 30);   /* towards different peers no counting */
	bed_run(b, SEC);
	bed_free(b);

	b = scripted_bed(); /* exhaustion: all ports to one peer, then an error, not a hang */
	{
		struct sock *sk[40], *extra = bed_socket(b, 0);
		unsigned n = 0;

		bed_port_range(b, 40000, 40019);
		for (; n < 20; n++) {
			sk[n] = bed_socket(b, 0);
			assert_int_equal(bed_connect(b, sk[n], 1, 80), 0);
			assert_int_equal(inet_sk(sk[n])->sport & 1, n >= 10); /* the even ones first */
		}
		assert_int_equal(bed_connect(b, extra, 1, 80), -EADDRNOTAVAIL);
		for (unsigned i = 0; i < 20; i += 19) { /* one of each kind comes free again: it is found, wherever the search begins */
			uint16_t port = inet_sk(sk[i])->sport;

			bed_close(sk[i]);
			sk[i] = bed_socket(b, 0);
			assert_int_equal(bed_connect(b, sk[i], 1, 80), 0);
			assert_int_equal(inet_sk(sk[i])->sport, port);
		}
		assert_int_equal(bed_connect(b, extra, 1, 81), 0); /* another peer: the ports are free again */
		bed_close(extra);
		while (n--)
			bed_close(sk[n]);
	}
	bed_free(b);
}

static void ts_29_connect_to_self(void **state)
{
	struct bed *b = bed_new(1);
	struct sock *sk = bed_socket(b, 0);
	char buf[8];

	assert_int_equal(sk->prot->get_port(sk, 5000), 0);
	inet_sk(sk)->sport = 5000;
	assert_int_equal(bed_connect(b, sk, 0, 5000), 0);
	bed_run(b, 5 * SEC);
	assert_int_equal(sk->state, TCP_ESTABLISHED); /* as Linux: a simultaneous open with itself */
	assert_true(b->n_segs < 8);
	assert_int_equal(bed_send(sk, "echo", 4, 0), 4);
	bed_run(b, SEC);
	assert_int_equal(bed_recv(sk, buf, sizeof(buf), 0), 4);
	assert_memory_equal(buf, "echo", 4);
	assert_true(b->n_segs < 14);
	bed_close(sk);
	bed_expect_clean(b);
	bed_free(b);
}

/* ---- TS-26: the retransmission timer ---- */
static uint32_t rto_after(uint64_t one_way_ns, unsigned rounds)
{
	struct bed *b = bed_new(2);
	struct sock *l = bed_listen(b, 1, 80, 5), *cl = bed_socket(b, 0), *sv;
	uint32_t rto;
	char buf[16];

	b->delay_ns = one_way_ns;
	b->net[0]->tcp->sysctl.syn_retries = b->net[1]->tcp->sysctl.synack_retries = 20;
	assert_int_equal(bed_connect(b, cl, 1, 80), 0);
	bed_run(b, 4 * one_way_ns + SEC);
	sv = bed_accept(l);
	assert_non_null(sv);
	for (unsigned i = 0; i < rounds; i++) {
		bed_send(cl, "ping", 4, 0);
		bed_run(b, 4 * one_way_ns + SEC);
		assert_int_equal(bed_recv(sv, buf, sizeof(buf), 0), 4);
	}
	rto = inet_csk(cl)->rto_us;
	bed_close(cl);
	bed_close(sv);
	done(b, l);
	return rto;
}

static void ts_26_rto_over_all_round_trips(void **state)
{
	uint32_t r;

	assert_in_range(rto_after(0, 10), 200000, 260000);            /* the floor, Linux's 200 ms */
	assert_in_range(rto_after(MS / 2, 10), 200000, 320000);
	r = rto_after(50 * MS, 40);
	assert_in_range(r, 300000, 400000);                          /* SRTT 100 ms (delayed ACK: 140) + floor */
	r = rto_after(100 * SEC, 3);
	assert_int_equal(r, 120000000);                              /* RTT 200 s: the cap, no overflow */
}

static void ts_26_backoff_to_the_cap(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, "<mss 1000>");
	uint64_t rto, t0, n = 0, expect_ms = 0;

	bed_send(sk, "x", 1, 0);
	bed_run(b, 0);
	expect_seg(b, "P. 1:2 ack 1");
	rto = inet_csk(sk)->rto_us;
	assert_in_range(rto, 200000, 200999);
	t0 = b->now_ns;
	while (sk->state == TCP_ESTABLISHED) {
		uint64_t wait = rto * NSEC_PER_USEC;

		bed_run(b, wait - MS);
		expect_seg(b, "");
		bed_run(b, MS);
		expect_ms += rto / 1000;
		if (sk->state != TCP_ESTABLISHED)
			break;
		expect_seg(b, "P. 1:2 ack 1");
		n++;
		rto = rto * 2 > 120000000 ? 120000000 : rto * 2;
		assert_int_equal(inet_csk(sk)->rto_us, rto);
		assert_true(n < 20);
	}
	/* tcp_retries2 = 15 means 924.6 s since the first repetition; the first timeout beyond ends it (ip-sysctl) */
	assert_int_equal(n, 16);
	assert_in_range((b->now_ns - t0) / MS, expect_ms - 1, expect_ms + 1);
	assert_in_range(expect_ms, 1044000, 1045000);
	assert_int_equal(sk->err, ETIMEDOUT);
	done(b, sk);
}

/* ---- resources ---- */
static uint32_t treap_depth(const struct sk_buff *t)
{
	uint32_t l, r;

	if (!t)
		return 0;
	l = treap_depth(TCP_SKB_CB(t)->ofo.left);
	r = treap_depth(TCP_SKB_CB(t)->ofo.right);
	return 1 + (l > r ? l : r);
}

static void tr_03_segmentsmack(void **state)
{
	for (unsigned order = 0; order < 3; order++) {
		struct bed *b = scripted_bed();
		struct sock *sk;
		char text[40];
		unsigned n = 20000;

		b->net[0]->tcp->sysctl.rmem[1] = 6 << 20;
		sk = connected(b, "<mss 1000,sackOK,ws 7>");
		sk->rcvbuf = 64 << 20;
		tcp_sk(sk)->rcv_wnd = tcp_sk(sk)->window_clamp = tcp_sk(sk)->rcv_ssthresh = 1 << 20;
		for (unsigned i = 0; i < n; i++) {
			unsigned k = order == 0 ? i : order == 1 ? n - 1 - i : (i * 7919u) % n;

			snprintf(text, sizeof(text), ". %u ack 1", 3 + 2 * k);
			say(b, sk, text, "x", 1);
			bed_forget(b);
		}
		assert_true(tcp_sk(sk)->sack->ofo_queue.qlen <= TCP_MAX_OFO_SKBS);
		assert_true(sk->rmem_alloc <= sk->rcvbuf);
		assert_true(treap_depth(tcp_sk(sk)->sack->ofo_root) <= 60); /* log2(16384) is 14 */
		/* and it all counts when the hole closes */
		assert_int_equal(tcp_sk(sk)->rcv_nxt - b->peer_isn, 1);
		say(b, sk, ". 1 ack 1", "ab", 2);
		assert_true(tcp_sk(sk)->rcv_nxt - b->peer_isn >= 4);
		done(b, sk);
	}
}

static void tr_03_memory_bounded(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, "<mss 1000,sackOK>");
	char text[40];

	for (unsigned i = 0; i < 20000; i++) { /* with the default buffer memory ends long before 16384 */
		snprintf(text, sizeof(text), ". %u ack 1", 3 + 2 * i);
		say(b, sk, text, "x", 1);
		bed_forget(b);
		assert_true(sk->rmem_alloc <= sk->rcvbuf + 4096);
	}
	done(b, sk);
}

static void tr_04_sack_panic(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, "<mss 48,sackOK,ws 7>");
	static char data[300000];
	char text[200];
	struct tcp_sock *tp = tcp_sk(sk);
	unsigned acked = 1;

	say(b, sk, ". 1 ack 1 win 30000", NULL, 0);
	say(b, sk, "P. 1 ack 1 win 30000", "x", 1);
	for (unsigned round = 0; round < 60; round++) {
		uint32_t base;

		bed_send(sk, data, sizeof(data), 0);
		bed_run(b, 0);
		bed_forget(b);
		base = tp->snd_una - b->isn;
		/* every other eight octets, four blocks at a time */
		for (unsigned k = 0; k < 40; k++) {
			uint32_t o = base + 8 + k * 64;

			if (o + 56 > tp->snd_nxt - b->isn)
				break;
			snprintf(text, sizeof(text), ". 2 ack %u win 30000 <sack %u:%u %u:%u %u:%u>", base, o, o + 8, o + 16, o + 24, o + 32,
				 o + 40);
			say(b, sk, text, NULL, 0);
			bed_forget(b);
			assert_true(tcp_left_out(tp) <= tp->fl->packets_out);
			assert_true(sk->wmem_queued <= 2 * sk->sndbuf + 0x40000);
		}
		acked = tp->snd_nxt - b->isn;
		snprintf(text, sizeof(text), ". 2 ack %u win 30000", acked);
		say(b, sk, text, NULL, 0);
		bed_forget(b);
		assert_int_equal(sk->state, TCP_ESTABLISHED);
	}
	assert_int_equal(tp->fl->sacked_out + tp->fl->lost_out + tp->fl->retrans_out, 0);
	assert_true(acked > 100000);
	done(b, sk);
}

static void tr_05_sack_of_many_holes(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, "<mss 100,sackOK,ws 7>");
	static char data[200000];
	struct tcp_sock *tp = tcp_sk(sk);
	char text[200];
	uint32_t base, n;

	sk->sndbuf = 4 << 20;
	say(b, sk, "P. 1 ack 1 win 30000", "x", 1);
	tp->snd_cwnd = 2000;
	bed_send(sk, data, sizeof(data), 0);
	bed_run(b, 0);
	bed_forget(b);
	base = tp->snd_una - b->isn;
	n = (tp->snd_nxt - tp->snd_una) / 100;
	assert_true(n >= 1900);
	for (uint32_t rep = 0; rep < 3; rep++) /* all holes, then again: a repetition tags nothing and splits nothing */
		for (uint32_t i = 1; i + 1 < n; i += 2) {
			uint32_t o = base + i * 100;

			snprintf(text, sizeof(text), ". 2 ack %u win 30000 <sack %u:%u>", base, o, o + 100);
			say(b, sk, text, NULL, 0);
			bed_forget(b);
			assert_true(tp->fl->rtx_queue.qlen <= 2000 + 1);
			assert_true(tcp_left_out(tp) <= tp->fl->packets_out);
		}
	assert_true(tp->fl->sacked_out > 900);
	snprintf(text, sizeof(text), ". 2 ack %u win 30000", tp->snd_nxt - b->isn);
	say(b, sk, text, NULL, 0);
	assert_int_equal(tp->fl->sacked_out + tp->fl->lost_out + tp->fl->retrans_out, 0);
	done(b, sk);
}

static void tr_08_orphans(void **state)
{
	struct bed *b = scripted_bed();
	struct tcp_net *tn = b->net[0]->tcp;
	unsigned resets = 0;
	char got[256];

	tn->sysctl.max_orphans = 10;
	for (unsigned i = 0; i < 30; i++) { /* the peer never acknowledges the FIN */
		struct sock *sk = connected(b, SACKED);

		bed_close(sk);
		bed_run(b, 0);
		assert_true(tn->orphan_count <= 11);
		while (*bed_next(b, got, sizeof(got)))
			resets += got[0] == 'R';
	}
	assert_int_equal(resets, 20);
	assert_int_equal(b->net[0]->mib.tcpext.TCPAbortOnMemory, 20);
	bed_expect_clean(b); /* FIN retransmissions end (tcp_orphan_retries) */
	bed_free(b);

	b = scripted_bed(); /* FIN_WAIT_2 without a program: 60 s, then forgotten */
	{
		struct sock *sk = connected(b, SACKED);
		uint16_t port = inet_sk(sk)->sport;

		bed_close(sk);
		bed_run(b, 0);
		bed_inject(b, 1, 0, 80, port, ". 1 ack 2", NULL, 0);
		bed_run(b, 59 * SEC);
		assert_int_equal(b->net[0]->tcp->tw_count, 1);
		bed_run(b, 2 * SEC);
		assert_int_equal(b->net[0]->tcp->tw_count, 0);
	}
	bed_expect_clean(b);
	bed_free(b);
}

static void tr_09_time_wait_bounded(void **state)
{
	struct bed *b = bed_new(2);
	struct sock *l = bed_listen(b, 1, 80, 5);
	struct tcp_net *tn = b->net[0]->tcp;

	assert_true(sizeof(struct tcp_timewait_sock) <= 192);
	b->delay_ns = 0;
	tn->sysctl.max_tw_buckets = 200;
	for (unsigned i = 0; i < 500; i++) {
		struct sock *cl = bed_socket(b, 0), *sv;

		assert_int_equal(bed_connect(b, cl, 1, 80), 0);
		bed_run(b, 0);
		sv = bed_accept(l);
		assert_non_null(sv);
		bed_close(cl);
		bed_run(b, 0);
		bed_close(sv);
		bed_run(b, 0);
		assert_true(tn->tw_count <= 200);
	}
	assert_int_equal(tn->tw_count, 200);
	assert_int_equal(b->net[0]->mib.tcpext.TCPTimeWaitOverflow, 300);
	bed_close(l);
	bed_expect_clean(b);
	bed_free(b);
}

static void tr_11_hash_collisions(void **state)
{
	struct bed *b = bed_new(1);
	enum { N = 65536 };
	struct tcp_ehash_node *v = calloc(N, sizeof(*v));
	const struct tcp_hash *h = &b->net[0]->tcp->ehash;
	uint32_t longest = 0;

	for (unsigned i = 0; i < N; i++) { /* tuples that a naive sum or xor would put into one chain */
		v[i].saddr = bed_addr(0);
		v[i].num = 80;
		v[i].daddr = 0x0b000000u + (i & 255u);
		v[i].dport = (uint16_t)(((i >> 8) << 8) | ((0u - i) & 255u));
		inet_ehash_insert(b->net[0], &v[i]);
	}
	assert_true(h->size >= N / 2);
	for (uint32_t i = 0; i < h->size; i++) {
		struct tcp_ehash_node *n;
		uint32_t len = 0;

		hlist_for_each_entry(n, &h->slots[i], node) len++;
		longest = len > longest ? len : longest;
	}
	assert_true(longest <= 12); /* Poisson with mean at most 2 */
	for (unsigned i = 0; i < N; i++)
		inet_ehash_remove(b->net[0], &v[i]);
	free(v);
	bed_free(b);
}

static void tr_12_accept_queue_full(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *l = bed_listen(b, 0, 80, 1), *sk;
	uint32_t isn[5], n = 0;

	for (uint16_t p = 0; p < 4; p++) { /* room for two (backlog + 1), four handshakes begun */
		bed_inject(b, 1, 0, (uint16_t)(1000 + p), 80, "S 0 <mss 1000>", NULL, 0);
		bed_run(b, 0);
		if (b->got) {
			expect_seg(b, "S. 0:0 ack 1");
			isn[p] = b->isn;
		}
	}
	for (uint16_t p = 0; p < 4; p++) {
		b->isn = isn[p];
		bed_inject(b, 1, 0, (uint16_t)(1000 + p), 80, ". 1 ack 1", NULL, 0);
		bed_run(b, 0);
	}
	assert_true(inet_csk(l)->listener->qlen <= 2);
	assert_true(b->net[0]->mib.tcpext.ListenOverflows >= 1);
	assert_int_equal(b->net[0]->tcp->sockets_allocated, 1 + inet_csk(l)->listener->qlen); /* no socket outside the queue */
	while ((sk = bed_accept(l)) != NULL) {
		bed_close(sk);
		n++;
	}
	assert_int_equal(n, 2);
	bed_forget(b);
	bed_run(b, 4 * SEC); /* the SYN-ACK's timer gives those that waited another chance */
	b->isn = isn[2];
	bed_inject(b, 1, 0, 1002, 80, ". 1 ack 1", NULL, 0);
	bed_run(b, 0);
	sk = bed_accept(l);
	assert_non_null(sk);
	bed_close(sk);
	bed_close(l);
	bed_expect_clean(b);
	bed_free(b);
}

static void tr_14_ack_flood(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, "<mss 1000,sackOK>");
	uint64_t n = b->n_segs;

	for (unsigned i = 0; i < 20000; i++)
		say(b, sk, ". 1 ack 1 win 32768", NULL, 0);
	assert_int_equal(b->n_segs - n, 20000); /* not one answer */
	for (unsigned i = 0; i < 5000; i++) /* old and unsent ACKs: answered twice a second, no more */
		say(b, sk, ". 1 ack 99 win 32768", NULL, 0);
	assert_true(b->n_segs - n - 25000 <= 2);
	assert_int_equal(tcp_sk(sk)->snd_cwnd, 10);
	done(b, sk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ts_05_ack_storm_dies),
		cmocka_unit_test(ts_30_challenge_acks_do_not_loop),
		cmocka_unit_test(ts_10_active_syn_received),
		cmocka_unit_test(ts_13_split_handshake),
		cmocka_unit_test(ts_15_syn_in_time_wait),
		cmocka_unit_test(ts_16_sequence_wrap),
		cmocka_unit_test(ts_17_window_shrinks),
		cmocka_unit_test(ts_19_window_update_lost),
		cmocka_unit_test(ts_20_segments_at_zero_window),
		cmocka_unit_test(ts_26_rto_over_all_round_trips),
		cmocka_unit_test(ts_26_backoff_to_the_cap),
		cmocka_unit_test(ts_28_ephemeral_ports),
		cmocka_unit_test(ts_29_connect_to_self),
		cmocka_unit_test(ts_31_peer_rebooted),
		cmocka_unit_test(tr_03_segmentsmack),
		cmocka_unit_test(tr_03_memory_bounded),
		cmocka_unit_test(tr_04_sack_panic),
		cmocka_unit_test(tr_05_sack_of_many_holes),
		cmocka_unit_test(tr_08_orphans),
		cmocka_unit_test(tr_09_time_wait_bounded),
		cmocka_unit_test(tr_11_hash_collisions),
		cmocka_unit_test(tr_12_accept_queue_full),
		cmocka_unit_test(tr_14_ack_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
