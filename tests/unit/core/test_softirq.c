/* softirq.c, napi.c, process_backlog: when put-off work runs, and the CPU model. */
#include "core_fixture.h"

static unsigned tasklet_runs, tasklet_again;
static void tasklet(struct softnet_data *sd)
{
	tasklet_runs++;
	if (tasklet_again) {
		tasklet_again--;
		raise_softirq(sd->net, TASKLET_SOFTIRQ);
	}
}

static void s2_11_bh_enable_runs_what_is_pending(void **state)
{
	struct fx *f = fx_new();
	struct softnet_data *sd = &f->net->softnet[0];

	(void)state;
	tasklet_runs = tasklet_again = 0;
	open_softirq(f->net, TASKLET_SOFTIRQ, tasklet);
	local_bh_disable(f->net);
	local_bh_disable(f->net);
	raise_softirq(f->net, TASKLET_SOFTIRQ);
	assert_int_equal(f->kicks, 0); /* somebody will look */
	local_bh_enable(f->net);
	assert_int_equal(tasklet_runs, 0);
	local_bh_enable(f->net);
	assert_int_equal(tasklet_runs, 1);
	assert_int_equal(sd->run_bh_enable, 1);
	assert_int_equal(sd->run_irq_exit + sd->run_ksoftirqd, 0);
	assert_int_equal(sd->softirqs[TASKLET_SOFTIRQ], 1);
	raise_softirq(f->net, TASKLET_SOFTIRQ); /* outside: the owner is told */
	assert_int_equal(f->kicks, 1);
	assert_int_equal(net_next_deadline(f->net), f->net->now_ns);
	net_run(f->net);
	assert_int_equal(tasklet_runs, 2);
	assert_int_equal(sd->run_irq_exit, 1);
	fx_free(f);
}

static char task_log[8];
static int log_task(struct task *t, int argc, char **argv)
{
	(void)t, (void)argc, (void)argv;
	snprintf(task_log, sizeof(task_log), "%u", tasklet_runs);
	return 0;
}

static void s3_138_ksoftirqd_takes_over_after_ten_rounds(void **state)
{
	struct fx *f = fx_new();
	struct softnet_data *sd = &f->net->softnet[0];
	char *argv[] = { NULL };

	(void)state;
	tasklet_runs = 0;
	tasklet_again = 34;
	open_softirq(f->net, TASKLET_SOFTIRQ, tasklet);
	task_spawn(f->net, "t", log_task, 0, argv, NULL);
	raise_softirq(f->net, TASKLET_SOFTIRQ);
	net_run(f->net);
	assert_int_equal(tasklet_runs, 35);
	assert_int_equal(sd->run_irq_exit, 10);
	assert_int_equal(sd->run_ksoftirqd, 25);
	assert_string_equal(task_log, "10"); /* the task had its turn in between */
	assert_false(sd->ksoftirqd_running);
	/* at a low rate its share is 0 */
	tasklet_again = 9;
	raise_softirq(f->net, TASKLET_SOFTIRQ);
	net_run(f->net);
	assert_int_equal(sd->run_ksoftirqd, 25);
	fx_free(f);
}

static int order[1000];
static int n_order;
struct fake_napi {
	struct napi_struct napi;
	int left, id;
};
static int fake_poll(struct napi_struct *n, int budget)
{
	struct fake_napi *f = container_of(n, struct fake_napi, napi);
	int work = f->left < budget ? f->left : budget;
	TRACE_FN(&n->net->probe, 0);

	f->left -= work;
	order[n_order++] = f->id;
	if (work < budget)
		napi_complete_done(n, work);
	return work;
}

static void s2_64_round_robin_budget_and_time_squeeze(void **state)
{
	struct fx *f = fx_new();
	struct tdev *t = tdev_new(f->net, "eth0");
	struct fake_napi a = { .left = 200, .id = 1 }, b = { .left = 200, .id = 2 };
	struct softnet_data *sd = &f->net->softnet[0];

	(void)state;
	n_order = 0;
	netif_napi_add(t->dev, &a.napi, "rx0", fake_poll, 64, 0);
	netif_napi_add(t->dev, &b.napi, "rx1", fake_poll, 64, 0);
	fx_trace(f);
	assert_true(napi_schedule(&a.napi));
	assert_false(napi_schedule(&a.napi));
	assert_true(napi_schedule(&b.napi));
	net_run(f->net);
	assert_int_equal(n_order, 8);
	for (int i = 0; i < 8; i++)
		assert_int_equal(order[i], i % 2 + 1);
	/* 300 packets were done after the fifth poll */
	assert_int_equal(sd->time_squeeze, 1);
	assert_int_equal(sd->softirqs[NET_RX_SOFTIRQ], 2);
	assert_int_equal(rec_count(&f->rec, TR_ENTER, "net_rx_action"), 2);
	assert_int_equal(rec_count(&f->rec, TR_SOFTIRQ, "poll napi=eth0-rx0 work=64"), 3);
	assert_int_equal(rec_count(&f->rec, TR_SOFTIRQ, "poll napi=eth0-rx0 work=8"), 1);
	assert_int_equal(rec_count(&f->rec, TR_ENTER, "napi_complete_done"), 2);
	assert_int_equal(a.napi.work, 200);
	assert_int_equal(a.napi.polls, 4);
	netif_napi_del(&a.napi);
	netif_napi_del(&b.napi);
	fx_free(f);
}

static void s2_60_67_schedule_links_the_napi_and_raises(void **state)
{
	struct fx *f = fx_new();
	struct tdev *t = tdev_new(f->net, "eth0");
	struct fake_napi a = { .left = 0, .id = 1 };
	struct softnet_data *sd = &f->net->softnet[0];

	(void)state;
	netif_napi_add(t->dev, &a.napi, "rx0", fake_poll, 64, 0);
	assert_true(list_empty(&sd->poll_list));
	assert_int_equal(sd->pending, 0);
	fx_trace(f);
	napi_schedule(&a.napi);
	assert_ptr_equal(list_first_entry(&sd->poll_list, struct napi_struct, poll_list), &a.napi);
	assert_int_equal(sd->pending, 1u << NET_RX_SOFTIRQ);
	rec_assert_order(&f->rec, (const char *const[]){ "napi_schedule", "__napi_schedule", "____napi_schedule",
							 "__raise_softirq_irqoff", NULL });
	netif_napi_del(&a.napi);
	assert_true(list_empty(&sd->poll_list));
	net_run(f->net);
	fx_free(f);
}

/* n frames on the backlog of an UP device, with the softirq held off. */
static void fill_backlog(struct fx *f, struct tdev *t, struct keeper *k, unsigned n)
{
	assert_int_equal(dev_open(t->dev), 0);
	keeper_add(k, f->net, ETH_P_IP);
	local_bh_disable(f->net);
	for (unsigned i = 0; i < n; i++) {
		struct sk_buff *s = make_frame(f->net, t->dev, mac_us, mac_peer, ETH_P_IP, 60);
		s->protocol = eth_type_trans(s, t->dev);
		netif_rx(s);
	}
}

static void s2_71_polls_of_64_64_64_8(void **state)
{
	struct fx *f = fx_new();
	struct tdev *t = tdev_new(f->net, "eth0");
	struct keeper k;
	static const char *const work[] = { "work=64 ", "work=64 ", "work=64 ", "work=8 " };
	size_t at = 0;

	(void)state;
	fill_backlog(f, t, &k, 200);
	fx_trace(f);
	local_bh_enable(f->net);
	assert_int_equal(k.n, 200);
	for (int i = 0; i < 4; i++) {
		long e = rec_find(&f->rec, at, TR_SOFTIRQ, "poll napi=backlog/cpu0");
		assert_true(e >= 0 && strstr(f->rec.ev[e].text, work[i]));
		at = (size_t)e + 1;
	}
	assert_int_equal(rec_count(&f->rec, TR_ENTER, "process_backlog"), 4);
	assert_int_equal(f->net->softnet[0].backlog.work, 200);
	assert_false(f->net->softnet[0].backlog.scheduled);
	keeper_drop(&k, f->net);
	fx_free(f);
}

static struct tdev *more_dev;
static unsigned more_left;
static int more_rcv(struct sk_buff *skb, struct net_device *dev, struct packet_type *pt, struct net_device *orig)
{
	(void)pt, (void)orig;
	if (more_left) {
		struct sk_buff *s = make_frame(dev->net, dev, mac_us, mac_peer, ETH_P_IP, 60);
		more_left--;
		s->protocol = eth_type_trans(s, dev);
		netif_rx(s);
	}
	consume_skb(skb);
	return 0;
}

static void s2_68_arrivals_wait_for_the_next_splice(void **state)
{
	struct fx *f = fx_new();
	struct packet_type pt = { .type = ETH_P_IP, .func = more_rcv };
	struct sk_buff *s;
	long a, b;

	(void)state;
	more_dev = tdev_new(f->net, "eth0");
	dev_open(more_dev->dev);
	dev_add_pack(f->net, &pt);
	more_left = 2;
	local_bh_disable(f->net);
	for (int i = 0; i < 3; i++) {
		s = make_frame(f->net, more_dev->dev, mac_us, mac_peer, ETH_P_IP, 60);
		s->protocol = eth_type_trans(s, more_dev->dev);
		netif_rx(s);
	}
	fx_trace(f);
	local_bh_enable(f->net);
	a = rec_find(&f->rec, 0, TR_QUEUE, "splice input_pkt_queue to process_queue n=3");
	b = rec_find(&f->rec, 0, TR_QUEUE, "splice input_pkt_queue to process_queue n=2");
	assert_true(a >= 0 && b > a);
	/* S2-59: napi was on the list all the time: not scheduled again */
	assert_int_equal(rec_count(&f->rec, TR_ENTER, "____napi_schedule"), 0);
	dev_remove_pack(f->net, &pt);
	fx_free(f);
}

static void cpu_model_spreads_a_burst_over_time(void **state)
{
	struct fx *f = fx_new_with(1, (struct cpu_model){ .irq_ns = 0, .packet_ns = 1000 }, NULL, 0);
	struct tdev *t = tdev_new(f->net, "eth0");
	struct softnet_data *sd = &f->net->softnet[0];
	uint64_t t0 = f->net->now_ns;
	struct keeper k;

	(void)state;
	fill_backlog(f, t, &k, 200);
	local_bh_enable(f->net);
	assert_int_equal(k.n, 64); /* one poll, then the CPU is busy for 64 us */
	assert_int_equal(net_next_deadline(f->net), t0 + 64000);
	net_run(f->net);
	assert_int_equal(k.n, 64);
	net_enter(f->net, t0 + 63999);
	net_run(f->net);
	assert_int_equal(k.n, 64);
	net_enter(f->net, t0 + 64000);
	net_run(f->net);
	assert_int_equal(k.n, 128);
	fx_run_until(f, t0 + NSEC_PER_SEC);
	assert_int_equal(k.n, 200);
	assert_int_equal(sd->busy_until_ns, t0 + 200000);
	assert_int_equal(sd->softirqs[NET_RX_SOFTIRQ], 1); /* one action, resumed */
	assert_int_equal(sd->run_bh_enable, 1);
	keeper_drop(&k, f->net);
	fx_free(f);
}

static void cpu_model_is_ignored_in_real_time(void **state)
{
	struct fx *f = fx_new_with(1, (struct cpu_model){ .irq_ns = 5000, .packet_ns = 1000 }, NULL, 0);
	struct tdev *t = tdev_new(f->net, "eth0");
	struct keeper k;

	(void)state;
	f->net->realtime = true;
	fill_backlog(f, t, &k, 200);
	local_bh_enable(f->net);
	assert_int_equal(k.n, 200);
	keeper_drop(&k, f->net);
	fx_free(f);
}

/* A source that never runs dry: each poll does its full weight. */
static void s3_138_flood_goes_to_ksoftirqd_in_virtual_time(void **state)
{
	struct fx *f = fx_new_with(1, (struct cpu_model){ .irq_ns = 0, .packet_ns = 1000 }, NULL, 0);
	struct tdev *t = tdev_new(f->net, "eth0");
	struct fake_napi a = { .left = 1000000, .id = 1 };
	struct softnet_data *sd = &f->net->softnet[0];
	char *argv[] = { NULL };

	(void)state;
	n_order = 0;
	tasklet_runs = 0;
	netif_napi_add(t->dev, &a.napi, "rx0", fake_poll, 64, 0);
	napi_schedule(&a.napi);
	fx_run_until(f, f->net->now_ns + 3 * NSEC_PER_MSEC);
	assert_true(sd->run_irq_exit > 0);
	assert_true(sd->run_ksoftirqd > 0); /* 2 ms are over */
	assert_true(sd->ksoftirqd_running);
	assert_true(sd->time_squeeze > 0);
	task_log[0] = '\0';
	task_spawn(f->net, "t", log_task, 0, argv, NULL);
	fx_run_until(f, f->net->now_ns + NSEC_PER_MSEC);
	assert_string_equal(task_log, "0"); /* a task gets the CPU between two polls */
	a.left = 10;
	fx_run_until(f, f->net->now_ns + NSEC_PER_MSEC);
	assert_false(sd->ksoftirqd_running);
	assert_int_equal(net_next_deadline(f->net), TIME_NEVER);
	netif_napi_del(&a.napi);
	fx_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s2_11_bh_enable_runs_what_is_pending),
		cmocka_unit_test(s3_138_ksoftirqd_takes_over_after_ten_rounds),
		cmocka_unit_test(s2_64_round_robin_budget_and_time_squeeze),
		cmocka_unit_test(s2_60_67_schedule_links_the_napi_and_raises),
		cmocka_unit_test(s2_71_polls_of_64_64_64_8),
		cmocka_unit_test(s2_68_arrivals_wait_for_the_next_splice),
		cmocka_unit_test(cpu_model_spreads_a_burst_over_time),
		cmocka_unit_test(cpu_model_is_ignored_in_real_time),
		cmocka_unit_test(s3_138_flood_goes_to_ksoftirqd_in_virtual_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
