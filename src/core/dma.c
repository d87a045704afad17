/* DMA: which memory a device may touch, under which bus addresses.
 *
 * Decides whether an access of the device is allowed: the address must be mapped, the range inside
 * the mapping and the direction right; anything else is a fault, as an IOMMU would have it. Called
 * by drivers (map, unmap) and, for the device, through the driver's bus; hands on to the packet
 * pool for lazily backed receive buffers. Limits: DMA_MAX_MAPPINGS, DMA_MAX_LEN (the offset's 20
 * bits). Tests: tests/unit/core. */
#include <assert.h>
#include <stdlib.h>
#include "base/pool.h"
#include "core/net_int.h"

enum dma_kind { DMA_FREE, DMA_STREAM, DMA_LAZY, DMA_COHERENT };

struct dma_map {
	uint8_t *ptr; /* LAZY: NULL until the device writes */
	uint64_t tag;
	uint32_t len;
	uint32_t gen;  /* counts the slot's tenants */
	uint32_t next; /* free list */
	uint8_t kind, dir;
};

struct dma_net {
	struct dma_map *maps; /* [room]; slot 0 is never used, so that no address is DMA_BAD */
	uint32_t room, free;
	uint32_t streaming;
	uint64_t faults;
};

#define DMA_ROOM_FIRST 16u
#define DMA_OFF_BITS 20
#define DMA_SLOT_BITS 24
#define DMA_GEN_MASK 0xfffffu
#define DMA_ALIGN 64u

int dma_init(struct net *net)
{
	net->dma = xcalloc(1, sizeof(*net->dma));
	return 0;
}

void dma_exit(struct net *net)
{
	struct dma_net *d = net->dma;

	for (uint32_t i = 1; d && i < d->room; i++) {
		struct dma_map *m = &d->maps[i];

		if (m->kind == DMA_COHERENT)
			free(m->ptr);
		else if (m->kind == DMA_LAZY && m->ptr)
			skb_data_put(net, m->ptr, m->len);
	}
	if (d)
		free(d->maps);
	free(d);
	net->dma = NULL;
}

static bool dma_grow(struct dma_net *d)
{
	/* By half, not to twice: rings of 256 and a few more should not cost 512. */
	uint32_t room = d->room ? d->room + d->room / 2 : DMA_ROOM_FIRST;

	if (room > DMA_MAX_MAPPINGS)
		return false;
	d->maps = xrealloc(d->maps, room * sizeof(*d->maps));
	memset(d->maps + d->room, 0, (room - d->room) * sizeof(*d->maps));
	for (uint32_t i = room; i-- > max_u32(d->room, 1);) {
		d->maps[i].next = d->free;
		d->free = i;
	}
	d->room = room;
	return true;
}

static dma_addr_t dma_insert(struct net *net, uint8_t *ptr, uint32_t len, enum dma_kind kind,
			     enum dma_dir dir, uint64_t tag)
{
	struct dma_net *d = net->dma;
	uint32_t slot = d->free;
	struct dma_map *m;

	if (len == 0 || len > DMA_MAX_LEN || (!slot && !dma_grow(d)))
		return DMA_BAD;
	slot = d->free;
	m = &d->maps[slot];
	d->free = m->next;
	m->ptr = ptr;
	m->tag = tag;
	m->len = len;
	m->kind = (uint8_t)kind;
	m->dir = (uint8_t)dir;
	m->gen = (m->gen + 1) & DMA_GEN_MASK;
	d->streaming += kind != DMA_COHERENT;
	return ((uint64_t)m->gen << (DMA_SLOT_BITS + DMA_OFF_BITS)) |
	       ((uint64_t)slot << DMA_OFF_BITS);
}

/* The mapping that an address lies in, NULL if none. */
static struct dma_map *dma_find(const struct net *net, dma_addr_t addr, uint32_t *off)
{
	const struct dma_net *d = net->dma;
	uint32_t slot = (uint32_t)(addr >> DMA_OFF_BITS) & ((1u << DMA_SLOT_BITS) - 1);
	uint32_t gen = (uint32_t)(addr >> (DMA_OFF_BITS + DMA_SLOT_BITS));

	*off = (uint32_t)addr & (DMA_MAX_LEN - 1);
	if (!slot || slot >= d->room || d->maps[slot].kind == DMA_FREE || d->maps[slot].gen != gen)
		return NULL;
	return &d->maps[slot];
}

static void dma_remove(struct net *net, struct dma_map *m)
{
	struct dma_net *d = net->dma;

	d->streaming -= m->kind != DMA_COHERENT;
	m->kind = DMA_FREE;
	m->ptr = NULL;
	m->next = d->free;
	d->free = (uint32_t)(m - d->maps);
}

dma_addr_t dma_map_single(struct net *net, void *ptr, uint32_t len, enum dma_dir dir, uint64_t tag)
{
	dma_addr_t addr;
	TRACE_FN(&net->probe, tag);

	addr = dma_insert(net, ptr, len, DMA_STREAM, dir, tag);
	TRACE(&net->probe, TR_DMA, tag, "map addr=%#llx len=%u dir=%s live=%u",
	      (unsigned long long)addr, len, dir == DMA_TO_DEVICE ? "to_device" : "from_device",
	      net->dma->streaming);
	return addr;
}

dma_addr_t dma_map_lazy(struct net *net, uint32_t len)
{
	dma_addr_t addr = len <= SKB_MAX_DATA
				  ? dma_insert(net, NULL, len, DMA_LAZY, DMA_FROM_DEVICE, 0)
				  : DMA_BAD;

	TRACE(&net->probe, TR_DMA, 0, "map addr=%#llx len=%u dir=from_device lazy live=%u",
	      (unsigned long long)addr, len, net->dma->streaming);
	return addr;
}

void dma_unmap(struct net *net, dma_addr_t addr, void **ptr, uint64_t *tag)
{
	uint32_t off;
	struct dma_map *m = dma_find(net, addr, &off);

	assert(m && m->kind != DMA_COHERENT && !off); /* the driver mapped it */
	if (ptr)
		*ptr = m->ptr;
	if (tag)
		*tag = m->tag;
	TRACE(&net->probe, TR_DMA, m->tag, "unmap addr=%#llx live=%u", (unsigned long long)addr,
	      net->dma->streaming - 1);
	dma_remove(net, m);
}

static void *dma_fault(struct net *net, dma_addr_t addr, uint32_t len, const char *why)
{
	net->dma->faults++;
	TRACE(&net->probe, TR_DMA, 0, "fault addr=%#llx len=%u %s", (unsigned long long)addr, len,
	      why);
	return NULL;
}

void *dma_device_access(struct net *net, dma_addr_t addr, uint32_t len, enum dma_dir dir)
{
	uint32_t off;
	struct dma_map *m = dma_find(net, addr, &off);

	if (unlikely(!m))
		return dma_fault(net, addr, len, "not mapped");
	if (unlikely(m->kind != DMA_COHERENT && m->dir != dir))
		return dma_fault(net, addr, len, "wrong direction");
	if (unlikely(off > m->len || len > m->len - off))
		return dma_fault(net, addr, len, "out of range");
	if (unlikely(!m->ptr)) {
		m->ptr = skb_data_get(net, m->len);
		if (!m->ptr)
			return dma_fault(net, addr, len, "no memory");
	}
	if (m->kind != DMA_COHERENT)
		TRACE(&net->probe, TR_DMA, m->tag, "device %s addr=%#llx len=%u",
		      dir == DMA_TO_DEVICE ? "read" : "write", (unsigned long long)addr, len);
	return m->ptr + off;
}

uint64_t dma_device_tag(struct net *net, dma_addr_t addr)
{
	uint32_t off;
	const struct dma_map *m = dma_find(net, addr, &off);

	return m ? m->tag : 0;
}

void dma_device_set_tag(struct net *net, dma_addr_t addr, uint64_t tag)
{
	uint32_t off;
	struct dma_map *m = dma_find(net, addr, &off);

	if (m)
		m->tag = tag;
}

dma_addr_t dma_alloc_coherent(struct net *net, uint32_t len, void **cpu)
{
	size_t size = ((size_t)len + DMA_ALIGN - 1) & ~(size_t)(DMA_ALIGN - 1);
	dma_addr_t addr;
	void *p;

	*cpu = NULL;
	p = len ? aligned_alloc(DMA_ALIGN, size) : NULL;
	if (!p)
		return DMA_BAD;
	memset(p, 0, size);
	addr = dma_insert(net, p, len, DMA_COHERENT, DMA_TO_DEVICE, 0);
	if (addr == DMA_BAD)
		free(p);
	else
		*cpu = p;
	return addr;
}

void dma_free_coherent(struct net *net, dma_addr_t addr)
{
	uint32_t off;
	struct dma_map *m = dma_find(net, addr, &off);

	assert(m && m->kind == DMA_COHERENT && !off);
	free(m->ptr);
	dma_remove(net, m);
}

uint32_t dma_nr_mapped(struct net *net)
{
	return net->dma->streaming;
}
