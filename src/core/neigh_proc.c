/* The neighbour table as files and knobs: the iterator behind /proc/net/arp, net.ipv4.neigh.default.*, and
 * /proc/net/stat/arp_cache.
 *
 * Decides: which entries an iterator shows. NEIGH_SEQ_SKIP_NOARP leaves out those whose only state bit is NOARP
 * (lo's entry, group addresses): they exist and are merely not shown (S1-35, S1-36).
 * Called by: ipv4's /proc/net/arp, core/procfs.c. Tests: tests/unit/core/test_neigh_table.c. */
#include <errno.h>
#include <string.h>
#include "core/neigh_int.h"
#include "core/procfs.h"

#define KNOB_PREFIX "net.ipv4.neigh.default."

/* ---- iterator ---- */

static bool neigh_shown(const struct neigh_seq_state *st, const struct neighbour *n)
{
	return !(st->flags & NEIGH_SEQ_SKIP_NOARP) || (n->nud_state & ~NUD_NOARP);
}

/* From this list node on, the first entry that is shown. */
static struct neighbour *neigh_seq_pick(struct neigh_seq_state *st, struct list_head *from)
{
	for (; from != &st->tbl->all; from = from->next) {
		struct neighbour *n = list_entry(from, struct neighbour, all);

		if (neigh_shown(st, n))
			return n;
	}
	return NULL;
}

static struct neighbour *neigh_get_first(struct neigh_seq_state *st)
{
	TRACE_FN(&st->tbl->net->probe, 0);

	return neigh_seq_pick(st, st->tbl->all.next);
}

static struct neighbour *neigh_get_next(struct neigh_seq_state *st, struct neighbour *n)
{
	TRACE_FN(&st->tbl->net->probe, 0);

	return neigh_seq_pick(st, n->all.next);
}

static struct neighbour *neigh_get_idx(struct neigh_seq_state *st, uint64_t pos)
{
	TRACE_FN(&st->tbl->net->probe, 0);
	struct neighbour *n = neigh_get_first(st);

	while (n && pos--)
		n = neigh_get_next(st, n);
	return n;
}

static struct neighbour *neigh_get_idx_any(struct neigh_seq_state *st, uint64_t pos)
{
	TRACE_FN(&st->tbl->net->probe, 0);

	return neigh_get_idx(st, pos);
}

struct neighbour *neigh_seq_start(struct neigh_seq_state *st, struct neigh_table *tbl, uint32_t flags,
				  uint64_t pos)
{
	TRACE_FN(&tbl->net->probe, 0);

	st->tbl = tbl;
	st->flags = flags;
	st->cur = neigh_get_idx_any(st, pos);
	return st->cur;
}

struct neighbour *neigh_seq_next(struct neigh_seq_state *st)
{
	TRACE_FN(&st->tbl->net->probe, 0);

	if (st->cur)
		st->cur = neigh_get_next(st, st->cur);
	return st->cur;
}

/* ---- knobs ---- */

/* A time, in Linux's unit for this name, or (unit 0) a plain number. */
struct neigh_knob {
	const char *name;
	size_t offset; /* in struct neigh_parms */
	uint64_t unit_ns;
};
#define P(f) offsetof(struct neigh_parms, f)
/* USER_HZ: what the oldest names count in. */
#define TICK_NS (NSEC_PER_SEC / 100)

static const struct neigh_knob neigh_knobs[] = {
	{ "base_reachable_time", P(base_reachable_time_ns), NSEC_PER_SEC },
	{ "base_reachable_time_ms", P(base_reachable_time_ns), NSEC_PER_MSEC },
	{ "retrans_time", P(retrans_time_ns), TICK_NS },
	{ "retrans_time_ms", P(retrans_time_ns), NSEC_PER_MSEC },
	{ "delay_first_probe_time", P(delay_probe_time_ns), NSEC_PER_SEC },
	{ "gc_stale_time", P(gc_staletime_ns), NSEC_PER_SEC },
	{ "locktime", P(locktime_ns), TICK_NS },
	{ "ucast_solicit", P(ucast_probes), 0 },
	{ "mcast_solicit", P(mcast_probes), 0 },
	{ "app_solicit", P(app_probes), 0 },
	{ "unres_qlen_bytes", P(queue_len_bytes), 0 },
};

static const struct neigh_knob *neigh_knob(const struct ctl_table *t)
{
	const char *name = t->name + strlen(KNOB_PREFIX);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(neigh_knobs); i++)
		if (!strcmp(neigh_knobs[i].name, name))
			return &neigh_knobs[i];
	return NULL;
}

static void *neigh_knob_at(struct net *net, const struct neigh_knob *k)
{
	return (char *)&net->neigh->arp->parms + k->offset;
}

static void neigh_knob_get(struct net *net, const struct ctl_table *t, struct strbuf *out)
{
	const struct neigh_knob *k = neigh_knob(t);
	uint64_t v;

	if (!k || !net->neigh->arp)
		return;
	if (k->unit_ns)
		v = *(uint64_t *)neigh_knob_at(net, k) / k->unit_ns;
	else
		v = *(uint32_t *)neigh_knob_at(net, k);
	sb_printf(out, "%llu", (unsigned long long)v);
}

static int neigh_knob_set(struct net *net, const struct ctl_table *t, const char *text)
{
	const struct neigh_knob *k = neigh_knob(t);
	uint64_t v;

	if (!k || !net->neigh->arp || u64_parse(text, 0, INT32_MAX, &v))
		return -EINVAL;
	if (!k->unit_ns) {
		*(uint32_t *)neigh_knob_at(net, k) = (uint32_t)v;
		return 0;
	}
	*(uint64_t *)neigh_knob_at(net, k) = v * k->unit_ns;
	if (k->offset == P(base_reachable_time_ns))
		neigh_new_reachable_time(net->neigh->arp);
	return 0;
}

static int neigh_register_knobs(struct net *net, struct neigh_table *tbl)
{
	struct ctl_table t[ARRAY_SIZE(neigh_knobs) + 3] = { 0 };
	char names[ARRAY_SIZE(neigh_knobs)][64];
	const char *const thresh[] = { KNOB_PREFIX "gc_thresh1", KNOB_PREFIX "gc_thresh2",
				       KNOB_PREFIX "gc_thresh3" };
	uint32_t *const at[] = { &tbl->gc_thresh1, &tbl->gc_thresh2, &tbl->gc_thresh3 };
	size_t i, n = ARRAY_SIZE(neigh_knobs);

	for (i = 0; i < n; i++) {
		size_t len = strlen(KNOB_PREFIX);

		memcpy(names[i], KNOB_PREFIX, len);
		memcpy(names[i] + len, neigh_knobs[i].name, strlen(neigh_knobs[i].name) + 1);
		t[i].name = names[i];
		t[i].get = neigh_knob_get;
		t[i].set = neigh_knob_set;
	}
	for (i = 0; i < ARRAY_SIZE(at); i++) {
		t[n + i].name = thresh[i];
		t[n + i].data = (int32_t *)at[i];
		t[n + i].min = 1;
		t[n + i].max = INT32_MAX;
	}
	return register_sysctl(net, t, ARRAY_SIZE(t));
}

/* ---- statistics ---- */

static void neigh_stat_show(struct net *net, struct strbuf *out)
{
	const struct neigh_table *tbl = net->neigh ? net->neigh->arp : NULL;

	sb_puts(out, "entries  allocs   destroys hash_grows lookups  hits     res_failed rcv_probes_mcast "
		     "rcv_probes_ucast periodic_gc_runs forced_gc_runs unresolved_discards table_fulls\n");
	if (!tbl)
		return;
	sb_printf(out, "%08x %08llx %08llx %08llx   %08llx %08llx %08llx   %08x         %08x         %08llx         "
		       "%08llx       %08llx            %08llx\n",
		  tbl->entries, (unsigned long long)tbl->stats.allocs, (unsigned long long)tbl->stats.destroys,
		  (unsigned long long)tbl->stats.hash_grows, (unsigned long long)tbl->stats.lookups,
		  (unsigned long long)tbl->stats.hits, (unsigned long long)tbl->stats.res_failed, 0, 0,
		  (unsigned long long)tbl->stats.periodic_gc_runs,
		  (unsigned long long)tbl->stats.forced_gc_runs,
		  (unsigned long long)tbl->stats.unres_discards, (unsigned long long)tbl->stats.table_fulls);
}

int neigh_proc_init(struct net *net, struct neigh_table *tbl)
{
	int err = neigh_register_knobs(net, tbl);

	return err ? err : proc_create_single(net, "net/stat/arp_cache", neigh_stat_show);
}
