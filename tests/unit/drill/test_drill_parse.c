/* What the parser of packet scripts takes, refuses, and says about it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "drill/drill_int.h"
#include "drill/drill_script.h"

static const struct drill_flags none;

static int parse(struct dscript *sc, const char *text, struct strbuf *err)
{
	sb_init(err);
	return dscript_parse(sc, "t.pkt", text, strlen(text), &none, err);
}

static void good(const char *text)
{
	struct dscript sc;
	struct strbuf err;

	if (parse(&sc, text, &err))
		fail_msg("refused: %s: %s", text, sb_str(&err));
	dscript_free(&sc);
	sb_free(&err);
}

static void bad(const char *text, const char *why)
{
	struct dscript sc;
	struct strbuf err;

	assert_int_equal(parse(&sc, text, &err), -EINVAL);
	if (!strstr(sb_str(&err), why))
		fail_msg("said: %s instead of: %s", sb_str(&err), why);
	dscript_free(&sc);
	sb_free(&err);
}

static void skipped(const char *text, const char *why)
{
	struct dscript sc;
	struct strbuf err;

	assert_int_equal(parse(&sc, text, &err), -ENOSYS);
	assert_non_null(strstr(sb_str(&err), why));
	dscript_free(&sc);
	sb_free(&err);
}

static void times_of_all_kinds(void **state)
{
	static const struct { const char *text; enum dtime_kind kind; int64_t ns, end; bool range, blocking; } t[] = {
		{ "0 close(3) = 0", DTIME_ABS, 0, 0, false, false },
		{ "1.5 close(3) = 0", DTIME_ABS, 1500000000, 0, false, false },
		{ "+.25 close(3) = 0", DTIME_REL, 250000000, 0, false, false },
		{ "+ 0.000001 close(3) = 0", DTIME_REL, 1000, 0, false, false },
		{ "* > . 1:1(0) ack 1", DTIME_ANY, 0, 0, false, false },
		{ "1~2 > . 1:1(0) ack 1", DTIME_ABS, 1000000000, 2000000000, true, false },
		{ "+.1~+.2 > . 1:1(0) ack 1", DTIME_REL, 100000000, 200000000, true, false },
		{ "0...0.3 close(3) = 0", DTIME_ABS, 0, 300000000, false, true },
		{ "+0....25 close(3) = 0", DTIME_REL, 0, 250000000, false, true },
		{ "+1.5...+2.5 close(3) = 0", DTIME_REL, 1500000000, 2500000000, false, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct dscript sc;
		struct strbuf err;

		assert_int_equal(parse(&sc, t[i].text, &err), 0);
		assert_int_equal(sc.first->when.kind, t[i].kind);
		assert_int_equal(sc.first->when.ns, t[i].ns);
		assert_int_equal(sc.first->when.end_ns, t[i].end);
		assert_int_equal(sc.first->when.range, t[i].range);
		assert_int_equal(sc.first->when.blocking, t[i].blocking);
		dscript_free(&sc);
		sb_free(&err);
	}
	bad("close(3) = 0", "t.pkt:1: syntax error: an event begins with a time");
	bad("2~1 > . 1:1(0)", "ends before it begins");
	bad("+0~+1 < . 1:1(0)", "only an outbound packet");
	bad("* < . 1:1(0)", "only an outbound packet");
	bad("0...1 > . 1:1(0)", "only a system call");
}

static struct dpkt *packet(struct dscript *sc, struct strbuf *err, const char *text)
{
	if (parse(sc, text, err))
		fail_msg("refused: %s: %s", text, sb_str(err));
	return sc->first->pkt;
}

static void tcp_packets(void **state)
{
	struct dscript sc;
	struct strbuf err;
	struct dpkt *k;

	(void)state;
	k = packet(&sc, &err, "0 < [ce, ttl 3] (tos 0x10) 80 > 90: P.UEW 1:101(100) ack 7 win 0x20 urg 5 <nop,TS val 1 ecr 2,sack 1:2 3:4>");
	assert_true(k->inbound);
	assert_int_equal(k->ecn, DECN_CE);
	assert_int_equal(k->ttl, 3);
	assert_int_equal(k->tos, 0x10);
	assert_int_equal(k->sport, 80);
	assert_int_equal(k->dport, 90);
	assert_int_equal(k->flags, DTCP_PSH | DTCP_ACK | DTCP_URG | DTCP_ECE | DTCP_CWR);
	assert_int_equal(k->len, 100);
	assert_int_equal(k->win, 0x20);
	assert_int_equal(k->urg, 5);
	assert_int_equal(k->n_opts, 3);
	assert_int_equal(k->opt[2].n, 2);
	assert_int_equal(k->opt[2].sack[1].end, 4);
	dscript_free(&sc);
	sb_free(&err);
	k = packet(&sc, &err, "0 > S5. 0:0(0) ack 1 <...>");
	assert_true(k->opts_any);
	assert_int_equal(k->flags, DTCP_SYN | DTCP_ACK | DTCP_AE | DTCP_ECE);
	dscript_free(&sc);
	sb_free(&err);
	k = packet(&sc, &err, "0 > S.W 0:0(0) ack 1 <...>");
	assert_int_equal(k->flags, DTCP_SYN | DTCP_ACK | DTCP_CWR);
	dscript_free(&sc);
	sb_free(&err);
	k = packet(&sc, &err, "0 > [ect0] P6. 1:11(10) ack 1 <ECN e1b 2 ceb 3 e0b 4,nop>");
	assert_int_equal(k->ecn, DECN_ECT0);
	assert_int_equal(k->flags, DTCP_PSH | DTCP_ACK | DTCP_AE | DTCP_CWR);
	assert_int_equal(k->opt[0].n, 3);
	assert_memory_equal(k->opt[0].field, "1c0", 3);
	assert_int_equal(k->opt[0].value[2], 4);
	dscript_free(&sc);
	sb_free(&err);
	good("0 < [noecn] SEWA 0:0(0) <ECN>");
	good("0 > [ect01] .5 1:1(0) ack 1 <ECN e0b 1,nop,nop,nop>");
	bad("0 < 8. 1:1(0)", "is not a TCP flag");
	bad("0 < X 0:0(0)", "is not a TCP flag");
	bad("0 < SS 0:0(0)", "twice");
	bad("0 < . 1:5(3)", "inconsistent TCP sequence numbers");
	bad("0 < . 1:1(0) win 70000", "out of range");
	bad("0 < . 1:1(0) <mss>", "expected a number");
	bad("0 < . 1:1(0) <foo 1>", "is not a TCP option");
	bad("0 < . 1:1(0) <mss 1, %>", "expected a TCP option before '%>'");
	good("0 < . 1:1(0) <nop,nop,sack 1:2,3:4 5:6>");
	good("0 < . 1:1(0) <sack 1:2,77 0102>");
	good("0 > . 1:1(0) win *");
	good("0 > . 1:1(0) ack 1 win ... <mss 1460,nop,...>");
	bad("0 < . 1:1(0) win *", "expected a number");
	bad("0 < . 1:1(0) <mss 1", "the file ends");
	bad("0 < . 1:1(0) <FO abc>", "odd number of hex digits");
	good("0 < S 0:0(0) <FO aabbccdd,nop,nop>");
	good("0 < S 0:0(0) <FO TFO_COOKIE>");
	good("0 < . 1:1(0) <md5 000102030405060708090a0b0c0d0e0f>");
	good("0 < [ect1] A. 1:1(0) <ECN e1b 1 ceb 0 e0b 1>");
}

/* RFC 9768 3.2.3: the order of the counters is the option's kind. */
static void accecn_options(void **state)
{
	static const struct { const char *text; uint8_t n, octets[12]; } c[] = {
		{ "0 < . 1:1(0) <ECN e0b 1 ceb 0x020304 e1b 5>", 11, { 172, 11, 0, 0, 1, 2, 3, 4, 0, 0, 5 } },
		{ "0 < . 1:1(0) <ECN e1b 1 ceb 2 e0b 16777215>", 11, { 174, 11, 0, 0, 1, 0, 0, 2, 255, 255, 255 } },
		{ "0 < . 1:1(0) <ECN e0b 7>", 5, { 172, 5, 0, 0, 7 } },
		{ "0 < . 1:1(0) <ECN e1b 7 ceb 8>", 8, { 174, 8, 0, 0, 7, 0, 0, 8 } },
		{ "0 < . 1:1(0) <ECN>", 2, { 174, 2 } },
	};
	struct drill_flow f = { 0 };
	uint8_t out[60];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
		struct dscript sc;
		struct strbuf err;
		struct dpkt *k = packet(&sc, &err, c[i].text);

		assert_int_equal(drill_build_opts(k, &f, false, out), c[i].n);
		assert_memory_equal(out, c[i].octets, c[i].n);
		dscript_free(&sc);
		sb_free(&err);
	}
}

static void udp_and_icmp(void **state)
{
	struct dscript sc;
	struct strbuf err;
	struct dpkt *k = packet(&sc, &err, "0 < icmp unreachable frag_needed mtu 1200 [1:1001(1000)]");

	(void)state;
	assert_int_equal(k->type, 3);
	assert_int_equal(k->code, 4);
	assert_int_equal(k->mtu, 1200);
	assert_true(k->quoted && k->quote_seq);
	assert_int_equal(k->quoted_len, 1000);
	dscript_free(&sc);
	sb_free(&err);
	good("0 > udp (100)");
	good("0 < icmp unreachable port_unreachable [udp (8)]");
	good("0 < icmp echo_request id 5 seq 1 (56)");
	good("0 < icmp time_exceeded ttl_exceeded [1:1(0)]");
	bad("0 < icmp nothing", "unknown ICMP type");
	bad("0 < icmp unreachable nobody [1:1(0)]", "unknown ICMP code 'nobody'");
	bad("0 < udp (70000)", "out of range");
}

static void every_unreachable_code_has_its_name(void **state)
{
	static const char *const names[] = {
		"net_unreachable", "host_unreachable", "protocol_unreachable", "port_unreachable", "frag_needed", "source_route_failed",
		"net_unknown", "host_unknown", "source_host_isolated", "net_prohibited", "host_prohibited", "net_unreachable_for_tos",
		"host_unreachable_for_tos", "packet_filtered", "precedence_violation", "precedence_cutoff",
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		uint8_t code = 99;

		assert_true(dicmp_code(3, names[i], strlen(names[i]), &code));
		assert_int_equal(code, i);
		assert_string_equal(dicmp_code_name(3, code), names[i]);
	}
}

static void symbols_are_sorted(void **state)
{
	static const char *const some[] = { "AF_INET", "MSG_ZEROCOPY", "TCP_CM_INQ", "TCP_CA_Recovery", "EPOLLET", "SO_EE_ORIGIN_ZEROCOPY", "true", "O_RDWR", "_x" };
	int64_t v;

	(void)state;
	for (size_t i = 0; i + 1 < ARRAY_SIZE(some); i++)
		assert_true(dsym_find(some[i], strlen(some[i]), &v));
	assert_false(dsym_find(some[8], 2, &v));
	assert_false(dsym_find("AF_INE", 6, &v));
	assert_int_equal(dsym_errno("EAGAIN", 6), EAGAIN);
	assert_string_equal(dsym_errno_name(ECONNRESET), "ECONNRESET");
}

static void calls(void **state)
{
	struct dscript sc;
	struct strbuf err;
	struct dcall *c;

	(void)state;
	assert_int_equal(parse(&sc, "0 bind(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"1.2.3.4\")}, ...) = -1 EACCES (no, really)\n+0 close(3) = 0", &err), 0);
	c = sc.first->call;
	assert_int_equal(c->n_args, 3);
	assert_int_equal(c->arg[1]->kind, DX_STRUCT);
	assert_string_equal(c->arg[1]->name[1], "sin_port");
	assert_int_equal(c->result->v, -1);
	assert_int_equal(c->err, EACCES);
	assert_int_equal(sc.n_events, 2);
	dscript_free(&sc);
	sb_free(&err);
	good("0 poll([{fd=3, events=POLLIN|POLLOUT, revents=0}], 1, 5*1000) = ...");
	good("0 recvmsg(4, {msg_name(...)=..., msg_iov(1)=[{...,0}], msg_flags=0, msg_control=[{cmsg_level=1, cmsg_type=2, cmsg_data={scm_sec=0,scm_nsec=5}},]}, 0) = 0");
	good("0 getsockname(3, {sa_family=AF_INET, sin_port=htons(...), sin_addr=inet_addr(\"1.2.3.4\")}, [16]) = 0");
	good("0 getsockopt(3, IPPROTO_TCP, TCP_INFO, {tcpi_state=TCPS_ESTABLISHED, tcpi_rto=...}, [...]) = 0");
	bad("0 socket(NO_SUCH, 1, 2) = 3", "unknown symbol: 'NO_SUCH'");
	bad("0 socket(1, 2, 3) = -1 EWHAT", "unknown errno");
	bad("0 socket(1, 2", "the file ends");
	bad("0 socket(1, 1/0, 3) = 3", "division by 0");
	bad("0 write(3, \"abc, 3) = 3", "a string has no end");
	bad("\n\n0 socket(1, [2, 3) = 3", "t.pkt:3:");
}

static void deep_nesting_ends(void **state)
{
	char text[4096] = "0 write(3, ";
	size_t n = strlen(text);

	(void)state;
	memset(text + n, '[', 2000);
	text[n + 2000] = '\0';
	bad(text, "nested too deep");
	bad("--define=A=B\n--define=B=A\n0 close(A) = 0", "nested too deep");
}

static void options(void **state)
{
	struct dscript sc;
	struct strbuf err;

	(void)state;
	assert_int_equal(parse(&sc, "--mtu=576 // small\n--tolerance_usecs=50\n--tolerance_percent=2.5\n--define=X=\"a b\"\n0 close(3) = 0", &err), 0);
	assert_int_equal(sc.conf.mtu, 576);
	assert_int_equal(sc.conf.tolerance_ns, 50000);
	assert_int_equal(sc.conf.tolerance_ppm, 25000);
	assert_int_equal(dconf_define(&sc.conf, "X", 1)->kind, 's');
	dscript_free(&sc);
	sb_free(&err);
	bad("--mtu=12\n0 close(3) = 0", "option --mtu needs");
	bad("--nosuch\n0 close(3) = 0", "unknown option --nosuch");
	bad("--netmask_ip=255.0.255.0\n0 close(3) = 0", "needs a netmask");
	bad("--ip_version=ipx\n0 close(3) = 0", "needs ipv4, ipv6");
	bad("", "without events");
	bad("/* no end", "has no end");
	bad("0 `sleep 1", "a command has no end");
	bad("0 %{ assert 1", "code has no end");
	bad("0 close(3) = 0\n`true`\n+0 close(3) = 0", "behind the cleanup command");
}

static void what_is_not_here_is_skipped(void **state)
{
	(void)state;
	skipped("--ip_version=ipv6\n0 close(3) = 0", "IPv6");
	good("--ip_version=ipv4-mapped-ipv6\n0 close(3) = 0");
	good("--ip_version=ipv6,ipv4-mapped-ipv6\n0 close(3) = 0");
	skipped("0 bind(3, {sa_family=AF_INET6, inet_pton(AF_INET6, \"2001:db8::1\", &sin6_addr)}, ...) = 0", "IPv6");
	skipped("0 < S 0:0(0) win 1 / udp(9899 > 9899)", "TCP in UDP");
	skipped("--local_ip=fd00::1\n0 close(3) = 0", "IPv6");
	skipped("0 < icmpv6 unreachable [1:1(0)]", "IPv6");
	skipped("0 > ipv4 1.1.1.1 > 2.2.2.2: gre: . 1:1(0)", "encapsulation");
	skipped("0 < mpls (label 0, tc 0, [S], ttl 0): . 1:1(0)", "encapsulation");
	skipped("0 socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP) = 3", "SCTP");
	skipped("0 < S 0:0(0) win 1 <mss 1000,mpcapable v1 fffff nokey>", "MPTCP");
	skipped("0 ioctl(3, FIONWRITE, [0]) = 0", "FreeBSD");
	skipped("0 setsockopt(3, IPPROTO_TCP, TCP_FUNCTION_BLK, {function_set_name=\"rack\"}, 36) = 0", "FreeBSD");
	good("--ip_version=ipv4,ipv6\n0 close(3) = 0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_of_all_kinds),
		cmocka_unit_test(tcp_packets), cmocka_unit_test(accecn_options),
		cmocka_unit_test(udp_and_icmp),
		cmocka_unit_test(every_unreachable_code_has_its_name),
		cmocka_unit_test(symbols_are_sorted),
		cmocka_unit_test(calls),
		cmocka_unit_test(deep_nesting_ends),
		cmocka_unit_test(options),
		cmocka_unit_test(what_is_not_here_is_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
