/* Targets of iptables: read, checked, done, printed.
 *
 *     ACCEPT DROP RETURN    anywhere (no DROP in nat)
 *     REJECT                filter                     --reject-with: an ICMP unreachable, or a reset for -p tcp
 *     SNAT MASQUERADE       nat POSTROUTING (SNAT: INPUT too)
 *     DNAT REDIRECT         nat PREROUTING, OUTPUT
 *     CT --notrack          raw                        the packet gets no connection
 *
 * Called by ipt_rule.c and ipt_command.c (words), ip_tables.c (packets), ipt_list.c (text). NAT itself is nf_nat_core.c.
 * Tests: tests/unit/netfilter/test_ipt_ext.c. */
#include <errno.h>
#include <string.h>
#include "netfilter/ip_tables.h"

static const char *const target_names[] = { "",	    "ACCEPT", "DROP",	    "RETURN",	"REJECT",
					    "SNAT", "DNAT",   "MASQUERADE", "REDIRECT", "CT" };

const char *ipt_target_name(uint8_t target)
{
	return target < ARRAY_SIZE(target_names) ? target_names[target] : "?";
}

uint8_t ipt_target_parse(const char *s)
{
	for (uint8_t i = IPT_ACCEPT; i < ARRAY_SIZE(target_names); i++)
		if (!strcmp(s, target_names[i]))
			return i;
	return IPT_NONE;
}

/* ---- words ---- */

static const struct {
	uint8_t code;
	const char *name, *alias;
} reject_names[] = {
	{ ICMP_NET_UNREACH, "icmp-net-unreachable", "net-unreach" },	{ ICMP_HOST_UNREACH, "icmp-host-unreachable", "host-unreach" },
	{ ICMP_PROT_UNREACH, "icmp-proto-unreachable", "proto-unreach" }, { ICMP_PORT_UNREACH, "icmp-port-unreachable", "port-unreach" },
	{ ICMP_NET_ANO, "icmp-net-prohibited", "net-prohib" },		{ ICMP_HOST_ANO, "icmp-host-prohibited", "host-prohib" },
	{ ICMP_PKT_FILTERED, "icmp-admin-prohibited", "admin-prohib" }, { IPT_REJECT_TCP_RESET, "tcp-reset", "tcp-rst" },
};

static bool parse_reject(const char *s, struct ipt_spec *spec)
{
	for (size_t i = 0; i < ARRAY_SIZE(reject_names); i++) {
		if (strcmp(s, reject_names[i].name) != 0 && strcmp(s, reject_names[i].alias) != 0)
			continue;
		spec->reject = reject_names[i].code;
		return true;
	}
	return false;
}

static const char *reject_name(uint8_t code)
{
	for (size_t i = 0; i < ARRAY_SIZE(reject_names); i++)
		if (reject_names[i].code == code)
			return reject_names[i].name;
	return "?";
}

/* "8080", "1024-2047": never port 0. */
static bool parse_nat_ports(const char *s, struct nf_nat_range *r)
{
	uint16_t p[2];
	size_t n = strlen(s);

	if (!n || s[0] == '-' || s[n - 1] == '-' || ipt_parse_ports(s, '-', p) || !p[0])
		return false;
	r->flags |= NF_NAT_RANGE_PROTO_SPECIFIED;
	r->min_port = p[0];
	r->max_port = p[1];
	return true;
}

/* "ADDRESS[-ADDRESS][:PORT[-PORT]]", or ":PORT..." */
static bool parse_nat_to(const char *s, struct nf_nat_range *r)
{
	char text[2 * IP4_STRLEN], *dash;
	size_t n = strcspn(s, ":");

	if (n >= sizeof(text) || (!n && !s[n]))
		return false;
	memcpy(text, s, n);
	text[n] = '\0';
	if (n) {
		dash = strchr(text, '-');
		if (dash)
			*dash++ = '\0';
		if (ip4_parse(text, &r->min_addr) || ip4_parse(dash ? dash : text, &r->max_addr) || r->min_addr > r->max_addr)
			return false;
		r->flags |= NF_NAT_RANGE_MAP_IPS;
	}
	return !s[n] || parse_nat_ports(s + n + 1, r);
}

bool ipt_target_option(enum ipt_opt opt, const char *arg, struct ipt_spec *s)
{
	switch (opt) {
	case OPT_TO_SOURCE:
	case OPT_TO_DESTINATION:
		return parse_nat_to(arg, &s->nat);
	case OPT_TO_PORTS:
		return parse_nat_ports(arg, &s->nat);
	case OPT_RANDOM:
		s->nat.flags |= NF_NAT_RANGE_PROTO_RANDOM;
		return true;
	case OPT_RANDOM_FULLY:
		s->nat.flags |= NF_NAT_RANGE_PROTO_RANDOM_FULLY;
		return true;
	case OPT_PERSISTENT:
		s->nat.flags |= NF_NAT_RANGE_PERSISTENT;
		return true;
	case OPT_REJECT_WITH:
		return parse_reject(arg, s);
	default:
		return opt == OPT_NOTRACK;
	}
}

#define BIT(opt) (1u << (opt))
#define TARGET_OPTIONS (BIT(OPT_TO_SOURCE) | BIT(OPT_TO_DESTINATION) | BIT(OPT_TO_PORTS) | BIT(OPT_RANDOM) | BIT(OPT_RANDOM_FULLY) | \
			BIT(OPT_PERSISTENT) | BIT(OPT_REJECT_WITH) | BIT(OPT_NOTRACK))

static uint32_t options_of(uint8_t target)
{
	switch (target) {
	case IPT_REJECT:
		return BIT(OPT_REJECT_WITH);
	case IPT_SNAT:
		return BIT(OPT_TO_SOURCE) | BIT(OPT_RANDOM) | BIT(OPT_RANDOM_FULLY) | BIT(OPT_PERSISTENT);
	case IPT_DNAT:
		return BIT(OPT_TO_DESTINATION) | BIT(OPT_RANDOM) | BIT(OPT_PERSISTENT);
	case IPT_MASQUERADE:
		return BIT(OPT_TO_PORTS) | BIT(OPT_RANDOM) | BIT(OPT_RANDOM_FULLY);
	case IPT_REDIRECT:
		return BIT(OPT_TO_PORTS) | BIT(OPT_RANDOM);
	case IPT_CT:
		return BIT(OPT_NOTRACK);
	default:
		return 0;
	}
}

const char *ipt_target_check(const struct ipt_spec *s, uint32_t seen)
{
	bool plain = (s->has & IPT_HAS_PROTO) && !(s->inv & IPT_INV_PROTO);

	if (seen & TARGET_OPTIONS & ~options_of(s->target))
		return "an option that this target does not have";
	if (s->target == IPT_SNAT && !(seen & BIT(OPT_TO_SOURCE)))
		return "SNAT: option \"--to-source\" must be specified";
	if (s->target == IPT_DNAT && !(seen & BIT(OPT_TO_DESTINATION)))
		return "DNAT: option \"--to-destination\" must be specified";
	if (s->target == IPT_CT && !(seen & BIT(OPT_NOTRACK)))
		return "CT: option \"--notrack\" must be specified";
	if ((s->nat.flags & NF_NAT_RANGE_PROTO_SPECIFIED) && !(plain && (s->proto == NF_PROTO_TCP || s->proto == NF_PROTO_UDP)))
		return "Need TCP or UDP with port specification";
	if (s->reject == IPT_REJECT_TCP_RESET && !(plain && s->proto == NF_PROTO_TCP))
		return "REJECT: tcp-reset needs -p tcp";
	return NULL;
}

const char *ipt_target_place(const struct ipt_spec *s, const struct ipt_chain *c)
{
	bool nat = !strcmp(c->table->name, "nat");

	switch (s->target) {
	case IPT_DROP:
		return nat ? "The \"nat\" table is not intended for filtering, the use of DROP is therefore inhibited." : NULL;
	case IPT_REJECT:
		return strcmp(c->table->name, "filter") ? "REJECT is valid in table filter only" : NULL;
	case IPT_SNAT:
		return !nat || HOOK2MANIP(c->ops.hooknum) != NF_NAT_MANIP_SRC ? "SNAT is valid in table nat, POSTROUTING and INPUT" : NULL;
	case IPT_MASQUERADE:
		return !nat || c->ops.hooknum != NF_INET_POST_ROUTING ? "MASQUERADE is valid in table nat, POSTROUTING" : NULL;
	case IPT_DNAT:
	case IPT_REDIRECT:
		return !nat || HOOK2MANIP(c->ops.hooknum) != NF_NAT_MANIP_DST ? "DNAT and REDIRECT are valid in table nat, PREROUTING and OUTPUT"
									     : NULL;
	case IPT_CT:
		return strcmp(c->table->name, "raw") ? "CT is valid in table raw only" : NULL;
	default:
		return NULL;
	}
}

/* ---- packets ---- */

static unsigned nat_to(struct sk_buff *skb, struct nf_nat_range *r, uint32_t addr, enum nf_nat_manip_type manip)
{
	if (!addr) /* the device has none: there is nothing to hide behind, and nowhere to go */
		return NF_DROP_REASON(DROP_NAT_NO_MAPPING);
	r->flags |= NF_NAT_RANGE_MAP_IPS;
	r->min_addr = r->max_addr = addr;
	return nf_nat_setup_info(nf_ct_get(skb), r, manip);
}

static unsigned masquerade(const struct ipt_spec *s, struct sk_buff *skb, const struct nf_hook_state *st)
{
	TRACE_FN_AS(&st->net->probe, "nf_nat_masquerade_ipv4", skb->serial);
	struct nf_nat_range r = s->nat;

	nf_ct_get(skb)->masq_index = st->out ? st->out->ifindex : 0;
	return nat_to(skb, &r, st->net->nf->ip->select_addr(skb, st->out), NF_NAT_MANIP_SRC);
}

static unsigned redirect(const struct ipt_spec *s, struct sk_buff *skb, const struct nf_hook_state *st)
{
	TRACE_FN_AS(&st->net->probe, "nf_nat_redirect_ipv4", skb->serial);
	struct nf_nat_range r = s->nat;
	uint32_t addr = 0x7f000001u;

	if (st->hook == NF_INET_PRE_ROUTING)
		addr = st->net->nf->ip->select_addr(NULL, st->in);
	return nat_to(skb, &r, addr, NF_NAT_MANIP_DST);
}

/* The answer goes out before the packet dies. */
static unsigned reject(const struct ipt_spec *s, struct sk_buff *skb, const struct nf_hook_state *st)
{
	TRACE_FN_AS(&st->net->probe, "reject_tg", skb->serial);

	if (s->reject == IPT_REJECT_TCP_RESET)
		st->net->nf->ip->send_reset(skb);
	else
		st->net->nf->ip->send_unreach(skb, s->reject, false);
	return NF_DROP;
}

unsigned ipt_target_run(const struct ipt_spec *s, struct sk_buff *skb, const struct nf_hook_state *st)
{
	switch (s->target) {
	case IPT_NONE:
		return IPT_CONTINUE;
	case IPT_ACCEPT:
		return NF_ACCEPT;
	case IPT_DROP:
		return NF_DROP;
	case IPT_REJECT:
		return reject(s, skb, st);
	case IPT_SNAT:
		return nf_nat_setup_info(nf_ct_get(skb), &s->nat, NF_NAT_MANIP_SRC);
	case IPT_DNAT:
		return nf_nat_setup_info(nf_ct_get(skb), &s->nat, NF_NAT_MANIP_DST);
	case IPT_MASQUERADE:
		return masquerade(s, skb, st);
	case IPT_REDIRECT:
		return redirect(s, skb, st);
	case IPT_CT:
		if (!skb->nfct)
			skb->nfct_status = IP_CT_UNTRACKED;
		return IPT_CONTINUE;
	default:
		return NF_DROP;
	}
}

/* ---- text ---- */

static void print_range(const struct nf_nat_range *r, struct strbuf *out)
{
	char a[IP4_STRLEN];

	if (r->flags & NF_NAT_RANGE_MAP_IPS) {
		sb_puts(out, ip4_str(a, r->min_addr));
		if (r->max_addr != r->min_addr)
			sb_printf(out, "-%s", ip4_str(a, r->max_addr));
	}
	if (!(r->flags & NF_NAT_RANGE_PROTO_SPECIFIED))
		return;
	sb_printf(out, "%s%u", r->flags & NF_NAT_RANGE_MAP_IPS ? ":" : "", r->min_port);
	if (r->max_port != r->min_port)
		sb_printf(out, "-%u", r->max_port);
}

static void print_flags(const struct nf_nat_range *r, const char *dashes, struct strbuf *out)
{
	if (r->flags & NF_NAT_RANGE_PROTO_RANDOM)
		sb_printf(out, " %srandom", dashes);
	if (r->flags & NF_NAT_RANGE_PROTO_RANDOM_FULLY)
		sb_printf(out, " %srandom-fully", dashes);
	if (r->flags & NF_NAT_RANGE_PERSISTENT)
		sb_printf(out, " %spersistent", dashes);
}

void ipt_target_list(const struct ipt_spec *s, struct strbuf *out)
{
	bool ports = (s->nat.flags & NF_NAT_RANGE_PROTO_SPECIFIED) != 0;

	switch (s->target) {
	case IPT_REJECT:
		sb_printf(out, " reject-with %s", reject_name(s->reject));
		return;
	case IPT_SNAT:
	case IPT_DNAT:
		sb_puts(out, s->nat.flags & NF_NAT_RANGE_MAP_IPS ? " to:" : " to::");
		print_range(&s->nat, out);
		break;
	case IPT_MASQUERADE:
		sb_puts(out, ports ? " masq ports: " : "");
		print_range(&s->nat, out);
		break;
	case IPT_REDIRECT:
		sb_puts(out, ports ? " redir ports " : "");
		print_range(&s->nat, out);
		break;
	case IPT_CT:
		sb_puts(out, " NOTRACK");
		return;
	default:
		return;
	}
	print_flags(&s->nat, "", out);
}

void ipt_target_save(const struct ipt_spec *s, struct strbuf *out)
{
	bool ports = (s->nat.flags & NF_NAT_RANGE_PROTO_SPECIFIED) != 0;

	switch (s->target) {
	case IPT_REJECT:
		sb_printf(out, " --reject-with %s", reject_name(s->reject));
		return;
	case IPT_SNAT:
	case IPT_DNAT:
		sb_printf(out, " --to-%s %s", s->target == IPT_SNAT ? "source" : "destination",
			  s->nat.flags & NF_NAT_RANGE_MAP_IPS ? "" : ":");
		print_range(&s->nat, out);
		break;
	case IPT_MASQUERADE:
	case IPT_REDIRECT:
		sb_puts(out, ports ? " --to-ports " : "");
		print_range(&s->nat, out);
		break;
	case IPT_CT:
		sb_puts(out, " --notrack");
		return;
	default:
		return;
	}
	print_flags(&s->nat, "--", out);
}
