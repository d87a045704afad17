/* Letting a world run: the event loop, programs on nodes, processes of the lab file. Called by world.c (boot),
 * cli/ and tests; hands on to app/ for the programs. Virtual time moves only here.
 * Tests: tests/unit/lab/test_world.c, tests/lab. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "app/app.h"
#include "lab/lab.h"
#include "lab/lab_int.h"

#define LAB_ASK_EVERY 4096u /* events between two questions whether to stop */
#define LAB_KILL_LIMIT_NS NSEC_PER_SEC

/* ---- the loop ---- */

enum lab_stop lab_run(struct lab *lab, bool (*done)(void *arg), void *arg, uint64_t until_ns)
{
	for (;;) {
		uint64_t next;

		if (done && done(arg))
			return LAB_STOP_DONE;
		next = evq_next(&lab->q);
		if (next == TIME_NEVER) {
			/* Nobody waits for anything: time may pass all the same, unless somebody asked for an event. */
			if (!done && until_ns != TIME_NEVER && until_ns > lab->q.now_ns)
				lab->q.now_ns = until_ns;
			return LAB_STOP_IDLE;
		}
		if (next > until_ns) {
			if (until_ns > lab->q.now_ns)
				lab->q.now_ns = until_ns;
			return LAB_STOP_LIMIT;
		}
		evq_run_one(&lab->q);
		if (++lab->events % LAB_ASK_EVERY == 0 && lab->opts.interrupted &&
		    lab->opts.interrupted(lab->opts.interrupted_arg))
			return LAB_STOP_INTERRUPTED;
	}
}

enum lab_stop lab_wait(struct lab *lab, uint64_t ns)
{
	uint64_t until = ns < TIME_NEVER - lab->q.now_ns ? lab->q.now_ns + ns : TIME_NEVER - 1;

	return lab_run(lab, NULL, NULL, until);
}

/* ---- programs ---- */

void lab_log(struct lab_node *n, const char *s, size_t len)
{
	if (len > LAB_LOG_MAX / 2) {
		s += len - LAB_LOG_MAX / 2;
		len = LAB_LOG_MAX / 2;
	}
	if (n->log.len + len > LAB_LOG_MAX) {
		size_t keep = LAB_LOG_MAX / 2 - len / 2;
		char *tail = xcalloc(1, keep + 1);

		memcpy(tail, sb_str(&n->log) + n->log.len - keep, keep);
		sb_reset(&n->log);
		sb_add(&n->log, tail, keep);
		free(tail);
	}
	sb_add(&n->log, s, len);
}

static void task_output(struct task *t, int fd, const char *s, size_t len, void *arg)
{
	struct lab_stdout *o = arg;

	o->out(o->arg, fd, s, len);
}

/* The node's environment variables, as the task owns them: "NAME=value"..., NULL. */
static char **node_env(const struct lab_node *n)
{
	const struct topo_pairs *p = &n->topo->env;
	char **env = xcalloc(p->n + 1u, sizeof(*env));

	for (uint32_t i = 0; i < p->n; i++) {
		size_t room = strlen(p->v[i].name) + strlen(p->v[i].value) + 2;

		env[i] = xcalloc(1, room);
		snprintf(env[i], room, "%s=%s", p->v[i].name, p->v[i].value);
	}
	return env;
}

static void task_prepare(struct lab_node *n, struct task *t, struct lab_stdout *o)
{
	t->env = node_env(n);
	if (o) {
		t->write = task_output;
		t->write_arg = o;
	}
	net_kick(n->net);
}

static void say(lab_output out, void *arg, const char *fmt, ...) PRINTF_LIKE(3, 4);
static void say(lab_output out, void *arg, const char *fmt, ...)
{
	char text[400];
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (out && len > 0)
		out(arg, 2, text, min_sz((size_t)len, sizeof(text) - 1));
}

/* First word of a line, for messages. */
static int word_len(const char *line)
{
	return (int)strcspn(line, " \t");
}

static bool task_ended(void *arg)
{
	return ((struct task *)arg)->state == TASK_ZOMBIE;
}

/* Run a task to its end, or make it end. Returns its exit code. */
int lab_finish(struct lab_node *n, struct task *t, const char *line, lab_output out, void *arg)
{
	struct lab *lab = n->lab;
	uint64_t stop = lab->src->topo.stop_ns, until = lab->q.now_ns + LAB_COMMAND_LIMIT_NS;
	enum lab_stop why = lab_run(lab, task_ended, t, stop ? min_u64(stop, until) : until);
	
	if (why == LAB_STOP_DONE)
		return t->exit_code;
	if (why == LAB_STOP_IDLE)
		say(out, arg, "%s: %.*s: it waits for what can never come\n", n->name, word_len(line), line);
	else if (why == LAB_STOP_LIMIT)
		say(out, arg, "%s: %.*s: still running when the %s was over\n", n->name, word_len(line), line,
		    stop && stop < until ? "lab's stop_time" : "hour of virtual time that a command has");
	/* As ^C does: let it say its last words, then end it. */
	t->pending_signals |= TASK_SIG(TASK_SIGINT);
	task_kill(t);
	lab_run(lab, task_ended, t, lab->q.now_ns + LAB_KILL_LIMIT_NS);
	return why == LAB_STOP_INTERRUPTED ? 130 : 124;
}

static struct task *spawn_line(struct lab_node *n, const char *line, struct lab_stdout *o, int *err)
{
	struct task *t;

	net_enter(n->net, n->lab->q.now_ns);
	t = app_spawn_line(n->net, line, err);
	if (t)
		task_prepare(n, t, o);
	return t;
}

struct task *lab_spawn_main(struct lab_node *n, const char *comm, task_main main, void *data)
{
	char *argv[] = { (char *)(uintptr_t)comm, NULL };
	struct task *t;

	net_enter(n->net, n->lab->q.now_ns);
	t = task_spawn(n->net, comm, main, 1, argv, NULL);
	if (!t)
		return NULL;
	t->owner_data = data;
	task_prepare(n, t, NULL);
	return t;
}

static struct lab_job *job_new(struct lab *lab, lab_output out, void *arg)
{
	struct lab_job *job = xcalloc(1, sizeof(*job));

	job->o = (struct lab_stdout){ out, arg };
	job->next = lab->jobs;
	lab->jobs = job;
	return job;
}

struct task *lab_spawn(struct lab_node *n, const char *line, lab_output out, void *arg, int *err)
{
	return spawn_line(n, line, out ? &job_new(n->lab, out, arg)->o : NULL, err);
}

/* "iperf -s &": started, and nobody waits. Its output goes where the command's would, so o lives as long as the
 * lab; reaped when it ends. */
static int command_background(struct lab_node *n, const char *line, size_t len, lab_output out, void *arg)
{
	struct task *t;
	char *copy = xcalloc(1, len + 1);
	int err;

	memcpy(copy, line, len);
	t = lab_spawn(n, copy, out, arg, &err);
	if (!t)
		say(out, arg, "%s: %.*s: %s\n", n->name, word_len(copy), copy,
		    err == -ENOENT ? "command not found" : "the line does not parse");
	else
		t->orphan = t->background = true;
	free(copy);
	return t ? 0 : err == -ENOENT ? 127 : 126;
}

int lab_command(struct lab_node *n, const char *line, lab_output out, void *arg)
{
	struct lab_stdout o = { out, arg };
	struct task *t;
	size_t len;
	int err, code;

	line += strspn(line, " \t");
	len = strlen(line);
	while (len && (line[len - 1] == ' ' || line[len - 1] == '\t'))
		len--;
	if (!n->net)
		return lab_switch_command(n, line, out, arg);
	if (len && line[len - 1] == '&')
		return command_background(n, line, len - 1, out, arg);
	t = spawn_line(n, line, out ? &o : NULL, &err);
	if (!t) {
		say(out, arg, "%s: %.*s: %s\n", n->name, word_len(line), line,
		    err == -ENOENT ? "command not found" :
		    err == -EINVAL ? "the line does not parse: a quote is open, or nothing is there" :
				     "out of memory");
		return err == -ENOENT ? 127 : 126;
	}
	code = lab_finish(n, t, line, out, arg);
	task_free(t);
	return code;
}

const char *lab_program(const struct lab_node *n, size_t i)
{
	const struct app *a;

	if (!n->net)
		return i == 0 ? "bridge" : NULL;
	a = app_at(i);
	return a ? a->name : NULL;
}

/* ---- processes of the lab file ---- */

/* What runs as a process of the lab file: the program, and a note of how it ended. */
static int process_main(struct task *t, int argc, char **argv)
{
	struct lab_start *s = t->owner_data;

	s->code = app_find(s->proc->path)->main(t, argc, argv);
	s->ended = true;
	return s->code;
}

static void process_spawn(struct lab_start *s)
{
	struct lab_node *n = s->node;
	const struct app *a = app_find(s->proc->path);
	uint32_t argc = s->proc->args.n + 1;
	char **argv = xcalloc(argc + 1u, sizeof(*argv));
	struct task *t;

	argv[0] = s->proc->path;
	for (uint32_t i = 1; i < argc; i++)
		argv[i] = s->proc->args.v[i - 1];
	net_enter(n->net, n->lab->q.now_ns);
	t = task_spawn(n->net, a->name, process_main, (int)argc, argv, NULL);
	if (t) {
		t->orphan = t->background = true;
		t->owner_data = s;
		task_prepare(n, t, NULL);
	}
	free(argv);
}

static void process_start(struct ev *ev)
{
	process_spawn(container_of(ev, struct lab_start, ev));
}

enum lab_err lab_start_processes(struct lab_node *n, struct yerr *e)
{
	n->start = xcalloc(n->topo->n_process + 1u, sizeof(*n->start));
	for (uint32_t i = 0; i < n->topo->n_process; i++) {
		struct lab_start *s = &n->start[i];

		s->node = n;
		s->proc = &n->topo->process[i];
		ev_init(&s->ev, n->id, process_start);
		if (!app_find(s->proc->path)) {
			struct ynode at = { .line = s->proc->at.line, .col = s->proc->at.col };

			yerr_at(e, n->lab->src->topo.file, &at, "process '%.60s' is not one of culver's programs",
				s->proc->path);
			return LAB_BAD;
		}
		if (s->proc->start_ns <= n->lab->q.now_ns)
			process_spawn(s);
		else
			evq_at(&n->lab->q, &s->ev, s->proc->start_ns);
	}
	return LAB_OK;
}

enum lab_err lab_check_processes(struct lab_node *n, struct yerr *e)
{
	for (uint32_t i = 0; n->start && i < n->topo->n_process; i++) {
		const struct lab_start *s = &n->start[i];
		struct ynode at = { .line = s->proc->at.line, .col = s->proc->at.col };
		const char *text = sb_str(&n->log), *last = text;

		if (!s->ended || !s->code)
			continue;
		for (const char *c = text; *c; c++)
			if (*c == '\n' && c[1])
				last = c + 1;
		yerr_at(e, n->lab->src->topo.file, &at, "%.60s on %.60s ended at once (exit code %d): %.*s", s->proc->path, n->name,
			s->code, (int)strcspn(last, "\n"), last);
		return LAB_BAD;
	}
	return LAB_OK;
}

void lab_stop_processes(struct lab_node *n)
{
	for (uint32_t i = 0; n->start && i < n->topo->n_process; i++)
		if (n->start[i].node)
			evq_cancel(&n->lab->q, &n->start[i].ev);
}

void lab_free_jobs(struct lab *lab)
{
	while (lab->jobs) {
		struct lab_job *job = lab->jobs;

		lab->jobs = job->next;
		free(job);
	}
}
