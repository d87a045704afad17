/* The switch under attack: floods of addresses, flapping, storms, reserved and forged addresses. */
#include "switch_test.h"

/* macof: 2^17 invented addresses on one port. */
static void sw_01_mac_flood_stays_in_its_share(void **state)
{
	struct hw_switch_params p = { .table_max = 1024, .ageing_ns = 100 * NSEC_PER_SEC };
	static struct hw_fdb_entry e[4096];
	uint8_t src[ETH_ALEN], dst[ETH_ALEN];
	struct lan l;
	struct rng r;
	size_t n, mine = 0;

	(void)state;
	lan_setup(&l, &p);
	lan_learn_all(&l);
	rng_derive(&r, 1, "macof", "test");
	mac_of(dst, 2);
	probe_detach(hw_switch_probe(l.sw), &l.sink.sink);
	for (uint32_t i = 0; i < 1u << 17; i++) {
		rng_bytes(&r, src, sizeof(src));
		src[0] = (uint8_t)((src[0] & 0xfc) | 2);
		send_next(&l.w, &l.host[3], frame_of(&l.w, dst, src, 0x88b5, 60));
		if ((i & 1023) == 0) {
			run_all(&l.w);
			lan_clear(&l);
		}
	}
	run_all(&l.w);
	lan_clear(&l);
	n = hw_switch_fdb(l.sw, e, ARRAY_SIZE(e));
	assert_true(n <= 1024);
	for (size_t i = 0; i < n; i++)
		mine += e[i].port == 3;
	assert_int_equal(mine, 512 + 128); /* the shared half, and its own reserve */
	assert_int_equal(n, mine + 3);     /* the others keep what they had */
	assert_true(hw_switch_stats(l.sw, 3)->table_full > 100000);
	/* other ports still learn */
	lan_send(&l, 0, from_to(&l, 60, 1, 60));
	assert_int_equal(hw_switch_fdb(l.sw, e, ARRAY_SIZE(e)), n + 1);
	/* an address that found no room is flooded, not lost */
	lan_clear(&l);
	lan_send(&l, 0, frame_of(&l.w, src, dst, 0x88b5, 60));
	assert_int_equal(l.host[3].n, 1);
	/* and aged entries are reclaimed */
	run_until(&l.w, l.w.q.now_ns + 100 * NSEC_PER_SEC);
	assert_int_equal(hw_switch_fdb(l.sw, e, ARRAY_SIZE(e)), 0);
	lan_send(&l, 3, from_to(&l, 70, 1, 60));
	assert_int_equal(hw_switch_fdb(l.sw, e, ARRAY_SIZE(e)), 1);
	lan_teardown(&l);
}

/* One address on two ports, at 10 kHz for three seconds. */
static void sw_02_flapping_is_counted_and_damped(void **state)
{
	struct hw_fdb_entry e[8];
	struct lan l;
	uint64_t t0, moves;

	(void)state;
	lan_setup(&l, NULL);
	lan_learn_all(&l);
	probe_detach(hw_switch_probe(l.sw), &l.sink.sink);
	t0 = l.w.q.now_ns;
	for (uint32_t i = 0; i < 30000; i++) {
		run_until(&l.w, t0 + (uint64_t)i * 100000);
		hw_port_send(&l.host[1 + i % 2].port, from_to(&l, 40, 0, 60));
		end_clear(&l.host[0]);
	}
	run_all(&l.w);
	moves = hw_switch_stats(l.sw, 1)->moves + hw_switch_stats(l.sw, 2)->moves;
	assert_in_range(moves, 5, 3 * 5 + 5); /* not 30000 */
	assert_true(hw_switch_stats(l.sw, 1)->damped + hw_switch_stats(l.sw, 2)->damped > 14000);
	assert_int_equal(hw_switch_fdb(l.sw, e, 8), 5); /* one entry, wherever */
	/* a host that really moved is followed when it has been quiet */
	run_until(&l.w, l.w.q.now_ns + 2 * NSEC_PER_SEC);
	lan_send(&l, 3, from_to(&l, 40, 0, 60));
	assert_int_equal(hw_switch_fdb(l.sw, e, 8), 5);
	assert_int_equal(e[4].port, 3);
	lan_teardown(&l);
}

static void sw_03_flooding_is_bounded(void **state)
{
	struct hw_switch_params p = { .storm_pps = 1000 };
	uint8_t a[ETH_ALEN];
	struct lan l;

	(void)state;
	lan_setup(&l, &p);
	mac_of(a, 1);
	for (uint32_t i = 0; i < 3000; i++) /* 10000 a second for 0.3 s */ {
		run_until(&l.w, (uint64_t)i * 100000);
		hw_port_send(&l.host[0].port, frame_of(&l.w, mac_bcast, a, ETH_P_ARP, 42));
	}
	run_all(&l.w);
	assert_in_range(l.host[1].n, 300, 315); /* the rate, and a burst of 10 ms */
	assert_int_equal(hw_switch_stats(l.sw, 0)->storm_drops, 3000 - l.host[1].n);
	/* other ports and known destinations are not touched */
	lan_clear(&l);
	lan_send(&l, 1, frame_of(&l.w, mac_bcast, a, ETH_P_ARP, 42));
	assert_int_equal(l.host[2].n, 1);
	lan_teardown(&l);
}

static void sw_04_reserved_group_is_never_forwarded(void **state)
{
	uint8_t a[ETH_ALEN], dst[ETH_ALEN] = { 0x01, 0x80, 0xc2, 0, 0, 0 };
	struct lan l;

	(void)state;
	lan_setup(&l, NULL);
	mac_of(a, 1);
	for (uint32_t i = 0; i < 16; i++) {
		dst[5] = (uint8_t)i;
		lan_send(&l, 0, frame_of(&l.w, dst, a, 0x88cc, 60));
	}
	for (uint32_t i = 0; i < SW_HOSTS; i++)
		assert_int_equal(l.host[i].n, 0);
	assert_int_equal(hw_switch_stats(l.sw, 0)->reserved, 16);
	assert_int_equal(l.sink.drops[DROP_SWITCH_RESERVED], 16);
	dst[5] = 0x10; /* the next one is an ordinary group */
	lan_send(&l, 0, frame_of(&l.w, dst, a, 0x88cc, 60));
	assert_int_equal(l.host[1].n, 1);
	lan_teardown(&l);
}

static void sw_05_not_back_where_it_came_from(void **state)
{
	struct lan l;

	(void)state;
	lan_setup(&l, NULL);
	lan_send(&l, 0, from_to(&l, 0, 9, 60));
	lan_send(&l, 0, from_to(&l, 8, 9, 60)); /* a second station behind port 0 */
	lan_clear(&l);
	lan_send(&l, 0, from_to(&l, 0, 8, 60));
	for (uint32_t i = 0; i < SW_HOSTS; i++)
		assert_int_equal(l.host[i].n, 0);
	assert_int_equal(hw_switch_stats(l.sw, 0)->filtered, 1);
	assert_int_equal(l.sink.drops[DROP_SWITCH_SAME_PORT], 1);
	lan_teardown(&l);
}

static void eth_06_group_source_is_dropped_and_not_learned(void **state)
{
	static const uint8_t group[ETH_ALEN] = { 0x01, 0, 0x5e, 1, 2, 3 };
	uint8_t b[ETH_ALEN];
	struct lan l;

	(void)state;
	lan_setup(&l, NULL);
	mac_of(b, 2);
	lan_send(&l, 0, frame_of(&l.w, b, group, 0x88b5, 60));
	lan_send(&l, 0, frame_of(&l.w, b, mac_bcast, 0x88b5, 60));
	for (uint32_t i = 0; i < SW_HOSTS; i++)
		assert_int_equal(l.host[i].n, 0);
	assert_int_equal(fdb_count(&l), 0);
	assert_int_equal(hw_switch_stats(l.sw, 0)->bad_src, 2);
	lan_teardown(&l);
}

/* Whatever octets come in, the switch neither crashes nor forwards what is not a frame. */
static void garbage_is_not_forwarded(void **state)
{
	struct lan l;
	struct rng r;

	(void)state;
	lan_setup(&l, NULL);
	rng_derive(&r, 2, "garbage", "test");
	for (uint32_t i = 0; i < 3000; i++) {
		struct hw_frame *f = hw_frame_new(&l.w.w, 300);

		f->len = rng_below(&r, 300);
		rng_bytes(&r, f->data, f->len);
		if (i & 1 && f->len > 8)
			memcpy(f->data, "\x55\x55\x55\x55\x55\x55\x55\xd5", 8);
		send_next(&l.w, &l.host[0], f);
		run_all(&l.w);
	}
	assert_int_equal(l.host[1].n, 0);
	assert_int_equal(hw_switch_stats(l.sw, 0)->rx_frames, 3000);
	lan_teardown(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sw_01_mac_flood_stays_in_its_share),
		cmocka_unit_test(sw_02_flapping_is_counted_and_damped),
		cmocka_unit_test(sw_03_flooding_is_bounded),
		cmocka_unit_test(sw_04_reserved_group_is_never_forwarded),
		cmocka_unit_test(sw_05_not_back_where_it_came_from),
		cmocka_unit_test(eth_06_group_source_is_dropped_and_not_learned),
		cmocka_unit_test(garbage_is_not_forwarded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
