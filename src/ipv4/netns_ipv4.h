/* The Internet layer's state of one host (net->ipv4). Private to the room; built by ipv4_net.c.
 *
 * What hangs here, and its bound:
 *   sysctls      ints, as net.ipv4.* shows them
 *   FIB          tables by number, fib_infos in a growing hash (bounded by what is configured)
 *   rtables      all live ones in a list: a device that goes away is taken out of them
 *   exceptions   PMTU and redirects learned from the net: RT_EXC_MAX, oldest use goes first
 *   peers        ICMP rate limits per destination: INET_PEER_MAX, oldest use goes first
 *   reassembly   ipfrag_high_thresh octets, oldest datagram goes first
 *   sockets      UDP, raw, ping tables; grow with the sockets */
#ifndef IPV4_NETNS_IPV4_H
#define IPV4_NETNS_IPV4_H

#include "base/pool.h"
#include "core/gro.h"
#include "core/procfs.h"
#include "core/rtnl.h"
#include "ipv4/ip.h"

#define RT_EXC_MAX 4096
#define RT_EXC_HASH 256
#define INET_PEER_MAX 4096
#define INET_PEER_HASH 256
#define IP_IDENTS 256
#define FIB_TABLE_HASH 16
#define IN4_ADDR_HASH_MIN 16
#define INET_PROTOSW_MAX 16
#define INET_PROTOS_MAX 16
#define RAW_HASH 16
#define PING_HASH 16
#define RESERVED_PORTS_MAX 16

struct fib_rule;
struct udp_table;
struct frag_queue;
struct inet_peer;
struct rt_exception;

struct port_range {
	uint16_t low, high;
};

struct ipv4_sysctl {
	int32_t ip_default_ttl, ip_no_pmtu_disc, ip_forward_use_pmtu, ip_nonlocal_bind, ip_unprivileged_port_start;
	int32_t ip_local_port_range[2], ping_group_range[2];
	int32_t icmp_echo_ignore_all, icmp_echo_ignore_broadcasts, icmp_ignore_bogus_error_responses,
		icmp_errors_use_inbound_ifaddr, icmp_ratelimit, icmp_ratemask, icmp_msgs_per_sec, icmp_msgs_burst;
	int32_t ipfrag_high_thresh, ipfrag_low_thresh, ipfrag_time;
	int32_t igmp_max_memberships, igmp_max_msf, igmp_qrv, igmp_link_local_mcast_reports;
	int32_t fib_multipath_hash_policy, fwmark_reflect;
	int32_t min_pmtu, mtu_expires, min_adv_mss, redirect_number, redirect_load_ms, redirect_silence_ms;
	struct port_range reserved_ports[RESERVED_PORTS_MAX];
	uint32_t nr_reserved_ports;
	/* ours, without a name in Linux */
	int32_t arp_request_rate; /* broadcasts a second of the whole host (ARP-07) */
};

/* A token bucket: credit in thousandths, filled by the clock of the host. */
struct token_bucket {
	uint64_t stamp_ns;
	uint64_t credit;
};

struct icmp_state {
	struct sock *sk; /* what replies and errors are sent with */
	struct token_bucket global;
};

struct frag_state {
	struct hlist_head *buckets; /* NULL until the first fragment */
	uint32_t nr_buckets, queues;
	uint64_t mem;
	struct list_head lru; /* oldest datagram first */
	struct pool pool;
};

struct exc_state {
	struct hlist_head *buckets; /* NULL until the first */
	struct list_head lru;
	uint32_t n;
};

struct peer_state {
	struct hlist_head *buckets;
	struct list_head lru;
	uint32_t n;
};

struct raw_state {
	struct hlist_head ht[RAW_HASH];
	uint32_t n;
};

struct ping_state {
	struct hlist_head ht[PING_HASH];
	uint32_t n;
	uint16_t rover;
};

struct rt_cache_stat { /* /proc/net/stat/rt_cache */
	uint64_t in_hit, in_slow_tot, in_slow_mc, in_no_route, in_brd, in_martian_dst, in_martian_src, out_hit,
		out_slow_tot, out_slow_mc;
};

struct netns_ipv4 {
	struct net *net;
	struct ipv4_sysctl sysctl;
	int32_t devconf_all[32], devconf_dflt[32]; /* enum ipv4_devconf */
	struct list_head devs_dead;

	/* addresses */
	struct hlist_head *addr_hash;
	uint32_t addr_hash_size, nr_addrs;

	/* FIB */
	struct hlist_head tables[FIB_TABLE_HASH];
	struct fib_table *fib_local, *fib_main, *fib_default; /* the three, when they exist */
	struct list_head rules;
	bool has_custom_rules;
	struct list_head fib_infos;
	struct hlist_head *fib_info_hash;
	uint32_t fib_info_hash_size, nr_fib_infos;
	struct pool alias_pool;

	/* routes */
	uint32_t rt_genid;
	struct pool rt_pool;
	struct list_head rtables;
	uint32_t nr_rtables;
	struct exc_state exc;
	struct peer_state peers;
	struct rt_cache_stat rt_stat;

	/* protocols */
	uint8_t proto_idx[256]; /* 0: none, else 1 + index below */
	struct net_protocol protos[INET_PROTOS_MAX];
	uint32_t nr_protos;
	struct inet_protosw protosw[INET_PROTOSW_MAX];
	uint32_t nr_protosw;

	/* IP */
	uint16_t idents[IP_IDENTS];
	uint32_t ident_stamp_ms[IP_IDENTS];
	uint8_t ident_key[16];
	struct frag_state frags;
	struct packet_type ip_ptype, arp_ptype;
	struct packet_offload ip_offload;
	struct netdev_notifier notifier;

	/* protocols' own */
	struct neigh_table arp_tbl;
	struct token_bucket arp_bucket;
	struct icmp_state icmp;
	struct udp_table *udp;
	struct raw_state raw;
	struct ping_state ping;
	struct pool udp_pool, raw_pool, ping_pool;
	struct rng rng_port, rng_icmp, rng_igmp;
};

static inline struct netns_ipv4 *net_ipv4(struct net *net) { return net->ipv4; }

/* ---- devinet ---- */
int devinet_init(struct net *net);
void devinet_exit(struct net *net);
int devinet_rtnl_init(struct net *net);
void devinet_sysctl_register(struct net *net, struct net_device *dev);
void devinet_sysctl_unregister(struct net *net, struct net_device *dev);
/* ioctls on interfaces (netdevice(7)). -ENOIOCTLCMD-like: -ENOTTY when not one of ours. */
int devinet_ioctl(struct net *net, unsigned long cmd, void *arg);
/* Effective value of a switch: by Linux's rule for that switch (all AND dev, all OR dev, or the larger). */
int32_t in_dev_conf_and(const struct in_device *in, enum ipv4_devconf c);
int32_t in_dev_conf_or(const struct in_device *in, enum ipv4_devconf c);
int32_t in_dev_conf_max(const struct in_device *in, enum ipv4_devconf c);
static inline bool in_dev_forward(const struct in_device *in) { return in->cnf[CNF_FORWARDING] != 0; }
bool in_dev_rx_redirects(const struct in_device *in);
struct inet_addr_args { /* one address to add or delete */
	uint32_t local, peer, broadcast;
	uint8_t plen, scope, proto;
	char label[16];
	bool noprefixroute;
};
int inet_insert_ifa(struct net *net, struct net_device *dev, const struct inet_addr_args *a);
void inet_remove_ifa(struct net *net, struct in_ifaddr *ifa);
static inline bool inet_ifa_match(uint32_t addr, const struct in_ifaddr *ifa)
{
	return ((addr ^ ifa->address) & ifa->mask) == 0;
}
bool inet_addr_onlink(const struct in_device *in, uint32_t a);

/* ---- fib ---- */
int fib_init(struct net *net);
void fib_exit(struct net *net);
int fib_rtnl_init(struct net *net);
/* RTA_METRICS; mtu: 0, or the path's in place of the route's. */
void fib_put_metrics(struct nl_reply *r, const struct fib_info *fi, uint32_t mtu, bool mtu_locked);
int fib_rtnl_dump(struct net *net, const struct nlmsghdr *h, struct nl_reply *r);
int fib_rules_init(struct net *net);
void fib_rules_exit(struct net *net);
int fib_rules_lookup(struct net *net, const struct flowi4 *flp, struct fib_result *res);
void fib_add_ifaddr(struct net *net, struct in_ifaddr *ifa);
void fib_del_ifaddr(struct net *net, struct in_ifaddr *ifa);
/* Device down (force false: local routes stay) or gone (force true). */
void fib_disable_ip(struct net *net, struct net_device *dev, bool force);
/* The choice among several next hops, and the source address if fl4 has none. */
void fib_select_path(struct net *net, struct fib_result *res, struct flowi4 *fl4, const struct sk_buff *skb);
uint32_t fib_result_prefsrc(struct net *net, const struct fib_result *res);
/* May a packet from src to dst have come in on dev? DROP_NOT_SPECIFIED (0) or why not. */
enum drop_reason fib_validate_source(struct sk_buff *skb, uint32_t src, uint32_t dst, uint8_t tos, struct net_device *dev,
				     bool *do_redirect, int oif);
/* The address that answers to this packet come from. */
uint32_t fib_compute_spec_dst(const struct sk_buff *skb);

/* ---- routes ---- */
int route_init(struct net *net);
void route_exit(struct net *net);
int route_rtnl_init(struct net *net);
struct rtable *rt_dst_alloc(struct net *net, struct net_device *dev, uint32_t flags, uint16_t type);
bool rt_cache_valid(const struct rtable *rt);
void rt_free_dev(struct net *net, struct net_device *dev);
/* Copy next hop, metrics and the exception for daddr into rt (takes a reference to fi). */
void rt_set_nexthop(struct rtable *rt, uint32_t daddr, const struct fib_result *res);
struct rt_exception *rt_find_exception(struct net *net, uint32_t daddr, const struct net_device *dev);
void ip_rt_send_redirect(struct sk_buff *skb);
int ip_error(struct sk_buff *skb);
/* Forget everything learned for this next hop's routes. */
void fib_nh_release_routes(struct fib_nh *nh);

/* ---- peers ---- */
struct inet_peer {
	struct hlist_node hash;
	struct list_head lru;
	uint32_t addr;
	uint32_t n_redirects;
	uint64_t rate_last_ns, rate_tokens_ns; /* ICMP token bucket (XRLIM) */
	uint64_t redirect_last_ns;
};
struct inet_peer *inet_getpeer(struct net *net, uint32_t addr);
void inet_peer_exit(struct net *net);
bool inet_peer_xrlim_allow(struct net *net, struct inet_peer *peer, uint64_t timeout_ns);
/* rate per second, burst: may one more go? */
bool token_bucket_take(struct token_bucket *b, uint64_t now_ns, uint32_t rate, uint32_t burst, uint32_t cost);

/* ---- IP ---- */
int ip_rcv_finish(struct net *net, struct sock *sk, struct sk_buff *skb);
/* After hooks with rules in them have run: they may have changed anything (RT-15). Is it a packet still? Otherwise it
 * is dropped here. */
bool ip_sound_after_hook_(struct sk_buff *skb);
static inline bool ip_sound_after_hook(struct net *net, enum nf_inet_hooks hook, struct sk_buff *skb)
{
	return likely(list_empty(&net->nf->hooks[hook])) || ip_sound_after_hook_(skb);
}
extern const struct nf_ip_ops ip_nf_ops;
void ip_frags_exit(struct net *net);
void ip_offload_init(struct net *net);
void ip_frags_init(struct net *net);
void ip_send_check(struct ip4_hdr *h);
int ip_finish_output2(struct net *net, struct sock *sk, struct sk_buff *skb);
uint32_t ip_skb_dst_mtu(struct sock *sk, const struct sk_buff *skb);
/* Length on the wire of each segment of a train. */
uint32_t skb_gso_network_seglen(const struct sk_buff *skb);
static inline bool skb_gso_validate_network_len(const struct sk_buff *skb, uint32_t mtu)
{
	return skb_gso_network_seglen(skb) <= mtu;
}

/* ---- options ---- */
/* Check a received packet's options and take part in them (record route, timestamp). 0, or the reason; *pp: the
 * offset that a parameter problem points at, 0 none. */
enum drop_reason ip_options_compile(struct net *net, struct sk_buff *skb, uint8_t *pp);
enum drop_reason ip_options_rcv_srr(struct sk_buff *skb, struct net_device *dev);
/* Write a socket's options behind the header that skb->data will have. */
void ip_options_build(struct sk_buff *skb, const struct ip_options *opt, uint32_t daddr, const struct rtable *rt);
void ip_forward_options(struct sk_buff *skb);
void ip_options_fragment(struct ip4_hdr *h);
/* Octets of options as a program sees them. */
void ip_options_undo(struct ip_options *opt);
int ip_options_parse(const uint8_t *data, uint32_t len, struct ip_options *opt, uint8_t *bad);

/* ---- ARP ---- */
int arp_init(struct net *net);
void arp_exit(struct net *net);
int arp_rcv(struct sk_buff *skb, struct net_device *dev, struct packet_type *pt, struct net_device *orig);
void arp_send(struct net *net, uint16_t op, uint32_t dest_ip, struct net_device *dev, uint32_t src_ip,
	      const uint8_t *dest_hw, const uint8_t *src_hw, const uint8_t *target_hw, uint64_t parent);
void arp_ifdown(struct net_device *dev);
/* A next hop's neighbour; keyed 0 on loopback and point-to-point devices. */
static inline uint32_t arp_key(const struct net_device *dev, uint32_t nexthop)
{
	return dev->flags & (DEVF_LOOPBACK | DEVF_POINTOPOINT) ? 0 : nexthop;
}

/* ---- ICMP ---- */
int icmp_init(struct net *net);
void icmp_exit(struct net *net);
int icmp_rcv(struct sk_buff *skb);
int icmp_err(struct sk_buff *skb, uint32_t info);
/* An answer to skb (data at its ICMP header, borrowed): head, then what follows its first data_off octets. */
void icmp_reply(struct sk_buff *skb, const uint8_t *head, uint32_t head_len, uint32_t data_off);
int icmp_send_init(struct net *net);
void icmp_send_exit(struct net *net);
void icmp_out_count(struct net *net, uint8_t type);
void icmp_send_options_problem(struct sk_buff *skb, uint8_t pp);

/* ---- IGMP ---- */
struct ip_mc_list {
	struct list_head list;
	struct in_device *in;
	uint32_t multiaddr;
	uint32_t users;
	struct timer_list timer;
	bool reporter, tm_running, loaded;
	uint8_t unsolicit_count;
	uint8_t crcount; /* IGMPv3: state-change records still to send */
};
struct ip_mc_socklist {
	struct list_head list;
	uint32_t multiaddr;
	int ifindex;
	uint8_t sfmode; /* MCAST_EXCLUDE or MCAST_INCLUDE these sources (RFC 3678) */
	uint32_t n_src, *src;
};
struct mc_source_op { /* one source more or less; the device by address, or by index */
	uint32_t group, source, ifaddr;
	int ifindex;
	uint8_t mode;
	bool add;
};
#define IGMP_ALL_HOSTS 0xe0000001u
int igmp_init(struct net *net);
int igmp_rcv(struct sk_buff *skb);
void ip_mc_init_dev(struct in_device *in);
void ip_mc_up(struct in_device *in);
void ip_mc_down(struct in_device *in);
void ip_mc_destroy_dev(struct in_device *in);
int ip_mc_inc_group(struct in_device *in, uint32_t addr);
void ip_mc_dec_group(struct in_device *in, uint32_t addr);
/* Do we take packets to this group on this device? */
bool ip_check_mc(const struct in_device *in, uint32_t addr);
int ip_mc_join_group(struct sock *sk, uint32_t group, uint32_t ifaddr, int ifindex);
int ip_mc_leave_group(struct sock *sk, uint32_t group, uint32_t ifaddr, int ifindex);
void ip_mc_drop_socket(struct sock *sk);
/* May this socket have a packet for group that came in on ifindex? */
bool ip_mc_sf_allow(const struct sock *sk, uint32_t group, uint32_t source, int ifindex);
struct ip_mc_socklist *ip_mc_find(struct sock *sk, uint32_t group, uint32_t ifaddr, int ifindex, int *err);
int ip_mc_source(struct sock *sk, const struct mc_source_op *op);
/* The whole list anew. 0, -EINVAL, -ENODEV. */
int ip_mc_msfilter(struct sock *sk, const struct mc_source_op *op, const uint32_t *src, uint32_t n);
int ip_mc_source_setsockopt(struct sock *sk, int name, const void *val, socklen_t len);
int ip_mc_source_getsockopt(struct sock *sk, int name, void *val, socklen_t *len);

void ipv4_pktinfo_prepare(const struct sock *sk, struct sk_buff *skb);

/* ---- UDP, raw, ping ---- */
int udp_init(struct net *net);
void udp_exit(struct net *net);
int raw_init(struct net *net);
bool raw_local_deliver(struct sk_buff *skb, uint8_t protocol);
int ping_init(struct net *net);
/* An echo reply for a ping socket. True: taken (skb is given away). */
bool ping_rcv(struct sk_buff *skb);
void ping_err(struct sk_buff *skb, uint32_t info);

/* ---- sockets ---- */
int af_inet_init(struct net *net);
int af_inet6_init(struct net *net);
void inet_common_release(struct sock *sk);
int ipv4_proc_init(struct net *net);
int ipv4_sysctl_init(struct net *net);
/* Put an error on the error queue / sk->err of sockets: shared by UDP, raw and ping. The quoted ICMP header
 * stands before the quoted IP header at skb->data. */
struct icmp_verdict {
	int err;
	bool harderr;
};
struct icmp_verdict icmp_err_verdict(struct sock *sk, const struct sk_buff *skb, uint32_t info);
/* The ICMP header in front of the quoted IP header. */
static inline const struct icmp_hdr *icmp_hdr_of_quote(const struct sk_buff *skb)
{
	return (const struct icmp_hdr *)(const void *)skb_transport_header(skb);
}
#endif
