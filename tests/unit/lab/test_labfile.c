/* Lab files: what a good one means, and for each mistake the line that names it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "lab/topo.h"

static int parse(struct topo *t, const char *text, struct yerr *e)
{
	topo_init(t, "x.yml");
	return labfile_parse(t, "x.yml", text, strlen(text), e);
}

/* A lab file that must be refused with exactly this line. */
static void refused(const char *text, const char *line)
{
	struct topo t;
	struct yerr e;

	assert_int_equal(parse(&t, text, &e), -1);
	assert_string_equal(e.text, line);
	topo_free(&t);
}

#define TWO "name: x\ntopology:\n  nodes:\n    a: {}\n    b: {}\n"

static void labfile_brief_link(void **state)
{
	struct topo t;
	struct yerr e;

	assert_int_equal(parse(&t, TWO "  links:\n    - endpoints: [\"a:eth1\", \"b:eth1\"]\n      mtu: 576\n", &e), 0);
	assert_string_equal(t.name, "x");
	assert_int_equal(t.n_nodes, 2);
	assert_int_equal(t.n_links, 1);
	assert_int_equal(t.link[0].mtu, 576);
	assert_int_equal(t.link[0].end[0].node, topo_find(&t, "a"));
	assert_string_equal(t.link[0].end[1].iface, "eth1");
	assert_int_equal(t.node[0].n_ifaces, 1);
	topo_free(&t);
}

static void labfile_extended_link(void **state)
{
	static const char text[] =
		TWO "  links:\n"
		    "    - type: veth\n"
		    "      vars: {tc: {delay: 10ms, loss: 0.3%, drop: [7, 3]}, cable: {speed: 1Gbit, length: 10km}}\n"
		    "      endpoints:\n"
		    "        - {node: a, interface: eth1, mac: \"02:00:00:00:00:01\", ipv4: 10.0.0.1/24}\n"
		    "        - {node: b, interface: eth1, ipv4: 10.0.0.2/24, vars: {tc: {delay: 20ms}}}\n";
	const struct topo_link *l;
	struct topo t;
	struct yerr e;

	if (parse(&t, text, &e))
		fail_msg("%s", e.text);
	l = &t.link[0];
	assert_true(l->end[0].has_mac);
	assert_int_equal(l->end[0].ip, 0x0a000001);
	assert_int_equal(l->end[0].plen, 24);
	assert_int_equal(l->end[0].tc.delay_ns, 10000000);
	assert_int_equal(l->end[1].tc.delay_ns, 20000000);
	assert_int_equal(l->end[1].tc.loss_ppm, 3000);
	assert_int_equal(l->end[0].tc.n_drop, 2);
	assert_int_equal(l->end[0].tc.drop[0], 3);
	assert_int_equal(l->line_rate_bps, 1000000000);
	assert_int_equal(l->prop_delay_ns, 50000);
	topo_free(&t);
}

static void labfile_host_link(void **state)
{
	struct topo t;
	struct yerr e;

	assert_int_equal(parse(&t,
			       TWO "  links:\n    - type: host\n      endpoint: {node: a, interface: eth1}\n"
				   "      host-interface: tap0\n    - endpoints: [\"host:tap1\", \"b:eth1\"]\n",
			       &e),
			 0);
	assert_string_equal(t.link[0].host_if, "tap0");
	assert_int_equal(t.link[0].end[0].node, 0);
	assert_string_equal(t.link[1].host_if, "tap1");
	assert_int_equal(t.link[1].end[0].node, 1);
	assert_string_equal(t.link[1].end[0].iface, "eth1");
	assert_int_equal(t.link[1].end[1].node, UINT32_MAX);
	topo_free(&t);
}

static void labfile_layers(void **state)
{
	static const char text[] =
		"name: x\n"
		"topology:\n"
		"  defaults:\n"
		"    sysctls: {net.ipv4.ip_forward: 0, net.ipv4.tcp_ecn: 1}\n"
		"    exec: [\"echo 1\"]\n"
		"    config: {vars: {sim: {seed: 7, stop_time: 10s}}}\n"
		"  kinds:\n"
		"    linux: {exec: [\"echo 2\"], image: alpine}\n"
		"  groups:\n"
		"    routers: {sysctls: {net.ipv4.ip_forward: 1}, dns: {servers: [10.0.0.53]}}\n"
		"  nodes:\n"
		"    r: {group: routers, exec: [\"echo 3\"], image: frr, dns: {servers: [10.0.0.54]}}\n"
		"    sw: {kind: bridge, config: {vars: {bridge: {ageing: 10s, hub: true}}}}\n"
		"    c:\n"
		"      config:\n"
		"        vars:\n"
		"          cpus: {n: 2, irq_ns: 500}\n"
		"          nic: {rx_ring: 64, hw_csum: true, napi: false}\n"
		"          processes:\n"
		"            - {path: http-server, args: [-p, 80], start_time: 1ms}\n"
		"          files: {/srv/www: site, /srv/up: {memory: 1MiB}}\n";
	struct topo t;
	struct yerr e;

	if (parse(&t, text, &e))
		fail_msg("%s", e.text);
	assert_true(t.has_seed);
	assert_int_equal(t.seed, 7);
	assert_int_equal(t.stop_ns, 10000000000);
	assert_int_equal(t.node[0].exec.n, 3);
	assert_string_equal(t.node[0].exec.v[2], "echo 3");
	assert_int_equal(t.node[0].sysctls.n, 2);
	assert_string_equal(t.node[0].sysctls.v[0].value, "1");
	assert_int_equal(t.node[0].dns.n, 1);
	assert_string_equal(t.node[0].dns.v[0], "10.0.0.54");
	assert_int_equal(t.node[1].kind, TOPO_BRIDGE);
	assert_true(t.node[1].bridge.hub);
	assert_int_equal(t.node[2].cpus.n, 2);
	assert_int_equal(t.node[2].nic.rx_ring, 64);
	assert_true(t.node[2].nic.no_napi);
	assert_int_equal(t.node[2].process[0].start_ns, 1000000);
	assert_string_equal(t.node[2].process[0].args.v[1], "80");
	assert_string_equal(t.node[2].file[0].from, "site");
	assert_int_equal(t.node[2].file[1].mem_bytes, 1048576);
	/* image stands in two places and is listed once */
	assert_int_equal(t.ignored.n, 1);
	assert_string_equal(t.ignored.v[0], "image");
	topo_free(&t);
}

static void labfile_unknown_keys(void **state)
{
	refused("nam: x\n", "x.yml:1:1: unknown key 'nam' in the lab file: did you mean 'name'?");
	refused("name: x\ntopology:\n  node: {}\n",
		"x.yml:3:3: unknown key 'node' in topology: did you mean 'nodes'?");
	refused("name: x\ntopology:\n  nodes:\n    a: {knd: linux}\n",
		"x.yml:4:9: unknown key 'knd' in node 'a': did you mean 'kind'?");
	refused(TWO "  links:\n  - endpoints: [\"a:eth1\", \"b:eth1\"]\n    vars: {tc: {dely: 1ms}}\n",
		"x.yml:8:17: unknown key 'dely' in tc: did you mean 'delay'?");
	refused("name: x\ntopology:\n  nodes:\n    a: {ports: [80]}\n",
		"x.yml:4:9: containerlab's 'ports' in node 'a' has no meaning here: remove it");
	refused("name: x\ntopology:\n  nodes:\n    a: {config: {vars: {cpus: {cores: 2}}}}\n",
		"x.yml:4:32: unknown key 'cores' in cpus: it takes n, irq_ns, packet_ns");
	refused("name: x\ntopology:\n  nodes:\n    a: {config: {vars: {sim: {seed: 2}}}}\n",
		"x.yml:4:30: 'sim' belongs to the whole lab: write it in topology.defaults.config.vars");
}

static void labfile_wrong_types(void **state)
{
	refused("- a\n", "x.yml:1:1: the lab file must be a map of keys, not a list");
	refused("name: x\ntopology: 5\n", "x.yml:2:11: topology must be a map, not text");
	refused("name: x\ntopology:\n  nodes: [a, b]\n", "x.yml:3:10: nodes must be a map of nodes, not a list");
	refused("name: x\ntopology:\n  nodes:\n    a: linux\n", "x.yml:4:8: node 'a' must be a map of keys, not text");
	refused("name: x\ntopology:\n  nodes:\n    a: {exec: ip addr}\n", "x.yml:4:15: exec must be a list, not text");
	refused("name: x\ntopology:\n  nodes:\n    a: {kind: ceos}\n",
		"x.yml:4:15: kind 'ceos' is not known: linux, bridge or host");
	refused("name: x\ntopology:\n  nodes:\n    a: {config: {vars: {cpus: {n: two}}}}\n",
		"x.yml:4:35: cpus.n must be a whole number from 1 to 16");
	refused("name: x\ntopology:\n  nodes:\n    a: {config: {vars: {cpus: {n: 17}}}}\n",
		"x.yml:4:35: cpus.n must be a whole number from 1 to 16");
	refused("name: x\ntopology:\n  nodes:\n    a: {dns: {servers: [10.0.0]}}\n",
		"x.yml:4:25: '10.0.0' is not an IPv4 address");
	refused(TWO "  links:\n  - endpoints: [\"a:eth1\"]\n",
		"x.yml:7:16: endpoints must be a list of two, as in [\"a:eth1\", \"b:eth1\"]");
	refused(TWO "  links:\n  - endpoints: [a, \"b:eth1\"]\n",
		"x.yml:7:17: an endpoint is written NODE:INTERFACE, as in \"client:eth1\", not 'a'");
	refused(TWO "  links:\n  - {type: vxlan, endpoints: [\"a:eth1\", \"b:eth1\"]}\n",
		"x.yml:7:12: link type 'vxlan' is not supported: veth or host");
	refused(TWO "  links:\n  - {type: veth, endpoints: [{node: a, interface: e1, ipv4: 10.0.0.1}, \"b:eth1\"]}\n",
		"x.yml:7:61: ipv4 must be an address with its prefix length, as in 10.0.0.1/24");
	refused(TWO "  links:\n  - {type: veth, endpoints: [{node: a, interface: e1, ipv4: 10.0.0.255/24}, \"b:eth1\"]}\n",
		"x.yml:7:61: 10.0.0.255/24 is the network's broadcast address, not a host's");
}

static void labfile_bad_units(void **state)
{
#define TC(what) TWO "  links:\n  - endpoints: [\"a:eth1\", \"b:eth1\"]\n    vars: {tc: {" what "}}\n"
	refused(TC("delay: 50"),
		"x.yml:8:24: delay: a time needs a unit: ns, us, ms, s, min or h, as in 50ms, not '50'");
	refused(TC("loss: 0.3"), "x.yml:8:23: loss: a probability is written in percent, as in 0.3%, not '0.3'");
	refused(TC("loss: 101%"), "x.yml:8:23: loss: a probability is at most 100%, not '101%'");
	refused(TC("rate: 10MBps"), "x.yml:8:23: rate: a rate is written as a number and bit, kbit, Mbit, Gbit or "
				    "Tbit, as in 10Mbit, not '10MBps'");
	refused(TC("rate: 0Mbit"), "x.yml:8:23: rate: a rate is more than 0, not '0Mbit'");
	refused(TC("drop: [0]"), "x.yml:8:24: a frame's number in drop must be a whole number from 1 to 4294967295");
	refused(TC("drop: [3, 3]"), "x.yml:8:23: frame 3 stands in drop twice");
	refused(TC("limit: 10ms"),
		"x.yml:8:24: limit must be a size as in 256KiB, or a number of frames up to 1000000, not '10ms'");
}

static void labfile_duplicates(void **state)
{
	refused("name: x\ntopology:\n  nodes:\n    a: {}\n    a: {}\n",
		"x.yml:5:5: 'a' is given twice, first in line 4");
	refused(TWO "  links:\n  - endpoints: [\"a:eth1\", \"b:eth1\"]\n  - endpoints: [\"a:eth1\", \"b:eth2\"]\n",
		"x.yml:8:17: interface a:eth1 is used twice, first in line 7");
	refused(TWO "  links:\n  - endpoints: [\"a:eth1\", \"c:eth1\"]\n",
		"x.yml:7:27: node 'c' is not in topology.nodes");
	refused(TWO "  links:\n  - type: veth\n    endpoints:\n    - {node: a, interface: eth1, ipv4: 10.0.0.1/24}\n"
		    "    - {node: b, interface: eth1, ipv4: 10.0.0.1/24}\n",
		"x.yml:10:40: address 10.0.0.1 of b:eth1 is already that of a:eth1 (line 9)");
	refused(TWO "  links:\n  - type: veth\n    endpoints:\n"
		    "    - {node: a, interface: eth1, mac: \"02:00:00:00:00:01\"}\n"
		    "    - {node: b, interface: eth1, mac: \"02:00:00:00:00:01\"}\n",
		"x.yml:10:39: MAC 02:00:00:00:00:01 of b:eth1 is already that of a:eth1 (line 9)");
	refused(TWO "    sw: {kind: bridge}\n  links:\n  - type: veth\n    endpoints:\n"
		    "    - {node: a, interface: eth1}\n    - {node: sw, interface: p1, ipv4: 10.0.0.1/24}\n",
		"x.yml:11:14: sw:p1 is a port of a bridge: it has no address of its own");
	/* as a prompt would give it, and a node's own twice */
	refused("name: x\ntopology:\n  nodes:\n    a: {exec: [ip addr add 10.0.0.1/24 dev eth1]}\n"
		"    b: {exec: [ip link, ip a add 10.0.0.1/24 dev eth1]}\n  links:\n  - endpoints: [\"a:eth1\", \"b:eth1\"]\n",
		"x.yml:5:25: address 10.0.0.1 of b:eth1 is already that of a:eth1 (line 4)");
	refused(TWO "  links:\n  - endpoints: [\"a:lo\", \"b:eth1\"]\n",
		"x.yml:7:17: interface lo is each node's own loopback: a link needs another name");
	refused(TWO "  links:\n  - endpoints: [\"a:eth0123456789abcde\", \"b:eth1\"]\n",
		"x.yml:7:17: interface name 'eth0123456789abcde' must have 1 to 15 characters");
}

/* Behind two translators the same LAN may exist twice; on one LAN an address is still one host's. */
static void labfile_private_lans_behind_nat(void **state)
{
	static const char text[] =
		"name: x\ntopology:\n  nodes:\n    a: {}\n    b: {}\n"
		"    r1: {config: {vars: {nat: {out: [eth2]}}}}\n    r2: {}\n"
		"  links:\n"
		"  - {type: veth, endpoints: [{node: a, interface: e1, ipv4: 10.0.0.2/24}, {node: r1, interface: e1}]}\n"
		"  - {type: veth, endpoints: [{node: b, interface: e1, ipv4: 10.0.0.2/24}, {node: r2, interface: e1}]}\n";
	struct topo t;
	struct yerr e;

	assert_int_equal(parse(&t, text, &e), 0);
	topo_free(&t);
}

static void labfile_yaml_itself(void **state)
{
	refused("", "x.yml:1:1: the file is empty");
	refused("a: [1\n", "x.yml:2:1: not YAML: did not find expected ',' or ']' while parsing a flow sequence");
	refused("a: &x 1\n", "x.yml:1:4: anchors (&name) are not supported: write the value out");
	refused("a: *x\n", "x.yml:1:4: aliases (*name) are not supported: write the value out");
	refused("a: !!int 1\n", "x.yml:1:4: tags (!name) are not supported");
	refused("a: 1\n---\nb: 2\n", "x.yml:2:1: a second YAML document in one file");
	refused("[a]: 1\n", "x.yml:1:1: a key must be a word, not a list");
	refused("name: x\n", "x.yml:1:1: the lab file has no 'topology'");
}

/* Nested without end, and cut at every octet: an error each time, never a crash. */
static void labfile_hostile(void **state)
{
	static const char text[] =
		TWO "  links:\n  - type: veth\n    endpoints:\n    - {node: a, interface: eth1, ipv4: 10.0.0.1/24}\n"
		    "    - {node: b, interface: eth1, vars: {tc: {delay: 1ms, drop: [1]}}}\n";
	char deep[2001], cut[sizeof(text)];
	struct topo t;
	struct yerr e;

	memset(deep, '[', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	assert_int_equal(parse(&t, deep, &e), -1);
	topo_free(&t);
	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		memcpy(cut, text, n);
		cut[n] = '\0';
		parse(&t, cut, &e);
		topo_free(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labfile_brief_link),
		cmocka_unit_test(labfile_extended_link),
		cmocka_unit_test(labfile_host_link),
		cmocka_unit_test(labfile_layers),
		cmocka_unit_test(labfile_unknown_keys),
		cmocka_unit_test(labfile_wrong_types),
		cmocka_unit_test(labfile_bad_units),
		cmocka_unit_test(labfile_duplicates),
		cmocka_unit_test(labfile_private_lans_behind_nat),
		cmocka_unit_test(labfile_yaml_itself),
		cmocka_unit_test(labfile_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
