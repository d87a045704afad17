/* Fast Open's options and knobs: TCP_FASTOPEN_CONNECT, _KEY, _NO_COOKIE, tcp_fastopen's bits, tcp_fastopen_key
 * (RFC 7413; tcp(7), ip-sysctl). The dialogue itself is in test_tcp_fastopen.c. */
#include "tcp_bed.h"
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include "base/rng.h"
#include "base/strbuf.h"
#include "core/procfs.h"
#include "tcp/tcp_info.h"

static int set(struct sock *sk, int name, int v) { return sk->prot->setsockopt(sk, SOL_TCP, name, &v, sizeof(v)); }

static ssize_t fastopen_send(struct sock *sk, const void *p, size_t len)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(80), .sin_addr = { htonl(bed_addr(1)) } };
	struct iovec iov = { (void *)(uintptr_t)p, len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_flags = MSG_FASTOPEN | MSG_DONTWAIT, .msg_name = &a, .msg_namelen = sizeof(a) };

	return sk->prot->sendmsg(sk, &m, len);
}

static struct sock *fo_socket(struct bed *b)
{
	struct sock *sk = bed_socket(b, 0);

	assert_int_equal(set(sk, TCP_FASTOPEN_CONNECT, 1), 0);
	return sk;
}

/* connect() the first time: the SYN leaves at once and asks; the second time: nothing until there is data. */
static void so_tcp_fastopen_connect(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = fo_socket(b);
	struct socket s = { 0 };
	struct tcp_info_full ti;

	assert_int_equal(bed_connect(b, sk, 1, 80), 0);
	assert_false(inet_sk(sk)->defer_connect);
	bed_run(b, 0);
	expect_seg(b, "S 0:0 <fo 0>");
	say(b, sk, "S. 0 ack 1 <mss 1000,sackOK,raw 220a0102030405060708>", NULL, 0);
	expect_seg(b, ". 1:1 ack 1");
	tcp_get_info(sk, &ti);
	assert_int_equal(ti.fastopen_client_fail, 1 /* TFO_COOKIE_UNAVAILABLE */);
	say(b, sk, "R. 1 ack 1", NULL, 0);
	bed_close(sk);

	sk = fo_socket(b);
	s.sk = sk;
	assert_int_equal(bed_connect(b, sk, 1, 80), 0);
	bed_run(b, 0);
	expect_seg(b, "");
	assert_true(inet_sk(sk)->defer_connect);
	assert_int_equal(tcp_poll(&s) & (POLLOUT | POLLIN | POLLHUP), POLLOUT);
	assert_int_equal(set(sk, TCP_FASTOPEN_CONNECT, 0), -EINVAL); /* too late */
	assert_int_equal(bed_send(sk, "hello", 5, 0), 5);
	bed_run(b, 0);
	expect_seg(b, "S 0:5 <fo 8>");
	say(b, sk, "S. 0 ack 6 <mss 1000,sackOK>", NULL, 0);
	expect_seg(b, ". 6:6 ack 1");
	tcp_get_info(sk, &ti);
	assert_int_equal(ti.fastopen_client_fail, 0);
	say(b, sk, "R. 1 ack 6", NULL, 0);
	bed_close(sk);

	sk = fo_socket(b); /* closed before any data: nobody ever heard of it */
	assert_int_equal(bed_connect(b, sk, 1, 80), 0);
	bed_close(sk);
	bed_run(b, 0);
	expect_seg(b, "");

	b->net[0]->tcp->sysctl.fastopen = 2;
	sk = bed_socket(b, 0);
	assert_int_equal(set(sk, TCP_FASTOPEN_CONNECT, 1), -EOPNOTSUPP);
	bed_close(sk);
	bed_expect_clean(b);
	bed_free(b);
}

/* Without a cookie: data in the first SYN already, no option. By socket, and by the sysctl's bit 4. */
static void so_tcp_fastopen_no_cookie_client(void **state)
{
	for (int i = 0; i < 2; i++) {
		struct bed *b = scripted_bed();
		struct sock *sk = bed_socket(b, 0);

		if (i)
			b->net[0]->tcp->sysctl.fastopen = 5;
		else
			assert_int_equal(set(sk, TCP_FASTOPEN_NO_COOKIE, 1), 0);
		assert_int_equal(fastopen_send(sk, "hello", 5), 5);
		bed_run(b, 0);
		expect_seg(b, "S 0:5");
		say(b, sk, "S. 0 ack 6 <mss 1000,sackOK>", NULL, 0);
		expect_seg(b, ". 6:6 ack 1");
		assert_int_equal(set(sk, TCP_FASTOPEN_NO_COOKIE, 0), -EINVAL); /* connected */
		bed_close(sk);
		bed_free(b);
	}
}

static void so_tcp_fastopen_no_cookie_server(void **state)
{
	for (int i = 0; i < 3; i++) {
		struct bed *b = scripted_bed();
		struct sock *l, *sk;
		char buf[8];
		struct tcp_info_full ti;

		b->net[0]->tcp->sysctl.fastopen = i == 1 ? 0x202 : 2;
		l = bed_listen(b, 0, 80, 5);
		assert_int_equal(set(l, TCP_FASTOPEN, 5), 0);
		if (i == 0)
			assert_int_equal(set(l, TCP_FASTOPEN_NO_COOKIE, 1), 0);
		bed_inject(b, 1, 0, 4000, 80, "S 0 win 32768 <mss 1000,sackOK>", "hello", 5);
		bed_run(b, 0);
		if (i == 2) { /* neither: the data waits for the handshake */
			expect_seg(b, "S. 0:0 ack 1");
			assert_null(bed_accept(l));
			done(b, l);
			return;
		}
		expect_seg(b, "S. 0:0 ack 6");
		sk = bed_accept(l);
		assert_non_null(sk);
		assert_int_equal(bed_recv(sk, buf, 8, 0), 5);
		tcp_get_info(sk, &ti);
		assert_int_equal(ti.options & 128, 128); /* TCPI_OPT_TFO_CHILD */
		bed_close(sk);
		done(b, l);
	}
}

/* Bit 0x400: every listener, without TCP_FASTOPEN. */
static void sysctl_tcp_fastopen_every_listener(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *l;

	b->net[0]->tcp->sysctl.fastopen = 0x602;
	l = bed_listen(b, 0, 80, 5);
	bed_inject(b, 1, 0, 4000, 80, "S 0 win 32768 <mss 1000,sackOK>", "hello", 5);
	bed_run(b, 0);
	expect_seg(b, "S. 0:0 ack 6");
	done(b, l);
}

/* What the SYN-ACK brings to who asks with this listener. */
static void ask_cookie(struct bed *b, uint16_t sport, uint8_t out[8])
{
	char buf[64];

	bed_inject(b, 1, 0, sport, 80, "S 0 win 32768 <mss 1000,raw 2202>", NULL, 0);
	bed_run(b, 0);
	assert_string_equal(bed_next(b, buf, sizeof(buf)), "S. 0:0 ack 1 <fo 8>");
	memcpy(out, b->fo, 8);
	bed_inject(b, 1, 0, sport, 80, "R 1", NULL, 0);
	bed_run(b, 0);
}

static void so_tcp_fastopen_key(void **state)
{
	static const uint8_t keys[32] = "0123456789abcdefFEDCBA9876543210";
	struct bed *b = scripted_bed();
	struct sock *l, *sk;
	uint8_t host[8], first[8], second[8], got[64];
	socklen_t len = sizeof(got);
	char text[64];

	b->net[0]->tcp->sysctl.fastopen = 2;
	l = bed_listen(b, 0, 80, 5);
	assert_int_equal(set(l, TCP_FASTOPEN, 5), 0);
	ask_cookie(b, 4000, host);
	assert_int_equal(l->prot->setsockopt(l, SOL_TCP, TCP_FASTOPEN_KEY, keys, 15), -EINVAL);
	assert_int_equal(l->prot->getsockopt(l, SOL_TCP, TCP_FASTOPEN_KEY, got, &len), 0);
	assert_int_equal(len, 0); /* it has none of its own; the host's are not told here (Linux 6.18) */
	len = sizeof(got);
	assert_int_equal(l->prot->setsockopt(l, SOL_TCP, TCP_FASTOPEN_KEY, keys, 16), 0);
	ask_cookie(b, 4001, first);
	assert_memory_not_equal(first, host, 8);
	assert_int_equal(l->prot->setsockopt(l, SOL_TCP, TCP_FASTOPEN_KEY, keys + 16, 16), 0);
	ask_cookie(b, 4002, second);
	assert_memory_not_equal(second, first, 8);
	/* both: the second makes cookies, the first's are still taken, and a new one comes with the SYN-ACK */
	memcpy(got, keys + 16, 16);
	memcpy(got + 16, keys, 16);
	assert_int_equal(l->prot->setsockopt(l, SOL_TCP, TCP_FASTOPEN_KEY, got, 32), 0);
	snprintf(text, sizeof(text), "S 0 win 32768 <mss 1000,raw 220a%02x%02x%02x%02x%02x%02x%02x%02x>", first[0], first[1], first[2], first[3],
		 first[4], first[5], first[6], first[7]);
	bed_inject(b, 1, 0, 4003, 80, text, "hello", 5);
	bed_run(b, 0);
	expect_seg(b, "S. 0:0 ack 6 <fo 8>");
	assert_memory_equal(b->fo, second, 8);
	assert_int_equal(b->net[0]->mib.tcpext.TCPFastOpenPassiveAltKey, 1);
	sk = bed_accept(l);
	assert_non_null(sk);
	bed_close(sk);
	done(b, l);
}

static void sysctl_tcp_fastopen_key(void **state)
{
	struct bed *b = scripted_bed();
	struct net *net = b->net[0];
	struct strbuf sb = { 0 };
	static const uint8_t pair[8] = { 192, 0, 2, 1, 192, 168, 0, 1 };
	static const char k[] = "a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4", two[] = "00000001-00000002-00000003-00000004,ffffffff-0-0-1";

	assert_int_equal(sysctl_set(net, "net.ipv4.tcp_fastopen_key", k), 0);
	assert_int_equal(sysctl_get(net, "net.ipv4.tcp_fastopen_key", &sb), 0);
	assert_string_equal(sb_str(&sb), k);
	/* the cookie that Linux's own packet scripts expect of this key between these addresses */
	assert_int_equal(siphash(net->tcp->fo_keys.key[0], pair, 8), 0xeb7e0189d8b92130ull);
	assert_int_equal(sysctl_set(net, "net.ipv4.tcp_fastopen_key", "a1a1a1a1-b2b2b2b2-c3c3c3c3"), -EINVAL);
	assert_int_equal(sysctl_set(net, "net.ipv4.tcp_fastopen_key", "a1-b2-c3-d4,"), -EINVAL);
	assert_int_equal(sysctl_set(net, "net.ipv4.tcp_fastopen_key", "xa1-b2-c3-d4"), -EINVAL);
	assert_int_equal(sysctl_set(net, "net.ipv4.tcp_fastopen_key", "a1-b2-c3-d4x"), 0); /* Linux looks no farther than the words */
	assert_int_equal(sysctl_set(net, "net.ipv4.tcp_fastopen_key", two), 0);
	sb_reset(&sb);
	assert_int_equal(sysctl_get(net, "net.ipv4.tcp_fastopen_key", &sb), 0);
	assert_string_equal(sb_str(&sb), "00000001-00000002-00000003-00000004,ffffffff-00000000-00000000-00000001");
	sb_free(&sb);
	bed_free(b);
}

/* call errors: sendto(MSG_FASTOPEN) */
static void msg_fastopen_errors(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = bed_socket(b, 0);
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	struct iovec iov = { (char *)"x", 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_flags = MSG_FASTOPEN | MSG_DONTWAIT };

	assert_int_equal(sk->prot->sendmsg(sk, &m, 1), -EINVAL); /* where to? */
	m.msg_name = &none;
	m.msg_namelen = sizeof(none);
	assert_int_equal(sk->prot->sendmsg(sk, &m, 1), -EOPNOTSUPP);
	assert_int_equal(fastopen_send(sk, "x", 1), -EINPROGRESS);
	assert_int_equal(fastopen_send(sk, "x", 1), -EALREADY);
	bed_run(b, 0);
	expect_seg(b, "S 0:0 <fo 0>");
	say(b, sk, "S. 0 ack 1 <mss 1000>", NULL, 0);
	assert_int_equal(fastopen_send(sk, "x", 1), -EISCONN);
	done(b, sk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(so_tcp_fastopen_connect), cmocka_unit_test(so_tcp_fastopen_no_cookie_client),
		cmocka_unit_test(so_tcp_fastopen_no_cookie_server), cmocka_unit_test(sysctl_tcp_fastopen_every_listener),
		cmocka_unit_test(so_tcp_fastopen_key), cmocka_unit_test(sysctl_tcp_fastopen_key), cmocka_unit_test(msg_fastopen_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
