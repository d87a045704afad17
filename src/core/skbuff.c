/* sk_buff: its life (alloc, clone, copy, end) and its place in the accounts.
 *
 * Decides when a buffer's memory goes back to the pool: with the last struct that refers to it.
 * Called by everybody who has a packet; hands on to skb_pool.c. The picture is in skbuff.h; what
 * changes the bytes is in skb_data.c, what splits trains in skb_gso.c. Tests:
 * tests/unit/core/test_skbuff.c. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include "core/dst.h"
#include "core/net.h"
#include "core/skb_int.h"
#include "core/skb_pool.h"
#include "wire/ethernet.h"

_Static_assert(sizeof(struct sk_buff) == 256, "four cache lines");

/* By cache lines: compilers make "rep stos" and "rep movs" of 256 octets at once, whose start-up
 * costs more than all the rest of alloc_skb. */
#define SKB_LINE 64

static inline void skb_struct_zero(struct sk_buff *skb)
{
	uint8_t *p = (uint8_t *)skb;

	memset(p, 0, SKB_LINE);
	memset(p + SKB_LINE, 0, SKB_LINE);
	memset(p + 2 * SKB_LINE, 0, SKB_LINE);
	memset(p + 3 * SKB_LINE, 0, SKB_LINE);
}

static inline void skb_struct_copy(struct sk_buff *to, const struct sk_buff *from)
{
	uint8_t *t = (uint8_t *)to;
	const uint8_t *f = (const uint8_t *)from;

	memcpy(t, f, SKB_LINE);
	memcpy(t + SKB_LINE, f + SKB_LINE, SKB_LINE);
	memcpy(t + 2 * SKB_LINE, f + 2 * SKB_LINE, SKB_LINE);
	memcpy(t + 3 * SKB_LINE, f + 3 * SKB_LINE, SKB_LINE);
}

void skb_over_panic(const struct sk_buff *skb, const char *what)
{
	(void)skb;
	(void)what; /* for the debugger: who went beyond head or end */
	assert(0 && "skb geometry: beyond head or end");
	abort();
}

static void skb_charge(struct net *net, unsigned cls)
{
	net->skb_mib.allocated++;
	net->skb_mib.live++;
	net->skb_mib.bytes += skb_class_cost(cls);
}

static void skb_uncharge(struct net *net, unsigned cls)
{
	net->skb_mib.live--;
	net->skb_mib.bytes -= skb_class_cost(cls);
}

static bool skb_over_limit(const struct net *net, unsigned cls)
{
	return unlikely(net->skb_mib.bytes + skb_class_cost(cls) > net->skb_max_bytes);
}

void skb_shared_init(struct sk_buff *skb, uint8_t *buf, unsigned cls)
{
	struct skb_shared *sh;

	skb->head = skb->data = skb->tail = buf;
	skb->end = buf + skb_class_size(cls) - sizeof(*sh);
	sh = skb_shinfo(skb);
	memset(sh, 0, sizeof(*sh));
	sh->dataref = 1;
	sh->size_class = cls & 15u;
	skb->truesize = skb_class_cost(cls);
}

/* A struct around this buffer, untraced. NULL at the cap: the buffer stays the caller's. */
static struct sk_buff *skb_wrap(struct net *net, uint8_t *buf, unsigned cls)
{
	struct sk_buff *skb = skb_pool_struct(net->skbs);

	if (unlikely(!skb))
		return NULL;
	skb_struct_zero(skb);
	skb->net = net;
	skb->users = 1;
	skb->mac_header = SKB_NO_MAC_HEADER;
	skb_shared_init(skb, buf, cls);
	skb_charge(net, cls);
	return skb;
}

struct sk_buff *skb_alloc_quiet(struct net *net, uint32_t size)
{
	unsigned cls = skb_class_of(size);
	struct sk_buff *skb;
	uint8_t *buf;

	if (unlikely(size > SKB_MAX_DATA) || skb_over_limit(net, cls))
		return NULL;
	buf = skb_pool_data(net->skbs, cls);
	if (unlikely(!buf))
		return NULL;
	skb = skb_wrap(net, buf, cls);
	if (unlikely(!skb))
		skb_pool_data_put(net->skbs, buf, cls);
	return skb;
}

struct sk_buff *alloc_skb(struct net *net, uint32_t size)
{
	struct sk_buff *skb = skb_alloc_quiet(net, size);

	if (unlikely(!skb))
		return NULL;
	skb->serial = net_next_serial(net);
	TRACE(&net->probe, TR_BORN, skb->serial, "size=%u", size);
	return skb;
}

struct sk_buff *build_skb(struct net *net, uint8_t *buf, uint32_t room)
{
	return build_skb_serial(net, buf, room, 0);
}

struct sk_buff *build_skb_serial(struct net *net, uint8_t *buf, uint32_t room, uint64_t serial)
{
	struct sk_buff *skb = skb_wrap(net, buf, skb_class_of(room));

	if (unlikely(!skb))
		return NULL;
	skb->serial = serial ? serial : net_next_serial(net);
	if (unlikely(net->probe.on))
		probe_emit_(&net->probe, TR_BORN, "build_skb", skb->serial, "room=%u ring", room);
	return skb;
}

uint8_t *skb_data_get(struct net *net, uint32_t room)
{
	unsigned cls = skb_class_of(room);

	if (unlikely(room > SKB_MAX_DATA) || skb_over_limit(net, cls))
		return NULL;
	return skb_pool_data(net->skbs, cls);
}

void skb_data_put(struct net *net, uint8_t *buf, uint32_t room)
{
	skb_pool_data_put(net->skbs, buf, skb_class_of(room));
}

static void nfct_get(const struct sk_buff *skb)
{
	if (unlikely(skb->nfct != NULL) && skb->net->nfct_ops)
		skb->net->nfct_ops->get(skb->nfct);
}

static void nfct_put(struct sk_buff *skb)
{
	if (unlikely(skb->nfct != NULL) && skb->net->nfct_ops)
		skb->net->nfct_ops->put(skb->nfct);
	skb->nfct = NULL;
}

/* Everything about the packet but its memory, its owner and its place in a queue. */
void skb_copy_meta(struct sk_buff *to, const struct sk_buff *from)
{
	to->dev = from->dev;
	to->dst = dst_hold(from->dst);
	to->serial = from->serial;
	to->tstamp_ns = from->tstamp_ns;
	to->protocol = from->protocol;
	to->queue_mapping = from->queue_mapping;
	to->vlan_tci = from->vlan_tci;
	to->csum = from->csum;
	to->mark = from->mark;
	to->priority = from->priority;
	to->hash = from->hash;
	to->skb_iif = from->skb_iif;
	to->pkt_type = from->pkt_type;
	to->ip_summed = from->ip_summed;
	to->l4_hash = from->l4_hash;
	to->ignore_df = from->ignore_df;
	to->nfct_status = from->nfct_status;
	to->nfct = from->nfct;
	nfct_get(to);
	to->skb_mstamp_ns = from->skb_mstamp_ns;
	memcpy(to->cb, from->cb, sizeof(to->cb));
}

struct sk_buff *skb_clone(struct sk_buff *skb)
{
	struct net *net = skb->net;
	struct sk_buff *c = skb_pool_struct(net->skbs);

	if (unlikely(!c))
		return NULL;
	skb_struct_copy(c, skb);
	c->next = c->prev = NULL;
	c->sk = NULL;
	c->destructor = NULL;
	c->users = 1;
	c->peeked = c->dev_xmit_more = c->nohdr = c->tapped = 0;
	c->cloned = skb->cloned = 1;
	dst_hold(c->dst);
	nfct_get(c);
	skb_shinfo(c)->dataref++;
	skb_charge(net, skb_shinfo(c)->size_class);
	net->skb_mib.clones++;
	TRACE(&net->probe, TR_CLONE, c->serial, "dataref=%u", skb_shinfo(c)->dataref);
	return c;
}

void skb_header_release(struct sk_buff *skb)
{
	if (skb->nohdr)
		return;
	skb->nohdr = 1;
	skb_shinfo(skb)->nohdr_refs++;
}

/* How a packet ended: NULL where: consumed. */
struct skb_fate {
	const char *where;
	enum drop_reason reason;
};

static void skb_end(struct sk_buff *skb, const struct skb_fate *fate);

static void skb_end_list(struct sk_buff *list, const struct skb_fate *fate)
{
	while (list) {
		struct sk_buff *next = list->next;

		skb_end(list, fate);
		list = next;
	}
}

/* Let go of the buffer. */
static void skb_release_data(struct sk_buff *skb, const struct skb_fate *fate)
{
	struct skb_shared *sh = skb_shinfo(skb);

	if (skb->nohdr)
		sh->nohdr_refs--;
	if (--sh->dataref)
		return;
	if (unlikely(sh->frag_list != NULL))
		skb_end_list(sh->frag_list, fate);
	skb_pool_data_put(skb->net->skbs, skb->head, sh->size_class);
}

void skb_release_buffer(struct sk_buff *skb)
{
	static const struct skb_fate consumed;

	skb->net->skb_mib.bytes -= skb_class_cost(skb_shinfo(skb)->size_class);
	skb_release_data(skb, &consumed);
}

/* What a dead packet shows of itself: from its link header if it has one, else its IP header. */
static void skb_trace_drop(const struct sk_buff *skb, const struct skb_fate *fate)
{
	const uint8_t *from = skb->data;
	uint8_t linktype = 0;

	if (skb_mac_header_was_set(skb)) {
		from = skb_mac_header(skb);
		linktype = 1;
	} else if (skb->network_header && skb->protocol == ETH_P_IP) {
		from = skb_network_header(skb);
		linktype = 101;
	}
	if (from > skb->tail)
		from = skb->data;
	probe_drop_(&skb->net->probe, fate->where, skb->serial, fate->reason, from,
		    (uint32_t)(skb->tail - from), linktype);
}

static void skb_account_end(struct sk_buff *skb, const struct skb_fate *fate)
{
	struct net *net = skb->net;

	if (likely(!fate->where)) {
		net->skb_mib.consumed++;
		if (unlikely(net->probe.on))
			probe_emit_(&net->probe, TR_CONSUME, "consume_skb", skb->serial, "len=%u",
				    skb->len);
	} else {
		net->skb_mib.dropped++;
		net->skb_mib.dropped_by[fate->reason]++;
		if (unlikely(net->probe.on))
			skb_trace_drop(skb, fate);
	}
	skb_uncharge(net, skb_shinfo(skb)->size_class);
}

static void skb_end(struct sk_buff *skb, const struct skb_fate *fate)
{
	if (unlikely(skb->users > 1)) {
		skb->users--;
		return;
	}
	skb_account_end(skb, fate);
	if (skb->destructor)
		skb->destructor(skb);
	if (skb->dst)
		dst_release(skb->dst);
	nfct_put(skb);
	skb_release_data(skb, fate);
	skb_pool_struct_put(skb->net->skbs, skb);
}

void consume_skb(struct sk_buff *skb)
{
	static const struct skb_fate consumed;

	if (likely(skb != NULL))
		skb_end(skb, &consumed);
}

void kfree_skb_at(struct sk_buff *skb, enum drop_reason reason, const char *where)
{
	struct skb_fate fate = { where, reason };

	if (likely(skb != NULL))
		skb_end(skb, &fate);
}

void kfree_skb_list_at(struct sk_buff *list, enum drop_reason reason, const char *where)
{
	struct skb_fate fate = { where, reason };

	skb_end_list(list, &fate);
}

void skb_queue_purge_reason(struct sk_buff_head *q, enum drop_reason reason)
{
	struct sk_buff *skb;

	while ((skb = skb_dequeue(q)) != NULL)
		kfree_skb_at(skb, reason, __func__);
}

void skb_orphan(struct sk_buff *skb)
{
	TRACE_FN(&skb->net->probe, skb->serial);

	if (skb->destructor) {
		skb->destructor(skb);
		skb->destructor = NULL;
	}
	skb->sk = NULL;
}

void skb_new_serial(struct sk_buff *skb, uint64_t parent, const char *why)
{
	skb->serial = net_next_serial(skb->net);
	TRACE(&skb->net->probe, TR_BORN, skb->serial, "parent=%llu %s", (unsigned long long)parent,
	      why);
}

/* Account one struct at another host. */
static void skb_move(struct sk_buff *skb, struct net *net)
{
	unsigned cls = skb_shinfo(skb)->size_class;

	skb->net->skb_mib.consumed++;
	skb_uncharge(skb->net, cls);
	skb->net = net;
	skb_charge(net, cls);
}

int skb_set_net(struct sk_buff *skb, struct net *net)
{
	struct skb_shared *sh = skb_shinfo(skb);

	assert(net->skbs == skb->net->skbs && skb->users == 1);
	/* Fragments that somebody here still refers to cannot belong to another host. */
	if (unlikely(sh->frag_list != NULL) && sh->dataref > 1 && skb_linearize(skb))
		return -ENOMEM;
	if (skb->destructor)
		skb_orphan(skb);
	skb->sk = NULL;
	skb_dst_drop(skb);
	nfct_put(skb);
	skb->nfct_status = 0;
	skb->mark = 0;
	skb->skb_iif = 0;
	if (skb->net == net)
		return 0;
	for (struct sk_buff *f = skb_shinfo(skb)->frag_list; f; f = f->next)
		if (skb_set_net(f, net))
			return -ENOMEM;
	skb_move(skb, net);
	return 0;
}
