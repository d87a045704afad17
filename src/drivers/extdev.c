/* extdev: a device whose far end is a function: a TAP of this machine's kernel, or the embedding
 * program.
 *
 * Decides whether a frame from outside may enter: long enough for its header (RFC 894), not longer
 * than the MTU allows unless it is a train. Called by dev_hard_start_xmit and by the owner
 * (extdev_input); hands on to the sink (sinkdev.c) and to netif_rx. Tests: tests/unit/drivers. */
#include <errno.h>
#include "drivers/sinkdev.h"

static netdev_tx_t extdev_xmit(struct sk_buff *skb, struct net_device *dev)
{
	TRACE_FN(&dev->net->probe, skb->serial);
	return sinkdev_xmit(skb, dev);
}

static const struct net_device_ops extdev_ops = {
	.ndo_uninit = sinkdev_uninit,
	.ndo_start_xmit = extdev_xmit,
};

struct net_device *extdev_create(struct net *net, const char *name, const uint8_t mac[6],
				 uint32_t features, const struct netdev_sink *sink, int *err)
{
	struct net_device *dev = alloc_netdev(net, name, 1);

	ether_setup(dev);
	memcpy(dev->dev_addr, mac, ETH_ALEN);
	memcpy(dev->perm_addr, mac, ETH_ALEN);
	dev->features = features;
	return sinkdev_register(dev, &extdev_ops, sink, err);
}

/* 0, or why the frame may not enter (counted). */
static int extdev_check(struct net_device *dev, size_t len, const struct extdev_meta *m)
{
	if (!(dev->flags & DEVF_UP)) {
		dev->stats.rx_dropped++;
		return -ENETDOWN;
	}
	if (len < ETH_HLEN || len > SKB_MAX_DATA - NET_SKB_PAD ||
	    (!m->gso_size && len > dev->mtu + ETH_HLEN + 4u)) {
		dev->stats.rx_errors++;
		dev->stats.rx_length_errors++;
		return len < ETH_HLEN ? -EINVAL : -EMSGSIZE;
	}
	return 0;
}

/* What the far end said about checksum and segments. Offsets count from the frame's start. */
static int extdev_apply_meta(struct sk_buff *skb, const struct extdev_meta *m)
{
	struct skb_shared *sh = skb_shinfo(skb);

	if (m->csum_partial) {
		if ((uint32_t)m->csum_start + m->csum_offset + 2u > skb->len)
			return -EINVAL;
		skb->ip_summed = CHECKSUM_PARTIAL;
		skb->csum_start = (uint16_t)(skb_headroom(skb) + m->csum_start);
		skb->csum_offset = m->csum_offset;
	} else if (m->csum_ok) {
		skb->ip_summed = CHECKSUM_UNNECESSARY;
	}
	if (m->gso_size) {
		uint32_t hdr = m->hdr_len && m->hdr_len < skb->len ? m->hdr_len : ETH_HLEN + 40u;

		if (m->gso_type != SKB_GSO_TCPV4 && m->gso_type != SKB_GSO_UDP_L4)
			return -EINVAL;
		sh->gso_size = m->gso_size;
		sh->gso_type = (unsigned)m->gso_type & 0x7fu;
		sh->gso_segs = (uint16_t)max_u32(
			(skb->len - min_u32(hdr, skb->len) + m->gso_size - 1u) / m->gso_size, 1);
	}
	return 0;
}

int extdev_input_skb(struct net_device *dev, struct sk_buff *skb, const struct extdev_meta *m)
{
	uint32_t len = skb->len;
	int err = extdev_check(dev, len, m);

	if (!err)
		err = extdev_apply_meta(skb, m);
	if (unlikely(err)) {
		kfree_skb_at(skb,
			     err == -EMSGSIZE ? DROP_PKT_TOO_BIG
			     : err == -EINVAL ? DROP_PKT_TOO_SMALL
					      : DROP_DEV_READY,
			     "extdev_input");
		return err;
	}
	dev->stats.rx_packets += max_u32(skb_shinfo(skb)->gso_segs, 1);
	dev->stats.rx_bytes += len;
	skb->protocol = eth_type_trans(skb, dev);
	if (skb->pkt_type == PACKET_MULTICAST_)
		dev->stats.multicast++;
	return netif_rx(skb) == NET_RX_SUCCESS ? 0 : -ENOBUFS;
}

int extdev_input(struct net_device *dev, const void *frame, size_t len, uint16_t gso_size,
		 uint8_t gso_type, bool csum_ok)
{
	struct extdev_meta m = { .gso_size = gso_size, .gso_type = gso_type, .csum_ok = csum_ok };
	int err = extdev_check(dev, len, &m);
	struct sk_buff *skb;

	if (err)
		return err;
	skb = sinkdev_skb(dev, frame, len);
	return skb ? extdev_input_skb(dev, skb, &m) : -ENOMEM;
}

void extdev_wake(struct net_device *dev)
{
	netif_tx_wake_queue(&dev->tx[0]);
}
