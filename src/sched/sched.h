/* Queue disciplines: in what order, and whether, a device's packets wait. */
#ifndef SCHED_SCHED_H
#define SCHED_SCHED_H

#include "core/netdevice.h"

/* fq [limit PACKETS] [flow_limit PACKETS] [quantum BYTES] [initial_quantum BYTES]: a queue for each socket, and no packet before its time. */
extern const struct Qdisc_ops fq_qdisc_ops;
/* pfifo [limit PACKETS], bfifo [limit BYTES]: one queue. pfifo_fast: three bands by skb->priority;
 * limit is the device's tx_queue_len for each band. Any of them takes the word "bypass": a packet
 * that finds the queue empty goes straight to the driver (TCQ_F_CAN_BYPASS). */
extern const struct Qdisc_ops pfifo_qdisc_ops, bfifo_qdisc_ops, pfifo_fast_qdisc_ops;
/* Registers them; pfifo_fast becomes net->default_qdisc. */
extern const struct pernet_operations sched_net_ops;

#endif
