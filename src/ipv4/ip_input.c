/* A packet arrives: is its header sound, where does it belong, which protocol gets it?
 *
 *     ip_rcv -> ip_rcv_core -> [PRE_ROUTING] -> ip_rcv_finish -> (route) -> dst_input
 *         = ip_local_deliver -> (reassembly) -> [LOCAL_IN] -> ip_local_deliver_finish -> raw sockets, protocol
 *         = ip_forward, ip_error
 *
 * Called by core's receive path through the packet_type. RFC 791 3.1, RFC 1122 3.2.1, RFC 1812 5.2.2.
 * Tests: tests/unit/ipv4/test_ip_input.c (S0-02, S1-15, S3-64, S3-66, S3-142, S3-143, IP4-01 to IP4-13). */
#include <errno.h>
#include "ipv4/netns_ipv4.h"

static void count_ecn(struct net *net, const struct sk_buff *skb, uint8_t tos)
{
	uint64_t n = skb_shinfo(skb)->gso_segs > 1 ? skb_shinfo(skb)->gso_segs : 1;

	switch (tos & 3) {
	case 0:
		net->mib.ipext.InNoECTPkts += n;
		break;
	case 1:
		net->mib.ipext.InECT1Pkts += n;
		break;
	case 2:
		net->mib.ipext.InECT0Pkts += n;
		break;
	default:
		net->mib.ipext.InCEPkts += n;
		break;
	}
}

static inline uint32_t word_at(const struct ip4_hdr *h, unsigned off)
{
	uint32_t v;

	memcpy(&v, (const uint8_t *)h + off, sizeof(v));
	return v;
}

/* Nonzero: the header's checksum is wrong. 20 octets, as nearly all have, are summed in place: in which byte order
 * does not matter for a zero. */
static bool header_csum_bad(const struct ip4_hdr *h, uint32_t hlen)
{
	uint64_t sum;

	if (unlikely(hlen != IP4_HLEN))
		return ip4_fast_csum(h, hlen) != 0;
	sum = (uint64_t)word_at(h, 0) + word_at(h, 4) + word_at(h, 8) + word_at(h, 12) + word_at(h, 16);
	return csum_fold((uint32_t)(sum >> 32) + (uint32_t)(sum & 0xffff) + (uint32_t)(sum >> 16 & 0xffff)) != 0;
}

/* RFC 1812 5.2.2: five tests, each before anything is read that it guards. 0, or why the packet dies. */
static enum drop_reason header_check(struct net *net, struct sk_buff *skb)
{
	const struct ip4_hdr *h;
	uint32_t hlen, len;

	if (!skb_may_pull(skb, IP4_HLEN))
		goto inhdr;
	h = ip_hdr(skb);
	hlen = ip4_hlen(h);
	if (hlen < IP4_HLEN || ip4_version(h) != 4)
		goto inhdr;
	count_ecn(net, skb, h->tos);
	if (!skb_may_pull(skb, hlen))
		goto inhdr;
	h = ip_hdr(skb);
	if (unlikely(header_csum_bad(h, hlen))) {
		IPEXT_INC(net, InCsumErrors);
		IP_INC(net, InHdrErrors);
		return DROP_IP_CSUM;
	}
	len = ip4_tot_len(h);
	if (skb->len < len) {
		IPEXT_INC(net, InTruncatedPkts);
		return DROP_IP_TRUNCATED;
	}
	if (len < hlen)
		goto inhdr;
	/* What the link padded (60 octets on Ethernet) is not the packet's (S3-142, ETH-04). */
	if (skb->len > len) {
		skb_trim(skb, len);
		if (skb->ip_summed == CHECKSUM_COMPLETE)
			skb->ip_summed = CHECKSUM_NONE;
	}
	return DROP_NOT_SPECIFIED;
inhdr:
	IP_INC(net, InHdrErrors);
	return DROP_IP_INHDR;
}

/* The packet, checked and private to us, or NULL. */
static struct sk_buff *ip_rcv_core(struct net *net, struct sk_buff *skb, struct net_device *dev)
{
	enum drop_reason why;

	/* Seen only because the device listens to everything (RFC 1122 3.3.6, ETH-08). */
	if (skb->pkt_type == PACKET_OTHERHOST_) {
		dev->stats.rx_otherhost_dropped++;
		kfree_skb_reason(skb, DROP_OTHERHOST);
		return NULL;
	}
	IP_INC(net, InReceives);
	net->mib.ipext.InOctets += skb->len;
	if (unlikely(skb_shared(skb))) {
		struct sk_buff *mine = skb_clone(skb);

		consume_skb(skb);
		if (!mine) {
			IP_INC(net, InDiscards);
			return NULL;
		}
		skb = mine;
	}
	skb_reset_network_header(skb);
	why = header_check(net, skb);
	if (unlikely(why)) {
		kfree_skb_reason(skb, why);
		return NULL;
	}
	skb_set_transport_header(skb, ip4_hlen(ip_hdr(skb)));
	memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
	IPCB(skb)->iif = skb->skb_iif ? skb->skb_iif : dev->ifindex;
	if (skb->sk)
		skb_orphan(skb);
	return skb;
}

int ip_rcv(struct sk_buff *skb, struct net_device *dev, struct packet_type *pt, struct net_device *orig)
{
	TRACE_FN(&dev->net->probe, skb->serial);
	struct net *net = dev->net;

	skb = ip_rcv_core(net, skb, dev);
	if (!skb)
		return NET_RX_DROP;
	return nf_hook(NF_INET_PRE_ROUTING, net, NULL, skb, dev, NULL, ip_rcv_finish);
}

/* Options of a received packet. False: dropped (consumed). */
static bool ip_rcv_options(struct net *net, struct sk_buff *skb, struct net_device *dev)
{
	uint8_t pp = 0;
	enum drop_reason why;

	if (skb_cow_head(skb, 0)) { /* record route and timestamp are written in place */
		IP_INC(net, InDiscards);
		kfree_skb_reason(skb, DROP_NOMEM);
		return false;
	}
	why = ip_options_compile(net, skb, &pp);
	if (why) {
		IP_INC(net, InHdrErrors);
		if (pp)
			icmp_send_options_problem(skb, pp);
		kfree_skb_reason(skb, why);
		return false;
	}
	if (IPCB(skb)->srr) {
		why = ip_options_rcv_srr(skb, dev);
		if (why) {
			kfree_skb_reason(skb, why);
			return false;
		}
	}
	return true;
}

/* Count by class. False: a unicast packet in a link-layer broadcast, where that is not wanted. */
static bool rcv_class(struct net *net, const struct sk_buff *skb, const struct net_device *dev)
{
	uint16_t type = skb_rtable(skb)->type;

	if (type == RTN_MULTICAST) {
		IPEXT_INC(net, InMcastPkts);
		net->mib.ipext.InMcastOctets += skb->len;
	} else if (type == RTN_BROADCAST) {
		IPEXT_INC(net, InBcastPkts);
		net->mib.ipext.InBcastOctets += skb->len;
	} else if (skb->pkt_type == PACKET_BROADCAST_ || skb->pkt_type == PACKET_MULTICAST_) {
		return !dev->ip_ptr || !in_dev_conf_or(dev->ip_ptr, CNF_DROP_UNICAST_IN_L2_MULTICAST);
	}
	return true;
}

/* data: at the IP header. */
bool ip_sound_after_hook_(struct sk_buff *skb)
{
	const struct ip4_hdr *h;
	uint32_t hlen;

	if (skb->data != skb_network_header(skb) || !skb_may_pull(skb, IP4_HLEN))
		goto bad;
	h = ip_hdr(skb);
	hlen = ip4_hlen(h);
	if (hlen < IP4_HLEN || ip4_version(h) != 4 || !skb_may_pull(skb, hlen))
		goto bad;
	h = ip_hdr(skb);
	if (ip4_tot_len(h) < hlen || ip4_tot_len(h) > skb->len)
		goto bad;
	if (skb->len > ip4_tot_len(h))
		skb_trim(skb, ip4_tot_len(h));
	/* Who rewrites addresses or lengths makes the sum right too; nobody sends a wrong one. */
	if (ip4_fast_csum(h, hlen))
		goto bad;
	skb_set_transport_header(skb, hlen);
	return true;
bad:
	IP_INC(skb->net, InDiscards);
	kfree_skb_reason(skb, DROP_IP_INHDR);
	return false;
}

int ip_rcv_finish(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	TRACE_FN(&net->probe, skb->serial);
	struct net_device *dev = skb->dev;
	const struct ip4_hdr *h;

	if (!ip_sound_after_hook(net, NF_INET_PRE_ROUTING, skb))
		return NET_RX_DROP;
	h = ip_hdr(skb);
	if (skb_dst(skb)) {
		/* It came over lo and brought its route along (S1-15). */
		TRACE(&net->probe, TR_ROUTE, skb->serial, "dst already valid, no input route lookup");
	} else {
		enum drop_reason why = ip_route_input_noref(skb, ip4_daddr(h), ip4_saddr(h), h->tos, dev);

		if (why) {
			kfree_skb_reason(skb, why);
			return NET_RX_DROP;
		}
	}
	if (ip4_hlen(h) > IP4_HLEN && !ip_rcv_options(net, skb, dev))
		return NET_RX_DROP;
	if (!rcv_class(net, skb, dev)) {
		kfree_skb_reason(skb, DROP_IP_INADDRERRORS);
		return NET_RX_DROP;
	}
	return dst_input(skb);
}

static int ip_local_deliver_finish(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	TRACE_FN(&net->probe, skb->serial);
	uint8_t protocol, idx;
	bool raw;

	if (!ip_sound_after_hook(net, NF_INET_LOCAL_IN, skb))
		return 0;
	protocol = ip_hdr(skb)->protocol;
	idx = net->ipv4->proto_idx[protocol];
	skb_pull(skb, ip4_hlen(ip_hdr(skb)));
	skb_reset_transport_header(skb);
	raw = net->ipv4->raw.n && raw_local_deliver(skb, protocol);
	if (idx) {
		IP_INC(net, InDelivers);
		return net->ipv4->protos[idx - 1].handler(skb);
	}
	if (raw) {
		IP_INC(net, InDelivers);
		consume_skb(skb);
		return 0;
	}
	/* RFC 1122 3.2.2.1 */
	IP_INC(net, InUnknownProtos);
	icmp_send(skb, ICMP_DEST_UNREACH, ICMP_PROT_UNREACH, 0);
	kfree_skb_reason(skb, DROP_IP_NOPROTO);
	return 0;
}

int ip_local_deliver(struct sk_buff *skb)
{
	struct net *net = skb->dev->net;
	TRACE_FN(&net->probe, skb->serial);

	/* Only the destination puts fragments together (RFC 791 3.2, S3-09). */
	if (ip4_is_fragment(ip_hdr(skb)) && ip_defrag(net, &skb, IP_DEFRAG_LOCAL_DELIVER))
		return 0;
	return nf_hook(NF_INET_LOCAL_IN, net, NULL, skb, skb->dev, NULL, ip_local_deliver_finish);
}

int inet_add_protocol(struct net *net, const struct net_protocol *p, uint8_t protocol)
{
	struct netns_ipv4 *ip = net->ipv4;

	if (ip->proto_idx[protocol])
		return -EEXIST;
	if (ip->nr_protos >= INET_PROTOS_MAX)
		return -ENOSPC;
	ip->protos[ip->nr_protos++] = *p;
	ip->proto_idx[protocol] = (uint8_t)ip->nr_protos;
	return 0;
}
