/* SYN-SENT: the answer to our SYN, or the other side's own (RFC 9293 3.10.7.3).
 *
 * Called by tcp_input.c (tcp_rcv_state_process); hands on to tcp_finish_connect() or tcp_send_synack().
 * Tests: tests/packet/open, tests/unit/tcp. */
#include "tcp/tcp_accecn.h"
#include "tcp/tcp_auth.h"
#include "tcp/tcp_int.h"

/* >0: send a reset; 0: skb consumed; <0: go on with urgent data and sending. */
static int synsent_synack(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	const struct tcp_hdr *th = tcp_hdr(skb);
	struct tcp_skb_cb *tcb = TCP_SKB_CB(skb);
	bool refused;

	if (unlikely(tp->ecn_flags))
		tcp_ecn_rcv_synack(sk, skb);
	tp->snd_wl1 = tcb->seq;
	/* a repeated SYN whose first copy was answered: undo (Eifel) */
	if (tp->rx_opt.saw_tstamp && tp->fl->undo_marker && tp->fl->retrans_stamp_ms == tp->rx_opt.rcv_tsecr)
		tp->fl->undo_marker = 0;
	tcp_ack(sk, skb, FLAG_SLOWPATH);
	tp->rcv_nxt = tp->rcv_wup = tp->copied_seq = tcb->seq + 1;
	tcp_auth_synced(sk, tcb->seq);
	tp->snd_wnd = get_be16(th->window);
	if (tp->max_window < tp->snd_wnd)
		tp->max_window = tp->snd_wnd;
	if (!tp->rx_opt.wscale_ok) {
		tp->rx_opt.snd_wscale = tp->rx_opt.rcv_wscale = 0;
		tp->window_clamp = min_u32(tp->window_clamp, 65535);
		tp->rcv_wnd = min_u32(tp->rcv_wnd, 65535);
	}
	if (tp->rx_opt.saw_tstamp) {
		tp->rx_opt.tstamp_ok = 1;
		tp->tcp_header_len = TCP_HLEN + 12;
		tp->advmss = (uint16_t)(tp->advmss - 12);
		tp->rx_opt.ts_recent = tp->rx_opt.rcv_tsval;
		tp->rx_opt.ts_recent_stamp = net_now_s(sk->net);
	} else {
		tp->tcp_header_len = TCP_HLEN;
	}
	tcp_mtup_init(sk);
	tcp_sync_mss(sk, inet_csk(sk)->pmtu_cookie);
	tcp_initialize_rcv_mss(sk);
	tcp_finish_connect(sk);
	refused = tcp_fastopen_synack(sk, skb);
	if (!sock_flag(sk, SOCK_F_DEAD)) {
		sk->state_change(sk);
		wake_up(sk->wq, POLLOUT);
	}
	if (!refused)
		tcp_ack_synack(sk);
	return -1;
}

static int synsent_simultaneous(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_skb_cb *tcb = TCP_SKB_CB(skb);

	tcp_set_state(sk, TCP_SYN_RECV);
	if (tp->rx_opt.saw_tstamp) {
		tp->rx_opt.tstamp_ok = 1;
		tp->rx_opt.ts_recent = tp->rx_opt.rcv_tsval;
		tp->rx_opt.ts_recent_stamp = net_now_s(sk->net);
		tp->tcp_header_len = TCP_HLEN + 12;
	} else {
		tp->tcp_header_len = TCP_HLEN;
	}
	tp->rcv_nxt = tp->rcv_wup = tp->copied_seq = tcb->seq + 1;
	tcp_auth_synced(sk, tcb->seq);
	tp->snd_wnd = get_be16(tcp_hdr(skb)->window); /* a SYN's window is not scaled */
	tp->snd_wl1 = tcb->seq;
	tp->max_window = tp->snd_wnd;
	if (!tp->rx_opt.wscale_ok)
		tp->rx_opt.snd_wscale = tp->rx_opt.rcv_wscale = 0;
	if (tp->ecn_flags)
		tcp_ecn_rcv_syn(sk, skb);
	tcp_sync_mss(sk, inet_csk(sk)->pmtu_cookie);
	tcp_initialize_rcv_mss(sk);
	tcp_send_synack(sk);
	consume_skb(skb);
	return 0;
}

/* >0: send a reset; 0: skb consumed; <0: go on with urgent data and sending. */
int tcp_rcv_synsent(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_options_received saved = tp->rx_opt;
	const struct tcp_skb_cb *tcb = TCP_SKB_CB(skb);
	uint8_t flags = tcb->tcp_flags;
	enum drop_reason why = DROP_TCP_FLAGS;

	tp->rx_opt.wscale_ok = tp->rx_opt.sack_ok = 0;
	if (flags & TCP_SYN)
		tp->rx_opt.mss_clamp = TCP_MSS_DEFAULT; /* MUST-15, unless the option says more */
	tcp_parse_options(sk->net, skb, &tp->rx_opt, false);
	if (tp->rx_opt.saw_tstamp && tp->rx_opt.rcv_tsecr)
		tp->rx_opt.rcv_tsecr -= tp->tsoffset;
	if (flags & TCP_ACK) {
		if (!after(tcb->ack_seq, tp->snd_una) || after(tcb->ack_seq, tp->snd_nxt)) {
			tp->rx_opt = saved;
			/* an old connection of the peer's, which our RST ends: the SYN may go again at once */
			if (!inet_csk(sk)->retransmits)
				inet_csk_reset_xmit_timer(sk, ICSK_TIME_RETRANS, TCP_TIMEOUT_MIN_US);
			return flags & TCP_RST ? (kfree_skb_reason(skb, DROP_TCP_INVALID_ACK_SEQUENCE), 0) : 1;
		}
		if (tp->rx_opt.saw_tstamp && tp->rx_opt.rcv_tsecr && !(flags & TCP_RST) &&
		    !between(tp->rx_opt.rcv_tsecr, tp->fl->retrans_stamp_ms - 1, tcp_time_ms(sk) + 1)) {
			TCPEXT_INC(sk->net, PAWSActive);
			tp->rx_opt = saved;
			return 1;
		}
		if (flags & TCP_RST) {
			tcp_reset(sk, skb);
			kfree_skb_reason(skb, DROP_TCP_RESET);
			return 0;
		}
		if (flags & TCP_SYN)
			return synsent_synack(sk, skb);
	} else if (flags & TCP_RST) {
		why = DROP_TCP_RESET; /* without ACK: not about our SYN */
	} else if (flags & TCP_SYN) {
		return synsent_simultaneous(sk, skb);
	}
	tp->rx_opt = saved;
	kfree_skb_reason(skb, why);
	return 0;
}
