/* Between core's own files (net.c, task.c, softirq.c, irq.c, dma.c, dev_*.c); other rooms do not
 * include it. */
#ifndef CORE_NET_INT_H
#define CORE_NET_INT_H

#include "core/netdevice.h"

static inline void net_set_cpu(struct net *net, uint32_t cpu)
{
	net->cpu = cpu;
	net->probe.cpu = (uint8_t)cpu;
}

/* ---- softirq.c ---- */
int softirq_init(struct net *net);
void softirq_exit(struct net *net);
/* Mark nr pending on sd's CPU. */
void __raise_softirq_irqoff(struct softnet_data *sd, enum softirq_nr nr);
/* Run what is pending on this CPU, as far as rounds, time and the CPU model allow. */
void do_softirq(struct softnet_data *sd, enum softirq_ctx ctx);
/* net_run's: the CPU's softirqs outside of ksoftirqd, and ksoftirqd's turn. True: something ran. */
bool softirq_run_cpu(struct softnet_data *sd);
bool ksoftirqd_run_cpu(struct softnet_data *sd);
void net_tx_action(struct softnet_data *sd);
void net_rx_action(struct softnet_data *sd);
/* n is not on the list yet; who calls has set n->scheduled. */
void ____napi_schedule(struct softnet_data *sd, struct napi_struct *n);
/* Occupy the CPU (struct cpu_model). */
void cpu_charge(struct softnet_data *sd, uint64_t ns);

/* ---- irq.c ---- */
int irq_init(struct net *net);
void irq_exit_net(struct net *net);
/* Deliver this CPU's pending interrupts while it is free. True: one ran. */
bool irq_run_cpu(struct net *net, uint32_t cpu);
bool irq_pending_cpu(const struct net *net, uint32_t cpu);
struct strbuf;
void irq_show(struct net *net, struct strbuf *out);

/* ---- dma.c ---- */
int dma_init(struct net *net);
void dma_exit(struct net *net);

/* ---- dev_*.c, qdisc_core.c ---- */
int dev_init(struct net *net);
void dev_exit(struct net *net);
int qdisc_init(struct net *net);
void qdisc_exit(struct net *net);
int process_backlog(struct napi_struct *napi, int quota);
/* Give the device its qdiscs and start its queues / take noop, drop what is queued. */
void dev_activate(struct net_device *dev);
void dev_deactivate(struct net_device *dev);
void dev_free_qdiscs(struct net_device *dev);
/* Before a device goes: its packets out of every backlog. */
void flush_backlogs(struct net_device *dev);
/* Into q (one of txq's), then out as far as the driver takes it. */
int __dev_xmit_skb(struct sk_buff *skb, struct Qdisc *q, struct net_device *dev,
		   struct netdev_queue *txq);

#endif
