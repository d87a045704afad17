/* tcpdump's lines: the expected texts are those of tcpdump 4.99.3 -n on the same octets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "app/dump_print.h"
#include "wire/ethernet.h"
#include "wire/ip4.h"
#include "wire/tcp_hdr.h"

struct frame {
	uint8_t b[256];
	size_t len;
};

static struct frame ip_frame(uint8_t proto, const char *src, const char *dst, const void *body, size_t len)
{
	struct frame f = { .len = ETH_HLEN + IP4_HLEN + len };
	uint8_t *ip = f.b + ETH_HLEN;
	uint32_t a;

	memset(f.b, 2, 12);
	put_be16(f.b + 12, 0x0800);
	ip[0] = 0x45;
	put_be16(ip + 2, (uint16_t)(IP4_HLEN + len));
	ip[6] = 0x40;
	ip[8] = 64;
	ip[9] = proto;
	assert_int_equal(ip4_parse(src, &a), 0);
	put_be32(ip + 12, a);
	assert_int_equal(ip4_parse(dst, &a), 0);
	put_be32(ip + 16, a);
	put_be16(ip + 10, ip4_fast_csum(ip, IP4_HLEN));
	memcpy(ip + IP4_HLEN, body, len);
	return f;
}

static struct frame tcp_frame(bool back, uint8_t flags, uint32_t seq, uint32_t ack, const void *opt, size_t optlen, const char *data)
{
	uint8_t t[128] = { 0 };
	size_t n = strlen(data);

	put_be16(t, back ? 80 : 40000);
	put_be16(t + 2, back ? 40000 : 80);
	put_be32(t + 4, seq);
	put_be32(t + 8, ack);
	t[12] = (uint8_t)((TCP_HLEN + optlen) / 4 << 4);
	t[13] = flags;
	put_be16(t + 14, 512);
	memcpy(t + TCP_HLEN, opt, optlen);
	memcpy(t + TCP_HLEN + optlen, data, n);
	return ip_frame(6, back ? "10.0.0.2" : "10.0.0.1", back ? "10.0.0.1" : "10.0.0.2", t, TCP_HLEN + optlen + n);
}

static void expect(struct dump_style *st, struct frame f, const char *want)
{
	uint8_t *exact = malloc(f.len); /* no octet more: a sanitizer sees any read beyond */
	struct strbuf sb;

	memcpy(exact, f.b, f.len);
	sb_init(&sb);
	dump_line(&sb, st, exact, f.len);
	assert_string_equal(sb_str(&sb), want);
	sb_free(&sb);
	free(exact);
}

static void numbers_count_from_where_the_conversation_began(void **state)
{
	struct dump_flow *flows = calloc(DUMP_FLOWS, sizeof(*flows));
	struct dump_style st = { .flows = flows };
	static const uint8_t mss[] = { 2, 4, 5, 180 }, sack[] = { 1, 1, 5, 10, 0, 0, 0x13, 0x88 + 11, 0, 0, 0x13, 0x88 + 21 };

	expect(&st, tcp_frame(false, TCP_SYN, 1000, 0, mss, 4, ""),
	       "IP 10.0.0.1.40000 > 10.0.0.2.80: Flags [S], seq 1000, win 512, options [mss 1460], length 0");
	expect(&st, tcp_frame(true, TCP_SYN | TCP_ACK, 5000, 1001, mss, 4, ""),
	       "IP 10.0.0.2.80 > 10.0.0.1.40000: Flags [S.], seq 5000, ack 1001, win 512, options [mss 1460], length 0");
	expect(&st, tcp_frame(false, TCP_ACK, 1001, 5001, "", 0, ""), "IP 10.0.0.1.40000 > 10.0.0.2.80: Flags [.], ack 1, win 512, length 0");
	expect(&st, tcp_frame(false, TCP_ACK | TCP_PSH, 1001, 5001, "", 0, "GET / HTTP/1.1\r\n\r\n"),
	       "IP 10.0.0.1.40000 > 10.0.0.2.80: Flags [P.], seq 1:19, ack 1, win 512, length 18: HTTP: GET / HTTP/1.1");
	expect(&st, tcp_frame(false, TCP_ACK, 1019, 5001, sack, 12, ""),
	       "IP 10.0.0.1.40000 > 10.0.0.2.80: Flags [.], ack 1, win 512, options [nop,nop,sack 1 {11:21}], length 0");
	expect(&st, tcp_frame(true, TCP_ACK | TCP_FIN, 5001, 1019, "", 0, ""),
	       "IP 10.0.0.2.80 > 10.0.0.1.40000: Flags [F.], seq 1, ack 19, win 512, length 0");
	st.absolute = true;
	expect(&st, tcp_frame(true, TCP_ACK | TCP_FIN, 5001, 1019, "", 0, ""),
	       "IP 10.0.0.2.80 > 10.0.0.1.40000: Flags [F.], seq 5001, ack 1019, win 512, length 0");
	free(flows);
}

static void icmp_says_what_could_not_be_reached(void **state)
{
	struct dump_style st = { 0 };
	uint8_t body[36] = { 3, 3 };
	struct frame inner = ip_frame(17, "10.0.0.1", "10.0.0.2", "\x90\x00\x82\x9a\x00\x08\x00\x00", 8);

	memcpy(body + 8, inner.b + ETH_HLEN, 28);
	expect(&st, ip_frame(1, "10.0.0.2", "10.0.0.1", body, 36), "IP 10.0.0.2 > 10.0.0.1: ICMP 10.0.0.2 udp port 33434 unreachable, length 36");
	body[1] = 13;
	expect(&st, ip_frame(1, "10.0.0.2", "10.0.0.1", body, 36),
	       "IP 10.0.0.2 > 10.0.0.1: ICMP host 10.0.0.2 unreachable - admin prohibited filter, length 36");
}

/* Every packet cut at every length prints something and reads nothing beyond. */
static void any_length_is_safe(void **state)
{
	static const uint8_t opts[] = { 2, 4, 5, 180, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2, 34, 2, 19, 3, 1, 0 };
	struct dump_style st = { .verbose = 2, .link = true };
	struct frame f = tcp_frame(false, 0xff, 1, 2, opts, 20, "HTTP/1.1 200 OK\r\n");
	struct strbuf sb;

	for (size_t n = 0; n <= f.len; n++) {
		uint8_t *p = malloc(n ? n : 1);
		memcpy(p, f.b, n);
		sb_init(&sb);
		dump_line(&sb, &st, p, n);
		assert_true(sb.len > 0);
		dump_hex(&sb, p, n, true);
		dump_ascii(&sb, p, n);
		sb_free(&sb);
		free(p);
	}
}

int main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(numbers_count_from_where_the_conversation_began),
		cmocka_unit_test(icmp_says_what_could_not_be_reached),
		cmocka_unit_test(any_length_is_safe),
	};
	return cmocka_run_group_tests(t, NULL, NULL);
}
