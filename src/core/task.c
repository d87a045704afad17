/* Tasks: a host's processes, as coroutines that run until they sleep.
 *
 * Decides which program runs next: first come, first served, one at a time, while its CPU is free.
 * Called by net_run (task_run_one), by system calls that wait (wait_on, in wait.c) and by the owner
 * (task_spawn); hands on to the program's main. States are in task.h. Who may change them:
 * task_wake (SLEEPING to RUNNABLE), task_resume (RUNNABLE to RUNNING), coro_sleep (RUNNING to
 * SLEEPING), task_finish (to ZOMBIE). Tests: tests/unit/core/test_task.c. */
#include "core/task.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/coro.h"
#include "core/netdevice.h"
#include "core/net_int.h"

static int coro_sleep(struct task *t, uint64_t until_ns);
static void coro_wake(struct task *t);
static const struct wait_ops coro_wait_ops = { coro_sleep, coro_wake };

static bool task_interrupted(const struct task *t)
{
	return t->killed || (t->pending_signals & TASK_SIG(TASK_SIGINT));
}

static void task_timer_fn(struct timer_list *timer)
{
	task_wake(container_of(timer, struct task, timer));
}

/* ---- birth ---- */

static char **strings_copy(char *const *v, int n)
{
	char **out = xcalloc((size_t)n + 1, sizeof(*out));

	for (int i = 0; i < n; i++)
		out[i] = xstrdup(v[i]);
	return out;
}

static void strings_free(char **v)
{
	for (char **s = v; s && *s; s++)
		free(*s);
	free(v);
}

static int strings_count(char *const *v)
{
	int n = 0;

	while (v && v[n])
		n++;
	return n;
}

static struct task *task_alloc(struct net *net, const char *comm)
{
	struct task *t = xcalloc(1, sizeof(*t));

	t->net = net;
	t->pid = net->next_pid++;
	t->cpu = (t->pid - 1) % net->nr_cpus;
	t->trace.id = t->pid;
	strncpy(t->comm, comm, sizeof(t->comm) - 1);
	timer_setup(&t->timer, task_timer_fn);
	init_waitqueue_head(&t->exit_wq);
	list_init(&t->run_node);
	list_init(&t->children);
	list_init(&t->sibling);
	list_add_tail(&t->node, &net->tasks);
	return t;
}

static void task_unref_memory(struct task *t)
{
	list_del_init(&t->node);
	list_del_init(&t->run_node);
	list_del_init(&t->sibling);
	strings_free(t->argv);
	strings_free(t->env);
	free(t);
}

static void task_runnable(struct task *t)
{
	t->state = TASK_RUNNABLE;
	list_add_tail(&t->run_node, &t->net->runqueue);
	net_kick(t->net);
}

/* The bottom of a task's stack. */
static void task_entry(void *arg)
{
	struct task *t = arg;

	if (!t->killed)
		t->exit_code = t->main(t, t->argc, t->argv);
	if (t->net->task_close_files && t->files)
		t->net->task_close_files(t);
}

struct task *task_spawn(struct net *net, const char *comm, task_main main, int argc,
			char *const *argv, struct task *parent)
{
	struct task *t;

	if (!net->coros)
		return NULL;
	t = task_alloc(net, comm);
	t->coro = coro_new(net->coros, task_entry, t);
	if (!t->coro) {
		task_unref_memory(t);
		return NULL;
	}
	t->main = main;
	t->argc = argc;
	t->argv = strings_copy(argv, argc);
	t->wait_ops = &coro_wait_ops;
	t->parent = parent;
	if (parent) {
		list_add_tail(&t->sibling, &parent->children);
		t->write = parent->write;
		t->write_arg = parent->write_arg;
		if (parent->env)
			t->env = strings_copy(parent->env, strings_count(parent->env));
	}
	TRACE(&net->probe, TR_TASK, 0, "spawn pid=%u comm=%s", t->pid, t->comm);
	task_runnable(t);
	return t;
}

struct task *task_new_external(struct net *net, const char *comm, const struct wait_ops *ops)
{
	struct task *t = task_alloc(net, comm);

	t->state = TASK_RUNNING;
	t->wait_ops = ops;
	return t;
}

/* ---- running ---- */

static void task_finish(struct task *t)
{
	struct net *net = t->net;

	if (t->forced && net->task_close_files && t->files) {
		struct task *was = net->current;

		net->current = t; /* its stack, with its wait entries, is still there */
		net->task_close_files(t);
		net->current = was;
	}
	del_timer(&net->wheel, &t->timer);
	t->state = TASK_ZOMBIE;
	TRACE(&net->probe, TR_TASK, 0, "exit pid=%u comm=%s code=%d", t->pid, t->comm,
	      t->exit_code);
	coro_free(t->coro);
	t->coro = NULL;
	wake_up(&t->exit_wq, 0);
	if (t->orphan)
		task_free(t);
}

/* Put it on its CPU until it sleeps or ends; t may be freed afterwards. */
static void task_resume(struct task *t)
{
	struct net *net = t->net;
	struct task *was = net->current;
	struct trace_ctx *ctx = net->probe.ctx;
	uint32_t cpu = net->cpu;
	bool more;

	list_del_init(&t->run_node);
	net_set_cpu(net, t->cpu);
	net->current = t;
	net->probe.ctx = &t->trace;
	t->state = TASK_RUNNING;
	t->switches++;
	TRACE(&net->probe, TR_TASK, 0, "run pid=%u comm=%s", t->pid, t->comm);
	more = coro_resume(t->coro);
	net->current = was;
	net->probe.ctx = ctx;
	if (!more || t->forced)
		task_finish(t);
	net_set_cpu(net, cpu);
}

bool task_run_one(struct net *net)
{
	struct task *t;

	list_for_each_entry(t, &net->runqueue, run_node) {
		if (cpu_busy(&net->softnet[t->cpu]))
			continue;
		task_resume(t);
		return true;
	}
	return false;
}

uint64_t task_next_run(const struct net *net)
{
	uint64_t next = TIME_NEVER;
	const struct task *t;

	list_for_each_entry(t, &net->runqueue, run_node) {
		const struct softnet_data *sd = &net->softnet[t->cpu];

		if (!cpu_busy(sd))
			return net->now_ns;
		next = min_u64(next, sd->busy_until_ns);
	}
	return next;
}

/* ---- sleeping and waking ---- */

/* A killed program that goes on asking: it may look at -EINTR for a while, then it is stopped. */
static int task_refuse_sleep(struct task *t)
{
	if (t->killed && ++t->nr_eintr > TASK_EINTR_MAX) {
		t->forced = true;
		t->exit_code = 128 + 9;
		coro_yield(t->coro);
		assert(0 && "a stopped task ran again");
	}
	return -EINTR;
}

static int coro_sleep(struct task *t, uint64_t until_ns)
{
	struct net *net = t->net;
	struct softnet_data *sd = this_softnet(net);

	if (net->current != t || sd->in_softirq || sd->in_hardirq)
		return -EAGAIN;
	if (task_interrupted(t))
		return task_refuse_sleep(t);
	if (t->woken || until_ns <= net->now_ns) {
		t->woken = false;
		return 0;
	}
	t->state = TASK_SLEEPING;
	mod_timer(&net->wheel, &t->timer, until_ns);
	t->bh_saved = sd->bh_disabled;
	sd->bh_disabled = 0;
	TRACE(&net->probe, TR_TASK, 0, "sleep pid=%u comm=%s", t->pid, t->comm);
	coro_yield(t->coro);
	sd->bh_disabled = t->bh_saved;
	del_timer(&net->wheel, &t->timer);
	t->woken = false;
	return task_interrupted(t) ? -EINTR : 0;
}

static void coro_wake(struct task *t)
{
	if (t->state == TASK_SLEEPING)
		task_runnable(t);
}

void task_wake(struct task *t)
{
	if (t->woken && t->state == TASK_RUNNABLE)
		return;
	t->woken = true;
	TRACE(&t->net->probe, TR_TASK, 0, "wake pid=%u comm=%s", t->pid, t->comm);
	if (t->wait_ops && t->wait_ops->wake)
		t->wait_ops->wake(t);
}

int task_sleep(struct task *t, uint64_t ns)
{
	struct net *net = t->net;
	uint64_t until = ns >= TIME_NEVER - net->now_ns ? TIME_NEVER : net->now_ns + ns;
	int err = 0;

	if (!t->wait_ops)
		return -EAGAIN;
	t->woken = false;
	while (!err && net->now_ns < until)
		err = t->wait_ops->sleep(t, until);
	return err;
}

/* ---- death ---- */

void task_kill(struct task *t)
{
	if (t->state == TASK_ZOMBIE || t->killed)
		return;
	t->killed = true;
	task_wake(t);
}

/* Run a killed task to its end. */
static void task_end_now(struct task *t)
{
	task_kill(t);
	/* Its sleeps are refused, at most TASK_EINTR_MAX times: see task_refuse_sleep. */
	while (t->state != TASK_ZOMBIE) {
		t->state = TASK_RUNNABLE;
		task_resume(t);
	}
}

static void task_release_children(struct task *t)
{
	struct task *c, *tmp;

	list_for_each_entry_safe(c, tmp, &t->children, sibling) {
		list_del_init(&c->sibling);
		c->parent = NULL;
		c->orphan = true;
		if (c->state == TASK_ZOMBIE)
			task_free(c);
	}
}

void task_free(struct task *t)
{
	struct net *net = t->net;

	assert(t != net->current || !t->coro);
	t->orphan = false; /* task_finish must not free it a second time */
	if (t->coro)
		task_end_now(t);
	if (t->files && net->task_close_files)
		net->task_close_files(t);
	del_timer(&net->wheel, &t->timer);
	task_release_children(t);
	if (net->current == t)
		net->current = NULL;
	task_unref_memory(t);
}

void task_free_all(struct net *net)
{
	/* Children become orphans when their parent goes: they end in the same loop. */
	while (!list_empty(&net->tasks))
		task_free(list_first_entry(&net->tasks, struct task, node));
}

int task_wait(struct task *self, struct task *t, int *code)
{
	struct net *net = self->net;

	while (t->state != TASK_ZOMBIE) {
		int err = wait_on(net, &t->exit_wq, TIME_NEVER);

		if (err)
			return err;
	}
	if (code)
		*code = t->exit_code;
	task_free(t);
	return 0;
}

/* ---- output ---- */

static void task_write(struct task *t, int fd, const char *s, size_t len)
{
	if (t->write)
		t->write(t, fd, s, len, t->write_arg);
	else if (t->net->owner.write)
		t->net->owner.write(t->net->owner.arg, t->net, t, fd, s, len);
}

void task_puts(struct task *t, const char *s)
{
	task_write(t, 1, s, strlen(s));
}

static void task_vprintf(struct task *t, int fd, const char *fmt, va_list ap)
{
	struct strbuf sb;

	sb_init(&sb);
	sb_vprintf(&sb, fmt, ap);
	if (sb.len)
		task_write(t, fd, sb_str(&sb), sb.len);
	sb_free(&sb);
}

void task_printf(struct task *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	task_vprintf(t, 1, fmt, ap);
	va_end(ap);
}

void task_eprintf(struct task *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	task_vprintf(t, 2, fmt, ap);
	va_end(ap);
}
