/* Frames: sealing, finding the SFD, checking the FCS. */
#include "hw_test.h"

static void s3_83_preamble_sfd_padding_fcs(void **state)
{
	static const uint8_t head[8] = { 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0xd5 };
	static const uint8_t zeros[60] = { 0 };
	struct world w;
	struct hw_frame *f;
	uint32_t crc;

	(void)state;
	world_init(&w);
	f = plain(&w, 42);
	assert_int_equal(f->len, 8 + 60 + 4);
	assert_memory_equal(f->data, head, 8);
	assert_memory_equal(f->data + 8 + 42, zeros, 18);
	crc = eth_fcs(f->data + 8, 60);
	assert_int_equal(f->data[68], crc & 0xff);
	assert_int_equal(f->data[71], crc >> 24);
	hw_frame_put(f);
	f = plain(&w, 1514);
	assert_int_equal(f->len, 8 + 1514 + 4);
	hw_frame_put(f);
	world_free(&w);
}

/* The CRC of 802.3, bit by bit: the FCS is this and nothing else. */
static void s3_83_fcs_is_reflected_edb88320(void **state)
{
	struct world w;
	struct hw_frame *f;
	uint32_t crc = 0xffffffff;

	(void)state;
	world_init(&w);
	f = plain(&w, 1000);
	for (uint32_t i = 8; i < 8 + 1000; i++) {
		crc ^= f->data[i];
		for (int b = 0; b < 8; b++)
			crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
	}
	crc = ~crc;
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(f->data[8 + 1000 + i], crc >> (8 * i) & 0xff);
	hw_frame_put(f);
	world_free(&w);
}

static void s3_84_sfd_found_behind_noise_and_short_preambles(void **state)
{
	static const struct {
		uint8_t octets[24];
		uint32_t len;
		int at;
	} cases[] = {
		{ { 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0xd5, 1, 2 }, 10, 8 },
		{ { 0x55, 0x55, 0xd5, 1, 2 }, 5, 3 },
		{ { 0xd5, 1, 2 }, 3, 1 },
		{ { 0x00, 0xd5, 0x17, 0x55, 0x55, 0x55, 0xd5, 1, 2 }, 9, 7 },
		{ { 0x55, 0x55, 0x55, 0x54, 0x55, 0x55, 0x55, 0xd5, 1, 2 }, 10, 8 },
		{ { 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x57, 0xd5, 1, 2 }, 10, 8 },
		{ { 0x55, 0x55, 0x55, 0x55 }, 4, -1 },
		{ { 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x95, 1, 2 }, 10, -1 },
		{ { 0 }, 0, -1 },
	};
	struct world w;

	(void)state;
	world_init(&w);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct hw_frame *f = hw_frame_new(&w.w, 24);

		memcpy(f->data, cases[i].octets, cases[i].len);
		f->len = cases[i].len;
		assert_int_equal(hw_frame_find_sfd(f), cases[i].at);
		hw_frame_put(f);
	}
	world_free(&w);
}

static void s3_85_every_single_bit_flip_fails_the_fcs(void **state)
{
	struct world w;
	struct hw_frame *f, *bad;

	(void)state;
	world_init(&w);
	f = plain(&w, 64);
	assert_true(hw_frame_check_fcs(f, 8));
	for (uint32_t bit = 0; bit < (f->len - 8) * 8; bit++) {
		bad = hw_frame_copy(f);
		bad->data[8 + bit / 8] ^= (uint8_t)(1u << bit % 8);
		bad->fcs_ok = false;
		assert_false(hw_frame_check_fcs(bad, 8));
		assert_false(bad->fcs_ok);
		hw_frame_put(bad);
	}
	hw_frame_put(f);
	world_free(&w);
}

static void fcs_ok_is_remembered_and_copied(void **state)
{
	struct world w;
	struct hw_frame *f, *c;

	(void)state;
	world_init(&w);
	f = plain(&w, 100);
	assert_true(f->fcs_ok);
	f->fcs_ok = false;
	assert_true(hw_frame_check_fcs(f, 8));
	assert_true(f->fcs_ok);
	c = hw_frame_copy(f);
	assert_true(c->fcs_ok);
	assert_int_equal(c->len, f->len);
	assert_memory_equal(c->data, f->data, f->len);
	hw_frame_put(c);
	hw_frame_put(f);
	world_free(&w);
}

static void frames_come_from_three_sizes(void **state)
{
	struct world w;
	struct hw_frame *s, *m, *j;

	(void)state;
	world_init(&w);
	s = hw_frame_new(&w.w, 100);
	m = hw_frame_new(&w.w, 1530);
	j = hw_frame_new(&w.w, 9030);
	assert_int_equal(w.w.frames_small.live, 1);
	assert_int_equal(w.w.frames_mtu.live, 1);
	assert_true(j->room >= 9030);
	hw_frame_get(s);
	hw_frame_put(s);
	assert_int_equal(w.w.frames_small.live, 1);
	hw_frame_put(s);
	hw_frame_put(m);
	hw_frame_put(j);
	world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s3_83_preamble_sfd_padding_fcs),
		cmocka_unit_test(s3_83_fcs_is_reflected_edb88320),
		cmocka_unit_test(s3_84_sfd_found_behind_noise_and_short_preambles),
		cmocka_unit_test(s3_85_every_single_bit_flip_fails_the_fcs),
		cmocka_unit_test(fcs_ok_is_remembered_and_copied),
		cmocka_unit_test(frames_come_from_three_sizes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
