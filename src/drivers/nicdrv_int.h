/* Private to drivers/: the inside of the NIC driver, shared by nicdrv_main.c, nicdrv_tx.c,
 * nicdrv_rx.c. */
#ifndef DRIVERS_NICDRV_INT_H
#define DRIVERS_NICDRV_INT_H

#include "core/netdevice.h"
#include "drivers/drivers.h"
#include "hw/nic.h"

#define IGB_RING_DEFAULT 256u
#define IGB_RING_MIN 4u
#define IGB_TX_WORK 128u   /* descriptors cleaned in one poll */
#define IGB_RX_BATCH 16u   /* buffers posted at once */
#define IGB_RX_FILL_MIN 32u /* posted at first where the CPU costs nothing */
#define IGB_MIN_MTU 68u
#define IGB_MAX_MTU 9216u
#define IGB_VLAN_HLEN 4u
#define IGB_RX_PAD (NET_SKB_PAD + 2u) /* so that the IP header is aligned */
#define IGB_RING_CAUSES (NIC_INT_TXDW | NIC_INT_RXT0 | NIC_INT_RXO)

/* A descriptor ring as the driver sees it:
 *
 *     next_to_clean ............ next_to_use .........
 *       the NIC's (or done: DD)    free
 */
struct igb_ring {
	struct nic_desc *desc; /* coherent memory, shared with the NIC */
	dma_addr_t dma;
	uint32_t count, next_to_use, next_to_clean;
	uint64_t packets, bytes;
};

/* A register that wraps at 2^32, made 64 bits wide. */
struct igb_counter {
	uint64_t total;
	uint32_t last;
};
struct igb_hw_stats {
	struct igb_counter crcerrs, ruc, roc, mpc, nosfd, filtered, dmafault, bprc, mprc, fifo,
	    tncrs;
};

struct igb_adapter {
	struct net_device *dev;
	struct net *net;
	struct nic *nic;
	struct nicdrv_params params;
	struct napi_struct napi;
	struct igb_ring tx, rx;
	struct sk_buff **tx_skb; /* by descriptor */
	uint32_t rx_buf_len;     /* of a receive buffer, pad included */
	uint32_t rx_fill;        /* descriptors that are kept posted */
	int vector, vector_other;
	bool up;
	uint32_t shadow_mta[NIC_MTA_WORDS]; /* what the NIC's hash table holds */
	uint64_t tx_stopped, tx_busy, tx_dropped, rx_alloc_failed, rx_csum_bad;
	uint64_t irqs, irqs_other;
	struct igb_hw_stats hw;
};

static inline struct igb_adapter *igb_priv(const struct net_device *dev) { return dev->priv; }
static inline uint32_t igb_next(const struct igb_ring *r, uint32_t i)
{
	return i + 1 == r->count ? 0 : i + 1;
}
/* Free descriptors; one always stays empty, so that full and empty differ. */
static inline uint32_t igb_desc_unused(const struct igb_ring *r)
{
	return (r->next_to_clean > r->next_to_use ? 0 : r->count) + r->next_to_clean -
	       r->next_to_use - 1;
}

/* nicdrv_tx.c */
netdev_tx_t igb_xmit_frame(struct sk_buff *skb, struct net_device *dev);
/* Returns true when nothing is left to clean now. */
bool igb_clean_tx_irq(struct igb_adapter *a);
void igb_clean_tx_ring(struct igb_adapter *a);

/* nicdrv_rx.c */
/* Post as many buffers as are missing. */
void igb_alloc_rx_buffers(struct igb_adapter *a);
/* How many to keep posted when the device comes up. */
uint32_t igb_rx_fill_first(const struct igb_adapter *a);
/* Returns the number of packets handed up, at most budget. */
int igb_clean_rx_irq(struct igb_adapter *a, int budget);
void igb_clean_rx_ring(struct igb_adapter *a);
bool igb_rx_more(const struct igb_adapter *a);

/* nicdrv_stats.c */
void igb_get_stats64(struct net_device *dev, struct rtnl_link_stats64_ *s);
void igb_get_ethtool_stats(struct net_device *dev,
			   void (*emit)(void *arg, const char *name, uint64_t v), void *arg);
void igb_get_ringparam(struct net_device *dev,
		       void (*emit)(void *arg, const char *name, uint64_t v), void *arg);

#endif
