/* culver bench tcp-grid --fair: two flows over one bottleneck in real time, culver's and the kernel's in every combination, and
 * what each got of it. All pairs run at once, each over a bottleneck of its own. The cable's delay varies by a millisecond: where
 * it does not, who loses at a full queue is decided by the phase of arrivals, to the disadvantage of the host that answers
 * sooner (Floyd and Jacobson, "On Traffic Phase Effects in Packet-Switched Gateways", 1991): culver, whose hosts take no time,
 * then has twice Linux's losses. Called by bench_grid_table.c; the transfers are bench_grid.c's. */
#include <stdio.h>
#include "bench/bench_grid.h"

#define RATE_MBIT 50u
#define RTT_MS 40u
#define JITTER_MS 1u
#define LATE_SHARE 6u /* the first sixth of the time is not counted: slow start */
#define LEAST_PERCENT 25u

static const struct pair {
	struct {
		enum grid_kind kind;
		const char *cc;
	} who[2];
} pairs[] = {
	{ { { GRID_LINUX, "cubic" }, { GRID_LINUX, "cubic" } } },   { { { GRID_CULVER, "cubic" }, { GRID_LINUX, "cubic" } } },
	{ { { GRID_CULVER, "cubic" }, { GRID_CULVER, "cubic" } } }, { { { GRID_CULVER, "bbr" }, { GRID_CULVER, "cubic" } } },
	{ { { GRID_CULVER, "bbr" }, { GRID_LINUX, "cubic" } } },    { { { GRID_CULVER, "bbr" }, { GRID_CULVER, "bbr" } } },
	{ { { GRID_LINUX, "bbr" }, { GRID_LINUX, "cubic" } } },
};

/* The kernel may be without BBR. */
static bool is_here(const struct pair *p)
{
	for (uint32_t i = 0; i < 2; i++)
		if (p->who[i].kind == GRID_LINUX && !grid_known_on_both(p->who[i].cc))
			return false;
	return true;
}

static const char *kind_name(enum grid_kind k) { return k == GRID_LINUX ? "Linux" : "culver"; }

static void print_pair(const struct pair *p, const struct grid_bench *b, uint32_t road, bool json, bool first)
{
	uint64_t o[2] = { b->road[road].late_octets, b->road[road + 1].late_octets }, all = o[0] + o[1];
	uint32_t share = all ? (uint32_t)((o[0] * 100 + all / 2) / all) : 0;
	double mbit = (double)all * 8e3 / (double)(b->for_ns - b->late_ns);
	bool bad = grid_road_failed(b, road) || grid_road_failed(b, road + 1);

	if (json)
		printf("%s{\"work\":\"tcp-grid-fair\",\"a\":\"%s %s\",\"b\":\"%s %s\",\"percent_of_a\":%u,\"mbit\":%.2f,\"bad\":%u}",
		       first ? "" : ",\n", kind_name(p->who[0].kind), p->who[0].cc, kind_name(p->who[1].kind), p->who[1].cc, share, mbit, bad);
	else
		printf("  %6s %-5s and %6s %-5s  %3u : %2u %%  %6.2f Mbit/s in all%s\n", kind_name(p->who[0].kind), p->who[0].cc,
		       kind_name(p->who[1].kind), p->who[1].cc, share, 100 - share, mbit, bad ? "   STALL, NOT EQUAL OR NOT ENDED" : "");
}

/* Exit code 1: a transfer failed, or CUBIC beside CUBIC got less than a quarter. */
int bench_grid_fair(uint64_t for_ns, uint64_t seed, bool json)
{
	struct grid_bench *b = grid_bench_new(for_ns);
	bool first = true;
	int rc;

	b->late_ns = for_ns / LATE_SHARE;
	for (uint32_t i = 0; i < ARRAY_SIZE(pairs); i++)
		for (uint32_t k = 0; is_here(&pairs[i]) && k < 2; k++) {
			struct grid_road *r = grid_add_road(b, RTT_MS, RATE_MBIT, 0, 0);

			r->cc = pairs[i].who[k].cc;
			r->seed = seed;
			r->tc.jitter_ns = JITTER_MS * NSEC_PER_MSEC;
			r->kind[0] = pairs[i].who[k].kind;
			r->kind[1] = GRID_LINUX;
			r->shares = k;
		}
	if (!json) {
		printf("two flows share %u Mbit/s, %u ms (each way +-%u), a queue of one product, for %llu s (the last five sixths count)\n", RATE_MBIT, RTT_MS, JITTER_MS,
		       (unsigned long long)(for_ns / NSEC_PER_SEC));
		fflush(stdout);
	}
	rc = grid_run_roads(b, seed);
	if (json)
		printf("[");
	for (uint32_t i = 0, road = 0; !rc && i < ARRAY_SIZE(pairs); i++)
		if (is_here(&pairs[i])) {
			print_pair(&pairs[i], b, road, json, first);
			first = false;
			road += 2;
		}
	if (json)
		printf("]\n");
	for (uint32_t road = 0; !rc && road < b->n_roads; road++) {
		uint64_t mine = b->road[road].late_octets, other = b->road[road ^ 1].late_octets;
		bool cubic = b->road[road].cc[0] == 'c' && b->road[road ^ 1].cc[0] == 'c';

		if (grid_road_failed(b, road) || (cubic && mine * 100 < (mine + other) * LEAST_PERCENT))
			rc = 1;
	}
	grid_bench_free(b);
	return rc;
}
