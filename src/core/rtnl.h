/* The control socket: messages shaped as rtnetlink (rtnetlink(7), sock_diag(7)), with Linux's structs and
 * numbers, so that the programs ip, ss, arp... know nothing of the stack's structures. Rooms register
 * handlers by message type; socket/af_netlink.c carries the messages. */
#ifndef CORE_RTNL_H
#define CORE_RTNL_H

#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include "base/strbuf.h"
#include "core/net.h"

/* A reply under construction: netlink messages, back to back. */
struct nl_reply {
	struct strbuf buf;
	uint32_t portid, seq;
	size_t msg_start;
};
struct nlmsghdr *nl_begin(struct nl_reply *r, uint16_t type, uint16_t flags, const void *family_hdr, size_t len);
void nl_attr(struct nl_reply *r, uint16_t type, const void *data, size_t len);
void nl_attr_u32(struct nl_reply *r, uint16_t type, uint32_t v);
void nl_attr_u8(struct nl_reply *r, uint16_t type, uint8_t v);
void nl_attr_str(struct nl_reply *r, uint16_t type, const char *s);
size_t nl_nest_start(struct nl_reply *r, uint16_t type);
void nl_nest_end(struct nl_reply *r, size_t at);
void nl_end(struct nl_reply *r);
/* Index attributes of a message body after a fixed header; malformed: -EINVAL. tb[max+1]. */
int nl_parse(const struct nlmsghdr *h, size_t hdrlen, const struct nlattr **tb, unsigned max);
static inline const void *nla_data(const struct nlattr *a) { return (const char *)a + sizeof(*a); }
static inline size_t nla_len(const struct nlattr *a) { return (size_t)a->nla_len - sizeof(*a); }
uint32_t nla_get_u32(const struct nlattr *a);
/* IPv4 address attribute (network order bytes) to host order. */
uint32_t nla_get_ip4(const struct nlattr *a);
void nl_attr_ip4(struct nl_reply *r, uint16_t type, uint32_t addr);

/* Handle one request. doit (change/get one): 0 or -errno, may append a reply; dumpit: append all. */
typedef int (*rtnl_fn)(struct net *net, const struct nlmsghdr *h, struct nl_reply *r);
struct rtnl_handler {
	uint16_t protocol; /* NETLINK_ROUTE, NETLINK_SOCK_DIAG or NETLINK_GENERIC */
	uint16_t type;
	rtnl_fn doit, dumpit;
};
int rtnl_register(struct net *net, const struct rtnl_handler *h, size_t n);
/* A family of generic netlink: its requests have a struct genlmsghdr in front, and go to doit or dumpit whatever their command. name is
 * kept; maxattr: its highest attribute. 0 or -errno. */
int genl_register_family(struct net *net, const char *name, uint8_t version, uint32_t maxattr, rtnl_fn doit, rtnl_fn dumpit);
/* Run a whole request buffer; appends replies, NLMSG_ERROR acks and NLMSG_DONE. */
void rtnl_receive(struct net *net, uint16_t protocol, const void *buf, size_t len, struct nl_reply *r);
/* A device's flags as programs see them (IFF_RUNNING and IFF_LOWER_UP follow state and carrier). */
struct net_device;
uint32_t rtnl_link_flags(const struct net_device *dev);
extern const struct pernet_operations rtnl_net_ops; /* with the RTM_*LINK and RTM_*NEIGH handlers of core */

#endif
