/* What the NIC driver tells about itself: ifconfig's counters, ethtool -S and -g, the rings'
 * descriptors.
 *
 * Called by dev_get_stats, /proc/net/ethtool and tests.  Tests: tests/unit/drivers/test_nicdrv.c */
#include "base/strbuf.h"
#include "drivers/nicdrv_int.h"

static void igb_count(struct igb_adapter *a, struct igb_counter *c, uint32_t reg)
{
	uint32_t v = nic_read(a->nic, reg);

	c->total += v - c->last; /* modulo 2^32 */
	c->last = v;
}

static void igb_update_stats(struct igb_adapter *a)
{
	struct igb_hw_stats *h = &a->hw;

	igb_count(a, &h->crcerrs, NIC_CRCERRS);
	igb_count(a, &h->ruc, NIC_RUC);
	igb_count(a, &h->roc, NIC_ROC);
	igb_count(a, &h->mpc, NIC_MPC);
	igb_count(a, &h->nosfd, NIC_NOSFD);
	igb_count(a, &h->filtered, NIC_FILTERED);
	igb_count(a, &h->dmafault, NIC_DMAFAULT);
	igb_count(a, &h->bprc, NIC_BPRC);
	igb_count(a, &h->mprc, NIC_MPRC);
	igb_count(a, &h->fifo, NIC_RXERRFIFO);
	igb_count(a, &h->tncrs, NIC_TNCRS);
}

void igb_get_stats64(struct net_device *dev, struct rtnl_link_stats64_ *s)
{
	struct igb_adapter *a = igb_priv(dev);
	const struct igb_hw_stats *h = &a->hw;

	igb_update_stats(a);
	s->rx_packets = a->rx.packets;
	s->rx_bytes = a->rx.bytes;
	s->tx_packets = a->tx.packets;
	s->tx_bytes = a->tx.bytes;
	s->multicast = h->mprc.total;
	s->rx_crc_errors = h->crcerrs.total;
	s->rx_frame_errors = h->nosfd.total;
	s->rx_length_errors = h->ruc.total + h->roc.total;
	s->rx_missed_errors = h->mpc.total;
	s->rx_over_errors = h->fifo.total;
	s->rx_errors =
	    s->rx_crc_errors + s->rx_frame_errors + s->rx_length_errors + s->rx_over_errors;
	s->tx_carrier_errors = h->tncrs.total;
	s->tx_errors = s->tx_carrier_errors;
	s->tx_dropped += a->tx_dropped;
}

void igb_get_ethtool_stats(struct net_device *dev,
			   void (*emit)(void *arg, const char *name, uint64_t v), void *arg)
{
	struct igb_adapter *a = igb_priv(dev);
	const struct igb_hw_stats *h = &a->hw;

	igb_update_stats(a);
	emit(arg, "rx_packets", a->rx.packets);
	emit(arg, "tx_packets", a->tx.packets);
	emit(arg, "rx_bytes", a->rx.bytes);
	emit(arg, "tx_bytes", a->tx.bytes);
	emit(arg, "rx_broadcast", h->bprc.total);
	emit(arg, "rx_multicast", h->mprc.total);
	emit(arg, "rx_crc_errors", h->crcerrs.total);
	emit(arg, "rx_no_sfd_errors", h->nosfd.total);
	emit(arg, "rx_short_length_errors", h->ruc.total);
	emit(arg, "rx_long_length_errors", h->roc.total);
	emit(arg, "rx_missed_errors", h->mpc.total);
	emit(arg, "rx_fifo_errors", h->fifo.total);
	emit(arg, "rx_filtered", h->filtered.total);
	emit(arg, "rx_csum_errors", a->rx_csum_bad);
	emit(arg, "rx_alloc_failed", a->rx_alloc_failed);
	emit(arg, "tx_no_carrier_errors", h->tncrs.total);
	emit(arg, "tx_queue_stopped", a->tx_stopped);
	emit(arg, "tx_busy", a->tx_busy);
	emit(arg, "tx_dropped", a->tx_dropped);
	emit(arg, "dma_faults", h->dmafault.total);
	emit(arg, "interrupts", a->irqs);
	emit(arg, "interrupts_other", a->irqs_other);
	emit(arg, "napi_polls", a->napi.polls);
}

void igb_get_ringparam(struct net_device *dev,
		       void (*emit)(void *arg, const char *name, uint64_t v), void *arg)
{
	struct igb_adapter *a = igb_priv(dev);

	emit(arg, "rx_max", NIC_RING_MAX);
	emit(arg, "tx_max", NIC_RING_MAX);
	emit(arg, "rx", a->rx.count);
	emit(arg, "tx", a->tx.count);
	emit(arg, "rx_head", nic_read(a->nic, NIC_RDH));
	emit(arg, "rx_tail", nic_read(a->nic, NIC_RDT));
	emit(arg, "tx_head", nic_read(a->nic, NIC_TDH));
	emit(arg, "tx_tail", nic_read(a->nic, NIC_TDT));
}

void nicdrv_show_ring(struct net_device *dev, bool tx, struct strbuf *out)
{
	struct igb_adapter *a = igb_priv(dev);
	const struct igb_ring *r = tx ? &a->tx : &a->rx;

	sb_printf(out, "%s ring size=%u head=%u tail=%u next_to_clean=%u next_to_use=%u\n",
		  tx ? "tx" : "rx", r->count, nic_read(a->nic, tx ? NIC_TDH : NIC_RDH),
		  nic_read(a->nic, tx ? NIC_TDT : NIC_RDT), r->next_to_clean, r->next_to_use);
	for (uint32_t i = r->next_to_clean; a->up && i != r->next_to_use; i = igb_next(r, i)) {
		const struct nic_desc *d = &r->desc[i];

		sb_printf(out, "[%u] addr=%#llx len=%u cmd=%#x status=%#x owner=%s\n", i,
			  (unsigned long long)d->addr, d->length, d->cmd, d->status,
			  d->status & NIC_STAT_DD ? "driver" : "nic");
	}
}
