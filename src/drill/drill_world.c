/* The world of a script: one host with one device, tun0, whose far end is the script; and its clock.
 *
 * Decides when time passes: never while there is work to do now, and never past what the caller asked for. Called by
 * drill_run.c, drill_check.c and drill_call.c; hands on to the host. Every script gets a new world.
 * Tests: tests/packet, tests/unit/drill/test_drill_run.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/coro.h"
#include "core/procfs.h"
#include "culver/host.h"
#include "drill/drill_int.h"
#include "drivers/drivers.h"
#include "ipv4/ip.h"
#include "app/app.h"

#define DRILL_POOL_BYTES (256u << 20)
#define DRILL_START_NS (1000 * NSEC_PER_SEC)
#define DRILL_MAX_IDLE_TURNS 1000000u

static void world_kick(void *arg, struct net *net)
{
	(void)arg;
	(void)net;
}

static void world_write(void *arg, struct net *net, struct task *t, int fd, const char *s, size_t len)
{
	(void)arg, (void)net, (void)t, (void)fd, (void)s, (void)len;
}

/* ---- tun0 ---- */

static void live_add(struct drill *d, struct sk_buff *skb)
{
	struct drill_live *l;

	if (d->n_live >= DRILL_MAX_LIVE)
		return;
	l = malloc(sizeof(*l) + skb->len);
	if (!l)
		return;
	l->t_ns = d->net->now_ns;
	l->len = skb->len;
	skb_copy_bits(skb, 0, l->data, skb->len);
	list_add_tail(&l->list, &d->live);
	d->n_live++;
}

/* The stack sends. A train is kept as the segments it stands for: that is what a line of the script, however long, is
 * compared with, and their checksums are finished. */
static int world_xmit(void *arg, struct sk_buff *skb)
{
	struct drill *d = arg;

	if (skb_is_gso(skb)) {
		struct sk_buff *seg = skb_gso_segment(skb), *next;

		if (!seg)
			return -EINVAL;
		for (; seg; seg = next) {
			next = seg->next;
			seg->next = NULL;
			live_add(d, seg);
			consume_skb(seg);
		}
	} else {
		if (skb->ip_summed == CHECKSUM_PARTIAL && skb_checksum_help(skb))
			return -EINVAL;
		live_add(d, skb);
	}
	consume_skb(skb);
	return 0;
}

void drill_live_drop(struct drill *d, struct drill_live *l)
{
	list_del_init(&l->list);
	d->n_live--;
	free(l);
}

static uint8_t mask_len(uint32_t mask)
{
	return (uint8_t)__builtin_popcount(mask);
}

static int run_line(struct drill *d, const char *line)
{
	int err = 0;
	struct task *t = app_spawn_line(d->net, line, &err);

	if (!t)
		return err;
	while (t->state != TASK_ZOMBIE && net_next_deadline(d->net) <= d->net->now_ns)
		net_run(d->net);
	err = t->state == TASK_ZOMBIE ? t->exit_code : -EAGAIN;
	task_free(t);
	return err;
}

/* tun0 with its address, and the far side's network behind it. */
static int world_addresses(struct drill *d)
{
	const struct dconf *c = &d->sc.conf;
	uint8_t plen = mask_len(c->netmask_ip);
	uint32_t net24 = c->remote_ip & 0xffffff00u;
	char line[120], a[IP4_STRLEN], b[IP4_STRLEN];
	bool via = c->gateway_ip != c->local_ip && ((c->gateway_ip ^ c->local_ip) & c->netmask_ip) == 0;
	int err = dev_set_mtu(d->tun, c->mtu);

	if (!err)
		err = dev_open(d->tun);
	if (!err)
		err = inet_add_addr(d->net, d->tun, c->local_ip, plen, plen < 31 ? c->local_ip | ~c->netmask_ip : 0, RT_SCOPE_UNIVERSE);
	if (err || ((c->remote_ip ^ c->local_ip) & c->netmask_ip) == 0)
		return err;
	if (via)
		snprintf(line, sizeof(line), "ip route add %s/24 via %s dev tun0", ip4_str(a, net24), ip4_str(b, c->gateway_ip));
	else
		snprintf(line, sizeof(line), "ip route add %s/24 dev tun0", ip4_str(a, net24));
	return run_line(d, line) ? -EINVAL : 0;
}

int drill_world_open(struct drill *d, uint64_t seed)
{
	const struct netdev_sink sink = { .arg = d, .xmit = world_xmit };
	struct net_params p = {
		.name = "drill",
		.id = 1,
		.seed = seed,
		.now_ns = DRILL_START_NS,
		.owner = { .arg = d, .kick = world_kick, .write = world_write },
	};
	int err = 0;

	list_init(&d->live);
	list_init(&d->flows);
	list_init(&d->jobs);
	list_init(&d->workers);
	d->skbs = skb_pool_new(DRILL_POOL_BYTES);
	d->coros = coro_pool_new(CORO_STACK_DEFAULT);
	p.serials = &d->serials;
	p.skbs = d->skbs;
	p.coros = d->coros;
	d->net = host_new(&p);
	if (!d->net)
		return -ENOMEM;
	sysctl_set(d->net, "net.culver.cubic_hystart", "2"); /* scripts count on Linux's */
	d->tun = tundev_create(d->net, "tun0", NETIF_F_TSO | NETIF_F_HW_CSUM, &sink, &err);
	if (!d->tun)
		return err;
	err = world_addresses(d);
	net_run(d->net);
	while (!list_empty(&d->live)) /* IGMP's hello is not the script's */
		drill_live_drop(d, list_first_entry(&d->live, struct drill_live, list));
	d->start_ns = d->net->now_ns;
	return err;
}

void drill_world_close(struct drill *d)
{
	if (d->net)
		host_free(d->net);
	while (d->live.next && !list_empty(&d->live))
		drill_live_drop(d, list_first_entry(&d->live, struct drill_live, list));
	if (d->coros)
		coro_pool_free(d->coros);
	if (d->skbs)
		skb_pool_free(d->skbs);
}

/* ---- time ---- */

void drill_settle(struct drill *d)
{
	for (uint32_t i = 0; i < DRILL_MAX_IDLE_TURNS; i++) {
		net_run(d->net);
		if (net_next_deadline(d->net) > d->net->now_ns)
			return;
	}
}

bool drill_pass(struct drill *d, uint64_t until_ns, bool inclusive, bool (*done)(struct drill *d, void *arg), void *arg)
{
	for (;;) {
		uint64_t next;

		drill_settle(d);
		if (done && done(d, arg))
			return true;
		next = net_next_deadline(d->net);
		if (next > until_ns || (!inclusive && next == until_ns)) {
			if (until_ns != TIME_NEVER)
				net_enter(d->net, until_ns);
			return false;
		}
		if (next == TIME_NEVER)
			return false;
		net_enter(d->net, next);
	}
}

int drill_inject(struct drill *d, const uint8_t *packet, uint32_t len)
{
	int err;

	local_bh_disable(d->net);
	err = tundev_input(d->tun, packet, len);
	local_bh_enable(d->net); /* runs the softirq: the packet comes before the timers of its instant */
	return err;
}
