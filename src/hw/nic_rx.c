/* The NIC's receive engine: what comes off the cable, into host memory or not.
 *
 *     receiver on? -> SFD -> length (runt, oversize) -> FCS -> address filter -> FIFO
 *       -> descriptor free? -> DMA of the octets (without FCS)
 *       -> DMA of the descriptor (length, checksum verdict, DD) -> RXT0
 *
 * A frame that fails on the way is counted in its own register and raises no interrupt (only the
 * lack of descriptors does: RXO, so that a driver without memory is asked again).
 * Address filter: RAL/RAH, broadcast if BAM, group addresses through the 4096-bit hash MTA or MPE,
 * all unicast with UPE. The hash is the 12 highest bits of the address as it stands in the last two
 * octets.
 * Bounds: one descriptor per frame, so the buffer's posted size is a limit; RLPML; rx_fifo_bytes.
 *
 * Called by the cable through hw_port.rx.  Tests: tests/unit/hw/test_nic_rx.c */
#include <string.h>
#include "hw/nic_int.h"
#include "wire/ethernet.h"
#include "wire/ip4.h"

#define IPPROTO_TCP_ 6
#define IPPROTO_UDP_ 17

static bool rx_group_wanted(struct nic *n, const uint8_t *dst)
{
	uint32_t hash;

	if (mac_is_broadcast(dst))
		return (n->rctl & NIC_RCTL_BAM) != 0;
	if (n->rctl & NIC_RCTL_MPE)
		return true;
	hash = ((uint32_t)dst[4] >> 4 | (uint32_t)dst[5] << 4) & 0xfff;
	return (n->mta[hash / 32] >> (hash % 32) & 1) != 0;
}

static bool rx_wanted(struct nic *n, const uint8_t *dst)
{
	uint32_t low = (uint32_t)dst[0] | (uint32_t)dst[1] << 8 | (uint32_t)dst[2] << 16 |
		       (uint32_t)dst[3] << 24;
	uint32_t high = (uint32_t)dst[4] | (uint32_t)dst[5] << 8 | 1u << 31;

	if (mac_is_group(dst))
		return rx_group_wanted(n, dst);
	return (n->rctl & NIC_RCTL_UPE) || (low == n->ral && high == n->rah);
}

/* Verify the Internet checksums of an unfragmented IPv4 packet. Verdict bits for the descriptor;
 * neither: not looked at (other protocols, fragments, headers that do not hold, UDP without
 * checksum). */
static void rx_checksum(struct nic *n, uint64_t serial, const uint8_t *eth, uint32_t len, uint8_t *status, uint8_t *errors)
{
	const struct ip4_hdr *ip = (const void *)(eth + ETH_HLEN);
	uint32_t hlen, l4len, sum;
	const uint8_t *l4;

	if (len < ETH_HLEN + IP4_HLEN || get_be16(eth + 12) != ETH_P_IP || ip4_version(ip) != 4)
		return;
	hlen = ip4_hlen(ip);
	if (hlen < IP4_HLEN || ip4_tot_len(ip) < hlen || ip4_tot_len(ip) > len - ETH_HLEN)
		return;
	if (ip4_fast_csum(ip, hlen)) {
		*errors |= NIC_ERR_IPCS;
		return;
	}
	if (ip4_is_fragment(ip))
		return;
	l4 = eth + ETH_HLEN + hlen;
	l4len = ip4_tot_len(ip) - hlen;
	if (ip->protocol == IPPROTO_UDP_) {
		/* what UDP's own length covers; the rest of the packet is not UDP's */
		if (l4len < UDP_HLEN || get_be16(l4 + 4) != l4len || !get_be16(l4 + 6))
			return;
	} else if (ip->protocol != IPPROTO_TCP_) {
		return;
	}
	sum = csum_tcpudp_nofold(ip4_saddr(ip), ip4_daddr(ip), l4len, ip->protocol,
				 csum_partial(l4, l4len, 0));
	TRACE(n->probe, TR_NOTE, serial, "len=%u sum by=nic dev=%s", l4len, n->params.name);
	if (csum_fold(sum))
		*errors |= NIC_ERR_L4CS;
	else
		*status |= NIC_STAT_CSOK;
}

/* Everything up to the address filter. DROP_REASON_MAX: the frame is welcome. */
static enum drop_reason rx_judge(struct nic *n, struct hw_frame *f, uint32_t *off)
{
	int sfd = hw_frame_find_sfd(f);
	uint32_t len;

	if (!(n->rctl & NIC_RCTL_EN))
		return DROP_HW_RX_DISABLED;
	if (sfd < 0) {
		n->st.nosfd++;
		return DROP_HW_NO_SFD;
	}
	*off = (uint32_t)sfd;
	len = f->len - *off;
	if (len < HW_FRAME_MIN) {
		n->st.ruc++;
		return DROP_HW_RUNT;
	}
	if (len - ETH_FCS_LEN > n->rlpml) {
		n->st.roc++;
		return DROP_HW_OVERSIZE;
	}
	if (!hw_frame_check_fcs(f, *off)) {
		n->st.crcerrs++;
		return DROP_HW_BAD_FCS;
	}
	if (!rx_wanted(n, f->data + *off)) {
		n->st.filtered++;
		return DROP_HW_FILTERED;
	}
	if (len > n->params.rx_fifo_bytes) {
		n->st.fifo++;
		return DROP_HW_RX_FIFO;
	}
	return DROP_REASON_MAX;
}

/* The octets into the buffer of the descriptor at RDH. */
static enum drop_reason rx_data(struct nic *n, const struct hw_frame *f, const uint8_t *eth,
				uint32_t len)
{
	const struct nic_desc *d = nic_desc_at(n, &n->rx, n->rx.head, false);
	void *to;

	if (!d)
		return DROP_HW_DMA_FAULT;
	if (d->length && len > d->length) { /* never past the buffer (ETH-03) */
		n->st.roc++;
		return DROP_HW_OVERSIZE;
	}
	to = n->bus.dma(n->bus.arg, d->addr, len, true);
	TRACE(n->probe, TR_DMA, f->serial, "dev=%s writes data addr=0x%llx len=%u%s",
	      n->params.name, (unsigned long long)d->addr, len, to ? "" : " fault");
	if (!to) {
		n->st.dmafault++;
		return DROP_HW_DMA_FAULT;
	}
	memcpy(to, eth, len);
	if (n->bus.set_tag)
		n->bus.set_tag(n->bus.arg, d->addr, f->serial);
	return DROP_REASON_MAX;
}

/* Then the descriptor: DD last of all. */
static void rx_write_back(struct nic *n, const struct hw_frame *f, const uint8_t *eth, uint32_t len)
{
	struct nic_desc *d = nic_desc_at(n, &n->rx, n->rx.head, true);
	uint8_t status = NIC_STAT_DD | NIC_STAT_EOP, errors = 0;

	if (!d)
		return;
	if (n->rxcsum & 1u << 8)
		rx_checksum(n, f->serial, eth, len, &status, &errors);
	d->length = (uint16_t)len;
	d->errors = errors;
	d->status = status;
	TRACE(n->probe, TR_DMA, f->serial,
	      "dev=%s writes descriptor rx[%u] len=%u status=0x%x errors=0x%x", n->params.name,
	      n->rx.head, len, status, errors);
	n->rx.head = nic_ring_next(&n->rx, n->rx.head);
}

static void rx_count(struct nic *n, const uint8_t *dst, uint32_t len)
{
	n->st.gprc++;
	n->st.gorc += len + ETH_FCS_LEN;
	if (mac_is_broadcast(dst))
		n->st.bprc++;
	else if (mac_is_group(dst))
		n->st.mprc++;
}

void nic_rx(struct hw_port *p, struct hw_frame *f)
{
	struct nic *n = p->owner;
	enum drop_reason why;
	const uint8_t *eth;
	uint32_t off = 0, len;
	HW_CLOCK(n->probe, n->world);

	why = rx_judge(n, f, &off);
	eth = f->data + off;
	len = f->len - off - ETH_FCS_LEN;
	if (why == DROP_REASON_MAX) {
		if (n->rx.head == n->rx.tail || !n->bus.dma) {
			n->st.mpc++;
			nic_set_cause(n, NIC_INT_RXO);
			why = DROP_HW_RX_NO_DESC;
		} else {
			why = rx_data(n, f, eth, len);
		}
	}
	if (unlikely(why != DROP_REASON_MAX)) {
		hw_frame_drop(n->probe, f, why);
		return;
	}
	rx_write_back(n, f, eth, len);
	rx_count(n, eth, len);
	hw_frame_put(f);
	nic_set_cause(n, NIC_INT_RXT0);
}
