/* A datagram larger than the MTU: refuse (DF) or cut into fragments (RFC 791 3.2, RFC 1812 5.2.6, 5.2.7.1).
 *
 * Fast way: the head's frag_list was cut to fit when it was built (ip_append.c); each piece only gets a header.
 * Slow way: each piece is allocated and copied (S3-162). Every fragment is a packet of its own: new serial, the
 * datagram's as parent. Called by ip_finish_output; hands on to ip_finish_output2.
 * Tests: tests/unit/ipv4/test_frag.c (S2-35, S3-09, S3-10, S3-162, RT-08, RT-09). */
#include <errno.h>
#include "ipv4/netns_ipv4.h"

#define FRAG_LL_ROOM 32u /* link header and a little */

struct cutter {
	struct net *net;
	struct sock *sk;
	struct sk_buff *skb;
	uint64_t parent;
	uint32_t hlen, mtu; /* mtu: of payload, a multiple of 8 */
	uint32_t offset;    /* of the next piece, in the original datagram */
	uint16_t flags;     /* RF and DF of the original */
	bool last_mf;       /* the original was not the last fragment itself */
	uint8_t hdr[IP4_HLEN_MAX];
	int (*output)(struct net *, struct sock *, struct sk_buff *);
};

/* The template's header into a fragment whose data starts at the IP header. */
static void frag_header(const struct cutter *c, struct sk_buff *f, uint32_t len, bool more)
{
	struct ip4_hdr *h;

	skb_reset_network_header(f);
	memcpy(f->data, c->hdr, c->hlen);
	h = ip_hdr(f);
	put_be16(h->tot_len, (uint16_t)(c->hlen + len));
	put_be16(h->frag_off, (uint16_t)(c->offset / 8 | (more ? IP_MF : 0u) | c->flags));
	ip_send_check(h);
	skb_set_transport_header(f, c->hlen);
}

/* After the first fragment only options with the copy bit remain (RFC 791 3.1); the others become NOPs, so that all
 * headers have the same length. */
static void frag_advance(struct cutter *c, uint32_t len)
{
	if (c->offset == 0 && c->hlen > IP4_HLEN)
		ip_options_fragment((struct ip4_hdr *)(void *)c->hdr);
	c->offset += len;
}

static int frag_emit(struct cutter *c, struct sk_buff *f)
{
	int err;

	skb_new_serial(f, c->parent, "fragment");
	err = c->output(c->net, c->sk, f);
	if (!err)
		IP_INC(c->net, FragCreates);
	return err;
}

static void frag_meta(const struct cutter *c, struct sk_buff *to)
{
	const struct sk_buff *from = c->skb;

	to->pkt_type = from->pkt_type;
	to->priority = from->priority;
	to->protocol = from->protocol;
	to->dev = from->dev;
	to->mark = from->mark;
	to->skb_iif = from->skb_iif;
	memcpy(IPCB(to), IPCB(from), sizeof(*IPCB(to)));
	skb_dst_drop(to);
	skb_dst_set(to, dst_hold(skb_dst(from)));
}

/* ---- pieces that are there already ---- */

static bool fast_possible(const struct cutter *c)
{
	const struct sk_buff *skb = c->skb, *f;
	uint32_t first = skb_headlen(skb) - c->hlen;

	if (!skb_shinfo(skb)->frag_list || first > c->mtu || (first & 7) || c->last_mf || c->offset || skb_cloned(skb))
		return false;
	for (f = skb_shinfo(skb)->frag_list; f; f = f->next) {
		if (f->len > c->mtu || ((f->len & 7) && f->next) || f->data_len || skb_shared(f) || skb_cloned(f) ||
		    skb_headroom(f) < c->hlen + FRAG_LL_ROOM / 2)
			return false;
	}
	return true;
}

/* The sender's account was kept on the head alone (ip_finish_skb): each fragment takes its share back. */
static void frag_own(struct sk_buff *skb, struct sk_buff *f)
{
	if (!skb->sk)
		return;
	skb->truesize -= f->truesize;
	f->sk = sock_hold(skb->sk);
	f->destructor = skb->destructor;
}

static int fragment_fast(struct cutter *c)
{
	struct sk_buff *skb = c->skb, *rest = skb_shinfo(skb)->frag_list, *f, *next;
	uint32_t first = skb_headlen(skb) - c->hlen;
	int err;

	skb_shinfo(skb)->frag_list = NULL;
	skb->len -= skb->data_len;
	skb->data_len = 0;
	for (f = rest; f; f = f->next) {
		frag_own(skb, f);
		frag_meta(c, f);
	}
	frag_header(c, skb, first, true);
	frag_advance(c, first);
	err = frag_emit(c, skb);
	for (f = rest; f; f = next) {
		uint32_t len = f->len;

		next = f->next;
		f->next = NULL;
		if (err) {
			kfree_skb_reason(f, DROP_IP_FRAG_NEEDED);
			continue;
		}
		skb_push(f, c->hlen);
		frag_header(c, f, len, next != NULL);
		frag_advance(c, len);
		err = frag_emit(c, f);
	}
	return err;
}

/* ---- pieces that must be copied ---- */

static struct sk_buff *frag_copy(struct cutter *c, uint32_t from, uint32_t len, bool more)
{
	struct sk_buff *f = alloc_skb(c->net, FRAG_LL_ROOM + c->hlen + len);

	if (!f)
		return NULL;
	skb_reserve(f, FRAG_LL_ROOM);
	skb_put(f, c->hlen + len);
	if (skb_copy_bits(c->skb, from, f->data + c->hlen, len)) {
		kfree_skb_reason(f, DROP_IP_TRUNCATED);
		return NULL;
	}
	c->net->skb_mib.copies++;
	c->net->skb_mib.copy_bytes += len;
	TRACE(&c->net->probe, TR_COPY, f->serial, "len=%u fragment of=%llu", len, (unsigned long long)c->parent);
	frag_meta(c, f);
	if (c->skb->sk)
		skb_set_owner_w(f, c->skb->sk);
	frag_header(c, f, len, more);
	return f;
}

static int fragment_slow(struct cutter *c)
{
	uint32_t left = c->skb->len - c->hlen, at = c->hlen;
	int err = 0;

	while (left && !err) {
		uint32_t len = min_u32(left, c->mtu);
		struct sk_buff *f = frag_copy(c, at, len, len < left || c->last_mf);

		if (!f) {
			err = -ENOMEM;
			break;
		}
		at += len;
		left -= len;
		frag_advance(c, len);
		err = frag_emit(c, f);
	}
	if (err)
		kfree_skb_reason(c->skb, DROP_NOMEM);
	else
		consume_skb(c->skb);
	return err;
}

static int ip_do_fragment(struct net *net, struct sock *sk, struct sk_buff *skb, uint32_t mtu,
			  int (*output)(struct net *, struct sock *, struct sk_buff *))
{
	TRACE_FN(&net->probe, skb->serial);
	struct cutter c = { .net = net, .sk = sk, .skb = skb, .parent = skb->serial, .output = output };
	const struct ip4_hdr *h;
	int err = 0;

	/* The checksum covers the whole: no device can make it from pieces. */
	if (skb->ip_summed == CHECKSUM_PARTIAL)
		err = skb_checksum_help(skb);
	h = ip_hdr(skb);
	c.hlen = ip4_hlen(h);
	if (IPCB(skb)->frag_max_size && IPCB(skb)->frag_max_size < mtu)
		mtu = IPCB(skb)->frag_max_size;
	if (err || mtu < c.hlen + 8) {
		IP_INC(net, FragFails);
		kfree_skb_reason(skb, err ? DROP_NOMEM : DROP_IP_FRAG_NEEDED);
		return err ? err : -EINVAL;
	}
	c.mtu = (mtu - c.hlen) & ~7u;
	c.offset = (ip4_frag(h) & IP_OFFSET) * 8u;
	c.flags = (uint16_t)((ip4_frag(h) & IP_RF) | (IPCB(skb)->flags & IPSKB_FRAG_PMTU ? IP_DF : 0));
	c.last_mf = (ip4_frag(h) & IP_MF) != 0;
	memcpy(c.hdr, h, c.hlen);
	err = fast_possible(&c) ? fragment_fast(&c) : fragment_slow(&c);
	if (err)
		IP_INC(net, FragFails);
	else
		IP_INC(net, FragOKs);
	return err;
}

int ip_fragment(struct net *net, struct sock *sk, struct sk_buff *skb, uint32_t mtu,
		int (*output)(struct net *, struct sock *, struct sk_buff *))
{
	TRACE_FN(&net->probe, skb->serial);
	bool df = (ip4_frag(ip_hdr(skb)) & IP_DF) != 0;

	if (skb->len <= mtu && !IPCB(skb)->frag_max_size)
		return output(net, sk, skb);
	if (df && (!skb->ignore_df || IPCB(skb)->frag_max_size > mtu)) {
		IP_INC(net, FragFails);
		icmp_send(skb, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, mtu);
		kfree_skb_reason(skb, DROP_IP_FRAG_NEEDED);
		return -EMSGSIZE;
	}
	return ip_do_fragment(net, sk, skb, mtu, output);
}
