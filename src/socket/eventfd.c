/* eventfd(2): a counter of 64 bits behind a descriptor, by which one task tells another.
 *
 * Decides: a read takes all (or one, as a semaphore) and waits for more than 0; a write adds and waits while the sum would
 * pass EVENTFD_MAX. Called by: programs. Hands on: its wait queue. Tests: tests/unit/socket/test_pipe.c. */
#include <stdlib.h>
#include "socket/file.h"
#include "socket/sys_scope.h"

/* The largest value; one more would be the error that only the kernel can signal (eventfd(2)). */
#define EVENTFD_MAX (UINT64_MAX - 1)

struct eventfd {
	struct wait_queue_head wq;
	uint64_t count;
	bool semaphore;
};

static ssize_t efd_read(struct file *f, struct iov_iter *to)
{
	struct eventfd *e = f->priv;
	uint64_t v;

	if (to->count < sizeof(v))
		return -EINVAL;
	while (!e->count) {
		int err = f->flags & O_NONBLOCK ? -EAGAIN : wait_on(f->net, &e->wq, TIME_NEVER);

		if (err)
			return err;
	}
	v = e->semaphore ? 1 : e->count;
	e->count -= v;
	wake_up(&e->wq, POLLOUT | POLLWRNORM);
	return (ssize_t)copy_to_iter(&v, sizeof(v), to);
}

static ssize_t efd_write(struct file *f, struct iov_iter *from)
{
	struct eventfd *e = f->priv;
	uint64_t v;

	if (from->count < sizeof(v))
		return -EINVAL;
	copy_from_iter(&v, sizeof(v), from);
	if (v == UINT64_MAX)
		return -EINVAL;
	while (v > EVENTFD_MAX - e->count) {
		int err = f->flags & O_NONBLOCK ? -EAGAIN : wait_on(f->net, &e->wq, TIME_NEVER);

		if (err)
			return err;
	}
	e->count += v;
	if (v)
		wake_up(&e->wq, POLLIN | POLLRDNORM);
	return sizeof(v);
}

static uint32_t eventfd_poll(struct file *f)
{
	const struct eventfd *e = f->priv;

	return (e->count ? POLLIN | POLLRDNORM : 0u) | (e->count < EVENTFD_MAX ? POLLOUT | POLLWRNORM : 0u);
}

static struct wait_queue_head *eventfd_wait_queue(struct file *f)
{
	return &((struct eventfd *)f->priv)->wq;
}

static void eventfd_release(struct file *f)
{
	struct eventfd *e = f->priv;

	file_free(f);
	free(e);
}

static const struct file_ops eventfd_ops = {
	.kind = "eventfd",
	.read = efd_read,
	.write = efd_write,
	.poll = eventfd_poll,
	.wait_queue = eventfd_wait_queue,
	.release = eventfd_release,
};

struct file *eventfd_new(struct net *net, uint64_t count, uint32_t flags, bool semaphore)
{
	struct eventfd *e = xcalloc(1, sizeof(*e));

	init_waitqueue_head(&e->wq);
	e->count = count;
	e->semaphore = semaphore;
	return file_new(net, &eventfd_ops, O_RDWR | (flags & O_NONBLOCK), e);
}

int sys_eventfd2(struct task *t, unsigned count, int flags)
{
	SYSCALL(t, NR_EVENTFD2, "SyS_eventfd2");
	int ret = flags & ~(O_CLOEXEC | O_NONBLOCK | EVENTFD_SEMAPHORE) ? -EINVAL
									: fd_reserve(t, 0, (flags & O_CLOEXEC) != 0);

	if (ret >= 0)
		fd_install(t, ret, eventfd_new(t->net, count, (uint32_t)flags, (flags & EVENTFD_SEMAPHORE) != 0));
	SYS_LINE(t, "SyS_eventfd2", ret, "eventfd2(%u, %#x)", count, (unsigned)flags);
	return ret;
}
