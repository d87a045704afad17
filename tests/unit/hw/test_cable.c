/* The cable: time on the wire, full duplex, links, what is shown of it. */
#include "hw_test.h"

struct bench {
	struct world w;
	struct end a, b;
	struct hw_cable *c;
};

static void setup(struct bench *t, const struct hw_cable_params *p)
{
	world_init(&t->w);
	end_init(&t->a, "a", 1);
	end_init(&t->b, "b", 2);
	t->c = hw_cable_new(&t->w.w, "a-b", 1, p);
	hw_cable_plug(t->c, 0, &t->a.port);
	hw_cable_plug(t->c, 1, &t->b.port);
}

static void teardown(struct bench *t)
{
	end_clear(&t->a);
	end_clear(&t->b);
	hw_cable_free(t->c);
	world_free(&t->w);
}

/* 8 + 14 + 1500 + 4 + 12 octets at 8 ns: 12.304 us from one frame's start to the next one's. */
static void s3_81_full_frame_takes_12_3_us(void **state)
{
	struct bench t;
	uint64_t last;

	(void)state;
	setup(&t, NULL);
	last = hw_port_send(&t.a.port, plain(&t.w, ETH_HLEN + 1500));
	assert_int_equal(last, 12208);
	assert_false(hw_port_idle(&t.a.port));
	assert_int_equal(hw_port_idle_at(&t.a.port), 12304);
	run_all(&t.w);
	assert_int_equal(t.b.n, 1);
	assert_int_equal(t.b.at[0], 12208 + 500); /* 100 m at 5 ns/m */
	run_until(&t.w, 12304 + 500);
	assert_true(hw_port_idle(&t.a.port));
	teardown(&t);
}

static void line_rate_and_propagation_are_parameters(void **state)
{
	struct hw_cable_params p = { .line_rate_bps = 10000000, .prop_delay_ns = 5000000 };
	struct bench t;

	(void)state;
	setup(&t, &p);
	hw_port_send(&t.a.port, plain(&t.w, 60));
	run_all(&t.w);
	assert_int_equal(t.b.at[0], 72 * 800 + 5000000);
	assert_int_equal(hw_port_idle_at(&t.a.port), 84 * 800);
	assert_int_equal(hw_port_line_rate(&t.a.port), 10000000);
	teardown(&t);
}

static void frames_keep_order_and_gap(void **state)
{
	struct bench t;

	(void)state;
	setup(&t, NULL);
	for (uint32_t i = 0; i < 50; i++)
		send_next(&t.w, &t.a, plain(&t.w, 60 + i));
	run_all(&t.w);
	assert_int_equal(t.b.n, 50);
	for (uint32_t i = 1; i < 50; i++) {
		assert_int_equal(t.b.got[i]->len, 72 + i);
		assert_int_equal(t.b.at[i] - t.b.at[i - 1], (12 + 72 + i) * 8);
	}
	teardown(&t);
}

static void directions_do_not_disturb_each_other(void **state)
{
	struct bench t;

	(void)state;
	setup(&t, NULL);
	hw_port_send(&t.a.port, plain(&t.w, 1514));
	hw_port_send(&t.b.port, plain(&t.w, 60));
	run_all(&t.w);
	assert_int_equal(t.b.at[0], 12708);
	assert_int_equal(t.a.at[0], 72 * 8 + 500);
	assert_int_equal(hw_cable_stats(t.c, 0)->frames, 1);
	assert_int_equal(hw_cable_stats(t.c, 1)->frames, 1);
	assert_int_equal(hw_cable_stats(t.c, 0)->delivered, 1);
	assert_int_equal(t.w.w.hops, 2);
	teardown(&t);
}

/* The same octets come out: the object itself travels, nothing is copied. */
static void frame_arrives_as_sent(void **state)
{
	struct bench t;
	struct hw_frame *f;

	(void)state;
	setup(&t, NULL);
	f = plain(&t.w, 700);
	f->serial = 77;
	hw_port_send(&t.a.port, f);
	run_all(&t.w);
	assert_ptr_equal(t.b.got[0], f);
	assert_int_equal(t.b.got[0]->serial, 77);
	teardown(&t);
}

static void link_is_up_when_both_ends_and_transceivers_are(void **state)
{
	struct bench t;

	(void)state;
	world_init(&t.w);
	end_init(&t.a, "a", 1);
	end_init(&t.b, "b", 2);
	t.b.port.phy_off = true;
	t.c = hw_cable_new(&t.w.w, "a-b", 1, NULL);
	hw_cable_plug(t.c, 0, &t.a.port);
	assert_false(hw_port_link_up(&t.a.port));
	assert_null(hw_port_peer(&t.a.port));
	hw_cable_plug(t.c, 1, &t.b.port);
	assert_int_equal(t.a.ups, 0);
	hw_port_set_phy(&t.b.port, true);
	assert_true(hw_port_link_up(&t.a.port));
	assert_ptr_equal(hw_port_peer(&t.a.port), &t.b.port);
	assert_int_equal(t.a.ups, 1);
	assert_int_equal(t.b.ups, 1);
	hw_cable_set_up(t.c, false);
	assert_int_equal(t.a.downs, 1);
	assert_int_equal(t.b.downs, 1);
	hw_cable_set_up(t.c, true);
	hw_port_set_phy(&t.a.port, false);
	assert_int_equal(t.b.downs, 2);
	hw_port_set_phy(&t.a.port, true);
	hw_cable_unplug(t.c, 0);
	assert_int_equal(t.a.downs, 3);
	assert_int_equal(t.b.downs, 3);
	assert_null(t.a.port.cable);
	teardown(&t);
}

static void unplugging_loses_what_is_in_flight(void **state)
{
	struct hw_cable_params p = { .prop_delay_ns = 1000000 };
	struct counting_sink sink;
	struct probe probe;
	struct bench t;

	(void)state;
	setup(&t, &p);
	probe_init(&probe, "cable", 9, &t.w.q.now_ns);
	counting_init(&sink);
	probe_attach(&probe, &sink.sink);
	hw_cable_set_probe(t.c, &probe);
	for (int i = 0; i < 3; i++)
		send_next(&t.w, &t.a, plain(&t.w, 100));
	hw_port_send(&t.b.port, plain(&t.w, 100));
	hw_cable_unplug(t.c, 1);
	run_all(&t.w);
	assert_int_equal(t.a.n + t.b.n, 0);
	assert_int_equal(hw_cable_stats(t.c, 0)->unplugged, 3);
	assert_int_equal(hw_cable_stats(t.c, 1)->unplugged, 1);
	assert_int_equal(sink.drops[DROP_HW_CABLE_UNPLUGGED], 4);
	/* and sending without a link */
	run_until(&t.w, NSEC_PER_SEC);
	hw_port_send(&t.a.port, plain(&t.w, 100));
	assert_int_equal(sink.drops[DROP_HW_CABLE_UNPLUGGED], 5);
	assert_string_equal(t.w.fate, "lost (unplugged)");
	/* plugged in again it works */
	hw_cable_plug(t.c, 1, &t.b.port);
	hw_port_send(&t.a.port, plain(&t.w, 100));
	run_all(&t.w);
	assert_int_equal(t.b.n, 1);
	teardown(&t);
}

static void tx_done(struct hw_port *p)
{
	struct end *e = p->owner;

	assert_true(hw_port_idle(p));
	e->idles++;
}

static void tx_done_tells_when_the_transmitter_is_free(void **state)
{
	struct bench t;

	(void)state;
	setup(&t, NULL);
	t.a.port.tx_done = tx_done;
	hw_port_send(&t.a.port, plain(&t.w, 60));
	run_until(&t.w, 84 * 8 - 1);
	assert_int_equal(t.a.idles, 0);
	run_until(&t.w, 84 * 8);
	assert_int_equal(t.a.idles, 1);
	run_all(&t.w);
	assert_int_equal(t.a.idles, 1);
	teardown(&t);
}

static void wire_tap_and_trace_show_each_frame_once(void **state)
{
	struct counting_sink sink;
	struct probe probe;
	struct bench t;
	uint64_t host_clock = 3; /* a sleeping host's clock stands still */

	(void)state;
	setup(&t, NULL);
	probe_init(&probe, "a", 1, &host_clock);
	counting_init(&sink);
	probe_attach(&probe, &sink.sink);
	t.a.port.probe = &probe;
	run_until(&t.w, 1000);
	hw_port_send(&t.a.port, plain(&t.w, 60));
	run_all(&t.w);
	assert_int_equal(t.w.taps, 1);
	assert_int_equal(t.w.tap_t, 1000);
	assert_string_equal(t.w.fate, "");
	assert_int_equal(sink.kind[TR_WIRE], 1);
	assert_int_equal(sink.wire_octets, 72); /* preamble to FCS */
	assert_int_equal(sink.last_t, 1000);
	assert_ptr_equal(probe.now_ns, &host_clock);
	teardown(&t);
}

static void too_long_a_frame_is_lost(void **state)
{
	struct bench t;

	(void)state;
	setup(&t, NULL);
	send_next(&t.w, &t.a, plain(&t.w, 1518)); /* with a VLAN tag */
	send_next(&t.w, &t.a, plain(&t.w, 1519));
	run_all(&t.w);
	assert_int_equal(t.b.n, 1);
	assert_string_equal(t.w.fate, "lost (too long)");
	assert_int_equal(hw_cable_stats(t.c, 0)->lost, 1);
	teardown(&t);
}

/* Events of one instant go by node, whoever was created or sent first. */
static void one_instant_is_ordered_by_node(void **state)
{
	struct bench t, u;

	(void)state;
	setup(&t, NULL);
	end_init(&u.a, "c", 4);
	end_init(&u.b, "d", 0); /* the lowest node number */
	u.c = hw_cable_new(&t.w.w, "c-d", 1, NULL);
	hw_cable_plug(u.c, 0, &u.a.port);
	hw_cable_plug(u.c, 1, &u.b.port);
	hw_port_send(&t.a.port, plain(&t.w, 60));
	hw_port_send(&u.a.port, plain(&t.w, 60));
	evq_run_one(&t.w.q);
	assert_int_equal(u.b.n, 1);
	assert_int_equal(t.b.n, 0);
	run_all(&t.w);
	assert_int_equal(t.b.n, 1);
	end_clear(&u.b);
	hw_cable_free(u.c);
	teardown(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s3_81_full_frame_takes_12_3_us),
		cmocka_unit_test(line_rate_and_propagation_are_parameters),
		cmocka_unit_test(frames_keep_order_and_gap),
		cmocka_unit_test(directions_do_not_disturb_each_other),
		cmocka_unit_test(frame_arrives_as_sent),
		cmocka_unit_test(link_is_up_when_both_ends_and_transceivers_are),
		cmocka_unit_test(unplugging_loses_what_is_in_flight),
		cmocka_unit_test(tx_done_tells_when_the_transmitter_is_free),
		cmocka_unit_test(wire_tap_and_trace_show_each_frame_once),
		cmocka_unit_test(too_long_a_frame_is_lost),
		cmocka_unit_test(one_instant_is_ordered_by_node),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
