/* veth: two devices joined in memory; what one sends, the other's host receives.
 *
 * Decides nothing; a frame, or a whole train, changes hosts without a copy: owner, route, mark and
 * conntrack entry stay behind. Called by dev_hard_start_xmit of one host; hands on to netif_rx of
 * the other, whose owner is kicked. The pair has a carrier while both ends are up. Tests:
 * tests/unit/drivers/test_veth.c. */
#include <errno.h>
#include <stdlib.h>
#include "drivers/drivers.h"

struct veth_priv {
	struct net_device *peer; /* NULL: the other end was removed */
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes, tx_dropped;
};

static struct veth_priv *veth_priv(const struct net_device *dev)
{
	return dev->priv;
}

static bool veth_fits(const struct sk_buff *skb, const struct net_device *peer)
{
	return skb_is_gso(skb) || skb->len <= peer->mtu + ETH_HLEN + 4; /* 4: a VLAN tag */
}

static netdev_tx_t veth_drop(struct sk_buff *skb, struct net_device *dev, enum drop_reason reason)
{
	veth_priv(dev)->tx_dropped++;
	kfree_skb_at(skb, reason, "veth_xmit");
	return NETDEV_TX_OK;
}

static netdev_tx_t veth_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct veth_priv *priv = veth_priv(dev), *rcv;
	struct net_device *peer = priv->peer;
	uint32_t len = skb->len, segs = max_u32(skb_shinfo(skb)->gso_segs, 1);
	TRACE_FN(&dev->net->probe, skb->serial);

	if (unlikely(!peer || !(peer->flags & DEVF_UP)))
		return veth_drop(skb, dev, DROP_DEV_READY);
	if (unlikely(!veth_fits(skb, peer)))
		return veth_drop(skb, dev, DROP_PKT_TOO_BIG);
	rcv = veth_priv(peer);
	net_enter(peer->net, dev->net->now_ns);
	if (unlikely(skb_set_net(skb, peer->net)))
		return veth_drop(skb, dev, DROP_NOMEM);
	skb->tstamp_ns = 0;
	skb->priority = 0;
	skb->protocol = eth_type_trans(skb, peer);
	if (likely(netif_rx(skb) == NET_RX_SUCCESS)) {
		priv->tx_packets += segs;
		priv->tx_bytes += len;
		rcv->rx_packets += segs;
		rcv->rx_bytes += len;
	} else {
		priv->tx_dropped++;
	}
	return NETDEV_TX_OK;
}

/* Both ends up: there is a link. */
static void veth_update_carrier(struct net_device *dev, bool up)
{
	struct net_device *peer = veth_priv(dev)->peer;

	if (!peer)
		return;
	if (up && (peer->flags & DEVF_UP)) {
		netif_carrier_on(dev);
		netif_carrier_on(peer);
	} else {
		netif_carrier_off(dev);
		netif_carrier_off(peer);
	}
}

static int veth_open(struct net_device *dev)
{
	veth_update_carrier(dev, true);
	return 0;
}

static int veth_stop(struct net_device *dev)
{
	veth_update_carrier(dev, false);
	return 0;
}

static void veth_uninit(struct net_device *dev)
{
	struct net_device *peer = veth_priv(dev)->peer;

	if (peer) {
		veth_priv(peer)->peer = NULL;
		netif_carrier_off(peer);
	}
	free(dev->priv);
}

static void veth_get_stats64(struct net_device *dev, struct rtnl_link_stats64_ *s)
{
	const struct veth_priv *p = veth_priv(dev);

	s->rx_packets = p->rx_packets;
	s->rx_bytes = p->rx_bytes;
	s->tx_packets = p->tx_packets;
	s->tx_bytes = p->tx_bytes;
	s->tx_dropped += p->tx_dropped;
}

static const struct net_device_ops veth_ops = {
	.ndo_uninit = veth_uninit,
	.ndo_open = veth_open,
	.ndo_stop = veth_stop,
	.ndo_start_xmit = veth_xmit,
	.ndo_get_stats64 = veth_get_stats64,
};

static struct net_device *veth_new(struct net *net, const char *name, const uint8_t mac[6])
{
	struct net_device *dev = alloc_netdev(net, name, 1);

	ether_setup(dev);
	memcpy(dev->dev_addr, mac, ETH_ALEN);
	memcpy(dev->perm_addr, mac, ETH_ALEN);
	dev->no_queue = true;
	dev->features =
		NETIF_F_HW_CSUM | NETIF_F_RXCSUM | NETIF_F_TSO | NETIF_F_USO | NETIF_F_FRAGLIST;
	dev->hw_features |= NETIF_F_HW_CSUM | NETIF_F_TSO | NETIF_F_USO;
	dev->netdev_ops = &veth_ops;
	dev->carrier = false;
	dev->priv = xcalloc(1, sizeof(struct veth_priv));
	return dev;
}

static void veth_discard(struct net_device *dev)
{
	free(dev->priv);
	free_netdev(dev);
}

int veth_create(struct net *a, const char *name_a, const uint8_t mac_a[6], struct net *b,
		const char *name_b, const uint8_t mac_b[6])
{
	struct net_device *da, *db;
	int err;

	if (a->skbs != b->skbs)
		return -EXDEV;
	da = veth_new(a, name_a, mac_a);
	db = veth_new(b, name_b, mac_b);
	err = register_netdev(da);
	if (err) {
		veth_discard(da);
		veth_discard(db);
		return err;
	}
	err = register_netdev(db);
	if (err) {
		veth_discard(db);
		unregister_netdev(da);
		return err;
	}
	veth_priv(da)->peer = db;
	veth_priv(db)->peer = da;
	return 0;
}
