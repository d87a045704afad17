/* The state of TCP: what a connection, a request, a TIME-WAIT remnant and a host's TCP know.
 *
 * THEORY. Names are RFC 9293's where it has a name, Linux's where Linux has one.
 *
 * Sequence space of the sender                     and of the receiver
 *
 *   snd_una      snd_nxt     write_seq               rcv_wup  copied_seq   rcv_nxt       rcv_wup+rcv_wnd
 *      |  rtx_queue |  write_queue |                    |          | receive |    out-of-order |
 *  ----+------------+--------------+----->          ----+----------+- queue -+--- [..]  [..] --+-->
 *      sent, unacked  not yet sent                        read       to read    holes          edge
 *
 * QUEUES. write_queue (struct sock) holds what was never sent. The first transmission sends a clone and moves the
 * original to the tail of rtx_queue, where it waits for its acknowledgement; a retransmission sends another clone (a real
 * copy when an earlier clone still shares the data, since the header is written in front of it). Both are lists in
 * sequence order. TCP_SKB_CB(skb)->tsorted links the same originals by the time they were last sent (RACK).
 * receive_queue holds bytes in order, ready to read (a FIN is an empty segment with its flag). The out-of-order queue is a
 * list in sequence order and, through the same control blocks, a treap by sequence number, so that an insertion costs
 * O(log n) whatever order an attacker chooses. There is no backlog: one thread owns a host, and a system call holds off
 * softirqs (lock_sock) instead of queueing behind itself.
 * Limits: send side by sndbuf, receive side (both queues) by rcvbuf, in truesize as Linux's (tcp_prune.c: overrun by one segment at
 * most; one that the program did not fix grows up to tcp_rmem[2]); ofo_queue also by TCP_MAX_OFO_SKBS. All connections of a host
 * together by tcp_mem (tcp_mem.c). While SACKs come, rtx_queue is a search tree as well (tcp_rtx_tree.c).
 *
 * STATES and who may leave each (RFC 9293 3.3.2); "call": a program's call, "seg": tcp_input, "timer": tcp_timer.
 *   CLOSE        -> SYN_SENT (call connect), LISTEN (call listen)
 *   LISTEN       -> CLOSE (call close). Its connections in SYN-RECEIVED are struct tcp_request_sock (NEW_SYN_RECV)
 *   SYN_SENT     -> ESTABLISHED (seg SYN+ACK), SYN_RECV (seg SYN: simultaneous open), CLOSE (seg RST, timer, call)
 *   SYN_RECV     -> ESTABLISHED, FIN_WAIT1 (seg ACK), CLOSE_WAIT (seg FIN), CLOSE
 *   ESTABLISHED  -> FIN_WAIT1 (call close/shutdown), CLOSE_WAIT (seg FIN), CLOSE (seg RST, timer)
 *   FIN_WAIT1    -> FIN_WAIT2 (seg ACK of FIN), CLOSING (seg FIN), TIME_WAIT (seg FIN+ACK), CLOSE
 *   FIN_WAIT2    -> TIME_WAIT (seg FIN), CLOSE (seg RST, timer: only orphans)
 *   CLOSING      -> TIME_WAIT (seg ACK), LAST_ACK never; CLOSE_WAIT -> LAST_ACK (call close/shutdown); LAST_ACK -> CLOSE
 *   TIME_WAIT    is a struct tcp_timewait_sock; gone after 60 s (a FIFO: every entry waits equally long), by a RST
 *                (unless tcp_rfc1337), or reborn by a new SYN.
 *
 * TIMERS. One wheel timer per socket serves four deadlines: rto_deadline_ns (what it means says icsk->pending:
 * retransmission, RACK reordering, loss probe, zero-window probe), delack_deadline_ns, keep_deadline_ns (keep-alive,
 * FIN-WAIT-2 of an orphan). A deadline that moves later does not touch the wheel; the timer fires early, sees that
 * nothing is due and re-arms. So per-ACK timer work is one store.
 *
 * LOSS. Counted per skb (packets_out and its parts sacked_out, lost_out, retrans_out), a train (gso_segs > 1) counts its
 * segments. in flight = packets_out - (sacked_out + lost_out) + retrans_out. CA states Open, Disorder, CWR, Recovery, Loss
 * as in RFC 6675/Linux. Losses are marked by RACK (RFC 8985) when there is SACK, by three duplicate ACKs without.
 *
 * ECN. ecn_flags: TCP_ECN_OK is RFC 3168's (tcp_rcvq.c, tcp_output.c), TCP_ECN_ACCECN Accurate ECN (tcp_accecn.c), never both. Either ends in
 * FLAG_ECE of tcp_ack(), which takes the window back once per round trip.
 *
 * Deliberately absent: urgent data out of band longer than one byte (RFC 6093), prequeue. */
#ifndef TCP_TCP_SOCK_H
#define TCP_TCP_SOCK_H

#include "wire/tcp_hdr.h" /* before <netinet/tcp.h>, whose macros share names with its enum */
#include "wire/ip4.h"
#include "core/inet_sock.h"
#include "core/netdevice.h"
#include <netinet/tcp.h>

#define TCP_NEW_SYN_RECV 12 /* a request socket's state in the hash; never a struct sock's */

/* Linux's numbers; seconds unless said. */
#define TCP_MIN_MSS 88u
#define TCP_INIT_CWND 10u
#define TCP_INFINITE_SSTHRESH 0x7fffffffu
#define TCP_RTO_MIN_US 200000u
#define TCP_RTO_MAX_US UINT64_C(120000000)
#define TCP_TIMEOUT_INIT_US 1000000u
#define TCP_TIMEOUT_FALLBACK_US 3000000u
#define TCP_TIMEOUT_MIN_US 2000u
#define TCP_DELACK_TICK_US 1000u /* an ACK that is put off leaves no sooner than a clock's tick later */
#define TCP_DELACK_MIN_US 40000u
#define TCP_DELACK_MAX_US 200000u
#define TCP_ATO_MIN_US 40000u
#define TCP_RESOURCE_PROBE_NS (500 * NSEC_PER_MSEC)
#define TCP_TIMEWAIT_LEN_NS (60 * NSEC_PER_SEC)
#define TCP_PAWS_WINDOW 1
#define TCP_PAWS_24DAYS (60u * 60 * 24 * 24)
#define TCP_PAWS_MSL 60
#define TCP_MAX_QUICKACKS 16u
#define TCP_MAX_WSCALE 14u
#define TCP_MAX_OFO_SKBS (1u << 20) /* memory ends first but for buffers of a gibibyte */
#define TCP_NUM_SACKS 4
#define TCP_RACK_RECOVERY_THRESH 16
#define TCP_GSO_MAX 65280u
#define TCP_ORPHANS_MAX_DEFAULT 65536
#define TCP_CA_NAME_LEN 16
#define TCP_MAX_LISTEN_BACKLOG 65535

/* Deadlines that share rto_deadline_ns. */
enum { ICSK_TIME_NONE, ICSK_TIME_RETRANS, ICSK_TIME_PROBE0, ICSK_TIME_LOSS_PROBE, ICSK_TIME_REO_TIMEOUT };

/* ---- a segment's control block ---- */
enum {
	TCPCB_SACKED_ACKED = 1, TCPCB_SACKED_RETRANS = 2, TCPCB_LOST = 4, TCPCB_TAGBITS = 7,
	TCPCB_EVER_RETRANS = 0x80
};
struct tcp_skb_cb {
	uint32_t seq, end_seq; /* SYN and FIN take one each */
	union {
		uint32_t ack_seq;  /* received: its acknowledgement number */
		uint32_t skip_seq; /* sent and SACKed: up to here all is SACKed (tcp_rtx_tree.c) */
	};
	uint8_t tcp_flags;     /* octet 13 of the header */
	uint8_t sacked;
	uint8_t ip_dsfield;    /* received: TOS */
	uint8_t eor : 1, has_csum : 1, has_rxtstamp : 1, pushed : 1, txstamp_ack : 1;
	uint16_t gso_segs, gso_size; /* sent: how many segments it counts for */
	uint32_t prio;         /* in the treap: of the out-of-order queue, or of the retransmission queue */
	union {
		struct {
			struct list_head tsorted; /* by skb_mstamp_ns */
			/* the connection's when it was sent (tcp_rate.c): low bits of microseconds; in_flight: with it */
			uint32_t delivered_us, first_tx_us, delivered, lost, in_flight : 31, app_limited : 1;
			struct sk_buff *left, *right; /* tcp_rtx_tree.c */
		} tx;
		struct {
			struct sk_buff *left, *right;
			uint32_t room; /* received: how much more fits its buffer (tcp_try_coalesce) */
		} ofo;
	};
};
_Static_assert(sizeof(struct tcp_skb_cb) <= 80, "fits in sk_buff's cb");
#define TCP_SKB_CB(skb) ((struct tcp_skb_cb *)(void *)(skb)->cb)
static inline const struct tcp_hdr *tcp_hdr(const struct sk_buff *skb)
{
	return (const struct tcp_hdr *)(const void *)skb_transport_header(skb);
}
/* The skb that stands at pos in the list by time of sending. */
static inline struct sk_buff *tcp_tsorted_skb(struct list_head *pos)
{
	struct tcp_skb_cb *tcb = list_entry(pos, struct tcp_skb_cb, tx.tsorted);

	return (struct sk_buff *)(void *)((char *)tcb - offsetof(struct sk_buff, cb));
}
static inline uint32_t tcp_skb_pcount(const struct sk_buff *skb) { return TCP_SKB_CB(skb)->gso_segs; }

struct tcp_sack_block {
	uint32_t start_seq, end_seq;
};
struct tcp_options_received {
	uint32_t ts_recent;       /* TS.Recent (RFC 7323) */
	uint32_t ts_recent_stamp; /* seconds when it was stored; 0: none */
	uint32_t rcv_tsval, rcv_tsecr;
	uint16_t mss_clamp;       /* peer's MSS option, or 536 */
	uint16_t user_mss;        /* TCP_MAXSEG */
	uint8_t saw_tstamp : 1, tstamp_ok : 1, dsack : 1, wscale_ok : 1, sack_ok : 1, bad_len : 1;
	uint8_t snd_wscale : 4, rcv_wscale : 4;
	uint8_t num_sacks;
};

/* ---- hash tables (inet_hashtables.c) ---- */
enum tcp_ehash_kind { TCP_EH_SOCK, TCP_EH_REQ, TCP_EH_TW };
struct tcp_ehash_node { /* in a socket, request or TIME-WAIT remnant: found by four-tuple */
	struct hlist_node node;
	uint32_t hash;
	uint32_t daddr, saddr; /* peer's and ours */
	uint16_t dport, num;
	uint8_t kind;
	bool hashed;
};
struct inet_bind_bucket { /* one per local port in use */
	struct hlist_node node;
	struct hlist_head owners; /* sock.bind_node */
	uint32_t tw;              /* TIME-WAIT remnants on this port */
	uint32_t explicit_owners; /* owners that named the port in bind() */
	uint16_t port;
};
struct tcp_hash {
	struct hlist_head *slots;
	uint32_t size, count; /* size: a power of two */
};
#define TCP_HASH_MIN 16u
#define TCP_HASH_MAX (1u << 22)

/* ---- congestion control (RFC 5681): a table ---- */
enum tcp_ca_event { CA_EVENT_TX_START, CA_EVENT_CWND_RESTART, CA_EVENT_COMPLETE_CWR, CA_EVENT_LOSS };
/* What one ACK says of the delivery rate (tcp_rate.c), for algorithms that take all of cwnd upon themselves. */
struct tcp_rate_sample {
	uint32_t prior_delivered; /* connection's, when the segment sent last among those delivered now was sent */
	int64_t delivered;        /* since then; -1: nothing was delivered */
	uint32_t bw;              /* segments per microsecond, times 2^24; 0: no valid interval */
	uint32_t lost, tx_in_flight; /* since then, and at its sending */
	uint32_t newly_lost, acked_sacked;
	int64_t rtt_us;           /* -1: none */
	bool app_limited, ece;    /* ece: the peer echoes that a router marked something */
};
struct tcp_congestion_ops {
	const char *name;
	bool big_priv;                         /* needs TCP_CA_PRIV_BIG */
	/* Instead of cong_avoid and of proportional reduction: sets cwnd and sk->pacing_rate, and is paced. */
	void (*cong_control)(struct sock *sk, const struct tcp_rate_sample *rs);
	void (*skb_lost)(struct sock *sk, const struct sk_buff *skb);      /* marked lost just now */
	void (*init)(struct sock *sk);
	uint32_t (*ssthresh)(struct sock *sk); /* after a loss */
	void (*cong_avoid)(struct sock *sk, uint32_t ack, uint32_t acked);
	void (*set_state)(struct sock *sk, uint8_t new_state);
	void (*cwnd_event)(struct sock *sk, enum tcp_ca_event ev);
	void (*pkts_acked)(struct sock *sk, uint32_t acked, int64_t rtt_us);
	uint32_t (*undo_cwnd)(struct sock *sk);
	/* TCP_CC_INFO: the algorithm's own state (union tcp_cc_info) into 64 octets; how many of them. */
	size_t (*get_info)(const struct sock *sk, void *out);
};
extern const struct tcp_congestion_ops tcp_reno_ops, tcp_cubic_ops, tcp_bbr_ops;

struct tcp_accept { /* a connection that waits for accept() */
	struct list_head node;
	struct sock *child, *listener;
};

#define FO_RESETS_MAX 64u
struct tcp_listener { /* side allocation of a LISTEN socket */
	struct list_head accept_queue; /* tcp_accept.node */
	struct list_head requests;     /* tcp_request_sock.list */
	uint32_t qlen, max_qlen;       /* accept queue */
	uint32_t fastopen_pending;     /* children whose handshake is not over */
	uint64_t fo_reset_ns[FO_RESETS_MAX]; /* a ring: until when one that was reset counts as well */
	uint8_t fo_reset_first, n_fo_resets;
	uint32_t syn_qlen, young;
	uint64_t synflood_warned_ns, last_overflow_ns;
};

struct tcp_fo_cookie { /* RFC 7413: 4 to 16 octets, len 0: none, or a request for one */
	uint8_t len, val[16];
	bool exp; /* in the experimental option 254, magic 0xf989 */
};
struct tcp_auth;
struct sk_psock;
struct sock_map;
struct tcp_fo_keys { /* the first makes cookies, the second is taken too */
	uint8_t n, key[2][16];
};
/* TCP_SAVE_SYN: the headers of the SYN that made this connection. */
struct tcp_saved_syn {
	uint8_t len, b[14 + 60 + 60];
};
/* Sent with MSG_ZEROCOPY: calls lo to hi, whose bytes end at end_seq. */
struct tcp_zc {
	struct list_head list;
	uint32_t seq, end_seq, lo, hi;
};
struct tcp_fo_request; /* a send() that wants its data in the SYN (tcp_int.h) */

struct tcp_mtup { /* the search for the path's MTU (tcp_mtu_probe.c); sizes with all headers */
	uint32_t search_low, search_high, probe_size, seq_start, seq_end, stamp_ms;
	bool enabled;
};

/* Few connections need these: allocated at first use (tcp_rare()). */
struct tcp_rare {
	uint32_t keepalive_time, keepalive_intvl; /* seconds, 0: sysctl */
	uint32_t user_timeout_ms, notsent_lowat;
	int32_t linger2;                          /* FIN-WAIT-2 seconds; -1: none */
	uint8_t keepalive_probes, syn_retries, defer_accept, thin_lto;
	uint32_t window_clamp_user;
	bool recvmsg_inq;
	uint8_t save_syn;            /* TCP_SAVE_SYN: 1 IP and TCP header, 2 the link's too */
	struct tcp_saved_syn *saved_syn;
	uint8_t repair_queue;        /* TCP_REPAIR_QUEUE (tcp_repair.c) */
	uint32_t tx_delay_us, rto_max_ms, rto_min_us, delack_max_us; /* 0: as for all */
	/* MSG_ZEROCOPY (tcp_notify.c) */
	struct list_head zc;         /* tcp_zc.list, in sequence order */
	uint32_t zc_key, zc_pending; /* of the next call; list's length */
	/* Fast Open */
	bool fo_connect, fo_no_cookie, fo_born; /* TCP_FASTOPEN_CONNECT, _NO_COOKIE; a child whose SYN had data or a cookie */
	uint8_t fo_fail;             /* enum tcp_fastopen_client_fail: struct tcp_info */
	struct tcp_fo_keys fo_keys;  /* TCP_FASTOPEN_KEY; n 0: the host's */
	uint16_t fastopen_qlen;      /* listener: how many children may be unproven; 0: none */
	bool fo_option, fo_asked;    /* client: the next SYN carries the option; the SYN-ACK may bring a cookie */
	bool fo_used, fo_probing;    /* client: the SYN had the option; it is the first to have it again */
	uint8_t write_pending;       /* programs that wait for the handshake in order to send */
	struct tcp_fo_cookie fo_cookie;
	uint32_t fo_irs, fo_iss;     /* child: its client's ISN, and its own */
	uint8_t fo_synacks;          /* child: repetitions of the SYN-ACK by timer */
	uint64_t fo_snt_ns;          /* child: when the SYN-ACK was sent first */
	struct tcp_fo_request *fo_req;
	struct sock *fo_listener;    /* child: counted, until the handshake is over */
	struct tcp_mtup mtup;
	uint64_t pacing_next_ns; /* SO_MAX_PACING_RATE: not before this */
	struct tcp_auth *auth;  /* signed segments (tcp_auth.h); with tcp_sock.has_auth */
	struct sk_psock *psock; /* member of the socket map (sock_map.h) */
	uint8_t sockmap;        /* what the program said: SOCK_MAP_* */
};

/* Counted only where something went wrong, for struct tcp_info: allocated at the first event (tcp_stat()). */
struct tcp_stat {
	uint64_t bytes_retrans;
	uint32_t dsack_dups, reord_seen, rcv_ooopack;
	uint32_t total_rto_time_ms, rto_stamp_ms;
	uint16_t total_rto, total_rto_recoveries;
};

/* Accurate ECN (tcp_accecn.c): where it is asked for or agreed, or something came with ECT or CE. Octets by codepoint - 1. */
struct tcp_accecn {
	uint32_t received_ce, received_bytes[3]; /* of the peer's segments: r.cep - 5, and payload */
	uint32_t delivered_bytes[3];             /* of ours, as the peer says; s.cep - 5 is tp->delivered_ce */
	uint64_t opt_sent_ns;
	uint16_t pkts_acked_ewma;                /* segments per ACK, times 64 */
	uint8_t fail, opt_seen;                  /* TCP_ACCECN_*_FAIL_*; enum tcp_accecn_seen */
	uint8_t syn_ect_snt, syn_ect_rcv;        /* codepoint of SYN or SYN-ACK, ours and the peer's */
	uint8_t prev_ect, est_ect;               /* the last segment's; what our last octets came as, 0: not known */
	uint8_t opt_demand, opt_minlen;          /* options to send, and with how many fields at least */
	bool reflect, opt_with_dsack;            /* ACE says how the SYN-ACK came; the last option was with a D-SACK */
};
enum {
	TCP_ACCECN_ACE_FAIL_SEND = 1, /* ACE was 0 in our SYN or SYN-ACK: we may not send ECT */
	TCP_ACCECN_ACE_FAIL_RECV = 2, /* somebody changes ECN fields, or ACE */
	TCP_ACCECN_OPT_FAIL_SEND = 4, /* what has the option is lost */
	TCP_ACCECN_OPT_FAIL_RECV = 8, /* the option comes changed, or too late */
};
enum tcp_accecn_seen { TCP_ACCECN_OPT_NOT_SEEN, TCP_ACCECN_OPT_EMPTY_SEEN, TCP_ACCECN_OPT_COUNTER_SEEN, TCP_ACCECN_OPT_FAIL_SEEN };

/* What holds a sender back, from the least specific; see tcp_rate.c. */
enum { TCP_CHRONO_UNSPEC, TCP_CHRONO_BUSY, TCP_CHRONO_RWND_LIMITED, TCP_CHRONO_SNDBUF_LIMITED };
#define TCP_CA_PRIV 64u
#define TCP_CA_PRIV_BIG 256u
#define TCP_CC_INFO_MAX 64u

/* What is meaningful only while something is under way, or was until just now: made when a segment leaves
 * (tcp_flight()), given back when all is acknowledged and nothing may have to be undone. In between sockets point at
 * tcp_no_flight, which reads as an empty flight and cannot be written. */
struct tcp_flight {
	struct sk_buff_head rtx_queue;
	struct list_head tsorted_sent;
	struct sk_buff *retransmit_hint; /* nothing before it waits for retransmission; NULL: look from the head */
	uint32_t packets_out, retrans_out, sacked_out, lost_out;
	uint32_t high_seq, prior_cwnd, prior_ssthresh, prr_delivered, prr_out;
	uint32_t undo_marker, retrans_stamp_ms, tlp_high_seq;
	int32_t undo_retrans;
	uint32_t rack_rtt_us, rack_end_seq;
	uint64_t rack_mstamp_ns;
	uint32_t max_packets_out, cwnd_usage_seq;
	uint64_t rto_deadline_ns, xmit_deadline_ns; /* TIME_NEVER: off */
	uint64_t delivered_ns, first_tx_ns; /* rate samples (tcp_rate.c): when was delivered last, when the flight began */
};
extern const struct tcp_flight tcp_no_flight;

/* What only a connection with loss needs. */
struct tcp_sackinfo {
	struct tcp_sack_block selective_acks[TCP_NUM_SACKS]; /* to send, most recent first */
	struct tcp_sack_block duplicate_sack[1];
	struct tcp_sack_block recv_sack_cache[TCP_NUM_SACKS];
	struct sk_buff *ofo_root;
	struct sk_buff *rtx_root; /* the retransmission queue as a tree, while SACKs come */
	uint32_t tree_until;      /* without a SACK until this is acknowledged: forget it */
	struct sk_buff_head ofo_queue;
	bool ofo_tiny;     /* nothing more to be won by tcp_collapse until another segment comes into ofo_queue */
	uint32_t fack_seq; /* end of the highest SACKed byte */
	/* ACKs held back while segments come out of order (tcp_compress_ack()) */
	uint64_t comp_deadline_ns; /* 0: off */
	uint32_t comp_rcv_nxt;     /* dup_acks counts those of this number */
	uint8_t comp_acks, dup_acks;
};

struct inet_connection_sock {
	struct inet_sock inet; /* first */
	const struct inet_connection_sock_af_ops *af_ops;
	struct tcp_ehash_node eh;
	struct inet_bind_bucket *bind_bucket;
	struct tcp_listener *listener;
	const struct tcp_congestion_ops *ca_ops;
	struct timer_list timer;
	uint64_t delack_deadline_ns, keep_deadline_ns; /* TIME_NEVER: off */
	uint32_t rto_us;
	uint32_t ato_us;
	uint32_t pmtu_cookie;
	uint32_t last_rcv_ms;   /* when data came (low bits of milliseconds) */
	uint16_t rcv_mss;       /* MSS guessed from what the peer sends */
	uint16_t last_seg_size; /* of a short one without PSH; 0: the last was none */
	uint8_t ext_hdr_len;    /* of IP options, at most 40 */
	uint8_t ca_state : 4, pending : 4, retransmits, backoff, probes_out;
	uint8_t ack_pending;    /* ICSK_ACK_* */
	uint8_t quick, pingpong;
	uint32_t probes_tstamp_ms;
	uint64_t *ca_priv; /* TCP_CA_PRIV octets (or TCP_CA_PRIV_BIG), once the algorithm needs them */
};
enum { ICSK_ACK_SCHED = 1, ICSK_ACK_TIMER = 2, ICSK_ACK_PUSHED = 4, ICSK_ACK_PUSHED2 = 8, ICSK_ACK_NOW = 16, ICSK_ACK_NOMEM = 32 };

struct tcp_sock {
	struct inet_connection_sock icsk; /* first */

	/* receive, fast path */
	uint32_t pred_flags;    /* window scale aside: expected header word 3, 0: slow path */
	uint32_t rcv_nxt, copied_seq, rcv_wup, rcv_wnd;
	uint32_t snd_una, snd_nxt, write_seq, snd_wnd, snd_wl1, max_window;
	uint32_t mss_cache;     /* current sending MSS, options taken off */
	uint8_t tcp_header_len;
	uint8_t scaling_ratio;  /* payload per truesize, in 1/256 */
	uint32_t pushed_seq;
	struct tcp_flight *fl;  /* never NULL: tcp_no_flight when nothing is out */

	/* congestion */
	uint32_t snd_cwnd, snd_ssthresh, snd_cwnd_cnt, snd_cwnd_clamp;
	uint32_t snd_cwnd_used;
	uint32_t lsndtime_ms, snd_cwnd_stamp_ms;
	uint32_t snd_up, snd_sml;
	uint32_t delivered, lost, delivered_ce;

	/* RTT (RFC 6298), microseconds; srtt << 3, mdev << 2 */
	uint32_t srtt_us, mdev_us, mdev_max_us, rttvar_us, rtt_seq, min_rtt_us, min_rtt_stamp_ms;

	/* RACK (RFC 8985) */
	uint32_t rack_last_delivered;
	uint8_t rack_reo_wnd_steps, rack_reo_wnd_persist : 5, rack_dsack_seen : 1, rack_advanced : 1, reord_seen : 1;
	uint16_t reordering;

	/* receive */
	struct tcp_options_received rx_opt;
	uint32_t rcv_ssthresh, window_clamp, rcv_space, rcv_space_seq;
	uint32_t rcvq_space_ms, rcv_rtt_us, rcv_rtt_seq, rcv_rtt_ms, rcv_rtt_last_tsecr;
	uint32_t rcv_tstamp_ms, tsoffset, last_oow_ack_ms;
	uint16_t advmss, urg_data;
	uint32_t urg_seq, total_retrans;
	struct tcp_sackinfo *sack; /* NULL: nothing out of order, nothing SACKed */
	struct tcp_rare *rare;
	struct tcp_stat *stat;
	struct tcp_accecn *accecn;
	/* struct tcp_info */
	uint32_t segs_in, segs_out, data_segs_in, data_segs_out;
	uint32_t chrono_ms[3], chrono_start_ms;
	uint32_t rate_delivered, rate_interval_us, app_limited;
	uint32_t rto_min_us; /* the route's, or the sysctl's */
	uint64_t bytes_acked, bytes_received, bytes_sent;
	struct tcp_accept *accept; /* its place in a listener's accept queue */

	uint8_t nonagle;
	uint8_t frto : 1, is_cwnd_limited : 1, is_sack_reneg : 1, syn_data : 1, tlp_retrans : 1, repair : 1,
		orphan_counted : 1, estab_counted : 1;
	uint8_t ecn_flags;
	uint8_t keepalive_user : 1, dsack_pending : 1, quick_forced : 1, tsq_throttled : 1, rst_sent : 1, early_undo : 1,
		save_ts : 1, rate_app_limited : 1;
	uint8_t chrono_type : 2, syn_data_acked : 1, fastopen_child : 1, has_auth : 1, rack_relist : 1;
};
#define TCP_NAGLE_OFF 1
#define TCP_NAGLE_CORK 2
#define TCP_NAGLE_PUSH 4
#define TCP_URG_VALID 0x0100
#define TCP_URG_NOTYET 0x0200
#define TCP_URG_READ 0x0400
#define TCP_ECN_OK 1 /* RFC 3168's */
#define TCP_ECN_QUEUE_CWR 2
#define TCP_ECN_DEMAND_CWR 4
#define TCP_ECN_SEEN 8
#define TCP_ECN_ACCECN 16
#define TCP_ECN_PENDING 32
#define TCP_ECN_ANY (TCP_ECN_OK | TCP_ECN_ACCECN)

static inline struct inet_connection_sock *inet_csk(const struct sock *sk) { return (struct inet_connection_sock *)(void *)sk; }
static inline struct tcp_sock *tcp_sk(const struct sock *sk) { return (struct tcp_sock *)(void *)sk; }

/* ---- a connection in SYN-RECEIVED (passive open) ---- */
struct request_sock_ops {
	int family;
	const char *slab_name;
};
struct request_sock {
	struct tcp_ehash_node eh; /* first */
	struct sock *lsk;         /* listener; the request holds no reference: listener's stop ends it */
	struct list_head list;
	struct net *net;
	struct timer_list timer;
	uint64_t timeout_ns;      /* current interval */
	uint16_t mss;
	uint8_t num_retrans, num_timeout, cookie_ts, acked;
	uint32_t ts_recent;
	const struct request_sock_ops *ops;
};
struct tcp_request_sock {
	struct request_sock req; /* first */
	uint32_t rcv_isn, snt_isn, rcv_nxt, ts_off, rcv_wnd, last_oow_ack_ms;
	uint32_t snt_tsval_first, snt_tsval_last; /* of the SYN-ACKs: what an echo may be */
	uint64_t snt_synack_ns;
	uint8_t snd_wscale, rcv_wscale, tstamp_ok : 1, sack_ok : 1, wscale_ok : 1, ecn_ok : 1, cookie : 1;
	uint8_t syn_tos;
	uint8_t accecn_ok : 1, accecn_seen : 2, accecn_fail : 4; /* as in struct tcp_accecn */
	uint32_t mark; /* of the connection to be */
	int iif;
	struct tcp_fo_cookie fo_cookie; /* to send in the SYN-ACK */
	struct ip_options_rcu *opt; /* reply source route, network layer's */
	struct tcp_saved_syn *saved_syn;
	bool used_ao; /* the SYN was signed with TCP-AO: */
	uint8_t ao_keyid, ao_rcv_next; /* the key that it asks for, and its own (RFC 5925 7.3) */
};
static inline struct tcp_request_sock *tcp_rsk(const struct request_sock *r) { return (struct tcp_request_sock *)(void *)r; }

/* ---- TIME-WAIT, and FIN-WAIT-2 without a program ---- */
struct tcp_timewait_sock {
	struct tcp_ehash_node eh; /* first */
	struct net *net;
	struct list_head list;   /* a FIFO of tcp_net */
	uint64_t expires_ns;
	struct inet_bind_bucket *bind_bucket;
	uint32_t rcv_nxt, snd_nxt, rcv_wnd, ts_recent, ts_recent_stamp, ts_offset, last_oow_ack_ms;
	int bound_dev_if;
	uint32_t mark, priority;
	uint8_t substate; /* TCP_TIME_WAIT or TCP_FIN_WAIT2 */
	uint8_t rcv_wscale, tos, tstamp_ok;
	struct tcp_auth *auth; /* what its ACKs are signed with */
};
_Static_assert(sizeof(struct tcp_timewait_sock) <= 192, "a remnant stays small");

/* ---- a host's TCP ---- */
struct tcp_sysctl {
	int32_t timestamps, window_scaling, sack, dsack, ecn, ecn_fallback, ecn_option, ecn_option_beacon, syn_retries, synack_retries,
		syn_linear_timeouts, retries1, retries2, orphan_retries, fin_timeout, keepalive_time, keepalive_probes,
		keepalive_intvl, max_syn_backlog, max_tw_buckets, max_orphans, tw_reuse, tw_reuse_delay, rfc1337, abort_on_overflow,
		stdurg, rmem[3], wmem[3], mem[3], app_win, adv_win_scale, reordering, max_reordering, recovery,
		early_retrans, frto, thin_linear_timeouts, slow_start_after_idle, no_metrics_save, no_ssthresh_metrics_save, moderate_rcvbuf, comp_sack_nr, shrink_window,
		tso_win_divisor, min_tso_segs, limit_output_bytes, challenge_ack_limit, invalid_ratelimit, autocorking,
		syncookies, mtu_probing, base_mss, mtu_probe_floor, probe_interval, probe_threshold, min_snd_mss, notsent_lowat, workaround_signed_windows, rto_min_us,
		rto_max_ms, fastopen, retrans_collapse, fack, port_range[2], pacing_ss_ratio, pacing_ca_ratio, tso_rtt_log, sockmap, cubic_hystart, pingpong_thresh, min_rtt_wlen, reflect_tos, fwmark_accept, fastopen_blackhole_timeout_sec, migrate_req;
	uint64_t comp_sack_delay_ns, comp_sack_slack_ns;
};
struct tcp_net {
	struct proto prot; /* TCP over IPv4, filled by its glue */
	bool (*port_reserved)(struct net *net, uint16_t port); /* ip_local_reserved_ports, the glue's too */
	struct pool sock_pool, req_pool, tw_pool, sack_pool, rare_pool, flight_pool, accept_pool, stat_pool, accecn_pool, saved_syn_pool, zc_pool, auth_pool, md5_key_pool, ao_key_pool, ca_pool, ca_big_pool, bind_pool, listener_pool;
	struct tcp_hash ehash, lhash, bhash;
	struct tcp_sysctl sysctl;
	const struct tcp_congestion_ops *ca_default;
	struct list_head tw_time_wait, tw_fin_wait2; /* by expires_ns */
	struct timer_list tw_timer;
	uint32_t tw_count, orphan_count, sockets_allocated;
	int64_t mem_allocated;    /* octets of truesize in all queues (tcp_mem.c) */
	uint64_t mem_pressure_ns; /* since when memory is short; 0: it is not */
	uint32_t challenge_count;
	uint64_t challenge_stamp_s;
	uint32_t *perturb; /* RFC 6056 algorithm 4, made at the first connect() */
	uint32_t perturb_size, perturb_used;
	struct rng rng;
	uint8_t isn_secret[16], ts_secret[16], cookie_secret[2][16], port_secret[16];
	uint64_t ehash_key;
	struct tcp_fo_keys fo_keys; /* net.ipv4.tcp_fastopen_key */
	struct hlist_head *metrics_slots; /* tcp_metrics.h; made with the first */
	uint32_t metrics_size, metrics_count;
	struct list_head metrics_all;
	uint32_t fo_off_times, fo_off_stamp_s; /* how often in a row clients gave Fast Open up, and when last */
	uint64_t last_synq_overflow_ns;
	struct sock_map *sockmap; /* NULL: no socket was ever in it */
};
static inline struct tcp_net *tcp_net(const struct sock *sk) { return sk->net->tcp; }
static inline const struct tcp_sysctl *tcp_sysctl(const struct sock *sk) { return &sk->net->tcp->sysctl; }
/* From so many answers on a connection is a dialogue, whose ACKs ride on data. */
static inline uint8_t tcp_pingpong_thresh(const struct sock *sk) { return (uint8_t)tcp_sysctl(sk)->pingpong_thresh; }

#define TCP_STATE_BIT(s) (1u << (s))
static inline bool tcp_state_in(const struct sock *sk, uint32_t bits) { return (TCP_STATE_BIT(sk->state) & bits) != 0; }
#define TCPF_(s) TCP_STATE_BIT(TCP_##s)

/* A system call owns the socket: softirqs wait, so that no segment is processed under its feet. */
static inline void lock_sock(struct sock *sk) { local_bh_disable(sk->net); }
static inline void release_sock(struct sock *sk) { local_bh_enable(sk->net); }

static inline uint32_t net_now_ms(const struct net *net) { return (uint32_t)(net->now_ns / NSEC_PER_MSEC); }
static inline uint32_t net_now_s(const struct net *net) { return (uint32_t)(net->now_ns / NSEC_PER_SEC) + 1; }
static inline uint32_t tcp_time_ms(const struct sock *sk) { return net_now_ms(sk->net); }
static inline uint32_t tcp_left_out(const struct tcp_sock *tp) { return tp->fl->sacked_out + tp->fl->lost_out; }
static inline uint32_t tcp_packets_in_flight(const struct tcp_sock *tp)
{
	return tp->fl->packets_out - tcp_left_out(tp) + tp->fl->retrans_out;
}
static inline uint32_t tcp_wnd_end(const struct tcp_sock *tp) { return tp->snd_una + tp->snd_wnd; }
static inline bool tcp_in_slow_start(const struct tcp_sock *tp) { return tp->snd_cwnd < tp->snd_ssthresh; }
static inline bool tcp_is_reno(const struct tcp_sock *tp) { return !tp->rx_opt.sack_ok; }
static inline uint32_t tcp_receive_window(const struct tcp_sock *tp)
{
	int32_t win = (int32_t)(tp->rcv_wup + tp->rcv_wnd - tp->rcv_nxt);
	return win < 0 ? 0 : (uint32_t)win;
}
static inline bool tcp_rtx_queue_empty(const struct sock *sk) { return skb_queue_empty(&tcp_sk(sk)->fl->rtx_queue); }
static inline struct sk_buff *tcp_send_head(const struct sock *sk) { return skb_peek(&sk->write_queue); }
static inline bool tcp_write_queue_empty(const struct sock *sk) { return tcp_sk(sk)->write_seq == tcp_sk(sk)->snd_nxt; }
static inline bool tcp_ofo_empty(const struct tcp_sock *tp) { return !tp->sack || !tp->sack->ofo_root; }

#endif
