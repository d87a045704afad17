/* The Internet layer's own door: what its files call of each other, and what TCP's and UDP's glue use.
 * One file per decision: ip_input, ip_output, ip_forward, ip_fragment, ip_options, icmp, arp, ... */
#ifndef IPV4_IP_H
#define IPV4_IP_H

#include "core/inet_sock.h"
#include "core/neighbour.h"
#include "core/netfilter.h"
#include "ipv4/route.h"
#include "wire/ip4.h"

struct net_protocol { /* datagram to layer 4 */
	int (*handler)(struct sk_buff *skb); /* owns skb; transport_header set, data at it */
	int (*err_handler)(struct sk_buff *skb, uint32_t info); /* ICMP error; data at quoted IP header; borrowed */
	bool no_policy;
};
int inet_add_protocol(struct net *net, const struct net_protocol *p, uint8_t protocol);

/* Socket types: which proto and ops serve (type, protocol). */
struct inet_protosw {
	int type;
	uint16_t protocol;
	struct proto *prot;
	const struct proto_ops *ops;
	bool reuse_any; /* INET_PROTOSW_ANSW: any protocol number (raw) */
};
int inet_register_protosw(struct net *net, const struct inet_protosw *p);

struct inet_skb_parm { /* skb->cb while IP holds it */
	int iif;
	uint32_t opt_daddr; /* next hop of a source route */
	uint16_t frag_max_size, flags;
	uint8_t optlen, srr, rr, ts, is_changed, rr_needaddr, ts_needtime, ts_needaddr, router_alert;
};
#define IPCB(skb) ((struct inet_skb_parm *)(void *)(skb)->cb)
#define IPSKB_FORWARDED 1
#define IPSKB_REROUTED 2
#define IPSKB_FRAG_COMPLETE 8

int ip_rcv(struct sk_buff *skb, struct net_device *dev, struct packet_type *pt, struct net_device *orig);
int ip_local_deliver(struct sk_buff *skb);
int ip_forward(struct sk_buff *skb);
int ip_output(struct net *net, struct sock *sk, struct sk_buff *skb);
int ip_mc_output(struct net *net, struct sock *sk, struct sk_buff *skb);
int __ip_local_out(struct net *net, struct sock *sk, struct sk_buff *skb);
int ip_local_out(struct net *net, struct sock *sk, struct sk_buff *skb);
/* Transport segment down; route from the socket's cache. */
int ip_queue_xmit(struct sock *sk, struct sk_buff *skb);
/* SYN-ACKs and the like: header, then ip_local_out. dst is on the skb. */
int ip_build_and_send_pkt(struct sk_buff *skb, struct sock *sk, uint32_t saddr, uint32_t daddr, struct ip_options_rcu *opt, uint8_t tos);
/* Replies made without a socket (RST, TIME-WAIT ACK): iov = transport header + data. */
void ip_send_unicast_reply(struct net *net, struct sk_buff *orig, uint32_t daddr, uint32_t saddr, const void *data, uint32_t len, uint8_t proto, uint8_t tos, uint32_t csumoffset);
int ip_fragment(struct net *net, struct sock *sk, struct sk_buff *skb, uint32_t mtu, int (*output)(struct net *, struct sock *, struct sk_buff *));
enum { IP_DEFRAG_LOCAL_DELIVER, IP_DEFRAG_FORWARD };
/* 0: skb is now the whole datagram; -EINPROGRESS: kept; other: dropped. */
int ip_defrag(struct net *net, struct sk_buff *skb, int user);
uint16_t ip_select_ident(struct net *net, const struct ip4_hdr *h, struct sock *sk, unsigned segs);

void icmp_send(struct sk_buff *in, uint8_t type, uint8_t code, uint32_t info);
/* Is an ICMP error about this packet allowed at all? (RFC 1122 3.2.2) */
void raw_icmp_error(struct sk_buff *skb, uint8_t protocol, uint32_t info);
struct icmp_err { int err; bool fatal; };
extern const struct icmp_err icmp_err_convert[16];
void ip_icmp_error(struct sock *sk, struct sk_buff *skb, int err, uint16_t port, uint32_t info, const uint8_t *payload);

/* Interface addresses. */
struct in_ifaddr {
	struct list_head list;
	uint32_t local, address /* peer */, broadcast, mask;
	uint8_t prefixlen, scope;
	bool secondary;
	char label[16];
};
struct in_device {
	struct net_device *dev;
	struct list_head addrs, mc_list;
	int32_t cnf[32]; /* enum ipv4_devconf */
};
enum ipv4_devconf { CNF_FORWARDING, CNF_ACCEPT_REDIRECTS, CNF_SEND_REDIRECTS, CNF_RP_FILTER, CNF_ACCEPT_SOURCE_ROUTE, CNF_ROUTE_LOCALNET, CNF_LOG_MARTIANS, CNF_ARP_ACCEPT, CNF_ARP_IGNORE, CNF_ARP_ANNOUNCE, CNF_ARP_FILTER, CNF_PROXY_ARP, CNF_SHARED_MEDIA, CNF_BC_FORWARDING, CNF_SECURE_REDIRECTS, CNF_MAX };
int inet_add_addr(struct net *net, struct net_device *dev, uint32_t local, uint8_t plen, uint32_t broadcast, uint8_t scope);
int inet_del_addr(struct net *net, struct net_device *dev, uint32_t local, uint8_t plen);

extern const struct pernet_operations ipv4_net_ops; /* builds netns_ipv4 and all below: fib, route, arp, icmp, igmp, udp, raw, ping */
extern const struct pernet_operations tcp4_net_ops; /* TCP over IPv4 (needs tcp/) */

#endif
