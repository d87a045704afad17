/* The NIC's transmit engine: descriptors, DMA, FIFO, frame, cable, write-back.
 *
 *     ring:   written ... done ... head (TDH) ... tail (TDT)
 *              DD said     in the FIFO, oldest     posted by the driver, not yet fetched
 *                          being sent
 *
 * The doorbell (TDT) makes it fetch: descriptors, then octets, by DMA, while the FIFO has room. A
 * frame leaves when the cable is free; when it has left, and the gap after it, its descriptors
 * marked RS get DD and TXDW is raised (TIDV later, so that several completions share an interrupt).
 * Bounds: NIC_TX_FIFO_SLOTS frames, NIC_TX_FIFO_BYTES octets (one frame always), NIC_TX_MAX_SEGS
 * descriptors and NIC_TX_MAX_FRAME octets for one frame.
 *
 * Called by nic.c (doorbell) and by its own event.  Tests: tests/unit/hw/test_nic_tx.c */
#include <string.h>
#include "hw/nic_int.h"
#include "wire/ethernet.h"
#include "wire/ip4.h"

static void tx_left(struct ev *ev);

void nic_tx_init(struct nic *n) { ev_init(&n->tx_ev, n->params.node_id, tx_left); }

void nic_tx_reset(struct nic *n)
{
	for (; n->fifo_n; n->fifo_n--) {
		struct nic_tx_slot *s = &n->fifo[n->fifo_head];

		if (s->f)
			hw_frame_drop(n->probe, s->f, DROP_HW_RESET);
		n->fifo_head = (n->fifo_head + 1) % NIC_TX_FIFO_SLOTS;
	}
	n->fifo_octets = 0;
	n->sending = false;
	n->done = n->written = 0;
	evq_cancel(n->world->q, &n->tx_ev);
}

/* The checksum of everything from css on goes to cso; the driver left the pseudo header's sum
 * there. A sum of 0 is sent as ffff, which is the same number and keeps UDP from meaning "none"
 * (RFC 768). */
static void tx_checksum(struct nic *n, struct hw_frame *f, uint32_t len, const struct nic_desc *d)
{
	uint8_t *eth = f->data + ETH_PREAMBLE_LEN;
	uint16_t sum;

	if (d->css >= len || (uint32_t)d->cso + 2 > len)
		return;
	TRACE(n->probe, TR_NOTE, f->serial, "len=%u sum by=nic dev=%s", len - d->css, n->params.name);
	sum = csum_fold(csum_partial(eth + d->css, len - d->css, 0));
	put_be16(eth + d->cso, sum ? sum : 0xffff);
}

/* Fetch the octets. NULL: a DMA fault, or a length that cannot be sent. */
static struct hw_frame *tx_gather(struct nic *n, const struct nic_desc *seg, uint32_t segs,
				  uint32_t total)
{
	struct hw_frame *f = hw_frame_new(n->world, max_u32(total, ETH_ZLEN) + HW_FRAME_OVERHEAD);
	uint8_t *eth = f->data + ETH_PREAMBLE_LEN, *to = eth;

	f->serial = n->bus.get_tag ? n->bus.get_tag(n->bus.arg, seg[0].addr) : 0;
	for (uint32_t i = 0; i < segs; i++) {
		const void *from = n->bus.dma(n->bus.arg, seg[i].addr, seg[i].length, false);

		TRACE(n->probe, TR_DMA, f->serial, "dev=%s reads data addr=0x%llx len=%u%s",
		      n->params.name, (unsigned long long)seg[i].addr, seg[i].length,
		      from ? "" : " fault");
		if (!from) {
			n->st.dmafault++;
			f->len = (uint32_t)(to - f->data);
			hw_frame_drop(n->probe, f, DROP_HW_DMA_FAULT);
			return NULL;
		}
		memcpy(to, from, seg[i].length);
		to += seg[i].length;
	}
	if (seg[0].cmd & NIC_TXD_CSUM)
		tx_checksum(n, f, total, &seg[0]);
	hw_frame_seal(f, total);
	if (!(seg[segs - 1].cmd & NIC_TXD_IFCS)) { /* the driver's own FCS, right or wrong */
		f->len = ETH_PREAMBLE_LEN + total;
		f->fcs_ok = false;
	}
	return f;
}

/* Read the descriptors of the next frame. Their number; 0: none, or not all of it is posted yet. */
static uint32_t tx_read_descs(struct nic *n, struct nic_desc *seg, uint32_t *total, bool *bad)
{
	uint32_t i = n->tx.head, segs = 0;

	*total = 0;
	*bad = false;
	for (;;) {
		const struct nic_desc *d;

		if (i == n->tx.tail)
			return 0;
		d = nic_desc_at(n, &n->tx, i, false);
		if (!d) {
			n->tx.head = n->tx.tail; /* no ring there: nothing can be sent */
			return 0;
		}
		TRACE(n->probe, TR_DMA, 0,
		      "dev=%s reads descriptor tx[%u] addr=0x%llx len=%u cmd=0x%x", n->params.name,
		      i, (unsigned long long)d->addr, d->length, d->cmd);
		seg[segs++] = *d;
		*total += d->length;
		i = nic_ring_next(&n->tx, i);
		if (d->cmd & NIC_TXD_EOP)
			break;
		if (segs == NIC_TX_MAX_SEGS) {
			*bad = true;
			break;
		}
	}
	if (!*total || *total > NIC_TX_MAX_FRAME)
		*bad = true;
	n->tx.head = i;
	return segs;
}

static bool tx_fetch(struct nic *n)
{
	struct nic_desc seg[NIC_TX_MAX_SEGS];
	struct nic_tx_slot *s;
	uint32_t segs, total;
	bool bad;

	if (!(n->tctl & NIC_TCTL_EN) || n->tx.head == n->tx.tail ||
	    n->fifo_n == NIC_TX_FIFO_SLOTS || n->fifo_octets >= NIC_TX_FIFO_BYTES || !n->bus.dma)
		return false;
	segs = tx_read_descs(n, seg, &total, &bad);
	if (!segs)
		return false;
	s = &n->fifo[(n->fifo_head + n->fifo_n++) % NIC_TX_FIFO_SLOTS];
	s->f = bad ? NULL : tx_gather(n, seg, segs, total);
	s->next = n->tx.head;
	s->octets = s->f ? s->f->len : 0;
	n->fifo_octets += s->octets;
	return true;
}

/* Say DD in the descriptors that have left. */
void nic_tx_write_back(struct nic *n)
{
	bool said = false;

	while (n->written != n->done) {
		struct nic_desc *d = nic_desc_at(n, &n->tx, n->written, true);

		if (d && (d->cmd & NIC_TXD_RS)) {
			d->status |= NIC_STAT_DD;
			TRACE(n->probe, TR_DMA, 0, "dev=%s writes descriptor tx[%u] status=DD",
			      n->params.name, n->written);
			said = true;
		}
		n->written = nic_ring_next(&n->tx, n->written);
	}
	if (!said)
		return;
	if (!n->tidv)
		nic_set_cause(n, NIC_INT_TXDW);
	else if (!ev_pending(&n->tidv_ev))
		evq_at(n->world->q, &n->tidv_ev, n->world->q->now_ns + n->tidv);
}

/* The oldest frame of the FIFO is through: sent, or not to be sent. */
static void tx_complete(struct nic *n)
{
	struct nic_tx_slot *s = &n->fifo[n->fifo_head];

	n->fifo_octets -= s->octets;
	n->fifo_head = (n->fifo_head + 1) % NIC_TX_FIFO_SLOTS;
	n->fifo_n--;
	n->done = s->next;
	if (!n->hold)
		nic_tx_write_back(n);
}

static void tx_send(struct nic *n, struct nic_tx_slot *s)
{
	struct hw_frame *f = s->f;

	if (hw_port_link_up(&n->port)) {
		n->st.gptc++;
		n->st.gotc += f->len - ETH_PREAMBLE_LEN;
	} else {
		n->st.tncrs++;
	}
	s->f = NULL;
	n->sending = true;
	hw_port_send(&n->port, f);
	evq_at(n->world->q, &n->tx_ev, hw_port_idle_at(&n->port));
}

void nic_tx_run(struct nic *n)
{
	while (tx_fetch(n))
		;
	if (n->sending || !n->fifo_n)
		return;
	if (!hw_port_idle(&n->port)) { /* after a reset: somebody's last frame is still leaving */
		evq_at(n->world->q, &n->tx_ev, hw_port_idle_at(&n->port));
		return;
	}
	while (n->fifo_n && !n->fifo[n->fifo_head].f) {
		tx_complete(n);
		while (tx_fetch(n))
			;
	}
	if (n->fifo_n)
		tx_send(n, &n->fifo[n->fifo_head]);
}

/* The frame being sent has left, and the gap after it. */
static void tx_left(struct ev *ev)
{
	struct nic *n = container_of(ev, struct nic, tx_ev);
	HW_CLOCK(n->probe, n->world);

	if (n->sending) {
		n->sending = false;
		tx_complete(n);
	}
	nic_tx_run(n);
}
