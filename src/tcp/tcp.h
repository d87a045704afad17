/* TCP (RFC 9293) that has never heard of IP versions: it speaks to its network layer through
 * inet_connection_sock_af_ops and is entered from it by the functions below. */
#ifndef TCP_TCP_H
#define TCP_TCP_H

/* tcp_sock.h brings <netinet/tcp.h>: TCP_ESTABLISHED..., TCP_NODELAY..., for their numbers */
#include "core/inet_sock.h"
#include "tcp/tcp_sock.h"

/* Program's calls (struct proto of TCP over IPv4 is filled in ipv4/tcp_ipv4.c with these). */
int tcp_init_sock(struct sock *sk);
void tcp_destroy_sock(struct sock *sk);
void tcp_close(struct sock *sk, uint64_t timeout_ns);
int tcp_disconnect(struct sock *sk, int flags);
struct sock *inet_csk_accept(struct sock *sk, int flags, int *err);
int tcp_ioctl(struct sock *sk, unsigned long cmd, void *arg);
void tcp_shutdown(struct sock *sk, int how);
int tcp_setsockopt(struct sock *sk, int level, int name, const void *val, socklen_t len);
int tcp_getsockopt(struct sock *sk, int level, int name, void *val, socklen_t *len);
ssize_t tcp_sendmsg(struct sock *sk, struct msghdr *msg, size_t len);
ssize_t tcp_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags, socklen_t *addr_len);
uint32_t tcp_poll(struct socket *s);
struct sk_buff *tcp_tstamp_stats(struct sock *sk);
uint32_t tcp_tskey_start(const struct sock *sk, bool unsent);
int inet_csk_listen_start(struct sock *sk, int backlog);
void inet_csk_listen_stop(struct sock *sk);
/* Active open: route, addresses, port and ISN (write_seq) are set; builds and sends the SYN. */
int tcp_connect(struct sock *sk);
/* The same for TCP_FASTOPEN_CONNECT: true: the SYN waits for the program's first data. */
bool tcp_fastopen_defer_connect(struct sock *sk);

/* Segments from the network layer. sk is found; skb: transport_header set, data at the TCP header, header
 * length, data offset and checksum verified, TCP_SKB_CB filled by tcp_fill_cb(). All own skb. */
void tcp_fill_cb(struct sk_buff *skb, const struct tcp_hdr *th);
void tcp_rcv_established(struct sock *sk, struct sk_buff *skb);
/* All states but ESTABLISHED, LISTEN, TIME_WAIT and NEW_SYN_RECV. Nonzero: the caller sends a reset for skb
 * (still the caller's); 0: skb is consumed. */
int tcp_rcv_state_process(struct sock *sk, struct sk_buff *skb);
/* A segment for a request socket: the child (established), NULL (handled or dropped; *reset: send one). skb
 * stays the caller's. */
struct sock *tcp_check_req(struct sock *lsk, struct sk_buff *skb, struct request_sock *req, bool *reset);
int tcp_conn_request(const struct request_sock_ops *ops, const struct inet_connection_sock_af_ops *af, struct sock *lsk, struct sk_buff *skb);
enum tcp_tw_status { TCP_TW_SUCCESS, TCP_TW_RST, TCP_TW_ACK, TCP_TW_ACK_OOW /* of what is out of window */, TCP_TW_SYN };
enum tcp_tw_status tcp_timewait_state_process(struct tcp_timewait_sock *tw, struct sk_buff *skb, uint32_t *isn);
struct sk_buff *tcp_make_synack(const struct sock *lsk, struct dst_entry *dst, struct request_sock *req);
/* Choose the window that the SYN-ACK offers (once for each request). */
void tcp_reqsk_window(const struct sock *lsk, const struct dst_entry *dst, struct tcp_request_sock *t);
/* An ACK for a listener that may answer a SYN cookie: the child, lsk itself (no cookie), or NULL (drop). */
struct sock *tcp_cookie_check(struct sock *lsk, struct sk_buff *skb, uint32_t saddr, uint32_t daddr);
/* The segment that completed a handshake, handed to the child. Nonzero: send a reset, skb is the caller's. */
int tcp_child_process(struct sock *parent, struct sock *child, struct sk_buff *skb);
/* The request is over; no answer is sent. */
void inet_csk_reqsk_queue_drop(struct request_sock *req);
void tcp_tw_kill(struct tcp_timewait_sock *tw);
uint32_t tcp_sync_mss(struct sock *sk, uint32_t pmtu);
void tcp_initialize_rcv_mss(struct sock *sk);
void tcp_set_state(struct sock *sk, uint8_t state);
void tcp_set_keepalive(struct sock *sk, bool on);
void tcp_set_rcvlowat(struct sock *sk, int32_t val);
int inet_csk_get_port(struct sock *sk, uint16_t port);
uint32_t secure_tcp_seq(struct net *net, uint32_t saddr, uint32_t daddr, uint16_t sport, uint16_t dport);
uint32_t secure_tcp_ts_off(struct net *net, uint32_t saddr, uint32_t daddr);
bool tcp_oow_rate_limited(struct net *net, const struct sk_buff *skb, bool synrecv, uint32_t *last_ms);
struct strbuf;
/* struct tcp_info in Linux's layout (longer than glibc's). Returns its length. */
struct tcp_info_full;
void tcp_get_info(struct sock *sk, struct tcp_info_full *ti);
struct sock *tcp_create_openreq_child(const struct sock *lsk, struct request_sock *req, struct sk_buff *skb);
/* ICMP said something about this connection. */
void tcp_icmp_soft_error(struct sock *sk, int err);
/* A router has no way for the segment that begins with seq: the RTO's last doubling is taken back (RFC 6069). */
void tcp_ld_RTO_revert(struct sock *sk, uint32_t seq);
void tcp_icmp_hard_error(struct sock *sk, int err);
void tcp_mtu_reduced(struct sock *sk, uint32_t mtu);

extern const struct pernet_operations tcp_net_ops; /* builds struct tcp_net: pools, hash tables, sysctls, wheel of TIME-WAIT */

/* The congestion control of that name, or NULL. */
const struct tcp_congestion_ops *tcp_ca_find(const char *name);

#endif
