/* The neighbour table: next hop (device, address) to link address, with Linux's NUD states.
 *
 *   NONE -> INCOMPLETE -(reply)-> REACHABLE -(reachable_time)-> STALE -(use)-> DELAY -(5 s)-> PROBE
 *              |  3 broadcasts, 1 s apart                          ^                             |
 *              +-> FAILED <----------------- 3 unicast probes -----+-----------------------------+
 *   NOARP and PERMANENT never age. VALID = all but NONE, INCOMPLETE, FAILED.
 *
 * While INCOMPLETE, packets wait in arp_queue (bounded in bytes, oldest dropped first).
 * The protocol (ARP) is a neigh_table: constructor, solicit, key. Hash starts at 16 and doubles;
 * entries bounded by gc_thresh3. */
#ifndef CORE_NEIGHBOUR_H
#define CORE_NEIGHBOUR_H

#include "core/netdevice.h"

#define NUD_INCOMPLETE 0x01
#define NUD_REACHABLE 0x02
#define NUD_STALE 0x04
#define NUD_DELAY 0x08
#define NUD_PROBE 0x10
#define NUD_FAILED 0x20
#define NUD_NOARP 0x40
#define NUD_PERMANENT 0x80
#define NUD_NONE 0x00
#define NUD_IN_TIMER (NUD_INCOMPLETE | NUD_REACHABLE | NUD_DELAY | NUD_PROBE)
#define NUD_VALID (NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY)
#define NUD_CONNECTED (NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE)

struct neigh_table;
struct neighbour {
	struct hlist_node hash;
	struct neigh_table *tbl;
	struct net_device *dev;
	uint32_t primary_key; /* IPv4, host order */
	uint8_t nud_state, type /* RTN_ */, dead;
	uint8_t ha[ETH_ALEN];
	bool used;      /* a packet was sent through it */
	bool confirmed; /* it was reachable once: not merely heard of */
	uint8_t hh_len; /* of hh: 0 until the first packet */
	uint8_t hh[ETH_HLEN]; /* link header of IPv4 packets to it, ready to be put in front */
	int32_t refcnt; /* 1: only the table's */
	uint64_t used_ns, confirmed_ns, updated_ns;
	uint32_t probes;
	struct timer_list timer;
	struct sk_buff_head arp_queue;
	uint32_t arp_queue_len_bytes;
	int (*output)(struct neighbour *n, struct sk_buff *skb);
	const struct neigh_ops *ops;
	struct list_head gc;  /* tbl->gc_list: longest unchanged first */
	struct list_head all; /* tbl->all: in order of creation */
};
struct neigh_ops {
	void (*solicit)(struct neighbour *n, struct sk_buff *skb);
	/* The packet waited in vain: tell its sender (ICMP host unreachable), drop it. */
	void (*error_report)(struct neighbour *n, struct sk_buff *skb);
	int (*output)(struct neighbour *n, struct sk_buff *skb);           /* resolve first */
	int (*connected_output)(struct neighbour *n, struct sk_buff *skb); /* header and go */
};
struct neigh_parms { /* sysctls net.ipv4.neigh.default.* */
	uint64_t base_reachable_time_ns, reachable_time_ns, retrans_time_ns, delay_probe_time_ns, gc_staletime_ns, locktime_ns;
	uint32_t ucast_probes, mcast_probes, app_probes, queue_len_bytes;
};
struct neigh_table {
	struct net *net;
	const char *id; /* "arp_cache" */
	/* Decide state, ha, ops, output of a new entry. 0 or -errno. */
	int (*constructor)(struct neighbour *n);
	uint32_t (*hash_key)(uint32_t key, const struct net_device *dev);
	struct neigh_parms parms;
	uint32_t gc_thresh1, gc_thresh2, gc_thresh3, entries;
	uint32_t hash_shift;
	struct hlist_head *buckets;
	struct list_head gc_list, all;
	struct timer_list gc_timer; /* runs only while there are gc_thresh1 entries or more */
	uint64_t last_flush_ns;     /* of the last forced collection */
	uint64_t last_rand_ns;      /* when reachable_time_ns was drawn */
	uint64_t queued_bytes;      /* in all arp_queues together */
	struct pool pool;
	struct {
		uint64_t allocs, destroys, hash_grows, lookups, hits, res_failed, unres_discards, table_fulls,
			periodic_gc_runs, forced_gc_runs;
	} stats;
	struct list_head proxies;
};
/* Bound of all arp_queues of a table together, whatever the number of entries (ARP-07). */
#define NEIGH_QUEUE_TOTAL_MAX (16u << 20)
struct neigh_net { /* tables of a host */
	struct neigh_table *arp;
	struct rng rng;
	struct netdev_notifier notifier;
};

/* id, constructor, hash_key (NULL: ours) are the caller's, also parms and thresholds that are not 0; the rest
 * gets Linux's defaults. The first table of a host becomes net->neigh->arp and gets the sysctls
 * net.ipv4.neigh.default.* and /proc/net/stat/arp_cache. Entries of a device that goes down, away, changes
 * its address or loses its carrier are flushed without the protocol's doing. */
void neigh_table_init(struct net *net, struct neigh_table *tbl);
void neigh_table_clear(struct neigh_table *tbl);
/* No reference is taken: valid until the next sleep. NULL: miss. */
struct neighbour *neigh_lookup_noref(struct neigh_table *tbl, uint32_t key, struct net_device *dev);
/* Create through the constructor. NULL: table full (drop NEIGH_CREATEFAIL). want_ref: caller releases. */
struct neighbour *__neigh_create(struct neigh_table *tbl, uint32_t key, struct net_device *dev, bool want_ref);
static inline struct neighbour *neigh_hold(struct neighbour *n)
{
	n->refcnt++;
	return n;
}
void neigh_release(struct neighbour *n);
/* Send through the neighbour: the cached-header path or n->output. */
int neigh_output(struct neighbour *n, struct sk_buff *skb);
int neigh_resolve_output(struct neighbour *n, struct sk_buff *skb);
int neigh_connected_output(struct neighbour *n, struct sk_buff *skb);
#define NEIGH_UPDATE_F_OVERRIDE 1u
#define NEIGH_UPDATE_F_WEAK_OVERRIDE 2u
#define NEIGH_UPDATE_F_ADMIN 0x80000000u
/* New state and address (lladdr may be NULL). Releases waiting packets when it becomes valid. */
int neigh_update(struct neighbour *n, const uint8_t *lladdr, uint8_t state, uint32_t flags);
/* A packet wants to go: true when its entry is usable now (skb still the caller's); false: skb was queued or
 * dropped. skb may be NULL (only make the entry move). Starts resolution or the check of a stale entry. */
bool neigh_event_send(struct neighbour *n, struct sk_buff *skb);
/* How many solicitations an entry gets in its state before it has failed. */
uint32_t neigh_max_probes(const struct neighbour *n);
/* A higher layer got progress from this neighbour. */
void neigh_confirm(struct neighbour *n);
int neigh_delete(struct neigh_table *tbl, uint32_t key, struct net_device *dev);
void neigh_flush_dev(struct neigh_table *tbl, struct net_device *dev);
/* Live entries in order of creation; fn may not delete. */
void neigh_walk(struct neigh_table *tbl, void (*fn)(struct neighbour *n, void *arg), void *arg);
const char *nud_name(uint8_t state);

/* /proc iterator over the live entries, in order of creation: NEIGH_SEQ_SKIP_NOARP leaves out entries whose only bit is NOARP. */
#define NEIGH_SEQ_SKIP_NOARP 1u
struct neigh_seq_state {
	struct neigh_table *tbl;
	uint32_t flags;
	struct neighbour *cur;
};
/* Element number pos (from 0; no header token: that is the file's business), NULL past the end. */
struct neighbour *neigh_seq_start(struct neigh_seq_state *st, struct neigh_table *tbl, uint32_t flags, uint64_t pos);
struct neighbour *neigh_seq_next(struct neigh_seq_state *st);

extern const struct pernet_operations neigh_net_ops;

#endif
