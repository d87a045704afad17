/* http_parse.c, http_head.c: HT-01 .. HT-28, HF-08, HR-03, HR-07 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "app/http_parse.h"

/* What a whole input comes to. */
struct result {
	unsigned messages;   /* complete ones */
	unsigned error;      /* status, 0: none */
	char why[80];
	bool open;           /* ended in the middle of a message */
	struct strbuf body;  /* of all messages, each followed by '|' */
	char last_path[256], last_host[256];
	unsigned last_status;
	bool keep_alive, expect, expect_unknown;
};

static void feed(struct http_parser *p, const char *in, size_t len, struct result *r)
{
	const uint8_t *at = (const uint8_t *)in;
	enum http_event ev;

	while ((ev = http_step(p, &at, &len)) != HTTP_MORE) {
		if (ev == HTTP_HEAD) {
			snprintf(r->last_path, sizeof(r->last_path), "%s", p->path);
			snprintf(r->last_host, sizeof(r->last_host), "%s", p->host);
			r->last_status = p->status;
			r->keep_alive = p->keep_alive;
			r->expect = p->expect_continue;
			r->expect_unknown = p->expect_unknown;
		} else if (ev == HTTP_DATA) {
			assert_true(p->slice_len > 0);
			sb_add(&r->body, p->slice, p->slice_len);
		} else if (ev == HTTP_DONE) {
			sb_putc(&r->body, '|');
			r->messages++;
			http_next(p);
			if (!len)
				return;
		} else {
			r->error = p->error;
			snprintf(r->why, sizeof(r->why), "%s", p->why);
			return;
		}
	}
}

static struct result run(enum http_kind kind, bool head_only, const char *in, size_t len,
			 size_t piece, bool eof)
{
	struct http_parser *p = malloc(sizeof(*p));
	struct result r = { 0 };
	size_t at;

	http_parser_init(p, kind);
	p->head_only = head_only;
	sb_init(&r.body);
	sb_puts(&r.body, "");
	for (at = 0; at < len && !r.error; at += piece) {
		/* octets of their own, so that ASan sees overreads */
		size_t n = min_sz(piece, len - at);
		char *copy = malloc(n);

		memcpy(copy, in + at, n);
		feed(p, copy, n, &r);
		free(copy);
	}
	if (eof && !r.error) {
		enum http_event ev = http_eof(p);

		if (ev == HTTP_DONE) {
			sb_putc(&r.body, '|');
			r.messages++;
		} else if (ev == HTTP_ERROR) {
			r.error = p->error;
			r.open = true;
		}
	}
	http_parser_free(p);
	free(p);
	return r;
}

/* In one piece, and octet by octet: the same. */
static void expect_n(enum http_kind kind, bool head_only, const char *in, size_t len,
		     unsigned messages, unsigned error, const char *body)
{
	for (size_t piece = len + 1; piece; piece = piece == 1 ? 0 : piece > 3 ? 3 : 1) {
		struct result r = run(kind, head_only, in, len, piece, false);

		if (r.messages != messages || r.error != error ||
		    (body && strcmp(sb_str(&r.body), body)))
			fail_msg("%.70s... (pieces of %zu): %u messages, error %u (%s), body %s",
				 in, piece, r.messages, r.error, r.why, sb_str(&r.body));
		sb_free(&r.body);
	}
}
#define REQ(in, messages, error, body)                                                             \
	expect_n(HTTP_REQUEST, false, in, sizeof(in) - 1, messages, error, body)
#define RSP(in, messages, error, body)                                                             \
	expect_n(HTTP_RESPONSE, false, in, sizeof(in) - 1, messages, error, body)

#define H "Host: h\r\n"
#define GET "GET / HTTP/1.1\r\n" H
#define POST "POST / HTTP/1.1\r\n" H

static void ht_01_both_framings(void **state)
{
	REQ(POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG", 0, 400, "");
	REQ(POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\nG", 0, 400, "");
}

static void ht_02_to_05_transfer_codings(void **state)
{
	static const char *const bad[] = {"xchunked",
					  "identity, chunked",
					  "chunked, identity",
					  ",chunked",
					  "chunked,",
					  "chunked, chunked",
					  "",
					  "\vchunked",
					  "\xa0"
					  "chunked",
					  "\x85"
					  "chunked",
					  "\xff"
					  "chunked",
					  "chunked\v",
					  "\"chunked\"",
					  "chunked;a=b"};
	char in[300];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		int n =
		    snprintf(in, sizeof(in), POST "Transfer-Encoding: %s\r\n\r\n0\r\n\r\n", bad[i]);

		expect_n(HTTP_REQUEST, false, in, (size_t)n, 0, 400, "");
	}
	REQ(POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 0, 501, "");
	REQ(POST "Transfer-Encoding:  chunked\r\n\r\n0\r\n\r\n", 1, 0,
	    "|"); /* outer blanks and tabs are OWS */
	REQ(POST "Transfer-Encoding:\tChunked\t\r\n\r\n0\r\n\r\n", 1, 0, "|");
	REQ(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0,
	    400, "");
	REQ("POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, 400, "");
}

static void ht_06_07_content_length(void **state)
{
	static const char *const bad[] = {"",
					  "+5",
					  "-48",
					  "0x10",
					  "1_0",
					  "1Z",
					  "5 6",
					  "5, 5",
					  "5, 6",
					  "9223372036854775808",
					  "18446744073709551616",
					  "1000000000000000000000000000000",
					  "5;",
					  "\"5\"",
					  "5.0",
					  "\xd9\xa1"};
	char in[300];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		int n = snprintf(in, sizeof(in), POST "Content-Length: %s\r\n\r\nabcde", bad[i]);

		expect_n(HTTP_REQUEST, false, in, (size_t)n, 0, 400, "");
	}
	REQ(POST "Content-Length: 1\r\nContent-Length: 0\r\n\r\na", 0, 400, "");
	REQ(POST "Content-Length: 010\r\n\r\n0123456789", 1, 0, "0123456789|");
	REQ(POST "Content-Length:   5  \r\n\r\nabcde" GET "\r\n", 2, 0, "abcde||");
	REQ(POST "Content-Length: 9223372036854775807\r\n\r\nabc", 0, 0, "abc");
}

#define CH POST "Transfer-Encoding: chunked\r\n\r\n"

static void ht_08_chunk_sizes(void **state)
{
	static const char *const bad[] = {"",
					  "0_2e",
					  "0x5",
					  "+5",
					  "-1",
					  " 5",
					  "5 ",
					  "FFFFFFFFFFFFFFFF",
					  "FFFFFFFFFFFFFFFFF",
					  "g",
					  "5\t",
					  "8000000000000000"};
	static char zeros[200100]; /* not malloc's: gcc 12 with sanitizers thinks of NULL and warns */
	char in[400];
	int n;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		n = snprintf(in, sizeof(in), CH "%s\r\nhello\r\n0\r\n\r\n", bad[i]);
		expect_n(HTTP_REQUEST, false, in, (size_t)n, 0, 400, "");
	}
	n = sprintf(zeros, CH);
	memset(zeros + n, '0', 100000);
	strcpy(zeros + n + 100000, "5\r\nhello\r\n0\r\n\r\n");
	expect_n(HTTP_REQUEST, false, zeros, strlen(zeros), 0, 400, "");
	REQ(CH "5\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n", 1, 0, "hello0123456789|");
	REQ(CH "0000000000000005\r\nhello\r\n000\r\n\r\n", 1, 0, "hello|");
}

static void ht_09_10_chunk_lines(void **state)
{
	struct strbuf sb;

	REQ(CH "5\nhello\r\n0\r\n\r\n", 0, 400, "");
	REQ(CH "5\rhello\r\n0\r\n\r\n", 0, 400, "");
	REQ(CH "5\r\r;ABCD\r\n", 0, 400, "");
	REQ(CH "5;a=b\nhello\r\n0\r\n\r\n", 0, 400, "");
	REQ(CH "5;a=\"\r\n\"\r\nhello\r\n0\r\n\r\n", 0, 400,
	    NULL); /* a quoted CRLF ends the line: then no data fits */
	REQ(CH "5;a=b;c\r\nhello\r\n0;x\r\n\r\n", 1, 0, "hello|");
	sb_init(&sb);
	sb_puts(&sb, CH "1;");
	for (int i = 0; i < 1000000; i++)
		sb_putc(&sb, 'x');
	expect_n(HTTP_REQUEST, false, sb.buf, sb.len, 0, 400, "");
	sb_reset(&sb);
	sb_puts(&sb, CH);
	for (int i = 0; i < 1000; i++) {
		sb_puts(&sb, "1;");
		for (int k = 0; k < 100; k++)
			sb_putc(&sb, 'x');
		sb_puts(&sb, "\r\na\r\n");
	}
	expect_n(HTTP_REQUEST, false, sb.buf, sb.len, 0, 400, NULL); /* a budget for all of them */
	sb_free(&sb);
}

static void ht_11_12_after_the_chunks(void **state)
{
	struct strbuf sb;

	REQ(CH "5\r\nhelloX\r\n0\r\n\r\n", 0, 400, "hello");
	REQ(CH "5\r\nhello0\r\n\r\n", 0, 400, "hello");
	REQ(CH "0\r\nX:\r\n\r\n", 1, 0, "|");
	REQ(CH "0\r\nX\r\n\r\n", 0, 400, "");
	REQ(CH "0\r\n x\r\n\r\n", 0, 400, "");
	REQ(CH "0\r\nContent-Length: 5\r\nTransfer-Encoding: gzip\r\nHost: other\r\n\r\n" GET
	       "\r\n",
	    2, 0, "||"); /* not merged */
	sb_init(&sb);
	sb_puts(&sb, CH "0\r\n");
	for (int i = 0; i < 100000; i++)
		sb_puts(&sb, "X: y\r\n");
	expect_n(HTTP_REQUEST, false, sb.buf, sb.len, 0, 431, "");
	sb_free(&sb);
}

static void ht_13_14_17_28_lines(void **state)
{
	REQ("GET / HTTP/1.1\r\n" H "A: b\r\n c\r\n\r\n", 0, 400, "");
	REQ("GET / HTTP/1.1\r\n" H "A: b\r\n\tc\r\n\r\n", 0, 400, "");
	REQ("GET / HTTP/1.1\r\n A: b\r\n" H "\r\n", 0, 400, "");
	REQ(POST "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 0, 400, "");
	REQ("GET / HTTP/1.1\r\n\r\n\tContent-Length: 1\r\n", 0, 400, "");
	REQ("GET / HTTP/1.1\n" H "\r\n", 0, 400, "");
	REQ("GET / HTTP/1.1\r\nHost: h\n\r\n", 0, 400, "");
	REQ("GET / HTTP/1.1\r\nHost: h\r\r\n\r\n", 0, 400, "");
	REQ("GET / HTTP/1.1\r\nHost: h\rX: y\r\n\r\n", 0, 400, "");
	REQ("GET / HTTP/1.1\r\nHost: h\r\n\rZ", 0, 400, "");
	REQ("GET / HTTP/1.1\r\nHost: h\r\n\n", 0, 400, "");
	REQ(POST "Transfer-\r\nEncoding: chunked\r\n\r\n0\r\n\r\n", 0, 400, "");
	REQ("\r\n" GET "\r\n", 1, 0, "|"); /* one empty line before is allowed (RFC 9112 2.2) */
	REQ("\r\n\r\n\r\n\r\n\r\n" GET "\r\n", 0, 400, "");
	REQ("\n" GET "\r\n", 0, 400, "");
	REQ("\rG", 0, 400, "");
}

static void ht_15_16_names_and_values(void **state)
{
	static const char *const bad[] = {"Content-Length : 34",
					  "Content-Length 10",
					  ": x",
					  "X\x85: y",
					  "X\xa0: y",
					  "X\x01: y",
					  "X Y: z",
					  "X\t: y",
					  "X(: y",
					  "X: a\x01"
					  "b",
					  "X: a\x7f"
					  "b",
					  "X",
					  "\"X\": y"};
	char in[300];
	int n;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		n = snprintf(in, sizeof(in), GET "%s\r\n\r\n", bad[i]);
		expect_n(HTTP_REQUEST, false, in, (size_t)n, 0, 400, "");
	}
	REQ(GET "X\0Y: z\r\n\r\n", 0, 400, "");
	REQ(GET "X: v\0alue\r\n\r\n", 0, 400, "");
	REQ(GET "X:\r\nY: \xc3\xa4 obs-text\r\n\r\n", 1, 0, "|");
}

static void ht_18_request_lines(void **state)
{
	static const struct {
		const char *line;
		unsigned error;
	} bad[] = {
	    {"GET  / HTTP/1.1", 400},
	    {"GET\t/ HTTP/1.1", 400},
	    {"GET /\tHTTP/1.1", 400},
	    {"GET / HTTP/1.32", 400},
	    {"GET / HTTP/4294967295.255", 400},
	    {"GET / HTTP/2.0", 505},
	    {"GET / HTTP/0.9", 505},
	    {"GET / HTTP/1.", 400},
	    {"GET / http/1.1", 400},
	    {"G=\":<>(e) / HTTP/1.1", 400},
	    {"GET /", 400},
	    {"GET", 400},
	    {" GET / HTTP/1.1", 400},
	    {"GET / HTTP/1.1 ", 400},
	    {"GET / x HTTP/1.1", 400},
	    {"GET index.html HTTP/1.1", 400},
	    {"GET ftp://h/ HTTP/1.1", 400},
	    {"GET /a\"b HTTP/1.1", 400},
	    {"GET /a#b HTTP/1.1", 400},
	    {"GET /\x80 HTTP/1.1", 400},
	    {"GET http:///x HTTP/1.1", 400},
	    {"GET http://u@h/x HTTP/1.1", 400},
	    {"AAAAAAAAAABBBBBBBBBBCCCCCCCCCCDDD / HTTP/1.1", 501},
	};
	char in[300];
	int n;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		n = snprintf(in, sizeof(in), "%s\r\n" H "\r\n", bad[i].line);
		expect_n(HTTP_REQUEST, false, in, (size_t)n, 0, bad[i].error, "");
	}
	REQ("GET /\nHTTP/1.1\r\n" H "\r\n", 0, 400, "");
	REQ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0, 505, ""); /* HT-27 */
	REQ("OPTIONS * HTTP/1.1\r\n" H "\r\n", 1, 0, "|");
	REQ("GET * HTTP/1.1\r\n" H "\r\n", 0, 400, "");
}

static void ht_19_host(void **state)
{
	static const char *const bad[] = {"",
					  "Host: h\r\nHost: h\r\n",
					  "Host: h\r\nhost: g\r\n",
					  "Host: a:99999\r\n",
					  "Host: a b\r\n",
					  "Host: a/b\r\n",
					  "Host: a@b\r\n",
					  "Host: a:b\r\n",
					  "Host: [::1\r\n"};
	struct result r;
	char in[300];
	int n;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		n = snprintf(in, sizeof(in), "GET / HTTP/1.1\r\n%s\r\n", bad[i]);
		expect_n(HTTP_REQUEST, false, in, (size_t)n, 0, 400, "");
	}
	REQ("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", 0, 400, "");
	REQ("GET / HTTP/1.0\r\n\r\n", 1, 0, "|");
	n = snprintf(in, sizeof(in),
		     "GET http://one.example:81/p?q HTTP/1.1\r\nHost: two.example\r\n\r\n");
	r = run(HTTP_REQUEST, false, in, (size_t)n, 1000, false);
	assert_string_equal(r.last_host, "one.example:81"); /* the absolute form wins */
	assert_string_equal(r.last_path, "/p?q");
	sb_free(&r.body);
}

static void ht_20_21_22_sequences(void **state)
{
	struct strbuf sb;

	REQ(POST "Content-Length: 0\r\n\r\n" GET "\r\n", 2, 0, "||");
	REQ("DELETE / HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc" GET "\r\n", 2, 0, "abc||");
	sb_init(&sb);
	for (int i = 0; i < 1000; i++)
		sb_puts(&sb, GET "\r\n");
	expect_n(HTTP_REQUEST, false, sb.buf, sb.len, 1000, 0, NULL);
	sb_free(&sb);
}

static void ht_23_expect(void **state)
{
	struct result r =
	    run(HTTP_REQUEST, false, POST "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\n",
		strlen(POST "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\n"), 1000, false);

	assert_true(r.expect && !r.expect_unknown);
	sb_free(&r.body);
	r = run(HTTP_REQUEST, false, GET "Expect: x\r\n\r\n", strlen(GET "Expect: x\r\n\r\n"), 1000,
		false);
	assert_true(!r.expect && r.expect_unknown);
	sb_free(&r.body);
}

static void ht_24_responses_without_body(void **state)
{
	RSP("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 1, 0, "|");
	RSP("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 1, 0, "|");
	RSP("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 2, 0,
	    "|ok|");
	expect_n(HTTP_RESPONSE, true, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 38, 1, 0,
		 "|");
	RSP("HTTP/1.1 204 No Content\r\n\r\nabc", 1, 0,
	    "|"); /* extra octets are not begun to be understood ... */
	RSP("HTTP/1.1 204 No Content\r\n\r\nabc\r\n\r\n", 1, 502,
	    "|"); /* ... and are no response */
}

static void ht_25_responses_bounded(void **state)
{
	struct strbuf sb;
	struct result r;

	RSP("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 0, 400,
	    "");
	RSP("HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n", 0, 400, "");
	RSP("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", 0, 400, "");
	RSP("HTTP/1.1 20 OK\r\n\r\n", 0, 502, "");
	RSP("HTTP/1.1 099 OK\r\n\r\n", 0, 502, "");
	RSP("HTTP/2 200 OK\r\n\r\n", 0, 502, "");
	RSP("ICY 200 OK\r\n\r\n", 0, 502, "");
	sb_init(&sb);
	for (int i = 0; i < 100; i++)
		sb_puts(&sb, "HTTP/1.1 102 Processing\r\n\r\n");
	r = run(HTTP_RESPONSE, false, sb.buf, sb.len, sb.len, false);
	assert_int_equal(r.error, 502);
	assert_int_equal(r.messages, HTTP_INTERIM_MAX);
	sb_free(&r.body);
	sb_reset(&sb);
	sb_puts(&sb, "HTTP/1.1 200 OK\r\nX: ");
	for (int i = 0; i < 1000000; i++)
		sb_putc(&sb, 'x');
	r = run(HTTP_RESPONSE, false, sb.buf, sb.len, 1460, false);
	assert_int_equal(r.error, 431);
	sb_free(&r.body);
	sb_free(&sb);
}

static void responses_until_close(void **state)
{
	static const char until[] = "HTTP/1.1 200 OK\r\n\r\nabc",
			  cut[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
			  chunk[] =
			      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n";
	struct result r = run(HTTP_RESPONSE, false, until, sizeof(until) - 1, 5, true);

	assert_int_equal(r.messages, 1);
	assert_string_equal(sb_str(&r.body), "abc|");
	sb_free(&r.body);
	r = run(HTTP_RESPONSE, false, cut, sizeof(cut) - 1, 5, true);
	assert_true(r.open);
	sb_free(&r.body);
	r = run(HTTP_RESPONSE, false, chunk, sizeof(chunk) - 1, 5, true);
	assert_true(r.open);
	sb_free(&r.body);
}

static void hr_03_hf_08_bounds(void **state)
{
	struct strbuf sb;

	sb_init(&sb);
	sb_puts(&sb, GET);
	for (int i = 0; i < 1000000; i++)
		sb_puts(&sb, "X: y\r\n");
	expect_n(HTTP_REQUEST, false, sb.buf, sb.len, 0, 431, "");
	sb_reset(&sb);
	sb_puts(&sb, GET);
	for (int i = 0; i < HTTP_FIELDS_MAX; i++)
		sb_puts(&sb, "X: y\r\n");
	sb_puts(&sb, "\r\n");
	expect_n(HTTP_REQUEST, false, sb.buf, sb.len, 0, 431, "");
	sb_reset(&sb);
	sb_puts(&sb, GET "X: ");
	for (int i = 0; i < 1000000; i++)
		sb_putc(&sb, 'y');
	expect_n(HTTP_REQUEST, false, sb.buf, sb.len, 0, 431, "");
	sb_reset(&sb);
	sb_puts(&sb, "GET /");
	for (int i = 0; i < 1000000; i++)
		sb_putc(&sb, 'a');
	expect_n(HTTP_REQUEST, false, sb.buf, sb.len, 0, 414, "");
	sb_reset(&sb);
	sb_puts(&sb, "GET /");
	for (int i = 0; i < 8192; i++)
		sb_putc(&sb, 'a');
	sb_puts(&sb, " HTTP/1.1\r\n" H "\r\n");
	expect_n(HTTP_REQUEST, false, sb.buf, sb.len, 0, 414, "");
	sb_reset(&sb);
	for (int i = 0; i < 100000; i++)
		sb_putc(&sb, 'G');
	expect_n(HTTP_REQUEST, false, sb.buf, sb.len, 0, 414, "");
	sb_free(&sb);
}

/* HR-07: every octet changed to every value, no reading beyond, and an end in every case. */
static void mutations_end(void **state)
{
	static const char in[] =
	    "POST /a?b HTTP/1.1\r\nHost: h:80\r\nTransfer-Encoding: chunked\r\nExpect: "
	    "100-continue\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: v\r\n\r\n" GET "\r\n";
	char c[sizeof(in)];

	for (size_t i = 0; i < sizeof(in) - 1; i++) {
		for (int v = 0; v < 256; v++) {
			struct result r;

			memcpy(c, in, sizeof(in));
			c[i] = (char)v;
			r = run(HTTP_REQUEST, false, c, sizeof(in) - 1, 16, true);
			assert_true(r.messages <= 3);
			sb_free(&r.body);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ht_01_both_framings),
	    cmocka_unit_test(ht_02_to_05_transfer_codings),
	    cmocka_unit_test(ht_06_07_content_length),
	    cmocka_unit_test(ht_08_chunk_sizes),
	    cmocka_unit_test(ht_09_10_chunk_lines),
	    cmocka_unit_test(ht_11_12_after_the_chunks),
	    cmocka_unit_test(ht_13_14_17_28_lines),
	    cmocka_unit_test(ht_15_16_names_and_values),
	    cmocka_unit_test(ht_18_request_lines),
	    cmocka_unit_test(ht_19_host),
	    cmocka_unit_test(ht_20_21_22_sequences),
	    cmocka_unit_test(ht_23_expect),
	    cmocka_unit_test(ht_24_responses_without_body),
	    cmocka_unit_test(ht_25_responses_bounded),
	    cmocka_unit_test(responses_until_close),
	    cmocka_unit_test(hr_03_hf_08_bounds),
	    cmocka_unit_test(mutations_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
