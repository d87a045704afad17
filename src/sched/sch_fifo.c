/* pfifo and bfifo: first in, first out, bounded in packets or in bytes; what finds no room is
 * dropped.
 *
 * Called by core/qdisc_core.c. Tests: tests/unit/sched/test_sched.c. */
#include <errno.h>
#include "base/strbuf.h"
#include "core/qdisc.h"
#include "sched/sched.h"

#define FIFO_LIMIT_MAX 0x7fffffffu

static int fifo_init(struct Qdisc *q, const char *const *args, size_t nargs, uint32_t limit)
{
	const char *text = qdisc_arg(args, nargs, "limit");
	uint64_t v = limit;

	if (text && u64_parse(text, 0, FIFO_LIMIT_MAX, &v))
		return -EINVAL;
	q->limit = (uint32_t)v;
	q->can_bypass = qdisc_has_word(args, nargs, "bypass");
	return 0;
}

static int pfifo_init(struct Qdisc *q, const char *const *args, size_t nargs)
{
	return fifo_init(q, args, nargs, max_u32(q->txq->dev->tx_queue_len, 1));
}

static int bfifo_init(struct Qdisc *q, const char *const *args, size_t nargs)
{
	const struct net_device *dev = q->txq->dev;

	return fifo_init(q, args, nargs,
			 max_u32(dev->tx_queue_len, 1) * (dev->mtu + dev->hard_header_len));
}

static int pfifo_enqueue(struct sk_buff *skb, struct Qdisc *q)
{
	if (likely(q->q.qlen < q->limit))
		return qdisc_enqueue_tail(skb, q, &q->q);
	return qdisc_drop(skb, q);
}

static int bfifo_enqueue(struct sk_buff *skb, struct Qdisc *q)
{
	if (likely((uint64_t)q->st.backlog + skb->len <= q->limit))
		return qdisc_enqueue_tail(skb, q, &q->q);
	return qdisc_drop(skb, q);
}

static struct sk_buff *fifo_dequeue(struct Qdisc *q)
{
	return qdisc_dequeue_head(q, &q->q);
}

static struct sk_buff *fifo_peek(struct Qdisc *q)
{
	return skb_peek(&q->q);
}

static void pfifo_dump(struct Qdisc *q, void *strbuf)
{
	sb_printf(strbuf, "limit %up", q->limit);
}

static void bfifo_dump(struct Qdisc *q, void *strbuf)
{
	sb_printf(strbuf, "limit %ub", q->limit);
}

const struct Qdisc_ops pfifo_qdisc_ops = {
	.id = "pfifo",
	.enqueue = pfifo_enqueue,
	.dequeue = fifo_dequeue,
	.peek = fifo_peek,
	.init = pfifo_init,
	.dump = pfifo_dump,
};

const struct Qdisc_ops bfifo_qdisc_ops = {
	.id = "bfifo",
	.enqueue = bfifo_enqueue,
	.dequeue = fifo_dequeue,
	.peek = fifo_peek,
	.init = bfifo_init,
	.dump = bfifo_dump,
};
