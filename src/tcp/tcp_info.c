/* struct tcp_info: what a connection knows of itself, computed when asked (TCP_INFO, ss -i).
 *
 * Called by tcp_sockopt.c and by the network layer's diagnosis. Times are microseconds but those of last_*, which are
 * milliseconds; the layout is Linux's (tcp_info.h). Tests: tests/unit/tcp/test_tcp_info.c, test_tcp_info_exact.c. */
#include "tcp/tcp_info.h"
#include "tcp/tcp_accecn.h"
#include "tcp/tcp_int.h"

#ifndef TCPI_OPT_SYN_DATA
#define TCPI_OPT_SYN_DATA 32
#endif
#define OPT_TFO_CHILD 128

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
	ti->pacing_rate = tcp_state_in(sk, TCPF_(CLOSE) | TCPF_(SYN_SENT)) ? sk->max_pacing_rate : tcp_pacing_rate(sk);
	ti->max_pacing_rate = sk->max_pacing_rate;
	ti->segs_out = tp->segs_out;
	ti->data_segs_out = tp->data_segs_out;
	ti->delivery_rate = tcp_delivery_rate(tp);
	ti->app_limited = tp->rate_app_limited;
	ti->fastopen_client_fail = tp->rare ? tp->rare->fo_fail & 3u : 0;
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

static void info_accecn(const struct tcp_accecn *a, struct tcp_info_full *ti)
{
	ti->received_ce = a->received_ce;
	ti->delivered_e1_bytes = a->delivered_bytes[TCP_ECT1 - 1];
	ti->delivered_e0_bytes = a->delivered_bytes[TCP_ECT0 - 1];
	ti->delivered_ce_bytes = a->delivered_bytes[TCP_CE - 1];
	ti->received_e1_bytes = a->received_bytes[TCP_ECT1 - 1];
	ti->received_e0_bytes = a->received_bytes[TCP_ECT0 - 1];
	ti->received_ce_bytes = a->received_bytes[TCP_CE - 1];
	ti->accecn_fail_mode = a->fail;
	ti->accecn_opt_seen = a->opt_seen;
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
				(tp->rx_opt.wscale_ok ? TCPI_OPT_WSCALE : 0) | (tp->ecn_flags & TCP_ECN_ANY ? TCPI_OPT_ECN : 0) |
				(tp->ecn_flags & TCP_ECN_SEEN ? TCPI_OPT_ECN_SEEN : 0) | (tp->syn_data_acked ? TCPI_OPT_SYN_DATA : 0) |
				(tp->rare && tp->rare->fo_born ? OPT_TFO_CHILD : 0));
	if (tp->rx_opt.wscale_ok)
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
	if (tp->accecn)
		info_accecn(tp->accecn, ti);
}
