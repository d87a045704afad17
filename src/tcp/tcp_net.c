/* A host's TCP: pools, hash tables, sysctls with Linux's defaults, and the secrets behind initial sequence
 * numbers (RFC 6528), timestamp offsets (RFC 7323 5.4) and ephemeral ports (RFC 6056).
 *
 * Called by the assembly (tcp_net_ops), by connect and by the SYN path.
 * Tests: tests/unit/tcp (ISN and port sampling). */
#include <errno.h>
#include <stdlib.h>
#include "core/procfs.h"
#include "tcp/sock_map.h"
#include "tcp/tcp_auth.h"
#include "tcp/tcp_int.h"
#include "tcp/tcp_metrics.h"

static void derive_secret(struct net *net, uint8_t out[16], const char *use)
{
	if (net->owner.random) {
		net->owner.random(net->owner.arg, out, 16);
	} else {
		struct rng r;

		rng_derive(&r, net->seed, net->name, use);
		rng_bytes(&r, out, 16);
	}
}

struct tuple_words {
	uint32_t saddr, daddr;
	uint16_t sport, dport;
};

/* ISN = M + F(four-tuple, secret), M a clock of 64 ns ticks: RFC 6528 3 with Linux's finer clock. */
uint32_t secure_tcp_seq(struct net *net, uint32_t saddr, uint32_t daddr, uint16_t sport, uint16_t dport)
{
	struct tuple_words t = { saddr, daddr, sport, dport };

	return (uint32_t)siphash(net->tcp->isn_secret, &t, sizeof(t)) + (uint32_t)(net->now_ns >> 6);
}

uint32_t secure_tcp_ts_off(struct net *net, uint32_t saddr, uint32_t daddr)
{
	uint32_t t[2] = { saddr, daddr };

	if (net->tcp->sysctl.timestamps != 1)
		return 0;
	return (uint32_t)siphash(net->tcp->ts_secret, t, sizeof(t));
}

uint64_t secure_ipv4_port_ephemeral(struct net *net, uint32_t saddr, uint32_t daddr, uint16_t dport)
{
	struct tuple_words t = { saddr, daddr, 0, dport };

	return siphash(net->tcp->port_secret, &t, sizeof(t));
}

static void sysctl_defaults(struct tcp_sysctl *s)
{
	*s = (struct tcp_sysctl){
		.timestamps = 1, .window_scaling = 1, .sack = 1, .dsack = 1, .ecn = 2, .ecn_fallback = 1, .ecn_option = 2, .ecn_option_beacon = 3,
		.syn_retries = 6, .synack_retries = 5, .syn_linear_timeouts = 4, .retries1 = 3, .retries2 = 15,
		.fin_timeout = 60, .keepalive_time = 7200, .keepalive_probes = 9, .keepalive_intvl = 75,
		.max_syn_backlog = 512, .max_tw_buckets = 262144, .max_orphans = TCP_ORPHANS_MAX_DEFAULT,
		.tw_reuse = 2, .tw_reuse_delay = 1000,
		.rmem = { 4096, 131072, 33554432 }, .wmem = { 4096, 16384, 4194304 },
		.app_win = 31, .adv_win_scale = 1, .reordering = 3,
		.max_reordering = 300, .recovery = 1, .early_retrans = 3, .frto = 2, .slow_start_after_idle = 1, .no_ssthresh_metrics_save = 1,
		.moderate_rcvbuf = 1, .comp_sack_delay_ns = 1000000, .comp_sack_slack_ns = 100000, .comp_sack_nr = 44, .tso_win_divisor = 3, .min_tso_segs = 2, .limit_output_bytes = 4194304,
		.challenge_ack_limit = 0x7fffffff, .invalid_ratelimit = 500, .autocorking = 1, .syncookies = 1,
		.base_mss = 1024, .mtu_probe_floor = 48, .probe_interval = 600, .probe_threshold = 8, .min_snd_mss = 48, .notsent_lowat = -1, .rto_min_us = (int32_t)TCP_RTO_MIN_US,
		.rto_max_ms = 120000, .fastopen = 1, .retrans_collapse = 1, .port_range = { 32768, 60999 },
		.pacing_ss_ratio = 200, .pacing_ca_ratio = 120, .tso_rtt_log = 9, .pingpong_thresh = 1, .min_rtt_wlen = 300, .cubic_hystart = 1,
	};
}

/* As Linux reckons tcp_mem from the machine's memory: here from what packets may take. An skb's buffer may be twice what it
 * is charged with, and other hosts draw on the same pool; when that is empty, no NIC can refill its ring any more. */
static void memory_defaults(struct tcp_sysctl *s, const struct skb_pool *skbs)
{
	uint64_t pages = skb_pool_max(skbs) / 4096 / 6;

	s->mem[1] = (int32_t)min_u64(pages, 0x3fffffff);
	s->mem[0] = s->mem[1] / 4 * 3;
	s->mem[2] = s->mem[0] * 2;
}

static void get_congestion_control(struct net *net, const struct ctl_table *t, struct strbuf *out)
{
	sb_puts(out, net->tcp->ca_default->name);
}
static int set_congestion_control(struct net *net, const struct ctl_table *t, const char *text)
{
	const struct tcp_congestion_ops *ca = tcp_ca_find(text);

	if (!ca)
		return -ENOENT;
	net->tcp->ca_default = ca;
	return 0;
}
static void get_available_cc(struct net *net, const struct ctl_table *t, struct strbuf *out)
{
	sb_puts(out, "reno cubic bbr");
}
/* None: no protocol lies between TCP and the program, and setsockopt(TCP_ULP) finds none. */
static void get_available_ulp(struct net *net, const struct ctl_table *t, struct strbuf *out) { sb_puts(out, ""); }
static void get_ehash_entries(struct net *net, const struct ctl_table *t, struct strbuf *out) { sb_printf(out, "%u", net->tcp->ehash.size); }

/* Ranges and kinds are those of Linux 6.18: tests/kernel/recorded/knobs.txt has what it takes and says. Octets without a
 * bound of their own take 255. */
#define INT(n, field, lo, hi) { .name = "net.ipv4.tcp_" n, .data = &s->field, .min = lo, .max = hi }
#define UINT(n, field, lo, hi) { .name = "net.ipv4.tcp_" n, .data = &s->field, .min = lo, .max = hi, .kind = CTL_UINT }
#define OCTET(field) UINT(#field, field, 0, 255)
#define SWITCH(field) UINT(#field, field, 0, 1)
#define INT3(n, field) { .name = "net.ipv4.tcp_" n, .data = s->field, .nr = 3, .min = 1, .max = ANY }
#define ULONG(n, field) { .name = "net.ipv4.tcp_" n, .wide = &s->field, .kind = CTL_ULONG }
#define ANY 0x7fffffff
#define SECONDS_MAX (ANY / 250) /* in jiffies they are an int */
static int register_handshake_knobs(struct net *net)
{
	struct tcp_sysctl *s = &net->tcp->sysctl;
	const struct ctl_table t[] = {
		OCTET(timestamps), OCTET(window_scaling), OCTET(sack), OCTET(dsack), OCTET(fack),
		UINT("ecn", ecn, 0, 5), SWITCH(ecn_fallback), UINT("ecn_option", ecn_option, 0, 3),
		UINT("ecn_option_beacon", ecn_option_beacon, 0, 3),
		UINT("syn_retries", syn_retries, 1, 127), OCTET(synack_retries), UINT("syn_linear_timeouts", syn_linear_timeouts, 0, 127),
		OCTET(retries1), OCTET(retries2), OCTET(orphan_retries),
		INT("fin_timeout", fin_timeout, -SECONDS_MAX, SECONDS_MAX), INT("keepalive_time", keepalive_time, -SECONDS_MAX, SECONDS_MAX),
		OCTET(keepalive_probes), INT("keepalive_intvl", keepalive_intvl, -SECONDS_MAX, SECONDS_MAX),
		INT("max_syn_backlog", max_syn_backlog, 0, 0), INT("max_tw_buckets", max_tw_buckets, 0, 0),
		INT("max_orphans", max_orphans, 0, 0), UINT("tw_reuse", tw_reuse, 0, 2), UINT("tw_reuse_delay", tw_reuse_delay, 1, 60000),
		OCTET(rfc1337), OCTET(abort_on_overflow), OCTET(stdurg), OCTET(syncookies), SWITCH(migrate_req), SWITCH(reflect_tos),
		OCTET(fwmark_accept), INT("fastopen", fastopen, 0, 0),
		{ .name = "net.ipv4.tcp_fastopen_blackhole_timeout_sec", .data = &s->fastopen_blackhole_timeout_sec, .max = ANY,
		  .changed = tcp_fastopen_blackhole_changed },
		{ .name = "net.ipv4.tcp_fastopen_key", .get = tcp_fastopen_get_key_sysctl, .set = tcp_fastopen_set_key_sysctl },
		{ .name = "net.ipv4.tcp_congestion_control", .get = get_congestion_control, .set = set_congestion_control, .kind = CTL_LINE },
		{ .name = "net.ipv4.tcp_available_congestion_control", .get = get_available_cc },
		{ .name = "net.ipv4.tcp_allowed_congestion_control", .get = get_available_cc },
		{ .name = "net.ipv4.tcp_available_ulp", .get = get_available_ulp },
		{ .name = "net.ipv4.tcp_ehash_entries", .get = get_ehash_entries },
	};

	return register_sysctl(net, t, ARRAY_SIZE(t));
}

static int register_knobs(struct net *net)
{
	struct tcp_sysctl *s = &net->tcp->sysctl;
	const struct ctl_table t[] = {
		INT3("rmem", rmem), INT3("wmem", wmem), INT3("mem", mem), UINT("app_win", app_win, 0, 31),
		INT("adv_win_scale", adv_win_scale, -31, 31), INT("max_reordering", max_reordering, 1, ANY),
		{ .name = "net.ipv4.tcp_reordering", .data = &s->reordering, .min = 1, .max = ANY, .top = &s->max_reordering },
		OCTET(recovery), UINT("early_retrans", early_retrans, 0, 4), OCTET(frto), OCTET(thin_linear_timeouts),
		OCTET(slow_start_after_idle), OCTET(no_metrics_save), SWITCH(no_ssthresh_metrics_save), OCTET(moderate_rcvbuf), ULONG("comp_sack_delay_ns", comp_sack_delay_ns),
		ULONG("comp_sack_slack_ns", comp_sack_slack_ns), OCTET(comp_sack_nr), SWITCH(shrink_window), OCTET(tso_win_divisor),
		UINT("min_tso_segs", min_tso_segs, 1, 255), OCTET(tso_rtt_log), INT("limit_output_bytes", limit_output_bytes, 0, 0),
		INT("challenge_ack_limit", challenge_ack_limit, 0, 0),
		{ .name = "net.ipv4.tcp_invalid_ratelimit", .data = &s->invalid_ratelimit, .kind = CTL_MSECS },
		SWITCH(autocorking), OCTET(mtu_probing), INT("mtu_probe_floor", mtu_probe_floor, 48, 65535),
		UINT("probe_interval", probe_interval, 0, (int32_t)(UINT32_MAX / 250)), INT("probe_threshold", probe_threshold, 0, 0),
		INT("base_mss", base_mss, 0, 0), INT("min_snd_mss", min_snd_mss, 48, 65535), UINT("notsent_lowat", notsent_lowat, 0, 0),
		UINT("pingpong_thresh", pingpong_thresh, 1, 255), INT("min_rtt_wlen", min_rtt_wlen, 0, 86400),
		OCTET(workaround_signed_windows), INT("rto_min_us", rto_min_us, 1, ANY), INT("rto_max_ms", rto_max_ms, 1000, 120000),
		OCTET(retrans_collapse), INT("pacing_ss_ratio", pacing_ss_ratio, 0, 1000), INT("pacing_ca_ratio", pacing_ca_ratio, 0, 1000),
		{ .name = "net.culver.cubic_hystart", .data = &s->cubic_hystart, .min = 0, .max = 2 },
	};
	int err = register_handshake_knobs(net);

	if (err)
		return err;
	return register_sysctl(net, t, ARRAY_SIZE(t));
}

static int tcp_net_init(struct net *net)
{
	struct tcp_net *tn = xcalloc(1, sizeof(*tn));
	int err;

	net->tcp = tn;
	pool_init(&tn->sock_pool, "TCP", sizeof(struct tcp_sock), 16);
	pool_init(&tn->req_pool, "request_sock_TCP", sizeof(struct tcp_request_sock), 16);
	pool_init(&tn->tw_pool, "tw_sock_TCP", sizeof(struct tcp_timewait_sock), 32);
	pool_init(&tn->sack_pool, "tcp_sackinfo", sizeof(struct tcp_sackinfo), 16);
	pool_init(&tn->rare_pool, "tcp_rare", sizeof(struct tcp_rare), 16);
	pool_init(&tn->flight_pool, "tcp_flight", sizeof(struct tcp_flight), 16);
	pool_init(&tn->accept_pool, "tcp_accept", sizeof(struct tcp_accept), 32);
	pool_init(&tn->accecn_pool, "tcp_accecn", sizeof(struct tcp_accecn), 16);
	pool_init(&tn->stat_pool, "tcp_stat", sizeof(struct tcp_stat), 16);
	pool_init(&tn->saved_syn_pool, "tcp_saved_syn", sizeof(struct tcp_saved_syn), 16);
	pool_init(&tn->zc_pool, "tcp_zc", sizeof(struct tcp_zc), 16);
	pool_init(&tn->auth_pool, "tcp_auth", sizeof(struct tcp_auth), 8);
	pool_init(&tn->md5_key_pool, "tcp_md5_key", sizeof(struct tcp_md5_key), 16);
	pool_init(&tn->ao_key_pool, "tcp_ao_key", sizeof(struct tcp_ao_key), 16);
	pool_init(&tn->ca_pool, "tcp_ca", TCP_CA_PRIV, 16);
	pool_init(&tn->ca_big_pool, "tcp_ca_big", TCP_CA_PRIV_BIG, 16);
	pool_init(&tn->bind_pool, "tcp_bind_bucket", sizeof(struct inet_bind_bucket), 32);
	pool_init(&tn->listener_pool, "tcp_listener", sizeof(struct tcp_listener), 8);
	tcp_hash_init(&tn->ehash);
	tcp_hash_init(&tn->lhash);
	tcp_hash_init(&tn->bhash);
	sysctl_defaults(&tn->sysctl);
	memory_defaults(&tn->sysctl, net->skbs);
	tn->ca_default = &tcp_cubic_ops;
	list_init(&tn->tw_time_wait);
	list_init(&tn->tw_fin_wait2);
	timer_setup(&tn->tw_timer, tcp_tw_timer);
	rng_derive(&tn->rng, net->seed, net->name, "tcp");
	derive_secret(net, tn->isn_secret, "tcp-isn");
	derive_secret(net, tn->ts_secret, "tcp-ts");
	derive_secret(net, tn->port_secret, "tcp-port");
	derive_secret(net, tn->fo_keys.key[0], "tcp-fastopen");
	tn->fo_keys.n = 1;
	derive_secret(net, tn->cookie_secret[0], "tcp-cookie-0");
	derive_secret(net, tn->cookie_secret[1], "tcp-cookie-1");
	tn->ehash_key = rng_u64(&tn->rng);
	tcp_metrics_init(net);
	err = register_knobs(net);
	if (!err)
		err = tcp_metrics_nl_init(net);
	return err ? err : sock_map_net_init(net);
}

/* What is left when the host goes: connections that outlived their programs, requests, TIME-WAIT. */
static void close_one(struct sock *sk)
{
	sock_hold(sk);
	sk->err = ENETDOWN;
	inet_csk_unlink_accept(sk);
	inet_csk_listen_stop(sk);
	tcp_write_queue_purge(sk);
	tcp_ofo_purge(sk, DROP_NET_EXIT);
	skb_queue_purge_reason(&sk->receive_queue, DROP_NET_EXIT);
	tcp_clear_xmit_timers(sk);
	tcp_set_state(sk, TCP_CLOSE);
	if (sock_flag(sk, SOCK_F_DEAD))
		inet_csk_destroy_sock(sk);
	sock_put(sk);
}

static void close_listener(struct sock *sk, void *arg) { close_one(sk); }

static void close_everything(struct net *net)
{
	struct tcp_ehash_node **v;
	size_t n;

	tcp_for_each_listener(net, close_listener, NULL);
	n = tcp_ehash_snapshot(net, &v);
	for (size_t i = 0; i < n; i++) {
		if (v[i]->kind == TCP_EH_SOCK)
			close_one(&container_of(v[i], struct inet_connection_sock, eh)->inet.sk);
		else if (v[i]->kind == TCP_EH_TW)
			tcp_tw_kill(container_of(v[i], struct tcp_timewait_sock, eh));
	}
	free(v);
}

static void tcp_net_exit(struct net *net)
{
	struct tcp_net *tn = net->tcp;

	if (!tn)
		return;
	close_everything(net);
	sock_map_net_exit(net);
	del_timer(&net->wheel, &tn->tw_timer);
	tcp_metrics_exit(net);
	tcp_hash_free(&tn->ehash);
	tcp_hash_free(&tn->lhash);
	tcp_hash_free(&tn->bhash);
	pool_destroy(&tn->sock_pool);
	pool_destroy(&tn->req_pool);
	pool_destroy(&tn->tw_pool);
	pool_destroy(&tn->sack_pool);
	pool_destroy(&tn->rare_pool);
	pool_destroy(&tn->flight_pool);
	pool_destroy(&tn->accept_pool);
	pool_destroy(&tn->stat_pool);
	pool_destroy(&tn->accecn_pool);
	pool_destroy(&tn->saved_syn_pool);
	pool_destroy(&tn->zc_pool);
	pool_destroy(&tn->auth_pool);
	pool_destroy(&tn->md5_key_pool);
	pool_destroy(&tn->ao_key_pool);
	pool_destroy(&tn->ca_pool);
	pool_destroy(&tn->ca_big_pool);
	pool_destroy(&tn->bind_pool);
	pool_destroy(&tn->listener_pool);
	free(tn->perturb);
	free(tn);
	net->tcp = NULL;
}

const struct pernet_operations tcp_net_ops = { .name = "tcp", .init = tcp_net_init, .exit = tcp_net_exit };
