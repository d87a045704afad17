/* ICMP messages to us (RFC 792, RFC 1122 3.2.2, RFC 1812 4.3): answer, tell the sockets, or keep silent.
 *
 *     echo, timestamp        -> icmp_reply (icmp_send.c), to unicast only
 *     echo reply             -> ping sockets (raw sockets had it before)
 *     unreachable, time exceeded, parameter problem -> err_handler of the quoted packet's protocol: a hint, never
 *                               an order (RFC 5927)
 *     redirect               -> route cache, if allowed;  source quench, information, address mask: nothing
 *                               (RFC 6633, RFC 6918)
 * Called by ip_local_deliver_finish. Tests: tests/unit/ipv4/test_icmp.c (S0-20, S3-36, ICMP-01 to ICMP-20). */
#include <errno.h>
#include <netinet/in.h>
#include "ipv4/netns_ipv4.h"

const struct icmp_err icmp_err_convert[16] = {
	[ICMP_NET_UNREACH] = { ENETUNREACH, false },   [ICMP_HOST_UNREACH] = { EHOSTUNREACH, false },
	[ICMP_PROT_UNREACH] = { ENOPROTOOPT, true },   [ICMP_PORT_UNREACH] = { ECONNREFUSED, true },
	[ICMP_FRAG_NEEDED] = { EMSGSIZE, false },      [ICMP_SR_FAILED] = { EOPNOTSUPP, false },
	[ICMP_NET_UNKNOWN] = { ENETUNREACH, true },    [ICMP_HOST_UNKNOWN] = { EHOSTDOWN, true },
	[ICMP_HOST_ISOLATED] = { ENONET, true },       [ICMP_NET_ANO] = { ENETUNREACH, true },
	[ICMP_HOST_ANO] = { EHOSTUNREACH, true },      [ICMP_NET_UNR_TOS] = { ENETUNREACH, false },
	[ICMP_HOST_UNR_TOS] = { EHOSTUNREACH, false }, [ICMP_PKT_FILTERED] = { EHOSTUNREACH, true },
	[ICMP_PREC_VIOLATION] = { EHOSTUNREACH, true }, [ICMP_PREC_CUTOFF] = { EHOSTUNREACH, true },
};

static const struct icmp_hdr *icmp_hdr(const struct sk_buff *skb)
{
	return (const struct icmp_hdr *)(const void *)skb_transport_header(skb);
}

static enum drop_reason bad(struct net *net, enum drop_reason why)
{
	ICMP_INC(net, InErrors);
	return why;
}

/* What an error means to a socket: errno, and whether it is final for a connected one. Shared by UDP, raw, ping. */
struct icmp_verdict icmp_err_verdict(struct sock *sk, const struct sk_buff *skb, uint32_t info)
{
	const struct icmp_hdr *h = icmp_hdr(skb);
	struct icmp_verdict v = { EHOSTUNREACH, false };

	switch (h->type) {
	case ICMP_PARAMETERPROB:
		v.err = EPROTO;
		v.harderr = true;
		break;
	case ICMP_DEST_UNREACH:
		if (h->code == ICMP_FRAG_NEEDED) {
			v.err = EMSGSIZE;
			v.harderr = inet_sk(sk)->pmtudisc != IP_PMTUDISC_DONT;
		} else if (h->code <= NR_ICMP_UNREACH) {
			v.err = icmp_err_convert[h->code].err;
			v.harderr = icmp_err_convert[h->code].fatal;
		}
		break;
	default: /* time exceeded */
		break;
	}
	return v;
}

/* ---- errors ---- */

/* To raw sockets and to the quoted packet's protocol. data: at the quoted IP header. */
static enum drop_reason icmp_socket_deliver(struct sk_buff *skb, uint32_t info)
{
	struct net *net = skb->net;
	const struct ip4_hdr *q = (const struct ip4_hdr *)(const void *)skb->data;
	uint8_t protocol = q->protocol, idx;

	/* At least the 8 octets behind the quoted header that every RFC promises (ICMP-18). */
	if (!skb_may_pull(skb, ip4_hlen(q) + 8))
		return bad(net, DROP_ICMP_MALFORMED);
	raw_icmp_error(skb, protocol, info);
	idx = net->ipv4->proto_idx[protocol];
	if (idx && net->ipv4->protos[idx - 1].err_handler)
		(void)net->ipv4->protos[idx - 1].err_handler(skb, info);
	return DROP_NOT_SPECIFIED;
}

/* The quoted header at data, checked. 0 or the reason. */
static enum drop_reason pull_to_quote(struct sk_buff *skb)
{
	const struct ip4_hdr *q;

	if (!skb_may_pull(skb, ICMP_HLEN + IP4_HLEN))
		return bad(skb->net, DROP_ICMP_MALFORMED);
	skb_pull(skb, ICMP_HLEN);
	q = (const struct ip4_hdr *)(const void *)skb->data;
	if (ip4_hlen(q) < IP4_HLEN || ip4_version(q) != 4)
		return bad(skb->net, DROP_ICMP_MALFORMED);
	return DROP_NOT_SPECIFIED;
}

/* ip_no_pmtu_disc 2: no news of path MTUs are taken; 3: only of protocols that check whether the quoted packet is theirs: TCP does. */
static bool frag_needed_wanted(const struct net *net, const struct sk_buff *skb)
{
	int32_t mode = net->ipv4->sysctl.ip_no_pmtu_disc;

	return mode < 2 || (mode == 3 && ((const struct ip4_hdr *)(const void *)skb->data)->protocol == IPPROTO_TCP);
}

static enum drop_reason icmp_unreach(struct sk_buff *skb)
{
	struct net *net = skb->net;
	TRACE_FN(&net->probe, skb->serial);
	const struct icmp_hdr *h = icmp_hdr(skb);
	enum drop_reason why = pull_to_quote(skb);
	uint32_t info = 0;

	if (why)
		return why;
	h = icmp_hdr(skb);
	if (h->type == ICMP_DEST_UNREACH) {
		if (h->code > NR_ICMP_UNREACH)
			return bad(net, DROP_ICMP_MALFORMED);
		if (h->code == ICMP_FRAG_NEEDED) {
			info = get_be16(h->rest + 2);
			/* 0: a router older than RFC 1191; below 68: a lie (ICMP-11). */
			if (info < 68 || !frag_needed_wanted(net, skb))
				return DROP_ICMP_IGNORED;
			if (net->ipv4->sysctl.ip_no_pmtu_disc == 1)
				info = 68; /* whatever it says: min_pmtu */
		}
	} else if (h->type == ICMP_PARAMETERPROB) {
		info = h->rest[0];
	} else if (h->code == ICMP_EXC_FRAGTIME) {
		/* Fragments got lost on the way: no news for a socket, which sees a packet lost either way. */
		IP_INC(net, ReasmFails);
		return DROP_ICMP_IGNORED;
	}
	/* An error about a broadcast should not have been sent (RFC 1122 3.2.2). */
	if (inet_addr_type(net, ip4_daddr((const struct ip4_hdr *)(const void *)skb->data)) == RTN_BROADCAST)
		return DROP_ICMP_IGNORED;
	return icmp_socket_deliver(skb, info);
}

static enum drop_reason icmp_redirect(struct sk_buff *skb)
{
	struct net *net = skb->net;
	TRACE_FN(&net->probe, skb->serial);
	const struct ip4_hdr *q;
	enum drop_reason why = pull_to_quote(skb);

	if (why)
		return why;
	if (icmp_hdr(skb)->code > 3)
		return bad(net, DROP_ICMP_MALFORMED);
	q = (const struct ip4_hdr *)(const void *)skb->data;
	if (!skb_may_pull(skb, ip4_hlen(q) + 8))
		return bad(net, DROP_ICMP_MALFORMED);
	ipv4_redirect(skb, net, 0, q->protocol, get_be32(icmp_hdr(skb)->rest), skb->dev);
	return DROP_NOT_SPECIFIED;
}

/* ---- questions ---- */

static enum drop_reason icmp_echo(struct sk_buff *skb)
{
	struct net *net = skb->net;
	TRACE_FN(&net->probe, skb->serial);
	uint8_t head[ICMP_HLEN];

	if (net->ipv4->sysctl.icmp_echo_ignore_all)
		return DROP_ICMP_IGNORED;
	memcpy(head, skb->data, ICMP_HLEN);
	head[0] = ICMP_ECHOREPLY;
	icmp_reply(skb, head, ICMP_HLEN, ICMP_HLEN);
	return DROP_NOT_SPECIFIED;
}

/* RFC 1122 3.2.2.8: milliseconds since midnight, standard value (the lab's epoch is a midnight). */
static enum drop_reason icmp_timestamp(struct sk_buff *skb)
{
	struct net *net = skb->net;
	TRACE_FN(&net->probe, skb->serial);
	uint8_t head[20];
	uint32_t ms = (uint32_t)(net->now_ns / NSEC_PER_MSEC % 86400000u);

	if (!skb_may_pull(skb, sizeof(head)))
		return bad(net, DROP_ICMP_MALFORMED);
	memcpy(head, skb->data, 12);
	head[0] = ICMP_TIMESTAMPREPLY;
	head[1] = 0;
	put_be32(head + 12, ms);
	put_be32(head + 16, ms);
	icmp_reply(skb, head, sizeof(head), skb->len);
	return DROP_NOT_SPECIFIED;
}

/* ---- the door ---- */

static void count_in(struct net *net, uint8_t type)
{
	net->mib.icmp.in_type[type]++;
	switch (type) {
#define C(t, f) case t: ICMP_INC(net, f); break
		C(ICMP_ECHOREPLY, InEchoReps);
		C(ICMP_DEST_UNREACH, InDestUnreachs);
		C(ICMP_SOURCE_QUENCH, InSrcQuenchs);
		C(ICMP_REDIRECT, InRedirects);
		C(ICMP_ECHO, InEchos);
		C(ICMP_TIME_EXCEEDED, InTimeExcds);
		C(ICMP_PARAMETERPROB, InParmProbs);
		C(ICMP_TIMESTAMP, InTimestamps);
		C(ICMP_TIMESTAMPREPLY, InTimestampReps);
		C(ICMP_ADDRESS, InAddrMasks);
		C(ICMP_ADDRESSREPLY, InAddrMaskReps);
#undef C
	default:
		break;
	}
}

static enum drop_reason icmp_dispatch(struct sk_buff *skb)
{
	switch (icmp_hdr(skb)->type) {
	case ICMP_DEST_UNREACH:
	case ICMP_TIME_EXCEEDED:
	case ICMP_PARAMETERPROB:
		return icmp_unreach(skb);
	case ICMP_REDIRECT:
		return icmp_redirect(skb);
	case ICMP_ECHO:
		return icmp_echo(skb);
	case ICMP_TIMESTAMP:
		return icmp_timestamp(skb);
	case ICMP_TIMESTAMPREPLY:
		return DROP_NOT_SPECIFIED; /* whoever asked has a raw socket */
	default: /* source quench, information, address mask */
		return DROP_ICMP_IGNORED;
	}
}

/* Smurf: nothing that is sent to many is answered (RFC 1122 3.2.2.6, 3.2.2.8; ICMP-04). 0: go on. */
static enum drop_reason check_broadcast(struct net *net, const struct sk_buff *skb)
{
	uint8_t type = icmp_hdr(skb)->type;

	if (!(skb_rtable(skb)->flags & (RTCF_BROADCAST_ | RTCF_MULTICAST_)))
		return DROP_NOT_SPECIFIED;
	if (type == ICMP_ECHO || type == ICMP_TIMESTAMP)
		return net->ipv4->sysctl.icmp_echo_ignore_broadcasts ? bad(net, DROP_ICMP_IGNORED) : DROP_NOT_SPECIFIED;
	return bad(net, DROP_ICMP_IGNORED);
}

int icmp_rcv(struct sk_buff *skb)
{
	struct net *net = skb->net;
	TRACE_FN(&net->probe, skb->serial);
	enum drop_reason why = DROP_NOT_SPECIFIED;

	ICMP_INC(net, InMsgs);
	if (!skb_may_pull(skb, ICMP_HLEN)) {
		why = bad(net, DROP_ICMP_MALFORMED);
		goto drop;
	}
	if (csum_fold(skb_checksum(skb, 0, skb->len, 0))) {
		ICMP_INC(net, InCsumErrors);
		why = bad(net, DROP_ICMP_CSUM);
		goto drop;
	}
	count_in(net, icmp_hdr(skb)->type);
	if (icmp_hdr(skb)->type > NR_ICMP_TYPES) { /* RFC 1122 3.2.2: unknown types silently */
		why = bad(net, DROP_ICMP_UNKNOWN);
		goto drop;
	}
	why = check_broadcast(net, skb);
	if (why)
		goto drop;
	if (icmp_hdr(skb)->type == ICMP_ECHOREPLY) {
		if (ping_rcv(skb))
			return 0;
		why = DROP_NOT_SPECIFIED; /* a raw socket may have it: it did its job */
	} else {
		why = icmp_dispatch(skb);
	}
	if (!why) {
		consume_skb(skb);
		return 0;
	}
drop:
	kfree_skb_reason(skb, why);
	return 0;
}

/* An error about an ICMP message of ours (data at the quoted IP header). */
int icmp_err(struct sk_buff *skb, uint32_t info)
{
	struct net *net = skb->net;
	TRACE_FN(&net->probe, skb->serial);
	const struct ip4_hdr *q = (const struct ip4_hdr *)(const void *)skb->data;
	const uint8_t *inner = skb->data + ip4_hlen(q);
	const struct icmp_hdr *h = icmp_hdr(skb);

	if (inner[0] == ICMP_ECHO)
		ping_err(skb, info);
	if (h->type == ICMP_DEST_UNREACH && h->code == ICMP_FRAG_NEEDED)
		ipv4_update_pmtu(skb, net, info, 0, IPPROTO_ICMP);
	return 0;
}

int icmp_init(struct net *net)
{
	static const struct net_protocol icmp_protocol = { .handler = icmp_rcv, .err_handler = icmp_err };
	int err = icmp_send_init(net);

	return err ? err : inet_add_protocol(net, &icmp_protocol, IPPROTO_ICMP);
}

void icmp_exit(struct net *net)
{
	icmp_send_exit(net);
}
