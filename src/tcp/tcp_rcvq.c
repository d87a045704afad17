/* Received data: the receive queue, the out-of-order queue, the SACK blocks that tell the peer about it, delayed and
 * quick ACKs.
 *
 * Called by tcp_input.c (segments) and tcp_recvmsg.c (space). RFC 9293 3.10.7.4, 3.8.6.3; RFC 2018, 2883.
 * First-received bytes win: of a segment only what is not queued yet is kept (TS-23, TS-24).
 * Tests: tests/unit/tcp. */
#include "tcp/tcp_accecn.h"
#include "tcp/tcp_int.h"

/* ---- when to acknowledge ---- */
static void incr_quickack(struct sock *sk, uint32_t max)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	uint32_t n = tcp_sk(sk)->rcv_wnd / (2u * max_u32(icsk->rcv_mss, 1));

	n = min_u32(n ? n : 2, max);
	if (n > icsk->quick)
		icsk->quick = (uint8_t)n;
}

void tcp_enter_quickack_mode(struct sock *sk, uint32_t max)
{
	incr_quickack(sk, max);
	inet_csk(sk)->pingpong = 0;
	inet_csk(sk)->ato_us = TCP_ATO_MIN_US;
}

/* What full segments look like from here; with it, how much payload a byte of memory carries. */
static void measure_rcv_mss(struct sock *sk, const struct sk_buff *skb)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	uint32_t hlen = tcp_hdrlen(tcp_hdr(skb)), last = icsk->last_seg_size;
	uint32_t all = skb->len + (uint32_t)(skb->data - skb_transport_header(skb)) - hlen; /* what was cut off its front counts */
	uint32_t len = skb_shinfo(skb)->gso_size ? skb_shinfo(skb)->gso_size : all;

	icsk->last_seg_size = 0;
	if (len >= icsk->rcv_mss) {
		if (len != icsk->rcv_mss) {
			uint32_t ratio = (uint32_t)(((uint64_t)all << 8) / max_u32(skb->truesize, 1));

			tp->scaling_ratio = (uint8_t)(ratio ? min_u32(ratio, 255) : 1);
			tcp_set_window_clamp(tp, tcp_win_from_space(sk, (uint32_t)sk->rcvbuf));
		}
		icsk->rcv_mss = (uint16_t)min_u32(len, tp->advmss);
		if (TCP_SKB_CB(skb)->tcp_flags & TCP_PSH) /* a full one that ends a write: nothing more may follow soon */
			icsk->ack_pending |= ICSK_ACK_PUSHED;
		return;
	}
	/* What no PSH cuts short is as long as the path allows: twice the same length, and it is believed. */
	if (len + hlen >= TCP_MSS_DEFAULT + TCP_HLEN ||
	    (len + hlen >= TCP_MIN_MSS + TCP_HLEN && !(tcp_hdr(skb)->flags & (TCP_PSH | TCP_FIN | TCP_URG | TCP_SYN)))) {
		icsk->last_seg_size = (uint16_t)(len + hlen - tp->tcp_header_len);
		if (icsk->last_seg_size == last) {
			icsk->rcv_mss = icsk->last_seg_size;
			return;
		}
	}
	icsk->ack_pending |= icsk->ack_pending & ICSK_ACK_PUSHED ? ICSK_ACK_PUSHED2 | ICSK_ACK_PUSHED : ICSK_ACK_PUSHED;
}

static void rcv_rtt_update(struct tcp_sock *tp, uint32_t sample_us, bool win_dep)
{
	uint32_t m = max_u32(sample_us, 1), old = tp->rcv_rtt_us;

	if (!old)
		tp->rcv_rtt_us = m << 3;
	else if (win_dep)
		tp->rcv_rtt_us = min_u32(old, m << 3);
	else
		tp->rcv_rtt_us = old - (old >> 3) + m;
}

void tcp_rcv_rtt_measure_ts(struct sock *sk, const struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint32_t delta;

	if (!tp->rx_opt.saw_tstamp || tp->rx_opt.rcv_tsecr == tp->rcv_rtt_last_tsecr)
		return;
	tp->rcv_rtt_last_tsecr = tp->rx_opt.rcv_tsecr;
	if (TCP_SKB_CB(skb)->end_seq - TCP_SKB_CB(skb)->seq < inet_csk(sk)->rcv_mss)
		return;
	delta = tcp_time_ms(sk) - tp->rx_opt.rcv_tsecr;
	if (delta < 0x7fffffff / 1000)
		rcv_rtt_update(tp, delta ? delta * 1000 : 1000, false);
}

/* Without timestamps: the time in which a window's worth came. */
static void rcv_rtt_measure(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (tp->rcv_rtt_ms && before(tp->rcv_nxt, tp->rcv_rtt_seq))
		return;
	if (tp->rcv_rtt_ms && !tp->rx_opt.tstamp_ok)
		rcv_rtt_update(tp, (tcp_time_ms(sk) - tp->rcv_rtt_ms) * 1000, true);
	tp->rcv_rtt_seq = tp->rcv_nxt + tp->rcv_wnd;
	tp->rcv_rtt_ms = tcp_time_ms(sk) ? tcp_time_ms(sk) : 1;
}

/* Slow start of the window that we offer. */
static void grow_window(struct sock *sk, const struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	int64_t room = (int64_t)min_u32(tp->window_clamp, (uint32_t)tcp_space(sk)) - tp->rcv_ssthresh;
	uint32_t incr;

	if (room <= 0 || tcp_under_memory_pressure(sk))
		return;
	incr = tcp_win_from_space(sk, skb->truesize) <= skb->len ? 2u * tp->advmss : 2u * inet_csk(sk)->rcv_mss;
	incr = max_u32(incr, 2 * skb->len);
	tp->rcv_ssthresh += (uint32_t)min_u64((uint64_t)room, incr);
	inet_csk(sk)->quick |= 1;
}

/* ---- ECN, receiver (RFC 3168 6.1.3): ECE from the first mark on until the sender says CWR ---- */
static void ecn_check_ce(struct sock *sk, const struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (likely(!(tp->ecn_flags & TCP_ECN_ANY)))
		return;
	if (!(TCP_SKB_CB(skb)->ip_dsfield & 3)) {
		if (tp->ecn_flags & TCP_ECN_SEEN)
			tcp_enter_quickack_mode(sk, 2); /* the others had ECT: this is a repetition, or somebody cleared it */
		return;
	}
	if (!(tp->ecn_flags & TCP_ECN_OK))
		return;
	tp->ecn_flags |= TCP_ECN_SEEN;
	if ((TCP_SKB_CB(skb)->ip_dsfield & 3) == TCP_CE && !(tp->ecn_flags & TCP_ECN_DEMAND_CWR)) {
		tcp_enter_quickack_mode(sk, 2); /* the sender should hear of it soon */
		tp->ecn_flags |= TCP_ECN_DEMAND_CWR;
	}
}

static void ecn_accept_cwr(struct sock *sk, const struct sk_buff *skb)
{
	if (!(TCP_SKB_CB(skb)->tcp_flags & TCP_CWR) || !(tcp_sk(sk)->ecn_flags & TCP_ECN_OK))
		return;
	tcp_sk(sk)->ecn_flags &= (uint8_t)~TCP_ECN_DEMAND_CWR;
	inet_csk(sk)->ack_pending |= ICSK_ACK_NOW; /* a sender with a window of one waits for it */
}

void tcp_event_data_recv(struct sock *sk, struct sk_buff *skb)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	uint32_t now = tcp_time_ms(sk);

	icsk->ack_pending |= ICSK_ACK_SCHED;
	measure_rcv_mss(sk, skb);
	rcv_rtt_measure(sk);
	if (!icsk->ato_us) {
		incr_quickack(sk, TCP_MAX_QUICKACKS); /* the first data: the sender is in slow start */
		icsk->ato_us = TCP_ATO_MIN_US;
	} else {
		uint64_t m = (uint64_t)(uint32_t)(now - icsk->last_rcv_ms) * 1000;

		if (m <= TCP_ATO_MIN_US / 2)
			icsk->ato_us = (icsk->ato_us >> 1) + TCP_ATO_MIN_US / 2;
		else if (m < icsk->ato_us)
			icsk->ato_us = min_u32((icsk->ato_us >> 1) + (uint32_t)m, icsk->rto_us);
		else if (m > icsk->rto_us)
			incr_quickack(sk, TCP_MAX_QUICKACKS); /* the sender restarted after a pause */
	}
	icsk->last_rcv_ms = now;
	ecn_check_ce(sk, skb);
	if (skb->len >= 128)
		grow_window(sk, skb);
}

/* ---- SACK blocks to send ---- */
void tcp_dsack_set(struct sock *sk, uint32_t seq, uint32_t end_seq)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!tp->rx_opt.sack_ok || !tcp_sysctl(sk)->dsack)
		return;
	if (before(seq, tp->rcv_nxt))
		TCPEXT_INC(sk->net, TCPDSACKOldSent);
	else
		TCPEXT_INC(sk->net, TCPDSACKOfoSent);
	if (!tp->rx_opt.dsack) {
		tp->rx_opt.dsack = 1;
		tcp_sackinfo(sk)->duplicate_sack[0] = (struct tcp_sack_block){ seq, end_seq };
		return;
	}
	/* one per ACK: join it with what waits if they touch */
	if (!after(seq, tp->sack->duplicate_sack[0].end_seq) && !after(tp->sack->duplicate_sack[0].start_seq, end_seq)) {
		if (before(seq, tp->sack->duplicate_sack[0].start_seq))
			tp->sack->duplicate_sack[0].start_seq = seq;
		if (after(end_seq, tp->sack->duplicate_sack[0].end_seq))
			tp->sack->duplicate_sack[0].end_seq = end_seq;
	}
}

#define TCP_SACK_BLOCKS_EXPECTED 2
/* The block that [seq, end_seq) belongs to goes first (RFC 2018 4). */
void tcp_sack_new_ofo_skb(struct sock *sk, uint32_t seq, uint32_t end_seq)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_sack_block nb = { seq, end_seq }, *sp = tcp_sackinfo(sk)->selective_acks;
	uint8_t n = tp->rx_opt.num_sacks, kept = 0, first = 0;

	if (!tp->rx_opt.sack_ok)
		return;
	while (first < n && (after(seq, sp[first].end_seq) || after(sp[first].start_seq, end_seq)))
		first++;
	if (first >= TCP_SACK_BLOCKS_EXPECTED) /* a block may fall off the end of the option: say it while it is there */
		tcp_comp_sack_flush(sk);
	for (uint8_t i = 0; i < n; i++) {
		if (!after(nb.start_seq, sp[i].end_seq) && !after(sp[i].start_seq, nb.end_seq)) {
			if (before(sp[i].start_seq, nb.start_seq))
				nb.start_seq = sp[i].start_seq;
			if (after(sp[i].end_seq, nb.end_seq))
				nb.end_seq = sp[i].end_seq;
		} else {
			sp[kept++] = sp[i];
		}
	}
	if (kept == TCP_NUM_SACKS)
		kept--;
	memmove(&sp[1], &sp[0], kept * sizeof(sp[0]));
	sp[0] = nb;
	tp->rx_opt.num_sacks = (uint8_t)(kept + 1);
}

/* rcv_nxt moved: blocks at or below it are no longer selective. */
static void sack_remove(struct tcp_sock *tp)
{
	uint8_t kept = 0;

	if (tcp_ofo_empty(tp)) {
		tp->rx_opt.num_sacks = 0;
		return;
	}
	for (uint8_t i = 0; i < tp->rx_opt.num_sacks; i++)
		if (before(tp->rcv_nxt, tp->sack->selective_acks[i].start_seq))
			tp->sack->selective_acks[kept++] = tp->sack->selective_acks[i];
	tp->rx_opt.num_sacks = kept;
}

void tcp_send_dupack(struct sock *sk, const struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	const struct tcp_skb_cb *tcb = TCP_SKB_CB(skb);

	if (tcb->end_seq != tcb->seq && before(tcb->seq, tp->rcv_nxt)) {
		TCPEXT_INC(sk->net, DelayedACKLost);
		tcp_enter_quickack_mode(sk, TCP_MAX_QUICKACKS);
		if (unlikely(tp->ecn_flags & TCP_ECN_ACCECN))
			tcp_accecn_spurious_rexmit(sk, tcb->seq);
		if (tp->rx_opt.sack_ok && tcp_sysctl(sk)->dsack) {
			uint32_t end = after(tcb->end_seq, tp->rcv_nxt) ? tp->rcv_nxt : tcb->end_seq;

			tcp_dsack_set(sk, tcb->seq, end);
		}
	}
	tcp_send_ack(sk);
}

/* ---- out-of-order queue: list in order, treap to search ---- */
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

/* Depth is O(log n) with random priorities; recursion is bounded by it (2^20 entries: about 50). */
static struct sk_buff *ofo_insert(struct sk_buff *t, struct sk_buff *n)
{
	if (!t)
		return n;
	if (before(TCP_SKB_CB(n)->seq, TCP_SKB_CB(t)->seq)) {
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

static void ofo_remove(struct tcp_sackinfo *si, struct sk_buff *skb)
{
	struct sk_buff **link = &si->ofo_root;
	uint32_t seq = TCP_SKB_CB(skb)->seq;

	while (*link && *link != skb)
		link = before(seq, TCP_SKB_CB(*link)->seq) ? &TCP_SKB_CB(*link)->ofo.left : &TCP_SKB_CB(*link)->ofo.right;
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

/* Room by throwing away from the far end, which the sender must not yet have forgotten (RFC 2018 8). */
static bool prune_ofo_queue(struct sock *sk, const struct sk_buff *in)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *tail;
	bool pruned = false;

	if (tcp_ofo_empty(tp))
		return false;
	while ((tail = skb_peek_tail(&tp->sack->ofo_queue)) != NULL) {
		if (!before(TCP_SKB_CB(in)->seq, TCP_SKB_CB(tail)->seq))
			break; /* do not prune for something still farther out */
		ofo_remove(tp->sack, tail);
		kfree_skb_reason(tail, DROP_TCP_OFO_QUEUE_PRUNE);
		pruned = true;
		if (sk->rmem_alloc + (int32_t)in->truesize <= sk->rcvbuf)
			break;
	}
	if (pruned) {
		TCPEXT_INC(sk->net, OfoPruned);
		tp->rx_opt.num_sacks = 0; /* what we said is no longer true */
	}
	return pruned;
}

/* May skb be queued? What is in order was promised room by the window: memory per byte may be more than was
 * reckoned, so it gets twice rcvbuf; only floods of tiny segments reach that. */
bool tcp_try_rmem_schedule(struct sock *sk, struct sk_buff *skb)
{
	int64_t limit = sk->rcvbuf;

	if (!after(TCP_SKB_CB(skb)->seq, tcp_sk(sk)->rcv_nxt))
		limit *= 2;
	if (sk->rmem_alloc <= limit && tcp_rmem_schedule(sk, skb->truesize))
		return true;
	/* an empty queue may take one, or the connection would stand still for what others hold */
	if (skb_queue_empty(&sk->receive_queue) && !after(TCP_SKB_CB(skb)->seq, tcp_sk(sk)->rcv_nxt))
		return true;
	TCPEXT_INC(sk->net, PruneCalled);
	if (tcp_under_memory_pressure(sk))
		tcp_sk(sk)->rcv_ssthresh = min_u32(tcp_sk(sk)->rcv_ssthresh, 4u * tcp_sk(sk)->advmss);
	tcp_collapse(sk);
	if (sk->rmem_alloc > limit || !tcp_rmem_schedule(sk, skb->truesize))
		prune_ofo_queue(sk, skb);
	if (sk->rmem_alloc <= limit && tcp_rmem_schedule(sk, skb->truesize))
		return true;
	tcp_sk(sk)->pred_flags = 0; /* the slow path from now on */
	TCPEXT_INC(sk->net, RcvPruned);
	return false;
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
	ofo_remove(tp->sack, tail);
	kfree_skb_reason(tail, DROP_TCP_OFO_QUEUE_PRUNE);
	TCPEXT_INC(sk->net, OfoPruned);
	tp->rx_opt.num_sacks = 0;
	return true;
}

/* What came is text out of order, or of queue_around_ofo(). */
static void ofo_account(struct sock *sk, struct sk_buff *skb)
{
	if (TCP_SKB_CB(skb)->seq == tcp_sk(sk)->rcv_nxt) {
		tcp_event_data_recv(sk, skb);
		return;
	}
	TCPEXT_INC(sk->net, TCPOFOQueue);
	tcp_stat(sk)->rcv_ooopack += max_u32(skb_shinfo(skb)->gso_segs, 1);
	measure_rcv_mss(sk, skb);
}

static void data_queue_ofo(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_skb_cb *tcb = TCP_SKB_CB(skb);
	struct tcp_sackinfo *si = tcp_sackinfo(sk);
	struct sk_buff *prev, *next;
	uint32_t seq = tcb->seq, end_seq = tcb->end_seq;

	if (!tcp_try_rmem_schedule(sk, skb) || !ofo_has_room(sk, seq)) {
		TCPEXT_INC(sk->net, TCPOFODrop);
		kfree_skb_reason(skb, DROP_TCP_OFO_DROP);
		return;
	}
	tp->pred_flags = 0;
	ecn_check_ce(sk, skb);
	inet_csk(sk)->ack_pending |= ICSK_ACK_SCHED;
	skb_pull(skb, tcp_hdrlen(tcp_hdr(skb)));
	ofo_account(sk, skb);
	prev = ofo_floor(si, seq);
	if (prev && before(seq, TCP_SKB_CB(prev)->end_seq)) {
		if (!after(end_seq, TCP_SKB_CB(prev)->end_seq)) { /* all there already */
			TCPEXT_INC(sk->net, TCPOFOMerge);
			tcp_dsack_set(sk, seq, end_seq);
			tcp_sack_new_ofo_skb(sk, TCP_SKB_CB(prev)->seq, TCP_SKB_CB(prev)->end_seq);
			kfree_skb_reason(skb, DROP_TCP_OFOMERGE);
			return;
		}
		tcp_dsack_set(sk, seq, TCP_SKB_CB(prev)->end_seq);
		ofo_trim_front(skb, TCP_SKB_CB(prev)->end_seq);
	}
	next = prev ? prev->next : si->ofo_queue.next;
	while (next != (struct sk_buff *)(void *)&si->ofo_queue && after(end_seq, TCP_SKB_CB(next)->seq)) {
		struct sk_buff *n2 = next->next;

		if (before(end_seq, TCP_SKB_CB(next)->end_seq)) {
			/* the queued bytes stay (they came first): cut our tail */
			uint32_t keep = TCP_SKB_CB(next)->seq - tcb->seq;

			tcp_dsack_set(sk, TCP_SKB_CB(next)->seq, end_seq);
			if (!keep) {
				tcp_sack_new_ofo_skb(sk, seq, TCP_SKB_CB(next)->end_seq);
				TCPEXT_INC(sk->net, TCPOFOMerge);
				kfree_skb_reason(skb, DROP_TCP_OFOMERGE);
				return;
			}
			skb_trim(skb, keep);
			tcb->end_seq = TCP_SKB_CB(next)->seq;
			tcb->tcp_flags &= (uint8_t)~TCP_FIN;
			break;
		}
		/* covered wholly: the earlier bytes win, so what of ours overlaps must go. Keep both parts only if nothing
		 * differs in length: the simple way is to keep the queued one and our two ends. */
		tcp_dsack_set(sk, TCP_SKB_CB(next)->seq, TCP_SKB_CB(next)->end_seq);
		if (TCP_SKB_CB(next)->seq == tcb->seq) {
			ofo_trim_front(skb, TCP_SKB_CB(next)->end_seq);
			if (tcb->seq == tcb->end_seq && !(tcb->tcp_flags & TCP_FIN)) {
				tcp_sack_new_ofo_skb(sk, seq, end_seq);
				kfree_skb_reason(skb, DROP_TCP_OFOMERGE);
				return;
			}
			prev = next;
			next = n2;
			continue;
		}
		{
			struct sk_buff *front = skb_clone(skb);

			if (front) {
				uint32_t keep = TCP_SKB_CB(next)->seq - tcb->seq;

				skb_trim(front, keep);
				TCP_SKB_CB(front)->end_seq = TCP_SKB_CB(next)->seq;
				TCP_SKB_CB(front)->tcp_flags &= (uint8_t)~TCP_FIN;
				TCP_SKB_CB(front)->ofo.left = TCP_SKB_CB(front)->ofo.right = NULL;
				TCP_SKB_CB(front)->prio = (uint32_t)rng_u64(&tcp_net(sk)->rng);
				skb_insert_(front, next->prev, next, &si->ofo_queue);
				si->ofo_root = ofo_insert(si->ofo_root, front);
				tcp_set_owner_r(front, sk);
			}
			ofo_trim_front(skb, TCP_SKB_CB(next)->end_seq);
			if (tcb->seq == tcb->end_seq) {
				tcp_sack_new_ofo_skb(sk, seq, end_seq);
				kfree_skb_reason(skb, DROP_TCP_OFOMERGE);
				return;
			}
			prev = next;
			next = n2;
		}
	}
	tcb->ofo.left = tcb->ofo.right = NULL;
	tcb->prio = (uint32_t)rng_u64(&tcp_net(sk)->rng);
	skb_insert_(skb, next->prev, next, &si->ofo_queue);
	si->ofo_root = ofo_insert(si->ofo_root, skb);
	tcp_set_owner_r(skb, sk);
	if (tp->rx_opt.sack_ok && skb->len >= 128)
		grow_window(sk, skb); /* losses must not hold the window down; without SACK it would spoil duplicate ACKs */
	tcp_sack_new_ofo_skb(sk, seq, end_seq);
}

/* ---- in order ---- */
/* A small segment behind a small one fits into the other's buffer, and costs nothing then: as much as in Linux's buffers, which
 * are of this size (rmem_cost in tcp_input.c). skb stays the caller's. */
static bool joined(struct sock *sk, struct sk_buff *skb)
{
	struct sk_buff *to = skb_peek_tail(&sk->receive_queue);
	uint32_t room;

	if (!to || skb->len >= 1024 || ((TCP_SKB_CB(to)->tcp_flags | TCP_SKB_CB(skb)->tcp_flags) & (TCP_FIN | TCP_SYN | TCP_URG)) ||
	    TCP_SKB_CB(skb)->seq != TCP_SKB_CB(to)->end_seq || to->data_len || skb_cloned(to))
		return false;
	room = to->truesize > 832 ? to->truesize - 256 - 320 - 64 : 192;
	if (TCP_SKB_CB(to)->end_seq - TCP_SKB_CB(to)->seq + 20 + tcp_sk(sk)->tcp_header_len + skb->len > room || skb_tailroom(to) < skb->len)
		return false;
	if (skb_copy_bits(skb, 0, skb_put(to, skb->len), skb->len))
		return false;
	TCP_SKB_CB(to)->end_seq = TCP_SKB_CB(skb)->end_seq;
	TCP_SKB_CB(to)->tcp_flags |= TCP_SKB_CB(skb)->tcp_flags;
	to->tstamp_ns = skb->tstamp_ns;
	TCPEXT_INC(sk->net, TCPRcvCoalesce);
	return true;
}

/* True: the octets went into the last one of the queue, and skb stays the caller's. */
bool tcp_queue_rcv(struct sock *sk, struct sk_buff *skb, uint32_t hdrlen)
{
	struct tcp_sock *tp = tcp_sk(sk);

	skb_pull(skb, hdrlen);
	tp->bytes_received += TCP_SKB_CB(skb)->end_seq - tp->rcv_nxt;
	tp->rcv_nxt = TCP_SKB_CB(skb)->end_seq;
	/* what overlapped the received keeps its whole buffer, as in Linux, where nothing is cut off its front */
	if ((!hdrlen || get_be32(tcp_hdr(skb)->seq) == TCP_SKB_CB(skb)->seq) && unlikely(joined(sk, skb)))
		return true;
	skb_queue_tail(&sk->receive_queue, skb);
	tcp_set_owner_r(skb, sk);
	return false;
}

/* The hole is filled: what now follows in order moves over. */
static void ofo_drain(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_sackinfo *si = tp->sack;
	struct sk_buff *skb;

	while ((skb = skb_peek(&si->ofo_queue)) != NULL && !after(TCP_SKB_CB(skb)->seq, tp->rcv_nxt)) {
		struct tcp_skb_cb *tcb = TCP_SKB_CB(skb);
		bool fin = (tcb->tcp_flags & TCP_FIN) != 0;

		ofo_remove(si, skb);
		if (!after(tcb->end_seq, tp->rcv_nxt)) {
			tcp_dsack_set(sk, tcb->seq, tcb->end_seq);
			kfree_skb_reason(skb, DROP_TCP_OLD_DATA);
			continue;
		}
		if (before(tcb->seq, tp->rcv_nxt)) {
			tcp_dsack_set(sk, tcb->seq, tp->rcv_nxt);
			ofo_trim_front(skb, tp->rcv_nxt);
		}
		tp->bytes_received += tcb->end_seq - tp->rcv_nxt;
		tp->rcv_nxt = tcb->end_seq;
		skb_queue_tail(&sk->receive_queue, skb); /* keeps its charge */
		if (fin) {
			tcp_fin(sk); /* purges what lies beyond; the socket may be gone to TIME-WAIT */
			return;
		}
	}
	sack_remove(tp);
}

void tcp_data_ready(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	int32_t avail = (int32_t)(tp->rcv_nxt - tp->copied_seq);

	if (avail < sk->rcvlowat && sk->rmem_alloc < sk->rcvbuf - (sk->rcvbuf >> 3) &&
	    !(sk->shutdown & 1) && tcp_receive_window(tp) > inet_csk(sk)->rcv_mss)
		return;
	sk->data_ready(sk);
}

static void queue_in_order(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	bool fin = (TCP_SKB_CB(skb)->tcp_flags & TCP_FIN) != 0, has_data = skb->len > tcp_hdrlen(tcp_hdr(skb)), eaten;

	eaten = tcp_queue_rcv(sk, skb, tcp_hdrlen(tcp_hdr(skb)));
	if (has_data)
		tcp_event_data_recv(sk, skb);
	if (unlikely(eaten))
		consume_skb(skb);
	if (fin)
		tcp_fin(sk);
	if (!tcp_ofo_empty(tp)) {
		ofo_drain(sk);
		/* a hole was filled: say so at once (RFC 5681 4.2) */
		if (tcp_ofo_empty(tp))
			inet_csk(sk)->ack_pending |= ICSK_ACK_NOW;
	}
	if (tp->rx_opt.num_sacks)
		sack_remove(tp);
	tcp_update_pred_flags(tp);
	if (!sock_flag(sk, SOCK_F_DEAD))
		tcp_data_ready(sk);
}

/* In order, but it also covers bytes that are queued already: those came first and stay (TS-23). It is sorted in
 * like any other, which keeps only its new parts, and then all of it is in order. */
static void queue_around_ofo(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	bool fin = (TCP_SKB_CB(skb)->tcp_flags & TCP_FIN) != 0; /* then nothing more is to be hurried */

	data_queue_ofo(sk, skb);
	if (!tcp_ofo_empty(tp))
		ofo_drain(sk);
	inet_csk(sk)->ack_pending |= fin ? ICSK_ACK_SCHED : ICSK_ACK_SCHED | ICSK_ACK_NOW;
	tcp_update_pred_flags(tp);
	if (!sock_flag(sk, SOCK_F_DEAD))
		tcp_data_ready(sk);
}

/* Cut the header's view of what was received before: data begins behind the header, so the overlap is removed by
 * moving the header's end, that is by pulling later. Here the payload is pulled together with the header. */
static void trim_received_front(struct sk_buff *skb, uint32_t rcv_nxt)
{
	uint32_t old = rcv_nxt - TCP_SKB_CB(skb)->seq, hlen = tcp_hdrlen(tcp_hdr(skb));

	if (skb_may_pull(skb, hlen + old)) {
		/* keep hlen octets in front so that the queueing code finds the length that it pulls */
		skb_pull(skb, old);
		TCP_SKB_CB(skb)->seq = rcv_nxt;
	}
}

/* Memory runs short, and skb is a little payload in a large buffer (part of a train): a buffer of its own size, so
 * that what was offered room by the window finds it. */
static struct sk_buff *compact(struct sock *sk, struct sk_buff *skb)
{
	struct sk_buff *n;

	if (likely(sk->rmem_alloc + (int32_t)skb->truesize <= sk->rcvbuf) || skb->truesize <= 2 * skb->len + 2048)
		return skb;
	n = skb_copy_expand(skb, 0, 0);
	if (!n || n->truesize >= skb->truesize) {
		if (n)
			consume_skb(n);
		return skb;
	}
	memcpy(n->cb, skb->cb, sizeof(n->cb));
	TCPEXT_INC(sk->net, TCPRcvCollapsed);
	consume_skb(skb);
	return n;
}

void tcp_data_queue(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_skb_cb *tcb = TCP_SKB_CB(skb);
	TRACE_FN(&sk->net->probe, skb->serial);

	if (tcb->seq == tcb->end_seq) {
		consume_skb(skb);
		return;
	}
	ecn_accept_cwr(sk, skb);
	tp->rx_opt.dsack = 0;
	if (tcb->seq == tp->rcv_nxt || (before(tcb->seq, tp->rcv_nxt) && after(tcb->end_seq, tp->rcv_nxt))) {
		/* a FIN without text needs no room, and there is only one (TS-20) */
		bool bare_fin = (tcb->tcp_flags & TCP_FIN) && tcb->end_seq - tcb->seq == 1;

		if (tcp_receive_window(tp) == 0 && !bare_fin) {
			TCPEXT_INC(sk->net, TCPZeroWindowDrop);
			inet_csk(sk)->ack_pending |= ICSK_ACK_SCHED | ICSK_ACK_NOW;
			tcp_enter_quickack_mode(sk, TCP_MAX_QUICKACKS);
			kfree_skb_reason(skb, DROP_TCP_ZEROWINDOW);
			return;
		}
		if (unlikely(after(tcb->end_seq - ((tcb->tcp_flags & TCP_FIN) != 0), tp->rcv_nxt + tcp_receive_window(tp))) &&
		    !skb_queue_empty(&sk->receive_queue)) { /* more than was offered, and the program has enough to read */
			inet_csk(sk)->ack_pending |= ICSK_ACK_SCHED | ICSK_ACK_NOW;
			kfree_skb_reason(skb, DROP_TCP_INVALID_END_SEQUENCE);
			return;
		}
		skb = compact(sk, skb);
		tcb = TCP_SKB_CB(skb);
		if (before(tcb->seq, tp->rcv_nxt)) {
			tcp_dsack_set(sk, tcb->seq, tp->rcv_nxt);
			trim_received_front(skb, tp->rcv_nxt);
		}
		if (!bare_fin && !tcp_try_rmem_schedule(sk, skb)) {
			TCPEXT_INC(sk->net, TCPRcvQDrop);
			inet_csk(sk)->ack_pending |= ICSK_ACK_SCHED | ICSK_ACK_NOW | ICSK_ACK_NOMEM;
			kfree_skb_reason(skb, DROP_SOCKET_RCVBUFF);
			return;
		}
		if (!tcp_ofo_empty(tp) && after(tcb->end_seq, TCP_SKB_CB(skb_peek(&tp->sack->ofo_queue))->seq))
			queue_around_ofo(sk, skb);
		else
			queue_in_order(sk, skb);
		return;
	}
	if (!after(tcb->end_seq, tp->rcv_nxt)) {
		/* a repetition: the peer lost our ACK (RFC 2883: say which) */
		TCPEXT_INC(sk->net, DelayedACKLost);
		if (unlikely(tp->ecn_flags & TCP_ECN_ACCECN))
			tcp_accecn_spurious_rexmit(sk, tcb->seq);
		tcp_dsack_set(sk, tcb->seq, tcb->end_seq);
		tcp_enter_quickack_mode(sk, TCP_MAX_QUICKACKS);
		inet_csk(sk)->ack_pending |= ICSK_ACK_SCHED;
		kfree_skb_reason(skb, DROP_TCP_OLD_DATA);
		return;
	}
	if (!before(tcb->seq, tp->rcv_nxt + tcp_receive_window(tp))) {
		tcp_enter_quickack_mode(sk, TCP_MAX_QUICKACKS);
		inet_csk(sk)->ack_pending |= ICSK_ACK_SCHED;
		kfree_skb_reason(skb, DROP_TCP_OVERWINDOW);
		return;
	}
	data_queue_ofo(sk, compact(sk, skb));
}
