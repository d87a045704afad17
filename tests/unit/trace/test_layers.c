/* The table of layers: sorted, agreeing with the two models, and right for the articles' names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "trace/trace.h"

static void layer_rows_are_sorted_and_unique(void **state)
{
	size_t n;
	const struct trace_layer_row *rows = trace_layer_rows(&n);

	for (size_t i = 1; i < n; i++)
		assert_true(strcmp(rows[i - 1].prefix, rows[i].prefix) < 0);
}

/* S3-05: 7 to 5 application, 4 transport, 3 network, 2 and 1 link. */
static void s3_05_osi_and_tcpip_agree_in_every_row(void **state)
{
	static const char *const tcpip[8] = { "none",	 "link",	"link",	       "network",
					      "transport", "application", "application", "application" };
	size_t n;
	const struct trace_layer_row *rows = trace_layer_rows(&n);

	for (size_t i = 0; i < n; i++) {
		assert_in_range(rows[i].osi, 0, 7);
		assert_string_equal(trace_layer_name((enum trace_layer)rows[i].layer), tcpip[rows[i].osi]);
		/* every row is reachable: no shorter row hides it */
		assert_int_equal(trace_layer_of(rows[i].prefix), rows[i].layer);
		assert_int_equal(trace_osi_of(rows[i].prefix), rows[i].osi);
	}
}

static void s3_04_layers_of_the_articles_functions(void **state)
{
	static const struct {
		const char *func;
		enum trace_layer layer;
	} want[] = {
		{ "SyS_sendto", TL_SOCKET }, { "sock_sendmsg", TL_SOCKET }, { "inet_sendmsg", TL_SOCKET },
		{ "inet_stream_connect", TL_SOCKET }, { "__inet_stream_connect", TL_SOCKET },
		{ "inet_csk_accept", TL_TRANSPORT }, { "tcp_v4_connect", TL_TRANSPORT },
		{ "__tcp_transmit_skb", TL_TRANSPORT }, { "udp_rcv", TL_TRANSPORT },
		{ "ip_queue_xmit", TL_NETWORK }, { "raw_sendmsg", TL_NETWORK }, { "ip_rcv", TL_NETWORK },
		{ "icmp_rcv", TL_NETWORK }, { "fib_lookup", TL_NETWORK }, { "nf_hook", TL_NETWORK },
		{ "__mkroute_output", TL_NETWORK }, { "neigh_resolve_output", TL_LINK },
		{ "arp_rcv", TL_LINK }, { "dev_queue_xmit", TL_LINK }, { "__dev_queue_xmit", TL_LINK },
		{ "dev_hard_start_xmit", TL_LINK }, { "loopback_xmit", TL_LINK }, { "netif_rx", TL_LINK },
		{ "__netif_receive_skb_core", TL_LINK }, { "process_backlog", TL_LINK },
		{ "igb_xmit_frame", TL_LINK }, { "____napi_schedule", TL_LINK },
		{ "net_rx_action", TL_LINK }, { "skb_clone", TL_NONE }, { "do_softirq", TL_NONE },
		{ "cable", TL_HW }, { "completely_unknown", TL_NONE }, { "", TL_NONE }, { "zzz", TL_NONE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		if (trace_layer_of(want[i].func) != want[i].layer)
			fail_msg("%s: layer %d, want %d", want[i].func, trace_layer_of(want[i].func),
				 want[i].layer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layer_rows_are_sorted_and_unique),
		cmocka_unit_test(s3_05_osi_and_tcpip_agree_in_every_row),
		cmocka_unit_test(s3_04_layers_of_the_articles_functions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
