/* A socket that is used again (connect() to AF_UNSPEC, connect() anew): nothing that the old connection measured, agreed or was counted
 * for is in the next one. */
#include "tcp_bed.h"
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

/* What tcp_disconnect() leaves is what a new socket has. */
static void same_as_new(struct bed *b, struct sock *sk)
{
	struct sock *fresh = bed_socket(b, 0);
	const struct tcp_sock *t = tcp_sk(sk), *n = tcp_sk(fresh);

#define SAME(field) assert_int_equal(t->field, n->field)
	SAME(min_rtt_us);
	SAME(srtt_us);
	SAME(mdev_us);
	SAME(mdev_max_us);
	SAME(rttvar_us);
	SAME(icsk.rto_us);
	SAME(icsk.last_seg_size);
	SAME(icsk.probes_tstamp_ms);
	SAME(rcv_rtt_us);
	SAME(rcv_rtt_ms);
	SAME(reordering);
	SAME(reord_seen);
	SAME(rack_reo_wnd_steps);
	SAME(rack_reo_wnd_persist);
	SAME(rack_dsack_seen);
	SAME(rack_advanced);
	SAME(rack_last_delivered);
	SAME(snd_cwnd);
	SAME(snd_ssthresh);
	SAME(snd_cwnd_clamp);
	SAME(snd_cwnd_used);
	SAME(is_cwnd_limited);
	SAME(frto);
	SAME(tlp_retrans);
	SAME(rate_app_limited);
	SAME(last_oow_ack_ms);
	SAME(fastopen_child);
#undef SAME
	assert_null(t->sack);
	assert_null(inet_csk(sk)->ca_priv);
	assert_ptr_equal(t->fl, n->fl);
	bed_close(fresh);
}

static void used_again_is_as_new(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk;

	b->net[0]->tcp->sysctl.mtu_probing = 2;
	b->net[0]->tcp->sysctl.base_mss = 300;
	sk = connected(b, SACKED);
	assert_int_equal(tcp_sk(sk)->mss_cache, 300);
	/* holes on either side, reordering, a D-SACK, losses */
	say(b, sk, "P. 1001 ack 1", "behind", 6);
	assert_int_equal(bed_send(sk, "12345678901234567890", 20, 0), 20);
	for (unsigned i = 0; i < 12; i++)
		assert_int_equal(bed_send(sk, "x", 1, MSG_EOR), 1);
	say(b, sk, ". 1 ack 1 win 32768 <sack 22:24>", NULL, 0);
	say(b, sk, ". 1 ack 1 win 32768 <sack 21:24>", NULL, 0);
	bed_run(b, 5 * SEC);
	assert_true(tcp_sk(sk)->total_retrans > 0);
	tcp_sk(sk)->rack_reo_wnd_steps = 7; /* after D-SACKs */
	tcp_sk(sk)->snd_cwnd_clamp = 5;     /* of a peer whose cwnd is locked */
	tcp_disconnect(sk, 0);
	same_as_new(b, sk);
	bed_run(b, 0);
	bed_forget(b); /* its reset */

	/* the path is another one now: 100 ms, and nobody asked for its MTU to be probed */
	b->net[0]->tcp->sysctl.mtu_probing = 0;
	assert_int_equal(bed_connect(b, sk, 1, 80), 0);
	bed_run(b, 100 * MS);
	expect_seg(b, "S 0:0");
	say(b, sk, "S. 0 ack 1 win 32768 <mss 1000,sackOK>", NULL, 0);
	assert_int_equal(sk->state, TCP_ESTABLISHED);
	assert_int_equal(tcp_sk(sk)->mss_cache, 1000);
	assert_int_equal(tcp_sk(sk)->min_rtt_us, 100000);
	assert_int_equal(tcp_sk(sk)->rx_opt.num_sacks, 0);
	done(b, sk);
}

/* A child of Fast Open whose program gives it another peer before its handshake was over: its listener has the place back, and its
 * timer repeats a SYN, not the SYN-ACK. */
static void fastopen_child_used_again(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *l = bed_listen(b, 0, 80, 10), *sk;
	int qlen = 5;

	b->net[0]->tcp->sysctl.fastopen = 3 | 0x200; /* without a cookie */
	assert_int_equal(tcp_setsockopt(l, 6, TCP_FASTOPEN, &qlen, sizeof(qlen)), 0);
	bed_inject(b, 1, 0, 1000, 80, "S 0 win 30000 <mss 1000,sackOK,raw 2202>", "GET", 3);
	bed_run(b, 0);
	sk = bed_accept(l);
	assert_non_null(sk);
	assert_int_equal(sk->state, TCP_SYN_RECV);
	assert_int_equal(inet_csk(l)->listener->fastopen_pending, 1);
	tcp_disconnect(sk, 0);
	assert_int_equal(inet_csk(l)->listener->fastopen_pending, 0);
	same_as_new(b, sk);
	bed_run(b, 0);
	bed_forget(b);
	assert_int_equal(bed_connect(b, sk, 1, 90), 0);
	bed_run(b, 0);
	expect_seg(b, "S 0:0");
	bed_run(b, 1100 * MS);
	expect_seg(b, "S 0:0");
	bed_close(sk);
	done(b, l);
}

/* A client of Fast Open whose next connection is an ordinary one: its time-outs say nothing of SYNs with cookies. */
static void fastopen_client_used_again(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = bed_socket(b, 0);
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(80), .sin_addr = { htonl(bed_addr(1)) } };
	struct iovec iov = { "hello", 5 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_flags = MSG_FASTOPEN | MSG_DONTWAIT, .msg_name = &a, .msg_namelen = sizeof(a) };

	b->net[0]->tcp->sysctl.fastopen_blackhole_timeout_sec = 3600;
	assert_int_equal(sk->prot->sendmsg(sk, &m, 5), -EINPROGRESS);
	bed_run(b, 0);
	expect_seg(b, "S 0:0 <fo 0>");
	say(b, sk, "S. 0 ack 1 <mss 1000,sackOK,raw 220a0102030405060708>", NULL, 0);
	assert_int_equal(sk->state, TCP_ESTABLISHED);
	tcp_disconnect(sk, 0);
	bed_run(b, 0);
	bed_forget(b);
	assert_int_equal(bed_connect(b, sk, 1, 81), 0);
	bed_run(b, 0);
	expect_seg(b, "S 0:0");
	bed_run(b, 30 * SEC); /* nobody answers */
	assert_int_equal(b->net[0]->mib.tcpext.TCPFastOpenBlackhole, 0);
	done(b, sk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(used_again_is_as_new),
		cmocka_unit_test(fastopen_child_used_again),
		cmocka_unit_test(fastopen_client_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
