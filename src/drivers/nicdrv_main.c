/* The NIC driver: probe, open, interrupts, poll. In the role of Linux's igb, under its names.
 *
 *     igb_msix_ring: mask, napi_schedule        (nothing else: S3-137)
 *        ... NET_RX softirq: igb_poll
 *              igb_clean_tx_irq                 frees what was sent (S2-04)
 *              igb_clean_rx_irq (budget)        packets up, buffers posted again
 *              work < budget: napi_complete_done, then igb_ring_irq_enable (S3-136)
 *
 * The causes are cleared before the rings are looked at: what comes later raises the line again at
 * the unmasking, what came before is seen now. No interrupt is lost, and none is taken for nothing.
 *
 * Two vectors: NAME-TxRx-0 for the rings, NAME for the link. With no_napi the handler does the work
 * itself, one packet per interrupt (S3-131).
 *
 * Called by core (net_device_ops, NAPI, vectors). Hands on to nicdrv_tx.c, nicdrv_rx.c, and the
 * NIC's registers.
 * Tests: tests/unit/drivers/test_nicdrv.c */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/gro.h"
#include "drivers/nicdrv_int.h"

/* ---- the bus: what the NIC can reach of its host ---- */

static void *bus_dma(void *arg, uint64_t addr, uint32_t len, bool device_writes)
{
	const struct igb_adapter *a = arg;

	return dma_device_access(a->net, addr, len,
				 device_writes ? DMA_FROM_DEVICE : DMA_TO_DEVICE);
}

static uint64_t bus_get_tag(void *arg, uint64_t addr)
{
	const struct igb_adapter *a = arg;

	return dma_device_tag(a->net, addr);
}

static void bus_set_tag(void *arg, uint64_t addr, uint64_t tag)
{
	const struct igb_adapter *a = arg;

	dma_device_set_tag(a->net, addr, tag);
}

static void bus_irq(void *arg, unsigned line)
{
	const struct igb_adapter *a = arg;
	int vector = line == NIC_LINE_RING ? a->vector : a->vector_other;

	if (vector >= 0)
		net_raise_irq(a->net, (unsigned)vector);
}

/* ---- interrupts and poll ---- */

static void igb_ring_irq_enable(struct igb_adapter *a)
{
	TRACE_FN(&a->net->probe, 0);

	nic_write(a->nic, NIC_IMS, IGB_RING_CAUSES);
}

/* The rings' vector. */
static void igb_msix_ring(struct net *net, unsigned vector, void *arg)
{
	struct igb_adapter *a = arg;
	TRACE_FN(&net->probe, 0);

	a->irqs++;
	nic_write(a->nic, NIC_IMC, IGB_RING_CAUSES);
	napi_schedule(&a->napi);
}

/* The same without NAPI: all the work here, one packet, and another interrupt for the next. */
static void igb_intr_no_napi(struct net *net, unsigned vector, void *arg)
{
	struct igb_adapter *a = arg;
	TRACE_FN_AS(&net->probe, "igb_msix_ring", 0);

	a->irqs++;
	nic_write(a->nic, NIC_ICR, IGB_RING_CAUSES);
	if (!igb_clean_tx_irq(a))
		nic_write(a->nic, NIC_ICS, NIC_INT_TXDW);
	igb_clean_rx_irq(a, 1);
	if (a->up && igb_rx_more(a))
		nic_write(a->nic, NIC_ICS, NIC_INT_RXT0);
}

static void igb_watch_link(struct igb_adapter *a)
{
	bool up = (nic_read(a->nic, NIC_STATUS) & NIC_STATUS_LU) != 0;

	if (up == a->dev->carrier)
		return;
	if (up)
		netif_carrier_on(a->dev);
	else
		netif_carrier_off(a->dev);
}

/* The other vector: the link changed. */
static void igb_msix_other(struct net *net, unsigned vector, void *arg)
{
	struct igb_adapter *a = arg;
	TRACE_FN(&net->probe, 0);

	a->irqs_other++;
	nic_write(a->nic, NIC_ICR, NIC_INT_LSC);
	igb_watch_link(a);
}

static int igb_poll(struct napi_struct *n, int budget)
{
	struct igb_adapter *a = container_of(n, struct igb_adapter, napi);
	bool tx_clean;
	int work;
	TRACE_FN(&a->net->probe, 0);

	if (unlikely(!a->up)) {
		napi_complete_done(n, 0);
		return 0;
	}
	nic_write(a->nic, NIC_ICR, IGB_RING_CAUSES);
	tx_clean = igb_clean_tx_irq(a);
	work = igb_clean_rx_irq(a, budget);
	if (unlikely(!a->up)) {
		napi_complete_done(n, 0);
		return 0;
	}
	if (!tx_clean || work >= budget)
		return budget;
	/* What GRO held went up now; it may have taken the device down. */
	if (napi_complete_done(n, work) && likely(a->up))
		igb_ring_irq_enable(a);
	return work;
}

/* ---- address filter ---- */

static void igb_mta_add(uint32_t mta[NIC_MTA_WORDS], const uint8_t *addr)
{
	uint32_t hash = ((uint32_t)addr[4] >> 4 | (uint32_t)addr[5] << 4) & 0xfff;

	mta[hash / 32] |= 1u << (hash % 32);
}

static void igb_set_rx_mode(struct net_device *dev)
{
	struct igb_adapter *a = igb_priv(dev);
	uint32_t mta[NIC_MTA_WORDS] = { 0 };
	uint32_t rctl = NIC_RCTL_EN | NIC_RCTL_BAM;
	const struct netdev_hw_addr *ha;
	TRACE_FN(&a->net->probe, 0);

	if (!a->up)
		return;
	if (dev->promiscuity || (dev->flags & DEVF_PROMISC))
		rctl |= NIC_RCTL_UPE | NIC_RCTL_MPE;
	else if (dev->allmulti || (dev->flags & DEVF_ALLMULTI))
		rctl |= NIC_RCTL_MPE;
	list_for_each_entry(ha, &dev->mc_list, list)
		igb_mta_add(mta, ha->addr);
	for (uint32_t i = 0; i < NIC_MTA_WORDS; i++)
		if (a->shadow_mta[i] != mta[i])
			nic_write(a->nic, NIC_MTA + 4 * i, mta[i]);
	memcpy(a->shadow_mta, mta, sizeof(mta));
	nic_write(a->nic, NIC_RCTL, rctl);
}

static void igb_rar_set(struct igb_adapter *a, const uint8_t *mac)
{
	nic_write(a->nic, NIC_RAL,
		  (uint32_t)mac[0] | (uint32_t)mac[1] << 8 | (uint32_t)mac[2] << 16 |
			  (uint32_t)mac[3] << 24);
	nic_write(a->nic, NIC_RAH, (uint32_t)mac[4] | (uint32_t)mac[5] << 8 | 1u << 31);
}

static int igb_set_mac(struct net_device *dev, const uint8_t *mac)
{
	struct igb_adapter *a = igb_priv(dev);

	if (mac_is_group(mac) || mac_is_zero(mac))
		return -EADDRNOTAVAIL;
	memcpy(dev->dev_addr, mac, ETH_ALEN);
	if (a->up)
		igb_rar_set(a, mac);
	return 0;
}

/* ---- up and down ---- */

static int igb_ring_alloc(struct igb_adapter *a, struct igb_ring *r)
{
	void *cpu;

	r->dma = dma_alloc_coherent(a->net, r->count * (uint32_t)sizeof(struct nic_desc), &cpu);
	r->desc = cpu;
	r->next_to_use = r->next_to_clean = 0;
	return r->dma == DMA_BAD ? -ENOMEM : 0;
}

static void igb_ring_free(struct igb_adapter *a, struct igb_ring *r)
{
	if (r->dma != DMA_BAD)
		dma_free_coherent(a->net, r->dma);
	r->dma = DMA_BAD;
	r->desc = NULL;
}

static void igb_ring_program(struct igb_adapter *a, const struct igb_ring *r, uint32_t base)
{
	nic_write(a->nic, base, (uint32_t)r->dma);
	nic_write(a->nic, base + 4, (uint32_t)(r->dma >> 32));
	nic_write(a->nic, base + 8, r->count * (uint32_t)sizeof(struct nic_desc));
}

/* Rings are in place: let the NIC run. */
static void igb_configure(struct igb_adapter *a)
{
	struct nic *n = a->nic;
	/* Standard frames are still received, however small the MTU for sending. */
	uint32_t longest = max_u32(a->dev->mtu, ETH_DATA_LEN) + ETH_HLEN + IGB_VLAN_HLEN;

	nic_write(n, NIC_CTRL, NIC_CTRL_RST);
	memset(a->shadow_mta, 0, sizeof(a->shadow_mta));
	a->rx_buf_len = IGB_RX_PAD + longest;
	nic_write(n, NIC_RLPML, longest);
	igb_rar_set(a, a->dev->dev_addr);
	igb_ring_program(a, &a->tx, NIC_TDBAL);
	igb_ring_program(a, &a->rx, NIC_RDBAL);
	nic_write(n, NIC_RXCSUM, a->params.hw_csum ? 1u << 8 : 0);
	nic_write(n, NIC_EITR, a->params.irq_gap_ns);
	nic_write(n, NIC_TIDV, a->params.tx_irq_delay_ns);
	nic_write(n, NIC_TCTL, NIC_TCTL_EN);
	a->up = true;
	a->rx_fill = igb_rx_fill_first(a);
	igb_alloc_rx_buffers(a);
	igb_set_rx_mode(a->dev);
	nic_write(n, NIC_IMS, IGB_RING_CAUSES | NIC_INT_LSC);
	nic_write(n, NIC_CTRL, NIC_CTRL_SLU);
	nic_write(n, NIC_ICR, NIC_INT_LSC); /* looked at here and now */
	igb_watch_link(a);
}

static int igb_request_irqs(struct igb_adapter *a)
{
	char name[32];

	snprintf(name, sizeof(name), "%s-TxRx-0", a->dev->name);
	a->vector = request_irq(a->net, a->params.cpu,
				a->params.no_napi ? igb_intr_no_napi : igb_msix_ring,
				"igb_msix_ring", name, a);
	if (a->vector < 0)
		return a->vector;
	a->vector_other = request_irq(a->net, a->params.cpu, igb_msix_other, "igb_msix_other",
				      a->dev->name, a);
	if (a->vector_other < 0) {
		free_irq(a->net, (unsigned)a->vector);
		a->vector = -1;
		return a->vector_other;
	}
	return 0;
}

static int igb_open(struct net_device *dev)
{
	struct igb_adapter *a = igb_priv(dev);
	int err;
	TRACE_FN(&a->net->probe, 0);

	err = igb_ring_alloc(a, &a->tx);
	if (err)
		return err;
	err = igb_ring_alloc(a, &a->rx);
	if (err)
		goto free_tx;
	err = igb_request_irqs(a);
	if (err)
		goto free_rx;
	a->tx_skb = xcalloc(a->tx.count, sizeof(struct sk_buff *));
	igb_configure(a);
	return 0;
free_rx:
	igb_ring_free(a, &a->rx);
free_tx:
	igb_ring_free(a, &a->tx);
	return err;
}

/* Stop the NIC and empty the rings. */
static void igb_down(struct igb_adapter *a)
{
	napi_gro_drop(&a->napi);
	igb_clean_tx_irq(a);
	a->up = false;
	nic_write(a->nic, NIC_IMC, ~0u);
	nic_write(a->nic, NIC_CTRL, NIC_CTRL_RST);
	igb_clean_tx_ring(a);
	igb_clean_rx_ring(a);
}

static int igb_close(struct net_device *dev)
{
	struct igb_adapter *a = igb_priv(dev);
	TRACE_FN(&a->net->probe, 0);

	if (!a->up)
		return 0;
	igb_down(a);
	free_irq(a->net, (unsigned)a->vector);
	free_irq(a->net, (unsigned)a->vector_other);
	a->vector = a->vector_other = -1;
	igb_ring_free(a, &a->tx);
	igb_ring_free(a, &a->rx);
	free(a->tx_skb);
	a->tx_skb = NULL;
	if (dev->carrier)
		netif_carrier_off(dev);
	return 0;
}

static int igb_change_mtu(struct net_device *dev, uint32_t mtu)
{
	struct igb_adapter *a = igb_priv(dev);
	TRACE_FN(&a->net->probe, 0);

	if (mtu < IGB_MIN_MTU || mtu > IGB_MAX_MTU)
		return -EINVAL;
	if (!a->up) {
		dev->mtu = mtu;
		return 0;
	}
	igb_down(a); /* buffers of another size: the rings begin anew */
	dev->mtu = mtu;
	a->tx.next_to_use = a->tx.next_to_clean = 0;
	a->rx.next_to_use = a->rx.next_to_clean = 0;
	igb_configure(a);
	if (netif_tx_queue_stopped(&dev->tx[0]))
		netif_tx_wake_queue(&dev->tx[0]);
	return 0;
}

/* ---- probe and removal ---- */

static void igb_uninit(struct net_device *dev)
{
	struct igb_adapter *a = igb_priv(dev);

	if (!a)
		return;
	igb_close(dev);
	netif_napi_del(&a->napi);
	nic_bind(a->nic, NULL);
	free(a);
	dev->priv = NULL;
}

static const struct net_device_ops igb_netdev_ops = {
	.ndo_uninit = igb_uninit,
	.ndo_open = igb_open,
	.ndo_stop = igb_close,
	.ndo_start_xmit = igb_xmit_frame,
	.ndo_set_rx_mode = igb_set_rx_mode,
	.ndo_set_mac_address = igb_set_mac,
	.ndo_change_mtu = igb_change_mtu,
	.ndo_get_stats64 = igb_get_stats64,
	.ndo_ethtool_stats = igb_get_ethtool_stats,
	.ndo_ethtool_rings = igb_get_ringparam,
};

/* The sender's address is the one burnt into the card (S3-75). */
static void igb_read_mac(struct igb_adapter *a, uint8_t mac[ETH_ALEN])
{
	for (uint32_t word = 0; word < 3; word++) {
		uint32_t v;

		nic_write(a->nic, NIC_EERD, word << 2 | 1);
		v = nic_read(a->nic, NIC_EERD);
		mac[2 * word] = (uint8_t)(v >> 16);
		mac[2 * word + 1] = (uint8_t)(v >> 24);
	}
}

static uint32_t igb_ring_size(uint32_t wanted)
{
	wanted = wanted ? wanted : IGB_RING_DEFAULT;
	return wanted < IGB_RING_MIN ? IGB_RING_MIN : min_u32(wanted, NIC_RING_MAX);
}

static struct igb_adapter *igb_adapter_new(struct net_device *dev, struct nic *nic,
					   const struct nicdrv_params *p)
{
	struct igb_adapter *a = xcalloc(1, sizeof(*a));

	a->dev = dev;
	a->net = dev->net;
	a->nic = nic;
	if (p)
		a->params = *p;
	a->tx.count = igb_ring_size(a->params.tx_ring);
	a->rx.count = igb_ring_size(a->params.rx_ring);
	a->tx.dma = a->rx.dma = DMA_BAD;
	a->vector = a->vector_other = -1;
	if (a->params.tx_irq_delay_ns == 0)
		a->params.tx_irq_delay_ns = NICDRV_TX_IRQ_DELAY_NS;
	else if (a->params.tx_irq_delay_ns == NICDRV_NO_DELAY)
		a->params.tx_irq_delay_ns = 0;
	return a;
}

static int igb_probe(struct net_device *dev, struct nic *nic, const struct nicdrv_params *p)
{
	struct igb_adapter *a = igb_adapter_new(dev, nic, p);
	struct nic_bus bus = { .arg = a,
			       .dma = bus_dma,
			       .get_tag = bus_get_tag,
			       .set_tag = bus_set_tag,
			       .irq = bus_irq,
			       .probe = &dev->net->probe };
	TRACE_FN(&dev->net->probe, 0);

	dev->priv = a;
	nic_bind(nic, &bus);
	ether_setup(dev);
	dev->netdev_ops = &igb_netdev_ops;
	dev->min_mtu = IGB_MIN_MTU;
	dev->max_mtu = IGB_MAX_MTU;
	dev->features = NETIF_F_GRO | (a->params.hw_csum ? NETIF_F_HW_CSUM | NETIF_F_RXCSUM : 0);
	dev->hw_features |= dev->features & NETIF_F_HW_CSUM;
	igb_read_mac(a, dev->dev_addr);
	memcpy(dev->perm_addr, dev->dev_addr, ETH_ALEN);
	netif_carrier_off(dev);
	netif_napi_add(dev, &a->napi, "rx0", igb_poll, 64, a->params.cpu);
	return register_netdev(dev);
}

struct net_device *nicdrv_probe(struct net *net, struct nic *nic, const char *name,
				const struct nicdrv_params *p, int *err)
{
	struct net_device *dev = alloc_netdev(net, name, 1);

	*err = -ENOMEM;
	if (!dev)
		return NULL;
	*err = igb_probe(dev, nic, p);
	if (!*err)
		return dev;
	igb_uninit(dev);
	free_netdev(dev);
	return NULL;
}
