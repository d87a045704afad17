/* See grid_world.h. */
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "app/app_util.h"
#include "socket/file.h"
#include "socket/syscall.h"
#include "grid_world.h"
#include "tcp/tcp.h"

#define PATTERN 1000003u /* a prime: no two segments look alike */
#define CHUNK 131072u
#define PORT 5001u

struct grid_job { /* owner_data of a task */
	struct grid_run *g;
	unsigned i;
	struct sock *sk; /* the sender's, while it is open */
};

/* ---- programs ---- */
static size_t piece(uint64_t at, uint64_t left)
{
	return (size_t)min_u64(min_u64(left, CHUNK), PATTERN - at % PATTERN);
}

static int grid_sender(struct task *t, int argc, char **argv)
{
	struct grid_job *j = t->owner_data;
	struct grid_run *g = j->g;
	struct grid_flow *f = &g->f[j->i];
	struct sockaddr_in a = app_sockaddr(0x0a000002, (uint16_t)(PORT + j->i));
	const char *cc = g->c->cc[j->i] ? g->c->cc[j->i] : "cubic";
	int fd = sys_socket(t, AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof(f->ti);
	uint8_t b;

	sys_nanosleep(t, g->c->start_gap_ns * j->i + NSEC_PER_MSEC);
	if (sys_setsockopt(t, fd, IPPROTO_TCP, TCP_CONGESTION, cc, (socklen_t)strlen(cc)))
		return 1;
	if (sys_connect(t, fd, (struct sockaddr *)&a, sizeof(a)))
		return 2;
	f->start_ns = sys_clock_ns(t);
	j->sk = container_of(t->files->fd[fd], struct socket_file, f)->s.sk;
	while (f->sent < g->c->bytes && sys_clock_ns(t) < g->c->max_ns) {
		ssize_t n = sys_write(t, fd, g->pattern + f->sent % PATTERN, piece(f->sent, g->c->bytes - f->sent));

		if (n <= 0)
			return 3;
		f->sent += (uint64_t)n;
	}
	sys_shutdown(t, fd, SHUT_WR);
	sys_read(t, fd, &b, 1); /* the receiver's end of file */
	sys_getsockopt(t, fd, IPPROTO_TCP, TCP_INFO, &f->ti, &len);
	j->sk = NULL;
	sys_close(t, fd);
	return 0;
}

static int grid_receiver(struct task *t, int argc, char **argv)
{
	struct grid_job *j = t->owner_data;
	struct grid_run *g = j->g;
	struct grid_flow *f = &g->f[j->i];
	struct sockaddr_in a = app_sockaddr(0, (uint16_t)(PORT + j->i));
	int fd = sys_socket(t, AF_INET, SOCK_STREAM, 0), c;
	uint8_t *buf = malloc(CHUNK);
	ssize_t n;

	sys_bind(t, fd, (struct sockaddr *)&a, sizeof(a));
	sys_listen(t, fd, 1);
	c = sys_accept4(t, fd, NULL, NULL, 0);
	f->equal = true;
	while ((n = sys_read(t, c, buf, piece(f->got, CHUNK))) > 0) {
		uint64_t now = sys_clock_ns(t);

		if (f->last_ns && now - f->last_ns > f->max_gap_ns)
			f->max_gap_ns = now - f->last_ns;
		f->last_ns = now;
		f->equal = f->equal && !memcmp(buf, g->pattern + f->got % PATTERN, (size_t)n);
		f->got += (uint64_t)n;
	}
	f->ended = n == 0;
	free(buf);
	sys_close(t, c);
	return 0;
}

static bool all_ended(void *arg)
{
	struct grid_run *g = arg;

	for (unsigned i = 0; i < g->n; i++)
		if (!g->f[i].ended)
			return false;
	return true;
}

static int grid_watch(struct task *t, int argc, char **argv)
{
	struct grid_job *j = t->owner_data;
	struct grid_run *g = j[0].g;

	while (!all_ended(g)) {
		sys_nanosleep(t, g->c->sample_ns ? g->c->sample_ns : 5 * NSEC_PER_MSEC);
		for (unsigned i = 0; i < g->n; i++) {
			struct tcp_info_full ti;

			if (!j[i].sk)
				continue;
			tcp_get_info(j[i].sk, &ti);
			g->f[i].max_backoff = max_u32(g->f[i].max_backoff, ti.backoff);
			g->f[i].max_rto_us = max_u32(g->f[i].max_rto_us, ti.rto >> ti.backoff);
			if (g->c->sample)
				g->c->sample(g, i, j[i].sk, &ti);
		}
	}
	return 0;
}

/* ---- the world ---- */
static void make_topo(struct topo *t, const struct grid_cell *c)
{
	uint64_t bdp = c->rate_bps / 8 * c->rtt_us / 1000000;
	uint64_t queue = c->queue_bytes ? c->queue_bytes : max_u64(bdp, 131072);
	struct topo_at at = { 0, 0 };
	struct topo_link *l;
	char text[64];

	topo_init(t, "grid");
	l = topo_add_link(t);
	l->line_rate_bps = 40000000000ull;
	l->mtu = c->mtu;
	for (unsigned i = 0; i < 2; i++) {
		uint32_t n = topo_add_node(t, i ? "b" : "a", TOPO_LINUX);
		struct tc_params *p = &l->end[i].tc;
		bool clean = i && c->one_way_loss;

		t->node[n].cpus = (struct topo_cpus){ 1, 0, 0 };
		t->node[n].nic.rx_ring = t->node[n].nic.tx_ring = 4096;
		t->node[n].nic.rx_fifo = 1u << 20;
		snprintf(text, sizeof(text), "4096 131072 %u", c->buf_max ? c->buf_max : 33554432);
		topo_pairs_set(&t->node[n].sysctls, "net.ipv4.tcp_rmem", text, at);
		snprintf(text, sizeof(text), "4096 16384 %u", c->buf_max ? c->buf_max : 16777216);
		topo_pairs_set(&t->node[n].sysctls, "net.ipv4.tcp_wmem", text, at);
		if (c->buf_max >= 1u << 29) { /* all connections together: more than one may have */
			snprintf(text, sizeof(text), "%u %u %u", c->buf_max / 4096, c->buf_max / 4096 / 4 * 5, c->buf_max / 4096 / 2 * 3);
			topo_pairs_set(&t->node[n].sysctls, "net.ipv4.tcp_mem", text, at);
		}
		if (c->sysctl) {
			const char *eq = strchr(c->sysctl, '=');

			snprintf(text, sizeof(text), "%.*s", (int)(eq - c->sysctl), c->sysctl);
			topo_pairs_set(&t->node[n].sysctls, text, eq + 1, at);
		}
		topo_set_end(&l->end[i], n, "eth1");
		l->end[i].has_ip = true;
		l->end[i].ip = 0x0a000001u + i;
		l->end[i].plen = 24;
		l->end[i].has_tc = true;
		*p = (struct tc_params){ .delay_ns = (uint64_t)c->rtt_us * 500, .jitter_ns = c->jitter_ns, .rate_bps = c->rate_bps, .limit_bytes = (uint32_t)queue,
					 .loss_ppm = clean ? 0 : c->loss_ppm, .reorder_ppm = clean ? 0 : c->reorder_ppm,
					 .reorder_gap_ns = c->reorder_gap_ns ? c->reorder_gap_ns : (uint64_t)c->rtt_us * 125 };
	}
}

static void count_wire(void *arg, const struct hw_port *from, const struct hw_frame *f, uint64_t t_ns, const char *fate)
{
	struct grid_run *g = arg;

	if (!fate[0] || !g->lab || lab_iface_of(g->lab, from)->node->name[0] != 'a')
		return;
	if (!strcmp(fate, "lost"))
		g->lost_frames++;
	else if (!strncmp(fate, "lost (q", 7))
		g->queue_drops++;
}

static void collect_counters(struct grid_run *g)
{
	const struct net *net = lab_find(g->lab, "a")->net;
	uint64_t first = UINT64_MAX, last = 0, got = 0;

	g->retrans = net->mib.tcp.RetransSegs;
	g->timeouts = net->mib.tcpext.TCPTimeouts;
	g->spurious_rtos = net->mib.tcpext.TCPSpuriousRTOs;
	g->undos = net->mib.tcpext.TCPFullUndo + net->mib.tcpext.TCPPartialUndo + net->mib.tcpext.TCPDSACKUndo + net->mib.tcpext.TCPLossUndo;
	g->dsacks = net->mib.tcpext.TCPDSACKRecv + net->mib.tcpext.TCPDSACKOfoRecv;
	g->tlps = net->mib.tcpext.TCPLossProbes;
	g->fast = net->mib.tcpext.TCPFastRetrans;
	g->slow_retrans = net->mib.tcpext.TCPSlowStartRetrans;
	g->lost_retrans = net->mib.tcpext.TCPLostRetransmit;
	g->recoveries = net->mib.tcpext.TCPSackRecovery;
	g->reorder_seen = net->mib.tcpext.TCPSACKReorder + net->mib.tcpext.TCPTSReorder;
	for (unsigned i = 0; i < g->n; i++) {
		first = min_u64(first, g->f[i].start_ns);
		last = max_u64(last, g->f[i].last_ns);
		got += g->f[i].got;
	}
	if (last > first)
		g->goodput_bps = (uint64_t)((unsigned __int128)got * 8 * NSEC_PER_SEC / (last - first));
}

static uint8_t *make_pattern(void)
{
	uint8_t *p = malloc(PATTERN);
	uint64_t x = 88172645463325252ull;

	for (uint32_t i = 0; i < PATTERN; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		p[i] = (uint8_t)(x >> 32);
	}
	return p;
}

bool grid_run(const struct grid_cell *c, uint64_t seed, struct grid_run *g)
{
	struct grid_job job[GRID_FLOWS];
	struct task *t[2 * GRID_FLOWS + 1];
	struct lab_source src;
	struct lab_opts opts = { .seed = seed, .has_seed = true, .wire = count_wire, .wire_arg = g };
	uint8_t *pattern = make_pattern();
	enum lab_err err;
	struct yerr e;
	bool ok = true;

	memset(g, 0, sizeof(*g));
	memset(&src, 0, sizeof(src));
	g->c = c;
	g->n = c->flows ? c->flows : 1;
	g->pattern = pattern;
	make_topo(&src.topo, c);
	src.base = strdup(".");
	if (topo_check(&src.topo, &e) || !(g->lab = lab_new(&src, &opts, &err, &e))) {
		fprintf(stderr, "grid: %s\n", e.text);
		abort();
	}
	if (c->begin)
		c->begin(g);
	for (unsigned i = 0; i < g->n; i++) {
		job[i] = (struct grid_job){ g, i, NULL };
		t[2 * i] = lab_spawn_main(lab_find(g->lab, "b"), "recv", grid_receiver, &job[i]);
		t[2 * i + 1] = lab_spawn_main(lab_find(g->lab, "a"), "send", grid_sender, &job[i]);
	}
	t[2 * g->n] = lab_spawn_main(lab_find(g->lab, "a"), "watch", grid_watch, job);
	lab_run(g->lab, all_ended, g, c->max_ns + 600 * NSEC_PER_SEC);
	lab_wait(g->lab, 10 * NSEC_PER_SEC); /* all tasks end */
	collect_counters(g);
	for (unsigned i = 0; i < g->n; i++)
		ok = ok && g->f[i].ended && g->f[i].equal && g->f[i].got == g->f[i].sent && g->f[i].sent;
	for (unsigned i = 0; i <= 2 * g->n; i++)
		if (t[i]->state == TASK_ZOMBIE)
			task_free(t[i]);
	lab_free(g->lab);
	g->lab = NULL;
	lab_source_close(&src);
	free(pattern);
	return ok;
}

uint64_t grid_model_bps(const struct grid_cell *c)
{
	double p = c->loss_ppm / 1e6, rtt = c->rtt_us / 1e6, mss = 1448, link = (double)c->rate_bps * 1448 / 1514, cubic, reno, w;

	if (p <= 0)
		return (uint64_t)link;
	cubic = 1.054 * pow(rtt, 0.75) / pow(p, 0.75); /* RFC 9438 5.1 */
	reno = sqrt(1.5 / p);                          /* the mean of AIMD(3(1-b)/(1+b), b) too */
	w = cubic > reno ? cubic : reno;
	w = w * mss * 8 / rtt;
	return (uint64_t)(w < link ? w : link);
}

uint64_t grid_stall_limit_ns(const struct grid_cell *c, const struct grid_flow *f)
{
	uint64_t rto = max_u32(f->max_rto_us, 200000u + c->rtt_us), queue = c->queue_bytes ? c->queue_bytes : c->rate_bps / 8 * c->rtt_us / 1000000;

	return (rto * ((2ull << f->max_backoff) - 1) + 3 * rto) * NSEC_PER_USEC + queue * 8 * NSEC_PER_SEC / c->rate_bps;
}
