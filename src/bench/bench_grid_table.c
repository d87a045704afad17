/* culver bench tcp-grid: which cells, how often, and the table: goodput of each road, culver's in parts of Linux's, median
 * and least. Cells in which not much can flow run together; those that are more than a core can carry on three roads, one
 * road after the other. Called by bench.c; the transfers are bench_grid.c's.
 *
 * A transfer of ten seconds at 200 ms and 1 % meets two dozen losses: two of Linux's own, with other seeds, differ by a
 * third. So a cell runs again, with the next seed, until its two ratios are known: until the standard error of each (of a
 * ratio of sums, from the runs' residuals) is at most KNOWN, or, from RUNS_FAIR on, three times smaller than what is between
 * the ratio and the goal, on whichever side. Where frames overtake others on a long road, Linux's HyStart leaves slow start at
 * 28 segments or never, by which ACK comes early, and transfers differ by a factor of fifteen: 24 runs gave 0.68 +- 0.12, 32 with
 * other seeds 1.01; hence up to RUNS_MOST. --runs N says how many instead. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/strbuf.h"
#include "bench/bench_grid.h"
#include "os/os_file.h"
#include "tcp/tcp.h"

#define CELLS_MAX 180u
#define CELLS_AT_ONCE (GRID_ROADS / 3)
#define MBIT_AT_ONCE 450u /* what this program carries between TAPs on one core with something to spare */
#define GOAL_MEDIAN 95u /* percent */
#define GOAL_LEAST 80u
#define RUNS_LEAST 3u
#define RUNS_FAIR 6u
#define RUNS_MOST 96u
#define KNOWN 0.04 /* of a ratio */

struct cell {
	uint32_t loss_ppm, reorder_ppm, rtt_ms, rate_mbit;
};
static const struct cell dozen[] = {
	{ 0, 0, 1, 100 },      { 0, 0, 66, 100 },      { 0, 0, 200, 10 },	{ 1000, 0, 20, 100 },
	{ 1000, 0, 66, 100 },  { 3000, 10000, 20, 100 }, { 3000, 0, 200, 10 },	{ 10000, 0, 20, 10 },
	{ 10000, 0, 66, 100 }, { 10000, 50000, 20, 100 }, { 30000, 0, 20, 10 }, { 30000, 50000, 66, 10 },
};

struct grid_opts {
	bool full, json, has_cell, fair, has_seconds;
	uint64_t seconds, runs, seed;
	const char *cc, *md5;
	struct cell one;
};

struct sums { /* of one cell, over its runs */
	uint32_t runs;
	uint64_t goodput[3];	 /* bits per second, summed */
	double squares[3], with_linux[3]; /* of Mbit/s: each road's squared, and times Linux's of the same run */
	uint64_t segments[3], repeated[3], lost[3], silence_ns[3];
	uint32_t bad, stalls;
	bool done;
};

/* Mbit/s that may flow: where losses bound the window, twice what Reno's response function says (CUBIC's is below that here). */
static uint32_t demand(const struct cell *c, const struct grid_opts *o)
{
	uint64_t w = 1, segs;

	if (!c->loss_ppm || !strcmp(o->cc, "bbr"))
		return c->rate_mbit;
	for (segs = 1500000 / c->loss_ppm; w * w < segs; w++)
		;
	return (uint32_t)min_u64(c->rate_mbit, 2 * 1448 * 8 * w / c->rtt_ms / 1000 + 1);
}

static void ask(struct grid_bench *b, const struct cell *c, const struct grid_opts *o, uint32_t road, uint64_t seed)
{
	struct grid_road *r = grid_add_road(b, c->rtt_ms, c->rate_mbit, c->loss_ppm, c->reorder_ppm);

	r->cc = o->cc;
	r->seed = seed;
	r->kind[0] = road == 1 ? GRID_CULVER : GRID_LINUX;
	r->kind[1] = road == 2 ? GRID_CULVER : GRID_LINUX;
}

struct run {
	uint64_t goodput[3];
};

/* Goodput is what was acknowledged while both ends of every road were busy, from the SYN for as long as the sender writes. What it
 * has in its buffer then is sent and checked too, but takes as long as the buffer is large: hosts whose kernels were built with
 * other header room have twice or half of it (87,040 or 46,080 octets for ten segments). */
static void add_up(const struct grid_bench *b, uint32_t from, uint32_t road, struct run *run, struct sums *s)
{
	const struct grid_road *r = &b->road[from];

	run->goodput[road] = (uint64_t)((unsigned __int128)r->late_octets * 8 * NSEC_PER_SEC / b->for_ns);
	s->segments[road] += r->segments;
	s->repeated[road] += r->repeated;
	s->lost[road] += r->lost + r->queue_drops;
	s->silence_ns[road] = max_u64(s->silence_ns[road], r->silence_ns);
	s->stalls += r->stalled;
	s->bad += grid_road_failed(b, from);
}

static void add_run(struct sums *s, const struct run *run)
{
	s->runs++;
	for (uint32_t i = 0; i < 3; i++) {
		double mbit = (double)run->goodput[i] / 1e6;

		s->goodput[i] += run->goodput[i];
		s->squares[i] += mbit * mbit;
		s->with_linux[i] += mbit * ((double)run->goodput[0] / 1e6);
	}
}

/* Newton's way. */
static double root(double x)
{
	double r = x > 1 ? x : 1;

	for (uint32_t i = 0; i < 64; i++)
		r = (r + x / r) / 2;
	return r;
}

/* The standard error of sum(culver) / sum(Linux), from the residuals culver - ratio * Linux of the runs. */
static double error_of(const struct sums *s, uint32_t road)
{
	double n = s->runs, sum = (double)s->goodput[0] / 1e6, ratio, residuals;

	if (s->runs < 2 || sum <= 0)
		return 1;
	ratio = (double)s->goodput[road] / 1e6 / sum;
	residuals = s->squares[road] - 2 * ratio * s->with_linux[road] + ratio * ratio * s->squares[0];
	return residuals > 1e-12 ? root(residuals * n / (n - 1)) / sum : 0;
}

static bool is_ratio_known(const struct sums *s, uint32_t road)
{
	double error = error_of(s, road), off = s->goodput[0] ? (double)s->goodput[road] / (double)s->goodput[0] - GOAL_LEAST / 100.0 : 1;

	return s->runs >= RUNS_LEAST && (error <= KNOWN || (s->runs >= RUNS_FAIR && (off < 0 ? -off : off) > 3 * error));
}

static bool is_known(const struct sums *s, const struct grid_opts *o)
{
	if (o->runs)
		return s->runs >= o->runs;
	return s->runs >= RUNS_MOST || (is_ratio_known(s, 1) && is_ratio_known(s, 2));
}

/* The first cell that is not done, and with it as many of the others as can flow beside it. Their indices in at; how many. */
static uint32_t choose_batch(const struct cell *cells, const struct sums *s, uint32_t n, const struct grid_opts *o, uint32_t *at)
{
	uint32_t k = 0, mbit = 0;

	for (uint32_t i = 0; i < n && k < CELLS_AT_ONCE; i++) {
		uint32_t more = 3 * demand(&cells[i], o);

		if (s[i].done || (k && mbit + more > MBIT_AT_ONCE))
			continue;
		at[k++] = i;
		mbit += more;
	}
	return k;
}

/* Each of the k cells once, with its own next seed; those that are known after that are done. */
static int run_batch(struct grid_bench *b, const struct cell *cells, struct sums *s, const uint32_t *at, uint32_t k, const struct grid_opts *o)
{
	bool apart = k == 1 && 3 * demand(&cells[at[0]], o) > MBIT_AT_ONCE;
	struct run run[CELLS_AT_ONCE];

	memset(run, 0, sizeof(run));
	for (uint32_t turn = 0; turn < (apart ? 3u : 1u); turn++) {
		int rc;

		b->n_roads = 0;
		for (uint32_t i = 0; i < k; i++)
			for (uint32_t road = 0; road < 3; road++)
				if (!apart || road == turn)
					ask(b, &cells[at[i]], o, road, o->seed + s[at[i]].runs);
		rc = grid_run_roads(b, o->seed + b->batches);
		if (rc)
			return rc;
		for (uint32_t i = 0; i < b->n_roads; i++)
			add_up(b, i, apart ? turn : i % 3, &run[apart ? 0 : i / 3], &s[at[i / 3]]);
	}
	b->batches++;
	for (uint32_t i = 0; i < k; i++) {
		add_run(&s[at[i]], &run[i]);
		s[at[i]].done = is_known(&s[at[i]], o);
	}
	return 0;
}

static uint32_t percent(const struct sums *s, uint32_t road)
{
	return s->goodput[0] ? (uint32_t)(s->goodput[road] * 100 / s->goodput[0]) : 0;
}

static void print_cell(const struct cell *c, const struct sums *s, const struct grid_opts *o, bool first)
{
	static const char *const road[] = { "Linux to Linux", "culver sends", "culver receives" };

	if (o->json) {
		printf("%s{\"work\":\"tcp-grid\",\"cc\":\"%s\",\"loss_ppm\":%u,\"reorder_ppm\":%u,\"rtt_ms\":%u,\"rate_mbit\":%u,"
		       "\"runs\":%u,\"bad\":%u,\"stalls\":%u,\"standard_error\":[%.3f,%.3f]", first ? "" : ",\n", o->cc, c->loss_ppm, c->reorder_ppm,
		       c->rtt_ms, c->rate_mbit, s->runs, s->bad, s->stalls, error_of(s, 1), error_of(s, 2));
		for (uint32_t i = 0; i < 3; i++)
			printf(",\"%s\":[%llu,%llu,%llu,%llu]", road[i], (unsigned long long)(s->goodput[i] / s->runs),
			       (unsigned long long)s->repeated[i], (unsigned long long)s->lost[i], (unsigned long long)(s->silence_ns[i] / NSEC_PER_MSEC));
		printf("}");
		fflush(stdout);
		return;
	}
	printf("loss %u.%u%% reorder %u%% rtt %u ms rate %u Mbit/s, %u run%s%s%s\n", c->loss_ppm / 10000, c->loss_ppm / 1000 % 10,
	       c->reorder_ppm / 10000, c->rtt_ms, c->rate_mbit, s->runs, s->runs == 1 ? "" : "s", s->bad > s->stalls ? "   NOT EQUAL OR NOT ENDED" : "",
	       s->stalls ? "   STALL" : "");
	for (uint32_t i = 0; i < 3; i++) {
		char give_or_take[16] = "     ";

		if (i && s->runs > 1)
			snprintf(give_or_take, sizeof(give_or_take), " +-%2.0f", 100 * (error_of(s, i) < 0.99 ? error_of(s, i) : 0.99));
		printf("  %-16s %8.2f Mbit/s  %3u%%%s  repeated %6llu  lost %6llu  longest silence %5llu ms\n", road[i],
		       (double)s->goodput[i] / 1e6 / s->runs, percent(s, i), give_or_take, (unsigned long long)s->repeated[i],
		       (unsigned long long)s->lost[i], (unsigned long long)(s->silence_ns[i] / NSEC_PER_MSEC));
	}
	fflush(stdout);
}

static int cmp_u32(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void print_sum(uint32_t *ratio, uint32_t n, uint32_t bad, const struct grid_opts *o)
{
	qsort(ratio, n, sizeof(*ratio), cmp_u32);
	if (o->json) {
		printf(",\n{\"work\":\"tcp-grid\",\"median_percent\":%u,\"least_percent\":%u,\"bad\":%u}", ratio[n / 2], ratio[0], bad);
		return;
	}
	printf("culver in parts of Linux, %u cells in two directions: median %u.%02u, least %u.%02u; transfers that failed: %u\n", n / 2,
	       ratio[n / 2] / 100, ratio[n / 2] % 100, ratio[0] / 100, ratio[0] % 100, bad);
}

static uint32_t choose_cells(struct cell *cells, const struct grid_opts *o)
{
	static const uint32_t loss[] = { 0, 1000, 3000, 10000, 30000 }, reorder[] = { 0, 10000, 50000 }, rtt[] = { 1, 20, 66, 200 },
			      rate[] = { 10, 100, 500 };
	uint32_t n = 0;

	if (o->has_cell) {
		cells[0] = o->one;
		return 1;
	}
	if (!o->full) {
		memcpy(cells, dozen, sizeof(dozen));
		return ARRAY_SIZE(dozen);
	}
	for (uint32_t r = 0; r < ARRAY_SIZE(rate); r++)
		for (uint32_t d = 0; d < ARRAY_SIZE(rtt); d++)
			for (uint32_t k = 0; k < ARRAY_SIZE(reorder); k++)
				for (uint32_t l = 0; l < ARRAY_SIZE(loss); l++)
					cells[n++] = (struct cell){ loss[l], reorder[k], rtt[d], rate[r] };
	return n;
}

/* "1%,0%,66,100" without the signs: loss and reordering in ppm, ms, Mbit/s. */
static int parse_cell(const char *s, struct cell *c)
{
	char extra;

	return sscanf(s, "%u,%u,%u,%u%c", &c->loss_ppm, &c->reorder_ppm, &c->rtt_ms, &c->rate_mbit, &extra) == 4 && c->rate_mbit &&
			       c->rtt_ms && c->loss_ppm <= 1000000 && c->reorder_ppm <= 1000000 && c->rtt_ms <= 10000 && c->rate_mbit <= 10000
		       ? 0
		       : -1;
}

bool grid_known_on_both(const char *name)
{
	char *text = NULL, *save, *w;
	bool found = false;
	size_t len;

	if (!tcp_ca_find(name) || os_read_file("/proc/sys/net/ipv4/tcp_available_congestion_control", 4096, &text, &len))
		return false;
	for (w = strtok_r(text, " \n", &save); w && !found; w = strtok_r(NULL, " \n", &save))
		found = !strcmp(w, name);
	free(text);
	return found;
}

static int parse_opts(int argc, char **argv, struct grid_opts *o)
{
	for (int i = 1; i < argc; i++) {
		const char *v = i + 1 < argc ? argv[i + 1] : NULL;

		if (!strcmp(argv[i], "--full"))
			o->full = true;
		else if (!strcmp(argv[i], "--json"))
			o->json = true;
		else if (!strcmp(argv[i], "--fair"))
			o->fair = true;
		else if (!strcmp(argv[i], "--seconds") && v && !u64_parse(v, 1, 3600, &o->seconds))
			o->has_seconds = true, i++;
		else if (!strcmp(argv[i], "--runs") && v && !u64_parse(v, 1, 1000, &o->runs))
			i++;
		else if (!strcmp(argv[i], "--seed") && v && !u64_parse(v, 0, UINT64_MAX, &o->seed))
			i++;
		else if (!strcmp(argv[i], "--md5") && v && *v && strlen(v) <= 80)
			o->md5 = argv[++i];
		else if (!strcmp(argv[i], "--cc") && v) {
			if (!grid_known_on_both(v))
				return fprintf(stderr, "culver bench: tcp-grid: '%s' is not a congestion control of both culver and this machine's kernel "
						       "(net.ipv4.tcp_available_congestion_control)\n", v), 2;
			o->cc = argv[++i];
		}
		else if (!strcmp(argv[i], "--cell") && v && !parse_cell(v, &o->one))
			o->has_cell = true, i++;
		else
			return fprintf(stderr, "culver bench: tcp-grid does not understand '%s' (usage: culver bench tcp-grid [--full | --fair] [--seconds N] "
					       "[--runs N] [--seed N] [--cc NAME] [--md5 KEY] [--cell LOSS_PPM,REORDER_PPM,RTT_MS,MBIT] [--json])\n", argv[i]), 2;
	}
	return 0;
}

static int run_cells(const struct cell *cells, uint32_t n, const struct grid_opts *o)
{
	struct grid_bench *b = grid_bench_new(o->seconds * NSEC_PER_SEC);
	struct sums *s = xcalloc(n, sizeof(*s));
	uint32_t *ratio = xcalloc(2 * n, sizeof(*ratio)), at[CELLS_AT_ONCE], k, n_ratios = 0, bad = 0;
	int rc = 0;

	b->md5 = o->md5;
	while (!rc && (k = choose_batch(cells, s, n, o, at)) > 0) {
		rc = run_batch(b, cells, s, at, k, o);
		for (uint32_t i = 0; i < k && !rc; i++) {
			if (!s[at[i]].done)
				continue;
			print_cell(&cells[at[i]], &s[at[i]], o, !n_ratios);
			bad += s[at[i]].bad;
			ratio[n_ratios++] = percent(&s[at[i]], 1);
			ratio[n_ratios++] = percent(&s[at[i]], 2);
		}
	}
	if (!rc) {
		print_sum(ratio, n_ratios, bad, o);
		rc = bad || ratio[n_ratios / 2] < GOAL_MEDIAN || ratio[0] < GOAL_LEAST;
	}
	free(ratio);
	free(s);
	grid_bench_free(b);
	return rc;
}

int bench_grid(int argc, char **argv)
{
	struct grid_opts o = { .seconds = 10, .seed = 1, .cc = "cubic" };
	struct cell cells[CELLS_MAX];
	int rc = parse_opts(argc, argv, &o);

	if (rc)
		return rc;
	if (o.fair)
		return bench_grid_fair((o.has_seconds ? o.seconds : 60) * NSEC_PER_SEC, o.seed, o.json);
	if (o.json)
		printf("[");
	rc = run_cells(cells, choose_cells(cells, &o), &o);
	if (o.json)
		printf("]\n");
	return rc;
}
