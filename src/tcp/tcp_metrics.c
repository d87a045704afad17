/* What is known before a connection has measured anything: of its route (ip-route(8)), and of its peer from earlier connections
 * (the metrics cache, ip-tcp_metrics(8); RFC 9040 calls it temporal sharing).
 *
 * tcp_route_init(): initcwnd, initrwnd, rto_min, quickack, congctl, window, features ecn: of the route, for every connection.
 * tcp_init_metrics(): ssthresh, reordering, the first RTO, and a locked cwnd: of the peer's entry, which inherits rtt, rttvar, ssthresh, cwnd and
 * reordering of the route when it is made; so these take effect from the second connection on, as they do in Linux.
 * tcp_update_metrics(): a connection is over (TIME-WAIT, or LAST-ACK acknowledged; not a reset one) and leaves what it learned.
 * Called by tcp_xmit.c (SYN), tcp_syn.c (SYN-ACK), tcp_input.c (established, the last ACK), tcp_minisocks.c; asks dst_ops->metric.
 * Sysctls: tcp_no_metrics_save (nothing is left behind), tcp_no_ssthresh_metrics_save (no ssthresh is, or is used).
 * Tests: tests/unit/tcp/test_tcp_metrics.c, tests/packet/metrics, tests/unit/tcp/test_tcp_info.c. */
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include "tcp/tcp_int.h"
#include "tcp/tcp_metrics.h"

#define TCPM_SLOTS_MIN 16u
#define TCPM_SLOTS_MAX 16384u
#define TCPM_RECLAIM_DEPTH 5u
#define TCPM_TIMEOUT_NS (3600 * NSEC_PER_SEC)

/* ---- the route ---- */
/* At the handshake: what the SYN itself needs. */
bool tcp_route_wants_ecn(const struct sock *sk) { return (dst_metric(sk->dst_cache, RTAX_FEATURES) & RTAX_FEATURE_ECN) != 0; }
uint32_t tcp_route_initrwnd(const struct dst_entry *dst) { return dst_metric(dst, RTAX_INITRWND); }
uint32_t tcp_route_window(const struct dst_entry *dst) { return dst_metric(dst, RTAX_WINDOW); }

/* The algorithm that the route names, unless the program chose one. */
void tcp_route_congctl(struct sock *sk)
{
	const struct dst_entry *dst = sk->dst_cache;
	const char *name = dst && dst->ops->congctl ? dst->ops->congctl(dst) : NULL;
	const struct tcp_congestion_ops *ca = name ? tcp_ca_find(name) : NULL;

	if (ca && inet_csk(sk)->ca_ops == tcp_net(sk)->ca_default) {
		tcp_ca_free(sk);
		inet_csk(sk)->ca_ops = ca;
	}
}

void tcp_route_init(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	const struct dst_entry *dst = sk->dst_cache;
	uint32_t v;

	tp->rto_min_us = tp->rare && tp->rare->rto_min_us ? tp->rare->rto_min_us : (uint32_t)tcp_sysctl(sk)->rto_min_us;
	if (!dst || !dst->ops->metric)
		return;
	v = dst_metric(dst, RTAX_RTO_MIN);
	if (v)
		tp->rto_min_us = min_u32(v, 120000) * 1000;
	tp->quick_forced = dst_metric(dst, RTAX_QUICKACK) != 0;
	tcp_route_congctl(sk);
}

uint32_t tcp_init_cwnd_(const struct sock *sk)
{
	uint32_t n = dst_metric(sk->dst_cache, RTAX_INITCWND);

	return min_u32(n ? n : TCP_INIT_CWND, tcp_sk(sk)->snd_cwnd_clamp); /* RFC 6928 */
}

/* ---- the table ---- */
static struct hlist_head *tcpm_slot(const struct tcp_net *tn, uint32_t saddr, uint32_t daddr)
{
	return &tn->metrics_slots[hash_words(tn->ehash_key, saddr, daddr) & (tn->metrics_size - 1)];
}

void tcp_metrics_init(struct net *net)
{
	list_init(&net->tcp->metrics_all);
}

static void tcpm_free(struct tcp_metrics_block *tm)
{
	hlist_del_init(&tm->hash);
	list_del_init(&tm->all);
	free(tm);
}

void tcp_metrics_flush(struct net *net)
{
	struct tcp_metrics_block *tm, *tmp;

	list_for_each_entry_safe(tm, tmp, &net->tcp->metrics_all, all)
		tcpm_free(tm);
	net->tcp->metrics_count = 0;
}

void tcp_metrics_exit(struct net *net)
{
	tcp_metrics_flush(net);
	free(net->tcp->metrics_slots);
}

struct tcp_metrics_block *tcp_metrics_find(const struct net *net, uint32_t saddr, uint32_t daddr)
{
	struct tcp_metrics_block *tm;

	if (!net->tcp->metrics_size)
		return NULL;
	hlist_for_each_entry(tm, tcpm_slot(net->tcp, saddr, daddr), hash) {
		if (tm->daddr == daddr && tm->saddr == saddr)
			return tm;
	}
	return NULL;
}

unsigned tcp_metrics_delete(struct net *net, uint32_t saddr, uint32_t daddr)
{
	struct tcp_metrics_block *tm, *tmp;
	unsigned n = 0;

	list_for_each_entry_safe(tm, tmp, &net->tcp->metrics_all, all) {
		if (tm->daddr != daddr || (saddr && tm->saddr != saddr))
			continue;
		tcpm_free(tm);
		n++;
	}
	net->tcp->metrics_count -= n;
	return n;
}

bool tcp_peer_is_proven(const struct net *net, uint32_t saddr, uint32_t daddr)
{
	const struct tcp_metrics_block *tm = tcp_metrics_find(net, saddr, daddr);

	return tm && tm->vals[TCP_METRIC_RTT];
}

static void tcpm_grow(struct tcp_net *tn)
{
	struct tcp_metrics_block *tm;

	tn->metrics_size = tn->metrics_size ? tn->metrics_size * 2 : TCPM_SLOTS_MIN;
	free(tn->metrics_slots);
	tn->metrics_slots = xcalloc(tn->metrics_size, sizeof(*tn->metrics_slots));
	list_for_each_entry(tm, &tn->metrics_all, all) {
		tm->hash = (struct hlist_node){ 0 };
		hlist_add_head(&tm->hash, tcpm_slot(tn, tm->saddr, tm->daddr));
	}
}

/* Room for one more in this chain: at its full size the table takes the oldest of a long chain's. */
static void tcpm_reclaim(struct tcp_net *tn, struct hlist_head *h)
{
	struct tcp_metrics_block *tm, *oldest = NULL;
	unsigned depth = 0;

	if (tn->metrics_size < TCPM_SLOTS_MAX)
		return;
	hlist_for_each_entry(tm, h, hash) {
		if (!oldest || tm->stamp_ns < oldest->stamp_ns)
			oldest = tm;
		depth++;
	}
	if (depth <= TCPM_RECLAIM_DEPTH)
		return;
	tcpm_free(oldest);
	tn->metrics_count--;
}

/* What the route says: its rtt and rttvar come in milliseconds, times 8 and 4. */
static void tcpm_suck_dst(struct tcp_metrics_block *tm, const struct dst_entry *dst)
{
	static const uint8_t of[TCPM_VALS] = { RTAX_RTT, RTAX_RTTVAR, RTAX_SSTHRESH, RTAX_CWND, RTAX_REORDERING };

	tm->stamp_ns = dst->net->now_ns;
	tm->lock = 0;
	for (unsigned i = 0; i < TCPM_VALS; i++) {
		tm->vals[i] = dst_metric(dst, of[i]);
		if (dst_metric_locked(dst, of[i]))
			tm->lock |= 1u << i;
	}
	tm->vals[TCP_METRIC_RTT] = (uint32_t)min_u64(tm->vals[TCP_METRIC_RTT] * UINT64_C(1000), UINT32_MAX);
	tm->vals[TCP_METRIC_RTTVAR] = (uint32_t)min_u64(tm->vals[TCP_METRIC_RTTVAR] * UINT64_C(1000), UINT32_MAX);
}

struct tcp_metrics_block *tcp_metrics_get(struct sock *sk, bool create)
{
	struct tcp_net *tn = tcp_net(sk);
	const struct dst_entry *dst = sk->dst_cache;
	uint32_t saddr = inet_sk(sk)->saddr, daddr = inet_sk(sk)->daddr;
	struct tcp_metrics_block *tm;

	if (!dst)
		return NULL;
	tm = tcp_metrics_find(sk->net, saddr, daddr);
	if (tm) {
		if (sk->net->now_ns - tm->stamp_ns > TCPM_TIMEOUT_NS)
			tcpm_suck_dst(tm, dst);
		return tm;
	}
	if (!create)
		return NULL;
	if (tn->metrics_count >= tn->metrics_size && tn->metrics_size < TCPM_SLOTS_MAX)
		tcpm_grow(tn);
	tcpm_reclaim(tn, tcpm_slot(tn, saddr, daddr));
	tm = xcalloc(1, sizeof(*tm));
	tm->saddr = saddr;
	tm->daddr = daddr;
	tcpm_suck_dst(tm, dst);
	hlist_add_head(&tm->hash, tcpm_slot(tn, saddr, daddr));
	list_add_tail(&tm->all, &tn->metrics_all);
	tn->metrics_count++;
	return tm;
}

/* ---- a connection begins ---- */
void tcp_init_metrics(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	const struct tcp_metrics_block *tm = tcp_metrics_get(sk, false);
	uint32_t rtt = 0;

	if (tm) {
		uint32_t ssthresh = tcp_sysctl(sk)->no_ssthresh_metrics_save ? 0 : tm->vals[TCP_METRIC_SSTHRESH];

		if (tm->lock & 1u << TCP_METRIC_CWND)
			tp->snd_cwnd_clamp = max_u32(tm->vals[TCP_METRIC_CWND], 1);
		if (ssthresh)
			tp->snd_ssthresh = min_u32(ssthresh, tp->snd_cwnd_clamp);
		if (tm->vals[TCP_METRIC_REORDERING])
			tp->reordering = (uint16_t)min_u32(tm->vals[TCP_METRIC_REORDERING], UINT16_MAX);
		rtt = tm->vals[TCP_METRIC_RTT];
	}
	if (rtt > tp->srtt_us) {
		/* SYN and SYN-ACK are small; data takes as long as it took the last time, until a sample says otherwise */
		rtt >>= 3;
		inet_csk(sk)->rto_us = (uint32_t)min_u64(rtt + max_u64(2 * (uint64_t)rtt, tcp_rto_min_us(sk)), tcp_rto_max_us(sk));
	} else if (!tp->srtt_us) { /* the handshake told nothing, most likely because it was repeated (RFC 6298 5.7) */
		tp->rttvar_us = tp->mdev_us = tp->mdev_max_us = TCP_TIMEOUT_FALLBACK_US;
		inet_csk(sk)->rto_us = TCP_TIMEOUT_FALLBACK_US;
	}
}

/* ---- a connection ends ---- */
static void update_rtt(const struct tcp_sock *tp, struct tcp_metrics_block *tm)
{
	uint32_t old = tm->vals[TCP_METRIC_RTT], *var = &tm->vals[TCP_METRIC_RTTVAR], dev;

	/* a longer round trip counts at once, a shorter one by an eighth: an RTO that is too long costs less */
	if (!(tm->lock & 1u << TCP_METRIC_RTT))
		tm->vals[TCP_METRIC_RTT] = old <= tp->srtt_us ? tp->srtt_us : old - ((old - tp->srtt_us) >> 3);
	if (tm->lock & 1u << TCP_METRIC_RTTVAR)
		return;
	dev = (old <= tp->srtt_us ? tp->srtt_us - old : old - tp->srtt_us) >> 1; /* from eighths to quarters */
	dev = max_u32(dev, tp->mdev_us);
	*var = dev >= *var ? dev : *var - ((*var - dev) >> 2);
}

static void update_windows(const struct sock *sk, struct tcp_metrics_block *tm)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	bool ssthresh = !tcp_sysctl(sk)->no_ssthresh_metrics_save && !(tm->lock & 1u << TCP_METRIC_SSTHRESH);
	bool cwnd = !(tm->lock & 1u << TCP_METRIC_CWND);
	uint32_t *s = &tm->vals[TCP_METRIC_SSTHRESH], *w = &tm->vals[TCP_METRIC_CWND];

	if (tp->snd_ssthresh >= TCP_INFINITE_SSTHRESH) { /* slow start went on to the end: at least so much is possible */
		if (ssthresh && *s && tp->snd_cwnd >> 1 > *s)
			*s = tp->snd_cwnd >> 1;
		if (cwnd && tp->snd_cwnd > *w)
			*w = tp->snd_cwnd;
	} else if (!tcp_in_slow_start(tp) && inet_csk(sk)->ca_state == TCP_CA_Open) { /* congestion avoidance: cwnd means something */
		if (ssthresh)
			*s = max_u32(tp->snd_cwnd >> 1, tp->snd_ssthresh);
		if (cwnd)
			*w = (*w + tp->snd_cwnd) >> 1;
	} else { /* slow start after a loss did not come to its end */
		if (cwnd)
			*w = (*w + tp->snd_ssthresh) >> 1;
		if (ssthresh && *s && tp->snd_ssthresh > *s)
			*s = tp->snd_ssthresh;
		if (!(tm->lock & 1u << TCP_METRIC_REORDERING) && tm->vals[TCP_METRIC_REORDERING] < tp->reordering &&
		    tp->reordering != tcp_sysctl(sk)->reordering)
			tm->vals[TCP_METRIC_REORDERING] = tp->reordering;
	}
}

void tcp_update_metrics(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_metrics_block *tm;
	TRACE_FN(&sk->net->probe, 0);

	if (tcp_sysctl(sk)->no_metrics_save || !sk->dst_cache)
		return;
	if (inet_csk(sk)->backoff || !tp->srtt_us) {
		/* it could not measure the round trip: what was known of it is not to be trusted */
		tm = tcp_metrics_get(sk, false);
		if (tm && !(tm->lock & 1u << TCP_METRIC_RTT))
			tm->vals[TCP_METRIC_RTT] = 0;
		return;
	}
	tm = tcp_metrics_get(sk, true);
	update_rtt(tp, tm);
	update_windows(sk, tm);
	tm->stamp_ns = sk->net->now_ns;
}
