/* The event loop of the servers: epoll for descriptors, a timing wheel for deadlines.
 *
 * Decides whose turn it is: timers that are due, then descriptors in the order in which epoll
 * reports them. Descriptors are not inherited by children here, so that a task per connection is
 * not to be had; one task with a loop also serves ten thousand slow connections without ten
 * thousand stacks. Called by dns_server.c, dns_resolver.c, http_server.c. */
#include <errno.h>
#include <stdlib.h>

#include "app/app_util.h"
#include "app/web_loop.h"
#include "base/pool.h"
#include "socket/syscall.h"

struct loop *loop_new(struct task *t, int *err)
{
	struct loop *l = xcalloc(1, sizeof(*l));

	l->t = t;
	l->ep = sys_epoll_create1(t, 0);
	wheel_init(&l->wheel, sys_clock_ns(t));
	if (l->ep < 0) {
		*err = l->ep;
		free(l);
		return NULL;
	}
	return l;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	sys_close(l->t, l->ep);
	free(l);
}

int loop_add(struct loop *l, struct loop_fd *lf, int fd, uint32_t events,
	     void (*ready)(struct loop_fd *lf, uint32_t events))
{
	struct epoll_event e = { .events = events, .data.ptr = lf };

	lf->fd = fd;
	lf->events = events;
	lf->ready = ready;
	return sys_epoll_ctl(l->t, l->ep, EPOLL_CTL_ADD, fd, &e);
}

void loop_want(struct loop *l, struct loop_fd *lf, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = lf };

	if (lf->events == events)
		return;
	lf->events = events;
	sys_epoll_ctl(l->t, l->ep, EPOLL_CTL_MOD, lf->fd, &e);
}

void loop_close(struct loop *l, struct loop_fd *lf)
{
	int i;

	for (i = l->at; i < l->n; i++)
		if (l->batch[i].data.ptr == lf)
			l->batch[i].data.ptr = NULL;
	if (lf->fd < 0)
		return;
	sys_epoll_ctl(l->t, l->ep, EPOLL_CTL_DEL, lf->fd, NULL);
	sys_close(l->t, lf->fd);
	lf->fd = -1;
}

void loop_timer(struct loop *l, struct timer_list *t, uint64_t in_ns)
{
	mod_timer(&l->wheel, t, sys_clock_ns(l->t) + in_ns);
}

/* Whole milliseconds until the next deadline, rounded up; -1: none. */
static int patience_ms(struct loop *l)
{
	uint64_t next = wheel_next(&l->wheel), now = sys_clock_ns(l->t);

	if (next == TIME_NEVER)
		return -1;
	return next <= now
		   ? 0
		   : (int)min_u64((next - now + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC, INT32_MAX);
}

int loop_run(struct loop *l)
{
	while (!l->stop && !l->t->killed) {
		int n = sys_epoll_wait(l->t, l->ep, l->batch, LOOP_BATCH, patience_ms(l));

		if (n == -EINTR)
			continue;
		if (n < 0)
			return n;
		l->n = n;
		for (l->at = 0; l->at < l->n && !l->stop;) {
			struct epoll_event e = l->batch[l->at++];
			struct loop_fd *lf = e.data.ptr;

			if (lf)
				lf->ready(lf, e.events);
		}
		l->n = l->at = 0;
		wheel_run(&l->wheel, sys_clock_ns(l->t));
	}
	return 0;
}

int loop_server_socket(struct task *t, int type, uint32_t addr, uint16_t port, int backlog)
{
	struct sockaddr_in a = app_sockaddr(addr, port);
	int fd = sys_socket(t, AF_INET, type | SOCK_NONBLOCK, 0), one = 1, err;

	if (fd < 0)
		return fd;
	if (type == SOCK_STREAM)
		sys_setsockopt(t, fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	err = sys_bind(t, fd, (const struct sockaddr *)&a, sizeof(a));
	if (!err && type == SOCK_STREAM)
		err = sys_listen(t, fd, backlog);
	if (err) {
		sys_close(t, fd);
		return err;
	}
	return fd;
}
