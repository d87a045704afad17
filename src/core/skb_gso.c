/* Trains: one skb that stands for many segments, split where real frames are needed.
 *
 * Decides each segment's header from the train's: IPv4 length, identification and checksum; TCP
 * sequence number and flags (FIN and PSH on the last, CWR on the first: RFC 3168 6.1.2); UDP
 * length. Called by validate_xmit_skb for devices that cannot take trains, by the IP layer and by
 * captures. Copies the payload, and sums it on the way. Tests: tests/unit/core/test_skb_gso.c. */
#include "core/net.h"
#include "core/skb_int.h"
#include "wire/ip4.h"
#include "wire/tcp_hdr.h"

#define TCP_CHECK_OFF offsetof(struct tcp_hdr, check)
#define UDP_CHECK_OFF offsetof(struct udp_hdr, check)

struct gso_plan {
	struct sk_buff *skb;
	uint32_t nh, th; /* offsets of the IP and transport header from data */
	uint32_t hdrlen; /* from data to the payload */
	bool tcp, partial, no_check;
};

uint32_t skb_gso_hdrlen(struct sk_buff *skb)
{
	uint32_t hdr = skb->transport_header - skb_headroom(skb);
	bool tcp = skb_shinfo(skb)->gso_type == SKB_GSO_TCPV4;

	if (skb->transport_header < skb_headroom(skb) || hdr > skb->len)
		return 0;
	if (!skb_may_pull(skb, hdr + (tcp ? TCP_HLEN : UDP_HLEN)))
		return 0;
	if (!tcp)
		return hdr + UDP_HLEN;
	hdr += tcp_hdrlen((const struct tcp_hdr *)(void *)skb_transport_header(skb));
	return hdr >= TCP_HLEN && skb_may_pull(skb, hdr) ? hdr : 0;
}

static bool gso_plan(struct gso_plan *p, struct sk_buff *skb, bool keep_partial)
{
	const struct ip4_hdr *ip;

	p->skb = skb;
	p->hdrlen = skb_gso_hdrlen(skb);
	if (!p->hdrlen || skb->network_header < skb_headroom(skb) ||
	    skb->network_header + IP4_HLEN > skb->transport_header)
		return false;
	p->nh = skb->network_header - skb_headroom(skb);
	p->th = skb->transport_header - skb_headroom(skb);
	ip = (const struct ip4_hdr *)(void *)skb_network_header(skb);
	p->tcp = skb_shinfo(skb)->gso_type == SKB_GSO_TCPV4;
	if (ip4_version(ip) != 4 || ip4_hlen(ip) != p->th - p->nh ||
	    ip->protocol != (p->tcp ? 6 : 17))
		return false;
	if (p->tcp &&
	    tcp_hdrlen((const struct tcp_hdr *)(void *)skb_transport_header(skb)) < TCP_HLEN)
		return false;
	p->partial = keep_partial && skb->ip_summed == CHECKSUM_PARTIAL;
	/* RFC 768: a UDP sender that made no checksum makes none for the segments either. */
	p->no_check = !p->tcp && skb->ip_summed != CHECKSUM_PARTIAL &&
		      get_be16(skb_transport_header(skb) + UDP_CHECK_OFF) == 0;
	return skb->len > p->hdrlen && skb_shinfo(skb)->gso_size != 0;
}

/* Payload into the segment; returns its sum (0 if a device will make it). */
static uint32_t gso_copy(const struct gso_plan *p, uint8_t *to, uint32_t off, uint32_t len)
{
	const struct sk_buff *skb = p->skb;

	if (!skb->data_len && !p->partial)
		return csum_partial_copy(to, skb->data + off, len, 0);
	if (skb_copy_bits(skb, off, to, len))
		skb_over_panic(skb, "gso_copy");
	return p->partial ? 0 : csum_partial(to, len, 0);
}

static void gso_fix_tcp(uint8_t *th, uint32_t seq, bool keep_cwr, bool last)
{
	struct tcp_hdr *h = (struct tcp_hdr *)(void *)th;

	put_be32(h->seq, seq);
	if (!keep_cwr)
		h->flags &= (uint8_t)~TCP_CWR;
	if (!last)
		h->flags &= (uint8_t)~(TCP_FIN | TCP_PSH);
}

static void gso_fix_ip(struct ip4_hdr *ip, uint16_t tot_len, uint16_t id)
{
	put_be16(ip->tot_len, tot_len);
	put_be16(ip->id, id);
	put_be16(ip->check, 0);
	put_be16(ip->check, ip4_fast_csum(ip, ip4_hlen(ip)));
}

/* Transport checksum over header, payload sum and pseudo header; or only the pseudo header for a
 * device. */
static void gso_fix_check(const struct gso_plan *p, struct sk_buff *seg, uint32_t sum)
{
	uint8_t *nh = seg->data + p->nh, *th = seg->data + p->th;
	const struct ip4_hdr *ip = (const struct ip4_hdr *)(void *)nh;
	uint32_t off = p->tcp ? TCP_CHECK_OFF : UDP_CHECK_OFF, thlen = p->hdrlen - p->th;
	uint32_t pseudo =
		csum_tcpudp_nofold(ip4_saddr(ip), ip4_daddr(ip), seg->len - p->th, ip->protocol, 0);
	uint16_t check;

	put_be16(th + off, 0);
	seg->ip_summed = CHECKSUM_NONE;
	if (p->no_check)
		return;
	if (p->partial) {
		put_be16(th + off, (uint16_t)~csum_fold(pseudo));
		seg->ip_summed = CHECKSUM_PARTIAL;
		seg->csum_start = (uint16_t)(th - seg->head);
		seg->csum_offset = (uint16_t)off;
		return;
	}
	check = csum_fold(csum_add(csum_partial(th, thlen, sum), pseudo));
	put_be16(th + off, check ? check : 0xffff);
}

static uint16_t gso_id(const struct sk_buff *skb, uint32_t index)
{
	const struct ip4_hdr *ip = (const struct ip4_hdr *)(const void *)skb_network_header(skb);

	return (uint16_t)(ip4_id(ip) + (skb_shinfo(skb)->gso_fixedid ? 0 : index));
}

/* A packet that was merged into skb comes out again: it is the same packet. 0: made here. */
static uint64_t gso_member_serial(const struct sk_buff *skb, uint32_t index)
{
	const struct sk_buff *f = skb->data_len ? skb_shinfo(skb)->frag_list : NULL;

	if (!f)
		return 0;
	for (; f && index > 1; index--)
		f = f->next;
	return index ? (f ? f->serial : 0) : skb->serial;
}

/* One segment: n payload bytes from off (counted from the payload's start). */
static struct sk_buff *gso_one(const struct gso_plan *p, uint32_t off, uint32_t n, uint32_t index)
{
	struct sk_buff *skb = p->skb, *seg = skb_alloc_quiet(skb->net, NET_SKB_PAD + p->hdrlen + n);
	uint32_t sum, payload = skb->len - p->hdrlen;
	uint8_t *th;

	if (!seg)
		return NULL;
	skb_reserve(seg, NET_SKB_PAD);
	skb_put(seg, p->hdrlen + n);
	memcpy(seg->data, skb->data, p->hdrlen);
	skb_copy_meta(seg, skb);
	if (skb_mac_header_was_set(skb) && skb_mac_header(skb) >= skb->data)
		seg->mac_header = (uint16_t)(NET_SKB_PAD + (skb_mac_header(skb) - skb->data));
	seg->network_header = (uint16_t)(NET_SKB_PAD + p->nh);
	seg->transport_header = (uint16_t)(NET_SKB_PAD + p->th);
	sum = gso_copy(p, seg->data + p->hdrlen, p->hdrlen + off, n);
	th = skb_transport_header(seg);
	gso_fix_ip((struct ip4_hdr *)(void *)skb_network_header(seg), (uint16_t)(seg->len - p->nh),
		   gso_id(skb, index));
	if (p->tcp)
		gso_fix_tcp(th, get_be32(th + offsetof(struct tcp_hdr, seq)) + off, off == 0 || skb_shinfo(skb)->gso_accecn,
			    off + n == payload);
	else
		put_be16(th + offsetof(struct udp_hdr, len), (uint16_t)(UDP_HLEN + n));
	gso_fix_check(p, seg, sum);
	skb->net->skb_mib.copies++;
	skb->net->skb_mib.copy_bytes += n;
	if (gso_member_serial(skb, index))
		seg->serial = gso_member_serial(skb, index);
	else
		skb_new_serial(seg, skb->serial, "segment");
	TRACE(&skb->net->probe, TR_COPY, seg->serial, "len=%u segment", n);
	return seg;
}

struct sk_buff *skb_gso_segment_features(struct sk_buff *skb, bool keep_partial)
{
	struct sk_buff *first = NULL, **at = &first;
	struct gso_plan p;
	uint32_t payload, mss, index = 0;

	if (!gso_plan(&p, skb, keep_partial))
		return NULL;
	payload = skb->len - p.hdrlen;
	mss = skb_shinfo(skb)->gso_size;
	for (uint32_t off = 0; off < payload; off += mss, index++) {
		struct sk_buff *seg = gso_one(&p, off, min_u32(mss, payload - off), index);

		if (!seg) {
			kfree_skb_list_reason(first, DROP_NOMEM);
			return NULL;
		}
		*at = seg;
		at = &seg->next;
	}
	return first;
}

/* ---- a packet that GRO merged: its packets again ---- */

/* May the fragments' headers be written? Nobody else may see them, and each must have room in front of its octets. */
static bool gro_can_split(const struct sk_buff *skb, uint32_t hdrlen)
{
	if (skb_cloned(skb) || skb_shared(skb) || skb->destructor || skb_headlen(skb) != hdrlen + skb_shinfo(skb)->gso_size)
		return false;
	for (const struct sk_buff *f = skb_shinfo(skb)->frag_list; f; f = f->next)
		if (skb_cloned(f) || skb_shared(f) || f->data_len || f->len > skb_shinfo(skb)->gso_size ||
		    (f->next && f->len != skb_shinfo(skb)->gso_size) || skb_headroom(f) < hdrlen ||
		    !skb_mac_header_was_set(f) || !f->transport_header)
			return false;
	return true;
}

uint32_t skb_tcp_payload_sum(const struct sk_buff *skb, uint32_t len)
{
	const struct ip4_hdr *ip = (const struct ip4_hdr *)(const void *)skb_network_header(skb);
	const uint8_t *th = skb_transport_header(skb);
	uint32_t hlen = tcp_hdrlen((const struct tcp_hdr *)(const void *)th);

	/* The sum of everything, the field included, is ~0: what is left without the headers is the payload's. */
	return ~csum_partial(th, hlen, csum_tcpudp_nofold(ip4_saddr(ip), ip4_daddr(ip), hlen + len, ip->protocol, 0));
}

/* The fragment becomes a packet: the head's headers as they are now, with what was its own. */
static void gro_split_one(const struct gso_plan *p, struct sk_buff *f, uint32_t off, uint32_t index, bool last)
{
	struct sk_buff *skb = p->skb;
	uint64_t serial = f->serial, tstamp = f->tstamp_ns;
	uint32_t sum = skb_tcp_payload_sum(f, f->len);

	skb_push(f, p->hdrlen);
	memcpy(f->data, skb->data, p->hdrlen);
	skb_copy_meta(f, skb);
	f->serial = serial;
	f->tstamp_ns = tstamp;
	f->network_header = (uint16_t)(skb_headroom(f) + p->nh);
	f->transport_header = (uint16_t)(skb_headroom(f) + p->th);
	if (skb_mac_header_was_set(skb) && skb_mac_header(skb) >= skb->data)
		f->mac_header = (uint16_t)(skb_headroom(f) + (uint32_t)(skb_mac_header(skb) - skb->data));
	else
		f->mac_header = SKB_NO_MAC_HEADER;
	gso_fix_ip((struct ip4_hdr *)(void *)skb_network_header(f), (uint16_t)(f->len - p->nh), gso_id(skb, index));
	gso_fix_tcp(skb_transport_header(f), get_be32(skb_transport_header(skb) + offsetof(struct tcp_hdr, seq)) + off,
		    false, last);
	gso_fix_check(p, f, sum);
	TRACE(&skb->net->probe, TR_NOTE, f->serial, "split from=%llu", (unsigned long long)skb->serial);
}

/* The head without its fragments. What its octets sum up to was kept when it was merged (csum). */
static void gro_split_head(const struct gso_plan *p, const struct sk_buff *frags)
{
	struct sk_buff *skb = p->skb;
	struct skb_shared *sh = skb_shinfo(skb);

	for (const struct sk_buff *f = frags; f; f = f->next)
		skb->truesize -= f->truesize;
	skb->len -= skb->data_len;
	skb->data_len = 0;
	gso_fix_ip((struct ip4_hdr *)(void *)skb_network_header(skb), (uint16_t)(skb->len - p->nh), gso_id(skb, 0));
	gso_fix_tcp(skb_transport_header(skb), get_be32(skb_transport_header(skb) + offsetof(struct tcp_hdr, seq)),
		    true, false);
	gso_fix_check(p, skb, skb->csum);
	sh->gso_size = sh->gso_segs = 0;
	sh->gso_type = 0;
	sh->gso_fixedid = 0;
}

struct sk_buff *skb_gro_split(struct sk_buff *skb, bool keep_partial)
{
	struct skb_shared *sh = skb_shinfo(skb);
	struct sk_buff *frags = sh->frag_list;
	uint32_t off = sh->gso_size, index = 1;
	struct gso_plan p;

	if (!skb->data_len || sh->gso_type != SKB_GSO_TCPV4 || !gso_plan(&p, skb, keep_partial) ||
	    !gro_can_split(skb, p.hdrlen))
		return NULL;
	for (struct sk_buff *f = frags; f; off += f->len - p.hdrlen, index++, f = f->next)
		gro_split_one(&p, f, off, index, !f->next);
	sh->frag_list = NULL;
	gro_split_head(&p, frags);
	skb->next = frags;
	return skb;
}
