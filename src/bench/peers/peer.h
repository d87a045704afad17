/* What the two peers of the benchmark share: each is a program of its own (lwIP's names would collide
 * with ours in one process) that runs one work for a while on one thread, both ends in it, and prints
 * one line: "ops=N bytes=N cpu_ns=N". */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static inline uint64_t cpu_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static inline int report(uint64_t ops, uint64_t bytes, uint64_t ns)
{
	printf("ops=%llu bytes=%llu cpu_ns=%llu\n", (unsigned long long)ops,
	       (unsigned long long)bytes, (unsigned long long)ns);
	return 0;
}

/* This machine does not have what was asked for. */
#define PEER_NA 4

/* argv: WORK[@ROAD] MILLISECONDS OFFSET (0..255: shifts addresses and ports from round to round) */
struct peer_args {
	const char *work;
	const char *road; /* "" or what stands behind @ */
	uint64_t ns;
	unsigned offset;
};
static inline struct peer_args peer_args(int argc, char **argv)
{
	struct peer_args a = { "", "", 0, 0 };
	char *at;

	if (argc < 3) {
		fprintf(stderr, "usage: %s tcp-bulk|tcp-rr|tcp-crr|udp-64 MILLISECONDS [OFFSET]\n", argv[0]);
		exit(2);
	}
	at = strchr(argv[1], '@');
	if (at) {
		*at = 0;
		a.road = at + 1;
	}
	a.work = argv[1];
	a.ns = (uint64_t)atoi(argv[2]) * 1000000u;
	a.offset = argc > 3 ? (unsigned)atoi(argv[3]) & 255u : 0;
	return a;
}

#endif
