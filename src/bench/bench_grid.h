/* Between the two halves of tcp-grid: bench_grid.c runs transfers, bench_grid_table.c chooses cells and prints. */
#ifndef BENCH_BENCH_GRID_H
#define BENCH_BENCH_GRID_H

#include "lab/lab.h"
#include "os/os_ns.h"

#define GRID_ROADS 4u
#define GRID_DROPS 65536u
enum grid_kind { GRID_LINUX, GRID_CULVER };

struct grid_bench;
struct grid_end {
	struct grid_bench *b;
	uint32_t peer;
	uint64_t wait_ns;
	bool is_linux, over;
	struct os_ns_child child;
	struct task *t;
	int code; /* 0: all octets right; 4: not; 3: an error; 5: never ended */
};
struct grid_road { /* what the cable showed, data from a to b */
	uint32_t isn, snd_max, una, fin_seq;
	bool has_fin;
	uint64_t start_ns, progress_ns, silence_ns;
	uint64_t octets, segments, repeated, lost, queue_drops;
};
struct grid_bench {
	struct tc_params tc; /* but for losses */
	uint32_t loss_ppm, n_drop[2], drop[2][GRID_DROPS];
	uint64_t for_ns;
	const char *cc;
	char rmem[64], wmem[64];
	const uint8_t *pattern;
	uint32_t n_roads;
	enum grid_kind kind[GRID_ROADS][2]; /* sender, receiver */
	struct lab *lab;
	struct grid_road road[GRID_ROADS];
	struct grid_end end[2 * GRID_ROADS];
};
/* One cell on all roads at once, in real time. 0, or 3: this machine refused (said on standard error). */
int grid_cell(struct grid_bench *b, uint64_t seed);
void grid_watch(void *arg, const struct hw_port *from, const struct hw_frame *f, uint64_t t_ns, const char *fate);
/* culver bench tcp-grid: argv[0] is "tcp-grid". Exit code. */
int bench_grid(int argc, char **argv);

#endif
