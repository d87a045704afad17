/* The metrics cache: its table (bounds, reclaiming, age), and that each host has its own. What it keeps and how connections use it is
 * compared with a kernel's in tests/packet/metrics. */
#include "test_hosts.h"
#include <errno.h>
#include <netinet/in.h>
#include "ipv4/route.h"
#include "tcp/tcp_int.h"
#include "tcp/tcp_metrics.h"

static struct sock *some_sock(struct net *net)
{
	struct sock *sk = sk_alloc(net, AF_INET, SOCK_STREAM, IPPROTO_TCP, &net->tcp->prot);
	struct flowi4 fl = { .daddr = 0x0a000202 };
	struct rtable *rt;
	int err;

	assert_non_null(sk);
	assert_int_equal(tcp_init_sock(sk), 0);
	rt = __ip_route_output_key(net, &fl, &err);
	assert_non_null(rt);
	sk->dst_cache = &rt->dst;
	inet_sk(sk)->saddr = 0x0a000101;
	return sk;
}

static void drop_sock(struct sock *sk)
{
	inet_sk(sk)->daddr = inet_sk(sk)->saddr = 0;
	sk->prot->destroy(sk);
	sock_put(sk);
}

/* A flood of peers: the table stays as large as it may be, and what it gives up is the oldest of a chain. */
static void tcpm_bounded(void **state)
{
	struct hosts *h = hosts_new(2);
	struct net *net = h->net[1];
	struct sock *sk = some_sock(net);
	uint32_t alive = 0;

	for (uint32_t i = 0; i < 300000; i++) {
		inet_sk(sk)->daddr = 0x0b000000 + i;
		net->now_ns += 1000;
		assert_non_null(tcp_metrics_get(sk, true));
		if (i < 8000)
			assert_int_equal(net->tcp->metrics_count, i + 1); /* while it may grow nobody is given up */
	}
	assert_in_range(net->tcp->metrics_count, 16384 * 5, 16384 * 6);
	assert_int_equal(net->tcp->metrics_size, 16384);
	for (uint32_t i = 0; i < 300000; i++)
		alive += tcp_metrics_find(net, 0x0a000101, 0x0b000000 + i) != NULL;
	assert_int_equal(alive, net->tcp->metrics_count);
	assert_non_null(tcp_metrics_find(net, 0x0a000101, 0x0b000000 + 299999));
	assert_null(tcp_metrics_find(net, 0x0a000101, 0x0b000000));
	assert_null(tcp_metrics_find(net, 0x0a000102, 0x0b000000 + 299999)); /* another address of ours is another pair */
	assert_null(h->net[2]->tcp->metrics_slots);
	tcp_metrics_flush(net);
	assert_int_equal(net->tcp->metrics_count, 0);
	assert_null(tcp_metrics_find(net, 0x0a000101, 0x0b000000 + 299999));
	drop_sock(sk);
	hosts_free(h);
}

/* Not updated for an hour: it begins anew from the route at the next use; Fast Open's cookie stays. */
static void tcpm_old_is_refreshed(void **state)
{
	struct hosts *h = hosts_new(2);
	struct net *net = h->net[1];
	struct tcp_metrics_block *tm;
	struct sock *sk;

	hosts_must(h, 1, "ip route add 10.0.2.0/24 via 10.0.1.1 rtt 40ms ssthresh lock 9");
	sk = some_sock(net);
	inet_sk(sk)->daddr = 0x0a000202;
	tm = tcp_metrics_get(sk, true);
	assert_int_equal(tm->vals[TCP_METRIC_RTT], 40000 * 8);
	assert_int_equal(tm->vals[TCP_METRIC_SSTHRESH], 9);
	assert_int_equal(tm->lock, 1u << TCP_METRIC_SSTHRESH);
	assert_true(tcp_peer_is_proven(net, 0x0a000101, 0x0a000202));
	tm->vals[TCP_METRIC_RTT] = 8000;
	tm->fo_cookie.len = 8;
	net->now_ns += 3600 * SEC;
	assert_int_equal(tcp_metrics_get(sk, false)->vals[TCP_METRIC_RTT], 8000);
	net->now_ns += SEC;
	assert_int_equal(tcp_metrics_get(sk, false)->vals[TCP_METRIC_RTT], 40000 * 8);
	assert_int_equal(tm->fo_cookie.len, 8);
	drop_sock(sk);
	hosts_free(h);
}

static void tcpm_delete_by_peer(void **state)
{
	struct hosts *h = hosts_new(2);
	struct net *net = h->net[1];
	struct sock *sk = some_sock(net);

	for (uint32_t i = 0; i < 3; i++) {
		inet_sk(sk)->saddr = 0x0a000101 + i;
		inet_sk(sk)->daddr = 0x0a000202;
		tcp_metrics_get(sk, true);
	}
	assert_int_equal(tcp_metrics_delete(net, 0x0a000102, 0x0a000202), 1);
	assert_int_equal(tcp_metrics_delete(net, 0x0a000102, 0x0a000202), 0);
	assert_int_equal(tcp_metrics_delete(net, 0, 0x0a000202), 2);
	assert_int_equal(net->tcp->metrics_count, 0);
	drop_sock(sk);
	hosts_free(h);
}

/* More than the route's 32 bits of eighths of a millisecond hold: as much as they hold. */
static void tcpm_route_says_very_long(void **state)
{
	struct hosts *h = hosts_new(2);
	struct sock *sk;

	hosts_must(h, 1, "ip route add 10.0.2.0/24 via 10.0.1.1 rtt 536871s rttvar 1s");
	sk = some_sock(h->net[1]);
	inet_sk(sk)->daddr = 0x0a000202;
	assert_int_equal(tcp_metrics_get(sk, true)->vals[TCP_METRIC_RTT], UINT32_MAX);
	assert_int_equal(tcp_metrics_get(sk, true)->vals[TCP_METRIC_RTTVAR], 4000000);
	drop_sock(sk);
	hosts_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcpm_bounded),
		cmocka_unit_test(tcpm_old_is_refreshed),
		cmocka_unit_test(tcpm_delete_by_peer),
		cmocka_unit_test(tcpm_route_says_very_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
