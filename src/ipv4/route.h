/* Routes as packets use them: rtable is a dst_entry with what was found. */
#ifndef IPV4_ROUTE_H
#define IPV4_ROUTE_H

#include "core/dst.h"
#include "ipv4/fib.h"

#define RTCF_LOCAL_ 0x80000000u
#define RTCF_BROADCAST_ 0x10000000u
#define RTCF_MULTICAST_ 0x20000000u
#define RTCF_DOREDIRECT_ 0x01000000u

struct rtable {
	struct dst_entry dst; /* first */
	uint32_t flags, genid;
	uint16_t type; /* RTN_ */
	bool is_input, uses_gateway;
	int iif;          /* 0 in an output route */
	uint32_t gw;      /* next hop, 0: the destination itself */
	uint32_t pmtu;    /* learned, 0 none */
	uint64_t pmtu_expires_ns;
	struct fib_info *fi; /* counted; NULL: made without a table entry */
	uint32_t daddr;   /* 0: shared by all destinations behind its next hop */
	uint32_t saddr;   /* the source that the route prefers */
	uint32_t table_id;
	bool pmtu_locked; /* path below the smallest PMTU that we believe: no DF (RFC 5927 7) */
	struct list_head list; /* all of the host */
};
static inline struct rtable *skb_rtable(const struct sk_buff *skb) { return (struct rtable *)(void *)skb->dst; }

/* Route lookups. Result counted; NULL with *err = -errno. fl4 is filled in: saddr chosen, oif. */
struct rtable *ip_route_output_flow(struct net *net, struct flowi4 *fl4, struct sock *sk, int *err);
struct rtable *__ip_route_output_key(struct net *net, struct flowi4 *fl4, int *err);
struct rtable *ip_route_output_ports(struct net *net, struct flowi4 *fl4, struct sock *sk, uint32_t daddr, uint32_t saddr, uint16_t dport, uint16_t sport, uint8_t proto, uint8_t tos, int oif, int *err);
/* Attach the route of a received packet to it: 0, or the drop reason. */
enum drop_reason ip_route_input_noref(struct sk_buff *skb, uint32_t daddr, uint32_t saddr, uint8_t tos, struct net_device *dev);
static inline uint32_t rt_nexthop(const struct rtable *rt, uint32_t daddr) { return rt->gw ? rt->gw : daddr; }
/* RTN_ type of an address seen from this host (optionally only dev's). */
unsigned inet_addr_type(struct net *net, uint32_t addr);
unsigned inet_dev_addr_type(struct net *net, const struct net_device *dev, uint32_t addr);
uint32_t inet_select_addr(const struct net_device *dev, uint32_t dst, int scope);
/* All cached routes are stale from now on. */
void rt_cache_flush(struct net *net);
/* An ICMP "fragmentation needed" or redirect whose quoted header is at skb->data. */
void ipv4_update_pmtu(struct sk_buff *skb, struct net *net, uint32_t mtu, int oif, uint8_t proto);
void ipv4_redirect(struct sk_buff *skb, struct net *net, int oif, uint8_t proto, uint32_t new_gw, struct net_device *dev);
/* The same for a socket's own route: its cached dst is looked up anew. */
void ipv4_sk_update_pmtu(struct sk_buff *skb, struct sock *sk, uint32_t mtu);
/* Is the path's MTU below what we believe, or a route's "mtu lock", so that DF must stay off? */
static inline bool ip_mtu_locked(const struct dst_entry *dst)
{
	const struct rtable *rt = (const struct rtable *)(const void *)dst;
	return (rt->pmtu_locked && rt->dst.net->now_ns < rt->pmtu_expires_ns) || fib_metric_locked(rt->fi, RTAX_MTU);
}
/* Metrics of a route: 0 where the route says nothing. */
static inline uint32_t rt_hoplimit(const struct rtable *rt) { return rt->fi ? rt->fi->metrics[RTAX_HOPLIMIT] : 0; }
/* MTU for a packet in transit: the device's, or the learned one if ip_forward_use_pmtu. */
uint32_t ip_dst_mtu_maybe_forward(const struct dst_entry *dst, bool forwarding);

#endif
