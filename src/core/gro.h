/* Receive coalescing (GRO): the packets of one flow that wait in the same poll go up as one.
 *
 * A driver hands a packet to napi_gro_receive() instead of netif_receive_skb(). The layers' gro_receive functions
 * look for the packet among those that the poll holds; what continues one of them becomes a fragment of it (nothing
 * is copied: frag_list), and what is complete goes up. A merged packet can be taken apart again, into the very
 * packets that came (skb_gro_split), so that a router passes on what it got. */
#ifndef CORE_GRO_H
#define CORE_GRO_H

#include "core/netdevice.h"

#define MAX_GRO_SKBS 8       /* packets that one poll holds: as many flows are merged at a time */
#define GRO_MAX_SIZE 65536u  /* a merged packet, its IP header included, is shorter */
#define GRO_AGE_NS NSEC_PER_MSEC /* a poll that goes on holds nothing for longer */

/* What stands in cb of a packet between napi_gro_receive and netif_receive_skb. */
struct napi_gro_cb {
	uint32_t data_offset; /* from data to what the next layer reads */
	uint16_t count;       /* packets in this one */
	bool same_flow;       /* held: may be the one that is looked for; new: found, and merged */
	bool flush;           /* new: to be held by nobody */
	bool fixed_id;        /* held: all have one identification */
	bool verified;        /* its transport checksum was looked at, and is right */
	uint64_t held_since;  /* in GRO_AGE_NS */
	struct sk_buff *last; /* held: end of its frag_list */
};
#define NAPI_GRO_CB(skb) ((struct napi_gro_cb *)(void *)(skb)->cb)

/* A network protocol's part. gro_receive: cb of skb says what it became; returns the held packet that must go up
 * now, or NULL. gro_complete: put into the headers what the merged packet is (data is at the network header). */
struct packet_offload {
	uint16_t type; /* EtherType */
	struct sk_buff *(*gro_receive)(struct sk_buff_head *held, struct sk_buff *skb);
	void (*gro_complete)(struct sk_buff *skb);
	struct list_head list;
};
void dev_add_offload(struct net *net, struct packet_offload *po);
void dev_remove_offload(struct packet_offload *po);

/* From a NAPI poll. The packet is given away. */
void napi_gro_receive(struct napi_struct *n, struct sk_buff *skb);
/* All that is held goes up; old_only: what is older than GRO_AGE_NS. */
void napi_gro_flush(struct napi_struct *n, bool old_only);
/* The device goes down: what is held dies. */
void napi_gro_drop(struct napi_struct *n);
/* Append skb's octets behind its headers (data_offset) to the held packet p. 0, or -E2BIG. For the transport's
 * gro_receive. */
int skb_gro_receive(struct sk_buff *p, struct sk_buff *skb);
/* len octets for the layer that reads now, or NULL: the packet ends before. */
static inline void *skb_gro_header(const struct sk_buff *skb, uint32_t len)
{
	uint32_t off = NAPI_GRO_CB(skb)->data_offset;

	return off + len <= skb_headlen(skb) ? skb->data + off : NULL;
}
static inline uint32_t skb_gro_len(const struct sk_buff *skb) { return skb->len - NAPI_GRO_CB(skb)->data_offset; }

#endif
