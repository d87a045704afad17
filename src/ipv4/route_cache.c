/* rtables: made, kept, declared stale; and what the network taught us about single destinations: a smaller path
 * MTU (RFC 1191) or a better first hop (redirect, RFC 1122 3.2.2.2).
 *
 * Who shares what:
 *     fib_nh.rth_output/rth_input   one rtable for all destinations behind a next hop
 *     rt_exception.rth_out/rth_in   one rtable for a single destination that differs from it
 * A route change bumps rt_genid: every rtable made before is stale and is looked up anew by whoever cached it. A
 * new exception makes only the rtables of its next hop stale. Exceptions are bounded (RT_EXC_MAX, the one unused
 * longest goes first; keyed hash: CVE-2021-20322) and live mtu_expires (600 s).
 *
 * Called by route_out.c, route_in.c, icmp.c. Tests: tests/unit/ipv4/test_route.c, test_icmp.c (S3-10, ICMP-11,
 * ICMP-13, ICMP-15). */
#include <errno.h>
#include <stdlib.h>
#include "ipv4/fib_trie.h"
#include "ipv4/netns_ipv4.h"
#include "ipv4/rt_exception.h"

#define IPV4_MIN_MTU 68u          /* RFC 791: every link carries that much */
#define REDIRECT_LIFE_NS (300 * NSEC_PER_SEC)

/* ---- dst_ops ---- */

static int dst_discard_in(struct sk_buff *skb)
{
	kfree_skb_reason(skb, DROP_DEV_READY);
	return NET_RX_DROP;
}

static int dst_discard_out(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	kfree_skb_reason(skb, DROP_DEV_READY);
	return -ENETDOWN;
}

bool rt_cache_valid(const struct rtable *rt)
{
	return rt && !rt->dst.obsolete && rt->genid == rt->dst.net->ipv4->rt_genid;
}

static struct dst_entry *ipv4_dst_check(struct dst_entry *dst, uint32_t cookie)
{
	return rt_cache_valid((struct rtable *)(void *)dst) ? dst : NULL;
}

static void ipv4_dst_destroy(struct dst_entry *dst)
{
	struct rtable *rt = (struct rtable *)(void *)dst;
	struct netns_ipv4 *ip = dst->net->ipv4;

	list_del_init(&rt->list);
	ip->nr_rtables--;
	if (rt->fi)
		fib_info_put(rt->fi);
	pool_put(&ip->rt_pool, rt);
}

static uint32_t ipv4_mtu(const struct dst_entry *dst)
{
	const struct rtable *rt = (const struct rtable *)(const void *)dst;
	uint32_t mtu = rt->fi ? rt->fi->metrics[RTAX_MTU] : 0;

	if (rt->pmtu && dst->net->now_ns < rt->pmtu_expires_ns)
		mtu = rt->pmtu;
	else if (!mtu || mtu > dst->dev->mtu)
		mtu = dst->dev->mtu;
	return min_u32(mtu, IP4_MAX_LEN);
}

static uint32_t ipv4_advmss(const struct dst_entry *dst)
{
	const struct rtable *rt = (const struct rtable *)(const void *)dst;
	uint32_t floor = (uint32_t)dst->net->ipv4->sysctl.min_adv_mss, mtu = ipv4_mtu(dst);

	if (rt->fi && rt->fi->metrics[RTAX_ADVMSS])
		return rt->fi->metrics[RTAX_ADVMSS];
	/* 40: IP and TCP headers without options (RFC 6691) */
	return max_u32(mtu > 40 ? mtu - 40 : 0, floor);
}

uint32_t ip_dst_mtu_maybe_forward(const struct dst_entry *dst, bool forwarding)
{
	const struct rtable *rt = (const struct rtable *)(const void *)dst;

	/* A router does not believe PMTUs that strangers taught it about other people's packets. */
	if (!forwarding || dst->net->ipv4->sysctl.ip_forward_use_pmtu || fib_metric_locked(rt->fi, RTAX_MTU))
		return ipv4_mtu(dst);
	if (rt->fi && rt->fi->metrics[RTAX_MTU])
		return min_u32(rt->fi->metrics[RTAX_MTU], min_u32(dst->dev->mtu, IP4_MAX_LEN));
	return min_u32(dst->dev->mtu, IP4_MAX_LEN);
}

static void ipv4_link_failure(struct sk_buff *skb)
{
	icmp_send(skb, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 0);
}

static struct neighbour *ipv4_neigh_lookup(const struct dst_entry *dst, uint32_t daddr)
{
	const struct rtable *rt = (const struct rtable *)(const void *)dst;

	return neigh_lookup_noref(&dst->net->ipv4->arp_tbl, arp_key(dst->dev, rt_nexthop(rt, daddr)), dst->dev);
}

static void ip_rt_update_pmtu(struct dst_entry *dst, struct sock *sk, struct sk_buff *skb, uint32_t mtu);

/* What `ip route add ... initcwnd N rto_min T ...` said. */
static uint32_t ipv4_metric(const struct dst_entry *dst, int which)
{
	const struct fib_info *fi = ((const struct rtable *)(const void *)dst)->fi;

	return fi && which <= RTAX_MAX ? fi->metrics[which] : 0;
}

static const char *ipv4_congctl(const struct dst_entry *dst)
{
	const struct fib_info *fi = ((const struct rtable *)(const void *)dst)->fi;

	return fi && fi->congctl[0] ? fi->congctl : NULL;
}

static const struct dst_ops ipv4_dst_ops = {
	.check = ipv4_dst_check,
	.destroy = ipv4_dst_destroy,
	.mtu = ipv4_mtu,
	.advmss = ipv4_advmss,
	.link_failure = ipv4_link_failure,
	.update_pmtu = ip_rt_update_pmtu,
	.neigh_lookup = ipv4_neigh_lookup,
	.metric = ipv4_metric,
	.congctl = ipv4_congctl,
};

struct rtable *rt_dst_alloc(struct net *net, struct net_device *dev, uint32_t flags, uint16_t type)
{
	TRACE_FN(&net->probe, 0);
	struct netns_ipv4 *ip = net->ipv4;
	struct rtable *rt = pool_zget(&ip->rt_pool);

	rt->dst.net = net;
	rt->dst.dev = dev;
	rt->dst.ops = &ipv4_dst_ops;
	rt->dst.refcnt = 1;
	rt->dst.lastuse_ns = net->now_ns;
	/* Output is ip_output whatever the destination; what RTCF_LOCAL changes is the input. */
	rt->dst.output = ip_output;
	rt->dst.input = flags & RTCF_LOCAL_ ? ip_local_deliver : dst_discard_in;
	rt->flags = flags;
	rt->type = type;
	rt->genid = ip->rt_genid;
	list_add_tail(&rt->list, &ip->rtables);
	ip->nr_rtables++;
	return rt;
}

static void rt_kill(struct rtable **slot)
{
	if (*slot) {
		(*slot)->dst.obsolete = 1;
		dst_release(&(*slot)->dst);
		*slot = NULL;
	}
}

void fib_nh_release_routes(struct fib_nh *nh)
{
	rt_kill(&nh->rth_output);
	rt_kill(&nh->rth_input);
}

void rt_cache_flush(struct net *net)
{
	net->ipv4->rt_genid++;
}

/* ---- exceptions ---- */

static struct hlist_head *exc_bucket(struct net *net, uint32_t daddr, int ifindex)
{
	return &net->ipv4->exc.buckets[hash_words(net->hash_key, daddr, (uint32_t)ifindex) % RT_EXC_HASH];
}

static void exc_kill_routes(struct rt_exception *e)
{
	rt_kill(&e->rth_out);
	rt_kill(&e->rth_in);
}

static void exc_free(struct net *net, struct rt_exception *e)
{
	exc_kill_routes(e);
	hlist_del_init(&e->hash);
	list_del_init(&e->lru);
	net->ipv4->exc.n--;
	free(e);
}

struct rt_exception *rt_find_exception(struct net *net, uint32_t daddr, const struct net_device *dev)
{
	struct exc_state *s = &net->ipv4->exc;
	struct rt_exception *e;

	if (likely(!s->n))
		return NULL;
	hlist_for_each_entry(e, exc_bucket(net, daddr, dev->ifindex), hash) {
		if (e->daddr != daddr || e->ifindex != dev->ifindex)
			continue;
		if (net->now_ns >= e->expires_ns) {
			exc_free(net, e);
			return NULL;
		}
		list_del_init(&e->lru);
		list_add_tail(&e->lru, &s->lru);
		return e;
	}
	return NULL;
}

static struct rt_exception *exc_new(struct net *net, uint32_t daddr, int ifindex)
{
	struct exc_state *s = &net->ipv4->exc;
	struct rt_exception *e;

	if (!s->buckets)
		s->buckets = xcalloc(RT_EXC_HASH, sizeof(*s->buckets));
	if (s->n >= RT_EXC_MAX)
		exc_free(net, list_first_entry(&s->lru, struct rt_exception, lru));
	e = xcalloc(1, sizeof(*e));
	e->daddr = daddr;
	e->ifindex = ifindex;
	hlist_add_head(&e->hash, exc_bucket(net, daddr, ifindex));
	list_add_tail(&e->lru, &s->lru);
	s->n++;
	return e;
}

/* Learn: gw and pmtu, 0 for "nothing new". rt: the route in use up to now. */
static void update_or_create_exc(struct rtable *rt, uint32_t daddr, uint32_t gw, uint32_t pmtu, bool lock, uint64_t expires)
{
	struct net *net = rt->dst.net;
	struct rt_exception *e = rt_find_exception(net, daddr, rt->dst.dev);

	if (!e) {
		e = exc_new(net, daddr, rt->dst.dev->ifindex);
		/* Whoever uses the shared rtable must look again: the destination may be this one. */
		for (uint32_t i = 0; rt->fi && i < rt->fi->nhs; i++)
			fib_nh_release_routes(&rt->fi->nh[i]);
	}
	if (gw && gw != e->gw) {
		e->gw = gw;
		exc_kill_routes(e);
	}
	if (pmtu) {
		e->pmtu = pmtu;
		e->locked = lock;
	}
	e->expires_ns = expires;
	for (int i = 0; i < 2; i++) {
		struct rtable *r = i ? e->rth_in : e->rth_out;

		if (r) {
			r->pmtu = e->pmtu;
			r->pmtu_locked = e->locked;
			r->pmtu_expires_ns = expires;
		}
	}
}

void rt_set_nexthop(struct rtable *rt, uint32_t daddr, const struct fib_result *res)
{
	struct rt_exception *e;
	const struct fib_nh *nh;

	if (!res->fi)
		return;
	nh = &res->fi->nh[res->nh_sel];
	rt->table_id = res->table_id;
	rt->saddr = res->fi->prefsrc;
	rt->fi = res->fi;
	fib_info_hold(rt->fi);
	/* A gateway of scope link is one that really stands on the link. */
	if (nh->gw && nh->scope == RT_SCOPE_LINK) {
		rt->gw = nh->gw;
		rt->uses_gateway = true;
	}
	e = rt_find_exception(rt->dst.net, daddr, rt->dst.dev);
	if (!e)
		return;
	rt->daddr = daddr;
	rt->pmtu = e->pmtu;
	rt->pmtu_locked = e->locked;
	rt->pmtu_expires_ns = e->expires_ns;
	if (e->gw) {
		rt->gw = e->gw;
		rt->uses_gateway = true;
	}
}

/* ---- path MTU ---- */

static void __ip_rt_update_pmtu(struct rtable *rt, uint32_t daddr, uint32_t mtu)
{
	const struct ipv4_sysctl *sc = &rt->dst.net->ipv4->sysctl;
	struct net *net = rt->dst.net;
	uint32_t old = ipv4_mtu(&rt->dst), floor = (uint32_t)sc->min_pmtu;
	bool lock = false;

	/* It only ever goes down, and never below what any link must carry (RFC 1191 3, ICMP-11). */
	if (fib_metric_locked(rt->fi, RTAX_MTU) || mtu < IPV4_MIN_MTU || old < mtu)
		return;
	if (mtu < floor) {
		lock = true;
		mtu = min_u32(old, floor);
	}
	if (rt->flags & (RTCF_BROADCAST_ | RTCF_MULTICAST_))
		return;
	TRACE(&net->probe, TR_ROUTE, 0, "pmtu dst=%u.%u.%u.%u mtu=%u was=%u", daddr >> 24, daddr >> 16 & 255,
	      daddr >> 8 & 255, daddr & 255, mtu, old);
	update_or_create_exc(rt, daddr, 0, mtu, lock, net->now_ns + (uint32_t)sc->mtu_expires * NSEC_PER_SEC);
}

static void ip_rt_update_pmtu(struct dst_entry *dst, struct sock *sk, struct sk_buff *skb, uint32_t mtu)
{
	struct rtable *rt = (struct rtable *)(void *)dst;
	uint32_t daddr = rt->daddr;

	if (sk && inet_sk(sk)->daddr)
		daddr = inet_sk(sk)->daddr;
	else if (skb)
		daddr = ip4_daddr(ip_hdr(skb));
	if (daddr)
		__ip_rt_update_pmtu(rt, daddr, mtu);
}

/* The route that the quoted packet took. */
static struct rtable *quoted_route(const struct sk_buff *skb, struct net *net, int oif, uint8_t proto)
{
	const struct ip4_hdr *q = (const struct ip4_hdr *)(const void *)skb->data;
	struct flowi4 fl = { .daddr = ip4_daddr(q), .saddr = ip4_saddr(q), .oif = oif, .tos = q->tos & 0x1c, .proto = proto };
	int err;

	return __ip_route_output_key(net, &fl, &err);
}

void ipv4_update_pmtu(struct sk_buff *skb, struct net *net, uint32_t mtu, int oif, uint8_t proto)
{
	const struct ip4_hdr *q = (const struct ip4_hdr *)(const void *)skb->data;
	struct rtable *rt = quoted_route(skb, net, oif, proto);

	if (rt) {
		__ip_rt_update_pmtu(rt, ip4_daddr(q), mtu);
		dst_release(&rt->dst);
	}
}

void ipv4_sk_update_pmtu(struct sk_buff *skb, struct sock *sk, uint32_t mtu)
{
	if (!ip_sk_accept_pmtu(sk))
		return;
	ipv4_update_pmtu(skb, sk->net, mtu, sk->bound_dev_if, sk->protocol);
	if (sk->dst_cache && !sk->dst_cache->ops->check(sk->dst_cache, 0))
		sk_dst_reset(sk);
}

/* ---- redirects ---- */

/* RFC 1122 3.2.2.2: from the gateway that we use, to a neighbour on the same net that is not ourselves. */
static bool redirect_ok(const struct rtable *rt, const struct in_device *in, uint32_t old_gw, uint32_t new_gw)
{
	return rt->gw == old_gw && new_gw != old_gw && in_dev_rx_redirects(in) && rt->dst.dev == in->dev &&
	       !ip4_is_multicast(new_gw) && !ip4_is_lbcast(new_gw) && !ip4_is_zeronet(new_gw) &&
	       !ip4_is_loopback(new_gw) && inet_addr_onlink(in, new_gw) &&
	       inet_addr_type(rt->dst.net, new_gw) == RTN_UNICAST;
}

void ipv4_redirect(struct sk_buff *skb, struct net *net, int oif, uint8_t proto, uint32_t new_gw, struct net_device *dev)
{
	const struct ip4_hdr *q = (const struct ip4_hdr *)(const void *)skb->data;
	struct rtable *rt = quoted_route(skb, net, oif, proto);

	if (!rt)
		return;
	if (dev->ip_ptr && redirect_ok(rt, dev->ip_ptr, ip4_saddr(ip_hdr(skb)), new_gw)) {
		update_or_create_exc(rt, ip4_daddr(q), new_gw, 0, false, net->now_ns + REDIRECT_LIFE_NS);
		rt->dst.obsolete = 1;
	} else if (dev->ip_ptr && (dev->ip_ptr->cnf[CNF_LOG_MARTIANS] || net->ipv4->devconf_all[CNF_LOG_MARTIANS])) {
		TRACE(&net->probe, TR_NOTE, skb->serial, "redirect ignored: gateway=%08x", new_gw);
	}
	dst_release(&rt->dst);
}

/* RFC 1812 5.2.7.2. Never more than redirect_number in a row, with growing pauses, until the sender was silent for
 * redirect_silence: who does not listen is not told for ever. */
void ip_rt_send_redirect(struct sk_buff *skb)
{
	struct net *net = skb->net;
	const struct rtable *rt = skb_rtable(skb);
	const struct ipv4_sysctl *sc = &net->ipv4->sysctl;
	const struct in_device *in = rt->dst.dev->ip_ptr;
	uint64_t load = (uint32_t)sc->redirect_load_ms * NSEC_PER_MSEC;
	struct inet_peer *peer;

	if (!in || !in_dev_conf_or(in, CNF_SEND_REDIRECTS))
		return;
	peer = inet_getpeer(net, ip4_saddr(ip_hdr(skb)));
	if (peer->redirect_last_ns &&
	    net->now_ns > peer->redirect_last_ns + (uint32_t)sc->redirect_silence_ms * NSEC_PER_MSEC)
		peer->n_redirects = 0;
	if (peer->n_redirects >= (uint32_t)sc->redirect_number) {
		peer->redirect_last_ns = net->now_ns;
		return;
	}
	if (peer->n_redirects && net->now_ns <= peer->redirect_last_ns + (load << min_u32(peer->n_redirects, 16)))
		return;
	icmp_send(skb, ICMP_REDIRECT, 1 /* host */, rt_nexthop(rt, ip4_daddr(ip_hdr(skb))));
	peer->redirect_last_ns = net->now_ns;
	peer->n_redirects++;
}

/* ---- life ---- */

void rt_free_dev(struct net *net, struct net_device *dev)
{
	struct exc_state *s = &net->ipv4->exc;
	struct rt_exception *e, *tmp;
	struct rtable *rt;

	list_for_each_entry_safe(e, tmp, &s->lru, lru) {
		if (e->ifindex == dev->ifindex)
			exc_free(net, e);
	}
	/* Sockets and queued packets may hold rtables for as long as they like: none may name the device. */
	list_for_each_entry(rt, &net->ipv4->rtables, list) {
		if (rt->dst.dev != dev)
			continue;
		rt->dst.obsolete = 1;
		rt->dst.input = dst_discard_in;
		rt->dst.output = dst_discard_out;
		if (net->loopback_dev && net->loopback_dev != dev)
			rt->dst.dev = net->loopback_dev;
	}
	rt_cache_flush(net);
}

static void rt_stat_show(struct net *net, struct strbuf *out)
{
	const struct rt_cache_stat *s = &net->ipv4->rt_stat;

	sb_puts(out, "entries  in_hit   in_slow_tot in_slow_mc in_no_route in_brd   in_martian_dst in_martian_src "
		     "out_hit  out_slow_tot out_slow_mc gc_total gc_ignored gc_goal_miss gc_dst_overflow "
		     "in_hlist_search out_hlist_search\n");
	sb_printf(out, "%08x %08x %08x    %08x   %08x    %08x %08x       %08x       ", net->ipv4->nr_rtables,
		  (uint32_t)s->in_hit, (uint32_t)s->in_slow_tot, (uint32_t)s->in_slow_mc, (uint32_t)s->in_no_route,
		  (uint32_t)s->in_brd, (uint32_t)s->in_martian_dst, (uint32_t)s->in_martian_src);
	sb_printf(out, "%08x %08x     %08x    00000000 00000000   00000000     00000000        00000000        00000000\n",
		  (uint32_t)s->out_hit, (uint32_t)s->out_slow_tot, (uint32_t)s->out_slow_mc);
}

int route_init(struct net *net)
{
	struct netns_ipv4 *ip = net->ipv4;
	int err;

	pool_init(&ip->rt_pool, "rtable", sizeof(struct rtable), 8);
	list_init(&ip->rtables);
	list_init(&ip->exc.lru);
	list_init(&ip->peers.lru);
	err = route_rtnl_init(net);
	return err ? err : proc_create_single(net, "net/stat/rt_cache", rt_stat_show);
}

void route_exit(struct net *net)
{
	struct netns_ipv4 *ip = net->ipv4;
	struct rt_exception *e, *tmp;

	list_for_each_entry_safe(e, tmp, &ip->exc.lru, lru)
		exc_free(net, e);
	free(ip->exc.buckets);
	inet_peer_exit(net);
	pool_destroy(&ip->rt_pool);
}
