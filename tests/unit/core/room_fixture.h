/* A host with core's own rooms: files, control messages, neighbours, hooks, socks. */
#ifndef TESTS_ROOM_FIXTURE_H
#define TESTS_ROOM_FIXTURE_H

#include "../core/core_fixture.h"
#include "core/neighbour.h"
#include "core/netfilter.h"
#include "core/procfs.h"
#include "core/rtnl.h"
#include "core/sock.h"

static inline struct fx *fx_rooms(const struct pernet_operations *extra)
{
	const struct pernet_operations *ops[] = { &proc_net_ops, &rtnl_net_ops, &neigh_net_ops, &nf_net_ops,
						  &sock_net_ops, extra };

	return fx_new_with(1, (struct cpu_model){ 0, 0 }, ops, extra ? 6 : 5);
}

/* Run f to its end as a program of the host and give its exit code. */
struct fx_prog {
	int (*fn)(struct task *t, void *arg);
	void *arg;
	int code;
	bool done;
};

static inline int fx_prog_main(struct task *t, int argc, char **argv)
{
	struct fx_prog *p = t->owner_data;

	(void)argc, (void)argv;
	p->code = p->fn(t, p->arg);
	p->done = true;
	return p->code;
}

static inline struct task *fx_start(struct fx *f, struct fx_prog *p, const char *name)
{
	char *argv[] = { (char *)(uintptr_t)name, NULL };
	struct task *t = task_spawn(f->net, name, fx_prog_main, 1, argv, NULL);

	assert_non_null(t);
	t->owner_data = p;
	return t;
}

/* Start it, let virtual time pass until it ends (at most an hour), reap it. */
static inline int fx_prog_run(struct fx *f, int (*fn)(struct task *t, void *arg), void *arg)
{
	struct fx_prog p = { .fn = fn, .arg = arg };
	struct task *t = fx_start(f, &p, "prog");
	uint64_t end = f->net->now_ns + 3600 * NSEC_PER_SEC;

	while (!p.done && f->net->now_ns < end) {
		uint64_t next;

		net_run(f->net);
		if (p.done)
			break;
		next = net_next_deadline(f->net);
		assert_true(next != TIME_NEVER); /* asleep for good */
		net_enter(f->net, next);
	}
	net_run(f->net);
	assert_true(p.done);
	task_free(t);
	return p.code;
}

static inline void assert_text(struct strbuf *sb, const char *want)
{
	assert_string_equal(sb->len ? sb_str(sb) : "", want);
	sb_reset(sb);
}

#endif
