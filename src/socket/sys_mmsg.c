/* sendmmsg(2), recvmmsg(2): many messages with one call.
 *
 * Decides: that the first error ends the call, and that it is only told when nothing moved before it; an error behind
 * received messages is kept for the next call (sk->err), as Linux does. Called by: programs. Hands on: syscall.c.
 * Tests: tests/unit/socket/test_syscall_msg.c (SY-04). */
#include "socket/sys_scope.h"
#include "socket/sys_sock.h"

#define MMSG_MAX 1024u /* UIO_MAXIOV */

static int do_sendmmsg(struct task *t, int fd, struct mmsghdr *vec, unsigned n, int flags)
{
	struct file *f;
	unsigned i;
	int err = 0;
	struct socket *s = sock_get(t, fd, &f, &err);

	if (!s)
		return err;
	n = min_u32(n, MMSG_MAX);
	if (n && !vec)
		err = -EFAULT;
	for (i = 0; !err && i < n; i++) {
		ssize_t ret = sendmsg_on(s, &vec[i].msg_hdr, flags);

		if (ret < 0) {
			err = (int)ret;
			break;
		}
		vec[i].msg_len = (unsigned)ret;
	}
	fput(f);
	return err && !i ? err : (int)i;
}

int sys_sendmmsg(struct task *t, int fd, struct mmsghdr *vec, unsigned n, int flags)
{
	SYSCALL(t, NR_SENDMMSG, "SyS_sendmmsg");
	int ret = do_sendmmsg(t, fd, vec, n, flags);

	SYS_LINE(t, "SyS_sendmmsg", ret, "sendmmsg(%d, [{msg_hdr={msg_iov=%s}, msg_len=%u}%s], %u, %s)", fd,
		 ret <= 0 ? "0x..." : st_iov(ST, vec->msg_hdr.msg_iov, vec->msg_hdr.msg_iovlen),
		 ret <= 0 ? 0 : vec->msg_len, n > 1 ? ", ..." : "", n, st_msg_flags(ST, flags));
	return ret;
}

static int do_recvmmsg(struct task *t, int fd, struct mmsghdr *vec, unsigned n, int flags, uint64_t deadline)
{
	struct file *f;
	unsigned i;
	int err = 0;
	struct socket *s = sock_get(t, fd, &f, &err);

	if (!s)
		return err;
	if (!(flags & MSG_ERRQUEUE))
		err = sock_error(s->sk);
	n = min_u32(n, MMSG_MAX);
	if (!err && n && !vec)
		err = -EFAULT;
	for (i = 0; !err && i < n; i++) {
		ssize_t ret = recvmsg_on(s, &vec[i].msg_hdr, flags & ~MSG_WAITFORONE);

		if (ret < 0) {
			err = (int)ret;
			break;
		}
		vec[i].msg_len = (unsigned)ret;
		if (flags & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
		if (t->net->now_ns >= deadline || (vec[i].msg_hdr.msg_flags & MSG_OOB)) {
			i++;
			break;
		}
	}
	/* The messages first; the next call tells of the error. */
	if (err && i && err != -EAGAIN && err != -EINTR)
		s->sk->err = -err;
	fput(f);
	return err && !i ? err : (int)i;
}

int sys_recvmmsg(struct task *t, int fd, struct mmsghdr *vec, unsigned n, int flags, uint64_t timeout_ns)
{
	SYSCALL(t, NR_RECVMMSG, "SyS_recvmmsg");
	int ret = do_recvmmsg(t, fd, vec, n, flags, sock_deadline(t->net->now_ns, timeout_ns, false));

	SYS_LINE(t, "SyS_recvmmsg", ret, "recvmmsg(%d, [{msg_hdr={msg_name=%s}, msg_len=%u}%s], %u, %s)", fd,
		 ret <= 0 ? "0x..." : st_addr(ST, vec->msg_hdr.msg_name, vec->msg_hdr.msg_namelen),
		 ret <= 0 ? 0 : vec->msg_len, ret > 1 ? ", ..." : "", n, st_msg_flags(ST, flags));
	return ret;
}
