/* dst_entry: references to where packets go next, and the two steps through it.
 *
 * Decides when a route cache entry dies. Called by whoever sends (dst_output) or has routed a
 * received packet (dst_input); hands on to the entry's functions. Tests:
 * tests/unit/core/test_dev_tx.c. */
#include "core/dst.h"

#include <assert.h>
#include <errno.h>

void dst_release(struct dst_entry *d)
{
	if (!d)
		return;
	assert(d->refcnt > 0);
	if (--d->refcnt == 0)
		d->ops->destroy(d);
}

int dst_output(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	if (unlikely(!skb->dst)) {
		kfree_skb_reason(skb, DROP_IP_OUTNOROUTES);
		return -ENETUNREACH;
	}
	return skb->dst->output(net, sk, skb);
}

int dst_input(struct sk_buff *skb)
{
	if (unlikely(!skb->dst)) {
		kfree_skb_reason(skb, DROP_IP_INNOROUTES);
		return NET_RX_DROP;
	}
	return skb->dst->input(skb);
}
