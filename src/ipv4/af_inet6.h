/* AF_INET6 sockets over IPv4 (af_inet6.c), inside the room. */
#ifndef IPV4_AF_INET6_H
#define IPV4_AF_INET6_H

#include <netinet/in.h>
#include "core/inet_sock.h"

#define INET6_MAX_OPTS 24
/* What an AF_INET6 socket has beside its AF_INET half: sk->rare->v6, freed with the socket. */
struct inet6_opts {
	bool v6only, any4;             /* any4: bound to ::ffff:0.0.0.0 rather than :: */
	int16_t value[INET6_MAX_OPTS]; /* by row of af_inet6_opt.c's table */
};
struct inet6_opts *inet6_opts_new(void);
/* NULL: an AF_INET socket. */
static inline struct inet6_opts *inet6_of(const struct sock *sk) { return sk->rare ? sk->rare->v6 : NULL; }
/* sin as ::ffff:a.b.c.d; any_is_v6: 0.0.0.0 is "::". out may be misaligned. */
void inet6_map(struct sockaddr_in6 *out, const struct sockaddr_in *sin, bool any_is_v6);
int inet6_setsockopt(struct socket *sock, int level, int name, const void *val, socklen_t len);
int inet6_getsockopt(struct socket *sock, int level, int name, void *val, socklen_t *len);
/* af_inet.c */
int inet_create(struct net *net, struct socket *sock, int protocol);

extern const struct proto_ops inet6_stream_ops, inet6_dgram_ops;

#endif
