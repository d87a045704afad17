/* A TCP socket's life from the program's side: made, shut down, closed, asked what is ready.
 *
 * Called through struct proto (filled in ipv4/tcp_ipv4.c) and by the rest of the room when a connection ends.
 * RFC 9293 3.10.4 (CLOSE), 3.10.5 (ABORT), 3.6 (half-duplex close). Tests: tests/unit/tcp. */
#include <fcntl.h>
#include <asm/ioctls.h>
#include <linux/sockios.h>
#include "tcp/sock_map.h"
#include "tcp/tcp_accecn.h"
#include "tcp/tcp_auth.h"
#include "tcp/tcp_int.h"

/* Room for a writer: the write queue decides. What drivers still hold of clones (wmem_alloc, sock_def_write_space) does not
 * count here: tcp_check_space() asks once for each wait, and a wake-up that it lost would never come again. */
static void tcp_write_space(struct sock *sk)
{
	if (tcp_wmem_has_room(sk))
		wake_up(sk->wq, POLLOUT | POLLWRNORM | POLLWRBAND);
}

int tcp_init_sock(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	const struct tcp_sysctl *s = tcp_sysctl(sk);

	tp->fl = (struct tcp_flight *)(uintptr_t)&tcp_no_flight;
	tcp_init_xmit_timers(sk);
	sk->write_space = tcp_write_space;
	icsk->rto_us = TCP_TIMEOUT_INIT_US;
	tp->mdev_us = TCP_TIMEOUT_INIT_US;
	tp->min_rtt_us = ~0u;
	tp->snd_cwnd = TCP_INIT_CWND;
	tp->snd_ssthresh = TCP_INFINITE_SSTHRESH;
	tp->snd_cwnd_clamp = ~0u;
	tp->mss_cache = TCP_MSS_DEFAULT;
	tp->tcp_header_len = TCP_HLEN;
	tp->rx_opt.mss_clamp = TCP_MSS_DEFAULT;
	tp->reordering = (uint16_t)min_u32((uint32_t)s->reordering, UINT16_MAX);
	tp->rack_reo_wnd_steps = 1;
	tp->rto_min_us = (uint32_t)s->rto_min_us;
	tp->rate_app_limited = 1;
	tp->scaling_ratio = 128; /* half of a buffer is payload, until segments tell better */
	tcp_assign_congestion_control(sk);
	sk->state = TCP_CLOSE;
	sk->sndbuf = s->wmem[1];
	sk->rcvbuf = s->rmem[1];
	inet_sk(sk)->is_icsk = true;
	tcp_net(sk)->sockets_allocated++;
	return 0;
}

const struct tcp_flight tcp_no_flight = {
	.rtx_queue = { (struct sk_buff *)(uintptr_t)&tcp_no_flight.rtx_queue, (struct sk_buff *)(uintptr_t)&tcp_no_flight.rtx_queue, 0 },
	.tsorted_sent = { (struct list_head *)(uintptr_t)&tcp_no_flight.tsorted_sent,
			  (struct list_head *)(uintptr_t)&tcp_no_flight.tsorted_sent },
	.undo_retrans = -1,
	.rto_deadline_ns = TIME_NEVER,
	.xmit_deadline_ns = TIME_NEVER,
};

struct tcp_flight *tcp_flight(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (likely(tp->fl != &tcp_no_flight))
		return tp->fl;
	tp->fl = pool_zget(&tcp_net(sk)->flight_pool);
	skb_queue_head_init(&tp->fl->rtx_queue);
	list_init(&tp->fl->tsorted_sent);
	tp->fl->undo_retrans = -1;
	tp->fl->rto_deadline_ns = tp->fl->xmit_deadline_ns = TIME_NEVER;
	tp->fl->high_seq = tp->snd_nxt;
	tp->fl->cwnd_usage_seq = tp->snd_una; /* all of the flights before is acknowledged: cwnd is watched anew */
	tp->fl->delivered_ns = tp->fl->first_tx_ns = sk->net->now_ns;
	return tp->fl;
}

void tcp_flight_free(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (tp->fl != &tcp_no_flight)
		pool_put(&tcp_net(sk)->flight_pool, tp->fl);
	tp->fl = (struct tcp_flight *)(uintptr_t)&tcp_no_flight;
}

void tcp_flight_over(struct sock *sk)
{
	const struct tcp_flight *fl = tcp_sk(sk)->fl;

	if (fl == &tcp_no_flight || fl->packets_out || !skb_queue_empty(&fl->rtx_queue) || tcp_send_head(sk) ||
	    inet_csk(sk)->ca_state != TCP_CA_Open || fl->undo_marker || fl->tlp_high_seq || fl->retrans_stamp_ms ||
	    fl->rto_deadline_ns != TIME_NEVER)
		return;
	tcp_flight_free(sk);
}

struct tcp_rare *tcp_rare(struct sock *sk)
{
	if (!tcp_sk(sk)->rare) {
		tcp_sk(sk)->rare = pool_zget(&tcp_net(sk)->rare_pool);
		list_init(&tcp_sk(sk)->rare->zc);
	}
	return tcp_sk(sk)->rare;
}

struct tcp_stat *tcp_stat(struct sock *sk)
{
	if (!tcp_sk(sk)->stat)
		tcp_sk(sk)->stat = pool_zget(&tcp_net(sk)->stat_pool);
	return tcp_sk(sk)->stat;
}

struct tcp_sackinfo *tcp_sackinfo(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!tp->sack) {
		tp->sack = pool_zget(&tcp_net(sk)->sack_pool);
		skb_queue_head_init(&tp->sack->ofo_queue);
	}
	return tp->sack;
}

/* Everything that waits to be sent or acknowledged. */
void tcp_write_queue_purge(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb;

	while ((skb = skb_dequeue(&sk->write_queue)) != NULL)
		tcp_wmem_free_skb(sk, skb);
	while ((skb = skb_peek(&tp->fl->rtx_queue)) != NULL)
		tcp_rtx_queue_unlink_and_free(sk, skb);
	tcp_zc_purge(sk);
	tcp_chrono_stop(sk, TCP_CHRONO_BUSY);
	tcp_flight_free(sk);
	inet_csk(sk)->backoff = 0;
	inet_csk_clear_rto(sk);
}

void tcp_destroy_sock(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_net *tn = tcp_net(sk);

	tcp_clear_xmit_timers(sk);
	tcp_fastopen_child_done(sk);
	tcp_fastopen_client_gone(sk);
	inet_csk_unlink_accept(sk);
	inet_csk_listen_stop(sk);
	sk->prot->unhash(sk);
	tcp_write_queue_purge(sk);
	tcp_ofo_purge(sk, DROP_SOCKET_CLOSE);
	skb_queue_purge_reason(&sk->receive_queue, DROP_SOCKET_CLOSE);
	inet_put_port(sk);
	if (tp->sack)
		pool_put(&tn->sack_pool, tp->sack);
	if (tp->rare) {
		if (tp->rare->saved_syn)
			pool_put(&tn->saved_syn_pool, tp->rare->saved_syn);
		tcp_auth_free(sk->net, tp->rare->auth);
		pool_put(&tn->rare_pool, tp->rare);
	}
	if (tp->stat)
		pool_put(&tn->stat_pool, tp->stat);
	tcp_accecn_free(sk);
	tp->sack = NULL;
	tp->rare = NULL;
	tp->has_auth = 0;
	tp->stat = NULL;
	tcp_ca_free(sk);
	if (tp->orphan_counted) {
		tp->orphan_counted = 0;
		tn->orphan_count--;
	}
	tn->sockets_allocated--;
}

static const char *const state_names[] = { "?",	       "ESTABLISHED", "SYN_SENT",  "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2",
					   "TIME_WAIT", "CLOSE",       "CLOSE_WAIT", "LAST_ACK", "LISTEN",    "CLOSING" };

void tcp_set_state(struct sock *sk, uint8_t state)
{
	uint8_t old = sk->state;
	struct tcp_sock *tp = tcp_sk(sk);

	TRACE(&sk->net->probe, TR_STATE, 0, "tcp=%u:%u old=%s new=%s", inet_sk(sk)->num, inet_sk(sk)->dport, state_names[old],
	      state_names[state]);
	if (state == TCP_ESTABLISHED && !tp->estab_counted) {
		tp->estab_counted = 1;
		TCP_INC(sk->net, CurrEstab);
	} else if (state == TCP_CLOSE) {
		if (old == TCP_CLOSE_WAIT || old == TCP_ESTABLISHED)
			TCP_INC(sk->net, EstabResets);
		sk->prot->unhash(sk);
		if (inet_csk(sk)->bind_bucket && !(sk->userlocks & 8))
			inet_put_port(sk);
	}
	if (tp->estab_counted && state != TCP_ESTABLISHED && state != TCP_CLOSE_WAIT) {
		tp->estab_counted = 0;
		sk->net->mib.tcp.CurrEstab--;
	}
	sk->state = state;
}

void inet_csk_destroy_sock(struct sock *sk)
{
	sk_prot_destroy(sk);
	sock_put(sk);
}

/* The connection is over. */
void tcp_done(struct sock *sk)
{
	if (tcp_state_in(sk, TCPF_(SYN_SENT) | TCPF_(SYN_RECV)))
		TCP_INC(sk->net, AttemptFails);
	tcp_set_state(sk, TCP_CLOSE);
	tcp_clear_xmit_timers(sk);
	tcp_fastopen_child_done(sk); /* its place is the next one's, also if nobody has accepted it yet */
	sk->shutdown = 3;
	if (!sock_flag(sk, SOCK_F_DEAD))
		sk->state_change(sk);
	else
		inet_csk_destroy_sock(sk);
}

void tcp_reset(struct sock *sk, struct sk_buff *skb)
{
	TRACE_FN(&sk->net->probe, skb ? skb->serial : 0);

	switch (sk->state) {
	case TCP_SYN_SENT:
		sk->err = ECONNREFUSED;
		break;
	case TCP_CLOSE_WAIT:
		sk->err = EPIPE;
		break;
	case TCP_CLOSE:
		return;
	default:
		sk->err = ECONNRESET;
	}
	sock_hold(sk);
	tcp_fastopen_child_reset(sk);
	tcp_write_queue_purge(sk);
	tcp_done(sk);
	if (!sock_flag(sk, SOCK_F_DEAD))
		sk->error_report(sk);
	sock_put(sk);
}

void tcp_write_err(struct sock *sk, int err)
{
	sock_hold(sk);
	sk->err = err;
	tcp_write_queue_purge(sk);
	tcp_done(sk);
	if (!sock_flag(sk, SOCK_F_DEAD))
		sk->error_report(sk);
	sock_put(sk);
}

/* ICMP: RFC 5927. A hard error ends only what is not yet synchronised (decided in the glue). */
void tcp_icmp_soft_error(struct sock *sk, int err) { sk->err_soft = err; }
void tcp_icmp_hard_error(struct sock *sk, int err)
{
	if (tcp_state_in(sk, TCPF_(SYN_SENT) | TCPF_(SYN_RECV)))
		tcp_write_err(sk, err);
	else
		sk->err_soft = err;
}

/* The route learned a smaller MTU. */
void tcp_mtu_reduced(struct sock *sk, uint32_t mtu)
{
	if (tcp_state_in(sk, TCPF_(LISTEN) | TCPF_(CLOSE)) || inet_csk(sk)->pmtu_cookie <= mtu)
		return;
	tcp_sync_mss(sk, mtu);
	tcp_simple_retransmit(sk);
}

int tcp_wait(struct sock *sk, uint64_t deadline)
{
	int err;

	release_sock(sk);
	err = wait_on(sk->net, sk->wq, deadline);
	lock_sock(sk);
	return err;
}

/* ---- closing ---- */
/* Next state when the program closes; true: a FIN must go. */
static bool tcp_close_state(struct sock *sk)
{
	switch (sk->state) {
	case TCP_ESTABLISHED:
	case TCP_SYN_RECV:
		tcp_set_state(sk, TCP_FIN_WAIT1);
		return true;
	case TCP_CLOSE_WAIT:
		tcp_set_state(sk, TCP_LAST_ACK);
		return true;
	case TCP_SYN_SENT:
	case TCP_LISTEN:
		tcp_set_state(sk, TCP_CLOSE);
		return false;
	}
	return false;
}

void tcp_shutdown(struct sock *sk, int how)
{
	/* how: a mask as in sk->shutdown (1 receive, 2 send), as inet_shutdown hands it down */
	if (!(how & 2))
		return;
	lock_sock(sk);
	if (sk->state == TCP_SYN_RECV) { /* Fast Open: the FIN waits for the handshake's ACK, which calls again */
		sk->shutdown |= 2;
	} else if (tcp_state_in(sk, TCPF_(ESTABLISHED) | TCPF_(SYN_SENT) | TCPF_(CLOSE_WAIT))) {
		sk->shutdown |= 2;
		if (tcp_close_state(sk))
			tcp_send_fin(sk);
	}
	release_sock(sk);
}

/* True: something was there that nobody will ever read. */
static bool drop_unread(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb;
	bool unread = false;

	while ((skb = skb_dequeue(&sk->receive_queue)) != NULL) {
		uint32_t end = TCP_SKB_CB(skb)->end_seq - ((TCP_SKB_CB(skb)->tcp_flags & TCP_FIN) != 0);

		if (after(end, tp->copied_seq))
			unread = true;
		kfree_skb_reason(skb, DROP_SOCKET_CLOSE);
	}
	return unread;
}

static void wait_closed(struct sock *sk, uint64_t timeout_ns)
{
	uint64_t deadline = sock_deadline(sk->net->now_ns, timeout_ns, false);

	if (!timeout_ns)
		return;
	while (tcp_state_in(sk, TCPF_(FIN_WAIT1) | TCPF_(CLOSING) | TCPF_(LAST_ACK)))
		if (tcp_wait(sk, deadline))
			break;
}

/* The program is gone; what is left of the connection goes on alone. */
static void close_orphan(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (sk->state == TCP_FIN_WAIT2) {
		uint64_t tmo = tcp_fin_time_ns(sk);

		if (tp->rare && tp->rare->linger2 < 0) {
			tcp_set_state(sk, TCP_CLOSE);
			tcp_send_active_reset(sk);
			TCPEXT_INC(sk->net, TCPAbortOnLinger);
		} else if (tmo > TCP_TIMEWAIT_LEN_NS) {
			tcp_reset_keepalive_timer(sk, tmo - TCP_TIMEWAIT_LEN_NS);
		} else {
			tcp_time_wait(sk, TCP_FIN_WAIT2, tmo);
			return;
		}
	}
	if (sk->state != TCP_CLOSE && tcp_check_oom(sk, 0)) {
		tcp_set_state(sk, TCP_CLOSE);
		tcp_send_active_reset(sk);
		TCPEXT_INC(sk->net, TCPAbortOnMemory);
	}
	if (sk->state == TCP_CLOSE)
		inet_csk_destroy_sock(sk);
}

void tcp_close(struct sock *sk, uint64_t timeout_ns)
{
	struct net *net = sk->net;
	uint8_t state;
	TRACE_FN(&net->probe, 0);

	lock_sock(sk);
	sock_hold(sk);
	sk->shutdown = 3;
	if (sk->state == TCP_LISTEN) {
		tcp_set_state(sk, TCP_CLOSE);
		inet_csk_listen_stop(sk);
	} else {
		bool unread = drop_unread(sk);

		if (sk->state == TCP_CLOSE) {
			/* nothing to say */
		} else if (unlikely(tcp_sk(sk)->repair)) { /* it lives on elsewhere */
			sk->prot->disconnect(sk, 0);
		} else if (unread) { /* RFC 2525 2.17 */
			TCPEXT_INC(net, TCPAbortOnClose);
			tcp_set_state(sk, TCP_CLOSE);
			tcp_send_active_reset(sk);
		} else if (sock_flag(sk, SOCK_F_LINGER) && !sk->lingertime_ns) {
			sk->prot->disconnect(sk, 0);
			TCPEXT_INC(net, TCPAbortOnData);
		} else if (tcp_close_state(sk)) {
			tcp_send_fin(sk);
		}
		wait_closed(sk, timeout_ns);
	}
	state = sk->state;
	sock_orphan(sk);
	sock_set_flag(sk, SOCK_F_DEAD, true);
	if (!tcp_sk(sk)->orphan_counted) {
		tcp_sk(sk)->orphan_counted = 1;
		tcp_net(sk)->orphan_count++;
	}
	/* segments that waited meanwhile are handled now, with the socket an orphan already */
	release_sock(sk);
	lock_sock(sk);
	if (!(state != TCP_CLOSE && sk->state == TCP_CLOSE))
		close_orphan(sk);
	release_sock(sk);
	sock_put(sk);
}

static bool need_reset(uint8_t state)
{
	return (TCP_STATE_BIT(state) & (TCPF_(ESTABLISHED) | TCPF_(CLOSE_WAIT) | TCPF_(FIN_WAIT1) | TCPF_(FIN_WAIT2) |
					TCPF_(SYN_RECV))) != 0;
}

/* ABORT's first half: the peer, or who waits to be accepted, hears of it; the state is CLOSED. */
static void abort_connection(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	uint8_t old = sk->state;

	if (old == TCP_LISTEN) {
		tcp_set_state(sk, TCP_CLOSE);
		inet_csk_listen_stop(sk);
	} else if (unlikely(tp->repair)) {
		sk->err = ECONNABORTED;
	} else if (need_reset(old) ||
		   (tp->snd_nxt != tp->write_seq && (TCP_STATE_BIT(old) & (TCPF_(CLOSING) | TCPF_(LAST_ACK))))) {
		tcp_set_state(sk, TCP_CLOSE);
		tcp_send_active_reset(sk);
		sk->err = ECONNRESET;
	} else if (old == TCP_SYN_SENT) {
		sk->err = ECONNRESET;
	}
	if (old != TCP_CLOSE && sk->state != TCP_CLOSE)
		tcp_set_state(sk, TCP_CLOSE);
}

/* What was learned of the path: the next connection may take another one. (Linux 6.18 keeps the shortest round trip for as long as
 * tcp_min_rtt_wlen says; RFC 8985 6.2 means the connection's.) */
static void forget_path(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_rare *r = tp->rare;

	tp->min_rtt_us = ~0u;
	tp->mdev_max_us = tp->rttvar_us = tp->rcv_rtt_ms = 0;
	tp->reordering = (uint16_t)min_u32((uint32_t)tcp_sysctl(sk)->reordering, UINT16_MAX);
	tp->reord_seen = tp->rack_dsack_seen = tp->rack_advanced = 0;
	tp->rack_reo_wnd_steps = 1;
	tp->rack_reo_wnd_persist = 0;
	tp->rack_last_delivered = 0;
	tp->snd_cwnd_clamp = ~0u;
	tp->snd_cwnd_used = 0;
	tp->is_cwnd_limited = tp->frto = tp->tlp_retrans = 0;
	tp->rate_app_limited = 1;
	tcp_ca_free(sk);
	if (tp->sack)
		pool_put(&tcp_net(sk)->sack_pool, tp->sack);
	tp->sack = NULL;
	if (!r)
		return;
	memset(&r->mtup, 0, sizeof(r->mtup));
	r->pacing_next_ns = 0;
	if (r->saved_syn)
		pool_put(&tcp_net(sk)->saved_syn_pool, r->saved_syn);
	r->saved_syn = NULL;
}

/* Nothing of the old connection is told, measured or agreed in the next. */
static void forget_connection(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct inet_connection_sock *icsk = inet_csk(sk);
	uint16_t user_mss = tp->rx_opt.user_mss;

	forget_path(sk);
	tp->srtt_us = 0;
	tp->mdev_us = TCP_TIMEOUT_INIT_US;
	tp->rcv_rtt_us = tp->rcv_rtt_last_tsecr = 0;
	tp->write_seq += tp->max_window + 2; /* the next connection must not look like this one */
	if (!tp->write_seq)
		tp->write_seq = 1;
	icsk->backoff = icsk->probes_out = icsk->retransmits = 0;
	icsk->rto_us = TCP_TIMEOUT_INIT_US;
	icsk->ato_us = icsk->quick = icsk->pingpong = 0;
	icsk->last_seg_size = 0;
	icsk->probes_tstamp_ms = tp->last_oow_ack_ms = 0;
	tp->snd_ssthresh = TCP_INFINITE_SSTHRESH;
	tp->snd_cwnd = TCP_INIT_CWND;
	tp->snd_cwnd_cnt = tp->window_clamp = tp->delivered = tp->delivered_ce = tp->lost = 0;
	icsk->ca_state = TCP_CA_Open;
	tp->is_sack_reneg = 0;
	tp->syn_data = tp->syn_data_acked = 0;
	inet_sk(sk)->defer_connect = false;
	if (tp->rare) {
		tp->rare->fo_fail = 0;
		tp->rare->fo_option = tp->rare->fo_asked = tp->rare->fo_used = tp->rare->fo_probing = tp->rare->fo_born = false;
	}
	tp->total_retrans = tp->urg_data = tp->ecn_flags = 0;
	tp->bytes_acked = tp->bytes_received = tp->bytes_sent = 0;
	icsk->rcv_mss = TCP_MIN_MSS;
	tp->copied_seq = tp->rcv_nxt;
	tp->segs_in = tp->segs_out = tp->data_segs_in = tp->data_segs_out = 0;
	tp->rate_delivered = tp->rate_interval_us = tp->app_limited = 0;
	memset(tp->chrono_ms, 0, sizeof(tp->chrono_ms));
	if (tp->stat)
		memset(tp->stat, 0, sizeof(*tp->stat));
	tcp_accecn_free(sk);
	memset(&tp->rx_opt, 0, sizeof(tp->rx_opt));
	tp->rx_opt.user_mss = user_mss;
	tp->rx_opt.mss_clamp = TCP_MSS_DEFAULT;
}

/* ABORT, or connect(AF_UNSPEC): the socket is as new. */
int tcp_disconnect(struct sock *sk, int flags)
{
	struct inet_sock *inet = inet_sk(sk);

	lock_sock(sk);
	abort_connection(sk);
	tcp_fastopen_child_done(sk);
	tcp_clear_xmit_timers(sk);
	skb_queue_purge_reason(&sk->receive_queue, DROP_SOCKET_CLOSE);
	tcp_write_queue_purge(sk);
	tcp_ofo_purge(sk, DROP_SOCKET_CLOSE);
	inet->dport = 0;
	inet->daddr = 0;
	if (!(sk->userlocks & 4))
		inet->rcv_saddr = inet->saddr = 0;
	sk->shutdown = 0;
	sk->flags &= ~(uint32_t)SOCK_F_DONE;
	forget_connection(sk);
	sk_dst_reset(sk);
	sk->error_report(sk);
	release_sock(sk);
	(void)flags;
	return 0;
}

/* ---- readiness ---- */
/* TCP_NOTSENT_LOWAT. wake 1: to be called writable there must be half of it free, or a writer would be woken for each segment. */
bool tcp_notsent_ok(const struct sock *sk, unsigned wake)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	uint32_t lowat = tp->rare && tp->rare->notsent_lowat ? tp->rare->notsent_lowat : (uint32_t)tcp_sysctl(sk)->notsent_lowat;

	return (tp->write_seq - tp->snd_nxt) << wake < lowat;
}

static bool stream_is_readable(const struct sock *sk, int32_t target)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	int32_t avail = (int32_t)(tp->rcv_nxt - tp->copied_seq);

	if (avail <= 0)
		return false;
	return avail >= target || sk->rmem_alloc > sk->rcvbuf - (sk->rcvbuf >> 3) ||
	       tcp_receive_window(tp) <= inet_csk(sk)->rcv_mss;
}

/* Room for a writer: by the write queue, or in the peer's buffer if octets go there by the socket map. */
static bool tcp_writable(const struct sock *sk)
{
	bool answered = false, room = unlikely(tcp_psock(sk)) && tcp_bpf_writable(sk, &answered);

	return answered ? room : tcp_wmem_has_room(sk);
}

uint32_t tcp_poll(struct socket *s)
{
	struct sock *sk = s->sk;
	const struct tcp_sock *tp = tcp_sk(sk);
	uint32_t mask = 0;

	if (sk->state == TCP_LISTEN)
		return inet_csk(sk)->listener->qlen ? POLLIN | POLLRDNORM : 0;
	if (sk->shutdown == 3 || sk->state == TCP_CLOSE)
		mask |= POLLHUP;
	if (sk->shutdown & 1)
		mask |= POLLIN | POLLRDNORM | POLLRDHUP;
	if (sk->state == TCP_SYN_SENT && inet_sk(sk)->defer_connect)
		mask |= POLLOUT | POLLWRNORM; /* the SYN waits for data */
	if (sk->state != TCP_SYN_SENT && (sk->state != TCP_SYN_RECV || tp->fastopen_child)) {
		int32_t target = sk->rcvlowat > 0 ? sk->rcvlowat : 1;

		if (tp->urg_data && tp->urg_seq == tp->copied_seq && !sock_flag(sk, SOCK_F_URGINLINE))
			target++;
		if (stream_is_readable(sk, target))
			mask |= POLLIN | POLLRDNORM;
		if (!(sk->shutdown & 2)) {
			if (tcp_writable(sk))
				mask |= POLLOUT | POLLWRNORM;
			else
				sk->flags |= SOCK_F_NOSPACE_;
		} else {
			mask |= POLLOUT | POLLWRNORM;
		}
		if (tp->urg_data & TCP_URG_VALID)
			mask |= POLLPRI;
	}
	if (sk->err || !skb_queue_empty(&sk->error_queue))
		mask |= POLLERR | (!skb_queue_empty(&sk->error_queue) && sock_flag(sk, SOCK_F_SELECT_ERR_QUEUE) ? POLLPRI : 0u);
	return mask;
}

/* Bytes ready to read, up to the urgent mark. */
int tcp_inq(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	uint32_t answ;

	if (tcp_state_in(sk, TCPF_(SYN_SENT) | TCPF_(SYN_RECV)))
		return 0;
	answ = tp->rcv_nxt - tp->copied_seq;
	if (sock_flag(sk, SOCK_F_URGINLINE) || !tp->urg_data || before(tp->urg_seq, tp->copied_seq) ||
	    !before(tp->urg_seq, tp->rcv_nxt)) {
		if (answ && sock_flag(sk, SOCK_F_DONE))
			answ--; /* the FIN is no byte */
	} else {
		answ = tp->urg_seq - tp->copied_seq;
	}
	return (int)answ;
}

int tcp_ioctl(struct sock *sk, unsigned long cmd, void *arg)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	switch (cmd) {
	case SIOCINQ:
		if (sk->state == TCP_LISTEN)
			return -EINVAL;
		*(int *)arg = tcp_inq(sk);
		return 0;
	case SIOCATMARK:
		*(int *)arg = tp->urg_data && tp->urg_seq == tp->copied_seq;
		return 0;
	case SIOCOUTQ:
	case SIOCOUTQNSD:
		if (sk->state == TCP_LISTEN)
			return -EINVAL;
		*(int *)arg = tcp_state_in(sk, TCPF_(SYN_SENT) | TCPF_(SYN_RECV)) ? 0
			      : cmd == SIOCOUTQ					  ? (int)(tp->write_seq - tp->snd_una)
											  : (int)(tp->write_seq - tp->snd_nxt);
		return 0;
	}
	return -ENOTTY;
}
