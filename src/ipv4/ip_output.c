/* A datagram leaves: header, hooks, MTU, neighbour.
 *
 *     ip_queue_xmit (TCP)            ip_send_skb (UDP, raw, ICMP)     ip_build_and_send_pkt (SYN-ACK)
 *          \----------------> ip_local_out -> __ip_local_out [LOCAL_OUT] -> dst_output <-------/
 *     ip_output | ip_mc_output [POST_ROUTING] -> ip_finish_output -> (fragment) -> ip_finish_output2
 *          -> __ipv4_neigh_lookup_noref | __neigh_create -> neigh_output -> dev_queue_xmit
 *
 * The route is on the packet; no table is asked here (S1-26). RFC 791 3.2, RFC 1122 3.2.1, RFC 1112 6.
 * Tests: tests/unit/ipv4/test_loopback.c, test_route.c (S1-16, S1-22 to S1-30, S2-18 to S2-24, S2-34, S2-35). */
#include <errno.h>
#include <netinet/in.h>
#include "ipv4/netns_ipv4.h"

#define LL_RESERVED 16u /* link header, rounded */

/* The sum of a header of 20 octets whose fields were stored a moment ago: read in the widths in which they were
 * written (the volatile keeps octets apart), or each read waits until its stores have left the store buffer. */
static uint16_t fresh_header_csum(const struct ip4_hdr *h)
{
	const volatile uint8_t *o = (const volatile uint8_t *)h;
	uint32_t s = ip4_saddr(h), d = ip4_daddr(h), sum;

	sum = ((uint32_t)o[0] << 8) + o[1] + ((uint32_t)o[8] << 8) + o[9] + ip4_tot_len(h) + ip4_id(h) + ip4_frag(h);
	return csum_fold(sum + (s >> 16) + (s & 0xffff) + (d >> 16) + (d & 0xffff));
}

void ip_send_check(struct ip4_hdr *h)
{
	if (likely(h->ver_ihl == 0x45)) {
		put_be16(h->check, fresh_header_csum(h));
		return;
	}
	put_be16(h->check, 0);
	put_be16(h->check, ip4_fast_csum(h, ip4_hlen(h)));
}

/* ---- what sockets say about DF and TTL ---- */

bool ip_sk_accept_pmtu(const struct sock *sk)
{
	uint8_t d = inet_sk(sk)->pmtudisc;

	return d != IP_PMTUDISC_INTERFACE && d != IP_PMTUDISC_OMIT;
}

uint8_t ip_select_ttl(const struct inet_sock *inet, const struct dst_entry *dst)
{
	uint32_t hops;

	if (inet->uc_ttl >= 0)
		return (uint8_t)inet->uc_ttl;
	hops = rt_hoplimit((const struct rtable *)(const void *)dst);
	return (uint8_t)(hops ? hops : (uint32_t)dst->net->ipv4->sysctl.ip_default_ttl);
}

uint32_t ip_skb_dst_mtu(struct sock *sk, const struct sk_buff *skb)
{
	const struct dst_entry *dst = skb_dst(skb);

	if (sk && sk->family == AF_INET && inet_sk(sk)->pmtudisc >= IP_PMTUDISC_PROBE)
		return min_u32(dst->dev->mtu, IP4_MAX_LEN);
	return ip_dst_mtu_maybe_forward(dst, (IPCB(skb)->flags & IPSKB_FORWARDED) != 0);
}

/* ---- out of the host ---- */

static void count_output(struct net *net, const struct rtable *rt, uint32_t len)
{
	net->mib.ip.OutTransmits++;
	net->mib.ipext.OutOctets += len;
	if (rt->type == RTN_MULTICAST) {
		net->mib.ipext.OutMcastPkts++;
		net->mib.ipext.OutMcastOctets += len;
	} else if (rt->type == RTN_BROADCAST) {
		net->mib.ipext.OutBcastPkts++;
		net->mib.ipext.OutBcastOctets += len;
	}
}

/* No reference: valid until the next sleep, and nobody sleeps on this way (S1-27). */
static struct neighbour *__ipv4_neigh_lookup_noref(struct net_device *dev, uint32_t nexthop, uint64_t serial)
{
	struct net *net = dev->net;
	TRACE_FN(&net->probe, serial);
	struct neighbour *n = neigh_lookup_noref(&net->ipv4->arp_tbl, arp_key(dev, nexthop), dev);

	TRACE(&net->probe, TR_NEIGH, serial, "nexthop=%u.%u.%u.%u dev=%s %s", nexthop >> 24, nexthop >> 16 & 255,
	      nexthop >> 8 & 255, nexthop & 255, dev->name, n ? "hit" : "miss");
	return n;
}

int ip_finish_output2(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	TRACE_FN(&net->probe, skb->serial);
	const struct rtable *rt = skb_rtable(skb);
	struct net_device *dev = rt->dst.dev;
	uint32_t nexthop = rt_nexthop(rt, ip4_daddr(ip_hdr(skb)));
	struct neighbour *n;

	count_output(net, rt, skb->len);
	if (unlikely(skb_headroom(skb) < LL_RESERVED && dev->header_ops) && skb_cow_head(skb, LL_RESERVED)) {
		kfree_skb_reason(skb, DROP_NOMEM);
		return -ENOMEM;
	}
	n = __ipv4_neigh_lookup_noref(dev, nexthop, skb->serial);
	if (unlikely(!n))
		n = __neigh_create(&net->ipv4->arp_tbl, arp_key(dev, nexthop), dev, false);
	if (unlikely(!n)) {
		kfree_skb_reason(skb, DROP_NEIGH_CREATEFAIL);
		return -ENOBUFS;
	}
	return neigh_output(n, skb);
}

uint32_t skb_gso_network_seglen(const struct sk_buff *skb)
{
	const struct ip4_hdr *h = ip_hdr(skb);
	const uint8_t *th = skb_network_header(skb) + ip4_hlen(h);
	uint32_t thlen = skb_shinfo(skb)->gso_type == SKB_GSO_TCPV4 ? (th[12] >> 4) * 4u : UDP_HLEN;

	return ip4_hlen(h) + thlen + skb_shinfo(skb)->gso_size;
}

/* A train whose segments do not fit: cut it here and fragment each (RFC 791 2.3). */
static int ip_finish_output_gso(struct net *net, struct sock *sk, struct sk_buff *skb, uint32_t mtu)
{
	struct sk_buff *seg, *next;
	int ret = 0;

	if (skb_gso_validate_network_len(skb, mtu))
		return ip_finish_output2(net, sk, skb);
	seg = skb_gro_split(skb, false);
	if (!seg) {
		seg = skb_gso_segment(skb);
		if (!seg) {
			kfree_skb_reason(skb, DROP_NOMEM);
			return -ENOMEM;
		}
		consume_skb(skb);
	}
	for (; seg; seg = next) {
		int err;

		next = seg->next;
		seg->next = NULL;
		err = ip_fragment(net, sk, seg, mtu, ip_finish_output2);
		if (err && !ret)
			ret = err;
	}
	return ret;
}

static int ip_finish_output(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	TRACE_FN(&net->probe, skb->serial);
	uint32_t mtu = ip_skb_dst_mtu(sk, skb);

	if (!ip_sound_after_hook(net, NF_INET_POST_ROUTING, skb))
		return -EINVAL;
	if (skb_is_gso(skb))
		return ip_finish_output_gso(net, sk, skb, mtu);
	if (skb->len > mtu || IPCB(skb)->frag_max_size)
		return ip_fragment(net, sk, skb, mtu, ip_finish_output2);
	return ip_finish_output2(net, sk, skb);
}

int ip_output(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	TRACE_FN(&net->probe, skb->serial);
	struct net_device *in = skb->dev, *dev = skb_dst(skb)->dev;

	skb->dev = dev;
	skb->protocol = ETH_P_IP;
	return nf_hook(NF_INET_POST_ROUTING, net, sk, skb, in, dev, ip_finish_output);
}

/* ---- broadcast and multicast: on the wire, and to ourselves ---- */

/* The copy for our own sockets. It keeps its device, is marked as looped, and no tap of that device sees it as
 * received; device lo has no part in it (S0-05, X-03). */
static int ip_dev_loopback_xmit(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	TRACE_FN(&net->probe, skb->serial);

	skb->pkt_type = PACKET_LOOPBACK_;
	skb_reset_mac_header(skb);
	if (skb->ip_summed == CHECKSUM_NONE)
		skb->ip_summed = CHECKSUM_UNNECESSARY; /* it never was on a wire */
	netif_rx(skb);
	return 0;
}

static int ip_mc_finish_output(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	TRACE_FN(&net->probe, skb->serial);

	return ip_dev_loopback_xmit(net, sk, skb);
}

static void loop_copy(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	struct sk_buff *copy = skb_clone(skb);

	if (!copy)
		return;
	skb_orphan(copy);
	(void)nf_hook(NF_INET_POST_ROUTING, net, sk, copy, NULL, copy->dev, ip_mc_finish_output);
}

/* RFC 1112 6.1 for multicast: only if the sending socket wants it, and the route says that we are a member. */
static bool sk_mc_loop(const struct sock *sk)
{
	return !sk || sk->family != AF_INET || inet_sk(sk)->mc_loop;
}

int ip_mc_output(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	TRACE_FN(&net->probe, skb->serial);
	const struct rtable *rt = skb_rtable(skb);
	struct net_device *in = skb->dev, *dev = rt->dst.dev;

	skb->dev = dev;
	skb->protocol = ETH_P_IP;
	if (rt->flags & RTCF_MULTICAST_) {
		if ((rt->flags & RTCF_LOCAL_) && sk_mc_loop(sk))
			loop_copy(net, sk, skb);
		/* TTL 0 stays in the host (RFC 1122 3.2.1.7). */
		if (ip_hdr(skb)->ttl == 0) {
			consume_skb(skb);
			return 0;
		}
	}
	if (rt->flags & RTCF_BROADCAST_)
		loop_copy(net, sk, skb);
	return nf_hook(NF_INET_POST_ROUTING, net, sk, skb, in, dev, ip_finish_output);
}

/* ---- down from the transports ---- */

/* A hook rewrote the destination (NAT on the way out): the route was for the old one. */
static int local_out_reroute(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	const struct ip4_hdr *h = ip_hdr(skb);
	struct flowi4 fl4 = { .daddr = ip4_daddr(h), .saddr = ip4_saddr(h), .tos = h->tos & 0x1c, .proto = h->protocol,
			      .mark = skb->mark, .oif = sk ? sk->bound_dev_if : 0, .flags = FLOWI_FLAG_ANYSRC };
	struct rtable *rt;
	int err;

	if (!ip_sound_after_hook(net, NF_INET_LOCAL_OUT, skb))
		return -EINVAL;
	if (fl4.daddr == IPCB(skb)->opt_daddr)
		return dst_output(net, sk, skb);
	rt = ip_route_output_flow(net, &fl4, sk, &err);
	if (!rt) {
		kfree_skb_reason(skb, DROP_IP_OUTNOROUTES);
		return err;
	}
	skb_dst_drop(skb);
	skb_dst_set(skb, &rt->dst);
	return dst_output(net, sk, skb);
}

int __ip_local_out(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	TRACE_FN(&net->probe, skb->serial);
	struct ip4_hdr *h = ip_hdr(skb);

	IP_INC(net, OutRequests);
	put_be16(h->tot_len, (uint16_t)skb->len);
	ip_send_check(h);
	skb->protocol = ETH_P_IP;
	if (likely(list_empty(&net->nf->hooks[NF_INET_LOCAL_OUT])))
		return nf_hook(NF_INET_LOCAL_OUT, net, sk, skb, NULL, skb_dst(skb)->dev, dst_output);
	IPCB(skb)->opt_daddr = ip4_daddr(h);
	return nf_hook(NF_INET_LOCAL_OUT, net, sk, skb, NULL, skb_dst(skb)->dev, local_out_reroute);
}

int ip_local_out(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	TRACE_FN(&net->probe, skb->serial);

	return __ip_local_out(net, sk, skb);
}

int ip_send_skb(struct net *net, struct sk_buff *skb)
{
	TRACE_FN(&net->probe, skb->serial);
	int err = ip_local_out(net, skb->sk, skb);

	if (err > 0) /* the queue discipline's verdict: a congestion notice is not a loss */
		err = err == NET_XMIT_CN ? 0 : -ENOBUFS;
	if (err)
		IP_INC(net, OutDiscards);
	return err;
}

/* The header that all three ways build. The options' room is behind the fixed part. */
static struct ip4_hdr *push_header(struct sk_buff *skb, const struct ip_options_rcu *opt, uint8_t tos)
{
	uint32_t optlen = opt ? opt->opt.optlen : 0;
	struct ip4_hdr *h = (struct ip4_hdr *)(void *)skb_push(skb, IP4_HLEN + optlen);

	skb_reset_network_header(skb);
	ip4_put_hlen_tos(h, IP4_HLEN + optlen, tos);
	return h;
}

int ip_build_and_send_pkt(struct sk_buff *skb, struct sock *sk, uint32_t saddr, uint32_t daddr, struct ip_options_rcu *opt,
			  uint8_t tos)
{
	TRACE_FN(&sk->net->probe, skb->serial);
	const struct rtable *rt = skb_rtable(skb);
	struct net *net = sk->net;
	struct ip4_hdr *h;

	memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
	h = push_header(skb, opt, tos);
	ip4_put_ttl_protocol(h, ip_select_ttl(inet_sk(sk), &rt->dst), sk->protocol);
	put_be32(h->daddr, opt && opt->opt.srr ? opt->opt.faddr : daddr);
	put_be32(h->saddr, saddr);
	put_be16(h->frag_off, ip_dont_fragment(sk, &rt->dst) ? IP_DF : 0);
	put_be16(h->id, ip4_frag(h) & IP_DF ? 0 : ip_select_ident(net, h, sk, 1));
	if (opt && opt->opt.optlen)
		ip_options_build(skb, &opt->opt, daddr, rt);
	skb->priority = sk->priority;
	if (!skb->mark)
		skb->mark = sk->mark;
	return ip_local_out(net, skb->sk, skb);
}

/* The socket's route, or a new one that it keeps (S2-22, S2-23). NULL: *err. */
static struct dst_entry *queue_route(struct sock *sk, int *err)
{
	struct net *net = sk->net;
	struct inet_sock *inet = inet_sk(sk);
	struct dst_entry *dst = __sk_dst_check(sk, 0);
	uint32_t daddr = inet->daddr;
	struct flowi4 fl4;
	struct rtable *rt;

	if (likely(dst)) {
		net->mib.rt_dst_hits++;
		TRACE(&net->probe, TR_ROUTE, 0, "dst cache hit");
		return dst_hold(dst);
	}
	TRACE(&net->probe, TR_ROUTE, 0, "dst cache miss");
	if (inet->opt && inet->opt->opt.srr)
		daddr = inet->opt->opt.faddr;
	rt = ip_route_output_ports(net, &fl4, sk, daddr, inet->saddr, inet->dport, inet->sport, sk->protocol, inet->tos,
				   sk->bound_dev_if, err);
	if (!rt) {
		IP_INC(net, OutNoRoutes);
		return NULL;
	}
	dst_hold(&rt->dst);
	sk_setup_caps(sk, &rt->dst);
	return &rt->dst;
}

int ip_queue_xmit(struct sock *sk, struct sk_buff *skb)
{
	TRACE_FN(&sk->net->probe, skb->serial);
	struct inet_sock *inet = inet_sk(sk);
	struct ip_options_rcu *opt = inet->opt;
	struct net *net = sk->net;
	struct ip4_hdr *h;
	int err = -EHOSTUNREACH;

	memset(IPCB(skb), 0, sizeof(*IPCB(skb))); /* the transport's block ends here */
	if (!skb_dst(skb)) {
		struct dst_entry *dst = queue_route(sk, &err);

		if (!dst)
			goto no_route;
		skb_dst_set(skb, dst);
	}
	if (opt && opt->opt.is_strictroute && skb_rtable(skb)->uses_gateway)
		goto no_route;
	h = push_header(skb, opt, inet->tos);
	put_be16(h->frag_off, ip_dont_fragment(sk, skb_dst(skb)) && !skb->ignore_df ? IP_DF : 0);
	ip4_put_ttl_protocol(h, ip_select_ttl(inet, skb_dst(skb)), sk->protocol);
	put_be32(h->saddr, inet->saddr);
	put_be32(h->daddr, opt && opt->opt.srr ? opt->opt.faddr : inet->daddr);
	if (opt && opt->opt.optlen)
		ip_options_build(skb, &opt->opt, inet->daddr, skb_rtable(skb));
	put_be16(h->id, ip_select_ident(net, h, sk, skb_shinfo(skb)->gso_segs > 1 ? skb_shinfo(skb)->gso_segs : 1));
	skb->priority = sk->priority;
	skb->mark = sk->mark;
	return ip_local_out(net, sk, skb);
no_route:
	kfree_skb_reason(skb, DROP_IP_OUTNOROUTES);
	return err;
}

/* ---- replies without a socket ---- */

static void reply_checksum(struct sk_buff *skb, uint32_t len, uint32_t saddr, uint32_t daddr, uint8_t proto, uint32_t off)
{
	uint8_t *th = skb_transport_header(skb);
	uint16_t check;

	put_be16(th + off, 0);
	check = csum_fold(csum_tcpudp_nofold(saddr, daddr, len, proto, csum_partial(th, len, 0)));
	put_be16(th + off, check);
	skb_count_sum(skb, len);
}

void ip_send_unicast_reply(struct net *net, struct sk_buff *orig, uint32_t daddr, uint32_t saddr, const void *data, uint32_t len,
			   uint8_t proto, uint8_t tos, uint32_t csumoffset)
{
	TRACE_FN(&net->probe, orig->serial);
	struct flowi4 fl4 = { .daddr = daddr, .saddr = saddr, .proto = proto, .tos = tos & 0x1c, .flags = FLOWI_FLAG_ANYSRC,
			      .mark = net->ipv4->sysctl.fwmark_reflect ? orig->mark : 0 };
	struct sk_buff *skb;
	struct rtable *rt;
	struct ip4_hdr *h;
	int err;

	/* A link-local group of sources has no route but the device it came by. */
	if ((daddr & 0xffff0000u) == 0xa9fe0000u && orig->dev && !(orig->dev->flags & DEVF_LOOPBACK))
		fl4.oif = orig->dev->ifindex;
	rt = ip_route_output_flow(net, &fl4, NULL, &err);
	if (!rt)
		return;
	skb = alloc_skb(net, MAX_TCP_HEADER + len);
	if (!skb) {
		dst_release(&rt->dst);
		return;
	}
	skb_reserve(skb, MAX_TCP_HEADER);
	memcpy(skb_put(skb, len), data, len);
	skb_reset_transport_header(skb);
	reply_checksum(skb, len, saddr, daddr, proto, csumoffset);
	memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
	skb_dst_set(skb, &rt->dst);
	skb->mark = fl4.mark;
	h = push_header(skb, NULL, tos);
	put_be16(h->frag_off, IP_DF);
	h->ttl = (uint8_t)(rt_hoplimit(rt) ? rt_hoplimit(rt) : (uint32_t)net->ipv4->sysctl.ip_default_ttl);
	h->protocol = proto;
	put_be32(h->saddr, saddr);
	put_be32(h->daddr, daddr);
	put_be16(h->id, 0); /* atomic: RFC 6864 4.1 */
	(void)ip_local_out(net, NULL, skb);
}
