/* From a request to a file: paths, types, conditions, ranges. Pure functions; http_conn.c does the
 * work. */
#ifndef APP_HTTP_FILE_H
#define APP_HTTP_FILE_H

#include "app/http_parse.h"

#define HTTP_PATH_ROOM 1024 /* a file's path below the root, with its NUL */

/* The file path of an origin-form target: query cut off, percent escapes decoded once, "//" merged;
 * begins with '/'. 0; or the status to refuse it with: 400 (malformed escape, control character,
 * "..", not UTF-8), 404 (escaped slash, hidden name, too long). */
unsigned http_path_map(const char *target, char out[HTTP_PATH_ROOM]);
/* Escape a file path for Location. */
void http_path_escape(struct strbuf *sb, const char *path);
const char *http_content_type(const char *path);
const char *http_reason(unsigned status);

/* A representation as conditions see it. */
struct http_version {
	bool exists;
	char etag[48];     /* with quotes */
	uint64_t mtime_s;  /* since 1970; 0: unknown */
	uint64_t size;
};
/* RFC 9110 13.2.2. 0 go on, 304, 412. */
unsigned http_precondition(const struct http_parser *p, const struct http_version *v);
/* RFC 9110 14.2. 200: the whole; 206: *first..*last; 416. Several ranges are answered with the
 * whole (allowed, and HR-04's safest answer). */
unsigned http_range(const struct http_parser *p, const struct http_version *v, uint64_t *first,
		    uint64_t *last);

/* "Name: value" CRLF. False and nothing added when value holds CR, LF or NUL, or name is no token
 * (HT-26). */
bool http_add_field(struct strbuf *sb, const char *name, const char *value);
bool http_add_field_len(struct strbuf *sb, const char *name, const char *value, size_t len);

#endif
