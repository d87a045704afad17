/* A packet came in: for us, for others, or for nobody? (RFC 1122 3.2.1.3, RFC 1812 5.2.3, 5.3.7)
 *
 *     ip_route_input_noref -> ip_route_input_slow -> fib_lookup, fib_validate_source
 *                                  -> local delivery | broadcast | __mkroute_input (forward) | ip_error | martian
 *
 * Called by ip_rcv_finish (ip_input.c), and by reassembly for its error. Hands on: dst.input of the rtable.
 * Tests: tests/unit/ipv4/test_ip_input.c (IP4-10, IP4-12, S0-16), test_forward.c (RT-04 to RT-07). */
#include <errno.h>
#include "ipv4/netns_ipv4.h"
#include "ipv4/rt_exception.h"

struct in_route { /* a lookup on its way */
	struct net *net;
	struct sk_buff *skb;
	struct net_device *dev;
	struct in_device *in;
	uint32_t daddr, saddr;
	uint8_t tos;
	struct fib_result res;
};

static enum drop_reason martian_source(struct in_route *r, enum drop_reason why)
{
	char s[IP4_STRLEN], d[IP4_STRLEN];

	r->net->mib.in_martian_src++;
	r->net->ipv4->rt_stat.in_martian_src++;
	if (why == DROP_IP_RPFILTER)
		TCPEXT_INC(r->net, IPReversePathFilter);
	/* The audit that RFC 1812 5.3.8 asks for: always in the trace. */
	TRACE(&r->net->probe, TR_NOTE, r->skb->serial, "martian source=%s destination=%s dev=%s", ip4_str(s, r->saddr),
	      ip4_str(d, r->daddr), r->dev->name);
	return why;
}

static enum drop_reason martian_destination(struct in_route *r)
{
	char s[IP4_STRLEN], d[IP4_STRLEN];

	r->net->mib.in_martian_dst++;
	r->net->ipv4->rt_stat.in_martian_dst++;
	TRACE(&r->net->probe, TR_NOTE, r->skb->serial, "martian destination=%s source=%s dev=%s", ip4_str(d, r->daddr),
	      ip4_str(s, r->saddr), r->dev->name);
	return DROP_IP_MARTIAN_DEST;
}

static void attach(struct in_route *r, struct rtable *rt)
{
	skb_dst_drop(r->skb);
	skb_dst_set(r->skb, &rt->dst);
}

/* Up to ourselves (also broadcast and multicast). The rtable of plain local delivery is shared. */
static void input_local(struct in_route *r, uint32_t flags)
{
	struct rtable **slot = NULL, *rt;

	if (r->res.fi && r->res.type == RTN_LOCAL)
		slot = &r->res.fi->nh[r->res.nh_sel].rth_input;
	if (slot && rt_cache_valid(*slot) && (*slot)->iif == r->dev->ifindex) {
		r->net->ipv4->rt_stat.in_hit++;
		attach(r, (struct rtable *)(void *)dst_hold(&(*slot)->dst));
		return;
	}
	r->net->ipv4->rt_stat.in_slow_tot++;
	rt = rt_dst_alloc(r->net, r->net->loopback_dev ? r->net->loopback_dev : r->dev, flags | RTCF_LOCAL_, r->res.type);
	rt->is_input = true;
	rt->iif = r->dev->ifindex;
	rt->dst.output = ip_output;
	if (slot) {
		if (*slot)
			dst_release(&(*slot)->dst);
		*slot = rt;
		dst_hold(&rt->dst);
	}
	attach(r, rt);
}

/* Fill the device's cache of one: only plain local delivery, and only where no rule looks at more than the key. */
static void rx_cache_fill(struct in_route *r)
{
	struct in_device *in = r->in;
	struct rtable *rt = skb_rtable(r->skb);

	if (r->net->ipv4->has_custom_rules)
		return;
	if (in->rx.rt != rt) {
		if (in->rx.rt)
			dst_release(&in->rx.rt->dst);
		in->rx.rt = rt;
		dst_hold(&rt->dst);
	}
	in->rx.saddr = r->saddr;
	in->rx.daddr = r->daddr;
	in->rx.tos = r->tos;
}

static inline bool rx_cache_hit(struct net *net, struct sk_buff *skb, const struct in_device *in, uint32_t daddr, uint32_t saddr,
				uint8_t tos)
{
	struct rtable *rt = in->rx.rt;

	if (!rt || in->rx.saddr != saddr || in->rx.daddr != daddr || in->rx.tos != tos || rt->dst.obsolete ||
	    rt->genid != net->ipv4->rt_genid)
		return false;
	net->ipv4->rt_stat.in_hit++;
	skb_dst_drop(skb);
	skb_dst_set(skb, dst_hold(&rt->dst));
	return true;
}

/* Nowhere to go: the packet gets a route whose input says so to the sender (or to nobody). */
static void input_error(struct in_route *r, int err)
{
	struct rtable *rt = rt_dst_alloc(r->net, r->dev, 0, RTN_UNREACHABLE);

	r->net->ipv4->rt_stat.in_no_route++;
	rt->is_input = true;
	rt->iif = r->dev->ifindex;
	rt->dst.input = ip_error;
	rt->dst.error = (int16_t)err;
	attach(r, rt);
}

int ip_error(struct sk_buff *skb)
{
	TRACE_FN(&skb->net->probe, skb->serial);
	struct net *net = skb->net;
	struct net_device *in = skb->dev;
	int err = skb_dst(skb)->error;
	uint8_t code;

	if (!in->ip_ptr || !in_dev_forward(in->ip_ptr)) {
		/* A host is no gateway: silence (RFC 1122 3.3.1.3). */
		if (err == -ENETUNREACH)
			IPEXT_INC(net, InNoRoutes);
		else
			IP_INC(net, InAddrErrors);
		kfree_skb_reason(skb, DROP_IP_NOFORWARD);
		return NET_RX_DROP;
	}
	switch (err) {
	case -ENETUNREACH:
		code = ICMP_NET_UNREACH;
		IPEXT_INC(net, InNoRoutes);
		break;
	case -EACCES:
		code = ICMP_PKT_FILTERED;
		break;
	case -EHOSTUNREACH:
		code = ICMP_HOST_UNREACH;
		break;
	default: /* blackhole */
		kfree_skb_reason(skb, DROP_IP_INNOROUTES);
		return NET_RX_DROP;
	}
	icmp_send(skb, ICMP_DEST_UNREACH, code, 0);
	kfree_skb_reason(skb, DROP_IP_INNOROUTES);
	return NET_RX_DROP;
}

/* RFC 1812 5.3.7, RFC 6890, RFC 3927 2.7: what a router must not pass on whatever its tables say. */
static bool never_forwarded(uint32_t a)
{
	return ip4_is_reserved(a) || (a & 0xffff0000u) == 0xa9fe0000u;
}

static enum drop_reason __mkroute_input(struct in_route *r)
{
	TRACE_FN(&r->net->probe, r->skb->serial);
	struct fib_nh *nh;
	struct net_device *out;
	struct rt_exception *e;
	struct rtable **slot, *rt;
	bool do_redirect = false;
	enum drop_reason why;

	if (never_forwarded(r->saddr))
		return martian_source(r, DROP_IP_MARTIAN_SOURCE);
	if (never_forwarded(r->daddr))
		return martian_destination(r);
	nh = &r->res.fi->nh[r->res.nh_sel];
	out = nh->dev;
	if (!out || !out->ip_ptr)
		return DROP_IP_INNOROUTES;
	why = fib_validate_source(r->skb, r->saddr, r->daddr, r->tos, r->dev, &do_redirect, out->ifindex);
	if (why)
		return martian_source(r, why);
	/* The better hop must be the sender's neighbour too. */
	if (do_redirect && (out->ip_ptr->cnf[CNF_SHARED_MEDIA] ||
			    inet_addr_onlink(out->ip_ptr, nh->gw ? nh->gw : r->daddr)))
		IPCB(r->skb)->flags |= IPSKB_DOREDIRECT;
	e = rt_find_exception(r->net, r->daddr, out);
	slot = e ? &e->rth_in : &nh->rth_input;
	if (rt_cache_valid(*slot) && (*slot)->dst.dev == out && (*slot)->type == r->res.type) {
		r->net->ipv4->rt_stat.in_hit++;
		attach(r, (struct rtable *)(void *)dst_hold(&(*slot)->dst));
		return DROP_NOT_SPECIFIED;
	}
	r->net->ipv4->rt_stat.in_slow_tot++;
	rt = rt_dst_alloc(r->net, out, 0, r->res.type);
	rt->is_input = true;
	rt->dst.input = ip_forward;
	rt_set_nexthop(rt, r->daddr, &r->res);
	if (*slot)
		dst_release(&(*slot)->dst);
	*slot = rt;
	dst_hold(&rt->dst);
	attach(r, rt);
	return DROP_NOT_SPECIFIED;
}

static enum drop_reason input_broadcast(struct in_route *r)
{
	enum drop_reason why;

	/* 0.0.0.0 may ask everybody for an address (RFC 1122 3.2.1.3(a), BOOTP). */
	if (!ip4_is_zeronet(r->saddr)) {
		why = fib_validate_source(r->skb, r->saddr, 0, r->tos, r->dev, NULL, 0);
		if (why)
			return martian_source(r, why);
	}
	r->net->ipv4->rt_stat.in_brd++;
	r->res.type = RTN_BROADCAST;
	input_local(r, RTCF_BROADCAST_);
	return DROP_NOT_SPECIFIED;
}

static enum drop_reason input_multicast(struct in_route *r)
{
	enum drop_reason why;

	if (!ip_check_mc(r->in, r->daddr))
		return DROP_IP_MULTICAST_NOT_MEMBER;
	if (ip4_is_zeronet(r->saddr)) {
		if (!ip4_is_local_mcast(r->daddr))
			return martian_source(r, DROP_IP_MARTIAN_SOURCE);
	} else {
		why = fib_validate_source(r->skb, r->saddr, 0, r->tos, r->dev, NULL, 0);
		if (why)
			return martian_source(r, why);
	}
	r->net->ipv4->rt_stat.in_slow_mc++;
	r->res.type = RTN_MULTICAST;
	r->res.fi = NULL;
	input_local(r, RTCF_MULTICAST_);
	return DROP_NOT_SPECIFIED;
}

/* Addresses that can be judged without a table. 0: go on. */
static enum drop_reason check_martians(struct in_route *r)
{
	bool localnet = in_dev_conf_or(r->in, CNF_ROUTE_LOCALNET);

	if (ip4_is_multicast(r->saddr) || ip4_is_lbcast(r->saddr))
		return martian_source(r, DROP_IP_MARTIAN_SOURCE);
	if (ip4_is_lbcast(r->daddr) || (!r->saddr && !r->daddr))
		return DROP_NOT_SPECIFIED;
	if (ip4_is_zeronet(r->saddr))
		return martian_source(r, DROP_IP_MARTIAN_SOURCE);
	if (ip4_is_zeronet(r->daddr))
		return martian_destination(r);
	/* RFC 1122 3.2.1.3(g): 127/8 from outside, in either place. */
	if (ip4_is_loopback(r->daddr) && !localnet)
		return martian_destination(r);
	if (ip4_is_loopback(r->saddr) && !localnet)
		return martian_source(r, DROP_IP_MARTIAN_SOURCE);
	return DROP_NOT_SPECIFIED;
}

static enum drop_reason input_by_table(struct in_route *r)
{
	struct flowi4 fl = { .daddr = r->daddr, .saddr = r->saddr, .iif = r->dev->ifindex, .tos = r->tos,
			     .mark = r->skb->mark, .scope = RT_SCOPE_UNIVERSE };
	int err = fib_lookup(r->net, &fl, &r->res);
	enum drop_reason why;

	if (err) {
		input_error(r, in_dev_forward(r->in) ? err : -EHOSTUNREACH);
		return DROP_NOT_SPECIFIED;
	}
	if (r->res.type == RTN_BROADCAST) {
		/* A directed broadcast that reached the net it is for: ours only if that net is this one, and
		 * passed on only if somebody switched that on (RFC 2644). */
		if (r->res.fi->nh[r->res.nh_sel].dev != r->dev && in_dev_forward(r->in))
			return in_dev_conf_and(r->in, CNF_BC_FORWARDING) ? __mkroute_input(r) : DROP_IP_BROADCAST_NOT_FORWARDED;
		return input_broadcast(r);
	}
	if (r->res.type == RTN_LOCAL) {
		why = fib_validate_source(r->skb, r->saddr, r->daddr, r->tos, r->dev, NULL, 0);
		if (why)
			return martian_source(r, why);
		input_local(r, 0);
		rx_cache_fill(r);
		return DROP_NOT_SPECIFIED;
	}
	if (!in_dev_forward(r->in)) {
		input_error(r, -EHOSTUNREACH);
		return DROP_NOT_SPECIFIED;
	}
	if (r->res.type != RTN_UNICAST)
		return martian_destination(r);
	if (r->res.fi->nhs > 1)
		fib_select_path(r->net, &r->res, &fl, r->skb);
	return __mkroute_input(r);
}

static void trace_input(const struct sk_buff *skb, uint32_t daddr, uint32_t saddr, const struct net_device *dev)
{
	const struct rtable *rt = skb_rtable(skb);
	char d[IP4_STRLEN], s[IP4_STRLEN], g[IP4_STRLEN] = "-";

	if (!rt)
		return;
	ip4_str(d, daddr);
	ip4_str(s, saddr);
	if (rt->gw)
		ip4_str(g, rt->gw);
	probe_emit_(&skb->net->probe, TR_ROUTE, "ip_route_input_noref", skb->serial, "dst=%s src=%s iif=%s dev=%s gateway=%s %s", d, s,
		    dev->name, rt->dst.dev->name, g,
		    rt->dst.error ? "error" : rt->flags & RTCF_LOCAL_ ? "local" : "forward");
}

static enum drop_reason ip_route_input_slow(struct sk_buff *skb, uint32_t daddr, uint32_t saddr, uint8_t tos,
					    struct net_device *dev)
{
	TRACE_FN(&skb->net->probe, skb->serial);
	struct in_route r = { .net = skb->net, .skb = skb, .dev = dev, .in = dev->ip_ptr, .daddr = daddr, .saddr = saddr,
			      .tos = tos };
	enum drop_reason why;

	if (ip4_is_multicast(daddr) && !ip4_is_multicast(saddr) && !ip4_is_lbcast(saddr) && !ip4_is_loopback(saddr))
		return input_multicast(&r);
	why = check_martians(&r);
	if (why)
		return why;
	return ip4_is_lbcast(daddr) || (!saddr && !daddr) ? input_broadcast(&r) : input_by_table(&r);
}

enum drop_reason ip_route_input_noref(struct sk_buff *skb, uint32_t daddr, uint32_t saddr, uint8_t tos, struct net_device *dev)
{
	TRACE_FN(&skb->net->probe, skb->serial);
	struct net *net = skb->net;
	const struct in_device *in = dev->ip_ptr;
	enum drop_reason why = DROP_NOT_SPECIFIED;

	net->mib.rt_in_lookups++;
	tos &= 0x1c;
	if (unlikely(!in))
		return DROP_IP_INADDRERRORS;
	if (!rx_cache_hit(net, skb, in, daddr, saddr, tos))
		why = ip_route_input_slow(skb, daddr, saddr, tos, dev);
	if (unlikely(net->probe.on))
		trace_input(skb, daddr, saddr, dev);
	return why;
}
