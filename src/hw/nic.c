/* The NIC's face to its driver: register file, ROM, interrupt lines, life.
 *
 * Decides: what a register write starts, when a line is raised. Called by the driver (nic_read,
 * nic_write) and by the cable (link). Hands on to nic_tx.c (doorbell) and to the host through its
 * bus.
 *
 * Interrupts. A line's level is (ICR & IMS & its causes) != 0; its rising edge calls the host once.
 * Masking or clearing the causes lets it fall. Line 0 rises no sooner than EITR ns after it last
 * rose.
 * Tests: tests/unit/hw/test_nic.c */
#include <stdlib.h>
#include <string.h>
#include "hw/nic_int.h"
#include "wire/ethernet.h"

#define NIC_RLPML_DEFAULT (ETH_HLEN + 4 + ETH_DATA_LEN)
#define NIC_RX_FIFO_DEFAULT (64u * 1024u)
#define NIC_ROM_MAC_WORDS 3

static const char *nic_reg_name(uint32_t reg)
{
	static const struct {
		uint32_t reg;
		const char *name;
	} names[] = {
		{ NIC_CTRL, "CTRL" },	{ NIC_STATUS, "STATUS" }, { NIC_EERD, "EERD" },
		{ NIC_ICR, "ICR" },	{ NIC_ICS, "ICS" },	  { NIC_IMS, "IMS" },
		{ NIC_IMC, "IMC" },	{ NIC_EITR, "EITR" },	  { NIC_TIDV, "TIDV" },
		{ NIC_RCTL, "RCTL" },	{ NIC_TCTL, "TCTL" },	  { NIC_RDBAL, "RDBAL" },
		{ NIC_RDBAH, "RDBAH" }, { NIC_RDLEN, "RDLEN" },	  { NIC_RDH, "RDH" },
		{ NIC_RDT, "RDT" },	{ NIC_TDBAL, "TDBAL" },	  { NIC_TDBAH, "TDBAH" },
		{ NIC_TDLEN, "TDLEN" }, { NIC_TDH, "TDH" },	  { NIC_TDT, "TDT" },
		{ NIC_RAL, "RAL" },	{ NIC_RAH, "RAH" },	  { NIC_RLPML, "RLPML" },
		{ NIC_RXCSUM, "RXCSUM" }
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].reg == reg)
			return names[i].name;
	return reg >= NIC_MTA && reg < NIC_MTA + 4 * NIC_MTA_WORDS ? "MTA" : "stat";
}

static void nic_raise(struct nic *n, unsigned line)
{
	n->asserted[line] = true;
	TRACE(n->probe, TR_IRQ, 0, "dev=%s line=%u cause=0x%x", n->params.name, line,
	      n->icr & n->ims);
	if (n->bus.irq)
		n->bus.irq(n->bus.arg, line);
}

/* After any change of ICR or IMS. */
static void nic_irq_update(struct nic *n)
{
	uint64_t now = n->world->q->now_ns;
	uint32_t live = n->icr & n->ims;

	if (!(live & ~NIC_INT_RING))
		n->asserted[NIC_LINE_OTHER] = false;
	else if (!n->asserted[NIC_LINE_OTHER])
		nic_raise(n, NIC_LINE_OTHER);
	if (!(live & NIC_INT_RING)) {
		n->asserted[NIC_LINE_RING] = false;
		evq_cancel(n->world->q, &n->itr_ev);
		return;
	}
	if (n->asserted[NIC_LINE_RING])
		return;
	if (n->eitr && now < n->next_irq_ns) {
		if (!ev_pending(&n->itr_ev))
			evq_at(n->world->q, &n->itr_ev, n->next_irq_ns);
		return;
	}
	n->next_irq_ns = now + n->eitr;
	nic_raise(n, NIC_LINE_RING);
}

static void nic_itr_fires(struct ev *ev)
{
	struct nic *n = container_of(ev, struct nic, itr_ev);
	HW_CLOCK(n->probe, n->world);

	nic_irq_update(n);
}

static void nic_tidv_fires(struct ev *ev)
{
	struct nic *n = container_of(ev, struct nic, tidv_ev);
	HW_CLOCK(n->probe, n->world);

	nic_set_cause(n, NIC_INT_TXDW);
}

void nic_set_cause(struct nic *n, uint32_t bits)
{
	n->icr |= bits;
	nic_irq_update(n);
}

static void nic_clear_cause(struct nic *n, uint32_t bits)
{
	n->icr &= ~bits;
	if (bits & NIC_INT_TXDW)
		evq_cancel(n->world->q, &n->tidv_ev);
	nic_irq_update(n);
}

struct nic_desc *nic_desc_at(struct nic *n, const struct nic_ring *r, uint32_t i, bool write)
{
	void *p = NULL;

	if (n->bus.dma)
		p = n->bus.dma(n->bus.arg, r->base + (uint64_t)i * sizeof(struct nic_desc),
			       sizeof(struct nic_desc), write);
	if (unlikely(!p))
		n->st.dmafault++;
	return p;
}

static void nic_link(struct hw_port *p, bool up)
{
	struct nic *n = p->owner;
	HW_CLOCK(n->probe, n->world);

	TRACE(n->probe, TR_STATE, 0, "dev=%s link=%s", n->params.name, up ? "up" : "down");
	nic_set_cause(n, NIC_INT_LSC);
}

static void nic_ring_init(struct nic_ring *r) { memset(r, 0, sizeof(*r)); }

static void nic_reset(struct nic *n)
{
	n->icr = n->ims = n->eitr = n->tidv = 0;
	n->rctl = n->tctl = n->rxcsum = n->eerd = 0;
	n->rlpml = NIC_RLPML_DEFAULT;
	memset(n->mta, 0, sizeof(n->mta));
	/* The ROM's address is loaded into the first filter. */
	n->ral = (uint32_t)n->params.mac[0] | (uint32_t)n->params.mac[1] << 8 |
		 (uint32_t)n->params.mac[2] << 16 | (uint32_t)n->params.mac[3] << 24;
	n->rah = (uint32_t)n->params.mac[4] | (uint32_t)n->params.mac[5] << 8 | 1u << 31;
	nic_ring_init(&n->rx);
	nic_ring_init(&n->tx);
	nic_tx_reset(n);
	n->asserted[0] = n->asserted[1] = false;
	n->next_irq_ns = 0;
	evq_cancel(n->world->q, &n->itr_ev);
	evq_cancel(n->world->q, &n->tidv_ev);
}

struct nic *nic_new(struct hw_world *w, const struct nic_params *p)
{
	struct nic *n = xcalloc(1, sizeof(*n));

	n->world = w;
	n->params = *p;
	if (!n->params.rx_fifo_bytes)
		n->params.rx_fifo_bytes = NIC_RX_FIFO_DEFAULT;
	n->probe = &n->off;
	n->port.world = w;
	n->port.node = p->node;
	n->port.name = p->name;
	n->port.node_id = p->node_id;
	n->port.rx = nic_rx;
	n->port.link = nic_link;
	n->port.owner = n;
	n->port.phy_off = true;
	ev_init(&n->itr_ev, p->node_id, nic_itr_fires);
	ev_init(&n->tidv_ev, p->node_id, nic_tidv_fires);
	nic_tx_init(n);
	nic_reset(n);
	return n;
}

void nic_free(struct nic *n)
{
	if (!n)
		return;
	nic_bind(n, NULL);
	if (n->port.cable)
		hw_cable_unplug(n->port.cable, n->port.side);
	nic_reset(n);
	free(n);
}

void nic_bind(struct nic *n, const struct nic_bus *bus)
{
	memset(&n->bus, 0, sizeof(n->bus));
	if (bus)
		n->bus = *bus;
	n->probe = n->bus.probe ? n->bus.probe : &n->off;
	n->port.probe = n->bus.probe;
	n->ctrl = 0;
	nic_reset(n);
	hw_port_set_phy(&n->port, false);
}

struct hw_port *nic_port(struct nic *n) { return &n->port; }

static uint32_t nic_rom(const struct nic *n, uint32_t eerd)
{
	uint32_t word = eerd >> 2, v = 0xffff;

	if (!(eerd & 1))
		return eerd;
	if (word < NIC_ROM_MAC_WORDS)
		v = (uint32_t)n->params.mac[word * 2] | (uint32_t)n->params.mac[word * 2 + 1] << 8;
	return v << 16 | 2;
}

static uint32_t nic_stat(const struct nic *n, uint32_t reg)
{
	switch (reg) {
	case NIC_CRCERRS: return (uint32_t)n->st.crcerrs;
	case NIC_RUC: return (uint32_t)n->st.ruc;
	case NIC_ROC: return (uint32_t)n->st.roc;
	case NIC_MPC: return (uint32_t)n->st.mpc;
	case NIC_GPRC: return (uint32_t)n->st.gprc;
	case NIC_GPTC: return (uint32_t)n->st.gptc;
	case NIC_GORC: return (uint32_t)n->st.gorc;
	case NIC_GOTC: return (uint32_t)n->st.gotc;
	case NIC_FILTERED: return (uint32_t)n->st.filtered;
	case NIC_NOSFD: return (uint32_t)n->st.nosfd;
	case NIC_DMAFAULT: return (uint32_t)n->st.dmafault;
	case NIC_BPRC: return (uint32_t)n->st.bprc;
	case NIC_MPRC: return (uint32_t)n->st.mprc;
	case NIC_RXERRFIFO: return (uint32_t)n->st.fifo;
	case NIC_TNCRS: return (uint32_t)n->st.tncrs;
	default: return 0;
	}
}

static uint32_t nic_get(struct nic *n, uint32_t reg)
{
	uint32_t v;

	switch (reg) {
	case NIC_CTRL: return n->ctrl;
	case NIC_STATUS: return hw_port_link_up(&n->port) ? NIC_STATUS_LU : 0;
	case NIC_EERD: return nic_rom(n, n->eerd);
	case NIC_ICR:
		v = n->icr;
		nic_clear_cause(n, v);
		return v;
	case NIC_IMS: return n->ims;
	case NIC_EITR: return n->eitr;
	case NIC_TIDV: return n->tidv;
	case NIC_RCTL: return n->rctl;
	case NIC_TCTL: return n->tctl;
	case NIC_RDBAL: return (uint32_t)n->rx.base;
	case NIC_RDBAH: return (uint32_t)(n->rx.base >> 32);
	case NIC_RDLEN: return n->rx.bytes;
	case NIC_RDH: return n->rx.head;
	case NIC_RDT: return n->rx.tail;
	case NIC_TDBAL: return (uint32_t)n->tx.base;
	case NIC_TDBAH: return (uint32_t)(n->tx.base >> 32);
	case NIC_TDLEN: return n->tx.bytes;
	case NIC_TDH: return n->tx.head;
	case NIC_TDT: return n->tx.tail;
	case NIC_RAL: return n->ral;
	case NIC_RAH: return n->rah;
	case NIC_RLPML: return n->rlpml;
	case NIC_RXCSUM: return n->rxcsum;
	default: break;
	}
	if (reg >= NIC_MTA && reg < NIC_MTA + 4 * NIC_MTA_WORDS && !(reg & 3))
		return n->mta[(reg - NIC_MTA) / 4];
	return nic_stat(n, reg);
}

uint32_t nic_read(struct nic *n, uint32_t reg)
{
	uint32_t v = nic_get(n, reg);

	TRACE(n->probe, TR_REG, 0, "dev=%s read %s(0x%04x) val=0x%x", n->params.name,
	      nic_reg_name(reg), reg, v);
	return v;
}

static void nic_set_ring(struct nic *n, struct nic_ring *r, uint32_t bytes)
{
	r->bytes = bytes;
	r->count = min_u32(bytes / (uint32_t)sizeof(struct nic_desc), NIC_RING_MAX);
	r->head = r->tail = 0;
	if (r == &n->tx)
		nic_tx_reset(n);
}

/* A tail or head outside the ring is ignored. */
static void nic_set_index(const struct nic_ring *r, uint32_t *index, uint32_t v)
{
	if (v < r->count)
		*index = v;
}

static void nic_set_ctrl(struct nic *n, uint32_t v)
{
	n->ctrl = v & ~NIC_CTRL_RST;
	if (v & NIC_CTRL_RST)
		nic_reset(n);
	if (n->port.phy_off != !(v & NIC_CTRL_SLU))
		hw_port_set_phy(&n->port, (v & NIC_CTRL_SLU) != 0);
}

static void nic_put_base(uint64_t *base, bool high, uint32_t v)
{
	*base = high ? (*base & 0xffffffffu) | (uint64_t)v << 32 :
		       (*base & ~(uint64_t)0xffffffffu) | v;
}

static void nic_put(struct nic *n, uint32_t reg, uint32_t v)
{
	switch (reg) {
	case NIC_CTRL: nic_set_ctrl(n, v); break;
	case NIC_EERD: n->eerd = v; break;
	case NIC_ICR: nic_clear_cause(n, v); break;
	case NIC_ICS: nic_set_cause(n, v); break;
	case NIC_IMS: n->ims |= v; nic_irq_update(n); break;
	case NIC_IMC: n->ims &= ~v; nic_irq_update(n); break;
	case NIC_EITR: n->eitr = v; break;
	case NIC_TIDV: n->tidv = v; break;
	case NIC_RCTL: n->rctl = v; break;
	case NIC_TCTL: n->tctl = v; nic_tx_run(n); break;
	case NIC_RDBAL: nic_put_base(&n->rx.base, false, v); break;
	case NIC_RDBAH: nic_put_base(&n->rx.base, true, v); break;
	case NIC_RDLEN: nic_set_ring(n, &n->rx, v); break;
	case NIC_RDH: nic_set_index(&n->rx, &n->rx.head, v); break;
	case NIC_RDT: nic_set_index(&n->rx, &n->rx.tail, v); break;
	case NIC_TDBAL: nic_put_base(&n->tx.base, false, v); break;
	case NIC_TDBAH: nic_put_base(&n->tx.base, true, v); break;
	case NIC_TDLEN: nic_set_ring(n, &n->tx, v); break;
	case NIC_TDT: nic_set_index(&n->tx, &n->tx.tail, v); nic_tx_run(n); break;
	case NIC_RAL: n->ral = v; break;
	case NIC_RAH: n->rah = v; break;
	case NIC_RLPML: n->rlpml = v; break;
	case NIC_RXCSUM: n->rxcsum = v; break;
	default:
		if (reg >= NIC_MTA && reg < NIC_MTA + 4 * NIC_MTA_WORDS && !(reg & 3))
			n->mta[(reg - NIC_MTA) / 4] = v;
		break;
	}
}

void nic_write(struct nic *n, uint32_t reg, uint32_t val)
{
	TRACE(n->probe, TR_REG, 0, "dev=%s write %s(0x%04x) val=0x%x", n->params.name,
	      nic_reg_name(reg), reg, val);
	nic_put(n, reg, val);
}

void nic_hold_completions(struct nic *n, bool hold)
{
	n->hold = hold;
	if (!hold)
		nic_tx_write_back(n);
}
