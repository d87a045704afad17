/* TCP as the tracker sees it: states, windows, resets. The router does not translate here. */
#include "nat_bed.h"
#include <stdlib.h>

static int setup(void **state)
{
	nat_bed_open();
	quiet("iptables -A FORWARD -m conntrack --ctstate INVALID -j DROP");
	return 0;
}

static int teardown(void **state)
{
	nat_bed_close();
	return 0;
}

/* From A:5000 to R:80, or back. Did it pass? */
static bool go(uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
	clear();
	wire_in(in, pkt_tcp(A, 5000, R, 80, flags, seq, ack, len));
	return sent(out) != NULL;
}

static bool back(uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
	clear();
	wire_in(out, pkt_tcp(R, 80, A, 5000, flags, seq, ack, len));
	return sent(in) != NULL;
}

static unsigned now(void)
{
	return conn(A, 5000) ? conn(A, 5000)->proto.tcp.state : 99u;
}

static void establish(void)
{
	assert_true(go(TCP_SYN, 1000, 0, 0));
	assert_int_equal(now(), TCP_CONNTRACK_SYN_SENT);
	assert_true(back(TCP_SYN | TCP_ACK, 5000, 1001, 0));
	assert_int_equal(now(), TCP_CONNTRACK_SYN_RECV);
	assert_true(go(TCP_ACK, 1001, 5001, 0));
	assert_int_equal(now(), TCP_CONNTRACK_ESTABLISHED);
	assert_true(conn(A, 5000)->status & IPS_ASSURED);
}

static void open_and_close(void **state)
{
	establish();
	assert_true(go(TCP_ACK | TCP_PSH, 1001, 5001, 100));
	assert_true(back(TCP_ACK, 5001, 1101, 1000));
	assert_true(go(TCP_FIN | TCP_ACK, 1101, 6001, 0));
	assert_int_equal(now(), TCP_CONNTRACK_FIN_WAIT);
	assert_true(go(TCP_FIN | TCP_ACK, 1101, 6001, 0)); /* again: still the same FIN */
	assert_int_equal(now(), TCP_CONNTRACK_FIN_WAIT);
	assert_true(back(TCP_ACK, 6001, 1101, 10)); /* data that was under way does not acknowledge it */
	assert_int_equal(now(), TCP_CONNTRACK_FIN_WAIT);
	assert_true(back(TCP_ACK, 6011, 1102, 0));
	assert_int_equal(now(), TCP_CONNTRACK_CLOSE_WAIT);
	assert_true(back(TCP_FIN | TCP_ACK, 6011, 1102, 0));
	assert_int_equal(now(), TCP_CONNTRACK_LAST_ACK);
	assert_true(go(TCP_ACK, 1102, 6012, 0));
	assert_int_equal(now(), TCP_CONNTRACK_TIME_WAIT);
}

static void simultaneous_close(void **state)
{
	establish();
	assert_true(go(TCP_FIN | TCP_ACK, 1001, 5001, 0));
	assert_true(back(TCP_FIN | TCP_ACK, 5001, 1001, 0));
	assert_int_equal(now(), TCP_CONNTRACK_LAST_ACK);
	assert_true(go(TCP_ACK, 1002, 5002, 0));
	assert_true(back(TCP_ACK, 5002, 1002, 0));
	assert_int_equal(now(), TCP_CONNTRACK_TIME_WAIT);
}

static void a_closed_connection_is_opened_again(void **state)
{
	open_and_close(state);
	assert_true(go(TCP_SYN, 900000, 0, 0));
	assert_int_equal(now(), TCP_CONNTRACK_SYN_SENT);
	assert_int_equal(cn()->count, 1);
	assert_true(back(TCP_SYN | TCP_ACK, 70000, 900001, 0));
	assert_true(go(TCP_ACK, 900001, 70001, 0));
	assert_int_equal(now(), TCP_CONNTRACK_ESTABLISHED);
}

static void their_syn_on_a_closed_connection_is_another_connection(void **state)
{
	open_and_close(state);
	assert_true(back(TCP_SYN, 900000, 0, 0));
	assert_null(conn(A, 5000));
	assert_non_null(conn(R, 80));
	assert_int_equal(conn(R, 80)->proto.tcp.state, TCP_CONNTRACK_SYN_SENT);
}

static void windows(void **state)
{
	establish();
	assert_false(go(TCP_ACK, 1001 + 100000, 5001, 10)); /* beyond what R allows */
	assert_false(go(TCP_ACK, 1001u - 100000u, 5001, 10)); /* older than a window */
	assert_false(go(TCP_ACK, 1001, 5001 + 10, 10));	    /* acknowledges what was not sent */
	assert_false(go(TCP_ACK, 1001, 5001u - 100000u, 10)); /* an acknowledgement from another age */
	assert_true(go(TCP_ACK, 1001 + 50000, 5001, 10));   /* in the window: one was lost before it */
	assert_true(go(TCP_ACK, 1001, 5001, 10));
	bed_sysctl(b, "net.netfilter.nf_conntrack_tcp_be_liberal", "1");
	assert_true(go(TCP_ACK, 1001 + 200000, 5001, 10));
}

static void sequence_numbers_wrap(void **state)
{
	uint32_t s = 0xfffffff0u, r = 0xfffff000u;

	assert_true(go(TCP_SYN, s, 0, 0));
	assert_true(back(TCP_SYN | TCP_ACK, r, s + 1, 0));
	assert_true(go(TCP_ACK, s + 1, r + 1, 0));
	for (uint32_t i = 0; i < 20; i++) {
		assert_true(go(TCP_ACK, s + 1 + i * 1000, r + 1 + i * 500, 1000));
		assert_true(back(TCP_ACK, r + 1 + i * 500, s + 1 + (i + 1) * 1000, 500));
	}
	assert_int_equal(now(), TCP_CONNTRACK_ESTABLISHED);
}

/* A window of 60000 << 7, which both sides have agreed upon. */
static void rfc7323_scaled_windows(void **state)
{
	for (unsigned side = 0; side < 2; side++) {
		struct pkt *p = side ? pkt_tcp(R, 80, A, 5000, TCP_SYN | TCP_ACK, 5000, 1001, 4) : pkt_tcp(A, 5000, R, 80, TCP_SYN, 1000, 0, 4);
		uint8_t *t = pkt_l4(p);

		t[12] = 24 << 2;
		memcpy(t + 20, (const uint8_t[]){ 1, 3, 3, 7 }, 4);
		put_be16(t + 16, 0);
		put_be16(t + 16, csum_fold(csum_tcpudp_nofold(A, R, 24, 6, csum_partial(t, 24, 0))));
		wire_in(side ? out : in, p);
	}
	assert_int_equal(now(), TCP_CONNTRACK_SYN_RECV);
	assert_true(go(TCP_ACK, 1001, 5001, 0));
	assert_true(back(TCP_ACK, 5001, 1001, 0)); /* this window is scaled */
	assert_true(go(TCP_ACK, 1001 + 5000000, 5001, 1000));
	assert_false(go(TCP_ACK, 1001 + 9000000, 5001, 1000));
}

static void rfc5961_resets(void **state)
{
	establish();
	assert_true(back(TCP_ACK, 5001, 1001, 1000));
	assert_true(go(TCP_ACK, 1001, 6001, 0));
	assert_true(back(TCP_RST, 6002, 0, 0));
	assert_int_equal(now(), TCP_CONNTRACK_ESTABLISHED);
	assert_false(back(TCP_RST, 6000, 0, 0)); /* older than what was acknowledged */
	assert_false(back(TCP_RST, 6001 + 70000, 0, 0));
	assert_true(back(TCP_RST, 6001, 0, 0));
	assert_int_equal(now(), TCP_CONNTRACK_CLOSE);
}

static void a_reset_against_a_syn(void **state)
{
	assert_true(go(TCP_SYN, 1000, 0, 0));
	assert_false(back(TCP_RST | TCP_ACK, 0, 999, 0)); /* acknowledges nothing of ours */
	assert_int_equal(now(), TCP_CONNTRACK_SYN_SENT);
	assert_true(back(TCP_RST | TCP_ACK, 0, 1001, 0));
	assert_int_equal(now(), TCP_CONNTRACK_CLOSE);
	assert_true(go(TCP_SYN, 2000, 0, 0)); /* tried again */
	assert_int_equal(now(), TCP_CONNTRACK_SYN_SENT);
}

static void a_forged_syn_ack_teaches_nothing(void **state)
{
	assert_true(go(TCP_SYN, 1000, 0, 0));
	assert_false(back(TCP_SYN | TCP_ACK, 77777, 4242, 0));
	assert_int_equal(now(), TCP_CONNTRACK_SYN_SENT);
	assert_true(back(TCP_SYN | TCP_ACK, 5000, 1001, 0));
	assert_true(go(TCP_ACK, 1001, 5001, 10));
	assert_int_equal(now(), TCP_CONNTRACK_ESTABLISHED);
}

static void a_syn_in_a_connection_is_the_ends_affair(void **state)
{
	establish();
	assert_true(go(TCP_SYN, 99999, 0, 0)); /* the client was switched off and on */
	assert_int_equal(now(), TCP_CONNTRACK_ESTABLISHED);
	assert_true(back(TCP_ACK, 5001, 1001, 0)); /* the server's challenge (RFC 5961 4) */
	assert_true(go(TCP_RST, 1001, 0, 0));	   /* the client's answer to it */
	assert_int_equal(now(), TCP_CONNTRACK_CLOSE);
	assert_true(go(TCP_SYN, 99999, 0, 0));
	assert_int_equal(now(), TCP_CONNTRACK_SYN_SENT);
}

static void taken_up_in_the_middle(void **state)
{
	assert_true(go(TCP_ACK, 1001, 5001, 100));
	assert_int_equal(now(), TCP_CONNTRACK_ESTABLISHED);
	assert_true(back(TCP_ACK, 5001, 1101, 100000 % 1400));
	assert_true(go(TCP_ACK, 1101 + 500000, 5001, 10)); /* its windows may be scaled: nobody knows */
	teardown(state);
	setup(state);
	bed_sysctl(b, "net.netfilter.nf_conntrack_tcp_loose", "0");
	assert_false(go(TCP_ACK, 1001, 5001, 100));
	assert_int_equal(cn()->count, 0);
}

static void nobody_answers_any_more(void **state)
{
	establish();
	for (unsigned i = 0; i < 5; i++)
		assert_true(go(TCP_ACK, 1001, 5001, 100));
	assert_int_equal(conn(A, 5000)->expires_ns - b->net->now_ns, 300 * NSEC_PER_SEC);
	assert_true(back(TCP_ACK, 5001, 1101, 0));
	assert_int_equal(conn(A, 5000)->expires_ns - b->net->now_ns, 432000 * NSEC_PER_SEC);
}

/* Options that lie about their length (TP-04): read, not believed, no further than they are. */
static void options_that_lie(void **state)
{
	static const uint8_t opt[][8] = { { 3, 0 }, { 3, 1 }, { 3, 200 }, { 5, 18 }, { 2 }, { 255, 255, 255 }, { 1, 1, 1, 1, 1, 1, 1, 3 } };

	for (size_t i = 0; i < ARRAY_SIZE(opt); i++) {
		struct pkt *p = pkt_tcp(A, (uint16_t)(6000 + i), R, 80, TCP_SYN | (i & 1 ? TCP_ACK : 0), 1000, 0, 8);
		uint8_t *t = pkt_l4(p);

		t[12] = 28 << 2;
		memcpy(t + 20, opt[i], 8);
		put_be16(t + 16, 0);
		put_be16(t + 16, csum_fold(csum_tcpudp_nofold(A, R, 28, 6, csum_partial(t, 28, 0))));
		wire_in(in, p);
	}
	assert_int_equal(cn()->count, 4); /* the SYNs; a SYN,ACK begins nothing */
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(open_and_close),
		T(simultaneous_close),
		T(a_closed_connection_is_opened_again),
		T(their_syn_on_a_closed_connection_is_another_connection),
		T(windows),
		T(sequence_numbers_wrap),
		T(rfc7323_scaled_windows),
		T(rfc5961_resets),
		T(a_reset_against_a_syn),
		T(a_forged_syn_ack_teaches_nothing),
		T(a_syn_in_a_connection_is_the_ends_affair),
		T(taken_up_in_the_middle),
		T(nobody_answers_any_more),
		T(options_that_lie),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
