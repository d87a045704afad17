/* What RFC 9293 demands of opening, of telling the program, and of acknowledging (3.5, 3.6, 3.9.1, 3.10.7.4). */
#include "tcp_bed.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- both at once ---- */
struct fate {
	unsigned lost, twice, late; /* bit n: the nth segment */
	unsigned n;
};

static uint64_t fate_tap(struct bed *b, const struct seg *s, void *arg)
{
	struct fate *f = arg;
	unsigned bit = f->n < 8 ? 1u << f->n : 0;

	if (f->n == 100)
		return 0; /* the copy itself */
	f->n++;
	if (f->lost & bit)
		return UINT64_MAX;
	if (f->twice & bit) {
		unsigned n = f->n;

		f->n = 100;
		bed_inject_bytes(b, s->saddr - bed_addr(0), s->daddr - bed_addr(0), s->b, s->len);
		f->n = n;
	}
	return f->late & bit ? 700 * MS : 0;
}

static struct sock *opener(struct bed *b, unsigned host, uint16_t port)
{
	struct sock *sk = bed_socket(b, host);

	assert_int_equal(sk->prot->get_port(sk, port), 0);
	inet_sk(sk)->sport = port;
	return sk;
}

static void both_open(struct fate *f, uint64_t apart_ns)
{
	struct bed *b = bed_new(2);
	struct sock *a = opener(b, 0, 5000), *c = opener(b, 1, 6000);
	char buf[16];

	b->tap = fate_tap;
	b->tap_arg = f;
	assert_int_equal(bed_connect(b, a, 1, 6000), 0);
	bed_run(b, apart_ns);
	assert_int_equal(bed_connect(b, c, 0, 5000), 0);
	for (unsigned i = 0; i < 60 && (a->state != TCP_ESTABLISHED || c->state != TCP_ESTABLISHED); i++)
		bed_run(b, SEC);
	assert_int_equal(a->state, TCP_ESTABLISHED);
	assert_int_equal(c->state, TCP_ESTABLISHED);
	assert_int_equal(b->net[0]->tcp->ehash.count, 1);
	assert_int_equal(b->net[1]->tcp->ehash.count, 1);
	assert_int_equal(tcp_sk(a)->rcv_nxt, tcp_sk(c)->snd_nxt);
	assert_int_equal(tcp_sk(c)->rcv_nxt, tcp_sk(a)->snd_nxt);
	assert_int_equal(bed_send(a, "to c", 4, 0), 4);
	assert_int_equal(bed_send(c, "for a", 5, 0), 5);
	bed_run(b, 10 * SEC);
	assert_int_equal(bed_recv(c, buf, sizeof(buf), 0), 4);
	assert_int_equal(bed_recv(a, buf, sizeof(buf), 0), 5);
	bed_close(a);
	bed_close(c);
	bed_expect_clean(b);
	bed_free(b);
}

/* ts_11: */
static void must_10_simultaneous_open_in_any_weather(void **state)
{
	for (unsigned m = 0; m < 256; m++) /* any of the first eight lost */
		both_open(&(struct fate){ .lost = m }, 0);
	for (unsigned m = 0; m < 64; m++) { /* doubled, late, both; the second open while the first SYN is on its way */
		both_open(&(struct fate){ .twice = m }, 0);
		both_open(&(struct fate){ .late = m }, 5 * MS);
		both_open(&(struct fate){ .twice = m, .late = m * 5 & 63, .lost = m * 11 & 63 & ~m }, 9 * MS);
	}
}

/* A reset in SYN-RECEIVED: who came from LISTEN goes back there and no program hears of it; who opened is told. */
static void must_11_where_it_came_from(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *l = bed_listen(b, 0, 80, 5), *sk;

	bed_inject(b, 1, 0, 1000, 80, "S 0", NULL, 0);
	bed_run(b, 0);
	expect_seg(b, "S. 0:0 ack 1");
	bed_inject(b, 1, 0, 1000, 80, "R 1", NULL, 0);
	bed_run(b, 0);
	assert_int_equal(l->state, TCP_LISTEN);
	assert_int_equal(l->err, 0);
	assert_int_equal(b->net[0]->tcp->ehash.count, 0);
	assert_null(bed_accept(l));
	sk = accepted(b, l, 1000, "<mss 1000>"); /* the very same four-tuple again */
	assert_int_equal(sk->state, TCP_ESTABLISHED);
	bed_close(sk);
	done(b, l);

	b = scripted_bed();
	sk = bed_socket(b, 0);
	bed_connect(b, sk, 1, 80);
	bed_run(b, 0);
	expect_seg(b, "S 0:0");
	say(b, sk, "S 0", NULL, 0);
	assert_int_equal(sk->state, TCP_SYN_RECV);
	expect_seg(b, "S. 0:0 ack 1");
	say(b, sk, "R 1", NULL, 0);
	assert_int_equal(sk->state, TCP_CLOSE);
	assert_true(sk->err == ECONNREFUSED || sk->err == ECONNRESET);
	done(b, sk);
}

static void must_12_end_of_data_or_broken(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	char buf[8];

	say(b, sk, "P. 1 ack 1", "abc", 3);
	say(b, sk, "F. 4 ack 1", NULL, 0);
	assert_int_equal(bed_recv(sk, buf, 8, 0), 3);
	assert_int_equal(bed_recv(sk, buf, 8, 0), 0); /* the end, as often as it asks */
	assert_int_equal(bed_recv(sk, buf, 8, 0), 0);
	assert_int_equal(sk->err, 0);
	assert_int_equal(bed_send(sk, "x", 1, 0), 1); /* and the other direction works */
	done(b, sk);

	b = scripted_bed();
	sk = connected(b, SACKED);
	say(b, sk, "R. 1 ack 1", NULL, 0);
	assert_int_equal(bed_recv(sk, buf, 8, 0), -ECONNRESET);
	assert_int_equal(bed_send(sk, "x", 1, MSG_NOSIGNAL), -EPIPE);
	done(b, sk);

	b = scripted_bed(); /* after the peer's FIN: its program is gone as well, not just done */
	sk = connected(b, SACKED);
	say(b, sk, "F. 1 ack 1", NULL, 0);
	say(b, sk, "R. 2 ack 1", NULL, 0);
	assert_int_equal(sk->state, TCP_CLOSE);
	assert_int_equal(sk->err, EPIPE);
	done(b, sk);
}

static void shld_2_reset_with_text(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);

	say(b, sk, "R. 1 ack 1", "go away", 7); /* RFC 1122 4.2.2.12: why, in ASCII */
	assert_int_equal(sk->state, TCP_CLOSE);
	assert_int_equal(sk->err, ECONNRESET);
	done(b, sk);
	b = scripted_bed();
	sk = bed_socket(b, 0);
	bed_connect(b, sk, 1, 80);
	bed_run(b, 0);
	expect_seg(b, "S 0:0");
	say(b, sk, "R. 0 ack 1", "no such service", 15);
	assert_int_equal(sk->err, ECONNREFUSED);
	done(b, sk);
}

/* ---- listening beside others ---- */
static void must_41_listen_disturbs_nobody(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *l = bed_listen(b, 0, 80, 5), *c = accepted(b, l, 1000, "<mss 1000>"), *two = bed_socket(b, 0);
	char buf[8];
	uint32_t isn = b->isn;

	assert_int_equal(two->prot->get_port(two, 80), -EADDRINUSE);
	assert_int_equal(l->state, TCP_LISTEN);
	say(b, c, "P. 1 ack 1", "abc", 3);
	assert_int_equal(bed_recv(c, buf, 8, 0), 3);
	bed_forget(b);
	bed_inject(b, 1, 0, 1001, 80, "S 0", NULL, 0); /* a request that is half open while somebody listens anew */
	bed_run(b, 0);
	assert_int_equal(inet_csk(l)->listener->syn_qlen, 1);
	assert_int_equal(inet_csk_listen_start(l, 10), 0); /* listen() again on the same socket: only the backlog changes */
	assert_int_equal(inet_csk(l)->listener->syn_qlen, 1);
	expect_seg(b, "S. 0:0 ack 1");
	bed_close(l);
	c->reuse = two->reuse = 1;
	assert_int_equal(two->prot->get_port(two, 80), 0);
	assert_int_equal(inet_csk_listen_start(two, 5), 0);
	bed_forget(b);
	b->isn = isn;
	say(b, c, "P. 4 ack 1", "def", 3); /* the old connection is still the old one's */
	assert_int_equal(bed_recv(c, buf, 8, 0), 3);
	assert_int_equal(c->state, TCP_ESTABLISHED);
	bed_close(c);
	done(b, two);
}

static void must_42_listen_while_opening(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = bed_socket(b, 0), *l = bed_socket(b, 0), *c;
	uint32_t isn;

	sk->reuse = l->reuse = 1;
	assert_int_equal(sk->prot->get_port(sk, 5000), 0);
	inet_sk(sk)->sport = 5000;
	assert_int_equal(bed_connect(b, sk, 1, 80), 0);
	bed_run(b, 0);
	expect_seg(b, "S 0:0");
	isn = b->isn;
	assert_int_equal(sk->state, TCP_SYN_SENT);
	assert_int_equal(l->prot->get_port(l, 5000), 0);
	assert_int_equal(inet_csk_listen_start(l, 5), 0);
	c = accepted(b, l, 1000, "<mss 1000>"); /* it works */
	b->isn = isn;
	say(b, sk, "S. 0 ack 1", NULL, 0); /* and so does the other */
	assert_int_equal(sk->state, TCP_ESTABLISHED);
	bed_close(c);
	bed_close(sk);
	done(b, l);

	b = scripted_bed(); /* SYN-RECEIVED of a passive open: another listener takes the port over by SO_REUSEPORT */
	l = bed_socket(b, 0);
	sk = bed_socket(b, 0);
	l->reuseport = sk->reuseport = 1;
	assert_int_equal(l->prot->get_port(l, 5000), 0);
	assert_int_equal(inet_csk_listen_start(l, 5), 0);
	bed_inject(b, 1, 0, 1000, 5000, "S 0", NULL, 0);
	bed_run(b, 0);
	expect_seg(b, "S. 0:0 ack 1");
	assert_int_equal(inet_csk(l)->listener->syn_qlen, 1);
	assert_int_equal(sk->prot->get_port(sk, 5000), 0);
	assert_int_equal(inet_csk_listen_start(sk, 5), 0);
	bed_inject(b, 1, 0, 1000, 5000, ". 1 ack 1", NULL, 0);
	bed_run(b, 0);
	c = bed_accept(l);
	assert_non_null(c);
	assert_null(bed_accept(sk));
	bed_close(c);
	bed_close(sk);
	done(b, l);
}

/* ---- acknowledging ---- */

/* RFC 2018 8: a receiver short of memory may throw away what it has SACKed, but then must not go on saying that it has it. What lies
 * farthest out goes, for the sake of what is nearer. */
static void rfc2018_8_what_was_thrown_away_is_no_longer_claimed(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	static char data[2000];
	char text[40], buf[128];
	uint32_t far = 0, kept = 0;

	sk->rcvbuf = 24000;
	sk->userlocks |= 2;
	for (; far < 100 && sk->rmem_alloc <= sk->rcvbuf; far++) { /* every other hundred octets: nothing to put together */
		snprintf(text, sizeof(text), ". %u ack 1", 20001 + 200 * far);
		say(b, sk, text, data, 100);
	}
	assert_true(far > 4 && far < 100);
	assert_int_equal(sk->net->mib.tcpext.OfoPruned, 0);
	say(b, sk, ". 1001 ack 1", data, 100);
	assert_true(sk->net->mib.tcpext.OfoPruned > 0);
	bed_run(b, SEC);
	while (b->got)
		bed_next(b, buf, sizeof(buf));
	/* what the last ACK named is in the queue, every block */
	for (int i = 0; i < tcp_sk(sk)->rx_opt.num_sacks; i++) {
		const struct tcp_sack_block *s = &tcp_sk(sk)->sack->selective_acks[i];
		struct sk_buff *skb;
		bool there = false;

		skb_queue_walk(&tcp_sk(sk)->sack->ofo_queue, skb)
			there |= TCP_SKB_CB(skb)->seq == s->start_seq && TCP_SKB_CB(skb)->end_seq == s->end_seq;
		assert_true(there);
		kept++;
	}
	assert_true(kept > 0);
	/* the nearest are all there, and the farthest is gone */
	assert_int_equal(TCP_SKB_CB(skb_peek(&tcp_sk(sk)->sack->ofo_queue))->seq - b->peer_isn, 1001);
	assert_true(TCP_SKB_CB(skb_peek_tail(&tcp_sk(sk)->sack->ofo_queue))->seq - b->peer_isn < 20001 + 200 * (far - 1));
	bed_close(sk);
	bed_run(b, SEC);
	bed_free(b);
}

/* shld_31, may_13: what came out of order is kept, each acknowledged: the first three at once, the others when
 * tcp_comp_sack_slack_ns is over. When the hole closes, all of it is processed and then acknowledged by one segment. */
static void must_58_59_one_acknowledgement_for_all_that_waits(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	static char data[70000];
	char text[40], buf[128];

	for (unsigned i = 0; i < 20; i++) {
		snprintf(text, sizeof(text), "P. %u ack 1", 1001 + 1000 * i);
		say(b, sk, text, data, 1000);
		if (i > 2) {
			bed_run(b, 99 * NSEC_PER_USEC);
			expect_seg(b, "");
			bed_run(b, 2 * NSEC_PER_USEC);
		}
		bed_next(b, buf, sizeof(buf));
		snprintf(text, sizeof(text), ". 1:1 ack 1 <sack 1001:%u>", 2001 + 1000 * i);
		assert_string_equal(buf, text);
		expect_seg(b, "");
	}
	say(b, sk, "P. 1 ack 1", data, 1000);
	expect_seg(b, ". 1:1 ack 21001");
	bed_run(b, SEC);
	expect_seg(b, "");
	assert_int_equal(bed_recv(sk, data, sizeof(data), 0), 21000);
	done(b, sk);

	b = scripted_bed(); /* a train of segments that came together */
	sk = connected(b, SACKED);
	say(b, sk, "P. 1 ack 1", data, 20000);
	expect_seg(b, ". 1:1 ack 20001");
	bed_run(b, SEC);
	expect_seg(b, "");
	done(b, sk);
}

/* ---- sending ---- */

/* shld_27, may_16: what was written in pieces and leaves together carries one PSH, on its last segment. */
static void must_60_61_data_leaves_and_says_so(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, "<mss 1000>");
	static char data[3000];
	int one = 1;

	bed_send(sk, data, 2500, 0);
	bed_run(b, 0);
	expect_seg(b, ". 1:1001 ack 1");
	expect_seg(b, ". 1001:2001 ack 1");
	expect_seg(b, "P. 2001:2501 ack 1");
	for (unsigned i = 0; i < 12; i++) /* Nagle holds these back, for one round trip at most */
		bed_send(sk, data, 100, 0);
	bed_run(b, 0);
	expect_seg(b, "P. 2501:3501 ack 1");
	expect_seg(b, "");
	say(b, sk, ". 1 ack 2501 win 32768", NULL, 0);
	say(b, sk, ". 1 ack 3501 win 32768", NULL, 0);
	expect_seg(b, "P. 3501:3701 ack 1");
	say(b, sk, ". 1 ack 3701 win 32768", NULL, 0);
	bed_send(sk, data, 10, MSG_MORE); /* "more will come", and it does not */
	bed_run(b, 500 * MS);
	expect_seg(b, "P. 3701:3711 ack 1");
	say(b, sk, ". 1 ack 3711 win 32768", NULL, 0);
	bed_forget(b); /* its repetitions */
	assert_int_equal(tcp_setsockopt(sk, 6, TCP_CORK, &one, sizeof(one)), 0);
	bed_send(sk, data, 10, 0);
	bed_run(b, 2 * SEC); /* one RTO */
	expect_seg(b, "P. 3711:3721 ack 1");
	done(b, sk);

	b = scripted_bed(); /* a window too small for the rest: the probe takes what fits along */
	sk = connected(b, "<mss 1000>");
	say(b, sk, "P. 1 ack 1 win 1000", "x", 1);
	say(b, sk, "P. 2 ack 1 win 10", "x", 1);
	bed_forget(b);
	bed_send(sk, data, 300, 0);
	bed_run(b, SEC);
	expect_seg(b, "P. 1:11 ack 3");
	done(b, sk);
}

/* The window opens by crumbs: nothing smaller than a segment or half the largest window is sent into it, unless it stays
 * so (RFC 1122 4.2.3.4). */
static void must_38_sender_waits_for_more_than_crumbs(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, "<mss 1000>");
	static char data[9000];
	unsigned seq = 2;
	char text[60];

	say(b, sk, "P. 1 ack 1 win 4000", "x", 1);
	bed_forget(b);
	bed_send(sk, data, sizeof(data), 0);
	bed_run(b, 0);
	for (unsigned i = 1; i <= 4; i++) {
		snprintf(text, sizeof(text), ". %u:%u ack 2", 1000 * i - 999, 1000 * i + 1);
		expect_seg(b, text);
	}
	for (unsigned w = 0; w < 1000; w += 100) { /* the reader takes 100 octets at a time, ten times a second */
		snprintf(text, sizeof(text), ". %u ack 4001 win %u", seq, w);
		say(b, sk, text, NULL, 0);
		bed_run(b, 10 * MS);
		expect_seg(b, "");
	}
	snprintf(text, sizeof(text), ". %u ack 4001 win 1000", seq);
	say(b, sk, text, NULL, 0);
	expect_seg(b, ". 4001:5001 ack 2");
	done(b, sk);
}

/* may_18: another congestion control than RFC 5681's is the default, and Reno is there for who asks. */
static void may_18_cubic_and_reno(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	char name[16] = "";
	socklen_t len = sizeof(name);

	assert_int_equal(tcp_getsockopt(sk, 6, TCP_CONGESTION, name, &len), 0);
	assert_string_equal(name, "cubic");
	assert_int_equal(tcp_setsockopt(sk, 6, TCP_CONGESTION, "reno", 4), 0);
	len = sizeof(name);
	assert_int_equal(tcp_getsockopt(sk, 6, TCP_CONGESTION, name, &len), 0);
	assert_string_equal(name, "reno");
	done(b, sk);
}

/* may_1, shld_3: close is of both directions; what then comes is answered by a reset, as is closing over unread data. */
static void may_1_close_is_both_directions(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	uint16_t port = inet_sk(sk)->sport;

	bed_close(sk);
	bed_run(b, 0);
	expect_seg(b, "F. 1:1 ack 1");
	bed_inject(b, 1, 0, 80, port, "P. 1 ack 2", "still talking", 13);
	bed_run(b, 0);
	expect_seg(b, "R 2:2");
	bed_expect_clean(b);
	bed_free(b);

	b = scripted_bed();
	sk = connected(b, SACKED);
	say(b, sk, "P. 1 ack 1", "unread", 6);
	bed_forget(b);
	bed_close(sk);
	bed_run(b, 0);
	expect_seg(b, "R. 1:1 ack 7");
	bed_expect_clean(b);
	bed_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(must_10_simultaneous_open_in_any_weather),
		cmocka_unit_test(must_11_where_it_came_from),
		cmocka_unit_test(must_12_end_of_data_or_broken),
		cmocka_unit_test(shld_2_reset_with_text),
		cmocka_unit_test(must_41_listen_disturbs_nobody),
		cmocka_unit_test(must_42_listen_while_opening),
		cmocka_unit_test(rfc2018_8_what_was_thrown_away_is_no_longer_claimed), cmocka_unit_test(must_58_59_one_acknowledgement_for_all_that_waits),
		cmocka_unit_test(must_60_61_data_leaves_and_says_so),
		cmocka_unit_test(must_38_sender_waits_for_more_than_crumbs),
		cmocka_unit_test(may_18_cubic_and_reno),
		cmocka_unit_test(may_1_close_is_both_directions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
