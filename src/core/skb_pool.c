/* The memory of packets: free lists by size class under one cap for a whole world.
 *
 * Decides whether there is memory for one more packet. Called by skbuff.c; hands on to base/pool.c.
 * Tests: tests/unit/core/test_skbuff.c. */
#include "core/skb_pool.h"

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

uint64_t skb_pool_max(const struct skb_pool *p) { return p->max_bytes; }

uint64_t skb_pool_bytes(const struct skb_pool *p)
{
	return p->bytes;
}
