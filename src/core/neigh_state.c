/* One neighbour's life: the NUD states (RFC 4861 7.3 for the idea, Linux for the numbers), and how packets go
 * through it.
 *
 *   state       how it is entered                     how it is left
 *   NONE        created                               a packet: INCOMPLETE
 *   INCOMPLETE  a packet for NONE or FAILED;          a reply: REACHABLE (or STALE: only heard of)
 *               first broadcast at once               3 broadcasts, retrans_time apart, in vain: FAILED
 *   REACHABLE   a reply to our request, or progress   reachable_time after the last confirmation: STALE, or DELAY
 *               told by a higher layer                if it was used in the last delay_probe_time
 *   STALE       too old, or learned from others       a packet is sent (at once, with the old address): DELAY
 *   DELAY       see STALE                             delay_probe_time (5 s): REACHABLE if confirmed meanwhile,
 *                                                     else PROBE
 *   PROBE       see DELAY; packets still go           a reply: REACHABLE; 3 unicasts in vain: FAILED
 *   FAILED      no answer                             a packet: INCOMPLETE again
 *   NOARP, PERMANENT  by the constructor or the administrator; only the administrator changes them
 *
 * output is connected_output while the state is in NUD_CONNECTED, else ops->output, which asks first.
 * While INCOMPLETE packets wait in arp_queue; the oldest are dropped when it exceeds queue_len_bytes.
 * Called by: ipv4 (neigh_output, ARP's replies: neigh_update), timers. Hands on: ops->solicit,
 * ops->error_report, dev_queue_xmit. Tests: tests/unit/core/test_neigh_state.c (S3-78..80). */
#include <errno.h>
#include <string.h>
#include "base/strbuf.h"
#include "core/neigh_int.h"

const char *nud_name(uint8_t state)
{
	switch (state) {
	case NUD_NONE:
		return "NONE";
	case NUD_INCOMPLETE:
		return "INCOMPLETE";
	case NUD_REACHABLE:
		return "REACHABLE";
	case NUD_STALE:
		return "STALE";
	case NUD_DELAY:
		return "DELAY";
	case NUD_PROBE:
		return "PROBE";
	case NUD_FAILED:
		return "FAILED";
	case NUD_NOARP:
		return "NOARP";
	case NUD_PERMANENT:
		return "PERMANENT";
	default:
		return "?";
	}
}

static struct net *neigh_net(const struct neighbour *n)
{
	return n->tbl->net;
}

void neigh_set_state(struct neighbour *n, uint8_t state)
{
	struct net *net = neigh_net(n);
	char ip[IP4_STRLEN], mac[MAC_STRLEN];
	uint8_t old = n->nud_state;

	n->nud_state = state;
	/* Behind the entries that changed longer ago: the order in which they may go. */
	if (!list_empty(&n->gc)) {
		list_del_init(&n->gc);
		list_add_tail(&n->gc, &n->tbl->gc_list);
	}
	TRACE(&net->probe, TR_NEIGH, 0, "dev=%s addr=%s state=%s was=%s lladdr=%s", n->dev->name,
	      ip4_str(ip, n->primary_key), nud_name(state), nud_name(old),
	      state & NUD_VALID ? mac_str(mac, n->ha) : "-");
}

static void neigh_add_timer(struct neighbour *n, uint64_t at_ns)
{
	mod_timer(&neigh_net(n)->wheel, &n->timer, at_ns);
}

static void neigh_connect(struct neighbour *n)
{
	n->output = n->ops->connected_output;
}

static void neigh_suspect(struct neighbour *n)
{
	n->output = n->ops->output;
}

/* ---- the queue of an unresolved entry ---- */

static struct sk_buff *neigh_dequeue(struct neighbour *n)
{
	struct sk_buff *skb = skb_dequeue(&n->arp_queue);

	if (skb) {
		n->arp_queue_len_bytes -= skb->truesize;
		n->tbl->queued_bytes -= skb->truesize;
	}
	return skb;
}

static void neigh_purge(struct neighbour *n, enum drop_reason reason)
{
	struct sk_buff *skb;

	while ((skb = neigh_dequeue(n)) != NULL)
		kfree_skb_reason(skb, reason);
}

static void neigh_enqueue(struct neighbour *n, struct sk_buff *skb)
{
	struct neigh_table *tbl = n->tbl;

	while (n->arp_queue.qlen && n->arp_queue_len_bytes + skb->truesize > tbl->parms.queue_len_bytes) {
		tbl->stats.unres_discards++;
		kfree_skb_reason(neigh_dequeue(n), DROP_NEIGH_QUEUEFULL);
	}
	if (tbl->queued_bytes + skb->truesize > NEIGH_QUEUE_TOTAL_MAX) {
		tbl->stats.unres_discards++;
		kfree_skb_reason(skb, DROP_NEIGH_QUEUEFULL);
		return;
	}
	skb_queue_tail(&n->arp_queue, skb);
	n->arp_queue_len_bytes += skb->truesize;
	tbl->queued_bytes += skb->truesize;
	TRACE(&tbl->net->probe, TR_QUEUE, skb->serial, "queue=arp_queue len=%u", n->arp_queue.qlen);
}

/* ---- resolution ---- */

uint32_t neigh_max_probes(const struct neighbour *n)
{
	const struct neigh_parms *p = &n->tbl->parms;

	return p->ucast_probes + p->app_probes + (n->nud_state == NUD_PROBE ? 0 : p->mcast_probes);
}

/* Ask once; the protocol tells a broadcast from a unicast by n->probes. */
static void neigh_probe(struct neighbour *n)
{
	/* The newest waiting packet says from which address to ask. */
	struct sk_buff *skb = skb_peek_tail(&n->arp_queue);

	if (n->ops->solicit)
		n->ops->solicit(n, skb);
	n->probes++;
}

/* Nobody answered: tell the senders of what waits. */
static void neigh_invalidate(struct neighbour *n)
{
	struct sk_buff *skb;

	n->tbl->stats.res_failed++;
	n->updated_ns = neigh_net(n)->now_ns;
	while (n->nud_state == NUD_FAILED && (skb = neigh_dequeue(n)) != NULL) {
		if (n->ops->error_report)
			n->ops->error_report(n, skb);
		else
			kfree_skb_reason(skb, DROP_NEIGH_FAILED);
	}
	neigh_purge(n, DROP_NEIGH_FAILED);
}

static uint64_t neigh_retrans(const struct neighbour *n)
{
	return max_u64(n->tbl->parms.retrans_time_ns, NEIGH_RETRANS_MIN_NS);
}

/* NONE or FAILED: begin to ask. False: this table never asks. */
static bool neigh_start_resolution(struct neighbour *n)
{
	const struct neigh_parms *p = &n->tbl->parms;
	uint64_t now = neigh_net(n)->now_ns;

	n->updated_ns = now;
	if (!p->mcast_probes && !p->app_probes) {
		neigh_set_state(n, NUD_FAILED);
		return false;
	}
	n->probes = p->ucast_probes; /* the address is not known: broadcasts from the first on */
	neigh_set_state(n, NUD_INCOMPLETE);
	neigh_add_timer(n, now + neigh_retrans(n));
	return true;
}

bool neigh_event_send(struct neighbour *n, struct sk_buff *skb)
{
	uint64_t now = neigh_net(n)->now_ns;
	bool ask = false;

	n->used_ns = now;
	n->used = true;
	if (n->nud_state & (NUD_CONNECTED | NUD_DELAY | NUD_PROBE))
		return true;
	if (n->dead) {
		if (skb)
			kfree_skb_reason(skb, DROP_NEIGH_DEAD);
		return false;
	}
	if (n->nud_state == NUD_STALE) {
		n->updated_ns = now;
		neigh_set_state(n, NUD_DELAY);
		neigh_add_timer(n, now + n->tbl->parms.delay_probe_time_ns);
		return true;
	}
	if (n->nud_state != NUD_INCOMPLETE) {
		ask = neigh_start_resolution(n);
		if (!ask) {
			if (skb)
				kfree_skb_reason(skb, DROP_NEIGH_FAILED);
			return false;
		}
	}
	if (skb)
		neigh_enqueue(n, skb);
	if (ask)
		neigh_probe(n);
	return false;
}

/* ---- time ---- */

/* What the passing of time makes of REACHABLE and DELAY; returns when to look again. */
static uint64_t neigh_age(struct neighbour *n, uint64_t now)
{
	const struct neigh_parms *p = &n->tbl->parms;
	uint64_t fresh_until = n->confirmed_ns + p->reachable_time_ns;

	if (n->nud_state == NUD_REACHABLE) {
		if (now < fresh_until)
			return fresh_until;
		n->updated_ns = now;
		neigh_suspect(n);
		if (n->used && now <= n->used_ns + p->delay_probe_time_ns) {
			neigh_set_state(n, NUD_DELAY);
			return now + p->delay_probe_time_ns;
		}
		neigh_set_state(n, NUD_STALE);
		return now;
	}
	/* DELAY */
	n->updated_ns = now;
	if (n->confirmed && now <= n->confirmed_ns + p->delay_probe_time_ns) {
		neigh_set_state(n, NUD_REACHABLE);
		neigh_connect(n);
		return max_u64(fresh_until, now + 1);
	}
	n->probes = 0;
	neigh_set_state(n, NUD_PROBE);
	return now + neigh_retrans(n);
}

void neigh_timer_handler(struct timer_list *t)
{
	struct neighbour *n = container_of(t, struct neighbour, timer);
	struct net *net = neigh_net(n);
	TRACE_FN(&net->probe, 0);
	uint64_t now = net->now_ns, next = now + neigh_retrans(n);

	if (!(n->nud_state & NUD_IN_TIMER))
		return;
	neigh_hold(n); /* error_report may lead back here */
	if (n->nud_state & (NUD_REACHABLE | NUD_DELAY))
		next = neigh_age(n, now);
	if ((n->nud_state & (NUD_INCOMPLETE | NUD_PROBE)) && n->probes >= neigh_max_probes(n)) {
		neigh_set_state(n, NUD_FAILED);
		neigh_suspect(n);
		neigh_invalidate(n);
	}
	if (n->nud_state & NUD_IN_TIMER)
		neigh_add_timer(n, next);
	if (n->nud_state & (NUD_INCOMPLETE | NUD_PROBE))
		neigh_probe(n);
	neigh_release(n);
}

void neigh_confirm(struct neighbour *n)
{
	n->confirmed_ns = neigh_net(n)->now_ns;
	n->confirmed |= (n->nud_state & NUD_VALID) != 0;
}

/* ---- news about a neighbour ---- */

/* It is no longer usable (failed, or the administrator says so). */
static int neigh_update_invalid(struct neighbour *n, uint8_t state)
{
	struct net *net = neigh_net(n);
	uint8_t old = n->nud_state;

	del_timer(&net->wheel, &n->timer);
	neigh_suspect(n);
	n->updated_ns = net->now_ns;
	neigh_set_state(n, state);
	if ((old & (NUD_INCOMPLETE | NUD_PROBE)) && state == NUD_FAILED)
		neigh_invalidate(n);
	return 0;
}

/* What state shall it have, and which address, given what was there? False: leave it alone. */
static bool neigh_update_decide(const struct neighbour *n, const uint8_t **lladdr, uint8_t *state,
				uint32_t flags)
{
	bool other = *lladdr != n->ha && !mac_equal(*lladdr, n->ha);

	if (!(n->nud_state & NUD_VALID))
		return true;
	if (!other) {
		*lladdr = n->ha;
		/* Merely heard of again: that is no proof, and no reason for doubt either. */
		if (*state == NUD_STALE && !(flags & NEIGH_UPDATE_F_ADMIN))
			*state = n->nud_state;
		return true;
	}
	if (flags & NEIGH_UPDATE_F_OVERRIDE)
		return true;
	if ((flags & NEIGH_UPDATE_F_WEAK_OVERRIDE) && (n->nud_state & NUD_CONNECTED)) {
		*lladdr = n->ha; /* keep the address but check it */
		*state = NUD_STALE;
		return true;
	}
	return false;
}

static void neigh_change_state(struct neighbour *n, uint8_t state)
{
	struct neigh_table *tbl = n->tbl;
	uint64_t now = tbl->net->now_ns;

	del_timer(&tbl->net->wheel, &n->timer);
	if (state == NUD_PROBE)
		n->probes = 0;
	if (state == NUD_REACHABLE && now - tbl->last_rand_ns >= NEIGH_RAND_EVERY_NS)
		neigh_new_reachable_time(tbl);
	if (state & NUD_IN_TIMER)
		neigh_add_timer(n, now + (state == NUD_REACHABLE ? tbl->parms.reachable_time_ns : 0));
	neigh_set_state(n, state);
}

/* What waited goes out now, in order. */
static void neigh_drain(struct neighbour *n)
{
	struct sk_buff *skb;

	while ((n->nud_state & NUD_VALID) && (skb = neigh_dequeue(n)) != NULL) {
		TRACE(&neigh_net(n)->probe, TR_DEQUEUE, skb->serial, "queue=arp_queue len=%u",
		      n->arp_queue.qlen);
		n->output(n, skb);
	}
	neigh_purge(n, DROP_NEIGH_FAILED);
}

static int neigh_update_valid(struct neighbour *n, const uint8_t *lladdr, uint8_t state, uint32_t flags)
{
	uint64_t now = neigh_net(n)->now_ns;
	uint8_t old = n->nud_state;
	bool moved;

	if (state & NUD_CONNECTED) {
		n->confirmed_ns = now;
		n->confirmed = true;
	}
	if (!neigh_update_decide(n, &lladdr, &state, flags))
		return 0;
	moved = lladdr != n->ha;
	if (moved || state != old)
		n->updated_ns = now;
	if (moved) {
		memcpy(n->ha, lladdr, ETH_ALEN);
		n->hh_len = 0;
	}
	if (state != old)
		neigh_change_state(n, state);
	else if (moved)
		neigh_set_state(n, state);
	if (state & NUD_CONNECTED)
		neigh_connect(n);
	else
		neigh_suspect(n);
	if (!(old & NUD_VALID))
		neigh_drain(n);
	return 0;
}

int neigh_update(struct neighbour *n, const uint8_t *lladdr, uint8_t state, uint32_t flags)
{
	TRACE_FN(&neigh_net(n)->probe, 0);
	int err;

	if (!(flags & NEIGH_UPDATE_F_ADMIN) && (n->nud_state & (NUD_NOARP | NUD_PERMANENT)))
		return -EPERM;
	if (n->dead)
		return -EINVAL;
	if (!(state & NUD_VALID))
		return neigh_update_invalid(n, state);
	if (!lladdr || !n->dev->addr_len) {
		if (n->dev->addr_len && !(n->nud_state & NUD_VALID))
			return -EINVAL; /* usable at which address? */
		lladdr = n->ha;
	}
	neigh_hold(n); /* what is sent from here may come back */
	err = neigh_update_valid(n, lladdr, state, flags);
	neigh_release(n);
	return err;
}

static int neigh_blackhole(struct neighbour *n, struct sk_buff *skb)
{
	kfree_skb_reason(skb, DROP_NEIGH_DEAD);
	return -ENETDOWN;
}

void neigh_make_dead(struct neighbour *n)
{
	del_timer(&neigh_net(n)->wheel, &n->timer);
	neigh_purge(n, DROP_NEIGH_DEAD);
	n->dead = 1;
	n->output = neigh_blackhole;
	n->hh_len = 0;
	neigh_set_state(n, NUD_NONE);
}

/* ---- packets ---- */

/* Put the link header in front. False: it could not be built (skb is gone). */
static bool neigh_header(struct neighbour *n, struct sk_buff *skb)
{
	struct net_device *dev = n->dev;

	if (!dev->header_ops)
		return true;
	if (skb_cow_head(skb, dev->hard_header_len)) {
		kfree_skb_reason(skb, DROP_NOMEM);
		return false;
	}
	if (dev->header_ops->create(skb, dev, skb->protocol, n->ha, NULL) < 0) {
		kfree_skb_reason(skb, DROP_DEV_HDR);
		return false;
	}
	/* The next packet to it gets the same octets. */
	if (!n->hh_len && skb->protocol == ETH_P_IP && dev->hard_header_len == ETH_HLEN && !n->dead) {
		memcpy(n->hh, skb->data, ETH_HLEN);
		n->hh_len = ETH_HLEN;
	}
	return true;
}

int neigh_resolve_output(struct neighbour *n, struct sk_buff *skb)
{
	TRACE_FN(&neigh_net(n)->probe, skb->serial);

	if (!neigh_event_send(n, skb))
		return 0;
	return neigh_header(n, skb) ? dev_queue_xmit(skb) : -EINVAL;
}

int neigh_connected_output(struct neighbour *n, struct sk_buff *skb)
{
	TRACE_FN(&neigh_net(n)->probe, skb->serial);

	return neigh_header(n, skb) ? dev_queue_xmit(skb) : -EINVAL;
}

static int neigh_hh_output(struct neighbour *n, struct sk_buff *skb)
{
	TRACE_FN(&neigh_net(n)->probe, skb->serial);

	if (unlikely(skb_cow_head(skb, n->hh_len))) {
		kfree_skb_reason(skb, DROP_NOMEM);
		return -ENOMEM;
	}
	memcpy(skb_push(skb, ETH_HLEN), n->hh, ETH_HLEN);
	return dev_queue_xmit(skb);
}

int neigh_output(struct neighbour *n, struct sk_buff *skb)
{
	TRACE_FN(&neigh_net(n)->probe, skb->serial);

	skb->dev = n->dev;
	n->used_ns = neigh_net(n)->now_ns;
	n->used = true;
	if (likely((n->nud_state & NUD_CONNECTED) && n->hh_len && skb->protocol == ETH_P_IP))
		return neigh_hh_output(n, skb);
	return n->output(n, skb);
}
