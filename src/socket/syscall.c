/* The socket calls: arguments checked and copied as Linux does, then handed to proto_ops.
 *
 * Decides: -EBADF, -ENOTSOCK, -EFAULT, -EINVAL before any protocol sees the call; that addresses and message
 * headers are copied out of (possibly misaligned) program memory and back; how O_NONBLOCK becomes MSG_DONTWAIT.
 * No signal kills a writer: a broken pipe is -EPIPE, with or without MSG_NOSIGNAL.
 * Called by: programs. Hands on: socket.c, proto_ops. Many messages at once are sys_mmsg.c's, descriptors of every
 * kind sys_file.c's.
 * Tests: tests/unit/socket/test_syscall.c (SY-01, SY-04). */
#include <limits.h>
#include <string.h>
#include "socket/file.h"
#include "socket/sys_scope.h"
#include "socket/sys_sock.h"

#define MSG_MAX_IOV 1024 /* UIO_MAXIOV */

/* ---- arguments ---- */

struct socket *sock_get(struct task *t, int fd, struct file **f, int *err)
{
	struct socket *s;

	*f = fget(t, fd);
	if (!*f) {
		*err = -EBADF;
		return NULL;
	}
	s = file_socket(*f);
	if (!s) {
		fput(*f);
		*err = -ENOTSOCK;
	}
	return s;
}

static int addr_in(struct sockaddr_storage *ss, const void *a, socklen_t len)
{
	if ((int)len < 0 || len > sizeof(*ss))
		return -EINVAL;
	memset(ss, 0, sizeof(*ss));
	if (!len)
		return 0;
	if (!a)
		return -EFAULT;
	memcpy(ss, a, len);
	return 0;
}

/* Give the program as much of an address as it has room for, and its real length. */
static int addr_out(const struct sockaddr_storage *ss, int len, void *a, socklen_t *alen)
{
	if (len > (int)sizeof(*ss))
		return -EINVAL;
	if ((int)*alen < 0)
		return -EINVAL;
	if (min_u32(*alen, (uint32_t)len) && !a)
		return -EFAULT;
	if (a)
		memcpy(a, ss, min_u32(*alen, (uint32_t)len));
	*alen = (socklen_t)len;
	return 0;
}

static int addr_put(struct socket *s, int peer, struct sockaddr *a, socklen_t *alen)
{
	struct sockaddr_storage ss;
	int len;

	memset(&ss, 0, sizeof(ss));
	len = s->ops->getname ? s->ops->getname(s, (struct sockaddr *)&ss, peer) : -EOPNOTSUPP;
	if (len < 0)
		return len;
	return alen ? addr_out(&ss, len, a, alen) : -EFAULT;
}

/* Sum of the buffers, or -errno. */
static ssize_t iov_total(const struct socket *s, const struct iovec *iov, size_t n)
{
	size_t i, total = 0;

	if (n && !iov)
		return -EFAULT;
	for (i = 0; i < n; i++) {
		if (iov[i].iov_len > (size_t)SSIZE_MAX || total + iov[i].iov_len > (size_t)SSIZE_MAX)
			return -EINVAL;
		if (!iov[i].iov_base && iov[i].iov_len && !sock_finds_faults(s))
			return -EFAULT;
		total += iov[i].iov_len;
	}
	return (ssize_t)total;
}

static int sock_flags(const struct socket *s, int flags)
{
	return s->nonblock ? flags | MSG_DONTWAIT : flags;
}

/* ---- making, naming, connecting ---- */

static int do_socket(struct task *t, int family, int type, int protocol)
{
	struct socket *s;
	int fd, err;

	if ((type & ~0xf) & ~(SOCK_NONBLOCK | SOCK_CLOEXEC))
		return -EINVAL;
	err = sock_create(t->net, family, type & 0xf, protocol, type & SOCK_NONBLOCK ? O_NONBLOCK : 0, &s);
	if (err)
		return err;
	fd = fd_reserve(t, 0, (type & SOCK_CLOEXEC) != 0);
	if (fd < 0)
		fput(socket_to_file(s));
	else
		fd_install(t, fd, socket_to_file(s));
	return fd;
}

int sys_socket(struct task *t, int family, int type, int protocol)
{
	SYSCALL(t, NR_SOCKET, "SyS_socket");
	int ret = do_socket(t, family, type, protocol);

	SYS_LINE(t, "SyS_socket", ret, "socket(%s, %s, %d)", st_family(ST, family), st_sock_type(ST, type),
		 protocol);
	return ret;
}

static int do_bind(struct task *t, int fd, const struct sockaddr *a, socklen_t len)
{
	struct sockaddr_storage ss;
	struct file *f;
	int err;
	struct socket *s = sock_get(t, fd, &f, &err);

	if (!s)
		return err;
	err = addr_in(&ss, a, len);
	if (!err)
		err = s->ops->bind ? s->ops->bind(s, (struct sockaddr *)&ss, len) : -EOPNOTSUPP;
	fput(f);
	return err;
}

int sys_bind(struct task *t, int fd, const struct sockaddr *a, socklen_t len)
{
	SYSCALL(t, NR_BIND, "SyS_bind");
	int ret = do_bind(t, fd, a, len);

	SYS_LINE(t, "SyS_bind", ret, "bind(%d, %s, %u)", fd, st_addr(ST, a, len), len);
	return ret;
}

static int do_listen(struct task *t, int fd, int backlog)
{
	struct file *f;
	int err;
	struct socket *s = sock_get(t, fd, &f, &err);

	if (!s)
		return err;
	/* Negative counts as the most that is allowed: Linux compares as unsigned. */
	if ((unsigned)backlog > t->net->socks->somaxconn)
		backlog = (int)t->net->socks->somaxconn;
	err = s->ops->listen ? s->ops->listen(s, backlog) : -EOPNOTSUPP;
	fput(f);
	return err;
}

int sys_listen(struct task *t, int fd, int backlog)
{
	SYSCALL(t, NR_LISTEN, "SyS_listen");
	int ret = do_listen(t, fd, backlog);

	SYS_LINE(t, "SyS_listen", ret, "listen(%d, %d)", fd, backlog);
	return ret;
}

/* The new connection's number is taken first, so that a full table leaves it in the listener's queue. */
static int accept_on(struct task *t, struct file *f, struct socket *s, struct sockaddr *a, socklen_t *len,
		     int flags)
{
	struct socket *ns;
	int fd, err;

	if (!s->ops->accept)
		return -EOPNOTSUPP;
	fd = fd_reserve(t, 0, (flags & SOCK_CLOEXEC) != 0);
	if (fd < 0)
		return fd;
	ns = sock_alloc_file(t->net, s->type, flags & SOCK_NONBLOCK ? O_NONBLOCK : 0);
	ns->ops = s->ops;
	err = s->ops->accept(s, ns, (int)(f->flags & O_NONBLOCK));
	if (!err && a) {
		struct sockaddr_storage ss;
		int alen;

		memset(&ss, 0, sizeof(ss));
		alen = ns->ops->getname(ns, (struct sockaddr *)&ss, 2);
		if (alen < 0)
			err = -ECONNABORTED; /* gone again before anybody saw it */
		else
			err = len ? addr_out(&ss, alen, a, len) : -EFAULT;
	}
	if (err) {
		if (!ns->sk)
			ns->ops = NULL;
		fput(socket_to_file(ns));
		fd_unreserve(t, fd);
		return err;
	}
	fd_install(t, fd, socket_to_file(ns));
	return fd;
}

static int do_accept(struct task *t, int fd, struct sockaddr *a, socklen_t *len, int flags)
{
	struct file *f;
	struct socket *s;
	int ret;

	if (flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC))
		return -EINVAL;
	s = sock_get(t, fd, &f, &ret);
	if (!s)
		return ret;
	ret = accept_on(t, f, s, a, len, flags);
	fput(f);
	return ret;
}

int sys_accept4(struct task *t, int fd, struct sockaddr *a, socklen_t *len, int flags)
{
	SYSCALL(t, NR_ACCEPT4, "SyS_accept4");
	int ret = do_accept(t, fd, a, len, flags);

	SYS_LINE(t, "SyS_accept4", ret, "accept4(%d, %s, [%u], %s)", fd,
		 ret < 0 || !len ? "0x..." : st_addr(ST, a, *len), ret < 0 || !len ? 0 : *len,
		 flags & SOCK_NONBLOCK ? "SOCK_NONBLOCK" : "0");
	return ret;
}

static int do_connect(struct task *t, int fd, const struct sockaddr *a, socklen_t len)
{
	struct sockaddr_storage ss;
	struct file *f;
	int err;
	struct socket *s = sock_get(t, fd, &f, &err);

	if (!s)
		return err;
	err = addr_in(&ss, a, len);
	if (!err)
		err = s->ops->connect ? s->ops->connect(s, (struct sockaddr *)&ss, len,
							(int)(f->flags & O_NONBLOCK))
				      : -EOPNOTSUPP;
	fput(f);
	return err;
}

int sys_connect(struct task *t, int fd, const struct sockaddr *a, socklen_t len)
{
	SYSCALL(t, NR_CONNECT, "SyS_connect");
	int ret = do_connect(t, fd, a, len);

	SYS_LINE(t, "SyS_connect", ret, "connect(%d, %s, %u)", fd, st_addr(ST, a, len), len);
	return ret;
}

static int do_getname(struct task *t, int fd, struct sockaddr *a, socklen_t *len, int peer)
{
	struct file *f;
	int err;
	struct socket *s = sock_get(t, fd, &f, &err);

	if (!s)
		return err;
	err = addr_put(s, peer, a, len);
	fput(f);
	return err;
}

int sys_getsockname(struct task *t, int fd, struct sockaddr *a, socklen_t *len)
{
	SYSCALL(t, NR_GETSOCKNAME, "SyS_getsockname");
	int ret = do_getname(t, fd, a, len, 0);

	SYS_LINE(t, "SyS_getsockname", ret, "getsockname(%d, %s, [%u])", fd,
		 ret < 0 ? "0x..." : st_addr(ST, a, *len), ret < 0 ? 0 : *len);
	return ret;
}

int sys_getpeername(struct task *t, int fd, struct sockaddr *a, socklen_t *len)
{
	SYSCALL(t, NR_GETPEERNAME, "SyS_getpeername");
	int ret = do_getname(t, fd, a, len, 1);

	SYS_LINE(t, "SyS_getpeername", ret, "getpeername(%d, %s, [%u])", fd,
		 ret < 0 ? "0x..." : st_addr(ST, a, *len), ret < 0 ? 0 : *len);
	return ret;
}

int sys_shutdown(struct task *t, int fd, int how)
{
	SYSCALL(t, NR_SHUTDOWN, "SyS_shutdown");
	static const char *const names[] = { "SHUT_RD", "SHUT_WR", "SHUT_RDWR" };
	struct file *f;
	int ret;
	struct socket *s = sock_get(t, fd, &f, &ret);

	if (s) {
		if (how < SHUT_RD || how > SHUT_RDWR)
			ret = -EINVAL;
		else
			ret = s->ops->shutdown ? s->ops->shutdown(s, how) : -EOPNOTSUPP;
		fput(f);
	}
	SYS_LINE(t, "SyS_shutdown", ret, "shutdown(%d, %s)", fd,
		 how < SHUT_RD || how > SHUT_RDWR ? "?" : names[how]);
	return ret;
}

/* ---- sending ---- */

static ssize_t do_sendto(struct task *t, int fd, const void *buf, size_t len, int flags, const void *a,
			 socklen_t alen)
{
	struct iovec iov = { (void *)(uintptr_t)buf, min_sz(len, RW_MAX) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct sockaddr_storage ss;
	struct file *f;
	int err;
	ssize_t ret;
	struct socket *s = sock_get(t, fd, &f, &err);

	if (!s)
		return err;
	ret = buf || !len || sock_finds_faults(s) ? 0 : -EFAULT;
	if (!ret && a) {
		ret = addr_in(&ss, a, alen);
		m.msg_name = &ss;
		m.msg_namelen = alen;
	}
	m.msg_flags = sock_flags(s, flags);
	if (!ret)
		ret = sock_sendmsg(s, &m, iov.iov_len);
	fput(f);
	return ret;
}

ssize_t sys_sendto(struct task *t, int fd, const void *buf, size_t len, int flags, const struct sockaddr *a,
		   socklen_t alen)
{
	SYSCALL(t, NR_SENDTO, "SyS_sendto");
	ssize_t ret = do_sendto(t, fd, buf, len, flags, a, alen);

	SYS_LINE(t, "SyS_sendto", ret, "sendto(%d, %s, %zu, %s, %s, %u)", fd,
		 st_buf(ST, buf, ret < 0 ? -1 : (ssize_t)len), len, st_msg_flags(ST, flags),
		 st_addr(ST, a, alen), alen);
	return ret;
}

/* A program's message header as the protocols get it: name and arrays checked, name copied. */
static ssize_t msg_in(const struct socket *s, const struct msghdr *um, struct msghdr *m, struct sockaddr_storage *ss, bool sending)
{
	int err;

	if (!um)
		return -EFAULT;
	*m = *um;
	if (m->msg_iovlen > MSG_MAX_IOV)
		return -EMSGSIZE;
	if ((int)m->msg_namelen < 0)
		return -EINVAL;
	if (!m->msg_name || (sending && !m->msg_namelen)) {
		m->msg_name = NULL;
		m->msg_namelen = 0;
	} else if (sending) {
		m->msg_namelen = (socklen_t)min_sz(m->msg_namelen, sizeof(*ss));
		err = addr_in(ss, um->msg_name, m->msg_namelen);
		if (err)
			return err;
		m->msg_name = ss;
	}
	if (m->msg_controllen > INT32_MAX)
		return -ENOBUFS;
	if (!m->msg_control)
		m->msg_controllen = 0;
	return iov_total(s, m->msg_iov, m->msg_iovlen);
}

ssize_t sendmsg_on(struct socket *s, const struct msghdr *um, int flags)
{
	struct sockaddr_storage ss;
	struct msghdr m;
	ssize_t ret = msg_in(s, um, &m, &ss, true);

	if (ret < 0)
		return ret;
	m.msg_flags = sock_flags(s, flags);
	return sock_sendmsg(s, &m, min_sz((size_t)ret, RW_MAX));
}

static ssize_t do_sendmsg(struct task *t, int fd, const struct msghdr *um, int flags)
{
	struct file *f;
	int err;
	ssize_t ret;
	struct socket *s = sock_get(t, fd, &f, &err);

	if (!s)
		return err;
	ret = sendmsg_on(s, um, flags);
	fput(f);
	return ret;
}

ssize_t sys_sendmsg(struct task *t, int fd, const struct msghdr *m, int flags)
{
	SYSCALL(t, NR_SENDMSG, "SyS_sendmsg");
	ssize_t ret = do_sendmsg(t, fd, m, flags);

	SYS_LINE(t, "SyS_sendmsg", ret, "sendmsg(%d, {msg_name=%s, msg_iov=%s, msg_controllen=%zu}, %s)", fd,
		 ret < 0 ? "0x..." : st_addr(ST, m->msg_name, m->msg_namelen),
		 ret < 0 ? "0x..." : st_iov(ST, m->msg_iov, m->msg_iovlen), ret < 0 ? 0 : m->msg_controllen,
		 st_msg_flags(ST, flags));
	return ret;
}

/* ---- receiving ---- */

static ssize_t do_recvfrom(struct task *t, int fd, void *buf, size_t len, int flags, struct sockaddr *a,
			   socklen_t *alen)
{
	struct iovec iov = { buf, min_sz(len, RW_MAX) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct sockaddr_storage ss;
	struct file *f;
	int err;
	ssize_t ret;
	struct socket *s = sock_get(t, fd, &f, &err);

	if (!s)
		return err;
	ret = buf || !len || sock_finds_faults(s) ? 0 : -EFAULT;
	if (a) {
		memset(&ss, 0, sizeof(ss));
		m.msg_name = &ss;
		m.msg_namelen = sizeof(ss);
	}
	if (!ret)
		ret = sock_recvmsg(s, &m, iov.iov_len, sock_flags(s, flags));
	if (ret >= 0 && a) {
		/* A protocol that has no address to give (a stream's) leaves the family empty. */
		err = !alen ? -EFAULT : addr_out(&ss, ss.ss_family ? (int)m.msg_namelen : 0, a, alen);
		if (err)
			ret = err;
	}
	fput(f);
	return ret;
}

ssize_t sys_recvfrom(struct task *t, int fd, void *buf, size_t len, int flags, struct sockaddr *a,
		     socklen_t *alen)
{
	SYSCALL(t, NR_RECVFROM, "SyS_recvfrom");
	ssize_t ret = do_recvfrom(t, fd, buf, len, flags, a, alen);

	SYS_LINE(t, "SyS_recvfrom", ret, "recvfrom(%d, %s, %zu, %s, %s)", fd,
		 st_buf(ST, buf, ret < 0 ? -1 : (ssize_t)min_sz((size_t)ret, len)), len,
		 st_msg_flags(ST, flags), ret < 0 || !a || !alen ? "NULL" : st_addr(ST, a, *alen));
	return ret;
}

ssize_t recvmsg_on(struct socket *s, struct msghdr *um, int flags)
{
	struct sockaddr_storage ss;
	struct msghdr m;
	ssize_t ret = msg_in(s, um, &m, &ss, false);

	if (ret < 0)
		return ret;
	memset(&ss, 0, sizeof(ss));
	m.msg_flags = 0;
	if (um->msg_name) {
		m.msg_name = &ss;
		m.msg_namelen = sizeof(ss);
	}
	ret = sock_recvmsg(s, &m, min_sz((size_t)ret, RW_MAX), sock_flags(s, flags));
	if (ret < 0)
		return ret;
	if (um->msg_name) {
		int err = addr_out(&ss, ss.ss_family ? (int)m.msg_namelen : 0, um->msg_name,
				   &um->msg_namelen);

		if (err)
			return err;
	}
	um->msg_flags = m.msg_flags;
	/* put_cmsg moved the pointer over what it wrote. */
	um->msg_controllen = um->msg_control
				     ? (size_t)((char *)m.msg_control - (char *)um->msg_control)
				     : 0;
	return ret;
}

ssize_t sys_recvmsg(struct task *t, int fd, struct msghdr *m, int flags)
{
	SYSCALL(t, NR_RECVMSG, "SyS_recvmsg");
	struct file *f;
	int err;
	ssize_t ret;
	struct socket *s = sock_get(t, fd, &f, &err);

	if (s) {
		ret = recvmsg_on(s, m, flags);
		fput(f);
	} else {
		ret = err;
	}
	SYS_LINE(t, "SyS_recvmsg", ret, "recvmsg(%d, {msg_name=%s, msg_controllen=%zu, msg_flags=%s}, %s)", fd,
		 ret < 0 ? "0x..." : st_addr(ST, m->msg_name, m->msg_namelen), ret < 0 ? 0 : m->msg_controllen,
		 ret < 0 ? "0" : st_msg_flags(ST, m->msg_flags), st_msg_flags(ST, flags));
	return ret;
}

/* ---- options ---- */

static int do_setsockopt(struct task *t, int fd, int level, int name, const void *val, socklen_t len)
{
	struct file *f;
	int err;
	struct socket *s;

	if ((int)len < 0)
		return -EINVAL;
	s = sock_get(t, fd, &f, &err);
	if (!s)
		return err;
	if (level == SOL_SOCKET)
		err = sock_setsockopt(s->sk, name, val, len);
	else if (!val && len)
		err = -EFAULT;
	else
		err = s->ops->setsockopt ? s->ops->setsockopt(s, level, name, val, len) : -EOPNOTSUPP;
	fput(f);
	return err;
}

int sys_setsockopt(struct task *t, int fd, int level, int name, const void *val, socklen_t len)
{
	SYSCALL(t, NR_SETSOCKOPT, "SyS_setsockopt");
	int ret = do_setsockopt(t, fd, level, name, val, len);

	SYS_LINE(t, "SyS_setsockopt", ret, "setsockopt(%d, %s, %s, %u)", fd, st_sockopt(ST, level, name),
		 ret < 0 ? "0x..." : st_optval(ST, val, len), len);
	return ret;
}

static int do_getsockopt(struct task *t, int fd, int level, int name, void *val, socklen_t *len)
{
	struct file *f;
	int err;
	struct socket *s = sock_get(t, fd, &f, &err);

	if (!s)
		return err;
	if (level == SOL_SOCKET)
		err = sock_getsockopt(s->sk, name, val, len);
	else if (!len || !val)
		err = -EFAULT;
	else if ((int)*len < 0)
		err = -EINVAL;
	else
		err = s->ops->getsockopt ? s->ops->getsockopt(s, level, name, val, len) : -EOPNOTSUPP;
	fput(f);
	return err;
}

int sys_getsockopt(struct task *t, int fd, int level, int name, void *val, socklen_t *len)
{
	SYSCALL(t, NR_GETSOCKOPT, "SyS_getsockopt");
	int ret = do_getsockopt(t, fd, level, name, val, len);

	SYS_LINE(t, "SyS_getsockopt", ret, "getsockopt(%d, %s, %s, [%u])", fd, st_sockopt(ST, level, name),
		 ret < 0 ? "0x..." : st_optval(ST, val, *len), ret < 0 ? 0 : *len);
	return ret;
}
