/* AF_INET sockets: socket(2) to a protocol, and the calls that all protocols share (socket(7), ip(7)).
 *
 *     sys_* -> sock_* -> inet_sendmsg, inet_bind, inet_stream_connect, ... -> sk->prot (TCP, UDP, raw, ping)
 *
 * Which protocol serves (type, protocol) is a table that each registers in (inet_protosw). Waiting for a connection
 * to be made is here; everything else that waits is the protocol's.
 * Tests: tests/unit/ipv4/test_loopback.c (S1-17, S1-20), test_udp.c. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include "ipv4/af_inet6.h"
#include "ipv4/netns_ipv4.h"
#include "tcp/tcp.h"

/* IPPROTO_MPTCP: numbers up to it are no protocol of ours, but no senseless ones either. */
#define INET_PROTO_LAST 262

enum { SHUT_RCV_ = 1, SHUT_SEND_ = 2 };

/* ---- making and ending ---- */

int inet_register_protosw(struct net *net, const struct inet_protosw *p)
{
	struct netns_ipv4 *ip = net->ipv4;

	if (ip->nr_protosw >= INET_PROTOSW_MAX)
		return -ENOSPC;
	ip->protosw[ip->nr_protosw++] = *p;
	return 0;
}

/* Protocol 0 means the first of the type; an entry for any protocol (raw) takes every number but 0. */
static const struct inet_protosw *protosw_find(struct net *net, int type, int protocol, int *err)
{
	const struct netns_ipv4 *ip = net->ipv4;

	*err = -ESOCKTNOSUPPORT;
	for (uint32_t i = 0; i < ip->nr_protosw; i++) {
		const struct inet_protosw *p = &ip->protosw[i];

		if (p->type != type)
			continue;
		*err = -EPROTONOSUPPORT;
		if (p->reuse_any ? protocol != 0 : protocol == 0 || protocol == p->protocol)
			return p;
	}
	return NULL;
}

void inet_sock_destruct(struct sock *sk)
{
	struct inet_sock *inet = inet_sk(sk);

	if (inet->cork && inet->cork->active)
		ip_flush_pending_frames(sk);
	free(inet->cork);
	inet->cork = NULL;
	free(inet->opt);
	inet->opt = NULL;
	free(inet6_of(sk));
	if (sk->rare)
		sk->rare->v6 = NULL;
}

static void inet_sock_defaults(struct sock *sk, int type, int protocol)
{
	struct inet_sock *inet = inet_sk(sk);
	struct net *net = sk->net;

	inet->is_icsk = type == SOCK_STREAM;
	inet->pmtudisc = net->ipv4->sysctl.ip_no_pmtu_disc ? IP_PMTUDISC_DONT : IP_PMTUDISC_WANT;
	inet->inet_id = (uint16_t)rng_below(&net->ipv4->rng_port, 65536);
	inet->uc_ttl = -1;
	inet->mc_ttl = 1;
	inet->mc_loop = true;
	inet->mc_all = true;
	list_init(&inet->mc_list);
	if (type == SOCK_RAW) {
		inet->num = (uint16_t)protocol;
		inet->hdrincl = protocol == IPPROTO_RAW;
	}
	sk->destruct = inet_sock_destruct;
	sk->protocol = (uint8_t)protocol;
}

/* What every protocol without states does at its end. */
void inet_common_release(struct sock *sk)
{
	sk_prot_destroy(sk);
	if (sk->prot->unhash)
		sk->prot->unhash(sk);
	sock_orphan(sk);
	sock_put(sk);
}

int inet_create(struct net *net, struct socket *sock, int protocol)
{
	const struct inet_protosw *p;
	struct sock *sk;
	int err;

	if (protocol < 0 || protocol > INET_PROTO_LAST || (protocol > 255 && sock->type == SOCK_RAW))
		return -EINVAL;
	p = protosw_find(net, sock->type, protocol, &err);
	if (!p)
		return err;
	if (!protocol)
		protocol = p->protocol;
	sk = sk_alloc(net, AF_INET, sock->type, protocol, p->prot);
	if (!sk)
		return -ENOBUFS;
	sock_init_data(sock, sk);
	inet_sock_defaults(sk, sock->type, protocol);
	sock->ops = p->ops;
	sk->reuse = p->reuse;
	err = 0;
	if (inet_sk(sk)->num) {
		inet_sk(sk)->sport = inet_sk(sk)->num;
		err = sk->prot->hash ? sk->prot->hash(sk) : 0;
	}
	if (!err && sk->prot->init)
		err = sk->prot->init(sk);
	if (err) {
		inet_common_release(sk);
		sock->sk = NULL;
	}
	return err;
}

static int inet_release(struct socket *sock)
{
	struct sock *sk = sock->sk;
	uint64_t timeout = 0;

	if (!sk)
		return 0;
	ip_mc_drop_socket(sk);
	if (sock_flag(sk, SOCK_F_LINGER))
		timeout = sk->lingertime_ns;
	sk->prot->close(sk, timeout);
	sock->sk = NULL;
	return 0;
}

/* ---- names ---- */

void inet_get_local_port_range(struct net *net, uint16_t *low, uint16_t *high)
{
	*low = (uint16_t)net->ipv4->sysctl.ip_local_port_range[0];
	*high = (uint16_t)net->ipv4->sysctl.ip_local_port_range[1];
}

/* The host's range, or what the socket says inside of it (IP_LOCAL_PORT_RANGE). */
void inet_sk_get_local_port_range(const struct sock *sk, uint16_t *low, uint16_t *high)
{
	const struct inet_sock *inet = inet_sk(sk);
	uint16_t lo, hi;

	inet_get_local_port_range(sk->net, low, high);
	lo = *low;
	hi = *high;
	if (inet->port_low >= lo && inet->port_low <= hi)
		*low = inet->port_low;
	if (inet->port_high >= lo && inet->port_high <= hi)
		*high = inet->port_high;
}

bool inet_port_requires_bind_service(struct net *net, uint16_t port)
{
	return port < net->ipv4->sysctl.ip_unprivileged_port_start;
}

bool inet_is_local_reserved_port(struct net *net, uint16_t port)
{
	const struct ipv4_sysctl *s = &net->ipv4->sysctl;

	for (uint32_t i = 0; i < s->nr_reserved_ports; i++) {
		if (port >= s->reserved_ports[i].low && port <= s->reserved_ports[i].high)
			return true;
	}
	return false;
}

int inet_autobind(struct sock *sk)
{
	struct inet_sock *inet = inet_sk(sk);

	if (inet->num || !sk->prot->get_port)
		return 0;
	if (sk->prot->get_port(sk, 0))
		return -EAGAIN;
	inet->sport = inet->num;
	return 0;
}

/* May a socket be bound to this address? Its class goes to *type. */
static int bind_addr_check(const struct sock *sk, uint32_t addr, unsigned *type)
{
	const struct inet_sock *inet = inet_sk(sk);
	struct net *net = sk->net;

	*type = addr ? inet_addr_type(net, addr) : RTN_LOCAL;
	if (!addr || *type == RTN_LOCAL || *type == RTN_MULTICAST || *type == RTN_BROADCAST || inet->freebind ||
	    inet->transparent || net->ipv4->sysctl.ip_nonlocal_bind)
		return 0;
	return -EADDRNOTAVAIL;
}

static int inet_bind(struct socket *sock, struct sockaddr *a, socklen_t len)
{
	struct sock *sk = sock->sk;
	struct inet_sock *inet = inet_sk(sk);
	const struct sockaddr_in *sin = (const struct sockaddr_in *)(const void *)a;
	uint32_t addr;
	uint16_t snum;
	unsigned type;
	int err;

	if (sk->prot->bind)
		return sk->prot->bind(sk, a, len);
	if (len < sizeof(*sin))
		return -EINVAL;
	addr = ntohl(sin->sin_addr.s_addr);
	if (sin->sin_family != AF_INET && (sin->sin_family != AF_UNSPEC || addr))
		return -EAFNOSUPPORT;
	err = bind_addr_check(sk, addr, &type);
	if (err)
		return err;
	snum = ntohs(sin->sin_port);
	if (snum && sk->uid && inet_port_requires_bind_service(sk->net, snum))
		return -EACCES;
	if (sk->state != TCP_CLOSE || inet->num)
		return -EINVAL;
	inet->rcv_saddr = inet->saddr = addr;
	if (type == RTN_MULTICAST || type == RTN_BROADCAST)
		inet->saddr = 0; /* received there, never sent from (RFC 1122 3.2.1.3) */
	if ((snum || !inet->bind_address_no_port) && sk->prot->get_port(sk, snum)) {
		inet->saddr = inet->rcv_saddr = 0;
		return -EADDRINUSE;
	}
	sk->userlocks |= (uint8_t)((addr ? 4 : 0) | (snum ? 8 : 0));
	inet->sport = inet->num;
	inet->daddr = 0;
	inet->dport = 0;
	sk_dst_reset(sk);
	return 0;
}

static int inet_getname(struct socket *sock, struct sockaddr *a, int peer)
{
	const struct sock *sk = sock->sk;
	const struct inet_sock *inet = inet_sk(sk);
	struct sockaddr_in sin = { .sin_family = AF_INET };

	if (peer) {
		/* accept() asks with 2: it tells whose connection that was, even if it has been reset since. */
		if (!inet->dport || (peer == 1 && (sk->state == TCP_CLOSE || sk->state == TCP_SYN_SENT)))
			return -ENOTCONN;
		sin.sin_port = htons(inet->dport);
		sin.sin_addr.s_addr = htonl(inet->daddr);
	} else {
		sin.sin_port = htons(inet->sport);
		sin.sin_addr.s_addr = htonl(inet->rcv_saddr ? inet->rcv_saddr : inet->saddr);
	}
	memcpy(a, &sin, sizeof(sin));
	return (int)sizeof(sin);
}

/* ---- connecting ---- */

static int inet_dgram_connect(struct socket *sock, struct sockaddr *a, socklen_t len, int flags)
{
	struct sock *sk = sock->sk;
	int err;

	if (len < sizeof(a->sa_family))
		return -EINVAL;
	if (a->sa_family == AF_UNSPEC)
		return sk->prot->disconnect ? sk->prot->disconnect(sk, flags) : -EOPNOTSUPP;
	if (sk->prot->pre_connect) {
		err = sk->prot->pre_connect(sk, a, len);
		if (err)
			return err;
	}
	err = inet_autobind(sk);
	if (err)
		return err;
	return sk->prot->connect ? sk->prot->connect(sk, a, len) : -EOPNOTSUPP;
}

/* Until the handshake is over, one way or the other. 0, -EINPROGRESS (time is up, or this task cannot sleep),
 * -EINTR. */
static int inet_wait_for_connect(struct sock *sk, uint64_t deadline)
{
	while (sk->state == TCP_SYN_SENT || sk->state == TCP_SYN_RECV) {
		int err = wait_on(sk->net, sk->wq, deadline);

		if (err)
			return err == -EINTR ? err : -EINPROGRESS;
	}
	return 0;
}

static int connect_start(struct socket *sock, struct sockaddr *a, socklen_t len)
{
	struct sock *sk = sock->sk;
	int err;

	switch (sock->state) {
	case SS_CONNECTED_:
		return -EISCONN;
	case SS_CONNECTING_:
		return inet_sk(sk)->defer_connect ? -EISCONN : -EALREADY;
	case SS_UNCONNECTED_:
		break;
	default:
		return -EINVAL;
	}
	if (sk->state != TCP_CLOSE)
		return -EISCONN;
	if (sk->prot->pre_connect) {
		err = sk->prot->pre_connect(sk, a, len);
		if (err)
			return err;
	}
	err = sk->prot->connect(sk, a, len);
	if (err < 0)
		return err;
	sock->state = SS_CONNECTING_;
	return -EINPROGRESS;
}

static int __inet_stream_connect(struct socket *sock, struct sockaddr *a, socklen_t len, int flags)
{
	struct sock *sk = sock->sk;
	TRACE_FN(&sk->net->probe, 0);
	bool noblock = (flags & O_NONBLOCK) != 0 || sock->nonblock;
	int err;

	if (len < sizeof(a->sa_family))
		return -EINVAL;
	if (a->sa_family == AF_UNSPEC) {
		err = sk->prot->disconnect(sk, flags);
		sock->state = err ? SS_DISCONNECTING_ : SS_UNCONNECTED_;
		return err;
	}
	err = connect_start(sock, a, len);
	if (err != -EINPROGRESS && err != -EALREADY)
		return err;
	if (inet_sk(sk)->defer_connect)
		return 0;
	/* Who does not wait is told so even if the answer came by lo within the call: it shows in poll. */
	if (noblock && err == -EINPROGRESS)
		return err;
	if (sk->state == TCP_SYN_SENT || sk->state == TCP_SYN_RECV) {
		int w;

		if (noblock)
			return err;
		w = inet_wait_for_connect(sk, sock_deadline(sk->net->now_ns, sk->sndtimeo_ns, false));
		if (w)
			return w == -EINPROGRESS ? err : w; /* who asked again while it was under way is told that */
	}
	if (sk->state == TCP_CLOSE) {
		err = sock_error(sk);
		sock->state = sk->prot->disconnect(sk, flags) ? SS_DISCONNECTING_ : SS_UNCONNECTED_;
		return err ? err : -ECONNABORTED;
	}
	sock->state = SS_CONNECTED_;
	return 0;
}

static int inet_stream_connect(struct socket *sock, struct sockaddr *a, socklen_t len, int flags)
{
	TRACE_FN(&sock->net->probe, 0);

	return __inet_stream_connect(sock, a, len, flags);
}

static int inet_listen(struct socket *sock, int backlog)
{
	struct sock *sk = sock->sk;

	if (sock->state != SS_UNCONNECTED_ || sock->type != SOCK_STREAM)
		return -EINVAL;
	if (sk->state != TCP_CLOSE && sk->state != TCP_LISTEN)
		return -EINVAL;
	return inet_csk_listen_start(sk, backlog);
}

static int inet_accept(struct socket *sock, struct socket *newsock, int flags)
{
	struct sock *lsk = sock->sk, *sk;
	int err = -EINVAL;

	if (!lsk->prot->accept)
		return -EOPNOTSUPP;
	sk = lsk->prot->accept(lsk, flags, &err);
	if (!sk)
		return err;
	if (!inet_sk(sk)->mc_list.next)
		list_init(&inet_sk(sk)->mc_list);
	newsock->ops = sock->ops;
	newsock->type = sock->type;
	sock_graft(sk, newsock);
	newsock->state = SS_CONNECTED_;
	return 0;
}

static int inet_shutdown(struct socket *sock, int how)
{
	struct sock *sk = sock->sk;
	int err = 0;

	how++; /* SHUT_RD 0, SHUT_WR 1, SHUT_RDWR 2 as bits */
	if (how < SHUT_RCV_ || how > (SHUT_RCV_ | SHUT_SEND_))
		return -EINVAL;
	if (sock->state == SS_CONNECTING_)
		sock->state = sk->state == TCP_SYN_SENT || sk->state == TCP_SYN_RECV || sk->state == TCP_CLOSE ? SS_DISCONNECTING_ :
													    SS_CONNECTED_;
	switch (sk->state) {
	case TCP_CLOSE:
		err = -ENOTCONN; /* and yet poll must say HUP */
		/* fallthrough */
	default:
		sk->shutdown |= (uint8_t)how;
		if (sk->prot->shutdown)
			sk->prot->shutdown(sk, how);
		break;
	case TCP_LISTEN:
		if (!(how & SHUT_RCV_))
			break;
		/* fallthrough */
	case TCP_SYN_SENT:
		err = sk->prot->disconnect(sk, 0);
		sock->state = err ? SS_DISCONNECTING_ : SS_UNCONNECTED_;
		break;
	}
	sk->state_change(sk);
	return err;
}

/* ---- data and the rest ---- */

static ssize_t inet_sendmsg(struct socket *sock, struct msghdr *m, size_t len)
{
	struct sock *sk = sock->sk;
	TRACE_FN(&sk->net->probe, 0);

	/* TCP binds when it connects. */
	if (!inet_sk(sk)->num && !inet_sk(sk)->is_icsk && inet_autobind(sk))
		return -EAGAIN;
	return sk->prot->sendmsg(sk, m, len);
}

static ssize_t inet_recvmsg(struct socket *sock, struct msghdr *m, size_t len, int flags)
{
	struct sock *sk = sock->sk;
	TRACE_FN(&sk->net->probe, 0);
	socklen_t addr_len = 0;
	ssize_t r;

	/* A stream's queue of errors is IP's; the others look after their own. */
	if ((flags & MSG_ERRQUEUE) && sk->type == SOCK_STREAM)
		r = ip_recv_error(sk, m, len, &addr_len);
	else
		r = sk->prot->recvmsg(sk, m, len, flags, &addr_len);
	if (r >= 0)
		m->msg_namelen = addr_len;
	return r;
}

static int inet_ioctl(struct socket *sock, unsigned long cmd, void *arg)
{
	struct sock *sk = sock->sk;
	int r = devinet_ioctl(sk->net, cmd, arg);

	if (r != -ENOTTY)
		return r;
	return sk->prot->ioctl ? sk->prot->ioctl(sk, cmd, arg) : -ENOTTY;
}

static int inet_setsockopt(struct socket *sock, int level, int name, const void *val, socklen_t len)
{
	struct sock *sk = sock->sk;

	if (level == SOL_SOCKET)
		return sock_setsockopt(sk, name, val, len);
	return sk->prot->setsockopt(sk, level, name, val, len);
}

static int inet_getsockopt(struct socket *sock, int level, int name, void *val, socklen_t *len)
{
	struct sock *sk = sock->sk;

	if (level == SOL_SOCKET)
		return sock_getsockopt(sk, name, val, len);
	return sk->prot->getsockopt(sk, level, name, val, len);
}

static int no_accept(struct socket *sock, struct socket *newsock, int flags)
{
	return -EOPNOTSUPP;
}

static int no_listen(struct socket *sock, int backlog)
{
	return -EOPNOTSUPP;
}

int inet_sk_rebuild_header(struct sock *sk)
{
	struct inet_sock *inet = inet_sk(sk);
	uint32_t daddr = inet->opt && inet->opt->opt.srr ? inet->opt->opt.faddr : inet->daddr;
	struct flowi4 fl4;
	struct rtable *rt;
	int err;

	if (__sk_dst_check(sk, 0))
		return 0;
	rt = ip_route_output_ports(sk->net, &fl4, sk, daddr, inet->saddr, inet->dport, inet->sport, sk->protocol, inet->tos,
				   sk->bound_dev_if, &err);
	if (!rt) {
		sk->err_soft = -err;
		return err;
	}
	sk_setup_caps(sk, &rt->dst);
	return 0;
}

const struct proto_ops inet_stream_ops = {
	.family = AF_INET,
	.release = inet_release,
	.bind = inet_bind,
	.connect = inet_stream_connect,
	.accept = inet_accept,
	.getname = inet_getname,
	.poll = tcp_poll,
	.ioctl = inet_ioctl,
	.listen = inet_listen,
	.shutdown = inet_shutdown,
	.setsockopt = inet_setsockopt,
	.getsockopt = inet_getsockopt,
	.sendmsg = inet_sendmsg,
	.recvmsg = inet_recvmsg,
};

const struct proto_ops inet_dgram_ops = {
	.family = AF_INET,
	.release = inet_release,
	.bind = inet_bind,
	.connect = inet_dgram_connect,
	.accept = no_accept,
	.getname = inet_getname,
	.poll = datagram_poll,
	.ioctl = inet_ioctl,
	.listen = no_listen,
	.shutdown = inet_shutdown,
	.setsockopt = inet_setsockopt,
	.getsockopt = inet_getsockopt,
	.sendmsg = inet_sendmsg,
	.recvmsg = inet_recvmsg,
};

const struct proto_ops inet_sockraw_ops = {
	.family = AF_INET,
	.release = inet_release,
	.bind = inet_bind,
	.connect = inet_dgram_connect,
	.accept = no_accept,
	.getname = inet_getname,
	.poll = datagram_poll,
	.ioctl = inet_ioctl,
	.listen = no_listen,
	.shutdown = inet_shutdown,
	.setsockopt = inet_setsockopt,
	.getsockopt = inet_getsockopt,
	.sendmsg = inet_sendmsg,
	.recvmsg = inet_recvmsg,
};

int af_inet_init(struct net *net)
{
	static const struct net_proto_family inet_family = { .family = AF_INET, .create = inet_create };

	return sock_register(net, &inet_family);
}
