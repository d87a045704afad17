/* The culver side of tests/kernel/compare: a lab, steps from standard input, and what each of them printed.
 *
 *   usage: kernel-culver LABFILE [SEED] <steps
 *
 * A step is a line: "run NODE LINE" runs a program of the node to its end; "start NODE LINE" leaves it running, and "end N"
 * (N: the number of the line that started it, from 0) waits for it; "stop N" interrupts it first, as ^C does;
 * "wait MS" lets virtual time pass. A LINE that begins with "syscheck" is one
 * case of syscheck.c. At the end, for each step: "@NUMBER CODE OUT_OCTETS ERR_OCTETS", and the octets. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lab/lab.h"
#include "syscheck.h"

#define MAX_STEPS 4096
#define LINE_ROOM 16384

struct step {
	char *text;
	struct lab_node *node;
	struct task *task; /* left running */
	int code;
	bool used;
	struct strbuf out, err;
};

static void keep(void *arg, int fd, const char *s, size_t len)
{
	struct step *st = arg;

	sb_add(fd == 2 ? &st->err : &st->out, s, len);
}

static void keep_task(struct task *t, int fd, const char *s, size_t len, void *arg)
{
	keep(arg, fd, s, len);
}

static int check_main(struct task *t, int argc, char **argv)
{
	struct step *st = t->owner_data;

	return syscheck(t, st->text);
}

static bool is_check(const char *line)
{
	return !strncmp(line, "syscheck ", 9);
}

static struct task *spawn(struct step *st, const char *line)
{
	struct task *t;
	int err = 0;

	if (is_check(line)) {
		st->text = strdup(line + 9);
		t = lab_spawn_main(st->node, "syscheck", check_main, st);
		if (t) {
			t->write = keep_task;
			t->write_arg = st;
		}
	} else {
		t = lab_spawn(st->node, line, keep, st, &err);
	}
	if (!t)
		sb_printf(&st->err, "%.*s: %s\n", (int)strcspn(line, " "), line, err == ENOENT || err == -ENOENT ? "command not found" : "cannot start");
	return t;
}

static void finish(struct step *st, const char *line)
{
	st->code = lab_finish(st->node, st->task, line, keep, st);
	task_free(st->task);
	st->task = NULL;
}

static void node_step(struct lab *lab, struct step *st, char *rest, bool wait)
{
	char *line = strchr(rest, ' ');

	if (line)
		*line++ = '\0';
	st->node = lab_find(lab, rest);
	if (!st->node || !line) {
		sb_printf(&st->err, "kernel-culver: no node %s\n", rest);
		st->code = 125;
		return;
	}
	st->task = spawn(st, line);
	if (!st->task)
		st->code = 127;
	else if (wait)
		finish(st, line);
}

static void step(struct lab *lab, struct step *all, size_t i, char *line)
{
	struct step *st = &all[i];
	char *rest = strchr(line, ' ');
	size_t n;

	if (!rest)
		return;
	*rest++ = '\0';
	n = strtoul(rest, NULL, 10);
	if (!strcmp(line, "wait"))
		lab_wait(lab, n * NSEC_PER_MSEC);
	else if (!strcmp(line, "run") || !strcmp(line, "start"))
		node_step(lab, st, rest, line[0] == 'r');
	else if (n < i && all[n].task) {
		if (!strcmp(line, "stop")) {
			all[n].task->pending_signals |= TASK_SIG(TASK_SIGINT);
			task_wake(all[n].task);
		}
		finish(&all[n], "it");
	}
}

int main(int argc, char **argv)
{
	static struct step all[MAX_STEPS];
	static char line[LINE_ROOM];
	struct lab_opts opts = { .seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1, .has_seed = true };
	struct lab_source src;
	struct yerr e;
	enum lab_err err;
	struct lab *lab;
	size_t n = 0;

	if (argc < 2 || lab_source_open(&src, argv[1], &e) != LAB_OK)
		return 2;
	lab = lab_new(&src, &opts, &err, &e);
	if (!lab) {
		fprintf(stderr, "kernel-culver: %s: %s\n", argv[1], e.text);
		return 2;
	}
	for (; n < MAX_STEPS && fgets(line, sizeof(line), stdin); n++) {
		sb_init(&all[n].out);
		sb_init(&all[n].err);
		line[strcspn(line, "\n")] = '\0';
		step(lab, all, n, line);
	}
	for (size_t i = 0; i < n; i++) {
		if (all[i].task)
			finish(&all[i], "it");
		printf("@%zu %d %zu %zu\n", i, all[i].code, all[i].out.len, all[i].err.len);
		fwrite(sb_str(&all[i].out), 1, all[i].out.len, stdout);
		fwrite(sb_str(&all[i].err), 1, all[i].err.len, stdout);
	}
	lab_free(lab);
	lab_source_close(&src);
	for (size_t i = 0; i < n; i++) {
		sb_free(&all[i].out);
		sb_free(&all[i].err);
		free(all[i].text);
	}
	return 0;
}
