/* Private to hw/: the inside of the NIC, shared by nic.c (registers, interrupts), nic_tx.c,
 * nic_rx.c. */
#ifndef HW_NIC_INT_H
#define HW_NIC_INT_H

#include "hw/hw_clock.h"
#include "hw/nic.h"

#define NIC_TX_FIFO_BYTES (24u * 1024u)
#define NIC_TX_FIFO_SLOTS 32u /* power of two */
#define NIC_INT_RING (NIC_INT_TXDW | NIC_INT_RXT0 | NIC_INT_RXO)

struct nic_ring {
	uint64_t base;
	uint32_t bytes; /* RDLEN, TDLEN */
	uint32_t count, head, tail;
};

/* A frame on its way out of the NIC. f NULL: it could not be fetched; only its descriptors are
 * completed. */
struct nic_tx_slot {
	struct hw_frame *f;
	uint32_t next; /* the descriptor after its last */
	uint32_t octets;
};

struct nic_counters {
	uint64_t crcerrs, ruc, roc, mpc, gprc, gptc, gorc, gotc, filtered, nosfd, dmafault, bprc,
		mprc, fifo, tncrs;
};

struct nic {
	struct hw_port port;
	struct hw_world *world;
	struct nic_params params;
	struct nic_bus bus;
	struct probe off;    /* nobody listens */
	struct probe *probe; /* the host's, or &off */

	uint32_t ctrl, rctl, tctl, icr, ims, eitr, tidv, rlpml, rxcsum, eerd, ral, rah;
	uint32_t mta[NIC_MTA_WORDS];
	struct nic_ring rx, tx;
	struct nic_counters st;

	bool asserted[2];
	uint64_t next_irq_ns; /* EITR: line 0 not before */
	struct ev itr_ev, tidv_ev;

	/* TX: fetched (and perhaps being sent: the first) */
	struct nic_tx_slot fifo[NIC_TX_FIFO_SLOTS];
	uint32_t fifo_head, fifo_n, fifo_octets;
	bool sending;
	bool hold;
	uint32_t done;       /* descriptors before this one have left ... */
	uint32_t written;    /* ... and those before this one say so (DD) */
	struct ev tx_ev;
};

/* nic.c */
void nic_set_cause(struct nic *n, uint32_t bits);
/* Descriptor i of a ring in host memory. NULL: a DMA fault (counted). */
struct nic_desc *nic_desc_at(struct nic *n, const struct nic_ring *r, uint32_t i, bool write);
static inline uint32_t nic_ring_next(const struct nic_ring *r, uint32_t i)
{
	return i + 1 == r->count ? 0 : i + 1;
}

/* nic_tx.c */
void nic_tx_init(struct nic *n);
void nic_tx_reset(struct nic *n);
/* Fetch what the driver has posted and send what is fetched. */
void nic_tx_run(struct nic *n);
void nic_tx_write_back(struct nic *n);

/* nic_rx.c */
void nic_rx(struct hw_port *p, struct hw_frame *f);

#endif
