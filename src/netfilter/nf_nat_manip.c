/* NAT: rewriting packets, and the packets that ICMP errors quote.
 *
 * Decides nothing: address, port and identifier become what the connection's tuple says, and every checksum follows by
 * what changed (RFC 1624 eqn 3), so that a wrong one stays wrong. UDP without checksum stays without (RFC 768, RFC 3022
 * 4.1); one that comes out as zero is sent as 0xffff. A checksum that a device will finish holds the sum of the pseudo
 * header: it follows the address only.
 *
 *     ICMP error:  | IP, src dst | ICMP type code sum | quoted IP, src dst, sum [options] | quoted ports [sum] ... |
 *                        one of these                    the other of these                 and its port
 *
 * RFC 3022 4.3, RFC 5508 REQ-3 to REQ-5. Called by nf_nat_hooks.c.
 * Tests: tests/unit/netfilter/test_nat.c (NAT-06, NAT-14, NAT-15). */
#include <stdio.h>
#include "netfilter/nf_nat.h"
#include "wire/tcp_hdr.h"

static void replace16(uint8_t *check, uint16_t was, uint16_t is)
{
	put_be16(check, csum_replace2(get_be16(check), was, is));
}

static void replace32(uint8_t *check, uint32_t was, uint32_t is)
{
	replace16(check, (uint16_t)(was >> 16), (uint16_t)(is >> 16));
	replace16(check, (uint16_t)was, (uint16_t)is);
}

/* The transport checksum at check follows address (through the pseudo header) and port. */
static void l4_check(const struct sk_buff *skb, uint8_t *check, bool udp, bool quoted, uint32_t a, uint32_t a2, uint16_t p,
		     uint16_t p2)
{
	if (!quoted && skb->ip_summed == CHECKSUM_PARTIAL) {
		put_be16(check, (uint16_t)~get_be16(check));
		replace32(check, a, a2);
		put_be16(check, (uint16_t)~get_be16(check));
		return;
	}
	if (udp && !get_be16(check))
		return;
	replace32(check, a, a2);
	replace16(check, p, p2);
	if (udp && !get_be16(check))
		put_be16(check, 0xffff);
}

/* Octets of the transport header that must be there to rewrite it, and where its checksum is. */
static uint32_t l4_need(uint8_t proto, uint32_t *check_off)
{
	switch (proto) {
	case NF_PROTO_TCP:
		*check_off = offsetof(struct tcp_hdr, check);
		return *check_off + 2;
	case NF_PROTO_UDP:
		*check_off = offsetof(struct udp_hdr, check);
		return UDP_HLEN;
	case NF_PROTO_ICMP:
		*check_off = offsetof(struct icmp_hdr, checksum);
		return ICMP_HLEN;
	default:
		*check_off = 0;
		return 0;
	}
}

static void manip_l4(struct sk_buff *skb, uint32_t l4, uint8_t proto, uint32_t a, const struct nf_conntrack_tuple *t,
		     enum nf_nat_manip_type manip, bool quoted)
{
	uint32_t check_off, need = l4_need(proto, &check_off);
	uint8_t *p = skb->data + l4, *port = p + (proto == NF_PROTO_ICMP ? 4 : manip == NF_NAT_MANIP_SRC ? 0 : 2);
	uint16_t was = need ? get_be16(port) : 0, is = manip == NF_NAT_MANIP_SRC ? t->sport : t->dport;

	if (!need)
		return;
	if (proto == NF_PROTO_ICMP) {
		if (nf_icmp_is_error(p[0])) /* an error's own header names no connection */
			return;
		is = t->sport;
		put_be16(port, is);
		replace16(p + check_off, was, is);
		return;
	}
	put_be16(port, is);
	if (l4 + need <= skb_headlen(skb))
		l4_check(skb, p + check_off, proto == NF_PROTO_UDP, quoted, a, manip == NF_NAT_MANIP_SRC ? t->src : t->dst, was,
			 is);
}

bool nf_nat_manip_pkt(struct sk_buff *skb, uint32_t off, const struct nf_conntrack_tuple *t, enum nf_nat_manip_type manip,
		      bool quoted)
{
	TRACE_FN(&skb->net->probe, skb->serial);
	const struct ip4_hdr *ro = (const void *)(skb->data + off);
	uint32_t l4 = off + ip4_hlen(ro), check_off, need = l4_need(ro->protocol, &check_off), was;
	uint32_t is = manip == NF_NAT_MANIP_SRC ? t->src : t->dst;
	struct ip4_hdr *h;
	uint8_t *addr;

	/* Of what is quoted, eight octets are sure (RFC 792). */
	if (skb->len < l4 + (quoted ? min_u32(need, 8) : need))
		return false;
	if (!skb_may_pull(skb, min_u32(l4 + need, skb->len)) || skb_cow_head(skb, 0))
		return false;
	h = (void *)(skb->data + off);
	addr = manip == NF_NAT_MANIP_SRC ? h->saddr : h->daddr;
	was = get_be32(addr);
	if (t->proto == h->protocol)
		manip_l4(skb, l4, h->protocol, was, t, manip, quoted);
	put_be32(addr, is);
	replace32(h->check, was, is);
	return true;
}

/* What this end of the packet says now: "192.168.1.10:5000". */
static void end_text(char buf[IP4_STRLEN + 8], const struct sk_buff *skb, enum nf_nat_manip_type manip)
{
	const struct ip4_hdr *h = (const void *)skb->data;
	uint32_t off = ip4_hlen(h) + (manip == NF_NAT_MANIP_SRC ? 0u : 2u);
	char a[IP4_STRLEN];
	uint8_t port[2];

	ip4_str(a, manip == NF_NAT_MANIP_SRC ? ip4_saddr(h) : ip4_daddr(h));
	if ((h->protocol == NF_PROTO_TCP || h->protocol == NF_PROTO_UDP) && !skb_copy_bits(skb, off, port, 2))
		snprintf(buf, IP4_STRLEN + 8, "%s:%u", a, get_be16(port));
	else
		snprintf(buf, IP4_STRLEN + 8, "%s", a);
}

static bool manip_traced(struct sk_buff *skb, const struct nf_conntrack_tuple *t, enum nf_nat_manip_type manip)
{
	char was[IP4_STRLEN + 8], is[IP4_STRLEN + 8];
	uint64_t serial = skb->serial;
	struct probe *p = &skb->net->probe;

	if (likely(!p->on))
		return nf_nat_manip_pkt(skb, 0, t, manip, false);
	end_text(was, skb, manip);
	if (!nf_nat_manip_pkt(skb, 0, t, manip, false))
		return false;
	end_text(is, skb, manip);
	probe_emit_(p, TR_NOTE, "nf_nat_packet", serial, "nat %s was=%s is=%s", manip == NF_NAT_MANIP_SRC ? "source" : "destination",
		    was, is);
	return true;
}

unsigned nf_nat_packet(struct nf_conn *ct, enum ip_conntrack_info info, enum nf_inet_hooks hook, struct sk_buff *skb)
{
	enum nf_nat_manip_type manip = HOOK2MANIP(hook);
	uint32_t bit = manip == NF_NAT_MANIP_SRC ? IPS_SRC_NAT : IPS_DST_NAT;
	enum ip_conntrack_dir dir = CTINFO2DIR(info);
	struct nf_conntrack_tuple t;

	/* Seen from the other end the source is the destination. */
	if (dir == IP_CT_DIR_REPLY)
		bit ^= IPS_NAT_MASK;
	if (!(ct->status & bit))
		return NF_ACCEPT;
	TRACE_FN(&ct->cn->net->probe, skb->serial);
	nf_ct_invert_tuple(&t, &ct->hash[!dir].tuple);
	return manip_traced(skb, &t, manip) ? NF_ACCEPT : NF_DROP_REASON(DROP_NOMEM);
}

bool nf_nat_icmp_reply_translation(struct sk_buff *skb, struct nf_conn *ct, enum ip_conntrack_info info, enum nf_inet_hooks hook)
{
	enum nf_nat_manip_type manip = HOOK2MANIP(hook), quoted;
	uint32_t bit = manip == NF_NAT_MANIP_SRC ? IPS_SRC_NAT : IPS_DST_NAT, l4;
	enum ip_conntrack_dir dir = CTINFO2DIR(info);
	struct nf_conntrack_tuple t;
	uint8_t *icmp;

	if (dir == IP_CT_DIR_REPLY)
		bit ^= IPS_NAT_MASK;
	if (!(ct->status & bit))
		return true;
	TRACE_FN(&ct->cn->net->probe, skb->serial);
	l4 = ip4_hlen((const struct ip4_hdr *)(const void *)skb->data);
	/* A redirect would name a router that the receiver cannot know. */
	if (skb->data[l4] == ICMP_REDIRECT)
		return false;
	quoted = manip == NF_NAT_MANIP_SRC ? NF_NAT_MANIP_DST : NF_NAT_MANIP_SRC;
	if (!nf_nat_manip_pkt(skb, l4 + ICMP_HLEN, &ct->hash[!dir].tuple, quoted, true))
		return false;
	/* The checksum vouched for all that was quoted (nf_conntrack_icmp_error); so it does again. */
	icmp = skb->data + l4;
	put_be16(icmp + 2, 0);
	put_be16(icmp + 2, csum_fold(skb_checksum(skb, l4, skb->len - l4, 0)));
	nf_ct_invert_tuple(&t, &ct->hash[!dir].tuple);
	t.proto = 0; /* addresses only */
	return nf_nat_manip_pkt(skb, 0, &t, manip, false);
}
