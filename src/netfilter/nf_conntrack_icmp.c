/* ICMP: queries are connections of their own; errors belong to the connection of the packet that they quote.
 *
 * Decides: an error is RELATED if its checksum and that of the quoted header are right and the quoted packet is one
 * that a tracked connection could have sent; else INVALID (RFC 5508 REQ-3 to REQ-6). The quoted transport checksum is not
 * looked at. An error refreshes and ends nothing (RFC 4787 REQ-12, RFC 5382 REQ-10).
 * Called by nf_conntrack_in. Tests: tests/unit/netfilter/test_conntrack.c, test_nat.c (NAT-06, NAT-15). */
#include "netfilter/nf_conntrack.h"

bool nf_icmp_is_error(uint8_t type)
{
	return type == ICMP_DEST_UNREACH || type == ICMP_SOURCE_QUENCH || type == ICMP_REDIRECT || type == ICMP_TIME_EXCEEDED ||
	       type == ICMP_PARAMETERPROB;
}

enum nf_ct_verdict nf_conntrack_icmp_packet(struct nf_conn *ct, struct sk_buff *skb, uint32_t l4, enum ip_conntrack_info info)
{
	TRACE_FN(&ct->cn->net->probe, skb->serial);
	uint8_t type = (uint8_t)(ct->hash[0].tuple.dport >> 8);

	/* An answer to nothing begins nothing. */
	if (!(ct->status & IPS_CONFIRMED) && type != ICMP_ECHO && type != ICMP_TIMESTAMP && type != ICMP_INFO_REQUEST &&
	    type != ICMP_ADDRESS)
		return NF_CT_INVALID;
	nf_ct_refresh(ct, ct->cn->sysctl.icmp_timeout);
	return NF_CT_OK;
}

/* Is there a whole header of an IP packet at off, right by its checksum, with enough behind it to tell whose it is? */
static bool quoted_sound(struct sk_buff *skb, uint32_t off)
{
	const struct ip4_hdr *h;

	if (!skb_may_pull(skb, off + IP4_HLEN))
		return false;
	h = (const void *)(skb->data + off);
	if (ip4_version(h) != 4 || ip4_hlen(h) < IP4_HLEN || !skb_may_pull(skb, off + ip4_hlen(h)))
		return false;
	h = (const void *)(skb->data + off);
	return !(ip4_frag(h) & IP_OFFSET) && ip4_fast_csum(h, ip4_hlen(h)) == 0;
}

/* Whose packet is quoted at off? Its answers would come in the direction in which the error travels. */
static void relate(struct nf_ct_net *cn, struct sk_buff *skb, uint32_t off)
{
	struct nf_conntrack_tuple quoted, inv;
	struct nf_conntrack_hash *h;

	if (!quoted_sound(skb, off) || !nf_ct_get_tuple(skb, off, &quoted) || !nf_ct_invert_tuple(&inv, &quoted))
		return;
	h = nf_conntrack_find(cn, &inv);
	if (h)
		nf_ct_set(skb, nf_ct_of(h), h->dir == IP_CT_DIR_REPLY ? IP_CT_RELATED_REPLY : IP_CT_RELATED);
}

int nf_conntrack_icmp_error(struct nf_ct_net *cn, struct sk_buff *skb, uint32_t l4, enum nf_inet_hooks hook)
{
	TRACE_FN(&cn->net->probe, skb->serial);
	uint8_t type;

	if (!skb_may_pull(skb, l4 + ICMP_HLEN))
		return -1;
	if (hook == NF_INET_PRE_ROUTING && cn->sysctl.checksum && !nf_ct_checksum_ok(skb, l4, NF_PROTO_ICMP))
		return -1;
	type = skb->data[l4];
	if (type > NR_ICMP_TYPES)
		return -1;
	if (!nf_icmp_is_error(type))
		return 0;
	relate(cn, skb, l4 + ICMP_HLEN);
	return 1;
}
