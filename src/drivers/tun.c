/* tun: a device without a link header whose far end is a function (Linux's /dev/net/tun without IFF_TAP).
 *
 * Decides whether what comes in is an IPv4 packet; what goes out leaves as it is, a train as a train if the
 * device has NETIF_F_TSO. Called by dev_hard_start_xmit and by the owner (tundev_input); hands on to the sink (sinkdev.c) and to netif_rx.
 * There is no neighbour to resolve, and no limit to the length of what comes in but IP's own: a program behind a
 * tun may write more than the MTU. Tests: tests/unit/drill, tests/packet. */
#include <errno.h>
#include "drivers/sinkdev.h"
#include "wire/ip4.h"

#define ARPHRD_NONE_ 0xfffe
#define TUN_QUEUE_LEN 500

static netdev_tx_t tun_net_xmit(struct sk_buff *skb, struct net_device *dev)
{
	TRACE_FN(&dev->net->probe, skb->serial);
	return sinkdev_xmit(skb, dev);
}

static const struct net_device_ops tun_netdev_ops = {
	.ndo_uninit = sinkdev_uninit,
	.ndo_start_xmit = tun_net_xmit,
};

struct net_device *tundev_create(struct net *net, const char *name, uint32_t features, const struct netdev_sink *sink, int *err)
{
	struct net_device *dev = alloc_netdev(net, name, 1);

	dev->type = ARPHRD_NONE_;
	dev->mtu = ETH_DATA_LEN;
	dev->min_mtu = 68; /* RFC 791: every internet module must forward 68 octets */
	dev->max_mtu = 65535;
	dev->tx_queue_len = TUN_QUEUE_LEN;
	dev->flags = DEVF_POINTOPOINT | DEVF_NOARP | DEVF_MULTICAST;
	dev->features = features;
	return sinkdev_register(dev, &tun_netdev_ops, sink, err);
}

/* What Linux's tun charges for a packet: a buffer of 576 octets, or the next power of two, and the sk_buff. Receive windows follow
 * from it; measured with SO_MEMINFO. */
static uint32_t tun_truesize(uint32_t len)
{
	uint32_t buf = 1024;

	if (len <= 196)
		return 832;
	while (buf < len + 64 + 320 && buf < 1u << 20)
		buf *= 2;
	return buf + 256;
}

int tundev_input(struct net_device *dev, const void *packet, size_t len)
{
	struct sk_buff *skb;

	if (!(dev->flags & DEVF_UP)) {
		dev->stats.rx_dropped++;
		return -ENETDOWN;
	}
	if (!len || len > SKB_MAX_DATA - NET_SKB_PAD || *(const uint8_t *)packet >> 4 != 4) {
		dev->stats.rx_errors++;
		return -EINVAL;
	}
	skb = sinkdev_skb(dev, packet, len);
	if (!skb)
		return -ENOMEM;
	skb->truesize = tun_truesize((uint32_t)len);
	skb->dev = dev;
	skb->protocol = ETH_P_IP;
	skb->pkt_type = PACKET_HOST_;
	skb_reset_mac_header(skb);
	dev->stats.rx_packets++;
	dev->stats.rx_bytes += len;
	return netif_rx(skb) == NET_RX_SUCCESS ? 0 : -ENOBUFS;
}
