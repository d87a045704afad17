/* A packet that is not for us: pass it on, or say why not (RFC 1812 5.2, 5.3).
 *
 * Check, decide, act: may it be forwarded at all; does its TTL last (checked only here: RFC 1812 4.2.2.9); does it
 * fit the next link or may it be cut; then TTL and checksum, [FORWARD], options, out.
 * Called through dst.input of a forwarding route (route_in.c); hands on to dst_output.
 * Tests: tests/unit/ipv4/test_forward.c (S3-67, S3-104, S3-107, RT-01 to RT-13). */
#include <errno.h>
#include "ipv4/netns_ipv4.h"

#define LL_RESERVED 16u

/* RFC 1624 eqn 3 on the word of TTL and protocol: exact at 0x0000 and 0xffff (RT-11). Never wraps: TTL >= 2. */
static void ip_decrease_ttl(struct ip4_hdr *h)
{
	uint16_t old = (uint16_t)(h->ttl << 8 | h->protocol);

	h->ttl--;
	put_be16(h->check, csum_replace2(get_be16(h->check), old, (uint16_t)(h->ttl << 8 | h->protocol)));
}

static bool ip_exceeds_mtu(const struct sk_buff *skb, uint32_t mtu)
{
	if (skb_is_gso(skb))
		return !skb_gso_validate_network_len(skb, mtu);
	/* A datagram that a hook put together leaves in pieces as large as those that came. */
	return (IPCB(skb)->frag_max_size ? IPCB(skb)->frag_max_size : skb->len) > mtu;
}

static int ip_forward_finish(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	TRACE_FN(&net->probe, skb->serial);

	if (!ip_sound_after_hook(net, NF_INET_FORWARD, skb))
		return -EINVAL;
	IP_INC(net, ForwDatagrams);
	if (unlikely(IPCB(skb)->optlen))
		ip_forward_options(skb);
	return dst_output(net, sk, skb);
}

/* May it be forwarded? 0, or the reason why not (silent). */
static enum drop_reason forward_refused(const struct sk_buff *skb)
{
	/* RFC 1812 5.3.4: what came as a link-layer broadcast is not passed on as unicast. */
	if (skb->pkt_type != PACKET_HOST_)
		return DROP_IP_FORWARD_L2_MULTICAST;
	if (skb->sk)
		return DROP_IP_INADDRERRORS;
	return DROP_NOT_SPECIFIED;
}

/* The answers to the sender, each with its reason. 0: none needed. */
static enum drop_reason forward_error(struct net *net, struct sk_buff *skb)
{
	const struct ip4_hdr *h = ip_hdr(skb);
	const struct rtable *rt = skb_rtable(skb);
	uint32_t mtu;

	if (h->ttl <= 1) {
		IP_INC(net, InHdrErrors);
		icmp_send(skb, ICMP_TIME_EXCEEDED, ICMP_EXC_TTL, 0);
		return DROP_IP_TTL_EXPIRED;
	}
	if ((IPCB(skb)->flags & (IPSKB_STRICTROUTE | IPSKB_SRR_HIT)) == (IPSKB_STRICTROUTE | IPSKB_SRR_HIT) &&
	    rt->uses_gateway) {
		icmp_send(skb, ICMP_DEST_UNREACH, ICMP_SR_FAILED, 0);
		return DROP_IP_SOURCE_ROUTE;
	}
	IPCB(skb)->flags |= IPSKB_FORWARDED;
	mtu = ip_dst_mtu_maybe_forward(&rt->dst, true);
	if (ip_exceeds_mtu(skb, mtu) && (ip4_frag(h) & IP_DF)) {
		IP_INC(net, FragFails);
		icmp_send(skb, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, mtu);
		return DROP_IP_FRAG_NEEDED;
	}
	return DROP_NOT_SPECIFIED;
}

int ip_forward(struct sk_buff *skb)
{
	struct net *net = skb->net;
	TRACE_FN(&net->probe, skb->serial);
	enum drop_reason why = forward_refused(skb);

	if (!why)
		why = forward_error(net, skb);
	if (!why && skb_cow_head(skb, LL_RESERVED)) {
		IP_INC(net, InDiscards);
		why = DROP_NOMEM;
	}
	if (why) {
		kfree_skb_reason(skb, why);
		return NET_RX_DROP;
	}
	ip_decrease_ttl(ip_hdr(skb));
	/* Quotes the packet as it goes on, with the TTL taken off (S3-36). */
	if ((IPCB(skb)->flags & (IPSKB_DOREDIRECT | IPSKB_TRANSLATED)) == IPSKB_DOREDIRECT && !IPCB(skb)->srr)
		ip_rt_send_redirect(skb);
	return nf_hook(NF_INET_FORWARD, net, NULL, skb, skb->dev, skb_dst(skb)->dev, ip_forward_finish);
}
