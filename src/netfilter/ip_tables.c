/* Rule tables on the hooks: does a packet match, and what becomes of it.
 *
 * Decides: each rule in order, the first that matches and has a verdict wins, else the chain's policy. A packet
 * too short for the ports or the ICMP type that a rule asks about is dropped: it could not have been checked.
 * A later fragment carries no ports and matches no rule about them (RFC 1858: a TCP fragment at offset 1 is an
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

static enum ipt_match ipt_l4_match(const struct ipt_spec *s, const struct sk_buff *skb, const struct ip4_hdr *ip)
{
	uint16_t off = ip4_frag(ip) & IP_OFFSET;
	uint8_t b[4];

	if (!(s->has & (IPT_HAS_SPORT | IPT_HAS_DPORT | IPT_HAS_ICMP)))
		return IPT_YES;
	if (off)
		return off == 1 && ip->protocol == PROTO_TCP ? IPT_BAD : IPT_NO;
	if (skb_copy_bits(skb, ip4_hlen(ip), b, sizeof(b)))
		return IPT_BAD;
	if (s->has & IPT_HAS_ICMP) {
		bool m = s->icmp_type == 0xff ||
			 (b[0] == s->icmp_type && b[1] >= s->icmp_code[0] && b[1] <= s->icmp_code[1]);

		return m != ((s->inv & IPT_INV_ICMP) != 0) ? IPT_YES : IPT_NO;
	}
	if ((s->has & IPT_HAS_SPORT) && !ipt_in_range(get_be16(b), s->sport, (s->inv & IPT_INV_SPORT) != 0))
		return IPT_NO;
	if ((s->has & IPT_HAS_DPORT) && !ipt_in_range(get_be16(b + 2), s->dport, (s->inv & IPT_INV_DPORT) != 0))
		return IPT_NO;
	return IPT_YES;
}

/* ---- the hook ---- */

static unsigned ipt_verdict(uint8_t target)
{
	return target == IPT_DROP ? NF_DROP : NF_ACCEPT;
}

static unsigned ipt_policy(struct ipt_chain *c, const struct sk_buff *skb)
{
	c->packets++;
	c->bytes += skb->len;
	return ipt_verdict(c->policy);
}

static unsigned ipt_do_table(void *priv, struct sk_buff *skb, const struct nf_hook_state *st)
{
	TRACE_FN(&st->net->probe, skb->serial);
	struct ipt_chain *c = priv;
	const struct ip4_hdr *ip = (const void *)skb->data;
	uint32_t i;

	if (skb_headlen(skb) < IP4_HLEN || ip4_hlen(ip) < IP4_HLEN)
		return NF_DROP;
	for (i = 0; i < c->n; i++) {
		struct ipt_rule *r = &c->rule[i];
		enum ipt_match m = ipt_ip_match(&r->spec, ip, st) ? ipt_l4_match(&r->spec, skb, ip) : IPT_NO;

		if (m == IPT_BAD)
			return NF_DROP;
		if (m == IPT_NO)
			continue;
		r->packets++;
		r->bytes += skb->len;
		if (r->spec.target == IPT_RETURN)
			break;
		if (r->spec.target != IPT_NONE)
			return ipt_verdict(r->spec.target);
	}
	return ipt_policy(c, skb);
}

/* ---- rules of a chain ---- */

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
	return 0;
}

void ipt_delete(struct ipt_chain *c, uint32_t at)
{
	c->n--;
	memmove(c->rule + at, c->rule + at + 1, (c->n - at) * sizeof(*c->rule));
}

void ipt_flush(struct ipt_chain *c)
{
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
	uint32_t i;

	for (i = 0; i < t->n && !t->loaded; i++)
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

static void ipt_table_init(struct ipt_table *t, const char *name, const char *hook_name, int priority)
{
	t->name = name;
	t->hook_name = hook_name;
	t->priority = priority;
}

static int iptables_init(struct net *net)
{
	struct ipt_net *in = xcalloc(1, sizeof(*in));
	struct ipt_table *filter = &in->table[0], *mangle = &in->table[1], *raw = &in->table[2];

	net->nf->tables = in;
	ipt_table_init(filter, "filter", "iptable_filter", NF_IP_PRI_FILTER);
	ipt_add_chain(filter, "INPUT", NF_INET_LOCAL_IN);
	ipt_add_chain(filter, "FORWARD", NF_INET_FORWARD);
	ipt_add_chain(filter, "OUTPUT", NF_INET_LOCAL_OUT);
	ipt_table_init(mangle, "mangle", "iptable_mangle", NF_IP_PRI_MANGLE);
	ipt_add_chain(mangle, "PREROUTING", NF_INET_PRE_ROUTING);
	ipt_add_chain(mangle, "INPUT", NF_INET_LOCAL_IN);
	ipt_add_chain(mangle, "FORWARD", NF_INET_FORWARD);
	ipt_add_chain(mangle, "OUTPUT", NF_INET_LOCAL_OUT);
	ipt_add_chain(mangle, "POSTROUTING", NF_INET_POST_ROUTING);
	ipt_table_init(raw, "raw", "iptable_raw", NF_IP_PRI_RAW);
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
