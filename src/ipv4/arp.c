/* ARP (RFC 826): who has this address, and what we believe of those who say they do.
 *
 *     who-has for us       -> is-at back to the asker, and the asker noted as STALE        (S0-19, S3-77)
 *     is-at that we wait for -> REACHABLE, the waiting packets go
 *     anything else        -> refreshes a STALE entry at most; never makes one, never moves one that is REACHABLE or
 *                             permanent (ARP-03, ARP-04, RFC 5227); conf.arp_accept gives the old trusting ways
 *     our own address from another station -> one announcement in ten seconds (RFC 5227 2.4)
 *
 * The states and timers are core/neighbour.h's; this file is the neigh_table for IPv4 on Ethernet.
 * Called by core: arp_rcv (frames 0x0806), constructor, solicit, error_report. RFC 1122 2.3.2.
 * Tests: tests/unit/ipv4/test_arp.c (S0-07, S0-11, S0-19, S0-25, S1-31 to S1-38, S3-77 to S3-80, ARP-01 to ARP-10). */
#include <errno.h>
#include "ipv4/netns_ipv4.h"

#define ARPHRD_ETHER_ 1
#define ARPHRD_IEEE802_ 6
#define DEFEND_INTERVAL_NS (10 * NSEC_PER_SEC)

/* ---- sending ---- */

/* dest_hw: where the frame goes (NULL: everybody); target_hw: what stands in the packet (NULL: zeros). */
static struct sk_buff *arp_create(struct net *net, uint16_t op, uint32_t dest_ip, struct net_device *dev, uint32_t src_ip,
				  const uint8_t *dest_hw, const uint8_t *src_hw, const uint8_t *target_hw)
{
	struct sk_buff *skb = alloc_skb(net, NET_SKB_PAD + ARP_LEN);
	struct arp_hdr *a;

	if (!skb)
		return NULL;
	skb_reserve(skb, NET_SKB_PAD);
	a = (struct arp_hdr *)(void *)skb_put(skb, ARP_LEN);
	skb_reset_network_header(skb);
	skb->dev = dev;
	skb->protocol = ETH_P_ARP;
	put_be16(a->htype, ARPHRD_ETHER_);
	put_be16(a->ptype, ETH_P_IP);
	a->hlen = ETH_ALEN;
	a->plen = 4;
	put_be16(a->oper, op);
	memcpy(a->sha, src_hw ? src_hw : dev->dev_addr, ETH_ALEN);
	put_be32(a->spa, src_ip);
	if (target_hw)
		memcpy(a->tha, target_hw, ETH_ALEN);
	else
		memset(a->tha, 0, ETH_ALEN);
	put_be32(a->tpa, dest_ip);
	if (dev->header_ops && dev->header_ops->create(skb, dev, ETH_P_ARP, dest_hw ? dest_hw : dev->broadcast, a->sha) < 0) {
		kfree_skb_reason(skb, DROP_DEV_HDR);
		return NULL;
	}
	return skb;
}

void arp_send(struct net *net, uint16_t op, uint32_t dest_ip, struct net_device *dev, uint32_t src_ip, const uint8_t *dest_hw,
	      const uint8_t *src_hw, const uint8_t *target_hw, uint64_t parent)
{
	TRACE_FN(&net->probe, parent);
	struct sk_buff *skb;

	if (dev->flags & DEVF_NOARP)
		return;
	skb = arp_create(net, op, dest_ip, dev, src_ip, dest_hw, src_hw, target_hw);
	if (!skb)
		return;
	if (op == ARPOP_REQUEST)
		net->mib.arp_requests_sent++;
	else
		net->mib.arp_replies_sent++;
	TRACE(&net->probe, TR_NEIGH, skb->serial, "arp %s target=%u.%u.%u.%u for=%llu", op == ARPOP_REQUEST ? "who-has" : "is-at",
	      dest_ip >> 24, dest_ip >> 16 & 255, dest_ip >> 8 & 255, dest_ip & 255, (unsigned long long)parent);
	(void)dev_queue_xmit(skb);
}

/* Which of our addresses asks: the packet's own (it is what the answer will be for), unless arp_announce wants one
 * of the target's net. */
static uint32_t solicit_saddr(const struct neighbour *n, const struct sk_buff *skb)
{
	struct net *net = n->dev->net;
	const struct in_device *in = n->dev->ip_ptr;
	int32_t announce = in_dev_conf_max(in, CNF_ARP_ANNOUNCE);
	uint32_t saddr = 0;

	if (skb && skb->protocol == ETH_P_IP && announce < 2) {
		saddr = ip4_saddr(ip_hdr(skb));
		if (inet_addr_type(net, saddr) != RTN_LOCAL || ip4_is_loopback(saddr))
			saddr = 0;
		if (saddr && announce == 1 && !(inet_lookup_ifaddr(net, n->dev, saddr) && inet_addr_onlink(in, n->primary_key)))
			saddr = 0;
	}
	return saddr ? saddr : inet_select_addr(n->dev, n->primary_key, RT_SCOPE_LINK);
}

static void arp_solicit(struct neighbour *n, struct sk_buff *skb)
{
	struct net *net = n->dev->net;
	TRACE_FN(&net->probe, skb ? skb->serial : 0);
	bool unicast = (n->nud_state & NUD_PROBE) != 0; /* we know where it was: ask there (RFC 1122 2.3.2.1) */

	if (!n->dev->ip_ptr)
		return;
	/* RFC 1122 2.3.2.1 MUST prevent floods: the table sees to one a second per address, this to the host. */
	if (!unicast && !token_bucket_take(&net->ipv4->arp_bucket, net->now_ns, (uint32_t)net->ipv4->sysctl.arp_request_rate,
					   (uint32_t)net->ipv4->sysctl.arp_request_rate, 1))
		return;
	arp_send(net, ARPOP_REQUEST, n->primary_key, n->dev, solicit_saddr(n, skb), unicast ? n->ha : NULL, NULL,
		 unicast ? n->ha : NULL, skb ? skb->serial : 0);
}

/* ---- the table ---- */

static void arp_error_report(struct neighbour *n, struct sk_buff *skb)
{
	struct dst_entry *dst = skb_dst(skb);

	/* RFC 1122 3.2.2.1, RFC 1812 4.3.3.1: the last hop could not be reached: host unreachable. */
	if (dst && dst->ops->link_failure)
		dst->ops->link_failure(skb);
	kfree_skb_reason(skb, DROP_NEIGH_FAILED);
}

/* A device without link headers needs no address. */
static int arp_direct_output(struct neighbour *n, struct sk_buff *skb)
{
	skb->dev = n->dev;
	return dev_queue_xmit(skb);
}

static const struct neigh_ops arp_generic_ops = {
	.solicit = arp_solicit,
	.error_report = arp_error_report,
	.output = neigh_resolve_output,
	.connected_output = neigh_connected_output,
};

static const struct neigh_ops arp_direct_ops = {
	.output = arp_direct_output,
	.connected_output = arp_direct_output,
};

/* RFC 1112 6.4: the low 23 bits. */
static void arp_mc_map(uint32_t addr, uint8_t ha[ETH_ALEN])
{
	put_be16(ha, 0x0100);
	put_be32(ha + 2, 0x5e000000u | (addr & 0x7fffffu));
}

static int arp_constructor(struct neighbour *n)
{
	struct net_device *dev = n->dev;
	struct net *net = dev->net;
	TRACE_FN(&net->probe, 0);

	if (!dev->ip_ptr)
		return -EINVAL;
	n->type = (uint8_t)inet_addr_type(net, n->primary_key);
	if (!dev->header_ops) {
		n->nud_state = NUD_NOARP;
		n->ops = &arp_direct_ops;
		n->output = arp_direct_output;
		return 0;
	}
	if (n->type == RTN_MULTICAST) {
		n->nud_state = NUD_NOARP;
		arp_mc_map(n->primary_key, n->ha);
	} else if (dev->flags & (DEVF_NOARP | DEVF_LOOPBACK)) {
		n->nud_state = NUD_NOARP; /* lo's entry exists like any other (S1-28, S1-32) */
		memcpy(n->ha, dev->dev_addr, ETH_ALEN);
	} else if (n->type == RTN_BROADCAST || (dev->flags & DEVF_POINTOPOINT)) {
		n->nud_state = NUD_NOARP;
		memcpy(n->ha, dev->broadcast, ETH_ALEN);
	}
	n->ops = &arp_generic_ops;
	n->output = n->nud_state & NUD_VALID ? n->ops->connected_output : n->ops->output;
	return 0;
}

static uint32_t arp_hash(uint32_t key, const struct net_device *dev)
{
	return (uint32_t)hash_words(dev->net->hash_key, key, (uint32_t)dev->ifindex);
}

void arp_ifdown(struct net_device *dev)
{
	neigh_flush_dev(&dev->net->ipv4->arp_tbl, dev);
}

/* ---- receiving ---- */

struct arp_msg { /* a parsed packet */
	struct net *net;
	struct sk_buff *skb;
	struct net_device *dev;
	struct in_device *in;
	uint16_t op;
	uint32_t sip, tip;
	uint8_t sha[ETH_ALEN];
};

/* RFC 826 reception, RFC 1812 3.3.2, RFC 5227: who may not be believed at all. */
static bool sender_is_bad(const struct arp_msg *m)
{
	return mac_is_group(m->sha) || mac_is_zero(m->sha) || ip4_is_multicast(m->sip) || ip4_is_lbcast(m->sip) ||
	       ip4_is_loopback(m->sip) || ip4_is_reserved(m->sip) ||
	       (m->sip && (ip4_is_zeronet(m->sip) || inet_addr_type(m->net, m->sip) == RTN_BROADCAST));
}

/* Is the station on this link, by our own routes? Only such may become a neighbour. */
static bool sender_on_link(const struct arp_msg *m)
{
	struct flowi4 fl = { .daddr = m->sip };
	struct fib_result res;

	if (inet_addr_onlink(m->in, m->sip))
		return true;
	return fib_lookup(m->net, &fl, &res) == 0 && res.type == RTN_UNICAST && res.fi->nh[res.nh_sel].dev == m->dev &&
	       !res.fi->nh[res.nh_sel].gw;
}

/* arp_ignore: which requests for our addresses go unanswered. */
static bool arp_ignore(const struct arp_msg *m)
{
	switch (in_dev_conf_max(m->in, CNF_ARP_IGNORE)) {
	case 0:
		return false;
	case 1: /* only addresses of this device */
		return !inet_lookup_ifaddr(m->net, m->dev, m->tip);
	case 2: /* and only for askers of its net */
		return !inet_lookup_ifaddr(m->net, m->dev, m->tip) || (m->sip && !inet_addr_onlink(m->in, m->sip));
	case 3: /* not those of scope host */
		return !inet_lookup_ifaddr(m->net, NULL, m->tip) || inet_lookup_ifaddr(m->net, NULL, m->tip)->scope == RT_SCOPE_HOST;
	case 8:
		return true;
	default:
		return false;
	}
}

/* arp_filter: answer only if we would send to the asker over this device. */
static bool arp_filter(const struct arp_msg *m)
{
	struct flowi4 fl = { .daddr = m->sip, .saddr = m->tip };
	struct rtable *rt;
	bool other;
	int err;

	if (!in_dev_conf_or(m->in, CNF_ARP_FILTER) || !m->sip)
		return false;
	rt = __ip_route_output_key(m->net, &fl, &err);
	if (!rt)
		return true;
	other = rt->dst.dev != m->dev;
	dst_release(&rt->dst);
	return other;
}

/* Another station says that it has our address (RFC 5227 2.4): say once in DEFEND_INTERVAL that it is ours. */
static void arp_conflict(struct arp_msg *m)
{
	struct in_ifaddr *ifa = inet_lookup_ifaddr(m->net, m->dev, m->sip);
	char mac[MAC_STRLEN], a[IP4_STRLEN];

	TRACE(&m->net->probe, TR_NEIGH, m->skb->serial, "address conflict: %s is also at %s", ip4_str(a, m->sip), mac_str(mac, m->sha));
	if (!ifa || (ifa->last_defend_ns && m->net->now_ns - ifa->last_defend_ns < DEFEND_INTERVAL_NS))
		return;
	ifa->last_defend_ns = m->net->now_ns ? m->net->now_ns : 1;
	arp_send(m->net, ARPOP_REQUEST, ifa->local, m->dev, ifa->local, NULL, NULL, NULL, m->skb->serial);
}

/* The asker is a neighbour that we will answer, and now know: STALE (S3-80). */
static void neigh_event_ns(struct arp_msg *m)
{
	struct neigh_table *tbl = &m->net->ipv4->arp_tbl;
	struct neighbour *n = neigh_lookup_noref(tbl, arp_key(m->dev, m->sip), m->dev);

	if (!n && sender_on_link(m))
		n = __neigh_create(tbl, arp_key(m->dev, m->sip), m->dev, false);
	if (!n || (n->nud_state & (NUD_PERMANENT | NUD_NOARP)))
		return;
	if ((n->nud_state & NUD_REACHABLE) && !mac_equal(n->ha, m->sha) && !in_dev_conf_max(m->in, CNF_ARP_ACCEPT))
		return;
	(void)neigh_update(n, m->sha, NUD_STALE, NEIGH_UPDATE_F_OVERRIDE);
}

/* A request. True: it was for us, or for somebody we stand in for. */
static bool arp_request(struct arp_msg *m)
{
	bool ours = inet_addr_type(m->net, m->tip) == RTN_LOCAL;

	if (ours) {
		if (arp_ignore(m) || arp_filter(m))
			return true;
	} else {
		struct flowi4 fl = { .daddr = m->tip, .saddr = m->sip, .iif = m->dev->ifindex };
		struct fib_result res;

		/* Proxy: the way to it leaves by another device, and we forward. */
		if (!in_dev_forward(m->in) || !in_dev_conf_or(m->in, CNF_PROXY_ARP) || !m->sip ||
		    fib_lookup(m->net, &fl, &res) || res.type != RTN_UNICAST || res.fi->nh[res.nh_sel].dev == m->dev)
			return false;
	}
	if (m->sip) /* a probe (sender 0.0.0.0) is answered and not noted: RFC 5227 2.1.1 */
		neigh_event_ns(m);
	arp_send(m->net, ARPOP_REPLY, m->sip, m->dev, m->tip, m->sha, NULL, m->sha, m->skb->serial);
	return true;
}

/* May an unsolicited message make an entry? (arp_accept: 1 yes, 2 only from our net) */
static bool arp_accepts(const struct arp_msg *m)
{
	int32_t a = in_dev_conf_max(m->in, CNF_ARP_ACCEPT);

	return a == 1 ? sender_on_link(m) : a == 2 && inet_addr_onlink(m->in, m->sip);
}

/* Everything that is no request for us: does it change what we know of the sender? */
static enum drop_reason arp_update(struct arp_msg *m)
{
	struct neigh_table *tbl = &m->net->ipv4->arp_tbl;
	struct neighbour *n = neigh_lookup_noref(tbl, arp_key(m->dev, m->sip), m->dev);
	bool trusting = in_dev_conf_max(m->in, CNF_ARP_ACCEPT) != 0, waited, moved;

	if (!m->sip)
		return DROP_ARP_NOT_FOR_US;
	if (!n && (m->op == ARPOP_REPLY || m->sip == m->tip) && arp_accepts(m))
		n = __neigh_create(tbl, arp_key(m->dev, m->sip), m->dev, false);
	if (!n)
		return m->op == ARPOP_REPLY ? DROP_ARP_UNSOLICITED : DROP_ARP_NOT_FOR_US;
	if (n->nud_state & (NUD_PERMANENT | NUD_NOARP))
		return DROP_ARP_UNSOLICITED;
	waited = m->op == ARPOP_REPLY && (n->nud_state & (NUD_INCOMPLETE | NUD_PROBE)) &&
		 (m->skb->pkt_type == PACKET_HOST_ || inet_addr_type(m->net, m->tip) == RTN_LOCAL);
	moved = (n->nud_state & NUD_VALID) && !mac_equal(n->ha, m->sha);
	if (waited) { /* an answer to everybody proves less than one to us */
		(void)neigh_update(n, m->sha, m->skb->pkt_type == PACKET_HOST_ ? NUD_REACHABLE : NUD_STALE,
				   NEIGH_UPDATE_F_OVERRIDE);
		return DROP_NOT_SPECIFIED;
	}
	if ((n->nud_state & NUD_REACHABLE) &&
	    (!moved || !trusting || m->net->now_ns - n->updated_ns < tbl->parms.locktime_ns))
		return moved ? DROP_ARP_UNSOLICITED : DROP_NOT_SPECIFIED;
	/* Waiting for an answer, we take none that was not sent to us. */
	if (n->nud_state & NUD_INCOMPLETE && m->op == ARPOP_REPLY)
		return DROP_ARP_UNSOLICITED;
	(void)neigh_update(n, m->sha, NUD_STALE, NEIGH_UPDATE_F_OVERRIDE);
	return DROP_NOT_SPECIFIED;
}

/* 0: it did its job; else why it dies. */
static enum drop_reason arp_process(struct arp_msg *m)
{
	TRACE_FN(&m->net->probe, m->skb->serial);

	if (ip4_is_multicast(m->tip) || (ip4_is_loopback(m->tip) && !in_dev_conf_or(m->in, CNF_ROUTE_LOCALNET)))
		return DROP_ARP_NOT_FOR_US;
	if (sender_is_bad(m))
		return DROP_ARP_BAD_SENDER;
	if (mac_equal(m->sha, m->dev->dev_addr))
		return DROP_BAD_SRC_MAC;
	if (skb_mac_header_was_set(m->skb) && !mac_equal(m->sha, skb_mac_header(m->skb) + ETH_ALEN)) {
		TRACE(&m->net->probe, TR_NEIGH, m->skb->serial, "arp sender is not the frame's source");
		if (in_dev_conf_or(m->in, CNF_ARP_STRICT))
			return DROP_ARP_BAD_SENDER;
	}
	if (m->sip && inet_addr_type(m->net, m->sip) == RTN_LOCAL) {
		arp_conflict(m);
		return DROP_ARP_BAD_SENDER;
	}
	if (m->sip == m->tip && in_dev_conf_or(m->in, CNF_DROP_GRATUITOUS_ARP))
		return DROP_ARP_UNSOLICITED;
	if (m->op == ARPOP_REQUEST && m->sip != m->tip && arp_request(m))
		return DROP_NOT_SPECIFIED;
	return arp_update(m);
}

static enum drop_reason arp_parse(struct arp_msg *m)
{
	const struct arp_hdr *a;
	uint16_t hw;

	if (!m->in || (m->dev->flags & DEVF_NOARP))
		return DROP_UNHANDLED_PROTO;
	if (m->skb->pkt_type == PACKET_OTHERHOST_ || m->skb->pkt_type == PACKET_LOOPBACK_)
		return DROP_OTHERHOST;
	if (!skb_may_pull(m->skb, ARP_LEN))
		return DROP_ARP_MALFORMED;
	a = (const struct arp_hdr *)(const void *)m->skb->data;
	hw = get_be16(a->htype);
	m->op = get_be16(a->oper);
	if ((hw != ARPHRD_ETHER_ && hw != ARPHRD_IEEE802_) || get_be16(a->ptype) != ETH_P_IP || a->hlen != ETH_ALEN ||
	    a->plen != 4 || (m->op != ARPOP_REQUEST && m->op != ARPOP_REPLY))
		return DROP_ARP_MALFORMED;
	memcpy(m->sha, a->sha, ETH_ALEN);
	m->sip = get_be32(a->spa);
	m->tip = get_be32(a->tpa);
	return DROP_NOT_SPECIFIED;
}

int arp_rcv(struct sk_buff *skb, struct net_device *dev, struct packet_type *pt, struct net_device *orig)
{
	TRACE_FN(&dev->net->probe, skb->serial);
	struct arp_msg m = { .net = dev->net, .skb = skb, .dev = dev, .in = dev->ip_ptr };
	enum drop_reason why = arp_parse(&m);

	if (!why)
		why = arp_process(&m);
	if (why) {
		kfree_skb_reason(skb, why);
		return NET_RX_DROP;
	}
	consume_skb(skb);
	return NET_RX_SUCCESS;
}

/* ---- /proc/net/arp: an iterator over the live table that leaves out what never asks (S1-35, S1-36) ---- */

static void *arp_seq_start(struct net *net, void *state, uint64_t pos)
{
	TRACE_FN(&net->probe, 0);

	if (pos == 0)
		return SEQ_START_TOKEN;
	return neigh_seq_start(state, &net->ipv4->arp_tbl, NEIGH_SEQ_SKIP_NOARP, pos - 1);
}

static void *arp_seq_next(struct net *net, void *state, void *v)
{
	return neigh_seq_next(state);
}

static void arp_seq_show(struct net *net, struct strbuf *out, void *state, void *v)
{
	const struct neighbour *n = v;
	char a[IP4_STRLEN], mac[MAC_STRLEN];
	unsigned flags;

	if (v == SEQ_START_TOKEN) {
		sb_puts(out, "IP address       HW type     Flags       HW address            Mask     Device\n");
		return;
	}
	flags = n->nud_state & NUD_PERMANENT ? 0x6 : n->nud_state & NUD_VALID ? 0x2 : 0;
	sb_printf(out, "%-16s 0x%-10x0x%-10x%-17s     *        %s\n", ip4_str(a, n->primary_key), n->dev->type, flags,
		  mac_str(mac, n->ha), n->dev->name);
}

static const struct seq_operations arp_seq_ops = {
	.start = arp_seq_start,
	.next = arp_seq_next,
	.show = arp_seq_show,
	.state_size = sizeof(struct neigh_seq_state),
};

/* ---- life ---- */

int arp_init(struct net *net)
{
	struct netns_ipv4 *ip = net->ipv4;

	ip->arp_tbl.net = net;
	ip->arp_tbl.id = "arp_cache";
	ip->arp_tbl.constructor = arp_constructor;
	ip->arp_tbl.hash_key = arp_hash;
	neigh_table_init(net, &ip->arp_tbl);
	net->neigh->arp = &ip->arp_tbl;
	ip->arp_ptype.type = ETH_P_ARP;
	ip->arp_ptype.func = arp_rcv;
	dev_add_pack(net, &ip->arp_ptype);
	return proc_create_seq(net, "net/arp", &arp_seq_ops);
}

void arp_exit(struct net *net)
{
	struct netns_ipv4 *ip = net->ipv4;

	dev_remove_pack(net, &ip->arp_ptype);
	neigh_table_clear(&ip->arp_tbl);
	net->neigh->arp = NULL;
}
