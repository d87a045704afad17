/* Whole hosts for the tests of programs: a hub that forwards, and hosts around it, each on a veth
 * pair.
 *
 *     host i: eth0 10.0.i.2/24 ---- 10.0.i.1/24 hub        default route via the hub, no delay on
 * the wires
 *
 * Every IP packet passes the hub once; it is kept (first octets) when it comes in. Time moves only
 * when nothing is left to do. Programs are started by command line, as in a lab. */
#ifndef TEST_HOSTS_H
#define TEST_HOSTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "app/app.h"
#include "app/app_util.h"
#include "base/coro.h"
#include "core/procfs.h"
#include "core/skbuff.h"
#include "core/netdevice.h"
#include "culver/host.h"
#include "drivers/drivers.h"
#include "ipv4/netns_ipv4.h"
#include "socket/syscall.h"
#include "socket/vfs.h"
#include "trace/trace.h"

#define HOSTS_MAX 8
#define HOSTS_PACKETS 200000u
#define HOSTS_SNAP 600u

struct hosts_packet {
	uint64_t t_ns;
	uint32_t src, dst, len; /* len: of the IP packet */
	uint16_t sport, dport;
	uint8_t proto, flags;   /* flags: TCP's */
	uint16_t snap;
	uint8_t b[HOSTS_SNAP]; /* transport payload, first octets */
	uint32_t payload;
};
struct hosts {
	struct net *net[HOSTS_MAX]; /* [0] is the hub */
	bool kicked[HOSTS_MAX];
	unsigned n;
	uint64_t now;
	struct skb_pool *skbs;
	struct coro_pool *coros;
	struct serial_source serials;
	struct packet_type tap;
	struct hosts_packet *p;
	size_t n_p;
	bool no_capture;
	struct trace_mem tr; /* TR_APP of all hosts */
	struct strbuf daemons; /* what background programs print */
};
#define SEC NSEC_PER_SEC

static inline void hosts_kick(void *arg, struct net *net)
{
	struct hosts *h = arg;

	for (unsigned i = 0; i < h->n; i++)
		if (h->net[i] == net)
			h->kicked[i] = true;
}

static inline void hosts_write(void *arg, struct net *net, struct task *t, int fd, const char *s,
			       size_t len)
{
	sb_add(&((struct hosts *)arg)->daemons, s, len);
}

static inline int hosts_tap(struct sk_buff *skb, struct net_device *dev, struct packet_type *pt,
			    struct net_device *orig)
{
	struct hosts *h = pt->arg;
	uint8_t b[20 + 60 + HOSTS_SNAP];

	if (skb->pkt_type != PACKET_OUTGOING_ && skb->protocol == 0x0800 &&
	    h->n_p < HOSTS_PACKETS && !h->no_capture) {
		uint32_t n = min_u32(skb->len, sizeof(b));
		struct hosts_packet *p = &h->p[h->n_p];

		memset(p, 0, sizeof(*p));
		if (!skb_copy_bits(skb, 0, b, n) && n >= 28 && dev != dev->net->loopback_dev) {
			uint32_t hl = (b[0] & 15u) * 4, tl = hl + (b[9] == 17 ? 8u : 20u);

			p->t_ns = h->now;
			p->len = skb->len;
			p->src = get_be32(b + 12);
			p->dst = get_be32(b + 16);
			p->proto = b[9];
			if (b[9] == 6 || b[9] == 17) {
				p->sport = get_be16(b + hl);
				p->dport = get_be16(b + hl + 2);
			}
			if (b[9] == 6) {
				p->flags = b[hl + 13];
				tl = hl + (b[hl + 12] >> 4) * 4u;
			}
			p->payload = get_be16(b + 2) - tl;
			p->snap =
			    (uint16_t)(n > tl ? min_u32(min_u32(n - tl, p->payload), HOSTS_SNAP)
					      : 0);
			memcpy(p->b, b + tl, p->snap);
			h->n_p++;
		}
	}
	consume_skb(skb);
	return 0;
}

/* Everything that is due now. */
static inline void hosts_settle(struct hosts *h)
{
	bool again = true;

	while (again) {
		again = false;
		for (unsigned i = 0; i < h->n; i++) {
			if (!h->kicked[i] && net_next_deadline(h->net[i]) > h->now)
				continue;
			h->kicked[i] = false;
			net_enter(h->net[i], h->now);
			net_run(h->net[i]);
			again = true;
		}
	}
}

/* Let time pass, until done() or until a moment. */
static inline void hosts_run(struct hosts *h, uint64_t until, bool (*done)(void *arg), void *arg)
{
	for (;;) {
		uint64_t next = TIME_NEVER;

		hosts_settle(h);
		if (done && done(arg))
			return;
		for (unsigned i = 0; i < h->n; i++)
			next = min_u64(next, net_next_deadline(h->net[i]));
		if (next > until)
			break;
		h->now = next;
	}
	if (until != TIME_NEVER && until > h->now)
		h->now = until;
	hosts_settle(h);
}

static inline void hosts_sleep(struct hosts *h, uint64_t ns)
{
	hosts_run(h, h->now + ns, NULL, NULL);
}

static inline bool hosts_zombie(void *arg)
{
	return ((struct task *)arg)->state == TASK_ZOMBIE;
}

static inline void hosts_capture(struct task *t, int fd, const char *s, size_t len, void *arg)
{
	if (arg)
		sb_add(arg, s, len);
}

/* Start a line on a host; its output goes to out (NULL: nowhere). */
static inline struct task *hosts_spawn(struct hosts *h, unsigned host, const char *line,
				       struct strbuf *out)
{
	int err;
	struct task *t = app_spawn_line(h->net[host], line, &err);

	if (!t)
		fail_msg("%s: %d", line, err);
	t->write = hosts_capture;
	t->write_arg = out;
	h->kicked[host] = true;
	return t;
}

static inline int hosts_wait(struct hosts *h, struct task *t)
{
	int code;

	hosts_run(h, h->now + 3600 * SEC, hosts_zombie, t);
	assert_int_equal(t->state, TASK_ZOMBIE);
	code = t->exit_code;
	task_free(t);
	return code;
}

/* Run a line to its end. Its exit code. out is begun anew; may be NULL. */
static inline int hosts_cmd(struct hosts *h, unsigned host, const char *line, struct strbuf *out)
{
	if (out) {
		sb_free(out);
		sb_init(out);
		sb_puts(out, "");
	}
	return hosts_wait(h, hosts_spawn(h, host, line, out));
}

/* A server that stays. */
static inline struct task *hosts_daemon(struct hosts *h, unsigned host, const char *line)
{
	struct task *t = hosts_spawn(h, host, line, &h->daemons);

	hosts_settle(h);
	if (t->state == TASK_ZOMBIE)
		fail_msg("%s ended: %s", line, sb_str(&h->daemons));
	return t;
}

static inline void hosts_stop(struct hosts *h, struct task *t)
{
	task_kill(t);
	hosts_wait(h, t);
}

static inline void hosts_must(struct hosts *h, unsigned host, const char *line)
{
	struct strbuf out;
	int rc;

	sb_init(&out);
	rc = hosts_cmd(h, host, line, &out);
	if (rc)
		fail_msg("%s: %d %s", line, rc, sb_str(&out));
	sb_free(&out);
}

static inline void hosts_file(struct hosts *h, unsigned host, const char *path, const char *text)
{
	assert_int_equal(vfs_put_file(h->net[host], path, text, strlen(text)), 0);
}

static inline struct net *hosts_net(struct hosts *h, const char *name, uint32_t id)
{
	struct net_params p = {.name = name,
			       .id = id,
			       .seed = 7,
			       .now_ns = h->now,
			       .serials = &h->serials,
			       .skbs = h->skbs,
			       .coros = h->coros,
			       .owner = {.arg = h, .kick = hosts_kick, .write = hosts_write}};
	struct net *net = host_new(&p);

	assert_non_null(net);
	probe_attach(&net->probe, &h->tr.sink);
	return net;
}

/* n hosts beside the hub. */
static inline struct hosts *hosts_new(unsigned n)
{
	static const char *const names[] = { "hub", "h1", "h2", "h3", "h4", "h5", "h6", "h7" };
	struct hosts *h = calloc(1, sizeof(*h));
	char line[100], dev[16];

	assert_true(n < HOSTS_MAX);
	h->skbs = skb_pool_new(0);
	h->coros = coro_pool_new(CORO_STACK_DEFAULT);
	h->now = SEC;
	h->p = calloc(HOSTS_PACKETS, sizeof(*h->p));
	trace_mem_init(&h->tr, 1u << TR_APP, 1u << 18);
	sb_init(&h->daemons);
	sb_puts(&h->daemons, "");
	for (h->n = 0; h->n <= n; h->n++)
		h->net[h->n] = hosts_net(h, names[h->n], h->n + 1);
	assert_int_equal(sysctl_set(h->net[0], "net.ipv4.ip_forward", "1"), 0);
	assert_int_equal(sysctl_set(h->net[0], "net.ipv4.icmp_ratelimit", "0"), 0);
	for (unsigned i = 1; i <= n; i++) {
		uint8_t a[6] = { 2, 0, 0, 0, (uint8_t)i, 1 }, b[6] = { 2, 0, 0, 0, (uint8_t)i, 2 };

		snprintf(dev, sizeof(dev), "p%u", i);
		assert_int_equal(veth_create(h->net[0], dev, a, h->net[i], "eth0", b), 0);
		assert_int_equal(dev_open(dev_get_by_name(h->net[0], dev)), 0);
		assert_int_equal(dev_open(dev_get_by_name(h->net[i], "eth0")), 0);
		snprintf(line, sizeof(line), "ip addr add 10.0.%u.1/24 dev p%u", i, i);
		hosts_must(h, 0, line);
		snprintf(line, sizeof(line), "ip addr add 10.0.%u.2/24 dev eth0", i);
		hosts_must(h, i, line);
		snprintf(line, sizeof(line), "ip route add default via 10.0.%u.1", i);
		hosts_must(h, i, line);
	}
	h->tap.type = 0x0003; /* ETH_P_ALL */
	h->tap.func = hosts_tap;
	h->tap.arg = h;
	dev_add_pack(h->net[0], &h->tap);
	return h;
}

static inline void hosts_free(struct hosts *h)
{
	dev_remove_pack(h->net[0], &h->tap);
	for (unsigned i = h->n; i-- > 0;) {
		probe_detach(&h->net[i]->probe, &h->tr.sink);
		host_free(h->net[i]);
	}
	trace_mem_free(&h->tr);
	skb_pool_free(h->skbs);
	coro_pool_free(h->coros);
	sb_free(&h->daemons);
	free(h->p);
	free(h);
}

/* Packets of a protocol to or from a port since the last hosts_forget(). */
static inline unsigned hosts_count(const struct hosts *h, uint8_t proto, uint16_t port)
{
	unsigned n = 0;

	for (size_t i = 0; i < h->n_p; i++)
		n += h->p[i].proto == proto && (h->p[i].sport == port || h->p[i].dport == port);
	return n;
}

static inline void hosts_forget(struct hosts *h)
{
	h->n_p = 0;
	h->tr.n = 0;
}

/* Whether a program said something that begins with text. */
static inline bool hosts_said(const struct hosts *h, const char *text)
{
	for (size_t i = 0; i < h->tr.n; i++)
		if (!strncmp(h->tr.rec[i].ev.text, text, strlen(text)))
			return true;
	return false;
}

#endif
