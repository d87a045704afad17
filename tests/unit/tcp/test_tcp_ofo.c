/* The out-of-order queue: its list and its tree say the same, whatever is inserted, merged, collapsed and thrown away. */
#include "tcp_bed.h"
#include <stdio.h>
#include <string.h>

#define TEXT 60000u
static char text[TEXT];

static void text_make(void)
{
	for (uint32_t i = 0; i < TEXT; i++)
		text[i] = (char)(i * 7 + i / 251);
}

/* In order of the tree: the next one of the list each time. */
static struct sk_buff *in_order(struct sk_buff *t, struct sk_buff *at, uint32_t *n)
{
	if (!t)
		return at;
	at = in_order(TCP_SKB_CB(t)->ofo.left, at, n);
	assert_ptr_equal(t, at);
	++*n;
	return in_order(TCP_SKB_CB(t)->ofo.right, at->next, n);
}

static void tree_is_list(const struct sock *sk)
{
	struct tcp_sackinfo *si = tcp_sk(sk)->sack;
	uint32_t n = 0;

	if (!si)
		return;
	in_order(si->ofo_root, si->ofo_queue.next, &n);
	assert_int_equal(n, si->ofo_queue.qlen);
}

/* Octets from..to of the text, out of order or not. */
static void part(struct bed *b, struct sock *sk, uint32_t from, uint32_t to)
{
	char t[64];

	snprintf(t, sizeof(t), "P. %u ack 1", 1 + from);
	say(b, sk, t, text + from, to - from);
	tree_is_list(sk);
	bed_forget(b);
}

static struct sock *small_buffer(struct bed *b, int32_t rcvbuf)
{
	struct sock *sk = connected(b, SACKED);

	sk->userlocks |= 2; /* fixed by the program: a full one is collapsed and pruned, and does not grow */
	sk->rcvbuf = rcvbuf;
	return sk;
}

/* Small segments from the far end to the near one join nobody's buffer; when memory is used up, runs of them are collapsed. Each
 * length makes other runs, and other priorities in the tree. */
static void ts_23_collapsed_runs_stay_in_the_tree(void **state)
{
	for (uint32_t len = 60; len <= 130; len += 5) {
		struct bed *b = scripted_bed();
		struct sock *sk = small_buffer(b, 24000);
		static char in[TEXT];
		uint64_t was;

		for (uint32_t at = 80 * len; at > len; at -= len)
			part(b, sk, at, at + len);
		assert_true(sk->net->mib.tcpext.TCPRcvCollapsed > 20);
		assert_int_equal(sk->net->mib.tcpext.OfoPruned, 0);
		was = tcp_sk(sk)->rcv_nxt;
		part(b, sk, 0, 2 * len);
		assert_int_equal(tcp_sk(sk)->rcv_nxt - was, 81 * len);
		assert_int_equal(bed_recv(sk, in, sizeof(in), 0), 81 * len);
		assert_memory_equal(in, text, 81 * len);
		done(b, sk);
	}
}

/* Segments of every length, overlapping and repeated, into a buffer that is much too small for them. */
static void ts_23_any_order_and_any_overlap(void **state)
{
	uint64_t rnd = 7;

	for (unsigned round = 0; round < 40; round++) {
		struct bed *b = scripted_bed();
		struct sock *sk = small_buffer(b, 12000 + (int32_t)(bed_seed(&rnd) % 30000));
		static char in[TEXT];
		uint32_t got = 0;

		for (unsigned i = 0; i < 400; i++) {
			uint32_t from = got + (uint32_t)(bed_seed(&rnd) >> 20) % 9000, len = 1 + (uint32_t)(bed_seed(&rnd) >> 20) % (i & 1 ? 1000 : 60);
			ssize_t n;

			part(b, sk, from, from + len);
			n = bed_recv(sk, in, sizeof(in), 0);
			if (n > 0) {
				assert_memory_equal(in, text + got, (size_t)n);
				got += (uint32_t)n;
			}
			if (got > TEXT - 12000)
				break;
		}
		done(b, sk);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ts_23_collapsed_runs_stay_in_the_tree),
		cmocka_unit_test(ts_23_any_order_and_any_overlap),
	};

	text_make();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
