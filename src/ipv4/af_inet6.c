/* AF_INET6 sockets that speak IPv4: addresses are ::ffff:192.0.2.1, or :: for any (RFC 3493 3.7). IPv6 itself is not here: what
 * would need it is answered as by a Linux host that has no IPv6 address.
 *
 *     AF_INET6 call -> here: sockaddr_in6 to sockaddr_in -> the AF_INET call (af_inet.c) -> back again
 *
 * Decides: which IPv6 addresses mean IPv4 ones, what IPV6_V6ONLY forbids, with which errno. TCP and UDP only. The socket below is an
 * AF_INET one with a struct inet6_opts; options of level SOL_IPV6 are af_inet6_opt.c's. Called by socket.c through proto_ops.
 * Tests: tests/unit/ipv4/test_inet6.c; each call beside a Linux kernel's in tests/kernel/syscalls.txt (v6-...). */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include "ipv4/af_inet6.h"
#include "ipv4/netns_ipv4.h"
#include "tcp/tcp.h"

#define SIN6_LEN_RFC2133 24 /* without the scope, as it once was */
/* Where IPV6_V6ONLY puts a socket that is bound to "::": no IPv4 packet is ever for this address (RFC 1122 3.2.1.3). */
#define V6ONLY_PLACE 0x00000001u

/* ---- addresses ---- */

enum v6_kind { V6_ANY, V6_MAPPED, V6_LINKLOCAL, V6_MULTICAST, V6_OTHER };

static enum v6_kind kind_of(const struct in6_addr *a)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	static const uint8_t any[16];

	if (!memcmp(a, any, sizeof(any)))
		return V6_ANY;
	if (!memcmp(a, mapped, sizeof(mapped)))
		return V6_MAPPED;
	if (a->s6_addr[0] == 0xff)
		return V6_MULTICAST;
	return a->s6_addr[0] == 0xfe && (a->s6_addr[1] & 0xc0) == 0x80 ? V6_LINKLOCAL : V6_OTHER;
}

static struct sockaddr_in to_in(const struct sockaddr_in6 *a)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = a->sin6_port };

	memcpy(&sin.sin_addr, a->sin6_addr.s6_addr + 12, 4);
	return sin;
}

void inet6_map(struct sockaddr_in6 *out, const struct sockaddr_in *sin, bool any_is_v6)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = sin->sin_port };

	if (sin->sin_addr.s_addr || !any_is_v6) {
		a.sin6_addr.s6_addr[10] = a.sin6_addr.s6_addr[11] = 0xff;
		memcpy(a.sin6_addr.s6_addr + 12, &sin->sin_addr, 4);
	}
	memcpy(out, &a, sizeof(a));
}

/* Why an address that is not IPv4's cannot be spoken to. */
static int unreachable(const struct sock *sk, enum v6_kind kind, bool connecting)
{
	bool stream = sk->type == SOCK_STREAM;

	if (connecting && kind == V6_LINKLOCAL)
		return -EINVAL; /* on which link? */
	if (connecting && kind == V6_MULTICAST)
		return stream ? -ENETUNREACH : -EINVAL;
	return inet_sk(sk)->rcv_saddr ? -ENETUNREACH : -EADDRNOTAVAIL;
}

/* The IPv4 address that a peer's address means. 0 or -errno. */
static int peer_of(const struct sock *sk, const struct sockaddr_in6 *a, struct sockaddr_in *sin, bool connecting)
{
	enum v6_kind kind = kind_of(&a->sin6_addr);

	*sin = to_in(a);
	if (kind == V6_MAPPED)
		return inet6_of(sk)->v6only ? -ENETUNREACH : 0;
	if (kind != V6_ANY || !inet_sk(sk)->rcv_saddr || inet6_of(sk)->v6only)
		return unreachable(sk, kind, connecting);
	sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK); /* "::" of a socket that is IPv4's: this host */
	return 0;
}

/* ---- making and ending ---- */

static int inet6_create(struct net *net, struct socket *sock, int protocol)
{
	const struct proto_ops *below = sock->type == SOCK_STREAM ? &inet_stream_ops : &inet_dgram_ops;
	int err;

	if (protocol < 0 || protocol > 262 /* IPPROTO_MPTCP */)
		return -EINVAL;
	if (sock->type != SOCK_STREAM && sock->type != SOCK_DGRAM)
		return sock->type == SOCK_RAW ? -EPROTONOSUPPORT : -ESOCKTNOSUPPORT;
	if (protocol && protocol != (sock->type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP))
		return -EPROTONOSUPPORT;
	err = inet_create(net, sock, protocol);
	if (err)
		return err;
	sock_rare(sock->sk)->v6 = inet6_opts_new();
	sock->ops = below == &inet_stream_ops ? &inet6_stream_ops : &inet6_dgram_ops;
	return 0;
}

static int inet6_release(struct socket *sock)
{
	return inet_stream_ops.release(sock);
}

/* ---- names ---- */

static int bind_v6only(struct socket *sock, struct sockaddr_in *sin)
{
	struct inet_sock *inet = inet_sk(sock->sk);
	bool was = inet->freebind;
	int err;

	sin->sin_addr.s_addr = htonl(V6ONLY_PLACE);
	inet->freebind = true;
	err = inet_stream_ops.bind(sock, (struct sockaddr *)(void *)sin, sizeof(*sin));
	inet->freebind = was;
	return err;
}

static int inet6_bind(struct socket *sock, struct sockaddr *addr, socklen_t len)
{
	const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)(const void *)addr;
	struct inet_sock *inet = inet_sk(sock->sk);
	struct sockaddr_in sin;
	enum v6_kind kind;
	int err;

	if (len < SIN6_LEN_RFC2133)
		return -EINVAL;
	if (a->sin6_family != AF_INET6)
		return -EAFNOSUPPORT;
	kind = kind_of(&a->sin6_addr);
	if (kind == V6_MULTICAST || kind == V6_LINKLOCAL)
		return -EINVAL;
	if (kind == V6_OTHER)
		return inet->num ? -EINVAL : -EADDRNOTAVAIL;
	if (kind == V6_MAPPED && inet6_of(sock->sk)->v6only)
		return -EINVAL;
	sin = to_in(a);
	if (inet6_of(sock->sk)->v6only)
		return bind_v6only(sock, &sin);
	err = inet_stream_ops.bind(sock, (struct sockaddr *)(void *)&sin, sizeof(sin));
	if (!err)
		inet6_of(sock->sk)->any4 = kind == V6_MAPPED && !sin.sin_addr.s_addr;
	return err;
}

static int inet6_getname(struct socket *sock, struct sockaddr *addr, int peer)
{
	const struct inet6_opts *v6 = inet6_of(sock->sk);
	struct sockaddr_in6 a;
	struct sockaddr_in sin;
	int r = inet_stream_ops.getname(sock, (struct sockaddr *)(void *)&sin, peer);

	if (r < 0)
		return r;
	if (v6->v6only && ntohl(sin.sin_addr.s_addr) == V6ONLY_PLACE)
		sin.sin_addr.s_addr = 0;
	inet6_map(&a, &sin, !v6->any4);
	memcpy(addr, &a, sizeof(a));
	return (int)sizeof(a);
}

/* ---- connecting ---- */

static int inet6_connect(struct socket *sock, const struct proto_ops *below, struct sockaddr *addr, socklen_t len, int flags)
{
	const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)(const void *)addr;
	bool stream = sock->type == SOCK_STREAM;
	struct sockaddr_in sin;
	int err;

	if (len < sizeof(addr->sa_family) || addr->sa_family == AF_UNSPEC)
		return below->connect(sock, addr, len, flags);
	/* A connection that is there or on its way says so, whatever the address. */
	if (stream && (sock->state != SS_UNCONNECTED_ || sock->sk->state != TCP_CLOSE)) {
		sin = to_in(a);
		return below->connect(sock, (struct sockaddr *)(void *)&sin, sizeof(sin), flags);
	}
	if (!stream && addr->sa_family == AF_INET)
		return inet6_of(sock->sk)->v6only ? -EAFNOSUPPORT : below->connect(sock, addr, len, flags);
	if (len < SIN6_LEN_RFC2133)
		return -EINVAL;
	if (a->sin6_family != AF_INET6)
		return -EAFNOSUPPORT;
	err = peer_of(sock->sk, a, &sin, true);
	return err ? err : below->connect(sock, (struct sockaddr *)(void *)&sin, sizeof(sin), flags);
}

static int inet6_stream_connect(struct socket *sock, struct sockaddr *addr, socklen_t len, int flags)
{
	return inet6_connect(sock, &inet_stream_ops, addr, len, flags);
}

static int inet6_dgram_connect(struct socket *sock, struct sockaddr *addr, socklen_t len, int flags)
{
	return inet6_connect(sock, &inet_dgram_ops, addr, len, flags);
}

/* A connection has its listener's family and options. */
static int inet6_accept(struct socket *sock, struct socket *newsock, int flags)
{
	int err = inet_stream_ops.accept(sock, newsock, flags);

	if (err)
		return err;
	sock_rare(newsock->sk)->v6 = inet6_opts_new();
	*inet6_of(newsock->sk) = *inet6_of(sock->sk);
	return 0;
}

/* ---- data ---- */

static ssize_t send_to(struct socket *sock, struct msghdr *m, size_t len, const struct sockaddr_in *sin)
{
	struct msghdr in = *m;
	ssize_t r;

	in.msg_name = sin ? (void *)(uintptr_t)sin : NULL;
	in.msg_namelen = sin ? sizeof(*sin) : 0;
	r = inet_stream_ops.sendmsg(sock, &in, len);
	m->msg_flags = in.msg_flags;
	return r;
}

/* A stream looks at a name only where it makes it connect (MSG_FASTOPEN): by inet6_stream_connect. */
static ssize_t inet6_stream_sendmsg(struct socket *sock, struct msghdr *m, size_t len)
{
	return inet_stream_ops.sendmsg(sock, m, len);
}

static ssize_t inet6_dgram_sendmsg(struct socket *sock, struct msghdr *m, size_t len)
{
	const struct sockaddr_in6 *a = m->msg_name;
	struct sock *sk = sock->sk;
	struct sockaddr_in sin;
	int err;

	if (!a)
		return inet_dgram_ops.sendmsg(sock, m, len);
	if (m->msg_namelen < sizeof(a->sin6_family))
		return -EINVAL;
	if (a->sin6_family == AF_INET)
		return inet6_of(sk)->v6only ? -ENETUNREACH : inet_dgram_ops.sendmsg(sock, m, len);
	if (a->sin6_family == AF_UNSPEC)
		return sk->state == TCP_ESTABLISHED ? -ENETUNREACH : send_to(sock, m, len, NULL);
	if (a->sin6_family != AF_INET6 || m->msg_namelen < SIN6_LEN_RFC2133)
		return -EINVAL;
	err = peer_of(sk, a, &sin, false);
	return err ? err : send_to(sock, m, len, &sin);
}

static ssize_t inet6_recvmsg(struct socket *sock, struct msghdr *m, size_t len, int flags)
{
	ssize_t r = inet_stream_ops.recvmsg(sock, m, len, flags);
	struct sockaddr_in sin;

	if (r < 0 || !m->msg_name || m->msg_namelen != sizeof(sin))
		return r;
	memcpy(&sin, m->msg_name, sizeof(sin));
	inet6_map(m->msg_name, &sin, false); /* callers have room for every family */
	m->msg_namelen = sizeof(struct sockaddr_in6);
	return r;
}

static int inet6_ioctl(struct socket *sock, unsigned long cmd, void *arg)
{
	return inet_stream_ops.ioctl(sock, cmd, arg);
}

static int inet6_listen(struct socket *sock, int backlog)
{
	return inet_stream_ops.listen(sock, backlog);
}

static int inet6_dgram_listen(struct socket *sock, int backlog)
{
	return inet_dgram_ops.listen(sock, backlog);
}

static int inet6_dgram_accept(struct socket *sock, struct socket *newsock, int flags)
{
	return inet_dgram_ops.accept(sock, newsock, flags);
}

static int inet6_shutdown(struct socket *sock, int how)
{
	return inet_stream_ops.shutdown(sock, how);
}

const struct proto_ops inet6_stream_ops = {
	.family = AF_INET6,
	.release = inet6_release,
	.bind = inet6_bind,
	.connect = inet6_stream_connect,
	.accept = inet6_accept,
	.getname = inet6_getname,
	.poll = tcp_poll,
	.ioctl = inet6_ioctl,
	.listen = inet6_listen,
	.shutdown = inet6_shutdown,
	.setsockopt = inet6_setsockopt,
	.getsockopt = inet6_getsockopt,
	.sendmsg = inet6_stream_sendmsg,
	.recvmsg = inet6_recvmsg,
};

const struct proto_ops inet6_dgram_ops = {
	.family = AF_INET6,
	.release = inet6_release,
	.bind = inet6_bind,
	.connect = inet6_dgram_connect,
	.accept = inet6_dgram_accept,
	.getname = inet6_getname,
	.poll = datagram_poll,
	.ioctl = inet6_ioctl,
	.listen = inet6_dgram_listen,
	.shutdown = inet6_shutdown,
	.setsockopt = inet6_setsockopt,
	.getsockopt = inet6_getsockopt,
	.sendmsg = inet6_dgram_sendmsg,
	.recvmsg = inet6_recvmsg,
};

int af_inet6_init(struct net *net)
{
	static const struct net_proto_family inet6_family = { .family = AF_INET6, .create = inet6_create };

	return sock_register(net, &inet6_family);
}
