/* Multicast groups: who of us listens to which, and telling the routers (RFC 1112, RFC 2236, RFC 3376).
 *
 * A group on a device has users (sockets); the first one opens the device's filter and is reported, the last one
 * closes it and is reported too. IGMPv3 is spoken until an older querier was heard (RFC 3376 7.2.1). Reports say
 * EXCLUDE{}: sockets here take every source. 224.0.0.1 is joined on every device that is up and never reported.
 *
 *     join:  state-change report (v3) or membership report, mr_qrv times, at random within the interval
 *     query: answer at random within its maximum delay; a v1/v2 report of another host for the group silences ours
 *
 * Called by ip_sockglue.c (joins), devinet.c (devices), ip_input.c (igmp_rcv).
 * Tests: tests/unit/ipv4/test_igmp.c (S0-23). */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include "ipv4/netns_ipv4.h"

#define IGMP_QUERY 0x11
#define IGMP_V1_REPORT 0x12
#define IGMP_V2_REPORT 0x16
#define IGMP_LEAVE 0x17
#define IGMP_V3_REPORT 0x22
#define IGMP_ALL_ROUTERS 0xe0000002u
#define IGMP_V3_ROUTERS 0xe0000016u
enum { REC_IS_EXCLUDE = 2, REC_TO_INCLUDE = 3, REC_TO_EXCLUDE = 4 };

#define IGMP_OLD_QUERIER_NS (400 * NSEC_PER_SEC)     /* RFC 3376 8.12: 2 * 125 s + 10 s, rounded up as Linux */
#define IGMP_V2_UNSOLICITED_NS (10 * NSEC_PER_SEC)   /* RFC 2236 8.10 */
#define IGMP_V3_UNSOLICITED_NS NSEC_PER_SEC          /* RFC 3376 8.11 */
#define IGMP_MAX_RECORDS 64u                         /* of one report */
#define IGMP_MAX_GROUPS 4096u                        /* of a device */

/* ---- sending ---- */

/* RFC 3376 4: TTL 1, TOS 0xc0, Router Alert. len octets of IGMP follow at the returned place. */
static struct sk_buff *igmp_packet(struct in_device *in, uint32_t dst, uint32_t len)
{
	struct net *net = in->dev->net;
	struct flowi4 fl4;
	struct sk_buff *skb;
	struct rtable *rt;
	struct ip4_hdr *h;
	int err;

	rt = ip_route_output_ports(net, &fl4, NULL, dst, 0, 0, 0, IPPROTO_IGMP, 0xc0, in->dev->ifindex, &err);
	if (!rt)
		return NULL;
	skb = alloc_skb(net, NET_SKB_PAD + IP4_HLEN + 4 + len);
	if (!skb) {
		dst_release(&rt->dst);
		return NULL;
	}
	skb_reserve(skb, NET_SKB_PAD);
	skb_reset_network_header(skb);
	memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
	h = (struct ip4_hdr *)(void *)skb_put(skb, IP4_HLEN + 4);
	memset(h, 0, IP4_HLEN);
	h->ver_ihl = 0x46;
	h->tos = 0xc0;
	put_be16(h->frag_off, IP_DF);
	h->ttl = 1;
	h->protocol = IPPROTO_IGMP;
	put_be32(h->saddr, fl4.saddr);
	put_be32(h->daddr, dst);
	put_be32((uint8_t *)h + IP4_HLEN, 0x94040000u); /* router alert (RFC 2113) */
	skb_set_transport_header(skb, IP4_HLEN + 4);
	skb_dst_set(skb, &rt->dst);
	skb->dev = in->dev;
	return skb;
}

static void igmp_out(struct sk_buff *skb, uint8_t *msg, uint32_t len)
{
	put_be16(msg + 2, 0);
	put_be16(msg + 2, csum_fold(csum_partial(msg, len, 0)));
	(void)ip_local_out(skb->net, NULL, skb);
}

static void igmp_send_report(struct in_device *in, uint8_t type, uint32_t group)
{
	TRACE_FN(&in->dev->net->probe, 0);
	struct sk_buff *skb = igmp_packet(in, type == IGMP_LEAVE ? IGMP_ALL_ROUTERS : group, 8);
	uint8_t *m;

	if (!skb)
		return;
	m = skb_put(skb, 8);
	memset(m, 0, 8);
	m[0] = type;
	put_be32(m + 4, group);
	igmp_out(skb, m, 8);
}

struct v3_record {
	uint8_t type;
	uint32_t group;
};

static void igmpv3_send(struct in_device *in, const struct v3_record *r, uint32_t n)
{
	TRACE_FN(&in->dev->net->probe, 0);
	struct sk_buff *skb = n ? igmp_packet(in, IGMP_V3_ROUTERS, 8 + 8 * n) : NULL;
	uint8_t *m;

	if (!skb)
		return;
	m = skb_put(skb, 8 + 8 * n);
	memset(m, 0, 8 + 8 * (size_t)n);
	m[0] = IGMP_V3_REPORT;
	put_be16(m + 6, (uint16_t)n);
	for (uint32_t i = 0; i < n; i++) {
		m[8 + 8 * i] = r[i].type;
		put_be32(m + 12 + 8 * i, r[i].group);
	}
	igmp_out(skb, m, 8 + 8 * n);
}

/* ---- which version ---- */

static int igmp_version(const struct in_device *in)
{
	uint64_t now = in->dev->net->now_ns;
	int32_t all = in->dev->net->ipv4->devconf_all[CNF_FORCE_IGMP_VERSION];

	if (all || in->cnf[CNF_FORCE_IGMP_VERSION])
		return all ? all : in->cnf[CNF_FORCE_IGMP_VERSION];
	if (in->mr_v1_seen_ns && now < in->mr_v1_seen_ns)
		return 1;
	return in->mr_v2_seen_ns && now < in->mr_v2_seen_ns ? 2 : 3;
}

static bool igmp_reports(const struct in_device *in, uint32_t group)
{
	return group != IGMP_ALL_HOSTS && (in->dev->flags & DEVF_UP) && !in->dead && !(in->dev->flags & DEVF_LOOPBACK) &&
	       (!ip4_is_local_mcast(group) || in->dev->net->ipv4->sysctl.igmp_link_local_mcast_reports);
}

/* A moment within max_ns from now, at least a tick later. */
static uint64_t igmp_when(struct net *net, uint64_t max_ns)
{
	uint32_t ms = (uint32_t)(max_ns / NSEC_PER_MSEC);

	return net->now_ns + NSEC_PER_MSEC + (ms ? (uint64_t)rng_below(&net->ipv4->rng_igmp, ms) * NSEC_PER_MSEC : 0);
}

/* ---- timers ---- */

/* One group's turn to be reported. */
static void igmp_timer_expire(struct timer_list *t)
{
	struct ip_mc_list *im = container_of(t, struct ip_mc_list, timer);
	struct in_device *in = im->in;
	struct net *net = in->dev->net;
	int v = igmp_version(in);

	im->tm_running = false;
	if (v == 3) {
		struct v3_record r = { REC_IS_EXCLUDE, im->multiaddr };

		igmpv3_send(in, &r, 1);
	} else {
		igmp_send_report(in, v == 1 ? IGMP_V1_REPORT : IGMP_V2_REPORT, im->multiaddr);
	}
	im->reporter = true;
	if (im->unsolicit_count && --im->unsolicit_count) {
		im->tm_running = true;
		mod_timer(&net->wheel, &im->timer, igmp_when(net, IGMP_V2_UNSOLICITED_NS));
	}
}

/* Answer to an IGMPv3 general query: all groups. */
static void igmp_gq_expire(struct timer_list *t)
{
	struct in_device *in = container_of(t, struct in_device, mr_gq_timer);
	struct v3_record r[IGMP_MAX_RECORDS] = { { 0, 0 } };
	struct ip_mc_list *im;
	uint32_t n = 0;

	list_for_each_entry(im, &in->mc_list, list) {
		if (!igmp_reports(in, im->multiaddr))
			continue;
		r[n++] = (struct v3_record){ REC_IS_EXCLUDE, im->multiaddr };
		if (n == IGMP_MAX_RECORDS) {
			igmpv3_send(in, r, n);
			n = 0;
		}
	}
	igmpv3_send(in, r, n);
}

/* What changed since: joined (TO_EXCLUDE{}) and left (TO_INCLUDE{}), mr_qrv times each (RFC 3376 5.1). */
static void igmp_ifc_expire(struct timer_list *t)
{
	struct in_device *in = container_of(t, struct in_device, mr_ifc_timer);
	struct net *net = in->dev->net;
	struct v3_record r[IGMP_MAX_RECORDS] = { { 0, 0 } };
	struct ip_mc_list *im, *tmp;
	uint32_t n = 0;
	bool again = false;

	list_for_each_entry_safe(im, tmp, &in->mc_tomb, list) {
		if (n < IGMP_MAX_RECORDS) {
			r[n++] = (struct v3_record){ REC_TO_INCLUDE, im->multiaddr };
			if (im->crcount <= 1) {
				list_del_init(&im->list);
				free(im);
				continue;
			}
			im->crcount--;
		}
		again = true;
	}
	list_for_each_entry(im, &in->mc_list, list) {
		if (!im->crcount)
			continue;
		if (n < IGMP_MAX_RECORDS) {
			r[n++] = (struct v3_record){ REC_TO_EXCLUDE, im->multiaddr };
			im->crcount--;
		}
		again |= im->crcount != 0;
	}
	igmpv3_send(in, r, n);
	if (again)
		mod_timer(&net->wheel, &in->mr_ifc_timer, igmp_when(net, IGMP_V3_UNSOLICITED_NS));
}

static void igmp_ifc_event(struct in_device *in)
{
	mod_timer(&in->dev->net->wheel, &in->mr_ifc_timer, igmp_when(in->dev->net, 0));
}

/* ---- groups of a device ---- */

static struct ip_mc_list *mc_find(const struct in_device *in, uint32_t addr)
{
	struct ip_mc_list *im;

	list_for_each_entry(im, &in->mc_list, list) {
		if (im->multiaddr == addr)
			return im;
	}
	return NULL;
}

bool ip_check_mc(const struct in_device *in, uint32_t addr)
{
	return in && mc_find(in, addr);
}

static void mc_filter(struct ip_mc_list *im, bool on)
{
	uint8_t mac[ETH_ALEN];

	/* lo has addresses of six octets too, and no card that could filter them */
	if (im->loaded == on || im->in->dev->addr_len != ETH_ALEN || (im->in->dev->flags & DEVF_LOOPBACK))
		return;
	im->loaded = on;
	put_be16(mac, 0x0100);
	put_be32(mac + 2, 0x5e000000u | (im->multiaddr & 0x7fffffu));
	if (on)
		(void)dev_mc_add(im->in->dev, mac);
	else
		(void)dev_mc_del(im->in->dev, mac);
}

static void igmp_group_added(struct ip_mc_list *im)
{
	struct in_device *in = im->in;
	struct net *net = in->dev->net;

	mc_filter(im, true);
	if (!igmp_reports(in, im->multiaddr))
		return;
	if (igmp_version(in) == 3) {
		im->crcount = (uint8_t)net->ipv4->sysctl.igmp_qrv;
		igmp_ifc_event(in);
		return;
	}
	im->unsolicit_count = (uint8_t)net->ipv4->sysctl.igmp_qrv;
	im->tm_running = true;
	mod_timer(&net->wheel, &im->timer, igmp_when(net, 0));
}

/* The group is left; im is freed here or kept in mc_tomb until IGMPv3 has said it. */
static void igmp_group_dropped(struct ip_mc_list *im)
{
	struct in_device *in = im->in;
	struct net *net = in->dev->net;

	mc_filter(im, false);
	del_timer(&net->wheel, &im->timer);
	if (!igmp_reports(in, im->multiaddr)) {
		free(im);
		return;
	}
	if (igmp_version(in) == 3) {
		im->crcount = (uint8_t)net->ipv4->sysctl.igmp_qrv;
		list_add_tail(&im->list, &in->mc_tomb);
		igmp_ifc_event(in);
		return;
	}
	if (igmp_version(in) == 2 && im->reporter)
		igmp_send_report(in, IGMP_LEAVE, im->multiaddr);
	free(im);
}

int ip_mc_inc_group(struct in_device *in, uint32_t addr)
{
	struct ip_mc_list *im = mc_find(in, addr), *tomb, *tmp;

	if (im) {
		im->users++;
		return 0;
	}
	if (in->mc_count >= IGMP_MAX_GROUPS)
		return -ENOBUFS;
	/* Left a moment ago: what was to be said about that is no longer true. */
	list_for_each_entry_safe(tomb, tmp, &in->mc_tomb, list) {
		if (tomb->multiaddr == addr) {
			list_del_init(&tomb->list);
			free(tomb);
		}
	}
	im = xcalloc(1, sizeof(*im));
	im->in = in;
	im->multiaddr = addr;
	im->users = 1;
	timer_setup(&im->timer, igmp_timer_expire);
	list_add_tail(&im->list, &in->mc_list);
	in->mc_count++;
	igmp_group_added(im);
	rt_cache_flush(in->dev->net);
	return 0;
}

void ip_mc_dec_group(struct in_device *in, uint32_t addr)
{
	struct ip_mc_list *im = mc_find(in, addr);

	if (!im || --im->users)
		return;
	list_del_init(&im->list);
	in->mc_count--;
	igmp_group_dropped(im);
	rt_cache_flush(in->dev->net);
}

void ip_mc_init_dev(struct in_device *in)
{
	list_init(&in->mc_list);
	list_init(&in->mc_tomb);
	timer_setup(&in->mr_gq_timer, igmp_gq_expire);
	timer_setup(&in->mr_ifc_timer, igmp_ifc_expire);
}

void ip_mc_up(struct in_device *in)
{
	struct ip_mc_list *im;

	list_for_each_entry(im, &in->mc_list, list)
		igmp_group_added(im);
	if (!mc_find(in, IGMP_ALL_HOSTS))
		(void)ip_mc_inc_group(in, IGMP_ALL_HOSTS);
}

static void mc_stop(struct in_device *in)
{
	struct net *net = in->dev->net;
	struct ip_mc_list *im, *tmp;

	del_timer(&net->wheel, &in->mr_gq_timer);
	del_timer(&net->wheel, &in->mr_ifc_timer);
	list_for_each_entry(im, &in->mc_list, list) {
		del_timer(&net->wheel, &im->timer);
		im->tm_running = im->reporter = false;
		mc_filter(im, false);
	}
	list_for_each_entry_safe(im, tmp, &in->mc_tomb, list) {
		list_del_init(&im->list);
		free(im);
	}
}

void ip_mc_down(struct in_device *in)
{
	mc_stop(in);
	ip_mc_dec_group(in, IGMP_ALL_HOSTS);
}

void ip_mc_destroy_dev(struct in_device *in)
{
	struct ip_mc_list *im, *tmp;

	mc_stop(in);
	list_for_each_entry_safe(im, tmp, &in->mc_list, list) {
		list_del_init(&im->list);
		free(im);
	}
	in->mc_count = 0;
}

/* ---- hearing ---- */

static void igmp_mod_timer(struct ip_mc_list *im, uint64_t max_ns)
{
	struct net *net = im->in->dev->net;
	uint64_t when = igmp_when(net, max_ns);

	if (im->tm_running && im->timer.expires_ns <= when)
		return;
	im->tm_running = true;
	mod_timer(&net->wheel, &im->timer, when);
}

/* RFC 3376 4.1.1: code above 127 is a floating point number of tenths of a second. */
static uint64_t igmpv3_delay(uint8_t code)
{
	uint64_t tenths = code < 128 ? code : (uint64_t)((code & 15) | 16) << ((code >> 4 & 7) + 3);

	return (tenths ? tenths : 1) * 100 * NSEC_PER_MSEC;
}

static void igmp_heard_query(struct in_device *in, const uint8_t *m, uint32_t len)
{
	struct net *net = in->dev->net;
	uint32_t group = get_be32(m + 4);
	uint64_t max = (uint64_t)m[1] * 100 * NSEC_PER_MSEC;
	struct ip_mc_list *im;

	if (len == 8 && m[1] == 0) {
		max = 10 * NSEC_PER_SEC;
		in->mr_v1_seen_ns = net->now_ns + IGMP_OLD_QUERIER_NS;
		group = 0;
	} else if (len == 8) {
		in->mr_v2_seen_ns = net->now_ns + IGMP_OLD_QUERIER_NS;
	} else if (len < 12) {
		return;
	} else if (igmp_version(in) == 3) {
		max = igmpv3_delay(m[1]);
		if (!group) {
			mod_timer(&net->wheel, &in->mr_gq_timer, igmp_when(net, max));
			return;
		}
	}
	list_for_each_entry(im, &in->mc_list, list) {
		if ((!group || group == im->multiaddr) && igmp_reports(in, im->multiaddr))
			igmp_mod_timer(im, max);
	}
}

/* Somebody else reported: one is enough (RFC 2236 3). */
static void igmp_heard_report(struct in_device *in, uint32_t group)
{
	struct ip_mc_list *im = mc_find(in, group);

	if (!im || group == IGMP_ALL_HOSTS)
		return;
	del_timer(&in->dev->net->wheel, &im->timer);
	im->tm_running = im->reporter = false;
	im->unsolicit_count = 0;
}

int igmp_rcv(struct sk_buff *skb)
{
	struct net *net = skb->net;
	TRACE_FN(&net->probe, skb->serial);
	struct in_device *in = skb->dev->ip_ptr;
	const uint8_t *m;

	if (!in || !skb_may_pull(skb, 8) || csum_fold(skb_checksum(skb, 0, skb->len, 0))) {
		kfree_skb_reason(skb, DROP_ICMP_MALFORMED);
		return 0;
	}
	m = skb->data;
	switch (m[0]) {
	case IGMP_QUERY:
		if (skb_may_pull(skb, min_u32(skb->len, 12)))
			igmp_heard_query(in, skb->data, skb->len);
		break;
	case IGMP_V1_REPORT:
	case IGMP_V2_REPORT:
		/* Our own, looped back, silences nobody. */
		if (skb_rtable(skb)->is_input && skb->pkt_type != PACKET_LOOPBACK_)
			igmp_heard_report(in, get_be32(m + 4));
		break;
	default: /* leaves and IGMPv3 reports are for routers */
		break;
	}
	consume_skb(skb);
	return 0;
}

/* ---- sockets ---- */

static struct in_device *mc_device(struct net *net, uint32_t group, uint32_t ifaddr, int ifindex)
{
	struct net_device *dev = NULL;
	struct in_ifaddr *ifa;
	struct flowi4 fl4 = { .daddr = group };
	struct rtable *rt;
	int err;

	if (ifindex) {
		dev = dev_get_by_index(net, ifindex);
	} else if (ifaddr) {
		ifa = inet_lookup_ifaddr(net, NULL, ifaddr);
		dev = ifa ? ifa->in_dev->dev : NULL;
	} else {
		rt = __ip_route_output_key(net, &fl4, &err);
		if (rt) {
			dev = rt->dst.dev;
			dst_release(&rt->dst);
		}
	}
	return dev ? dev->ip_ptr : NULL;
}

int ip_mc_join_group(struct sock *sk, uint32_t group, uint32_t ifaddr, int ifindex)
{
	struct inet_sock *inet = inet_sk(sk);
	struct in_device *in;
	struct ip_mc_socklist *s;
	int32_t n = 0;
	int err;

	if (!ip4_is_multicast(group))
		return -EINVAL;
	in = mc_device(sk->net, group, ifaddr, ifindex);
	if (!in)
		return -ENODEV;
	list_for_each_entry(s, &inet->mc_list, list) {
		n++;
		if (s->multiaddr == group && s->ifindex == in->dev->ifindex)
			return -EADDRINUSE;
	}
	if (n >= sk->net->ipv4->sysctl.igmp_max_memberships)
		return -ENOBUFS;
	err = ip_mc_inc_group(in, group);
	if (err)
		return err;
	s = xcalloc(1, sizeof(*s));
	s->multiaddr = group;
	s->ifindex = in->dev->ifindex;
	s->sfmode = MCAST_EXCLUDE; /* nobody: any source */
	list_add_tail(&s->list, &inet->mc_list);
	return 0;
}

static void mc_leave_one(struct net *net, struct ip_mc_socklist *s)
{
	struct net_device *dev = dev_get_by_index(net, s->ifindex);

	if (dev && dev->ip_ptr)
		ip_mc_dec_group(dev->ip_ptr, s->multiaddr);
	list_del_init(&s->list);
	free(s->src);
	free(s);
}

int ip_mc_leave_group(struct sock *sk, uint32_t group, uint32_t ifaddr, int ifindex)
{
	struct in_device *in = ifaddr || ifindex ? mc_device(sk->net, group, ifaddr, ifindex) : NULL;
	struct ip_mc_socklist *s;

	if ((ifaddr || ifindex) && !in)
		return -ENODEV;
	list_for_each_entry(s, &inet_sk(sk)->mc_list, list) {
		if (s->multiaddr == group && (!in || s->ifindex == in->dev->ifindex)) {
			mc_leave_one(sk->net, s);
			return 0;
		}
	}
	return -EADDRNOTAVAIL;
}

/* The socket's membership. NULL: none, or *err -ENODEV. */
struct ip_mc_socklist *ip_mc_find(struct sock *sk, uint32_t group, uint32_t ifaddr, int ifindex, int *err)
{
	const struct in_device *in = mc_device(sk->net, group, ifaddr, ifindex);
	struct ip_mc_socklist *s;

	*err = in ? 0 : -ENODEV;
	if (!in)
		return NULL;
	list_for_each_entry(s, &inet_sk(sk)->mc_list, list) {
		if (s->multiaddr == group && s->ifindex == in->dev->ifindex)
			return s;
	}
	return NULL;
}

void ip_mc_drop_socket(struct sock *sk)
{
	struct ip_mc_socklist *s, *tmp;

	list_for_each_entry_safe(s, tmp, &inet_sk(sk)->mc_list, list)
		mc_leave_one(sk->net, s);
}

/* ---- /proc/net/igmp ---- */

static void igmp_show(struct net *net, struct strbuf *out)
{
	static const char *const versions[] = { "", "V1", "V2", "V3" };

	sb_puts(out, "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n");
	for (int i = 1; i <= net->nr_ifindex; i++) {
		struct net_device *dev = dev_get_by_index(net, i);
		const struct ip_mc_list *im;

		if (!dev || !dev->ip_ptr || !dev->ip_ptr->mc_count)
			continue;
		sb_printf(out, "%d\t%-10s: %5u %7s\n", i, dev->name, dev->ip_ptr->mc_count, versions[igmp_version(dev->ip_ptr)]);
		list_for_each_entry(im, &dev->ip_ptr->mc_list, list) {
			uint64_t left = im->tm_running ? (im->timer.expires_ns - net->now_ns) / (10 * NSEC_PER_MSEC) : 0;

			sb_printf(out, "\t\t\t\t%08X %5u %d:%08X\t\t%d\n", __builtin_bswap32(im->multiaddr), im->users,
				  im->tm_running, (uint32_t)left, im->reporter);
		}
	}
}

int igmp_init(struct net *net)
{
	static const struct net_protocol igmp_protocol = { .handler = igmp_rcv };
	int err = proc_create_single(net, "net/igmp", igmp_show);

	return err ? err : inet_add_protocol(net, &igmp_protocol, IPPROTO_IGMP);
}
