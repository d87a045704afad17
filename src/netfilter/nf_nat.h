/* Address and port translation (RFC 3022) on top of connection tracking. For the files of netfilter/ only.
 *
 * The first packet of a connection asks the table nat (ip_tables.c), which gives it a range for its destination
 * (PREROUTING, OUTPUT: DNAT, REDIRECT) or its source (POSTROUTING, INPUT: SNAT, MASQUERADE). nf_nat_setup_info chooses
 * within the range and writes the choice into the connection's reply tuple; from then on each packet of it is rewritten:
 *
 *     PRE_ROUTING, LOCAL_OUT (-100)  the destination      POST_ROUTING, LOCAL_IN (100)  the source
 *
 * in the original direction as chosen, in the other one back.
 *
 * Mappings: (protocol, inside address and port) <-> (outside address and port), shared by all connections of that inside
 * port whatever their far ends (RFC 4787 REQ-1, RFC 5382 REQ-1), and used by no other one (REQ-3, REQ-7: no
 * overloading). It lives as long as one of its connections:
 *
 *     nat_map  udp 192.168.1.10:5000 <-> 203.0.113.1:5000     by_in: reuse     by_out: is the port taken; whose is it
 *
 * The outside port is the inside one if it is free; else one by chance, of the same class (below 1024 or not: REQ-3) and
 * for UDP of the same parity (REQ-4). With --random and --random-fully always by chance, all ports of the range alike.
 *
 * What comes to a mapping from the inside goes to its inside end, with an outside address as its source (hairpin:
 * RFC 4787 REQ-9, RFC 5382 REQ-8; sysctl nf_nat_hairpin). What comes from the outside and belongs to no connection
 * does so only with sysctl nf_nat_full_cone (endpoint-independent filtering, RFC 4787 REQ-8); by default filtering is
 * address and port dependent, as Linux's.
 *
 * Bounds: one mapping per connection at most; NAT_PORT_DRAWS and NAT_PORT_SCAN looks for a port; NAT_SYN_MAX
 * unsolicited SYNs that wait. No application gateways: payload is never looked at (RFC 4787 REQ-10). */
#ifndef NETFILTER_NF_NAT_H
#define NETFILTER_NF_NAT_H

#include "netfilter/nf_conntrack.h"

#define NAT_PORT_DRAWS 128u
#define NAT_PORT_SCAN 4096u
#define NAT_MAPS_MIN 64u
/* RFC 5382 REQ-4: an unsolicited SYN waits six seconds before it is answered, for a simultaneous open. */
#define NAT_SYN_MAX 64u
#define NAT_SYN_WAIT_NS (6 * NSEC_PER_SEC)

enum nf_nat_manip_type { NF_NAT_MANIP_SRC, NF_NAT_MANIP_DST };
enum {
	NF_NAT_RANGE_MAP_IPS = 1, NF_NAT_RANGE_PROTO_SPECIFIED = 2, NF_NAT_RANGE_PROTO_RANDOM = 4,
	NF_NAT_RANGE_PERSISTENT = 8, NF_NAT_RANGE_PROTO_RANDOM_FULLY = 16
};
#define NF_NAT_RANGE_ANY_RANDOM (NF_NAT_RANGE_PROTO_RANDOM | NF_NAT_RANGE_PROTO_RANDOM_FULLY)

struct nf_nat_range {
	uint32_t flags, min_addr, max_addr;
	uint16_t min_port, max_port;
};

struct nat_map {
	struct hlist_node by_in, by_out;
	uint32_t in_addr, out_addr, proto;
	uint16_t in_port, out_port;
	uint32_t refs;
};

struct nat_syn { /* an unsolicited SYN */
	struct list_head list;
	struct sk_buff *skb;
	uint64_t due_ns;
};

struct nf_nat_net {
	struct nf_ct_net *cn;
	struct hlist_head *by_in, *by_out;
	uint32_t nr_buckets, nr_maps;
	struct pool map_pool;
	struct rng rng;
	struct nf_hook_ops ops[4];
	struct list_head syns;
	uint32_t nr_syns;
	struct nat_syn syn[NAT_SYN_MAX];
	struct timer_list syn_timer;
	struct netdev_notifier notifier;
};

static inline enum nf_nat_manip_type HOOK2MANIP(enum nf_inet_hooks hook)
{
	return hook == NF_INET_POST_ROUTING || hook == NF_INET_LOCAL_IN ? NF_NAT_MANIP_SRC : NF_NAT_MANIP_DST;
}

/* ---- nf_nat_core.c ---- */
/* The table nat was named: connections are tracked from now on, and packets rewritten. */
void nf_nat_enable(struct net *net);
void nf_nat_net_exit(struct nf_ct_net *cn);
void nf_nat_cleanup_conntrack(struct nf_conn *ct);
/* Bind a connection that is not confirmed. NF_ACCEPT, or a drop verdict: no port is left (NAT_TABLE_FULL). */
unsigned nf_nat_setup_info(struct nf_conn *ct, const struct nf_nat_range *range, enum nf_nat_manip_type manip);
struct nat_map *nf_nat_map_by_out(const struct nf_nat_net *nn, uint32_t proto, uint32_t addr, uint16_t port);

/* ---- nf_nat_manip.c ---- */
/* Rewrite the source or destination (address and port) of the packet whose IP header is at off to what t has there. quoted:
 * within an ICMP error; its transport header may be cut short. False: it could not be. */
bool nf_nat_manip_pkt(struct sk_buff *skb, uint32_t off, const struct nf_conntrack_tuple *t, enum nf_nat_manip_type manip,
		      bool quoted);
bool nf_nat_icmp_reply_translation(struct sk_buff *skb, struct nf_conn *ct, enum ip_conntrack_info info, enum nf_inet_hooks hook);
/* What the connection says about this hook and direction is done to the packet. A verdict. */
unsigned nf_nat_packet(struct nf_conn *ct, enum ip_conntrack_info info, enum nf_inet_hooks hook, struct sk_buff *skb);

/* ---- nf_nat_hooks.c ---- */
void nf_nat_hooks_init(struct nf_nat_net *nn);
void nf_nat_syn_purge(struct nf_nat_net *nn, const struct net_device *dev);

/* ---- ip_tables.c ---- */
/* The chain of table nat at this hook decides about a connection's first packet. */
unsigned ipt_nat_chain(struct sk_buff *skb, const struct nf_hook_state *st);
/* The rules of POSTROUTING that give another source (SNAT, MASQUERADE) say what is inside: is there any; does one of them
 * hide this source when it leaves by out; does a packet that came by in with this source come from the inside? */
bool ipt_nat_hides_any(const struct net *net);
bool ipt_nat_hides(const struct net *net, const struct net_device *out, uint32_t saddr);
bool ipt_nat_inside(const struct net *net, const struct net_device *in, uint32_t saddr);

#endif
