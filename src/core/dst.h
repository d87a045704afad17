/* dst_entry: where a packet goes next, as two functions. output takes it down and out, input takes a
 * received one up or across. Cached in sockets; valid while check() says so. Counted references. */
#ifndef CORE_DST_H
#define CORE_DST_H

#include "core/netdevice.h"

struct dst_ops {
	/* The same dst if still valid, else NULL (caller drops its reference and looks up again). */
	struct dst_entry *(*check)(struct dst_entry *dst, uint32_t cookie);
	void (*destroy)(struct dst_entry *dst);
	uint32_t (*mtu)(const struct dst_entry *dst);
	uint32_t (*advmss)(const struct dst_entry *dst);
	void (*link_failure)(struct sk_buff *skb);
	void (*update_pmtu)(struct dst_entry *dst, struct sock *sk, struct sk_buff *skb, uint32_t mtu);
	struct neighbour *(*neigh_lookup)(const struct dst_entry *dst, uint32_t daddr);
	/* What the route says of connections over it: RTAX_* (linux/rtnetlink.h), 0: nothing; the name of a congestion
	 * control, NULL: none. Both optional. */
	uint32_t (*metric)(const struct dst_entry *dst, int which);
	const char *(*congctl)(const struct dst_entry *dst);
};

struct dst_entry {
	struct net *net;
	struct net_device *dev;
	const struct dst_ops *ops;
	int (*input)(struct sk_buff *skb);
	int (*output)(struct net *net, struct sock *sk, struct sk_buff *skb);
	int32_t refcnt;
	int16_t obsolete;
	int16_t error; /* negative errno: an unreachable/prohibit/blackhole route */
	uint64_t lastuse_ns;
};

static inline struct dst_entry *dst_hold(struct dst_entry *d)
{
	if (d)
		d->refcnt++;
	return d;
}
void dst_release(struct dst_entry *d);
/* Takes over the caller's reference. */
static inline void skb_dst_set(struct sk_buff *skb, struct dst_entry *d) { skb->dst = d; }
static inline struct dst_entry *skb_dst(const struct sk_buff *skb) { return skb->dst; }
static inline void skb_dst_drop(struct sk_buff *skb)
{
	if (skb->dst) {
		dst_release(skb->dst);
		skb->dst = NULL;
	}
}
static inline uint32_t dst_mtu(const struct dst_entry *d) { return d->ops->mtu(d); }
static inline uint32_t dst_metric(const struct dst_entry *d, int which)
{
	return d && d->ops->metric ? d->ops->metric(d, which) : 0;
}
/* Did "lock" stand before it? */
static inline bool dst_metric_locked(const struct dst_entry *d, int which) { return dst_metric(d, 1 /* RTAX_LOCK */) & (1u << which); }
static inline uint32_t dst_advmss(const struct dst_entry *d) { return d->ops->advmss(d); }
int dst_output(struct net *net, struct sock *sk, struct sk_buff *skb);
int dst_input(struct sk_buff *skb);

#endif
