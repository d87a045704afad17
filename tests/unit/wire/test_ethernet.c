/* The frame check sequence: the check value of CRC-32, and what a receiver relies on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/rng.h"
#include "wire/ethernet.h"

static uint32_t naive(const uint8_t *p, size_t len)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < len; i++) {
		crc ^= p[i];
		for (int k = 0; k < 8; k++)
			crc = crc & 1 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
	}
	return ~crc;
}

static void fcs_check_value(void **state)
{
	assert_int_equal(eth_fcs((const uint8_t *)"123456789", 9), 0xcbf43926);
	assert_int_equal(eth_fcs((const uint8_t *)"", 0), 0);
}

static void fcs_every_length(void **state)
{
	uint8_t buf[1600];
	struct rng r;

	rng_derive(&r, 1, "test", "fcs");
	rng_bytes(&r, buf, sizeof(buf));
	for (size_t len = 0; len <= 1518; len++)
		assert_int_equal(eth_fcs(buf + len % 5, len), naive(buf + len % 5, len));
}

/* Over frame and FCS together the CRC is a constant (IEEE 802.3's residue): the order of the
 * FCS's octets is right. And any single flipped bit is seen. */
static void fcs_residue_and_single_bit_errors(void **state)
{
	uint8_t f[64];
	struct rng r;
	uint32_t fcs;

	rng_derive(&r, 2, "test", "fcs");
	rng_bytes(&r, f, 60);
	fcs = eth_fcs(f, 60);
	for (unsigned i = 0; i < 4; i++)
		f[60 + i] = (uint8_t)(fcs >> (8 * i));
	assert_int_equal(eth_fcs(f, 64), 0x2144df1c);
	for (unsigned bit = 0; bit < 64 * 8; bit++) {
		f[bit / 8] = (uint8_t)(f[bit / 8] ^ 1u << (bit % 8));
		assert_true(eth_fcs(f, 64) != 0x2144df1c);
		f[bit / 8] = (uint8_t)(f[bit / 8] ^ 1u << (bit % 8));
	}
}

static void mac_classes(void **state)
{
	static const uint8_t bc[6] = { 255, 255, 255, 255, 255, 255 }, mc[6] = { 1, 0, 0x5e, 0, 0, 1 },
			     uc[6] = { 2, 0, 0, 0, 0, 1 }, zero[6];

	assert_true(mac_is_broadcast(bc) && mac_is_group(bc));
	assert_true(mac_is_group(mc) && !mac_is_broadcast(mc));
	assert_false(mac_is_group(uc));
	assert_true(mac_is_zero(zero) && !mac_is_zero(uc));
	assert_true(mac_equal(uc, uc) && !mac_equal(uc, mc));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fcs_check_value),
		cmocka_unit_test(fcs_every_length),
		cmocka_unit_test(fcs_residue_and_single_bit_errors),
		cmocka_unit_test(mac_classes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
