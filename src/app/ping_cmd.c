/* ping: ICMP echo as iputils prints it. Raw socket by default, a ping socket with -R dgram (S1-08, S1-16).
 * Uses only system calls. Tests: tests/lab, S0-17, S0-24, S1-19. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include "app/app_cmds.h"
#include "app/app_util.h"
#include "base/strbuf.h"
#include "socket/syscall.h"
#include "wire/ip4.h"

#define PING_MAX_SIZE 65507
#define PING_SEQ_MAX 65536

struct ping {
	struct task *t;
	int fd;
	bool dgram, quiet, numeric;
	uint32_t dst, src;
	uint16_t id;
	uint64_t count, size, interval_ns, timeout_ns, deadline_ns;
	uint64_t sent, received, errors, dup;
	uint64_t rtt_min, rtt_max, rtt_sum, rtt_sum2; /* us */
	uint64_t t_start, t_last;
	uint64_t sent_at[64]; /* by sequence, the last 64 */
	bool seen[64];
	uint8_t *buf;
	const char *name, *iface; /* -I: a device or an address */
};

/* What carries no time of sending has no round-trip time to show, as with iputils. */
static bool timed(const struct ping *p) { return p->size >= 16; }

static uint64_t isqrt(uint64_t v)
{
	uint64_t r = 0, bit = 1ULL << 62;

	while (bit > v)
		bit >>= 2;
	for (; bit; bit >>= 2) {
		if (v >= r + bit) {
			v -= r + bit;
			r = (r >> 1) + bit;
		} else {
			r >>= 1;
		}
	}
	return r;
}

/* Milliseconds as ping prints them: three significant decimals below 10 ms, fewer above. */
static void print_ms(struct task *t, uint64_t us)
{
	if (us < 100000)
		task_printf(t, us < 10000 ? "%llu.%03llu" : "%llu.%llu", (unsigned long long)(us / 1000),
			    (unsigned long long)(us < 10000 ? us % 1000 : us % 1000 / 100));
	else
		task_printf(t, "%llu", (unsigned long long)(us / 1000));
}

static const char *unreach_text(uint8_t code)
{
	static const char *const text[] = {
		"Destination Net Unreachable", "Destination Host Unreachable", "Destination Protocol Unreachable",
		"Destination Port Unreachable", "Frag needed and DF set", "Source Route Failed",
		"Destination Net Unknown", "Destination Host Unknown", "Source Host Isolated",
		"Destination Net Prohibited", "Destination Host Prohibited",
		"Destination Net Unreachable for Type of Service",
		"Destination Host Unreachable for Type of Service", "Packet filtered", "Precedence Violation",
		"Precedence Cutoff"
	};
	return code < ARRAY_SIZE(text) ? text[code] : "Dest Unreachable, Bad Code";
}

static void print_error(struct ping *p, uint32_t from, const struct icmp_hdr *h, uint16_t seq)
{
	char a[IP4_STRLEN];

	p->errors++;
	if (p->quiet)
		return;
	task_printf(p->t, "From %s icmp_seq=%u ", ip4_str(a, from), seq);
	if (h->type == ICMP_DEST_UNREACH && h->code == ICMP_FRAG_NEEDED)
		task_printf(p->t, "Frag needed and DF set (mtu = %u)\n", get_be16(h->rest + 2));
	else if (h->type == ICMP_DEST_UNREACH)
		task_printf(p->t, "%s\n", unreach_text(h->code));
	else if (h->type == ICMP_TIME_EXCEEDED)
		task_puts(p->t, h->code == ICMP_EXC_TTL ? "Time to live exceeded\n" : "Frag reassembly time exceeded\n");
	else if (h->type == ICMP_REDIRECT)
		task_printf(p->t, "Redirect Host(New nexthop: %s)\n", ip4_str(a, get_be32(h->rest)));
	else
		task_printf(p->t, "Bad ICMP type: %u\n", h->type);
}

static void echo_reply(struct ping *p, uint32_t from, const struct icmp_hdr *h, size_t len, int ttl)
{
	uint16_t seq = get_be16(h->rest + 2);
	uint64_t now = sys_clock_ns(p->t), us;
	char a[IP4_STRLEN];
	bool dup = p->seen[seq % 64];

	us = (now - p->sent_at[seq % 64]) / NSEC_PER_USEC;
	p->seen[seq % 64] = true;
	if (dup) {
		p->dup++;
	} else {
		p->received++;
		p->rtt_sum += us;
		p->rtt_sum2 += us * us;
		p->rtt_min = p->received == 1 ? us : min_u64(p->rtt_min, us);
		p->rtt_max = max_u64(p->rtt_max, us);
	}
	p->t_last = now;
	if (p->quiet)
		return;
	task_printf(p->t, "%zu bytes from %s: icmp_seq=%u ttl=%d", len, ip4_str(a, from), seq, ttl);
	if (timed(p)) {
		task_puts(p->t, " time=");
		print_ms(p->t, us);
		task_puts(p->t, " ms");
	}
	task_puts(p->t, dup ? " (DUP!)\n" : "\n");
}

/* An ICMP error arrived on a raw socket: is the quoted packet one of our echoes? */
static void raw_error(struct ping *p, uint32_t from, const uint8_t *icmp, size_t len)
{
	const struct ip4_hdr *ip = (const struct ip4_hdr *)(const void *)(icmp + ICMP_HLEN);
	const struct icmp_hdr *q;

	if (len < ICMP_HLEN + IP4_HLEN || ip4_hlen(ip) < IP4_HLEN || len < ICMP_HLEN + ip4_hlen(ip) + ICMP_HLEN)
		return;
	q = (const struct icmp_hdr *)(const void *)(icmp + ICMP_HLEN + ip4_hlen(ip));
	if (ip->protocol != IPPROTO_ICMP || q->type != ICMP_ECHO || get_be16(q->rest) != p->id ||
	    ip4_daddr(ip) != p->dst)
		return;
	print_error(p, from, (const struct icmp_hdr *)(const void *)icmp, get_be16(q->rest + 2));
}

static void one_packet(struct ping *p, const uint8_t *b, size_t len, uint32_t from, int ttl)
{
	const struct icmp_hdr *h;

	if (!p->dgram) {
		const struct ip4_hdr *ip = (const struct ip4_hdr *)(const void *)b;
		if (len < IP4_HLEN || len < ip4_hlen(ip))
			return;
		ttl = ip->ttl;
		len -= ip4_hlen(ip);
		b += ip4_hlen(ip);
	}
	if (len < ICMP_HLEN)
		return;
	h = (const struct icmp_hdr *)(const void *)b;
	if (h->type == ICMP_ECHOREPLY) {
		if (p->dgram || get_be16(h->rest) == p->id)
			echo_reply(p, from, h, len, ttl);
	} else if (h->type != ICMP_ECHO && !p->dgram) {
		raw_error(p, from, b, len);
	}
}

/* What this host refused to send. */
static void print_local(struct ping *p, int err, uint32_t mtu)
{
	p->errors++;
	if (err == EMSGSIZE)
		task_eprintf(p->t, "ping: local error: message too long, mtu=%u\n", mtu);
	else
		task_eprintf(p->t, "ping: local error: %s\n", app_strerror(-err));
}

/* Take what the error queue holds (IP_RECVERR): on a ping socket all, on a raw one what this host said itself. */
static void drain_errors(struct ping *p)
{
	uint8_t data[64], ctl[256];
	struct sockaddr_in a;

	for (;;) {
		struct iovec iov = { data, sizeof(data) };
		struct msghdr m = { .msg_name = &a, .msg_namelen = sizeof(a), .msg_iov = &iov, .msg_iovlen = 1,
				    .msg_control = ctl, .msg_controllen = sizeof(ctl) };
		ssize_t n = sys_recvmsg(p->t, p->fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT);
		if (n < 0)
			return;
		for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
			struct { uint32_t ee_errno; uint8_t origin, type, code, pad; uint32_t info, data; struct sockaddr_in off; } e;
			struct icmp_hdr h = { 0 };
			if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_RECVERR)
				continue;
			memcpy(&e, CMSG_DATA(c), sizeof(e));
			h.type = e.type;
			h.code = e.code;
			put_be16(h.rest + 2, (uint16_t)e.info);
			if (e.origin == 2 && p->dgram) /* SO_EE_ORIGIN_ICMP */
				print_error(p, ntohl(e.off.sin_addr.s_addr), &h,
					    n >= ICMP_HLEN ? get_be16(data + 6) : 0);
			else if (e.origin == 1) /* SO_EE_ORIGIN_LOCAL */
				print_local(p, (int)e.ee_errno, e.info);
		}
	}
}

/* Receive until the deadline; stops early when all that was sent has been answered and stop_early. */
static bool receive_until(struct ping *p, uint64_t deadline, bool stop_early)
{
	for (;;) {
		uint64_t now = sys_clock_ns(p->t);
		struct pollfd pfd = { .fd = p->fd, .events = POLLIN };
		struct sockaddr_in from;
		uint8_t ctl[64];
		struct iovec iov = { p->buf, PING_MAX_SIZE + 128 };
		struct msghdr m = { .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1,
				    .msg_control = ctl, .msg_controllen = sizeof(ctl) };
		int ttl = 0;
		ssize_t n;

		if (stop_early && p->received + p->errors >= p->sent)
			return true;
		if (now >= deadline)
			return true;
		n = sys_poll(p->t, &pfd, 1, (int)((deadline - now + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC));
		if (n == -EINTR)
			return false;
		if (n <= 0)
			continue;
		if (pfd.revents & POLLERR)
			drain_errors(p);
		n = sys_recvmsg(p->t, p->fd, &m, MSG_DONTWAIT);
		if (n < 0)
			continue;
		for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
			if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL)
				memcpy(&ttl, CMSG_DATA(c), sizeof(ttl));
		one_packet(p, p->buf, (size_t)n, ntohl(from.sin_addr.s_addr), ttl);
	}
}

/* One echo request. An error is told, or has been told by the error queue. */
static int send_echo(struct ping *p)
{
	size_t len = ICMP_HLEN + p->size;
	struct icmp_hdr *h = (struct icmp_hdr *)(void *)p->buf;
	struct sockaddr_in to = app_sockaddr(p->dst, 0);
	uint16_t seq = (uint16_t)++p->sent;
	ssize_t n;

	memset(p->buf, 0, ICMP_HLEN);
	h->type = ICMP_ECHO;
	put_be16(h->rest, p->id);
	put_be16(h->rest + 2, seq);
	for (size_t i = 0; i < p->size; i++)
		p->buf[ICMP_HLEN + i] = (uint8_t)i;
	put_be16(h->checksum, csum_fold(csum_partial(p->buf, len, 0)));
	p->t_last = p->sent_at[seq % 64] = sys_clock_ns(p->t);
	p->seen[seq % 64] = false;
	n = sys_sendto(p->t, p->fd, p->buf, len, 0, (struct sockaddr *)&to, sizeof(to));
	if (n < 0) {
		uint64_t before = p->errors;

		drain_errors(p);
		if (p->errors == before) {
			p->errors++;
			task_eprintf(p->t, "ping: sendmsg: %s\n", app_strerror((int)n));
		}
	}
	return (int)n;
}

/* 3 of 7 are 42.8571 percent: six digits, as printf's %g has them. */
static void print_loss(struct ping *p)
{
	uint64_t lost = p->sent - min_u64(p->sent, p->received), scale = 10000, v;
	int digits = 4;

	if (p->sent && lost * 10 < p->sent) { /* below ten percent */
		scale *= 10;
		digits++;
	}
	v = p->sent ? (lost * 100 * scale + p->sent / 2) / p->sent : 0;
	while (digits && v % 10 == 0) {
		v /= 10;
		scale /= 10;
		digits--;
	}
	task_printf(p->t, ", %llu", (unsigned long long)(v / scale));
	if (digits)
		task_printf(p->t, ".%0*llu", digits, (unsigned long long)(v % scale));
}

static int finish(struct ping *p)
{
	uint64_t ms = p->sent ? (p->t_last - p->t_start) / NSEC_PER_MSEC : 0;

	task_printf(p->t, "\n--- %s ping statistics ---\n%llu packets transmitted, %llu received", p->name,
		    (unsigned long long)p->sent, (unsigned long long)p->received);
	if (p->dup)
		task_printf(p->t, ", +%llu duplicates", (unsigned long long)p->dup);
	if (p->errors)
		task_printf(p->t, ", +%llu errors", (unsigned long long)p->errors);
	print_loss(p);
	task_printf(p->t, "%% packet loss, time %llums\n", (unsigned long long)ms);
	if (p->received && timed(p)) {
		uint64_t avg = p->rtt_sum / p->received;
		uint64_t var = p->rtt_sum2 / p->received - avg * avg;
		uint64_t v[4] = { p->rtt_min, avg, p->rtt_max, isqrt(var) };
		task_puts(p->t, "rtt min/avg/max/mdev = ");
		for (int i = 0; i < 4; i++)
			task_printf(p->t, "%s%llu.%03llu", i ? "/" : "", (unsigned long long)(v[i] / 1000),
				    (unsigned long long)(v[i] % 1000));
		task_puts(p->t, " ms\n");
	} else {
		task_puts(p->t, "\n");
	}
	return p->received ? 0 : 1;
}

/* -I: from an address, or through a device. probe is the socket that asks for the route. */
static int from_iface(struct ping *p, const char *iface, int probe)
{
	socklen_t len = (socklen_t)strlen(iface) + 1;
	uint32_t a;
	int err;

	if (!ip4_parse(iface, &a)) {
		struct sockaddr_in s = app_sockaddr(a, 0);

		err = sys_bind(p->t, p->fd, (struct sockaddr *)&s, sizeof(s));
		if (err) {
			task_eprintf(p->t, "ping: bind: %s\n", app_strerror(err));
			return 2;
		}
		sys_bind(p->t, probe, (struct sockaddr *)&s, sizeof(s));
		return 0;
	}
	err = sys_setsockopt(p->t, p->fd, SOL_SOCKET, SO_BINDTODEVICE, iface, len);
	if (err) {
		task_eprintf(p->t, "ping: SO_BINDTODEVICE %s: %s\n", iface, app_strerror(err));
		return 2;
	}
	sys_setsockopt(p->t, probe, SOL_SOCKET, SO_BINDTODEVICE, iface, len);
	return 0;
}

/* Which address will be the source, and may this be sent at all? As iputils does: a UDP socket tells. */
static int ask_route(struct ping *p, int probe, bool bcast)
{
	struct sockaddr_in dst = app_sockaddr(p->dst, 1025), src;
	socklen_t len = sizeof(src);
	int one = 1, err = sys_connect(p->t, probe, (struct sockaddr *)&dst, sizeof(dst));

	if (err == -EACCES && !bcast) {
		task_eprintf(p->t, "ping: Do you want to ping broadcast? Then -b. If not, check your local firewall rules\n");
		return 2;
	}
	if (err == -EACCES) {
		task_eprintf(p->t, "WARNING: pinging broadcast address\n");
		sys_setsockopt(p->t, probe, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one));
		err = sys_connect(p->t, probe, (struct sockaddr *)&dst, sizeof(dst));
	}
	if (err) {
		task_eprintf(p->t, "ping: connect: %s\n", app_strerror(err));
		return 2;
	}
	sys_getsockname(p->t, probe, (struct sockaddr *)&src, &len);
	p->src = ntohl(src.sin_addr.s_addr);
	if (!p->dst)
		p->dst = p->src; /* 0.0.0.0 is this host */
	return 0;
}

static int open_socket(struct ping *p, int pmtudisc, int ttl, bool bcast)
{
	int one = 1, rc, probe;

	p->fd = sys_socket(p->t, AF_INET, p->dgram ? SOCK_DGRAM : SOCK_RAW, IPPROTO_ICMP);
	if (p->fd < 0) {
		task_eprintf(p->t, "ping: socket: %s\n", app_strerror(p->fd));
		return 2;
	}
	probe = sys_socket(p->t, AF_INET, SOCK_DGRAM, 0);
	rc = p->iface ? from_iface(p, p->iface, probe) : 0;
	if (!rc)
		rc = ask_route(p, probe, bcast);
	sys_close(p->t, probe);
	if (rc)
		return rc;
	sys_setsockopt(p->t, p->fd, IPPROTO_IP, IP_RECVTTL, &one, sizeof(one));
	sys_setsockopt(p->t, p->fd, IPPROTO_IP, IP_RECVERR, &one, sizeof(one));
	if (bcast)
		sys_setsockopt(p->t, p->fd, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one));
	if (pmtudisc >= 0)
		sys_setsockopt(p->t, p->fd, IPPROTO_IP, IP_MTU_DISCOVER, &pmtudisc, sizeof(pmtudisc));
	if (ttl >= 0) {
		sys_setsockopt(p->t, p->fd, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof(ttl));
		rc = sys_setsockopt(p->t, p->fd, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
		if (rc) {
			task_eprintf(p->t, "ping: cannot set unicast time-to-live: %s\n", app_strerror(rc));
			return 2;
		}
	}
	return 0;
}

/* How long to wait after the last request: ping(8), -W: its time if nothing has come at all, else two round trips (and
 * one interval at least). */
static uint64_t linger(const struct ping *p)
{
	return p->received ? max_u64(2 * p->rtt_max * NSEC_PER_USEC, p->interval_ns) : p->timeout_ns;
}

static int run(struct ping *p)
{
	char a[IP4_STRLEN];
	uint32_t unused;
	bool more = true;

	p->t_start = p->t_last = sys_clock_ns(p->t);
	if (p->deadline_ns)
		p->deadline_ns += p->t_start;
	task_printf(p->t, "PING %s (%s) ", p->name, ip4_str(a, p->dst));
	if (p->iface)
		task_printf(p->t, "from %s %s: ", ip4_str(a, p->src), ip4_parse(p->iface, &unused) ? p->iface : "");
	task_printf(p->t, "%llu(%llu) bytes of data.\n", (unsigned long long)p->size, (unsigned long long)p->size + 28);
	while (more && (!p->count || p->sent < p->count)) {
		uint64_t next = sys_clock_ns(p->t) + p->interval_ns;
		bool last;
		send_echo(p);
		last = p->count && p->sent >= p->count;
		if (last)
			next = sys_clock_ns(p->t) + linger(p);
		if (p->deadline_ns && next > p->deadline_ns)
			next = p->deadline_ns;
		more = receive_until(p, next, last);
		if (p->deadline_ns && sys_clock_ns(p->t) >= p->deadline_ns)
			break;
	}
	return finish(p);
}

int ping_main(struct task *t, int argc, char **argv)
{
	struct ping p = { .t = t, .size = 56, .interval_ns = NSEC_PER_SEC, .timeout_ns = 10 * NSEC_PER_SEC };
	int c, rc, pmtudisc = -1, ttl = -1;
	bool bcast = false;
	uint64_t v;
	struct opt o;

	opt_init(&o, argc, argv, "c:s:I:M:t:W:w:R:i:qnb");
	while ((c = opt_next(&o, t)) != -1) {
		rc = 0;
		switch (c) {
		case 'c': rc = opt_u64(&o, t, 1, INT64_MAX, &p.count); break;
		case 's': rc = opt_u64(&o, t, 0, PING_MAX_SIZE, &p.size); break;
		case 'I': p.iface = o.value; break;
		case 't': rc = opt_u64(&o, t, 0, 255, &v); ttl = (int)v; break;
		case 'W': rc = opt_seconds(&o, t, &p.timeout_ns); break;
		case 'w': rc = opt_seconds(&o, t, &p.deadline_ns); break;
		case 'i': rc = opt_seconds(&o, t, &p.interval_ns); break;
		case 'q': p.quiet = true; break;
		case 'n': p.numeric = true; break;
		case 'b': bcast = true; break;
		case 'R':
			p.dgram = !strcmp(o.value, "dgram");
			rc = p.dgram || !strcmp(o.value, "raw") ? 0 : -EINVAL;
			if (rc)
				task_eprintf(t, "ping: -R takes raw or dgram, not '%s'\n", o.value);
			break;
		case 'M':
			pmtudisc = !strcmp(o.value, "do") ? IP_PMTUDISC_DO : !strcmp(o.value, "dont") ? IP_PMTUDISC_DONT :
				   !strcmp(o.value, "want") ? IP_PMTUDISC_WANT : !strcmp(o.value, "probe") ? IP_PMTUDISC_PROBE : -2;
			rc = pmtudisc == -2 ? -EINVAL : 0;
			if (rc)
				task_eprintf(t, "ping: invalid -M argument: %s\n", o.value);
			break;
		default: rc = -EINVAL;
		}
		if (rc)
			return c == '?' ? 2 : 1;
	}
	if (o.i != argc - 1) {
		task_eprintf(t, "ping: usage error: Destination address required\n");
		return 2;
	}
	p.name = argv[o.i];
	if (app_resolve(t, p.name, &p.dst))
		return 2;
	sys_getrandom(t, &p.id, sizeof(p.id));
	rc = open_socket(&p, pmtudisc, ttl, bcast);
	if (rc)
		return rc;
	p.buf = xcalloc(1, PING_MAX_SIZE + 128);
	rc = run(&p);
	free(p.buf);
	sys_close(t, p.fd);
	return rc;
}
