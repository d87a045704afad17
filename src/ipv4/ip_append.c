/* Datagrams made of what programs write: collect the pieces, cut them to the path's MTU on the way in, put one
 * header in front (S1-18, S3-162: no copy is needed later).
 *
 *     ip_append_data ... ip_append_data (MSG_MORE)  ->  ip_push_pending_frames -> ip_send_skb
 *     ip_make_skb (all at once)                     ->  udp_send_skb ...       -> ip_send_skb
 *
 *     queue:  skb0 [ room for link+IP | transport header, data ]  skb1 [ room | data ]  ...
 *     each holds at most MTU - header octets, all but the last a multiple of 8; skb0 becomes the head, the
 *     others its frag_list, and ip_fragment_out.c only puts headers in front.
 *
 * Called by udp_send.c, raw.c, ping.c, icmp_send.c. RFC 791, RFC 1122 3.2.1, 3.3.3.
 * Tests: tests/unit/ipv4/test_loopback.c (S1-18), test_frag.c (S2-35). */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include "core/uio.h"
#include "ipv4/netns_ipv4.h"

#define APPEND_LL_ROOM 32u

struct append { /* one call on its way */
	struct sock *sk;
	struct sk_buff_head *q;
	struct inet_cork *cork;
	ip_getfrag_fn getfrag;
	void *from;
	uint32_t length, transhdrlen, done; /* left to take; header room still to make; octets of data taken */
	uint32_t hlen, maxpay, maxfrag;     /* IP header; payload of a packet; the same, a multiple of 8 */
	unsigned flags;
};

int ip_generic_getfrag(void *from, uint8_t *to, uint32_t off, uint32_t len, struct sk_buff *skb)
{
	struct iov_iter *it = from;
	uint32_t sum = 0;
	size_t n;

	if (skb->ip_summed == CHECKSUM_PARTIAL) {
		n = copy_from_iter(to, len, it);
	} else {
		n = csum_copy_from_iter(to, len, it, &sum);
		skb->csum = sum;
		skb_count_sum(skb, len);
	}
	if (n != len)
		return -EFAULT;
	skb->net->skb_mib.user_to_skb_bytes += len;
	TRACE(&skb->net->probe, TR_COPY, skb->serial, "len=%u from=user to=skb", len);
	return 0;
}

static uint32_t cork_optlen(const struct inet_cork *cork)
{
	return cork->opt ? cork->opt->opt.optlen : 0;
}

/* An skb for the next datalen octets of payload (room: how many more may be added later). */
static struct sk_buff *append_alloc(struct append *a, uint32_t datalen, int *err)
{
	bool more = (a->flags & MSG_MORE) != 0;
	uint32_t size = APPEND_LL_ROOM + a->hlen + (more ? a->maxpay : datalen);
	struct sock *sk = a->sk;
	struct sk_buff *skb;

	if (a->transhdrlen || skb_queue_empty(a->q)) {
		skb = sock_alloc_send_skb(sk, size, (a->flags & MSG_DONTWAIT) != 0, err);
	} else {
		/* The rest of a datagram that was begun may exceed the buffer once more, then it fails. */
		*err = -ENOBUFS;
		skb = sk->wmem_alloc <= 2 * (int64_t)sk->sndbuf ? alloc_skb(sk->net, size) : NULL;
		if (skb)
			skb_set_owner_w(skb, sk);
	}
	if (!skb)
		return NULL;
	memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
	skb_reserve(skb, APPEND_LL_ROOM + a->hlen);
	skb->csum = 0;
	return skb;
}

/* Data into a new skb: datalen octets behind gap octets that are already there. 0, or -errno: skb is gone. */
static int append_fill(struct append *a, struct sk_buff *skb, uint32_t datalen, uint32_t gap)
{
	uint32_t copy = datalen - a->transhdrlen - gap;
	uint8_t *data;
	int err;

	/* One packet, no more to come, and a device that sums: leave the checksum to it. */
	if (a->transhdrlen && !(a->flags & MSG_MORE) && datalen == a->length && a->cork->dst &&
	    (a->cork->dst->dev->features & NETIF_F_HW_CSUM) && !cork_optlen(a->cork))
		skb->ip_summed = CHECKSUM_PARTIAL;
	data = skb_put(skb, datalen);
	skb_reset_transport_header(skb);
	err = copy ? a->getfrag(a->from, data + a->transhdrlen + gap, a->done, copy, skb) : 0;
	if (err) {
		kfree_skb_reason(skb, DROP_SOCKET_CLOSE);
		return err;
	}
	a->cork->flags++;
	a->done += copy;
	a->length -= copy + a->transhdrlen;
	a->transhdrlen = 0;
	return 0;
}

/* A new skb at the tail. Octets that make the one before it no multiple of 8 move over. */
static int append_new(struct append *a, struct sk_buff *prev)
{
	uint32_t gap = prev && prev->len > a->maxfrag ? prev->len - a->maxfrag : 0;
	uint32_t datalen = a->length + gap;
	struct sk_buff *skb;
	int err;

	if (datalen > a->maxpay)
		datalen = a->maxfrag;
	skb = append_alloc(a, datalen, &err);
	if (!skb)
		return err;
	err = append_fill(a, skb, datalen, gap);
	if (err)
		return err;
	if (gap) {
		(void)skb_copy_bits(prev, a->maxfrag, skb->data, gap);
		skb_trim(prev, a->maxfrag);
		a->cork->flags++; /* the sums of both are no longer those of one copy */
	}
	skb_queue_tail(a->q, skb);
	return 0;
}

static int append_to_tail(struct append *a, struct sk_buff *skb, uint32_t room)
{
	uint32_t copy = min_u32(room, a->length);
	int err;

	if (skb_tailroom(skb) < copy)
		return -ENOBUFS;
	err = a->getfrag(a->from, skb->tail, a->done, copy, skb);
	if (err)
		return err;
	skb_put(skb, copy);
	a->cork->flags++;
	a->done += copy;
	a->length -= copy;
	return 0;
}

/* 0, or -errno: what was queued before the call stays. */
static int __ip_append_data(struct append *a, const struct flowi4 *fl4)
{
	TRACE_FN(&a->sk->net->probe, 0);
	struct sock *sk = a->sk;
	uint32_t mtu = a->cork->gso_size ? IP4_MAX_LEN : a->cork->fragsize;
	uint32_t max = ip_sk_ignore_df(sk) ? IP4_MAX_LEN : mtu;
	int err;

	a->hlen = IP4_HLEN + cork_optlen(a->cork);
	a->maxpay = mtu - a->hlen;
	a->maxfrag = a->maxpay & ~7u;
	if (a->cork->length + a->length > max - a->hlen) {
		ip_local_error(sk, EMSGSIZE, fl4->daddr, inet_sk(sk)->dport, mtu);
		return -EMSGSIZE;
	}
	a->cork->length += a->length;
	do {
		struct sk_buff *tail = skb_peek_tail(a->q);
		uint32_t cap = tail && a->maxpay < tail->len + a->length ? a->maxfrag : a->maxpay;

		if (!tail || cap <= tail->len)
			err = append_new(a, tail);
		else
			err = append_to_tail(a, tail, cap - tail->len);
		if (err) {
			a->cork->length -= a->length;
			IP_INC(sk->net, OutDiscards);
			return err;
		}
	} while (a->length);
	return 0;
}

/* ---- the cork ---- */

static int ip_setup_cork(struct sock *sk, struct inet_cork *cork, const struct ipcm_cookie *ipc, struct rtable **rtp)
{
	struct rtable *rt = *rtp;

	if (!rt)
		return -EFAULT;
	memset(cork, 0, sizeof(*cork));
	if (ipc->opt && ipc->opt->opt.optlen) {
		cork->opt = xcalloc(1, sizeof(*cork->opt));
		*cork->opt = *ipc->opt;
		cork->addr = ipc->addr;
	}
	cork->fragsize = inet_sk(sk)->pmtudisc < IP_PMTUDISC_PROBE ? dst_mtu(&rt->dst) : min_u32(rt->dst.dev->mtu, IP4_MAX_LEN);
	if (cork->fragsize < 68) {
		free(cork->opt);
		cork->opt = NULL;
		return -ENETUNREACH;
	}
	cork->gso_size = ipc->gso_size;
	cork->dst = &rt->dst;
	*rtp = NULL; /* the cork has it now */
	cork->ttl = ipc->ttl;
	cork->tos = ip_sk_tos(sk, ipc);
	cork->mark = ipc->mark;
	cork->priority = ipc->priority;
	cork->tsflags = ipc->tsflags;
	cork->transmit_time = ipc->transmit_time;
	cork->active = true;
	return 0;
}

static void ip_cork_release(struct inet_cork *cork)
{
	free(cork->opt);
	dst_release(cork->dst);
	memset(cork, 0, sizeof(*cork));
}

int ip_append_data(struct sock *sk, struct flowi4 *fl4, ip_getfrag_fn getfrag, void *from, uint32_t length,
		   uint32_t transhdrlen, struct ipcm_cookie *ipc, struct rtable **rtp, unsigned flags)
{
	TRACE_FN(&sk->net->probe, 0);
	struct inet_sock *inet = inet_sk(sk);
	struct append a = { .sk = sk, .q = &sk->write_queue, .getfrag = getfrag, .from = from, .length = length,
			    .transhdrlen = transhdrlen, .flags = flags };

	if (!inet->cork)
		inet->cork = xcalloc(1, sizeof(*inet->cork));
	a.cork = inet->cork;
	if (skb_queue_empty(&sk->write_queue)) {
		int err;

		if (inet->cork->active)
			ip_cork_release(inet->cork);
		err = ip_setup_cork(sk, inet->cork, ipc, rtp);
		if (err)
			return err;
	} else {
		a.transhdrlen = 0;
	}
	return __ip_append_data(&a, fl4);
}

/* ---- one packet out of the queue ---- */

/* All skbs into one: the first is the head, the others its frag_list. The head keeps the account of all. */
static struct sk_buff *collect(struct sk_buff_head *q)
{
	struct sk_buff *head = skb_dequeue(q), **at, *s;

	if (!head)
		return NULL;
	at = &skb_shinfo(head)->frag_list;
	while ((s = skb_dequeue(q))) {
		*at = s;
		at = &s->next;
		head->len += s->len;
		head->data_len += s->len;
		head->truesize += s->truesize;
		if (s->sk) {
			struct sock *sk = s->sk;

			s->destructor = NULL;
			s->sk = NULL;
			sock_put(sk);
		}
	}
	return head;
}

static uint8_t cork_ttl(const struct inet_sock *inet, const struct inet_cork *cork, uint32_t daddr)
{
	if (cork->ttl)
		return cork->ttl;
	if (ip4_is_multicast(daddr))
		return inet->mc_ttl;
	return ip_select_ttl(inet, cork->dst);
}

/* The header in front of what was collected. The cork gives up its route and ends here. */
static struct sk_buff *put_header(struct sk_buff *skb, struct sock *sk, const struct flowi4 *fl4, struct inet_cork *cork)
{
	const struct inet_sock *inet = inet_sk(sk);
	uint32_t optlen = cork_optlen(cork);
	uint8_t first = skb_headlen(skb) ? skb->data[0] : 0xff;
	uint8_t disc = inet->pmtudisc;
	struct ip4_hdr *h;

	/* With DF "want" a datagram that was cut here goes out in pieces; only whole ones carry DF. */
	skb->ignore_df = ip_sk_ignore_df(sk);
	/* skb->csum is the sum of all the payload if one copy made it: UDP need not walk it again. */
	if (sk->protocol == IPPROTO_UDP && cork->flags == 1 && skb->ip_summed == CHECKSUM_NONE && !skb->data_len)
		skb->ip_summed = CHECKSUM_COMPLETE;
	h = (struct ip4_hdr *)(void *)skb_push(skb, IP4_HLEN + optlen);
	skb_reset_network_header(skb);
	skb->protocol = ETH_P_IP;
	ip4_put_hlen_tos(h, IP4_HLEN + optlen, cork->tos);
	put_be16(h->frag_off, disc == IP_PMTUDISC_DO || disc == IP_PMTUDISC_PROBE ||
					      (skb->len <= cork->fragsize && ip_dont_fragment(sk, cork->dst)) ?
				      IP_DF : 0);
	ip4_put_ttl_protocol(h, cork_ttl(inet, cork, fl4->daddr), sk->protocol);
	put_be32(h->saddr, fl4->saddr);
	put_be32(h->daddr, fl4->daddr);
	put_be16(h->id, ip_select_ident(sk->net, h, sk, 1));
	if (unlikely(optlen))
		ip_options_build(skb, &cork->opt->opt, cork->addr, (const struct rtable *)(const void *)cork->dst);
	skb->priority = cork->priority;
	skb->mark = cork->mark;
	skb->tstamp_ns = cork->transmit_time;
	if (unlikely(cork->tsflags))
		sock_skb_tx_timestamp(sk, skb, cork->tsflags);
	skb_dst_set(skb, cork->dst);
	cork->dst = NULL;
	if (h->protocol == IPPROTO_ICMP && first != 0xff)
		icmp_out_count(sk->net, first);
	if (unlikely(cork->opt)) {
		free(cork->opt);
		cork->opt = NULL;
	}
	cork->active = false;
	return skb;
}

static struct sk_buff *__ip_make_skb(struct sock *sk, struct flowi4 *fl4, struct sk_buff_head *q, struct inet_cork *cork)
{
	struct sk_buff *skb = collect(q);

	return skb ? put_header(skb, sk, fl4, cork) : NULL;
}

struct sk_buff *ip_finish_skb(struct sock *sk, struct flowi4 *fl4)
{
	return inet_sk(sk)->cork ? __ip_make_skb(sk, fl4, &sk->write_queue, inet_sk(sk)->cork) : NULL;
}

int ip_push_pending_frames(struct sock *sk, struct flowi4 *fl4)
{
	struct sk_buff *skb = ip_finish_skb(sk, fl4);

	if (!skb)
		return 0;
	TRACE_FN(&sk->net->probe, skb->serial);
	return ip_send_skb(sk->net, skb);
}

void ip_flush_pending_frames(struct sock *sk)
{
	skb_queue_purge_reason(&sk->write_queue, DROP_SOCKET_CLOSE);
	if (inet_sk(sk)->cork && inet_sk(sk)->cork->active)
		ip_cork_release(inet_sk(sk)->cork);
}

/* Most datagrams are one packet, all at once: no queue, no loop. NULL: *err. */
static struct sk_buff *make_one(struct append *a, int *err)
{
	struct sk_buff *skb = append_alloc(a, a->length, err);

	if (!skb)
		return NULL;
	*err = append_fill(a, skb, a->length, 0);
	return *err ? NULL : skb;
}

struct sk_buff *ip_make_skb(struct sock *sk, struct flowi4 *fl4, ip_getfrag_fn getfrag, void *from, uint32_t length,
			    uint32_t transhdrlen, struct ipcm_cookie *ipc, struct rtable **rtp, unsigned flags, int *err)
{
	TRACE_FN(&sk->net->probe, 0);
	struct inet_cork cork;
	struct sk_buff_head q;
	struct append a = { .sk = sk, .q = &q, .cork = &cork, .getfrag = getfrag, .from = from, .length = length,
			    .transhdrlen = transhdrlen, .flags = flags };
	struct sk_buff *skb;

	skb_queue_head_init(&q);
	*err = ip_setup_cork(sk, &cork, ipc, rtp);
	if (*err)
		return NULL;
	a.hlen = IP4_HLEN + cork_optlen(&cork);
	if (likely(a.hlen + length <= cork.fragsize && transhdrlen && length)) {
		skb = make_one(&a, err);
		if (likely(skb))
			return put_header(skb, sk, fl4, &cork);
		IP_INC(sk->net, OutDiscards);
	} else {
		*err = __ip_append_data(&a, fl4);
	}
	if (*err) {
		skb_queue_purge_reason(&q, DROP_SOCKET_CLOSE);
		ip_cork_release(&cork);
		return NULL;
	}
	return __ip_make_skb(sk, fl4, &q, &cork);
}
