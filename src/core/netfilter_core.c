/* Netfilter's five hooks (S1-23..25): who may look at a packet on its way, in what order, and what their
 * verdict does to it.
 *
 * Decides: order by priority, bound of repeats, and that a hook may unregister anything while it runs: each
 * run stands on nf_net->walks with the op that comes next, and unregistering moves it on. Every packet that
 * passes a hook is counted and traced, rules or none.
 * Called by: ipv4 (ip_rcv, ip_local_deliver, ip_forward, __ip_local_out, ip_output). Hands on: okfn.
 * Tests: tests/unit/core/test_netfilter_core.c (RT-14). */
#include <errno.h>
#include <stdlib.h>
#include "core/netfilter.h"
#include "core/procfs.h"

#define LINKTYPE_RAW_IP 101

/* One run over a hook's list. */
struct nf_walk {
	struct nf_walk *outer;
	struct list_head *next;
	struct nf_hook_ops *cur; /* NULL: unregistered while it ran */
};

static const char *const nf_hook_names[NF_INET_NUMHOOKS] = {
	[NF_INET_PRE_ROUTING] = "PRE_ROUTING", [NF_INET_LOCAL_IN] = "LOCAL_IN",
	[NF_INET_FORWARD] = "FORWARD",	       [NF_INET_LOCAL_OUT] = "LOCAL_OUT",
	[NF_INET_POST_ROUTING] = "POST_ROUTING",
};

const char *nf_hook_name(enum nf_inet_hooks h)
{
	return (unsigned)h < NF_INET_NUMHOOKS ? nf_hook_names[h] : "?";
}

int nf_register_net_hook(struct net *net, struct nf_hook_ops *ops)
{
	struct list_head *h, *pos;
	unsigned n = 0;

	if ((unsigned)ops->hooknum >= NF_INET_NUMHOOKS || !ops->hook)
		return -EINVAL;
	h = &net->nf->hooks[ops->hooknum];
	list_for_each(pos, h)
		n++;
	if (n >= NF_MAX_HOOKS)
		return -ENOSPC;
	list_for_each(pos, h)
		if (list_entry(pos, struct nf_hook_ops, list)->priority > ops->priority)
			break;
	list_insert_(&ops->list, pos->prev, pos);
	return 0;
}

void nf_unregister_net_hook(struct net *net, struct nf_hook_ops *ops)
{
	struct nf_walk *w;

	for (w = net->nf->walks; w; w = w->outer) {
		if (w->next == &ops->list)
			w->next = ops->list.next;
		if (w->cur == ops)
			w->cur = NULL;
	}
	list_del_init(&ops->list);
}

/* One op, again while it says so. */
static unsigned nf_run_one(struct nf_walk *w, const struct nf_hook_state *st)
{
	unsigned verdict, n = 0;

	do {
		struct nf_hook_ops *ops = w->cur;

		verdict = ops->hook(ops->priv, *st->slot, st);
		if (verdict != NF_REPEAT)
			return verdict;
		if (!w->cur)
			return NF_ACCEPT; /* gone while it asked for more: the next one decides */
	} while (++n < NF_MAX_REPEAT);
	return NF_DROP;
}

/* The first verdict that is not ACCEPT; *name: whose it was. */
static unsigned nf_run(const struct nf_hook_state *st, const char **name)
{
	struct nf_net *nf = st->net->nf;
	struct list_head *h = &nf->hooks[st->hook];
	struct nf_walk w = { .outer = nf->walks, .next = h->next };
	unsigned verdict = NF_ACCEPT;

	nf->walks = &w;
	while (verdict == NF_ACCEPT && w.next != h) {
		w.cur = list_entry(w.next, struct nf_hook_ops, list);
		w.next = w.next->next;
		*name = w.cur->name;
		verdict = nf_run_one(&w, st);
	}
	nf->walks = w.outer;
	return verdict;
}

static const char *nf_verdict_name(unsigned v)
{
	static const char *const names[] = { "DROP", "ACCEPT", "STOLEN", "QUEUE" };

	v &= NF_VERDICT_MASK;
	return v < ARRAY_SIZE(names) ? names[v] : "DROP";
}

/* skb is NULL once it was stolen: then only its number is known. */
static void nf_trace(const struct nf_hook_state *st, const struct sk_buff *skb, uint64_t serial,
		     unsigned verdict, const char *by)
{
	struct probe *p = &st->net->probe;

	if (likely(!p->on))
		return;
	probe_packet_(p, TR_HOOK, "nf_hook", serial, skb ? skb->data : NULL, skb ? skb_headlen(skb) : 0,
		      LINKTYPE_RAW_IP, "hook=%s in=%s out=%s verdict=%s%s%s", nf_hook_names[st->hook],
		      st->in ? st->in->name : "", st->out ? st->out->name : "", nf_verdict_name(verdict),
		      verdict == NF_ACCEPT ? "" : " by=", verdict == NF_ACCEPT ? "" : by ? by : "?");
}

/* Somebody decides or somebody watches. */
static __attribute__((noinline)) int nf_hook_slow(struct nf_hook_state *st, struct sk_buff *skb)
{
	struct nf_net *nf = st->net->nf;
	uint64_t serial = skb->serial;
	const char *by = NULL;
	unsigned verdict = NF_ACCEPT;

	st->slot = &skb;
	if (!list_empty(&nf->hooks[st->hook]))
		verdict = nf_run(st, &by);
	if (verdict != NF_STOLEN)
		serial = skb->serial;
	nf_trace(st, verdict == NF_STOLEN ? NULL : skb, serial, verdict, by);
	if (likely(verdict == NF_ACCEPT))
		return st->okfn(st->net, st->sk, skb);
	if (verdict == NF_STOLEN)
		return 0;
	nf->drops[st->hook]++;
	kfree_skb_at(skb, verdict >> 8 ? (enum drop_reason)(verdict >> 8) : DROP_NETFILTER_DROP, "nf_hook");
	return -EPERM;
}

int nf_hook(enum nf_inet_hooks hook, struct net *net, struct sock *sk, struct sk_buff *skb,
	    struct net_device *in, struct net_device *out,
	    int (*okfn)(struct net *, struct sock *, struct sk_buff *))
{
	struct nf_net *nf = net->nf;

	nf->packets[hook]++;
	if (unlikely(!list_empty(&nf->hooks[hook]) || net->probe.on)) {
		struct nf_hook_state st = { hook, net, in, out, sk, okfn, NULL };

		return nf_hook_slow(&st, skb);
	}
	return okfn(net, sk, skb);
}

/* /proc/net/netfilter/hooks: what passed and what died at each hook, rules or none. */
static void nf_hooks_show(struct net *net, struct strbuf *out)
{
	unsigned i;

	sb_puts(out, "Hook          Packets          Drops  Functions\n");
	for (i = 0; i < NF_INET_NUMHOOKS; i++) {
		const struct nf_hook_ops *ops;

		sb_printf(out, "%-12s %8llu %14llu ", nf_hook_names[i],
			  (unsigned long long)net->nf->packets[i], (unsigned long long)net->nf->drops[i]);
		list_for_each_entry(ops, &net->nf->hooks[i], list)
			sb_printf(out, " %s(%d)", ops->name ? ops->name : "?", ops->priority);
		sb_putc(out, '\n');
	}
}

static int nf_net_init(struct net *net)
{
	unsigned i;

	net->nf = xcalloc(1, sizeof(*net->nf));
	for (i = 0; i < NF_INET_NUMHOOKS; i++)
		list_init(&net->nf->hooks[i]);
	return proc_create_single(net, "net/netfilter/hooks", nf_hooks_show);
}

static void nf_net_exit(struct net *net)
{
	free(net->nf);
	net->nf = NULL;
}

const struct pernet_operations nf_net_ops = { "netfilter", nf_net_init, nf_net_exit };
