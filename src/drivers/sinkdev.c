/* A device whose far end is a function: the part that does not ask whether frames or packets pass.
 *
 * Decides what becomes of what the sink does not take: a sink that is full stops the queue, and packets then wait in the qdisc until
 * extdev_wake; an error ends the packet. Called by extdev.c and tun.c; hands on to the sink. Tests: tests/unit/drivers, tests/packet. */
#include <errno.h>
#include <stdlib.h>
#include "drivers/sinkdev.h"

struct sinkdev_priv {
	struct netdev_sink sink;
};

netdev_tx_t sinkdev_xmit(struct sk_buff *skb, struct net_device *dev)
{
	const struct sinkdev_priv *p = dev->priv;
	uint32_t len = skb->len, segs = max_u32(skb_shinfo(skb)->gso_segs, 1);
	int err = p->sink.xmit(p->sink.arg, skb);

	if (unlikely(err == -EAGAIN)) {
		netif_tx_stop_queue(&dev->tx[0]);
		return NETDEV_TX_BUSY;
	}
	if (unlikely(err)) {
		dev->stats.tx_errors++;
		kfree_skb_reason(skb, DROP_TAP_WRITE);
		return NETDEV_TX_OK;
	}
	dev->stats.tx_packets += segs;
	dev->stats.tx_bytes += len;
	return NETDEV_TX_OK;
}

void sinkdev_uninit(struct net_device *dev)
{
	free(dev->priv);
}

struct net_device *sinkdev_register(struct net_device *dev, const struct net_device_ops *ops, const struct netdev_sink *sink, int *err)
{
	struct sinkdev_priv *p = xcalloc(1, sizeof(*p));

	p->sink = *sink;
	dev->netdev_ops = ops;
	dev->priv = p;
	*err = register_netdev(dev);
	if (*err) {
		free(p);
		free_netdev(dev);
		return NULL;
	}
	return dev;
}

struct sk_buff *sinkdev_skb(struct net_device *dev, const void *octets, size_t len)
{
	struct sk_buff *skb = alloc_skb(dev->net, NET_SKB_PAD + (uint32_t)len);

	if (!skb) {
		dev->stats.rx_dropped++;
		return NULL;
	}
	skb_reserve(skb, NET_SKB_PAD);
	memcpy(skb_put(skb, (uint32_t)len), octets, len);
	return skb;
}
