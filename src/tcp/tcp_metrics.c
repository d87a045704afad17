/* What the route says of its connections (ip-route(8): initcwnd, initrwnd, rto_min, quickack, congctl, window, ssthresh,
 * cwnd, features ecn), put into a socket when it is connected or accepted.
 *
 * Called by tcp_xmit.c (SYN), tcp_syn.c (SYN-ACK) and tcp_input.c (established); asks dst_ops->metric.
 * Tests: tests/unit/tcp/test_tcp_info.c. */
#include <linux/rtnetlink.h>
#include "tcp/tcp_int.h"

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

void tcp_init_metrics(struct sock *sk)
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
	v = dst_metric(dst, RTAX_CWND);
	if (v && dst_metric_locked(dst, RTAX_CWND))
		tp->snd_cwnd_clamp = v;
	v = dst_metric(dst, RTAX_SSTHRESH);
	if (v)
		tp->snd_ssthresh = min_u32(v, tp->snd_cwnd_clamp);
	tp->quick_forced = dst_metric(dst, RTAX_QUICKACK) != 0;
	tcp_route_congctl(sk);
}

uint32_t tcp_init_cwnd_(const struct sock *sk)
{
	uint32_t n = dst_metric(sk->dst_cache, RTAX_INITCWND);

	return min_u32(n ? n : TCP_INIT_CWND, tcp_sk(sk)->snd_cwnd_clamp); /* RFC 6928 */
}
