/* Two hosts, a NIC each, a cable between them, in virtual time; both hosts' events in one record.
 */
#ifndef TESTS_NICDRV_FIXTURE_H
#define TESTS_NICDRV_FIXTURE_H

#include "../core/core_fixture.h"
#include "drivers/drivers.h"
#include "hw/frame.h"
#include "hw/nic.h"
#include "sched/sched.h"

#define PT_TEST 0x88b5

struct pair;
struct node {
	struct pair *pair;
	struct net *net;
	struct nic *nic;
	struct net_device *dev;
	struct ev run;
	struct keeper in;
	uint8_t mac[ETH_ALEN];
};

struct pair {
	struct skb_pool *skbs;
	struct serial_source serials;
	struct evq q;
	struct hw_world w;
	struct hw_cable *cable;
	struct node a, b;
	struct rec rec;
	uint32_t taps;
	uint8_t wire[2048]; /* the last frame sent */
	uint32_t wire_len;
	char fate[64];
};

static inline void node_run(struct ev *ev)
{
	struct node *n = container_of(ev, struct node, run);
	uint64_t next;

	net_enter(n->net, n->pair->q.now_ns);
	net_run(n->net);
	next = net_next_deadline(n->net);
	if (next != TIME_NEVER)
		evq_at(&n->pair->q, &n->run, next);
}

static inline void node_kick(void *arg, struct net *net)
{
	struct node *n = arg;

	(void)net;
	evq_at(&n->pair->q, &n->run, n->pair->q.now_ns);
}

static inline void pair_tap(void *arg, const struct hw_port *from, const struct hw_frame *f,
			    uint64_t t_ns, const char *fate)
{
	struct pair *p = arg;

	(void)from, (void)t_ns;
	p->taps++;
	p->wire_len = min_u32(f->len, sizeof(p->wire));
	memcpy(p->wire, f->data, p->wire_len);
	snprintf(p->fate, sizeof(p->fate), "%s", fate);
}

static inline void pair_run(struct pair *p)
{
	while (evq_run_one(&p->q))
		;
}

static inline void pair_until(struct pair *p, uint64_t t)
{
	while (evq_next(&p->q) <= t)
		evq_run_one(&p->q);
	p->q.now_ns = max_u64(p->q.now_ns, t);
	net_enter(p->a.net, t);
	net_enter(p->b.net, t);
}

static inline void node_open(struct pair *p, struct node *n, const char *name, uint32_t id,
			     struct cpu_model model, const struct nicdrv_params *dp)
{
	static const struct pernet_operations *const ops[] = { &sched_net_ops };
	struct net_params np = {.name = name,
				.id = id,
				.seed = 1,
				.now_ns = p->q.now_ns,
				.nr_cpus = 1,
				.cpu_model = model,
				.serials = &p->serials,
				.skbs = p->skbs,
				.owner = {.arg = n, .kick = node_kick}};
	struct nic_params cp = { .node = name, .name = "eth0", .node_id = id };
	int err;

	n->pair = p;
	n->mac[0] = 2;
	n->mac[5] = (uint8_t)id;
	ev_init(&n->run, id, node_run);
	n->net = net_new(&np, ops, 1);
	assert_non_null(n->net);
	memcpy(cp.mac, n->mac, ETH_ALEN);
	n->nic = nic_new(&p->w, &cp);
	n->dev = nicdrv_probe(n->net, n->nic, "eth0", dp, &err);
	assert_non_null(n->dev);
	keeper_add(&n->in, n->net, PT_TEST);
	n->in.consume = true;
}

static inline void pair_open(struct pair *p, struct cpu_model model, const struct nicdrv_params *dp)
{
	struct hw_cable_params cp = { .max_frame = 9300 };

	memset(p, 0, sizeof(*p));
	evq_init(&p->q);
	p->q.now_ns = NSEC_PER_SEC;
	hw_world_init(&p->w, &p->q);
	p->w.wire_tap = pair_tap;
	p->w.wire_tap_arg = p;
	p->skbs = skb_pool_new(0);
	p->cable = hw_cable_new(&p->w, "cable", 1, &cp);
	node_open(p, &p->a, "a", 1, model, dp);
	node_open(p, &p->b, "b", 2, model, dp);
	hw_cable_plug(p->cable, 0, nic_port(p->a.nic));
	hw_cable_plug(p->cable, 1, nic_port(p->b.nic));
	assert_int_equal(dev_open(p->a.dev), 0);
	assert_int_equal(dev_open(p->b.dev), 0);
	pair_run(p);
	rec_init(&p->rec);
}

static inline void pair_trace(struct pair *p, struct node *n)
{
	p->rec.n = 0;
	probe_attach(&n->net->probe, &p->rec.sink);
}

static inline void node_close(struct node *n)
{
	struct skb_mib *m = &n->net->skb_mib;

	keeper_drop(&n->in, n->net);
	unregister_netdev(n->dev);
	assert_int_equal(dma_nr_mapped(n->net), 0);
	nic_free(n->nic);
	evq_cancel(&n->pair->q, &n->run);
	n->net->owner.kick = NULL;
	assert_int_equal(m->live, 0);
	assert_int_equal(m->allocated, m->consumed + m->dropped);
	net_free(n->net);
}

static inline void pair_close(struct pair *p)
{
	hw_cable_unplug(p->cable, 0);
	hw_cable_unplug(p->cable, 1);
	node_close(&p->a);
	node_close(&p->b);
	hw_cable_free(p->cable);
	assert_int_equal(skb_pool_bytes(p->skbs), 0);
	skb_pool_free(p->skbs);
	assert_int_equal(p->w.frames_small.live + p->w.frames_mtu.live, 0);
	hw_world_free(&p->w);
	evq_free(&p->q);
	free(p->rec.ev);
}

/* A frame of len octets (dst to payload) from n to dst, through the device's queue. Returns its
 * serial. */
static inline uint64_t node_send(struct node *n, const uint8_t *dst, uint32_t len)
{
	struct sk_buff *skb;
	uint64_t serial;

	net_enter(n->net, n->pair->q.now_ns);
	skb = make_frame(n->net, n->dev, dst, n->mac, PT_TEST, len);
	skb->protocol = PT_TEST;
	skb_reset_mac_header(skb);
	for (uint32_t i = ETH_HLEN; i < len; i++)
		skb->data[i] = (uint8_t)i;
	serial = skb->serial;
	dev_queue_xmit(skb);
	return serial;
}

static inline void count_irqs(void *arg, const char *name, uint64_t v)
{
	if (!strcmp(name, "interrupts"))
		*(uint64_t *)arg = v;
}
static inline uint64_t node_irqs(struct node *n)
{
	uint64_t v = 0;

	n->dev->netdev_ops->ndo_ethtool_stats(n->dev, count_irqs, &v);
	return v;
}

#endif
