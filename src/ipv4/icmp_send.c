/* ICMP messages of ours: answers, and errors about packets that could not go their way.
 *
 * Errors are refused where RFC 1122 3.2.2 and RFC 1812 4.3.2.7 forbid them, and limited: by a bucket for the host
 * whose fill nobody outside can count (its size is drawn anew: SAD DNS, CVE-2020-25705) and one per destination.
 * They quote as much of the packet as makes 576 octets, and leave with TOS 0xc0.
 * Called by all of IP; hands on to ip_append_data and ip_push_pending_frames with the host's own socket.
 * Tests: tests/unit/ipv4/test_icmp.c (S1-19, S3-36, ICMP-07, ICMP-08, RT-12). */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include "ipv4/netns_ipv4.h"

#define ICMP_ERROR_MAX 576u /* RFC 1812 4.3.2.3 */

struct icmp_bxm { /* a message under construction */
	struct sk_buff *skb; /* the packet it is about */
	uint32_t offset;     /* of the quoted or echoed octets, from its data; may reach before data */
	uint32_t data_len;
	const uint8_t *head;
	uint32_t head_len;
	bool quote; /* data comes from the network header on */
	struct ip_options_rcu opt;
};

void icmp_out_count(struct net *net, uint8_t type)
{
	ICMP_INC(net, OutMsgs);
	net->mib.icmp.out_type[type]++;
	switch (type) {
#define C(t, f) case t: ICMP_INC(net, f); break
		C(ICMP_ECHOREPLY, OutEchoReps);
		C(ICMP_DEST_UNREACH, OutDestUnreachs);
		C(ICMP_SOURCE_QUENCH, OutSrcQuenchs);
		C(ICMP_REDIRECT, OutRedirects);
		C(ICMP_ECHO, OutEchos);
		C(ICMP_TIME_EXCEEDED, OutTimeExcds);
		C(ICMP_PARAMETERPROB, OutParmProbs);
		C(ICMP_TIMESTAMP, OutTimestamps);
		C(ICMP_TIMESTAMPREPLY, OutTimestampReps);
		C(ICMP_ADDRESS, OutAddrMasks);
		C(ICMP_ADDRESSREPLY, OutAddrMaskReps);
#undef C
	default:
		break;
	}
}

/* ---- limits ---- */

static bool icmp_limited_type(const struct net *net, uint8_t type, uint8_t code)
{
	if (type > NR_ICMP_TYPES || (type == ICMP_DEST_UNREACH && code == ICMP_FRAG_NEEDED))
		return false; /* path MTU discovery must go through */
	return ((uint32_t)net->ipv4->sysctl.icmp_ratemask >> type & 1) != 0;
}

static bool icmp_global_allow(struct net *net)
{
	const struct ipv4_sysctl *s = &net->ipv4->sysctl;
	struct icmp_state *ic = &net->ipv4->icmp;
	uint32_t burst = (uint32_t)s->icmp_msgs_burst;

	/* Up to three tokens of the burst are there or not, by chance: counting them tells nothing. */
	if (burst > 3)
		burst -= rng_below(&net->ipv4->rng_icmp, 4);
	if (token_bucket_take(&ic->global, net->now_ns, (uint32_t)s->icmp_msgs_per_sec, burst, 1))
		return true;
	ICMP_INC(net, OutRateLimitGlobal);
	return false;
}

static bool icmpv4_xrlim_allow(struct net *net, const struct rtable *rt, uint32_t daddr)
{
	uint64_t pause = (uint64_t)(uint32_t)net->ipv4->sysctl.icmp_ratelimit * NSEC_PER_MSEC;

	if ((rt->dst.dev->flags & DEVF_LOOPBACK) || !pause)
		return true;
	if (inet_peer_xrlim_allow(net, inet_getpeer(net, daddr), pause))
		return true;
	ICMP_INC(net, OutRateLimitHost);
	return false;
}

/* ---- building ---- */

static int icmp_glue_bits(void *from, uint8_t *to, uint32_t off, uint32_t len, struct sk_buff *skb)
{
	const struct icmp_bxm *b = from;
	const struct sk_buff *in = b->skb;
	uint32_t at = b->offset + off;

	if (b->quote) {
		/* The part in front of data first: what was pulled off is still there. */
		uint32_t front = (uint32_t)(in->data - skb_network_header(in)), n;

		if (at < front) {
			n = min_u32(front - at, len);
			memcpy(to, skb_network_header(in) + at, n);
			to += n;
			at += n;
			len -= n;
		}
		at -= front;
	}
	if (len && skb_copy_bits(in, at, to, len))
		return -EFAULT;
	return 0;
}

static int icmp_getfrag(void *from, uint8_t *to, uint32_t off, uint32_t len, struct sk_buff *skb)
{
	const struct icmp_bxm *b = from;
	int err;

	/* The rest of a head that is longer than the eight octets of every ICMP message. */
	while (len && off < b->head_len - ICMP_HLEN) {
		*to++ = b->head[ICMP_HLEN + off++];
		len--;
	}
	err = len ? icmp_glue_bits(from, to, off - (b->head_len - ICMP_HLEN), len, skb) : 0;
	if (!err && len) {
		skb->net->skb_mib.copies++;
		skb->net->skb_mib.copy_bytes += len;
		TRACE(&skb->net->probe, TR_COPY, skb->serial, "len=%u from=%llu", len, (unsigned long long)b->skb->serial);
	}
	return err;
}

/* The checksum over all pieces (each a multiple of 8, but the last). */
static void icmp_checksum(struct sock *sk, struct sk_buff *first)
{
	struct sk_buff *s;
	uint32_t sum = 0;

	put_be16(first->data + 2, 0);
	skb_queue_walk(&sk->write_queue, s) {
		sum = csum_partial(s->data, s->len, sum);
		skb_count_sum(s, s->len);
	}
	put_be16(first->data + 2, csum_fold(sum));
	first->ip_summed = CHECKSUM_NONE;
}

/* Takes over rt. */
static void icmp_push_reply(struct net *net, struct icmp_bxm *b, struct flowi4 *fl4, struct ipcm_cookie *ipc, struct rtable *rt)
{
	TRACE_FN(&net->probe, b->skb->serial);
	struct sock *sk = net->ipv4->icmp.sk;
	struct sk_buff *skb;
	int err;

	err = ip_append_data(sk, fl4, icmp_getfrag, b, b->data_len + b->head_len, ICMP_HLEN, ipc, &rt, MSG_DONTWAIT);
	if (rt)
		dst_release(&rt->dst);
	skb = skb_peek(&sk->write_queue);
	if (err || !skb) {
		ICMP_INC(net, OutErrors);
		ip_flush_pending_frames(sk);
		return;
	}
	memcpy(skb->data, b->head, ICMP_HLEN);
	icmp_checksum(sk, skb);
	(void)ip_push_pending_frames(sk, fl4);
}

void icmp_reply(struct sk_buff *skb, const uint8_t *head, uint32_t head_len, uint32_t data_off)
{
	struct net *net = skb->net;
	TRACE_FN(&net->probe, skb->serial);
	const struct ip4_hdr *h = ip_hdr(skb);
	struct icmp_bxm b = { .skb = skb, .offset = data_off, .data_len = skb->len - data_off, .head = head, .head_len = head_len };
	struct ipcm_cookie ipc = { .addr = ip4_saddr(h), .tos = h->tos,
				   .mark = net->ipv4->sysctl.fwmark_reflect ? skb->mark : 0 };
	struct flowi4 fl4 = { .daddr = ip4_saddr(h), .tos = h->tos & 0x1c, .proto = IPPROTO_ICMP, .mark = ipc.mark };
	struct rtable *rt;
	int err;

	/* To one host only, and to whom it says it is (RFC 1122 3.2.1.3, ICMP-06). */
	if (ip4_is_zeronet(fl4.daddr) || ip_options_echo(net, &b.opt.opt, skb))
		return;
	/* The address that was asked answers (RFC 1122 3.2.2.6). */
	fl4.saddr = fib_compute_spec_dst(skb);
	if (b.opt.opt.optlen) {
		ipc.opt = &b.opt;
		if (b.opt.opt.srr)
			fl4.daddr = b.opt.opt.faddr;
	}
	if (icmp_limited_type(net, head[0], head[1]) && !(skb->dev->flags & DEVF_LOOPBACK) && !icmp_global_allow(net))
		return;
	rt = __ip_route_output_key(net, &fl4, &err);
	if (!rt)
		return;
	if (rt->flags & (RTCF_BROADCAST_ | RTCF_MULTICAST_)) {
		dst_release(&rt->dst);
		return;
	}
	icmp_push_reply(net, &b, &fl4, &ipc, rt);
}

/* ---- errors ---- */

static bool icmp_type_is_error(uint8_t type)
{
	return type == ICMP_DEST_UNREACH || type == ICMP_SOURCE_QUENCH || type == ICMP_REDIRECT ||
	       type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETERPROB;
}

/* RFC 1122 3.2.2: no error about an error, a broadcast or multicast (of either layer), a later fragment, or a packet
 * whose source is not one host. */
static bool icmp_error_allowed(const struct sk_buff *in)
{
	const struct ip4_hdr *h = ip_hdr(in);
	uint32_t s = ip4_saddr(h), off = (uint32_t)(skb_network_header(in) - in->head) + ip4_hlen(h);
	uint8_t inner;

	if (in->pkt_type != PACKET_HOST_ || (skb_rtable(in)->flags & (RTCF_BROADCAST_ | RTCF_MULTICAST_)))
		return false;
	if (ip4_frag(h) & IP_OFFSET)
		return false;
	if (ip4_is_zeronet(s) || ip4_is_multicast(s) || ip4_is_lbcast(s) || ip4_is_reserved(s) ||
	    (ip4_is_loopback(s) && in->dev && !(in->dev->flags & DEVF_LOOPBACK)) ||
	    inet_addr_type(in->net, s) == RTN_BROADCAST)
		return false;
	if (h->protocol != IPPROTO_ICMP)
		return true;
	/* The inner type is linear wherever data stands now. */
	if (off >= (uint32_t)(in->tail - in->head))
		return false;
	inner = in->head[off];
	return inner <= NR_ICMP_TYPES && !icmp_type_is_error(inner);
}

static void icmp_error_head(uint8_t head[ICMP_HLEN], uint8_t type, uint8_t code, uint32_t info)
{
	memset(head, 0, ICMP_HLEN);
	head[0] = type;
	head[1] = code;
	if (type == ICMP_REDIRECT)
		put_be32(head + 4, info);
	else if (type == ICMP_DEST_UNREACH && code == ICMP_FRAG_NEEDED)
		put_be16(head + 6, (uint16_t)info);
	else if (type == ICMP_PARAMETERPROB)
		head[4] = (uint8_t)info;
}

/* RFC 1812 4.3.2.4: the address that was meant, if it is ours; else that of the sending interface. */
static uint32_t icmp_error_saddr(const struct sk_buff *in)
{
	if (skb_rtable(in)->flags & RTCF_LOCAL_)
		return ip4_daddr(ip_hdr(in));
	if (in->net->ipv4->sysctl.icmp_errors_use_inbound_ifaddr && in->dev && in->dev->ip_ptr)
		return inet_select_addr(in->dev, 0, RT_SCOPE_LINK);
	return 0;
}

static void icmp_error_push(struct sk_buff *in, struct icmp_bxm *b, uint8_t tos)
{
	struct net *net = in->net;
	struct ipcm_cookie ipc = { .addr = ip4_saddr(ip_hdr(in)), .tos = tos,
				   .mark = net->ipv4->sysctl.fwmark_reflect ? in->mark : 0 };
	struct flowi4 fl4 = { .daddr = ipc.addr, .saddr = icmp_error_saddr(in), .tos = tos & 0x1c, .proto = IPPROTO_ICMP,
			      .mark = ipc.mark };
	uint32_t room, quote = in->len + (uint32_t)(in->data - skb_network_header(in));
	struct rtable *rt;
	int err;

	if (b->opt.opt.optlen) {
		ipc.opt = &b->opt;
		if (b->opt.opt.srr)
			fl4.daddr = b->opt.opt.faddr;
	}
	rt = __ip_route_output_key(net, &fl4, &err);
	if (!rt)
		return;
	if (icmp_limited_type(net, b->head[0], b->head[1]) && !icmpv4_xrlim_allow(net, rt, fl4.daddr)) {
		dst_release(&rt->dst);
		return;
	}
	room = min_u32(dst_mtu(&rt->dst), ICMP_ERROR_MAX) - IP4_HLEN - b->opt.opt.optlen - ICMP_HLEN;
	b->data_len = min_u32(quote, room);
	icmp_push_reply(net, b, &fl4, &ipc, rt);
}

void icmp_send(struct sk_buff *in, uint8_t type, uint8_t code, uint32_t info)
{
	struct net *net = in->net;
	TRACE_FN(&net->probe, in->serial);
	uint8_t head[ICMP_HLEN];
	struct icmp_bxm b = { .skb = in, .head = head, .head_len = ICMP_HLEN, .quote = true };

	if (!skb_dst(in) || !icmp_error_allowed(in))
		return;
	if (icmp_limited_type(net, type, code) && !(in->dev && (in->dev->flags & DEVF_LOOPBACK)) && !icmp_global_allow(net))
		return;
	/* Options go back only where the packet's were found sound (URGENT/11: IP4-16). */
	if (ip_options_echo(net, &b.opt.opt, in))
		return;
	icmp_error_head(head, type, code, info);
	icmp_error_push(in, &b, (uint8_t)((ip_hdr(in)->tos & 0x1e) | 0xc0));
}

/* RFC 1122 3.2.2.5: which octet of the header is wrong. Without options: they are what is wrong. */
void icmp_send_options_problem(struct sk_buff *skb, uint8_t pp)
{
	struct inet_skb_parm keep = *IPCB(skb);

	IPCB(skb)->optlen = 0;
	icmp_send(skb, ICMP_PARAMETERPROB, 0, pp);
	*IPCB(skb) = keep;
}

/* ---- the host's own socket ---- */

static const struct proto icmp_kernel_prot = { .name = "ICMP", .obj_size = sizeof(struct inet_sock) };

int icmp_send_init(struct net *net)
{
	struct sock *sk = sk_alloc(net, AF_INET, SOCK_RAW, IPPROTO_ICMP, &icmp_kernel_prot);
	struct inet_sock *inet;

	if (!sk)
		return -ENOMEM;
	sock_init_data(NULL, sk);
	inet = inet_sk(sk);
	sk->destruct = inet_sock_destruct;
	list_init(&inet->mc_list);
	inet->uc_ttl = -1;
	inet->mc_ttl = 1;
	inet->mc_loop = true;
	inet->pmtudisc = IP_PMTUDISC_DONT;
	/* Two answers of the largest size at once. */
	sk->sndbuf = 2 * SKB_MAX_DATA;
	net->ipv4->icmp.sk = sk;
	return 0;
}

void icmp_send_exit(struct net *net)
{
	struct sock *sk = net->ipv4->icmp.sk;

	if (!sk)
		return;
	ip_flush_pending_frames(sk);
	net->ipv4->icmp.sk = NULL;
	sock_put(sk);
}
