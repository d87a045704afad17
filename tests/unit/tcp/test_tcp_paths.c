/* Paths that an ordinary transfer does not take: ECN, a falling MTU, corks, lingering, deferred accepts, shared ports,
 * a TIME-WAIT taken over, limits. */
#include "tcp_bed.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <linux/filter.h>
#include "tcp/tcp_info.h"
#include "wire/ip4.h"

static void set_int(struct sock *sk, int name, int v) { assert_int_equal(tcp_setsockopt(sk, IPPROTO_TCP, name, &v, sizeof(v)), 0); }

/* ---- ECN (RFC 3168) ---- */

/* shld_8: asked for, answered, refused. */
static void ecn_negotiation(void **state)
{
	static const struct {
		int ecn;
		const char *syn, *synack;
		bool ok;
	} passive[] = { { 2, "SEW 0", "S.E 0:0 ack 1", true }, { 1, "SEW 0", "S.E 0:0 ack 1", true }, { 0, "SEW 0", "S. 0:0 ack 1", false },
			{ 2, "S 0", "S. 0:0 ack 1", false }, { 2, "SE 0", "S. 0:0 ack 1", false } };
	static const struct {
		const char *synack;
		bool ok;
	} active[] = { { "S.E 0 ack 1", true }, { "S. 0 ack 1", false }, { "S.EW 0 ack 1", false } };

	for (unsigned i = 0; i < ARRAY_SIZE(passive); i++) {
		struct bed *b = scripted_bed();
		struct sock *l = bed_listen(b, 0, 80, 5), *sk;

		b->net[0]->tcp->sysctl.ecn = passive[i].ecn;
		bed_inject(b, 1, 0, 1000, 80, passive[i].syn, NULL, 0);
		bed_run(b, 0);
		expect_seg(b, passive[i].synack);
		assert_int_equal(b->got_tos & 3, 0); /* control segments are never ECT (6.1.1) */
		bed_inject(b, 1, 0, 1000, 80, ". 1 ack 1", NULL, 0);
		bed_run(b, 0);
		sk = bed_accept(l);
		assert_int_equal((tcp_sk(sk)->ecn_flags & TCP_ECN_OK) != 0, passive[i].ok);
		bed_close(sk);
		done(b, l);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(active); i++) {
		struct bed *b = scripted_bed();
		struct sock *sk = bed_socket(b, 0);

		b->net[0]->tcp->sysctl.ecn = 1;
		bed_connect(b, sk, 1, 80);
		bed_run(b, 0);
		expect_seg(b, "SEW 0:0");
		say(b, sk, active[i].synack, NULL, 0);
		assert_int_equal(sk->state, TCP_ESTABLISHED);
		assert_int_equal((tcp_sk(sk)->ecn_flags & TCP_ECN_OK) != 0, active[i].ok);
		done(b, sk);
	}
	{ /* a middlebox that drops ECN SYNs: the second is plain (6.1.1.1) */
		struct bed *b = scripted_bed();
		struct sock *sk = bed_socket(b, 0);

		b->net[0]->tcp->sysctl.ecn = 1;
		bed_connect(b, sk, 1, 80);
		bed_run(b, SEC);
		expect_seg(b, "SEW 0:0");
		expect_seg(b, "S 0:0");
		done(b, sk);
	}
}

static struct sock *ecn_connected(struct bed *b)
{
	struct sock *sk = bed_socket(b, 0);

	b->net[0]->tcp->sysctl.ecn = 1;
	bed_connect(b, sk, 1, 80);
	bed_run(b, 0);
	expect_seg(b, "SEW 0:0");
	say(b, sk, "S.E 0 ack 1 win 32768 <mss 1000,sackOK>", NULL, 0);
	expect_seg(b, ". 1:1 ack 1");
	assert_int_equal(b->got_tos & 3, 0); /* a pure ACK (6.1.4) */
	return sk;
}

static void ecn_sender_reacts_once_per_window(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = ecn_connected(b);
	struct tcp_sock *tp = tcp_sk(sk);
	static char data[20000];

	bed_send(sk, data, sizeof(data), 0);
	bed_run(b, 0);
	for (unsigned i = 0; i < 10; i++) {
		char buf[256];

		bed_next(b, buf, sizeof(buf));
		assert_int_equal(b->got_tos & 3, 2); /* ECT(0) */
		assert_null(strchr(strtok(buf, " "), 'W'));
	}
	say(b, sk, ".E 1 ack 1001 win 32768", NULL, 0);
	assert_int_equal(inet_csk(sk)->ca_state, TCP_CA_CWR);
	assert_int_equal(tp->snd_ssthresh, 7); /* CUBIC's 0.7 */
	assert_int_equal(tp->delivered_ce, 1);
	for (unsigned i = 2; i < 10; i++) { /* echoed again and again: no second reduction */
		char text[60];

		snprintf(text, sizeof(text), ".E 1 ack %u001 win 32768", i);
		say(b, sk, text, NULL, 0);
	}
	assert_int_equal(tp->snd_ssthresh, 7);
	{
		char buf[256];
		unsigned cwr = 0, segs = 0;

		while (*bed_next(b, buf, sizeof(buf))) {
			segs++;
			cwr += strchr(strtok(buf, " "), 'W') != NULL;
		}
		assert_true(segs >= 3);
		assert_int_equal(cwr, 1); /* on the first new segment only */
	}
	assert_int_equal(b->net[0]->mib.tcp.RetransSegs, 0);
	bed_run(b, 3 * SEC); /* a retransmission is not ECT (6.1.5) */
	{
		char buf[256];
		bool seen = false;

		while (*bed_next(b, buf, sizeof(buf)))
			if (b->got_tos == 0)
				seen = true;
		assert_true(seen);
	}
	done(b, sk);
}

static void ecn_receiver_echoes_until_cwr(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = ecn_connected(b);

	b->inject_tos = 3;
	say(b, sk, "P. 1 ack 1", "a", 1);
	expect_seg(b, ".E 1:1 ack 2");
	b->inject_tos = 2;
	say(b, sk, "P. 2 ack 1", "b", 1);
	expect_seg(b, ".E 1:1 ack 3");
	say(b, sk, "P.W 3 ack 1", "c", 1);
	expect_seg(b, ". 1:1 ack 4");
	b->inject_tos = 3; /* out of order, and marked again */
	say(b, sk, "P. 10 ack 1", "z", 1);
	expect_seg(b, ".E 1:1 ack 4 <sack 10:11>");
	b->inject_tos = 3; /* CWR and a new mark in one segment: still to be told */
	say(b, sk, "P.W 4 ack 1", "d", 1);
	expect_seg(b, ".E 1:1 ack 5 <sack 10:11>");
	done(b, sk);
}

/* ---- HyStart++ (RFC 9406) ---- */
struct link {
	uint64_t ns_per_octet, free_at;
	uint32_t deepest; /* octets that waited */
};
static uint64_t link_tap(struct bed *b, const struct seg *s, void *arg)
{
	struct link *k = arg;
	uint64_t start = k->free_at > b->now_ns ? k->free_at : b->now_ns;

	if (!k->ns_per_octet || s->len < 100)
		return 0;
	k->free_at = start + (s->len + 20) * k->ns_per_octet;
	if ((start - b->now_ns) / k->ns_per_octet > k->deepest)
		k->deepest = (uint32_t)((start - b->now_ns) / k->ns_per_octet);
	return k->free_at - b->now_ns;
}

static void hystart_transfer(uint64_t ns_per_octet, bool cubic, struct bed **bp, struct link *k, struct tcp_info_full *ti)
{
	struct bed *b = *bp = bed_new(2);
	struct sock *l = bed_listen(b, 1, 80, 5), *cl, *sv;
	static char data[65536];
	size_t sent = 0, got = 0, total = 3000000;

	*k = (struct link){ .ns_per_octet = ns_per_octet };
	b->delay_ns = 25 * MS;
	b->tap = link_tap;
	b->tap_arg = k;
	if (!cubic)
		b->net[0]->tcp->ca_default = &tcp_reno_ops;
	cl = bed_socket(b, 0);
	assert_int_equal(bed_connect(b, cl, 1, 80), 0);
	bed_run(b, 200 * MS);
	sv = bed_accept(l);
	assert_non_null(sv);
	sv->rcvbuf = 8 << 20;
	cl->sndbuf = 4 << 20;
	while (got < total) {
		ssize_t n = sent < total ? bed_send(cl, data, min_sz(sizeof(data), total - sent), 0) : 0;

		sent += n > 0 ? (size_t)n : 0;
		bed_run(b, MS);
		while ((n = bed_recv(sv, data, sizeof(data), 0)) > 0)
			got += (size_t)n;
	}
	tcp_get_info(cl, ti);
	bed_close(cl);
	bed_run(b, SEC);
	bed_close(sv);
	bed_close(l);
}

static void hystart_ends_slow_start_before_a_loss(void **state)
{
	struct tcp_info_full with, without;
	struct link deep, flat;
	struct bed *b;

	hystart_transfer(1000, true, &b, &deep, &with); /* 1 MB/s, a round trip of 50 ms, a buffer without end */
	assert_int_equal(b->net[0]->mib.tcpext.TCPHystartDelayDetect, 1);
	assert_true(with.snd_ssthresh < TCP_INFINITE_SSTHRESH);
	assert_int_equal(b->net[0]->mib.tcp.RetransSegs, 0);
	bed_free(b);
	hystart_transfer(1000, false, &b, &flat, &without); /* Reno fills whatever there is */
	assert_true(without.snd_ssthresh >= TCP_INFINITE_SSTHRESH);
	assert_true(deep.deepest < flat.deepest / 2);
	bed_free(b);
	hystart_transfer(0, true, &b, &flat, &without); /* no queue, no signal */
	assert_int_equal(b->net[0]->mib.tcpext.TCPHystartDelayDetect, 0);
	bed_free(b);
}

/* ---- path MTU ---- */
static void must_16_pmtu_falls(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, "<mss 1460,sackOK>");
	static char data[5000];
	uint32_t cwnd = tcp_sk(sk)->snd_cwnd, len, total = 0;
	char buf[256], *p;

	bed_send(sk, data, sizeof(data), 0);
	bed_run(b, 0);
	expect_seg(b, ". 1:1461 ack 1");
	bed_forget(b);
	b->mtu = 576;
	tcp_mtu_reduced(sk, 576);
	assert_int_equal(tcp_sk(sk)->mss_cache, 536);
	bed_run(b, 0);
	while (*bed_next(b, buf, sizeof(buf))) { /* what was too large goes again, in pieces */
		unsigned from, to;

		p = strchr(buf, ' ');
		assert_int_equal(sscanf(p, " %u:%u", &from, &to), 2);
		len = to - from;
		assert_true(len <= 536);
		total += len;
	}
	assert_true(total > 0);
	say(b, sk, ". 1 ack 5001 win 32768", NULL, 0);
	assert_int_equal(tcp_sk(sk)->fl->packets_out, 0);
	assert_int_equal(tcp_sk(sk)->fl->lost_out + tcp_sk(sk)->fl->retrans_out + tcp_sk(sk)->fl->sacked_out, 0);
	assert_int_equal(inet_csk(sk)->ca_state, TCP_CA_Open);
	assert_true(tcp_sk(sk)->snd_cwnd >= cwnd / 2);
	assert_int_equal(b->net[0]->mib.tcpext.TCPTimeouts, 0);
	tcp_mtu_reduced(sk, 1500); /* larger again is not an ICMP's to say */
	assert_int_equal(tcp_sk(sk)->mss_cache, 536);
	done(b, sk);
}

/* ---- closing ---- */
static void linger_zero_resets(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);

	bed_send(sk, "abc", 3, 0);
	bed_run(b, 0);
	expect_seg(b, "P. 1:4 ack 1");
	sock_set_flag(sk, SOCK_F_LINGER, true);
	sk->lingertime_ns = 0;
	bed_close(sk);
	bed_run(b, 0);
	expect_seg(b, "R. 4:4 ack 1");
	bed_expect_clean(b);
	bed_free(b);
}

static void fin_wait2_times(void **state)
{
	static const struct {
		int linger2, gone_after_s;
		bool reset;
	} t[] = { { 0, 60, false }, { 5, 5, false }, { 90, 90, false }, { -1, 0, true } };

	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		struct bed *b = scripted_bed();
		struct sock *sk = connected(b, SACKED);
		uint16_t port = inet_sk(sk)->sport;
		const struct tcp_net *tn = b->net[0]->tcp;

		if (t[i].linger2)
			set_int(sk, TCP_LINGER2, t[i].linger2);
		bed_close(sk);
		bed_run(b, 0);
		expect_seg(b, "F. 1:1 ack 1");
		bed_inject(b, 1, 0, 80, port, ". 1 ack 2", NULL, 0);
		bed_run(b, 0);
		if (t[i].reset) {
			char buf[256];

			assert_int_equal(bed_next(b, buf, sizeof(buf))[0], 'R');
			assert_int_equal(tn->ehash.count, 0);
		} else {
			bed_run(b, (unsigned)t[i].gone_after_s * SEC - 10 * MS);
			assert_int_equal(tn->ehash.count, 1);
			bed_run(b, 20 * MS);
			assert_int_equal(tn->ehash.count, 0);
		}
		bed_expect_clean(b);
		bed_free(b);
	}
}

static void orphan_gets_data(void **state)
{
	struct bed *b = scripted_bed(); /* RFC 2525 2.17, RFC 9293 3.6.1: half closed, and nobody is left to read */
	struct sock *sk = connected(b, SACKED);
	uint16_t port = inet_sk(sk)->sport;
	char buf[256];

	bed_close(sk);
	bed_run(b, 0);
	expect_seg(b, "F. 1:1 ack 1");
	bed_inject(b, 1, 0, 80, port, "P. 1 ack 2", "late", 4);
	bed_run(b, 0);
	assert_int_equal(bed_next(b, buf, sizeof(buf))[0], 'R');
	bed_expect_clean(b);
	bed_free(b);

	b = scripted_bed(); /* shutdown(SHUT_WR) alone goes on reading */
	sk = connected(b, SACKED);
	tcp_shutdown(sk, 2);
	bed_run(b, 0);
	expect_seg(b, "F. 1:1 ack 1");
	say(b, sk, ". 1 ack 2", NULL, 0);
	assert_int_equal(sk->state, TCP_FIN_WAIT2);
	say(b, sk, "P. 1 ack 2", "late", 4);
	assert_int_equal(bed_recv(sk, buf, sizeof(buf), 0), 4);
	assert_int_equal(bed_send(sk, "x", 1, MSG_NOSIGNAL), -EPIPE);
	bed_run(b, 300 * SEC); /* a socket with a program waits as long as it likes */
	assert_int_equal(sk->state, TCP_FIN_WAIT2);
	bed_close(sk);
	bed_expect_clean(b);
	bed_free(b);
}

/* ---- corks ---- */
static void cork_holds_and_lets_go(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	static char data[2500];

	set_int(sk, TCP_CORK, 1);
	bed_send(sk, data, 300, 0);
	bed_run(b, 0);
	expect_seg(b, "");
	bed_send(sk, data, 1900, 0); /* full segments go, the tail stays */
	bed_run(b, 0);
	expect_seg(b, ". 1:1001 ack 1");
	expect_seg(b, ". 1001:2001 ack 1");
	expect_seg(b, "");
	set_int(sk, TCP_CORK, 0);
	bed_run(b, 0);
	expect_seg(b, "P. 2001:2201 ack 1");
	say(b, sk, ". 1 ack 2201 win 32768", NULL, 0);
	set_int(sk, TCP_CORK, 1); /* forgotten: 200 ms is the longest (tcp(7)) */
	bed_send(sk, data, 100, 0);
	bed_run(b, 150 * MS);
	expect_seg(b, "");
	bed_run(b, 100 * MS);
	expect_seg(b, "P. 2201:2301 ack 1");
	done(b, sk);

	b = scripted_bed();
	sk = connected(b, SACKED);
	bed_send(sk, data, 100, MSG_MORE);
	bed_run(b, 0);
	expect_seg(b, "");
	bed_send(sk, data, 100, 0);
	bed_run(b, 0);
	expect_seg(b, "P. 1:201 ack 1");
	done(b, sk);
}

/* ---- TCP_DEFER_ACCEPT ---- */
static void defer_accept(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *l = bed_listen(b, 0, 80, 5), *sk;
	char buf[8];

	set_int(l, TCP_DEFER_ACCEPT, 5);
	bed_inject(b, 1, 0, 1000, 80, "S 0 <mss 1000>", NULL, 0);
	bed_run(b, 0);
	expect_seg(b, "S. 0:0 ack 1");
	bed_inject(b, 1, 0, 1000, 80, ". 1 ack 1", NULL, 0); /* a bare ACK does not wake the server */
	bed_run(b, 500 * MS);
	assert_null(bed_accept(l));
	expect_seg(b, "");
	bed_inject(b, 1, 0, 1000, 80, "P. 1 ack 1", "GET", 3);
	bed_run(b, 0);
	sk = bed_accept(l);
	assert_non_null(sk);
	assert_int_equal(bed_recv(sk, buf, 8, 0), 3);
	bed_close(sk);
	done(b, l);

	b = scripted_bed();
	l = bed_listen(b, 0, 80, 5);
	set_int(l, TCP_DEFER_ACCEPT, 5);
	bed_inject(b, 1, 0, 1001, 80, "S 0 <mss 1000>", NULL, 0); /* one that never speaks */
	bed_run(b, 0);
	expect_seg(b, "S. 0:0 ack 1");
	bed_inject(b, 1, 0, 1001, 80, ". 1 ack 1", NULL, 0);
	bed_run(b, 2 * SEC);
	expect_seg(b, ""); /* quiet while it waits */
	bed_run(b, 20 * SEC);
	expect_seg(b, "S. 0:0 ack 1"); /* its last chance */
	bed_inject(b, 1, 0, 1001, 80, ". 1 ack 1", NULL, 0);
	bed_run(b, 0);
	sk = bed_accept(l);
	assert_non_null(sk);
	bed_close(sk);
	bed_close(l);
	bed_expect_clean(b);
	bed_free(b);
}

/* ---- ports ---- */
static void reuseport_spreads(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *l[4], *other = bed_socket(b, 0);
	unsigned got[4] = { 0 };

	for (unsigned i = 0; i < 4; i++) {
		l[i] = bed_socket(b, 0);
		l[i]->reuseport = 1;
		assert_int_equal(l[i]->prot->get_port(l[i], 80), 0);
		assert_int_equal(inet_csk_listen_start(l[i], 1000), 0);
	}
	assert_int_equal(other->prot->get_port(other, 80), -EADDRINUSE); /* without the option */
	other->reuseport = 1;
	other->uid = 99;
	assert_int_equal(other->prot->get_port(other, 80), -EADDRINUSE); /* of another user */
	bed_close(other);
	for (unsigned i = 0; i < 400; i++)
		bed_inject(b, 1, 0, (uint16_t)(1000 + i), 80, "S 0 <mss 1000>", NULL, 0);
	bed_run(b, 0);
	for (unsigned i = 0; i < 4; i++) {
		got[i] = inet_csk(l[i])->listener->syn_qlen;
		assert_in_range(got[i], 60, 140); /* a quarter each */
	}
	assert_int_equal(got[0] + got[1] + got[2] + got[3], 400);
	for (unsigned i = 0; i < 4; i++)
		bed_close(l[i]);
	bed_expect_clean(b);
	bed_free(b);
}

static void bind_conflicts(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *l = bed_listen(b, 0, 80, 5), *a = bed_socket(b, 0), *c;

	assert_int_equal(a->prot->get_port(a, 80), -EADDRINUSE);
	a->reuse = 1;
	assert_int_equal(a->prot->get_port(a, 80), -EADDRINUSE); /* SO_REUSEADDR does not share with a listener */
	c = accepted(b, l, 1000, "<mss 1000>");
	bed_close(l);
	assert_int_equal(a->prot->get_port(a, 80), -EADDRINUSE); /* its connection was made without it */
	c->reuse = 1;
	assert_int_equal(a->prot->get_port(a, 80), 0);
	bed_close(c);
	done(b, a);
}

static void time_wait_reuse(void **state)
{
	for (int reuse = 0; reuse <= 2; reuse++) {
		struct bed *b = bed_new(2);
		struct sock *l = bed_listen(b, 1, 80, 5), *cl = bed_socket(b, 0), *sv;
		int err;

		b->net[0]->tcp->sysctl.tw_reuse = reuse;
		bed_port_range(b, 40000, 40000); /* one port only */
		assert_int_equal(bed_connect(b, cl, 1, 80), 0);
		bed_run(b, SEC);
		sv = bed_accept(l);
		bed_close(cl);
		bed_run(b, SEC);
		bed_close(sv);
		bed_run(b, SEC / 2);
		assert_int_equal(b->net[0]->tcp->tw_count, 1);
		bed_run(b, 2 * SEC);
		cl = bed_socket(b, 0);
		err = bed_connect(b, cl, 1, 80);
		assert_int_equal(err, reuse == 1 ? 0 : -EADDRNOTAVAIL); /* 2: only on loopback */
		if (!err) {
			assert_int_equal(b->net[0]->mib.tcpext.TWRecycled, 1);
			bed_run(b, SEC);
			assert_int_equal(cl->state, TCP_ESTABLISHED);
			sv = bed_accept(l);
			assert_non_null(sv);
			bed_close(sv);
		}
		bed_close(cl);
		bed_close(l);
		bed_expect_clean(b);
		bed_free(b);
	}
}

/* ---- abort on overflow, filters ---- */
static void abort_on_overflow(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *l = bed_listen(b, 0, 80, 2), *sk;
	uint32_t isn[4];
	unsigned n = 0;

	b->net[0]->tcp->sysctl.abort_on_overflow = 1;
	for (uint16_t p = 0; p < 4; p++) { /* two complete, then two more SYNs while there is still room */
		bed_inject(b, 1, 0, (uint16_t)(1000 + p), 80, "S 0 <mss 1000>", NULL, 0);
		bed_run(b, 0);
		expect_seg(b, "S. 0:0 ack 1");
		isn[p] = b->isn;
		if (p < 2) {
			bed_inject(b, 1, 0, (uint16_t)(1000 + p), 80, ". 1 ack 1", NULL, 0);
			bed_run(b, 0);
		}
	}
	for (uint16_t p = 2; p < 4; p++) {
		b->isn = isn[p];
		bed_inject(b, 1, 0, (uint16_t)(1000 + p), 80, ". 1 ack 1", NULL, 0);
		bed_run(b, 0);
	}
	expect_seg(b, "R 1:1"); /* backlog + 1 are accepted, the fourth is not */
	for (; (sk = bed_accept(l)) != NULL; n++)
		bed_close(sk);
	assert_int_equal(n, 3);
	bed_close(l);
	bed_expect_clean(b);
	bed_free(b);
}

static void filter_on_listener_and_child(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *l = bed_listen(b, 0, 80, 5), *sk;
	/* drop segments from port 1001: ldh [0]; jeq 1001 -> 0; else all */
	struct sock_filter code[] = { { BPF_LD | BPF_H | BPF_ABS, 0, 0, 0 }, { BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 1001 },
				      { BPF_RET | BPF_K, 0, 0, 0 }, { BPF_RET | BPF_K, 0, 0, 0xffffffff } };
	struct sock_fprog prog = { 4, code };

	assert_int_equal(sk_attach_filter(l, &prog), 0);
	bed_inject(b, 1, 0, 1001, 80, "S 0 <mss 1000>", NULL, 0);
	bed_run(b, 0);
	expect_seg(b, "");
	sk = accepted(b, l, 1000, "<mss 1000>");
	assert_non_null(sk->filter); /* inherited */
	bed_close(sk);
	bed_close(l);
	bed_expect_clean(b);
	bed_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ecn_negotiation),
		cmocka_unit_test(ecn_sender_reacts_once_per_window),
		cmocka_unit_test(ecn_receiver_echoes_until_cwr),
		cmocka_unit_test(hystart_ends_slow_start_before_a_loss),
		cmocka_unit_test(must_16_pmtu_falls),
		cmocka_unit_test(linger_zero_resets),
		cmocka_unit_test(fin_wait2_times),
		cmocka_unit_test(orphan_gets_data),
		cmocka_unit_test(cork_holds_and_lets_go),
		cmocka_unit_test(defer_accept),
		cmocka_unit_test(reuseport_spreads),
		cmocka_unit_test(bind_conflicts),
		cmocka_unit_test(time_wait_reuse),
		cmocka_unit_test(abort_on_overflow),
		cmocka_unit_test(filter_on_listener_and_child),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
