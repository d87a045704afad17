/* What the tests of core, sched and drivers share: a world with hosts in virtual time, a trace that remembers, and a
 * device whose driver the test plays. */
#ifndef TESTS_CORE_FIXTURE_H
#define TESTS_CORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/coro.h"
#include "core/netdevice.h"
#include "core/task.h"
#include "wire/ip4.h"

/* ---- a trace that remembers ---- */

#define REC_MAX 40000
struct rec_event {
	uint64_t serial;
	char func[64], text[128];
	uint8_t kind, linktype, cpu;
	uint16_t reason, depth;
	uint32_t ctx, len;
};
struct rec {
	struct trace_sink sink;
	struct rec_event *ev;
	size_t n;
};

static inline void rec_emit(struct trace_sink *s, const struct trace_event *e)
{
	struct rec *r = (struct rec *)(void *)s;
	struct rec_event *ev;

	if (r->n == REC_MAX)
		return;
	ev = &r->ev[r->n++];
	memset(ev, 0, sizeof(*ev));
	ev->serial = e->serial;
	snprintf(ev->func, sizeof(ev->func), "%s", e->func);
	snprintf(ev->text, sizeof(ev->text), "%s", e->text);
	ev->kind = e->kind;
	ev->linktype = e->linktype;
	ev->cpu = e->cpu;
	ev->reason = e->reason;
	ev->depth = e->depth;
	ev->ctx = e->ctx;
	ev->len = e->data_len;
}

static inline void rec_init(struct rec *r)
{
	memset(r, 0, sizeof(*r));
	r->sink.mask = ~0u;
	r->sink.emit = rec_emit;
	r->ev = calloc(REC_MAX, sizeof(*r->ev));
}

/* Index of the next event of this kind from "from" on whose func is name (kinds ENTER, LEAVE, ...) or whose text
 * holds it; -1: none. */
static inline long rec_find(const struct rec *r, size_t from, enum trace_kind k, const char *what)
{
	for (size_t i = from; i < r->n; i++)
		if (r->ev[i].kind == k && (!strcmp(r->ev[i].func, what) || strstr(r->ev[i].text, what)))
			return (long)i;
	return -1;
}

static inline size_t rec_count(const struct rec *r, enum trace_kind k, const char *what)
{
	size_t n = 0;

	for (long i = -1; (i = rec_find(r, (size_t)(i + 1), k, what)) >= 0;)
		n++;
	return n;
}

/* The functions were entered in this order (others may lie between); names end with NULL. */
static inline void rec_assert_order(const struct rec *r, const char *const *names)
{
	size_t at = 0;

	for (; *names; names++) {
		long i = rec_find(r, at, TR_ENTER, *names);

		if (i < 0)
			fail_msg("%s is missing from here on", *names);
		at = (size_t)i + 1;
	}
}

/* ---- a world ---- */

struct fx {
	struct skb_pool *skbs;
	struct coro_pool *coros;
	struct serial_source serials;
	struct net *net, *net2;
	struct rec rec;
	unsigned kicks;
	struct strbuf out; /* what programs printed */
};

static inline void fx_kick(void *arg, struct net *net)
{
	(void)net;
	((struct fx *)arg)->kicks++;
}

static inline void fx_write(void *arg, struct net *net, struct task *t, int fd, const char *s, size_t len)
{
	(void)net, (void)t, (void)fd;
	sb_add(&((struct fx *)arg)->out, s, len);
}

static inline struct net *fx_net(struct fx *f, const char *name, uint32_t id, uint32_t cpus, struct cpu_model model,
				 const struct pernet_operations *const *ops, size_t n)
{
	struct net_params p = { .name = name, .id = id, .seed = 1, .now_ns = NSEC_PER_SEC, .nr_cpus = cpus,
				.cpu_model = model, .serials = &f->serials, .skbs = f->skbs, .coros = f->coros,
				.owner = { .arg = f, .kick = fx_kick, .write = fx_write } };
	return net_new(&p, ops, n);
}

static inline struct fx *fx_new_with(uint32_t cpus, struct cpu_model model, const struct pernet_operations *const *ops,
				     size_t n)
{
	struct fx *f = calloc(1, sizeof(*f));

	f->skbs = skb_pool_new(0);
	f->coros = coro_pool_new(CORO_STACK_DEFAULT);
	sb_init(&f->out);
	rec_init(&f->rec);
	f->net = fx_net(f, "a", 1, cpus, model, ops, n);
	assert_non_null(f->net);
	return f;
}

static inline struct fx *fx_new(void)
{
	return fx_new_with(1, (struct cpu_model){ 0, 0 }, NULL, 0);
}

static inline void fx_trace(struct fx *f)
{
	f->rec.n = 0;
	probe_attach(&f->net->probe, &f->rec.sink);
}

/* Run the host until time t. */
static inline void fx_run_until(struct fx *f, uint64_t t)
{
	for (;;) {
		uint64_t next;

		net_run(f->net);
		next = net_next_deadline(f->net);
		if (next > t)
			break;
		net_enter(f->net, next);
	}
	net_enter(f->net, t);
}

/* Every packet had an end, every buffer came back. */
static inline void fx_free(struct fx *f)
{
	struct skb_mib *m = &f->net->skb_mib;

	net_free(f->net2);
	assert_int_equal((int64_t)m->allocated, (int64_t)(m->consumed + m->dropped) + m->live);
	net_free(f->net);
	assert_int_equal(skb_pool_bytes(f->skbs), 0);
	skb_pool_free(f->skbs);
	coro_pool_free(f->coros);
	sb_free(&f->out);
	free(f->rec.ev);
	free(f);
}

/* ---- a device whose driver the test plays ---- */

struct tdev {
	struct net_device *dev;
	struct sk_buff_head sent; /* taken by the driver */
	uint32_t room;            /* takes this many, then stops its queue */
	bool busy;                /* refuses */
	uint32_t more;            /* packets that came with dev_xmit_more */
	int (*hook)(struct sk_buff *skb, struct net_device *dev);
	bool freed;
};

static inline netdev_tx_t tdev_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct tdev *t = dev->priv;
	TRACE_FN(&dev->net->probe, skb->serial);

	if (t->busy || !t->room) {
		netif_tx_stop_queue(&dev->tx[0]);
		return NETDEV_TX_BUSY;
	}
	if (t->hook && t->hook(skb, dev))
		return NETDEV_TX_OK;
	t->more += skb->dev_xmit_more;
	skb_queue_tail(&t->sent, skb);
	if (--t->room == 0)
		netif_tx_stop_queue(&dev->tx[0]);
	return NETDEV_TX_OK;
}

static inline void tdev_uninit(struct net_device *dev)
{
	struct tdev *t = dev->priv;

	skb_queue_purge_reason(&t->sent, DROP_NET_EXIT);
	t->freed = true;
	free(t);
}

static const struct net_device_ops tdev_ops = { .ndo_start_xmit = tdev_xmit, .ndo_uninit = tdev_uninit };

static inline struct tdev *tdev_new(struct net *net, const char *name)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };
	struct tdev *t = calloc(1, sizeof(*t));

	t->dev = alloc_netdev(net, name, 1);
	ether_setup(t->dev);
	memcpy(t->dev->dev_addr, mac, 6);
	t->dev->netdev_ops = &tdev_ops;
	t->dev->priv = t;
	t->room = UINT32_MAX;
	skb_queue_head_init(&t->sent);
	assert_int_equal(register_netdev(t->dev), 0);
	return t;
}

/* An Ethernet frame of len octets: header and zeros. */
static inline struct sk_buff *make_frame(struct net *net, struct net_device *dev, const uint8_t *dst, const uint8_t *src,
					 uint16_t type, uint32_t len)
{
	struct sk_buff *skb = alloc_skb(net, NET_SKB_PAD + len + 64);
	uint8_t *p;

	skb_reserve(skb, NET_SKB_PAD);
	p = skb_put(skb, len);
	memset(p, 0, len);
	if (len >= ETH_HLEN) {
		memcpy(p, dst, 6);
		memcpy(p + 6, src, 6);
		put_be16(p + 12, type);
	}
	skb->dev = dev;
	return skb;
}

static const uint8_t mac_us[6] __attribute__((unused)) = { 2, 0, 0, 0, 0, 1 };
static const uint8_t mac_peer[6] __attribute__((unused)) = { 2, 0, 0, 0, 0, 9 };
static const uint8_t mac_other[6] __attribute__((unused)) = { 2, 0, 0, 0, 0, 77 };
static const uint8_t mac_bcast[6] __attribute__((unused)) = { 255, 255, 255, 255, 255, 255 };
static const uint8_t mac_mcast[6] __attribute__((unused)) = { 1, 0, 0x5e, 0, 0, 1 };
static const uint8_t mac_zero[6] __attribute__((unused)) = { 0 };

/* ---- a protocol handler that keeps what it gets ---- */

struct keeper {
	struct packet_type pt;
	struct sk_buff_head got;
	unsigned n;
	bool consume;
};

static inline int keeper_rcv(struct sk_buff *skb, struct net_device *dev, struct packet_type *pt,
			     struct net_device *orig)
{
	struct keeper *k = pt->arg;
	TRACE_FN_AS(&dev->net->probe, "ip_rcv", skb->serial);

	(void)orig;
	assert_int_equal(skb->users, 1);
	k->n++;
	if (k->consume)
		consume_skb(skb);
	else
		skb_queue_tail(&k->got, skb);
	return NET_RX_SUCCESS;
}

static inline void keeper_add(struct keeper *k, struct net *net, uint16_t type)
{
	memset(k, 0, sizeof(*k));
	skb_queue_head_init(&k->got);
	k->pt.type = type;
	k->pt.func = keeper_rcv;
	k->pt.arg = k;
	dev_add_pack(net, &k->pt);
}

static inline void keeper_drop(struct keeper *k, struct net *net)
{
	struct sk_buff *skb;

	while ((skb = skb_dequeue(&k->got)) != NULL)
		consume_skb(skb);
	dev_remove_pack(net, &k->pt);
}

#endif
