/* What queue disciplines have in common: their counters and the queue of skbs most of them have. */
#ifndef CORE_QDISC_H
#define CORE_QDISC_H

#include "base/strbuf.h"
#include "core/netdevice.h"

static inline uint32_t qdisc_pkt_segs(const struct sk_buff *skb)
{
	return max_u32(skb_shinfo(skb)->gso_segs, 1);
}

/* Append to one of q's queues. */
static inline int qdisc_enqueue_tail(struct sk_buff *skb, struct Qdisc *q,
				     struct sk_buff_head *list)
{
	skb_queue_tail(list, skb);
	q->st.qlen++;
	q->st.backlog += skb->len;
	TRACE(&q->net->probe, TR_QUEUE, skb->serial, "qdisc=%s qlen=%u", q->ops->id, q->st.qlen);
	return NET_XMIT_SUCCESS;
}

/* Count one as sent (also when it went past the queue). */
static inline void qdisc_bstats_update(struct Qdisc *q, const struct sk_buff *skb)
{
	q->st.packets += qdisc_pkt_segs(skb);
	q->st.bytes += skb->len;
}

static inline struct sk_buff *qdisc_dequeue_head(struct Qdisc *q, struct sk_buff_head *list)
{
	struct sk_buff *skb = skb_dequeue(list);

	if (!skb)
		return NULL;
	q->st.qlen--;
	q->st.backlog -= skb->len;
	qdisc_bstats_update(q, skb);
	TRACE(&q->net->probe, TR_DEQUEUE, skb->serial, "qdisc=%s qlen=%u", q->ops->id, q->st.qlen);
	return skb;
}

/* Refuse a packet. Returns NET_XMIT_DROP. */
static inline int qdisc_drop(struct sk_buff *skb, struct Qdisc *q)
{
	q->st.drops++;
	kfree_skb_reason(skb, DROP_QDISC_DROP);
	return NET_XMIT_DROP;
}

/* The value of "name value" in a tc line's words; NULL: not there. */
static inline const char *qdisc_arg(const char *const *args, size_t nargs, const char *name)
{
	for (size_t i = 0; i + 1 < nargs; i++)
		if (!strcmp(args[i], name))
			return args[i + 1];
	return NULL;
}
/* A word that stands alone, as "bypass". */
static inline bool qdisc_has_word(const char *const *args, size_t nargs, const char *word)
{
	for (size_t i = 0; i < nargs; i++)
		if (!strcmp(args[i], word))
			return true;
	return false;
}

#endif
