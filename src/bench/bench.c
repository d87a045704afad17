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

enum peer { P_CULVER, P_LWIP, P_CULVER_LO, P_KERNEL, P_MAX };
static const char *const peer_name[P_MAX] = { "culver", "lwIP (Debian)", "culver lo", "kernel lo" };

struct work {
	const char *name, *what, *unit;
	double scale; /* operations (or bytes) per cpu-second to the unit */
	bool bytes;
};
static const struct work works[] = {
	{ "tcp-bulk", "TCP bulk, MTU 1500 (lo: 65536), 128 KiB writes", "Gbit/cpu-s", 8e-9, true },
	{ "tcp-rr", "TCP request/response, 64 B", "k/cpu-s", 1e-3, false },
	{ "tcp-crr", "TCP connect, exchange, close with FIN", "k/cpu-s", 1e-3, false },
	{ "udp-64", "UDP datagrams, 64 B", "k/cpu-s", 1e-3, false },
};

static int run_peer(const char *prog, const struct work *w, int round, struct bench_result *r)
{
	char dir[4096], path[4200], out[256], off[12];
	unsigned long long ops, bytes, cpu;
	const char *argv[5] = { path, w->name, ROUND_MS, off, NULL };
	int err = os_self_dir(dir, sizeof(dir));

	if (err)
		return err;
	snprintf(off, sizeof(off), "%d", round);
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
		return err < 0 ? err : -EIO;
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
	case P_LWIP:
		return run_peer("culver-peer-lwip", w, round, r);
	default:
		return run_peer("culver-peer-kernel", w, round, r);
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

/* One work: all peers, all rounds. 0 or the exit code of a failed peer. */
static int bench_work(const struct work *w, bool json, bool first)
{
	double v[P_MAX][ROUNDS], ratio[2][ROUNDS];
	struct spread s[P_MAX], q[2];

	for (int round = 0; round < ROUNDS; round++) {
		for (int p = 0; p < P_MAX; p++) {
			struct bench_result r;
			int err = run_one((enum peer)p, w, round, &r);
			if (err) {
				fprintf(stderr, "culver bench: %s on %s: %s\n", w->name, peer_name[p], os_strerror(-err));
				return 3;
			}
			v[p][round] = rate(w, &r);
		}
		ratio[0][round] = v[P_LWIP][round] > 0 ? v[P_CULVER][round] / v[P_LWIP][round] : 0;
		ratio[1][round] = v[P_KERNEL][round] > 0 ? v[P_CULVER_LO][round] / v[P_KERNEL][round] : 0;
	}
	for (int p = 0; p < P_MAX; p++)
		s[p] = spread_of(v[p], ROUNDS);
	for (int i = 0; i < 2; i++)
		q[i] = spread_of(ratio[i], ROUNDS);
	if (json) {
		printf("%s{\"work\":\"%s\",\"unit\":\"%s\",\"rounds\":%d", first ? "" : ",\n", w->name, w->unit, ROUNDS);
		for (int p = 0; p < P_MAX; p++)
			printf(",\"%s\":[%.3f,%.3f,%.3f]", peer_name[p], s[p].min, s[p].median, s[p].max);
		printf(",\"culver:lwIP\":[%.3f,%.3f,%.3f],\"culver lo:kernel lo\":[%.3f,%.3f,%.3f]}",
		       q[0].min, q[0].median, q[0].max, q[1].min, q[1].median, q[1].max);
		return 0;
	}
	printf("%s: %s, %s, median of %d rounds\n", w->name, w->what, w->unit, ROUNDS);
	printf("  two stacks, one thread   culver %10.2f   lwIP      %10.2f   ratio %6.2f (%.2f to %.2f)\n",
	       s[P_CULVER].median, s[P_LWIP].median, q[0].median, q[0].min, q[0].max);
	printf("  loopback, one thread     culver %10.2f   kernel    %10.2f   ratio %6.2f (%.2f to %.2f)\n",
	       s[P_CULVER_LO].median, s[P_KERNEL].median, q[1].median, q[1].min, q[1].max);
	fflush(stdout);
	return 0;
}

static int usage(const char *bad)
{
	fprintf(stderr, "culver bench: unknown benchmark or flag '%s' (there are:", bad);
	for (size_t i = 0; i < ARRAY_SIZE(works); i++)
		fprintf(stderr, " %s", works[i].name);
	fprintf(stderr, " hosts tcp-grid; flags: --json)\n");
	return 2;
}

static const struct work *work_by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(works); i++)
		if (!strcmp(works[i].name, name))
			return &works[i];
	return NULL;
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
		else if (!strcmp(argv[i], "hosts") || work_by_name(argv[i]))
			any = true;
		else
			return usage(argv[i]);
	}
	if (json)
		printf("[");
	for (size_t i = 0; !rc && i < ARRAY_SIZE(works); i++) {
		bool wanted = !any;
		for (int k = 1; k < argc; k++)
			wanted |= !strcmp(argv[k], works[i].name);
		if (wanted) {
			rc = bench_work(&works[i], json, first);
			first = false;
		}
	}
	for (int k = 1; !rc && k <= argc; k++)
		if (k == argc ? !any : !strcmp(argv[k], "hosts")) {
			if (json && !first)
				printf(",\n");
			rc = bench_hosts(1000, json);
			break;
		}
	if (json)
		printf("]\n");
	return rc;
}
