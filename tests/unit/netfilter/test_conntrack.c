/* Connection tracking without translation: states, timeouts, bounds, fragments, /proc, the program conntrack. */
#include "nat_bed.h"
#include <stdio.h>
#include <stdlib.h>

static int setup(void **state)
{
	nat_bed_open();
	quiet("iptables -A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT");
	bed_trace_clear(b);
	return 0;
}

static int teardown(void **state)
{
	nat_bed_close();
	return 0;
}

static void hooks_come_and_go_with_their_users(void **state)
{
	assert_int_equal(cn()->users, 1);
	quiet("iptables -A INPUT -m state --state NEW -j ACCEPT");
	assert_int_equal(cn()->users, 2);
	wire_in(in, pkt_udp(A, 1, R, 2, "x", 1));
	assert_int_equal(cn()->count, 1);
	quiet("iptables -F");
	assert_int_equal(cn()->users, 0);
	assert_int_equal(cn()->count, 0);
	bed_trace_clear(b);
	wire_in(in, pkt_udp(A, 1, R, 2, "x", 1));
	assert_int_equal(bed_entered(b, "nf_conntrack_in"), 0); /* nobody needs it: nothing is paid */
	assert_int_equal(bed_entered(b, "ipt_do_table"), 1);
}

static void a_stateful_firewall(void **state)
{
	quiet("iptables -A FORWARD -i eth0 -m conntrack --ctstate NEW -j ACCEPT");
	quiet("iptables -P FORWARD DROP");
	clear();
	wire_in(out, pkt_udp(R, 2, A, 1, "x", 1));
	assert_null(sent(in));
	assert_int_equal(cn()->count, 0); /* what was dropped is not remembered */
	wire_in(in, pkt_udp(A, 1, R, 2, "x", 1));
	assert_packet(sent(out), A, 1, R, 2);
	wire_in(out, pkt_udp(R, 2, A, 1, "x", 1));
	assert_packet(sent(in), R, 2, A, 1);
	wire_in(out, pkt_udp(R, 3, A, 1, "x", 1));
	assert_int_equal(wire_count(in, ETH_P_IP), 1);
}

static void related_errors_pass(void **state)
{
	uint8_t q[28];

	quiet("iptables -A FORWARD -i eth0 -j ACCEPT");
	quiet("iptables -P FORWARD DROP");
	clear();
	wire_in(in, pkt_udp(A, 1, R, 2, "x", 1));
	memcpy(q, sent(out), 28);
	wire_in(out, pkt_icmp_err(R2, A, 3, 1, 0, q, 28));
	assert_int_equal(wire_icmp(in, 0)->type, 3);
	put_be16(q + 20, 99); /* of a packet that never was */
	wire_in(out, pkt_icmp_err(R2, A, 3, 1, 0, q, 28));
	assert_int_equal(wire_count(in, ETH_P_IP), 1);
	assert_int_equal(cn()->stat.invalid, 1);
}

static void udp_unreplied_stream_and_assured(void **state)
{
	wire_in(in, pkt_udp(A, 1, R, 2, "x", 1));
	assert_int_equal(conn(A, 1)->expires_ns - b->net->now_ns, 120 * NSEC_PER_SEC);
	wire_in(out, pkt_udp(R, 2, A, 1, "x", 1)); /* a question and its answer: no stream */
	assert_false(conn(A, 1)->status & IPS_ASSURED);
	bed_sleep(b, 3 * NSEC_PER_SEC);
	wire_in(in, pkt_udp(A, 1, R, 2, "x", 1));
	assert_true(conn(A, 1)->status & IPS_ASSURED);
	assert_int_equal(conn(A, 1)->expires_ns - b->net->now_ns, 300 * NSEC_PER_SEC);
	bed_sysctl(b, "net.netfilter.nf_conntrack_udp_timeout_stream", "10");
	wire_in(in, pkt_udp(A, 1, R, 2, "x", 1));
	bed_sleep(b, 11 * NSEC_PER_SEC); /* a shorter time than the timer was set for */
	assert_null(conn(A, 1));
}

static void invalid_packets(void **state)
{
	struct pkt *p;

	p = pkt_echo(A, R, 7, 1, 8);
	pkt_l4(p)[0] = 0; /* an answer to nothing */
	put_be16(pkt_l4(p) + 2, 0);
	put_be16(pkt_l4(p) + 2, csum_fold(csum_partial(pkt_l4(p), 16, 0)));
	wire_in(in, p);
	p = pkt_udp(A, 1, R, 2, "xy", 2);
	pkt_l4(p)[6] ^= 1; /* a wrong checksum */
	wire_in(in, p);
	p = pkt_udp(A, 1, R, 2, "xy", 2);
	put_be16(pkt_l4(p) + 4, 30); /* longer than the packet */
	wire_in(in, p);
	wire_in(in, pkt_tcp(A, 1, R, 2, TCP_SYN | TCP_FIN, 1, 0, 0));
	wire_in(in, pkt_tcp(A, 1, R, 2, 0, 1, 0, 0));
	wire_in(in, pkt_new(A, R, 6, "short", 5, 20));
	wire_in(in, pkt_new(A, R, 17, "short", 5, 20));
	wire_in(in, pkt_new(A, R, 1, "short", 5, 20));
	assert_int_equal(cn()->stat.invalid, 8);
	assert_int_equal(cn()->count, 0);
	/* they pass, unless a rule says otherwise */
	assert_int_equal(wire_count(out, ETH_P_IP), 8);
	quiet("iptables -I FORWARD -m conntrack --ctstate INVALID -j DROP");
	wire_in(in, pkt_tcp(A, 1, R, 2, 0, 1, 0, 0));
	assert_int_equal(wire_count(out, ETH_P_IP), 8);
}

static void untracked_packets(void **state)
{
	quiet("iptables -t raw -A PREROUTING -p udp -j CT --notrack");
	quiet("iptables -A FORWARD -m conntrack --ctstate UNTRACKED -j DROP");
	wire_in(in, pkt_udp(A, 1, R, 2, "x", 1));
	assert_int_equal(wire_count(out, ETH_P_IP), 0);
	assert_int_equal(cn()->count, 0);
	wire_in(in, pkt_echo(A, R, 7, 1, 8));
	assert_int_equal(wire_count(out, ETH_P_IP), 1);
}

static void own_packets_over_lo(void **state)
{
	int srv = bed_udp(b, "127.0.0.1", 53), fd = bed_udp(b, "127.0.0.1", 54);
	char buf[4];

	assert_int_equal(bed_send(b, fd, "127.0.0.1", 53, "q", 1), 1);
	assert_int_equal(bed_recv(b, srv, buf, 4), 1);
	assert_int_equal(bed_send(b, srv, "127.0.0.1", 54, "a", 1), 1);
	assert_int_equal(bed_recv(b, fd, buf, 4), 1);
	assert_int_equal(cn()->count, 1);
	assert_int_equal(conn(IP(127, 0, 0, 1), 54)->packets[0], 1); /* once, though two hooks see it */
	assert_int_equal(conn(IP(127, 0, 0, 1), 54)->packets[1], 1);
}

static void the_oldest_unassured_one_makes_room(void **state)
{
	bed_sysctl(b, "net.netfilter.nf_conntrack_max", "3");
	for (uint16_t i = 1; i <= 3; i++)
		wire_in(in, pkt_udp(A, i, R, 2, "x", 1));
	bed_sleep(b, 3 * NSEC_PER_SEC);
	wire_in(out, pkt_udp(R, 2, A, 1, "x", 1)); /* the first is a conversation */
	wire_in(in, pkt_udp(A, 4, R, 2, "x", 1));
	assert_non_null(conn(A, 1));
	assert_null(conn(A, 2));
	assert_int_equal(cn()->stat.early_drop, 1);
	for (uint16_t i = 3; i <= 4; i++)
		wire_in(out, pkt_udp(R, 2, A, i, "x", 1));
	bed_sleep(b, 3 * NSEC_PER_SEC);
	for (uint16_t i = 3; i <= 4; i++)
		wire_in(in, pkt_udp(A, i, R, 2, "x", 1));
	clear();
	wire_in(in, pkt_udp(A, 5, R, 2, "x", 1)); /* all are in use: refused */
	assert_null(sent(out));
	assert_null(sent(in)); /* silently: nobody is behind a translator here */
	assert_int_equal(cn()->stat.drop, 1);
	assert_int_equal(bed_drops(b, DROP_CT_TABLE_FULL), 1);
}

static void packets_may_outlive_their_connection(void **state)
{
	out->arp = false; /* the packet waits for an address */
	wire_in(in, pkt_udp(A, 1, R, 2, "x", 1));
	assert_int_equal(cn()->count, 1);
	assert_string_equal(bed_cmd(b, "conntrack -F"), "conntrack v1.4.7 (conntrack-tools): connection tracking table has been emptied.\n");
	assert_int_equal(cn()->count, 0);
	bed_sleep(b, 5 * NSEC_PER_SEC);
}

static void the_program_conntrack(void **state)
{
	bed_sysctl(b, "net.netfilter.nf_conntrack_acct", "1");
	wire_in(in, pkt_udp(A, 1, R, 2, "x", 1));
	wire_in(in, pkt_echo(A2, R, 7, 1, 8));
	wire_in(in, pkt_tcp(A, 5, R, 80, TCP_SYN, 1, 0, 0));
	assert_string_equal(bed_cmd(b, "conntrack -L"),
		"udp      17 120 src=192.168.1.2 dst=198.51.100.10 sport=1 dport=2 packets=1 bytes=29 [UNREPLIED] src=198.51.100.10 "
		"dst=192.168.1.2 sport=2 dport=1 packets=0 bytes=0 mark=0 use=1\n"
		"icmp     1 60 src=192.168.1.3 dst=198.51.100.10 type=8 code=0 id=7 packets=1 bytes=36 [UNREPLIED] src=198.51.100.10 "
		"dst=192.168.1.3 type=0 code=0 id=7 packets=0 bytes=0 mark=0 use=1\n"
		"tcp      6 240 SYN_SENT src=192.168.1.2 dst=198.51.100.10 sport=5 dport=80 packets=1 bytes=40 [UNREPLIED] "
		"src=198.51.100.10 dst=192.168.1.2 sport=80 dport=5 packets=0 bytes=0 mark=0 use=1\n"
		"conntrack v1.4.7 (conntrack-tools): 3 flow entries have been shown.\n");
	assert_string_equal(bed_cmd(b, "conntrack -C"), "3\n");
	assert_non_null(strstr(bed_cmd(b, "conntrack -S"), "cpu=0   \tfound=0 invalid=0 insert=3 insert_failed=0 drop=0 early_drop=0 error=0 "));
	assert_non_null(strstr(bed_cmd(b, "conntrack -L -o extended -p 17"), "ipv4     2 udp      17 "));
	assert_non_null(strstr(bed_cmd(b, "conntrack -L -s 192.168.1.3"), ": 1 flow entries have been shown.\n"));
	assert_non_null(strstr(bed_cmd(b, "conntrack -L --state SYN_SENT --dport 80 -r 198.51.100.10"), ": 1 flow"));
	assert_non_null(strstr(bed_cmd(b, "conntrack -L -n"), ": 0 flow"));
	assert_non_null(strstr(bed_cmd(b, "conntrack -D -p icmp"), ": 1 flow entries have been deleted.\n"));
	assert_non_null(strstr(bed_cmd(b, "conntrack -D -p icmp"), ": 0 flow entries have been deleted.\n"));
	assert_string_equal(bed_cmd(b, "conntrack -C"), "2\n");
	assert_string_equal(bed_cmd(b, "conntrack"), "conntrack: say -L, -D, -F, -C or -S\n");
	assert_string_equal(bed_cmd(b, "conntrack -L -s nowhere"), "conntrack: bad value 'nowhere'\n");
	assert_string_equal(bed_cmd(b, "conntrack -L -F"), "conntrack: one command at a time: '-F'\n");
	assert_string_equal(bed_cmd(b, "conntrack -C -j"), "conntrack: this command takes no filter\n");
	assert_string_equal(bed_cmd(b, "conntrack --frob"), "conntrack: unknown option '--frob'\n");
	assert_string_equal(bed_cmd(b, "conntrack -L -p"), "conntrack: option requires an argument: '-p'\n");
}

static void commands_of_the_file_are_checked(void **state)
{
	static const char *const bad[] = { "", "frob", "delete", "delete 17 1.2.3.4", "delete 17 a b 1 2", "delete 17 1.2.3.4 1.2.3.4 1 2 3",
					   "delete 300 1.2.3.4 1.2.3.4 1 2", "delete 17 1.2.3.4 1.2.3.4 1 70000" };
	struct strbuf ans;

	sb_init(&ans);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(proc_write(b->net, "net/nf_conntrack", bad[i], strlen(bad[i]), &ans), -EINVAL);
	assert_int_equal(proc_write(b->net, "net/nf_conntrack", "delete 17 1.2.3.4 1.2.3.4 1 2", 29, &ans), -ENOENT);
	sb_free(&ans);
}

static void rfc4787_req_14_fragments_are_whole_before_they_are_judged(void **state)
{
	struct pkt *w = pkt_udp(A, 1, R, 2, NULL, 1600), *f;

	quiet("iptables -A FORWARD -p udp --dport 2 -j DROP");
	f = pkt_new(A, R, 17, pkt_l4(w) + 800, 808, 20);
	put_be16(pkt_ip(f)->frag_off, 100);
	pkt_fix(f);
	wire_in(in, f);
	f = pkt_new(A, R, 17, pkt_l4(w), 800, 20);
	put_be16(pkt_ip(f)->frag_off, IP_MF);
	pkt_fix(f);
	wire_in(in, f);
	assert_int_equal(wire_count(out, ETH_P_IP), 0); /* without tracking the second fragment would pass (RFC 1858) */
	assert_int_equal(bed_drops(b, DROP_NETFILTER_DROP), 2); /* the datagram: its two pieces */
	assert_true(bed_order(b, "ipv4_conntrack_defrag", "ip_defrag", "ip_frag_reasm", "nf_conntrack_in", "ip_forward", NULL));
	free(w);
}

static void the_same_seed_lists_the_same(void **state)
{
	char first[4096];

	for (unsigned round = 0; round < 2; round++) {
		for (uint16_t i = 0; i < 20; i++)
			wire_in(in, pkt_udp(A, (uint16_t)(100 + i * 37), R, i, "x", 1));
		if (!round)
			snprintf(first, sizeof(first), "%s", bed_cmd(b, "conntrack -L"));
		else
			assert_string_equal(first, bed_cmd(b, "conntrack -L"));
		teardown(state);
		setup(state);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(hooks_come_and_go_with_their_users),
		T(a_stateful_firewall),
		T(related_errors_pass),
		T(udp_unreplied_stream_and_assured),
		T(invalid_packets),
		T(untracked_packets),
		T(own_packets_over_lo),
		T(the_oldest_unassured_one_makes_room),
		T(packets_may_outlive_their_connection),
		T(the_program_conntrack),
		T(commands_of_the_file_are_checked),
		T(rfc4787_req_14_fragments_are_whole_before_they_are_judged),
		T(the_same_seed_lists_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
