/* fq: a queue for each socket, taking turns; and no packet before its time (tc-fq(8)).
 *
 * Decides who is next: flows with packets take turns, each with a quantum of octets. A packet's time is what the socket asked for (SCM_TXTIME,
 * TCP_TX_DELAY: skb->tstamp_ns), and of a datagram socket with SO_MAX_PACING_RATE not before its last packet is through at that rate; TCP paces
 * by itself. A flow whose first packet is not due waits in a list by time, and a timer runs the queue when the first of them is.
 * Bounds: limit packets in all, flow_limit of one flow, nothing that is more than horizon ahead.
 * A flow lives as long as it has packets or its rate keeps it waiting. Called by core/qdisc_core.c. Tests: tests/unit/sched/test_sched.c. */
#include <errno.h>
#include <sys/socket.h>
#include "base/pool.h"
#include "base/strbuf.h"
#include "core/qdisc.h"
#include "core/sock.h"
#include "sched/sched.h"

#define FQ_LIMIT 10000u
#define FQ_FLOW_LIMIT 100u
#define FQ_SLOTS 64u
#define FQ_HORIZON_NS (10 * NSEC_PER_SEC)
#define FQ_MAX 0x7fffffffu

struct fq_flow {
	struct hlist_node node;
	struct list_head list; /* of fq_priv: active, or waiting */
	struct sock *sk;       /* held; NULL: what no socket sent */
	struct sk_buff_head q; /* by time */
	uint64_t when_ns;      /* waiting: until then */
	uint64_t next_ns;      /* paced: not before */
	int64_t credit;
	bool waiting;
};
struct fq_priv {
	struct Qdisc *q;
	struct hlist_head slot[FQ_SLOTS];
	struct list_head active, waiting;
	struct pool flows;
	struct timer_list timer;
	uint32_t flow_limit, quantum, initial_quantum;
};

static struct fq_priv *fq_priv(struct Qdisc *q) { return (struct fq_priv *)(void *)q->priv; }

static void fq_timer(struct timer_list *t)
{
	struct fq_priv *p = container_of(t, struct fq_priv, timer);

	local_bh_disable(p->q->net);
	__netif_schedule(p->q);
	local_bh_enable(p->q->net);
}

static int fq_number(const char *const *args, size_t nargs, const char *name, uint32_t *out)
{
	const char *text = qdisc_arg(args, nargs, name);
	uint64_t v = *out;

	if (text && u64_parse(text, 1, FQ_MAX, &v))
		return -EINVAL;
	*out = (uint32_t)v;
	return 0;
}

static int fq_init(struct Qdisc *q, const char *const *args, size_t nargs)
{
	struct fq_priv *p = fq_priv(q);
	const struct net_device *dev = q->txq->dev;

	q->limit = FQ_LIMIT;
	p->flow_limit = FQ_FLOW_LIMIT;
	p->quantum = 2 * (dev->mtu + dev->hard_header_len);
	p->initial_quantum = 10 * (dev->mtu + dev->hard_header_len);
	if (fq_number(args, nargs, "limit", &q->limit) || fq_number(args, nargs, "flow_limit", &p->flow_limit) ||
	    fq_number(args, nargs, "quantum", &p->quantum) || fq_number(args, nargs, "initial_quantum", &p->initial_quantum))
		return -EINVAL;
	p->q = q;
	list_init(&p->active);
	list_init(&p->waiting);
	pool_init(&p->flows, "fq_flow", sizeof(struct fq_flow), 16);
	timer_setup(&p->timer, fq_timer);
	return 0;
}

/* ---- flows ---- */
static struct hlist_head *fq_slot(struct fq_priv *p, const struct sock *sk)
{
	return &p->slot[((uintptr_t)sk >> 6) % FQ_SLOTS]; /* only looked up in, never walked */
}

static struct fq_flow *fq_classify(struct fq_priv *p, struct sock *sk)
{
	struct fq_flow *f;

	hlist_for_each_entry(f, fq_slot(p, sk), node)
		if (f->sk == sk)
			return f;
	f = pool_zget(&p->flows);
	f->sk = sk ? sock_hold(sk) : NULL;
	f->credit = p->initial_quantum;
	skb_queue_head_init(&f->q);
	list_init(&f->list);
	hlist_add_head(&f->node, fq_slot(p, sk));
	list_add_tail(&f->list, &p->active);
	return f;
}

static void fq_flow_free(struct fq_priv *p, struct fq_flow *f)
{
	hlist_del_init(&f->node);
	list_del_init(&f->list);
	if (f->sk)
		sock_put(f->sk);
	pool_put(&p->flows, f);
}

static void fq_activate(struct fq_priv *p, struct fq_flow *f)
{
	f->waiting = false;
	list_del_init(&f->list);
	list_add_tail(&f->list, &p->active);
}

static void fq_wait(struct fq_priv *p, struct fq_flow *f, uint64_t when_ns)
{
	struct list_head *pos;

	f->waiting = true;
	f->when_ns = when_ns;
	list_del_init(&f->list);
	for (pos = p->waiting.prev; pos != &p->waiting; pos = pos->prev)
		if (list_entry(pos, struct fq_flow, list)->when_ns <= when_ns)
			break;
	list_insert_(&f->list, pos, pos->next);
}

/* ---- packets ---- */
/* By time; most come in order. */
static void fq_insert(struct fq_flow *f, struct sk_buff *skb)
{
	struct sk_buff *at = skb_peek_tail(&f->q);

	while (at && skb->tstamp_ns && at->tstamp_ns > skb->tstamp_ns)
		at = at == skb_peek(&f->q) ? NULL : at->prev;
	if (at == skb_peek_tail(&f->q))
		skb_queue_tail(&f->q, skb);
	else if (at)
		skb_queue_after(&f->q, at, skb);
	else
		skb_queue_head(&f->q, skb);
}

static int fq_enqueue(struct sk_buff *skb, struct Qdisc *q)
{
	struct fq_priv *p = fq_priv(q);
	struct fq_flow *f;

	if (q->st.qlen >= q->limit || skb->tstamp_ns > q->net->now_ns + FQ_HORIZON_NS)
		return qdisc_drop(skb, q);
	f = fq_classify(p, skb->sk);
	if (f->q.qlen >= p->flow_limit)
		return qdisc_drop(skb, q);
	fq_insert(f, skb);
	if (f->waiting && skb_peek(&f->q) == skb)
		fq_activate(p, f); /* due before what it waited for */
	q->st.qlen++;
	q->st.backlog += skb->len;
	TRACE(&q->net->probe, TR_QUEUE, skb->serial, "qdisc=%s qlen=%u", q->ops->id, q->st.qlen);
	return NET_XMIT_SUCCESS;
}

static uint64_t fq_rate(const struct fq_flow *f)
{
	return f->sk && f->sk->type != SOCK_STREAM ? f->sk->max_pacing_rate : UINT64_MAX;
}

static struct sk_buff *fq_take(struct Qdisc *q, struct fq_flow *f)
{
	struct sk_buff *skb = qdisc_dequeue_head(q, &f->q);
	uint64_t rate = fq_rate(f);

	f->credit -= skb->len;
	if (rate != UINT64_MAX && !skb->tstamp_ns)
		f->next_ns = q->net->now_ns + (uint64_t)skb->len * NSEC_PER_SEC / max_u64(rate, 1);
	return skb;
}

static struct sk_buff *fq_dequeue(struct Qdisc *q)
{
	struct fq_priv *p = fq_priv(q);
	uint64_t now = q->net->now_ns;

	while (!list_empty(&p->waiting) && list_first_entry(&p->waiting, struct fq_flow, list)->when_ns <= now)
		fq_activate(p, list_first_entry(&p->waiting, struct fq_flow, list));
	while (!list_empty(&p->active)) {
		struct fq_flow *f = list_first_entry(&p->active, struct fq_flow, list);
		const struct sk_buff *skb = skb_peek(&f->q);
		uint64_t when = max_u64(skb ? skb->tstamp_ns : 0, f->next_ns);

		if (when > now) {
			fq_wait(p, f, when);
		} else if (!skb) {
			fq_flow_free(p, f);
		} else if (f->credit <= 0) {
			f->credit += p->quantum;
			fq_activate(p, f); /* behind the others */
		} else {
			return fq_take(q, f);
		}
	}
	if (!list_empty(&p->waiting))
		mod_timer(&q->net->wheel, &p->timer, list_first_entry(&p->waiting, struct fq_flow, list)->when_ns);
	return NULL;
}

static void fq_reset(struct Qdisc *q)
{
	struct fq_priv *p = fq_priv(q);
	struct list_head *both[2] = { &p->active, &p->waiting };

	del_timer(&q->net->wheel, &p->timer);
	for (unsigned i = 0; i < 2; i++)
		while (!list_empty(both[i])) {
			struct fq_flow *f = list_first_entry(both[i], struct fq_flow, list);

			skb_queue_purge_reason(&f->q, DROP_QDISC_DROP);
			fq_flow_free(p, f);
		}
}

static void fq_destroy(struct Qdisc *q) { pool_destroy(&fq_priv(q)->flows); }

static void fq_dump(struct Qdisc *q, void *strbuf)
{
	const struct fq_priv *p = fq_priv(q);

	sb_printf(strbuf, "limit %up flow_limit %up buckets %u quantum %u initial_quantum %u horizon 10s horizon_drop", q->limit, p->flow_limit, FQ_SLOTS,
		  p->quantum, p->initial_quantum);
}

const struct Qdisc_ops fq_qdisc_ops = {
	.id = "fq",
	.priv_size = sizeof(struct fq_priv),
	.enqueue = fq_enqueue,
	.dequeue = fq_dequeue,
	.init = fq_init,
	.reset = fq_reset,
	.destroy = fq_destroy,
	.dump = fq_dump,
};
