/* TCP as a dialogue: host 0 is the stack, host 1 a script. Numbers are relative to each side's initial one. */
#include "tcp_bed.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/procfs.h"
#include "wire/ip4.h"

static void s3_50_syn_retransmission_times(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = bed_socket(b, 0);
	static const unsigned at[] = { 1, 2, 3, 4, 5, 7, 11, 19, 35, 67 };

	assert_int_equal(bed_connect(b, sk, 1, 80), 0);
	assert_int_equal(sk->state, TCP_SYN_SENT);
	assert_true(inet_sk(sk)->sport >= 32768 && inet_sk(sk)->sport <= 60999 && !(inet_sk(sk)->sport & 1)); /* s3_61 */
	bed_run(b, 0);
	expect_seg(b, "S 0:0");
	for (unsigned i = 0, t = 0; i < 10; t = at[i++]) {
		bed_run(b, (at[i] - t) * SEC - MS);
		expect_seg(b, "");
		bed_run(b, MS);
		expect_seg(b, "S 0:0");
	}
	bed_run(b, 70 * SEC);
	expect_seg(b, "");
	assert_int_equal(sk->state, TCP_CLOSE);
	assert_int_equal(sk->err, ETIMEDOUT);
	done(b, sk);
}

static void s3_45_rst_refuses(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = bed_socket(b, 0);

	bed_connect(b, sk, 1, 80);
	bed_run(b, 0);
	expect_seg(b, "S 0:0");
	say(b, sk, "R. 0 ack 1", NULL, 0);
	assert_int_equal(sk->err, ECONNREFUSED);
	assert_int_equal(sk->state, TCP_CLOSE);
	bed_run(b, 300 * SEC);
	expect_seg(b, "");
	done(b, sk);
}

static void s3_127_four_way_close(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	uint16_t port = inet_sk(sk)->sport;

	bed_close(sk);
	bed_run(b, 0);
	expect_seg(b, "F. 1:1 ack 1");
	assert_int_equal(sk->state, TCP_FIN_WAIT1);
	bed_inject(b, 1, 0, 80, port, ". 1 ack 2", NULL, 0);
	bed_run(b, SEC);
	expect_seg(b, "");
	assert_int_equal(list_empty(&b->net[0]->tcp->tw_fin_wait2), 0); /* FIN_WAIT2 without a program */
	bed_inject(b, 1, 0, 80, port, "F. 1 ack 2", NULL, 0);
	bed_run(b, 0);
	expect_seg(b, ". 2:2 ack 2");
	assert_int_equal(list_empty(&b->net[0]->tcp->tw_time_wait), 0);
	done(b, NULL);
}

static void s3_127_time_wait_60s(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	uint16_t port = inet_sk(sk)->sport;
	struct strbuf sb;

	bed_close(sk);
	bed_run(b, 0);
	expect_seg(b, "F. 1:1 ack 1");
	bed_inject(b, 1, 0, 80, port, "F. 1 ack 2", NULL, 0);
	bed_run(b, 0);
	expect_seg(b, ". 2:2 ack 2");
	assert_int_equal(b->net[0]->tcp->tw_count, 1);
	sb_init(&sb);
	assert_int_equal(proc_read(b->net[0], "net/tcp", &sb), 0);
	assert_non_null(strstr(sb_str(&sb), "0100000A:"));
	assert_non_null(strstr(sb_str(&sb), " 06 00000000:00000000 03:"));
	sb_free(&sb);
	bed_run(b, 30 * SEC); /* TS-12: the FIN again restarts the wait and is acknowledged */
	bed_inject(b, 1, 0, 80, port, "F. 1 ack 2", NULL, 0);
	bed_run(b, 0);
	expect_seg(b, ". 2:2 ack 2");
	bed_run(b, 60 * SEC - MS);
	assert_int_equal(b->net[0]->tcp->tw_count, 1);
	bed_run(b, 2 * MS);
	assert_int_equal(b->net[0]->tcp->tw_count, 0);
	done(b, NULL);
}

static void ts_14_rst_in_time_wait(void **state)
{
	for (int protect = 0; protect < 2; protect++) {
		struct bed *b = scripted_bed();
		struct sock *sk = connected(b, SACKED);
		uint16_t port = inet_sk(sk)->sport;

		b->net[0]->tcp->sysctl.rfc1337 = protect;
		bed_close(sk);
		bed_inject(b, 1, 0, 80, port, "F. 1 ack 2", NULL, 0);
		bed_run(b, 0);
		bed_inject(b, 1, 0, 80, port, "R 2", NULL, 0);
		bed_run(b, 0);
		assert_int_equal(b->net[0]->tcp->tw_count, protect);
		done(b, NULL);
	}
}

static void ts_12_simultaneous_close(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	uint16_t port = inet_sk(sk)->sport;

	bed_close(sk);
	bed_run(b, 0);
	expect_seg(b, "F. 1:1 ack 1");
	bed_inject(b, 1, 0, 80, port, "F. 1 ack 1", NULL, 0);
	bed_run(b, 0);
	expect_seg(b, ". 2:2 ack 2");
	assert_int_equal(sk->state, TCP_CLOSING);
	bed_inject(b, 1, 0, 80, port, ". 2 ack 2", NULL, 0);
	bed_run(b, 0);
	assert_int_equal(b->net[0]->tcp->tw_count, 1);
	done(b, NULL);
}

static void ts_11_simultaneous_open(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = bed_socket(b, 0);

	bed_connect(b, sk, 1, 80);
	bed_run(b, 0);
	expect_seg(b, "S 0:0");
	say(b, sk, "S 0 <mss 1000,sackOK>", NULL, 0);
	assert_int_equal(sk->state, TCP_SYN_RECV);
	expect_seg(b, "S. 0:0 ack 1");
	say(b, sk, "S. 0 ack 1 <mss 1000,sackOK>", NULL, 0);
	assert_int_equal(sk->state, TCP_ESTABLISHED);
	done(b, sk);
}

static void ts_01_rst_only_exact(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);

	say(b, sk, "R 0", NULL, 0); /* before the window */
	expect_seg(b, "");
	assert_int_equal(sk->state, TCP_ESTABLISHED);
	say(b, sk, "R 2", NULL, 0); /* in the window: challenge ACK */
	expect_seg(b, ". 1:1 ack 1");
	assert_int_equal(sk->state, TCP_ESTABLISHED);
	say(b, sk, "R 100", NULL, 0); /* TS-04: one in 500 ms */
	expect_seg(b, "");
	bed_run(b, 501 * MS);
	say(b, sk, "R 100", NULL, 0);
	expect_seg(b, ". 1:1 ack 1");
	say(b, sk, "R 200000", NULL, 0); /* beyond the window */
	expect_seg(b, "");
	say(b, sk, "R 1", NULL, 0);
	assert_int_equal(sk->state, TCP_CLOSE);
	assert_int_equal(sk->err, ECONNRESET);
	done(b, sk);
}

static void ts_02_syn_in_established(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);

	say(b, sk, "S 1", NULL, 0);
	expect_seg(b, ". 1:1 ack 1");
	assert_int_equal(sk->state, TCP_ESTABLISHED);
	done(b, sk);
}

static void ts_06_ack_of_unsent(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	uint32_t cwnd = tcp_sk(sk)->snd_cwnd;

	say(b, sk, ". 1 ack 100", NULL, 0);
	expect_seg(b, ". 1:1 ack 1");
	assert_int_equal(tcp_sk(sk)->snd_cwnd, cwnd);
	done(b, sk);
}

static void ts_08_syn_sent_bad_acks(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = bed_socket(b, 0);

	bed_connect(b, sk, 1, 80);
	bed_run(b, 0);
	expect_seg(b, "S 0:0");
	say(b, sk, "R 0", NULL, 0);
	assert_int_equal(sk->state, TCP_SYN_SENT);
	say(b, sk, "R. 0 ack 2", NULL, 0);
	assert_int_equal(sk->state, TCP_SYN_SENT);
	say(b, sk, "S. 0 ack 0", NULL, 0);
	expect_seg(b, "R 0:0");
	say(b, sk, "S. 0 ack 2", NULL, 0);
	expect_seg(b, "R 2:2");
	say(b, sk, "F 0", NULL, 0); /* TS-09 */
	say(b, sk, "F. 0 ack 1", NULL, 0);
	assert_int_equal(sk->state, TCP_SYN_SENT);
	done(b, sk);
}

static void s3_121_in_order_out_of_order_duplicate(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	char buf[16] = "";

	say(b, sk, "P. 5 ack 1", "efgh", 4);
	expect_seg(b, ". 1:1 ack 1 <sack 5:9>");
	say(b, sk, "P. 1 ack 1", "abcd", 4);
	expect_seg(b, ". 1:1 ack 9");
	assert_int_equal(bed_recv(sk, buf, sizeof(buf), 0), 8);
	assert_string_equal(buf, "abcdefgh");
	say(b, sk, "P. 1 ack 1", "abcd", 4); /* again: D-SACK */
	expect_seg(b, ". 1:1 ack 9 <sack 1:5>");
	assert_int_equal(bed_recv(sk, buf, sizeof(buf), 0), -EAGAIN);
	done(b, sk);
}

/* TS-24, TS-23: every relation of two overlapping segments, and a different text in the later one. */
static void ts_24_overlaps_first_bytes_win(void **state)
{
	for (uint32_t a0 = 2; a0 < 8; a0++)
		for (uint32_t a1 = a0 + 1; a1 <= 8; a1++)
			for (uint32_t c0 = 2; c0 < 8; c0++)
				for (uint32_t c1 = c0 + 1; c1 <= 8; c1++) {
					struct bed *b = scripted_bed();
					struct sock *sk = connected(b, SACKED);
					char t[32], out[16] = "", want[16] = "1234567";

					snprintf(t, sizeof(t), ". %u ack 1", a0);
					say(b, sk, t, "AAAAAAAA", a1 - a0);
					snprintf(t, sizeof(t), ". %u ack 1", c0);
					say(b, sk, t, "BBBBBBBB", c1 - c0);
					say(b, sk, ". 1 ack 1", "1234567", 7);
					assert_int_equal(bed_recv(sk, out, sizeof(out), 0), 7);
					for (uint32_t i = c0; i < c1; i++)
						want[i - 1] = 'B';
					for (uint32_t i = a0; i < a1; i++)
						want[i - 1] = 'A';
					assert_string_equal(out, want);
					done(b, sk);
				}
}

static void s3_48_iw10_tlp_rto(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	static char data[40000];
	char want[64];

	sk->sndbuf = 1 << 20;
	assert_int_equal(bed_send(sk, data, sizeof(data), 0), sizeof(data));
	bed_run(b, 0);
	for (int i = 0; i < 10; i++) {
		snprintf(want, sizeof(want), "%s. %d:%d ack 1", "", 1 + 1000 * i, 1001 + 1000 * i);
		expect_seg(b, want);
	}
	expect_seg(b, "");
	bed_run(b, 5 * MS); /* RTT 0 here: the probe comes after 2 * srtt + 2 ms: one new segment */
	expect_seg(b, ". 10001:11001 ack 1");
	expect_seg(b, "");
	bed_run(b, 250 * MS);
	expect_seg(b, ". 1:1001 ack 1");
	expect_seg(b, "");
	assert_int_equal(tcp_sk(sk)->snd_cwnd, 1);
	assert_int_equal(tcp_sk(sk)->snd_ssthresh, 7);
	assert_int_equal(inet_csk(sk)->ca_state, TCP_CA_Loss);
	done(b, sk);
}

static void s3_43_fast_retransmit_by_sack(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	static char data[10000];
	char buf[64];

	bed_send(sk, data, sizeof(data), 0);
	bed_run(b, 0);
	for (int i = 0; i < 10; i++)
		bed_next(b, buf, sizeof(buf));
	bed_run(b, MS);
	say(b, sk, ". 1 ack 1 <sack 1001:2001>", NULL, 0);
	say(b, sk, ". 1 ack 1 <sack 1001:3001>", NULL, 0);
	say(b, sk, ". 1 ack 1 <sack 1001:4001>", NULL, 0);
	expect_seg(b, ". 1:1001 ack 1");
	assert_int_equal(inet_csk(sk)->ca_state, TCP_CA_Recovery);
	assert_int_equal(b->net[0]->mib.tcpext.TCPFastRetrans, 1);
	say(b, sk, ". 1 ack 10001", NULL, 0);
	assert_int_equal(inet_csk(sk)->ca_state, TCP_CA_Open);
	assert_int_equal(tcp_sk(sk)->fl->packets_out, 0);
	done(b, sk);
}

/* Ten segments of 1000 are out; nothing has been acknowledged. */
static struct sock *ten_out(struct bed *b, bool ts, uint32_t *tsval)
{
	static char data[40000];
	struct sock *sk = bed_socket(b, 0);
	char buf[64], t[96];

	assert_int_equal(bed_connect(b, sk, 1, 80), 0);
	bed_run(b, 0);
	*tsval = get_be32(b->got->b + 28);
	expect_seg(b, "S 0:0");
	bed_run(b, 10 * MS);
	if (ts)
		snprintf(t, sizeof(t), "S. 0 ack 1 win 60000 <mss 1012,sackOK,ts 9:%u>", *tsval);
	else
		snprintf(t, sizeof(t), "S. 0 ack 1 win 60000 <mss 1000,sackOK>");
	say(b, sk, t, NULL, 0);
	sk->sndbuf = 1 << 20;
	assert_int_equal(bed_send(sk, data, sizeof(data), 0), sizeof(data));
	bed_run(b, 0);
	*tsval += 10;
	for (int i = 0; i < 11; i++)
		bed_next(b, buf, sizeof(buf));
	expect_seg(b, "");
	assert_int_equal(tcp_sk(sk)->fl->packets_out, 10);
	return sk;
}

/* RFC 6937 3: cwnd glides from 10 to ssthresh 7 while the ACKs come, not at once. By hand: RecoverFS 10, one segment
 * delivered by each ACK, two were SACKed before recovery and do not count. While pipe > 7: CEIL(n * 7 / 10) = 1, 2, 3, 3
 * (n = 1..4). At n = 5 pipe is 7, no longer above ssthresh: MIN(7 - 7, ..) = 0; at n = 6, 7 pipe is 6: one each. */
static void s3_48_prr(void **state)
{
	struct bed *b = scripted_bed();
	static const uint32_t want_out[] = { 1, 2, 3, 3, 3, 4, 5 };
	uint32_t ts;
	struct sock *sk = ten_out(b, false, &ts);
	struct tcp_sock *tp = tcp_sk(sk);
	char t[64], buf[64];

	bed_run(b, 10 * MS);
	for (int i = 3; i <= 10; i++) { /* the first segment is lost, the others arrive */
		snprintf(t, sizeof(t), ". 1 ack 1 win 60000 <sack 1001:%d>", 1000 * i + 1);
		say(b, sk, t, NULL, 0);
		assert_true(tcp_packets_in_flight(tp) <= tp->snd_cwnd);
		assert_true(tp->snd_cwnd <= 10);
		if (i >= 4)
			assert_int_equal(tp->fl->prr_out, want_out[i - 4]);
		while (*bed_next(b, buf, sizeof(buf)))
			;
	}
	assert_int_equal(inet_csk(sk)->ca_state, TCP_CA_Recovery);
	assert_int_equal(tp->snd_ssthresh, 7);
	assert_int_equal(tp->fl->prr_delivered, 7);
	assert_int_equal(tcp_packets_in_flight(tp), 7);
	say(b, sk, ". 1 ack 16001 win 60000", NULL, 0);
	assert_int_equal(inet_csk(sk)->ca_state, TCP_CA_Open);
	done(b, sk);
}

/* RFC 5682: after an RTO an ACK for what was never retransmitted proves it spurious; cwnd comes back. */
static void s3_48_frto_undoes_spurious_rto(void **state)
{
	struct bed *b = scripted_bed();
	uint32_t ts;
	struct sock *sk = ten_out(b, false, &ts);
	struct tcp_sock *tp = tcp_sk(sk);

	bed_run(b, 600 * MS); /* probe and RTO */
	assert_int_equal(inet_csk(sk)->ca_state, TCP_CA_Loss);
	assert_int_equal(tp->snd_cwnd, 1);
	assert_true(tp->frto);
	say(b, sk, ". 1 ack 1001 win 60000", NULL, 0); /* the head, retransmitted: says nothing */
	assert_int_equal(inet_csk(sk)->ca_state, TCP_CA_Loss);
	say(b, sk, ". 1 ack 3001 win 60000", NULL, 0); /* originals */
	assert_int_equal(b->net[0]->mib.tcpext.TCPSpuriousRTOs, 1);
	assert_int_equal(inet_csk(sk)->ca_state, TCP_CA_Open);
	assert_true(tp->snd_cwnd >= 10);
	assert_int_equal(tp->fl->lost_out, 0);
	done(b, sk);
}

/* RFC 4015: the echoed timestamp is older than the retransmission, so the original arrived. */
static void s3_48_eifel_undo(void **state)
{
	struct bed *b = scripted_bed();
	uint32_t ts;
	struct sock *sk = ten_out(b, true, &ts);
	struct tcp_sock *tp = tcp_sk(sk);
	char t[96];

	bed_run(b, 10 * MS);
	for (int i = 3; i <= 5; i++) {
		snprintf(t, sizeof(t), ". 1 ack 1 win 60000 <ts 10:%u,sack 1001:%d>", ts, 1000 * i + 1);
		say(b, sk, t, NULL, 0);
	}
	assert_int_equal(inet_csk(sk)->ca_state, TCP_CA_Recovery);
	assert_true(tp->fl->retrans_out > 0);
	snprintf(t, sizeof(t), ". 1 ack %u win 60000 <ts 11:%u>", tp->fl->high_seq - b->isn, ts);
	say(b, sk, t, NULL, 0);
	assert_int_equal(b->net[0]->mib.tcpext.TCPFullUndo, 1);
	assert_int_equal(inet_csk(sk)->ca_state, TCP_CA_Open);
	assert_true(tp->snd_cwnd >= 10);
	done(b, sk);
}

/* RFC 3708: a D-SACK for every retransmission says that all were superfluous. */
static void s3_48_dsack_undo(void **state)
{
	struct bed *b = scripted_bed();
	uint32_t ts;
	struct sock *sk = ten_out(b, false, &ts);
	struct tcp_sock *tp = tcp_sk(sk);

	bed_run(b, 10 * MS);
	say(b, sk, ". 1 ack 1 win 60000 <sack 1001:3001>", NULL, 0);
	say(b, sk, ". 1 ack 1 win 60000 <sack 1001:5001>", NULL, 0);
	assert_int_equal(inet_csk(sk)->ca_state, TCP_CA_Recovery);
	assert_int_equal(tp->fl->undo_retrans, 1);
	say(b, sk, ". 1 ack 5001 win 60000", NULL, 0); /* the late original */
	bed_run(b, 5 * MS);
	say(b, sk, ". 1 ack 5001 win 60000 <sack 1:1001>", NULL, 0);
	assert_int_equal(b->net[0]->mib.tcpext.TCPDSACKUndo, 1);
	assert_true(tp->snd_cwnd >= 10);
	done(b, sk);
}

static void ts_25_sack_reneging(void **state)
{
	struct bed *b = scripted_bed();
	uint32_t ts;
	struct sock *sk = ten_out(b, false, &ts);
	struct tcp_sock *tp = tcp_sk(sk);
	char buf[64];

	say(b, sk, ". 1 ack 1 win 60000 <sack 1001:3001>", NULL, 0);
	assert_int_equal(tp->fl->sacked_out, 2);
	say(b, sk, ". 1 ack 1001 win 60000", NULL, 0); /* acknowledges up to what it SACKed, not over it */
	while (*bed_next(b, buf, sizeof(buf)))
		;
	bed_run(b, 300 * MS);
	assert_int_equal(b->net[0]->mib.tcpext.TCPSACKReneging, 1);
	assert_int_equal(tp->fl->sacked_out, 0);
	expect_seg(b, ". 1001:2001 ack 1");
	done(b, sk);
}

static void tp_13_sack_blocks_that_lie(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	static char data[5000];

	bed_send(sk, data, sizeof(data), 0);
	bed_run(b, 0);
	say(b, sk, ". 1 ack 1 <sack 3001:2001>", NULL, 0);
	say(b, sk, ". 1 ack 1 <sack 4001:90001>", NULL, 0);
	say(b, sk, ". 1 ack 1 <sack -2147483647:1001>", NULL, 0);
	say(b, sk, ". 1 ack 1 <sack 2147483649:2147484649>", NULL, 0);
	assert_int_equal(tcp_sk(sk)->fl->sacked_out, 0);
	assert_int_equal(tcp_sk(sk)->fl->packets_out, 5);
	done(b, sk);
}

static void s3_47_zero_window_probes(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	unsigned probes = 0;
	char buf[64];

	say(b, sk, ". 1 ack 1 win 0", NULL, 0);
	assert_int_equal(bed_send(sk, "hello", 5, 0), 5);
	for (int i = 0; i < 3000; i++) { /* TS-18: answered probes keep it open */
		bed_run(b, SEC);
		while (*bed_next(b, buf, sizeof(buf))) {
			assert_string_equal(buf, ". 0:0 ack 1");
			probes++;
			say(b, sk, ". 1 ack 1 win 0", NULL, 0);
		}
	}
	assert_true(probes >= 20 && probes <= 40);
	assert_int_equal(sk->state, TCP_ESTABLISHED);
	say(b, sk, ". 1 ack 1 win 1000", NULL, 0);
	expect_seg(b, "P. 1:6 ack 1");
	done(b, sk);
}

static void s3_159_partial_ack_frees_whole_skbs(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	static char data[3000];
	int64_t live;

	bed_send(sk, data, sizeof(data), 0);
	bed_run(b, 0);
	live = b->net[0]->skb_mib.live;
	assert_int_equal(live, 3); /* s3_149: clones are gone, originals wait */
	say(b, sk, ". 1 ack 1501", NULL, 0);
	assert_int_equal(b->net[0]->skb_mib.live, 2);
	say(b, sk, ". 1 ack 3001", NULL, 0);
	assert_int_equal(b->net[0]->skb_mib.live, 0);
	done(b, sk);
}

/* shld_7: */
static void must_17_nagle_and_nodelay(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	int one = 1;

	bed_send(sk, "a", 1, 0);
	bed_send(sk, "b", 1, 0);
	bed_send(sk, "c", 1, 0);
	bed_run(b, 0);
	expect_seg(b, "P. 1:2 ack 1");
	expect_seg(b, "");
	say(b, sk, ". 1 ack 2", NULL, 0);
	expect_seg(b, "P. 2:4 ack 1");
	tcp_setsockopt(sk, 6, TCP_NODELAY, &one, sizeof(one));
	bed_send(sk, "d", 1, 0);
	bed_run(b, 0);
	expect_seg(b, "P. 4:5 ack 1");
	done(b, sk);
}

static void tp_04_malformed_options(void **state)
{
	static const uint8_t bad[][4] = { { 2, 0, 0, 0 }, { 3, 0, 0, 0 }, { 254, 0, 0, 0 }, { 8, 1, 0, 0 }, { 1, 1, 1, 2 }, { 2, 40, 0, 0 } };
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		uint8_t s[24] = { 0 };

		put_be16(s, 80);
		put_be16(s + 2, inet_sk(sk)->sport);
		put_be32(s + 4, b->peer_isn + 700000); /* tp_07: wrong sequence */
		s[12] = 6 << 4;
		s[13] = TCP_ACK;
		memcpy(s + 20, bad[i], 4);
		bed_inject_raw(b, 1, 0, s, 24);
		bed_run(b, 0);
		assert_int_equal(sk->state, TCP_ESTABLISHED);
	}
	done(b, sk);
}

static void tp_01_short_and_bad_offsets(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	uint8_t s[24] = { 0 };

	for (uint32_t len = 0; len < 20; len++)
		bed_inject_raw(b, 1, 0, s, len);
	put_be16(s, 80);
	put_be16(s + 2, inet_sk(sk)->sport);
	put_be32(s + 4, b->peer_isn + 1);
	s[13] = TCP_ACK;
	for (unsigned off = 0; off < 16; off++) { /* tp_02, tp_03 */
		if (off == 5 || off == 6)
			continue;
		s[12] = (uint8_t)(off << 4);
		bed_inject_raw(b, 1, 0, s, 24);
	}
	bed_run(b, 0);
	assert_int_equal(sk->state, TCP_ESTABLISHED);
	assert_int_equal(b->net[0]->mib.tcp.InErrs, 20 + 14);
	done(b, sk);
}

static void tp_08_mss_extremes(void **state)
{
	static const char *const opts[] = { "<mss 0,sackOK>", "<mss 1,sackOK>", "<mss 48>", "<mss 535>", "<mss 65535>", "" };
	static char data[20000];

	for (unsigned i = 0; i < ARRAY_SIZE(opts); i++) {
		struct bed *b = scripted_bed();
		struct sock *sk = connected(b, opts[i]);

		assert_true(tcp_sk(sk)->mss_cache >= 48 && tcp_sk(sk)->mss_cache <= 1460);
		bed_send(sk, data, sizeof(data), 0);
		bed_run(b, 0);
		done(b, sk);
	}
}

static void tp_17_all_flags_established(void **state)
{
	for (unsigned f = 0; f < 256; f++) {
		struct bed *b = scripted_bed();
		struct sock *sk = connected(b, SACKED);
		uint8_t s[24] = { 0 };

		put_be16(s, 80);
		put_be16(s + 2, inet_sk(sk)->sport);
		put_be32(s + 4, b->peer_isn + 1);
		put_be32(s + 8, b->isn + 1);
		s[12] = 5 << 4;
		s[13] = (uint8_t)f;
		s[20] = 'x';
		bed_inject_raw(b, 1, 0, s, 21);
		bed_run(b, SEC);
		if (f & TCP_RST)
			assert_int_equal(sk->state, TCP_CLOSE);
		else if ((f & (TCP_FIN | TCP_ACK | TCP_SYN)) == (TCP_FIN | TCP_ACK))
			assert_int_equal(sk->state, TCP_CLOSE_WAIT);
		else
			assert_int_equal(sk->state, TCP_ESTABLISHED);
		done(b, sk);
	}
}

static void tp_19_urgent_pointers(void **state)
{
	static const char *const t[] = { "U. 1 ack 1 urg 0", "U. 1 ack 1 urg 65535", "U. 1 ack 1 urg 1" };

	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		struct bed *b = scripted_bed();
		struct sock *sk = connected(b, SACKED);
		char buf[8];

		say(b, sk, t[i], "xyz", 3);
		if (i == 2) { /* must_30: the first byte is urgent, out of line */
			assert_int_equal(bed_recv(sk, buf, 8, MSG_OOB), 1);
			assert_int_equal(buf[0], 'x');
			assert_int_equal(bed_recv(sk, buf, 8, 0), 2);
		} else {
			assert_true(bed_recv(sk, buf, 8, 0) >= 2);
		}
		done(b, sk);
	}
}

static void ts_32_keepalive(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	int idle = 10, intvl = 5, cnt = 3;

	bed_run(b, 86400 * SEC); /* must_25: off */
	expect_seg(b, "");
	tcp_setsockopt(sk, 6, TCP_KEEPIDLE, &idle, 4);
	tcp_setsockopt(sk, 6, TCP_KEEPINTVL, &intvl, 4);
	tcp_setsockopt(sk, 6, TCP_KEEPCNT, &cnt, 4);
	sock_set_flag(sk, SOCK_F_KEEPOPEN, true);
	tcp_set_keepalive(sk, true);
	bed_run(b, 10 * SEC);
	expect_seg(b, ". 0:0 ack 1");
	say(b, sk, ". 1 ack 1", NULL, 0);
	bed_run(b, 10 * SEC);
	expect_seg(b, ". 0:0 ack 1");
	bed_run(b, 10 * SEC); /* must_29: lost replies */
	expect_seg(b, ". 0:0 ack 1");
	expect_seg(b, ". 0:0 ack 1");
	bed_run(b, 6 * SEC);
	expect_seg(b, "R. 1:1 ack 1");
	assert_int_equal(sk->err, ETIMEDOUT);
	done(b, sk);
}

static void tr_13_close_with_unread_data(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);

	say(b, sk, "P. 1 ack 1", "abc", 3);
	expect_seg(b, ". 1:1 ack 4");
	bed_close(sk);
	bed_run(b, 0);
	expect_seg(b, "R. 1:1 ack 4");
	bed_free(b);
}

static void tr_01_syn_cookies(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *l = bed_listen(b, 0, 80, 1), *sk;
	char buf[64];

	for (uint16_t p = 1000; p < 1100; p++)
		bed_inject(b, 1, 0, p, 80, "S 0 <mss 1460,sackOK>", NULL, 0);
	bed_run(b, 0);
	assert_true(inet_csk(l)->listener->syn_qlen <= 2);
	assert_true(b->net[0]->mib.tcpext.SyncookiesSent >= 98);
	while (*bed_next(b, buf, sizeof(buf)))
		;
	bed_inject(b, 1, 0, 7777, 80, "S 0 <mss 1460,sackOK>", NULL, 0);
	bed_run(b, 0);
	expect_seg(b, "S. 0:0 ack 1");
	bed_inject(b, 1, 0, 7777, 80, ". 1 ack 2", NULL, 0); /* tr_02: a wrong cookie */
	bed_run(b, 0);
	expect_seg(b, "R 2:2");
	bed_inject(b, 1, 0, 7777, 80, ". 1 ack 1", NULL, 0);
	bed_run(b, 0);
	assert_int_equal(b->net[0]->mib.tcpext.SyncookiesRecv, 1);
	sk = bed_accept(l);
	assert_non_null(sk);
	assert_int_equal(sk->state, TCP_ESTABLISHED);
	bed_close(sk);
	done(b, l);
}

static void ts_10_syn_received(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *l = bed_listen(b, 0, 80, 5), *sk;

	bed_inject(b, 1, 0, 999, 80, "S 0 <mss 1460>", NULL, 0);
	bed_run(b, 0);
	expect_seg(b, "S. 0:0 ack 1");
	assert_int_equal(l->state, TCP_LISTEN); /* s3_51 */
	bed_inject(b, 1, 0, 999, 80, ". 1 ack 0", NULL, 0);
	bed_run(b, 0);
	expect_seg(b, "R 0:0");
	bed_run(b, SEC); /* the SYN-ACK again */
	expect_seg(b, "S. 0:0 ack 1");
	bed_inject(b, 1, 0, 999, 80, "R 1", NULL, 0); /* back to LISTEN */
	bed_run(b, 0);
	assert_int_equal(inet_csk(l)->listener->syn_qlen, 0);
	bed_inject(b, 1, 0, 999, 80, "S 0 <mss 1460>", NULL, 0);
	bed_run(b, 0);
	expect_seg(b, "S. 0:0 ack 1");
	bed_inject(b, 1, 0, 999, 80, "P. 1 ack 1", "hi", 2); /* data on the last ACK */
	bed_run(b, 0);
	sk = bed_accept(l);
	assert_non_null(sk);
	{
		char buf[4];

		assert_int_equal(bed_recv(sk, buf, 4, 0), 2);
	}
	bed_close(sk);
	done(b, l);
}

static void ts_22_paws(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = bed_socket(b, 0);
	uint32_t ts;
	char t[64];

	bed_connect(b, sk, 1, 80);
	bed_run(b, 0);
	ts = get_be32(b->got->b + 20 + 4 + 4);
	expect_seg(b, "S 0:0");
	snprintf(t, sizeof(t), "S. 0 ack 1 <mss 1460,ts 1000:%u>", ts);
	say(b, sk, t, NULL, 0);
	expect_seg(b, ". 1:1 ack 1");
	snprintf(t, sizeof(t), ". 900000 ack 1 <ts 2147484000:%u>", ts); /* out of window: must not poison TS.Recent */
	say(b, sk, t, NULL, 0);
	expect_seg(b, ". 1:1 ack 1");
	assert_int_equal(tcp_sk(sk)->rx_opt.ts_recent, 1000);
	snprintf(t, sizeof(t), "P. 1 ack 1 <ts 500:%u>", ts); /* older: PAWS */
	say(b, sk, t, "x", 1);
	assert_int_equal(b->net[0]->mib.tcpext.PAWSEstab, 1);
	assert_int_equal(tcp_sk(sk)->rcv_nxt, b->peer_isn + 1);
	say(b, sk, "P. 1 ack 1", "x", 1); /* tp_11: missing */
	assert_int_equal(tcp_sk(sk)->rcv_nxt, b->peer_isn + 1);
	done(b, sk);
}

/* must_3, tp_18: one flipped bit anywhere, and swapped octets, reach nobody and are answered by nothing. */
static void tp_18_bad_checksums(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	uint8_t s[24] = { 0 };
	uint16_t sum;

	put_be16(s, 80);
	put_be16(s + 2, inet_sk(sk)->sport);
	put_be32(s + 4, b->peer_isn + 1);
	put_be32(s + 8, b->isn + 1);
	s[12] = 5 << 4;
	s[13] = TCP_ACK | TCP_PSH;
	put_be16(s + 14, 1000);
	memcpy(s + 20, "abcd", 4);
	sum = csum_fold(csum_partial(s, 24, csum_tcpudp_nofold(bed_addr(1), bed_addr(0), 24, 6, 0)));
	put_be16(s + 16, sum);
	for (unsigned bit = 0; bit < 24 * 8; bit++) {
		s[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		bed_inject_bytes(b, 1, 0, s, 24);
		s[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
	put_be16(s + 16, (uint16_t)(sum << 8 | sum >> 8));
	bed_inject_bytes(b, 1, 0, s, 24);
	bed_run(b, 0);
	assert_int_equal(b->net[0]->mib.tcp.InErrs, 193); /* a few flips break the data offset first */
	assert_int_equal(tcp_sk(sk)->rcv_nxt, b->peer_isn + 1);
	expect_seg(b, "");
	put_be16(s + 16, sum); /* unharmed, it is taken */
	bed_inject_bytes(b, 1, 0, s, 24);
	bed_run(b, 0);
	assert_int_equal(tcp_sk(sk)->rcv_nxt, b->peer_isn + 5);
	done(b, sk);
}

/* must_8, must_9, shld_1: RFC 6528: steady with the clock in one four-tuple, unrelated between tuples and secrets. */
static void ts_27_initial_sequence_numbers(void **state)
{
	struct bed *b = scripted_bed();
	struct net *net = b->net[0];
	uint32_t a = secure_tcp_seq(net, 1, 2, 3, 4), prev = a, near = 0;

	for (int i = 0; i < 1000; i++) {
		net->now_ns += 64000; /* 1000 ticks of 64 ns */
		assert_int_equal(secure_tcp_seq(net, 1, 2, 3, 4) - prev, 1000);
		prev = secure_tcp_seq(net, 1, 2, 3, 4);
	}
	for (uint16_t p = 1; p <= 10000; p++) {
		uint32_t d = secure_tcp_seq(net, 1, 2, p, 4) - secure_tcp_seq(net, 1, 2, (uint16_t)(p + 1), 4);

		near += d < (1u << 20) || d > 0u - (1u << 20);
	}
	assert_true(near < 30); /* by chance: 10000 * 2^21 / 2^32 = 5 */
	net->tcp->isn_secret[0] ^= 1;
	assert_int_not_equal(secure_tcp_seq(net, 1, 2, 3, 4), prev);
	done(b, NULL);
}

/* may_12: RFC 5961 5: an ACK older than the largest window was never ours to get; data with it is not taken. */
static void ts_03_ack_too_old(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	static char data[3000];
	char buf[64];

	bed_send(sk, data, sizeof(data), 0);
	bed_run(b, 0);
	while (*bed_next(b, buf, sizeof(buf)))
		;
	say(b, sk, ". 1 ack 3001", NULL, 0);
	say(b, sk, "P. 1 ack -100000", "evil", 4);
	expect_seg(b, ". 3001:3001 ack 1");
	assert_int_equal(b->net[0]->mib.tcpext.TCPChallengeACK, 1);
	assert_int_equal(tcp_sk(sk)->rcv_nxt, b->peer_isn + 1);
	say(b, sk, "P. 1 ack 2001", "good", 4); /* old, but within the window: its data counts */
	assert_int_equal(tcp_sk(sk)->rcv_nxt, b->peer_isn + 5);
	done(b, sk);
}

/* An ICMP error of this type and code about the segment of sk with this sequence number. */
static void icmp_about(struct bed *b, struct sock *sk, uint8_t type, uint8_t code, uint32_t seq)
{
	struct net *net = b->net[0];
	struct sk_buff *skb = alloc_skb(net, 128);
	struct ip4_hdr *h;
	uint8_t *p;

	skb_reserve(skb, 32);
	p = skb_put(skb, ICMP_HLEN);
	memset(p, 0, ICMP_HLEN);
	p[0] = type;
	p[1] = code;
	skb_reset_transport_header(skb);
	skb_pull(skb, ICMP_HLEN);
	h = (struct ip4_hdr *)(void *)skb_put(skb, IP4_HLEN);
	memset(h, 0, sizeof(*h));
	h->ver_ihl = 0x45;
	h->protocol = 6;
	put_be32(h->saddr, bed_addr(0));
	put_be32(h->daddr, bed_addr(1));
	p = skb_put(skb, 8);
	put_be16(p, inet_sk(sk)->sport);
	put_be16(p + 2, inet_sk(sk)->dport);
	put_be32(p + 4, seq);
	tcp_v4_err(skb, 0);
	consume_skb(skb);
}

static void icmp_10_hard_errors(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);

	bed_send(sk, "x", 1, 0);
	icmp_about(b, sk, 3, 3, b->isn + 5000); /* not in flight: a guess */
	assert_int_equal(b->net[0]->mib.tcpext.OutOfWindowIcmps, 1);
	assert_int_equal(sk->err_soft, 0);
	icmp_about(b, sk, 3, 3, b->isn + 1); /* synchronised: soft, whatever the code (icmp_09) */
	assert_int_equal(sk->err_soft, ECONNREFUSED);
	assert_int_equal(sk->err, 0);
	assert_int_equal(sk->state, TCP_ESTABLISHED);
	icmp_about(b, sk, 4, 0, b->isn + 1); /* must_55, icmp_14 */
	icmp_about(b, sk, 11, 0, b->isn + 1); /* icmp_20 */
	assert_int_equal(sk->state, TCP_ESTABLISHED);
	bed_close(sk);
	sk = bed_socket(b, 0);
	bed_connect(b, sk, 1, 81);
	icmp_about(b, sk, 3, 3, tcp_sk(sk)->snd_una); /* SYN-SENT: it aborts */
	assert_int_equal(sk->state, TCP_CLOSE);
	assert_int_equal(sk->err, ECONNREFUSED);
	done(b, sk);
}

/* Savage's attacks: what grows cwnd is bytes delivered, not the number of ACKs; an application-limited sender does
 * not save up credit. */
static void ts_07_cwnd_counts_bytes(void **state)
{
	struct bed *b = scripted_bed();
	uint32_t ts;
	struct sock *sk = ten_out(b, false, &ts);
	char t[64];

	bed_run(b, 10 * MS);
	for (int i = 1; i <= 1000; i++) { /* one segment's worth in 1000 ACKs */
		snprintf(t, sizeof(t), ". 1 ack %d win 60000", 1 + i);
		say(b, sk, t, NULL, 0);
	}
	assert_int_equal(tcp_sk(sk)->snd_cwnd, 11);
	bed_close(sk);
	bed_free(b);

	b = scripted_bed();
	sk = connected(b, SACKED);
	for (int i = 0; i < 200; i++) { /* one small segment at a time, each acknowledged */
		bed_send(sk, "x", 1, 0);
		bed_run(b, MS);
		snprintf(t, sizeof(t), ". 1 ack %d", 2 + i);
		say(b, sk, t, NULL, 0);
	}
	assert_int_equal(tcp_sk(sk)->snd_cwnd, 10);
	done(b, sk);
}

/* must_40, must_58, shld_18, shld_19: a lone segment's ACK waits, but below 0.5 s; two full ones are acknowledged at once. */
static void must_40_delayed_ack(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	static char full[2000], out[4000];
	char t[64], buf[64];
	uint32_t seq = 1;
	uint64_t waited = 0;

	inet_csk(sk)->rcv_mss = 1000;
	for (int i = 0; i < 40; i++, seq += 1000) { /* use up the quick ACKs of the start */
		snprintf(t, sizeof(t), ". %u ack 1", seq);
		say(b, sk, t, full, 1000);
		bed_recv(sk, out, sizeof(out), 0);
	}
	bed_run(b, 300 * MS);
	while (*bed_next(b, buf, sizeof(buf)))
		;
	inet_csk(sk)->quick = 0;
	snprintf(t, sizeof(t), ". %u ack 1", seq);
	inet_csk(sk)->last_rcv_ms = tcp_time_ms(sk);
	say(b, sk, t, full, 100);
	inet_csk(sk)->quick = 0;
	if (!*bed_next(b, buf, sizeof(buf)))
		while (waited < 500 * MS && !*bed_next(b, buf, sizeof(buf))) {
			bed_run(b, MS);
			waited += MS;
		}
	assert_true(waited >= 30 * MS && waited <= 200 * MS);
	done(b, sk);
}

/* must_39, shld_14: nobody reads. The right edge that was offered never moves back, the window ends at zero, and no
 * window between zero and an MSS is ever offered. Then single bytes are read: no dribble of tiny windows. */
static void ts_21_receiver_window(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	static char full[1000], one[1];
	uint32_t edge = 0, seq = 1, zero = 0, updates = 0;
	char t[64];

	for (int i = 0; i < 400; i++) {
		uint32_t left = edge - seq; /* what hangs over the window is not taken while so much waits to be read */

		snprintf(t, sizeof(t), ". %u ack 1", seq);
		say(b, sk, t, full, edge && left && left < 1000 ? left : 1000);
		bed_run(b, 250 * MS);
		while (b->got) {
			uint32_t ack = get_be32(b->got->b + 8) - b->peer_isn, win = get_be16(b->got->b + 14);
			char buf[64];

			assert_true(ack + win >= edge);
			assert_true(win == 0 || win >= 500 || ack + win == edge);
			edge = ack + win;
			seq = ack;
			zero += win == 0;
			bed_next(b, buf, sizeof(buf));
		}
	}
	assert_true(zero > 0);
	for (int i = 0; i < 400; i++) {
		char buf[64];

		assert_int_equal(bed_recv(sk, one, 1, 0), 1);
		bed_run(b, 0);
		while (*bed_next(b, buf, sizeof(buf)))
			updates++;
	}
	assert_int_equal(updates, 0);
	bed_close(sk);
	bed_free(b);
}

/* must_37 when memory would end first: one-byte segments cost a buffer each. They are put together (tcp_collapse) until
 * the window closes by their octets; it opens with reading. */
static void tr_07_tiny_segments_do_not_end_memory(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	static char out[400000];
	char t[64], buf[64];
	uint32_t win = 1;

	sk->userlocks |= 2; /* a buffer that the program fixed: another would grow */
	for (uint32_t i = 0; i < 400000 && win; i++) {
		snprintf(t, sizeof(t), "P. %u ack 1", tcp_sk(sk)->rcv_nxt - b->peer_isn);
		say(b, sk, t, "z", 1);
		bed_run(b, 250 * MS);
		while (b->got) {
			win = get_be16(b->got->b + 14);
			bed_next(b, buf, sizeof(buf));
		}
	}
	assert_int_equal(win, 0);
	assert_true(sk->rmem_alloc <= 2 * sk->rcvbuf + 4096);
	assert_true(sk->net->mib.tcpext.TCPRcvCollapsed > 0);
	assert_int_equal(sk->net->mib.tcpext.TCPRcvQDrop, 0);
	assert_int_equal(bed_recv(sk, out, sizeof(out), 0), tcp_sk(sk)->rcv_nxt - 1 - b->peer_isn);
	for (size_t i = 0; i < tcp_sk(sk)->rcv_nxt - 1 - b->peer_isn; i++)
		assert_int_equal(out[i], 'z');
	bed_run(b, 0);
	assert_non_null(b->got); /* the update */
	assert_true(get_be16(b->got->b + 14) > 0);
	done(b, sk);
}

/* must_18: Karn: without timestamps the ACK of a retransmission is no measure of the round trip. */
static void ts_26_karn(void **state)
{
	struct bed *b = scripted_bed();
	uint32_t ts, srtt;
	struct sock *sk = ten_out(b, false, &ts);

	srtt = tcp_sk(sk)->srtt_us;
	assert_int_equal(srtt >> 3, 10000); /* the handshake */
	bed_run(b, 900 * MS);
	assert_int_equal(inet_csk(sk)->ca_state, TCP_CA_Loss);
	say(b, sk, ". 1 ack 1001 win 60000", NULL, 0);
	assert_int_equal(tcp_sk(sk)->srtt_us, srtt);
	done(b, sk);
}

static void must_21_user_timeout(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	int ms = 5000;

	assert_int_equal(tcp_setsockopt(sk, 6, 18, &ms, sizeof(ms)), 0);
	bed_send(sk, "x", 1, 0);
	bed_run(b, 4500 * MS);
	assert_int_equal(sk->state, TCP_ESTABLISHED);
	bed_run(b, 2 * SEC);
	assert_int_equal(sk->err, ETIMEDOUT);
	assert_int_equal(sk->state, TCP_CLOSE);
	done(b, sk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s3_50_syn_retransmission_times),
		cmocka_unit_test(s3_45_rst_refuses),
		cmocka_unit_test(s3_127_four_way_close),
		cmocka_unit_test(s3_127_time_wait_60s),
		cmocka_unit_test(ts_14_rst_in_time_wait),
		cmocka_unit_test(ts_12_simultaneous_close),
		cmocka_unit_test(ts_11_simultaneous_open),
		cmocka_unit_test(ts_01_rst_only_exact),
		cmocka_unit_test(ts_02_syn_in_established),
		cmocka_unit_test(ts_06_ack_of_unsent),
		cmocka_unit_test(ts_08_syn_sent_bad_acks),
		cmocka_unit_test(s3_121_in_order_out_of_order_duplicate),
		cmocka_unit_test(ts_24_overlaps_first_bytes_win),
		cmocka_unit_test(s3_48_iw10_tlp_rto),
		cmocka_unit_test(s3_43_fast_retransmit_by_sack),
		cmocka_unit_test(s3_48_prr),
		cmocka_unit_test(s3_48_frto_undoes_spurious_rto),
		cmocka_unit_test(s3_48_eifel_undo),
		cmocka_unit_test(s3_48_dsack_undo),
		cmocka_unit_test(ts_25_sack_reneging),
		cmocka_unit_test(tp_13_sack_blocks_that_lie),
		cmocka_unit_test(s3_47_zero_window_probes),
		cmocka_unit_test(s3_159_partial_ack_frees_whole_skbs),
		cmocka_unit_test(must_17_nagle_and_nodelay),
		cmocka_unit_test(tp_04_malformed_options),
		cmocka_unit_test(tp_01_short_and_bad_offsets),
		cmocka_unit_test(tp_08_mss_extremes),
		cmocka_unit_test(tp_17_all_flags_established),
		cmocka_unit_test(tp_19_urgent_pointers),
		cmocka_unit_test(ts_32_keepalive),
		cmocka_unit_test(tr_13_close_with_unread_data),
		cmocka_unit_test(tr_01_syn_cookies),
		cmocka_unit_test(ts_10_syn_received),
		cmocka_unit_test(ts_22_paws),
		cmocka_unit_test(must_40_delayed_ack),
		cmocka_unit_test(ts_21_receiver_window),
		cmocka_unit_test(tr_07_tiny_segments_do_not_end_memory),
		cmocka_unit_test(ts_26_karn),
		cmocka_unit_test(must_21_user_timeout),
		cmocka_unit_test(tp_18_bad_checksums),
		cmocka_unit_test(ts_27_initial_sequence_numbers),
		cmocka_unit_test(ts_03_ack_too_old),
		cmocka_unit_test(icmp_10_hard_errors),
		cmocka_unit_test(ts_07_cwnd_counts_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
