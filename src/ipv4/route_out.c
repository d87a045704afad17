/* Where does a packet of ours go? From destination (and source, device, TOS, mark) to an rtable (RFC 1122 3.3.1).
 *
 *     ip_route_output_ports -> ip_route_output_flow -> __ip_route_output_key -> fib_lookup
 *                                                              \-> __mkroute_output -> rt_dst_alloc
 *
 * The three questions of Stevens' figure (broadcast or multicast? ours? else by ARP) are answered here, by the
 * type of the table entry, and not in a driver (S0-29). A packet for ourselves leaves by lo although its table
 * entry names the device of the address (S2-29).
 * Called by ip_output.c, udp, raw, ping, icmp, TCP. Tests: tests/unit/ipv4/test_route.c. */
#include <errno.h>
#include <netinet/in.h>
#include "ipv4/netns_ipv4.h"
#include "ipv4/rt_exception.h"

/* The device that an address belongs to, when it is ours. */
static struct net_device *ip_dev_find(struct net *net, uint32_t addr)
{
	const struct in_ifaddr *ifa = inet_lookup_ifaddr(net, NULL, addr);
	struct flowi4 fl = { .daddr = addr };
	struct fib_result res;

	if (ifa)
		return ifa->in_dev->dev;
	/* 127.1.2.3 is no interface's address, yet ours by the table. */
	if (net->ipv4->fib_local && fib_table_lookup(net->ipv4->fib_local, &fl, &res, FIB_LOOKUP_NOREF) == 0 &&
	    res.type == RTN_LOCAL)
		return res.fi->nh[res.nh_sel].dev;
	return NULL;
}

struct out_route { /* a lookup on its way */
	struct net *net;
	struct flowi4 *fl4;
	struct fib_result res;
	struct net_device *dev_out;
	int orig_oif;
	uint32_t flags;
};

static void trace_result(struct net *net, const struct flowi4 *fl4, const struct rtable *rt)
{
	char d[IP4_STRLEN], s[IP4_STRLEN], g[IP4_STRLEN] = "-";

	if (likely(!net->probe.on))
		return;
	ip4_str(d, fl4->daddr);
	ip4_str(s, fl4->saddr);
	if (rt->gw)
		ip4_str(g, rt->gw);
	probe_emit_(&net->probe, TR_ROUTE, "__ip_route_output_key", 0, "dst=%s src=%s dev=%s gateway=%s type=%u flags=%s%s%s", d,
		    s, rt->dst.dev->name, g, rt->type, rt->flags & RTCF_LOCAL_ ? "local" : "",
		    rt->flags & RTCF_BROADCAST_ ? ",broadcast" : "", rt->flags & RTCF_MULTICAST_ ? ",multicast" : "");
}

/* Where the finished rtable may be kept for the next flow. NULL: nowhere. */
static struct rtable **out_cache_slot(struct out_route *o)
{
	struct rt_exception *e;

	if (!o->res.fi)
		return NULL;
	e = rt_find_exception(o->net, o->fl4->daddr, o->dev_out);
	return e ? &e->rth_out : &o->res.fi->nh[o->res.nh_sel].rth_output;
}

/* The class of the destination decides what becomes of the packet (S0-04, S0-22): sets res.type and flags. May the
 * rtable be shared? */
static bool out_classify(struct out_route *o)
{
	const struct flowi4 *fl4 = o->fl4;

	if (ip4_is_lbcast(fl4->daddr))
		o->res.type = RTN_BROADCAST;
	else if (ip4_is_multicast(fl4->daddr))
		o->res.type = RTN_MULTICAST;
	if (o->dev_out->flags & DEVF_LOOPBACK)
		o->flags |= RTCF_LOCAL_;
	if (o->res.type == RTN_BROADCAST) {
		o->flags |= RTCF_BROADCAST_ | RTCF_LOCAL_;
		o->res.fi = NULL;
	} else if (o->res.type == RTN_MULTICAST) {
		o->flags |= RTCF_MULTICAST_ | RTCF_LOCAL_;
		/* We hear our own multicast only as a member (RFC 1112 6.1). */
		if (!ip_check_mc(o->dev_out->ip_ptr, fl4->daddr))
			o->flags &= ~RTCF_LOCAL_;
		/* A default route is no multicast route: its gateway has no say. */
		if (o->res.fi && o->res.prefixlen < 4)
			o->res.fi = NULL;
		return false;
	} else if (o->res.type == RTN_LOCAL && o->orig_oif && o->orig_oif != o->dev_out->ifindex) {
		return false;
	}
	return true;
}

static struct rtable *__mkroute_output(struct out_route *o, int *err)
{
	TRACE_FN(&o->net->probe, 0);
	struct net_device *dev = o->dev_out;
	struct rtable **slot = NULL, *rt;

	*err = -EINVAL;
	if (!dev->ip_ptr)
		return NULL;
	/* RFC 1122 3.2.1.3(g): 127/8 never outside a host, neither as source nor as destination. */
	if (!(dev->flags & DEVF_LOOPBACK) && (ip4_is_loopback(o->fl4->saddr) || ip4_is_loopback(o->fl4->daddr)) &&
	    !in_dev_conf_or(dev->ip_ptr, CNF_ROUTE_LOCALNET))
		return NULL;
	if (ip4_is_zeronet(o->fl4->daddr))
		return NULL;
	if (out_classify(o))
		slot = out_cache_slot(o);
	if (slot && rt_cache_valid(*slot) && (*slot)->dst.dev == dev) {
		o->net->ipv4->rt_stat.out_hit++;
		dst_hold(&(*slot)->dst);
		return *slot;
	}
	rt = rt_dst_alloc(o->net, dev, o->flags, o->res.type);
	o->net->ipv4->rt_stat.out_slow_tot++;
	if ((o->flags & (RTCF_BROADCAST_ | RTCF_MULTICAST_)) && (o->flags & RTCF_LOCAL_) && !(dev->flags & DEVF_LOOPBACK)) {
		rt->dst.output = ip_mc_output;
		o->net->ipv4->rt_stat.out_slow_mc++;
	}
	rt_set_nexthop(rt, o->fl4->daddr, &o->res);
	if (slot) {
		if (*slot)
			dst_release(&(*slot)->dst);
		*slot = rt;
		dst_hold(&rt->dst);
	}
	return rt;
}

/* A source address that the program chose must be ours (RFC 1122 3.2.1.3, 3.3.4.2). 1: the route is decided. */
static int out_check_saddr(struct out_route *o)
{
	struct flowi4 *fl4 = o->fl4;

	if (ip4_is_multicast(fl4->saddr) || ip4_is_lbcast(fl4->saddr) || ip4_is_zeronet(fl4->saddr))
		return -EINVAL;
	if (!fl4->oif && (ip4_is_multicast(fl4->daddr) || ip4_is_lbcast(fl4->daddr))) {
		/* Which net is meant, only the source can say. */
		o->dev_out = ip_dev_find(o->net, fl4->saddr);
		if (!o->dev_out)
			return -EINVAL;
		fl4->oif = o->dev_out->ifindex;
		return 1;
	}
	if (!(fl4->flags & FLOWI_FLAG_ANYSRC) && !ip_dev_find(o->net, fl4->saddr))
		return -ENETUNREACH;
	return 0;
}

/* The program chose a device. 1: the route is decided. */
static int out_check_oif(struct out_route *o)
{
	struct flowi4 *fl4 = o->fl4;

	o->dev_out = dev_get_by_index(o->net, fl4->oif);
	if (!o->dev_out)
		return -ENODEV;
	if (!(o->dev_out->flags & DEVF_UP) || !o->dev_out->ip_ptr)
		return -ENETUNREACH;
	if (ip4_is_local_mcast(fl4->daddr) || ip4_is_lbcast(fl4->daddr) || fl4->proto == IPPROTO_IGMP) {
		if (!fl4->saddr)
			fl4->saddr = inet_select_addr(o->dev_out, 0, RT_SCOPE_LINK);
		return 1;
	}
	if (!fl4->saddr) {
		if (ip4_is_multicast(fl4->daddr))
			fl4->saddr = inet_select_addr(o->dev_out, 0, fl4->scope);
		else if (!fl4->daddr)
			fl4->saddr = inet_select_addr(o->dev_out, 0, RT_SCOPE_HOST);
	}
	return 0;
}

/* For ourselves: by lo, whatever device the entry names (S1-10, S2-29). */
static void out_local(struct out_route *o)
{
	struct flowi4 *fl4 = o->fl4;

	if (!fl4->saddr)
		fl4->saddr = o->res.fi && o->res.fi->prefsrc ? o->res.fi->prefsrc : fl4->daddr;
	o->dev_out = o->net->loopback_dev;
	fl4->oif = o->dev_out->ifindex;
	o->flags |= RTCF_LOCAL_;
}

/* Everything up to the point where device and type are known. 0 or -errno. */
static int out_resolve(struct out_route *o)
{
	struct flowi4 *fl4 = o->fl4;
	int r;

	o->res.type = RTN_UNICAST;
	if (fl4->saddr) {
		r = out_check_saddr(o);
		if (r)
			return r < 0 ? r : 0;
	}
	if (fl4->oif) {
		r = out_check_oif(o);
		if (r)
			return r < 0 ? r : 0;
	}
	if (!fl4->daddr) {
		/* "This host", which is ourselves (RFC 1122 3.2.1.3(a)). */
		fl4->daddr = fl4->saddr ? fl4->saddr : 0x7f000001u;
		o->res.type = RTN_LOCAL;
		out_local(o);
		return 0;
	}
	r = fib_lookup(o->net, fl4, &o->res);
	if (r) {
		o->res.fi = NULL;
		o->res.type = RTN_UNICAST;
		if (!fl4->oif || r != -ENETUNREACH)
			return r;
		/* No route, but a device: whoever asked says that it is on the link there (S2-32). */
		if (!fl4->saddr)
			fl4->saddr = inet_select_addr(o->dev_out, 0, RT_SCOPE_LINK);
		return 0;
	}
	if (o->res.type == RTN_LOCAL) {
		out_local(o);
		return 0;
	}
	fib_select_path(o->net, &o->res, fl4, NULL);
	o->dev_out = o->res.fi->nh[o->res.nh_sel].dev;
	return o->dev_out ? 0 : -ENETUNREACH;
}

struct rtable *__ip_route_output_key(struct net *net, struct flowi4 *fl4, int *err)
{
	TRACE_FN(&net->probe, 0);
	struct out_route o = { .net = net, .fl4 = fl4, .orig_oif = fl4->oif };
	struct rtable *rt;

	net->mib.rt_out_lookups++;
	fl4->tos &= 0x1c;
	fl4->iif = 0;
	*err = net->loopback_dev ? out_resolve(&o) : -ENETUNREACH;
	if (*err) {
		TRACE(&net->probe, TR_ROUTE, 0, "dst=%u.%u.%u.%u error=%d", fl4->daddr >> 24, fl4->daddr >> 16 & 255,
		      fl4->daddr >> 8 & 255, fl4->daddr & 255, *err);
		return NULL;
	}
	rt = __mkroute_output(&o, err);
	if (!rt)
		return NULL;
	fl4->oif = o.dev_out->ifindex;
	*err = 0;
	trace_result(net, fl4, rt);
	return rt;
}

struct rtable *ip_route_output_flow(struct net *net, struct flowi4 *fl4, struct sock *sk, int *err)
{
	TRACE_FN(&net->probe, 0);

	return __ip_route_output_key(net, fl4, err);
}

struct rtable *ip_route_output_ports(struct net *net, struct flowi4 *fl4, struct sock *sk, uint32_t daddr, uint32_t saddr,
				     uint16_t dport, uint16_t sport, uint8_t proto, uint8_t tos, int oif, int *err)
{
	TRACE_FN(&net->probe, 0);

	*fl4 = (struct flowi4){ .daddr = daddr, .saddr = saddr, .oif = oif, .proto = proto, .tos = tos, .sport = sport,
				.dport = dport, .mark = sk ? sk->mark : 0 };
	return ip_route_output_flow(net, fl4, sk, err);
}
