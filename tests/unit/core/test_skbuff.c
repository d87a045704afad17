/* skbuff.c, skb_pool.c: lives, accounts, queues. */
#include "core_fixture.h"

static void accounts_allocated_is_consumed_dropped_live(void **state)
{
	struct fx *f = fx_new();
	struct skb_mib *m = &f->net->skb_mib;
	struct sk_buff *a = alloc_skb(f->net, 100), *b = alloc_skb(f->net, 2000), *c = skb_clone(b);

	(void)state;
	assert_int_equal(m->allocated, 3);
	assert_int_equal(m->clones, 1);
	assert_int_equal(m->live, 3);
	assert_true(a->serial && b->serial == a->serial + 1);
	consume_skb(a);
	kfree_skb_reason(b, DROP_NO_SOCKET);
	assert_int_equal(m->dropped_by[DROP_NO_SOCKET], 1);
	assert_int_equal(m->live, 1);
	assert_true(m->bytes > 0);
	consume_skb(c);
	assert_int_equal(m->allocated, m->consumed + m->dropped);
	assert_int_equal(m->live, 0);
	assert_int_equal(m->bytes, 0);
	consume_skb(NULL);
	fx_free(f);
}

static void s2_54_clone_shares_data_and_serial(void **state)
{
	struct fx *f = fx_new();
	struct sk_buff *a = alloc_skb(f->net, 500), *c;

	(void)state;
	skb_reserve(a, 100);
	memset(skb_put(a, 10), 7, 10);
	a->mark = 5;
	c = skb_clone(a);
	assert_ptr_equal(c->head, a->head);
	assert_ptr_equal(c->data, a->data);
	assert_int_equal(c->serial, a->serial);
	assert_int_equal(c->mark, 5);
	assert_int_equal(skb_shinfo(a)->dataref, 2);
	assert_true(skb_cloned(a));
	assert_int_equal(f->net->skb_mib.copies, 0);
	consume_skb(a); /* the other lives on */
	assert_int_equal(c->data[9], 7);
	assert_false(skb_cloned(c));
	consume_skb(c);
	fx_free(f);
}

static void s3_152_153_headers_by_moving_data(void **state)
{
	struct fx *f = fx_new();
	struct sk_buff *s = alloc_skb(f->net, MAX_TCP_HEADER + 100);
	uint8_t *head = s->head;

	(void)state;
	skb_reserve(s, MAX_TCP_HEADER);
	skb_put(s, 100);
	assert_int_equal(skb_headroom(s), MAX_TCP_HEADER);
	skb_push(s, 20);
	skb_reset_transport_header(s);
	skb_push(s, 20);
	skb_reset_network_header(s);
	skb_push(s, 14);
	skb_reset_mac_header(s);
	assert_int_equal(s->len, 154);
	assert_int_equal(skb_headroom(s), MAX_TCP_HEADER - 54);
	assert_ptr_equal(s->head, head);
	skb_pull(s, 14);
	assert_ptr_equal(s->data, skb_network_header(s));
	skb_pull(s, 20);
	assert_ptr_equal(s->data, skb_transport_header(s));
	assert_int_equal(f->net->skb_mib.copies, 0);
	consume_skb(s);
	fx_free(f);
}

static void s3_149_150_header_space_is_the_clones(void **state)
{
	struct fx *f = fx_new();
	struct sk_buff *orig = alloc_skb(f->net, 300), *c, *tap;

	(void)state;
	skb_reserve(orig, 200);
	skb_put(orig, 50);
	c = skb_clone(orig);
	assert_true(skb_header_cloned(c)); /* anybody could look there */
	consume_skb(c);
	skb_header_release(orig);
	skb_header_release(orig); /* once counts */
	assert_false(skb_header_cloned(orig));
	c = skb_clone(orig);
	assert_false(skb_header_cloned(c));
	assert_int_equal(skb_cow_head(c, 60), 0);
	assert_ptr_equal(c->head, orig->head); /* no copy */
	tap = skb_clone(c);
	assert_true(skb_header_cloned(c)); /* the tap sees headers too */
	assert_int_equal(skb_cow_head(c, 60), 0);
	assert_ptr_not_equal(c->head, orig->head);
	consume_skb(tap);
	consume_skb(c);
	assert_int_equal(skb_shinfo(orig)->dataref, 1);
	consume_skb(orig);
	fx_free(f);
}

static void a_shared_struct_ends_with_its_last_user(void **state)
{
	struct fx *f = fx_new();
	struct sk_buff *s = alloc_skb(f->net, 10);

	(void)state;
	skb_get(s);
	consume_skb(s);
	assert_int_equal(f->net->skb_mib.live, 1);
	assert_int_equal(f->net->skb_mib.consumed, 0);
	kfree_skb_reason(s, DROP_SOCKET_CLOSE);
	assert_int_equal(f->net->skb_mib.live, 0);
	fx_free(f);
}

static void pool_cap_and_host_cap_stop_allocation(void **state)
{
	struct fx *f = fx_new();
	struct sk_buff_head q;
	struct sk_buff *s;

	(void)state;
	skb_queue_head_init(&q);
	f->net->skb_max_bytes = 100000;
	while ((s = alloc_skb(f->net, 1600)) != NULL)
		skb_queue_tail(&q, s);
	assert_in_range(f->net->skb_mib.bytes, 90000, 100000);
	skb_queue_purge_reason(&q, DROP_NOMEM);
	f->net->skb_max_bytes = INT64_MAX;
	net_free(f->net);
	skb_pool_free(f->skbs);
	f->skbs = skb_pool_new(10000);
	f->net = fx_net(f, "b", 2, 1, (struct cpu_model){ 0, 0 }, NULL, 0);
	for (int i = 0; i < 4; i++) {
		s = alloc_skb(f->net, 1600);
		assert_non_null(s);
		skb_queue_tail(&q, s);
	}
	assert_null(alloc_skb(f->net, 1600));
	assert_null(skb_data_get(f->net, 4000));
	assert_in_range(skb_pool_bytes(f->skbs), 9000, 10000);
	skb_queue_purge_reason(&q, DROP_NOMEM);
	assert_null(alloc_skb(f->net, SKB_MAX_DATA + 1));
	fx_free(f);
}

static void every_size_has_room(void **state)
{
	static const uint32_t sizes[] = { 0,	1,    231,  232,   233,	  488,	 489,	1000,  1001,  2024,  2025,
					  4072, 4073, 8168, 16360, 16361, 32744, 32745, 65512, 65513, SKB_MAX_DATA };
	struct fx *f = fx_new_with(1, (struct cpu_model){ 0, 0 }, NULL, 0);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct sk_buff *s = alloc_skb(f->net, sizes[i]);
		uint8_t *buf = skb_data_get(f->net, sizes[i]);

		assert_non_null(s);
		assert_true(skb_tailroom(s) >= sizes[i]);
		memset(skb_put(s, sizes[i]), 0xee, sizes[i]);
		consume_skb(s);
		memset(buf, 0xdd, sizes[i]);
		s = build_skb(f->net, buf, sizes[i]);
		assert_ptr_equal(s->head, buf);
		assert_true(skb_tailroom(s) >= sizes[i]);
		consume_skb(s);
		skb_data_put(f->net, skb_data_get(f->net, sizes[i]), sizes[i]);
	}
	fx_free(f);
}

static unsigned destroyed;
static void count_destructor(struct sk_buff *skb)
{
	(void)skb;
	destroyed++;
}

static void s1_02_orphan_calls_the_owner_once(void **state)
{
	struct fx *f = fx_new();
	struct sk_buff *s = alloc_skb(f->net, 10);

	(void)state;
	destroyed = 0;
	s->sk = (struct sock *)(void *)f;
	s->destructor = count_destructor;
	skb_orphan(s);
	assert_null(s->sk);
	assert_null(s->destructor);
	assert_int_equal(destroyed, 1);
	skb_orphan(s);
	consume_skb(s);
	assert_int_equal(destroyed, 1);
	fx_free(f);
}

static void drop_event_shows_the_packet_and_where(void **state)
{
	struct fx *f = fx_new();
	struct sk_buff *s = alloc_skb(f->net, 200);
	long i;

	(void)state;
	fx_trace(f);
	skb_reserve(s, 64);
	skb_put(s, 60);
	skb_reset_mac_header(s);
	skb_pull(s, 14);
	kfree_skb_reason(s, DROP_IP_CSUM);
	i = rec_find(&f->rec, 0, TR_DROP, __func__);
	assert_true(i >= 0);
	assert_int_equal(f->rec.ev[i].reason, DROP_IP_CSUM);
	assert_int_equal(f->rec.ev[i].len, 60);
	assert_int_equal(f->rec.ev[i].linktype, 1);
	s = alloc_skb(f->net, 200);
	skb_put(s, 10);
	skb_reserve(s, 0);
	skb_pull(s, 4);
	skb_reset_network_header(s);
	s->protocol = ETH_P_IP;
	kfree_skb_reason(s, DROP_IP_NOPROTO);
	i = rec_find(&f->rec, (size_t)i + 1, TR_DROP, __func__);
	assert_int_equal(f->rec.ev[i].linktype, 101);
	assert_int_equal(f->rec.ev[i].len, 6);
	consume_skb(alloc_skb(f->net, 1));
	assert_int_equal(rec_count(&f->rec, TR_CONSUME, "consume_skb"), 1);
	assert_int_equal(rec_count(&f->rec, TR_BORN, "size="), 2);
	fx_free(f);
}

static void s2_69_70_splice_moves_all_in_order(void **state)
{
	struct fx *f = fx_new();
	struct sk_buff_head a, b;
	uint64_t first = 0;

	(void)state;
	skb_queue_head_init(&a);
	skb_queue_head_init(&b);
	skb_queue_splice_tail_init(&a, &b);
	assert_true(skb_queue_empty(&b));
	for (int i = 0; i < 6; i++) {
		struct sk_buff *s = alloc_skb(f->net, 10);
		first = first ? first : s->serial;
		skb_queue_tail(i < 2 ? &b : &a, s);
	}
	skb_queue_splice_tail_init(&a, &b);
	assert_int_equal(a.qlen, 0);
	assert_int_equal(b.qlen, 6);
	assert_true(skb_queue_empty(&a));
	for (uint64_t i = 0; i < 6; i++) {
		struct sk_buff *s = skb_dequeue(&b);
		assert_int_equal(s->serial, first + i);
		consume_skb(s);
	}
	assert_null(skb_dequeue(&b));
	fx_free(f);
}

static void moving_to_another_host_moves_the_charge(void **state)
{
	struct fx *f = fx_new();
	struct sk_buff *s, *c;

	(void)state;
	f->net2 = fx_net(f, "b", 2, 1, (struct cpu_model){ 0, 0 }, NULL, 0);
	s = alloc_skb(f->net, 1000);
	s->mark = 3;
	s->destructor = count_destructor;
	c = skb_clone(s);
	c->destructor = count_destructor;
	destroyed = 0;
	assert_int_equal(skb_set_net(c, f->net2), 0);
	assert_int_equal(destroyed, 1);
	assert_int_equal(c->mark, 0);
	assert_int_equal(c->serial, s->serial);
	assert_int_equal(f->net->skb_mib.live, 1);
	assert_int_equal(f->net2->skb_mib.live, 1);
	assert_true(f->net2->skb_mib.bytes > 0);
	consume_skb(s);
	assert_int_equal(f->net->skb_mib.bytes, 0);
	consume_skb(c);
	assert_int_equal(f->net2->skb_mib.bytes, 0);
	assert_int_equal(f->net2->skb_mib.consumed, 1);
	fx_free(f);
}

static unsigned ct_refs;
static void ct_get(void *ct)
{
	(void)ct;
	ct_refs++;
}
static void ct_put(void *ct)
{
	(void)ct;
	ct_refs--;
}

static void conntrack_references_follow_the_packet(void **state)
{
	static const struct nfct_ops ops = { ct_get, ct_put };
	struct fx *f = fx_new();
	struct sk_buff *s = alloc_skb(f->net, 10), *c, *d;

	(void)state;
	f->net->nfct_ops = &ops;
	ct_refs = 1;
	s->nfct = f;
	c = skb_clone(s);
	d = skb_copy_expand(s, 10, 10);
	assert_int_equal(ct_refs, 3);
	consume_skb(s);
	consume_skb(c);
	kfree_skb_reason(d, DROP_NETFILTER_DROP);
	assert_int_equal(ct_refs, 0);
	fx_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accounts_allocated_is_consumed_dropped_live),
		cmocka_unit_test(s2_54_clone_shares_data_and_serial),
		cmocka_unit_test(s3_152_153_headers_by_moving_data),
		cmocka_unit_test(s3_149_150_header_space_is_the_clones),
		cmocka_unit_test(a_shared_struct_ends_with_its_last_user),
		cmocka_unit_test(pool_cap_and_host_cap_stop_allocation),
		cmocka_unit_test(every_size_has_room),
		cmocka_unit_test(s1_02_orphan_calls_the_owner_once),
		cmocka_unit_test(drop_event_shows_the_packet_and_where),
		cmocka_unit_test(s2_69_70_splice_moves_all_in_order),
		cmocka_unit_test(moving_to_another_host_moves_the_charge),
		cmocka_unit_test(conntrack_references_follow_the_packet),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
