/* Netfilter's five hooks for IPv4, as lists of nf_hook_ops by priority, per host. */
#ifndef CORE_NETFILTER_H
#define CORE_NETFILTER_H

#include "core/netdevice.h"

enum nf_inet_hooks { NF_INET_PRE_ROUTING, NF_INET_LOCAL_IN, NF_INET_FORWARD, NF_INET_LOCAL_OUT, NF_INET_POST_ROUTING, NF_INET_NUMHOOKS };
enum { NF_DROP = 0, NF_ACCEPT = 1, NF_STOLEN = 2, NF_QUEUE = 3, NF_REPEAT = 4 };
#define NF_MAX_REPEAT 16

struct nf_hook_state {
	enum nf_inet_hooks hook;
	struct net *net;
	struct net_device *in, *out;
	struct sock *sk;
	int (*okfn)(struct net *net, struct sock *sk, struct sk_buff *skb);
};
struct nf_hook_ops {
	struct list_head list;
	unsigned (*hook)(void *priv, struct sk_buff *skb, const struct nf_hook_state *st);
	void *priv;
	enum nf_inet_hooks hooknum;
	int priority;
	const char *name;
};
struct nf_net {
	struct list_head hooks[NF_INET_NUMHOOKS];
	uint64_t packets[NF_INET_NUMHOOKS]; /* that entered the hook, rules or none */
	uint64_t drops[NF_INET_NUMHOOKS];
	void *tables; /* netfilter/'s rule tables */
	void *ct;     /* conntrack */
};
int nf_register_net_hook(struct net *net, struct nf_hook_ops *ops);
void nf_unregister_net_hook(struct net *net, struct nf_hook_ops *ops);
/* Run the hook, then okfn. Returns okfn's result, -EPERM if dropped, 0 if stolen. Counted and traced even
 * when no rule is registered. */
int nf_hook(enum nf_inet_hooks hook, struct net *net, struct sock *sk, struct sk_buff *skb, struct net_device *in,
	    struct net_device *out, int (*okfn)(struct net *, struct sock *, struct sk_buff *));
const char *nf_hook_name(enum nf_inet_hooks h);
extern const struct pernet_operations nf_net_ops;

#endif
