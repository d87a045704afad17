/* splice(2), sendfile(2): octets from one descriptor to another without a visit to the program.
 *
 * Decides: which of the two waits (splice: for the first octet and for room, unless a flag or the descriptor says no;
 * never for more once something has moved), what keeps a stream's last segment back (SPLICE_F_MORE, and sendfile while the
 * file has more). Nothing is taken out of a pipe before it has arrived: octets are handed over in place, by calls that do
 * not sleep. Called by: programs. Hands on: file_ops, sock_sendmsg, sock_recvmsg.
 * Tests: tests/unit/socket/test_splice.c. */
#include <fcntl.h>
#include <stdlib.h>
#include "core/msg_splice.h"
#include "socket/file.h"
#include "socket/sys_scope.h"

#define SPLICE_FLAGS (SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT)
/* sendfile's buffer between file and socket. */
#define SENDFILE_CHUNK 65536u

struct splice {
	struct file *in, *out;
	uint64_t *off_in, *off_out; /* NULL: the file's own position */
	size_t len, done;
	unsigned flags;
};

/* ---- one step, without sleeping ---- */

static ssize_t read_now(struct file *f, uint64_t *off, void *buf, size_t len)
{
	struct iovec iov = { buf, len };
	struct socket *s = file_socket(f);
	struct iov_iter to;

	if (s) {
		struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

		return sock_recvmsg(s, &m, len, MSG_DONTWAIT | MSG_FOR_SPLICE);
	}
	if (off) {
		ssize_t n = f->ops->pread(f, buf, len, *off);

		*off += n > 0 ? (uint64_t)n : 0;
		return n;
	}
	iov_iter_init(&to, &iov, 1);
	return f->ops->read(f, &to);
}

static ssize_t write_now(struct file *f, uint64_t *off, const void *buf, size_t len, bool more)
{
	struct iovec iov = { (void *)(uintptr_t)buf, len };
	struct socket *s = file_socket(f);
	struct iov_iter from;
	ssize_t n;

	if (s) {
		struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_flags = MSG_DONTWAIT };

		m.msg_flags |= more ? MSG_MORE : 0;
		return sock_sendmsg(s, &m, len);
	}
	if (file_is_pipe(f)) {
		const uint32_t was = f->flags;

		f->flags |= O_NONBLOCK;
		iov_iter_init(&from, &iov, 1);
		n = f->ops->write(f, &from);
		f->flags = was;
		return n;
	}
	if (off) {
		n = f->ops->pwrite(f, buf, len, *off);
		*off += n > 0 ? (uint64_t)n : 0;
		return n;
	}
	iov_iter_init(&from, &iov, 1);
	return f->ops->write(f, &from);
}

/* f was not ready just now: sleep until it says that it may be. A socket's own time limits hold. 0 or -errno. */
static int wait_change(struct file *f, uint32_t events)
{
	const struct socket *s = file_socket(f);
	uint64_t limit = !s ? TIME_NEVER : events & POLLIN ? s->sk->rcvtimeo_ns : s->sk->sndtimeo_ns;
	uint64_t deadline = sock_deadline(f->net->now_ns, limit, false);
	int err;

	if (!f->ops->wait_queue)
		return -EAGAIN;
	do
		err = wait_on(f->net, f->ops->wait_queue(f), deadline);
	while (!err && !(file_poll(f) & (events | POLLERR | POLLHUP)));
	return err == -ETIMEDOUT ? -EAGAIN : err;
}

/* The flag speaks of pipes only; a socket waits unless its descriptor says no (splice(2)). */
static bool may_wait(const struct splice *sp, const struct file *f)
{
	return !(f->flags & O_NONBLOCK) && !(file_is_pipe(f) && (sp->flags & SPLICE_F_NONBLOCK));
}

/* ---- out of a pipe, into a pipe, between pipes ---- */

/* Something to take out of the pipe: 1; 0: it ended; or -errno. */
static int wait_pipe_data(const struct splice *sp)
{
	const void *data;

	while (!pipe_peek(sp->in, &data)) {
		int err;

		if (!pipe_has_writers(sp->in))
			return 0;
		err = may_wait(sp, sp->in) ? wait_change(sp->in, POLLIN) : -EAGAIN;
		if (err)
			return err;
	}
	return 1;
}

static int wait_pipe_room(const struct splice *sp)
{
	void *at;

	while (pipe_has_readers(sp->out) && !pipe_room(sp->out, 1, &at)) {
		int err = may_wait(sp, sp->out) ? wait_on(sp->out->net, sp->out->ops->wait_queue(sp->out), TIME_NEVER)
						: -EAGAIN;

		if (err)
			return err;
	}
	return pipe_has_readers(sp->out) ? 0 : -EPIPE;
}

/* A pipe's octets to a socket, a file, or another pipe: all that is there now. */
static ssize_t splice_from_pipe(struct splice *sp)
{
	ssize_t ret = wait_pipe_data(sp);

	while (ret > 0 && sp->done < sp->len) {
		const void *data;
		size_t n = min_sz(pipe_peek(sp->in, &data), sp->len - sp->done);

		if (!n)
			break;
		ret = write_now(sp->out, sp->off_out, data, n, (sp->flags & SPLICE_F_MORE) != 0);
		if (ret > 0) {
			pipe_consume(sp->in, (size_t)ret);
			sp->done += (size_t)ret;
		} else if (ret == -EAGAIN && may_wait(sp, sp->out)) {
			ret = wait_change(sp->out, POLLOUT);
			ret = ret ? ret : 1;
		}
	}
	return sp->done ? (ssize_t)sp->done : ret < 0 ? ret : 0;
}

/* What a socket or file has, into a pipe, as far as there is room. */
static ssize_t splice_to_pipe(struct splice *sp)
{
	ssize_t ret = wait_pipe_room(sp);

	while (!ret && sp->done < sp->len) {
		void *at;
		size_t room = pipe_room(sp->out, sp->len - sp->done, &at);
		ssize_t n;

		if (!room)
			break;
		n = read_now(sp->in, sp->off_in, at, room);
		if (n > 0) {
			pipe_produce(sp->out, (size_t)n);
			sp->done += (size_t)n;
			continue;
		}
		if (n == -ENODATA && !sp->done) /* at the urgent mark: only recv goes past it */
			return may_wait(sp, sp->in) ? 0 : -EAGAIN;
		if (n != -EAGAIN || sp->done || !may_wait(sp, sp->in))
			return sp->done ? (ssize_t)sp->done : n;
		ret = wait_change(sp->in, POLLIN);
		if (!ret)
			ret = wait_pipe_room(sp);
	}
	return sp->done ? (ssize_t)sp->done : ret;
}

/* ---- splice ---- */

/* One end that is no pipe: does it have positions, and may one be given? */
static int splice_off(const struct file *f, const int64_t *off, bool write)
{
	if (!off)
		return 0;
	if (file_is_pipe(f))
		return -ESPIPE;
	if (!f->ops->pread || (write && !f->ops->pwrite) || *off < 0)
		return -EINVAL;
	return 0;
}

static ssize_t splice_files(struct splice *sp, int64_t *off_in, int64_t *off_out)
{
	uint64_t in = off_in ? (uint64_t)*off_in : 0, out = off_out ? (uint64_t)*off_out : 0;
	ssize_t ret;

	if ((sp->in->flags & O_ACCMODE) == O_WRONLY || (sp->out->flags & O_ACCMODE) == O_RDONLY)
		return -EBADF;
	ret = splice_off(sp->in, off_in, false);
	if (!ret)
		ret = splice_off(sp->out, off_out, true);
	if (ret)
		return ret;
	if (!sp->in->ops->read || !sp->out->ops->write || (sp->out->flags & O_APPEND))
		return -EINVAL;
	sp->off_in = off_in ? &in : NULL;
	sp->off_out = off_out ? &out : NULL;
	if (file_is_pipe(sp->in)) {
		if (file_is_pipe(sp->out) && pipe_same(sp->in, sp->out))
			return -EINVAL;
		ret = splice_from_pipe(sp);
	} else if (file_is_pipe(sp->out)) {
		ret = splice_to_pipe(sp);
	} else {
		return -EINVAL;
	}
	if (off_in)
		*off_in = (int64_t)in;
	if (off_out)
		*off_out = (int64_t)out;
	return ret;
}

static ssize_t do_splice(struct task *t, int fd_in, int64_t *off_in, int fd_out, int64_t *off_out, size_t len,
			 unsigned flags)
{
	struct splice sp = { .len = min_sz(len, RW_MAX), .flags = flags };
	ssize_t ret = -EBADF;

	if (!len)
		return 0;
	if (flags & ~(unsigned)SPLICE_FLAGS)
		return -EINVAL;
	sp.in = fget(t, fd_in);
	sp.out = fget(t, fd_out);
	if (sp.in && sp.out)
		ret = splice_files(&sp, off_in, off_out);
	if (sp.out)
		fput(sp.out);
	if (sp.in)
		fput(sp.in);
	return ret;
}

ssize_t sys_splice(struct task *t, int fd_in, int64_t *off_in, int fd_out, int64_t *off_out, size_t len, unsigned flags)
{
	SYSCALL(t, NR_SPLICE, "SyS_splice");
	ssize_t ret = do_splice(t, fd_in, off_in, fd_out, off_out, len, flags);

	SYS_LINE(t, "SyS_splice", ret, "splice(%d, %s, %d, %s, %zu, %#x)", fd_in, off_in ? "[...]" : "NULL", fd_out,
		 off_out ? "[...]" : "NULL", len, flags);
	return ret;
}

/* ---- sendfile ---- */

/* All of a piece that was read, or as much as the receiver takes. Octets, or -errno when it took none. */
static ssize_t sendfile_piece(struct file *out, const char *buf, size_t len, bool more)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = write_now(out, NULL, buf + done, len - done, more);
		int err;

		if (n > 0) {
			done += (size_t)n;
			continue;
		}
		if (n != -EAGAIN || (out->flags & O_NONBLOCK))
			return done ? (ssize_t)done : n;
		err = wait_change(out, POLLOUT);
		if (err)
			return done ? (ssize_t)done : err;
	}
	return (ssize_t)done;
}

static ssize_t sendfile_loop(struct file *out, struct file *in, uint64_t *pos, size_t count)
{
	char *buf = xcalloc(1, min_sz(count, SENDFILE_CHUNK)), probe;
	size_t done = 0;
	ssize_t ret = 0;

	while (done < count) {
		size_t want = min_sz(count - done, SENDFILE_CHUNK);
		ssize_t n = in->ops->pread(in, buf, want, *pos), sent;
		bool more;

		ret = n;
		if (n <= 0)
			break;
		more = (size_t)n == want && done + want < count && in->ops->pread(in, &probe, 1, *pos + want) == 1;
		sent = sendfile_piece(out, buf, (size_t)n, more);
		ret = sent;
		if (sent < 0)
			break;
		*pos += (size_t)sent;
		done += (size_t)sent;
		if (sent < n)
			break;
	}
	free(buf);
	return done ? (ssize_t)done : ret;
}

static ssize_t sendfile_files(struct file *out, struct file *in, int64_t *off, size_t count)
{
	uint64_t pos = off ? (uint64_t)*off : in->pos;
	ssize_t ret;

	if ((in->flags & O_ACCMODE) == O_WRONLY || (out->flags & O_ACCMODE) == O_RDONLY)
		return -EBADF;
	if (!in->ops->pread)
		return off ? -ESPIPE : -EINVAL;
	if (!out->ops->write || (out->flags & O_APPEND) || (off && *off < 0))
		return -EINVAL;
	if (!count)
		return 0;
	ret = sendfile_loop(out, in, &pos, count);
	if (off)
		*off = (int64_t)pos;
	else
		in->pos = pos;
	return ret;
}

ssize_t sys_sendfile(struct task *t, int fd_out, int fd_in, int64_t *off, size_t count)
{
	SYSCALL(t, NR_SENDFILE, "SyS_sendfile64");
	struct file *in = fget(t, fd_in), *out = fget(t, fd_out);
	ssize_t ret = in && out ? sendfile_files(out, in, off, min_sz(count, RW_MAX)) : -EBADF;

	if (out)
		fput(out);
	if (in)
		fput(in);
	SYS_LINE(t, "SyS_sendfile64", ret, "sendfile(%d, %d, %s, %zu)", fd_out, fd_in, off ? "[...]" : "NULL", count);
	return ret;
}
