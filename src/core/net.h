/* struct net: one host's stack, a value. Everything a host knows hangs here; nothing is global.
 *
 * Time and chance are told: the owner sets now_ns before each entry (net_enter), asks next_deadline
 * when to come again, and gives a seed. One thread touches a struct net at a time. Stacks meet only
 * through devices.
 *
 * How an owner runs a host:
 *     net_enter(net, now);  ... system calls, irq ...;  net_run(net);  next = net_next_deadline(net)
 * net_run fires timers, delivers pending interrupts, runs softirqs and runnable tasks until nothing is
 * left to do at now_ns (or NET_RUN_MAX_ROUNDS have passed: then the deadline is a microsecond later, so that
 * even an endless conversation with itself lets time pass). Whatever makes a sleeping host need a run calls net_kick (once per sleep):
 * the owner then schedules net_run. */
#ifndef CORE_NET_H
#define CORE_NET_H

#include "base/evq.h"
#include "base/list.h"
#include "base/pool.h"
#include "base/probe.h"
#include "base/rng.h"
#include "base/timer.h"
#include "core/mib.h"

struct net;
struct sk_buff;
struct net_device;
struct softnet_data;
struct task;
struct neigh_net;
struct nf_net;
struct netns_ipv4;
struct tcp_net;
struct sock_net;
struct proc_net;
struct rtnl_net;
struct sysctl_net;
struct coro_pool;
struct skb_pool;

/* Serial numbers of packets: one source for a whole world. */
struct serial_source {
	uint64_t next;
};

/* The owner's port. */
struct net_owner {
	void *arg;
	/* The host has work or an earlier deadline than it said: call net_run soon. Never re-enters. */
	void (*kick)(void *arg, struct net *net);
	/* Text that a program printed to its standard output / error, where the task has no other place. */
	void (*write)(void *arg, struct net *net, struct task *t, int fd, const char *s, size_t len);
	/* n random bytes for secrets. NULL: derived from the seed. */
	void (*random)(void *arg, void *out, size_t len);
};

struct cpu_model {
	uint32_t irq_ns;    /* cost of an interrupt */
	uint32_t packet_ns; /* cost of a received packet */
};

#define NET_MAX_CPUS 16
#define QDISC_OPS_MAX 16

struct nfct_ops {
	void (*get)(void *nfct);
	void (*put)(void *nfct);
};

struct net {
	struct probe probe; /* first: the flag that every tracepoint reads */
	uint64_t now_ns;
	uint32_t id;
	const char *name;
	uint64_t seed;
	struct net_owner owner;
	bool kicked, running, dying;
	bool realtime; /* attached to a kernel: trains and host time */
	uint64_t pause_until_ns; /* net_run gave up at its bound: not before this */

	struct timer_wheel wheel;
	struct serial_source *serials;
	struct skb_pool *skbs; /* the owner's */
	struct coro_pool *coros; /* the owner's; NULL: no tasks that sleep */
	struct skb_mib skb_mib;
	int64_t skb_max_bytes; /* cap on skb_mib.bytes */
	/* References from packets to what skb->nfct points at; NULL: not counted. */
	const struct nfct_ops *nfct_ops;

	const struct pernet_operations **ops; /* built so far, for net_free */
	size_t n_ops;

	/* core/dev_*.c, softirq.c, qdisc_core.c */
	struct list_head dev_base;
	struct net_device **dev_by_index;
	int nr_ifindex;
	struct net_device *loopback_dev;
	struct list_head ptype_all;
	struct list_head ptype_base[16];
	struct list_head offload_base; /* struct packet_offload (core/gro.h) */
	struct list_head netdev_notifiers;
	struct softnet_data *softnet; /* [nr_cpus] */
	uint32_t nr_cpus, cpu;        /* cpu: the one that runs now */
	struct cpu_model cpu_model;
	struct irq_net *irq;
	struct dma_net *dma;
	const struct Qdisc_ops *default_qdisc;
	const struct Qdisc_ops *qdisc_ops[QDISC_OPS_MAX];
	uint32_t nr_qdisc_ops;
	struct Qdisc *noop_qdisc;   /* what every device that is down has */
	struct list_head dead_devs; /* unregistered: kept readable for late references until net_free */
	struct list_head napi_list;
	/* softirq actions by number */
	void (*softirq_vec[10])(struct softnet_data *sd);
	struct {
		int32_t max_backlog, budget, budget_usecs, dev_weight; /* net.core.netdev_max_backlog... */
		/* How long (ns) what GRO holds may wait for more after a poll, and how many polls without work the
		 * interrupt stays off for. Linux has them per device, in /sys. */
		int32_t gro_flush_timeout, napi_defer_hard_irqs;
	} netdev_sysctl;

	/* core/task.c */
	struct task *current; /* NULL: no task (softirq from the owner) */
	struct list_head tasks;
	struct list_head runqueue;
	uint32_t next_pid;
	/* A task ended (still current, if it ran as a coroutine) or is freed with files: socket/ closes its
	 * descriptors. NULL: no room has files. */
	void (*task_close_files)(struct task *t);

	/* rooms' own state */
	struct neigh_net *neigh;
	struct nf_net *nf;
	struct sock_net *socks;
	struct proc_net *proc;
	struct rtnl_net *rtnl;
	struct sysctl_net *sysctl;
	struct netns_ipv4 *ipv4;
	struct tcp_net *tcp;
	struct ipstats_mib mib;

	struct rng rng_misc;
	uint8_t secret[16]; /* SipHash key for ISN, ports, IP ids */
	uint64_t hash_key;
};

struct pernet_operations {
	const char *name;
	/* 0 or -errno; on error what was built is undone by the caller's exit calls. */
	int (*init)(struct net *net);
	void (*exit)(struct net *net);
};

struct net_params {
	const char *name;
	uint32_t id;
	uint64_t seed, now_ns;
	uint32_t nr_cpus; /* 0: 1 */
	struct cpu_model cpu_model;
	struct net_owner owner;
	struct serial_source *serials;
	struct skb_pool *skbs;
	struct coro_pool *coros;
	struct trace_sink *sink; /* hung on the probe before anything is built (boot); may be NULL */
};

/* Bare net with core's state (core_net_ops comes first, whether ops[] names it or not); rooms are added by the
 * assembly (culver/host.c) through ops[]. NULL: an init failed, everything is undone. */
struct net *net_new(const struct net_params *p, const struct pernet_operations *const *ops, size_t n_ops);
/* Kills tasks (their descriptors close), unregisters the devices while all rooms still live, frees queues
 * (DROP_NET_EXIT), runs exit() in reverse order. */
void net_free(struct net *net);

static inline void net_enter(struct net *net, uint64_t now_ns)
{
	if (now_ns > net->now_ns)
		net->now_ns = now_ns;
}
void net_run(struct net *net);
/* When net_run wants to be called next if nothing happens: TIME_NEVER for an idle host. */
uint64_t net_next_deadline(struct net *net);
void net_kick(struct net *net);

static inline uint64_t net_next_serial(struct net *net) { return ++net->serials->next; }
/* One probe for code that holds a net. */
static inline struct probe *net_probe(struct net *net) { return &net->probe; }

/* core's own table for net_new. */
extern const struct pernet_operations core_net_ops;
/* /proc/net/{dev,softnet_stat,...}, /proc/{interrupts,softirqs}, sysctls net.core.*: after proc_net_ops. */
extern const struct pernet_operations core_proc_net_ops;

/* max_bytes 0: SKB_POOL_DEFAULT_BYTES. A cap; memory is taken when packets need it, and tcp_mem of a host follows from it. */
#define SKB_POOL_DEFAULT_BYTES (4ULL << 30)
struct skb_pool *skb_pool_new(uint64_t max_bytes);
uint64_t skb_pool_max(const struct skb_pool *p);
/* Bytes handed out now. */
uint64_t skb_pool_bytes(const struct skb_pool *p);
void skb_pool_free(struct skb_pool *p);

#endif
