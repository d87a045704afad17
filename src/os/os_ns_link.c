/* What a program's new network is made of: addresses, routes and veth pairs over rtnetlink(7), offloads over
 * ethtool's ioctl, packet sockets. Called in the child only (os_ns_child.c). */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "os/os_ns_int.h"

struct request {
	_Alignas(8) uint8_t b[1024];
	size_t len;
};

static void begin(struct request *r, uint16_t type, uint16_t flags, const void *hdr, size_t len)
{
	struct nlmsghdr *h = (struct nlmsghdr *)(void *)r->b;

	memset(r, 0, sizeof(*r));
	h->nlmsg_type = type;
	h->nlmsg_flags = (uint16_t)(flags | NLM_F_REQUEST | NLM_F_ACK);
	h->nlmsg_seq = 1;
	memcpy(r->b + sizeof(*h), hdr, len);
	r->len = (sizeof(*h) + len + 3) & ~(size_t)3;
}

static size_t put(struct request *r, uint16_t type, const void *data, size_t len)
{
	struct nlattr *a = (struct nlattr *)(void *)(r->b + r->len);
	size_t at = r->len;

	a->nla_type = type;
	a->nla_len = (uint16_t)(sizeof(*a) + len);
	if (len)
		memcpy(a + 1, data, len);
	r->len += (sizeof(*a) + len + 3) & ~(size_t)3;
	return at;
}

static void end_nest(struct request *r, size_t at)
{
	((struct nlattr *)(void *)(r->b + at))->nla_len = (uint16_t)(r->len - at);
}

static void put_ip4(struct request *r, uint16_t type, uint32_t addr)
{
	uint32_t be = htonl(addr);

	put(r, type, &be, sizeof(be));
}

static int ask(struct request *r)
{
	struct nlmsghdr *h = (struct nlmsghdr *)(void *)r->b;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), err = -EPROTO;
	_Alignas(8) uint8_t reply[1024];
	ssize_t n;

	if (fd < 0)
		return -errno;
	h->nlmsg_len = (uint32_t)r->len;
	n = send(fd, r->b, r->len, 0);
	if (n >= 0)
		n = recv(fd, reply, sizeof(reply), 0);
	if (n < 0)
		err = -errno;
	else if (n >= (ssize_t)(sizeof(*h) + sizeof(int)))
		memcpy(&err, reply + sizeof(*h), sizeof(err)); /* NLMSG_ERROR: 0 or -errno */
	close(fd);
	return err;
}

static int index_of(const char *name)
{
	struct ifreq ifr;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), idx = 0;

	memset(&ifr, 0, sizeof(ifr));
	memcpy(ifr.ifr_name, name, strnlen(name, IFNAMSIZ - 1));
	if (fd >= 0 && !ioctl(fd, SIOCGIFINDEX, &ifr))
		idx = ifr.ifr_ifindex;
	if (fd >= 0)
		close(fd);
	return idx;
}

int ns_addr_add(const char *ifname, const struct os_ns_addr *a)
{
	struct ifaddrmsg m = { .ifa_family = AF_INET, .ifa_prefixlen = a->plen, .ifa_index = (uint32_t)index_of(ifname) };
	struct request r;

	begin(&r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &m, sizeof(m));
	put_ip4(&r, IFA_LOCAL, a->addr);
	put_ip4(&r, IFA_ADDRESS, a->addr);
	if (a->broadcast)
		put_ip4(&r, IFA_BROADCAST, a->broadcast);
	return ask(&r);
}

int ns_route_add(const char *ifname, const struct os_ns_route *rt)
{
	struct rtmsg m = { .rtm_family = AF_INET, .rtm_dst_len = rt->plen, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_STATIC,
			   .rtm_type = RTN_UNICAST, .rtm_scope = rt->gw ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK };
	uint32_t oif = (uint32_t)index_of(ifname);
	struct request r;

	begin(&r, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &m, sizeof(m));
	if (rt->plen)
		put_ip4(&r, RTA_DST, rt->dst);
	if (rt->gw)
		put_ip4(&r, RTA_GATEWAY, rt->gw);
	if (rt->src)
		put_ip4(&r, RTA_PREFSRC, rt->src);
	if (rt->metric)
		put(&r, RTA_PRIORITY, &rt->metric, sizeof(rt->metric));
	put(&r, RTA_OIF, &oif, sizeof(oif));
	return ask(&r);
}

int ns_veth_add(const char *name, const uint8_t mac[6], int ns_fd, const char *peer, uint32_t mtu)
{
	struct ifinfomsg m = { 0 };
	struct request r;
	size_t info, data, far;

	begin(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &m, sizeof(m));
	put(&r, IFLA_IFNAME, peer, strlen(peer) + 1);
	if (mtu)
		put(&r, IFLA_MTU, &mtu, sizeof(mtu));
	info = put(&r, IFLA_LINKINFO | NLA_F_NESTED, NULL, 0);
	put(&r, IFLA_INFO_KIND, "veth", 5);
	data = put(&r, IFLA_INFO_DATA | NLA_F_NESTED, NULL, 0);
	far = put(&r, VETH_INFO_PEER | NLA_F_NESTED, &m, sizeof(m));
	put(&r, IFLA_IFNAME, name, strlen(name) + 1);
	put(&r, IFLA_ADDRESS, mac, 6);
	put(&r, IFLA_NET_NS_FD, &ns_fd, sizeof(ns_fd));
	if (mtu)
		put(&r, IFLA_MTU, &mtu, sizeof(mtu));
	end_nest(&r, far);
	end_nest(&r, data);
	end_nest(&r, info);
	return ask(&r);
}

void ns_offloads_off(const char *ifname)
{
	static const uint32_t cmd[] = { ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	for (size_t i = 0; fd >= 0 && i < sizeof(cmd) / sizeof(cmd[0]); i++) {
		struct ethtool_value v = { .cmd = cmd[i] };
		struct ifreq ifr;
		memset(&ifr, 0, sizeof(ifr));
		memcpy(ifr.ifr_name, ifname, strnlen(ifname, IFNAMSIZ - 1));
		ifr.ifr_data = &v;
		ioctl(fd, SIOCETHTOOL, &ifr);
	}
	if (fd >= 0)
		close(fd);
}

int ns_packet_socket(const char *ifname)
{
	struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = index_of(ifname) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL)), err = 0, one = 1;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)))
		err = -errno;
	if (err)
		close(fd);
	return err ? err : fd;
}
