/* The tables: made, changed, flushed; the routes that an interface address brings with it; and the two questions
 * that addresses are asked: what is this one to us, and may a packet with that source come in here?
 *
 * Called by devinet.c (addresses, devices), fib_rtnl.c (users), route_in.c (sources), sockets (address types).
 * RFC 1122 3.2.1.3, 3.3.4.2, 3.3.6; RFC 1812 5.3.8 and RFC 3704 (reverse path), RFC 3021 (/31).
 * Tests: tests/unit/ipv4/test_fib.c, test_devinet.c. */
#include <errno.h>
#include <stdlib.h>
#include "ipv4/fib_trie.h"
#include "ipv4/netns_ipv4.h"

/* ---- tables ---- */

struct fib_table *fib_get_table(struct net *net, uint32_t id)
{
	struct netns_ipv4 *ip = net->ipv4;
	struct fib_table *tb;

	if (id == RT_TABLE_LOCAL_)
		return ip->fib_local;
	if (id == RT_TABLE_MAIN_ || id == 0)
		return ip->fib_main;
	hlist_for_each_entry(tb, &ip->tables[id % FIB_TABLE_HASH], hash) {
		if (tb->id == id)
			return tb;
	}
	return NULL;
}

struct fib_table *fib_new_table(struct net *net, uint32_t id)
{
	struct netns_ipv4 *ip = net->ipv4;
	struct fib_table *tb = fib_get_table(net, id);

	if (tb)
		return tb;
	tb = xcalloc(1, sizeof(*tb));
	tb->net = net;
	tb->id = id ? id : RT_TABLE_MAIN_;
	hlist_add_head(&tb->hash, &ip->tables[tb->id % FIB_TABLE_HASH]);
	if (tb->id == RT_TABLE_LOCAL_)
		ip->fib_local = tb;
	else if (tb->id == RT_TABLE_MAIN_)
		ip->fib_main = tb;
	else if (tb->id == RT_TABLE_DEFAULT_)
		ip->fib_default = tb;
	return tb;
}

/* Where a route of this TOS and priority belongs in the chain of its prefix. */
static struct fib_alias **alias_place(struct fib_alias **at, uint8_t tos, uint32_t prio)
{
	while (*at && ((*at)->tos > tos || ((*at)->tos == tos && (*at)->fi->priority < prio)))
		at = &(*at)->next;
	return at;
}

static bool alias_same_rank(const struct fib_alias *fa, uint8_t tos, uint32_t prio)
{
	return fa && fa->tos == tos && fa->fi->priority == prio;
}

/* The routes of the same prefix, TOS and priority decide what NLM_F_EXCL, REPLACE and APPEND mean. 0: insert at
 * *place; 1: done (replaced); else -errno. */
static int alias_conflict(struct fib_alias ***place, const struct fib_config *cfg, struct fib_info *fi)
{
	struct fib_alias *fa = **place, **at = *place;

	if (!alias_same_rank(fa, cfg->tos, fi->priority))
		return 0;
	if (cfg->nlflags & NLM_F_EXCL)
		return -EEXIST;
	for (; alias_same_rank(*at, cfg->tos, fi->priority); at = &(*at)->next) {
		if ((*at)->type == cfg->type && (*at)->fi == fi) {
			if (!(cfg->nlflags & NLM_F_REPLACE) || *at != fa)
				return -EEXIST;
			fib_release_info(fi);
			return 1;
		}
	}
	if (cfg->nlflags & NLM_F_REPLACE) {
		struct fib_info *old = fa->fi;

		fa->fi = fi;
		fa->type = cfg->type;
		fib_release_info(old);
		return 1;
	}
	if (cfg->nlflags & NLM_F_APPEND)
		*place = at;
	return 0;
}

static struct fib_alias *alias_new(struct netns_ipv4 *ip, const struct fib_config *cfg, struct fib_info *fi)
{
	struct fib_alias *fa = pool_get(&ip->alias_pool);

	fa->fi = fi;
	fa->tos = cfg->tos;
	fa->type = cfg->type;
	return fa;
}

int fib_table_insert(struct net *net, struct fib_table *tb, const struct fib_config *cfg)
{
	struct fib_alias **head, **place, *fa;
	struct fib_info *fi;
	int err;

	if (cfg->dst_len > 32 || (cfg->dst & ~ip4_mask(cfg->dst_len)))
		return -EINVAL;
	if (!(cfg->nlflags & NLM_F_CREATE) && !trie_find(tb, cfg->dst, cfg->dst_len))
		return -ENOENT;
	fi = fib_create_info(net, cfg, &err);
	if (!fi)
		return err;
	head = trie_find_or_add(tb, cfg->dst, cfg->dst_len);
	place = alias_place(head, cfg->tos, fi->priority);
	err = alias_conflict(&place, cfg, fi);
	if (!err && !(cfg->nlflags & NLM_F_CREATE))
		err = -ENOENT;
	if (err < 0) {
		fib_release_info(fi);
		if (!*head)
			trie_remove(tb, cfg->dst, cfg->dst_len);
		return err;
	}
	if (err == 0) {
		fa = alias_new(net->ipv4, cfg, fi);
		fa->next = *place;
		*place = fa;
		tb->nr_routes++;
	}
	rt_cache_flush(net);
	return 0;
}

static void alias_unlink(struct fib_table *tb, struct fib_alias **at, uint32_t key, uint8_t plen)
{
	struct fib_alias *fa = *at, **head = trie_find(tb, key, plen);

	*at = fa->next;
	tb->nr_routes--;
	fib_release_info(fa->fi);
	pool_put(&tb->net->ipv4->alias_pool, fa);
	if (!*head)
		trie_remove(tb, key, plen);
}

static bool alias_is_meant(const struct fib_alias *fa, const struct fib_config *cfg)
{
	const struct fib_info *fi = fa->fi;

	return (!cfg->type || fa->type == cfg->type) && (cfg->scope == RT_SCOPE_NOWHERE || fi->scope == cfg->scope) &&
	       (!cfg->prefsrc || fi->prefsrc == cfg->prefsrc) && (!cfg->protocol || fi->protocol == cfg->protocol) &&
	       fa->tos == cfg->tos && fib_nh_match(cfg, fi);
}

int fib_table_delete(struct net *net, struct fib_table *tb, const struct fib_config *cfg)
{
	struct fib_alias **at;

	if (cfg->dst_len > 32)
		return -EINVAL;
	at = trie_find(tb, cfg->dst, cfg->dst_len);
	for (; at && *at; at = &(*at)->next) {
		if (!alias_is_meant(*at, cfg))
			continue;
		alias_unlink(tb, at, cfg->dst, cfg->dst_len);
		rt_cache_flush(net);
		return 0;
	}
	return -ESRCH;
}

struct doomed {
	uint32_t key;
	uint8_t plen;
	struct fib_alias *fa;
};

struct doomed_list {
	struct doomed *v;
	size_t n, room;
};

static void collect_dead(void *arg, uint32_t key, uint8_t plen, struct fib_alias *fa)
{
	struct doomed_list *d = arg;

	if (!fa->fi->dead)
		return;
	if (d->n == d->room) {
		d->room = d->room ? 2 * d->room : 16;
		d->v = xrealloc(d->v, d->room * sizeof(*d->v));
	}
	d->v[d->n++] = (struct doomed){ key, plen, fa };
}

static void fib_table_flush_dead(struct fib_table *tb)
{
	struct doomed_list d = { 0 };

	trie_walk(tb, collect_dead, &d);
	for (size_t i = 0; i < d.n; i++) {
		struct fib_alias **at = trie_find(tb, d.v[i].key, d.v[i].plen);

		while (*at != d.v[i].fa)
			at = &(*at)->next;
		alias_unlink(tb, at, d.v[i].key, d.v[i].plen);
	}
	free(d.v);
}

void fib_flush(struct net *net)
{
	struct fib_table *tb;

	for (unsigned i = 0; i < FIB_TABLE_HASH; i++) {
		hlist_for_each_entry(tb, &net->ipv4->tables[i], hash)
			fib_table_flush_dead(tb);
	}
	rt_cache_flush(net);
}

/* ---- routes that come with addresses ---- */

enum fib_op { FIB_ADD, FIB_DEL };

static void fib_magic(struct net *net, enum fib_op op, uint8_t type, uint32_t dst, uint8_t plen, const struct in_ifaddr *ifa)
{
	struct fib_config cfg = { .dst = dst, .dst_len = plen, .type = type, .protocol = RTPROT_KERNEL,
				  .prefsrc = ifa->local, .oif = ifa->in_dev->dev->ifindex,
				  .nlflags = NLM_F_CREATE | NLM_F_APPEND };
	struct fib_table *tb = fib_new_table(net, type == RTN_UNICAST ? RT_TABLE_MAIN_ : RT_TABLE_LOCAL_);

	cfg.scope = type == RTN_LOCAL ? RT_SCOPE_HOST : RT_SCOPE_LINK;
	if (op == FIB_ADD)
		(void)fib_table_insert(net, tb, &cfg);
	else
		(void)fib_table_delete(net, tb, &cfg);
}

/* Only the longer half of the space has a broadcast address: RFC 3021 gives none to a /31, a /32 is one host. */
static bool ifa_has_subnet_broadcast(const struct in_ifaddr *ifa)
{
	return ifa->prefixlen < 31;
}

static bool ifa_has_prefix_route(const struct in_ifaddr *ifa)
{
	uint32_t prefix = ifa->address & ifa->mask;

	return prefix && !ifa->secondary && !ifa->noprefixroute && (prefix != ifa->local || ifa->prefixlen < 32);
}

/* A secondary address sends from its primary: its local entry says src PRIMARY. */
static const struct in_ifaddr *ifa_primary(const struct in_ifaddr *ifa)
{
	struct in_ifaddr *p;

	if (!ifa->secondary)
		return ifa;
	list_for_each_entry(p, &ifa->in_dev->addrs, list) {
		if (!p->secondary && p->mask == ifa->mask && inet_ifa_match(ifa->address, p))
			return p;
	}
	return ifa;
}

void fib_add_ifaddr(struct net *net, struct in_ifaddr *ifa)
{
	const struct net_device *dev = ifa->in_dev->dev;
	const struct in_ifaddr *prim = ifa_primary(ifa);
	uint32_t prefix = ifa->address & ifa->mask;

	fib_magic(net, FIB_ADD, RTN_LOCAL, ifa->local, 32, prim);
	if (!(dev->flags & DEVF_UP))
		return;
	if (ifa->broadcast && ifa->broadcast != 0xffffffffu)
		fib_magic(net, FIB_ADD, RTN_BROADCAST, ifa->broadcast, 32, prim);
	if (!ifa_has_prefix_route(ifa))
		return;
	fib_magic(net, FIB_ADD, dev->flags & DEVF_LOOPBACK ? RTN_LOCAL : RTN_UNICAST, prefix, ifa->prefixlen, prim);
	if (ifa_has_subnet_broadcast(ifa))
		fib_magic(net, FIB_ADD, RTN_BROADCAST, prefix | ~ifa->mask, 32, prim);
}

/* Another address of the device that still wants the route: it takes it over. */
static bool ifa_other_wants(const struct in_ifaddr *ifa, uint8_t type, uint32_t dst)
{
	struct in_ifaddr *o;

	list_for_each_entry(o, &ifa->in_dev->addrs, list) {
		uint32_t prefix = o->address & o->mask;

		if (o == ifa)
			continue;
		if (type == RTN_LOCAL && o->local == dst)
			return true;
		if (type == RTN_BROADCAST && (o->broadcast == dst || (ifa_has_prefix_route(o) && ifa_has_subnet_broadcast(o) &&
								      (prefix | ~o->mask) == dst)))
			return true;
	}
	return false;
}

void fib_del_ifaddr(struct net *net, struct in_ifaddr *ifa)
{
	const struct net_device *dev = ifa->in_dev->dev;
	const struct in_ifaddr *prim = ifa_primary(ifa);
	uint32_t prefix = ifa->address & ifa->mask, bcast = prefix | ~ifa->mask;
	struct in_ifaddr *o;

	if (ifa_has_prefix_route(ifa)) {
		fib_magic(net, FIB_DEL, dev->flags & DEVF_LOOPBACK ? RTN_LOCAL : RTN_UNICAST, prefix, ifa->prefixlen, prim);
		if (ifa_has_subnet_broadcast(ifa))
			fib_magic(net, FIB_DEL, RTN_BROADCAST, bcast, 32, prim);
	}
	if (ifa->broadcast && ifa->broadcast != 0xffffffffu &&
	    (ifa->broadcast != bcast || (!ifa->secondary && ifa->noprefixroute)))
		fib_magic(net, FIB_DEL, RTN_BROADCAST, ifa->broadcast, 32, prim);
	if (!ifa_other_wants(ifa, RTN_LOCAL, ifa->local)) {
		fib_magic(net, FIB_DEL, RTN_LOCAL, ifa->local, 32, prim);
		/* Routes that send from an address which is no longer ours die with it. */
		if (!inet_lookup_ifaddr(net, NULL, ifa->local) && fib_sync_down_addr(net, ifa->local))
			fib_flush(net);
	}
	/* What went too far comes back for the addresses that stay. */
	list_for_each_entry(o, &ifa->in_dev->addrs, list) {
		if (o != ifa && (ifa_other_wants(ifa, RTN_BROADCAST, bcast) ||
				 (ifa->broadcast && ifa_other_wants(ifa, RTN_BROADCAST, ifa->broadcast))))
			fib_add_ifaddr(net, o);
	}
}

void fib_disable_ip(struct net *net, struct net_device *dev, bool force)
{
	(void)fib_sync_down_dev(net, dev, force);
	fib_flush(net);
	arp_ifdown(dev);
}

/* ---- what is this address to us? ---- */

static unsigned addr_type(struct net *net, const struct net_device *dev, uint32_t addr)
{
	struct flowi4 fl = { .daddr = addr };
	struct fib_result res;

	if (ip4_is_lbcast(addr) || ip4_is_zeronet(addr))
		return RTN_BROADCAST;
	if (ip4_is_multicast(addr))
		return RTN_MULTICAST;
	if (!net->ipv4->fib_local || fib_table_lookup(net->ipv4->fib_local, &fl, &res, FIB_LOOKUP_NOREF))
		return RTN_UNICAST;
	return !dev || res.fi->nh[res.nh_sel].dev == dev ? res.type : RTN_UNICAST;
}

unsigned inet_addr_type(struct net *net, uint32_t addr)
{
	return addr_type(net, NULL, addr);
}

unsigned inet_dev_addr_type(struct net *net, const struct net_device *dev, uint32_t addr)
{
	return addr_type(net, dev, addr);
}

uint32_t fib_compute_spec_dst(const struct sk_buff *skb)
{
	const struct rtable *rt = skb_rtable(skb);
	const struct ip4_hdr *h = ip_hdr(skb);
	struct flowi4 fl = { .daddr = ip4_saddr(h), .tos = h->tos & 0x1c, .scope = RT_SCOPE_UNIVERSE };
	struct fib_result res;

	if (rt && (rt->flags & (RTCF_LOCAL_ | RTCF_BROADCAST_ | RTCF_MULTICAST_)) == RTCF_LOCAL_)
		return ip4_daddr(h);
	if (!skb->dev || !skb->dev->ip_ptr)
		return 0;
	if (!ip4_is_zeronet(fl.daddr) && fib_lookup(skb->net, &fl, &res) == 0 && res.fi)
		return fib_result_prefsrc(skb->net, &res);
	return inet_select_addr(skb->dev, 0, RT_SCOPE_UNIVERSE);
}

/* ---- may it come from there? ---- */

/* Strict (1): the way back to src must leave by dev. Loose (2): there must be a way back. RFC 3704. */
static enum drop_reason reverse_path(struct sk_buff *skb, uint32_t src, uint32_t dst, uint8_t tos, struct net_device *dev,
				     int rpf)
{
	struct net *net = skb->net;
	struct flowi4 fl = { .daddr = src, .saddr = dst, .tos = tos, .iif = dev->ifindex, .mark = skb->mark };
	struct fib_result res;

	if (fib_lookup(net, &fl, &res))
		return dev->ip_ptr && !list_empty(&dev->ip_ptr->addrs) ? DROP_IP_RPFILTER : DROP_NOT_SPECIFIED;
	if (res.type != RTN_UNICAST)
		return DROP_IP_MARTIAN_SOURCE;
	for (uint32_t i = 0; i < res.fi->nhs; i++) {
		if (res.fi->nh[i].dev == dev)
			return DROP_NOT_SPECIFIED;
	}
	return rpf == 1 ? DROP_IP_RPFILTER : DROP_NOT_SPECIFIED;
}

enum drop_reason fib_validate_source(struct sk_buff *skb, uint32_t src, uint32_t dst, uint8_t tos, struct net_device *dev,
				     bool *do_redirect, int oif)
{
	struct in_device *in = dev->ip_ptr;
	int rpf = in_dev_conf_max(in, CNF_RP_FILTER);
	unsigned type = inet_addr_type(skb->net, src);
	enum drop_reason r;

	/* Our own address, or a broadcast one, as source: never from outside (RFC 1122 3.2.1.3, IP4-10, IP4-11). */
	if (type == RTN_LOCAL && !in_dev_conf_or(in, CNF_ACCEPT_LOCAL))
		return DROP_IP_LOCAL_SOURCE;
	if (type == RTN_BROADCAST || type == RTN_MULTICAST)
		return DROP_IP_MARTIAN_SOURCE;
	if (rpf) {
		r = reverse_path(skb, src, dst, tos, dev, rpf);
		if (r)
			return r;
	}
	/* Back out where it came in, to a neighbour of the sender: the sender could go there directly. */
	if (do_redirect)
		*do_redirect = oif == dev->ifindex && in_dev_conf_or(in, CNF_SEND_REDIRECTS) &&
			       (in_dev_conf_or(in, CNF_SHARED_MEDIA) || inet_addr_onlink(in, src));
	return DROP_NOT_SPECIFIED;
}

/* ---- life ---- */

int fib_init(struct net *net)
{
	struct netns_ipv4 *ip = net->ipv4;

	list_init(&ip->fib_infos);
	pool_init(&ip->alias_pool, "fib_alias", sizeof(struct fib_alias), 16);
	return fib_rules_init(net);
}

void fib_exit(struct net *net)
{
	struct netns_ipv4 *ip = net->ipv4;
	struct fib_table *tb;
	struct hlist_node *tmp;

	fib_rules_exit(net);
	ip->fib_local = ip->fib_main = ip->fib_default = NULL;
	for (unsigned i = 0; i < FIB_TABLE_HASH; i++) {
		hlist_for_each_entry_safe(tb, tmp, &ip->tables[i], hash) {
			hlist_del_init(&tb->hash);
			trie_free(tb);
			free(tb);
		}
	}
	free(ip->fib_info_hash);
	ip->fib_info_hash = NULL;
	ip->fib_info_hash_size = 0;
	pool_destroy(&ip->alias_pool);
}
