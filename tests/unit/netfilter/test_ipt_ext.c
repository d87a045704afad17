/* iptables: what is said comes back by -S and -L, what is wrong is refused with one line; REJECT and the matches. */
#include "nat_bed.h"
#include <stdio.h>
#include <stdlib.h>

static int setup(void **state)
{
	nat_bed_open();
	return 0;
}

static int teardown(void **state)
{
	nat_bed_close();
	return 0;
}

static void s_gives_back_what_was_said(void **state)
{
	static const struct {
		const char *table, *chain, *rule;
	} said[] = {
		{ "filter", "INPUT", "! -s 0.0.0.0/0 -j DROP" },
		{ "filter", "INPUT", "-s 10.0.0.0/8 ! -d 10.1.2.3/32 -i eth0 -p tcp -m tcp --sport 1:1023 ! --dport 80 -j ACCEPT" },
		{ "filter", "FORWARD", "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT" },
		{ "filter", "FORWARD", "-m conntrack ! --ctstate INVALID,NEW,UNTRACKED,SNAT,DNAT" },
		{ "filter", "FORWARD", "-m state --state NEW -j REJECT --reject-with icmp-admin-prohibited" },
		{ "filter", "FORWARD", "-p tcp -m multiport --dports 22,80,8000:8080 -j REJECT --reject-with tcp-reset" },
		{ "filter", "FORWARD", "-p udp -m multiport ! --ports 53 -j RETURN" },
		{ "filter", "INPUT", "-m addrtype --src-type UNICAST ! --dst-type LOCAL,BROADCAST -j DROP" },
		{ "filter", "OUTPUT", "-p icmp -m icmp --icmp-type 3/1 -j REJECT --reject-with icmp-port-unreachable" },
		{ "nat", "POSTROUTING", "-o eth1 -j MASQUERADE" },
		{ "nat", "POSTROUTING", "-o eth1 -p udp -j MASQUERADE --to-ports 1024-2047 --random-fully" },
		{ "nat", "POSTROUTING", "-s 192.168.1.0/24 -j SNAT --to-source 203.0.113.1" },
		{ "nat", "POSTROUTING", "-p tcp -j SNAT --to-source 203.0.113.1-203.0.113.9:1024-65535 --random --random-fully --persistent" },
		{ "nat", "INPUT", "-j SNAT --to-source 1.2.3.4" },
		{ "nat", "PREROUTING", "-p tcp -m tcp --dport 80 -j DNAT --to-destination 192.168.1.2:8080" },
		{ "nat", "PREROUTING", "-p tcp -j DNAT --to-destination :8080 --random --persistent" },
		{ "nat", "OUTPUT", "-p udp -m udp --dport 53 -j REDIRECT --to-ports 5353-5360 --random" },
		{ "raw", "PREROUTING", "-p udp -j CT --notrack" },
	};
	char line[256], want[256];

	for (size_t i = 0; i < ARRAY_SIZE(said); i++) {
		snprintf(line, sizeof(line), "iptables -t %s -A %s %s", said[i].table, said[i].chain, said[i].rule);
		assert_string_equal(bed_cmd(b, line), "");
		snprintf(line, sizeof(line), "iptables -t %s -S %s 1", said[i].table, said[i].chain);
		snprintf(want, sizeof(want), "-A %s %s\n", said[i].chain, said[i].rule);
		assert_string_equal(bed_cmd(b, line), want);
		/* and what it gives back is taken for the same rule */
		snprintf(line, sizeof(line), "iptables -t %s -C %s %s", said[i].table, said[i].chain, said[i].rule);
		assert_string_equal(bed_cmd(b, line), "");
		snprintf(line, sizeof(line), "iptables -t %s -D %s %s", said[i].table, said[i].chain, said[i].rule);
		assert_string_equal(bed_cmd(b, line), "");
	}
	assert_int_equal(cn()->users, 1); /* the table nat's own; the rules' have gone with them */
}

static void l_in_iptables_columns(void **state)
{
	quiet("iptables -A FORWARD -p tcp -m multiport --dports 80,443 -m conntrack --ctstate NEW -j REJECT");
	quiet("iptables -A FORWARD ! -s 0.0.0.0/0 -m state ! --state NEW");
	assert_string_equal(bed_cmd(b, "iptables -L FORWARD -n"),
		"Chain FORWARD (policy ACCEPT)\n"
		"target     prot opt source               destination         \n"
		"REJECT     tcp  --  0.0.0.0/0            0.0.0.0/0            multiport dports 80,443 ctstate NEW reject-with "
		"icmp-port-unreachable\n"
		"           all  -- !0.0.0.0/0            0.0.0.0/0            ! state NEW\n");
	assert_string_equal(bed_cmd(b, "iptables -L FORWARD 2 -n --line-numbers"),
		"2               all  -- !0.0.0.0/0            0.0.0.0/0            ! state NEW\n");
	assert_string_equal(bed_cmd(b, "iptables -L FORWARD 3"), "");
	assert_string_equal(bed_cmd(b, "iptables -S FORWARD 2"), "-A FORWARD ! -s 0.0.0.0/0 -m state ! --state NEW\n");
	quiet("iptables -t nat -A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 192.168.1.2:8080");
	quiet("iptables -t nat -A PREROUTING -p tcp -j REDIRECT --to-ports 81");
	quiet("iptables -t nat -A POSTROUTING -o eth1 -p udp -j MASQUERADE --to-ports 1024-2047");
	assert_string_equal(bed_cmd(b, "iptables -t nat -n -v -L"),
		"Chain PREROUTING (policy ACCEPT 0 packets, 0 bytes)\n"
		" pkts bytes target     prot opt in     out     source               destination         \n"
		"    0     0 DNAT       tcp  --  *      *       0.0.0.0/0            0.0.0.0/0            tcp dpt:80 to:192.168.1.2:8080\n"
		"    0     0 REDIRECT   tcp  --  *      *       0.0.0.0/0            0.0.0.0/0            redir ports 81\n"
		"\n"
		"Chain INPUT (policy ACCEPT 0 packets, 0 bytes)\n"
		" pkts bytes target     prot opt in     out     source               destination         \n"
		"\n"
		"Chain OUTPUT (policy ACCEPT 0 packets, 0 bytes)\n"
		" pkts bytes target     prot opt in     out     source               destination         \n"
		"\n"
		"Chain POSTROUTING (policy ACCEPT 0 packets, 0 bytes)\n"
		" pkts bytes target     prot opt in     out     source               destination         \n"
		"    0     0 MASQUERADE  udp  --  *      eth1    0.0.0.0/0            0.0.0.0/0            masq ports: 1024-2047\n");
}

/* One line each, and nothing has changed. */
static void what_is_wrong_is_refused(void **state)
{
	static const char *const bad[] = {
		"-P INPUT DROP extra", "-P INPUT DROP -j ACCEPT", "-P INPUT REJECT", "-t nat -P PREROUTING DROP",
		"-A INPUT --ctstate NEW", "-A INPUT -m conntrack", "-A INPUT -m conntrack --ctstate", "-A INPUT -m conntrack --ctstate FRESH",
		"-A INPUT -m conntrack --ctstate NEW,", "-A INPUT -m state --state SNAT", "-A INPUT -m conntrack --ctstate NEW --ctstate NEW",
		"-A INPUT -m conntrack -m state --ctstate NEW --state NEW", "-A INPUT -m frob",
		"-A INPUT -m multiport --dports 80", "-A INPUT -p tcp -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16",
		"-A INPUT -p tcp -m multiport --dports 80,", "-A INPUT -p tcp -m multiport --dports ,", "-A INPUT -p tcp -m multiport --dports 9:8",
		"-A INPUT -m addrtype --dst-type MINE", "-A INPUT -j REJECT --reject-with a-frown", "-A INPUT -j REJECT --reject-with tcp-reset",
		"-t nat -A PREROUTING -j REJECT", "-t nat -A PREROUTING -j DROP", "-A INPUT -j MASQUERADE", "-A INPUT -j SNAT --to-source 1.2.3.4",
		"-t nat -A PREROUTING -j SNAT --to-source 1.2.3.4", "-t nat -A POSTROUTING -j DNAT --to-destination 1.2.3.4",
		"-t nat -A INPUT -j MASQUERADE", "-t nat -A POSTROUTING -j SNAT", "-t nat -A POSTROUTING -j SNAT --to-source",
		"-t nat -A POSTROUTING -j SNAT --to-source 1.2.3", "-t nat -A POSTROUTING -j SNAT --to-source 1.2.3.9-1.2.3.4",
		"-t nat -A POSTROUTING -j SNAT --to-source 1.2.3.4:80", "-t nat -A POSTROUTING -p tcp -j SNAT --to-source 1.2.3.4:0",
		"-t nat -A POSTROUTING -p tcp -j SNAT --to-source 1.2.3.4:9-8", "-t nat -A POSTROUTING -p tcp -j SNAT --to-source 1.2.3.4:70000",
		"-t nat -A POSTROUTING -p tcp -j SNAT --to-source 1.2.3.4:", "-t nat -A POSTROUTING -j MASQUERADE --to-ports 1-2",
		"-t nat -A POSTROUTING -j MASQUERADE --to-source 1.2.3.4", "-t nat -A POSTROUTING -j MASQUERADE --persistent",
		"-t nat -A PREROUTING -j DNAT --to-destination", "-t nat -A PREROUTING -j DNAT --random", "-A INPUT -j ACCEPT --random",
		"-t nat -A PREROUTING -p tcp -j REDIRECT --to-ports http", "-A INPUT -j CT --notrack", "-t raw -A PREROUTING -j CT",
		"-t frob -L", "-A FROB -j DROP", "-L INPUT -j DROP",
	};
	char line[256];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const char *said;

		snprintf(line, sizeof(line), "iptables %s", bad[i]);
		said = bed_cmd(b, line);
		if (strncmp(said, "iptables", 8) != 0 || strchr(said, '\n') != said + strlen(said) - 1)
			fail_msg("%s: %s", line, said);
	}
	assert_string_equal(bed_cmd(b, "iptables -S"), "-P INPUT ACCEPT\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT\n");
	assert_string_equal(bed_cmd(b, "iptables -t nat -S"),
			    "-P PREROUTING ACCEPT\n-P INPUT ACCEPT\n-P OUTPUT ACCEPT\n-P POSTROUTING ACCEPT\n");
}

static void reject_answers(void **state)
{
	quiet("iptables -A FORWARD -p tcp -j REJECT --reject-with tcp-reset");
	quiet("iptables -A FORWARD -j REJECT --reject-with icmp-host-prohibited");
	quiet("iptables -A INPUT -p udp --dport 53 -j REJECT");
	clear();
	wire_in(in, pkt_tcp(A, 5000, R, 80, TCP_SYN, 1000, 0, 0));
	assert_packet(sent(in), R, 80, A, 5000);
	assert_int_equal(l4_of(sent(in))[13], TCP_RST | TCP_ACK);
	assert_int_equal(get_be32(l4_of(sent(in)) + 8), 1001);
	clear();
	wire_in(in, pkt_tcp(A, 5000, R, 80, TCP_ACK, 1000, 777, 10));
	assert_int_equal(l4_of(sent(in))[13], TCP_RST);
	assert_int_equal(get_be32(l4_of(sent(in)) + 4), 777);
	clear();
	wire_in(in, pkt_tcp(A, 5000, R, 80, TCP_RST, 1000, 0, 0));
	assert_null(sent(in)); /* never a reset for a reset */
	wire_in(in, pkt_udp(A, 5000, R, 80, "x", 1));
	assert_int_equal(wire_icmp(in, 0)->type, 3);
	assert_int_equal(wire_icmp(in, 0)->code, 10);
	clear();
	bed_sleep(b, NSEC_PER_SEC);
	wire_in(in, pkt_udp(A, 5000, GW_IN, 53, "x", 1));
	assert_int_equal(wire_icmp(in, 0)->code, 3);
	assert_int_equal(bed_drops(b, DROP_NETFILTER_DROP), 5);
}

static void multiport_and_addrtype_match(void **state)
{
	quiet("iptables -A FORWARD -p udp -m multiport --dports 10,20:30 -j DROP");
	quiet("iptables -A FORWARD -p udp -m multiport --sports 7 -j DROP");
	quiet("iptables -t mangle -A PREROUTING -p udp --dport 99 -m addrtype --dst-type LOCAL -j DROP");
	for (uint16_t p = 5; p < 40; p++) {
		bool dropped = p == 10 || (p >= 20 && p <= 30);

		clear();
		wire_in(in, pkt_udp(A, 5000, R, p, "x", 1));
		assert_int_equal(sent(out) == NULL, dropped);
	}
	clear();
	wire_in(in, pkt_udp(A, 7, R, 99, "x", 1));
	assert_null(sent(out));
	wire_in(in, pkt_udp(A, 8, R, 99, "x", 1));
	assert_non_null(sent(out));
	wire_in(in, pkt_udp(A, 8, GW_IN, 99, "x", 1));
	assert_null(sent(in));
}

static void policies_and_counters(void **state)
{
	quiet("iptables -P FORWARD DROP");
	clear();
	wire_in(in, pkt_udp(A, 5000, R, 9, "x", 1));
	assert_null(sent(out));
	assert_non_null(strstr(bed_cmd(b, "iptables -L FORWARD -v"), "Chain FORWARD (policy DROP 1 packets, 29 bytes)"));
	quiet("iptables -Z");
	assert_non_null(strstr(bed_cmd(b, "iptables -L FORWARD -v"), "Chain FORWARD (policy DROP 0 packets, 0 bytes)"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(s_gives_back_what_was_said), T(l_in_iptables_columns), T(what_is_wrong_is_refused), T(reject_answers),
		T(multiport_and_addrtype_match), T(policies_and_counters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
