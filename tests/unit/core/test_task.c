/* task.c, wait.c: programs as coroutines, sleeping and waking. */
#include <errno.h>
#include "core_fixture.h"

struct share {
	struct wait_queue_head q;
	int ready;
	char log[256];
	int err;
	struct task *t[4];
};

static void say(struct task *t, const char *what)
{
	struct share *s = t->owner_data;

	snprintf(s->log + strlen(s->log), sizeof(s->log) - strlen(s->log), "%s:%s ", t->comm, what);
}

static struct task *spawn(struct fx *f, const char *comm, task_main fn, struct share *s, struct task *parent)
{
	char *argv[] = { (char *)(uintptr_t)comm, NULL };
	struct task *t = task_spawn(f->net, comm, fn, 1, argv, parent);

	assert_non_null(t);
	t->owner_data = s;
	return t;
}

static int waiter(struct task *t, int argc, char **argv)
{
	struct share *s = t->owner_data;

	(void)argc, (void)argv;
	while (!s->ready) {
		int err = wait_on(t->net, &s->q, TIME_NEVER);
		if (err)
			return err;
	}
	say(t, "woke");
	return 7;
}

static void s2_13_wake_first_run_second(void **state)
{
	struct fx *f = fx_new();
	struct share s = { .ready = 0 };
	struct task *t;
	long queued, woke, ran;

	(void)state;
	init_waitqueue_head(&s.q);
	t = spawn(f, "w", waiter, &s, NULL);
	assert_int_equal(t->state, TASK_RUNNABLE);
	net_run(f->net);
	assert_int_equal(t->state, TASK_SLEEPING);
	assert_false(list_empty(&s.q.list)); /* it is in the wait queue */
	assert_int_equal(t->switches, 1);
	assert_int_equal(net_next_deadline(f->net), TIME_NEVER);
	fx_trace(f);
	TRACE(&f->net->probe, TR_QUEUE, 0, "queued");
	s.ready = 1;
	f->kicks = 0;
	wake_up(&s.q, 0);
	assert_int_equal(f->kicks, 1);
	assert_int_equal(t->state, TASK_RUNNABLE);
	assert_string_equal(s.log, "");
	net_run(f->net);
	assert_string_equal(s.log, "w:woke ");
	assert_int_equal(t->switches, 2);
	assert_int_equal(t->state, TASK_ZOMBIE);
	assert_int_equal(t->exit_code, 7);
	queued = rec_find(&f->rec, 0, TR_QUEUE, "queued");
	woke = rec_find(&f->rec, 0, TR_TASK, "wake pid=1");
	ran = rec_find(&f->rec, 0, TR_TASK, "run pid=1");
	assert_true(queued < woke && woke < ran);
	assert_int_equal(f->rec.ev[ran].ctx, 1);
	task_free(t);
	fx_free(f);
}

static int sleeper(struct task *t, int argc, char **argv)
{
	uint64_t t0 = t->net->now_ns;

	(void)argc, (void)argv;
	assert_int_equal(task_sleep(t, 5 * NSEC_PER_MSEC), 0);
	assert_int_equal(t->net->now_ns - t0, 5 * NSEC_PER_MSEC);
	say(t, "slept");
	return 0;
}

static void sleep_is_exact_in_virtual_time(void **state)
{
	struct fx *f = fx_new();
	struct share s = { .ready = 0 };
	struct task *t = spawn(f, "s", sleeper, &s, NULL);

	(void)state;
	net_run(f->net);
	assert_int_equal(net_next_deadline(f->net), NSEC_PER_SEC + 5 * NSEC_PER_MSEC);
	task_wake(t); /* a wake-up that is not the clock's does not shorten it */
	fx_run_until(f, 2 * NSEC_PER_SEC);
	assert_string_equal(s.log, "s:slept ");
	task_free(t);
	fx_free(f);
}

static int timed_waiter(struct task *t, int argc, char **argv)
{
	struct share *s = t->owner_data;

	(void)argc, (void)argv;
	s->err = wait_on(t->net, &s->q, t->net->now_ns + 1000);
	return s->err;
}

static void a_deadline_ends_a_wait(void **state)
{
	struct fx *f = fx_new();
	struct share s = { .err = 1 };
	struct task *t;

	(void)state;
	init_waitqueue_head(&s.q);
	t = spawn(f, "d", timed_waiter, &s, NULL);
	fx_run_until(f, 2 * NSEC_PER_SEC);
	assert_int_equal(s.err, -ETIMEDOUT);
	assert_true(list_empty(&s.q.list));
	task_free(t);
	fx_free(f);
}

static int excl_waiter(struct task *t, int argc, char **argv)
{
	struct share *s = t->owner_data;

	(void)argc, (void)argv;
	if (wait_on_exclusive(t->net, &s->q, TIME_NEVER) == 0)
		say(t, "got");
	return 0;
}

static void wake_up_wakes_all_and_one_exclusive(void **state)
{
	struct fx *f = fx_new();
	struct share s = { .ready = 1 };
	static const char *const names[] = { "x1", "x2", "n1", "n2" };

	(void)state;
	init_waitqueue_head(&s.q);
	for (int i = 0; i < 4; i++)
		s.t[i] = spawn(f, names[i], i < 2 ? excl_waiter : timed_waiter, &s, NULL);
	net_run(f->net);
	wake_up(&s.q, 0);
	assert_int_equal(s.t[0]->state, TASK_RUNNABLE);
	assert_int_equal(s.t[1]->state, TASK_SLEEPING);
	assert_int_equal(s.t[2]->state, TASK_RUNNABLE);
	assert_int_equal(s.t[3]->state, TASK_RUNNABLE);
	wake_up(&s.q, 0); /* before x1 has run: the next event is for x2 */
	assert_int_equal(s.t[1]->state, TASK_RUNNABLE);
	net_run(f->net);
	assert_string_equal(s.log, "x1:got x2:got ");
	fx_free(f);
}

static void an_event_for_a_dying_waiter_goes_to_the_next(void **state)
{
	struct fx *f = fx_new();
	struct share s = { .ready = 0 };

	(void)state;
	init_waitqueue_head(&s.q);
	s.t[0] = spawn(f, "x1", excl_waiter, &s, NULL);
	s.t[1] = spawn(f, "x2", excl_waiter, &s, NULL);
	net_run(f->net);
	wake_up(&s.q, 0);
	task_kill(s.t[0]);
	net_run(f->net);
	assert_string_equal(s.log, "x2:got ");
	fx_free(f);
}

static int once(struct task *t, int argc, char **argv)
{
	(void)argc, (void)argv;
	say(t, "ran");
	return 0;
}

static void first_come_first_served(void **state)
{
	struct fx *f = fx_new();
	struct share s = { .ready = 0 };

	(void)state;
	spawn(f, "a", once, &s, NULL);
	spawn(f, "b", once, &s, NULL);
	spawn(f, "c", once, &s, NULL);
	net_run(f->net);
	assert_string_equal(s.log, "a:ran b:ran c:ran ");
	fx_free(f);
}

static int parent_main(struct task *t, int argc, char **argv)
{
	struct share *s = t->owner_data;
	char *cargv[] = { (char *)(uintptr_t)"kid", (char *)(uintptr_t)"arg", NULL };
	struct task *kid;
	int code = -1;

	(void)argc, (void)argv;
	kid = task_spawn(t->net, "kid", sleeper, 2, cargv, t);
	kid->owner_data = s;
	assert_string_equal(kid->argv[1], "arg");
	assert_ptr_not_equal(kid->argv[1], cargv[1]);
	assert_string_equal(kid->env[0], "HOME=/");
	say(t, "waits");
	assert_int_equal(task_wait(t, kid, &code), 0);
	assert_int_equal(code, 0);
	say(t, "done");
	task_printf(t, "%s %d\n", "bye", 42);
	return 3;
}

static void a_parent_waits_for_its_child(void **state)
{
	struct fx *f = fx_new();
	struct share s = { .ready = 0 };
	struct task *t = spawn(f, "par", parent_main, &s, NULL);

	(void)state;
	t->env = calloc(2, sizeof(char *));
	t->env[0] = strdup("HOME=/");
	fx_run_until(f, 2 * NSEC_PER_SEC);
	assert_string_equal(s.log, "par:waits kid:slept par:done ");
	assert_string_equal(sb_str(&f->out), "bye 42\n");
	assert_int_equal(t->exit_code, 3);
	task_free(t);
	assert_true(list_empty(&f->net->tasks));
	fx_free(f);
}

static int orphan_maker(struct task *t, int argc, char **argv)
{
	spawn((struct fx *)t->net->owner.arg, "kid", sleeper, t->owner_data, t);
	(void)argc, (void)argv;
	return 0;
}

static void orphans_are_reaped_when_they_end(void **state)
{
	struct fx *f = fx_new();
	struct share s = { .ready = 0 };
	struct task *t = spawn(f, "p", orphan_maker, &s, NULL);

	(void)state;
	net_run(f->net);
	task_free(t);
	assert_false(list_empty(&f->net->tasks));
	fx_run_until(f, 2 * NSEC_PER_SEC);
	assert_true(list_empty(&f->net->tasks));
	fx_free(f);
}

static int stubborn(struct task *t, int argc, char **argv)
{
	struct share *s = t->owner_data;

	(void)argc, (void)argv;
	for (;;)
		s->err = wait_on(t->net, &s->q, TIME_NEVER);
	return 0;
}

static void kill_ends_sleepers_even_stubborn_ones(void **state)
{
	struct fx *f = fx_new();
	struct share s = { .ready = 0 }, s2 = { .ready = 0 };
	struct task *t, *u, *never;

	(void)state;
	init_waitqueue_head(&s.q);
	init_waitqueue_head(&s2.q);
	t = spawn(f, "w", waiter, &s, NULL);
	u = spawn(f, "u", stubborn, &s2, NULL);
	net_run(f->net);
	task_kill(t);
	task_kill(u);
	net_run(f->net);
	assert_int_equal(t->state, TASK_ZOMBIE);
	assert_int_equal(t->exit_code, -EINTR);
	assert_int_equal(u->state, TASK_ZOMBIE);
	assert_int_equal(u->exit_code, 137);
	never = spawn(f, "n", once, &s, NULL); /* killed before it began: never begins */
	task_free(never);
	assert_string_equal(s.log, "");
	fx_free(f);
}

static void a_signal_interrupts_but_sigpipe_does_not(void **state)
{
	struct fx *f = fx_new();
	struct share s = { .err = 1 };
	struct task *t;

	(void)state;
	init_waitqueue_head(&s.q);
	t = spawn(f, "d", timed_waiter, &s, NULL);
	t->pending_signals = TASK_SIG(TASK_SIGPIPE);
	fx_run_until(f, 2 * NSEC_PER_SEC);
	assert_int_equal(s.err, -ETIMEDOUT);
	t = spawn(f, "d", timed_waiter, &s, NULL);
	net_run(f->net);
	t->pending_signals |= TASK_SIG(TASK_SIGINT);
	task_wake(t);
	net_run(f->net);
	assert_int_equal(s.err, -EINTR);
	fx_free(f);
}

static void an_external_task_never_sleeps(void **state)
{
	struct fx *f = fx_new();
	struct share s = { .ready = 0 };
	struct task *t = task_new_external(f->net, "ext", NULL);

	(void)state;
	init_waitqueue_head(&s.q);
	assert_int_equal(wait_on(f->net, &s.q, TIME_NEVER), -EAGAIN); /* no task at all */
	f->net->current = t;
	assert_int_equal(wait_on(f->net, &s.q, TIME_NEVER), -EAGAIN);
	assert_int_equal(task_sleep(t, 5), -EAGAIN);
	task_wake(t);
	task_free(t);
	assert_null(f->net->current);
	fx_free(f);
}

static unsigned closed;
static void close_files(struct task *t)
{
	closed++;
	assert_ptr_equal(t->net->current, t);
	t->files = NULL;
}

static void files_close_while_the_task_is_current(void **state)
{
	struct fx *f = fx_new();
	struct share s = { .ready = 1 }, s2 = { .ready = 0 };

	(void)state;
	closed = 0;
	init_waitqueue_head(&s2.q);
	f->net->task_close_files = close_files;
	spawn(f, "a", once, &s, NULL)->files = (struct files_struct *)(void *)&s;
	spawn(f, "b", stubborn, &s2, NULL)->files = (struct files_struct *)(void *)&s;
	net_run(f->net);
	assert_int_equal(closed, 1);
	f->net2 = NULL;
	fx_free(f); /* b is stopped at the host's end */
	assert_int_equal(closed, 2);
}

static void inner(struct task *t)
{
	TRACE_FN(&t->net->probe, 0);
	task_sleep(t, 100);
}

static int nester(struct task *t, int argc, char **argv)
{
	TRACE_FN(&t->net->probe, 0);
	(void)argc, (void)argv;
	inner(t);
	return 0;
}

static void nesting_depth_belongs_to_the_task(void **state)
{
	struct fx *f = fx_new();
	struct share s = { .ready = 0 };
	size_t at = 0;

	(void)state;
	fx_trace(f);
	spawn(f, "n1", nester, &s, NULL);
	spawn(f, "n2", nester, &s, NULL);
	fx_run_until(f, 2 * NSEC_PER_SEC);
	for (int i = 0; i < 2; i++) {
		long e = rec_find(&f->rec, at, TR_ENTER, "inner"), l = rec_find(&f->rec, at, TR_LEAVE, "inner");

		assert_true(e >= 0 && l > e);
		assert_int_equal(f->rec.ev[e].depth, 1);
		at = (size_t)e + 1;
	}
	assert_int_equal(f->net->probe.ctx->depth, 0);
	assert_ptr_equal(f->net->probe.ctx, &f->net->probe.base_ctx);
	fx_free(f);
}

static int section_sleeper(struct task *t, int argc, char **argv)
{
	(void)argc, (void)argv;
	local_bh_disable(t->net);
	local_bh_disable(t->net);
	task_sleep(t, 100);
	assert_int_equal(this_softnet(t->net)->bh_disabled, 2);
	local_bh_enable(t->net);
	local_bh_enable(t->net);
	return 0;
}

static void a_sleeping_task_gives_up_its_bh_sections(void **state)
{
	struct fx *f = fx_new();
	struct share s = { .ready = 0 };

	(void)state;
	spawn(f, "s", section_sleeper, &s, NULL);
	net_run(f->net);
	assert_int_equal(f->net->softnet[0].bh_disabled, 0);
	fx_run_until(f, 2 * NSEC_PER_SEC);
	assert_int_equal(f->net->softnet[0].bh_disabled, 0);
	fx_free(f);
}

static int where(struct task *t, int argc, char **argv)
{
	char cpu[8];

	(void)argc, (void)argv;
	snprintf(cpu, sizeof(cpu), "%u", t->net->cpu);
	say(t, cpu);
	return 0;
}

static void tasks_spread_over_cpus_and_wait_for_theirs(void **state)
{
	struct fx *f = fx_new_with(2, (struct cpu_model){ 0, 0 }, NULL, 0);
	struct share s = { .ready = 0 };

	(void)state;
	f->net->softnet[0].busy_until_ns = NSEC_PER_SEC + 500;
	for (int i = 0; i < 4; i++)
		spawn(f, (const char *const[]){ "a", "b", "c", "d" }[i], where, &s, NULL);
	net_run(f->net);
	assert_string_equal(s.log, "b:1 d:1 ");
	assert_int_equal(net_next_deadline(f->net), NSEC_PER_SEC + 500);
	fx_run_until(f, 2 * NSEC_PER_SEC);
	assert_string_equal(s.log, "b:1 d:1 a:0 c:0 ");
	fx_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s2_13_wake_first_run_second),
		cmocka_unit_test(sleep_is_exact_in_virtual_time),
		cmocka_unit_test(a_deadline_ends_a_wait),
		cmocka_unit_test(wake_up_wakes_all_and_one_exclusive),
		cmocka_unit_test(an_event_for_a_dying_waiter_goes_to_the_next),
		cmocka_unit_test(first_come_first_served),
		cmocka_unit_test(a_parent_waits_for_its_child),
		cmocka_unit_test(orphans_are_reaped_when_they_end),
		cmocka_unit_test(kill_ends_sleepers_even_stubborn_ones),
		cmocka_unit_test(a_signal_interrupts_but_sigpipe_does_not),
		cmocka_unit_test(an_external_task_never_sleeps),
		cmocka_unit_test(files_close_while_the_task_is_current),
		cmocka_unit_test(nesting_depth_belongs_to_the_task),
		cmocka_unit_test(a_sleeping_task_gives_up_its_bh_sections),
		cmocka_unit_test(tasks_spread_over_cpus_and_wait_for_theirs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
