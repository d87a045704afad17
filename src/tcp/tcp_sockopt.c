/* TCP's socket options (tcp(7)) and struct tcp_info.
 *
 * Called through proto.setsockopt/getsockopt for level IPPROTO_TCP. Numbers and errors are Linux's.
 * Tests: tests/unit/tcp. */
#include <errno.h>
#include "tcp/sock_map.h"
#include "tcp/tcp_info.h"
#include "tcp/tcp_int.h"

#define OPT_USER_TIMEOUT 18
#define OPT_FASTOPEN 23
#define OPT_NOTSENT_LOWAT 25
#define OPT_INQ 36

static void set_cork(struct sock *sk, bool on)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (on) {
		tp->nonagle |= TCP_NAGLE_CORK;
		return;
	}
	tp->nonagle &= (uint8_t)~TCP_NAGLE_CORK;
	if (tp->nonagle & TCP_NAGLE_OFF)
		tp->nonagle |= TCP_NAGLE_PUSH;
	if (tcp_send_head(sk))
		__tcp_push_pending_frames(sk, tcp_current_mss(sk), TCP_NAGLE_OFF);
}

static void set_nodelay(struct sock *sk, bool on)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!on) {
		tp->nonagle &= (uint8_t)~TCP_NAGLE_OFF;
		return;
	}
	tp->nonagle |= TCP_NAGLE_OFF | TCP_NAGLE_PUSH;
	if (tcp_send_head(sk) && sk->state != TCP_CLOSE)
		__tcp_push_pending_frames(sk, tcp_current_mss(sk), tp->nonagle);
}

static int set_keepidle(struct sock *sk, int v)
{
	if (v < 1 || v > 32767)
		return -EINVAL;
	tcp_rare(sk)->keepalive_time = (uint32_t)v;
	if (sock_flag(sk, SOCK_F_KEEPOPEN) && !tcp_state_in(sk, TCPF_(CLOSE) | TCPF_(LISTEN))) {
		uint64_t idle = tcp_keepalive_elapsed_ns(sk), want = tcp_keepalive_time_ns(sk);

		tcp_reset_keepalive_timer(sk, want > idle ? want - idle : 0);
	}
	return 0;
}

static void set_quickack(struct sock *sk, int v)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	if (!v) {
		icsk->pingpong = TCP_PINGPONG_THRESH;
		return;
	}
	icsk->pingpong = 0;
	if (tcp_state_in(sk, TCPF_(ESTABLISHED) | TCPF_(CLOSE_WAIT)) && (icsk->ack_pending & ICSK_ACK_SCHED)) {
		icsk->ack_pending |= ICSK_ACK_PUSHED;
		tcp_cleanup_rbuf(sk, 1);
		if (!(v & 1))
			icsk->pingpong = TCP_PINGPONG_THRESH;
	}
}

static uint8_t secs_to_retrans(int secs)
{
	uint8_t n = 0;
	int t = 1, period = 1;

	while (secs > 0 && n < 255) {
		n++;
		if (t >= secs)
			break;
		period = period < 60 ? period * 2 : 120;
		t += period;
	}
	return n;
}

static int set_window_clamp(struct sock *sk, int v)
{
	if (!v)
		return sk->state == TCP_CLOSE ? (tcp_rare(sk)->window_clamp_user = 0, tcp_sk(sk)->window_clamp = 0, 0) : -EINVAL;
	tcp_rare(sk)->window_clamp_user = tcp_sk(sk)->window_clamp = max_u32((uint32_t)v, SOCK_MIN_RCVBUF / 2);
	tcp_sk(sk)->rcv_ssthresh = min_u32(tcp_sk(sk)->rcv_ssthresh, tcp_sk(sk)->window_clamp);
	return 0;
}

static int do_setsockopt(struct sock *sk, int name, int v)
{
	switch (name) {
	case TCP_MAXSEG:
		if (v && (v < (int)TCP_MIN_MSS || v > 32767))
			return -EINVAL;
		tcp_sk(sk)->rx_opt.user_mss = (uint16_t)v;
		return 0;
	case TCP_NODELAY:
		set_nodelay(sk, v != 0);
		return 0;
	case TCP_CORK:
		set_cork(sk, v != 0);
		return 0;
	case TCP_KEEPIDLE:
		return set_keepidle(sk, v);
	case TCP_KEEPINTVL:
		if (v < 1 || v > 32767)
			return -EINVAL;
		tcp_rare(sk)->keepalive_intvl = (uint32_t)v;
		return 0;
	case TCP_KEEPCNT:
		if (v < 1 || v > 127)
			return -EINVAL;
		tcp_rare(sk)->keepalive_probes = (uint8_t)v;
		return 0;
	case TCP_SYNCNT:
		if (v < 1 || v > 127)
			return -EINVAL;
		tcp_rare(sk)->syn_retries = (uint8_t)v;
		return 0;
	case TCP_LINGER2:
		tcp_rare(sk)->linger2 = v < 0 ? -1 : v > 120 ? 0 : v;
		return 0;
	case TCP_DEFER_ACCEPT:
		tcp_rare(sk)->defer_accept = secs_to_retrans(v);
		return 0;
	case TCP_WINDOW_CLAMP:
		return set_window_clamp(sk, v);
	case TCP_QUICKACK:
		set_quickack(sk, v);
		return 0;
	case OPT_FASTOPEN:
		if (v < 0 || !tcp_state_in(sk, TCPF_(CLOSE) | TCPF_(LISTEN)))
			return -EINVAL;
		tcp_rare(sk)->fastopen_qlen = (uint16_t)min_u32((uint32_t)v, UINT16_MAX);
		return 0;
	case OPT_USER_TIMEOUT:
		if (v < 0)
			return -EINVAL;
		tcp_rare(sk)->user_timeout_ms = (uint32_t)v;
		return 0;
	case OPT_NOTSENT_LOWAT:
		tcp_rare(sk)->notsent_lowat = (uint32_t)v;
		sk->write_space(sk);
		return 0;
	case OPT_INQ:
		if (v < 0 || v > 1)
			return -EINVAL;
		tcp_rare(sk)->recvmsg_inq = v != 0;
		return 0;
	case TCP_SOCKMAP:
		if (v < 0 || v > 1)
			return -EINVAL;
		sock_map_set(sk, v != 0);
		return 0;
	}
	return -ENOPROTOOPT;
}

int tcp_setsockopt(struct sock *sk, int level, int name, const void *val, socklen_t len)
{
	int v, err;

	(void)level;
	if (name == TCP_CONGESTION) {
		char ca[TCP_CA_NAME_LEN] = "";

		if (len < 1)
			return -EINVAL;
		memcpy(ca, val, min_sz(len, sizeof(ca) - 1));
		lock_sock(sk);
		err = tcp_set_congestion_control(sk, ca);
		release_sock(sk);
		return err;
	}
	if (len < (socklen_t)sizeof(int))
		return -EINVAL;
	memcpy(&v, val, sizeof(v));
	lock_sock(sk);
	err = do_setsockopt(sk, name, v);
	release_sock(sk);
	return err;
}

/* ---- tcp_info ---- */
static void info_send(const struct sock *sk, struct tcp_info_full *ti)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);

	ti->snd_cwnd = tp->snd_cwnd;
	ti->snd_ssthresh = tp->snd_ssthresh;
	ti->snd_mss = tp->mss_cache;
	ti->unacked = tp->fl->packets_out;
	ti->sacked = tp->fl->sacked_out;
	ti->lost = tp->fl->lost_out;
	ti->retrans = tp->fl->retrans_out;
	ti->reordering = tp->reordering;
	ti->total_retrans = tp->total_retrans;
	ti->rto = icsk->rto_us;
	ti->rtt = tp->srtt_us >> 3;
	ti->rttvar = tp->mdev_us >> 2;
	ti->min_rtt = tp->min_rtt_us;
	ti->pmtu = icsk->pmtu_cookie;
	ti->notsent_bytes = tp->write_seq - tp->snd_nxt;
	ti->delivered = tp->delivered;
	ti->delivered_ce = tp->delivered_ce;
	ti->bytes_acked = tp->bytes_acked;
	ti->bytes_sent = tp->bytes_sent;
	ti->pacing_rate = tcp_pacing_rate(sk);
	ti->max_pacing_rate = sk->max_pacing_rate;
	ti->segs_out = tp->segs_out;
	ti->data_segs_out = tp->data_segs_out;
	ti->delivery_rate = tcp_delivery_rate(tp);
	ti->app_limited = tp->rate_app_limited;
	for (uint8_t c = TCP_CHRONO_BUSY; c <= TCP_CHRONO_SNDBUF_LIMITED; c++)
		ti->busy_time += tcp_chrono_us(sk, c);
	ti->rwnd_limited = tcp_chrono_us(sk, TCP_CHRONO_RWND_LIMITED);
	ti->sndbuf_limited = tcp_chrono_us(sk, TCP_CHRONO_SNDBUF_LIMITED);
	if (tp->stat) {
		const struct tcp_stat *st = tp->stat;

		ti->bytes_retrans = st->bytes_retrans;
		ti->dsack_dups = st->dsack_dups;
		ti->reord_seen = st->reord_seen;
		ti->rcv_ooopack = st->rcv_ooopack;
		ti->total_rto = st->total_rto;
		ti->total_rto_recoveries = st->total_rto_recoveries;
		ti->total_rto_time = st->total_rto_time_ms + (st->rto_stamp_ms ? tcp_time_ms(sk) - st->rto_stamp_ms : 0);
	}
	ti->snd_wnd = tp->snd_wnd;
	ti->last_data_sent = tcp_time_ms(sk) - tp->lsndtime_ms;
	ti->last_ack_recv = tcp_time_ms(sk) - tp->rcv_tstamp_ms;
}

void tcp_get_info(struct sock *sk, struct tcp_info_full *ti)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);

	memset(ti, 0, sizeof(*ti));
	ti->state = sk->state;
	if (sk->state == TCP_LISTEN) {
		ti->unacked = icsk->listener->qlen;
		ti->sacked = icsk->listener->max_qlen;
		ti->reordering = tp->reordering;
		ti->snd_cwnd = tp->snd_cwnd;
		return;
	}
	ti->ca_state = icsk->ca_state;
	ti->retransmits = icsk->retransmits;
	ti->probes = icsk->probes_out;
	ti->backoff = icsk->backoff;
	ti->options = (uint8_t)((tp->rx_opt.tstamp_ok ? TCPI_OPT_TIMESTAMPS : 0) | (tp->rx_opt.sack_ok ? TCPI_OPT_SACK : 0) |
				(tp->rx_opt.wscale_ok ? TCPI_OPT_WSCALE : 0) | (tp->ecn_flags & TCP_ECN_OK ? TCPI_OPT_ECN : 0) |
				(tp->syn_data_acked ? 32 /* TCPI_OPT_SYN_DATA */ : 0));
	ti->wscale = (uint8_t)(tp->rx_opt.snd_wscale | (tp->rx_opt.rcv_wscale << 4));
	ti->ato = icsk->ato_us;
	ti->rcv_mss = icsk->rcv_mss;
	ti->advmss = tp->advmss;
	ti->rcv_ssthresh = tp->rcv_ssthresh;
	ti->rcv_rtt = tp->rcv_rtt_us >> 3;
	ti->rcv_space = tp->rcv_space;
	ti->rcv_wnd = tp->rcv_wnd;
	ti->bytes_received = tp->bytes_received;
	ti->segs_in = tp->segs_in;
	ti->data_segs_in = tp->data_segs_in;
	ti->last_data_recv = tcp_time_ms(sk) - icsk->last_rcv_ms;
	info_send(sk, ti);
}

static int do_getsockopt(struct sock *sk, int name, int *v)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	const struct tcp_rare none = { 0 }, *r = tp->rare ? tp->rare : &none;
	const struct tcp_sysctl *s = tcp_sysctl(sk);

	switch (name) {
	case TCP_MAXSEG:
		*v = sk->state == TCP_CLOSE || sk->state == TCP_LISTEN
			     ? (tp->rx_opt.user_mss ? tp->rx_opt.user_mss : (int)TCP_MSS_DEFAULT)
			     : (int)tp->mss_cache;
		return 0;
	case TCP_NODELAY:
		*v = (tp->nonagle & TCP_NAGLE_OFF) != 0;
		return 0;
	case TCP_CORK:
		*v = (tp->nonagle & TCP_NAGLE_CORK) != 0;
		return 0;
	case TCP_KEEPIDLE:
		*v = (int)(tcp_keepalive_time_ns(sk) / NSEC_PER_SEC);
		return 0;
	case TCP_KEEPINTVL:
		*v = (int)(tcp_keepalive_intvl_ns(sk) / NSEC_PER_SEC);
		return 0;
	case TCP_KEEPCNT:
		*v = (int)tcp_keepalive_probes(sk);
		return 0;
	case TCP_SYNCNT:
		*v = r->syn_retries ? r->syn_retries : s->syn_retries;
		return 0;
	case TCP_LINGER2:
		*v = r->linger2 ? r->linger2 : s->fin_timeout;
		return 0;
	case TCP_DEFER_ACCEPT:
		*v = r->defer_accept;
		return 0;
	case TCP_WINDOW_CLAMP:
		*v = (int)tp->window_clamp;
		return 0;
	case TCP_QUICKACK:
		*v = inet_csk(sk)->pingpong < TCP_PINGPONG_THRESH;
		return 0;
	case OPT_FASTOPEN:
		*v = r->fastopen_qlen;
		return 0;
	case OPT_USER_TIMEOUT:
		*v = (int)r->user_timeout_ms;
		return 0;
	case OPT_NOTSENT_LOWAT:
		*v = (int)r->notsent_lowat;
		return 0;
	case OPT_INQ:
		*v = r->recvmsg_inq;
		return 0;
	case TCP_SOCKMAP:
		*v = (int)sock_map_get(sk);
		return 0;
	}
	return -ENOPROTOOPT;
}

int tcp_getsockopt(struct sock *sk, int level, int name, void *val, socklen_t *len)
{
	int v = 0, err;

	(void)level;
	if (name == TCP_INFO) {
		struct tcp_info_full ti;

		tcp_get_info(sk, &ti);
		*len = (socklen_t)min_sz(*len, sizeof(ti));
		memcpy(val, &ti, *len);
		return 0;
	}
	if (name == TCP_CONGESTION) {
		char ca[TCP_CA_NAME_LEN] = "";

		memcpy(ca, inet_csk(sk)->ca_ops->name, strlen(inet_csk(sk)->ca_ops->name));
		*len = (socklen_t)min_sz(*len, sizeof(ca));
		memcpy(val, ca, *len);
		return 0;
	}
	err = do_getsockopt(sk, name, &v);
	if (err)
		return err;
	*len = (socklen_t)min_sz(*len, sizeof(v));
	memcpy(val, &v, *len);
	return 0;
}

void tcp_set_rcvlowat(struct sock *sk, int32_t val)
{
	int32_t most = (sk->userlocks & 2 ? sk->rcvbuf : tcp_sysctl(sk)->rmem[2]) >> 1;
	uint32_t space;

	/* More than half of what the queue can ever hold would never come together. */
	if (val > most)
		val = most;
	sk->rcvlowat = val > 0 ? val : 1;
	space = tcp_space_from_win(sk, (uint32_t)sk->rcvlowat);
	if (sk->userlocks & 2)
		return;
	if (sk->rcvbuf < (int32_t)(space << 1) && (space << 1) <= (uint32_t)tcp_sysctl(sk)->rmem[2]) {
		sk->rcvbuf = (int32_t)(space << 1);
		tcp_sk(sk)->window_clamp = tcp_win_from_space(sk, (uint32_t)sk->rcvbuf);
	}
	tcp_data_ready(sk);
}
