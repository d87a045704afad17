/* Received data: the receive queue, the SACK blocks that tell the peer about it, delayed and
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
void tcp_measure_rcv_mss(struct sock *sk, const struct sk_buff *skb)
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

			ratio = ratio ? min_u32(ratio, 255) : 1;
			if (ratio != tp->scaling_ratio) { /* the program's clamp goes as well, as on Linux */
				tp->scaling_ratio = (uint8_t)ratio;
				tcp_set_window_clamp(tp, tcp_win_from_space(sk, (uint32_t)sk->rcvbuf));
				tp->rcv_space = min_u32(tp->rcv_space, tp->window_clamp);
			}
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

/* A shorter one is believed at once, a longer one by an eighth; how long a window took (win_dep) can only be too long. */
static void rcv_rtt_update(struct tcp_sock *tp, uint32_t sample_us, bool win_dep)
{
	uint32_t m = max_u32(sample_us, 1), old = tp->rcv_rtt_us;

	if (!old || m < old >> 3)
		tp->rcv_rtt_us = m << 3;
	else if (!win_dep)
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

/* The time in which a window's worth came. */
static void rcv_rtt_measure(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (tp->rcv_rtt_ms && before(tp->rcv_nxt, tp->rcv_rtt_seq))
		return;
	if (tp->rcv_rtt_ms)
		rcv_rtt_update(tp, (tcp_time_ms(sk) - tp->rcv_rtt_ms) * 1000, true);
	tp->rcv_rtt_seq = tp->rcv_nxt + tp->rcv_wnd;
	tp->rcv_rtt_ms = tcp_time_ms(sk) ? tcp_time_ms(sk) : 1;
}

/* Slow start of the window that we offer. What carries its own weight opens it by two segments; what costs 2^n times as much only
 * while it is not above 1/2^n of the largest one. A FIN that joined the buffer before it (joined) costs nothing, and opens it as well. */
void tcp_grow_window(struct sock *sk, const struct sk_buff *skb, bool joined)
{
	struct tcp_sock *tp = tcp_sk(sk);
	int64_t room = (int64_t)min_u32(tp->window_clamp, (uint32_t)tcp_space(sk)) - tp->rcv_ssthresh;
	uint32_t cost = joined && !skb->len ? 0 : tcp_win_from_space(sk, skb->truesize), incr = 0, most;

	if (room <= 0 || tcp_under_memory_pressure(sk))
		return;
	if (likely(cost <= skb->len)) {
		incr = 2u * tp->advmss;
	} else {
		most = tcp_win_from_space(sk, (uint32_t)tcp_sysctl(sk)->rmem[2]) >> 1;
		for (cost >>= 1; !incr && tp->rcv_ssthresh <= most; cost >>= 1, most >>= 1)
			if (cost <= skb->len)
				incr = 2u * inet_csk(sk)->rcv_mss;
	}
	if (!incr)
		return;
	incr = max_u32(incr, 2 * skb->len);
	tp->rcv_ssthresh += (uint32_t)min_u64((uint64_t)room, incr);
	inet_csk(sk)->quick |= 1;
}

/* ---- ECN, receiver (RFC 3168 6.1.3): ECE from the first mark on until the sender says CWR ---- */
void tcp_ecn_check_ce(struct sock *sk, const struct sk_buff *skb)
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
	tcp_measure_rcv_mss(sk, skb);
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
	tcp_ecn_check_ce(sk, skb);
	if (skb->len >= 128)
		tcp_grow_window(sk, skb, false);
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
void tcp_sack_remove(struct tcp_sock *tp)
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

/* ---- in order ---- */
/* What comes next fits into the buffer of what lies there, and costs nothing then: as much as in Linux's buffers (tcp_rmem_cost).
 * True: skb, still the caller's, has given its octets. */
bool tcp_try_coalesce(struct sock *sk, struct sk_buff *to, const struct sk_buff *skb)
{
	struct tcp_skb_cb *tcb = TCP_SKB_CB(to);

	if (skb->len > tcb->ofo.room || TCP_SKB_CB(skb)->seq != tcb->end_seq || (tcb->tcp_flags | TCP_SKB_CB(skb)->tcp_flags) & TCP_SYN ||
	    skb_cloned(to) || skb_shared(to))
		return false;
	if (skb_tailroom(to) < skb->len && skb_grow_tail(to, tcb->ofo.room))
		return false;
	skb_copy_bits(skb, 0, skb_put(to, skb->len), skb->len);
	tcb->ofo.room -= skb->len;
	tcb->end_seq = TCP_SKB_CB(skb)->end_seq;
	tcb->tcp_flags |= TCP_SKB_CB(skb)->tcp_flags;
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
	if ((!hdrlen || get_be32(tcp_hdr(skb)->seq) == TCP_SKB_CB(skb)->seq) && !skb_queue_empty(&sk->receive_queue) &&
	    unlikely(tcp_try_coalesce(sk, skb_peek_tail(&sk->receive_queue), skb)))
		return true;
	skb_queue_tail(&sk->receive_queue, skb);
	tcp_set_owner_r(skb, sk);
	return false;
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
		tcp_ofo_drain(sk);
		/* a hole was filled: say so at once (RFC 5681 4.2) */
		if (tcp_ofo_empty(tp))
			inet_csk(sk)->ack_pending |= ICSK_ACK_NOW;
	}
	if (tp->rx_opt.num_sacks)
		tcp_sack_remove(tp);
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

/* The window is closed (tcp_sequence sees to others): the segment was let in for its ACK, RST and URG, its text is refused whole
 * while the program has something to read. Not acceptable, it does not tell the time either (RFC 7323 5.3, R3). */
bool tcp_text_refused(const struct sock *sk, const struct sk_buff *skb)
{
	const struct tcp_skb_cb *tcb = TCP_SKB_CB(skb);

	return unlikely(after(tcb->end_seq - ((tcb->tcp_flags & TCP_FIN) != 0), tcp_sk(sk)->rcv_nxt + tcp_receive_window(tcp_sk(sk)))) &&
	       !skb_queue_empty(&sk->receive_queue);
}

static bool hangs_over(struct sock *sk, struct sk_buff *skb)
{
	if (likely(!tcp_text_refused(sk, skb)))
		return false;
	TCPEXT_INC(sk->net, BeyondWindow);
	tcp_send_dupack(sk, skb);
	kfree_skb_reason(skb, DROP_TCP_INVALID_END_SEQUENCE);
	return true;
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

		if (unlikely(hangs_over(sk, skb)))
			return;
		if (tcp_receive_window(tp) == 0 && !bare_fin) {
			TCPEXT_INC(sk->net, TCPZeroWindowDrop);
			inet_csk(sk)->ack_pending |= ICSK_ACK_SCHED | ICSK_ACK_NOW;
			tcp_enter_quickack_mode(sk, TCP_MAX_QUICKACKS);
			kfree_skb_reason(skb, DROP_TCP_ZEROWINDOW);
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
		if (!tcp_ofo_empty(tp) && !tcp_ofo_keep_first(sk, skb, tcp_hdrlen(tcp_hdr(skb)))) {
			kfree_skb_reason(skb, DROP_NOMEM);
			return;
		}
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
	tcp_data_queue_ofo(sk, compact(sk, skb));
}
