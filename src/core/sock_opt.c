/* SOL_SOCKET options (socket(7)): each does what it says, or is refused as Linux refuses it.
 *
 * Decides: range and form of every value; what is stored where. Called by: socket/syscall.c for level
 * SOL_SOCKET. Hands on: proto->keepalive, set_rcvlowat, rehash; sock_filter.c.
 * The program is root on its host, so nothing is refused for want of a capability.
 * Tests: tests/unit/core/test_sockopt.c (SY-01). */
#include <errno.h>
#include <linux/filter.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/time.h>
#include "core/netdevice.h"
#include "core/sock.h"

#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62
#endif
#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif
#define DEV_NAME_MAX 16
/* struct sk_meminfo's order (linux/sock_diag.h). */
#define MEMINFO_VARS 9

/* ---- set ---- */

static void sock_opt_rcvbuf(struct sock *sk, uint32_t val, uint32_t max)
{
	val = min_u32(min_u32(val, max), INT32_MAX / 2);
	sk->userlocks |= 2;
	/* Twice, because truesize counts our own bookkeeping too (socket(7)). */
	sk->rcvbuf = (int32_t)max_u32(val * 2, SOCK_MIN_RCVBUF);
}

static void sock_opt_sndbuf(struct sock *sk, uint32_t val, uint32_t max)
{
	val = min_u32(min_u32(val, max), INT32_MAX / 2);
	sk->userlocks |= 1;
	sk->sndbuf = (int32_t)max_u32(val * 2, SOCK_MIN_SNDBUF);
	sk->write_space(sk);
}

static int sock_opt_bind_ifindex(struct sock *sk, int ifindex)
{
	if (ifindex < 0)
		return -EINVAL;
	sk->bound_dev_if = ifindex;
	if (sk->prot->rehash)
		sk->prot->rehash(sk);
	sk_dst_reset(sk);
	return 0;
}

static int sock_opt_bind_device(struct sock *sk, const void *val, socklen_t len)
{
	char name[DEV_NAME_MAX] = { 0 };
	struct net_device *dev;

	memcpy(name, val, min_sz(len, sizeof(name) - 1));
	if (!*name)
		return sock_opt_bind_ifindex(sk, 0);
	dev = dev_get_by_name(sk->net, name);
	return dev ? sock_opt_bind_ifindex(sk, dev->ifindex) : -ENODEV;
}

static int sock_opt_timeo(uint64_t *out, const void *val, socklen_t len)
{
	struct timeval tv;

	if (len < sizeof(tv))
		return -EINVAL;
	memcpy(&tv, val, sizeof(tv));
	if (tv.tv_usec < 0 || tv.tv_usec >= 1000000)
		return -EDOM;
	if (tv.tv_sec < 0) {
		*out = 0;
		return 0;
	}
	if ((!tv.tv_sec && !tv.tv_usec) || (uint64_t)tv.tv_sec >= TIME_NEVER / NSEC_PER_SEC - 1)
		*out = TIME_NEVER;
	else
		*out = (uint64_t)tv.tv_sec * NSEC_PER_SEC + (uint64_t)tv.tv_usec * NSEC_PER_USEC;
	return 0;
}

static int sock_opt_linger(struct sock *sk, const void *val, socklen_t len)
{
	struct linger l;

	if (len < sizeof(l))
		return -EINVAL;
	memcpy(&l, val, sizeof(l));
	sock_set_flag(sk, SOCK_F_LINGER, l.l_onoff != 0);
	if (l.l_onoff)
		sk->lingertime_ns = l.l_linger < 0 ? TIME_NEVER : (unsigned)l.l_linger * NSEC_PER_SEC;
	return 0;
}

static int sock_opt_pacing(struct sock *sk, const void *val, socklen_t len)
{
	uint64_t rate;
	uint32_t r32;

	if (len >= sizeof(rate)) {
		memcpy(&rate, val, sizeof(rate));
	} else {
		memcpy(&r32, val, sizeof(r32));
		rate = r32 == UINT32_MAX ? UINT64_MAX : r32;
	}
	sk->max_pacing_rate = rate;
	sk->pacing_rate = min_u64(sk->pacing_rate, rate);
	return 0;
}

static int sock_opt_filter(struct sock *sk, int name, const void *val, socklen_t len)
{
	struct sock_fprog fprog;

	if (sock_flag(sk, SOCK_F_FILTER_LOCKED))
		return -EPERM;
	if (name == SO_DETACH_FILTER)
		return sk_detach_filter(sk);
	if (len != sizeof(fprog))
		return -EINVAL;
	memcpy(&fprog, val, sizeof(fprog));
	return sk_attach_filter(sk, &fprog);
}

/* The options that are a bit of sk->flags; 0: another kind. */
static uint32_t sock_opt_flag(int name)
{
	switch (name) {
	case SO_DEBUG:
		return SOCK_F_DBG;
	case SO_DONTROUTE:
		return SOCK_F_DONTROUTE;
	case SO_BROADCAST:
		return SOCK_F_BROADCAST;
	case SO_OOBINLINE:
		return SOCK_F_URGINLINE;
	case SO_NO_CHECK:
		return SOCK_F_NO_CHECK_TX;
	case SO_RXQ_OVFL:
		return SOCK_F_RXQ_OVFL;
	case SO_SELECT_ERR_QUEUE:
		return SOCK_F_SELECT_ERR_QUEUE;
	case SO_KEEPALIVE:
		return SOCK_F_KEEPOPEN;
	default:
		return 0;
	}
}

static void sock_opt_timestamp(struct sock *sk, bool on, bool ns)
{
	sock_set_flag(sk, SOCK_F_RCVTSTAMP | SOCK_F_TIMESTAMP, on);
	sock_set_flag(sk, SOCK_F_RCVTSTAMPNS, on && ns);
}

static int sock_opt_zerocopy(struct sock *sk, int val)
{
	bool tcp = sk->type == SOCK_STREAM && sk->protocol == IPPROTO_TCP;
	bool udp = sk->type == SOCK_DGRAM && sk->protocol == IPPROTO_UDP;

	if (!tcp && !udp)
		return -EOPNOTSUPP;
	if (val < 0 || val > 1)
		return -EINVAL;
	sock_set_flag(sk, SOCK_F_ZEROCOPY, val != 0);
	return 0;
}

static int sock_set_int(struct sock *sk, int name, int val)
{
	const struct sock_net *sn = sk->net->socks;

	switch (name) {
	case SO_REUSEADDR:
		sk->reuse = val != 0;
		return 0;
	case SO_REUSEPORT:
		sk->reuseport = val != 0;
		return 0;
	case SO_SNDBUF:
		sock_opt_sndbuf(sk, (uint32_t)val, sn->wmem_max);
		return 0;
	case SO_SNDBUFFORCE:
		sock_opt_sndbuf(sk, (uint32_t)(val < 0 ? 0 : val), UINT32_MAX);
		return 0;
	case SO_RCVBUF:
		sock_opt_rcvbuf(sk, (uint32_t)val, sn->rmem_max);
		return 0;
	case SO_RCVBUFFORCE:
		sock_opt_rcvbuf(sk, (uint32_t)(val < 0 ? 0 : val), UINT32_MAX);
		return 0;
	case SO_PRIORITY:
		sk->priority = (uint32_t)val;
		return 0;
	case SO_MARK:
		if (sk->mark != (uint32_t)val)
			sk_dst_reset(sk); /* rules may route it elsewhere now */
		sk->mark = (uint32_t)val;
		return 0;
	case SO_RCVLOWAT:
		sk->rcvlowat = val < 0 ? INT32_MAX : val ? val : 1;
		if (sk->prot->set_rcvlowat) /* may take less */
			sk->prot->set_rcvlowat(sk, sk->rcvlowat);
		return 0;
	case SO_TIMESTAMP:
	case SO_TIMESTAMPNS:
		sock_opt_timestamp(sk, val != 0, name == SO_TIMESTAMPNS);
		return 0;
	case SO_TIMESTAMPING:
		if (val & ~(int)SOF_TIMESTAMPING_MASK)
			return -EINVAL;
		if (val & ~(int)sk->tsflags & SOF_TIMESTAMPING_OPT_ID)
			sk->tskey = 0;
		sk->tsflags = (uint32_t)val;
		return 0;
	case SO_LOCK_FILTER:
		if (sock_flag(sk, SOCK_F_FILTER_LOCKED) && !val)
			return -EPERM;
		sock_set_flag(sk, SOCK_F_FILTER_LOCKED, val != 0);
		return 0;
	case SO_INCOMING_CPU:
		sk->incoming_cpu = (int16_t)val;
		return 0;
	case SO_ZEROCOPY:
		return sock_opt_zerocopy(sk, val);
	case SO_BINDTOIFINDEX:
		return sock_opt_bind_ifindex(sk, val);
	case SO_PASSCRED:
	case SO_PASSSEC:
		return -EOPNOTSUPP; /* of UNIX sockets only */
	default:
		/* SO_TYPE, SO_ERROR, SO_ACCEPTCONN... can only be read. */
		return -ENOPROTOOPT;
	}
}

int sock_setsockopt(struct sock *sk, int name, const void *val, socklen_t len)
{
	uint32_t flag = sock_opt_flag(name);
	int v;

	if (name == SO_BINDTODEVICE)
		return val ? sock_opt_bind_device(sk, val, len) : -EFAULT;
	if (len < sizeof(int))
		return -EINVAL;
	if (!val)
		return -EFAULT;
	memcpy(&v, val, sizeof(v));
	if (flag) {
		sock_set_flag(sk, flag, v != 0);
		if (name == SO_KEEPALIVE && sk->prot->keepalive)
			sk->prot->keepalive(sk, v != 0);
		return 0;
	}
	switch (name) {
	case SO_LINGER:
		return sock_opt_linger(sk, val, len);
	case SO_RCVTIMEO:
		return sock_opt_timeo(&sk->rcvtimeo_ns, val, len);
	case SO_SNDTIMEO:
		return sock_opt_timeo(&sk->sndtimeo_ns, val, len);
	case SO_ATTACH_FILTER:
	case SO_DETACH_FILTER:
		return sock_opt_filter(sk, name, val, len);
	case SO_MAX_PACING_RATE:
		return sock_opt_pacing(sk, val, len);
	default:
		return sock_set_int(sk, name, v);
	}
}

/* ---- get ---- */

static int sock_get_int(struct sock *sk, int name, int *v)
{
	switch (name) {
	case SO_REUSEADDR:
		*v = sk->reuse;
		return 0;
	case SO_REUSEPORT:
		*v = sk->reuseport;
		return 0;
	case SO_SNDBUF:
		*v = sk->sndbuf;
		return 0;
	case SO_RCVBUF:
		*v = sk->rcvbuf;
		return 0;
	case SO_TYPE:
		*v = sk->type;
		return 0;
	case SO_PROTOCOL:
		*v = sk->protocol;
		return 0;
	case SO_PASSCRED:
	case SO_PASSSEC:
		return -EOPNOTSUPP;
	case SO_DOMAIN:
		*v = sk->family;
		return 0;
	case SO_ERROR:
		*v = -sock_error(sk);
		if (!*v) {
			*v = sk->err_soft;
			sk->err_soft = 0;
		}
		return 0;
	case SO_PRIORITY:
		*v = (int)sk->priority;
		return 0;
	case SO_MARK:
		*v = (int)sk->mark;
		return 0;
	case SO_RCVLOWAT:
		*v = sk->rcvlowat;
		return 0;
	case SO_SNDLOWAT:
		*v = 1;
		return 0;
	case SO_ACCEPTCONN:
		*v = sk->state == SK_STATE_LISTEN;
		return 0;
	case SO_TIMESTAMP:
		*v = sock_flag(sk, SOCK_F_RCVTSTAMP) && !sock_flag(sk, SOCK_F_RCVTSTAMPNS);
		return 0;
	case SO_TIMESTAMPNS:
		*v = sock_flag(sk, SOCK_F_RCVTSTAMPNS);
		return 0;
	case SO_TIMESTAMPING:
		*v = (int)sk->tsflags;
		return 0;
	case SO_LOCK_FILTER:
		*v = sock_flag(sk, SOCK_F_FILTER_LOCKED);
		return 0;
	case SO_INCOMING_CPU:
		*v = sk->incoming_cpu;
		return 0;
	case SO_ZEROCOPY:
		*v = sock_flag(sk, SOCK_F_ZEROCOPY);
		return 0;
	case SO_BINDTOIFINDEX:
		*v = sk->bound_dev_if;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static int sock_get_out(void *val, socklen_t *len, const void *from, size_t size)
{
	*len = (socklen_t)min_sz(*len, size);
	memcpy(val, from, *len);
	return 0;
}

static int sock_get_timeo(uint64_t ns, void *val, socklen_t *len)
{
	struct timeval tv = { 0 };

	if (ns != TIME_NEVER) {
		tv.tv_sec = (time_t)(ns / NSEC_PER_SEC);
		tv.tv_usec = (suseconds_t)(ns % NSEC_PER_SEC / NSEC_PER_USEC);
	}
	return sock_get_out(val, len, &tv, sizeof(tv));
}

static int sock_get_linger(const struct sock *sk, void *val, socklen_t *len)
{
	struct linger l = { .l_onoff = sock_flag(sk, SOCK_F_LINGER) };

	l.l_linger = sk->lingertime_ns == TIME_NEVER ? -1 : (int)(sk->lingertime_ns / NSEC_PER_SEC);
	return sock_get_out(val, len, &l, sizeof(l));
}

static int sock_get_device(struct sock *sk, void *val, socklen_t *len)
{
	const struct net_device *dev = dev_get_by_index(sk->net, sk->bound_dev_if);

	if (!sk->bound_dev_if || !dev) {
		*len = 0;
		return 0;
	}
	if (*len < DEV_NAME_MAX)
		return -EINVAL;
	return sock_get_out(val, len, dev->name, strlen(dev->name) + 1);
}

static int sock_get_meminfo(const struct sock *sk, void *val, socklen_t *len)
{
	const uint32_t m[MEMINFO_VARS] = { (uint32_t)sk->rmem_alloc, (uint32_t)sk->rcvbuf,
					   (uint32_t)sk->wmem_alloc, (uint32_t)sk->sndbuf,
					   0 /* nothing is reserved ahead */, (uint32_t)sk->wmem_queued,
					   0, 0, sk->drops };

	return sock_get_out(val, len, m, sizeof(m));
}

static int sock_get_pacing(const struct sock *sk, void *val, socklen_t *len)
{
	uint32_t r32 = (uint32_t)min_u64(sk->max_pacing_rate, UINT32_MAX);

	if (*len >= sizeof(sk->max_pacing_rate))
		return sock_get_out(val, len, &sk->max_pacing_rate, sizeof(sk->max_pacing_rate));
	return sock_get_out(val, len, &r32, sizeof(r32));
}

/* Exactly eight octets, as Linux wants. */
static int sock_get_u64(uint64_t v, void *val, socklen_t *len)
{
	return *len < sizeof(v) ? -EINVAL : sock_get_out(val, len, &v, sizeof(v));
}

static int sock_get_peercred(void *val, socklen_t *len)
{
	/* Only UNIX sockets know their peer. */
	const struct ucred none = { .pid = 0, .uid = (uid_t)-1, .gid = (gid_t)-1 };

	return sock_get_out(val, len, &none, sizeof(none));
}

int sock_getsockopt(struct sock *sk, int name, void *val, socklen_t *len)
{
	uint32_t flag = sock_opt_flag(name);
	int v, err;

	if (!len || !val)
		return -EFAULT;
	if ((int)*len < 0)
		return -EINVAL;
	switch (name) {
	case SO_LINGER:
		return sock_get_linger(sk, val, len);
	case SO_RCVTIMEO:
		return sock_get_timeo(sk->rcvtimeo_ns, val, len);
	case SO_SNDTIMEO:
		return sock_get_timeo(sk->sndtimeo_ns, val, len);
	case SO_BINDTODEVICE:
		return sock_get_device(sk, val, len);
	case SO_MEMINFO:
		return sock_get_meminfo(sk, val, len);
	case SO_MAX_PACING_RATE:
		return sock_get_pacing(sk, val, len);
	case SO_PEERCRED:
		return sock_get_peercred(val, len);
	case SO_COOKIE:
		if (!sk->cookie)
			sk->cookie = ++sk->net->socks->next_cookie;
		return sock_get_u64(sk->cookie, val, len);
	case SO_NETNS_COOKIE:
		return sock_get_u64((uint64_t)sk->net->id + 1, val, len);
	default:
		break;
	}
	if (flag) {
		v = sock_flag(sk, flag);
	} else {
		err = sock_get_int(sk, name, &v);
		if (err)
			return err;
	}
	return sock_get_out(val, len, &v, sizeof(v));
}
