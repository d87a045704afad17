/* culver bench tcp-grid: which cells, how often, and the table: goodput of each road, culver's in parts of Linux's, median
 * and least. Called by bench.c; the transfers are bench_grid.c's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/strbuf.h"
#include "bench/bench_grid.h"
#include "bench/peers/grid_pattern.h"
#include "os/os_file.h"
#include "tcp/tcp.h"

#define QUEUE_MIN 131072u
#define CELLS_MAX 180u
#define GOAL_MEDIAN 95u /* percent */
#define GOAL_LEAST 80u

struct cell {
	uint32_t loss_ppm, reorder_ppm, rtt_ms, rate_mbit;
};
static const struct cell dozen[] = {
	{ 0, 0, 1, 100 },      { 0, 0, 66, 100 },      { 0, 0, 200, 10 },	{ 1000, 0, 20, 100 },
	{ 1000, 0, 66, 100 },  { 3000, 10000, 20, 100 }, { 3000, 0, 200, 10 },	{ 10000, 0, 20, 10 },
	{ 10000, 0, 66, 100 }, { 10000, 50000, 20, 100 }, { 30000, 0, 20, 10 }, { 30000, 50000, 66, 10 },
};

struct grid_opts {
	bool full, json, has_cell;
	uint64_t seconds, runs, seed;
	const char *cc;
	struct cell one;
};

struct sums { /* of one cell, over its runs */
	uint64_t goodput[3]; /* bits per second, summed */
	uint64_t segments[3], repeated[3], lost[3], silence_ns[3];
	uint32_t bad;
};

static void set_cell(struct grid_bench *b, const struct cell *c)
{
	uint64_t bdp = c->rate_mbit * 125ull * c->rtt_ms; /* octets */

	b->loss_ppm = c->loss_ppm;
	b->tc = (struct tc_params){ .delay_ns = c->rtt_ms * NSEC_PER_MSEC / 2, .rate_bps = c->rate_mbit * 1000000ull,
				    .limit_bytes = (uint32_t)max_u64(bdp, QUEUE_MIN), .reorder_ppm = c->reorder_ppm, .reorder_gap_ns = c->rtt_ms * NSEC_PER_MSEC / 8 };
}

static int run_cell(struct grid_bench *b, const struct cell *c, const struct grid_opts *o, struct sums *s)
{
	memset(s, 0, sizeof(*s));
	set_cell(b, c);
	for (uint64_t run = 0; run < o->runs; run++) {
		int rc = grid_cell(b, o->seed + run);

		if (rc)
			return rc;
		for (uint32_t i = 0; i < 3; i++) {
			const struct grid_road *r = &b->road[i];
			uint64_t ns = r->progress_ns - r->start_ns;

			s->goodput[i] += ns ? (uint64_t)((unsigned __int128)r->octets * 8 * NSEC_PER_SEC / ns) : 0;
			s->segments[i] += r->segments;
			s->repeated[i] += r->repeated;
			s->lost[i] += r->lost + r->queue_drops;
			s->silence_ns[i] = max_u64(s->silence_ns[i], r->silence_ns);
			s->bad += b->end[2 * i].code || b->end[2 * i + 1].code;
		}
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
		       "\"runs\":%llu,\"bad\":%u", first ? "" : ",\n", o->cc, c->loss_ppm, c->reorder_ppm, c->rtt_ms, c->rate_mbit,
		       (unsigned long long)o->runs, s->bad);
		for (uint32_t i = 0; i < 3; i++)
			printf(",\"%s\":[%llu,%llu,%llu,%llu]", road[i], (unsigned long long)(s->goodput[i] / o->runs),
			       (unsigned long long)s->repeated[i], (unsigned long long)s->lost[i], (unsigned long long)(s->silence_ns[i] / NSEC_PER_MSEC));
		printf("}");
		return;
	}
	printf("loss %u.%u%% reorder %u%% rtt %u ms rate %u Mbit/s%s\n", c->loss_ppm / 10000, c->loss_ppm / 1000 % 10, c->reorder_ppm / 10000,
	       c->rtt_ms, c->rate_mbit, s->bad ? "   NOT EQUAL OR NOT ENDED" : "");
	for (uint32_t i = 0; i < 3; i++)
		printf("  %-16s %8.2f Mbit/s  %3u%%  repeated %6llu  lost %6llu  longest silence %5llu ms\n", road[i],
		       (double)s->goodput[i] / 1e6 / (double)o->runs, percent(s, i), (unsigned long long)s->repeated[i],
		       (unsigned long long)s->lost[i], (unsigned long long)(s->silence_ns[i] / NSEC_PER_MSEC));
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

/* A congestion control that culver has and the kernel too. */
static bool known_on_both(const char *name)
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
		else if (!strcmp(argv[i], "--seconds") && v && !u64_parse(v, 1, 3600, &o->seconds))
			i++;
		else if (!strcmp(argv[i], "--runs") && v && !u64_parse(v, 1, 1000, &o->runs))
			i++;
		else if (!strcmp(argv[i], "--seed") && v && !u64_parse(v, 0, UINT64_MAX, &o->seed))
			i++;
		else if (!strcmp(argv[i], "--cc") && v) {
			if (!known_on_both(v))
				return fprintf(stderr, "culver bench: tcp-grid: '%s' is not a congestion control of both culver and this machine's kernel "
						       "(net.ipv4.tcp_available_congestion_control)\n", v), 2;
			o->cc = argv[++i];
		}
		else if (!strcmp(argv[i], "--cell") && v && !parse_cell(v, &o->one))
			o->has_cell = true, i++;
		else
			return fprintf(stderr, "culver bench: tcp-grid does not understand '%s' (usage: culver bench tcp-grid [--full] [--seconds N] "
					       "[--runs N] [--seed N] [--cc NAME] [--cell LOSS_PPM,REORDER_PPM,RTT_MS,MBIT] [--json])\n", argv[i]), 2;
	}
	return 0;
}

/* culver's buffers are to be as large as the kernel's. */
static void read_limit(const char *path, char *out, size_t room)
{
	char *text = NULL;
	size_t len;

	out[0] = '\0';
	if (!os_read_file(path, 4096, &text, &len) && len && len < room)
		memcpy(out, text, len), out[len] = '\0';
	out[strcspn(out, "\n")] = '\0';
	free(text);
}

int bench_grid(int argc, char **argv)
{
	struct grid_opts o = { .seconds = 10, .runs = 1, .seed = 1, .cc = "cubic" };
	struct grid_bench *b = xcalloc(1, sizeof(*b));
	struct cell *cells = xcalloc(CELLS_MAX, sizeof(*cells));
	uint32_t *ratio = xcalloc(2 * CELLS_MAX, sizeof(*ratio)), n, bad = 0;
	uint8_t *pattern = malloc(GRID_PATTERN);
	int rc = parse_opts(argc, argv, &o);

	grid_pattern(pattern);
	b->pattern = pattern;
	b->cc = o.cc;
	b->for_ns = o.seconds * NSEC_PER_SEC;
	b->n_roads = 3;
	b->kind[1][0] = b->kind[2][1] = GRID_CULVER;
	read_limit("/proc/sys/net/ipv4/tcp_rmem", b->rmem, sizeof(b->rmem));
	read_limit("/proc/sys/net/ipv4/tcp_wmem", b->wmem, sizeof(b->wmem));
	n = choose_cells(cells, &o);
	if (o.json && !rc)
		printf("[");
	for (uint32_t i = 0; i < n && !rc; i++) {
		struct sums s;

		rc = run_cell(b, &cells[i], &o, &s);
		if (rc)
			break;
		print_cell(&cells[i], &s, &o, !i);
		bad += s.bad;
		ratio[2 * i] = percent(&s, 1);
		ratio[2 * i + 1] = percent(&s, 2);
	}
	if (!rc)
		print_sum(ratio, 2 * n, bad, &o);
	if (o.json && !rc)
		printf("]\n");
	if (!rc && (bad || ratio[n] < GOAL_MEDIAN || ratio[0] < GOAL_LEAST))
		rc = 1;
	free(pattern);
	free(ratio);
	free(cells);
	free(b);
	return rc;
}
