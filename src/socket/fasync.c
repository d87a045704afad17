/* Who is told by a signal of what happens at a descriptor: F_SETOWN, F_SETSIG, O_ASYNC (fcntl(2), socket(7)).
 *
 * Decides: whether an owner exists, which signal goes to whom. An owned file has an entry on its wait queue, as an epoll set
 * has: whoever wakes sleepers tells it, and nobody pays for files without an owner. A signal is a bit in pending_signals of the
 * owner's task, or of all tasks of its group: a task and those that it started. SIGURG goes to the owner whatever O_ASYNC says.
 * Called by: sys_file.c, socket.c (ioctl). Hands on: nothing. Tests: the cases own-, sigio- and sigurg- of tests/kernel/syscalls.txt. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include "socket/fasync.h"
#include "socket/file.h"

#define SIGNALS_MAX 64
#define SIGNAL_IO 29 /* asm-generic/signal.h */

struct fown {
	struct wait_entry wait;
	struct file *file;
	int32_t type, pid; /* F_OWNER_TID, F_OWNER_PID, F_OWNER_PGRP */
	int32_t signum;    /* 0: SIGIO */
	bool queued;
};

static bool in_group(const struct task *t, uint32_t pid)
{
	for (; t; t = t->parent)
		if (t->pid == pid)
			return true;
	return false;
}

static bool owns(const struct fown *o, const struct task *t)
{
	return o->type == F_OWNER_PGRP ? in_group(t, (uint32_t)o->pid) : t->pid == (uint32_t)o->pid;
}

static void send_signal(struct fown *o, int sig)
{
	struct task *t;

	if (!o->pid)
		return;
	list_for_each_entry(t, &o->file->net->tasks, node)
		if (t->state != TASK_ZOMBIE && owns(o, t))
			t->pending_signals |= TASK_SIG(sig);
}

static bool fasync_wake(struct wait_entry *e, uint32_t key)
{
	struct fown *o = container_of(e, struct fown, wait);

	if (key == POLLPRI)
		send_signal(o, TASK_SIGURG);
	if (key && (o->file->flags & O_ASYNC))
		send_signal(o, o->signum ? o->signum : SIGNAL_IO);
	return false;
}

static struct fown *fown_of(struct file *f)
{
	struct fown *o = f->own;

	if (o)
		return o;
	o = xcalloc(1, sizeof(*o));
	o->file = f;
	if (f->ops->wait_queue) {
		init_wait(&o->wait, NULL);
		o->wait.func = fasync_wake;
		add_wait_queue(f->ops->wait_queue(f), &o->wait);
		o->queued = true;
	}
	f->own = o;
	return o;
}

void fown_free(struct file *f)
{
	if (!f->own)
		return;
	if (f->own->queued)
		remove_wait_queue(&f->own->wait);
	free(f->own);
	f->own = NULL;
}

static bool pid_exists(const struct net *net, int32_t type, int32_t pid)
{
	struct task *t;

	list_for_each_entry(t, &net->tasks, node)
		if (t->pid == (uint32_t)pid && (type != F_OWNER_PGRP || t->state != TASK_ZOMBIE))
			return true;
	return false;
}

static int set_owner(struct file *f, int32_t type, int32_t pid)
{
	if (pid && !pid_exists(f->net, type, pid))
		return -ESRCH;
	fown_of(f)->type = type;
	f->own->pid = pid;
	return 0;
}

int f_setown(struct file *f, int who)
{
	if (who == INT_MIN)
		return -EINVAL;
	return who < 0 ? set_owner(f, F_OWNER_PGRP, -who) : set_owner(f, F_OWNER_PID, who);
}

int f_getown(const struct file *f)
{
	const struct fown *o = f->own;

	if (!o || !o->pid || !pid_exists(f->net, o->type, o->pid))
		return 0;
	return o->type == F_OWNER_PGRP ? -o->pid : o->pid;
}

static int setown_ex(struct file *f, const struct f_owner_ex *ex)
{
	if (!ex)
		return -EFAULT;
	if (ex->type != F_OWNER_TID && ex->type != F_OWNER_PID && ex->type != F_OWNER_PGRP)
		return -EINVAL;
	return set_owner(f, (int32_t)ex->type, ex->pid);
}

static int getown_ex(const struct file *f, struct f_owner_ex *ex)
{
	int who = f_getown(f);

	if (!ex)
		return -EFAULT;
	ex->type = f->own ? (enum __pid_type)f->own->type : F_OWNER_TID;
	ex->pid = who < 0 ? -who : who;
	return 0;
}

int fasync_fcntl(struct file *f, int cmd, long arg)
{
	switch (cmd) {
	case F_SETOWN:
		return f_setown(f, (int)arg);
	case F_GETOWN:
		return f_getown(f);
	case F_SETOWN_EX:
		return setown_ex(f, (const struct f_owner_ex *)arg);
	case F_GETOWN_EX:
		return getown_ex(f, (struct f_owner_ex *)arg);
	case F_SETSIG:
		if ((int)arg < 0 || (int)arg > SIGNALS_MAX)
			return -EINVAL;
		fown_of(f)->signum = (int)arg;
		return 0;
	case F_GETSIG:
		return f->own ? f->own->signum : 0;
	default:
		return -EINVAL;
	}
}

int fasync_set(struct file *f, bool on)
{
	if (!f->ops->fasync)
		return on == ((f->flags & O_ASYNC) != 0) ? 0 : -ENOTTY;
	f->flags = on ? f->flags | O_ASYNC : f->flags & ~(uint32_t)O_ASYNC;
	if (on)
		fown_of(f);
	return 0;
}
