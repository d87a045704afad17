/* The names of other kernels: the chains of the behaviours, from the chains as culver nests them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "trace/trace.h"

/* Outermost first, with everything that may be open at once. */
static const char *const ping_chain[] = {
	"__sys_sendto", "sock_sendmsg", "inet_sendmsg", "raw_sendmsg", "ip_push_pending_frames", "ip_send_skb",
	"ip_local_out", "dst_output", "ip_output", "ip_finish_output", "__ip_finish_output", "ip_finish_output2",
	"neigh_output", "neigh_resolve_output", "dev_queue_xmit", "__dev_queue_xmit", "dev_hard_start_xmit",
	"xmit_one", "loopback_xmit",
};

static const char *const syn_chain[] = {
	"__sys_connect", "inet_stream_connect", "__inet_stream_connect", "tcp_v4_connect", "tcp_connect",
	"tcp_transmit_skb", "__tcp_transmit_skb", "ip_queue_xmit", "__ip_queue_xmit", "ip_local_out", "ip_output",
	"ip_finish_output", "ip_finish_output2", "neigh_output", "dev_queue_xmit", "__dev_queue_xmit",
	"dev_hard_start_xmit", "loopback_xmit",
};

static void check(enum trace_names v, const char *const *in, size_t n, const char *const *want, size_t n_want)
{
	const char *out[32];
	bool hidden[32];
	size_t got = trace_names_stack(v, in, n, out, hidden), k = 0;

	for (size_t i = 0; i < got; i++) {
		if (hidden[i])
			continue; /* --names now keeps these, marked */
		assert_true(k < n_want);
		assert_string_equal(out[i], want[k]);
		k++;
	}
	assert_int_equal(k, n_want);
}

static void s1_16_ping_of_loopback(void **state)
{
	static const char *const v4[] = { "SyS_sendto", "sock_sendmsg", "inet_sendmsg", "raw_sendmsg",
					  "ip_push_pending_frames", "ip_send_skb", "ip_local_out", "ip_output",
					  "ip_finish_output", "ip_finish_output2", "dev_queue_xmit",
					  "__dev_queue_xmit", "dev_hard_start_xmit", "loopback_xmit" };
	static const char *const now[] = { "__sys_sendto", "raw_sendmsg", "ip_push_pending_frames", "ip_output",
					   "ip_finish_output2", "__dev_queue_xmit", "dev_hard_start_xmit",
					   "loopback_xmit" };
	const char *reversed[ARRAY_SIZE(ping_chain)], *out[32];
	size_t n = ARRAY_SIZE(ping_chain);

	check(NAMES_4X, ping_chain, n, v4, ARRAY_SIZE(v4));
	check(NAMES_NOW, ping_chain, n, now, ARRAY_SIZE(now));
	/* a dump is innermost first */
	for (size_t i = 0; i < n; i++)
		reversed[i] = ping_chain[n - 1 - i];
	assert_int_equal(trace_names_stack(NAMES_4X, reversed, n, out, NULL), 14);
	for (size_t i = 0; i < 14; i++)
		assert_string_equal(out[i], v4[13 - i]);
}

static void s1_20_syn_on_loopback(void **state)
{
	static const char *const v4[] = { "SyS_connect", "inet_stream_connect", "__inet_stream_connect",
					  "tcp_v4_connect", "tcp_connect", "__tcp_transmit_skb", "ip_queue_xmit",
					  "ip_local_out", "ip_output", "ip_finish_output", "ip_finish_output2",
					  "dev_queue_xmit", "__dev_queue_xmit", "dev_hard_start_xmit",
					  "loopback_xmit" };
	static const char *const now[] = { "__sys_connect", "inet_stream_connect", "__inet_stream_connect",
					   "tcp_v4_connect", "tcp_connect", "__tcp_transmit_skb",
					   "__ip_queue_xmit", "ip_output", "ip_finish_output2",
					   "__dev_queue_xmit", "dev_hard_start_xmit", "loopback_xmit" };
	const char *plain[ARRAY_SIZE(syn_chain)];
	size_t n = 0;

	check(NAMES_4X, syn_chain, ARRAY_SIZE(syn_chain), v4, ARRAY_SIZE(v4));
	check(NAMES_NOW, syn_chain, ARRAY_SIZE(syn_chain), now, ARRAY_SIZE(now));
	/* the same where culver has no wrapper around __tcp_transmit_skb and __ip_queue_xmit */
	for (size_t i = 0; i < ARRAY_SIZE(syn_chain); i++)
		if (strcmp(syn_chain[i], "tcp_transmit_skb") != 0 && strcmp(syn_chain[i], "__ip_queue_xmit") != 0)
			plain[n++] = syn_chain[i];
	check(NAMES_4X, plain, n, v4, ARRAY_SIZE(v4));
	check(NAMES_NOW, plain, n, now, ARRAY_SIZE(now));
}

static void s2_06_send_as_3_10_names_it(void **state)
{
	static const char *const chain[] = { "__sys_sendto", "sock_sendmsg", "inet_sendmsg", "tcp_sendmsg",
					     "tcp_transmit_skb", "__tcp_transmit_skb", "ip_queue_xmit",
					     "__ip_queue_xmit", "ip_local_out", "dst_output", "ip_output",
					     "ip_finish_output", "neigh_output", "dev_queue_xmit",
					     "__dev_queue_xmit", "dev_hard_start_xmit", "xmit_one",
					     "igb_xmit_frame" };
	static const char *const v3[] = { "sys_sendto", "sock_sendmsg", "inet_sendmsg", "tcp_sendmsg",
					  "tcp_transmit_skb", "ip_queue_xmit", "ip_local_out", "ip_output",
					  "ip_finish_output", "dst_neigh_output", "dev_queue_xmit",
					  "dev_hard_start_xmit", "igb_xmit_frame" };

	check(NAMES_3X, chain, ARRAY_SIZE(chain), v3, ARRAY_SIZE(v3));
}

static void s2_24_route_lookup(void **state)
{
	static const char *const chain[] = { "ip_route_output_ports", "ip_route_output_flow",
					     "__ip_route_output_key", "fib_lookup" };

	check(NAMES_3X, chain, 4, chain, 4);
}

static void s2_34_neighbour_output_was_renamed(void **state)
{
	bool hidden;

	assert_string_equal(trace_name_in(NAMES_3X, "neigh_output", &hidden), "dst_neigh_output");
	assert_false(hidden);
	assert_string_equal(trace_name_in(NAMES_NOW, "neigh_output", &hidden), "neigh_output");
	assert_true(hidden);
}

static void s2_52_s2_56_loopback_receive(void **state)
{
	static const char *const chain[] = { "loopback_xmit", "__netif_rx", "netif_rx_internal",
					     "enqueue_to_backlog", "____napi_schedule" };
	static const char *const v3[] = { "loopback_xmit", "netif_rx", "netif_rx_internal", "enqueue_to_backlog",
					  "____napi_schedule" };
	static const char *const now[] = { "loopback_xmit", "__netif_rx", "netif_rx_internal",
					   "enqueue_to_backlog" };

	check(NAMES_3X, chain, 5, v3, 5);
	check(NAMES_NOW, chain, 5, now, 4);
	check(NAMES_NOW, v3, 5, now, 4); /* whichever of the two culver's driver calls */
}

static void names_parse_and_unknown_functions_stay(void **state)
{
	enum trace_names v;
	bool hidden = true;

	assert_int_equal(trace_names_parse("3.x", &v), 0);
	assert_int_equal(v, NAMES_3X);
	assert_int_equal(trace_names_parse("4.x", &v), 0);
	assert_int_equal(v, NAMES_4X);
	assert_int_equal(trace_names_parse("now", &v), 0);
	assert_int_equal(v, NAMES_NOW);
	assert_int_equal(trace_names_parse("5.x", &v), -EINVAL);
	assert_string_equal(trace_name_in(NAMES_3X, "curl_main", &hidden), "curl_main");
	assert_false(hidden);
	assert_string_equal(trace_name_in(NAMES_4X, "sys_recvfrom", NULL), "SyS_recvfrom");
	assert_string_equal(trace_name_in(NAMES_NOW, "sys_recvfrom", NULL), "__sys_recvfrom");
	assert_string_equal(trace_name_in(NAMES_4X, "sys_no_such_call", NULL), "sys_no_such_call");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s1_16_ping_of_loopback),
		cmocka_unit_test(s1_20_syn_on_loopback),
		cmocka_unit_test(s2_06_send_as_3_10_names_it),
		cmocka_unit_test(s2_24_route_lookup),
		cmocka_unit_test(s2_34_neighbour_output_was_renamed),
		cmocka_unit_test(s2_52_s2_56_loopback_receive),
		cmocka_unit_test(names_parse_and_unknown_functions_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
