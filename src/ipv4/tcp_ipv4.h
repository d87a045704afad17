/* What the files of TCP over IPv4 call of each other. */
#ifndef IPV4_TCP_IPV4_H
#define IPV4_TCP_IPV4_H

#include "tcp/tcp.h"

int tcp_v4_rcv(struct sk_buff *skb);
int tcp_v4_do_rcv(struct sock *sk, struct sk_buff *skb);
int tcp_v4_connect(struct sock *sk, struct sockaddr *addr, socklen_t len);
int tcp_v4_err(struct sk_buff *skb, uint32_t info);
void __tcp_v4_send_check(struct sk_buff *skb, const struct net_device *dev, uint32_t saddr, uint32_t daddr);
/* Borrow skb. */
void tcp_v4_send_reset(struct sock *sk, struct sk_buff *skb);
void tcp_v4_reqsk_send_ack(struct sock *lsk, struct sk_buff *skb, struct request_sock *req);
void tcp_v4_timewait_ack(struct tcp_timewait_sock *tw, struct sk_buff *skb, uint8_t tos);
/* /proc/net/tcp and sock_diag. */
int tcp4_proc_init(struct net *net);
struct nlmsghdr;
struct nl_reply;
int tcp_diag_dump(struct net *net, const struct nlmsghdr *h, struct nl_reply *r);

#endif
