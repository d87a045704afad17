/* Names of errors, options, flags and numbers for syscheck. */
#include <linux/if_packet.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include "syscheck.h"

#define N(x) { #x, x, 0 }
#define O(level, x) { #x, x, level }
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct sc_word errs[] = {
	N(EPERM), N(ENOENT), N(EINTR), N(EIO), N(ENXIO), N(EBADF), N(EAGAIN), N(ENOMEM), N(EACCES), N(EFAULT), N(EEXIST),
	N(ENODEV), N(EINVAL), N(ENOTTY), N(ESPIPE), N(EPIPE), N(EDOM), N(ERANGE), N(ENOSYS), N(EPROTO), N(ENOTSOCK),
	N(EDESTADDRREQ), N(EMSGSIZE), N(EPROTOTYPE), N(ENOPROTOOPT), N(EPROTONOSUPPORT), N(ESOCKTNOSUPPORT),
	N(EOPNOTSUPP), N(EPFNOSUPPORT), N(EAFNOSUPPORT), N(EADDRINUSE), N(EADDRNOTAVAIL), N(ENETDOWN),
	N(ENETUNREACH), N(ENETRESET), N(ECONNABORTED), N(ECONNRESET), N(ENOBUFS), N(EISCONN), N(ENOTCONN),
	N(ESHUTDOWN), N(ETIMEDOUT), N(ECONNREFUSED), N(EHOSTDOWN), N(EHOSTUNREACH), N(EALREADY), N(EINPROGRESS), N(ENONET),
	N(EOVERFLOW), N(EUSERS),
};

static const struct sc_word options[] = {
	O(SOL_SOCKET, SO_DEBUG), O(SOL_SOCKET, SO_REUSEADDR), O(SOL_SOCKET, SO_TYPE), O(SOL_SOCKET, SO_ERROR),
	O(SOL_SOCKET, SO_DONTROUTE), O(SOL_SOCKET, SO_BROADCAST), O(SOL_SOCKET, SO_SNDBUF), O(SOL_SOCKET, SO_RCVBUF),
	O(SOL_SOCKET, SO_KEEPALIVE), O(SOL_SOCKET, SO_OOBINLINE), O(SOL_SOCKET, SO_NO_CHECK), O(SOL_SOCKET, SO_PRIORITY),
	O(SOL_SOCKET, SO_LINGER), O(SOL_SOCKET, SO_REUSEPORT), O(SOL_SOCKET, SO_PASSCRED), O(SOL_SOCKET, SO_RCVLOWAT),
	O(SOL_SOCKET, SO_SNDLOWAT), O(SOL_SOCKET, SO_RCVTIMEO), O(SOL_SOCKET, SO_SNDTIMEO), O(SOL_SOCKET, SO_BINDTODEVICE),
	O(SOL_SOCKET, SO_TIMESTAMP), O(SOL_SOCKET, SO_ACCEPTCONN), O(SOL_SOCKET, SO_SNDBUFFORCE),
	O(SOL_SOCKET, SO_RCVBUFFORCE), O(SOL_SOCKET, SO_MARK), O(SOL_SOCKET, SO_PROTOCOL), O(SOL_SOCKET, SO_DOMAIN),
	O(SOL_SOCKET, SO_RXQ_OVFL), O(SOL_SOCKET, SO_PEEK_OFF), O(SOL_SOCKET, SO_BUSY_POLL), O(SOL_SOCKET, SO_BINDTOIFINDEX),
	O(SOL_SOCKET, SO_INCOMING_CPU), O(SOL_SOCKET, SO_MAX_PACING_RATE), O(SOL_SOCKET, SO_ZEROCOPY),
	O(SOL_SOCKET, SO_TIMESTAMPNS), O(SOL_SOCKET, SO_LOCK_FILTER), O(SOL_SOCKET, SO_COOKIE),
	O(IPPROTO_IP, IP_TOS), O(IPPROTO_IP, IP_TTL), O(IPPROTO_IP, IP_HDRINCL), O(IPPROTO_IP, IP_OPTIONS),
	O(IPPROTO_IP, IP_RECVOPTS), O(IPPROTO_IP, IP_RETOPTS), O(IPPROTO_IP, IP_PKTINFO), O(IPPROTO_IP, IP_MTU_DISCOVER),
	O(IPPROTO_IP, IP_RECVERR), O(IPPROTO_IP, IP_RECVTTL), O(IPPROTO_IP, IP_RECVTOS), O(IPPROTO_IP, IP_MTU),
	O(IPPROTO_IP, IP_FREEBIND), O(IPPROTO_IP, IP_TRANSPARENT), O(IPPROTO_IP, IP_MINTTL),
	O(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT), O(IPPROTO_IP, IP_MULTICAST_IF), O(IPPROTO_IP, IP_MULTICAST_TTL),
	O(IPPROTO_IP, IP_MULTICAST_LOOP), O(IPPROTO_IP, IP_ADD_MEMBERSHIP), O(IPPROTO_IP, IP_DROP_MEMBERSHIP),
	O(IPPROTO_IP, IP_MULTICAST_ALL), O(IPPROTO_IP, IP_UNICAST_IF), O(IPPROTO_IP, IP_ROUTER_ALERT),
	O(IPPROTO_IP, IP_NODEFRAG), O(IPPROTO_IP, IP_CHECKSUM), O(IPPROTO_IP, IP_RECVFRAGSIZE),
	O(IPPROTO_IP, IP_RECVORIGDSTADDR), O(IPPROTO_IP, IP_BLOCK_SOURCE), O(IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP),
	O(IPPROTO_IP, IP_MSFILTER),
	O(IPPROTO_TCP, TCP_NODELAY), O(IPPROTO_TCP, TCP_MAXSEG), O(IPPROTO_TCP, TCP_CORK), O(IPPROTO_TCP, TCP_KEEPIDLE),
	O(IPPROTO_TCP, TCP_KEEPINTVL), O(IPPROTO_TCP, TCP_KEEPCNT), O(IPPROTO_TCP, TCP_SYNCNT), O(IPPROTO_TCP, TCP_LINGER2),
	O(IPPROTO_TCP, TCP_DEFER_ACCEPT), O(IPPROTO_TCP, TCP_WINDOW_CLAMP), O(IPPROTO_TCP, TCP_INFO),
	O(IPPROTO_TCP, TCP_QUICKACK), O(IPPROTO_TCP, TCP_CONGESTION), O(IPPROTO_TCP, TCP_USER_TIMEOUT),
	O(IPPROTO_TCP, TCP_FASTOPEN), O(IPPROTO_TCP, TCP_FASTOPEN_CONNECT), O(IPPROTO_TCP, TCP_TIMESTAMP),
	O(IPPROTO_TCP, TCP_NOTSENT_LOWAT), O(IPPROTO_TCP, TCP_SAVE_SYN), O(IPPROTO_TCP, TCP_SAVED_SYN),
	O(IPPROTO_TCP, TCP_REPAIR), O(IPPROTO_TCP, TCP_INQ), O(IPPROTO_TCP, TCP_ULP), O(IPPROTO_TCP, TCP_MD5SIG),
	O(IPPROTO_TCP, TCP_THIN_LINEAR_TIMEOUTS), O(IPPROTO_TCP, TCP_THIN_DUPACK), O(IPPROTO_TCP, TCP_TX_DELAY),
	O(IPPROTO_UDP, UDP_CORK), O(IPPROTO_UDP, UDP_SEGMENT), O(IPPROTO_UDP, UDP_GRO), O(IPPROTO_UDP, UDP_ENCAP),
	O(IPPROTO_UDP, UDP_NO_CHECK6_TX), { "ICMP_FILTER", 1, 255 },
};

static const struct sc_word flags[] = {
	{ "OOB", MSG_OOB, 0 }, { "PEEK", MSG_PEEK, 0 }, { "DONTROUTE", MSG_DONTROUTE, 0 }, { "CTRUNC", MSG_CTRUNC, 0 },
	{ "TRUNC", MSG_TRUNC, 0 }, { "DONTWAIT", MSG_DONTWAIT, 0 }, { "EOR", MSG_EOR, 0 }, { "WAITALL", MSG_WAITALL, 0 },
	{ "NOSIGNAL", MSG_NOSIGNAL, 0 }, { "MORE", MSG_MORE, 0 }, { "ERRQUEUE", MSG_ERRQUEUE, 0 },
	{ "CONFIRM", MSG_CONFIRM, 0 }, { "FASTOPEN", MSG_FASTOPEN, 0 }, { "PROBE", 0x10, 0 }, { "ZEROCOPY", MSG_ZEROCOPY, 0 },
};

static const struct sc_word numbers[] = {
	N(AF_UNSPEC), N(AF_UNIX), N(AF_INET), N(AF_INET6), N(AF_PACKET), N(AF_NETLINK), N(SOCK_STREAM), N(SOCK_DGRAM),
	N(SOCK_RAW), N(SOCK_RDM), N(SOCK_SEQPACKET), N(SOCK_NONBLOCK), N(SOCK_CLOEXEC), N(IPPROTO_ICMP), N(IPPROTO_TCP),
	N(IPPROTO_UDP), N(IPPROTO_RAW), N(IPPROTO_IGMP), N(INT32_MAX), N(INT32_MIN),
};

const char *sc_errno(long e)
{
	for (size_t i = 0; i < COUNT(errs); i++)
		if (errs[i].value == -e)
			return errs[i].name;
	return "E?";
}

const struct sc_word *sc_option(const char *name)
{
	for (size_t i = 0; i < COUNT(options); i++)
		if (!strcmp(options[i].name, name))
			return &options[i];
	return NULL;
}

/* One name of a list that is joined by '|'. */
static long lookup(const struct sc_word *w, size_t n, const char *s, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(w[i].name) == len && !memcmp(w[i].name, s, len))
			return w[i].value;
	return strtol(s, NULL, 0);
}

static long joined(const struct sc_word *w, size_t n, const char *s)
{
	long v = 0;

	for (;; s++) {
		size_t len = strcspn(s, "|");

		v |= lookup(w, n, s, len);
		s += len;
		if (!*s)
			return v;
	}
}

long sc_flags(const char *s) { return joined(flags, COUNT(flags), s); }

long sc_number(const char *s) { return joined(numbers, COUNT(numbers), s); }

const char *sc_events(short revents, char out[64])
{
	static const struct sc_word ev[] = {
		{ "in", POLLIN, 0 }, { "pri", POLLPRI, 0 }, { "out", POLLOUT, 0 }, { "err", POLLERR, 0 }, { "hup", POLLHUP, 0 },
		{ "nval", POLLNVAL, 0 }, { "rdhup", POLLRDHUP, 0 }, { "rdband", POLLRDBAND, 0 }, { "wrband", POLLWRBAND, 0 },
		{ "rdnorm", POLLRDNORM, 0 }, { "wrnorm", POLLWRNORM, 0 },
	};

	out[0] = '\0';
	for (size_t i = 0; i < COUNT(ev); i++)
		if (revents & ev[i].value) {
			if (out[0])
				strcat(out, "+");
			strcat(out, ev[i].name);
		}
	return out[0] ? out : "0";
}
