/* pfifo_fast: three bands; as long as a lower band has packets, the higher ones wait.
 *
 * Decides the band by skb->priority, through the map below (tc-prio(8); the priorities come from
 * the TOS octet). Called by core/qdisc_core.c. Each band holds the device's tx_queue_len packets.
 * Tests: tests/unit/sched/test_sched.c. */
#include "base/strbuf.h"
#include "core/qdisc.h"
#include "sched/sched.h"

#define PFIFO_FAST_BANDS 3
#define PRIO_MASK 15u

static const uint8_t prio2band[PRIO_MASK + 1] = { 1, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1 };

struct pfifo_fast_priv {
	struct sk_buff_head band[PFIFO_FAST_BANDS];
};

static struct pfifo_fast_priv *pfifo_fast_priv(struct Qdisc *q)
{
	return (struct pfifo_fast_priv *)(void *)q->priv;
}

static int pfifo_fast_init(struct Qdisc *q, const char *const *args, size_t nargs)
{
	for (unsigned b = 0; b < PFIFO_FAST_BANDS; b++)
		skb_queue_head_init(&pfifo_fast_priv(q)->band[b]);
	q->limit = max_u32(q->txq->dev->tx_queue_len, 1);
	q->can_bypass = qdisc_has_word(args, nargs, "bypass");
	return 0;
}

static int pfifo_fast_enqueue(struct sk_buff *skb, struct Qdisc *q)
{
	struct sk_buff_head *band = &pfifo_fast_priv(q)->band[prio2band[skb->priority & PRIO_MASK]];

	if (likely(band->qlen < q->limit))
		return qdisc_enqueue_tail(skb, q, band);
	return qdisc_drop(skb, q);
}

static struct sk_buff *pfifo_fast_dequeue(struct Qdisc *q)
{
	for (unsigned b = 0; b < PFIFO_FAST_BANDS; b++) {
		struct sk_buff *skb = qdisc_dequeue_head(q, &pfifo_fast_priv(q)->band[b]);

		if (skb)
			return skb;
	}
	return NULL;
}

static struct sk_buff *pfifo_fast_peek(struct Qdisc *q)
{
	struct sk_buff *skb = NULL;

	for (unsigned b = 0; b < PFIFO_FAST_BANDS && !skb; b++)
		skb = skb_peek(&pfifo_fast_priv(q)->band[b]);
	return skb;
}

static void pfifo_fast_reset(struct Qdisc *q)
{
	for (unsigned b = 0; b < PFIFO_FAST_BANDS; b++)
		skb_queue_purge_reason(&pfifo_fast_priv(q)->band[b], DROP_QDISC_DROP);
}

static void pfifo_fast_dump(struct Qdisc *q, void *strbuf)
{
	(void)q;
	sb_puts(strbuf, "bands 3 priomap");
	for (unsigned i = 0; i <= PRIO_MASK; i++)
		sb_printf(strbuf, " %u", prio2band[i]);
}

const struct Qdisc_ops pfifo_fast_qdisc_ops = {
	.id = "pfifo_fast",
	.priv_size = sizeof(struct pfifo_fast_priv),
	.enqueue = pfifo_fast_enqueue,
	.dequeue = pfifo_fast_dequeue,
	.peek = pfifo_fast_peek,
	.init = pfifo_fast_init,
	.reset = pfifo_fast_reset,
	.dump = pfifo_fast_dump,
};

static int sched_net_init(struct net *net)
{
	static const struct Qdisc_ops *const all[] = { &pfifo_qdisc_ops, &bfifo_qdisc_ops,
						       &pfifo_fast_qdisc_ops, &fq_qdisc_ops };

	register_qdisc_ops(net, all, ARRAY_SIZE(all));
	net->default_qdisc = &pfifo_fast_qdisc_ops;
	return 0;
}

const struct pernet_operations sched_net_ops = { "sched", sched_net_init, NULL };
