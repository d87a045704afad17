/* Many hosts in one lab: the built-in internet with a town of n clients more, on switches of 50 behind a router of their
 * own, each fetching the page by name. Prints wall time, memory per idle host, and packet hops per second of CPU
 * time. Called by bench.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench/bench.h"
#include "lab/lab.h"
#include "os/os_proc.h"

#define HOSTS_PER_SWITCH 50u
#define STAGGER_NS (2 * NSEC_PER_MSEC)
#define PAGE "curl -s http://www.server.com/"
#define LIMIT_NS (600 * NSEC_PER_SEC)

struct visitor {
	struct task *t;
	uint64_t bytes;
	int code;
};
struct town {
	uint32_t n, ended, good;
	uint64_t bytes;
	struct visitor *v;
};

static void add_exec(struct topo *t, const char *node, const char *line)
{
	topo_words_add(&t->node[topo_find(t, node)].exec, line, (struct topo_at){ 0, 0 });
}

static void add_link(struct topo *t, uint32_t a, const char *ifa, uint32_t ip, uint8_t plen, uint32_t b, const char *ifb)
{
	struct topo_link *l = topo_add_link(t);

	topo_set_end(&l->end[0], a, ifa);
	topo_set_end(&l->end[1], b, ifb);
	l->end[0].has_ip = ip != 0;
	l->end[0].ip = ip;
	l->end[0].plen = plen;
}

/* Router rb at 10.0.12.9 on sw2, its town 10.1.0.0/16: a core switch, switches of 50, n hosts from 10.1.1.0 on. */
static void build_town(struct topo *t, uint32_t n)
{
	static const char *const routers[] = { "r1", "r2", "r3" };
	uint32_t rb = topo_add_node(t, "rb", TOPO_LINUX), core = topo_add_node(t, "core", TOPO_BRIDGE);
	char name[32], port[16];
	uint32_t sw = 0;

	topo_pairs_set(&t->node[rb].sysctls, "net.ipv4.ip_forward", "1", (struct topo_at){ 0, 0 });
	add_exec(t, "rb", "ip route add 10.0.1.0/24 via 10.0.12.1");
	add_exec(t, "rb", "ip route add 10.0.2.0/24 via 10.0.12.2");
	add_exec(t, "rb", "ip route add 10.0.3.0/24 via 10.0.12.3");
	for (size_t i = 0; i < ARRAY_SIZE(routers); i++)
		add_exec(t, routers[i], "ip route add 10.1.0.0/16 via 10.0.12.9");
	add_link(t, rb, "eth1", 0x0a000c09, 24, topo_find(t, "sw2"), "town");
	add_link(t, rb, "eth2", 0x0a010001, 16, core, "up");
	for (uint32_t i = 0; i < n; i++) {
		uint32_t h;
		if (i % HOSTS_PER_SWITCH == 0) {
			snprintf(name, sizeof(name), "ts%u", i / HOSTS_PER_SWITCH);
			snprintf(port, sizeof(port), "c%u", i / HOSTS_PER_SWITCH);
			sw = topo_add_node(t, name, TOPO_BRIDGE);
			add_link(t, sw, "up", 0, 0, core, port);
		}
		snprintf(name, sizeof(name), "h%u", i);
		snprintf(port, sizeof(port), "p%u", i % HOSTS_PER_SWITCH);
		h = topo_add_node(t, name, TOPO_LINUX);
		topo_words_add(&t->node[h].exec, "ip route add default via 10.1.0.1", (struct topo_at){ 0, 0 });
		topo_words_add(&t->node[h].dns, "10.0.1.53", (struct topo_at){ 0, 0 });
		add_link(t, h, "eth1", 0x0a010100u + i, 16, sw, port);
	}
}

static void on_output(void *arg, int fd, const char *s, size_t len)
{
	struct visitor *v = arg;

	(void)s;
	if (fd == 1)
		v->bytes += len;
}

static bool all_ended(void *arg)
{
	struct town *tw = arg;

	for (uint32_t i = tw->ended; i < tw->n; i++, tw->ended++)
		if (tw->v[i].t->state != TASK_ZOMBIE)
			return false;
	return true;
}

/* Every host visits; starts are 2 ms apart. */
static int visits(struct lab *lab, struct town *tw)
{
	char name[32];
	int err;

	for (uint32_t i = 0; i < tw->n; i++) {
		struct lab_node *h;
		snprintf(name, sizeof(name), "h%u", i);
		h = lab_find(lab, name);
		tw->v[i].t = h ? lab_spawn(h, PAGE, on_output, &tw->v[i], &err) : NULL;
		if (!tw->v[i].t)
			return -1;
		lab_wait(lab, STAGGER_NS);
	}
	lab_run(lab, all_ended, tw, lab->q.now_ns + LIMIT_NS);
	for (uint32_t i = 0; i < tw->n; i++) {
		bool ok = tw->v[i].t->state == TASK_ZOMBIE && !tw->v[i].t->exit_code && tw->v[i].bytes == tw->v[0].bytes;
		tw->good += ok;
		tw->bytes += tw->v[i].bytes;
	}
	return 0;
}

static void print(const struct town *tw, const struct lab *lab, uint64_t wall, uint64_t cpu, uint64_t rss, bool json)
{
	uint64_t ms = wall / NSEC_PER_MSEC, per_host = rss / (tw->n ? tw->n : 1);
	double hops = cpu ? (double)lab->hw.hops * 1e9 / (double)cpu : 0;

	if (json)
		printf("{\"work\":\"hosts\",\"hosts\":%u,\"pages\":%u,\"bytes\":%llu,\"wall_ms\":%llu,\"cpu_ms\":%llu,\"virtual_ms\":%llu,"
		       "\"idle_host_bytes\":%llu,\"hops\":%llu,\"hops_per_cpu_s\":%.0f}\n",
		       tw->n, tw->good, (unsigned long long)tw->bytes, (unsigned long long)ms, (unsigned long long)(cpu / NSEC_PER_MSEC),
		       (unsigned long long)(lab->q.now_ns / NSEC_PER_MSEC), (unsigned long long)per_host, (unsigned long long)lab->hw.hops, hops);
	else
		printf("hosts: %u of %u hosts have the page (%llu bytes in all)\n"
		       "  wall %llu ms, CPU %llu ms, virtual %llu ms; idle host %llu KiB; %llu hops, %.2f M hops per cpu-s\n",
		       tw->good, tw->n, (unsigned long long)tw->bytes, (unsigned long long)ms, (unsigned long long)(cpu / NSEC_PER_MSEC),
		       (unsigned long long)(lab->q.now_ns / NSEC_PER_MSEC), (unsigned long long)(per_host >> 10), (unsigned long long)lab->hw.hops,
		       hops / 1e6);
}

int bench_hosts(uint32_t n, bool json)
{
	struct lab_opts opts = { .seed = 1, .has_seed = true };
	struct town tw = { .n = n };
	struct lab_source src;
	enum lab_err err;
	struct yerr e;
	struct lab *lab;
	uint64_t rss0, rss, wall0, cpu0;
	int rc = 3;

	err = lab_source_open(&src, "internet", &e);
	if (err) {
		fprintf(stderr, "culver bench: %s\n", e.text);
		return (int)err;
	}
	build_town(&src.topo, n);
	if (topo_check(&src.topo, &e)) {
		fprintf(stderr, "culver bench: %s\n", e.text);
		lab_source_close(&src);
		return 3;
	}
	rss0 = os_rss_bytes();
	wall0 = os_wall_ns();
	cpu0 = os_cpu_ns();
	lab = lab_new(&src, &opts, &err, &e);
	rss = os_rss_bytes();
	if (lab) {
		tw.v = xcalloc(n, sizeof(*tw.v));
		if (!visits(lab, &tw)) {
			print(&tw, lab, os_wall_ns() - wall0, os_cpu_ns() - cpu0, rss > rss0 ? rss - rss0 : 0, json);
			rc = tw.good == n ? 0 : 1;
		}
		for (uint32_t i = 0; i < n; i++)
			if (tw.v[i].t && tw.v[i].t->state == TASK_ZOMBIE)
				task_free(tw.v[i].t);
		lab_free(lab);
		free(tw.v);
	} else {
		fprintf(stderr, "culver bench: %s\n", e.text);
	}
	lab_source_close(&src);
	return rc;
}
