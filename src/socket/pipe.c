/* pipe(7): a bounded ring of octets between two descriptors of a host.
 *
 * Decides: atomicity (a write of up to PIPE_BUF octets is never split), end of file when no writer is left,
 * -EPIPE when no reader is. Called by: system calls through file_ops, sys_splice.c. Hands on: wait queues.
 * Limits: capacity 65536, settable from 4096 to 1048576; memory grows with what is in it.
 * Tests: tests/unit/socket/test_pipe.c. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include "socket/file.h"

#define PIPE_ATOMIC 4096u /* PIPE_BUF */
#define PIPE_CAPACITY 65536u
#define PIPE_CAPACITY_MAX 1048576u

struct pipe {
	struct wait_queue_head readable, writable;
	uint8_t *buf;
	uint32_t room;     /* allocated: power of two */
	uint32_t capacity; /* how far room may grow */
	uint32_t head, len;
	uint32_t readers, writers;
};

static uint32_t pipe_space(const struct pipe *p)
{
	return p->capacity > p->len ? p->capacity - p->len : 0;
}

/* Move the content to the front of a buffer with this much room. */
static void pipe_resize(struct pipe *p, uint32_t room)
{
	uint8_t *buf = xcalloc(1, room);
	uint32_t first = min_u32(p->len, p->room - p->head);

	if (p->len) {
		memcpy(buf, p->buf + p->head, first);
		memcpy(buf + first, p->buf, p->len - first);
	}
	free(p->buf);
	p->buf = buf;
	p->room = room;
	p->head = 0;
}

static void pipe_make_room(struct pipe *p, uint32_t more)
{
	uint32_t room = p->room ? p->room : PIPE_ATOMIC;

	while (room < p->len + more)
		room *= 2;
	if (room != p->room)
		pipe_resize(p, room);
}

static void pipe_put(struct pipe *p, struct iov_iter *from, uint32_t n)
{
	pipe_make_room(p, n);
	while (n) {
		uint32_t at = (p->head + p->len) & (p->room - 1);
		uint32_t run = min_u32(n, p->room - at);

		copy_from_iter(p->buf + at, run, from);
		p->len += run;
		n -= run;
	}
}

static size_t pipe_get(struct pipe *p, struct iov_iter *to)
{
	size_t done = 0;

	while (p->len && to->count) {
		uint32_t run = (uint32_t)min_sz(min_u32(p->len, p->room - p->head), to->count);

		copy_to_iter(p->buf + p->head, run, to);
		p->head = (p->head + run) & (p->room - 1);
		p->len -= run;
		done += run;
	}
	return done;
}

static ssize_t pipe_read(struct file *f, struct iov_iter *to)
{
	struct pipe *p = f->priv;
	size_t n;

	if (!to->count)
		return 0;
	while (!p->len) {
		int err;

		if (!p->writers)
			return 0;
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		err = wait_on_exclusive(f->net, &p->readable, TIME_NEVER);
		if (err)
			return err;
	}
	n = pipe_get(p, to);
	wake_up(&p->writable, POLLOUT | POLLWRNORM);
	if (p->len)
		wake_up(&p->readable, POLLIN | POLLRDNORM);
	return (ssize_t)n;
}

static ssize_t pipe_write(struct file *f, struct iov_iter *from)
{
	struct pipe *p = f->priv;
	uint32_t least = from->count <= PIPE_ATOMIC ? (uint32_t)from->count : 1;
	size_t done = 0;

	while (from->count) {
		uint32_t n = (uint32_t)min_sz(pipe_space(p), from->count);
		int err;

		if (!p->readers)
			return done ? (ssize_t)done : -EPIPE;
		if (n >= least) {
			pipe_put(p, from, n);
			done += n;
			wake_up(&p->readable, POLLIN | POLLRDNORM);
			continue;
		}
		if (f->flags & O_NONBLOCK)
			return done ? (ssize_t)done : -EAGAIN;
		err = wait_on_exclusive(f->net, &p->writable, TIME_NEVER);
		if (err)
			return done ? (ssize_t)done : err;
	}
	return (ssize_t)done;
}

static uint32_t pipe_read_poll(struct file *f)
{
	const struct pipe *p = f->priv;

	return (p->len ? POLLIN | POLLRDNORM : 0u) | (p->writers ? 0u : POLLHUP);
}

static uint32_t pipe_write_poll(struct file *f)
{
	const struct pipe *p = f->priv;

	return (pipe_space(p) >= PIPE_ATOMIC ? POLLOUT | POLLWRNORM : 0u) | (p->readers ? 0u : POLLERR);
}

static struct wait_queue_head *pipe_read_queue(struct file *f)
{
	return &((struct pipe *)f->priv)->readable;
}

static struct wait_queue_head *pipe_write_queue(struct file *f)
{
	return &((struct pipe *)f->priv)->writable;
}

static int pipe_ioctl(struct file *f, unsigned long cmd, void *arg)
{
	const struct pipe *p = f->priv;

	if (cmd != FIONREAD)
		return -ENOTTY;
	if (!arg)
		return -EFAULT;
	*(int *)arg = (int)p->len;
	return 0;
}

/* One end is gone: the other learns it now. */
static void pipe_end(struct file *f)
{
	struct pipe *p = f->priv;

	file_free(f);
	if (p->readers + p->writers) {
		wake_up(&p->readable, 0);
		wake_up(&p->writable, 0);
		return;
	}
	free(p->buf);
	free(p);
}

static void pipe_read_release(struct file *f)
{
	((struct pipe *)f->priv)->readers--;
	pipe_end(f);
}

static void pipe_write_release(struct file *f)
{
	((struct pipe *)f->priv)->writers--;
	pipe_end(f);
}

static const struct file_ops pipe_read_ops = {
	.kind = "pipe",
	.read = pipe_read,
	.poll = pipe_read_poll,
	.wait_queue = pipe_read_queue,
	.fasync = true,
	.ioctl = pipe_ioctl,
	.release = pipe_read_release,
};
static const struct file_ops pipe_write_ops = {
	.kind = "pipe",
	.write = pipe_write,
	.poll = pipe_write_poll,
	.wait_queue = pipe_write_queue,
	.fasync = true,
	.ioctl = pipe_ioctl,
	.release = pipe_write_release,
};

int pipe_create(struct net *net, uint32_t flags, struct file *ends[2])
{
	struct pipe *p = xcalloc(1, sizeof(*p));

	init_waitqueue_head(&p->readable);
	init_waitqueue_head(&p->writable);
	p->capacity = PIPE_CAPACITY;
	p->readers = p->writers = 1;
	ends[0] = file_new(net, &pipe_read_ops, O_RDONLY | flags, p);
	ends[1] = file_new(net, &pipe_write_ops, O_WRONLY | flags, p);
	return 0;
}

bool file_is_pipe(const struct file *f)
{
	return f->ops == &pipe_read_ops || f->ops == &pipe_write_ops;
}

static struct pipe *file_pipe(struct file *f)
{
	return file_is_pipe(f) ? f->priv : NULL;
}

bool pipe_same(const struct file *a, const struct file *b)
{
	return a->priv == b->priv;
}

bool pipe_has_readers(const struct file *f)
{
	return ((const struct pipe *)f->priv)->readers != 0;
}

bool pipe_has_writers(const struct file *f)
{
	return ((const struct pipe *)f->priv)->writers != 0;
}

size_t pipe_peek(struct file *f, const void **data)
{
	const struct pipe *p = f->priv;

	*data = p->buf + p->head;
	return p->len ? min_u32(p->len, p->room - p->head) : 0;
}

void pipe_consume(struct file *f, size_t n)
{
	struct pipe *p = f->priv;

	p->head = (p->head + (uint32_t)n) & (p->room - 1);
	p->len -= (uint32_t)n;
	wake_up(&p->writable, POLLOUT | POLLWRNORM);
}

size_t pipe_room(struct file *f, size_t want, void **at)
{
	struct pipe *p = f->priv;
	uint32_t n = (uint32_t)min_sz(pipe_space(p), want), tail;

	if (!n)
		return 0;
	pipe_make_room(p, n);
	tail = (p->head + p->len) & (p->room - 1);
	*at = p->buf + tail;
	return min_u32(n, p->room - tail);
}

void pipe_produce(struct file *f, size_t n)
{
	struct pipe *p = f->priv;

	p->len += (uint32_t)n;
	wake_up(&p->readable, POLLIN | POLLRDNORM);
}

int pipe_size(struct file *f)
{
	const struct pipe *p = file_pipe(f);

	return p ? (int)p->capacity : -EBADF;
}

int pipe_set_size(struct file *f, size_t size)
{
	struct pipe *p = file_pipe(f);
	uint32_t capacity = PIPE_ATOMIC;

	if (!p)
		return -EBADF;
	if (size > PIPE_CAPACITY_MAX)
		return -EPERM;
	while (capacity < size)
		capacity *= 2;
	if (capacity < p->len)
		return -EBUSY;
	p->capacity = capacity;
	wake_up(&p->writable, POLLOUT | POLLWRNORM);
	return (int)capacity;
}
