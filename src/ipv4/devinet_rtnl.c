/* RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR: what ip-address(8) and ifconfig send and print. Layouts: rtnetlink(7).
 *
 * Called by core's rtnetlink; hands on to devinet.c. Tests: tests/unit/ipv4/test_devinet.c. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include "ipv4/netns_ipv4.h"

#ifndef IFA_PROTO
#define IFA_PROTO 11
#endif

struct addr_request {
	struct inet_addr_args a;
	struct net_device *dev;
	bool has_local, has_label;
	uint32_t address;
	bool has_address;
};

static int attr_ip4(const struct nlattr *a, uint32_t *out, bool *has)
{
	*has = a != NULL;
	if (!a)
		return 0;
	if (nla_len(a) != 4)
		return -EINVAL;
	*out = nla_get_ip4(a);
	return 0;
}

static int addr_parse(struct net *net, const struct nlmsghdr *h, struct addr_request *q)
{
	const struct nlattr *tb[IFA_MAX + 1];
	const struct ifaddrmsg *m = NLMSG_DATA(h);
	uint32_t flags;
	bool has;
	int err = nl_parse(h, sizeof(*m), tb, IFA_MAX);

	if (err)
		return err;
	if (m->ifa_family && m->ifa_family != AF_INET)
		return -EAFNOSUPPORT;
	memset(q, 0, sizeof(*q));
	q->dev = dev_get_by_index(net, (int)m->ifa_index);
	if (!q->dev)
		return -ENODEV;
	if (m->ifa_prefixlen > 32 || attr_ip4(tb[IFA_LOCAL], &q->a.local, &q->has_local) ||
	    attr_ip4(tb[IFA_ADDRESS], &q->address, &q->has_address) || attr_ip4(tb[IFA_BROADCAST], &q->a.broadcast, &has))
		return -EINVAL;
	q->a.plen = m->ifa_prefixlen;
	q->a.scope = m->ifa_scope;
	flags = tb[IFA_FLAGS] && nla_len(tb[IFA_FLAGS]) == 4 ? nla_get_u32(tb[IFA_FLAGS]) : m->ifa_flags;
	q->a.noprefixroute = (flags & IFA_F_NOPREFIXROUTE) != 0;
	if (tb[IFA_LABEL]) {
		size_t n = min_sz(nla_len(tb[IFA_LABEL]), sizeof(q->a.label) - 1);

		memcpy(q->a.label, nla_data(tb[IFA_LABEL]), n);
		q->has_label = true;
	}
	return 0;
}

static int rtm_newaddr(struct net *net, const struct nlmsghdr *h, struct nl_reply *reply)
{
	struct addr_request q;
	int err = addr_parse(net, h, &q);

	if (err)
		return err;
	if (!q.has_local)
		q.a.local = q.address;
	else if (q.has_address && q.address != q.a.local)
		q.a.peer = q.address;
	if (!q.has_local && !q.has_address)
		return -EINVAL;
	err = inet_insert_ifa(net, q.dev, &q.a);
	/* Asking again for what is there already is an error only if it was to be new. */
	return err == -EEXIST && (h->nlmsg_flags & NLM_F_REPLACE) && !(h->nlmsg_flags & NLM_F_EXCL) ? 0 : err;
}

static int rtm_deladdr(struct net *net, const struct nlmsghdr *h, struct nl_reply *reply)
{
	struct addr_request q;
	struct in_ifaddr *ifa;
	int err = addr_parse(net, h, &q);

	if (err)
		return err;
	if (!q.dev->ip_ptr)
		return -EADDRNOTAVAIL;
	list_for_each_entry(ifa, &q.dev->ip_ptr->addrs, list) {
		if ((q.has_local && ifa->local != q.a.local) || (q.has_label && strcmp(ifa->label, q.a.label) != 0) ||
		    (q.has_address && (ifa->prefixlen != q.a.plen || !inet_ifa_match(q.address, ifa))))
			continue;
		inet_remove_ifa(net, ifa);
		return 0;
	}
	return -EADDRNOTAVAIL;
}

static void put_addr(struct nl_reply *r, const struct in_ifaddr *ifa)
{
	uint32_t flags = IFA_F_PERMANENT | (ifa->secondary ? IFA_F_SECONDARY : 0u) |
			 (ifa->noprefixroute ? IFA_F_NOPREFIXROUTE : 0u);
	struct ifaddrmsg m = { .ifa_family = AF_INET, .ifa_prefixlen = ifa->prefixlen, .ifa_flags = (uint8_t)flags,
			       .ifa_scope = ifa->scope, .ifa_index = (uint32_t)ifa->in_dev->dev->ifindex };
	struct ifa_cacheinfo ci = { .ifa_prefered = ifa->preferred_lft, .ifa_valid = ifa->valid_lft };

	nl_begin(r, RTM_NEWADDR, NLM_F_MULTI, &m, sizeof(m));
	nl_attr_ip4(r, IFA_ADDRESS, ifa->address);
	nl_attr_ip4(r, IFA_LOCAL, ifa->local);
	if (ifa->broadcast)
		nl_attr_ip4(r, IFA_BROADCAST, ifa->broadcast);
	nl_attr_str(r, IFA_LABEL, ifa->label);
	if (ifa->proto)
		nl_attr_u8(r, IFA_PROTO, ifa->proto);
	nl_attr_u32(r, IFA_FLAGS, flags);
	nl_attr(r, IFA_CACHEINFO, &ci, sizeof(ci));
	nl_end(r);
}

static int rtm_getaddr(struct net *net, const struct nlmsghdr *h, struct nl_reply *reply)
{
	const struct ifaddrmsg *m = NLMSG_DATA(h);
	uint32_t only = h->nlmsg_len >= NLMSG_LENGTH(sizeof(*m)) ? m->ifa_index : 0;

	for (int i = 1; i <= net->nr_ifindex; i++) {
		struct net_device *dev = dev_get_by_index(net, i);
		const struct in_ifaddr *ifa;

		if (!dev || !dev->ip_ptr || (only && (uint32_t)i != only))
			continue;
		list_for_each_entry(ifa, &dev->ip_ptr->addrs, list)
			put_addr(reply, ifa);
	}
	return 0;
}

int devinet_rtnl_init(struct net *net)
{
	static const struct rtnl_handler h[] = {
		{ NETLINK_ROUTE, RTM_NEWADDR, rtm_newaddr, NULL },
		{ NETLINK_ROUTE, RTM_DELADDR, rtm_deladdr, NULL },
		{ NETLINK_ROUTE, RTM_GETADDR, NULL, rtm_getaddr },
	};

	return rtnl_register(net, h, ARRAY_SIZE(h));
}
