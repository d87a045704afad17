/* The receive buffer is full: room for one more segment, or not.
 *
 * What lies in the two queues is charged as Linux charges it (tcp_rmem_cost), and a segment is taken while that is not more than
 * rcvbuf; so the buffer is overrun by one segment at most. Then, in this order:
 *
 *   clamp      a buffer that the program did not fix grows to what is there, up to tcp_rmem[2]; one that must not grow offers
 *              two segments from now on
 *   collapse   what small segments left in many buffers goes into few, first out of order, then in order
 *   prune      what is out of order is thrown away from the far end
 *
 * Called by tcp_rcvq.c, tcp_ofo.c. RFC 9293 3.8.6; RFC 2018 8. Tests: tests/unit/tcp, tests/packet/window. */
#include "tcp/tcp_int.h"

/* Octets of a buffer that Linux's allocator has for so many, its skb_shared_info (320) included: 576 is the size of small ones, above
 * it powers of two. */
#define RMEM_SHINFO 320u
#define RMEM_SMALL 576u
#define RMEM_PAGE 4096u
#define RMEM_SKB 256u /* the sk_buff */
#define RMEM_PAD 64u  /* in front of a packet that came from a device */

static uint32_t buffer_size(uint32_t len)
{
	if (len + RMEM_SHINFO <= RMEM_SMALL)
		return RMEM_SMALL;
	return 1u << (32 - __builtin_clz(len + RMEM_SHINFO - 1));
}

/* What a packet of len octets, IP header included, is charged with, and in *room how much more its buffer could take. From a page on
 * it lies in several, and such a one takes nothing more. */
uint32_t tcp_rmem_cost(uint32_t len, uint32_t *room)
{
	uint32_t first = RMEM_PAGE - RMEM_SHINFO - RMEM_PAD, size;

	*room = 0;
	if (len + RMEM_PAD >= RMEM_PAGE)
		return RMEM_SKB + RMEM_PAGE + (len - first + RMEM_PAGE - 1) / RMEM_PAGE * RMEM_PAGE;
	size = buffer_size(len + RMEM_PAD);
	*room = size - RMEM_SHINFO - RMEM_PAD - len;
	return RMEM_SKB + size;
}

/* ---- collapse ---- */
struct span {
	struct sk_buff_head *q;
	struct sk_buff *stop; /* the first that is not of it */
	uint32_t start, end;
	bool ofo;
};

static void forget(struct sock *sk, const struct span *s, struct sk_buff *skb)
{
	if (s->ofo)
		tcp_ofo_remove(tcp_sk(sk)->sack, skb);
	else
		skb_unlink(skb, s->q);
	consume_skb(skb);
	TCPEXT_INC(sk->net, TCPRcvCollapsed);
}

/* Is it worth copying: does it cost more than segments usually do, or overlap its neighbours? */
static bool bloated(const struct sock *sk, const struct span *s, const struct sk_buff *skb)
{
	if (tcp_win_from_space(sk, skb->truesize) > skb->len || before(TCP_SKB_CB(skb)->seq, s->start))
		return true;
	return skb->next != s->stop && TCP_SKB_CB(skb->next)->seq != TCP_SKB_CB(skb)->end_seq;
}

static bool ends_collapse(const struct span *s, const struct sk_buff *skb)
{
	return skb == s->stop || TCP_SKB_CB(skb)->tcp_flags & (TCP_SYN | TCP_FIN) || skb_shared(skb);
}

/* Up to a page of the span, from skb on, into a new buffer in front of it. The next one to go on with; NULL: done, or no memory. */
static struct sk_buff *collapse_page(struct sock *sk, struct span *s, struct sk_buff *skb)
{
	uint32_t left = min_u32(TCP_COLLAPSE_MAX, s->end - s->start), len = left;
	struct sk_buff *one = alloc_skb(sk->net, left);

	if (!one)
		return NULL;
	memcpy(one->cb, skb->cb, sizeof(one->cb));
	TCP_SKB_CB(one)->seq = TCP_SKB_CB(one)->end_seq = s->start;
	TCP_SKB_CB(one)->ofo.room = buffer_size(len) - RMEM_SHINFO - len;
	one->truesize = RMEM_SKB + buffer_size(len);
	if (s->ofo)
		tcp_ofo_insert(sk, one, skb);
	else
		skb_insert_(one, skb->prev, skb, s->q);
	tcp_set_owner_r(one, sk);
	while (left) {
		uint32_t n = min_u32(left, TCP_SKB_CB(skb)->end_seq - s->start);
		struct sk_buff *next = skb->next;

		skb_copy_bits(skb, s->start - TCP_SKB_CB(skb)->seq, skb_put(one, n), n);
		TCP_SKB_CB(one)->tcp_flags |= TCP_SKB_CB(skb)->tcp_flags;
		one->tstamp_ns = skb->tstamp_ns;
		s->start = TCP_SKB_CB(one)->end_seq += n;
		left -= n;
		while (!before(s->start, TCP_SKB_CB(skb)->end_seq)) {
			next = skb->next;
			forget(sk, s, skb);
			skb = next;
			if (ends_collapse(s, skb)) {
				left = 0;
				break;
			}
		}
	}
	sk->net->skb_mib.copies++;
	sk->net->skb_mib.copy_bytes += one->len;
	TRACE(&sk->net->probe, TR_COPY, one->serial, "len=%u collapse", one->len);
	return ends_collapse(s, skb) || !before(s->start, s->end) ? NULL : skb;
}

static void collapse(struct sock *sk, struct span *s, struct sk_buff *skb)
{
	/* What has been read goes; what is good as it is stays. */
	while (!ends_collapse(s, skb)) {
		struct sk_buff *next = skb->next;

		if (!before(s->start, TCP_SKB_CB(skb)->end_seq)) {
			forget(sk, s, skb);
		} else if (bloated(sk, s, skb)) {
			break;
		} else {
			s->start = TCP_SKB_CB(skb)->end_seq;
		}
		skb = next;
	}
	if (ends_collapse(s, skb))
		return;
	if (before(s->start, TCP_SKB_CB(skb)->seq))
		s->start = TCP_SKB_CB(skb)->seq;
	while (skb)
		skb = collapse_page(sk, s, skb);
}

/* Each run without a hole for itself. Many that are small and alone are not worth the walk. */
static void collapse_ofo(struct sock *sk)
{
	struct sk_buff_head *q;
	struct sk_buff *skb;
	int32_t tiny = 0, held = sk->rmem_alloc;

	if (tcp_ofo_empty(tcp_sk(sk)) || tcp_sk(sk)->sack->ofo_tiny)
		return;
	q = &tcp_sk(sk)->sack->ofo_queue;
	for (skb = q->next; skb != skb_queue_end(q);) {
		struct span s = { q, skb, TCP_SKB_CB(skb)->seq, TCP_SKB_CB(skb)->end_seq, true };
		struct sk_buff *first = skb;
		uint32_t cost = 0;

		for (; s.stop != skb_queue_end(q) && !after(TCP_SKB_CB(s.stop)->seq, s.end); s.stop = s.stop->next) {
			if (after(TCP_SKB_CB(s.stop)->end_seq, s.end))
				s.end = TCP_SKB_CB(s.stop)->end_seq;
			cost += s.stop->truesize;
		}
		skb = s.stop;
		if (cost != first->truesize || s.end - s.start >= TCP_COLLAPSE_MAX) {
			collapse(sk, &s, first);
		} else {
			tiny += (int32_t)cost;
			if (tiny > sk->rcvbuf >> 3)
				break;
		}
	}
	tcp_sk(sk)->sack->ofo_tiny = sk->rmem_alloc == held;
}

static void tcp_collapse(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct span s = { &sk->receive_queue, skb_queue_end(&sk->receive_queue), tp->copied_seq, tp->rcv_nxt, false };
	struct sk_buff *skb = skb_peek(&sk->receive_queue);
	TRACE_FN(&sk->net->probe, skb ? skb->serial : 0);

	if (skb)
		collapse(sk, &s, skb);
}

/* ---- clamp ---- */
static void clamp_window(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	int32_t most = tcp_sysctl(sk)->rmem[2];

	inet_csk(sk)->quick = 0;
	if (sk->rcvbuf < most && !(sk->userlocks & 2) && !tcp_under_memory_pressure(sk) && tcp_mem_below_low(sk))
		sk->rcvbuf = sk->rmem_alloc < most ? sk->rmem_alloc : most;
	if (sk->rmem_alloc > sk->rcvbuf)
		tp->rcv_ssthresh = min_u32(tp->window_clamp, 2u * tp->advmss);
}

/* False: what lies there is more than may be, and none of it can go. */
static bool prune_queue(struct sock *sk, const struct sk_buff *in)
{
	struct tcp_sock *tp = tcp_sk(sk);

	TCPEXT_INC(sk->net, PruneCalled);
	if (sk->rmem_alloc >= sk->rcvbuf)
		clamp_window(sk);
	else if (tcp_under_memory_pressure(sk))
		tp->rcv_ssthresh = min_u32(tp->rcv_ssthresh, 4u * tp->advmss);
	if (sk->rmem_alloc <= sk->rcvbuf)
		return true;
	collapse_ofo(sk);
	tcp_collapse(sk);
	if (sk->rmem_alloc <= sk->rcvbuf)
		return true;
	tcp_prune_ofo_queue(sk, in);
	if (sk->rmem_alloc <= sk->rcvbuf)
		return true;
	TCPEXT_INC(sk->net, RcvPruned);
	tp->pred_flags = 0; /* the slow path from now on */
	return false;
}

/* May skb be queued? An empty receive queue may always take what is in order, or the connection would stand still for what others
 * hold. */
bool tcp_try_rmem_schedule(struct sock *sk, struct sk_buff *skb)
{
	bool must = skb_queue_empty(&sk->receive_queue) && !after(TCP_SKB_CB(skb)->seq, tcp_sk(sk)->rcv_nxt);

	if (likely(sk->rmem_alloc <= sk->rcvbuf && tcp_rmem_schedule(sk, skb->truesize)))
		return true;
	if (!prune_queue(sk, skb))
		return must;
	while (!tcp_rmem_schedule(sk, skb->truesize))
		if (!tcp_prune_ofo_queue(sk, skb))
			return must;
	return true;
}
