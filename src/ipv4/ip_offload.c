/* IPv4's part of receive coalescing: may these packets be one datagram for the layers above?
 *
 * Decides: only TCP, no options, no fragments, nothing behind the datagram (padding), header checksum right; of two packets
 * the same TTL, TOS (ECN too) and DF, and an identification that counts up by one, or stays as it is, for all. Then
 * the packets can be made again exactly as they were (skb_gro_split). A wrong TCP checksum is never merged: it is looked at
 * when there is something to merge with, so that a router's lone packets cost no sum.
 * Called through packet_offload by core/gro.c; hands on to tcp/tcp_offload.c. Tests: tests/unit/ipv4/test_gro.c. */
#include <netinet/in.h>
#include "core/gro.h"
#include "ipv4/netns_ipv4.h"
#include "tcp/tcp_offload.h"

#define GRO_IHL_VERSION 0x45

static const struct ip4_hdr *gro_ip_hdr(const struct sk_buff *skb)
{
	return (const struct ip4_hdr *)(const void *)skb_network_header(skb);
}

static const struct tcp_hdr *gro_tcp_hdr(const struct sk_buff *skb)
{
	return (const struct tcp_hdr *)(const void *)skb_transport_header(skb);
}

/* Is the identification what the next packet of p's must have? The second one decides how they count. */
static bool gro_next_id(const struct sk_buff *p, const struct ip4_hdr *h2, const struct ip4_hdr *h)
{
	struct napi_gro_cb *cb = NAPI_GRO_CB(p);
	uint16_t step = (uint16_t)(ip4_id(h) - ip4_id(h2));

	if (cb->count == 1)
		cb->fixed_id = step == 0;
	return step == (cb->fixed_id ? 0 : cb->count);
}

/* Both headers, but for length, identification and checksum. */
static bool inet_gro_same(const struct sk_buff *p, const struct sk_buff *skb)
{
	const struct ip4_hdr *h2 = gro_ip_hdr(p), *h = gro_ip_hdr(skb);

	return h->ttl == h2->ttl && h->tos == h2->tos && !((ip4_frag(h) ^ ip4_frag(h2)) & IP_DF) &&
	       gro_next_id(p, h2, h);
}

static bool gro_checksum_ok(struct sk_buff *skb)
{
	const struct ip4_hdr *h = gro_ip_hdr(skb);
	uint32_t off = (uint32_t)(skb_transport_header(skb) - skb->data), len = ip4_tot_len(h) - IP4_HLEN;
	uint32_t pseudo;

	if (NAPI_GRO_CB(skb)->verified || skb->ip_summed == CHECKSUM_UNNECESSARY)
		return true;
	pseudo = csum_tcpudp_nofold(ip4_saddr(h), ip4_daddr(h), len, IPPROTO_TCP, 0);
	if (csum_fold(skb_checksum(skb, off, len, pseudo)))
		return false;
	NAPI_GRO_CB(skb)->verified = true;
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	return true;
}

/* The held packet of these ports, among those of the same addresses. */
static struct sk_buff *tcp_gro_lookup(struct sk_buff_head *held, const struct tcp_hdr *th)
{
	struct sk_buff *p;

	skb_queue_walk(held, p)
		if (NAPI_GRO_CB(p)->same_flow &&
		    !memcmp(gro_tcp_hdr(p), th, sizeof(th->source) + sizeof(th->dest)))
			return p;
	return NULL;
}

static struct sk_buff *tcp4_gro_receive(struct sk_buff_head *held, struct sk_buff *skb)
{
	struct napi_gro_cb *cb = NAPI_GRO_CB(skb);
	const struct tcp_hdr *th = skb_gro_header(skb, TCP_HLEN);
	struct sk_buff *p;
	bool same;
	TRACE_FN(&skb->net->probe, skb->serial);

	if (!th || tcp_hdrlen(th) < TCP_HLEN || !skb_gro_header(skb, tcp_hdrlen(th))) {
		cb->flush = true;
		return NULL;
	}
	skb->transport_header = (uint16_t)(skb->data - skb->head + cb->data_offset);
	p = tcp_gro_lookup(held, th);
	if (p && !cb->flush && !gro_checksum_ok(skb)) {
		cb->flush = true;
		return NULL;
	}
	same = p && !cb->flush && inet_gro_same(p, skb) && gro_checksum_ok(p);
	if (same && NAPI_GRO_CB(p)->count == 1)
		p->csum = skb_tcp_payload_sum(p, skb_gro_len(p)); /* for skb_gro_split */
	cb->data_offset += tcp_hdrlen(th);
	return tcp_gro_receive(p, skb, same);
}

static struct sk_buff *inet_gro_receive(struct sk_buff_head *held, struct sk_buff *skb)
{
	struct napi_gro_cb *cb = NAPI_GRO_CB(skb);
	const struct ip4_hdr *h = skb_gro_header(skb, IP4_HLEN);
	struct sk_buff *p;
	TRACE_FN(&skb->net->probe, skb->serial);

	if (!h || h->ver_ihl != GRO_IHL_VERSION || h->protocol != IPPROTO_TCP || ip4_fast_csum(h, IP4_HLEN) ||
	    (ip4_frag(h) & IP_OFFSET)) {
		cb->flush = true;
		return NULL;
	}
	cb->flush = ip4_tot_len(h) != skb_gro_len(skb) || (ip4_frag(h) & ~IP_DF);
	skb_queue_walk(held, p)
		NAPI_GRO_CB(p)->same_flow &= ip4_saddr(gro_ip_hdr(p)) == ip4_saddr(h) &&
					     ip4_daddr(gro_ip_hdr(p)) == ip4_daddr(h);
	cb->data_offset += IP4_HLEN;
	return tcp4_gro_receive(held, skb);
}

/* As the sender of a train leaves it: the sum of the pseudo header stands in the field. */
static void tcp4_gro_complete(struct sk_buff *skb)
{
	const struct ip4_hdr *h = gro_ip_hdr(skb);
	struct tcp_hdr *th = (struct tcp_hdr *)(void *)skb_transport_header(skb);
	TRACE_FN(&skb->net->probe, skb->serial);

	put_be16(th->check, (uint16_t)~csum_fold(csum_tcpudp_nofold(ip4_saddr(h), ip4_daddr(h), skb->len - IP4_HLEN,
								    IPPROTO_TCP, 0)));
	tcp_gro_complete(skb);
}

static void inet_gro_complete(struct sk_buff *skb)
{
	struct ip4_hdr *h = (struct ip4_hdr *)(void *)skb_network_header(skb);
	TRACE_FN(&skb->net->probe, skb->serial);

	put_be16(h->check, csum_replace2(get_be16(h->check), ip4_tot_len(h), (uint16_t)skb->len));
	put_be16(h->tot_len, (uint16_t)skb->len);
	tcp4_gro_complete(skb);
}

void ip_offload_init(struct net *net)
{
	struct packet_offload *po = &net->ipv4->ip_offload;

	po->type = ETH_P_IP;
	po->gro_receive = inet_gro_receive;
	po->gro_complete = inet_gro_complete;
	dev_add_offload(net, po);
}
