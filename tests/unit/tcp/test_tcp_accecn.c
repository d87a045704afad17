/* Accurate ECN's arithmetic (RFC 9768): counters of 24 bits, the safest likely reading of three, codepoints in ACE, and where the
 * option finds room. What goes over the wire: tests/packet/accecn. */
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include "tcp/tcp_accecn.h"
#include "tcp/tcp_int.h"

/* ---- 24 bits ---- */
static void counter_goes_on_over_turns(void **state)
{
	uint32_t c = 0;

	assert_int_equal(tcp_accecn_counter_update(&c, 1, 1), 0);
	assert_int_equal(tcp_accecn_counter_update(&c, 1001, 1), 1000);
	for (uint32_t sent = 1000, i = 0; i < 40; i++) { /* 40 steps of 2^22: ten turns */
		sent += 1u << 22;
		assert_int_equal(tcp_accecn_counter_update(&c, (sent + 1) & 0xffffff, 1), 1 << 22);
		assert_int_equal(c, sent);
	}
}

static void counter_of_old_acks_is_negative(void **state)
{
	uint32_t c = 0x01000010;

	assert_int_equal(tcp_accecn_counter_update(&c, 0xfffff0, 0), -0x20);
	assert_int_equal(c, 0x00fffff0);
	assert_int_equal(tcp_accecn_counter_update(&c, 0x10, 0), 0x20);
	assert_int_equal(c, 0x01000010);
	c = 0;
	assert_int_equal(tcp_accecn_counter_update(&c, 0x7fffff, 0), 0x7fffff); /* the last that counts as new */
	c = 0;
	assert_int_equal(tcp_accecn_counter_update(&c, 0x800000, 0), -0x800000);
}

/* ---- how many marks ---- */
static uint32_t marks(uint32_t delta, uint32_t pkts)
{
	struct tcp_accecn_evidence e = { .delta = delta, .pkts = pkts, .bytes = pkts * 1000, .mss = 1000, .order_known = true };

	return tcp_accecn_marks(&e);
}

static uint32_t marks_counted(uint32_t delta, uint32_t pkts, uint32_t d_ceb)
{
	struct tcp_accecn_evidence e = { .delta = delta, .pkts = pkts, .bytes = pkts * 1000, .mss = 1000, .order_known = true,
					 .counters = true, .d_ceb = d_ceb };

	return tcp_accecn_marks(&e);
}

static void up_to_seven_segments_are_exact(void **state)
{
	for (uint32_t pkts = 0; pkts < 8; pkts++)
		for (uint32_t d = 0; d < 8; d++)
			assert_int_equal(marks(d, pkts), d);
}

/* The largest number that is no more than the segments delivered and ends in delta. */
static void safest_likely_is_the_most_that_can_be(void **state)
{
	for (uint32_t pkts = 8; pkts < 200; pkts++)
		for (uint32_t d = 0; d < 8; d++) {
			uint32_t m = marks(d, pkts);

			assert_int_equal(m % 8, d);
			assert_true(m <= pkts && m + 8 > pkts);
		}
	assert_int_equal(marks(1, 10), 9);
	assert_int_equal(marks(0, 10), 8);
	assert_int_equal(marks(3, 10), 3);
}

static void large_acks_are_no_lost_ones(void **state)
{
	struct tcp_accecn_evidence e = { .delta = 1, .pkts = 16, .bytes = 16000, .mss = 1000, .large_acks = true };

	assert_int_equal(tcp_accecn_marks(&e), 1);
	e.large_acks = false;
	assert_int_equal(tcp_accecn_marks(&e), 9);
}

static void octets_decide(void **state)
{
	/* ten segments, ACE has grown by one */
	assert_int_equal(marks_counted(1, 10, 0), 1);    /* no octet of CE: the segment had none (or the option is older) */
	assert_int_equal(marks_counted(1, 10, 1000), 1);
	assert_int_equal(marks_counted(1, 10, 1001), 9); /* more than one segment holds */
	assert_int_equal(marks_counted(1, 10, 9000), 9);
	/* sixteen and more: by the average segment, in whole turns */
	assert_int_equal(marks_counted(2, 20, 2000), 2);
	assert_int_equal(marks_counted(2, 20, 10000), 10);
	assert_int_equal(marks_counted(2, 20, 18000), 18);
	assert_int_equal(marks_counted(2, 20, 20000), 18); /* all of it: the most that can be */
	assert_int_equal(marks_counted(4, 40, 12000), 12);
}

static void octets_of_small_segments(void **state)
{
	struct tcp_accecn_evidence e = { .delta = 3, .pkts = 12, .bytes = 1200, .mss = 1000, .counters = true, .order_known = true, .d_ceb = 1100 };

	assert_int_equal(tcp_accecn_marks(&e), 3); /* 12 - 1 = 11 marked ones would hold 5500 octets or so, if they were full */
	e.d_ceb = 5500;
	assert_int_equal(tcp_accecn_marks(&e), 11);
}

/* ---- the handshake's encoding ---- */
static void codepoints_in_ace(void **state)
{
	static const uint8_t ace[] = { 2, 3, 4, 6 };

	for (uint8_t e = 0; e < 4; e++) {
		assert_int_equal(tcp_accecn_ace_of_ect(e), ace[e]);
		assert_int_equal(tcp_accecn_ect_of_ace(ace[e]), e);
	}
	assert_int_equal(tcp_accecn_ect_of_ace(5), TCP_NOT_ECT); /* reserved: unchanged */
	for (uint8_t a = 0; a < 8; a++)
		assert_int_equal(tcp_accecn_syn_asks(a), a != 0 && a != 3);
}

static void codepoints_that_may_change(void **state)
{
	static const bool may[4][4] = { /* sent, came: Not-ECT, ECT(1), ECT(0), CE */
		{ 1, 0, 0, 0 }, { 0, 1, 1, 1 }, { 0, 1, 1, 1 }, { 0, 0, 0, 1 } };

	for (uint8_t s = 0; s < 4; s++)
		for (uint8_t c = 0; c < 4; c++)
			assert_int_equal(tcp_accecn_transition_valid(s, c), may[s][c]);
}

static void first_option_zeroed(void **state)
{
	struct tcp_accecn_option o = { 0 };

	assert_int_equal(tcp_accecn_option_seen(&o), TCP_ACCECN_OPT_EMPTY_SEEN);
	o = (struct tcp_accecn_option){ .n = 3, .value = { 1, 0, 1 } };
	assert_int_equal(tcp_accecn_option_seen(&o), TCP_ACCECN_OPT_COUNTER_SEEN);
	o.value[2] = 0;
	assert_int_equal(tcp_accecn_option_seen(&o), TCP_ACCECN_OPT_FAIL_SEEN);
	o.n = 2;
	assert_int_equal(tcp_accecn_option_seen(&o), TCP_ACCECN_OPT_COUNTER_SEEN);
	o.value[0] = 0;
	assert_int_equal(tcp_accecn_option_seen(&o), TCP_ACCECN_OPT_FAIL_SEEN);
}

/* ---- room ---- */
static void fit(unsigned blocks, unsigned min, uint32_t room, uint32_t spare, int fields, unsigned size, unsigned blocks_left)
{
	struct tcp_out_options o = { .num_sack_blocks = (uint8_t)blocks };

	tcp_accecn_fit(&o, min, room, spare);
	assert_int_equal((o.options & OPTION_ACCECN) != 0, fields >= 0);
	if (fields >= 0) {
		assert_int_equal(o.accecn_fields, fields);
		assert_int_equal(o.accecn_size, size);
	}
	assert_int_equal(o.num_sack_blocks, blocks_left);
}

static void option_takes_what_there_is(void **state)
{
	fit(0, 0, 40, 0, 3, 12, 0);
	fit(0, 0, 11, 0, 2, 8, 0);
	fit(0, 0, 8, 0, 2, 8, 0);
	fit(0, 0, 4, 0, 0, 4, 0);
	fit(0, 1, 4, 0, -1, 0, 0);
	fit(0, 0, 3, 0, -1, 0, 0);
	fit(3, 3, 12, 2, 3, 12, 3);
	fit(4, 1, 4, 2, 1, 4, 4);  /* one octet instead of a NOP of the SACK option's */
	fit(4, 0, 0, 2, 0, 0, 4);  /* kind and length instead of both */
	fit(4, 3, 4, 2, 3, 12, 3); /* all fields are due: one block less */
	fit(3, 3, 0, 2, -1, 0, 3); /* with timestamps: two blocks stay, and eight octets are not enough */
	fit(3, 1, 0, 2, 2, 8, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counter_goes_on_over_turns), cmocka_unit_test(counter_of_old_acks_is_negative),
		cmocka_unit_test(up_to_seven_segments_are_exact), cmocka_unit_test(safest_likely_is_the_most_that_can_be),
		cmocka_unit_test(large_acks_are_no_lost_ones), cmocka_unit_test(octets_decide), cmocka_unit_test(octets_of_small_segments),
		cmocka_unit_test(codepoints_in_ace), cmocka_unit_test(codepoints_that_may_change), cmocka_unit_test(first_option_zeroed),
		cmocka_unit_test(option_takes_what_there_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
