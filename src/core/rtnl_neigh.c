/* RTM_GETNEIGH, RTM_NEWNEIGH and RTM_DELNEIGH: the neighbour table as `ip neigh` sees and changes it.
 *
 * The dump holds every live entry, NOARP too: hiding those is the choice of /proc/net/arp's iterator and of
 * the program that prints (S1-28, S1-36). Called by: rtnl.c. Calls: neighbour (neigh_table.c, neigh_state.c).
 * Tests: tests/unit/core. */
#include <errno.h>
#include <string.h>
#include "core/neighbour.h"
#include "core/rtnl.h"
#include "core/rtnl_core.h"

#define AF_INET_ 2
/* User ticks of nda_cacheinfo's times (sysconf(_SC_CLK_TCK) on Linux). */
#define NEIGH_USER_HZ_NS (NSEC_PER_SEC / 100)

struct neigh_dump {
	struct nl_reply *r;
	uint16_t state; /* only entries with one of these bits; 0: any */
	int ifindex;    /* 0: any */
	uint64_t now_ns;
};

static uint32_t neigh_ticks_ago(uint64_t now, uint64_t t)
{
	return (uint32_t)((now - min_u64(t, now)) / NEIGH_USER_HZ_NS);
}

static void neigh_fill(const struct neighbour *n, struct nl_reply *r, uint64_t now)
{
	struct ndmsg ndm = { .ndm_family = AF_INET_, .ndm_ifindex = n->dev->ifindex,
			     .ndm_state = n->nud_state, .ndm_type = n->type };
	struct nda_cacheinfo ci = { .ndm_confirmed = neigh_ticks_ago(now, n->confirmed_ns),
				    .ndm_used = neigh_ticks_ago(now, n->used_ns),
				    .ndm_updated = neigh_ticks_ago(now, n->updated_ns),
				    .ndm_refcnt = (uint32_t)n->refcnt - 1 };

	nl_begin(r, RTM_NEWNEIGH, 0, &ndm, sizeof(ndm));
	nl_attr_ip4(r, NDA_DST, n->primary_key);
	if (n->nud_state & NUD_VALID)
		nl_attr(r, NDA_LLADDR, n->ha, ETH_ALEN);
	nl_attr_u32(r, NDA_PROBES, n->probes);
	nl_attr(r, NDA_CACHEINFO, &ci, sizeof(ci));
	nl_end(r);
}

static void neigh_dump_one(struct neighbour *n, void *arg)
{
	struct neigh_dump *d = arg;

	if (d->state && !(n->nud_state & d->state))
		return;
	if (d->ifindex && n->dev->ifindex != d->ifindex)
		return;
	neigh_fill(n, d->r, d->now_ns);
}

static bool neigh_family_ok(const struct ndmsg *ndm)
{
	return ndm->ndm_family == 0 || ndm->ndm_family == AF_INET_;
}

static int neigh_dump(struct net *net, const struct nlmsghdr *h, struct nl_reply *r)
{
	struct neigh_dump d = { .r = r, .now_ns = net->now_ns };
	const struct nlattr *tb[NDA_MAX + 1];
	const struct ndmsg *ndm = (const void *)(h + 1);

	/* A short header (struct rtgenmsg) is a dump of everything, as older programs send. */
	if (!nl_parse(h, sizeof(*ndm), tb, NDA_MAX)) {
		if (!neigh_family_ok(ndm))
			return 0;
		d.state = ndm->ndm_state;
		d.ifindex = tb[NDA_IFINDEX] ? (int)nla_get_u32(tb[NDA_IFINDEX]) : 0;
	}
	if (net->neigh && net->neigh->arp)
		neigh_walk(net->neigh->arp, neigh_dump_one, &d);
	return 0;
}

struct neigh_req {
	const struct ndmsg *ndm;
	const struct nlattr *tb[NDA_MAX + 1];
	struct neigh_table *tbl;
	struct net_device *dev;
	uint32_t key;
};

/* Table, device and address of a request. 0 or -errno. */
static int neigh_parse(struct net *net, const struct nlmsghdr *h, struct neigh_req *q)
{
	int err = nl_parse(h, sizeof(*q->ndm), q->tb, NDA_MAX);

	if (err)
		return err;
	q->ndm = (const void *)(h + 1);
	if (q->ndm->ndm_family != AF_INET_)
		return -EAFNOSUPPORT;
	q->tbl = net->neigh ? net->neigh->arp : NULL;
	if (!q->tbl)
		return -EAFNOSUPPORT;
	if (!q->tb[NDA_DST] || nla_len(q->tb[NDA_DST]) != 4)
		return -EINVAL;
	if (q->tb[NDA_LLADDR] && nla_len(q->tb[NDA_LLADDR]) < ETH_ALEN)
		return -EINVAL;
	q->key = nla_get_ip4(q->tb[NDA_DST]);
	if (!q->ndm->ndm_ifindex)
		return -EINVAL;
	q->dev = dev_get_by_index(net, q->ndm->ndm_ifindex);
	return q->dev ? 0 : -ENODEV;
}

static int neigh_get(struct net *net, const struct nlmsghdr *h, struct nl_reply *r)
{
	struct neighbour *n;
	struct neigh_req q;
	int err = neigh_parse(net, h, &q);

	if (err)
		return err;
	n = neigh_lookup_noref(q.tbl, q.key, q.dev);
	if (!n)
		return -ENOENT;
	neigh_fill(n, r, net->now_ns);
	return 0;
}

static int neigh_new(struct net *net, const struct nlmsghdr *h, struct nl_reply *r)
{
	uint32_t flags = NEIGH_UPDATE_F_ADMIN | NEIGH_UPDATE_F_OVERRIDE;
	const uint8_t *lladdr;
	struct neighbour *n;
	struct neigh_req q;
	bool is_new;
	int err = neigh_parse(net, h, &q);

	if (err)
		return err;
	lladdr = q.tb[NDA_LLADDR] ? nla_data(q.tb[NDA_LLADDR]) : NULL;
	if (q.ndm->ndm_state & (~0xff | (q.ndm->ndm_state - 1)))
		return -EINVAL; /* one state, not several */
	n = neigh_lookup_noref(q.tbl, q.key, q.dev);
	if (n && (h->nlmsg_flags & NLM_F_EXCL))
		return -EEXIST;
	if (!n && !(h->nlmsg_flags & NLM_F_CREATE))
		return -ENOENT;
	if (n && !(h->nlmsg_flags & NLM_F_REPLACE))
		flags &= ~NEIGH_UPDATE_F_OVERRIDE;
	is_new = !n;
	if (n)
		neigh_hold(n);
	else
		n = __neigh_create(q.tbl, q.key, q.dev, true);
	if (!n)
		return -ENOBUFS;
	if ((q.ndm->ndm_flags & NTF_USE) || q.ndm->ndm_state == NUD_INCOMPLETE)
		neigh_event_send(n, NULL); /* resolve it, with nothing to send yet */
	else
		err = neigh_update(n, lladdr, (uint8_t)q.ndm->ndm_state, flags);
	if (err && is_new)
		neigh_delete(q.tbl, q.key, q.dev);
	neigh_release(n);
	return err;
}

static int neigh_del(struct net *net, const struct nlmsghdr *h, struct nl_reply *r)
{
	struct neigh_req q;
	int err = neigh_parse(net, h, &q);

	return err ? err : neigh_delete(q.tbl, q.key, q.dev);
}

int rtnl_neigh_init(struct net *net)
{
	static const struct rtnl_handler h[] = {
		{ NETLINK_ROUTE, RTM_GETNEIGH, neigh_get, neigh_dump },
		{ NETLINK_ROUTE, RTM_NEWNEIGH, neigh_new, NULL },
		{ NETLINK_ROUTE, RTM_DELNEIGH, neigh_del, NULL },
	};

	return rtnl_register(net, h, ARRAY_SIZE(h));
}
