/* Which file a request means, whether its conditions hold, which part it wants.
 *
 * Decides what is a safe path (HF-01..HF-04, HF-08): escapes are decoded once; a path that then has
 * a ".." segment, a control character, a backslash or bytes that are not UTF-8 is refused; names
 * that begin with a dot are not there (uploads in progress are such). Called by http_conn.c. RFC
 * 3986, RFC 9110 13, 14. Tests: tests/unit/app/test_http_file.c (HF-*, HR-04, HT-26). */
#include <string.h>
#include <strings.h>

#include "app/http_file.h"
#include "app/url.h"
#include "app/web_date.h"

/* ---- paths ---- */

/* Length of the UTF-8 sequence at s (n octets left), 0 if it is none: shortest form, no surrogates
 * (RFC 3629). */
static size_t utf8_len(const uint8_t *s, size_t n)
{
	uint32_t v;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		return n >= 2 && (s[1] & 0xc0) == 0x80 ? 2 : 0;
	if (s[0] >= 0xe0 && s[0] <= 0xef && n >= 3 && (s[1] & 0xc0) == 0x80 &&
	    (s[2] & 0xc0) == 0x80) {
		v = (s[0] & 15u) << 12 | (s[1] & 63u) << 6 | (s[2] & 63u);
		return v >= 0x800 && (v < 0xd800 || v > 0xdfff) ? 3 : 0;
	}
	if (s[0] >= 0xf0 && s[0] <= 0xf4 && n >= 4 && (s[1] & 0xc0) == 0x80 &&
	    (s[2] & 0xc0) == 0x80 && (s[3] & 0xc0) == 0x80) {
		v = (s[0] & 7u) << 18 | (s[1] & 63u) << 12 | (s[2] & 63u) << 6 | (s[3] & 63u);
		return v >= 0x10000 && v <= 0x10ffff ? 4 : 0;
	}
	return 0;
}

static bool is_utf8(const char *s)
{
	size_t n = strlen(s), i = 0;

	while (i < n) {
		size_t l = utf8_len((const uint8_t *)s + i, n - i);

		if (!l)
			return false;
		i += l;
	}
	return true;
}

/* Decode once into out. 0 or a status. An escaped slash is not a slash: no file here has one in its
 * name. */
static unsigned decode(const char *s, char out[HTTP_PATH_ROOM])
{
	size_t o = 0;

	while (*s && *s != '?') {
		int c = (unsigned char)*s;

		if (c == '%') {
			c = url_hex_octet(s + 1);
			if (c < 0)
				return 400;
			if (c == '/')
				return 404;
			s += 2;
		}
		if (c < 0x20 || c == 0x7f || c == '\\')
			return 400;
		if (o + 1 >= HTTP_PATH_ROOM)
			return 404;
		out[o++] = (char)c;
		s++;
	}
	out[o] = 0;
	return is_utf8(out) ? 0 : 400;
}

/* Judge each segment and merge empty ones. */
static unsigned tidy(char *path)
{
	char *in = path, *out = path;
	unsigned status = 0;

	while (*in) {
		size_t n;

		while (in[0] == '/' && in[1] == '/')
			in++;
		n = 1 + strcspn(in + 1, "/");
		if (n == 3 && in[1] == '.' && in[2] == '.')
			return 400;
		if (n > 1 && in[1] == '.')
			status = 404;
		memmove(out, in, n);
		out += n;
		in += n;
	}
	*out = 0;
	return status;
}

unsigned http_path_map(const char *target, char out[HTTP_PATH_ROOM])
{
	unsigned status;

	if (target[0] != '/')
		return 400;
	status = decode(target, out);
	return status ? status : tidy(out);
}

void http_path_escape(struct strbuf *sb, const char *path)
{
	for (; *path; path++) {
		unsigned char c = (unsigned char)*path;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    strchr("/-._~!$&'()*+,;=:@", c))
			sb_putc(sb, (char)c);
		else
			sb_printf(sb, "%%%02X", c);
	}
}

const char *http_content_type(const char *path)
{
	static const char *const types[][2] = {
	    {"html", "text/html; charset=utf-8"},
	    {"htm", "text/html; charset=utf-8"},
	    {"txt", "text/plain; charset=utf-8"},
	    {"css", "text/css; charset=utf-8"},
	    {"csv", "text/csv; charset=utf-8"},
	    {"js", "text/javascript; charset=utf-8"},
	    {"json", "application/json"},
	    {"xml", "application/xml"},
	    {"pdf", "application/pdf"},
	    {"zip", "application/zip"},
	    {"gz", "application/gzip"},
	    {"wasm", "application/wasm"},
	    {"png", "image/png"},
	    {"jpg", "image/jpeg"},
	    {"jpeg", "image/jpeg"},
	    {"gif", "image/gif"},
	    {"svg", "image/svg+xml"},
	    {"webp", "image/webp"},
	    {"ico", "image/vnd.microsoft.icon"},
	    {"mp3", "audio/mpeg"},
	    {"mp4", "video/mp4"},
	    {"woff2", "font/woff2"},
	};
	const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
	size_t i;

	for (i = 0; dot && i < ARRAY_SIZE(types); i++)
		if (!strcasecmp(dot + 1, types[i][0]))
			return types[i][1];
	return "application/octet-stream";
}

const char *http_reason(unsigned status)
{
	static const struct {
		uint16_t status;
		const char *reason;
	} r[] = {
	    {100, "Continue"},
	    {200, "OK"},
	    {201, "Created"},
	    {204, "No Content"},
	    {206, "Partial Content"},
	    {301, "Moved Permanently"},
	    {304, "Not Modified"},
	    {400, "Bad Request"},
	    {403, "Forbidden"},
	    {404, "Not Found"},
	    {405, "Method Not Allowed"},
	    {408, "Request Timeout"},
	    {409, "Conflict"},
	    {411, "Length Required"},
	    {412, "Precondition Failed"},
	    {413, "Content Too Large"},
	    {414, "URI Too Long"},
	    {416, "Range Not Satisfiable"},
	    {417, "Expectation Failed"},
	    {431, "Request Header Fields Too Large"},
	    {500, "Internal Server Error"},
	    {501, "Not Implemented"},
	    {503, "Service Unavailable"},
	    {505, "HTTP Version Not Supported"},
	    {507, "Insufficient Storage"},
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(r); i++)
		if (r[i].status == status)
			return r[i].reason;
	return "Unknown";
}

/* ---- conditions ---- */

/* Whether a list of entity tags (or "*") holds ours. Weak comparison ignores "W/" (RFC
 * 9110 8.8.3.2). */
static bool etag_in(const char *list, const struct http_version *v, bool weak_ok)
{
	size_t want = strlen(v->etag);

	if (!strcmp(list, "*"))
		return v->exists;
	while (v->exists && *list) {
		bool weak = false;
		const char *end;

		list += strspn(list, " \t,");
		if (!strncmp(list, "W/", 2)) {
			weak = true;
			list += 2;
		}
		if (*list != '"' || !(end = strchr(list + 1, '"')))
			return false;
		if ((size_t)(end - list) + 1 == want && !memcmp(list, v->etag, want) &&
		    (weak_ok || !weak))
			return true;
		list = end + 1;
	}
	return false;
}

unsigned http_precondition(const struct http_parser *p, const struct http_version *v)
{
	bool read = !strcmp(p->method, "GET") || !strcmp(p->method, "HEAD");
	const char *s;
	uint64_t when;

	s = http_field(p, "If-Match");
	if (s) {
		if (!etag_in(s, v, false))
			return 412;
	} else if ((s = http_field(p, "If-Unmodified-Since")) && v->exists && v->mtime_s &&
		   !web_http_date_parse(s, &when) && v->mtime_s > when) {
		return 412;
	}
	s = http_field(p, "If-None-Match");
	if (s)
		return etag_in(s, v, true) ? (read ? 304 : 412) : 0;
	s = http_field(p, "If-Modified-Since");
	if (s && read && v->exists && v->mtime_s && !web_http_date_parse(s, &when) &&
	    v->mtime_s <= when)
		return 304;
	return 0;
}

/* ---- ranges ---- */

/* Digits at *s, at most 2^63-1 and saturated there. False: none. */
static bool number(const char **s, uint64_t *v)
{
	const char *start = *s;

	for (*v = 0; **s >= '0' && **s <= '9'; ++*s)
		*v = *v > (uint64_t)INT64_MAX / 10 - 1 ? (uint64_t)INT64_MAX
						       : *v * 10 + (uint64_t)(**s - '0');
	return *s != start;
}

/* If-Range: the validator must be strong and exactly ours, else the whole is sent (RFC
 * 9110 13.1.5). */
static bool if_range_holds(const struct http_parser *p, const struct http_version *v)
{
	const char *s = http_field(p, "If-Range");
	uint64_t when;

	if (!s)
		return true;
	if (*s == '"')
		return !strcmp(s, v->etag);
	return v->mtime_s && !web_http_date_parse(s, &when) && when == v->mtime_s;
}

unsigned http_range(const struct http_parser *p, const struct http_version *v, uint64_t *first,
		    uint64_t *last)
{
	const char *s = http_field(p, "Range");
	uint64_t a = 0, b = 0;
	bool has_a, has_b;

	if (!s || strcmp(p->method, "GET") || strncasecmp(s, "bytes=", 6) || strchr(s, ',') ||
	    !if_range_holds(p, v))
		return 200;
	s += 6;
	has_a = number(&s, &a);
	if (*s++ != '-')
		return 200;
	has_b = number(&s, &b);
	if (*s || (!has_a && !has_b) || (has_a && has_b && b < a))
		return 200; /* not a valid Range: as if it were not there */
	if (!has_a) { /* the last b octets */
		if (!b || !v->size)
			return 416;
		*first = b < v->size ? v->size - b : 0;
		*last = v->size - 1;
		return 206;
	}
	if (a >= v->size)
		return 416;
	*first = a;
	*last = has_b ? min_u64(b, v->size - 1) : v->size - 1;
	return 206;
}

/* ---- fields out ---- */

bool http_add_field_len(struct strbuf *sb, const char *name, const char *value, size_t len)
{
	if (!http_is_token(name, strlen(name)) || memchr(value, '\r', len) ||
	    memchr(value, '\n', len) || memchr(value, 0, len))
		return false;
	sb_puts(sb, name);
	sb_puts(sb, ": ");
	sb_add(sb, value, len);
	sb_puts(sb, "\r\n");
	return true;
}

bool http_add_field(struct strbuf *sb, const char *name, const char *value)
{
	return http_add_field_len(sb, name, value, strlen(value));
}
