/* sk_buff: the one structure that carries a packet through every layer.
 *
 *     head            data                    tail            end
 *      |   headroom    |   headers+payload     |   tailroom    | struct skb_shared
 *      +---------------+-----------------------+---------------+-----------------
 *
 * skb_reserve() makes headroom; skb_push() prepends a header by moving data down; skb_pull() strips one by
 * moving it up; skb_put() appends; skb_trim() shortens. Layers never copy payload: they move data.
 *
 * The struct and the data are apart: a clone is a new struct on the same data (shared->dataref 2).
 * Whoever wants to write headers into shared data calls skb_cow_head(). The payload of a shared
 * buffer is never written. A datagram reassembled from fragments is a head skb with frag_list: len
 * counts all, data_len what is in frag_list; linear readers use skb_may_pull().
 *
 * Ownership: a non-const skb handed to a datapath function is given away on every path. A packet
 * ends by consume_skb() (did its job) or kfree_skb_reason() (died); nothing else frees one.
 *
 * Header space of a shared buffer: a transport that keeps the original for retransmission and sends clones
 * calls skb_header_release() on the original: it promises to look at its payload only, and the one clone may
 * write headers in front of it without a copy (skb_header_cloned is false for it).
 *
 * Copies and lives are counted in net->skb_mib (core/mib.h): allocated = consumed + dropped + live. A clone
 * counts as allocated too; an skb that changes hosts (skb_set_net) is consumed here and allocated there. */
#ifndef CORE_SKBUFF_H
#define CORE_SKBUFF_H

#include <string.h>
#include <sys/types.h>
#include "base/drop_reason.h"
#include "base/list.h"

struct net;
struct net_device;
struct sock;
struct dst_entry;
struct msghdr;

enum skb_pkt_type { PACKET_HOST_, PACKET_BROADCAST_, PACKET_MULTICAST_, PACKET_OTHERHOST_, PACKET_OUTGOING_, PACKET_LOOPBACK_ };
/* ip_summed */
enum { CHECKSUM_NONE, CHECKSUM_UNNECESSARY, CHECKSUM_COMPLETE, CHECKSUM_PARTIAL };

struct skb_shared { /* at end of the data buffer */
	uint32_t dataref;
	uint16_t gso_size; /* 0: not a train */
	uint16_t gso_segs;
	uint8_t gso_type : 7; /* 0, SKB_GSO_TCPV4, SKB_GSO_UDP_L4 */
	uint8_t gso_fixedid : 1; /* merged on receipt: one identification for all */
	/* tx_flags: SKBTX_*, what its sender wants to be told (SO_TIMESTAMPING); gso_accecn: CWR is part of a number, all segments have it */
	uint8_t size_class : 4, tx_flags : 3, gso_accecn : 1;
	uint16_t nohdr_refs; /* of dataref: those that look at the payload only */
	uint32_t tskey;      /* SOF_TIMESTAMPING_OPT_ID: of the packet, or the last byte's sequence number */
	struct sk_buff *frag_list;
};
enum { SKBTX_SCHED_TSTAMP = 1, SKBTX_SW_TSTAMP = 2, SKBTX_ACK_TSTAMP = 4 };
#define SKB_GSO_TCPV4 1
#define SKB_GSO_UDP_L4 2

struct sk_buff {
	struct sk_buff *next, *prev; /* first: sk_buff_head is the same shape */
	struct net *net;
	struct net_device *dev;
	struct sock *sk;
	void (*destructor)(struct sk_buff *skb);
	struct dst_entry *dst; /* counted reference */
	uint8_t *head, *data, *tail, *end;
	uint32_t len, data_len;
	uint32_t truesize;
	uint32_t users; /* references to this struct */
	uint64_t serial; /* identity across clone, queue, DMA and forwarding */
	uint64_t tstamp_ns;
	uint16_t protocol; /* EtherType */
	uint16_t mac_header, network_header, transport_header; /* offsets from head */
	uint16_t csum_start, csum_offset; /* CHECKSUM_PARTIAL: from head */
	uint16_t queue_mapping;
	uint16_t vlan_tci;
	uint32_t csum;
	uint32_t mark, priority, hash;
	int skb_iif; /* ifindex it came in on */
	uint8_t pkt_type; /* enum skb_pkt_type */
	uint8_t ip_summed;
	uint8_t cloned : 1, fclone : 1, peeked : 1, l4_hash : 1, dev_xmit_more : 1, ignore_df : 1;
	uint8_t nohdr : 1;  /* promised to look at the payload only */
	uint8_t tapped : 1; /* the driver was busy: the taps have seen it already */
	uint8_t nfct_status;
	void *nfct; /* conntrack entry */
	uint64_t skb_mstamp_ns; /* TCP: when it was (last) sent */
	/* layer-private; whoever holds the packet owns it. TCP keeps its control block here. */
	uint8_t cb[80] __attribute__((aligned(8)));
};

struct sk_buff_head {
	struct sk_buff *next, *prev;
	uint32_t qlen;
};

#define NET_SKB_PAD 64
/* Room that a transport reserves: TCP 60 + IP 60 + link 16, rounded. */
#define MAX_TCP_HEADER 160
#define SKB_MAX_DATA (65536 + 512)

/* ---- life ---- */
/* Data room of at least size bytes, len 0, refs 1. NULL when the pool's or the host's cap is reached, or size is
 * above SKB_MAX_DATA. New serial. All fields zero but mac_header (SKB_NO_MAC_HEADER). */
struct sk_buff *alloc_skb(struct net *net, uint32_t size);
/* Wrap bytes drawn from the pool by the DMA layer: data room is buf (skb_data_get), used in place. */
struct sk_buff *build_skb(struct net *net, uint8_t *buf, uint32_t room);
/* The same for a packet that has its identity already (it came over a cable); serial 0: a new one. */
struct sk_buff *build_skb_serial(struct net *net, uint8_t *buf, uint32_t room, uint64_t serial);
/* A data buffer of at least room bytes (for rings): must end in build_skb or skb_data_put. */
uint8_t *skb_data_get(struct net *net, uint32_t room);
void skb_data_put(struct net *net, uint8_t *buf, uint32_t room);
/* NULL at the cap. Shares the data; same serial; no socket, no destructor; users 1. */
struct sk_buff *skb_clone(struct sk_buff *skb);
/* Linear real copy with this headroom, same serial; counts a copy. NULL at the cap. */
/* Two skbs that nobody else holds exchange their buffers (and lengths, header offsets); what else they are, stays. */
void skb_swap_data(struct sk_buff *a, struct sk_buff *b);
struct sk_buff *skb_copy_expand(const struct sk_buff *skb, uint32_t headroom, uint32_t tailroom);
static inline struct sk_buff *skb_get(struct sk_buff *skb)
{
	skb->users++;
	return skb;
}
void consume_skb(struct sk_buff *skb);
void kfree_skb_at(struct sk_buff *skb, enum drop_reason reason, const char *where);
#define kfree_skb_reason(skb, reason) kfree_skb_at((skb), (reason), __func__)
/* A list linked by next. */
void kfree_skb_list_at(struct sk_buff *list, enum drop_reason reason, const char *where);
#define kfree_skb_list_reason(list, reason) kfree_skb_list_at((list), (reason), __func__)
void skb_orphan(struct sk_buff *skb);
/* New serial for a derived packet (fragment, segment, retransmission): traced with its parent. */
void skb_new_serial(struct sk_buff *skb, uint64_t parent, const char *why);
/* Move to another host's account (veth, in-memory links): gives up socket, dst, conntrack, mark. Both hosts
 * draw from one pool. 0, or -ENOMEM (still the caller's, unchanged host). */
int skb_set_net(struct sk_buff *skb, struct net *net);
/* See the top of this file. */
void skb_header_release(struct sk_buff *skb);

/* ---- geometry ---- */
static inline struct skb_shared *skb_shinfo(const struct sk_buff *skb) { return (struct skb_shared *)(void *)skb->end; }
static inline uint32_t skb_headroom(const struct sk_buff *skb) { return (uint32_t)(skb->data - skb->head); }
static inline uint32_t skb_tailroom(const struct sk_buff *skb) { return skb->data_len ? 0 : (uint32_t)(skb->end - skb->tail); }
static inline uint32_t skb_headlen(const struct sk_buff *skb) { return skb->len - skb->data_len; }
static inline bool skb_cloned(const struct sk_buff *skb) { return skb_shinfo(skb)->dataref > 1; }
/* May somebody else look at the bytes in front of the payload? */
static inline bool skb_header_cloned(const struct sk_buff *skb)
{
	return skb_shinfo(skb)->dataref - skb_shinfo(skb)->nohdr_refs > (skb->nohdr ? 0u : 1u);
}
static inline bool skb_shared(const struct sk_buff *skb) { return skb->users > 1; }
static inline bool skb_is_gso(const struct sk_buff *skb) { return skb_shinfo(skb)->gso_size != 0; }
void skb_over_panic(const struct sk_buff *skb, const char *what) __attribute__((noreturn));

static inline void skb_reserve(struct sk_buff *skb, uint32_t len)
{
	skb->data += len;
	skb->tail += len;
}
static inline uint8_t *skb_put(struct sk_buff *skb, uint32_t len)
{
	uint8_t *p = skb->tail;
	if (unlikely(skb_tailroom(skb) < len))
		skb_over_panic(skb, "skb_put");
	skb->tail += len;
	skb->len += len;
	return p;
}
static inline uint8_t *skb_push(struct sk_buff *skb, uint32_t len)
{
	if (unlikely(skb_headroom(skb) < len))
		skb_over_panic(skb, "skb_push");
	skb->data -= len;
	skb->len += len;
	return skb->data;
}
/* Strip len bytes in front; the bytes must be linear (skb_may_pull). */
static inline uint8_t *skb_pull(struct sk_buff *skb, uint32_t len)
{
	if (unlikely(len > skb_headlen(skb)))
		skb_over_panic(skb, "skb_pull");
	skb->len -= len;
	return skb->data += len;
}
/* Are (after gathering, if need be) len bytes linear at data? False: too short. */
bool skb_pull_linear_(struct sk_buff *skb, uint32_t len);
static inline bool skb_may_pull(struct sk_buff *skb, uint32_t len)
{
	if (likely(len <= skb_headlen(skb)))
		return true;
	return len <= skb->len && skb_pull_linear_(skb, len);
}
/* Shorten to len (walks frag_list). */
void skb_trim(struct sk_buff *skb, uint32_t len);
/* Gather all into one linear buffer. 0 or -ENOMEM; counts a copy. */
int skb_linearize(struct sk_buff *skb);
/* Make headroom bytes in front writable and private. 0 or -ENOMEM. */
int skb_cow_head(struct sk_buff *skb, uint32_t headroom);
/* Make the whole linear data private (before writing payload). 0 or -ENOMEM. */
int skb_ensure_writable(struct sk_buff *skb);
/* Room for so many octets behind the data, in a larger linear buffer of its own if need be. 0 or -ENOMEM. */
int skb_grow_tail(struct sk_buff *skb, uint32_t room);

static inline void skb_reset_mac_header(struct sk_buff *skb) { skb->mac_header = (uint16_t)(skb->data - skb->head); }
static inline void skb_reset_network_header(struct sk_buff *skb) { skb->network_header = (uint16_t)(skb->data - skb->head); }
static inline void skb_reset_transport_header(struct sk_buff *skb) { skb->transport_header = (uint16_t)(skb->data - skb->head); }
static inline void skb_set_transport_header(struct sk_buff *skb, uint32_t off) { skb->transport_header = (uint16_t)(skb->data - skb->head + off); }
static inline uint8_t *skb_mac_header(const struct sk_buff *skb) { return skb->head + skb->mac_header; }
static inline uint8_t *skb_network_header(const struct sk_buff *skb) { return skb->head + skb->network_header; }
static inline uint8_t *skb_transport_header(const struct sk_buff *skb) { return skb->head + skb->transport_header; }
#define SKB_NO_MAC_HEADER 0xffff
static inline bool skb_mac_header_was_set(const struct sk_buff *skb) { return skb->mac_header != SKB_NO_MAC_HEADER; }

/* ---- content ---- */
/* Copy len bytes from offset into to (walks frag_list). 0 or -EFAULT when out of range. */
int skb_copy_bits(const struct sk_buff *skb, uint32_t offset, void *to, uint32_t len);
/* Show len octets from offset to fn, piece by piece where they lie. The range is the caller's to check. */
void skb_each_piece(const struct sk_buff *skb, uint32_t offset, uint32_t len, void (*fn)(void *arg, const uint8_t *p, uint32_t n), void *arg);
/* A checksum over len octets of skb was taken by the CPU: count it, say it. */
void skb_count_sum(const struct sk_buff *skb, uint32_t len);
/* Running checksum of len bytes from offset, counted. */
uint32_t skb_checksum(const struct sk_buff *skb, uint32_t offset, uint32_t len, uint32_t sum);
/* Copy to a program's iovecs, from msg's position (see core/uio.h): counted as copy to user. */
struct iov_iter;
int skb_copy_datagram_iter(const struct sk_buff *skb, uint32_t offset, struct iov_iter *to, uint32_t len);
/* Finish CHECKSUM_PARTIAL in software. 0 or -EINVAL. */
int skb_checksum_help(struct sk_buff *skb);
/* Split a train into a list (linked by next) of real segments: new serials, parent's in the trace, checksums
 * complete. data may be at the link or the IP header. skb is only read: the caller frees it. NULL: malformed, or
 * no memory. keep_partial leaves segments of a CHECKSUM_PARTIAL train to a device that can finish them. */
struct sk_buff *skb_gso_segment_features(struct sk_buff *skb, bool keep_partial);
static inline struct sk_buff *skb_gso_segment(struct sk_buff *skb) { return skb_gso_segment_features(skb, false); }
/* The same for a packet that GRO merged (frag_list), without a copy and without a sum: the packets that came, with the
 * headers as they are now, the checksums by difference (RFC 1624): an error that crept in here stays visible to the
 * receiver. skb is the first of the list. NULL: it is not such a packet, or somebody else holds it: segment it. */
struct sk_buff *skb_gro_split(struct sk_buff *skb, bool keep_partial);
/* What the payload of a TCP segment (headers set, len octets) sums up to, by the checksum that it came with. */
uint32_t skb_tcp_payload_sum(const struct sk_buff *skb, uint32_t len);
/* Bytes in front of the first segment's payload, from data; 0: malformed. Pulls headers linear. */
uint32_t skb_gso_hdrlen(struct sk_buff *skb);

/* ---- queues: FIFO, O(1); a skb is on at most one ---- */
/* The head as the list's end mark. It is a sk_buff in its first two members only; the compiler is kept from
 * following it back to the smaller object. */
static inline struct sk_buff *skb_queue_end(struct sk_buff_head *q)
{
	struct sk_buff *end = (struct sk_buff *)(void *)q;

	__asm__("" : "+r"(end));
	return end;
}

static inline void skb_queue_head_init(struct sk_buff_head *q)
{
	q->next = q->prev = skb_queue_end(q);
	q->qlen = 0;
}
static inline bool skb_queue_empty(const struct sk_buff_head *q) { return q->next == (const struct sk_buff *)(const void *)q; }
static inline struct sk_buff *skb_peek(const struct sk_buff_head *q) { return skb_queue_empty(q) ? NULL : q->next; }
static inline struct sk_buff *skb_peek_tail(const struct sk_buff_head *q) { return skb_queue_empty(q) ? NULL : q->prev; }
static inline void skb_insert_(struct sk_buff *n, struct sk_buff *prev, struct sk_buff *next, struct sk_buff_head *q)
{
	n->next = next;
	n->prev = prev;
	next->prev = n;
	prev->next = n;
	q->qlen++;
}
static inline void skb_queue_tail(struct sk_buff_head *q, struct sk_buff *n) { skb_insert_(n, q->prev, skb_queue_end(q), q); }
static inline void skb_queue_head(struct sk_buff_head *q, struct sk_buff *n) { skb_insert_(n, skb_queue_end(q), q->next, q); }
static inline void skb_queue_after(struct sk_buff_head *q, struct sk_buff *old, struct sk_buff *n) { skb_insert_(n, old, old->next, q); }
static inline void skb_unlink(struct sk_buff *s, struct sk_buff_head *q)
{
	s->next->prev = s->prev;
	s->prev->next = s->next;
	s->next = s->prev = NULL;
	q->qlen--;
}
static inline struct sk_buff *skb_dequeue(struct sk_buff_head *q)
{
	struct sk_buff *s = skb_peek(q);
	if (s)
		skb_unlink(s, q);
	return s;
}
static inline bool skb_queue_is_last(const struct sk_buff_head *q, const struct sk_buff *s) { return s->next == (const struct sk_buff *)(const void *)q; }
static inline void skb_queue_splice_tail_init(struct sk_buff_head *a, struct sk_buff_head *b)
{
	if (skb_queue_empty(a))
		return;
	a->next->prev = b->prev;
	b->prev->next = a->next;
	a->prev->next = skb_queue_end(b);
	b->prev = a->prev;
	b->qlen += a->qlen;
	skb_queue_head_init(a);
}
/* Drop everything with a reason. */
void skb_queue_purge_reason(struct sk_buff_head *q, enum drop_reason reason);
#define skb_queue_walk(q, s) for (s = (q)->next; s != skb_queue_end(q); s = s->next)
#define skb_queue_walk_safe(q, s, t) \
	for (s = (q)->next, t = s->next; s != skb_queue_end(q); s = t, t = s->next)

#endif
