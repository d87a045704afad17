/* System calls as text, in strace's manner: one line per call with its result (TR_SYSCALL).
 *
 * Decides nothing: it only reads arguments that the calls have already checked or will refuse, so it never
 * follows a pointer that is NULL and never reads beyond a stated length. Called by: syscall.c, when the probe
 * is on. Tests: tests/unit/socket/test_strace.c. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include "base/strbuf.h"
#include "core/sock.h"
#include "socket/strace.h"

/* Octets of a buffer that are shown, as strace -s 32. */
#define ST_SHOWN 32
#define ST_LINE 768

struct st_name {
	unsigned v;
	const char *name;
};
#define N(x) { (unsigned)(x), #x }

static const char *st_lookup(const struct st_name *t, size_t n, unsigned v)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (t[i].v == v)
			return t[i].name;
	return NULL;
}

static void st_append(struct st *s, const char *text)
{
	size_t at = strlen(s->b);

	snprintf(s->b + at, sizeof(s->b) - at, "%s", text);
}

/* Bits by name, what is left in hex; "zero" for none. */
static const char *st_bits(struct st *s, const struct st_name *t, size_t n, unsigned v, const char *zero)
{
	char rest[16];
	size_t i;

	s->b[0] = '\0';
	for (i = 0; i < n; i++) {
		if (!t[i].v || (v & t[i].v) != t[i].v)
			continue;
		st_append(s, *s->b ? "|" : "");
		st_append(s, t[i].name);
		v &= ~t[i].v;
	}
	if (v) {
		snprintf(rest, sizeof(rest), "%s%#x", *s->b ? "|" : "", v);
		st_append(s, rest);
	}
	return *s->b ? s->b : zero;
}

const char *st_family(struct st *s, int family)
{
	static const struct st_name t[] = { N(AF_UNSPEC), N(AF_UNIX), N(AF_INET), N(AF_INET6),
					    N(AF_NETLINK), N(AF_PACKET) };
	const char *name = st_lookup(t, ARRAY_SIZE(t), (unsigned)family);

	if (name)
		return name;
	snprintf(s->b, sizeof(s->b), "%d", family);
	return s->b;
}

const char *st_sock_type(struct st *s, int type)
{
	static const struct st_name t[] = { N(SOCK_STREAM), N(SOCK_DGRAM), N(SOCK_RAW), N(SOCK_SEQPACKET) };
	const char *name = st_lookup(t, ARRAY_SIZE(t), (unsigned)type & 0xf);

	if (name)
		snprintf(s->b, sizeof(s->b), "%s%s%s", name, type & SOCK_CLOEXEC ? "|SOCK_CLOEXEC" : "",
			 type & SOCK_NONBLOCK ? "|SOCK_NONBLOCK" : "");
	else
		snprintf(s->b, sizeof(s->b), "%#x", (unsigned)type);
	return s->b;
}

static void st_addr_packet(struct st *s, const struct sockaddr_storage *ss)
{
	const struct sockaddr_ll *ll = (const void *)ss;
	char mac[MAC_STRLEN];

	snprintf(s->b, sizeof(s->b),
		 "{sa_family=AF_PACKET, sll_protocol=htons(%#x), sll_ifindex=%d, sll_pkttype=%u, "
		 "sll_addr=%s}",
		 get_be16((const uint8_t *)&ll->sll_protocol), ll->sll_ifindex, ll->sll_pkttype,
		 mac_str(mac, ll->sll_addr));
}

const char *st_addr(struct st *s, const void *addr, socklen_t len)
{
	struct sockaddr_storage ss;
	const struct sockaddr_in *in = (const void *)&ss;
	const struct sockaddr_nl *nl = (const void *)&ss;
	char ip[IP4_STRLEN];
	struct st fam;

	if (!addr)
		return "NULL";
	memset(&ss, 0, sizeof(ss));
	if (len < sizeof(sa_family_t) || len > sizeof(ss)) {
		snprintf(s->b, sizeof(s->b), "{len=%u}", len);
		return s->b;
	}
	memcpy(&ss, addr, len);
	if (ss.ss_family == AF_INET)
		snprintf(s->b, sizeof(s->b),
			 "{sa_family=AF_INET, sin_port=htons(%u), sin_addr=inet_addr(\"%s\")}",
			 get_be16((const uint8_t *)&in->sin_port),
			 ip4_str(ip, get_be32((const uint8_t *)&in->sin_addr)));
	else if (ss.ss_family == AF_PACKET)
		st_addr_packet(s, &ss);
	else if (ss.ss_family == AF_NETLINK)
		snprintf(s->b, sizeof(s->b), "{sa_family=AF_NETLINK, nl_pid=%u, nl_groups=%08x}",
			 nl->nl_pid, nl->nl_groups);
	else
		snprintf(s->b, sizeof(s->b), "{sa_family=%.32s}", st_family(&fam, ss.ss_family));
	return s->b;
}

static size_t st_escape(char *to, uint8_t c)
{
	static const char named[] = "\n\r\t\\\"", as[] = "nrt\\\"";
	const char *p = c ? strchr(named, c) : NULL;

	if (p) {
		to[0] = '\\';
		to[1] = as[p - named];
		return 2;
	}
	if (c >= 0x20 && c < 0x7f) {
		to[0] = (char)c;
		return 1;
	}
	return (size_t)snprintf(to, 5, "\\%03o", c);
}

const char *st_buf(struct st *s, const void *buf, ssize_t len)
{
	const uint8_t *p = buf;
	size_t at = 0;
	ssize_t i;

	if (!buf)
		return "NULL";
	if (len < 0) {
		snprintf(s->b, sizeof(s->b), "0x...");
		return s->b;
	}
	s->b[at++] = '"';
	for (i = 0; i < len && i < ST_SHOWN; i++)
		at += st_escape(s->b + at, p[i]);
	snprintf(s->b + at, sizeof(s->b) - at, "\"%s", len > ST_SHOWN ? "..." : "");
	return s->b;
}

const char *st_iov(struct st *s, const struct iovec *iov, size_t n)
{
	struct st one;

	if (!iov || !n)
		return "[]";
	snprintf(s->b, sizeof(s->b), "[{iov_base=%.120s, iov_len=%zu}%s]",
		 st_buf(&one, iov->iov_base, (ssize_t)min_sz(iov->iov_len, INT32_MAX)), iov->iov_len,
		 n > 1 ? ", ..." : "");
	return s->b;
}

const char *st_msg_flags(struct st *s, int flags)
{
	static const struct st_name t[] = {
		N(MSG_OOB), N(MSG_PEEK), N(MSG_DONTROUTE), N(MSG_CTRUNC), N(MSG_TRUNC), N(MSG_DONTWAIT),
		N(MSG_EOR), N(MSG_WAITALL), N(MSG_ERRQUEUE), N(MSG_NOSIGNAL), N(MSG_MORE),
		N(MSG_ZEROCOPY), N(MSG_FASTOPEN), N(MSG_CONFIRM),
	};

	return st_bits(s, t, ARRAY_SIZE(t), (unsigned)flags, "0");
}

const char *st_open_flags(struct st *s, int flags)
{
	static const char *const mode[] = { "O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE" };
	static const struct st_name t[] = { N(O_CREAT), N(O_EXCL), N(O_TRUNC), N(O_APPEND), N(O_NONBLOCK),
					    N(O_CLOEXEC), N(O_DIRECTORY) };
	struct st bits;
	const char *rest = st_bits(&bits, t, ARRAY_SIZE(t), (unsigned)flags & ~3u, "");

	snprintf(s->b, sizeof(s->b), "%s%s%.100s", mode[flags & 3], *rest ? "|" : "", rest);
	return s->b;
}

static const char *st_level_name(int level)
{
	static const struct st_name t[] = { N(SOL_SOCKET), N(IPPROTO_IP), N(IPPROTO_TCP), N(IPPROTO_UDP),
					    N(SOL_RAW), N(SOL_PACKET), N(SOL_NETLINK) };
	const char *name = st_lookup(t, ARRAY_SIZE(t), (unsigned)level);

	if (!name)
		return NULL;
	return level == IPPROTO_IP ? "SOL_IP" : level == IPPROTO_TCP ? "SOL_TCP"
					      : level == IPPROTO_UDP ? "SOL_UDP" : name;
}

static const char *st_optname(int level, int name)
{
	static const struct st_name sol[] = {
		N(SO_DEBUG), N(SO_REUSEADDR), N(SO_TYPE), N(SO_ERROR), N(SO_DONTROUTE), N(SO_BROADCAST),
		N(SO_SNDBUF), N(SO_RCVBUF), N(SO_KEEPALIVE), N(SO_OOBINLINE), N(SO_PRIORITY), N(SO_LINGER),
		N(SO_REUSEPORT), N(SO_RCVLOWAT), N(SO_RCVTIMEO), N(SO_SNDTIMEO), N(SO_BINDTODEVICE),
		N(SO_ATTACH_FILTER), N(SO_DETACH_FILTER), N(SO_TIMESTAMP), N(SO_ACCEPTCONN),
		N(SO_TIMESTAMPNS), N(SO_MARK), N(SO_TIMESTAMPING), N(SO_PROTOCOL), N(SO_DOMAIN),
		N(SO_ZEROCOPY), N(SO_COOKIE), N(SO_MAX_PACING_RATE), N(SO_INCOMING_CPU),
	};
	static const struct st_name ip[] = {
		N(IP_TOS), N(IP_TTL), N(IP_HDRINCL), N(IP_OPTIONS), N(IP_RECVOPTS), N(IP_PKTINFO),
		N(IP_MTU_DISCOVER), N(IP_RECVERR), N(IP_RECVTTL), N(IP_RECVTOS), N(IP_MTU), N(IP_FREEBIND),
		N(IP_MULTICAST_IF), N(IP_MULTICAST_TTL), N(IP_MULTICAST_LOOP), N(IP_ADD_MEMBERSHIP),
		N(IP_DROP_MEMBERSHIP), N(IP_BIND_ADDRESS_NO_PORT), N(IP_TRANSPARENT),
	};
	static const struct st_name tcp[] = {
		N(TCP_NODELAY), N(TCP_MAXSEG), N(TCP_CORK), N(TCP_KEEPIDLE), N(TCP_KEEPINTVL),
		N(TCP_KEEPCNT), N(TCP_SYNCNT), N(TCP_LINGER2), N(TCP_DEFER_ACCEPT), N(TCP_WINDOW_CLAMP),
		N(TCP_INFO), N(TCP_QUICKACK), N(TCP_CONGESTION), N(TCP_USER_TIMEOUT), N(TCP_FASTOPEN),
		N(TCP_NOTSENT_LOWAT), N(TCP_FASTOPEN_CONNECT), N(TCP_INQ), N(TCP_SOCKMAP),
	};

	if (level == SOL_SOCKET)
		return st_lookup(sol, ARRAY_SIZE(sol), (unsigned)name);
	if (level == IPPROTO_IP)
		return st_lookup(ip, ARRAY_SIZE(ip), (unsigned)name);
	return level == IPPROTO_TCP ? st_lookup(tcp, ARRAY_SIZE(tcp), (unsigned)name) : NULL;
}

const char *st_sockopt(struct st *s, int level, int name)
{
	const char *l = st_level_name(level), *o = st_optname(level, name);
	char lbuf[16], obuf[16];

	snprintf(lbuf, sizeof(lbuf), "%d", level);
	snprintf(obuf, sizeof(obuf), "%d", name);
	snprintf(s->b, sizeof(s->b), "%s, %s", l ? l : lbuf, o ? o : obuf);
	return s->b;
}

const char *st_optval(struct st *s, const void *val, socklen_t len)
{
	int v;

	if (!val)
		return "NULL";
	if (len != sizeof(v))
		return st_buf(s, val, (ssize_t)min_sz(len, INT32_MAX));
	memcpy(&v, val, sizeof(v));
	snprintf(s->b, sizeof(s->b), "[%d]", v);
	return s->b;
}

const char *st_poll_events(struct st *s, int events)
{
	static const struct st_name t[] = { N(POLLIN), N(POLLPRI), N(POLLOUT), N(POLLERR), N(POLLHUP),
					    N(POLLNVAL), N(POLLRDNORM), N(POLLRDBAND), N(POLLWRNORM),
					    N(POLLWRBAND), N(POLLRDHUP) };

	return st_bits(s, t, ARRAY_SIZE(t), (unsigned)events, "0");
}

/* Our own table: libc's texts follow the locale. */
struct st_err {
	int v;
	const char *name, *text;
};
static const struct st_err st_errs[] = {
#define E(x, text) { x, #x, text }
	E(EPERM, "Operation not permitted"), E(ENOENT, "No such file or directory"),
	E(ESRCH, "No such process"), E(EINTR, "Interrupted system call"), E(EIO, "Input/output error"),
	E(ENXIO, "No such device or address"), E(E2BIG, "Argument list too long"),
	E(EBADF, "Bad file descriptor"), E(ECHILD, "No child processes"),
	E(EAGAIN, "Resource temporarily unavailable"), E(ENOMEM, "Cannot allocate memory"),
	E(EACCES, "Permission denied"), E(EFAULT, "Bad address"), E(EBUSY, "Device or resource busy"),
	E(EEXIST, "File exists"), E(ENODEV, "No such device"), E(ENOTDIR, "Not a directory"),
	E(EISDIR, "Is a directory"), E(EINVAL, "Invalid argument"), E(ENFILE, "Too many open files in system"),
	E(EMFILE, "Too many open files"), E(ENOTTY, "Inappropriate ioctl for device"),
	E(EFBIG, "File too large"), E(ENOSPC, "No space left on device"), E(ESPIPE, "Illegal seek"),
	E(EROFS, "Read-only file system"), E(EPIPE, "Broken pipe"), E(EDOM, "Numerical argument out of domain"),
	E(ERANGE, "Numerical result out of range"), E(ENAMETOOLONG, "File name too long"),
	E(ENOSYS, "Function not implemented"), E(ELOOP, "Too many levels of symbolic links"),
	E(ENOMSG, "No message of desired type"), E(EPROTO, "Protocol error"),
	E(EOVERFLOW, "Value too large for defined data type"), E(ENOTSOCK, "Socket operation on non-socket"),
	E(EDESTADDRREQ, "Destination address required"), E(EMSGSIZE, "Message too long"),
	E(EPROTOTYPE, "Protocol wrong type for socket"), E(ENOPROTOOPT, "Protocol not available"),
	E(EPROTONOSUPPORT, "Protocol not supported"), E(ESOCKTNOSUPPORT, "Socket type not supported"),
	E(EOPNOTSUPP, "Operation not supported"), E(EAFNOSUPPORT, "Address family not supported by protocol"),
	E(EADDRINUSE, "Address already in use"), E(EADDRNOTAVAIL, "Cannot assign requested address"),
	E(ENETDOWN, "Network is down"), E(ENETUNREACH, "Network is unreachable"),
	E(ENETRESET, "Network dropped connection on reset"), E(ECONNABORTED, "Software caused connection abort"),
	E(ECONNRESET, "Connection reset by peer"), E(ENOBUFS, "No buffer space available"),
	E(EISCONN, "Transport endpoint is already connected"),
	E(ENOTCONN, "Transport endpoint is not connected"),
	E(ESHUTDOWN, "Cannot send after transport endpoint shutdown"), E(ETIMEDOUT, "Connection timed out"),
	E(ECONNREFUSED, "Connection refused"), E(EHOSTDOWN, "Host is down"),
	E(EHOSTUNREACH, "No route to host"), E(EALREADY, "Operation already in progress"),
	E(EINPROGRESS, "Operation now in progress"), E(ECANCELED, "Operation canceled"),
	E(ENONET, "Machine is not on the network"),
#undef E
};

static const struct st_err *st_err(int err)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(st_errs); i++)
		if (st_errs[i].v == err)
			return &st_errs[i];
	return NULL;
}

const char *st_errno_name(int err)
{
	const struct st_err *e = st_err(err);

	return e ? e->name : "E?";
}

const char *st_errno_text(int err)
{
	const struct st_err *e = st_err(err);

	return e ? e->text : "Unknown error";
}

void strace_emit(struct task *t, const char *func, ssize_t ret, const char *fmt, ...)
{
	char line[ST_LINE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (ret < 0)
		probe_emit_(&t->net->probe, TR_SYSCALL, func, 0, "%s = -1 %s (%s)", line,
			    st_errno_name((int)-ret), st_errno_text((int)-ret));
	else
		probe_emit_(&t->net->probe, TR_SYSCALL, func, 0, "%s = %zd", line, ret);
}
