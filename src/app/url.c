/* URL parser: what the browser does first (S3-12, S3-13).
 *
 * Decides: which scheme, host, port, path and query a text names, or why it names none. The grammar
 * of RFC 3986 is liburiparser's work; on top come the narrower rules of a web client: a host that
 * is a DNS name or a dotted IPv4 address, a port of 1..65535, no user name (RFC 9110 4.2.4), no
 * octets outside printable ASCII. Fragments stay here (RFC 9110 7.1). Called by visit.c and curl.c
 * before anything is sent. Tests: tests/unit/app/test_url.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <uriparser/Uri.h>

#include "app/app.h"
#include "app/url.h"
#include "base/pool.h"
#include "base/strbuf.h"

static int fail(char *err, size_t room, const char *fmt, ...) PRINTF_LIKE(3, 4);

static int fail(char *err, size_t room, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err, room, fmt, ap);
	va_end(ap);
	return -1;
}

static size_t range_len(const UriTextRangeA *r)
{
	return r->first ? (size_t)(r->afterLast - r->first) : 0;
}

static char *range_dup(const UriTextRangeA *r)
{
	size_t n = range_len(r);
	char *s = xcalloc(1, n + 1);

	if (n)
		memcpy(s, r->first, n);
	return s;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int url_hex_octet(const char *s)
{
	int hi = s[0] ? hex_digit(s[0]) : -1;
	int lo = hi >= 0 && s[1] ? hex_digit(s[1]) : -1;

	return lo < 0 ? -1 : hi * 16 + lo;
}

/* One pass before the grammar: what a person most often gets wrong is said in plain words. */
static int check_octets(const char *s, char *err, size_t room)
{
	size_t i;

	for (i = 0; s[i]; i++) {
		unsigned char c = (unsigned char)s[i];

		if (i >= URL_MAX)
			return fail(err, room, "bad URL: longer than %d characters", URL_MAX);
		if (c <= 0x20 || c == 0x7f)
			return fail(err, room,
				    "bad URL: space or control character at column %zu (write it "
				    "as %%%02X)",
				    i + 1, c);
		if (c >= 0x80)
			return fail(
			    err, room,
			    "bad URL: octet 0x%02x at column %zu is not ASCII (write it as %%%02X)",
			    c, i + 1, c);
		if (c == '%' && url_hex_octet(s + i + 1) < 0)
			return fail(err, room,
				    "bad URL: '%%' at column %zu is not followed by two hex digits",
				    i + 1);
	}
	if (!i)
		return fail(err, room, "bad URL: empty (write http://HOST/PATH)");
	return 0;
}

static int take_scheme(const UriUriA *uri, struct url *u, char *err, size_t room)
{
	size_t n = range_len(&uri->scheme);

	if (n == 4 && !strncasecmp(uri->scheme.first, "http", 4)) {
		u->scheme = URL_HTTP;
		u->port = 80;
	} else if (n == 5 && !strncasecmp(uri->scheme.first, "https", 5)) {
		u->scheme = URL_HTTPS;
		u->port = 443;
	} else if (!n) {
		return fail(err, room, "bad URL: no scheme (write http://HOST/PATH)");
	} else {
		return fail(err, room, "scheme '%.*s' is not supported: write http://HOST/PATH",
			    (int)min_sz(n, 32), uri->scheme.first);
	}
	return 0;
}

/* One label of a host name: letters, digits, hyphens inside (RFC 1123 2.1), underscore tolerated.
 */
static const char *label_fault(const char *l, size_t n)
{
	size_t i;

	if (n == 0)
		return "an empty label";
	if (n > 63)
		return "a label longer than 63 characters";
	if (l[0] == '-' || l[n - 1] == '-')
		return "a label that begins or ends with '-'";
	for (i = 0; i < n; i++) {
		char c = l[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
			return "a character that host names cannot have";
	}
	return NULL;
}

static bool last_label_numeric(const char *host)
{
	const char *dot = strrchr(host, '.');
	const char *l = dot ? dot + 1 : host;

	/* "0x7f" too: such hosts are addresses in other people's parsers (WHATWG URL 3.5). */
	if (l[0] == '0' && (l[1] == 'x'))
		return true;
	return l[0] && strspn(l, "0123456789") == strlen(l);
}

static int check_name(struct url *u, char *err, size_t room)
{
	const char *l = u->host;

	for (;;) {
		size_t n = strcspn(l, ".");
		const char *why = label_fault(l, n);

		if (why)
			return fail(err, room, "bad URL: host '%.100s' has %s", u->host, why);
		if (!l[n])
			break;
		l += n + 1;
	}
	if (last_label_numeric(u->host))
		return fail(err, room,
			    "bad URL: host '%.100s' is not an IPv4 address (four numbers 0..255) "
			    "nor a name",
			    u->host);
	return 0;
}

static int take_host(const UriUriA *uri, struct url *u, char *err, size_t room)
{
	size_t n = range_len(&uri->hostText), i;

	if (uri->userInfo.first)
		return fail(err, room, "bad URL: a user name before '@' is not accepted");
	if (uri->hostData.ip6 || uri->hostData.ipFuture.first)
		return fail(err, room, "bad URL: IPv6 addresses are not supported");
	if (!n)
		return fail(err, room, "bad URL: no host (write http://HOST/PATH)");
	if (n > URL_HOST_MAX + 1 || (n == URL_HOST_MAX + 1 && uri->hostText.first[n - 1] != '.'))
		return fail(err, room, "bad URL: host longer than %d characters", URL_HOST_MAX);
	for (i = 0; i < n; i++) {
		char c = uri->hostText.first[i];

		u->host[i] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
	}
	u->host[n] = 0;
	if (!ip4_parse(u->host, &u->addr)) {
		u->is_addr = true;
		return 0;
	}
	if (n > 1 && u->host[n - 1] == '.')
		u->host[n - 1] = 0;
	return check_name(u, err, room);
}

static int take_port(const UriUriA *uri, struct url *u, char *err, size_t room)
{
	size_t n = range_len(&uri->portText), i;
	uint32_t v = 0;

	if (!n)
		return 0; /* "http://h:/" is the default port (RFC 3986 3.2.3) */
	for (i = 0; i < n && v <= 65535; i++)
		v = v * 10 + (uint32_t)(uri->portText.first[i] - '0');
	if (v == 0 || v > 65535)
		return fail(err, room, "bad URL: port '%.*s' is not in 1..65535",
			    (int)min_sz(n, 20), uri->portText.first);
	u->port = (uint16_t)v;
	u->port_given = true;
	return 0;
}

void url_remove_dot_segments(char *path)
{
	char *in = path, *out = path;

	while (*in) {
		size_t n = 1 + strcspn(in + 1, "/"); /* "/segment" */
		bool last = in[n] == 0;

		if (n == 2 && in[1] == '.') {
			if (last)
				*out++ = '/';
		} else if (n == 3 && in[1] == '.' && in[2] == '.') {
			while (out > path && *--out != '/')
				;
			if (last)
				*out++ = '/';
		} else {
			memmove(out, in, n);
			out += n;
		}
		in += n;
	}
	if (out == path)
		*out++ = '/';
	*out = 0;
}

static void take_path(const UriUriA *uri, unsigned flags, struct url *u)
{
	struct strbuf sb;
	const UriPathSegmentA *s;

	sb_init(&sb);
	for (s = uri->pathHead; s; s = s->next) {
		sb_putc(&sb, '/');
		sb_add(&sb, s->text.first, range_len(&s->text));
	}
	if (!sb.len)
		sb_putc(&sb, '/'); /* an empty path is sent as "/" (RFC 9112 3.2.1, S3-15) */
	u->path = xstrdup(sb_str(&sb));
	sb_free(&sb);
	if (!(flags & URL_RAW_PATH))
		url_remove_dot_segments(u->path);
}

int url_parse(const char *text, unsigned flags, struct url *u, char *err, size_t room)
{
	UriUriA uri;
	const char *at = NULL;
	int rc = -1;

	memset(u, 0, sizeof(*u));
	if (check_octets(text, err, room))
		return -1;
	if (uriParseSingleUriA(&uri, text, &at) != URI_SUCCESS)
		return fail(err, room, "bad URL: unexpected '%c' at column %zu",
			    at && *at ? *at : '?', at ? (size_t)(at - text) + 1 : strlen(text));
	if (take_scheme(&uri, u, err, room))
		goto out;
	if (!uri.hostText.first)
		fail(err, room, "bad URL: no host after the scheme (write http://HOST/PATH)");
	else
		rc = take_host(&uri, u, err, room);
	if (!rc)
		rc = take_port(&uri, u, err, room);
	if (rc)
		goto out;
	take_path(&uri, flags, u);
	if (uri.query.first)
		u->query = range_dup(&uri.query);
	if (uri.fragment.first)
		u->fragment = range_dup(&uri.fragment);
out:
	uriFreeUriMembersA(&uri);
	return rc;
}

void url_free(struct url *u)
{
	free(u->path);
	free(u->query);
	free(u->fragment);
	memset(u, 0, sizeof(*u));
}

int url_fetchable(const struct url *u, char *err, size_t room)
{
	if (u->scheme == URL_HTTPS)
		return fail(
		    err, room,
		    "https is not supported (no TLS here, nothing was sent): write http://%.100s%s",
		    u->host, u->port_given ? ":PORT" : "");
	return 0;
}

int url_check(const char *url, char *err, size_t room)
{
	struct url u;
	int rc = url_parse(url, 0, &u, err, room);

	if (!rc)
		rc = url_fetchable(&u, err, room);
	url_free(&u);
	return rc;
}
