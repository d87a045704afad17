/* The out-of-order queue: what came behind a hole, as a list in order and a treap to search it.
 *
 * It is kept as Linux keeps it, because what it costs is seen in the window: a segment lies there whole, also where it overlaps
 * its neighbours; one that covers another takes its place; a small one goes into the buffer of the one before it. But the octets
 * that came first win (TS-23, TS-24): where a later segment overlaps them, they are copied over its own.
 *
 *     queue   [100,200)   [300,400)        comes [150,350)
 *     becomes [100,200) [150,350) [300,400)     octets 150..199 and 300..349 of the new one are the old ones'
 *
 * Called by tcp_rcvq.c (segments), tcp_prune.c (memory), tcp_input.c (purge). RFC 9293 3.10.7.4; RFC 2018 8, 2883.
 * Tests: tests/unit/tcp, tests/packet/window. */
#include "tcp/tcp_accecn.h"
#include "tcp/tcp_int.h"

static struct sk_buff *ofo_rotate(struct sk_buff *t, bool left)
{
	struct sk_buff *c;

	if (left) {
		c = TCP_SKB_CB(t)->ofo.right;
		TCP_SKB_CB(t)->ofo.right = TCP_SKB_CB(c)->ofo.left;
		TCP_SKB_CB(c)->ofo.left = t;
	} else {
		c = TCP_SKB_CB(t)->ofo.left;
		TCP_SKB_CB(t)->ofo.left = TCP_SKB_CB(c)->ofo.right;
		TCP_SKB_CB(c)->ofo.right = t;
	}
	return c;
}

/* Two may begin at the same number for a while, one that is collapsed and the first one that it replaces: so that either is found,
 * whatever was rotated, their priorities decide. */
static bool ofo_before(const struct tcp_skb_cb *a, const struct tcp_skb_cb *b)
{
	return a->seq == b->seq ? a->prio < b->prio : before(a->seq, b->seq);
}

/* Depth is O(log n) with random priorities; recursion is bounded by it (2^20 entries: about 50). */
static struct sk_buff *ofo_insert(struct sk_buff *t, struct sk_buff *n)
{
	if (!t)
		return n;
	if (ofo_before(TCP_SKB_CB(n), TCP_SKB_CB(t))) {
		TCP_SKB_CB(t)->ofo.left = ofo_insert(TCP_SKB_CB(t)->ofo.left, n);
		if (TCP_SKB_CB(TCP_SKB_CB(t)->ofo.left)->prio > TCP_SKB_CB(t)->prio)
			t = ofo_rotate(t, false);
	} else {
		TCP_SKB_CB(t)->ofo.right = ofo_insert(TCP_SKB_CB(t)->ofo.right, n);
		if (TCP_SKB_CB(TCP_SKB_CB(t)->ofo.right)->prio > TCP_SKB_CB(t)->prio)
			t = ofo_rotate(t, true);
	}
	return t;
}

static struct sk_buff *ofo_join(struct sk_buff *a, struct sk_buff *b)
{
	if (!a || !b)
		return a ? a : b;
	if (TCP_SKB_CB(a)->prio > TCP_SKB_CB(b)->prio) {
		TCP_SKB_CB(a)->ofo.right = ofo_join(TCP_SKB_CB(a)->ofo.right, b);
		return a;
	}
	TCP_SKB_CB(b)->ofo.left = ofo_join(a, TCP_SKB_CB(b)->ofo.left);
	return b;
}

void tcp_ofo_remove(struct tcp_sackinfo *si, struct sk_buff *skb)
{
	struct sk_buff **link = &si->ofo_root;

	while (*link && *link != skb)
		link = ofo_before(TCP_SKB_CB(skb), TCP_SKB_CB(*link)) ? &TCP_SKB_CB(*link)->ofo.left : &TCP_SKB_CB(*link)->ofo.right;
	if (*link)
		*link = ofo_join(TCP_SKB_CB(skb)->ofo.left, TCP_SKB_CB(skb)->ofo.right);
	skb_unlink(skb, &si->ofo_queue);
}

/* The last queued segment that begins at or before seq, or NULL. */
static struct sk_buff *ofo_floor(struct tcp_sackinfo *si, uint32_t seq)
{
	struct sk_buff *t = si->ofo_root, *best = NULL, *tail = skb_peek_tail(&si->ofo_queue);

	if (tail && !before(seq, TCP_SKB_CB(tail)->seq))
		return tail; /* the usual case: it goes at the end */
	while (t) {
		if (!before(seq, TCP_SKB_CB(t)->seq)) {
			best = t;
			t = TCP_SKB_CB(t)->ofo.right;
		} else {
			t = TCP_SKB_CB(t)->ofo.left;
		}
	}
	return best;
}

void tcp_ofo_purge(struct sock *sk, enum drop_reason why)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!tp->sack)
		return;
	skb_queue_purge_reason(&tp->sack->ofo_queue, why);
	tp->sack->ofo_root = NULL;
	tp->rx_opt.num_sacks = 0;
}

/* skb goes into the list in front of next, and so into the tree. */
void tcp_ofo_insert(struct sock *sk, struct sk_buff *skb, struct sk_buff *next)
{
	struct tcp_sackinfo *si = tcp_sackinfo(sk);
	uint32_t prio = (uint32_t)rng_u64(&tcp_net(sk)->rng);

	si->ofo_tiny = false;
	if (next != skb_queue_end(&si->ofo_queue) && TCP_SKB_CB(next)->seq == TCP_SKB_CB(skb)->seq)
		prio = (uint32_t)((uint64_t)prio * TCP_SKB_CB(next)->prio >> 32); /* the lesser one */
	TCP_SKB_CB(skb)->ofo.left = TCP_SKB_CB(skb)->ofo.right = NULL;
	TCP_SKB_CB(skb)->prio = prio;
	skb_insert_(skb, next->prev, next, &si->ofo_queue);
	si->ofo_root = ofo_insert(si->ofo_root, skb);
}

/* Room by throwing away from the far end, an eighth of the buffer at a time, which the sender must not yet have forgotten
 * (RFC 2018 8). */
bool tcp_prune_ofo_queue(struct sock *sk, const struct sk_buff *in)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *tail;
	bool pruned = false;
	int32_t goal = sk->rcvbuf >> 3;

	if (tcp_ofo_empty(tp))
		return false;
	while ((tail = skb_peek_tail(&tp->sack->ofo_queue)) != NULL) {
		if (after(TCP_SKB_CB(in)->seq, TCP_SKB_CB(tail)->seq))
			break; /* do not prune for something still farther out */
		goal -= (int32_t)tail->truesize;
		tcp_ofo_remove(tp->sack, tail);
		kfree_skb_reason(tail, DROP_TCP_OFO_QUEUE_PRUNE);
		pruned = true;
		if (goal <= 0) {
			if (sk->rmem_alloc <= sk->rcvbuf && !tcp_under_memory_pressure(sk))
				break;
			goal = sk->rcvbuf >> 3;
		}
	}
	if (pruned) {
		TCPEXT_INC(sk->net, OfoPruned);
		tp->rx_opt.num_sacks = 0; /* what we said is no longer true */
	}
	return pruned;
}

static void ofo_trim_front(struct sk_buff *skb, uint32_t to_seq)
{
	uint32_t n = to_seq - TCP_SKB_CB(skb)->seq;

	if (skb_may_pull(skb, n))
		skb_pull(skb, n);
	TCP_SKB_CB(skb)->seq = to_seq;
}

/* The bound on the number of pieces: what is nearer to rcv_nxt takes the place of what is farthest. */
static bool ofo_has_room(struct sock *sk, uint32_t seq)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *tail = skb_peek_tail(&tp->sack->ofo_queue);

	if (likely(tp->sack->ofo_queue.qlen < TCP_MAX_OFO_SKBS))
		return true;
	if (!before(seq, TCP_SKB_CB(tail)->seq))
		return false;
	tcp_ofo_remove(tp->sack, tail);
	kfree_skb_reason(tail, DROP_TCP_OFO_QUEUE_PRUNE);
	TCPEXT_INC(sk->net, OfoPruned);
	tp->rx_opt.num_sacks = 0;
	return true;
}

/* The octets that came first stay: of skb, whose payload begins hlen octets in, those that are queued already are taken from
 * the queue. False: no memory for it. */
bool tcp_ofo_keep_first(struct sock *sk, struct sk_buff *skb, uint32_t hlen)
{
	const struct tcp_skb_cb *tcb = TCP_SKB_CB(skb);
	struct tcp_sackinfo *si = tcp_sk(sk)->sack;
	uint32_t end = tcb->seq + skb->len - hlen, truesize = skb->truesize, done = tcb->seq;
	struct sk_buff *q = ofo_floor(si, tcb->seq);

	/* what overlaps each other says the same: no octet is taken twice, or a pile of them would cost the more, the higher it is */
	for (q = q ? q : si->ofo_queue.next; q != skb_queue_end(&si->ofo_queue) && before(TCP_SKB_CB(q)->seq, end) && before(done, end); q = q->next) {
		uint32_t qseq = TCP_SKB_CB(q)->seq, from = before(qseq, done) ? done : qseq, to = qseq + q->len;

		if (before(end, to))
			to = end;
		if (!before(from, to))
			continue;
		if (skb_linearize(skb) || skb_ensure_writable(skb))
			return false;
		skb->truesize = truesize;
		skb_copy_bits(q, from - qseq, skb->data + hlen + (from - tcb->seq), to - from);
		done = to;
	}
	return true;
}

/* Where does skb, whose header is off, go? The neighbour before which it is to be inserted; NULL: it has joined the one before
 * it, or (*there: the one that has it) all of it is in the queue already. */
static struct sk_buff *ofo_place(struct sock *sk, struct sk_buff *skb, struct sk_buff **there)
{
	struct tcp_sackinfo *si = tcp_sk(sk)->sack;
	uint32_t seq = TCP_SKB_CB(skb)->seq, end_seq = TCP_SKB_CB(skb)->end_seq;
	struct sk_buff *prev = ofo_floor(si, seq), *next;

	if (!prev)
		return si->ofo_queue.next;
	next = prev->next;
	if (tcp_try_coalesce(sk, prev, skb))
		return NULL;
	if (!before(seq, TCP_SKB_CB(prev)->end_seq))
		return next;
	if (!after(end_seq, TCP_SKB_CB(prev)->end_seq)) { /* all there already */
		TCPEXT_INC(sk->net, TCPOFOMerge);
		tcp_dsack_set(sk, seq, end_seq);
		*there = prev;
		return NULL;
	}
	tcp_dsack_set(sk, seq, TCP_SKB_CB(prev)->end_seq);
	if (TCP_SKB_CB(prev)->seq == seq) { /* and more: it takes the other's place */
		tcp_ofo_remove(si, prev);
		TCPEXT_INC(sk->net, TCPOFOMerge);
		kfree_skb_reason(prev, DROP_TCP_OFOMERGE);
	}
	return next;
}

/* What skb, which ends at end_seq, covers from next on goes. */
static void ofo_merge_right(struct sock *sk, struct sk_buff *next, uint32_t end_seq)
{
	struct tcp_sackinfo *si = tcp_sk(sk)->sack;

	while (next != skb_queue_end(&si->ofo_queue) && after(end_seq, TCP_SKB_CB(next)->seq)) {
		struct sk_buff *n2 = next->next;

		if (before(end_seq, TCP_SKB_CB(next)->end_seq)) {
			tcp_dsack_set(sk, TCP_SKB_CB(next)->seq, end_seq);
			return;
		}
		tcp_dsack_set(sk, TCP_SKB_CB(next)->seq, TCP_SKB_CB(next)->end_seq);
		tcp_ofo_remove(si, next);
		TCPEXT_INC(sk->net, TCPOFOMerge);
		kfree_skb_reason(next, DROP_TCP_OFOMERGE);
		next = n2;
	}
}

void tcp_data_queue_ofo(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint32_t seq = TCP_SKB_CB(skb)->seq, hlen = tcp_hdrlen(tcp_hdr(skb));
	struct sk_buff *next, *there = NULL;

	tcp_sackinfo(sk);
	if (!tcp_try_rmem_schedule(sk, skb) || !ofo_has_room(sk, seq) || (!tcp_ofo_empty(tp) && !tcp_ofo_keep_first(sk, skb, hlen))) {
		TCPEXT_INC(sk->net, TCPOFODrop);
		kfree_skb_reason(skb, DROP_TCP_OFO_DROP);
		return;
	}
	tp->pred_flags = 0;
	tcp_ecn_check_ce(sk, skb);
	inet_csk(sk)->ack_pending |= ICSK_ACK_SCHED;
	skb_pull(skb, hlen);
	TCPEXT_INC(sk->net, TCPOFOQueue);
	tcp_stat(sk)->rcv_ooopack += max_u32(skb_shinfo(skb)->gso_segs, 1);
	tcp_measure_rcv_mss(sk, skb);
	next = ofo_place(sk, skb, &there);
	if (there) {
		tcp_sack_new_ofo_skb(sk, TCP_SKB_CB(there)->seq, TCP_SKB_CB(there)->end_seq);
		kfree_skb_reason(skb, DROP_TCP_OFOMERGE);
		return;
	}
	if (next) {
		tcp_ofo_insert(sk, skb, next);
		ofo_merge_right(sk, next, TCP_SKB_CB(skb)->end_seq);
	}
	if (tp->rx_opt.sack_ok)
		tcp_grow_window(sk, skb, !next); /* losses must not hold the window down; without SACK it would spoil duplicate ACKs */
	if (next)
		tcp_set_owner_r(skb, sk);
	if (sk->socket) /* accepted, and not an orphan */
		tcp_rcvbuf_grow(sk, tp->rcv_space);
	tcp_sack_new_ofo_skb(sk, seq, TCP_SKB_CB(skb)->end_seq);
	if (!next)
		consume_skb(skb);
}

/* The hole is filled: what now follows in order moves over. What the segment that filled it repeated is a duplicate; what those of the
 * queue repeat of each other has been told. */
void tcp_ofo_drain(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_sackinfo *si = tp->sack;
	uint32_t filled = tp->rcv_nxt;
	struct sk_buff *skb;

	while ((skb = skb_peek(&si->ofo_queue)) != NULL && !after(TCP_SKB_CB(skb)->seq, tp->rcv_nxt)) {
		struct tcp_skb_cb *tcb = TCP_SKB_CB(skb);
		bool fin = (tcb->tcp_flags & TCP_FIN) != 0, eaten = false;

		if (before(tcb->seq, filled))
			tcp_dsack_set(sk, tcb->seq, before(tcb->end_seq, filled) ? tcb->end_seq : filled);
		tcp_ofo_remove(si, skb);
		if (!after(tcb->end_seq, tp->rcv_nxt)) {
			kfree_skb_reason(skb, DROP_TCP_OLD_DATA);
			continue;
		}
		if (before(tcb->seq, tp->rcv_nxt))
			ofo_trim_front(skb, tp->rcv_nxt);
		else if (!skb_queue_empty(&sk->receive_queue))
			eaten = tcp_try_coalesce(sk, skb_peek_tail(&sk->receive_queue), skb);
		tp->bytes_received += tcb->end_seq - tp->rcv_nxt;
		tp->rcv_nxt = tcb->end_seq;
		if (eaten)
			consume_skb(skb);
		else
			skb_queue_tail(&sk->receive_queue, skb); /* keeps its charge */
		if (fin) {
			tcp_fin(sk); /* purges what lies beyond; the socket may be gone to TIME-WAIT */
			return;
		}
	}
	tcp_sack_remove(tp);
}

