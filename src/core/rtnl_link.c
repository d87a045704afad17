/* RTM_GETLINK, RTM_NEWLINK and RTM_SETLINK: devices as `ip link` sees and changes them (rtnetlink(7)).
 *
 * Decides: how a net_device reads as IFLA_ attributes, and which of them may be set, in which order: nothing
 * is changed before everything was found to be well formed. Called by: rtnl.c. Calls: core/dev_core.c.
 * Devices are made by drivers, never by message: RTM_NEWLINK with NLM_F_CREATE for an unknown name is refused.
 * Tests: tests/unit/core/test_rtnl.c. */
#include <errno.h>
#include <linux/if_link.h>
#include <string.h>
#include "core/netdevice.h"
#include "core/rtnl.h"
#include "core/rtnl_core.h"

/* RFC 2863's operational states, Linux's numbers. */
enum { LINK_OPER_UNKNOWN = 0, LINK_OPER_DOWN = 2, LINK_OPER_UP = 6 };
#define TXQLEN_MAX 1000000u

static bool link_running(const struct net_device *dev)
{
	return (dev->flags & DEVF_UP) && dev->carrier;
}

uint32_t rtnl_link_flags(const struct net_device *dev)
{
	uint32_t flags = dev->flags & ~(uint32_t)(DEVF_RUNNING | DEVF_LOWER_UP);

	return link_running(dev) ? flags | DEVF_RUNNING | DEVF_LOWER_UP : flags;
}

static uint8_t link_operstate(const struct net_device *dev)
{
	if (!(dev->flags & DEVF_UP))
		return LINK_OPER_DOWN;
	if (dev->flags & DEVF_LOOPBACK)
		return LINK_OPER_UNKNOWN; /* lo has no operational state to report */
	return dev->carrier ? LINK_OPER_UP : LINK_OPER_DOWN;
}

static const char *link_qdisc(const struct net_device *dev)
{
	const struct Qdisc *q = dev->num_tx_queues ? dev->tx[0].qdisc_sleeping : NULL;

	return q && q->ops ? q->ops->id : "noop";
}

static void link_put_stats(struct net_device *dev, struct nl_reply *r)
{
	struct rtnl_link_stats64_ s = { 0 };
	struct rtnl_link_stats64 l;
	struct rtnl_link_stats l32;

	dev_get_stats(dev, &s);
	memset(&l, 0, sizeof(l));
	memset(&l32, 0, sizeof(l32));
#define LINK_STAT(f) (l.f = s.f, l32.f = (uint32_t)s.f)
	LINK_STAT(rx_packets), LINK_STAT(tx_packets), LINK_STAT(rx_bytes), LINK_STAT(tx_bytes);
	LINK_STAT(rx_errors), LINK_STAT(tx_errors), LINK_STAT(rx_dropped), LINK_STAT(tx_dropped);
	LINK_STAT(multicast), LINK_STAT(collisions), LINK_STAT(rx_length_errors);
	LINK_STAT(rx_over_errors), LINK_STAT(rx_crc_errors), LINK_STAT(rx_frame_errors);
	LINK_STAT(rx_fifo_errors), LINK_STAT(rx_missed_errors), LINK_STAT(tx_aborted_errors);
	LINK_STAT(tx_carrier_errors), LINK_STAT(tx_fifo_errors), LINK_STAT(tx_heartbeat_errors);
	LINK_STAT(tx_window_errors), LINK_STAT(rx_nohandler);
#undef LINK_STAT
	l.rx_otherhost_dropped = s.rx_otherhost_dropped;
	nl_attr(r, IFLA_STATS64, &l, sizeof(l));
	nl_attr(r, IFLA_STATS, &l32, sizeof(l32));
}

static void link_fill(struct net_device *dev, struct nl_reply *r)
{
	struct ifinfomsg ifi = { .ifi_type = dev->type, .ifi_index = dev->ifindex,
				 .ifi_flags = rtnl_link_flags(dev) };

	nl_begin(r, RTM_NEWLINK, 0, &ifi, sizeof(ifi));
	nl_attr_str(r, IFLA_IFNAME, dev->name);
	nl_attr_u32(r, IFLA_TXQLEN, dev->tx_queue_len);
	nl_attr_u8(r, IFLA_OPERSTATE, link_operstate(dev));
	nl_attr_u8(r, IFLA_LINKMODE, 0);
	nl_attr_u32(r, IFLA_MTU, dev->mtu);
	nl_attr_u32(r, IFLA_MIN_MTU, dev->min_mtu);
	nl_attr_u32(r, IFLA_MAX_MTU, dev->max_mtu);
	nl_attr_u32(r, IFLA_GROUP, 0);
	nl_attr_u32(r, IFLA_PROMISCUITY, dev->promiscuity);
	nl_attr_u32(r, IFLA_ALLMULTI, dev->allmulti);
	nl_attr_u32(r, IFLA_NUM_TX_QUEUES, dev->num_tx_queues);
	nl_attr_u32(r, IFLA_NUM_RX_QUEUES, 1);
	nl_attr_u8(r, IFLA_CARRIER, dev->carrier);
	nl_attr_str(r, IFLA_QDISC, link_qdisc(dev));
	if (dev->addr_len) {
		nl_attr(r, IFLA_ADDRESS, dev->dev_addr, ETH_ALEN);
		nl_attr(r, IFLA_BROADCAST, dev->broadcast, ETH_ALEN);
		if (!mac_is_zero(dev->perm_addr))
			nl_attr(r, IFLA_PERM_ADDRESS, dev->perm_addr, ETH_ALEN);
	}
	link_put_stats(dev, r);
	nl_end(r);
}

static int link_dump(struct net *net, const struct nlmsghdr *h, struct nl_reply *r)
{
	struct net_device *dev;

	list_for_each_entry(dev, &net->dev_base, node)
		link_fill(dev, r);
	return 0;
}

static bool link_name_ok(const struct nlattr *a)
{
	size_t len = nla_len(a);

	return len > 1 && len <= sizeof(((struct net_device *)NULL)->name) &&
	       memchr(nla_data(a), '\0', len) == (const char *)nla_data(a) + len - 1;
}

/* The device that a request is about: by index, or by name if that is 0. NULL: *err. */
static struct net_device *link_find(struct net *net, const struct nlmsghdr *h, const struct nlattr **tb,
				    int *err)
{
	const struct ifinfomsg *ifi = (const void *)(h + 1);
	struct net_device *dev;

	*err = nl_parse(h, sizeof(*ifi), tb, IFLA_MAX);
	if (*err)
		return NULL;
	*err = -EINVAL;
	if (tb[IFLA_IFNAME] && !link_name_ok(tb[IFLA_IFNAME]))
		return NULL;
	if (ifi->ifi_index < 0 || (!ifi->ifi_index && !tb[IFLA_IFNAME]))
		return NULL;
	dev = ifi->ifi_index ? dev_get_by_index(net, ifi->ifi_index)
			     : dev_get_by_name(net, nla_data(tb[IFLA_IFNAME]));
	*err = dev ? 0 : -ENODEV;
	return dev;
}

static int link_get(struct net *net, const struct nlmsghdr *h, struct nl_reply *r)
{
	const struct nlattr *tb[IFLA_MAX + 1];
	struct net_device *dev;
	int err;

	dev = link_find(net, h, tb, &err);
	if (!dev)
		return err;
	link_fill(dev, r);
	return 0;
}

/* What may be set is checked as a whole first, so that a bad attribute leaves the device as it was. */
static int link_check(const struct net_device *dev, const struct nlattr **tb)
{
	if (tb[IFLA_MTU]) {
		if (nla_len(tb[IFLA_MTU]) != 4)
			return -EINVAL;
		if (nla_get_u32(tb[IFLA_MTU]) < dev->min_mtu ||
		    (dev->max_mtu && nla_get_u32(tb[IFLA_MTU]) > dev->max_mtu))
			return -EINVAL;
	}
	if (tb[IFLA_ADDRESS]) {
		const uint8_t *mac = nla_data(tb[IFLA_ADDRESS]);

		if (nla_len(tb[IFLA_ADDRESS]) != ETH_ALEN || dev->addr_len != ETH_ALEN)
			return -EINVAL;
		if (mac_is_group(mac) || mac_is_zero(mac))
			return -EADDRNOTAVAIL;
	}
	if (tb[IFLA_TXQLEN] &&
	    (nla_len(tb[IFLA_TXQLEN]) != 4 || nla_get_u32(tb[IFLA_TXQLEN]) > TXQLEN_MAX))
		return -EINVAL;
	if (tb[IFLA_IFNAME] && strcmp(nla_data(tb[IFLA_IFNAME]), dev->name))
		return -EOPNOTSUPP; /* names are fixed: files and knobs are called after them */
	return tb[IFLA_LINKINFO] || tb[IFLA_MASTER] ? -EOPNOTSUPP : 0;
}

static int link_change_flags(struct net_device *dev, const struct ifinfomsg *ifi)
{
	const uint32_t may = DEVF_UP | DEVF_NOARP | DEVF_PROMISC | DEVF_ALLMULTI | DEVF_MULTICAST;
	uint32_t change = ifi->ifi_change ? ifi->ifi_change : ifi->ifi_flags ? UINT32_MAX : 0;

	change &= may;
	return change ? dev_set_flags(dev, ifi->ifi_flags & change, ~ifi->ifi_flags & change) : 0;
}

static int link_set(struct net *net, const struct nlmsghdr *h, struct nl_reply *r)
{
	const struct ifinfomsg *ifi = (const void *)(h + 1);
	const struct nlattr *tb[IFLA_MAX + 1];
	struct net_device *dev;
	int err;

	dev = link_find(net, h, tb, &err);
	if (!dev)
		return err == -ENODEV && (h->nlmsg_flags & NLM_F_CREATE) ? -EOPNOTSUPP : err;
	err = link_check(dev, tb);
	if (!err && tb[IFLA_ADDRESS])
		err = dev_set_mac_address(dev, nla_data(tb[IFLA_ADDRESS]));
	if (!err && tb[IFLA_MTU])
		err = dev_set_mtu(dev, nla_get_u32(tb[IFLA_MTU]));
	if (!err && tb[IFLA_TXQLEN])
		dev->tx_queue_len = nla_get_u32(tb[IFLA_TXQLEN]);
	if (!err && tb[IFLA_CARRIER] && nla_len(tb[IFLA_CARRIER]) == 1)
		(*(const uint8_t *)nla_data(tb[IFLA_CARRIER]) ? netif_carrier_on : netif_carrier_off)(dev);
	return err ? err : link_change_flags(dev, ifi);
}

int rtnl_link_init(struct net *net)
{
	static const struct rtnl_handler h[] = {
		{ NETLINK_ROUTE, RTM_GETLINK, link_get, link_dump },
		{ NETLINK_ROUTE, RTM_NEWLINK, link_set, NULL },
		{ NETLINK_ROUTE, RTM_SETLINK, link_set, NULL },
	};

	return rtnl_register(net, h, ARRAY_SIZE(h));
}
