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
	/* A reader who stands at the old mark will not be given that octet any more, as if it had been read aside. */
	if (tp->urg_data && tp->urg_seq == tp->copied_seq && !sock_flag(sk, SOCK_F_URGINLINE) && tp->copied_seq != tp->rcv_nxt) {
		struct sk_buff *first = skb_peek(&sk->receive_queue);

		tp->copied_seq++;
		if (first && !before(tp->copied_seq, TCP_SKB_CB(first)->end_seq)) {
			skb_unlink(first, &sk->receive_queue);
			consume_skb(first);
		}
	}
	tp->urg_data = TCP_URG_NOTYET;
	tp->urg_seq = ptr;
	tp->pred_flags = 0;
	if (!sock_flag(sk, SOCK_F_DEAD) && sk->error_report)
		wake_up(sk->wq, POLLPRI); /* SIGURG too, to whom F_SETOWN named */
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
/* The program reads space octets in a round trip: room for twice as many, and more if that grows. */
void tcp_rcvbuf_grow(struct sock *sk, uint32_t space)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint64_t win = (uint64_t)space << 1, grow;
	uint32_t rcvbuf, old = tp->rcv_space;

	tp->rcv_space = space;
	if (!tcp_sysctl(sk)->moderate_rcvbuf || (sk->userlocks & 2) || tcp_under_memory_pressure(sk))
		return;
	grow = win * (space - old) / max_u32(old, 1);
	win += grow << 1;
	if (!tcp_ofo_empty(tp)) /* what lies behind a hole is under way too: losses must not hold the window down */
		win += TCP_SKB_CB(skb_peek_tail(&tp->sack->ofo_queue))->end_seq - tp->rcv_nxt;
	rcvbuf = min_u32(tcp_space_from_win(sk, (uint32_t)min_u64(win, 0x3fffffff)), (uint32_t)tcp_sysctl(sk)->rmem[2]);
	if ((int32_t)rcvbuf > sk->rcvbuf) {
		sk->rcvbuf = (int32_t)rcvbuf;
		tp->window_clamp = tcp_win_from_space(sk, rcvbuf);
	}
}

void tcp_rcv_space_adjust(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint32_t now = tcp_time_ms(sk), copied, unread = tp->rcv_nxt - tp->copied_seq;

	if (!tp->rcv_rtt_us || (uint64_t)(uint32_t)(now - tp->rcvq_space_ms) * 1000 < tp->rcv_rtt_us >> 3)
		return;
	copied = tp->copied_seq - tp->rcv_space_seq;
	copied -= min_u32(copied, unread); /* what still lies there is no measure of the reader's speed */
	if (copied > tp->rcv_space)
		tcp_rcvbuf_grow(sk, copied);
	tp->rcv_space_seq = tp->copied_seq;
	tp->rcvq_space_ms = now;
}

/* A smaller clamp takes effect as the window is used up; a larger one at once, as far as was offered. */
void tcp_set_window_clamp(struct tcp_sock *tp, uint32_t v)
{
	uint32_t old = tp->window_clamp;

	v = max_u32(v, SOCK_MIN_RCVBUF / 2);
	if (v == old)
		return;
	tp->window_clamp = v;
	if (v < old)
		tp->rcv_ssthresh = min_u32(tp->rcv_ssthresh, v);
	else
		tp->rcv_ssthresh = max_u32(min_u32(tp->rcv_wnd, v), tp->rcv_ssthresh);
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

/* ---- a connection comes to be: how large its buffers and first guesses are ---- */
void tcp_initialize_rcv_mss(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	uint32_t hint = min_u32(tp->advmss, tp->mss_cache ? tp->mss_cache : TCP_MSS_DEFAULT);

	hint = min_u32(hint, tp->rcv_wnd / 2); /* a SYN has offered nothing yet: the least there is */
	hint = min_u32(hint, TCP_MSS_DEFAULT);
	inet_csk(sk)->rcv_mss = (uint16_t)max_u32(hint, TCP_MIN_MSS);
}

void tcp_sndbuf_expand(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint32_t per_mss = max_u32(tp->rx_opt.mss_clamp, tp->mss_cache) + 640; /* Linux's header room and skb_shared_info */
	uint32_t segs = max_u32(max_u32(TCP_INIT_CWND, tp->snd_cwnd), tp->reordering + 1u);
	uint64_t want;

	per_mss = 1u << (32 - (uint32_t)__builtin_clz(per_mss - 1)); /* what an allocator gives */
	want = (inet_csk(sk)->ca_ops->cong_control ? 3ull : 2ull) * segs * (per_mss + 256); /* and its sk_buff */
	if ((uint64_t)sk->sndbuf < want)
		sk->sndbuf = (int32_t)min_u64(want, (uint64_t)tcp_sysctl(sk)->wmem[2]);
}

void tcp_init_buffer_space(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint32_t max = tcp_full_space(sk), app_win = (uint32_t)tcp_sysctl(sk)->app_win;

	if (!(sk->userlocks & 1))
		tcp_sndbuf_expand(sk);
	tp->rcv_space_seq = tp->copied_seq;
	tp->rcvq_space_ms = tcp_time_ms(sk);
	if (tp->window_clamp >= max) {
		tp->window_clamp = max;
		if (app_win && max > 4u * tp->advmss)
			tp->window_clamp = max_u32(max - (max >> app_win), 4u * tp->advmss);
	}
	/* One segment's room stays in reserve, for what is under way when the reader is slow. */
	if (app_win && tp->window_clamp > 2u * tp->advmss && tp->window_clamp + tp->advmss > max)
		tp->window_clamp = max_u32(2u * tp->advmss, max - tp->advmss);
	tp->rcv_ssthresh = min_u32(tp->rcv_ssthresh, tp->window_clamp);
	tp->rcv_space = min_u32(min_u32(tp->rcv_ssthresh, tp->rcv_wnd), TCP_INIT_CWND * tp->advmss);
	tp->snd_cwnd_stamp_ms = tcp_time_ms(sk);
}
