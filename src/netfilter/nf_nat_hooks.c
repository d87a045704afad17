/* NAT at the hooks: who asks the table nat, who goes to a mapping, what must not pass.
 *
 * Decides: the binding of each connection's first packet, destination then source; hairpin (RFC 4787 REQ-9); that nothing
 * leaves with an inside address because no connection could be told for it (RFC 5508 REQ-5); that the host's own TCP does
 * not answer segments for connections that are none of its own (RFC 5382 REQ-4).
 * Called by nf_hook; hands on to ip_tables.c (the rules), nf_nat_core.c, nf_nat_manip.c.
 * Tests: tests/unit/netfilter/test_nat.c (NAT-05, NAT-06, NAT-08, NAT-09). */
#include "core/dst.h"
#include "netfilter/nf_nat.h"
#include "wire/tcp_hdr.h"

#define RTN_LOCAL_ 2u /* linux/rtnetlink.h */

static const struct nf_nat_range keep_as_it_is;

static const struct ip4_hdr *ip_of(const struct sk_buff *skb)
{
	return (const void *)skb->data;
}

static bool is_local(struct net *net, uint32_t addr)
{
	return net->nf->ip->addr_type(net, addr) == RTN_LOCAL_;
}

/* ---- binding ---- */

/* A packet to an outside port that has a mapping: to its inside end, if it comes from where it may. */
static unsigned bind_to_mapping(struct nf_nat_net *nn, struct nf_conn *ct, const struct nf_hook_state *st)
{
	const struct nf_conntrack_tuple *o = &ct->hash[0].tuple;
	const struct nf_ct_sysctl *c = &ct->cn->sysctl;
	struct nf_nat_range r = { .flags = NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED };
	const struct nat_map *m;
	bool inside;

	if (o->proto != NF_PROTO_TCP && o->proto != NF_PROTO_UDP)
		return NF_ACCEPT;
	m = nf_nat_map_by_out(nn, o->proto, o->dst, o->dport);
	if (!m || m->in_addr == m->out_addr)
		return NF_ACCEPT;
	inside = ipt_nat_inside(st->net, st->in, o->src);
	if (inside ? !c->nat_hairpin : !c->nat_full_cone)
		return NF_ACCEPT;
	if (inside)
		ct->status |= IPS_HAIRPIN;
	r.min_addr = r.max_addr = m->in_addr;
	r.min_port = r.max_port = m->in_port;
	return nf_nat_setup_info(ct, &r, NF_NAT_MANIP_DST);
}

/* From the inside, over an address of ours, back to the inside: a rule did it or a mapping. The answer must come back
 * this way, and the far end must see the outside address (RFC 4787 REQ-9a). */
static bool is_hairpin(const struct nf_conn *ct, const struct nf_hook_state *st)
{
	const struct nf_conntrack_tuple *o = &ct->hash[0].tuple;
	struct net *net = st->net;

	if (!ct->cn->sysctl.nat_hairpin || !st->in)
		return false;
	if (ct->status & IPS_HAIRPIN)
		return true;
	return (ct->status & IPS_DST_NAT) && ipt_nat_hides_any(net) && ipt_nat_inside(net, st->in, o->src) &&
	       !ipt_nat_hides(net, st->out, o->src) && is_local(net, o->dst) && !is_local(net, ct->hash[1].tuple.src);
}

/* No rule had anything to say. */
static unsigned bind_without_rule(struct nf_nat_net *nn, struct nf_conn *ct, const struct nf_hook_state *st)
{
	struct nf_nat_range r = { .flags = NF_NAT_RANGE_MAP_IPS };
	unsigned v = NF_ACCEPT;

	if (st->hook == NF_INET_PRE_ROUTING) {
		v = bind_to_mapping(nn, ct, st);
		if (v != NF_ACCEPT || (ct->status & IPS_DST_NAT_DONE))
			return v;
	}
	if (st->hook == NF_INET_POST_ROUTING && is_hairpin(ct, st)) {
		r.min_addr = r.max_addr = ct->hash[0].tuple.dst;
		return nf_nat_setup_info(ct, &r, NF_NAT_MANIP_SRC);
	}
	return nf_nat_setup_info(ct, &keep_as_it_is, HOOK2MANIP(st->hook));
}

static unsigned bind_first(struct nf_nat_net *nn, struct nf_conn *ct, struct sk_buff *skb, const struct nf_hook_state *st)
{
	uint32_t done = HOOK2MANIP(st->hook) == NF_NAT_MANIP_SRC ? IPS_SRC_NAT_DONE : IPS_DST_NAT_DONE;
	unsigned v;

	if (ct->status & (done | IPS_CONFIRMED))
		return NF_ACCEPT;
	v = ipt_nat_chain(skb, st);
	if (v == NF_ACCEPT && !(ct->status & done))
		v = bind_without_rule(nn, ct, st);
	/* RFC 5508 REQ-8: no port is left, and the sender is told. The packet is still as he sent it. */
	if (v == NF_DROP_REASON(DROP_NAT_TABLE_FULL) && st->in && !(ct->status & IPS_DST_NAT))
		st->net->nf->ip->send_unreach(skb, ICMP_PKT_FILTERED, false);
	return v;
}

static unsigned nf_nat_inet_fn(struct nf_nat_net *nn, struct sk_buff *skb, const struct nf_hook_state *st)
{
	TRACE_FN(&st->net->probe, skb->serial);
	struct nf_conn *ct = nf_ct_get(skb);
	enum ip_conntrack_info info = skb->nfct_status;
	unsigned v;

	if (!ct)
		return NF_ACCEPT;
	if (info == IP_CT_RELATED || info == IP_CT_RELATED_REPLY)
		return nf_nat_icmp_reply_translation(skb, ct, info, st->hook) ? NF_ACCEPT : NF_DROP_REASON(DROP_NAT_NO_MAPPING);
	if (info == IP_CT_NEW) {
		v = bind_first(nn, ct, skb, st);
		if (v != NF_ACCEPT)
			return v;
	}
	/* Its route goes by another device now: the address it hides behind is not the right one any more. */
	if (ct->masq_index && st->hook == NF_INET_POST_ROUTING && CTINFO2DIR(info) == IP_CT_DIR_ORIGINAL && st->out &&
	    ct->masq_index != st->out->ifindex) {
		nf_ct_kill(ct);
		return NF_DROP_REASON(DROP_NAT_NO_MAPPING);
	}
	return nf_nat_packet(ct, info, st->hook, skb);
}

/* ---- the four hooks ---- */

static unsigned nf_nat_ipv4_pre_routing(void *priv, struct sk_buff *skb, const struct nf_hook_state *st)
{
	TRACE_FN(&st->net->probe, skb->serial);
	uint32_t daddr = ip4_daddr(ip_of(skb));
	unsigned v = nf_nat_inet_fn(priv, skb, st);

	if (v == NF_ACCEPT && ip4_daddr(ip_of(skb)) != daddr) {
		skb_dst_drop(skb); /* it was for the old one */
		st->net->nf->ip->translated(skb);
	}
	return v;
}

static unsigned nf_nat_ipv4_local_fn(void *priv, struct sk_buff *skb, const struct nf_hook_state *st)
{
	TRACE_FN(&st->net->probe, skb->serial);

	return nf_nat_inet_fn(priv, skb, st);
}

static unsigned nf_nat_ipv4_out(void *priv, struct sk_buff *skb, const struct nf_hook_state *st)
{
	TRACE_FN(&st->net->probe, skb->serial);

	/* INVALID, on its way from the inside: it would leave as it is, with an address that nobody outside can answer. */
	if (!skb->nfct && skb->nfct_status != IP_CT_UNTRACKED && st->in && ipt_nat_hides(st->net, st->out, ip4_saddr(ip_of(skb))) &&
	    !is_local(st->net, ip4_saddr(ip_of(skb))))
		return NF_DROP_REASON(DROP_NAT_NO_MAPPING);
	return nf_nat_inet_fn(priv, skb, st);
}

/* ---- what nobody asked for ---- */

static void syn_drop(struct nf_nat_net *nn, struct nat_syn *s)
{
	struct sk_buff *skb = s->skb;

	list_del_init(&s->list);
	s->skb = NULL;
	nn->nr_syns--;
	kfree_skb_reason(skb, DROP_NAT_NO_MAPPING);
}

void nf_nat_syn_purge(struct nf_nat_net *nn, const struct net_device *dev)
{
	struct nat_syn *s, *tmp;

	list_for_each_entry_safe(s, tmp, &nn->syns, list) {
		if (!dev || s->skb->dev == dev)
			syn_drop(nn, s);
	}
	if (list_empty(&nn->syns))
		del_timer(&nn->cn->net->wheel, &nn->syn_timer);
}

/* Six seconds are over. If an outbound SYN of the same connection has gone by, the inbound one is forgotten. */
static void syn_timeout(struct timer_list *timer)
{
	struct nf_nat_net *nn = container_of(timer, struct nf_nat_net, syn_timer);
	struct net *net = nn->cn->net;
	TRACE_FN_AS(&net->probe, "nf_nat_syn_timeout", 0);
	struct nat_syn *s, *tmp;
	struct nf_conntrack_tuple t;

	list_for_each_entry_safe(s, tmp, &nn->syns, list) {
		if (s->due_ns > net->now_ns) {
			mod_timer(&net->wheel, timer, s->due_ns);
			return;
		}
		if (nf_ct_get_tuple(s->skb, 0, &t) && !nf_conntrack_find(nn->cn, &t))
			net->nf->ip->send_unreach(s->skb, ICMP_PORT_UNREACH, false);
		syn_drop(nn, s);
	}
}

/* RFC 5382 REQ-4. The packet is taken. */
static unsigned syn_wait(struct nf_nat_net *nn, struct sk_buff *skb)
{
	struct net *net = nn->cn->net;
	struct nat_syn *s = nn->syn;

	if (nn->nr_syns == NAT_SYN_MAX)
		return NF_DROP_REASON(DROP_NAT_NO_MAPPING);
	while (s->skb)
		s++;
	if (skb->nfct) { /* it holds no place in the table meanwhile */
		nf_ct_put(skb->nfct);
		skb->nfct = NULL;
		skb->nfct_status = 0;
	}
	s->skb = skb;
	s->due_ns = net->now_ns + NAT_SYN_WAIT_NS;
	list_add_tail(&s->list, &nn->syns);
	if (!nn->nr_syns++)
		mod_timer(&net->wheel, &nn->syn_timer, s->due_ns);
	TRACE(&net->probe, TR_QUEUE, skb->serial, "queue=unsolicited_syn len=%u", nn->nr_syns);
	return NF_STOLEN;
}

/* From the outside to an address of ours that stands for the inside: no connection, no program. The host's TCP would answer
 * with a reset; for a UDP port that is somebody's inside, its "port unreachable" would be a lie. */
static bool is_unsolicited(const struct nf_nat_net *nn, const struct sk_buff *skb, const struct nf_hook_state *st)
{
	const struct nf_conn *ct = nf_ct_get(skb);
	const struct ip4_hdr *h = ip_of(skb);
	struct net *net = st->net;
	const struct nat_map *m;
	uint8_t p[4];

	if ((h->protocol != NF_PROTO_TCP && h->protocol != NF_PROTO_UDP) || (ct && (skb->nfct_status != IP_CT_NEW || (ct->status & IPS_CONFIRMED))) ||
	    (st->in->flags & DEVF_LOOPBACK) || !ipt_nat_hides_any(net) || ipt_nat_inside(net, st->in, ip4_saddr(h)))
		return false;
	if (skb_copy_bits(skb, ip4_hlen(h), p, sizeof(p)) ||
	    net->nf->ip->port_used(net, h->protocol, ip4_daddr(h), get_be16(p + 2), ip4_saddr(h), get_be16(p)))
		return false;
	m = nf_nat_map_by_out(nn, h->protocol, ip4_daddr(h), get_be16(p + 2));
	return h->protocol == NF_PROTO_TCP || (m && m->in_addr != m->out_addr);
}

static unsigned nf_nat_ipv4_local_in(void *priv, struct sk_buff *skb, const struct nf_hook_state *st)
{
	TRACE_FN(&st->net->probe, skb->serial);
	uint32_t l4 = ip4_hlen(ip_of(skb));
	uint8_t flags;

	if (st->in && is_unsolicited(priv, skb, st)) {
		if (ip_of(skb)->protocol == NF_PROTO_UDP || skb_copy_bits(skb, l4 + offsetof(struct tcp_hdr, flags), &flags, 1) ||
		    (flags & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_SYN)
			return NF_DROP_REASON(DROP_NAT_NO_MAPPING);
		return syn_wait(priv, skb);
	}
	return nf_nat_inet_fn(priv, skb, st);
}

void nf_nat_hooks_init(struct nf_nat_net *nn)
{
	static const struct nf_hook_ops ops[] = {
		{ .hook = nf_nat_ipv4_pre_routing, .hooknum = NF_INET_PRE_ROUTING, .priority = NF_IP_PRI_NAT_DST,
		  .name = "nf_nat_ipv4_pre_routing" },
		{ .hook = nf_nat_ipv4_local_fn, .hooknum = NF_INET_LOCAL_OUT, .priority = NF_IP_PRI_NAT_DST,
		  .name = "nf_nat_ipv4_local_fn" },
		{ .hook = nf_nat_ipv4_out, .hooknum = NF_INET_POST_ROUTING, .priority = NF_IP_PRI_NAT_SRC, .name = "nf_nat_ipv4_out" },
		{ .hook = nf_nat_ipv4_local_in, .hooknum = NF_INET_LOCAL_IN, .priority = NF_IP_PRI_NAT_SRC,
		  .name = "nf_nat_ipv4_local_in" },
	};

	list_init(&nn->syns);
	timer_setup(&nn->syn_timer, syn_timeout);
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
		nn->ops[i] = ops[i];
		nn->ops[i].priv = nn;
		list_init(&nn->ops[i].list);
		nf_register_net_hook(nn->cn->net, &nn->ops[i]);
	}
}
