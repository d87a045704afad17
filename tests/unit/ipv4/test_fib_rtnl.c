/* What ip(8), route(8), arp(8), ifconfig(8) show of the live tables, word for word: S1-10, S2-27 to S2-29, S2-36. */
#include "bed.h"

static struct bed *b;
static struct wire *w;

static int setup(void **state)
{
	b = bed_new();
	w = bed_wire(b, "eth0", "10.143.0.5/24");
	return 0;
}

static int teardown(void **state)
{
	bed_free(b);
	return 0;
}

static void s1_10_s2_29_route_get(void **state)
{
	assert_string_equal(bed_cmd(b, "ip route get 127.1.2.3"), "local 127.1.2.3 dev lo src 127.0.0.1 uid 0 \n    cache <local> \n");
	/* the entry says eth0, the packet goes by lo */
	assert_string_equal(bed_cmd(b, "ip route get 10.143.0.5"), "local 10.143.0.5 dev lo src 10.143.0.5 uid 0 \n    cache <local> \n");
	assert_non_null(strstr(bed_cmd(b, "ip route list table local"), "local 10.143.0.5 dev eth0 proto kernel scope host src 10.143.0.5"));
	assert_int_equal(bed_route(b, "0.0.0.0/0", "10.143.0.1", NULL, 0), 0);
	assert_string_equal(bed_cmd(b, "ip route get 8.8.8.8"), "8.8.8.8 via 10.143.0.1 dev eth0 src 10.143.0.5 uid 0 \n    cache \n");
	assert_string_equal(bed_cmd(b, "ip route get 10.143.0.9"), "10.143.0.9 dev eth0 src 10.143.0.5 uid 0 \n    cache \n");
	assert_string_equal(bed_cmd(b, "ip route get 10.143.0.255"), "broadcast 10.143.0.255 dev eth0 src 10.143.0.5 uid 0 \n    cache <local,brd> \n");
}

static void s3_10_route_get_shows_the_learned_mtu(void **state)
{
	int fd = bed_udp(b, NULL, 7000);

	assert_int_equal(bed_send(b, fd, "10.143.0.9", 9, "0123456789", 10), 10);
	wire_in(w, pkt_icmp_err(IP(10, 143, 0, 9), IP(10, 143, 0, 5), 3, 4, 576, (const uint8_t *)wire_ip(w, 0), 28));
	bed_sleep(b, 10 * NSEC_PER_MSEC);
	assert_string_equal(bed_cmd(b, "ip route get 10.143.0.9"), "10.143.0.9 dev eth0 src 10.143.0.5 uid 0 \n    cache expires 599sec mtu 576 \n");
}

static void s2_27_s2_28_route_list(void **state)
{
	assert_string_equal(bed_cmd(b, "ip route list table local"),
			    "local 10.143.0.5 dev eth0 proto kernel scope host src 10.143.0.5 \n"
			    "broadcast 10.143.0.255 dev eth0 proto kernel scope link src 10.143.0.5 \n"
			    "local 127.0.0.0/8 dev lo proto kernel scope host src 127.0.0.1 \n"
			    "local 127.0.0.1 dev lo proto kernel scope host src 127.0.0.1 \n"
			    "broadcast 127.255.255.255 dev lo proto kernel scope link src 127.0.0.1 \n");
	assert_string_equal(bed_cmd(b, "ip route list table main"), "10.143.0.0/24 dev eth0 proto kernel scope link src 10.143.0.5 \n");
	assert_non_null(strstr(bed_cmd(b, "ip route list table 77"), "FIB table does not exist"));
	assert_string_equal(bed_cmd(b, "ip route add 10.5.0.0/16 via 10.143.0.1 metric 20"), "");
	assert_string_equal(bed_cmd(b, "ip route add 10.5.0.0/16 via 10.143.0.1 metric 20"), "RTNETLINK answers: File exists\n");
	assert_non_null(strstr(bed_cmd(b, "ip route add 10.6.0.0/16 via 99.1.1.1"), "Nexthop has invalid gateway"));
	assert_string_equal(bed_cmd(b, "ip route add default via 10.143.0.1"), "");
	assert_string_equal(bed_cmd(b, "ip route"), "default via 10.143.0.1 dev eth0 \n"
						   "10.5.0.0/16 via 10.143.0.1 dev eth0 metric 20 \n"
						   "10.143.0.0/24 dev eth0 proto kernel scope link src 10.143.0.5 \n");
	assert_string_equal(bed_cmd(b, "ip route del 10.5.0.0/16"), "");
	assert_string_equal(bed_cmd(b, "ip route del 10.5.0.0/16"), "RTNETLINK answers: No such process\n");
	assert_non_null(strstr(bed_cmd(b, "route -n"), "0.0.0.0         10.143.0.1      0.0.0.0         UG    0      0        0 eth0"));
}

static void ip_addr_add_and_del(void **state)
{
	assert_string_equal(bed_cmd(b, "ip addr add 10.9.0.1/30 dev eth0"), "");
	assert_non_null(strstr(bed_cmd(b, "ip addr show dev eth0"), "inet 10.9.0.1/30 scope global eth0"));
	assert_non_null(strstr(bed_cmd(b, "ip route list table local"), "local 10.9.0.1 dev eth0"));
	assert_non_null(strstr(bed_cmd(b, "ip addr add 10.9.0.1/30 dev eth0"), "Error: ipv4: Address already assigned."));
	assert_string_equal(bed_cmd(b, "ip addr del 10.9.0.1/30 dev eth0"), "");
	assert_null(strstr(bed_cmd(b, "ip route list table local"), "10.9.0.1"));
	assert_non_null(strstr(bed_cmd(b, "ip addr del 10.9.0.1/30 dev eth0"), "Error: ipv4: Address not found."));
	assert_non_null(strstr(bed_cmd(b, "ip addr show dev lo"), "inet 127.0.0.1/8 scope host lo"));
}

static void ip_rule_list(void **state)
{
	assert_string_equal(bed_cmd(b, "ip rule"), "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n");
}

static void s1_33_s2_36_ifconfig_lo(void **state)
{
	const char *s = bed_cmd(b, "ifconfig lo");

	assert_non_null(strstr(s, "lo: flags=73<UP,LOOPBACK,RUNNING>  mtu 65536\n"));
	assert_non_null(strstr(s, "inet 127.0.0.1  netmask 255.0.0.0\n"));
}

static void s1_28_neigh_show(void **state)
{
	int fd = bed_udp(b, NULL, 7000);

	bed_send(b, fd, "127.0.0.1", 9, "x", 1);
	assert_non_null(strstr(bed_cmd(b, "ip neigh show nud all"), "0.0.0.0 dev lo lladdr 00:00:00:00:00:00 NOARP"));
	assert_null(strstr(bed_cmd(b, "cat /proc/net/arp"), "lo"));
}

static void the_ping_program(void **state)
{
	const char *s = bed_cmd(b, "ping -c 2 127.0.0.1");

	assert_non_null(strstr(s, "2 packets transmitted, 2 received, 0% packet loss"));
	s = bed_cmd(b, "ping -c 1 -R dgram 10.143.0.5");
	assert_non_null(strstr(s, "1 received"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest t[] = {
		T(s1_10_s2_29_route_get), T(s3_10_route_get_shows_the_learned_mtu), T(s2_27_s2_28_route_list), T(ip_addr_add_and_del),
		T(ip_rule_list), T(s1_33_s2_36_ifconfig_lo), T(s1_28_neigh_show), T(the_ping_program),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
