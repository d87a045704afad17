/* Receive: from a driver's hand up to the protocol that wants the packet.
 *
 * Decides who gets a frame: taps first, then the handler of its EtherType, else nobody. Called by
 * NAPI drivers (netif_receive_skb) and by drivers without (netif_rx, through the CPU's backlog);
 * hands on to packet_type.func. NAPI's own machinery is in napi.c. Tests:
 * tests/unit/core/test_dev_rx.c.
 *
 *   netif_rx -> netif_rx_internal -> enqueue_to_backlog -> input_pkt_queue, ____napi_schedule
 *      ... NET_RX softirq: net_rx_action -> process_backlog: splice to process_queue ...
 *   netif_receive_skb or process_backlog -> __netif_receive_skb -> __netif_receive_skb_core
 *      -> deliver_skb to all takers but the last, packet_type.func for that one
 *
 * Two queues, so that what arrives while a batch is worked on waits for the next one, without a
 * look at each skb. */
#include "core/net_int.h"

#define PTYPE_MASK 15u

static struct list_head *ptype_head(struct net *net, const struct packet_type *pt)
{
	if (pt->type != ETH_P_ALL)
		return &net->ptype_base[pt->type & PTYPE_MASK];
	return pt->dev ? &pt->dev->ptype_all : &net->ptype_all;
}

void dev_add_pack(struct net *net, struct packet_type *pt)
{
	list_add_tail(&pt->list, ptype_head(net, pt));
}

void dev_remove_pack(struct net *net, struct packet_type *pt)
{
	(void)net;
	if (pt->list.next)
		list_del_init(&pt->list);
}

/* A copy of the struct for one of several takers: each may queue and change what it gets. */
static void deliver_skb(struct sk_buff *skb, struct packet_type *pt, struct net_device *orig)
{
	struct sk_buff *c;
	TRACE_FN(&skb->net->probe, skb->serial);

	c = skb_clone(skb);
	if (c)
		pt->func(c, c->dev, pt, orig);
}

/* Give the packet to the taker before this one, now that it is known not to be the last. */
static void deliver_prev(struct sk_buff *skb, struct packet_type **prev, struct packet_type *pt)
{
	if (*prev)
		deliver_skb(skb, *prev, skb->dev);
	*prev = pt;
}

static void deliver_taps(struct sk_buff *skb, const struct list_head *taps,
			 struct packet_type **prev)
{
	struct packet_type *pt;

	list_for_each_entry(pt, taps, list)
		deliver_prev(skb, prev, pt);
}

/* Frames that no station may send: a group or our own address as source (IEEE 802.3 3.2.3; lo's
 * frames have its zero address on both sides). */
static bool bad_source(const struct sk_buff *skb)
{
	const struct net_device *dev = skb->dev;
	const uint8_t *src = skb_mac_header(skb) + ETH_ALEN;

	if (dev->type != 1 || skb->pkt_type == PACKET_LOOPBACK_)
		return false;
	return mac_is_group(src) || mac_equal(src, dev->dev_addr);
}

static int rx_drop(struct sk_buff *skb, enum drop_reason reason)
{
	skb->dev->stats.rx_dropped++;
	kfree_skb_at(skb, reason, "__netif_receive_skb_core");
	return NET_RX_DROP;
}

static int rx_too_short(struct sk_buff *skb)
{
	skb->dev->stats.rx_errors++;
	skb->dev->stats.rx_length_errors++;
	kfree_skb_at(skb, DROP_PKT_TOO_SMALL, "__netif_receive_skb_core");
	return NET_RX_DROP;
}

static int __netif_receive_skb_core(struct sk_buff *skb)
{
	struct net_device *dev = skb->dev;
	struct net *net = dev->net;
	struct packet_type *prev = NULL, *pt;
	TRACE_FN(&net->probe, skb->serial);

	this_softnet(net)->processed++;
	if (unlikely(!skb_mac_header_was_set(skb) && skb->pkt_type != PACKET_LOOPBACK_))
		return rx_too_short(skb);
	skb_reset_network_header(skb);
	skb->transport_header = skb->network_header;
	skb->skb_iif = dev->ifindex;
	/* The local copy of an own multicast was seen on its way out (S0-05). */
	if (likely(skb->pkt_type != PACKET_LOOPBACK_)) {
		deliver_taps(skb, &net->ptype_all, &prev);
		deliver_taps(skb, &dev->ptype_all, &prev);
	}
	if (unlikely(bad_source(skb))) {
		if (prev)
			deliver_skb(skb, prev, dev);
		return rx_drop(skb, DROP_BAD_SRC_MAC);
	}
	if (unlikely(dev->rx_handler != NULL)) {
		deliver_prev(skb, &prev, NULL);
		if (dev->rx_handler(&skb))
			return NET_RX_SUCCESS;
		dev = skb->dev;
	}
	list_for_each_entry(pt, &net->ptype_base[skb->protocol & PTYPE_MASK], list)
		if (pt->type == skb->protocol && (!pt->dev || pt->dev == dev))
			deliver_prev(skb, &prev, pt);
	if (unlikely(!prev))
		return rx_drop(skb, DROP_UNHANDLED_PROTO);
	return prev->func(skb, dev, prev, dev); /* the last one gets the packet itself */
}

static int __netif_receive_skb(struct sk_buff *skb)
{
	TRACE_FN(&skb->net->probe, skb->serial);

	return __netif_receive_skb_core(skb);
}

int netif_receive_skb(struct sk_buff *skb)
{
	TRACE_FN(&skb->net->probe, skb->serial);

	if (!skb->tstamp_ns)
		skb->tstamp_ns = skb->net->now_ns;
	return __netif_receive_skb(skb);
}

/* ---- the backlog: devices without NAPI ---- */

static int backlog_drop(struct softnet_data *sd, struct sk_buff *skb, enum drop_reason reason)
{
	if (reason == DROP_CPU_BACKLOG)
		sd->dropped++;
	skb->dev->stats.rx_dropped++;
	kfree_skb_at(skb, reason, "enqueue_to_backlog");
	return NET_RX_DROP;
}

static int enqueue_to_backlog(struct softnet_data *sd, struct sk_buff *skb)
{
	struct sk_buff_head *q = &sd->input_pkt_queue;
	TRACE_FN(&sd->net->probe, skb->serial);

	if (unlikely(!(skb->dev->flags & DEVF_UP)))
		return backlog_drop(sd, skb, DROP_DEV_READY);
	/* Linux's test: the queue holds one more than the limit says. */
	if (unlikely((int64_t)q->qlen > sd->net->netdev_sysctl.max_backlog))
		return backlog_drop(sd, skb, DROP_CPU_BACKLOG);
	if (!q->qlen && !sd->backlog.scheduled) {
		sd->backlog.scheduled = true;
		____napi_schedule(sd, &sd->backlog);
	}
	skb_queue_tail(q, skb);
	TRACE(&sd->net->probe, TR_QUEUE, skb->serial, "queue=input_pkt_queue cpu=%u len=%u",
	      sd->cpu, q->qlen);
	return NET_RX_SUCCESS;
}

static int netif_rx_internal(struct sk_buff *skb)
{
	TRACE_FN(&skb->net->probe, skb->serial);

	if (!skb->tstamp_ns)
		skb->tstamp_ns = skb->net->now_ns;
	return enqueue_to_backlog(this_softnet(skb->net), skb);
}

int netif_rx(struct sk_buff *skb)
{
	TRACE_FN(&skb->net->probe, skb->serial);

	return netif_rx_internal(skb);
}

/* All that waits in front moves behind, in order, by a few pointers; false: nothing waited. */
static bool backlog_splice(struct softnet_data *sd)
{
	uint32_t n = sd->input_pkt_queue.qlen;

	if (!n)
		return false;
	skb_queue_splice_tail_init(&sd->input_pkt_queue, &sd->process_queue);
	TRACE(&sd->net->probe, TR_QUEUE, 0, "splice input_pkt_queue to process_queue n=%u cpu=%u",
	      n, sd->cpu);
	return true;
}

int process_backlog(struct napi_struct *napi, int quota)
{
	struct softnet_data *sd = container_of(napi, struct softnet_data, backlog);
	struct sk_buff *skb;
	int work = 0;
	TRACE_FN(&sd->net->probe, 0);

	for (;;) {
		while ((skb = skb_dequeue(&sd->process_queue)) != NULL) {
			TRACE(&sd->net->probe, TR_DEQUEUE, skb->serial,
			      "queue=process_queue cpu=%u len=%u", sd->cpu, sd->process_queue.qlen);
			__netif_receive_skb(skb);
			if (++work >= quota)
				return work;
		}
		if (!backlog_splice(sd)) {
			napi_complete_done(napi, work);
			return work;
		}
	}
}

static void flush_queue(struct sk_buff_head *q, const struct net_device *dev)
{
	struct sk_buff *skb, *tmp;

	skb_queue_walk_safe(q, skb, tmp) {
		if (skb->dev != dev)
			continue;
		skb_unlink(skb, q);
		kfree_skb_reason(skb, DROP_DEV_READY);
	}
}

void flush_backlogs(struct net_device *dev)
{
	struct net *net = dev->net;

	for (uint32_t c = 0; c < net->nr_cpus; c++) {
		flush_queue(&net->softnet[c].input_pkt_queue, dev);
		flush_queue(&net->softnet[c].process_queue, dev);
	}
}
