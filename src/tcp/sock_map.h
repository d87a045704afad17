/* The socket map: which of a host's connections have both ends here and hand their octets over directly.
 * Membership is sock_map.c's, the data path tcp_bpf.c's; the theory stands there. */
#ifndef TCP_SOCK_MAP_H
#define TCP_SOCK_MAP_H

#include "tcp/tcp_sock.h"

/* setsockopt(IPPROTO_TCP, TCP_SOCKMAP): 1 in (now, or when the connection is established), 0 out, whatever the sysctl
 * says. A listener's choice is that of what it accepts. getsockopt: */
enum sock_map_state { SOCK_MAP_OUT, SOCK_MAP_ALONE, SOCK_MAP_JOINED };
/* tcp_rare.sockmap: what the program said. */
enum { SOCK_MAP_UNSAID, SOCK_MAP_YES, SOCK_MAP_NO };

struct sk_psock { /* one member */
	struct sock *sk, *peer; /* peer: the other end, a member too; NULL: not (yet, any more) in the map */
	struct list_head node;  /* sock_map.members */
	uint64_t msgs, octets;  /* handed to the peer */
	uint64_t by_tcp;        /* calls that took the road over lo all the same */
};

struct sock_map { /* made at the first membership */
	struct proto prot; /* TCP's, but for the functions of tcp_bpf.c */
	struct pool pool;
	struct list_head members; /* in the order in which they came */
	uint32_t n_members, n_pairs;
	uint64_t joined, msgs, octets, by_tcp; /* since the host began */
};

static inline struct sk_psock *tcp_psock(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	return unlikely(tp->rare != NULL) ? tp->rare->psock : NULL;
}

/* ---- sock_map.c ---- */
/* A connection is established, or its program said TCP_SOCKMAP: into the map if that is wanted, and joined with its
 * other end if that is there. */
void sock_map_established(struct sock *sk);
void sock_map_set(struct sock *sk, bool on);
enum sock_map_state sock_map_get(const struct sock *sk);
/* Out of the map; the other end stays in it, alone. Sleepers of both look again. */
void sock_map_unlink(struct sock *sk);
int sock_map_net_init(struct net *net); /* /proc/net/sockmap */
void sock_map_net_exit(struct net *net);

/* ---- tcp_bpf.c ---- */
ssize_t tcp_bpf_sendmsg(struct sock *sk, struct msghdr *msg, size_t len);
ssize_t tcp_bpf_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags, socklen_t *addr_len);
/* May a poller write to this member? *answered false: the map does not decide now, TCP's rule holds. */
bool tcp_bpf_writable(const struct sock *sk, bool *answered);
/* This member's program has read: wake a writer that waits for the room. True: its peer sends by the map, so nobody
 * waits for a window update. */
bool tcp_bpf_read_done(struct sock *sk);

#endif
