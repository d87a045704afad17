/* Reassembly: fragments to datagrams (RFC 791 3.2, RFC 815, RFC 1122 3.3.2).
 *
 * A queue per (source, destination, id, protocol, user, device). Its fragments hang in 64 buckets of 1024 octets by
 * where they start, sorted; "filled" has a bit for each bucket in use:
 *
 *     filled   1 1 0 1 ...                  fragments never overlap, so a bucket holds at most 128 (of 8 octets):
 *     bucket   | | |                        placing one is O(1), whatever the order and however many there are
 *              f f f  -> f                  (FragmentSmack, FRAG-06)
 *
 * Judgement: exact repetition of what is there: that fragment goes. Any other overlap, two ends, or an end beyond
 * 65535: the whole datagram goes (FRAG-01, FRAG-04, FRAG-13; RFC 5722's rule for IPv4 too).
 * Bounds: ipfrag_high_thresh octets for the host (the oldest datagrams go), FRAG_MAX_PER_QUEUE fragments, ipfrag_time.
 * A complete datagram is the first fragment with the others as frag_list: nothing is copied.
 * Called by ip_local_deliver; conntrack-like users give another user number.
 * Tests: tests/unit/ipv4/test_frag.c (FRAG-01 to FRAG-19). */
#include <errno.h>
#include <stdlib.h>
#include "ipv4/netns_ipv4.h"

/* 65515 octets over links of 68: 1365 pieces of 48. More means somebody plays. */
#define FRAG_MAX_PER_QUEUE 1536u
#define FRAG_BUCKETS 64u
#define FRAG_BUCKET_SHIFT 10
#define FRAG_HASH 256u

struct frag_cb { /* in skb->cb while queued, behind IP's own part */
	struct inet_skb_parm ip;
	uint32_t offset, end;
};
#define FRAG_CB(skb) ((struct frag_cb *)(void *)(skb)->cb)
_Static_assert(sizeof(struct frag_cb) <= sizeof(((struct sk_buff *)0)->cb), "cb holds the fragment's place");

struct frag_queue {
	struct hlist_node hash;
	struct list_head lru;
	struct net *net;
	struct timer_list timer;
	uint32_t saddr, daddr;
	uint16_t id;
	uint8_t protocol, user, ecn;
	int iif;
	bool have_first, have_last;
	uint32_t n, len, meat; /* len: end of the data known so far; meat: octets here */
	uint32_t mem;
	uint16_t max_size, max_df_size;
	uint64_t filled;
	struct sk_buff *bucket[FRAG_BUCKETS];
};

/* ---- queues ---- */

static struct hlist_head *frag_bucket(struct net *net, uint32_t saddr, uint32_t daddr, uint16_t id, uint8_t proto)
{
	uint64_t h = hash_words(net->hash_key, (uint64_t)saddr << 32 | daddr, (uint64_t)id << 8 | proto);

	return &net->ipv4->frags.buckets[h % FRAG_HASH];
}

static void frag_charge(struct frag_queue *q, uint32_t mem)
{
	q->mem += mem;
	q->net->ipv4->frags.mem += mem;
}

/* Take the queue out of all books. Its fragments are gone or somebody else's. */
static void frag_queue_free(struct frag_queue *q)
{
	struct frag_state *s = &q->net->ipv4->frags;

	hlist_del_init(&q->hash);
	list_del_init(&q->lru);
	del_timer(&q->net->wheel, &q->timer);
	s->mem -= q->mem;
	s->queues--;
	pool_put(&s->pool, q);
}

static void frag_queue_kill(struct frag_queue *q, enum drop_reason reason)
{
	struct net *net = q->net;

	IP_INC(net, ReasmFails);
	for (unsigned i = 0; i < FRAG_BUCKETS; i++) {
		while (q->bucket[i]) {
			struct sk_buff *f = q->bucket[i];

			q->bucket[i] = f->next;
			f->next = NULL;
			kfree_skb_reason(f, reason);
		}
	}
	frag_queue_free(q);
}

/* RFC 792: time exceeded, code 1, and only if the first fragment is here to be quoted. RFC 1122 3.3.2. */
static void frag_expire(struct timer_list *t)
{
	struct frag_queue *q = container_of(t, struct frag_queue, timer);
	struct net *net = q->net;
	TRACE_FN_AS(&net->probe, "ip_expire", 0);
	struct sk_buff *head = q->bucket[0];
	struct net_device *dev = dev_get_by_index(net, q->iif);

	IP_INC(net, ReasmTimeout);
	if (q->have_first && dev && (q->user == IP_DEFRAG_LOCAL_DELIVER || q->user == IP_DEFRAG_CONNTRACK_IN)) {
		const struct ip4_hdr *h = ip_hdr(head);

		head->dev = dev;
		skb_dst_drop(head);
		if (!ip_route_input_noref(head, ip4_daddr(h), ip4_saddr(h), h->tos, dev) && skb_rtable(head)->type == RTN_LOCAL)
			icmp_send(head, ICMP_TIME_EXCEEDED, ICMP_EXC_FRAGTIME, 0);
	}
	frag_queue_kill(q, DROP_FRAG_TIMEOUT);
}

/* Room for what came: the datagrams that wait longest make it (FRAG-05). */
static void frag_evict(struct net *net)
{
	struct frag_state *s = &net->ipv4->frags;
	uint64_t low = (uint32_t)net->ipv4->sysctl.ipfrag_low_thresh, high = (uint32_t)net->ipv4->sysctl.ipfrag_high_thresh;

	if (s->mem <= high)
		return;
	while (s->mem > min_u64(low, high) && !list_empty(&s->lru))
		frag_queue_kill(list_first_entry(&s->lru, struct frag_queue, lru), DROP_FRAG_MEMORY);
}

static struct frag_queue *frag_find(struct net *net, const struct ip4_hdr *h, uint8_t user, int iif)
{
	struct frag_state *s = &net->ipv4->frags;
	struct hlist_head *b;
	struct frag_queue *q;

	if (!s->buckets)
		s->buckets = xcalloc(FRAG_HASH, sizeof(*s->buckets));
	b = frag_bucket(net, ip4_saddr(h), ip4_daddr(h), ip4_id(h), h->protocol);
	hlist_for_each_entry(q, b, hash) {
		if (q->id == ip4_id(h) && q->saddr == ip4_saddr(h) && q->daddr == ip4_daddr(h) && q->protocol == h->protocol &&
		    q->user == user)
			return q;
	}
	q = pool_zget(&s->pool);
	q->net = net;
	q->saddr = ip4_saddr(h);
	q->daddr = ip4_daddr(h);
	q->id = ip4_id(h);
	q->protocol = h->protocol;
	q->user = user;
	q->iif = iif;
	timer_setup(&q->timer, frag_expire);
	mod_timer(&net->wheel, &q->timer, net->now_ns + (uint32_t)net->ipv4->sysctl.ipfrag_time * NSEC_PER_SEC);
	hlist_add_head(&q->hash, b);
	list_add_tail(&q->lru, &s->lru);
	s->queues++;
	frag_charge(q, sizeof(*q));
	return q;
}

/* ---- placing one ---- */

/* The fragment that starts last before offset (or at it), NULL if none. */
static struct sk_buff *frag_before(struct frag_queue *q, uint32_t offset)
{
	unsigned b = offset >> FRAG_BUCKET_SHIFT;
	struct sk_buff *f = q->bucket[b], *best = NULL;
	uint64_t lower;

	for (; f && FRAG_CB(f)->offset <= offset; f = f->next)
		best = f;
	if (best)
		return best;
	lower = q->filled & ((1ULL << b) - 1);
	if (!lower)
		return NULL;
	f = q->bucket[63 - __builtin_clzll(lower)];
	while (f->next)
		f = f->next;
	return f;
}

static struct sk_buff *frag_after(struct frag_queue *q, const struct sk_buff *before, uint32_t offset)
{
	unsigned b = offset >> FRAG_BUCKET_SHIFT;
	struct sk_buff *f = q->bucket[b];
	uint64_t higher;

	if (before && before->next)
		return before->next; /* of the same bucket: a later one starts behind offset */
	if (!(before && FRAG_CB(before)->offset >> FRAG_BUCKET_SHIFT == b) && f)
		return f;
	higher = b == 63 ? 0 : q->filled >> (b + 1) << (b + 1);
	return higher ? q->bucket[__builtin_ctzll(higher)] : NULL;
}

static void frag_link(struct frag_queue *q, struct sk_buff *skb)
{
	struct sk_buff **at = &q->bucket[FRAG_CB(skb)->offset >> FRAG_BUCKET_SHIFT];

	while (*at && FRAG_CB(*at)->offset < FRAG_CB(skb)->offset)
		at = &(*at)->next;
	skb->next = *at;
	*at = skb;
	q->filled |= 1ULL << (FRAG_CB(skb)->offset >> FRAG_BUCKET_SHIFT);
}

/* The same octets at the same place once more? Byte by byte: what differs is an attack (FRAG-13). */
static bool frag_same(const struct sk_buff *have, const struct sk_buff *skb)
{
	uint8_t a[256], b[256];
	uint32_t len = skb->len;

	if (FRAG_CB(have)->offset != FRAG_CB(skb)->offset || FRAG_CB(have)->end != FRAG_CB(skb)->end)
		return false;
	for (uint32_t at = 0; at < len; at += sizeof(a)) {
		uint32_t n = min_u32(len - at, sizeof(a));

		if (skb_copy_bits(have, at, a, n) || skb_copy_bits(skb, at, b, n) || memcmp(a, b, n) != 0)
			return false;
	}
	return true;
}

/* 0: placed. Else why not; *whole: the datagram must go too. */
static enum drop_reason frag_insert(struct frag_queue *q, struct sk_buff *skb, bool *whole)
{
	struct frag_cb *cb = FRAG_CB(skb);
	struct sk_buff *before = frag_before(q, cb->offset), *after = frag_after(q, before, cb->offset);

	*whole = true;
	if (before && FRAG_CB(before)->end > cb->offset) {
		if (frag_same(before, skb)) {
			*whole = false;
			return DROP_DUP_FRAG;
		}
		IPEXT_INC(q->net, ReasmOverlaps);
		return DROP_FRAG_OVERLAP;
	}
	if (after && FRAG_CB(after)->offset < cb->end) {
		IPEXT_INC(q->net, ReasmOverlaps);
		return DROP_FRAG_OVERLAP;
	}
	frag_link(q, skb);
	return DROP_NOT_SPECIFIED;
}

/* Where a fragment begins and ends, and whether that can be. 0 or the reason. */
static enum drop_reason frag_place(struct frag_queue *q, struct sk_buff *skb, const struct ip4_hdr *h)
{
	uint32_t ihl = ip4_hlen(h), offset = (ip4_frag(h) & IP_OFFSET) * 8u, len = skb->len - ihl;
	uint32_t end = offset + len;
	bool more = (ip4_frag(h) & IP_MF) != 0;

	if (end > IP4_MAX_LEN - ihl) /* ping of death */
		return DROP_FRAG_TOO_FAR;
	if (!len)
		return DROP_FRAG_BAD;
	if (more) {
		if (len & 7)
			return DROP_FRAG_BAD;
		if (q->have_last && end > q->len)
			return DROP_FRAG_BAD;
	} else {
		/* One end only, and nothing behind it (bonk). */
		if (end < q->len || (q->have_last && end != q->len))
			return DROP_FRAG_BAD;
		q->have_last = true;
	}
	if (end > q->len)
		q->len = end;
	FRAG_CB(skb)->offset = offset;
	FRAG_CB(skb)->end = end;
	return DROP_NOT_SPECIFIED;
}

/* ---- the whole ---- */

/* RFC 3168 5.3: CE in one is CE for all; CE beside one that is not ECN-capable is a forgery. -1: drop. seen has a bit
 * for each of the four codepoints. */
static int frag_ecn(uint8_t seen)
{
	bool not_ect = (seen & 1) != 0, ect1 = (seen & 2) != 0, ect0 = (seen & 4) != 0, ce = (seen & 8) != 0;

	if (not_ect)
		return ce ? -1 : 0;
	if (ce)
		return 3;
	return ect0 ? 2 : ect1 ? 1 : 0;
}

/* Chain everything behind the first fragment; the queue holds nothing afterwards. */
static struct sk_buff *frag_chain(struct frag_queue *q)
{
	struct sk_buff *head = NULL, **at = NULL;

	for (unsigned i = 0; i < FRAG_BUCKETS; i++) {
		struct sk_buff *f = q->bucket[i], *next;

		q->bucket[i] = NULL;
		for (; f; f = next) {
			next = f->next;
			f->next = NULL;
			if (!head) {
				head = f;
				at = &skb_shinfo(head)->frag_list;
				continue;
			}
			skb_dst_drop(f);
			*at = f;
			at = &f->next;
			head->len += f->len;
			head->data_len += f->len;
			head->truesize += f->truesize;
		}
	}
	return head;
}

/* All octets are here: the datagram, its header that of the first fragment (options too: FRAG-14), with length,
 * offset and checksum of the whole. NULL: it could not be. */
static struct sk_buff *ip_frag_reasm(struct frag_queue *q, struct net_device *dev)
{
	struct net *net = q->net;
	TRACE_FN(&net->probe, q->bucket[0]->serial);
	struct sk_buff *head = q->bucket[0];
	uint32_t ihl = (uint32_t)(head->data - skb_network_header(head)), total = ihl + q->len;
	int ecn = frag_ecn(q->ecn);
	struct ip4_hdr *h;

	if (total > IP4_MAX_LEN || ecn < 0 || skb_shinfo(head)->frag_list || skb_cow_head(head, skb_headroom(head))) {
		frag_queue_kill(q, total > IP4_MAX_LEN ? DROP_FRAG_TOO_FAR : DROP_FRAG_BAD);
		return NULL;
	}
	TRACE(&net->probe, TR_NOTE, head->serial, "reassembled fragments=%u len=%u", q->n, total);
	head = frag_chain(q);
	skb_push(head, ihl);
	head->dev = dev;
	head->ip_summed = CHECKSUM_NONE; /* whatever was said of a piece says nothing of the whole (FRAG-19) */
	h = ip_hdr(head);
	put_be16(h->tot_len, (uint16_t)total);
	put_be16(h->frag_off, q->max_df_size && q->max_df_size == q->max_size ? IP_DF : 0);
	h->tos = (uint8_t)((h->tos & ~3) | ecn);
	ip_send_check(h);
	IPCB(head)->flags |= IPSKB_FRAG_COMPLETE;
	if (q->user != IP_DEFRAG_LOCAL_DELIVER) { /* it may go on, then in pieces no larger than it came */
		IPCB(head)->frag_max_size = q->max_size;
		head->ignore_df = 1;
		if (ip4_frag(h) & IP_DF)
			IPCB(head)->flags |= IPSKB_FRAG_PMTU;
	}
	IP_INC(net, ReasmOKs);
	frag_queue_free(q);
	return head;
}

/* Put one fragment in its place. Consumes skb. The datagram when it is complete, else NULL. */
static struct sk_buff *ip_frag_queue(struct frag_queue *q, struct sk_buff *skb)
{
	struct net *net = q->net;
	TRACE_FN(&net->probe, skb->serial);
	const struct ip4_hdr *h = ip_hdr(skb);
	uint32_t ihl = ip4_hlen(h), len = skb->len;
	struct net_device *dev = skb->dev;
	enum drop_reason why = frag_place(q, skb, h);
	bool whole = true;

	if (!why && q->n >= FRAG_MAX_PER_QUEUE)
		why = DROP_FRAG_TOO_MANY;
	if (!why && !skb_may_pull(skb, ihl))
		why = DROP_FRAG_BAD;
	if (!why) {
		h = ip_hdr(skb);
		skb_pull(skb, ihl);
		why = frag_insert(q, skb, &whole);
	}
	if (why) {
		kfree_skb_reason(skb, why);
		if (whole)
			frag_queue_kill(q, why);
		return NULL;
	}
	q->n++;
	q->meat += skb->len;
	q->ecn |= (uint8_t)(1u << (h->tos & 3));
	q->have_first |= FRAG_CB(skb)->offset == 0;
	if (len > q->max_size)
		q->max_size = (uint16_t)len;
	if ((ip4_frag(h) & IP_DF) && len > q->max_df_size)
		q->max_df_size = (uint16_t)len;
	frag_charge(q, skb->truesize);
	TRACE(&net->probe, TR_QUEUE, skb->serial, "queue=reasm id=%u offset=%u have=%u", q->id, FRAG_CB(skb)->offset, q->meat);
	if (q->have_first && q->have_last && q->meat == q->len)
		return ip_frag_reasm(q, dev);
	return NULL;
}

int ip_defrag(struct net *net, struct sk_buff **pskb, int user)
{
	struct sk_buff *skb = *pskb;
	TRACE_FN(&net->probe, skb->serial);
	struct frag_queue *q;

	IP_INC(net, ReasmReqds);
	if (net->ipv4->sysctl.ipfrag_high_thresh == 0) {
		IP_INC(net, ReasmFails);
		kfree_skb_reason(skb, DROP_FRAG_MEMORY);
		return -ENOMEM;
	}
	skb_orphan(skb);
	q = frag_find(net, ip_hdr(skb), (uint8_t)user, skb->dev->ifindex);
	*pskb = ip_frag_queue(q, skb);
	frag_evict(net);
	return *pskb ? 0 : -EINPROGRESS;
}

void ip_frags_init(struct net *net)
{
	struct frag_state *s = &net->ipv4->frags;

	list_init(&s->lru);
	pool_init(&s->pool, "ipfrag", sizeof(struct frag_queue), 4);
}

void ip_frags_exit(struct net *net)
{
	struct frag_state *s = &net->ipv4->frags;

	while (!list_empty(&s->lru))
		frag_queue_kill(list_first_entry(&s->lru, struct frag_queue, lru), DROP_NET_EXIT);
	free(s->buckets);
	pool_destroy(&s->pool);
}
