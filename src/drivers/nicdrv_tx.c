/* The NIC driver's transmit side: packets into the ring, and out of it when they have been sent.
 *
 * Nothing is copied: the descriptor says where the packet's octets are, the NIC fetches them
 * (S3-82, S3-157). The packet is freed in the poll, after the interrupt of its completion (S2-04),
 * never in the interrupt handler.
 *
 * Called by dev_hard_start_xmit (igb_xmit_frame) and by igb_poll (igb_clean_tx_irq).
 * Tests: tests/unit/drivers/test_nicdrv.c, test_nicdrv_tx.c */
#include <string.h>
#include "drivers/nicdrv_int.h"

/* Wake the queue when so much of the ring is free again: one wake for several packets. */
static uint32_t igb_wake_threshold(const struct igb_ring *r) { return max_u32(r->count / 8, 1); }

static void igb_drop(struct igb_adapter *a, struct sk_buff *skb, enum drop_reason why)
{
	a->tx_dropped++;
	kfree_skb_at(skb, why, "igb_xmit_frame");
}

/* Can the NIC send this? Makes it so where software can. 0 or the reason why not. */
static enum drop_reason igb_tx_prepare(struct igb_adapter *a, struct sk_buff *skb)
{
	if (unlikely(skb->len < ETH_HLEN))
		return DROP_PKT_TOO_SMALL;
	if (unlikely(skb->len > a->dev->mtu + ETH_HLEN + IGB_VLAN_HLEN))
		return DROP_PKT_TOO_BIG;
	if (unlikely(skb->data_len) && skb_linearize(skb))
		return DROP_NOMEM;
	if (skb->ip_summed == CHECKSUM_PARTIAL && !a->params.hw_csum && skb_checksum_help(skb))
		return DROP_DEV_HDR;
	return DROP_NOT_SPECIFIED;
}

static void igb_tx_fill(struct igb_adapter *a, const struct sk_buff *skb, dma_addr_t dma)
{
	struct igb_ring *r = &a->tx;
	struct nic_desc d = { .addr = dma,
			      .length = (uint16_t)skb->len,
			      .cmd = NIC_TXD_EOP | NIC_TXD_IFCS | NIC_TXD_RS };

	if (skb->ip_summed == CHECKSUM_PARTIAL) {
		d.cmd |= NIC_TXD_CSUM;
		d.css = (uint8_t)(skb->csum_start - skb_headroom(skb));
		d.cso = (uint16_t)(d.css + skb->csum_offset);
	}
	r->desc[r->next_to_use] = d;
	TRACE(&a->net->probe, TR_QUEUE, skb->serial, "ring=tx slot=%u addr=%#llx len=%u owner=nic",
	      r->next_to_use, (unsigned long long)dma, d.length);
	r->next_to_use = igb_next(r, r->next_to_use);
}

netdev_tx_t igb_xmit_frame(struct sk_buff *skb, struct net_device *dev)
{
	struct igb_adapter *a = igb_priv(dev);
	struct igb_ring *r = &a->tx;
	enum drop_reason why;
	bool more;
	dma_addr_t dma;
	TRACE_FN(&a->net->probe, skb->serial);

	if (unlikely(!igb_desc_unused(r))) {
		netif_tx_stop_queue(&dev->tx[0]);
		a->tx_busy++;
		return NETDEV_TX_BUSY;
	}
	more = skb->dev_xmit_more;
	why = igb_tx_prepare(a, skb);
	if (unlikely(why != DROP_NOT_SPECIFIED)) {
		igb_drop(a, skb, why);
	} else {
		dma = dma_map_single(a->net, skb->data, skb->len, DMA_TO_DEVICE, skb->serial);
		if (unlikely(dma == DMA_BAD)) {
			igb_drop(a, skb, DROP_NOMEM);
		} else {
			a->tx_skb[r->next_to_use] = skb;
			igb_tx_fill(a, skb, dma);
		}
	}
	if (!igb_desc_unused(r)) {
		a->tx_stopped++;
		netif_tx_stop_queue(&dev->tx[0]);
		more = false;
	}
	if (!more) /* the doorbell */
		nic_write(a->nic, NIC_TDT, r->next_to_use);
	return NETDEV_TX_OK;
}

/* The packet of the oldest descriptor leaves the ring. */
static struct sk_buff *igb_unmap_tx(struct igb_adapter *a)
{
	struct igb_ring *r = &a->tx;
	struct nic_desc *d = &r->desc[r->next_to_clean];
	struct sk_buff *skb = a->tx_skb[r->next_to_clean];

	dma_unmap(a->net, d->addr, NULL, NULL);
	memset(d, 0, sizeof(*d));
	a->tx_skb[r->next_to_clean] = NULL;
	r->next_to_clean = igb_next(r, r->next_to_clean);
	return skb;
}

bool igb_clean_tx_irq(struct igb_adapter *a)
{
	struct igb_ring *r = &a->tx;
	uint32_t work = 0;
	TRACE_FN(&a->net->probe, 0);

	while (r->next_to_clean != r->next_to_use && work < IGB_TX_WORK &&
	       (r->desc[r->next_to_clean].status & NIC_STAT_DD)) {
		uint32_t slot = r->next_to_clean;
		struct sk_buff *skb = igb_unmap_tx(a);

		TRACE(&a->net->probe, TR_DEQUEUE, skb->serial, "ring=tx slot=%u", slot);
		r->packets++;
		r->bytes += skb->len;
		consume_skb(skb);
		work++;
	}
	if (unlikely(netif_tx_queue_stopped(&a->dev->tx[0])) && a->dev->carrier && a->up &&
	    igb_desc_unused(r) >= igb_wake_threshold(r))
		netif_tx_wake_queue(&a->dev->tx[0]);
	return work < IGB_TX_WORK;
}

/* The device goes down: what was not sent dies. */
void igb_clean_tx_ring(struct igb_adapter *a)
{
	while (a->tx.next_to_clean != a->tx.next_to_use)
		kfree_skb_reason(igb_unmap_tx(a), DROP_HW_RESET);
}
