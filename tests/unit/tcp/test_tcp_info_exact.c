/* struct tcp_info field by field, in dialogues whose every number is known. What the fields mean: ss(8), linux/tcp.h. */
#include "tcp_bed.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "tcp/tcp_info.h"

static struct tcp_info_full info(struct sock *sk)
{
	struct tcp_info_full ti;

	tcp_get_info(sk, &ti);
	return ti;
}

#define eq(f, v) assert_int_equal(ti.f, v)

/* 20 ms handshake, then 3000 octets out and acknowledged 30 ms later, then 500 in. */
static void tcpi_a_plain_connection(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = bed_socket(b, 0);
	struct tcp_info_full ti;
	static char data[3000];

	ti = info(sk);
	eq(state, TCP_CLOSE);
	eq(rto, 1000000);
	eq(snd_mss, 536);
	eq(snd_cwnd, 10);
	eq(snd_ssthresh, 0x7fffffff);
	eq(reordering, 3);
	eq(min_rtt, ~0u);
	eq(pacing_rate, ~0ull);
	eq(max_pacing_rate, ~0ull);
	assert_int_equal(bed_connect(b, sk, 1, 80), 0);
	bed_run(b, 20 * MS);
	ti = info(sk);
	eq(state, TCP_SYN_SENT);
	eq(unacked, 1);
	eq(segs_out, 1);
	eq(data_segs_out, 0);
	eq(pmtu, 1500);
	eq(advmss, 1460);
	expect_seg(b, "S 0:0");
	say(b, sk, "S. 0 ack 1 win 32768 <mss 1000,sackOK,ws 7>", NULL, 0);
	expect_seg(b, ". 1:1 ack 1");
	ti = info(sk);
	eq(state, TCP_ESTABLISHED);
	eq(ca_state, 0);
	eq(options, TCPI_OPT_SACK | TCPI_OPT_WSCALE);
	eq(wscale & 15, 7);
	eq(wscale >> 4, 10);
	eq(rtt, 20000);
	eq(rttvar, 10000); /* half of the first sample (RFC 6298 2.2) */
	eq(rto, 20000 + 200000);
	eq(min_rtt, 20000);
	eq(snd_mss, 1000);
	eq(snd_wnd, 32768); /* a SYN's is not scaled */
	eq(bytes_acked, 1); /* the SYN */
	eq(bytes_sent, 0);
	eq(segs_out, 2);
	eq(segs_in, 1);
	eq(delivered, 1);
	eq(unacked, 0);
	eq(busy_time, 0);

	assert_int_equal(bed_send(sk, data, 3000, 0), 3000);
	bed_run(b, 30 * MS);
	ti = info(sk);
	eq(unacked, 3);
	eq(bytes_sent, 3000);
	eq(data_segs_out, 3);
	eq(segs_out, 5);
	eq(notsent_bytes, 0);
	eq(last_data_sent, 30);
	eq(busy_time, 30000);
	say(b, sk, ". 1 ack 3001 win 300", NULL, 0);
	bed_forget(b);
	ti = info(sk);
	eq(unacked, 0);
	eq(bytes_acked, 3001);
	eq(delivered, 4);
	eq(rtt, 20000 + (30000 - 20000) / 8);
	eq(snd_wnd, 300 << 7);
	eq(snd_cwnd, 10); /* three segments did not fill it */
	eq(app_limited, 1);
	eq(delivery_rate, 3000ull * 1000000 / 30000);
	eq(last_ack_recv, 0);
	eq(retrans, 0);
	eq(total_retrans, 0);
	eq(lost, 0);
	eq(fackets, 0);
	bed_run(b, 10 * MS);
	say(b, sk, "P. 1 ack 3001", data, 500);
	ti = info(sk);
	eq(bytes_received, 500);
	eq(data_segs_in, 1);
	eq(segs_in, 3);
	eq(rcv_mss, 536); /* the guess is not made smaller by less */
	eq(last_data_recv, 0);
	eq(last_data_sent, 40);
	eq(ato, 40000);
	bed_run(b, 7 * MS);
	ti = info(sk);
	eq(last_data_recv, 7);
	eq(last_ack_sent, 0); /* "not remembered" */
	done(b, sk);
}

/* Ten segments; the second is lost: SACKs, fast retransmission, a D-SACK; then a timeout. */
static void tcpi_loss_and_repair(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = bed_socket(b, 0);
	struct tcp_info_full ti;
	static char data[10000];

	assert_int_equal(bed_connect(b, sk, 1, 80), 0);
	bed_run(b, 10 * MS);
	expect_seg(b, "S 0:0");
	say(b, sk, "S. 0 ack 1 win 32768 " SACKED, NULL, 0);
	expect_seg(b, ". 1:1 ack 1");

	assert_int_equal(bed_send(sk, data, 10000, 0), 10000);
	bed_run(b, 10 * MS);
	bed_forget(b);
	say(b, sk, ". 1 ack 1001", NULL, 0);
	say(b, sk, ". 1 ack 1001 <sack 2001:3001>", NULL, 0);
	ti = info(sk);
	eq(sacked, 1);
	eq(unacked, 9);
	eq(ca_state, 1); /* Disorder */
	eq(delivered, 3);
	say(b, sk, ". 1 ack 1001 <sack 2001:5001>", NULL, 0);
	bed_run(b, 5 * MS);
	ti = info(sk);
	eq(ca_state, 3); /* Recovery */
	eq(sacked, 3);
	eq(lost, 1);
	eq(retrans, 1);
	eq(total_retrans, 1);
	eq(bytes_retrans, 1000);
	eq(bytes_sent, 11000);
	eq(snd_ssthresh, 7); /* CUBIC's 0.7 of ten */
	bed_forget(b);
	say(b, sk, ". 1 ack 10001", NULL, 0);
	ti = info(sk);
	eq(ca_state, 0);
	eq(lost, 0);
	eq(sacked, 0);
	eq(unacked, 0);
	eq(delivered, 11);
	eq(dsack_dups, 0);
	say(b, sk, ". 1 ack 10001 <sack 1001:2001>", NULL, 0); /* it had come after all */
	ti = info(sk);
	eq(dsack_dups, 1);
	assert_int_equal(b->net[0]->mib.tcpext.TCPDSACKRecv, 1);
	assert_int_equal(b->net[0]->mib.tcpext.TCPDSACKRecvSegs, 1);
	say(b, sk, ". 1 ack 10001 <sack 3001:4001>", NULL, 0); /* that one was never repeated: not believed */
	assert_int_equal(b->net[0]->mib.tcpext.TCPDSACKIgnoredDubious, 1);
	done(b, sk);

	b = scripted_bed();
	sk = connected(b, "<mss 1000>");
	assert_int_equal(bed_send(sk, data, 1000, 0), 1000);
	bed_run(b, 700 * MS); /* 200, 600 */
	ti = info(sk);
	eq(ca_state, 4); /* Loss */
	eq(retransmits, 2);
	eq(backoff, 2);
	eq(rto, 4 * (200000 + 1)); /* the round trip took no time: counted as 1 us */
	eq(total_rto, 2);
	eq(total_rto_recoveries, 1);
	eq(total_rto_time, 500);
	eq(total_retrans, 2);
	eq(lost, 1);
	eq(retrans, 1);
	eq(snd_cwnd, 1);
	bed_forget(b);
	done(b, sk);
}

/* The receiver's side: out of order, its window, and a peer that closes its own. */
static void tcpi_receiver_and_windows(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, SACKED);
	struct tcp_info_full ti;
	static char data[40000];

	say(b, sk, "P. 1001 ack 1", data, 1000);
	ti = info(sk);
	eq(rcv_ooopack, 1);
	eq(bytes_received, 0);
	say(b, sk, "P. 1 ack 1", data, 1000);
	ti = info(sk);
	eq(bytes_received, 2000);
	eq(data_segs_in, 2);
	eq(rcv_ooopack, 1);
	bed_forget(b);
	assert_int_equal(bed_send(sk, data, 5000, 0), 5000);
	bed_run(b, 0);
	say(b, sk, ". 2001 ack 5001 win 0", NULL, 0);
	assert_int_equal(bed_send(sk, data, 7000, 0), 7000);
	bed_run(b, 150 * MS);
	ti = info(sk);
	eq(snd_wnd, 0);
	eq(notsent_bytes, 7000);
	eq(rwnd_limited, 150000);
	eq(probes, 0);
	bed_run(b, 100 * MS); /* the persist timer: 200 ms */
	ti = info(sk);
	eq(probes, 1);
	say(b, sk, ". 2001 ack 5001 win 32768", NULL, 0);
	ti = info(sk);
	eq(rwnd_limited, 250000);
	eq(unacked, 7);
	done(b, sk);
}

static void tcpi_listener(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *l = bed_listen(b, 0, 80, 7);
	struct tcp_info_full ti;

	bed_inject(b, 1, 0, 4000, 80, "S 0 win 32768 <mss 1000>", NULL, 0);
	bed_run(b, 0);
	expect_seg(b, "S. 0:0 ack 1");
	bed_inject(b, 1, 0, 4000, 80, ". 1 ack 1", NULL, 0);
	bed_run(b, 0);
	ti = info(l);
	eq(state, TCP_LISTEN);
	eq(unacked, 1); /* waits for accept() */
	eq(sacked, 7);	/* as many may */
	done(b, l);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(tcpi_a_plain_connection), cmocka_unit_test(tcpi_loss_and_repair),
					    cmocka_unit_test(tcpi_receiver_and_windows), cmocka_unit_test(tcpi_listener) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
