/* dev_proc.c: what /proc and sysctl say of the device layer. */
#include <errno.h>
#include "core/procfs.h"
#include "core_fixture.h"
#include "drivers/drivers.h"
#include "sched/sched.h"

static const struct pernet_operations *const rooms[] = { &proc_net_ops, &core_proc_net_ops, &sched_net_ops,
							 &loopback_net_ops };

static char *read_file(struct fx *f, const char *path)
{
	struct strbuf sb;
	char *s;

	sb_init(&sb);
	assert_int_equal(proc_read(f->net, path, &sb), 0);
	s = strdup(sb_str(&sb));
	sb_free(&sb);
	return s;
}

static void one_packet_on_lo(struct fx *f, uint32_t len)
{
	struct sk_buff *s = make_frame(f->net, f->net->loopback_dev, mac_zero, mac_zero, ETH_P_IP, len);

	dev_queue_xmit(s);
	net_run(f->net);
}

static void s2_57_softnet_stat_has_15_columns_and_a_line_per_cpu(void **state)
{
	struct fx *f = fx_new_with(2, (struct cpu_model){ 0, 0 }, rooms, ARRAY_SIZE(rooms));
	char *text;

	(void)state;
	dev_open(f->net->loopback_dev);
	f->net->cpu = 1;
	one_packet_on_lo(f, 98);
	text = read_file(f, "net/softnet_stat");
	assert_string_equal(
		text, "00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 "
		      "00000000 00000000 00000000 00000000 00000000\n"
		      "00000001 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 "
		      "00000000 00000000 00000001 00000000 00000000\n");
	free(text);
	fx_free(f);
}

static void s2_37_net_dev(void **state)
{
	struct fx *f = fx_new_with(1, (struct cpu_model){ 0, 0 }, rooms, ARRAY_SIZE(rooms));
	char *text;

	(void)state;
	dev_open(f->net->loopback_dev);
	one_packet_on_lo(f, 98);
	one_packet_on_lo(f, 98);
	text = read_file(f, "net/dev");
	assert_non_null(strstr(text, " face |bytes    packets errs drop fifo frame compressed multicast|bytes "));
	/* S1-05: 2 packets, 168 bytes each way; nobody takes them here, so both count as dropped too */
	assert_non_null(strstr(text, "    lo:     168       2    0    2    0     0          0         0"
				     "      168       2    0    0    0     0       0          0\n"));
	free(text);
	fx_free(f);
}

static void softirqs_interrupts_and_contexts(void **state)
{
	struct fx *f = fx_new_with(1, (struct cpu_model){ 0, 0 }, rooms, ARRAY_SIZE(rooms));
	char *text;

	(void)state;
	dev_open(f->net->loopback_dev);
	one_packet_on_lo(f, 98);
	text = read_file(f, "softirqs");
	assert_non_null(strstr(text, "   NET_TX:           0\n"));
	assert_non_null(strstr(text, "   NET_RX:           1\n"));
	free(text);
	text = read_file(f, "interrupts");
	assert_non_null(strstr(text, "CPU0"));
	free(text);
	text = read_file(f, "net/softirq_context");
	assert_non_null(strstr(text, "ksoftirqd/0            0           1           0  S\n"));
	free(text);
	text = read_file(f, "net/napi");
	assert_non_null(strstr(text, "backlog/cpu0")); /* S2-67 */
	free(text);
	text = read_file(f, "net/skb");
	assert_non_null(strstr(text, "allocated 1\nconsumed 0\ndropped 1\nlive 0\n"));
	assert_non_null(strstr(text, "drop_UNHANDLED_PROTO 1\n"));
	free(text);
	fx_free(f);
}

static void sysctls_have_linux_defaults_and_bounds(void **state)
{
	static const char *const v[][2] = { { "net.core.netdev_max_backlog", "1000" },
					    { "net.core.netdev_budget", "300" },
					    { "net.core.netdev_budget_usecs", "8000" },
					    { "net.core.dev_weight", "64" },
					    { "net.core.default_qdisc", "pfifo_fast" } };
	struct fx *f = fx_new_with(1, (struct cpu_model){ 0, 0 }, rooms, ARRAY_SIZE(rooms));
	struct strbuf sb;

	(void)state;
	sb_init(&sb);
	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		sb_reset(&sb);
		assert_int_equal(sysctl_get(f->net, v[i][0], &sb), 0);
		assert_string_equal(sb_str(&sb), v[i][1]);
	}
	assert_int_equal(sysctl_set(f->net, "net.core.netdev_max_backlog", "5"), 0);
	assert_int_equal(f->net->netdev_sysctl.max_backlog, 5);
	assert_int_equal(sysctl_set(f->net, "net.core.dev_weight", "0"), -EINVAL);
	assert_int_equal(sysctl_set(f->net, "net.core.default_qdisc", "bfifo"), 0);
	assert_string_equal(f->net->default_qdisc->id, "bfifo");
	assert_int_equal(sysctl_set(f->net, "net.core.default_qdisc", "nosuch"), -ENOENT);
	sb_free(&sb);
	fx_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s2_57_softnet_stat_has_15_columns_and_a_line_per_cpu),
		cmocka_unit_test(s2_37_net_dev),
		cmocka_unit_test(softirqs_interrupts_and_contexts),
		cmocka_unit_test(sysctls_have_linux_defaults_and_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
