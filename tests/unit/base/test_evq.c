/* The event queue against the order that its header promises. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/evq.h"
#include "base/list.h"
#include "base/rng.h"

struct item {
	struct ev ev;
	struct evq *q;
	uint64_t *log;
	uint32_t *n;
	uint64_t id;
	uint32_t again; /* times to reschedule itself */
};

static void item_fn(struct ev *ev)
{
	struct item *it = container_of(ev, struct item, ev);

	it->log[(*it->n)++] = it->id;
	if (it->again) {
		it->again--;
		evq_at(it->q, ev, it->q->now_ns + 5);
	}
}

#define N 8
struct fixture {
	struct evq q;
	struct item it[N];
	uint64_t log[64];
	uint32_t n;
};

static void fixture_init(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	evq_init(&f->q);
	for (uint32_t i = 0; i < N; i++) {
		f->it[i].q = &f->q;
		f->it[i].log = f->log;
		f->it[i].n = &f->n;
		f->it[i].id = i;
		ev_init(&f->it[i].ev, i, item_fn);
	}
}

static void evq_orders_by_time_node_sequence(void **state)
{
	struct fixture f;

	fixture_init(&f);
	f.it[0].ev.node = 2;
	f.it[1].ev.node = 1;
	f.it[2].ev.node = 1;
	f.it[3].ev.node = 9;
	evq_at(&f.q, &f.it[2].ev, 100); /* same instant and node as 1, but first */
	evq_at(&f.q, &f.it[0].ev, 100);
	evq_at(&f.q, &f.it[1].ev, 100);
	evq_at(&f.q, &f.it[3].ev, 50);
	assert_int_equal(evq_next(&f.q), 50);
	while (evq_run_one(&f.q))
		;
	assert_int_equal(f.n, 4);
	assert_int_equal(f.log[0], 3);
	assert_int_equal(f.log[1], 2);
	assert_int_equal(f.log[2], 1);
	assert_int_equal(f.log[3], 0);
	assert_int_equal(f.q.now_ns, 100);
	assert_int_equal(evq_next(&f.q), TIME_NEVER);
	assert_false(evq_run_one(&f.q));
	evq_free(&f.q);
}

static void evq_past_counts_as_now(void **state)
{
	struct fixture f;

	fixture_init(&f);
	evq_at(&f.q, &f.it[0].ev, 100);
	assert_true(evq_run_one(&f.q));
	evq_at(&f.q, &f.it[1].ev, 7);
	assert_int_equal(evq_next(&f.q), 100);
	assert_true(evq_run_one(&f.q));
	assert_int_equal(f.q.now_ns, 100);
	evq_free(&f.q);
}

static void evq_reschedule_takes_new_sequence_and_cancel_is_idempotent(void **state)
{
	struct fixture f;

	fixture_init(&f);
	for (int i = 0; i < 3; i++)
		f.it[i].ev.node = 1;
	evq_at(&f.q, &f.it[0].ev, 10);
	evq_at(&f.q, &f.it[1].ev, 10);
	evq_at(&f.q, &f.it[2].ev, 10);
	evq_at(&f.q, &f.it[0].ev, 10);
	evq_cancel(&f.q, &f.it[1].ev);
	evq_cancel(&f.q, &f.it[1].ev);
	assert_false(ev_pending(&f.it[1].ev));
	while (evq_run_one(&f.q))
		;
	assert_int_equal(f.n, 2);
	assert_int_equal(f.log[0], 2);
	assert_int_equal(f.log[1], 0);
	evq_free(&f.q);
}

static void evq_event_may_reschedule_itself(void **state)
{
	struct fixture f;

	fixture_init(&f);
	f.it[0].again = 3;
	evq_at(&f.q, &f.it[0].ev, 1);
	evq_at(&f.q, &f.it[1].ev, 7);
	while (evq_run_one(&f.q))
		;
	assert_int_equal(f.n, 5);
	assert_int_equal(f.log[2], 1);
	assert_int_equal(f.q.now_ns, 16);
	evq_free(&f.q);
}

static void evq_free_leaves_events_idle(void **state)
{
	struct fixture f;

	fixture_init(&f);
	evq_at(&f.q, &f.it[0].ev, 1);
	evq_free(&f.q);
	assert_false(ev_pending(&f.it[0].ev));
}

#define MANY 500

struct many {
	struct ev ev;
	uint64_t last_fired;
	uint32_t fired;
};

static void many_fn(struct ev *ev)
{
	container_of(ev, struct many, ev)->fired++;
}

static bool model_less(const struct ev *a, const struct ev *b)
{
	if (a->when_ns != b->when_ns)
		return a->when_ns < b->when_ns;
	return a->node != b->node ? a->node < b->node : a->seq < b->seq;
}

static void evq_random_operations_match_a_scan(void **state)
{
	static struct many m[MANY];
	struct evq q;
	struct rng r;

	rng_derive(&r, 1, "test", "evq");
	evq_init(&q);
	for (uint32_t i = 0; i < MANY; i++)
		ev_init(&m[i].ev, rng_below(&r, 5), many_fn);
	for (int op = 0; op < 40000; op++) {
		struct many *x = &m[rng_below(&r, MANY)], *best = NULL;
		uint32_t what = rng_below(&r, 10), fired;

		if (what < 5) {
			evq_at(&q, &x->ev, q.now_ns + rng_below(&r, 40));
			continue;
		}
		if (what < 7) {
			evq_cancel(&q, &x->ev);
			continue;
		}
		for (uint32_t i = 0; i < MANY; i++)
			if (ev_pending(&m[i].ev) && (!best || model_less(&m[i].ev, &best->ev)))
				best = &m[i];
		assert_int_equal(evq_next(&q), best ? best->ev.when_ns : TIME_NEVER);
		fired = best ? best->fired : 0;
		assert_int_equal(evq_run_one(&q), best != NULL);
		if (best)
			assert_int_equal(best->fired, fired + 1);
	}
	evq_free(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(evq_orders_by_time_node_sequence),
		cmocka_unit_test(evq_past_counts_as_now),
		cmocka_unit_test(evq_reschedule_takes_new_sequence_and_cancel_is_idempotent),
		cmocka_unit_test(evq_event_may_reschedule_itself),
		cmocka_unit_test(evq_free_leaves_events_idle),
		cmocka_unit_test(evq_random_operations_match_a_scan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
