/* struct file and descriptor tables: which number means what, and when what is behind it ends.
 *
 * Decides: the lowest free number, growth of tables, the moment of release (last slot and last call gone), the
 * task's own input and output on 0, 1 and 2. Called by: syscall.c, core/task.c at a task's end (through
 * net->task_close_files). Hands on: file_ops. Tests: tests/unit/socket/test_file.c (SY-01, SY-03). */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include "socket/fasync.h"
#include "socket/file.h"
#include "socket/syscall.h"

#define BITS 64u

/* ---- one file ---- */

void file_init(struct file *f, struct net *net, const struct file_ops *ops, uint32_t flags, void *priv)
{
	f->ops = ops;
	f->net = net;
	f->refcnt = 1;
	f->flags = flags;
	f->priv = priv;
	list_add_tail(&f->all, &net->socks->all_files);
	list_init(&f->eps);
	net->socks->files_open++;
}

struct file *file_new(struct net *net, const struct file_ops *ops, uint32_t flags, void *priv)
{
	struct file *f = pool_zget(&socket_net(net)->file_pool);

	file_init(f, net, ops, flags, priv);
	return f;
}

void file_unlink(struct file *f)
{
	eventpoll_forget(f);
	fown_free(f);
	list_del_init(&f->all);
	f->net->socks->files_open--;
}

void file_free(struct file *f)
{
	file_unlink(f);
	pool_put(&socket_net(f->net)->file_pool, f);
}

void fput(struct file *f)
{
	if (--f->refcnt == 0)
		f->ops->release(f);
}

uint32_t file_poll(struct file *f)
{
	return f->ops->poll ? f->ops->poll(f) : POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
}

/* ---- a task's own 0, 1, 2 ---- */

/* Nobody types: input is at its end. */
static ssize_t std_read(struct file *f, struct iov_iter *to)
{
	return 0;
}

static ssize_t std_write(struct file *f, struct iov_iter *from)
{
	struct task *t = f->net->current;
	int fd = (int)(uintptr_t)f->priv;
	size_t done = 0;

	while (from->count) {
		char buf[512];
		size_t n = copy_from_iter(buf, sizeof(buf), from);

		if (!n)
			break;
		if (t && t->write)
			t->write(t, fd, buf, n, t->write_arg);
		else if (f->net->owner.write)
			f->net->owner.write(f->net->owner.arg, f->net, t, fd, buf, n);
		done += n;
	}
	return (ssize_t)done;
}

static const struct file_ops std_in_ops = {
	.kind = "stdin", .read = std_read, .release = file_free,
};
static const struct file_ops std_out_ops = {
	.kind = "stdout", .write = std_write, .release = file_free,
};

/* ---- tables ---- */

static void files_grow(struct files_struct *fs, uint32_t room)
{
	size_t old_words = (fs->room + BITS - 1) / BITS, words = (room + BITS - 1) / BITS;

	fs->fd = xrealloc(fs->fd, room * sizeof(*fs->fd));
	memset(fs->fd + fs->room, 0, (room - fs->room) * sizeof(*fs->fd));
	fs->open = xrealloc(fs->open, words * sizeof(*fs->open));
	fs->cloexec = xrealloc(fs->cloexec, words * sizeof(*fs->cloexec));
	memset(fs->open + old_words, 0, (words - old_words) * sizeof(*fs->open));
	memset(fs->cloexec + old_words, 0, (words - old_words) * sizeof(*fs->cloexec));
	fs->room = room;
}

struct files_struct *task_files(struct task *t)
{
	uintptr_t i;

	if (likely(t->files != NULL))
		return t->files;
	t->files = xcalloc(1, sizeof(*t->files));
	files_grow(t->files, FILES_FIRST_ROOM);
	for (i = 0; i < 3; i++) {
		struct file *f = file_new(t->net, i ? &std_out_ops : &std_in_ops,
					  i ? O_WRONLY : O_RDONLY, (void *)i);

		fd_install(t, fd_reserve(t, 0, false), f);
	}
	return t->files;
}

struct file *fget(struct task *t, int fd)
{
	struct files_struct *fs = task_files(t);
	struct file *f;

	if (unlikely(fd < 0 || (uint32_t)fd >= fs->room))
		return NULL;
	f = fs->fd[fd];
	if (likely(f != NULL))
		f->refcnt++;
	return f;
}

/* First clear bit from "from" on; room when there is none. */
static uint32_t files_first_free(const struct files_struct *fs, uint32_t from)
{
	uint32_t w, words = (fs->room + BITS - 1) / BITS;

	for (w = from / BITS; w < words; w++) {
		uint64_t free_bits = ~fs->open[w];

		if (w == from / BITS)
			free_bits &= ~0ULL << (from % BITS);
		if (free_bits)
			return min_u32(w * BITS + (uint32_t)__builtin_ctzll(free_bits), fs->room);
	}
	return fs->room;
}

int fd_reserve(struct task *t, uint32_t from, bool cloexec)
{
	struct files_struct *fs = task_files(t);
	uint32_t fd = from;

	if (from >= TASK_MAX_FILES)
		return -EMFILE;
	fd = max_u32(from, fs->next);
	if (fd < fs->room)
		fd = files_first_free(fs, fd);
	if (fd >= TASK_MAX_FILES)
		return -EMFILE;
	if (fd >= fs->room) {
		uint32_t room = fs->room;

		while (room <= fd)
			room *= 2;
		files_grow(fs, min_u32(room, TASK_MAX_FILES));
	}
	fs->open[fd / BITS] |= 1ULL << (fd % BITS);
	fd_set_cloexec(t, (int)fd, cloexec);
	if (fd == fs->next)
		fs->next = fd + 1;
	return (int)fd;
}

void fd_install(struct task *t, int fd, struct file *f)
{
	t->files->fd[fd] = f;
	f->slots++;
}

void fd_unreserve(struct task *t, int fd)
{
	struct files_struct *fs = t->files;

	fs->fd[fd] = NULL;
	fs->open[(uint32_t)fd / BITS] &= ~(1ULL << ((uint32_t)fd % BITS));
	fs->next = min_u32(fs->next, (uint32_t)fd);
}

int fd_close(struct task *t, int fd)
{
	struct files_struct *fs = task_files(t);
	struct file *f;

	if (fd < 0 || (uint32_t)fd >= fs->room || !fs->fd[fd])
		return -EBADF;
	f = fs->fd[fd];
	fd_unreserve(t, fd);
	if (--f->slots == 0 && f->refcnt > 1 && f->ops->abort)
		f->ops->abort(f);
	fput(f);
	return 0;
}

bool fd_cloexec(struct task *t, int fd)
{
	return (t->files->cloexec[(uint32_t)fd / BITS] >> ((uint32_t)fd % BITS) & 1) != 0;
}

void fd_set_cloexec(struct task *t, int fd, bool on)
{
	uint64_t bit = 1ULL << ((uint32_t)fd % BITS), *word = &t->files->cloexec[(uint32_t)fd / BITS];

	*word = on ? *word | bit : *word & ~bit;
}

void files_close_all(struct task *t)
{
	struct files_struct *fs = t->files;
	uint32_t fd;

	if (!fs)
		return;
	for (fd = 0; fd < fs->room; fd++) {
		/* A task that was stopped inside a call never leaves it: its references are void. */
		if (fs->fd[fd] && t->forced)
			fs->fd[fd]->refcnt = fs->fd[fd]->slots;
		if (fs->fd[fd])
			fd_close(t, (int)fd);
	}
	t->files = NULL;
	free(fs->fd);
	free(fs->open);
	free(fs->cloexec);
	free(fs);
}
