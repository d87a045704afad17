/* poll(2): readiness of many descriptors, one sleep.
 *
 * Decides: what poll reports and when it sleeps. It hangs one waiter on each file's wait queue; any of them
 * wakes the one queue on which the task sleeps. Called by: programs. Hands on: file_ops->poll.
 * Tests: tests/unit/app, on whole hosts. */
#include <stdlib.h>
#include "socket/file.h"
#include "socket/sys_scope.h"

/* Up to so many descriptors need no memory of their own. */
#define POLL_FEW 16

struct poll_wait {
	struct wait_entry e;
	struct file *f;
	struct wait_queue_head *sleeper;
	uint32_t events;
};

static void poll_wake(struct wait_entry *e, uint32_t key)
{
	struct poll_wait *w = container_of(e, struct poll_wait, e);

	if (!key || (key & w->events))
		wake_up(w->sleeper, 0);
}

static uint32_t poll_wanted(const struct pollfd *p)
{
	return (uint32_t)(uint16_t)p->events | POLLERR | POLLHUP;
}

static int poll_scan(struct pollfd *fds, const struct poll_wait *w, unsigned n)
{
	unsigned i;
	int ready = 0;

	for (i = 0; i < n; i++) {
		if (fds[i].fd < 0)
			fds[i].revents = 0;
		else if (!w[i].f)
			fds[i].revents = POLLNVAL;
		else
			fds[i].revents = (short)(file_poll(w[i].f) & poll_wanted(&fds[i]));
		ready += fds[i].revents != 0;
	}
	return ready;
}

static void poll_hang(struct task *t, const struct pollfd *fds, struct poll_wait *w, unsigned n,
		      struct wait_queue_head *sleeper)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		if (!w[i].f || !w[i].f->ops->wait_queue)
			continue;
		w[i].e.task = t;
		w[i].e.func = poll_wake;
		w[i].sleeper = sleeper;
		w[i].events = poll_wanted(&fds[i]);
		add_wait_queue(w[i].f->ops->wait_queue(w[i].f), &w[i].e);
	}
}

static int poll_loop(struct task *t, struct pollfd *fds, struct poll_wait *w, unsigned n, int timeout_ms)
{
	uint64_t deadline = poll_deadline(t->net, timeout_ms);
	struct wait_queue_head sleeper;
	int ready = poll_scan(fds, w, n), err = 0;
	unsigned i;

	if (ready || !timeout_ms)
		return ready;
	init_waitqueue_head(&sleeper);
	poll_hang(t, fds, w, n, &sleeper);
	while (!ready && !err) {
		err = wait_on(t->net, &sleeper, deadline);
		ready = poll_scan(fds, w, n);
	}
	for (i = 0; i < n; i++)
		if (w[i].sleeper)
			remove_wait_queue(&w[i].e);
	/* Time is up, or this caller cannot sleep: nothing is ready. */
	return ready || err != -EINTR ? ready : -EINTR;
}

static int do_poll(struct task *t, struct pollfd *fds, unsigned n, int timeout_ms)
{
	struct poll_wait few[POLL_FEW], *w = few;
	unsigned i;
	int ret;

	if (n > TASK_MAX_FILES)
		return -EINVAL;
	if (n && !fds)
		return -EFAULT;
	if (n > POLL_FEW)
		w = xcalloc(n, sizeof(*w));
	for (i = 0; i < n; i++) {
		w[i].f = fget(t, fds[i].fd);
		w[i].sleeper = NULL;
		list_init(&w[i].e.list);
		w[i].e.exclusive = false;
	}
	ret = poll_loop(t, fds, w, n, timeout_ms);
	for (i = 0; i < n; i++)
		if (w[i].f)
			fput(w[i].f);
	if (w != few)
		free(w);
	return ret;
}

int sys_poll(struct task *t, struct pollfd *fds, unsigned n, int timeout_ms)
{
	SYSCALL(t, NR_POLL, "SyS_poll");
	int ret = do_poll(t, fds, n, timeout_ms);

	SYS_LINE(t, "SyS_poll", ret, "poll([{fd=%d, events=%s, revents=%s}%s], %u, %d)",
		 ret < 0 || !n ? -1 : fds[0].fd, ret < 0 || !n ? "0" : st_poll_events(ST, fds[0].events),
		 ret < 0 || !n ? "0" : st_poll_events(ST, fds[0].revents), n > 1 ? ", ..." : "", n, timeout_ms);
	return ret;
}
