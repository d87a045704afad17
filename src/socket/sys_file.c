/* The calls on descriptors of every kind, on time, chance and tasks.
 *
 * Decides: access modes, that a total never exceeds what a ssize_t can say, which path leads to /proc and which
 * to a mount. Called by: programs. Hands on: file_ops, vfs.c, procfile.c, core/task.c.
 * Tests: tests/unit/socket/test_file.c. */
#include <limits.h>
#include <string.h>
#include <sys/ioctl.h>
#include "socket/fasync.h"
#include "socket/file.h"
#include "socket/sys_scope.h"
#include "socket/vfs.h"
#include "socket/vfs_int.h"

#define GETRANDOM_MAX 33554431

const char *syscall_name(unsigned nr)
{
	static const char *const names[NR_SYSCALLS] = {
		"socket", "bind", "listen", "accept4", "connect", "getsockname", "getpeername", "sendto",
		"recvfrom", "sendmsg", "recvmsg", "shutdown", "setsockopt", "getsockopt", "read", "write",
		"readv", "writev", "open", "close", "dup", "fcntl", "ioctl", "poll", "epoll_create1",
		"epoll_ctl", "epoll_wait", "pipe2", "nanosleep", "clock_gettime", "getrandom", "clone",
		"wait4", "stat", "rename", "unlink", "pread64", "getdents64", "dup3", "sendmmsg",
		"recvmmsg", "splice", "sendfile", "select", "ppoll", "epoll_pwait2", "eventfd2",
		"preadv", "pwrite64", "pwritev",
	};

	return nr < NR_SYSCALLS ? names[nr] : NULL;
}

/* ---- open, close, dup, fcntl, ioctl ---- */

static int do_open(struct task *t, const char *path, int flags)
{
	char norm[VFS_PATH_MAX];
	struct file *f;
	int fd, err;

	if (!path)
		return -EFAULT;
	if ((flags & O_ACCMODE) == O_ACCMODE)
		return -EINVAL;
	err = vfs_normalise(path, norm);
	if (err)
		return err;
	fd = fd_reserve(t, 0, (flags & O_CLOEXEC) != 0);
	if (fd < 0)
		return fd;
	if (!strncmp(norm, PROC_MOUNT, strlen(PROC_MOUNT)))
		err = procfile_open(t->net, norm + strlen(PROC_MOUNT), (uint32_t)flags, &f);
	else
		err = vfs_open(t->net, norm, (uint32_t)flags, &f);
	if (err) {
		fd_unreserve(t, fd);
		return err;
	}
	fd_install(t, fd, f);
	return fd;
}

int sys_open(struct task *t, const char *path, int flags)
{
	SYSCALL(t, NR_OPEN, "SyS_open");
	int ret = do_open(t, path, flags);

	SYS_LINE(t, "SyS_open", ret, "open(\"%.200s\", %s)", path ? path : "", st_open_flags(ST, flags));
	return ret;
}

int sys_close(struct task *t, int fd)
{
	SYSCALL(t, NR_CLOSE, "SyS_close");
	int ret = fd_close(t, fd);

	SYS_LINE(t, "SyS_close", ret, "close(%d)", fd);
	return ret;
}

/* A second number, not below "from", for what fd names. */
static int dup_from(struct task *t, int fd, long from, bool cloexec)
{
	struct file *f = fget(t, fd);
	int nfd;

	if (!f)
		return -EBADF;
	if (from < 0 || from >= TASK_MAX_FILES) {
		fput(f);
		return -EINVAL;
	}
	nfd = fd_reserve(t, (uint32_t)from, cloexec);
	if (nfd < 0)
		fput(f);
	else
		fd_install(t, nfd, f);
	return nfd;
}

int sys_dup(struct task *t, int fd)
{
	SYSCALL(t, NR_DUP, "SyS_dup");
	int ret = dup_from(t, fd, 0, false);

	SYS_LINE(t, "SyS_dup", ret, "dup(%d)", fd);
	return ret;
}

static int do_dup3(struct task *t, int oldfd, int newfd, int flags)
{
	struct file *f;
	int fd;

	if (oldfd == newfd || (flags & ~O_CLOEXEC))
		return -EINVAL;
	if (newfd < 0 || newfd >= TASK_MAX_FILES)
		return -EBADF;
	f = fget(t, oldfd);
	if (!f)
		return -EBADF;
	fd_close(t, newfd);
	fd = fd_reserve(t, (uint32_t)newfd, (flags & O_CLOEXEC) != 0);
	if (fd != newfd) { /* somebody is just taking this number */
		if (fd >= 0)
			fd_unreserve(t, fd);
		fput(f);
		return -EBUSY;
	}
	fd_install(t, fd, f);
	return fd;
}

int sys_dup2(struct task *t, int oldfd, int newfd)
{
	SYSCALL(t, NR_DUP3, "SyS_dup2");
	struct file *f = oldfd == newfd ? fget(t, oldfd) : NULL;
	int ret = oldfd != newfd ? do_dup3(t, oldfd, newfd, 0) : f ? newfd : -EBADF;

	if (f)
		fput(f);
	SYS_LINE(t, "SyS_dup2", ret, "dup2(%d, %d)", oldfd, newfd);
	return ret;
}

int sys_dup3(struct task *t, int oldfd, int newfd, int flags)
{
	SYSCALL(t, NR_DUP3, "SyS_dup3");
	int ret = do_dup3(t, oldfd, newfd, flags);

	SYS_LINE(t, "SyS_dup3", ret, "dup3(%d, %d, %s)", oldfd, newfd, flags & O_CLOEXEC ? "O_CLOEXEC" : "0");
	return ret;
}

static void file_set_status(struct file *f, uint32_t flags)
{
	const uint32_t may = O_NONBLOCK | O_APPEND | O_ASYNC;

	if ((flags & O_ASYNC) && f->ops->fasync)
		fasync_set(f, true);
	f->flags = (f->flags & ~may) | (flags & may);
	if (f->ops->set_flags)
		f->ops->set_flags(f);
}

static int do_fcntl(struct task *t, int fd, int cmd, long arg)
{
	struct file *f;
	int ret = 0;

	if (cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC)
		return dup_from(t, fd, arg, cmd == F_DUPFD_CLOEXEC);
	f = fget(t, fd);
	if (!f)
		return -EBADF;
	switch (cmd) {
	case F_GETFD:
		ret = fd_cloexec(t, fd) ? FD_CLOEXEC : 0;
		break;
	case F_SETFD:
		fd_set_cloexec(t, fd, (arg & FD_CLOEXEC) != 0);
		break;
	case F_GETFL:
		ret = (int)f->flags;
		break;
	case F_SETFL:
		file_set_status(f, (uint32_t)arg);
		break;
	case F_GETPIPE_SZ:
		ret = pipe_size(f);
		break;
	case F_SETPIPE_SZ:
		ret = arg < 0 ? -EINVAL : pipe_set_size(f, (size_t)arg);
		break;
	default:
		ret = fasync_fcntl(f, cmd, arg);
	}
	fput(f);
	return ret;
}

int sys_fcntl(struct task *t, int fd, int cmd, long arg)
{
	SYSCALL(t, NR_FCNTL, "SyS_fcntl");
	int ret = do_fcntl(t, fd, cmd, arg);

	SYS_LINE(t, "SyS_fcntl", ret, "fcntl(%d, %d, %#lx)", fd, cmd, (unsigned long)arg);
	return ret;
}

static int do_ioctl(struct task *t, int fd, unsigned long cmd, void *arg)
{
	struct file *f = fget(t, fd);
	int ret;

	if (!f)
		return -EBADF;
	if (cmd == FIOCLEX || cmd == FIONCLEX) {
		fd_set_cloexec(t, fd, cmd == FIOCLEX);
		ret = 0;
	} else if (cmd == FIONBIO) {
		ret = arg ? 0 : -EFAULT;
		if (arg)
			file_set_status(f, *(const int *)arg ? f->flags | O_NONBLOCK
							     : f->flags & ~(uint32_t)O_NONBLOCK);
	} else if (cmd == FIOASYNC) {
		ret = arg ? fasync_set(f, *(const int *)arg != 0) : -EFAULT;
	} else {
		ret = f->ops->ioctl ? f->ops->ioctl(f, cmd, arg) : -ENOTTY;
	}
	fput(f);
	return ret;
}

int sys_ioctl(struct task *t, int fd, unsigned long cmd, void *arg)
{
	SYSCALL(t, NR_IOCTL, "SyS_ioctl");
	int ret = do_ioctl(t, fd, cmd, arg);

	SYS_LINE(t, "SyS_ioctl", ret, "ioctl(%d, %#lx, %s)", fd, cmd, arg ? "0x..." : "NULL");
	return ret;
}

static int do_pipe(struct task *t, int fd[2], int flags)
{
	struct file *ends[2];
	int i, err;

	if (!fd)
		return -EFAULT;
	if (flags & ~(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	err = pipe_create(t->net, (uint32_t)flags & O_NONBLOCK, ends);
	if (err)
		return err;
	for (i = 0; i < 2; i++) {
		int n = fd_reserve(t, 0, (flags & O_CLOEXEC) != 0);

		if (n < 0) {
			if (i)
				fd_close(t, fd[0]);
			else
				fput(ends[0]);
			fput(ends[1]);
			return n;
		}
		fd_install(t, n, ends[i]);
		fd[i] = n;
	}
	return 0;
}

int sys_pipe2(struct task *t, int fd[2], int flags)
{
	SYSCALL(t, NR_PIPE2, "SyS_pipe2");
	int ret = do_pipe(t, fd, flags);

	SYS_LINE(t, "SyS_pipe2", ret, "pipe2([%d, %d], %#x)", ret ? -1 : fd[0], ret ? -1 : fd[1],
		 (unsigned)flags);
	return ret;
}

/* ---- time, chance, tasks ---- */

int sys_nanosleep(struct task *t, uint64_t ns)
{
	SYSCALL(t, NR_NANOSLEEP, "SyS_nanosleep");
	int ret = task_sleep(t, ns);

	SYS_LINE(t, "SyS_nanosleep", ret, "nanosleep({tv_sec=%llu, tv_nsec=%llu})", ns / NSEC_PER_SEC,
		 ns % NSEC_PER_SEC);
	return ret;
}

uint64_t sys_clock_ns(struct task *t)
{
	t->net->socks->syscalls[NR_CLOCK_GETTIME]++;
	t->nr_syscalls++;
	return t->net->now_ns;
}

ssize_t sys_getrandom(struct task *t, void *buf, size_t len)
{
	SYSCALL(t, NR_GETRANDOM, "SyS_getrandom");
	struct net *net = t->net;
	ssize_t ret = -EFAULT;

	len = min_sz(len, GETRANDOM_MAX);
	if (buf || !len) {
		if (net->owner.random)
			net->owner.random(net->owner.arg, buf, len);
		else
			rng_bytes(&socket_net(net)->rng, buf, len);
		ret = (ssize_t)len;
	}
	SYS_LINE(t, "SyS_getrandom", ret, "getrandom(0x..., %zu, 0)", len);
	return ret;
}

struct task *sys_spawn(struct task *t, const char *comm, task_main main, int argc, char *const *argv)
{
	SYSCALL(t, NR_CLONE, "SyS_clone");
	struct task *child = task_spawn(t->net, comm, main, argc, argv, t);

	SYS_LINE(t, "SyS_clone", child ? (ssize_t)child->pid : -EAGAIN, "clone(\"%.15s\")", comm);
	return child;
}

int sys_wait(struct task *t, struct task *child, int *code)
{
	SYSCALL(t, NR_WAIT4, "SyS_wait4");
	uint32_t pid = child ? child->pid : 0;
	int ret = child ? task_wait(t, child, code) : -ECHILD;

	SYS_LINE(t, "SyS_wait4", ret ? ret : (ssize_t)pid, "wait4(%u)", pid);
	return ret;
}
