/* What a route says: next hops, metrics, preferred source. Checks a new one, shares equal ones between routes,
 * and marks them dead when their device or address goes.
 *
 * Called by fib_frontend.c and fib_rtnl.c (changes), fib_rules.c and route_out.c (choice of next hop).
 * RFC 1812 5.2.4.3 (next hop on a connected net), 5.3.12 (interface down).
 * Tests: tests/unit/ipv4/test_fib.c. */
#include <errno.h>
#include <stdlib.h>
#include "ipv4/fib_trie.h"
#include "ipv4/netns_ipv4.h"

static const struct fib_prop fib_props[RTN_MAX + 1] = {
	[RTN_UNSPEC] = { 0, RT_SCOPE_NOWHERE, "unspec" },
	[RTN_UNICAST] = { 0, RT_SCOPE_UNIVERSE, "RTN_UNICAST" },
	[RTN_LOCAL] = { 0, RT_SCOPE_HOST, "RTN_LOCAL" },
	[RTN_BROADCAST] = { 0, RT_SCOPE_LINK, "RTN_BROADCAST" },
	[RTN_ANYCAST] = { 0, RT_SCOPE_LINK, "RTN_ANYCAST" },
	[RTN_MULTICAST] = { 0, RT_SCOPE_UNIVERSE, "RTN_MULTICAST" },
	[RTN_BLACKHOLE] = { -EINVAL, RT_SCOPE_UNIVERSE, "RTN_BLACKHOLE" },
	[RTN_UNREACHABLE] = { -EHOSTUNREACH, RT_SCOPE_UNIVERSE, "RTN_UNREACHABLE" },
	[RTN_PROHIBIT] = { -EACCES, RT_SCOPE_UNIVERSE, "RTN_PROHIBIT" },
	[RTN_THROW] = { -EAGAIN, RT_SCOPE_UNIVERSE, "RTN_THROW" },
	[RTN_NAT] = { -EINVAL, RT_SCOPE_NOWHERE, "RTN_NAT" },
	[RTN_XRESOLVE] = { -EINVAL, RT_SCOPE_NOWHERE, "RTN_XRESOLVE" },
};

const struct fib_prop *fib_prop_of(uint8_t type)
{
	return &fib_props[type <= RTN_MAX ? type : RTN_UNSPEC];
}

/* ---- sharing ---- */

static uint32_t fib_info_hash_of(const struct fib_info *fi)
{
	uint64_t h = hash_words(fi->net->hash_key, (uint64_t)fi->prefsrc << 32 | fi->priority,
				(uint64_t)fi->nhs << 24 | (uint64_t)fi->protocol << 16 | (uint64_t)fi->scope << 8 | fi->type);

	for (uint32_t i = 0; i < fi->nhs; i++)
		h = hash_words(h, (uint64_t)(uint32_t)fi->nh[i].oif << 32 | fi->nh[i].gw, fi->nh[i].weight);
	return (uint32_t)h;
}

static bool fib_info_equal(const struct fib_info *a, const struct fib_info *b)
{
	/* Everything from the first metric to the end of congctl is plain data. */
	size_t from = offsetof(struct fib_info, metrics), to = offsetof(struct fib_info, nhs);

	if (a->nhs != b->nhs || a->protocol != b->protocol || a->scope != b->scope || a->type != b->type ||
	    a->prefsrc != b->prefsrc || a->priority != b->priority ||
	    memcmp((const char *)a + from, (const char *)b + from, to - from) != 0)
		return false;
	for (uint32_t i = 0; i < a->nhs; i++) {
		const struct fib_nh *x = &a->nh[i], *y = &b->nh[i];

		if (x->oif != y->oif || x->gw != y->gw || x->scope != y->scope || x->weight != y->weight ||
		    ((x->flags ^ y->flags) & ~RTNH_F_DEAD))
			return false;
	}
	return true;
}

static struct fib_info *fib_find_info(const struct netns_ipv4 *ip, const struct fib_info *want)
{
	struct fib_info *fi;

	if (!ip->fib_info_hash_size)
		return NULL;
	hlist_for_each_entry(fi, &ip->fib_info_hash[want->hash & (ip->fib_info_hash_size - 1)], hash_node) {
		if (fi->hash == want->hash && !fi->dead && fib_info_equal(fi, want))
			return fi;
	}
	return NULL;
}

static void fib_info_hash_grow(struct netns_ipv4 *ip)
{
	uint32_t size = ip->fib_info_hash_size ? 2 * ip->fib_info_hash_size : 16;
	struct hlist_head *fresh = xcalloc(size, sizeof(*fresh));
	struct fib_info *fi;

	list_for_each_entry(fi, &ip->fib_infos, list) {
		hlist_del_init(&fi->hash_node);
		hlist_add_head(&fi->hash_node, &fresh[fi->hash & (size - 1)]);
	}
	free(ip->fib_info_hash);
	ip->fib_info_hash = fresh;
	ip->fib_info_hash_size = size;
}

static void fib_info_link(struct netns_ipv4 *ip, struct fib_info *fi)
{
	if (ip->nr_fib_infos >= ip->fib_info_hash_size)
		fib_info_hash_grow(ip);
	list_add_tail(&fi->list, &ip->fib_infos);
	hlist_add_head(&fi->hash_node, &ip->fib_info_hash[fi->hash & (ip->fib_info_hash_size - 1)]);
	ip->nr_fib_infos++;
}

void fib_info_hold(struct fib_info *fi)
{
	fi->refcnt++;
}

void fib_info_put(struct fib_info *fi)
{
	if (--fi->refcnt == 0)
		free(fi);
}

static void fib_info_unlink(struct fib_info *fi)
{
	if (!hlist_unhashed(&fi->hash_node)) {
		hlist_del_init(&fi->hash_node);
		list_del_init(&fi->list);
		fi->net->ipv4->nr_fib_infos--;
	}
}

void fib_release_info(struct fib_info *fi)
{
	if (--fi->treeref == 0) {
		fi->dead = 1;
		fib_info_unlink(fi);
		/* The shared routes hold the info and the info holds them: cut here. */
		for (uint32_t i = 0; i < fi->nhs; i++)
			fib_nh_release_routes(&fi->nh[i]);
	}
	fib_info_put(fi);
}

/* ---- checks ---- */

/* The gateway must be a neighbour: found by a route of a narrower scope than the new one's. */
static int fib_check_gateway(struct net *net, const struct fib_config *cfg, struct fib_nh *nh)
{
	struct flowi4 fl = { .daddr = nh->gw, .oif = nh->oif, .scope = (uint8_t)(cfg->scope + 1) };
	struct fib_result res;
	struct net_device *dev;

	if (cfg->scope >= RT_SCOPE_LINK)
		return -EINVAL;
	if (nh->flags & RTNH_F_ONLINK) {
		dev = dev_get_by_index(net, nh->oif);
		if (!dev)
			return -ENODEV;
		if (!(dev->flags & DEVF_UP))
			return -ENETDOWN;
		if (inet_addr_type(net, nh->gw) != RTN_UNICAST)
			return -EINVAL;
		nh->dev = dev;
		nh->scope = RT_SCOPE_LINK;
		return 0;
	}
	/* A gateway of scope host would be ourselves: look no narrower than link. */
	if (fl.scope < RT_SCOPE_LINK)
		fl.scope = RT_SCOPE_LINK;
	if (fib_lookup(net, &fl, &res))
		return -ENETUNREACH;
	if (res.type != RTN_UNICAST && res.type != RTN_LOCAL)
		return -EINVAL;
	nh->scope = res.scope;
	nh->dev = res.fi->nh[res.nh_sel].dev;
	if (!nh->dev)
		return -ENETUNREACH;
	nh->oif = nh->dev->ifindex;
	return nh->dev->flags & DEVF_UP ? 0 : -ENETDOWN;
}

static int fib_check_nh(struct net *net, const struct fib_config *cfg, struct fib_nh *nh)
{
	if (nh->gw)
		return fib_check_gateway(net, cfg, nh);
	if (nh->flags & RTNH_F_ONLINK)
		return -EINVAL;
	nh->dev = dev_get_by_index(net, nh->oif);
	if (!nh->dev || !nh->dev->ip_ptr)
		return -ENODEV;
	if (!(nh->dev->flags & DEVF_UP))
		return -ENETDOWN;
	nh->scope = RT_SCOPE_HOST;
	return 0;
}

/* Routes to ourselves: one device, no gateway, valid while the device is down. */
static int fib_check_local_nh(struct net *net, struct fib_info *fi)
{
	struct fib_nh *nh = &fi->nh[0];

	if (fi->nhs != 1 || nh->gw)
		return -EINVAL;
	nh->dev = dev_get_by_index(net, nh->oif);
	nh->scope = RT_SCOPE_NOWHERE;
	return nh->dev ? 0 : -ENODEV;
}

static bool fib_prefsrc_valid(struct net *net, const struct fib_config *cfg)
{
	if (!cfg->prefsrc)
		return true;
	if (cfg->type == RTN_LOCAL && cfg->dst && cfg->prefsrc == cfg->dst)
		return true;
	return inet_addr_type(net, cfg->prefsrc) == RTN_LOCAL;
}

static int fib_check_info(struct net *net, const struct fib_config *cfg, struct fib_info *fi)
{
	if (fib_props[cfg->type].error) { /* unreachable and its like lead nowhere */
		if (cfg->gw || cfg->oif || cfg->n_nh)
			return -EINVAL;
		return fib_prefsrc_valid(net, cfg) ? 0 : -EINVAL;
	}
	if (cfg->type != RTN_UNICAST && cfg->type != RTN_LOCAL && cfg->type != RTN_BROADCAST &&
	    cfg->type != RTN_ANYCAST && cfg->type != RTN_MULTICAST)
		return -EINVAL;
	if (cfg->scope > RT_SCOPE_HOST)
		return -EINVAL;
	if (cfg->scope == RT_SCOPE_HOST) {
		int err = fib_check_local_nh(net, fi);

		if (err)
			return err;
	} else {
		for (uint32_t i = 0; i < fi->nhs; i++) {
			int err = fib_check_nh(net, cfg, &fi->nh[i]);

			if (err)
				return err;
		}
	}
	return fib_prefsrc_valid(net, cfg) ? 0 : -EINVAL;
}

/* ---- making ---- */

static void fib_fill_metrics(struct fib_info *fi, const struct fib_config *cfg)
{
	memcpy(fi->metrics, cfg->metrics, sizeof(fi->metrics));
	memcpy(fi->congctl, cfg->congctl, sizeof(fi->congctl));
	fi->congctl[sizeof(fi->congctl) - 1] = 0;
}

static void fib_fill_nexthops(struct fib_info *fi, const struct fib_config *cfg)
{
	for (uint32_t i = 0; i < fi->nhs; i++) {
		struct fib_nh *nh = &fi->nh[i];

		if (cfg->n_nh) {
			nh->oif = cfg->nh[i].oif;
			nh->gw = cfg->nh[i].gw;
			nh->weight = cfg->nh[i].weight ? cfg->nh[i].weight : 1;
			nh->flags = cfg->nh[i].flags & RTNH_F_ONLINK;
		} else {
			nh->oif = cfg->oif;
			nh->gw = cfg->gw;
			nh->weight = 1;
			nh->flags = cfg->nh_flags & RTNH_F_ONLINK;
		}
	}
}

struct fib_info *fib_create_info(struct net *net, const struct fib_config *cfg, int *err)
{
	uint32_t nhs = cfg->n_nh ? cfg->n_nh : 1;
	struct fib_info *fi, *same;

	*err = -EINVAL;
	if (cfg->type > RTN_MAX || cfg->n_nh > FIB_MAX_NH || fib_props[cfg->type].scope > cfg->scope)
		return NULL;
	if (fib_props[cfg->type].error)
		nhs = 1; /* one empty next hop, so that readers need no special case */
	fi = xcalloc(1, sizeof(*fi) + nhs * sizeof(fi->nh[0]));
	fi->net = net;
	fi->nhs = nhs;
	fi->protocol = cfg->protocol;
	fi->scope = cfg->scope;
	fi->type = cfg->type;
	fi->prefsrc = cfg->prefsrc;
	fi->priority = cfg->priority;
	fib_fill_metrics(fi, cfg);
	fib_fill_nexthops(fi, cfg);
	*err = fib_check_info(net, cfg, fi);
	if (*err) {
		free(fi);
		return NULL;
	}
	fi->hash = fib_info_hash_of(fi);
	same = fib_find_info(net->ipv4, fi);
	if (same) {
		free(fi);
		fi = same;
	} else {
		fib_info_link(net->ipv4, fi);
	}
	fi->treeref++;
	fi->refcnt++;
	return fi;
}

/* Does a request to delete mean this route? What it does not say does not matter. */
bool fib_nh_match(const struct fib_config *cfg, const struct fib_info *fi)
{
	if (cfg->priority && cfg->priority != fi->priority)
		return false;
	if (!cfg->n_nh)
		return (!cfg->oif || cfg->oif == fi->nh[0].oif) && (!cfg->gw || cfg->gw == fi->nh[0].gw);
	if (cfg->n_nh != fi->nhs)
		return false;
	for (uint32_t i = 0; i < fi->nhs; i++) {
		if ((cfg->nh[i].oif && cfg->nh[i].oif != fi->nh[i].oif) ||
		    (cfg->nh[i].gw && cfg->nh[i].gw != fi->nh[i].gw))
			return false;
	}
	return true;
}

/* ---- devices and addresses that go ---- */

static bool fib_info_mark_dev(struct fib_info *fi, const struct net_device *dev, bool force)
{
	uint32_t dead = 0;

	for (uint32_t i = 0; i < fi->nhs; i++) {
		struct fib_nh *nh = &fi->nh[i];

		if (nh->dev == dev && (force || nh->scope != RT_SCOPE_NOWHERE)) {
			nh->flags |= RTNH_F_DEAD;
			fib_nh_release_routes(nh);
			if (force)
				nh->dev = NULL;
		}
		dead += (nh->flags & RTNH_F_DEAD) != 0;
	}
	return dead == fi->nhs;
}

uint32_t fib_sync_down_dev(struct net *net, struct net_device *dev, bool force)
{
	uint32_t n = 0;
	struct fib_info *fi;

	list_for_each_entry(fi, &net->ipv4->fib_infos, list) {
		if (fib_info_mark_dev(fi, dev, force)) {
			fi->dead = 1;
			n++;
		}
	}
	return n;
}

/* The device is up again: next hops over it in multipath routes that survived live again. */
void fib_sync_up(struct net *net, const struct net_device *dev)
{
	struct fib_info *fi;

	list_for_each_entry(fi, &net->ipv4->fib_infos, list) {
		for (uint32_t i = 0; i < fi->nhs && !fi->dead; i++) {
			if (fi->nh[i].dev == dev)
				fi->nh[i].flags &= (uint8_t)~RTNH_F_DEAD;
		}
	}
}

uint32_t fib_sync_down_addr(struct net *net, uint32_t local)
{
	uint32_t n = 0;
	struct fib_info *fi;

	if (!local)
		return 0;
	list_for_each_entry(fi, &net->ipv4->fib_infos, list) {
		if (fi->prefsrc == local) {
			fi->dead = 1;
			n++;
		}
	}
	return n;
}

/* The source address that a route asks for: its own, else the fitting one of its device. */
uint32_t fib_result_prefsrc(struct net *net, const struct fib_result *res)
{
	const struct fib_nh *nh;

	if (!res->fi)
		return 0;
	nh = &res->fi->nh[res->nh_sel];
	if (res->fi->prefsrc)
		return res->fi->prefsrc;
	return nh->dev ? inet_select_addr(nh->dev, nh->gw, res->fi->scope) : 0;
}

/* ---- several next hops ---- */

/* RFC 2992: the hash of a flow falls into one of regions as wide as the weights; a next hop that is dead, or over
 * a device without carrier, has no region. Policy 0: addresses; 1: addresses, protocol and ports. */
static uint32_t fib_multipath_hash(struct net *net, const struct flowi4 *fl4, const struct sk_buff *skb)
{
	uint64_t ports = 0;

	if (net->ipv4->sysctl.fib_multipath_hash_policy) {
		ports = (uint64_t)fl4->proto << 32 | (uint32_t)fl4->sport << 16 | fl4->dport;
		if (skb && !fl4->sport && !fl4->dport && !ip4_is_fragment(ip_hdr(skb)) &&
		    skb_headlen(skb) >= ip4_hlen(ip_hdr(skb)) + 4u) {
			const uint8_t *l4 = skb_network_header(skb) + ip4_hlen(ip_hdr(skb));

			ports = (uint64_t)ip_hdr(skb)->protocol << 32 | get_be32(l4);
		}
	}
	return (uint32_t)hash_words(net->hash_key, (uint64_t)fl4->saddr << 32 | fl4->daddr, ports);
}

static bool fib_nh_usable(const struct fib_nh *nh)
{
	return !(nh->flags & RTNH_F_DEAD) && nh->dev && nh->dev->carrier;
}

static void fib_select_multipath(struct net *net, struct fib_result *res, const struct flowi4 *fl4,
				 const struct sk_buff *skb)
{
	const struct fib_info *fi = res->fi;
	uint32_t total = 0, at;

	for (uint32_t i = 0; i < fi->nhs; i++)
		total += fib_nh_usable(&fi->nh[i]) ? fi->nh[i].weight : 0;
	if (!total)
		return;
	at = (uint32_t)((uint64_t)fib_multipath_hash(net, fl4, skb) * total >> 32);
	for (uint32_t i = 0; i < fi->nhs; i++) {
		uint32_t w = fib_nh_usable(&fi->nh[i]) ? fi->nh[i].weight : 0;

		if (at < w) {
			res->nh_sel = (uint8_t)i;
			return;
		}
		at -= w;
	}
}

/* RFC 1122 3.3.1.4, 3.3.1.5: a gateway that did not answer ARP is given up while another default route of the
 * same TOS and metric has one that is not known to be dead. */
static bool fib_gateway_dead(struct net *net, const struct fib_nh *nh)
{
	struct neighbour *n;

	if (!fib_nh_usable(nh))
		return true;
	n = nh->gw ? neigh_lookup_noref(&net->ipv4->arp_tbl, nh->gw, nh->dev) : NULL;
	return n && (n->nud_state & NUD_FAILED);
}

static void fib_select_default(struct net *net, struct fib_result *res)
{
	const struct fib_alias *first = NULL, *fa;

	for (fa = res->chain; fa; fa = fa->next) {
		if (fa->fi == res->fi)
			first = fa;
		if (!first || fa->tos != first->tos || fa->fi->priority != first->fi->priority ||
		    fa->type != RTN_UNICAST || fa->fi->dead || fa->fi->nhs != 1)
			continue;
		if (!fib_gateway_dead(net, &fa->fi->nh[0])) {
			res->fi = fa->fi;
			res->nh_sel = 0;
			return;
		}
	}
}

void fib_select_path(struct net *net, struct fib_result *res, struct flowi4 *fl4, const struct sk_buff *skb)
{
	/* A bound output device has chosen already (it was part of the match). */
	if (res->fi && res->fi->nhs > 1 && !fl4->oif)
		fib_select_multipath(net, res, fl4, skb);
	else if (res->fi && !res->prefixlen && res->type == RTN_UNICAST && res->chain && res->chain->next && !fl4->oif)
		fib_select_default(net, res);
	if (!fl4->saddr)
		fl4->saddr = fib_result_prefsrc(net, res);
}
