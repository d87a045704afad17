/* NAPI: devices are polled in turn, in the NET_RX softirq, until they have nothing more or the
 * budget ends.
 *
 * Decides whose turn it is: first in poll_list; who used up its weight goes behind the others. 300
 * packets (or the time) later the rest is left to the next round, and time_squeeze counts it.
 * Called by interrupt handlers (napi_schedule) and the softirq; hands on to napi_struct.poll.
 * poll_list links napi_structs; the backlog's is the one embedded in softnet_data. Tests:
 * tests/unit/core/test_softirq.c. */
#include "core/gro.h"
#include "core/net_int.h"

/* gro_flush_timeout is over: a poll flushes what is held. */
static void napi_watchdog(struct timer_list *t)
{
	struct napi_struct *n = container_of(t, struct napi_struct, timer);
	TRACE_FN(&n->net->probe, 0);

	napi_schedule(n);
}

void netif_napi_add(struct net_device *dev, struct napi_struct *n, const char *name,
		    int (*poll)(struct napi_struct *, int), int weight, uint32_t cpu)
{
	if (dev)
		n->net = dev->net;
	n->dev = dev;
	n->poll = poll;
	n->weight = weight;
	n->cpu = cpu % n->net->nr_cpus;
	n->scheduled = false;
	n->polls = n->work = 0;
	n->gro_merged = n->gro_trains = 0;
	n->defer_hard_irqs = 0;
	skb_queue_head_init(&n->gro);
	timer_setup(&n->timer, napi_watchdog);
	strncpy(n->name, name, sizeof(n->name) - 1);
	n->name[sizeof(n->name) - 1] = '\0';
	list_init(&n->poll_list);
	list_add_tail(&n->node, &n->net->napi_list);
}

void netif_napi_del(struct napi_struct *n)
{
	if (!n->poll)
		return;
	napi_gro_drop(n);
	list_del_init(&n->poll_list);
	list_del_init(&n->node);
	n->scheduled = false;
}

void ____napi_schedule(struct softnet_data *sd, struct napi_struct *n)
{
	TRACE_FN(&sd->net->probe, 0);

	list_add_tail(&n->poll_list, &sd->poll_list);
	__raise_softirq_irqoff(sd, NET_RX_SOFTIRQ);
}

static void __napi_schedule(struct napi_struct *n)
{
	TRACE_FN(&n->net->probe, 0);

	____napi_schedule(&n->net->softnet[n->cpu], n);
}

bool napi_schedule(struct napi_struct *n)
{
	TRACE_FN(&n->net->probe, 0);

	if (n->scheduled)
		return false;
	n->scheduled = true;
	__napi_schedule(n);
	return true;
}

/* How long what is held may wait for more; 0: not at all. *unmask: the driver's interrupt may come again. */
static uint64_t napi_timeout(struct napi_struct *n, int work, bool *unmask)
{
	uint64_t timeout = 0;

	*unmask = true;
	if (!n->dev)
		return 0;
	if (work) {
		if (!skb_queue_empty(&n->gro))
			timeout = (uint32_t)n->net->netdev_sysctl.gro_flush_timeout;
		n->defer_hard_irqs = (uint32_t)n->net->netdev_sysctl.napi_defer_hard_irqs;
	}
	if (n->defer_hard_irqs) {
		n->defer_hard_irqs--;
		timeout = (uint32_t)n->net->netdev_sysctl.gro_flush_timeout;
		*unmask = !timeout;
	}
	return timeout;
}

bool napi_complete_done(struct napi_struct *n, int work)
{
	uint64_t timeout;
	bool unmask;
	TRACE_FN(&n->net->probe, 0);

	/* Flushed packets may take the device down; it must find the instance as it is. */
	timeout = napi_timeout(n, work, &unmask);
	napi_gro_flush(n, timeout != 0);
	list_del_init(&n->poll_list);
	n->scheduled = false;
	if (unlikely(timeout))
		mod_timer(&n->net->wheel, &n->timer, n->net->now_ns + timeout);
	return unmask;
}

/* One poll; who used up its weight goes to the end of the round. Returns the work done. */
static int napi_poll(struct softnet_data *sd, struct napi_struct *n)
{
	int weight = n == &sd->backlog ? sd->net->netdev_sysctl.dev_weight : n->weight;
	int work = n->poll(n, weight);

	n->polls++;
	n->work += (uint64_t)work;
	TRACE(&sd->net->probe, TR_SOFTIRQ, 0, "poll napi=%s%s%s work=%d weight=%d cpu=%u",
	      n->dev ? n->dev->name : "", n->dev ? "-" : "", n->name, work, weight, sd->cpu);
	if (work >= weight && n->scheduled) {
		list_del_init(&n->poll_list);
		list_add_tail(&n->poll_list, &sd->poll_list);
	}
	if (unlikely(n->scheduled))
		napi_gro_flush(n, true); /* it goes on: what was held for long enough does not wait */
	cpu_charge(sd, (uint64_t)work * sd->net->cpu_model.packet_ns);
	return work;
}

static bool rx_over_budget(const struct softnet_data *sd)
{
	uint64_t limit = (uint32_t)sd->net->netdev_sysctl.budget_usecs * NSEC_PER_USEC;

	return sd->rx_budget <= 0 || sd->net->now_ns - sd->rx_started_ns >= limit;
}

void net_rx_action(struct softnet_data *sd)
{
	TRACE_FN(&sd->net->probe, 0);

	if (!sd->rx_suspended) {
		sd->rx_budget = sd->net->netdev_sysctl.budget;
		sd->rx_started_ns = sd->net->now_ns;
	}
	sd->rx_suspended = false;
	while (!list_empty(&sd->poll_list)) {
		if (rx_over_budget(sd)) {
			sd->time_squeeze++;
			break;
		}
		if (cpu_busy(sd)) {
			sd->rx_suspended = true;
			break;
		}
		sd->rx_budget -= napi_poll(
			sd, list_first_entry(&sd->poll_list, struct napi_struct, poll_list));
	}
	if (!list_empty(&sd->poll_list))
		__raise_softirq_irqoff(sd, NET_RX_SOFTIRQ);
}
