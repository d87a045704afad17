/* Two hosts on one thread, back to back, for the works on culver itself (bench_culver.c, bench_conn.c). */
#ifndef BENCH_BENCH_WORLD_H
#define BENCH_BENCH_WORLD_H

#include "bench/bench.h"
#include "core/net.h"

struct bench_world {
	struct skb_pool *skbs;
	struct serial_source serials;
	struct net *net[2]; /* the same host twice on the loopback road */
	struct task *t[2];
	uint32_t ip[2];
	uint64_t now_ns;
	uint64_t wall0, virt0; /* virtual time follows the wall, so that timers are as real as the peers' ... */
	bool slow;             /* ... but for this: a microsecond for each look, so that nothing expires */
};
#define BENCH_PORT 7u
/* A port of the server gives the client 28232 connections a minute: each waits 60 s in TIME-WAIT, and its
 * four-tuple with it. So the server listens on several, as many as a million connections need. */
#define BENCH_CRR_PORTS 64u

/* 0 or -errno; bench_world_free in any case. */
int bench_world_init(struct bench_world *w, enum bench_road road);
void bench_world_free(struct bench_world *w);
/* The server's socket on port, or -errno. */
int bench_listen(struct bench_world *w, uint16_t port);
/* A connection: fd[0] the client's, fd[1] the server's. 0 or -errno. */
int bench_dial(struct bench_world *w, int lfd, uint16_t port, int fd[2]);
/* The client's end alone: the server's waits to be accepted. Its descriptor, or -errno. */
int bench_dial_only(struct bench_world *w, uint16_t port);
/* Listen on all ports, with room for a million TIME-WAITs. */
int bench_crr_listen(struct bench_world *w, int lfd[BENCH_CRR_PORTS]);
/* n connections, the first of them the first-th: opened, 64 octets there and back, closed by FIN. 0 or -errno. */
int bench_crr_some(struct bench_world *w, const int *lfd, uint64_t first, uint32_t n);

#endif
