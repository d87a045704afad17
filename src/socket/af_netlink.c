/* AF_NETLINK (netlink(7)): the socket through which programs ask and change the stack's state.
 *
 *     sendmsg: whole requests --> rtnl_receive (core/rtnl.c): answered at once, on the spot
 *     recvmsg: the answers, in datagrams of whole messages of at most NETLINK_CHUNK octets (one message may be
 *              longer); a dump is thus read with as many calls as it needs, all of one moment's state
 *
 * Decides: port numbers, cutting of answers, what happens when nobody reads them (the socket's error is
 * ENOBUFS once more than NETLINK_MAX_REPLIES wait). There are no multicast groups.
 * Called by: programs. Hands on: core/rtnl.c. Tests: tests/unit/socket/test_af_netlink.c. */
#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include "core/procfs.h"
#include "core/rtnl.h"
#include "socket/file.h"

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif
#define NETLINK_CHUNK 8192u
#define NETLINK_MAX_REPLIES 64u
/* Longest request buffer: what a send buffer may hold. */
#define NETLINK_MAX_REQUEST SOCK_SNDBUF_DEFAULT

struct netlink_reply {
	struct list_head list;
	struct strbuf buf;
	size_t off; /* already read */
};

struct netlink_sock {
	struct sock sk; /* first */
	struct list_head node; /* netlink_net->socks */
	struct list_head replies;
	uint32_t nr_replies;
	uint32_t portid; /* 0: not bound yet */
};

struct netlink_net {
	struct pool pool;
	struct list_head socks;
};

static struct netlink_sock *nlk_sk(struct sock *sk)
{
	return (struct netlink_sock *)(void *)sk;
}

static struct pool *netlink_pool(struct net *net)
{
	return &socket_net(net)->netlink->pool;
}

static const struct proto netlink_proto = {
	.name = "NETLINK",
	.obj_size = sizeof(struct netlink_sock),
	.pool = netlink_pool,
};

/* ---- ports ---- */

static bool netlink_port_used(struct net *net, uint8_t protocol, uint32_t portid)
{
	const struct netlink_sock *nl;

	list_for_each_entry(nl, &socket_net(net)->netlink->socks, node)
		if (nl->sk.protocol == protocol && nl->portid == portid)
			return true;
	return false;
}

/* The process number if it is free, else counting down from the top, as Linux chooses. */
static void netlink_autobind(struct netlink_sock *nl)
{
	struct net *net = nl->sk.net;
	uint32_t port = net->current ? net->current->pid : 0;

	if (nl->portid)
		return;
	if (!port || netlink_port_used(net, nl->sk.protocol, port))
		for (port = (uint32_t)-4097; netlink_port_used(net, nl->sk.protocol, port); port--)
			;
	nl->portid = port;
}

static int netlink_bind(struct socket *s, struct sockaddr *a, socklen_t len)
{
	const struct sockaddr_nl *sn = (const void *)a;
	struct netlink_sock *nl = nlk_sk(s->sk);

	if (len < sizeof(*sn) || sn->nl_family != AF_NETLINK)
		return -EINVAL;
	if (sn->nl_groups)
		return -EOPNOTSUPP;
	if (nl->portid)
		return sn->nl_pid == nl->portid ? 0 : -EINVAL;
	if (sn->nl_pid && netlink_port_used(s->net, nl->sk.protocol, sn->nl_pid))
		return -EADDRINUSE;
	nl->portid = sn->nl_pid;
	netlink_autobind(nl);
	return 0;
}

/* Only the kernel (port 0) answers. */
static int netlink_check_dest(const void *a, socklen_t len)
{
	const struct sockaddr_nl *sn = a;

	if (len < sizeof(*sn) || sn->nl_family != AF_NETLINK)
		return -EINVAL;
	return sn->nl_pid || sn->nl_groups ? -ECONNREFUSED : 0;
}

static int netlink_connect(struct socket *s, struct sockaddr *a, socklen_t len, int flags)
{
	int err;

	if (len >= sizeof(a->sa_family) && a->sa_family == AF_UNSPEC)
		return 0;
	err = netlink_check_dest(a, len);
	if (!err)
		netlink_autobind(nlk_sk(s->sk));
	return err;
}

static int netlink_getname(struct socket *s, struct sockaddr *a, int peer)
{
	struct sockaddr_nl *sn = (void *)a;

	memset(sn, 0, sizeof(*sn));
	sn->nl_family = AF_NETLINK;
	sn->nl_pid = peer ? 0 : nlk_sk(s->sk)->portid;
	return sizeof(*sn);
}

/* ---- questions and answers ---- */

static void netlink_queue(struct netlink_sock *nl, struct nl_reply *r)
{
	struct netlink_reply *rep;

	if (!r->buf.len) {
		sb_free(&r->buf);
		return;
	}
	if (nl->nr_replies == NETLINK_MAX_REPLIES) {
		sb_free(&r->buf);
		nl->sk.drops++;
		nl->sk.err = ENOBUFS;
		nl->sk.error_report(&nl->sk);
		return;
	}
	rep = xcalloc(1, sizeof(*rep));
	rep->buf = r->buf;
	list_add_tail(&rep->list, &nl->replies);
	nl->nr_replies++;
	nl->sk.data_ready(&nl->sk);
}

static ssize_t netlink_sendmsg(struct socket *s, struct msghdr *m, size_t len)
{
	struct netlink_sock *nl = nlk_sk(s->sk);
	struct nl_reply r = { 0 };
	struct iov_iter it;
	uint8_t *buf;
	int err = m->msg_name ? netlink_check_dest(m->msg_name, m->msg_namelen) : 0;

	TRACE_FN(&s->net->probe, 0);
	if (m->msg_flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (err)
		return err;
	if (len > NETLINK_MAX_REQUEST)
		return -EMSGSIZE;
	netlink_autobind(nl);
	buf = xcalloc(1, len + 1);
	iov_iter_init(&it, m->msg_iov, m->msg_iovlen);
	copy_from_iter(buf, len, &it);
	sb_init(&r.buf);
	r.portid = nl->portid;
	rtnl_receive(s->net, nl->sk.protocol, buf, len, &r);
	free(buf);
	netlink_queue(nl, &r);
	return (ssize_t)len;
}

static struct netlink_reply *netlink_first(struct netlink_sock *nl)
{
	return list_empty(&nl->replies) ? NULL : list_first_entry(&nl->replies, struct netlink_reply, list);
}

static void netlink_drop_reply(struct netlink_sock *nl, struct netlink_reply *rep)
{
	list_del_init(&rep->list);
	nl->nr_replies--;
	sb_free(&rep->buf);
	free(rep);
}

/* Octets of the next datagram: whole messages, at least one. */
static size_t netlink_chunk(const struct netlink_reply *rep)
{
	size_t n = 0, left = rep->buf.len - rep->off;

	while (left - n >= sizeof(struct nlmsghdr)) {
		struct nlmsghdr h;
		size_t mlen;

		memcpy(&h, rep->buf.buf + rep->off + n, sizeof(h));
		mlen = min_sz(NLMSG_ALIGN((size_t)h.nlmsg_len), left - n);
		if (n && n + mlen > NETLINK_CHUNK)
			break;
		n += mlen;
	}
	return n ? n : left;
}

static int netlink_wait(struct netlink_sock *nl, int flags)
{
	struct sock *sk = &nl->sk;
	bool noblock = (flags & MSG_DONTWAIT) != 0;
	uint64_t deadline = sock_deadline(sk->net->now_ns, sk->rcvtimeo_ns, noblock);

	for (;;) {
		int err = sock_error(sk);

		if (err)
			return err;
		if (netlink_first(nl))
			return 0;
		if (noblock)
			return -EAGAIN;
		err = wait_on(sk->net, sk->wq, deadline);
		if (err)
			return err == -ETIMEDOUT ? -EAGAIN : err;
	}
}

static ssize_t netlink_recvmsg(struct socket *s, struct msghdr *m, size_t len, int flags)
{
	struct netlink_sock *nl = nlk_sk(s->sk);
	struct netlink_reply *rep;
	struct iov_iter it;
	size_t chunk, copied;
	int err;

	TRACE_FN(&s->net->probe, 0);
	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	err = netlink_wait(nl, flags);
	if (err)
		return err;
	rep = netlink_first(nl);
	chunk = netlink_chunk(rep);
	copied = min_sz(len, chunk);
	iov_iter_init(&it, m->msg_iov, m->msg_iovlen);
	copy_to_iter(rep->buf.buf + rep->off, copied, &it);
	if (copied < chunk)
		m->msg_flags |= MSG_TRUNC;
	if (m->msg_name) {
		const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

		memcpy(m->msg_name, &kernel, sizeof(kernel));
		m->msg_namelen = sizeof(kernel);
	}
	if (!(flags & MSG_PEEK)) {
		rep->off += chunk;
		if (rep->off >= rep->buf.len)
			netlink_drop_reply(nl, rep);
	}
	return (ssize_t)(flags & MSG_TRUNC ? chunk : copied);
}

static uint32_t netlink_poll(struct socket *s)
{
	const struct netlink_sock *nl = nlk_sk(s->sk);

	return POLLOUT | POLLWRNORM | (list_empty(&nl->replies) ? 0u : POLLIN | POLLRDNORM) |
	       (nl->sk.err ? POLLERR : 0u);
}

/* Requests about the form of answers; ours have that form already. */
static int netlink_setsockopt(struct socket *s, int level, int name, const void *val, socklen_t len)
{
	if (level != SOL_NETLINK || len < sizeof(int))
		return level == SOL_NETLINK ? -EINVAL : -ENOPROTOOPT;
	return name == NETLINK_EXT_ACK || name == NETLINK_CAP_ACK || name == NETLINK_GET_STRICT_CHK
		       ? 0
		       : -ENOPROTOOPT;
}

static int netlink_release(struct socket *s)
{
	struct sock *sk = s->sk;
	struct netlink_sock *nl;

	if (!sk)
		return 0;
	nl = nlk_sk(sk);
	while (netlink_first(nl))
		netlink_drop_reply(nl, netlink_first(nl));
	list_del_init(&nl->node);
	sock_orphan(sk);
	s->sk = NULL;
	sock_put(sk);
	return 0;
}

static const struct proto_ops netlink_ops = {
	.family = AF_NETLINK,
	.release = netlink_release,
	.bind = netlink_bind,
	.connect = netlink_connect,
	.getname = netlink_getname,
	.poll = netlink_poll,
	.setsockopt = netlink_setsockopt,
	.sendmsg = netlink_sendmsg,
	.recvmsg = netlink_recvmsg,
};

static int netlink_create(struct net *net, struct socket *s, int protocol)
{
	struct netlink_sock *nl;
	struct sock *sk;

	if (s->type != SOCK_RAW && s->type != SOCK_DGRAM)
		return -ESOCKTNOSUPPORT;
	if (protocol != NETLINK_ROUTE && protocol != NETLINK_SOCK_DIAG && protocol != NETLINK_GENERIC)
		return -EPROTONOSUPPORT;
	sk = sk_alloc(net, AF_NETLINK, s->type, protocol, &netlink_proto);
	if (!sk)
		return -ENOBUFS;
	s->ops = &netlink_ops;
	sock_init_data(s, sk);
	nl = nlk_sk(sk);
	list_init(&nl->replies);
	list_add_tail(&nl->node, &socket_net(net)->netlink->socks);
	return 0;
}

static const struct net_proto_family netlink_family = { AF_NETLINK, netlink_create };

static void netlink_proc_show(struct net *net, struct strbuf *out)
{
	const struct netlink_sock *nl;

	sb_puts(out, "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n");
	list_for_each_entry(nl, &socket_net(net)->netlink->socks, node)
		sb_printf(out, "%016x %-3d %-10u %08x %-8d %-8d %-5d %-8d %-8u %-8llu\n", 0, nl->sk.protocol,
			  nl->portid, 0, nl->sk.rmem_alloc, nl->sk.wmem_alloc, 0, nl->sk.refcnt,
			  nl->sk.drops, (unsigned long long)nl->sk.ino);
}

int af_netlink_init(struct net *net)
{
	struct netlink_net *nn = xcalloc(1, sizeof(*nn));
	int err;

	socket_net(net)->netlink = nn;
	pool_init(&nn->pool, "netlink_sock", sizeof(struct netlink_sock), 8);
	list_init(&nn->socks);
	err = proc_create_single(net, "net/netlink", netlink_proc_show);
	return err ? err : sock_register(net, &netlink_family);
}

void af_netlink_exit(struct net *net)
{
	struct netlink_net *nn = socket_net(net)->netlink;

	if (!nn)
		return;
	pool_destroy(&nn->pool);
	free(nn);
	socket_net(net)->netlink = NULL;
}
