/* RTM_GETROUTE for one address: "ip route get". Runs the very lookup that a packet would, and shows the rtable.
 *
 * Called by core's rtnetlink. Tests: tests/unit/ipv4/test_fib_rtnl.c (S1-10, S1-11, S2-29, S3-10). */
#include <errno.h>
#include <netinet/in.h>
#include "ipv4/netns_ipv4.h"

#define USER_HZ_NS (NSEC_PER_SEC / 100) /* clock_t as programs count it */

struct route_query {
	struct flowi4 fl;
	bool has_src;
	uint32_t rtm_flags, dst; /* dst: as asked for; a lookup of 0.0.0.0 finds this host */
};

static int query_parse(const struct nlmsghdr *h, struct route_query *q)
{
	const struct nlattr *tb[RTA_MAX + 1];
	const struct rtmsg *rtm = NLMSG_DATA(h);
	int err = nl_parse(h, sizeof(*rtm), tb, RTA_MAX);

	if (err)
		return err;
	if ((tb[RTA_DST] && nla_len(tb[RTA_DST]) != 4) || (tb[RTA_SRC] && nla_len(tb[RTA_SRC]) != 4) ||
	    (tb[RTA_IIF] && nla_len(tb[RTA_IIF]) != 4) || (tb[RTA_OIF] && nla_len(tb[RTA_OIF]) != 4))
		return -EINVAL;
	memset(q, 0, sizeof(*q));
	q->rtm_flags = rtm->rtm_flags;
	q->dst = q->fl.daddr = tb[RTA_DST] ? nla_get_ip4(tb[RTA_DST]) : 0;
	q->fl.saddr = tb[RTA_SRC] ? nla_get_ip4(tb[RTA_SRC]) : 0;
	q->has_src = tb[RTA_SRC] != NULL;
	q->fl.tos = rtm->rtm_tos & 0x1c;
	q->fl.iif = tb[RTA_IIF] ? (int)nla_get_u32(tb[RTA_IIF]) : 0;
	q->fl.oif = tb[RTA_OIF] ? (int)nla_get_u32(tb[RTA_OIF]) : 0;
	q->fl.mark = tb[RTA_MARK] ? nla_get_u32(tb[RTA_MARK]) : 0;
	return 0;
}

static struct rtable *query_output(struct net *net, struct route_query *q, int *err)
{
	return ip_route_output_flow(net, &q->fl, NULL, err);
}

/* As if a packet had come in by iif. */
static struct rtable *query_input(struct net *net, struct route_query *q, int *err)
{
	struct net_device *dev = dev_get_by_index(net, q->fl.iif);
	struct sk_buff *skb;
	struct rtable *rt = NULL;

	*err = -ENODEV;
	if (!dev || !dev->ip_ptr)
		return NULL;
	*err = -ENOBUFS;
	skb = alloc_skb(net, 64);
	if (!skb)
		return NULL;
	skb_reset_network_header(skb);
	memset(skb_put(skb, IP4_HLEN), 0, IP4_HLEN);
	skb->dev = dev;
	skb->mark = q->fl.mark;
	*err = ip_route_input_noref(skb, q->fl.daddr, q->fl.saddr, q->fl.tos, dev) ? -EINVAL : 0;
	if (!*err)
		*err = skb_dst(skb)->error;
	if (!*err)
		rt = (struct rtable *)(void *)dst_hold(skb_dst(skb));
	consume_skb(skb);
	return rt;
}

static void put_rt_metrics(struct nl_reply *r, const struct rtable *rt, bool pmtu)
{
	fib_put_metrics(r, rt->fi, pmtu ? rt->pmtu : 0, pmtu && rt->pmtu_locked);
}

static void put_rtable(struct nl_reply *r, const struct route_query *q, const struct rtable *rt)
{
	struct rtmsg rtm = { .rtm_family = AF_INET, .rtm_dst_len = 32, .rtm_src_len = q->has_src ? 32 : 0,
			     .rtm_tos = q->fl.tos, .rtm_scope = RT_SCOPE_UNIVERSE, .rtm_type = (uint8_t)rt->type };
	uint32_t table = q->rtm_flags & RTM_F_LOOKUP_TABLE && rt->table_id ? rt->table_id : RT_TABLE_MAIN;
	uint64_t now = rt->dst.net->now_ns;
	bool pmtu = rt->pmtu && now < rt->pmtu_expires_ns;
	struct rta_cacheinfo ci = { .rta_clntref = (uint32_t)rt->dst.refcnt - 1 };

	rtm.rtm_table = table < 256 ? (uint8_t)table : RT_TABLE_COMPAT;
	/* Bits above 0xffff are the rtable's own: cache <local>, <broadcast,...>. */
	rtm.rtm_flags = (rt->flags & 0xffff0000u) | RTM_F_CLONED;
	nl_begin(r, RTM_NEWROUTE, 0, &rtm, sizeof(rtm));
	nl_attr_ip4(r, RTA_DST, q->dst);
	nl_attr_u32(r, RTA_TABLE, table);
	if (q->has_src)
		nl_attr_ip4(r, RTA_SRC, q->fl.saddr);
	if (rt->dst.dev)
		nl_attr_u32(r, RTA_OIF, (uint32_t)rt->dst.dev->ifindex);
	if (!rt->is_input && !q->has_src)
		nl_attr_ip4(r, RTA_PREFSRC, q->fl.saddr);
	if (rt->uses_gateway)
		nl_attr_ip4(r, RTA_GATEWAY, rt->gw);
	put_rt_metrics(r, rt, pmtu);
	if (q->fl.mark)
		nl_attr_u32(r, RTA_MARK, q->fl.mark);
	if (!rt->is_input)
		nl_attr_u32(r, RTA_UID, 0);
	if (rt->is_input)
		nl_attr_u32(r, RTA_IIF, (uint32_t)q->fl.iif);
	ci.rta_expires = pmtu ? (int32_t)((rt->pmtu_expires_ns - now) / USER_HZ_NS) : 0;
	ci.rta_error = (uint32_t)-rt->dst.error;
	nl_attr(r, RTA_CACHEINFO, &ci, sizeof(ci));
	nl_end(r);
}

static int rtm_getroute(struct net *net, const struct nlmsghdr *h, struct nl_reply *reply)
{
	struct route_query q;
	struct rtable *rt;
	int err = query_parse(h, &q);

	if (err)
		return err;
	rt = q.fl.iif ? query_input(net, &q, &err) : query_output(net, &q, &err);
	if (!rt)
		return err;
	put_rtable(reply, &q, rt);
	dst_release(&rt->dst);
	return 0;
}

int route_rtnl_init(struct net *net)
{
	static const struct rtnl_handler h[] = {
		{ NETLINK_ROUTE, RTM_GETROUTE, rtm_getroute, fib_rtnl_dump },
	};

	return rtnl_register(net, h, ARRAY_SIZE(h));
}
