/* IP options, judged before they are believed: attacks IP4-14 to IP4-19, ICMP-19; RFC 1122 3.2.1.8. */
#include "bed.h"
#include <stdlib.h>

static struct bed *b;
static struct wire *w, *w1;
static int fd;
#define ME IP(10, 0, 0, 1)
#define PEER IP(10, 0, 0, 9)

static int setup(void **state)
{
	b = bed_new();
	w = bed_wire(b, "eth0", "10.0.0.1/24");
	w1 = bed_wire(b, "eth1", "10.1.0.1/24");
	fd = bed_udp(b, NULL, 7000);
	bed_trace_clear(b);
	return 0;
}

static int teardown(void **state)
{
	bed_free(b);
	return 0;
}

/* An empty-bodied UDP datagram (5 octets "hello", no checksum) with these options. */
static struct pkt *with(uint32_t daddr, const uint8_t *opts, uint32_t n)
{
	uint32_t hlen = 20 + ((n + 3) & ~3u);
	struct pkt *p = pkt_new(PEER, daddr, 17, NULL, 13, hlen);
	uint8_t *u;

	memset(p->b + ETH_HLEN + 20, 0, hlen - 20);
	memcpy(p->b + ETH_HLEN + 20, opts, n);
	u = pkt_l4(p);
	put_be16(u, 5000);
	put_be16(u + 2, 7000);
	put_be16(u + 4, 13);
	put_be16(u + 6, 0);
	pkt_fix(p);
	return p;
}

static bool delivered(void)
{
	char buf[64];

	return bed_recv(b, fd, buf, sizeof(buf)) == 5;
}

#define OPTS(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

/* Dropped, and the sender may hear where the fault is. */
static void expect_bad(const uint8_t *o, uint32_t n, unsigned pointer)
{
	uint64_t was = bed_drops(b, DROP_IP_BAD_OPTION);

	bed_sleep(b, 10 * NSEC_PER_SEC);
	wire_clear(w);
	wire_in(w, with(ME, o, n));
	assert_int_equal(bed_drops(b, DROP_IP_BAD_OPTION) - was, 1);
	assert_false(delivered());
	assert_int_equal(wire_icmp(w, wire_count(w, ETH_P_IP) - 1)->type, 12);
	assert_int_equal(wire_icmp(w, wire_count(w, ETH_P_IP) - 1)->rest[0], pointer);
	/* IP4-16: no option of the bad packet comes back in the error's header */
	assert_int_equal(ip4_hlen(wire_ip(w, wire_count(w, ETH_P_IP) - 1)), 20);
}

static void ip4_14_length_zero_and_one(void **state)
{
	expect_bad(OPTS(7, 0, 4, 0), 20);
	expect_bad(OPTS(7, 1, 4, 0), 20);
	expect_bad(OPTS(200, 0), 20);
	expect_bad(OPTS(1, 1, 200, 1), 22);
}

static void ip4_15_option_past_header(void **state)
{
	expect_bad(OPTS(0x83, 0x27, 4, 0, 0, 0, 0, 0), 20);
	expect_bad(OPTS(1, 1, 1, 7), 23); /* the length octet itself is missing */
	expect_bad(OPTS(200, 9, 0, 0, 0, 0, 0, 0), 20);
}

static void ip4_16_two_source_routes(void **state)
{
	expect_bad(OPTS(0x89, 7, 4, 1, 2, 3, 4, 0x89, 7, 4, 1, 2, 3, 4), 27);
	expect_bad(OPTS(0x89, 3, 4, 0x89, 0x20, 4, 0, 0), 23);
	/* an error about a packet with sound options carries at most what fits */
	bed_sleep(b, 10 * NSEC_PER_SEC);
	wire_clear(w);
	{
		struct pkt *p = with(ME, OPTS(7, 39, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));

		put_be16(pkt_l4(p) + 2, 9); /* a closed port */
		wire_in(w, p);
	}
	assert_int_equal(wire_icmp(w, 0)->type, 3);
	assert_true(ip4_hlen(wire_ip(w, 0)) <= 60);
}

static void ip4_17_source_routes_are_refused(void **state)
{
	static const uint8_t kinds[] = { 131, 137 };

	for (unsigned i = 0; i < 2; i++) {
		uint64_t was = bed_drops(b, DROP_IP_SOURCE_ROUTE);

		wire_in(w, with(ME, OPTS(kinds[i], 7, 4, 10, 1, 0, 5)));  /* more stops to come */
		wire_in(w, with(ME, OPTS(kinds[i], 7, 8, 10, 1, 0, 5)));  /* complete */
		assert_int_equal(bed_drops(b, DROP_IP_SOURCE_ROUTE) - was, 2);
		assert_false(delivered());
		/* hidden behind an overlong option */
		wire_in(w, with(ME, OPTS(200, 20, 0, 0, kinds[i], 7, 4, 10, 1, 0, 5)));
		assert_int_equal(bed_drops(b, DROP_IP_BAD_OPTION), i + 1);
	}
	bed_sysctl(b, "net.ipv4.ip_forward", "1");
	wire_in(w, with(ME, OPTS(131, 7, 4, 10, 1, 0, 5)));
	assert_int_equal(wire_count(w1, ETH_P_IP), 0);
	/* RFC 1122 3.3.5: only with both switches; then the next stop takes the destination's place */
	bed_sysctl(b, "net.ipv4.conf.all.accept_source_route", "1");
	wire_in(w, with(ME, OPTS(131, 7, 4, 10, 1, 0, 5)));
	assert_int_equal(wire_count(w1, ETH_P_IP), 1);
	assert_int_equal(ip4_daddr(wire_ip(w1, 0)), IP(10, 1, 0, 5));
	assert_int_equal(ip4_fast_csum(wire_ip(w1, 0), 28), 0);
	assert_int_equal(((const uint8_t *)wire_ip(w1, 0))[22], 8);                        /* pointer moved on */
	assert_int_equal(get_be32((const uint8_t *)wire_ip(w1, 0) + 23), IP(10, 1, 0, 1)); /* we are recorded */
	wire_in(w, with(ME, OPTS(131, 7, 8, 10, 1, 0, 5))); /* complete: up (R1122-I24) */
	assert_true(delivered());
}

static void ip4_18_record_route_and_timestamp_pointers(void **state)
{
	expect_bad(OPTS(7, 7, 0, 0, 0, 0, 0), 22);
	expect_bad(OPTS(7, 7, 1, 0, 0, 0, 0), 22);
	expect_bad(OPTS(7, 7, 3, 0, 0, 0, 0), 22);
	expect_bad(OPTS(7, 7, 5, 0, 0, 0, 0), 22); /* an address that would not fit */
	expect_bad(OPTS(68, 8, 4, 0, 0, 0, 0, 0), 22);
	expect_bad(OPTS(68, 8, 6, 0, 0, 0, 0, 0), 22);
	expect_bad(OPTS(68, 8, 9, 0xf0, 0, 0, 0, 0), 23); /* overflow count at 15 */
	expect_bad(OPTS(68, 8, 5, 2, 0, 0, 0, 0), 23);     /* no such flag */
	expect_bad(OPTS(68, 8, 5, 3, 0, 0, 0, 0), 22);     /* prespecified: address and time do not fit */
	expect_bad(OPTS(7, 2, 0, 0), 21);
	expect_bad(OPTS(68, 3, 5), 21);
	/* full: left alone; timestamp counts one more that could not */
	wire_in(w, with(ME, OPTS(7, 7, 8, 1, 2, 3, 4)));
	assert_true(delivered());
	wire_in(w, with(ME, OPTS(68, 8, 9, 0x10, 0, 0, 0, 0)));
	assert_true(delivered());
}

static void ip4_19_nops_and_end(void **state)
{
	uint8_t o[40];

	memset(o, 1, sizeof(o));
	wire_in(w, with(ME, o, 40));
	assert_true(delivered());
	memset(o, 0, sizeof(o));
	o[10] = 7; /* garbage behind the end */
	wire_in(w, with(ME, o, 40));
	assert_true(delivered());
	wire_in(w, with(ME, OPTS(200, 4, 1, 2))); /* R1122-I21: what we do not know */
	assert_true(delivered());
	wire_in(w, with(ME, OPTS(136, 4, 0, 1))); /* R1122-I22: stream id */
	assert_true(delivered());
}

static void record_route_through_a_router_and_back(void **state)
{
	struct pkt *p;
	const uint8_t *h;

	bed_sysctl(b, "net.ipv4.ip_forward", "1");
	wire_in(w, with(IP(10, 1, 0, 5), OPTS(7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0)));
	h = (const uint8_t *)wire_ip(w1, 0);
	assert_int_equal(h[22], 8);
	assert_int_equal(get_be32(h + 23), IP(10, 1, 0, 1)); /* the address it left by */
	assert_int_equal(ip4_fast_csum(h, 32), 0);
	/* an echo with record route: the reply has it too */
	p = pkt_new(PEER, ME, 1, NULL, 16, 32);
	memcpy(p->b + ETH_HLEN + 20, ((const uint8_t[]){ 7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0 }), 12);
	memset(pkt_l4(p), 0, 16);
	pkt_l4(p)[0] = 8;
	put_be16(pkt_l4(p) + 2, csum_fold(csum_partial(pkt_l4(p), 16, 0)));
	pkt_fix(p);
	wire_clear(w);
	wire_in(w, p);
	h = (const uint8_t *)wire_ip(w, wire_count(w, ETH_P_IP) - 1);
	assert_int_equal(ip4_hlen((const void *)h), 32);
	assert_int_equal(h[20], 7);
	assert_int_equal(get_be32(h + 23), ME);
	assert_int_equal(ip4_fast_csum(h, 32), 0);
}

static void icmp_19_no_reply_by_a_source_route(void **state)
{
	struct pkt *p = pkt_new(PEER, ME, 1, NULL, 16, 28);

	memcpy(p->b + ETH_HLEN + 20, ((const uint8_t[]){ 131, 7, 8, 10, 1, 0, 99, 0 }), 8);
	memset(pkt_l4(p), 0, 16);
	pkt_l4(p)[0] = 8;
	put_be16(pkt_l4(p) + 2, csum_fold(csum_partial(pkt_l4(p), 16, 0)));
	pkt_fix(p);
	wire_in(w, p);
	assert_int_equal(w->n + w1->n, 0);
}

static void programs_send_options(void **state)
{
	static const uint8_t rr[11] = { 7, 11, 4 };
	uint8_t back[40];
	socklen_t len = sizeof(back);
	const uint8_t *h;

	assert_int_equal(sys_setsockopt(b->t, fd, IPPROTO_IP, IP_OPTIONS, rr, sizeof(rr)), 0);
	assert_int_equal(sys_getsockopt(b->t, fd, IPPROTO_IP, IP_OPTIONS, back, &len), 0);
	assert_int_equal(len, 12);
	assert_int_equal(bed_send(b, fd, "10.0.0.9", 9, "x", 1), 1);
	h = (const uint8_t *)wire_ip(w, 0);
	assert_int_equal(ip4_hlen((const void *)h), 32);
	assert_int_equal(get_be32(h + 23), ME);
	assert_int_equal(ip4_fast_csum(h, 32), 0);
	assert_int_equal(sys_setsockopt(b->t, fd, IPPROTO_IP, IP_OPTIONS, "\x07\x00\x00\x00", 4), -EINVAL);
	/* R1122-I23: a source route of a program: the first stop in the header, the last one the destination */
	assert_int_equal(sys_setsockopt(b->t, fd, IPPROTO_IP, IP_OPTIONS, "\x83\x0b\x04\x0a\x00\x00\x05\x0a\x00\x00\x06\x01", 12), 0);
	wire_clear(w);
	assert_int_equal(bed_send(b, fd, "10.0.0.9", 9, "x", 1), 1);
	h = (const uint8_t *)wire_ip(w, 0);
	assert_int_equal(ip4_daddr((const void *)h), IP(10, 0, 0, 5));
	assert_int_equal(get_be32(h + 23), IP(10, 0, 0, 6));
	assert_int_equal(get_be32(h + 27), IP(10, 0, 0, 9));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest t[] = {
		T(ip4_14_length_zero_and_one), T(ip4_15_option_past_header), T(ip4_16_two_source_routes),
		T(ip4_17_source_routes_are_refused), T(ip4_18_record_route_and_timestamp_pointers), T(ip4_19_nops_and_end),
		T(record_route_through_a_router_and_back), T(icmp_19_no_reply_by_a_source_route), T(programs_send_options),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
