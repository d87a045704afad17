/* Two stacks and a wire that loses, reorders and duplicates: the bytes must come out as they went in. */
#include "tcp_bed.h"
#include <stdlib.h>
#include <string.h>

struct chaos {
	uint64_t seed;
	uint32_t loss_pm, dup_pm, reorder_pm;
};
static uint64_t chaos_tap(struct bed *b, const struct seg *s, void *arg)
{
	struct chaos *c = arg;
	uint64_t r = bed_seed(&c->seed);

	if (r % 1000 < c->loss_pm)
		return UINT64_MAX;
	if ((r >> 20) % 1000 < c->reorder_pm)
		return 5 * NSEC_PER_MSEC + (r >> 40) % 20000000;
	return 0;
}

static void transfer_tso(uint64_t seed, uint32_t loss, uint32_t reorder, size_t total, bool sack, uint64_t limit_s, uint32_t features)
{
	struct bed *b = bed_new(2);
	struct chaos c = { seed * 0x9e3779b97f4a7c15ull + 1, loss, 0, reorder };
	struct sock *l, *cl, *sv = NULL;
	uint8_t *out = malloc(total), *in = malloc(total + 1);
	size_t sent = 0, got = 0;
	bool closed = false, eof = false;
	uint64_t end;

	for (size_t i = 0; i < total; i++)
		out[i] = (uint8_t)bed_seed(&c.seed);
	if (!sack)
		b->net[0]->tcp->sysctl.sack = 0;
	b->dev_features = features;
	b->tap = chaos_tap;
	b->tap_arg = &c;
	l = bed_listen(b, 1, 80, 5);
	cl = bed_socket(b, 0);
	assert_int_equal(bed_connect(b, cl, 1, 80), 0);
	end = b->now_ns + limit_s * NSEC_PER_SEC;
	while (!eof && b->now_ns < end) {
		bed_run(b, NSEC_PER_MSEC);
		if (!sv)
			sv = bed_accept(l);
		if (cl->state == TCP_ESTABLISHED && sent < total) {
			ssize_t n = bed_send(cl, out + sent, total - sent, 0);

			if (n > 0)
				sent += (size_t)n;
		}
		if (sent == total && !closed) {
			bed_close(cl);
			closed = true;
		}
		for (;;) {
			ssize_t n = sv ? bed_recv(sv, in + got, total + 1 - got, 0) : -1;

			if (n == 0)
				eof = true;
			if (n <= 0)
				break;
			got += (size_t)n;
		}
	}
	if (!eof)
		print_message("seed %llu loss %u reorder %u: sent %zu got %zu of %zu\n", (unsigned long long)seed, loss, reorder, sent, got, total);
	assert_true(eof);
	assert_int_equal(got, total);
	assert_memory_equal(in, out, total);
	bed_close(sv);
	bed_close(l);
	bed_run(b, 200 * NSEC_PER_SEC);
	assert_int_equal(b->net[0]->tcp->sockets_allocated, 0);
	assert_int_equal(b->net[1]->tcp->sockets_allocated, 0);
	assert_int_equal(b->net[0]->tcp->tw_count + b->net[1]->tcp->tw_count, 0);
	assert_int_equal(b->net[0]->skb_mib.live, 0);
	assert_int_equal(b->net[1]->skb_mib.live, 0);
	if (features)
		assert_true(b->n_trains > 5);
	free(out);
	free(in);
	bed_free(b);
}

static void transfer(uint64_t seed, uint32_t loss, uint32_t reorder, size_t total, bool sack, uint64_t limit_s)
{
	transfer_tso(seed, loss, reorder, total, sack, limit_s, 0);
}

/* Trains: acknowledged, SACKed and lost in part. */
static void tso_trains(void **state)
{
	transfer_tso(1, 0, 0, 3000000, true, 60, NETIF_F_TSO);
	for (uint64_t s = 1; s <= 10; s++)
		transfer_tso(s, 8 * (uint32_t)s, 20 * (uint32_t)s, 300000, true, 600, NETIF_F_TSO);
	for (uint64_t s = 1; s <= 6; s++)
		transfer_tso(s, 8 * (uint32_t)s, 10, 150000, false, 900, NETIF_F_TSO);
}

static void s3_39_clean_transfer(void **state) { transfer(1, 0, 0, 1000000, true, 60); }
static void s3_43_loss_sweep(void **state)
{
	for (uint64_t s = 1; s <= 12; s++)
		transfer(s, 10 * (uint32_t)s, 0, 200000, true, 600);
}
static void s3_42_reorder_sweep(void **state)
{
	for (uint64_t s = 1; s <= 8; s++)
		transfer(s, 0, 30 * (uint32_t)s, 200000, true, 600);
}
static void s3_43_loss_without_sack(void **state)
{
	for (uint64_t s = 1; s <= 8; s++)
		transfer(s, 10 * (uint32_t)s, 20, 100000, false, 900);
}
static void loss_and_reorder_many_seeds(void **state)
{
	for (uint64_t s = 100; s < 140; s++)
		transfer(s, 50, 100, 50000, true, 900);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s3_39_clean_transfer),
		cmocka_unit_test(tso_trains),
		cmocka_unit_test(s3_43_loss_sweep),
		cmocka_unit_test(s3_42_reorder_sweep),
		cmocka_unit_test(s3_43_loss_without_sack),
		cmocka_unit_test(loss_and_reorder_many_seeds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
