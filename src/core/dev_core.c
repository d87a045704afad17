/* Devices: their registration, names, flags, and who is told of changes.
 *
 * Decides which name and index a device gets, and what UP, RUNNING and LOWER_UP mean: UP is the
 * administrator's wish, LOWER_UP the carrier, RUNNING both. Called by drivers (register_netdev) and
 * the control socket (dev_open, dev_set_mtu, ...); hands on to the driver's net_device_ops and to
 * the notifiers. Packets are dev_rx.c's and dev_tx.c's. Limits: NETDEV_MAX devices. Tests:
 * tests/unit/core/test_dev_core.c. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "core/net_int.h"

#define NETDEV_MAX 65536
#define PTYPE_BUCKETS 16

int dev_init(struct net *net)
{
	list_init(&net->dev_base);
	list_init(&net->ptype_all);
	list_init(&net->netdev_notifiers);
	list_init(&net->dead_devs);
	list_init(&net->napi_list);
	list_init(&net->offload_base);
	for (unsigned i = 0; i < PTYPE_BUCKETS; i++)
		list_init(&net->ptype_base[i]);
	for (uint32_t c = 0; c < net->nr_cpus; c++) {
		struct napi_struct *backlog = &net->softnet[c].backlog;
		char name[24];

		snprintf(name, sizeof(name), "backlog/cpu%u", c);
		backlog->net = net;
		netif_napi_add(NULL, backlog, name, process_backlog, net->netdev_sysctl.dev_weight,
			       c);
		TRACE(&net->probe, TR_NOTE, 0, "napi=%s poll=process_backlog", name);
	}
	return 0;
}

static void netdev_free_memory(struct net_device *dev)
{
	struct netdev_hw_addr *ha, *tmp;

	list_for_each_entry_safe(ha, tmp, &dev->mc_list, list)
		free(ha);
	dev_free_qdiscs(dev);
	free(dev->tx);
	free(dev);
}

void dev_exit(struct net *net)
{
	struct net_device *dev, *tmp;

	if (!net->dead_devs.next)
		return;
	unregister_all_netdevs(net);
	list_for_each_entry_safe(dev, tmp, &net->dead_devs, node)
		netdev_free_memory(dev);
	for (uint32_t c = 0; c < net->nr_cpus; c++)
		netif_napi_del(&net->softnet[c].backlog);
	free(net->dev_by_index);
	net->dev_by_index = NULL;
}

/* ---- notifiers ---- */

static void call_netdev_notifiers(struct net_device *dev, enum netdev_event ev)
{
	struct netdev_notifier *n, *tmp;

	list_for_each_entry_safe(n, tmp, &dev->net->netdev_notifiers, list)
		n->fn(n, dev, ev);
}

void register_netdev_notifier(struct net *net, struct netdev_notifier *n)
{
	struct net_device *dev, *tmp;

	list_add_tail(&n->list, &net->netdev_notifiers);
	list_for_each_entry_safe(dev, tmp, &net->dev_base, node) {
		n->fn(n, dev, NETDEV_REGISTER_);
		if (dev->flags & DEVF_UP)
			n->fn(n, dev, NETDEV_UP_);
	}
}

void unregister_netdev_notifier(struct netdev_notifier *n)
{
	list_del_init(&n->list);
}

/* ---- features ---- */

void dev_set_features(struct net_device *dev, uint32_t mask, uint32_t want)
{
	uint32_t can = mask & dev->hw_features, f = (dev->features & ~can) | (want & can);

	if (!(f & NETIF_F_HW_CSUM))
		f &= ~(NETIF_F_TSO | NETIF_F_USO); /* a train's checksums are made where it is split */
	dev->features = f;
}

/* ---- registration ---- */

struct net_device *alloc_netdev(struct net *net, const char *name, uint32_t txqs)
{
	struct net_device *dev = xcalloc(1, sizeof(*dev));

	snprintf(dev->name, sizeof(dev->name), "%s", name);
	dev->net = net;
	dev->num_tx_queues = max_u32(txqs, 1);
	dev->tx = xcalloc(dev->num_tx_queues, sizeof(*dev->tx));
	for (uint32_t i = 0; i < dev->num_tx_queues; i++) {
		dev->tx[i].dev = dev;
		dev->tx[i].qdisc = dev->tx[i].qdisc_sleeping = net->noop_qdisc;
	}
	dev->hw_features = NETIF_F_GRO;
	dev->carrier = true;
	list_init(&dev->mc_list);
	list_init(&dev->node);
	list_init(&dev->ptype_all);
	return dev;
}

void free_netdev(struct net_device *dev)
{
	assert(!dev->registered);
	netdev_free_memory(dev);
}

static bool dev_name_ok(const char *name)
{
	if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	for (; *name; name++)
		if (*name == '/' || *name == ':' || (unsigned char)*name <= ' ')
			return false;
	return true;
}

/* "eth%d": the first number that is free. */
static int dev_pick_name(struct net_device *dev)
{
	char *pct = strchr(dev->name, '%');
	char name[sizeof(dev->name)];

	if (!pct)
		return dev_name_ok(dev->name) ? (dev_get_by_name(dev->net, dev->name) ? -EEXIST : 0)
					      : -EINVAL;
	if (strcmp(pct, "%d") != 0)
		return -EINVAL;
	for (unsigned i = 0; i < NETDEV_MAX; i++) {
		if ((size_t)snprintf(name, sizeof(name), "%.*s%u", (int)(pct - dev->name),
				     dev->name, i) >= sizeof(name))
			return -EINVAL;
		if (!dev_get_by_name(dev->net, name)) {
			memcpy(dev->name, name, sizeof(name));
			return 0;
		}
	}
	return -EEXIST;
}

static int dev_new_index(struct net *net, struct net_device *dev)
{
	int i = net->nr_ifindex + 1;

	if (i > NETDEV_MAX)
		return -ENFILE;
	if ((i & (i - 1)) == 0) /* room for 2^n: grow when i reaches it */
		net->dev_by_index =
			xrealloc(net->dev_by_index, (size_t)i * 2 * sizeof(struct net_device *));
	net->dev_by_index[i] = dev;
	net->nr_ifindex = i;
	dev->ifindex = i;
	return 0;
}

int register_netdev(struct net_device *dev)
{
	struct net *net = dev->net;
	int err = dev_pick_name(dev);

	if (!err && dev->netdev_ops->ndo_init)
		err = dev->netdev_ops->ndo_init(dev);
	if (err)
		return err;
	err = dev_new_index(net, dev);
	if (err) {
		if (dev->netdev_ops->ndo_uninit)
			dev->netdev_ops->ndo_uninit(dev);
		return err;
	}
	list_add_tail(&dev->node, &net->dev_base);
	dev->registered = true;
	TRACE(&net->probe, TR_NOTE, 0, "register dev=%s ifindex=%d", dev->name, dev->ifindex);
	call_netdev_notifiers(dev, NETDEV_REGISTER_);
	return 0;
}

/* What answers for a device that is gone. */
static netdev_tx_t dead_xmit(struct sk_buff *skb, struct net_device *dev)
{
	(void)dev;
	kfree_skb_reason(skb, DROP_DEV_READY);
	return NETDEV_TX_OK;
}
static const struct net_device_ops dead_ops = { .ndo_start_xmit = dead_xmit };

void unregister_netdev(struct net_device *dev)
{
	struct net *net = dev->net;

	if (!dev->registered)
		return;
	dev_close(dev);
	dev->registered = false;
	call_netdev_notifiers(dev, NETDEV_UNREGISTER_);
	flush_backlogs(dev);
	net->dev_by_index[dev->ifindex] = NULL;
	list_del_init(&dev->node);
	if (dev->netdev_ops->ndo_uninit)
		dev->netdev_ops->ndo_uninit(dev);
	dev->netdev_ops = &dead_ops;
	dev->priv = NULL;
	dev->carrier = false;
	if (net->loopback_dev == dev)
		net->loopback_dev = NULL;
	list_add_tail(&dev->node, &net->dead_devs);
	TRACE(&net->probe, TR_NOTE, 0, "unregister dev=%s ifindex=%d", dev->name, dev->ifindex);
}

void unregister_all_netdevs(struct net *net)
{
	while (!list_empty(&net->dev_base)) /* the youngest first: lo is the oldest */
		unregister_netdev(list_last_entry(&net->dev_base, struct net_device, node));
}

struct net_device *dev_get_by_name(struct net *net, const char *name)
{
	struct net_device *dev;

	list_for_each_entry(dev, &net->dev_base, node)
		if (!strcmp(dev->name, name))
			return dev;
	return NULL;
}

struct net_device *dev_get_by_index(struct net *net, int ifindex)
{
	if (ifindex <= 0 || ifindex > net->nr_ifindex)
		return NULL;
	return net->dev_by_index[ifindex];
}

/* ---- state ---- */

static void dev_update_running(struct net_device *dev)
{
	dev->flags &= ~(uint32_t)(DEVF_RUNNING | DEVF_LOWER_UP);
	if ((dev->flags & DEVF_UP) && dev->carrier)
		dev->flags |= DEVF_RUNNING | DEVF_LOWER_UP;
}

int dev_open(struct net_device *dev)
{
	int err = 0;

	if (!dev->registered)
		return -ENODEV;
	if (dev->flags & DEVF_UP)
		return 0;
	for (uint32_t i = 0; i < dev->num_tx_queues; i++)
		dev->tx[i].stopped = false; /* the ring that was full is gone */
	if (dev->netdev_ops->ndo_open)
		err = dev->netdev_ops->ndo_open(dev);
	if (err)
		return err;
	dev->flags |= DEVF_UP;
	dev->ever_up = true;
	if (dev->netdev_ops->ndo_set_rx_mode)
		dev->netdev_ops->ndo_set_rx_mode(dev);
	dev_activate(dev);
	dev_update_running(dev);
	call_netdev_notifiers(dev, NETDEV_UP_);
	return 0;
}

int dev_close(struct net_device *dev)
{
	if (!(dev->flags & DEVF_UP))
		return 0;
	call_netdev_notifiers(dev, NETDEV_GOING_DOWN_);
	dev_deactivate(dev);
	if (dev->netdev_ops->ndo_stop)
		dev->netdev_ops->ndo_stop(dev);
	dev->flags &= ~(uint32_t)DEVF_UP;
	dev_update_running(dev);
	call_netdev_notifiers(dev, NETDEV_DOWN_);
	return 0;
}

static void netif_carrier_set(struct net_device *dev, bool on)
{
	if (dev->carrier == on)
		return;
	dev->carrier = on;
	if (!(dev->flags & DEVF_UP) || !dev->registered)
		return;
	dev_update_running(dev);
	if (on)
		dev_activate(dev);
	else
		dev_deactivate(dev);
	call_netdev_notifiers(dev, NETDEV_CHANGE_);
}

void netif_carrier_on(struct net_device *dev)
{
	netif_carrier_set(dev, true);
}

void netif_carrier_off(struct net_device *dev)
{
	netif_carrier_set(dev, false);
}

int dev_set_mtu(struct net_device *dev, uint32_t mtu)
{
	int err = 0;

	if (mtu == dev->mtu)
		return 0;
	if (mtu < dev->min_mtu || (dev->max_mtu && mtu > dev->max_mtu))
		return -EINVAL;
	if (dev->netdev_ops->ndo_change_mtu)
		err = dev->netdev_ops->ndo_change_mtu(dev, mtu);
	if (err)
		return err;
	dev->mtu = mtu;
	call_netdev_notifiers(dev, NETDEV_CHANGEMTU_);
	return 0;
}

int dev_set_mac_address(struct net_device *dev, const uint8_t *mac)
{
	int err = 0;

	if (dev->addr_len != ETH_ALEN || (dev->flags & DEVF_LOOPBACK))
		return -EOPNOTSUPP;
	if (mac_is_group(mac) || mac_is_zero(mac))
		return -EADDRNOTAVAIL;
	if (dev->netdev_ops->ndo_set_mac_address)
		err = dev->netdev_ops->ndo_set_mac_address(dev, mac);
	if (err)
		return err;
	memcpy(dev->dev_addr, mac, ETH_ALEN);
	call_netdev_notifiers(dev, NETDEV_CHANGEADDR_);
	return 0;
}

static void dev_rx_mode_changed(struct net_device *dev)
{
	if (dev->netdev_ops->ndo_set_rx_mode && (dev->flags & DEVF_UP))
		dev->netdev_ops->ndo_set_rx_mode(dev);
}

static uint32_t counted_flag(struct net_device *dev, uint32_t *count, int inc, uint32_t flag)
{
	assert(inc >= 0 || *count >= (uint32_t)-inc);
	*count = (uint32_t)((int64_t)*count + inc);
	return *count ? dev->flags | flag : dev->flags & ~flag;
}

void dev_set_promiscuity(struct net_device *dev, int inc)
{
	dev->flags = counted_flag(dev, &dev->promiscuity, inc, DEVF_PROMISC);
	dev_rx_mode_changed(dev);
}

/* Flags that the administrator may toggle without further ado. */
#define DEVF_PLAIN (DEVF_NOARP | DEVF_MULTICAST)

static void dev_toggle_counted(struct net_device *dev, uint32_t set, uint32_t clear)
{
	uint32_t up = set & ~dev->gflags & (DEVF_PROMISC | DEVF_ALLMULTI);
	uint32_t down = clear & dev->gflags & (DEVF_PROMISC | DEVF_ALLMULTI);

	dev->gflags = (dev->gflags | up) & ~down;
	if ((up | down) & DEVF_PROMISC)
		dev_set_promiscuity(dev, up & DEVF_PROMISC ? 1 : -1);
	if ((up | down) & DEVF_ALLMULTI) {
		dev->flags = counted_flag(dev, &dev->allmulti, up & DEVF_ALLMULTI ? 1 : -1,
					  DEVF_ALLMULTI);
		dev_rx_mode_changed(dev);
	}
}

int dev_set_flags(struct net_device *dev, uint32_t set, uint32_t clear)
{
	uint32_t before = dev->flags;
	int err = 0;

	dev_toggle_counted(dev, set, clear);
	dev->flags = (dev->flags | (set & DEVF_PLAIN)) & ~(clear & DEVF_PLAIN);
	if ((before ^ dev->flags) & DEVF_PLAIN) {
		dev_rx_mode_changed(dev);
		call_netdev_notifiers(dev, NETDEV_CHANGE_);
	}
	if (set & DEVF_UP)
		err = dev_open(dev);
	else if (clear & DEVF_UP)
		err = dev_close(dev);
	return err;
}

static struct netdev_hw_addr *dev_mc_find(const struct net_device *dev, const uint8_t *addr)
{
	struct netdev_hw_addr *ha;

	list_for_each_entry(ha, &dev->mc_list, list)
		if (mac_equal(ha->addr, addr))
			return ha;
	return NULL;
}

int dev_mc_add(struct net_device *dev, const uint8_t *addr)
{
	struct netdev_hw_addr *ha = dev_mc_find(dev, addr);

	if (!ha) {
		ha = xcalloc(1, sizeof(*ha));
		memcpy(ha->addr, addr, ETH_ALEN);
		list_add_tail(&ha->list, &dev->mc_list);
	}
	if (ha->refs++ == 0)
		dev_rx_mode_changed(dev);
	return 0;
}

int dev_mc_del(struct net_device *dev, const uint8_t *addr)
{
	struct netdev_hw_addr *ha = dev_mc_find(dev, addr);

	if (!ha)
		return -ENOENT;
	if (--ha->refs == 0) {
		list_del_init(&ha->list);
		free(ha);
		dev_rx_mode_changed(dev);
	}
	return 0;
}

void dev_get_stats(struct net_device *dev, struct rtnl_link_stats64_ *s)
{
	*s = dev->stats;
	if (dev->netdev_ops->ndo_get_stats64)
		dev->netdev_ops->ndo_get_stats64(dev, s);
}
