/* Device ioctls that every socket takes (netdevice(7)); those about addresses are the family's own.
 *
 * Decides: which request reads or changes which field of a device. Called by: socket.c after the family did not
 * know the request. Hands on: core/dev_core.c. Tests: tests/unit/app, on whole hosts. */
#include <errno.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include "core/netdevice.h"
#include "core/rtnl.h"
#include "socket/file.h"

static int dev_ioctl_get(struct net_device *dev, unsigned long cmd, struct ifreq *r)
{
	switch (cmd) {
	case SIOCGIFINDEX:
		r->ifr_ifindex = dev->ifindex;
		return 0;
	case SIOCGIFFLAGS:
		r->ifr_flags = (short)rtnl_link_flags(dev);
		return 0;
	case SIOCGIFMTU:
		r->ifr_mtu = (int)dev->mtu;
		return 0;
	case SIOCGIFTXQLEN:
		r->ifr_qlen = (int)dev->tx_queue_len;
		return 0;
	case SIOCGIFMETRIC:
		r->ifr_metric = 0;
		return 0;
	default: /* SIOCGIFHWADDR */
		memset(&r->ifr_hwaddr, 0, sizeof(r->ifr_hwaddr));
		r->ifr_hwaddr.sa_family = dev->type;
		memcpy(r->ifr_hwaddr.sa_data, dev->dev_addr, ETH_ALEN);
		return 0;
	}
}

static int dev_ioctl_set(struct net_device *dev, unsigned long cmd, const struct ifreq *r)
{
	const uint32_t may = DEVF_UP | DEVF_NOARP | DEVF_PROMISC | DEVF_ALLMULTI | DEVF_MULTICAST;
	uint32_t flags = (uint16_t)r->ifr_flags;

	switch (cmd) {
	case SIOCSIFFLAGS:
		return dev_set_flags(dev, flags & may, ~flags & may);
	case SIOCSIFMTU:
		return r->ifr_mtu < 0 ? -EINVAL : dev_set_mtu(dev, (uint32_t)r->ifr_mtu);
	case SIOCSIFTXQLEN:
		if (r->ifr_qlen < 0)
			return -EINVAL;
		dev->tx_queue_len = (uint32_t)r->ifr_qlen;
		return 0;
	default: /* SIOCSIFHWADDR */
		if (r->ifr_hwaddr.sa_family != dev->type)
			return -EINVAL;
		return dev_set_mac_address(dev, (const uint8_t *)r->ifr_hwaddr.sa_data);
	}
}

int dev_ioctl(struct net *net, unsigned long cmd, void *arg)
{
	struct net_device *dev;
	struct ifreq *r = arg;

	switch (cmd) {
	case SIOCGIFNAME:
	case SIOCGIFINDEX:
	case SIOCGIFFLAGS:
	case SIOCGIFMTU:
	case SIOCGIFTXQLEN:
	case SIOCGIFMETRIC:
	case SIOCGIFHWADDR:
	case SIOCSIFFLAGS:
	case SIOCSIFMTU:
	case SIOCSIFTXQLEN:
	case SIOCSIFHWADDR:
		break;
	default:
		return -ENOTTY;
	}
	if (!r)
		return -EFAULT;
	if (cmd == SIOCGIFNAME) {
		dev = dev_get_by_index(net, r->ifr_ifindex);
		if (dev)
			memcpy(r->ifr_name, dev->name, IFNAMSIZ);
		return dev ? 0 : -ENODEV;
	}
	r->ifr_name[IFNAMSIZ - 1] = '\0';
	dev = dev_get_by_name(net, r->ifr_name);
	if (!dev)
		return -ENODEV;
	if (cmd == SIOCSIFFLAGS || cmd == SIOCSIFMTU || cmd == SIOCSIFTXQLEN || cmd == SIOCSIFHWADDR)
		return dev_ioctl_set(dev, cmd, r);
	return dev_ioctl_get(dev, cmd, r);
}
