/* culver bench tcp-tw: what connections cost when there are many. How many can be opened, used and closed in a second of CPU
 * while none, a thousand, ... a million others wait in TIME-WAIT; and the memory of an idle connection's end, of a TIME-WAIT, of
 * a request. Time stands nearly still, so that none of them expires. Called by bench.c. */
#include <stdio.h>
#include <stdlib.h>
#include "bench/bench_world.h"
#include "os/os_proc.h"
#include "os/os_term.h"
#include "socket/syscall.h"
#include "tcp/tcp_sock.h"

#define TW_ROUNDS 3u
#define TW_WARM_UP 20000u
#define TW_BATCH 500u
#define IDLE_CONNS 8000u /* 125 for each of the server's ports: its backlog is 128 */
#define TW_CONNS 200000u

static const uint32_t levels[] = { 0, 1000, 10000, 100000, 1000000 };
#define N_LEVELS ARRAY_SIZE(levels)

/* How many connections are timed at a level: some more than it, so that it stays one. */
static uint32_t timed_at(uint32_t level) { return level < 20000 ? 2000 : level / 10; }

/* From the n-th connection up to the to-th, in pieces: the cheapest of them is what the code costs, the others what the
 * machine did besides. Nanoseconds for one connection; 0: failed (in *err). */
static uint64_t open_up_to(struct bench_world *w, const int *lfd, uint32_t n, uint32_t to, int *err)
{
	uint64_t best = UINT64_MAX;

	for (; n < to && !*err; n += TW_BATCH) {
		uint64_t t0 = os_cpu_ns(), ns;

		*err = bench_crr_some(w, lfd, n, TW_BATCH);
		ns = (os_cpu_ns() - t0) / TW_BATCH;
		best = ns < best ? ns : best;
	}
	return *err ? 0 : best;
}

/* One world from no TIME-WAIT to a million: ns[level]. */
static int sweep(uint64_t *ns)
{
	int lfd[BENCH_CRR_PORTS], err;
	struct bench_world w;
	uint32_t n = 0;

	err = bench_world_init(&w, BENCH_VETH);
	w.slow = true;
	if (!err)
		err = bench_crr_listen(&w, lfd);
	for (uint32_t i = 0; i < N_LEVELS && !err; i++) {
		open_up_to(&w, lfd, n, levels[i], &err);
		if (n < levels[i])
			n = levels[i];
		if (!err && w.net[0]->tcp->tw_count + w.net[1]->tcp->tw_count < levels[i])
			err = -1; /* they are not there */
		ns[i] = open_up_to(&w, lfd, n, n + timed_at(levels[i]), &err);
		n += timed_at(levels[i]);
	}
	bench_world_free(&w);
	return err;
}

struct memory {
	uint64_t end_with, end_without, tw, request; /* octets */
};

/* Connections whose server's end nobody has accepted yet have one descriptor, later two. */
static int measure_idle(struct memory *m)
{
	uint64_t rss0, unaccepted, accepted;
	int lfd[BENCH_CRR_PORTS], err;
	struct bench_world w;

	err = bench_world_init(&w, BENCH_VETH);
	w.slow = true;
	if (!err)
		err = bench_crr_listen(&w, lfd);
	rss0 = os_rss_bytes();
	for (uint32_t i = 0; i < IDLE_CONNS && !err; i++) {
		int fd = bench_dial_only(&w, (uint16_t)(BENCH_PORT + i % BENCH_CRR_PORTS));

		err = fd < 0 ? fd : 0;
	}
	unaccepted = os_rss_bytes();
	for (uint32_t i = 0; i < IDLE_CONNS && !err; i++) {
		int fd = sys_accept4(w.t[1], lfd[i % BENCH_CRR_PORTS], NULL, NULL, SOCK_NONBLOCK);

		err = fd < 0 ? fd : 0;
	}
	accepted = os_rss_bytes();
	m->end_with = (accepted - rss0) / IDLE_CONNS / 2;
	m->end_without = m->end_with - (accepted - unaccepted) / IDLE_CONNS;
	m->request = w.net[0]->tcp->req_pool.size;
	bench_world_free(&w);
	return err;
}

static int measure_tw(struct memory *m)
{
	int lfd[BENCH_CRR_PORTS], err;
	struct bench_world w;
	uint64_t rss0;

	err = bench_world_init(&w, BENCH_VETH);
	w.slow = true;
	if (!err)
		err = bench_crr_listen(&w, lfd);
	if (!err)
		err = bench_crr_some(&w, lfd, 0, TW_BATCH);
	rss0 = os_rss_bytes();
	if (!err)
		err = bench_crr_some(&w, lfd, TW_BATCH, TW_CONNS);
	m->tw = (os_rss_bytes() - rss0) / (TW_CONNS);
	bench_world_free(&w);
	return err;
}

static double k_per_s(uint64_t ns) { return ns ? 1e6 / (double)ns : 0; }

static void print(const uint64_t *ns, const struct memory *m, bool json)
{
	if (json)
		printf("{\"work\":\"tcp-tw\",\"unit\":\"k/cpu-s\",\"connections\":{");
	else
		printf("tcp-tw: TCP connect, exchange, close with FIN, while others are in TIME-WAIT, k/cpu-s, best of %u rounds\n", TW_ROUNDS);
	for (uint32_t i = 0; i < N_LEVELS; i++)
		if (json)
			printf("%s\"%u\":%.1f", i ? "," : "", levels[i], k_per_s(ns[i]));
		else
			printf("  %8u in TIME-WAIT   culver %10.2f   of the first %5.2f\n", levels[i], k_per_s(ns[i]), k_per_s(ns[i]) / k_per_s(ns[0]));
	if (json)
		printf("},\"idle_end_bytes\":%llu,\"idle_end_unaccepted_bytes\":%llu,\"timewait_bytes\":%llu,\"request_bytes\":%llu}\n",
		       (unsigned long long)m->end_with, (unsigned long long)m->end_without, (unsigned long long)m->tw, (unsigned long long)m->request);
	else
		printf("  memory, octets: an idle connection's end %llu, without its descriptor %llu; a TIME-WAIT %llu; a request %llu\n",
		       (unsigned long long)m->end_with, (unsigned long long)m->end_without, (unsigned long long)m->tw, (unsigned long long)m->request);
	fflush(stdout);
}

int bench_tw(bool json)
{
	uint64_t ns[N_LEVELS], best[N_LEVELS] = { 0 };
	struct memory m;
	int err = measure_tw(&m); /* memory first, while nothing that was freed can be used again */

	if (!err)
		err = measure_idle(&m);
	for (uint32_t round = 0; round < TW_ROUNDS && !err; round++) {
		err = sweep(ns);
		for (uint32_t i = 0; i < N_LEVELS; i++)
			if (!best[i] || ns[i] < best[i])
				best[i] = ns[i];
	}
	if (err) {
		fprintf(stderr, "culver bench: tcp-tw: %s\n", os_strerror(-err));
		return 3;
	}
	print(best, &m, json);
	return 0;
}
