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
/* Younger than the C library. */
#define OPT_TIMESTAMP_NEW 63
#define OPT_TIMESTAMPNS_NEW 64
#define OPT_TIMESTAMPING_NEW 65
#define OPT_RCVTIMEO_NEW 66
#define OPT_SNDTIMEO_NEW 67
#define OPT_PREFER_BUSY_POLL 69
#define OPT_BUSY_POLL_BUDGET 70
#define OPT_BUF_LOCK 72
#define OPT_RESERVE_MEM 73
#define OPT_TXREHASH 74
#define OPT_RCVMARK 75
#define OPT_PASSPIDFD 76
#define OPT_PEERPIDFD 77
#define OPT_DEVMEM_DONTNEED 80
#define OPT_RCVPRIORITY 82
#define OPT_PASSRIGHTS 83
#define TS_OPT_ID_TCP (1u << 16)
#define TS_MASK ((1u << 19) - 1)
#define TXTIME_FLAGS 3u
#define TS_BIND_PHC (1u << 15)
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
	case SO_WIFI_STATUS: /* kept; no card here has any to tell */
		return SOCK_F_WIFI_STATUS;
	case SO_NOFCS:
		return SOCK_F_NOFCS;
	case OPT_RCVMARK:
		return SOCK_F_RCVMARK;
	case OPT_RCVPRIORITY:
		return SOCK_F_RCVPRIORITY;
	case OPT_PREFER_BUSY_POLL:
		return SOCK_F_PREFER_BUSY;
	default:
		return 0;
	}
}

static void sock_opt_timestamp(struct sock *sk, int name, bool on)
{
	sock_set_flag(sk, SOCK_F_RCVTSTAMP | SOCK_F_TIMESTAMP, on);
	sock_set_flag(sk, SOCK_F_RCVTSTAMPNS, on && (name == SO_TIMESTAMPNS || name == OPT_TIMESTAMPNS_NEW));
	sock_set_flag(sk, SOCK_F_TSTAMP_NEW, on && (name == OPT_TIMESTAMP_NEW || name == OPT_TIMESTAMPNS_NEW));
}

/* Four names for one switch: on as it was asked for. */
static bool sock_timestamp_is(const struct sock *sk, int name)
{
	return sock_flag(sk, SOCK_F_RCVTSTAMP) && sock_flag(sk, SOCK_F_RCVTSTAMPNS) == (name == SO_TIMESTAMPNS || name == OPT_TIMESTAMPNS_NEW) &&
	       sock_flag(sk, SOCK_F_TSTAMP_NEW) == (name == OPT_TIMESTAMP_NEW || name == OPT_TIMESTAMPNS_NEW);
}

/* SO_TIMESTAMPING. A stream's OPT_ID counts bytes, so it needs a stream. */
static int sock_opt_timestamping(struct sock *sk, uint32_t val)
{
	uint32_t fresh = val & ~sk->tsflags;

	if (val & ~TS_MASK || ((val & TS_OPT_ID_TCP) && !(val & SOF_TIMESTAMPING_OPT_ID)) ||
	    ((val & SOF_TIMESTAMPING_OPT_STATS) && !(val & SOF_TIMESTAMPING_OPT_TSONLY)))
		return -EINVAL;
	if (fresh & SOF_TIMESTAMPING_OPT_ID) {
		if (sk->prot->tskey_start) {
			if (sk->state == SK_STATE_CLOSE || sk->state == SK_STATE_LISTEN)
				return -EINVAL;
			sk->tskey = sk->prot->tskey_start(sk, (val & TS_OPT_ID_TCP) != 0);
		} else {
			sk->tskey = 0;
		}
	}
	if (val & TS_BIND_PHC)
		return -EOPNOTSUPP; /* no card here has a clock of its own */
	sk->tsflags = val;
	return 0;
}

struct sock_rare *sock_rare(struct sock *sk)
{
	if (!sk->rare) {
		sk->rare = xcalloc(1, sizeof(*sk->rare));
		sk->rare->peek_off = -1;
		sk->rare->txrehash = 1;
	}
	return sk->rare;
}

static bool is_tcp(const struct sock *sk) { return sk->type == SOCK_STREAM && sk->protocol == IPPROTO_TCP; }
static bool can_peek_off(const struct sock *sk) { return is_tcp(sk) || (sk->type == SOCK_DGRAM && sk->protocol == IPPROTO_UDP); }

/* SO_PEEK_OFF: -1 off; else MSG_PEEK begins there and moves it on, reading moves it back. */
static int sock_opt_peek_off(struct sock *sk, int val)
{
	if (!can_peek_off(sk))
		return -EOPNOTSUPP;
	sock_rare(sk)->peek_off = val;
	sock_set_flag(sk, SOCK_F_PEEK_OFF, val >= 0);
	return 0;
}

void sock_peeked_(struct sock *sk, int flags, uint32_t len)
{
	int32_t *off = &sk->rare->peek_off;

	if (flags & MSG_PEEK)
		*off = (int32_t)min_u32((uint32_t)*off + len, INT32_MAX);
	else
		*off = (uint32_t)*off > len ? *off - (int32_t)len : 0;
}

/* When each packet shall leave (SCM_TXTIME): for a queueing discipline that heeds it. */
static int sock_opt_txtime(struct sock *sk, const void *val, socklen_t len)
{
	uint32_t v[2]; /* struct sock_txtime: clock, flags */

	if (len != sizeof(v))
		return -EINVAL;
	memcpy(v, val, sizeof(v));
	if (v[1] & ~TXTIME_FLAGS || (v[0] > 1 && v[0] != 11))
		return -EINVAL; /* the real, the monotonic, or the atomic clock */
	sock_rare(sk)->txtime_clock = (int32_t)v[0];
	sk->rare->txtime_flags = v[1];
	sock_set_flag(sk, SOCK_F_TXTIME, true);
	return 0;
}

static int sock_opt_busy(struct sock *sk, int name, int val)
{
	if (val < 0 || (name == OPT_BUSY_POLL_BUDGET && val > UINT16_MAX))
		return -EINVAL;
	*(name == SO_BUSY_POLL ? &sock_rare(sk)->busy_poll_us : &sock_rare(sk)->busy_budget) = (uint32_t)val;
	return 0;
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

static int sock_set_rare(struct sock *sk, int name, int val);
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
	case OPT_TIMESTAMP_NEW:
	case OPT_TIMESTAMPNS_NEW:
		sock_opt_timestamp(sk, name, val != 0);
		return 0;
	case SO_TIMESTAMPING:
	case OPT_TIMESTAMPING_NEW:
		return sock_opt_timestamping(sk, (uint32_t)val);
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
	case OPT_PASSPIDFD:
	case OPT_PASSRIGHTS:
		return -EOPNOTSUPP; /* of UNIX sockets only */
	default:
		return sock_set_rare(sk, name, val);
	}
}

static int sock_set_rare(struct sock *sk, int name, int val)
{
	switch (name) {
	case SO_PEEK_OFF:
		return sock_opt_peek_off(sk, val);
	case SO_BUSY_POLL:
	case OPT_BUSY_POLL_BUDGET:
		return sock_opt_busy(sk, name, val);
	case OPT_TXREHASH:
		if (!is_tcp(sk))
			return -EOPNOTSUPP;
		if (val < -1 || val > 1)
			return -EINVAL;
		sock_rare(sk)->txrehash = val < 0 ? 1 : val;
		return 0;
	case OPT_BUF_LOCK:
		if (val & ~3)
			return -EINVAL;
		sk->userlocks = (uint8_t)((sk->userlocks & ~3) | val);
		return 0;
	case OPT_RESERVE_MEM:
		return val < 0 ? -EINVAL : -EOPNOTSUPP; /* needs a memory cgroup */
	case SO_CNX_ADVICE:
		if (val == 1)
			sk_dst_reset(sk);
		return 0;
	case SO_BSDCOMPAT: /* taken, and nothing */
		return 0;
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
	case SO_ATTACH_BPF:
	case SO_ATTACH_REUSEPORT_EBPF: /* there are no descriptors of BPF programs */
		return len != sizeof(int) ? -EINVAL : -EBADF;
	case SO_ATTACH_REUSEPORT_CBPF: /* a program that chooses among listeners: not here */
		return len != sizeof(struct sock_fprog) || !sk->reuseport ? -EINVAL : -ENOPROTOOPT;
	case SO_DETACH_REUSEPORT_BPF:
		return sk->reuseport ? -ENOENT : -EINVAL;
	case OPT_DEVMEM_DONTNEED: /* tokens of device memory: nobody was given one */
		return !is_tcp(sk) ? -EBADF : len % 8 ? -EINVAL : 0;
	case SO_LINGER:
		return sock_opt_linger(sk, val, len);
	case SO_RCVTIMEO:
	case OPT_RCVTIMEO_NEW:
		return sock_opt_timeo(&sk->rcvtimeo_ns, val, len);
	case SO_TXTIME:
		return sock_opt_txtime(sk, val, len);
	case SO_SNDTIMEO:
	case OPT_SNDTIMEO_NEW:
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

static int sock_get_rare(const struct sock *sk, int name, int *v)
{
	const struct sock_rare none = { .peek_off = -1, .txrehash = 1 }, *r = sk->rare ? sk->rare : &none;

	switch (name) {
	case SO_PEEK_OFF: *v = r->peek_off; return can_peek_off(sk) ? 0 : -EOPNOTSUPP;
	case SO_BUSY_POLL: *v = (int)r->busy_poll_us; return 0;
	case OPT_TXREHASH: *v = r->txrehash; return is_tcp(sk) ? 0 : -EOPNOTSUPP;
	case OPT_BUF_LOCK: *v = sk->userlocks & 3; return 0;
	case OPT_RESERVE_MEM: *v = 0; return 0;
	case SO_INCOMING_NAPI_ID: *v = 0; return 0;
	case SO_BSDCOMPAT: *v = 0; return 0;
	case SO_BPF_EXTENSIONS: *v = SKF_AD_MAX; return 0;
	default: return -ENOPROTOOPT;
	}
}

static int sock_get_int(struct sock *sk, int name, int *v)
{
	switch (name) {
	case SO_REUSEADDR: *v = sk->reuse; return 0;
	case SO_REUSEPORT: *v = sk->reuseport; return 0;
	case SO_SNDBUF: *v = sk->sndbuf; return 0;
	case SO_RCVBUF: *v = sk->rcvbuf; return 0;
	case SO_TYPE: *v = sk->type; return 0;
	case SO_PROTOCOL: *v = sk->protocol; return 0;
	case SO_PASSCRED:
	case SO_PASSSEC:
	case OPT_PASSPIDFD:
	case OPT_PASSRIGHTS:
		return -EOPNOTSUPP;
	case SO_DOMAIN:
		*v = sk->socket && sk->socket->ops ? sk->socket->ops->family : sk->family; /* AF_INET6 over AF_INET */
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
	case SO_TIMESTAMPNS:
	case OPT_TIMESTAMP_NEW:
	case OPT_TIMESTAMPNS_NEW:
		*v = sock_timestamp_is(sk, name);
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
		return sock_get_rare(sk, name, v);
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

/* struct so_timestamping: flags, and the clock of a card that times are bound to (none). */
static int sock_get_timestamping(const struct sock *sk, void *val, socklen_t *len)
{
	const uint32_t v[2] = { sk->tsflags, 0 };

	return sock_get_out(val, len, v, sizeof(v));
}

/* At least eight octets; of the namespace's cookie exactly as many, as Linux wants. */
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

static int sock_get_peername(const struct sock *sk, void *val, socklen_t *len)
{
	struct sockaddr_storage ss = { 0 };
	int n = sk->socket && sk->socket->ops->getname ? sk->socket->ops->getname(sk->socket, (struct sockaddr *)(void *)&ss, 2) : -ENOTCONN;

	if (n < 0)
		return -ENOTCONN;
	return (int)*len > n ? -EINVAL : sock_get_out(val, len, &ss, (size_t)n);
}

static int sock_get_txtime(const struct sock *sk, void *val, socklen_t *len)
{
	uint32_t v[2] = { 0, 0 };

	if (sk->rare) {
		v[0] = (uint32_t)sk->rare->txtime_clock;
		v[1] = sk->rare->txtime_flags;
	}
	return sock_get_out(val, len, v, sizeof(v));
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
	case SO_TXTIME:
		return sock_get_txtime(sk, val, len);
	case SO_TIMESTAMPING:
	case OPT_TIMESTAMPING_NEW:
		return sock_get_timestamping(sk, val, len);
	case SO_GET_FILTER:
		return sk_get_filter(sk, val, len);
	case SO_PEERNAME:
		return sock_get_peername(sk, val, len);
	case SO_PEERGROUPS:
	case OPT_PEERPIDFD:
		return -ENODATA; /* only UNIX sockets know their peer */
	case SO_RCVTIMEO:
	case OPT_RCVTIMEO_NEW:
		return sock_get_timeo(sk->rcvtimeo_ns, val, len);
	case SO_SNDTIMEO:
	case OPT_SNDTIMEO_NEW:
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
		if (!sock_rare(sk)->cookie)
			sk->rare->cookie = ++sk->net->socks->next_cookie;
		return sock_get_u64(sk->rare->cookie, val, len);
	case SO_NETNS_COOKIE:
		return *len == 8 ? sock_get_u64((uint64_t)sk->net->id + 1, val, len) : -EINVAL;
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
