/* Connection tracking: which packets belong together. For the files of netfilter/ only.
 *
 * A connection is two tuples, one per direction: the original one as the first packet had it, and the reply one, in
 * which answers will come. Without translation the second mirrors the first; NAT (nf_nat.h) changes the second, and
 * that is all that a translation is:
 *
 *     original  192.168.1.10:49000 -> 10.0.2.80:80        what comes in from the inside
 *     reply     10.0.2.80:80 -> 10.0.12.9:49000           what will come in from the outside
 *
 * A packet meets, in this order (S1-23 for the hooks):
 *     -400 ipv4_conntrack_defrag   PRE_ROUTING, LOCAL_OUT    fragments wait until they are a datagram
 *     -200 nf_conntrack_in         PRE_ROUTING, LOCAL_OUT    finds or makes the connection: skb->nfct, skb->nfct_status
 *     -100 / 100 nf_nat_*          see nf_nat.h
 *     last nf_confirm              POST_ROUTING, LOCAL_IN    a new connection goes into the table: its packet got through
 *
 * A connection that is not confirmed belongs to its packet and goes with it. A confirmed one is held by the table
 * until its time is over; packets hold references. The hooks are there only while somebody needs them
 * (nf_ct_netns_get), so a host without rules about connections pays nothing.
 *
 * Bounds: nf_conntrack_max connections for the host; at the bound the oldest one that is not yet ASSURED goes, and if
 * there is none the new one is refused. nf_conntrack_host_max connections that one address began (NAT-08, RFC 6888
 * REQ-4). Errors never make, refresh or end a connection (RFC 5508 REQ-6).
 *
 * Nothing here is listed in an order that depends on a hash: "all" has the order of confirmation. */
#ifndef NETFILTER_NF_CONNTRACK_H
#define NETFILTER_NF_CONNTRACK_H

#include "base/pool.h"
#include "core/netfilter.h"
#include "core/procfs.h"
#include "wire/ip4.h"

#define NF_CT_MAX_DEFAULT 65536
#define NF_CT_HOST_MAX_DEFAULT 16384
#define NF_CT_MAX_MAX (1 << 22)
#define NF_CT_BUCKETS_MIN 64u
#define NF_CT_HOSTS_MIN 16u

enum { NF_PROTO_ICMP = 1, NF_PROTO_TCP = 6, NF_PROTO_UDP = 17 };

/* dir is not part of what is compared. ICMP queries: sport is the identifier in both directions, dport type << 8 | code. */
struct nf_conntrack_tuple {
	uint32_t src, dst;
	uint16_t sport, dport;
	uint32_t proto;
};

enum ip_conntrack_dir { IP_CT_DIR_ORIGINAL, IP_CT_DIR_REPLY, IP_CT_DIR_MAX };
/* skb->nfct_status beside an skb->nfct; what is UNTRACKED has none, and what has neither is INVALID. */
enum ip_conntrack_info {
	IP_CT_ESTABLISHED, IP_CT_RELATED, IP_CT_NEW, IP_CT_ESTABLISHED_REPLY, IP_CT_RELATED_REPLY, IP_CT_UNTRACKED = 7
};
static inline enum ip_conntrack_dir CTINFO2DIR(unsigned ctinfo)
{
	return ctinfo >= IP_CT_ESTABLISHED_REPLY ? IP_CT_DIR_REPLY : IP_CT_DIR_ORIGINAL;
}

/* nf_conn.status */
enum {
	IPS_SEEN_REPLY = 1 << 1, IPS_ASSURED = 1 << 2, IPS_CONFIRMED = 1 << 3, IPS_SRC_NAT = 1 << 4, IPS_DST_NAT = 1 << 5,
	IPS_SRC_NAT_DONE = 1 << 7, IPS_DST_NAT_DONE = 1 << 8, IPS_DYING = 1 << 9,
	IPS_HAIRPIN = 1 << 16 /* ours: from the inside to an address that stands for the inside */
};
#define IPS_NAT_DONE_MASK (IPS_SRC_NAT_DONE | IPS_DST_NAT_DONE)
#define IPS_NAT_MASK (IPS_SRC_NAT | IPS_DST_NAT)

enum tcp_conntrack {
	TCP_CONNTRACK_NONE, TCP_CONNTRACK_SYN_SENT, TCP_CONNTRACK_SYN_RECV, TCP_CONNTRACK_ESTABLISHED, TCP_CONNTRACK_FIN_WAIT,
	TCP_CONNTRACK_CLOSE_WAIT, TCP_CONNTRACK_LAST_ACK, TCP_CONNTRACK_TIME_WAIT, TCP_CONNTRACK_CLOSE,
	TCP_CONNTRACK_SYN_SENT2, TCP_CONNTRACK_MAX
};

/* What one side of a TCP connection has said (van Rooij, "Real Stateful TCP Packet Filtering in IP Filter"). */
struct ip_ct_tcp_state {
	uint32_t end;	 /* one behind the highest octet sent */
	uint32_t maxend; /* up to where it may send: what the other side acknowledged, plus its window */
	uint32_t maxwin; /* the largest window it offered; 0: nothing was seen of it */
	uint32_t maxack; /* the highest acknowledgement it sent */
	uint8_t scale;	 /* shift of its windows */
	bool wscale, sack, have_maxack, unacked;
};
struct nf_ct_tcp {
	struct ip_ct_tcp_state seen[IP_CT_DIR_MAX];
	uint8_t state; /* enum tcp_conntrack */
	uint8_t fin_dir; /* who sent the FIN that is to be acknowledged next */
	uint8_t last_dir, retrans;
	bool liberal; /* found in its middle: the scale of its windows is not known */
	uint32_t last_seq, last_ack, last_end;
	uint16_t last_win;
};

struct nf_conntrack_hash {
	struct hlist_node node;
	struct nf_conntrack_tuple tuple;
	uint8_t dir;
};

struct nf_ct_host;
struct nat_map;
struct nf_ct_net;

struct nf_conn {
	struct nf_conntrack_hash hash[IP_CT_DIR_MAX];
	struct nf_ct_net *cn;
	uint32_t refs, status, mark;
	uint64_t id;
	struct list_head all;	/* of the table */
	struct list_head early; /* of those that are not assured, oldest first */
	struct timer_list timer; /* set for expires_ns or before: looked at again then */
	uint64_t expires_ns;
	struct nf_ct_host *host; /* whose quota it counts in */
	uint64_t packets[IP_CT_DIR_MAX], bytes[IP_CT_DIR_MAX];
	union {
		struct nf_ct_tcp tcp;
		uint64_t stream_ns; /* UDP: from then on it is a stream */
	} proto;
	struct nat_map *map; /* the mapping that it uses, held */
	int masq_index;	     /* device whose address it has, 0: none */
	uint32_t hairpin_addr;
};

static inline struct nf_conn *nf_ct_of(struct nf_conntrack_hash *h)
{
	return container_of(h - h->dir, struct nf_conn, hash[0]);
}
static inline struct nf_conn *nf_ct_get(const struct sk_buff *skb) { return skb->nfct; }

/* /proc/net/stat/nf_conntrack and conntrack -S */
struct nf_ct_stat {
	uint64_t found, invalid, insert, insert_failed, drop, early_drop, error, host_refused, removed;
};

enum nf_ct_udp_timeout { UDP_CT_UNREPLIED, UDP_CT_REPLIED };
struct nf_ct_sysctl { /* times in seconds */
	int32_t max, host_max, acct, checksum;
	int32_t tcp_loose, tcp_be_liberal, tcp_max_retrans, tcp_ignore_invalid_rst;
	int32_t tcp_timeout[TCP_CONNTRACK_MAX], tcp_timeout_retrans, tcp_timeout_unack;
	int32_t udp_timeout[2], icmp_timeout, generic_timeout;
	int32_t nat_hairpin, nat_full_cone;
};

struct nf_nat_net;
struct nf_ct_net { /* net->nf->ct */
	struct net *net;
	uint32_t users, count, nr_buckets, nr_hosts, nr_host_buckets;
	struct hlist_head *buckets; /* NULL until the first connection */
	struct hlist_head *hosts;
	struct list_head all, early;
	uint64_t next_id;
	struct pool pool, host_pool;
	struct nf_ct_stat stat;
	struct nf_ct_sysctl sysctl;
	struct nf_hook_ops ops[6];
	struct nf_nat_net *nat; /* NULL until the table nat is first named */
};
static inline struct nf_ct_net *nf_ct_net(const struct net *net) { return net->nf->ct; }

/* ---- nf_conntrack_core.c ---- */
/* Somebody needs the hooks / no longer. Without users the table is emptied. */
void nf_ct_netns_get(struct net *net);
void nf_ct_netns_put(struct net *net);
/* Borrowed; NULL: not in the table. */
struct nf_conntrack_hash *nf_conntrack_find(struct nf_ct_net *cn, const struct nf_conntrack_tuple *t);
/* Is t the reply direction (or any) of a connection other than ct? */
bool nf_conntrack_tuple_taken(const struct nf_conntrack_tuple *t, const struct nf_conn *ct);
void nf_ct_kill(struct nf_conn *ct);
void nf_ct_put(void *ct);
/* Those for which fn says so. Returns how many. */
uint32_t nf_ct_iterate_cleanup(struct nf_ct_net *cn, bool (*fn)(struct nf_conn *ct, const void *arg), const void *arg);
void nf_ct_assure(struct nf_conn *ct);
/* From now. */
void nf_ct_refresh(struct nf_conn *ct, int32_t seconds);
/* Give the packet its connection (takes a reference). */
void nf_ct_set(struct sk_buff *skb, struct nf_conn *ct, enum ip_conntrack_info info);
unsigned nf_conntrack_in(void *priv, struct sk_buff *skb, const struct nf_hook_state *st);

/* ---- nf_conntrack_tuple.c ---- */
/* The transport header at offset l4 of a packet with this IP header. False: it has none that can be told apart. */
bool nf_ct_get_tuple(struct sk_buff *skb, uint32_t ip_off, struct nf_conntrack_tuple *t);
bool nf_ct_invert_tuple(struct nf_conntrack_tuple *inv, const struct nf_conntrack_tuple *t);
static inline bool nf_ct_tuple_equal(const struct nf_conntrack_tuple *a, const struct nf_conntrack_tuple *b)
{
	return a->src == b->src && a->dst == b->dst && a->sport == b->sport && a->dport == b->dport && a->proto == b->proto;
}
/* Is the transport checksum right (or not ours to check)? l4: offset of the transport header. */
bool nf_ct_checksum_ok(const struct sk_buff *skb, uint32_t l4, uint8_t proto);

/* ---- nf_conntrack_proto.c, nf_conntrack_tcp.c, nf_conntrack_icmp.c ---- */
enum nf_ct_verdict { NF_CT_OK, NF_CT_INVALID, NF_CT_REPEAT /* the connection is gone: begin anew */ };
/* One packet of ct; skb: data at the IP header, l4 as above. ctinfo as nf_conntrack_in found it. */
enum nf_ct_verdict nf_conntrack_handle_packet(struct nf_conn *ct, struct sk_buff *skb, uint32_t l4, enum ip_conntrack_info info);
enum nf_ct_verdict nf_conntrack_tcp_packet(struct nf_conn *ct, struct sk_buff *skb, uint32_t l4, enum ip_conntrack_info info);
enum nf_ct_verdict nf_conntrack_icmp_packet(struct nf_conn *ct, struct sk_buff *skb, uint32_t l4, enum ip_conntrack_info info);
/* Before any table is asked: is it sound? */
bool nf_conntrack_tcp_sound(struct nf_ct_net *cn, struct sk_buff *skb, uint32_t l4, enum nf_inet_hooks hook);
/* ICMP: > 0: an error; it has got its connection (RELATED) or stays without (INVALID). 0: a query. < 0: INVALID. */
int nf_conntrack_icmp_error(struct nf_ct_net *cn, struct sk_buff *skb, uint32_t l4, enum nf_inet_hooks hook);
bool nf_icmp_is_error(uint8_t type);
const char *nf_ct_tcp_state_name(uint8_t state);
extern const int32_t nf_ct_tcp_timeouts[TCP_CONNTRACK_MAX];

/* ---- nf_conntrack_standalone.c: /proc, sysctls, counters ---- */
int nf_conntrack_proc_init(struct net *net);

#endif
