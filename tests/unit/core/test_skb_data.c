/* skb_data.c, uio.c: bytes read, moved and rewritten; fragments lists against plain arrays as the model. */
#include <errno.h>
#include "core/uio.h"
#include "core_fixture.h"

/* Lengths chosen so that fragments begin at odd offsets. */
static const uint32_t part_len[] = { 33, 7, 64, 1, 120 };
#define PARTS ARRAY_SIZE(part_len)
#define TOTAL (33 + 7 + 64 + 1 + 120)

/* A head of 33 linear bytes and four fragments; bytes count up. */
static struct sk_buff *make_fragged(struct net *net, uint8_t model[TOTAL])
{
	struct sk_buff *head = NULL, **at = NULL;
	uint8_t v = 3;
	uint32_t off = 0;

	for (size_t i = 0; i < PARTS; i++) {
		struct sk_buff *s = alloc_skb(net, 200);

		skb_reserve(s, 40);
		skb_put(s, part_len[i]);
		for (uint32_t j = 0; j < part_len[i]; j++)
			s->data[j] = model[off++] = (uint8_t)(v += 13);
		if (!head) {
			head = s;
			at = &skb_shinfo(s)->frag_list;
			continue;
		}
		*at = s;
		at = &s->next;
		head->len += s->len;
		head->data_len += s->len;
	}
	return head;
}

static void copy_bits_over_every_range(void **state)
{
	struct fx *f = fx_new();
	uint8_t model[TOTAL], out[TOTAL];
	struct sk_buff *s = make_fragged(f->net, model);

	(void)state;
	for (uint32_t off = 0; off <= TOTAL; off++)
		for (uint32_t len = 0; len <= TOTAL - off; len++) {
			assert_int_equal(skb_copy_bits(s, off, out, len), 0);
			assert_memory_equal(out, model + off, len);
		}
	assert_int_equal(skb_copy_bits(s, 0, out, TOTAL + 1), -EFAULT);
	assert_int_equal(skb_copy_bits(s, TOTAL + 1, out, 0), -EFAULT);
	assert_int_equal(skb_copy_bits(s, UINT32_MAX, out, 2), -EFAULT);
	consume_skb(s);
	fx_free(f);
}

static void checksum_of_fragments_is_that_of_the_whole(void **state)
{
	struct fx *f = fx_new();
	uint8_t model[TOTAL];
	struct sk_buff *s = make_fragged(f->net, model);

	(void)state;
	for (uint32_t off = 0; off < TOTAL; off++)
		for (uint32_t len = 0; len <= TOTAL - off; len += 3)
			assert_int_equal(csum_fold(skb_checksum(s, off, len, 0)),
					 csum_fold(csum_partial(model + off, len, 0)));
	consume_skb(s);
	fx_free(f);
}

static void may_pull_gathers_once_and_counts_it(void **state)
{
	struct fx *f = fx_new();
	uint8_t model[TOTAL];
	struct sk_buff *s = make_fragged(f->net, model);

	(void)state;
	s->network_header = 40;
	assert_true(skb_may_pull(s, 33));
	assert_int_equal(f->net->skb_mib.copies, 0);
	assert_false(skb_may_pull(s, TOTAL + 1));
	assert_true(skb_may_pull(s, 40));
	assert_int_equal(f->net->skb_mib.copies, 1);
	assert_int_equal(s->data_len, 0);
	assert_null(skb_shinfo(s)->frag_list);
	assert_memory_equal(s->data, model, TOTAL);
	assert_ptr_equal(skb_network_header(s), s->data);
	assert_int_equal(f->net->skb_mib.live, 1);
	consume_skb(s);
	fx_free(f);
}

static void trim_cuts_fragments_shared_or_not(void **state)
{
	struct fx *f = fx_new();
	uint8_t model[TOTAL], out[TOTAL];

	(void)state;
	for (uint32_t len = 0; len <= TOTAL; len++) {
		struct sk_buff *s = make_fragged(f->net, model), *c = len & 1 ? skb_clone(s) : NULL;

		skb_trim(s, len);
		assert_int_equal(s->len, len);
		assert_int_equal(skb_headlen(s), len < 33 ? len : 33);
		assert_int_equal(skb_copy_bits(s, 0, out, len), 0);
		assert_memory_equal(out, model, len);
		assert_int_equal(skb_copy_bits(s, 0, out, len + 1), -EFAULT);
		assert_int_equal(csum_fold(skb_checksum(s, 0, len, 0)), csum_fold(csum_partial(model, len, 0)));
		if (c) { /* the other still has all */
			assert_int_equal(skb_copy_bits(c, 0, out, TOTAL), 0);
			assert_memory_equal(out, model, TOTAL);
			consume_skb(c);
		} else {
			uint32_t sum = 0;
			for (struct sk_buff *p = skb_shinfo(s)->frag_list; p; p = p->next)
				sum += p->len;
			assert_int_equal(sum, s->data_len);
		}
		consume_skb(s);
	}
	assert_int_equal(f->net->skb_mib.live, 0);
	fx_free(f);
}

static void cow_head_leaves_the_other_alone(void **state)
{
	struct fx *f = fx_new();
	uint8_t model[TOTAL], out[TOTAL];
	struct sk_buff *s = make_fragged(f->net, model), *c = skb_clone(s);

	(void)state;
	c->transport_header = 50;
	c->mac_header = 26;
	assert_int_equal(skb_cow_head(c, 100), 0);
	assert_int_equal(skb_headroom(c), 100);
	assert_int_equal(c->transport_header, 110);
	assert_int_equal(c->mac_header, 86);
	memset(skb_push(c, 100), 0xff, 100);
	c->data[100] = 0xaa;
	assert_int_equal(skb_copy_bits(s, 0, out, TOTAL), 0);
	assert_memory_equal(out, model, TOTAL);
	assert_int_equal(skb_copy_bits(c, 101, out, TOTAL - 1), 0);
	assert_memory_equal(out, model + 1, TOTAL - 1);
	consume_skb(s);
	consume_skb(c);
	assert_int_equal(f->net->skb_mib.bytes, 0);
	fx_free(f);
}

static void cow_head_with_room_and_alone_copies_nothing(void **state)
{
	struct fx *f = fx_new();
	struct sk_buff *s = alloc_skb(f->net, 100);
	uint8_t *head = s->head;

	(void)state;
	skb_reserve(s, 50);
	skb_put(s, 10);
	assert_int_equal(skb_cow_head(s, 50), 0);
	assert_int_equal(skb_ensure_writable(s), 0);
	assert_ptr_equal(s->head, head);
	assert_int_equal(skb_cow_head(s, 51), 0);
	assert_ptr_not_equal(s->head, head);
	assert_int_equal(f->net->skb_mib.copies, 1);
	consume_skb(s);
	fx_free(f);
}

static void ensure_writable_unshares(void **state)
{
	struct fx *f = fx_new();
	struct sk_buff *s = alloc_skb(f->net, 100), *c;

	(void)state;
	memset(skb_put(s, 10), 1, 10);
	c = skb_clone(s);
	assert_int_equal(skb_ensure_writable(c), 0);
	memset(c->data, 2, 10);
	assert_int_equal(s->data[5], 1);
	assert_false(skb_cloned(s));
	consume_skb(s);
	consume_skb(c);
	fx_free(f);
}

static void copy_expand_is_linear_and_keeps_identity(void **state)
{
	struct fx *f = fx_new();
	uint8_t model[TOTAL];
	struct sk_buff *s = make_fragged(f->net, model), *c;

	(void)state;
	s->mac_header = 26;
	s->network_header = 40;
	memcpy(s->head + 26, "link header..!", 14);
	c = skb_copy_expand(s, 60, 5);
	assert_int_equal(c->serial, s->serial);
	assert_int_equal(c->data_len, 0);
	assert_memory_equal(c->data, model, TOTAL);
	assert_memory_equal(skb_mac_header(c), "link header..!", 14);
	assert_ptr_equal(skb_network_header(c), c->data);
	assert_true(skb_tailroom(c) >= 5);
	assert_int_equal(f->net->skb_mib.copies, 1);
	assert_int_equal(f->net->skb_mib.copy_bytes, TOTAL);
	assert_null(skb_copy_expand(s, SKB_MAX_DATA, 0));
	consume_skb(s);
	consume_skb(c);
	fx_free(f);
}

static void checksum_help_finishes_a_partial_one(void **state)
{
	struct fx *f = fx_new();
	struct sk_buff *s = alloc_skb(f->net, 200), *c;
	uint32_t pseudo = csum_tcpudp_nofold(0x0a000001, 0x0a000002, 28, 17, 0);

	(void)state;
	skb_reserve(s, 64);
	for (int i = 0; i < 28; i++)
		*skb_put(s, 1) = (uint8_t)(i * 7);
	s->ip_summed = CHECKSUM_PARTIAL;
	s->csum_start = 64;
	s->csum_offset = 6;
	put_be16(s->data + 6, (uint16_t)~csum_fold(pseudo));
	c = skb_clone(s);
	assert_int_equal(skb_checksum_help(c), 0);
	assert_int_equal(c->ip_summed, CHECKSUM_NONE);
	assert_int_equal(csum_fold(csum_partial(c->data, 28, pseudo)), 0);
	/* the shared header was not written */
	assert_int_equal(get_be16(s->data + 6), (uint16_t)~csum_fold(pseudo));
	assert_int_equal(skb_checksum_help(c), 0);
	s->csum_offset = 27;
	assert_int_equal(skb_checksum_help(s), -EINVAL);
	s->csum_offset = 6;
	s->csum_start = 10;
	assert_int_equal(skb_checksum_help(s), -EINVAL);
	consume_skb(s);
	consume_skb(c);
	fx_free(f);
}

static void udp_768_zero_checksum_becomes_ffff(void **state)
{
	struct fx *f = fx_new();
	struct sk_buff *s = alloc_skb(f->net, 100);

	(void)state;
	memset(skb_put(s, 8), 0, 8);
	put_be16(s->data, 0xffff); /* the sum of all is 0xffff: its complement 0 */
	s->ip_summed = CHECKSUM_PARTIAL;
	s->csum_start = 0;
	s->csum_offset = 6;
	assert_int_equal(skb_checksum_help(s), 0);
	assert_int_equal(get_be16(s->data + 6), 0xffff);
	consume_skb(s);
	fx_free(f);
}

static void s3_145_copy_to_user_walks_both_lists(void **state)
{
	struct fx *f = fx_new();
	uint8_t model[TOTAL], out[TOTAL];
	struct sk_buff *s = make_fragged(f->net, model);

	(void)state;
	for (size_t cut = 0; cut <= TOTAL - 5; cut += 5) {
		struct iovec iov[3] = { { out, cut }, { out, 0 }, { out + cut, TOTAL - 5 - cut } };
		struct iov_iter it;

		memset(out, 0, sizeof(out));
		iov_iter_init(&it, iov, 3);
		assert_int_equal(skb_copy_datagram_iter(s, 5, &it, TOTAL - 5), 0);
		assert_memory_equal(out, model + 5, TOTAL - 5);
		assert_int_equal(it.count, 0);
		assert_int_equal(skb_copy_datagram_iter(s, 0, &it, 1), -EFAULT);
	}
	assert_true(f->net->skb_mib.skb_to_user_bytes >= TOTAL - 5);
	consume_skb(s);
	fx_free(f);
}

static void iov_iter_copies_and_sums(void **state)
{
	uint8_t src[100], dst[100];
	struct iov_iter it;
	uint32_t sum = 0;

	(void)state;
	for (int i = 0; i < 100; i++)
		src[i] = (uint8_t)(i * 31);
	for (size_t a = 0; a < 100; a += 7) {
		struct iovec iov[4] = { { src, a }, { src + a, 1 }, { NULL, 0 }, { src + a + 1, 99 - a } };

		iov_iter_init(&it, iov, 4);
		assert_int_equal(it.count, 100);
		sum = 0;
		assert_int_equal(csum_copy_from_iter(dst, 60, &it, &sum), 60);
		assert_int_equal(csum_fold(sum), csum_fold(csum_partial(src, 60, 0)));
		assert_int_equal(copy_from_iter(dst + 60, 100, &it), 40);
		assert_memory_equal(dst, src, 100);
		assert_int_equal(it.count, 0);
		iov_iter_init(&it, iov, 4);
		iov_iter_advance(&it, 50);
		assert_int_equal(copy_from_iter(dst, 10, &it), 10);
		assert_memory_equal(dst, src + 50, 10);
		iov_iter_advance(&it, 1000);
		assert_int_equal(it.count, 0);
	}
	iov_iter_init(&it, NULL, 0);
	assert_int_equal(copy_from_iter(dst, 5, &it), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copy_bits_over_every_range),
		cmocka_unit_test(checksum_of_fragments_is_that_of_the_whole),
		cmocka_unit_test(may_pull_gathers_once_and_counts_it),
		cmocka_unit_test(trim_cuts_fragments_shared_or_not),
		cmocka_unit_test(cow_head_leaves_the_other_alone),
		cmocka_unit_test(cow_head_with_room_and_alone_copies_nothing),
		cmocka_unit_test(ensure_writable_unshares),
		cmocka_unit_test(copy_expand_is_linear_and_keeps_identity),
		cmocka_unit_test(checksum_help_finishes_a_partial_one),
		cmocka_unit_test(udp_768_zero_checksum_becomes_ffff),
		cmocka_unit_test(s3_145_copy_to_user_walks_both_lists),
		cmocka_unit_test(iov_iter_copies_and_sums),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
