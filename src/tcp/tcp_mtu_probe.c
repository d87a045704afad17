/* Packetization-layer path MTU discovery (RFC 4821): finds the path's MTU by what gets through, where routers drop without a
 * word or their ICMP is filtered on the way back.
 *
 *     search_low                 what is known to pass; the MSS follows it
 *     search_high                what might: the route's MTU, less one than what failed
 *     a probe                    one segment of new data of (low + high) / 2, followed by ordinary ones, so that its loss shows by
 *                                duplicate ACKs. Acknowledged: low = its size. Lost alone: high = its size - 1, and no congestion
 *
 * net.ipv4.tcp_mtu_probing 1: only when timeouts say that something on the path swallows large segments: then the MSS falls to
 * tcp_base_mss, and by half for each further such timeout, not below tcp_mtu_probe_floor. 2: from the beginning of each connection.
 * The search ends when the interval is smaller than tcp_probe_threshold, and starts anew every tcp_probe_interval seconds.
 *
 * Called by tcp_xmit.c, tcp_ack.c, tcp_recovery.c, tcp_timer.c, tcp_output.c. Tests: tests/unit/tcp/test_tcp_mtu.c. */
#include "tcp/tcp_int.h"

#define MTUP_CWND_MIN 11u /* below, a lost probe would show too slowly (RFC 4821 7.4) */

static uint32_t search_ceiling(const struct sock *sk)
{
	return (uint32_t)tcp_sk(sk)->rx_opt.mss_clamp + TCP_HLEN + (uint32_t)inet_csk(sk)->af_ops->net_header_len;
}

static void mtup_reset(struct sock *sk, struct tcp_mtup *m)
{
	m->search_high = min_u32(search_ceiling(sk), max_u32(inet_csk(sk)->pmtu_cookie, 68));
	m->search_low = min_u32(tcp_mss_to_mtu(sk, (uint32_t)tcp_sysctl(sk)->base_mss), m->search_high);
	m->probe_size = 0;
	m->stamp_ms = tcp_time_ms(sk);
}

/* A connection is established. Only a SYN-ACK's receiver reckons the MSS anew then; the other side at the next change of path. */
void tcp_mtup_init(struct sock *sk)
{
	struct tcp_mtup *m;

	if (likely(tcp_sysctl(sk)->mtu_probing < 2))
		return;
	m = &tcp_rare(sk)->mtup;
	mtup_reset(sk, m);
	m->enabled = true;
}

/* The route's MTU is mtu: what may be tried, and what is used. */
uint32_t tcp_mtup_bound(struct sock *sk, uint32_t mtu)
{
	struct tcp_rare *r = tcp_sk(sk)->rare;

	if (likely(!r || !r->mtup.enabled))
		return mtu;
	r->mtup.search_high = min_u32(r->mtup.search_high, mtu);
	return min_u32(mtu, r->mtup.search_low);
}

/* Timeouts in a row (R1, RFC 9293 3.8.3): perhaps the size is at fault. */
void tcp_mtup_black_hole(struct sock *sk)
{
	const struct tcp_sysctl *s = tcp_sysctl(sk);
	struct tcp_mtup *m;

	if (!s->mtu_probing)
		return;
	m = &tcp_rare(sk)->mtup;
	if (!m->enabled) {
		mtup_reset(sk, m);
		m->enabled = true;
	} else {
		uint32_t mss = tcp_mtu_to_mss(sk, m->search_low) >> 1;

		mss = max_u32(min_u32((uint32_t)s->base_mss, mss), (uint32_t)s->mtu_probe_floor);
		m->search_low = tcp_mss_to_mtu(sk, max_u32(mss, (uint32_t)s->min_snd_mss));
		m->probe_size = 0;
	}
	tcp_sync_mss(sk, inet_csk(sk)->pmtu_cookie);
}

/* ---- a probe ---- */
static bool may_reprobe(struct sock *sk, struct tcp_mtup *m)
{
	uint32_t interval = (uint32_t)tcp_sysctl(sk)->probe_interval;

	if ((uint64_t)(uint32_t)(tcp_time_ms(sk) - m->stamp_ms) < (uint64_t)interval * 1000)
		return false;
	m->probe_size = 0;
	m->search_high = min_u32(search_ceiling(sk), inet_csk(sk)->pmtu_cookie);
	m->search_low = tcp_mss_to_mtu(sk, tcp_sk(sk)->mss_cache);
	m->stamp_ms = tcp_time_ms(sk);
	return true;
}

/* The head of the write queue becomes one segment of size octets. NULL: it cannot. */
static struct sk_buff *make_probe(struct sock *sk, uint32_t size)
{
	struct sk_buff *skb = tcp_send_head(sk);

	while (skb->len < size && !skb_queue_is_last(&sk->write_queue, skb)) {
		uint32_t len = skb->len;

		skb = tcp_fill_up(sk, skb, size);
		if (skb->len == len)
			return NULL; /* a mark of the program's stands between */
	}
	if (skb->len < size || (skb->len > size && tcp_fragment(sk, &sk->write_queue, skb, size, size)))
		return NULL;
	tcp_skb_set_pcount(skb, size);
	return skb;
}

/* 1: a probe left. 0: wait, one could leave soon. -1: send on as ever. */
int tcp_mtu_probe(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_mtup *m = &tp->rare->mtup;
	uint32_t mss = tcp_current_mss(sk), size, needed;
	struct sk_buff *skb;

	if (m->probe_size || inet_csk(sk)->ca_state != TCP_CA_Open || tp->snd_cwnd < MTUP_CWND_MIN || tp->rx_opt.num_sacks || tp->rx_opt.dsack)
		return -1;
	size = tcp_mtu_to_mss(sk, (m->search_low + m->search_high + 1) / 2);
	if (size > tcp_mtu_to_mss(sk, m->search_high) ||
	    m->search_high < m->search_low + max_u32(tcp_sysctl(sk)->probe_threshold > 0 ? (uint32_t)tcp_sysctl(sk)->probe_threshold : 0, 1)) {
		may_reprobe(sk, m);
		return -1;
	}
	needed = size + (tp->reordering + 1u) * mss; /* enough behind it to show a loss */
	if (tp->write_seq - tp->snd_nxt < needed || tp->snd_wnd < needed)
		return -1;
	if (after(tp->snd_nxt + needed, tcp_wnd_end(tp)))
		return 0;
	if (tcp_packets_in_flight(tp) + 2 > tp->snd_cwnd)
		return tcp_packets_in_flight(tp) ? 0 : -1;
	skb = make_probe(sk, size);
	if (!skb || __tcp_transmit_skb(sk, skb, true))
		return -1;
	tp->snd_cwnd--; /* it is larger than others; given back when it fails */
	tcp_event_new_data_sent(sk, skb);
	m->probe_size = tcp_mss_to_mtu(sk, size);
	m->seq_start = TCP_SKB_CB(skb)->seq;
	m->seq_end = TCP_SKB_CB(skb)->end_seq;
	TRACE(&sk->net->probe, TR_STATE, skb->serial, "mtu probe=%u low=%u high=%u", m->probe_size, m->search_low, m->search_high);
	return 1;
}

/* Everything up to snd_una arrived: the probe, too? */
void tcp_mtup_acked(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_mtup *m = &tp->rare->mtup;

	if (!m->probe_size || after(m->seq_end, tp->snd_una))
		return;
	TCPEXT_INC(sk->net, TCPMTUPSuccess);
	/* as many octets as before in fewer, larger segments */
	tp->snd_cwnd = max_u32((uint32_t)((uint64_t)tp->snd_cwnd * tcp_mss_to_mtu(sk, tp->mss_cache) / m->probe_size), 1);
	tp->snd_cwnd_cnt = 0;
	tp->snd_cwnd_stamp_ms = tcp_time_ms(sk);
	m->search_low = m->probe_size;
	m->probe_size = 0;
	tcp_sync_mss(sk, inet_csk(sk)->pmtu_cookie);
}

/* A loss was found. True: it is the probe's, and says nothing of congestion. */
bool tcp_mtup_lost(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_mtup *m = &tp->rare->mtup;

	if (!m->probe_size || tp->snd_una != m->seq_start)
		return false;
	TCPEXT_INC(sk->net, TCPMTUPFail);
	m->search_high = m->probe_size - 1;
	m->probe_size = 0;
	tp->snd_cwnd++;
	tcp_simple_retransmit(sk);
	return true;
}
