/* HTTP/1.1 messages: collecting heads, framing bodies (see http_parse.h). Called by http_server and http_client; the head's
 * grammar is in http_head.c. RFC 9112 2.2, 6, 7. Tests: tests/unit/app/test_http_parse.c, HT-01..HT-28; fuzz_http_*. */
#include <string.h>
#include <strings.h>
#include "app/http_parse.h"

enum http_state { ST_START, ST_HEAD, ST_LENGTH, ST_CHUNK_LINE, ST_CHUNK_DATA, ST_CHUNK_END, ST_TRAILER, ST_CLOSE, ST_DONE, ST_ERROR };

void http_parser_init(struct http_parser *p, enum http_kind kind)
{
	memset(p, 0, sizeof(*p));
	p->kind = kind;
	sb_init(&p->head);
	p->why = p->host = p->path = "";
}

void http_parser_free(struct http_parser *p)
{
	sb_free(&p->head);
}

/* Forget the message, keep the connection. */
static void forget(struct http_parser *p)
{
	struct strbuf head = p->head;
	enum http_kind kind = p->kind;
	bool head_only = p->head_only;

	sb_reset(&head);
	memset(p, 0, sizeof(*p));
	p->head = head;
	p->kind = kind;
	p->head_only = head_only;
	p->why = p->host = p->path = "";
}

void http_next(struct http_parser *p)
{
	unsigned interim = p->kind == HTTP_RESPONSE && p->status >= 100 && p->status < 200 ? p->interim + 1 : 0;

	forget(p);
	p->interim = interim;
}

static enum http_event fault(struct http_parser *p, uint16_t status, const char *why)
{
	p->state = ST_ERROR;
	p->error = status;
	p->why = why;
	return HTTP_ERROR;
}

/* Where the body begins. */
static void enter_body(struct http_parser *p)
{
	switch (p->body) {
	case HTTP_BODY_LENGTH:
		p->left = p->length;
		p->state = p->left ? ST_LENGTH : ST_DONE;
		break;
	case HTTP_BODY_CHUNKED:
		p->state = ST_CHUNK_LINE;
		break;
	case HTTP_BODY_CLOSE:
		p->state = ST_CLOSE;
		break;
	default:
		p->state = ST_DONE;
	}
}

/* Octets of the head, one by one: line ends are CRLF and nothing else is a line end or a control character. */
static enum http_event step_head(struct http_parser *p, const uint8_t **data, size_t *len)
{
	while (*len) {
		char c = (char)**data, prev = p->head.len ? p->head.buf[p->head.len - 1] : 0;

		if (p->state == ST_START && p->kind == HTTP_REQUEST && !p->head.len && (c == '\r' || c == '\n') &&
		    p->empty_lines / 2 < HTTP_EMPTY_LINES_MAX) {
			/* an empty line before the request (RFC 9112 2.2), counted in half lines */
			if ((c == '\n') != (p->empty_lines % 2 == 1))
				return fault(p, 400, "bare CR or LF before the request line");
			p->empty_lines++;
			(*data)++;
			(*len)--;
			continue;
		}
		if (p->empty_lines % 2)
			return fault(p, 400, "bare CR before the request line");
		p->state = ST_HEAD;
		if (c == '\n' ? prev != '\r' : prev == '\r')
			return fault(p, 400, c == '\n' ? "a line ends in LF without CR" : "CR without LF");
		if (!c)
			return fault(p, 400, "NUL in the head");
		if (p->head.len >= HTTP_HEAD_MAX)
			return fault(p, memchr(p->head.buf, '\n', p->head.len) ? 431 : 414, "the head is too large");
		sb_putc(&p->head, c);
		(*data)++;
		(*len)--;
		if (p->kind == HTTP_REQUEST && p->head.len == HTTP_TARGET_MAX + HTTP_METHOD_MAX + 16 && !memchr(p->head.buf, '\n', p->head.len))
			return fault(p, 414, "the request target is too long");
		if (c == '\n' && p->head.len >= 4 && !memcmp(p->head.buf + p->head.len - 4, "\r\n\r\n", 4)) {
			if (!http_judge_head(p)) {
				p->state = ST_ERROR;
				return HTTP_ERROR;
			}
			enter_body(p);
			return HTTP_HEAD;
		}
	}
	return HTTP_MORE;
}

static enum http_event give(struct http_parser *p, const uint8_t **data, size_t *len, uint64_t most)
{
	p->slice = *data;
	p->slice_len = (size_t)min_u64(*len, most);
	p->received += p->slice_len;
	*data += p->slice_len;
	*len -= p->slice_len;
	return HTTP_DATA;
}

/* Collect a line of the chunked framing. 1: complete (without CRLF, NUL-terminated), 0: more, -1: fault. */
static int chunk_line(struct http_parser *p, const uint8_t **data, size_t *len)
{
	while (*len) {
		char c = (char)**data;
		bool after_cr = p->line_len && p->line[p->line_len - 1] == '\r';

		if ((c == '\n') != after_cr || !c)
			return -1;
		(*data)++;
		(*len)--;
		if (c == '\n') {
			p->line[--p->line_len] = '\0';
			return 1;
		}
		if (p->line_len + 1 >= HTTP_CHUNK_LINE_MAX)
			return -1;
		p->line[p->line_len++] = c;
	}
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* chunk-size [ chunk-ext ]: 1 to 16 hexadecimal digits, then nothing or ";" and printable characters (RFC 9112 7.1). */
static const char *judge_chunk(struct http_parser *p)
{
	uint64_t size = 0;
	unsigned i;

	for (i = 0; i < p->line_len && hex_digit(p->line[i]) >= 0; i++) {
		if (i == 16)
			return "a chunk size of too many digits";
		size = size << 4 | (unsigned)hex_digit(p->line[i]);
	}
	if (!i)
		return "a chunk without size";
	if (size > HTTP_LENGTH_MAX || size > HTTP_LENGTH_MAX - p->received)
		return "a chunk size beyond all bounds";
	if (i < p->line_len && p->line[i] != ';')
		return "garbage behind the chunk size";
	p->ext_octets += p->line_len - i;
	if (p->ext_octets > HTTP_CHUNK_EXT_MAX)
		return "too many chunk extensions";
	for (; i < p->line_len; i++)
		if ((uint8_t)p->line[i] < 0x20 && p->line[i] != '\t')
			return "a control character in a chunk extension";
	p->left = size;
	return NULL;
}

static enum http_event step_chunk_line(struct http_parser *p, const uint8_t **data, size_t *len)
{
	const char *bad;
	int r = chunk_line(p, data, len);

	if (r <= 0)
		return r ? fault(p, 400, "a malformed chunk line") : HTTP_MORE;
	bad = judge_chunk(p);
	if (bad)
		return fault(p, 400, bad);
	p->line_len = 0;
	p->state = p->left ? ST_CHUNK_DATA : ST_TRAILER;
	return HTTP_MORE;
}

/* CRLF behind the chunk's data, nothing else (HT-11). */
static enum http_event step_chunk_end(struct http_parser *p, const uint8_t **data, size_t *len)
{
	int r = chunk_line(p, data, len);

	if (r < 0 || p->line_len > 1 || (r == 1 && p->line_len))
		return fault(p, 400, "chunk data not followed by CRLF");
	if (r == 1) {
		p->line_len = 0;
		p->state = ST_CHUNK_LINE;
	}
	return HTTP_MORE;
}

/* Trailer fields are judged as fields are and then forgotten: never merged (RFC 9110 6.5.1, HT-12). */
static enum http_event step_trailer(struct http_parser *p, const uint8_t **data, size_t *len)
{
	struct http_field f;
	int r = chunk_line(p, data, len);
	const char *bad;

	if (r <= 0)
		return r ? fault(p, 400, "a malformed trailer") : HTTP_MORE;
	if (!p->line_len) {
		p->state = ST_DONE;
		return HTTP_MORE;
	}
	p->trailer_octets += p->line_len;
	if (p->trailer_octets > HTTP_TRAILER_MAX)
		return fault(p, 431, "the trailer is too large");
	bad = http_judge_field(p->line, p->line_len, &f);
	if (bad)
		return fault(p, 400, bad);
	p->line_len = 0;
	return HTTP_MORE;
}

enum http_event http_step(struct http_parser *p, const uint8_t **data, size_t *len)
{
	for (;;) {
		enum http_event ev = HTTP_MORE;
		unsigned before = p->state;

		switch ((enum http_state)p->state) {
		case ST_START:
		case ST_HEAD:
			return step_head(p, data, len);
		case ST_DONE:
			return HTTP_DONE;
		case ST_ERROR:
			return HTTP_ERROR;
		case ST_CLOSE:
			return *len ? give(p, data, len, UINT64_MAX) : HTTP_MORE;
		case ST_LENGTH:
		case ST_CHUNK_DATA:
			if (!*len)
				return HTTP_MORE;
			ev = give(p, data, len, p->left);
			p->left -= p->slice_len;
			if (!p->left)
				p->state = before == ST_LENGTH ? ST_DONE : ST_CHUNK_END;
			return ev;
		case ST_CHUNK_LINE:
			ev = step_chunk_line(p, data, len);
			break;
		case ST_CHUNK_END:
			ev = step_chunk_end(p, data, len);
			break;
		case ST_TRAILER:
			ev = step_trailer(p, data, len);
			break;
		}
		if (ev == HTTP_ERROR)
			return ev;
		if (!*len && p->state != ST_DONE)
			return HTTP_MORE;
	}
}

enum http_event http_eof(struct http_parser *p)
{
	switch ((enum http_state)p->state) {
	case ST_START:
		return HTTP_MORE;
	case ST_CLOSE:
		p->state = ST_DONE;
		return HTTP_DONE;
	case ST_DONE:
		return HTTP_DONE;
	case ST_ERROR:
		return HTTP_ERROR;
	default:
		return fault(p, 400, "the connection ended inside the message");
	}
}

const char *http_field(const struct http_parser *p, const char *name)
{
	for (unsigned i = 0; i < p->n_fields; i++)
		if (!strcasecmp(p->field[i].name, name))
			return p->field[i].value;
	return NULL;
}

/* One value: tokens parted by commas and blanks. */
static bool list_has(const char *v, const char *token)
{
	size_t want = strlen(token);

	while (*v) {
		size_t n;
		v += strspn(v, " \t,");
		n = strcspn(v, ",");
		while (n && (v[n - 1] == ' ' || v[n - 1] == '\t'))
			n--;
		if (n == want && !strncasecmp(v, token, n))
			return true;
		v += strcspn(v, ",");
	}
	return false;
}

bool http_has_token(const struct http_parser *p, const char *name, const char *token)
{
	for (unsigned i = 0; i < p->n_fields; i++)
		if (!strcasecmp(p->field[i].name, name) && list_has(p->field[i].value, token))
			return true;
	return false;
}
