/* Scripts as wholes: what fails, with which words; what repeats; what a script leaves behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>
#include "drill/drill_int.h"

#define SERVER "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 bind(3, ..., ...) = 0\n+0 listen(3, 1) = 0\n"
#define OPENED SERVER "+0 < S 0:0(0) win 9000 <mss 1000>\n+0 > S. 0:0(0) ack 1 <mss 1460>\n+.1 < . 1:1(0) ack 1 win 9000\n+0 accept(3, ..., ...) = 4\n"

static enum drill_result run(const char *text, struct strbuf *out)
{
	static const struct drill_flags flags = { .seed = 3 };

	return drill_run("t.pkt", "/nowhere", text, strlen(text), &flags, out);
}

static void expect(const char *text, enum drill_result want, const char *said)
{
	struct strbuf out;
	enum drill_result r;

	sb_init(&out);
	r = run(text, &out);
	if (r != want || (*said ? !strstr(sb_str(&out), said) : out.len != 0))
		fail_msg("%d: %s", (int)r, sb_str(&out));
	sb_free(&out);
}

static void a_handshake_passes(void **state)
{
	(void)state;
	expect(OPENED, DRILL_PASS, "");
}

static void each_field_is_compared(void **state)
{
	static const struct { const char *line, *said; } t[] = {
		{ "> P. 1:101(100) ack 1 win 5", "live packet field tcp_window: expected: 5 (0x5) vs actual:" },
		{ "> . 1:101(100) ack 1", "live packet field tcp_psh: expected: 0 (0x0) vs actual: 1 (0x1)" },
		{ "> P. 2:102(100) ack 1", "live packet field tcp_seq: expected: 2 (0x2) vs actual: 1 (0x1)" },
		{ "> P. 1:102(101) ack 1", "live packet field tcp_payload_length: expected: 101 (0x65) vs actual: 100 (0x64)" },
		{ "> P. 1:101(100) ack 2", "live packet field tcp_ack_seq: expected: 2 (0x2) vs actual: 1 (0x1)" },
		{ "> P. 1:101(100) ack 1 <nop,nop,sackOK>", "bad outbound TCP options" },
		{ "> [ce] P. 1:101(100) ack 1", "live packet field ip_ecn" },
		{ "> (tos 4) P. 1:101(100) ack 1", "live packet field ipv4_tos" },
		{ "> (ttl 5) P. 1:101(100) ack 1", "live packet field ipv4_ttl" },
		{ "> udp (100)", "packet is not for expected socket" },
		{ "> FP. 1:101(100) ack 1", "live packet field tcp_fin" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		char text[1000];

		snprintf(text, sizeof(text), "%s+0 write(4, ..., 100) = 100\n+0 %s\n", OPENED, t[i].line);
		expect(text, DRILL_FAIL, t[i].said);
	}
}

static void times_are_compared(void **state)
{
	(void)state;
	expect(OPENED "+0 write(4, ..., 10) = 10\n+.1 > P. 1:11(10) ack 1\n", DRILL_FAIL,
	       "timing error: expected outbound packet at 0.200000 sec but happened at 0.100000 sec; tolerance 0.004000 sec");
	expect("--tolerance_usecs=200000\n" OPENED "+0 write(4, ..., 10) = 10\n+.1 > P. 1:11(10) ack 1\n", DRILL_PASS, "");
	expect(OPENED "+0 > P. 1:11(10) ack 1\n", DRILL_FAIL, "but none came");
	expect(OPENED "* > P. 1:11(10) ack 1\n", DRILL_FAIL, "but none came");
	expect(OPENED "+0...0.2 read(4, ..., 10) = 10\n+.1 < P. 1:11(10) ack 1 win 9000\n+0 > . 1:1(0) ack 11\n+.2 close(4) = 0\n", DRILL_FAIL,
	       "timing error: expected system call return at 0.300000 sec but happened at 0.200000 sec");
	expect(OPENED "+0...0.2 read(4, ..., 10) = 10\n", DRILL_FAIL, "but it still blocks");
	expect(OPENED "0.05 close(4) = 0\n", DRILL_FAIL, "timing error: the event should be at 0.050000 sec");
}

static void results_are_compared(void **state)
{
	(void)state;
	expect(OPENED "+0 write(4, ..., 10) = 9\n", DRILL_FAIL, "t.pkt:8: runtime error in write call: Expected result 9 but got 10");
	expect(OPENED "+0 write(3, ..., 10) = 10\n", DRILL_FAIL, "Expected result 10 but got -1 with errno 32 (Broken pipe)");
	expect(OPENED "+0 write(3, ..., 10) = -1 EBADF\n", DRILL_FAIL, "Expected errno 9 (Bad file descriptor) but got 32 (Broken pipe)");
	expect(OPENED "+0 getsockopt(4, SOL_SOCKET, SO_ERROR, [5], [4]) = 0\n", DRILL_FAIL, "Bad getsockopt optval: expected: 5 actual: 0");
	expect(OPENED "+0 poll([{fd=4, events=POLLOUT, revents=POLLIN}], 1, 0) = 1\n", DRILL_FAIL, "Expected revents of 0x1");
	expect("--non_fatal=syscall\n" OPENED "+0 write(4, ..., 10) = 9\n", DRILL_PASS, "Expected result 9 but got 10");
	expect("0 nosuchcall(1) = 0\n", DRILL_BAD, "unknown system call: 'nosuchcall'");
	expect("0 close(1, 2, 3) = 0\n", DRILL_BAD, "close takes 1 argument, not 3");
}

/* Each train of a long line pushes; what is not contiguous, or ends the stream, is a line of its own. */
static void segments_in_a_row_are_joined(void **state)
{
	static const char two[] = "+0 setsockopt(4, SOL_TCP, TCP_NODELAY, [1], 4) = 0\n+0 write(4, ..., 10) = 10\n+0 write(4, ..., 10) = 10\n";
	char text[1000];

	(void)state;
	snprintf(text, sizeof(text), "%s%s+0 > P. 1:21(20) ack 1\n", OPENED, two);
	expect(text, DRILL_PASS, "");
	snprintf(text, sizeof(text), "%s%s+0 > P. 1:16(15) ack 1\n", OPENED, two);
	expect(text, DRILL_FAIL, "tcp_payload_length: expected: 15 (0xf) vs actual: 10 (0xa)");
	snprintf(text, sizeof(text), "%s%s+.1 write(4, ..., 10) = 10\n+0 > P. 1:31(30) ack 1\n", OPENED, two);
	expect(text, DRILL_FAIL, "timing error");
}

static void code_fails_by_line(void **state)
{
	(void)state;
	expect(OPENED "+0 %{\nx = tcpi_snd_cwnd\nassert x == 3, x }%\n", DRILL_FAIL, "t.pkt:10: error executing code: assertion failed: x == 3: 10");
	expect(OPENED "+0 %{ assert tcpi_nosuch }%\n", DRILL_FAIL, "NameError: there is no name tcpi_nosuch");
}

/* What is more than the evaluator knows: names stay from piece to piece, lines are told, size does not matter. */
static void code_of_every_size_runs(void **state)
{
	struct strbuf sb;

	(void)state;
	expect(OPENED "+0 %{ def f(x):\n  return x + 1\ny = [i for i in range(3)]\n}%\n+0 %{ assert f(1) == 2 and y[2] == 2 and tcpi_snd_cwnd == 10 }%\n", DRILL_PASS, "");
	expect(OPENED "+0 %{\nfor i in range(3):\n  j = i\nassert j == 1, 'j is %d' % j\n}%\n", DRILL_FAIL,
	       "t.pkt:11: error executing code: assertion failed: j == 1, 'j is %d' % j: j is 2");
	expect(OPENED "+0 %{ import os\nnosuch() }%\n", DRILL_FAIL, "t.pkt:9: error executing code: NameError");
	expect(OPENED "+0 %{\nfor i in [1]:\n  print \"%d\" % i\n}%\n", DRILL_PASS, "1\n");
	sb_init(&sb);
	sb_puts(&sb, OPENED "+0 %{ s = '");
	for (int i = 0; i < 300000; i++)
		sb_putc(&sb, 'x');
	sb_puts(&sb, "'\nfor i in [0]: assert len(s) == 300000 }%\n");
	expect(sb_str(&sb), DRILL_PASS, "");
	sb_free(&sb);
}

static void a_run_repeats(void **state)
{
	static const char text[] = "--verbose\n" OPENED "+0 write(4, ..., 100) = 100\n+0 > P. 1:101(100) ack 1 win 3\n";
	struct strbuf a, b;

	(void)state;
	sb_init(&a);
	sb_init(&b);
	assert_int_equal(run(text, &a), DRILL_FAIL);
	assert_int_equal(run(text, &b), DRILL_FAIL);
	assert_string_equal(sb_str(&a), sb_str(&b));
	sb_free(&a);
	sb_free(&b);
}

/* A stream that is changed, moved or short is noticed, on both ways. */
static void octets_tell_their_place(void **state)
{
	struct drill_flow f = { .proto = DPROTO_TCP, .got_isn = true, .isn = 7000, .tx_first = 7001 };
	struct dpkt k = { .flags = DTCP_SYN, .seq = 99 };
	uint8_t buf[600] = { 0 }, in[600];

	(void)state;
	sb_init(&f.tx);
	drill_tx_begin(&f, buf, 600, true);
	drill_tx_end(&f, 500); /* so much was taken */
	assert_int_equal(drill_tx_check(&f, 7001, buf, 500), 500);
	assert_int_equal(drill_tx_check(&f, 7101, buf + 100, 300), 300);
	assert_int_equal(drill_tx_check(&f, 7101, buf + 101, 300), 0);  /* shifted by one */
	assert_int_equal(drill_tx_check(&f, 7001 + 256, buf, 200), 0); /* and by 256 */
	buf[77] ^= 1;
	assert_int_equal(drill_tx_check(&f, 7001, buf, 500), 77);
	assert_int_equal(drill_tx_check(&f, 7601, buf, 20), 20); /* never written: not known */
	drill_rx_packet(&f, &k, in);
	k = (struct dpkt){ .flags = DTCP_ACK, .seq = 100, .len = 600 };
	drill_rx_packet(&f, &k, in);
	assert_true(drill_rx_check(&f, in, 200, MSG_PEEK));
	assert_true(drill_rx_check(&f, in, 200, 0));
	assert_true(drill_rx_check(&f, in + 200, 100, 0));
	assert_false(drill_rx_check(&f, in + 301, 100, 0));
	drill_stream_forget(&f);
	assert_true(drill_rx_check(&f, buf, 600, 0));
	sb_free(&f.tx);
}

/* Calls that still wait, sockets that are open, packets that nobody asked for: all are gone afterwards (the sanitizer
 * would know). */
static void a_script_may_stop_anywhere(void **state)
{
	struct strbuf out;

	(void)state;
	sb_init(&out);
	assert_int_equal(run(OPENED "+0...5 read(4, ..., 10) = 10\n+0...5 accept(3, ..., ...) = 5\n+0 write(4, ..., 5000) = 5000\n+0 close(77) = 0\n", &out), DRILL_FAIL);
	sb_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_handshake_passes),
		cmocka_unit_test(each_field_is_compared),
		cmocka_unit_test(times_are_compared),
		cmocka_unit_test(results_are_compared),
		cmocka_unit_test(segments_in_a_row_are_joined),
		cmocka_unit_test(code_fails_by_line),
		cmocka_unit_test(code_of_every_size_runs),
		cmocka_unit_test(a_run_repeats),
		cmocka_unit_test(octets_tell_their_place),
		cmocka_unit_test(a_script_may_stop_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
