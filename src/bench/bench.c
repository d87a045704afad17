/* culver bench: the command. Runs each work's peers round by round, interleaved, and prints medians and
 * the ratios taken within each round. Peers other than culver are programs of their own (bench/peers/),
 * found beside the executable or in libexec. Called by cli/. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench/bench.h"
#include "bench/bench_grid.h"
#include "os/os_proc.h"
#include "os/os_term.h"

#define ROUNDS 7
#define ROUND_NS (200 * NSEC_PER_MSEC)
#define ROUND_MS "200"

/* The last two columns of a work's roads: may be missing (the machine refuses, or the work has no such road). */
enum peer { P_CULVER, P_LWIP, P_CULVER_LO, P_KERNEL, P_CULVER_MAP, P_KERNEL_MAP, P_UNIX, P_MAX };
static const char *const peer_name[P_MAX] = { "culver", "lwIP (Debian)", "culver lo", "kernel lo",
					      "culver sockmap", "kernel sockmap", "kernel unix" };
/* What is quoted: each of these to each of those, within a round. */
enum ratio { Q_LWIP, Q_LO, Q_MAP_LO, Q_MAP_MAP, Q_MAX };
static const struct {
	enum peer of, to;
	const char *name;
} ratios[Q_MAX] = {
	{ P_CULVER, P_LWIP, "culver:lwIP" },
	{ P_CULVER_LO, P_KERNEL, "culver lo:kernel lo" },
	{ P_CULVER_MAP, P_KERNEL, "culver sockmap:kernel lo" },
	{ P_CULVER_MAP, P_KERNEL_MAP, "culver sockmap:kernel sockmap" },
};
/* A peer that exits with this says that the machine does not have it (bench/peers/peer.h). */
#define PEER_NA 4

struct work {
	const char *name, *what, *unit;
	double scale; /* operations (or bytes) per cpu-second to the unit */
	bool bytes;
	bool map, unix_too; /* is there such a road? */
};
static const struct work works[] = {
	{ "tcp-bulk", "TCP bulk, MTU 1500 (lo: 65536), 128 KiB writes", "Gbit/cpu-s", 8e-9, true, true, true },
	{ "tcp-rr", "TCP request/response, 64 B", "k/cpu-s", 1e-3, false, true, true },
	{ "tcp-crr", "TCP connect, exchange, close with FIN", "k/cpu-s", 1e-3, false, false, true },
	{ "udp-64", "UDP datagrams, 64 B", "k/cpu-s", 1e-3, false, false, false },
};

static bool has_road(const struct work *w, enum peer p)
{
	return p == P_UNIX ? w->unix_too : p == P_CULVER_MAP || p == P_KERNEL_MAP ? w->map : true;
}

/* road: "" or "@sockmap", "@unix". -ENOTSUP: not on this machine. */
static int run_peer(const char *prog, const struct work *w, const char *road, int round, struct bench_result *r)
{
	char dir[4096], path[4200], out[256], off[12], name[32];
	unsigned long long ops, bytes, cpu;
	const char *argv[5] = { path, name, ROUND_MS, off, NULL };
	int err = os_self_dir(dir, sizeof(dir));

	if (err)
		return err;
	snprintf(off, sizeof(off), "%d", round);
	snprintf(name, sizeof(name), "%s%s", w->name, road);
	snprintf(path, sizeof(path), "%s/%s", dir, prog);
	err = os_run_capture(argv, out, sizeof(out));
	if (err == -ENOENT || err == 127) { /* the executable may be below the build's top */
		snprintf(path, sizeof(path), "%s/../../%s", dir, prog);
		err = os_run_capture(argv, out, sizeof(out));
	}
	if (err == -ENOENT || err == 127) {
		snprintf(path, sizeof(path), "%s/../libexec/culver/%s", dir, prog);
		err = os_run_capture(argv, out, sizeof(out));
	}
	if (err)
		return err == PEER_NA ? -ENOTSUP : err < 0 ? err : -EIO;
	if (sscanf(out, "ops=%llu bytes=%llu cpu_ns=%llu", &ops, &bytes, &cpu) != 3)
		return -EPROTO;
	*r = (struct bench_result){ ops, bytes, cpu };
	return 0;
}

static int run_one(enum peer p, const struct work *w, int round, struct bench_result *r)
{
	switch (p) {
	case P_CULVER:
		return bench_culver(BENCH_VETH, w->name, ROUND_NS, r);
	case P_CULVER_LO:
		return bench_culver(BENCH_LO, w->name, ROUND_NS, r);
	case P_CULVER_MAP:
		return bench_culver(BENCH_MAP, w->name, ROUND_NS, r);
	case P_LWIP:
		return run_peer("culver-peer-lwip", w, "", round, r);
	case P_KERNEL_MAP:
		return run_peer("culver-peer-kernel", w, "@sockmap", round, r);
	case P_UNIX:
		return run_peer("culver-peer-kernel", w, "@unix", round, r);
	default:
		return run_peer("culver-peer-kernel", w, "", round, r);
	}
}

static double rate(const struct work *w, const struct bench_result *r)
{
	double n = (double)(w->bytes ? r->bytes : r->ops);
	return r->cpu_ns ? n * 1e9 / (double)r->cpu_ns * w->scale : 0;
}

static int cmp_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

struct spread {
	double min, median, max;
};

static struct spread spread_of(const double *v, int n)
{
	double s[ROUNDS];

	memcpy(s, v, sizeof(double) * (size_t)n);
	qsort(s, (size_t)n, sizeof(double), cmp_double);
	return (struct spread){ s[0], s[n / 2], s[n - 1] };
}

struct table {
	double v[P_MAX][ROUNDS];
	bool have[P_MAX];
	struct spread s[P_MAX], q[Q_MAX];
};

/* All peers, all rounds. 0 or the exit code of a failed peer. */
static int measure(const struct work *w, struct table *t)
{
	for (int p = 0; p < P_MAX; p++)
		t->have[p] = has_road(w, (enum peer)p);
	for (int round = 0; round < ROUNDS; round++)
		for (int p = 0; p < P_MAX; p++) {
			struct bench_result r;
			int err = t->have[p] ? run_one((enum peer)p, w, round, &r) : 0;

			if (err == -ENOTSUP && p > P_KERNEL) {
				t->have[p] = false;
			} else if (err) {
				fprintf(stderr, "culver bench: %s on %s: %s\n", w->name, peer_name[p], os_strerror(-err));
				return 3;
			}
			t->v[p][round] = t->have[p] ? rate(w, &r) : 0;
		}
	return 0;
}

static void sum_up(struct table *t)
{
	for (int p = 0; p < P_MAX; p++)
		t->s[p] = spread_of(t->v[p], ROUNDS);
	for (int i = 0; i < Q_MAX; i++) {
		double q[ROUNDS];

		for (int round = 0; round < ROUNDS; round++) {
			double to = t->v[ratios[i].to][round];
			q[round] = to > 0 ? t->v[ratios[i].of][round] / to : 0;
		}
		t->q[i] = spread_of(q, ROUNDS);
	}
}

static bool has_ratio(const struct table *t, int i)
{
	return t->have[ratios[i].of] && t->have[ratios[i].to];
}

static void print_json(const struct work *w, const struct table *t, bool first)
{
	printf("%s{\"work\":\"%s\",\"unit\":\"%s\",\"rounds\":%d", first ? "" : ",\n", w->name, w->unit, ROUNDS);
	for (int p = 0; p < P_MAX; p++)
		if (t->have[p])
			printf(",\"%s\":[%.3f,%.3f,%.3f]", peer_name[p], t->s[p].min, t->s[p].median, t->s[p].max);
		else if (has_road(w, (enum peer)p))
			printf(",\"%s\":null", peer_name[p]);
	for (int i = 0; i < Q_MAX; i++)
		if (has_ratio(t, i))
			printf(",\"%s\":[%.3f,%.3f,%.3f]", ratios[i].name, t->q[i].min, t->q[i].median, t->q[i].max);
	printf("}");
}

static void print_row(const struct table *t, int i, const char *head, const char *peer)
{
	const struct spread *q = &t->q[i];

	printf("  %-24s culver %10.2f   %-9s ", head, t->s[ratios[i].of].median, peer);
	if (has_ratio(t, i))
		printf("%10.2f   ratio %6.2f (%.2f to %.2f)\n", t->s[ratios[i].to].median, q->median, q->min, q->max);
	else
		printf("       n/a\n");
}

static void print_text(const struct work *w, const struct table *t)
{
	printf("%s: %s, %s, median of %d rounds\n", w->name, w->what, w->unit, ROUNDS);
	print_row(t, Q_LWIP, "two stacks, one thread", "lwIP");
	print_row(t, Q_LO, "loopback, one thread", "kernel");
	if (w->map) {
		print_row(t, Q_MAP_LO, "  socket map", "kernel");
		print_row(t, Q_MAP_MAP, "  socket map", "sockmap");
	}
	if (w->unix_too)
		printf("  %-24s                     unix      %10.2f\n", "  for comparison", t->s[P_UNIX].median);
	fflush(stdout);
}

/* One work. 0 or the exit code of a failed peer. */
static int bench_work(const struct work *w, bool json, bool first)
{
	struct table t;
	int rc = measure(w, &t);

	if (rc)
		return rc;
	sum_up(&t);
	if (json)
		print_json(w, &t, first);
	else
		print_text(w, &t);
	return 0;
}

static int usage(const char *bad)
{
	fprintf(stderr, "culver bench: unknown benchmark or flag '%s' (there are:", bad);
	for (size_t i = 0; i < ARRAY_SIZE(works); i++)
		fprintf(stderr, " %s", works[i].name);
	fprintf(stderr, " tcp-tw hosts tcp-grid; flags: --json)\n");
	return 2;
}

static const struct work *work_by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(works); i++)
		if (!strcmp(works[i].name, name))
			return &works[i];
	return NULL;
}

/* By name, or because nothing was named. */
static bool is_asked(int argc, char **argv, bool any, const char *name)
{
	bool asked = !any;

	for (int k = 1; k < argc; k++)
		asked |= !strcmp(argv[k], name);
	return asked;
}

static void next_object(bool json, bool *first)
{
	if (json && !*first)
		printf(",\n");
	*first = false;
}

int bench_main(int argc, char **argv)
{
	bool json = false, any = false, first = true;
	int rc = 0;

	if (argc > 1 && !strcmp(argv[1], "tcp-grid")) /* minutes of real time: only when it is asked for, and alone */
		return bench_grid(argc - 1, argv + 1);
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--json"))
			json = true;
		else if (!strcmp(argv[i], "hosts") || !strcmp(argv[i], "tcp-tw") || work_by_name(argv[i]))
			any = true;
		else
			return usage(argv[i]);
	}
	if (json)
		printf("[");
	for (size_t i = 0; !rc && i < ARRAY_SIZE(works); i++) {
		if (is_asked(argc, argv, any, works[i].name)) {
			rc = bench_work(&works[i], json, first);
			first = false;
		}
	}
	if (!rc && is_asked(argc, argv, any, "tcp-tw")) {
		next_object(json, &first);
		rc = bench_tw(json);
	}
	if (!rc && is_asked(argc, argv, any, "hosts")) {
		next_object(json, &first);
		rc = bench_hosts(1000, json);
	}
	if (json)
		printf("]\n");
	return rc;
}
