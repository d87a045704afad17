/* RTM_NEWROUTE, RTM_DELROUTE and the dump of RTM_GETROUTE: what ip-route(8) sends and prints. RTM_GETROUTE for one
 * address ("ip route get") is in route_rtnl.c.
 *
 * Called by core's rtnetlink; hands on to fib_frontend.c. Layouts: rtnetlink(7).
 * Tests: tests/unit/ipv4/test_fib_rtnl.c (S2-27, S2-28). */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include "ipv4/fib_trie.h"
#include "ipv4/netns_ipv4.h"

/* ---- reading ---- */

static size_t align4(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

/* Index the attributes of a nest. 0 or -EINVAL. */
static int parse_nested(const struct nlattr *nest, const struct nlattr **tb, unsigned max)
{
	const char *p = nla_data(nest);
	size_t left = nla_len(nest);

	for (unsigned i = 0; i <= max; i++)
		tb[i] = NULL;
	while (left >= sizeof(struct nlattr)) {
		const struct nlattr *a = (const void *)p;
		size_t step;

		if (a->nla_len < sizeof(*a) || a->nla_len > left)
			return -EINVAL;
		if ((a->nla_type & NLA_TYPE_MASK) <= max)
			tb[a->nla_type & NLA_TYPE_MASK] = a;
		step = min_sz(align4(a->nla_len), left);
		p += step;
		left -= step;
	}
	return left ? -EINVAL : 0;
}

#define METRIC_ADVMSS_MAX (65535u - 40)
#define METRIC_MTU_MAX (65535u - 15)
static uint32_t metric_bounded(int which, uint32_t v)
{
	if (which == RTAX_ADVMSS)
		return min_u32(v, METRIC_ADVMSS_MAX);
	if (which == RTAX_MTU)
		return min_u32(v, METRIC_MTU_MAX);
	if (which == RTAX_HOPLIMIT)
		return min_u32(v, 255);
	return v;
}

static int attr_u32(const struct nlattr *a, uint32_t *out)
{
	if (!a)
		return 0;
	if (nla_len(a) < 4)
		return -EINVAL;
	*out = nla_get_u32(a);
	return 0;
}

static int parse_metrics(const struct nlattr *nest, struct fib_config *cfg)
{
	const struct nlattr *m[RTAX_MAX + 1];
	int err = parse_nested(nest, m, RTAX_MAX);

	if (err)
		return err;
	for (int i = RTAX_LOCK; i <= RTAX_MAX; i++) {
		if (!m[i])
			continue;
		if (i == RTAX_CC_ALGO) {
			memcpy(cfg->congctl, nla_data(m[i]), min_sz(nla_len(m[i]), sizeof(cfg->congctl) - 1));
			continue;
		}
		if (nla_len(m[i]) < 4)
			return -EINVAL;
		cfg->metrics[i] = metric_bounded(i, nla_get_u32(m[i]));
	}
	return cfg->metrics[RTAX_FEATURES] & ~(uint32_t)RTAX_FEATURE_MASK ? -EINVAL : 0;
}

static int parse_multipath(const struct nlattr *nest, struct fib_config *cfg)
{
	const char *p = nla_data(nest);
	size_t left = nla_len(nest);

	while (left >= sizeof(struct rtnexthop)) {
		const struct rtnexthop *rh = (const void *)p;
		struct fib_nh *nh = &cfg->nh[cfg->n_nh];
		struct {
			struct nlattr a;
			char data[64];
		} tmp;
		const struct nlattr *tb[RTA_MAX + 1];
		size_t step;

		if (rh->rtnh_len < sizeof(*rh) || rh->rtnh_len > left || cfg->n_nh >= FIB_MAX_NH ||
		    rh->rtnh_len - sizeof(*rh) > sizeof(tmp.data))
			return -EINVAL;
		tmp.a.nla_len = (uint16_t)(sizeof(tmp.a) + rh->rtnh_len - sizeof(*rh));
		tmp.a.nla_type = 0;
		memcpy(tmp.data, rh + 1, rh->rtnh_len - sizeof(*rh));
		if (parse_nested(&tmp.a, tb, RTA_MAX))
			return -EINVAL;
		memset(nh, 0, sizeof(*nh));
		nh->oif = rh->rtnh_ifindex;
		nh->weight = (uint8_t)(rh->rtnh_hops < 255 ? rh->rtnh_hops + 1 : 255);
		nh->flags = rh->rtnh_flags & RTNH_F_ONLINK;
		if (tb[RTA_GATEWAY] && nla_len(tb[RTA_GATEWAY]) == 4)
			nh->gw = nla_get_ip4(tb[RTA_GATEWAY]);
		cfg->n_nh++;
		step = min_sz(align4(rh->rtnh_len), left);
		p += step;
		left -= step;
	}
	return cfg->n_nh ? 0 : -EINVAL;
}

static int attr_ip4(const struct nlattr *a, uint32_t *out)
{
	if (!a)
		return 0;
	if (nla_len(a) != 4)
		return -EINVAL;
	*out = nla_get_ip4(a);
	return 0;
}

static int route_parse(const struct nlmsghdr *h, struct fib_config *cfg)
{
	const struct nlattr *tb[RTA_MAX + 1];
	const struct rtmsg *rtm = NLMSG_DATA(h);
	uint32_t oif = 0;
	int err = nl_parse(h, sizeof(*rtm), tb, RTA_MAX);

	if (err)
		return err;
	if (rtm->rtm_family && rtm->rtm_family != AF_INET)
		return -EAFNOSUPPORT;
	if (rtm->rtm_dst_len > 32 || rtm->rtm_src_len)
		return -EINVAL;
	memset(cfg, 0, sizeof(*cfg));
	cfg->dst_len = rtm->rtm_dst_len;
	cfg->tos = rtm->rtm_tos;
	cfg->table = rtm->rtm_table;
	cfg->protocol = rtm->rtm_protocol;
	cfg->scope = rtm->rtm_scope;
	cfg->type = rtm->rtm_type;
	cfg->nlflags = h->nlmsg_flags;
	cfg->nh_flags = (uint8_t)(rtm->rtm_flags & RTNH_F_ONLINK);
	if (attr_ip4(tb[RTA_DST], &cfg->dst) || attr_ip4(tb[RTA_GATEWAY], &cfg->gw) ||
	    attr_ip4(tb[RTA_PREFSRC], &cfg->prefsrc) || attr_u32(tb[RTA_OIF], &oif) ||
	    attr_u32(tb[RTA_PRIORITY], &cfg->priority) || attr_u32(tb[RTA_TABLE], &cfg->table))
		return -EINVAL;
	if (oif > INT32_MAX)
		return -EINVAL;
	cfg->oif = (int)oif;
	if (tb[RTA_METRICS])
		err = parse_metrics(tb[RTA_METRICS], cfg);
	if (!err && tb[RTA_MULTIPATH])
		err = cfg->gw ? -EINVAL : parse_multipath(tb[RTA_MULTIPATH], cfg);
	return err;
}

static int rtm_newroute(struct net *net, const struct nlmsghdr *h, struct nl_reply *reply)
{
	struct fib_config cfg;
	int err = route_parse(h, &cfg);

	if (err)
		return err;
	if (cfg.type == RTN_UNSPEC)
		cfg.type = RTN_UNICAST;
	return fib_table_insert(net, fib_new_table(net, cfg.table), &cfg);
}

static int rtm_delroute(struct net *net, const struct nlmsghdr *h, struct nl_reply *reply)
{
	struct fib_config cfg;
	struct fib_table *tb;
	int err = route_parse(h, &cfg);

	if (err)
		return err;
	tb = fib_get_table(net, cfg.table);
	return tb ? fib_table_delete(net, tb, &cfg) : -ESRCH;
}

/* ---- showing ---- */

void fib_put_metrics(struct nl_reply *r, const struct fib_info *fi, uint32_t mtu, bool mtu_locked)
{
	uint32_t m[FIB_METRICS] = { 0 };
	bool any = false;
	size_t at;

	if (fi)
		memcpy(m, fi->metrics, sizeof(m));
	if (mtu)
		m[RTAX_MTU] = mtu;
	if (mtu_locked)
		m[RTAX_LOCK] |= 1u << RTAX_MTU;
	for (int i = RTAX_MTU; i <= RTAX_MAX; i++)
		any |= m[i] != 0;
	if (!any && !(fi && fi->congctl[0]))
		return;
	at = nl_nest_start(r, RTA_METRICS);
	for (int i = RTAX_LOCK; i <= RTAX_MAX; i++) {
		if (i == RTAX_CC_ALGO && fi && fi->congctl[0])
			nl_attr_str(r, RTAX_CC_ALGO, fi->congctl);
		else if (m[i])
			nl_attr_u32(r, (uint16_t)i, m[i]);
	}
	nl_nest_end(r, at);
}

static uint8_t nh_shown_flags(const struct fib_nh *nh)
{
	uint8_t f = nh->flags & (RTNH_F_DEAD | RTNH_F_ONLINK);

	if (nh->dev && (nh->dev->flags & DEVF_UP) && !nh->dev->carrier)
		f |= RTNH_F_LINKDOWN;
	return f;
}

static void put_multipath(struct nl_reply *r, const struct fib_info *fi)
{
	size_t at = nl_nest_start(r, RTA_MULTIPATH);

	for (uint32_t i = 0; i < fi->nhs; i++) {
		const struct fib_nh *nh = &fi->nh[i];
		struct {
			struct rtnexthop h;
			struct nlattr a;
			uint8_t gw[4];
		} one = { .h = { .rtnh_hops = (uint8_t)(nh->weight - 1), .rtnh_ifindex = nh->oif } };

		one.h.rtnh_len = nh->gw ? sizeof(one) : sizeof(one.h);
		one.h.rtnh_flags = nh_shown_flags(nh);
		one.a.nla_len = sizeof(one.a) + 4;
		one.a.nla_type = RTA_GATEWAY;
		put_be32(one.gw, nh->gw);
		sb_add(&r->buf, &one, one.h.rtnh_len);
	}
	nl_nest_end(r, at);
}

static void put_route(struct nl_reply *r, const struct fib_table *tb, const struct fib_dump_item *it)
{
	const struct fib_info *fi = it->fa->fi;
	struct rtmsg rtm = { .rtm_family = AF_INET, .rtm_dst_len = it->plen, .rtm_tos = it->fa->tos,
			     .rtm_protocol = fi->protocol, .rtm_scope = fi->scope, .rtm_type = it->fa->type };

	rtm.rtm_table = tb->id < 256 ? (uint8_t)tb->id : RT_TABLE_COMPAT;
	if (fi->nhs == 1)
		rtm.rtm_flags = nh_shown_flags(&fi->nh[0]);
	nl_begin(r, RTM_NEWROUTE, NLM_F_MULTI, &rtm, sizeof(rtm));
	nl_attr_u32(r, RTA_TABLE, tb->id);
	if (it->plen)
		nl_attr_ip4(r, RTA_DST, it->key);
	if (fi->priority)
		nl_attr_u32(r, RTA_PRIORITY, fi->priority);
	fib_put_metrics(r, fi, 0, false);
	if (fi->prefsrc)
		nl_attr_ip4(r, RTA_PREFSRC, fi->prefsrc);
	if (fi->nhs > 1) {
		put_multipath(r, fi);
	} else {
		if (fi->nh[0].gw)
			nl_attr_ip4(r, RTA_GATEWAY, fi->nh[0].gw);
		if (fi->nh[0].oif)
			nl_attr_u32(r, RTA_OIF, (uint32_t)fi->nh[0].oif);
	}
	nl_end(r);
}

struct route_filter {
	uint32_t table, oif;
	uint8_t protocol, type;
};

static bool filter_wants(const struct route_filter *f, const struct fib_dump_item *it)
{
	const struct fib_info *fi = it->fa->fi;
	bool dev = !f->oif;

	for (uint32_t i = 0; i < fi->nhs && !dev; i++)
		dev = (uint32_t)fi->nh[i].oif == f->oif;
	return dev && (!f->protocol || f->protocol == fi->protocol) && (!f->type || f->type == it->fa->type);
}

static void dump_table(struct nl_reply *r, struct fib_table *tb, const struct route_filter *f)
{
	size_t n;
	struct fib_dump_item *v = fib_table_collect(tb, &n);

	for (size_t i = 0; i < n; i++) {
		if (filter_wants(f, &v[i]))
			put_route(r, tb, &v[i]);
	}
	free(v);
}

static int cmp_table(const void *a, const void *b)
{
	const struct fib_table *const *x = a, *const *y = b;

	return (*x)->id < (*y)->id ? -1 : (*x)->id > (*y)->id;
}

/* All tables by number, so that no output depends on the hash. */
static void dump_all(struct net *net, struct nl_reply *r, const struct route_filter *f)
{
	struct fib_table **v = NULL, *tb;
	size_t n = 0;

	for (unsigned i = 0; i < FIB_TABLE_HASH; i++) {
		hlist_for_each_entry(tb, &net->ipv4->tables[i], hash) {
			v = xrealloc(v, (n + 1) * sizeof(struct fib_table *));
			v[n++] = tb;
		}
	}
	if (n)
		qsort(v, n, sizeof(struct fib_table *), cmp_table);
	for (size_t i = 0; i < n; i++)
		dump_table(r, v[i], f);
	free(v);
}

int fib_rtnl_dump(struct net *net, const struct nlmsghdr *h, struct nl_reply *r)
{
	const struct rtmsg *rtm = NLMSG_DATA(h);
	const struct nlattr *a[RTA_MAX + 1];
	struct route_filter f = { 0 };
	struct fib_table *tb;

	/* A short header (struct rtgenmsg) asks for everything, as older programs do. */
	if (h->nlmsg_len >= NLMSG_LENGTH(sizeof(*rtm)) && nl_parse(h, sizeof(*rtm), a, RTA_MAX) == 0) {
		f.table = a[RTA_TABLE] ? nla_get_u32(a[RTA_TABLE]) : rtm->rtm_table;
		f.oif = a[RTA_OIF] ? nla_get_u32(a[RTA_OIF]) : 0;
		f.protocol = rtm->rtm_protocol;
		f.type = rtm->rtm_type;
	}
	if (!f.table) {
		dump_all(net, r, &f);
		return 0;
	}
	tb = fib_get_table(net, f.table);
	if (!tb)
		return -ENOENT; /* "FIB table does not exist" */
	dump_table(r, tb, &f);
	return 0;
}

/* ---- /proc/net/route (route(8)) ---- */

static void show_route(struct strbuf *out, const struct fib_dump_item *it)
{
	const struct fib_info *fi = it->fa->fi;
	const struct fib_nh *nh = &fi->nh[0];
	unsigned flags = it->fa->type == RTN_UNREACHABLE || it->fa->type == RTN_PROHIBIT ? 0x200u : 0;
	size_t start = out->len;

	if (it->fa->type == RTN_BROADCAST || it->fa->type == RTN_MULTICAST || it->fa->type == RTN_LOCAL)
		return;
	flags |= nh->gw ? 2u : 0;
	flags |= it->plen == 32 ? 4u : 0;
	flags |= 1u;
	/* The kernel prints addresses as host integers of network-order words: swapped on little-endian. */
	sb_printf(out, "%s\t%08X\t%08X\t%04X\t%d\t%u\t%u\t%08X\t%u\t%u\t%u", nh->dev ? nh->dev->name : "*",
		  __builtin_bswap32(it->key), __builtin_bswap32(nh->gw), flags, 0, 0u, fi->priority,
		  __builtin_bswap32(ip4_mask(it->plen)), fi->metrics[RTAX_ADVMSS] ? fi->metrics[RTAX_ADVMSS] + 40 : 0,
		  fi->metrics[RTAX_WINDOW], 0u);
	while (out->len - start < 127)
		sb_putc(out, ' ');
	sb_putc(out, '\n');
}

static void route_show(struct net *net, struct strbuf *out)
{
	struct fib_table *tb = fib_get_table(net, RT_TABLE_MAIN_);
	size_t n, start = out->len;
	struct fib_dump_item *v;

	sb_puts(out, "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT");
	while (out->len - start < 127)
		sb_putc(out, ' ');
	sb_putc(out, '\n');
	if (!tb)
		return;
	v = fib_table_collect(tb, &n);
	for (size_t i = 0; i < n; i++)
		show_route(out, &v[i]);
	free(v);
}

int fib_rtnl_init(struct net *net)
{
	static const struct rtnl_handler h[] = {
		{ NETLINK_ROUTE, RTM_NEWROUTE, rtm_newroute, NULL },
		{ NETLINK_ROUTE, RTM_DELROUTE, rtm_delroute, NULL },
	};
	int err = rtnl_register(net, h, ARRAY_SIZE(h));

	return err ? err : proc_create_single(net, "net/route", route_show);
}
