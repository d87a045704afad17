/* read, write and their kin, on descriptors of every kind.
 *
 * Decides: access modes, that a total never exceeds what a ssize_t can say, what has positions (files) and what has not
 * (-ESPIPE). Called by: programs. Hands on: file_ops. Tests: tests/unit/socket/test_vfs.c (SY-04). */
#include <limits.h>
#include "socket/file.h"
#include "socket/sys_scope.h"
#include "socket/vfs.h"

#define RW_MAX_IOV 1024

/* 0, or why these buffers cannot be used; it then walks them, cut to what one call moves. */
static int rw_iter(struct file *f, struct iov_iter *it, const struct iovec *iov, int n)
{
	size_t total = 0;
	int i;

	if (n < 0 || n > RW_MAX_IOV)
		return -EINVAL;
	if (n && !iov)
		return -EFAULT;
	for (i = 0; i < n; i++) {
		if (iov[i].iov_len > (size_t)SSIZE_MAX || total + iov[i].iov_len > (size_t)SSIZE_MAX)
			return -EINVAL;
		if (!iov[i].iov_base && iov[i].iov_len && !sock_finds_faults(file_socket(f)))
			return -EFAULT;
		total += iov[i].iov_len;
	}
	iov_iter_init(it, iov, (size_t)n);
	it->count = min_sz(it->count, RW_MAX);
	return 0;
}

/* A single buffer of no octets is still asked for (a socket that is shut says -EPIPE); vectors of none are not. */
static ssize_t do_rw(struct task *t, int fd, const struct iovec *iov, int n, bool write, bool vector)
{
	struct file *f = fget(t, fd);
	struct iov_iter it;
	uint32_t mode;
	ssize_t ret;

	if (!f)
		return -EBADF;
	mode = f->flags & O_ACCMODE;
	if (mode == (write ? O_RDONLY : O_WRONLY))
		ret = -EBADF;
	else if (!(write ? f->ops->write : f->ops->read))
		ret = -EINVAL;
	else
		ret = rw_iter(f, &it, iov, n);
	if (!ret && (it.count || !vector))
		ret = write ? f->ops->write(f, &it) : f->ops->read(f, &it);
	fput(f);
	return ret;
}

ssize_t sys_read(struct task *t, int fd, void *buf, size_t len)
{
	SYSCALL(t, NR_READ, "SyS_read");
	struct iovec iov = { buf, min_sz(len, RW_MAX) };
	ssize_t ret = do_rw(t, fd, &iov, 1, false, false);

	SYS_LINE(t, "SyS_read", ret, "read(%d, %s, %zu)", fd, st_buf(ST, buf, ret < 0 ? -1 : ret), len);
	return ret;
}

ssize_t sys_write(struct task *t, int fd, const void *buf, size_t len)
{
	SYSCALL(t, NR_WRITE, "SyS_write");
	struct iovec iov = { (void *)(uintptr_t)buf, min_sz(len, RW_MAX) };
	ssize_t ret = do_rw(t, fd, &iov, 1, true, false);

	SYS_LINE(t, "SyS_write", ret, "write(%d, %s, %zu)", fd,
		 st_buf(ST, buf, ret < 0 ? -1 : (ssize_t)iov.iov_len), len);
	return ret;
}

ssize_t sys_readv(struct task *t, int fd, const struct iovec *iov, int n)
{
	SYSCALL(t, NR_READV, "SyS_readv");
	ssize_t ret = do_rw(t, fd, iov, n, false, true);

	SYS_LINE(t, "SyS_readv", ret, "readv(%d, %s, %d)", fd,
		 ret < 0 ? "0x..." : st_iov(ST, iov, (size_t)n), n);
	return ret;
}

ssize_t sys_writev(struct task *t, int fd, const struct iovec *iov, int n)
{
	SYSCALL(t, NR_WRITEV, "SyS_writev");
	ssize_t ret = do_rw(t, fd, iov, n, true, true);

	SYS_LINE(t, "SyS_writev", ret, "writev(%d, %s, %d)", fd,
		 ret < 0 ? "0x..." : st_iov(ST, iov, (size_t)n), n);
	return ret;
}

/* ---- at a position ---- */

/* One buffer after the other; a short one ends it. */
static ssize_t prw_pieces(struct file *f, const struct iovec *iov, int n, uint64_t off, bool write)
{
	size_t done = 0;
	int i;

	for (i = 0; i < n; i++) {
		size_t want = min_sz(iov[i].iov_len, RW_MAX - done);
		ssize_t got = !want ? 0
			      : write ? f->ops->pwrite(f, iov[i].iov_base, want, off + done)
				      : f->ops->pread(f, iov[i].iov_base, want, off + done);

		if (got < 0)
			return done ? (ssize_t)done : got;
		done += (size_t)got;
		if ((size_t)got < iov[i].iov_len)
			break;
	}
	return (ssize_t)done;
}

static ssize_t do_prw(struct task *t, int fd, const struct iovec *iov, int n, uint64_t off, bool write)
{
	struct file *f;
	struct iov_iter it;
	uint32_t mode;
	ssize_t ret;

	if (off > INT64_MAX)
		return -EINVAL;
	f = fget(t, fd);
	if (!f)
		return -EBADF;
	mode = f->flags & O_ACCMODE;
	if (!f->ops->pread)
		ret = -ESPIPE; /* no positions: sockets, pipes, sets */
	else if (mode == (write ? O_RDONLY : O_WRONLY))
		ret = -EBADF;
	else if (write && !f->ops->pwrite)
		ret = -EINVAL;
	else
		ret = rw_iter(f, &it, iov, n);
	if (!ret)
		ret = prw_pieces(f, iov, n, off, write);
	fput(f);
	return ret;
}

ssize_t sys_pread(struct task *t, int fd, void *buf, size_t len, uint64_t off)
{
	SYSCALL(t, NR_PREAD64, "SyS_pread64");
	struct iovec iov = { buf, min_sz(len, RW_MAX) };
	ssize_t ret = do_prw(t, fd, &iov, 1, off, false);

	SYS_LINE(t, "SyS_pread64", ret, "pread64(%d, %s, %zu, %llu)", fd, st_buf(ST, buf, ret < 0 ? -1 : ret),
		 len, (unsigned long long)off);
	return ret;
}

ssize_t sys_pwrite(struct task *t, int fd, const void *buf, size_t len, uint64_t off)
{
	SYSCALL(t, NR_PWRITE64, "SyS_pwrite64");
	struct iovec iov = { (void *)(uintptr_t)buf, min_sz(len, RW_MAX) };
	ssize_t ret = do_prw(t, fd, &iov, 1, off, true);

	SYS_LINE(t, "SyS_pwrite64", ret, "pwrite64(%d, %s, %zu, %llu)", fd,
		 st_buf(ST, buf, ret < 0 ? -1 : (ssize_t)iov.iov_len), len, (unsigned long long)off);
	return ret;
}

ssize_t sys_preadv(struct task *t, int fd, const struct iovec *iov, int n, uint64_t off)
{
	SYSCALL(t, NR_PREADV, "SyS_preadv");
	ssize_t ret = do_prw(t, fd, iov, n, off, false);

	SYS_LINE(t, "SyS_preadv", ret, "preadv(%d, %s, %d, %llu)", fd,
		 ret < 0 ? "0x..." : st_iov(ST, iov, (size_t)n), n, (unsigned long long)off);
	return ret;
}

ssize_t sys_pwritev(struct task *t, int fd, const struct iovec *iov, int n, uint64_t off)
{
	SYSCALL(t, NR_PWRITEV, "SyS_pwritev");
	ssize_t ret = do_prw(t, fd, iov, n, off, true);

	SYS_LINE(t, "SyS_pwritev", ret, "pwritev(%d, %s, %d, %llu)", fd,
		 ret < 0 ? "0x..." : st_iov(ST, iov, (size_t)n), n, (unsigned long long)off);
	return ret;
}
