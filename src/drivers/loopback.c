/* lo: what is sent is received, through this CPU's backlog.
 *
 * Decides nothing: the packet loses its owner, its link header is parsed and it waits in the IP
 * input queue, all inside the transmit call. Called by dev_hard_start_xmit; hands on to netif_rx.
 * There is no ring, interrupt or DMA. The packet keeps its route, so that the input side need not
 * look one up. Counters move only when the backlog took it, count both directions at once and do
 * not count the link header. Tests: tests/unit/drivers/test_loopback.c. */
#include <stdlib.h>
#include "drivers/drivers.h"

#define ARPHRD_LOOPBACK_ 772
#define LOOPBACK_MTU 65536

struct lo_cpu_stats {
	uint64_t packets, bytes;
};

static netdev_tx_t loopback_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct lo_cpu_stats *stats = (struct lo_cpu_stats *)dev->priv + dev->net->cpu;
	uint32_t len;
	TRACE_FN(&dev->net->probe, skb->serial);

	skb->tstamp_ns = 0; /* received anew */
	skb_orphan(skb);
	skb->protocol = eth_type_trans(skb, dev);
	len = skb->len;
	if (likely(netif_rx(skb) == NET_RX_SUCCESS)) {
		stats->packets++;
		stats->bytes += len;
	}
	return NETDEV_TX_OK;
}

static int loopback_dev_init(struct net_device *dev)
{
	TRACE_FN(&dev->net->probe, 0);

	dev->priv = xcalloc(dev->net->nr_cpus, sizeof(struct lo_cpu_stats));
	return 0;
}

static void loopback_dev_uninit(struct net_device *dev)
{
	free(dev->priv);
}

static void loopback_get_stats64(struct net_device *dev, struct rtnl_link_stats64_ *s)
{
	const struct lo_cpu_stats *stats = dev->priv;
	uint64_t packets = 0, bytes = 0;
	TRACE_FN(&dev->net->probe, 0);

	for (uint32_t c = 0; c < dev->net->nr_cpus; c++) {
		packets += stats[c].packets;
		bytes += stats[c].bytes;
	}
	s->rx_packets = s->tx_packets = packets;
	s->rx_bytes = s->tx_bytes = bytes;
}

static const struct net_device_ops loopback_ops = {
	.ndo_init = loopback_dev_init,
	.ndo_uninit = loopback_dev_uninit,
	.ndo_start_xmit = loopback_xmit,
	.ndo_get_stats64 = loopback_get_stats64,
};

static int loopback_net_init(struct net *net)
{
	struct net_device *dev = alloc_netdev(net, "lo", 1);
	int err;

	ether_setup(dev); /* frames on lo have a link header, with zero addresses */
	dev->type = ARPHRD_LOOPBACK_;
	dev->mtu = LOOPBACK_MTU;
	dev->min_mtu = 0;
	dev->max_mtu = 0;
	dev->flags = DEVF_LOOPBACK;
	memset(dev->broadcast, 0, ETH_ALEN);
	dev->no_queue = true;
	dev->features =
		NETIF_F_HW_CSUM | NETIF_F_RXCSUM | NETIF_F_TSO | NETIF_F_USO | NETIF_F_FRAGLIST | NETIF_F_GRO;
	dev->hw_features |= NETIF_F_TSO | NETIF_F_USO;
	dev->netdev_ops = &loopback_ops;
	err = register_netdev(dev);
	if (err) {
		free_netdev(dev);
		return err;
	}
	net->loopback_dev = dev;
	return 0;
}

static void loopback_net_exit(struct net *net)
{
	if (net->loopback_dev)
		unregister_netdev(net->loopback_dev);
}

const struct pernet_operations loopback_net_ops = { "loopback", loopback_net_init,
						    loopback_net_exit };
