/* Accurate ECN (RFC 9768): tcp_accecn.c, tcp_accecn_ack.c. */
#ifndef TCP_TCP_ACCECN_H
#define TCP_TCP_ACCECN_H

#include "tcp/tcp_sock.h"

/* The ECN field of an IP header. */
enum { TCP_NOT_ECT, TCP_ECT1, TCP_ECT0, TCP_CE };
/* r.cep and s.cep begin with this (3.2.1). */
#define TCP_ACCECN_CEP_INIT 5u
#define TCP_ACE_FLAGS (TCP_AE | TCP_CWR | TCP_ECE)

/* AE CWR ECE as a number, and as flags. */
static inline uint8_t tcp_ace(const struct tcp_hdr *th) { return (uint8_t)((th->off_res & 1) << 2 | th->flags >> 6); }
static inline uint16_t tcp_ace_flags(uint8_t ace) { return (uint16_t)(ace << 6); }
/* A SYN with these asks for Accurate ECN: neither none, nor what RFC 3168 has (3.1.3). */
static inline bool tcp_accecn_syn_asks(uint8_t ace) { return ace && ace != 3; }

struct tcp_accecn_option { /* as received */
	uint8_t n;         /* fields: 0 to 3 */
	uint8_t ect[3];    /* whose octets: TCP_ECT1, TCP_CE or TCP_ECT0 */
	uint32_t value[3]; /* 24 bits */
};

/* What an ACK brought, for the safest likely reading of ACE (appendix A.2). */
struct tcp_accecn_evidence {
	uint32_t delta;         /* as ACE says it, modulo 8 */
	uint32_t pkts, bytes;   /* newly delivered */
	uint32_t d_ceb, mss;    /* octets with CE, if counters */
	bool counters;          /* the option's can be relied on */
	bool order_known;       /* no loss recovery is going on in the dark */
	bool large_acks;        /* ACKs for many segments are usual here: none was lost */
};
uint32_t tcp_accecn_marks(const struct tcp_accecn_evidence *e);
int32_t tcp_accecn_counter_update(uint32_t *count, uint32_t wire, uint32_t init);

struct tcp_accecn *tcp_accecn(struct sock *sk);
void tcp_accecn_free(struct sock *sk);
uint8_t tcp_accecn_ace_of_ect(uint8_t ect);
uint8_t tcp_accecn_ect_of_ace(uint8_t ace);
bool tcp_accecn_transition_valid(uint8_t sent, uint8_t came);
uint8_t tcp_accecn_option_seen(const struct tcp_accecn_option *o);
bool tcp_accecn_syn_feedback(struct sock *sk, uint8_t ace);

/* client */
uint8_t tcp_ecn_send_syn(struct sock *sk);
bool tcp_ecn_syn_again(struct sock *sk, uint32_t n);
uint16_t tcp_accecn_syn_flags(const struct sock *sk, uint16_t flags);
void tcp_ecn_rcv_synack(struct sock *sk, const struct sk_buff *skb);
void tcp_ecn_rcv_syn(struct sock *sk, const struct sk_buff *skb);

/* server */
void tcp_ecn_create_request(struct request_sock *req, const struct sk_buff *skb);
void tcp_accecn_syn_again(struct request_sock *req, const struct sk_buff *skb);
uint16_t tcp_ecn_synack_flags(struct tcp_request_sock *t);
void tcp_accecn_check_req(struct tcp_request_sock *t, const struct sk_buff *skb);
void tcp_ecn_openreq_child(struct sock *sk, const struct tcp_request_sock *t);
void tcp_accecn_third_ack(struct sock *sk, const struct sk_buff *skb);

/* data */
void tcp_ecn_received_counters_(struct sock *sk, const struct sk_buff *skb, uint32_t len);
/* One test where there is no ECN at all. */
static inline void tcp_ecn_received_counters(struct sock *sk, const struct sk_buff *skb, uint32_t len)
{
	if (unlikely((TCP_SKB_CB(skb)->ip_dsfield & 3) | (tcp_sk(sk)->ecn_flags & TCP_ECN_ACCECN)))
		tcp_ecn_received_counters_(sk, skb, len);
}
uint16_t tcp_accecn_send(struct sock *sk);
void tcp_send_ack_reflecting(struct sock *sk);
void tcp_accecn_synack_again(struct sock *sk, const struct sk_buff *skb);
struct tcp_out_options;
bool tcp_accecn_option_wanted(const struct sock *sk);
uint32_t tcp_accecn_spare(const struct tcp_out_options *o);
void tcp_accecn_fit(struct tcp_out_options *o, unsigned min, uint32_t room, uint32_t spare);
uint32_t tcp_accecn_room(const struct sock *sk, uint32_t room, uint32_t blocks);
void tcp_accecn_counters(const struct tcp_accecn *a, uint32_t out[3]);
void tcp_accecn_option_sent(struct sock *sk, bool with_dsack);
void tcp_accecn_timeout(struct sock *sk);
void tcp_accecn_spurious_rexmit(struct sock *sk, uint32_t seq);
/* How many segments of ours, says this ACK, met congestion: 0 or more (tcp_accecn_ack.c). */
uint32_t tcp_accecn_process(struct sock *sk, const struct sk_buff *skb, uint32_t pkts, uint32_t bytes, int flag);

#endif
