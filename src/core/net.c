/* struct net: a host's stack is built, run and taken down here.
 *
 * Decides the order of work in one instant: timers, then for each CPU interrupts and softirqs, then
 * one task, then ksoftirqd; round after round until nothing is left. Called by the owner (lab/, the
 * embedded library, tests); hands on to the wheel, irq.c, softirq.c and task.c. Tests:
 * tests/unit/core/test_net.c. */
#include <errno.h>
#include <stdlib.h>
#include "core/net_int.h"
#include "core/task.h"

/* A host that finds more to do than this at one instant talks to itself: let a little time pass. */
#define NET_RUN_MAX_ROUNDS 1000000u
#define NET_RUN_PAUSE_NS NSEC_PER_USEC

static void net_init_chance(struct net *net)
{
	struct rng r;

	rng_derive(&net->rng_misc, net->seed, net->name, "misc");
	rng_derive(&r, net->seed, net->name, "secret");
	if (net->owner.random)
		net->owner.random(net->owner.arg, net->secret, sizeof(net->secret));
	else
		rng_bytes(&r, net->secret, sizeof(net->secret));
	net->hash_key = rng_u64(&r);
}

static int core_net_init(struct net *net)
{
	int err;

	list_init(&net->tasks);
	list_init(&net->runqueue);
	net->next_pid = 1;
	net->netdev_sysctl.max_backlog = 1000;
	net->netdev_sysctl.budget = 300;
	net->netdev_sysctl.budget_usecs = 8000;
	net->netdev_sysctl.dev_weight = 64;
	err = softirq_init(net);
	if (!err)
		err = qdisc_init(net);
	if (!err)
		err = dev_init(net);
	if (!err)
		err = irq_init(net);
	if (!err)
		err = dma_init(net);
	return err;
}

static void core_net_exit(struct net *net)
{
	if (net->softnet)
		dev_exit(net);
	softirq_exit(net);
	qdisc_exit(net);
	irq_exit_net(net);
	if (net->dma)
		dma_exit(net);
}

const struct pernet_operations core_net_ops = { "core", core_net_init, core_net_exit };

static int net_build(struct net *net, const struct pernet_operations *ops)
{
	int err;

	net->ops[net->n_ops++] = ops;
	err = ops->init ? ops->init(net) : 0;
	return err;
}

struct net *net_new(const struct net_params *p, const struct pernet_operations *const *ops,
		    size_t n_ops)
{
	struct net *net = xcalloc(1, sizeof(*net));
	int err;

	net->now_ns = p->now_ns;
	net->id = p->id;
	net->name = xstrdup(p->name);
	net->seed = p->seed;
	net->owner = p->owner;
	net->serials = p->serials;
	net->skbs = p->skbs;
	net->coros = p->coros;
	net->skb_max_bytes = INT64_MAX;
	net->nr_cpus = p->nr_cpus ? min_u32(p->nr_cpus, NET_MAX_CPUS) : 1;
	net->cpu_model = p->cpu_model;
	probe_init(&net->probe, net->name, net->id, &net->now_ns);
	if (p->sink)
		probe_attach(&net->probe, p->sink);
	wheel_init(&net->wheel, net->now_ns);
	net_init_chance(net);
	net->ops = xcalloc(n_ops + 1, sizeof(*net->ops));
	err = net_build(net, &core_net_ops);
	for (size_t i = 0; i < n_ops && !err; i++)
		if (ops[i] != &core_net_ops)
			err = net_build(net, ops[i]);
	if (err) {
		net_free(net);
		return NULL;
	}
	return net;
}

void net_free(struct net *net)
{
	if (!net)
		return;
	net->dying = true;
	if (net->softnet && net->dma) {
		task_free_all(net);
		unregister_all_netdevs(net);
	}
	while (net->n_ops) {
		const struct pernet_operations *ops = net->ops[--net->n_ops];

		if (ops->exit)
			ops->exit(net);
	}
	free(net->ops);
	free((void *)(uintptr_t)net->name);
	free(net);
}

/* Timers run as softirqs do: a packet that one sends does not come back up inside it. */
static bool net_run_timers(struct net *net)
{
	struct softnet_data *sd = &net->softnet[0];

	if (wheel_next(&net->wheel) > net->now_ns)
		return false;
	net_set_cpu(net, 0);
	sd->softirqs[TIMER_SOFTIRQ]++;
	sd->in_softirq = true;
	wheel_run(&net->wheel, net->now_ns);
	sd->in_softirq = false;
	return true;
}

static bool net_run_round(struct net *net)
{
	bool ran = net_run_timers(net);

	for (uint32_t c = 0; c < net->nr_cpus; c++) {
		ran |= irq_run_cpu(net, c);
		if (net->softnet[c].pending)
			ran |= softirq_run_cpu(&net->softnet[c]);
	}
	if (!list_empty(&net->runqueue))
		ran |= task_run_one(net);
	for (uint32_t c = 0; c < net->nr_cpus; c++)
		if (net->softnet[c].ksoftirqd_running)
			ran |= ksoftirqd_run_cpu(&net->softnet[c]);
	return ran;
}

void net_run(struct net *net)
{
	if (net->running || net->dying)
		return;
	net->running = true;
	net->kicked = false;
	net->pause_until_ns = 0;
	for (uint32_t i = 0; net_run_round(net); i++) {
		if (i == NET_RUN_MAX_ROUNDS) {
			net->pause_until_ns = net->now_ns + NET_RUN_PAUSE_NS;
			break;
		}
	}
	net_set_cpu(net, 0);
	net->running = false;
}

uint64_t net_next_deadline(struct net *net)
{
	uint64_t next = min_u64(wheel_next(&net->wheel), task_next_run(net));

	for (uint32_t c = 0; c < net->nr_cpus; c++) {
		const struct softnet_data *sd = &net->softnet[c];

		if (sd->pending || sd->ksoftirqd_running || irq_pending_cpu(net, c))
			next = min_u64(next, cpu_busy(sd) ? sd->busy_until_ns : net->now_ns);
	}
	if (next == TIME_NEVER)
		return next;
	return max_u64(max_u64(next, net->now_ns), net->pause_until_ns);
}

void net_kick(struct net *net)
{
	if (net->running || net->kicked || net->dying)
		return;
	net->kicked = true;
	if (net->owner.kick)
		net->owner.kick(net->owner.arg, net);
}
