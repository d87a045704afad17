/* The memory of a host's TCP: what the queues of all its connections hold together, in octets of truesize, against
 * the three limits of sysctl net.ipv4.tcp_mem (pages of 4096).
 *
 * Counted are both directions: write queue and retransmission queue (wmem_queued), receive queue and out-of-order queue
 * (rmem_alloc). Clones on their way out share their data and are not counted.
 *
 *   below [0]   nobody is bothered; a state of pressure ends here
 *   above [0]   a writer whose peer takes nothing (its window is full, or it does not answer) must wait: what it queues
 *               now would only lie there. So 100,000 closed windows hold [0] and no more, and leave the rest to others.
 *   above [1]   pressure: windows and send buffers stop growing, offered windows shrink to four segments, orphans with
 *               unsent data go first (tcp_check_oom)
 *   above [2]   nothing more is charged, but for a connection that holds less than tcp_rmem[0] or tcp_wmem[0], and for
 *               the one segment that an empty receive queue may always take: so everybody still makes progress. An
 *               eighth of [2] is there for these; beyond it there is none.
 *
 * Called by tcp_sendmsg.c, tcp_rcvq.c, tcp_input.c, tcp_output.c, tcp_timer.c. Tests: tests/unit/tcp/test_tcp_flood.c. */
#include "tcp/tcp_int.h"

#define PAGE 4096ll

static int64_t limit_of(const struct tcp_net *tn, unsigned i) { return tn->sysctl.mem[i] * PAGE; }

static void enter_pressure(struct sock *sk)
{
	struct tcp_net *tn = tcp_net(sk);

	if (tn->mem_pressure_ns)
		return;
	tn->mem_pressure_ns = sk->net->now_ns ? sk->net->now_ns : 1;
	TCPEXT_INC(sk->net, TCPMemoryPressures);
}

bool tcp_under_memory_pressure(struct sock *sk)
{
	struct tcp_net *tn = tcp_net(sk);

	if (likely(!tn->mem_pressure_ns))
		return false;
	if (tn->mem_allocated >= limit_of(tn, 0))
		return true;
	sk->net->mib.tcpext.TCPMemoryPressuresChrono += (sk->net->now_ns - tn->mem_pressure_ns) / NSEC_PER_MSEC;
	tn->mem_pressure_ns = 0;
	return false;
}

bool tcp_mem_below_low(const struct sock *sk) { return tcp_net(sk)->mem_allocated < limit_of(tcp_net(sk), 0); }

/* May n octets more be charged? held: what this connection holds in this direction; floor: what it may always. */
static bool schedule(struct sock *sk, uint32_t n, int64_t held, int64_t floor)
{
	struct tcp_net *tn = tcp_net(sk);
	int64_t would = tn->mem_allocated + n;

	if (likely(would <= limit_of(tn, 1))) {
		if (unlikely(tn->mem_pressure_ns))
			tcp_under_memory_pressure(sk);
		return true;
	}
	enter_pressure(sk);
	return would <= limit_of(tn, 2) || (held < floor && would <= limit_of(tn, 2) / 8 * 9);
}

/* Would n octets more lie in the queue, because the peer does not take what is there? */
static bool stalled(const struct sock *sk, uint32_t n)
{
	return tcp_sk(sk)->write_seq + n - tcp_sk(sk)->snd_una > tcp_sk(sk)->snd_wnd || inet_csk(sk)->retransmits || inet_csk(sk)->probes_out;
}

bool tcp_wmem_schedule(struct sock *sk, uint32_t n)
{
	bool idle = tcp_net(sk)->mem_allocated + n > limit_of(tcp_net(sk), 0) && stalled(sk, n);

	if (!idle && schedule(sk, n, sk->wmem_queued, tcp_sysctl(sk)->wmem[0]))
		return true;
	/* a writer that holds much shall hold less from now on */
	if (!(sk->userlocks & 1)) {
		int32_t half = sk->wmem_queued >> 1;

		if (half < SOCK_MIN_SNDBUF)
			half = SOCK_MIN_SNDBUF;
		if (sk->sndbuf > half)
			sk->sndbuf = half;
	}
	return false;
}

bool tcp_rmem_schedule(struct sock *sk, uint32_t n)
{
	return schedule(sk, n, sk->rmem_alloc, tcp_sysctl(sk)->rmem[0]);
}

bool tcp_out_of_memory(struct sock *sk)
{
	return sk->wmem_queued > SOCK_MIN_SNDBUF && tcp_net(sk)->mem_allocated > limit_of(tcp_net(sk), 2);
}

/* Must this orphan go? Too many of them (a peer that does not answer weighs double), or no memory. */
bool tcp_check_oom(struct sock *sk, unsigned shift)
{
	return (int64_t)tcp_net(sk)->orphan_count << shift > tcp_sysctl(sk)->max_orphans || tcp_out_of_memory(sk);
}

/* ---- received segments ---- */
static void tcp_rfree(struct sk_buff *skb)
{
	skb->sk->rmem_alloc -= (int32_t)skb->truesize;
	tcp_net(skb->sk)->mem_allocated -= skb->truesize;
}

void tcp_set_owner_r(struct sk_buff *skb, struct sock *sk)
{
	skb_orphan(skb);
	skb->sk = sk;
	skb->destructor = tcp_rfree;
	sk->rmem_alloc += (int32_t)skb->truesize;
	tcp_net(sk)->mem_allocated += skb->truesize;
}

/* ---- buffers of a connection ---- */
/* An ACK may have opened the congestion window: a writer who waits gets a send buffer for it, before the window is filled again. */
void tcp_grow_sndbuf(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (likely(!(sk->flags & SOCK_F_NOSPACE_)) || sk->userlocks & 1)
		return;
	if (tp->fl->packets_out < tp->snd_cwnd && inet_csk(sk)->ca_state < TCP_CA_Recovery && !tcp_under_memory_pressure(sk) &&
	    tcp_mem_below_low(sk)) {
		tcp_sndbuf_expand(sk);
		tp->snd_cwnd_stamp_ms = tcp_time_ms(sk);
	}
}

/* Room appeared in the send buffer. */
void tcp_check_space(struct sock *sk)
{
	if (!(sk->flags & SOCK_F_NOSPACE_))
		return;
	if (tcp_wmem_has_room(sk)) {
		tcp_chrono_stop(sk, TCP_CHRONO_SNDBUF_LIMITED);
		sk->flags &= ~SOCK_F_NOSPACE_;
		sk->write_space(sk);
	}
}
