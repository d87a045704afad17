/* From a protocol to the program: receive queue, control messages, readiness. The error queue is in sock_errq.c.
 *
 * Decides: whether a packet still fits the receive buffer, in which order queue and wake happen (S2-13: queue,
 * wake, then the woken task copies), what a reader gets and when it sleeps. Called by: datagram protocols
 * (TCP has its own queue), protocols' recvmsg. Hands on: sk->data_ready, wait queues.
 * Tests: tests/unit/core/test_sock.c, test_sockopt.c. */
#include <errno.h>
#include <linux/net_tstamp.h>
#include <string.h>
#include <sys/time.h>
#include "core/sock.h"

int sock_queue_rcv_skb(struct sock *sk, struct sk_buff *skb)
{
	uint32_t keep;

	if (sk->rmem_alloc >= sk->rcvbuf) {
		sk->drops++;
		return -ENOMEM;
	}
	if (sk->filter) {
		keep = sk_run_filter(sk, skb);
		if (!keep)
			return -EPERM;
		if (keep < skb->len)
			skb_trim(skb, keep);
	}
	skb_set_owner_r(skb, sk);
	/* The device may go away while it waits; skb_iif still says where it came in. */
	skb->dev = NULL;
	skb_queue_tail(&sk->receive_queue, skb);
	TRACE(&sk->net->probe, TR_QUEUE, skb->serial, "queue=sk_receive_queue len=%u ino=%llu",
	      sk->receive_queue.qlen, (unsigned long long)sk->ino);
	if (!sock_flag(sk, SOCK_F_DEAD))
		sk->data_ready(sk);
	return 0;
}

/* ---- the reader ---- */

static struct sk_buff *sock_try_recv(struct sock *sk, int flags)
{
	struct sk_buff *skb = skb_peek(&sk->receive_queue);

	if (!skb)
		return NULL;
	if (flags & MSG_PEEK) {
		skb->peeked = 1;
		return skb_get(skb);
	}
	skb_unlink(skb, &sk->receive_queue);
	TRACE(&sk->net->probe, TR_DEQUEUE, skb->serial, "queue=sk_receive_queue len=%u ino=%llu",
	      sk->receive_queue.qlen, (unsigned long long)sk->ino);
	return skb;
}

struct sk_buff *skb_recv_datagram(struct sock *sk, int flags, int *err)
{
	bool noblock = (flags & MSG_DONTWAIT) != 0;
	uint64_t deadline = sock_deadline(sk->net->now_ns, sk->rcvtimeo_ns, noblock);

	for (;;) {
		struct sk_buff *skb;

		*err = sock_error(sk);
		if (*err)
			return NULL;
		skb = sock_try_recv(sk, flags);
		if (skb)
			return skb;
		/* The end of a datagram socket is told to who waits for data; who does not is told that there is none. */
		if (noblock) {
			*err = -EAGAIN;
			return NULL;
		}
		if (sk->shutdown & SHUT_MASK_RCV)
			return NULL;
		*err = wait_on_exclusive(sk->net, sk->wq, deadline);
		if (*err) {
			*err = *err == -ETIMEDOUT ? -EAGAIN : *err;
			return NULL;
		}
	}
}

uint32_t datagram_poll(struct socket *s)
{
	const struct sock *sk = s->sk;
	uint32_t mask = 0;

	if (sk->err || !skb_queue_empty(&sk->error_queue))
		mask |= POLLERR | (sock_flag(sk, SOCK_F_SELECT_ERR_QUEUE) ? POLLPRI : 0u);
	if (sk->shutdown & SHUT_MASK_RCV)
		mask |= POLLRDHUP | POLLIN | POLLRDNORM;
	if (sk->shutdown == (SHUT_MASK_RCV | SHUT_MASK_SEND))
		mask |= POLLHUP;
	if (!skb_queue_empty(&sk->receive_queue))
		mask |= POLLIN | POLLRDNORM;
	if (sock_writeable(sk))
		mask |= POLLOUT | POLLWRNORM | POLLWRBAND;
	return mask;
}

/* ---- control messages ---- */

int put_cmsg(struct msghdr *msg, int level, int type, size_t len, const void *data)
{
	size_t need = CMSG_LEN(len), space = CMSG_SPACE(len);
	struct cmsghdr h = { .cmsg_level = level, .cmsg_type = type };
	char *at = msg->msg_control;

	if (!at || msg->msg_controllen < sizeof(h)) {
		msg->msg_flags |= MSG_CTRUNC;
		return 0;
	}
	if (msg->msg_controllen < need) {
		msg->msg_flags |= MSG_CTRUNC;
		need = msg->msg_controllen;
	}
	h.cmsg_len = need;
	memcpy(at, &h, sizeof(h));
	if (need > CMSG_LEN(0))
		memcpy(at + CMSG_LEN(0), data, need - CMSG_LEN(0));
	space = min_sz(space, msg->msg_controllen);
	msg->msg_control = at + space;
	msg->msg_controllen -= space;
	return 0;
}

static void sock_put_timespec(struct msghdr *msg, struct sock *sk, uint64_t ns)
{
	if (sock_flag(sk, SOCK_F_RCVTSTAMPNS)) {
		struct timespec ts = { .tv_sec = (time_t)(ns / NSEC_PER_SEC),
				       .tv_nsec = (long)(ns % NSEC_PER_SEC) };

		put_cmsg(msg, SOL_SOCKET, sock_flag(sk, SOCK_F_TSTAMP_NEW) ? 64 /* SO_TIMESTAMPNS_NEW */ : SO_TIMESTAMPNS, sizeof(ts), &ts);
	} else {
		struct timeval tv = { .tv_sec = (time_t)(ns / NSEC_PER_SEC),
				      .tv_usec = (suseconds_t)(ns % NSEC_PER_SEC / NSEC_PER_USEC) };

		put_cmsg(msg, SOL_SOCKET, sock_flag(sk, SOCK_F_TSTAMP_NEW) ? 63 /* SO_TIMESTAMP_NEW */ : SO_TIMESTAMP, sizeof(tv), &tv);
	}
}

void sock_put_timestamps(struct msghdr *msg, struct sock *sk, uint64_t ns, bool sent)
{
	if (sock_flag(sk, SOCK_F_RCVTSTAMP))
		sock_put_timespec(msg, sk, ns);
	if ((sk->tsflags & SOF_TIMESTAMPING_SOFTWARE) && (sent || (sk->tsflags & SOF_TIMESTAMPING_RX_SOFTWARE))) {
		struct scm_timestamping tss = { 0 };

		tss.ts[0].tv_sec = (time_t)(ns / NSEC_PER_SEC);
		tss.ts[0].tv_nsec = (long)(ns % NSEC_PER_SEC);
		put_cmsg(msg, SOL_SOCKET, SO_TIMESTAMPING, sizeof(tss), &tss);
	}
}

void sock_recv_timestamp(struct msghdr *msg, struct sock *sk, struct sk_buff *skb)
{
	bool sent = skb->pkt_type == PACKET_OUTGOING_;

	/* Of what came back by the error queue only SO_TIMESTAMPING's packets have a time of their own. */
	if (!sent)
		sock_put_timestamps(msg, sk, skb->tstamp_ns ? skb->tstamp_ns : sk->net->now_ns, false);
	else if (skb_ext_err(skb)->ee.ee_origin == SO_EE_ORIGIN_TIMESTAMPING)
		sock_put_timestamps(msg, sk, skb->tstamp_ns, true);
	if (sock_flag(sk, SOCK_F_RXQ_OVFL))
		put_cmsg(msg, SOL_SOCKET, SO_RXQ_OVFL, sizeof(sk->drops), &sk->drops);
	if (sock_flag(sk, SOCK_F_RCVMARK))
		put_cmsg(msg, SOL_SOCKET, SO_MARK, sizeof(skb->mark), &skb->mark);
	if (sock_flag(sk, SOCK_F_RCVPRIORITY))
		put_cmsg(msg, SOL_SOCKET, SO_PRIORITY, sizeof(skb->priority), &skb->priority);
}
