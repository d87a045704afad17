/* The SACK scoreboard: which originals the peer holds already (RFC 2018, RFC 2883).
 *
 * Every block of every ACK is judged before it touches anything (TP-13): inside snd_una..snd_nxt, not empty, not
 * reversed; below snd_una only as a D-SACK for something that we did send. Blocks that repeat the last ACK's are
 * skipped but for their new part, the place of one is found in a tree and what is SACKed already is stepped over
 * (tcp_rtx_tree.c), so that no receiver costs more than O(log n) steps per ACK and segment newly SACKed (TR-05). Called by tcp_ack.c; losses are found in tcp_recovery.c.
 * Tests: tests/unit/tcp. */
#include "tcp/tcp_int.h"

uint32_t tcp_fack_seq(const struct tcp_sock *tp)
{
	return tp->fl->sacked_out && tp->sack && after(tp->sack->fack_seq, tp->snd_una) ? tp->sack->fack_seq : tp->snd_una;
}

void tcp_skb_mark_lost(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint8_t sacked = TCP_SKB_CB(skb)->sacked;

	if (sacked & TCPCB_SACKED_ACKED)
		return;
	/* the hint promises that nothing before it waits */
	if (tp->fl->retransmit_hint && before(TCP_SKB_CB(skb)->seq, TCP_SKB_CB(tp->fl->retransmit_hint)->seq))
		tp->fl->retransmit_hint = skb;
	if (sacked & TCPCB_LOST) {
		if (sacked & TCPCB_SACKED_RETRANS) {
			TCP_SKB_CB(skb)->sacked &= (uint8_t)~TCPCB_SACKED_RETRANS;
			tp->fl->retrans_out -= tcp_skb_pcount(skb);
			TCPEXT_INC(sk->net, TCPLostRetransmit);
			tp->lost += tcp_skb_pcount(skb);
			if (inet_csk(sk)->ca_ops->skb_lost)
				inet_csk(sk)->ca_ops->skb_lost(sk, skb);
		}
		return;
	}
	tp->fl->lost_out += tcp_skb_pcount(skb);
	tp->lost += tcp_skb_pcount(skb);
	TCP_SKB_CB(skb)->sacked |= TCPCB_LOST;
	if (inet_csk(sk)->ca_ops->skb_lost)
		inet_csk(sk)->ca_ops->skb_lost(sk, skb);
}

static bool check_dsack(struct sock *sk, const struct tcp_sack_block *b, unsigned n, uint32_t ack, uint32_t prior_una)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint32_t segs;

	if (before(b[0].start_seq, ack))
		TCPEXT_INC(sk->net, TCPDSACKRecv);
	else if (n > 1 && !after(b[0].end_seq, b[1].end_seq) && !before(b[0].start_seq, b[1].start_seq))
		TCPEXT_INC(sk->net, TCPDSACKOfoRecv);
	else
		return false;
	if (!before(b[0].start_seq, b[0].end_seq) || b[0].end_seq - b[0].start_seq > tp->max_window)
		return false;
	segs = max_u32((b[0].end_seq - b[0].start_seq + tp->mss_cache - 1) / max_u32(tp->mss_cache, 1), 1);
	tcp_stat(sk)->dsack_dups += segs;
	if (tp->stat->dsack_dups > tp->total_retrans) { /* the network doubled it, not we; or the peer lies */
		TCPEXT_INC(sk->net, TCPDSACKIgnoredDubious);
		return false;
	}
	sk->net->mib.tcpext.TCPDSACKRecvSegs += segs;
	if (tp->reord_seen && !(tp->fl->tlp_high_seq && tp->fl->tlp_high_seq == b[0].end_seq))
		tp->rack_dsack_seen = 1;
	tp->delivered += segs; /* a superfluous retransmission has left the network, too */
	/* our retransmission was superfluous (RFC 3708) */
	if (tp->fl->undo_marker && tp->fl->undo_retrans > 0 && !after(b[0].end_seq, prior_una) && after(b[0].end_seq, tp->fl->undo_marker))
		tp->fl->undo_retrans = (int32_t)segs >= tp->fl->undo_retrans ? 0 : tp->fl->undo_retrans - (int32_t)segs;
	return true;
}

static bool sackblock_valid(const struct tcp_sock *tp, bool is_dsack, uint32_t start, uint32_t end)
{
	if (after(end, tp->snd_nxt) || !before(start, end))
		return false;
	if (end - start > tp->snd_nxt - tp->snd_una && !is_dsack)
		return false;
	/* a block that begins where the ACK ends makes no sense (RFC 2018 3: the ACK would be higher): not believed */
	if (after(start, tp->snd_una))
		return before(start, tp->snd_nxt);
	if (!is_dsack || !tp->fl->undo_marker)
		return false;
	return !after(end, tp->snd_una) ? !before(start, tp->fl->undo_marker - tp->max_window)
					: !before(start, tp->fl->undo_marker);
}

static void sacktag_one(struct sock *sk, struct sk_buff *skb, bool dup, struct tcp_sacktag_state *st)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_skb_cb *tcb = TCP_SKB_CB(skb);
	uint32_t pcount = tcp_skb_pcount(skb);

	if (dup && (tcb->sacked & (TCPCB_EVER_RETRANS | TCPCB_SACKED_RETRANS))) {
		if (tp->fl->undo_marker && tp->fl->undo_retrans > 0 && after(tcb->end_seq, tp->fl->undo_marker))
			tp->fl->undo_retrans = tp->fl->undo_retrans > (int32_t)pcount ? tp->fl->undo_retrans - (int32_t)pcount : 0;
		if ((tcb->sacked & TCPCB_SACKED_ACKED) && before(tcb->seq, st->reord))
			st->reord = tcb->seq;
	}
	if (!after(tcb->end_seq, tp->snd_una))
		return;
	if (tcb->sacked & TCPCB_SACKED_ACKED) {
		if (dup && (tcb->sacked & TCPCB_SACKED_RETRANS)) {
			tcb->sacked &= (uint8_t)~TCPCB_SACKED_RETRANS;
			tp->fl->retrans_out -= pcount;
		}
		return;
	}
	tcp_rack_advance(tp, tcb->sacked, tcb->end_seq, skb->skb_mstamp_ns);
	tcp_rate_skb_delivered(sk, skb, st);
	st->delivered_bytes += skb->len;
	if (tcb->sacked & TCPCB_SACKED_RETRANS) {
		/* which of the two copies arrived is not known; it counts as the retransmission */
		if (tcb->sacked & TCPCB_LOST)
			tp->fl->lost_out -= pcount;
		tcb->sacked &= (uint8_t)~(TCPCB_LOST | TCPCB_SACKED_RETRANS);
		tp->fl->retrans_out -= pcount;
	} else {
		if (!(tcb->sacked & TCPCB_EVER_RETRANS)) {
			if (before(tcb->seq, tcp_fack_seq(tp)) && before(tcb->seq, st->reord))
				st->reord = tcb->seq;
			if (!after(tcb->end_seq, tp->fl->high_seq))
				st->flag |= FLAG_ORIG_SACK_ACKED;
			if (!st->first_sackt_ns)
				st->first_sackt_ns = skb->skb_mstamp_ns;
			st->last_sackt_ns = skb->skb_mstamp_ns;
		}
		if (tcb->sacked & TCPCB_LOST) {
			tcb->sacked &= (uint8_t)~TCPCB_LOST;
			tp->fl->lost_out -= pcount;
		}
	}
	tcb->sacked |= TCPCB_SACKED_ACKED;
	tcb->skip_seq = tcb->end_seq;
	st->flag |= FLAG_DATA_SACKED;
	tp->fl->sacked_out += pcount;
	tp->delivered += pcount;
	list_del_init(&tcb->tx.tsorted); /* RACK needs to look at it no more */
	if (after(tcb->end_seq, tp->sack->fack_seq) || tp->fl->sacked_out == pcount)
		tp->sack->fack_seq = tcb->end_seq;
}

/* A train is SACKed in part: cut it at segment boundaries. True: skb is now wholly inside [start, end). */
static bool match_to_sack(struct sock *sk, struct sk_buff *skb, uint32_t start, uint32_t end)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_skb_cb *tcb = TCP_SKB_CB(skb);
	uint32_t mss = tcb->gso_size, len;

	if (!before(tcb->seq, start) && !after(tcb->end_seq, end))
		return true;
	if (tcp_skb_pcount(skb) == 1 || !mss)
		return false;
	if (before(tcb->seq, start)) {
		len = (start - tcb->seq + mss - 1) / mss * mss;
		if (len < skb->len)
			tcp_fragment(sk, &tp->fl->rtx_queue, skb, len, mss); /* the walk meets the rest next */
		return false;
	}
	len = (end - tcb->seq) / mss * mss;
	if (!len || len >= skb->len)
		return false;
	return tcp_fragment(sk, &tp->fl->rtx_queue, skb, len, mss) == 0;
}

/* A D-SACK names what came twice: one segment, or a train. No more is looked at. */
#define DSACK_STEPS 256u

/* Tag what lies in block b, looking only at originals that touch [from, to). */
static void sacktag_walk(struct sock *sk, uint32_t from, uint32_t to, struct tcp_sack_block b, bool dup, struct tcp_sacktag_state *st)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb = tcp_rtx_find(tp, from), *stop = (struct sk_buff *)(void *)&tp->fl->rtx_queue;
	uint32_t steps = 0;

	while (skb && skb != stop && before(TCP_SKB_CB(skb)->seq, to)) {
		if (dup && ++steps > DSACK_STEPS)
			break;
		if (!dup && (TCP_SKB_CB(skb)->sacked & TCPCB_SACKED_ACKED)) {
			skb = tcp_rtx_skip_sacked(tp, skb);
			continue;
		}
		if (match_to_sack(sk, skb, b.start_seq, b.end_seq))
			sacktag_one(sk, skb, dup, st);
		skb = skb->next;
	}
}

/* Only what this block adds to the cached ones of the previous ACK. */
static void sacktag_block(struct sock *sk, struct tcp_sack_block b, struct tcp_sacktag_state *st)
{
	const struct tcp_sack_block *c = tcp_sk(sk)->sack->recv_sack_cache;
	uint32_t from = b.start_seq;

	for (unsigned i = 0; i < TCP_NUM_SACKS; i++) {
		if (c[i].start_seq == c[i].end_seq || after(c[i].start_seq, b.end_seq) || before(c[i].end_seq, from))
			continue;
		if (before(from, c[i].start_seq))
			sacktag_walk(sk, from, c[i].start_seq, b, false, st);
		if (!after(b.end_seq, c[i].end_seq))
			return;
		from = c[i].end_seq;
	}
	sacktag_walk(sk, from, b.end_seq, b, false, st);
}

static void count_discarded(struct sock *sk, bool dsack)
{
	if (!dsack)
		TCPEXT_INC(sk->net, TCPSACKDiscard);
	else if (!tcp_sk(sk)->fl->undo_marker)
		TCPEXT_INC(sk->net, TCPDSACKIgnoredNoUndo);
	else
		TCPEXT_INC(sk->net, TCPDSACKIgnoredOld);
}

int tcp_sacktag_write_queue(struct sock *sk, const struct sk_buff *ack_skb, uint32_t prior_una, struct tcp_sacktag_state *st)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_sack_block in[TCP_NUM_SACKS] = { { 0, 0 } }, sp[TCP_NUM_SACKS];
	unsigned n = 0, used = 0;
	const uint8_t *p = tcp_find_sack(ack_skb, &n);
	bool dsack;
	TRACE_FN(&sk->net->probe, ack_skb->serial);

	if (!p || !tp->rx_opt.sack_ok)
		return 0;
	n = n > TCP_NUM_SACKS ? TCP_NUM_SACKS : n;
	tcp_sackinfo(sk);
	for (unsigned i = 0; i < n; i++)
		in[i] = (struct tcp_sack_block){ get_be32(p + 8 * i), get_be32(p + 8 * i + 4) };
	dsack = check_dsack(sk, in, n, TCP_SKB_CB(ack_skb)->ack_seq, prior_una);
	if (dsack)
		st->flag |= FLAG_DSACKING_ACK;
	if (before(TCP_SKB_CB(ack_skb)->ack_seq, prior_una - tp->max_window))
		return 0;
	if (!tp->fl->packets_out)
		return st->flag;
	for (unsigned i = 0; i < n; i++) {
		bool dup = i == 0 && dsack;

		if (!sackblock_valid(tp, dup, in[i].start_seq, in[i].end_seq)) {
			count_discarded(sk, dup);
			continue;
		}
		if (!after(in[i].end_seq, prior_una))
			continue;
		if (dup) {
			sacktag_walk(sk, in[i].start_seq, in[i].end_seq, in[i], true, st);
			continue;
		}
		sp[used++] = in[i];
	}
	for (unsigned i = 1; i < used; i++) /* at most four: insertion sort */
		for (unsigned j = i; j > 0 && after(sp[j - 1].start_seq, sp[j].start_seq); j--) {
			struct tcp_sack_block t = sp[j];

			sp[j] = sp[j - 1];
			sp[j - 1] = t;
		}
	for (unsigned i = 0; i < used; i++)
		sacktag_block(sk, sp[i], st);
	memset(tp->sack->recv_sack_cache, 0, sizeof(tp->sack->recv_sack_cache));
	memcpy(tp->sack->recv_sack_cache, sp, used * sizeof(sp[0]));
	if (inet_csk(sk)->ca_state != TCP_CA_Loss || tp->fl->undo_marker)
		tcp_check_sack_reordering(sk, st->reord, false);
	tcp_verify_left_out(tp);
	return st->flag;
}
