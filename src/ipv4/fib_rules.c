/* Which tables are asked, and in which order: the routing rules (ip-rule(8)). Without rules of the user's own
 * that is local, main, default (S2-25); the fast path of fib_lookup walks these three without a list.
 *
 * Called by route_out.c and route_in.c for each packet that has no cached route, and by fib_semantics.c for
 * gateways. Hands on to fib_table_lookup. Tests: tests/unit/ipv4/test_fib.c. */
#include <errno.h>
#include <stdlib.h>
#include <linux/fib_rules.h>
#include "ipv4/fib_trie.h"
#include "ipv4/netns_ipv4.h"

#define FIB_RULES_MAX 4096u /* of a host */

struct fib_rule {
	struct list_head list;
	uint32_t priority, table, mark, mark_mask;
	uint32_t src, dst;
	uint8_t src_len, dst_len, tos, action, protocol;
	int32_t suppress_prefixlen; /* -1: none */
	bool invert;
	char iifname[16], oifname[16];
};

static bool rule_dev_match(struct net *net, const char *name, int ifindex)
{
	struct net_device *dev;

	if (!name[0])
		return true;
	dev = ifindex ? dev_get_by_index(net, ifindex) : NULL;
	return dev && strcmp(dev->name, name) == 0;
}

static bool rule_match(struct net *net, const struct fib_rule *r, const struct flowi4 *flp)
{
	bool m = ((flp->saddr ^ r->src) & ip4_mask(r->src_len)) == 0 &&
		 ((flp->daddr ^ r->dst) & ip4_mask(r->dst_len)) == 0 && (!r->tos || r->tos == flp->tos) &&
		 ((r->mark ^ flp->mark) & r->mark_mask) == 0 &&
		 rule_dev_match(net, r->iifname, flp->iif ? flp->iif : net->loopback_dev ? net->loopback_dev->ifindex : 0) &&
		 rule_dev_match(net, r->oifname, flp->oif);

	return m != r->invert;
}

/* 0, or -EAGAIN: the next rule. */
static int rule_action(struct net *net, const struct fib_rule *r, const struct flowi4 *flp, struct fib_result *res)
{
	struct fib_table *tb;
	int err;

	switch (r->action) {
	case FR_ACT_TO_TBL:
		break;
	case FR_ACT_UNREACHABLE:
		return -ENETUNREACH;
	case FR_ACT_PROHIBIT:
		return -EACCES;
	case FR_ACT_BLACKHOLE:
		return -EINVAL;
	default:
		return -EAGAIN;
	}
	tb = fib_get_table(net, r->table);
	if (!tb)
		return -EAGAIN;
	err = fib_table_lookup(tb, flp, res, FIB_LOOKUP_NOREF);
	if (!err && r->suppress_prefixlen >= 0 && res->prefixlen <= r->suppress_prefixlen)
		return -EAGAIN;
	return err;
}

int fib_rules_lookup(struct net *net, const struct flowi4 *flp, struct fib_result *res)
{
	const struct fib_rule *r;

	list_for_each_entry(r, &net->ipv4->rules, list) {
		if (rule_match(net, r, flp)) {
			int err = rule_action(net, r, flp, res);

			if (err != -EAGAIN)
				return err;
		}
	}
	return -ENETUNREACH;
}

int fib_lookup(struct net *net, const struct flowi4 *flp, struct fib_result *res)
{
	TRACE_FN(&net->probe, 0);
	struct netns_ipv4 *ip = net->ipv4;
	struct fib_table *const order[3] = { ip->fib_local, ip->fib_main, ip->fib_default };

	net->mib.fib_lookups++;
	res->chain = NULL;
	if (unlikely(ip->has_custom_rules))
		return fib_rules_lookup(net, flp, res);
	for (unsigned i = 0; i < ARRAY_SIZE(order); i++) {
		int err = order[i] ? fib_table_lookup(order[i], flp, res, FIB_LOOKUP_NOREF) : -EAGAIN;

		if (err != -EAGAIN)
			return err;
	}
	return -ENETUNREACH;
}

/* ---- changing ---- */

static void rule_insert(struct netns_ipv4 *ip, struct fib_rule *r)
{
	struct fib_rule *at;

	list_for_each_entry(at, &ip->rules, list) {
		if (at->priority > r->priority)
			break;
	}
	list_add_tail(&r->list, &at->list);
}

static bool rules_are_default(const struct netns_ipv4 *ip)
{
	static const struct {
		uint32_t prio, table;
	} dflt[3] = { { 0, RT_TABLE_LOCAL_ }, { 32766, RT_TABLE_MAIN_ }, { 32767, RT_TABLE_DEFAULT_ } };
	const struct fib_rule *r;
	unsigned i = 0;

	list_for_each_entry(r, &ip->rules, list) {
		if (i >= ARRAY_SIZE(dflt) || r->priority != dflt[i].prio || r->table != dflt[i].table ||
		    r->action != FR_ACT_TO_TBL || r->src_len || r->dst_len || r->tos || r->mark_mask || r->invert ||
		    r->iifname[0] || r->oifname[0] || r->suppress_prefixlen >= 0)
			return false;
		i++;
	}
	return i == ARRAY_SIZE(dflt);
}

static void rules_changed(struct net *net)
{
	net->ipv4->has_custom_rules = !rules_are_default(net->ipv4);
	rt_cache_flush(net);
}

static void rule_default(struct netns_ipv4 *ip, uint32_t prio, uint32_t table)
{
	struct fib_rule *r = xcalloc(1, sizeof(*r));

	r->priority = prio;
	r->table = table;
	r->action = FR_ACT_TO_TBL;
	r->protocol = RTPROT_KERNEL;
	r->suppress_prefixlen = -1;
	rule_insert(ip, r);
}

static void copy_name(char out[16], const struct nlattr *a)
{
	size_t n = min_sz(nla_len(a), 15);

	memcpy(out, nla_data(a), n);
	out[n] = 0;
}

static int rule_parse(const struct nlmsghdr *h, struct fib_rule *r, bool *has_prio, bool *has_table)
{
	const struct nlattr *tb[FRA_MAX + 1];
	const struct fib_rule_hdr *frh = NLMSG_DATA(h);
	int err = nl_parse(h, sizeof(*frh), tb, FRA_MAX);

	if (err)
		return err;
	if (frh->src_len > 32 || frh->dst_len > 32)
		return -EINVAL;
	memset(r, 0, sizeof(*r));
	r->src_len = frh->src_len;
	r->dst_len = frh->dst_len;
	r->tos = frh->tos;
	r->action = frh->action;
	r->invert = (frh->flags & FIB_RULE_INVERT) != 0;
	r->protocol = tb[FRA_PROTOCOL] && nla_len(tb[FRA_PROTOCOL]) ? *(const uint8_t *)nla_data(tb[FRA_PROTOCOL]) : RTPROT_BOOT;
	r->suppress_prefixlen = tb[FRA_SUPPRESS_PREFIXLEN] ? (int32_t)nla_get_u32(tb[FRA_SUPPRESS_PREFIXLEN]) : -1;
	r->table = tb[FRA_TABLE] ? nla_get_u32(tb[FRA_TABLE]) : frh->table;
	r->src = tb[FRA_SRC] ? nla_get_ip4(tb[FRA_SRC]) : 0;
	r->dst = tb[FRA_DST] ? nla_get_ip4(tb[FRA_DST]) : 0;
	if ((r->src_len && !tb[FRA_SRC]) || (r->dst_len && !tb[FRA_DST]))
		return -EINVAL;
	r->mark = tb[FRA_FWMARK] ? nla_get_u32(tb[FRA_FWMARK]) : 0;
	r->mark_mask = tb[FRA_FWMASK] ? nla_get_u32(tb[FRA_FWMASK]) : tb[FRA_FWMARK] ? 0xffffffffu : 0;
	if (tb[FRA_IIFNAME])
		copy_name(r->iifname, tb[FRA_IIFNAME]);
	if (tb[FRA_OIFNAME])
		copy_name(r->oifname, tb[FRA_OIFNAME]);
	*has_prio = tb[FRA_PRIORITY] != NULL;
	*has_table = r->table != 0;
	r->priority = *has_prio ? nla_get_u32(tb[FRA_PRIORITY]) : 0;
	return 0;
}

static bool rule_equal(const struct fib_rule *a, const struct fib_rule *b)
{
	return a->priority == b->priority && a->table == b->table && a->action == b->action && a->src == b->src &&
	       a->src_len == b->src_len && a->dst == b->dst && a->dst_len == b->dst_len && a->tos == b->tos &&
	       a->mark == b->mark && a->mark_mask == b->mark_mask && a->invert == b->invert &&
	       strcmp(a->iifname, b->iifname) == 0 && strcmp(a->oifname, b->oifname) == 0 &&
	       a->suppress_prefixlen == b->suppress_prefixlen;
}

/* A new rule without a number goes right before the second one (rule 0 stays the first). */
static uint32_t rule_default_prio(const struct netns_ipv4 *ip)
{
	const struct fib_rule *r;

	if (list_empty(&ip->rules) || ip->rules.next->next == &ip->rules)
		return 0;
	r = list_entry(ip->rules.next->next, struct fib_rule, list);
	return r->priority ? r->priority - 1 : 0;
}

static int rtm_newrule(struct net *net, const struct nlmsghdr *h, struct nl_reply *reply)
{
	struct netns_ipv4 *ip = net->ipv4;
	struct fib_rule r, *have;
	bool has_prio, has_table;
	uint32_t n = 0;
	int err = rule_parse(h, &r, &has_prio, &has_table);

	if (err)
		return err;
	if (r.action == FR_ACT_TO_TBL && !has_table)
		return -EINVAL;
	if (!has_prio)
		r.priority = rule_default_prio(ip);
	list_for_each_entry(have, &ip->rules, list) {
		n++;
		if (rule_equal(have, &r) && (h->nlmsg_flags & NLM_F_EXCL))
			return -EEXIST;
	}
	if (n >= FIB_RULES_MAX)
		return -ENOSPC;
	have = xcalloc(1, sizeof(*have));
	*have = r;
	rule_insert(ip, have);
	rules_changed(net);
	return 0;
}

static int rtm_delrule(struct net *net, const struct nlmsghdr *h, struct nl_reply *reply)
{
	struct fib_rule r, *at, *tmp;
	bool has_prio, has_table;
	int err = rule_parse(h, &r, &has_prio, &has_table);

	if (err)
		return err;
	list_for_each_entry_safe(at, tmp, &net->ipv4->rules, list) {
		if ((has_prio && at->priority != r.priority) || (has_table && at->table != r.table) ||
		    (r.action && at->action != r.action) || (r.src_len && (at->src != r.src || at->src_len != r.src_len)) ||
		    (r.dst_len && (at->dst != r.dst || at->dst_len != r.dst_len)) || (r.tos && at->tos != r.tos) ||
		    (r.mark_mask && (at->mark != r.mark || at->mark_mask != r.mark_mask)) ||
		    (r.iifname[0] && strcmp(r.iifname, at->iifname) != 0) ||
		    (r.oifname[0] && strcmp(r.oifname, at->oifname) != 0))
			continue;
		list_del_init(&at->list);
		free(at);
		rules_changed(net);
		return 0;
	}
	return -ENOENT;
}

static int rtm_getrule(struct net *net, const struct nlmsghdr *h, struct nl_reply *reply)
{
	const struct fib_rule *r;

	list_for_each_entry(r, &net->ipv4->rules, list) {
		struct fib_rule_hdr frh = { .family = 2 /* AF_INET */, .dst_len = r->dst_len, .src_len = r->src_len,
					    .tos = r->tos, .action = r->action };

		frh.table = r->table < 256 ? (uint8_t)r->table : 252 /* RT_TABLE_COMPAT */;
		frh.flags = r->invert ? FIB_RULE_INVERT : 0;
		nl_begin(reply, RTM_NEWRULE, NLM_F_MULTI, &frh, sizeof(frh));
		nl_attr_u32(reply, FRA_TABLE, r->table);
		nl_attr_u32(reply, FRA_SUPPRESS_PREFIXLEN, (uint32_t)r->suppress_prefixlen);
		nl_attr_u8(reply, FRA_PROTOCOL, r->protocol);
		if (r->priority)
			nl_attr_u32(reply, FRA_PRIORITY, r->priority);
		if (r->src_len)
			nl_attr_ip4(reply, FRA_SRC, r->src);
		if (r->dst_len)
			nl_attr_ip4(reply, FRA_DST, r->dst);
		if (r->mark_mask) {
			nl_attr_u32(reply, FRA_FWMARK, r->mark);
			nl_attr_u32(reply, FRA_FWMASK, r->mark_mask);
		}
		if (r->iifname[0])
			nl_attr_str(reply, FRA_IIFNAME, r->iifname);
		if (r->oifname[0])
			nl_attr_str(reply, FRA_OIFNAME, r->oifname);
		nl_end(reply);
	}
	return 0;
}

int fib_rules_init(struct net *net)
{
	static const struct rtnl_handler h[] = {
		{ NETLINK_ROUTE, RTM_NEWRULE, rtm_newrule, NULL },
		{ NETLINK_ROUTE, RTM_DELRULE, rtm_delrule, NULL },
		{ NETLINK_ROUTE, RTM_GETRULE, NULL, rtm_getrule },
	};
	struct netns_ipv4 *ip = net->ipv4;

	list_init(&ip->rules);
	rule_default(ip, 0, RT_TABLE_LOCAL_);
	rule_default(ip, 32766, RT_TABLE_MAIN_);
	rule_default(ip, 32767, RT_TABLE_DEFAULT_);
	return rtnl_register(net, h, ARRAY_SIZE(h));
}

void fib_rules_exit(struct net *net)
{
	struct fib_rule *r, *tmp;

	list_for_each_entry_safe(r, tmp, &net->ipv4->rules, list) {
		list_del_init(&r->list);
		free(r);
	}
}
