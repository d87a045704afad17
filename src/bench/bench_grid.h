/* Between the parts of tcp-grid: bench_grid.c runs transfers, bench_grid_table.c chooses cells and prints, bench_grid_fair.c
 * lets two flows share a cable. */
#ifndef BENCH_BENCH_GRID_H
#define BENCH_BENCH_GRID_H

#include "lab/lab.h"
#include "os/os_ns.h"

#define GRID_ROADS 36u   /* at once: 15 of four TAPs in twelve cells are the most that lab/live.c waits for */
#define GRID_DROPS 65536u
#define GRID_STALL_NS (10 * NSEC_PER_SEC)   /* nothing acknowledged for so long is called a stall ... */
#define GRID_GIVE_UP_NS (60 * NSEC_PER_SEC) /* ... and for so long ends the run */
enum grid_kind { GRID_LINUX, GRID_CULVER };

struct grid_bench;
struct grid_end {
	struct grid_bench *b;
	uint32_t peer;
	const char *cc;
	uint64_t wait_ns;
	bool is_linux, over;
	struct os_ns_child child;
	struct task *t;
	int code; /* 0: all octets right; 4: not; 3: an error; 5: never ended */
};
/* A sender, a receiver, and the bad cable between them. */
struct grid_road {
	/* asked for */
	struct tc_params tc; /* but for losses */
	uint32_t loss_ppm;
	uint64_t seed; /* which frames are lost, and which reordered */
	const char *cc;
	enum grid_kind kind[2]; /* sender, receiver */
	bool shares;            /* has no cable of its own: goes over that of the road before */
	/* what the cable showed, data from a to b */
	uint32_t isn, snd_max, una, fin_seq;
	bool has_fin, stalled;
	uint64_t start_ns, progress_ns, silence_ns;
	uint64_t segments, repeated, lost, queue_drops;
	uint64_t late_octets; /* acknowledged within for_ns of the SYN, the first late_ns left out */
};
struct grid_bench {
	uint64_t for_ns, late_ns;
	const char *md5; /* every segment signed with this key (RFC 2385); NULL: none */
	char rmem[64], wmem[64];
	const uint8_t *pattern;
	uint32_t n_roads, batches;
	struct lab *lab;
	struct grid_road road[GRID_ROADS];
	struct grid_end end[2 * GRID_ROADS];
};
/* Choose the pattern and the kernel's own limits of buffers. */
struct grid_bench *grid_bench_new(uint64_t for_ns);
void grid_bench_free(struct grid_bench *b);
/* The road made ready to be asked for: rate in Mbit/s, a queue of one product, at least 128 KiB. */
struct grid_road *grid_add_road(struct grid_bench *b, uint32_t rtt_ms, uint32_t rate_mbit, uint32_t loss_ppm, uint32_t reorder_ppm);
/* All roads of b at once, in real time, seed being the lab's; ends in any case. 0, or 3: this machine refused (said on standard error). */
int grid_run_roads(struct grid_bench *b, uint64_t seed);
/* Did both ends say that all went well, and did nothing stand still? */
bool grid_road_failed(const struct grid_bench *b, uint32_t road);
void grid_watch(void *arg, const struct hw_port *from, const struct hw_frame *f, uint64_t t_ns, const char *fate);
/* A congestion control that culver has and the kernel too. */
bool grid_known_on_both(const char *name);
/* culver bench tcp-grid: argv[0] is "tcp-grid". Exit code. */
int bench_grid(int argc, char **argv);
/* culver bench tcp-grid --fair. Exit code. */
int bench_grid_fair(uint64_t for_ns, uint64_t seed, bool json);

#endif
