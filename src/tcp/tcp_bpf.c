/* The way through the socket map: a send on one end of a connection puts its octets on the receive queue of the other.
 *
 *     tcp_bpf_sendmsg -> tcp_bpf_send_verdict -> bpf_tcp_ingress -> sk_psock_queue_msg -> sk_psock_data_ready
 *                              \ no: tcp_sendmsg, IP, lo, tcp_v4_rcv                tcp_bpf_recvmsg -> tcp_recvmsg
 *
 * THEORY. Two established sockets of one host that are each other's ends are joined (sock_map.c). Handshake, FIN, RST,
 * keep-alives and urgent octets are segments over lo as ever. Octets that go through the map keep their sequence
 * numbers: handing over n of them does to both control blocks what one segment of n octets and its ACK, which offers
 * the same window again, would have done:
 *
 *     sender      snd_una = snd_nxt = write_seq, all + n; snd_wl1, snd_up, pushed_seq follow
 *     receiver    rcv_nxt = rcv_wup, both + n; snd_wl1 follows; an sk_buff [seq, seq + n) on the receive queue
 *
 * So a FIN or RST that follows has the number that the receiver expects, and peek, poll, SO_RCVLOWAT, SIOCINQ, the urgent
 * mark, half close, and the RST for octets that nobody read are TCP's own code. A capture on lo sees a gap in the
 * numbers, which is what happened. (Linux's sockmap gives its octets no numbers and keeps them on a queue of their own;
 * there the order of what went by TCP and what went by the map is the program's care.)
 *
 * INVARIANT: the map is taken only while nothing is on its way between the two by TCP: both ends' snd_una == snd_nxt, the
 * sender has nothing unsent, and the receiver's rcv_nxt is the sender's write_seq. Then nothing can overtake anything.
 * If all has arrived and only an ACK is owed, it is sent now (tcp_bpf_settle); if not even that helps, this call goes by
 * TCP. So a pair may be joined or parted at any octet. Window: the map does not narrow it; if a sender goes back to TCP
 * while the receiver's queue is full, what it may send was offered once, and such octets are accepted up to twice rcvbuf
 * (tcp_try_rmem_schedule).
 *
 * LIMITS: the receiver's rcvbuf, in truesize, and tcp_mem; a sender waits for the reader (poll: writable when a third
 * of rcvbuf is free). Small messages share a buffer. The send buffer is not used.
 *
 * WHAT GOES BY TCP ALL THE SAME: MSG_OOB, MSG_ZEROCOPY, MSG_FASTOPEN; senders with SO_TIMESTAMPING for what they send or with
 * SO_MAX_PACING_RATE; receivers with a socket filter, or closed (they must answer with a RST). Netfilter, queue
 * disciplines and captures do not see octets that take the map: that is its price. tcp_info counts its octets as
 * acknowledged and received, not as segments.
 *
 * Called through struct sock_map's prot, by tcp_poll and tcp_cleanup_rbuf.
 * Tests: tests/unit/socket/test_sockmap.c, tests/behaviours/test_sockmap.py (S2-81, S2-82). */
#include "tcp/sock_map.h"
#include "tcp/tcp_int.h"

/* The largest piece: one buffer of the pool's largest class. */
#define PIECE_MAX 65536u
/* Behind unread octets a buffer has at least this much room, for small messages that follow. */
#define PIECE_SHARED 4000u

enum sk_action { SK_PASS_, SK_REDIRECT_ };

/* ---- may it go through the map? ---- */

/* Nothing of these two is on its way by TCP (the invariant). */
static inline bool tcp_bpf_drained(const struct sock *sk, const struct sock *peer)
{
	const struct tcp_sock *tp = tcp_sk(sk), *pp = tcp_sk(peer);

	return tp->snd_una == tp->write_seq && pp->rcv_nxt == tp->write_seq && pp->snd_una == pp->snd_nxt;
}

static inline bool tcp_bpf_allowed(const struct sock *sk, const struct sock *peer)
{
	if (unlikely(!tcp_state_in(sk, TCPF_(ESTABLISHED) | TCPF_(CLOSE_WAIT)) || sk->err || (sk->shutdown & 2)))
		return false;
	if (unlikely(peer->state != TCP_ESTABLISHED && (peer->state != TCP_FIN_WAIT2 || (peer->shutdown & 1))))
		return false;
	return likely(!sock_flag(peer, SOCK_F_DEAD) && !peer->filter && !sk->tsflags && !tcp_needs_pacing(sk));
}

/* What is on its way has arrived and only the ACKs are owed: have them sent, and let them come. */
static void tcp_bpf_settle(struct sock *sk, struct sock *peer)
{
	const struct tcp_sock *tp = tcp_sk(sk), *pp = tcp_sk(peer);
	bool ours = tp->snd_una != tp->write_seq, theirs = pp->snd_una != pp->snd_nxt;

	if (tp->snd_nxt != tp->write_seq || pp->rcv_nxt != tp->snd_nxt || tp->rcv_nxt != pp->snd_nxt)
		return;
	if (ours)
		tcp_send_ack(peer);
	if (theirs)
		tcp_send_ack(sk);
	release_sock(sk);
	lock_sock(sk);
}

/* *peer: to whom. */
static enum sk_action tcp_bpf_send_verdict(struct sock *sk, struct sock **peer)
{
	const struct sk_psock *psock = tcp_psock(sk);
	TRACE_FN(&sk->net->probe, 0);

	if (unlikely(!psock || !psock->peer || !tcp_bpf_allowed(sk, psock->peer)))
		return SK_PASS_;
	if (unlikely(!tcp_bpf_drained(sk, psock->peer))) {
		tcp_bpf_settle(sk, psock->peer);
		psock = tcp_psock(sk); /* softirqs ran */
		if (!psock || !psock->peer || !tcp_bpf_allowed(sk, psock->peer) || !tcp_bpf_drained(sk, psock->peer))
			return SK_PASS_;
	}
	*peer = psock->peer;
	return SK_REDIRECT_;
}

/* ---- over to the other end ---- */

static inline int32_t tcp_bpf_room(const struct sock *peer)
{
	return peer->rcvbuf - peer->rmem_alloc;
}

/* The last unread buffer, if it is the receiver's alone and has room; else NULL. */
static struct sk_buff *unread_tail(const struct sock *peer)
{
	struct sk_buff *skb = skb_peek_tail(&peer->receive_queue);

	if (!skb || !skb_tailroom(skb) || skb_cloned(skb) || skb_shared(skb) ||
	    (TCP_SKB_CB(skb)->tcp_flags & (TCP_SYN | TCP_FIN)) || TCP_SKB_CB(skb)->end_seq != tcp_sk(peer)->rcv_nxt)
		return NULL;
	return skb;
}

/* A new buffer for up to "want" octets. NULL: *err. */
static struct sk_buff *sk_msg_alloc(struct sock *peer, size_t want, int *err)
{
	bool unread = !skb_queue_empty(&peer->receive_queue);
	uint32_t n = (uint32_t)min_sz(want, PIECE_MAX);
	struct sk_buff *skb;

	if (unread)
		n = min_u32(max_u32(n, PIECE_SHARED), max_u32((uint32_t)tcp_bpf_room(peer), PIECE_SHARED));
	if (unlikely(!tcp_rmem_schedule(peer, n)) && unread) {
		*err = -EAGAIN; /* it has something to read, and will */
		return NULL;
	}
	skb = alloc_skb(peer->net, n);
	if (unlikely(!skb)) {
		*err = -ENOMEM;
		return NULL;
	}
	TCP_SKB_CB(skb)->seq = TCP_SKB_CB(skb)->end_seq = tcp_sk(peer)->rcv_nxt;
	TCP_SKB_CB(skb)->tcp_flags = TCP_ACK;
	TCP_SKB_CB(skb)->ofo.room = 0;
	skb->tstamp_ns = peer->net->now_ns;
	return skb;
}

static uint32_t sk_msg_memcopy_from_iter(struct sk_buff *skb, struct iov_iter *from)
{
	uint32_t n = (uint32_t)min_sz(from->count, skb_tailroom(skb));
	TRACE_FN(&skb->net->probe, skb->serial);

	n = (uint32_t)copy_from_iter(skb->tail, n, from);
	skb_put(skb, n);
	TCP_SKB_CB(skb)->end_seq += n;
	skb->net->skb_mib.user_to_skb_bytes += n;
	TRACE(&skb->net->probe, TR_COPY, skb->serial, "len=%u from=user to=skb", n);
	return n;
}

static void sk_psock_queue_msg(struct sock *peer, struct sk_buff *skb)
{
	TRACE_FN(&peer->net->probe, skb->serial);

	skb_queue_tail(&peer->receive_queue, skb);
	tcp_set_owner_r(skb, peer);
	TRACE(&peer->net->probe, TR_QUEUE, skb->serial, "queue=sk_receive_queue len=%u tcp=%u:%u", peer->receive_queue.qlen,
	      inet_sk(peer)->num, inet_sk(peer)->dport);
}

/* What a segment of n octets and its ACK would have done (see the theory). */
static void tcp_bpf_advance(struct sock *sk, struct sock *peer, uint32_t n)
{
	struct tcp_sock *tp = tcp_sk(sk), *pp = tcp_sk(peer);
	uint32_t now = tcp_time_ms(sk);

	pp->snd_wl1 = tp->write_seq;
	tp->snd_wl1 = tp->rcv_nxt;
	tp->write_seq += n;
	tp->snd_una = tp->snd_nxt = tp->snd_sml = tp->snd_up = tp->pushed_seq = tp->write_seq;
	tp->bytes_acked += n;
	tp->lsndtime_ms = tp->rcv_tstamp_ms = now;
	pp->rcv_nxt = pp->rcv_wup = tp->write_seq;
	pp->bytes_received += n;
	pp->rcv_tstamp_ms = inet_csk(peer)->last_rcv_ms = now;
}

static void sk_psock_data_ready(struct sock *peer)
{
	TRACE_FN(&peer->net->probe, 0);

	tcp_data_ready(peer);
}

/* Nothing of a buffer that cannot be read: the segment made for it goes. */
static ssize_t sk_msg_fault(struct sk_buff *skb, bool fresh)
{
	if (fresh)
		kfree_skb_reason(skb, DROP_SOCKET_CLOSE);
	return -EFAULT;
}

/* Some of it. Octets; -EAGAIN: the receiver has no room. */
static ssize_t bpf_tcp_ingress(struct sock *sk, struct sock *peer, struct iov_iter *from)
{
	struct sk_buff *skb = unread_tail(peer);
	int err = 0;
	uint32_t n;
	TRACE_FN(&sk->net->probe, 0);

	if (skb) {
		n = sk_msg_memcopy_from_iter(skb, from);
		if (unlikely(!n))
			return sk_msg_fault(skb, false);
	} else {
		if (tcp_bpf_room(peer) <= 0)
			return -EAGAIN;
		skb = sk_msg_alloc(peer, from->count, &err);
		if (!skb)
			return err;
		n = sk_msg_memcopy_from_iter(skb, from);
		if (unlikely(!n))
			return sk_msg_fault(skb, true);
		sk_psock_queue_msg(peer, skb);
	}
	tcp_bpf_advance(sk, peer, n);
	sk_psock_data_ready(peer);
	return n;
}

/* ---- the calls ---- */

/* What is left of the program's buffers, by TCP. Octets or -errno. */
static ssize_t send_rest_by_tcp(struct sock *sk, const struct msghdr *msg, struct iov_iter *from)
{
	struct msghdr m = *msg;
	struct iovec one;
	size_t done = 0;

	m.msg_iov = &one;
	m.msg_iovlen = 1;
	while (from->count) {
		size_t here = from->iov->iov_len - from->off, n = min_sz(here, from->count);
		ssize_t sent;

		one = (struct iovec){ (char *)from->iov->iov_base + from->off, n };
		m.msg_flags = msg->msg_flags | (n < from->count ? MSG_MORE : 0);
		sent = n ? tcp_sendmsg(sk, &m, n) : 0;
		if (sent < 0)
			return done ? (ssize_t)done : sent;
		done += (size_t)sent;
		if ((size_t)sent < n)
			break;
		from->count -= n;
		from->iov++;
		from->off = 0;
	}
	return (ssize_t)done;
}

struct bpf_send {
	struct iov_iter from;
	size_t copied;
	bool by_tcp; /* the rest */
};

/* The receiver is full. 0: look again. */
static int wait_for_reader(struct sock *sk, int flags)
{
	int err;

	sk->flags |= SOCK_F_NOSPACE_;
	if (flags & MSG_DONTWAIT)
		return -EAGAIN;
	err = tcp_wait(sk, sock_deadline(sk->net->now_ns, sk->sndtimeo_ns, false));
	return err == -ETIMEDOUT ? -EAGAIN : err;
}

static int send_by_map(struct sock *sk, struct bpf_send *st, int flags)
{
	int err = 0;

	while (!err && st->from.count) {
		struct sock *peer;
		ssize_t n;

		if (tcp_bpf_send_verdict(sk, &peer) != SK_REDIRECT_) {
			st->by_tcp = true;
			break;
		}
		n = bpf_tcp_ingress(sk, peer, &st->from);
		if (n > 0)
			st->copied += (size_t)n;
		else
			err = n == -EAGAIN ? wait_for_reader(sk, flags) : (int)n;
	}
	return err;
}

static void count(struct sock *sk, const struct bpf_send *st)
{
	struct sock_map *sm = tcp_net(sk)->sockmap;
	struct sk_psock *psock = tcp_psock(sk);

	if (unlikely(!psock))
		return;
	psock->msgs += st->copied != 0;
	psock->octets += st->copied;
	psock->by_tcp += st->by_tcp;
	sm->msgs += st->copied != 0;
	sm->octets += st->copied;
	sm->by_tcp += st->by_tcp;
}

ssize_t tcp_bpf_sendmsg(struct sock *sk, struct msghdr *msg, size_t len)
{
	struct bpf_send st = { .copied = 0 };
	int err;
	ssize_t sent;
	TRACE_FN(&sk->net->probe, 0);

	iov_iter_init(&st.from, msg->msg_iov, msg->msg_iovlen);
	st.from.count = min_sz(st.from.count, len);
	lock_sock(sk);
	if (unlikely(!len || (msg->msg_flags & (MSG_OOB | MSG_ZEROCOPY | MSG_FASTOPEN)))) {
		st.by_tcp = true;
		err = 0;
	} else {
		err = send_by_map(sk, &st, msg->msg_flags);
	}
	count(sk, &st);
	release_sock(sk);
	if (likely(!st.by_tcp))
		return st.copied ? (ssize_t)st.copied : err;
	if (!st.copied)
		return tcp_sendmsg(sk, msg, len);
	if (sk->err || (sk->shutdown & 2))
		return (ssize_t)st.copied;
	sent = send_rest_by_tcp(sk, msg, &st.from);
	return (ssize_t)st.copied + (sent > 0 ? sent : 0);
}

/* The octets lie where TCP puts its own. */
ssize_t tcp_bpf_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags, socklen_t *addr_len)
{
	TRACE_FN(&sk->net->probe, 0);

	return tcp_recvmsg(sk, msg, len, flags, addr_len);
}

bool tcp_bpf_writable(const struct sock *sk, bool *answered)
{
	const struct sk_psock *psock = tcp_psock(sk);
	const struct sock *peer = psock ? psock->peer : NULL;

	*answered = peer && tcp_bpf_allowed(sk, peer) && tcp_bpf_drained(sk, peer);
	return *answered && tcp_bpf_room(peer) >= peer->rcvbuf / 3;
}

bool tcp_bpf_read_done(struct sock *sk)
{
	const struct sk_psock *psock = tcp_psock(sk);
	struct sock *peer = psock ? psock->peer : NULL;

	if (!peer)
		return false;
	if ((peer->flags & SOCK_F_NOSPACE_) && tcp_bpf_room(sk) >= sk->rcvbuf / 3) {
		peer->flags &= ~SOCK_F_NOSPACE_;
		wake_up(peer->wq, POLLOUT | POLLWRNORM | POLLWRBAND);
	}
	return tcp_bpf_drained(peer, sk);
}
