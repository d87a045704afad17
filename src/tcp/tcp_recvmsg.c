/* recv(): the bytes in order, to the program. Copy 2 of a byte's life.
 *
 * Called by inet_recvmsg; reads receive_queue, frees what is read, tells the peer of the room (tcp_cleanup_rbuf).
 * RFC 9293 3.10.3, 3.8.5 (urgent). Tests: tests/unit/tcp. */
#include "core/msg_splice.h"
#include "tcp/tcp_int.h"

static ssize_t recv_urg(struct sock *sk, struct msghdr *msg, size_t len, int flags)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (sock_flag(sk, SOCK_F_URGINLINE) || !tp->urg_data || tp->urg_data == TCP_URG_READ)
		return -EINVAL;
	if (sk->state == TCP_CLOSE && !sock_flag(sk, SOCK_F_DONE))
		return -ENOTCONN;
	if (tp->urg_data & TCP_URG_VALID) {
		uint8_t c = (uint8_t)tp->urg_data;
		struct iov_iter to;

		if (!(flags & MSG_PEEK))
			tp->urg_data = TCP_URG_READ;
		msg->msg_flags |= MSG_OOB;
		if (len && !(flags & MSG_TRUNC)) {
			iov_iter_init(&to, msg->msg_iov, msg->msg_iovlen);
			copy_to_iter(&c, 1, &to);
		} else {
			msg->msg_flags |= MSG_TRUNC;
		}
		return len ? 1 : 0;
	}
	if (sk->state == TCP_CLOSE || (sk->shutdown & 1))
		return 0;
	return -EAGAIN;
}

struct recv_state {
	struct iov_iter to;
	size_t left, copied;
	uint32_t *seq, peek_seq; /* next byte wanted: copied_seq, or a copy of it */
	uint64_t deadline;
	uint64_t tstamp_ns; /* when the last segment that was copied from came */
	int flags;
	bool noblock;
	bool looked; /* asking for no octets waits for the first one all the same */
};

/* The queued segment that holds *seq, NULL: not there yet. *off: where in it. *fin: the stream ends here. */
static struct sk_buff *find_seq(struct sock *sk, uint32_t seq, uint32_t *off, bool *fin)
{
	struct sk_buff *skb;

	skb_queue_walk(&sk->receive_queue, skb)
	{
		*off = seq - TCP_SKB_CB(skb)->seq;
		if (TCP_SKB_CB(skb)->tcp_flags & TCP_SYN)
			(*off)--;
		if (*off < skb->len)
			return skb;
		if (TCP_SKB_CB(skb)->tcp_flags & TCP_FIN) {
			*fin = true;
			return skb;
		}
	}
	return NULL;
}

/* Nothing to read now: 1 stop (end, error or enough), 0 wait. *err: what to return if nothing was copied. */
static int no_data(struct sock *sk, const struct recv_state *st, size_t target, int *err)
{
	*err = 0;
	if (st->copied >= target)
		return 1;
	if (st->copied)
		return sk->err || sk->state == TCP_CLOSE || (sk->shutdown & 1) || st->noblock;
	if (sock_flag(sk, SOCK_F_DONE))
		return 1;
	if (sk->err) {
		*err = sock_error(sk);
		return 1;
	}
	if (sk->shutdown & 1)
		return 1;
	if (sk->state == TCP_CLOSE) {
		*err = -ENOTCONN;
		return 1;
	}
	if (st->noblock) {
		*err = -EAGAIN;
		return 1;
	}
	return 0;
}

static void eat_skb(struct sock *sk, struct sk_buff *skb)
{
	skb_unlink(skb, &sk->receive_queue);
	consume_skb(skb);
}

/* Copy from skb at off. 0; 1: stop; <0: error. */
static int copy_piece(struct sock *sk, struct recv_state *st, struct sk_buff *skb, uint32_t off)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint32_t n = (uint32_t)min_sz(st->left, skb->len - off);

	if (unlikely(tp->urg_data)) {
		uint32_t urg = tp->urg_seq - *st->seq;

		if (urg < n) {
			if (urg) {
				n = urg; /* stop before the mark */
			} else if (!sock_flag(sk, SOCK_F_URGINLINE)) {
				(*st->seq)++; /* step over the urgent byte */
				off++;
				n--;
				if (!n)
					goto used;
			}
		}
	}
	if (!(st->flags & MSG_TRUNC)) {
		int err = skb_copy_datagram_iter(skb, off, &st->to, n);

		if (err)
			return st->copied ? 1 : err;
	}
	st->tstamp_ns = skb->tstamp_ns;
	*st->seq += n;
	st->copied += n;
	st->left -= n;
	if (!(st->flags & MSG_PEEK))
		tcp_rcv_space_adjust(sk);
used:
	if (unlikely(tp->urg_data) && after(tp->copied_seq, tp->urg_seq) && !(st->flags & MSG_PEEK)) {
		tp->urg_data = 0;
		tcp_update_pred_flags(tp);
	}
	if (off + n < skb->len)
		return 0;
	if (TCP_SKB_CB(skb)->tcp_flags & TCP_FIN) {
		(*st->seq)++;
		if (!(st->flags & MSG_PEEK))
			eat_skb(sk, skb);
		return 1;
	}
	if (!(st->flags & MSG_PEEK))
		eat_skb(sk, skb);
	return 0;
}

/* Beside the data: when it came, and how much more there is (TCP_INQ; a FIN counts as one, so that the reader comes again). */
static void put_messages(struct sock *sk, struct msghdr *msg, uint64_t tstamp_ns)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	if (tstamp_ns && (sock_flag(sk, SOCK_F_RCVTSTAMP) || sk->tsflags))
		sock_put_timestamps(msg, sk, tstamp_ns, false);
	if (tp->rare && tp->rare->recvmsg_inq) {
		int inq = (int)(tp->rcv_nxt - tp->copied_seq);

		if (!inq && sock_flag(sk, SOCK_F_DONE)) /* a FIN not read yet counts by itself, as in Linux */
			inq = 1;
		put_cmsg(msg, SOL_TCP, TCP_CM_INQ, sizeof(inq), &inq);
	}
}

/* TCP_REPAIR: looking only. 1: go on with the receive queue. */
static ssize_t recv_repair(struct sock *sk, struct msghdr *msg, size_t len, int flags)
{
	if (!(flags & MSG_PEEK))
		return -EPERM;
	switch (tcp_rare(sk)->repair_queue) {
	case TCP_SEND_QUEUE:
		return tcp_repair_peek_sndq(sk, msg, len);
	case TCP_RECV_QUEUE:
		return 1;
	default:
		return -EINVAL;
	}
}

/* One more piece of the data, or the wait for one. False: it is enough, or *err says why there is no more. */
static bool recv_more(struct sock *sk, struct recv_state *st, size_t target, int *err)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	uint32_t off = 0;
	bool fin = false;
	struct sk_buff *skb;
	int r;

	if (unlikely(tp->urg_data) && tp->urg_seq == *st->seq && (st->copied || st->flags & MSG_FOR_SPLICE)) {
		*err = st->copied || sk->shutdown & 1 ? 0 : -ENODATA;
		return false; /* data before the mark is returned alone */
	}
	skb = find_seq(sk, *st->seq, &off, &fin);
	if (skb && fin) {
		(*st->seq)++;
		if (!(st->flags & MSG_PEEK))
			eat_skb(sk, skb);
		return false;
	}
	if (skb) {
		st->looked = true;
		r = copy_piece(sk, st, skb, off);
		if (r < 0)
			*err = r;
		return !r;
	}
	if (no_data(sk, st, target, err))
		return false;
	tcp_cleanup_rbuf(sk, (uint32_t)st->copied);
	r = tcp_wait(sk, st->deadline);
	if (r)
		*err = r == -ETIMEDOUT ? -EAGAIN : r;
	return !r;
}

ssize_t tcp_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags, socklen_t *addr_len)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct recv_state st = { .left = len, .flags = flags };
	size_t target;
	int err = 0;
	TRACE_FN(&sk->net->probe, 0);

	lock_sock(sk);
	st.noblock = (flags & MSG_DONTWAIT) != 0;
	st.deadline = sock_deadline(sk->net->now_ns, sk->rcvtimeo_ns, st.noblock);
	if (sk->state == TCP_LISTEN) {
		err = -ENOTCONN;
		goto out;
	}
	if (unlikely(flags & MSG_OOB || tp->repair)) {
		ssize_t r = tp->repair ? recv_repair(sk, msg, len, flags) : recv_urg(sk, msg, len, flags);

		if (!tp->repair || tp->rare->repair_queue != TCP_RECV_QUEUE || r != 1) {
			release_sock(sk);
			return r;
		}
	}
	iov_iter_init(&st.to, msg->msg_iov, msg->msg_iovlen);
	st.peek_seq = tp->copied_seq + (flags & MSG_PEEK ? sock_peek_offset(sk) : 0);
	st.seq = flags & MSG_PEEK ? &st.peek_seq : &tp->copied_seq;
	target = flags & MSG_WAITALL ? len : min_sz(len, sk->rcvlowat > 0 ? (size_t)sk->rcvlowat : 1);
	if (!target)
		target = 1;
	while ((st.left || !st.looked) && recv_more(sk, &st, target, &err))
		;
	tcp_cleanup_rbuf(sk, (uint32_t)st.copied); /* one that only looked wants more to look at, too, if there is room */
	sock_peeked(sk, flags, (uint32_t)st.copied);
	if (!err)
		put_messages(sk, msg, st.tstamp_ns);
out:
	release_sock(sk);
	return st.copied ? (ssize_t)st.copied : err;
}
