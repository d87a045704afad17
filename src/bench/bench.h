/* culver bench: works measured in operations per second of CPU time, beside their peers, interleaved
 * round by round in one run, so that what disturbs one disturbs all; only ratios are quoted. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "base/types.h"

struct bench_result {
	uint64_t ops, bytes, cpu_ns;
};

/* A work on culver's own stack for about ns of CPU time. 0, or -errno. */
struct bench_pair;
enum bench_road { BENCH_VETH, BENCH_LO, BENCH_MAP };
/* Two hosts joined by a veth pair (MTU 1500, checksums made and verified), one host's lo, or one host whose sockets are
 * joined by the socket map. */
int bench_culver(enum bench_road road, const char *work, uint64_t ns, struct bench_result *out);
/* Connections while up to a million are in TIME-WAIT; memory of a connection's end. Exit code. */
int bench_tw(bool json);
/* 1000 hosts (or n), each visiting the page: prints wall time, memory per host, hops per cpu-second. */
int bench_hosts(uint32_t n, bool json);
/* The command. argv[0] is "bench". Exit code. */
int bench_main(int argc, char **argv);

#endif
