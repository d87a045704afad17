/* TCP's socket options (tcp(7)): set and asked. docs/socket-options.md lists each, with what it does.
 *
 * Called through proto.setsockopt/getsockopt for level IPPROTO_TCP. Numbers and errors are Linux's; the program is root
 * on its host. Struct tcp_info is in tcp_info.c, TCP_REPAIR's family in tcp_repair.c, keys of Fast Open in tcp_fastopen.c.
 * Tests: tests/unit/tcp/test_tcp_sockopt.c. */
#include "tcp/sock_map.h"
#include "tcp/tcp_auth.h"
#include "tcp/tcp_info.h"
#include "tcp/tcp_int.h"

/* Younger than glibc's header. */
#define OPT_IS_MPTCP 43
#define OPT_RTO_MAX_MS 44
#define OPT_RTO_MIN_US 45
#define OPT_DELACK_MAX_US 46
#define FIN_TIMEOUT_MAX_S 120
#define ZC_PAGE 4096u
/* Linux's struct tcp_zerocopy_receive; glibc's stops halfway. */
struct zerocopy_receive {
	uint64_t address;
	uint32_t length, recv_skip_hint, inq;
	int32_t err;
	uint64_t copybuf_address;
	int32_t copybuf_len;
	uint32_t flags;
	uint64_t msg_control, msg_controllen;
	uint32_t msg_flags, reserved;
};
_Static_assert(sizeof(struct zerocopy_receive) == 64, "Linux's");
#define SYN_RTO_MAX_S 120

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
		icsk->pingpong = tcp_pingpong_thresh(sk);
		return;
	}
	icsk->pingpong = 0;
	if (tcp_state_in(sk, TCPF_(ESTABLISHED) | TCPF_(CLOSE_WAIT)) && (icsk->ack_pending & ICSK_ACK_SCHED)) {
		icsk->ack_pending |= ICSK_ACK_PUSHED;
		tcp_cleanup_rbuf(sk, 1);
		if (!(v & 1))
			icsk->pingpong = tcp_pingpong_thresh(sk);
	}
}

/* TCP_DEFER_ACCEPT is kept as a number of SYN-ACK retransmissions, told in seconds: 1, 3, 7, ... then steps of 120. */
static uint8_t secs_to_retrans(int secs)
{
	uint8_t n = 0;
	int step = 1, sum = 1;

	if (secs > 0)
		for (n = 1; secs > sum && n < 255; n++) {
			step = step * 2 > SYN_RTO_MAX_S ? SYN_RTO_MAX_S : step * 2;
			sum += step;
		}
	return n;
}

static int retrans_to_secs(uint8_t n)
{
	int step = 1, sum = n ? 1 : 0;

	for (; n > 1; n--) {
		step = step * 2 > SYN_RTO_MAX_S ? SYN_RTO_MAX_S : step * 2;
		sum += step;
	}
	return sum;
}

static int set_window_clamp(struct sock *sk, int v)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!v) {
		if (sk->state != TCP_CLOSE)
			return -EINVAL;
		tcp_rare(sk)->window_clamp_user = tp->window_clamp = 0;
		return 0;
	}
	tcp_set_window_clamp(tp, v < 0 ? 0 : (uint32_t)v);
	tcp_rare(sk)->window_clamp_user = tp->window_clamp;
	return 0;
}

/* Options that are a number within bounds and nothing else: where in struct tcp_rare it goes. */
struct int_option {
	size_t at;
	uint8_t size;
	int lo, hi;
};
#define RARE(field, lo, hi) ((struct int_option){ offsetof(struct tcp_rare, field), sizeof(((struct tcp_rare *)0)->field), lo, hi })

static bool int_option(int name, struct int_option *o)
{
	switch (name) {
	case TCP_KEEPINTVL: *o = RARE(keepalive_intvl, 1, 32767); break;
	case TCP_KEEPCNT: *o = RARE(keepalive_probes, 1, 127); break;
	case TCP_SYNCNT: *o = RARE(syn_retries, 1, 127); break;
	case TCP_THIN_LINEAR_TIMEOUTS: *o = RARE(thin_lto, 0, 1); break;
	case TCP_USER_TIMEOUT: *o = RARE(user_timeout_ms, 0, INT32_MAX); break;
	case TCP_INQ: *o = RARE(recvmsg_inq, 0, 1); break;
	case TCP_SAVE_SYN: *o = RARE(save_syn, 0, 2); break;
	case TCP_TX_DELAY: *o = RARE(tx_delay_us, 0, (1 << 28) - 1); break;
	case OPT_RTO_MAX_MS: *o = RARE(rto_max_ms, 1000, 120000); break;
	case OPT_RTO_MIN_US: *o = RARE(rto_min_us, TCP_TIMEOUT_MIN_US, TCP_RTO_MIN_US); break;
	case OPT_DELACK_MAX_US: *o = RARE(delack_max_us, TCP_TIMEOUT_MIN_US, TCP_DELACK_MAX_US); break;
	default: return false;
	}
	return true;
}

static int set_int_option(struct sock *sk, const struct int_option *o, int v)
{
	uint8_t *at;

	if (v < o->lo || v > o->hi)
		return -EINVAL;
	at = (uint8_t *)tcp_rare(sk) + o->at;
	if (o->size == 1)
		*at = (uint8_t)v;
	else
		memcpy(at, &v, sizeof(v));
	return 0;
}

static int set_fastopen(struct sock *sk, int name, int v)
{
	bool idle = tcp_state_in(sk, TCPF_(CLOSE) | TCPF_(LISTEN));

	switch (name) {
	case TCP_FASTOPEN:
		if (v < 0 || !idle)
			return -EINVAL;
		tcp_rare(sk)->fastopen_qlen = (uint16_t)min_u32((uint32_t)v, min_u32(sk->net->socks->somaxconn, UINT16_MAX));
		return 0;
	case TCP_FASTOPEN_CONNECT:
		if (v < 0 || v > 1)
			return -EINVAL;
		if (!((uint32_t)tcp_sysctl(sk)->fastopen & TFO_CLIENT))
			return -EOPNOTSUPP;
		if (sk->state != TCP_CLOSE)
			return -EINVAL;
		tcp_rare(sk)->fo_connect = v != 0;
		return 0;
	default:
		if (v < 0 || v > 1 || !idle)
			return -EINVAL;
		tcp_rare(sk)->fo_no_cookie = v != 0;
		return 0;
	}
}

/* The way becomes longer or shorter on purpose: what was measured of it goes along (Linux 6.18). */
static void shift_rtt(struct sock *sk, int delta_us)
{
	struct tcp_sock *tp = tcp_sk(sk);
	int64_t srtt = (int64_t)tp->srtt_us + 8 * (int64_t)delta_us;

	if (!delta_us || !tp->srtt_us)
		return;
	tp->srtt_us = (uint32_t)(srtt < 1 ? 1 : srtt > UINT32_MAX ? UINT32_MAX : srtt);
	tcp_set_rto(sk);
}

static int do_setsockopt(struct sock *sk, int name, int v)
{
	struct int_option o;

	if (int_option(name, &o)) {
		uint32_t before = tcp_sk(sk)->rare ? tcp_sk(sk)->rare->tx_delay_us : 0;
		int err = set_int_option(sk, &o, v);

		if (!err && name == OPT_RTO_MIN_US)
			tcp_sk(sk)->rto_min_us = (uint32_t)v;
		if (!err && name == TCP_TX_DELAY)
			shift_rtt(sk, v - (int)before);
		return err;
	}
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
	case TCP_LINGER2:
		tcp_rare(sk)->linger2 = v < 0 ? -1 : v > FIN_TIMEOUT_MAX_S ? FIN_TIMEOUT_MAX_S : v;
		return 0;
	case TCP_DEFER_ACCEPT:
		tcp_rare(sk)->defer_accept = secs_to_retrans(v);
		return 0;
	case TCP_WINDOW_CLAMP:
		return set_window_clamp(sk, v);
	case TCP_QUICKACK:
		set_quickack(sk, v);
		return 0;
	case TCP_FASTOPEN:
	case TCP_FASTOPEN_CONNECT:
	case TCP_FASTOPEN_NO_COOKIE:
		return set_fastopen(sk, name, v);
	case TCP_THIN_DUPACK: /* RACK took its place: accepted, and nothing */
		return v < 0 || v > 1 ? -EINVAL : 0;
	case TCP_NOTSENT_LOWAT:
		tcp_rare(sk)->notsent_lowat = (uint32_t)v;
		sk->write_space(sk);
		return 0;
	case TCP_SOCKMAP:
		if (v < 0 || v > 1)
			return -EINVAL;
		sock_map_set(sk, v != 0);
		return 0;
	case TCP_REPAIR:
	case TCP_REPAIR_QUEUE:
	case TCP_QUEUE_SEQ:
	case TCP_TIMESTAMP:
		return tcp_repair_set(sk, name, v);
	default:
		return -ENOPROTOOPT;
	}
}

/* A name as Linux takes it: at least an octet, cut at the room. */
static int opt_name(char *out, size_t room, const void *val, socklen_t len)
{
	if (len < 1)
		return -EINVAL;
	memset(out, 0, room);
	memcpy(out, val, min_sz(len, room - 1));
	return 0;
}

int tcp_setsockopt(struct sock *sk, int level, int name, const void *val, socklen_t len)
{
	char text[TCP_CA_NAME_LEN];
	int v, err;

	(void)level;
	if (name == TCP_CONGESTION || name == TCP_ULP) {
		err = opt_name(text, sizeof(text), val, len);
		if (err)
			return err;
		if (name == TCP_ULP)
			return -ENOENT; /* there is none to be found */
		lock_sock(sk);
		err = tcp_set_congestion_control(sk, text);
		release_sock(sk);
		return err;
	}
	if (name == TCP_FASTOPEN_KEY)
		return tcp_fastopen_set_keys(sk, val, len);
	if (len < (socklen_t)sizeof(int))
		return -EINVAL;
	memcpy(&v, val, sizeof(v));
	lock_sock(sk);
	if (name == TCP_REPAIR_WINDOW)
		err = tcp_repair_set_window(sk, val, len);
	else if (name == TCP_REPAIR_OPTIONS)
		err = tcp_repair_set_options(sk, val, len);
	else if (name == TCP_MD5SIG || name == TCP_MD5SIG_EXT)
		err = tcp_md5_set(sk, name, val, len);
	else if (name >= TCP_OPT_AO_ADD_KEY && name <= TCP_OPT_AO_REPAIR && name != TCP_OPT_AO_GET_KEYS)
		err = tcp_ao_set(sk, name, val, len);
	else
		err = do_setsockopt(sk, name, v);
	release_sock(sk);
	return err;
}

/* ---- asking ---- */
static int get_rare(const struct sock *sk, const struct tcp_rare *r, int name, int *v)
{
	const struct tcp_sysctl *s = tcp_sysctl(sk);

	switch (name) {
	case TCP_SYNCNT: *v = r->syn_retries ? r->syn_retries : s->syn_retries; break;
	case TCP_LINGER2: *v = r->linger2 < 0 ? -1 : r->linger2 ? r->linger2 : s->fin_timeout; break;
	case TCP_DEFER_ACCEPT: *v = retrans_to_secs(r->defer_accept); break;
	case TCP_FASTOPEN: *v = r->fastopen_qlen; break;
	case TCP_FASTOPEN_CONNECT: *v = r->fo_connect; break;
	case TCP_FASTOPEN_NO_COOKIE: *v = r->fo_no_cookie; break;
	case TCP_USER_TIMEOUT: *v = (int)r->user_timeout_ms; break;
	case TCP_NOTSENT_LOWAT: *v = (int)r->notsent_lowat; break;
	case TCP_INQ: *v = r->recvmsg_inq; break;
	case TCP_THIN_LINEAR_TIMEOUTS: *v = r->thin_lto; break;
	case TCP_SAVE_SYN: *v = r->save_syn; break;
	case TCP_TX_DELAY: *v = (int)r->tx_delay_us; break;
	case OPT_RTO_MAX_MS: *v = (int)(tcp_rto_max_us(sk) / 1000); break;
	case OPT_DELACK_MAX_US: *v = r->delack_max_us ? (int)r->delack_max_us : (int)TCP_DELACK_MAX_US; break;
	default: return -ENOPROTOOPT;
	}
	return 0;
}

static int do_getsockopt(struct sock *sk, int name, int *v)
{
	static const struct tcp_rare none;
	const struct tcp_sock *tp = tcp_sk(sk);

	switch (name) {
	case TCP_MAXSEG:
		*v = (int)tp->mss_cache;
		if (tp->rx_opt.user_mss && tcp_state_in(sk, TCPF_(CLOSE) | TCPF_(LISTEN)))
			*v = tp->rx_opt.user_mss;
		if (tp->repair)
			*v = tp->rx_opt.mss_clamp;
		break;
	case TCP_NODELAY: *v = (tp->nonagle & TCP_NAGLE_OFF) != 0; break;
	case TCP_CORK: *v = (tp->nonagle & TCP_NAGLE_CORK) != 0; break;
	case TCP_KEEPIDLE: *v = (int)(tcp_keepalive_time_ns(sk) / NSEC_PER_SEC); break;
	case TCP_KEEPINTVL: *v = (int)(tcp_keepalive_intvl_ns(sk) / NSEC_PER_SEC); break;
	case TCP_KEEPCNT: *v = (int)tcp_keepalive_probes(sk); break;
	case TCP_WINDOW_CLAMP: *v = (int)tp->window_clamp; break;
	case TCP_QUICKACK: *v = inet_csk(sk)->pingpong < tcp_pingpong_thresh(sk); break;
	case TCP_THIN_DUPACK: *v = 0; break;
	case OPT_IS_MPTCP: *v = 0; break;
	case OPT_RTO_MIN_US: *v = (int)tp->rto_min_us; break;
	case TCP_SOCKMAP: *v = (int)sock_map_get(sk); break;
	case TCP_REPAIR:
	case TCP_REPAIR_QUEUE:
	case TCP_QUEUE_SEQ:
	case TCP_TIMESTAMP:
		return tcp_repair_get(sk, name, v);
	default:
		return get_rare(sk, tp->rare ? tp->rare : &none, name, v);
	}
	return 0;
}

static int put_out(void *val, socklen_t *len, const void *from, size_t n)
{
	*len = (socklen_t)min_sz(*len, n);
	memcpy(val, from, *len);
	return 0;
}

/* The SYN's headers, once: then they are forgotten. Too little room: -EINVAL, and how much it takes. */
static int get_saved_syn(struct sock *sk, void *val, socklen_t *len)
{
	struct tcp_rare *r = tcp_sk(sk)->rare;
	struct tcp_saved_syn *s = r ? r->saved_syn : NULL;

	if (!s) {
		*len = 0;
		return 0;
	}
	if (*len < s->len) {
		*len = s->len;
		return -EINVAL;
	}
	*len = s->len;
	memcpy(val, s->b, s->len);
	r->saved_syn = NULL;
	pool_put(&tcp_net(sk)->saved_syn_pool, s);
	return 0;
}

static int get_cc(const struct sock *sk, int name, void *val, socklen_t *len)
{
	const struct tcp_congestion_ops *ca = inet_csk(sk)->ca_ops;
	char text[TCP_CA_NAME_LEN] = "";
	uint64_t info[8] = { 0 };

	if (name == TCP_CC_INFO)
		return put_out(val, len, info, ca->get_info ? ca->get_info(sk, info) : 0);
	memcpy(text, ca->name, min_sz(strlen(ca->name), sizeof(text) - 1));
	return put_out(val, len, text, sizeof(text));
}

/* Mapping received pages needs a mapping of this socket (mmap), which nobody can make here: an address for more than a page is refused
 * as Linux refuses one that is not such a mapping. Of less it says how much is there to be read. */
static int get_zerocopy_receive(struct sock *sk, void *val, socklen_t *len)
{
	struct zerocopy_receive z = { 0 };
	uint32_t inq;

	if (*len < offsetof(struct zerocopy_receive, length) + 4)
		return -EINVAL;
	memcpy(&z, val, min_sz(*len, sizeof(z)));
	if (z.address & (ZC_PAGE - 1))
		return -EINVAL;
	if (sk->state == TCP_LISTEN)
		return -ENOTCONN;
	inq = (uint32_t)tcp_inq(sk);
	if (inq >= ZC_PAGE)
		return -EINVAL;
	z.length = 0;
	z.recv_skip_hint = inq;
	if (!inq && sock_flag(sk, SOCK_F_DONE))
		return -EIO;
	z.err = sock_error(sk);
	return put_out(val, len, &z, sizeof(z));
}

int tcp_getsockopt(struct sock *sk, int level, int name, void *val, socklen_t *len)
{
	struct tcp_info_full ti;
	int v = 0, err;

	(void)level;
	if ((int)*len < 0)
		return -EINVAL;
	switch (name) {
	case TCP_INFO:
		tcp_get_info(sk, &ti);
		return put_out(val, len, &ti, sizeof(ti));
	case TCP_CONGESTION:
	case TCP_CC_INFO:
		return get_cc(sk, name, val, len);
	case TCP_ULP:
		*len = 0;
		return 0;
	case TCP_SAVED_SYN:
		return get_saved_syn(sk, val, len);
	case TCP_FASTOPEN_KEY:
		return tcp_fastopen_get_keys(sk, val, len);
	case TCP_REPAIR_WINDOW:
		return tcp_repair_get_window(sk, val, len);
	case TCP_OPT_AO_INFO:
	case TCP_OPT_AO_GET_KEYS:
	case TCP_OPT_AO_REPAIR:
		return tcp_ao_get(sk, name, val, len);
	case TCP_ZEROCOPY_RECEIVE:
		return get_zerocopy_receive(sk, val, len);
	default:
		break;
	}
	err = do_getsockopt(sk, name, &v);
	return err ? err : put_out(val, len, &v, sizeof(v));
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
	if (sk->rcvbuf < (int32_t)space) {
		sk->rcvbuf = (int32_t)space;
		tcp_sk(sk)->window_clamp = (uint32_t)sk->rcvlowat;
	}
	tcp_data_ready(sk);
}
