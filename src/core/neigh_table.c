/* The neighbour table: finding, making, counting and forgetting entries. What an entry goes through is
 * neigh_state.c's.
 *
 * Decides: when the table is full and who must go. Below gc_thresh1 (128) nobody; above it, every
 * base_reachable_time/2, entries that failed or were not used for gc_staletime; above gc_thresh2 (512), or at
 * gc_thresh3 (1024) at the latest, a new entry forces a collection:
 *   first   what failed, group addresses not in use, and what was only heard of (a stranger's request) and
 *           never used for sending: a flood of those evicts only itself (ARP-08)
 *   then    stale entries not used for 5 s, longest unchanged first
 *   never   permanent ones, those that somebody holds, those being resolved, probed or reachable: so the
 *           gateway that is in use survives
 * Called by: ipv4 (ip_finish_output2, ARP), rtnl_neigh.c. Hands on: tbl->constructor.
 * Tests: tests/unit/core/test_neigh_table.c (S1-26..38, ARP-07, ARP-08). */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include "core/neigh_int.h"

#define NEIGH_FIRST_SHIFT 4
#define NEIGH_FORCED_IDLE_NS (5 * NSEC_PER_SEC)

/* ---- hash ---- */

static struct hlist_head *neigh_bucket(const struct neigh_table *tbl, uint32_t key, const struct net_device *dev)
{
	uint64_t h = tbl->hash_key ? tbl->hash_key(key, dev)
				   : hash_words(tbl->net->hash_key, key, (uint64_t)dev->ifindex);

	return &tbl->buckets[h & ((1u << tbl->hash_shift) - 1)];
}

static void neigh_hash_grow(struct neigh_table *tbl)
{
	uint32_t n = 1u << tbl->hash_shift, i;
	struct hlist_head *old = tbl->buckets;

	tbl->hash_shift++;
	tbl->stats.hash_grows++;
	tbl->buckets = xcalloc((size_t)n * 2, sizeof(*tbl->buckets));
	for (i = 0; i < n; i++) {
		struct neighbour *e;
		struct hlist_node *tmp;

		hlist_for_each_entry_safe(e, tmp, &old[i], hash) {
			hlist_del_init(&e->hash);
			hlist_add_head(&e->hash, neigh_bucket(tbl, e->primary_key, e->dev));
		}
	}
	free(old);
}

static struct neighbour *neigh_find(const struct neigh_table *tbl, uint32_t key, const struct net_device *dev)
{
	struct neighbour *n;

	hlist_for_each_entry(n, neigh_bucket(tbl, key, dev), hash)
		if (n->primary_key == key && n->dev == dev)
			return n;
	return NULL;
}

struct neighbour *neigh_lookup_noref(struct neigh_table *tbl, uint32_t key, struct net_device *dev)
{
	struct neighbour *n = neigh_find(tbl, key, dev);

	tbl->stats.lookups++;
	if (n)
		tbl->stats.hits++;
	return n;
}

/* ---- life ---- */

static void neigh_destroy(struct neighbour *n)
{
	n->tbl->stats.destroys++;
	pool_put(&n->tbl->pool, n);
}

void neigh_release(struct neighbour *n)
{
	if (--n->refcnt == 0)
		neigh_destroy(n);
}

/* Off the table; whoever still holds it finds it dead. */
static void neigh_remove(struct neighbour *n)
{
	hlist_del_init(&n->hash);
	list_del_init(&n->gc);
	list_del_init(&n->all);
	n->tbl->entries--;
	neigh_make_dead(n);
	neigh_release(n);
}

static bool neigh_may_go_first(const struct neighbour *n, uint64_t now)
{
	if (n->refcnt != 1)
		return false;
	if (n->nud_state == NUD_FAILED || n->nud_state == NUD_NONE)
		return true;
	if (n->nud_state == NUD_STALE && !n->confirmed && !n->used)
		return true;
	return n->nud_state == NUD_NOARP && n->type != RTN_UNICAST && n->type != RTN_LOCAL &&
	       now - n->used_ns > NEIGH_FORCED_IDLE_NS;
}

static bool neigh_may_go_then(const struct neighbour *n, uint64_t now)
{
	return n->refcnt == 1 && n->nud_state == NUD_STALE && now - n->used_ns > NEIGH_FORCED_IDLE_NS &&
	       now - n->updated_ns > NEIGH_FORCED_IDLE_NS;
}

/* Room for a new entry by force, down to gc_thresh2. Returns how many went. */
static uint32_t neigh_forced_gc(struct neigh_table *tbl)
{
	uint64_t now = tbl->net->now_ns;
	uint32_t gone = 0, want = tbl->entries > tbl->gc_thresh2 ? tbl->entries - tbl->gc_thresh2 : 1;
	struct neighbour *n, *tmp;
	int round;

	tbl->stats.forced_gc_runs++;
	tbl->last_flush_ns = now;
	for (round = 0; round < 2 && !gone; round++) {
		list_for_each_entry_safe(n, tmp, &tbl->gc_list, gc) {
			if (!(round ? neigh_may_go_then(n, now) : neigh_may_go_first(n, now)))
				continue;
			neigh_remove(n);
			if (++gone == want)
				break;
		}
	}
	return gone;
}

static bool neigh_make_room(struct neigh_table *tbl)
{
	bool full = tbl->entries >= tbl->gc_thresh3;

	if (!full && (tbl->entries < tbl->gc_thresh2 ||
		      tbl->net->now_ns - tbl->last_flush_ns < NEIGH_FORCED_IDLE_NS))
		return true;
	if (neigh_forced_gc(tbl) || !full)
		return true;
	tbl->stats.table_fulls++;
	return false;
}

static void neigh_gc_arm(struct neigh_table *tbl)
{
	if (tbl->entries >= tbl->gc_thresh1 && !timer_pending(&tbl->gc_timer))
		mod_timer(&tbl->net->wheel, &tbl->gc_timer,
			  tbl->net->now_ns + tbl->parms.base_reachable_time_ns / 2);
}

static void neigh_periodic_work(struct timer_list *t)
{
	struct neigh_table *tbl = container_of(t, struct neigh_table, gc_timer);
	uint64_t now = tbl->net->now_ns;
	struct neighbour *n, *tmp;

	tbl->stats.periodic_gc_runs++;
	list_for_each_entry_safe(n, tmp, &tbl->gc_list, gc) {
		if (n->refcnt != 1 || (n->nud_state & (NUD_PERMANENT | NUD_IN_TIMER)))
			continue;
		if (n->nud_state == NUD_FAILED || now - n->used_ns >= tbl->parms.gc_staletime_ns)
			neigh_remove(n);
	}
	neigh_gc_arm(tbl);
}

static struct neighbour *neigh_alloc(struct neigh_table *tbl, uint32_t key, struct net_device *dev)
{
	struct neighbour *n;

	if (!neigh_make_room(tbl))
		return NULL;
	n = pool_zget(&tbl->pool);
	n->tbl = tbl;
	n->dev = dev;
	n->primary_key = key;
	n->refcnt = 1;
	n->type = RTN_UNICAST;
	n->used_ns = n->updated_ns = n->confirmed_ns = tbl->net->now_ns;
	skb_queue_head_init(&n->arp_queue);
	timer_setup(&n->timer, neigh_timer_handler);
	list_init(&n->gc);
	list_init(&n->all);
	tbl->stats.allocs++;
	return n;
}

struct neighbour *__neigh_create(struct neigh_table *tbl, uint32_t key, struct net_device *dev, bool want_ref)
{
	TRACE_FN(&tbl->net->probe, 0);
	struct neighbour *n = neigh_find(tbl, key, dev);

	if (!n) {
		n = neigh_alloc(tbl, key, dev);
		if (!n)
			return NULL;
		/* State, address and functions are the protocol's choice, before anybody can find it (S1-34). */
		if (tbl->constructor(n)) {
			neigh_release(n);
			return NULL;
		}
		n->confirmed = (n->nud_state & NUD_CONNECTED) != 0;
		if (tbl->entries >= 1u << tbl->hash_shift)
			neigh_hash_grow(tbl);
		hlist_add_head(&n->hash, neigh_bucket(tbl, key, dev));
		list_add_tail(&n->gc, &tbl->gc_list);
		list_add_tail(&n->all, &tbl->all);
		tbl->entries++;
		neigh_set_state(n, n->nud_state);
		neigh_gc_arm(tbl);
	}
	return want_ref ? neigh_hold(n) : n;
}

int neigh_delete(struct neigh_table *tbl, uint32_t key, struct net_device *dev)
{
	struct neighbour *n = neigh_find(tbl, key, dev);

	if (!n)
		return -ENOENT;
	neigh_hold(n);
	neigh_update(n, NULL, NUD_FAILED, NEIGH_UPDATE_F_OVERRIDE | NEIGH_UPDATE_F_ADMIN);
	if (!n->dead)
		neigh_remove(n);
	neigh_release(n);
	return 0;
}

/* ---- many at once ---- */

static void neigh_flush_if(struct neigh_table *tbl, const struct net_device *dev,
			   bool (*goes)(const struct neighbour *n))
{
	struct neighbour *n, *tmp;

	list_for_each_entry_safe(n, tmp, &tbl->all, all)
		if ((!dev || n->dev == dev) && (!goes || goes(n)))
			neigh_remove(n);
}

void neigh_flush_dev(struct neigh_table *tbl, struct net_device *dev)
{
	neigh_flush_if(tbl, dev, NULL);
}

void neigh_walk(struct neigh_table *tbl, void (*fn)(struct neighbour *n, void *arg), void *arg)
{
	struct neighbour *n;

	list_for_each_entry(n, &tbl->all, all)
		fn(n, arg);
}

static bool neigh_not_permanent(const struct neighbour *n)
{
	return !(n->nud_state & NUD_PERMANENT);
}

/* Does its state contradict the device's NOARP flag? (`ip link set DEV arp off` and on) */
static bool neigh_arp_changed(const struct neighbour *n)
{
	bool noarp_dev = (n->dev->flags & (DEVF_NOARP | DEVF_LOOPBACK)) != 0;

	if (n->nud_state & NUD_PERMANENT)
		return false;
	return n->type == RTN_UNICAST && noarp_dev != ((n->nud_state & NUD_NOARP) != 0);
}

static void neigh_netdev_event(struct netdev_notifier *nb, struct net_device *dev, enum netdev_event ev)
{
	struct neigh_table *tbl = container_of(nb, struct neigh_net, notifier)->arp;

	if (!tbl)
		return;
	if (ev == NETDEV_DOWN_ || ev == NETDEV_UNREGISTER_ || ev == NETDEV_CHANGEADDR_)
		neigh_flush_dev(tbl, dev);
	else if (ev == NETDEV_CHANGE_)
		neigh_flush_if(tbl, dev, dev->carrier ? neigh_arp_changed : neigh_not_permanent);
}

/* ---- tables ---- */

/* Between half and one and a half of the base, so that neighbours do not probe in step (RFC 4861 6.3.2). */
void neigh_new_reachable_time(struct neigh_table *tbl)
{
	uint64_t base_us = tbl->parms.base_reachable_time_ns / NSEC_PER_USEC;
	uint32_t span = (uint32_t)min_u64(base_us ? base_us : 1, UINT32_MAX);

	tbl->last_rand_ns = tbl->net->now_ns;
	tbl->parms.reachable_time_ns = (base_us / 2 + rng_below(&tbl->net->neigh->rng, span)) * NSEC_PER_USEC;
}

static void neigh_default(uint64_t *v, uint64_t ns)
{
	if (!*v)
		*v = ns;
}

static void neigh_default32(uint32_t *v, uint32_t n)
{
	if (!*v)
		*v = n;
}

void neigh_table_init(struct net *net, struct neigh_table *tbl)
{
	struct neigh_parms *p = &tbl->parms;

	tbl->net = net;
	neigh_default(&p->base_reachable_time_ns, 30 * NSEC_PER_SEC);
	neigh_default(&p->retrans_time_ns, NSEC_PER_SEC);
	neigh_default(&p->delay_probe_time_ns, 5 * NSEC_PER_SEC);
	neigh_default(&p->gc_staletime_ns, 60 * NSEC_PER_SEC);
	neigh_default(&p->locktime_ns, NSEC_PER_SEC);
	neigh_default32(&p->ucast_probes, 3);
	neigh_default32(&p->mcast_probes, 3);
	neigh_default32(&p->queue_len_bytes, 212992);
	neigh_default32(&tbl->gc_thresh1, 128);
	neigh_default32(&tbl->gc_thresh2, 512);
	neigh_default32(&tbl->gc_thresh3, 1024);
	tbl->hash_shift = NEIGH_FIRST_SHIFT;
	tbl->buckets = xcalloc((size_t)1 << NEIGH_FIRST_SHIFT, sizeof(*tbl->buckets));
	list_init(&tbl->gc_list);
	list_init(&tbl->all);
	list_init(&tbl->proxies);
	timer_setup(&tbl->gc_timer, neigh_periodic_work);
	pool_init(&tbl->pool, "neighbour", sizeof(struct neighbour), 16);
	neigh_new_reachable_time(tbl);
	if (!net->neigh->arp) {
		net->neigh->arp = tbl;
		neigh_proc_init(net, tbl);
	}
}

void neigh_table_clear(struct neigh_table *tbl)
{
	struct net *net = tbl->net;

	if (!net)
		return;
	neigh_flush_if(tbl, NULL, NULL);
	del_timer(&net->wheel, &tbl->gc_timer);
	if (net->neigh && net->neigh->arp == tbl)
		net->neigh->arp = NULL;
	free(tbl->buckets);
	tbl->buckets = NULL;
	pool_destroy(&tbl->pool);
	tbl->net = NULL;
}

static int neigh_net_init(struct net *net)
{
	net->neigh = xcalloc(1, sizeof(*net->neigh));
	rng_derive(&net->neigh->rng, net->seed, net->name, "neigh-reachable-time");
	net->neigh->notifier.fn = neigh_netdev_event;
	register_netdev_notifier(net, &net->neigh->notifier);
	return 0;
}

static void neigh_net_exit(struct net *net)
{
	if (!net->neigh)
		return;
	unregister_netdev_notifier(&net->neigh->notifier);
	free(net->neigh);
	net->neigh = NULL;
}

const struct pernet_operations neigh_net_ops = { "neighbour", neigh_net_init, neigh_net_exit };
