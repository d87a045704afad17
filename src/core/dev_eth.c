/* Ethernet as devices speak it: the header put on, taken off, and what it says about the packet.
 *
 * Decides for whom a received frame is (our address, a group, somebody else) and of what protocol.
 * Called by drivers (eth_type_trans) and the neighbour layer (eth_header); hands on nothing. RFC
 * 894, IEEE 802.3 3.2.6: a value below 0x0600 is a length, and what follows it is not for us.
 * Tests: tests/unit/core/test_dev_rx.c. */
#include <errno.h>
#include "core/netdevice.h"

int eth_header(struct sk_buff *skb, struct net_device *dev, uint16_t type, const uint8_t *daddr,
	       const uint8_t *saddr)
{
	struct eth_hdr *eth;
	TRACE_FN(&skb->net->probe, skb->serial);

	if (unlikely(skb_headroom(skb) < ETH_HLEN) && skb_cow_head(skb, ETH_HLEN))
		return -ENOMEM;
	eth = (struct eth_hdr *)(void *)skb_push(skb, ETH_HLEN);
	put_be16(eth->type, type);
	memcpy(eth->src, saddr ? saddr : dev->dev_addr, ETH_ALEN);
	if (daddr) {
		memcpy(eth->dst, daddr, ETH_ALEN);
		return ETH_HLEN;
	}
	memset(eth->dst, 0, ETH_ALEN);
	/* Nobody has to be found on these. */
	return dev->flags & (DEVF_LOOPBACK | DEVF_NOARP) ? ETH_HLEN : -ETH_HLEN;
}

static const struct header_ops eth_header_ops = { eth_header };

void ether_setup(struct net_device *dev)
{
	dev->type = 1;
	dev->addr_len = ETH_ALEN;
	dev->hard_header_len = ETH_HLEN;
	dev->mtu = ETH_DATA_LEN;
	dev->min_mtu = 68; /* RFC 791: every internet module must forward 68 octets */
	dev->max_mtu = 65535;
	dev->tx_queue_len = 1000;
	dev->flags = DEVF_BROADCAST | DEVF_MULTICAST;
	memset(dev->broadcast, 0xff, ETH_ALEN);
	dev->header_ops = &eth_header_ops;
}

static enum skb_pkt_type eth_pkt_type(const struct eth_hdr *eth, const struct net_device *dev)
{
	if (likely(mac_equal(eth->dst, dev->dev_addr)))
		return PACKET_HOST_;
	if (!mac_is_group(eth->dst))
		return PACKET_OTHERHOST_;
	return mac_is_broadcast(eth->dst) ? PACKET_BROADCAST_ : PACKET_MULTICAST_;
}

uint16_t eth_type_trans(struct sk_buff *skb, struct net_device *dev)
{
	const struct eth_hdr *eth;
	uint16_t type;
	TRACE_FN(&skb->net->probe, skb->serial);

	skb->dev = dev;
	if (unlikely(skb_headlen(skb) < ETH_HLEN)) {
		skb->mac_header = SKB_NO_MAC_HEADER; /* the receive path drops it */
		return 0;
	}
	skb_reset_mac_header(skb);
	eth = (const struct eth_hdr *)(void *)skb->data;
	skb->pkt_type = (uint8_t)eth_pkt_type(eth, dev);
	type = get_be16(eth->type);
	skb_pull(skb, ETH_HLEN);
	return likely(type >= ETH_P_802_3_MIN) ? type : ETH_P_802_2;
}
