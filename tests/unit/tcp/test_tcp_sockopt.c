/* TCP's socket options (tcp(7)): bounds, errors, what reads back, and what each does on the wire. docs/socket-options.md
 * names these tests. */
#include "tcp_bed.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include "core/procfs.h"
#include "tcp/tcp_info.h"

#define AS_IT_IS INT32_MIN

static int set(struct sock *sk, int name, int v) { return sk->prot->setsockopt(sk, SOL_TCP, name, &v, sizeof(v)); }
static int get(struct sock *sk, int name)
{
	int v = -12345;
	socklen_t len = sizeof(v);
	int err = sk->prot->getsockopt(sk, SOL_TCP, name, &v, &len);

	return err ? err : v;
}

/* Each: value written, result, value read afterwards. */
static void so_tcp_bounds_and_errors(void **state)
{
	static const struct {
		int name, v, err, read;
	} t[] = {
		{ TCP_MAXSEG, 87, -EINVAL, 536 }, { TCP_MAXSEG, 32768, -EINVAL, 536 }, { TCP_MAXSEG, 88, 0, 88 }, { TCP_MAXSEG, 0, 0, 536 },
		{ TCP_KEEPIDLE, 0, -EINVAL, 7200 }, { TCP_KEEPIDLE, 32768, -EINVAL, 7200 }, { TCP_KEEPIDLE, 32767, 0, 32767 },
		{ TCP_KEEPINTVL, 0, -EINVAL, 75 }, { TCP_KEEPINTVL, 32768, -EINVAL, 75 }, { TCP_KEEPINTVL, 5, 0, 5 },
		{ TCP_KEEPCNT, 0, -EINVAL, 9 }, { TCP_KEEPCNT, 128, -EINVAL, 9 }, { TCP_KEEPCNT, 127, 0, 127 },
		{ TCP_SYNCNT, 0, -EINVAL, 6 }, { TCP_SYNCNT, 128, -EINVAL, 6 }, { TCP_SYNCNT, 127, 0, 127 },
		{ TCP_LINGER2, -7, 0, -1 }, { TCP_LINGER2, 121, 0, 120 }, { TCP_LINGER2, 3, 0, 3 }, { TCP_LINGER2, 0, 0, 60 },
		{ TCP_DEFER_ACCEPT, 1, 0, 1 }, { TCP_DEFER_ACCEPT, 2, 0, 3 }, { TCP_DEFER_ACCEPT, 5, 0, 7 },
		{ TCP_DEFER_ACCEPT, 200, 0, 247 }, { TCP_DEFER_ACCEPT, 0, 0, 0 },
		{ TCP_WINDOW_CLAMP, 100, 0, SOCK_MIN_RCVBUF / 2 }, { TCP_WINDOW_CLAMP, 5000, 0, 5000 }, { TCP_WINDOW_CLAMP, 0, 0, 0 },
		{ TCP_QUICKACK, 0, 0, 0 }, { TCP_QUICKACK, 1, 0, 1 },
		{ TCP_NODELAY, 7, 0, 1 }, { TCP_NODELAY, 0, 0, 0 }, { TCP_CORK, 7, 0, 1 }, { TCP_CORK, 0, 0, 0 },
		{ TCP_USER_TIMEOUT, -1, -EINVAL, 0 }, { TCP_USER_TIMEOUT, 30000, 0, 30000 },
		{ TCP_THIN_LINEAR_TIMEOUTS, 2, -EINVAL, 0 }, { TCP_THIN_LINEAR_TIMEOUTS, 1, 0, 1 },
		{ TCP_THIN_DUPACK, 2, -EINVAL, 0 }, { TCP_THIN_DUPACK, 1, 0, 0 },
		{ TCP_NOTSENT_LOWAT, 1, 0, 1 }, { TCP_INQ, 2, -EINVAL, 0 }, { TCP_INQ, -1, -EINVAL, 0 }, { TCP_INQ, 1, 0, 1 },
		{ TCP_SAVE_SYN, 3, -EINVAL, 0 }, { TCP_SAVE_SYN, 2, 0, 2 }, { TCP_TX_DELAY, -1, -EINVAL, 0 }, { TCP_TX_DELAY, 1000, 0, 1000 },
		{ TCP_FASTOPEN, -1, -EINVAL, 0 }, { TCP_FASTOPEN, 5000, 0, 4096 }, { TCP_FASTOPEN_CONNECT, 2, -EINVAL, 0 },
		{ TCP_FASTOPEN_CONNECT, 1, 0, 1 }, { TCP_FASTOPEN_NO_COOKIE, 2, -EINVAL, 0 }, { TCP_FASTOPEN_NO_COOKIE, 1, 0, 1 },
		{ 44 /* TCP_RTO_MAX_MS */, 999, -EINVAL, 120000 }, { 44, 120001, -EINVAL, 120000 }, { 44, 5000, 0, 5000 },
		{ 45 /* TCP_RTO_MIN_US */, 1, -EINVAL, 200000 }, { 45, 200001, -EINVAL, 200000 }, { 45, 50000, 0, 50000 },
		{ 46 /* TCP_DELACK_MAX_US */, 1, -EINVAL, 200000 }, { 46, 200001, -EINVAL, 200000 }, { 46, 60000, 0, 60000 },
		{ 43 /* TCP_IS_MPTCP */, 1, -ENOPROTOOPT, 0 }, { TCP_INFO, 1, -ENOPROTOOPT, AS_IT_IS },
		{ TCP_MD5SIG, 1, -EINVAL, -ENOPROTOOPT }, { 38 /* TCP_AO_ADD_KEY */, 1, -EINVAL, -ENOPROTOOPT },
		{ 9999, 1, -ENOPROTOOPT, -ENOPROTOOPT },
	};
	struct bed *b = scripted_bed();
	struct sock *sk = bed_socket(b, 0);

	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		if (set(sk, t[i].name, t[i].v) != t[i].err || (t[i].read != AS_IT_IS && get(sk, t[i].name) != t[i].read))
			fail_msg("option %d = %d: %d, reads %d", t[i].name, t[i].v, set(sk, t[i].name, t[i].v), get(sk, t[i].name));
	}
	assert_int_equal(sk->prot->setsockopt(sk, SOL_TCP, TCP_NODELAY, "x", 1), -EINVAL);
	done(b, sk);
}

static void so_tcp_lengths(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = bed_socket(b, 0);
	char buf[64] = "";
	uint8_t byte = 77;
	socklen_t len = 1;
	struct tcp_info_full ti;

	assert_int_equal(set(sk, TCP_NODELAY, 1), 0);
	assert_int_equal(sk->prot->getsockopt(sk, SOL_TCP, TCP_NODELAY, &byte, &len), 0); /* cut at what there is room for */
	assert_int_equal(len, 1);
	assert_int_equal(byte, 1);
	len = (socklen_t)-1;
	assert_int_equal(sk->prot->getsockopt(sk, SOL_TCP, TCP_NODELAY, buf, &len), -EINVAL);
	len = sizeof(buf);
	assert_int_equal(sk->prot->getsockopt(sk, SOL_TCP, TCP_CONGESTION, buf, &len), 0);
	assert_int_equal(len, 16);
	assert_string_equal(buf, "cubic");
	assert_int_equal(sk->prot->setsockopt(sk, SOL_TCP, TCP_CONGESTION, "reno", 4), 0);
	assert_int_equal(sk->prot->setsockopt(sk, SOL_TCP, TCP_CONGESTION, "nosuch", 6), -ENOENT);
	assert_int_equal(sk->prot->setsockopt(sk, SOL_TCP, TCP_CONGESTION, "x", 0), -EINVAL);
	len = 5;
	assert_int_equal(sk->prot->getsockopt(sk, SOL_TCP, TCP_CONGESTION, buf, &len), 0);
	assert_int_equal(len, 5);
	assert_string_equal(buf, "reno");
	len = sizeof(buf);
	assert_int_equal(sk->prot->getsockopt(sk, SOL_TCP, TCP_CC_INFO, buf, &len), 0);
	assert_int_equal(len, 0); /* Reno has nothing to tell */
	assert_int_equal(sk->prot->setsockopt(sk, SOL_TCP, TCP_ULP, "tls", 3), -ENOENT);
	len = sizeof(buf);
	assert_int_equal(sk->prot->getsockopt(sk, SOL_TCP, TCP_ULP, buf, &len), 0);
	assert_int_equal(len, 0);
	len = 8; /* a short struct tcp_info is cut, not refused */
	assert_int_equal(sk->prot->getsockopt(sk, SOL_TCP, TCP_INFO, &ti, &len), 0);
	assert_int_equal(len, 8);
	assert_int_equal(ti.state, TCP_CLOSE);
	len = 40;
	assert_int_equal(sk->prot->getsockopt(sk, SOL_TCP, TCP_ZEROCOPY_RECEIVE, buf, &len), -EINVAL);
	done(b, sk);
}

/* TCP_INQ: how much is left, beside what was read; after the FIN never 0. */
static int recv_inq(struct sock *sk, char *buf, size_t n, ssize_t want)
{
	char ctl[256];
	struct iovec iov = { buf, n };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl, .msg_controllen = sizeof(ctl) };
	struct cmsghdr *c = (struct cmsghdr *)(void *)ctl;
	int inq;

	assert_int_equal(sk->prot->recvmsg(sk, &m, n, MSG_DONTWAIT, NULL), want);
	if (m.msg_controllen == sizeof(ctl))
		return -1;
	assert_int_equal(c->cmsg_level, SOL_TCP);
	assert_int_equal(c->cmsg_type, TCP_CM_INQ);
	memcpy(&inq, CMSG_DATA(c), sizeof(inq));
	return inq;
}

static void so_tcp_inq(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	char buf[16];

	say(b, sk, "P. 1 ack 1", "0123456789", 10);
	assert_int_equal(recv_inq(sk, buf, 4, 4), -1);
	assert_int_equal(set(sk, TCP_INQ, 1), 0);
	assert_int_equal(recv_inq(sk, buf, 4, 4), 2);
	assert_int_equal(recv_inq(sk, buf, 4, 2), 0);
	say(b, sk, "FP. 11 ack 1", "ab", 2);
	assert_int_equal(recv_inq(sk, buf, 1, 1), 2); /* "b" and the FIN */
	assert_int_equal(recv_inq(sk, buf, 1, 1), 1);
	assert_int_equal(recv_inq(sk, buf, 1, 0), 1); /* come and read the end */
	done(b, sk);
}

/* TCP_NOTSENT_LOWAT: a writer stops when so much waits unsent, and is woken below. */
static void so_tcp_notsent_lowat(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	static char data[30000];
	ssize_t n;

	assert_int_equal(set(sk, TCP_NOTSENT_LOWAT, 2000), 0);
	n = bed_send(sk, data, sizeof(data), 0);
	/* ten segments of 1000 leave, then it stops with more than 2000 unsent, less than one more segment */
	assert_in_range(n, 12000, 13000);
	assert_int_equal(bed_send(sk, data, 1000, 0), -EAGAIN);
	say(b, sk, ". 1 ack 10001", NULL, 0);
	assert_true(bed_send(sk, data, 1000, 0) > 0);
	assert_int_equal(get(sk, TCP_NOTSENT_LOWAT), 2000);
	done(b, sk);
}

/* TCP_SAVE_SYN and TCP_SAVED_SYN: the headers as they came, once. */
static void so_tcp_saved_syn(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *l = bed_listen(b, 0, 80, 5), *sk;
	uint8_t buf[200];
	socklen_t len = sizeof(buf);

	assert_int_equal(set(l, TCP_SAVE_SYN, 1), 0);
	sk = accepted(b, l, 4000, "<mss 1000,sackOK>");
	len = 10;
	assert_int_equal(sk->prot->getsockopt(sk, SOL_TCP, TCP_SAVED_SYN, buf, &len), -EINVAL);
	assert_int_equal(len, 20 + 28); /* this much it takes */
	len = sizeof(buf);
	assert_int_equal(sk->prot->getsockopt(sk, SOL_TCP, TCP_SAVED_SYN, buf, &len), 0);
	assert_int_equal(len, 20 + 28);
	assert_int_equal(buf[0], 0x45);
	assert_int_equal(get_be32(buf + 12), bed_addr(1));
	assert_int_equal(get_be16(buf + 20), 4000);
	assert_int_equal(get_be32(buf + 24), 5000); /* its sequence number */
	assert_int_equal(buf[33], TCP_SYN);
	assert_int_equal(get_be32(buf + 40), 0x020403e8);
	len = sizeof(buf);
	assert_int_equal(sk->prot->getsockopt(sk, SOL_TCP, TCP_SAVED_SYN, buf, &len), 0);
	assert_int_equal(len, 0);
	bed_close(sk);
	assert_int_equal(set(l, TCP_SAVE_SYN, 0), 0);
	bed_run(b, 0);
	bed_forget(b);
	sk = accepted(b, l, 4001, "<mss 1000>");
	len = sizeof(buf);
	assert_int_equal(sk->prot->getsockopt(sk, SOL_TCP, TCP_SAVED_SYN, buf, &len), 0);
	assert_int_equal(len, 0);
	bed_close(sk);
	done(b, l);
}

/* TCP_QUICKACK 1: each segment is acknowledged at once; 0: with the timer. */
static void so_tcp_quickack(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	char text[40];
	uint64_t t;

	assert_int_equal(set(sk, TCP_QUICKACK, 0), 0);
	for (int i = 0; i < 20; i++) { /* the quick ones of the start are used up */
		snprintf(text, sizeof(text), "P. %d ack 1", 1 + i);
		say(b, sk, text, "x", 1);
		bed_run(b, 300 * MS);
	}
	bed_forget(b);
	assert_int_equal(set(sk, TCP_QUICKACK, 0), 0);
	t = b->now_ns;
	say(b, sk, "P. 21 ack 1", "x", 1);
	while (bed_recv(sk, text, sizeof(text), 0) > 0)
		;
	bed_run(b, 0);
	expect_seg(b, "");
	assert_int_equal(set(sk, TCP_QUICKACK, 1), 0); /* what waits goes now */
	bed_run(b, 0);
	expect_seg(b, ". 1:1 ack 22");
	assert_int_equal(b->now_ns, t);
	done(b, sk);
}

/* TCP_RTO_MAX_MS bounds the backoff, TCP_RTO_MIN_US the first timeout. */
static void so_tcp_rto_bounds(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, "<mss 1000>");
	struct tcp_info_full ti;

	assert_int_equal(set(sk, 44, 1000), 0);
	assert_int_equal(bed_send(sk, "x", 1, 0), 1);
	bed_run(b, 10 * SEC);
	tcp_get_info(sk, &ti);
	assert_int_equal(ti.rto, 1000000);
	assert_int_equal(ti.retransmits, 11); /* after 0.2, 0.6, 1.4, then every second */
	done(b, sk);

	b = scripted_bed();
	sk = bed_socket(b, 0);
	assert_int_equal(set(sk, 45, 20000), 0);
	assert_int_equal(bed_connect(b, sk, 1, 80), 0);
	bed_run(b, 5 * MS);
	expect_seg(b, "S 0:0");
	say(b, sk, "S. 0 ack 1 win 32768 <mss 1000>", NULL, 0);
	tcp_get_info(sk, &ti);
	assert_int_equal(ti.rto, 25000); /* a round trip of 5 ms and the least variance */
	done(b, sk);
}

/* TCP_DELACK_MAX_US: a lone segment is acknowledged after that long at the latest. */
static void so_tcp_delack_max(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	char text[40];
	uint64_t t;

	assert_int_equal(set(sk, 46, 5000), 0);
	for (int i = 0; i < 20; i++) {
		snprintf(text, sizeof(text), "P. %d ack 1", 1 + i);
		say(b, sk, text, "x", 1);
		bed_run(b, 300 * MS);
	}
	bed_forget(b);
	assert_int_equal(set(sk, TCP_QUICKACK, 0), 0);
	t = b->now_ns;
	say(b, sk, "P. 21 ack 1", "x", 1);
	expect_seg(b, "");
	while (!b->got)
		bed_run(b, MS);
	assert_int_equal(b->now_ns - t, 5 * MS);
	expect_seg(b, ". 1:1 ack 22");
	done(b, sk);
}

/* TCP_THIN_LINEAR_TIMEOUTS: six repetitions at the same distance, then they back off. */
static void so_tcp_thin_linear(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk;
	struct tcp_info_full ti;

	assert_int_equal(sysctl_set(b->net[0], "net.ipv4.tcp_thin_linear_timeouts", "0"), 0);
	sk = connected(b, "<mss 1000>");
	tcp_sk(sk)->snd_ssthresh = 5; /* beyond the first slow start */
	assert_int_equal(set(sk, TCP_THIN_LINEAR_TIMEOUTS, 1), 0);
	assert_int_equal(bed_send(sk, "x", 1, 0), 1);
	for (unsigned i = 1; i <= 8; i++) {
		uint8_t before_ = inet_csk(sk)->retransmits;

		while (inet_csk(sk)->retransmits == before_)
			bed_run(b, MS);
		tcp_get_info(sk, &ti);
		assert_int_equal(ti.backoff, i <= 6 ? 0 : i - 6);
	}
	done(b, sk);
}

/* net.ipv4.tcp_reflect_tos: the connection answers with the TOS of its SYN, without ECN. */
static void sysctl_tcp_reflect_tos(void **state)
{
	for (int on = 0; on < 2; on++) {
		struct bed *b = scripted_bed();
		struct sock *l = bed_listen(b, 0, 80, 5), *sk;

		assert_int_equal(sysctl_set(b->net[0], "net.ipv4.tcp_reflect_tos", on ? "1" : "0"), 0);
		assert_int_equal(sysctl_set(b->net[0], "net.ipv4.tcp_reflect_tos", "2"), -EINVAL);
		b->inject_tos = 0x2a;
		bed_inject(b, 1, 0, 4000, 80, "S 0 win 32768 <mss 1000>", NULL, 0);
		bed_run(b, 0);
		expect_seg(b, "S. 0:0 ack 1");
		assert_int_equal(b->got_tos, on ? 0x28 : 0);
		bed_inject(b, 1, 0, 4000, 80, ". 1 ack 1", NULL, 0);
		bed_run(b, 0);
		sk = bed_accept(l);
		assert_int_equal(bed_send(sk, "x", 1, 0), 1);
		bed_run(b, 0);
		expect_seg(b, "P. 1:2 ack 1");
		assert_int_equal(b->got_tos, on ? 0x28 : 0);
		bed_close(sk);
		done(b, l);
	}
}

/* net.ipv4.tcp_pingpong_thresh: so many answers make a dialogue, in which ACKs wait for data. */
static void sysctl_tcp_pingpong_thresh(void **state)
{
	for (uint8_t thresh = 1; thresh <= 3; thresh++) {
		struct bed *b = scripted_bed();
		struct sock *sk;
		char text[4], v[2] = { (char)('0' + thresh), 0 };

		assert_int_equal(sysctl_set(b->net[0], "net.ipv4.tcp_pingpong_thresh", v), 0);
		assert_int_equal(sysctl_set(b->net[0], "net.ipv4.tcp_pingpong_thresh", "0"), -EINVAL);
		sk = connected(b, SACKED);
		assert_int_equal(set(sk, TCP_QUICKACK, 1), 0);
		for (unsigned i = 0; i < thresh; i++) {
			char say_[40];

			assert_int_equal(get(sk, TCP_QUICKACK), 1);
			snprintf(say_, sizeof(say_), "P. %u ack %u", 1 + i, 1 + i);
			say(b, sk, say_, "q", 1);
			assert_int_equal(bed_recv(sk, text, 4, 0), 1);
			assert_int_equal(bed_send(sk, "a", 1, 0), 1);
			bed_run(b, 0);
		}
		assert_int_equal(get(sk, TCP_QUICKACK), 0);
		done(b, sk);
	}
}

/* net.ipv4.tcp_min_rtt_wlen: for so many seconds the smallest round trip is remembered. */
static void sysctl_tcp_min_rtt_wlen(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = bed_socket(b, 0);
	struct tcp_info_full ti;

	assert_int_equal(sysctl_set(b->net[0], "net.ipv4.tcp_min_rtt_wlen", "86401"), -EINVAL);
	assert_int_equal(sysctl_set(b->net[0], "net.ipv4.tcp_min_rtt_wlen", "10"), 0);
	assert_int_equal(bed_connect(b, sk, 1, 80), 0);
	bed_run(b, 5 * MS);
	expect_seg(b, "S 0:0");
	say(b, sk, "S. 0 ack 1 win 32768 <mss 1000,sackOK>", NULL, 0);
	for (int i = 0; i < 2; i++) {
		char text[40];

		assert_int_equal(bed_send(sk, "x", 1, 0), 1);
		bed_run(b, 30 * MS);
		snprintf(text, sizeof(text), ". 1 ack %d", 2 + i);
		say(b, sk, text, NULL, 0);
		tcp_get_info(sk, &ti);
		assert_int_equal(ti.min_rtt, i ? 30000 : 5000);
		bed_run(b, 11 * SEC);
	}
	done(b, sk);
}

/* net.ipv4.tcp_fwmark_accept: a connection takes the mark of its SYN, unless its listener has one. */
static void sysctl_tcp_fwmark_accept(void **state)
{
	for (int i = 0; i < 3; i++) {
		struct bed *b = scripted_bed();
		struct sock *l = bed_listen(b, 0, 80, 5), *sk;

		assert_int_equal(sysctl_set(b->net[0], "net.ipv4.tcp_fwmark_accept", i ? "1" : "0"), 0);
		l->mark = i == 2 ? 9 : 0;
		b->inject_mark = 7;
		sk = accepted(b, l, 4000, "<mss 1000>");
		assert_int_equal(sk->mark, i == 0 ? 0 : i == 1 ? 7 : 9);
		bed_close(sk);
		done(b, l);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sysctl_tcp_reflect_tos), cmocka_unit_test(sysctl_tcp_pingpong_thresh),
		cmocka_unit_test(sysctl_tcp_min_rtt_wlen), cmocka_unit_test(sysctl_tcp_fwmark_accept),
		cmocka_unit_test(so_tcp_bounds_and_errors), cmocka_unit_test(so_tcp_lengths), cmocka_unit_test(so_tcp_inq),
		cmocka_unit_test(so_tcp_notsent_lowat),	    cmocka_unit_test(so_tcp_saved_syn), cmocka_unit_test(so_tcp_quickack),
		cmocka_unit_test(so_tcp_rto_bounds), cmocka_unit_test(so_tcp_delack_max),  cmocka_unit_test(so_tcp_thin_linear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
