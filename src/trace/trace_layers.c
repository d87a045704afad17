/* Which layer a traced function belongs to (S3-03 to S3-05).
 *
 * Decides the layer by the longest prefix of the function's name. The two models side by side: OSI's
 * layers 1 and 2 are TCP/IP's link layer (RFC 1122 1.1.3), 3 is network, 4 transport, 5 to 7 application;
 * the socket layer is counted as OSI's session layer, the application's side of transport. Rows of layer 0
 * lie beside the layers: packets' memory, tasks, timers, softirqs serve them all. Called by trace_jsonl.c,
 * trace_steps.c and readers. A house rule (tools/check-trace) fails when a traced function has no row.
 * Tests: tests/unit/trace/test_layers.c. */
#include <string.h>

#include "trace/trace.h"

/* Sorted by prefix (strcmp order), which the search relies on. */
static const struct trace_layer_row layer_rows[] = {
	{ "SyS_", TL_SOCKET, 5 },
	{ "____napi_", TL_LINK, 2 },
	{ "___neigh_", TL_LINK, 2 },
	{ "__arp_", TL_LINK, 2 },
	{ "__dev_", TL_LINK, 2 },
	{ "__do_softirq", TL_NONE, 0 },
	{ "__fib_", TL_NETWORK, 3 },
	{ "__icmp_", TL_NETWORK, 3 },
	{ "__inet_", TL_SOCKET, 5 },
	{ "__inet_hash", TL_TRANSPORT, 4 },
	{ "__ip_", TL_NETWORK, 3 },
	{ "__ipv4_", TL_NETWORK, 3 },
	{ "__mkroute", TL_NETWORK, 3 },
	{ "__napi_", TL_LINK, 2 },
	{ "__neigh_", TL_LINK, 2 },
	{ "__netif_", TL_LINK, 2 },
	{ "__nf_", TL_NETWORK, 3 },
	{ "__qdisc_", TL_LINK, 2 },
	{ "__raise_softirq", TL_NONE, 0 },
	{ "__sk_", TL_SOCKET, 5 },
	{ "__skb", TL_NONE, 0 },
	{ "__sock_", TL_SOCKET, 5 },
	{ "__sys_", TL_SOCKET, 5 },
	{ "__tcp_", TL_TRANSPORT, 4 },
	{ "__udp", TL_TRANSPORT, 4 },
	{ "__wake_", TL_NONE, 0 },
	{ "__x64_sys_", TL_SOCKET, 5 },
	{ "alloc_skb", TL_NONE, 0 },
	{ "arp_", TL_LINK, 2 },
	{ "bictcp", TL_TRANSPORT, 4 },
	{ "bpf_tcp_", TL_SOCKET, 5 },
	{ "bridge", TL_HW, 2 },
	{ "build_skb", TL_NONE, 0 },
	{ "cable", TL_HW, 1 },
	{ "consume_skb", TL_NONE, 0 },
	{ "cookie_", TL_TRANSPORT, 4 },
	{ "coro_", TL_NONE, 0 },
	{ "count_copy", TL_NONE, 0 },
	{ "cubic", TL_TRANSPORT, 4 },
	{ "dead_xmit", TL_LINK, 2 },
	{ "deliver_ptype", TL_LINK, 2 },
	{ "deliver_skb", TL_LINK, 2 },
	{ "dev_", TL_LINK, 2 },
	{ "devinet_", TL_NETWORK, 3 },
	{ "dma_", TL_LINK, 2 },
	{ "do_IRQ", TL_LINK, 2 },
	{ "do_softirq", TL_NONE, 0 },
	{ "dst_", TL_NETWORK, 3 },
	{ "e1000", TL_LINK, 2 },
	{ "early_drop", TL_NETWORK, 3 },
	{ "enqueue_to_backlog", TL_LINK, 2 },
	{ "ep_", TL_SOCKET, 5 },
	{ "epoll_", TL_SOCKET, 5 },
	{ "eth_", TL_LINK, 2 },
	{ "ether_", TL_LINK, 2 },
	{ "extdev_", TL_LINK, 2 },
	{ "fib_", TL_NETWORK, 3 },
	{ "fq_", TL_LINK, 2 },
	{ "gso_", TL_NONE, 0 },
	{ "handle_irq", TL_LINK, 2 },
	{ "htb_", TL_LINK, 2 },
	{ "hub_", TL_HW, 1 },
	{ "hw_", TL_HW, 1 },
	{ "icmp_", TL_NETWORK, 3 },
	{ "igb", TL_LINK, 2 },
	{ "igb_", TL_LINK, 2 },
	{ "igmp_", TL_NETWORK, 3 },
	{ "igmpv3_", TL_NETWORK, 3 },
	{ "inet_", TL_SOCKET, 5 },
	{ "inet_add_addr", TL_NETWORK, 3 },
	{ "inet_addr", TL_NETWORK, 3 },
	{ "inet_csk_", TL_TRANSPORT, 4 },
	{ "inet_del_addr", TL_NETWORK, 3 },
	{ "inet_gro_", TL_NETWORK, 3 },
	{ "inet_hash", TL_TRANSPORT, 4 },
	{ "inet_insert_ifa", TL_NETWORK, 3 },
	{ "inet_reqsk", TL_TRANSPORT, 4 },
	{ "inet_rtm", TL_NETWORK, 3 },
	{ "inet_twsk", TL_TRANSPORT, 4 },
	{ "inetdev_", TL_NETWORK, 3 },
	{ "ip4_", TL_NETWORK, 3 },
	{ "ip_", TL_NETWORK, 3 },
	{ "ipt_", TL_NETWORK, 3 },
	{ "ipv4_", TL_NETWORK, 3 },
	{ "irq_", TL_LINK, 2 },
	{ "kfree_skb", TL_NONE, 0 },
	{ "ksoftirqd", TL_NONE, 0 },
	{ "loopback_", TL_LINK, 2 },
	{ "martian_", TL_NETWORK, 3 },
	{ "napi_", TL_LINK, 2 },
	{ "neigh_", TL_LINK, 2 },
	{ "net_", TL_NONE, 0 },
	{ "net_dev", TL_LINK, 2 },
	{ "net_dev_init", TL_LINK, 2 },
	{ "net_raise_irq", TL_LINK, 2 },
	{ "net_rx_action", TL_LINK, 2 },
	{ "net_tx_action", TL_LINK, 2 },
	{ "netdev_", TL_LINK, 2 },
	{ "netem_", TL_LINK, 2 },
	{ "netif_", TL_LINK, 2 },
	{ "netlink_", TL_SOCKET, 5 },
	{ "nf_", TL_NETWORK, 3 },
	{ "nf_hook", TL_NETWORK, 3 },
	{ "nic_", TL_HW, 2 },
	{ "nic_reg", TL_HW, 2 },
	{ "noop_", TL_LINK, 2 },
	{ "noqueue_", TL_LINK, 2 },
	{ "packet_", TL_LINK, 2 },
	{ "pfifo_", TL_LINK, 2 },
	{ "phy", TL_HW, 1 },
	{ "ping_", TL_NETWORK, 3 },
	{ "pipe_", TL_SOCKET, 5 },
	{ "process_backlog", TL_LINK, 2 },
	{ "qdisc_", TL_LINK, 2 },
	{ "raise_softirq", TL_NONE, 0 },
	{ "raw_", TL_NETWORK, 3 },
	{ "register_netdev", TL_LINK, 2 },
	{ "reject_tg", TL_NETWORK, 3 },
	{ "reqsk_", TL_TRANSPORT, 4 },
	{ "request_irq", TL_LINK, 2 },
	{ "rt_", TL_NETWORK, 3 },
	{ "rtnetlink_", TL_SOCKET, 5 },
	{ "rtnl_", TL_SOCKET, 5 },
	{ "rx_", TL_HW, 2 },
	{ "sch_", TL_LINK, 2 },
	{ "schedule", TL_NONE, 0 },
	{ "sk_", TL_SOCKET, 5 },
	{ "skb_", TL_NONE, 0 },
	{ "sock_", TL_SOCKET, 5 },
	{ "sock_diag_", TL_SOCKET, 5 },
	{ "softirq_", TL_NONE, 0 },
	{ "softnet_", TL_LINK, 2 },
	{ "stp_", TL_HW, 2 },
	{ "strace_", TL_SOCKET, 5 },
	{ "sw_", TL_HW, 2 },
	{ "switch", TL_HW, 2 },
	{ "sys_", TL_SOCKET, 5 },
	{ "tap_", TL_LINK, 2 },
	{ "task_", TL_NONE, 0 },
	{ "tbf_", TL_LINK, 2 },
	{ "tcp4_", TL_TRANSPORT, 4 },
	{ "tcp_", TL_TRANSPORT, 4 },
	{ "timer_", TL_NONE, 0 },
	{ "tpacket_", TL_LINK, 2 },
	{ "trace_input", TL_NETWORK, 3 },
	{ "trace_lookup", TL_NETWORK, 3 },
	{ "trace_result", TL_NETWORK, 3 },
	{ "tun_", TL_LINK, 2 },
	{ "tx_", TL_HW, 2 },
	{ "udp_", TL_TRANSPORT, 4 },
	{ "unix_", TL_SOCKET, 5 },
	{ "unregister_netdev", TL_LINK, 2 },
	{ "validate_xmit", TL_LINK, 2 },
	{ "veth_", TL_LINK, 2 },
	{ "vfs_", TL_SOCKET, 5 },
	{ "wake_", TL_NONE, 0 },
	{ "wakeup_softirqd", TL_NONE, 0 },
	{ "wire", TL_HW, 1 },
	{ "xmit_one", TL_LINK, 2 },
	{ "xt_", TL_NETWORK, 3 },
};

const struct trace_layer_row *trace_layer_rows(size_t *n)
{
	*n = ARRAY_SIZE(layer_rows);
	return layer_rows;
}

/* The row of the longest prefix of func, NULL if none. */
static const struct trace_layer_row *layer_row(const char *func)
{
	size_t lo = 0, hi = ARRAY_SIZE(layer_rows);

	/* lo becomes the first row behind func; every prefix of func sorts before it, and the longer
	 * a prefix, the closer. */
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(layer_rows[mid].prefix, func) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	while (lo-- > 0 && layer_rows[lo].prefix[0] == func[0])
		if (strncmp(layer_rows[lo].prefix, func, strlen(layer_rows[lo].prefix)) == 0)
			return &layer_rows[lo];
	return NULL;
}

enum trace_layer trace_layer_of(const char *func)
{
	const struct trace_layer_row *row = layer_row(func);

	return row ? (enum trace_layer)row->layer : TL_NONE;
}

unsigned trace_osi_of(const char *func)
{
	const struct trace_layer_row *row = layer_row(func);

	return row ? row->osi : 0;
}

const char *trace_layer_name(enum trace_layer l)
{
	switch (l) {
	case TL_HW:
	case TL_LINK:
		return "link";
	case TL_NETWORK:
		return "network";
	case TL_TRANSPORT:
		return "transport";
	case TL_SOCKET:
	case TL_APP:
		return "application";
	case TL_NONE:
		break;
	}
	return "none";
}
