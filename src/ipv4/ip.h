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
	const struct proto *prot;
	const struct proto_ops *ops;
	bool reuse_any; /* INET_PROTOSW_ANSW: any protocol number (raw) */
	bool reuse;     /* INET_PROTOSW_REUSE: SO_REUSEADDR is on from the start (raw, ping) */
};
int inet_register_protosw(struct net *net, const struct inet_protosw *p);

/* IP options (RFC 791 3.1): a socket's own, or a digest of a packet's. Offsets count from the start of the IP
 * header; 0: not there. */
struct ip_options {
	uint32_t faddr; /* first stop of a source route: goes into the header, the true one into the option */
	uint8_t optlen, srr, rr, ts, router_alert;
	bool is_strictroute, srr_is_hit, is_changed, rr_needaddr, ts_needtime, ts_needaddr;
	uint8_t data[40];
};
struct ip_options_rcu {
	struct ip_options opt;
};
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
#define IPSKB_DOREDIRECT 16
#define IPSKB_SRR_HIT 32
#define IPSKB_STRICTROUTE 64
#define IPSKB_TRANSLATED 256 /* its sender meant another destination */
#define IPSKB_FRAG_PMTU 128 /* put together from fragments that had DF: so will the fragments have that are made of it */
static inline struct ip4_hdr *ip_hdr(const struct sk_buff *skb)
{
	return (struct ip4_hdr *)(void *)skb_network_header(skb);
}

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
enum { IP_DEFRAG_LOCAL_DELIVER, IP_DEFRAG_FORWARD, IP_DEFRAG_CONNTRACK_IN, IP_DEFRAG_CONNTRACK_OUT };
/* Takes the fragment. 0: *skb is now the whole datagram; else it was kept or dropped. */
int ip_defrag(struct net *net, struct sk_buff **skb, int user);
/* RFC 6864: any value for an atomic datagram, else one that does not come back soon. segs: ids to use up. */
uint16_t ip_select_ident(struct net *net, const struct ip4_hdr *h, struct sock *sk, unsigned segs);

/* Datagrams built from pieces (UDP, raw, ICMP). getfrag fills len octets for offset off of the data. */
typedef int (*ip_getfrag_fn)(void *from, uint8_t *to, uint32_t off, uint32_t len, struct sk_buff *skb);
struct ipcm_cookie { /* what one sendmsg says beside its data */
	uint32_t saddr, addr, mark;
	int oif;
	struct ip_options_rcu *opt;
	struct ip_options_rcu opt_store;
	uint8_t protocol, ttl; /* 0: the socket's */
	int16_t tos;           /* -1: the socket's */
	uint16_t gso_size;
	uint32_t priority, tsflags;
	uint64_t transmit_time;
};
/* Append to the datagram that is corked on the socket (rt: consumed when the cork takes it, at the first
 * piece). 0 or -errno. */
int ip_append_data(struct sock *sk, struct flowi4 *fl4, ip_getfrag_fn getfrag, void *from, uint32_t length,
		   uint32_t transhdrlen, struct ipcm_cookie *ipc, struct rtable **rtp, unsigned flags);
/* Make one packet (head with frag_list) of what is corked. NULL: nothing was. */
struct sk_buff *ip_finish_skb(struct sock *sk, struct flowi4 *fl4);
int ip_push_pending_frames(struct sock *sk, struct flowi4 *fl4);
void ip_flush_pending_frames(struct sock *sk);
/* Uncorked: build and return it. NULL: *err. */
struct sk_buff *ip_make_skb(struct sock *sk, struct flowi4 *fl4, ip_getfrag_fn getfrag, void *from, uint32_t length,
			    uint32_t transhdrlen, struct ipcm_cookie *ipc, struct rtable **rtp, unsigned flags, int *err);
/* A finished packet (header on) out. 0 or -errno. */
int ip_send_skb(struct net *net, struct sk_buff *skb);
/* getfrag for a program's buffers: from is struct iov_iter. */
int ip_generic_getfrag(void *from, uint8_t *to, uint32_t off, uint32_t len, struct sk_buff *skb);

/* The sockets' side of IP: ip(7). */
int ip_setsockopt(struct sock *sk, int level, int name, const void *val, socklen_t len);
int ip_getsockopt(struct sock *sk, int level, int name, void *val, socklen_t *len);
/* Control messages of a sendmsg into ipc. 0 or -EINVAL. */
int ip_cmsg_send(struct sock *sk, struct msghdr *msg, struct ipcm_cookie *ipc);
/* Control messages that the socket asked for about a received packet. */
void ip_cmsg_recv(struct msghdr *msg, struct sock *sk, struct sk_buff *skb);
/* recvmsg with MSG_ERRQUEUE. */
ssize_t ip_recv_error(struct sock *sk, struct msghdr *msg, size_t len, socklen_t *addr_len);
void ip_local_error(struct sock *sk, int err, uint32_t daddr, uint16_t port, uint32_t info);
static inline void ipcm_init_sk(struct ipcm_cookie *ipc, const struct inet_sock *inet)
{
	ipc->saddr = inet->saddr;
	ipc->addr = 0;
	ipc->mark = inet->sk.mark;
	ipc->oif = inet->sk.bound_dev_if;
	ipc->opt = NULL;
	ipc->protocol = ipc->ttl = 0;
	ipc->tos = -1;
	ipc->gso_size = 0;
	ipc->priority = inet->sk.priority;
	ipc->tsflags = inet->sk.tsflags;
	ipc->transmit_time = 0;
}
static inline uint8_t ip_sk_tos(const struct sock *sk, const struct ipcm_cookie *ipc)
{
	return ipc->tos >= 0 ? (uint8_t)ipc->tos : inet_sk(sk)->tos;
}

/* AF_INET sockets (af_inet.c): the tables for inet_protosw, and what TCP's glue needs of them. */
extern const struct proto_ops inet_stream_ops, inet_dgram_ops, inet_sockraw_ops;
int inet_autobind(struct sock *sk);
void inet_get_local_port_range(struct net *net, uint16_t *low, uint16_t *high);
void inet_sk_get_local_port_range(const struct sock *sk, uint16_t *low, uint16_t *high);
bool inet_port_requires_bind_service(struct net *net, uint16_t port);
/* Is port in net.ipv4.ip_local_reserved_ports? */
bool inet_is_local_reserved_port(struct net *net, uint16_t port);
/* rebuild_header of TCP: make sure that the socket has a route. 0 or -errno. */
int inet_sk_rebuild_header(struct sock *sk);
void inet_sock_destruct(struct sock *sk);
/* Do pmtudisc and route allow DF? (IP_MTU_DISCOVER) */
static inline bool ip_dont_fragment(const struct sock *sk, const struct dst_entry *dst)
{
	uint8_t d = inet_sk(sk)->pmtudisc;

	return d == 2 /* IP_PMTUDISC_DO */ || (d == 1 /* IP_PMTUDISC_WANT */ && !ip_mtu_locked(dst));
}
/* May a datagram of this socket be cut here, DF or not? */
static inline bool ip_sk_ignore_df(const struct sock *sk)
{
	return inet_sk(sk)->pmtudisc < 2 /* IP_PMTUDISC_DO */ || inet_sk(sk)->pmtudisc == 5 /* IP_PMTUDISC_OMIT */;
}
bool ip_sk_accept_pmtu(const struct sock *sk);
uint8_t ip_select_ttl(const struct inet_sock *inet, const struct dst_entry *dst);

/* Options. */
int ip_options_get(struct ip_options_rcu **optp, const uint8_t *data, uint32_t optlen);
/* Options of an answer to skb: record route, timestamp, reversed source route. 0 or -EINVAL. */
int ip_options_echo(struct net *net, struct ip_options *dopt, const struct sk_buff *skb);
/* The same of a packet that the transport holds, allocated; NULL: it has none. */
struct ip_options_rcu *ip_options_save(const struct sk_buff *skb);

/* An ICMP error about a packet that has its route; borrowed. Sends nothing where RFC 1122 3.2.2 or the rate limit
 * forbid it. info: redirect: the gateway; fragmentation needed: the MTU; parameter problem: the octet's offset. */
void icmp_send(struct sk_buff *in, uint8_t type, uint8_t code, uint32_t info);
void raw_icmp_error(struct sk_buff *skb, uint8_t protocol, uint32_t info);
struct icmp_err { int err; bool fatal; };
extern const struct icmp_err icmp_err_convert[16];
void ip_icmp_error(struct sock *sk, struct sk_buff *skb, int err, uint16_t port, uint32_t info, const uint8_t *payload);

/* Interface addresses. */
struct in_ifaddr {
	struct list_head list;
	struct hlist_node hash; /* by local address */
	struct in_device *in_dev;
	uint64_t last_defend_ns; /* RFC 5227 2.4: the last conflict that we answered, 0 never */
	uint32_t valid_lft, preferred_lft; /* shown; 0xffffffff for ever */
	uint8_t proto;
	uint32_t local, address /* peer */, broadcast, mask;
	uint8_t prefixlen, scope;
	bool secondary, noprefixroute;
	char label[16];
};
struct in_device {
	struct net_device *dev;
	struct list_head addrs, mc_list, mc_tomb; /* mc_tomb: groups left, IGMPv3 still has to say so */
	int32_t cnf[32]; /* enum ipv4_devconf */
	bool dead;
	/* The last flow that was for us, and its route: a flow's next packet asks no table. Valid while the rtable is. */
	struct {
		uint32_t saddr, daddr;
		uint8_t tos;
		struct rtable *rt;
	} rx;
	/* IGMP (RFC 3376 8): the versions that queriers spoke, and when each was last heard */
	uint64_t mr_v1_seen_ns, mr_v2_seen_ns;
	uint8_t mr_qrv;
	struct timer_list mr_gq_timer, mr_ifc_timer;
	uint8_t mr_ifc_count;
	uint32_t mc_count;
};
enum ipv4_devconf { CNF_FORWARDING, CNF_ACCEPT_REDIRECTS, CNF_SEND_REDIRECTS, CNF_RP_FILTER, CNF_ACCEPT_SOURCE_ROUTE, CNF_ROUTE_LOCALNET, CNF_LOG_MARTIANS, CNF_ARP_ACCEPT, CNF_ARP_IGNORE, CNF_ARP_ANNOUNCE, CNF_ARP_FILTER, CNF_PROXY_ARP, CNF_SHARED_MEDIA, CNF_BC_FORWARDING, CNF_SECURE_REDIRECTS, CNF_ACCEPT_LOCAL, CNF_PROMOTE_SECONDARIES, CNF_ARP_STRICT, CNF_ARP_NOTIFY, CNF_DROP_UNICAST_IN_L2_MULTICAST, CNF_DROP_GRATUITOUS_ARP, CNF_FORCE_IGMP_VERSION, CNF_MAX };
int inet_add_addr(struct net *net, struct net_device *dev, uint32_t local, uint8_t plen, uint32_t broadcast, uint8_t scope);
int inet_del_addr(struct net *net, struct net_device *dev, uint32_t local, uint8_t plen);
/* The address entry of a local address, on any device (dev NULL) or on dev. NULL: none. */
struct in_ifaddr *inet_lookup_ifaddr(struct net *net, const struct net_device *dev, uint32_t addr);
static inline struct in_device *in_dev_get(const struct net_device *dev) { return dev->ip_ptr; }

extern const struct pernet_operations ipv4_net_ops; /* builds netns_ipv4 and all below: fib, route, arp, icmp, igmp, udp, raw, ping */
extern const struct pernet_operations tcp4_net_ops; /* TCP over IPv4 (needs tcp/) */

#endif
