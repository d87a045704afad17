/* What TCP, UDP and raw sockets over IP share: addresses and ports, and the connection-oriented
 * part (inet_connection_sock) with the table through which TCP reaches its network layer. */
#ifndef CORE_INET_SOCK_H
#define CORE_INET_SOCK_H

#include "core/sock.h"

struct ip_options_rcu;
/* What the pieces of one datagram under construction share (ip_append_data). */
struct inet_cork {
	bool active;
	uint32_t flags /* copies so far */, addr, length, fragsize;
	struct dst_entry *dst; /* counted */
	uint8_t tos, ttl;
	uint16_t gso_size;
	uint32_t mark, priority, tsflags;
	uint64_t transmit_time; /* SCM_TXTIME: not before; 0: at once */
	struct ip_options_rcu *opt;
};
struct inet_sock {
	struct sock sk; /* first */
	/* host byte order. rcv_saddr: what the socket is bound to and receives on; saddr: what it sends from */
	uint32_t daddr, rcv_saddr, saddr;
	uint16_t dport, num; /* num: local port */
	uint16_t sport;
	uint16_t inet_id;
	uint8_t tos, min_ttl, mc_ttl, pmtudisc;
	int16_t uc_ttl; /* -1: default */
	uint16_t cmsg_flags;
	uint16_t port_low, port_high; /* IP_LOCAL_PORT_RANGE; 0: the host's */
	bool recverr, is_icsk, freebind, hdrincl, mc_loop, transparent, mc_all, nodefrag, bind_address_no_port;
	bool defer_connect; /* TCP_FASTOPEN_CONNECT: connected, says connect(), but the SYN waits for data */
	int mc_index, uc_index;
	uint32_t mc_addr;
	struct ip_options_rcu *opt;
	struct list_head mc_list; /* memberships */
	struct inet_cork *cork; /* corked datagram (UDP, raw); made at the first, freed with the socket */
};
static inline struct inet_sock *inet_sk(const struct sock *sk) { return (struct inet_sock *)(void *)sk; }

struct request_sock;
struct inet_connection_sock_af_ops {
	/* Give a transport segment to the network layer. */
	int (*queue_xmit)(struct sock *sk, struct sk_buff *skb);
	/* Fill the transport checksum (or leave it for hardware). */
	void (*send_check)(struct sock *sk, struct sk_buff *skb);
	/* Make sure that there is a route. 0 or -errno. */
	int (*rebuild_header)(struct sock *sk);
	/* A SYN for a listener. 0, or <0: send a reset. Consumes nothing: caller frees skb. */
	int (*conn_request)(struct sock *sk, struct sk_buff *skb);
	struct sock *(*syn_recv_sock)(struct sock *lsk, struct sk_buff *skb, struct request_sock *req, struct dst_entry *dst, bool *own_req);
	/* A new request of this SYN: what the network layer wants to remember. May be NULL. */
	void (*init_req)(struct request_sock *req, const struct sk_buff *skb);
	/* Send a SYN-ACK for req. */
	int (*send_synack)(struct sock *lsk, struct dst_entry *dst, struct request_sock *req, struct sk_buff *syn);
	void (*send_reset)(struct sock *sk, struct sk_buff *skb);
	/* ACK for a packet without a full socket (TIME-WAIT, request). */
	void (*reqsk_send_ack)(struct sock *lsk, struct sk_buff *skb, struct request_sock *req);
	uint16_t net_header_len;
	uint16_t sockaddr_len;
	uint32_t (*mtu_reduced)(struct sock *sk);
	uint32_t (*init_ts_off)(struct net *net, const struct sk_buff *skb);
	uint32_t (*init_seq)(const struct sk_buff *skb);
};

#endif
