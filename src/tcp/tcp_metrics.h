/* What a host remembers of its peers between connections: one entry for each pair of addresses (tcp_metrics.c). */
#ifndef TCP_TCP_METRICS_H
#define TCP_TCP_METRICS_H

#include <linux/tcp_metrics.h>
#include "tcp/tcp_sock.h"

/* The values that are kept, by Linux's numbers: TCP_METRIC_RTT, _RTTVAR, _SSTHRESH, _CWND, _REORDERING. */
#define TCPM_VALS 5u

/* THEORY. An entry is made when a connection ends in good order, or when Fast Open learns something; a connection that begins only
 * looks for one. A new entry takes its values from the route (and which of them the route has locked), and does so again when nothing
 * updated it for an hour. The table grows to TCPM_SLOTS_MAX chains; from there on a chain that is longer than TCPM_RECLAIM_DEPTH gives up
 * its entry with the oldest stamp, so a flood of peers costs a fixed amount of memory. Listed in the order of making. */
struct tcp_metrics_block {
	struct hlist_node hash;
	struct list_head all;
	uint32_t saddr, daddr; /* ours, the peer's */
	uint64_t stamp_ns;     /* made, taken from the route, or updated */
	uint32_t lock;         /* bits by TCP_METRIC_ */
	uint32_t vals[TCPM_VALS]; /* RTT in microseconds times 8, RTTVAR times 4 */
	/* Fast Open (tcp_fastopen.c) */
	uint16_t fo_mss;
	uint8_t fo_try_exp, fo_syn_lost; /* SYNs with data that were not answered, in a row */
	uint64_t fo_lost_ns;
	struct tcp_fo_cookie fo_cookie;
};

/* NULL: nothing is known of this peer. */
struct tcp_metrics_block *tcp_metrics_find(const struct net *net, uint32_t saddr, uint32_t daddr);
/* The socket's peer's, refreshed from its route if it is old; NULL: there is none, and create is false or no route known. */
struct tcp_metrics_block *tcp_metrics_get(struct sock *sk, bool create);
/* Forget: peers with this daddr (saddr 0: whatever our address was). How many. */
unsigned tcp_metrics_delete(struct net *net, uint32_t saddr, uint32_t daddr);
void tcp_metrics_flush(struct net *net);
void tcp_metrics_init(struct net *net);
void tcp_metrics_exit(struct net *net);
int tcp_metrics_nl_init(struct net *net); /* tcp_metrics_nl.c: the generic netlink family "tcp_metrics" */
/* Did a connection of this peer's end well before? (Then a SYN of its is most likely not a forged one.) */
bool tcp_peer_is_proven(const struct net *net, uint32_t saddr, uint32_t daddr);

#endif
