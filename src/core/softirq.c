/* Softirqs: work put off by interrupts and system calls, run soon after on the same CPU.
 *
 * Decides when pending softirqs run: at the end of an interrupt, when the outermost bh section is
 * left, or, as overflow after MAX_SOFTIRQ_RESTART rounds or 2 ms, by ksoftirqd in turns with the
 * tasks. Called by raise_softirq, local_bh_enable and net_run; hands on to the registered actions
 * (net_rx_action, net_tx_action). Tests: tests/unit/core/test_softirq.c.
 *
 * Theory. An episode is a row of rounds; a round takes all pending bits and runs each one's action.
 * With the CPU model (struct cpu_model) an action charges its CPU, and the episode waits until the
 * clock has got there:
 *
 *      irq | poll 64 |...........| poll 64 |...........| poll 8 |
 *          t=0       busy        t=64us    busy        t=128us
 *
 * At each point the owner may bring other events: interrupts (delivered first), other hosts, the
 * other end of the cable. So bursts pile up in rings and queues, budgets run out and ksoftirqd
 * takes over, all in virtual time. With zero cost the CPU is never busy and an episode runs
 * through. Who owns what while it waits: pending keeps the bits, poll_list the NAPI instances,
 * rx_suspended, rx_budget and rounds the position. */
#include <assert.h>
#include <stdlib.h>
#include "core/net_int.h"

#define MAX_SOFTIRQ_RESTART 10
#define MAX_SOFTIRQ_TIME_NS (2 * NSEC_PER_MSEC)

static const char *const softirq_names[NR_SOFTIRQS] = { "HI",	   "TIMER",    "NET_TX",  "NET_RX",
							"BLOCK",   "IRQ_POLL", "TASKLET", "SCHED",
							"HRTIMER", "RCU" };
static const char *const ctx_names[] = { "irq_exit", "bh_enable", "ksoftirqd" };

const char *softirq_name(unsigned nr)
{
	return nr < NR_SOFTIRQS ? softirq_names[nr] : "?";
}

void __raise_softirq_irqoff(struct softnet_data *sd, enum softirq_nr nr)
{
	TRACE_FN(&sd->net->probe, 0);

	if (!(sd->pending & (1u << nr)))
		TRACE(&sd->net->probe, TR_SOFTIRQ, 0, "raise %s cpu=%u", softirq_names[nr],
		      sd->cpu);
	sd->pending |= 1u << nr;
	/* Inside a section or a softirq somebody looks soon; otherwise the host may be asleep. */
	if (!sd->bh_disabled && !sd->in_softirq)
		net_kick(sd->net);
}

void raise_softirq(struct net *net, enum softirq_nr nr)
{
	__raise_softirq_irqoff(this_softnet(net), nr);
}

void open_softirq(struct net *net, enum softirq_nr nr, void (*action)(struct softnet_data *sd))
{
	net->softirq_vec[nr] = action;
}

void cpu_charge(struct softnet_data *sd, uint64_t ns)
{
	if (!ns || sd->net->realtime)
		return;
	sd->busy_until_ns = max_u64(sd->busy_until_ns, sd->net->now_ns) + ns;
}

static void count_round(struct softnet_data *sd)
{
	sd->rounds++;
	if (sd->softirq_ctx == SOFTIRQ_KSOFTIRQD)
		sd->run_ksoftirqd++;
	else if (sd->softirq_ctx == SOFTIRQ_BH_ENABLE)
		sd->run_bh_enable++;
	else
		sd->run_irq_exit++;
}

static void softirq_round(struct softnet_data *sd)
{
	struct net *net = sd->net;
	uint32_t pending = sd->pending;
	bool resumed = sd->rx_suspended && pending == 1u << NET_RX_SOFTIRQ;

	sd->pending = 0;
	if (!resumed)
		count_round(sd);
	for (uint32_t left = pending; left; left &= left - 1) {
		unsigned nr = (unsigned)__builtin_ctz(left);

		if (nr != NET_RX_SOFTIRQ || !sd->rx_suspended)
			sd->softirqs[nr]++;
		TRACE(&net->probe, TR_SOFTIRQ, 0, "%s %s cpu=%u ctx=%s",
		      resumed ? "resume" : "begin", softirq_names[nr], sd->cpu,
		      ctx_names[sd->softirq_ctx]);
		if (net->softirq_vec[nr])
			net->softirq_vec[nr](sd);
		TRACE(&net->probe, TR_SOFTIRQ, 0, "end %s cpu=%u", softirq_names[nr], sd->cpu);
	}
}

/* More rounds than one context may spend: the rest is the thread's; tasks get their turn. */
static bool softirq_overflow(const struct softnet_data *sd)
{
	return sd->rounds >= MAX_SOFTIRQ_RESTART ||
	       sd->net->now_ns - sd->episode_ns >= MAX_SOFTIRQ_TIME_NS;
}

static void wakeup_softirqd(struct softnet_data *sd)
{
	sd->rounds = 0;
	sd->ksoftirqd_running = true;
	TRACE(&sd->net->probe, TR_TASK, 0, "wake ksoftirqd/%u", sd->cpu);
	net_kick(sd->net);
}

void do_softirq(struct softnet_data *sd, enum softirq_ctx ctx)
{
	struct net *net = sd->net;
	TRACE_FN(&net->probe, 0);

	assert(!sd->in_softirq);
	if (!sd->rx_suspended && !sd->rounds) {
		sd->softirq_ctx = (uint8_t)ctx;
		sd->episode_ns = net->now_ns;
	}
	sd->in_softirq = true;
	while (sd->pending && !cpu_busy(sd)) {
		if (sd->rounds && !sd->rx_suspended && softirq_overflow(sd)) {
			wakeup_softirqd(sd);
			break;
		}
		softirq_round(sd);
	}
	sd->in_softirq = false;
	if (!sd->pending)
		sd->rounds = 0;
}

void local_bh_enable(struct net *net)
{
	struct softnet_data *sd = this_softnet(net);

	assert(sd->bh_disabled);
	if (--sd->bh_disabled || likely(!sd->pending) || sd->in_softirq || sd->in_hardirq)
		return;
	if (!sd->ksoftirqd_running && !cpu_busy(sd))
		do_softirq(sd, SOFTIRQ_BH_ENABLE);
	if (sd->pending)
		net_kick(net);
}

bool softirq_run_cpu(struct softnet_data *sd)
{
	if (!sd->pending || sd->ksoftirqd_running || sd->bh_disabled || sd->in_softirq ||
	    cpu_busy(sd))
		return false;
	net_set_cpu(sd->net, sd->cpu);
	do_softirq(sd, SOFTIRQ_IRQ_EXIT);
	return true;
}

bool ksoftirqd_run_cpu(struct softnet_data *sd)
{
	if (!sd->ksoftirqd_running || sd->bh_disabled || sd->in_softirq || cpu_busy(sd))
		return false;
	net_set_cpu(sd->net, sd->cpu);
	if (sd->pending)
		do_softirq(sd, SOFTIRQ_KSOFTIRQD);
	if (!sd->pending) {
		sd->ksoftirqd_running = false;
		TRACE(&sd->net->probe, TR_TASK, 0, "sleep ksoftirqd/%u", sd->cpu);
	}
	return true;
}

static void softnet_init(struct net *net, uint32_t cpu)
{
	struct softnet_data *sd = &net->softnet[cpu];
	TRACE_FN_AS(&net->probe, "net_dev_init", 0);

	sd->net = net;
	sd->cpu = cpu;
	list_init(&sd->poll_list);
	list_init(&sd->output_queue);
	skb_queue_head_init(&sd->input_pkt_queue);
	skb_queue_head_init(&sd->process_queue);
	skb_queue_head_init(&sd->completion_queue);
}

/* After dev_init: the backlog is a NAPI instance like any other. */
int softirq_init(struct net *net)
{
	net->softnet = xcalloc(net->nr_cpus, sizeof(*net->softnet));
	for (uint32_t i = 0; i < net->nr_cpus; i++)
		softnet_init(net, i);
	open_softirq(net, NET_TX_SOFTIRQ, net_tx_action);
	open_softirq(net, NET_RX_SOFTIRQ, net_rx_action);
	return 0;
}

void softirq_exit(struct net *net)
{
	for (uint32_t i = 0; net->softnet && i < net->nr_cpus; i++) {
		struct softnet_data *sd = &net->softnet[i];

		skb_queue_purge_reason(&sd->input_pkt_queue, DROP_NET_EXIT);
		skb_queue_purge_reason(&sd->process_queue, DROP_NET_EXIT);
		skb_queue_purge_reason(&sd->completion_queue, DROP_NET_EXIT);
	}
	free(net->softnet);
	net->softnet = NULL;
}
