/* Beside the receive queue: urgent data, and the receive buffer, whose size follows the reader's speed and whose freed
 * room is told to the peer.
 *
 * Called by tcp_input.c (urgent), tcp_recvmsg.c (room). RFC 9293 3.8.5, 3.8.6; RFC 6093. Tests: tests/unit/tcp. */
#include "tcp/sock_map.h"
#include "tcp/tcp_int.h"

/* ---- urgent data (RFC 6093: one byte, in-line or aside) ---- */
void tcp_check_urg(struct sock *sk, const struct tcp_hdr *th, uint32_t seq)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint32_t ptr = get_be16(th->urg_ptr);

	if (ptr && !tcp_sysctl(sk)->stdurg)
		ptr--; /* BSD's reading: the pointer points behind the urgent byte */
	ptr += seq;
	if (after(tp->copied_seq, ptr) || before(ptr, tp->rcv_nxt))
		return;
	if (tp->urg_data && !after(ptr, tp->urg_seq))
		return;
	tp->urg_data = TCP_URG_NOTYET;
	tp->urg_seq = ptr;
	tp->pred_flags = 0;
	if (!sock_flag(sk, SOCK_F_DEAD) && sk->error_report) {
		struct task *t = sk->net->current;

		if (t && t->pid == sk->owner_pid)
			t->pending_signals |= TASK_SIG(TASK_SIGURG);
		wake_up(sk->wq, POLLPRI);
	}
}

void tcp_urg(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	const struct tcp_hdr *th = tcp_hdr(skb);
	uint32_t off;
	uint8_t byte;

	if (unlikely(th->flags & TCP_URG))
		tcp_check_urg(sk, th, TCP_SKB_CB(skb)->seq);
	if (likely(tp->urg_data != TCP_URG_NOTYET))
		return;
	off = tp->urg_seq - TCP_SKB_CB(skb)->seq + tcp_hdrlen(th);
	if (th->flags & TCP_SYN)
		off--;
	if (off < skb->len && !skb_copy_bits(skb, off, &byte, 1)) {
		tp->urg_data = (uint16_t)(TCP_URG_VALID | byte);
		if (!sock_flag(sk, SOCK_F_DEAD))
			sk->data_ready(sk);
	}
}

/* ---- receive buffer: follow the reader's speed (dynamic right-sizing) ---- */
void tcp_rcv_space_adjust(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint32_t now = tcp_time_ms(sk), copied, rcvbuf;
	uint64_t win, grow;

	if (!tp->rcv_rtt_us || (uint64_t)(uint32_t)(now - tp->rcvq_space_ms) * 1000 < tp->rcv_rtt_us >> 3)
		return;
	copied = tp->copied_seq - tp->rcv_space_seq;
	if (copied > tp->rcv_space) {
		if (tcp_sysctl(sk)->moderate_rcvbuf && !(sk->userlocks & 2) && !tcp_under_memory_pressure(sk)) {
			win = ((uint64_t)copied << 1) + 16ull * tp->advmss;
			grow = win * (copied - tp->rcv_space) / max_u32(tp->rcv_space, 1);
			win += grow << 1;
			if (!tcp_ofo_empty(tp)) /* what lies behind a hole is under way too: losses must not hold the window down */
				win += TCP_SKB_CB(skb_peek_tail(&tp->sack->ofo_queue))->end_seq - tp->rcv_nxt;
			rcvbuf = min_u32(tcp_space_from_win(sk, (uint32_t)min_u64(win, 0x3fffffff)), (uint32_t)tcp_sysctl(sk)->rmem[2]);
			if ((int32_t)rcvbuf > sk->rcvbuf) {
				sk->rcvbuf = (int32_t)rcvbuf;
				if (!(tp->rare && tp->rare->window_clamp_user))
					tp->window_clamp = tcp_win_from_space(sk, rcvbuf);
			}
		}
		tp->rcv_space = copied;
	}
	tp->rcv_space_seq = tp->copied_seq;
	tp->rcvq_space_ms = now;
}

/* The program read: is a window update due? */
void tcp_cleanup_rbuf(struct sock *sk, uint32_t copied)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	bool ack = false;

	if (icsk->ack_pending & ICSK_ACK_SCHED) {
		/* two segments unacknowledged, or the queue was read empty after a push */
		if (tp->rcv_nxt - tp->rcv_wup > icsk->rcv_mss ||
		    (copied && ((icsk->ack_pending & ICSK_ACK_PUSHED2) ||
				((icsk->ack_pending & ICSK_ACK_PUSHED) && icsk->pingpong < tcp_pingpong_thresh(sk))) &&
		     sk->rmem_alloc == 0))
			ack = true;
	}
	if (unlikely(tcp_psock(sk)) && copied && tcp_bpf_read_done(sk) && !ack)
		return; /* the map has no window */
	if (copied && !ack && !(sk->shutdown & 1)) {
		uint32_t now = tcp_receive_window(tp);

		if (2 * now <= tp->window_clamp) {
			uint32_t fresh = __tcp_select_window(sk);

			if (fresh && fresh >= 2 * now)
				ack = true;
		}
	}
	if (ack)
		tcp_send_ack(sk);
}
