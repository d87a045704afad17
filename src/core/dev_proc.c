/* /proc and sysctl of the device layer: what core counts, as Linux prints it.
 *
 * Decides nothing: text from live state at each read. Called through /proc (procfs.h); registered
 * after it. Formats: proc(5), and softnet_stat's 15 columns. Tests:
 * tests/unit/core/test_dev_proc.c. */
#include <errno.h>
#include <stdio.h>
#include "base/strbuf.h"
#include "core/net_int.h"
#include "core/procfs.h"

#define ULL(x) ((unsigned long long)(x))

static void show_dev(struct strbuf *out, struct net_device *dev)
{
	struct rtnl_link_stats64_ s;

	dev_get_stats(dev, &s);
	sb_printf(out, "%6s: %7llu %7llu %4llu %4llu %4llu %5llu %10llu %9llu", dev->name,
		  ULL(s.rx_bytes), ULL(s.rx_packets), ULL(s.rx_errors),
		  ULL(s.rx_dropped + s.rx_missed_errors), ULL(s.rx_fifo_errors),
		  ULL(s.rx_length_errors + s.rx_over_errors + s.rx_crc_errors + s.rx_frame_errors),
		  0ULL, ULL(s.multicast));
	sb_printf(out, " %8llu %7llu %4llu %4llu %4llu %5llu %7llu %10llu\n", ULL(s.tx_bytes),
		  ULL(s.tx_packets), ULL(s.tx_errors), ULL(s.tx_dropped), ULL(s.tx_fifo_errors),
		  ULL(s.collisions),
		  ULL(s.tx_carrier_errors + s.tx_aborted_errors + s.tx_window_errors +
		      s.tx_heartbeat_errors),
		  0ULL);
}

static void proc_net_dev(struct net *net, struct strbuf *out)
{
	struct net_device *dev;

	sb_puts(out,
		"Inter-|   Receive                                                |  Transmit\n"
		" face |bytes    packets errs drop fifo frame compressed multicast|"
		"bytes    packets errs drop fifo colls carrier compressed\n");
	list_for_each_entry(dev, &net->dev_base, node)
		show_dev(out, dev);
}

static void proc_softnet_stat(struct net *net, struct strbuf *out)
{
	for (uint32_t c = 0; c < net->nr_cpus; c++) {
		const struct softnet_data *sd = &net->softnet[c];
		uint32_t in = sd->input_pkt_queue.qlen, pr = sd->process_queue.qlen;

		sb_printf(out,
			  "%08x %08x %08x %08x %08x %08x %08x %08x "
			  "%08x %08x %08x %08x %08x %08x %08x\n",
			  (uint32_t)sd->processed, (uint32_t)sd->dropped,
			  (uint32_t)sd->time_squeeze, 0u, 0u, 0u, 0u, 0u, 0u /* cpu_collision */,
			  (uint32_t)sd->received_rps, (uint32_t)sd->flow_limit_count, in + pr, c,
			  in, pr);
	}
}

static void proc_softirqs(struct net *net, struct strbuf *out)
{
	sb_puts(out, "          ");
	for (uint32_t c = 0; c < net->nr_cpus; c++)
		sb_printf(out, "       CPU%-2u", c);
	sb_putc(out, '\n');
	for (unsigned nr = 0; nr < NR_SOFTIRQS; nr++) {
		sb_printf(out, "%9s:", softirq_name(nr));
		for (uint32_t c = 0; c < net->nr_cpus; c++)
			sb_printf(out, " %11llu", ULL(net->softnet[c].softirqs[nr]));
		sb_putc(out, '\n');
	}
}

/* culver's own: who ran the rounds (S2-11, S3-138). */
static void proc_softirq_context(struct net *net, struct strbuf *out)
{
	sb_puts(out, "thread          irq_exit   bh_enable   ksoftirqd  state\n");
	for (uint32_t c = 0; c < net->nr_cpus; c++) {
		const struct softnet_data *sd = &net->softnet[c];

		sb_printf(out, "ksoftirqd/%-2u %11llu %11llu %11llu  %s\n", c,
			  ULL(sd->run_irq_exit), ULL(sd->run_bh_enable), ULL(sd->run_ksoftirqd),
			  sd->ksoftirqd_running ? "R" : "S");
	}
}

/* culver's own: NAPI instances, which are on a poll list now, and what GRO did: packets that it holds, that were merged
 * into others, and that are made of several. */
static void proc_napi(struct net *net, struct strbuf *out)
{
	struct napi_struct *n;
	char name[48];

	sb_puts(out, "name                    cpu weight       polls        work scheduled held      merged      trains\n");
	list_for_each_entry(n, &net->napi_list, node) {
		snprintf(name, sizeof(name), "%s%s%s", n->dev ? n->dev->name : "",
			 n->dev ? "-" : "", n->name);
		sb_printf(out, "%-24s %2u %6d %11llu %11llu %d %12u %11llu %11llu\n", name, n->cpu, n->weight,
			  ULL(n->polls), ULL(n->work), n->scheduled, n->gro.qlen, ULL(n->gro_merged),
			  ULL(n->gro_trains));
	}
}

/* culver's own: lives and copies of packets, and the DMA gauge. */
static void proc_skb(struct net *net, struct strbuf *out)
{
	const struct skb_mib *m = &net->skb_mib;

	sb_printf(out,
		  "allocated %llu\nconsumed %llu\ndropped %llu\nlive %lld\n"
		  "bytes %lld\nclones %llu\n",
		  ULL(m->allocated), ULL(m->consumed), ULL(m->dropped), (long long)m->live,
		  (long long)m->bytes, ULL(m->clones));
	sb_printf(out,
		  "copies %llu\ncopy_bytes %llu\nuser_to_skb_bytes %llu\n"
		  "skb_to_user_bytes %llu\nsums %llu\nsum_bytes %llu\ndma_mapped %u\n",
		  ULL(m->copies), ULL(m->copy_bytes), ULL(m->user_to_skb_bytes),
		  ULL(m->skb_to_user_bytes), ULL(m->sums), ULL(m->sum_bytes), dma_nr_mapped(net));
	for (unsigned r = 0; r < DROP_REASON_MAX; r++)
		if (m->dropped_by[r])
			sb_printf(out, "drop_%s %llu\n", drop_reason_name((enum drop_reason)r),
				  ULL(m->dropped_by[r]));
}

/* ---- sysctls ---- */

static void default_qdisc_get(struct net *net, const struct ctl_table *t, struct strbuf *out)
{
	(void)t;
	sb_puts(out, net->default_qdisc ? net->default_qdisc->id : noqueue_qdisc_ops.id);
}

static int default_qdisc_set(struct net *net, const struct ctl_table *t, const char *text)
{
	const struct Qdisc_ops *ops = qdisc_ops_lookup(net, text);

	(void)t;
	if (!ops || ops == &noop_qdisc_ops)
		return -ENOENT;
	net->default_qdisc = ops;
	return 0;
}

#define MAX_INT 0x7fffffff

static int core_sysctl_init(struct net *net)
{
	__typeof__(net->netdev_sysctl) *s = &net->netdev_sysctl;
	const struct ctl_table t[] = {
		{ .name = "net.core.netdev_max_backlog", .data = &s->max_backlog, .nr = 1, .max = MAX_INT },
		{ .name = "net.core.netdev_budget", .data = &s->budget, .nr = 1, .min = 1, .max = MAX_INT },
		{ .name = "net.core.netdev_budget_usecs", .data = &s->budget_usecs, .nr = 1, .min = 1, .max = MAX_INT },
		{ .name = "net.core.dev_weight", .data = &s->dev_weight, .nr = 1, .min = 1, .max = 65535 },
		{ .name = "net.culver.gro_flush_timeout", .data = &s->gro_flush_timeout, .nr = 1, .max = MAX_INT },
		{ .name = "net.culver.napi_defer_hard_irqs", .data = &s->napi_defer_hard_irqs, .nr = 1, .max = MAX_INT },
		{ .name = "net.core.default_qdisc",
		  .get = default_qdisc_get,
		  .set = default_qdisc_set },
	};

	return register_sysctl(net, t, ARRAY_SIZE(t));
}

static int core_proc_init(struct net *net)
{
	static const struct {
		const char *path;
		void (*show)(struct net *net, struct strbuf *out);
	} files[] = {
		{ "net/dev", proc_net_dev },
		{ "net/softnet_stat", proc_softnet_stat },
		{ "net/softirq_context", proc_softirq_context },
		{ "net/napi", proc_napi },
		{ "net/skb", proc_skb },
		{ "interrupts", irq_show },
		{ "softirqs", proc_softirqs },
	};
	int err = core_sysctl_init(net);

	for (size_t i = 0; i < ARRAY_SIZE(files) && !err; i++)
		err = proc_create_single(net, files[i].path, files[i].show);
	return err;
}

const struct pernet_operations core_proc_net_ops = { "core_proc", core_proc_init, NULL };
