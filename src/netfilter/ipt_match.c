/* Matches of iptables beyond the IP header: conntrack, state, multiport, addrtype: read, asked, printed.
 *
 * Called by ipt_rule.c (words), ip_tables.c (packets), ipt_list.c (text). Tests: tests/unit/netfilter/test_ipt_ext.c. */
#include <string.h>
#include "netfilter/ip_tables.h"

/* ---- names ---- */

struct bit_name {
	uint16_t bit;
	const char *name;
};
/* In the order in which iptables prints them. */
static const struct bit_name ct_names[] = {
	{ IPT_CT_INVALID, "INVALID" },	       { IPT_CT_NEW, "NEW" },	  { IPT_CT_RELATED, "RELATED" }, { IPT_CT_ESTABLISHED, "ESTABLISHED" },
	{ IPT_CT_UNTRACKED, "UNTRACKED" }, { IPT_CT_SNAT, "SNAT" }, { IPT_CT_DNAT, "DNAT" },
};
#define CT_STATES 5 /* of these: what -m state knows */
/* 1 << RTN_* (linux/rtnetlink.h) */
static const struct bit_name type_names[] = {
	{ 1 << 0, "UNSPEC" },	 { 1 << 1, "UNICAST" },	    { 1 << 2, "LOCAL" },	 { 1 << 3, "BROADCAST" },
	{ 1 << 5, "MULTICAST" }, { 1 << 6, "BLACKHOLE" }, { 1 << 7, "UNREACHABLE" }, { 1 << 8, "PROHIBIT" },
};

/* "NEW,RELATED"; 0: one of them is none. */
static uint16_t parse_bits(const char *s, const struct bit_name *names, size_t n)
{
	uint16_t bits = 0;

	for (;;) {
		size_t len = strcspn(s, ","), i;

		for (i = 0; i < n && (strlen(names[i].name) != len || strncmp(s, names[i].name, len) != 0); i++)
			;
		if (i == n)
			return 0;
		bits |= names[i].bit;
		if (!s[len])
			return bits;
		s += len + 1;
	}
}

static void print_bits(struct strbuf *out, uint16_t bits, const struct bit_name *names, size_t n)
{
	const char *comma = "";

	for (size_t i = 0; i < n; i++) {
		if (!(bits & names[i].bit))
			continue;
		sb_printf(out, "%s%s", comma, names[i].name);
		comma = ",";
	}
}

/* ---- words ---- */

static bool parse_multiport(const char *arg, struct ipt_spec *s)
{
	char word[16];

	while (*arg) {
		size_t len = strcspn(arg, ",");
		uint16_t r[2];

		if (!len || len >= sizeof(word))
			return false;
		memcpy(word, arg, len);
		word[len] = '\0';
		if (ipt_parse_ports(word, ':', r) || s->n_ports + (r[0] != r[1] ? 2 : 1) > IPT_MULTIPORTS)
			return false;
		s->ports[s->n_ports++] = r[0];
		if (r[0] != r[1]) {
			s->port_ranges = (uint16_t)(s->port_ranges | 1u << (s->n_ports - 1));
			s->ports[s->n_ports++] = r[1];
		}
		arg += len;
		if (*arg && !*++arg)
			return false;
	}
	return s->n_ports > 0;
}

bool ipt_match_parse(enum ipt_opt opt, const char *arg, struct ipt_spec *s)
{
	bool src = opt == OPT_SPORTS || opt == OPT_PORTS, dst = opt == OPT_DPORTS || opt == OPT_PORTS;

	switch (opt) {
	case OPT_CTSTATE:
	case OPT_STATE:
		if (s->has & IPT_HAS_CT)
			return false;
		s->has |= opt == OPT_STATE ? IPT_HAS_STATE : IPT_HAS_CTSTATE;
		s->ctstate = (uint8_t)parse_bits(arg, ct_names, opt == OPT_STATE ? CT_STATES : ARRAY_SIZE(ct_names));
		return s->ctstate != 0;
	case OPT_SRC_TYPE:
		s->has |= IPT_HAS_ADDRTYPE;
		s->src_type = parse_bits(arg, type_names, ARRAY_SIZE(type_names));
		return s->src_type != 0;
	case OPT_DST_TYPE:
		s->has |= IPT_HAS_ADDRTYPE;
		s->dst_type = parse_bits(arg, type_names, ARRAY_SIZE(type_names));
		return s->dst_type != 0;
	default:
		if (s->has & IPT_HAS_MULTIPORT)
			return false;
		s->has = (uint16_t)(s->has | (src ? IPT_HAS_SPORTS : 0) | (dst ? IPT_HAS_DPORTS : 0));
		return parse_multiport(arg, s);
	}
}

/* ---- packets ---- */

static unsigned packet_state(const struct sk_buff *skb)
{
	const struct nf_conn *ct = nf_ct_get(skb);
	unsigned bits;

	if (!ct)
		return skb->nfct_status == IP_CT_UNTRACKED ? IPT_CT_UNTRACKED : IPT_CT_INVALID;
	switch (skb->nfct_status) {
	case IP_CT_NEW:
		bits = IPT_CT_NEW;
		break;
	case IP_CT_RELATED:
	case IP_CT_RELATED_REPLY:
		bits = IPT_CT_RELATED;
		break;
	default:
		bits = IPT_CT_ESTABLISHED;
		break;
	}
	return bits | (ct->status & IPS_SRC_NAT ? IPT_CT_SNAT : 0u) | (ct->status & IPS_DST_NAT ? IPT_CT_DNAT : 0u);
}

static bool port_listed(const struct ipt_spec *s, uint16_t port)
{
	for (unsigned i = 0; i < s->n_ports; i++) {
		if (s->port_ranges >> i & 1) {
			if (port >= s->ports[i] && port <= s->ports[i + 1])
				return true;
			i++;
		} else if (port == s->ports[i]) {
			return true;
		}
	}
	return false;
}

static bool multiport(const struct ipt_spec *s, const uint8_t *l4)
{
	return ((s->has & IPT_HAS_SPORTS) && port_listed(s, get_be16(l4))) ||
	       ((s->has & IPT_HAS_DPORTS) && port_listed(s, get_be16(l4 + 2)));
}

static bool type_is(struct net *net, uint16_t types, uint32_t addr)
{
	return types >> net->nf->ip->addr_type(net, addr) & 1;
}

bool ipt_match_ext(const struct ipt_spec *s, const struct sk_buff *skb, const uint8_t *l4, const struct nf_hook_state *st)
{
	const struct ip4_hdr *h = (const void *)skb->data;

	if ((s->has & IPT_HAS_CT) && ((packet_state(skb) & s->ctstate) != 0) == ((s->inv & IPT_INV_CT) != 0))
		return false;
	if ((s->has & IPT_HAS_MULTIPORT) && (!l4 || multiport(s, l4) == ((s->inv & IPT_INV_MULTIPORT) != 0)))
		return false;
	if (s->src_type && type_is(st->net, s->src_type, ip4_saddr(h)) == ((s->inv & IPT_INV_SRC_TYPE) != 0))
		return false;
	return !s->dst_type || type_is(st->net, s->dst_type, ip4_daddr(h)) != ((s->inv & IPT_INV_DST_TYPE) != 0);
}

/* ---- text ---- */

static const char *multiport_name(const struct ipt_spec *s)
{
	if ((s->has & IPT_HAS_MULTIPORT) == IPT_HAS_MULTIPORT)
		return "ports";
	return s->has & IPT_HAS_SPORTS ? "sports" : "dports";
}

static void print_ports(const struct ipt_spec *s, struct strbuf *out)
{
	for (unsigned i = 0; i < s->n_ports; i++) {
		bool range = s->port_ranges >> i & 1;

		sb_printf(out, "%s%u", i ? "," : "", s->ports[i]);
		if (range)
			sb_printf(out, ":%u", s->ports[++i]);
	}
}

void ipt_match_list(const struct ipt_spec *s, struct strbuf *out)
{
	if (s->has & IPT_HAS_MULTIPORT) {
		sb_printf(out, " multiport %s %s", multiport_name(s), s->inv & IPT_INV_MULTIPORT ? "!" : "");
		print_ports(s, out);
	}
	if (s->has & IPT_HAS_CT) {
		sb_printf(out, "%s %s ", s->inv & IPT_INV_CT ? " !" : "", s->has & IPT_HAS_STATE ? "state" : "ctstate");
		print_bits(out, s->ctstate, ct_names, ARRAY_SIZE(ct_names));
	}
	if (s->has & IPT_HAS_ADDRTYPE)
		sb_puts(out, " ADDRTYPE match");
	if (s->src_type) {
		sb_printf(out, " src-type %s", s->inv & IPT_INV_SRC_TYPE ? "!" : "");
		print_bits(out, s->src_type, type_names, ARRAY_SIZE(type_names));
	}
	if (s->dst_type) {
		sb_printf(out, " dst-type %s", s->inv & IPT_INV_DST_TYPE ? "!" : "");
		print_bits(out, s->dst_type, type_names, ARRAY_SIZE(type_names));
	}
}

void ipt_match_save(const struct ipt_spec *s, struct strbuf *out)
{
	if (s->has & IPT_HAS_MULTIPORT) {
		sb_printf(out, " -m multiport%s --%s ", s->inv & IPT_INV_MULTIPORT ? " !" : "", multiport_name(s));
		print_ports(s, out);
	}
	if (s->has & IPT_HAS_CT) {
		sb_printf(out, s->has & IPT_HAS_STATE ? " -m state%s --state " : " -m conntrack%s --ctstate ",
			  s->inv & IPT_INV_CT ? " !" : "");
		print_bits(out, s->ctstate, ct_names, ARRAY_SIZE(ct_names));
	}
	if (s->has & IPT_HAS_ADDRTYPE)
		sb_puts(out, " -m addrtype");
	if (s->src_type) {
		sb_printf(out, "%s --src-type ", s->inv & IPT_INV_SRC_TYPE ? " !" : "");
		print_bits(out, s->src_type, type_names, ARRAY_SIZE(type_names));
	}
	if (s->dst_type) {
		sb_printf(out, "%s --dst-type ", s->inv & IPT_INV_DST_TYPE ? " !" : "");
		print_bits(out, s->dst_type, type_names, ARRAY_SIZE(type_names));
	}
}
