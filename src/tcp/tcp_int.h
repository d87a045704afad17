/* Inside the room: what tcp's files call of each other. One block per file. */
#ifndef TCP_TCP_INT_H
#define TCP_TCP_INT_H

#include <errno.h>
#include "base/probe.h"
#include "core/net.h"
#include "core/uio.h"
#include "tcp/inet_hashtables.h"
#include "tcp/tcp.h"

/* tcp.c */
void tcp_set_state(struct sock *sk, uint8_t state);
void tcp_done(struct sock *sk);                    /* to CLOSE; an orphan dies */
void tcp_reset(struct sock *sk, struct sk_buff *skb); /* a RST was accepted */
void tcp_write_err(struct sock *sk, int err);      /* gave up: error, done */
void inet_csk_destroy_sock(struct sock *sk);
void tcp_write_queue_purge(struct sock *sk);
void tcp_check_space(struct sock *sk);
void tcp_grow_sndbuf(struct sock *sk);
int tcp_inq(struct sock *sk); /* octets that could be read */
struct tcp_rare *tcp_rare(struct sock *sk);
struct tcp_stat *tcp_stat(struct sock *sk);
struct tcp_flight *tcp_flight(struct sock *sk); /* a writable one */
void tcp_flight_over(struct sock *sk);          /* give it back if it says nothing any more */
void tcp_flight_free(struct sock *sk);
struct tcp_sackinfo *tcp_sackinfo(struct sock *sk);
/* A writer waits for room (Linux's SOCK_NOSPACE). */
#define SOCK_F_NOSPACE_ (1u << 30)
bool tcp_notsent_ok(const struct sock *sk, unsigned wake);
int tcp_wait(struct sock *sk, uint64_t deadline); /* sleep once with the socket released */
bool tcp_out_of_memory(struct sock *sk);
/* tcp_mem.c */
bool tcp_under_memory_pressure(struct sock *sk);
bool tcp_mem_below_low(const struct sock *sk);
bool tcp_wmem_schedule(struct sock *sk, uint32_t n);
bool tcp_rmem_schedule(struct sock *sk, uint32_t n);
bool tcp_out_of_memory(struct sock *sk);
bool tcp_check_oom(struct sock *sk, unsigned shift);
void tcp_set_owner_r(struct sk_buff *skb, struct sock *sk);
/* A socket takes its memory in pages, of Linux's size: how much of the last one is still free. What fits there is not asked whether
 * it may be: so a socket whose segments come one after another can be over its rcvbuf by up to a page. */
#define TCP_MEM_QUANTUM 4096u
static inline uint32_t tcp_forward_alloc(const struct sock *sk)
{
	return -(uint32_t)(sk->rmem_alloc + sk->wmem_queued) & (TCP_MEM_QUANTUM - 1);
}
/* tcp_prune.c */
/* Memory runs short: what small segments left in many buffers goes into few, of this size at most. */
#define TCP_COLLAPSE_MAX 3776u
bool tcp_try_rmem_schedule(struct sock *sk, struct sk_buff *skb);
uint32_t tcp_rmem_cost(uint32_t len, uint32_t *room);

/* tcp_ofo.c */
void tcp_data_queue_ofo(struct sock *sk, struct sk_buff *skb);
bool tcp_ofo_keep_first(struct sock *sk, struct sk_buff *skb, uint32_t hlen);
void tcp_ofo_drain(struct sock *sk);
void tcp_ofo_insert(struct sock *sk, struct sk_buff *skb, struct sk_buff *next);
void tcp_ofo_remove(struct tcp_sackinfo *si, struct sk_buff *skb);
bool tcp_prune_ofo_queue(struct sock *sk, const struct sk_buff *in);
void tcp_ofo_purge(struct sock *sk, enum drop_reason why);

/* What an skb of the send queues costs its socket: as much as Linux charges (832 octets on 64 bits, and each octet of
 * data once), so that a program's SO_SNDBUF means the same number of bytes. */
#define TCP_SKB_COST 832u
static inline void tcp_wmem_change(struct sock *sk, struct sk_buff *skb, int32_t n)
{
	skb->truesize += (uint32_t)n;
	sk->wmem_queued += n;
	tcp_net(sk)->mem_allocated += n;
}
/* skb comes to a send queue; its truesize is counted anew. */
static inline void tcp_wmem_charge(struct sock *sk, struct sk_buff *skb)
{
	skb->truesize = 0;
	tcp_wmem_change(sk, skb, (int32_t)(TCP_SKB_COST + skb->len));
}

/* What of SO_SNDBUF is used. Linux's TCP makes trains whatever the device can (software splits them), so that the 832 octets are
 * paid per train of up to 64 KiB. Ours makes single segments for a device without TSO: full ones among them are charged as
 * the trains that they would have been, or 4 MiB would hold two fifths less in flight than there; at half of what they are
 * at least, for a peer may ask for segments of 48 octets. The host's memory (mem_allocated) counts what there is. */
static inline int32_t tcp_wmem_used(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	uint32_t octets, full, trains;

	if (likely(sk->gso_max_segs > 1) || !tp->mss_cache || sock_flag(sk, SOCK_F_NO_GSO))
		return sk->wmem_queued;
	octets = tp->write_seq - tp->snd_una;
	full = min_u32(octets / tp->mss_cache, (uint32_t)tp->fl->packets_out + sk->write_queue.qlen);
	trains = octets / (TCP_GSO_MAX - MAX_TCP_HEADER) + (full != 0);
	return sk->wmem_queued - (int32_t)min_u32(TCP_SKB_COST * (full - min_u32(full, trains)), (uint32_t)sk->wmem_queued / 2);
}

/* Is there room for a writer that waits? */
static inline bool tcp_wmem_has_room(const struct sock *sk)
{
	int32_t used = tcp_wmem_used(sk);

	return sk->sndbuf - used >= used >> 1 && tcp_notsent_ok(sk, 1);
}

/* tcp_output.c, tcp_xmit.c */
int __tcp_transmit_skb(struct sock *sk, struct sk_buff *skb, bool clone_it);
void __tcp_push_pending_frames(struct sock *sk, uint32_t cur_mss, int nonagle);
bool tcp_write_xmit(struct sock *sk, uint32_t mss_now, int nonagle, int push_one);
int __tcp_retransmit_skb(struct sock *sk, struct sk_buff *skb, uint32_t segs);
int tcp_retransmit_skb(struct sock *sk, struct sk_buff *skb, uint32_t segs);
void tcp_xmit_retransmit_queue(struct sock *sk);
void tcp_simple_retransmit(struct sock *sk);
void tcp_send_ack(struct sock *sk);
void tcp_send_delayed_ack(struct sock *sk);
void tcp_send_fin(struct sock *sk);
void tcp_send_active_reset(struct sock *sk);
int tcp_send_synack(struct sock *sk);
int tcp_write_wakeup(struct sock *sk);
void tcp_xmit_probe_skb(struct sock *sk, bool urgent);
void tcp_send_probe0(struct sock *sk);
bool tcp_send_loss_probe(struct sock *sk);
bool tcp_schedule_loss_probe(struct sock *sk, bool advancing_rto);
uint32_t tcp_sync_mss(struct sock *sk, uint32_t pmtu);
uint32_t tcp_current_mss(struct sock *sk);
uint32_t tcp_send_mss(struct sock *sk, uint32_t *size_goal, int flags);
uint32_t __tcp_select_window(struct sock *sk);
void tcp_select_initial_window(const struct sock *sk, uint32_t space, uint32_t mss, uint32_t *rcv_wnd,
			       uint32_t *window_clamp, bool wscale_ok, uint8_t *rcv_wscale, uint32_t init_rcv_wnd);
int tcp_fragment(struct sock *sk, struct sk_buff_head *q, struct sk_buff *skb, uint32_t len, uint32_t mss_now);
void tcp_trim_head(struct sock *sk, struct sk_buff *skb, uint32_t len);
void tcp_skb_set_pcount(struct sk_buff *skb, uint32_t mss_now);
void tcp_rtx_queue_unlink_and_free(struct sock *sk, struct sk_buff *skb);
/* tcp_rtx_tree.c */
struct sk_buff *tcp_rtx_find(struct tcp_sock *tp, uint32_t seq);
struct sk_buff *tcp_rtx_skip_sacked(struct tcp_sock *tp, struct sk_buff *skb);
void tcp_rtx_tree_insert_(struct sock *sk, struct sk_buff *skb);
void tcp_rtx_tree_remove_(struct tcp_sock *tp, struct sk_buff *skb);
/* skb came to the retransmission queue. */
static inline void tcp_rtx_tree_insert(struct sock *sk, struct sk_buff *skb)
{
	if (unlikely(tcp_sk(sk)->sack && tcp_sk(sk)->sack->rtx_root))
		tcp_rtx_tree_insert_(sk, skb);
}
void tcp_wmem_free_skb(struct sock *sk, struct sk_buff *skb);
void tcp_update_skb_after_send(struct sock *sk, struct sk_buff *skb);
uint32_t tcp_win_from_space(const struct sock *sk, uint32_t space);
uint32_t tcp_space_from_win(const struct sock *sk, uint32_t win);
int32_t tcp_space(const struct sock *sk);
uint32_t tcp_full_space(const struct sock *sk);
uint32_t tcp_mss_to_mtu(const struct sock *sk, uint32_t mss);
uint32_t tcp_mtu_to_mss(const struct sock *sk, uint32_t pmtu);
struct sk_buff *tcp_fill_up(struct sock *sk, struct sk_buff *skb, uint32_t want);
void tcp_cwnd_restart(struct sock *sk);
void tcp_rearm_rto(struct sock *sk);
void tcp_event_new_data_sent(struct sock *sk, struct sk_buff *skb);

/* Fast Open: cookie and true if the header has the option, well formed. */
bool tcp_find_fastopen(const struct sk_buff *skb, struct tcp_fo_cookie *c);

/* tcp_fastopen.c */
struct ctl_table;
struct strbuf;
struct tcp_fo_request {
	struct iov_iter *from;
	size_t copied;
};
bool tcp_fastopen_send_syn(struct sock *sk, struct sk_buff *syn);
bool tcp_fastopen_synack(struct sock *sk, struct sk_buff *skb);
void tcp_fastopen_detect_blackhole(struct sock *sk, bool expired);
void tcp_fastopen_client_gone(struct sock *sk);
void tcp_fastopen_blackhole_changed(struct net *net, const struct ctl_table *t);
bool tcp_fastopen_request(struct sock *lsk, struct sk_buff *skb, struct request_sock *req);
void tcp_fastopen_child_done(struct sock *sk);
void tcp_fastopen_child_reset(struct sock *sk);
void tcp_fastopen_child_proven(struct sock *sk);
void tcp_fastopen_synack_timer(struct sock *sk);
void tcp_count_rto(struct sock *sk);
#define TFO_CLIENT 1u
#define TFO_SERVER 2u
#define TFO_CLIENT_NO_COOKIE 4u
#define TFO_SERVER_COOKIE_NOT_REQD 0x200u
#define TFO_SERVER_WO_SOCKOPT1 0x400u
const struct tcp_fo_keys *tcp_fastopen_keys(const struct sock *sk);
int tcp_fastopen_set_keys(struct sock *sk, const void *val, socklen_t len);
int tcp_fastopen_get_keys(const struct sock *sk, void *val, socklen_t *len);
void tcp_fastopen_get_key_sysctl(struct net *net, const struct ctl_table *t, struct strbuf *out);
int tcp_fastopen_set_key_sysctl(struct net *net, const struct ctl_table *t, const char *text);
bool tcp_fastopen_syn_again(struct sock *sk, const struct sk_buff *skb);

/* tcp_repair.c */
int tcp_repair_set(struct sock *sk, int name, int v);
int tcp_repair_get(struct sock *sk, int name, int *v);
int tcp_repair_set_options(struct sock *sk, const void *val, socklen_t len);
int tcp_repair_set_window(struct sock *sk, const void *val, socklen_t len);
int tcp_repair_get_window(const struct sock *sk, void *val, socklen_t *len);
int tcp_repair_sent(struct sock *sk, struct sk_buff *skb, uint32_t mss_now);
ssize_t tcp_repair_send_rcvq(struct sock *sk, struct msghdr *msg, size_t len);
ssize_t tcp_repair_peek_sndq(struct sock *sk, struct msghdr *msg, size_t len);
static inline bool tcp_repair_sends(const struct sock *sk)
{
	return unlikely(tcp_sk(sk)->repair) && tcp_sk(sk)->rare && tcp_sk(sk)->rare->repair_queue == TCP_SEND_QUEUE;
}

/* tcp_notify.c: what a sender is told later */
void tcp_zc_add(struct sock *sk, uint32_t from, uint32_t end, bool joined);
int tcp_zc_room(struct sock *sk);
void tcp_zc_acked_(struct sock *sk);
void tcp_zc_purge(struct sock *sk);
static inline void tcp_zc_acked(struct sock *sk)
{
	if (unlikely(tcp_sk(sk)->rare && tcp_sk(sk)->rare->zc_pending))
		tcp_zc_acked_(sk);
}
void tcp_tx_timestamp(struct sock *sk, struct sk_buff *skb, uint32_t tsflags);
void tcp_ack_tstamp(struct sock *sk, const struct sk_buff *skb, uint32_t prior_una);
void tcp_fragment_tstamp(struct sk_buff *skb, struct sk_buff *rest);
/* skb got bytes from next (all, or its first ones): a mark of one of them comes along. */
void tcp_collapse_tstamp(struct sk_buff *skb, struct sk_buff *next);

/* tcp_metrics.c */
void tcp_init_metrics(struct sock *sk);   /* what the peer's earlier connections left, for one that is established */
void tcp_update_metrics(struct sock *sk); /* one that ended in good order leaves something */
void tcp_route_init(struct sock *sk);
void tcp_route_congctl(struct sock *sk);
bool tcp_route_wants_ecn(const struct sock *sk);
uint32_t tcp_route_initrwnd(const struct dst_entry *dst);
uint32_t tcp_route_window(const struct dst_entry *dst);
uint32_t tcp_init_cwnd_(const struct sock *sk);

/* tcp_rate.c */
struct tcp_sacktag_state;
void tcp_rate_skb_sent(struct sock *sk, struct sk_buff *skb);
void tcp_rate_skb_delivered(struct sock *sk, struct sk_buff *skb, struct tcp_sacktag_state *st);
void tcp_rate_gen(struct sock *sk, const struct tcp_sacktag_state *st, struct tcp_rate_sample *rs);
void tcp_rate_check_app_limited(struct sock *sk);
uint64_t tcp_delivery_rate(const struct tcp_sock *tp);
void tcp_chrono_start(struct sock *sk, uint8_t type);
void tcp_chrono_stop(struct sock *sk, uint8_t type);
uint64_t tcp_chrono_us(const struct sock *sk, uint8_t type);
void tcp_update_pacing_rate(struct sock *sk);
uint64_t tcp_pacing_rate(const struct sock *sk);
bool tcp_pacing_check(struct sock *sk);
void tcp_pacing_sent(struct sock *sk, uint32_t len);
uint64_t tcp_last_departure_ns(const struct sock *sk);
static inline bool tcp_needs_pacing(const struct sock *sk)
{
	return unlikely(sk->max_pacing_rate != UINT64_MAX || inet_csk(sk)->ca_ops->cong_control);
}

/* How far the peer is, in units of tcp_tso_rtt_log: 0 is near. The knob takes any octet. */
static inline uint32_t tcp_rtt_distance(const struct sock *sk)
{
	return tcp_sk(sk)->min_rtt_us >> min_u32((uint32_t)tcp_sysctl(sk)->tso_rtt_log, 31);
}

/* TCP_TX_DELAY: when a segment that is sent now may leave, for a discipline that heeds it (fq); 0: at once. */
static inline uint64_t tcp_departure_ns(const struct sock *sk)
{
	const struct tcp_rare *r = tcp_sk(sk)->rare;

	return unlikely(r && r->tx_delay_us) ? sk->net->now_ns + r->tx_delay_us * NSEC_PER_USEC : 0;
}

/* tcp_mtu_probe.c */
void tcp_mtup_init(struct sock *sk);
uint32_t tcp_mtup_bound(struct sock *sk, uint32_t mtu);
void tcp_mtup_black_hole(struct sock *sk);
int tcp_mtu_probe(struct sock *sk);
void tcp_mtup_acked(struct sock *sk);
bool tcp_mtup_lost(struct sock *sk);
static inline bool tcp_mtup_enabled(const struct sock *sk) { return unlikely(tcp_sk(sk)->rare && tcp_sk(sk)->rare->mtup.enabled); }

/* tcp_options.c */
struct tcp_out_options {
	uint16_t options; /* OPTION_* */
	uint16_t mss;
	uint8_t ws, num_sack_blocks;
	uint32_t tsval, tsecr;
	struct tcp_sack_block sacks[TCP_NUM_SACKS];
	const struct tcp_fo_cookie *fo; /* with OPTION_FASTOPEN */
	const struct tcp_key *key;      /* with OPTION_AUTH */
	uint32_t ecn_bytes[3];          /* with OPTION_ACCECN: e1b, ceb, e0b */
	uint8_t accecn_fields, accecn_size; /* octets, less what it takes of the NOPs behind it */
};
enum { OPTION_MSS = 1, OPTION_TS = 2, OPTION_SACK_ADVERTISE = 4, OPTION_WSCALE = 8, OPTION_SACK = 16, OPTION_FASTOPEN = 32, OPTION_AUTH = 64, OPTION_ACCECN = 128 };
void tcp_parse_options(const struct net *net, const struct sk_buff *skb, struct tcp_options_received *opt, bool estab);
bool tcp_fast_parse_options(const struct sk_buff *skb, struct tcp_sock *tp);
uint32_t tcp_options_size(const struct tcp_out_options *o);
/* Where the signature is to go (tcp_key_sign), or NULL. */
uint8_t *tcp_options_write(uint8_t *p, const struct tcp_out_options *o);
/* Give a Fast Open cookie to options that have room for it. */
void tcp_option_fastopen(struct tcp_out_options *o, const struct tcp_fo_cookie *c);
struct tcp_accecn_option;
bool tcp_find_accecn(const struct sk_buff *skb, struct tcp_accecn_option *o);
const uint8_t *tcp_find_sack(const struct sk_buff *skb, unsigned *nblocks);

/* tcp_input.c */
bool tcp_oow_rate_limited(struct net *net, const struct sk_buff *skb, bool counter_synrecv, uint32_t *last_ms);
void tcp_send_challenge_ack(struct sock *sk);
int tcp_rcv_synsent(struct sock *sk, struct sk_buff *skb);
void tcp_fin(struct sock *sk);
void tcp_init_buffer_space(struct sock *sk);
void tcp_initialize_rcv_mss(struct sock *sk);
void tcp_finish_connect(struct sock *sk);
/* What follows skb and was sent in small pieces joins its retransmission, up to space octets. */
void tcp_retrans_try_collapse(struct sock *sk, struct sk_buff *skb, uint32_t space);
/* The window shall never be more. */
void tcp_set_window_clamp(struct tcp_sock *tp, uint32_t v);
/* A send buffer that the program did not fix grows with the window. */
void tcp_sndbuf_expand(struct sock *sk);
void tcp_update_pred_flags(struct tcp_sock *tp);
void tcp_init_transfer(struct sock *sk);
void tcp_child_transfer(struct sock *sk);
void tcp_data_snd_check(struct sock *sk);
void tcp_ack_snd_check(struct sock *sk);

/* tcp_rcvq.c */
void tcp_data_queue(struct sock *sk, struct sk_buff *skb);
bool tcp_try_coalesce(struct sock *sk, struct sk_buff *to, const struct sk_buff *skb);
void tcp_measure_rcv_mss(struct sock *sk, const struct sk_buff *skb);
bool tcp_text_refused(const struct sock *sk, const struct sk_buff *skb);
void tcp_grow_window(struct sock *sk, const struct sk_buff *skb, bool joined);
void tcp_ecn_check_ce(struct sock *sk, const struct sk_buff *skb);
void tcp_sack_remove(struct tcp_sock *tp);
bool tcp_queue_rcv(struct sock *sk, struct sk_buff *skb, uint32_t hdrlen);
void tcp_event_data_recv(struct sock *sk, struct sk_buff *skb);
void tcp_enter_quickack_mode(struct sock *sk, uint32_t max);
void tcp_ack_synack(struct sock *sk);
void tcp_sack_new_ofo_skb(struct sock *sk, uint32_t seq, uint32_t end_seq);
void tcp_dsack_set(struct sock *sk, uint32_t seq, uint32_t end_seq);
void tcp_send_dupack(struct sock *sk, const struct sk_buff *skb);
void tcp_rcv_rtt_measure_ts(struct sock *sk, const struct sk_buff *skb);
void tcp_data_ready(struct sock *sk);
bool tcp_compress_ack(struct sock *sk);
void tcp_compressed_ack_kick(struct sock *sk);
void tcp_comp_sack_flush(struct sock *sk);
void tcp_comp_sack_arm(struct sock *sk, uint64_t deadline_ns);
void tcp_comp_sack_sent_(struct sock *sk);
/* An ACK goes out: it says what those that were held back would have. */
static inline void tcp_comp_sack_sent(struct sock *sk)
{
	if (unlikely(tcp_sk(sk)->sack && tcp_sk(sk)->sack->comp_acks))
		tcp_comp_sack_sent_(sk);
}

/* tcp_rcvbuf.c */
void tcp_check_urg(struct sock *sk, const struct tcp_hdr *th, uint32_t seq);
void tcp_urg(struct sock *sk, struct sk_buff *skb);
void tcp_rcv_space_adjust(struct sock *sk);
void tcp_rcvbuf_grow(struct sock *sk, uint32_t space);
void tcp_cleanup_rbuf(struct sock *sk, uint32_t copied);

/* tcp_ack.c */
#define FLAG_DATA 0x01
#define FLAG_WIN_UPDATE 0x02
#define FLAG_DATA_ACKED 0x04
#define FLAG_RETRANS_DATA_ACKED 0x08
#define FLAG_SYN_ACKED 0x10
#define FLAG_DATA_SACKED 0x20
#define FLAG_ECE 0x40
#define FLAG_LOST_RETRANS 0x80
#define FLAG_SLOWPATH 0x100
#define FLAG_ORIG_SACK_ACKED 0x200
#define FLAG_SND_UNA_ADVANCED 0x400
#define FLAG_DSACKING_ACK 0x800
#define FLAG_SET_XMIT_TIMER 0x1000
#define FLAG_SACK_RENEGING 0x2000
#define FLAG_UPDATE_TS_RECENT 0x4000
#define FLAG_NO_CHALLENGE_ACK 0x8000
#define FLAG_TS_PROGRESS 0x10000 /* a timestamp later than the last one */
#define FLAG_NOT_DUP (FLAG_DATA | FLAG_WIN_UPDATE | FLAG_DATA_ACKED | FLAG_SYN_ACKED)
#define FLAG_ACKED (FLAG_DATA_ACKED | FLAG_SYN_ACKED)
#define FLAG_CA_ALERT (FLAG_DATA_SACKED | FLAG_ECE | FLAG_DSACKING_ACK)
#define FLAG_FORWARD_PROGRESS (FLAG_ACKED | FLAG_DATA_SACKED)
struct tcp_sacktag_state {
	uint64_t first_sackt_ns, last_sackt_ns;
	uint32_t reord;           /* lowest sequence newly SACKed below the highest */
	uint32_t prior_delivered, prior_lost, tx_in_flight; /* of the segment sent last among those delivered now */
	int64_t rtt_us;           /* what this ACK measured; -1: nothing */
	uint64_t last_sent_ns;
	uint32_t delivered_bytes;
	uint32_t prior_us, send_us;
	bool app_limited;
	int flag;
};
/* 1: fine; 0: old; negative: -reason, drop (a challenge ACK was sent). */
int tcp_ack(struct sock *sk, struct sk_buff *skb, int flag);
bool tcp_rtt_estimator_sample(struct sock *sk, int64_t rtt_us);
void tcp_set_rto(struct sock *sk);
void tcp_synack_rtt_meas(struct sock *sk, uint64_t sent_ns);
void tcp_ack_update_rtt_first(struct sock *sk, int64_t rtt_us);

/* tcp_sack.c */
int tcp_sacktag_write_queue(struct sock *sk, const struct sk_buff *ack_skb, uint32_t prior_snd_una, struct tcp_sacktag_state *st);
void tcp_skb_mark_lost(struct sock *sk, struct sk_buff *skb);
void tcp_verify_left_out(struct tcp_sock *tp);

/* tcp_recovery.c */
void tcp_rack_advance(struct tcp_sock *tp, uint8_t sacked, uint32_t end_seq, uint64_t xmit_ns);
bool tcp_rack_mark_lost(struct sock *sk);
void tcp_rack_reo_timeout(struct sock *sk);
void tcp_rack_update_reo_wnd(struct sock *sk, const struct tcp_sacktag_state *st);
uint32_t tcp_fack_seq(const struct tcp_sock *tp);
void tcp_check_sack_reordering(struct sock *sk, uint32_t low_seq, bool ts);
void tcp_fastretrans_alert(struct sock *sk, uint32_t prior_snd_una, uint32_t num_dupack, int *flag, int *rexmit);
enum { REXMIT_NONE, REXMIT_LOST, REXMIT_NEW };
void tcp_enter_loss(struct sock *sk);
void tcp_enter_recovery(struct sock *sk, bool ece);
void tcp_enter_cwr(struct sock *sk);
void tcp_process_tlp_ack(struct sock *sk, uint32_t ack, int flag);
void tcp_cong_control(struct sock *sk, uint32_t ack, int flag, const struct tcp_rate_sample *rs);
void tcp_set_ca_state(struct sock *sk, uint8_t st);
void tcp_reset_reno_sack(struct tcp_sock *tp);
void tcp_remove_reno_sacks(struct sock *sk, uint32_t acked, bool ece);
void tcp_clear_retrans(struct tcp_sock *tp);
void tcp_init_undo(struct tcp_sock *tp);
bool tcp_try_undo_loss(struct sock *sk, bool frto_undo);
bool tcp_try_undo_recovery(struct sock *sk);
void tcp_end_cwnd_reduction(struct sock *sk);

/* tcp_cong.c */
void *tcp_ca(struct sock *sk);
void tcp_ca_free(struct sock *sk);
void tcp_init_congestion_control(struct sock *sk);
void tcp_assign_congestion_control(struct sock *sk);
int tcp_set_congestion_control(struct sock *sk, const char *name);
uint32_t tcp_slow_start(struct tcp_sock *tp, uint32_t acked);
void tcp_cong_avoid_ai(struct tcp_sock *tp, uint32_t w, uint32_t acked);
bool tcp_is_cwnd_limited(const struct sock *sk);
uint32_t tcp_reno_undo_cwnd(struct sock *sk);
void tcp_cwnd_validate(struct sock *sk, bool is_cwnd_limited);

/* tcp_timer.c */
void tcp_init_xmit_timers(struct sock *sk);
void tcp_clear_xmit_timers(struct sock *sk);
/* From now; and, as after sending, from when the last segment may leave if the connection is paced. */
void inet_csk_reset_xmit_timer(struct sock *sk, uint8_t what, uint64_t when_us);
void tcp_reset_xmit_timer(struct sock *sk, uint8_t what, uint64_t when_us);
void inet_csk_clear_rto(struct sock *sk);
void inet_csk_reset_delack(struct sock *sk, uint64_t us);
void inet_csk_clear_delack(struct sock *sk);
void tcp_reset_keepalive_timer(struct sock *sk, uint64_t ns);
void tcp_delete_keepalive_timer(struct sock *sk);
void tcp_xmit_at(struct sock *sk, uint64_t when_ns); /* go on sending then, from the wheel */
void tcp_set_keepalive(struct sock *sk, bool on);
uint64_t tcp_keepalive_time_ns(const struct sock *sk);
uint64_t tcp_keepalive_intvl_ns(const struct sock *sk);
uint64_t tcp_keepalive_elapsed_ns(const struct sock *sk);
uint32_t tcp_keepalive_probes(const struct sock *sk);
uint64_t tcp_fin_time_ns(const struct sock *sk);
uint32_t tcp_rto_max_us(const struct sock *sk);
static inline uint32_t tcp_rto_min_us(const struct sock *sk) { return tcp_sk(sk)->rto_min_us; }
uint64_t tcp_probe0_when_us(const struct sock *sk, uint64_t max_us);
uint32_t tcp_clamp_probe0_to_user_timeout(const struct sock *sk, uint32_t when_us);

/* tcp_minisocks.c */
void tcp_time_wait(struct sock *sk, uint8_t state, uint64_t timeo_ns);
void tcp_tw_kill(struct tcp_timewait_sock *tw);
void tcp_tw_timer(struct timer_list *t);
int tcp_child_process(struct sock *parent, struct sock *child, struct sk_buff *skb);

/* inet_connection_sock.c */
struct request_sock *inet_reqsk_alloc(const struct request_sock_ops *ops, struct sock *lsk);
void reqsk_free(struct request_sock *req);
void inet_csk_reqsk_queue_hash_add(struct sock *lsk, struct request_sock *req, uint64_t timeout_ns);
bool inet_csk_reqsk_queue_add(struct sock *lsk, struct sock *child);
void inet_csk_unlink_accept(struct sock *child);
static inline bool sk_acceptq_is_full(const struct sock *lsk) { return inet_csk(lsk)->listener->qlen > inet_csk(lsk)->listener->max_qlen; }
int inet_csk_get_port(struct sock *sk, uint16_t port);
struct sock *inet_csk_clone_lock(const struct sock *lsk, const struct request_sock *req);

/* tcp_syn.c */
uint32_t cookie_v4_init_sequence(struct net *net, const struct tcp_ehash_node *eh, uint32_t irs, uint16_t *mssp);
uint32_t cookie_init_timestamp(const struct tcp_request_sock *treq, uint32_t tsval);
struct sock *tcp_cookie_check(struct sock *lsk, struct sk_buff *skb, uint32_t saddr, uint32_t daddr);

/* tcp_net.c */
uint32_t secure_tcp_seq(struct net *net, uint32_t saddr, uint32_t daddr, uint16_t sport, uint16_t dport);
uint32_t secure_tcp_ts_off(struct net *net, uint32_t saddr, uint32_t daddr);
uint64_t secure_ipv4_port_ephemeral(struct net *net, uint32_t saddr, uint32_t daddr, uint16_t dport);

#endif
