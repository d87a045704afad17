/* System calls of a script: each is made by a task of its own, so that it may block while the script goes on; all tasks
 * share the descriptors of one process.
 *
 * Decides what a result means: errors become -1 and errno, descriptors get the script's numbers. Called by
 * drill_run.c; hands on to the functions in drill_call_{sock,io,ev}.c, which know each call's arguments.
 * Tests: tests/packet/calls, tests/lab/drill.t. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "drill/drill_int.h"
#include "os/os_term.h"
#include "socket/file.h"
#include "socket/syscall.h"

struct worker {
	struct list_head list;
	struct task *task;
	struct drill_job job;
};

const char *drill_errno_text(int err)
{
	const char *n = dsym_errno_name(err);

	return n ? n : "unknown errno";
}

/* ---- descriptors ---- */

int drill_fd_live(const struct drill *d, int script)
{
	for (size_t i = d->n_fds; i-- > 0;)
		if (d->fd[i].script == script)
			return d->fd[i].live;
	return script < 0 ? -1 : script <= 2 ? script : TASK_MAX_FILES - 1; /* nobody's: EBADF */
}

int drill_fd_script(const struct drill *d, int live)
{
	for (size_t i = d->n_fds; i-- > 0;)
		if (d->fd[i].live == live)
			return d->fd[i].script;
	return live;
}

void drill_fd_set(struct drill *d, int script, int live)
{
	for (size_t i = 0; i < d->n_fds;) {
		if (d->fd[i].script == script || d->fd[i].live == live)
			d->fd[i] = d->fd[--d->n_fds];
		else
			i++;
	}
	if (live >= 0 && d->n_fds < DRILL_MAX_FDS)
		d->fd[d->n_fds++] = (struct drill_fd){ script, live };
}

/* ---- arguments ---- */

void djob_fail(struct drill_job *j, const char *fmt, ...)
{
	va_list ap;

	if (j->err.len)
		return;
	va_start(ap, fmt);
	sb_vprintf(&j->err, fmt, ap);
	va_end(ap);
}

bool dexpr_int1(const struct dexpr *x, int64_t *v)
{
	if (x && (x->kind == DX_LIST || x->kind == DX_STRUCT) && x->n == 1)
		x = x->item[0];
	if (!x || x->kind != DX_INT)
		return false;
	*v = x->v;
	return true;
}

int64_t djob_int(struct drill_job *j, uint32_t i, int64_t dots)
{
	const struct dexpr *x = djob_arg(j, i);
	int64_t v;

	if (x && x->kind == DX_LIST && x->n == 1)
		x = x->item[0];
	if (!x || x->kind == DX_DOTS || x->kind == DX_NULL)
		return dots;
	if (dexpr_int1(x, &v))
		return v;
	djob_fail(j, "Bad type for argument %u, expected an integer", i);
	return dots;
}

int djob_fd(struct drill_job *j, uint32_t i)
{
	return drill_fd_live(j->d, (int)djob_int(j, i, -1));
}

const struct dexpr *dexpr_field(const struct dexpr *x, const char *name, const struct dexpr **arg)
{
	if (!x || x->kind != DX_STRUCT)
		return NULL;
	for (uint32_t i = 0; i < x->n; i++) {
		if (!x->name[i] || strcmp(x->name[i], name) != 0)
			continue;
		if (arg)
			*arg = x->arg[i];
		return x->item[i];
	}
	return NULL;
}

int64_t dexpr_field_int(const struct dexpr *x, const char *name, int64_t otherwise)
{
	int64_t v;

	return dexpr_int1(dexpr_field(x, name, NULL), &v) ? v : otherwise;
}

const struct drill_call_entry *drill_call_find(const char *name)
{
	static const struct drill_call_entry *const tables[] = { drill_calls_sock, drill_calls_io, drill_calls_ev };

	for (size_t k = 0; k < ARRAY_SIZE(tables); k++)
		for (const struct drill_call_entry *e = tables[k]; e->name; e++)
			if (!strcmp(e->name, name))
				return e;
	return NULL;
}

/* ---- results ---- */

static void call_error(struct drill_job *j, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void call_error(struct drill_job *j, const char *fmt, ...)
{
	struct strbuf sb;
	va_list ap;

	sb_init(&sb);
	va_start(ap, fmt);
	sb_vprintf(&sb, fmt, ap);
	va_end(ap);
	drill_error(j->d, j->ev->line, "runtime error in %s call: %s", j->ev->call->name, sb_str(&sb));
	sb_free(&sb);
}

static void check_result(struct drill_job *j)
{
	const struct dcall *c = j->ev->call;
	int err = j->ret < 0 ? (int)-j->ret : 0;
	long long got = j->ret < 0 ? -1 : j->ret, want = c->result->v;

	if (c->result->kind == DX_DOTS)
		return;
	if (want != got && err)
		call_error(j, "Expected result %lld but got %lld with errno %d (%s)", want, got, err, os_strerror(err));
	else if (want != got)
		call_error(j, "Expected result %lld but got %lld", want, got);
	else if (c->err && err != c->err)
		call_error(j, "Expected errno %d (%s) but got %d (%s)", c->err, os_strerror(c->err), err, os_strerror(err));
}

static void check_return_time(struct drill_job *j)
{
	int64_t due = (int64_t)j->due_ns, end = (int64_t)j->end_ns, off = end - due;
	int64_t tol = j->d->sc.conf.tolerance_ns, part = (due - (int64_t)j->begin_ns) / 1000000 * j->d->sc.conf.tolerance_ppm;
	char a[32], b[32], e[32];

	tol = part > tol ? part : tol;
	if (j->due_ns == TIME_NEVER || (off <= tol && -off <= tol))
		return;
	drill_error(j->d, j->ev->line, "timing error: expected system call return at %s sec but happened at %s sec; tolerance %s sec",
		    drill_time(a, due), drill_time(b, end), drill_time(e, tol));
}

static void job_check(struct drill_job *j)
{
	if (j->checked)
		return;
	j->checked = true;
	check_result(j);
	if (!j->d->failed && j->err.len)
		call_error(j, "%s", sb_str(&j->err));
	if (!j->d->failed)
		check_return_time(j);
}

/* ---- tasks ---- */

static int worker_main(struct task *t, int argc, char **argv)
{
	struct worker *w = t->owner_data;
	struct drill_job *j = &w->job;
	struct files_struct *shared = task_files(j->d->proc);

	(void)argc;
	(void)argv;
	t->files = shared;
	j->ret = drill_call_find(j->ev->call->name)->fn(j, t);
	j->end_ns = t->net->now_ns - j->d->start_ns;
	j->done = true;
	if (t->files == shared)
		t->files = NULL;
	return 0;
}

static void worker_free(struct worker *w)
{
	list_del_init(&w->list);
	task_free(w->task);
	sb_free(&w->job.err);
	free(w);
}

static bool job_done(struct drill *d, void *arg)
{
	(void)d;
	return ((struct drill_job *)arg)->done;
}

void drill_call_start(struct drill *d, const struct devent *ev, uint64_t due_ns)
{
	struct worker *w = xcalloc(1, sizeof(*w));
	char *argv[] = { (char *)(uintptr_t)"script", NULL };

	w->job.d = d;
	w->job.ev = ev;
	w->job.begin_ns = drill_now(d);
	w->job.due_ns = due_ns;
	sb_init(&w->job.err);
	w->task = task_spawn(d->net, ev->call->name, worker_main, 1, argv, NULL);
	if (!w->task) {
		free(w);
		drill_error(d, ev->line, "more calls at a time than there is memory for");
		return;
	}
	w->task->owner_data = w;
	list_add_tail(&w->list, &d->workers);
	while (!w->job.done && task_run_one(d->net))
		; /* before the timers of this instant */
	if (due_ns != TIME_NEVER)
		return;
	if (!drill_pass(d, d->net->now_ns + DRILL_WAIT_CALL_NS, true, job_done, &w->job))
		drill_error(d, ev->line, "runtime error in %s call: it blocks and never returns", ev->call->name);
	else
		job_check(&w->job);
	worker_free(w);
}

void drill_calls_reap(struct drill *d, bool all)
{
	struct worker *w, *tmp;

	list_for_each_entry_safe(w, tmp, &d->workers, list) {
		struct drill_job *j = &w->job;
		uint64_t limit = j->due_ns + (uint64_t)d->sc.conf.tolerance_ns + DRILL_WAIT_PACKET_NS;
		char a[32];

		if (all && !j->done && !d->failed)
			drill_pass(d, d->start_ns + limit, true, job_done, j);
		if (j->done && !d->failed)
			job_check(j);
		else if (!j->done && !d->failed && (all || drill_now(d) > limit))
			drill_error(d, j->ev->line, "runtime error in %s call: expected its return at %s sec, but it still blocks",
				    j->ev->call->name, drill_time(a, (int64_t)j->due_ns));
		if (j->done || all)
			worker_free(w);
	}
}

void drill_calls_open(struct drill *d)
{
	d->proc = task_new_external(d->net, "script", NULL);
	task_files(d->proc);
}

void drill_calls_close(struct drill *d)
{
	struct worker *w, *tmp;

	if (!d->proc)
		return;
	list_for_each_entry_safe(w, tmp, &d->workers, list)
		worker_free(w);
	task_free(d->proc);
	d->proc = NULL;
}
