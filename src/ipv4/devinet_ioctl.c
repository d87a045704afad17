/* The old way to ask and change interfaces: ioctl on a socket (netdevice(7)), as ifconfig of net-tools uses it.
 *
 * Called by inet_ioctl (af_inet.c) and TCP's sockets. Tests: tests/unit/ipv4/test_devinet.c. */
#include <errno.h>
#include <netinet/in.h>
#include <linux/if.h>
#include <linux/sockios.h>
#include "ipv4/netns_ipv4.h"

static void put_sin(struct sockaddr *sa, uint32_t addr)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(addr) };

	memcpy(sa, &sin, sizeof(sin));
}

static uint32_t get_sin(const struct sockaddr *sa)
{
	struct sockaddr_in sin;

	memcpy(&sin, sa, sizeof(sin));
	return ntohl(sin.sin_addr.s_addr);
}

/* "eth0:1" names the device eth0 and its address of that label. */
static struct net_device *dev_of(struct net *net, struct ifreq *ifr)
{
	char name[IFNAMSIZ], *colon;

	ifr->ifr_name[IFNAMSIZ - 1] = 0;
	memcpy(name, ifr->ifr_name, sizeof(name));
	colon = strchr(name, ':');
	if (colon)
		*colon = 0;
	return dev_get_by_name(net, name);
}

static struct in_ifaddr *ifa_of(const struct net_device *dev, const struct ifreq *ifr)
{
	struct in_ifaddr *ifa;

	if (!dev->ip_ptr)
		return NULL;
	list_for_each_entry(ifa, &dev->ip_ptr->addrs, list) {
		if (strcmp(ifa->label, ifr->ifr_name) == 0)
			return ifa;
	}
	return NULL;
}

static int ioctl_ifconf(struct net *net, struct ifconf *ifc)
{
	int room = ifc->ifc_buf ? ifc->ifc_len : 0, n = 0;

	for (int i = 1; i <= net->nr_ifindex; i++) {
		struct net_device *dev = dev_get_by_index(net, i);
		const struct in_ifaddr *ifa;

		if (!dev || !dev->ip_ptr)
			continue;
		list_for_each_entry(ifa, &dev->ip_ptr->addrs, list) {
			struct ifreq ifr = { 0 };

			memcpy(ifr.ifr_name, ifa->label, sizeof(ifa->label));
			put_sin(&ifr.ifr_addr, ifa->local);
			if (ifc->ifc_buf && n + (int)sizeof(ifr) > room)
				goto out;
			if (ifc->ifc_buf)
				memcpy(ifc->ifc_buf + n, &ifr, sizeof(ifr));
			n += (int)sizeof(ifr);
		}
	}
out:
	ifc->ifc_len = n;
	return 0;
}

/* What every device has, with or without IP. */
static int ioctl_get_link(struct net_device *dev, unsigned long cmd, struct ifreq *ifr)
{
	switch (cmd) {
	case SIOCGIFFLAGS:
		ifr->ifr_flags = (short)(dev->flags & 0xffff);
		return 0;
	case SIOCGIFMTU:
		ifr->ifr_mtu = (int)dev->mtu;
		return 0;
	case SIOCGIFINDEX:
		ifr->ifr_ifindex = dev->ifindex;
		return 0;
	case SIOCGIFMETRIC:
		ifr->ifr_metric = 0;
		return 0;
	case SIOCGIFTXQLEN:
		ifr->ifr_qlen = (int)dev->tx_queue_len;
		return 0;
	case SIOCGIFHWADDR:
		memset(&ifr->ifr_hwaddr, 0, sizeof(ifr->ifr_hwaddr));
		ifr->ifr_hwaddr.sa_family = dev->type;
		memcpy(ifr->ifr_hwaddr.sa_data, dev->dev_addr, ETH_ALEN);
		return 0;
	default:
		return -ENOTTY;
	}
}

static int ioctl_get_addr(const struct in_ifaddr *ifa, unsigned long cmd, struct ifreq *ifr)
{
	if (!ifa)
		return -EADDRNOTAVAIL;
	switch (cmd) {
	case SIOCGIFADDR:
		put_sin(&ifr->ifr_addr, ifa->local);
		break;
	case SIOCGIFDSTADDR:
		put_sin(&ifr->ifr_dstaddr, ifa->address);
		break;
	case SIOCGIFBRDADDR:
		put_sin(&ifr->ifr_broadaddr, ifa->broadcast);
		break;
	default:
		put_sin(&ifr->ifr_netmask, ifa->mask);
		break;
	}
	return 0;
}

static uint8_t classful_plen(uint32_t a)
{
	if (ip4_is_loopback(a) || !(a >> 31))
		return 8;
	return a >> 30 == 2 ? 16 : 24;
}

static struct inet_addr_args args_of(const struct in_ifaddr *ifa)
{
	struct inet_addr_args a = { .local = ifa->local, .peer = ifa->address != ifa->local ? ifa->address : 0,
				    .broadcast = ifa->broadcast, .plen = ifa->prefixlen, .scope = ifa->scope };

	memcpy(a.label, ifa->label, sizeof(a.label));
	return a;
}

/* Change one property of an address: it goes and comes back changed. */
static int ioctl_set_addr(struct net *net, struct net_device *dev, struct in_ifaddr *ifa, unsigned long cmd, struct ifreq *ifr)
{
	struct inet_addr_args a = { 0 };
	uint32_t v = get_sin(&ifr->ifr_addr);

	if (ifa)
		a = args_of(ifa);
	else if (cmd != SIOCSIFADDR)
		return -EADDRNOTAVAIL;
	memcpy(a.label, ifr->ifr_name, sizeof(a.label));
	switch (cmd) {
	case SIOCSIFADDR:
		a = (struct inet_addr_args){ .local = v, .plen = classful_plen(v) };
		memcpy(a.label, ifr->ifr_name, sizeof(a.label));
		if (dev->flags & DEVF_BROADCAST)
			a.broadcast = v | ~ip4_mask(a.plen);
		a.scope = ip4_is_loopback(v) ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
		break;
	case SIOCSIFNETMASK:
		if (~v & (~v + 1)) /* ones, then zeros */
			return -EINVAL;
		a.plen = (uint8_t)__builtin_popcount(v);
		if (a.broadcast)
			a.broadcast = a.local | ~v;
		break;
	case SIOCSIFBRDADDR:
		a.broadcast = v;
		break;
	default:
		a.peer = v;
		break;
	}
	if (ifa)
		inet_remove_ifa(net, ifa);
	return a.local ? inet_insert_ifa(net, dev, &a) : 0;
}

static int ioctl_set_flags(struct net_device *dev, unsigned v)
{
	const uint32_t may = DEVF_UP | DEVF_NOARP | DEVF_PROMISC | DEVF_ALLMULTI | DEVF_MULTICAST;

	return dev_set_flags(dev, v & may, ~v & may);
}

int devinet_ioctl(struct net *net, unsigned long cmd, void *arg)
{
	struct ifreq *ifr = arg;
	struct net_device *dev;
	int r;

	if (cmd == SIOCGIFCONF)
		return ioctl_ifconf(net, arg);
	if (cmd == SIOCGIFNAME) {
		dev = dev_get_by_index(net, ifr->ifr_ifindex);
		if (!dev)
			return -ENODEV;
		memcpy(ifr->ifr_name, dev->name, sizeof(dev->name));
		return 0;
	}
	switch (cmd) {
	case SIOCGIFFLAGS: case SIOCGIFMTU: case SIOCGIFINDEX: case SIOCGIFMETRIC: case SIOCGIFTXQLEN: case SIOCGIFHWADDR:
	case SIOCGIFADDR: case SIOCGIFDSTADDR: case SIOCGIFBRDADDR: case SIOCGIFNETMASK: case SIOCSIFADDR:
	case SIOCSIFDSTADDR: case SIOCSIFBRDADDR: case SIOCSIFNETMASK: case SIOCSIFFLAGS: case SIOCSIFMTU:
	case SIOCSIFHWADDR:
		break;
	default:
		return -ENOTTY;
	}
	dev = dev_of(net, ifr);
	if (!dev)
		return -ENODEV;
	r = ioctl_get_link(dev, cmd, ifr);
	if (r != -ENOTTY)
		return r;
	switch (cmd) {
	case SIOCSIFFLAGS:
		return ioctl_set_flags(dev, (unsigned short)ifr->ifr_flags);
	case SIOCSIFMTU:
		return ifr->ifr_mtu < 0 ? -EINVAL : dev_set_mtu(dev, (uint32_t)ifr->ifr_mtu);
	case SIOCSIFHWADDR:
		return dev_set_mac_address(dev, (const uint8_t *)ifr->ifr_hwaddr.sa_data);
	case SIOCSIFADDR: case SIOCSIFDSTADDR: case SIOCSIFBRDADDR: case SIOCSIFNETMASK:
		return ioctl_set_addr(net, dev, ifa_of(dev, ifr), cmd, ifr);
	default:
		return ioctl_get_addr(ifa_of(dev, ifr), cmd, ifr);
	}
}
