/* The NIC driver's receive side: ring, refill, budget, no memory. */
#include "nicdrv_fixture.h"

static const struct cpu_model no_cost = { 0, 0 };

static void s3_129_ring_wraps_and_is_refilled(void **state)
{
	struct nicdrv_params dp = { .rx_ring = 8 };
	struct pair p;

	(void)state;
	pair_open(&p, no_cost, &dp);
	for (uint32_t i = 0; i < 100; i++) {
		node_send(&p.a, p.b.mac, 60);
		pair_run(&p);
		assert_int_equal(nic_read(p.b.nic, NIC_RDH), (i + 1) % 8);
		assert_int_not_equal(nic_read(p.b.nic, NIC_RDT),
				     nic_read(p.b.nic, NIC_RDH)); /* never empty */
	}
	assert_int_equal(p.b.in.n, 100);
	pair_close(&p);
}

/* 5 us of work for a frame every 0.67 us. */
static void s3_129_a_full_ring_is_counted_as_missed(void **state)
{
	struct rtnl_link_stats64_ st;
	struct pair p;

	(void)state;
	pair_open(&p, (struct cpu_model){ .irq_ns = 1000, .packet_ns = 5000 }, NULL);
	for (int i = 0; i < 900; i++)
		node_send(&p.a, p.b.mac, 60);
	pair_run(&p);
	dev_get_stats(p.b.dev, &st);
	assert_true(st.rx_missed_errors > 100);
	assert_int_equal(p.b.in.n + st.rx_missed_errors, 900);
	assert_int_equal(st.rx_packets, p.b.in.n);
	assert_int_equal(st.rx_errors, 0);
	pair_close(&p);
}

static void s3_139_poll_takes_at_most_its_budget(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p, (struct cpu_model){ .irq_ns = 200000 }, NULL);
	pair_trace(&p, &p.b);
	for (int i = 0; i < 150; i++)
		node_send(&p.a, p.b.mac, 60);
	pair_run(&p);
	assert_int_equal(p.b.in.n, 150);
	assert_int_equal(rec_count(&p.rec, TR_SOFTIRQ, "work=64 weight=64"), 2);
	assert_int_equal(rec_count(&p.rec, TR_SOFTIRQ, "work=22 weight=64"), 1);
	assert_int_equal(rec_count(&p.rec, TR_ENTER, "napi_complete_done"), 1);
	pair_close(&p);
}

/* An idle host has drawn no packet memory, and, where CPU time is no matter, maps few addresses. */
static void buffers_are_drawn_when_data_comes(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p, no_cost, NULL);
	assert_int_equal(dma_nr_mapped(p.b.net), 32);
	assert_int_equal(skb_pool_bytes(p.skbs), 0);
	node_send(&p.a, p.b.mac, 60);
	pair_run(&p);
	assert_int_equal(skb_pool_bytes(p.skbs), 0);
	pair_close(&p);
	pair_open(&p, (struct cpu_model){ 100, 100 }, NULL);
	assert_int_equal(dma_nr_mapped(p.b.net), 255);
	pair_close(&p);
}

/* A host that its owner did not run for a while finds a burst: more is posted for the next. */
static void more_is_posted_after_a_burst(void **state)
{
	struct rtnl_link_stats64_ st;
	struct pair p;

	(void)state;
	pair_open(&p, no_cost, NULL);
	for (int round = 0; round < 4; round++) {
		for (int i = 0; i < 300; i++)
			node_send(&p.a, p.b.mac, 60);
		evq_cancel(&p.q, &p.b.run);
		for (;;) {
			evq_cancel(&p.q, &p.b.run);
			if (!evq_run_one(&p.q))
				break;
		}
		node_run(&p.b.run);
		pair_run(&p);
	}
	assert_in_range(dma_nr_mapped(p.b.net), 240, 255); /* a batch may be missing */
	dev_get_stats(p.b.dev, &st);
	assert_int_equal(st.rx_packets, 32 + 64 + 128 + 255);
	assert_int_equal(st.rx_packets + st.rx_missed_errors, 1200);
	pair_close(&p);
}

/* The pool is at its cap: frames are lost with a count, and when memory is back, reception goes on.
 */
static void no_memory_is_survived(void **state)
{
	struct sk_buff *hog[400];
	struct pair p;
	uint32_t n = 0;
	int64_t limit;

	(void)state;
	pair_open(&p, no_cost, NULL);
	limit = p.b.net->skb_max_bytes;
	p.b.net->skb_max_bytes = 100000;
	while (n < ARRAY_SIZE(hog) && (hog[n] = alloc_skb(p.b.net, 200)) != NULL)
		n++;
	assert_true(n < ARRAY_SIZE(hog));
	for (int i = 0; i < 10; i++)
		node_send(&p.a, p.b.mac, 60);
	pair_run(&p);
	assert_int_equal(p.b.in.n, 0);
	assert_int_equal(nic_read(p.b.nic, NIC_DMAFAULT), 10);
	while (n)
		consume_skb(hog[--n]);
	for (int i = 0; i < 10; i++)
		node_send(&p.a, p.b.mac, 60);
	pair_run(&p);
	assert_int_equal(p.b.in.n, 10);
	p.b.net->skb_max_bytes = limit;
	pair_close(&p);
}

static int close_device(struct sk_buff *skb, struct net_device *dev, struct packet_type *pt,
			struct net_device *orig)
{
	(void)pt, (void)orig;
	consume_skb(skb);
	dev_close(dev);
	return NET_RX_SUCCESS;
}

/* A packet whose handler closes the device under the poll. */
static void device_closed_from_within_the_poll(void **state)
{
	struct packet_type pt = { .type = 0x88b6, .func = close_device };
	struct pair p;

	(void)state;
	pair_open(&p, (struct cpu_model){ .irq_ns = 100000 }, NULL);
	dev_add_pack(p.b.net, &pt);
	for (int i = 0; i < 10; i++) {
		struct sk_buff *skb =
		    make_frame(p.a.net, p.a.dev, p.b.mac, p.a.mac, i == 3 ? 0x88b6 : PT_TEST, 60);

		dev_queue_xmit(skb);
	}
	pair_run(&p);
	assert_int_equal(p.b.in.n, 3);
	assert_int_equal(dma_nr_mapped(p.b.net), 0);
	assert_int_equal(dev_open(p.b.dev), 0);
	pair_run(&p);
	node_send(&p.a, p.b.mac, 60);
	pair_run(&p);
	assert_int_equal(p.b.in.n, 4);
	dev_remove_pack(p.b.net, &pt);
	pair_close(&p);
}

static void without_napi_all_arrive(void **state)
{
	struct nicdrv_params dp = { .no_napi = true, .rx_ring = 8 };
	struct pair p;

	(void)state;
	pair_open(&p, (struct cpu_model){ .irq_ns = 300 }, &dp);
	pair_trace(&p, &p.b);
	for (int i = 0; i < 50; i++)
		node_send(&p.a, p.b.mac, 60);
	pair_run(&p);
	assert_int_equal(p.b.in.n, 50);
	assert_int_equal(rec_count(&p.rec, TR_ENTER, "netif_rx"), 50);
	assert_int_equal(rec_count(&p.rec, TR_ENTER, "igb_poll"), 0);
	assert_int_equal(rec_count(&p.rec, TR_ENTER, "igb_msix_ring"), 50);
	pair_close(&p);
}

/* The same seed, the same octets, the same times: twice the same record. */
static void two_runs_are_the_same(void **state)
{
	struct tc_params tc = {
	    .loss_ppm = 100000, .jitter_ns = 20000, .delay_ns = 50000, .reorder_ppm = 100000};
	struct rec first = { 0 };

	(void)state;
	for (int run = 0; run < 2; run++) {
		struct pair p;

		pair_open(&p, (struct cpu_model){ 500, 300 }, NULL);
		hw_cable_set_tc(p.cable, 0, &tc);
		pair_trace(&p, &p.b);
		for (uint32_t i = 0; i < 200; i++)
			node_send(&p.a, p.b.mac, 60 + i);
		pair_run(&p);
		if (run == 0) {
			first = p.rec;
			p.rec.ev = NULL;
		} else {
			assert_int_equal(first.n, p.rec.n);
			assert_memory_equal(first.ev, p.rec.ev, p.rec.n * sizeof(*p.rec.ev));
			free(first.ev);
		}
		probe_detach(&p.b.net->probe, &p.rec.sink);
		pair_close(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s3_129_ring_wraps_and_is_refilled),
		cmocka_unit_test(s3_129_a_full_ring_is_counted_as_missed),
		cmocka_unit_test(s3_139_poll_takes_at_most_its_budget),
		cmocka_unit_test(buffers_are_drawn_when_data_comes),
		cmocka_unit_test(more_is_posted_after_a_burst),
		cmocka_unit_test(no_memory_is_survived),
		cmocka_unit_test(device_closed_from_within_the_poll),
		cmocka_unit_test(without_napi_all_arrive),
		cmocka_unit_test(two_runs_are_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
