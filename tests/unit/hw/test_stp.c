/* The spanning tree protocol on real BPDUs. */
#include "hw/switch.h"
#include "hw_test.h"

#define NODES 3u

/* Three switches in a ring, a host at each:  port 0 host, port 1 to the next, port 2 to the
 * previous. */
struct ring {
	struct world w;
	struct hw_switch *sw[NODES];
	struct end *host;
	struct hw_cable *access[NODES], *trunk[NODES];
	struct counting_sink sink[NODES];
};

static void ring_setup(struct ring *r, bool stp, const uint16_t *priority, uint32_t storm_pps)
{
	static const char *const names[NODES] = { "s0", "s1", "s2" };

	memset(r, 0, sizeof(*r));
	world_init(&r->w);
	r->host = calloc(NODES, sizeof(*r->host));
	for (uint32_t i = 0; i < NODES; i++) {
		struct hw_switch_params p = {.name = names[i],
					     .node_id = 10 + i,
					     .n_ports = 3,
					     .stp = stp,
					     .priority = priority ? priority[i] : 0,
					     .storm_pps = storm_pps};

		r->sw[i] = hw_switch_new(&r->w.w, &p);
		if (stp)
			hw_switch_set_edge(r->sw[i], 0, true);
	}
	for (uint32_t i = 0; i < NODES; i++) {
		end_init(&r->host[i], "h", i + 1);
		r->access[i] = hw_cable_new(&r->w.w, "access", i, NULL);
		hw_cable_plug(r->access[i], 0, &r->host[i].port);
		hw_cable_plug(r->access[i], 1, hw_switch_port(r->sw[i], 0));
		r->trunk[i] = hw_cable_new(&r->w.w, "trunk", i, NULL);
		hw_cable_plug(r->trunk[i], 0, hw_switch_port(r->sw[i], 1));
		hw_cable_plug(r->trunk[i], 1, hw_switch_port(r->sw[(i + 1) % NODES], 2));
	}
}

static void ring_clear(struct ring *r)
{
	for (uint32_t i = 0; i < NODES; i++)
		end_clear(&r->host[i]);
}

static void ring_teardown(struct ring *r)
{
	ring_clear(r);
	for (uint32_t i = 0; i < NODES; i++) {
		hw_cable_free(r->access[i]);
		hw_cable_free(r->trunk[i]);
	}
	for (uint32_t i = 0; i < NODES; i++)
		hw_switch_free(r->sw[i]);
	free(r->host);
	world_free(&r->w);
}

static void ring_wait(struct ring *r, uint64_t ns) { run_until(&r->w, r->w.q.now_ns + ns); }

/* Frames that are not BPDUs. */
static uint32_t copies(const struct end *e)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < e->n; i++)
		n += e->got[i]->data[8] != 0x01;
	return n;
}

static struct hw_frame *broadcast(struct ring *r, uint32_t from)
{
	uint8_t a[ETH_ALEN];

	mac_of(a, from + 1);
	return frame_of(&r->w, mac_bcast, a, ETH_P_ARP, 42);
}

static uint32_t blocked_ports(const struct ring *r)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < NODES; i++)
		for (uint32_t p = 0; p < 3; p++)
			n += hw_switch_port_state(r->sw[i], p) == 1;
	return n;
}

static uint64_t ring_sum(const struct ring *r, size_t member)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < NODES; i++)
		for (uint32_t p = 0; p < 3; p++)
			sum += *(const uint64_t *)(const void *)((const char *)hw_switch_stats(
								     r->sw[i], p) +
								 member);
	return sum;
}

/* Without any bound one broadcast goes round for ever, in both directions, and everybody hears each
 * round. */
static void sw_03_ring_without_stp_storms(void **state)
{
	uint64_t before;
	struct ring r;

	(void)state;
	ring_setup(&r, false, NULL, 1000000000);
	hw_port_send(&r.host[0].port, broadcast(&r, 0));
	ring_wait(&r, 10 * NSEC_PER_MSEC);
	assert_true(copies(&r.host[1]) > 1000);
	before = r.w.w.frames_sent;
	ring_wait(&r, NSEC_PER_MSEC);
	assert_true(r.w.w.frames_sent - before > 500); /* it does not die */
	/* and it is seen: one address flaps between the ports */
	assert_true(ring_sum(&r, offsetof(struct hw_switch_port_stats, damped)) > 1000);
	ring_teardown(&r);
}

/* The bound: what floods faster is dropped, and a circling frame that is dropped is gone. */
static void sw_03_storm_bound_ends_it(void **state)
{
	uint64_t before;
	struct ring r;

	(void)state;
	ring_setup(&r, false, NULL, 1000);
	hw_port_send(&r.host[0].port, broadcast(&r, 0));
	ring_wait(&r, NSEC_PER_SEC);
	assert_in_range(copies(&r.host[1]), 2, 2 * (10 + 2));
	assert_int_equal(ring_sum(&r, offsetof(struct hw_switch_port_stats, storm_drops)), 2);
	before = r.w.w.frames_sent;
	ring_wait(&r, NSEC_PER_SEC);
	assert_int_equal(r.w.w.frames_sent, before);
	ring_teardown(&r);
}

static void sw_03_ring_with_stp_gives_exactly_one_copy(void **state)
{
	struct ring r;

	(void)state;
	ring_setup(&r, true, NULL, 0);
	ring_wait(&r, 40 * NSEC_PER_SEC);
	assert_int_equal(blocked_ports(&r), 1);
	for (uint32_t from = 0; from < NODES; from++) {
		ring_clear(&r);
		hw_port_send(&r.host[from].port, broadcast(&r, from));
		ring_wait(&r, NSEC_PER_SEC);
		for (uint32_t i = 0; i < NODES; i++)
			assert_int_equal(copies(&r.host[i]), i == from ? 0 : 1);
	}
	ring_teardown(&r);
}

static void root_is_the_lowest_priority_then_the_lowest_address(void **state)
{
	static const uint16_t prio[NODES] = { 32768, 32768, 4096 };
	struct hw_switch_stp_info info;
	struct ring r;
	uint64_t root;

	(void)state;
	ring_setup(&r, true, NULL, 0);
	ring_wait(&r, 40 * NSEC_PER_SEC);
	hw_switch_stp_info(r.sw[0], &info);
	assert_int_equal(info.root_port, -1);
	assert_int_equal(info.root_id, info.bridge_id);
	root = info.root_id;
	for (uint32_t i = 1; i < NODES; i++) {
		hw_switch_stp_info(r.sw[i], &info);
		assert_true(info.root_id == root);
		assert_int_equal(info.root_cost, 4); /* one Gbit/s hop */
	}
	/* the ring is cut between 1 and 2, on the side of the higher bridge id */
	assert_int_equal(hw_switch_port_state(r.sw[2], 2), 1);
	ring_teardown(&r);
	ring_setup(&r, true, prio, 0);
	ring_wait(&r, 40 * NSEC_PER_SEC);
	hw_switch_stp_info(r.sw[2], &info);
	assert_int_equal(info.root_port, -1);
	ring_teardown(&r);
}

/* Listening and learning for forward delay each; an edge port forwards at once. */
static void states_take_forward_delay(void **state)
{
	struct ring r;

	(void)state;
	ring_setup(&r, true, NULL, 0);
	assert_int_equal(hw_switch_port_state(r.sw[0], 0), 4);
	assert_int_equal(hw_switch_port_state(r.sw[0], 1), 2);
	run_until(&r.w, 14 * NSEC_PER_SEC);
	assert_int_equal(hw_switch_port_state(r.sw[0], 1), 2);
	run_until(&r.w, 15 * NSEC_PER_SEC);
	assert_int_equal(hw_switch_port_state(r.sw[0], 1), 3);
	run_until(&r.w, 30 * NSEC_PER_SEC - 1);
	assert_int_equal(hw_switch_port_state(r.sw[0], 1), 3);
	run_until(&r.w, 30 * NSEC_PER_SEC);
	assert_int_equal(hw_switch_port_state(r.sw[0], 1), 4);
	/* hellos every 2 s from the root */
	{
		uint64_t before = hw_switch_stats(r.sw[0], 1)->bpdu_tx;

		ring_wait(&r, 20 * NSEC_PER_SEC);
		assert_in_range(hw_switch_stats(r.sw[0], 1)->bpdu_tx - before, 10, 11);
	}
	ring_teardown(&r);
}

/* A trunk of the tree fails: the blocked port takes over after max age or at once, and two forward
 * delays. */
static void a_broken_trunk_is_healed(void **state)
{
	struct hw_switch_stp_info info;
	struct ring r;

	(void)state;
	ring_setup(&r, true, NULL, 0);
	ring_wait(&r, 60 * NSEC_PER_SEC);
	hw_port_send(&r.host[2].port, broadcast(&r, 2)); /* learned everywhere */
	ring_wait(&r, NSEC_PER_SEC);
	ring_clear(&r);
	hw_cable_set_up(r.trunk[2], false); /* between switch 2 and the root */
	ring_wait(&r, 55 * NSEC_PER_SEC);
	assert_int_equal(blocked_ports(&r), 0);
	hw_switch_stp_info(r.sw[2], &info);
	assert_int_equal(info.root_port, 2);
	assert_int_equal(info.root_cost, 8);
	hw_port_send(&r.host[0].port, broadcast(&r, 0));
	ring_wait(&r, NSEC_PER_SEC);
	assert_int_equal(copies(&r.host[2]), 1);
	/* the change has shortened ageing on its way through the tree: what was learned is gone */
	hw_switch_stp_info(r.sw[1], &info);
	assert_int_equal(info.topology_change, true);
	assert_int_equal(info.ageing_ns, 15 * NSEC_PER_SEC);
	ring_wait(&r, 60 * NSEC_PER_SEC);
	hw_switch_stp_info(r.sw[1], &info);
	assert_int_equal(info.topology_change, false);
	assert_int_equal(info.ageing_ns, 300 * NSEC_PER_SEC);
	/* and back */
	hw_cable_set_up(r.trunk[2], true);
	ring_wait(&r, 60 * NSEC_PER_SEC);
	assert_int_equal(blocked_ports(&r), 1);
	ring_teardown(&r);
}

/* The root dies silently (its cables hang on): max age finds out. */
static void a_silent_root_is_replaced_after_max_age(void **state)
{
	struct hw_switch_stp_info info;
	struct tc_params deaf = { .loss_ppm = 1000000 };
	struct ring r;

	(void)state;
	ring_setup(&r, true, NULL, 0);
	ring_wait(&r, 40 * NSEC_PER_SEC);
	hw_cable_set_tc(r.trunk[0], 0, &deaf);
	hw_cable_set_tc(r.trunk[2], 1, &deaf);
	ring_wait(&r, 15 * NSEC_PER_SEC);
	hw_switch_stp_info(r.sw[1], &info);
	assert_int_not_equal(info.root_port, -1);
	ring_wait(&r, 7 * NSEC_PER_SEC);
	hw_switch_stp_info(r.sw[1], &info);
	assert_int_equal(info.root_port, -1); /* the second lowest */
	hw_switch_stp_info(r.sw[2], &info);
	assert_int_equal(info.root_port, 2);
	ring_teardown(&r);
}

/* A cable from a switch to itself: the higher of its two ports blocks. */
static void a_switch_hears_itself(void **state)
{
	struct hw_switch_params p = { .name = "s", .node_id = 1, .n_ports = 3, .stp = true };
	struct hw_switch *s;
	struct hw_cable *c;
	struct world w;

	(void)state;
	world_init(&w);
	s = hw_switch_new(&w.w, &p);
	c = hw_cable_new(&w.w, "loop", 1, NULL);
	hw_cable_plug(c, 0, hw_switch_port(s, 2));
	hw_cable_plug(c, 1, hw_switch_port(s, 1));
	run_until(&w, 60 * NSEC_PER_SEC);
	assert_int_equal(hw_switch_port_state(s, 1), 4);
	assert_int_equal(hw_switch_port_state(s, 2), 1);
	hw_cable_free(c);
	/* no port has a link: the hellos end, and the world stands still */
	run_all(&w);
	hw_switch_free(s);
	world_free(&w);
}

/* A BPDU made by hand: dst, src, LLC, configuration; len octets of BPDU, the length field says so.
 */
static struct hw_frame *bpdu(struct world *w, uint64_t root, uint8_t flags, uint32_t len,
			     uint32_t said)
{
	uint8_t eth[60] = { 0x01, 0x80, 0xc2, 0, 0, 0, 2, 9, 9, 9, 9, 9, 0, 0, 0x42, 0x42, 0x03 };
	uint8_t b[35] = { 0 };

	put_be16(eth + 12, (uint16_t)said);
	b[4] = flags;
	put_be32(b + 5, (uint32_t)(root >> 32));
	put_be32(b + 9, (uint32_t)root);
	put_be32(b + 17, (uint32_t)(root >> 32));
	put_be32(b + 21, (uint32_t)root);
	put_be16(b + 25, 0x8001);
	put_be16(b + 29, 20 * 256);
	put_be16(b + 31, 2 * 256);
	put_be16(b + 33, 15 * 256);
	memcpy(eth + 17, b, len);
	return hw_frame_make(&w->w, eth, 17 + len, 0);
}

static void host_send(struct ring *r, uint32_t i, struct hw_frame *f)
{
	send_next(&r->w, &r->host[i], f);
	ring_wait(r, NSEC_PER_MSEC);
}

static void sw_04_bpdu_guard_shuts_an_edge_port(void **state)
{
	struct hw_switch_params p = { .name = "s", .node_id = 1, .n_ports = 2, .bpdu_guard = true };
	struct hw_switch_stp_info info;
	struct hw_switch *s;
	struct hw_cable *c;
	struct ring r;

	(void)state;
	for (int stp = 0; stp < 2; stp++) {
		memset(&r, 0, sizeof(r));
		world_init(&r.w);
		r.host = calloc(1, sizeof(*r.host));
		end_init(&r.host[0], "h", 1);
		p.stp = stp;
		s = hw_switch_new(&r.w.w, &p);
		if (stp)
			hw_switch_set_edge(s, 0, true);
		c = hw_cable_new(&r.w.w, "c", 1, NULL);
		hw_cable_plug(c, 0, &r.host[0].port);
		hw_cable_plug(c, 1, hw_switch_port(s, 0));
		assert_int_equal(hw_switch_port_state(s, 0), 4);
		host_send(&r, 0, bpdu(&r.w, 0, 0, 35, 38)); /* "I am root, priority 0" */
		assert_int_equal(hw_switch_port_state(s, 0), 0);
		hw_switch_stp_info(s, &info);
		assert_int_equal(info.root_port, -1);
		host_send(&r, 0, broadcast(&r, 0));
		assert_int_equal(hw_switch_stats(s, 0)->blocked, 1);
		/* replugged it is open again */
		hw_cable_set_up(c, false);
		hw_cable_set_up(c, true);
		assert_int_equal(hw_switch_port_state(s, 0), 4);
		end_clear(&r.host[0]);
		hw_cable_free(c);
		hw_switch_free(s);
		free(r.host);
		world_free(&r.w);
	}
}

static void sw_04_without_guard_a_better_offer_wins(void **state)
{
	struct hw_switch_stp_info info;
	struct ring r;

	(void)state;
	ring_setup(&r, true, NULL, 0);
	ring_wait(&r, 40 * NSEC_PER_SEC);
	host_send(&r, 1, bpdu(&r.w, 7, 0, 35, 38));
	hw_switch_stp_info(r.sw[1], &info);
	assert_int_equal(info.root_id, 7);
	assert_int_equal(info.root_port, 0);
	/* it says nothing more: forgotten after max age */
	ring_wait(&r, 30 * NSEC_PER_SEC);
	hw_switch_stp_info(r.sw[1], &info);
	assert_int_not_equal(info.root_id, 7);
	ring_teardown(&r);
}

static void sw_06_truncated_bpdus_are_not_read(void **state)
{
	static const uint32_t lens[] = { 0, 3, 7, 34 };
	struct hw_switch_stp_info info;
	struct ring r;

	(void)state;
	ring_setup(&r, true, NULL, 0);
	ring_wait(&r, 40 * NSEC_PER_SEC);
	for (size_t i = 0; i < ARRAY_SIZE(lens); i++)
		host_send(&r, 1, bpdu(&r.w, 7, 0, lens[i], 3 + lens[i]));
	host_send(&r, 1,
		  bpdu(&r.w, 7, 0, 35, 60)); /* the length field lies: longer than the frame */
	host_send(&r, 1, bpdu(&r.w, 7, 0, 35, 3));
	host_send(&r, 1, bpdu(&r.w, 7, 0, 35, 0));
	host_send(&r, 1, bpdu(&r.w, 7, 0, 35, 0xffff));
	assert_int_equal(hw_switch_stats(r.sw[1], 0)->bpdu_bad, 8);
	hw_switch_stp_info(r.sw[1], &info);
	assert_int_not_equal(info.root_id, 7);
	ring_teardown(&r);
}

/* Times that no root may dictate, ages beyond max age. */
static void sw_06_impossible_times_are_refused(void **state)
{
	static const struct {
		uint32_t at;
		uint16_t v;
	} bad[] = {{27, 20 * 256}, {29, 0},	   {29, 5 * 256}, {29, 0xffff},	 {31, 0},
		   {31, 255},	   {31, 11 * 256}, {33, 3 * 256}, {33, 31 * 256}};
	struct ring r;

	(void)state;
	ring_setup(&r, true, NULL, 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct hw_frame *f = bpdu(&r.w, 7, 0, 35, 38);

		put_be16(f->data + 8 + 17 + bad[i].at, bad[i].v);
		hw_frame_seal(f, 60);
		host_send(&r, 1, f);
	}
	assert_int_equal(hw_switch_stats(r.sw[1], 0)->bpdu_bad, ARRAY_SIZE(bad));
	ring_teardown(&r);
}

/* TC flags and TCNs at 1 kHz: answers are held to one a second, ageing is short but the table
 * lives. */
static void sw_06_topology_change_flood_is_bounded(void **state)
{
	struct hw_switch_stp_info info;
	struct hw_fdb_entry e[16];
	uint64_t tx;
	struct ring r;

	(void)state;
	ring_setup(&r, true, NULL, 0);
	ring_wait(&r, 40 * NSEC_PER_SEC);
	hw_port_send(&r.host[0].port, broadcast(&r, 0));
	ring_wait(&r, NSEC_PER_MSEC);
	tx = hw_switch_stats(r.sw[1], 0)->bpdu_tx;
	for (int i = 0; i < 5000; i++) {
		struct hw_frame *f = bpdu(&r.w, ~0ull, 0x01, 35, 38);

		if (i & 1) { /* TCN */
			f->data[8 + 17 + 3] = 0x80;
			hw_frame_seal(f, 60);
		}
		host_send(&r, 1, f);
		end_clear(&r.host[1]);
	}
	assert_in_range(hw_switch_stats(r.sw[1], 0)->bpdu_tx - tx, 1, 8);
	hw_switch_stp_info(r.sw[1], &info);
	assert_int_equal(info.ageing_ns, 15 * NSEC_PER_SEC);
	assert_int_equal(hw_switch_fdb(r.sw[1], e, 16), 1);
	ring_teardown(&r);
}

static void random_bpdus_do_no_harm(void **state)
{
	struct ring r;
	struct rng rng;

	(void)state;
	ring_setup(&r, true, NULL, 0);
	rng_derive(&rng, 3, "bpdu", "test");
	for (int i = 0; i < 5000; i++) {
		struct hw_frame *f = bpdu(&r.w, rng_u64(&rng), 0, 35, 38);
		uint32_t at = 8 + 12 + rng_below(&rng, 40);

		rng_bytes(&rng, f->data + at, 1 + rng_below(&rng, 8));
		hw_frame_seal(f, 60);
		host_send(&r, (uint32_t)i % NODES, f);
		ring_clear(&r);
	}
	for (uint32_t i = 0; i < NODES; i++) /* the attackers leave */
		hw_cable_set_up(r.access[i], false);
	ring_wait(&r, 120 * NSEC_PER_SEC);
	assert_int_equal(blocked_ports(&r), 1);
	ring_teardown(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sw_03_ring_without_stp_storms),
		cmocka_unit_test(sw_03_storm_bound_ends_it),
		cmocka_unit_test(sw_03_ring_with_stp_gives_exactly_one_copy),
		cmocka_unit_test(root_is_the_lowest_priority_then_the_lowest_address),
		cmocka_unit_test(states_take_forward_delay),
		cmocka_unit_test(a_broken_trunk_is_healed),
		cmocka_unit_test(a_silent_root_is_replaced_after_max_age),
		cmocka_unit_test(a_switch_hears_itself),
		cmocka_unit_test(sw_04_bpdu_guard_shuts_an_edge_port),
		cmocka_unit_test(sw_04_without_guard_a_better_offer_wins),
		cmocka_unit_test(sw_06_truncated_bpdus_are_not_read),
		cmocka_unit_test(sw_06_impossible_times_are_refused),
		cmocka_unit_test(sw_06_topology_change_flood_is_bounded),
		cmocka_unit_test(random_bpdus_do_no_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
