/* UDP's own state (RFC 768): what its files share. Private to them. */
#ifndef IPV4_UDP_H
#define IPV4_UDP_H

#include "ipv4/netns_ipv4.h"

#define UDP_TABLE_MIN 16u
#define UDP_MAX_SEGMENTS 128u

/* A socket hangs in three tables, so that every lookup is O(1) however many share a port or an address:
 *     port   by local port: who conflicts, who gets a broadcast
 *     addr   by (local address, local port), 0.0.0.0 included: unconnected receivers
 *     conn   by all four: connected ones */
struct udp_sock {
	struct inet_sock inet; /* first */
	struct hlist_node port_node, addr_node, conn_node;
	struct flowi4 cork_fl; /* where the datagram under construction goes */
	uint32_t pending_len;  /* its UDP length so far, 0: none */
	bool corkflag;         /* UDP_CORK */
	bool gro;              /* UDP_GRO: takes trains */
	uint8_t no_check6;     /* UDP_NO_CHECK6_TX, _RX */
	uint16_t gso_size;     /* UDP_SEGMENT */
};
static inline struct udp_sock *udp_sk(const struct sock *sk) { return (struct udp_sock *)(void *)sk; }

struct udp_table {
	struct hlist_head *port, *addr, *conn;
	uint32_t size, n, n_conn;
};

/* udp_hash.c */
int udp_get_port(struct sock *sk, uint16_t port);
void udp_unhash(struct sock *sk);
void udp_rehash(struct sock *sk);
struct sock *udp_lookup(struct net *net, uint32_t saddr, uint16_t sport, uint32_t daddr, uint16_t dport, int dif);
struct hlist_head *udp_port_bucket(struct net *net, uint16_t port);
bool udp_mcast_match(const struct sock *sk, uint32_t saddr, uint16_t sport, uint32_t daddr, uint16_t dport, int dif);

/* udp_send.c */
ssize_t udp_sendmsg(struct sock *sk, struct msghdr *msg, size_t len);
int udp_push_pending_frames(struct sock *sk);
void udp_flush_pending_frames(struct sock *sk);

/* udp_recv.c */
int udp_rcv(struct sk_buff *skb);
int udp_err(struct sk_buff *skb, uint32_t info);
ssize_t udp_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags, socklen_t *addr_len);

/* datagram.c: connect and disconnect for UDP, raw and ping */
int ip4_datagram_connect(struct sock *sk, struct sockaddr *a, socklen_t len);
int ip4_datagram_disconnect(struct sock *sk, int flags);

/* ipv4_proc.c: one line of /proc/net/{udp,raw,icmp} */
void inet_proc_header(struct strbuf *out, unsigned width, bool wide);
void inet_proc_line(struct strbuf *out, const struct sock *sk, unsigned n);
/* All sockets of a table (by sk->node), by number, then oldest first. */
void inet_proc_table(struct strbuf *out, struct hlist_head *h, uint32_t size);

#endif
