/* IP options (RFC 791 3.1): judged once, before anything in them is believed.
 *
 *     EOL 0   NOP 1   RR 7   TS 68   SEC 130   LSRR 131   CIPSO 134   SID 136   SSRR 137   RA 148
 *     | type | length | pointer | data ...      pointer counts from 1 at the type octet
 *
 * A received packet's digest is in IPCB (offsets from the IP header's start); a socket's own options are a struct
 * ip_options. We take part in record route and timestamp; source routes are refused unless two switches allow them
 * (RFC 7126); what we do not know we pass on and ignore (RFC 1122 3.2.1.8).
 * Called by ip_input.c, ip_output.c, ip_forward.c, ip_fragment_out.c, ip_sockglue.c.
 * Tests: tests/unit/ipv4/test_ip_options.c (IP4-14 to IP4-19). */
#include <errno.h>
#include <stdlib.h>
#include "ipv4/netns_ipv4.h"

enum {
	IPOPT_EOL_ = 0, IPOPT_NOP_ = 1, IPOPT_RR_ = 7, IPOPT_TS_ = 68, IPOPT_LSRR_ = 131, IPOPT_SSRR_ = 137, IPOPT_RA_ = 148
};
enum { TS_ONLY = 0, TS_ADDR = 1, TS_PRESPEC = 3 };
#define IPOPT_COPIED 0x80u

/* ---- judging ---- */

/* Each returns 0, or the index in the option of the octet that is wrong, plus 1. */

static unsigned check_source_route(const uint8_t *p, unsigned len, unsigned off, struct ip_options *o)
{
	if (o->srr) /* RFC 1122 3.2.1.8c: never two */
		return 1;
	if (len < 3)
		return 2;
	if (p[2] < 4)
		return 3;
	o->srr = (uint8_t)off;
	o->is_strictroute = p[0] == IPOPT_SSRR_;
	return 0;
}

static unsigned check_record_route(const uint8_t *p, unsigned len, unsigned off, struct ip_options *o)
{
	if (o->rr)
		return 1;
	if (len < 3)
		return 2;
	if (p[2] < 4)
		return 3;
	if (p[2] <= len) {
		if (p[2] + 3u > len)
			return 3;
		o->rr_needaddr = true;
	}
	o->rr = (uint8_t)off;
	return 0;
}

static unsigned check_timestamp(const uint8_t *p, unsigned len, unsigned off, struct ip_options *o)
{
	unsigned need;

	if (o->ts)
		return 1;
	if (len < 4)
		return 2;
	if (p[2] < 5)
		return 3;
	o->ts = (uint8_t)off;
	if (p[2] > len)
		return p[3] >> 4 == 15 ? 4 : 0; /* the overflow count itself must not overflow */
	if ((p[3] & 15) != TS_ONLY && (p[3] & 15) != TS_ADDR && (p[3] & 15) != TS_PRESPEC)
		return 4;
	need = (p[3] & 15) == TS_ONLY ? 4 : 8;
	if (p[2] + need - 1 > len)
		return 3;
	o->ts_needtime = true;
	o->ts_needaddr = (p[3] & 15) == TS_ADDR;
	return 0;
}

static unsigned check_one(const uint8_t *p, unsigned len, unsigned off, struct ip_options *o)
{
	switch (p[0]) {
	case IPOPT_SSRR_:
	case IPOPT_LSRR_:
		return check_source_route(p, len, off, o);
	case IPOPT_RR_:
		return check_record_route(p, len, off, o);
	case IPOPT_TS_:
		return check_timestamp(p, len, off, o);
	case IPOPT_RA_:
		if (len < 4)
			return 2;
		if (!get_be16(p + 2))
			o->router_alert = (uint8_t)off;
		return 0;
	default:
		return 0;
	}
}

/* data: the octets behind the fixed header. 0, or -EINVAL and *bad: the offset from the IP header's start of the
 * octet that is wrong. */
int ip_options_parse(const uint8_t *data, uint32_t len, struct ip_options *o, uint8_t *bad)
{
	uint32_t i = 0;

	if (len > sizeof(o->data))
		return -EINVAL;
	o->optlen = (uint8_t)len;
	while (i < len) {
		uint32_t l;
		unsigned wrong;

		if (data[i] == IPOPT_EOL_)
			return 0;
		if (data[i] == IPOPT_NOP_) {
			i++;
			continue;
		}
		/* A length octet that is missing, too small to move on, or beyond the header ends it here. */
		if (i + 1 >= len || data[i + 1] < 2 || data[i + 1] > len - i) {
			*bad = (uint8_t)(IP4_HLEN + i);
			return -EINVAL;
		}
		l = data[i + 1];
		wrong = check_one(data + i, l, IP4_HLEN + i, o);
		if (wrong) {
			*bad = (uint8_t)(IP4_HLEN + i + wrong - 1);
			return -EINVAL;
		}
		i += l;
	}
	return 0;
}

/* ---- taking part ---- */

/* Milliseconds since midnight UT (RFC 791): the lab's epoch is a midnight. */
static uint32_t ts_now(const struct net *net)
{
	return (uint32_t)(net->now_ns / NSEC_PER_MSEC % 86400000u);
}

static void record_route(uint8_t *p, uint32_t addr)
{
	put_be32(p + p[2] - 1, addr);
	p[2] = (uint8_t)(p[2] + 4);
}

static void record_time(struct net *net, uint8_t *p, uint32_t addr, struct ip_options *o)
{
	unsigned kind = p[3] & 15;

	if (p[2] > p[1]) {
		p[3] = (uint8_t)(p[3] + 0x10); /* no room: one more that could not register */
		o->is_changed = true;
		return;
	}
	if (kind == TS_PRESPEC) {
		if (inet_addr_type(net, get_be32(p + p[2] - 1)) != RTN_LOCAL) {
			o->ts_needtime = false;
			return; /* not our turn */
		}
		p[2] = (uint8_t)(p[2] + 4);
	} else if (kind == TS_ADDR) {
		put_be32(p + p[2] - 1, addr);
		p[2] = (uint8_t)(p[2] + 4);
	}
	put_be32(p + p[2] - 1, ts_now(net));
	p[2] = (uint8_t)(p[2] + 4);
	o->is_changed = true;
}

enum drop_reason ip_options_compile(struct net *net, struct sk_buff *skb, uint8_t *pp)
{
	struct ip4_hdr *h = ip_hdr(skb);
	uint8_t *base = skb_network_header(skb);
	struct ip_options o = { 0 };
	struct inet_skb_parm *cb = IPCB(skb);
	uint32_t addr;

	if (ip_options_parse(base + IP4_HLEN, ip4_hlen(h) - IP4_HLEN, &o, pp))
		return DROP_IP_BAD_OPTION;
	if (o.rr_needaddr || o.ts) {
		addr = fib_compute_spec_dst(skb);
		if (o.rr_needaddr) {
			record_route(base + o.rr, addr);
			o.is_changed = true;
		}
		if (o.ts)
			record_time(net, base + o.ts, addr, &o);
		if (o.is_changed)
			ip_send_check(h);
	}
	cb->optlen = o.optlen;
	cb->srr = o.srr;
	cb->rr = o.rr;
	cb->ts = o.ts;
	cb->router_alert = o.router_alert;
	cb->rr_needaddr = o.rr_needaddr;
	cb->ts_needtime = o.ts_needtime;
	cb->ts_needaddr = o.ts_needaddr;
	cb->is_changed = o.is_changed;
	if (o.is_strictroute)
		cb->flags |= IPSKB_STRICTROUTE;
	return DROP_NOT_SPECIFIED;
}

/* A source-routed packet reached us. Off by default (IP4-17). On: if we are its next stop and not its end, the
 * next address takes the destination's place and the route is looked up anew (RFC 1122 3.3.5). */
enum drop_reason ip_options_rcv_srr(struct sk_buff *skb, struct net_device *dev)
{
	struct ip4_hdr *h = ip_hdr(skb);
	uint8_t *p = skb_network_header(skb) + IPCB(skb)->srr;
	const struct rtable *rt = skb_rtable(skb);
	uint32_t next;
	enum drop_reason why;

	if (!dev->ip_ptr || !in_dev_conf_and(dev->ip_ptr, CNF_ACCEPT_SOURCE_ROUTE))
		return DROP_IP_SOURCE_ROUTE;
	if (skb->pkt_type != PACKET_HOST_)
		return DROP_IP_SOURCE_ROUTE;
	if (rt->type == RTN_UNICAST) /* passing through: only a loose route may pass between its stops */
		return IPCB(skb)->flags & IPSKB_STRICTROUTE ? DROP_IP_SOURCE_ROUTE : DROP_NOT_SPECIFIED;
	if (rt->type != RTN_LOCAL)
		return DROP_IP_SOURCE_ROUTE;
	if (p[2] > p[1])
		return DROP_NOT_SPECIFIED; /* complete: it is for us */
	if (p[2] + 3u > p[1])
		return DROP_IP_BAD_OPTION;
	next = get_be32(p + p[2] - 1);
	skb_dst_drop(skb);
	why = ip_route_input_noref(skb, next, ip4_saddr(h), h->tos, dev);
	if (why)
		return why;
	if (skb_rtable(skb)->type != RTN_UNICAST && skb_rtable(skb)->type != RTN_LOCAL)
		return DROP_IP_SOURCE_ROUTE;
	/* The destination is rewritten when the packet is forwarded (ip_forward_options). */
	IPCB(skb)->opt_daddr = next;
	IPCB(skb)->flags |= IPSKB_SRR_HIT;
	return DROP_NOT_SPECIFIED;
}

/* The packet's route is decided: record the address that it leaves by, move the source route on. */
void ip_forward_options(struct sk_buff *skb)
{
	struct inet_skb_parm *cb = IPCB(skb);
	const struct rtable *rt = skb_rtable(skb);
	uint8_t *base = skb_network_header(skb);
	struct ip4_hdr *h = ip_hdr(skb);
	uint32_t out = inet_select_addr(rt->dst.dev, rt_nexthop(rt, ip4_daddr(h)), RT_SCOPE_UNIVERSE);
	bool changed = false;

	if (cb->rr_needaddr) {
		uint8_t *p = base + cb->rr;

		put_be32(p + p[2] - 5, out);
		changed = true;
	}
	if (cb->flags & IPSKB_SRR_HIT) {
		uint8_t *p = base + cb->srr;

		put_be32(p + p[2] - 1, out);
		put_be32(h->daddr, cb->opt_daddr);
		p[2] = (uint8_t)(p[2] + 4);
		changed = true;
	}
	if (cb->ts_needaddr) {
		uint8_t *p = base + cb->ts;

		put_be32(p + p[2] - 9, out);
		changed = true;
	}
	if (changed)
		ip_send_check(h);
}

/* ---- sending ---- */

void ip_options_build(struct sk_buff *skb, const struct ip_options *opt, uint32_t daddr, const struct rtable *rt)
{
	struct net *net = skb->net;
	uint8_t *base = skb_network_header(skb);
	struct ip4_hdr *h = ip_hdr(skb);

	memcpy(base + IP4_HLEN, opt->data, opt->optlen);
	/* The last stop of a source route is the true destination. */
	if (opt->srr) {
		uint8_t *p = base + opt->srr;

		put_be32(p + p[1] - 4, daddr);
	}
	if (opt->rr_needaddr) {
		uint8_t *p = base + opt->rr;

		if (p[2] + 3u <= p[1])
			record_route(p, ip4_saddr(h));
	}
	if (opt->ts && opt->ts_needtime) {
		struct ip_options o = { 0 };

		record_time(net, base + opt->ts, ip4_saddr(h), &o);
	}
}

void ip_options_fragment(struct ip4_hdr *h)
{
	uint8_t *p = (uint8_t *)h + IP4_HLEN;
	uint32_t l = ip4_hlen(h) - IP4_HLEN;

	while (l > 0) {
		uint32_t n;

		if (*p == IPOPT_EOL_)
			return;
		if (*p == IPOPT_NOP_) {
			p++;
			l--;
			continue;
		}
		if (l < 2 || p[1] < 2 || p[1] > l)
			return;
		n = p[1];
		if (!(*p & IPOPT_COPIED))
			memset(p, IPOPT_NOP_, n);
		p += n;
		l -= n;
	}
}

/* A program's options (IP_OPTIONS, IP_RETOPTS), NULL-able result: *optp owned by the caller. */
/* Behind the end of options is nothing. */
static void end_options(uint8_t *p, uint32_t len)
{
	for (uint32_t i = 0; i < len; i += p[i] == IPOPT_NOP_ || i + 1 >= len || p[i + 1] < 2 ? 1 : p[i + 1])
		if (p[i] == IPOPT_EOL_) {
			memset(p + i, IPOPT_EOL_, len - i);
			return;
		}
}

int ip_options_get(struct ip_options_rcu **optp, const uint8_t *data, uint32_t optlen)
{
	struct ip_options_rcu *o;
	uint8_t bad;

	if (optlen > 40)
		return -EINVAL;
	o = xcalloc(1, sizeof(*o));
	memcpy(o->opt.data, data, optlen);
	while (optlen & 3)
		o->opt.data[optlen++] = IPOPT_EOL_;
	end_options(o->opt.data, optlen);
	if (ip_options_parse(o->opt.data, optlen, &o->opt, &bad)) {
		free(o);
		return -EINVAL;
	}
	if (o->opt.srr) {
		uint8_t *p = o->opt.data + o->opt.srr - IP4_HLEN;

		/* Programs give all stops in order; the first goes into the header, the others move up. */
		if (p[2] != 4 || p[1] < 7 || ((p[1] - 3) & 3)) {
			free(o);
			return -EINVAL;
		}
		o->opt.faddr = get_be32(p + 3);
		memmove(p + 3, p + 7, p[1] - 7u);
	}
	if (!optlen) {
		free(o);
		o = NULL;
	}
	free(*optp);
	*optp = o;
	return 0;
}

/* What ip_options_get took apart, put together again for a program. */
void ip_options_undo(struct ip_options *opt)
{
	if (opt->srr) {
		uint8_t *p = opt->data + opt->srr - IP4_HLEN;

		memmove(p + 7, p + 3, p[1] - 7u);
		put_be32(p + 3, opt->faddr);
	}
	if (opt->rr_needaddr) {
		uint8_t *p = opt->data + opt->rr - IP4_HLEN;

		memset(p + p[2] - 1, 0, p[2] - 1u <= p[1] ? p[1] + 1u - p[2] : 0);
	}
}

/* ---- answering ---- */

static void append_option(struct ip_options *d, const uint8_t *p, uint8_t *at)
{
	*at = (uint8_t)(IP4_HLEN + d->optlen);
	memcpy(d->data + d->optlen, p, p[1]);
	d->optlen = (uint8_t)(d->optlen + p[1]);
}

/* RFC 1122 3.2.1.8c: the way back is the recorded way in reverse. */
static void echo_source_route(struct ip_options *d, const uint8_t *s, uint32_t saddr)
{
	uint32_t soffset = s[2], n = 0;
	uint8_t *p = d->data + d->optlen;

	if (soffset > s[1])
		soffset = s[1] + 1u;
	soffset -= 4;
	if (soffset <= 3)
		return;
	d->faddr = get_be32(s + soffset - 1);
	for (soffset -= 4; soffset > 3; soffset -= 4, n += 4)
		memcpy(p + 3 + n, s + soffset - 1, 4);
	put_be32(p + 3 + n, saddr);
	n += 4;
	p[0] = s[0];
	p[1] = (uint8_t)(n + 3);
	p[2] = 4;
	d->srr = (uint8_t)(IP4_HLEN + d->optlen);
	d->is_strictroute = s[0] == IPOPT_SSRR_;
	d->optlen = (uint8_t)(d->optlen + p[1]);
}

/* Where a received header's options are: offsets from its start. */
struct echoed {
	uint8_t optlen, rr, ts, srr;
};

static int echo(struct ip_options *dopt, const struct sk_buff *skb, const struct echoed *e)
{
	const uint8_t *base = skb_network_header(skb);

	memset(dopt, 0, sizeof(*dopt));
	if (!e->optlen)
		return 0;
	if (e->rr) {
		append_option(dopt, base + e->rr, &dopt->rr);
		dopt->rr_needaddr = base[e->rr + 2] + 3u <= base[e->rr + 1];
	}
	if (e->ts) {
		append_option(dopt, base + e->ts, &dopt->ts);
		dopt->ts_needtime = base[e->ts + 2] <= base[e->ts + 1] && (base[e->ts + 3] & 15) != TS_PRESPEC;
	}
	if (e->srr)
		echo_source_route(dopt, base + e->srr, ip4_saddr(ip_hdr(skb)));
	while (dopt->optlen & 3)
		dopt->data[dopt->optlen++] = IPOPT_EOL_;
	return dopt->optlen > 40 ? -EINVAL : 0;
}

int ip_options_echo(struct net *net, struct ip_options *dopt, const struct sk_buff *skb)
{
	const struct inet_skb_parm *cb = IPCB(skb);

	(void)net;
	return echo(dopt, skb, &(struct echoed){ cb->optlen, cb->rr, cb->ts, cb->srr });
}

/* The transport has put its own notes where IPCB was: the header is read once more. */
struct ip_options_rcu *ip_options_save(const struct sk_buff *skb)
{
	const struct ip4_hdr *h = ip_hdr(skb);
	struct ip_options in = { 0 };
	struct ip_options_rcu *o;
	uint8_t bad;

	if (likely(ip4_hlen(h) == IP4_HLEN))
		return NULL;
	if (ip_options_parse(skb_network_header(skb) + IP4_HLEN, ip4_hlen(h) - IP4_HLEN, &in, &bad))
		return NULL;
	o = xcalloc(1, sizeof(*o));
	if (echo(&o->opt, skb, &(struct echoed){ in.optlen, in.rr, in.ts, in.srr }) || !o->opt.optlen) {
		free(o);
		return NULL;
	}
	return o;
}
