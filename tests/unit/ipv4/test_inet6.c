/* AF_INET6 sockets over IPv4: what needs IPv6 itself is answered as by a Linux host without an IPv6 address (6.18, disable_ipv6=1).
 * The rest stands beside the kernel in tests/kernel/syscalls.txt (v6-...). */
#include "bed.h"
#include <arpa/inet.h>

static struct bed *b;
static struct wire *w;

static int setup(void **state)
{
	b = bed_new();
	w = bed_wire(b, "eth0", "10.0.0.1/24");
	return 0;
}

static int teardown(void **state)
{
	bed_free(b);
	return 0;
}

static struct sockaddr_in6 at(const char *text, uint16_t port)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	assert_int_equal(inet_pton(AF_INET6, text, &a.sin6_addr), 1);
	return a;
}

static int sock6(int type)
{
	int fd = sys_socket(b->t, AF_INET6, type | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	return fd;
}

static int try(int type, const char *bound, bool v6only, char what, const char *peer)
{
	int fd = sock6(type), one = 1, r;
	struct sockaddr_in6 a = at(peer, 9), l;

	if (v6only)
		assert_int_equal(sys_setsockopt(b->t, fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)), 0);
	if (bound) {
		l = at(bound, 0);
		assert_int_equal(sys_bind(b->t, fd, (struct sockaddr *)&l, sizeof(l)), 0);
	}
	r = what == 'b' ? sys_bind(b->t, fd, (struct sockaddr *)&a, sizeof(a))
	  : what == 'c' ? sys_connect(b->t, fd, (struct sockaddr *)&a, sizeof(a))
			: (int)sys_sendto(b->t, fd, "abc", 3, 0, (struct sockaddr *)&a, sizeof(a));
	sys_close(b->t, fd);
	return r;
}

static void v6_what_needs_ipv6_is_refused_as_by_linux(void **state)
{
	static const char lo[] = "::ffff:127.0.0.1";
	static const struct { int type; const char *bound; bool v6only; char what; const char *peer; int want; } t[] = {
		{ SOCK_STREAM, NULL, false, 'b', "::1", -EADDRNOTAVAIL }, { SOCK_DGRAM, NULL, false, 'b', "2001:db8::1", -EADDRNOTAVAIL },
		{ SOCK_STREAM, NULL, false, 'b', "fe80::1", -EINVAL }, { SOCK_DGRAM, NULL, false, 'b', "ff02::1", -EINVAL },
		{ SOCK_STREAM, NULL, false, 'c', "::1", -EADDRNOTAVAIL }, { SOCK_STREAM, lo, false, 'c', "::1", -ENETUNREACH },
		{ SOCK_STREAM, NULL, false, 'c', "::", -EADDRNOTAVAIL }, { SOCK_STREAM, lo, false, 'c', "::", -EINPROGRESS },
		{ SOCK_STREAM, NULL, true, 'c', "::", -EADDRNOTAVAIL }, { SOCK_STREAM, NULL, false, 'c', "2001:db8::1", -EADDRNOTAVAIL },
		{ SOCK_STREAM, lo, false, 'c', "2001:db8::1", -ENETUNREACH }, { SOCK_STREAM, NULL, false, 'c', "fe80::1", -EINVAL },
		{ SOCK_STREAM, NULL, false, 'c', "ff02::1", -ENETUNREACH }, { SOCK_STREAM, NULL, true, 'c', lo, -ENETUNREACH },
		{ SOCK_DGRAM, NULL, false, 'c', "::1", -EADDRNOTAVAIL }, { SOCK_DGRAM, lo, false, 'c', "::1", -ENETUNREACH },
		{ SOCK_DGRAM, lo, false, 'c', "::", 0 }, { SOCK_DGRAM, NULL, false, 'c', "ff02::1", -EINVAL },
		{ SOCK_DGRAM, NULL, false, 's', "::", -EADDRNOTAVAIL }, { SOCK_DGRAM, NULL, false, 's', "::1", -EADDRNOTAVAIL },
		{ SOCK_DGRAM, NULL, false, 's', "fe80::1", -EADDRNOTAVAIL }, { SOCK_DGRAM, NULL, false, 's', "ff02::1", -EADDRNOTAVAIL },
		{ SOCK_DGRAM, NULL, true, 's', lo, -ENETUNREACH }, { SOCK_DGRAM, NULL, false, 's', lo, 3 },
		{ SOCK_DGRAM, NULL, false, 's', "::ffff:9.9.9.9", -ENETUNREACH },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		int r = try(t[i].type, t[i].bound, t[i].v6only, t[i].what, t[i].peer);

		if (r != t[i].want)
			fail_msg("row %zu: %d, not %d", i, r, t[i].want);
	}
}

/* What came over the wire to "::" has a mapped address, and the answer goes by IPv4. */
static void v6_a_datagram_comes_and_goes_over_ipv4(void **state)
{
	struct sockaddr_in6 a = at("::", 7000), from;
	int fd = sock6(SOCK_DGRAM);
	socklen_t len = sizeof(from);
	char buf[20];

	assert_int_equal(sys_bind(b->t, fd, (struct sockaddr *)&a, sizeof(a)), 0);
	wire_in(w, pkt_udp(IP(10, 0, 0, 9), 1234, IP(10, 0, 0, 1), 7000, "hello", 5));
	assert_int_equal(sys_recvfrom(b->t, fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len), 5);
	assert_int_equal(len, sizeof(from));
	a = at("::ffff:10.0.0.9", 1234);
	assert_memory_equal(&from, &a, sizeof(a));
	assert_int_equal(sys_sendto(b->t, fd, "hi", 2, 0, (struct sockaddr *)&from, len), 2);
	sys_close(b->t, fd);
}

/* The socket's memory goes with it, on every way to its end (the sanitizers look). */
static void v6_ends(void **state)
{
	struct sockaddr_in6 a = at("::", 7001), c = at("::ffff:127.0.0.1", 7001);
	int l = sock6(SOCK_STREAM), s, n, two = AF_INET, yes = 1;

	assert_int_equal(sys_setsockopt(b->t, l, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)), 0);
	assert_int_equal(sys_bind(b->t, l, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(sys_listen(b->t, l, 5), 0);
	for (int i = 0; i < 3; i++) {
		s = sock6(SOCK_STREAM);
		sys_connect(b->t, s, (struct sockaddr *)&c, sizeof(c));
		bed_run(b);
		n = i < 2 ? sys_accept4(b->t, l, NULL, NULL, 0) : -1; /* the third is never accepted */
		if (i == 0)
			assert_int_equal(sys_setsockopt(b->t, n, IPPROTO_IPV6, IPV6_ADDRFORM, &two, sizeof(two)), 0);
		if (n >= 0)
			sys_close(b->t, n);
		sys_close(b->t, s);
	}
	sys_close(b->t, l);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(v6_what_needs_ipv6_is_refused_as_by_linux),
		T(v6_a_datagram_comes_and_goes_over_ipv4),
		T(v6_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
