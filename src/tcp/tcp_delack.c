/* An ACK that waits: for data to ride on (RFC 9293 3.8.6.3), or, where segments come out of order, for more of them.
 *
 * Called by tcp_input.c (tcp_ack_snd_check) and the socket's timer; hands on to tcp_send_ack().
 * Tests: tests/packet/ack, tests/packet/compress. */
#include "tcp/tcp_accecn.h"
#include "tcp/tcp_int.h"

void tcp_send_delayed_ack(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);
	uint64_t ato = icsk->ato_us, now = sk->net->now_ns, timeout;

	if (ato > TCP_DELACK_MIN_US) {
		uint64_t max = 500000;

		if (icsk->pingpong >= tcp_pingpong_thresh(sk) || (icsk->ack_pending & ICSK_ACK_PUSHED))
			max = TCP_DELACK_MAX_US;
		if (tp->srtt_us)
			max = min_u64(max, max_u32(tp->srtt_us >> 3, TCP_DELACK_MIN_US));
		ato = min_u64(ato, max);
	}
	ato = min_u64(ato, unlikely(tp->rare && tp->rare->delack_max_us) ? tp->rare->delack_max_us : TCP_DELACK_MAX_US);
	ato = max_u64(ato, TCP_DELACK_TICK_US); /* 0: no data has come yet, as where a FIN is the first */
	timeout = now + ato * NSEC_PER_USEC;
	if (icsk->ack_pending & ICSK_ACK_TIMER) {
		if (icsk->delack_deadline_ns <= now + (ato >> 2) * NSEC_PER_USEC) {
			tcp_send_ack(sk);
			return;
		}
		timeout = min_u64(timeout, icsk->delack_deadline_ns);
	}
	icsk->ack_pending |= ICSK_ACK_SCHED;
	inet_csk_reset_delack(sk, (timeout - now) / NSEC_PER_USEC);
}

/* ---- ACKs of what comes out of order: not one for each segment ----
 * RFC 5681 4.2 wants a duplicate ACK for every one, so that the sender sees three. With SACK each ACK says all that the ones before
 * said, so only the first three go at once; of the others one goes after a twentieth of the round trip, at most
 * tcp_comp_sack_delay_ns, at most tcp_comp_sack_nr in one. Sooner where one would lose something: a D-SACK, a third block.
 * tcp_comp_sack_slack_ns comes on top: in Linux a timer with slack waits for another one's interrupt until its slack is used up,
 * and an idle machine has no other. */

#define TCP_FASTRETRANS_THRESH 3
#define COMP_SACK_SLACK_MAX_NS (3600 * NSEC_PER_SEC) /* as good as never */

/* True: not now. */
bool tcp_compress_ack(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	const struct tcp_sysctl *s = tcp_sysctl(sk);
	struct tcp_sackinfo *si = tp->sack;
	uint32_t rtt8 = tp->rcv_rtt_us;
	uint64_t delay;

	if (!tp->rx_opt.sack_ok || si->comp_acks >= s->comp_sack_nr)
		return false;
	if (si->comp_rcv_nxt != tp->rcv_nxt) {
		si->comp_rcv_nxt = tp->rcv_nxt;
		si->dup_acks = 0;
	}
	if (si->dup_acks < TCP_FASTRETRANS_THRESH) {
		si->dup_acks++;
		return false;
	}
	si->comp_acks++;
	if (si->comp_deadline_ns)
		return true;
	if (tp->srtt_us && tp->srtt_us < rtt8)
		rtt8 = tp->srtt_us;
	/* both are eight round trips in us; 5 % of one in ns */
	delay = min_u64((uint64_t)rtt8 * 1000 / 8 / 20, s->comp_sack_delay_ns);
	tcp_comp_sack_arm(sk, sk->net->now_ns + delay + min_u64(s->comp_sack_slack_ns, COMP_SACK_SLACK_MAX_NS));
	return true;
}

void tcp_comp_sack_sent_(struct sock *sk)
{
	struct tcp_sackinfo *si = tcp_sk(sk)->sack;

	sk->net->mib.tcpext.TCPAckCompressed += si->comp_acks;
	si->comp_acks = 0;
	si->comp_deadline_ns = 0;
}

/* One of those that were held back goes now, the others never. */
void tcp_comp_sack_flush(struct sock *sk)
{
	struct tcp_sackinfo *si = tcp_sk(sk)->sack;

	if (!si || !si->comp_acks)
		return;
	si->comp_acks--;
	si->comp_deadline_ns = 0;
	tcp_send_ack(sk);
}

void tcp_compressed_ack_kick(struct sock *sk)
{
	TRACE_FN(&sk->net->probe, 0);
	tcp_sk(sk)->sack->comp_deadline_ns = 0;
	tcp_comp_sack_flush(sk);
}

/* The last segment of the handshake; where data is about to follow it waits, to ride on that. */
void tcp_ack_synack(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_rare *r = tcp_sk(sk)->rare;
	bool writer = r && (r->write_pending || (r->fo_req && r->fo_req->from->count));

	if (likely(!writer && !(r && r->defer_accept) && icsk->pingpong < tcp_pingpong_thresh(sk))) {
		tcp_send_ack_reflecting(sk);
		return;
	}
	icsk->ack_pending |= ICSK_ACK_SCHED;
	tcp_enter_quickack_mode(sk, TCP_MAX_QUICKACKS);
	inet_csk_reset_delack(sk, TCP_DELACK_MAX_US);
}
