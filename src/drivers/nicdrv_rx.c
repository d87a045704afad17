/* The NIC driver's receive side: empty buffers into the ring, packets out of it.
 *
 * The NIC has written the octets by DMA before the CPU touches anything. The packet is built around
 * that very buffer (build_skb_serial): no copy. A posted buffer is an address only; its memory is
 * drawn from the pool when the NIC writes (dma_map_lazy), so an idle host with a full ring costs no
 * buffers.
 *
 *     buffer: | pad 66 | dst src type payload ........... | struct skb_shared |
 *             ^mapped  ^descriptor's addr                 ^rx_buf_len
 *
 * Called by igb_poll, or by the interrupt handler where NAPI is off. Hands on to napi_gro_receive
 * (netif_rx).
 * Tests: tests/unit/drivers/test_nicdrv.c, test_nicdrv_rx.c */
#include <string.h>
#include "core/gro.h"
#include "drivers/nicdrv_int.h"

/* Descriptors that the NIC may still fill, or has filled. */
static uint32_t igb_rx_posted(const struct igb_adapter *a)
{
	return a->rx.count - 1 - igb_desc_unused(&a->rx);
}

/* Each posted buffer costs a mapping. Where CPU time is no matter, frames are taken the moment they
 * come, and a whole ring of mappings would only make an idle host big: begin with few. Where the
 * CPU may be late, or the NIC waits with its interrupt, everything is posted, as igb does. */
uint32_t igb_rx_fill_first(const struct igb_adapter *a)
{
	const struct cpu_model *m = &a->net->cpu_model;
	bool late = m->irq_ns || m->packet_ns || a->params.irq_gap_ns || a->params.no_napi;

	return late ? a->rx.count - 1 : min_u32(a->rx.count - 1, IGB_RX_FILL_MIN);
}

void igb_alloc_rx_buffers(struct igb_adapter *a)
{
	struct igb_ring *r = &a->rx;
	uint32_t posted = igb_rx_posted(a), before = posted;
	TRACE_FN(&a->net->probe, 0);

	for (; posted < a->rx_fill; posted++) {
		dma_addr_t dma = dma_map_lazy(a->net, a->rx_buf_len);
		struct nic_desc *d = &r->desc[r->next_to_use];

		if (unlikely(dma == DMA_BAD)) {
			a->rx_alloc_failed++;
			break;
		}
		*d = (struct nic_desc){ .addr = dma + IGB_RX_PAD,
					.length = (uint16_t)(a->rx_buf_len - IGB_RX_PAD) };
		r->next_to_use = igb_next(r, r->next_to_use);
	}
	if (posted != before)
		nic_write(a->nic, NIC_RDT, r->next_to_use);
}

/* One poll found half of what is posted filled: the next burst may be longer. */
static void igb_rx_fill_more(struct igb_adapter *a, int work)
{
	if (likely((uint32_t)work < a->rx_fill / 2 || a->rx_fill == a->rx.count - 1))
		return;
	a->rx_fill = min_u32(a->rx_fill * 2, a->rx.count - 1);
	igb_alloc_rx_buffers(a);
}

/* Time to post again: a batch is missing. */
static bool igb_rx_low(const struct igb_adapter *a)
{
	return igb_rx_posted(a) + min_u32(IGB_RX_BATCH, max_u32(a->rx_fill / 4, 1)) <= a->rx_fill;
}

bool igb_rx_more(const struct igb_adapter *a)
{
	return a->rx.next_to_clean != a->rx.next_to_use &&
	       (a->rx.desc[a->rx.next_to_clean].status & NIC_STAT_DD);
}

/* What the NIC says about the Internet checksums. Bad ones go up unverified: the stack counts
 * them. */
static void igb_rx_checksum(struct igb_adapter *a, struct sk_buff *skb, const struct nic_desc *d)
{
	if (d->errors & (NIC_ERR_IPCS | NIC_ERR_L4CS))
		a->rx_csum_bad++;
	else if ((d->status & NIC_STAT_CSOK) == NIC_STAT_CSOK)
		skb->ip_summed = CHECKSUM_UNNECESSARY;
}

/* The packet of the oldest descriptor; NULL: no memory for its struct (the buffer is given
 * back). */
static struct sk_buff *igb_build_skb(struct igb_adapter *a)
{
	struct igb_ring *r = &a->rx;
	struct nic_desc d = r->desc[r->next_to_clean];
	struct sk_buff *skb;
	uint64_t serial;
	void *buf;

	dma_unmap(a->net, d.addr - IGB_RX_PAD, &buf, &serial);
	TRACE(&a->net->probe, TR_DEQUEUE, serial, "ring=rx slot=%u len=%u", r->next_to_clean,
	      d.length);
	r->desc[r->next_to_clean].status = 0;
	r->next_to_clean = igb_next(r, r->next_to_clean);
	/* the same packet as on the cable */
	skb = build_skb_serial(a->net, buf, a->rx_buf_len, serial);
	if (unlikely(!skb)) {
		skb_data_put(a->net, buf, a->rx_buf_len);
		a->rx_alloc_failed++;
		a->dev->stats.rx_dropped++;
		return NULL;
	}
	skb_reserve(skb, IGB_RX_PAD);
	skb_put(skb, d.length);
	skb->dev = a->dev;
	if (a->params.hw_csum)
		igb_rx_checksum(a, skb, &d);
	r->packets++;
	r->bytes += skb->len;
	return skb;
}

int igb_clean_rx_irq(struct igb_adapter *a, int budget)
{
	int work = 0;
	TRACE_FN(&a->net->probe, 0);

	while (work < budget && igb_rx_more(a)) {
		struct sk_buff *skb = igb_build_skb(a);

		work++;
		if (igb_rx_low(a))
			igb_alloc_rx_buffers(a);
		if (unlikely(!skb))
			continue;
		skb->protocol = eth_type_trans(skb, a->dev);
		if (a->params.no_napi)
			netif_rx(skb);
		else
			napi_gro_receive(&a->napi, skb);
		if (unlikely(!a->up)) /* the packet made somebody take the device down */
			return work;
	}
	igb_rx_fill_more(a, work);
	if (unlikely(!work && igb_rx_low(a))) /* there was no memory last time */
		igb_alloc_rx_buffers(a);
	return work;
}

void igb_clean_rx_ring(struct igb_adapter *a)
{
	struct igb_ring *r = &a->rx;
	void *buf;

	while (r->next_to_clean != r->next_to_use) {
		dma_unmap(a->net, r->desc[r->next_to_clean].addr - IGB_RX_PAD, &buf, NULL);
		if (buf)
			skb_data_put(a->net, buf, a->rx_buf_len);
		r->next_to_clean = igb_next(r, r->next_to_clean);
	}
}
