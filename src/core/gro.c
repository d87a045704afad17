/* Receive coalescing (GRO): which packets of a poll go up as one.
 *
 * Decides: is a packet looked at by GRO at all (the device's generic-receive-offload, a protocol that has an
 * offload); which held packets are of the same link-layer flow; what is held, and for how long. What "the same flow,
 * next in order" means is the protocols' (ipv4/ip_offload.c, tcp/tcp_offload.c). Called by drivers from their poll, by
 * napi_complete_done and the flush timer; hands on to netif_receive_skb.
 *
 *   napi_gro_receive -> dev_gro_receive -> inet_gro_receive -> tcp4_gro_receive -> tcp_gro_receive
 *        merged:  skb_gro_receive: a fragment of the held one
 *        held:    napi->gro, at most MAX_GRO_SKBS, newest first
 *        neither: netif_receive_skb now
 *   napi_complete_done -> napi_gro_flush -> napi_gro_complete -> inet_gro_complete ... -> netif_receive_skb
 *
 * A poll that finds one frame merges nothing: only load makes large packets. Tests: tests/unit/ipv4/test_gro.c. */
#include <errno.h>
#include "base/timer.h"
#include "core/gro.h"
#include "core/net_int.h"

void dev_add_offload(struct net *net, struct packet_offload *po)
{
	list_add_tail(&po->list, &net->offload_base);
}

void dev_remove_offload(struct packet_offload *po)
{
	if (po->list.next)
		list_del_init(&po->list);
}

static struct packet_offload *offload_of(struct net *net, uint16_t type)
{
	struct packet_offload *po;

	list_for_each_entry(po, &net->offload_base, list)
		if (po->type == type)
			return po;
	return NULL;
}

int skb_gro_receive(struct sk_buff *p, struct sk_buff *skb)
{
	struct napi_gro_cb *cb = NAPI_GRO_CB(p);
	uint32_t len = skb_gro_len(skb);
	TRACE_FN(&p->net->probe, skb->serial);

	if (unlikely(p->len + len >= GRO_MAX_SIZE || NAPI_GRO_CB(skb)->flush))
		return -E2BIG;
	skb_pull(skb, NAPI_GRO_CB(skb)->data_offset);
	if (cb->last == p)
		skb_shinfo(p)->frag_list = skb;
	else
		cb->last->next = skb;
	cb->last = skb;
	cb->count++;
	p->len += len;
	p->data_len += len;
	p->truesize += skb->truesize;
	NAPI_GRO_CB(skb)->same_flow = true;
	TRACE(&p->net->probe, TR_NOTE, skb->serial, "merged into=%llu segs=%u len=%u",
	      (unsigned long long)p->serial, cb->count, p->len);
	return 0;
}

/* ---- up ---- */

static void napi_gro_complete(struct napi_struct *n, struct sk_buff *skb)
{
	TRACE_FN(&skb->net->probe, skb->serial);

	if (NAPI_GRO_CB(skb)->count == 1) {
		skb_shinfo(skb)->gso_size = 0;
	} else {
		n->gro_trains++;
		offload_of(skb->net, skb->protocol)->gro_complete(skb);
	}
	netif_receive_skb(skb);
}

void napi_gro_flush(struct napi_struct *n, bool old_only)
{
	struct sk_buff *skb;
	uint64_t now = n->net->now_ns / GRO_AGE_NS;

	if (likely(skb_queue_empty(&n->gro)))
		return;
	TRACE_FN(&n->net->probe, 0);
	/* Oldest first: the order in which they came. */
	while ((skb = skb_peek_tail(&n->gro)) != NULL) {
		if (old_only && NAPI_GRO_CB(skb)->held_since == now)
			return;
		skb_unlink(skb, &n->gro);
		napi_gro_complete(n, skb);
	}
}

void napi_gro_drop(struct napi_struct *n)
{
	del_timer(&n->net->wheel, &n->timer);
	skb_queue_purge_reason(&n->gro, DROP_DEV_READY);
}

/* ---- in ---- */

/* Which of the held packets came from the same station to the same one? The layers above look at these only. */
static void gro_list_prepare(struct sk_buff_head *held, const struct sk_buff *skb)
{
	struct sk_buff *p;

	skb_queue_walk(held, p)
		NAPI_GRO_CB(p)->same_flow =
			p->vlan_tci == skb->vlan_tci && p->protocol == skb->protocol &&
			!memcmp(skb_mac_header(p), skb_mac_header(skb), ETH_HLEN);
}

static void gro_hold(struct napi_struct *n, struct sk_buff *skb)
{
	struct napi_gro_cb *cb = NAPI_GRO_CB(skb);

	if (n->gro.qlen >= MAX_GRO_SKBS) {
		struct sk_buff *oldest = skb_peek_tail(&n->gro);

		skb_unlink(oldest, &n->gro);
		napi_gro_complete(n, oldest);
	}
	cb->held_since = n->net->now_ns / GRO_AGE_NS;
	cb->last = skb;
	skb_shinfo(skb)->gso_size = (uint16_t)skb_gro_len(skb);
	skb_queue_head(&n->gro, skb);
	TRACE(&n->net->probe, TR_QUEUE, skb->serial, "queue=gro napi=%s len=%u", n->name, n->gro.qlen);
}

/* May GRO look at it? A packet that the link layer has not understood goes the common way. */
static bool gro_wanted(const struct sk_buff *skb)
{
	return (skb->dev->features & NETIF_F_GRO) && skb_mac_header_was_set(skb) && !skb->data_len &&
	       !skb_is_gso(skb);
}

/* True: held, or merged; false: the caller's, to go up now. */
static bool dev_gro_receive(struct napi_struct *n, struct sk_buff *skb)
{
	struct packet_offload *po = gro_wanted(skb) ? offload_of(n->net, skb->protocol) : NULL;
	bool merged, flush;
	struct sk_buff *done;
	TRACE_FN(&n->net->probe, skb->serial);

	if (!po)
		return false;
	gro_list_prepare(&n->gro, skb);
	*NAPI_GRO_CB(skb) = (struct napi_gro_cb){ .count = 1 };
	skb_reset_network_header(skb);
	done = po->gro_receive(&n->gro, skb);
	merged = NAPI_GRO_CB(skb)->same_flow;
	flush = NAPI_GRO_CB(skb)->flush;
	n->gro_merged += merged;
	if (done) { /* and with it a skb that was merged */
		skb_unlink(done, &n->gro);
		napi_gro_complete(n, done);
	}
	if (!merged && !flush)
		gro_hold(n, skb);
	return merged || !flush;
}

void napi_gro_receive(struct napi_struct *n, struct sk_buff *skb)
{
	TRACE_FN(&n->net->probe, skb->serial);

	if (!skb->tstamp_ns)
		skb->tstamp_ns = n->net->now_ns;
	if (!dev_gro_receive(n, skb))
		netif_receive_skb(skb);
}
