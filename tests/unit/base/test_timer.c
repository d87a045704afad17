/* The timing wheel, chiefly against a plain list as the model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "base/timer.h"

struct mock {
	struct timer_list t;
	struct sim *sim;
	uint32_t id;
	/* the model's view */
	bool armed;
	uint64_t expires, order;
};

struct sim {
	struct timer_wheel w;
	struct rng r;
	struct mock *m;
	uint32_t n;
	uint64_t order; /* arming counter of the model */
	uint64_t now;
	uint64_t fired;
	bool chaos; /* callbacks arm and delete */
	uint32_t span_bits;
};

static void sim_arm(struct sim *s, struct mock *m, uint64_t at)
{
	mod_timer(&s->w, &m->t, at);
	m->armed = at != TIME_NEVER;
	m->expires = at;
	m->order = s->order++;
}

static void sim_del(struct sim *s, struct mock *m)
{
	assert_int_equal(del_timer(&s->w, &m->t), m->armed);
	m->armed = false;
}

static struct mock *sim_best(struct sim *s)
{
	struct mock *best = NULL;

	for (uint32_t i = 0; i < s->n; i++) {
		struct mock *m = &s->m[i];

		assert_int_equal(timer_pending(&m->t), m->armed);
		if (m->armed && (!best || m->expires < best->expires ||
				 (m->expires == best->expires && m->order < best->order)))
			best = m;
	}
	return best;
}

static uint64_t sim_delay(struct sim *s)
{
	/* Any magnitude is as likely as any other. */
	uint32_t bits = rng_below(&s->r, s->span_bits + 1);

	return bits ? rng_u64(&s->r) >> (64 - bits) : 0;
}

static void sim_fire(struct timer_list *t)
{
	struct mock *m = container_of(t, struct mock, t);
	struct sim *s = m->sim;

	m->armed = true; /* for the scan: it is the one that should fire */
	t->slot = 0;
	assert_ptr_equal(sim_best(s), m);
	t->slot = TIMER_IDLE;
	m->armed = false;
	assert_false(timer_pending(t));
	assert_true(m->expires <= s->now);
	s->fired++;
	if (!s->chaos)
		return;
	switch (rng_below(&s->r, 4)) {
	case 0:
		sim_arm(s, m, s->now + 1 + sim_delay(s));
		break;
	case 1:
		sim_del(s, &s->m[rng_below(&s->r, s->n)]);
		break;
	case 2: /* due in the same run, or even late already */
		m = &s->m[rng_below(&s->r, s->n)];
		if (!m->armed)
			sim_arm(s, m, m->expires < s->now ? s->now : m->expires);
		break;
	default:
		break;
	}
}

static void sim_init(struct sim *s, uint32_t n, uint64_t start, uint64_t seed)
{
	memset(s, 0, sizeof(*s));
	rng_derive(&s->r, seed, "test", "wheel");
	wheel_init(&s->w, start);
	s->now = start;
	s->n = n;
	s->m = calloc(n, sizeof(*s->m));
	for (uint32_t i = 0; i < n; i++) {
		s->m[i].sim = s;
		s->m[i].id = i;
		timer_setup(&s->m[i].t, sim_fire);
	}
}

static void sim_run_to(struct sim *s, uint64_t now)
{
	s->now = now;
	wheel_run(&s->w, now);
	/* nothing due is left */
	assert_true(wheel_next(&s->w) > now);
}

static void sim_check_next(struct sim *s)
{
	struct mock *best = sim_best(s);

	assert_int_equal(wheel_next(&s->w), best ? best->expires : TIME_NEVER);
}

static void sim_random(uint64_t seed, uint32_t n, uint64_t start, uint32_t span_bits, bool chaos,
		       int ops)
{
	struct sim s;

	sim_init(&s, n, start, seed);
	s.chaos = chaos;
	s.span_bits = span_bits;
	for (int op = 0; op < ops; op++) {
		struct mock *m = &s.m[rng_below(&s.r, n)];
		uint32_t what = rng_below(&s.r, 16);

		if (what < 8) {
			sim_arm(&s, m, s.now + 1 + sim_delay(&s));
		} else if (what < 9) {
			sim_arm(&s, m, s.now > 1000 ? s.now - rng_below(&s.r, 1000) : 0); /* late */
		} else if (what < 11) {
			sim_del(&s, m);
		} else if (what < 13) {
			sim_check_next(&s);
		} else if (what < 15) {
			uint64_t next = wheel_next(&s.w);

			if (next != TIME_NEVER)
				sim_run_to(&s, max_u64(s.now, next));
		} else {
			sim_run_to(&s, s.now + sim_delay(&s));
		}
	}
	sim_check_next(&s);
	s.chaos = false;
	while (wheel_next(&s.w) != TIME_NEVER)
		sim_run_to(&s, max_u64(s.now, wheel_next(&s.w)));
	assert_null(sim_best(&s));
	assert_int_equal(s.w.pending, 0);
	for (unsigned l = 0; l < WHEEL_LEVELS; l++)
		assert_int_equal(s.w.occupied[l], 0);
	assert_true(s.fired > 0);
	free(s.m);
}

static void wheel_random_operations_match_a_list(void **state)
{
	for (uint64_t seed = 0; seed < 40; seed++)
		sim_random(seed, 60, seed * 1234567891ULL, 40, (seed & 1) != 0, 3000);
}

static void wheel_far_expiries_match_a_list(void **state)
{
	for (uint64_t seed = 100; seed < 120; seed++)
		sim_random(seed, 30, seed << 40, 55, (seed & 1) != 0, 500);
}

static void wheel_crowded_slots_match_a_list(void **state)
{
	/* All in very few slots: order within a slot, sorting and ties. */
	for (uint64_t seed = 200; seed < 215; seed++)
		sim_random(seed, 200, 0, 10, (seed & 1) != 0, 2500);
	for (uint64_t seed = 300; seed < 310; seed++)
		sim_random(seed, 200, (1ULL << 22) - 500, 18, (seed & 1) != 0, 2500);
}

static void count_fire(struct timer_list *t)
{
	struct mock *m = container_of(t, struct mock, t);

	m->order++;
}

static void wheel_last_moment_before_never(void **state)
{
	struct timer_wheel w;
	struct mock m = { 0 };

	wheel_init(&w, 0);
	timer_setup(&m.t, count_fire);
	mod_timer(&w, &m.t, TIME_NEVER - 1);
	assert_int_equal(wheel_next(&w), TIME_NEVER - 1);
	wheel_run(&w, TIME_NEVER - 2);
	assert_int_equal(m.order, 0);
	wheel_run(&w, TIME_NEVER - 1);
	assert_int_equal(m.order, 1);
	mod_timer(&w, &m.t, TIME_NEVER - 1);
	mod_timer(&w, &m.t, TIME_NEVER);
	assert_false(timer_pending(&m.t));
	assert_int_equal(wheel_next(&w), TIME_NEVER);
}

static void wheel_never_fires_early_at_every_level(void **state)
{
	for (unsigned bit = 0; bit < 63; bit++) {
		for (uint64_t d = 0; d <= 2; d++) {
			struct timer_wheel w;
			struct mock m = { 0 };
			uint64_t at = (1ULL << bit) + 76 + d;

			wheel_init(&w, 77);
			timer_setup(&m.t, count_fire);
			mod_timer(&w, &m.t, at);
			assert_int_equal(wheel_next(&w), at);
			if (at > 77) {
				/* halfway first, so that it must come down */
				wheel_run(&w, 77 + (at - 77) / 2);
				wheel_run(&w, at - 1);
			}
			assert_int_equal(m.order, 0);
			assert_int_equal(wheel_next(&w), at);
			wheel_run(&w, at);
			assert_int_equal(m.order, 1);
		}
	}
}

static void free_self(struct timer_list *t)
{
	free(container_of(t, struct mock, t));
}

static void wheel_callback_may_free_its_timer(void **state)
{
	struct timer_wheel w;
	struct mock *m = calloc(1, sizeof(*m));

	wheel_init(&w, 0);
	timer_setup(&m->t, free_self);
	mod_timer(&w, &m->t, 5);
	wheel_run(&w, 10);
	assert_int_equal(w.pending, 0);
}

/* Many equal timeouts re-armed in turn: the earliest is always the one touched next. This
 * must not scan (it would take minutes), and the next deadline must stay exact. */
static void wheel_rearmed_in_turn_stays_exact(void **state)
{
	enum { TIMERS = 20000, ROUNDS = 15 };
	struct timer_wheel w;
	struct mock *m = calloc(TIMERS, sizeof(*m));
	uint64_t now = 0;

	wheel_init(&w, 0);
	for (uint32_t i = 0; i < TIMERS; i++)
		timer_setup(&m[i].t, count_fire);
	for (uint32_t k = 0; k < TIMERS * ROUNDS; k++) {
		now += 1000;
		mod_timer(&w, &m[k % TIMERS].t, now + 200 * NSEC_PER_MSEC);
		if (k >= TIMERS)
			assert_int_equal(wheel_next(&w),
					 now - (TIMERS - 1) * 1000ULL + 200 * NSEC_PER_MSEC);
		wheel_run(&w, now);
	}
	for (uint32_t i = 0; i < TIMERS; i++)
		assert_int_equal(m[i].order, 0);
	wheel_run(&w, now + NSEC_PER_SEC);
	for (uint32_t i = 0; i < TIMERS; i++)
		assert_int_equal(m[i].order, 1);
	free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wheel_random_operations_match_a_list),
		cmocka_unit_test(wheel_far_expiries_match_a_list),
		cmocka_unit_test(wheel_crowded_slots_match_a_list),
		cmocka_unit_test(wheel_last_moment_before_never),
		cmocka_unit_test(wheel_never_fires_early_at_every_level),
		cmocka_unit_test(wheel_callback_may_free_its_timer),
		cmocka_unit_test(wheel_rearmed_in_turn_stays_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
