/* Tuples: what tells connections apart, out of a packet's octets; and the checksums that vouch for them.
 *
 * Decides: the protocols with ports (TCP, UDP) and with an identifier (ICMP queries); all others are told apart by
 * addresses and protocol alone. Called by nf_conntrack_core.c, nf_conntrack_icmp.c, nf_nat_*.c.
 * Tests: tests/unit/netfilter/test_conntrack.c. */
#include "netfilter/nf_conntrack.h"

/* RFC 792: the query that an answer belongs to, and the other way. 0xff: neither. */
static uint8_t icmp_partner(uint8_t type)
{
	switch (type) {
	case ICMP_ECHO:
		return ICMP_ECHOREPLY;
	case ICMP_ECHOREPLY:
		return ICMP_ECHO;
	case ICMP_TIMESTAMP:
	case ICMP_INFO_REQUEST:
	case ICMP_ADDRESS:
		return (uint8_t)(type + 1);
	case ICMP_TIMESTAMPREPLY:
	case ICMP_INFO_REPLY:
	case ICMP_ADDRESSREPLY:
		return (uint8_t)(type - 1);
	default:
		return 0xff;
	}
}

bool nf_ct_get_tuple(struct sk_buff *skb, uint32_t ip_off, struct nf_conntrack_tuple *t)
{
	const struct ip4_hdr *h = (const void *)(skb->data + ip_off);
	uint8_t b[8];

	*t = (struct nf_conntrack_tuple){ .src = ip4_saddr(h), .dst = ip4_daddr(h), .proto = h->protocol };
	if (ip4_frag(h) & IP_OFFSET)
		return false;
	if (t->proto != NF_PROTO_TCP && t->proto != NF_PROTO_UDP && t->proto != NF_PROTO_ICMP)
		return true;
	if (skb_copy_bits(skb, ip_off + ip4_hlen(h), b, sizeof(b)))
		return false;
	if (t->proto == NF_PROTO_ICMP) {
		t->sport = get_be16(b + 4);
		t->dport = get_be16(b);
	} else {
		t->sport = get_be16(b);
		t->dport = get_be16(b + 2);
	}
	return true;
}

bool nf_ct_invert_tuple(struct nf_conntrack_tuple *inv, const struct nf_conntrack_tuple *t)
{
	*inv = (struct nf_conntrack_tuple){ .src = t->dst, .dst = t->src, .proto = t->proto };
	if (t->proto != NF_PROTO_ICMP) {
		inv->sport = t->dport;
		inv->dport = t->sport;
		return true;
	}
	if (icmp_partner((uint8_t)(t->dport >> 8)) == 0xff)
		return false;
	inv->sport = t->sport;
	inv->dport = (uint16_t)(icmp_partner((uint8_t)(t->dport >> 8)) << 8 | (t->dport & 0xff));
	return true;
}

bool nf_ct_checksum_ok(const struct sk_buff *skb, uint32_t l4, uint8_t proto)
{
	const struct ip4_hdr *h = (const void *)skb->data;
	uint32_t len = skb->len - l4, sum = 0;
	uint8_t b[4];

	if (skb->ip_summed == CHECKSUM_UNNECESSARY || skb->ip_summed == CHECKSUM_PARTIAL)
		return true;
	if (proto == NF_PROTO_UDP) {
		if (skb_copy_bits(skb, l4 + offsetof(struct udp_hdr, len), b, sizeof(b)))
			return false;
		if (!get_be16(b + 2)) /* RFC 768: the sender made none */
			return true;
		if (get_be16(b) < UDP_HLEN || get_be16(b) > len)
			return false;
		len = get_be16(b);
	}
	if (proto != NF_PROTO_ICMP)
		sum = csum_tcpudp_nofold(ip4_saddr(h), ip4_daddr(h), len, proto, 0);
	return csum_fold(skb_checksum(skb, l4, len, sum)) == 0;
}
