/* A neighbour's life in virtual time: S3-78 to S3-80, and what waits, ages, probes and fails. */
#include <errno.h>
#include "neigh_fixture.h"

#define SEC NSEC_PER_SEC
#define A IP(10, 0, 0, 2)

static void s3_80_first_packet_waits_for_the_reply(void **state)
{
	struct nfx *x = nfx_new();
	struct sk_buff *skb;

	assert_int_equal(nfx_state(x, A), 0xff);
	assert_int_equal(nfx_send(x, A), 0);
	assert_int_equal(nfx_state(x, A), NUD_INCOMPLETE);
	assert_int_equal(x->asked, 1);
	assert_true(x->asked_broadcast[0]);
	nfx_send(x, A);
	nfx_send(x, A);
	assert_int_equal(x->asked, 1); /* not once per packet */
	nfx_run(x, 300 * NSEC_PER_MSEC);
	assert_int_equal(x->d->sent.qlen, 0);
	nfx_reply(x, A, 7);
	net_run(x->f->net);
	assert_int_equal(nfx_state(x, A), NUD_REACHABLE);
	assert_int_equal(x->d->sent.qlen, 3);
	skb = skb_peek(&x->d->sent);
	assert_int_equal(skb->data[5], 7);
	assert_memory_equal(skb->data + 6, x->d->dev->dev_addr, 6);
	assert_int_equal(get_be16(skb->data + 12), ETH_P_IP);
	assert_int_equal(skb->len, 54);
	assert_int_equal(x->tbl.queued_bytes, 0);
	nfx_end(x);
}

static void s3_79_a_hundred_packets_one_request(void **state)
{
	struct nfx *x = nfx_new();

	nfx_send(x, A);
	nfx_reply(x, A, 7);
	fx_trace(x->f);
	for (int i = 0; i < 99; i++) {
		assert_int_equal(nfx_send(x, A), 0);
		nfx_run(x, 50 * NSEC_PER_MSEC);
	}
	assert_int_equal(x->asked, 1);
	assert_int_equal(x->d->sent.qlen, 100);
	/* the header is put in front ready made; the first packet made it */
	assert_int_equal(rec_count(&x->f->rec, TR_ENTER, "neigh_hh_output"), 99);
	assert_int_equal(rec_count(&x->f->rec, TR_ENTER, "neigh_output"), 99);
	nfx_end(x);
}

static void s3_80_no_reply_three_broadcasts_then_failed(void **state)
{
	struct nfx *x = nfx_new();
	uint64_t t0 = x->f->net->now_ns;

	nfx_send(x, A);
	nfx_send(x, A);
	nfx_run(x, 2999 * NSEC_PER_MSEC);
	assert_int_equal(nfx_state(x, A), NUD_INCOMPLETE);
	assert_int_equal(x->reported, 0);
	nfx_run(x, 10 * NSEC_PER_MSEC);
	assert_int_equal(nfx_state(x, A), NUD_FAILED);
	assert_int_equal(x->reported, 2); /* each sender is told */
	assert_int_equal(x->asked, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(x->asked_broadcast[i]);
		assert_int_equal(x->asked_at[i], t0 + i * SEC);
	}
	assert_int_equal(x->tbl.stats.res_failed, 1);
	assert_int_equal(net_next_deadline(x->f->net), TIME_NEVER); /* and then there is rest */
	/* the next packet tries again */
	nfx_send(x, A);
	assert_int_equal(nfx_state(x, A), NUD_INCOMPLETE);
	assert_int_equal(x->asked, 4);
	nfx_end(x);
}

static void reachable_ages_to_stale_in_half_to_one_and_a_half(void **state)
{
	struct nfx *x = nfx_new();
	uint64_t reach, t0;

	nfx_send(x, A);
	nfx_reply(x, A, 7);
	reach = x->tbl.parms.reachable_time_ns;
	assert_in_range(reach, 15 * SEC, 45 * SEC);
	t0 = x->f->net->now_ns;
	nfx_run(x, reach - 1);
	assert_int_equal(nfx_state(x, A), NUD_REACHABLE);
	nfx_run(x, 2);
	assert_int_equal(nfx_state(x, A), NUD_STALE);
	assert_int_equal(net_next_deadline(x->f->net), TIME_NEVER);
	assert_int_equal(x->asked, 1);
	assert_true(x->f->net->now_ns - t0 < 46 * SEC);
	nfx_end(x);
}

static void make_stale(struct nfx *x)
{
	nfx_send(x, A);
	nfx_reply(x, A, 7);
	nfx_run(x, 60 * SEC);
	assert_int_equal(nfx_state(x, A), NUD_STALE);
	nfx_forget_sent(x);
	x->asked = 0;
}

static void s3_80_stale_is_used_at_once_then_probed_by_unicast(void **state)
{
	struct nfx *x = nfx_new();
	uint64_t t0;

	make_stale(x);
	t0 = x->f->net->now_ns;
	nfx_send(x, A);
	net_run(x->f->net);
	assert_int_equal(x->d->sent.qlen, 1); /* no waiting */
	assert_int_equal(nfx_state(x, A), NUD_DELAY);
	nfx_run(x, 5 * SEC - 1);
	assert_int_equal(x->asked, 0);
	nfx_run(x, 1);
	assert_int_equal(nfx_state(x, A), NUD_PROBE);
	assert_int_equal(x->asked, 1);
	assert_false(x->asked_broadcast[0]);
	assert_int_equal(x->asked_at[0], t0 + 5 * SEC);
	nfx_send(x, A); /* packets still go */
	net_run(x->f->net);
	assert_int_equal(x->d->sent.qlen, 2);
	nfx_reply(x, A, 7);
	assert_int_equal(nfx_state(x, A), NUD_REACHABLE);
	nfx_end(x);
}

static void probe_in_vain_fails_after_three_unicasts(void **state)
{
	struct nfx *x = nfx_new();
	uint64_t t0;

	make_stale(x);
	t0 = x->f->net->now_ns;
	nfx_send(x, A);
	nfx_run(x, 20 * SEC);
	assert_int_equal(nfx_state(x, A), NUD_FAILED);
	assert_int_equal(x->asked, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_false(x->asked_broadcast[i]);
		assert_int_equal(x->asked_at[i], t0 + (5 + i) * SEC);
	}
	nfx_end(x);
}

static void progress_of_a_higher_layer_saves_the_probe(void **state)
{
	struct nfx *x = nfx_new();

	make_stale(x);
	nfx_send(x, A);
	nfx_run(x, 3 * SEC);
	neigh_confirm(neigh_lookup_noref(&x->tbl, A, x->d->dev)); /* an ACK came */
	nfx_run(x, 3 * SEC);
	assert_int_equal(nfx_state(x, A), NUD_REACHABLE);
	assert_int_equal(x->asked, 0);
	nfx_end(x);
}

static void in_use_at_the_end_of_reachable_goes_to_delay(void **state)
{
	struct nfx *x = nfx_new();

	nfx_send(x, A);
	nfx_reply(x, A, 7);
	nfx_run(x, x->tbl.parms.reachable_time_ns - SEC);
	nfx_send(x, A);
	nfx_run(x, 2 * SEC);
	assert_int_equal(nfx_state(x, A), NUD_DELAY);
	nfx_end(x);
}

static void heard_of_is_stale_and_proves_nothing(void **state)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 1, 9 };
	struct nfx *x = nfx_new();
	struct neighbour *n = nfx_get(x, A);

	/* a request for us: STALE */
	assert_int_equal(neigh_update(n, mac, NUD_STALE, NEIGH_UPDATE_F_OVERRIDE), 0);
	assert_int_equal(n->nud_state, NUD_STALE);
	assert_false(n->confirmed);
	nfx_reply(x, A, 9);
	/* and heard of again: stays REACHABLE */
	assert_int_equal(neigh_update(n, mac, NUD_STALE, NEIGH_UPDATE_F_OVERRIDE), 0);
	assert_int_equal(n->nud_state, NUD_REACHABLE);
	nfx_end(x);
}

static void another_address_needs_override(void **state)
{
	static const uint8_t other[6] = { 2, 0, 0, 0, 2, 2 };
	struct nfx *x = nfx_new();
	struct neighbour *n;

	nfx_send(x, A);
	nfx_reply(x, A, 7);
	n = nfx_get(x, A);
	assert_int_equal(neigh_update(n, other, NUD_REACHABLE, 0), 0);
	assert_int_equal(n->ha[5], 7);
	assert_int_equal(neigh_update(n, other, NUD_STALE, NEIGH_UPDATE_F_WEAK_OVERRIDE), 0);
	assert_int_equal(n->ha[5], 7); /* kept, but in doubt */
	assert_int_equal(n->nud_state, NUD_STALE);
	assert_int_equal(neigh_update(n, other, NUD_STALE, NEIGH_UPDATE_F_OVERRIDE), 0);
	assert_memory_equal(n->ha, other, 6);
	nfx_forget_sent(x);
	nfx_send(x, A);
	net_run(x->f->net);
	assert_memory_equal(skb_peek(&x->d->sent)->data, other, 6); /* no header of old */
	nfx_end(x);
}

static void permanent_and_noarp_only_change_by_the_administrator(void **state)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 1, 9 }, lie[6] = { 2, 6, 6, 6, 6, 6 };
	struct nfx *x = nfx_new();
	struct neighbour *n = nfx_get(x, A);

	assert_int_equal(neigh_update(n, mac, NUD_PERMANENT, NEIGH_UPDATE_F_ADMIN | NEIGH_UPDATE_F_OVERRIDE), 0);
	assert_int_equal(neigh_update(n, lie, NUD_REACHABLE, NEIGH_UPDATE_F_OVERRIDE), -EPERM);
	assert_memory_equal(n->ha, mac, 6);
	nfx_send(x, A);
	nfx_run(x, 3600 * SEC);
	assert_int_equal(n->nud_state, NUD_PERMANENT);
	assert_int_equal(x->asked, 0);
	n = nfx_get(x, IP(224, 0, 0, 1));
	assert_int_equal(neigh_update(n, lie, NUD_REACHABLE, NEIGH_UPDATE_F_OVERRIDE), -EPERM);
	assert_int_equal(neigh_update(nfx_get(x, IP(10, 0, 0, 3)), NULL, NUD_REACHABLE, 0), -EINVAL);
	nfx_end(x);
}

static void queue_is_bounded_in_bytes_and_drops_the_oldest(void **state)
{
	struct nfx *x = nfx_new();
	struct neighbour *n;
	unsigned sent = 0;
	uint64_t first, now_first;

	nfx_send(x, A);
	n = nfx_get(x, A);
	first = skb_peek(&n->arp_queue)->serial;
	while (!x->f->net->skb_mib.dropped) {
		nfx_send(x, A);
		sent++;
		assert_true(sent < 1000);
	}
	now_first = skb_peek(&n->arp_queue)->serial;
	assert_true(now_first > first);
	assert_true(n->arp_queue_len_bytes <= 212992);
	assert_int_equal(x->f->net->skb_mib.dropped_by[DROP_NEIGH_QUEUEFULL], 1);
	assert_int_equal(x->tbl.stats.unres_discards, 1);
	assert_int_equal(x->tbl.queued_bytes, n->arp_queue_len_bytes);
	assert_int_equal(sysctl_set(x->f->net, "net.ipv4.neigh.default.unres_qlen_bytes", "0"), 0);
	nfx_send(x, A); /* the newest always finds room */
	assert_int_equal(n->arp_queue.qlen, 1);
	nfx_end(x);
}

static void arp_07_all_queues_together_are_bounded(void **state)
{
	struct nfx *x = nfx_new();

	for (uint32_t i = 0; i < 900; i++)
		for (int k = 0; k < 40; k++)
			nfx_send(x, IP(10, 1, 0, 0) + i);
	assert_true(x->tbl.queued_bytes <= NEIGH_QUEUE_TOTAL_MAX);
	assert_true(x->f->net->skb_mib.dropped_by[DROP_NEIGH_QUEUEFULL] > 0);
	nfx_run(x, 10 * SEC);
	assert_int_equal(x->tbl.queued_bytes, 0);
	nfx_end(x);
}

static void arp_07_one_request_a_second_for_an_address(void **state)
{
	struct nfx *x = nfx_new();

	for (int i = 0; i < 2500; i++) {
		nfx_send(x, A);
		nfx_run(x, NSEC_PER_MSEC);
	}
	assert_int_equal(x->asked, 3);
	nfx_end(x);
}

static void deleted_entry_drops_what_waits(void **state)
{
	struct nfx *x = nfx_new();
	struct neighbour *n;

	nfx_send(x, A);
	n = neigh_hold(nfx_get(x, A));
	assert_int_equal(neigh_delete(&x->tbl, A, x->d->dev), 0);
	assert_int_equal(neigh_delete(&x->tbl, A, x->d->dev), -ENOENT);
	assert_true(n->dead);
	assert_int_equal(x->tbl.entries, 0);
	assert_int_equal(x->reported, 1);
	assert_int_equal(neigh_output(n, nfx_packet(x, 40)), -ENETDOWN);
	assert_int_equal(x->f->net->skb_mib.dropped_by[DROP_NEIGH_DEAD], 1);
	assert_int_equal(neigh_update(n, x->d->dev->dev_addr, NUD_REACHABLE, 0), -EINVAL);
	neigh_release(n);
	nfx_run(x, 10 * SEC);
	nfx_end(x);
}

static void states_are_told(void **state)
{
	struct nfx *x = nfx_new();
	static const char *const want[] = { "state=INCOMPLETE was=NONE lladdr=-",
					    "state=REACHABLE was=INCOMPLETE lladdr=02:00:00:00:01:07",
					    "state=STALE was=REACHABLE", "state=DELAY was=STALE",
					    "state=PROBE was=DELAY", "state=FAILED was=PROBE lladdr=-" };
	long at = 0;

	fx_trace(x->f);
	make_stale(x);
	nfx_send(x, A);
	nfx_run(x, 20 * SEC);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		at = rec_find(&x->f->rec, (size_t)at, TR_NEIGH, want[i]);
		if (at < 0)
			fail_msg("no event %s", want[i]);
		assert_non_null(strstr(x->f->rec.ev[at].text, "dev=eth0 addr=10.0.0.2 "));
	}
	assert_true(rec_count(&x->f->rec, TR_ENTER, "neigh_timer_handler") >= 5);
	assert_string_equal(nud_name(NUD_PERMANENT), "PERMANENT");
	nfx_end(x);
}

static void reachable_time_is_drawn_anew_and_repeats_by_seed(void **state)
{
	struct nfx *x = nfx_new(), *y = nfx_new();
	uint64_t first = x->tbl.parms.reachable_time_ns;

	assert_int_equal(first, y->tbl.parms.reachable_time_ns);
	nfx_send(x, A);
	nfx_reply(x, A, 7);
	assert_int_equal(x->tbl.parms.reachable_time_ns, first);
	nfx_run(x, 301 * SEC);
	nfx_reply(x, A, 7);
	assert_int_not_equal(x->tbl.parms.reachable_time_ns, first);
	assert_int_equal(sysctl_set(x->f->net, "net.ipv4.neigh.default.base_reachable_time_ms", "2000"), 0);
	assert_in_range(x->tbl.parms.reachable_time_ns, 1 * SEC, 3 * SEC);
	nfx_end(x);
	nfx_end(y);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s3_80_first_packet_waits_for_the_reply),
		cmocka_unit_test(s3_79_a_hundred_packets_one_request),
		cmocka_unit_test(s3_80_no_reply_three_broadcasts_then_failed),
		cmocka_unit_test(reachable_ages_to_stale_in_half_to_one_and_a_half),
		cmocka_unit_test(s3_80_stale_is_used_at_once_then_probed_by_unicast),
		cmocka_unit_test(probe_in_vain_fails_after_three_unicasts),
		cmocka_unit_test(progress_of_a_higher_layer_saves_the_probe),
		cmocka_unit_test(in_use_at_the_end_of_reachable_goes_to_delay),
		cmocka_unit_test(heard_of_is_stale_and_proves_nothing),
		cmocka_unit_test(another_address_needs_override),
		cmocka_unit_test(permanent_and_noarp_only_change_by_the_administrator),
		cmocka_unit_test(queue_is_bounded_in_bytes_and_drops_the_oldest),
		cmocka_unit_test(arp_07_all_queues_together_are_bounded),
		cmocka_unit_test(arp_07_one_request_a_second_for_an_address),
		cmocka_unit_test(deleted_entry_drops_what_waits),
		cmocka_unit_test(states_are_told),
		cmocka_unit_test(reachable_time_is_drawn_anew_and_repeats_by_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
