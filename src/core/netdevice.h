/* Devices, their queues, NAPI, softirqs, interrupts and DMA: the ground between protocols and
 * hardware. A driver fills a net_device; up go frames by netif_receive_skb (NAPI) or netif_rx (backlog). */
#ifndef CORE_NETDEVICE_H
#define CORE_NETDEVICE_H

#include "core/net.h"
#include "core/skbuff.h"
#include "wire/ethernet.h"

/* Linux's IFF_ values, under our prefix to stay clear of <net/if.h>. */
#define DEVF_UP 0x1
#define DEVF_BROADCAST 0x2
#define DEVF_LOOPBACK 0x8
#define DEVF_POINTOPOINT 0x10
#define DEVF_RUNNING 0x40
#define DEVF_NOARP 0x80
#define DEVF_PROMISC 0x100
#define DEVF_ALLMULTI 0x200
#define DEVF_MULTICAST 0x1000
#define DEVF_LOWER_UP 0x10000

#define NETIF_F_HW_CSUM 1u
#define NETIF_F_RXCSUM 2u
#define NETIF_F_TSO 4u
#define NETIF_F_USO 8u
#define NETIF_F_GRO 16u /* a NAPI driver's packets may be merged before they go up */
#define NETIF_F_FRAGLIST 32u /* takes packets with a frag_list; others get them linear */

typedef enum { NETDEV_TX_OK = 0, NETDEV_TX_BUSY = 16 } netdev_tx_t;
enum { NET_RX_SUCCESS = 0, NET_RX_DROP = 1 };
enum { NET_XMIT_SUCCESS = 0, NET_XMIT_DROP = 1, NET_XMIT_CN = 2 };
enum softirq_nr { TIMER_SOFTIRQ = 1, NET_TX_SOFTIRQ = 2, NET_RX_SOFTIRQ = 3, TASKLET_SOFTIRQ = 6, NR_SOFTIRQS = 10 };

struct Qdisc;
struct neighbour;
struct in_device; /* ipv4's */

struct rtnl_link_stats64_ { /* what ifconfig and ip -s print */
	uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes, rx_errors, tx_errors, rx_dropped, tx_dropped,
		multicast, collisions, rx_length_errors, rx_over_errors, rx_crc_errors, rx_frame_errors,
		rx_fifo_errors, rx_missed_errors, tx_aborted_errors, tx_carrier_errors, tx_fifo_errors,
		tx_heartbeat_errors, tx_window_errors, rx_nohandler, rx_otherhost_dropped;
};

struct net_device_ops {
	int (*ndo_init)(struct net_device *dev);
	void (*ndo_uninit)(struct net_device *dev);
	int (*ndo_open)(struct net_device *dev);
	int (*ndo_stop)(struct net_device *dev);
	netdev_tx_t (*ndo_start_xmit)(struct sk_buff *skb, struct net_device *dev);
	void (*ndo_set_rx_mode)(struct net_device *dev); /* promisc, multicast list */
	int (*ndo_set_mac_address)(struct net_device *dev, const uint8_t *mac);
	int (*ndo_change_mtu)(struct net_device *dev, uint32_t mtu);
	void (*ndo_get_stats64)(struct net_device *dev, struct rtnl_link_stats64_ *s);
	/* ethtool -S: call emit once per counter. ethtool -g likewise. */
	void (*ndo_ethtool_stats)(struct net_device *dev, void (*emit)(void *arg, const char *name, uint64_t v), void *arg);
	void (*ndo_ethtool_rings)(struct net_device *dev, void (*emit)(void *arg, const char *name, uint64_t v), void *arg);
};

struct header_ops {
	/* Prepend the link header. daddr/saddr NULL: leave zero / the device's own. Returns header
	 * length, or -len when the destination is not known yet. */
	int (*create)(struct sk_buff *skb, struct net_device *dev, uint16_t type, const uint8_t *daddr, const uint8_t *saddr);
};

struct netdev_queue {
	struct net_device *dev;
	struct Qdisc *qdisc;         /* in use; noop while the device is down */
	struct Qdisc *qdisc_sleeping; /* what an UP device uses */
	bool stopped;                /* driver: ring full */
};

struct net_device {
	char name[16];
	struct net *net;
	int ifindex;
	/* flags: DEVF_RUNNING and DEVF_LOWER_UP follow UP and carrier. gflags: what dev_set_flags asked for */
	uint32_t flags, gflags, mtu, min_mtu, max_mtu;
	uint32_t features, hw_features; /* NETIF_F_*: in use; may be switched (ethtool -K) */
	uint32_t tx_queue_len; /* 0, or no_queue: noqueue instead of the default discipline */
	uint16_t type;            /* ARPHRD_: 1 Ethernet, 772 loopback */
	uint8_t addr_len;
	uint16_t hard_header_len;
	uint8_t dev_addr[ETH_ALEN], perm_addr[ETH_ALEN], broadcast[ETH_ALEN];
	const struct net_device_ops *netdev_ops;
	const struct header_ops *header_ops;
	struct netdev_queue *tx;
	uint32_t num_tx_queues;
	bool carrier, ever_up, registered, no_queue;
	uint32_t promiscuity, allmulti;
	struct list_head mc_list; /* struct netdev_hw_addr */
	struct list_head node;    /* net->dev_base */
	struct list_head ptype_all; /* taps on this device only */
	struct in_device *ip_ptr;
	/* Core counts its own drops here (rx_dropped, tx_dropped, rx_otherhost_dropped...); drivers may count
	 * here too. ndo_get_stats64 gets a copy of this and overwrites what it counts elsewhere. */
	struct rtnl_link_stats64_ stats;
	void *priv;               /* the driver's: freed by its ndo_uninit */
	bool (*rx_handler)(struct sk_buff **skb);
};

struct netdev_hw_addr {
	struct list_head list;
	uint8_t addr[ETH_ALEN];
	uint32_t refs;
};

/* ---- registration ---- */
struct net_device *alloc_netdev(struct net *net, const char *name, uint32_t txqs);
void ether_setup(struct net_device *dev);
/* Only for a device that register_netdev has not taken. */
void free_netdev(struct net_device *dev);
/* "eth%d" picks the first free number. 0, -EEXIST, -EINVAL (name), or ndo_init's error. */
int register_netdev(struct net_device *dev);
/* Takes it down, tells the notifiers, flushes its packets from the backlogs, calls ndo_uninit. The struct itself
 * stays readable (down, noop queue) until net_free, for routes and neighbours that are let go later. */
void unregister_netdev(struct net_device *dev);
/* All of a net's; net_free calls it. */
void unregister_all_netdevs(struct net *net);
struct net_device *dev_get_by_name(struct net *net, const char *name);
struct net_device *dev_get_by_index(struct net *net, int ifindex);
/* 0 or -errno */
int dev_open(struct net_device *dev);
int dev_close(struct net_device *dev);
int dev_set_mtu(struct net_device *dev, uint32_t mtu);
int dev_set_mac_address(struct net_device *dev, const uint8_t *mac);
/* ethtool -K: the features in mask as in want. What cannot be switched stays, and trains need their checksums made by
 * the device. */
void dev_set_features(struct net_device *dev, uint32_t mask, uint32_t want);
int dev_set_flags(struct net_device *dev, uint32_t set, uint32_t clear);
void dev_set_promiscuity(struct net_device *dev, int inc);
int dev_mc_add(struct net_device *dev, const uint8_t *addr);
int dev_mc_del(struct net_device *dev, const uint8_t *addr);
void netif_carrier_on(struct net_device *dev);
void netif_carrier_off(struct net_device *dev);
void dev_get_stats(struct net_device *dev, struct rtnl_link_stats64_ *s);

enum netdev_event { NETDEV_REGISTER_, NETDEV_UNREGISTER_, NETDEV_UP_, NETDEV_GOING_DOWN_, NETDEV_DOWN_, NETDEV_CHANGE_, NETDEV_CHANGEMTU_, NETDEV_CHANGEADDR_ };
struct netdev_notifier {
	struct list_head list;
	void (*fn)(struct netdev_notifier *n, struct net_device *dev, enum netdev_event ev);
};
/* Devices that exist are announced at once (REGISTER, and UP where it is so). */
void register_netdev_notifier(struct net *net, struct netdev_notifier *n);
void unregister_netdev_notifier(struct netdev_notifier *n);

/* ---- receive ---- */
struct packet_type {
	uint16_t type; /* EtherType, or ETH_P_ALL for taps */
	struct net_device *dev; /* NULL: all */
	int (*func)(struct sk_buff *skb, struct net_device *dev, struct packet_type *pt, struct net_device *orig_dev);
	void *arg;
	bool ignore_outgoing;
	struct list_head list;
};
void dev_add_pack(struct net *net, struct packet_type *pt);
void dev_remove_pack(struct net *net, struct packet_type *pt);
/* Handlers own the skb they get, unshared (each but the last gets a clone). Set protocol, pkt_type, mac_header;
 * pull the link header. A frame shorter than one keeps SKB_NO_MAC_HEADER: the receive path drops it. */
uint16_t eth_type_trans(struct sk_buff *skb, struct net_device *dev);
int eth_header(struct sk_buff *skb, struct net_device *dev, uint16_t type, const uint8_t *daddr, const uint8_t *saddr);
/* From a NAPI poll: up the stack now. */
int netif_receive_skb(struct sk_buff *skb);
/* From a driver without NAPI: this CPU's backlog of skb->net's host. NET_RX_SUCCESS, or NET_RX_DROP (freed).
 * Never processes the packet itself: that is the softirq's. */
int netif_rx(struct sk_buff *skb);

/* ---- transmit ---- */
/* Through the device's queue discipline. 0, NET_XMIT_*, or -errno; the skb is gone. */
int dev_queue_xmit(struct sk_buff *skb);
/* Hand a list of packets to the driver (and the taps). Returns NETDEV_TX_*. *left: what it did not take. A driver
 * that sees dev_xmit_more may wait with its doorbell, but must ring it when it stops the queue. */
netdev_tx_t dev_hard_start_xmit(struct sk_buff *skb, struct net_device *dev, struct netdev_queue *txq, struct sk_buff **left);
/* Make packets fit for the device: trains split, frag_lists gathered, checksums finished unless it can do so.
 * Takes and returns a list; NULL: nothing is left (freed with its reason). */
struct sk_buff *validate_xmit_skb(struct sk_buff *skb, struct net_device *dev);
void netif_tx_stop_queue(struct netdev_queue *q);
void netif_tx_wake_queue(struct netdev_queue *q);
static inline bool netif_tx_queue_stopped(const struct netdev_queue *q) { return q->stopped; }

/* ---- queue disciplines (sched/ fills these) ---- */
struct Qdisc_ops {
	const char *id;
	size_t priv_size;
	/* NULL enqueue: no queue at all (noqueue). Returns NET_XMIT_*; owns the skb. */
	int (*enqueue)(struct sk_buff *skb, struct Qdisc *q);
	struct sk_buff *(*dequeue)(struct Qdisc *q);
	struct sk_buff *(*peek)(struct Qdisc *q);
	int (*init)(struct Qdisc *q, const char *const *args, size_t nargs);
	void (*reset)(struct Qdisc *q);
	void (*destroy)(struct Qdisc *q);
	void (*dump)(struct Qdisc *q, void *strbuf);
};
struct Qdisc {
	int (*enqueue)(struct sk_buff *skb, struct Qdisc *q);
	struct sk_buff *(*dequeue)(struct Qdisc *q);
	const struct Qdisc_ops *ops;
	struct netdev_queue *txq;
	struct net *net;
	struct sk_buff_head q;
	struct sk_buff *gso_skb; /* requeued: the driver was busy */
	uint32_t handle, limit, quota;
	bool running, scheduled, can_bypass;
	struct list_head sched_node; /* softnet output_queue */
	struct { uint64_t packets, bytes, drops, overlimits, requeues; uint32_t qlen, backlog; } st;
	uint64_t priv[]; /* ops->priv_size */
};
struct Qdisc *qdisc_create(struct netdev_queue *txq, const struct Qdisc_ops *ops, const char *const *args, size_t nargs, int *err);
void qdisc_destroy(struct Qdisc *q);
/* Replace at run time (tc qdisc replace). */
int dev_graft_qdisc(struct net_device *dev, const struct Qdisc_ops *ops, const char *const *args, size_t nargs);
void __qdisc_run(struct Qdisc *q);
void __netif_schedule(struct Qdisc *q);
/* sched/: by name ("noqueue", "noop", "pfifo", "pfifo_fast", ...). */
void register_qdisc_ops(struct net *net, const struct Qdisc_ops *const *ops, size_t n);
const struct Qdisc_ops *qdisc_ops_lookup(struct net *net, const char *id);
extern const struct Qdisc_ops noop_qdisc_ops;    /* core: a device that is down */
extern const struct Qdisc_ops noqueue_qdisc_ops; /* core: enqueue == NULL */

/* /proc/net/qdisc and /proc/net/ethtool (after proc_net_ops). */
extern const struct pernet_operations dev_ctl_net_ops;

/* ---- NAPI and softirq ---- */
struct napi_struct {
	struct list_head poll_list;
	struct list_head node; /* net->napi_list */
	bool scheduled; /* NAPI_STATE_SCHED */
	int weight;
	int (*poll)(struct napi_struct *n, int budget); /* returns work done; < budget: must have completed */
	struct net_device *dev;
	struct net *net;
	uint32_t cpu;
	char name[24];
	uint64_t polls, work;
	struct sk_buff_head gro;  /* held packets, newest first (core/gro.h) */
	struct timer_list timer;  /* gro_flush_timeout, napi_defer_hard_irqs */
	uint32_t defer_hard_irqs; /* polls without work that go on by the timer */
	uint64_t gro_merged, gro_trains; /* packets merged into others; packets made of several */
};
struct softnet_data {
	struct net *net;
	uint32_t cpu;
	struct list_head poll_list;           /* napi_structs (not softnet_data: S2-67) */
	struct sk_buff_head input_pkt_queue, process_queue;
	struct napi_struct backlog;
	struct list_head output_queue;        /* Qdiscs to run in NET_TX */
	struct sk_buff_head completion_queue; /* freed in NET_TX */
	uint64_t processed, dropped, time_squeeze, received_rps, flow_limit_count;
	uint32_t pending;                     /* softirq bits */
	bool in_softirq, in_hardirq;
	uint32_t bh_disabled;
	uint64_t busy_until_ns;               /* the CPU model's clock */
	uint64_t softirqs[NR_SOFTIRQS], run_irq_exit, run_bh_enable, run_ksoftirqd;
	bool ksoftirqd_running;
	uint32_t xmit_recursion;
	/* The softirq episode that runs, or waits for the CPU model's clock */
	uint8_t softirq_ctx;                  /* enum softirq_ctx */
	bool rx_suspended;                    /* net_rx_action stopped after a poll */
	int32_t rx_budget;
	uint64_t rx_started_ns, episode_ns;
	uint32_t rounds;
};
enum softirq_ctx { SOFTIRQ_IRQ_EXIT, SOFTIRQ_BH_ENABLE, SOFTIRQ_KSOFTIRQD };
static inline struct softnet_data *this_softnet(struct net *net) { return &net->softnet[net->cpu]; }
/* name: "rx0", shown as "eth0-rx0"; poll and dev as in the struct. dev NULL: n->net is set already. */
void netif_napi_add(struct net_device *dev, struct napi_struct *n, const char *name, int (*poll)(struct napi_struct *, int), int weight, uint32_t cpu);
void netif_napi_del(struct napi_struct *n);
/* Returns false when it was scheduled already. */
bool napi_schedule(struct napi_struct *n);
/* Poll is done: what GRO holds goes up, and the instance off the list. The driver unmasks its interrupt after this, if
 * it is still up; false: not yet, a timer polls again. */
bool napi_complete_done(struct napi_struct *n, int work);
/* On this CPU; wakes a host that is not running. */
void raise_softirq(struct net *net, enum softirq_nr nr);
void open_softirq(struct net *net, enum softirq_nr nr, void (*action)(struct softnet_data *sd));
/* Sections nest. A socket call holds one while it works on a socket that softirqs touch too (it is lock_sock):
 * without it, the first packet that it sends may bring an answer back up before dev_queue_xmit returns. A task
 * that sleeps gives its sections up for as long as it sleeps. */
static inline void local_bh_disable(struct net *net) { this_softnet(net)->bh_disabled++; }
/* Leaving the outermost section runs pending softirqs. */
void local_bh_enable(struct net *net);
const char *softirq_name(unsigned nr);
/* Is the CPU occupied (struct cpu_model), so that what waits must wait on? */
static inline bool cpu_busy(const struct softnet_data *sd)
{
	return sd->busy_until_ns > sd->net->now_ns && !sd->net->realtime;
}

/* ---- interrupts ---- */
typedef void (*irq_handler_t)(struct net *net, unsigned vector, void *arg);
/* Claim a vector. Returns its number or -ENOSPC. name and handler_name are shown in /proc/interrupts. */
int request_irq(struct net *net, uint32_t cpu, irq_handler_t fn, const char *handler_name, const char *name, void *arg);
void free_irq(struct net *net, unsigned vector);
/* Hardware's line to the CPU: marks it pending; delivered when the CPU is free. Never calls up. */
void net_raise_irq(struct net *net, unsigned vector);
/* Vectors are numbered from here. */
#define IRQ_FIRST_VECTOR 24
#define IRQ_MAX_VECTORS 256

/* ---- DMA ---- */
typedef uint64_t dma_addr_t;
#define DMA_BAD 0
enum dma_dir { DMA_TO_DEVICE, DMA_FROM_DEVICE };
/* Longest mapping, and most mappings of a host. */
#define DMA_MAX_LEN (1u << 20)
#define DMA_MAX_MAPPINGS (1u << 22)
/* An address is | generation 20 | slot 24 | offset 20 |: a use after unmap faults, even when the slot
 * has a new tenant. DMA_BAD: the table is full.
 * Map memory for a device; tag travels with the mapping (the packet's serial). */
dma_addr_t dma_map_single(struct net *net, void *ptr, uint32_t len, enum dma_dir dir, uint64_t tag);
/* A receive buffer of len bytes whose memory is drawn from the pool only when the device writes. */
dma_addr_t dma_map_lazy(struct net *net, uint32_t len);
/* End a mapping. *ptr: the memory (NULL if a lazy one was never written), *tag what the device set; both may be
 * NULL pointers, but a lazy mapping's memory is the caller's from here on (build_skb or skb_data_put with the
 * len it was mapped with). */
void dma_unmap(struct net *net, dma_addr_t addr, void **ptr, uint64_t *tag);
/* The device's side: address to memory for len bytes at addr (offsets inside a mapping are fine).
 * NULL: fault (not mapped, wrong direction, or out of range). */
void *dma_device_access(struct net *net, dma_addr_t addr, uint32_t len, enum dma_dir dir);
uint64_t dma_device_tag(struct net *net, dma_addr_t addr);
void dma_device_set_tag(struct net *net, dma_addr_t addr, uint64_t tag);
/* Permanent area (descriptor rings). */
dma_addr_t dma_alloc_coherent(struct net *net, uint32_t len, void **cpu);
void dma_free_coherent(struct net *net, dma_addr_t addr);
/* Live mappings (streaming ones). */
uint32_t dma_nr_mapped(struct net *net);

#endif
