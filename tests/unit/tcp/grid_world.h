/* Transfers over one bad cable in virtual time: two hosts, a rate limiter with a bounded queue, delay, loss, reordering,
 * one or more connections from a to b, every octet checked, and what the sender's counters say afterwards.
 *
 *     a ---- rate, queue, delay, loss, reorder (both directions alike) ---- b
 *
 * Shared by test_tcp_grid.c and the tests of congestion controls. */
#ifndef GRID_WORLD_H
#define GRID_WORLD_H

#include "lab/lab.h"
#include "core/sock.h"
#include "tcp/tcp_info.h"

#define GRID_FLOWS 8u

struct grid_run;
struct grid_cell {
	uint32_t loss_ppm, reorder_ppm, rtt_us;
	uint64_t rate_bps;
	uint64_t queue_bytes;    /* 0: one bandwidth-delay product, at least 128 KiB */
	uint64_t jitter_ns;      /* of each frame's delay, either way; order is kept */
	uint64_t reorder_gap_ns; /* how much earlier a reordered frame comes; 0: an eighth of the round trip */
	uint64_t bytes;          /* each connection sends that much ... */
	uint64_t max_ns;         /* ... but stops after this time */
	uint64_t start_gap_ns;   /* between the starts of connections */
	uint64_t sample_ns;      /* how often the sender's state is looked at; 0: 5 ms */
	uint32_t flows;          /* 0: 1 */
	bool one_way_loss;       /* ACKs are neither lost nor reordered */
	const char *cc[GRID_FLOWS]; /* NULL: cubic */
	uint32_t mtu;            /* 0: 1500 */
	uint32_t buf_max;        /* tcp_rmem[2] and tcp_wmem[2]; 0: Linux's defaults but for 16 MiB wmem; from 512 MiB on tcp_mem is raised too */
	const char *sysctl;      /* "net.ipv4.x=1", set on both; may be NULL */
	void (*begin)(struct grid_run *g); /* when the world is there; may be NULL */
	void (*sample)(struct grid_run *g, unsigned flow, struct sock *sk, const struct tcp_info_full *ti);
	void *arg;
};
struct grid_flow {
	uint64_t sent, got, start_ns, last_ns, max_gap_ns;
	uint32_t max_backoff, max_rto_us;
	bool equal, ended;
	struct tcp_info_full ti; /* sender's, before it closed */
};
struct grid_run {
	const struct grid_cell *c;
	struct lab *lab;
	const uint8_t *pattern;
	struct grid_flow f[GRID_FLOWS];
	unsigned n;
	/* sender's counters */
	uint64_t retrans, timeouts, spurious_rtos, undos, dsacks, tlps, fast, slow_retrans, lost_retrans, recoveries;
	uint64_t reorder_seen;
	uint64_t lost_frames, queue_drops; /* by the cable, a to b */
	uint64_t goodput_bps;              /* of all connections, first octet to last */
};

/* Runs to the end (or to max_ns and a little). True: every octet that was sent arrived, and nothing else. */
bool grid_run(const struct grid_cell *c, uint64_t seed, struct grid_run *g);
/* What CUBIC's response function (RFC 9438 5, the greater of CUBIC's and Reno's) and the link allow: bits per second. */
uint64_t grid_model_bps(const struct grid_cell *c);
/* The longest time without progress that backed-off timeouts explain, and three timeouts more. */
uint64_t grid_stall_limit_ns(const struct grid_cell *c, const struct grid_flow *f);

#endif
