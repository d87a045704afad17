/* Events in memory: copies, the bound, and stacks of open functions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "trace/trace.h"

static const uint64_t now = 5;

static void leaf(struct probe *p)
{
	TRACE_FN(p, 1);
	TRACE(p, TR_NOTE, 1, "here");
}

static void sibling(struct probe *p)
{
	TRACE_FN(p, 1);
}

static void root(struct probe *p)
{
	TRACE_FN(p, 1);
	sibling(p);
	leaf(p);
	TRACE(p, TR_NOTE, 1, "after");
}

static void mem_stack_is_innermost_first(void **state)
{
	struct trace_mem m;
	struct probe p, other;
	const char *stack[4];
	size_t notes = 0;

	trace_mem_init(&m, UINT32_MAX, 1000);
	probe_init(&p, "a", 1, &now);
	probe_init(&other, "b", 2, &now);
	probe_attach(&p, &m.sink);
	/* another host's events in between do not disturb */
	probe_attach(&other, &m.sink);
	probe_enter_(&other, "foreign", 1);
	root(&p);
	for (size_t i = 0; i < m.n; i++) {
		if (m.rec[i].ev.kind != TR_NOTE)
			continue;
		if (notes++ == 0) {
			assert_int_equal(trace_mem_stack(&m, i, stack, 4), 2);
			assert_string_equal(stack[0], "leaf");
			assert_string_equal(stack[1], "root");
			/* at the ENTER itself the function counts as open */
			assert_int_equal(trace_mem_stack(&m, i - 1, stack, 1), 2);
			assert_string_equal(stack[0], "leaf");
		} else {
			assert_int_equal(trace_mem_stack(&m, i, stack, 4), 1);
			assert_string_equal(stack[0], "root");
		}
	}
	assert_int_equal(notes, 2);
	assert_int_equal(trace_mem_stack(&m, m.n - 1, stack, 4), 0);
	assert_int_equal(trace_mem_stack(&m, m.n, stack, 4), 0);
	trace_mem_free(&m);
}

static void mem_tells_contexts_apart(void **state)
{
	struct trace_mem m;
	struct probe p;
	struct trace_ctx task = { .id = 3 };
	const char *stack[4];

	trace_mem_init(&m, UINT32_MAX, 1000);
	probe_init(&p, "a", 1, &now);
	probe_attach(&p, &m.sink);
	p.ctx = &task;
	probe_enter_(&p, "__sys_sendto", 0);
	probe_enter_(&p, "sock_sendmsg", 0);
	p.ctx = &p.base_ctx;
	probe_enter_(&p, "net_rx_action", 0);
	assert_int_equal(trace_mem_stack(&m, m.n - 1, stack, 4), 1);
	p.ctx = &task;
	TRACE(&p, TR_NOTE, 0, "x");
	assert_int_equal(trace_mem_stack(&m, m.n - 1, stack, 4), 2);
	assert_string_equal(stack[0], "sock_sendmsg");
	trace_mem_free(&m);
}

static void mem_copies_what_is_borrowed_and_stops_at_max(void **state)
{
	struct trace_mem m;
	struct probe p;
	char func[16], node[8] = "n0";

	trace_mem_init(&m, UINT32_MAX, 3000);
	probe_init(&p, node, 1, &now);
	probe_attach(&p, &m.sink);
	for (int i = 0; i < 4000; i++) {
		snprintf(func, sizeof(func), "f%d", i / 2);
		probe_emit_(&p, TR_NOTE, func, 0, "%0*d", 100, i);
	}
	memset(func, 'x', sizeof(func));
	strcpy(node, "zz");
	assert_int_equal(m.n, 3000);
	assert_int_equal(m.lost, 1000);
	for (int i = 0; i < 3000; i++) {
		char want[16];

		snprintf(want, sizeof(want), "f%d", i / 2);
		assert_string_equal(m.rec[i].ev.func, want);
		assert_string_equal(m.rec[i].ev.node, "n0");
		assert_int_equal(strlen(m.rec[i].ev.text), 100);
		assert_int_equal(m.rec[i].ev.text[99], '0' + i % 10);
		assert_null(m.rec[i].ev.data);
	}
	trace_mem_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mem_stack_is_innermost_first),
		cmocka_unit_test(mem_tells_contexts_apart),
		cmocka_unit_test(mem_copies_what_is_borrowed_and_stops_at_max),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
