/* The probe: masks, order of sinks, depth, and that it costs nothing when off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/list.h"
#include "base/probe.h"

struct tape {
	struct trace_sink sink;
	struct probe *p;
	char log[4096];
	bool once; /* takes itself off at the first event */
};

static void tape_emit(struct trace_sink *self, const struct trace_event *ev)
{
	struct tape *t = container_of(self, struct tape, sink);
	size_t n = strlen(t->log);

	snprintf(t->log + n, sizeof(t->log) - n, "%u%s%s:%s/%u/%s ", ev->kind, ev->kind == TR_DROP ? "!" : "",
		 ev->func, ev->text, ev->depth,
		 ev->kind == TR_DROP ? drop_reason_name((enum drop_reason)ev->reason) : "");
	if (t->once)
		probe_detach(t->p, self);
}

static void tape_init(struct tape *t, struct probe *p, uint32_t mask)
{
	memset(t, 0, sizeof(*t));
	t->sink.mask = mask;
	t->sink.emit = tape_emit;
	t->p = p;
}

static int inner(struct probe *p, int early)
{
	TRACE_FN(p, 7);
	if (early)
		return 1;
	TRACE(p, TR_NOTE, 7, "n=%d", 5);
	return 0;
}

static void outer(struct probe *p)
{
	TRACE_FN_AS(p, "SyS_outer", 0);
	inner(p, 1);
	inner(p, 0);
}

static int evaluated(int *n)
{
	return ++*n;
}

static void probe_off_evaluates_nothing(void **state)
{
	uint64_t now = 3;
	struct probe p;
	int n = 0;

	probe_init(&p, "host", 1, &now);
	assert_false(p.on);
	outer(&p);
	TRACE(&p, TR_NOTE, 0, "%d", evaluated(&n));
	assert_int_equal(n, 0);
	assert_int_equal(p.ctx->depth, 0);
}

static void probe_nests_and_masks(void **state)
{
	uint64_t now = 3;
	struct probe p;
	struct tape all, notes;

	probe_init(&p, "host", 1, &now);
	tape_init(&all, &p, UINT32_MAX);
	tape_init(&notes, &p, 1u << TR_NOTE | 1u << TR_DROP);
	probe_attach(&p, &all.sink);
	probe_attach(&p, &notes.sink);
	outer(&p);
	probe_drop_(&p, "ip_rcv", 9, DROP_IP_CSUM, NULL, 0, 0);
	assert_string_equal(all.log, "0SyS_outer:/0/ 0inner:/1/ 1inner:/1/ 0inner:/1/ 22inner:n=5/2/ "
				     "1inner:/1/ 1SyS_outer:/0/ 6!ip_rcv:/0/IP_CSUM ");
	assert_string_equal(notes.log, "22inner:n=5/2/ 6!ip_rcv:/0/IP_CSUM ");
	probe_detach(&p, &all.sink);
	assert_true(p.on);
	assert_int_equal(p.mask, notes.sink.mask);
	outer(&p);
	assert_int_equal(p.ctx->depth, 0);
	assert_string_equal(notes.log, "22inner:n=5/2/ 6!ip_rcv:/0/IP_CSUM 22inner:n=5/2/ ");
	probe_detach(&p, &notes.sink);
	assert_false(p.on);
	probe_detach(&p, &notes.sink);
}

static void probe_sink_may_leave_in_its_call(void **state)
{
	uint64_t now = 3;
	struct probe p;
	struct tape a, b;

	probe_init(&p, "host", 1, &now);
	tape_init(&a, &p, UINT32_MAX);
	a.once = true;
	tape_init(&b, &p, UINT32_MAX);
	probe_attach(&p, &a.sink);
	probe_attach(&p, &b.sink);
	outer(&p);
	assert_string_equal(a.log, "0SyS_outer:/0/ ");
	assert_int_equal(strncmp(b.log, "0SyS_outer:/0/ 0inner:/1/ ", 26), 0);
	/* all gone in the middle: the depth comes back nevertheless */
	probe_detach(&p, &b.sink);
	a.log[0] = '\0';
	probe_attach(&p, &a.sink);
	outer(&p);
	assert_int_equal(p.ctx->depth, 0);
}

static void probe_context_has_its_own_depth(void **state)
{
	uint64_t now = 3;
	struct probe p;
	struct tape all;
	struct trace_ctx task = { .id = 12, .depth = 0 };

	probe_init(&p, "host", 1, &now);
	tape_init(&all, &p, UINT32_MAX);
	probe_attach(&p, &all.sink);
	probe_enter_(&p, "softirq", 0);
	p.ctx = &task;
	probe_enter_(&p, "task", 0);
	p.ctx = &p.base_ctx;
	probe_leave_(&p, "softirq", 0);
	p.ctx = &task;
	probe_leave_(&p, "task", 0);
	assert_string_equal(all.log, "0softirq:/0/ 0task:/0/ 1softirq:/0/ 1task:/0/ ");
}

static void probe_long_text_is_cut(void **state)
{
	uint64_t now = 3;
	struct probe p;
	struct tape all;

	probe_init(&p, "host", 1, &now);
	tape_init(&all, &p, UINT32_MAX);
	probe_attach(&p, &all.sink);
	TRACE(&p, TR_NOTE, 0, "%*s", 100000, "x");
	assert_in_range(strlen(all.log), 1000, 1100);
}

static void drop_reasons_all_have_name_and_sentence(void **state)
{
	assert_string_equal(drop_reason_name(DROP_NO_SOCKET), "NO_SOCKET");
	assert_string_equal(drop_reason_text(DROP_NO_SOCKET), "no socket listens there");
	for (int r = 0; r < DROP_REASON_MAX; r++) {
		assert_true(strlen(drop_reason_text((enum drop_reason)r)) > 5);
		for (int k = 0; k < r; k++)
			assert_string_not_equal(drop_reason_name((enum drop_reason)r),
						drop_reason_name((enum drop_reason)k));
	}
	assert_string_equal(drop_reason_name((enum drop_reason)60000), "NOT_SPECIFIED");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(probe_off_evaluates_nothing),
		cmocka_unit_test(probe_nests_and_masks),
		cmocka_unit_test(probe_sink_may_leave_in_its_call),
		cmocka_unit_test(probe_context_has_its_own_depth),
		cmocka_unit_test(probe_long_text_is_cut),
		cmocka_unit_test(drop_reasons_all_have_name_and_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
