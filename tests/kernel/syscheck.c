/* The interpreter of cases (syscheck.h): sockets, calls, options, ioctls. Called by main below (libc), or by
 * kernel-culver's check task; packets are syscheck_wire.c's. */
#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include "syscheck.h"

#define SETTLE_NS 1000000u /* after each call, so that what it sent over lo has been dealt with */
#define SAY(...) task_printf(s->t, __VA_ARGS__)
#define ARG(i) ((i) < s->argc ? s->argv[i] : "")

static void result(struct sc *s, const char *what, long r)
{
	if (r < 0)
		SAY(" %s=%s", what, sc_errno(r));
	else
		SAY(" %s=%ld", what, r);
}

int sc_fd(struct sc *s, const char *name)
{
	return name[0] >= 'a' && name[0] <= 'z' ? s->fd[name[0] - 'a'] : 9999;
}

int sc_port_show(struct sc *s, uint16_t port, char out[8])
{
	int i;

	if (s->port0 && port >= s->port0 && port < s->port0 + 10)
		return snprintf(out, 8, "p%d", port - s->port0);
	if (port < 32768 || port > 60999)
		return snprintf(out, 8, "%u", port);
	for (i = 0; i < s->n_eph && s->eph[i] != port; i++)
		;
	if (i == s->n_eph && i < SC_EPH)
		s->eph[s->n_eph++] = port;
	return snprintf(out, 8, "e%d", i + 1);
}

union sc_addr {
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static void addr_show(struct sc *s, const char *what, const void *addr, socklen_t len)
{
	const struct sockaddr_in *a = addr;
	const struct sockaddr_in6 *a6 = addr;
	char ip[INET6_ADDRSTRLEN], port[8];

	if (len >= sizeof(*a6) && a6->sin6_family == AF_INET6) {
		inet_ntop(AF_INET6, &a6->sin6_addr, ip, sizeof(ip));
		sc_port_show(s, ntohs(a6->sin6_port), port);
		SAY(" %s=[%s]:%s", what, ip, port);
		return;
	}
	if (len < sizeof(*a) || a->sin_family != AF_INET) {
		SAY(" %s=len:%u,family:%u", what, len, len >= 2 ? a->sin_family : 0u);
		return;
	}
	inet_ntop(AF_INET, &a->sin_addr, ip, sizeof(ip));
	sc_port_show(s, ntohs(a->sin_port), port);
	SAY(" %s=%s:%s", what, ip, port);
}

/* ADDR:PORT or [ADDR6]:PORT of argument i, with len= and fam= after it. */
static socklen_t addr_arg(struct sc *s, int i, union sc_addr *a)
{
	char ip[64];
	bool v6 = ARG(i)[0] == '[';
	const char *text = ARG(i) + v6, *end = text + strcspn(text, v6 ? "]" : ":"), *colon = strchr(end, ':'), *port = colon ? colon + 1 : "0";
	socklen_t len = v6 ? sizeof(a->in6) : sizeof(a->in);

	memset(a, 0, sizeof(*a));
	a->in.sin_family = v6 ? AF_INET6 : AF_INET;
	snprintf(ip, sizeof(ip), "%.*s", (int)(end - text), text);
	inet_pton(a->in.sin_family, ip, v6 ? (void *)&a->in6.sin6_addr : (void *)&a->in.sin_addr);
	a->in.sin_port = htons((uint16_t)(port[0] == 'p' ? s->port0 + atoi(port + 1) : atoi(port)));
	for (i++; i < s->argc; i++) {
		if (!strncmp(ARG(i), "len=", 4))
			len = (socklen_t)atoi(ARG(i) + 4);
		if (!strncmp(ARG(i), "fam=", 4))
			a->in.sin_family = (sa_family_t)sc_number(ARG(i) + 4);
	}
	return len;
}

static void keep_fd(struct sc *s, const char *name, const char *what, int fd)
{
	if (fd < 0) {
		result(s, what, fd);
		return;
	}
	SAY(" %s=ok", what);
	if (name[0] >= 'a' && name[0] <= 'z')
		s->fd[name[0] - 'a'] = fd;
}

static void op_sock(struct sc *s)
{
	keep_fd(s, ARG(1), "sock", sys_socket(s->t, (int)sc_number(ARG(2)), (int)sc_number(ARG(3)), (int)sc_number(ARG(4))));
}

static void quick_of(struct sc *s, int family, int type, int proto)
{
	int fd = sys_socket(s->t, family, type, proto);

	if (fd < 0)
		result(s, ARG(0), fd);
	else
		s->fd[ARG(1)[0] - 'a'] = fd;
}
static void quick(struct sc *s, int type, int proto) { quick_of(s, AF_INET, type, proto); }
static void quick6(struct sc *s, int type) { quick_of(s, AF_INET6, type, 0); }
static void op_tcp(struct sc *s) { quick(s, SOCK_STREAM, 0); }
static void op_udp(struct sc *s) { quick(s, SOCK_DGRAM, 0); }
static void op_tcp6(struct sc *s) { quick6(s, SOCK_STREAM); }
static void op_udp6(struct sc *s) { quick6(s, SOCK_DGRAM); }
static void op_ping(struct sc *s) { quick(s, SOCK_DGRAM, IPPROTO_ICMP); }
static void op_raw(struct sc *s) { quick(s, SOCK_RAW, (int)sc_number(ARG(2))); }

static void op_bind(struct sc *s)
{
	union sc_addr a;
	socklen_t len = addr_arg(s, 2, &a);

	result(s, "bind", sys_bind(s->t, sc_fd(s, ARG(1)), (void *)&a, len));
}

static void op_connect(struct sc *s)
{
	union sc_addr a;
	socklen_t len = addr_arg(s, 2, &a);

	result(s, "connect", sys_connect(s->t, sc_fd(s, ARG(1)), (void *)&a, len));
}

static void op_listen(struct sc *s)
{
	result(s, "listen", sys_listen(s->t, sc_fd(s, ARG(1)), atoi(ARG(2))));
}

static void op_accept(struct sc *s)
{
	union sc_addr a;
	socklen_t len = sizeof(a);
	int fd = sys_accept4(s->t, sc_fd(s, ARG(1)), (void *)&a, &len, (int)sc_number(ARG(3)));

	keep_fd(s, ARG(2), "accept", fd);
	if (fd >= 0)
		addr_show(s, "from", &a, len);
}

/* send N LEN [FLAGS]; sendto N LEN ADDR [FLAGS] [len=] [fam=] */
static void op_send(struct sc *s)
{
	long n = sys_sendto(s->t, sc_fd(s, ARG(1)), s->buf, (size_t)atol(ARG(2)), (int)sc_flags(ARG(3)) | MSG_NOSIGNAL, NULL, 0);

	result(s, "send", n);
}

static void op_sendto(struct sc *s)
{
	union sc_addr a;
	socklen_t len = addr_arg(s, 3, &a);
	int flags = strchr(ARG(4), '=') ? 0 : (int)sc_flags(ARG(4));

	result(s, "sendto", sys_sendto(s->t, sc_fd(s, ARG(1)), s->buf, (size_t)atol(ARG(2)), flags | MSG_NOSIGNAL, (void *)&a, len));
}

/* sendfrom N LEN ADDR SOURCE: with IP_PKTINFO */
static void op_sendfrom(struct sc *s)
{
	union sc_addr a;
	struct in_pktinfo info = { 0 };
	char ctl[CMSG_SPACE(sizeof(info))] = { 0 };
	struct iovec v = { s->buf, (size_t)atol(ARG(2)) };
	struct msghdr m = { .msg_name = &a, .msg_namelen = addr_arg(s, 3, &a), .msg_iov = &v, .msg_iovlen = 1, .msg_control = ctl, .msg_controllen = sizeof(ctl) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	inet_pton(AF_INET, ARG(4), &info.ipi_spec_dst);
	c->cmsg_level = IPPROTO_IP;
	c->cmsg_type = IP_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(c), &info, sizeof(info));
	result(s, "sendfrom", sys_sendmsg(s->t, sc_fd(s, ARG(1)), &m, MSG_NOSIGNAL));
}

static void op_recv(struct sc *s)
{
	union sc_addr a = { 0 };
	struct iovec v = { s->buf, (size_t)atol(ARG(2)) };
	struct msghdr m = { .msg_name = &a, .msg_namelen = sizeof(a), .msg_iov = &v, .msg_iovlen = 1 };
	long n;

	n = sys_recvmsg(s->t, sc_fd(s, ARG(1)), &m, (int)sc_flags(ARG(3)) | (strcmp(ARG(4), "wait") ? MSG_DONTWAIT : 0));
	result(s, "recv", n);
	if (n >= 0 && m.msg_namelen)
		addr_show(s, "from", &a, m.msg_namelen);
	if (n >= 0 && (m.msg_flags & ~MSG_DONTWAIT))
		SAY(" flags=0x%x", (unsigned)m.msg_flags);
}

/* The error queue's head: what recvmsg(MSG_ERRQUEUE) says. */
static void op_errq(struct sc *s)
{
	char ctl[512], ip[INET6_ADDRSTRLEN] = "-";
	union sc_addr a = { 0 };
	struct iovec v = { s->buf, SC_BUF };
	struct msghdr m = { .msg_name = &a, .msg_namelen = sizeof(a), .msg_iov = &v, .msg_iovlen = 1, .msg_control = ctl, .msg_controllen = sizeof(ctl) };
	long n = sys_recvmsg(s->t, sc_fd(s, ARG(1)), &m, MSG_ERRQUEUE | MSG_DONTWAIT);

	result(s, "errq", n);
	if (n < 0)
		return;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		struct sock_extended_err e;
		const struct sockaddr_in *o = (void *)(CMSG_DATA(c) + sizeof(e));
		bool v6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR;

		if (!v6 && (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_RECVERR))
			continue;
		memcpy(&e, CMSG_DATA(c), sizeof(e));
		if (o->sin_family == AF_INET)
			inet_ntop(AF_INET, &o->sin_addr, ip, sizeof(ip));
		else if (o->sin_family == AF_INET6)
			inet_ntop(AF_INET6, (const uint8_t *)o + 8, ip, sizeof(ip));
		SAY(v6 ? " ee6=%s" : " ee=%s", sc_errno(-(long)e.ee_errno));
		SAY(",origin:%u,type:%u,code:%u,info:%u,from:%s", e.ee_origin, e.ee_type,
		    e.ee_code, e.ee_info, ip);
	}
	addr_show(s, "to", &a, m.msg_namelen);
	SAY(" flags=0x%x", (unsigned)m.msg_flags);
}

static void op_shut(struct sc *s)
{
	result(s, "shutdown", sys_shutdown(s->t, sc_fd(s, ARG(1)), atoi(ARG(2))));
}

static void op_close(struct sc *s)
{
	int fd = sc_fd(s, ARG(1));

	result(s, "close", sys_close(s->t, fd));
	if (ARG(1)[0] >= 'a' && ARG(1)[0] <= 'z')
		s->fd[ARG(1)[0] - 'a'] = -1;
}

/* A value: 5, text:eth1, hex:0102, linger:ON,SECONDS, tv:USEC, mreq:GROUP,INTERFACE, mreqn:GROUP,ADDR,INDEX. Length. */
static socklen_t value_arg(const char *v, uint8_t out[256])
{
	char a[32] = "", b[32] = "";
	int x = 0, y = 0;
	unsigned byte;
	socklen_t n = 0;

	memset(out, 0, 256);
	if (sscanf(v, "linger:%d,%d", &x, &y) == 2) {
		struct linger l = { x, y };
		memcpy(out, &l, sizeof(l));
		return sizeof(l);
	}
	if (sscanf(v, "tv:%d,%d", &x, &y) == 2) {
		struct timeval l = { x, y };
		memcpy(out, &l, sizeof(l));
		return sizeof(l);
	}
	if (sscanf(v, "mreqn:%31[^,],%31[^,],%d", a, b, &x) == 3 || sscanf(v, "mreq:%31[^,],%31s", a, b) == 2) {
		inet_pton(AF_INET, a, out);
		inet_pton(AF_INET, b, out + 4);
		memcpy(out + 8, &x, 4);
		return v[4] == 'n' ? 12 : 8;
	}
	if (!strncmp(v, "text:", 5)) {
		memcpy(out, v + 5, strlen(v + 5) + 1);
		return (socklen_t)strlen(v + 5) + 1;
	}
	if (!strncmp(v, "hex:", 4)) {
		for (v += 4; n < 256 && sscanf(v, "%2x", &byte) == 1; v += 2)
			out[n++] = (uint8_t)byte;
		return n;
	}
	x = (int)sc_number(v);
	memcpy(out, &x, 4);
	return 4;
}

static void op_set(struct sc *s)
{
	const struct sc_word *o = sc_option(ARG(2));
	uint8_t val[256];
	socklen_t len = value_arg(ARG(3), val);
	const char *dot = strchr(ARG(2), '.');
	int level = o ? o->level : atoi(ARG(2)), name = o ? (int)o->value : dot ? atoi(dot + 1) : 0;

	if (!strncmp(ARG(4), "len=", 4))
		len = (socklen_t)atoi(ARG(4) + 4);
	SAY(" %s", ARG(2));
	result(s, "set", sys_setsockopt(s->t, sc_fd(s, ARG(1)), level, name, !strcmp(ARG(3), "null") ? NULL : val, len));
}

static void value_show(struct sc *s, const uint8_t *v, socklen_t len)
{
	int x;

	if (len == 4) {
		memcpy(&x, v, 4);
		SAY("=%d", x);
		return;
	}
	SAY("=[%u]", len);
	for (socklen_t i = 0; i < len && i < 20; i++)
		SAY("%02x", v[i]);
}

static void op_get(struct sc *s)
{
	const struct sc_word *o = sc_option(ARG(2));
	const char *dot = strchr(ARG(2), '.');
	int level = o ? o->level : atoi(ARG(2)), name = o ? (int)o->value : dot ? atoi(dot + 1) : 0, r;
	uint8_t val[256] = { 0 };
	socklen_t len = !strncmp(ARG(3), "len=", 4) ? (socklen_t)atoi(ARG(3) + 4) : 4;

	r = sys_getsockopt(s->t, sc_fd(s, ARG(1)), level, name, val, &len);
	SAY(" %s", ARG(2));
	if (r < 0)
		result(s, "get", r);
	else if (name == SO_ERROR && level == SOL_SOCKET && len == 4 && (val[0] || val[1]))
		SAY("=%s", sc_errno(-(val[0] | val[1] << 8)));
	else
		value_show(s, val, len);
}

static void op_name(struct sc *s)
{
	union sc_addr a = { 0 };
	socklen_t len = sizeof(a);
	bool peer = !strcmp(ARG(0), "peer");
	int r = peer ? sys_getpeername(s->t, sc_fd(s, ARG(1)), (void *)&a, &len) : sys_getsockname(s->t, sc_fd(s, ARG(1)), (void *)&a, &len);

	if (r < 0)
		result(s, ARG(0), r);
	else
		addr_show(s, ARG(0), &a, len);
}

static void op_poll(struct sc *s)
{
	struct pollfd p = { .fd = sc_fd(s, ARG(1)), .events = POLLIN | POLLPRI | POLLOUT | POLLRDHUP };
	char ev[64];
	int r = sys_poll(s->t, &p, 1, s->argc > 2 ? atoi(ARG(2)) : 0);

	if (r < 0)
		result(s, "poll", r);
	else
		SAY(" poll=%s", sc_events(p.revents, ev));
}

static void op_ioctl(struct sc *s)
{
	static const struct sc_word names[] = {
		{ "SIOCINQ", SIOCINQ, 0 }, { "SIOCOUTQ", SIOCOUTQ, 0 }, { "SIOCATMARK", SIOCATMARK, 0 }, { "FIONBIO", FIONBIO, 0 },
		{ "SIOCGSTAMP", 0x8906, 0 }, { "SIOCOUTQNSD", 0x894B, 0 }, { "UNKNOWN", 0x1234, 0 },
	};
	uint8_t val[64] = { 0 };
	int v = atoi(ARG(3)), r;
	unsigned long cmd = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i].name, ARG(2)))
			cmd = (unsigned long)names[i].value;
	memcpy(val, &v, 4);
	r = sys_ioctl(s->t, sc_fd(s, ARG(1)), cmd, val);
	SAY(" %s", ARG(2));
	if (r < 0)
		result(s, "ioctl", r);
	else
		value_show(s, val, 4);
}

static void ifreq_fill(struct sc *s, struct ifreq *r)
{
	struct sockaddr_in a = { .sin_family = AF_INET };

	memset(r, 0, sizeof(*r));
	snprintf(r->ifr_name, sizeof(r->ifr_name), "%s", ARG(3));
	if (strchr(ARG(4), '.') && inet_pton(AF_INET, ARG(4), &a.sin_addr) == 1)
		memcpy(&r->ifr_addr, &a, sizeof(a));
	else if (s->argc > 4)
		r->ifr_flags = (short)strtol(ARG(4), NULL, 0), r->ifr_mtu = (int)strtol(ARG(4), NULL, 0);
}

/* ifreq N IOCTL DEV [ADDR|NUMBER] */
static void op_ifreq(struct sc *s)
{
	static const struct sc_word names[] = {
		{ "SIOCGIFINDEX", SIOCGIFINDEX, 0 }, { "SIOCGIFFLAGS", SIOCGIFFLAGS, 0 }, { "SIOCGIFMTU", SIOCGIFMTU, 0 },
		{ "SIOCGIFMETRIC", SIOCGIFMETRIC, 0 }, { "SIOCGIFTXQLEN", SIOCGIFTXQLEN, 0 }, { "SIOCSIFMTU", SIOCSIFMTU, 0 },
		{ "SIOCSIFFLAGS", SIOCSIFFLAGS, 0 }, { "SIOCGIFADDR", SIOCGIFADDR, 1 }, { "SIOCGIFNETMASK", SIOCGIFNETMASK, 1 },
		{ "SIOCGIFBRDADDR", SIOCGIFBRDADDR, 1 }, { "SIOCGIFDSTADDR", SIOCGIFDSTADDR, 1 }, { "SIOCSIFADDR", SIOCSIFADDR, 1 },
		{ "SIOCSIFNETMASK", SIOCSIFNETMASK, 1 }, { "SIOCSIFBRDADDR", SIOCSIFBRDADDR, 1 },
	};
	struct ifreq r;

	ifreq_fill(s, &r);
	SAY(" %s", ARG(2));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int err;
		if (strcmp(names[i].name, ARG(2)) != 0)
			continue;
		err = sys_ioctl(s->t, sc_fd(s, ARG(1)), (unsigned long)names[i].value, &r);
		if (err < 0)
			result(s, "ifreq", err);
		else if (names[i].level)
			addr_show(s, "addr", (void *)&r.ifr_addr, sizeof(struct sockaddr_in));
		else if (names[i].value == SIOCGIFFLAGS || names[i].value == SIOCSIFFLAGS)
			SAY("=0x%hx", (unsigned short)r.ifr_flags);
		else
			SAY("=%d", r.ifr_mtu);
	}
}

static void op_wait(struct sc *s) { sys_nanosleep(s->t, (uint64_t)atol(ARG(1)) * 1000000u); }

static void op_nb(struct sc *s)
{
	int r = sys_fcntl(s->t, sc_fd(s, ARG(1)), F_SETFL, O_NONBLOCK);

	if (r < 0)
		result(s, "fcntl", r);
}

/* own N WHAT [PID]: PID is self, group, nosuch or a number. signals: which have come since they were last asked for. */
static long own_pid(struct sc *s, const char *w)
{
	long self = sc_self(s->t);

	return !strcmp(w, "self") ? self : !strcmp(w, "group") ? -self : !strcmp(w, "nosuch") ? 4000000 : sc_number(w);
}

static void own_say(struct sc *s, long pid)
{
	SAY("=%s", pid == sc_self(s->t) ? "self" : pid == -sc_self(s->t) ? "group" : pid ? "another" : "nobody");
}

static void op_own(struct sc *s)
{
	static const struct sc_word names[] = {
		{ "F_SETOWN", F_SETOWN, 0 }, { "F_GETOWN", F_GETOWN, 1 }, { "F_SETSIG", F_SETSIG, 0 }, { "F_GETSIG", F_GETSIG, 0 },
		{ "F_SETOWN_EX", F_SETOWN_EX, 2 }, { "F_GETOWN_EX", F_GETOWN_EX, 3 }, { "FIOASYNC", FIOASYNC, 4 }, { "FIOSETOWN", FIOSETOWN, 4 },
		{ "SIOCSPGRP", SIOCSPGRP, 4 }, { "FIOGETOWN", FIOGETOWN, 5 }, { "SIOCGPGRP", SIOCGPGRP, 5 }, { "F_SETFL", F_SETFL, 0 }, { "F_GETFL", F_GETFL, 0 },
	};
	struct f_owner_ex ex = { (enum __pid_type)sc_number(ARG(4)), (pid_t)own_pid(s, ARG(3)) };
	int fd = sc_fd(s, ARG(1)), pid = (int)own_pid(s, ARG(3));
	long r = -1;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i].name, ARG(2)) != 0)
			continue;
		if (names[i].level >= 4)
			r = sys_ioctl(s->t, fd, (unsigned long)names[i].value, &pid);
		else
			r = sys_fcntl(s->t, fd, (int)names[i].value, names[i].level >= 2 ? (long)&ex : (long)pid);
		if (r == -EBADF || (r < 0 && names[i].level != 1)) {
			result(s, ARG(2), r);
			return;
		}
		SAY(" %s", ARG(2));
		if (names[i].level == 1 || names[i].level == 5)
			own_say(s, names[i].level == 1 ? r : pid);
		else if (names[i].level == 3)
			own_say(s, ex.pid), SAY(",%d", (int)ex.type);
		else
			SAY("=%ld", r);
	}
}

static void op_signals(struct sc *s)
{
	uint64_t mask = sc_signals(s->t);

	SAY(" signals=");
	for (unsigned i = 1; i < 64; i++)
		if (mask >> i & 1)
			SAY("%u,", i);
}

static void op_fast(struct sc *s) { s->fast = true; }

static void op_ports(struct sc *s) { s->port0 = (uint16_t)atoi(ARG(1)); }

/* The state of tcp_info, and the octets that TCP keeps. */
static void op_state(struct sc *s)
{
	static const char *const names[] = { "?", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT",
					     "CLOSE", "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING" };
	uint8_t info[256] = { 0 };
	socklen_t len = sizeof(info);
	int r = sys_getsockopt(s->t, sc_fd(s, ARG(1)), IPPROTO_TCP, TCP_INFO, info, &len);

	if (r < 0)
		result(s, "state", r);
	else
		SAY(" state=%s", info[0] < 12 ? names[info[0]] : "?");
}

static const struct {
	const char *word;
	void (*run)(struct sc *s);
} ops[] = {
	{ "sock", op_sock }, { "tcp", op_tcp }, { "udp", op_udp }, { "tcp6", op_tcp6 }, { "udp6", op_udp6 }, { "raw", op_raw }, { "ping", op_ping }, { "bind", op_bind },
	{ "connect", op_connect }, { "listen", op_listen }, { "accept", op_accept }, { "send", op_send }, { "sendto", op_sendto },
	{ "recv", op_recv }, { "sendfrom", op_sendfrom }, { "errq", op_errq }, { "shut", op_shut }, { "close", op_close }, { "set", op_set }, { "get", op_get },
	{ "name", op_name }, { "peer", op_name }, { "poll", op_poll }, { "ioctl", op_ioctl }, { "ifreq", op_ifreq }, { "wait", op_wait },
	{ "nb", op_nb }, { "ports", op_ports }, { "fast", op_fast }, { "state", op_state }, { "sniff", sc_sniff }, { "frames", sc_frames },
	{ "icmp", sc_icmp }, { "seg", sc_seg }, { "audit", sc_audit }, { "own", op_own }, { "signals", op_signals }, { "knob", sc_knob },
};

static void run_op(struct sc *s, char *op)
{
	char *save = NULL;

	s->argc = 0;
	for (char *w = strtok_r(op, " \t", &save); w && s->argc < SC_MAX_ARGS; w = strtok_r(NULL, " \t", &save))
		s->argv[s->argc++] = w;
	if (!s->argc)
		return;
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (!strcmp(ops[i].word, s->argv[0])) {
			ops[i].run(s);
			return;
		}
	SAY(" %s=no-such-word", s->argv[0]);
}

int syscheck(struct task *t, const char *text)
{
	struct sc *s = calloc(1, sizeof(*s));
	char *copy = strdup(text), *save = NULL;

	if (!s || !copy) {
		free(s);
		free(copy);
		return 2;
	}
	s->t = t;
	s->sniff = -1;
	memset(s->buf, 'x', sizeof(s->buf));
	for (int i = 0; i < 26; i++)
		s->fd[i] = -1;
	for (char *op = strtok_r(copy, ";", &save); op; op = strtok_r(NULL, ";", &save)) {
		run_op(s, op);
		if (!s->fast)
			sys_nanosleep(t, SETTLE_NS);
	}
	task_printf(t, "\n");
	for (int i = 0; i < 26; i++)
		if (s->fd[i] >= 0)
			sys_close(t, s->fd[i]);
	if (s->sniff >= 0)
		sys_close(t, s->sniff);
	free(s);
	free(copy);
	return 0;
}

#ifdef SYSCHECK_LIBC
int main(int argc, char **argv)
{
	struct task t = { 0 };

	return argc == 2 ? syscheck(&t, argv[1]) : 2;
}
#endif
