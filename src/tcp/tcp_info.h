/* struct tcp_info as Linux 6 lays it out; glibc's stops halfway. */
#ifndef TCP_TCP_INFO_H
#define TCP_TCP_INFO_H

#include "base/types.h"

struct tcp_info_full {
	uint8_t state, ca_state, retransmits, probes, backoff, options, wscale, app_limited : 1, fastopen_client_fail : 2;
	uint32_t rto, ato, snd_mss, rcv_mss, unacked, sacked, lost, retrans, fackets;
	uint32_t last_data_sent, last_ack_sent, last_data_recv, last_ack_recv;
	uint32_t pmtu, rcv_ssthresh, rtt, rttvar, snd_ssthresh, snd_cwnd, advmss, reordering;
	uint32_t rcv_rtt, rcv_space, total_retrans;
	uint64_t pacing_rate, max_pacing_rate, bytes_acked, bytes_received;
	uint32_t segs_out, segs_in, notsent_bytes, min_rtt, data_segs_in, data_segs_out;
	uint64_t delivery_rate, busy_time, rwnd_limited, sndbuf_limited;
	uint32_t delivered, delivered_ce;
	uint64_t bytes_sent, bytes_retrans;
	uint32_t dsack_dups, reord_seen, rcv_ooopack, snd_wnd, rcv_wnd, rehash;
	uint16_t total_rto, total_rto_recoveries;
	uint32_t total_rto_time;
	uint32_t received_ce, delivered_e1_bytes, delivered_e0_bytes, delivered_ce_bytes, received_e1_bytes, received_e0_bytes, received_ce_bytes;
	uint16_t accecn_fail_mode, accecn_opt_seen;
};
_Static_assert(offsetof(struct tcp_info_full, pacing_rate) == 104, "Linux's layout");
_Static_assert(offsetof(struct tcp_info_full, snd_wnd) == 228, "Linux's layout");
_Static_assert(sizeof(struct tcp_info_full) == 280, "Linux 6.18's size");

/* fastopen_client_fail */
enum { TFO_STATUS_UNSPEC_, TFO_COOKIE_UNAVAILABLE_, TFO_DATA_NOT_ACKED_, TFO_SYN_RETRANSMITTED_ };

#endif
