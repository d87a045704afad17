/* Impairments: each does what its name says, in netem's order, and the same in every run. */
#include "hw_test.h"

struct bench {
	struct world w;
	struct end a, b;
	struct hw_cable *c;
};

static void setup(struct bench *t, const struct tc_params *tc, uint64_t seed)
{
	struct hw_cable_params p = { 0 };

	if (tc)
		p.tc[0] = *tc;
	world_init(&t->w);
	end_init(&t->a, "a", 1);
	end_init(&t->b, "b", 2);
	t->c = hw_cable_new(&t->w.w, "a-b", seed, &p);
	assert_non_null(t->c);
	hw_cable_plug(t->c, 0, &t->a.port);
	hw_cable_plug(t->c, 1, &t->b.port);
}

static void teardown(struct bench *t)
{
	end_clear(&t->a);
	end_clear(&t->b);
	hw_cable_free(t->c);
	world_free(&t->w);
}

/* n frames back to back, numbered from 1 in their serial. */
static void send_n(struct bench *t, uint32_t n, uint32_t len)
{
	for (uint32_t i = 1; i <= n; i++) {
		struct hw_frame *f = plain(&t->w, len);

		f->serial = i;
		send_next(&t->w, &t->a, f);
	}
}

static void drop_list_takes_exactly_these_frames(void **state)
{
	uint32_t list[] = { 3, 7 };
	struct tc_params tc = { .drop = list, .n_drop = 2 };
	static const uint64_t want[] = { 1, 2, 4, 5, 6, 8, 9, 10 };
	struct bench t;

	(void)state;
	setup(&t, &tc, 1);
	list[0] = 1; /* the cable has its own copy */
	send_n(&t, 10, 60);
	run_all(&t.w);
	assert_int_equal(t.b.n, 8);
	for (uint32_t i = 0; i < 8; i++)
		assert_int_equal(t.b.got[i]->serial, want[i]);
	assert_int_equal(hw_cable_stats(t.c, 0)->lost, 2);
	/* the other direction is perfect */
	hw_port_send(&t.b.port, plain(&t.w, 60));
	run_all(&t.w);
	assert_int_equal(t.a.n, 1);
	teardown(&t);
}

/* Which of n frames arrive, as a string of 0 and 1. */
static void pattern(char *out, uint32_t n, const struct tc_params *tc, uint64_t seed)
{
	struct bench t;

	setup(&t, tc, seed);
	memset(out, '0', n);
	out[n] = '\0';
	send_n(&t, n, 60);
	run_all(&t.w);
	for (uint32_t i = 0; i < t.b.n; i++)
		out[t.b.got[i]->serial - 1] = '1';
	teardown(&t);
}

static void loss_is_as_likely_as_asked_and_repeats(void **state)
{
	struct tc_params tc = { .loss_ppm = 200000 };
	char one[2001], two[2001], other[2001];
	uint32_t lost = 0;

	(void)state;
	pattern(one, 2000, &tc, 1);
	pattern(two, 2000, &tc, 1);
	pattern(other, 2000, &tc, 2);
	assert_string_equal(one, two);
	assert_string_not_equal(one, other);
	for (const char *c = one; *c; c++)
		lost += *c == '0';
	assert_in_range(lost, 340, 460);
}

static void uses_of_chance_do_not_disturb_each_other(void **state)
{
	struct tc_params alone = { .loss_ppm = 100000 };
	struct tc_params with = {.loss_ppm = 100000,
				 .corrupt_ppm = 300000,
				 .corrupt_inner_ppm = 300000,
				 .reorder_ppm = 200000,
				 .jitter_ns = 5000,
				 .delay_ns = 10000};
	char one[501], two[501];

	(void)state;
	pattern(one, 500, &alone, 7);
	pattern(two, 500, &with, 7);
	assert_string_equal(one, two);
}

static void corrupt_flips_one_bit_and_the_fcs_catches_it(void **state)
{
	struct tc_params tc = { .corrupt_ppm = 1000000 };
	struct hw_frame *sent;
	struct bench t;

	(void)state;
	setup(&t, &tc, 1);
	for (int i = 0; i < 200; i++) {
		uint32_t bits = 0, at = 0;
		char words[32];

		sent = plain(&t.w, 100);
		hw_frame_get(sent);
		send_next(&t.w, &t.a, sent);
		run_all(&t.w);
		assert_int_equal(t.b.n, 1);
		for (uint32_t o = 0; o < sent->len; o++) {
			uint8_t diff = sent->data[o] ^ t.b.got[0]->data[o];

			bits += (uint32_t)__builtin_popcount(diff);
			if (diff)
				at = (o - 8) * 8 + (uint32_t)__builtin_ctz(diff);
			assert_true(!diff || o >= 8);
		}
		assert_int_equal(bits, 1);
		snprintf(words, sizeof(words), "corrupted bit %u", at);
		assert_string_equal(t.w.fate, words);
		assert_false(hw_frame_check_fcs(t.b.got[0], 8));
		assert_true(sent->fcs_ok); /* the frame as sent is untouched */
		hw_frame_put(sent);
		end_clear(&t.b);
	}
	assert_int_equal(hw_cable_stats(t.c, 0)->corrupted, 200);
	teardown(&t);
}

static void corrupt_inner_passes_the_fcs_but_not_the_checksums(void **state)
{
	struct tc_params tc = { .corrupt_inner_ppm = 1000000 };
	uint8_t a[ETH_ALEN], b[ETH_ALEN];
	struct hw_frame *sent, *got;
	struct bench t;

	(void)state;
	setup(&t, &tc, 1);
	mac_of(a, 1);
	mac_of(b, 2);
	for (int i = 0; i < 200; i++) {
		uint32_t bits = 0;

		sent = udp_frame(&t.w, b, a, 5); /* padded: the padding is not in the packet */
		hw_frame_get(sent);
		send_next(&t.w, &t.a, sent);
		run_all(&t.w);
		got = t.b.got[0];
		got->fcs_ok = false;
		assert_true(hw_frame_check_fcs(got, 8));
		for (uint32_t o = 8; o < 8 + 60; o++) {
			uint8_t diff = sent->data[o] ^ got->data[o];

			bits += (uint32_t)__builtin_popcount(diff);
			assert_true(!diff || (o >= 8 + ETH_HLEN && o < 8 + ETH_HLEN + 33));
		}
		assert_int_equal(bits, 1);
		hw_frame_put(sent);
		end_clear(&t.b);
	}
	assert_int_equal(hw_cable_stats(t.c, 0)->corrupted_inner, 200);
	/* not IPv4: left alone */
	send_next(&t.w, &t.a, plain(&t.w, 100));
	run_all(&t.w);
	assert_string_equal(t.w.fate, "");
	teardown(&t);
}

static void duplicate_comes_right_behind(void **state)
{
	struct tc_params tc = { .duplicate_ppm = 1000000 };
	struct bench t;

	(void)state;
	setup(&t, &tc, 1);
	send_n(&t, 1, 60);
	run_all(&t.w);
	assert_int_equal(t.b.n, 2);
	assert_ptr_equal(t.b.got[0], t.b.got[1]);
	assert_int_equal(t.b.at[1] - t.b.at[0], 72 * 8); /* one bit after the other */
	assert_string_equal(t.w.fate, "duplicated");
	teardown(&t);
}

static void duplicate_and_loss_of_one_frame_cancel_out(void **state)
{
	struct tc_params tc = { .duplicate_ppm = 1000000, .loss_ppm = 1000000 };
	struct bench t;

	(void)state;
	setup(&t, &tc, 1);
	send_n(&t, 5, 60);
	run_all(&t.w);
	assert_int_equal(t.b.n, 5);
	teardown(&t);
}

static void delay_is_added(void **state)
{
	struct tc_params tc = { .delay_ns = 33 * NSEC_PER_MSEC };
	struct bench t;

	(void)state;
	setup(&t, &tc, 1);
	send_n(&t, 1, 60);
	run_all(&t.w);
	assert_int_equal(t.b.at[0], 72 * 8 + 500 + 33 * NSEC_PER_MSEC);
	teardown(&t);
}

static void jitter_varies_but_keeps_order(void **state)
{
	struct tc_params tc = { .delay_ns = 50000, .jitter_ns = 40000 };
	uint64_t min = TIME_NEVER, max = 0;
	struct bench t;

	(void)state;
	setup(&t, &tc, 1);
	for (uint32_t i = 0; i < 500; i++) {
		uint64_t sent;

		run_until(&t.w, (uint64_t)i * 200000); /* far apart: each has its own jitter */
		sent = t.w.q.now_ns;
		hw_port_send(&t.a.port, plain(&t.w, 60));
		run_until(&t.w, sent + 190000);
		assert_int_equal(t.b.n, i + 1);
		min = min_u64(min, t.b.at[i] - sent);
		max = max_u64(max, t.b.at[i] - sent);
	}
	assert_in_range(min, 576 + 500 + 10000, 576 + 500 + 12000);
	assert_in_range(max, 576 + 500 + 88000, 576 + 500 + 90000);
	end_clear(&t.b);
	send_n(&t, 1000, 60); /* back to back: jitter is much more than their distance */
	run_all(&t.w);
	assert_int_equal(t.b.n, 1000);
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(t.b.got[i]->serial, i + 1);
	teardown(&t);
}

static uint32_t overtakings(const struct end *e)
{
	uint64_t highest = 0;
	uint32_t late = 0;

	for (uint32_t i = 0; i < e->n; i++) {
		late += e->got[i]->serial < highest;
		highest = max_u64(highest, e->got[i]->serial);
	}
	return late;
}

static void reorder_sends_at_once_past_the_delayed(void **state)
{
	struct tc_params tc = { .delay_ns = 1000000, .reorder_ppm = 100000 };
	struct bench t;
	uint32_t early = 0;

	(void)state;
	setup(&t, &tc, 3);
	send_n(&t, 1000, 60);
	run_all(&t.w);
	assert_int_equal(t.b.n, 1000);
	assert_true(overtakings(&t.b) > 0);
	for (uint32_t i = 0; i < 1000; i++) {
		uint64_t undelayed = (t.b.got[i]->serial - 1) * 84 * 8 + 72 * 8 + 500;

		early += t.b.at[i] < undelayed + 1000000;
	}
	assert_int_equal(early, hw_cable_stats(t.c, 0)->reordered);
	assert_in_range(early, 60, 140);
	teardown(&t);
}

static void reorder_without_delay_really_reorders(void **state)
{
	struct tc_params tc = { .reorder_ppm = 100000 };
	struct bench t;

	(void)state;
	setup(&t, &tc, 3);
	send_n(&t, 300, 1514);
	run_all(&t.w);
	assert_int_equal(t.b.n, 300);
	assert_true(overtakings(&t.b) > 20);
	teardown(&t);
}

static void reorder_gap_is_how_much_earlier(void **state)
{
	struct tc_params tc = {
	    .delay_ns = 1000000, .reorder_ppm = 1000000, .reorder_gap_ns = 300000};
	struct bench t;

	(void)state;
	setup(&t, &tc, 3);
	send_n(&t, 1, 60);
	run_all(&t.w);
	assert_int_equal(t.b.at[0], 576 + 500 + 700000);
	teardown(&t);
}

/* No two frames come out of a cable within the time that one takes. */
static void arrivals_never_overlap(void **state)
{
	struct tc_params tc = { .delay_ns = 20000, .jitter_ns = 20000, .reorder_ppm = 300000,
				.duplicate_ppm = 300000 };
	struct bench t;

	(void)state;
	setup(&t, &tc, 5);
	send_n(&t, 1000, 200);
	run_all(&t.w);
	for (uint32_t i = 1; i < t.b.n; i++)
		assert_true(t.b.at[i] >= t.b.at[i - 1] + t.b.got[i]->len * 8);
	teardown(&t);
}

/* 10 Mbit/s: a frame of 1514 octets (as tc weighs it) each 1.2112 ms. */
static void rate_shapes(void **state)
{
	struct tc_params tc = { .rate_bps = 10000000 };
	struct bench t;

	(void)state;
	setup(&t, &tc, 1);
	send_n(&t, 20, 1514);
	run_all(&t.w);
	assert_int_equal(t.b.n, 20);
	for (uint32_t i = 1; i < 20; i++)
		assert_int_equal(t.b.at[i] - t.b.at[i - 1], 1211200);
	assert_int_equal(t.b.at[0], 12208 + 500 + 1211200);
	teardown(&t);
}

static void rate_limiter_drops_at_its_tail(void **state)
{
	struct tc_params tc = { .rate_bps = 10000000, .limit_bytes = 10000 };
	struct bench t;

	(void)state;
	setup(&t, &tc, 1);
	send_n(&t, 20, 1514);
	run_all(&t.w);
	/* 6 x 1514 fit beside what the line has already given to the limiter */
	assert_in_range(t.b.n, 6, 7);
	assert_int_equal(hw_cable_stats(t.c, 0)->queue_drops, 20 - t.b.n);
	assert_string_equal(t.w.fate, "lost (queue full)");
	for (uint32_t i = 0; i < t.b.n; i++)
		assert_int_equal(t.b.got[i]->serial, i + 1);
	/* when it has drained it takes frames again */
	run_until(&t.w, NSEC_PER_SEC);
	end_clear(&t.b);
	send_n(&t, 1, 1514);
	run_all(&t.w);
	assert_int_equal(t.b.n, 1);
	teardown(&t);
}

static void tc_can_change_at_run_time(void **state)
{
	uint32_t list[] = { 2, 4 };
	struct tc_params tc = { .delay_ns = 1000000 }, bad = { .loss_ppm = 1000001 };
	struct tc_params drops = { .drop = list, .n_drop = 2 };
	struct bench t;

	(void)state;
	setup(&t, NULL, 1);
	assert_int_equal(hw_cable_set_tc(t.c, 0, &bad), -22);
	assert_int_equal(hw_cable_set_tc(t.c, 0, &tc), 0);
	assert_int_equal(hw_cable_tc(t.c, 0)->delay_ns, 1000000);
	send_n(&t, 2, 60);
	assert_int_equal(hw_cable_set_tc(t.c, 0, &drops), 0); /* frame 2 went before */
	send_n(&t, 3, 60);
	run_all(&t.w);
	assert_int_equal(t.b.n, 4);
	assert_int_equal(t.b.got[2]->serial, 1);
	assert_int_equal(t.b.got[3]->serial, 3);
	list[1] = 2;
	assert_int_equal(hw_cable_set_tc(t.c, 0, &drops), -22);
	assert_int_equal(hw_cable_set_tc(t.c, 0, NULL), 0);
	teardown(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(drop_list_takes_exactly_these_frames),
		cmocka_unit_test(loss_is_as_likely_as_asked_and_repeats),
		cmocka_unit_test(uses_of_chance_do_not_disturb_each_other),
		cmocka_unit_test(corrupt_flips_one_bit_and_the_fcs_catches_it),
		cmocka_unit_test(corrupt_inner_passes_the_fcs_but_not_the_checksums),
		cmocka_unit_test(duplicate_comes_right_behind),
		cmocka_unit_test(duplicate_and_loss_of_one_frame_cancel_out),
		cmocka_unit_test(delay_is_added),
		cmocka_unit_test(jitter_varies_but_keeps_order),
		cmocka_unit_test(reorder_sends_at_once_past_the_delayed),
		cmocka_unit_test(reorder_without_delay_really_reorders),
		cmocka_unit_test(reorder_gap_is_how_much_earlier),
		cmocka_unit_test(arrivals_never_overlap),
		cmocka_unit_test(rate_shapes),
		cmocka_unit_test(rate_limiter_drops_at_its_tail),
		cmocka_unit_test(tc_can_change_at_run_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
