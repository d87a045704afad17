/* HTTP/1.1 messages, both directions (RFC 9112): strict, incremental, bounded. What other parsers forgive and what has therefore
 * smuggled requests is refused here: bare LF or CR, folded lines, blanks around the name, two framings, anything but
 * "chunked" as transfer coding, signs and blanks in numbers.
 *
 *      START -> HEAD -> (BODY: none | length | chunked -> TRAILER | until close) -> DONE        any -> ERROR
 *
 * The head is collected (bounded) and judged whole; the body passes through in slices of the caller's own buffer. After DONE
 * http_next() begins the next message of the connection; after ERROR the connection must be closed.
 * Limits: HTTP_*_MAX below. */
#ifndef APP_HTTP_PARSE_H
#define APP_HTTP_PARSE_H

#include "base/strbuf.h"

#define HTTP_TARGET_MAX 8000      /* RFC 9112 3: at least 8000 octets */
#define HTTP_HEAD_MAX 65536       /* start line and fields */
#define HTTP_FIELDS_MAX 200
#define HTTP_METHOD_MAX 32
#define HTTP_CHUNK_LINE_MAX 1024
#define HTTP_CHUNK_EXT_MAX 16384  /* octets of chunk extensions in one message */
#define HTTP_TRAILER_MAX 8192
#define HTTP_INTERIM_MAX 16       /* 1xx responses before the final one */
#define HTTP_EMPTY_LINES_MAX 2    /* before a request line (RFC 9112 2.2) */
#define HTTP_LENGTH_MAX ((uint64_t)INT64_MAX)

enum http_kind { HTTP_REQUEST, HTTP_RESPONSE };
enum http_event {
	HTTP_MORE,  /* all input was taken, more is needed */
	HTTP_HEAD,  /* the head is complete: method, target, status, fields and framing stand */
	HTTP_DATA,  /* a slice of the body: p->slice, p->slice_len (borrowed from the input) */
	HTTP_DONE,  /* the message is complete; input behind it is untouched */
	HTTP_ERROR  /* p->error: the status a server answers with; p->why: one line */
};
enum http_body { HTTP_BODY_NONE, HTTP_BODY_LENGTH, HTTP_BODY_CHUNKED, HTTP_BODY_CLOSE };

struct http_field {
	const char *name, *value; /* NUL-terminated, in the head's buffer; name as sent, value without outer blanks */
};

struct http_parser {
	enum http_kind kind;
	unsigned state; /* enum http_state in http_parse.c */
	bool head_only;    /* response: to a HEAD request, set before feeding */
	struct strbuf head;
	unsigned empty_lines, interim;

	char method[HTTP_METHOD_MAX + 1];
	const char *target, *reason;
	uint8_t minor; /* HTTP/1.minor */
	uint16_t status;
	struct http_field field[HTTP_FIELDS_MAX];
	unsigned n_fields;

	enum http_body body;
	uint64_t length;    /* HTTP_BODY_LENGTH: as announced */
	uint64_t left;      /* of the body or the current chunk */
	uint64_t received;  /* body octets so far */
	bool keep_alive, expect_continue, expect_unknown;
	const char *host;   /* request: authority as it counts (absolute form wins), "" if none */
	const char *path;   /* request: origin form of the target */

	const uint8_t *slice;
	size_t slice_len;
	char line[HTTP_CHUNK_LINE_MAX];
	unsigned line_len;
	uint32_t ext_octets, trailer_octets;
	uint16_t error;
	const char *why;
};

void http_parser_init(struct http_parser *p, enum http_kind kind);
void http_parser_free(struct http_parser *p);
/* Begin the next message of the same connection. */
void http_next(struct http_parser *p);
/* Take from *data, *len octets long (both advance), up to the next event. */
enum http_event http_step(struct http_parser *p, const uint8_t **data, size_t *len);
/* The connection was closed by its peer: HTTP_DONE if that ends the message properly, HTTP_MORE if none had begun, else
 * HTTP_ERROR. */
enum http_event http_eof(struct http_parser *p);
/* The value of a field by name (case-insensitive), NULL if absent; of several the first. */
const char *http_field(const struct http_parser *p, const char *name);
/* Does the list-valued field have this token? */
bool http_has_token(const struct http_parser *p, const char *name, const char *token);

/* The head's grammar (http_head.c): judge p->head. False: error and why are set. */
bool http_judge_head(struct http_parser *p);
bool http_is_token(const char *s, size_t len);
/* One field line without its CRLF, NUL-terminated at its end; cuts it in place. NULL or the fault. */
const char *http_judge_field(char *line, size_t len, struct http_field *f);

#endif
