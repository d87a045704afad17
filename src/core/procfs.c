/* /proc of one host: a sorted table of paths, each with the function that makes its text.
 *
 * Decides: which file a path names, in what order an iterator is driven, who may write.
 * Called by: socket/procfile.c (programs' open and read), tests. Calls: the seq_operations, show and write
 * functions that the rooms registered. /proc/sys is sysctl.c's, reached under "sys/".
 * Nothing is cached: text is made from live state at each read.
 * Tests: tests/unit/core/test_procfs.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "core/procfs.h"

/* Enough for every room's files and a few per device; a bound, not a budget. */
#define PROC_MAX_FILES 4096
#define PROC_PATH_MAX 256

struct proc_entry {
	const char *path; /* our copy */
	const struct seq_operations *seq;
	void (*show)(struct net *net, struct strbuf *out);
	int (*write)(struct net *net, const char *text, size_t len, struct strbuf *answer);
};

struct proc_net {
	struct proc_entry *ent; /* sorted by path */
	size_t n, room;
};

static bool proc_find(const struct proc_net *p, const char *path, size_t *at)
{
	size_t lo = 0, hi = p->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(p->ent[mid].path, path);

		if (!c) {
			*at = mid;
			return true;
		}
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*at = lo;
	return false;
}

static int proc_add(struct net *net, const struct proc_entry *e)
{
	struct proc_net *p = net->proc;
	size_t at;

	if (!*e->path || strlen(e->path) >= PROC_PATH_MAX || *e->path == '/')
		return -EINVAL;
	if (proc_find(p, e->path, &at))
		return -EEXIST;
	if (p->n >= PROC_MAX_FILES)
		return -ENOSPC;
	if (p->n == p->room) {
		p->room = p->room ? p->room * 2 : 16;
		p->ent = xrealloc(p->ent, p->room * sizeof(*p->ent));
	}
	memmove(p->ent + at + 1, p->ent + at, (p->n - at) * sizeof(*p->ent));
	p->ent[at] = *e;
	p->ent[at].path = xstrdup(e->path);
	p->n++;
	return 0;
}

int proc_create_seq(struct net *net, const char *path, const struct seq_operations *ops)
{
	struct proc_entry e = { .path = path, .seq = ops };

	if (ops->state_size > SEQ_STATE_MAX)
		return -EINVAL;
	return proc_add(net, &e);
}

int proc_create_single(struct net *net, const char *path,
		       void (*show)(struct net *net, struct strbuf *out))
{
	struct proc_entry e = { .path = path, .show = show };

	return proc_add(net, &e);
}

int proc_create_rw(struct net *net, const char *path,
		   void (*show)(struct net *net, struct strbuf *out),
		   int (*write)(struct net *net, const char *text, size_t len, struct strbuf *answer))
{
	struct proc_entry e = { .path = path, .show = show, .write = write };

	return proc_add(net, &e);
}

int proc_remove(struct net *net, const char *path)
{
	struct proc_net *p = net->proc;
	size_t at;

	if (!proc_find(p, path, &at))
		return -ENOENT;
	free((void *)(uintptr_t)p->ent[at].path);
	p->n--;
	memmove(p->ent + at, p->ent + at + 1, (p->n - at) * sizeof(*p->ent));
	return 0;
}

/* The name below sys/, or NULL when path is not there. */
static const char *proc_sysctl_name(const char *path)
{
	return strncmp(path, "sys/", 4) ? NULL : path + 4;
}

bool proc_lookup(struct net *net, const char *path, bool *writable)
{
	const char *name = proc_sysctl_name(path);
	size_t at;

	if (name)
		return sysctl_lookup(net, name, writable);
	if (!proc_find(net->proc, path, &at))
		return false;
	*writable = net->proc->ent[at].write != NULL;
	return true;
}

/* The order is seq_file's: see the comment at struct seq_operations. */
static void proc_read_seq(struct net *net, const struct seq_operations *ops, struct strbuf *out)
{
	uint64_t state[SEQ_STATE_MAX / sizeof(uint64_t)] = { 0 };
	void *v = ops->start(net, state, 0);

	if (v == SEQ_START_TOKEN) {
		ops->show(net, out, state, v);
		if (ops->stop)
			ops->stop(net, state, v);
		v = ops->start(net, state, 1);
	}
	for (; v; v = ops->next(net, state, v))
		ops->show(net, out, state, v);
	if (ops->stop)
		ops->stop(net, state, NULL);
}

int proc_read(struct net *net, const char *path, struct strbuf *out)
{
	const char *name = proc_sysctl_name(path);
	const struct proc_entry *e;
	size_t at;

	if (name) {
		int err = sysctl_get(net, name, out);

		if (!err)
			sb_putc(out, '\n');
		return err;
	}
	if (!proc_find(net->proc, path, &at))
		return -ENOENT;
	e = &net->proc->ent[at];
	if (e->seq)
		proc_read_seq(net, e->seq, out);
	else if (e->show)
		e->show(net, out);
	return 0;
}

int proc_write(struct net *net, const char *path, const char *text, size_t len,
	       struct strbuf *answer)
{
	const char *name = proc_sysctl_name(path);
	size_t at;

	if (name)
		return sysctl_set(net, name, text);
	if (!proc_find(net->proc, path, &at))
		return -ENOENT;
	if (!net->proc->ent[at].write)
		return -EACCES;
	return net->proc->ent[at].write(net, text, len, answer);
}

struct proc_list_ctx {
	void (*fn)(const char *path, void *arg);
	void *arg;
};

static void proc_list_sysctl(const char *name, void *arg)
{
	const struct proc_list_ctx *c = arg;
	char path[PROC_PATH_MAX + 4];
	size_t i;

	memcpy(path, "sys/", 4);
	for (i = 0; name[i] && i < PROC_PATH_MAX - 1; i++)
		path[4 + i] = name[i] == '.' ? '/' : name[i] == '/' ? '.' : name[i];
	path[4 + i] = '\0';
	c->fn(path, c->arg);
}

void proc_list(struct net *net, void (*fn)(const char *path, void *arg), void *arg)
{
	struct proc_list_ctx c = { fn, arg };
	size_t i;

	for (i = 0; i < net->proc->n; i++)
		fn(net->proc->ent[i].path, arg);
	sysctl_list(net, proc_list_sysctl, &c);
}

static int proc_net_init(struct net *net)
{
	int err = sysctl_net_init(net);

	if (err)
		return err;
	net->proc = xcalloc(1, sizeof(*net->proc));
	return 0;
}

static void proc_net_exit(struct net *net)
{
	struct proc_net *p = net->proc;
	size_t i;

	sysctl_net_exit(net);
	if (!p)
		return;
	for (i = 0; i < p->n; i++)
		free((void *)(uintptr_t)p->ent[i].path);
	free(p->ent);
	free(p);
	net->proc = NULL;
}

const struct pernet_operations proc_net_ops = { "proc", proc_net_init, proc_net_exit };
