/* Queue disciplines: which one a transmit queue has, and how its packets get from there to the
 * driver.
 *
 * Decides who sends: whoever finds the discipline idle runs it, in his own context; only leftovers
 * (quota used up, driver was busy or its queue stopped) are sent by the NET_TX softirq. Called by
 * __dev_queue_xmit and net_tx_action; hands on to the discipline (sched/) and to
 * dev_hard_start_xmit. Tests: tests/unit/core/test_qdisc.c.
 *
 *   __dev_xmit_skb -> q->enqueue -> __qdisc_run -> qdisc_restart -> sch_direct_xmit
 *        | (idle, empty, may be bypassed)                          ^    |
 *        +---------------------------------------------------------+    v
 *                    driver busy: q->gso_skb, __netif_schedule <- dev_hard_start_xmit
 *
 * A device that is down has noop, which drops; one that is up has qdisc_sleeping. noqueue is a
 * discipline without enqueue: the test in __dev_queue_xmit looks at that pointer and at nothing
 * else. */
#include <errno.h>
#include <stdlib.h>
#include "core/net_int.h"
#include "core/qdisc.h"

/* Packets sent in one go before the softirq takes over (dev_tx_weight). */
#define QDISC_RUN_QUOTA 64
/* Packets handed to the driver as one list, when they have queued up. */
#define QDISC_BULK 8

/* ---- noop and noqueue ---- */

static int noop_enqueue(struct sk_buff *skb, struct Qdisc *q)
{
	q->st.drops++;
	skb->dev->stats.tx_dropped++;
	kfree_skb_reason(skb, DROP_QDISC_NOOP);
	return NET_XMIT_CN;
}

static struct sk_buff *noop_dequeue(struct Qdisc *q)
{
	(void)q;
	return NULL;
}

const struct Qdisc_ops noop_qdisc_ops = {
	.id = "noop",
	.enqueue = noop_enqueue,
	.dequeue = noop_dequeue,
};
const struct Qdisc_ops noqueue_qdisc_ops = { .id = "noqueue", .dequeue = noop_dequeue };

int qdisc_init(struct net *net)
{
	static const struct Qdisc_ops *const own[] = { &noop_qdisc_ops, &noqueue_qdisc_ops };
	struct Qdisc *q = xcalloc(1, sizeof(*q));

	register_qdisc_ops(net, own, ARRAY_SIZE(own));
	q->enqueue = noop_qdisc_ops.enqueue;
	q->dequeue = noop_qdisc_ops.dequeue;
	q->ops = &noop_qdisc_ops;
	q->net = net;
	skb_queue_head_init(&q->q);
	list_init(&q->sched_node);
	net->noop_qdisc = q;
	return 0;
}

void qdisc_exit(struct net *net)
{
	free(net->noop_qdisc);
	net->noop_qdisc = NULL;
}

void register_qdisc_ops(struct net *net, const struct Qdisc_ops *const *ops, size_t n)
{
	for (size_t i = 0; i < n && net->nr_qdisc_ops < QDISC_OPS_MAX; i++)
		net->qdisc_ops[net->nr_qdisc_ops++] = ops[i];
}

const struct Qdisc_ops *qdisc_ops_lookup(struct net *net, const char *id)
{
	for (uint32_t i = 0; i < net->nr_qdisc_ops; i++)
		if (!strcmp(net->qdisc_ops[i]->id, id))
			return net->qdisc_ops[i];
	return NULL;
}

/* ---- life ---- */

struct Qdisc *qdisc_create(struct netdev_queue *txq, const struct Qdisc_ops *ops,
			   const char *const *args, size_t nargs, int *err)
{
	struct Qdisc *q = xcalloc(1, sizeof(*q) + ops->priv_size);

	q->enqueue = ops->enqueue;
	q->dequeue = ops->dequeue;
	q->ops = ops;
	q->txq = txq;
	q->net = txq->dev->net;
	skb_queue_head_init(&q->q);
	list_init(&q->sched_node);
	*err = ops->init ? ops->init(q, args, nargs) : 0;
	if (*err) {
		free(q);
		return NULL;
	}
	return q;
}

static void qdisc_reset(struct Qdisc *q)
{
	kfree_skb_list_reason(q->gso_skb, DROP_QDISC_DROP);
	q->gso_skb = NULL;
	if (q->ops->reset)
		q->ops->reset(q);
	skb_queue_purge_reason(&q->q, DROP_QDISC_DROP);
	q->st.qlen = 0;
	q->st.backlog = 0;
}

void qdisc_destroy(struct Qdisc *q)
{
	if (!q || q == q->net->noop_qdisc)
		return;
	qdisc_reset(q);
	list_del_init(&q->sched_node);
	if (q->ops->destroy)
		q->ops->destroy(q);
	free(q);
}

static const struct Qdisc_ops *default_ops(const struct net_device *dev)
{
	if (dev->no_queue || !dev->tx_queue_len || !dev->net->default_qdisc)
		return &noqueue_qdisc_ops;
	return dev->net->default_qdisc;
}

void dev_activate(struct net_device *dev)
{
	for (uint32_t i = 0; i < dev->num_tx_queues; i++) {
		struct netdev_queue *txq = &dev->tx[i];
		struct Qdisc *q = txq->qdisc_sleeping;
		int err;

		if (q == dev->net->noop_qdisc) {
			q = qdisc_create(txq, default_ops(dev), NULL, 0, &err);
			if (!q)
				q = qdisc_create(txq, &noqueue_qdisc_ops, NULL, 0, &err);
			txq->qdisc_sleeping = q;
		}
		if (dev->carrier)
			txq->qdisc = q;
	}
}

void dev_deactivate(struct net_device *dev)
{
	for (uint32_t i = 0; i < dev->num_tx_queues; i++) {
		struct netdev_queue *txq = &dev->tx[i];

		txq->qdisc = dev->net->noop_qdisc;
		qdisc_reset(txq->qdisc_sleeping);
	}
}

void dev_free_qdiscs(struct net_device *dev)
{
	for (uint32_t i = 0; i < dev->num_tx_queues; i++) {
		qdisc_destroy(dev->tx[i].qdisc_sleeping);
		dev->tx[i].qdisc = dev->tx[i].qdisc_sleeping = dev->net->noop_qdisc;
	}
}

int dev_graft_qdisc(struct net_device *dev, const struct Qdisc_ops *ops, const char *const *args,
		    size_t nargs)
{
	for (uint32_t i = 0; i < dev->num_tx_queues; i++) {
		struct netdev_queue *txq = &dev->tx[i];
		struct Qdisc *old = txq->qdisc_sleeping, *q;
		int err;

		q = qdisc_create(txq, ops, args, nargs, &err);
		if (!q)
			return err; /* the arguments are wrong for the first queue as for any */
		txq->qdisc_sleeping = q;
		if (txq->qdisc == old && old != dev->net->noop_qdisc)
			txq->qdisc = q;
		qdisc_destroy(old);
	}
	return 0;
}

/* ---- sending ---- */

/* The driver did not take these: they come first next time. */
static void dev_requeue_skb(struct sk_buff *list, struct Qdisc *q)
{
	struct sk_buff *s = list, *last = list;

	for (; s; last = s, s = s->next) {
		q->st.requeues++;
		q->st.qlen++;
		q->st.backlog += s->len;
		TRACE(&q->net->probe, TR_QUEUE, s->serial, "requeue qdisc=%s qlen=%u", q->ops->id,
		      q->st.qlen);
	}
	last->next = q->gso_skb;
	q->gso_skb = list;
	if (!netif_tx_queue_stopped(q->txq))
		__netif_schedule(q);
}

/* The list that goes to the driver next: what it refused before, else a few from the discipline. */
static struct sk_buff *dequeue_skb(struct Qdisc *q, bool *validate, int *n)
{
	struct sk_buff *list = q->gso_skb, **at = &list;

	*n = 0;
	if (netif_tx_queue_stopped(q->txq))
		return NULL;
	*validate = !list;
	if (list) {
		q->gso_skb = NULL;
		for (struct sk_buff *s = list; s; s = s->next, ++*n) {
			q->st.qlen--;
			q->st.backlog -= s->len;
		}
		return list;
	}
	for (; *n < QDISC_BULK && (*at = q->dequeue(q)) != NULL; at = &(*at)->next)
		++*n;
	return list;
}

/* Hand a list to the driver. False: it did not take all, or there is no point in going on. */
static bool sch_direct_xmit(struct sk_buff *skb, struct Qdisc *q, struct net_device *dev,
			    struct netdev_queue *txq, bool validate)
{
	struct sk_buff *left = NULL;
	TRACE_FN(&dev->net->probe, skb->serial);

	if (validate)
		skb = validate_xmit_skb(skb, dev);
	if (!skb)
		return true;
	if (netif_tx_queue_stopped(txq))
		left = skb;
	else
		dev_hard_start_xmit(skb, dev, txq, &left);
	if (likely(!left))
		return true;
	dev_requeue_skb(left, q);
	return false;
}

static bool qdisc_restart(struct Qdisc *q, int *n)
{
	struct sk_buff *skb;
	bool validate;
	TRACE_FN(&q->net->probe, 0);

	skb = dequeue_skb(q, &validate, n);
	if (!skb)
		return false;
	return sch_direct_xmit(skb, q, q->txq->dev, q->txq, validate);
}

void __qdisc_run(struct Qdisc *q)
{
	int quota = QDISC_RUN_QUOTA, n;
	TRACE_FN(&q->net->probe, 0);

	while (qdisc_restart(q, &n)) {
		quota -= n;
		if (quota <= 0) {
			__netif_schedule(q);
			break;
		}
	}
}

/* One runner at a time: who finds it running leaves his packet to him. */
static void qdisc_run(struct Qdisc *q)
{
	if (q->running || !q->txq)
		return;
	q->running = true;
	__qdisc_run(q);
	q->running = false;
}

static bool qdisc_may_bypass(const struct Qdisc *q)
{
	return q->can_bypass && !q->st.qlen && !q->running && !netif_tx_queue_stopped(q->txq);
}

int __dev_xmit_skb(struct sk_buff *skb, struct Qdisc *q, struct net_device *dev,
		   struct netdev_queue *txq)
{
	int rc;
	TRACE_FN(&dev->net->probe, skb->serial);

	if (!qdisc_may_bypass(q)) {
		rc = q->enqueue(skb, q);
		qdisc_run(q);
		return rc;
	}
	qdisc_bstats_update(q, skb);
	q->running = true;
	if (sch_direct_xmit(skb, q, dev, txq, true))
		__qdisc_run(q);
	q->running = false;
	return NET_XMIT_SUCCESS;
}

/* ---- the softirq's share ---- */

void __netif_schedule(struct Qdisc *q)
{
	struct softnet_data *sd = this_softnet(q->net);
	TRACE_FN(&q->net->probe, 0);

	if (q->scheduled || !q->txq)
		return;
	q->scheduled = true;
	list_add_tail(&q->sched_node, &sd->output_queue);
	__raise_softirq_irqoff(sd, NET_TX_SOFTIRQ);
}

void net_tx_action(struct softnet_data *sd)
{
	struct list_head run;
	struct sk_buff *skb;
	TRACE_FN(&sd->net->probe, 0);

	while ((skb = skb_dequeue(&sd->completion_queue)) != NULL)
		consume_skb(skb);
	list_init(&run);
	list_splice_tail_init(&sd->output_queue, &run);
	while (!list_empty(&run)) {
		struct Qdisc *q = list_first_entry(&run, struct Qdisc, sched_node);

		list_del_init(&q->sched_node);
		q->scheduled = false;
		qdisc_run(q);
	}
}

void netif_tx_stop_queue(struct netdev_queue *q)
{
	q->stopped = true;
}

void netif_tx_wake_queue(struct netdev_queue *q)
{
	if (!q->stopped)
		return;
	q->stopped = false;
	if (q->qdisc->enqueue)
		__netif_schedule(q->qdisc);
}
