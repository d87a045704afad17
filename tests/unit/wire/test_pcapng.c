/* pcapng, octet by octet: blocks parse, lengths agree, options are where they should be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "wire/pcapng.h"

static uint32_t le32(const void *p)
{
	const uint8_t *b = p;

	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static uint32_t le16(const void *p)
{
	const uint8_t *b = p;

	return (uint32_t)b[0] | (uint32_t)b[1] << 8;
}

/* The value of an option in a block whose options start at "at", or NULL. */
static const char *option(const char *block, size_t at, uint32_t code, uint32_t *len)
{
	size_t end = le32(block + 4) - 4;

	while (at < end) {
		uint32_t c = le16(block + at), n = le16(block + at + 2);

		if (c == 0) {
			assert_int_equal(at + 4, end);
			return NULL;
		}
		if (c == code) {
			*len = n;
			return block + at + 4;
		}
		at += 4 + (n + 3) / 4 * 4;
	}
	assert_int_equal(at, end); /* without options there is no end mark */
	return NULL;
}

static const char *next(const char *block)
{
	uint32_t len = le32(block + 4);

	assert_int_equal(len % 4, 0);
	assert_int_equal(le32(block + len - 4), len);
	return block + len;
}

static void pcapng_section_and_interfaces(void **state)
{
	static const char shb[] = "\x0a\x0d\x0d\x0a\x54\0\0\0\x4d\x3c\x2b\x1a\1\0\0\0"
				  "\xff\xff\xff\xff\xff\xff\xff\xff";
	struct strbuf sb;
	struct pcapng p;
	const char *b, *o;
	uint32_t n;

	sb_init(&sb);
	pcapng_begin(&p, &sb, "culver 0.1.0");
	assert_memory_equal(sb.buf, shb, 4);
	assert_memory_equal(sb.buf + 8, shb + 8, 16);
	o = option(sb.buf, 24, 4, &n);
	assert_non_null(o);
	assert_int_equal(n, 12);
	assert_memory_equal(o, "culver 0.1.0", 12);
	assert_non_null(option(sb.buf, 24, 2, &n));
	assert_non_null(option(sb.buf, 24, 3, &n));

	assert_int_equal(pcapng_interface(&p, "client:eth0", "client's end", 1, 4, 1000000000), 0);
	assert_int_equal(pcapng_interface(&p, "lo", NULL, 101, -1, 0), 1);
	b = next(sb.buf);
	assert_int_equal(le32(b), 1);
	assert_int_equal(le16(b + 8), 1);
	assert_int_equal(le32(b + 12), 0);
	o = option(b, 16, 2, &n);
	assert_int_equal(n, 11);
	assert_memory_equal(o, "client:eth0", 11);
	o = option(b, 16, 9, &n);
	assert_true(n == 1 && *o == 9);
	o = option(b, 16, 13, &n);
	assert_true(n == 1 && *o == 4);
	o = option(b, 16, 8, &n);
	assert_true(n == 8 && le32(o) == 1000000000 && le32(o + 4) == 0);
	b = next(b);
	assert_int_equal(le16(b + 8), 101);
	assert_null(option(b, 16, 13, &n));
	assert_null(option(b, 16, 8, &n));
	assert_null(option(b, 16, 3, &n));
	assert_ptr_equal(next(b), sb.buf + sb.len);
	sb_free(&sb);
}

static void pcapng_packets_of_every_padding(void **state)
{
	static const uint8_t data[] = { 1, 2, 3, 4, 5, 6, 7, 8 }, verdict[] = { 1, 2, 0, 0, 0, 0, 0, 0, 0 };
	struct strbuf sb;
	struct pcapng p;
	const uint64_t t = 946684800ULL * 1000000000 + 123456789;

	sb_init(&sb);
	pcapng_begin(&p, &sb, "x");
	pcapng_interface(&p, "a", NULL, 1, -1, 0);
	for (uint32_t len = 0; len <= 8; len++) {
		struct pcapng_packet pkt = { .iface = 0, .t_ns = t, .data = data, .len = len, .orig_len = 99,
					     .packetid = 0x1122334455667788, .comment = "why", .verdict = verdict,
					     .verdict_len = sizeof(verdict), .flags = 2 };
		size_t start = sb.len, opts;
		const char *b, *o;
		uint32_t n;

		pcapng_packet(&p, &pkt);
		b = sb.buf + start;
		assert_int_equal(le32(b), 6);
		assert_int_equal(le32(b + 8), 0);
		assert_true(((uint64_t)le32(b + 12) << 32 | le32(b + 16)) == t);
		assert_int_equal(le32(b + 20), len);
		assert_int_equal(le32(b + 24), 99);
		assert_memory_equal(b + 28, data, len);
		opts = 28 + (len + 3) / 4 * 4;
		o = option(b, opts, 1, &n);
		assert_true(n == 3 && memcmp(o, "why", 3) == 0);
		o = option(b, opts, 2, &n);
		assert_true(n == 4 && le32(o) == 2);
		o = option(b, opts, 5, &n);
		assert_true(n == 8 && le32(o) == 0x55667788 && le32(o + 4) == 0x11223344);
		o = option(b, opts, 7, &n);
		assert_int_equal(n, 9);
		assert_memory_equal(o, verdict, 9);
		assert_ptr_equal(next(b), sb.buf + sb.len);
	}
	sb_free(&sb);
}

static void pcapng_packet_without_options(void **state)
{
	struct strbuf sb;
	struct pcapng p;
	struct pcapng_packet pkt = { .data = (const uint8_t *)"abc", .len = 3, .orig_len = 3 };
	size_t start;

	sb_init(&sb);
	pcapng_begin(&p, &sb, "x");
	pcapng_interface(&p, "a", NULL, 1, -1, 0);
	start = sb.len;
	pcapng_packet(&p, &pkt);
	assert_int_equal(sb.len - start, 36);
	assert_int_equal(le32(sb.buf + start + 4), 36);
	sb_free(&sb);
}

static void pcapng_comment_longer_than_an_option_is_cut(void **state)
{
	struct strbuf sb;
	struct pcapng p;
	struct pcapng_packet pkt = { .data = (const uint8_t *)"abc", .len = 3, .orig_len = 3 };
	char *comment = malloc(200001);
	size_t start;
	uint32_t n;

	memset(comment, 'c', 200000);
	comment[200000] = '\0';
	pkt.comment = comment;
	sb_init(&sb);
	pcapng_begin(&p, &sb, "x");
	pcapng_interface(&p, "a", NULL, 1, -1, 0);
	start = sb.len;
	pcapng_packet(&p, &pkt);
	assert_non_null(option(sb.buf + start, 32, 1, &n));
	assert_int_equal(n, 65532);
	assert_ptr_equal(next(sb.buf + start), sb.buf + sb.len);
	sb_free(&sb);
	free(comment);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pcapng_section_and_interfaces),
		cmocka_unit_test(pcapng_packets_of_every_padding),
		cmocka_unit_test(pcapng_packet_without_options),
		cmocka_unit_test(pcapng_comment_longer_than_an_option_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
