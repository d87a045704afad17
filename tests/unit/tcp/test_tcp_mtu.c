/* RFC 4821: a path whose middle takes 1200 octets and whose router says nothing about it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "lab/lab.h"

#define MIDDLE_MTU 1200

static const char path[] =
	"name: hole\ntopology:\n  nodes:\n"
	"    a: {exec: [\"ip route add default via 10.0.1.1\"]}\n"
	"    r1: {sysctls: {net.ipv4.ip_forward: 1}, exec: [\"ip route add 10.0.3.0/24 via 10.0.2.2\", \"iptables -A OUTPUT -p icmp -j DROP\"]}\n"
	"    r2: {sysctls: {net.ipv4.ip_forward: 1}, exec: [\"ip route add 10.0.1.0/24 via 10.0.2.1\"]}\n"
	"    b: {exec: [\"ip route add default via 10.0.3.1\"]}\n"
	"  links:\n"
	"    - type: veth\n      endpoints: [{node: a, interface: eth1, ipv4: 10.0.1.2/24}, {node: r1, interface: eth1, ipv4: 10.0.1.1/24}]\n"
	"    - type: veth\n      mtu: 1200\n      endpoints: [{node: r1, interface: eth2, ipv4: 10.0.2.1/24}, {node: r2, interface: eth1, ipv4: 10.0.2.2/24}]\n"
	"      vars: {tc: {delay: 5ms, rate: 50Mbit, limit: 8MB}}\n"
	"    - type: veth\n      endpoints: [{node: r2, interface: eth2, ipv4: 10.0.3.1/24}, {node: b, interface: eth1, ipv4: 10.0.3.2/24}]\n";

struct outcome {
	int rc;
	uint64_t took_ms;
	struct ipstats_mib mib; /* a's */
	uint32_t mss;
};

static void collect(void *arg, int fd, const char *s, size_t len) { sb_add(arg, s, len); }

/* 8 MB from a to b with tcp_mtu_probing how; looked at after look_ms. */
static struct outcome transfer(const char *how, uint64_t look_ms)
{
	struct lab_opts opts = { .seed = 1, .has_seed = true };
	struct lab_source src = { .base = strdup(".") };
	struct outcome o = { 0 };
	struct strbuf sb;
	enum lab_err err;
	char line[64];
	const char *at;
	struct yerr e;
	struct lab *lab;

	sb_init(&sb);
	topo_init(&src.topo, "hole");
	if (labfile_parse(&src.topo, "hole", path, strlen(path), &e))
		fail_msg("%s", e.text);
	lab = lab_new(&src, &opts, &err, &e);
	if (!lab)
		fail_msg("%s", e.text);
	snprintf(line, sizeof(line), "sysctl -w net.ipv4.tcp_mtu_probing=%s", how);
	assert_int_equal(lab_command(lab_find(lab, "a"), line, collect, &sb), 0);
	assert_int_equal(lab_command(lab_find(lab, "b"), "iperf -s &", NULL, NULL), 0);
	assert_int_equal(lab_command(lab_find(lab, "a"), "iperf -c 10.0.3.2 -n 8000000 &", NULL, NULL), 0);
	lab_wait(lab, look_ms * NSEC_PER_MSEC);
	sb_free(&sb);
	sb_init(&sb);
	lab_command(lab_find(lab, "a"), "ss -tin", collect, &sb);
	at = strstr(sb_str(&sb), " mss:");
	o.mss = at ? (uint32_t)atoi(at + 5) : 0;
	lab_wait(lab, 60 * NSEC_PER_SEC);
	o.mib = lab_find(lab, "a")->net->mib;
	o.rc = lab_find(lab, "b")->net->mib.tcp.InSegs > 8000000 / 1460;
	sb_free(&sb);
	lab_free(lab);
	lab_source_close(&src);
	return o;
}

/* Octets acknowledged are what counts: without probing nothing passes. */
static void mtu_black_hole_without_probing(void **state)
{
	struct outcome o = transfer("0", 10000);

	assert_false(o.rc);
	assert_in_range(o.mib.tcpext.TCPTimeouts, 5, 20);
	assert_int_equal(o.mib.tcpext.TCPMTUPSuccess + o.mib.tcpext.TCPMTUPFail, 0);
}

static void mtu_probing_1_finds_the_way_after_timeouts(void **state)
{
	struct outcome o = transfer("1", 8000);

	assert_true(o.rc);
	assert_in_range(o.mib.tcpext.TCPTimeouts, 3, 8);
	assert_in_range(o.mib.tcpext.TCPMTUPSuccess, 1, 8);
	assert_in_range(o.mib.tcpext.TCPMTUPFail, 1, 8);
}

static void mtu_probing_2_needs_no_timeout(void **state)
{
	struct outcome o = transfer("2", 1000);

	assert_true(o.rc);
	assert_int_equal(o.mib.tcpext.TCPTimeouts, 0);
	assert_in_range(o.mib.tcpext.TCPMTUPSuccess, 1, 8);
	assert_in_range(o.mib.tcpext.TCPMTUPFail, 1, 8);
	/* within the threshold of 8 */
	assert_in_range(o.mss, MIDDLE_MTU - 52 - 8, MIDDLE_MTU - 52);
	/* a failed probe costs one segment, sent again as two */
	assert_true(o.mib.tcp.RetransSegs < 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mtu_black_hole_without_probing),
		cmocka_unit_test(mtu_probing_1_finds_the_way_after_timeouts),
		cmocka_unit_test(mtu_probing_2_needs_no_timeout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
