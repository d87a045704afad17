/* epoll(7): a set of watched files and the list of those that became ready.
 *
 *      file's wait queue --wake--> item's callback: item to the ready list, wake the set's sleepers
 *      epoll_wait: take items off the ready list; ask each file again; a level-triggered one that is still
 *      ready goes back to the tail, an edge-triggered one waits for its next callback, a one-shot one is
 *      disarmed until EPOLL_CTL_MOD.
 *
 * Invariants: an item is on the ready list or not, never twice; every item hangs on its file's wait queue as
 * long as it lives, and dies with the file or the set. A set may watch sets, at most EP_MAX_NESTS deep and
 * never in a circle. Cost of a wake-up and of a wait: the ready items, not the watched ones.
 * Called by: programs, other sets. Hands on: file_ops. Tests: tests/unit/socket/test_epoll.c. */
#include <stdlib.h>
#include "socket/file.h"
#include "socket/sys_scope.h"

/* Sets that may stand below one: a tower of five (epoll_ctl(2), ELOOP). */
#define EP_MAX_NESTS 4
#define EP_FIRST_BUCKETS 16u
#define EP_MAX_EVENTS (INT32_MAX / (int)sizeof(struct epoll_event))
/* What may stand beside EPOLLEXCLUSIVE (epoll_ctl(2)). */
#define EP_EXCLUSIVE_OK ((uint32_t)EPOLLET | EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLEXCLUSIVE)
/* Bits that say how, not what. */
#define EP_PRIVATE ((uint32_t)EPOLLET | EPOLLONESHOT | EPOLLWAKEUP | EPOLLEXCLUSIVE)

struct eventpoll {
	struct wait_queue_head wq;
	struct list_head ready;
	struct hlist_head *buckets; /* by descriptor number */
	uint32_t mask, n;
	struct file *self;
};

struct epitem {
	struct hlist_node hash;
	struct list_head ready;   /* in ep->ready, or empty */
	struct list_head of_file; /* file->eps */
	struct eventpoll *ep;
	struct file *f;
	int fd;
	uint32_t events;
	epoll_data_t data;
	struct wait_entry wait;
};

static const struct file_ops eventpoll_ops;

static struct eventpoll *file_eventpoll(struct file *f)
{
	return f->ops == &eventpoll_ops ? f->priv : NULL;
}

/* ---- items ---- */

static struct hlist_head *ep_bucket(struct eventpoll *ep, int fd)
{
	return &ep->buckets[(uint32_t)fd & ep->mask];
}

static struct epitem *ep_find(struct eventpoll *ep, int fd, const struct file *f)
{
	struct epitem *it;

	hlist_for_each_entry(it, ep_bucket(ep, fd), hash)
		if (it->fd == fd && it->f == f)
			return it;
	return NULL;
}

static void ep_grow(struct eventpoll *ep)
{
	struct hlist_head *old = ep->buckets;
	uint32_t i, n = ep->mask + 1;

	ep->buckets = xcalloc((size_t)n * 2, sizeof(*ep->buckets));
	ep->mask = n * 2 - 1;
	for (i = 0; i < n; i++) {
		struct epitem *it;
		struct hlist_node *tmp;

		hlist_for_each_entry_safe(it, tmp, &old[i], hash) {
			hlist_del_init(&it->hash);
			hlist_add_head(&it->hash, ep_bucket(ep, it->fd));
		}
	}
	free(old);
}

static void ep_set_ready(struct epitem *it)
{
	if (list_empty(&it->ready))
		list_add_tail(&it->ready, &it->ep->ready);
	wake_up(&it->ep->wq, POLLIN | POLLRDNORM);
}

/* An exclusive set has the event when somebody waits in it: else it is ready like any other, and the next set is asked. */
static bool ep_callback(struct wait_entry *e, uint32_t key)
{
	struct epitem *it = container_of(e, struct epitem, wait);
	bool waited = !list_empty(&it->ep->wq.list);

	if (!(it->events & ~EP_PRIVATE)) /* one shot, fired */
		return false;
	if (key && !(key & it->events))
		return false;
	ep_set_ready(it);
	return waited;
}

static uint32_t ep_item_poll(const struct epitem *it)
{
	return it->events & ~EP_PRIVATE ? file_poll(it->f) & it->events : 0;
}

static void ep_remove(struct epitem *it)
{
	remove_wait_queue(&it->wait);
	list_del_init(&it->ready);
	list_del_init(&it->of_file);
	hlist_del_init(&it->hash);
	it->ep->n--;
	pool_put(&socket_net(it->f->net)->epitem_pool, it);
}

void eventpoll_forget(struct file *f)
{
	while (!list_empty(&f->eps))
		ep_remove(list_first_entry(&f->eps, struct epitem, of_file));
}

/* ---- the set as a file ---- */

/* Ready if one item really is; those that are not leave the list. */
static uint32_t eventpoll_poll(struct file *f)
{
	struct eventpoll *ep = f->priv;
	struct epitem *it, *tmp;

	list_for_each_entry_safe(it, tmp, &ep->ready, ready) {
		if (ep_item_poll(it))
			return POLLIN | POLLRDNORM;
		list_del_init(&it->ready);
	}
	return 0;
}

static struct wait_queue_head *eventpoll_wait_queue(struct file *f)
{
	return &((struct eventpoll *)f->priv)->wq;
}

static void eventpoll_release(struct file *f)
{
	struct eventpoll *ep = f->priv;
	uint32_t i;

	for (i = 0; i <= ep->mask; i++) {
		struct epitem *it;
		struct hlist_node *tmp;

		hlist_for_each_entry_safe(it, tmp, &ep->buckets[i], hash)
			ep_remove(it);
	}
	file_free(f);
	free(ep->buckets);
	free(ep);
}

static const struct file_ops eventpoll_ops = {
	.kind = "eventpoll",
	.poll = eventpoll_poll,
	.wait_queue = eventpoll_wait_queue,
	.release = eventpoll_release,
};

void eventpoll_pool_init(struct pool *p)
{
	pool_init(p, "epitem", sizeof(struct epitem), 32);
}

struct file *eventpoll_new(struct net *net)
{
	struct eventpoll *ep = xcalloc(1, sizeof(*ep));

	init_waitqueue_head(&ep->wq);
	list_init(&ep->ready);
	ep->buckets = xcalloc(EP_FIRST_BUCKETS, sizeof(*ep->buckets));
	ep->mask = EP_FIRST_BUCKETS - 1;
	ep->self = file_new(net, &eventpoll_ops, O_RDWR, ep);
	return ep->self;
}

/* ---- epoll_ctl ---- */

/* How many sets stand one in the other from f on (0: f is none); more than EP_MAX_NESTS when too many, or when "target" is
 * among them. depth: f's own place, from 1. */
static int ep_depth(struct file *f, const struct eventpoll *target, int depth)
{
	struct eventpoll *ep = file_eventpoll(f);
	int max = depth;
	uint32_t i;

	if (!ep)
		return depth - 1;
	if (ep == target || depth > EP_MAX_NESTS)
		return EP_MAX_NESTS + 1;
	for (i = 0; i <= ep->mask; i++) {
		struct epitem *it;

		hlist_for_each_entry(it, &ep->buckets[i], hash) {
			int d = ep_depth(it->f, target, depth + 1);

			max = d > max ? d : max;
		}
	}
	return max;
}

/* How many sets lie above this one. */
static int ep_height(struct file *f, int height)
{
	struct epitem *it;
	int max = height;

	if (height > EP_MAX_NESTS)
		return height;
	list_for_each_entry(it, &f->eps, of_file) {
		int h = ep_height(it->ep->self, height + 1);

		max = h > max ? h : max;
	}
	return max;
}

static int ep_add(struct file *epf, int fd, struct file *f, const struct epoll_event *ev)
{
	struct eventpoll *ep = epf->priv;
	struct epitem *it;

	if (file_eventpoll(f)) {
		if (ev->events & EPOLLEXCLUSIVE)
			return -EINVAL;
		if (ep_depth(f, ep, 1) + ep_height(epf, 0) > EP_MAX_NESTS)
			return -ELOOP;
	}
	if (ep->n > ep->mask)
		ep_grow(ep);
	it = pool_zget(&socket_net(epf->net)->epitem_pool);
	it->ep = ep;
	it->f = f;
	it->fd = fd;
	it->events = ev->events | EPOLLERR | EPOLLHUP;
	it->data = ev->data;
	list_init(&it->ready);
	list_add_tail(&it->of_file, &f->eps);
	hlist_add_head(&it->hash, ep_bucket(ep, fd));
	ep->n++;
	list_init(&it->wait.list);
	it->wait.func = ep_callback;
	it->wait.exclusive = (ev->events & EPOLLEXCLUSIVE) != 0;
	add_wait_queue(f->ops->wait_queue(f), &it->wait);
	if (ep_item_poll(it))
		ep_set_ready(it);
	return 0;
}

static int ep_modify(struct epitem *it, const struct epoll_event *ev)
{
	if (it->events & EPOLLEXCLUSIVE)
		return -EINVAL;
	it->events = ev->events | EPOLLERR | EPOLLHUP;
	it->data = ev->data;
	if (ep_item_poll(it))
		ep_set_ready(it);
	return 0;
}

int eventpoll_ctl(struct file *epf, int op, int fd, struct file *f, const struct epoll_event *ev)
{
	struct eventpoll *ep = file_eventpoll(epf);
	struct epitem *it;

	if (!f->ops->wait_queue)
		return -EPERM; /* always ready: nothing to wait for */
	if (!ep || f == epf)
		return -EINVAL;
	if (op != EPOLL_CTL_DEL && !ev)
		return -EFAULT;
	it = ep_find(ep, fd, f);
	switch (op) {
	case EPOLL_CTL_ADD:
		if ((ev->events & EPOLLEXCLUSIVE) && (ev->events & ~EP_EXCLUSIVE_OK))
			return -EINVAL;
		return it ? -EEXIST : ep_add(epf, fd, f, ev);
	case EPOLL_CTL_MOD:
		if (ev->events & EPOLLEXCLUSIVE)
			return -EINVAL;
		return it ? ep_modify(it, ev) : -ENOENT;
	case EPOLL_CTL_DEL:
		if (!it)
			return -ENOENT;
		ep_remove(it);
		return 0;
	default:
		return -EINVAL;
	}
}

/* ---- epoll_wait ---- */

/* Up to max events; each item is asked once. */
static int ep_send_events(struct eventpoll *ep, struct epoll_event *evs, int max)
{
	struct list_head batch;
	int n = 0;

	list_init(&batch);
	list_splice_tail_init(&ep->ready, &batch);
	while (n < max && !list_empty(&batch)) {
		struct epitem *it = list_first_entry(&batch, struct epitem, ready);
		uint32_t revents = ep_item_poll(it);

		list_del_init(&it->ready);
		if (!revents)
			continue;
		evs[n].events = revents;
		evs[n++].data = it->data;
		if (it->events & EPOLLONESHOT)
			it->events &= EP_PRIVATE;
		else if (!(it->events & (uint32_t)EPOLLET))
			list_add_tail(&it->ready, &ep->ready);
	}
	/* What did not fit comes first the next time. */
	list_splice_tail_init(&ep->ready, &batch);
	list_splice_tail_init(&batch, &ep->ready);
	return n;
}

int eventpoll_wait(struct file *epf, struct epoll_event *evs, int max, uint64_t deadline_ns)
{
	struct eventpoll *ep = file_eventpoll(epf);

	if (!ep || max <= 0 || max > EP_MAX_EVENTS)
		return -EINVAL;
	for (;;) {
		int n = 0, err;

		if (likely(evs != NULL))
			n = ep_send_events(ep, evs, max);
		else if (eventpoll_poll(epf))
			return -EFAULT;
		if (n || deadline_ns <= epf->net->now_ns) {
			/* Another sleeper may take what is left. */
			if (n && !list_empty(&ep->ready))
				wake_up(&ep->wq, POLLIN | POLLRDNORM);
			return n;
		}
		err = wait_on_exclusive(epf->net, &ep->wq, deadline_ns);
		if (err == -EINTR)
			return -EINTR;
		if (err == -EAGAIN)
			return 0; /* this caller cannot sleep */
	}
}

/* ---- the calls ---- */

int sys_epoll_create1(struct task *t, int flags)
{
	SYSCALL(t, NR_EPOLL_CREATE1, "SyS_epoll_create1");
	int ret = flags & ~EPOLL_CLOEXEC ? -EINVAL : fd_reserve(t, 0, (flags & EPOLL_CLOEXEC) != 0);

	if (ret >= 0)
		fd_install(t, ret, eventpoll_new(t->net));
	SYS_LINE(t, "SyS_epoll_create1", ret, "epoll_create1(%#x)", (unsigned)flags);
	return ret;
}

static int do_epoll_ctl(struct task *t, int epfd, int op, int fd, const struct epoll_event *ev)
{
	struct file *ep = fget(t, epfd), *f = fget(t, fd);
	int ret = ep && f ? eventpoll_ctl(ep, op, fd, f, ev) : -EBADF;

	if (f)
		fput(f);
	if (ep)
		fput(ep);
	return ret;
}

int sys_epoll_ctl(struct task *t, int epfd, int op, int fd, struct epoll_event *ev)
{
	SYSCALL(t, NR_EPOLL_CTL, "SyS_epoll_ctl");
	static const char *const names[] = { "?", "EPOLL_CTL_ADD", "EPOLL_CTL_DEL", "EPOLL_CTL_MOD" };
	int ret = do_epoll_ctl(t, epfd, op, fd, ev);

	SYS_LINE(t, "SyS_epoll_ctl", ret, "epoll_ctl(%d, %s, %d, {events=%#x})", epfd,
		 op < 1 || op > 3 ? "?" : names[op], fd, ev && ret >= 0 ? ev->events : 0);
	return ret;
}

int sys_epoll_wait(struct task *t, int epfd, struct epoll_event *evs, int max, int timeout_ms)
{
	SYSCALL(t, NR_EPOLL_WAIT, "SyS_epoll_wait");
	struct file *ep = fget(t, epfd);
	int ret = -EBADF;

	if (ep) {
		ret = eventpoll_wait(ep, evs, max, poll_deadline(t->net, timeout_ms));
		fput(ep);
	}
	SYS_LINE(t, "SyS_epoll_wait", ret, "epoll_wait(%d, [{events=%#x}%s], %d, %d)", epfd,
		 ret > 0 ? evs[0].events : 0, ret > 1 ? ", ..." : "", max, timeout_ms);
	return ret;
}

int sys_epoll_pwait2(struct task *t, int epfd, struct epoll_event *evs, int max, uint64_t timeout_ns)
{
	SYSCALL(t, NR_EPOLL_PWAIT2, "SyS_epoll_pwait2");
	struct file *ep = fget(t, epfd);
	int ret = -EBADF;

	if (ep) {
		ret = eventpoll_wait(ep, evs, max, sock_deadline(t->net->now_ns, timeout_ns, false));
		fput(ep);
	}
	SYS_LINE(t, "SyS_epoll_pwait2", ret, "epoll_pwait2(%d, [{events=%#x}%s], %d, %lld ns)", epfd,
		 ret > 0 ? evs[0].events : 0, ret > 1 ? ", ..." : "", max,
		 timeout_ns == TIME_NEVER ? -1LL : (long long)timeout_ns);
	return ret;
}
