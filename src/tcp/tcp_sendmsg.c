/* send(): a program's bytes become segments' payload. Copy 1 of the life of a byte, and the only one on the way out.
 *
 * Bytes go straight into the buffer of the segment that will carry them, MAX_TCP_HEADER behind its start; a segment
 * that is not full is continued by the next call. When the device does not sum, the checksum is made in the same pass.
 * Called by inet_sendmsg; hands on to tcp_xmit.c. RFC 9293 3.10.2. Tests: tests/unit/tcp. */
#include <fcntl.h>
#include "tcp/tcp_int.h"

#define SMALL_ROOM 2048u /* an skb that may hold more starts with at least this */

static bool forced_push(const struct tcp_sock *tp) { return after(tp->write_seq, tp->pushed_seq + (tp->max_window >> 1)); }

static void mark_push(struct tcp_sock *tp, struct sk_buff *skb)
{
	TCP_SKB_CB(skb)->tcp_flags |= TCP_PSH;
	tp->pushed_seq = tp->write_seq;
}

/* Wait for the handshake. more: there is data to send when it is over. 0 or -errno. */
static int wait_connect(struct sock *sk, uint64_t deadline, bool noblock, bool more)
{
	while (!tcp_state_in(sk, TCPF_(ESTABLISHED) | TCPF_(CLOSE_WAIT)) && !tcp_sk(sk)->fastopen_child) {
		int err = sock_error(sk);

		if (err)
			return err;
		if (!tcp_state_in(sk, TCPF_(SYN_SENT) | TCPF_(SYN_RECV)))
			return -EPIPE;
		if (noblock)
			return -EAGAIN;
		if (more)
			tcp_rare(sk)->write_pending++;
		err = tcp_wait(sk, deadline);
		if (more)
			tcp_sk(sk)->rare->write_pending--;
		if (err)
			return err == -ETIMEDOUT ? -EAGAIN : err;
	}
	return 0;
}

static bool stream_memory_free(const struct sock *sk) { return tcp_wmem_used(sk) < sk->sndbuf && tcp_notsent_ok(sk, 0); }

/* Room of its own is told by write_space; room in the host's memory by nobody: it is asked for again after a while. */
#define TCP_MEM_RETRY_NS (200 * NSEC_PER_MSEC)

static int wait_memory(struct sock *sk, uint64_t deadline, bool noblock, uint32_t need)
{
	while (!stream_memory_free(sk) || (need && !tcp_wmem_schedule(sk, need))) {
		bool host = need && stream_memory_free(sk);
		int err;

		if (sk->err || (sk->shutdown & 2))
			return -EPIPE;
		sk->flags |= SOCK_F_NOSPACE_;
		if (noblock)
			return -EAGAIN;
		err = tcp_wait(sk, host ? min_u64(deadline, sk->net->now_ns + TCP_MEM_RETRY_NS) : deadline);
		if (err && !(err == -ETIMEDOUT && host && sk->net->now_ns < deadline))
			return err == -ETIMEDOUT ? -EAGAIN : err;
	}
	return 0;
}

static struct sk_buff *new_segment(struct sock *sk, uint32_t size_goal, size_t want)
{
	struct tcp_sock *tp = tcp_sk(sk);
	/* a writer of large pieces will write more of them: room for all that one skb may hold, rather than copies later */
	uint32_t room = size_goal <= SMALL_ROOM || want >= size_goal / 4 ? size_goal : (uint32_t)(want > SMALL_ROOM ? want : SMALL_ROOM);
	struct sk_buff *skb = alloc_skb(sk->net, MAX_TCP_HEADER + room);
	struct tcp_skb_cb *tcb;

	if (!skb)
		return NULL;
	skb_reserve(skb, MAX_TCP_HEADER);
	tcb = TCP_SKB_CB(skb);
	memset(tcb, 0, sizeof(*tcb));
	tcb->seq = tcb->end_seq = tp->write_seq;
	tcb->tcp_flags = TCP_ACK;
	tcb->has_csum = 1;
	tcb->gso_segs = 1;
	skb->csum = 0;
	skb->skb_mstamp_ns = 0;
	skb_queue_tail(&sk->write_queue, skb);
	tcp_chrono_start(sk, TCP_CHRONO_BUSY);
	tcp_wmem_charge(sk, skb);
	tp->nonagle &= (uint8_t)~TCP_NAGLE_PUSH;
	if (tcp_sysctl(sk)->slow_start_after_idle && !tp->fl->packets_out && tp->lsndtime_ms && !inet_csk(sk)->ca_ops->cong_control &&
	    (uint64_t)(uint32_t)(tcp_time_ms(sk) - tp->lsndtime_ms) * 1000 > inet_csk(sk)->rto_us)
		tcp_cwnd_restart(sk);
	return skb;
}

/* More tailroom for an unsent segment whose buffer was made for less: twice as much. */
static struct sk_buff *grow_segment(struct sock *sk, struct sk_buff *skb, uint32_t size_goal)
{
	uint32_t room = min_u32(size_goal, (skb->len + skb_tailroom(skb)) * 2);
	struct sk_buff *n;

	if (room <= skb->len + skb_tailroom(skb))
		return NULL;
	n = skb_copy_expand(skb, MAX_TCP_HEADER, room - skb->len);
	if (!n)
		return NULL;
	memcpy(n->cb, skb->cb, sizeof(n->cb));
	n->csum = skb->csum;
	skb_insert_(n, skb->prev, skb, &sk->write_queue);
	tcp_wmem_charge(sk, n);
	skb_unlink(skb, &sk->write_queue);
	tcp_wmem_free_skb(sk, skb);
	return n;
}

static bool device_sums(const struct sock *sk)
{
	return sk->dst_cache && sk->dst_cache->dev && (sk->dst_cache->dev->features & NETIF_F_HW_CSUM);
}

/* False: the program's buffer cannot be read. */
static bool fill_segment(struct sock *sk, struct sk_buff *skb, uint32_t n, struct iov_iter *from)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_skb_cb *tcb = TCP_SKB_CB(skb);
	uint32_t off = skb->len;
	uint8_t *p = skb->tail;

	if (device_sums(sk)) {
		if (unlikely(copy_from_iter(p, n, from) != n))
			return false;
		tcb->has_csum = 0;
	} else {
		uint32_t sum = 0;

		if (unlikely(csum_copy_from_iter(p, n, from, &sum) != n))
			return false;
		if (tcb->has_csum)
			skb->csum = csum_block_add(skb->csum, sum, off);
		skb_count_sum(skb, n);
	}
	skb_put(skb, n);
	tcp_wmem_change(sk, skb, (int32_t)n);
	sk->net->skb_mib.user_to_skb_bytes += n;
	TRACE(&sk->net->probe, TR_COPY, skb->serial, "len=%u from=user to=skb", n);
	tp->write_seq += n;
	tcb->end_seq += n;
	return true;
}

/* A segment that was begun, and got nothing. */
static void drop_empty(struct sock *sk, struct sk_buff *skb)
{
	if (skb->len || TCP_SKB_CB(skb)->tcp_flags & TCP_FIN)
		return;
	skb_unlink(skb, &sk->write_queue);
	if (tcp_write_queue_empty(sk) && tcp_rtx_queue_empty(sk))
		tcp_chrono_stop(sk, TCP_CHRONO_BUSY);
	tcp_wmem_free_skb(sk, skb);
}

/* Small writes while earlier packets are still in the host's queues wait for them (autocork). */
static bool should_autocork(struct sock *sk, const struct sk_buff *skb, uint32_t size_goal)
{
	return skb->len < size_goal && tcp_sysctl(sk)->autocorking && !tcp_rtx_queue_empty(sk) &&
	       sk->wmem_alloc > (int32_t)skb->truesize && !(TCP_SKB_CB(skb)->tcp_flags & TCP_FIN);
}

static void tcp_push(struct sock *sk, int flags, uint32_t mss_now, int nonagle, uint32_t size_goal)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb = skb_peek_tail(&sk->write_queue);

	if (!skb)
		return;
	if (!(flags & MSG_MORE) || forced_push(tp))
		mark_push(tp, skb);
	if (flags & MSG_OOB)
		tp->snd_up = tp->write_seq;
	if (should_autocork(sk, skb, size_goal)) {
		if (!tp->tsq_throttled) {
			TCPEXT_INC(sk->net, TCPAutoCorking);
			tp->tsq_throttled = 1;
		}
		return;
	}
	__tcp_push_pending_frames(sk, mss_now, flags & MSG_MORE ? TCP_NAGLE_CORK : nonagle);
}

struct send_state {
	struct iov_iter from;
	uint64_t deadline;
	uint32_t mss_now, size_goal;
	size_t copied;
	uint32_t start;  /* sequence number of this call's first byte */
	int flags;
	bool noblock, zc, joined; /* zc: MSG_ZEROCOPY counts; joined: the first byte's segment had bytes already */
};

/* One step: some bytes into one segment. 0, or -errno. */
static int send_some(struct sock *sk, struct send_state *st)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb = skb_peek_tail(&sk->write_queue);
	uint32_t n;

	if (!skb || skb->len >= st->size_goal || TCP_SKB_CB(skb)->eor || skb_cloned(skb)) {
		uint32_t need = MAX_TCP_HEADER + (uint32_t)min_sz(st->size_goal, st->from.count);

		if (!stream_memory_free(sk) || !tcp_wmem_schedule(sk, need)) {
			int err;

			sk->flags |= SOCK_F_NOSPACE_;
			if (st->copied)
				tcp_push(sk, st->flags & ~MSG_MORE, st->mss_now, TCP_NAGLE_PUSH, st->size_goal);
			err = wait_memory(sk, st->deadline, st->noblock, need);
			st->mss_now = tcp_send_mss(sk, &st->size_goal, st->flags);
			return err;
		}
		skb = new_segment(sk, st->size_goal, st->from.count);
		if (!skb)
			return -ENOMEM;
	}
	if (!skb_tailroom(skb)) {
		struct sk_buff *big = grow_segment(sk, skb, st->size_goal);

		if (!big) {
			TCP_SKB_CB(skb)->eor = 1; /* cannot grow: the next byte begins a new one */
			return 0;
		}
		skb = big;
	}
	n = (uint32_t)min_sz(st->from.count, min_u32(st->size_goal - skb->len, skb_tailroom(skb)));
	if (!st->copied) {
		TCP_SKB_CB(skb)->tcp_flags &= (uint8_t)~TCP_PSH;
		st->joined = skb->len != 0;
	}
	if (unlikely(!fill_segment(sk, skb, n, &st->from))) {
		drop_empty(sk, skb);
		return -EFAULT;
	}
	st->copied += n;
	if (!st->from.count) {
		if (st->flags & MSG_EOR)
			TCP_SKB_CB(skb)->eor = 1;
		return 0;
	}
	if (skb->len < st->size_goal || (st->flags & MSG_OOB))
		return 0;
	if (forced_push(tp)) {
		mark_push(tp, skb);
		__tcp_push_pending_frames(sk, st->mss_now, TCP_NAGLE_PUSH);
	} else if (skb == tcp_send_head(sk)) {
		tcp_write_xmit(sk, st->mss_now, TCP_NAGLE_PUSH, 1);
	} else {
		return 0;
	}
	/* let what came meanwhile be processed, as Linux flushes the backlog here */
	release_sock(sk);
	lock_sock(sk);
	return 0;
}

/* connect() with data at hand: as the program would call it, and it waits for the handshake too. */
static int fastopen_connect(struct sock *sk, struct msghdr *msg, bool noblock)
{
	struct socket *sock = sk->socket;
	int err;

	if (!sock) { /* the kernel's own */
		if (sk->state != TCP_CLOSE)
			return sk->state == TCP_SYN_SENT ? -EALREADY : -EISCONN;
		err = msg->msg_name ? sk->prot->connect(sk, msg->msg_name, msg->msg_namelen) : -EINVAL;
		return err || !noblock ? err : -EINPROGRESS;
	}
	if (!msg->msg_name)
		return sock->state == SS_CONNECTED_ ? -EISCONN : sock->state == SS_CONNECTING_ ? -EALREADY : -EINVAL;
	release_sock(sk);
	err = sock->ops->connect(sock, msg->msg_name, msg->msg_namelen, noblock ? O_NONBLOCK : 0);
	lock_sock(sk);
	return err;
}

/* The first data after connect() with TCP_FASTOPEN_CONNECT. */
static int fastopen_deferred(struct sock *sk, struct send_state *st)
{
	int err = tcp_connect(sk);

	if (err) {
		tcp_set_state(sk, TCP_CLOSE);
		inet_sk(sk)->dport = 0;
		return err;
	}
	if (st->noblock)
		return -EINPROGRESS;
	err = wait_connect(sk, st->deadline, false, st->from.count != 0);
	if (!err && sk->socket)
		sk->socket->state = SS_CONNECTED_;
	return err == -EAGAIN ? -EINPROGRESS : err;
}

/* MSG_FASTOPEN, or the first data after connect() with TCP_FASTOPEN_CONNECT: the SYN goes now, with data if the peer's
 * cookie is known (RFC 7413 4.2.1). 0: connected, the rest follows; else the call ends, with st->copied octets or -errno. */
static int send_fastopen(struct sock *sk, struct msghdr *msg, struct send_state *st)
{
	struct tcp_fo_request req = { &st->from, 0 };
	const struct sockaddr *to = msg->msg_name;
	struct tcp_rare *r = tcp_rare(sk);
	bool deferred = inet_sk(sk)->defer_connect;
	int err;

	if (!(tcp_sysctl(sk)->fastopen & 1) || (to && msg->msg_namelen >= sizeof(to->sa_family) && to->sa_family == AF_UNSPEC))
		return -EOPNOTSUPP;
	if (r->fo_req)
		return -EALREADY; /* another program's data is on its way */
	r->fo_req = &req;
	inet_sk(sk)->defer_connect = false;
	err = deferred ? fastopen_deferred(sk, st) : fastopen_connect(sk, msg, st->noblock);
	r->fo_req = NULL;
	if (!err || err == -EINPROGRESS)
		st->copied = req.copied;
	return err;
}

/* TCP_REPAIR: bytes for a queue, none for the peer. 1: the send queue, go on; else the result. */
static ssize_t send_repair(struct sock *sk, struct msghdr *msg, size_t len)
{
	switch (tcp_rare(sk)->repair_queue) {
	case TCP_RECV_QUEUE:
		return tcp_repair_send_rcvq(sk, msg, len);
	case TCP_SEND_QUEUE:
		return 1;
	default:
		return -EINVAL;
	}
}

static void send_all(struct sock *sk, struct send_state *st, int *err)
{
	tcp_rate_check_app_limited(sk);
	st->mss_now = tcp_send_mss(sk, &st->size_goal, st->flags);
	do { /* a socket that is shut says so to nothing at all too */
		*err = sk->err || (sk->shutdown & 2) ? -EPIPE : st->from.count ? send_some(sk, st) : 0;
	} while (!*err && st->from.count);
}

/* Bytes are in the queue: what the program wants to be told of them, and out. */
static void send_end(struct sock *sk, struct send_state *st, uint32_t tsflags)
{
	struct sk_buff *tail = skb_peek_tail(&sk->write_queue);

	if (unlikely(st->zc)) {
		tcp_zc_add(sk, st->start, tcp_sk(sk)->write_seq, st->joined);
		tcp_zc_acked(sk);
	}
	if (unlikely(tsflags) && tail)
		tcp_tx_timestamp(sk, tail, tsflags);
	if (st->size_goal && !(sk->shutdown & 2) && sk->state != TCP_CLOSE)
		tcp_push(sk, st->flags, st->mss_now, tcp_sk(sk)->nonagle, st->size_goal);
}

ssize_t tcp_sendmsg(struct sock *sk, struct msghdr *msg, size_t len)
{
	struct send_state st = { .flags = msg->msg_flags };
	struct sockcm_cookie cm;
	int err;
	TRACE_FN(&sk->net->probe, 0);

	lock_sock(sk);
	st.noblock = (st.flags & MSG_DONTWAIT) != 0;
	st.deadline = sock_deadline(sk->net->now_ns, sk->sndtimeo_ns, st.noblock);
	st.zc = unlikely(st.flags & MSG_ZEROCOPY) && len && sock_flag(sk, SOCK_F_ZEROCOPY);
	sockcm_init(&cm, sk);
	iov_iter_init(&st.from, msg->msg_iov, msg->msg_iovlen);
	if (st.from.count > len)
		st.from.count = len;
	err = st.zc ? tcp_zc_room(sk) : 0;
	if (err)
		goto out;
	if (unlikely(st.flags & MSG_FASTOPEN || inet_sk(sk)->defer_connect) && !tcp_sk(sk)->repair) {
		err = send_fastopen(sk, msg, &st);
		if (err)
			goto out;
	}
	err = wait_connect(sk, st.deadline, st.noblock, true);
	if (err)
		goto out;
	if (unlikely(tcp_sk(sk)->repair)) {
		ssize_t r = send_repair(sk, msg, len);

		if (r != 1 || tcp_sk(sk)->rare->repair_queue != TCP_SEND_QUEUE) {
			release_sock(sk);
			return r;
		}
	}
	if (unlikely(msg->msg_controllen)) {
		err = sock_cmsg_send(sk, msg, &cm);
		if (err)
			goto out;
	}
	st.start = tcp_sk(sk)->write_seq - (uint32_t)st.copied;
	send_all(sk, &st, &err);
out:
	if (st.copied)
		send_end(sk, &st, cm.tsflags);
	if (!st.copied && err) {
		if (err == -EPIPE && sk->err)
			err = sock_error(sk);
		if (err == -EPIPE && !(st.flags & MSG_NOSIGNAL) && sk->net->current)
			sk->net->current->pending_signals |= TASK_SIG(TASK_SIGPIPE);
	}
	release_sock(sk);
	return st.copied ? (ssize_t)st.copied : err;
}
