/* Between skbuff.c, skb_data.c and skb_gso.c; nobody else includes it. */
#ifndef CORE_SKB_INT_H
#define CORE_SKB_INT_H

#include "core/skbuff.h"

/* alloc_skb without serial and trace event: the caller gives it its identity. */
struct sk_buff *skb_alloc_quiet(struct net *net, uint32_t size);
/* Point skb at a buffer that is nobody else's. */
void skb_shared_init(struct sk_buff *skb, uint8_t *buf, unsigned cls);
/* Let go of skb's buffer and its charge, before skb gets another one. */
void skb_release_buffer(struct sk_buff *skb);
void skb_copy_meta(struct sk_buff *to, const struct sk_buff *from);

#endif
