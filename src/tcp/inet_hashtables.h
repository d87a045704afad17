/* Where segments find their connection: established by four-tuple, listeners by port, ports by number. */
#ifndef TCP_INET_HASHTABLES_H
#define TCP_INET_HASHTABLES_H

#include "tcp/tcp_sock.h"

void tcp_hash_init(struct tcp_hash *h);
void tcp_hash_free(struct tcp_hash *h);
uint32_t inet_ehashfn(const struct net *net, uint32_t laddr, uint16_t lport, uint32_t faddr, uint16_t fport);
/* saddr:sport is the sender of the segment, daddr:dport ours. NULL: none. Borrowed. */
struct tcp_ehash_node *__inet_lookup_established(struct net *net, uint32_t saddr, uint16_t sport, uint32_t daddr, uint16_t dport);
struct sock *inet_lookup_listener(struct net *net, uint32_t daddr, uint16_t dport, uint32_t saddr, uint16_t sport, int iif);
void inet_ehash_insert(struct net *net, struct tcp_ehash_node *n);
void inet_ehash_remove(struct net *net, struct tcp_ehash_node *n);
/* proto.hash / unhash of TCP: LISTEN goes to the listeners, the rest to the established. */
int inet_hash(struct sock *sk);
void inet_unhash(struct sock *sk);
struct inet_bind_bucket *inet_bind_bucket_find(struct net *net, uint16_t port);
struct inet_bind_bucket *inet_bind_bucket_get(struct net *net, uint16_t port);
void inet_bind_bucket_maybe_free(struct net *net, struct inet_bind_bucket *tb);
void inet_bind_hash(struct sock *sk, struct inet_bind_bucket *tb);
void inet_put_port(struct sock *sk);
void inet_inherit_port(const struct sock *parent, struct sock *child);
/* connect(): choose a local port (if none) such that the four-tuple is unique, and hash the socket. 0 or
 * -EADDRNOTAVAIL. */
int inet_hash_connect(struct sock *sk);
/* Calls fn for every entry, listeners first, then established by rising (address, port) order. */
void tcp_for_each_listener(struct net *net, void (*fn)(struct sock *sk, void *arg), void *arg);
size_t tcp_ehash_snapshot(struct net *net, struct tcp_ehash_node ***out);

#endif
