/* What netfilter's hooks ask of the Internet layer: reassembly, answers, addresses, whether a program receives there.
 *
 * Decides nothing: each function finds a route where the packet has none yet and hands on to ip_reasm.c, icmp_send.c,
 * devinet and the sockets' tables. Called by netfilter/ through net->nf->ip.
 * Tests: tests/unit/netfilter (NAT-08, NAT-09, NAT-11, and REJECT). */
#include <netinet/in.h>
#include "ipv4/tcp_ipv4.h"
#include "ipv4/udp.h"
#include "tcp/inet_hashtables.h"

static int nf_defrag(struct net *net, struct sk_buff **skb, enum nf_inet_hooks hook)
{
	if (hook != NF_INET_LOCAL_OUT)
		return ip_defrag(net, skb, IP_DEFRAG_CONNTRACK_IN);
	if (!(*skb)->dev)
		(*skb)->dev = skb_dst(*skb)->dev;
	return ip_defrag(net, skb, IP_DEFRAG_CONNTRACK_OUT);
}

/* At PRE_ROUTING nobody has asked the tables yet. */
static bool nf_fill_dst(struct sk_buff *skb)
{
	const struct ip4_hdr *h = ip_hdr(skb);

	return skb_dst(skb) || (skb->dev && !ip_route_input_noref(skb, ip4_daddr(h), ip4_saddr(h), h->tos, skb->dev));
}

static void nf_send_unreach(struct sk_buff *skb, uint8_t code, bool transit_only)
{
	if (!nf_fill_dst(skb) || (transit_only && skb_rtable(skb)->type != RTN_UNICAST))
		return;
	icmp_send(skb, ICMP_DEST_UNREACH, code, 0);
}

static uint32_t segment_end(const struct sk_buff *skb, const struct tcp_hdr *th, uint32_t hlen)
{
	uint32_t flags = (th->flags & TCP_SYN ? 1u : 0u) + (th->flags & TCP_FIN ? 1u : 0u);

	return get_be32(th->seq) + flags + skb->len - hlen - tcp_hdrlen(th);
}

/* RFC 9293 3.10.7.1. A broadcast or multicast segment has no answer. */
static void nf_send_reset(struct sk_buff *skb)
{
	TRACE_FN(&skb->net->probe, skb->serial);
	uint32_t hlen = ip4_hlen(ip_hdr(skb));
	const struct tcp_hdr *in;
	uint8_t b[TCP_HLEN] = { 0 };
	struct tcp_hdr *th = (struct tcp_hdr *)(void *)b;

	if (!nf_fill_dst(skb) || (skb_rtable(skb)->flags & (RTCF_BROADCAST_ | RTCF_MULTICAST_)) ||
	    skb->pkt_type == PACKET_BROADCAST_ || skb->pkt_type == PACKET_MULTICAST_ || !skb_may_pull(skb, hlen + TCP_HLEN))
		return;
	in = (const struct tcp_hdr *)(const void *)(skb->data + hlen);
	if ((in->flags & TCP_RST) || tcp_hdrlen(in) < TCP_HLEN || skb->len < hlen + tcp_hdrlen(in))
		return;
	memcpy(th->source, in->dest, 2);
	memcpy(th->dest, in->source, 2);
	th->off_res = TCP_HLEN << 2;
	if (in->flags & TCP_ACK) {
		memcpy(th->seq, in->ack_seq, 4);
		th->flags = TCP_RST;
	} else {
		put_be32(th->ack_seq, segment_end(skb, in, hlen));
		th->flags = TCP_RST | TCP_ACK;
	}
	ip_send_unicast_reply(skb->net, skb, ip4_saddr(ip_hdr(skb)), ip4_daddr(ip_hdr(skb)), b, TCP_HLEN, IPPROTO_TCP, 0,
			      offsetof(struct tcp_hdr, check));
}

static void nf_translated(struct sk_buff *skb)
{
	IPCB(skb)->flags |= IPSKB_TRANSLATED;
}

static uint32_t nf_select_addr(const struct sk_buff *skb, const struct net_device *dev)
{
	uint32_t hop = skb && skb_dst(skb) ? rt_nexthop(skb_rtable(skb), ip4_daddr(ip_hdr(skb))) : 0;

	return dev && dev->ip_ptr ? inet_select_addr(dev, hop, RT_SCOPE_UNIVERSE) : 0;
}

static bool nf_port_used(struct net *net, uint8_t proto, uint32_t addr, uint16_t port, uint32_t saddr, uint16_t sport)
{
	if (proto == IPPROTO_TCP)
		return inet_lookup_listener(net, addr, port, saddr, sport, 0) ||
		       (saddr && __inet_lookup_established(net, saddr, sport, addr, port));
	return proto == IPPROTO_UDP && udp_lookup(net, saddr, sport, addr, port, 0) != NULL;
}

const struct nf_ip_ops ip_nf_ops = {
	.defrag = nf_defrag,
	.send_unreach = nf_send_unreach,
	.send_reset = nf_send_reset,
	.translated = nf_translated,
	.select_addr = nf_select_addr,
	.addr_type = inet_addr_type,
	.port_used = nf_port_used,
};
