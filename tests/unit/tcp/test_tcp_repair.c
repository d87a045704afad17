/* TCP_REPAIR: a connection taken from one socket and put into another; what is refused (Linux's rules). */
#include "tcp_bed.h"
#include <errno.h>
#include <string.h>

static int set(struct sock *sk, int name, int v) { return sk->prot->setsockopt(sk, SOL_TCP, name, &v, sizeof(v)); }
static int get(struct sock *sk, int name)
{
	int v = 0;
	socklen_t len = sizeof(v);
	int err = sk->prot->getsockopt(sk, SOL_TCP, name, &v, &len);

	return err ? err : v;
}

static void so_tcp_repair_errors(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *l = bed_listen(b, 0, 80, 5), *sk = bed_socket(b, 0);
	struct tcp_repair_window w = { 0 };
	struct tcp_repair_opt o = { TCPOPT_MSS, 1000 };
	socklen_t len = sizeof(w);

	assert_int_equal(set(l, TCP_REPAIR, 1), -EPERM);
	assert_int_equal(set(sk, TCP_REPAIR_QUEUE, 1), -EPERM);
	assert_int_equal(get(sk, TCP_REPAIR_QUEUE), -EINVAL);
	assert_int_equal(set(sk, TCP_TIMESTAMP, 1), -EPERM);
	assert_int_equal(sk->prot->setsockopt(sk, SOL_TCP, TCP_REPAIR_WINDOW, &w, sizeof(w)), -EPERM);
	assert_int_equal(sk->prot->getsockopt(sk, SOL_TCP, TCP_REPAIR_WINDOW, &w, &len), -EPERM);
	assert_int_equal(sk->prot->setsockopt(sk, SOL_TCP, TCP_REPAIR_OPTIONS, &o, sizeof(o)), -EINVAL);
	assert_int_equal(set(sk, TCP_REPAIR, 2), -EINVAL);
	assert_int_equal(set(sk, TCP_REPAIR, 1), 0);
	assert_int_equal(get(sk, TCP_REPAIR), 1);
	assert_int_equal(set(sk, TCP_QUEUE_SEQ, 1), -EINVAL); /* of no queue */
	assert_int_equal(set(sk, TCP_REPAIR_QUEUE, 3), -EINVAL);
	assert_int_equal(bed_send(sk, "x", 1, 0), -EPIPE); /* not connected */
	assert_int_equal(sk->prot->setsockopt(sk, SOL_TCP, TCP_REPAIR_OPTIONS, &o, sizeof(o)), -EPERM); /* connect first */
	w.snd_wnd = 2;
	w.max_window = 1;
	assert_int_equal(sk->prot->setsockopt(sk, SOL_TCP, TCP_REPAIR_WINDOW, &w, sizeof(w)), -EINVAL);
	assert_int_equal(sk->prot->setsockopt(sk, SOL_TCP, TCP_REPAIR_WINDOW, &w, 8), -EINVAL);
	bed_close(sk);
	sk = connected(b, SACKED);
	assert_int_equal(set(sk, TCP_REPAIR, 1), 0);
	assert_int_equal(set(sk, TCP_REPAIR_QUEUE, TCP_SEND_QUEUE), 0);
	assert_int_equal(set(sk, TCP_QUEUE_SEQ, 1), -EPERM); /* not closed */
	bed_close(sk);
	bed_run(b, 0);
	expect_seg(b, ""); /* it leaves without a word */
	done(b, l);
}

static void so_tcp_repair_moves_a_connection(void **state)
{
	struct bed *b = scripted_bed();
	struct sock *sk = connected(b, "<mss 1000,sackOK,ws 3>"), *n;
	uint16_t sport = inet_sk(sk)->sport;
	struct tcp_repair_window w;
	struct tcp_repair_opt o[3] = { { TCPOPT_MSS, 1000 }, { TCPOPT_SACK_PERM, 0 }, { TCPOPT_WINDOW, 3 } };
	socklen_t len = sizeof(w);
	uint32_t snd, rcv;
	char buf[16];

	o[2].opt_val |= (uint32_t)tcp_sk(sk)->rx_opt.rcv_wscale << 16;
	say(b, sk, "P. 1 ack 1", "unread", 6);
	assert_int_equal(bed_send(sk, "gone", 4, 0), 4);
	bed_run(b, 0);
	bed_forget(b);
	/* taken apart */
	assert_int_equal(set(sk, TCP_REPAIR, 1), 0);
	assert_int_equal(bed_recv(sk, buf, sizeof(buf), 0), -EPERM); /* only looking */
	assert_int_equal(bed_recv(sk, buf, sizeof(buf), MSG_PEEK), -EINVAL);
	assert_int_equal(set(sk, TCP_REPAIR_QUEUE, TCP_SEND_QUEUE), 0);
	assert_int_equal(bed_recv(sk, buf, sizeof(buf), MSG_PEEK), 4);
	assert_memory_equal(buf, "gone", 4);
	snd = (uint32_t)get(sk, TCP_QUEUE_SEQ);
	assert_int_equal(set(sk, TCP_REPAIR_QUEUE, TCP_RECV_QUEUE), 0);
	assert_int_equal(bed_recv(sk, buf, sizeof(buf), MSG_PEEK), 6);
	assert_memory_equal(buf, "unread", 6);
	rcv = (uint32_t)get(sk, TCP_QUEUE_SEQ);
	assert_int_equal(rcv - 5000, 7);
	assert_int_equal(snd - b->isn, 5);
	assert_int_equal(sk->prot->getsockopt(sk, SOL_TCP, TCP_REPAIR_WINDOW, &w, &len), 0);
	bed_close(sk);
	bed_run(b, SEC);
	expect_seg(b, "");
	/* and put together */
	n = bed_socket(b, 0);
	assert_int_equal(set(n, TCP_REPAIR, 1), 0);
	assert_int_equal(set(n, TCP_REPAIR_QUEUE, TCP_SEND_QUEUE), 0);
	assert_int_equal(set(n, TCP_QUEUE_SEQ, (int)(snd - 4)), 0);
	assert_int_equal(set(n, TCP_REPAIR_QUEUE, TCP_RECV_QUEUE), 0);
	assert_int_equal(set(n, TCP_QUEUE_SEQ, (int)(rcv - 6)), 0);
	assert_int_equal(n->prot->get_port(n, sport), 0);
	inet_sk(n)->sport = sport;
	assert_int_equal(bed_connect(b, n, 1, 80), 0);
	assert_int_equal(n->state, TCP_ESTABLISHED);
	bed_run(b, 0);
	expect_seg(b, "");
	assert_int_equal(n->prot->setsockopt(n, SOL_TCP, TCP_REPAIR_OPTIONS, o, sizeof(o)), 0);
	assert_int_equal(bed_send(n, "unread", 6, 0), 6); /* into the receive queue */
	assert_int_equal(set(n, TCP_REPAIR_QUEUE, TCP_SEND_QUEUE), 0);
	assert_int_equal(bed_send(n, "gone", 4, 0), 4);
	assert_int_equal(n->prot->setsockopt(n, SOL_TCP, TCP_REPAIR_WINDOW, &w, sizeof(w)), 0);
	bed_run(b, 0);
	expect_seg(b, "");
	assert_int_equal(set(n, TCP_REPAIR, 0), 0);
	bed_run(b, 0);
	expect_seg(b, ". 0:0 ack 7"); /* the window probe */
	assert_int_equal(bed_recv(n, buf, sizeof(buf), 0), 6);
	assert_memory_equal(buf, "unread", 6);
	say(b, n, ". 7 ack 1", NULL, 0);
	bed_run(b, 2 * SEC); /* what nobody acknowledged is repeated */
	expect_seg(b, "P. 1:5 ack 7");
	bed_forget(b);
	say(b, n, "P. 7 ack 5", "more", 4);
	assert_int_equal(bed_recv(n, buf, sizeof(buf), 0), 4);
	bed_forget(b);
	assert_int_equal(bed_send(n, "back", 4, 0), 4);
	bed_run(b, 0);
	expect_seg(b, "P. 5:9 ack 11");
	done(b, n);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(so_tcp_repair_errors), cmocka_unit_test(so_tcp_repair_moves_a_connection) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
