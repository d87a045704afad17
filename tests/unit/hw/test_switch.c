/* The learning switch and the hub. */
#include "switch_test.h"

static void s3_87_forwards_the_very_octets(void **state)
{
	struct lan l;
	struct hw_frame *f, *sent; /* a copy: the switch has the frame itself in hand */

	(void)state;
	lan_setup(&l, NULL);
	lan_learn_all(&l);
	f = from_to(&l, 0, 1, 777);
	sent = hw_frame_copy(f);
	lan_send(&l, 0, f);
	assert_int_equal(l.host[1].n, 1);
	assert_int_equal(l.host[1].got[0]->len, sent->len);
	assert_memory_equal(l.host[1].got[0]->data, sent->data, sent->len);
	hw_frame_put(sent);
	lan_teardown(&l);
}

/* A damaged preamble is made afresh; everything behind the SFD is untouched. */
static void s3_88_same_wire_receiver_as_a_nic(void **state)
{
	struct lan l;
	struct hw_frame *f, *n;

	(void)state;
	lan_setup(&l, NULL);
	f = from_to(&l, 0, 1, 100);
	n = hw_frame_new(&l.w.w, 200);
	memcpy(n->data, "\xd5\x01\x55\x55\xd5", 5);
	memcpy(n->data + 5, f->data + 8, f->len - 8);
	n->len = f->len - 3;
	lan_send(&l, 0, n);
	assert_int_equal(l.host[1].n, 1);
	assert_int_equal(l.host[1].got[0]->len, f->len);
	assert_memory_equal(l.host[1].got[0]->data, f->data, f->len);
	n = from_to(&l, 0, 1, 100);
	memset(n->data, 0x55, 8);
	lan_send(&l, 0, n);
	assert_int_equal(hw_switch_stats(l.sw, 0)->no_sfd, 1);
	assert_int_equal(l.host[1].n, 1);
	hw_frame_put(f);
	lan_teardown(&l);
}

static void s3_89_bad_fcs_is_counted_and_not_forwarded(void **state)
{
	struct tc_params tc = { .corrupt_ppm = 1000000 };
	struct lan l;
	struct hw_frame *f;

	(void)state;
	lan_setup(&l, NULL);
	hw_cable_set_tc(l.c[0], 0, &tc);
	for (int i = 0; i < 20; i++)
		lan_send(&l, 0, from_to(&l, 0, 1, 200));
	assert_int_equal(hw_switch_stats(l.sw, 0)->fcs_errors, 20);
	for (uint32_t i = 0; i < SW_HOSTS; i++)
		assert_int_equal(l.host[i].n, 0);
	assert_int_equal(fdb_count(&l), 0); /* and nothing learned from it */
	hw_cable_set_tc(l.c[0], 0, NULL);
	f = from_to(&l, 0, 1, 60);
	f->len = 71; /* one octet short of 64 */
	lan_send(&l, 0, f);
	assert_int_equal(hw_switch_stats(l.sw, 0)->runts, 1);
	lan_send(&l, 0, from_to(&l, 0, 1, 1519));
	assert_int_equal(hw_switch_stats(l.sw, 0)->oversize, 1);
	assert_int_equal(l.host[1].n, 0);
	lan_teardown(&l);
}

/* In whole, looked up for a microsecond, out whole. */
static void s3_89_store_and_forward_delay(void **state)
{
	struct lan l;
	uint64_t sent;

	(void)state;
	lan_setup(&l, NULL);
	lan_learn_all(&l);
	sent = l.w.q.now_ns;
	lan_send(&l, 0, from_to(&l, 0, 1, 1514));
	assert_int_equal(l.host[1].at[0] - sent, 2 * (1526 * 8 + 500) + 1000);
	lan_teardown(&l);
}

static void s3_89_full_buffer_is_tail_drop(void **state)
{
	struct hw_switch_params p = { .queue_bytes = 5000 };
	struct lan l;

	(void)state;
	lan_setup(&l, &p);
	lan_learn_all(&l);
	/* two senders at line rate into one port */
	for (int i = 0; i < 50; i++) {
		send_next(&l.w, &l.host[0], from_to(&l, 0, 2, 1514));
		hw_port_send(&l.host[1].port, from_to(&l, 1, 2, 1514));
	}
	run_all(&l.w);
	assert_true(hw_switch_stats(l.sw, 2)->queue_drops > 40);
	assert_int_equal(hw_switch_stats(l.sw, 2)->queue_drops, 100 - l.host[2].n);
	assert_int_equal(l.sink.drops[DROP_SWITCH_QUEUE], 100 - l.host[2].n);
	assert_int_equal(hw_switch_stats(l.sw, 2)->tx_frames, l.host[2].n + 3);
	lan_teardown(&l);
}

static void s3_90_ports_accept_every_address_and_have_none(void **state)
{
	struct lan l;

	(void)state;
	lan_setup(&l, NULL);
	for (uint32_t id = 0; id < 300; id++) {
		uint8_t dst[ETH_ALEN], src[ETH_ALEN];

		mac_of(dst, id * 977 + 5);
		dst[0] = (uint8_t)(id << 1); /* any unicast */
		mac_of(src, 1);
		lan_send(&l, 0, frame_of(&l.w, dst, src, 0x88b5, 60));
	}
	assert_int_equal(hw_switch_stats(l.sw, 0)->rx_frames, 300);
	assert_int_equal(l.host[1].n, 300);
	lan_teardown(&l);
}

static void s3_91_known_unicast_goes_to_one_port(void **state)
{
	struct lan l;

	(void)state;
	lan_setup(&l, NULL);
	lan_learn_all(&l);
	lan_send(&l, 0, from_to(&l, 0, 2, 60));
	assert_int_equal(l.host[0].n, 0);
	assert_int_equal(l.host[1].n, 0);
	assert_int_equal(l.host[2].n, 1);
	assert_int_equal(l.host[3].n, 0);
	assert_int_equal(hw_switch_stats(l.sw, 0)->forwarded, 1);
	lan_teardown(&l);
}

static void s3_92_table_holds_mac_port_age(void **state)
{
	struct hw_fdb_entry e[8];
	uint8_t mac[ETH_ALEN];
	struct lan l;
	size_t n;

	(void)state;
	lan_setup(&l, NULL);
	for (uint32_t i = SW_HOSTS; i-- > 0;) /* not in order */
		lan_send(&l, i, from_to(&l, i, 50, 60));
	n = hw_switch_fdb(l.sw, e, 8);
	assert_int_equal(n, SW_HOSTS);
	for (uint32_t i = 0; i < n; i++) { /* sorted by MAC */
		mac_of(mac, i + 1);
		assert_memory_equal(e[i].mac, mac, 6);
		assert_int_equal(e[i].port, i);
		assert_true(e[i].age_ns < NSEC_PER_MSEC);
	}
	assert_int_equal(hw_switch_fdb(l.sw, e, 2), 2);
	lan_teardown(&l);
}

static void s3_93_idle_addresses_age_out(void **state)
{
	struct lan l;
	uint64_t t0;

	(void)state;
	lan_setup(&l, NULL);
	lan_learn_all(&l);
	t0 = l.w.q.now_ns;
	run_until(&l.w, t0 + 150 * NSEC_PER_SEC);
	lan_send(&l, 1, from_to(&l, 1, 0, 60)); /* host 1 speaks again */
	lan_clear(&l);
	run_until(&l.w, t0 + 300 * NSEC_PER_SEC);
	assert_int_equal(fdb_count(&l), 1); /* host 1 alone */
	lan_send(&l, 0, from_to(&l, 0, 2, 60)); /* gone: flooded */
	assert_int_equal(l.host[1].n + l.host[2].n + l.host[3].n, 3);
	lan_clear(&l);
	lan_send(&l, 0, from_to(&l, 0, 1, 60)); /* refreshed: known */
	assert_int_equal(l.host[1].n + l.host[2].n + l.host[3].n, 1);
	lan_teardown(&l);
}

static void s3_93_ageing_is_a_parameter(void **state)
{
	struct hw_switch_params p = { .ageing_ns = 10 * NSEC_PER_SEC };
	struct hw_fdb_entry e[8];
	struct lan l;

	(void)state;
	lan_setup(&l, &p);
	lan_learn_all(&l);
	assert_int_equal(hw_switch_fdb(l.sw, e, 8), 4);
	run_until(&l.w, l.w.q.now_ns + 10 * NSEC_PER_SEC);
	assert_int_equal(hw_switch_fdb(l.sw, e, 8), 0);
	lan_teardown(&l);
}

static void s3_94_unknown_unicast_is_flooded(void **state)
{
	struct lan l;

	(void)state;
	lan_setup(&l, NULL);
	lan_send(&l, 1, from_to(&l, 1, 2, 60));
	assert_int_equal(l.host[0].n, 1);
	assert_int_equal(l.host[1].n, 0); /* not where it came from */
	assert_int_equal(l.host[2].n, 1);
	assert_int_equal(l.host[3].n, 1);
	assert_int_equal(hw_switch_stats(l.sw, 1)->flooded, 1);
	lan_teardown(&l);
}

/* The source of EVERY frame is learned, the first request's included. */
static void s3_96_source_of_every_frame_is_learned(void **state)
{
	struct hw_fdb_entry e[8];
	uint8_t a[ETH_ALEN];
	struct lan l;

	(void)state;
	lan_setup(&l, NULL);
	mac_of(a, 1);
	lan_send(&l, 0, frame_of(&l.w, mac_bcast, a, ETH_P_ARP, 42)); /* who-has */
	assert_int_equal(hw_switch_fdb(l.sw, e, 8), 1);
	lan_clear(&l);
	lan_send(&l, 1, from_to(&l, 1, 0, 42)); /* is-at: already not flooded */
	assert_int_equal(hw_switch_fdb(l.sw, e, 8), 2);
	assert_int_equal(l.host[0].n, 1);
	assert_int_equal(l.host[2].n + l.host[3].n, 0);
	lan_send(&l, 0, from_to(&l, 0, 1, 60)); /* the third frame is not flooded */
	assert_int_equal(l.host[1].n, 1);
	assert_int_equal(l.host[2].n + l.host[3].n, 0);
	lan_teardown(&l);
}

static void s3_96_entry_moves_with_its_host(void **state)
{
	struct hw_fdb_entry e[8];
	struct lan l;

	(void)state;
	lan_setup(&l, NULL);
	lan_learn_all(&l);
	lan_send(&l, 3, from_to(&l, 0, 1, 60)); /* host 0 now sits on port 3 */
	assert_int_equal(hw_switch_fdb(l.sw, e, 8), 4);
	assert_int_equal(e[0].port, 3);
	assert_int_equal(hw_switch_stats(l.sw, 3)->moves, 1);
	lan_clear(&l);
	lan_send(&l, 1, from_to(&l, 1, 0, 60));
	assert_int_equal(l.host[3].n, 1);
	assert_int_equal(l.host[0].n, 0);
	lan_teardown(&l);
}

static void s3_97_hub_repeats_everything(void **state)
{
	struct hw_switch_params p = { .hub = true };
	struct tc_params tc = { .corrupt_ppm = 1000000 };
	struct lan l;

	(void)state;
	lan_setup(&l, &p);
	lan_learn_all(&l);
	assert_int_equal(fdb_count(&l), 0);
	lan_send(&l, 0, from_to(&l, 0, 1, 60));
	assert_int_equal(l.host[0].n, 0);
	assert_int_equal(l.host[1].n + l.host[2].n + l.host[3].n, 3);
	lan_clear(&l);
	hw_cable_set_tc(l.c[0], 0, &tc); /* bits are bits */
	lan_send(&l, 0, from_to(&l, 0, 1, 60));
	assert_int_equal(l.host[1].n + l.host[2].n + l.host[3].n, 3);
	assert_false(hw_frame_check_fcs(l.host[1].got[0], 8));
	lan_teardown(&l);
}

static void s3_99_broadcast_to_all_but_the_source_never_learned(void **state)
{
	struct hw_fdb_entry e[8];
	uint8_t a[ETH_ALEN];
	struct lan l;

	(void)state;
	lan_setup(&l, NULL);
	mac_of(a, 1);
	lan_send(&l, 0, frame_of(&l.w, mac_bcast, a, ETH_P_ARP, 42));
	assert_int_equal(l.host[0].n, 0);
	for (uint32_t i = 1; i < SW_HOSTS; i++)
		assert_int_equal(l.host[i].n, 1);
	assert_int_equal(hw_switch_fdb(l.sw, e, 8), 1);
	assert_memory_equal(e[0].mac, a, 6);
	lan_teardown(&l);
}

/* The switch looks at the MAC only: the same IP payload goes where its MAC says. */
static void s3_100_only_the_mac_makes_a_broadcast(void **state)
{
	uint8_t a[ETH_ALEN], b[ETH_ALEN];
	struct hw_frame *f;
	struct lan l;

	(void)state;
	lan_setup(&l, NULL);
	lan_learn_all(&l);
	mac_of(a, 1);
	mac_of(b, 2);
	f = udp_frame(&l.w, b, a, 20);
	memset(f->data + 8 + 14 + 16, 0xff, 4); /* IP 255.255.255.255 in a unicast frame */
	hw_frame_seal(f, 62);
	lan_send(&l, 0, f);
	assert_int_equal(l.host[1].n, 1);
	assert_int_equal(l.host[2].n + l.host[3].n, 0);
	lan_teardown(&l);
}

static void link_down_forgets_the_port(void **state)
{
	struct hw_fdb_entry e[8];
	struct lan l;

	(void)state;
	lan_setup(&l, NULL);
	lan_learn_all(&l);
	hw_cable_set_up(l.c[2], false);
	assert_int_equal(hw_switch_fdb(l.sw, e, 8), 3);
	assert_int_equal(hw_switch_port_state(l.sw, 2), 0);
	lan_send(&l, 0, from_to(&l, 0, 2, 60));
	assert_int_equal(l.host[1].n + l.host[3].n, 2);
	hw_cable_set_up(l.c[2], true);
	assert_int_equal(hw_switch_port_state(l.sw, 2), 4);
	lan_teardown(&l);
}

static void a_lonely_port_has_nowhere_to_send(void **state)
{
	struct lan l;

	(void)state;
	lan_setup(&l, NULL);
	for (uint32_t i = 1; i < SW_HOSTS; i++)
		hw_cable_set_up(l.c[i], false);
	lan_send(&l, 0, from_to(&l, 0, 2, 60));
	assert_int_equal(l.sink.drops[DROP_SWITCH_NO_PORT], 1);
	lan_teardown(&l);
}

/* Without STP the switch has no timer of its own: an idle world stands still. */
static void an_idle_switch_has_no_events(void **state)
{
	struct lan l;

	(void)state;
	lan_setup(&l, NULL);
	lan_learn_all(&l);
	assert_int_equal(evq_next(&l.w.q), TIME_NEVER);
	lan_teardown(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s3_87_forwards_the_very_octets),
		cmocka_unit_test(s3_88_same_wire_receiver_as_a_nic),
		cmocka_unit_test(s3_89_bad_fcs_is_counted_and_not_forwarded),
		cmocka_unit_test(s3_89_store_and_forward_delay),
		cmocka_unit_test(s3_89_full_buffer_is_tail_drop),
		cmocka_unit_test(s3_90_ports_accept_every_address_and_have_none),
		cmocka_unit_test(s3_91_known_unicast_goes_to_one_port),
		cmocka_unit_test(s3_92_table_holds_mac_port_age),
		cmocka_unit_test(s3_93_idle_addresses_age_out),
		cmocka_unit_test(s3_93_ageing_is_a_parameter),
		cmocka_unit_test(s3_94_unknown_unicast_is_flooded),
		cmocka_unit_test(s3_96_source_of_every_frame_is_learned),
		cmocka_unit_test(s3_96_entry_moves_with_its_host),
		cmocka_unit_test(s3_97_hub_repeats_everything),
		cmocka_unit_test(s3_99_broadcast_to_all_but_the_source_never_learned),
		cmocka_unit_test(s3_100_only_the_mac_makes_a_broadcast),
		cmocka_unit_test(link_down_forgets_the_port),
		cmocka_unit_test(a_lonely_port_has_nowhere_to_send),
		cmocka_unit_test(an_idle_switch_has_no_events),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
