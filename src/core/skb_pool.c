/* The memory of packets: free lists by size class under one cap for a whole world.
 *
 * Decides whether there is memory for one more packet. Called by skbuff.c; hands on to base/pool.c.
 * Tests: tests/unit/core/test_skbuff.c. */
#include "core/skb_pool.h"

#include <assert.h>
#include <stdlib.h>
#include "core/net.h"

/* About this many octets are carved at once. */
#define SKB_SLAB_BYTES 65536u

static const char *const class_names[SKB_CLASSES] = { "skb256", "skb512", "skb1k",
						      "skb2k",	"skb4k",  "skb8k",
						      "skb16k", "skb32k", "skb64k" };

struct skb_pool *skb_pool_new(uint64_t max_bytes)
{
	struct skb_pool *p = xcalloc(1, sizeof(*p));

	p->max_bytes = max_bytes ? max_bytes : SKB_POOL_DEFAULT_BYTES;
	pool_init(&p->structs, "sk_buff", sizeof(struct sk_buff),
		  SKB_SLAB_BYTES / sizeof(struct sk_buff));
	for (unsigned c = 0; c < SKB_CLASSES; c++)
		pool_init(&p->data[c], class_names[c], skb_class_size(c),
			  max_u32(SKB_SLAB_BYTES / skb_class_size(c), 1));
	return p;
}

void skb_pool_free(struct skb_pool *p)
{
	if (!p)
		return;
	pool_destroy(&p->structs);
	for (unsigned c = 0; c < SKB_CLASSES; c++)
		pool_destroy(&p->data[c]);
	free(p);
}

uint64_t skb_pool_bytes(const struct skb_pool *p)
{
	return p->bytes;
}

static bool skb_pool_charge(struct skb_pool *p, uint32_t bytes)
{
	if (unlikely(p->bytes + bytes > p->max_bytes)) {
		p->refused++;
		return false;
	}
	p->bytes += bytes;
	return true;
}

uint8_t *skb_pool_data(struct skb_pool *p, unsigned cls)
{
	if (unlikely(!skb_pool_charge(p, skb_class_size(cls))))
		return NULL;
	return pool_get(&p->data[cls]);
}

void skb_pool_data_put(struct skb_pool *p, uint8_t *buf, unsigned cls)
{
	assert(cls < SKB_CLASSES);
	p->bytes -= skb_class_size(cls);
	pool_put(&p->data[cls], buf);
}

struct sk_buff *skb_pool_struct(struct skb_pool *p)
{
	if (unlikely(!skb_pool_charge(p, sizeof(struct sk_buff))))
		return NULL;
	return pool_get(&p->structs);
}

void skb_pool_struct_put(struct skb_pool *p, struct sk_buff *skb)
{
	p->bytes -= sizeof(struct sk_buff);
	pool_put(&p->structs, skb);
}
