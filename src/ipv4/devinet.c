/* The addresses of interfaces, and what IP does when a device comes, goes, or changes.
 *
 * An address brings routes with it (fib_add_ifaddr): its own entry in table local at once, the connected net and
 * the broadcast address when the device is up. A device that goes down takes the latter away and leaves the former:
 * our own addresses still answer over lo (S2-46, S2-77).
 * Called by devinet_rtnl.c, devinet_ioctl.c, lab files; by core's device notifier. RFC 1122 3.3.4.2, RFC 3021.
 * Tests: tests/unit/ipv4/test_devinet.c. */
#include <errno.h>
#include <stdlib.h>
#include "ipv4/fib_trie.h"
#include "ipv4/netns_ipv4.h"

#define INET_ADDRS_MAX 65536u /* of a host */

/* ---- switches: how "all" and the device's own combine ---- */

int32_t in_dev_conf_and(const struct in_device *in, enum ipv4_devconf c)
{
	return in->cnf[c] && in->dev->net->ipv4->devconf_all[c];
}

int32_t in_dev_conf_or(const struct in_device *in, enum ipv4_devconf c)
{
	return in->cnf[c] || in->dev->net->ipv4->devconf_all[c];
}

int32_t in_dev_conf_max(const struct in_device *in, enum ipv4_devconf c)
{
	int32_t all = in->dev->net->ipv4->devconf_all[c];

	return in->cnf[c] > all ? in->cnf[c] : all;
}

/* A router has its own tables and does not listen unless told twice (RFC 1812 5.2.7.2). */
bool in_dev_rx_redirects(const struct in_device *in)
{
	return in_dev_forward(in) ? in_dev_conf_and(in, CNF_ACCEPT_REDIRECTS) : in_dev_conf_or(in, CNF_ACCEPT_REDIRECTS);
}

/* ---- looking up ---- */

static struct hlist_head *addr_bucket(struct netns_ipv4 *ip, uint32_t addr)
{
	return &ip->addr_hash[hash_words(ip->net->hash_key, addr, 2) & (ip->addr_hash_size - 1)];
}

struct in_ifaddr *inet_lookup_ifaddr(struct net *net, const struct net_device *dev, uint32_t addr)
{
	struct netns_ipv4 *ip = net->ipv4;
	struct in_ifaddr *ifa;

	if (!ip->nr_addrs)
		return NULL;
	hlist_for_each_entry(ifa, addr_bucket(ip, addr), hash) {
		if (ifa->local == addr && (!dev || ifa->in_dev->dev == dev))
			return ifa;
	}
	return NULL;
}

static void addr_hash_grow(struct netns_ipv4 *ip)
{
	uint32_t old = ip->addr_hash_size, size = old ? 2 * old : IN4_ADDR_HASH_MIN;
	struct hlist_head *was = ip->addr_hash;

	ip->addr_hash = xcalloc(size, sizeof(*ip->addr_hash));
	ip->addr_hash_size = size;
	for (uint32_t i = 0; i < old; i++) {
		while (was[i].first) {
			struct in_ifaddr *ifa = hlist_entry_safe(was[i].first, struct in_ifaddr, hash);

			hlist_del_init(&ifa->hash);
			hlist_add_head(&ifa->hash, addr_bucket(ip, ifa->local));
		}
	}
	free(was);
}

bool inet_addr_onlink(const struct in_device *in, uint32_t a)
{
	const struct in_ifaddr *ifa;

	list_for_each_entry(ifa, &in->addrs, list) {
		if (inet_ifa_match(a, ifa))
			return true;
	}
	return false;
}

/* An address of dev to send from, at most as narrow as scope; one in dst's net if there is one. */
static uint32_t select_on_dev(const struct in_device *in, uint32_t dst, int scope)
{
	const struct in_ifaddr *ifa;
	uint32_t first = 0;

	list_for_each_entry(ifa, &in->addrs, list) {
		if (ifa->secondary || ifa->scope > scope)
			continue;
		if (!dst || inet_ifa_match(dst, ifa))
			return ifa->local;
		if (!first)
			first = ifa->local;
	}
	return first;
}

uint32_t inet_select_addr(const struct net_device *dev, uint32_t dst, int scope)
{
	uint32_t addr = dev->ip_ptr ? select_on_dev(dev->ip_ptr, dst, scope) : 0;
	struct net_device *other;

	if (addr)
		return addr;
	/* A device without a fitting address borrows one that is valid beyond its link. */
	list_for_each_entry(other, &dev->net->dev_base, node) {
		const struct in_ifaddr *ifa;

		if (!other->ip_ptr || other == dev)
			continue;
		list_for_each_entry(ifa, &other->ip_ptr->addrs, list) {
			if (!ifa->secondary && ifa->scope != RT_SCOPE_LINK && ifa->scope <= scope)
				return ifa->local;
		}
	}
	return 0;
}

/* ---- adding ---- */

/* Primary addresses by scope, widest first, in the order they came; then the secondary ones. */
static void ifa_link(struct in_device *in, struct in_ifaddr *ifa)
{
	struct list_head *after = &in->addrs;
	struct in_ifaddr *o;

	if (ifa->secondary) {
		list_add_tail(&ifa->list, &in->addrs);
		return;
	}
	list_for_each_entry(o, &in->addrs, list) {
		if (!o->secondary && ifa->scope >= o->scope)
			after = &o->list;
	}
	list_add(&ifa->list, after);
}

static int ifa_check(const struct in_device *in, struct in_ifaddr *ifa)
{
	const struct in_ifaddr *o;

	if (ip4_is_multicast(ifa->local) || ip4_is_lbcast(ifa->local) || !ifa->local)
		return -EINVAL;
	list_for_each_entry(o, &in->addrs, list) {
		if (o->mask != ifa->mask || !inet_ifa_match(ifa->address, o))
			continue;
		if (o->local == ifa->local)
			return -EEXIST;
		if (o->scope != ifa->scope)
			return -EINVAL;
		ifa->secondary = true;
	}
	return 0;
}

int inet_insert_ifa(struct net *net, struct net_device *dev, const struct inet_addr_args *a)
{
	struct netns_ipv4 *ip = net->ipv4;
	struct in_device *in = dev->ip_ptr;
	struct in_ifaddr *ifa;
	int err;

	if (!in)
		return -ENOBUFS;
	if (a->plen > 32)
		return -EINVAL;
	if (ip->nr_addrs >= INET_ADDRS_MAX)
		return -ENOSPC;
	ifa = xcalloc(1, sizeof(*ifa));
	ifa->in_dev = in;
	ifa->local = a->local;
	ifa->address = a->peer ? a->peer : a->local;
	ifa->prefixlen = a->plen;
	ifa->mask = ip4_mask(a->plen);
	ifa->broadcast = a->broadcast;
	ifa->scope = a->scope;
	ifa->proto = a->proto;
	ifa->noprefixroute = a->noprefixroute;
	ifa->valid_lft = ifa->preferred_lft = 0xffffffffu;
	memcpy(ifa->label, a->label[0] ? a->label : dev->name, sizeof(ifa->label));
	err = ifa_check(in, ifa);
	if (err) {
		free(ifa);
		return err;
	}
	if (ip->nr_addrs >= ip->addr_hash_size)
		addr_hash_grow(ip);
	ifa_link(in, ifa);
	hlist_add_head(&ifa->hash, addr_bucket(ip, ifa->local));
	ip->nr_addrs++;
	fib_add_ifaddr(net, ifa);
	rt_cache_flush(net);
	if ((dev->flags & DEVF_UP) && in_dev_conf_max(in, CNF_ARP_NOTIFY) && !(dev->flags & (DEVF_NOARP | DEVF_LOOPBACK)))
		arp_send(net, ARPOP_REQUEST, ifa->local, dev, ifa->local, NULL, NULL, NULL, 0);
	return 0;
}

int inet_add_addr(struct net *net, struct net_device *dev, uint32_t local, uint8_t plen, uint32_t broadcast, uint8_t scope)
{
	struct inet_addr_args a = { .local = local, .plen = plen, .broadcast = broadcast, .scope = scope };

	return inet_insert_ifa(net, dev, &a);
}

/* ---- removing ---- */

static void ifa_unlink_free(struct net *net, struct in_ifaddr *ifa)
{
	list_del_init(&ifa->list);
	hlist_del_init(&ifa->hash);
	net->ipv4->nr_addrs--;
	fib_del_ifaddr(net, ifa);
	free(ifa);
}

/* The secondary addresses of a primary that goes: the first takes its place if promote_secondaries says so, else
 * they go with it. */
static void ifa_secondaries_gone(struct net *net, struct in_device *in, struct in_ifaddr *prim)
{
	struct in_ifaddr *o, *tmp, *heir = NULL;
	bool promote = in_dev_conf_or(in, CNF_PROMOTE_SECONDARIES);

	list_for_each_entry_safe(o, tmp, &in->addrs, list) {
		if (!o->secondary || o->mask != prim->mask || !inet_ifa_match(prim->address, o))
			continue;
		if (!promote)
			ifa_unlink_free(net, o);
		else if (!heir)
			heir = o;
	}
	if (!heir)
		return;
	/* The prefix route now comes from the heir; the others send from it. */
	list_del_init(&heir->list);
	heir->secondary = false;
	ifa_link(in, heir);
	list_for_each_entry(o, &in->addrs, list) {
		if (o == heir || (o->secondary && o->mask == heir->mask && inet_ifa_match(heir->address, o)))
			fib_add_ifaddr(net, o);
	}
}

void inet_remove_ifa(struct net *net, struct in_ifaddr *ifa)
{
	struct in_device *in = ifa->in_dev;
	struct in_ifaddr prim = *ifa;

	if (!ifa->secondary && !in_dev_conf_or(in, CNF_PROMOTE_SECONDARIES))
		ifa_secondaries_gone(net, in, &prim);
	ifa_unlink_free(net, ifa);
	if (!prim.secondary && in_dev_conf_or(in, CNF_PROMOTE_SECONDARIES))
		ifa_secondaries_gone(net, in, &prim);
	/* The last one: the device has no IP any more, and no route may lead over it. */
	if (list_empty(&in->addrs))
		fib_disable_ip(net, in->dev, true);
	rt_cache_flush(net);
}

int inet_del_addr(struct net *net, struct net_device *dev, uint32_t local, uint8_t plen)
{
	struct in_ifaddr *ifa;

	if (!dev->ip_ptr)
		return -EADDRNOTAVAIL;
	list_for_each_entry(ifa, &dev->ip_ptr->addrs, list) {
		if (ifa->local == local && ifa->prefixlen == plen) {
			inet_remove_ifa(net, ifa);
			return 0;
		}
	}
	return -EADDRNOTAVAIL;
}

/* ---- devices ---- */

static void inetdev_init(struct net *net, struct net_device *dev)
{
	struct in_device *in;

	if (dev->ip_ptr || dev->mtu < 68)
		return;
	in = xcalloc(1, sizeof(*in));
	in->dev = dev;
	list_init(&in->addrs);
	list_init(&in->mc_list);
	memcpy(in->cnf, net->ipv4->devconf_dflt, sizeof(in->cnf));
	dev->ip_ptr = in;
	ip_mc_init_dev(in);
	devinet_sysctl_register(net, dev);
}

static void inetdev_destroy(struct net *net, struct net_device *dev)
{
	struct in_device *in = dev->ip_ptr;

	if (!in)
		return;
	in->dead = true;
	while (!list_empty(&in->addrs)) {
		struct in_ifaddr *ifa = list_last_entry(&in->addrs, struct in_ifaddr, list);

		ifa_unlink_free(net, ifa);
	}
	ip_mc_destroy_dev(in);
	if (in->rx.rt)
		dst_release(&in->rx.rt->dst);
	fib_disable_ip(net, dev, true);
	rt_free_dev(net, dev);
	devinet_sysctl_unregister(net, dev);
	dev->ip_ptr = NULL;
	free(in);
}

static void inetdev_up(struct net *net, struct net_device *dev)
{
	struct in_ifaddr *ifa;

	inetdev_init(net, dev);
	if (!dev->ip_ptr)
		return;
	if ((dev->flags & DEVF_LOOPBACK) && list_empty(&dev->ip_ptr->addrs))
		(void)inet_add_addr(net, dev, 0x7f000001u, 8, 0, RT_SCOPE_HOST);
	ip_mc_up(dev->ip_ptr);
	list_for_each_entry(ifa, &dev->ip_ptr->addrs, list) {
		fib_add_ifaddr(net, ifa);
		if (in_dev_conf_max(dev->ip_ptr, CNF_ARP_NOTIFY) && !(dev->flags & (DEVF_NOARP | DEVF_LOOPBACK)))
			arp_send(net, ARPOP_REQUEST, ifa->local, dev, ifa->local, NULL, NULL, NULL, 0);
	}
	fib_sync_up(net, dev);
	rt_cache_flush(net);
}

static void inetdev_event(struct netdev_notifier *n, struct net_device *dev, enum netdev_event ev)
{
	struct net *net = dev->net;

	switch (ev) {
	case NETDEV_REGISTER_:
		inetdev_init(net, dev);
		break;
	case NETDEV_UP_:
		inetdev_up(net, dev);
		break;
	case NETDEV_DOWN_:
		if (dev->ip_ptr)
			ip_mc_down(dev->ip_ptr);
		fib_disable_ip(net, dev, false);
		break;
	case NETDEV_UNREGISTER_:
		inetdev_destroy(net, dev);
		break;
	case NETDEV_CHANGEMTU_:
		if (dev->mtu < 68) /* RFC 791: IP cannot live there */
			inetdev_destroy(net, dev);
		else if (!dev->ip_ptr && (dev->flags & DEVF_UP))
			inetdev_up(net, dev);
		rt_cache_flush(net);
		break;
	case NETDEV_CHANGEADDR_:
		arp_ifdown(dev);
		rt_cache_flush(net);
		break;
	case NETDEV_CHANGE_:
		rt_cache_flush(net);
		break;
	default:
		break;
	}
}

int devinet_init(struct net *net)
{
	struct netns_ipv4 *ip = net->ipv4;

	ip->notifier.fn = inetdev_event;
	/* Tells of devices that were there before us, too (lo). */
	register_netdev_notifier(net, &ip->notifier);
	return devinet_rtnl_init(net);
}

void devinet_exit(struct net *net)
{
	struct net_device *dev;

	if (net->ipv4->notifier.list.next)
		list_del_init(&net->ipv4->notifier.list);
	list_for_each_entry(dev, &net->dev_base, node)
		inetdev_destroy(net, dev);
	free(net->ipv4->addr_hash);
}
