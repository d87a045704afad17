/* The metrics cache for programs: the family "tcp_metrics" of generic netlink (ip-tcp_metrics(8)), commands get, dump and delete.
 *
 * Called by core's control socket. Hands on to tcp_metrics.c. Tests: tests/unit/tcp/test_tcp_metrics.c, tests/lab/tcp-metrics.t. */
#include <linux/genetlink.h>
#include "core/rtnl.h"
#include "tcp/tcp_int.h"
#include "tcp/tcp_metrics.h"

static void put_vals(struct nl_reply *r, const struct tcp_metrics_block *tm)
{
	size_t at = nl_nest_start(r, TCP_METRICS_ATTR_VALS);
	const uint32_t *v = tm->vals;

	/* the attribute's number is the metric's plus one; times in milliseconds too, for readers of old */
	for (uint16_t i = 0; i < TCPM_VALS; i++) {
		uint32_t x = i == TCP_METRIC_RTT ? (v[i] >> 3) / 1000 : i == TCP_METRIC_RTTVAR ? (v[i] >> 2) / 1000 : v[i];

		if (v[i])
			nl_attr_u32(r, (uint16_t)(i + 1), (i == TCP_METRIC_RTT || i == TCP_METRIC_RTTVAR) && !x ? 1 : x);
	}
	if (v[TCP_METRIC_RTT])
		nl_attr_u32(r, TCP_METRIC_RTT_US + 1, v[TCP_METRIC_RTT] >> 3);
	if (v[TCP_METRIC_RTTVAR])
		nl_attr_u32(r, TCP_METRIC_RTTVAR_US + 1, v[TCP_METRIC_RTTVAR] >> 2);
	nl_nest_end(r, at);
}

static void put_u64(struct nl_reply *r, uint16_t type, uint64_t v) { nl_attr(r, type, &v, sizeof(v)); }
static void put_u16(struct nl_reply *r, uint16_t type, uint16_t v) { nl_attr(r, type, &v, sizeof(v)); }

static void put_one(struct net *net, struct nl_reply *r, uint16_t family, const struct tcp_metrics_block *tm)
{
	const struct genlmsghdr g = { .cmd = TCP_METRICS_CMD_GET, .version = TCP_METRICS_GENL_VERSION };
	bool any = false;

	nl_begin(r, family, 0, &g, sizeof(g));
	nl_attr_ip4(r, TCP_METRICS_ATTR_ADDR_IPV4, tm->daddr);
	nl_attr_ip4(r, TCP_METRICS_ATTR_SADDR_IPV4, tm->saddr);
	put_u64(r, TCP_METRICS_ATTR_AGE, (net->now_ns - tm->stamp_ns) / NSEC_PER_MSEC);
	for (unsigned i = 0; i < TCPM_VALS; i++)
		any |= tm->vals[i] != 0;
	if (any)
		put_vals(r, tm);
	if (tm->fo_mss)
		put_u16(r, TCP_METRICS_ATTR_FOPEN_MSS, tm->fo_mss);
	if (tm->fo_syn_lost) {
		put_u16(r, TCP_METRICS_ATTR_FOPEN_SYN_DROPS, tm->fo_syn_lost);
		put_u64(r, TCP_METRICS_ATTR_FOPEN_SYN_DROP_TS, (net->now_ns - tm->fo_lost_ns) / NSEC_PER_MSEC);
	}
	if (tm->fo_cookie.len)
		nl_attr(r, TCP_METRICS_ATTR_FOPEN_COOKIE, tm->fo_cookie.val, tm->fo_cookie.len);
	nl_end(r);
}

/* Addresses of a request. saddr 0: not named. */
static int addresses(const struct nlmsghdr *h, uint8_t *cmd, bool *has, uint32_t *daddr, uint32_t *saddr)
{
	const struct nlattr *tb[TCP_METRICS_ATTR_MAX + 1];
	const struct genlmsghdr *g = NLMSG_DATA(h);

	if (nl_parse(h, GENL_HDRLEN, tb, TCP_METRICS_ATTR_MAX))
		return -EINVAL;
	*cmd = g->cmd;
	*has = tb[TCP_METRICS_ATTR_ADDR_IPV4] != NULL;
	if (!*has && tb[TCP_METRICS_ATTR_ADDR_IPV6])
		return -EAFNOSUPPORT;
	*daddr = *has ? nla_get_ip4(tb[TCP_METRICS_ATTR_ADDR_IPV4]) : 0;
	*saddr = tb[TCP_METRICS_ATTR_SADDR_IPV4] ? nla_get_ip4(tb[TCP_METRICS_ATTR_SADDR_IPV4]) : 0;
	return 0;
}

static int metrics_doit(struct net *net, const struct nlmsghdr *h, struct nl_reply *r)
{
	struct tcp_metrics_block *tm;
	uint32_t daddr, saddr;
	uint8_t cmd;
	bool has;
	int err = addresses(h, &cmd, &has, &daddr, &saddr);

	if (err)
		return err;
	if (cmd == TCP_METRICS_CMD_DEL) {
		if (has)
			return tcp_metrics_delete(net, saddr, daddr) ? 0 : -ESRCH;
		tcp_metrics_flush(net);
		return 0;
	}
	if (cmd != TCP_METRICS_CMD_GET)
		return -EOPNOTSUPP;
	if (!has)
		return -EINVAL;
	list_for_each_entry(tm, &net->tcp->metrics_all, all) {
		if (tm->daddr == daddr && (!saddr || tm->saddr == saddr)) {
			put_one(net, r, h->nlmsg_type, tm);
			return 0;
		}
	}
	return -ESRCH;
}

static int metrics_dumpit(struct net *net, const struct nlmsghdr *h, struct nl_reply *r)
{
	const struct tcp_metrics_block *tm;

	list_for_each_entry(tm, &net->tcp->metrics_all, all)
		put_one(net, r, h->nlmsg_type, tm);
	return 0;
}

int tcp_metrics_nl_init(struct net *net)
{
	return genl_register_family(net, TCP_METRICS_GENL_NAME, TCP_METRICS_GENL_VERSION, TCP_METRICS_ATTR_MAX, metrics_doit, metrics_dumpit);
}
