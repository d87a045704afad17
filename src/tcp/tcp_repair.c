/* TCP_REPAIR: a connection taken apart on one host and put together on another, as checkpoint/restore does it.
 *
 *   repair on (socket closed)   QUEUE_SEQ of both queues, bind, connect (no SYN: ESTABLISHED at once), OPTIONS, WINDOW,
 *                               send() into a queue, repair off: a window probe finds out where the peer is
 *   repair on (connected)       QUEUE_SEQ, MSG_PEEK of both queues, WINDOW; close() leaves without a word to the peer
 *
 * Called by tcp_sockopt.c; tcp_sendmsg.c, tcp_recvmsg.c and tcp_xmit.c ask tp->repair. Linux's rules and errors.
 * Tests: tests/unit/tcp/test_tcp_repair.c. */
#include "tcp/tcp_int.h"

#define OPT_REPAIR_MAX 16u /* options in one call: four exist */

static int repair_switch(struct sock *sk, int v)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (sk->state == TCP_LISTEN)
		return -EPERM;
	if (v == TCP_REPAIR_ON) {
		tp->repair = 1;
		tcp_rare(sk)->repair_queue = TCP_NO_QUEUE;
		return 0;
	}
	if (v != TCP_REPAIR_OFF && v != TCP_REPAIR_OFF_NO_WP)
		return -EINVAL;
	tp->repair = 0;
	if (v == TCP_REPAIR_OFF && sk->state == TCP_ESTABLISHED) {
		tp->snd_wl1 = tp->rcv_nxt - 1;
		tcp_xmit_probe_skb(sk, false);
	}
	return 0;
}

static int repair_queue_seq(struct sock *sk, uint32_t seq)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (sk->state != TCP_CLOSE)
		return -EPERM;
	switch (tcp_rare(sk)->repair_queue) {
	case TCP_SEND_QUEUE:
		if (!tcp_rtx_queue_empty(sk))
			return -EPERM;
		tp->write_seq = seq;
		return 0;
	case TCP_RECV_QUEUE:
		if (tp->rcv_nxt != tp->copied_seq)
			return -EPERM;
		tp->rcv_nxt = tp->copied_seq = seq;
		return 0;
	default:
		return -EINVAL;
	}
}

int tcp_repair_set(struct sock *sk, int name, int v)
{
	struct tcp_sock *tp = tcp_sk(sk);

	switch (name) {
	case TCP_REPAIR:
		return repair_switch(sk, v);
	case TCP_REPAIR_QUEUE:
		if (!tp->repair)
			return -EPERM;
		if (v < 0 || v >= TCP_QUEUES_NR)
			return -EINVAL;
		tcp_rare(sk)->repair_queue = (uint8_t)v;
		return 0;
	case TCP_QUEUE_SEQ:
		return repair_queue_seq(sk, (uint32_t)v);
	default: /* TCP_TIMESTAMP: the clock that the peer knows */
		if (!tp->repair)
			return -EPERM;
		tp->tsoffset = (uint32_t)v - tcp_time_ms(sk);
		return 0;
	}
}

int tcp_repair_get(struct sock *sk, int name, int *v)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	switch (name) {
	case TCP_REPAIR:
		*v = tp->repair;
		return 0;
	case TCP_REPAIR_QUEUE:
		if (!tp->repair)
			return -EINVAL;
		*v = tp->rare->repair_queue;
		return 0;
	case TCP_QUEUE_SEQ:
		if (tp->rare && tp->rare->repair_queue == TCP_SEND_QUEUE)
			*v = (int)tp->write_seq;
		else if (tp->rare && tp->rare->repair_queue == TCP_RECV_QUEUE)
			*v = (int)tp->rcv_nxt;
		else
			return -EINVAL;
		return 0;
	default:
		*v = (int)(tcp_time_ms(sk) + tp->tsoffset);
		return 0;
	}
}

static int repair_option(struct tcp_sock *tp, const struct tcp_repair_opt *o)
{
	switch (o->opt_code) {
	case TCPOPT_MSS:
		tp->rx_opt.mss_clamp = (uint16_t)o->opt_val;
		tcp_sync_mss(&tp->icsk.inet.sk, tp->icsk.pmtu_cookie);
		return 0;
	case TCPOPT_WINDOW: /* low half: the peer's scale, high half: ours */
		if ((o->opt_val & 0xffff) > TCP_MAX_WSCALE || o->opt_val >> 16 > TCP_MAX_WSCALE)
			return -EFBIG;
		tp->rx_opt.snd_wscale = o->opt_val & 15;
		tp->rx_opt.rcv_wscale = (o->opt_val >> 16) & 15;
		tp->rx_opt.wscale_ok = 1;
		return 0;
	case TCPOPT_SACK_PERM:
		if (o->opt_val)
			return -EINVAL;
		tp->rx_opt.sack_ok = 1;
		return 0;
	case TCPOPT_TIMESTAMP:
		if (o->opt_val)
			return -EINVAL;
		tp->rx_opt.tstamp_ok = 1;
		tp->tcp_header_len = TCP_HLEN + 12;
		return 0;
	default:
		return 0;
	}
}

int tcp_repair_set_options(struct sock *sk, const void *val, socklen_t len)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_repair_opt o;

	if (!tp->repair)
		return -EINVAL;
	if (sk->state != TCP_ESTABLISHED || tp->bytes_sent)
		return -EPERM;
	for (uint32_t i = 0; len >= sizeof(o) && i < OPT_REPAIR_MAX; i++, len -= (socklen_t)sizeof(o)) {
		int err;

		memcpy(&o, (const uint8_t *)val + i * sizeof(o), sizeof(o));
		err = repair_option(tp, &o);
		if (err)
			return err;
	}
	tcp_update_pred_flags(tp);
	return 0;
}

int tcp_repair_set_window(struct sock *sk, const void *val, socklen_t len)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_repair_window w;

	if (!tp->repair)
		return -EPERM;
	if (len != sizeof(w))
		return -EINVAL;
	memcpy(&w, val, sizeof(w));
	if (w.max_window < w.snd_wnd || after(w.snd_wl1, tp->rcv_nxt + w.rcv_wnd) || after(w.rcv_wup, tp->rcv_nxt))
		return -EINVAL;
	tp->snd_wl1 = w.snd_wl1;
	tp->snd_wnd = w.snd_wnd;
	tp->max_window = w.max_window;
	tp->rcv_wnd = w.rcv_wnd;
	tp->rcv_wup = w.rcv_wup;
	tcp_update_pred_flags(tp);
	return 0;
}

int tcp_repair_get_window(const struct sock *sk, void *val, socklen_t *len)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_repair_window w = { tp->snd_wl1, tp->snd_wnd, tp->max_window, tp->rcv_wnd, tp->rcv_wup };

	if (*len != sizeof(w))
		return -EINVAL;
	if (!tp->repair)
		return -EPERM;
	memcpy(val, &w, sizeof(w));
	return 0;
}

/* send() into the send queue: as if it had been sent long ago. */
int tcp_repair_sent(struct sock *sk, struct sk_buff *skb, uint32_t mss_now)
{
	tcp_skb_set_pcount(skb, mss_now);
	tcp_update_skb_after_send(sk, skb);
	return 1;
}

/* send() into the receive queue. Octets, or -errno. */
ssize_t tcp_repair_send_rcvq(struct sock *sk, struct msghdr *msg, size_t len)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct iov_iter from;
	struct sk_buff *skb;
	struct tcp_skb_cb *tcb;

	if (!len)
		return 0;
	if (len > SKB_MAX_DATA - MAX_TCP_HEADER)
		len = SKB_MAX_DATA - MAX_TCP_HEADER;
	skb = alloc_skb(sk->net, (uint32_t)len);
	if (!skb)
		return -ENOMEM;
	if (!tcp_try_rmem_schedule(sk, skb)) {
		kfree_skb_reason(skb, DROP_SOCKET_RCVBUFF);
		return -ENOMEM;
	}
	iov_iter_init(&from, msg->msg_iov, msg->msg_iovlen);
	if (copy_from_iter(skb_put(skb, (uint32_t)len), len, &from) != len) {
		kfree_skb_reason(skb, DROP_SOCKET_RCVBUFF);
		return -EFAULT;
	}
	tcb = TCP_SKB_CB(skb);
	memset(tcb, 0, sizeof(*tcb));
	tcb->seq = tp->rcv_nxt;
	tcb->end_seq = tp->rcv_nxt + (uint32_t)len;
	tcb->ack_seq = tp->snd_una - 1;
	if (tcp_queue_rcv(sk, skb, 0))
		consume_skb(skb);
	return (ssize_t)len;
}

/* recv(MSG_PEEK) of what is sent and not acknowledged, then of what is not sent. */
ssize_t tcp_repair_peek_sndq(struct sock *sk, struct msghdr *msg, size_t len)
{
	struct sk_buff_head *qs[2] = { &tcp_sk(sk)->fl->rtx_queue, &sk->write_queue };
	struct iov_iter to;
	struct sk_buff *skb;
	size_t done = 0;

	iov_iter_init(&to, msg->msg_iov, msg->msg_iovlen);
	for (unsigned i = 0; i < 2; i++) {
		skb_queue_walk(qs[i], skb)
		{
			uint32_t n = (uint32_t)min_sz(len - done, skb->len);

			if (skb_copy_datagram_iter(skb, 0, &to, n))
				return done ? (ssize_t)done : -EFAULT;
			done += n;
		}
	}
	return (ssize_t)done;
}
