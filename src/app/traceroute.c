/* traceroute: UDP probes with rising TTL (ICMP echo with -I), answers from the sockets' error queues, three per
 * hop, printed as the Debian program does. Rows S3-67, S3-115. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include "app/app_cmds.h"
#include "app/app_util.h"
#include "base/strbuf.h"
#include "socket/syscall.h"
#include "wire/ip4.h"

#define TR_BASE_PORT 33434
#define TR_MAX_PROBES 10
#define TR_MAX_SIZE 65000

struct traceroute {
	struct task *t;
	uint32_t dst;
	uint64_t max_ttl, first_ttl, probes, size, wait_ns, port;
	bool numeric, icmp, dontfrag;
	uint16_t seq;
};

struct probe_answer {
	bool got, final;
	uint32_t from;
	uint64_t rtt_us;
	char mark[8]; /* "!H" etc. */
};

/* struct sock_extended_err and the offender's address behind it. */
struct ext_err {
	uint32_t ee_errno;
	uint8_t origin, type, code, pad;
	uint32_t info, data;
	struct sockaddr_in offender;
};

static void mark_of(const struct ext_err *e, struct probe_answer *a)
{
	static const char *const mark[] = { "!N", "!H", "!P", "", "!F", "!S", "!U", "!W", "!I", "!A", "!Z", "!Q", "!T", "!X", "!V", "!C" };

	a->final = e->type == ICMP_DEST_UNREACH;
	if (!a->final)
		return;
	if (e->code == ICMP_FRAG_NEEDED) {
		struct strbuf sb;
		sb_init(&sb);
		sb_printf(&sb, "!F-%u", e->info);
		strncpy(a->mark, sb_str(&sb), sizeof(a->mark) - 1);
		sb_free(&sb);
	} else if (e->code < ARRAY_SIZE(mark)) {
		memcpy(a->mark, mark[e->code], strlen(mark[e->code]) + 1);
	}
}

/* One entry of the error queue: who said what about our probe. */
static bool take_error(struct traceroute *tr, int fd, struct probe_answer *a)
{
	uint8_t data[64], ctl[256];
	struct sockaddr_in sa;
	struct iovec iov = { data, sizeof(data) };
	struct msghdr m = { .msg_name = &sa, .msg_namelen = sizeof(sa), .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = ctl, .msg_controllen = sizeof(ctl) };
	struct ext_err e;

	if (sys_recvmsg(tr->t, fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return false;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_RECVERR)
			continue;
		memcpy(&e, CMSG_DATA(c), sizeof(e));
		if (e.origin != 2) /* SO_EE_ORIGIN_ICMP */
			return false;
		a->got = true;
		a->from = ntohl(e.offender.sin_addr.s_addr);
		mark_of(&e, a);
		return true;
	}
	return false;
}

static ssize_t send_probe(struct traceroute *tr, int fd, uint8_t *buf)
{
	struct sockaddr_in to = app_sockaddr(tr->dst, tr->icmp ? 0 : (uint16_t)(tr->port + tr->seq));
	size_t len = tr->size - IP4_HLEN - UDP_HLEN + (tr->icmp ? ICMP_HLEN : 0);

	for (size_t i = 0; i < len; i++)
		buf[i] = (uint8_t)('@' + i);
	if (tr->icmp) {
		memset(buf, 0, ICMP_HLEN);
		buf[0] = ICMP_ECHO;
		put_be16(buf + 6, tr->seq);
	}
	return sys_sendto(tr->t, fd, buf, len, 0, (struct sockaddr *)&to, sizeof(to));
}

static int probe_socket(struct traceroute *tr, int ttl)
{
	int one = 1, disc = tr->dontfrag ? IP_PMTUDISC_PROBE : IP_PMTUDISC_DONT;
	int fd = sys_socket(tr->t, AF_INET, SOCK_DGRAM, tr->icmp ? IPPROTO_ICMP : 0);

	if (fd < 0)
		return fd;
	sys_setsockopt(tr->t, fd, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
	sys_setsockopt(tr->t, fd, IPPROTO_IP, IP_RECVERR, &one, sizeof(one));
	sys_setsockopt(tr->t, fd, IPPROTO_IP, IP_MTU_DISCOVER, &disc, sizeof(disc));
	return fd;
}

/* Send one probe and wait for its answer. 0, or -errno when it could not be sent. */
static int one_probe(struct traceroute *tr, int ttl, struct probe_answer *a, uint8_t *buf)
{
	int fd = probe_socket(tr, ttl);
	uint64_t t0 = sys_clock_ns(tr->t), end = t0 + tr->wait_ns, now;
	ssize_t n = fd < 0 ? fd : send_probe(tr, fd, buf);

	memset(a, 0, sizeof(*a));
	tr->seq++;
	while (n >= 0 && !a->got && (now = sys_clock_ns(tr->t)) < end) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int r = sys_poll(tr->t, &p, 1, (int)((end - now + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC));
		if (r == -EINTR) {
			n = r;
			break;
		}
		if (r <= 0)
			continue;
		if (p.revents & POLLERR)
			take_error(tr, fd, a);
		if (!a->got && (p.revents & POLLIN) && sys_recvfrom(tr->t, fd, buf, 64, MSG_DONTWAIT, NULL, NULL) >= 0) {
			a->got = a->final = true;
			a->from = tr->dst;
		}
	}
	a->rtt_us = (sys_clock_ns(tr->t) - t0) / NSEC_PER_USEC;
	if (fd >= 0)
		sys_close(tr->t, fd);
	return n < 0 ? (int)n : 0;
}

/* Returns 1 when the destination (or an end) answered, 0 to go on, -errno. */
static int one_hop(struct traceroute *tr, int ttl, uint8_t *buf)
{
	uint32_t last = 0;
	bool final = false;
	char s[IP4_STRLEN];

	task_printf(tr->t, "%2d ", ttl);
	for (uint64_t i = 0; i < tr->probes; i++) {
		struct probe_answer a;
		int err = one_probe(tr, ttl, &a, buf);
		if (err) {
			task_puts(tr->t, "\n");
			return err;
		}
		if (!a.got) {
			task_puts(tr->t, " *");
			continue;
		}
		if (a.from != last || !i) {
			task_printf(tr->t, " %s", ip4_str(s, a.from));
			if (!tr->numeric)
				task_printf(tr->t, " (%s)", s);
		}
		last = a.from;
		task_printf(tr->t, "  %llu.%03llu ms", (unsigned long long)(a.rtt_us / 1000),
			    (unsigned long long)(a.rtt_us % 1000));
		if (a.mark[0])
			task_printf(tr->t, " %s", a.mark);
		final |= a.final;
	}
	task_puts(tr->t, "\n");
	return final;
}

static int run(struct traceroute *tr, const char *name)
{
	uint8_t *buf = xcalloc(1, TR_MAX_SIZE + 64);
	char s[IP4_STRLEN];
	int r = 0;

	task_printf(tr->t, "traceroute to %s (%s), %llu hops max, %llu byte packets\n", name, ip4_str(s, tr->dst),
		    (unsigned long long)tr->max_ttl, (unsigned long long)tr->size);
	for (uint64_t ttl = tr->first_ttl; ttl <= tr->max_ttl && !r; ttl++)
		r = one_hop(tr, (int)ttl, buf);
	free(buf);
	if (r < 0)
		task_eprintf(tr->t, "traceroute: send: %s\n", app_strerror(r));
	return r < 0 ? 1 : 0;
}

int traceroute_main(struct task *t, int argc, char **argv)
{
	struct traceroute tr = { .t = t, .max_ttl = 30, .first_ttl = 1, .probes = 3, .size = 60, .wait_ns = 5 * NSEC_PER_SEC,
				 .port = TR_BASE_PORT };
	struct opt o;
	int c, rc;

	opt_init(&o, argc, argv, "nIFm:f:q:w:p:");
	while ((c = opt_next(&o, t)) != -1) {
		rc = 0;
		switch (c) {
		case 'n': tr.numeric = true; break;
		case 'I': tr.icmp = true; break;
		case 'F': tr.dontfrag = true; break;
		case 'm': rc = opt_u64(&o, t, 1, 255, &tr.max_ttl); break;
		case 'f': rc = opt_u64(&o, t, 1, 255, &tr.first_ttl); break;
		case 'q': rc = opt_u64(&o, t, 1, TR_MAX_PROBES, &tr.probes); break;
		case 'p': rc = opt_u64(&o, t, 1, 65000, &tr.port); break;
		case 'w': rc = opt_seconds(&o, t, &tr.wait_ns); break;
		default: rc = -EINVAL;
		}
		if (rc)
			return 2;
	}
	if (o.i >= argc || o.i < argc - 2) {
		task_eprintf(t, "Usage: traceroute [-nIF] [-m HOPS] [-f FIRST] [-q PROBES] [-w SECONDS] [-p PORT] HOST [SIZE]\n");
		return 2;
	}
	if (o.i == argc - 2) {
		o.value = argv[argc - 1];
		if (opt_u64(&o, t, 28, TR_MAX_SIZE, &tr.size))
			return 2;
	}
	if (app_resolve(t, argv[o.i], &tr.dst))
		return 2;
	return run(&tr, argv[o.i]);
}
