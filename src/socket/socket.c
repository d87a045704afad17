/* struct socket and its file: from a descriptor to a family's proto_ops.
 *
 * Decides: which family makes a socket, how a file's flags reach the calls, what a bare read or write means.
 * Called by: syscall.c, epoll.c and poll.c through file_ops. Hands on: proto_ops (inet's, packet's, netlink's).
 * Tests: tests/unit/socket/test_syscall.c (S1-17: the same first names for every protocol). */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include "socket/fasync.h"
#include "socket/file.h"
#include "socket/syscall.h"

/* Families and types that Linux numbers; beyond these the arguments are senseless. */
#define FAMILY_MAX 46
#define TYPE_MAX 11

static void socket_release(struct file *f)
{
	struct socket *s = file_socket(f);

	file_unlink(f);
	if (s->ops && s->ops->release)
		s->ops->release(s);
	pool_put(&socket_net(f->net)->socket_pool, f);
}

static ssize_t socket_read(struct file *f, struct iov_iter *to)
{
	struct msghdr m = { .msg_iov = (struct iovec *)(uintptr_t)to->iov, .msg_iovlen = to->nr };
	struct socket *s = file_socket(f);

	/* Reading no octets asks a stream nothing; recv() of none does (it waits for the first). */
	if (!to->count)
		return 0;
	return sock_recvmsg(s, &m, to->count, s->nonblock ? MSG_DONTWAIT : 0);
}

static ssize_t socket_write(struct file *f, struct iov_iter *from)
{
	struct msghdr m = { .msg_iov = (struct iovec *)(uintptr_t)from->iov, .msg_iovlen = from->nr };
	struct socket *s = file_socket(f);

	m.msg_flags = s->nonblock ? MSG_DONTWAIT : 0;
	return sock_sendmsg(s, &m, from->count);
}

static uint32_t socket_poll(struct file *f)
{
	struct socket *s = file_socket(f);

	return s->ops && s->ops->poll ? s->ops->poll(s) : 0;
}

static struct wait_queue_head *socket_wait_queue(struct file *f)
{
	return &file_socket(f)->wq;
}

/* All that sockets know takes a place to read or write: the SIOC... (0x89xx), FIONREAD and TIOCOUTQ. */
static bool ioctl_needs_arg(unsigned long cmd)
{
	return cmd == FIONREAD || cmd == TIOCOUTQ || (cmd & ~0xfful) == 0x8900;
}

static int socket_ioctl(struct file *f, unsigned long cmd, void *arg)
{
	struct socket *s = file_socket(f);
	int err;

	if (unlikely(!arg))
		return ioctl_needs_arg(cmd) ? -EFAULT : -ENOTTY;
	if (cmd == FIOSETOWN || cmd == SIOCSPGRP)
		return f_setown(f, *(const int *)arg);
	if (cmd == FIOGETOWN || cmd == SIOCGPGRP) {
		*(int *)arg = f_getown(f);
		return 0;
	}
	err = s->ops->ioctl ? s->ops->ioctl(s, cmd, arg) : -ENOTTY;

	/* A family says in one of these ways that it does not know the number. */
	if (err == -ENOTTY || err == -EINVAL || err == -ENOPROTOOPT || err == -EOPNOTSUPP) {
		int dev_err = dev_ioctl(f->net, cmd, arg);

		return dev_err == -ENOTTY ? err : dev_err;
	}
	return err;
}

static void socket_set_flags(struct file *f)
{
	file_socket(f)->nonblock = (f->flags & O_NONBLOCK) != 0;
}

/* The last number is gone while a call sleeps inside: it returns with this error and then releases. */
static void socket_abort(struct file *f)
{
	struct sock *sk = file_socket(f)->sk;

	if (!sk)
		return;
	sk->err = EBADF;
	sk->error_report(sk);
}

const struct file_ops socket_file_ops = {
	.kind = "socket",
	.read = socket_read,
	.write = socket_write,
	.poll = socket_poll,
	.wait_queue = socket_wait_queue,
	.fasync = true,
	.ioctl = socket_ioctl,
	.set_flags = socket_set_flags,
	.abort = socket_abort,
	.release = socket_release,
};

struct socket *sock_alloc_file(struct net *net, int type, uint32_t flags)
{
	struct socket_file *sf = pool_zget(&socket_net(net)->socket_pool);

	file_init(&sf->f, net, &socket_file_ops, O_RDWR | (flags & O_NONBLOCK), NULL);
	sf->s.net = net;
	sf->s.type = type;
	sf->s.state = SS_UNCONNECTED_;
	sf->s.nonblock = (flags & O_NONBLOCK) != 0;
	init_waitqueue_head(&sf->s.wq);
	return &sf->s;
}

static const struct net_proto_family *sock_family(struct net *net, int family)
{
	const struct sock_net *sn = net->socks;
	uint32_t i;

	for (i = 0; i < sn->nr_families; i++)
		if (sn->families[i]->family == family)
			return sn->families[i];
	return NULL;
}

int sock_create(struct net *net, int family, int type, int protocol, uint32_t flags, struct socket **out)
{
	const struct net_proto_family *fam;
	struct socket *s;
	int err;

	if (family < 0 || family >= FAMILY_MAX)
		return -EAFNOSUPPORT;
	if (type < 0 || type >= TYPE_MAX)
		return -EINVAL;
	fam = sock_family(net, family);
	if (!fam)
		return -EAFNOSUPPORT;
	s = sock_alloc_file(net, type, flags);
	err = fam->create(net, s, protocol);
	if (err) {
		s->ops = NULL; /* create undoes what it did */
		fput(socket_to_file(s));
		return err;
	}
	*out = s;
	return 0;
}

ssize_t sock_sendmsg(struct socket *s, struct msghdr *m, size_t len)
{
	TRACE_FN(&s->net->probe, 0);

	return s->ops->sendmsg ? s->ops->sendmsg(s, m, len) : -EOPNOTSUPP;
}

ssize_t sock_recvmsg(struct socket *s, struct msghdr *m, size_t len, int flags)
{
	TRACE_FN(&s->net->probe, 0);

	return s->ops->recvmsg ? s->ops->recvmsg(s, m, len, flags) : -EOPNOTSUPP;
}

static int socket_room_init(struct net *net)
{
	struct socket_net *sn = xcalloc(1, sizeof(*sn));
	int err;

	net->socks->room = sn;
	pool_init(&sn->file_pool, "file", sizeof(struct file), 32);
	pool_init(&sn->socket_pool, "socket", sizeof(struct socket_file), 32);
	eventpoll_pool_init(&sn->epitem_pool);
	rng_derive(&sn->rng, net->seed, net->name, "getrandom");
	net->task_close_files = files_close_all;
	err = vfs_net_init(net);
	if (!err)
		err = sock_owners_init(net);
	if (!err)
		err = af_packet_init(net);
	return err ? err : af_netlink_init(net);
}

/* All tasks are gone by now, and their descriptors with them. */
static void socket_room_exit(struct net *net)
{
	struct socket_net *sn = net->socks ? net->socks->room : NULL;

	if (!sn)
		return;
	af_netlink_exit(net);
	af_packet_exit(net);
	vfs_net_exit(net);
	pool_destroy(&sn->file_pool);
	pool_destroy(&sn->socket_pool);
	pool_destroy(&sn->epitem_pool);
	net->task_close_files = NULL;
	net->socks->room = NULL;
	free(sn);
}

const struct pernet_operations socket_net_ops = { "socket", socket_room_init, socket_room_exit };
