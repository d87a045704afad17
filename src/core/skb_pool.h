/* The memory of packets: one pool per world, shared by its hosts, charged to each
 * (net->skb_mib.bytes). Only the skb files look inside.
 *
 * Data buffers come in size classes, powers of two and one for the largest train; the class follows
 * from the room asked for, so that whoever knows the room (a ring, build_skb) knows the class:
 *
 *     class     0    1    2     3     4     5      6      7      8
 *     octets  256  512 1024  2048  4096  8192  16384  32768  66112   (struct skb_shared included)
 */
#ifndef CORE_SKB_POOL_H
#define CORE_SKB_POOL_H

#include "base/pool.h"
#include "core/skbuff.h"

#define SKB_CLASSES 9
#define SKB_CLASS_MIN 256u
#define SKB_CLASS_LARGEST 66112u

struct skb_pool {
	struct pool structs;
	struct pool data[SKB_CLASSES];
	uint64_t bytes, max_bytes; /* handed out; cap */
	uint64_t refused;	   /* allocations that the cap stopped */
};

static inline unsigned skb_class_of(uint32_t room)
{
	uint32_t total = room + (uint32_t)sizeof(struct skb_shared);

	if (likely(total <= SKB_CLASS_MIN))
		return 0;
	return min_u32(24u - (unsigned)__builtin_clz(total - 1), SKB_CLASSES - 1);
}

static inline uint32_t skb_class_size(unsigned cls)
{
	return likely(cls < SKB_CLASSES - 1) ? SKB_CLASS_MIN << cls : SKB_CLASS_LARGEST;
}

/* What one skb with a buffer of this class is charged with. */
static inline uint32_t skb_class_cost(unsigned cls)
{
	return skb_class_size(cls) + (uint32_t)sizeof(struct sk_buff);
}

static inline bool skb_pool_charge(struct skb_pool *p, uint32_t bytes)
{
	if (unlikely(p->bytes + bytes > p->max_bytes)) {
		p->refused++;
		return false;
	}
	p->bytes += bytes;
	return true;
}

/* NULL: the cap is reached. */
static inline uint8_t *skb_pool_data(struct skb_pool *p, unsigned cls)
{
	if (unlikely(!skb_pool_charge(p, skb_class_size(cls))))
		return NULL;
	return (uint8_t *)pool_get(&p->data[cls]);
}

static inline void skb_pool_data_put(struct skb_pool *p, uint8_t *buf, unsigned cls)
{
	assert(cls < SKB_CLASSES);
	p->bytes -= skb_class_size(cls);
	pool_put(&p->data[cls], buf);
}

static inline struct sk_buff *skb_pool_struct(struct skb_pool *p)
{
	if (unlikely(!skb_pool_charge(p, sizeof(struct sk_buff))))
		return NULL;
	return (struct sk_buff *)pool_get(&p->structs);
}

static inline void skb_pool_struct_put(struct skb_pool *p, struct sk_buff *skb)
{
	p->bytes -= sizeof(struct sk_buff);
	pool_put(&p->structs, skb);
}

#endif
