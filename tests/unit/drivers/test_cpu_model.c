/* The CPU model with a NIC in front: bursts, NAPI budgets, a full ring and ksoftirqd arise from the clock alone. */
#include "../core/core_fixture.h"
#include "drivers/drivers.h"
#include "hw/frame.h"
#include "hw/nic.h"

/* A host behind a NIC, and a port at the other end of the cable that sends what the test wants. */
struct bench {
	struct fx *f;
	struct evq q;
	struct hw_world w;
	struct hw_cable *cable;
	struct hw_port far;
	struct nic *nic;
	struct net_device *dev;
	struct ev run, send;
	struct keeper ip;
	uint64_t gap_ns;
	uint32_t left;
};

static void far_rx(struct hw_port *p, struct hw_frame *f)
{
	(void)p;
	hw_frame_put(f);
}

static void far_link(struct hw_port *p, bool up)
{
	(void)p, (void)up;
}

/* The owner: runs the host when it asks for it. */
static void host_run(struct ev *ev)
{
	struct bench *b = container_of(ev, struct bench, run);
	uint64_t next;

	net_enter(b->f->net, b->q.now_ns);
	net_run(b->f->net);
	next = net_next_deadline(b->f->net);
	if (next != TIME_NEVER)
		evq_at(&b->q, &b->run, next);
}

static void host_kick(void *arg, struct net *net)
{
	struct bench *b = arg;

	(void)net;
	evq_at(&b->q, &b->run, b->q.now_ns);
}

static void far_send(struct ev *ev)
{
	struct bench *b = container_of(ev, struct bench, send);
	uint8_t eth[60] = { 0 };

	memcpy(eth, mac_us, 6);
	memcpy(eth + 6, mac_peer, 6);
	put_be16(eth + 12, ETH_P_IP);
	hw_port_send(&b->far, hw_frame_make(&b->w, eth, sizeof(eth), ++b->f->serials.next));
	if (--b->left)
		evq_at(&b->q, &b->send, max_u64(b->q.now_ns + b->gap_ns, hw_port_idle_at(&b->far)));
}

static void bench_open(struct bench *b, struct cpu_model model, const struct nicdrv_params *dp)
{
	struct hw_cable_params cp = { .line_rate_bps = 1000000000 };
	struct nic_params np = { .node = "a", .name = "eth0", .node_id = 1 };
	int err;

	memset(b, 0, sizeof(*b));
	b->f = fx_new_with(1, model, NULL, 0);
	b->f->net->owner.kick = host_kick;
	b->f->net->owner.arg = b;
	evq_init(&b->q);
	b->q.now_ns = b->f->net->now_ns;
	hw_world_init(&b->w, &b->q);
	memcpy(np.mac, mac_us, 6);
	ev_init(&b->run, 1, host_run);
	ev_init(&b->send, 2, far_send);
	b->nic = nic_new(&b->w, &np);
	b->far = (struct hw_port){ .world = &b->w, .node = "far", .name = "p0", .node_id = 2, .rx = far_rx,
				   .link = far_link, .owner = b };
	b->cable = hw_cable_new(&b->w, "cable", 1, &cp);
	hw_cable_plug(b->cable, 0, nic_port(b->nic));
	hw_cable_plug(b->cable, 1, &b->far);
	b->dev = nicdrv_probe(b->f->net, b->nic, "eth0", dp, &err);
	assert_non_null(b->dev);
	assert_int_equal(dev_open(b->dev), 0);
	keeper_add(&b->ip, b->f->net, ETH_P_IP);
	b->ip.consume = true;
	while (evq_run_one(&b->q)) /* the link comes up */
		;
	fx_trace(b->f);
}

static void bench_burst(struct bench *b, uint32_t n, uint64_t gap_ns)
{
	b->left = n;
	b->gap_ns = gap_ns;
	evq_at(&b->q, &b->send, b->q.now_ns);
	while (evq_run_one(&b->q))
		;
}

static void bench_close(struct bench *b)
{
	keeper_drop(&b->ip, b->f->net);
	b->f->net->owner.kick = NULL;
	unregister_netdev(b->dev);
	hw_cable_unplug(b->cable, 0);
	hw_cable_unplug(b->cable, 1);
	evq_cancel(&b->q, &b->run);
	nic_free(b->nic);
	hw_cable_free(b->cable);
	fx_free(b->f);
	hw_world_free(&b->w);
	evq_free(&b->q);
}

static size_t hardirqs(struct bench *b)
{
	return rec_count(&b->f->rec, TR_IRQ, "handle vector=");
}

static void s3_132_133_a_burst_is_one_interrupt_spaced_frames_are_one_each(void **state)
{
	struct bench b;

	(void)state;
	/* an interrupt takes longer than the whole burst on the wire (100 x 672 ns) */
	bench_open(&b, (struct cpu_model){ .irq_ns = 100000, .packet_ns = 100 }, NULL);
	bench_burst(&b, 100, 0);
	assert_int_equal(b.ip.n, 100);
	assert_int_equal(hardirqs(&b), 1);
	assert_int_equal(rec_count(&b.f->rec, TR_SOFTIRQ, "poll napi=eth0-rx0"), 2); /* 64 and 36 */
	b.f->rec.n = 0;
	bench_burst(&b, 10, NSEC_PER_MSEC);
	assert_int_equal(b.ip.n, 110);
	assert_int_equal(hardirqs(&b), 10);
	assert_int_equal(b.f->net->softnet[0].run_ksoftirqd, 0); /* S2-11: none at a low rate */
	bench_close(&b);
}

static void s3_131_without_napi_an_interrupt_per_packet(void **state)
{
	struct nicdrv_params dp = { .no_napi = true };
	struct bench b;

	(void)state;
	bench_open(&b, (struct cpu_model){ .irq_ns = 100, .packet_ns = 100 }, &dp);
	bench_burst(&b, 100, 0);
	assert_int_equal(b.ip.n, 100);
	assert_int_equal(hardirqs(&b), 100);
	bench_close(&b);
}

static void s3_129_138_a_flood_fills_the_ring_and_wakes_ksoftirqd(void **state)
{
	struct rtnl_link_stats64_ st;
	struct bench b;

	(void)state;
	/* 5 us of work for frames that come every 672 ns */
	bench_open(&b, (struct cpu_model){ .irq_ns = 1000, .packet_ns = 5000 }, NULL);
	b.f->rec.sink.mask = 1u << TR_IRQ;
	probe_detach(&b.f->net->probe, &b.f->rec.sink);
	probe_attach(&b.f->net->probe, &b.f->rec.sink);
	bench_burst(&b, 20000, 0);
	dev_get_stats(b.dev, &st);
	assert_true(st.rx_missed_errors > 10000);
	assert_int_equal(b.ip.n + st.rx_missed_errors, 20000);
	assert_true(b.f->net->softnet[0].run_ksoftirqd > 0);
	assert_true(b.f->net->softnet[0].time_squeeze > 0);
	assert_true(hardirqs(&b) < 10); /* S3-135: masked while it polls, after the first few frames */
	assert_false(b.f->net->softnet[0].ksoftirqd_running);
	bench_close(&b);
}

static void zero_cost_means_at_once(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, (struct cpu_model){ 0, 0 }, NULL);
	bench_burst(&b, 100, 0);
	assert_int_equal(b.ip.n, 100);
	assert_int_equal(hardirqs(&b), 100); /* each frame is done before the next one comes */
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s3_132_133_a_burst_is_one_interrupt_spaced_frames_are_one_each),
		cmocka_unit_test(s3_131_without_napi_an_interrupt_per_packet),
		cmocka_unit_test(s3_129_138_a_flood_fills_the_ring_and_wakes_ksoftirqd),
		cmocka_unit_test(zero_cost_means_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
