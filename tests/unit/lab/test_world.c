/* Worlds: built from text, run in virtual time, repeatable, and independent of each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "lab/lab.h"

/* A source from text. Its files would lie in the current folder. */
static void source(struct lab_source *src, const char *text)
{
	struct yerr e;

	memset(src, 0, sizeof(*src));
	src->base = xstrdup(".");
	topo_init(&src->topo, "x.yml");
	if (labfile_parse(&src->topo, "x.yml", text, strlen(text), &e))
		fail_msg("%s", e.text);
}

static struct lab *build(const struct lab_source *src)
{
	struct lab_opts opts = { .seed = 3, .has_seed = true };
	enum lab_err err;
	struct yerr e;
	struct lab *lab = lab_new(src, &opts, &err, &e);

	if (!lab)
		fail_msg("%s", e.text);
	return lab;
}

static void collect(void *arg, int fd, const char *s, size_t len)
{
	sb_add(arg, s, len);
}

#define TWO(more_a, more_b) \
	"name: x\ntopology:\n  nodes:\n    a: {" more_a "}\n    b: {" more_b "}\n  links:\n    - type: veth\n" \
	"      endpoints:\n        - {node: a, interface: eth1, ipv4: 10.0.0.1/24}\n" \
	"        - {node: b, interface: eth1, ipv4: 10.0.0.2/24}\n"

static void world_runs_a_command(void **state)
{
	struct lab_source src;
	struct strbuf sb;
	struct lab *lab;

	sb_init(&sb);
	source(&src, TWO("", ""));
	lab = build(&src);
	assert_int_equal(lab_command(lab_find(lab, "a"), "ping -c 1 10.0.0.2", collect, &sb), 0);
	assert_non_null(strstr(sb_str(&sb), "1 packets transmitted, 1 received"));
	assert_null(lab_find(lab, "c"));
	assert_non_null(lab_find_iface(lab_find(lab, "a"), "eth1"));
	assert_null(lab_find_iface(lab_find(lab, "a"), "eth2"));
	lab_free(lab);
	lab_source_close(&src);
	sb_free(&sb);
}

/* The same text and seed: the same events and the same clock, also beside another world in the process. */
static void world_repeats(void **state)
{
	struct lab_source src;
	struct strbuf out[2];
	uint64_t events[2], now[2];
	struct lab *other;

	source(&src, TWO("", ""));
	other = build(&src);
	for (unsigned i = 0; i < 2; i++) {
		struct lab *lab = build(&src);

		sb_init(&out[i]);
		lab_command(lab_find(lab, "a"), "ping -c 3 -i 0.2 10.0.0.2", collect, &out[i]);
		lab_command(lab_find(other, "b"), "ping -c 1 10.0.0.1", NULL, NULL);
		events[i] = lab->events;
		now[i] = lab->q.now_ns;
		lab_free(lab);
	}
	assert_string_equal(sb_str(&out[0]), sb_str(&out[1]));
	assert_int_equal(events[0], events[1]);
	assert_int_equal(now[0], now[1]);
	lab_free(other);
	lab_source_close(&src);
	sb_free(&out[0]);
	sb_free(&out[1]);
}

/* A node more changes neither the others' MACs nor what happens to them. */
static void world_a_node_more_reshuffles_nothing(void **state)
{
	static const char more[] = TWO("", "") "    - endpoints: [\"c:eth1\", \"b:eth2\"]\n";
	struct lab_source one, two;
	struct strbuf out[2];
	struct lab *lab[2];
	char *text = xstrdup(more), *at = strstr(text, "    b: {}\n");
	struct strbuf with;

	sb_init(&with);
	sb_add(&with, text, (size_t)(at - text));
	sb_puts(&with, "    c: {}\n");
	sb_puts(&with, at);
	source(&one, TWO("", ""));
	source(&two, sb_str(&with));
	lab[0] = build(&one);
	lab[1] = build(&two);
	assert_memory_equal(lab_find_iface(lab_find(lab[0], "b"), "eth1")->mac,
			    lab_find_iface(lab_find(lab[1], "b"), "eth1")->mac, 6);
	for (unsigned i = 0; i < 2; i++) {
		sb_init(&out[i]);
		lab_command(lab_find(lab[i], "a"), "ping -c 2 10.0.0.2", collect, &out[i]);
	}
	assert_string_equal(sb_str(&out[0]), sb_str(&out[1]));
	for (unsigned i = 0; i < 2; i++) {
		lab_free(lab[i]);
		sb_free(&out[i]);
	}
	lab_source_close(&one);
	lab_source_close(&two);
	sb_free(&with);
	free(text);
}

static void world_ends_what_does_not_end(void **state)
{
	struct lab_source src;
	struct strbuf sb;
	struct lab *lab;

	sb_init(&sb);
	source(&src, "name: x\ntopology:\n  defaults: {config: {vars: {sim: {stop_time: 10s}}}}\n  nodes: {a: {}}\n");
	lab = build(&src);
	assert_int_equal(lab_command(lab_find(lab, "a"), "ping 127.0.0.1", collect, &sb), 124);
	assert_non_null(strstr(sb_str(&sb), "a: ping: still running when the lab's stop_time was over\n"));
	assert_non_null(strstr(sb_str(&sb), "packets transmitted"));
	assert_true(lab->q.now_ns >= 10 * NSEC_PER_SEC && lab->q.now_ns < 12 * NSEC_PER_SEC);
	assert_int_equal(lab_command(lab_find(lab, "a"), "nosuch", NULL, NULL), 127);
	assert_int_equal(lab_command(lab_find(lab, "a"), "ping 'open", NULL, NULL), 126);
	lab_free(lab);
	lab_source_close(&src);
	sb_free(&sb);
}

static void world_starts_processes_in_time(void **state)
{
	struct lab_source src;
	struct lab *lab;

	source(&src, TWO("", "config: {vars: {processes: [{path: http-server, args: [--root, /], start_time: 50ms}]}}"));
	lab = build(&src);
	assert_int_not_equal(lab_command(lab_find(lab, "a"), "nc -z 10.0.0.2 80", NULL, NULL), 0);
	lab_wait(lab, 60 * NSEC_PER_MSEC);
	assert_int_equal(lab_command(lab_find(lab, "a"), "nc -z 10.0.0.2 80", NULL, NULL), 0);
	lab_free(lab);
	lab_source_close(&src);
}

static bool stop_at_once(void *arg)
{
	return true;
}

static void world_can_be_interrupted(void **state)
{
	struct lab_opts opts = { .interrupted = stop_at_once };
	struct lab_source src;
	enum lab_err err;
	struct yerr e;
	struct lab *lab;

	source(&src, TWO("", ""));
	lab = lab_new(&src, &opts, &err, &e);
	assert_non_null(lab);
	assert_int_equal(lab_command(lab_find(lab, "a"), "ping -i 0.01 10.0.0.2", NULL, NULL), 130);
	lab_free(lab);
	lab_source_close(&src);
}

static void world_waits_without_events(void **state)
{
	struct lab_source src;
	struct lab *lab;

	source(&src, "name: x\ntopology:\n  nodes: {a: {kind: bridge}}\n");
	lab = build(&src);
	lab_wait(lab, 5 * NSEC_PER_SEC);
	assert_int_equal(lab->q.now_ns, 5 * NSEC_PER_SEC);
	lab_free(lab);
	lab_source_close(&src);
}

static void world_log_keeps_the_end(void **state)
{
	struct lab_source src;
	struct lab *lab;

	source(&src, TWO("exec: [\"ip addr show lo\"]", ""));
	lab = build(&src);
	assert_non_null(strstr(sb_str(&lab_find(lab, "a")->log), "127.0.0.1/8"));
	lab_free(lab);
	lab_source_close(&src);
}

/* 300 hosts on one switch: built, and each answers. */
static void world_of_many_hosts(void **state)
{
	struct lab_source src;
	struct strbuf sb;
	struct lab *lab;

	sb_init(&sb);
	sb_puts(&sb, "name: x\ntopology:\n  nodes:\n    sw: {kind: bridge}\n");
	for (unsigned i = 0; i < 300; i++)
		sb_printf(&sb, "    h%u: {}\n", i);
	sb_puts(&sb, "  links:\n");
	for (unsigned i = 0; i < 300; i++)
		sb_printf(&sb, "    - {type: veth, endpoints: [{node: h%u, interface: eth1, ipv4: 10.0.%u.%u/16}, "
			       "{node: sw, interface: p%u}]}\n", i, i / 200, i % 200 + 1, i);
	source(&src, sb_str(&sb));
	lab = build(&src);
	assert_int_equal(lab_command(lab_find(lab, "h0"), "ping -c 1 10.0.1.100", NULL, NULL), 0);
	assert_int_equal(lab_command(lab_find(lab, "h299"), "ping -c 1 10.0.0.1", NULL, NULL), 0);
	lab_free(lab);
	lab_source_close(&src);
	sb_free(&sb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(world_runs_a_command),
		cmocka_unit_test(world_repeats),
		cmocka_unit_test(world_a_node_more_reshuffles_nothing),
		cmocka_unit_test(world_ends_what_does_not_end),
		cmocka_unit_test(world_starts_processes_in_time),
		cmocka_unit_test(world_can_be_interrupted),
		cmocka_unit_test(world_waits_without_events),
		cmocka_unit_test(world_log_keeps_the_end),
		cmocka_unit_test(world_of_many_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
