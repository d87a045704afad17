/* Transmit: from a packet with its link header to the driver's hand.
 *
 * Decides which queue a packet takes, whether it waits there (the discipline's enqueue pointer says
 * so) and what must be done to it that the device cannot do. Called by the neighbour layer
 * (dev_queue_xmit) and by qdisc_core.c (dev_hard_start_xmit); hands on to the taps and to
 * ndo_start_xmit. Tests: tests/unit/core/test_dev_tx.c.
 *
 * Recursion: a driver may send through another device (a tunnel), XMIT_RECURSION_LIMIT deep. A
 * reply never recurses: lo and veth queue to a backlog, and that is processed when the bh section
 * is left. */
#include <errno.h>
#include "core/net_int.h"
#include "core/sock.h"

#define XMIT_RECURSION_LIMIT 8

/* ---- taps ---- */

static void tap_one(struct sk_buff *skb, struct net_device *dev, struct packet_type *pt)
{
	struct sk_buff *c;

	/* Not back to the packet socket that sent it. */
	if (pt->ignore_outgoing || (pt->arg && pt->arg == skb->sk))
		return;
	c = skb_clone(skb);
	if (!c)
		return;
	c->tstamp_ns = dev->net->now_ns;
	skb_reset_mac_header(c);
	c->pkt_type = PACKET_OUTGOING_;
	pt->func(c, dev, pt, dev);
}

/* tcpdump sees sent packets here. */
static void dev_queue_xmit_nit(struct sk_buff *skb, struct net_device *dev)
{
	struct packet_type *pt;
	TRACE_FN(&dev->net->probe, skb->serial);

	list_for_each_entry(pt, &dev->net->ptype_all, list)
		tap_one(skb, dev, pt);
	list_for_each_entry(pt, &dev->ptype_all, list)
		tap_one(skb, dev, pt);
}

/* ---- to the driver ---- */

static netdev_tx_t xmit_one(struct sk_buff *skb, struct net_device *dev)
{
	const struct net_device_ops *ops = dev->netdev_ops;
	netdev_tx_t rc;

	if (unlikely(!list_empty(&dev->net->ptype_all) || !list_empty(&dev->ptype_all)) &&
	    !skb->tapped)
		dev_queue_xmit_nit(skb, dev);
	if (!skb->tapped)
		skb_tstamp_tx(skb, SKBTX_SW_TSTAMP, SCM_TSTAMP_SND);
	skb->tapped = 0;
	rc = ops->ndo_start_xmit(skb, dev);
	if (unlikely(rc != NETDEV_TX_OK))
		skb->tapped = 1; /* it comes again: once is enough for the taps */
	return rc;
}

netdev_tx_t dev_hard_start_xmit(struct sk_buff *skb, struct net_device *dev,
				struct netdev_queue *txq, struct sk_buff **left)
{
	netdev_tx_t rc = NETDEV_TX_OK;
	TRACE_FN(&dev->net->probe, skb->serial);

	while (skb) {
		struct sk_buff *next = skb->next;

		skb->next = NULL;
		skb->dev_xmit_more = next != NULL;
		rc = xmit_one(skb, dev);
		if (unlikely(rc != NETDEV_TX_OK)) {
			skb->next = next;
			break;
		}
		skb = next;
		if (unlikely(skb && netif_tx_queue_stopped(txq))) {
			rc = NETDEV_TX_BUSY;
			break;
		}
	}
	*left = skb;
	return rc;
}

/* ---- what the device cannot do itself ---- */

static bool device_takes_train(const struct sk_buff *skb, const struct net_device *dev)
{
	uint32_t need = NETIF_F_HW_CSUM |
			(skb_shinfo(skb)->gso_type == SKB_GSO_TCPV4 ? NETIF_F_TSO : NETIF_F_USO);

	return (dev->features & need) == need;
}

static struct sk_buff *invalid(struct sk_buff *skb, struct net_device *dev, enum drop_reason reason)
{
	dev->stats.tx_dropped++;
	kfree_skb_at(skb, reason, "validate_xmit_skb");
	return NULL;
}

static struct sk_buff *split_train(struct sk_buff *skb, struct net_device *dev)
{
	bool partial = (dev->features & NETIF_F_HW_CSUM) != 0;
	struct sk_buff *segs = skb_gro_split(skb, partial), *last;

	if (segs)
		return segs;
	segs = skb_gso_segment_features(skb, partial);
	if (!segs)
		return invalid(skb, dev, DROP_SKB_GSO_SEG);
	for (last = segs; last->next; last = last->next)
		;
	/* The sender's account is settled when the last segment has gone. */
	last->sk = skb->sk;
	last->destructor = skb->destructor;
	last->truesize = skb->truesize;
	skb->sk = NULL;
	skb->destructor = NULL;
	consume_skb(skb);
	return segs;
}

static struct sk_buff *validate_one(struct sk_buff *skb, struct net_device *dev)
{
	if (unlikely(skb_is_gso(skb)) && !device_takes_train(skb, dev))
		return split_train(skb, dev);
	if (unlikely(skb->data_len) && !(dev->features & NETIF_F_FRAGLIST) && skb_linearize(skb))
		return invalid(skb, dev, DROP_NOMEM);
	if (skb->ip_summed == CHECKSUM_PARTIAL && !(dev->features & NETIF_F_HW_CSUM) &&
	    skb_checksum_help(skb))
		return invalid(skb, dev, DROP_SKB_CSUM);
	return skb;
}

struct sk_buff *validate_xmit_skb(struct sk_buff *skb, struct net_device *dev)
{
	struct sk_buff *first = NULL, **at = &first;

	while (skb) {
		struct sk_buff *next = skb->next;

		skb->next = NULL;
		*at = validate_one(skb, dev);
		while (*at)
			at = &(*at)->next;
		skb = next;
	}
	return first;
}

/* ---- dev_queue_xmit ---- */

static struct netdev_queue *netdev_pick_tx(struct net_device *dev, const struct sk_buff *skb)
{
	if (likely(dev->num_tx_queues == 1))
		return &dev->tx[0];
	return &dev->tx[skb->queue_mapping % dev->num_tx_queues];
}

static int xmit_drop(struct sk_buff *skb, struct net_device *dev, enum drop_reason reason, int err)
{
	dev->stats.tx_dropped++;
	kfree_skb_list_at(skb, reason, "__dev_queue_xmit");
	return err;
}

/* A device without a queue: straight to the driver. */
static int xmit_noqueue(struct sk_buff *skb, struct net_device *dev, struct netdev_queue *txq)
{
	struct softnet_data *sd = this_softnet(dev->net);
	struct sk_buff *left = NULL;

	if (unlikely(!(dev->flags & DEVF_UP)))
		return xmit_drop(skb, dev, DROP_DEV_READY, -ENETDOWN);
	if (unlikely(sd->xmit_recursion > XMIT_RECURSION_LIMIT))
		return xmit_drop(skb, dev, DROP_RECURSION_LIMIT, -ENETDOWN);
	skb = validate_xmit_skb(skb, dev);
	if (unlikely(!skb))
		return -ENOMEM;
	if (unlikely(netif_tx_queue_stopped(txq)))
		return xmit_drop(skb, dev, DROP_FULL_RING, -ENETDOWN);
	sd->xmit_recursion++;
	dev_hard_start_xmit(skb, dev, txq, &left);
	sd->xmit_recursion--;
	/* There is nowhere to wait. */
	return likely(!left) ? 0 : xmit_drop(left, dev, DROP_FULL_RING, -ENETDOWN);
}

static int __dev_queue_xmit(struct sk_buff *skb)
{
	struct net_device *dev = skb->dev;
	struct net *net = dev->net;
	struct netdev_queue *txq;
	struct Qdisc *q;
	int rc;
	TRACE_FN(&net->probe, skb->serial);

	skb_reset_mac_header(skb);
	skb_tstamp_tx(skb, SKBTX_SCHED_TSTAMP, SCM_TSTAMP_SCHED);
	local_bh_disable(net);
	txq = netdev_pick_tx(dev, skb);
	q = txq->qdisc;
	if (q->enqueue)
		rc = __dev_xmit_skb(skb, q, dev, txq);
	else
		rc = xmit_noqueue(skb, dev, txq);
	local_bh_enable(net);
	return rc;
}

int dev_queue_xmit(struct sk_buff *skb)
{
	TRACE_FN(&skb->net->probe, skb->serial);

	return __dev_queue_xmit(skb);
}
