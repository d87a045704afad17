/* sk_buff: what reads, moves and rewrites a packet's bytes.
 *
 * Decides when bytes must be copied (they are shared, not linear, or there is no room) and counts
 * each copy: between layers there should be none. Called by protocols and by the transmit path;
 * hands on to wire/'s checksums (RFC 1071). frag_list: the head's linear bytes come first, then
 * each fragment's. Tests: tests/unit/core/test_skb_data.c. */
#include <assert.h>
#include <errno.h>
#include "core/net.h"
#include "core/skb_int.h"
#include "core/skb_pool.h"
#include "core/uio.h"
#include "wire/ip4.h"

static void count_copy(const struct sk_buff *skb, uint32_t len, const char *why)
{
	struct net *net = skb->net;

	net->skb_mib.copies++;
	net->skb_mib.copy_bytes += len;
	TRACE(&net->probe, TR_COPY, skb->serial, "len=%u %s", len, why);
}

int skb_copy_bits(const struct sk_buff *skb, uint32_t offset, void *to, uint32_t len)
{
	uint32_t head = skb_headlen(skb);
	uint8_t *out = to;

	if (unlikely(offset > skb->len || len > skb->len - offset))
		return -EFAULT;
	if (offset < head) {
		uint32_t n = min_u32(len, head - offset);

		memcpy(out, skb->data + offset, n);
		out += n;
		len -= n;
		offset += n;
	}
	offset -= head;
	for (const struct sk_buff *f = skb->data_len ? skb_shinfo(skb)->frag_list : NULL; f && len;
	     f = f->next) {
		if (offset < f->len) {
			uint32_t n = min_u32(len, f->len - offset);

			if (skb_copy_bits(f, offset, out, n))
				return -EFAULT;
			out += n;
			len -= n;
			offset += n;
		}
		offset -= f->len;
	}
	return len ? -EFAULT : 0;
}

void skb_each_piece(const struct sk_buff *skb, uint32_t offset, uint32_t len, void (*fn)(void *arg, const uint8_t *p, uint32_t n), void *arg)
{
	uint32_t head = skb_headlen(skb);

	if (offset < head) {
		uint32_t n = min_u32(len, head - offset);

		fn(arg, skb->data + offset, n);
		len -= n;
		offset += n;
	}
	offset -= head;
	for (const struct sk_buff *f = skb->data_len ? skb_shinfo(skb)->frag_list : NULL; f && len; f = f->next) {
		if (offset < f->len) {
			uint32_t n = min_u32(len, f->len - offset);

			skb_each_piece(f, offset, n, fn, arg);
			len -= n;
			offset += n;
		}
		offset -= f->len;
	}
}

void skb_count_sum(const struct sk_buff *skb, uint32_t len)
{
	struct net *net = skb->net;

	net->skb_mib.sums++;
	net->skb_mib.sum_bytes += len;
	TRACE(&net->probe, TR_NOTE, skb->serial, "len=%u sum by=cpu", len);
}

static uint32_t sum_bits(const struct sk_buff *skb, uint32_t offset, uint32_t len, uint32_t sum)
{
	uint32_t head = skb_headlen(skb), done = 0;

	if (offset < head) {
		done = min_u32(len, head - offset);
		sum = csum_partial(skb->data + offset, done, sum);
		offset += done;
	}
	offset -= head;
	for (const struct sk_buff *f = skb->data_len ? skb_shinfo(skb)->frag_list : NULL;
	     f && done < len; f = f->next) {
		if (offset < f->len) {
			uint32_t n = min_u32(len - done, f->len - offset);

			sum = csum_block_add(sum, sum_bits(f, offset, n, 0), done);
			done += n;
			offset += n;
		}
		offset -= f->len;
	}
	assert(done == len); /* a range beyond the packet is the caller's bug */
	return sum;
}

uint32_t skb_checksum(const struct sk_buff *skb, uint32_t offset, uint32_t len, uint32_t sum)
{
	skb_count_sum(skb, len);
	return sum_bits(skb, offset, len, sum);
}

static int skb_bits_to_iter(const struct sk_buff *skb, uint32_t offset, struct iov_iter *to,
			    uint32_t len)
{
	uint32_t head = skb_headlen(skb);

	if (offset < head) {
		uint32_t n = min_u32(len, head - offset);

		if (copy_to_iter(skb->data + offset, n, to) != n)
			return -EFAULT;
		len -= n;
		offset += n;
	}
	offset -= head;
	for (const struct sk_buff *f = skb->data_len ? skb_shinfo(skb)->frag_list : NULL; f && len;
	     f = f->next) {
		if (offset < f->len) {
			uint32_t n = min_u32(len, f->len - offset);

			if (skb_bits_to_iter(f, offset, to, n))
				return -EFAULT;
			len -= n;
			offset += n;
		}
		offset -= f->len;
	}
	return len ? -EFAULT : 0;
}

int skb_copy_datagram_iter(const struct sk_buff *skb, uint32_t offset, struct iov_iter *to,
			   uint32_t len)
{
	struct net *net = skb->net;

	if (unlikely(offset > skb->len || len > skb->len - offset))
		return -EFAULT;
	if (skb_bits_to_iter(skb, offset, to, len))
		return -EFAULT;
	net->skb_mib.skb_to_user_bytes += len;
	TRACE(&net->probe, TR_COPY, skb->serial, "len=%u from=skb to=user", len);
	return 0;
}

/* ---- a new buffer for an skb ---- */

static struct sk_buff *clone_frag_list(const struct sk_buff *list)
{
	struct sk_buff *first = NULL, **at = &first;

	for (; list; list = list->next) {
		*at = skb_clone((struct sk_buff *)(uintptr_t)list);
		if (!*at) {
			while (first) {
				struct sk_buff *next = first->next;

				consume_skb(first);
				first = next;
			}
			return NULL;
		}
		at = &(*at)->next;
	}
	return first;
}

static uint16_t shift16(uint16_t off, int32_t delta)
{
	int32_t v = off + delta;

	return v < 0 ? 0 : (uint16_t)v;
}

/* The headers stand delta further from head than they did. */
static void skb_shift_headers(struct sk_buff *skb, int32_t delta)
{
	if (skb_mac_header_was_set(skb))
		skb->mac_header = skb->mac_header + delta < 0 ? SKB_NO_MAC_HEADER
							      : (uint16_t)(skb->mac_header + delta);
	skb->network_header = shift16(skb->network_header, delta);
	skb->transport_header = shift16(skb->transport_header, delta);
	if (skb->ip_summed == CHECKSUM_PARTIAL)
		skb->csum_start = shift16(skb->csum_start, delta);
}

/* Copy the first n bytes, and as much as fits of what stands in front, to a fresh buffer. */
static void skb_fill(const struct sk_buff *from, uint8_t *buf, uint32_t headroom, uint32_t n)
{
	uint32_t front = min_u32(headroom, skb_headroom(from));
	int err;

	memcpy(buf + headroom - front, from->data - front, front);
	err = skb_copy_bits(from, 0, buf + headroom, n);
	assert(!err);
	(void)err;
}

static void copy_gso(struct skb_shared *to, const struct skb_shared *from)
{
	to->gso_size = from->gso_size;
	to->gso_segs = from->gso_segs;
	to->gso_type = from->gso_type;
	to->gso_fixedid = from->gso_fixedid;
	to->gso_accecn = from->gso_accecn;
	to->tx_flags = from->tx_flags;
	to->tskey = from->tskey;
}

/* Give skb a private buffer; with gather all bytes become linear, else the fragments move or are
 * cloned. */
static int skb_new_buffer(struct sk_buff *skb, uint32_t headroom, uint32_t tailroom, bool gather)
{
	uint32_t n = gather ? skb->len : skb_headlen(skb);
	uint64_t size = (uint64_t)headroom + n + tailroom;
	int32_t delta = (int32_t)headroom - (int32_t)skb_headroom(skb);
	struct skb_shared *old = skb_shinfo(skb);
	struct sk_buff *frags = NULL;
	unsigned cls;
	uint8_t *buf;
	struct sk_buff was;

	if (size > SKB_MAX_DATA)
		return -ENOMEM;
	cls = skb_class_of((uint32_t)size);
	if (!gather && old->frag_list && old->dataref > 1) {
		frags = clone_frag_list(old->frag_list);
		if (!frags)
			return -ENOMEM;
	}
	buf = skb_pool_data(skb->net->skbs, cls);
	if (!buf) {
		kfree_skb_list_at(frags, DROP_NOMEM, __func__);
		return -ENOMEM;
	}
	skb_fill(skb, buf, headroom, n);
	if (!gather && !frags) {
		frags = old->frag_list;
		old->frag_list = NULL;
	}
	was = *skb;
	skb->net->skb_mib.bytes += skb_class_cost(cls);
	skb_shared_init(skb, buf, cls);
	/* The owner was charged with the old figure and will be given it back. */
	if (was.destructor)
		skb->truesize = was.truesize;
	skb->data = buf + headroom;
	skb->tail = skb->data + n;
	copy_gso(skb_shinfo(skb), old);
	skb_shinfo(skb)->frag_list = frags;
	skb_shinfo(skb)->nohdr_refs = skb->nohdr;
	if (gather)
		skb->data_len = 0;
	skb->cloned = 0;
	skb_shift_headers(skb, delta);
	skb_release_buffer(&was);
	return 0;
}

int skb_linearize(struct sk_buff *skb)
{
	uint32_t len = skb->len;
	int err;

	if (!skb->data_len)
		return 0;
	err = skb_new_buffer(skb, skb_headroom(skb), 0, true);
	if (!err)
		count_copy(skb, len, "linearize");
	return err;
}

bool skb_pull_linear_(struct sk_buff *skb, uint32_t len)
{
	/* A header that straddles fragments is rare: gather them all, once. */
	return len <= skb->len && skb_linearize(skb) == 0;
}

static uint32_t skb_linear_tailroom(const struct sk_buff *skb, uint32_t headroom)
{
	uint32_t room = (uint32_t)(skb->end - skb->tail);

	return (uint64_t)headroom + skb_headlen(skb) + room > SKB_MAX_DATA ? 0 : room;
}

int skb_cow_head(struct sk_buff *skb, uint32_t headroom)
{
	int err;

	if (likely(headroom <= skb_headroom(skb) && !skb_header_cloned(skb)))
		return 0;
	headroom = max_u32(headroom, max_u32(skb_headroom(skb), NET_SKB_PAD));
	err = skb_new_buffer(skb, headroom, skb_linear_tailroom(skb, headroom), false);
	if (!err)
		count_copy(skb, skb_headlen(skb), "cow_head");
	return err;
}

int skb_ensure_writable(struct sk_buff *skb)
{
	uint32_t headroom = skb_headroom(skb);
	int err;

	if (!skb_cloned(skb))
		return 0;
	err = skb_new_buffer(skb, headroom, skb_linear_tailroom(skb, headroom), false);
	if (!err)
		count_copy(skb, skb_headlen(skb), "unshare");
	return err;
}

int skb_grow_tail(struct sk_buff *skb, uint32_t room)
{
	int err;

	if (likely(skb_tailroom(skb) >= room))
		return 0;
	err = skb_new_buffer(skb, skb_headroom(skb), room, true);
	if (!err)
		count_copy(skb, skb->len, "grow_tail");
	return err;
}

void skb_swap_data(struct sk_buff *a, struct sk_buff *b)
{
	struct sk_buff was = *a;

#define GIVE(field) (a->field = b->field, b->field = was.field)
	GIVE(head);
	GIVE(data);
	GIVE(tail);
	GIVE(end);
	GIVE(len);
	GIVE(data_len);
	GIVE(mac_header);
	GIVE(network_header);
	GIVE(transport_header);
	GIVE(csum_start);
#undef GIVE
	a->cloned = b->cloned;
	b->cloned = was.cloned;
	a->nohdr = b->nohdr;
	b->nohdr = was.nohdr;
}

struct sk_buff *skb_copy_expand(const struct sk_buff *skb, uint32_t headroom, uint32_t tailroom)
{
	uint64_t size = (uint64_t)headroom + skb->len + tailroom;
	struct sk_buff *n = size > SKB_MAX_DATA ? NULL : skb_alloc_quiet(skb->net, (uint32_t)size);

	if (!n)
		return NULL;
	skb_fill(skb, n->head, headroom, skb->len);
	skb_reserve(n, headroom);
	skb_put(n, skb->len);
	skb_copy_meta(n, skb);
	n->mac_header = skb->mac_header;
	n->network_header = skb->network_header;
	n->transport_header = skb->transport_header;
	n->csum_start = skb->csum_start;
	n->csum_offset = skb->csum_offset;
	skb_shift_headers(n, (int32_t)headroom - (int32_t)skb_headroom(skb));
	copy_gso(skb_shinfo(n), skb_shinfo(skb));
	count_copy(n, skb->len, "copy");
	return n;
}

/* ---- shortening ---- */

/* Cut a fragment list that is ours alone to len bytes. */
static void trim_frags(struct sk_buff *skb, uint32_t len)
{
	struct sk_buff **at = &skb_shinfo(skb)->frag_list;

	while (*at && len) {
		struct sk_buff *f = *at;

		if (f->len > len)
			skb_trim(f, len);
		len -= f->len;
		at = &f->next;
	}
	while (*at) {
		struct sk_buff *f = *at;

		*at = f->next;
		consume_skb(f);
	}
}

void skb_trim(struct sk_buff *skb, uint32_t len)
{
	uint32_t head = skb_headlen(skb);

	if (len >= skb->len)
		return;
	if (len < head) {
		skb->tail = skb->data + len;
		head = len;
	}
	skb->len = len;
	if (likely(!skb->data_len))
		return;
	skb->data_len = len - head;
	/* Shared fragments stay for the other; len and data_len keep our readers off them. */
	if (skb_shinfo(skb)->dataref == 1)
		trim_frags(skb, skb->data_len);
}

int skb_checksum_help(struct sk_buff *skb)
{
	uint32_t start;
	uint16_t check;
	uint8_t *at;

	if (skb->ip_summed != CHECKSUM_PARTIAL)
		return 0;
	if (skb->csum_start < skb_headroom(skb))
		return -EINVAL;
	start = skb->csum_start - skb_headroom(skb);
	if (start + skb->csum_offset + 2u > skb_headlen(skb))
		return -EINVAL;
	if (skb_header_cloned(skb) && skb_cow_head(skb, skb_headroom(skb)))
		return -ENOMEM;
	check = csum_fold(skb_checksum(skb, start, skb->len - start, 0));
	at = skb->head + skb->csum_start + skb->csum_offset;
	/* 0 means "none" in UDP (RFC 768) and is the same sum as 0xffff. */
	put_be16(at, check ? check : 0xffff);
	skb->ip_summed = CHECKSUM_NONE;
	return 0;
}
