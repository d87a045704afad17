/* The grammar of an HTTP/1.1 head: start line, fields, and what they say of the body's framing (RFC 9112 3, 4, 5, 6.3; RFC 9110 7.2).
 * Called by http_parse.c with the whole head, CRLF CRLF at its end, no NUL and no stray CR or LF in it. */
#include <string.h>
#include <strings.h>
#include "app/http_parse.h"

static bool bad(struct http_parser *p, uint16_t status, const char *why)
{
	p->error = status;
	p->why = why;
	return false;
}

static bool tchar(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("!#$%&'*+-.^_`|~", c));
}

bool http_is_token(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!tchar(s[i]))
			return false;
	return len != 0;
}

const char *http_judge_field(char *line, size_t len, struct http_field *f)
{
	char *colon = memchr(line, ':', len), *v;

	line[len] = '\0';
	if (line[0] == ' ' || line[0] == '\t')
		return "a folded header line"; /* RFC 9112 5.2 */
	if (!colon)
		return "a header line without colon";
	if (!http_is_token(line, (size_t)(colon - line)))
		return "a header name that is not a token"; /* 5.1: a blank before the colon too */
	for (v = colon + 1; *v; v++)
		if (((uint8_t)*v < 0x20 && *v != '\t') || *v == 0x7f)
			return "a control character in a header value";
	*colon = '\0';
	v = colon + 1 + strspn(colon + 1, " \t");
	for (char *end = line + len; end > v && (end[-1] == ' ' || end[-1] == '\t');)
		*--end = '\0';
	f->name = line;
	f->value = v;
	return NULL;
}

/* "HTTP/1.0" or "HTTP/1.1" exactly; other majors are 505, everything else malformed. */
static bool judge_version(struct http_parser *p, const char *v)
{
	if (!strcmp(v, "HTTP/1.1") || !strcmp(v, "HTTP/1.0")) {
		p->minor = (uint8_t)(v[7] - '0');
		return true;
	}
	if (!strncmp(v, "HTTP/", 5) && v[5] >= '0' && v[5] <= '9' && v[6] == '.' && v[7] >= '0' && v[7] <= '9' && !v[8])
		return bad(p, 505, "an HTTP version that is not 1.0 or 1.1");
	return bad(p, 400, "a malformed HTTP version");
}

/* host [":" port]: no userinfo, no blanks; "" is allowed for a target without authority (RFC 9112 3.2). */
static bool host_ok(const char *h)
{
	const char *end = h + strlen(h), *port;
	unsigned v = 0;

	if (*h == '[') {
		const char *close = strchr(h, ']');
		if (!close || strspn(h + 1, "0123456789abcdefABCDEF:.") != (size_t)(close - h - 1))
			return false;
		port = close + 1;
	} else {
		port = h + strcspn(h, ":");
		for (const char *c = h; c < port; c++)
			if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || strchr("-._~%!$&'()*+,;=", *c)))
				return false;
	}
	if (port == end)
		return true;
	if (*port != ':')
		return false;
	for (port++; *port; port++) {
		if (*port < '0' || *port > '9' || (v = v * 10 + (unsigned)(*port - '0')) > 65535)
			return false;
	}
	return true;
}

static bool judge_target(struct http_parser *p, char *t)
{
	size_t len = strlen(t);

	if (len > HTTP_TARGET_MAX)
		return bad(p, 414, "the request target is too long");
	for (const char *c = t; *c; c++)
		if ((uint8_t)*c <= 0x20 || (uint8_t)*c >= 0x7f || strchr("\"<>\\^`{|}#", *c))
			return bad(p, 400, "a character that may not stand in a request target");
	p->target = p->path = t;
	if (*t == '/' || (!strcmp(t, "*") && !strcmp(p->method, "OPTIONS")))
		return true;
	if (!strncasecmp(t, "http://", 7)) { /* absolute form: its authority wins over Host (RFC 9112 3.2.2) */
		char *auth = t + 7, *slash = strpbrk(auth, "/?");
		size_t n = slash ? (size_t)(slash - auth) : strlen(auth);
		if (!n || (slash && *slash == '?'))
			return bad(p, 400, "an absolute target without host or path");
		/* move the authority one octet down to make room for its end */
		memmove(auth - 1, auth, n);
		auth[n - 1] = '\0';
		p->host = auth - 1;
		p->path = slash ? slash : "/";
		return host_ok(p->host) ? true : bad(p, 400, "a malformed host in the target");
	}
	if (!strcmp(p->method, "CONNECT"))
		return true;
	return bad(p, 400, "a request target that is neither a path nor an http URL");
}

static bool judge_request_line(struct http_parser *p, char *line)
{
	char *sp = strchr(line, ' '), *sp2;
	size_t n = sp ? (size_t)(sp - line) : 0;

	if (!sp || !http_is_token(line, n))
		return bad(p, 400, "a malformed request line");
	if (n > HTTP_METHOD_MAX)
		return bad(p, 501, "a method that is too long");
	memcpy(p->method, line, n);
	sp2 = strchr(sp + 1, ' ');
	if (!sp2 || strchr(sp2 + 1, ' ') || sp2 == sp + 1)
		return bad(p, 400, "a request line is METHOD TARGET VERSION, parted by one blank each");
	*sp2 = '\0';
	return judge_version(p, sp2 + 1) && judge_target(p, sp + 1);
}

static bool judge_status_line(struct http_parser *p, char *line)
{
	char *code = line + 9;

	if (strlen(line) < 12 || line[8] != ' ')
		return bad(p, 502, "a malformed status line");
	line[8] = '\0';
	if (!judge_version(p, line))
		return false;
	for (int i = 0; i < 3; i++)
		if (code[i] < '0' || code[i] > '9')
			return bad(p, 502, "a malformed status code");
	if (code[0] < '1' || code[0] > '9' || (code[3] && code[3] != ' '))
		return bad(p, 502, "a malformed status code");
	p->status = (uint16_t)((code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0'));
	p->reason = code[3] ? code + 4 : "";
	for (const char *c = p->reason; *c; c++)
		if ((uint8_t)*c < 0x20 && *c != '\t')
			return bad(p, 502, "a control character in the reason phrase");
	return true;
}

static unsigned count(const struct http_parser *p, const char *name, const char **value)
{
	unsigned n = 0;

	for (unsigned i = 0; i < p->n_fields; i++)
		if (!strcasecmp(p->field[i].name, name) && !n++)
			*value = p->field[i].value;
	return n;
}

/* Content-Length is digits and nothing else (RFC 9112 6.3; HT-06, HT-07). */
static bool judge_length(struct http_parser *p, const char *v)
{
	uint64_t n = 0;

	if (!*v)
		return bad(p, 400, "an empty Content-Length");
	for (; *v; v++) {
		if (*v < '0' || *v > '9')
			return bad(p, 400, "a Content-Length that is not a number");
		if (n > (HTTP_LENGTH_MAX - (unsigned)(*v - '0')) / 10)
			return bad(p, 400, "a Content-Length beyond all bounds");
		n = n * 10 + (unsigned)(*v - '0');
	}
	p->length = n;
	p->body = HTTP_BODY_LENGTH;
	return true;
}

/* "chunked" alone. Another known shape that ends in chunked is a coding that we do not have (501); the rest is faulty. */
static bool judge_coding(struct http_parser *p, const char *v)
{
	const char *last = strrchr(v, ',');

	if (!strcasecmp(v, "chunked")) {
		p->body = HTTP_BODY_CHUNKED;
		return true;
	}
	last = last ? last + 1 + strspn(last + 1, " \t") : v;
	if (last != v && !strcasecmp(last, "chunked") && http_is_token(v, strcspn(v, ", \t")) && strncasecmp(v, "identity", 8) && strncasecmp(v, "chunked", 7))
		return bad(p, 501, "a transfer coding other than chunked");
	return bad(p, 400, "a Transfer-Encoding that is not chunked");
}

static bool judge_framing(struct http_parser *p)
{
	const char *te = NULL, *cl = NULL;
	unsigned n_te = count(p, "Transfer-Encoding", &te), n_cl = count(p, "Content-Length", &cl);

	if (n_te > 1)
		return bad(p, 400, "two Transfer-Encoding headers");
	if (n_cl > 1)
		return bad(p, 400, "two Content-Length headers");
	if (n_te && n_cl)
		return bad(p, 400, "both Transfer-Encoding and Content-Length");
	if (n_te && !p->minor)
		return bad(p, 400, "Transfer-Encoding in HTTP/1.0");
	if (n_te && !judge_coding(p, te))
		return false;
	if (n_cl && !judge_length(p, cl))
		return false;
	if (p->kind == HTTP_REQUEST)
		return true; /* without both: no body (RFC 9112 6.3 rule 7) */
	if (p->head_only || p->status < 200 || p->status == 204 || p->status == 304)
		p->body = HTTP_BODY_NONE;
	else if (!n_te && !n_cl)
		p->body = HTTP_BODY_CLOSE;
	return true;
}

static bool judge_host(struct http_parser *p)
{
	const char *host = NULL;
	unsigned n = count(p, "Host", &host);

	if (n > 1)
		return bad(p, 400, "two Host headers");
	if (!n)
		return p->minor ? bad(p, 400, "no Host header") : true;
	if (!host_ok(host))
		return bad(p, 400, "a malformed Host header");
	if (!*p->host)
		p->host = host;
	return true;
}

static void judge_expect(struct http_parser *p)
{
	const char *v = NULL;

	if (p->minor && count(p, "Expect", &v)) {
		p->expect_continue = !strcasecmp(v, "100-continue");
		p->expect_unknown = !p->expect_continue;
	}
}

bool http_judge_head(struct http_parser *p)
{
	char *line = p->head.buf, *end = p->head.buf + p->head.len - 2;
	bool first = true;

	while (line < end) {
		char *cr = memchr(line, '\r', (size_t)(end - line));
		const char *why;
		size_t len = (size_t)(cr - line);

		*cr = '\0';
		if (first) {
			if (!(p->kind == HTTP_REQUEST ? judge_request_line(p, line) : judge_status_line(p, line)))
				return false;
		} else {
			if (p->n_fields == HTTP_FIELDS_MAX)
				return bad(p, 431, "too many header fields");
			why = http_judge_field(line, len, &p->field[p->n_fields++]);
			if (why)
				return bad(p, 400, why);
		}
		first = false;
		line = cr + 2;
	}
	p->keep_alive = p->minor ? !http_has_token(p, "Connection", "close") : http_has_token(p, "Connection", "keep-alive");
	if (p->kind == HTTP_RESPONSE) {
		if (p->status < 200 && p->interim >= HTTP_INTERIM_MAX)
			return bad(p, 502, "too many interim responses");
		return judge_framing(p);
	}
	judge_expect(p);
	return judge_host(p) && judge_framing(p);
}
