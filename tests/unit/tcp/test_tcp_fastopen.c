/* TCP Fast Open (RFC 7413), both sides. */
#include "tcp_bed.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "tcp/tcp_info.h"

static ssize_t fastopen_send(struct sock *sk, unsigned to, uint16_t port, const void *p, size_t len)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = { htonl(bed_addr(to)) } };
	struct iovec iov = { (void *)(uintptr_t)p, len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_flags = MSG_FASTOPEN | MSG_DONTWAIT, .msg_name = &a, .msg_namelen = sizeof(a) };

	return sk->prot->sendmsg(sk, &m, len);
}

/* The first visit: ask for a cookie, get "0102...08". */
static void visit(struct bed *b)
{
	struct sock *sk = bed_socket(b, 0);

	assert_int_equal(fastopen_send(sk, 1, 80, "hello", 5), -EINPROGRESS);
	bed_run(b, 0);
	expect_seg(b, "S 0:0 <fo 0>");
	say(b, sk, "S. 0 ack 1 <mss 1000,sackOK,raw 220a0102030405060708>", NULL, 0);
	expect_seg(b, ". 1:1 ack 1");
	assert_int_equal(sk->state, TCP_ESTABLISHED);
	assert_int_equal(bed_send(sk, "hello", 5, 0), 5);
	bed_run(b, 0);
	expect_seg(b, "P. 1:6 ack 1");
	say(b, sk, "R. 1 ack 6", NULL, 0);
	bed_close(sk);
}

static void client_asks_then_sends_with_syn(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk;
	struct tcp_info_full ti;
	static const uint8_t cookie[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };

	visit(b);
	sk = bed_socket(b, 0);
	assert_int_equal(fastopen_send(sk, 1, 80, "hello", 5), 5);
	bed_run(b, 0);
	expect_seg(b, "S 0:5 <fo 8>");
	assert_memory_equal(b->fo, cookie, 8);
	say(b, sk, "S. 0 ack 6 <mss 1000,sackOK>", NULL, 0);
	expect_seg(b, ". 6:6 ack 1");
	assert_int_equal(sk->state, TCP_ESTABLISHED);
	assert_int_equal(b->net[0]->mib.tcpext.TCPFastOpenActive, 1);
	tcp_get_info(sk, &ti);
	assert_true(ti.options & 32);
	bed_send(sk, "more", 4, 0);
	bed_run(b, 0);
	expect_seg(b, "P. 6:10 ack 1");
	say(b, sk, ". 1 ack 10", NULL, 0);
	bed_close(sk);
	bed_run(b, 0);
	expect_seg(b, "F. 10:10 ack 1");
	bed_expect_clean(b);
	bed_free(b);
}

static void client_data_not_taken(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk;

	visit(b);
	sk = bed_socket(b, 0);
	assert_int_equal(fastopen_send(sk, 1, 80, "hello", 5), 5);
	bed_run(b, 0);
	expect_seg(b, "S 0:5 <fo 8>");
	say(b, sk, "S. 0 ack 1 <mss 1000,sackOK>", NULL, 0);
	expect_seg(b, "P. 1:6 ack 1"); /* at once, without a timeout */
	assert_int_equal(b->net[0]->mib.tcpext.TCPFastOpenActiveFail, 1);
	say(b, sk, ". 1 ack 6", NULL, 0);
	assert_int_equal(tcp_sk(sk)->fl->packets_out, 0);
	bed_close(sk);
	bed_expect_clean(b);
	bed_free(b);
}

static void client_syn_lost(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk;

	visit(b);
	sk = bed_socket(b, 0);
	assert_int_equal(fastopen_send(sk, 1, 80, "hello", 5), 5);
	bed_run(b, SEC + 10 * MS);
	expect_seg(b, "S 0:5 <fo 8>");
	expect_seg(b, "S 0:0"); /* plain: a middlebox may have taken offence (4.2.1) */
	say(b, sk, "S. 0 ack 1 <mss 1000,sackOK>", NULL, 0);
	expect_seg(b, "P. 1:6 ack 1");
	say(b, sk, ". 1 ack 6", NULL, 0);
	bed_close(sk);
	bed_forget(b);
	for (unsigned i = 0; i < 2; i++) { /* once may be chance; after the second time in a row it is not tried for a while (4.1.3.1) */
		sk = bed_socket(b, 0);
		assert_int_equal(fastopen_send(sk, 1, 80, "hello", 5), i ? -EINPROGRESS : 5);
		bed_run(b, SEC + 10 * MS);
		bed_forget(b);
		say(b, sk, "S. 0 ack 1 <mss 1000,sackOK>", NULL, 0);
		bed_close(sk);
		bed_forget(b);
	}
	bed_expect_clean(b);
	bed_free(b);
}

static void client_limits(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk;
	static char data[5000];

	visit(b);
	sk = bed_socket(b, 0);
	assert_int_equal(fastopen_send(sk, 1, 80, data, sizeof(data)), 960); /* one segment: the peer's MSS less the options */
	bed_run(b, 0);
	expect_seg(b, "S 0:960 <fo 8>");
	bed_close(sk);
	sk = bed_socket(b, 0);
	b->net[0]->tcp->sysctl.fastopen = 0;
	assert_int_equal(fastopen_send(sk, 1, 80, "x", 1), -EOPNOTSUPP);
	bed_close(sk);
	bed_expect_clean(b);
	bed_free(b);
}

/* ---- server ---- */
static struct sock *fo_listen(struct bed *b, int qlen)
{
	struct sock *l = bed_listen(b, 0, 80, 10);

	b->net[0]->tcp->sysctl.fastopen = 3;
	assert_int_equal(tcp_setsockopt(l, 6, 23 /* TCP_FASTOPEN */, &qlen, sizeof(qlen)), 0);
	return l;
}

/* A SYN from port with the cookie that the server gave last (len octets of it). */
static void syn_cookie(struct bed *b, uint16_t port, const char *data)
{
	char text[120], hex[40] = "";

	for (unsigned i = 0; i < b->fo_len; i++)
		snprintf(hex + 2 * i, 3, "%02x", b->fo[i]);
	snprintf(text, sizeof(text), "S 0 win 30000 <mss 1000,sackOK,raw 22%02x%s>", b->fo_len + 2, hex);
	bed_inject(b, 1, 0, port, 80, text, data, (uint32_t)strlen(data));
	bed_run(b, 0);
}

static void get_cookie(struct bed *b, struct sock *l)
{
	struct sock *sk;

	bed_inject(b, 1, 0, 999, 80, "S 0 <mss 1000,raw 2202>", "early", 5); /* data without a cookie waits (3.1) */
	bed_run(b, 0);
	expect_seg(b, "S. 0:0 ack 1 <fo 8>");
	bed_inject(b, 1, 0, 999, 80, ". 1 ack 1", NULL, 0);
	bed_run(b, 0);
	sk = bed_accept(l);
	assert_non_null(sk);
	bed_close(sk);
	bed_inject(b, 1, 0, 999, 80, "R. 1 ack 1", NULL, 0);
	bed_run(b, 0);
	bed_forget(b);
}

/* As many repetitions of the SYN-ACK as the knob takes: never two within a second, none after more than 120, and an end. */
static void server_repeats_255_times(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *l = fo_listen(b, 5);
	uint64_t last;
	unsigned n = 0;

	b->net[0]->tcp->sysctl.synack_retries = 255;
	get_cookie(b, l);
	syn_cookie(b, 1000, "GET");
	expect_seg(b, "S. 0:0 ack 4");
	for (last = b->now_ns; b->now_ns - last <= 300 * SEC; ) {
		uint64_t sent = b->n_segs;

		bed_run(b, SEC / 2);
		bed_forget(b);
		if (b->n_segs == sent)
			continue;
		assert_int_equal(b->n_segs, sent + 1);
		assert_in_range(b->now_ns - last, SEC, 121 * SEC);
		last = b->now_ns;
		n++;
	}
	assert_int_equal(n, 255);
	assert_int_equal(inet_csk(l)->listener->fastopen_pending, 0);
	done(b, l);
}

static void server_answers_before_the_handshake_is_over(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *l = fo_listen(b, 5), *sk;
	char buf[16];

	get_cookie(b, l);
	syn_cookie(b, 1000, "GET");
	expect_seg(b, "S. 0:0 ack 4");
	sk = bed_accept(l);
	assert_non_null(sk);
	assert_int_equal(sk->state, TCP_SYN_RECV);
	assert_int_equal(bed_recv(sk, buf, sizeof(buf), 0), 3);
	assert_memory_equal(buf, "GET", 3);
	assert_int_equal(bed_send(sk, "200 OK", 6, 0), 6);
	bed_run(b, 0);
	expect_seg(b, "P. 1:7 ack 4");
	assert_int_equal(inet_csk(l)->listener->fastopen_pending, 1);
	bed_inject(b, 1, 0, 1000, 80, ". 4 ack 7 win 30000", NULL, 0);
	bed_run(b, 0);
	assert_int_equal(sk->state, TCP_ESTABLISHED);
	assert_int_equal(inet_csk(l)->listener->fastopen_pending, 0);
	assert_int_equal(tcp_sk(sk)->fl->packets_out, 0);
	assert_int_equal(b->net[0]->mib.tcpext.TCPFastOpenPassive, 1);
	bed_inject(b, 1, 0, 1000, 80, "P. 4 ack 7", "next", 4);
	bed_run(b, 0);
	assert_int_equal(bed_recv(sk, buf, sizeof(buf), 0), 4);
	bed_close(sk);
	bed_close(l);
	bed_expect_clean(b);
	bed_free(b);
}

static void server_repeats_syn_ack(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *l = fo_listen(b, 5), *sk;
	char buf[8];

	get_cookie(b, l);
	syn_cookie(b, 1000, "GET");
	expect_seg(b, "S. 0:0 ack 4");
	bed_run(b, SEC + 10 * MS); /* by the timer */
	expect_seg(b, "S. 0:0 ack 4");
	syn_cookie(b, 1000, "GET"); /* and when the SYN comes again */
	expect_seg(b, "S. 0:0 ack 4");
	bed_inject(b, 1, 0, 1000, 80, ". 4 ack 1", NULL, 0);
	bed_run(b, 0);
	sk = bed_accept(l);
	assert_int_equal(sk->state, TCP_ESTABLISHED);
	assert_int_equal(bed_recv(sk, buf, 8, 0), 3);
	bed_close(sk);

	syn_cookie(b, 1001, "GET"); /* a reset ends it */
	bed_forget(b);
	bed_inject(b, 1, 0, 1001, 80, "R 4", NULL, 0);
	bed_run(b, 0);
	assert_int_equal(inet_csk(l)->listener->fastopen_pending, 0); /* what it still takes is a place in the accept queue */
	sk = bed_accept(l);
	assert_non_null(sk);
	assert_int_equal(sk->err, ECONNRESET);
	bed_close(sk);
	assert_int_equal(inet_csk(l)->listener->n_fo_resets, 0);
	syn_cookie(b, 1002, "GET"); /* the listener goes first */
	bed_close(l);
	bed_expect_clean(b);
	bed_free(b);
}

static void server_refuses_bad_cookies_and_floods(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *l = fo_listen(b, 2);
	unsigned i;

	get_cookie(b, l);
	b->fo[3] ^= 1;
	syn_cookie(b, 1000, "GET"); /* a forged one: an ordinary handshake, and the right cookie to use next time */
	expect_seg(b, "S. 0:0 ack 1 <fo 8>");
	assert_int_equal(b->net[0]->mib.tcpext.TCPFastOpenPassiveFail, 1);
	assert_null(bed_accept(l));
	for (i = 0; i < 5; i++) { /* unproven children are bounded (5.1) */
		syn_cookie(b, (uint16_t)(2000 + i), "GET");
		if (i < 2)
			expect_seg(b, "S. 0:0 ack 4");
		else
			expect_seg(b, "S. 0:0 ack 1");
	}
	assert_int_equal(inet_csk(l)->listener->fastopen_pending, 2);
	assert_int_equal(b->net[0]->mib.tcpext.TCPFastOpenListenOverflow, 3);
	bed_close(l);
	bed_expect_clean(b);
	bed_free(b);
}

static void two_stacks(void **state)
{
	struct bed *b = bed_new(2);
	struct sock *l = bed_listen(b, 1, 80, 10);
	int qlen = 5;
	char buf[64];

	b->net[1]->tcp->sysctl.fastopen = 2;
	tcp_setsockopt(l, 6, 23, &qlen, sizeof(qlen));
	for (unsigned i = 0; i < 3; i++) {
		struct sock *cl = bed_socket(b, 0), *sv;
		ssize_t n = fastopen_send(cl, 1, 80, "ping", 4);

		assert_int_equal(n, i ? 4 : -EINPROGRESS);
		bed_run(b, i ? 11 * MS : 100 * MS);
		if (!i)
			bed_send(cl, "ping", 4, 0);
		bed_run(b, i ? 1 : 50 * MS);
		sv = bed_accept(l); /* with a cookie: half a round trip */
		assert_non_null(sv);
		assert_int_equal(bed_recv(sv, buf, sizeof(buf), 0), 4);
		bed_send(sv, "pong", 4, 0);
		bed_run(b, i ? 10 * MS : 100 * MS);
		assert_int_equal(bed_recv(cl, buf, sizeof(buf), 0), 4); /* and the answer after a whole one */
		bed_close(cl);
		bed_run(b, SEC);
		bed_close(sv);
		bed_run(b, SEC);
	}
	assert_int_equal(b->net[0]->mib.tcpext.TCPFastOpenActive, 2);
	assert_int_equal(b->net[1]->mib.tcpext.TCPFastOpenPassive, 2);
	bed_close(l);
	bed_expect_clean(b);
	bed_free(b);
}

static void odd_options(void **state)
{
	static const char *const raw[] = { "22030000", "22050000", "2204aabb", "2207aabbccddee", "22140102030405060708090a0b0c0d0e0f101112", "2201ffff",
					   "010122ff" };

	for (unsigned i = 0; i < ARRAY_SIZE(raw); i++) { /* malformed: as if it were not there */
		struct bed *b = scripted_bed();
		struct sock *l = fo_listen(b, 5);
		char text[80];

		snprintf(text, sizeof(text), "S 0 <mss 1000,raw %s>", raw[i]);
		bed_inject(b, 1, 0, 1000, 80, text, "GET", 3);
		bed_run(b, 0);
		expect_seg(b, "S. 0:0 ack 1");
		bed_close(l);
		bed_expect_clean(b);
		bed_free(b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(client_asks_then_sends_with_syn),
		cmocka_unit_test(client_data_not_taken),
		cmocka_unit_test(client_syn_lost),
		cmocka_unit_test(client_limits),
		cmocka_unit_test(server_answers_before_the_handshake_is_over),
		cmocka_unit_test(server_repeats_255_times),
		cmocka_unit_test(server_repeats_syn_ack),
		cmocka_unit_test(server_refuses_bad_cookies_and_floods),
		cmocka_unit_test(two_stacks),
		cmocka_unit_test(odd_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
