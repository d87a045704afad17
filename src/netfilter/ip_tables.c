/* Rule tables on the hooks: does a packet match, and what becomes of it.
 *
 * Decides: each rule in order, the first that matches and has a verdict wins, else the chain's policy. A packet
 * too short for the ports or the ICMP type that a rule asks about is dropped: it could not have been checked.
 * A rule about connections makes the host track them; so does the table nat, which is asked about a connection's first
 * packet only, by nf_nat_hooks.c, and not by a hook of its own. A later fragment carries no ports and matches no rule about them (RFC 1858: a TCP fragment at offset 1 is an
 * attack on exactly that, and is dropped).
 * Called by: nf_hook. Hands on: a verdict. The text face is ipt_command.c.
 * Tests: tests/lab/iptables.t. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "core/procfs.h"
#include "netfilter/ip_tables.h"
#include "netfilter/nf_tables_text.h"
#include "wire/ip4.h"

#define PROTO_ICMP 1
#define PROTO_TCP 6

/* ---- does it match? ---- */

enum ipt_match { IPT_NO, IPT_YES, IPT_BAD };

static bool ipt_if_match(const char *want, const struct net_device *dev)
{
	const char *name = dev ? dev->name : "";
	size_t n = strlen(want);

	if (!n)
		return true;
	if (want[n - 1] == '+')
		return !strncmp(want, name, n - 1);
	return !strcmp(want, name);
}

static bool ipt_ip_match(const struct ipt_spec *s, const struct ip4_hdr *ip, const struct nf_hook_state *st)
{
	bool src = (ip4_saddr(ip) & s->src_mask) == s->src;
	bool dst = (ip4_daddr(ip) & s->dst_mask) == s->dst;

	if (src == ((s->inv & IPT_INV_SRC) != 0) || dst == ((s->inv & IPT_INV_DST) != 0))
		return false;
	if (ipt_if_match(s->in, st->in) == ((s->inv & IPT_INV_IN) != 0))
		return false;
	if (ipt_if_match(s->out, st->out) == ((s->inv & IPT_INV_OUT) != 0))
		return false;
	if (!(s->has & IPT_HAS_PROTO))
		return true;
	return (ip->protocol == s->proto) != ((s->inv & IPT_INV_PROTO) != 0);
}

static bool ipt_in_range(uint16_t v, const uint16_t range[2], bool inv)
{
	return (v >= range[0] && v <= range[1]) != inv;
}

static enum ipt_match ipt_l4_match(const struct ipt_spec *s, const struct sk_buff *skb, const struct ip4_hdr *ip,
				   const struct nf_hook_state *st)
{
	uint16_t off = ip4_frag(ip) & IP_OFFSET;
	uint8_t b[4];

	if (!(s->has & (IPT_HAS_SPORT | IPT_HAS_DPORT | IPT_HAS_ICMP | IPT_HAS_MULTIPORT)))
		return ipt_match_ext(s, skb, NULL, st) ? IPT_YES : IPT_NO;
	if (off)
		return off == 1 && ip->protocol == PROTO_TCP ? IPT_BAD : IPT_NO;
	if (skb_copy_bits(skb, ip4_hlen(ip), b, sizeof(b)))
		return IPT_BAD;
	if (s->has & IPT_HAS_ICMP) {
		bool m = s->icmp_type == 0xff ||
			 (b[0] == s->icmp_type && b[1] >= s->icmp_code[0] && b[1] <= s->icmp_code[1]);

		return m != ((s->inv & IPT_INV_ICMP) != 0) && ipt_match_ext(s, skb, NULL, st) ? IPT_YES : IPT_NO;
	}
	if ((s->has & IPT_HAS_SPORT) && !ipt_in_range(get_be16(b), s->sport, (s->inv & IPT_INV_SPORT) != 0))
		return IPT_NO;
	if ((s->has & IPT_HAS_DPORT) && !ipt_in_range(get_be16(b + 2), s->dport, (s->inv & IPT_INV_DPORT) != 0))
		return IPT_NO;
	return ipt_match_ext(s, skb, b, st) ? IPT_YES : IPT_NO;
}

/* ---- the hook ---- */

static unsigned ipt_policy(struct ipt_chain *c, const struct sk_buff *skb)
{
	c->packets++;
	c->bytes += skb->len;
	return c->policy == IPT_DROP ? NF_DROP : NF_ACCEPT;
}

static unsigned ipt_do_table(void *priv, struct sk_buff *skb, const struct nf_hook_state *st)
{
	TRACE_FN(&st->net->probe, skb->serial);
	struct ipt_chain *c = priv;
	const struct ip4_hdr *ip = (const void *)skb->data;
	uint32_t i;
	unsigned v;

	if (skb_headlen(skb) < IP4_HLEN || ip4_hlen(ip) < IP4_HLEN)
		return NF_DROP;
	for (i = 0; i < c->n; i++) {
		struct ipt_rule *r = &c->rule[i];
		enum ipt_match m = ipt_ip_match(&r->spec, ip, st) ? ipt_l4_match(&r->spec, skb, ip, st) : IPT_NO;

		if (m == IPT_BAD)
			return NF_DROP;
		if (m == IPT_NO)
			continue;
		r->packets++;
		r->bytes += skb->len;
		if (r->spec.target == IPT_RETURN)
			break;
		v = ipt_target_run(&r->spec, skb, st);
		if (v != IPT_CONTINUE)
			return v;
	}
	return ipt_policy(c, skb);
}

unsigned ipt_nat_chain(struct sk_buff *skb, const struct nf_hook_state *st)
{
	struct ipt_net *in = st->net->nf->tables;
	struct ipt_table *t = &in->table[IPT_NAT];

	for (uint32_t i = 0; i < t->n; i++)
		if (t->chain[i].ops.hooknum == st->hook)
			return ipt_do_table(&t->chain[i], skb, st);
	return NF_ACCEPT;
}

/* ---- what the rules say about inside and outside ---- */

static const struct ipt_chain *ipt_postrouting(const struct net *net)
{
	const struct ipt_net *in = net->nf->tables;
	const struct ipt_table *t = &in->table[IPT_NAT];

	return &t->chain[t->n - 1];
}

static bool ipt_hides(const struct ipt_spec *s)
{
	return s->target == IPT_SNAT || s->target == IPT_MASQUERADE;
}

static bool ipt_src_match(const struct ipt_spec *s, uint32_t saddr)
{
	return ((saddr & s->src_mask) == s->src) != ((s->inv & IPT_INV_SRC) != 0);
}

static bool ipt_out_match(const struct ipt_spec *s, const struct net_device *dev)
{
	return ipt_if_match(s->out, dev) != ((s->inv & IPT_INV_OUT) != 0);
}

bool ipt_nat_hides_any(const struct net *net)
{
	const struct ipt_chain *c = ipt_postrouting(net);

	for (uint32_t i = 0; i < c->n; i++)
		if (ipt_hides(&c->rule[i].spec))
			return true;
	return false;
}

bool ipt_nat_hides(const struct net *net, const struct net_device *out, uint32_t saddr)
{
	const struct ipt_chain *c = ipt_postrouting(net);

	for (uint32_t i = 0; i < c->n; i++) {
		const struct ipt_spec *s = &c->rule[i].spec;

		if (ipt_hides(s) && ipt_out_match(s, out) && ipt_src_match(s, saddr))
			return true;
	}
	return false;
}

/* A rule with -o: inside is every other device. One with -s alone: inside are these addresses. */
bool ipt_nat_inside(const struct net *net, const struct net_device *in, uint32_t saddr)
{
	const struct ipt_chain *c = ipt_postrouting(net);

	for (uint32_t i = 0; i < c->n; i++) {
		const struct ipt_spec *s = &c->rule[i].spec;

		if (!ipt_hides(s) || !ipt_src_match(s, saddr))
			continue;
		if (*s->out ? !ipt_out_match(s, in) : s->src_mask != 0)
			return true;
	}
	return false;
}

/* ---- rules of a chain ---- */

/* A rule about connections comes or goes. */
static void ipt_need(struct ipt_chain *c, const struct ipt_spec *s, bool need)
{
	if (s->has & IPT_HAS_CT)
		(need ? nf_ct_netns_get : nf_ct_netns_put)(c->table->net);
}

int ipt_insert(struct ipt_chain *c, uint32_t at, const struct ipt_spec *spec)
{
	if (c->n == IPT_MAX_RULES)
		return -ENOSPC;
	if (c->n == c->room) {
		c->room = c->room ? c->room * 2 : 8;
		c->rule = xrealloc(c->rule, c->room * sizeof(*c->rule));
	}
	memmove(c->rule + at + 1, c->rule + at, (c->n - at) * sizeof(*c->rule));
	c->rule[at] = (struct ipt_rule){ .spec = *spec };
	c->n++;
	ipt_need(c, spec, true);
	return 0;
}

void ipt_replace(struct ipt_chain *c, uint32_t at, const struct ipt_spec *spec)
{
	ipt_need(c, spec, true);
	ipt_need(c, &c->rule[at].spec, false);
	c->rule[at] = (struct ipt_rule){ .spec = *spec };
}

void ipt_delete(struct ipt_chain *c, uint32_t at)
{
	ipt_need(c, &c->rule[at].spec, false);
	c->n--;
	memmove(c->rule + at, c->rule + at + 1, (c->n - at) * sizeof(*c->rule));
}

void ipt_flush(struct ipt_chain *c)
{
	for (uint32_t i = 0; i < c->n; i++)
		ipt_need(c, &c->rule[i].spec, false);
	free(c->rule);
	c->rule = NULL;
	c->n = c->room = 0;
}

void ipt_zero(struct ipt_chain *c)
{
	uint32_t i;

	c->packets = c->bytes = 0;
	for (i = 0; i < c->n; i++)
		c->rule[i].packets = c->rule[i].bytes = 0;
}

int64_t ipt_find(const struct ipt_chain *c, const struct ipt_spec *spec)
{
	uint32_t i;

	for (i = 0; i < c->n; i++)
		if (!memcmp(&c->rule[i].spec, spec, sizeof(*spec)))
			return i;
	return -1;
}

struct ipt_chain *ipt_chain_find(struct ipt_table *t, const char *name)
{
	uint32_t i;

	for (i = 0; i < t->n; i++)
		if (!strcmp(t->chain[i].name, name))
			return &t->chain[i];
	return NULL;
}

/* ---- tables ---- */

static void ipt_load(struct net *net, struct ipt_table *t)
{
	struct ipt_net *in = net->nf->tables;
	uint32_t i;

	if (t == &in->table[IPT_NAT])
		nf_nat_enable(net);
	for (i = 0; i < t->n && !t->loaded && t != &in->table[IPT_NAT]; i++)
		nf_register_net_hook(net, &t->chain[i].ops);
	t->loaded = true;
}

struct ipt_table *ipt_table_get(struct net *net, const char *name)
{
	struct ipt_net *in = net->nf->tables;
	size_t i;

	for (i = 0; i < IPT_TABLES; i++) {
		if (strcmp(in->table[i].name, name))
			continue;
		ipt_load(net, &in->table[i]);
		return &in->table[i];
	}
	return NULL;
}

static void ipt_add_chain(struct ipt_table *t, const char *name, enum nf_inet_hooks hook)
{
	struct ipt_chain *c = &t->chain[t->n++];

	c->name = name;
	c->table = t;
	c->policy = IPT_ACCEPT;
	c->ops = (struct nf_hook_ops){ .hook = ipt_do_table, .priv = c, .hooknum = hook,
				       .priority = t->priority, .name = t->hook_name };
	list_init(&c->ops.list);
}

static void ipt_table_init(struct net *net, struct ipt_table *t, const char *name, const char *hook_name, int priority)
{
	t->net = net;
	t->name = name;
	t->hook_name = hook_name;
	t->priority = priority;
}

static int iptables_init(struct net *net)
{
	struct ipt_net *in = xcalloc(1, sizeof(*in));
	struct ipt_table *filter = &in->table[IPT_FILTER], *nat = &in->table[IPT_NAT], *mangle = &in->table[IPT_MANGLE],
			 *raw = &in->table[IPT_RAW];

	net->nf->tables = in;
	ipt_table_init(net, filter, "filter", "iptable_filter", NF_IP_PRI_FILTER);
	ipt_add_chain(filter, "INPUT", NF_INET_LOCAL_IN);
	ipt_add_chain(filter, "FORWARD", NF_INET_FORWARD);
	ipt_add_chain(filter, "OUTPUT", NF_INET_LOCAL_OUT);
	ipt_table_init(net, nat, "nat", "iptable_nat", NF_IP_PRI_NAT_DST);
	ipt_add_chain(nat, "PREROUTING", NF_INET_PRE_ROUTING);
	ipt_add_chain(nat, "INPUT", NF_INET_LOCAL_IN);
	ipt_add_chain(nat, "OUTPUT", NF_INET_LOCAL_OUT);
	ipt_add_chain(nat, "POSTROUTING", NF_INET_POST_ROUTING);
	ipt_table_init(net, mangle, "mangle", "iptable_mangle", NF_IP_PRI_MANGLE);
	ipt_add_chain(mangle, "PREROUTING", NF_INET_PRE_ROUTING);
	ipt_add_chain(mangle, "INPUT", NF_INET_LOCAL_IN);
	ipt_add_chain(mangle, "FORWARD", NF_INET_FORWARD);
	ipt_add_chain(mangle, "OUTPUT", NF_INET_LOCAL_OUT);
	ipt_add_chain(mangle, "POSTROUTING", NF_INET_POST_ROUTING);
	ipt_table_init(net, raw, "raw", "iptable_raw", NF_IP_PRI_RAW);
	ipt_add_chain(raw, "PREROUTING", NF_INET_PRE_ROUTING);
	ipt_add_chain(raw, "OUTPUT", NF_INET_LOCAL_OUT);
	return iptables_proc_init(net);
}

static void iptables_exit(struct net *net)
{
	struct ipt_net *in = net->nf ? net->nf->tables : NULL;
	size_t i;
	uint32_t k;

	if (!in)
		return;
	for (i = 0; i < IPT_TABLES; i++) {
		for (k = 0; k < in->table[i].n; k++) {
			if (in->table[i].loaded)
				nf_unregister_net_hook(net, &in->table[i].chain[k].ops);
			ipt_flush(&in->table[i].chain[k]);
		}
	}
	free(in);
	net->nf->tables = NULL;
}

const struct pernet_operations iptables_net_ops = { "iptables", iptables_init, iptables_exit };
