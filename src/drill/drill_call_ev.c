/* Calls that wait for events: poll, epoll; pipes; sleeping.
 *
 * Called by drill_call.c, inside a task; hands on to socket/syscall.h. Tests: tests/packet/calls. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "drill/drill_addr.h"
#include "socket/syscall.h"

#define MAX_POLL 1024u

static int64_t call_poll(struct drill_job *j, struct task *t)
{
	const struct dexpr *x = djob_arg(j, 0);
	uint32_t n = x && x->kind == DX_LIST && x->n <= MAX_POLL ? x->n : 0;
	struct pollfd *p = xcalloc(n + 1u, sizeof(*p));
	int64_t r, want;

	for (uint32_t i = 0; i < n; i++) {
		p[i].fd = drill_fd_live(j->d, (int)dexpr_field_int(x->item[i], "fd", -1));
		p[i].events = (short)dexpr_field_int(x->item[i], "events", 0);
	}
	r = dexpr_null(x) ? sys_poll(t, NULL, (uint32_t)djob_int(j, 1, 0), (int)djob_int(j, 2, 0))
			  : sys_poll(t, p, min_u32(n, (uint32_t)djob_int(j, 1, n)), (int)djob_int(j, 2, 0));
	for (uint32_t i = 0; i < n && r >= 0; i++)
		if (dexpr_int1(dexpr_field(x->item[i], "revents", NULL), &want) && (short)want != p[i].revents)
			djob_fail(j, "Expected revents of 0x%llx for the pollfd %u but got 0x%x", (long long)want, i, (unsigned)p[i].revents);
	free(p);
	return r;
}

/* ---- epoll ---- */

static int64_t epoll_fd(struct drill_job *j, int fd)
{
	const struct dexpr *r = j->ev->call->result;

	if (fd < 0)
		return fd;
	drill_fd_set(j->d, r->kind == DX_INT && r->v >= 0 ? (int)r->v : fd, fd);
	return drill_fd_script(j->d, fd);
}

static int64_t call_epoll_create(struct drill_job *j, struct task *t)
{
	return djob_int(j, 0, 1) <= 0 ? -EINVAL : epoll_fd(j, sys_epoll_create1(t, 0));
}

static int64_t call_epoll_create1(struct drill_job *j, struct task *t)
{
	return epoll_fd(j, sys_epoll_create1(t, (int)djob_int(j, 0, 0)));
}

/* {events=EPOLLIN, fd=4}, or with ptr, u32, u64. */
static bool event_data(const struct dexpr *x, int64_t *v)
{
	static const char *const names[] = { "fd", "ptr", "u32", "u64", "data" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (dexpr_int1(dexpr_field(x, names[i], NULL), v))
			return true;
	return false;
}

static int64_t call_epoll_ctl(struct drill_job *j, struct task *t)
{
	const struct dexpr *x = djob_arg(j, 3);
	struct epoll_event ev = { 0 };
	int64_t data = 0;

	if (x && x->kind == DX_LIST && x->n == 1)
		x = x->item[0];
	ev.events = (uint32_t)dexpr_field_int(x, "events", 0);
	event_data(x, &data);
	ev.data.u64 = (uint64_t)data;
	return sys_epoll_ctl(t, djob_fd(j, 0), (int)djob_int(j, 1, 0), djob_fd(j, 2), dexpr_null(x) ? NULL : &ev);
}

static void check_event(struct drill_job *j, const struct dexpr *x, const struct epoll_event *ev)
{
	int64_t v;

	if (!x || x->kind != DX_STRUCT)
		return;
	if (dexpr_int1(dexpr_field(x, "events", NULL), &v) && (uint32_t)v != ev->events)
		djob_fail(j, "epoll_event->events does not match script: expected: 0x%x actual: 0x%x", (unsigned)v, ev->events);
	if (event_data(x, &v) && (uint64_t)v != ev->data.u64)
		djob_fail(j, "epoll_event->data does not match script: expected: %lld actual: %llu", (long long)v, (unsigned long long)ev->data.u64);
}

static int64_t call_epoll_wait(struct drill_job *j, struct task *t)
{
	const struct dexpr *x = djob_arg(j, 1);
	int max = (int)djob_int(j, 2, 1);
	uint32_t room = max > 0 ? min_u32((uint32_t)max, MAX_POLL) : 1;
	struct epoll_event *ev = xcalloc(room, sizeof(*ev));
	int64_t r = sys_epoll_wait(t, djob_fd(j, 0), ev, max > (int)MAX_POLL ? (int)MAX_POLL : max, (int)djob_int(j, 3, 0));

	for (int64_t i = 0; i < r && x; i++)
		check_event(j, x->kind == DX_LIST ? (i < x->n ? x->item[i] : NULL) : i == 0 ? x : NULL, &ev[i]);
	free(ev);
	return r;
}

/* ---- pipes, sleeping ---- */

static int64_t pipe_any(struct drill_job *j, struct task *t, int flags)
{
	const struct dexpr *x = djob_arg(j, 0);
	int fd[2];
	int r = dexpr_null(x) ? -EFAULT : sys_pipe2(t, fd, flags);

	for (uint32_t i = 0; !r && i < 2; i++) {
		int64_t script = fd[i];

		if (x && x->kind == DX_LIST && x->n == 2 && x->item[i]->kind == DX_INT)
			script = x->item[i]->v;
		drill_fd_set(j->d, (int)script, fd[i]);
	}
	return r;
}

static int64_t call_pipe(struct drill_job *j, struct task *t)
{
	return pipe_any(j, t, 0);
}

static int64_t call_pipe2(struct drill_job *j, struct task *t)
{
	return pipe_any(j, t, (int)djob_int(j, 1, 0));
}

static int64_t call_usleep(struct drill_job *j, struct task *t)
{
	int64_t us = djob_int(j, 0, 0);

	return us < 0 ? -EINVAL : sys_nanosleep(t, (uint64_t)us * NSEC_PER_USEC);
}

const struct drill_call_entry drill_calls_ev[] = {
	{ "poll", 3, 3, call_poll },
	{ "epoll_create", 1, 1, call_epoll_create },
	{ "epoll_create1", 1, 1, call_epoll_create1 },
	{ "epoll_ctl", 3, 4, call_epoll_ctl },
	{ "epoll_wait", 4, 4, call_epoll_wait },
	{ "pipe", 1, 1, call_pipe },
	{ "pipe2", 2, 2, call_pipe2 },
	{ "usleep", 1, 1, call_usleep },
	{ NULL, 0, 0, NULL },
};
