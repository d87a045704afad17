/* The NIC: what a driver sees of it is this register file, descriptor rings in host memory, and an
 * interrupt line. Shaped like Intel's igb family, simplified; the numbers are culver's own.
 *
 *   TX: driver writes descriptors, then TDT (doorbell). The NIC fetches descriptor and data by DMA
 *       into its FIFO, pads to 60, adds preamble, SFD, FCS, sends; then sets DD in the descriptor
 *       and raises TXDW.
 *   RX: frame in, SFD found, FCS checked, address filter; DMA to the buffer of the descriptor at
 *       RDH, length and DD written after the data; RXT0 raised. No free descriptor (RDH == RDT):
 *       dropped, counted in MPC. A receive descriptor's length is the buffer's size as the driver
 *       posts it (0: not said), the frame's length once DD is set; its addr is left alone.
 *   Interrupts: cause bits in ICR (reading clears all; writing clears the bits written). A cause
 *       with its mask bit set raises its line once: line 0 for the rings (TXDW, RXT0, RXO), line 1
 *       for the rest (LSC). The driver masks by IMC and unmasks by IMS; unmasking with causes
 *       pending raises again. EITR throttles line 0; TIDV lets TXDW wait for company.
 *   Link: the transceiver is on while CTRL.SLU is set; each change of the link raises LSC. Without
 *       a link the transmitter throws its frames away (counted in TNCRS) and completes them.
 *   Statistics registers are the low 32 bits of counters that wrap; a reset leaves them. */
#ifndef HW_NIC_H
#define HW_NIC_H

#include "hw/frame.h"

enum nic_reg {
	NIC_CTRL = 0x0000,   /* bit 0 reset, bit 1 set link up: transceiver on */
	NIC_STATUS = 0x0008, /* bit 1 link is up */
	/* ROM read: write index<<2|1; read: data<<16|2 when done. Words 0 to 2: MAC */
	NIC_EERD = 0x0014,
	NIC_ICR = 0x00C0,  /* cause, clear on read; write: clear these */
	NIC_ICS = 0x00C8,  /* set causes by software */
	NIC_IMS = 0x00D0,  /* mask set; reads the mask */
	NIC_IMC = 0x00D8,  /* mask clear */
	NIC_EITR = 0x1680, /* least time between interrupts, ns; 0 none */
	NIC_TIDV = 0x3820, /* longest wait of TXDW for further completions, ns; 0 none */
	NIC_RCTL = 0x0100, /* bit 1 enable, 3 promiscuous, 4 all multicast, 15 accept broadcast */
	NIC_TCTL = 0x0400, /* bit 1 enable */
	NIC_RDBAL = 0x2800,
	NIC_RDBAH = 0x2804,
	NIC_RDLEN = 0x2808,
	NIC_RDH = 0x2810,
	NIC_RDT = 0x2818,
	NIC_TDBAL = 0x3800,
	NIC_TDBAH = 0x3804,
	NIC_TDLEN = 0x3808,
	NIC_TDH = 0x3810,
	NIC_TDT = 0x3818,
	NIC_MTA = 0x5200, /* 128 words: multicast hash, 4096 bits */
	NIC_RAL = 0x5400,
	NIC_RAH = 0x5404,    /* receive address; RAH bit 31 valid */
	NIC_RLPML = 0x5004,  /* longest frame accepted, without FCS */
	NIC_RXCSUM = 0x5000, /* bit 8: verify IPv4, TCP/UDP checksums, say so in the descriptor */
	/* statistics, read only */
	NIC_CRCERRS = 0x4000,
	NIC_RUC = 0x40A4,
	NIC_ROC = 0x40AC,
	NIC_MPC = 0x4010,
	NIC_GPRC = 0x4074,
	NIC_GPTC = 0x4080,
	NIC_GORC = 0x4088,
	NIC_GOTC = 0x4090,
	NIC_FILTERED = 0x4100,
	NIC_NOSFD = 0x4104,
	NIC_DMAFAULT = 0x4108,
	NIC_BPRC = 0x4078,
	NIC_MPRC = 0x407C,
	NIC_RXERRFIFO = 0x4110,
	NIC_TNCRS = 0x4034
};
#define NIC_MTA_WORDS 128
#define NIC_RING_MAX 4096u       /* descriptors */
#define NIC_TX_MAX_FRAME 16128u  /* longest frame sent, dst to payload */
#define NIC_TX_MAX_SEGS 8u       /* descriptors of one frame */
#define NIC_LINE_RING 0u
#define NIC_LINE_OTHER 1u
#define NIC_CTRL_RST 1u
#define NIC_CTRL_SLU 2u
#define NIC_STATUS_LU 2u
#define NIC_INT_TXDW 0x01u
#define NIC_INT_LSC 0x04u
#define NIC_INT_RXO 0x40u
#define NIC_INT_RXT0 0x80u
#define NIC_RCTL_EN 0x2u
#define NIC_RCTL_UPE 0x8u
#define NIC_RCTL_MPE 0x10u
#define NIC_RCTL_BAM 0x8000u
#define NIC_TCTL_EN 0x2u

/* Descriptors: 16 octets, little endian in host memory. */
struct nic_desc {
	uint64_t addr;   /* bus address of the buffer */
	uint16_t length; /* TX: octets to send; RX: octets received, without FCS */
	/* TX: EOP 1, IFCS 2 (without: the last 4 octets are the FCS, no padding), CSUM 4, RS 8 */
	uint8_t cmd;
	uint8_t css;     /* TX, with CSUM: checksum start */
	uint8_t status;  /* DD 1; RX: EOP 2, checksum verified 0x60 */
	uint8_t errors;  /* RX: checksum bad: IPv4 header 0x40, TCP or UDP 0x20 */
	uint16_t cso;    /* TX, with CSUM: where to put it */
};
#define NIC_TXD_EOP 1u
#define NIC_TXD_IFCS 2u
#define NIC_TXD_CSUM 4u
#define NIC_TXD_RS 8u
#define NIC_STAT_DD 1u
#define NIC_STAT_EOP 2u
#define NIC_STAT_CSOK 0x60u
#define NIC_ERR_IPCS 0x40u
#define NIC_ERR_L4CS 0x20u

/* The host's side of the bus. */
struct nic_bus {
	void *arg;
	void *(*dma)(void *arg, uint64_t addr, uint32_t len, bool device_writes); /* NULL: fault */
	uint64_t (*get_tag)(void *arg, uint64_t addr);
	void (*set_tag)(void *arg, uint64_t addr, uint64_t tag);
	void (*irq)(void *arg, unsigned line);
	struct probe *probe; /* the host's; NULL: nobody listens */
};

struct nic_params {
	const char *node, *name;
	uint32_t node_id;
	uint8_t mac[6];        /* in ROM */
	uint32_t rx_fifo_bytes; /* 0: 64 KiB. A frame longer than this is lost (RXERRFIFO) */
};

struct nic;
/* node and name of the parameters are borrowed and must outlive the NIC. */
struct nic *nic_new(struct hw_world *w, const struct nic_params *p);
void nic_free(struct nic *n);
/* Plug the card into a host (bus is copied), or pull it out (NULL): it is reset. */
void nic_bind(struct nic *n, const struct nic_bus *bus);
struct hw_port *nic_port(struct nic *n);
uint32_t nic_read(struct nic *n, uint32_t reg);
void nic_write(struct nic *n, uint32_t reg, uint32_t val);
/* Test aid: hold back completions (TX DD and TXDW) until released (S2-04). */
void nic_hold_completions(struct nic *n, bool hold);

#endif
