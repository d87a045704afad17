/* poll(2), ppoll(2), select(2): readiness of many descriptors, one sleep.
 *
 * Decides: what they report and when they sleep. One waiter hangs on each file's wait queue; any of them wakes the one
 * queue on which the task sleeps. select is the same wait over the descriptors whose bits are set, and asks for what
 * Linux counts as readable, writable and exceptional. Called by: programs. Hands on: file_ops->poll.
 * Tests: tests/unit/socket/test_poll.c. */
#include <stdlib.h>
#include <string.h>
#include "socket/file.h"
#include "socket/sys_scope.h"

/* Up to so many descriptors need no memory of their own. */
#define POLL_FEW 16

struct poll_wait {
	struct wait_entry e;
	struct file *f;
	struct wait_queue_head *sleeper;
	uint32_t events; /* what counts */
};

static bool poll_wake(struct wait_entry *e, uint32_t key)
{
	struct poll_wait *w = container_of(e, struct poll_wait, e);

	if (!key || (key & w->events))
		wake_up(w->sleeper, 0);
	return true;
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
			fds[i].revents = (short)(file_poll(w[i].f) & w[i].events);
		ready += fds[i].revents != 0;
	}
	return ready;
}

static void poll_hang(struct task *t, struct poll_wait *w, unsigned n, struct wait_queue_head *sleeper)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		if (!w[i].f || !w[i].f->ops->wait_queue)
			continue;
		w[i].e.task = t;
		w[i].e.func = poll_wake;
		w[i].sleeper = sleeper;
		add_wait_queue(w[i].f->ops->wait_queue(w[i].f), &w[i].e);
	}
}

/* The files behind fds, each held for this call, with nobody hanging on them yet. always: what counts besides what
 * was asked for. */
static void poll_get(struct task *t, const struct pollfd *fds, struct poll_wait *w, unsigned n, uint32_t always)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		w[i].f = fget(t, fds[i].fd);
		w[i].events = (uint32_t)(uint16_t)fds[i].events | always;
		w[i].sleeper = NULL;
		list_init(&w[i].e.list);
		w[i].e.exclusive = false;
	}
}

static void poll_put(struct poll_wait *w, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		if (w[i].f)
			fput(w[i].f);
}

static int poll_loop(struct task *t, struct pollfd *fds, struct poll_wait *w, unsigned n, uint64_t deadline)
{
	struct wait_queue_head sleeper;
	int ready = poll_scan(fds, w, n), err = 0;
	unsigned i;

	if (ready || deadline <= t->net->now_ns)
		return ready;
	init_waitqueue_head(&sleeper);
	poll_hang(t, w, n, &sleeper);
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

static int do_poll(struct task *t, struct pollfd *fds, unsigned n, uint64_t deadline)
{
	struct poll_wait few[POLL_FEW] = { 0 }, *w = few;
	int ret;

	if (n > TASK_MAX_FILES)
		return -EINVAL;
	if (n && !fds)
		return -EFAULT;
	if (n > POLL_FEW)
		w = xcalloc(n, sizeof(*w));
	poll_get(t, fds, w, n, POLLERR | POLLHUP);
	ret = poll_loop(t, fds, w, n, deadline);
	poll_put(w, n);
	if (w != few)
		free(w);
	return ret;
}

int sys_poll(struct task *t, struct pollfd *fds, unsigned n, int timeout_ms)
{
	SYSCALL(t, NR_POLL, "SyS_poll");
	int ret = do_poll(t, fds, n, poll_deadline(t->net, timeout_ms));

	SYS_LINE(t, "SyS_poll", ret, "poll([{fd=%d, events=%s, revents=%s}%s], %u, %d)",
		 ret < 0 || !n ? -1 : fds[0].fd, ret < 0 || !n ? "0" : st_poll_events(ST, fds[0].events),
		 ret < 0 || !n ? "0" : st_poll_events(ST, fds[0].revents), n > 1 ? ", ..." : "", n, timeout_ms);
	return ret;
}

int sys_ppoll(struct task *t, struct pollfd *fds, unsigned n, uint64_t timeout_ns)
{
	SYSCALL(t, NR_PPOLL, "SyS_ppoll");
	int ret = do_poll(t, fds, n, sock_deadline(t->net->now_ns, timeout_ns, false));

	SYS_LINE(t, "SyS_ppoll", ret, "ppoll([{fd=%d, events=%s, revents=%s}%s], %u, %lld ns)",
		 ret < 0 || !n ? -1 : fds[0].fd, ret < 0 || !n ? "0" : st_poll_events(ST, fds[0].events),
		 ret < 0 || !n ? "0" : st_poll_events(ST, fds[0].revents), n > 1 ? ", ..." : "", n,
		 timeout_ns == TIME_NEVER ? -1LL : (long long)timeout_ns);
	return ret;
}

/* ---- select ---- */

/* What Linux's select counts for each set. */
#define SELECT_IN (POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR)
#define SELECT_OUT (POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR)
#define SELECT_EX POLLPRI

static bool bit_get(const fd_set *set, uint32_t fd)
{
	return set && (((const uint8_t *)set)[fd / 8] >> (fd % 8) & 1);
}

static int bit_put(fd_set *set, uint32_t fd, bool on)
{
	uint8_t bit = (uint8_t)(1u << (fd % 8));

	if (!set)
		return 0;
	if (on)
		((uint8_t *)set)[fd / 8] |= bit;
	else
		((uint8_t *)set)[fd / 8] &= (uint8_t)~bit;
	return on;
}

struct select_sets {
	fd_set *in, *out, *ex;
	uint32_t nfds;
};

static short select_wanted(const struct select_sets *s, uint32_t fd)
{
	return (short)((bit_get(s->in, fd) ? SELECT_IN : 0) | (bit_get(s->out, fd) ? SELECT_OUT : 0) |
		       (bit_get(s->ex, fd) ? SELECT_EX : 0));
}

/* The descriptors with a bit in any set; how many. */
static uint32_t select_gather(const struct select_sets *s, struct pollfd *fds)
{
	uint32_t fd, n = 0;

	for (fd = 0; fd < s->nfds; fd++)
		if (select_wanted(s, fd))
			fds[n++] = (struct pollfd){ .fd = (int)fd, .events = select_wanted(s, fd) };
	return n;
}

/* Leave the bits of what is ready; how many they are. */
static int select_answer(const struct select_sets *s, const struct pollfd *fds, uint32_t n)
{
	uint32_t i;
	int bits = 0;

	for (i = 0; i < n; i++) {
		uint32_t fd = (uint32_t)fds[i].fd;
		int got = fds[i].revents;

		bits += bit_put(s->in, fd, bit_get(s->in, fd) && (got & SELECT_IN));
		bits += bit_put(s->out, fd, bit_get(s->out, fd) && (got & SELECT_OUT));
		bits += bit_put(s->ex, fd, bit_get(s->ex, fd) && (got & SELECT_EX));
	}
	return bits;
}

static int select_on(struct task *t, const struct select_sets *s, uint64_t deadline)
{
	struct pollfd *fds = xcalloc(s->nfds + 1, sizeof(*fds));
	uint32_t i, n = select_gather(s, fds);
	struct poll_wait *w = xcalloc(n + 1, sizeof(*w));
	int ret = 0;

	poll_get(t, fds, w, n, 0);
	for (i = 0; i < n; i++)
		if (!w[i].f)
			ret = -EBADF;
	if (!ret)
		ret = poll_loop(t, fds, w, n, deadline);
	if (ret >= 0)
		ret = select_answer(s, fds, n);
	poll_put(w, n);
	free(w);
	free(fds);
	return ret;
}

static int do_select(struct task *t, int nfds, fd_set *in, fd_set *out, fd_set *ex, uint64_t *timeout_ns)
{
	struct select_sets s = { in, out, ex, 0 };
	uint64_t deadline = sock_deadline(t->net->now_ns, timeout_ns ? *timeout_ns : TIME_NEVER, false);
	int ret;

	if (nfds < 0)
		return -EINVAL;
	/* Beyond the table nothing can be open; Linux does not look there either. */
	s.nfds = min_u32((uint32_t)nfds, task_files(t)->room);
	ret = select_on(t, &s, deadline);
	if (timeout_ns && *timeout_ns != TIME_NEVER)
		*timeout_ns = deadline > t->net->now_ns ? deadline - t->net->now_ns : 0;
	return ret;
}

int sys_select(struct task *t, int nfds, fd_set *in, fd_set *out, fd_set *ex, uint64_t *timeout_ns)
{
	SYSCALL(t, NR_SELECT, "SyS_select");
	int ret = do_select(t, nfds, in, out, ex, timeout_ns);

	SYS_LINE(t, "SyS_select", ret, "select(%d, %s, %s, %s, %s)", nfds, in ? "[...]" : "NULL",
		 out ? "[...]" : "NULL", ex ? "[...]" : "NULL", timeout_ns ? "{...}" : "NULL");
	return ret;
}
