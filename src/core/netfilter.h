/* Netfilter's five hooks for IPv4, as lists of nf_hook_ops by priority, per host. */
#ifndef CORE_NETFILTER_H
#define CORE_NETFILTER_H

#include "core/netdevice.h"

enum nf_inet_hooks { NF_INET_PRE_ROUTING, NF_INET_LOCAL_IN, NF_INET_FORWARD, NF_INET_LOCAL_OUT, NF_INET_POST_ROUTING, NF_INET_NUMHOOKS };
enum { NF_DROP = 0, NF_ACCEPT = 1, NF_STOLEN = 2, NF_QUEUE = 3, NF_REPEAT = 4 };
#define NF_MAX_REPEAT 16
/* A verdict that also says of what the packet dies. */
#define NF_VERDICT_MASK 0xffu
#define NF_DROP_REASON(reason) (NF_DROP | (unsigned)(reason) << 8)

struct nf_hook_state {
	enum nf_inet_hooks hook;
	struct net *net;
	struct net_device *in, *out;
	struct sock *sk;
	int (*okfn)(struct net *net, struct sock *sk, struct sk_buff *skb);
	/* Where the packet under way hangs: a hook that gave its packet away and has another instead (fragments and
	 * their datagram) puts that here and accepts. */
	struct sk_buff **slot;
};
/* What hooks need of the Internet layer, which lies above them: it hangs its functions here (ipv4/ip_nf_ops.c). All are
 * called from within a hook. Addresses and ports in host order. */
struct nf_ip_ops {
	/* Takes a fragment. 0: *skb is the datagram; else the fragment was kept or dropped. */
	int (*defrag)(struct net *net, struct sk_buff **skb, enum nf_inet_hooks hook);
	/* ICMP destination unreachable about skb, if a packet that is only passing through or is ours may have one.
	 * transit_only: and only if it would be forwarded. Finds a route where skb has none yet. Borrowed. */
	void (*send_unreach)(struct sk_buff *skb, uint8_t code, bool transit_only);
	/* A TCP reset as the closed port's answer to skb. Borrowed. */
	void (*send_reset)(struct sk_buff *skb);
	/* The packet has another destination now than its sender gave it: no redirect about it. */
	void (*translated)(struct sk_buff *skb);
	/* The address of dev that packets on skb's route (NULL: any) have as their source; 0: none. */
	uint32_t (*select_addr)(const struct sk_buff *skb, const struct net_device *dev);
	/* RTN_* of linux/rtnetlink.h. */
	unsigned (*addr_type)(struct net *net, uint32_t addr);
	/* Does a program of this host receive there? saddr and sport: from whom, 0: from anybody (TCP: it listens). */
	bool (*port_used)(struct net *net, uint8_t proto, uint32_t addr, uint16_t port, uint32_t saddr, uint16_t sport);
};
/* One function on one hook. The packet is borrowed: a hook that frees it, queues it or sends it elsewhere
 * returns NF_STOLEN, and any other verdict leaves it alone. NF_REPEAT runs the same function again, at most
 * NF_MAX_REPEAT times for a packet, then the packet is dropped. NF_QUEUE means a program outside: there is
 * none, so the packet is dropped as Linux does without a listener. A hook may register and unregister any
 * ops, its own too. */
struct nf_hook_ops {
	struct list_head list;
	unsigned (*hook)(void *priv, struct sk_buff *skb, const struct nf_hook_state *st);
	void *priv;
	enum nf_inet_hooks hooknum;
	int priority;
	const char *name;
};
struct nf_walk;
struct nf_net {
	struct nf_walk *walks; /* hook runs under way, innermost first */
	struct list_head hooks[NF_INET_NUMHOOKS];
	uint64_t packets[NF_INET_NUMHOOKS]; /* that entered the hook, rules or none */
	uint64_t drops[NF_INET_NUMHOOKS];
	const struct nf_ip_ops *ip; /* NULL: a host without IP */
	void *tables; /* netfilter/'s rule tables */
	void *ct;     /* conntrack */
};
/* Priorities of Linux's own users of the hooks; lower runs first, equals in order of registration. */
enum {
	NF_IP_PRI_FIRST = INT32_MIN, NF_IP_PRI_CONNTRACK_DEFRAG = -400, NF_IP_PRI_RAW = -300,
	NF_IP_PRI_CONNTRACK = -200, NF_IP_PRI_MANGLE = -150, NF_IP_PRI_NAT_DST = -100,
	NF_IP_PRI_FILTER = 0, NF_IP_PRI_SECURITY = 50, NF_IP_PRI_NAT_SRC = 100,
	NF_IP_PRI_CONNTRACK_HELPER = 300, NF_IP_PRI_LAST = INT32_MAX
};
#define NF_MAX_HOOKS 64 /* per hook point */
/* 0, -EINVAL (no such hook), -ENOSPC. ops stays the caller's and must live until it is unregistered. */
int nf_register_net_hook(struct net *net, struct nf_hook_ops *ops);
void nf_unregister_net_hook(struct net *net, struct nf_hook_ops *ops);
/* Run the hook, then okfn. Returns okfn's result, -EPERM if dropped, 0 if stolen. Counted and traced even
 * when no rule is registered. */
int nf_hook(enum nf_inet_hooks hook, struct net *net, struct sock *sk, struct sk_buff *skb, struct net_device *in,
	    struct net_device *out, int (*okfn)(struct net *, struct sock *, struct sk_buff *));
const char *nf_hook_name(enum nf_inet_hooks h);
extern const struct pernet_operations nf_net_ops;

#endif
