/* Options of AF_INET6 sockets (ipv6(7), RFC 3493 5, RFC 3542): those that only IPv6 packets would show are remembered; IPV6_V6ONLY,
 * IPV6_FREEBIND, IPV6_TRANSPARENT, IPV6_MTU and IPV6_ADDRFORM mean something to a socket that speaks IPv4.
 *
 * Decides: names, ranges, errno, as on Linux. Called by af_inet6.c's proto_ops. Tests: tests/unit/ipv4/test_inet6.c, tests/kernel/syscalls.txt. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include "ipv4/af_inet6.h"
#include "ipv4/ip.h"
#include "tcp/tcp.h"

/* Linux's numbers. */
enum {
	IPV6_ADDRFORM_ = 1, IPV6_V6ONLY_ = 26, IPV6_MTU_ = 24, IPV6_TCLASS_ = 67, IPV6_MULTICAST_HOPS_ = 18, IPV6_MULTICAST_IF_ = 17,
	IPV6_FREEBIND_ = 78, IPV6_TRANSPARENT_ = 75
};

enum kind { FLAG, RANGE };
static const struct row {
	uint8_t name;
	enum kind kind;
	int16_t min, max, preset; /* of RANGE: -1 sets the preset again where it is allowed */
	bool any_len;             /* fewer than four octets are taken, as 0 */
} rows[] = {
	{ 16 /* UNICAST_HOPS */, RANGE, -1, 255, 64, false },
	{ IPV6_MULTICAST_HOPS_, RANGE, -1, 255, 1, false },
	{ 19 /* MULTICAST_LOOP */, RANGE, 0, 1, 1, false },
	{ 23 /* MTU_DISCOVER */, RANGE, 0, 5, 1, false },
	{ 25 /* RECVERR */, FLAG, 0, 0, 0, false },
	{ 29 /* MULTICAST_ALL */, FLAG, 0, 0, 1, false },
	{ 31 /* RECVERR_RFC4884 */, RANGE, 0, 1, 0, false },
	{ 49 /* RECVPKTINFO */, FLAG, 0, 0, 0, false },
	{ 51 /* RECVHOPLIMIT */, FLAG, 0, 0, 0, false },
	{ 53 /* RECVHOPOPTS */, FLAG, 0, 0, 0, false },
	{ 56 /* RECVRTHDR */, FLAG, 0, 0, 0, false },
	{ 58 /* RECVDSTOPTS */, FLAG, 0, 0, 0, false },
	{ 60 /* RECVPATHMTU */, FLAG, 0, 0, 0, false },
	{ 62 /* DONTFRAG */, FLAG, 0, 0, 0, true },
	{ 66 /* RECVTCLASS */, FLAG, 0, 0, 0, false },
	{ IPV6_TCLASS_, RANGE, -1, 255, 0, false },
	{ 70 /* AUTOFLOWLABEL */, FLAG, 0, 0, 1, true },
	{ 73 /* MINHOPCOUNT */, RANGE, 0, 255, 0, false },
	{ 74 /* RECVORIGDSTADDR */, FLAG, 0, 0, 0, false },
};

struct inet6_opts *inet6_opts_new(void)
{
	struct inet6_opts *o = xcalloc(1, sizeof(*o));

	_Static_assert(ARRAY_SIZE(rows) <= INET6_MAX_OPTS, "a value for each row");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		o->value[i] = rows[i].preset;
	return o;
}

static int row_of(int name)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].name == name)
			return (int)i;
	return -1;
}

/* IPV6_ADDRFORM: a connected socket becomes the AF_INET socket that it really is. */
static int addrform(struct socket *sock, int v)
{
	if (v != AF_INET)
		return -EINVAL;
	if (sock->sk->state != TCP_ESTABLISHED)
		return -ENOTCONN;
	free(inet6_of(sock->sk));
	sock->sk->rare->v6 = NULL;
	sock->ops = sock->type == SOCK_STREAM ? &inet_stream_ops : &inet_dgram_ops;
	return 0;
}

/* Those of IPv4 that IPv6's name too; 0: none. */
static int ip_name(int name)
{
	return name == IPV6_FREEBIND_ ? IP_FREEBIND : name == IPV6_TRANSPARENT_ ? IP_TRANSPARENT : 0;
}

static int set_row(struct sock *sk, int row, int v)
{
	const struct row *r = &rows[row];
	int16_t *to = &inet6_of(sk)->value[row];

	if (r->name == IPV6_MULTICAST_HOPS_ && sk->type == SOCK_STREAM)
		return -ENOPROTOOPT;
	if (r->kind == FLAG) {
		*to = v != 0;
		return 0;
	}
	if (v < r->min || v > r->max)
		return -EINVAL;
	if (v < 0)
		v = r->preset;
	if (r->name == IPV6_TCLASS_ && sk->type == SOCK_STREAM)
		v = (v & ~3) | (*to & 3); /* the ECN bits are TCP's */
	*to = (int16_t)v;
	return 0;
}

int inet6_setsockopt(struct socket *sock, int level, int name, const void *val, socklen_t len)
{
	struct inet6_opts *o = inet6_of(sock->sk);
	int v = 0, row = row_of(name);

	if (level != IPPROTO_IPV6)
		return inet_stream_ops.setsockopt(sock, level, name, val, len);
	if (val && len >= sizeof(v))
		memcpy(&v, val, sizeof(v));
	if (row < 0 && name != IPV6_V6ONLY_ && name != IPV6_ADDRFORM_ && name != IPV6_MTU_ && !ip_name(name))
		return -EOPNOTSUPP;
	if (len < sizeof(v) && (row < 0 || !rows[row].any_len))
		return -EINVAL;
	if (ip_name(name))
		return inet_stream_ops.setsockopt(sock, IPPROTO_IP, ip_name(name), val, len);
	if (name == IPV6_ADDRFORM_)
		return addrform(sock, v);
	if (name == IPV6_MTU_)
		return v ? -EINVAL : 0; /* 1280 and more: for IPv6's own packets, of which there are none */
	if (name != IPV6_V6ONLY_)
		return set_row(sock->sk, row, v);
	if (inet_sk(sock->sk)->num)
		return -EINVAL;
	o->v6only = v != 0;
	return 0;
}

static int value_of(struct socket *sock, int name, int *v)
{
	const struct inet6_opts *o = inet6_of(sock->sk);
	int row = row_of(name);
	socklen_t n = sizeof(*v);

	if (name == IPV6_V6ONLY_) {
		*v = o->v6only;
	} else if (name == IPV6_ADDRFORM_) {
		*v = AF_INET6;
		return sock->sk->state == TCP_ESTABLISHED ? 0 : -ENOTCONN;
	} else if (name == IPV6_MTU_) {
		return inet_stream_ops.getsockopt(sock, IPPROTO_IP, IP_MTU, v, &n);
	} else if (ip_name(name)) {
		return inet_stream_ops.getsockopt(sock, IPPROTO_IP, ip_name(name), v, &n);
	} else if (row < 0) {
		return -EOPNOTSUPP;
	} else {
		*v = o->value[row];
	}
	return 0;
}

int inet6_getsockopt(struct socket *sock, int level, int name, void *val, socklen_t *len)
{
	int v = 0, err;

	if (level != IPPROTO_IPV6)
		return inet_stream_ops.getsockopt(sock, level, name, val, len);
	if (*len > INT32_MAX)
		return -EINVAL;
	err = value_of(sock, name, &v);
	if (err)
		return err;
	*len = min_u32(*len, sizeof(v));
	if (*len)
		memcpy(val, &v, *len);
	return 0;
}
