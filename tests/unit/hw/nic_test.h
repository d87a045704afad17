/* A NIC on a bus made of an array: bus address n is octet n; every access of the device is logged.
 */
#ifndef TEST_NIC_TEST_H
#define TEST_NIC_TEST_H

#include "hw/nic.h"
#include "hw_test.h"

#define MEM_SIZE (256u * 1024u)
#define TX_RING 0x1000u
#define RX_RING 0x3000u
#define TX_BUF 0x10000u
#define RX_BUF 0x20000u
#define BUF_ROOM 2048u
#define RING 8u

struct access {
	uint64_t addr;
	uint32_t len;
	bool write;
};
struct host {
	uint8_t *mem;
	uint64_t tag[MEM_SIZE / 2048];
	struct access log[4096];
	uint32_t n_log, irqs[2];
	uint64_t irq_at;
	struct evq *q;
	struct counting_sink sink;
	struct probe probe;
	uint64_t clock;
};

struct nic_bench {
	struct world w;
	struct host h;
	struct nic *nic;
	struct end peer;
	struct hw_cable *c;
	uint32_t tx_tail, rx_tail;
	uint8_t mac[ETH_ALEN], peer_mac[ETH_ALEN];
};

static inline void *bus_dma(void *arg, uint64_t addr, uint32_t len, bool device_writes)
{
	struct host *h = arg;

	if (h->n_log < ARRAY_SIZE(h->log))
		h->log[h->n_log++] = (struct access){ addr, len, device_writes };
	return addr && addr < MEM_SIZE && len <= MEM_SIZE - addr ? h->mem + addr : NULL;
}
static inline uint64_t bus_get_tag(void *arg, uint64_t addr)
{
	return ((struct host *)arg)->tag[addr / 2048];
}
static inline void bus_set_tag(void *arg, uint64_t addr, uint64_t tag)
{
	((struct host *)arg)->tag[addr / 2048] = tag;
}
static inline void bus_irq(void *arg, unsigned line)
{
	struct host *h = arg;

	h->irqs[line]++;
	h->irq_at = h->q->now_ns;
}

static inline struct nic_desc *txd(struct nic_bench *b, uint32_t i)
{
	return (struct nic_desc *)(void *)(b->h.mem + TX_RING) + i;
}
static inline struct nic_desc *rxd(struct nic_bench *b, uint32_t i)
{
	return (struct nic_desc *)(void *)(b->h.mem + RX_RING) + i;
}

/* Post n receive buffers. */
static inline void rx_post(struct nic_bench *b, uint32_t n)
{
	for (; n; n--) {
		*rxd(b, b->rx_tail) = (struct nic_desc){ .addr = RX_BUF + b->rx_tail * BUF_ROOM,
							 .length = BUF_ROOM };
		b->rx_tail = (b->rx_tail + 1) % RING;
	}
	nic_write(b->nic, NIC_RDT, b->rx_tail);
}

static inline void nic_program(struct nic_bench *b)
{
	nic_write(b->nic, NIC_TDBAL, TX_RING);
	nic_write(b->nic, NIC_TDLEN, RING * 16);
	nic_write(b->nic, NIC_RDBAL, RX_RING);
	nic_write(b->nic, NIC_RDLEN, RING * 16);
	nic_write(b->nic, NIC_TCTL, NIC_TCTL_EN);
	nic_write(b->nic, NIC_RCTL, NIC_RCTL_EN | NIC_RCTL_BAM);
	nic_write(b->nic, NIC_IMS, ~0u);
	nic_write(b->nic, NIC_CTRL, NIC_CTRL_SLU);
	(void)nic_read(b->nic, NIC_ICR);
	b->h.irqs[0] = b->h.irqs[1] = 0;
	b->h.n_log = 0;
}

static inline void nic_setup(struct nic_bench *b)
{
	struct nic_params p = { .node = "host", .name = "eth0", .node_id = 1 };
	struct hw_cable_params cp = { .max_frame = 16500 };
	struct nic_bus bus = { &b->h, bus_dma, bus_get_tag, bus_set_tag, bus_irq, &b->h.probe };

	memset(b, 0, sizeof(*b));
	world_init(&b->w);
	mac_of(b->mac, 1);
	mac_of(b->peer_mac, 2);
	memcpy(p.mac, b->mac, ETH_ALEN);
	b->h.mem = calloc(1, MEM_SIZE);
	b->h.q = &b->w.q;
	probe_init(&b->h.probe, "host", 1, &b->h.clock);
	counting_init(&b->h.sink);
	probe_attach(&b->h.probe, &b->h.sink.sink);
	end_init(&b->peer, "peer", 2);
	b->c = hw_cable_new(&b->w.w, "c", 1, &cp);
	b->nic = nic_new(&b->w.w, &p);
	hw_cable_plug(b->c, 0, nic_port(b->nic));
	hw_cable_plug(b->c, 1, &b->peer.port);
	nic_bind(b->nic, &bus);
	nic_program(b);
}

static inline void nic_teardown(struct nic_bench *b)
{
	nic_free(b->nic);
	end_clear(&b->peer);
	hw_cable_free(b->c);
	world_free(&b->w);
	free(b->h.mem);
}

/* Put len octets (dst to payload) at the tail of the TX ring; no doorbell. */
static inline void tx_put(struct nic_bench *b, const void *eth, uint32_t len, uint8_t cmd)
{
	uint64_t addr = TX_BUF + b->tx_tail * BUF_ROOM;

	memcpy(b->h.mem + addr, eth, len);
	b->h.tag[addr / 2048] = 100 + b->tx_tail;
	*txd(b, b->tx_tail) = (struct nic_desc){.addr = addr, .length = (uint16_t)len, .cmd = cmd};
	b->tx_tail = (b->tx_tail + 1) % RING;
}
static inline void tx_put_plain(struct nic_bench *b, uint32_t len)
{
	uint8_t eth[BUF_ROOM];

	memset(eth, 0x5a, sizeof(eth));
	memcpy(eth, b->peer_mac, ETH_ALEN);
	memcpy(eth + ETH_ALEN, b->mac, ETH_ALEN);
	put_be16(eth + 12, 0x88b5);
	tx_put(b, eth, len, NIC_TXD_EOP | NIC_TXD_IFCS | NIC_TXD_RS);
}
static inline void doorbell(struct nic_bench *b) { nic_write(b->nic, NIC_TDT, b->tx_tail); }

/* The peer sends to the NIC. */
static inline void peer_send(struct nic_bench *b, const uint8_t *dst, uint32_t len)
{
	send_next(&b->w, &b->peer, frame_of(&b->w, dst, b->peer_mac, 0x88b5, len));
	run_all(&b->w);
}

#endif
