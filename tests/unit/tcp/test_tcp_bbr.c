/* BBR: the state machine on a clean path, its answer to losses, throughput under chance losses, and what programs see of it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "grid_world.h"
#include "core/netfilter.h"
#include "ipv4/ip.h"
#include "tcp/tcp_bbr.h"
#include <netinet/in.h>

#define SEC NSEC_PER_SEC
#define LINK_PAYLOAD(bps) ((bps) * 1448 / 1514)

static bool full; /* --full: eight runs of a minute under chance losses instead of one of half a minute */

/* What a connection went through, looked at every millisecond. */
struct trip {
	uint8_t state;
	uint32_t entered[7];
	bool legal;
	uint64_t startup_end_ns, drain_end_ns, rtt_first_ns, rtt_last_ns;
	uint32_t bw_at_startup_end, inflight_at_drain_end, longest_rtt_probe_ms, rtt_min_inflight, min_rtt_us;
	uint64_t rtt_entered_ns;
	uint32_t max_cwnd_over_long; /* looks in CRUISE at which cwnd was above the bound less its headroom */
	uint32_t last_inflight_long;
	double gain_sum[7];
	uint32_t gain_n[7];
};

/* Looks are a millisecond apart: a state may be passed in between. */
static bool may_follow(uint8_t from, uint8_t to)
{
	switch (from) {
	case BBR_STARTUP:
		return to == BBR_DRAIN || to == BBR_PROBE_DOWN || to == BBR_PROBE_RTT || to == BBR_PROBE_CRUISE;
	case BBR_DRAIN:
		return to == BBR_PROBE_DOWN || to == BBR_PROBE_CRUISE || to == BBR_PROBE_RTT || to == BBR_STARTUP;
	case BBR_PROBE_DOWN:
		return to == BBR_PROBE_CRUISE || to == BBR_PROBE_REFILL || to == BBR_PROBE_RTT || to == BBR_PROBE_UP;
	case BBR_PROBE_CRUISE:
		return to == BBR_PROBE_REFILL || to == BBR_PROBE_RTT;
	case BBR_PROBE_REFILL:
		return to == BBR_PROBE_UP || to == BBR_PROBE_DOWN || to == BBR_PROBE_RTT;
	case BBR_PROBE_UP:
		return to == BBR_PROBE_DOWN || to == BBR_PROBE_RTT || to == BBR_PROBE_CRUISE;
	default:
		return to == BBR_PROBE_CRUISE || to == BBR_PROBE_DOWN || to == BBR_STARTUP;
	}
}

static void look(struct grid_run *g, unsigned flow, struct sock *sk, const struct tcp_info_full *ti)
{
	struct trip *t = g->c->arg;
	const struct bbr *b = (const struct bbr *)(const void *)inet_csk(sk)->ca_priv;
	uint32_t in_flight = tcp_packets_in_flight(tcp_sk(sk));
	uint64_t now = sk->net->now_ns;

	if (!b || sk->state != TCP_ESTABLISHED)
		return;
	if (b->state != t->state) {
		t->legal = t->legal && may_follow(t->state, b->state);
		t->entered[b->state]++;
		if (t->state == BBR_STARTUP) {
			t->startup_end_ns = now;
			t->bw_at_startup_end = bbr_max_bw(b);
		}
		if (t->state <= BBR_DRAIN && b->state > BBR_DRAIN) {
			t->drain_end_ns = now;
			t->inflight_at_drain_end = in_flight;
		}
		if (b->state == BBR_PROBE_RTT) {
			t->rtt_first_ns = t->rtt_first_ns ? t->rtt_first_ns : now;
			t->rtt_last_ns = t->rtt_entered_ns = now;
		}
		if (t->state == BBR_PROBE_RTT)
			t->longest_rtt_probe_ms = max_u32(t->longest_rtt_probe_ms, (uint32_t)((now - t->rtt_entered_ns) / NSEC_PER_MSEC));
		t->state = b->state;
	}
	if (b->state == BBR_PROBE_RTT)
		t->rtt_min_inflight = min_u32(t->rtt_min_inflight, in_flight);
	if (b->state == BBR_PROBE_CRUISE && tcp_sk(sk)->snd_cwnd > bbr_inflight_with_headroom(b))
		t->max_cwnd_over_long++;
	t->last_inflight_long = b->inflight_long;
	t->min_rtt_us = b->min_rtt_us;
	if (b->bw) {
		t->gain_sum[b->state] += (double)sk->pacing_rate / 1480 / ((double)b->bw * 1e6 / BBR_UNIT);
		t->gain_n[b->state]++;
	}
}

static struct grid_cell cell(uint32_t loss, uint32_t rtt_ms, uint32_t mbit, uint64_t ns, struct trip *t)
{
	memset(t, 0, sizeof(*t));
	t->legal = true;
	t->rtt_min_inflight = UINT32_MAX;
	return (struct grid_cell){ .loss_ppm = loss, .rtt_us = rtt_ms * 1000, .rate_bps = mbit * 1000000ull, .bytes = UINT64_MAX / 2,
				   .max_ns = ns, .cc = { "bbr" }, .sample = look, .sample_ns = NSEC_PER_MSEC, .arg = t };
}

/* Segments per second that the link takes, as BBR writes bandwidth. */
static double bw_share(uint32_t bw, uint64_t bps) { return (double)bw * 1e6 / BBR_UNIT * 1514 * 8 / (double)bps; }

static void bbr_startup_fills_drain_empties(void **state)
{
	struct trip t;
	struct grid_cell c = cell(0, 40, 50, 3 * SEC, &t);
	struct grid_run g;
	uint32_t bdp = 50000000 / 8 / 1514 * 40 / 1000;

	assert_true(grid_run(&c, 1, &g));
	assert_true(t.legal);
	assert_int_equal(t.entered[BBR_DRAIN], 1);
	/* ten segments, 2.77 times as much each round trip, then three rounds without growth */
	assert_in_range(t.startup_end_ns / NSEC_PER_MSEC, 5 * 40, 16 * 40);
	assert_true(bw_share(t.bw_at_startup_end, c.rate_bps) > 0.97 && bw_share(t.bw_at_startup_end, c.rate_bps) < 1.05);
	assert_true(t.drain_end_ns > t.startup_end_ns && t.drain_end_ns - t.startup_end_ns < 8 * 40 * NSEC_PER_MSEC);
	assert_in_range(t.inflight_at_drain_end, bdp / 2, bdp + 20);
	assert_int_equal(t.entered[BBR_STARTUP], 0);
}

static void bbr_cycles_through_the_probes(void **state)
{
	struct trip t;
	struct grid_cell c = cell(0, 20, 20, 20 * SEC, &t);
	struct grid_run g;

	assert_true(grid_run(&c, 2, &g));
	assert_true(t.legal);
	assert_in_range(t.entered[BBR_PROBE_UP], 5, 20);
	assert_true(t.entered[BBR_PROBE_REFILL] + 1 >= t.entered[BBR_PROBE_UP] && t.entered[BBR_PROBE_DOWN] + 2 >= t.entered[BBR_PROBE_UP]);
	/* gains, less 1 % */
	assert_true(t.gain_n[BBR_PROBE_UP] && t.gain_n[BBR_PROBE_CRUISE] && t.gain_n[BBR_PROBE_DOWN]);
	assert_true(fabs(t.gain_sum[BBR_PROBE_UP] / t.gain_n[BBR_PROBE_UP] - 1.2375) < 0.01);
	assert_true(fabs(t.gain_sum[BBR_PROBE_CRUISE] / t.gain_n[BBR_PROBE_CRUISE] - 0.99) < 0.01);
	assert_true(fabs(t.gain_sum[BBR_PROBE_DOWN] / t.gain_n[BBR_PROBE_DOWN] - 0.89) < 0.01);
	assert_int_equal(g.queue_drops, 0);
	assert_true(g.goodput_bps * 100 > LINK_PAYLOAD(c.rate_bps) * 90);
}

static void bbr_looks_for_the_shortest_round_trip_every_5_s(void **state)
{
	struct trip t;
	struct grid_cell c = cell(0, 30, 20, 22 * SEC, &t);
	struct grid_run g;

	assert_true(grid_run(&c, 3, &g));
	assert_in_range(t.entered[BBR_PROBE_RTT], 3, 4);
	assert_in_range(t.rtt_first_ns / NSEC_PER_MSEC, 4900, 5900);
	assert_in_range((t.rtt_last_ns - t.rtt_first_ns) / NSEC_PER_MSEC, 2 * 5000, 3 * 5700);
	assert_in_range(t.longest_rtt_probe_ms, 200, 400);
	assert_in_range(t.rtt_min_inflight, 4, 20000000 / 8 / 1514 * 30 / 1000 / 2 + 2);
	assert_in_range(t.min_rtt_us, 30000, 31500); /* no queue while it looked */
}

/* A queue of a twentieth of the product: what probing loses there is remembered. */
static void bbr_losses_bound_inflight(void **state)
{
	struct trip t;
	struct grid_cell c = cell(0, 40, 50, 20 * SEC, &t);
	struct grid_run g;
	uint32_t bdp = 50000000 / 8 / 1514 * 40 / 1000;

	c.queue_bytes = 50000000 / 8 / 25 / 20;
	assert_true(grid_run(&c, 4, &g));
	assert_true(t.legal);
	assert_in_range(t.last_inflight_long, bdp / 2, 2 * bdp);
	assert_int_equal(t.max_cwnd_over_long, 0);
	assert_true(g.goodput_bps * 100 > LINK_PAYLOAD(c.rate_bps) * 80);
	assert_true(g.retrans * 100 < g.f[0].sent / 1448 * 3); /* 2 % of a probing round, not of all */
}

static void bbr_fills_the_pipe_in_spite_of_chance_losses(void **state)
{
	uint64_t sum = 0, seeds = full ? 8 : 1;

	for (uint64_t seed = 2; seed < 2 + seeds; seed++) {
		struct trip t;
		struct grid_cell c = cell(10000, 66, 100, (full ? 60 : 30) * SEC, &t);
		struct grid_run g;

		assert_true(grid_run(&c, seed, &g));
		assert_true(t.legal);
		assert_true(g.f[0].max_gap_ns <= grid_stall_limit_ns(&c, &g.f[0]));
		sum += g.goodput_bps;
	}
	print_message("1 %% lost each way, 100 Mbit/s, 66 ms: %.1f Mbit/s\n", (double)sum / 1e6 / (double)seeds);
	assert_true(sum / seeds * 100 >= LINK_PAYLOAD(100000000ull) * 90);
}

static void bbr_moves_every_octet_under_loss(void **state)
{
	static const uint32_t cells[][4] = { /* loss, reordering, ms, Mbit/s */
		{ 1000, 0, 66, 100 }, { 3000, 10000, 20, 100 }, { 10000, 50000, 20, 10 }, { 30000, 0, 1, 100 }, { 30000, 50000, 66, 10 }, { 0, 50000, 20, 100 },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cells); i++) {
		struct trip t;
		struct grid_cell c = cell(cells[i][0], cells[i][2], cells[i][3], 60 * SEC, &t);
		struct grid_run g;

		c.reorder_ppm = cells[i][1];
		c.bytes = 4u << 20;
		assert_true(grid_run(&c, 5 + i, &g));
		assert_true(g.f[0].max_gap_ns <= grid_stall_limit_ns(&c, &g.f[0]));
	}
}

/* Twice as much lost by chance, two in a hundred, is what a probe may lose: nearly the whole link still. Beyond, it gives way. */
static void bbr_bears_losses_up_to_its_threshold(void **state)
{
	static const struct {
		uint32_t loss, rtt, rate, at_least, at_most; /* percent of the link */
	} rows[] = { { 5000, 66, 100, 94, 100 }, { 20000, 20, 100, 85, 100 }, { 20000, 66, 100, 80, 100 }, { 20000, 20, 10, 90, 100 },
		     { 50000, 66, 100, 5, 50 } };

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct trip t;
		struct grid_cell c = cell(rows[i].loss, rows[i].rtt, rows[i].rate, 30 * SEC, &t);
		struct grid_run g;
		uint64_t percent;

		assert_true(grid_run(&c, 1, &g));
		percent = g.goodput_bps * 100 / LINK_PAYLOAD(c.rate_bps);
		print_message("%u ppm lost each way, %u Mbit/s, %u ms: %.1f Mbit/s\n", rows[i].loss, rows[i].rate, rows[i].rtt,
			      (double)g.goodput_bps / 1e6);
		assert_in_range(percent, rows[i].at_least, rows[i].at_most);
	}
}

/* ---- ECN: a router that marks is played by a hook of the receiver ---- */
struct marker {
	struct nf_hook_ops ops;
	struct grid_run *g;
	struct sock *sk;
	uint32_t limit;            /* marks while more segments than that are in flight */
	uint64_t from_ns, to_ns;   /* or everything between */
	uint64_t marked, max_in_flight, cruise_sum, cruise_n;
	uint32_t cwnd_before, min_cwnd_marked, startup_end_ms;
};

static unsigned mark(void *priv, struct sk_buff *skb, const struct nf_hook_state *st)
{
	struct marker *m = priv;
	uint64_t now = st->net->now_ns;

	if ((ip_hdr(skb)->tos & 3) && m->sk &&
	    ((now >= m->from_ns && now < m->to_ns) || (m->limit && tcp_packets_in_flight(tcp_sk(m->sk)) > m->limit))) {
		ip_hdr(skb)->tos |= 3;
		put_be16(ip_hdr(skb)->check, 0);
		put_be16(ip_hdr(skb)->check, ip4_fast_csum(ip_hdr(skb), ip4_hlen(ip_hdr(skb))));
		m->marked++;
	}
	return NF_ACCEPT;
}

static void begin_marking(struct grid_run *g)
{
	struct marker *m = g->c->arg;

	m->g = g;
	m->min_cwnd_marked = UINT32_MAX;
	m->ops = (struct nf_hook_ops){ .hook = mark, .priv = m, .hooknum = NF_INET_PRE_ROUTING, .name = "mark" };
	assert_int_equal(nf_register_net_hook(lab_find(g->lab, "b")->net, &m->ops), 0);
}

static void look_marked(struct grid_run *g, unsigned flow, struct sock *sk, const struct tcp_info_full *ti)
{
	struct marker *m = g->c->arg;
	const struct bbr *b = (const struct bbr *)(const void *)inet_csk(sk)->ca_priv;
	uint64_t now = sk->net->now_ns;

	m->sk = sk->state == TCP_ESTABLISHED ? sk : NULL;
	if (!b || !m->sk)
		return;
	if (b->state != BBR_STARTUP && !m->startup_end_ms)
		m->startup_end_ms = (uint32_t)(now / NSEC_PER_MSEC);
	if (now > 2 * SEC)
		m->max_in_flight = max_u64(m->max_in_flight, tcp_packets_in_flight(tcp_sk(sk)));
	if (now < m->from_ns)
		m->cwnd_before = tcp_sk(sk)->snd_cwnd;
	if (now >= m->from_ns && now < m->to_ns)
		m->min_cwnd_marked = min_u32(m->min_cwnd_marked, tcp_sk(sk)->snd_cwnd);
	if (b->state == BBR_PROBE_CRUISE) {
		m->cruise_sum += tcp_packets_in_flight(tcp_sk(sk));
		m->cruise_n++;
	}
}

static struct grid_cell marked_cell(struct marker *m, uint64_t ns)
{
	return (struct grid_cell){ .rtt_us = 40000, .rate_bps = 20000000, .queue_bytes = 400000, .bytes = UINT64_MAX / 2, .max_ns = ns, .cc = { "bbr" },
				   .begin = begin_marking, .sample = look_marked, .sample_ns = NSEC_PER_MSEC, .arg = m, .sysctl = "net.ipv4.tcp_ecn=1" };
}

/* A queue of a quarter of the product is marked: no loss is needed to keep it short, and the link stays full. */
static void bbr_obeys_marks(void **state)
{
	uint32_t bdp = 20000000 / 8 / 1514 * 40 / 1000;
	struct marker m = { .limit = bdp * 5 / 4 }, none = { .limit = 0 };
	struct grid_cell c = marked_cell(&m, 12 * SEC), d = marked_cell(&none, 12 * SEC);
	struct grid_run g;

	assert_true(grid_run(&d, 1, &g));
	assert_int_equal(none.marked, 0);
	assert_true(grid_run(&c, 1, &g));
	print_message("marked above %u: %.2f Mbit/s, at most %llu in flight (%llu without), Startup ends after %u ms (%u without)\n", m.limit,
		      (double)g.goodput_bps / 1e6, (unsigned long long)m.max_in_flight, (unsigned long long)none.max_in_flight, m.startup_end_ms,
		      none.startup_end_ms);
	assert_true(m.marked > 0);
	assert_true(m.startup_end_ms <= none.startup_end_ms);
	assert_true(m.max_in_flight < none.max_in_flight);
	assert_int_equal(g.queue_drops, 0);
	assert_true(g.goodput_bps * 100 > LINK_PAYLOAD(c.rate_bps) * 85);
}

/* Everything is marked for half a second, twelve round trips: 30 % less after each, from 137 (twice the product of 67, and 3 for ACKs in
 * lumps) to 95, 66, 46, 32, 22. There it ends: more than 22 rounds have passed since the last probe, and after as many as there are
 * segments in flight, of 63 at most, the draft probes again (BBRIsRenoCoexistenceProbeTime); REFILL forgets it. */
static void bbr_gives_way_to_marks(void **state)
{
	struct marker m = { .from_ns = SEC * 3 / 2, .to_ns = 2 * SEC };
	struct grid_cell c = marked_cell(&m, 14 * SEC);
	struct grid_run g;

	assert_true(grid_run(&c, 1, &g));
	assert_true(m.marked > 20);
	assert_in_range(m.cwnd_before, 2 * 66, 2 * 68 + 3);
	for (int round = 0; round < 5; round++)
		m.cwnd_before = m.cwnd_before * 70 / 100;
	assert_int_equal(m.min_cwnd_marked, m.cwnd_before);
	assert_int_equal(m.min_cwnd_marked, 22);
	assert_true(g.goodput_bps * 100 > LINK_PAYLOAD(c.rate_bps) * 75);
}

/* ---- what programs see ---- */
static void keep_info(struct grid_run *g, unsigned flow, struct sock *sk, const struct tcp_info_full *ti)
{
	socklen_t len = 64;
	uint32_t info[16] = { 0 };

	if (sk->state == TCP_ESTABLISHED && sk->net->now_ns > 2 * SEC) {
		assert_int_equal(tcp_getsockopt(sk, IPPROTO_TCP, 26 /* TCP_CC_INFO */, info, &len), 0);
		assert_int_equal(len, 20); /* struct tcp_bbr_info */
		memcpy(g->c->arg, info, 20);
	}
}

static void bbr_tells_tcp_cc_info(void **state)
{
	uint32_t info[5] = { 0 };
	struct trip t;
	struct grid_cell c = cell(0, 20, 80, 3 * SEC, &t);
	struct grid_run g;

	c.sample = keep_info;
	c.arg = info;
	assert_true(grid_run(&c, 1, &g));
	assert_int_equal(info[1], 0);
	assert_in_range(info[0], 9000000, 10500000); /* octets per second */
	assert_in_range(info[2], 20000, 21000);
	assert_in_range(info[3], 230, 710);
	assert_in_range(info[4], 128, 576);
}

static void collect(void *arg, int fd, const char *s, size_t len) { sb_add(arg, s, len); }

/* What a line in the background says comes later, when its buffer is gone. */
static void nowhere(void *arg, int fd, const char *s, size_t len) {}

static void run_line(struct lab *lab, const char *node, const char *line, const char *want)
{
	struct strbuf sb;
	int rc;

	sb_init(&sb);
	rc = lab_command(lab_find(lab, node), line, strchr(line, '&') ? nowhere : collect, &sb);
	if (rc || (want && !strstr(sb_str(&sb), want)))
		fail_msg("%s: %d, no '%s' in: %s", line, rc, want ? want : "", sb_str(&sb));
	sb_free(&sb);
}

static void bbr_is_chosen_by_sysctl_route_and_socket(void **state)
{
	static const char text[] = "name: x\ntopology:\n  nodes:\n    a: {}\n    b: {}\n  links:\n    - type: veth\n      endpoints:\n"
				   "        - {node: a, interface: eth1, ipv4: 10.0.0.1/24}\n        - {node: b, interface: eth1, ipv4: 10.0.0.2/24}\n"
				   "      vars: {tc: {delay: 10ms, rate: 20Mbit}}\n";
	struct lab_opts opts = { .seed = 1, .has_seed = true };
	struct lab_source src = { .base = strdup(".") };
	enum lab_err err;
	struct yerr e;
	struct lab *lab;

	topo_init(&src.topo, "x");
	assert_int_equal(labfile_parse(&src.topo, "x", text, strlen(text), &e), 0);
	lab = lab_new(&src, &opts, &err, &e);
	run_line(lab, "a", "sysctl net.ipv4.tcp_available_congestion_control", "reno cubic bbr");
	run_line(lab, "b", "iperf -s &", NULL);
	run_line(lab, "a", "iperf -c 10.0.0.2 -t 2 -C bbr &", NULL);
	lab_wait(lab, SEC);
	run_line(lab, "a", "ss -tin", " bbr ");
	run_line(lab, "a", "ss -tin", " bbr:(bw:");
	lab_wait(lab, 5 * SEC);
	run_line(lab, "a", "sysctl -w net.ipv4.tcp_congestion_control=bbr", "bbr");
	run_line(lab, "a", "iperf -c 10.0.0.2 -t 2 &", NULL);
	lab_wait(lab, SEC);
	run_line(lab, "a", "ss -tin", " bbr:(bw:");
	lab_wait(lab, 5 * SEC);
	run_line(lab, "a", "sysctl -w net.ipv4.tcp_congestion_control=cubic", "cubic");
	run_line(lab, "a", "ip route add 10.0.0.2/32 dev eth1 congctl bbr", NULL);
	run_line(lab, "a", "iperf -c 10.0.0.2 -t 2 &", NULL);
	lab_wait(lab, SEC);
	run_line(lab, "a", "ss -tin", " bbr:(bw:");
	lab_free(lab);
	lab_source_close(&src);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bbr_startup_fills_drain_empties),
		cmocka_unit_test(bbr_cycles_through_the_probes),
		cmocka_unit_test(bbr_looks_for_the_shortest_round_trip_every_5_s),
		cmocka_unit_test(bbr_losses_bound_inflight),
		cmocka_unit_test(bbr_moves_every_octet_under_loss),
		cmocka_unit_test(bbr_fills_the_pipe_in_spite_of_chance_losses),
		cmocka_unit_test(bbr_bears_losses_up_to_its_threshold),
		cmocka_unit_test(bbr_obeys_marks),
		cmocka_unit_test(bbr_gives_way_to_marks),
		cmocka_unit_test(bbr_tells_tcp_cc_info),
		cmocka_unit_test(bbr_is_chosen_by_sysctl_route_and_socket),
	};

	full = argc > 1 && !strcmp(argv[1], "--full");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
