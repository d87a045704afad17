/* A node whose place a program of this machine takes (see guest.h). Called by cli's run; reads the node by its control
 * socket's messages, as the ip command does, and hands frames to lab/live.c. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "core/netdevice.h"
#include "core/rtnl.h"
#include "ipv4/ip.h"
#include "lab/guest.h"
#include "lab/live.h"
#include "lab/topo.h"

static int fail(char err[OS_NS_ERR], const char *node, const char *what)
{
	snprintf(err, OS_NS_ERR, "node %s %s", node, what);
	return -1;
}

static int iface_of(const struct lab_node *n, const struct os_ns_params *p, int ifindex)
{
	const struct net_device *dev = dev_get_by_index(n->net, ifindex);

	for (uint32_t i = 0; dev && i < p->n_ifaces; i++)
		if (!strcmp(p->iface[i].name, dev->name))
			return (int)i;
	return -1;
}

static void add_addrs(struct lab_node *n, struct os_ns_params *p, uint32_t i)
{
	const struct in_device *in = n->iface[i].dev->ip_ptr;
	const struct in_ifaddr *a;

	if (!in)
		return;
	list_for_each_entry(a, &in->addrs, list) {
		if (p->n_addrs == OS_NS_MAX_ROUTES)
			return;
		p->addr[p->n_addrs++] = (struct os_ns_addr){ .iface = i, .addr = a->local, .broadcast = a->broadcast, .plen = a->prefixlen };
	}
}

/* One route of table main that the kernel would not make by itself from the addresses. */
static void add_route(struct lab_node *n, struct os_ns_params *p, const struct nlmsghdr *h)
{
	const struct nlattr *tb[RTA_MAX + 1];
	const struct rtmsg *m = (const struct rtmsg *)(const void *)(h + 1);
	struct os_ns_route r = { 0 };
	int i;

	if (h->nlmsg_type != RTM_NEWROUTE || nl_parse(h, sizeof(*m), tb, RTA_MAX) || !tb[RTA_OIF])
		return;
	if (m->rtm_table != RT_TABLE_MAIN || m->rtm_protocol == RTPROT_KERNEL || m->rtm_type != RTN_UNICAST)
		return;
	i = iface_of(n, p, (int)nla_get_u32(tb[RTA_OIF]));
	if (i < 0 || p->n_routes == OS_NS_MAX_ROUTES)
		return;
	r.iface = (uint32_t)i;
	r.plen = m->rtm_dst_len;
	r.dst = tb[RTA_DST] ? nla_get_ip4(tb[RTA_DST]) : 0;
	r.gw = tb[RTA_GATEWAY] ? nla_get_ip4(tb[RTA_GATEWAY]) : 0;
	r.src = tb[RTA_PREFSRC] ? nla_get_ip4(tb[RTA_PREFSRC]) : 0;
	r.metric = tb[RTA_PRIORITY] ? nla_get_u32(tb[RTA_PRIORITY]) : 0;
	p->route[p->n_routes++] = r;
}

static void add_routes(struct lab_node *n, struct os_ns_params *p)
{
	struct {
		struct nlmsghdr h;
		struct rtmsg m;
	} q = { .h = { .nlmsg_len = sizeof(q), .nlmsg_type = RTM_GETROUTE, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP, .nlmsg_seq = 1 },
		.m = { .rtm_family = AF_INET } };
	struct nl_reply r = { .seq = 1 };
	size_t at = 0;

	sb_init(&r.buf);
	rtnl_receive(n->net, NETLINK_ROUTE, &q, sizeof(q), &r);
	while (at + sizeof(struct nlmsghdr) <= r.buf.len) {
		const struct nlmsghdr *h = (const struct nlmsghdr *)(const void *)(r.buf.buf + at);
		if (h->nlmsg_len < sizeof(*h) || h->nlmsg_len > r.buf.len - at)
			break;
		add_route(n, p, h);
		at += (h->nlmsg_len + 3u) & ~3u;
	}
	sb_free(&r.buf);
}

int lab_guest_describe(struct lab_node *n, struct os_ns_params *p, struct strbuf *resolv, char err[OS_NS_ERR])
{
	if (!n->net)
		return fail(err, n->name, "is a switch: a program runs on a host");
	if (!n->n_iface)
		return fail(err, n->name, "has no interface");
	if (n->n_iface > OS_NS_MAX_IFACES)
		return fail(err, n->name, "has more interfaces than a program can have");
	for (uint32_t i = 0; i < n->n_iface; i++) {
		const struct lab_iface *f = &n->iface[i];
		if (!f->dev || !f->link)
			return fail(err, n->name, "has an interface without a cable");
		memcpy(p->iface[i].name, f->name, sizeof(p->iface[i].name));
		memcpy(p->iface[i].mac, f->mac, 6);
		p->iface[i].mtu = f->dev->mtu;
	}
	p->n_ifaces = n->n_iface;
	for (uint32_t i = 0; i < n->n_iface; i++)
		add_addrs(n, p, i);
	add_routes(n, p);
	for (uint32_t i = 0; i < n->topo->dns.n; i++)
		sb_printf(resolv, "nameserver %s\n", n->topo->dns.v[i]);
	p->resolv_conf = resolv->len ? sb_str(resolv) : NULL;
	return 0;
}

int lab_guest_plug(struct lab_node *n, const struct os_ns_params *p, struct os_ns_child *c)
{
	int err = 0;

	for (uint32_t i = 0; i < p->n_ifaces && !err; i++) {
		struct lab_iface *f = &n->iface[i];
		err = lab_attach(f->link, f->side, c->fd[i], n->name, f->name, true);
		if (!err)
			c->fd[i] = -1;
	}
	return err;
}
